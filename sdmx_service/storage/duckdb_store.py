"""The embedded store: one DuckDB file, one process, one publication at a time, many readers."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import pyarrow as pa

from sdmx_service.errors import StorageFault
from sdmx_service.storage.quoting import identifier
from sdmx_service.storage.sql_store import SqlStore

_STREAMED = 65_536
"""Rows of a streamed batch."""


class DuckDBStore(SqlStore):
    """A store in one file."""

    def __init__(self, path: Path, *, memory_limit: str = "400MB", threads: int | None = None) -> None:
        """Open or create the file.

        Args:
            path: the file; its folder must be there. Temporary files are put beside it.
            memory_limit: how much DuckDB may hold in memory, such as ``400MB``; what is larger goes to temporary files.
            threads: how many threads it uses; None: one per core.

        Raises:
            StorageFault: the file is held by another process, or is no store.
        """
        super().__init__(DuckDBEngine(path, memory_limit=memory_limit, threads=threads))


class DuckDBEngine:
    """The file and its connections: a cursor per read, one writer at a time."""

    is_exclusive = True
    has_indexes = False
    """It scans columns, and takes no index where two of them are asked for: 5 ms for one of 100,000 documents, either
    way."""
    clock = "epoch_us(now())"

    def __init__(self, path: Path, *, memory_limit: str, threads: int | None) -> None:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit,
            "temp_directory": str(path.with_name(path.name + ".tmp")),
            "preserve_insertion_order": False,  # so threads insert side by side; who wants an order says so
        }
        if threads is not None:
            config["threads"] = threads
        try:
            self._connection = duckdb.connect(str(path), config=config)
        except duckdb.Error as error:
            raise _opening_fault(path, error) from error
        self._lock = threading.RLock()
        self._idle: list[duckdb.DuckDBPyConnection] = []
        self._guard = threading.Lock()
        self._lease = uuid4().hex
        self._aside = ThreadPoolExecutor(max_workers=4, thread_name_prefix="duckdb")

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._guard:
            cursor = self._idle.pop() if self._idle else self._connection.cursor()
        try:
            yield cursor
        except duckdb.Error as error:
            cursor.close()
            raise _fault(error) from error
        except BaseException:
            cursor.close()
            raise
        with self._guard:
            self._idle.append(cursor)

    def read(self, query: str) -> pa.Table:
        """The rows of a query."""
        with self._cursor() as cursor:
            return cursor.sql(query).to_arrow_table()

    def few(self, *queries: str) -> list[list[tuple[Any, ...]]]:
        """The rows of queries that have few; side by side, as each is more waiting than work."""
        others = [self._aside.submit(self._rows, query) for query in queries[1:]]
        return [*map(self._rows, queries[:1]), *(other.result() for other in others)]

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._cursor() as cursor:
            return cursor.execute(query).fetchall()

    def stream(self, query: str) -> Iterator[pa.RecordBatch]:
        """The rows of a query in batches, on a cursor of its own."""
        cursor = self._connection.cursor()
        try:
            reader = cursor.sql(query).to_arrow_reader(_STREAMED)
            with reader:
                yield from reader
        except duckdb.Error as error:
            raise _fault(error) from error
        finally:
            cursor.close()

    @contextmanager
    def transaction(self) -> Iterator[DuckDBSession]:
        """A transaction on a cursor of its own."""
        cursor = self._connection.cursor()
        try:
            cursor.begin()
            yield DuckDBSession(cursor)
            cursor.commit()
        except duckdb.Error as error:
            raise _fault(error) from error
        finally:
            cursor.close()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """One publication at a time."""
        with self._lock:
            yield

    def lease(self) -> str:
        """A word for this opening of the file, which nobody else has open."""
        return self._lease

    def is_alive(self, lease: str) -> bool:
        """Whether it is the word of this opening."""
        return lease == self._lease

    def close(self) -> None:
        """Close the file."""
        self._aside.shutdown(cancel_futures=True)
        with self._guard:
            for cursor in self._idle:
                cursor.close()
            self._idle.clear()
        self._connection.close()


class DuckDBSession:
    """A transaction."""

    sorted_rows = 1 << 20

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor

    def execute(self, statement: str) -> int:
        """Run a statement."""
        rows = self._cursor.execute(statement).fetchall()
        return int(rows[0][0]) if rows and rows[0] and isinstance(rows[0][0], int) else 0

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a small query."""
        return self._cursor.execute(query).fetchall()

    def table(self, query: str) -> pa.Table:
        """The rows of a query as Arrow."""
        return self._cursor.sql(query).to_arrow_table()

    def insert(self, table: str, rows: pa.Table) -> None:
        """Append rows.

        DuckDB finds them by the name of the variable: what is registered, a transaction holds to its end.
        """
        incoming = rows  # noqa: F841
        names = ", ".join(identifier(name) for name in rows.column_names)
        self._cursor.execute(f"INSERT INTO {identifier(table)} ({names}) SELECT {names} FROM incoming").fetchall()

    def keep(self, table: str, rows: Sequence[Mapping[str, str | int | bytes]]) -> None:
        """Insert rows that hold bytes, as one list per column: the quickest of the ways that need no pandas."""
        if not rows:
            return
        names = ", ".join(identifier(name) for name in rows[0])
        lists = ", ".join(["unnest(?)"] * len(rows[0]))
        columns = [[row[name] for row in rows] for name in rows[0]]
        self._cursor.execute(f"INSERT INTO {identifier(table)} ({names}) SELECT {lists}", columns).fetchall()

    def create_work(self, table: str, columns: Mapping[str, str]) -> None:
        """An empty temporary table."""
        listed = ", ".join(f"{identifier(name)} {kind}" for name, kind in columns.items())
        self.execute(f"CREATE OR REPLACE TEMP TABLE {identifier(table)} ({listed})")

    def analyse(self, table: str) -> None:
        """DuckDB knows the size of its tables."""


def _fault(error: duckdb.Error) -> StorageFault:
    return StorageFault(f"DuckDB: {error}", hint="If the disk is full, make room; else report this.")


def _opening_fault(path: Path, error: duckdb.Error) -> StorageFault:
    if "lock" in str(error).lower():
        return StorageFault(
            f"{path} is in use by another process.",
            hint="While a service holds the store, send commands to it (--url), or stop it first.",
        )
    return StorageFault(f"{path} cannot be opened as a store: {error}")
