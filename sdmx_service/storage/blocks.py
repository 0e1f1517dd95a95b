"""A run of whole series in memory: how rows of a cube become rows of an answer.

Dimensions and attached attributes are looked up per series and repeated on its observations; the order of rows is
settled here, by the rank of the series and of the period, so that the database need not sort.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.storage.directory import Directory
from sdmx_service.storage.layout import CubeLayout, StoredColumn
from sdmx_service.storage.values import (
    Array,
    as_text,
    column_of,
    domain_values,
    index_codes,
    typed_attached,
    typed_columns,
)

Integers = npt.NDArray[np.int64]
ORIGIN = ("_dataflow", "_provider")


def integers(rows: pa.Table, name: str) -> Integers:
    """A column of whole numbers."""
    return np.asarray(column_of(rows, name).cast(pa.int64()).to_numpy(zero_copy_only=False), dtype=np.int64)


class SeriesNumbers:
    """The places of series in an answer: equal for rows that are one series in the context."""

    def __init__(self, series: pa.Table, group: Sequence[str]) -> None:
        self._group = group
        self._sids = np.unique(integers(series, "_sid"))
        self._limits = {name: int(integers(series, name).max(initial=0)) + 1 for name in group[1:]}
        codes = self._codes(series)
        self._places, self.first_rows = np.unique(codes, return_index=True)

    def _codes(self, rows: pa.Table) -> Integers:
        codes = np.searchsorted(self._sids, integers(rows, "_sid")).astype(np.int64)
        for name, limit in self._limits.items():
            codes = codes * limit + integers(rows, name)
        return codes

    def of(self, rows: pa.Table) -> Integers:
        """The places of rows, each of which belongs to one of the series; looked up once per run of rows."""
        if not rows.num_rows:
            return np.empty(0, dtype=np.int64)
        changes = np.zeros(rows.num_rows, dtype=np.bool_)
        changes[0] = True
        for name in self._group:
            numbers = integers(rows, name)
            changes[1:] |= numbers[1:] != numbers[:-1]
        begins = np.flatnonzero(changes)
        places = np.searchsorted(self._places, self._codes(rows.take(pa.array(begins)))).astype(np.int64)
        return np.repeat(places, np.diff(begins, append=rows.num_rows))


@dataclass(frozen=True)
class Block:
    """Series with their observations, in the order of the answer.

    Attributes:
        series: one row per series: ``_sid``, origin, dimensions as text.
        attached: attribute id -> its text per series.
        places: per observation its series.
        rows: per observation ``_dataflow``, ``_provider``, ``_period`` and the columns asked for.
    """

    layout: CubeLayout
    directory: Directory
    series: pa.Table
    attached: Mapping[str, Array]
    places: Integers
    rows: pa.Table

    def __len__(self) -> int:
        return len(self.places)

    def cut(self, start: int, stop: int) -> Block:
        """The observations from ``start`` to ``stop``."""
        rows = self.rows.slice(start, stop - start)
        return Block(self.layout, self.directory, self.series, self.attached, self.places[start:stop], rows)

    def used(self) -> Block:
        """Without series that have no observation here."""
        used, places = np.unique(self.places, return_inverse=True)
        taken = pa.array(used)
        attached = {id: array.take(taken) for id, array in self.attached.items()}
        series = self.series.take(taken)
        return Block(self.layout, self.directory, series, attached, places.astype(np.int64), self.rows)

    def period_texts(self) -> Array:
        """Per observation its period."""
        numbers = sorted(self.directory.periods)
        lookup = np.zeros(max(numbers, default=0) + 1, dtype=np.int32)
        lookup[numbers] = np.arange(len(numbers), dtype=np.int32)
        texts = pa.array([self.directory.periods[number] for number in numbers], pa.string())
        return pa.DictionaryArray.from_arrays(lookup[integers(self.rows, "_period")], texts)

    def values(self, column: StoredColumn) -> set[str]:
        """The codes of a component that occur."""
        if column.role == "time":
            return {self.directory.periods[number] for number in np.unique(integers(self.rows, "_period")).tolist()}
        if column.role == "dimension":
            return domain_values(column, column_of(self.series, column.name))
        if column.is_attached:
            return domain_values(column, self.attached[column.id])
        return domain_values(column, column_of(self.rows, column.name))

    def batch(
        self, columns: Sequence[StoredColumn], domains: Mapping[str, Sequence[str]], *, with_origin: bool
    ) -> pa.RecordBatch:
        """The observations as typed."""
        places = pa.array(self.places)
        found: dict[str, Array] = origin_columns(self.rows, self.directory) if with_origin else {}
        for column in columns:
            if column.role == "time":
                found[column.id] = _recode(self.period_texts(), domains.get(column.id))
            elif column.role == "dimension":
                found[column.id] = index_codes(column_of(self.series, column.name), domains.get(column.id)).take(places)
            elif column.is_attached:
                typed = typed_attached(column, self.attached[column.id], domains)
                found |= {name: array.take(places) for name, array in typed.items()}
            else:
                found |= typed_columns(column, self.rows, domains)
        return _batch(found, len(self))

    def series_batch(
        self, columns: Sequence[StoredColumn], domains: Mapping[str, Sequence[str]], *, with_origin: bool
    ) -> pa.RecordBatch:
        """The series as typed, without time and observations."""
        found: dict[str, Array] = origin_columns(self.series, self.directory) if with_origin else {}
        for column in columns:
            if column.role == "dimension":
                found[column.id] = index_codes(column_of(self.series, column.name), domains.get(column.id))
            elif column.is_attached:
                found |= typed_attached(column, self.attached[column.id], domains)
        return _batch(found, self.series.num_rows)


def _batch(columns: Mapping[str, Array], count: int) -> pa.RecordBatch:
    if not columns:
        return pa.RecordBatch.from_struct_array(pa.array([{}] * count, pa.struct([])))
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def _recode(codes: Any, domain: Sequence[str] | None) -> Array:
    """Dictionary codes over another dictionary."""
    if domain is None:
        return index_codes(codes.cast(pa.string()), None)
    indices = codes.indices.to_numpy(zero_copy_only=False)
    used = np.flatnonzero(np.bincount(indices, minlength=len(codes.dictionary)))
    target = index_codes(codes.dictionary.take(pa.array(used)), domain)
    table = np.zeros(len(codes.dictionary) + 1, dtype=np.int32)
    table[used] = target.indices.to_numpy(zero_copy_only=False)
    return pa.DictionaryArray.from_arrays(table[indices], target.dictionary)


def origin_columns(rows: pa.Table, directory: Directory) -> dict[str, Array]:
    """Names of dataflow and provider of rows."""
    found: dict[str, Array] = {}
    for name, names in zip(ORIGIN, (directory.dataflows, directory.providers), strict=True):
        numbers = sorted(names)
        lookup = np.zeros(max(numbers, default=0) + 1, dtype=np.int32)
        lookup[numbers] = np.arange(len(numbers), dtype=np.int32)
        texts = pa.array([names[number] for number in numbers], pa.string())
        found[name] = pa.DictionaryArray.from_arrays(lookup[integers(rows, name)], texts)
    return found


def lay_series(series: pa.Table, group: Sequence[str]) -> tuple[pa.Table, SeriesNumbers]:
    """One row per series of the answer, in its order, from series versions of all origins."""
    numbers = SeriesNumbers(series, group)
    return series.take(pa.array(numbers.first_rows)), numbers


def order_rows(rows: pa.Table, numbers: SeriesNumbers, ranks: Integers) -> tuple[pa.Table, Integers]:
    """Observations by series and period, and their places."""
    places = numbers.of(rows)
    order = places * len(ranks) + ranks[integers(rows, "_period")] if len(rows) else places
    if len(order) > 1 and not bool(np.all(np.diff(order) > 0)):
        sorting = np.argsort(order, kind="stable")
        return rows.take(pa.array(sorting)), places[sorting]
    return rows, places


def attach(
    column: StoredColumn, series: pa.Table, found: pa.Table | None, layout: CubeLayout, group: Sequence[str]
) -> Array:
    """Per series the text of an attached attribute, from attachments as read."""
    rows = None if found is None else found.filter(pc.equal(found["_component"], column.id))
    if rows is None or rows.num_rows == 0:
        return pa.nulls(series.num_rows, pa.string())
    level = [c.name for c in layout.dimensions if c.id in (column.level or ())]
    names = ["_sid"] if layout.is_whole_key(column) else level
    names += [name for name in group if name != "_sid"]
    if series.num_rows == rows.num_rows == 1:
        is_mine = all(column_of(series, name)[0].as_py() == column_of(rows, name)[0].as_py() for name in names)
        return as_text(column_of(rows, "_value")) if is_mine else pa.nulls(1, pa.string())
    mine, theirs = _joint_codes([series, rows], names)
    order = np.argsort(theirs, kind="stable")
    places = np.minimum(np.searchsorted(theirs[order], mine), len(order) - 1)
    hits = theirs[order][places] == mine
    texts = as_text(column_of(rows, "_value")).take(pa.array(order))
    return texts.take(pa.array(places, mask=~hits))


def _joint_codes(tables: Sequence[pa.Table], names: Sequence[str]) -> list[Integers]:
    """Numbers for the rows of several tables, equal where the named columns are equal."""
    counts = [table.num_rows for table in tables]
    codes = np.zeros(sum(counts), dtype=np.int64)
    for name in names:
        joined = pa.concat_arrays([_unified(column_of(table, name)) for table in tables])
        part = joined.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
        codes = codes * (int(part.max(initial=0)) + 1) + part
        codes = np.unique(codes, return_inverse=True)[1].astype(np.int64)
    return np.split(codes, np.cumsum(counts)[:-1].tolist())


def _unified(array: Array) -> Array:
    return array.cast(pa.int64()) if pa.types.is_integer(array.type) else as_text(array)
