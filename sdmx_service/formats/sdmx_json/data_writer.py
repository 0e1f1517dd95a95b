"""Data messages to SDMX-JSON 2.0 and 2.1 (SDMX-JSON *data message*, field guide).

*Standard:* the values of dimensions and coded attributes are listed once per data set and the data point into the
lists, so ``Dataset.domains`` must list them; Double, Float, Long, Short, Numeric, Integer and Count are JSON numbers,
Boolean is a boolean, everything else (Decimal and BigInteger too) a string; several values are an array, several
languages an object, no value is null. A number whose text is no JSON number (``NaN``) is a string.
*Choices:* every data set has a structure of its own, as its lists are its own; all dimensions stand in the series or
at the observation; uncoded and multi-valued attributes are written where they belong, without a list; a negative
number among the attributes of data set, group or series is a string, as the official schemas allow only indices and
other numbers from 0 there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import orjson
import pyarrow as pa

from sdmx_service.errors import CannotWrite
from sdmx_service.formats.arrangement import Arrangement, arrange, attached
from sdmx_service.formats.chunks import packed, rendered
from sdmx_service.formats.fragments import (
    Cells,
    Coded,
    Make,
    Piece,
    Renderer,
    Strings,
    array_of,
    digit_pieces,
    joined_bytes,
    joined_values,
    numbers,
    pc,
    small_integers,
    texts_of,
    wrapped,
)
from sdmx_service.formats.sdmx_json.data_structure import ValueLists, describe, message_head
from sdmx_service.formats.series import SeriesWriter
from sdmx_service.model.columns import Column, render_numbers
from sdmx_service.model.message import Action, Dataset, Message, WriteOptions

_ACTIONS = {
    "2.0": {Action.MERGE: "Append", Action.REPLACE: "Replace", Action.DELETE: "Delete"},
    "2.1": {Action.MERGE: "Merge", Action.REPLACE: "Replace", Action.DELETE: "Delete"},
}
_NUMBERS = frozenset({"Numeric", "Long", "Short", "Float", "Double", "Integer", "Count"})
"""Data types that are JSON numbers (SDMX-JSON field guide, *type conversion*)."""
_JSON_NUMBER = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
_CONTROLS = "".join(map(chr, range(32)))


def write_data(message: Message, options: WriteOptions, *, version: str = "2.1") -> Iterator[bytes]:
    """The data sets of a message as SDMX-JSON.

    Args:
        options: ``languages``; ``all_languages`` adds ``names`` beside each ``name``.
        version: ``2.0`` or ``2.1``.

    Raises:
        CannotWrite: a data set does not say which values of a dimension occur.
    """
    datasets = list(message.datasets)
    arrangements = [arrange(dataset, groups="partial") for dataset in datasets]
    lists = [ValueLists.of(dataset, arrangement) for dataset, arrangement in zip(datasets, arrangements, strict=True)]
    structures = [
        describe(dataset, arrangement, values, options, version, number)
        for number, (dataset, arrangement, values) in enumerate(zip(datasets, arrangements, lists, strict=True))
    ]
    head = message_head(message.header, options, version) + b',"data":{"structures":' + orjson.dumps(structures)
    writers = [
        _DatasetWriter(dataset, arrangement, values, structure, version)
        for dataset, arrangement, values, structure in zip(datasets, arrangements, lists, structures, strict=True)
    ]
    return packed(_chunks(head, writers))


def _chunks(head: bytes, writers: Sequence[_DatasetWriter]) -> Iterator[bytes]:
    yield head + b',"dataSets":['
    for number, writer in enumerate(writers):
        yield b"," if number else b""
        yield from writer.chunks(number)
    yield b"]}}"


class _DatasetWriter:
    """Writes one data set."""

    def __init__(
        self, dataset: Dataset, arrangement: Arrangement, lists: ValueLists, structure: Mapping[str, Any], version: str
    ) -> None:
        self._dataset, self._arrangement, self._lists = dataset, arrangement, lists
        self._links, self._version = structure["links"], version
        self._cells = Cells()
        self._known: dict[str, Strings] = {}
        self._series = SeriesWriter(
            dataset,
            arrangement,
            begin=self._begin,
            observe=self._observe,
            end="}" if dataset.keys_only else "}}",
            between_series=",",
            between_observations=",",
        )

    def chunks(self, number: int) -> Iterator[bytes]:
        """The whole data set."""
        dataset, arrangement = self._dataset, self._arrangement
        head: dict[str, Any] = {"structure": number, "links": self._links}
        head["action"] = _ACTIONS[self._version][dataset.action]
        head |= {
            name: text for name, text in (("validFrom", dataset.valid_from), ("validTo", dataset.valid_to)) if text
        }
        yield orjson.dumps(head)[:-1]
        if arrangement.dataset_attributes:
            yield b',"attributes":' + self._dataset_attributes()
        if arrangement.group_attributes:
            yield b',"dimensionGroupAttributes":{'
            yield from self._group_attributes()
            yield b"}"
        yield b',"observations":{' if arrangement.is_flat else b',"series":{'
        yield from self._series.chunks()
        yield b"}}"

    def _dataset_attributes(self) -> bytes:
        attributes = self._arrangement.dataset_attributes
        batch = attached(self._dataset, attributes)
        if batch is None:
            return orjson.dumps([None] * len(attributes))
        return joined_bytes(Renderer().rows(self._array(batch, attributes, signed=False), 1))

    def _group_attributes(self) -> Iterator[bytes]:
        """A key of positions with gaps, and the values of all group attributes, per partial key."""
        every = self._arrangement.group_attributes
        levels = dict.fromkeys(column.level or () for column in every)
        separator = b""
        for level in levels:
            batch = attached(self._dataset, [column for column in every if column.level == level])
            if batch is None:
                continue
            for chunk in rendered([batch], partial(self._group, level, Renderer())):
                yield separator + chunk[1:]
                separator = b","

    def _group(self, level: Sequence[str], renderer: Renderer, batch: pa.RecordBatch) -> bytes:
        """Positions stand in the order in which the message lists the dimensions: series, then observation."""
        arrangement = self._arrangement
        pieces: list[Piece] = [',"']
        for number, column in enumerate((*arrangement.series_dimensions, *arrangement.observation_dimensions)):
            pieces.append(":" if number else "")
            if column.id in level:
                pieces.append(self._position(batch, column.id))
        every = arrangement.group_attributes
        pieces.append('":')
        shown = [column if column.level == level else None for column in every]
        return joined_bytes(renderer.rows([*pieces, *self._array(batch, shown, signed=False)], batch.num_rows))

    def _begin(self, heads: pa.RecordBatch) -> list[Piece]:
        pieces: list[Piece] = ['"', *self._key(heads, self._arrangement.series_dimensions), '":{']
        attributes = self._arrangement.series_attributes
        if attributes:
            pieces += ['"attributes":', *self._array(heads, attributes, signed=False)]
        if self._dataset.keys_only:
            return pieces
        return [*pieces, "," if attributes else "", '"observations":{']

    def _observe(self, batch: pa.RecordBatch) -> list[Piece]:
        arrangement = self._arrangement
        pieces: list[Piece] = ['"', *self._key(batch, arrangement.observation_dimensions), '":']
        if self._dataset.keys_only:
            return [*pieces, "[]"]
        return [*pieces, *self._array(batch, (*arrangement.measures, *arrangement.observation_attributes))]

    def _key(self, batch: pa.RecordBatch, columns: Sequence[Column]) -> list[Piece]:
        pieces: list[Piece] = []
        for column in columns:
            pieces += [":", self._position(batch, column.id)]
        return pieces[1:]

    def _position(self, batch: pa.RecordBatch, name: str) -> Coded:
        """Positions in the list of values; ``null`` where null."""
        listed = self._listed(batch, name)
        if listed is not None:
            return listed
        piece = self._cells.coded(batch, name, self._lists.positions(name), absent="null", slot="position")
        unlisted = pc.is_in(piece.table, value_set=pa.array([""])).to_numpy(zero_copy_only=False)
        if unlisted.any() and unlisted[piece.indices].any():
            raise CannotWrite(f"Values of {name} occur that the data set does not list.")
        return piece

    def _listed(self, batch: pa.RecordBatch, name: str) -> Coded | None:
        """Positions where the batch's dictionary is the very list of values; else None."""
        array = array_of(batch, name)
        if array is None or not pa.types.is_dictionary(array.type):
            return None
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = pa.array(self._lists.values[name], pa.string())
        if not known.equals(array.dictionary):
            return None
        indices = array.indices.fill_null(len(known)) if array.null_count else array.indices
        return Coded(indices.to_numpy(zero_copy_only=False), _positions(len(known)))

    def _array(self, batch: pa.RecordBatch, columns: Sequence[Column | None], *, signed: bool = True) -> list[Piece]:
        """The values of a row as a JSON array; ``null`` for a column that is not meant."""
        pieces: list[Piece] = ["["]
        for number, column in enumerate(columns):
            pieces.append("," if number else "")
            pieces += ["null"] if column is None else self._value(batch, column, signed)
        return [*pieces, "]"]

    def _value(self, batch: pa.RecordBatch, column: Column, signed: bool) -> list[Piece]:
        if self._lists.has(column):
            return [self._position(batch, column.id)]
        kind = column.component.form.data_type
        if column.kind in ("code", "text"):
            make = json_booleans if kind == "Boolean" and column.kind == "text" else json_strings
            return [self._cells.coded(batch, column.id, make, absent="null", slot="value")]
        if column.kind == "number":
            if kind in _NUMBERS:
                small = small_integers(batch, column, "", "", "null")
                if small is not None:
                    return [small]
                if signed and (picked := digit_pieces(batch, column, "", "", "null")):
                    return picked
                texts = _numbers(batch, column)
                return wrapped(texts if signed else _unsigned(texts), "", "", "null")
            return numbers(batch, column, '"', '"', "null")
        if column.kind == "multi":
            return wrapped(joined_values(batch, column, _element(kind, column), _tagged, ","), "[", "]", "null")
        return wrapped(joined_values(batch, column, json_strings, _tagged, ","), "{", "}", "null")


