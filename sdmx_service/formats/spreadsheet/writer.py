"""Forms as XLSX workbooks: protected without a password where nothing is to be written, open where something is.

*Choices:* lists of answers stand on a sheet of their own that is not shown, since a list inside a validation may have
255 characters; a figure cell asks about what is neither a number nor a known symbol and never refuses it, since an
office may have a footnote mark in it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import cache
from math import ceil
from typing import Final, get_args

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from sdmx_service.model.form import INPUTS, Area, Form, FormCell, FormSheet, Offer, Style

LISTS: Final = "_lists"
"""Name of the sheet with the lists of answers."""
_GREY, _DARK, _LINE = "EDEFF2", "1F3A5F", "B8C0CC"
_PIECE: Final = 1 << 16
_PAGE_WIDTH: Final = 200
"""Characters side by side on a printed page that can still be read."""
_THIN = Side(style="thin", color=_LINE)
_STRONG = Side(style="medium", color=_DARK)
_BOX = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_FIGURE: Final = "#,##0.###############;-#,##0.###############;0;@"
_WHOLE: Final = "#,##0"


def write_form(form: Form) -> Iterator[bytes]:
    """The workbook in pieces of some kilobytes."""
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.title, book.properties.subject = form.title, form.subject
    book.properties.language, book.properties.creator = form.language, ""
    _add_styles(book)
    lists = _Lists()
    for sheet in form.sheets:
        _write_sheet(book.create_sheet(sheet.name), sheet, lists)
    lists.write(book)
    target = io.BytesIO()
    book.save(target)
    target.seek(0)
    while piece := target.read(_PIECE):
        yield piece


class _Lists:
    """The lists of answers, each once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], int] = {}

    def place(self, texts: Sequence[str]) -> str:
        """The range in which a list will stand."""
        column = self._known.setdefault(tuple(texts), len(self._known))
        letter = get_column_letter(column + 1)
        return f"'{LISTS}'!${letter}$1:${letter}${len(texts)}"

    def write(self, book: Workbook) -> None:
        """Write the sheet of lists, if there are any."""
        if not self._known:
            return
        sheet = book.create_sheet(LISTS)
        sheet.sheet_state = "veryHidden"
        for texts, column in self._known.items():
            for row, text in enumerate(texts):
                _put(sheet, row, column, text)


def _put(sheet: Worksheet, row: int, column: int, value: str | int | float | None) -> None:
    cell = sheet.cell(row + 1, column + 1)
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"  # a text that begins with = is no formula here


def _write_sheet(target: Worksheet, sheet: FormSheet, lists: _Lists) -> None:
    for cell in sheet.cells:
        _put(target, cell.row, cell.column, cell.value)
        _dress(target, cell)
    for area in sheet.merged:
        target.merge_cells(_range(area))
    for column, width in sheet.widths.items():
        target.column_dimensions[get_column_letter(column + 1)].width = width
    for row, height in sheet.heights.items():
        target.row_dimensions[row + 1].height = height
    for column in sheet.hidden_columns:
        target.column_dimensions[get_column_letter(column + 1)].hidden = True
    for row in sheet.hidden_rows:
        target.row_dimensions[row + 1].hidden = True
    for offer in sheet.offers:
        target.add_data_validation(_validation(offer, lists))
    if sheet.is_hidden:
        target.sheet_state = "veryHidden"
    _protect(target, sheet)
    _print(target, sheet)


def _protect(target: Worksheet, sheet: FormSheet) -> None:
    """Nothing but open cells can be changed; no password, so that an office is never locked out."""
    protection = target.protection
    protection.sheet = True
    protection.formatColumns = protection.formatRows = False  # False: allowed
    protection.formatCells = False
    protection.insertRows = protection.deleteRows = protection.sort = not sheet.may_add_rows
    protection.autoFilter = False


def _print(target: Worksheet, sheet: FormSheet) -> None:
    target.sheet_view.showGridLines = False
    if sheet.frozen is not None:
        row, column = sheet.frozen
        target.freeze_panes = f"{get_column_letter(column + 1)}{row + 1}"
    if sheet.heading is not None:
        target.print_title_rows = f"{sheet.heading[0] + 1}:{sheet.heading[1] + 1}"
        if sheet.frozen is not None and _pages(sheet) > 1:
            target.print_title_cols = f"A:{get_column_letter(sheet.frozen[1])}"
    target.page_setup.orientation = "landscape"
    target.page_setup.paperSize = 9  # A4
    target.page_setup.fitToWidth, target.page_setup.fitToHeight = _pages(sheet), 0
    if target.sheet_properties.pageSetUpPr is not None:
        target.sheet_properties.pageSetUpPr.fitToPage = True
    footer = target.oddFooter
    if footer is not None:
        footer.left.text, footer.right.text = "&A", "&P / &N"


