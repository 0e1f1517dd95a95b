"""Values of properties of SDMX-JSON structures by their kind; messages are not always strict about types."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sdmx_service.formats.days import midnight_of
from sdmx_service.formats.sdmx_json.structure_terms import UNBOUNDED
from sdmx_service.formats.structure_shapes import Kind


def _as_text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _as_token(value: Any) -> str | None:
    return value.strip() if isinstance(value, str) else None


def _as_boolean(value: Any) -> bool | None:
    return (
        value if isinstance(value, bool) else {"true": True, "false": False}.get(value) if value == str(value) else None
    )


def _as_integer(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() else None
    return value if isinstance(value, int) else None


def _as_number_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return None
    return str(value) if isinstance(value, int | float) else _as_text(value)


def _as_occurs(value: Any) -> int | str | None:
    return UNBOUNDED if value == UNBOUNDED else _as_integer(value)


def _as_cascade(value: Any) -> str | None:
    return str(value).lower() if isinstance(value, bool) else _as_token(value)


def _as_day(value: Any) -> str | None:
    """A day; with another time than midnight a moment, of which the zone is UTC's if none is said."""
    if not isinstance(value, str):
        return None
    day = _MIDNIGHT.sub("", value.strip())
    return midnight_of(day) if "T" in day else day


_MIDNIGHT = re.compile(r"T00:00:00(?:\.0+)?(?:Z|[+-]00:00)?$", re.ASCII)
KINDS: Mapping[Kind, Callable[[Any], Any]] = {
    "text": _as_text,
    "token": _as_token,
    "boolean": _as_boolean,
    "integer": _as_integer,
    "number": _as_number_text,
    "occurs": _as_occurs,
    "cascade": _as_cascade,
    "scalar": _as_number_text,
    "day": _as_day,
    "last day": _as_day,
}
"""Kind -> what makes a value of it of what stands in the message; None: that is none."""
KIND_NAMES: Mapping[Kind, str] = {
    "text": "a text",
    "token": "a text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "occurs": "a count or 'unbounded'",
    "cascade": "true, false or 'excluderoot'",
    "scalar": "a text or a number",
    "day": "a date and time",
    "last day": "a date and time",
}
"""Kind -> how people are told what it is."""
