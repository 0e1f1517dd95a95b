"""What is particular to a backend."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from sdmx_service.errors import StorageFault
from sdmx_service.model.message import Action
from sdmx_service.storage.port import StagedPart, Store
from sdmx_service.storage.postgres_store import Pool, PostgresStore
from tests.storage.backends import open_duckdb, open_postgres
from tests.storage.cubes import ICE, NORTH, SALES, SOUTH, observed, publish, row, select, stage, typed

HOLD = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


def test_a_file_held_by_another_process_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StorageFault, match="in use by another process") as refused:
            open_duckdb(path)
        assert "--url" in refused.value.hint
    finally:
        holder.communicate("")
    open_duckdb(path).close()


def test_rows_of_a_load_that_was_cut_off_are_gone_after_the_next_start(tmp_path: Path) -> None:
    store = open_duckdb(tmp_path / "store.duckdb")
    stage(store, "KEPT", ("M", [row("A", "X", "VAN", "2020", "1")]))
    load = store.stage("CUT")
    for provider in (NORTH, SOUTH, NORTH):  # a new part writes the one before
        part = StagedPart(structure=ICE, dataflow=SALES, provider=provider, action=Action.MERGE)
        load.append(part, typed(ICE, [row("A", "X", "VAN", "2020", "2")]))
    assert staged_rows(store) == 3
    store.close()
    store = open_duckdb(tmp_path / "store.duckdb")
    assert staged_rows(store) == 1
    store.publish(["KEPT"])
    assert observed(store) == ["X.VAN.2020=1"]
    store.close()


def staged_rows(store: Store) -> int:
    return store._engine.read("SELECT _body FROM staged").num_rows  # type: ignore[attr-defined]


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(StorageFault, match="cannot be opened"):
        open_duckdb(path)


@pytest.mark.postgres
def test_one_of_many_documents_is_found_by_an_index(postgres_database: str) -> None:
    with closing(open_postgres(postgres_database)) as store:
        store.save_document("receipt", "S1", {"a": 1})
        store.save_file("S1", [b"a file"])
        with store._engine.transaction() as session:  # type: ignore[attr-defined]
            session.execute(
                "INSERT INTO documents SELECT n + 10, 'receipt', 'R' || n, '{}' FROM generate_series(1, 20000) n"
            )
            session.execute("INSERT INTO files SELECT 'R' || n, 0, '' FROM generate_series(1, 20000) n")
            session.execute("ANALYZE documents")
            session.execute("ANALYZE files")
            for query in (
                "SELECT _body FROM documents WHERE _kind = 'receipt' AND _id = 'S1'",
                "UPDATE documents SET _body = '{}' WHERE _kind = 'receipt' AND _id = 'S1'",
                "SELECT coalesce(max(_number), 0) + 1 FROM documents",
                "SELECT _body FROM files WHERE _id = 'S1' AND _part = 0",
            ):
                plan = " ".join(line for (line,) in session.rows(f"EXPLAIN {query}"))
                assert "Index" in plan, plan
                assert "Seq Scan" not in plan, plan
        assert store.document("receipt", "S1") == {"a": 1}


@pytest.mark.postgres
def test_an_unreachable_server_is_a_storage_fault(tmp_path: Path) -> None:
    store = PostgresStore(f"postgresql://nobody@/nothing?host={tmp_path}")
    with pytest.raises(StorageFault, match="cannot be reached"):
        store.migrate()
    with pytest.raises(StorageFault, match="cannot be reached"):
        store.pointer()


@pytest.mark.postgres
def test_two_processes_share_a_database(postgres_database: str) -> None:
    first, second = open_postgres(postgres_database), open_postgres(postgres_database)
    publish(first, ("M", [row("A", "X", "VAN", "2020", "1")]))
    assert observed(second) == ["X.VAN.2020=1"]
    publish(second, ("M", [row("A", "Y", "VAN", "2021", "2")]), provider="ICE.EAST")
    assert observed(first) == observed(second)
    assert len(observed(first, "provisionagreement")) == 2
    assert first.periods(select(first).cube) == ["2020", "2021"]
    first.close()
    second.close()


@pytest.mark.postgres
def test_the_lock_holds_between_processes(postgres_database: str) -> None:
    first, second = open_postgres(postgres_database), open_postgres(postgres_database)
    done = threading.Event()

    def act() -> None:
        publish(second, ("M", [row("A", "X", "VAN", "2020", "1")]))
        done.set()

    writer = threading.Thread(target=act)
    with first._engine.lock():  # type: ignore[attr-defined]
        writer.start()
        assert not done.wait(1)
        assert first.pointer().release == 0
    assert done.wait(30)
    writer.join()
    assert first.pointer().release == 1
    first.close()
    second.close()


def test_a_pool_is_bounded_and_forgets_what_failed() -> None:
    made: list[int] = []
    closed: list[int] = []
    pool: Pool[int] = Pool(lambda: made.append(len(made)) or made[-1], closed.append, 2)
    late: list[int] = []

    def wait() -> None:
        with pool.connection() as connection:
            late.append(connection)

    with pool.connection() as first, pool.connection() as second:
        assert (first, second) == (0, 1)
        waiting = threading.Thread(target=wait)
        waiting.start()
        waiting.join(0.2)
        assert waiting.is_alive()
    waiting.join(5)
    assert (len(made), len(late), closed) == (2, 1, [])
    with pytest.raises(ValueError), pool.connection():
        raise ValueError
    assert len(closed) == 1
    with pool.connection() as one, pool.connection() as other:
        assert 2 in (one, other)
