"""Rules that look for slips of whoever fills in a table: odd periods, lone zeros, late series, misplaced rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sdmx_service.errors import InvalidStructure
from tests.submission.test_rule_kinds import Row, check, row, shown, years

NEXT_YEAR = datetime.now(UTC).year + 1


# --- periods --------------------------------------------------------------------------------------------------------
FUTURE = {"id": "V25", "kind": "periods", "test": "future", "unless": {"STATUS": ["F"]}}
RARE = {"id": "V25", "kind": "periods", "test": "rare", "least": 3, "most": 1}


def test_a_period_to_come_is_found_unless_it_is_a_forecast() -> None:
    rows = [row(7, NEXT_YEAR - 1), row(7, NEXT_YEAR), row(8, NEXT_YEAR + 1, STATUS="F"), row(None, NEXT_YEAR + 2)]
    assert shown(check(rows, FUTURE)) == [(str(NEXT_YEAR), str(NEXT_YEAR), None)]


@pytest.mark.parametrize(
    ("odd", "expected"),
    [(1987, ["1987"]), (2013, []), (2012, [])],
    ids=["before the others", "the newest figures come one by one", "one of the others"],
)
def test_a_period_that_one_figure_is_of_is_found_among_periods_with_many(odd: int, expected: list[str]) -> None:
    rows = [row(7, year, fish=fish) for year in (2010, 2011, 2012) for fish in ("COD", "HAKE", "EEL")]
    found = check([*rows, row(9, odd, quay="S")], RARE)
    assert [one.value for one in found] == expected
    assert [one.key["QUAY"] for one in found] == ["S"] * len(expected)


def test_no_period_is_rare_where_all_have_few_figures() -> None:
    assert check([row(7, year) for year in (1987, 2010, 2011, 2012)], RARE) == []


FREQUENCY = {"id": "V27", "kind": "periods", "test": "frequency", "dimension": "FREQ", "months": {"A": 12, "M": 1}}


def test_a_period_that_is_not_of_the_frequency_is_found() -> None:
    odd = ["2019-01-01", "2019-01", "2019-01-01T00:00:00", "2019-01-01/P5Y"]
    right = ["2019", "2019-A1", "2020-01-01/P1Y"]
    found = check([*(row(7, 2010, TIME_PERIOD=one) for one in (*odd, *right))], FREQUENCY)
    assert [one.value for one in found] == odd
    assert {one.expected for one in found} == {"A"}


def test_frequencies_that_the_rule_does_not_name_are_not_asked() -> None:
    years = [row(7, 2010, FREQ=code, TIME_PERIOD="2019-01-01/P5Y") for code in ("A5", "D")]
    months = [row(7, 2010, FREQ="M", TIME_PERIOD=one) for one in ("2019-02", "2019-M02", "2019")]
    assert [(one.value, one.expected) for one in check([*years, *months], FREQUENCY)] == [("2019", "M")]


def test_a_rule_about_frequencies_says_how_long_they_are() -> None:
    with pytest.raises(InvalidStructure, match="months by its codes"):
        check([row(7, 2010)], {**FREQUENCY, "months": {}})


# --- zeros ----------------------------------------------------------------------------------------------------------
ZEROS = {"id": "V26", "kind": "zeros", "by": ["QUAY"], "least": 50, "ends": 500, "most": 2}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((60, 70, 0, 80, 90), [("2012", "0", "75")]),
        ((60, 49, 0, 80, 90), []),  # what is small may be nothing once
        ((60, 70, 0, 80, 0, 90), []),  # a series that is nothing now and then
        ((60, 70, 3, 80, 90), []),
        ((600, 700, 0), [("2012", "0", "700")]),
        ((600, 400, 0), []),  # a series that comes to its end
        ((0, 700, 800), []),  # and one that begins
        ((60, 70, None, 80, 90), []),  # that is how a missing figure is told
    ],
)
def test_the_only_zero_of_a_series_is_found(values: Any, expected: Any) -> None:
    assert shown(check(years(*values), ZEROS)) == expected


def test_many_zeros_of_a_table_and_period_are_told_once() -> None:
    rows = [one for fish in ("COD", "HAKE", "EEL") for one in years(60, 70, 0, 80, 90, fish=fish)]
    [found] = check(rows, ZEROS)
    assert (found.key["FISH"], found.key["TIME_PERIOD"]) == ("COD", "2012")
    assert len(check(rows, {**ZEROS, "most": 3})) == 3


# --- late -----------------------------------------------------------------------------------------------------------
LATE = {"id": "V10", "kind": "late", "limit": 0.5, "least": 20, "beside": [["FISH"]]}
COURSE = (100, 160, 130, 300, 210, 420, 380, 500)


def beside() -> list[Row]:
    """Series that move together."""
    others = [[round(one * factor) for one in COURSE] for factor in (1.9, 3.1)]
    return [one for fish, values in zip(("HAKE", "EEL"), others, strict=True) for one in years(*values, fish=fish)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((COURSE[0], *COURSE[:-1]), [("2011", "100", None)]),
        (COURSE, []),
        ((COURSE[0], COURSE[0], *COURSE[2:]), []),  # a figure that is repeated, and nothing late
        ((COURSE[1], *COURSE[:-1]), []),  # no figure is there twice
        ((10, *(one // 10 for one in COURSE[:-1])), []),  # small figures are like each other
        ((COURSE[0], *COURSE[:4]), []),  # too short to know
    ],
    ids=["late", "right", "one repeated", "none repeated", "small", "short"],
)
def test_a_series_that_is_late_is_known_by_those_beside_it(values: Any, expected: Any) -> None:
    assert shown(check([*years(*values), *beside()], LATE)) == expected


def test_without_series_beside_it_nothing_is_late() -> None:
    assert check(years(COURSE[0], *COURSE[:-1]), LATE) == []


# --- misplaced ------------------------------------------------------------------------------------------------------
MISPLACED = {"id": "V23", "kind": "misplaced", "by": ["FREQ"], "rows": 3, "limit": 0.2, "factor": 2, "least": 20}
LEVELS = (40, 900, 150, 5000, 70, 2500)


def table(middle: Any) -> list[Row]:
    """A year before, a year in the middle and a year after; a quay in each row, in the order of the file."""
    columns = [(2010, LEVELS), (2011, middle), (2012, [round(one * 1.1) for one in LEVELS])]
    return [row(values[place], year, quay=f"Q{place}") for place in range(len(LEVELS)) for year, values in columns]


@pytest.mark.parametrize(
    ("middle", "is_found"),
    [
        ([round(one * 1.05) for one in LEVELS], False),
        ([LEVELS[0], *LEVELS[:-1]], True),
        ([*LEVELS[1:], LEVELS[-1]], True),
        ([one * 5 for one in LEVELS], False),
        ([40, 0, 900, 0, 5000, 70], False),
    ],
    ids=["in their rows", "a row too low", "a row too high", "an event", "nothing in between"],
)
def test_a_block_that_slipped_by_a_row_is_found_once(middle: Any, is_found: bool) -> None:
    found = check(table(middle), MISPLACED)
    assert [one.key["TIME_PERIOD"] for one in found] == ["2011"] * is_found
    assert all(float(one.message.split()[0]) in middle for one in found)


# --- further fields of other kinds ----------------------------------------------------------------------------------
def test_a_slip_that_comes_back_is_asked_of_both_sides() -> None:
    scale = {"id": "V11", "kind": "scale", "powers": [3], "within": 2, "least": 1000}
    both = {**scale, "sides": "both"}
    assert shown(check(years(20, 21, 22000, 23), both)) == [("2012", "22000", "21")]
    assert check(years(20, 21, 22, 23000), both) == []
    assert shown(check(years(20, 21, 22, 23000), scale)) == [("2013", "23000", "22")]


def test_a_repeated_year_counts_where_other_years_are_not_repeated() -> None:
    copied = {"id": "V11", "kind": "copied", "by": ["QUAY"], "limit": 0.9, "least": 3, "rest": 0.2}
    once = [one for n, fish in enumerate(("COD", "HAKE", "EEL"), 5) for one in years(n, n + 4, n + 4, n + 9, fish=fish)]
    [found] = check(once, copied)
    assert (found.key["TIME_PERIOD"], found.value) == ("2012", "3")
    often = [one for n, fish in enumerate(("COD", "HAKE", "EEL"), 5) for one in years(n, n, n, n + 9, fish=fish)]
    assert check(often, copied) == []
    assert len(check(often, {**copied, "rest": 1})) == 2
