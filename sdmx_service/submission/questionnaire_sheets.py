"""The sheets of a filled questionnaire, found again by the keys in them wherever their cells stand now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from sdmx_service.catalog import questionnaire_keys as keys
from sdmx_service.catalog.questionnaire_keys import parse_key
from sdmx_service.errors import TooLarge
from sdmx_service.model.message import Sheet, Tables
from sdmx_service.submission.headers import column_letter
from sdmx_service.submission.signs import INVISIBLE

MAX_CELLS: Final = 2_000_000
"""Cells of one sheet, empty ones between the first and the last included."""
_SEARCHED_ROWS, _SEARCHED_COLUMNS = 60, 8
_EDGES = " \t\n\r\u00a0" + INVISIBLE


@dataclass(slots=True)
class Grid:
    """A sheet as rows of texts, blank ones None."""

    sheet: Sheet
    rows: list[list[str | None]]

    @classmethod
    def of(cls, sheet: Sheet) -> Grid:
        """The sheet's cells."""
        columns = [column.to_pylist() for column in sheet.columns]
        return cls(sheet, [[_cleaned(cell) for cell in row] for row in zip(*columns, strict=True)])

    @property
    def name(self) -> str:
        """The sheet's name."""
        return self.sheet.name or ""

    def at(self, row: int, column: int) -> str | None:
        """The text of a cell."""
        if 0 <= row < len(self.rows) and 0 <= column < len(self.rows[row]):
            return self.rows[row][column]
        return None

    def is_number(self, row: int, column: int) -> bool:
        """Whether a cell holds a number, not a text."""
        numbers = self.sheet.numbers
        return numbers is not None and bool(numbers[column][row].as_py())

    def find(self, word: str) -> tuple[int, int] | None:
        """The first cell near the top left whose text begins with a word."""
        for row in range(min(_SEARCHED_ROWS, len(self.rows))):
            for column, text in enumerate(self.rows[row][:_SEARCHED_COLUMNS]):
                if text is not None and text.split(" ", 1)[0] == word:
                    return row, column
        return None


def _cleaned(text: str | None) -> str | None:
    return (text.strip(_EDGES) or None) if text is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A cell, from 0."""

    sheet: str
    row: int
    column: int

    @property
    def found(self) -> dict[str, object]:
        """As a finding shows it."""
        return {"sheet": self.sheet, "row": self.row + 1, "column": column_letter(self.column)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the cover or of another sheet with keys: its key words, and where its value stands."""

    words: tuple[str, ...]
    place: Place
    value: str | None


@dataclass(slots=True, kw_only=True)
class TableSheet:
    """The sheet of a table with its key row and key column found.

    Attributes:
        codes, labels: column of the code and of the label of an axis, by the axis' id.
        values: columns of figures with the codes that they stand for.
        notes: column of the footnotes of a row.
        first: the first row that may hold figures.
    """

    grid: Grid
    questionnaire: str
    table: str
    key_row: int
    key_column: int
    codes: dict[str, int] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    values: dict[int, dict[str, str]] = field(default_factory=dict)
    notes: int | None = None
    first: int = 0

    @classmethod
    def of(cls, grid: Grid) -> TableSheet | None:
        """The table that a sheet says it is; None if it says none."""
        found = grid.find(keys.TABLE)
        if found is None:
            return None
        words = (grid.at(*found) or "").split(" ")
        if len(words) != 3:
            return None
        sheet = cls(grid=grid, questionnaire=words[1], table=words[2], key_row=found[0], key_column=found[1])
        sheet._read_columns()
        sheet._read_first()
        return sheet

    def _read_columns(self) -> None:
        for column, text in enumerate(self.grid.rows[self.key_row]):
            if text is None or column == self.key_column:
                continue
            word, _, axis = text.partition(" ")
            if word == keys.CODE:
                self.codes[axis] = column
            elif word == keys.LABEL:
                self.labels[axis] = column
            elif word == keys.NOTES:
                self.notes = column
            elif (codes := parse_key(text)) is not None:
                self.values[column] = codes

    def _read_first(self) -> None:
        self.first = max(self._keyed(keys.HEADER, keys.UNIT, keys.PERIOD), default=self.key_row) + 1

    def _keyed(self, *words: str) -> Iterator[int]:
        for row in range(len(self.grid.rows)):
            if self.grid.at(row, self.key_column) in words:
                yield row

    def headings(self, levels: int) -> list[int]:
        """The last rows above the figures, which head the columns: the outermost first."""
        return [row for row in self._keyed(keys.HEADER) if row < self.first][-levels:] if levels else []

    def heading(self, row: int, column: int) -> tuple[Place, str] | None:
        """What heads a column in one of those rows, and where it stands: a merged cell heads all that it covers."""
        spread = (
            (top, left)
            for top, left, bottom, right in self.grid.sheet.merged
            if top <= row <= bottom and left <= column <= right
        )
        row, column = next(spread, (row, column))
        text = self.grid.at(row, column)
        return None if text is None else (self.place(row, column), text)

    def place(self, row: int, column: int) -> Place:
        """A cell of the sheet."""
        return Place(sheet=self.grid.name, row=row, column=column)

    def line(self, word: str) -> Line | None:
        """The unit or the period: what stands right of its label."""
        for row in self._keyed(word):
            column = self.key_column + 2
            return Line(words=(word,), place=self.place(row, column), value=self.grid.at(row, column))
        return None

    def is_filled(self, row: int) -> bool:
        """Whether a row has a figure, or a footnote, in it."""
        columns = [*self.values, *([self.notes] if self.notes is not None else [])]
        return any(self.grid.at(row, column) is not None for column in columns)


