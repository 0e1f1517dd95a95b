"""What a database must do for the store: the few things in which the backends differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import pyarrow as pa


class Session(Protocol):
    """A transaction: everything in it, or nothing."""

    @property
    def sorted_rows(self) -> int:
        """So many rows are best sorted at once when they are inserted."""

    def execute(self, statement: str) -> int:
        """Run a statement; returns the number of rows touched."""

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a small query."""

    def table(self, query: str) -> pa.Table:
        """The rows of a query as Arrow."""

    def insert(self, table: str, rows: pa.Table) -> None:
        """Append rows; the columns of both have the same names."""

    def keep(self, table: str, rows: Sequence[Mapping[str, str | int | bytes]]) -> None:
        """Insert rows that hold bytes; all have the same columns."""

    def create_work(self, table: str, columns: Mapping[str, str]) -> None:
        """An empty table for the time of this transaction: name of a column -> type."""

    def analyse(self, table: str) -> None:
        """Let the planner know how large a work table has become."""


class Engine(Protocol):
    """A database, used by several threads."""

    @property
    def is_exclusive(self) -> bool:
        """Nobody but this process changes the database, so that what was read and not changed here is still true."""

    @property
    def has_indexes(self) -> bool:
        """Indexes of the program's own tables pay: the planner takes one for a few rows of many."""

    @property
    def clock(self) -> str:
        """The database's time as SQL: whole microseconds since 1970 (UTC)."""

    def read(self, query: str) -> pa.Table:
        """The rows of a query."""

    def few(self, *queries: str) -> list[list[tuple[Any, ...]]]:
        """The rows of queries that have few, per query: the quickest way to them, at once where that is quicker."""

    def stream(self, query: str) -> Iterator[pa.RecordBatch]:
        """The rows of a query, in batches, in bounded memory."""

    def transaction(self) -> AbstractContextManager[Session]:
        """A transaction that commits at the end, and is rolled back by an exception."""

    def lock(self) -> AbstractContextManager[None]:
        """The store's lock: one publication at a time, over all processes that use the store."""

    def lease(self) -> str:
        """See ``port.Store.lease``."""

    def is_alive(self, lease: str) -> bool:
        """See ``port.Store.is_alive``."""

    def close(self) -> None:
        """Release files and connections."""
