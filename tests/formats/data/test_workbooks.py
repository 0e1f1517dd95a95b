"""Workbooks of every kind say the same; what is hidden, raised or far away is told, and nothing fills the memory."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from benchmarks.measuring import peak_memory, reset_peak
from sdmx_service.errors import SdmxError, TooLarge, UnreadableFile
from sdmx_service.formats.recognition import head_of, recognise_data
from sdmx_service.model.message import Resolve, Sheet, Tables
from tests.formats.data.invented import STOCK, resolving
from tests.workbooks import MAKERS, Book, ods_of, xls, xlsx

NOWHERE: Resolve = resolving(STOCK)


def sheets(data: bytes) -> tuple[Sheet, ...]:
    file = io.BytesIO(data)
    format = recognise_data(head_of(file))
    assert format.read is not None
    found = format.read(file, NOWHERE)
    assert isinstance(found, Tables)
    return found.sheets


def cells(sheet: Sheet) -> list[list[str | None]]:
    return [list(row) for row in zip(*(column.to_pylist() for column in sheet.columns), strict=True)]


BOOK = Book(
    name="Blatt 1",
    rows=[
        [None, "Country", "Persons", None, None],
        [None, None, "Men", "Women", None],
        [None, "007", 5.0, 0.1 + 0.2, "1\u00a0234"],
        [None, "NA", 12, None, "1\u2009234"],
        [None, "Côte d’Ivoire", -3.25, 1e6, "=1+1"],
    ],
    merged=[(0, 2, 0, 3)],
    hidden_rows=[3],
    hidden_columns=[4],
)


@pytest.mark.parametrize("kind", MAKERS)
def test_workbooks_of_every_kind_say_the_same(kind: str) -> None:
    # A text that begins like a formula cannot be written to each kind as one: left out there.
    rows = [[None if cell == "=1+1" else cell for cell in row] for row in BOOK.rows]
    (sheet,) = sheets(
        MAKERS[kind](Book(**{**{name: getattr(BOOK, name) for name in BOOK.__dataclass_fields__}, "rows": rows}))
    )
    assert sheet.name == "Blatt 1"
    assert cells(sheet) == [
        [None, "Country", "Persons", None, None],
        [None, None, "Men", "Women", None],
        [None, "007", "5", "0.3", "1\u00a0234"],
        [None, "NA", "12", None, "1\u2009234"],
        [None, "Côte d’Ivoire", "-3.25", "1000000", None],
    ]
    assert (sheet.merged, sheet.hidden_rows, sheet.hidden_columns) == (((0, 2, 0, 3),), (3,), (4,))
    assert sheet.numbers is not None
    assert sheet.numbers[2].to_pylist() == [False, False, True, True, True]
    assert not sheet.is_hidden


@pytest.mark.parametrize("kind", MAKERS)
def test_hidden_sheets_are_told(kind: str) -> None:
    assert sheets(MAKERS[kind](Book(rows=[["a"]], is_hidden=True)))[0].is_hidden


@pytest.mark.parametrize("kind", MAKERS)
def test_kinds_are_recognised_by_their_bytes(kind: str) -> None:
    file = io.BytesIO(MAKERS[kind](BOOK))
    assert recognise_data(head_of(file)).name == kind
    assert recognise_data(head_of(file, name="wrong.csv", media_type="text/csv")).name == kind


def superscripts() -> Any:
    return CellRichText("Afghanistan", TextBlock(InlineFont(vertAlign="superscript"), "1"))


def test_digits_in_superscript_stay_superscript_in_xlsx() -> None:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet["A1"] = superscripts()
    sheet["A2"] = CellRichText("12345", TextBlock(InlineFont(vertAlign="superscript"), "1,2"))
    sheet["A3"] = CellRichText("CO", TextBlock(InlineFont(vertAlign="subscript"), "2"))
    out = io.BytesIO()
    book.save(out)
    assert cells(sheets(out.getvalue())[0]) == [["Afghanistan¹"], ["12345¹,²"], ["CO2"]]


def test_digits_in_superscript_stay_superscript_in_ods() -> None:
    style = '<style:style style:name="T{0}" style:family="text"><style:text-properties style:text-position="{1} 58%"/></style:style>'
    text = '<text:p>12345<text:span text:style-name="T{0}">1</text:span></text:p>'
    row = "".join(f'<table:table-cell office:value-type="string">{text.format(n)}</table:table-cell>' for n in (1, 2))
    table = f'<table:table table:name="S"><table:table-row>{row}</table:table-row></table:table>'
    data = ods_of(table, style.format(1, "super") + style.format(2, "sub"))
    assert cells(sheets(data)[0]) == [["12345¹", "123451"]]


def test_errors_are_told_by_every_kind() -> None:
    book = openpyxl.Workbook()
    page: Any = book.active
    page["B2"] = "#DIV/0!"
    page["B2"].data_type = "e"
    out = io.BytesIO()
    book.save(out)
    assert cells(sheets(out.getvalue())[0])[1][1] == "#DIV/0!"
    calc = 'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
    error = (
        f'<table:table-cell {calc} office:value-type="string" office:string-value="" calcext:value-type="error">'
        "<text:p>#N/A</text:p></table:table-cell>"
    )
    one = '<table:table-cell office:value-type="float" office:value="1"/>'
    data = ods_of(f'<table:table table:name="S"><table:table-row>{one}{error}{one}</table:table-row></table:table>')
    assert cells(sheets(data)[0]) == [["1", "#N/A", "1"]]
    import xlwt  # type: ignore[import-untyped]

    made = xlwt.Workbook()
    page = made.add_sheet("S")
    page.row(1).set_cell_error(2, "#REF!")
    page.write(2, 3, 1)
    out = io.BytesIO()
    made.save(out)
    assert cells(sheets(out.getvalue())[0])[1][2] == "#REF!"


def test_a_formula_without_result_is_a_text_and_an_empty_result_is_blank() -> None:
    cells_of_row = (
        '<c r="A1"><v>1</v></c>'
        '<c r="B1"><f>A1&amp;"x"</f></c>'
        '<c r="C1"><f>A1*2</f><v></v></c>'
        '<c r="D1"><f t="shared" si="0"/><v/></c>'
        '<c r="E1"><f>A1*3</f><v>3</v></c>'
        '<c r="F1" t="str"><f>IF(A1,"","")</f><v></v></c>'
        '<c r="G1"/><c r="H1"><v>8</v></c>'
    )
    (found,) = sheets(with_sheet(f'<row r="1">{cells_of_row}</row>'))
    assert cells(found) == [["1", '=A1&"x"', "=A1*2", "=...", "3", None, None, "8"]]
    one = '<table:table-cell office:value-type="float" office:value="1"/>'
    made = '<table:table-cell table:formula="of:=[.A1]*2"{}/>'
    blank = made.format(' office:value-type="string" office:string-value=""')
    row = f"<table:table-row>{one}{made.format('')}{blank}{one}</table:table-row>"
    assert cells(sheets(ods_of(f'<table:table table:name="S">{row}</table:table>'))[0]) == [
        ["1", "=[.A1]*2", None, "1"]
    ]


# ------------------------------------------------------------------------------------------------------------ safety


def with_sheet(xml: str) -> bytes:
    """A workbook whose only sheet has this XML between ``sheetData`` tags."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsx(Book(rows=[["a"]])))) as source, zipfile.ZipFile(out, "w", 8) as target:
        for info in source.infolist():
            content = source.read(info)
            if info.filename.startswith("xl/worksheets/sheet"):
                content = re.sub(rb"<sheetData>.*</sheetData>", f"<sheetData>{xml}</sheetData>".encode(), content)
            target.writestr(info.filename, content)
    return out.getvalue()


