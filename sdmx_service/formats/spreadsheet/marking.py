"""Findings as workbooks: the sender's own workbook with its cells marked, and the plain list.

*Choices:* a cell gets the colour of its worst finding and all texts as one comment, so that colour is never alone; a
finding without a place stands in the list only. Every text is written as text: what begins like a formula is none.
Charts and pictures of the sender's workbook are not carried over.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell, MergedCell, WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import column_index_from_string
from openpyxl.worksheet.worksheet import Worksheet

from sdmx_service.errors import UnreadableFile
from sdmx_service.formats.spreadsheet.reader import read_binary_workbook, read_csv, read_open_document
from sdmx_service.formats.spreadsheet.workbook import bounded
from sdmx_service.model.cell_mark import CellMark
from sdmx_service.model.message import SeekableFile, Sheet

MARKED: Final = 20_000
"""Cells that are marked at most: a comment is a drawing, and programs open few of them gladly."""
LISTED: Final = 1_000_000
"""Findings of the list at most: a sheet ends soon after."""
SMALL: Final = 32 * 1024**2
"""Bytes of a file that is opened for marking at most."""
CELLS: Final = 2_000_000
"""Cells of a text file that is made a workbook at most."""
_COLOURS: Final = {"error": "F4B6B6", "warning": "FFE3A3", "info": "CFE2F7"}
_WORST: Final = ("error", "warning", "info")
_LONGEST: Final = 32_767
"""Characters of a cell."""
_PIECE: Final = 1 << 16
_WIDTH, _HEIGHT = 360, 120
_AUTHOR = "check"


def write_findings(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """The list of findings alone, as a workbook."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Findings")
    sheet.freeze_panes = "A2"
    for number, row in enumerate(_whole(_all(header, rows), LISTED)):
        sheet.append([_written(sheet, value, bold=number == 0) for value in row])
    return _saved(book)


