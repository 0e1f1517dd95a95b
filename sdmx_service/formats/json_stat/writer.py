"""Data messages to JSON-stat 2.0 (https://json-stat.org/full): a cube per data set, with labels (*extension*).

``value`` and ``status`` are sparse objects, written as the rows come; what is not there has no value. The last
dimension runs fastest. ``status`` holds the attribute whose concept is ``OBS_STATUS``; every other attribute stands
under ``extension.attributes`` with its labels and its values by cell, those of the data set with a single value.
Several measures are a dimension of their own, the last one. Several data sets are a collection that carries them.

*Choices:* a number that is none in JSON (``NaN``) is a string, as SDMX-JSON has it; of several languages the best is
written; the attributes wait in temporary files, so memory does not grow with the answer.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from math import prod
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from sdmx_service.errors import CannotWrite, TooLarge
from sdmx_service.formats.arrangement import attached
from sdmx_service.formats.chunks import packed, rendered
from sdmx_service.formats.fragments import (
    Cells,
    Piece,
    Renderer,
    Strings,
    Texts,
    array_of,
    best_texts,
    by_distinct,
    joined_bytes,
    joined_values,
    pc,
    texts_of,
    validity,
    wrapped,
)
from sdmx_service.formats.table import code_name, shown_columns, shown_rows
from sdmx_service.model.artefact import NO_TEXTS, Item
from sdmx_service.model.columns import Column
from sdmx_service.model.message import Action, Dataset, Message, WriteOptions

MEDIA_TYPE: Final = 'application/json;profile="https://json-stat.org/full"'
STATUS: Final = "OBS_STATUS"
_GEOGRAPHY: Final = frozenset({"REF_AREA", "COUNTERPART_AREA", "GEO"})
"""Concepts and roles of dimensions that are places (SDMX cross-domain concepts)."""
_LAST_CELL: Final = 2**53
"""Cells are numbered; a reader in JavaScript tells numbers apart up to here."""
_IN_MEMORY: Final = 1 << 19
_PIECE: Final = 1 << 16
_NUMBER: Final = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$"


def write_json_stat(message: Message, options: WriteOptions) -> Iterator[bytes]:
    """The data sets of a message as JSON-stat.

    Raises:
        CannotWrite: something is to be deleted, only keys are asked for, or a data set does not say which values of a
            dimension occur.
        TooLarge: a cube with more cells than can be numbered.
    """
    datasets = list(message.datasets)
    return packed(_chunks([_Cube(one, message, options) for one in datasets]))


def _chunks(cubes: Sequence[_Cube]) -> Iterator[bytes]:
    if len(cubes) == 1:
        yield from cubes[0].chunks()
        return
    yield b'{"version":"2.0","class":"collection","link":{"item":['
    for number, cube in enumerate(cubes):
        yield b"," if number else b""
        yield from cube.chunks()
    yield b"]}}"


class _Cube:
    """One data set as a cube."""

    def __init__(self, dataset: Dataset, message: Message, options: WriteOptions) -> None:
        if dataset.action is Action.DELETE or dataset.keys_only or dataset.only_attributes:
            what = "figures that went away" if dataset.action is Action.DELETE else "keys without figures"
            raise CannotWrite(f"JSON-stat cannot tell {what}.", hint="Ask for SDMX-CSV or SDMX-JSON.")
        self._dataset, self._message, self._options = dataset, message, options
        shown = shown_columns(dataset)
        self._dimensions = [one for one in shown if one.role in ("dimension", "time")]
        for one in self._dimensions:
            if one.id not in dataset.domains:
                raise CannotWrite(f"JSON-stat lists the values of {one.id} before the data, and they are not known.")
        self._measures = [one for one in shown if one.role == "measure"]
        attributes = [one for one in shown if one.role == "attribute"]
        self._of_dataset = [one for one in attributes if one.level == ()]
        rest = [one for one in attributes if one not in self._of_dataset]
        self._status = next((one for one in rest if STATUS in (one.id, one.component.concept.item)), None)
        self._attributes = [one for one in rest if one is not self._status]
        self._sizes = [len(dataset.domains[one.id]) for one in self._dimensions]
        self._sizes += [len(self._measures)] if len(self._measures) > 1 else []
        if prod(self._sizes) > _LAST_CELL:
            raise TooLarge(
                f"The cube has {prod(self._sizes):,} cells, too many to number.",
                hint="Narrow the query, or ask for CSV.",
            )
        self._cells, self._places = Cells(), _Places(dataset, self._dimensions)

    def chunks(self) -> Iterator[bytes]:
        """The whole cube."""
        yield orjson.dumps(self._head())[:-1] + b',"value":{'
        with ExitStack() as files:
            waiting = {
                one.id: _Sparse(files.enter_context(tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)))
                for one in ([self._status] if self._status is not None else []) + self._attributes
            }
            values = _Comma()
            for batch in shown_rows(self._dataset):
                batch = batch.filter(pa.array(self._places.are_whole(batch)))
                if batch.num_rows == 0:
                    continue
                for part in rendered([batch], lambda each: self._batch(each, waiting)):
                    yield values.after(part)
            yield b"}"
            if self._status is not None:
                yield b',"status":{'
                yield from waiting[self._status.id].pieces()
                yield b"}"
            yield b',"extension":'
            yield from self._extension(waiting)
            yield b"}"

    # before the values ----------------------------------------------------------------------------------------------

    def _head(self) -> dict[str, Any]:
        dataset, header = self._dataset, self._message.header
        names = dataset.labels.structure or dataset.structure.names
        updated = {} if header.prepared is None else {"updated": header.prepared.isoformat().replace("+00:00", "Z")}
        dimensions = {one.id: self._dimension(one) for one in self._dimensions}
        metric = self._metric()
        if metric is not None:
            dimensions[metric] = _category({one.id: self._label(one) for one in self._measures}, "")
        roles = {
            "time": [one.id for one in self._dimensions if one.role == "time"],
            "geo": [one.id for one in self._dimensions if _is_place(one)],
            "metric": [] if metric is None else [metric],
        }
        return {
            "version": "2.0",
            "class": "dataset",
            "label": names.text(self._options.languages, dataset.ref.id),
            "source": header.sender.names.text(self._options.languages, header.sender.id),
            **updated,
            "id": list(dimensions),
            "size": self._sizes,
            "role": {name: ids for name, ids in roles.items() if ids},
            "dimension": dimensions,
        }

    def _metric(self) -> str | None:
        """The id of the dimension that several measures make."""
        if len(self._measures) < 2:
            return None
        return "_MEASURE" if any(one.id == "MEASURE" for one in self._dimensions) else "MEASURE"

    def _label(self, column: Column) -> str:
        texts = self._dataset.labels.components.get(column.id, NO_TEXTS) or column.component.names
        return texts.text(self._options.languages, column.id)

    def _dimension(self, column: Column) -> dict[str, Any]:
        codes = self._dataset.domains[column.id]
        items: Mapping[str, Item] = self._dataset.labels.codes.get(column.id, {})
        found = _category({code: self._code(items, code) for code in codes}, self._label(column))
        children: dict[str, list[str]] = {}
        for code in codes:
            item = items.get(code)
            if item is not None and item.parent is not None and item.parent in found["category"]["label"]:
                children.setdefault(item.parent, []).append(code)
        if children:
            found["category"]["child"] = children
        return found

    def _code(self, items: Mapping[str, Item], code: str) -> str:
        return code_name(items, code, self._options.languages) or code

    # values and attributes ------------------------------------------------------------------------------------------

    def _batch(self, batch: pa.RecordBatch, waiting: Mapping[str, _Sparse]) -> bytes:
        """The values of a batch, each behind a comma; its attributes are put aside."""
        numbers = self._places.of(batch)
        width = max(1, len(self._measures))
        parts = [self._entries(batch, one, numbers * width + place) for place, one in enumerate(self._measures)]
        for column in ([self._status] if self._status is not None else []) + self._attributes:
            for place in range(width if column is self._status else 1):
                waiting[column.id].add(self._entries(batch, column, numbers * width + place))
        return b"".join(parts)

    def _entries(self, batch: pa.RecordBatch, column: Column, numbers: npt.NDArray[np.int64]) -> bytes:
        """``,"cell":value`` of each row that has a value."""
        valid = validity(batch, column.id)
        if not valid.any():
            return b""
        if not valid.all():
            batch, numbers = batch.filter(pa.array(valid)), numbers[valid]
        pieces: list[Piece] = [',"', Texts(pa.array(numbers).cast(pa.string())), '":', *self._value(batch, column)]
        return joined_bytes(Renderer().rows(pieces, batch.num_rows))

    def _value(self, batch: pa.RecordBatch, column: Column) -> list[Piece]:
        if column.kind in ("code", "text"):
            return [self._cells.coded(batch, column.id, _json_texts, absent="null", slot="value")]
        if column.kind == "number":
            return wrapped(_json_numbers(batch, column), "", "", "null")
        if column.kind == "multi":
            return wrapped(joined_values(batch, column, _json_texts, lambda _: _json_texts, ","), "[", "]", "null")
        texts = best_texts(batch, column, self._options.languages)
        return wrapped(None if texts is None else by_distinct(texts, _json_texts), "", "", "null")

    # behind the values ----------------------------------------------------------------------------------------------

    def _extension(self, waiting: Mapping[str, _Sparse]) -> Iterator[bytes]:
        """What SDMX knows besides, attributes last."""
        dataset = self._dataset
        said: dict[str, Any] = {
            "id": dataset.ref.id,
            "agencyId": dataset.ref.agency,
            "version": dataset.ref.version,
            "urn": dataset.ref.urn,
            "dataStructure": dataset.structure.ref.urn,
            "provider": None if dataset.provider is None else dataset.provider.urn,
            "release": self._options.release,
            "validFrom": dataset.valid_from,
            "validTo": dataset.valid_to,
        }
        if len(self._measures) == 1:
            said["measure"] = {"id": self._measures[0].id, "label": self._label(self._measures[0])}
        said = {name: value for name, value in said.items() if value is not None}
        if self._status is not None:
            said["status"] = {"id": self._status.id, **self._coded(self._status)}
        yield orjson.dumps(said)[:-1] + b',"attributes":{'
        comma = b""
        for column in self._of_dataset:
            described = {"label": self._label(column), **self._coded(column)}
            yield comma + orjson.dumps(column.id) + b":" + orjson.dumps(described)[:-1] + b',"value":'
            yield self._single(column) + b"}"
            comma = b","
        for column in self._attributes:
            if waiting[column.id].is_empty:
                continue
            described = {"label": self._label(column), **self._coded(column)}
            yield comma + orjson.dumps(column.id) + b":" + orjson.dumps(described)[:-1] + b',"value":{'
            yield from waiting[column.id].pieces()
            yield b"}}"
            comma = b","
        yield b"}}"

    def _coded(self, column: Column) -> dict[str, Any]:
        """The names of the codes of an attribute, and the dimensions it depends on."""
        items = self._dataset.labels.codes.get(column.id, {})
        labels = {code: self._code(items, code) for code in self._dataset.domains.get(column.id, ())}
        found = {"category": {"label": labels}} if column.component.form.is_coded and labels else {}
        return {**found, **({"dimensions": list(column.level)} if column.level else {})}

    def _single(self, column: Column) -> bytes:
        """The value of an attribute of the data set."""
        batch = attached(self._dataset, [column])
        if batch is None or batch.num_rows == 0:
            return b"null"
        return joined_bytes(Renderer().rows(self._value(batch, column), 1))


class _Places:
    """Numbers the cells of rows by the places of their values."""

    def __init__(self, dataset: Dataset, dimensions: Sequence[Column]) -> None:
        self._lists = {one.id: pa.array(list(dataset.domains[one.id]), pa.string()) for one in dimensions}

    def are_whole(self, batch: pa.RecordBatch) -> npt.NDArray[np.bool_]:
        """Which rows are observations, not words about a series."""
        whole = np.ones(batch.num_rows, np.bool_)
        for name in self._lists:
            whole &= validity(batch, name)
        return whole

    def of(self, batch: pa.RecordBatch) -> npt.NDArray[np.int64]:
        """The number of each row's cell.

        Raises:
            CannotWrite: a value occurs that the data set does not list.
        """
        numbers = np.zeros(batch.num_rows, np.int64)
        for name, values in self._lists.items():
            column: Any = array_of(batch, name)
            encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
            places = encoded.indices
            if not encoded.dictionary.equals(values):
                places = pc.index_in(encoded.dictionary, value_set=values).take(places)
                if places.null_count:
                    raise CannotWrite(f"Values of {name} occur that the data set does not list.")
            numbers = numbers * len(values) + places.to_numpy(zero_copy_only=False)
        return numbers


class _Comma:
    """Leaves out the comma before the first entry of an object."""

    def __init__(self) -> None:
        self.is_first = True

    def after(self, entries: bytes) -> bytes:
        """The entries as they stand behind those before."""
        if not entries or not self.is_first:
            return entries
        self.is_first = False
        return entries[1:]


class _Sparse:
    """The entries of an object that is written later."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._comma = file, _Comma()

    @property
    def is_empty(self) -> bool:
        """Nothing was added."""
        return self._comma.is_first

    def add(self, entries: bytes) -> None:
        """Keep entries, each behind a comma."""
        self._file.write(self._comma.after(entries))

    def pieces(self) -> Iterator[bytes]:
        """All entries."""
        self._file.seek(0)
        while piece := self._file.read(_PIECE):
            yield piece


def _category(labels: Mapping[str, str], label: str) -> dict[str, Any]:
    return {**({"label": label} if label else {}), "category": {"index": list(labels), "label": dict(labels)}}


def _is_place(column: Column) -> bool:
    names = {column.id, column.component.concept.item, *(role.item for role in column.component.concept_roles)}
    return bool(names & _GEOGRAPHY)


def _json_texts(values: Strings) -> Strings:
    """Distinct texts as JSON strings."""
    return pa.array([orjson.dumps(text).decode() for text in values.to_pylist()], pa.string())


def _json_numbers(batch: pa.RecordBatch, column: Column) -> Strings | None:
    """Numbers as JSON; those that are none there as strings."""
    texts = texts_of(batch, column)
    own = array_of(batch, column.text)
    if texts is None or own is None or own.null_count == len(own):
        return texts
    plain = pc.match_substring_regex(texts, _NUMBER)
    return pc.if_else(plain, texts, pc.binary_join_element_wise('"', texts, '"', ""))