def _pages(sheet: FormSheet) -> int:
    """How many pages wide a sheet is printed, so that it can be read."""
    shown = [width for column, width in sheet.widths.items() if column not in sheet.hidden_columns]
    return max(1, ceil(sum(shown) / _PAGE_WIDTH))


def _range(area: Area) -> str:
    first, last = get_column_letter(area.left + 1), get_column_letter(area.right + 1)
    return f"{first}{area.top + 1}:{last}{area.bottom + 1}"


def _validation(offer: Offer, lists: _Lists) -> DataValidation:
    place = lists.place(offer.texts)
    if offer.figures:
        first = offer.areas[0]
        cell = f"{get_column_letter(first.left + 1)}{first.top + 1}"
        formula = (
            f"OR(AND(ISNUMBER({cell}),{cell}>=0),ISNUMBER(MATCH({cell},{place},0)),"
            f"AND(ISTEXT({cell}),ISNUMBER(VALUE(LEFT({cell},1)))))"
        )
        found = DataValidation(type="custom", formula1=formula, allow_blank=True, showErrorMessage=True)
        found.errorStyle = "warning"
    else:
        found = DataValidation(type="list", formula1=place, allow_blank=True, showErrorMessage=True)
    if offer.message:
        found.error = offer.message[:255]
    for area in offer.areas:
        found.add(_range(area))
    return found


# --- looks ----------------------------------------------------------------------------------------------------------
def _add_styles(book: Workbook) -> None:
    """Each style once, by name; so a cell takes it at once, and people find it in their program."""
    for style in get_args(Style):
        font, fill, border, alignment = _look(style)
        found = NamedStyle(name=_named(style), font=font, alignment=alignment)
        found.fill, found.border = fill or PatternFill(), border or Border()
        found.protection = _OPEN if style in INPUTS else Protection(locked=True)
        found.number_format = _WHOLE if style == "figure" else "General"
        book.add_named_style(found)


def _named(style: Style) -> str:
    return f"form {style}"


def _dress(target: Worksheet, cell: FormCell) -> None:
    found = target.cell(cell.row + 1, cell.column + 1)
    found.style = _named(cell.style)
    if isinstance(cell.value, float):
        found.number_format = _FIGURE


_OPEN = Protection(locked=False)
_Look = tuple[Font, PatternFill | None, Border | None, Alignment]


def _font(size: int, *, bold: bool = False, italic: bool = False, color: str = "000000") -> Font:
    return Font(name="Arial", size=size, bold=bold, italic=italic, color=color)


@cache
def _look(style: Style) -> _Look:
    grey, dark = PatternFill("solid", start_color=_GREY), PatternFill("solid", start_color=_DARK)
    plain, small, bold = _font(10), _font(9, italic=True, color="555555"), _font(10, bold=True)
    left, wrapped = Alignment(vertical="center"), Alignment(vertical="top", wrap_text=True)
    right, middle = Alignment(horizontal="right"), Alignment(horizontal="center", vertical="center", wrap_text=True)
    lines = Alignment(vertical="center", wrap_text=True, indent=1)
    code = Alignment(horizontal="center", vertical="center")
    group = Border(left=_THIN, right=_THIN, top=_STRONG, bottom=_THIN)
    looks: dict[Style, _Look] = {
        "key": (_font(8, color="888888"), None, None, left),
        "title": (_font(14, bold=True, color=_DARK), None, None, left),
        "subtitle": (bold, None, None, left),
        "notice": (_font(10, bold=True, color="9C2A00"), None, None, left),
        "text": (plain, None, None, wrapped),
        "warning": (_font(10, bold=True, color="9C2A00"), None, None, wrapped),
        "label": (plain, grey, _BOX, wrapped),
        "fact": (bold, grey, _BOX, wrapped),
        "heading": (_font(10, bold=True, color="FFFFFF"), dark, _BOX, middle),
        "row": (plain, grey, _BOX, lines),
        "code": (_font(9, color="555555"), grey, _BOX, code),
        "total": (bold, grey, _BOX, lines),
        "group": (bold, grey, group, lines),
        "figure": (plain, None, _BOX, right),
        "input": (plain, None, _BOX, wrapped),
        "note": (small, None, _BOX, left),
    }
    return looks[style]
