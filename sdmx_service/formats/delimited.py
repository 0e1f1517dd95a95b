"""Delimited text cut into records of text cells by Arrow, with the number of each record in the sender's file.

A record is what a spreadsheet shows as a row: a line break inside quotes does not end it. Records that have too few or
too many cells are handed to the caller, who knows what they mean.
"""

from __future__ import annotations

import codecs
import csv
import io
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Final, Literal, cast

import pyarrow as pa
from pyarrow import csv as arrow_csv

from sdmx_service.errors import UnreadableFile

BLOCK_SIZE: Final = 2 * 1024**2
"""Bytes read at once; no record may be longer."""
_CHUNK: Final = 1024**2
_AHEAD: Final = 3
"""Blocks in memory that are not cut into records yet."""
_PATIENCE: Final = 0.5
"""Seconds that the next block waits at most."""
_END: Final = "\x1eend of file\x1e"
"""A last record of our own: where it is not found as a record, an opening quote was never closed."""
_FRAME: Final = f"\n{_END}\n".encode()


@dataclass(frozen=True, slots=True)
class OddRecord:
    """A record that does not fit: its number (the first record is 1), its cells, its text."""

    number: int
    cells: list[str]
    text: str


class _Block(bytearray):
    """Bytes whose end can be noticed."""


class _Framed(io.RawIOBase):
    """A file in UTF-8 followed by a line break and the record ``_END``; closing it leaves the file open.

    Arrow reads up to 32 blocks ahead; here the next one waits until an earlier one is let go. It does not wait for
    ever: a reader that is given up lets its blocks go only after the one that it waits for.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file: IO[bytes] | None = file
        # Checked here, since Arrow hands over records of the wrong width without having checked them.
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._room = threading.Semaphore(_AHEAD)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._file is None:
            return b""
        self._room.acquire(timeout=_PATIENCE)
        chunk = self._file.read(size)
        while 0 < len(chunk) < size and (more := self._file.read(size - len(chunk))):
            chunk += more
        is_last = not chunk or len(chunk) + len(_FRAME) <= size
        self._decoder.decode(chunk, is_last)
        if is_last:  # with what comes before it: Arrow takes no block that is a part of a record alone
            self._file = None
            chunk += _FRAME
        block = _Block(chunk)
        weakref.finalize(block, self._room.release).atexit = False
        return cast(bytes, block)


class DelimitedFile:
    """A file of delimited text in UTF-8, read once.

    Args:
        file: seekable.
        width: cells of a record; at least 2, since a record of one cell cannot be told from a file that ends in quotes.
        on_odd: takes a record of another width; an error that it returns ends the reading.
    """

    def __init__(
        self, file: IO[bytes], width: int, delimiter: str, on_odd: Callable[[OddRecord], UnreadableFile | None]
    ) -> None:
        self._file = file
        self._width = max(width, 2)
        self._delimiter = delimiter
        self._on_odd = on_odd
        self._is_complete = False
        self._fault: UnreadableFile | None = None

    def open(self, *, skip: int = 0) -> arrow_csv.CSVStreamingReader:
        """A reader of batches with columns ``0``, ``1`` ... of text, null where empty; ``skip`` records are left out.

        An empty line is a record of empty cells; so is the end of a file that ends with a line break.

        Raises:
            pyarrow.ArrowInvalid, UnicodeDecodeError: here or while reading; ``explain`` tells what they mean.
        """
        names = [str(place) for place in range(self._width)]
        self._file.seek(0)
        return arrow_csv.open_csv(
            cast(IO[bytes], _Framed(self._file)),
            # One thread, so that the numbers of records that do not fit are known.
            arrow_csv.ReadOptions(
                column_names=names, skip_rows_after_names=skip, use_threads=False, block_size=BLOCK_SIZE
            ),
            arrow_csv.ParseOptions(
                delimiter=self._delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=self._take_odd,
            ),
            arrow_csv.ConvertOptions(
                column_types={name: pa.string() for name in names},
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                check_utf8=False,
            ),
        )

    def check_end(self) -> None:
        """Make sure, after the last batch, that the file did not end inside quotes.

        Raises:
            UnreadableFile: it did.
        """
        if not self._is_complete:
            raise UnreadableFile(
                f"The file ends inside quotes: the one that opens in line {open_quote(self._file)} is never closed, or "
                "the file is truncated.",
                hint='Close each quote, write a quote inside quotes as "", or send the file again.',
            )

    def explain(self, fault: Exception) -> UnreadableFile:
        """What an exception of the reader means, in words that help."""
        if self._fault is not None:
            return self._fault
        if isinstance(fault, UnicodeDecodeError):
            return explain_encoding(self._file)
        if "straddling" in str(fault):
            return UnreadableFile(
                f"A row is longer than {BLOCK_SIZE} bytes: the quote that opens in line {open_quote(self._file)} is "
                "probably never closed.",
                hint='Close each quote, and write a quote inside quotes as "".',
            )
        return UnreadableFile(f"The file cannot be cut into rows ({fault}).", hint="Check quotes and separators.")

    def _take_odd(self, row: arrow_csv.InvalidRow) -> Literal["skip", "error"]:
        if row.text == _END:
            self._is_complete = True
            return "skip"
        self._fault = self._on_odd(OddRecord(row.number or 0, self._cells(row.text), row.text))
        return "skip" if self._fault is None else "error"

    def _cells(self, text: str) -> list[str]:
        try:
            return next(csv.reader(io.StringIO(text, newline=""), delimiter=self._delimiter), [])
        except csv.Error:
            return [text]


def open_quote(file: IO[bytes]) -> int:
    """The line after whose end quotes stay open to the end of the file; the last one if none does."""
    file.seek(0)
    line, opened, is_open = 0, 0, False
    for piece in iter(lambda: file.readline(_CHUNK), b""):
        if piece.count(b'"') % 2:
            is_open = not is_open
            opened = line + 1
        line += piece.endswith(b"\n")
    return opened if is_open else line


def explain_encoding(file: IO[bytes]) -> UnreadableFile:
    """The error that says where the file stops being UTF-8 and what to do."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, place = 1, 0
    while chunk := file.read(_CHUNK):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as fault:
            line += fault.object[: fault.start].count(b"\n")
            position = place - pending + fault.start
            return UnreadableFile(
                f"Line {line}: byte {position + 1} of the file, 0x{fault.object[fault.start]:02X}, is not UTF-8.",
                hint="Save the file as UTF-8; it looks like an older encoding such as Windows-1252 or UTF-16.",
            )
        line += chunk.count(b"\n")
        place += len(chunk)
    return UnreadableFile(
        f"The file ends inside a character, after {place} bytes: it is truncated.", hint="Send it again."
    )
