"""Two states of one dataflow side by side: which cells came, changed and went; computed in a temporary database.

Rows come in as typed (``model.columns``) and become text, a column at a time, with the digits that were sent. A *cell*
is a measure or attribute of an observation, or an attribute of a series, group or data set at its own key.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, cast

import duckdb
import pyarrow as pa

from sdmx_service.model.columns import Column, columns, render_numbers
from sdmx_service.model.structure import DataStructure
from sdmx_service.storage.quoting import both, literal
from sdmx_service.storage.values import column_of, encode_text

Side = Literal["before", "after"]
Form = Literal["json", "csv", "html"]
_BATCH = 65_536
_CHANGE = "CASE WHEN before IS NULL THEN 'added' WHEN after IS NULL THEN 'removed' ELSE 'changed' END"
_ESCAPED = "replace(replace(replace(replace({0}, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '\"', '&quot;')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many, per kind of change; an observation is changed if one of its own cells is other."""

    added: int = 0
    changed: int = 0
    removed: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.added + self.changed + self.removed

    def to_json(self) -> dict[str, int]:
        """As answers tell it."""
        return asdict(self)


class Comparison:
    """Rows of two sides; a context manager. First ``add`` and ``add_attribute``, then ask."""

    def __init__(self, structure: DataStructure, memory: str = "256MB") -> None:
        self._columns = columns(structure)
        self._keys = [column for column in self._columns if column.role in ("dimension", "time")]
        self._values = [column for column in self._columns if column.role in ("measure", "attribute")]
        self._places = {column.id: f"k{number}" for number, column in enumerate(self._keys)}
        self._cells = {column.id: f"v{number}" for number, column in enumerate(self._values)}
        self._folder = tempfile.TemporaryDirectory(prefix="comparison-")
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory,
            "threads": 1,
            "temp_directory": str(Path(self._folder.name) / "spill"),
            "preserve_insertion_order": False,
        }
        self._connection = duckdb.connect(str(Path(self._folder.name) / "rows.duckdb"), config=settings)
        listed = ", ".join(f"{name} VARCHAR" for name in (*self._places.values(), *self._cells.values()))
        keys = ", ".join(f"{name} VARCHAR" for name in self._places.values())
        for side in ("before", "after"):
            self._connection.execute(f"CREATE TABLE rows_{side} ({listed})")
            self._connection.execute(f"CREATE TABLE attached_{side} ({keys}, component VARCHAR, value VARCHAR)")
        self._is_joined = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connection.close()
        self._folder.cleanup()

    # --- what comes in -----------------------------------------------------------------------------------------
    def add(self, side: Side, batch: pa.RecordBatch) -> None:
        """Rows of one side, each with every dimension."""
        known = set(batch.schema.names)
        texts = {self._places[one.id]: _text(one, batch) for one in self._keys}
        texts |= {self._cells[one.id]: _text(one, batch) for one in self._values if one.id in known}
        self._insert(f"rows_{side}", pa.table(texts))

    def add_attribute(self, side: Side, id: str, rows: pa.Table) -> None:
        """Values of an attribute above the observation that no row tells: its level's dimensions and the attribute."""
        column = next(one for one in self._values if one.id == id)
        texts = {self._places[name]: rows[name].combine_chunks() for name in column.level or ()}
        texts |= {"component": pa.repeat(id, rows.num_rows), "value": _text(column, rows)}
        self._insert(f"attached_{side}", pa.table(texts))

    def _insert(self, table: str, rows: pa.Table) -> None:
        names = ", ".join(rows.column_names)
        self._connection.register("incoming", rows)
        self._connection.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM incoming")
        self._connection.unregister("incoming")

    # --- what is asked -----------------------------------------------------------------------------------------
    def _join(self) -> None:
        """The pairs of rows, once: keys, and of each cell the value before and after."""
        if self._is_joined:
            return
        same = " AND ".join(f"b.{name} = a.{name}" for name in self._places.values())
        keys = ", ".join(f"coalesce(b.{name}, a.{name}) AS {name}" for name in self._places.values())
        pairs = "".join(f", b.{name} AS b_{name}, a.{name} AS a_{name}" for name in self._cells.values())
        first = next(iter(self._places.values()))
        self._connection.execute(
            f"CREATE TABLE pairs AS SELECT {keys}, b.{first} IS NOT NULL AS had, a.{first} IS NOT NULL AS has{pairs}"
            f" FROM rows_before b FULL JOIN rows_after a ON {same}"
        )
        attached = [column for column in self._values if column.level is not None]
        for column in attached:
            self._attach(column, "had AND has")
        for column in attached:  # a row that only one side has says nothing, unless the other side speaks of that key
            self._attach(column, "NOT (had AND has)", only_known=True)
        self._is_joined = True

    def _attach(self, column: Column, condition: str, *, only_known: bool = False) -> None:
        """What rows tell of an attribute above them."""
        names, cell = [self._places[id] for id in column.level or ()], self._cells[column.id]
        listed, id = "".join(f"{name}, " for name in names), literal(column.id)
        for side, other in (("before", "after"), ("after", "before")):
            same = both([f"o.component = {id}", *(f"o.{name} = pairs.{name}" for name in names)])
            beside = both([f"p.{other[0]}_{cell} IS NOT NULL", *(f"p.{name} = pairs.{name}" for name in names)])
            spoken = f"EXISTS (SELECT 1 FROM attached_{other} o WHERE {same})"
            known = f" AND ({spoken} OR EXISTS (SELECT 1 FROM pairs p WHERE {beside}))" if only_known else ""
            self._connection.execute(
                f"INSERT INTO attached_{side} ({listed}component, value) SELECT DISTINCT {listed}{id}, {side[0]}_{cell}"
                f" FROM pairs WHERE {condition} AND {side[0]}_{cell} IS NOT NULL{known}"
            )

    def observations(self) -> Counts:
        """How many observations came, changed and went."""
        self._join()
        own = [self._cells[one.id] for one in self._values if one.level is None]
        differs = " OR ".join(f"b_{name} IS DISTINCT FROM a_{name}" for name in own) or "false"
        return self._counted(
            f"SELECT count(*) FILTER (NOT had), count(*) FILTER (had AND has AND ({differs})),"
            " count(*) FILTER (NOT has) FROM pairs"
        )

    def cells(self) -> Counts:
        """How many cells came, changed and went."""
        kinds = ", ".join(f"count(*) FILTER (change = '{kind}')" for kind in ("added", "changed", "removed"))
        return self._counted(f"SELECT {kinds} FROM ({self._changes()})")

    def _counted(self, query: str) -> Counts:
        added, changed, removed = (
            int(count) for count in cast(tuple[Any, ...], self._connection.execute(query).fetchone())
        )
        return Counts(added=added, changed=changed, removed=removed)

    @property
    def loses(self) -> bool:
        """An observation that stays has lost one of its cells, which a Merge cannot tell."""
        self._join()
        own = [self._cells[one.id] for one in self._values if one.level is None]
        lost = " OR ".join(f"(b_{name} IS NOT NULL AND a_{name} IS NULL)" for name in own) or "false"
        return (
            self._connection.execute(f"SELECT 1 FROM pairs WHERE had AND has AND ({lost}) LIMIT 1").fetchone()
            is not None
        )

    def _changes(self) -> str:
        """The query for every cell that is other: keys, component, place in the structure, change, before, after."""
        self._join()
        keys = ", ".join(self._places.values())
        parts = []
        for number, column in enumerate(self._values):
            head = f"{literal(column.id)} AS component, {number} AS place"
            cell = self._cells[column.id]
            if column.level is None:
                parts.append(f"SELECT {keys}, {head}, b_{cell} AS before, a_{cell} AS after FROM pairs")
                continue
            level = [self._places[id] for id in column.level]
            listed = ", ".join(
                f"coalesce(b.{name}, a.{name}) AS {name}" if name in level else f"NULL AS {name}"
                for name in self._places.values()
            )
            same = both(f"b.{name} = a.{name}" for name in level)
            chosen = (
                f"(SELECT DISTINCT {''.join(f'{name}, ' for name in level)}value FROM attached_{side}"
                f" WHERE component = {literal(column.id)})"
                for side in ("before", "after")
            )
            parts.append(
                f"SELECT {listed}, {head}, b.value AS before, a.value AS after FROM {next(chosen)} b"
                f" FULL JOIN {next(chosen)} a ON {same}"
            )
        if not parts:
            parts = [f"SELECT {keys}, '' AS component, 0 AS place, '' AS before, '' AS after FROM pairs"]
        return (
            f"SELECT {keys}, component, place, {_CHANGE} AS change, before, after FROM ({' UNION ALL '.join(parts)})"
            " WHERE before IS DISTINCT FROM after"
        )

    def lines(self, form: Form, lead: str = "") -> Iterator[str]:
        """Every cell that is other as a line of a form, by key and in the order of the structure.

        Args:
            lead: a text that begins each line of CSV, as a cell of its own.
        """
        names = [*self._places.values(), "component", "change", "before", "after"]
        ids = [*self._places, "component", "change", "before", "after"]
        expression = {"json": _json, "csv": _csv, "html": _html}[form](dict(zip(names, ids, strict=True)), lead)
        order = ", ".join(f"{name} NULLS FIRST" for name in self._places.values())
        query = f"SELECT {expression} AS line FROM ({self._changes()}) ORDER BY {order}, place"
        reader = self._connection.cursor().sql(query).to_arrow_reader(_BATCH)
        for batch in reader:
            yield from batch.column(0).to_pylist()

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The components of the key, as lines have them."""
        return tuple(self._places)


def _text(column: Column, rows: pa.RecordBatch | pa.Table) -> Any:
    """A component as text: numbers with their digits, lists and multilingual texts as JSON."""
    array = column_of(rows, column.id)
    if column.kind == "number":
        decimals, texts = column_of(rows, column.decimals), column_of(rows, column.text)
        return render_numbers(array, decimals.cast(pa.int8()), texts.cast(pa.string()))
    return encode_text(column.kind, array).cast(pa.string())


# --- lines ----------------------------------------------------------------------------------------------------------
def _json(names: Mapping[str, str], lead: str) -> str:
    keys = [(name, id) for name, id in names.items() if name.startswith("k")]
    key = ", ".join(f"{literal(id)}: {name}" for name, id in keys)
    rest = ", ".join(f"{literal(id)}: {name}" for name, id in names.items() if not name.startswith("k"))
    return f"CAST(to_json({{'key': {{{key}}}, {rest}}}) AS VARCHAR)"


def _csv(names: Mapping[str, str], lead: str) -> str:
    """Quoted cells, the key in one; a text that a spreadsheet would take for a formula gets an apostrophe.

    A number stays as it is, also a negative one.
    """
    formula = "({0} SIMILAR TO '[=+@\\t\\r-].*' AND TRY_CAST({0} AS DOUBLE) IS NULL)"
    keys = [f"coalesce({name}, '*')" for name in names if name.startswith("k")]
    plain = [f"({' || chr(46) || '.join(keys)})", *(name for name in names if not name.startswith("k"))]
    cells = [f"coalesce(CASE WHEN {formula.format(one)} THEN '''' ELSE '' END || {one}, '')" for one in plain]
    quoted = [f"'\"' || replace({cell}, '\"', '\"\"') || '\"'" for cell in cells]
    return " || ',' || ".join([literal(f'"{lead}"'), *quoted])


def _html(names: Mapping[str, str], lead: str) -> str:
    cells = (f"'<td>' || coalesce({_ESCAPED.format(name)}, '') || '</td>'" for name in names)
    return f"'<tr>' || {' || '.join(cells)} || '</tr>'"
