"""Parts that JSON schemas of data and of metadata share: values, texts, links, the header ``meta``.

*Standard* (SDMX-JSON field guide, *type conversion*): Numeric, Long, Short, Float and Double are numbers, Integer and
Count integers, Boolean a boolean, everything else, Decimal and BigInteger included, a string. *Choice:* a number whose
text is no JSON number (a mark, ``1.``, ``INF``) is a string, as the service writes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sdmx_service.formats.sdmx_schema.values import DECIMALS, INTEGERS, TEXTS, bounds, is_json_pattern, lengths
from sdmx_service.model.representation import Representation, TextFormat
from sdmx_service.model.schema import Enumeration

Schema = dict[str, Any]
DRAFT = "https://json-schema.org/draft/2020-12/schema"
ID = "^[A-Za-z0-9_@$-]+$"
EXTENSIONS: Mapping[str, Any] = MappingProxyType({"^x-": True})
"""Fields of one's own (SDMX-JSON 2.1)."""

_WHOLE = frozenset({"Integer", "Count"})
_NUMBERS = frozenset({"Numeric", "Long", "Short", "Float", "Double"}) | _WHOLE
_JSON_NUMBER = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
_NUMBER = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?INF"
_ZONE = r"(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])?"
_MOMENT = r"T([01][0-9]|2[0-4]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?"
_MONTH, _DAY = "(0[1-9]|1[0-2])", "(0[1-9]|[12][0-9]|3[01])"
_YEAR = "-?[0-9]{4,}"
_SPAN = r"P([0-9]+Y)?([0-9]+M)?([0-9]+W)?([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]+)?S)?)?"
_TIMES: dict[str, str] = {
    "GregorianYear": _YEAR,
    "GregorianYearMonth": f"{_YEAR}-{_MONTH}",
    "GregorianDay": f"{_YEAR}-{_MONTH}-{_DAY}",
    "DateTime": f"{_YEAR}-{_MONTH}-{_DAY}{_MOMENT}",
    "ReportingYear": f"{_YEAR}-A1",
    "ReportingSemester": f"{_YEAR}-S[12]",
    "ReportingTrimester": f"{_YEAR}-T[1-3]",
    "ReportingQuarter": f"{_YEAR}-Q[1-4]",
    "ReportingMonth": f"{_YEAR}-M{_MONTH}",
    "ReportingWeek": f"{_YEAR}-W(0[1-9]|[1-4][0-9]|5[0-3])",
    "ReportingDay": f"{_YEAR}-D([0-2][0-9][0-9]|3[0-5][0-9]|36[0-6])",
    "TimeRange": f"{_YEAR}-{_MONTH}-{_DAY}({_MOMENT})?{_ZONE}/{_SPAN}",
}
_TIMES["GregorianTimePeriod"] = "|".join(_TIMES[one] for one in ("GregorianYear", "GregorianYearMonth", "GregorianDay"))
_TIMES["ReportingTimePeriod"] = "|".join(pattern for name, pattern in _TIMES.items() if name.startswith("Reporting"))
_TIMES["BasicTimePeriod"] = f"{_TIMES['GregorianTimePeriod']}|{_TIMES['DateTime']}"
_TIMES["StandardTimePeriod"] = f"{_TIMES['BasicTimePeriod']}|{_TIMES['ReportingTimePeriod']}"
_TIMES["ObservationalTimePeriod"] = f"{_TIMES['StandardTimePeriod']}|{_TIMES['TimeRange']}"
_PATTERNS: Mapping[str, str] = MappingProxyType(
    {
        "Alpha": "[A-Za-z]+",
        "AlphaNumeric": "[A-Za-z0-9]+",
        "Decimal": r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?",
        "BigInteger": "[+-]?[0-9]+",
        "Month": f"--{_MONTH}{_ZONE}",
        "MonthDay": f"--{_MONTH}-{_DAY}{_ZONE}",
        "Day": f"---{_DAY}{_ZONE}",
        "Time": rf"([01][0-9]|2[0-4]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?{_ZONE}",
        "Duration": f"-?{_SPAN}",
    }
)


def whole(pattern: str) -> str:
    """A pattern for the whole text."""
    return f"^(?:{pattern})$"


def time_pattern(data_type: str) -> str:
    """The pattern of a time of that data type, whole."""
    return whole(f"(?:{_TIMES[data_type]}){_ZONE}")


def strings(values: Sequence[str]) -> Schema:
    """One of some texts."""
    return {"enum": list(dict.fromkeys(values))}


def either(*options: Schema) -> Schema:
    """Any of these; the one if there is only one."""
    kept = [one for one in options if one]
    return kept[0] if len(kept) == 1 else {"anyOf": kept}


def code_schema(enumeration: Enumeration | None) -> Schema:
    """A code of a list."""
    return {"type": "string"} if enumeration is None else strings(list(enumeration.values))


def simple_value(form: Representation, marks: Sequence[str], *, signed: bool = True) -> Schema:
    """One uncoded value of one language.

    Args:
        marks: texts that stand for a value.
        signed: False where a negative number may be a text too: attributes of data set, group and series, which the
            official schema wants to be at least 0.
    """
    text_format = form.text_format or TextFormat()
    kind = text_format.type
    if kind in _NUMBERS:
        return either(_number(text_format), strings(marks), _number_text(text_format, signed=signed))
    if kind == "Boolean":
        return either({"type": "boolean"}, strings(marks))
    text = _text(text_format)
    return text if text == {"type": "string"} else either(text, strings(marks))


