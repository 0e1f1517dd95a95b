"""Sheets of plain text for people to read and edit, described without the words of any file format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSheet:
    """A sheet: its first row is the header; every cell is text, None an empty one.

    Attributes:
        told: columns (from 0) that only tell something and are not read back.
        comments: of cells of the header, by column.
        widths: of columns, in characters.
    """

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    told: frozenset[int] = frozenset()
    comments: Mapping[int, str] = field(default_factory=dict)
    widths: Mapping[int, float] = field(default_factory=dict)
