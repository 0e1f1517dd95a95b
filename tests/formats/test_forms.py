"""Forms as workbooks: what is locked, open, hidden and offered, and that nothing becomes a formula."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest

from sdmx_service.formats.registry import named, write_form
from sdmx_service.model.form import Area, Form, FormCell, FormSheet, Offer
from sdmx_service.model.message import Tables

CELLS = (
    FormCell(row=0, column=0, value="@key", style="key"),
    FormCell(row=1, column=1, value="=1+1", style="row"),
    FormCell(row=1, column=2, value=1234567, style="figure"),
    FormCell(row=1, column=3, value=0.5, style="figure"),
    FormCell(row=1, column=4, value=None, style="note"),
    FormCell(row=2, column=2, value=None, style="input"),
    FormCell(row=0, column=2, value="Total", style="heading"),
)


@pytest.fixture(scope="module")
def body() -> bytes:
    area = Area(top=1, left=2, bottom=1, right=3)
    sheet = FormSheet(
        name="Catch",
        cells=CELLS,
        merged=(Area(top=0, left=2, bottom=0, right=3),),
        widths={1: 30.0},
        heights={1: 27.0},
        hidden_rows=(0,),
        hidden_columns=(0,),
        frozen=(1, 2),
        heading=(0, 0),
        offers=(
            Offer(areas=(area,), texts=("x", "..."), figures=True, message="Keep it?"),
            Offer(areas=(Area(top=2, left=2, bottom=2, right=2),), texts=tuple(f"answer {n:03}" for n in range(60))),
        ),
        may_add_rows=True,
    )
    hidden = FormSheet(name="_keys", cells=(FormCell(row=0, column=0, value="@held", style="key"),), is_hidden=True)
    form = Form(title="Catch", subject="LOGBOOK", language="en", sheets=(sheet, hidden))
    return b"".join(write_form(form))


@pytest.fixture(scope="module")
def book(body: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(body))


def test_only_inputs_are_open_and_there_is_no_password(book: openpyxl.Workbook) -> None:
    sheet = book["Catch"]
    assert sheet.protection.sheet
    assert sheet.protection.password is None
    opened = {cell.coordinate for row in sheet.iter_rows() for cell in row if not cell.protection.locked}
    assert opened == {"C2", "D2", "E2", "C3"}
    assert not sheet.protection.insertRows  # false means: allowed
    assert not sheet.protection.sort


def test_what_is_for_programs_is_hidden(book: openpyxl.Workbook) -> None:
    assert book["_keys"].sheet_state == book["_lists"].sheet_state == "veryHidden"
    assert book["Catch"].row_dimensions[1].hidden
    assert book["Catch"].column_dimensions["A"].hidden


def test_a_text_never_becomes_a_formula(body: bytes, book: openpyxl.Workbook) -> None:
    assert book["Catch"]["B2"].value == "=1+1"
    assert book["Catch"]["B2"].data_type == "s"
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


def test_answers_and_figures_are_checked_while_one_writes(book: openpyxl.Workbook) -> None:
    figures, answers = book["Catch"].data_validations.dataValidation
    assert (str(figures.sqref), figures.type, figures.errorStyle, figures.error) == (
        "C2:D2",
        "custom",
        "warning",
        "Keep it?",
    )
    assert "ISNUMBER(C2)" in figures.formula1
    assert (str(answers.sqref), answers.type, answers.formula1) == ("C3", "list", "'_lists'!$B$1:$B$60")
    assert book["_lists"]["B60"].value == "answer 059"


def test_it_is_frozen_printed_and_wide_enough(book: openpyxl.Workbook) -> None:
    sheet = book["Catch"]
    assert sheet.freeze_panes == "C2"
    assert sheet.print_title_rows == "$1:$1"
    assert (sheet.page_setup.orientation, sheet.page_setup.fitToWidth) == ("landscape", 1)
    assert sheet.column_dimensions["B"].width == 30
    assert sheet.row_dimensions[2].height == 27
    assert [str(area) for area in sheet.merged_cells.ranges] == ["C1:D1"]


def test_our_own_reader_tells_numbers_from_texts(body: bytes) -> None:
    read = named("xlsx").read
    assert read is not None
    tables = read(io.BytesIO(body), lambda ref: None)  # type: ignore[arg-type,return-value]
    assert isinstance(tables, Tables)
    sheet = tables.sheets[0]
    assert sheet.numbers is not None
    assert [sheet.columns[column][1].as_py() for column in (1, 2, 3)] == ["=1+1", "1234567", "0.5"]
    assert [sheet.numbers[column][1].as_py() for column in (1, 2, 3)] == [False, True, True]
