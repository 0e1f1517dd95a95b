"""What an office does to a questionnaire: fills, corrects, empties, adds, sorts, merges, and writes over what it should not."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from random import Random

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.dissemination.held import Holder
from sdmx_service.errors import UnknownFormat
from sdmx_service.model.urn import Ref
from sdmx_service.submission.reading import Wish, receive
from sdmx_service.submission.report import Report
from sdmx_service.submission.submit import SentFile, check
from tests.content import filling
from tests.content.filling import column_of, opened, read_back, row_of, saved, told
from tests.harness import House, open_house

TABLES = ["MIG-01", "MIG-10", "CEN-2"]
HELD = {
    "MIG-01": {
        ("CITIZENSHIP=_T;MEASURE=IMM;TIME_PERIOD=2022", "SEX=_T"): 30000,
        ("CITIZENSHIP=_T;MEASURE=IMM;TIME_PERIOD=2022", "SEX=M"): "17 000 *",
        ("CITIZENSHIP=_T;MEASURE=IMM;TIME_PERIOD=2022", "SEX=F"): "13,000 * (1)",
        ("CITIZENSHIP=_T;MEASURE=EMI;TIME_PERIOD=2022", "SEX=_T"): "...",
    },
    "MIG-10": {
        ("CITIZENSHIP=380", "SEX=_T;TIME_PERIOD=2022"): 1500,
        ("CITIZENSHIP=608", "SEX=_T;TIME_PERIOD=2022"): "2500 c (2)",
        ("CITIZENSHIP=356", "SEX=_T;TIME_PERIOD=2022"): 3500,
    },
    "CEN-2": {("COUNTRY_BIRTH=_T", "AGE=_T;SEX=_T"): 115449},
}
WRITTEN: list[tuple[object, str | None]] = [
    (0, "0"),
    (5, "5"),
    ("1 234", "1234"),
    ("…", None),
    ("—", "0"),
    ("7 *", "7"),
    (None, None),
]
FLOW = "v2/data/dataflow/UNSD_MIG/{flow}/1.0.0/A.470?c%5BTIME_PERIOD%5D=2022"


def write(book: openpyxl.Workbook, table: str, row: str, column: str, value: object) -> str:
    """Write into the cell of two keys; its address."""
    sheet = book[table]
    cell = sheet.cell(row_of(sheet, row), column_of(sheet, column))
    cell.value = value
    return cell.coordinate


def filled(body: bytes) -> openpyxl.Workbook:
    """The workbook with the figures of ``HELD``."""
    book = opened(body)
    filling.add_notes(book)
    for table, cells in HELD.items():
        for (row, column), value in cells.items():
            write(book, table, row, column, value)
    book["CEN-2"].cell(row_of(book["CEN-2"], "@period"), 3).value = 2021
    return book


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A store that holds ``HELD``, sent as a questionnaire."""
    with open_house(f"duckdb:///{tmp_path_factory.mktemp('store')}/store.duckdb") as found:
        catalog = found.library.view().catalog
        receipt, findings = found.send(saved(filled(filling.blank(catalog, "470", "en", TABLES))), name="first.xlsx")
        assert receipt.status == "published", findings
        assert [flow.inserted for flow in receipt.dataflows] == [4, 3, 1]
        yield found


@pytest.fixture(scope="module")
def catalog(house: House) -> Catalog:
    """Its catalog."""
    return house.library.view().catalog


@pytest.fixture(scope="module")
def body(house: House, catalog: Catalog) -> bytes:
    """The template with what the store holds."""
    return prefilled(house, catalog)


def prefilled(house: House, catalog: Catalog, language: str = "en") -> bytes:
    """A template with what the store holds."""
    release = house.library.view().release

    def holder(provider: Ref) -> Holder:
        return Holder(store=house.library.store, release=release, provider=provider)

    return filling.blank(catalog, "470", language, TABLES, held=holder)


@pytest.fixture
def book(body: bytes) -> openpyxl.Workbook:
    """The pre-filled template, opened."""
    return opened(body)


def codes(body: bytes, catalog: Catalog, severity: str = "error") -> list[str]:
    """The codes of the findings of a severity."""
    _, report = read_back(body, catalog)
    return [finding.code for finding in report.findings() if finding.severity.value == severity]


