"""Columns as typed (``model.columns``) into columns of a database, and back.

Codes and texts are text; a number keeps its three columns; a multi-valued value is a JSON list, a multilingual one a
JSON object, both as text. Attributes of series, groups and data set are one text whatever their kind. Decoding works
on distinct values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.errors import StorageFault
from sdmx_service.model.columns import Kind, parse_numbers, render_numbers
from sdmx_service.storage.layout import StoredColumn

Array: TypeAlias = "pa.Array[Any]"
Rows: TypeAlias = pa.RecordBatch | pa.Table

_ESCAPES = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))
_MAP = pa.map_(pa.string(), pa.string())
_LIST = pa.list_(pa.string())


def column_of(rows: Rows, name: str) -> Array:
    """A column as one array; None of that name gives nulls."""
    index = rows.schema.get_field_index(name)
    if index < 0:
        return pa.nulls(rows.num_rows, pa.string())
    column = rows.column(index)
    if isinstance(column, pa.ChunkedArray):
        return cast(Array, column.chunk(0) if column.num_chunks == 1 else column.combine_chunks())
    return cast(Array, column)


def as_text(array: Array) -> Array:
    """Codes or texts as plain text."""
    return array if pa.types.is_string(array.type) else array.cast(pa.string())


def encode(column: StoredColumn, rows: Rows) -> dict[str, Array]:
    """The database columns of a component of observations."""
    array = column_of(rows, column.id)
    if column.kind != "number":
        return {column.name: encode_text(column.kind, array)}
    decimals = column_of(rows, f"{column.id}.decimals").cast(pa.int16())
    parts = (array.cast(pa.float64()), decimals, as_text(column_of(rows, f"{column.id}.text")))
    return dict(zip(column.names, parts, strict=True))


def encode_attached(column: StoredColumn, rows: Rows) -> Array:
    """The one text column of an attached attribute."""
    array = column_of(rows, column.id)
    if column.kind != "number":
        return encode_text(column.kind, array)
    decimals = column_of(rows, f"{column.id}.decimals").cast(pa.int8())
    texts = as_text(column_of(rows, f"{column.id}.text"))
    return cast(Array, render_numbers(array.cast(pa.float64()), decimals, texts))


def is_given(column: StoredColumn, rows: Rows) -> Array:
    """Per row whether the sender gave a value."""
    given = column_of(rows, column.id).is_valid()
    if column.kind == "number":
        given = pc.or_(given, column_of(rows, f"{column.id}.text").is_valid())
    return cast(Array, given)


def encode_text(kind: Kind, array: Array) -> Array:
    """A column that is not a number as text."""
    if array.null_count == len(array):
        return pa.nulls(len(array), pa.string())
    if kind == "multi":
        return _encode_list(array)
    return _encode_map(array) if kind == "multilingual" else as_text(array)


def _quote(texts: Array) -> Array:
    for plain, escaped in _ESCAPES:
        texts = pc.replace_substring(texts, plain, escaped)
    return cast(Array, pc.binary_join_element_wise('"', pc.fill_null(texts, ""), '"', ""))


def _encode_list(array: Array) -> Array:
    array = _compact(array)
    lists = pa.ListArray.from_arrays(array.offsets, _quote(as_text(array.values)))
    joined = pc.binary_join_element_wise("[", pc.binary_join(lists, ","), "]", "")
    return cast(Array, pc.if_else(array.is_valid(), joined, pa.scalar(None, pa.string())))


def _encode_map(array: Array) -> Array:
    array = _compact(array.cast(_MAP))
    pairs = pc.binary_join_element_wise(_quote(array.keys), _quote(array.items), ":")
    lists = pa.ListArray.from_arrays(array.offsets, pairs)
    joined = pc.binary_join_element_wise("{", pc.binary_join(lists, ","), "}", "")
    return cast(Array, pc.if_else(array.is_valid(), joined, pa.scalar(None, pa.string())))


def _compact(array: Array) -> Any:
    """The same lists with offsets that begin at 0 (a slice keeps those of the whole)."""
    return pa.concat_arrays([array, array.slice(0, 0)]) if array.offset else array


def decode_text(kind: Kind, texts: Array) -> Array:
    """A multi-valued or multilingual column from text."""
    kind_type = _LIST if kind == "multi" else _MAP
    encoded = texts.dictionary_encode()
    values = [json.loads(text, strict=False) for text in encoded.dictionary.to_pylist()]
    if kind == "multilingual":
        values = [list(value.items()) for value in values]
    return cast(Array, pa.array([*values, None], kind_type).take(encoded.indices.fill_null(len(values))))


def index_codes(texts: Array, domain: Sequence[str] | None) -> Array:
    """Codes as a dictionary over the domain; over what occurs if there is none.

    Raises:
        StorageFault: a code is not in the domain (it was read for another selection or release).
    """
    texts = as_text(texts)
    if domain is None:
        encoded = texts.dictionary_encode()
        return cast(Array, pa.DictionaryArray.from_arrays(encoded.indices.cast(pa.int32()), encoded.dictionary))
    dictionary = pa.array(domain, pa.string())
    indices = pc.index_in(texts, value_set=dictionary)
    if indices.null_count != texts.null_count:
        missing = texts.filter(pc.and_(texts.is_valid(), indices.is_null()))[0].as_py()
        raise not_in_domain(missing)
    return cast(Array, pa.DictionaryArray.from_arrays(indices, dictionary))


def not_in_domain(value: str) -> StorageFault:
    """The fault of a code that the domain does not have."""
    return StorageFault(f"The value {value!r} is not in the domain given; domains and rows must be of one selection.")


def typed_columns(column: StoredColumn, rows: Rows, domains: Mapping[str, Sequence[str]]) -> dict[str, Array]:
    """A component of observations as typed, from its database columns."""
    if column.kind == "number":
        values, decimals, texts = (column_of(rows, name) for name in column.names)
        return {
            column.id: values.cast(pa.float64()),
            f"{column.id}.decimals": decimals.cast(pa.int8()),
            f"{column.id}.text": texts.cast(pa.string()),
        }
    array = column_of(rows, column.name).cast(pa.string())
    if column.kind == "code":
        return {column.id: index_codes(array, domains.get(column.id))}
    return {column.id: array if column.kind == "text" else decode_text(column.kind, array)}


def typed_attached(column: StoredColumn, texts: Array, domains: Mapping[str, Sequence[str]]) -> dict[str, Array]:
    """An attached attribute as typed, from its text."""
    if column.kind == "number":
        distinct = texts.dictionary_encode()
        numbers = parse_numbers(cast(pa.StringArray, distinct.dictionary))
        parts = (numbers.values, numbers.decimals, numbers.texts)
        names = (column.id, f"{column.id}.decimals", f"{column.id}.text")
        return {name: part.take(distinct.indices) for name, part in zip(names, parts, strict=True)}
    if column.kind == "code":
        return {column.id: index_codes(texts, domains.get(column.id))}
    return {column.id: texts if column.kind == "text" else decode_text(column.kind, texts)}


def domain_values(column: StoredColumn, texts: Array) -> set[str]:
    """The single values in a column of codes, or of lists of codes; of multilingual texts the languages."""
    found = texts.unique().drop_null().to_pylist()
    if column.kind not in ("multi", "multilingual"):
        return set(found)
    return {value for text in found for value in json.loads(text, strict=False)}
