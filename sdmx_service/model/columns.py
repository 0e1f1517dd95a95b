"""A data structure as columns: the only place that knows both SDMX components and Arrow types.

Two shapes of the same data:

* **as read**: every component is text (``string``, or ``dictionary<int32, string>`` where a reader knows that values
  repeat), a multi-valued one ``list<string>``, a multilingual one ``map<string, string>``; null means omitted. Beside
  the components stand the origin columns ``_row`` (int64, the row or line of the sender's file), ``_column`` and
  ``_sheet`` (string, null where they say nothing).
* **as typed**: dimensions, time and coded components are ``dictionary<int32, string>``; numbers are three columns,
  the ``double`` under the component's id, its count of decimals (``int8``, ``ID.decimals``) and, only where double and
  decimals would not return the same digits, the text itself (``ID.text``); the rest as read. Stored marks such as
  ``NaN`` and ``#N/A`` stand in ``ID.text`` with a NaN double.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.model.structure import Attribute, Component, DataStructure, Dimension, Measure, TimeDimension

Role = Literal["dimension", "time", "measure", "attribute"]
Kind = Literal["code", "text", "number", "multi", "multilingual"]

ROW = "_row"
COLUMN = "_column"
SHEET = "_sheet"
ORIGIN_FIELDS: tuple[pa.Field, ...] = (
    pa.field(ROW, pa.int64()),
    pa.field(COLUMN, pa.string()),
    pa.field(SHEET, pa.string()),
)

NOT_A_NUMBER = "NaN"
NOT_AVAILABLE = "#N/A"
NOT_APPLICABLE = "~"
MARKS = (NOT_A_NUMBER, NOT_AVAILABLE, NOT_APPLICABLE)
"""Stored marks: intentionally missing (``NaN`` for floats, ``#N/A`` for others), dimension not applicable (3.1)."""

_CODE = pa.dictionary(pa.int32(), pa.string())
_LIST = pa.list_(pa.string())
_MAP = pa.map_(pa.string(), pa.string())
_MANY = 1_000
"""Rows from which on it pays to look for runs."""
_EXACT_DIGITS = 15
"""Significant decimal digits that a double returns unchanged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A component as a column.

    Attributes:
        level: for attributes the dimensions the value depends on (``()`` data set), None for the observation.
    """

    id: str
    role: Role
    kind: Kind
    component: Component
    level: tuple[str, ...] | None = None

    @property
    def decimals(self) -> str:
        """Name of the column with the count of decimals."""
        return f"{self.id}.decimals"

    @property
    def text(self) -> str:
        """Name of the column with the text of numbers that a double cannot return."""
        return f"{self.id}.text"

    @property
    def is_attached(self) -> bool:
        """An attribute of a series, group or data set."""
        return self.role == "attribute" and self.level is not None


def _role(component: Component) -> Role:
    if isinstance(component, TimeDimension):
        return "time"
    if isinstance(component, Dimension):
        return "dimension"
    return "measure" if isinstance(component, Measure) else "attribute"


def _kind(component: Component, role: Role) -> Kind:
    if role in ("dimension", "time"):
        return "code"
    if component.form.is_multi_valued:
        return "multi"
    if component.is_multilingual:
        return "multilingual"
    if component.form.is_coded:
        return "code"
    return "number" if component.is_numeric else "text"


class _Same:
    """A structure as a key: the very object, whose hash would cost more than what is remembered."""

    __slots__ = ("structure",)

    def __init__(self, structure: DataStructure) -> None:
        self.structure = structure

    def __hash__(self) -> int:
        return id(self.structure)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.structure is self.structure


def columns(structure: DataStructure) -> tuple[Column, ...]:
    """The columns of a structure in the standard's order: dimensions, time, measures, attributes.

    Representations must be resolved (``Component.form``): the catalog does it.
    """
    return _columns(_Same(structure))


@lru_cache(maxsize=256)
def _columns(same: _Same) -> tuple[Column, ...]:
    structure = same.structure
    return tuple(
        Column(
            id=component.id,
            role=(role := _role(component)),
            kind=_kind(component, role),
            component=component,
            level=structure.level(component) if isinstance(component, Attribute) else None,
        )
        for component in structure.components
    )


def read_type(kind: Kind) -> pa.DataType:
    """The Arrow type of a column as read."""
    return {"multi": _LIST, "multilingual": _MAP}.get(kind, pa.string())


def read_schema(structure: DataStructure, *, origin: bool = True) -> pa.Schema:
    """The schema as read: text columns, then the origin columns."""
    fields = [pa.field(column.id, read_type(column.kind)) for column in columns(structure)]
    return pa.schema([*fields, *(ORIGIN_FIELDS if origin else ())])


def plain_text(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch as read with every text as text, none as a dictionary."""
    schema = pa.schema(
        [field.with_type(pa.string()) if pa.types.is_dictionary(field.type) else field for field in batch.schema]
    )
    return batch if schema == batch.schema else batch.cast(schema)


def coded(texts: pa.Array) -> pa.DictionaryArray:
    """A column of texts as a dictionary; runs of one value, as sorted rows have, are looked up once."""
    if pa.types.is_dictionary(texts.type):
        return cast(pa.DictionaryArray, texts)
    texts = texts.cast(pa.string())
    count = len(texts)
    if texts.null_count or count < _MANY:
        return texts.dictionary_encode()
    changes = np.asarray(pc.not_equal(texts.slice(1), texts.slice(0, count - 1)))
    starts = np.flatnonzero(changes) + 1
    if len(starts) > count // 4:
        return texts.dictionary_encode()
    starts = np.concatenate([[0], starts])
    heads = texts.take(pa.array(starts)).dictionary_encode()
    indices = np.repeat(np.asarray(heads.indices), np.diff(starts, append=count))
    return pa.DictionaryArray.from_arrays(pa.array(indices), heads.dictionary)


def typed_fields(column: Column) -> tuple[pa.Field, ...]:
    """The fields of one column as typed: three for a number, one otherwise."""
    if column.kind == "number":
        return (
            pa.field(column.id, pa.float64()),
            pa.field(column.decimals, pa.int8()),
            pa.field(column.text, pa.string()),
        )
    types = {"code": _CODE, "text": pa.string(), "multi": _LIST, "multilingual": _MAP}
    return (pa.field(column.id, types[column.kind]),)


def typed_schema(structure: DataStructure) -> pa.Schema:
    """The schema as typed."""
    return pa.schema([field for column in columns(structure) for field in typed_fields(column)])


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column of numbers: doubles, counts of decimals, texts where needed; ``invalid`` marks what is no number."""

    values: pa.DoubleArray
    decimals: pa.Int8Array
    texts: pa.StringArray
    invalid: pa.BooleanArray


_NUMBER = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"
INFINITIES = ("INF", "-INF", "+INF")
"""How infinity is written (XML Schema, ``double``)."""


def parse_numbers(texts: pa.StringArray) -> Numbers:
    """Text to numbers, whole column at once; null stays null.

    Accepts the lexical forms of xs:decimal and xs:double and the marks; everything else is ``invalid`` (and null).
    What was sent is returned by ``render_numbers`` digit for digit.
    """
    texts = texts.cast(pa.string())
    found = _parse_ordinary(texts)
    if found is not None:
        return found
    marks = pc.is_in(texts, value_set=pa.array([*MARKS, *INFINITIES]))
    plain = pc.match_substring_regex(texts, _NUMBER)
    plain = pc.fill_null(plain, False)
    invalid = pc.and_not(pc.and_not(pc.is_valid(texts), plain), marks)
    values = pc.if_else(plain, texts, None).cast(pa.float64())
    if pc.any(marks).as_py():
        infinite = pc.if_else(pc.equal(texts, "-INF"), -np.inf, np.inf)
        special = pc.if_else(pc.is_in(texts, value_set=pa.array(INFINITIES)), infinite, np.nan)
        values = pc.if_else(marks, special, values)
    decimals = _count_decimals(texts, plain)
    rendered = _render(values, decimals)
    differs = pc.fill_null(pc.not_equal(rendered, texts), True)
    keep = pc.and_(pc.or_(differs, marks), pc.or_(plain, marks))
    return Numbers(values, decimals, pc.if_else(keep, texts, pa.scalar(None, pa.string())), invalid)


def _parse_ordinary(texts: pa.StringArray) -> Numbers | None:
    """Numbers that are all written as ``render_numbers`` writes them; None if one is not.

    That is seen from the bytes: digits, a point and a leading minus are all there is, what they spell is a number, no
    zero leads, no point ends, and the digits are few enough for a double.
    """
    count = len(texts)
    if texts.null_count == count:
        return None
    offsets = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + count + 1]
    data = np.frombuffer(texts.buffers()[2] or b"", np.uint8)
    if not _OF_NUMBERS[data[offsets[0] : offsets[-1]]].all():
        return None
    given = np.asarray(texts.is_valid()) if texts.null_count else slice(None)
    starts, ends = offsets[:-1][given], offsets[1:][given]
    lengths = ends - starts
    if lengths.min() < 1 or lengths.max() > _EXACT_DIGITS:
        return None
    first, last = data[starts], data[ends - 1]
    is_negative = first == ord("-")
    if is_negative.any():
        if lengths[is_negative].min() < 2:
            return None
        first = np.where(is_negative, data[np.minimum(starts + 1, ends - 1)], first)
    zero = first == ord("0")
    if zero.any():
        second = data[np.minimum(starts + 1, ends - 1)]
        if (zero & (is_negative | (lengths > 1) & (second != ord(".")))).any():
            return None
    if not (_DIGITS[first].all() and _DIGITS[last].all()):
        return None
    try:
        values = texts.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    dot = pc.find_substring(texts, ".")
    decimals = pc.if_else(pc.less(dot, 0), 0, pc.subtract(pc.subtract(pc.binary_length(texts), dot), 1))
    return Numbers(values, decimals.cast(pa.int8()), pa.nulls(count, pa.string()), pa.repeat(False, count))


_DIGITS = np.isin(np.arange(256), np.frombuffer(b"0123456789", np.uint8))
_OF_NUMBERS = _DIGITS | np.isin(np.arange(256), np.frombuffer(b".-", np.uint8))


def _count_decimals(texts: pa.StringArray, plain: pa.BooleanArray) -> pa.Int8Array:
    dot = pc.find_substring(texts, ".")
    count = pc.if_else(pc.less(dot, 0), 0, pc.subtract(pc.subtract(pc.binary_length(texts), dot), 1))
    count = pc.min_element_wise(count, pa.scalar(_EXACT_DIGITS, pa.int32()))
    return pc.if_else(plain, count, pa.scalar(None, pa.int32())).cast(pa.int8())


def render_numbers(
    values: pa.DoubleArray, decimals: pa.Int8Array, texts: pa.StringArray | None = None
) -> pa.StringArray:
    """The text of a column of numbers, the same digits as were sent; null stays null."""
    rendered = _render(values, decimals)
    if texts is None or texts.null_count == len(texts):
        return rendered
    return cast(pa.StringArray, pc.coalesce(texts, rendered))


def _render(values: pa.DoubleArray, decimals: pa.Int8Array) -> pa.StringArray:
    """Fixed-point text with that many decimals, where the scaled number has at most 15 digits; null elsewhere."""
    if len(values) == 0:
        return pa.array([], pa.string())
    places = (pc.fill_null(decimals, 0) if decimals.null_count else decimals).to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore", over="ignore"):
        powers = _POWERS.take(places)
        scaled = np.rint(values.to_numpy(zero_copy_only=False) * powers)
        fits = np.abs(scaled) < 10.0**_EXACT_DIGITS
    is_whole = bool(fits.all())
    scaled = scaled if is_whole else np.where(fits, scaled, 0.0)
    text = (
        _render_fixed(scaled, places, powers) if places.any() else pa.array(scaled.astype(np.int64)).cast(pa.string())
    )
    return text if is_whole else pc.if_else(pa.array(fits), text, None)


_POWERS = 10.0 ** np.arange(128)


def _render_fixed(
    scaled: npt.NDArray[np.float64], places: npt.NDArray[np.int8], powers: npt.NDArray[np.float64]
) -> pa.StringArray:
    """Scaled whole numbers as text with a point before their last ``places`` digits.

    The fraction is picked from a table, three digits at a time, so that nothing is done per number but one ``take``.
    Every division is exact: a quotient below 10**15 that is not whole is further from a whole one than a double's step.
    """
    is_negative = scaled < 0
    magnitude = np.abs(scaled)
    head = np.floor(magnitude / powers)
    rest = magnitude - head * powers
    heads = pa.array(head.astype(np.int64)).cast(pa.string())
    pool = pa.concat_arrays([_signs_and_fractions(), heads])
    parts: list[npt.NDArray[Any]] = [is_negative] if is_negative.any() else []
    parts.append(np.arange(len(pool) - len(heads), len(pool), dtype=np.int32))
    left, begin = places, 2
    while left.any():
        digits = np.minimum(left, 3)
        left = left - digits
        part = rest
        if left.any():
            part = np.floor(rest / _POWERS.take(left))
            rest = rest - part * _POWERS.take(left)
        parts.append(_FRACTIONS.take(digits) + part + begin)
        begin = 2 + int(_FRACTIONS[-1])
    index = np.empty((len(scaled), len(parts)), np.int32)
    for place, column in enumerate(parts):
        index[:, place] = column
    joined = pool.take(pa.array(index.reshape(-1)))
    offsets = np.frombuffer(joined.buffers()[1], np.int32)[: len(joined) + 1 : len(parts)]
    return pa.StringArray.from_buffers(len(scaled), pa.py_buffer(offsets.tobytes()), joined.buffers()[2])


_FRACTIONS = np.array([0, 1, 11, 111, 1111])
"""Where the fractions of 0, 1, 2 and 3 digits begin in the table, and how many there are."""


@cache
def _signs_and_fractions() -> pa.StringArray:
    """No sign and minus; then every fraction of up to three digits, first with the point, then without."""
    digits = ["", *(f"{number:0{width}}" for width in (1, 2, 3) for number in range(10**width))]
    return pa.array(["", "-", *(text and f".{text}" for text in digits), *digits], pa.string())
