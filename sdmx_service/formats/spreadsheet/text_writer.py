"""Sheets of plain text as an XLSX workbook: every cell is text, so that no program makes a number of a code."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

from sdmx_service.errors import CannotWrite
from sdmx_service.model.text_sheet import TextSheet

LONGEST: Final = 32_767
"""Characters of a cell."""
_PIECE: Final = 1 << 16
_TEXT: Final = "@"
_HEADER, _TOLD = Font(bold=True), Font(italic=True, color="666666")
_GREY: Final = PatternFill("solid", start_color="EDEFF2")


def write_text_sheets(sheets: Sequence[TextSheet]) -> Iterator[bytes]:
    """The workbook in pieces of some kilobytes.

    Raises:
        CannotWrite: a text is longer than a cell may be, or has a character that XML cannot carry.
    """
    book = Workbook(write_only=True)
    for sheet in sheets:
        _write_sheet(book.create_sheet(sheet.name), sheet)
    target = io.BytesIO()
    book.save(target)
    target.seek(0)
    while piece := target.read(_PIECE):
        yield piece


def _write_sheet(target: Any, sheet: TextSheet) -> None:
    target.freeze_panes = "A2"
    for column, width in sheet.widths.items():
        target.column_dimensions[get_column_letter(column + 1)].width = width
    head = [_cell(target, text, sheet.name) for text in sheet.header]
    for column, cell in enumerate(head):
        if cell is not None:
            cell.font, cell.fill = _HEADER, _GREY
            if column in sheet.comments:
                cell.comment = Comment(sheet.comments[column], "map", width=320, height=140)
    target.append(head)
    for row in sheet.rows:
        cells = [_cell(target, text, sheet.name) for text in row]
        for column in sheet.told:
            if column < len(cells) and (told := cells[column]) is not None:
                told.font = _TOLD
        target.append(cells)


def _cell(target: Any, text: str | None, sheet: str) -> Cell | None:
    if text is None:
        return None
    if len(text) > LONGEST or ILLEGAL_CHARACTERS_RE.search(text):
        reason = f"longer than {LONGEST} characters" if len(text) > LONGEST else "with a character that XML lacks"
        raise CannotWrite(f"The sheet {sheet!r} cannot carry a text {reason}: {text[:40]!r} ...")
    cell = WriteOnlyCell(target, value=text)
    cell.data_type = "s"  # a text that begins with = is no formula here
    cell.number_format = _TEXT
    return cell