# --- filled in before -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("language", ["en", "fr", "es", "ru"])
def test_what_is_held_is_filled_in_and_counts_as_unchanged(house: House, catalog: Catalog, language: str) -> None:
    again = opened(prefilled(house, catalog, language))
    cell = write(opened(prefilled(house, catalog)), "MIG-01", "CITIZENSHIP=_T;MEASURE=IMM;TIME_PERIOD=2022", "SEX=F", 0)
    assert again["MIG-01"][cell].value == "13000 * (1)"
    receipt, findings = house.send(saved(again), name="again.xlsx", publish=False)
    assert receipt.status == "accepted", findings
    assert [(flow.inserted, flow.changed, flow.unchanged) for flow in receipt.dataflows] == [
        (0, 0, 4),
        (0, 0, 2),  # the confidential one is not filled in, and so not sent again
        (0, 0, 1),
    ]
    assert receipt.provider == "UNSD_MIG.NSO_MLT"
    assert receipt.mapping == "DYB_MIGRATION(1.0.0)"


def test_an_emptied_cell_deletes_nothing_and_says_so(book: openpyxl.Workbook, catalog: Catalog) -> None:
    cell = write(book, "MIG-10", "CITIZENSHIP=380", "SEX=_T;TIME_PERIOD=2022", None)
    found, report = read_back(saved(book), catalog)
    assert not report.has_errors
    assert not [row for row in found if row[1] == "Delete"]
    row = int("".join(sign for sign in cell if sign.isdigit()))
    assert list(filling.places(report, "F155")) == [("MIG-10", row, cell.rstrip("0123456789"), "1500")]


# --- as sent --------------------------------------------------------------------------------------------------------
SECRET = ("MIG-10", "CITIZENSHIP=608", "SEX=_T;TIME_PERIOD=2022")


def cell_of(book: openpyxl.Workbook, table: str, row: str, column: str) -> object:
    sheet = book[table]
    return sheet.cell(row_of(sheet, row), column_of(sheet, column)).value


def test_a_confidential_figure_stays_as_it_was_sent(house: House, body: bytes) -> None:
    """Its cell says so, the figure is nowhere in the workbook, and sent back it changes nothing and is not lost."""
    book = opened(body)
    assert cell_of(book, *SECRET) == ":c"
    texts = {str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row}
    assert not [text for text in texts if "2500" in text]
    assert [text for text in texts if text.startswith("Held and not shown")], (
        "the legend of the cover says what it means"
    )
    receipt, findings = house.send(saved(book), name="back.xlsx")
    assert receipt.status == "published", findings
    assert [finding.code for finding in findings if finding.code in ("F155", "F260")] == []
    assert sum(flow.changed for flow in receipt.dataflows) == 0
    write(book, *SECRET, "2500 c")
    assert house.send(saved(book), name="same.xlsx", publish=False)[0].dataflows[1].unchanged == 3, "it is still 2500"


def test_nothing_to_keep_is_an_error_at_its_cell(house: House, body: bytes) -> None:
    book = opened(body)
    cell = write(book, "MIG-10", "CITIZENSHIP=356", "SEX=_T;TIME_PERIOD=2021", ":C")
    receipt, findings = house.send(saved(book), name="back.xlsx", publish=False)
    assert receipt.status == "refused"
    (found,) = [one for one in findings if one.severity.value == "error"]
    assert (found.code, found.value, found.sheet, f"{found.column}{found.row}") == ("F260", ":c", "MIG-10", cell)
    assert (found.key["CITIZENSHIP"], found.key["TIME_PERIOD"]) == ("356", "2021")


def test_without_a_store_the_receipt_says_what_was_not_looked_at(body: bytes, catalog: Catalog) -> None:
    outcome = check(SentFile(file=io.BytesIO(body), name="back.xlsx"), Wish(), catalog)
    assert "F260" in outcome.receipt.rules_not_run
    assert outcome.receipt.findings["error"] == 0


@pytest.mark.parametrize("text", [":c (1)", ":c *", "5 :c"])
def test_what_stays_as_it_was_sent_has_no_mark(book: openpyxl.Workbook, catalog: Catalog, text: str) -> None:
    write(book, *SECRET, text)
    assert codes(saved(book), catalog) == ["F104"]


