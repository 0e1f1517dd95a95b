"""What was told once and is not now: keys that went away, and figures that are hidden since, read from the database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa

from sdmx_service.storage.blocks import integers, origin_columns
from sdmx_service.storage.quoting import both, identifier
from sdmx_service.storage.reading import Reading
from sdmx_service.storage.sql import Conditions, ended, names_origin, valid_at
from sdmx_service.storage.values import Array, column_of


def deleted(reading: Reading) -> Iterator[pa.RecordBatch]:
    """Keys of observations shown at ``changed_since`` and not shown at the release, as text."""
    selection, layout = reading.selection, reading.layout
    since = selection.changed_since
    if since is None or since == selection.release:
        return
    plain = replace(selection, changed_since=None, first_n=None, last_n=None, offset=0, limit=None)
    then = Conditions(layout, reading.directory, plain, reading.engine.read, reading.mask, at=since)
    now = reading.conditions
    shown = [f"n._shown >= {now.least_shown}"] if now.least_shown else []
    same = [f"n.{name} = o.{name}" for name in (*now.group, "_period")]
    rows = identifier(layout.observations.name)
    kept = both([*same, valid_at("n", selection.release), *shown, *now.origin("n")])
    names = [*(f"o.{name}" for name in ("_sid", "_dataflow", "_provider", "_period")),
             *(f"k.{c.quoted}" for c in layout.dimensions)]  # fmt: skip
    keys = " AND ".join(f"k.{name} = o.{name}" for name in ("_sid", "_dataflow", "_provider"))
    inner = then.observations(["_sid", "_dataflow", "_provider", "_period", "_since", "_until"])
    query = (
        f"SELECT {', '.join(names)} FROM ({inner}) o JOIN {identifier(layout.table('series'))} k"
        f" ON {keys} AND {valid_at('k', since)} WHERE {ended('o', since, selection.release)}"
        f" AND NOT EXISTS (SELECT 1 FROM {rows} n WHERE {kept})"
        f" ORDER BY o._sid, o._dataflow, o._provider, o._period"
    )
    for batch in reading.engine.stream(query):
        yield _keys(reading, pa.Table.from_batches([batch]))


def told_before(reading: Reading) -> Iterator[pa.RecordBatch]:
    """Keys of row versions that were shown open and are hidden now, as text, with ``_since`` and ``_until``."""
    conditions, layout, open_before = reading.conditions, reading.layout, reading.mask.open_before()
    if open_before is None:
        return
    names = [*(f"o.{name}" for name in ("_sid", "_dataflow", "_provider", "_period", "_since", "_until")),
             *(f"s.{c.quoted}" for c in layout.dimensions)]  # fmt: skip
    same = [f"s.{name} = o.{name}" for name in ("_sid", "_dataflow", "_provider")]
    shown = f"o._shown >= {conditions.least_shown}"
    narrow = (condition.format("o") for condition in conditions.narrow)
    where = both([*same, shown, *conditions.origin("o"), *narrow, *conditions.series])
    source = f"({open_before}) o, {identifier(layout.table('series'))} s"
    for batch in reading.engine.stream(f"SELECT DISTINCT {', '.join(names)} FROM {source} WHERE {where}"):
        table = pa.Table.from_batches([batch])
        found = _keys(reading, table)
        for name in ("_since", "_until"):
            found = found.append_column(name, column_of(table, name).cast(pa.string()))
        yield found


def _keys(reading: Reading, rows: pa.Table) -> pa.RecordBatch:
    """Origin, where it is asked for, dimensions and period of rows of observations, as text."""
    directory, layout = reading.directory, reading.layout
    found: dict[str, Array] = origin_columns(rows, directory) if names_origin(reading.selection) else {}
    found |= {c.id: column_of(rows, c.name).cast(pa.string()) for c in layout.dimensions}
    if layout.time is not None:
        found[layout.time.id] = pa.array(
            [directory.periods[number] for number in integers(rows, "_period").tolist()], pa.string()
        )
    return pa.RecordBatch.from_arrays(list(found.values()), names=list(found))
