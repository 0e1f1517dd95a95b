"""History holds: random programs on a store and on lists of dictionaries, compared at every release and between any two."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings

from sdmx_service.storage.port import Store
from tests.postgres_server import PostgresServer
from tests.storage.backends import open_duckdb, open_postgres
from tests.storage.cubes import publish, read, row, select
from tests.storage.programs import TAKE_OVER, Run, fresh_database, programs


def run(open_store: Callable[[], Store], program: list[Any]) -> None:
    going = Run(open_store)
    try:
        for kind, what in program:
            going.step(kind, what)
        going.check()
    finally:
        going.store.close()


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(program=programs)
@example(program=TAKE_OVER)
@pytest.mark.timeout(600)
def test_history_holds_in_duckdb(program: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run(lambda: open_duckdb(Path(folder) / "store.duckdb"), program)


@pytest.mark.postgres
@settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
@given(program=programs)
@example(program=TAKE_OVER)
@pytest.mark.timeout(600)
def test_history_holds_in_postgres(postgres_server: PostgresServer, program: list[Any]) -> None:
    with fresh_database(postgres_server) as url:
        run(lambda: open_postgres(url), program)


DIE = """
import os, sys
from tests.storage import backends
from tests.storage.cubes import publish, row

store = getattr(backends, sys.argv[1])(backends.Path(sys.argv[2]) if sys.argv[1] == "open_duckdb" else sys.argv[2])
store._move_pointer = lambda *_: os._exit(7)
publish(store, ("M", [row("A", "X", "VAN", "2020", "2"), row("A", "Y", "VAN", "2020", "2")]), submission="second")
"""


@pytest.mark.parametrize("backend", ["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_process_killed_before_the_pointer_moves_leaves_the_last_release(
    backend: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place: Any = tmp_path / "store.duckdb" if backend == "duckdb" else request.getfixturevalue("postgres_database")
    open_store: Any = open_duckdb if backend == "duckdb" else open_postgres
    store = open_store(place)
    publish(store, ("M", [row("A", "X", "VAN", "2020", "1")]), submission="first")
    store.close()
    root = Path(__file__).parents[2]
    died = subprocess.run(
        [sys.executable, "-c", DIE, open_store.__name__, str(place)],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert died.returncode == 7
    store = open_store(place)
    assert (store.pointer().release, len(store.releases())) == (1, 1)
    assert [line["SCOOPS"] for line in read(store, select(store))] == ["1"]
    store.publish(["second"])
    assert store.pointer().release == 2
    assert sorted(line["SCOOPS"] for line in read(store, select(store))) == ["2", "2"]
    assert [line["SCOOPS"] for line in read(store, select(store, release=1))] == ["1"]
    store.close()
