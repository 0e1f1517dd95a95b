"""Real files as cells that can be damaged: what a figure is of, where it stands, what it adds up to.

A *grid* is a table as its sender sees it (CSV or a workbook); a cell knows its own words (codes and labels as the file
has them), its period and its place. Nothing here is of the program under test.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import openpyxl
from openpyxl.utils import get_column_letter

Key = tuple[tuple[str, str], ...]
Place = tuple[str | None, int, str]
"""Sheet, row and column as the sender sees them, 1-based; of a long table the column does not count. In a JSON
message the column is a pointer and the row 0."""


class Line(list[str]):
    """A row of a text table, told apart by itself: rows may be taken out and put in before it is written."""

    __hash__ = object.__hash__  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return self is other


@dataclass(eq=False, slots=True, kw_only=True)
class Cell:
    """A figure of a file."""

    key: Key
    period: str
    value: float | None
    line: Any
    """The row it stands in: a ``Line``, or the number of a row of a sheet."""
    column: int
    """0-based."""
    sheet: str | None = None

    @property
    def names(self) -> dict[str, str]:
        """The words of its key."""
        return dict(self.key)


class Grid(Protocol):
    """A file that can be damaged."""

    is_long: bool

    def text(self, cell: Cell) -> str: ...
    def write(self, cell: Cell, text: str) -> None: ...
    def place(self, cell: Cell) -> Place: ...
    def save(self, path: Path) -> None: ...


@dataclass(slots=True, kw_only=True)
class TextGrid:
    """A CSV table."""

    lines: list[Line]
    is_long: bool
    delimiter: str = ","
    _numbers: dict[int, int] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, *, is_long: bool) -> TextGrid:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return cls(lines=[Line(row) for row in csv.reader(file)], is_long=is_long)

    def text(self, cell: Cell) -> str:
        return str(cell.line[cell.column])

    def write(self, cell: Cell, text: str) -> None:
        cell.line[cell.column] = text

    def place(self, cell: Cell) -> Place:
        if not self._numbers:
            self._numbers.update((id(line), number) for number, line in enumerate(self.lines, 1))
        return None, self._numbers.get(id(cell.line), 0), "" if self.is_long else get_column_letter(cell.column + 1)

    def drop(self, cell: Cell) -> None:
        """Take the row out."""
        self._numbers.clear()
        self.lines.remove(cell.line)

    def repeat(self, cell: Cell) -> Line:
        """Put a copy of the row after it."""
        copy = Line(cell.line)
        self._numbers.clear()
        self.lines.insert(self.lines.index(cell.line) + 1, copy)
        return copy

    def save(self, path: Path) -> None:
        out = io.StringIO()
        csv.writer(out, delimiter=self.delimiter, lineterminator="\n").writerows(self.lines)
        path.write_text(out.getvalue(), encoding="utf-8")


@dataclass(slots=True, kw_only=True)
class BookGrid:
    """A workbook."""

    book: openpyxl.Workbook
    is_long: bool = False

    @classmethod
    def read(cls, path: Path) -> BookGrid:
        return cls(book=openpyxl.load_workbook(path))

    def _cell(self, cell: Cell) -> Any:
        return self.book[cell.sheet].cell(cell.line, cell.column + 1)

    def text(self, cell: Cell) -> str:
        value = self._cell(cell).value
        return "" if value is None else str(value)

    def write(self, cell: Cell, text: str) -> None:
        self._cell(cell).value = _number(text)

    def place(self, cell: Cell) -> Place:
        return cell.sheet, cell.line, get_column_letter(cell.column + 1)

    def save(self, path: Path) -> None:
        self.book.save(path)


def _number(text: str) -> object:
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value.is_integer() else value


def value_of(text: object) -> float | None:
    """The figure that a text is, or None."""
    try:
        return float(str(text).replace(",", ""))
    except ValueError:
        return None


@dataclass(slots=True, kw_only=True)
class Source:
    """A real file, with what a person knows of it.

    Attributes:
        sums: for a cell, the cells whose figure contains its figure as a part.
        components: dimension of the errors (``area``, ``partner``, ``sex``, ``age``, ``period``) -> column of a long
            table, or name in the keys.
        wrong: dimension -> texts that are no code there, aggregates that are none of the members, overlapping codes.
        group: names in the keys by which a table is one delivery (an area's figures).
        totals: name in the keys -> words that are totals of others: a word that should not be there may spoil each.
        is_calm: its series do not come and go; where they do, nobody sees an error in a series.
        blanks: the cells that hold a mark of a missing figure.
        mark: what the file writes for a missing figure.
    """

    name: str
    grid: Any
    cells: list[Cell]
    sums: Callable[[Source, Cell], Iterable[Cell]] = lambda source, cell: ()
    components: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict)
    wrong: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    group: tuple[str, ...] = ()
    totals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_calm: bool = True
    blanks: list[Cell] = field(default_factory=list)
    mark: str = ""
    index: dict[tuple[Key, str], Cell] = field(init=False)
    series: dict[Key, list[Cell]] = field(init=False)
    _known: dict[str, dict[str, None]] = field(init=False, default_factory=dict)
    _tables: dict[tuple[str, ...], list[Cell]] = field(init=False, default_factory=dict)
    _full: bool | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.index = {(cell.key, cell.period): cell for cell in self.cells}
        self.series = {}
        for cell in self.cells:
            self.series.setdefault(cell.key, []).append(cell)
        for cells in self.series.values():
            cells.sort(key=lambda one: one.period)

    def other(self, cell: Cell, **changed: str) -> Cell | None:
        """The cell whose key has other words."""
        return self.index.get((tuple((id, changed.get(id, text)) for id, text in cell.key), cell.period))

    def cells_near(self, cell: Cell) -> list[Cell]:
        """The cells that differ from one in one word of the key."""
        found = []
        for name, words in self._words().items():
            found += [one for word in words if (one := self.other(cell, **{name: word})) is not None]
        periods = [str(int(cell.period) + step) for step in (0, 1)] if cell.period.isdigit() else []
        for name, words in self._words().items() if len(self.cells) < 1000 else ():
            for word in words:
                key = tuple((id, word if id == name else text) for id, text in cell.key)
                found += [self.index[key, period] for period in periods if (key, period) in self.index]
        return found

    def parts(self, cell: Cell) -> list[Cell]:
        """The cells whose sum it is."""
        return [part for part in self.cells_near(cell) if any(one is cell for one in self.sums(self, part))]

    def _words(self) -> dict[str, list[str]]:
        """The words of each name that has few enough to be parts of a sum."""
        if not self._known:
            for cell in self.cells:
                for name, word in cell.key:
                    self._known.setdefault(name, {}).setdefault(word)
        return {name: list(words) for name, words in self._known.items() if len(words) <= 60}

    def is_full(self) -> bool:
        """Nearly every series has every period, and there are some: one alone tells nothing of what is not there."""
        if self._full is None:
            periods = {cell.period for cell in self.cells}
            self._full = len(self.series) > 2 and len(self.cells) >= 0.97 * len(periods) * len(self.series)
        return self._full

    def table(self, cell: Cell) -> list[Cell]:
        """The cells of its table."""
        if not self._tables:
            for one in self.cells:
                self._tables.setdefault(self.group_of(one), []).append(one)
        return self._tables[self.group_of(cell)]

    def take_in(self, blank: Cell) -> None:
        """Count a cell without a figure among the others."""
        self.cells.append(blank)
        self.index[blank.key, blank.period] = blank
        cells = self.series.setdefault(blank.key, [])
        cells.append(blank)
        cells.sort(key=lambda one: one.period)

    def leave_out(self, blank: Cell) -> None:
        """Undo ``take_in``."""
        self.cells.pop()
        del self.index[blank.key, blank.period]
        self.series[blank.key].remove(blank)

    def wholes(self, cell: Cell, name: str) -> list[Cell]:
        """The totals along a word of its key, whatever they are made of."""
        words = self.totals.get(name, ())
        return [found for word in words if (found := self.other(cell, **{name: word})) is not None]

    def neighbours(self, cell: Cell) -> tuple[Cell | None, Cell | None]:
        """The cells of the periods before and after."""
        cells = self.series[cell.key]
        place = next(n for n, one in enumerate(cells) if one is cell)
        return (cells[place - 1] if place else None), (cells[place + 1] if place + 1 < len(cells) else None)

    def group_of(self, cell: Cell) -> tuple[str, ...]:
        """What tells its table apart."""
        names = cell.names
        return tuple(names[name] for name in self.group)


class Maker(Protocol):
    """Opens a file of the reference folder as a source."""

    def __call__(self, folder: Path) -> Source: ...


@dataclass(frozen=True)
class Lazy:
    """A source that is opened anew for every damaged copy."""

    name: str
    make: Maker
    folder: Path

    @cached_property
    def clean(self) -> Source:
        """The file as it is."""
        return self.make(self.folder)

    def copy(self) -> Source:
        """Another copy of the file, to be damaged."""
        return self.make(self.folder)


def walk(lines: Iterable[Line], columns: Mapping[str, int], period: int, value: int) -> Iterator[Cell]:
    """The cells of a long table."""
    for line in lines:
        key = tuple((id, line[place]) for id, place in columns.items())
        yield Cell(key=key, period=line[period], value=value_of(line[value]), line=line, column=value)
