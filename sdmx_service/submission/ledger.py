"""What became of the rows and columns of a sheet, whichever tables of a layout read it; and what nobody read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.message import Sheet
from sdmx_service.submission.cells import trim
from sdmx_service.submission.headers import Header, column_letter
from sdmx_service.submission.report import Report
from sdmx_service.submission.signs import western

_FIGURE = r"^[(+\-\x{2212}]?\s*[0-9][0-9\s.,'\x{a0}\x{202f}]*[%)]?$"
"""How a cell looks that holds a figure, however it is written."""
MAX_COLUMNS: Final = 16_384
_BEGINS_AS_FIGURE = r"^\s*[0-9]"

Mask = npt.NDArray[np.bool_]


@dataclass(slots=True, kw_only=True)
class Ledger:
    """Which rows of a sheet some ``where`` left out, which some table took, which rows and columns became data.

    Attributes:
        header: of the last table that read the sheet.
        patterns: of the headers of columns that become rows.
        first: the first column that one of the patterns fits.
        missing: per row the first column of a figure or key that its record ends before; ``MAX_COLUMNS`` for none.
    """

    sheet: Sheet
    left: Mask
    taken: Mask
    rows: Mask
    missing: npt.NDArray[np.int32]
    columns: set[int] = field(default_factory=set)
    header: Header | None = None
    patterns: list[re.Pattern[str]] = field(default_factory=list)
    first: int = MAX_COLUMNS

    @classmethod
    def of(cls, sheet: Sheet) -> Ledger:
        """The ledger of a sheet that nobody has read yet."""
        height = max(map(len, sheet.columns), default=0)
        left, taken, rows = (np.zeros(height, bool) for _ in range(3))
        missing = np.full(height, MAX_COLUMNS, np.int32)
        return cls(sheet=sheet, left=left, taken=taken, rows=rows, missing=missing)

    def note_short(self, rows: npt.NDArray[np.int64], needed: Iterable[int]) -> None:
        """Note which of the rows that a table reads end before a column that it needs."""
        columns = np.array(sorted(index for index in set(needed) if index < len(self.sheet.columns)), np.int32)
        if self.sheet.lengths is None or not columns.size:
            return
        lengths = np.asarray(self.sheet.lengths)[rows]
        is_short = lengths <= columns[-1]
        rows, lengths = rows[is_short], lengths[is_short]
        self.missing[rows] = np.minimum(self.missing[rows], columns[np.searchsorted(columns, lengths)])

    def settle(self, report: Report) -> None:
        """Report the rows and columns that no table reads, and what is hidden."""
        rows = np.flatnonzero(self.left & ~self.taken)
        if rows.size:
            places = pa.table({"row": sent_rows(self.sheet, pa.array(rows + 1, pa.int64()))})
            report.add(FindingGroup.of("F108", places=places, sheet=self.sheet.name))
        self._report_hidden(report)
        self._report_short(report)
        if self.header is not None and self.sheet.origin is None and self.rows.any():
            self._report_columns(self.header, report)

    # --- short records -----------------------------------------------------------------------------------------
    def _report_short(self, report: Report) -> None:
        """Report the noted records; one that holds a single cell is a title or a note, not a row of the table."""
        noted = np.flatnonzero(self.missing < MAX_COLUMNS)
        if not noted.size:
            return
        chosen = pa.array(noted)
        filled = sum(np.asarray(column.take(chosen).is_valid()).astype(np.int32) for column in self.sheet.columns)
        rows = noted[filled > 1]
        found = self.missing[rows]
        labels = () if self.header is None else self.header.labels
        names = {index: column_letter(index) for index in np.unique(found).tolist()}
        table = {
            "row": pa.array(rows + 1, pa.int64()),
            "column": pa.array([names[index] for index in found.tolist()], pa.string()),
            "expected": pa.array([_label(labels, index) or names[index] for index in found.tolist()], pa.string()),
            "cells": pa.array(np.asarray(self.sheet.lengths)[rows], pa.int64()),
        }
        self._add("F276", pa.table(table), report)

    # --- hidden ------------------------------------------------------------------------------------------------
    def _report_hidden(self, report: Report) -> None:
        """Report what became data though the sender's program does not show it."""
        sheet = self.sheet
        if sheet.is_hidden and self.rows.any():
            report.add(FindingGroup.of("F112", sheet=sheet.name, what="sheet"))
            return
        rows = [row + 1 for row in sheet.hidden_rows if row < len(self.rows) and self.rows[row]]
        if rows:
            places = pa.table({"row": pa.array(rows, pa.int64())})
            report.add(FindingGroup.of("F112", places=places, sheet=sheet.name, what="row"))
        columns = [column_letter(column) for column in sheet.hidden_columns if column in self.columns]
        if columns and self.rows.any():
            places = pa.table({"column": pa.array(columns, pa.string())})
            report.add(FindingGroup.of("F112", places=places, sheet=sheet.name, what="column"))

    # --- columns that nobody reads -----------------------------------------------------------------------------
    def _report_columns(self, header: Header, report: Report) -> None:
        """Report figures outside the header, columns that nearly become rows, and columns of figures beside those."""
        last = max((index for index, label in enumerate(header.labels) if label is not None), default=-1)
        outside: list[pa.Table] = []
        near: list[tuple[int, str]] = []
        others: list[tuple[int, str]] = []
        for index, texts in self._unread():
            label = header.labels[index]
            if index > last and self.sheet.name is None:
                outside.append(self._outside(index, texts))
            elif label is not None and any(_is_near(pattern, label) for pattern in self.patterns):
                near.append((index, label))
            elif index > self.first and pc.any(_like(trim(texts), _FIGURE), min_count=0).as_py():
                others.append((index, label or column_letter(index)))
        self._add("F270", pa.concat_tables(outside) if outside else None, report)
        for code, found in (("F272", near), ("F273", others)):
            self._add(code, self._headers(header, found) if found else None, report)

    def _unread(self) -> Iterator[tuple[int, pa.StringArray]]:
        """The columns that no table reads, with their cells in rows that became data, if any holds something."""
        rows = pa.array(np.flatnonzero(self.rows))
        for index, column in enumerate(self.sheet.columns):
            if index not in self.columns and column.null_count < len(column):
                texts = column.take(rows)
                if texts.null_count < len(texts):
                    yield index, texts

    def _outside(self, index: int, texts: pa.StringArray) -> pa.Table:
        """The cells of a column that begin as figures do."""
        chosen = _like(texts, _BEGINS_AS_FIGURE)
        rows = pa.array(np.flatnonzero(self.rows) + 1, pa.int64()).filter(chosen)
        letters = pa.repeat(pa.scalar(column_letter(index)), len(rows))
        return pa.table({"row": rows, "column": letters, "value": texts.filter(chosen)})

    def _headers(self, header: Header, found: list[tuple[int, str]]) -> pa.Table:
        columns = [column_letter(index) for index, _ in found]
        rows = [header.row + header.rows] * len(found)
        return pa.table({"row": rows, "column": columns, "value": [label for _, label in found]})

    def _add(self, code: str, places: pa.Table | None, report: Report) -> None:
        if places is not None and places.num_rows:
            report.add(FindingGroup.of(code, places=places, sheet=self.sheet.name))


