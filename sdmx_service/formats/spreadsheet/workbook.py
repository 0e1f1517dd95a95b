"""XLSX workbooks (ECMA-376 SpreadsheetML) as sheets of text.

A workbook is copied member by member, within limits, into an unpacked archive in memory before anything looks into it;
so nothing downstream can be made to unpack more. What the fast engine does not tell (error values, formulas without
result, hidden rows and columns, superscripts) is looked up in the XML.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from html import unescape
from typing import IO, Final

from lxml import etree
from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from sdmx_service.errors import TooLarge, UnreadableFile
from sdmx_service.formats.spreadsheet.grid import MAX_CELLS, Shape, check_size, raised, sheets_of
from sdmx_service.model.message import Sheet

MAX_UNPACKED: Final = 512 * 1024**2
"""Bytes of all parts together."""
MAX_PARTS: Final = 5000
MAX_COLUMNS: Final = 16_384
"""Columns of a sheet: what spreadsheet programs have."""
_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_RELATION: Final = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_HIDDEN_ROW = re.compile(rb"<(?:\w+:)?row\b(?=[^>]*\bhidden=\"(?:1|true)\")[^>]*\br=\"(\d{1,10})\"")
_ERROR_CELL = re.compile(
    rb"<(?:\w+:)?c\b(?=[^>]*\bt=\"e\")[^>]*\br=\"([A-Z]{1,3})(\d{1,10})\"[^>]*>(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>([^<]+)<",
    re.DOTALL,
)
_FORMULA_CELL = re.compile(
    rb"<(?:\w+:)?c\b([^<>]*)>\s*<(?:\w+:)?f\b[^<>]*?(?:/>|>([^<]*)</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
"""A cell with a formula and without result."""
_ADDRESS = re.compile(rb"\br=\"([A-Z]{1,3})(\d{1,10})\"")
_TEXT_RESULT: Final = b't="str"'
"""The result is a text; without one it is the empty text."""
_CELL_COLUMN = re.compile(rb"\br=\"([A-Z]{1,3})\d+\"")
_ROW_NUMBER = re.compile(rb"<(?:\w+:)?row\b[^>]*\br=\"(\d{1,10})\"")
_COLUMNS = re.compile(rb"<(?:\w+:)?col\b[^>]*>")
_ATTRIBUTE = re.compile(rb"(\w+)=\"([^\"]*)\"")
_SUPERSCRIPT: Final = b'val="superscript"'
_RUN = re.compile(rb"<(?:\w+:)?r>.*?</(?:\w+:)?r>", re.DOTALL)
_RAISED_TEXT = re.compile(rb"(<(?:\w+:)?t(?:\s[^>]*)?>)([^<]*)(</)")
DAMAGED: Final = "Open it in a spreadsheet program and save it again as .xlsx."


def read_sheets(file: IO[bytes]) -> tuple[Sheet, ...]:
    """The worksheets in order.

    Raises:
        UnreadableFile: damaged, truncated, protected by a password.
        TooLarge: more than the limits above.
    """
    parts = parts_of(file)
    xml = _sheet_parts(parts)
    try:
        book = CalamineWorkbook.from_filelike(packed({name: _raised(content) for name, content in parts.items()}))
        return sheets_of(book, lambda _, name: _shape(name, parts.get(xml.get(name, ""), b"")))
    except PasswordError:
        raise UnreadableFile("The workbook is protected by a password.", hint="Save it without one.") from None
    except (CalamineError, OSError, ValueError) as fault:
        raise UnreadableFile(f"The workbook is damaged ({fault}).", hint=DAMAGED) from None


def parts_of(file: IO[bytes]) -> dict[str, bytes]:
    """The parts of a workbook that matter, unpacked within limits.

    Raises:
        UnreadableFile, TooLarge: as ``read_sheets``.
    """
    file.seek(0)
    found: dict[str, bytes] = {}
    left = MAX_UNPACKED
    try:
        with zipfile.ZipFile(file) as archive:
            if len(archive.infolist()) > MAX_PARTS:
                raise TooLarge(f"The workbook has more than {MAX_PARTS} parts.")
            for info in archive.infolist():
                if not info.filename or info.is_dir() or "/media/" in info.filename:
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
    return packed(parts_of(file))


def packed(parts: Mapping[str, bytes]) -> io.BytesIO:
    """An archive of parts, as the engine wants it."""
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
        raise UnreadableFile(f"The workbook's part {name} is damaged ({fault}).", hint=DAMAGED) from None


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


def _shape(name: str, xml: bytes) -> Shape:
    _check_size(name, xml)
    columns = xml[: xml.find(b"sheetData")]
    hidden = [range(int(first) - 1, min(int(last), MAX_COLUMNS)) for first, last in _hidden_columns(columns)]
    return Shape(
        hidden_rows=tuple(int(found[1]) - 1 for found in _HIDDEN_ROW.finditer(xml)),
        hidden_columns=tuple(sorted({number for numbers in hidden for number in numbers})),
        errors={
            (int(number) - 1, _column_index(letters)): text.decode("utf-8", "replace")
            for letters, number, text in _ERROR_CELL.findall(xml)
            if int(number)
        }
        | _open_formulas(xml),
    )


def _open_formulas(xml: bytes) -> dict[tuple[int, int], str]:
    """The formulas whose result the file does not hold, as texts: such a cell is not blank."""
    found: dict[tuple[int, int], str] = {}
    for cell in _FORMULA_CELL.finditer(xml) if b"f>" in xml or b"<f " in xml else ():
        place = _ADDRESS.search(cell[1])
        if place is not None and int(place[2]) and _TEXT_RESULT not in cell[1]:
            formula = unescape((cell[2] or b"...").decode("utf-8", "replace"))
            found[int(place[2]) - 1, _column_index(place[1])] = f"={formula}"
    return found


def _hidden_columns(xml: bytes) -> Iterator[tuple[bytes, bytes]]:
    """First and last column of each group that is hidden, from 1."""
    for tag in _COLUMNS.findall(xml):
        said = dict(_ATTRIBUTE.findall(tag))
        if (
            said.get(b"hidden") in (b"1", b"true")
            and said.get(b"min", b"").isdigit()
            and said.get(b"max", b"").isdigit()
        ):
            yield said[b"min"], said[b"max"]


def _check_size(name: str, xml: bytes) -> None:
    """Counts first, which costs no memory whatever the sheet holds; then the places that its cells say."""
    rows, cells = xml.count(b"<row") + xml.count(b":row"), xml.count(b"<c ") + xml.count(b":c ")
    check_size(name, 1, rows)
    if cells > MAX_CELLS:
        check_size(name, cells // max(rows, 1) + 1, max(rows, 1))
    width = max(map(_column_index, {found[1] for found in _CELL_COLUMN.finditer(xml)}), default=0) + 1
    height = max((int(found[1]) for found in _ROW_NUMBER.finditer(xml)), default=0)
    check_size(name, width, height)


def _column_index(letters: bytes) -> int:
    index = 0
    for letter in letters:
        index = index * 26 + letter - 64
    return index - 1


def _raised(xml: bytes) -> bytes:
    """Texts whose runs in superscript are signs that stay so: ``12`` with a raised ``3`` is not 123."""
    if _SUPERSCRIPT not in xml:
        return xml
    return _RUN.sub(lambda run: _RAISED_TEXT.sub(_raise, run[0]) if _SUPERSCRIPT in run[0] else run[0], xml)


def _raise(text: re.Match[bytes]) -> bytes:
    return text[1] + raised(text[2].decode("utf-8", "replace")).encode() + text[3]