def _all(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[Sequence[object]]:
    yield header
    yield from rows


def _whole(rows: Iterable[Sequence[object]], most: int) -> Iterator[Sequence[object]]:
    """The rows up to as many as a sheet takes; where there are more, a last one says how many."""
    left = 0
    for number, row in enumerate(rows):
        if number <= most:
            yield row
        else:
            left += 1
    if left:
        yield (f"{left} more findings do not fit here; the list as CSV and as JSON has every one.",)


def write_marked(
    file: SeekableFile, format: str, marks: Iterable[CellMark], header: Sequence[str], rows: Iterable[Sequence[object]]
) -> Iterator[bytes] | None:
    """The sender's file as a workbook, its cells marked, with the list of findings as a last sheet.

    Returns None for a file that cannot be one: no table, or too large.

    Args:
        format: ``xlsx``, ``xls``, ``ods``, ``csv`` or ``sdmx-csv``, as the file was recognised.
        header, rows: the list of findings.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size > SMALL:
        return None
    book = _opened(file) if format == "xlsx" else _of_tables(file, format)
    if book is None:
        return None
    _mark(book, marks, _headers(book) if format == "sdmx-csv" else None)
    _list(book, header, rows)
    return _saved(book)


def _opened(file: SeekableFile) -> Workbook | None:
    try:
        return load_workbook(bounded(file))
    except (UnreadableFile, ValueError, KeyError, TypeError, AttributeError, OSError):  # openpyxl is choosy
        return None


_READERS: Final = {"csv": read_csv, "sdmx-csv": read_csv, "xls": read_binary_workbook, "ods": read_open_document}


def _of_tables(file: SeekableFile, format: str) -> Workbook | None:
    """The sheets of a file as a workbook of texts; None if it has none, or too many cells."""
    read = _READERS.get(format)
    if read is None:
        return None
    sheets = read(file).sheets
    if sum(len(column) for sheet in sheets for column in sheet.columns) > CELLS or not sheets:
        return None
    book = Workbook()
    book.remove(book.worksheets[0])
    for sheet in sheets:
        page = book.create_sheet(sheet.name or "Data")
        for number, row in enumerate(_rows(sheet), start=1):
            for column, value in enumerate(row, start=1):
                if value is not None:
                    _put(page.cell(number, column), value)
    return book


def _rows(sheet: Sheet) -> Iterator[tuple[str | None, ...]]:
    return zip(*(column.to_pylist() for column in sheet.columns), strict=True)


# --- marks ----------------------------------------------------------------------------------------------------------


def _headers(book: Workbook) -> dict[str, int]:
    """Component -> number of its column: SDMX-CSV writes ``ID``, ``ID: Name``, ``ID[]`` and ``ID[en;fr]``."""
    page = book.worksheets[0]
    named = {re.split(r"[:\[]", str(cell.value))[0].strip(): cell.column for cell in page[1] if cell.value is not None}
    return {name: int(column) for name, column in named.items()}


def _mark(book: Workbook, marks: Iterable[CellMark], headers: Mapping[str, int] | None) -> None:
    """Colour and comment each cell that something is said about."""
    said: dict[tuple[str, int, int], list[CellMark]] = {}
    for mark in marks:
        if mark.row is None:
            continue
        name = mark.sheet if mark.sheet in book.sheetnames else book.worksheets[0].title
        place = (name, mark.row, _number(mark.column) if headers is None else headers.get(mark.column or "", 1))
        if place in said or len(said) < MARKED:
            said.setdefault(place, []).append(mark)
    for (name, row, column), every in said.items():
        page = book[name]
        if isinstance(page, Worksheet):
            _comment(_cell(page, row, column), every)


def _number(column: str | None) -> int:
    """The number of a column's letter; 1 for what is none, such as a header."""
    if column is None or not re.fullmatch("[A-Z]{1,3}", column):
        return 1
    return int(column_index_from_string(column))


def _cell(page: Worksheet, row: int, column: int) -> Cell:
    """The cell, or the first of the merged ones it belongs to."""
    cell = page.cell(row, column)
    if isinstance(cell, MergedCell):
        for block in page.merged_cells.ranges:
            if cell.coordinate in block:
                return page.cell(block.min_row, block.min_col)  # type: ignore[return-value]
    return cell  # type: ignore[return-value]


def _comment(cell: Cell, marks: Sequence[CellMark]) -> None:
    worst = min((mark.severity for mark in marks), key=_WORST.index)
    cell.fill = PatternFill("solid", start_color=_COLOURS[worst], end_color=_COLOURS[worst])
    texts = [f"{mark.severity}: {mark.text}" for mark in marks]
    if cell.comment is not None:
        texts.insert(0, cell.comment.text)
    comment = Comment(_clean("\n\n".join(dict.fromkeys(texts)))[:_LONGEST], _AUTHOR)
    comment.width, comment.height = _WIDTH, _HEIGHT
    cell.comment = comment


# --- the list -------------------------------------------------------------------------------------------------------


def _list(book: Workbook, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    name = "Findings"
    while name in book.sheetnames:
        name += "_"
    page = book.create_sheet(name)
    page.freeze_panes = "A2"
    for number, row in enumerate(_whole(_all(header, rows), MARKED), start=1):
        for column, value in enumerate(row, start=1):
            if value is not None:
                _put(page.cell(number, column), value)
                if number == 1:
                    page.cell(number, column).font = Font(bold=True)


def _put(cell: Cell | MergedCell, value: object) -> None:
    """A number as number, all else as text, even what begins like a formula."""
    if isinstance(value, int) and not isinstance(value, bool):
        cell.value = value
        return
    cell.value = _clean(str(value))[:_LONGEST]
    cell.data_type = "s"


def _written(page: Any, value: object, *, bold: bool) -> Any:
    if value is None:
        return None
    cell = WriteOnlyCell(page)
    _put(cell, value)
    if bold:
        cell.font = Font(bold=True)
    return cell


def _clean(text: str) -> str:
    """Without the control characters that no workbook can hold."""
    return str(ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", text))


def _saved(book: Workbook) -> Iterator[bytes]:
    """The workbook as bytes, the same for the same contents: no moment of writing is in it."""
    target = io.BytesIO()
    book.save(target)
    steady = io.BytesIO()
    with zipfile.ZipFile(target) as made, zipfile.ZipFile(steady, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in made.namelist():
            body = made.read(name)
            if name == "docProps/core.xml":
                body = _MOMENT.sub(rb"\g<1>" + _THEN + rb"\g<2>", body)
            copy.writestr(zipfile.ZipInfo(name, _EPOCH), body, zipfile.ZIP_DEFLATED)
    steady.seek(0)
    while piece := steady.read(_PIECE):
        yield piece


_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest moment that an archive can name."""
_THEN: Final = b"1980-01-01T00:00:00Z"
_MOMENT: Final = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</)")