def sent_rows(sheet: Sheet, rows: pa.Int64Array) -> pa.Int64Array:
    """Rows of a sheet (1-based) as the sender sees them."""
    return rows if sheet.origin is None else sheet.origin.rows.take(pc.subtract(rows, 1))


def sent_places(sheet: Sheet, rows: pa.Int64Array) -> pa.StringArray | None:
    """The places of rows of a message that has no lines; None where columns have names of their own."""
    if sheet.origin is None or sheet.origin.places.null_count == len(sheet.origin.places):
        return None
    return sheet.origin.places.take(pc.subtract(rows, 1))


def _label(labels: Sequence[str | None], index: int) -> str | None:
    return labels[index] if index < len(labels) else None


def _is_near(pattern: re.Pattern[str], label: str) -> bool:
    """Whether a header holds what a pattern asks of the whole header: ``2022p``, ``Year 2022``, ``2022-01-01``."""
    bare = pattern.pattern.removeprefix("^").removesuffix("$")
    if bare == pattern.pattern:
        return False
    text = western(label)
    return any(
        match[0]
        and not _is_one(text[: match.start()][-1:], match[0][0])
        and not _is_one(match[0][-1], text[match.end() :][:1])
        for match in re.finditer(bare, text, pattern.flags)
    )


def _is_one(before: str, after: str) -> bool:
    """Whether two signs side by side belong to one number or one word."""
    return (before.isdigit() and after.isdigit()) or (before.isalpha() and after.isalpha())


def _like(texts: pa.StringArray, pattern: str) -> pa.BooleanArray:
    return pc.fill_null(pc.match_substring_regex(texts, pattern), False)