def _number(text_format: TextFormat) -> Schema:
    found: Schema = {"type": "integer" if text_format.type in _WHOLE | {"Long", "Short"} else "number"}
    low, high = bounds(text_format)
    least, most = INTEGERS.get(text_format.type, (None, None))
    smallest = low if low is not None else least
    greatest = high if high is not None else most
    if smallest is not None:
        found["minimum"] = int(smallest) if smallest == int(smallest) else float(smallest)
    if greatest is not None:
        found["maximum"] = int(greatest) if greatest == int(greatest) else float(greatest)
    return found


def _number_text(text_format: TextFormat, *, signed: bool) -> Schema:
    """Numbers that JSON cannot say, or (attributes) would say as less than 0."""
    pattern = whole(_NUMBER)
    if signed:
        return {"type": "string", "pattern": pattern, "not": {"pattern": _JSON_NUMBER}}
    low, _ = bounds(text_format)
    if low is not None and low >= 0:
        return {"type": "string", "pattern": pattern, "not": {"pattern": _JSON_NUMBER}}
    return {"type": "string", "pattern": pattern, "not": {"pattern": _JSON_NUMBER.replace("-?", "", 1)}}


def _text(text_format: TextFormat) -> Schema:
    kind = text_format.type
    patterns = []
    if kind in DECIMALS:
        patterns.append(whole(_PATTERNS["Decimal"]))
        if text_format.decimals is not None and text_format.decimals >= 0:
            patterns.append(whole(rf"[^.eE]*(\.[0-9]{{0,{text_format.decimals}}}0*)?|.*[eE].*"))
    elif kind in _TIMES:
        patterns.append(time_pattern(kind))
    elif kind in _PATTERNS:
        patterns.append(whole(_PATTERNS[kind]))
    if text_format.pattern is not None and is_json_pattern(text_format.pattern):
        patterns.append(whole(text_format.pattern))
    found: Schema = {"type": "string"}
    if kind in TEXTS or kind not in {*_PATTERNS, *_TIMES, *DECIMALS}:
        low, high = lengths(text_format)
        found |= {} if low is None else {"minLength": low}
        found |= {} if high is None else {"maxLength": high}
    if len(patterns) == 1:
        found["pattern"] = patterns[0]
    elif patterns:
        found["allOf"] = [{"pattern": one} for one in patterns]
    return found


def array_of(value: Schema, least: int | None, most: int | str | None) -> Schema:
    """An array of values with its occurrence."""
    found: Schema = {"type": "array", "items": value}
    if least:
        found["minItems"] = least
    if isinstance(most, int):
        found["maxItems"] = most
    return found


def texts_by_language(value: Schema) -> Schema:
    """Texts by language tag."""
    tag = "^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$"
    return {"type": "object", "minProperties": 1, "patternProperties": {tag: value}, "additionalProperties": False}


def ref(name: str) -> Schema:
    """A reference to a definition of the same schema."""
    return {"$ref": f"#/$defs/{re.sub('~', '~0', name).replace('/', '~1')}"}


def closed(properties: Schema, required: Sequence[str] = ()) -> Schema:
    """An object with these fields and such of one's own."""
    found: Schema = {"type": "object", "properties": properties, "patternProperties": dict(EXTENSIONS)}
    if required:
        found["required"] = list(required)
    return found | {"additionalProperties": False}


def message(version: str, url: str, title: str, comment: str, data: Schema, definitions: Schema) -> Schema:
    """A whole schema: the message with its header around the data.

    Args:
        url: the schema's identity.
    """
    outer: Schema = {} if version == "2.0" else {"$schema": {"type": "string"}}
    fields = {
        **outer,
        "meta": ref("meta"),
        "data": ref("data"),
        "errors": {"type": "array", "items": {"type": "object"}},
    }
    return {
        "$schema": DRAFT,
        "$id": url,
        "title": title,
        "$comment": comment,
        **closed(fields, ["meta", "data"]),
        "$defs": {**_common(), "data": data, **definitions},
    }


def _common() -> Schema:
    named = {"name": {"type": "string"}, "names": ref("texts")}
    party = closed(
        {"id": {"type": "string", "pattern": ID}, **named, "contacts": {"type": "array", "items": {"type": "object"}},
         "contact": {"type": "array", "items": {"type": "object"}}},
        ["id"],
    )  # fmt: skip
    meta = closed(
        {
            "schema": {"type": "string"},
            "id": {"type": "string", "pattern": ID},
            "test": {"type": "boolean"},
            "prepared": {"type": "string", "pattern": whole(f"{_YEAR}-{_MONTH}-{_DAY}({_MOMENT})?{_ZONE}")},
            "contentLanguages": {"type": "array", "minItems": 1, "items": {"type": "string"}},
            **named,
            "sender": ref("party"),
            "receivers": {"type": "array", "items": ref("party")},
            "links": ref("links"),
        },
        ["id", "prepared", "sender"],
    )
    link = {
        "type": "object",
        "properties": {"rel": {"type": "string"}, "urn": {"type": "string"}, "href": {"type": "string"}},
        "anyOf": [{"required": ["href", "rel"]}, {"required": ["urn", "rel"]}],
    }
    return {
        "meta": meta,
        "party": party,
        "links": {"type": "array", "items": link},
        "texts": texts_by_language({"type": "string"}),
    }
