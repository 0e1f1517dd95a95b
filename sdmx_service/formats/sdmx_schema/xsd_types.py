"""Simple types of generated XML schemas: code lists, data types with their facets, marks.

SDMX 3.1 technical notes and ``SDMXCommon.xsd``: which type of XML Schema a data type is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from xml.sax.saxutils import escape, quoteattr

from sdmx_service.errors import CannotWrite
from sdmx_service.formats.sdmx_schema.values import (
    DECIMALS,
    FLOATS,
    INTEGERS,
    TEXTS,
    bounds,
    is_xsd_pattern,
    lengths,
    marks,
    time_type,
)
from sdmx_service.model.artefact import Texts
from sdmx_service.model.columns import Column
from sdmx_service.model.representation import TextFormat
from sdmx_service.model.schema import Enumeration

_NCNAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_REPORTING = ("Year", "Semester", "Trimester", "Quarter", "Month", "Week", "Day")
BASES: Mapping[str, str] = MappingProxyType(
    {
        "String": "xs:string",
        "Alpha": "common:AlphaType",
        "AlphaNumeric": "common:AlphaNumericType",
        "Numeric": "common:NumericType",
        "BigInteger": "xs:integer",
        "Integer": "xs:int",
        "Long": "xs:long",
        "Short": "xs:short",
        "Decimal": "xs:decimal",
        "Float": "xs:float",
        "Double": "xs:double",
        "Boolean": "xs:boolean",
        "URI": "xs:anyURI",
        "Count": "xs:integer",
        "InclusiveValueRange": "xs:decimal",
        "ExclusiveValueRange": "xs:decimal",
        "Incremental": "xs:decimal",
        "GregorianYear": "xs:gYear",
        "GregorianYearMonth": "xs:gYearMonth",
        "GregorianDay": "xs:date",
        "DateTime": "xs:dateTime",
        "TimeRange": "common:TimeRangeType",
        "Month": "xs:gMonth",
        "MonthDay": "xs:gMonthDay",
        "Day": "xs:gDay",
        "Time": "xs:time",
        "Duration": "xs:duration",
        **{f"Reporting{unit}": f"common:Reporting{unit}Type" for unit in _REPORTING},
        **{f"{kind}TimePeriod": f"common:{kind}TimePeriodType"
           for kind in ("Observational", "Standard", "Basic", "Gregorian", "Reporting")},
    }
)  # fmt: skip
"""Data type -> type of XML Schema; what is not here is text."""


def attribute_text(text: str) -> str:
    """A quoted value of an XML attribute; what XML 1.0 cannot carry becomes U+FFFD."""
    return quoteattr(_FORBIDDEN.sub("\ufffd", text))


class SimpleTypes:
    """The simple types of one schema, each defined once, under names that do not clash with those of ``reserved``."""

    def __init__(
        self, enumerations: Mapping[str, Enumeration], languages: Sequence[str], reserved: Iterable[str] = ()
    ) -> None:
        self._enumerations = enumerations
        self._languages = languages
        self._bodies: dict[str, str] = {}
        self._taken = set(reserved)
        self._lists: dict[tuple[object, tuple[str, ...]], str] = {}
        self._of: dict[tuple[str, bool], str] = {}

    def definitions(self) -> Iterator[str]:
        """Every type that was asked for."""
        for name, body in self._bodies.items():
            yield f'<xs:simpleType name="{name}">{body}</xs:simpleType>\n'

    def of(self, column: Column, *, free: bool = False) -> str:
        """The name of the type of one value of a component.

        Args:
            free: whatever the value is (deletions).
        """
        if free and column.role in ("measure", "attribute"):
            return "xs:string"
        key = (column.id, free)
        if key not in self._of:
            self._of[key] = self._coded(column) if column.component.form.is_coded else self._plain(column)
        return self._of[key]

    def named(self, name: str, text_format: TextFormat | None, extra: Sequence[str] = ()) -> str:
        """The name of a type for a text format; ``extra`` are further values."""
        body = restriction(text_format)
        return self._add(name, _union((), extra, body) if extra and _is_limited(text_format) else body)

    def enumerated(self, name: str, enumeration: Enumeration, extra: Sequence[str] = ()) -> str:
        """The name of a type for the values of a list; ``extra`` are further values."""
        if not enumeration.values:
            return self._add(name, _choice(extra))
        listed = self._list(enumeration)
        return self._add(name, _union((listed,), extra)) if extra else listed

    def _plain(self, column: Column) -> str:
        if column.role == "time":
            return BASES[time_type(column)]
        return self.named(column.id, column.component.form.text_format, marks(column))

    def _coded(self, column: Column) -> str:
        enumeration = self._enumerations.get(column.id)
        if enumeration is None:
            return "xs:string"
        return self.enumerated(column.id, enumeration, marks(column))

    def _list(self, enumeration: Enumeration) -> str:
        key = (enumeration.ref, tuple(enumeration.values))
        if key not in self._lists:
            body = "".join(self._values(enumeration.values))
            self._lists[key] = self._add(
                enumeration.ref.id, f'<xs:restriction base="xs:string">{body}</xs:restriction>'
            )
        return self._lists[key]

    def _values(self, values: Mapping[str, Texts]) -> Iterator[str]:
        for value, names in values.items():
            found = names.best(self._languages)
            said = ""
            if found is not None:
                text = escape(_FORBIDDEN.sub("\ufffd", found[1]))
                said = (
                    f'<xs:annotation><xs:documentation xml:lang="{found[0]}">{text}</xs:documentation></xs:annotation>'
                )
            yield f"<xs:enumeration value={attribute_text(value)}>{said}</xs:enumeration>"

    def _add(self, wished: str, body: str) -> str:
        name = wished if _NCNAME.fullmatch(wished) else "T_" + re.sub(r"[^A-Za-z0-9_.\-]", "_", wished)
        number = 1
        chosen = name
        while chosen in self._taken or self._bodies.get(chosen, body) != body:
            number += 1
            chosen = f"{name}_{number}"
        self._bodies[chosen] = body
        return chosen


def check_name(id: str, what: str) -> str:
    """An id that becomes a name in XML.

    Raises:
        CannotWrite: it cannot.
    """
    if not _NCNAME.fullmatch(id):
        raise CannotWrite(f"The {what} {id!r} cannot be a name in XML.", hint="Ask for the JSON schema.")
    return id


def restriction(text_format: TextFormat | None) -> str:
    """A restriction of the type of XML Schema that a text format is, with its facets."""
    if text_format is None:
        return '<xs:restriction base="xs:string"/>'
    base = BASES.get(text_format.type, "xs:string")
    facets = "".join(f"<xs:{name} value={attribute_text(value)}/>" for name, value in _facets(text_format))
    return f'<xs:restriction base="{base}">{facets}</xs:restriction>'


def _is_limited(text_format: TextFormat | None) -> bool:
    return text_format is not None and (
        BASES.get(text_format.type, "xs:string") != "xs:string" or any(True for _ in _facets(text_format))
    )


def _facets(text_format: TextFormat) -> Iterator[tuple[str, str]]:
    kind = text_format.type
    if kind in TEXTS or kind not in BASES:
        for name, length in zip(("minLength", "maxLength"), lengths(text_format), strict=True):
            if length is not None:
                yield name, str(length)
    if text_format.pattern is not None and is_xsd_pattern(text_format.pattern):
        yield "pattern", text_format.pattern
    if kind in INTEGERS or kind in DECIMALS or kind in FLOATS:
        yield from _limits(text_format)


def _limits(text_format: TextFormat) -> Iterator[tuple[str, str]]:
    kind = text_format.type
    low, high = bounds(text_format)
    if kind == "Count" and (low is None or low < 0):
        low = Decimal(0)
    suffix = "Exclusive" if kind == "ExclusiveValueRange" else "Inclusive"
    if low is not None and not (suffix == "Exclusive" and low == high):
        yield f"min{suffix}", _number(low, kind)
    if high is not None and not (suffix == "Exclusive" and low == high):
        yield f"max{suffix}", _number(high, kind)
    if text_format.decimals is not None and text_format.decimals >= 0:
        if kind in DECIMALS:
            yield "fractionDigits", str(text_format.decimals)
        elif kind in FLOATS and text_format.pattern is None:
            yield "pattern", rf"[^.eE]*(\.[0-9]{{0,{text_format.decimals}}}0*)?|.*[eE].*"


def _number(number: Decimal, kind: str) -> str:
    return str(int(number)) if kind in INTEGERS else format(number, "f")


def _choice(values: Sequence[str]) -> str:
    listed = "".join(f"<xs:enumeration value={attribute_text(one)}/>" for one in values)
    return f'<xs:restriction base="xs:string">{listed}</xs:restriction>'


def _union(members: Sequence[str], extra: Sequence[str], body: str | None = None) -> str:
    inner = [body] if body is not None else []
    inner.append(_choice(extra))
    named = f' memberTypes="{" ".join(members)}"' if members else ""
    return f"<xs:union{named}>" + "".join(f"<xs:simpleType>{one}</xs:simpleType>" for one in inner) + "</xs:union>"
