"""One table as a workbook of each kind that is read, for tests: cells, merged ranges, hidden rows and columns."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
import xlwt  # type: ignore[import-untyped]

Cell = str | int | float | None


@dataclass(frozen=True, kw_only=True)
class Book:
    """A workbook of one sheet; rows and columns are 0-based.

    Attributes:
        merged: first row, first column, last row, last column; only the first of the cells has a value.
    """

    rows: Sequence[Sequence[Cell]]
    name: str = "Sheet"
    merged: Sequence[tuple[int, int, int, int]] = ()
    hidden_rows: Sequence[int] = ()
    hidden_columns: Sequence[int] = ()
    is_hidden: bool = False


def xlsx(book: Book) -> bytes:
    made = openpyxl.Workbook()
    sheet: Any = made.active
    sheet.title = book.name
    for row in book.rows:
        sheet.append(list(row))
    for top, left, bottom, right in book.merged:
        sheet.merge_cells(start_row=top + 1, start_column=left + 1, end_row=bottom + 1, end_column=right + 1)
    for number in book.hidden_rows:
        sheet.row_dimensions[number + 1].hidden = True
    for number in book.hidden_columns:
        sheet.column_dimensions[openpyxl.utils.get_column_letter(number + 1)].hidden = True
    if book.is_hidden:
        made.create_sheet("Other")
        sheet.sheet_state = "hidden"
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def xls(book: Book) -> bytes:
    made = xlwt.Workbook()
    sheet = made.add_sheet(book.name)
    merged = {(top, left): (top, bottom, left, right) for top, left, bottom, right in book.merged}
    for row, cells in enumerate(book.rows):
        for column, value in enumerate(cells):
            if (row, column) in merged:
                sheet.write_merge(*merged[row, column], value)
            elif value is not None:
                sheet.write(row, column, value)
    for number in book.hidden_rows:
        sheet.row(number).hidden = True
    for number in book.hidden_columns:
        sheet.col(number).hidden = True
    if book.is_hidden:
        made.add_sheet("Other")
        made.set_active_sheet(1)
        sheet.visibility = 1
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


_SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text", "style")
)
_MANIFEST = (
    '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    '<manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
)


def ods_of(tables: str, styles: str = "") -> bytes:
    """An ODS workbook around ``table:table`` elements."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr("META-INF/manifest.xml", _MANIFEST)
        archive.writestr(
            "content.xml",
            f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_SPACES} office:version="1.3">'
            f"<office:automatic-styles>{styles}</office:automatic-styles><office:body><office:spreadsheet>{tables}"
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return out.getvalue()


def ods(book: Book) -> bytes:
    spans = {(top, left): (bottom - top + 1, right - left + 1) for top, left, bottom, right in book.merged}
    covered = {
        (row, column)
        for top, left, bottom, right in book.merged
        for row in range(top, bottom + 1)
        for column in range(left, right + 1)
    } - set(spans)
    width = max(map(len, book.rows))
    columns = "".join(f"<table:table-column{_hidden(number in book.hidden_columns)}/>" for number in range(width))
    rows = ""
    for row, cells in enumerate(book.rows):
        made = "".join(
            _cell(value, spans.get((row, column)), is_covered=(row, column) in covered)
            for column, value in enumerate(cells)
        )
        rows += f"<table:table-row{_hidden(row in book.hidden_rows)}>{made}</table:table-row>"
    styles, of_table = "", ""
    if book.is_hidden:
        styles = '<style:style style:name="ta1" style:family="table"><style:table-properties table:display="false"/></style:style>'
        of_table = ' table:style-name="ta1"'
    end = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="1024"/></table:table-row>'
    return ods_of(f'<table:table table:name="{book.name}"{of_table}>{columns}{rows}{end}</table:table>', styles)


def _hidden(is_hidden: bool) -> str:
    return ' table:visibility="collapse"' if is_hidden else ""


def _cell(value: Cell, span: tuple[int, int] | None, *, is_covered: bool) -> str:
    name = "covered-table-cell" if is_covered else "table-cell"
    said = "" if span is None else f' table:number-rows-spanned="{span[0]}" table:number-columns-spanned="{span[1]}"'
    if value is None:
        return f"<table:{name}{said}/>"
    if isinstance(value, str):
        return f'<table:{name}{said} office:value-type="string"><text:p>{escape(value)}</text:p></table:{name}>'
    return (
        f'<table:{name}{said} office:value-type="float" office:value="{value}"><text:p>{value}</text:p></table:{name}>'
    )


MAKERS: dict[str, Callable[[Book], bytes]] = {"xlsx": xlsx, "xls": xls, "ods": ods}
"""By the suffix of the file."""