@dataclass(slots=True, kw_only=True)
class FilledBefore:
    """What the hidden sheet remembers: what the workbook is, and what its cells held when it was made."""

    said: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    periods: dict[str, str] = field(default_factory=dict)
    cells: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, grids: Iterable[Grid]) -> FilledBefore:
        """The memory of a workbook; empty where the hidden sheet is gone."""
        memory = cls()
        grid = next((one for one in grids if one.name == keys.KEYS_SHEET), None)
        for row in [] if grid is None else grid.rows:
            word, first, second, third = [*row[:4], None, None, None, None][:4]
            if word == keys.HELD and first and second and third:
                memory.cells.setdefault(first, {})[second] = third
            elif word == keys.UNIT and first:
                memory.units[first] = second or ""
            elif word == keys.PERIOD and first:
                memory.periods[first] = second or ""
            elif word and first:
                memory.said[word] = first
        return memory


def lines(grid: Grid, words: Iterable[str], offsets: Mapping[str, int]) -> Iterator[Line]:
    """The lines of a sheet whose key begins with one of some words.

    Args:
        offsets: how far right of the key the value stands, by word.
    """
    wanted = tuple(words)
    for row, cells in enumerate(grid.rows):
        for column, text in enumerate(cells[:_SEARCHED_COLUMNS]):
            first, *more = (text or "").split(" ")
            if first in wanted:
                place = Place(sheet=grid.name, row=row, column=column + offsets[first])
                yield Line(words=(first, *more), place=place, value=grid.at(place.row, place.column))
                break


def grids_of(tables: Tables) -> list[Grid] | None:
    """The sheets of a workbook that is a questionnaire; None if no sheet says that it is.

    Raises:
        TooLarge: a sheet has more than ``MAX_CELLS``.
    """
    if not any(_has_key(sheet) for sheet in tables.sheets):
        return None
    for sheet in tables.sheets:
        size = sum(map(len, sheet.columns))
        if size > MAX_CELLS:
            raise TooLarge(
                f"The sheet {sheet.name!r} reaches over {size} cells; {MAX_CELLS} are the limit for a questionnaire.",
                hint="Delete what stands far outside the table.",
            )
    return [Grid.of(sheet) for sheet in tables.sheets]


def _has_key(sheet: Sheet) -> bool:
    for column in sheet.columns[:_SEARCHED_COLUMNS]:
        for text in column.slice(0, _SEARCHED_ROWS).to_pylist():
            if text is not None and text.split(" ", 1)[0] in (keys.QUESTIONNAIRE, keys.TABLE):
                return True
    return False
