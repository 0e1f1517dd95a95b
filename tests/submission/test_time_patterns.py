"""Times of other formats: the standard's examples (Technical Notes, *Mapping non-SDMX time formats*), and locales."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.errors import InvalidStructure, SyntaxFault
from sdmx_service.model.mapping import TimePatternMap
from sdmx_service.model.period import MonthDay, parse_period
from sdmx_service.submission.date_patterns import DatePattern
from sdmx_service.submission.time_patterns import TimeReader

DAYS = st.dates(date(1800, 1, 1), date(2200, 12, 31))


def reader(pattern: str, **words: Any) -> TimeReader:
    return TimeReader(TimePatternMap(sources=("t",), target="TIME_PERIOD", pattern=pattern, **words))


@pytest.mark.parametrize(
    ("text", "pattern", "locale", "frequency", "expected"),
    [
        # the standard's own
        ("22/06/1981", "dd/MM/YYYY", "en-GB", "D", "1981-06-22"),
        ("2008-mars-12", "YYYY-MMM-DD", "fr-FR", "D", "2008-03-12"),
        ("22 July 1981", "dd MMMM YYYY", "en-US", "D", "1981-07-22"),
        ("22 Jul 1981", "dd MMM YYYY", "en", "D", "1981-07-22"),
        ("2010 D62", "YYYYDnn", "en", "D", "2010-03-03"),
        ("2010M001", "yyyyMnnn", "en", "M", "2010-01"),
        ("2014D123", "yyyyDnnn", "en", "D", "2014-05-03"),
        ("18/07/1981", "dd/MM/yyyy", "en", "A", "1981"),
        ("18/07/1981", "dd/MM/yyyy", "en", "D", "1981-07-18"),
        ("1981", "yyyy", "en", "D", "1981-12-31"),
        # further letters
        ("2018Q3", "yyyyQn", "en", "Q", "2018-Q3"),
        ("2018-Q3", "yyyy-'Q'n", "en", "M", "2018-09"),
        ("2018/4", "yyyy/n", "en", "Q", "2018-Q4"),
        ("1. Mai 2019", "d. MMMM yyyy", "de", "D", "2019-05-01"),
        ("März 2019", "MMMM yyyy", "de-AT", "M", "2019-03"),
        ("mär 2019", "MMM yyyy", "de", "M", "2019-03"),
        ("août 2019", "MMM yyyy", "fr", "M", "2019-08"),
        ("sept. 2019", "MMM yyyy", "fr", "M", "2019-09"),
        ("يناير 2020", "MMMM yyyy", "ar", "M", "2020-01"),
        ("2019 m. gegužės", "yyyy 'm.' MMMM", "lt", "M", "2019-05"),
        ("20190501", "yyyyMMdd", "en", "D", "2019-05-01"),
        ("201905", "yyyyMM", "en", "M", "2019-05"),
        ("5/1/19", "M/d/yy", "en", "D", "2019-05-01"),
        ("year 2019", "'year' yyyy", "en", "A", "2019"),
        ("o'clock 2019", "'o''clock' yyyy", "en", "A", "2019"),
        ("2019-132", "yyyy-D", "en", "D", "2019-05-12"),
        ("2019 week 18", "YYYY 'week' ww", "en", "W", "2019-W18"),
        ("2019-18-3", "YYYY-ww-U", "en", "D", "2019-05-01"),
        ("1 May 2019 AD", "d MMMM yyyy G", "en", "D", "2019-05-01"),
        ("Wed 1 May 2019", "E d MMMM yyyy", "en", "D", "2019-05-01"),
        ("2019-05-01 14:30:05", "yyyy-MM-dd HH:mm:ss", "en", "I", "2019-05-01T14:30:05"),
        ("2019-05-01 2:30 pm", "yyyy-MM-dd h:mm a", "en", "I", "2019-05-01T14:30:00"),
        ("2019-05-01 12:30 AM", "yyyy-MM-dd h:mm a", "en", "H", "2019-05-01T00:30:00"),
        ("2019-05-01 24:10", "yyyy-MM-dd k:mm", "en", "I", "2019-05-01T00:10:00"),
        ("2019-05-01T14:30:05", "yyyy-MM-dd'T'HH:mm:ss", "en", "W", "2019-W18"),
        ("mercredi 1 mai 2019", "EEEE d MMMM yyyy", "fr", "D", "2019-05-01"),
        ("2 Wed May 2019", "F E MMM yyyy", "en", "D", "2019-05-08"),
        ("2019/5/5/3", "yyyy/M/F/U", "en", "D", "2019-05-29"),
        ("week 1, Wednesday, May 2019", "'week' W, E, MMM yyyy", "en", "D", "2019-05-01"),
        ("week 1 of 5 2019", "'week' W 'of' M yyyy", "en", "W", "2019-W18"),
        ("week 0 of 6 2019", "'week' W 'of' M yyyy", "en", "W", "2019-W22"),
        ("Monday of week 2 of 6 2019", "E 'of week' W 'of' M yyyy", "en", "D", "2019-06-10"),
    ],
)
def test_patterns(text: str, pattern: str, locale: str, frequency: str, expected: str) -> None:
    found = reader(pattern, locale=locale).read(text, frequency)
    assert found == expected
    assert parse_period(found).text == expected


@pytest.mark.parametrize(
    ("resolve", "year_start", "frequency", "expected"),
    [
        (None, None, "D", "1981-12-31"),
        ("endOfPeriod", None, "D", "1981-12-31"),
        ("startOfPeriod", None, "D", "1981-01-01"),
        ("midPeriod", None, "D", "1981-07-02"),
        (None, "04-01", "D", "1982-03-31"),
        (None, "--04-01", "D", "1982-03-31"),
        ("startOfPeriod", "04-01", "D", "1981-04-01"),
        (None, "04-01", "A", "1981"),
        (None, "04-01", "Q", "1981-Q4"),
        (None, None, "M", "1981-12"),
    ],
)
def test_a_year_at_a_higher_frequency(
    resolve: str | None, year_start: str | None, frequency: str, expected: str
) -> None:
    assert reader("yyyy", resolve=resolve, year_start=year_start).read("1981", frequency) == expected


def test_a_start_of_year_moves_years_and_quarters() -> None:
    moved = reader("yyyy-MM-dd", year_start="04-01")
    assert moved.read("1982-03-31", "A") == "1981"
    assert moved.read("1982-04-01", "A") == "1982"
    assert moved.read("1982-03-31", "Q") == "1981-Q4"
    assert moved.read("1982-03-31", "S") == "1981-S2"
    assert moved.read("1982-03-31", "D") == "1982-03-31"


@pytest.mark.parametrize(
    ("number", "base", "unit", "frequency", "expected"),
    [
        ("1589808220000", "1970", "millisecond", "M", "2020-05"),
        ("1589808220", "1970", "second", "I", "2020-05-18T13:23:40"),
        ("1589808220", None, "second", "D", "2020-05-18"),
        ("11644473600000", "1601", "millisecond", "D", "1970-01-01"),
        ("18000", "1970", "day", "D", "2019-04-14"),
        ("-1", "1970", "day", "A", "1969"),
        ("1589808220000000", "1970", "microsecond", "Q", "2020-Q2"),
        ("1589808220000000000", "1970", "nanosecond", "S", "2020-S1"),
        ("43586", "1899-12-30", "day", "D", "2019-05-01"),
        ("43586.75", "1899-12-30", "day", "I", "2019-05-01T18:00:00"),
    ],
)
def test_numbers_since_a_base(number: str, base: str | None, unit: str, frequency: str, expected: str) -> None:
    """The standard's systems (UNIX, Windows), and the days of spreadsheets."""
    assert reader(unit, kind="epoch", base_period=base).read(number, frequency) == expected


