"""Times that are not SDMX times, mapped to those that are (SDMX 3.1 Technical Notes, *Mapping non-SDMX time formats*).

*Standard*: the output's frequency says how it is written, unless a frequency format does; from a lower to a higher
frequency the end of the period is taken, unless start or middle is asked for; a start of year moves years and what is
counted in them. *Choices*: multiples (A5) and unknown sub-daily frequencies are written like their letter and like
points in time; business days are days; ``W`` has two digits, as SDMX periods have (the standard's table has one).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from sdmx_service.errors import InvalidStructure, SyntaxFault
from sdmx_service.model.mapping import FrequencyFormat, TimePatternMap
from sdmx_service.model.period import JANUARY_1, MonthDay, Period, parse_period
from sdmx_service.submission.date_patterns import DatePattern, day_in_month, day_of, weekday_of

_DAY = 86_400
_WEEK = 7 * _DAY
_LONGEST = {"I": 1, "D": _DAY, "W": _WEEK, "M": 31 * _DAY, "Q": 92 * _DAY, "T": 123 * _DAY, "S": 184 * _DAY,
            "A": 366 * _DAY}  # fmt: skip
_LIKE = {"B": "D", "H": "I", "N": "I"}
_COUNTS = {"S": 2, "T": 3, "Q": 4, "M": 12}
_UNITS = {"day": Decimal(_DAY), "second": Decimal(1), "millisecond": Decimal("1e-3"), "microsecond": Decimal("1e-6"),
          "nanosecond": Decimal("1e-9")}  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WIDTHS = {"A": 1, "S": 1, "T": 1, "Q": 1, "M": 2, "W": 2, "D": 3}


class TimeReader:
    """Reads the times of one time pattern map.

    Args:
        map: the time pattern map.
        formats: the structure map's frequency formats, of which the map names those that hold.

    Raises:
        InvalidStructure: the pattern, locale, base, unit or start of year cannot be read.
    """

    def __init__(self, map: TimePatternMap, formats: Iterable[FrequencyFormat] = ()) -> None:  # noqa: A002
        self._year_start = _year_start(map.year_start)
        self._resolve = _resolution(map.resolve)
        self._pattern = None if map.kind == "epoch" else DatePattern(map.pattern, map.locale)
        if self._pattern is not None:
            self._pattern.check_readable()
        self._base = _base(map.base_period) if map.kind == "epoch" else 0
        self._unit = _unit(map.pattern) if map.kind == "epoch" else Decimal(1)
        chosen = {one.frequency_id: one.date_pattern for one in formats if one.id in map.mapped_frequencies}
        chosen |= dict(map.frequency_formats)
        self._formats = {code: DatePattern(pattern, map.locale) for code, pattern in chosen.items()}

    def read(self, text: str, frequency: str | None) -> str:
        """The SDMX time of a text at a frequency.

        Raises:
            SyntaxFault: the text does not fit, or the frequency has no format; ``detail`` tells why.
        """
        if not frequency:
            raise SyntaxFault("the frequency that the output is to have is missing")
        letter = _letter(frequency)
        if letter is None and frequency not in self._formats:
            raise SyntaxFault(f"the frequency {frequency} has no time format")
        period = self._period(text, letter)
        moment = self._moment(period, letter or "I")
        if frequency in self._formats:
            return self._formatted(moment, letter or "I", self._formats[frequency])
        return self._standard(moment, letter or "I")

    # --- reading -----------------------------------------------------------------------------------------------
    def _period(self, text: str, letter: str | None) -> Period:
        if self._pattern is not None:
            return parse_period(self._sdmx_text(self._pattern.read(text), letter), self._year_start)
        try:
            number = Decimal(text.strip())
            seconds = int((number * self._unit + self._base).to_integral_value(rounding="ROUND_FLOOR"))
            return parse_period((_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S"))
        except (InvalidOperation, OverflowError, ValueError):
            raise SyntaxFault(f"{text!r} is not a number of periods since the base") from None

    def _sdmx_text(self, fields: Mapping[str, int], letter: str | None) -> str:
        """The SDMX period that the fields name, as fine as they go."""
        year = f"{fields['year']:04}"
        indicator = self._pattern.frequency if self._pattern is not None else None
        for name, counted in (("number", indicator or letter), ("week", "W"), ("day_of_year", "D")):
            if name in fields:
                return self._counted(year, counted, fields, name)
        if "month" not in fields:
            return f"{year}-A1"
        if "day" not in fields and ("week_of_month" in fields or "day_of_week_in_month" in fields):
            return self._within_month(fields)
        if "day" not in fields:
            return f"{year}-{fields['month']:02}"
        day = day_of(fields).isoformat()
        return f"{day}T{_clock(fields)}" if _has_clock(fields) else day

    @staticmethod
    def _within_month(fields: Mapping[str, int]) -> str:
        """The day, or the week where no weekday is said, by its place in the month."""
        found = day_in_month(fields)
        if weekday_of(fields) is not None:
            return found.isoformat()
        year, week, _ = found.isocalendar()
        return f"{year:04}-W{week:02}"

    def _counted(self, year: str, letter: str | None, fields: Mapping[str, int], name: str) -> str:
        if letter not in _WIDTHS:
            raise SyntaxFault("the number of the period stands there without its frequency")
        text = f"{year}-{letter}{fields[name]:0{_WIDTHS[letter]}}"
        if letter == "W" and (weekday := weekday_of(fields)) is not None:
            monday = parse_period(text, self._year_start).start
            return (_EPOCH + timedelta(seconds=monday, days=weekday - 1)).date().isoformat()
        return text

    # --- writing -----------------------------------------------------------------------------------------------
    def _moment(self, period: Period, letter: str) -> int:
        """The second that the output is the period of."""
        if period.end - period.start <= _LONGEST[letter] or self._resolve == "start":
            return period.start
        return period.end - 1 if self._resolve == "end" else (period.start + period.end) // 2

    def _standard(self, moment: int, letter: str) -> str:
        clock = _EPOCH + timedelta(seconds=moment)
        if letter in "IDM":
            return clock.strftime({"I": "%Y-%m-%dT%H:%M:%S", "D": "%Y-%m-%d", "M": "%Y-%m"}[letter])
        year, number = self._numbered(moment, letter)
        return f"{year:04}" if letter == "A" else f"{year:04}-{letter}{number:0{_WIDTHS[letter]}}"

    def _formatted(self, moment: int, letter: str, pattern: DatePattern) -> str:
        clock = _EPOCH + timedelta(seconds=moment)
        year, number = self._numbered(moment, letter) if letter in "ASTQW" else (clock.year, 1)
        if letter in "MD":
            number = clock.month if letter == "M" else clock.timetuple().tm_yday
        return pattern.write(clock, number, year)

    def _numbered(self, moment: int, letter: str) -> tuple[int, int]:
        """The reporting year of a moment and the number in it of the period that holds it."""
        calendar_year = (_EPOCH + timedelta(seconds=moment)).year
        for year in (calendar_year + 1, calendar_year, calendar_year - 1):
            if not 1 <= year <= 9999:
                continue
            first = parse_period(f"{year:04}-{letter}{1:0{_WIDTHS[letter]}}", self._year_start)
            if first.start <= moment:
                return year, 1 if letter == "A" else self._number(moment, letter, year, first.start)
        raise SyntaxFault("it lies outside the years 0001 to 9999")

    def _number(self, moment: int, letter: str, year: int, start: int) -> int:
        if letter == "W":
            return (moment - start) // _WEEK + 1
        ends = (parse_period(f"{year:04}-{letter}{n}", self._year_start).end for n in range(1, _COUNTS[letter] + 1))
        return 1 + sum(end <= moment for end in ends)


def _letter(frequency: str) -> str | None:
    """The frequency that a code is written like."""
    first = frequency[0].upper()
    if frequency[1:] and not frequency[1:].isdigit():
        return None
    letter = _LIKE.get(first, first)
    return letter if letter in _LONGEST else None


def _has_clock(fields: Mapping[str, int]) -> bool:
    return any(name in fields for name in ("hour", "hour_24", "hour_0", "hour_12"))


def _clock(fields: Mapping[str, int]) -> str:
    hour = fields.get("hour", 0)
    if "hour_24" in fields:
        hour = fields["hour_24"] % 24
    elif "hour_12" in fields or "hour_0" in fields:
        hour = fields.get("hour_12", fields.get("hour_0", 0)) % 12 + 12 * fields.get("half", 0)
    return f"{hour:02}:{fields.get('minute', 0):02}:{fields.get('second', 0):02}"


def _year_start(text: str | None) -> MonthDay:
    if not text:
        return JANUARY_1
    try:
        return MonthDay.parse(text if text.startswith("--") else f"--{text}")
    except SyntaxFault as fault:
        raise InvalidStructure(f"The start of the year cannot be read: {fault.detail}") from None


def _resolution(word: str | None) -> str:
    """``start``, ``end`` or ``mid`` of *startOfPeriod*, *endOfPeriod*, *midPeriod*; the end unless said."""
    found = next((one for one in ("start", "mid", "end") if (word or "end").lower().startswith(one)), None)
    if found is None:
        raise InvalidStructure(f"{word!r} is not one of startOfPeriod, endOfPeriod, midPeriod.")
    return found


def _base(text: str | None) -> int:
    try:
        return parse_period(text or "1970").start
    except SyntaxFault as fault:
        raise InvalidStructure(f"The base period of an epoch map cannot be read: {fault.detail}") from None


def _unit(word: str) -> Decimal:
    found = _UNITS.get(word.lower())
    if found is None:
        raise InvalidStructure(f"{word!r} is not an epoch period: one of {', '.join(_UNITS)}.")
    return found
