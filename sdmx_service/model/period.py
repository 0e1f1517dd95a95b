"""Time periods: text to the span of time it covers.

Sources: SDMX 3.1 Technical Notes, *Time and Time Format* (formats, reporting periods, time zones) and
``SDMXCommon.xsd`` (``ObservationalTimePeriodType``); XML Schema part 2, appendix E (adding durations).

Every period is a half-open span ``[start, end)`` of whole seconds since 1970-01-01T00:00:00 UTC in the proleptic
Gregorian calendar. *Choice*: the second is the smallest moment. A point in time covers its second; fractions are read
and neither kept apart nor ordered. *Choice*: text without zone is taken as UTC, which is the standard's default for
the sender's zone.
"""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from enum import Enum
from types import MappingProxyType
from typing import Literal, NamedTuple, Self

from sdmx_service.errors import SyntaxFault

_DAY = 86_400
_EPOCH_ORDINAL = 719_163
"""``date(1970, 1, 1).toordinal()``."""
_MONTH_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_LAST_MOMENT = 253_402_300_800
"""The end of the year 9999 (UTC): no range may reach further."""


class PeriodKind(Enum):
    """The formats of time; the values are the names of ``TimeDataType`` in ``SDMXCommon.xsd``."""

    YEAR = "GregorianYear"
    MONTH = "GregorianYearMonth"
    DAY = "GregorianDay"
    DATE_TIME = "DateTime"
    REPORTING_YEAR = "ReportingYear"
    REPORTING_SEMESTER = "ReportingSemester"
    REPORTING_TRIMESTER = "ReportingTrimester"
    REPORTING_QUARTER = "ReportingQuarter"
    REPORTING_MONTH = "ReportingMonth"
    REPORTING_WEEK = "ReportingWeek"
    REPORTING_DAY = "ReportingDay"
    TIME_RANGE = "TimeRange"

    @property
    def is_reporting(self) -> bool:
        """It is counted from the start of a reporting year."""
        return self.value.startswith("Reporting")

    @property
    def is_gregorian(self) -> bool:
        """It is a year, month or day of the calendar."""
        return self.value.startswith("Gregorian")

    def fits(self, data_type: str) -> bool:
        """Whether a value of this kind is one of ``data_type``, a time type of a text format.

        The hierarchy of the Technical Notes: ObservationalTimePeriod > StandardTimePeriod > BasicTimePeriod >
        GregorianTimePeriod; ReportingTimePeriod. ``GregorianMonth`` is the older name of ``GregorianYearMonth``.
        """
        is_basic = self.is_gregorian or self is PeriodKind.DATE_TIME
        wider = {
            "ObservationalTimePeriod": True,
            "StandardTimePeriod": self is not PeriodKind.TIME_RANGE,
            "BasicTimePeriod": is_basic,
            "GregorianTimePeriod": self.is_gregorian,
            "ReportingTimePeriod": self.is_reporting,
            "GregorianMonth": self is PeriodKind.MONTH,
        }
        return wider.get(data_type, data_type == self.value)


@dataclass(frozen=True, slots=True)
class MonthDay:
    """The day on which reporting years start (``xs:gMonthDay``, the attribute REPORTING_YEAR_START_DAY).

    Attributes:
        month, day: of the calendar. *Choice*: 29 February falls on the 28th in years without it.
        offset: seconds east of UTC, or None without zone.
    """

    month: int
    day: int
    offset: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """The day written ``--MM-DD`` with an optional zone.

        Raises:
            SyntaxFault: it is not of that form, or there is no such day.
        """
        match = _MONTH_DAY.fullmatch(text)
        if match is None:
            raise SyntaxFault(f"{text!r} is not a day of the year.", hint="Write --MM-DD, as in --07-01.")
        month, day = int(match["month"]), int(match["day"])
        if not 1 <= month <= 12 or not 1 <= day <= _month_length(2000, month):
            raise SyntaxFault(f"{text!r}: there is no day {day} in a month {month}.")
        return cls(month, day, _offset(match["zone"]))


