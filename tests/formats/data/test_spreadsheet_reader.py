"""Plain CSV and XLSX as tables of cells: text as a person sees it, at its own row and column."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.errors import SdmxError, TooLarge, UnreadableFile
from sdmx_service.formats import delimited
from sdmx_service.formats.sniffing import peek
from sdmx_service.formats.spreadsheet import workbook
from sdmx_service.formats.spreadsheet.reader import (
    find_delimiter,
    read_csv,
    read_workbook,
    sniff_csv,
    sniff_workbook,
)
from sdmx_service.model.message import Sheet

PLAIN = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def columns(data: bytes, **said: Any) -> list[list[str | None]]:
    (sheet,) = read_csv(io.BytesIO(data), **said).sheets
    assert sheet.name is None
    assert len({len(column) for column in sheet.columns}) <= 1
    return [column.to_pylist() for column in sheet.columns]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [[]]),
        ("a\n", [["a"]]),
        ("a,b\n007,NA\n", [["a", "007"], ["b", "NA"]]),
        ("a,b\n1,2", [["a", "1"], ["b", "2"]]),
        ('a,b\r\n"x\r\ny",2\r\n,\r\n,3\r\n\r\n', [["a", "x\r\ny", None, None], ["b", "2", None, "3"]]),
        (
            "a;b\n1,5;2\n\n3;4;5\n6\n",
            [["a", "1,5", None, "3", "6"], ["b", "2", None, "4", None], [None, None, None, "5", None]],
        ),
        (
            "title of it all\n\na\tb\tc\n1\t2\t3\n",
            [["title of it all", None, "a", "1"], [None, None, "b", "2"], [None, None, "c", "3"]],
        ),
    ],
)
def test_cells_keep_their_place(text: str, expected: list[list[str | None]]) -> None:
    assert columns(text.encode()) == expected


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("a,b,c\n1,2,3\n", None),
        ("a,b,c\n1,,\n\n", None),
        ("a,b,c\n1,2\n1,2,3\n1\n", [3, 2, 3, 1]),
        ("a,b,c\n1,2\n,\n", [3, 2]),
        ("title\n\na,b\n1,2\n", [1, 2, 2, 2]),
    ],
)
def test_short_records_are_told_by_their_length(text: str, lengths: list[int] | None) -> None:
    (sheet,) = read_csv(io.BytesIO(text.encode())).sheets
    assert (None if sheet.lengths is None else sheet.lengths.to_pylist()) == lengths


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encodings_are_found(encoding: str) -> None:
    assert columns("Zuzüge;São\n1;2\n3;4\n".encode(encoding)) == [["Zuzüge", "1", "3"], ["São", "2", "4"]]


def test_what_a_mapping_declares_wins() -> None:
    assert columns(b"a;b\n1;2\n", delimiter=",") == [["a;b", "1;2"]]
    assert columns("ü,1\n".encode("cp850"), encoding="cp850") == [["ü"], ["1"]]
    with pytest.raises(UnreadableFile, match=r"Line 2: byte 5 .* not utf-8"):
        columns(b"a,b\n\xe9,1\n", encoding="utf-8")
    with pytest.raises(UnreadableFile, match="no encoding"):
        columns(b"a", encoding="utf-99")


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b,c\n1,2,3\n", ","),
        ("name;value\nx;1,5\ny;2,5\n", ";"),
        ("a\tb\n1,5\t2,5\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ("one\ntwo\n", ","),
        ('a,b\n"x;y;z",1\n"x;y;z",2\n', ","),
        ("Table 1\nSource: UN; 2020\na,b,c,d\n" + "1,2,3,4\n" * 9, ","),
    ],
)
def test_delimiters_are_found(text: str, delimiter: str) -> None:
    assert find_delimiter(text) == delimiter


def test_an_open_quote_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="inside quotes"):
        columns(b'a,b\n1,"2\n3,4\n')


def test_odd_records_stand_at_their_place_in_long_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "BLOCK_SIZE", 512)
    records = [[str(n), "x"] + (["y"] if n % 13 == 0 else []) if n % 7 else [str(n)] for n in range(1, 500)]
    (first, second, third) = columns("".join(",".join(one) + "\n" for one in records).encode())
    assert first == [str(n) for n in range(1, 500)]
    assert [text is None for text in second] == [n % 7 == 0 for n in range(1, 500)]
    assert [text == "y" for text in third] == [n % 13 == 0 and n % 7 != 0 for n in range(1, 500)]


cell = st.text(alphabet=st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00\r\x1e"), max_size=8)


@given(st.lists(st.lists(cell, min_size=1, max_size=5), min_size=1, max_size=20), st.sampled_from([",", ";", "\t"]))
def test_what_a_csv_writer_writes_is_read(records: list[list[str]], delimiter: str) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(records)
    found = columns(out.getvalue().encode(), delimiter=delimiter, encoding="utf-8")
    while records and not any(records[-1]):
        records.pop()
    width = len(found)
    assert [list(row) for row in zip(*found, strict=True)] == [
        [(one[place] or None) if place < len(one) else None for place in range(width)] for one in records
    ]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for read in (read_csv, read_workbook):
        try:
            read(io.BytesIO(data))
        except SdmxError:
            pass


# ---------------------------------------------------------------------------------------------------------- workbooks


def made(fill: Callable[[Any], None]) -> bytes:
    book = openpyxl.Workbook()
    fill(book.active)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_cells_of_a_workbook_are_what_a_person_sees() -> None:
    def fill(sheet: Any) -> None:
        sheet.title = "Blatt 1"
        sheet.append(
            ["007", 5.0, 0.1 + 0.2, 1e22, True, dt.date(2020, 1, 2), dt.time(1, 2), None, dt.timedelta(hours=30)]
        )
        sheet["B4"], sheet["A5"] = "#N/A", "="
        sheet["B4"].data_type = "e"
        sheet.merge_cells("C2:D3")
        sheet.row_dimensions[3].hidden = True

    (sheet,) = read_workbook(io.BytesIO(made(fill))).sheets
    rows = list(zip(*(column.to_pylist() for column in sheet.columns), strict=True))
    assert sheet.name == "Blatt 1"
    assert rows[0] == ("007", "5", "0.3", "1e+22", "TRUE", "2020-01-02", "01:02:00", None, "30:00:00")
    assert rows[3][1] == "#N/A"
    assert rows[1] == (None,) * 9
    assert (sheet.merged, sheet.hidden_rows) == (((1, 2, 2, 3),), (2,))


def test_a_table_that_does_not_begin_in_the_corner_keeps_its_place() -> None:
    def fill(sheet: Any) -> None:
        sheet["C3"] = 1

    (sheet,) = read_workbook(io.BytesIO(made(fill))).sheets
    assert [column.to_pylist() for column in sheet.columns] == [[None] * 3, [None] * 3, [None, None, "1"]]


def test_damaged_workbooks_are_refused() -> None:
    data = made(lambda sheet: sheet.append([1, 2, 3]))
    for part in (data[: len(data) // 2], data[:-10], b"", b"PK\x03\x04"):
        with pytest.raises(UnreadableFile, match="truncated or damaged"):
            read_workbook(io.BytesIO(part))


def test_far_cells_do_not_fill_the_memory() -> None:
    def fill(sheet: Any) -> None:
        sheet["A1"] = sheet["XFD1048576"] = 1

    with pytest.raises(TooLarge, match="column 16384 and row 1048576"):
        read_workbook(io.BytesIO(made(fill)))


def test_bombs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MAX_UNPACKED", 10**6)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "x")
        archive.writestr("xl/workbook.xml", b"\0" * 10**7)
    with pytest.raises(TooLarge, match="unpacks to more than"):
        read_workbook(out)


WORKBOOK = made(lambda sheet: sheet.append(["a", 1]))


@given(st.integers(0, len(WORKBOOK)), st.binary(max_size=8))
def test_any_damage_to_a_workbook_is_read_or_refused(place: int, inserted: bytes) -> None:
    try:
        read_workbook(io.BytesIO(WORKBOOK[:place] + inserted + WORKBOOK[place + len(inserted) :]))
    except SdmxError:
        pass


@given(st.binary(max_size=30), st.integers(0, 2000))
def test_any_sheet_xml_is_read_or_refused(inserted: bytes, place: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WORKBOOK)) as source, zipfile.ZipFile(out, "w") as target:
        for info in source.infolist():
            content = source.read(info)
            if info.filename.startswith("xl/") and place < len(content):
                content = content[:place] + inserted + content[place + 5 :]
            target.writestr(info.filename, content)
    try:
        read_workbook(out)
    except SdmxError:
        pass


def test_sniffing() -> None:
    head = peek(io.BytesIO(WORKBOOK), name="x.xlsx")
    assert (sniff_workbook(head), sniff_csv(head)) == (95, 0)
    assert not head.is_archive
    plain = peek(io.BytesIO(b"a,b\n1,2\n"), name="x.csv")
    assert sniff_csv(plain) > sniff_csv(peek(io.BytesIO(b"a,b\n1,2\n"))) > 0
    for other in (b"", b"<a/>", b'{"a":1}', b"\x00\x01"):
        assert sniff_csv(peek(io.BytesIO(other), name="x.csv")) == 0


# ----------------------------------------------------------------------------------------------------------- real files


def open_csv(path: Path) -> Sheet:
    with path.open("rb") as file:
        return read_csv(file).sheets[0]


@pytest.mark.golden("UN DESA 2024 origin-destination stock: every cell")
def test_the_un_desa_file(shared: Path) -> None:
    sheet = open_csv(shared / "data" / "stock" / "undesa_ims2024_bilateral_by_sex.csv")
    table = {column[0].as_py(): column for column in sheet.columns}
    assert len(sheet.columns[0]) == 153_296 + 1
    numbers = zip(table["t"].to_pylist()[1:], table["sex"].to_pylist()[1:], table["n"].to_pylist()[1:], strict=True)
    sums = {"male": 0, "female": 0}
    for year, sex, number in numbers:
        if year == "2024":
            sums[sex] += int(number)
    assert sums == {"male": 158_009_795, "female": 146_012_018}


def test_real_csv_files_equal_what_a_plain_reader_sees(shared: Path) -> None:
    for path in sorted((shared / "data").glob("*/*.csv")):
        sheet = open_csv(path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            expected = list(csv.reader(file))
        assert len(sheet.columns[0]) == len(expected), path.name
        for number in (0, 1, len(expected) // 2, len(expected) - 1):
            row = [column[number].as_py() or "" for column in sheet.columns]
            assert row[: len(expected[number])] == expected[number], path.name


def test_real_workbooks_equal_what_openpyxl_sees(shared: Path) -> None:
    for path in sorted((shared / "data").glob("*/*.xlsx")):
        with path.open("rb") as file:
            sheets = read_workbook(file).sheets
        book = openpyxl.load_workbook(path, data_only=True)
        assert [sheet.name for sheet in sheets] == book.sheetnames
        for sheet in sheets:
            theirs = book[sheet.name or ""]
            ranges = [
                (one.min_row - 1, one.min_col - 1, one.max_row - 1, one.max_col - 1)
                for one in theirs.merged_cells.ranges
            ]
            assert sorted(sheet.merged) == sorted(ranges)
            for column in range(len(sheet.columns)):
                for row in range(0, len(sheet.columns[column]), 7):
                    ours, value = sheet.columns[column][row].as_py(), theirs.cell(row + 1, column + 1).value
                    if isinstance(value, int | float):
                        assert float(ours or "nan") == pytest.approx(value, rel=1e-14)
                    elif not isinstance(value, dt.date | dt.time):
                        # openpyxl does not tell superscripts from other digits
                        assert (ours or "").translate(PLAIN) == str(value or "").translate(PLAIN)
