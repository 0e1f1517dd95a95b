"""What is hidden after any history: random programs, compared at every release and between any two.

What was sent is known from the list-of-dicts model of the store; what of it may be seen is worked out here in plain
Python, from the words of ``docs/confidentiality.md``.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings

from sdmx_service.storage.port import Store
from tests.postgres_server import PostgresServer
from tests.storage.backends import open_duckdb, open_postgres
from tests.storage.cubes import NORTH, SALES, SOUTH, read
from tests.storage.programs import TAKE_OVER, VANILLA, Run, by_key, fresh_database, programs
from tests.storage.test_masking import RULES, declare

HIDDEN = "E"
HIDES = ("SCOOPS", "MOOD", "REMARK", "ERROR")
OBSERVED = (*HIDES, "STATUS", "TOPPINGS")
IDENTITY = ("_dataflow", "_provider", "FREQ", "AREA", "FLAVOUR", "TIME_PERIOD")
KEY = ("_dataflow", *IDENTITY[2:])
STATEMENTS = {
    "publish": (True,),
    "other order": (True, True),
    "at once": (True,),
    "publish ranked": (True,),
    "rank": (False,),
    "restore": (False,),
}
Line = dict[str, Any]


def open_hiding(open_store: Callable[[], Store]) -> Store:
    store = open_store()
    if not store.pointer().generation:
        declare(store, replace(RULES, confidential=(HIDDEN,), primary="", secondary="", hides=HIDES[2:]))
    return store


class Hiding:
    """Which figures are hidden at the end of a program."""

    def __init__(self, going: Run, statements: list[bool]) -> None:
        self.oracle = going.oracle
        self.last = len(going.oracle.releases) - 1
        self.statements = [False, *statements]
        own = {identity: status for identity, status in self._latest() if status == HIDDEN}
        shown = {tuple(line[id] for id in IDENTITY) for line in self.oracle.view(self.last, "dataflow", None)}
        self.identities = set(own)
        self.keys = {(one[0], *one[2:]) for one in own if one in shown}

    def _latest(self) -> Iterator[tuple[tuple[str, ...], str | None]]:
        """The status in the last statement about each figure."""
        found: dict[tuple[str, ...], str | None] = {}
        before: dict[tuple[str, ...], Line] = {}
        for release in range(1, self.last + 1):
            now = {
                tuple(line[id] for id in IDENTITY): {id: line.get(id) for id in OBSERVED}
                for line in self.oracle.view(release, "provisionagreement", None)
            }
            if self.statements[release]:
                found |= {one: line["STATUS"] for one, line in now.items() if before.get(one) != line}
            before = now
        return iter(found.items())

    def seen(self, line: Line) -> Line:
        """What is seen of a row."""
        identity, key = (tuple(line[id] for id in names) for names in (IDENTITY, KEY))
        if line.get("STATUS") != HIDDEN and identity not in self.identities and key not in self.keys:
            return line
        return {id: value for id, value in line.items() if id not in HIDES} | {"STATUS": HIDDEN}


def run(open_store: Callable[[], Store], program: list[Any]) -> None:
    going = Run(lambda: open_hiding(open_store))
    statements: list[bool] = []
    try:
        for kind, what in program:
            going.step(kind, what)
            statements += STATEMENTS.get(kind, ())
        hiding = Hiding(going, statements)
        for context in ("provisionagreement", "dataflow"):
            for release in range(hiding.last + 1):
                compare(going, hiding, context, release, None)
            for since, release in itertools.combinations(range(hiding.last + 1), 2):
                compare(going, hiding, context, release, since)
    finally:
        going.store.close()


def compare(going: Run, hiding: Hiding, context: str, release: int, since: int | None) -> None:
    selection = going.select(context, release, since)
    wanted = [hiding.seen(line) for line in going.oracle.view(release, context, since)]
    assert by_key(read(going.store, selection)) == by_key(wanted)
    assert going.store.count(selection).observations == len(wanted)
    assert list(going.store.domains(selection).get("MOOD", [])) == sorted(
        {one["MOOD"] for one in wanted if "MOOD" in one}
    )


SECRET = VANILLA | {"STATUS": HIDDEN}
FREED = [
    ("publish", (SALES, SOUTH, [("M", [VANILLA])])),
    ("publish", (SALES, SOUTH, [("M", [SECRET])])),
    ("restore", 1),
    ("publish", (SALES, NORTH, [("M", [VANILLA])])),
    ("killed", (SALES, SOUTH, [("R", [VANILLA | {"SCOOPS": "2.50"}])])),
    ("publish", (SALES, SOUTH, [("D", [{}])])),
]
"""Declared confidential, restored, sent by another, and gone."""


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(program=programs)
@example(program=TAKE_OVER)
@example(program=FREED)
@pytest.mark.timeout(600)
def test_what_is_hidden_in_duckdb(program: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run(lambda: open_duckdb(Path(folder) / "store.duckdb"), program)


@pytest.mark.postgres
@settings(
    max_examples=6,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
@given(program=programs)
@example(program=FREED)
@pytest.mark.timeout(600)
def test_what_is_hidden_in_postgres(postgres_server: PostgresServer, program: list[Any]) -> None:
    with fresh_database(postgres_server) as url:
        run(lambda: open_postgres(url), program)
