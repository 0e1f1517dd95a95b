"""Days: bounds of validity that a message has as a day, and a map as any period."""

from __future__ import annotations

import re
from typing import Final, Literal

from sdmx_service.errors import CannotWrite, SyntaxFault
from sdmx_service.model.period import normalise, parse_period

_DAY: Final = re.compile(r"-?\d{4,}-\d\d-\d\d(Z|[+-]\d\d:\d\d)?", re.ASCII)
_TIME_WITHOUT_ZONE: Final = re.compile(r"T[0-9:.]+$", re.ASCII)


def day_of(text: str, kind: Literal["day", "last day"], place: str) -> str:
    """The first or the last day of a period (``2020``: 2020-01-01, 2020-12-31); one with a time of day stays.

    Raises:
        CannotWrite: it is no time.
    """
    if _DAY.fullmatch(text):
        return text
    try:
        period = parse_period(text)
        return text if "T" in text else normalise(period, "start" if kind == "day" else "end")
    except SyntaxFault as fault:
        raise CannotWrite(f"{place}: a day is needed as a bound of validity. {fault.detail}") from fault


def midnight_of(day: str) -> str:
    """A day, or a moment, as RFC 3339 writes date and time; without a zone it is UTC's."""
    if "T" in day:
        return f"{day}Z" if _TIME_WITHOUT_ZONE.search(day) else day
    zone = day[10:] if _DAY.fullmatch(day) else ""
    return f"{day[: len(day) - len(zone)]}T00:00:00{zone or 'Z'}"
