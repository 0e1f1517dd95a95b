"""What is said about the cells of a sender's workbook."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CellMark:
    """What is said about a cell: ``row`` is 1-based, ``column`` its letter or (in SDMX-CSV) what its header names.

    Without a column, or with one that is not there, the row's first cell is meant.
    """

    severity: str
    text: str
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
