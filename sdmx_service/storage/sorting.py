"""Rows in an order that the client chose (SDMX-REST 2.2, data.md, *sort*): the database sorts, and spills if it must.

*Standard*: by the ids of codes, time chronologically. *Choice*: codes and texts by code point, numbers by value; what
is missing, and numbers that are none, last in either direction; rows that are equal in everything named come series by
series with ascending periods. Series keys without observations are few beside observations and are sorted in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.model.columns import MARKS, parse_numbers
from sdmx_service.model.query import SortKey
from sdmx_service.storage.blocks import Block, attach
from sdmx_service.storage.engine import Engine
from sdmx_service.storage.layout import StoredColumn
from sdmx_service.storage.quoting import both, identifier, literal, literals
from sdmx_service.storage.sql import Conditions, names_origin, valid_at
from sdmx_service.storage.values import Array, as_text, column_of

_TIME = ("p._start", "p._end", 'p._period COLLATE "C"')
_ORIGIN = ("_sid", "_dataflow", "_provider")


@dataclass(frozen=True)
class SortedRows:
    """The observations of a selection in its order.

    Attributes:
        columns: those of the answer.
        observed: its measures and observation attributes that the cube knows.
        attached: its attached attributes that ever had a value.
    """

    engine: Engine
    conditions: Conditions
    columns: Sequence[StoredColumn]
    observed: Sequence[StoredColumn]
    attached: Sequence[StoredColumn]

    def batches(
        self, domains: Mapping[str, Sequence[str]], shared: pa.Table | None, offset: int, count: int
    ) -> Iterator[pa.RecordBatch]:
        """The rows from ``offset`` on; ``shared`` are the attachments of groups and data sets."""
        selection, layout = self.conditions.selection, self.conditions.layout
        whole = self._whole_key()
        query = f"{self._query()} LIMIT {literal(count)} OFFSET {literal(offset)}"
        with_origin = names_origin(selection)
        for batch in self.engine.stream(query):
            if not batch.num_rows:
                continue
            rows = pa.Table.from_batches([batch])
            attached: dict[str, Array] = {}
            for column in (one for one in self.columns if one.is_attached):
                if column.id in whole:
                    attached[column.id] = as_text(column_of(rows, whole[column.id]))
                else:
                    attached[column.id] = attach(column, rows, shared, layout, self.conditions.group)
            places = np.arange(rows.num_rows, dtype=np.int64)
            block = Block(layout, self.conditions.directory, rows, attached, places, rows)
            yield block.batch(self.columns, domains, with_origin=with_origin)

    # --- the query ---------------------------------------------------------------------------------------------

    def _whole_key(self) -> dict[str, str]:
        """Attributes of the whole series key that are shown or sorted by, and the columns of their values."""
        layout = self.conditions.layout
        sorted_by = {key.component for key in self.conditions.selection.sort}
        wanted = [*self.attached, *(c for c in layout.attached if c.id in sorted_by)]
        known = self.conditions.directory.attached
        ids = dict.fromkeys(c.id for c in wanted if layout.is_whole_key(c) and c.id in known)
        return {id: f"_a{number}" for number, id in enumerate(ids)}

    def _query(self) -> str:
        """The rows in order: keys, values, codes of dimensions, attributes of series."""
        conditions, layout = self.conditions, self.conditions.layout
        values = [name for column in self._stored_values() for name in column.names]
        own = [*_ORIGIN, "_period", *values]
        names = [*(f"o.{identifier(name)}" for name in own), *(f"k.{c.quoted}" for c in layout.dimensions)]
        whole = self._whole_key()
        names += [f"{alias}._value AS {alias}" for alias in whole.values()]
        same = [f"k.{name} = o.{name}" for name in _ORIGIN]
        source = (
            f"({conditions.observations(map(identifier, own))}) o"
            f" JOIN {identifier(layout.table('series'))} k ON {both([*same, valid_at('k', conditions.release)])}"
            f" JOIN {identifier(layout.table('periods'))} p ON p._number = o._period"
        )
        table = identifier(layout.attachments.name)
        for id, alias in whole.items():
            same = [f"{alias}.{name} = o.{name}" for name in conditions.group]
            source += f" LEFT JOIN {table} {alias} ON {both([*same, conditions.attachments_where([id], alias)])}"
        order: list[str] = []
        for number, key in enumerate(conditions.selection.sort):
            terms, more = self._terms(key, number, whole)
            order += terms
            source += more
        order += self._rest()
        together = self._together()
        if not together:
            return f"SELECT {', '.join(names)} FROM {source} ORDER BY {', '.join(order)}"
        listed = ", ".join([*names, f"row_number() OVER (ORDER BY {', '.join(order)}) AS _place"])
        return (
            f"SELECT * FROM (SELECT r.*, min(r._place) OVER (PARTITION BY {', '.join(together)}) AS _first"
            f" FROM (SELECT {listed} FROM {source}) r) r ORDER BY r._first, r._place"
        )

    def _stored_values(self) -> list[StoredColumn]:
        """The measures and observation attributes that are shown or sorted by."""
        sorted_by = {key.component for key in self.conditions.selection.sort}
        known = {c.id: c for c in self.observed}
        return [*self.observed, *(c for c in self.conditions.layout.observed if c.id in sorted_by - known.keys())]

    def _terms(self, key: SortKey, number: int, whole: Mapping[str, str]) -> tuple[list[str], str]:
        """The terms of ORDER BY for one step, and the join that they need."""
        direction = "DESC" if key.descending else "ASC"
        column = self.conditions.layout.by_id.get(key.component)
        if column is None:  # the structure knows it, and nothing was ever stored
            return [], ""
        if column.role == "time":
            return [f"{term} {direction}" for term in _TIME], ""
        if column.role == "dimension":
            return [f'k.{column.quoted} COLLATE "C" {direction}'], ""
        if not column.is_attached:
            return _ordered(f"o.{column.quoted}", column.kind == "number", direction), ""
        if column.id not in self.conditions.directory.attached:
            return [], ""
        if column.id not in whole:
            return self._shared_terms(column, f"g{number}", direction)
        value = f"{whole[column.id]}._value"
        if column.kind == "number":
            value = f"CAST(CASE WHEN {value} IN ({literals(MARKS)}) THEN NULL ELSE {value} END AS FLOAT8)"
        return _ordered(value, column.kind == "number", direction), ""

    def _shared_terms(self, column: StoredColumn, alias: str, direction: str) -> tuple[list[str], str]:
        """The order by an attribute of a group: the places of its values, which are few, as a table of their own."""
        conditions = self.conditions
        rows = self.engine.read(conditions.attachments([column.id]))
        level = [c.name for c in conditions.layout.dimensions if c.id in (column.level or ())]
        origin = list(conditions.group[1:])
        if not rows.num_rows or not (level or origin):
            return [], ""
        ranks = _ranks(column, as_text(column_of(rows, "_value")))
        keys = [column_of(rows, name).to_pylist() for name in (*level, *origin)]
        lines = ", ".join(f"({literals([*key, rank])})" for *key, rank in zip(*keys, ranks, strict=True))
        columns = [f"_c{place}" for place in range(len(keys))]
        targets = [*(f"k.{identifier(name)}" for name in level), *(f"o.{name}" for name in origin)]
        same = both(f"{alias}.{name} = {target}" for name, target in zip(columns, targets, strict=True))
        join = f" LEFT JOIN (VALUES {lines}) {alias}({', '.join([*columns, '_rank'])}) ON {same}"
        return [f"{alias}._rank {direction} NULLS LAST"], join

    def _rest(self) -> list[str]:
        """The order of rows that are equal in everything named: series by series, in time."""
        together, layout = self.conditions.selection.together, self.conditions.layout
        if not together or {c.id for c in layout.dimensions} <= set(together):
            return [*(f"o.{name}" for name in _ORIGIN), *_TIME]
        terms: list[str] = []
        for id in together:
            column = layout.by_id[id]
            terms += _TIME if column.role == "time" else (f'k.{column.quoted} COLLATE "C"',)
        return [*terms, *(f"o.{name}" for name in _ORIGIN), *_TIME]

    def _together(self) -> list[str]:
        """What rows must share to stay next to each other, as columns of the inner query."""
        layout = self.conditions.layout
        names = ["_period" if layout.by_id[id].role == "time" else layout.by_id[id].name
                 for id in self.conditions.selection.together]  # fmt: skip
        return [f"r.{identifier(name)}" for name in (*names, *self.conditions.group[1:])] if names else []


def _ordered(value: str, is_number: bool, direction: str) -> list[str]:
    """Terms that put what is missing last in either direction."""
    if not is_number:
        return [f'{value} COLLATE "C" {direction} NULLS LAST']
    return [f"NULLIF({value}, CAST('NaN' AS FLOAT8)) {direction} NULLS LAST"]


def _ranks(column: StoredColumn, texts: Array) -> list[int | None]:
    """Per text its place among the others; none for what has no place."""
    if column.kind != "number":
        places = {text: place for place, text in enumerate(sorted(set(texts.to_pylist())))}
        return [places[text] for text in texts.to_pylist()]
    values = parse_numbers(texts.cast(pa.string())).values.to_pylist()
    numbers = {value: place for place, value in enumerate(sorted({v for v in values if v is not None and v == v}))}
    return [numbers.get(value) for value in values]


# --- series keys ------------------------------------------------------------------------------------------------------


def sorted_series(
    batches: Iterable[pa.RecordBatch], sort: Sequence[SortKey], offset: int, limit: int | None
) -> Iterator[pa.RecordBatch]:
    """Series keys in order, from memory; components of observations are not in them and order nothing."""
    found = [batch for batch in batches if batch.num_rows]
    if not found:
        return
    table = pa.Table.from_batches(found).unify_dictionaries().combine_chunks()
    keys: list[Any] = []
    for key in sort:
        if key.component in table.schema.names:
            keys += _key_arrays(table.column(key.component).combine_chunks(), key.descending)
    if keys:
        table = table.take(pa.array(np.lexsort(keys[::-1])))
    yield from table.slice(offset, limit).combine_chunks().to_batches()


def _key_arrays(column: Any, descending: bool) -> list[Any]:
    """What to sort by: first whether it is missing, then its place."""
    sign = -1.0 if descending else 1.0
    if pa.types.is_floating(column.type):
        values = column.fill_null(np.nan).to_numpy(zero_copy_only=False)
        missing = np.isnan(values)
    else:
        if not pa.types.is_dictionary(column.type):
            column = (column if pa.types.is_string(column.type) else _as_texts(column)).dictionary_encode()
        values = column.indices.fill_null(0).to_numpy(zero_copy_only=False).astype(np.float64)
        if not _is_ordered(column.dictionary):
            texts = column.dictionary.to_pylist()
            places = np.empty(len(texts))
            places[np.array(sorted(range(len(texts)), key=lambda place: texts[place]), dtype=np.int64)] = np.arange(
                len(texts)
            )
            values = places[values.astype(np.int64)] if len(texts) else values
        missing = column.is_null().to_numpy(zero_copy_only=False)
    return [missing, np.where(missing, 0.0, values) * sign]


def _is_ordered(dictionary: Any) -> bool:
    """A list of values in code point order: that of an answer."""
    return len(dictionary) < 2 or bool(pc.all(pc.less(dictionary[:-1], dictionary[1:])).as_py())


def _as_texts(column: Any) -> Array:
    return pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())
