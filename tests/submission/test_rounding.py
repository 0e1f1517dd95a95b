"""Rounding: what rules of sums allow for, what a rounded figure can have been, what threshold and rounding tell."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.rules import read_rules
from sdmx_service.model.confidentiality import Confidentiality, PublicView
from sdmx_service.model.selection import Cube
from sdmx_service.submission.bounds import bounds
from sdmx_service.submission.rounding import (
    additivity,
    given_away,
    half,
    hidden_limits,
    told_limits,
)
from tests.submission.staging import broken, codelist, dataflow, rule_set, structure
from tests.submission.test_bounds import WIDE, sums_of
from tests.submission.test_rules import SEXES, Row, row, sent, stored

CUBE = structure("CUBE", ["FREQ", "AREA", "SEX"], attributes={"STATUS": None, "UNIT": ("FREQ", "AREA", "SEX")})
FLOW, OTHER = dataflow("FLOW", CUBE), dataflow("OTHER", CUBE)
WHOLE = {"id": "V01", "kind": "value", "integer": True, "minimum": 0}
BALANCE = {
    "id": "V07", "kind": "balance", "by": ["FREQ"],
    "terms": [{"name": "a", "where": {"SEX": "M"}}, {"name": "b", "where": {"SEX": "F"}, "sign": -1}],
    "equals": {"name": "c", "where": {"SEX": "_T"}},
}  # fmt: skip
PLAIN = {one: SEXES[one] for one in ("id", "kind", "dimension", "total", "parts", "optional")}


def catalog(*, whole: bool = False, **view: Any) -> Catalog:
    document = Confidentiality(
        id="C", structures=(Cube.of(CUBE),), status="STATUS", confidential=("C",), primary="C",
        dataflows={"TEST:FLOW(1)": PublicView(**view)},
    )  # fmt: skip
    rules = {"RULES": rule_set("TEST:FLOW", PLAIN, *([WHOLE] if whole else []))}
    areas = codelist("AREA", {"A": None})
    return Catalog.of([CUBE, FLOW, OTHER, areas], confidentiality={"C": document}, rule_sets=rules)


def count(rows: list[Row], rule: Mapping[str, Any], known: Catalog, **more: Any) -> int:
    with sent(rows) as workspace:
        return len(broken(workspace, [rule_set("TEST:FLOW", rule)], known, **more))


# --- rules of sums ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("total", "view", "whole", "found"),
    [
        (100, {"rounded": 5}, False, 0),
        (107.5, {"rounded": 5}, False, 0),  # half of 5 for each of three figures
        (107.6, {"rounded": 5}, False, 1),
        (106, {"rounded": 5}, True, 0),  # whole numbers are off by 2 at most
        (107, {"rounded": 5}, True, 1),
        (115, {"rounded": 10}, True, 0),  # half of an even base is whole
        (116, {"rounded": 10}, True, 1),
        (105, {}, True, 1),
        (105, {"rounding": 5}, True, 1),  # the public sees it rounded, but what is sent is not
    ],
)
def test_a_sum_of_rounded_figures_misses_by_half_the_base_per_figure(
    total: float, view: Mapping[str, float], whole: bool, found: int
) -> None:
    rows = [row("_T", total), row("M", 40), row("F", 60)]
    assert count(rows, PLAIN, catalog(whole=whole, **view)) == found
    less = [row("_T", 200 - total), row("M", 40), row("F", 60)]
    assert count(less, PLAIN, catalog(whole=whole, **view)) == found


@settings(max_examples=40, deadline=None)
@given(
    parts=st.lists(st.integers(0, 60), min_size=2, max_size=3),
    base=st.sampled_from([3, 5, 10]),
    slip=st.integers(0, 4),
)
def test_no_rounded_table_is_taken_for_a_wrong_one(parts: list[int], base: int, slip: int) -> None:
    """Figures that are rounded each by themselves pass; a total that is off by more than they can be does not."""
    codes = ("M", "F", "_U")
    rounded = [base * math.floor(one / base + 0.5) for one in parts]
    total = base * math.floor(sum(parts) / base + 0.5)
    known = catalog(whole=True, rounded=base)
    rows = [row(code, one) for code, one in zip(codes, rounded, strict=False)]
    assert count([*rows, row("_T", total)], PLAIN, known) == 0
    most = (len(parts) + 1) * half(base, is_whole=True)
    wrong = sum(rounded) + math.floor(most) + 1 + slip
    assert count([*rows, row("_T", wrong)], PLAIN, known) == 1


def test_stored_figures_are_read_as_the_public_sees_them() -> None:
    """The total is sent as it is, the stored parts are read rounded: 2 for each of these, nothing for the total."""
    rule = {**PLAIN, "scope": "result"}
    parts = [row("M", 40), row("F", 60)]
    known = catalog(whole=True, rounding=5)
    assert count([row("_T", 104)], rule, known, history=stored(parts)) == 0
    assert count([row("_T", 105)], rule, known, history=stored(parts)) == 1
    assert count([row("_T", 101)], rule, catalog(whole=True), history=stored(parts)) == 1


def test_only_figures_with_the_attribute_are_rounded() -> None:
    known = catalog(whole=True, rounded=5, when={"STATUS": ("P",)})
    rows = [row("_T", 104), row("M", 40, STATUS="P"), row("F", 60, STATUS="P")]
    assert count(rows, PLAIN, known) == 0
    assert count([rows[0], rows[1], row("F", 60, STATUS="A")], PLAIN, known) == 1


def test_a_balance_allows_for_rounding_too() -> None:
    known = catalog(whole=True, rounded=5)
    assert count([row("M", 60), row("F", 40), row("_T", 26)], BALANCE, known) == 0
    assert count([row("M", 60), row("F", 40), row("_T", 27)], BALANCE, known) == 1


@pytest.mark.parametrize(
    ("operator", "left", "right", "found"),
    [("le", 45, 40, 1), ("eq", 45, 40, 1), ("le", 40, 40, 0), ("lt", 40, 40, 0), ("lt", 41, 40, 1), ("lt", 40, 45, 0)],
)
def test_rounding_alike_keeps_the_order_of_two_figures(operator: str, left: int, right: int, found: int) -> None:
    """So nothing is allowed for, but that a smaller figure may be rounded to the same."""
    rule = {
        "id": "V05", "kind": "compare", "by": ["FREQ"], "operator": operator,
        "left": {"where": {"SEX": "M"}}, "right": {"where": {"SEX": "_T"}},
    }  # fmt: skip
    assert count([row("M", left), row("_T", right)], rule, catalog(whole=True, rounded=5)) == found


def test_a_sent_figure_is_compared_with_one_that_is_read_rounded() -> None:
    rule = {
        "id": "V05", "kind": "compare", "by": ["FREQ"], "operator": "eq", "scope": "result",
        "left": {"where": {"SEX": "M"}}, "right": {"where": {"SEX": "_T"}},
    }  # fmt: skip
    known = catalog(whole=True, rounding=5)
    assert count([row("M", 42)], rule, known, history=stored([row("_T", 40)])) == 0
    assert count([row("M", 43)], rule, known, history=stored([row("_T", 40)])) == 1


def test_a_withheld_figure_among_rounded_ones_is_told_about() -> None:
    """One sum does not tell it exactly any more; it says between what it lies."""
    one = {"id": "V21", "kind": "recoverable", "missing": {"STATUS": ["C"]}, "dimension": "SEX", "total": "_T",
           "parts": ["M", "F"]}  # fmt: skip
    near = {"id": "V24", "kind": "disclosure", "within": "range"}
    rows = [row("_T", 1000), row("M", 400), row("F", None, STATUS="C")]
    for rule, plain, rounded in ((one, 1, 0), (near, 0, 1)):
        assert count(rows, rule, catalog()) == plain
        assert count(rows, rule, catalog(rounded=5)) == rounded


# --- rules of parts, shares and several tables -----------------------------------------------------------------------

SUBSET = {"id": "V06", "kind": "subset", "dimension": "SEX", "total": "_T"}
SHARE = {"id": "V14", "kind": "share", "dimension": "SEX", "codes": ["M", "_U"], "total": "_T"}
AGREE: dict[str, Any] = {
    "id": "V22", "kind": "agree", "by": ["FREQ"],
    "figures": [
        {"name": "sexes", "where": {"AREA": "A"}, "dimension": "SEX", "total": "_T"},
        {"name": "area", "where": {"AREA": "B", "SEX": "_T"}},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("total", "view", "whole", "found"),
    [
        (43, {"rounding": 5}, True, 0),  # the part was sent as it is, the total is read rounded
        (42, {"rounding": 5}, True, 1),
        (42.5, {"rounding": 5}, False, 0),
        (42.4, {"rounding": 5}, False, 1),
        (44, {}, True, 1),
        (43, {"rounded": 3, "rounding": 5}, True, 0),  # ... rounded twice: 1 and 2, and 1 for what is sent
        (41, {"rounded": 3, "rounding": 5}, True, 0),
        (40, {"rounded": 3, "rounding": 5}, True, 1),
        (44, {"rounded": 5}, True, 1),  # rounded alike: the part was more than the total before too
        (44, {"rounded": 5, "rounding": 5}, True, 1),
    ],
)
def test_a_part_is_compared_with_a_total_that_is_read_rounded(
    total: float, view: Mapping[str, float], whole: bool, found: int
) -> None:
    known, rule = catalog(whole=whole, **view), {**SUBSET, "scope": "result"}
    assert count([row("M", 45)], rule, known, history=stored([row("_T", total)])) == found
    assert count([row("_T", 100 - 45)], rule, known, history=stored([row("M", 100 - total)])) == found


def test_parts_that_are_rounded_as_the_total_is_are_not_more_than_it() -> None:
    known = catalog(whole=True, rounded=5)
    assert count([row("M", 105), row("_T", 100)], SUBSET, known) == 1
    assert count([row("M", 100), row("_T", 100)], SUBSET, known) == 0


def test_a_part_without_the_attribute_is_compared_with_a_rounded_total() -> None:
    known = catalog(whole=True, rounded=5, when={"STATUS": ("P",)})
    assert count([row("M", 102), row("_T", 100, STATUS="P")], SUBSET, known) == 0
    assert count([row("M", 103), row("_T", 100, STATUS="P")], SUBSET, known) == 1
    assert count([row("M", 102), row("_T", 100, STATUS="A")], SUBSET, known) == 1
    assert count([row("M", 103), row("F", 103), row("_T", 100, STATUS="P")], SUBSET, known) == 1


@settings(max_examples=40, deadline=None)
@given(part=st.integers(0, 60), rest=st.integers(0, 6), base=st.sampled_from([3, 5, 10]), is_stored=st.booleans())
def test_no_rounded_part_is_taken_for_too_great(part: int, rest: int, base: int, is_stored: bool) -> None:
    """Whatever is rounded: both, or the total alone, which is read as the public sees it."""
    total = base * math.floor((part + rest) / base + 0.5)
    known = catalog(whole=True, **{"rounding" if is_stored else "rounded": base})
    if is_stored:
        rule = {**SUBSET, "scope": "result"}
        assert count([row("M", part)], rule, known, history=stored([row("_T", total)])) == 0
    else:
        assert count([row("M", base * math.floor(part / base + 0.5)), row("_T", total)], SUBSET, known) == 0


@pytest.mark.parametrize(
    ("limit", "male", "view", "found"),
    [
        ({"maximum": 0.5}, 48, {"rounded": 5}, 0),  # 48 + 5 of 100: off by 2 twice, and by half of 2
        ({"maximum": 0.5}, 50, {"rounded": 5}, 0),
        ({"maximum": 0.5}, 51, {"rounded": 5}, 1),
        ({"maximum": 0.5}, 46, {}, 1),
        ({"maximum": 0.5}, 46, {"rounding": 5}, 1),
        ({"minimum": 0.5}, 40, {"rounded": 5}, 0),
        ({"minimum": 0.5}, 39, {"rounded": 5}, 1),
        ({"minimum": 0.5}, 44, {}, 1),
        ({"minimum": 0.1, "maximum": 0.45}, 45, {"rounded": 5}, 1),  # off by 4.9: 50 is more than 49.9
        ({"minimum": 0.1, "maximum": 0.451}, 45, {"rounded": 5}, 0),
    ],
)
def test_a_share_of_rounded_figures_may_be_off(
    limit: Mapping[str, float], male: int, view: Mapping[str, float], found: int
) -> None:
    rows = [row("M", male), row("_U", 5), row("_T", 100)]
    assert count(rows, {**SHARE, **limit}, catalog(whole=True, **view)) == found


def test_only_shares_of_figures_with_the_attribute_may_be_off() -> None:
    known, rule = catalog(whole=True, rounded=5, when={"STATUS": ("P",)}), {**SHARE, "maximum": 0.5}
    assert count([row("M", 52, STATUS="P"), row("_T", 100)], rule, known) == 0
    assert count([row("M", 51, STATUS="A"), row("_T", 100, STATUS="P")], rule, known) == 0
    assert count([row("M", 52, STATUS="A"), row("_T", 100, STATUS="P")], rule, known) == 1


def test_the_share_of_a_stored_figure_is_that_of_what_the_public_sees() -> None:
    known, rule = catalog(whole=True, rounding=5), {**SHARE, "maximum": 0.5, "scope": "result"}
    assert count([row("M", 51)], rule, known, history=stored([row("_T", 100)])) == 0
    assert count([row("M", 52)], rule, known, history=stored([row("_T", 100)])) == 1


def two_tables(total: float, *parts: float, listed: bool = True) -> list[Row]:
    codes = ("M", "F", "_U") if listed else ("_T",)
    return [*(row(code, one) for code, one in zip(codes, parts, strict=False)), row("_T", total, area="B")]


@pytest.mark.parametrize(
    ("total", "parts", "view", "found"),
    [
        (106, (40, 60), {"rounded": 5}, 0),  # 2 for each of two parts and the total
        (107, (40, 60), {"rounded": 5}, 1),
        (94, (40, 60), {"rounded": 5}, 0),
        (93, (40, 60), {"rounded": 5}, 1),
        (108, (40, 50, 10), {"rounded": 5}, 0),
        (109, (40, 50, 10), {"rounded": 5}, 1),
        (101, (40, 60), {}, 1),
        (101, (40, 60), {"rounding": 5}, 1),
        (100, (40, 60), {}, 0),
    ],
)
def test_two_tables_may_tell_a_total_differently_that_is_rounded(
    total: float, parts: tuple[float, ...], view: Mapping[str, float], found: int
) -> None:
    assert count(two_tables(total, *parts), AGREE, catalog(whole=True, **view)) == found


def test_totals_that_are_rounded_alike_are_the_same() -> None:
    """A figure is rounded to one multiple, whichever table it stands in; beside an exact one it may be off."""
    known = catalog(whole=True, rounded=10)
    assert count(two_tables(110, 100, listed=False), AGREE, known) == 1
    assert count(two_tables(100, 100, listed=False), AGREE, known) == 0
    assert count(two_tables(110, 100), AGREE, known) == 0  # here 100 is the sum of one part
    sexes, area = AGREE["figures"]
    rule = {**AGREE, "figures": [{**sexes, "dataflow": "TEST:OTHER"}, area]}
    assert count([row("_T", 104, area="B")], rule, catalog(rounded=10), history=other([row("_T", 99)])) == 0
    assert count([row("_T", 105, area="B")], rule, catalog(rounded=10), history=other([row("_T", 99)])) == 1


def test_whole_numbers_that_different_bases_put_off_as_far_need_not_keep_their_order() -> None:
    """7 is 8 as a multiple of 4, and 5 as one of 5: what both can be off by is allowed."""
    views = {"TEST:FLOW(1)": PublicView(rounded=4), "TEST:OTHER(1)": PublicView(rounded=5)}
    document = replace(catalog().confidentiality["C"], dataflows=views)
    whole = read_rules({"id": "WHOLE", "applies_to": ["TEST:CUBE"], "rules": [WHOLE]}, "test")
    known = Catalog.of([CUBE, FLOW, OTHER], confidentiality={"C": document}, rule_sets={"WHOLE": whole})
    there = {"where": {"SEX": "_T"}, "dataflow": "TEST:OTHER"}
    rule = {"id": "V05", "kind": "compare", "by": ["FREQ"], "operator": "le", "scope": "result", "right": there,
            "left": {"where": {"SEX": "_T"}, "dataflow": "TEST:FLOW"}}  # fmt: skip
    agree = {"id": "V22", "kind": "agree", "by": ["FREQ"],
             "figures": [{"name": "here", "where": {"SEX": "_T"}}, {"name": "there", **there}]}  # fmt: skip
    for one in (rule, agree):
        assert count([row("_T", 8)], one, known, history=other([row("_T", 5)])) == 0
        assert count([row("_T", 9)], one, known, history=other([row("_T", 5)])) == 0
        assert count([row("_T", 10)], one, known, history=other([row("_T", 5)])) == 1


def other(rows: list[Row]) -> Any:
    """A store that shows these rows of the dataflow OTHER."""
    shown = stored(rows)
    flow = FLOW.ref
    return lambda ref, where: shown(flow, where) if ref.id == "OTHER" else iter(())


# --- what the public knows -------------------------------------------------------------------------------------------


def shown(figure: int, view: PublicView) -> float | None:
    """What the public sees of a count, in plain Python; None: it is hidden."""
    if 0 < figure < view.threshold:
        return None
    return view.rounding * math.floor(figure / view.rounding + 0.5) if view.rounding else float(figure)


def limits_of(view: PublicView, told: float) -> tuple[float, float]:
    low, high = told_limits(view, repr(float(told)), is_whole=True)
    table = duckdb.sql(f"SELECT {low} AS low, {high} AS high").to_arrow_table()
    return float(table["low"][0].as_py()), float(table["high"][0].as_py())


VIEWS = [
    PublicView(threshold=threshold, rounding=rounding)
    for threshold in (0, 2, 3, 5, 7, 10)
    for rounding in (0, 3, 5, 10)
]


@pytest.mark.parametrize("view", VIEWS)
def test_limits_are_those_of_all_counts_that_are_shown_so(view: PublicView) -> None:
    possible: dict[float | None, list[int]] = {}
    for figure in range(60):
        possible.setdefault(shown(figure, view), []).append(figure)
    for told, figures in possible.items():
        if told is None:
            assert hidden_limits(view, is_whole=True) == (figures[0], figures[-1])
        elif told < 45:
            low, high = limits_of(view, told)
            assert (max(low, 0), high) == (figures[0], figures[-1]), (told, figures)


@pytest.mark.parametrize("view", VIEWS)
def test_what_threshold_and_rounding_tell_of_each_other(view: PublicView) -> None:
    """A multiple that only one count can be shown as, since the threshold hides the others; and a single hidden one."""
    possible: dict[float | None, list[int]] = {}
    for figure in range(100):
        possible.setdefault(shown(figure, view), []).append(figure)
    single = {told: figures[0] for told, figures in possible.items() if len(figures) == 1 and told != 0}
    said = list(given_away(view, 0.1, is_whole=True))
    if view.rounding:
        assert len([one for one in said if " hides what else" in one]) == len(
            [one for one in single if one is not None]
        )
    assert any("can only be 1." in one for one in said) is (None in single)


def test_a_multiple_next_to_the_threshold_tells_the_figure() -> None:
    said = list(given_away(PublicView(threshold=7, rounding=5), 0.1, is_whole=True))
    assert said == ["A figure that is shown as 5 can only be 7: the threshold of 7 hides what else is rounded to it."]
    assert list(given_away(PublicView(threshold=3, rounding=5), 0.1, is_whole=True)) == []
    assert list(given_away(PublicView(threshold=10, rounding=5), 0.1, is_whole=True)) == []
    assert list(given_away(PublicView(threshold=2), 0.1, is_whole=True)) == [
        "A figure that the threshold of 2 hides can only be 1."
    ]


def test_additivity_in_words() -> None:
    assert additivity(PublicView(), is_whole=True) is None
    assert "by up to 2 for itself and 2 for each part" in (additivity(PublicView(rounding=5), is_whole=True) or "")
    assert "by up to 2.5 for itself" in (additivity(PublicView(rounding=5), is_whole=False) or "")


@st.composite
def lines(draw: Any) -> tuple[PublicView, list[list[int]]]:
    view = draw(st.sampled_from([one for one in VIEWS if one.threshold and one.rounding != 10]))
    return view, [[draw(st.integers(0, 9)) for _ in range(2)] for _ in range(draw(st.integers(1, 2)))]


@settings(max_examples=60, deadline=None)
@given(made=lines())
def test_no_limit_is_narrower_than_what_is_possible(made: tuple[PublicView, list[list[int]]]) -> None:
    """Every table that would be shown alike is tried: the limits hold them all, and one table alone is told exactly."""
    view, inner = made
    wide = [[*line, sum(line)] for line in inner]
    if len(wide) > 1:
        wide.append([sum(column) for column in zip(*wide, strict=True)])
    cells = [one for line in wide for one in line]
    equations = [[(3 * r, 1.0), (3 * r + 1, 1.0), (3 * r + 2, -1.0)] for r in range(len(wide))]
    if len(wide) > 1:
        equations += [[(c, 1.0), (3 + c, 1.0), (6 + c, -1.0)] for c in range(3)]
    public = [shown(one, view) for one in cells]
    limits = [hidden_limits(view, is_whole=True) if one is None else limits_of(view, one) for one in public]
    made_sums = sums_of(equations, [math.nan if one is None else one for one in public])
    low, high = (np.array([one[place] for one in limits], np.float64) for place in (0, 1))
    found = bounds(replace(made_sums, limits=(np.maximum(low, 0), high)), WIDE, 20)
    rows = [
        [
            [one, other, one + other]
            for one, other in itertools.product(range(13), repeat=2)
            if [shown(figure, view) for figure in (one, other, one + other)] == public[3 * place : 3 * place + 3]
        ]
        for place in range(len(inner))
    ]
    fitting = []
    for tried in itertools.product(*rows):
        table = [*tried, *([[sum(column) for column in zip(*tried, strict=True)]] if len(tried) > 1 else [])]
        flat = [one for line in table for one in line]
        if [shown(one, view) for one in flat] == public:
            fitting.append(flat)
    for cell, one in enumerate(public):
        if one is None:
            wanted = [flat[cell] for flat in fitting]
            assert found.lower[cell] <= min(wanted) + 1e-6
            assert found.upper[cell] >= max(wanted) - 1e-6
            if abs(found.upper[cell] - found.lower[cell]) < 1e-6:
                assert set(wanted) == {cells[cell]}
