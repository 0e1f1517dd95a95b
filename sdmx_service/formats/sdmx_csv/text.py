"""The text of an SDMX-CSV file as UTF-8, in whatever encoding it was sent.

The standard knows UTF-8 alone; spreadsheet programs save otherwise. A file in UTF-8 is read as it is, after one quick
pass that makes sure of it; another one is recoded while it is read, a block in memory at a time.
"""

from __future__ import annotations

import codecs
import io
import os
import re
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any, Final

from sdmx_service.errors import UnreadableFile
from sdmx_service.formats.encodings import Known, find_encoding
from sdmx_service.formats.sniffing import HEAD_SIZE, unmarked_utf_16
from sdmx_service.model.message import TextEncoding

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CHUNK: Final = 1024**2
_SAMPLE: Final = 1024**2
"""Bytes of different cells with letters beyond ASCII by which an encoding is found out."""
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BETWEEN_CELLS = re.compile(rb'[,;\t"\r\n]')
_SEPARATOR_LINE = re.compile(r'"?sep=[^\r\n]{0,3}(?:\r\n|\n|\r)', re.IGNORECASE)


def without_separator_line(text: str) -> str:
    """The text without a first line ``sep=;``, by which a spreadsheet program is told how to cut the rows."""
    found = _SEPARATOR_LINE.match(text)
    return text if found is None else text[found.end() :]


def as_utf8(file: IO[bytes], encoding: str | None, known: Known | None) -> tuple[IO[bytes], TextEncoding]:
    """The file, or what gives its text in UTF-8, and the encoding that it has.

    Args:
        file: seekable.
        encoding: what the sender declares; letters beyond ASCII that read as UTF-8, or UTF-16, show it to be wrong.
        known: tells words that the caller has met.

    Raises:
        UnreadableFile: there is no such encoding; or while reading, the text is not in it.
    """
    found = _found(file, encoding, known)
    try:
        name = codecs.lookup(found.name).name
    except LookupError:
        raise UnreadableFile(f"There is no encoding {found.name!r}.", hint="Declare one such as utf-8.") from None
    if name in ("utf-8", "utf-8-sig", "ascii"):
        return file, found
    return io.BufferedReader(_Recoded(file, found.name), _CHUNK), found


def _found(file: IO[bytes], declared: str | None, known: Known | None) -> TextEncoding:
    file.seek(0)
    start = file.read(HEAD_SIZE)
    unmarked = "utf-16" if start.startswith(_UTF_16) else unmarked_utf_16(start)
    if unmarked is not None:
        return TextEncoding(name=unmarked, is_sure=True)
    plainly = _plainly(file)
    if declared is not None and plainly != "utf-8":
        return TextEncoding(name=declared, is_sure=True)
    if plainly is None:
        cells = list(_cells_beyond_ascii(file))
        # Where most of them are UTF-8 the file is: the rest is damaged, and the reader says where.
        if 2 * sum(map(_reads_as_utf8, cells)) < len(cells):
            return find_encoding(b"\n".join(cells), known)
    return TextEncoding(name="utf-8", is_sure=True)


def _plainly(file: IO[bytes]) -> str | None:
    """``ascii`` or ``utf-8`` where the whole text is; else None."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_ascii = is_between = True
    try:
        while chunk := file.read(_CHUNK):
            if not (is_between and chunk.isascii()):
                is_ascii = False
                decoder.decode(chunk)
                is_between = not decoder.getstate()[0]
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return None
    return "ascii" if is_ascii else "utf-8"


def _reads_as_utf8(cell: bytes) -> bool:
    try:
        cell.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _cells_beyond_ascii(file: IO[bytes]) -> Iterator[bytes]:
    """The different cells that have bytes beyond ASCII, in order, until there are enough."""
    file.seek(0)
    met: set[bytes] = set()
    size = 0
    while (line := file.readline(_CHUNK)) and size < _SAMPLE:
        if line.isascii():
            continue
        for cell in _BETWEEN_CELLS.split(line):
            if not cell.isascii() and cell not in met:
                met.add(cell)
                size += len(cell)
                yield cell


class _Recoded(io.RawIOBase):
    """A file's text in UTF-8, read from its beginning on; closing it leaves the file open."""

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        self._file, self._encoding = file, encoding
        self._at = 0
        self.seek(0)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if whence == os.SEEK_CUR and offset == 0:
            return self._at
        if whence != os.SEEK_SET or offset:
            raise io.UnsupportedOperation("a text that is recoded is read from its beginning on")
        self._file.seek(0)
        self._decoder = codecs.getincrementaldecoder(self._encoding)()
        self._rest = b""
        self._at = 0
        self._line = self._byte = 0
        self._is_done = False
        return 0

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        while not self._rest and not self._is_done:
            self._rest = self._next()
        room: Any = memoryview(buffer)
        piece, self._rest = self._rest[: len(room)], self._rest[len(room) :]
        room[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _next(self) -> bytes:
        chunk = self._file.read(_CHUNK)
        self._is_done = not chunk
        waiting = len(self._decoder.getstate()[0])
        try:
            text = self._decoder.decode(chunk, final=not chunk)
        except UnicodeError as fault:
            place = getattr(fault, "start", 0)
            line = self._line + chunk[: max(place - waiting, 0)].count(b"\n") + 1
            raise UnreadableFile(
                f"Line {line}: byte {self._byte - waiting + place + 1} of the file is not {self._encoding}.",
                hint="Save the file as UTF-8, or say in which encoding it is.",
            ) from None
        self._line += text.count("\n")
        self._byte += len(chunk)
        return text.removeprefix("\ufeff").encode("utf-8") if self._at == 0 else text.encode("utf-8")
