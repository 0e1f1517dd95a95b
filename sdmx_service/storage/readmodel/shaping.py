"""Stored columns of a read model as typed ones (``model.columns``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sdmx_service.model.columns import Kind
from sdmx_service.storage.layout import StoredColumn
from sdmx_service.storage.readmodel.opened import Array, Integers, Model
from sdmx_service.storage.values import not_in_domain

Mask = npt.NDArray[np.bool_]


class Shaping:
    """Stored columns as typed ones over the dictionaries of the answer, which are the same in all batches."""

    def __init__(self, model: Model, columns: Sequence[StoredColumn], domains: Mapping[str, Sequence[str]]) -> None:
        self._model, self._columns = model, columns
        self._dictionaries: dict[str, Array] = {}
        self._recodings: dict[str, npt.NDArray[np.int32] | None] = {}
        for column in self._columns:
            known = self._model.domains.get(column.id)
            if column.kind == "code" and known is not None:
                wanted = domains.get(column.id, known)
                self._dictionaries[column.id] = (
                    _dictionary(*wanted) if len(wanted) <= 4 else pa.array(wanted, pa.string())
                )
                same = len(wanted) == len(known) and list(wanted) == list(known)
                self._recodings[column.id] = None if same else self._recoding(column.id, wanted)
        self._zeros = pa.array(np.zeros(0, np.int32))

    def _recoding(self, id: str, wanted: Sequence[str]) -> npt.NDArray[np.int32]:
        """Per code of the model its place in the domain that is wanted; -1 for none."""
        places = self._model.places(id)
        table = np.full(len(places), -1, np.int32)
        for number, code in enumerate(wanted):
            if (place := places.get(code)) is not None:
                table[place] = number
        return table

    def batch(self, rows: pa.RecordBatch, series: Integers) -> pa.RecordBatch:
        """Observations, with the place of the series of each."""
        count = rows.num_rows
        found: dict[str, Array] = {}
        for column in self._columns:
            if column.role == "dimension":
                found[column.id] = self._dimension(column.id, series)
            elif column.is_attached:
                found |= self._attached(column, series)
            elif column.kind == "code":
                found[column.id] = self._coded(column.id, rows[column.id])
            else:
                for field in _fields(column.id, column.kind):
                    found[field.name] = rows[field.name]
        return _record(found, count)

    def series(self, places: Integers) -> pa.RecordBatch:
        """Series without time and observations."""
        found: dict[str, Array] = {}
        for column in self._columns:
            if column.role == "dimension":
                found[column.id] = self._dimension(column.id, places)
            elif column.is_attached:
                found |= self._attached(column, places)
        return _record(found, len(places))

    def _dimension(self, id: str, places: Integers) -> Array:
        if self._is_single(id):
            return self._constant(id, len(places))
        return self._dictionary(id, self._model.codes(id)[places])

    def _is_single(self, id: str) -> bool:
        return len(self._model.domains[id]) == 1 and len(self._dictionaries[id]) == 1

    def _constant(self, id: str, count: int) -> Array:
        self._recoded(id, np.zeros(1, np.int32))  # is it in the domain?
        if len(self._zeros) < count:
            self._zeros = pa.array(np.zeros(count, np.int32))
        return pa.DictionaryArray.from_arrays(self._zeros.slice(0, count), self._dictionaries[id], safe=False)

    def _coded(self, id: str, array: Array) -> Array:
        """A column of codes of observations."""
        if array.null_count == len(array):
            return self._nothing(id, len(array))
        if not array.null_count:
            return self._dictionary(id, array.to_numpy(zero_copy_only=False))
        mask = array.is_null().to_numpy(zero_copy_only=False)
        codes = array.fill_null(0).to_numpy(zero_copy_only=False)
        return self._dictionary(id, np.where(mask, codes[int(np.argmin(mask))], codes), mask)

    def _dictionary(self, id: str, codes: npt.NDArray[Any], mask: Mask | None = None) -> Array:
        indices = pa.array(self._recoded(id, codes), pa.int32(), mask=mask)
        return pa.DictionaryArray.from_arrays(indices, self._dictionaries[id], safe=False)

    def _recoded(self, id: str, codes: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        table = self._recodings[id]
        if table is None:
            return codes.astype(np.int32, copy=False)
        found = np.take(table, codes)
        if len(found) and int(found.min()) < 0:
            raise not_in_domain(self._model.domains[id][int(codes[int(np.argmin(found))])])
        return found

    def _attached(self, column: StoredColumn, places: Integers) -> dict[str, Array]:
        """The columns of an attribute of series, groups or data set."""
        found: dict[str, Array] = {}
        for field in _fields(column.id, column.kind):
            array = self._model.series[field.name]
            if array.null_count == len(array):
                is_coded = column.kind == "code"
                found[field.name] = self._nothing(column.id, len(places)) if is_coded else _nulls(field, len(places))
            elif column.kind == "code" and not array.null_count and self._is_single(column.id):
                found[field.name] = self._constant(column.id, len(places))
            elif column.kind == "code":
                found[field.name] = self._coded(column.id, array.indices.take(pa.array(places)))
            else:
                found[field.name] = array.take(pa.array(places))
        return found

    def _nothing(self, id: str, count: int) -> Array:
        """No code throughout."""
        known = self._dictionaries.get(id)
        if known is None or not len(known):
            return _absent(count)
        return pa.DictionaryArray.from_arrays(pa.nulls(count, pa.int32()), known, safe=False)


@lru_cache(maxsize=4096)
def _fields(id: str, kind: Kind) -> tuple[pa.Field, ...]:
    """The fields of a column as typed."""
    if kind == "number":
        kinds = (pa.float64(), pa.int8(), pa.string())
        return tuple(map(pa.field, (id, f"{id}.decimals", f"{id}.text"), kinds))
    types = {"multi": pa.list_(pa.string()), "multilingual": pa.map_(pa.string(), pa.string()), "text": pa.string()}
    return (pa.field(id, types.get(kind, pa.dictionary(pa.int32(), pa.string()))),)


@lru_cache(maxsize=4096)
def _dictionary(*codes: str) -> Array:
    """Few codes as a dictionary, the same one each time."""
    return pa.array(codes, pa.string())


@lru_cache(maxsize=256)
def _absent(count: int) -> Array:
    """No code throughout, of none that occur."""
    return pa.DictionaryArray.from_arrays(pa.nulls(count, pa.int32()), _dictionary(), safe=False)


def _nulls(field: pa.Field, count: int) -> Array:
    return pa.nulls(count, field.type)


def _record(found: Mapping[str, Array], count: int) -> pa.RecordBatch:
    if not found:
        return pa.RecordBatch.from_struct_array(pa.array([{}] * count, pa.struct([])))
    return pa.RecordBatch.from_arrays(list(found.values()), names=list(found))
