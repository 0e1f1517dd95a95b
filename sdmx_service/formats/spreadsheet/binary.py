"""XLS workbooks (BIFF8 and BIFF5 in a compound file) as sheets of text.

The fast engine reads the cells; hidden rows, columns and errors are looked up in the records of the sheet.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import IO, Final

import olefile
from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from sdmx_service.errors import TooLarge, UnreadableFile
from sdmx_service.formats.sniffing import OLE_MAGIC, Head
from sdmx_service.formats.spreadsheet.grid import Shape, sheets_of
from sdmx_service.model.message import Sheet

MAX_SIZE: Final = 256 * 1024**2
"""Bytes; nothing in such a file is packed."""
_BOF, _EOF, _SHEET, _ROW, _COLUMNS, _ERROR, _FORMULA = 0x809, 0x0A, 0x85, 0x208, 0x7D, 0x205, 0x06
_ERRORS: Final = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A",
}  # fmt: skip
_HIDDEN_ROW, _HIDDEN_COLUMN = 0x20, 0x01
_MAX_COLUMNS = 256
_WORDS = ("W\0o\0r\0k\0b\0o\0o\0k", "B\0o\0o\0k")
DAMAGED: Final = "Open it in a spreadsheet program and save it again."


def sniff_binary_workbook(head: Head) -> int:
    """How sure it is that this is an XLS workbook, 0 to 100; other programs keep documents in such files, too."""
    if not head.start.startswith(OLE_MAGIC):
        return 0
    named = any(word.encode() in head.start for word in _WORDS) or head.suffix in (".xls", ".xlt")
    return 95 if named else 40


def read_binary_sheets(file: IO[bytes]) -> tuple[Sheet, ...]:
    """The worksheets in order; of a file that nobody vouches for only in a process that may end (``apart``).

    Raises:
        UnreadableFile: damaged, truncated, protected by a password, or no workbook.
        TooLarge: more than ``MAX_SIZE`` bytes.
    """
    size = file.seek(0, io.SEEK_END)
    if size > MAX_SIZE:
        raise TooLarge(f"The workbook has {size} bytes; {MAX_SIZE} are the limit.", hint="Save it as XLSX or CSV.")
    file.seek(0)
    content = io.BytesIO(file.read())
    try:
        book = CalamineWorkbook.from_filelike(content)
        shapes = _shapes(_stream(content))
        return sheets_of(book, lambda number, _: shapes[number] if number < len(shapes) else Shape())
    except PasswordError:
        raise UnreadableFile("The workbook is protected by a password.", hint="Save it without one.") from None
    except (CalamineError, OSError, ValueError, IndexError, struct.error) as fault:
        raise UnreadableFile(f"The workbook is damaged ({fault}).", hint=DAMAGED) from None


def _stream(content: io.BytesIO) -> bytes:
    content.seek(0)
    with olefile.OleFileIO(content) as container:
        name = next((one for one in ("Workbook", "Book") if container.exists(one)), None)
        if name is None:
            raise UnreadableFile("The file holds no workbook.", hint=DAMAGED)
        return bytes(container.openstream(name).read(MAX_SIZE))


def _records(stream: bytes, place: int) -> Iterator[tuple[int, bytes]]:
    """The records of a substream: its kind and content; those of substreams inside it are left out."""
    depth = 0
    while place + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, place)
        place += 4
        depth += (kind == _BOF) - (kind == _EOF)
        if depth <= 0:
            return
        if depth == 1:
            yield kind, stream[place : place + size]
        place += size


def _shapes(stream: bytes) -> list[Shape]:
    """The shape of each sheet, in the order of the workbook."""
    places = [struct.unpack_from("<I", said)[0] for kind, said in _records(stream, 0) if kind == _SHEET]
    return [_shape(stream, place) for place in places]


def _shape(stream: bytes, place: int) -> Shape:
    rows: list[int] = []
    columns: set[int] = set()
    errors: dict[tuple[int, int], str] = {}
    for kind, said in _records(stream, place):
        if kind == _ROW and struct.unpack_from("<H", said, 12)[0] & _HIDDEN_ROW:
            rows.append(struct.unpack_from("<H", said)[0])
        elif kind == _COLUMNS and struct.unpack_from("<H", said, 8)[0] & _HIDDEN_COLUMN:
            first, last = struct.unpack_from("<HH", said)
            columns.update(range(first, min(last, _MAX_COLUMNS - 1) + 1))
        elif kind == _ERROR and said[7]:
            errors[struct.unpack_from("<HH", said)] = _ERRORS.get(said[6], "#N/A")
        elif kind == _FORMULA and said[6] == 2 and said[12:14] == b"\xff\xff":
            errors[struct.unpack_from("<HH", said)] = _ERRORS.get(said[8], "#N/A")
    return Shape(hidden_rows=tuple(rows), hidden_columns=tuple(sorted(columns)), errors=errors)