@lru_cache(maxsize=64)
def _positions(count: int) -> Strings:
    """The positions in a list, and null behind the last."""
    return pa.array([*map(str, range(count)), "null"], pa.string())


def _numbers(batch: pa.RecordBatch, column: Column) -> Strings | None:
    """Numbers as JSON; those whose own text is no JSON number as strings."""
    values, texts = array_of(batch, column.id), array_of(batch, column.text)
    if values is None or not pa.types.is_floating(values.type) or texts is None or texts.null_count == len(texts):
        return texts_of(batch, column)
    decimals = array_of(batch, column.decimals)
    fixed = render_numbers(values, pa.nulls(len(values), pa.int8()) if decimals is None else decimals)
    return pc.coalesce(json_numbers(texts), fixed)


def _unsigned(numbers: Strings | None) -> Strings | None:
    """Numbers with the negative ones as strings."""
    if numbers is None:
        return None
    negative = pc.starts_with(numbers, "-")
    return pc.if_else(negative, pc.binary_join_element_wise('"', numbers, '"', ""), numbers)


def json_numbers(values: Strings) -> Strings:
    """Texts of numbers as JSON numbers where they are such, else as strings; null stays null."""
    plain = pc.match_substring_regex(values, _JSON_NUMBER)
    return pc.if_else(plain, values, pc.binary_join_element_wise('"', values, '"', ""))


