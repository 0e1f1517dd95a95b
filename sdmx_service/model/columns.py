"""A data structure as columns: the only place that knows both SDMX components and Arrow types.

Two shapes of the same data:

* **as read**: every component is text (``string``), a multi-valued one ``list<string>``, a multilingual one
  ``map<string, string>``; null means omitted. Beside the components stand the origin columns ``_row`` (int64, the
  row or line of the sender's file), ``_column`` and ``_sheet`` (string, null where they say nothing).
* **as typed**: dimensions, time and coded components are ``dictionary<int32, string>``; numbers are three columns,
  the ``double`` under the component's id, its count of decimals (``int8``, ``ID.decimals``) and, only where double and
  decimals would not return the same digits, the text itself (``ID.text``); the rest as read. Stored marks such as
  ``NaN`` and ``#N/A`` stand in ``ID.text`` with a NaN double.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
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


def columns(structure: DataStructure) -> tuple[Column, ...]:
    """The columns of a structure in the standard's order: dimensions, time, measures, attributes.

    Representations must be resolved (``Component.form``): the catalog does it.
    """
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
_INFINITIES = ("INF", "-INF", "+INF")


def parse_numbers(texts: pa.StringArray) -> Numbers:
    """Text to numbers, whole column at once; null stays null.

    Accepts the lexical forms of xs:decimal and xs:double and the marks; everything else is ``invalid`` (and null).
    What was sent is returned by ``render_numbers`` digit for digit.
    """
    texts = texts.cast(pa.string())
    marks = pc.is_in(texts, value_set=pa.array([*MARKS, *_INFINITIES]))
    plain = pc.match_substring_regex(texts, _NUMBER)
    plain = pc.fill_null(plain, False)
    invalid = pc.and_not(pc.and_not(pc.is_valid(texts), plain), marks)
    values = pc.if_else(plain, texts, None).cast(pa.float64())
    if pc.any(marks).as_py():
        infinite = pc.if_else(pc.equal(texts, "-INF"), -np.inf, np.inf)
        special = pc.if_else(pc.is_in(texts, value_set=pa.array(_INFINITIES)), infinite, np.nan)
        values = pc.if_else(marks, special, values)
    decimals = _count_decimals(texts, plain)
    rendered = _render(values, decimals)
    differs = pc.fill_null(pc.not_equal(rendered, texts), True)
    keep = pc.and_(pc.or_(differs, marks), pc.or_(plain, marks))
    return Numbers(values, decimals, pc.if_else(keep, texts, pa.scalar(None, pa.string())), invalid)


def _count_decimals(texts: pa.StringArray, plain: pa.BooleanArray) -> pa.Int8Array:
    dot = pc.find_substring(texts, ".")
    count = pc.if_else(pc.less(dot, 0), 0, pc.subtract(pc.subtract(pc.binary_length(texts), dot), 1))
    count = pc.min_element_wise(count, pa.scalar(_EXACT_DIGITS, pa.int32()))
    return pc.if_else(plain, count, pa.scalar(None, pa.int32())).cast(pa.int8())


def render_numbers(values: pa.DoubleArray, decimals: pa.Int8Array, texts: pa.StringArray | None = None) -> pa.StringArray:
    """The text of a column of numbers, the same digits as were sent; null stays null."""
    rendered = _render(values, decimals)
    if texts is None or texts.null_count == len(texts):
        return rendered
    return cast(pa.StringArray, pc.coalesce(texts, rendered))


def _render(values: pa.DoubleArray, decimals: pa.Int8Array) -> pa.StringArray:
    """Fixed-point text with that many decimals, where the scaled number has at most 15 digits; null elsewhere."""
    if len(values) == 0:
        return pa.array([], pa.string())
    result: pa.StringArray | None = None
    places = pc.fill_null(decimals, 0)
    for scalar in pc.unique(places):
        count = scalar.as_py()
        chosen = pc.equal(places, scalar)
        text = _render_fixed(pc.if_else(chosen, values, None), count)
        result = text if result is None else pc.coalesce(result, text)
    assert result is not None
    return result


def _render_fixed(values: pa.DoubleArray, count: int) -> pa.StringArray:
    scaled = pc.round(pc.multiply(values, 10.0**count))
    fits = pc.and_(pc.is_finite(scaled), pc.less(pc.abs(scaled), 10.0**_EXACT_DIGITS))
    whole = pc.if_else(fits, scaled, None).cast(pa.int64())
    if count == 0:
        return whole.cast(pa.string())
    digits = pc.utf8_lpad(pc.abs(whole).cast(pa.string()), width=count + 1, padding="0")
    head = pc.utf8_slice_codeunits(digits, 0, -count)
    tail = pc.utf8_slice_codeunits(digits, -count)
    sign = pc.if_else(pc.less(whole, 0), "-", "")
    return pc.binary_join_element_wise(pc.binary_join_element_wise(sign, head, ""), tail, ".")
