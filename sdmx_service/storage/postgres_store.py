"""The store in PostgreSQL, for several service processes on one store. psycopg writes, ADBC reads Arrow."""

from __future__ import annotations

import io
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Generic, TypeVar

import adbc_driver_manager
import adbc_driver_postgresql.dbapi
import psycopg
import pyarrow as pa
import pyarrow.csv
from psycopg.conninfo import make_conninfo

from sdmx_service.errors import StorageFault
from sdmx_service.storage.engine import Session
from sdmx_service.storage.layout import CubeLayout
from sdmx_service.storage.quoting import identifier, literal
from sdmx_service.storage.sql_store import SqlStore

_MIGRATION = 0x5D31
"""Number of the advisory lock under which the program's tables are created (before there is a lock of our own)."""
_LEASES = 0x5D32
"""First number of the advisory locks that processes hold as long as they live; the second is the process's own."""
_CSV = pyarrow.csv.WriteOptions(include_header=False)
_COPIED = 65_536
"""Rows of one piece of a COPY."""
_SETTINGS = "-c jit=off -c standard_conforming_strings=on -c timezone=UTC"
_WRITER_SETTINGS = f"{_SETTINGS} -c work_mem=64MB -c maintenance_work_mem=256MB"

Connection = TypeVar("Connection")


class PostgresStore(SqlStore):
    """A store in a database of its own."""

    def __init__(self, url: str, *, connections: int = 8) -> None:
        """Prepare to connect; nothing is opened yet.

        Args:
            url: ``postgresql://...``, as libpq reads it.
            connections: most connections of this process for reading, and as many for writing.
        """
        self._postgres = PostgresEngine(url, connections)
        super().__init__(self._postgres)

    def migrate(self) -> None:
        """Take the steps that the store has not taken yet, one process at a time."""
        with self._postgres.transaction() as session:
            session.execute(f"SELECT pg_advisory_xact_lock({_MIGRATION})")
            super().migrate()

    def _add_keys(self, session: Session, layout: CubeLayout) -> None:
        history = {
            layout.table("series"): ("_sid", "_dataflow", "_provider", "_since"),
            layout.observations.name: (*layout.observations.identity, "_since"),
            layout.attachments.name: (*layout.attachments.identity, "_since"),
            layout.table("periods"): ("_number",),
        }
        for table, names in history.items():
            listed = ", ".join(map(identifier, names))
            session.execute(f"ALTER TABLE {identifier(table)} ADD PRIMARY KEY ({listed})")


