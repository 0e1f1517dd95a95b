"""Who gives which figures, and how those of several providers for one key compare: counts, made in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.storage.layout import CubeLayout, StoredColumn
from sdmx_service.storage.quoting import both, identifier
from sdmx_service.storage.reading import Reading
from sdmx_service.storage.sql import valid_at


def given(reading: Reading, by: Sequence[str]) -> pa.Table:
    """Observations that each provider gives, and how many of them are shown, per codes of some dimensions and period.

    Columns: ``dataflow``, ``provider``, one per dimension, ``period``, ``given``, ``shown``.
    """
    columns = _dimensions(reading.layout, by)
    keys = ["o._dataflow", "o._provider", *(f"s.{column.quoted}" for column in columns), "o._period"]
    observations, series = reading.mask.rows, identifier(reading.layout.table("series"))
    rows = reading.engine.read(
        f"SELECT {', '.join(keys)}, count(*) AS given, sum(CASE WHEN o._shown >= 1 THEN 1 ELSE 0 END) AS shown"
        f" FROM {observations} o JOIN {series} s ON {_same('s', 'o', '_sid', '_dataflow', '_provider')}"
        f" WHERE {both([reading.conditions.observations_where(), reading.conditions.series_where()])}"
        f" GROUP BY {', '.join(keys)}"
    )
    named = _named(reading, rows, {"dataflow": "_dataflow", "provider": "_provider"}, columns, by)
    for name in ("given", "shown"):
        named = named.append_column(name, rows[name].cast(pa.int64()))
    return named


def compared(reading: Reading, by: Sequence[str]) -> pa.Table:
    """Keys that two providers of one dataflow give a figure for: how many are equal in every measure, and how many not.

    Columns: ``dataflow``, ``provider``, ``other`` (the later one by name), one per dimension, ``period``, ``equal``,
    ``unequal``. Only what is not shown is compared with the rest: of each contested key one figure is shown at most.
    Where one of the two is confidential, nothing is compared.
    """
    layout = reading.layout
    columns = _dimensions(layout, by)
    observations, series = reading.mask.rows, identifier(layout.table("series"))
    pair = "o._provider <> h._provider AND (o._shown >= 1 OR h._provider < o._provider)"
    hidden = both(["h._shown = 0", valid_at("h", reading.selection.release)])
    told = [f"NOT {reading.mask.says_hidden(alias)}" for alias in ("o", "h")]
    equal = both(_equal(column) for column in layout.columns if column.role == "measure")
    keys = ["o._dataflow", "h._provider", "o._provider", *(f"s.{column.quoted}" for column in columns), "o._period"]
    named = ["o._dataflow AS _dataflow", "h._provider AS _one", "o._provider AS _two", *keys[3:]]
    rows = reading.engine.read(
        f"SELECT {', '.join(named)}, sum(CASE WHEN {equal} THEN 1 ELSE 0 END) AS equal, count(*) AS both"
        f" FROM {observations} h JOIN {observations} o ON {_same('o', 'h', '_sid', '_dataflow', '_period')} AND {pair}"
        f" JOIN {series} s ON {_same('s', 'o', '_sid', '_dataflow', '_provider')}"
        f" WHERE {both([hidden, *told, reading.conditions.observations_where(), reading.conditions.series_where()])}"
        f" GROUP BY {', '.join(keys)}"
    )
    found = _named(reading, rows, {"dataflow": "_dataflow", "one": "_one", "two": "_two"}, columns, by)
    one, two = found["one"].cast(pa.string()), found["two"].cast(pa.string())
    ordered = pc.less(one, two)
    equal_keys = rows["equal"].cast(pa.int64())
    found = found.set_column(1, "provider", pc.if_else(ordered, one, two))
    found = found.set_column(2, "other", pc.if_else(ordered, two, one))
    found = found.append_column("equal", equal_keys)
    return found.append_column("unequal", pc.subtract(rows["both"].cast(pa.int64()), equal_keys))


def _same(left: str, right: str, *names: str) -> str:
    return both(f"{left}.{name} = {right}.{name}" for name in names)


def _equal(column: StoredColumn) -> str:
    """Two figures are the same; how many decimals they were written with does not matter."""
    names = [name for name in column.names if not name.endswith(".decimals")]
    return both(f"o.{identifier(name)} IS NOT DISTINCT FROM h.{identifier(name)}" for name in names)


def _dimensions(layout: CubeLayout, by: Sequence[str]) -> list[StoredColumn]:
    known = {column.id: column for column in layout.dimensions}
    return [known[id] for id in by]


def _named(
    reading: Reading, rows: pa.Table, members: dict[str, str], columns: Sequence[StoredColumn], by: Sequence[str]
) -> pa.Table:
    """The rows with names instead of numbers."""
    directory = reading.directory
    arrays: dict[str, pa.ChunkedArray | pa.Array] = {}
    for title, name in members.items():
        arrays[title] = _lookup(rows[name], directory.dataflows if title == "dataflow" else directory.providers)
    for id, column in zip(by, columns, strict=True):
        arrays[id] = rows[column.name].cast(pa.string())
    arrays["period"] = _lookup(rows["_period"], directory.periods)
    return pa.table(arrays)


def _lookup(numbers: pa.ChunkedArray, names: Mapping[int, str]) -> pa.Array:
    ordered = sorted(names)
    places = pc.index_in(numbers.cast(pa.int64()).combine_chunks(), pa.array(ordered, pa.int64()))
    return pa.array([names[number] for number in ordered], pa.string()).take(places)


def empty(by: Sequence[str], members: Sequence[str], counts: Sequence[str]) -> pa.Table:
    """No rows."""
    texts = {name: pa.array([], pa.string()) for name in (*members, *by, "period")}
    return pa.table({**texts, **{name: pa.array([], pa.int64()) for name in counts}})
