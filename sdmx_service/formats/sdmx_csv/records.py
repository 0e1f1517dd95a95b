"""The records of an SDMX-CSV file as Arrow tables of text, block by block, each with its number; none is blank."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO, Any

import numpy as np
import pyarrow as pa

from sdmx_service.errors import UnreadableFile
from sdmx_service.formats.delimited import DelimitedFile, OddRecord
from sdmx_service.model.columns import ROW


class Records:
    """The records below the heading, read once; one block is in memory at a time.

    Args:
        file: seekable.
        names: the headings as sent; their count is the count of cells of each record, two at least.
        heading: the number of the record that they are.
    """

    def __init__(self, file: IO[bytes], names: Sequence[str], delimiter: str, heading: int = 1) -> None:
        self._heading = heading
        self._width = len(names)
        self._delimiter = delimiter
        self._source = DelimitedFile(file, self._width, delimiter, self._take_odd)
        self._odd: list[OddRecord] = []
        """Records that Arrow left out and that are put in again."""

    def __iter__(self) -> Iterator[pa.Table]:
        """The records in order: columns ``0``, ``1`` ... of text, null where empty, and ``_row``, their number.

        Raises:
            UnreadableFile: not UTF-8, a record with too few or too many cells, a quote that is never closed.
        """
        number = self._heading + 1
        try:
            for batch in self._source.open(skip=self._heading):
                rows, number = self._numbers(number, batch.num_rows)
                yield self._completed(pa.Table.from_batches([batch]).append_column(ROW, pa.array(rows)), number)
        except (pa.ArrowInvalid, UnicodeDecodeError) as fault:
            raise self._source.explain(fault) from None
        self._source.check_end()
        if self._odd:
            yield self._completed(None, None)

    def _take_odd(self, record: OddRecord) -> UnreadableFile | None:
        if len(record.cells) > self._width and not any(record.cells[self._width :]):
            # *Choice:* empty cells too many (stray separators, as in examples of the field guides) are let pass.
            self._odd.append(record)
            return None
        return UnreadableFile(
            f"Row {record.number} has {len(record.cells)} cells where the heading has {self._width} columns: "
            f"{record.text[:120]!r}.",
            hint=f"Columns are separated by {self._delimiter!r}; put values that hold it in quotes, and write a "
            "separator for each empty cell.",
        )

    def _numbers(self, first: int, count: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], int]:
        """Numbers of the next ``count`` records, leaving out the odd ones, and the number after the last."""
        rows = np.arange(first, first + count + len(self._odd), dtype=np.int64)
        if self._odd:
            rows = rows[~np.isin(rows, [record.number for record in self._odd])]
        rows = rows[:count]
        return rows, int(rows[-1]) + 1 if count else first

    def _completed(self, table: pa.Table | None, end: int | None) -> pa.Table:
        """The records with those odd ones put in whose place is before ``end``, and without blank ones."""
        due = [record for record in self._odd if end is None or record.number < end]
        self._odd = self._odd[len(due) :]
        if due:
            columns: dict[str, pa.Array[Any]] = {
                str(place): pa.array([record.cells[place] or None for record in due], pa.string())
                for place in range(self._width)
            }
            added = pa.table({**columns, ROW: pa.array([record.number for record in due], pa.int64())})
            table = added if table is None else pa.concat_tables([table, added]).sort_by(ROW)
        assert table is not None
        return _without_blanks(table)


def _without_blanks(table: pa.Table) -> pa.Table:
    if table.column(0).null_count == 0:
        return table
    is_used = np.zeros(table.num_rows, dtype=bool)
    for column in table.columns[:-1]:
        is_used |= np.asarray(column.is_valid())
    return table.filter(pa.array(is_used))
