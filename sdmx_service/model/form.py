"""Forms: a workbook for people to fill in, described without the words of any file format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Style = Literal[
    "key", "title", "subtitle", "notice", "text", "label", "fact", "heading", "row", "code", "total", "group",
    "figure", "input", "note", "warning",
]  # fmt: skip
"""What a cell is: ``figure``, ``input`` and ``note`` may be filled in, all others are locked.

``key`` is for programs; ``title``, ``subtitle``, ``notice``, ``warning`` (a notice of several lines) and ``text`` are
for readers; ``label`` and ``fact`` are the two sides of a line of the cover; ``heading`` stands over columns, ``row``
and ``code`` (``total`` for a first row, ``group`` where a new group begins) before the figures.
"""
INPUTS: tuple[Style, ...] = ("figure", "input", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormCell:
    """A cell (row and column from 0)."""

    row: int
    column: int
    value: str | int | float | None
    style: Style


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A rectangle of cells, from 0, both ends included."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What may be written into some cells: one of ``texts``; with ``figures`` a number of at least 0, too.

    With ``figures`` anything else is asked about (``message``), else it is refused by the spreadsheet program.
    """

    areas: tuple[Area, ...]
    texts: tuple[str, ...]
    figures: bool = False
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormSheet:
    """A sheet.

    Attributes:
        widths: of columns, in characters.
        heights: of rows, in points; of the others the spreadsheet program's own.
        hidden_rows, hidden_columns: from 0; there for programs.
        frozen: the first row and column that scroll.
        heading: first and last row that each printed page repeats.
        is_hidden: not shown to people, and not offered to be shown.
        may_add_rows: a sender may insert rows and sort.
    """

    name: str
    cells: tuple[FormCell, ...]
    merged: tuple[Area, ...] = ()
    widths: Mapping[int, float] = field(default_factory=dict)
    heights: Mapping[int, float] = field(default_factory=dict)
    hidden_rows: tuple[int, ...] = ()
    hidden_columns: tuple[int, ...] = ()
    frozen: tuple[int, int] | None = None
    heading: tuple[int, int] | None = None
    offers: tuple[Offer, ...] = ()
    is_hidden: bool = False
    may_add_rows: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A workbook to fill in."""

    title: str
    subject: str
    language: str
    sheets: tuple[FormSheet, ...]
