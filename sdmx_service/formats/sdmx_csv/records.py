"""The records of a CSV file as Arrow batches of text, block by block, each with its number in the sender's file.

A record is what a spreadsheet shows as a row: the heading is record 1, a line break inside quotes does not end it. One
block is in memory at a time.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from typing import IO, Final

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from sdmx_service.errors import UnreadableFile
from sdmx_service.model.columns import ROW

BLOCK_SIZE: Final = 4 * 1024**2
"""Bytes read at once; no record may be longer."""
_CHUNK: Final = 1024**2
_END: Final = "\x1eend of file\x1e"
"""A last line of our own: where it is not found as a line, an opening quote was never closed."""


class _Framed(io.RawIOBase):
    """A file followed by a line break and the line ``_END``; closing it leaves the file open."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file: IO[bytes] | None = file

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._file is None:
            return b""
        chunk = self._file.read(size)
        if not chunk:
            self._file = None
            return f"\n{_END}\n".encode()
        return chunk


class Records:
    """The records below the heading, read once.

    Args:
        file: seekable, from its beginning.
        names: the headings as sent, for messages; their count is the count of cells of each record.
    """

    def __init__(self, file: IO[bytes], names: Sequence[str], delimiter: str) -> None:
        self._file = file
        self._names = names
        self._delimiter = delimiter
        self._odd: list[tuple[int, list[str] | None]] = []
        """Records that Arrow left out: (number, cells, or None for the line of our own)."""
        self._is_complete = False
        self._fault: UnreadableFile | None = None

    def __iter__(self) -> Iterator[pa.Table]:
        """The records in order: columns ``0``, ``1`` ... of text, null where empty, and ``_row``; none is blank.

        Raises:
            UnreadableFile: not UTF-8, a record with too few or too many cells, a quote that is never closed.
        """
        number = 2
        try:
            for batch in self._open():
                rows, number = self._numbers(number, batch.num_rows)
                yield self._with_odd(pa.Table.from_batches([batch]).append_column(ROW, pa.array(rows)), number)
        except (pa.ArrowInvalid, UnicodeDecodeError) as fault:
            raise self._explained(fault) from None
        if not self._is_complete:
            raise UnreadableFile(
                "The file ends inside quotes: an opening quote is never closed, or the file is truncated.",
                hint='Close each quote, write a quote inside quotes as "", or send the file again.',
            )
        if self._odd:
            yield self._with_odd(None, None)

    def _open(self) -> arrow_csv.CSVStreamingReader:
        names = [str(place) for place in range(len(self._names))]
        self._file.seek(0)
        return arrow_csv.open_csv(
            _Framed(self._file),
            # One thread, so that the numbers of records that do not fit are known.
            arrow_csv.ReadOptions(
                column_names=names, skip_rows_after_names=1, use_threads=False, block_size=BLOCK_SIZE
            ),
            arrow_csv.ParseOptions(
                delimiter=self._delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=self._on_odd_record,
            ),
            arrow_csv.ConvertOptions(
                column_types={name: pa.string() for name in names},
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )

    def _on_odd_record(self, row: arrow_csv.InvalidRow) -> str:
        number = row.number or 0
        if row.text == _END:
            self._is_complete = True
            return "skip"
        cells = self._cells(row.text)
        if len(cells) > len(self._names) and not any(cells[len(self._names) :]):
            # *Choice:* empty cells too many (stray separators, also in examples of the field guides) are let pass.
            self._odd.append((number, cells[: len(self._names)]))
            return "skip"
        self._fault = UnreadableFile(
            f"Row {number} has {row.actual_columns} cells where the heading has {row.expected_columns} columns: "
            f"{row.text[:120]!r}.",
            hint=f"Columns are separated by {self._delimiter!r}; put values that hold it in quotes, and write a "
            "separator for each empty cell.",
        )
        return "error"

    def _cells(self, text: str) -> list[str]:
        try:
            return next(csv.reader(io.StringIO(text, newline=""), delimiter=self._delimiter), [])
        except csv.Error:
            return []

    def _numbers(self, first: int, count: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], int]:
        """Numbers of the next ``count`` records, leaving out the odd ones, and the number after the last."""
        rows = np.arange(first, first + count + len(self._odd), dtype=np.int64)
        if self._odd:
            rows = rows[~np.isin(rows, [number for number, _ in self._odd])]
        rows = rows[:count]
        return rows, int(rows[-1]) + 1 if count else first

    def _with_odd(self, table: pa.Table | None, end: int | None) -> pa.Table:
        """The records with those odd ones put in whose place is before ``end``."""
        due = [(number, cells) for number, cells in self._odd if end is None or number < end]
        self._odd = self._odd[len(due) :]
        if due:
            columns = {str(place): [cells[place] or None for _, cells in due if cells] for place in range(len(self._names))}
            columns_of_rows = {name: pa.array(values, pa.string()) for name, values in columns.items()}
            added = pa.table({**columns_of_rows, ROW: pa.array([number for number, _ in due], pa.int64())})
            table = added if table is None else pa.concat_tables([table, added]).sort_by(ROW)
        assert table is not None
        return _without_blanks(table)

    def _explained(self, fault: Exception) -> UnreadableFile:
        if self._fault is not None:
            return self._fault
        if isinstance(fault, UnicodeDecodeError) or "UTF8" in str(fault):
            return explain_encoding(self._file)
        if "straddling" in str(fault):
            return UnreadableFile(
                f"A row is longer than {BLOCK_SIZE} bytes: an opening quote is probably never closed.",
                hint='Close each quote, and write a quote inside quotes as "".',
            )
        return UnreadableFile(f"The file cannot be cut into rows ({fault}).", hint="Check quotes and separators.")


def _without_blanks(table: pa.Table) -> pa.Table:
    """The table without records that are empty from end to end."""
    first = table.column(0)
    if first.null_count == 0:
        return table
    is_used = np.zeros(table.num_rows, dtype=bool)
    for column in table.columns[:-1]:
        is_used |= np.asarray(column.is_valid())
    return table.filter(pa.array(is_used))


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
    return UnreadableFile("The file ends inside a character: it is truncated.", hint="Send it again.")
