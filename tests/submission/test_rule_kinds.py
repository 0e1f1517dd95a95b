"""The further kinds of rules, on small tables of a made-up harbour: what is landed, by quay, kind of fish and year."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.rules import read_rules
from sdmx_service.errors import InvalidStructure
from sdmx_service.model.finding import Finding
from sdmx_service.model.urn import Ref
from sdmx_service.submission.rule_periods import period_position
from sdmx_service.submission.workspace import Workspace
from tests.submission.staging import broken, codelist, dataflow, part, rule_set, structure, typed

LANDINGS = structure(
    "LANDINGS",
    ["FREQ", "QUAY", "FROM", "FISH"],
    attributes={"STATUS": None, "METHOD": None, "NOTE": None, "UNIT": ("FREQ", "QUAY", "FROM", "FISH")},
)
BY_FISH, BY_QUAY, SALES = (dataflow(id, LANDINGS) for id in ("BY_FISH", "BY_QUAY", "SALES"))
FISH = codelist("FISH", {"_T": None, "COD": "WHITE", "HAKE": "WHITE", "WHITE": None, "EEL": None, "_U": None})
CATALOG = Catalog.of([LANDINGS, BY_FISH, BY_QUAY, SALES, FISH])
Row = dict[str, Any]


def row(value: object, period: object = 2020, quay: str = "N", fish: str = "COD", **more: object) -> Row:
    key = {"FREQ": "A", "QUAY": quay, "FROM": "SEA", "FISH": fish, "TIME_PERIOD": str(period), "STATUS": "A"}
    return {**key, "OBS_VALUE": value, **more}


def years(*values: object, first: int = 2010, **more: Any) -> list[Row]:
    return [row(value, first + place, **more) for place, value in enumerate(values)]


def stored(rows: Sequence[Row], flow: str = "BY_FISH") -> Any:
    """A store that shows these rows of a dataflow."""

    def history(ref: Ref, where: Mapping[str, Collection[str]]) -> Iterator[pa.RecordBatch]:
        wanted = [one for one in rows if all(one[id] in codes for id, codes in where.items())]
        if ref.id == flow and wanted:
            yield typed(LANDINGS, wanted).drop_columns(["_row", "_column", "_sheet"])

    return history


def check(rows: Sequence[Row], rule: Mapping[str, Any], *more: tuple[Any, Sequence[Row]], **kept: Any) -> list[Finding]:
    """What a rule finds in rows of BY_FISH, and of other dataflows beside."""
    with Workspace("200MB") as workspace:
        workspace.add(part(BY_FISH, LANDINGS), typed(LANDINGS, rows))
        for flow, others in more:
            workspace.add(part(flow, LANDINGS), typed(LANDINGS, others, first_row=100))
        return broken(workspace, [rule_set("TEST:BY_FISH", rule)], CATALOG, **kept)


def shown(found: Sequence[Finding]) -> list[tuple[str, str | None, str | None]]:
    return [(one.key.get("TIME_PERIOD", ""), one.value, one.expected) for one in found]


# --- change ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("test", "more", "values", "expected"),
    [
        ("ratio", {"limit": 2}, (100, 199, 401, 200, None, 900), [("2012", "401", "199"), ("2013", "200", "401")]),
        ("ratio", {"limit": 2, "gap": 2}, (100, None, 300), [("2012", "300", "100")]),
        ("ratio", {"limit": 2, "least": 50}, (1, 40, 4, 60), [("2013", "60", "4")]),
        ("ratio", {"limit": 2}, (0, 7, 0), [("2011", "7", "0"), ("2012", "0", "7")]),
        ("average", {"limit": 2}, (100, 100, 130, 300, 130), [("2013", "300", "115")]),
        ("spike", {"limit": 3}, (100, 400, 110, 30, 120, 100), [("2011", "400", "105"), ("2013", "30", "115")]),
        ("deviation", {"limit": 3, "periods": 4}, (10, 11, 9, 10, 10, 14), [("2015", "14", "10")]),
        ("deviation", {"limit": 3, "periods": 6}, (10, 11, 9, 10, 10, 14), []),
    ],
)
def test_a_figure_far_from_its_series_is_found(test: str, more: Any, values: Any, expected: Any) -> None:
    rule = {"id": "V09", "kind": "change", "test": test, **more}
    others = years(5, 5, 5, quay="S")
    assert shown(check([*years(*values), *others], rule)) == expected
    assert shown(check([*years(*values), *others], {**rule, "when": {"QUAY": "S"}})) == []


def test_no_ratio_to_nothing() -> None:
    rule = {"id": "V09", "kind": "change", "test": "ratio", "limit": 2, "message": {"en": "{ratio} times {previous}"}}
    assert [one.message for one in check(years(0, 7, 0), rule)] == ["∞ times 0", "0 times 7"]
    rule = {"id": "V18", "kind": "revision", "scope": "result", "message": {"en": "{change} %"}}
    found = check(years(5, 6), rule, history=stored(years(0, 8)))
    assert [one.message for one in found] == ["∞ %", "-25 %"]


def test_the_figure_before_may_be_the_stored_one_and_a_sent_one_takes_its_place() -> None:
    rule = {"id": "V09", "kind": "change", "test": "ratio", "limit": 2, "scope": "result"}
    kept = [*years(100, 100), *years(1, 1, quay="S")]
    assert shown(check([row(300, 2012)], rule, history=stored(kept))) == [("2012", "300", "100")]
    assert check([row(300, 2012), row(290, 2011), row(150, 2010)], rule, history=stored(kept)) == []
    assert check([row(300, 2012)], rule, history=stored([])) == []


def test_an_empty_merge_keeps_the_stored_figure() -> None:
    rule = {"id": "V09", "kind": "change", "test": "ratio", "limit": 2, "scope": "result"}
    found = check([row(None, 2011, STATUS="E")], rule, history=stored(years(100, 300)))
    assert shown(found) == [("2011", "300", "100")]


figures = st.one_of(st.none(), st.just("NaN"), st.integers(0, 9))
some_years = st.dictionaries(st.tuples(st.sampled_from("NS"), st.integers(2010, 2014)), figures, max_size=10)


@settings(max_examples=30)
@given(some_years, some_years)
def test_changes_are_those_of_plain_python(old: dict[tuple[str, int], Any], new: dict[tuple[str, int], Any]) -> None:
    rule = {"id": "V09", "kind": "change", "test": "ratio", "limit": 2, "scope": "result"}
    rows = [[row(value, year, quay) for (quay, year), value in one.items()] for one in (old, new)]
    known = {**old, **{key: value for key, value in new.items() if value is not None or key not in old}}
    expected = set()
    for quay, year in new:
        value, before = known[quay, year], known.get((quay, year - 1))
        if isinstance(value, int) and isinstance(before, int) and (value > 2 * before or before > 2 * value):
            expected.add((quay, str(year)))
    found = check(rows[1], rule, history=stored(rows[0])) if new else []
    assert {(one.key["QUAY"], one.key["TIME_PERIOD"]) for one in found} == expected


# --- scale, copied --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((5, 6, 5500, 5), [("2012", "5500", "6")]),
        ((5_000_000, 6_000_000, 5, 5_500_000), [("2012", "5", "6000000")]),
        ((5000, 5), [("2011", "5", "5000")]),
        ((5, 6, 60, 5), []),
        ((0, 5000, 5100), []),
        ((5, 50, 500, 5000), []),
        ((4_000, 8_000, 16_000, 32, 64_000, 128_000, 256_000), [("2013", "32", "16000")]),
    ],
)
def test_a_slip_of_the_unit_is_found(values: Any, expected: Any) -> None:
    rule = {"id": "V11", "kind": "scale", "powers": [3, 6], "within": 2}
    assert shown(check(years(*values), rule)) == expected
    assert check(years(*values), {**rule, "least": 1e8}) == []


def test_a_repeated_year_is_found_once_per_group() -> None:
    rule = {"id": "V11", "kind": "copied", "by": ["QUAY"], "limit": 0.9, "least": 3}
    rows = [
        row(value + (year if quay == "S" else 0), 2010 + year, quay, fish)
        for quay in "NS"
        for year in (0, 1)
        for fish, value in {"COD": 3, "HAKE": 4, "EEL": 5, "_U": 0}.items()
    ]
    [found] = check(rows, rule)
    assert found.key == {"QUAY": "N", "TIME_PERIOD": "2011"}
    assert found.message == "3 of 3 figures repeat those of the period before."
    assert check(rows, {**rule, "least": 4}) == []


# --- attribute ------------------------------------------------------------------------------------------------------
def test_a_lacking_attribute_is_counted_per_group() -> None:
    rule = {"id": "V17", "kind": "attribute", "test": "present", "attributes": ["METHOD", "NOTE"], "by": ["QUAY"]}
    rows = [*years(1, 2, 3), *years(1, 2, quay="S", METHOD="NET", NOTE="x"), row(4, 2013, METHOD="NET")]
    found = check(rows, rule)
    assert [(one.key["QUAY"], one.row, one.message) for one in found] == [
        ("N", 2, "METHOD is not as it should be in 3 figures."),
        ("N", 2, "NOTE is not as it should be in 4 figures."),
    ]
    assert check(rows, {**rule, "providers": ["X*"]}) == []
    assert len(check(rows, {**rule, "providers": ["P*"]})) == 2


def test_an_attribute_that_others_imply() -> None:
    rule = {"id": "V16", "kind": "attribute", "test": "implied", "when": {"METHOD": ["LINE"]}, "then": {"STATUS": "D"}}
    rows = [row(1, 2010, METHOD="LINE"), row(1, 2011, METHOD="LINE", STATUS="D"), row(1, 2012, METHOD="NET")]
    rows += [row(1, 2013, METHOD="LINE", STATUS=None)]
    assert [(one.row, one.value, one.expected) for one in check(rows, rule)] == [(2, "A", "D"), (5, None, "D")]


def test_a_change_of_an_attribute_must_be_marked() -> None:
    rule = {
        "id": "V15", "kind": "attribute", "test": "changed", "attributes": ["METHOD", "NOTE"],
        "unless": {"STATUS": ["B"]}, "message": {"en": "{component}: {previous}, then {value}"},
    }  # fmt: skip
    methods = ("NET", "NET", "LINE", "NET", None, "LINE")
    rows = [row(1, 2010 + place, METHOD=method) for place, method in enumerate(methods)]
    rows[2]["STATUS"] = "B"
    found = check(rows, rule)
    assert [(one.key["TIME_PERIOD"], one.message) for one in found] == [("2013", "METHOD: LINE, then NET")]
    kept = stored([row(1, 2009, METHOD="LINE")])
    found = check(rows[:2], {**rule, "scope": "result"}, history=kept)
    assert [one.key["TIME_PERIOD"] for one in found] == ["2010"]


# --- along a dimension ----------------------------------------------------------------------------------------------
def test_a_share_out_of_range() -> None:
    rule = {"id": "V20", "kind": "share", "dimension": "FISH", "codes": ["_U", "EEL"], "total": "_T", "maximum": 0.5}
    rows = [
        row(10, fish="_T"),
        row(4, fish="_U"),
        row(2, fish="EEL"),
        row(10, 2021, fish="_T"),
        row(5, 2021, fish="_U"),
    ]
    [found] = check(rows, rule)
    assert (found.row, found.value, found.expected) == (3, "6", "50 % or less")
    assert found.message == "6 of 10 are 60 %, expected are 50 % or less."
    assert check(rows, {**rule, "least": 11}) == []
    low = {**rule, "codes": ["_U"], "maximum": None, "minimum": 0.45}
    assert [one.key["TIME_PERIOD"] for one in check(rows, low)] == ["2020"]
    assert check([*rows[:1], row(None, fish="_U"), row(8, fish="EEL")], rule) == []


def test_a_peak_at_an_odd_place() -> None:
    rule = {"id": "V13", "kind": "peak", "dimension": "FISH", "codes": ["COD", "HAKE", "EEL"], "expected": ["COD"]}
    rows = [row(5), row(6, fish="HAKE"), row(1, fish="EEL"), row(9, 2021), row(6, 2021, fish="HAKE")]
    [found] = check(rows, rule)
    assert (found.row, found.key["FISH"], found.value) == (3, "HAKE", "6")
    assert check(rows, {**rule, "least": 13}) == []


def test_a_part_is_not_more_than_its_total() -> None:
    rule = {"id": "V06", "kind": "subset", "dimension": "FISH", "total": "_T", "except": ["EEL"]}
    rows = [row(5, fish="_T"), row(6), row(7, fish="EEL"), row(5, fish="HAKE"), row(9, 2021), row(9, quay="S")]
    [found] = check(rows, rule)
    assert (found.row, found.value, found.expected, found.key["FISH"]) == (3, "6", "at most 5", "COD")
    assert check(rows, {**rule, "tolerance": 1}) == []
    assert len(check(rows[1:], {**rule, "scope": "result"}, history=stored(rows[:1]))) == 1


def test_a_part_is_compared_only_where_the_unit_of_the_series_is_right() -> None:
    rule = {"id": "V06", "kind": "subset", "dimension": "FISH", "total": "_T", "when": {"UNIT": ["T"]}}
    rows = [row(5, fish="_T", UNIT="PCT"), row(6, UNIT="PCT"), row(5, quay="S", fish="_T"), row(6, quay="S")]
    assert check(rows, rule) == []
    units = [{"FREQ": "A", "FROM": "SEA", "QUAY": "S", "FISH": fish, "UNIT": "T"} for fish in ("_T", "COD")]
    assert [one.key["QUAY"] for one in check([*rows, *units], rule)] == ["S"]


def test_a_group_beside_its_members_is_told_once() -> None:
    rule = {"id": "V19", "kind": "members", "dimension": "FISH", "by": ["QUAY"]}
    rows = [*years(1, 2), *years(3, 4, fish="HAKE"), *years(4, 6, fish="WHITE"), *years(4, 6, fish="WHITE", quay="S")]
    [found] = check(rows, rule)
    assert (found.row, found.value, found.key) == (6, "WHITE", {"QUAY": "N", "FISH": "WHITE"})
    assert found.message == "WHITE stands beside 2 codes that it contains."
    assert check(rows, {**rule, "except": ["WHITE"]}) == []


# --- pairs ----------------------------------------------------------------------------------------------------------
MIRROR = {
    "id": "V14", "kind": "mirror", "severity": "info", "dimensions": ["QUAY", "FROM"],
    "left": {"FISH": "COD"}, "right": {"FISH": "EEL"},
    "classes": [{"name": "near", "up_to": 1.2}, {"name": "apart", "up_to": 2}, {"name": "far"}],
}  # fmt: skip


def pair(arrived: object, left: object, quay: str, other: str, **more: object) -> list[Row]:
    """What a quay says to have come from another, and what that one says to have gone there."""
    return [row(arrived, quay=quay, FROM=other), row(left, quay=other, FROM=quay, fish="EEL", **more)]


def test_both_sides_are_classed_by_their_ratio() -> None:
    rows = [
        *pair(100, 110, "N", "S"), *pair(100, 201, "N", "W"), *pair(300, 200, "W", "S"), *pair(120, 100, "S", "N"),
        *pair(0, 9, "S", "W"), row(5, quay="E", FROM="N"),
    ]  # fmt: skip
    found = check(rows, MIRROR)
    classes = [(one.key["QUAY"], one.key["FROM"], one.message.rpartition(" ")[2].rstrip(".")) for one in found]
    assert classes == [("N", "S", "near"), ("S", "N", "near"), ("W", "S", "apart"), ("N", "W", "far")]
    assert found[0].message == "100 from one side, 110 from the other: ratio 0.909, near."


def test_one_side_may_be_stored_and_factors_correct_the_figures() -> None:
    rows = pair(100, 50, "N", "S", METHOD="LINE")
    rule = {**MIRROR, "scope": "result", "factors": {"attribute": "METHOD", "values": {"LINE": 2}}}
    [found] = check(rows[:1], rule, history=stored(rows[1:]))
    assert found.message.endswith("ratio 1, near.")
    [found] = check(rows[:1], {**MIRROR, "scope": "result"}, history=stored(rows[1:]))
    assert found.message.endswith("ratio 2, apart.")


HISTORY = (10, 30, 20, 60, 50, 90, 40)


@pytest.mark.parametrize(
    ("values", "lag"),
    [(HISTORY, None), ((5, *HISTORY[:-1]), "-1"), ((*HISTORY[1:], 70), "1"), (tuple(range(7)), None)],
)
def test_a_series_shifted_in_time_is_found(values: Sequence[int], lag: str | None) -> None:
    rule = {"id": "V10", "kind": "offset", "scope": "result", "by": ["QUAY", "FISH"], "lags": 2, "least": 5}
    found = check(years(*values), rule, history=stored(years(*HISTORY)))
    assert [one.value for one in found] == ([] if lag is None else [lag])
    other = {**rule, "against": "shown", "dataflow": "TEST:SALES", "where": {"FROM": "SEA"}}
    found = check(years(*values), other, history=stored(years(*HISTORY), "SALES"))
    assert [one.value for one in found] == ([] if lag is None else [lag])


def test_revisions_are_listed_and_great_ones_need_a_word() -> None:
    rule = {"id": "V18", "kind": "revision", "scope": "result", "severity": "info"}
    kept = stored(years(100, 100, 100, 0))
    rows = [row(100, 2010), row(101, 2011), row(120, 2012, NOTE="recount"), row(5, 2013), row(7, 2014)]
    found = check(rows, rule, history=kept)
    assert shown(found) == [("2011", "101", "100"), ("2012", "120", "100"), ("2013", "5", "0")]
    assert found[0].message == "101 was 100 before (difference 1)."
    found = check(rows, {**rule, "limit": 0.1, "unless": ["NOTE"]}, history=kept)
    assert shown(found) == [("2013", "5", "0")]


AGREE = {
    "id": "V05", "kind": "agree", "by": ["FREQ"],
    "figures": [
        {"name": "by fish", "dataflow": "TEST:BY_FISH", "where": {"QUAY": "_T", "FROM": "SEA"}, "dimension": "FISH",
         "total": "_T", "except": ["WHITE"]},
        {"name": "by quay", "dataflow": "TEST:BY_QUAY", "where": {"FISH": "_T", "FROM": "SEA"}, "dimension": "QUAY",
         "total": "_T"},
        {"name": "sales", "dataflow": "TEST:SALES", "where": {"FISH": "_T", "FROM": "SEA", "QUAY": "_T"}},
    ],
}  # fmt: skip


def test_totals_of_several_tables_are_told_side_by_side() -> None:
    fish = [row(30, fish="COD", quay="_T"), row(20, fish="EEL", quay="_T"), row(30, fish="WHITE", quay="_T")]
    quays = (BY_QUAY, [row(40, quay="N", fish="_T"), row(9, quay="S", fish="_T"), row(1, quay="_T")])
    sales = (SALES, [row(50, quay="_T", fish="_T")])
    [found] = check(fish, AGREE, quays, sales)
    assert (found.row, found.value, found.key) == (2, "50", {"FREQ": "A", "TIME_PERIOD": "2020"})
    assert found.expected == "50 (by fish), 49 (by quay), 50 (sales)"
    assert check(fish, {**AGREE, "tolerance": 1}, quays, sales) == []
    assert check(fish, AGREE, sales) == []
    total = row(49, fish="_T", quay="_T")
    assert [one.value for one in check([*fish, total], AGREE, sales)] == ["49"]
    assert check([*fish[:2], row(None, fish="HAKE", quay="_T")], AGREE, quays) == []


# --- recovery -------------------------------------------------------------------------------------------------------
def test_a_withheld_figure_that_a_sum_gives_away() -> None:
    rule = {
        "id": "C01", "kind": "recoverable", "missing": {"STATUS": ["Q"]}, "dimension": "FISH", "total": "_T",
        "parts": ["COD", "EEL"], "optional": ["_U"],
    }  # fmt: skip
    rows = [row(10, fish="_T"), row(7), row(None, fish="EEL", STATUS="Q"), row(1, fish="_U")]
    [found] = check(rows, rule)
    assert (found.row, found.value, found.key["FISH"]) == (4, "2", "EEL")
    assert found.message == "The withheld figure is 2: it follows from _T 10, COD 7, _U 1."
    rows[0] |= {"OBS_VALUE": None}  # absent, not withheld
    assert check(rows, rule) == []
    rows[0] |= {"STATUS": "Q"}
    assert check(rows, rule) == []
    rows[2] |= {"OBS_VALUE": 3}
    assert [(one.value, one.key["FISH"]) for one in check(rows, rule)] == [("11", "_T")]
    assert check([row(10, fish="_T"), row(None, fish="EEL", STATUS="Q")], rule) == []


def test_a_withheld_figure_that_a_balance_gives_away() -> None:
    rule = {
        "id": "C02", "kind": "recoverable", "missing": {"STATUS": "Q"},
        "terms": [{"name": "in", "where": {"FISH": "COD"}}, {"name": "out", "sign": -1, "where": {"FISH": "EEL"}},
                  {"name": "net", "sign": -1, "where": {"FISH": "_T"}}],
    }  # fmt: skip
    rows = [row(7), row(None, fish="EEL", STATUS="Q"), row(-3, fish="_T"), row(4, 2021), row(3, 2021, fish="EEL")]
    [found] = check(rows, rule)
    assert (found.row, found.value, found.message) == (
        3,
        "10",
        "The withheld figure is 10: it follows from in 7, net -3.",
    )


# --- faults ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ({"kind": "change", "test": "ratio"}, r"rules\[0\]: limit is needed"),
        ({"kind": "change", "test": "jump", "limit": 2}, r"rules\[0\].test: one of ratio"),
        ({"kind": "change", "limit": 0.5}, r"rules\[0\].limit: 1 or more"),
        ({"kind": "change", "limit": 2, "powers": [3]}, r"rules\[0\]: unknown powers"),
        ({"kind": "scale"}, r"rules\[0\].powers: powers of ten"),
        ({"kind": "copied", "least": 0}, r"rules\[0\].least: 1 or more"),
        ({"kind": "attribute"}, r"rules\[0\]: the test present needs attributes"),
        ({"kind": "attribute", "test": "implied"}, r"rules\[0\]: the test implied needs then"),
        ({"kind": "share", "dimension": "FISH", "codes": ["A"], "total": "B"}, r"minimum or maximum"),
        ({"kind": "share", "dimension": 5, "codes": ["A"], "total": "B"}, r"rules\[0\].dimension: a text"),
        ({"kind": "peak", "dimension": "FISH", "codes": ["A"]}, r"rules\[0\]: expected is needed"),
        ({"kind": "subset", "dimension": "FISH"}, r"rules\[0\]: total is needed"),
        ({"kind": "members"}, r"rules\[0\]: dimension is needed"),
        ({**MIRROR, "dimensions": ["QUAY"]}, r"rules\[0\].dimensions: the two"),
        ({**MIRROR, "classes": [{"name": "a"}, {"name": "b"}]}, r"rules\[0\].classes: classes with rising"),
        ({**MIRROR, "factors": {"attribute": "X", "values": {"A": 0}}}, r"rules\[0\].factors.values: factors above 0"),
        ({"kind": "offset"}, r"rules\[0\]: by is needed"),
        ({"kind": "revision", "limit": -1}, r"rules\[0\].limit: 0 or more"),
        ({"kind": "recoverable", "missing": {"STATUS": "Q"}}, r"rules\[0\]: either dimension"),
        ({"kind": "recoverable", "terms": [{"where": {"A": "B"}}] * 2}, r"rules\[0\]: missing is needed"),
        ({"kind": "agree", "by": ["FREQ"], "figures": []}, r"rules\[0\].figures: at least two"),
        ({"kind": "agree", "by": ["FREQ"], "figures": [{"name": "a", "dimension": "B"}] * 2}, r"figures\[0\]: total"),
        ({"kind": "guess"}, r"rules\[0\].kind: one of sum"),
    ],
)
def test_a_damaged_rule_is_refused_with_its_place(rule: dict[str, Any], place: str) -> None:
    with pytest.raises(InvalidStructure, match=place) as caught:
        read_rules({"id": "R", "applies_to": ["TEST:BY_FISH"], "rules": [{**rule, "id": "X"}]}, "file.json")
    assert caught.value.code == "E401"
    assert caught.value.detail.startswith("file.json.rules")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"kind": "change", "limit": 2, "when": {"UNIT": "T"}}, "no UNIT at the observation"),
        ({"kind": "copied", "by": ["BOAT"]}, "no dimension BOAT"),
        ({"kind": "attribute", "attributes": ["UNIT"]}, "no 'UNIT' at the observation"),
        ({"kind": "attribute", "test": "changed", "attributes": ["UNIT"]}, "no 'UNIT' at the observation"),
        ({"kind": "subset", "dimension": "BOAT", "total": "_T"}, "no dimension 'BOAT'"),
        ({"kind": "members", "dimension": "QUAY"}, "QUAY has no code list"),
        ({**MIRROR, "left": {"BOAT": "A"}}, "no component BOAT"),
        ({"kind": "offset", "by": ["BOAT"]}, "no component BOAT"),
        ({"kind": "recoverable", "missing": {"UNIT": "Q"}, "dimension": "FISH", "total": "_T", "parts": ["EEL"]},
         "no 'UNIT' at the observation"),
        ({"kind": "agree", "by": ["BOAT"], "figures": [{"name": "a"}, {"name": "b"}]}, "no component BOAT"),
    ],
)  # fmt: skip
def test_a_rule_that_does_not_fit_its_structure_is_refused(rule: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidStructure, match=words):
        check(years(1, 2), {**rule, "id": "X"})


@pytest.mark.parametrize(
    ("one", "other", "frequency", "steps"),
    [
        ("2020", "2021", "A", 1), ("2020", "2024", "A5", 0.8), ("2020-01", "2021-01", "M", 12), ("2020-Q4", "2021-Q1", "Q", 1),
        ("2020-W53", "2021-W01", "W", 1), ("2020-S1", "2021-S1", None, 2), ("2020", "2021", None, 1), ("1960", "1961", "A", 1),
    ],
)  # fmt: skip
def test_positions_of_periods(one: str, other: str, frequency: str | None, steps: float) -> None:
    first, second = period_position(one, frequency), period_position(other, frequency)
    assert first is not None
    assert second is not None
    assert second - first == pytest.approx(steps)
    assert period_position("nonsense", frequency) is None
