"""Date patterns of Java's SimpleDateFormat as SDMX 3.1 uses them (Technical Notes, *Pattern based dates*).

*Standard*: letters G y M w D d E U H k K h m s S and ``n``, the number of a period after the letter of its frequency
(``yyyyMnn``); text in quotes. *Choices*: ``Y`` is ``y`` (the standard's examples write it so); ``DD`` beside a month is
the day of the month, as in its example ``YYYY-MMM-DD``; around a frequency's letter spaces are looked past (its ``2010
D62``); a month's name may be the short or the long one. Weeks are those of ISO 8601, weeks of a month (``W``) too: the
first is that with four days in the month, the days before it are in week 0. ``F`` counts one weekday within a month.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from babel import Locale, UnknownLocaleError

from sdmx_service.errors import InvalidStructure, SyntaxFault

_NUMBERS = {"y": "year", "M": "month", "d": "day", "D": "day_of_year", "w": "week", "U": "weekday", "u": "weekday",
            "H": "hour", "k": "hour_24", "K": "hour_0", "h": "hour_12", "m": "minute", "s": "second", "S": "fraction",
            "n": "number", "W": "week_of_month", "F": "day_of_week_in_month"}  # fmt: skip
_WORDS = {"G": "era", "E": "day_name", "a": "half"}
_FREQUENCIES = "ASTQMWD"
_OLD_LOCALES = {"iw": "he", "in": "id", "ji": "yi"}


@dataclass(frozen=True, slots=True)
class _Token:
    """A field (a letter and how often it stands), the letter of a frequency (``#``), or a literal (``'``)."""

    letter: str
    text: str


def _tokens(pattern: str) -> Iterator[_Token]:
    position = 0
    for match in re.finditer(r"'((?:[^']|'')*)'|([A-Z])(?=n)|([A-Za-z])\3*|([^A-Za-z'])", pattern):
        if match.start() != position:
            break
        position = match.end()
        if match[1] is not None:
            quoted = match[1].replace("''", "'") or "'"
            is_frequency = quoted in _FREQUENCIES and pattern[position : position + 1] == "n"
            yield _Token("#" if is_frequency else "'", quoted)
        elif match[2] is not None and match[2] in _FREQUENCIES:
            yield _Token("#", match[2])
        elif match[4] is not None:
            yield _Token("'", match[4])
        else:
            yield _Token("y" if match[0][0] == "Y" else match[0][0], match[0])
    if position != len(pattern):
        raise InvalidStructure(f"The date pattern {pattern!r} has a quote that does not end.")


class DatePattern:
    """A pattern that reads and writes times.

    Raises:
        InvalidStructure: the pattern uses a letter that is not read, or the locale is unknown.
    """

    def __init__(self, pattern: str, locale: str = "en") -> None:
        self.pattern = pattern
        self._locale = _locale(locale)
        self._tokens = self._mended(list(_tokens(pattern)))
        for token in self._tokens:
            if token.letter not in _NUMBERS and token.letter not in _WORDS and token.letter not in "#'":
                raise InvalidStructure(
                    f"The date pattern {pattern!r} has the letter {token.letter!r}, which is not read."
                )
        self.frequency = next((token.text for token in self._tokens if token.letter == "#"), None)

    @staticmethod
    def _mended(tokens: list[_Token]) -> list[_Token]:
        """With a month, ``D`` is the day of the month."""
        has_month = any(token.letter == "M" for token in tokens)
        return [_Token("d", token.text) if token.letter == "D" and has_month else token for token in tokens]

    # --- reading -----------------------------------------------------------------------------------------------
    @cached_property
    def _months(self) -> Mapping[str, int]:
        names: dict[str, int] = {}
        for context in ("format", "stand-alone"):
            for width in ("abbreviated", "wide"):
                for number, name in self._locale.months[context][width].items():
                    names.setdefault(str(name).rstrip(".").casefold(), int(number))
        return names

    @cached_property
    def _days(self) -> Mapping[str, int]:
        names: dict[str, int] = {}
        for context in ("format", "stand-alone"):
            for width in ("abbreviated", "wide"):
                for number, name in self._locale.days[context][width].items():
                    names.setdefault(str(name).rstrip(".").casefold(), int(number) + 1)
        return names

    def _weekday(self, name: str) -> int:
        """The number of a day's name, Monday 1 to Sunday 7."""
        found = self._days.get(name.rstrip(".").casefold())
        if found is None:
            raise SyntaxFault(f"{name!r} is no day of the week in the language of the pattern", hint="")
        return found

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        parts, seen = [], set()
        for token, following in zip(self._tokens, [*self._tokens[1:], None], strict=True):
            name = {**_NUMBERS, **_WORDS}.get(token.letter)
            if name is None:
                parts.append(rf"\s*{token.text}\s*" if token.letter == "#" else re.escape(token.text))
            elif name in seen:
                raise InvalidStructure(f"The date pattern {self.pattern!r} has {token.letter!r} twice.")
            else:
                seen.add(name)
                parts.append(f"(?P<{name}>{self._part(token, following)})")
        return re.compile("".join(parts), re.IGNORECASE)

    def _part(self, token: _Token, following: _Token | None) -> str:
        letter, count = token.letter, len(token.text)
        if letter == "M" and count > 2:
            names = sorted(self._months, key=len, reverse=True)
            return f"(?:{'|'.join(map(re.escape, names))})\\.?"
        if letter in _WORDS:
            return r"[^\W\d]+\.?" if letter != "a" else r"[^\W\d]\.?\s?[^\W\d]\.?"
        if following is not None and following.letter in _NUMBERS and following.letter != "M":
            return rf"[0-9]{{{count}}}"
        if following is not None and following.letter == "M" and len(following.text) < 3:
            return rf"[0-9]{{{count}}}"
        if letter == "y":
            return "[0-9]{2}" if count == 2 else "[0-9]{4}"
        return {"D": "[0-9]{1,3}", "n": "[0-9]{1,3}", "S": "[0-9]{1,9}"}.get(letter, "[0-9]{1,2}")

    def check_readable(self) -> None:
        """Refuse a pattern that texts cannot be read with.

        Raises:
            InvalidStructure: it has no year, a letter twice, or what counts within a month without one.
        """
        letters = {token.letter for token in self._tokens}
        if "y" not in letters:
            raise InvalidStructure(f"The date pattern {self.pattern!r} has no year.")
        if "M" not in letters and (counted := letters & {"W", "F"}):
            raise InvalidStructure(
                f"The date pattern {self.pattern!r} has the letter {min(counted)!r}, and no month to count within."
            )
        _ = self._expression

    def read(self, text: str) -> Mapping[str, int]:
        """The fields of a text, by name: year, month, day, number ...

        Raises:
            SyntaxFault: the text does not fit the pattern.
        """
        match = self._expression.fullmatch(text.strip())
        if match is None:
            raise SyntaxFault(f"{text!r} does not fit the pattern {self.pattern}", hint="")
        fields: dict[str, int] = {}
        for name, value in match.groupdict().items():
            if name == "month" and not value.isdigit():
                fields["month"] = self._months[value.rstrip(".").casefold()]
            elif name == "year" and len(value) == 2:
                fields["year"] = _century(int(value))
            elif name == "day_name":
                fields["weekday_named"] = self._weekday(value)
            elif name == "half":
                fields["half"] = int(value.replace(".", "").casefold() == self._afternoon)
            elif value.isdigit():
                fields[name] = int(value)
        return fields

    @cached_property
    def _afternoon(self) -> str:
        return str(self._locale.periods.get("pm", "pm")).replace(".", "").casefold()

    # --- writing -----------------------------------------------------------------------------------------------
    def write(self, moment: datetime, number: int, year: int) -> str:
        """A moment as text; ``number`` and ``year`` are those of the period that holds it."""
        return "".join(self._written(token, moment, number, year) for token in self._tokens)

    def _written(self, token: _Token, moment: datetime, number: int, year: int) -> str:
        letter, count = token.letter, len(token.text)
        if letter in "#'":
            return token.text
        if letter == "M" and count > 2:
            width = "abbreviated" if count == 3 else "wide"
            return str(self._locale.months["format"][width][moment.month])
        if letter == "y" and count == 2:
            return f"{year % 100:02}"
        if letter == "E":
            width = "abbreviated" if count < 4 else "wide"
            return str(self._locale.days["format"][width][moment.weekday()])
        if letter == "G":
            return str(self._locale.eras["abbreviated"][1])
        if letter == "a":
            return str(self._locale.periods["am" if moment.hour < 12 else "pm"])
        values = {
            "y": year, "M": moment.month, "d": moment.day, "D": moment.timetuple().tm_yday,
            "w": moment.isocalendar().week, "U": moment.isoweekday(), "u": moment.isoweekday(), "H": moment.hour,
            "k": moment.hour or 24, "K": moment.hour % 12, "h": moment.hour % 12 or 12, "m": moment.minute,
            "s": moment.second, "S": 0, "n": number, "W": week_of_month(moment.date()), "F": (moment.day - 1) // 7 + 1,
        }  # fmt: skip
        return f"{values[letter]:0{count}}"


def _locale(name: str) -> Locale:
    language, _, rest = name.replace("-", "_").partition("_")
    mended = "_".join(part for part in (_OLD_LOCALES.get(language, language), rest) if part)
    try:
        return Locale.parse(mended or "en")
    except (UnknownLocaleError, ValueError):
        raise InvalidStructure(f"{name!r} is not a locale that is known here.") from None


def _century(year: int) -> int:
    """Java's SimpleDateFormat: within 80 years before and 20 years after now."""
    now = datetime.now(UTC).year
    return next(whole for whole in range(now - 79, now + 21) if whole % 100 == year)


def day_of(fields: Mapping[str, int]) -> date:
    """The day of the fields year, month and day; a weekday that stands beside them must be its own.

    Raises:
        SyntaxFault: there is no such day, or it is another day of the week.
    """
    try:
        found = date(fields["year"], fields["month"], fields["day"])
    except ValueError as error:
        raise SyntaxFault(f"there is no such day: {error}") from None
    if (said := weekday_of(fields)) is not None and said != found.isoweekday():
        raise SyntaxFault(f"{found} is day {found.isoweekday()} of its week (Monday is 1), not {said}")
    return found


def weekday_of(fields: Mapping[str, int]) -> int | None:
    """The day of the week that the fields say, by number or by name; Monday is 1."""
    return fields.get("weekday", fields.get("weekday_named"))


def week_of_month(day: date) -> int:
    """The week of the month that a day is in; 0 before the first week that has four days in the month."""
    first = date(day.year, day.month, 1)
    before = first.isoweekday() - 1
    return (day.day - 1 + before) // 7 + (1 if before <= 3 else 0)


def day_in_month(fields: Mapping[str, int]) -> date:
    """The day that its month and its week or its count within the month say; without a weekday the week's Monday.

    Raises:
        SyntaxFault: there is no such day, or a count stands without its weekday.
    """
    try:
        first = date(fields["year"], fields["month"], 1)
    except ValueError as error:
        raise SyntaxFault(f"there is no such day: {error}") from None
    weekday = weekday_of(fields)
    if "day_of_week_in_month" in fields:
        if weekday is None:
            raise SyntaxFault("the count of a weekday stands there without the weekday")
        found = first + timedelta(days=(weekday - first.isoweekday()) % 7 + 7 * (fields["day_of_week_in_month"] - 1))
    else:
        monday = first - timedelta(days=first.isoweekday() - 1)
        whole = fields["week_of_month"] - week_of_month(first)
        found = monday + timedelta(days=7 * whole + (weekday or 1) - 1)
        if weekday is None and found + timedelta(days=6) >= first:
            return found
    if (found.year, found.month) != (first.year, first.month):
        raise SyntaxFault("there is no such day: it lies outside the month")
    return found