JANUARY_1 = MonthDay(1, 1)


@dataclass(frozen=True, slots=True)
class Period:
    """A time period and the span of time that it covers.

    Attributes:
        text: as written.
        kind: the format.
        start: its first second, in seconds since 1970-01-01T00:00:00 UTC.
        end: the second after its last one.
        offset: the zone, in seconds east of UTC; None if the text has none.
        reporting_year_start: for reporting periods, the start day that was stated; None = not stated, 1 January.
        frequency: the best guess at the frequency code: the period indicator (``A S T Q M W D``), ``A5`` for a range
            of five years, ``M2``, ``W2``, ``D10`` alike; None for points in time and other ranges.
    """

    text: str
    kind: PeriodKind
    start: int
    end: int
    offset: int | None = None
    reporting_year_start: MonthDay | None = None
    frequency: str | None = None

    @property
    def sort_key(self) -> tuple[int, int, str]:
        """Chronological: by first moment, then the shorter first, then by text."""
        return (self.start, self.end, self.text)

    def __str__(self) -> str:
        return self.text


# ------------------------------------------------------------------------------------------------------ the calendar


def _month_length(year: int, month: int) -> int:
    return 29 if month == 2 and isleap(year) else _MONTH_LENGTHS[month - 1]


def _day_number(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01, also for years above 9999, where ``datetime`` ends."""
    cycles, year = divmod(year - 1, 400)
    return date(year + 1, month, day).toordinal() - _EPOCH_ORDINAL + cycles * 146_097


def _add_months(year: int, month: int, months: int) -> tuple[int, int]:
    years, month = divmod(month - 1 + months, 12)
    return year + years, month + 1


def _day_of_month(year: int, month: int, day: int) -> int:
    """The day number, with a day that the month does not have becoming its last (XML Schema part 2, appendix E)."""
    return _day_number(year, month, min(day, _month_length(year, month)))


def _offset(zone: str | None) -> int | None:
    """Seconds east of UTC of ``Z``, ``+hh:mm``, ``-hh:mm``; None without zone."""
    if not zone:
        return None
    if zone == "Z":
        return 0
    seconds = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
    return -seconds if zone[0] == "-" else seconds


# ---------------------------------------------------------------------------------------------------------- parsing

_ZONE = r"(?P<zone>Z|[+-](?:14:00|(?:0\d|1[0-3]):[0-5]\d))?"
_MONTH_DAY = re.compile(rf"--(?P<month>\d\d)-(?P<day>\d\d){_ZONE}", re.ASCII)
_DATE = r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
_TIME = r"T(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d+))?"
_GREGORIAN = re.compile(rf"(?P<year>\d{{4}})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d))?)?{_ZONE}", re.ASCII)
_DATE_TIME = re.compile(rf"{_DATE}{_TIME}{_ZONE}", re.ASCII)
_REPORTING = re.compile(rf"(?P<year>\d{{4}})-(?P<value>[ASTQ]\d|[MW]\d\d|D\d{{3}}){_ZONE}", re.ASCII)
_RANGE_START = re.compile(rf"{_DATE}(?:{_TIME})?{_ZONE}", re.ASCII)
_DURATION = re.compile(
    r"P(?=\d|T\d)(?:(?P<years>\d{1,6})Y)?(?:(?P<months>\d{1,6})M)?(?:(?P<days>\d{1,8})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,12})(?:\.(?P<fraction>\d+))?S)?)?",
    re.ASCII,
)
_LOOSE_REPORTING = re.compile(r"(\d{4})[-. ]?([ASTQHMWD])(\d{0,3})", re.ASCII | re.IGNORECASE)
_LOOSE_DATE = re.compile(r"(\d{4})[-/. ](\d{1,2})(?:[-/. ](\d{1,2}))?", re.ASCII)


class _Indicator(NamedTuple):
    kind: PeriodKind
    limit: int
    """The highest value a year can have."""
    months: int
    """The length in months; 0 for weeks and days."""


_INDICATORS: Mapping[str, _Indicator] = MappingProxyType(
    {
        "A": _Indicator(PeriodKind.REPORTING_YEAR, 1, 12),
        "S": _Indicator(PeriodKind.REPORTING_SEMESTER, 2, 6),
        "T": _Indicator(PeriodKind.REPORTING_TRIMESTER, 3, 4),
        "Q": _Indicator(PeriodKind.REPORTING_QUARTER, 4, 3),
        "M": _Indicator(PeriodKind.REPORTING_MONTH, 12, 1),
        "W": _Indicator(PeriodKind.REPORTING_WEEK, 53, 0),
        "D": _Indicator(PeriodKind.REPORTING_DAY, 366, 0),
    }
)


def parse_period(text: str, reporting_year_start: MonthDay | None = None) -> Period:
    """The period written as ``text``, an ``ObservationalTimePeriod``.

    Args:
        text: ``YYYY``, ``YYYY-MM``, ``YYYY-MM-DD``, ``YYYY-MM-DDThh:mm:ss``, ``YYYY-A1 -Ss -Tt -Qq -Mmm -Www -Dddd``,
            or ``start/duration``; each but the duration with an optional zone.
        reporting_year_start: the day on which the reporting year starts; None = not stated, which is 1 January. It
            matters to reporting periods only.

    Raises:
        SyntaxFault: ``text`` is no period, or one that does not exist; the detail tells why.
    """
    period = _read(text, reporting_year_start)
    if period is None:
        raise SyntaxFault(f"{text!r} is not a time period.", hint=_suggestion(text))
    return period


def _read(text: str, reporting_year_start: MonthDay | None) -> Period | None:
    """The period, or None if the text has the form of none.

    Raises:
        SyntaxFault: it has the form of one that does not exist.
    """
    if match := _GREGORIAN.fullmatch(text):
        return _gregorian(text, match)
    if match := _REPORTING.fullmatch(text):
        return _reporting(text, match, reporting_year_start)
    if match := _DATE_TIME.fullmatch(text):
        return _date_time(text, match)
    if "/" in text and (match := _RANGE_START.fullmatch(text.partition("/")[0])):
        return _time_range(text, match)
    return None


def _refusal(text: str, reason: str) -> SyntaxFault:
    return SyntaxFault(f"{text!r} is not a time period: {reason}.")


def _year(text: str, match: re.Match[str]) -> int:
    year = int(match["year"])
    if year == 0:
        raise _refusal(text, "there is no year 0000")
    return year


def _first_day(text: str, match: re.Match[str]) -> int:
    """The day number of the (possibly shortened) date in ``match``, which must exist."""
    year, month, day = _year(text, match), int(match["month"] or 1), int(match["day"] or 1)
    if not 1 <= month <= 12:
        raise _refusal(text, f"there is no month {month:02}")
    if not 1 <= day <= _month_length(year, month):
        raise _refusal(text, f"{year:04}-{month:02} has no day {day:02}")
    return _day_number(year, month, day)


def _gregorian(text: str, match: re.Match[str]) -> Period:
    first = _first_day(text, match)
    year, month = int(match["year"]), int(match["month"] or 1)
    if match["month"] is None:
        kind, frequency, after = PeriodKind.YEAR, "A", _day_number(year + 1, 1, 1)
    elif match["day"] is None:
        kind, frequency, after = PeriodKind.MONTH, "M", first + _month_length(year, month)
    else:
        kind, frequency, after = PeriodKind.DAY, "D", first + 1
    return _of_days(text, kind, first, after, frequency, _offset(match["zone"]))


def _of_days(
    text: str,
    kind: PeriodKind,
    first: int,
    after: int,
    frequency: str,
    offset: int | None,
    reporting_year_start: MonthDay | None = None,
) -> Period:
    shift = offset or 0
    return Period(
        text, kind, first * _DAY - shift, after * _DAY - shift, offset, reporting_year_start, frequency=frequency
    )


def _moment(text: str, match: re.Match[str]) -> int:
    """The second, as if in UTC, that a date-time or a date names; 24:00:00 is the next day's first."""
    midnight = _first_day(text, match) * _DAY
    if match["hour"] is None:
        return midnight
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"])
    is_midnight_after = (hour, minute, second) == (24, 0, 0) and not int(match["fraction"] or 0)
    if (hour > 23 and not is_midnight_after) or minute > 59 or second > 59:
        raise _refusal(text, f"there is no time {hour:02}:{minute:02}:{second:02}")
    return midnight + hour * 3600 + minute * 60 + second


def _date_time(text: str, match: re.Match[str]) -> Period:
    offset = _offset(match["zone"])
    start = _moment(text, match) - (offset or 0)
    return Period(text, PeriodKind.DATE_TIME, start, start + 1, offset)


# -------------------------------------------------------------------------------------------------- reporting periods


def _reporting(text: str, match: re.Match[str], stated: MonthDay | None) -> Period:
    """Technical Notes, *Reporting Time Period*: the four steps from the year's start day to the calendar range."""
    year, indicator, value = _year(text, match), match["value"][0], int(match["value"][1:])
    kind, limit, months = _INDICATORS[indicator]
    if not 1 <= value <= limit:
        raise _refusal(text, f"{indicator} counts from 1 to {limit}")
    start_day = stated or JANUARY_1
    if months:
        first = _reporting_day(year, start_day, months * (value - 1))
        after = _reporting_day(year, start_day, months * value)
    else:
        first = _week_or_day(text, indicator, year, value, start_day)
        after = first + (7 if indicator == "W" else 1)
    offset = _offset(match["zone"])  # "the time zone of the reporting period will take precedence"
    return _of_days(text, kind, first, after, indicator, start_day.offset if offset is None else offset, stated)


def _reporting_day(year: int, start_day: MonthDay, months: int = 0) -> int:
    """The day number so many months after the start of the reporting year."""
    year, month = _add_months(year, start_day.month, months)
    return _day_of_month(year, month, start_day.day)


def _first_week(year: int, start_day: MonthDay) -> int:
    """The Monday nearest to the start of the reporting year: back from Thursday or earlier, on from Friday or later."""
    start = _reporting_day(year, start_day)
    weekday = (start + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0
    return start - weekday if weekday < 4 else start + 7 - weekday


def _week_or_day(text: str, indicator: str, year: int, value: int, start_day: MonthDay) -> int:
    """The first day of a reporting week or day, which the year must have."""
    if indicator == "W":
        base, after, size, unit = _first_week(year, start_day), _first_week(year + 1, start_day), 7, "weeks"
    else:
        base, after, size, unit = _reporting_day(year, start_day), _reporting_day(year + 1, start_day), 1, "days"
    first = base + (value - 1) * size
    if first >= after:
        raise _refusal(text, f"the reporting year {year:04} has {(after - base) // size} {unit}")
    return first


# -------------------------------------------------------------------------------------------------------------- ranges


class _Duration(NamedTuple):
    months: int
    days: int
    seconds: int

    @property
    def frequency(self) -> str | None:
        """The code of a whole number of years, months, weeks or days."""
        match self:
            case (months, 0, 0) if months in (3, 4, 6):
                return {3: "Q", 4: "T", 6: "S"}[months]
            case (months, 0, 0) if months % 12 == 0:
                return _multiple("A", months // 12)
            case (months, 0, 0):
                return _multiple("M", months)
            case (0, days, 0) if days % 7 == 0:
                return _multiple("W", days // 7)
            case (0, days, 0):
                return _multiple("D", days)
        return None


def _multiple(indicator: str, count: int) -> str:
    return indicator if count == 1 else f"{indicator}{count}"


def _duration(text: str, duration: str) -> _Duration:
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise _refusal(text, f"{duration!r} is not a duration such as P5Y, P1Y6M, P10D or PT12H")
    numbers = {name: int(number or 0) for name, number in match.groupdict().items() if name != "fraction"}
    seconds = numbers["hours"] * 3600 + numbers["minutes"] * 60 + numbers["seconds"]
    if int(match["fraction"] or 0):
        seconds += 1
    length = _Duration(numbers["years"] * 12 + numbers["months"], numbers["days"], seconds)
    if not any(length):
        raise _refusal(text, "a range must have a length above zero")
    return length


def _time_range(text: str, match: re.Match[str]) -> Period:
    length = _duration(text, text.partition("/")[2])
    start = _moment(text, match)
    days, second = divmod(start, _DAY)
    if length.months:
        origin = date.fromordinal(days + _EPOCH_ORDINAL) if start < _LAST_MOMENT else None
        if origin is None or origin.year + length.months // 12 > 10_000:
            raise _refusal(text, "it ends after the year 9999")
        year, month = _add_months(origin.year, origin.month, length.months)
        days = _day_of_month(year, month, origin.day)
    end = (days + length.days) * _DAY + second + length.seconds
    if end > _LAST_MOMENT:
        raise _refusal(text, "it ends after the year 9999")
    offset = _offset(match["zone"])
    shift = offset or 0
    return Period(text, PeriodKind.TIME_RANGE, start - shift, end - shift, offset, frequency=length.frequency)


# --------------------------------------------------------------------------------------------------------- suggestions


def _suggestion(text: str) -> str:
    """The period that was probably meant, if it exists; else the forms there are."""
    for guess in _guesses(text.strip()):
        with suppress(SyntaxFault):
            if _read(guess, None) is not None:
                return f"Write {guess}."
    return "Write it as 2020, 2020-01, 2020-01-31, 2020-Q1, 2020-W01, 2020-01-31T12:00:00 or 2020-07-01/P5Y."


def _guesses(text: str) -> Iterable[str]:
    if _GREGORIAN.fullmatch(text) or _REPORTING.fullmatch(text):
        yield text
    if match := _LOOSE_REPORTING.fullmatch(text):
        year, indicator, value = match[1], match[2].upper().replace("H", "S"), int(match[3] or 1)
        width = {"M": 2, "W": 2, "D": 3}.get(indicator, 1)
        yield f"{year}-{indicator}{value:0{width}}"
    if match := _LOOSE_DATE.fullmatch(text):
        yield "-".join([match[1], *(f"{int(part):02}" for part in match.groups()[1:] if part)])


# ---------------------------------------------------------------------------------------------------------- normalised


def normalise(period: Period, moment: Literal["start", "end"] = "start", *, with_time: bool = False) -> str:
    """The period as an ISO 8601 date, or date-time, for ``timeFormat=normalized`` of SDMX-CSV.

    SDMX-CSV field guide, *Optional parameters*: "the most granular ISO 8601 representation", at the beginning or the
    end of the period, as the figures were collected. Its example 5 gives 2014-01 as 2014-01-01; that is the default.

    Args:
        period: the period; points in time always keep their time.
        moment: the first or the last day (or second) of the period.
        with_time: date-times for all, as is due when the message holds points in time.

    Raises:
        SyntaxFault: the day lies outside the years 0001 to 9999.
    """
    seconds = (period.start if moment == "start" else period.end - 1) + (period.offset or 0)
    days, second = divmod(seconds, _DAY)
    ordinal = days + _EPOCH_ORDINAL
    if not 1 <= ordinal <= date.max.toordinal():
        raise SyntaxFault(f"{period.text!r} has no date of its own within the years 0001 to 9999.")
    day = date.fromordinal(ordinal).isoformat()
    zone = _zone_text(period.offset)
    if not with_time and period.kind is not PeriodKind.DATE_TIME:
        return day + zone
    hour, rest = divmod(second, 3600)
    return f"{day}T{hour:02}:{rest // 60:02}:{rest % 60:02}{zone}"


def _zone_text(offset: int | None) -> str:
    if offset is None:
        return ""
    if offset == 0:
        return "Z"
    hours, minutes = divmod(abs(offset) // 60, 60)
    return f"{'-' if offset < 0 else '+'}{hours:02}:{minutes:02}"
