"""The workspace: what is sent once more, what contradicts itself, what stays after deletions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdmx_service.errors import StorageFault
from sdmx_service.model.finding import Finding
from sdmx_service.model.message import Action
from sdmx_service.submission.duplicates import report_duplicates
from sdmx_service.submission.report import Report
from sdmx_service.submission.workspace import Workspace, column_names, observations
from tests.submission.staging import dataflow, part, structure, typed

CUBE = structure(
    "CUBE",
    ["AREA", "Area"],
    attributes={"STATUS": None, "UNIT": ("AREA", "Area"), "SOURCE": ("AREA",), "TITLE": ()},
)
FLOW, OTHER = dataflow("FLOW", CUBE), dataflow("OTHER", CUBE)


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace("200MB") as opened:
        yield opened


def findings(workspace: Workspace) -> list[Finding]:
    report = Report()
    report_duplicates(workspace, report)
    return list(report.findings())


def row(area: str, period: str, value: object = 1, **more: object) -> dict[str, object]:
    return {"AREA": area, "Area": "x", "TIME_PERIOD": period, "OBS_VALUE": value, **more}


def test_a_key_sent_twice_is_found_at_every_occurrence(workspace: Workspace) -> None:
    rows = [row("A", "2020", 1, _sheet="S", _column="D"), row("B", "2020"), row("A", "2020", "2.5", _sheet="S")]
    workspace.add(part(FLOW, CUBE), typed(CUBE, rows))
    workspace.add(part(FLOW, CUBE), typed(CUBE, [row("A", "2020", 3)], first_row=900))
    found = findings(workspace)
    assert [(one.code, one.row, one.value) for one in found] == [
        ("F501", 2, "1"), ("F501", 4, "2.5"), ("F501", 900, "3"),
    ]  # fmt: skip
    assert found[0].key == {"AREA": "A", "Area": "x", "TIME_PERIOD": "2020"}
    assert (found[0].sheet, found[0].column) == ("S", "D")
    assert found[0].message == "The same key occurs more than once: rows 2, 4, 900."


def test_the_same_key_in_another_dataflow_provider_or_action_is_no_duplicate(workspace: Workspace) -> None:
    rows = typed(CUBE, [row("A", "2020")])
    workspace.add(part(FLOW, CUBE), rows)
    workspace.add(part(OTHER, CUBE), rows)
    workspace.add(part(FLOW, CUBE, "TEST.P2"), rows)
    workspace.add(part(FLOW, CUBE, action=Action.REPLACE), rows)
    workspace.add(part(FLOW, CUBE, action=Action.DELETE), rows)
    assert findings(workspace) == []


def test_rows_without_all_dimensions_are_no_observations(workspace: Workspace) -> None:
    series = {"AREA": "A", "Area": "x", "UNIT": "PS"}
    workspace.add(part(FLOW, CUBE), typed(CUBE, [series, series, row("A", "2020")]))
    assert findings(workspace) == []


def test_a_finding_names_the_file_where_there_are_several(workspace: Workspace) -> None:
    for name in ("one.csv", "two.csv"):
        workspace.file = name
        workspace.add(part(FLOW, CUBE), typed(CUBE, [row("A", "2020")]))
    assert [(one.file, one.row) for one in findings(workspace)] == [("one.csv", 2), ("two.csv", 2)]


@pytest.mark.parametrize(
    ("rows", "component", "level", "values"),
    [
        ([row("A", "2020", UNIT="PS"), row("A", "2021", UNIT="KG")], "UNIT", "series", "KG, PS"),
        ([row("A", "2020", SOURCE="R"), {"AREA": "A", "SOURCE": "S"}], "SOURCE", "group", "R, S"),
        ([row("A", "2020", TITLE="t"), row("B", "2020", TITLE="u")], "TITLE", "data set", "t, u"),
    ],
)
def test_an_attribute_has_one_value_in_its_level(
    workspace: Workspace, rows: list[dict[str, object]], component: str, level: str, values: str
) -> None:
    workspace.add(part(FLOW, CUBE), typed(CUBE, rows))
    found = findings(workspace)
    assert {(one.code, one.message) for one in found} == {
        ("F306", f"{component} has different values in one {level}: {values}.")
    }
    assert sorted(one.row or 0 for one in found) == [2, 3]
    assert sorted(one.value or "" for one in found) == values.split(", ")


def test_an_attribute_may_differ_between_levels_and_be_left_out(workspace: Workspace) -> None:
    rows = [row("A", "2020", UNIT="PS", SOURCE="R"), row("A", "2021"), row("B", "2020", UNIT="KG", SOURCE="S")]
    workspace.add(part(FLOW, CUBE), typed(CUBE, rows))
    assert findings(workspace) == []


def test_closing_removes_the_files(tmp_path: Path) -> None:
    workspace = Workspace("100MB", folder=tmp_path)
    workspace.add(part(FLOW, CUBE), typed(CUBE, [row("A", "2020")]))
    assert list(tmp_path.iterdir())
    workspace.close()
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_fit_is_an_error_of_ours(workspace: Workspace) -> None:
    with pytest.raises(StorageFault, match="does not fit into its workspace"):
        workspace.read("SELECT list(range) FROM range(200000000)")


def test_a_statement_is_given_more_memory_where_it_needs_it() -> None:
    """What cannot be done with the memory that a check begins with is done with more; what was there stays."""
    with Workspace("1GB") as roomy:
        roomy.add(part(FLOW, CUBE), typed(CUBE, [row("A", "2020")]))
        kept = roomy.make("SELECT range AS n FROM range(10)")
        assert roomy.read("SELECT len(list(range)) AS n FROM range(20000000)")["n"].to_pylist() == [20_000_000]
        assert (roomy.count(kept), roomy.count("rows_0")) == (10, 1)
    with Workspace("128MB") as small, pytest.raises(StorageFault, match="does not fit into its workspace"):
        small.read("SELECT len(list(range)) AS n FROM range(20000000)")


def test_after_a_statement_that_failed_its_table_can_be_forgotten(workspace: Workspace) -> None:
    with pytest.raises(StorageFault, match="does not fit into its workspace"):
        workspace.make("SELECT list(range) AS n FROM range(200000000)")
    workspace.drop("kept_1")
    assert workspace.count("(SELECT 1)") == 1


def test_a_part_at_a_time_makes_the_same_table(workspace: Workspace) -> None:
    query = "SELECT range % 7 AS g, count(*) AS n FROM range(1000) WHERE {} GROUP BY g"
    whole, parts = (
        workspace.make_in_parts(lambda part: query.format(part), "hash(range % 7)", 1000, at_once)
        for at_once in (1000, 90)
    )
    told = [workspace.read(f"SELECT * FROM {one} ORDER BY g").to_pylist() for one in (whole, parts)]
    assert told[0] == told[1]
    assert [one["g"] for one in told[0]] == list(range(7))


AREAS, PERIODS = ("A", "B", "C"), ("2020", "2021")
some_row = st.builds(row, st.sampled_from(AREAS), st.sampled_from(PERIODS), st.integers(0, 3))
wide = st.sampled_from([*AREAS, None]), st.sampled_from([*PERIODS, None])
deletion = st.builds(lambda area, period: {"AREA": area, "Area": "x", "TIME_PERIOD": period}, *wide)
batches = st.one_of(
    st.tuples(st.sampled_from([Action.MERGE, Action.REPLACE]), st.lists(some_row, min_size=1, max_size=6)),
    st.tuples(st.just(Action.DELETE), st.lists(deletion, min_size=1, max_size=3)),
)


@settings(max_examples=30)
@given(st.lists(batches, min_size=1, max_size=5))
def test_duplicates_and_what_stays_are_those_of_a_plain_list(
    sent: list[tuple[Action, list[dict[str, object]]]],
) -> None:
    names = column_names(CUBE)
    with Workspace("200MB") as workspace:
        number, expected, seen = 2, {}, defaultdict(list)
        for action, rows in sent:
            workspace.add(part(FLOW, CUBE, action=action), typed(CUBE, rows, first_row=number))
            for one in rows:
                key = (one["AREA"], one["TIME_PERIOD"])
                if None not in key:
                    seen[action, key].append(number)
                if action is Action.DELETE:
                    expected = {
                        known: value
                        for known, value in expected.items()
                        if any(mine not in (None, theirs) for mine, theirs in zip(key, known, strict=True))
                    }
                else:
                    expected[key] = float(str(one["OBS_VALUE"]))
                number += 1
        found = findings(workspace)
        twice = [at for places in seen.values() if len(places) > 1 for at in places]
        assert Counter(one.row for one in found) == Counter(twice)
        table = workspace.read(observations(workspace.sent[0]))
        columns = (names["AREA"], names["TIME_PERIOD"], names["OBS_VALUE"])
        left = list(zip(*(table[name].to_pylist() for name in columns), strict=True))
        assert sorted(left) == sorted((*key, value) for key, value in expected.items())


texts = st.sampled_from([None, "A", "B", "x'y", "n\x00l"])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(Action)),
            st.sampled_from([None, "one.csv", "two.csv"]),
            st.lists(st.tuples(texts, texts, st.sampled_from([None, 1, 2.5]), texts, texts), max_size=4),
        ),
        max_size=5,
    )
)
@settings(max_examples=60)
def test_every_column_is_shown_whether_it_varies_or_not(
    batches: list[tuple[Action, str | None, list[tuple[str | None, str | None, float | None, str | None, str | None]]]],
) -> None:
    with Workspace("200MB") as workspace:
        expected = []
        names = column_names(CUBE)
        for action, file, rows in batches:
            workspace.file = file
            said = [
                {"AREA": area, "TIME_PERIOD": time, "OBS_VALUE": value, "STATUS": status, "_sheet": sheet}
                for area, time, value, status, sheet in rows
            ]
            workspace.add(part(FLOW, CUBE, action=action), typed(CUBE, said))
            expected += [
                {
                    **{names[id]: value for id, value in one.items() if id in names},
                    "_action": action.value,
                    "_file": file,
                    "_sheet": one["_sheet"],
                    "_dataflow": "TEST:FLOW(1)",
                    names["TITLE"]: None,
                }
                for one in said
            ]
        if not expected:
            return
        found = workspace.read(f"SELECT * FROM {workspace.sent[0].table} ORDER BY rowid").to_pylist()
        assert [{name: row[name] for name in expected[0]} for row in found] == expected
        assert len({row["rowid"] for row in found}) == len(found)
