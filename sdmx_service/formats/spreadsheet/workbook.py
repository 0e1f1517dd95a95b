"""XLSX workbooks (ECMA-376 SpreadsheetML) as sheets of text.

A workbook is copied member by member, within limits, into an unpacked archive in memory before anything looks into it;
so nothing downstream can be made to unpack more. What the fast engine does not tell (error values, hidden rows) is
looked up in the sheet's XML.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import IO, Any, Final

import pyarrow as pa
from lxml import etree
from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum

from sdmx_service.errors import TooLarge, UnreadableFile
from sdmx_service.model.message import Sheet

MAX_UNPACKED: Final = 512 * 1024**2
"""Bytes of all parts together."""
MAX_PARTS: Final = 5000
MAX_CELLS: Final = 30_000_000
"""Cells of one sheet, empty ones between the first and the last included."""
_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_RELATION: Final = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_HIDDEN_ROW = re.compile(rb"<(?:\w+:)?row\b(?=[^>]*\bhidden=\"(?:1|true)\")[^>]*\br=\"(\d{1,7})\"")
_ERROR_CELL = re.compile(
    rb"<(?:\w+:)?c\b(?=[^>]*\bt=\"e\")[^>]*\br=\"([A-Z]{1,3})(\d{1,7})\"[^>]*>(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>([^<]+)<",
    re.DOTALL,
)
_CELL_COLUMN = re.compile(rb"\br=\"([A-Z]{1,3})\d+\"")
_ROW_NUMBER = re.compile(rb"<(?:\w+:)?row\b[^>]*\br=\"(\d{1,7})\"")
_DAMAGED = "Open it in a spreadsheet program and save it again as .xlsx."


def read_sheets(file: IO[bytes]) -> Iterator[Sheet]:
    """The worksheets in order.

    Raises:
        UnreadableFile: damaged, truncated, protected by a password.
        TooLarge: more than the limits above.
    """
    parts = _parts(file)
    xml = _sheet_parts(parts)
    try:
        book = CalamineWorkbook.from_filelike(_unpacked(parts))
        for meta in book.sheets_metadata:
            if meta.typ == SheetTypeEnum.WorkSheet:
                yield _sheet(book, meta.name, parts.get(xml.get(meta.name, ""), b""))
    except PasswordError:
        raise UnreadableFile("The workbook is protected by a password.", hint="Save it without one.") from None
    except (CalamineError, OSError, ValueError) as fault:
        raise UnreadableFile(f"The workbook is damaged ({fault}).", hint=_DAMAGED) from None


def _parts(file: IO[bytes]) -> dict[str, bytes]:
    """The parts of the workbook that matter, unpacked within limits."""
    file.seek(0)
    found: dict[str, bytes] = {}
    left = MAX_UNPACKED
    try:
        with zipfile.ZipFile(file) as archive:
            if len(archive.infolist()) > MAX_PARTS:
                raise TooLarge(f"The workbook has more than {MAX_PARTS} parts.")
            for info in archive.infolist():
                if info.is_dir() or "/media/" in info.filename:
                    continue
                with archive.open(info) as source:
                    found[info.filename] = source.read(left + 1)
                left -= len(found[info.filename])
                if left < 0:
                    raise TooLarge(f"The workbook unpacks to more than {MAX_UNPACKED} bytes.", hint="Send parts of it.")
    except (zipfile.BadZipFile, OSError, zlib.error, ValueError, EOFError, RuntimeError, NotImplementedError) as fault:
        raise UnreadableFile(
            f"The workbook is truncated or damaged ({fault}).", hint="Send it again; it was probably cut off."
        ) from None
    return found


def bounded(file: IO[bytes]) -> io.BytesIO:
    """A workbook unpacked within the limits, for readers that keep none.

    Raises:
        UnreadableFile, TooLarge: as ``read_sheets``.
    """
    return _unpacked(_parts(file))


def _unpacked(parts: dict[str, bytes]) -> io.BytesIO:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    target.seek(0)
    return target


def _xml(content: bytes, name: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(content, parser)
    except etree.XMLSyntaxError as fault:
        raise UnreadableFile(f"The workbook's part {name} is damaged ({fault}).", hint=_DAMAGED) from None


def _sheet_parts(parts: dict[str, bytes]) -> dict[str, str]:
    """The part of each sheet by the sheet's name; sheets whose part cannot be told are left out."""
    name, relations = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
    if name not in parts or relations not in parts:
        return {}
    targets = {one.get("Id"): one.get("Target", "") for one in _xml(parts[relations], relations)}
    found: dict[str, str] = {}
    for sheet in _xml(parts[name], name).iter("{*}sheet"):
        target = targets.get(sheet.get(_RELATION) or sheet.get(_STRICT_RELATION), "")
        found[sheet.get("name", "")] = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    return found


def _sheet(book: CalamineWorkbook, name: str, xml: bytes) -> Sheet:
    _check_size(name, xml)
    source = book.get_sheet_by_name(name)
    rows = source.to_python(skip_empty_area=False)
    cells = list(zip(*rows, strict=True))
    columns = [[_text(cell) for cell in column] for column in cells]
    for letters, number, text in _ERROR_CELL.findall(xml):
        column, row = _column_index(letters), int(number) - 1
        if column < len(columns) and 0 <= row < len(rows):
            columns[column][row] = text.decode("utf-8", "replace")
    return Sheet(
        name=name,
        columns=tuple(pa.array(column, pa.string()) for column in columns),
        merged=tuple((*first, *last) for first, last in source.merged_cell_ranges or ()),
        hidden_rows=tuple(int(number) - 1 for number in _HIDDEN_ROW.findall(xml)),
        numbers=tuple(pa.array([type(cell) in (float, int) for cell in column], pa.bool_()) for column in cells),
    )


def _check_size(name: str, xml: bytes) -> None:
    width = max(map(_column_index, set(_CELL_COLUMN.findall(xml))), default=0) + 1
    height = max((int(number) for number in _ROW_NUMBER.findall(xml)), default=0)
    if width * height > MAX_CELLS:
        raise TooLarge(
            f"The sheet {name!r} reaches to column {width} and row {height}: {width * height} cells, "
            f"and {MAX_CELLS} are the limit.",
            hint="Delete what stands far outside the table, or send the sheet as CSV.",
        )


def _column_index(letters: bytes) -> int:
    index = 0
    for letter in letters:
        index = index * 26 + letter - 64
    return index - 1


def _text(cell: Any) -> str | None:
    if isinstance(cell, str):
        return cell or None
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else format(cell, ".15g")
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        seconds = round(cell.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return None if cell is None else str(cell)
