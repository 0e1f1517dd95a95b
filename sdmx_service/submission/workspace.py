"""The rows of one submission in a bounded temporary database, for checks that need all rows at once.

DuckDB whatever the store is: a file in a temporary folder, gone when the workspace is closed. One table per structure
(``sent_table``); its columns are numbered (``column_names``), because ids of components are case-sensitive and names
of columns are not.
Codes, times and texts are text, numbers are doubles. Rows are read by ``duplicates`` and, for rules, by ``figures``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count, takewhile
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import duckdb
import pyarrow as pa

from sdmx_service.amounts import megabytes
from sdmx_service.errors import StorageFault
from sdmx_service.model.finding import KEY_PREFIX
from sdmx_service.model.message import Action
from sdmx_service.model.structure import DataStructure
from sdmx_service.storage.port import StagedPart
from sdmx_service.storage.quoting import both, identifier, literal, member
from sdmx_service.submission.places import gathered, in_order
from sdmx_service.submission.sent_table import SentTable

T = TypeVar("T")
_PLAIN = """CREATE MACRO plain(number) AS CASE
    WHEN number = trunc(number) AND abs(number) < 1e15 THEN CAST(CAST(number AS BIGINT) AS VARCHAR)
    ELSE format('{:.15g}', CAST(number AS DOUBLE)) END"""
"""A number as people write it: no superfluous ``.0``, no digits that a double does not have."""
_MOST_VALUES = 10_000
"""Distinct values of a dimension that are remembered; beyond, the dimension counts as unknown."""
AT_ONCE = 1_000_000
"""Rows that are looked at together, about, where a database would hold all of them in memory."""
_PLACES = 16_384
"""Places of findings that are read together."""
_FIRST_LIMIT = 128
"""Megabytes that do for nearly every check (measured up to 12 million observations with nothing wrong)."""
_KEY = "key_"


PLACE = '_file AS file, _row AS row, _column AS "column", _sheet AS sheet'
"""The columns of places that say where a row came from."""
IN_ORDER = "_file, _sheet, _row, length(_column), _column"
"""Findings in the order in which a person reads the file; the same on every run."""
ORIGIN = ("_file", "_column", "_sheet")
"""The origin of a row beside its number."""


def first_origin(order: str, condition: str = "1 = 1") -> str:
    """The aggregates that give the origin, beside its number, of the first of some rows."""
    return ", ".join(f"arg_min({name}, {order}) FILTER ({condition}) AS {name}" for name in ORIGIN)


def column_names(structure: DataStructure) -> dict[str, str]:
    """Component id -> column of the workspace's tables, in the standard's order."""
    return {component.id: f"c{number}" for number, component in enumerate(structure.components)}


@dataclass(slots=True, kw_only=True)
class SentRows:
    """What is known of the rows of one dataflow and structure without reading them.

    Attributes:
        table: the table they are in, with rows of other dataflows of the structure.
        values: per dimension the values that occur outside deletions; None where there are too many.
        repeated: a key may occur more than once (several actions, or duplicates).
        letters: component -> what the sender calls its column; not those that are called differently in places.
    """

    table: str
    structure: DataStructure
    dataflow: str
    providers: set[str] = field(default_factory=set)
    actions: set[Action] = field(default_factory=set)
    values: dict[str, set[str] | None] = field(default_factory=dict)
    repeated: bool = False
    letters: dict[str, str | None] = field(default_factory=dict)

    def fixed(self) -> dict[str, str]:
        """The dimensions with one value throughout."""
        return {id: next(iter(found)) for id, found in self.values.items() if found is not None and len(found) == 1}

    def may_have(self, dimension: str, codes: Collection[str]) -> bool:
        """Whether a row with one of those codes was sent; true where it is not known."""
        found = self.values.get(dimension)
        return found is None or not found.isdisjoint(codes)

    def note(self, part: StagedPart, batch: pa.RecordBatch) -> None:
        """Remember what the batch brings."""
        self.providers.add(part.provider)
        self.actions.add(part.action)
        if part.action is Action.DELETE:
            return
        for id in self.structure.key_ids:
            known = self.values.setdefault(id, set())
            if known is not None:
                known |= set(batch.column(id).unique().drop_null().to_pylist())
                if len(known) > _MOST_VALUES:
                    self.values[id] = None


class Workspace:
    """Typed rows of one submission; a context manager.

    Args:
        memory: what the database may use at most, as DuckDB writes it (``512MB``); beyond, it works on disk. It begins
            with less, and is given more for a statement that cannot do with it.
        folder: where the temporary folder is made; None: the system's place.

    Attributes:
        file: the file whose rows come next, where a submission has several; findings name it.
        letters: component -> what the sender calls its column, of the rows that come next.
    """

    def __init__(self, memory: str = "512MB", *, threads: int = 2, folder: Path | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="workspace-", dir=folder)
        self._limits = _limits(memory)
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": self._limits[0],
            "threads": threads,
            "temp_directory": str(Path(self._folder.name) / "spill"),
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "checkpoint_threshold": "1TB",
        }
        try:
            self._connection = duckdb.connect(str(Path(self._folder.name) / "rows.duckdb"), config=settings)
        except BaseException:
            self._folder.cleanup()
            raise
        self._connection.execute(_PLAIN)
        self._is_filling = False
        self.file: str | None = None
        self.letters: Mapping[str, str] = {}
        self._tables: dict[str, SentTable] = {}
        self._sent: dict[tuple[str, str], SentRows] = {}
        self._part: StagedPart | None = None
        self._number = -1
        self._state = 0
        self._next = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Forget the rows and remove the files."""
        self._connection.close()
        self._folder.cleanup()

    @property
    def sent(self) -> tuple[SentRows, ...]:
        """The dataflows sent, in order of first appearance."""
        return tuple(self._sent.values())

    # --- rows in -----------------------------------------------------------------------------------------------
    def begin(self) -> None:
        """Rows of another submission or moment come next, which may say again what was said: the later one holds."""
        self._part = None
        self._state += 1
        for sent in self._sent.values():
            sent.repeated = True

    def add(self, part: StagedPart, batch: pa.RecordBatch) -> None:
        """Add rows as typed, with their origin columns where there are any. A new part begins when ``part`` differs."""
        sent = self._sent_rows(part)
        if not _is_same(self._part, part):
            self._part, self._number = part, self._number + 1
        sent.note(part, batch)
        for id, letter in self.letters.items():
            sent.letters[id] = letter if sent.letters.get(id, letter) == letter else None
        sent.repeated = sent.repeated or len(sent.actions - {Action.DELETE}) > 1
        self._tables[part.structure.ref.text].add(part, batch, number=self._number, state=self._state, file=self.file)

    def _sent_rows(self, part: StagedPart) -> SentRows:
        structure = part.structure
        name = structure.ref.text
        if name not in self._tables:
            self._tables[name] = SentTable(
                view=f"rows_{len(self._tables)}", structure=structure, run=self._fill, insert=self._insert
            )
        key = (name, part.dataflow)
        if key not in self._sent:
            self._sent[key] = SentRows(table=self._tables[name].view, structure=structure, dataflow=part.dataflow)
        return self._sent[key]

    def _insert(self, statement: str, rows: pa.Table) -> None:
        """Run a statement that reads the rows as ``incoming``.

        DuckDB finds them by the name of the variable: what is registered, a transaction holds to its end.
        """
        incoming = rows  # noqa: F841
        with self._filling():
            self._connection.execute(statement).fetchall()

    def _fill(self, statement: str) -> None:
        """Run a statement while rows come in."""
        with self._filling():
            self._connection.execute(statement).fetchall()

    @contextmanager
    def _filling(self) -> Iterator[None]:
        """All rows that come in are one transaction: they are written once, and not into a log first."""
        if not self._is_filling:
            self._connection.execute("BEGIN")
            self._is_filling = True
        try:
            with _bounds():
                yield
        except BaseException:  # nothing of them is there any more
            self._connection.execute("ROLLBACK")
            self._is_filling = False
            raise

    # --- for checks --------------------------------------------------------------------------------------------
    def run(self, statement: str) -> None:
        """Run a statement that answers nothing.

        Raises:
            StorageFault: memory or disk do not suffice.
        """
        self._with_enough(lambda: self._connection.execute(statement).fetchall())

    def read(self, query: str) -> pa.Table:
        """The answer to a query, whole.

        Raises:
            StorageFault: memory or disk do not suffice.
        """
        return self._with_enough(lambda: self._connection.sql(query).to_arrow_table())

    def read_of(self, query: str, rows: pa.Table) -> pa.Table:
        """The answer to a query over rows from elsewhere, which it calls ``incoming``, whole.

        Raises:
            StorageFault: memory or disk do not suffice.
        """

        def ask() -> pa.Table:
            incoming = rows  # noqa: F841 - found by its name, as in _insert
            return self._connection.sql(query).to_arrow_table()

        return self._with_enough(ask)

    def _with_enough(self, work: Callable[[], T]) -> T:
        """What the work gives; it is done again with more memory if it cannot be done with less."""
        if self._is_filling:
            self._connection.execute("COMMIT")
            self._is_filling = False
        with _bounds():
            while len(self._limits) > 1:
                with suppress(duckdb.OutOfMemoryException):
                    return work()
                del self._limits[0]
                self._connection.execute(f"SET memory_limit = {literal(self._limits[0])}")
            return work()

    def places(self, query: str, structure: DataStructure) -> pa.Table:
        """The answer to a query with ``key_columns`` as places of findings."""
        keys = {f"{_KEY}{number}": KEY_PREFIX + id for number, id in enumerate(structure.key_ids)}

        def read() -> pa.Table:
            with self._connection.sql(query).to_arrow_reader(_PLACES) as reader:
                return gathered(reader, reader.schema, keys)

        return self._with_enough(read)

    def places_of(self, found: str, query: str, structure: DataStructure) -> pa.Table:
        """``places`` of a query over a table that ``make`` made, which is forgotten; nothing where that has no row.

        What is found is a few rows, which the database does not know of a query before it has run: joined to all rows
        sent as a table, it does not gather those in memory. Where it is many rows, it does not gather them either: the
        query gives them in any order, and they are put into that of the file here; equal places stay as they came.
        """
        try:
            return in_order(self.places(query, structure)) if self.count(found) else pa.table({})
        finally:
            self.drop(found)

    def keep(self, rows: Iterable[pa.RecordBatch], types: Mapping[str, str]) -> str:
        """A new table of rows from elsewhere: columns ``types`` (name -> SQL type), null where a batch lacks one."""
        self._next += 1
        table = f"kept_{self._next}"
        self.run(f"CREATE TABLE {table} ({', '.join(f'{identifier(name)} {kind}' for name, kind in types.items())})")
        for batch in rows:
            present = {name: f"i{number}" for number, name in enumerate(batch.schema.names)}
            chosen = ", ".join(present.get(name, "NULL") for name in types)
            numbered = pa.Table.from_batches([batch]).rename_columns(list(present.values()))
            self._insert(f"INSERT INTO {table} SELECT {chosen} FROM incoming", numbered)
        return table

    def make(self, query: str) -> str:
        """A new table with the answer to a query; in memory as long as that suffices, which is quicker to write."""
        self._next += 1
        table = f"kept_{self._next}"
        self.run(f"CREATE TEMP TABLE {table} AS {query}")
        return table

    def make_in_parts(self, query: Callable[[str], str], key: str, rows: int, at_once: int = AT_ONCE) -> str:
        """A new table with the answers to a query asked for a part of the rows at a time.

        For what a database holds in memory whole: lists of the values of a group, as medians need them.

        Args:
            query: the query, given the condition that chooses the part.
            key: a whole number of 64 bits without a sign by which rows are told apart.
            rows: how many there are in all.
            at_once: how many of them a part has, about.
        """
        parts = max(1, -(-rows // at_once))
        table = self.make(query(f"{key} % {parts} = 0"))
        for part in range(1, parts):
            self.run(f"INSERT INTO {table} {query(f'{key} % {parts} = {part}')}")
        return table

    def count(self, rows: str) -> int:
        """How many rows there are, given what stands after FROM."""
        return int(self.read(f"SELECT count(*) AS number FROM {rows}")["number"][0].as_py())

    def drop(self, table: str) -> None:
        """Forget a table that ``keep`` or ``make`` made."""
        self.run(f"DROP TABLE IF EXISTS {identifier(table)}")


def _limits(most: str) -> list[str]:
    """Limits of memory to try, the last one the most there may be; that alone where it is not written as usual."""
    size = megabytes(most) or 0.0
    steps = takewhile(lambda step: step < size, (_FIRST_LIMIT * 2**power for power in count()))
    return [*(f"{step}MB" for step in steps), most]


@contextmanager
def _bounds() -> Iterator[None]:
    try:
        yield
    except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
        reason = str(error).splitlines()[0]
        hint = "Give the check more memory or disk, or send the file in parts."
        raise StorageFault(f"The submission does not fit into its workspace: {reason}", hint=hint) from error


def observations(sent: SentRows, *, by_provider: bool = True) -> str:
    """The query of the observations that the sent rows leave: each key once, the last one said, deletions done.

    ``_id`` is the row's number in the table of the workspace.

    Args:
        by_provider: False: one row per key whoever sent it.
    """
    names = column_names(sent.structure)
    dimensions = [names[id] for id in sent.structure.key_ids]
    of_flow = f"_dataflow = {literal(sent.dataflow)}"
    query = f"SELECT *, rowid AS _id FROM {sent.table} AS s WHERE _whole AND {of_flow} AND _action <> 'Delete'"
    if Action.DELETE in sent.actions:
        query += f" AND NOT EXISTS ({_deleted_by(sent, 's')} AND d._part > s._part AND d._provider = s._provider)"
    if sent.repeated or (not by_provider and len(sent.providers) > 1):
        key = [*(["_provider"] if by_provider else []), *dimensions]
        over = f"PARTITION BY {', '.join(key)}" if key else ""
        query += f" QUALIFY row_number() OVER ({over} ORDER BY _part DESC, _row DESC NULLS LAST) = 1"
    return query


def _deleted_by(sent: SentRows, alias: str) -> str:
    names = column_names(sent.structure)
    fits = both(f"(d.{names[id]} IS NULL OR d.{names[id]} = {alias}.{names[id]})" for id in sent.structure.key_ids)
    return (
        f"SELECT 1 FROM {sent.table} AS d WHERE d._action = 'Delete' AND d._ends"
        f" AND d._dataflow = {literal(sent.dataflow)} AND {fits}"
    )


def untouched(sent: SentRows, alias: str, *, by_provider: bool = False, alike: Collection[str] = ()) -> str:
    """The condition that no sent row says or deletes the key of a row of ``alias`` (same column names).

    Args:
        by_provider: only rows of the same provider (``_provider``) touch it.
        alike: dimensions that have the same value in all rows, sent or not.
    """
    names = column_names(sent.structure)
    whose = [f"t._provider = {alias}._provider"] if by_provider else []
    differing = [id for id in sent.structure.key_ids if id not in alike]
    same = both([*(f"t.{names[id]} = {alias}.{names[id]}" for id in differing), *whose])
    flow = f"t._dataflow = {literal(sent.dataflow)} AND t._action <> 'Delete'"
    condition = f"NOT EXISTS (SELECT 1 FROM {sent.table} AS t WHERE t._whole AND {flow} AND {same})"
    if Action.DELETE in sent.actions:
        whose = [f"d._provider = {alias}._provider"] if by_provider else []
        condition += f" AND NOT EXISTS ({both([_deleted_by(sent, alias), *whose])})"
    return condition


def key_columns(structure: DataStructure, expressions: Mapping[str, str]) -> str:
    """The select list of key columns of ``Workspace.places``, in key order, for the dimensions with an expression."""
    chosen = (id for id in structure.key_ids if id in expressions)
    return ", ".join(f"{expressions[id]} AS {_KEY}{structure.key_ids.index(id)}" for id in chosen)


def conditions(structure: DataStructure, where: Mapping[str, Iterable[str]], prefix: str = "") -> str:
    """The condition that components have one of some values; components the structure lacks are not tested."""
    names = column_names(structure)
    return both(member(f"{prefix}{names[id]}", set(codes)) for id, codes in where.items() if id in names)


def _is_same(one: StagedPart | None, other: StagedPart) -> bool:
    if one is None:
        return False
    mine = (one.structure.ref, one.dataflow, one.provider, one.action)
    return mine == (other.structure.ref, other.dataflow, other.provider, other.action)
