"""SDMX-JSON data messages 1.0, 2.0 and 2.1 to ``Message``.

*Choices:* the document is parsed as a whole, up to ``MAX_SIZE`` bytes (SDMX-CSV and SDMX-ML stream); numbers keep the
digits that were sent. A series' attributes are repeated on its observations; a series without observations is a row
without the dimensions of the observation level; attributes of the data set and of groups are rows with the dimensions
that they depend on, or none. The text of a dimension without codes is the name of its value where 1.0 had to leave
signs out of the ``id``. There is no line to point at: ``_column`` is the JSON pointer of the value's object.
Annotations and, in version 2.x, reference metadata are read over.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import IO, Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.errors import NotBuilt, SyntaxFault, TooLarge, UnreadableFile, UnresolvedReference
from sdmx_service.formats.sdmx_json.data_opening import PLACE_1_0, Layout, Listed, Value, as_array, as_object, links_of
from sdmx_service.formats.sdmx_json.data_structure import json_id
from sdmx_service.formats.sdmx_json.header import read_header
from sdmx_service.formats.sniffing import Head
from sdmx_service.model.artefact import Texts
from sdmx_service.model.columns import COLUMN, ROW, SHEET, Column, columns, read_schema
from sdmx_service.model.message import Action, Dataset, Message, Resolve, Target
from sdmx_service.model.structure import DataStructure
from sdmx_service.model.urn import Ref

MAX_SIZE: Final = 512 * 1024**2
"""Bytes of a message; parsed it takes some ten times as many."""
_ROWS: Final = 50_000
_NO_PART: Final = ("", "~")
"""Stand in the key of a group for a dimension that does not belong to it (``~``: so by .Stat Suite)."""
_NO_MEASURE: Final = ""
"""In place of the measure that a structure lacks, and that 1.0 has a cell for in every observation."""
_DATA_TYPE: Final = "application/vnd.sdmx.data+json"
_Array: TypeAlias = "pa.Array[Any]"
_Cells: TypeAlias = "Sequence[Value | None] | _Array"


def sniff_sdmx_json_data(head: Head) -> int:
    """How sure it is that this is an SDMX-JSON data message, 0 to 100."""
    text = head.text.lstrip()
    if not text.startswith("{"):
        return 0
    if "sdmx-json-data-schema" in text:
        return 100
    if '"dataSets"' in text:
        return 90
    return 60 if head.declared == _DATA_TYPE else 0


def read_sdmx_json_data(file: IO[bytes], resolve: Resolve) -> Message:
    """The message in a file, parsed as a whole; columns are made while the data sets are iterated.

    Raises:
        TooLarge: more than ``MAX_SIZE`` bytes.
        UnreadableFile: here or while iterating: not JSON, truncated, no data message, a position outside its list, a
            component that the structure does not have; with line and column, or the place in the document.
        NotBuilt: drafts before version 1.0.
        UnresolvedReference: while iterating, a structure that is not there.
    """
    root = _parse(file)
    meta = as_object(root.get("meta"), "/meta")
    data = root.get("data")
    if data is None and "dataSets" in root:
        raise NotBuilt("SDMX-JSON drafts before version 1.0 are not read.", hint="Send version 2.1, 2.0 or 1.0.")
    errors = tuple(_errors(root))
    if data is None and not errors:
        raise UnreadableFile("The document has no data: this is no SDMX-JSON data message.")
    body = as_object(data, "/data")
    if body and "dataSets" not in body:
        raise UnreadableFile(
            f"/data has no dataSets, but {', '.join(list(body)[:8])}: this is no SDMX-JSON data message.",
            hint="Submit structures separately.",
        )
    header = read_header(meta, "/meta")
    return Message(header=header, errors=errors, datasets=_datasets(body, resolve))


def _parse(file: IO[bytes]) -> dict[str, Any]:
    size = file.seek(0, os.SEEK_END)
    if size > MAX_SIZE:
        raise TooLarge(
            f"The SDMX-JSON message has {size} bytes; {MAX_SIZE} are the limit.", hint="Send SDMX-CSV, which streams."
        )
    file.seek(0)
    try:
        body = file.read()
        text = body.decode(json.detect_encoding(body), "surrogatepass")
        root = json.loads(text, parse_float=str, parse_constant=str)
    except json.JSONDecodeError as fault:
        is_end = fault.pos >= len(fault.doc.rstrip())
        raise UnreadableFile(
            f"Line {fault.lineno}, column {fault.colno}: {fault.msg}."
            + (" The file is empty or truncated." if is_end else ""),
            hint="Send it again; it was probably cut off." if is_end else "",
        ) from None
    except UnicodeDecodeError as fault:
        raise UnreadableFile(f"Byte {fault.start + 1} of the file is not {fault.encoding}.") from None
    except (RecursionError, ValueError) as fault:
        raise UnreadableFile(f"The JSON cannot be read ({fault}).") from None
    _refuse_lone_surrogates(text)
    return as_object(root, "the document")


_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
_PAIRS: Final = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F])|.)|([\ud800-\udfff])"
)


def _refuse_lone_surrogates(text: str) -> None:
    """Half of a character beyond U+FFFF, which no other format could carry, is refused.

    Raises:
        UnreadableFile: there is one; its line is named.
    """
    if _SURROGATE.search(text) is None:
        return
    for found in _PAIRS.finditer(text):
        if found[1] or found[2]:
            raise UnreadableFile(
                f"Line {text.count(chr(10), 0, found.start()) + 1}: half of a surrogate pair is no character.",
                hint="Characters beyond U+FFFF are written as two \\u escapes, or as themselves.",
            )


def _errors(root: Mapping[str, Any]) -> Iterator[tuple[str, str, Texts]]:
    for place, one in enumerate(as_array(root.get("errors"), "/errors")):
        said = as_object(one, f"/errors/{place}")
        words = said.get("details") or said.get("titles")
        texts = words if isinstance(words, dict) else {"en": said.get("detail") or said.get("title") or ""}
        kept = {tag: text for tag, text in texts.items() if isinstance(text, str) and text}
        yield str(said.get("code", "")), "error", Texts(kept)


def _datasets(body: Mapping[str, Any], resolve: Resolve) -> Iterator[Dataset]:
    if "structures" in body:
        nodes = as_array(body["structures"], "/data/structures")
        layouts = [Layout.of(one, f"/data/structures/{n}") for n, one in enumerate(nodes)]
    else:
        layouts = [Layout.of(body.get("structure"), PLACE_1_0)]
    for number, one in enumerate(as_array(body.get("dataSets"), "/data/dataSets")):
        place = f"/data/dataSets/{number}"
        node = as_object(one, place)
        index = node.get("structure", 0)
        if not isinstance(index, int) or not 0 <= index < len(layouts):
            raise UnreadableFile(f"{place}/structure: {index!r}; the message has {len(layouts)} structures.")
        layout = layouts[index]
        ref, target = _target(links_of(node, place) + layout.links, layout, resolve)
        yield Dataset(
            structure=target.structure,
            ref=ref,
            batches=_Rows(target.structure, ref, layout, place).batches(node),
            action=_action(node.get("action"), place),
            dataflow=target.dataflow,
            provider=target.provider,
            dimension_at_observation=_at_observation(layout),
            id=_text(node, "id"),
            valid_from=_text(node, "validFrom"),
            valid_to=_text(node, "validTo"),
        )


def _text(node: Mapping[str, Any], name: str) -> str | None:
    value = node.get(name)
    return value if isinstance(value, str) else None


def _at_observation(layout: Layout) -> str:
    return layout.observation[0].id if layout.series and len(layout.observation) == 1 else "AllDimensions"


def _action(text: object, place: str) -> Action:
    try:
        return Action.from_text(None if text is None else str(text))
    except SyntaxFault as fault:
        raise UnreadableFile(f"{place}/action: {fault.detail}") from None


def _target(links: Sequence[Ref], layout: Layout, resolve: Resolve) -> tuple[Ref, Target]:
    """The first of the links that is known here, and what it means."""
    missing: UnresolvedReference | None = None
    for ref in links:
        try:
            return ref, resolve(ref)
        except UnresolvedReference as fault:
            missing = missing or fault
    if missing is not None:
        raise missing
    raise UnreadableFile(
        f"{layout.place}/links: no link has the URN of a dataflow, data structure or provision agreement.",
        hint='Add {"rel": "dataflow", "urn": "urn:sdmx:..."}.',
    )


class _Rows:
    """The rows of one data set."""

    def __init__(self, structure: DataStructure, ref: Ref, layout: Layout, place: str) -> None:
        self._place = place
        self._schema = read_schema(structure)
        self._columns = {column.id: column for column in columns(structure)}
        self._layout = self._with_texts(layout)
        for id, one in layout.ids.items():
            if id not in self._columns and id not in map(json_id, self._columns):
                raise UnreadableFile(
                    f"{one.place}: {id!r} is no component of {ref}.",
                    hint=f"Its components are {', '.join(list(self._columns)[:40])}.",
                )
        self._measures = layout.measure_lists or self._sole_measure(structure)
        self._fixed = [(one.id, one.values[0] if one.values else None) for one in self._layout.fixed]

    def _with_texts(self, layout: Layout) -> Layout:
        """The layout with whole texts of dimensions that have no codes."""
        if not layout.is_1_0:
            return layout
        dimensions = [one for one in self._columns.values() if one.role == "dimension"]
        return layout.with_uncoded({one.id for one in dimensions if not one.component.form.is_coded})

    def _sole_measure(self, structure: DataStructure) -> tuple[Listed, ...]:
        """The measure that a message without ``measures`` means (1.0, and 2.0 by default)."""
        if self._layout.measures is not None:
            return ()
        ids = [one.id for one in structure.measures]
        name = "OBS_VALUE" if "OBS_VALUE" in ids else next(iter(ids), "")
        if name in self._columns:
            return (Listed(name, f"{self._layout.place}/measures", None),)
        return (Listed(_NO_MEASURE, "", None),) if self._layout.is_1_0 else ()

    def batches(self, node: Mapping[str, Any]) -> Iterator[pa.RecordBatch]:
        """All rows of the data set: its attributes, those of groups, then series and observations."""
        cells = as_array(node.get("attributes"), f"{self._place}/attributes")
        if any(one is not None for one in cells):
            yield self._attributes([{}], [cells], self._layout.dataset_attributes, [f"{self._place}/attributes"])
        yield from self._groups(node)
        yield from self._series(node)
        observations = as_object(node.get("observations"), f"{self._place}/observations")
        dimensions = (*self._layout.series, *self._layout.observation)
        pairs = iter(observations.items())
        while part := list(islice(pairs, _ROWS)):
            keys, rows = [key for key, _ in part], [row for _, row in part]
            place = pa.array([f"{self._place}/observations/"] * len(part), pa.string())
            yield self._observations(keys, rows, dimensions, {}, place)

    # Attributes of data set and groups ----------------------------------------------------------------------------

    def _groups(self, node: Mapping[str, Any]) -> Iterator[pa.RecordBatch]:
        where = f"{self._place}/dimensionGroupAttributes"
        pairs = iter(as_object(node.get("dimensionGroupAttributes"), where).items())
        while part := list(islice(pairs, _ROWS)):
            dimensions = [self._group_key(key, where) for key, _ in part]
            cells = [as_array(row, f"{where}/{key}") for key, row in part]
            places = [f"{where}/{key}" for key, _ in part]
            yield self._attributes(dimensions, cells, self._layout.group_attributes, places)

    def _group_key(self, key: str, where: str) -> dict[str, Value | None]:
        parts = key.split(":")
        if len(parts) > len(self._layout.dimensions):
            raise UnreadableFile(
                f"{where}: the key {key!r} has {len(parts)} parts, and there are "
                f"{len(self._layout.dimensions)} dimensions."
            )
        found = {}
        for part, one in zip(parts, self._layout.dimensions, strict=False):
            if part not in _NO_PART:
                found[one.id] = one.at(_positions(pa.array([part], pa.string()), f"{where}/{key}"))[0].as_py()
        return found

    def _attributes(
        self,
        dimensions: Sequence[Mapping[str, Value | None]],
        rows: Sequence[Sequence[Any]],
        listed: Sequence[Listed],
        places: Sequence[str],
    ) -> pa.RecordBatch:
        found: dict[str, _Cells] = {}
        for id in dict.fromkeys(chain.from_iterable(dimensions)):
            found[id] = [one.get(id) for one in dimensions]
        for one, cells in zip(listed, _cut(rows, len(listed)), strict=True):
            found[one.id] = one.column(cells)
        return self._batch(found, pa.array(places, pa.string()))

    # Series and observations --------------------------------------------------------------------------------------

    def _series(self, node: Mapping[str, Any]) -> Iterator[pa.RecordBatch]:
        where = f"{self._place}/series"
        waiting: list[tuple[str, list[Any], dict[str, Any]]] = []
        count = 0
        for key, one in as_object(node.get("series"), where).items():
            said = as_object(one, f"{where}/{key}")
            observations = as_object(said.get("observations"), f"{where}/{key}/observations")
            waiting.append((key, as_array(said.get("attributes"), f"{where}/{key}/attributes"), observations))
            count += len(observations) or 1
            if count >= _ROWS:
                yield from self._some_series(waiting, where)
                waiting, count = [], 0
        if waiting:
            yield from self._some_series(waiting, where)

    def _some_series(
        self, series: Sequence[tuple[str, list[Any], dict[str, Any]]], where: str
    ) -> Iterator[pa.RecordBatch]:
        """Series with observations, then those without."""
        full = [one for one in series if one[2]]
        empty = [one for one in series if not one[2]]
        if full:
            counts = np.array([len(one[2]) for one in full])
            spread = pa.array(np.repeat(np.arange(len(full)), counts))
            heads = {id: _taken(cells, spread) for id, cells in self._heads(full, where).items()}
            keys = list(chain.from_iterable(one[2] for one in full))
            rows = list(chain.from_iterable(one[2].values() for one in full))
            places = pa.array([f"{where}/{key}/observations/" for key, _, _ in full], pa.string()).take(spread)
            yield self._observations(keys, rows, self._layout.observation, heads, places)
        if empty:
            yield self._batch(self._heads(empty, where), pa.array([f"{where}/{one[0]}" for one in empty], pa.string()))

    def _heads(self, series: Sequence[tuple[str, list[Any], dict[str, Any]]], where: str) -> dict[str, _Cells]:
        found: dict[str, _Cells] = {id: [value] * len(series) for id, value in self._fixed}
        found |= self._keys([key for key, _, _ in series], self._layout.series, where)
        listed = self._layout.series_attributes
        for one, cells in zip(listed, _cut([row for _, row, _ in series], len(listed)), strict=True):
            found[one.id] = one.column(cells)
        return found

    def _keys(self, keys: Sequence[str], dimensions: Sequence[Listed], where: str) -> dict[str, _Cells]:
        """Keys such as ``0:3:1`` as the values of the dimensions."""
        if not dimensions:
            return {}
        texts: _Array = pa.array(keys, pa.string())
        parts = pc.split_pattern(texts, ":")
        lengths = pc.list_value_length(parts)
        if not pc.all(pc.equal(lengths, len(dimensions))).as_py():
            wrong = keys[np.flatnonzero(np.asarray(lengths) != len(dimensions))[0]]
            raise UnreadableFile(
                f"{where}: the key {wrong!r} should have {len(dimensions)} parts separated by a colon."
            )
        flat = _positions(parts.flatten(), where)
        places = np.arange(len(keys)) * len(dimensions)
        return {one.id: one.at(flat.take(pa.array(places + n))) for n, one in enumerate(dimensions)}

    def _observations(
        self,
        keys: Sequence[str],
        rows: Sequence[Any],
        dimensions: Sequence[Listed],
        heads: Mapping[str, _Cells],
        places: _Array,
    ) -> pa.RecordBatch:
        where = f"{self._place}/observations"
        found = dict(heads) or {id: [value] * len(keys) for id, value in self._fixed}
        found |= self._keys(keys, dimensions, where)
        listed = (*self._measures, *self._layout.observation_attributes)
        cells = [as_array(row, where) for row in rows] if not all(type(row) is list for row in rows) else rows
        for one, column in zip(listed, _cut(cells, len(listed)), strict=True):
            found[one.id] = one.column(column)
        pointers = pc.binary_join_element_wise(places, pa.array(keys, pa.string()), "")
        if any(one is not None for one in found.pop(_NO_MEASURE, ())):
            raise UnreadableFile(f"{where}: observations have values, and the structure has no measure.")
        return self._batch(found, pointers)

    def _batch(self, found: Mapping[str, _Cells], pointers: _Array) -> pa.RecordBatch:
        count = len(pointers)
        arrays = [
            self._array(column, found.get(column.id, found.get(json_id(column.id))), count)
            for column in self._columns.values()
        ]
        origin = {ROW: pa.nulls(count, pa.int64()), COLUMN: pointers, SHEET: pa.nulls(count, pa.string())}
        return pa.RecordBatch.from_arrays([*arrays, *origin.values()], schema=self._schema)

    def _array(self, column: Column, cells: _Cells | None, count: int) -> _Array:
        kind = self._schema.field(column.id).type
        if cells is None:
            return pa.nulls(count, kind)
        if column.kind == "multi":
            return pa.array([None if one is None else _as_list(one) for one in _listed(cells)], kind)
        if column.kind == "multilingual":
            return pa.array([None if one is None else _as_texts(one) for one in _listed(cells)], kind)
        if isinstance(cells, pa.Array):
            return cells
        try:
            return pa.array(cells, kind)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            return pa.array([self._single(column, one) for one in cells], kind)

    def _single(self, column: Column, value: Value | None) -> str | None:
        if isinstance(value, list | dict):
            several = list(value.values()) if isinstance(value, dict) else value
            if len(several) == 1 and isinstance(several[0], str):
                return several[0]
            raise UnreadableFile(
                f"{self._place}: {column.id} has the value {str(value)[:80]}, and the structure allows one plain value."
            )
        return value


def _listed(cells: _Cells) -> Sequence[Value | None]:
    return cells.to_pylist() if isinstance(cells, pa.Array) else cells


def _as_list(value: Value) -> list[str]:
    """*Choice:* texts by language inside a list are written as SDMX-CSV does (``en:Yes;fr:Oui``)."""
    each = value if isinstance(value, list) else [value]
    return [
        one if isinstance(one, str) else ";".join(f"{tag}:{text}" for tag, text in one.items())
        for one in each
        if isinstance(one, str | dict)
    ]


def _as_texts(value: Value) -> list[tuple[str, str]]:
    each = value if isinstance(value, list) else [value]
    texts: dict[str, str] = {}
    for one in each:
        if isinstance(one, dict):
            texts |= one
        elif isinstance(one, str):
            texts["en"] = one
    return list(texts.items())


def _taken(cells: _Cells, places: _Array) -> _Cells:
    if isinstance(cells, pa.Array):
        return cells.take(places)
    return [cells[place] for place in places.to_pylist()]


def _positions(texts: _Array, where: str) -> _Array:
    try:
        return texts.cast(pa.int64())
    except pa.ArrowInvalid as fault:
        raise UnreadableFile(f"{where}: a key holds something that is no position ({fault}).") from None


def _cut(rows: Sequence[Sequence[Any]], width: int) -> list[Sequence[Any]]:
    """The first ``width`` columns of rows, whose ends may be left out; what stands behind (annotations) is left out."""
    if not width:
        return []
    lengths = set(map(len, rows))
    if len(lengths) == 1 and (length := next(iter(lengths))) >= width:
        flat = list(chain.from_iterable(rows))
        return [flat[place::length] for place in range(width)]
    nothing = [None] * width
    padded = [[*row, *nothing][:width] for row in rows]
    return [list(column) for column in zip(*padded, strict=True)]
