"""Rules that look at a figure beside its series, the series beside it and what was sent before."""

from __future__ import annotations

from typing import Any

import pytest

from tests.submission.test_rule_kinds import Row, check, row, shown, stored, years

OUTLIER = {
    "id": "V09",
    "kind": "outlier",
    "limit": 3,
    "ends": 20,
    "spread": 10,
    "least": 300,
    "beside": [["FISH"], ["QUAY"]],
}
CALM = (1000, 1040, 1010, 1060, 1030, 1080, 1050)


# --- outlier --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((1000, 1040, 10100, 1060, 1030, 1080), [("2012", "10100", "1050")]),
        ((1000, 1040, 1, 1060, 1030, 1080), [("2012", "1", "1050")]),
        ((1000, 1040, 2900, 1060, 1030, 1080), []),  # less than three times
        ((1000, 1040, 1010, 1060, 1030, 54000), [("2015", "54000", "1060")]),
        ((1000, 1040, 1010, 1060, 1030, 10800), []),  # an end is asked for more
        ((1000, 1040, 1010, 1060, 53000, 1080), [("2014", "53000", "1070")]),  # and not its neighbour, the last one
        ((2, 3, 80, 2, 3, 2), []),  # small figures vary
        ((1000, 3000, 10000, 3000, 1000, 3100), []),  # a series that moves as much as this always
        ((1000, 1040, 10100), []),  # too short to know
    ],
)  # fmt: skip
def test_a_figure_that_does_not_fit_its_series_is_found(values: Any, expected: Any) -> None:
    assert shown(check(years(*values), OUTLIER)) == expected


def test_what_moves_the_series_beside_it_is_no_error() -> None:
    event = [*years(1000, 1040, 10100, 1060, 1030, 1080), *years(2000, 2040, 19900, 2060, 2030, 2080, fish="HAKE")]
    assert check(event, OUTLIER) == []
    assert len(check(event, {**OUTLIER, "beside": []})) == 2
    [found] = check([*years(1000, 1040, 10100, 1060, 1030, 1080), *years(*CALM, fish="HAKE")], OUTLIER)
    assert (found.key["FISH"], found.key["TIME_PERIOD"]) == ("COD", "2012")
    assert found.message == "10100 stands out: its series and those beside it suggest 1050."


def test_what_was_sent_before_is_the_series() -> None:
    rule = {**OUTLIER, "scope": "result"}
    assert shown(check([row(10600, 2013)], rule, history=stored(years(*CALM)))) == [("2013", "10600", "1020")]
    assert check([row(1062, 2013)], rule, history=stored(years(*CALM))) == []


# --- swapped --------------------------------------------------------------------------------------------------------
SWAPPED = {"id": "V23", "kind": "swapped", "dimension": "FISH", "codes": ["COD", "HAKE"], "limit": 2, "spread": 6}


def two(cod: tuple[int, ...], hake: tuple[int, ...]) -> list[Row]:
    return [*years(*cod), *years(*hake, fish="HAKE")]


@pytest.mark.parametrize(
    ("cod", "hake", "expected"),
    [
        ((600, 610, 205, 630, 620, 640), (200, 203, 620, 210, 205, 211), [("2012", "205", "620")]),
        ((600, 610, 620, 210), (200, 203, 205, 630), [("2013", "210", "630")]),
        ((600, 610, 620, 630), (200, 203, 205, 210), []),
        ((600, 610, 205, 630, 620, 640), (200, 203, 205, 210, 205, 211), []),  # the sum moves too: another error
        ((600, 610, 590, 630), (590, 600, 620, 610), []),  # much the same
    ],
)
def test_two_figures_in_each_others_place_are_found_once(cod: Any, hake: Any, expected: Any) -> None:
    assert shown(check(two(cod, hake), SWAPPED)) == expected


# --- gaps -----------------------------------------------------------------------------------------------------------
def table(*lacking: tuple[int, int], quays: int = 12, periods: int = 8) -> list[Row]:
    """A table of quays by years, without some (quay, year)."""
    return [
        row(100 + quay + year, 2010 + year, f"Q{quay:02}")
        for quay in range(quays)
        for year in range(periods)
        if (quay, year) not in lacking
    ]


GAPS = {"id": "V22", "kind": "gaps", "by": ["FREQ", "FISH"], "share": 0.9, "least": 20}


@pytest.mark.parametrize(
    ("test", "lacking", "more", "expected"),
    [
        ("hole", [(3, 4)], {}, [("Q03", "2014")]),
        ("hole", [(3, 4), (3, 5)], {}, [("Q03", "2014")]),
        ("hole", [(3, 4), (3, 5)], {"longest": 1}, []),
        ("hole", [(3, 0), (3, 7)], {}, []),
        ("hole", [(quay, year) for quay in range(4) for year in (2, 4, 6)], {}, []),  # too many for errors
        ("hole", [(1, 4), (2, 3)], {"most": 1}, []),
        ("hole", [(3, 4)], {"size": 1000}, []),
        ("end", [(3, 7)], {}, [("Q03", "2017")]),
        ("end", [(3, 0)], {}, [("Q03", "2010")]),
        ("end", [(3, 4)], {}, []),
        ("alone", [(3, year) for year in range(8) if year != 2], {}, [("Q03", "2012")]),
    ],
)  # fmt: skip
def test_a_figure_that_lacks_among_others_is_named(test: str, lacking: Any, more: Any, expected: Any) -> None:
    found = check(table(*lacking), {**GAPS, "test": test, **more})
    assert [(one.key["QUAY"], one.key["TIME_PERIOD"]) for one in found] == expected


