"""Plain CSV and workbooks (XLSX, XLS, ODS) to ``Tables``: cells as text, to be read through a mapping's layout.

*Choices:* a number is written as a person sees it, with at most 15 significant digits and without ``.0``; a date as ISO
8601; a truth value as ``TRUE`` or ``FALSE``; an error as ``#N/A`` and the like. Of a formula its stored result is read;
one without result is a text that begins with ``=``.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
from collections import Counter
from collections.abc import Sequence
from typing import IO, Any, Final

import numpy as np
import pyarrow as pa

from sdmx_service.errors import TooLarge, UnreadableFile
from sdmx_service.formats.delimited import DelimitedFile, OddRecord
from sdmx_service.formats.encodings import Known, find_encoding
from sdmx_service.formats.sniffing import HEAD_SIZE, Head
from sdmx_service.formats.spreadsheet.apart import read_apart
from sdmx_service.formats.spreadsheet.opendocument import read_open_document_sheets
from sdmx_service.formats.spreadsheet.workbook import read_sheets
from sdmx_service.model.message import Resolve, Sheet, Tables, TextEncoding

MAX_CSV_SIZE: Final = 1024**3
"""Bytes; a plain CSV is held as a whole."""
_DELIMITERS: Final = ("\t", ";", "|", ",")
"""In order of preference where a file is equally regular with several: a comma may be a decimal one."""
_CSV_TYPES: Final = ("text/csv", "text/tab-separated-values", "application/csv")
_CSV_SUFFIXES: Final = (".csv", ".tsv", ".tab")


def sniff_workbook(head: Head) -> int:
    """How sure it is that this is an XLSX workbook, 0 to 100."""
    return 95 if head.is_workbook else 0


def sniff_csv(head: Head) -> int:
    """How sure it is that this is a table as delimited text, 0 to 100; never as sure as a format that knows itself."""
    text = head.text.lstrip()
    if not head.is_text or not text or text[0] in "<{[":
        return 0
    if head.suffix in _CSV_SUFFIXES or head.declared in _CSV_TYPES:
        return 35
    return 10 if any(mark in head.first_line for mark in _DELIMITERS) else 0


def read_workbook(file: IO[bytes], resolve: Resolve | None = None) -> Tables:
    """The worksheets of an XLSX workbook, in order; chart sheets are left out.

    Raises:
        UnreadableFile: damaged, truncated or protected by a password.
        UnsafeFile, TooLarge: more bytes or cells than the limits of ``workbook``.
    """
    return Tables(sheets=read_sheets(file))


def read_binary_workbook(file: IO[bytes], resolve: Resolve | None = None) -> Tables:
    """The worksheets of an XLS workbook, in order; as ``read_workbook``."""
    return Tables(sheets=read_apart(file))


def read_open_document(file: IO[bytes], resolve: Resolve | None = None) -> Tables:
    """The sheets of an ODS workbook, in order; as ``read_workbook``."""
    return Tables(sheets=read_open_document_sheets(file))


def read_csv(
    file: IO[bytes],
    resolve: Resolve | None = None,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    known: Known | None = None,
) -> Tables:
    """The one table of a CSV file; row i of the columns is record i+1 of the file, short records end with nulls.

    Args:
        file: seekable.
        resolve: not used.
        delimiter: what a mapping declares; None: found out.
        encoding: what the sender or a mapping declares; None: found out, see ``encodings``.
        known: tells words that the caller has met.

    Raises:
        UnreadableFile: not text in the declared encoding, or a quote that is never closed.
        TooLarge: more than ``MAX_CSV_SIZE`` bytes.
    """
    size = file.seek(0, os.SEEK_END)
    if size > MAX_CSV_SIZE:
        raise TooLarge(f"The file has {size} bytes; {MAX_CSV_SIZE} are the limit for plain CSV.", hint="Send parts.")
    file.seek(0)
    data = file.read()
    found = TextEncoding(name=encoding, is_sure=True) if encoding else find_encoding(data, known)
    data = _as_utf8(data, found.name)
    sample = data[:HEAD_SIZE].decode("utf-8", "ignore")
    if len(data) > HEAD_SIZE and "\n" in sample:
        sample = sample[: sample.rindex("\n")]
    delimiter = delimiter or find_delimiter(sample)
    width = max(map(len, _records(sample, delimiter)), default=1)
    return Tables(sheets=(_sheet(io.BytesIO(data), width, delimiter),), encoding=found)


def _as_utf8(data: bytes, encoding: str) -> bytes:
    try:
        if codecs.lookup(encoding).name == "utf-8":
            data.decode("utf-8")
            return data.removeprefix(codecs.BOM_UTF8)
        return data.decode(encoding).encode("utf-8")
    except LookupError:
        raise UnreadableFile(f"There is no encoding {encoding!r}.", hint="Declare one such as utf-8.") from None
    except UnicodeError as fault:
        place = getattr(fault, "start", 0)
        line = data[:place].count(b"\n") + 1
        raise UnreadableFile(
            f"Line {line}: byte {place + 1} of the file is not {encoding}.",
            hint="Save the file as UTF-8, or declare its encoding in the mapping.",
        ) from None


def find_delimiter(sample: str) -> str:
    """The delimiter with which the sample is most regular; of nearly equally regular ones that of most columns."""
    found: list[tuple[float, int, str]] = []
    for delimiter in _DELIMITERS:
        widths = Counter(len(record) for record in _records(sample, delimiter) if record)
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        if width > 1:
            found.append((count / widths.total(), width, delimiter))
    if not found:
        return ","
    best = max(share for share, _, _ in found)
    return max((one for one in found if one[0] >= 0.9 * best), key=lambda one: one[1])[2]


def _records(sample: str, delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter))
    except csv.Error:
        return [line.split(delimiter) for line in sample.splitlines()]


def _sheet(file: IO[bytes], width: int, delimiter: str) -> Sheet:
    odd: list[OddRecord] = []
    source = DelimitedFile(file, width, delimiter, odd.append)
    try:
        table = source.open().read_all()
    except (pa.ArrowInvalid, UnicodeDecodeError) as fault:
        raise source.explain(fault) from None
    source.check_end()
    arrays: list[Any] = [column.combine_chunks() for column in table.columns]
    if odd:
        arrays = _with_odd(arrays, odd)
    columns = _trimmed(arrays, max([width, *(len(record.cells) for record in odd)]))
    return Sheet(name=None, columns=columns, lengths=_lengths(len(columns[0]), width, odd))


def _lengths(height: int, width: int, odd: Sequence[OddRecord]) -> pa.Int32Array | None:
    """How many cells each of the records has; None where none is short."""
    if all(len(record.cells) >= width for record in odd):
        return None
    lengths = np.full(max([height, *(record.number for record in odd)]), width, dtype=np.int32)
    lengths[[record.number - 1 for record in odd]] = [len(record.cells) for record in odd]
    return pa.array(lengths[:height])


def _with_odd(arrays: Sequence[Any], odd: Sequence[OddRecord]) -> list[Any]:
    """The columns with the odd records at their place, as many columns as the longest of them has."""
    count = len(arrays[0]) + len(odd)
    is_odd = np.zeros(count, dtype=bool)
    is_odd[[record.number - 1 for record in odd]] = True
    order = np.empty(count, dtype=np.int64)
    order[~is_odd] = np.arange(len(arrays[0]))
    order[is_odd] = np.arange(len(arrays[0]), count)
    width = max([len(arrays), *(len(record.cells) for record in odd)])
    columns = [*arrays, *(pa.nulls(len(arrays[0]), pa.string()) for _ in range(width - len(arrays)))]
    found = []
    for place, column in enumerate(columns):
        added = pa.array([_cell(record, place) for record in odd], pa.string())
        found.append(pa.concat_arrays([column, added]).take(pa.array(order)))
    return found


def _cell(record: OddRecord, place: int) -> str | None:
    return (record.cells[place] or None) if place < len(record.cells) else None


def _trimmed(arrays: Sequence[Any], width: int) -> tuple[pa.StringArray, ...]:
    """The first ``width`` columns without empty records at the end."""
    used = [np.flatnonzero(np.asarray(column.is_valid())) for column in arrays]
    height = max((int(places[-1]) + 1 for places in used if len(places)), default=0)
    return tuple(column.slice(0, height) for column in arrays[:width])