def json_booleans(values: Strings) -> Strings:
    """xs:boolean as JSON; another text as a string."""
    true = pc.is_in(values, value_set=pa.array(["true", "1"]))
    false = pc.is_in(values, value_set=pa.array(["false", "0"]))
    return pc.if_else(true, "true", pc.if_else(false, "false", json_strings(values)))


def json_strings(values: Strings) -> Strings:
    """Texts as JSON strings."""
    if pc.any(pc.match_substring_regex(values, r'["\\\x00-\x1f]')).as_py():
        values = pc.replace_substring(values, "\\", "\\\\")
        values = pc.replace_substring(values, '"', '\\"')
        for sign in _CONTROLS:
            values = pc.replace_substring(values, sign, orjson.dumps(sign).decode()[1:-1])
    return pc.binary_join_element_wise('"', values, '"', "")


def _element(kind: str, column: Column) -> Make:
    """How a value of a multi-valued component is written."""
    if column.component.form.is_coded:
        return json_strings
    if kind in _NUMBERS:
        return json_numbers
    return json_booleans if kind == "Boolean" else json_strings


def _tagged(tag: str) -> Make:
    """Texts of a language as members of an object."""
    name = orjson.dumps(tag).decode()
    return lambda values: pc.binary_join_element_wise(name, json_strings(values), ":")