def test_ten_million_empty_rows_in_xlsx_are_refused() -> None:
    for xml in ("<row/>" * 10_000_000, '<row r="10000000"><c r="A10000000"><v>1</v></c></row>'):
        with pytest.raises(TooLarge, match="10000000 rows; 1048576 are the limit"):
            sheets(with_sheet(xml))


@pytest.mark.parametrize("cell", ["", ' office:value-type="float" office:value="1"'])
def test_ten_million_rows_in_ods_cost_nothing(cell: str) -> None:
    data = ods_of(
        '<table:table table:name="S"><table:table-row table:number-rows-repeated="10000000">'
        f'<table:table-cell{cell} table:number-columns-repeated="16384"/></table:table-row></table:table>'
    )
    if not cell:
        (sheet,) = sheets(data)
        assert sheet.columns == ()
        return
    with pytest.raises(TooLarge, match="10000000 rows"):
        sheets(data)


def test_one_cell_repeated_over_a_sheet_is_refused() -> None:
    data = ods_of(
        '<table:table table:name="S"><table:table-row table:number-rows-repeated="1000000"><table:table-cell '
        'office:value-type="float" office:value="1" table:number-columns-repeated="1000"/></table:table-row></table:table>'
    )
    with pytest.raises(TooLarge, match="1000000000 cells"):
        sheets(data)


def test_damaged_and_protected_ones_are_refused() -> None:
    for data in (MAKERS["ods"](BOOK), xls(BOOK)):
        with pytest.raises(UnreadableFile, match="damaged"):
            sheets(data[: len(data) * 2 // 3])
    locked = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(MAKERS["ods"](BOOK))) as source, zipfile.ZipFile(locked, "w") as target:
        for info in source.infolist():
            content = source.read(info)
            if info.filename.startswith("META-INF"):
                content = content.replace(b"</manifest:manifest>", b"<manifest:encryption-data/></manifest:manifest>")
            target.writestr(info.filename, content)
    with pytest.raises(UnreadableFile, match="password"):
        sheets(locked.getvalue())
    import olefile

    assert olefile.isOleFile(xls(BOOK))
    with pytest.raises(SdmxError):
        sheets(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000))


GOOD = {kind: MAKERS[kind](BOOK) for kind in ("xls", "ods")}


@given(st.integers(0, 10_000), st.binary(max_size=12))
def test_any_damage_is_read_or_refused(place: int, inserted: bytes) -> None:
    read_or_refused("ods", place, inserted)


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.binary(max_size=12))
def test_any_damage_of_old_workbooks_is_read_or_refused(place: int, inserted: bytes) -> None:
    read_or_refused("xls", place, inserted)


def read_or_refused(kind: str, place: int, inserted: bytes) -> None:
    data = GOOD[kind]
    place %= len(data)
    try:
        sheets(data[:place] + inserted + data[place + len(inserted) :])
    except SdmxError:
        pass


def test_an_old_workbook_that_claims_billions_of_cells_ends_its_reader_and_nothing_else() -> None:
    """The engine would ask for 137 GB."""
    data, far = GOOD["xls"], b"\xff" * 11
    reset_peak()
    before = peak_memory()
    with pytest.raises(UnreadableFile, match="damaged"):
        sheets(data[:2080] + far + data[2080 + len(far) :])
    assert peak_memory() - before < 100


def test_a_part_without_a_name_is_no_crash() -> None:
    data = GOOD["ods"]
    name = data.index(b"content.xml", data.index(b"PK\x01\x02"))
    with pytest.raises(UnreadableFile):
        sheets(data[:name] + bytes(11) + data[name + 11 :])