@pytest.mark.parametrize(
    ("text", "value", "deleted"), [("17", "17", False), ("...", None, True), ("delete", None, True)]
)
def test_what_is_written_over_it_counts(
    book: openpyxl.Workbook, catalog: Catalog, text: str, value: str | None, deleted: bool
) -> None:
    write(book, *SECRET, text)
    found, report = read_back(saved(book), catalog)
    assert not report.has_errors
    rows = [(action, dict(row)) for _, action, row in found if dict(row).get("CITIZENSHIP") == "608"]
    assert [row.get("OBS_VALUE") for action, row in rows if action == "Merge"] == ([value] if text != "delete" else [])
    assert bool([row for action, row in rows if action == "Delete"]) is deleted


@pytest.mark.parametrize(("text", "complete"), [("5", ("COUNTRY_BIRTH",)), (":c", ())])
def test_no_completeness_is_claimed_with_figures_that_stay(
    catalog: Catalog, text: str, complete: tuple[str, ...]
) -> None:
    book = opened(filling.blank(catalog, "470", "en", ["CEN-2"]))
    book["CEN-2"].cell(row_of(book["CEN-2"], "@period"), 3).value = 2021
    cover = book.worksheets[0]
    cover.cell(row_of(cover, "@declaration CEN-2"), 4).value = "complete"
    write(book, "CEN-2", "COUNTRY_BIRTH=_T", "AGE=_T;SEX=_T", 9)
    write(book, "CEN-2", "COUNTRY_BIRTH=380", "AGE=_T;SEX=_T", text)
    found = receive(io.BytesIO(saved(book)), "x.xlsx", None, Wish(), catalog, Report(), None)
    list(found.parts)
    assert found.complete == complete


@pytest.mark.parametrize("word", ["delete", "Supprimer", "eliminar", "удалить"])
def test_the_word_of_the_cover_takes_a_figure_back(book: openpyxl.Workbook, catalog: Catalog, word: str) -> None:
    write(book, "MIG-10", "CITIZENSHIP=380", "SEX=_T;TIME_PERIOD=2022", word)
    found, _ = read_back(saved(book), catalog)
    deleted = [dict(row) for _, action, row in found if action == "Delete"]
    assert [(row["CITIZENSHIP"], row["TIME_PERIOD"], row.get("OBS_VALUE")) for row in deleted] == [
        ("380", "2022", None)
    ]


def test_corrections_are_published_and_what_was_taken_away_is_gone(tmp_path: Path) -> None:
    with open_house(f"duckdb:///{tmp_path}/store.duckdb") as house:
        catalog = house.library.view().catalog
        house.send(saved(filled(filling.blank(catalog, "470", "en", TABLES))), name="first.xlsx")
        book = opened(prefilled(house, catalog, "fr"))
        write(book, "MIG-10", "CITIZENSHIP=380", "SEX=_T;TIME_PERIOD=2022", "supprimer")
        write(book, "MIG-10", "CITIZENSHIP=608", "SEX=_T;TIME_PERIOD=2022", 2600)
        write(book, "MIG-10", "CITIZENSHIP=356", "SEX=_T;TIME_PERIOD=2022", "...")
        write(book, "MIG-01", "CITIZENSHIP=_T;MEASURE=IMM;TIME_PERIOD=2022", "SEX=F", 13000)
        receipt, findings = house.send(saved(book), name="second.xlsx")
        assert receipt.status == "published", findings
        rows = {row["CITIZENSHIP"]: row for row in house.rows(FLOW.format(flow="DF_FLOW_CTZ"))}
        assert set(rows) == {"608", "356"}
        assert (rows["608"]["OBS_VALUE"], rows["608"]["CONF_STATUS"]) == ("", "C"), "a figure alone frees nothing"
        assert (rows["356"]["OBS_VALUE"], rows["356"]["OBS_STATUS"]) == ("", "O")
        women = next(row for row in house.rows(FLOW.format(flow="DF_FLOW_TOT")) if row["SEX"] == "F")
        assert (women["OBS_VALUE"], women["OBS_STATUS"], women["COMMENT_OBS"]) == ("13000", "A", "")


