"""Reading sheets as a layout says."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.catalog.layout import read_layout
from sdmx_service.errors import InvalidStructure
from sdmx_service.formats.spreadsheet.reader import read_csv
from sdmx_service.submission.headers import column_letter
from sdmx_service.submission.recognising import recognise
from sdmx_service.submission.report import Report
from sdmx_service.submission.tables import LETTER, extract
from tests.submission.sheets import Rows, file, layout, open_file, read, sheet

PLAIN = [["Crop", "Year", "Tonnes"], ["wheat", "2020", "12"], ["rye", "2021", "7.50"]]
COLUMNS = {"crop": "Crop", "year": "Year", "tonnes": "Tonnes"}


def values(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


# --- columns and origin --------------------------------------------------------------------------------------------


def test_columns_by_header_with_origin() -> None:
    rows, findings = read(file(sheet(PLAIN)), {"columns": COLUMNS, "number": {"columns": ["tonnes"]}})
    assert rows == [
        {"crop": "wheat", "year": "2020", "tonnes": "12", "_row": 2, "_column": "C", "_sheet": None},
        {"crop": "rye", "year": "2021", "tonnes": "7.50", "_row": 3, "_column": "C", "_sheet": None},
    ]
    assert findings == []


def test_fields_tell_their_letter() -> None:
    [(_, table)] = extract(layout({"columns": COLUMNS, "fixed": {"freq": "A"}}), file(sheet(PLAIN)), Report())
    letters = {field.name: (field.metadata or {}).get(LETTER) for field in table.schema}
    assert letters == {
        "crop": b"A", "year": b"B", "tonnes": b"C", "freq": None, "_row": None, "_column": None, "_sheet": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("header", "place"),
    [
        (" CROP\n ", "Crop"),
        ("Crop1", "Crop"),
        ("Crop 1)", "Crop"),
        ("Crop(2)", "Crop"),
        ("Crop*", "crop"),
        ("Crop ¹", "Crop"),
        ("Name of\u00a0the  crop", "name of the crop"),
        ("anything", "$A"),
        ("The crop grown", {"matches": "^The crop"}),
    ],
)
def test_headers_are_found(header: str, place: object) -> None:
    rows, findings = read(file(sheet([[header, "x"], ["rye", "1"]])), {"columns": {"crop": place}})
    assert values(rows, "crop") == [("rye",)]
    assert findings == []


def test_a_footnote_mark_is_not_looked_past_where_two_columns_would_fit() -> None:
    rows, findings = read(file(sheet([["Crop1", "Crop2"], ["rye", "oats"]])), {"columns": {"crop": "Crop"}})
    assert rows == []
    assert [(one.code, one.column, one.value) for one in findings] == [("F106", "Crop", "A, B")]


def test_an_exact_header_wins_over_one_with_a_mark() -> None:
    rows, findings = read(file(sheet([["Crop1", "Crop"], ["rye", "oats"]])), {"columns": {"crop": "Crop"}})
    assert values(rows, "crop") == [("oats",)]
    assert findings == []


def test_a_missing_column_is_named_with_the_headers_there_are() -> None:
    rows, findings = read(file(sheet(PLAIN)), {"columns": {"crop": "Crop", "area": "Hectares"}})
    assert rows == []
    [finding] = findings
    assert (finding.code, finding.column, finding.value, finding.row) == ("F102", "Hectares", "Crop, Year, Tonnes", 1)


def test_a_missing_sheet_is_named_with_the_sheets_there_are() -> None:
    rows, findings = read(file(sheet(PLAIN, "Data")), {"sheet": "20[0-9]{2}", "columns": COLUMNS})
    assert rows == []
    assert [(one.code, one.expected, one.value) for one in findings] == [("F103", "20[0-9]{2}", "Data")]


def test_a_sheet_pattern_must_fit_the_whole_name() -> None:
    tables = file(sheet(PLAIN, "2020"), sheet(PLAIN, "2020 (old)"), sheet(PLAIN, "2021"))
    rows, _ = read(tables, {"sheet": "20[0-9]{2}", "columns": COLUMNS, "from_sheet": {"when": "..$"}})
    assert values(rows, "_sheet", "when") == [("2020", "20")] * 2 + [("2021", "21")] * 2


# --- headers -------------------------------------------------------------------------------------------------------

TWO_ROWS = [
    ["A title", None, None, None, None],
    ["Region", "In", None, "Out", None],
    [None, "Total", "Women", "Total", "Women"],
    ["North", "10", "4", "3", "1"],
]
SPANS = [(1, 0, 2, 0), (1, 1, 1, 2), (1, 3, 1, 4)]


def test_merged_cells_of_a_header_of_two_rows() -> None:
    rows, findings = read(
        file(sheet(TWO_ROWS, merged=SPANS)),
        {
            "header": {"find": ["Region", "In", "Out"], "rows": 2},
            "columns": {"region": "Region"},
            "unpivot": {
                "value": "value",
                "columns": [
                    {"column": "In | Total", "set": {"flow": "IN", "sex": "T"}},
                    {"column": "in | women", "set": {"flow": "IN", "sex": "F"}},
                    {"column": "Out | Total", "set": {"flow": "OUT"}},
                ],
            },
        },
    )
    assert findings == []
    assert values(rows, "region", "flow", "sex", "value", "_row", "_column") == [
        ("North", "IN", "T", "10", 4, "B"),
        ("North", "IN", "F", "4", 4, "C"),
        ("North", "OUT", None, "3", 4, "D"),
    ]


def test_a_cell_merged_across_two_columns_down_to_the_last_header_row_names_the_first() -> None:
    rows, findings = read(
        file(sheet([["Region", None, "n"], ["North", "1)", "5"]], merged=[(0, 0, 0, 1)])),
        {"columns": {"region": "Region", "note": "$B", "n": "n"}},
    )
    assert findings == []
    assert values(rows, "region", "note", "n") == [("North", "1)", "5")]


def test_a_header_that_is_not_there() -> None:
    table = {"header": {"find": ["Crop", "Hectares"]}, "columns": COLUMNS}
    rows, findings = read(file(sheet(PLAIN)), table)
    assert rows == []
    assert [(one.code, one.column, one.value) for one in findings] == [("F102", "Hectares", "Crop, Year, Tonnes")]


def test_a_missing_value_column_is_a_finding_and_the_others_are_read() -> None:
    unpivot = {"value": "value", "columns": [{"column": "Total"}, {"column": "$Z"}, {"column": "Men"}]}
    rows, findings = read(
        file(sheet([["Region", "Total"], ["North", "10"]])), {"columns": {"region": "Region"}, "unpivot": unpivot}
    )
    assert values(rows, "region", "value") == [("North", "10")]
    assert [(one.code, one.column) for one in findings] == [("F102", "Men")]


# --- rows ----------------------------------------------------------------------------------------------------------

LISTED = [
    ["Crops of the year 2020"],
    ["Crop", "Tonnes"],
    ["wheat", "1"],
    [None, None],
    [None, "2"],
    ["Total", "3"],
    ["rye", "4"],
    ["* preliminary"],
    ["oats", "5"],
]


def listed(**words: Any) -> tuple[list[tuple[Any, ...]], list[Any]]:
    table = {"header": {"row": 2}, "columns": {"crop": "Crop", "n": "Tonnes"}, "number": {"columns": ["n"]}, **words}
    rows, findings = read(file(sheet(LISTED)), table)
    return values(rows, "crop", "n", "_row"), findings


def test_blank_rows_and_rows_without_value_are_not_read() -> None:
    rows, _ = listed()
    assert rows == [("wheat", "1", 3), (None, "2", 5), ("Total", "3", 6), ("rye", "4", 7), ("oats", "5", 9)]


def test_blank_keep_makes_rows_without_value() -> None:
    rows, _ = listed(blank="keep")
    assert ("* preliminary", None, 8) in rows
    assert len(rows) == 6


def test_until_stops_before_the_row() -> None:
    rows, _ = listed(until={"column": "crop", "matches": r"^\*"})
    assert [row[2] for row in rows] == [3, 5, 6, 7]
    rows, _ = listed(until={"column": "crop", "blank": True}, fill_down=["crop"])
    assert [row[2] for row in rows] == [3]


def test_first_and_last_row() -> None:
    rows, _ = listed(first_row=6, last_row=7)
    assert [row[2] for row in rows] == [6, 7]
    rows, _ = listed(first_row=600, last_row=7)
    assert rows == []


def test_fill_down() -> None:
    rows, _ = listed(fill_down=["crop"])
    assert rows[1] == ("wheat", "2", 5)


def test_skipped_rows_are_counted_with_the_reason() -> None:
    rows, findings = listed(
        skip=[{"column": "crop", "matches": "^Total$", "reason": {"fr": "Le total", "en": "A sum."}}]
    )
    assert [row[0] for row in rows] == ["wheat", None, "rye", "oats"]
    assert [(one.code, one.message, one.column) for one in findings] == [
        ("F101", "1 row was left out on purpose: A sum.", "A")
    ]


def test_rows_that_no_table_reads_are_reported() -> None:
    table = {"columns": COLUMNS, "where": [{"column": "crop", "in": ["wheat"]}]}
    rows, findings = read(file(sheet(PLAIN)), table)
    assert values(rows, "crop") == [("wheat",)]
    assert [(one.code, one.row) for one in findings] == [("F108", 3)]
    others = {"columns": COLUMNS, "where": [{"column": "crop", "not_in": ["wheat"]}]}
    rows, findings = read(file(sheet(PLAIN)), table, others)
    assert values(rows, "crop") == [("wheat",), ("rye",)]
    assert findings == []


def test_where_may_test_what_unpivot_makes() -> None:
    table = {
        "columns": {"crop": "Crop"},
        "unpivot": {"headers": "^(20[0-9]{2})", "name": "year", "value": "n"},
        "where": [{"column": "year", "not_in": ["2021"]}],
    }
    tables = file(sheet([["Crop", "2020 p", "2021", "Note"], ["rye", "1", "2", "x"], ["oats", None, "4", None]]))
    rows, findings = read(tables, table)
    assert values(rows, "crop", "year", "n", "_row", "_column") == [("rye", "2020", "1", 2, "B")]
    assert findings == []


# --- constants -----------------------------------------------------------------------------------------------------


def test_texts_of_a_cell_of_the_sheets_name_and_fixed_ones() -> None:
    table = {
        "sheet": ".*", "header": {"row": 2}, "columns": {"crop": "Crop", "n": "Tonnes"}, "last_row": 3,
        "from_cell": {"year": {"cell": "a1", "matches": "year ([0-9]{4})"}, "title": {"cell": "A1"}},
        "from_sheet": {"country": "of (.*)"}, "fixed": {"freq": "A"},
    }  # fmt: skip
    rows, findings = read(file(sheet(LISTED, "Crops of Norway")), table)
    assert values(rows, "year", "title", "country", "freq") == [("2020", "Crops of the year 2020", "Norway", "A")]
    assert findings == []
    rows, findings = read(file(sheet(LISTED, "Norway")), table)
    assert rows == []
    assert [(one.code, one.value, one.expected) for one in findings] == [("F107", "Norway", "of (.*)")]


def test_a_cell_that_is_not_as_expected() -> None:
    table = {"columns": COLUMNS, "from_cell": {"year": {"cell": "D9", "matches": "[0-9]{4}"}}}
    rows, findings = read(file(sheet(PLAIN)), table)
    assert rows == []
    assert [(one.code, one.row, one.column, one.value) for one in findings] == [("F107", 9, "D", "")]


# --- values --------------------------------------------------------------------------------------------------------


def test_symbols_set_other_columns_and_leave_what_the_sender_says() -> None:
    tables = file(sheet([["n", "flag"], [" : ", None], [":", "c"], ["5", None], ["-", None], ["x", "x"]]))
    rows, findings = read(
        tables,
        {
            "columns": {"n": "n", "flag": "flag"},
            "fixed": {"status": "A"},
            "number": {"columns": ["n"]},
            "symbols": [
                {"column": "n", "text": ":", "value": None, "set": {"flag": "m", "status": "O", "why": "unknown"}},
                {"column": "n", "text": "-", "value": "0"},
            ],
        },
    )
    assert values(rows, "n", "flag", "status", "why") == [
        (None, "m", "O", "unknown"),
        (None, "c", "O", "unknown"),
        ("5", None, "A", None),
        ("0", None, "A", None),
        (None, "x", "A", None),
    ]
    assert [(one.code, one.row, one.column, one.value) for one in findings] == [("F104", 6, "A", "x")]


# --- properties ----------------------------------------------------------------------------------------------------

WORDS = st.text(st.sampled_from("abcdefghij ÄÖ漢"), max_size=6).map(str.strip)


@given(
    grid=st.lists(st.tuples(WORDS.filter(bool), WORDS, WORDS), max_size=8),
    above=st.integers(0, 5),
    left=st.integers(0, 3),
    between=st.integers(0, 2),
    below=st.integers(0, 3),
)
def test_the_cells_put_in_come_out_whatever_is_blank_around(
    grid: list[tuple[str, str, str]], above: int, left: int, between: int, below: int
) -> None:
    """Blank rows above, below and between, blank columns on the left: each cell comes with its address."""
    blank: list[str | None] = []
    rows: list[list[str | None]] = [blank] * above + [[None] * left + ["Name", "Y2020", "Y2021"]]
    expected = []
    for name, first, second in grid:
        rows += [blank] * between
        rows.append([None] * left + [name, first or None, second or "  "])
        for place, (year, cell) in enumerate((("2020", first), ("2021", second))):
            if cell:
                expected.append((name, year, cell, len(rows), column_letter(left + 1 + place)))
    rows += [blank] * below
    table = {
        "header": {"find": ["Name", "Y2020"]},
        "columns": {"name": "Name"},
        "unpivot": {"headers": "^Y(20..)$", "name": "year", "value": "cell"},
    }
    found, findings = read(file(sheet(rows)), table)
    assert values(found, "name", "year", "cell", "_row", "_column") == expected
    assert findings == []


@given(st.lists(st.lists(st.one_of(st.none(), st.text(max_size=4)), max_size=5), max_size=6))
def test_any_sheet_gives_rows_or_findings(rows: list[list[str | None]]) -> None:
    table = {
        "header": {"row": 1, "rows": 2}, "columns": {"a": "$A", "b": {"matches": "x"}}, "fill_down": ["a"],
        "until": {"column": "b", "matches": "end"}, "number": {"columns": ["b"]},
        "symbols": [{"column": "b", "text": "-", "value": None, "set": {"s": "1"}}],
    }  # fmt: skip
    found, findings = read(file(sheet(rows)), table)
    assert {one.code for one in findings} <= {"F102", "F104", "F106"}
    assert all(2 < row["_row"] <= len(rows) for row in found)
    assert len({row["_row"] for row in found}) == len(found)


# --- layouts that say what they cannot mean ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "table",
    [
        {"columns": COLUMNS, "skip": [{"column": "land", "blank": True}]},
        {"columns": COLUMNS, "fill_down": ["land"]},
        {"columns": COLUMNS, "clean": {"columns": ["crop"], "strip": ["accents"]}},
        {"columns": COLUMNS, "from_cell": {"x": {"cell": "17A"}}},
    ],
)
def test_a_layout_that_names_what_it_does_not_have_is_refused(table: dict[str, Any]) -> None:
    with pytest.raises(InvalidStructure, match="test"):
        layout(table)


# --- real files ----------------------------------------------------------------------------------------------------


def test_a_large_csv_comes_out_as_it_went_in(shared: Path) -> None:
    path = shared / "data" / "stock" / "undesa_ims2024_bilateral_by_sex.csv"
    names = ("geo", "t", "from", "sex", "n", "type_b")
    table = {"columns": {name: name for name in names}, "number": {"columns": ["n"]}}
    report = Report()
    [(_, found)] = extract(layout(table), open_file(path), report)
    with path.open(encoding="utf-8", newline="") as opened:
        expected = list(csv.DictReader(opened))
    for name in names:
        assert found[name].to_pylist() == [row[name] or None for row in expected]
    assert found["_row"].to_pylist() == list(range(2, len(expected) + 2))
    assert report.groups == ()


def test_a_workbook_with_a_sheet_per_month(shared: Path) -> None:
    tables = open_file(shared / "data" / "national" / "destatis_wanderungen_2018.xlsx")
    rows, findings = read(
        tables,
        {
            "sheet": "(Januar|Februar)",
            "header": {"find": ["Zugezogene", "Fortgezogene"], "rows": 2},
            "columns": {"land": "Herkunfts-/bzw. Zielgebiet", "note": "$B"},
            "until": {"column": "land", "matches": r"^\*"},
            "unpivot": {
                "value": "n",
                "columns": [{"column": "Zugezogene | Deutsche"}, {"column": "Saldo | Insgesamt"}],
            },
            "from_sheet": {"month": ".*"},
            "from_cell": {"year": {"cell": "A1", "matches": "Deutschlands ([0-9]{4})"}},
            "symbols": [{"column": "n", "text": ".", "value": None, "set": {"status": "Q"}}],
            "number": {"columns": ["n"]},
        },
    )
    assert findings == []
    cells = {(row["land"], row["month"], row["_column"]): row for row in rows}
    assert cells["Europa", "Januar", "D"] == {
        "land": "Europa", "note": None, "month": "Januar", "year": "2018", "n": "5601", "status": None,
        "_row": 7, "_column": "D", "_sheet": "Januar",
    }  # fmt: skip
    assert (cells["Estland", "Januar", "D"]["n"], cells["Estland", "Januar", "D"]["status"]) == (None, "Q")
    assert (cells["Europa", "Februar", "I"]["n"], cells["Malta", "Februar", "I"]["n"]) == ("20479", "-23")


def test_a_workbook_with_years_in_columns(shared: Path) -> None:
    tables = open_file(shared / "data" / "national" / "un_flows2015_canada.xlsx")
    rows, findings = read(
        tables,
        {
            "sheet": "Canada by Citizenship",
            "header": {"find": ["Type", "Coverage", "OdName"]},
            "columns": {"who": "OdName", "type": "Type"},
            "unpivot": {"headers": "^(?:19|20)[0-9]{2}$", "name": "year", "value": "n"},
            "symbols": [{"column": "n", "text": "..", "value": None}],
            "number": {"columns": ["n"]},
        },
    )
    cells = {(row["who"], row["year"]): (row["n"], row["_row"], row["_column"]) for row in rows}
    assert cells["Afghanistan", "1980"] == ("16", 3, "J")
    assert cells["Argentina", "1982"] == ("626", 10, "L")
    assert findings == []
    assert len(cells) == len({who for who, _ in cells}) * 34


# --- marks, and layouts that only refuse ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*12", ("12", "P")),
        ("12*", ("12", "P")),
        ("* 1,204", ("1204", "P")),
        ("12", ("12", "A")),
        ("-3 *", ("-3", "P")),
    ],
)
def test_a_mark_beside_a_number_is_taken_away_and_sets_columns(text: str, expected: tuple[str, str]) -> None:
    rows, found = read(
        file(sheet([["Port", "Catch"], ["A", text]])),
        {
            "columns": {"port": "Port", "catch": "Catch"},
            "fixed": {"status": "A"},
            "number": {"columns": ["catch"], "grouping": [","]},
            "marks": [{"column": "catch", "text": "*", "set": {"status": "P"}}],
        },
    )
    assert not found
    assert values(rows, "catch", "status") == [expected]


def test_a_mark_alone_is_no_number() -> None:
    table = {"columns": {"port": "Port", "catch": "Catch"}, "number": {"columns": ["catch"]}}
    _, found = read(
        file(sheet([["Port", "Catch"], ["A", "*"]])),
        table | {"marks": [{"column": "catch", "text": "*", "set": {"status": "P"}}]},
    )
    assert [one.code for one in found] == ["F104"]


@pytest.mark.parametrize("fields", [{"refuse": {"en": "No."}, "tables": [{"map": "TEST:SM(1.0.0)"}]}, {"refuse": {}}])
def test_a_layout_reads_or_refuses(fields: dict[str, Any]) -> None:
    document = {"id": "TEST", "version": "1.0.0", "names": {"en": "Test"}, "tables": []} | fields
    with pytest.raises(InvalidStructure, match="either tables to read or the reason"):
        read_layout(document, "test")


def test_a_symbol_may_replace_what_the_sender_wrote_elsewhere() -> None:
    rows = [["Crop", "State", "Tonnes"], ["wheat", "fine", None], ["rye", "late", None], ["oats", None, None]]
    layout_of = {
        "columns": {"crop": "Crop", "state": "State", "tonnes": "Tonnes"},
        "symbols": [
            {"column": "tonnes", "text": "", "value": None, "set": {"state": "missing"}, "instead_of": ["fine"]}
        ],
        "blank": "keep",
    }
    found, findings = read(file(sheet([*rows, ["barley", "fine", "7"]])), layout_of)
    assert values(found, "crop", "state", "tonnes") == [
        ("wheat", "missing", None),
        ("rye", "late", None),
        ("oats", "missing", None),
        ("barley", "fine", "7"),
    ]
    assert findings == []


# --- what nobody reads ---------------------------------------------------------------------------------------------


def told(findings: list[Any]) -> list[tuple[Any, ...]]:
    return [(one.code, one.sheet, one.row, one.column, one.value) for one in findings]


YEARS = {"columns": {"crop": "Crop"}, "unpivot": {"headers": "^(20[0-9]{2})$", "name": "year", "value": "tonnes"}}


def test_a_figure_cut_in_two_by_its_own_comma_is_refused_where_it_goes_on() -> None:
    rows, findings = read(file(sheet([*PLAIN, ["oats", "2020", "1", "234"]])), {"columns": COLUMNS})
    assert [row["tonnes"] for row in rows] == ["12", "7.50", "1"]
    assert told(findings) == [("F270", None, 4, "D", "234")]


def test_a_note_behind_the_last_header_is_no_figure() -> None:
    assert read(file(sheet([*PLAIN, ["oats", "2020", "1", "estimated"]])), {"columns": COLUMNS})[1] == []


def test_a_marked_header_among_those_that_become_rows_is_read() -> None:
    rows, findings = read(file(sheet([["Crop", "2020", "2021*", "2022 1)"], ["rye", "1", "2", "3"]])), YEARS)
    assert values(rows, "year", "tonnes", "_column") == [("2020", "1", "B"), ("2021", "2", "C"), ("2022", "3", "D")]
    assert findings == []


def test_a_header_that_is_nearly_one_of_those_that_become_rows_is_told() -> None:
    header = ["Crop", "2020", "2021p", "Year 2022", "2023-01-01", "٢٠٢٤", "120215", "Name"]
    rows, findings = read(file(sheet([header, ["rye", "1", "2", "3", "4", "5", "6", "x"]], "S")), YEARS)
    assert values(rows, "year", "tonnes") == [("2020", "1")]
    assert told(findings) == [
        ("F272", "S", 1, "C", "2021p"),
        ("F272", "S", 1, "D", "Year 2022"),
        ("F272", "S", 1, "E", "2023-01-01"),
        ("F272", "S", 1, "F", "٢٠٢٤"),
        ("F273", "S", 1, "G", "120215"),
    ]


def test_a_column_of_figures_behind_those_that_become_rows_is_told() -> None:
    rows: Rows = [["Crop", "Code", "2020", "Total", "Note"], ["rye", "07", "1", "5 %", "dry"]]
    assert told(read(file(sheet(rows)), YEARS)[1]) == [("F273", None, 1, "D", "Total")]
    asked = {"columns": {"crop": "Crop", "all": "Total"}}
    assert read(file(sheet(rows)), YEARS, asked)[1] == []


WIDE = {"unpivot": {"headers": "^(20[0-9]{2})$", "name": "year", "value": "tonnes"}, "columns": {"crop": "Crop"}}
LONG = {"columns": {**COLUMNS, "note": "Note"}, "number": {"columns": ["tonnes"]}, "fill_down": ["crop"]}


@pytest.mark.parametrize(
    ("asked", "text", "found"),
    [
        (LONG, "Crop,Year,Tonnes,Note\nrye,2020,6,dry\noats,2020\n", [(3, "C", "Tonnes")]),
        (LONG, "Crop,Year,Tonnes,Note\nrye,2020,6\n", []),
        (LONG, "Crop,Year,Tonnes,Note\nrye,2020,,\n,2021,6\n", []),
        (LONG, "Crop,Year,Tonnes,Note\nrye,2020,6,\nSource: our own\n\n", []),
        (LONG, "Harvest\nof all\nCrop,Year,Tonnes,Note\nrye,2020\n", [(4, "C", "Tonnes")]),
        (WIDE, "Crop,2020,2021,2022,Note\nrye,1,2,3,a\noats,1,3\n", [(3, "D", "2022")]),
        (WIDE, "Crop,2020,2021,2022,Note\nrye,1,2,3\noats,1,2,3,a\n", []),
    ],
)
def test_a_record_of_a_text_file_that_ends_before_a_figure_is_told(
    asked: dict[str, Any], text: str, found: list[tuple[int, str, str]]
) -> None:
    tables = read_csv(io.BytesIO(text.encode()))
    _, findings = read(tables, {"header": {"find": ["Crop"]}, **asked})
    assert [(one.row, one.column, one.expected) for one in findings if one.code == "F276"] == found
    assert {one.code for one in findings} <= {"F276"}


def test_a_record_that_ends_before_a_key_is_told_where_the_map_says_what_keys_are() -> None:
    tables = read_csv(io.BytesIO(b"Crop,Tonnes,Year,Note\nrye,6,2020,\noats,6\n"))
    asked = layout({"columns": {**COLUMNS, "note": "Note"}, "number": {"columns": ["tonnes"]}})
    for needed, found in ((("year",), [(3, "C", "Year")]), ((), [])):
        report = Report()
        assert list(extract(asked, tables, report, {asked.tables[0].map: needed}.__getitem__))
        assert [(one.row, one.column, one.expected) for one in report.findings()] == found


def test_a_row_that_is_left_out_is_not_told_to_end_early() -> None:
    tables = read_csv(io.BytesIO(b"Crop,Year,Tonnes\nrye,2020,6\nall,2020\n"))
    skip = [{"column": "crop", "in": ["all"], "reason": {"en": "A total"}}]
    assert [one.code for one in read(tables, {"columns": COLUMNS, "skip": skip})[1]] == ["F101"]


def test_one_sheet_is_the_first_that_has_the_header_and_others_that_have_it_are_told() -> None:
    find = {"columns": COLUMNS, "header": {"find": ["Crop", "Tonnes"]}}
    cover, empty = sheet([["Harvest of 2020"]], "Cover"), sheet([], "Empty")
    tables = file(empty, cover, sheet(PLAIN, "A"), sheet(PLAIN[:1], "B"), sheet(PLAIN, "C"))
    rows, findings = read(tables, find)
    assert {row["_sheet"] for row in rows} == {"A"}
    assert told(findings) == [("F274", "C", None, None, "C")]


def test_a_workbook_with_a_cover_is_recognised() -> None:
    signed = layout({"columns": COLUMNS}, signature={"headers": ["Crop", "Tonnes"]})
    assert recognise([signed], file(sheet([["Cover"]], "1"), sheet(PLAIN, "2")), "xlsx", None) == [signed]


@pytest.mark.parametrize(
    ("merged", "rows", "expected"),
    [
        ((1, 2, 2, 2), [["wheat", "2020", "12"], ["rye", "2020", None]], [("F153", None, 2, "C", "12")]),
        ((1, 2, 2, 2), [["wheat", "2020", "12"], [None, None, None]], []),
        ((1, 0, 2, 0), [["wheat", "2020", "12"], [None, "2021", "13"]], []),
        ((1, 2, 1, 3), [["wheat", "2020", "12", None]], []),
    ],
)
def test_a_figure_merged_over_rows_of_their_own_is_refused(
    merged: tuple[int, int, int, int], rows: list[list[str | None]], expected: list[tuple[Any, ...]]
) -> None:
    numbers = {"columns": COLUMNS, "number": {"columns": ["tonnes"]}}
    assert told(read(file(sheet([PLAIN[0], *rows], merged=[merged])), numbers)[1]) == expected


def test_a_figure_merged_over_two_columns_that_become_rows_is_refused() -> None:
    rows: Rows = [["Crop", "2020", "2021", "2022"], ["rye", "1", None, "3"]]
    (found,) = read(file(sheet(rows, merged=[(1, 1, 1, 2)])), YEARS)[1]
    assert (found.code, found.row, found.column, found.message) == ("F153", 2, "B", "The merged cell covers 2 figures.")


def test_a_formula_without_result_is_told_as_one() -> None:
    numbers = {"columns": COLUMNS, "number": {"columns": ["tonnes"]}}
    findings = read(file(sheet([*PLAIN, ["oats", "2020", "=C2*2"], ["hops", "2020", "?"]])), numbers)[1]
    assert told(findings) == [("F104", None, 5, "C", "?"), ("F271", None, 4, "C", "=C2*2")]