@pytest.mark.parametrize(
    ("pattern", "text", "frequency", "said"),
    [
        ("dd/MM/yyyy", "1981-07-18", "D", "does not fit the pattern dd/MM/yyyy"),
        ("dd/MM/yyyy", "31/02/1981", "D", "no such day"),
        ("dd/MM/yyyy", "18/13/1981", "D", "no such day"),
        ("yyyy-MM", "1981-13", "M", "there is no month 13"),
        ("yyyyQn", "2018Q5", "Q", "Q counts from 1 to 4"),
        ("yyyy", "1981", "", "missing"),
        ("yyyy", "1981", "X", "the frequency X has no time format"),
        ("yyyy", "1981", "OTHER", "no time format"),
        ("yyyy", "0000", "A", "no year 0000"),
        ("yyyyn", "20203", "I", "without its frequency"),
        ("E d MMM yyyy", "Thu 1 May 2019", "D", "is day 3 of its week"),
        ("E d MMM yyyy", "Foo 1 May 2019", "D", "no day of the week"),
        ("F E MMM yyyy", "6 Wed May 2019", "D", "outside the month"),
        ("F MMM yyyy", "1 May 2019", "D", "without the weekday"),
        ("W E M yyyy", "0 Mon 6 2019", "D", "outside the month"),
    ],
)
def test_times_that_cannot_be_read(pattern: str, text: str, frequency: str, said: str) -> None:
    with pytest.raises(SyntaxFault, match=said):
        reader(pattern).read(text, frequency)