def test_a_changed_unit_over_old_figures_is_refused(book: openpyxl.Workbook, catalog: Catalog) -> None:
    book["MIG-10"].cell(row_of(book["MIG-10"], "@unit"), 3).value = "Miles de personas"
    assert codes(saved(book), catalog) == ["F158"]


def test_a_sheet_in_thousands_says_so_with_every_figure(catalog: Catalog) -> None:
    book = opened(filling.blank(catalog, "470", "es", ["MIG-10"]))
    book["MIG-10"].cell(row_of(book["MIG-10"], "@unit"), 3).value = "Miles de personas"
    write(book, "MIG-10", "CITIZENSHIP=380", "SEX=_T;TIME_PERIOD=2022", 1.5)
    write(book, "MIG-10", "CITIZENSHIP=608", "SEX=_T;TIME_PERIOD=2022", "1.500")
    write(book, "MIG-10", "CITIZENSHIP=356", "SEX=_T;TIME_PERIOD=2022", "1,500")
    found, report = read_back(saved(book), catalog)
    assert not report.has_errors
    values = {dict(row)["CITIZENSHIP"]: (dict(row)["OBS_VALUE"], dict(row)["UNIT_MULT"]) for row in told(found)}
    assert values == {"380": ("1.5", "3"), "608": ("1500", "3"), "356": ("1.500", "3")}


def test_figures_filled_in_before_are_not_taken_for_another_year_unasked(
    book: openpyxl.Workbook, catalog: Catalog
) -> None:
    book["CEN-2"].cell(row_of(book["CEN-2"], "@period"), 3).value = 2011
    assert codes(saved(book), catalog, "warning") == ["F159"]
    book["CEN-2"].cell(row_of(book["CEN-2"], "@period"), 3).value = None
    assert codes(saved(book), catalog) == ["F160"]


# --- rows of the office's own ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("code", "name", "expected"),
    [
        ("891", None, "891"),
        ("008", None, "8"),
        ("PHL", None, "608"),
        (None, "Côte d’Ivoire", "384"),
        (None, "COTE D'IVOIRE", "384"),
        (None, "Филиппины (1)", "608"),
        ("608", "République des Philippines", "608"),
    ],
)
def test_a_country_is_added_by_code_or_name(
    catalog: Catalog, code: str | None, name: str | None, expected: str
) -> None:
    book = opened(filling.blank(catalog, "470", "fr", ["MIG-10"]))
    sheet = book["MIG-10"]
    row = row_of(sheet, "@free")
    sheet.cell(row, 2).value, sheet.cell(row, 3).value = code, name
    sheet.cell(row, 4).value = 17
    found, report = read_back(saved(book), catalog)
    assert not report.has_errors, list(report.findings())
    assert [dict(one)["CITIZENSHIP"] for one in told(found)] == [expected]


@pytest.mark.parametrize(
    ("code", "name", "finding", "column"),
    [
        (None, "Italien-Nord", "F151", "C"),
        ("999", None, "F151", "B"),
        ("380", "Malta", "F152", "C"),
        (None, None, "F151", "C"),
    ],
)
def test_a_row_that_is_not_clear_is_asked_about_at_its_cell(
    catalog: Catalog, code: str | None, name: str | None, finding: str, column: str
) -> None:
    book = opened(filling.blank(catalog, "470", "fr", ["MIG-10"]))
    sheet = book["MIG-10"]
    row = row_of(sheet, "@free")
    sheet.cell(row, 2).value, sheet.cell(row, 3).value = code, name
    sheet.cell(row, 4).value = 17
    found, report = read_back(saved(book), catalog)
    assert told(found) == []
    assert [(sheet, at, letter) for sheet, at, letter, _ in filling.places(report, finding)] == [
        ("MIG-10", row, column)
    ]