def test_a_row_without_figure_is_no_gap() -> None:
    rows = [*table((3, 4)), row(None, 2014, "Q03", STATUS="M")]
    assert check(rows, {**GAPS, "test": "hole"}) == []
    assert check([*table((3, 7)), row(None, 2017, "Q03")], {**GAPS, "test": "end"}) == []


# --- shift ----------------------------------------------------------------------------------------------------------
SHIFT = {
    "id": "V15",
    "kind": "shift",
    "by": ["FREQ", "QUAY"],
    "limit": 2,
    "spread": 6,
    "series": 3,
    "unless": {"STATUS": "B"},
}


def stepping(*factors: float, status: str = "A") -> list[Row]:
    return [
        row(round(value * factor * (1 + 0.01 * year)), 2010 + year, fish=fish, STATUS=status)
        for fish, value in {"COD": 500, "HAKE": 900, "EEL": 2000, "_U": 700}.items()
        for year, factor in enumerate(factors)
    ]


def test_a_step_of_a_whole_table_must_be_marked() -> None:
    [found] = check(stepping(1, 1, 1, 2.5, 2.5, 2.5), SHIFT)
    assert (found.key, found.row) == ({"FREQ": "A", "QUAY": "N", "TIME_PERIOD": "2013"}, 5)
    assert found.message == "4 figures step to 2.51 times the level before, and nothing marks a break."
    assert check(stepping(1, 1, 1, 2.5, 2.5, 2.5, status="B"), SHIFT) == []
    assert check(stepping(1, 1, 1, 2.5, 1, 1), SHIFT) == []  # back again: no other level
    assert check(stepping(1, 1, 1, 1, 1, 2.5), SHIFT) == []  # nobody knows yet


# --- subset ---------------------------------------------------------------------------------------------------------
def test_a_total_below_several_parts_is_told_once_at_the_total() -> None:
    rule = {"id": "V06", "kind": "subset", "dimension": "FISH", "total": "_T"}
    [found] = check([row(5, fish="_T"), row(6), row(7, fish="EEL"), row(3, fish="HAKE")], rule)
    assert (found.row, found.key["FISH"], found.value, found.expected) == (2, "_T", "5", "at least 7")
    assert found.message == "7 is more than the total 5 that it is part of."


# --- revision -------------------------------------------------------------------------------------------------------
def revised(rows: list[Row], before: list[Row], **more: Any) -> list[tuple[str, str | None, str | None]]:
    rule = {"id": "V18", "kind": "revision", "scope": "result", **more}
    return shown(check(rows, rule, history=stored(before)))


@pytest.mark.parametrize(
    ("value", "slip"),
    [(5243, None), (5423, "digits"), (-5243, "sign"), (524300, "power"), (52.43, "power"), (7001, "neighbour"),
     (5250, None)],
)  # fmt: skip
def test_slips_of_the_pen_are_known_by_what_was_before(value: float, slip: str | None) -> None:
    rule = {"test": "slip", "powers": [1, 2], "beside": ["FISH"], "least": 100, "message": {"en": "{slip}"}}
    before = [row(5243, 2010), row(7001, 2010, fish="HAKE"), row(5250, 2011)]
    rows = [row(value, 2010), row(5250, 2011), row(7001, 2010, fish="HAKE")]
    found = check(rows, {"id": "V18", "kind": "revision", "scope": "result", **rule}, history=stored(before))
    assert [one.message for one in found] == ([slip] if slip else [])


def test_a_figure_that_is_gone_is_told_unless_a_note_says_why() -> None:
    more = {"test": "withdrawn", "unless": ["NOTE"], "least": 1}
    before = years(5, 6, 0)
    assert revised([row(None, 2010, STATUS="M"), row(6, 2011)], before, **more) == [("2010", None, "5")]
    assert revised([row(None, 2010, STATUS="M", NOTE="secret")], before, **more) == []
    assert revised([row(None, 2012, STATUS="M")], before, **more) == []


def test_a_row_that_is_lost_is_named_where_nearly_all_are_there() -> None:
    before = table()
    assert revised(table((3, 4)), before, test="left_out") == [("2014", "107", None)]
    assert (
        revised(table(*((3, year) for year in range(8))), before, test="left_out") == []
    )  # a twelfth is more than a twentieth
    assert revised([one for one in before if one["TIME_PERIOD"] == "2012"], before, test="left_out") == []
