"""Comparisons of time periods: the examples of the Technical Notes, and laws that hold for all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.model.period import JANUARY_1, MonthDay, Period, parse_period
from sdmx_service.model.period_comparison import TIME_OPERATORS, at_or_after, at_or_before, equals, is_after, is_before
from tests.model.test_period import (
    JULY_1,
    periods_of,
    readable,
    some_periods,
)

# Technical Notes, Time in Query Messages, "Greater than 2010": the listed matches, and what comes just before them.
AFTER_2010 = [
    ("2011", None, True),
    ("2010", None, False),
    ("2011-01", None, True),
    ("2010-12", None, False),
    ("2011-01-01", None, True),
    ("2010-12-31", None, False),
    ("2011-01-01/P1D", None, True),
    ("2010-12-31/P9Y", None, False),
    ("2011-01-01T00:00:00", None, True),
    ("2010-12-31T23:59:59", None, False),
    ("2011-A1", None, True),
    ("2011-Q1", MonthDay(4, 1), True),
    ("2010-S2", JULY_1, True),
    ("2010-S2", None, False),
    ("2010-T3", JULY_1, True),
    ("2010-Q3", JULY_1, True),
    ("2010-Q2", JULY_1, False),
    ("2010-M07", JULY_1, True),
    ("2010-M06", JULY_1, False),
    ("2010-W28", JULY_1, True),
    ("2010-W27", JULY_1, False),
    ("2010-D185", JULY_1, True),
    ("2010-D184", JULY_1, False),
]

# The same, "Greater than or equal to 2010-Q3".
FROM_2010_Q3 = [
    ("2011", None, True),
    ("2010", None, False),
    ("2010-07", None, True),
    ("2010-06", None, False),
    ("2010-07-01", None, True),
    ("2010-06-30", None, False),
    ("2010-07-01/P1D", None, True),
    ("2010-06-30/P1Y", None, False),
    ("2011-Q1", JULY_1, True),
    ("2011-D001", MonthDay(10, 1), True),
    *(
        (text, start_day, True)
        for text in ("2010-S2", "2010-T3", "2010-Q3", "2010-M07")
        for start_day in (None, JULY_1, MonthDay(4, 6))
    ),
    *(
        (text, start_day, False)
        for text in ("2010-S1", "2010-T2", "2010-Q2", "2010-M06")
        for start_day in (None, JULY_1, MonthDay(4, 6))
    ),
    ("2010-W27", JANUARY_1, True),
    ("2010-W26", JANUARY_1, False),
    ("2010-D182", JANUARY_1, True),
    ("2010-D181", JANUARY_1, False),
    ("2010-W28", JULY_1, True),
    ("2010-W27", JULY_1, False),
    ("2010-D185", JULY_1, True),
    ("2010-D184", JULY_1, False),
]


@pytest.mark.parametrize(("text", "start_day", "expected"), AFTER_2010)
def test_greater_than_a_gregorian_year(text: str, start_day: MonthDay | None, expected: bool) -> None:
    assert expected == is_after(parse_period(text, start_day), parse_period("2010"))


@pytest.mark.parametrize(("text", "start_day", "expected"), FROM_2010_Q3)
def test_greater_than_or_equal_to_a_reporting_quarter(text: str, start_day: MonthDay | None, expected: bool) -> None:
    assert expected == at_or_after(parse_period(text, start_day), parse_period("2010-Q3"))


def test_a_stated_start_day_of_the_query_counts_for_all_data() -> None:
    """SDMX-REST 2.2.2, data.md, *reportingYearStartDay*: 2010-Q3 from 1 July starts on 1 January 2011."""
    operand = parse_period("2010-Q3", JULY_1)
    assert at_or_after(parse_period("2011-01"), operand)
    assert not at_or_after(parse_period("2010-12"), operand)
    assert not at_or_after(parse_period("2010-Q4", JANUARY_1), operand)
    assert at_or_after(parse_period("2010-Q3", JULY_1), operand)


@pytest.mark.parametrize(
    ("operator", "text", "operand", "expected"),
    [
        ("eq", "2010-03", "2010", True),  # "falls on or after the first moment ... and before or on the last"
        ("eq", "2010", "2010-03", False),
        ("eq", "2010-A1", "2010", True),
        ("eq", "2010-W01", "2010", True),
        ("eq", "2010-W52", "2010", False),
        ("ne", "2010-03", "2010", False),
        ("ne", "2011-03", "2010", True),
        ("le", "2010", "2010-12", True),
        ("le", "2010", "2010-11", False),
        ("le", "2010-12-31", "2010", True),
        ("lt", "2010-12-31", "2011", True),
        ("lt", "2010", "2010-12", False),
        ("gt", "2010-12", "2010-11", True),
        ("ge", "2010", "2010-01", True),
        ("ge", "2010", "2010-02", False),
        ("ge", "2010-01-01T00:00:00+01:00", "2010", False),
        ("le", "2009-12-31T23:30:00-01:00", "2009", False),
        ("eq", "2009-12-31T24:00:00", "2010", True),
    ],
)
def test_operators_of_queries(operator: str, text: str, operand: str, expected: bool) -> None:
    assert expected == TIME_OPERATORS[operator](parse_period(text), parse_period(operand))


@given(some_periods, some_periods)
def test_laws_of_comparison(period: Period, operand: Period) -> None:
    assert not (is_after(period, operand) and is_before(period, operand))
    assert is_after(period, operand) <= at_or_after(period, operand)
    assert is_before(period, operand) <= at_or_before(period, operand)
    assert equals(period, operand) == (at_or_after(period, operand) and at_or_before(period, operand))
    assert not (equals(period, operand) and (is_after(period, operand) or is_before(period, operand)))
    assert TIME_OPERATORS["ne"](period, operand) != equals(period, operand)
    assert equals(period, period)


fixed_periods = st.builds(parse_period, readable)


@given(fixed_periods, fixed_periods, fixed_periods)
def test_laws_of_order(a: Period, b: Period, c: Period) -> None:
    assert is_after(a, b) == is_before(b, a)
    if is_before(a, b):
        assert a.sort_key < b.sort_key
        assert is_before(b, c) <= is_before(a, c)
    if equals(a, b):
        assert equals(b, c) <= equals(a, c)
        assert is_after(b, c) <= is_after(a, c)


@given(st.lists(fixed_periods, max_size=10))
def test_sorting_by_key_is_chronological(periods: list[Period]) -> None:
    ordered = sorted(periods, key=lambda period: period.sort_key)
    assert sorted(period.start for period in periods) == [period.start for period in ordered]


def test_textual_order_of_one_format_is_chronological() -> None:
    """Technical Notes: padding "allows the values to be sorted chronologically using textual sorting methods"."""
    weeks = [period for year in (2019, 2020, 2021) for period in periods_of("W", year, JANUARY_1)]
    assert sorted(weeks, key=lambda week: week.text) == sorted(weeks, key=lambda week: week.sort_key)