def test_a_label_written_over(book: openpyxl.Workbook, catalog: Catalog) -> None:
    sheet = book["MIG-10"]
    row = row_of(sheet, "CITIZENSHIP=380")
    sheet.cell(row, 2).value, sheet.cell(row, 3).value = "300", "Greece"
    found, report = read_back(saved(book), catalog)
    assert not report.has_errors
    assert {dict(one)["CITIZENSHIP"] for one in told(found) if dict(one)["TABLE_ID"] == "MIG-10"} == {
        "300",
        "356",
    }
    sheet.cell(row, 2).value = "380"
    assert codes(saved(book), catalog) == ["F152"]
    sheet.cell(row, 3).value = "Italy"
    sheet = book["MIG-01"]
    row = row_of(sheet, "CITIZENSHIP=_T;MEASURE=IMM;TIME_PERIOD=2022")
    sheet.cell(row, 2).value = 2023
    assert codes(saved(book), catalog) == ["F152"]


def test_a_heading_written_over_is_an_error_above_figures_only(book: openpyxl.Workbook, catalog: Catalog) -> None:
    sheet = book["MIG-10"]
    column = column_of(sheet, "SEX=_T;TIME_PERIOD=2022")
    sexes = next(row for row in range(1, 20) if sheet.cell(row, column + 1).value == "Male")
    sheet.cell(sexes, column + 1).value, sheet.cell(sexes, column + 2).value = "Female", "Male"
    assert codes(saved(book), catalog) == []
    sheet.cell(row_of(sheet, "CITIZENSHIP=380"), column + 1).value = 5
    (found,) = read_back(saved(book), catalog)[1].findings()
    assert (found.code, found.sheet, found.row, found.value) == ("F275", "MIG-10", sexes, "Female")
    assert found.message == "The column is that of Male (M), and its heading is 'Female'."
    sheet.cell(sexes, column + 1).value, sheet.cell(sexes - 1, column).value = "Hombres", 2023
    (found,) = read_back(saved(book), catalog)[1].findings()
    assert (found.code, found.row, found.value, found.expected) == ("F275", sexes - 1, "2023", "2022")


def test_a_formula_without_result_is_no_blank_cell(book: openpyxl.Workbook, catalog: Catalog) -> None:
    write(book, "MIG-10", "CITIZENSHIP=380", "SEX=M;TIME_PERIOD=2022", "=D15*2")
    (found,) = read_back(saved(book), catalog)[1].findings()
    assert (found.code, found.value) == ("F271", "=D15*2")


def test_a_country_given_twice_is_a_duplicate(house: House, body: bytes) -> None:
    book = opened(body)
    sheet = book["MIG-10"]
    row = row_of(sheet, "@free")
    sheet.cell(row, 3).value = "Italien"
    sheet.cell(row, 3).value = "Italie"
    sheet.cell(row, column_of(sheet, "SEX=_T;TIME_PERIOD=2022")).value = 4
    receipt, findings = house.send(saved(book), name="twice.xlsx", publish=False)
    assert receipt.status == "refused"
    twice = [finding for finding in findings if finding.code == "F501"]
    assert {(finding.sheet, finding.row) for finding in twice} >= {("MIG-10", row)}


# --- what does not fit ----------------------------------------------------------------------------------------------
def test_merged_figures_and_cells_without_key_are_named(book: openpyxl.Workbook, catalog: Catalog) -> None:
    sheet = book["MIG-10"]
    row = row_of(sheet, "CITIZENSHIP=356")
    column = column_of(sheet, "SEX=_T;TIME_PERIOD=2022")
    sheet.merge_cells(start_row=row, end_row=row + 1, start_column=column, end_column=column)
    stray = sheet.cell(row, column_of(sheet, "@notes") + 2)
    stray.value = "see report"
    _, report = read_back(saved(book), catalog)
    letter = sheet.cell(row, column).column_letter
    assert list(filling.places(report, "F153")) == [("MIG-10", row, letter, "3500")]
    assert list(filling.places(report, "F156")) == [("MIG-10", row, stray.column_letter, "see report")]


@pytest.mark.parametrize(
    ("text", "code"), [("about 5", "F104"), ("12 e b", "F154"), ("(1)", "F104"), ("2022-05-03", "F104")]
)
def test_a_cell_that_is_no_figure_is_an_error_at_the_cell(
    book: openpyxl.Workbook, catalog: Catalog, text: str, code: str
) -> None:
    cell = write(book, "MIG-10", "CITIZENSHIP=300", "SEX=_T;TIME_PERIOD=2022", text)
    _, report = read_back(saved(book), catalog)
    found = list(filling.places(report, code))
    assert [(sheet, f"{column}{row}", value) for sheet, row, column, value in found] == [("MIG-10", cell, text)]