@pytest.mark.parametrize("text", ["abc", "", "NaN", "Infinity", "1e400", "-1e12"])
def test_numbers_that_are_no_times(text: str) -> None:
    with pytest.raises(SyntaxFault):
        reader("day", kind="epoch").read(text, "D")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"pattern": "dd/MM"}, "has no year"),
        ({"pattern": "yyyy'"}, "quote that does not end"),
        ({"pattern": "yyyy-MM-dd Z"}, "letter 'Z'"),
        ({"pattern": "yyyy W"}, "letter 'W'"),
        ({"pattern": "yyyy", "locale": "xx-KLINGON"}, "not a locale"),
        ({"pattern": "yyyy", "year_start": "13-01"}, "start of the year"),
        ({"pattern": "yyyy", "resolve": "sometime"}, "startOfPeriod"),
        ({"pattern": "fortnight", "kind": "epoch"}, "not an epoch period"),
        ({"pattern": "day", "kind": "epoch", "base_period": "long ago"}, "base period"),
        ({"pattern": "yyyy yyyy"}, "twice"),
    ],
)
def test_maps_that_cannot_be_meant(words: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidStructure, match=said):
        reader(**words)


@given(
    DAYS,
    st.sampled_from(
        ["dd/MM/yyyy", "d.M.yyyy", "yyyyMMdd", "d MMMM yyyy", "yyyy-MMM-dd", "yyyy D", "F E M yyyy", "W U M yyyy"]
    ),
    st.sampled_from(["en", "fr", "es", "ru", "de", "pl"]),
)
def test_a_day_written_is_read_again(day: date, pattern: str, locale: str) -> None:
    text = DatePattern(pattern, locale).write(datetime(day.year, day.month, day.day), 1, day.year)
    assert reader(pattern, locale=locale).read(text, "D") == day.isoformat()


@given(DAYS, st.sampled_from("ASTQMWD"), st.sampled_from([None, "04-01", "07-01", "02-29"]))
def test_the_output_holds_the_day(day: date, frequency: str, year_start: str | None) -> None:
    """Whatever the frequency and the start of the year: the period written is one that the day lies in."""
    found = reader("yyyy-MM-dd", year_start=year_start).read(day.isoformat(), frequency)
    start = MonthDay.parse(f"--{year_start}") if year_start else None
    period = parse_period(f"{found}-A1" if frequency == "A" else found, start)
    moment = (day - date(1970, 1, 1)) // timedelta(seconds=1)
    assert period.start <= moment < period.end


@given(st.text(max_size=12), st.text("yMdDwnQ' -/", max_size=8), st.sampled_from(["A", "Q", "W", "D", "Z", ""]))
def test_anything_else_is_a_clear_error(text: str, pattern: str, frequency: str) -> None:
    try:
        found = reader(pattern).read(text, frequency)
    except (SyntaxFault, InvalidStructure):
        return
    assert parse_period(found).text == found
