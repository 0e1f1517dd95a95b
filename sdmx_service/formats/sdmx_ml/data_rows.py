"""Rows of an SDMX-ML data set, as the parser meets them, to Arrow batches of the schema as read.

What a row says is kept as ``id, value, id, value ...``; what a series says is kept once for all rows below it (a
*context*). Rows are cut into columns by slices: no Python runs for each value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.errors import UnreadableFile
from sdmx_service.model.columns import Column, columns, read_schema
from sdmx_service.model.structure import DataStructure
from sdmx_service.model.urn import Ref

Value: TypeAlias = str | list[str] | dict[str, str]
"""Of a plain, a multi-valued, a multilingual component."""
_Array: TypeAlias = "pa.Array[Any]"
_Spread: TypeAlias = "Callable[[Callable[[Value], Any], pa.DataType], _Array]"
_Extras: TypeAlias = Sequence[tuple[int, Value]]
_TYPE = "http://www.w3.org/2001/XMLSchema-instance}type"


class Rows:
    """Rows waiting for a batch.

    Args:
        structure, ref: what describes the rows, and how the message names it.
        is_explicit: the type of an observation is its value of the measure dimension (2.1).
        names: what the message calls components whose id is another one (2.0).
    """

    def __init__(
        self, structure: DataStructure, ref: Ref, *, is_explicit: bool = False, names: Mapping[str, str] | None = None
    ) -> None:
        self.flat: list[Any] = []
        """All rows one behind the other: id, value, id, value ... and then the line, which ends the row.

        A list for each row would keep the garbage collector busy."""
        self._ref = ref
        self._names: Mapping[str, str] = names or {}
        self._schema = read_schema(structure)
        self.columns: Mapping[str, Column] = {column.id: column for column in columns(structure)}
        self._contexts: list[tuple[int, dict[str, Value]]] = [(0, {})]
        """From which place in ``flat`` what is inherited."""
        self._extras: list[tuple[int, str, Value]] = []
        measure = next((one.id for one in structure.dimensions if one.is_measure_dimension), None)
        self._explicit = measure if is_explicit else None
        self._taken = 0

    @property
    def place(self) -> int:
        """Grows with each row."""
        return self._taken + len(self.flat)

    def begin(self, context: dict[str, Value]) -> None:
        """From the next row on, rows inherit ``context``; what a row says itself counts more."""
        if self._names:
            context = {self._names.get(id, id): value for id, value in context.items()}
        self._contexts.append((len(self.flat), context))

    def add(self, values: list[str], line: int) -> None:
        """One more row."""
        self.flat += values
        self.flat.append(line)

    def extend(self, id: str, value: Value) -> None:
        """One more value of the last row."""
        self._extras.append((len(self.flat) - 1, id, value))

    def column(self, id: str, line: int) -> Column:
        """The column of a component.

        Raises:
            UnreadableFile: the structure has none of that id.
        """
        found = self.columns.get(self._names.get(id, id))
        if found is None:
            raise UnreadableFile(
                f"Line {line}: {id!r} is no component of {self._ref}.",
                hint=f"Its components are {', '.join(list(self.columns)[:40])}.",
            )
        return found

    def batch(self) -> pa.RecordBatch:
        """All rows so far, which are then forgotten; the last context goes on."""
        cut = _uniform(self.flat) or _by_shape(self.flat)
        texts = self._texts(cut)
        contexts = self._spread(cut)
        extras: dict[str, list[tuple[int, Value]]] = defaultdict(list)
        for place, id, value in self._extras:
            extras[id].append((int(np.searchsorted(cut.ends, place)), value))
        count = len(cut.ends)
        arrays: list[_Array] = []
        for id, column in self.columns.items():
            make = self._plain if column.kind not in ("multi", "multilingual") else self._nested
            arrays.append(make(column, texts.get(id), contexts.get(id), extras.get(id, ()), count))
        nothing = pa.nulls(count, pa.string())
        origin: list[_Array] = [cut.lines, nothing, nothing]
        self._taken += len(self.flat)
        self.flat.clear()
        self._extras.clear()
        self._contexts = [(0, self._contexts[-1][1])]
        return pa.RecordBatch.from_arrays([*arrays, *origin], schema=self._schema)

    def batch_of(self, texts: Mapping[str, _Array], lines: _Array) -> pa.RecordBatch:
        """A batch of rows that are columns already, nothing in them empty; rows that wait must have been taken before.

        What is a dictionary stays one (``columns.read_schema``).
        """
        count = len(lines)
        said = {self._names.get(id, id): text for id, text in texts.items()} if self._names else texts
        arrays: list[_Array] = []
        for id, column in self.columns.items():
            own = said.get(id)
            if column.kind not in ("multi", "multilingual"):
                arrays.append(self._plain(column, own, None, (), count))
            else:
                arrays.append(self._nested(column, own, None, (), count))
        nothing = pa.nulls(count, pa.string())
        self._taken += count
        named = dict(zip(self._schema.names, [*arrays, lines, nothing, nothing], strict=True))
        return pa.RecordBatch.from_pydict(named)

    def _texts(self, cut: _Cut) -> dict[str, _Array]:
        """What the rows say themselves, by component."""
        found: dict[str, _Array] = {}
        for name, values in cut.values.items():
            if "}" not in name:
                self.column(name, cut.first_line(name))
                found[self._names.get(name, name)] = without_empty(values)
            elif name == _TYPE and self._explicit is not None:
                found[self._explicit] = pc.replace_substring_regex(values, "^.*:", "")
        return found

    def _spread(self, cut: _Cut) -> dict[str, _Spread]:
        """For each id that a context says: what spreads its values over the rows."""
        starts = np.searchsorted(cut.ends, [start for start, _ in self._contexts])
        sizes = np.diff([*starts, len(cut.ends)])
        places = pa.array(np.repeat(np.arange(len(starts)), sizes))
        ids = dict.fromkeys(chain.from_iterable(context for _, context in self._contexts))
        return {id: _spreader([context.get(id) for _, context in self._contexts], places) for id in ids}

    # Columns ------------------------------------------------------------------------------------------------------

    def _plain(
        self, column: Column, texts: _Array | None, context: _Spread | None, extras: _Extras, count: int
    ) -> _Array:
        found = texts
        if context is not None:
            inherited = without_empty(context(_as_is, pa.string()))
            found = inherited if found is None else pc.coalesce(found, inherited)
        if extras:
            values = found.to_pylist() if found is not None else [None] * count
            for place, value in extras:
                values[place] = value
            found = pa.array(values, pa.string())
        return pa.nulls(count, pa.string()) if found is None else found

    def _nested(
        self, column: Column, texts: _Array | None, context: _Spread | None, extras: _Extras, count: int
    ) -> _Array:
        kind = self._schema.field(column.id).type
        if texts is None and context is None and not extras:
            return pa.nulls(count, kind)
        wrap = _in_list if column.kind == "multi" else _in_map
        values = context(wrap, kind).to_pylist() if context is not None else [None] * count
        if texts is not None:
            values = [old if own is None else wrap(own) for own, old in zip(texts.to_pylist(), values, strict=True)]
        for place, value in extras:
            values[place] = wrap(value)
        return pa.array(values, kind)


@dataclass(frozen=True, slots=True)
class _Cut:
    """Rows cut into columns: where each ends in the flat list, its line, and the values by id."""

    ends: np.ndarray[tuple[int], np.dtype[np.int64]]
    lines: _Array
    values: dict[str, _Array]

    def first_line(self, name: str) -> int:
        """Line of the first row that says ``name``."""
        place = int(np.flatnonzero(np.asarray(self.values[name].is_valid()))[0])
        return int(self.lines[place].as_py())


def _uniform(flat: list[Any]) -> _Cut | None:
    """The rows if all of them say the same ids in the same order; None if they do not."""
    first = next((place for place, one in enumerate(flat) if type(one) is int), -1)
    width = first + 1
    if width == 0 or len(flat) % width:
        return None
    count = len(flat) // width
    try:
        lines = pa.array(flat[first::width], pa.int64())
        found: dict[str, _Array] = {}
        for place in range(0, first, 2):
            name = flat[place]
            if flat[place::width].count(name) != count or name in found:
                return None
            found[name] = pa.array(flat[place + 1 :: width], pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # A line where another row has a value: rows differ in length.
        return None
    return _Cut(np.arange(first, len(flat), width, dtype=np.int64), lines, found)


def _by_shape(flat: list[Any]) -> _Cut:
    """The rows, those of the same ids cut together."""
    ends = np.array([place for place, one in enumerate(flat) if type(one) is int], dtype=np.int64)
    shapes: dict[tuple[str, ...], list[Any]] = defaultdict(list)
    members: dict[tuple[str, ...], list[int]] = defaultdict(list)
    start = 0
    for number, end in enumerate(ends.tolist()):
        row = flat[start : end + 1]
        shape = tuple(row[:-1:2])
        if len(set(shape)) < len(shape):  # Something is said twice: the last word counts.
            row = [*chain.from_iterable(dict(zip(shape, row[1::2], strict=True)).items()), row[-1]]
            shape = tuple(row[:-1:2])
        shapes[shape] += row
        members[shape].append(number)
        start = end + 1
    cuts = [(members[shape], _uniform(rows)) for shape, rows in shapes.items()]
    order = pa.array(np.argsort(np.array([*chain.from_iterable(members.values())], dtype=np.int64)))
    names = dict.fromkeys(chain.from_iterable(shapes))
    found: dict[str, _Array] = {}
    for name in names:
        parts = [cut.values.get(name, pa.nulls(len(rows), pa.string())) for rows, cut in cuts if cut is not None]
        found[name] = pa.concat_arrays(parts).take(order)
    lines = pa.array([flat[end] for end in ends.tolist()], pa.int64())
    return _Cut(ends, lines, found)


def _spreader(values: Sequence[Value | None], places: _Array) -> _Spread:
    def spread(wrap: Callable[[Value], Any], kind: pa.DataType) -> _Array:
        return pa.array([None if value is None else wrap(value) for value in values], kind).take(places)

    return spread


def _as_is(value: Value) -> Value:
    return value


def _in_list(value: Value) -> list[str] | None:
    return ([value] if value else None) if isinstance(value, str) else list(value)


def _in_map(value: Value) -> list[tuple[str, str]] | None:
    if isinstance(value, str):
        return [("en", value)] if value else None  # ``xml:lang`` is en where nothing else is said.
    return list(value.items()) if isinstance(value, dict) else [("en", text) for text in value[-1:]]


def without_empty(texts: _Array) -> _Array:
    """*Choice:* an empty attribute is an omitted value."""
    is_empty = pc.equal(texts, "")
    return pc.if_else(is_empty, pa.scalar(None, pa.string()), texts) if pc.any(is_empty).as_py() else texts