def test_a_footnote_without_text_is_a_warning_and_one_of_the_row_holds_for_all(catalog: Catalog) -> None:
    book = opened(filling.blank(catalog, "470", "en", ["MIG-10"]))
    filling.add_notes(book)
    sheet = book["MIG-10"]
    row = row_of(sheet, "CITIZENSHIP=300")
    sheet.cell(row, 4).value, sheet.cell(row, 5).value = 5, "6 (2)"
    sheet.cell(row, column_of(sheet, "@notes")).value = "(1)"
    found, _ = read_back(saved(book), catalog)
    assert {dict(one)["OBS_VALUE"]: dict(one)["FOOTNOTE_ID"] for one in told(found)} == {"5": "1", "6": "2,1"}
    sheet.cell(row, 4).value = "5 (9)"
    assert codes(saved(book), catalog, "warning") == ["F157"]


def test_another_country_on_the_cover_is_not_believed(book: openpyxl.Workbook, catalog: Catalog) -> None:
    cover = book["Cover"]
    cover.cell(row_of(cover, "@area"), 3).value = "380"
    found, report = read_back(saved(book), catalog)
    assert found == []
    assert [finding.code for finding in report.findings()] == ["F150"]


def test_another_country_in_name_only_is_not_believed(book: openpyxl.Workbook, catalog: Catalog) -> None:
    cover = book["Cover"]
    row = row_of(cover, "@area")
    cover.cell(row, 4).value = "Malte"
    assert codes(saved(book), catalog) == []
    cover.cell(row, 4).value = "Italy"
    found, report = read_back(saved(book), catalog)
    assert found == []
    (said,) = report.findings()
    assert (said.code, said.sheet, said.row, said.column) == ("F150", "Cover", row, "D")
    assert (said.value, said.expected) == ("Italy", "Malta (470)")


def test_a_revision_that_is_not_here_is_named(book: openpyxl.Workbook, catalog: Catalog) -> None:
    for name in ("Cover", "_keys"):
        sheet = book[name]
        row = row_of(sheet, "@questionnaire")
        sheet.cell(row, 3 if name == "Cover" else 2).value = "DYB_MIGRATION(9.0.0)"
    with pytest.raises(UnknownFormat, match=r"9\.0\.0"):
        read_back(saved(book), catalog)


def test_without_its_hidden_sheet_it_is_still_known(book: openpyxl.Workbook, catalog: Catalog) -> None:
    expected = sorted(map(sorted, told(read_back(saved(book), catalog)[0])))
    del book["_keys"]
    found, report = read_back(saved(book), catalog)
    assert not report.has_errors
    assert sorted(map(sorted, told(found))) == expected


def test_a_removed_sheet_is_said(book: openpyxl.Workbook, catalog: Catalog) -> None:
    del book["MIG-01"]
    found, report = read_back(saved(book), catalog)
    assert {flow for flow, _, _ in found} == {"DF_FLOW_CTZ", "DF_STOCK_CTB"}
    assert [finding.value for finding in report.findings() if finding.code == "F163"] == ["MIG-01"]


# --- metadata and cover ---------------------------------------------------------------------------------------------
def test_answers_become_attributes_where_the_structure_has_them(book: openpyxl.Workbook, catalog: Catalog) -> None:
    sheet = book["Metadata"]
    every, first, census = 3, 4, 6
    assert (sheet.cell(1, first).value, sheet.cell(1, census).value) == ("MIG-01", "CEN-2")
    sheet.cell(row_of(sheet, "@answer source"), every).value = "Registre de population"
    sheet.cell(row_of(sheet, "@answer source"), census).value = "CEN"
    sheet.cell(row_of(sheet, "@answer duration"), every).value = "Twelve months"
    sheet.cell(row_of(sheet, "@answer reference_date"), every).value = "--11-21"
    sheet.cell(row_of(sheet, "@answer group_c"), first).value = "Excluded"
    report = Report()
    received = receive(io.BytesIO(saved(book)), "x.xlsx", None, Wish(), catalog, report, None)
    said = {
        (row["TABLE_ID"], row["SOURCE_TYPE"], row.get("DURATION_CRITERION"), row.get("REF_DATE"))
        for part in received.parts
        for batch in part.batches
        for row in batch.to_pylist()
    }
    assert said == {("MIG-01", "REG", "M12", None), ("MIG-10", "REG", "M12", None), ("CEN-2", "CEN", None, "--11-21")}
    kept = [(finding.sheet, finding.value) for finding in report.findings() if finding.code == "F161"]
    assert kept == [("Metadata", "Excluded")]


