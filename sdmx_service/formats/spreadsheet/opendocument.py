"""ODS workbooks (OpenDocument 1.0 to 1.4) as sheets of text.

The parts are unpacked within limits. The fast engine reads the cells; what it does not tell (merged and hidden cells,
errors, superscripts) and what would fill the memory (one cell repeated over millions) is looked up in the XML first,
element by element.
"""

from __future__ import annotations

import io
import re
from typing import IO, Final

from lxml import etree
from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from sdmx_service.errors import UnreadableFile
from sdmx_service.formats.sniffing import Head
from sdmx_service.formats.spreadsheet.grid import MAX_CELLS, Shape, check_size, raised, sheets_of
from sdmx_service.formats.spreadsheet.workbook import packed, parts_of
from sdmx_service.model.message import Sheet

_MEDIA_TYPE: Final = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
_CONTENT: Final = "content.xml"
_TABLE: Final = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TYPES: Final = (
    "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}value-type",
    "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}value-type",
)
_TAGS: Final = tuple(
    f"{_TABLE}{name}" for name in ("table", "table-column", "table-row", "table-cell", "covered-table-cell")
)
_STYLE = re.compile(
    rb'<style:style\b[^>]*style:name="([^"]+)"[^>]*>\s*<style:text-properties\b[^>]*style:text-position="(?:super|[1-9])'
)
_DAMAGED = "Open it in a spreadsheet program and save it again."


def sniff_open_document(head: Head) -> int:
    """How sure it is that this is an ODS workbook, 0 to 100."""
    return 95 if _MEDIA_TYPE in head.start[:200] else 0


def read_open_document_sheets(file: IO[bytes]) -> tuple[Sheet, ...]:
    """The sheets in order.

    Raises:
        UnreadableFile: damaged, truncated or protected by a password.
        TooLarge: more bytes, rows or cells than the limits.
    """
    parts = parts_of(file)
    if _CONTENT not in parts:
        raise UnreadableFile("The workbook has no content.", hint=_DAMAGED)
    if b"manifest:encryption-data" in parts.get("META-INF/manifest.xml", b""):
        raise UnreadableFile("The workbook is protected by a password.", hint="Save it without one.")
    parts[_CONTENT] = _raised(parts[_CONTENT])
    try:
        shapes = _shapes(parts[_CONTENT])
        book = CalamineWorkbook.from_filelike(packed(parts))
        return sheets_of(book, lambda _, name: shapes.get(name, Shape()))
    except PasswordError:
        raise UnreadableFile("The workbook is protected by a password.", hint="Save it without one.") from None
    except (CalamineError, OSError, ValueError, etree.XMLSyntaxError) as fault:
        raise UnreadableFile(f"The workbook is damaged ({fault}).", hint=_DAMAGED) from None


def _raised(xml: bytes) -> bytes:
    """The content with spans in superscript as signs that stay so."""
    for name in set(_STYLE.findall(xml)):
        span = rb'(<text:span\b[^>]*text:style-name="' + re.escape(name) + rb'"[^>]*>)([^<]*)(</text:span>)'
        xml = re.sub(span, lambda one: one[1] + raised(one[2].decode("utf-8", "replace")).encode() + one[3], xml)
    return xml


class _Scan:
    """A sheet as its elements pass by."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._row = self._column = self._width = self._height = 0
        self._columns = 0
        self._is_row_used = False
        self._hidden_rows: list[int] = []
        self._hidden_columns: set[int] = set()
        self._merged: list[tuple[int, int, int, int]] = []
        self._errors: dict[tuple[int, int], str] = {}

    def take_columns(self, element: etree._Element) -> None:
        """Columns that are described together."""
        first, self._columns = self._columns, self._columns + _count(element, "number-columns-repeated")
        if _is_hidden(element):
            self._hidden_columns.update(range(first, min(self._columns, first + MAX_CELLS // 1000)))

    def take_cell(self, element: etree._Element) -> None:
        """A cell, or several alike."""
        count = _count(element, "number-columns-repeated")
        if any(element.get(kind) for kind in _TYPES) or len(element):
            self._is_row_used = True
            self._width = max(self._width, self._column + count)
            if any(element.get(kind) == "error" for kind in _TYPES):
                self._errors[self._row, self._column] = "".join(map(str, element.itertext()))
        elif (formula := element.get(f"{_TABLE}formula")) is not None:
            self._errors[self._row, self._column] = formula[formula.find("=") :]  # of:=[.D2]*2, and no result
        across, down = _count(element, "number-columns-spanned"), _count(element, "number-rows-spanned")
        if across * down > 1:
            self._merged.append((self._row, self._column, self._row + down - 1, self._column + across - 1))
        self._column += count

    def end_row(self, element: etree._Element) -> None:
        """A row, or several alike, whose cells have passed."""
        count = _count(element, "number-rows-repeated")
        if self._is_row_used:
            self._height = self._row + count
            check_size(self.name, self._width, self._height)
            if _is_hidden(element):
                self._hidden_rows += range(self._row, self._row + count)
        self._row += count
        self._column, self._is_row_used = 0, False

    def shape(self) -> Shape:
        """What was seen."""
        return Shape(
            merged=tuple(self._merged),
            hidden_rows=tuple(self._hidden_rows),
            hidden_columns=tuple(sorted(one for one in self._hidden_columns if one < self._width)),
            errors=self._errors,
        )


def _shapes(xml: bytes) -> dict[str, Shape]:
    """The shape of each sheet by its name."""
    found: dict[str, Shape] = {}
    scan: _Scan | None = None
    events = etree.iterparse(
        io.BytesIO(xml), events=("start", "end"), tag=_TAGS, resolve_entities=False, load_dtd=False, no_network=True
    )
    for event, element in events:
        name = str(element.tag).removeprefix(_TABLE)
        if event == "start":
            if name == "table" and scan is None:
                scan = _Scan(element.get(f"{_TABLE}name", ""))
        elif scan is None:
            continue
        elif name == "table":
            found[scan.name], scan = scan.shape(), None
        elif name == "table-column":
            scan.take_columns(element)
        elif name == "table-row":
            scan.end_row(element)
            _forget(element)
        else:
            scan.take_cell(element)
    return found


def _forget(element: etree._Element) -> None:
    """Free a row, and those before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _count(element: etree._Element, name: str) -> int:
    text = element.get(f"{_TABLE}{name}", "1")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def _is_hidden(element: etree._Element) -> bool:
    return element.get(f"{_TABLE}visibility", "visible") in ("collapse", "filter")