class Pool(Generic[Connection]):
    """At most so many connections; who comes later waits."""

    def __init__(self, connect: Callable[[], Connection], close: Callable[[Connection], None], size: int) -> None:
        self._connect = connect
        self._close = close
        self._places = threading.BoundedSemaphore(size)
        self._idle: list[Connection] = []
        self._guard = threading.Lock()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection; one that saw an error is not used again."""
        with self._places:
            with self._guard:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                connection = self._connect()
            try:
                yield connection
            except BaseException:
                with suppress(Exception):
                    self._close(connection)
                raise
            with self._guard:
                self._idle.append(connection)

    def close(self) -> None:
        """Close the connections that are not in use."""
        with self._guard:
            while self._idle:
                self._close(self._idle.pop())


class Leases:
    """An advisory lock that this process holds, on a connection of its own, from the first question on."""

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        self._connect = connect
        self._guard = threading.Lock()
        self._connection: psycopg.Connection[Any] | None = None
        self._number = 0

    def number(self) -> int:
        """The number; another one, if the connection broke and with it the lock."""
        with self._guard:
            if self._connection is None or not self._is_held(self._connection):
                self._connection = self._connect()
                self._number = self._take(self._connection)
            return self._number

    @staticmethod
    def _is_held(connection: psycopg.Connection[Any]) -> bool:
        try:
            connection.execute("SELECT 1")
        except psycopg.Error:
            connection.close()
            return False
        return True

    @staticmethod
    def _take(connection: psycopg.Connection[Any]) -> int:
        while True:
            number = secrets.randbelow(1 << 31)
            taken = connection.execute("SELECT pg_try_advisory_lock(%s, %s)", (_LEASES, number)).fetchone()
            if taken is not None and taken[0]:
                return number

    def close(self) -> None:
        """Give the lock back."""
        with self._guard:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


class PostgresEngine:
    """A database and two bounded pools of connections to it."""

    is_exclusive = False
    has_indexes = True
    clock = "CAST(floor(extract(epoch FROM clock_timestamp()) * 1000000) AS BIGINT)"

    def __init__(self, url: str, size: int) -> None:
        reading = make_conninfo(url, options=_SETTINGS)
        writing = make_conninfo(url, options=_WRITER_SETTINGS)
        self._readers: Pool[Any] = Pool(
            lambda: adbc_driver_postgresql.dbapi.connect(reading, autocommit=True), lambda one: one.close(), size
        )
        self._writers: Pool[psycopg.Connection[Any]] = Pool(
            lambda: psycopg.connect(writing), lambda one: one.close(), size
        )
        self._thread_lock = threading.RLock()
        self._depth = 0
        self._leases = Leases(lambda: psycopg.connect(writing, autocommit=True))

    @contextmanager
    def _reader(self) -> Iterator[Any]:
        with _faults(), self._readers.connection() as connection, connection.cursor() as cursor:
            yield cursor

    def read(self, query: str) -> pa.Table:
        """The rows of a query."""
        with self._reader() as cursor:
            cursor.execute(query)
            table: pa.Table = cursor.fetch_arrow_table()
            return table

    def few(self, *queries: str) -> list[list[tuple[Any, ...]]]:
        """The rows of queries that have few, in one transaction."""
        with self.transaction() as session:
            return [session.rows(query) for query in queries]

    def stream(self, query: str) -> Iterator[pa.RecordBatch]:
        """The rows of a query in batches."""
        with self._reader() as cursor:
            cursor.execute(query)
            yield from cursor.fetch_record_batch()

    @contextmanager
    def transaction(self) -> Iterator[PostgresSession]:
        """A transaction on a connection of the pool."""
        with _faults(), self._writers.connection() as connection, connection.transaction():
            yield PostgresSession(connection)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """A row lock held by a connection of its own, so that it outlasts the transactions of a publication."""
        with self._thread_lock:
            self._depth += 1
            try:
                if self._depth > 1:
                    yield
                else:
                    with self.transaction() as session:
                        session.rows("SELECT _id FROM store_lock FOR UPDATE")
                        yield
            finally:
                self._depth -= 1

    def lease(self) -> str:
        """The number of a lock that a connection of this process holds; the server frees it when that is gone."""
        with _faults():
            return str(self._leases.number())

    def is_alive(self, lease: str) -> bool:
        """Whether somebody holds that lock."""
        with self.transaction() as session:
            taken = session.rows(f"SELECT pg_try_advisory_xact_lock({_LEASES}, {int(lease)})")
            return not taken[0][0]

    def close(self) -> None:
        """Close all connections."""
        self._leases.close()
        self._readers.close()
        self._writers.close()


class PostgresSession:
    """A transaction."""

    sorted_rows = 1 << 30

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def execute(self, statement: str) -> int:
        """Run a statement."""
        return max(0, self._connection.execute(statement.encode()).rowcount)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a small query."""
        return self._connection.execute(query.encode()).fetchall()

    def table(self, query: str) -> pa.Table:
        """The rows of a small query as Arrow."""
        cursor = self._connection.execute(query.encode())
        names = [column.name for column in cursor.description or ()]
        rows = cursor.fetchall()
        return pa.table({name: pa.array([row[place] for row in rows]) for place, name in enumerate(names)})

    def insert(self, table: str, rows: pa.Table) -> None:
        """Append rows by COPY."""
        names = ", ".join(identifier(name) for name in rows.column_names)
        statement = f"COPY {identifier(table)} ({names}) FROM STDIN (FORMAT csv)".encode()
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            for batch in rows.to_batches(max_chunksize=_COPIED):
                sink = io.BytesIO()
                pyarrow.csv.write_csv(batch, sink, _CSV)
                copy.write(sink.getbuffer())

    def keep(self, table: str, rows: Sequence[Mapping[str, str | int | bytes]]) -> None:
        """Insert rows that hold bytes, in one round trip."""
        if not rows:
            return
        names = ", ".join(identifier(name) for name in rows[0])
        marks = ", ".join(["%s"] * len(rows[0]))
        statement = f"INSERT INTO {identifier(table)} ({names}) VALUES ({marks})".encode()
        with self._connection.cursor() as cursor:
            cursor.executemany(statement, [list(row.values()) for row in rows])

    def create_work(self, table: str, columns: Mapping[str, str]) -> None:
        """An empty unlogged table, kept from one publication to the next."""
        known = self.rows(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema()"
            f" AND table_name = {literal(table)} ORDER BY ordinal_position"
        )
        if [name for (name,) in known] == list(columns):
            self.execute(f"TRUNCATE {identifier(table)}")
            return
        listed = ", ".join(f"{identifier(name)} {kind}" for name, kind in columns.items())
        self.execute(f"DROP TABLE IF EXISTS {identifier(table)}")
        self.execute(f"CREATE UNLOGGED TABLE {identifier(table)} ({listed})")

    def analyse(self, table: str) -> None:
        """Gather statistics."""
        self.execute(f"ANALYZE {identifier(table)}")


@contextmanager
def _faults() -> Iterator[None]:
    """Errors of the database as ours."""
    try:
        yield
    except (psycopg.Error, adbc_driver_manager.Error) as error:
        state = str(getattr(error, "sqlstate", None) or "")
        if state.startswith("08") or isinstance(error, psycopg.OperationalError) or "connect" in str(error).lower():
            raise StorageFault(
                f"The database cannot be reached: {error}", hint="Try again; if it stays so, look at the server."
            ) from error
        raise StorageFault(f"PostgreSQL {state}: {error}") from error
