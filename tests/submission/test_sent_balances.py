"""What the sender is told of withheld figures that balances over periods and dataflows give away."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.rules import read_rules
from sdmx_service.model.confidentiality import Confidentiality, PublicView
from sdmx_service.model.finding import Finding
from sdmx_service.model.selection import Cube
from sdmx_service.model.structure import Dataflow, DataStructure
from sdmx_service.model.urn import Ref
from sdmx_service.submission.workspace import Workspace
from tests.submission.staging import broken, codelist, dataflow, part, structure, typed

STOCK = structure("STOCK", ["FREQ", "AREA", "SEX"], attributes={"STATUS": None})
MOVES = structure("MOVES", ["FREQ", "AREA", "SEX", "MOVE"], attributes={"STATUS": None})
STOCKS, MOVED = dataflow("STOCKS", STOCK), dataflow("MOVED", MOVES)
OF = {"STOCKS": STOCK, "MOVED": MOVES}

Row = dict[str, Any]
Given = Mapping[str, Sequence[Row]]


def term(flow: str, name: str, **more: Any) -> dict[str, Any]:
    where = {"SEX": "_T"} if flow == "STOCKS" else {"SEX": "_T", "MOVE": name}
    return {"name": name, "dataflow": f"TEST:{flow}", "where": where, **more}


BALANCE: dict[str, Any] = {
    "id": "V07", "kind": "balance", "scope": "result", "by": ["FREQ", "AREA"],
    "terms": [term("STOCKS", "stock"), term("MOVED", "IN"), term("MOVED", "OUT", sign=-1)],
    "equals": term("STOCKS", "next stock", shift=1),
}  # fmt: skip
SEXES = {"id": "V02", "kind": "sum", "dimension": "SEX", "total": "_T", "parts": ["M", "F"]}
COUNTS = {"id": "V01", "kind": "value", "minimum": 0, "integer": True}


def told(scope: str = "file", within: str = "exact") -> dict[str, Any]:
    return {"id": "V24", "kind": "disclosure", "scope": scope, "within": within}


def catalog(*rules: Mapping[str, Any], applies: Sequence[str] = ("TEST:STOCK", "TEST:MOVES"), **view: Any) -> Catalog:
    document = Confidentiality(
        id="C", structures=(Cube.of(STOCK), Cube.of(MOVES)), status="STATUS", confidential=("C",),
        withheld={"STATUS": ("Q",)}, dataflows={"TEST:STOCKS(1)": PublicView(**view)},
    )  # fmt: skip
    listed = read_rules({"id": "KNOWN", "applies_to": [*applies], "rules": list(rules or (BALANCE,))}, "test")
    return Catalog.of(
        [STOCK, MOVES, STOCKS, MOVED, codelist("AREA", {"A": None, "B": None})],
        confidentiality={"C": document},
        rule_sets={"KNOWN": listed},
    )


def stock(year: int, value: float | None, status: str = "A", area: str = "A", sex: str = "_T") -> Row:
    return {"FREQ": "A", "AREA": area, "SEX": sex, "TIME_PERIOD": str(year), "OBS_VALUE": value, "STATUS": status}


def move(year: int, came: float | None, went: float | None, area: str = "A", status: str = "A") -> list[Row]:
    return [
        {**stock(year, value, "A" if name == "IN" else status, area), "MOVE": name}
        for name, value in (("IN", came), ("OUT", went))
    ]


def history_of(stored: Given, asked: list[tuple[str, Mapping[str, Collection[str]]]] | None = None) -> Any:
    """A store that shows these rows, and notes what it is asked for."""

    def history(flow: Ref, where: Mapping[str, Collection[str]]) -> Iterator[pa.RecordBatch]:
        if asked is not None:
            asked.append((flow.id, where))
        rows = [one for one in stored.get(flow.id, ()) if all(one[id] in codes for id, codes in where.items())]
        if rows:
            yield typed(OF[flow.id], rows).drop_columns(["_row", "_column", "_sheet"])

    return history


def sent(given: Given, provider: str = "TEST.P1", workspace: Workspace | None = None) -> Workspace:
    workspace = workspace or Workspace("200MB")
    known: dict[str, tuple[Dataflow, DataStructure]] = {"STOCKS": (STOCKS, STOCK), "MOVED": (MOVED, MOVES)}
    for name, rows in given.items():
        flow, of = known[name]
        workspace.add(part(flow, of, provider), typed(of, rows))
    return workspace


def check(
    workspace: Workspace,
    rule: Mapping[str, Any],
    known: Catalog,
    *,
    stored: Given | None = None,
    asked: list[tuple[str, Mapping[str, Collection[str]]]] | None = None,
) -> list[Finding]:
    rules = read_rules({"id": "RULES", "applies_to": ["TEST:STOCK", "TEST:MOVES"], "rules": [rule]}, "test")
    with workspace:
        return broken(workspace, [rules], known, history=history_of(stored or {}, asked))


def found(given: Given, rule: Mapping[str, Any], known: Catalog, **more: Any) -> dict[str, str | None]:
    """Area and period -> what is said of the figure."""
    every = check(sent(given), rule, known, **more)
    keys = [".".join((one.key["AREA"], *filter(None, [one.key.get("MOVE")]), one.key["TIME_PERIOD"])) for one in every]
    return dict(zip(keys, (one.value for one in every), strict=True))


YEARS = [stock(2010, 100), stock(2011, 107, "C"), stock(2012, 114)]
FLOWS = [*move(2010, 10, 3), *move(2011, 9, 2)]


# --- what is found ---------------------------------------------------------------------------------------------------


def test_a_stock_follows_from_the_one_before_and_the_flows_sent_with_it() -> None:
    [one] = check(sent({"MOVED": FLOWS, "STOCKS": YEARS}), told(), catalog())
    assert (one.code, one.value, one.row) == ("V24", "107", 3)
    assert one.key == {"FREQ": "A", "AREA": "A", "SEX": "_T", "TIME_PERIOD": "2011"}
    assert "next stock = stock + IN - OUT (V07)" in one.message


def test_without_the_flows_nothing_follows() -> None:
    assert found({"STOCKS": YEARS}, told(), catalog()) == {}
    assert found({"STOCKS": YEARS, "MOVED": move(2010, 10, 3)[:1]}, told(), catalog()) == {}
    assert found({"STOCKS": YEARS, "MOVED": move(2009, 10, 3)}, told(), catalog()) == {}
    assert found({"STOCKS": YEARS, "MOVED": move(2010, 10, 3, area="B")}, told(), catalog()) == {}


def test_a_figure_of_either_dataflow_is_told_once() -> None:
    """The stock and the departures of one year are withheld: the year after tells the one, and that the other."""
    given = {"STOCKS": YEARS, "MOVED": [*move(2010, 10, 3, status="C"), *move(2011, 9, 2)]}
    every = check(sent(given), told(), catalog())
    assert sorted((one.key.get("MOVE", ""), one.value) for one in every) == [("", "107"), ("OUT", "3")]
    given = {"STOCKS": [stock(2010, 100), stock(2011, 107)], "MOVED": move(2010, 10, 3, status="C")}
    assert found(given, told(), catalog()) == {"A.OUT.2010": "3"}
    assert found({"STOCKS": YEARS, "MOVED": move(2010, 10, 3, status="C")}, told(), catalog()) == {}


def test_a_figure_that_was_withheld_before_it_was_sent() -> None:
    given = {"STOCKS": [stock(2010, 100), stock(2011, None, "Q")], "MOVED": FLOWS}
    assert found(given, told(), catalog()) == {"A.2011": "107"}
    missing = {"STOCKS": [stock(2010, 100), stock(2011, None, "A"), stock(2009, None, "Q")], "MOVED": FLOWS}
    assert found(missing, told(), catalog()) == {}


def test_a_balance_and_a_sum_together() -> None:
    """The balance tells the total, and that the other sex; men stand in no balance."""
    given = {
        "STOCKS": [stock(2010, 100), stock(2011, 107, "C"), stock(2011, 50, "C", sex="M"), stock(2011, 57, sex="F")],
        "MOVED": FLOWS,
    }
    every = check(sent(given), told(), catalog(BALANCE, SEXES))
    assert sorted((one.key["SEX"], one.value) for one in every) == [("M", "50"), ("_T", "107")]
    assert check(sent({"STOCKS": given["STOCKS"]}), told(), catalog(BALANCE, SEXES)) == []


def test_over_periods_of_one_dataflow() -> None:
    carried = {**BALANCE, "terms": [term("STOCKS", "stock")]}
    assert found({"STOCKS": YEARS[:2]}, told(), catalog(carried)) == {"A.2011": "100"}
    own = {**carried, "terms": [{"where": {"SEX": "_T"}}], "equals": {"where": {"SEX": "_T"}, "shift": 1}}
    assert found({"STOCKS": YEARS[:2]}, told(), catalog(own, applies=["TEST:STOCKS"])) == {"A.2011": "100"}


@pytest.mark.parametrize(
    ("more", "exact", "near"),
    [
        ({}, {"A.2011": "107"}, {}),
        ({"tolerance": 2}, {}, {"A.2011": "between 105 and 109"}),
        ({"tolerance": 20}, {}, {}),  # 87 to 127 is not near
        ({"tolerance_share": 0.02}, {}, {"A.2011": "between 104.816 and 109.184"}),  # of 107, and of what it can be
    ],
)
def test_a_balance_tells_to_within_its_tolerance(
    more: Mapping[str, float], exact: Mapping[str, str], near: Mapping[str, str]
) -> None:
    given, known = {"STOCKS": YEARS[:2], "MOVED": FLOWS}, catalog({**BALANCE, **more})
    assert found(given, told(), known) == exact
    assert found(given, told(within="range"), known) == near


def test_a_balance_that_misses_elsewhere_tells_as_much_less() -> None:
    """In the year before it is 3 off: of 107 one knows that it is 104 to 110."""
    given = {"STOCKS": [stock(2009, 90), *YEARS[:2]], "MOVED": [*move(2009, 10, 3), *FLOWS]}
    assert found(given, told(), catalog()) == {}
    assert found(given, told(within="range"), catalog()) == {"A.2011": "between 104 and 110"}


def test_rounded_figures_leave_room() -> None:
    """100 is 98 to 102; the figure that follows may be off by as much."""
    given, known = {"STOCKS": YEARS[:2], "MOVED": FLOWS}, catalog(BALANCE, COUNTS, rounded=5)
    assert found(given, told(), known) == {}
    assert found(given, told(within="range"), known) == {"A.2011": "between 105 and 109"}


def test_only_figures_with_the_attribute_leave_room() -> None:
    known = catalog(BALANCE, COUNTS, rounded=5, when={"STATUS": ("P",)})
    assert found({"STOCKS": YEARS[:2], "MOVED": FLOWS}, told(), known) == {"A.2011": "107"}
    given = {"STOCKS": [stock(2010, 100, "P"), YEARS[1]], "MOVED": FLOWS}
    for scope in ("file", "result"):
        assert found(given, told(scope), known) == {}
        assert found(given, told(scope, "range"), known) == {"A.2011": "between 105 and 109"}


def test_a_balance_that_contradicts_does_not_silence_the_sums() -> None:
    """By the balance the total is below 0; what the sums of the table say together is told as before."""
    ages = {"id": "V03", "kind": "sum", "dimension": "AREA", "total": "B", "parts": ["A", "C"]}
    cells = [("A", "M", 5, "C"), ("A", "F", 6, "C"), ("A", "_T", 11, "C"), ("C", "M", 1, "A"), ("C", "F", 2, "A"),
             ("C", "_T", 3, "A"), ("B", "M", 6, "C"), ("B", "F", 8, "A"), ("B", "_T", 14, "A")]  # fmt: skip
    table = [stock(2011, value, status, area, sex) for area, sex, value, status in cells]
    known = catalog(BALANCE, COUNTS, SEXES, ages)
    for stocks in (table, [stock(2010, 1), *table]):
        every = check(sent({"STOCKS": stocks, "MOVED": move(2010, 0, 400)}), told(), known)
        said = {(one.key["AREA"], one.key["SEX"]): one.value for one in every}
        assert said == {("A", "M"): "5", ("A", "F"): "6", ("A", "_T"): "11", ("B", "M"): "6"}
    alone = {"STOCKS": [stock(2010, 1), stock(2011, 5, "C")], "MOVED": move(2010, 0, 400)}
    assert found(alone, told(), known) == {}


# --- what is stored --------------------------------------------------------------------------------------------------


def test_with_scope_result_stored_figures_count() -> None:
    stored = {"MOVED": FLOWS, "STOCKS": [stock(2010, 100)]}
    assert found({"STOCKS": YEARS[1:2]}, told(), catalog(), stored=stored) == {}
    assert found({"STOCKS": YEARS[1:2]}, told("result"), catalog(), stored=stored) == {"A.2011": "107"}
    hidden = {"MOVED": FLOWS, "STOCKS": [stock(2010, None, "C")]}
    assert found({"STOCKS": YEARS[1:2]}, told("result"), catalog(), stored=hidden) == {}


def test_what_is_sent_takes_the_place_of_what_is_stored() -> None:
    """Of the stored years before and after one is sent anew; only what was sent withheld is told."""
    stored = {"MOVED": FLOWS, "STOCKS": [stock(2010, 90), stock(2012, None, "C")]}
    assert found({"STOCKS": YEARS[:2]}, told("result"), catalog(), stored=stored) == {"A.2011": "107"}


def test_a_merge_without_status_leaves_a_stored_figure_hidden() -> None:
    """The figure of 2010 is sent without status: it stays confidential, and tells nothing."""
    stored = {"MOVED": FLOWS, "STOCKS": [stock(2010, None, "C")]}
    bare = {key: value for key, value in stock(2010, 100).items() if key != "STATUS"}
    assert found({"STOCKS": [bare, YEARS[1]]}, told("result"), catalog(), stored=stored) == {}
    free = {**stored, "STOCKS": [stock(2010, 90)]}
    assert found({"STOCKS": [bare, YEARS[1]]}, told("result"), catalog(), stored=free) == {"A.2011": "107"}


def test_figures_of_another_sender_count_as_they_are_shown() -> None:
    """In the file each sender's rows stand by themselves; what is shown is whoever's."""
    for scope, number in (("file", 0), ("result", 1)):
        workspace = sent({"MOVED": FLOWS}, "TEST.P2", sent({"STOCKS": YEARS}))
        assert len(check(workspace, told(scope), catalog())) == number


def test_a_term_that_may_be_absent_is_nothing_only_where_one_knows() -> None:
    """The file may lack departures that are stored; the store tells whether there are any."""
    lenient = {**BALANCE, "terms": [*BALANCE["terms"][:2], term("MOVED", "OUT", sign=-1, missing=0)]}
    arrivals = [one for one in FLOWS if one["MOVE"] == "IN"]
    given: Given = {"STOCKS": YEARS[:2]}
    assert found(given, told("result"), catalog(lenient), stored={"MOVED": FLOWS}) == {"A.2011": "107"}
    assert found(given, told("result"), catalog(lenient), stored={"MOVED": arrivals}) == {"A.2011": "110"}
    assert found({**given, "MOVED": arrivals}, told(), catalog(lenient)) == {}
    assert found({**given, "MOVED": FLOWS}, told(), catalog(lenient)) == {"A.2011": "107"}


# --- what it costs ---------------------------------------------------------------------------------------------------


def test_nothing_is_read_where_nothing_is_withheld_or_in_no_balance() -> None:
    asked: list[Any] = []
    stored = {"MOVED": FLOWS, "STOCKS": YEARS}
    assert found({"STOCKS": [stock(2011, 107)]}, told("result"), catalog(), stored=stored, asked=asked) == {}
    assert asked == []
    own = [stock(2011, 50, "C", sex="M"), stock(2011, 107)]
    assert found({"STOCKS": own}, told("result"), catalog(), stored={"MOVED": FLOWS}, asked=asked) == {}
    assert {flow for flow, _ in asked} == {"STOCKS"}, "the other dataflow is not read"


def test_only_the_neighbourhood_is_read() -> None:
    asked: list[Any] = []
    stored = {"MOVED": [*FLOWS, *move(2010, 1, 1, area="B")], "STOCKS": [stock(2010, 100), stock(2010, 9, area="B")]}
    assert found({"STOCKS": YEARS[1:2]}, told("result"), catalog(), stored=stored, asked=asked) == {"A.2011": "107"}
    assert asked
    for flow, where in asked:
        assert list(where["AREA"]) == ["A"] and list(where["SEX"]) == ["_T"]
        assert flow == "STOCKS" or len(where["MOVE"]) == 1


# --- against plain arithmetic ----------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    start=st.integers(50, 90),
    moves=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=5),
    data=st.data(),
)
def test_what_is_told_is_what_the_equations_determine(
    start: int, moves: list[tuple[int, int]], data: st.DataObject
) -> None:
    """A figure is told where the balances, as linear equations, leave it one value; elsewhere it is not."""
    levels = [start]
    for came, went in moves:
        levels.append(levels[-1] + came - went)
    names = [f"A.{2010 + place}" for place in range(len(levels))]
    names += [f"A.{name}.{2010 + place}" for place in range(len(moves)) for name in ("IN", "OUT")]
    values = [float(one) for one in levels] + [float(one) for pair in moves for one in pair]
    hidden = [data.draw(st.booleans()) for _ in names]
    equations = np.zeros((len(moves), len(names)))
    for place in range(len(moves)):
        inner = len(levels) + 2 * place
        equations[place, [place, inner, inner + 1, place + 1]] = (1, 1, -1, -1)
    unknown = equations[:, hidden]
    rank = np.linalg.matrix_rank(unknown) if any(hidden) else 0
    listed = [place for place, one in enumerate(hidden) if one]
    alone = {
        names[place]: f"{values[place]:g}"
        for number, place in enumerate(listed)
        if np.linalg.matrix_rank(np.vstack([unknown, np.eye(len(listed))[number]])) == rank
    }
    marks = ["C" if one else "A" for one in hidden]
    stocks = [stock(2010 + place, levels[place], marks[place]) for place in range(len(levels))]
    flows = []
    for place, pair in enumerate(moves):
        inner = len(levels) + 2 * place
        for row, mark in zip(move(2010 + place, *pair), marks[inner : inner + 2], strict=True):
            flows.append({**row, "STATUS": mark})
    said = found({"STOCKS": stocks, "MOVED": flows}, told(), catalog())
    assert said == alone
