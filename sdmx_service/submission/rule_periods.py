"""Periods some steps earlier or later, as rules between periods need them."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, datetime, timedelta

from sdmx_service.errors import SyntaxFault
from sdmx_service.model.period import Period, PeriodKind, parse_period

_FREQUENCY = re.compile(r"([ASTQMWD])(\d*)")
_MONTHS = {"A": 12, "S": 6, "T": 4, "Q": 3, "M": 1}
_REPORTING = re.compile(r"(\d{4})-([ASTQMWD])(\d+)(.*)")
_PER_YEAR = {"A": 1, "S": 2, "T": 3, "Q": 4, "M": 12}
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (positions are differences; no zone is meant)
_GREGORIAN = (PeriodKind.YEAR, PeriodKind.MONTH, PeriodKind.DAY)


def shift_period(text: str, steps: int, frequency: str | None = None) -> str | None:
    """The period that many steps later (earlier if negative), written in the same form.

    A step is one period of the frequency (codes of the cross-domain list: ``A``, ``A5``, ``Q``, ``M``, ``W2`` ...);
    where that says nothing, it is the length of the period itself.

    Returns:
        None where there is no such period: points in time, periods outside the years 1 to 9999, no period at all.
    """
    try:
        period = parse_period(text)
    except SyntaxFault:
        return None
    match = _FREQUENCY.fullmatch(frequency or "") or _FREQUENCY.fullmatch(period.frequency or "")
    if match is None:
        return None
    unit, size = match[1], int(match[2] or 1) * steps
    try:
        if period.kind in _GREGORIAN:
            return _shift_gregorian(text, period.kind, unit, size)
        if period.kind.is_reporting:
            return _shift_reporting(text, unit, size, steps)
        return _shift_range(period, steps)
    except (ValueError, OverflowError):
        return None


def period_position(text: str, frequency: str | None = None) -> float | None:
    """Where a period stands on the line of periods of its frequency: the next one stands 1 further.

    Whole numbers where the periods follow the calendar's months; years of a five-year series (``A5``) that are two
    years apart stand 0.4 apart.

    Returns:
        None where there is no such line: no frequency, no period at all.
    """
    try:
        period = parse_period(text)
    except SyntaxFault:
        return None
    match = _FREQUENCY.fullmatch(frequency or "") or _FREQUENCY.fullmatch(period.frequency or "")
    if match is None:
        return None
    day = _EPOCH + timedelta(seconds=period.start)
    unit, size = match[1], int(match[2] or 1)
    if unit in _MONTHS:
        return (day.year * 12 + day.month - 1 + (day.day - 1) / 31) / (_MONTHS[unit] * size)
    return period.start / 86_400 / (size * (7 if unit == "W" else 1))


def _shift_gregorian(text: str, kind: PeriodKind, unit: str, size: int) -> str | None:
    length = {PeriodKind.YEAR: 4, PeriodKind.MONTH: 7, PeriodKind.DAY: 10}[kind]
    day, zone = date.fromisoformat((text[:length] + "-01-01")[:10]), text[length:]
    moved = _shift_date(day, unit, size)
    exact = kind is PeriodKind.DAY or moved.day == 1
    exact = exact and (kind is not PeriodKind.YEAR or moved.month == 1)
    return moved.isoformat()[:length] + zone if exact else None


def _shift_date(day: date, unit: str, size: int) -> date:
    if unit not in _MONTHS:
        return day + timedelta(days=size * (7 if unit == "W" else 1))
    years, month = divmod(day.year * 12 + day.month - 1 + size * _MONTHS[unit], 12)
    return date(years, month + 1, min(day.day, monthrange(years, month + 1)[1]))


def _shift_reporting(text: str, unit: str, size: int, steps: int) -> str | None:
    match = _REPORTING.fullmatch(text)
    if match is None:
        return None
    year, indicator, value, zone = int(match[1]), match[2], int(match[3]), match[4]
    size = size if unit == indicator else steps
    width = len(match[3])
    if indicator in _PER_YEAR:
        years, position = divmod(year * _PER_YEAR[indicator] + value - 1 + size, _PER_YEAR[indicator])
        return _existing(f"{years:04}-{indicator}{position + 1:0{width}}{zone}")
    while size and 0 < year < 10_000:
        year, value = _next(year, indicator, value, 1 if size > 0 else -1, width)
        size -= 1 if size > 0 else -1
    return _existing(f"{year:04}-{indicator}{value:0{width}}{zone}")


def _next(year: int, indicator: str, value: int, step: int, width: int) -> tuple[int, int]:
    """The week or day before or after, over the end of a year whatever its length."""
    value += step
    if value == 0:
        last = (53, 52) if indicator == "W" else (366, 365)
        ends = (number for number in last if _existing(f"{year - 1:04}-{indicator}{number:0{width}}"))
        return year - 1, next(ends, last[-1])
    return (year, value) if _existing(f"{year:04}-{indicator}{value:0{width}}") else (year + 1, 1)


def _existing(text: str) -> str | None:
    try:
        return parse_period(text).text
    except SyntaxFault:
        return None


def _shift_range(period: Period, steps: int) -> str | None:
    """A range moved by its own length."""
    start, _, duration = period.text.partition("/")
    own = _FREQUENCY.fullmatch(period.frequency or "")
    if own is None or not duration:
        return None
    moved = _shift_date(date.fromisoformat(start[:10]), own[1], int(own[2] or 1) * steps)
    return _existing(f"{moved.isoformat()}{start[10:]}/{duration}")
