"""Random programs of submissions, rankings, restores and deaths, run on a store and on lists of dictionaries."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import strategies as st

from sdmx_service.storage.port import Ranking, Store
from tests.postgres_server import PostgresServer
from tests.storage.cubes import ICE, NORTH, PARLOURS, SALES, SOUTH, read, select, stage, untyped
from tests.storage.oracle import Oracle, chronological

CONTEXTS = ("provisionagreement", "dataflow", "datastructure")
AREAS, FLAVOURS, PERIODS = ("X", "Y"), ("VAN", "LEM"), ("2020", "2020-Q1", "2021")
CUBE = "ICE:DSD_ICE(1)"


class Killed(Exception):
    """The program ended here."""


# --- random programs -------------------------------------------------------------------------------------------------

numbers = st.sampled_from(["1", "1.0", "2.50", "NaN", "1e3"])
codes = st.sampled_from(["A", "E"])
observed = {"SCOOPS": numbers, "MOOD": codes, "STATUS": codes, "TOPPINGS": st.lists(codes, max_size=2)}
by_level = {
    ("FREQ", "AREA", "FLAVOUR"): {"UNIT": codes, "FACTOR": numbers},
    ("AREA", "FLAVOUR"): {"TASTERS": st.lists(codes, min_size=1, max_size=2)},
    ("AREA",): {"SHOP": st.sampled_from(["Gino", 'O"Hara\\', "Äpfel, 'n'"])},
    (): {"SOURCE": st.dictionaries(st.sampled_from(["en", "de"]), st.sampled_from(["x", 'y"\n']), min_size=1)},
}


@st.composite
def values(draw: Any, given: set[str], *, with_observed: bool) -> dict[str, Any]:
    found = dict(observed) if with_observed else {}
    for level, attributes in by_level.items():
        if set(level) <= given:
            found |= attributes
    wanted = draw(st.lists(st.sampled_from(sorted(found)), max_size=3, unique=True)) if found else []
    return {id: draw(found[id]) for id in wanted}


@st.composite
def observations(draw: Any) -> dict[str, Any]:
    key = {"FREQ": "A", "AREA": draw(st.sampled_from(AREAS)), "FLAVOUR": draw(st.sampled_from(FLAVOURS))}
    period = {"TIME_PERIOD": draw(st.sampled_from(PERIODS))}
    return key | period | {"SCOOPS": draw(numbers)} | draw(values(set(key), with_observed=True))


@st.composite
def partial_keys(draw: Any) -> dict[str, Any]:
    level = draw(st.sampled_from(list(by_level)))
    every = {"FREQ": "A", "AREA": draw(st.sampled_from(AREAS)), "FLAVOUR": draw(st.sampled_from(FLAVOURS))}
    key = {id: every[id] for id in level}
    return key | draw(values(set(key), with_observed=False))


@st.composite
def deletions(draw: Any) -> dict[str, Any]:
    every = {"FREQ": st.just("A"), "AREA": st.sampled_from(AREAS), "FLAVOUR": st.sampled_from(FLAVOURS),
             "TIME_PERIOD": st.sampled_from(PERIODS)}  # fmt: skip
    wanted = draw(st.sets(st.sampled_from(sorted(every))))
    marks = {"STATUS": "-", "SCOOPS": "1", "UNIT": "-", "SHOP": "-", "SOURCE": {"en": "-"}, "TASTERS": ["-"]}
    named = draw(st.one_of(st.just(set()), st.sets(st.sampled_from(sorted(marks)), min_size=1, max_size=2)))
    return {id: draw(every[id]) for id in sorted(wanted)} | {id: marks[id] for id in sorted(named)}


parts = st.one_of(
    st.tuples(
        st.sampled_from(["M", "M", "R"]), st.lists(st.one_of(observations(), partial_keys()), min_size=1, max_size=5)
    ),
    st.tuples(st.just("D"), st.lists(deletions(), min_size=1, max_size=2)),
)
submissions = st.tuples(
    st.sampled_from([SALES, PARLOURS]), st.sampled_from([NORTH, SOUTH]), st.lists(parts, min_size=1, max_size=3)
)
rankings = st.fixed_dictionaries(
    {
        "providers": st.dictionaries(st.sampled_from([SALES, PARLOURS]), st.permutations([NORTH, SOUTH])),
        "dataflows": st.one_of(st.just([]), st.permutations([SALES, PARLOURS])),
    }
)
steps = st.one_of(
    st.tuples(st.just("publish"), submissions),
    st.tuples(st.just("publish"), submissions),
    st.tuples(st.just("other order"), st.tuples(submissions, submissions)),
    st.tuples(st.just("at once"), st.tuples(submissions, submissions)),
    st.tuples(st.just("rank"), rankings),
    st.tuples(st.just("publish ranked"), st.tuples(submissions, rankings)),
    st.tuples(st.just("restore"), st.integers(0, 10)),
    st.tuples(st.just("killed"), submissions),
    st.tuples(st.just("killed in restore"), st.integers(0, 10)),
)
programs = st.lists(steps, min_size=1, max_size=6)


class Run:
    """A program on both."""

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self.open_store = open_store
        self.store = open_store()
        self.oracle = Oracle(ICE)
        self.staged = itertools.count()

    def stage(self, submission: Any) -> tuple[str, Any]:
        dataflow, provider, parts = submission
        name = stage(self.store, f"S{next(self.staged)}", *parts, dataflow=dataflow, provider=provider)
        return name, [(dataflow, provider, action, rows) for action, rows in parts]

    def step(self, kind: str, what: Any) -> None:
        match kind:
            case "publish":
                name, parts = self.stage(what)
                self.store.publish([name])
                self.oracle.publish(parts)
            case "other order":
                (first, first_parts), (second, second_parts) = map(self.stage, what)
                self.store.publish([second])
                self.store.publish([first])
                self.oracle.publish(second_parts)
                self.oracle.publish(first_parts)
            case "at once":
                (first, first_parts), (second, second_parts) = map(self.stage, what)
                self.store.publish([second, first])
                self.oracle.publish([*second_parts, *first_parts])
            case "rank":
                ranking = Ranking(providers=what["providers"], dataflows={CUBE: what["dataflows"]})
                self.store.publish([], ranking=ranking)
                self.oracle.publish([], what["providers"], what["dataflows"])
            case "publish ranked":
                (name, parts), ranks = self.stage(what[0]), what[1]
                ranking = Ranking(providers=ranks["providers"], dataflows={CUBE: ranks["dataflows"]})
                self.store.publish([name], ranking=ranking)
                self.oracle.publish(parts, ranks["providers"], ranks["dataflows"])
            case "restore":
                release = what % len(self.oracle.releases)
                self.store.restore(release)
                self.oracle.restore(release)
            case "killed":
                name, _ = self.stage(what)
                self.kill(lambda: self.store.publish([name]))
            case "killed in restore":
                self.kill(lambda: self.store.restore(what % len(self.oracle.releases)))

    def kill(self, act: Callable[[], object]) -> None:
        """Do it, but end after the data are committed and before the pointer moves; then start again."""

        def die(*_: object) -> None:
            raise Killed

        self.store._move_pointer = die  # type: ignore[attr-defined]
        with pytest.raises(Killed):
            act()
        self.store.close()
        self.store = self.open_store()

    def check(self) -> None:
        last = len(self.oracle.releases) - 1
        assert self.store.pointer().release == last
        assert [one.number for one in self.store.releases()] == list(range(1, last + 1))
        for context in CONTEXTS:
            for release in range(last + 1):
                self.check_view(context, release)
            for since, release in itertools.combinations(range(last + 1), 2):
                self.check_view(context, release, since)
                self.check_deleted(context, since, release)

    def select(self, context: str, release: int, since: int | None = None) -> Any:
        return select(self.store, context, release=release, changed_since=since, dataflows=None)

    def check_view(self, context: str, release: int, since: int | None = None) -> None:
        selection = self.select(context, release, since)
        rows = read(self.store, selection)
        wanted = self.oracle.view(release, context, since)
        assert by_key(rows) == by_key(wanted)
        group = {"provisionagreement": ("_dataflow", "_provider"), "dataflow": ("_dataflow",), "datastructure": ()}[
            context
        ]
        series = [tuple(line[id] for id in (*group, "FREQ", "AREA", "FLAVOUR")) for line in rows]
        runs = [key for key, _ in itertools.groupby(series)]
        assert len(runs) == len(set(runs)), "each series is contiguous"
        for _, lines in itertools.groupby(zip(series, rows, strict=True), key=lambda pair: pair[0]):
            periods = [chronological(line["TIME_PERIOD"]) for _, line in lines]
            assert periods == sorted(periods)
        counts = self.store.count(selection)
        assert (counts.series, counts.observations) == (len(set(series)), len(rows))
        domains = self.store.domains(selection)
        for id in ("AREA", "FLAVOUR", "TIME_PERIOD", "STATUS", "MOOD", "UNIT"):
            found = {line[id] for line in wanted if id in line}
            assert list(domains.get(id, [])) == sorted(found, key=chronological if id == "TIME_PERIOD" else None)

    def check_deleted(self, context: str, since: int, release: int) -> None:
        batches = self.store.scan_deleted(self.select(context, release, since))
        rows = [line for batch in batches for line in untyped(ICE, batch)]
        assert by_key(rows) == by_key(self.oracle.deleted(since, release, context))


def by_key(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    keys = ("_dataflow", "_provider", "FREQ", "AREA", "FLAVOUR", "TIME_PERIOD")
    return sorted(rows, key=lambda line: tuple(line.get(id, "") for id in keys))


VANILLA = {"FREQ": "A", "AREA": "X", "FLAVOUR": "VAN", "TIME_PERIOD": "2020", "SCOOPS": "1"}
TAKE_OVER = [
    ("publish", (SALES, SOUTH, [("M", [VANILLA])])),
    ("publish", (SALES, NORTH, [("M", [VANILLA])])),
    ("killed", (SALES, NORTH, [("D", [{}])])),
    ("publish", (SALES, NORTH, [("D", [{}])])),
    ("rank", {"providers": {SALES: [SOUTH, NORTH]}, "dataflows": [PARLOURS, SALES]}),
    ("restore", 2),
    ("publish ranked", ((PARLOURS, NORTH, [("M", [VANILLA])]), {"providers": {SALES: [SOUTH]}, "dataflows": []})),
]
"""One provider takes the place of another, leaves it, and comes back."""


@contextmanager
def fresh_database(server: PostgresServer) -> Iterator[str]:
    """A database for one program: a test that draws several needs one for each."""
    name = f"test_{uuid.uuid4().hex}"
    try:
        yield server.create_database(name)
    finally:
        server.drop_database(name)