def test_an_answer_that_is_none_is_an_error(book: openpyxl.Workbook, catalog: Catalog) -> None:
    sheet = book["Metadata"]
    sheet.cell(row_of(sheet, "@answer source"), 3).value = "Population registr"
    cover = book["Cover"]
    cover.cell(row_of(cover, "@declaration MIG-01"), 4).value = "Compleet"
    _, report = read_back(saved(book), catalog)
    found = {finding.sheet: finding.suggestion for finding in report.findings() if finding.code == "F162"}
    assert found == {"Metadata": "Population register", "Cover": "Complete"}


def test_what_is_declared_complete_is_checked_so(catalog: Catalog, house: House) -> None:
    book = opened(filling.blank(catalog, "470", "ru", ["CEN-2"]))
    sheet, cover = book["CEN-2"], book.worksheets[0]
    sheet.cell(row_of(sheet, "@period"), 3).value = 2021
    for key, value in (("COUNTRY_BIRTH=_T", 100), ("COUNTRY_BIRTH=380", 60), ("COUNTRY_BIRTH=608", 30)):
        write(book, "CEN-2", key, "AGE=_T;SEX=_T", value)
    receipt, _ = house.send(saved(book), name="partial.xlsx", publish=False)
    assert receipt.status == "accepted"
    cover.cell(row_of(cover, "@declaration CEN-2"), 4).value = "Полностью"
    receipt, findings = house.send(saved(book), name="complete.xlsx", publish=False)
    assert receipt.status == "refused"
    assert [finding.code for finding in findings if finding.severity.value == "error"] == ["V04"]


# --- whatever an office does to the rows ----------------------------------------------------------------------------
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32),
    written=st.lists(st.sampled_from(WRITTEN), min_size=1, max_size=8),
    gone=st.integers(0, 9),
)
def test_rows_may_be_sorted_hidden_left_out_and_put_in(
    body: bytes, catalog: Catalog, seed: int, written: list[tuple[object, str | None]], gone: int
) -> None:
    chance, book = Random(seed), opened(body)
    sheet = book["MIG-10"]
    keyed = [row for row in range(1, sheet.max_row + 1) if "=" in str(sheet.cell(row, 1).value)]
    width, year = sheet.max_column, column_of(sheet, "SEX=_T;TIME_PERIOD=2023")
    lines = {row: [sheet.cell(row, column).value for column in range(1, width + 1)] for row in keyed}
    figures = dict(zip(chance.sample(keyed, len(written)), written, strict=True))
    for row, (text, _) in figures.items():
        lines[row][year - 1] = text
    order = chance.sample(keyed, len(keyed) - gone)
    for row in range(keyed[0], sheet.max_row + 1):
        for column in range(1, width + 1):
            sheet.cell(row, column).value = None
    place = keyed[0]
    for row in order:
        place += chance.random() < 0.02
        for column, value in enumerate(lines[row], 1):
            sheet.cell(place, column).value = value
        sheet.row_dimensions[place].hidden = chance.random() < 0.3
        place += 1
    found, report = read_back(saved(book), catalog)
    assert not report.has_errors, list(report.findings())
    sent = [dict(one) for one in told(found)]
    read = {
        (one["CITIZENSHIP"], one.get("OBS_VALUE"))
        for one in sent
        if one["TABLE_ID"] == "MIG-10" and one["TIME_PERIOD"] == "2023"
    }
    said = [(str(lines[row][0]).partition("=")[2], figures[row]) for row in order if row in figures]
    assert read == {(code, value) for code, (text, value) in said if text is not None}
