"""Places of findings in little memory: a million of them share their codes, files and columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sdmx_service.model.finding import KEY_PREFIX

_SHARED = ("file", "sheet", "column")
_LAST: Final = (1 << 63) - 1
_COPIED = 4
"""Batches that become one."""
_INDICES = (pa.int8(), pa.int16(), pa.int32())


def gathered(batches: Iterable[pa.RecordBatch], schema: pa.Schema, names: Mapping[str, str]) -> pa.Table:
    """The table of places that come in batches; texts that many places share are there once.

    Args:
        schema: of the batches.
        names: other names for some of the columns.
    """
    schema = pa.schema([field.with_name(names.get(field.name, field.name)) for field in schema])
    shared = [at for at, field in enumerate(schema) if _is_shared(field)]
    for at in shared:
        schema = schema.set(at, schema.field(at).with_type(pa.dictionary(pa.int32(), pa.string())))
    coded = (_coded(batch, shared, schema) for batch in batches)
    pieces = [pa.Table.from_batches(some, schema).combine_chunks() for some in _together(coded)]
    table = pa.concat_tables(pieces) if pieces else schema.empty_table()
    table = table.unify_dictionaries()
    for at in shared:
        table = table.set_column(at, table.field(at).name, _short(table.column(at)))
    return table


def _coded(batch: pa.RecordBatch, shared: Collection[int], schema: pa.Schema) -> pa.RecordBatch:
    columns = [one.dictionary_encode() if at in shared else one for at, one in enumerate(batch.columns)]
    return pa.record_batch(columns, schema=schema)


def _together(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """Some at a time, to be copied: a database leaves room behind what it gives."""
    waiting = iter(batches)
    while some := list(islice(waiting, _COPIED)):
        yield some


def in_order(places: pa.Table) -> pa.Table:
    """The places in the order in which a person reads the file; equal ones stay as they came."""
    lines = places["row"].fill_null(_LAST).to_numpy()
    columns = _ranks(places["column"], lambda name: (len(name), name))  # Z before AA
    order = np.lexsort([columns, lines, _ranks(places["sheet"]), _ranks(places["file"])])
    return places if bool(np.all(order[1:] > order[:-1])) else places.take(pa.array(order))


def _ranks(column: pa.ChunkedArray, key: Callable[[str], Any] = str) -> npt.NDArray[np.int64]:
    """Numbers that stand in the order of the texts of a column; blanks are last."""
    texts = column.combine_chunks()
    order = sorted(range(len(texts.dictionary)), key=lambda at: key(texts.dictionary[at].as_py()))
    ranks = np.empty(len(order) + 1, dtype=np.int64)
    ranks[[*order, len(order)]] = np.arange(len(ranks))
    places: npt.NDArray[np.int64] = texts.indices.fill_null(len(order)).to_numpy(zero_copy_only=False)
    return ranks[places]


def first_of_each(places: pa.Table, said: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Which places are the first of their kind, in order; those without a number of their row are all different.

    Args:
        said: per place a number of what is told there; places differ by it too.
    """
    if "row" not in places.column_names:
        return np.arange(len(said))
    names = [*places.column_names, "said"]
    numbered = places.append_column("said", pa.array(said)).append_column("at", pa.array(np.arange(len(said))))
    first = numbered.filter(places["row"].is_valid()).group_by(names).aggregate([("at", "min")])
    others = numbered.filter(places["row"].is_null())
    return np.sort(np.concatenate([first["at_min"].to_numpy(), others["at"].to_numpy()]))


def spelt_out(places: pa.Table) -> pa.Table:
    """The table with every text where it belongs."""
    plain = [field.with_type(pa.string()) if _is_coded(field) else field for field in places.schema]
    return places.cast(pa.schema(plain))


def _is_shared(field: pa.Field) -> bool:
    is_shared = field.name in _SHARED or field.name.startswith(KEY_PREFIX)
    return is_shared and bool(pa.types.is_string(field.type))


def _is_coded(field: pa.Field) -> bool:
    return bool(pa.types.is_dictionary(field.type))


def _short(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of texts that are there once, with as short a number as tells them apart."""
    most = max((len(chunk.dictionary) for chunk in column.chunks), default=0)
    kind = next(kind for kind in _INDICES if most < 1 << (kind.bit_width - 1))
    chunks = [pa.DictionaryArray.from_arrays(chunk.indices.cast(kind), chunk.dictionary) for chunk in column.chunks]
    return pa.chunked_array(chunks, pa.dictionary(kind, pa.string()))
