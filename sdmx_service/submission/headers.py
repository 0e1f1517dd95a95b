"""Headers of sheets: where they stand, what their columns are called, and which columns a layout means.

Header texts are compared without regard to case, runs of white space and invisible characters; a footnote mark at the
end of a sender's header ("Total1", "Total 1)", "Total*") is looked past where only one column is meant then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sdmx_service.catalog.layout import ColumnPlace, HeaderPlace
from sdmx_service.model.message import Sheet
from sdmx_service.submission.signs import INVISIBLE

SEPARATOR = " | "
"""Between the texts of a header of several rows."""

_SEARCHED = 1000
"""Rows in which a header is looked for by its texts."""

_BLOCK = 64
_INVISIBLE = re.compile(f"[{INVISIBLE}]")
_MARKS = re.compile(
    r"(?:\s*[¹²³⁰⁴-⁹*†‡]+|\s*\(\d{1,2}\)|(?:\s+|(?<=\D))\d{1,2}\)|\s*\[\w{1,2}\]|\s*\([a-z]\)"
    r"|(?<=[^\W\d_])\d{1,2}(?:,\d{1,2})*)$"
)


def column_letter(index: int) -> str:
    """The letter of a 0-based column: A, B ... Z, AA ..."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def column_index(letter: str) -> int:
    """The 0-based column of a letter."""
    index = 0
    for sign in letter.upper():
        index = index * 26 + ord(sign) - ord("A") + 1
    return index - 1


def collapse(text: str) -> str:
    """The text without invisible characters, its runs of white space single spaces."""
    return " ".join(_INVISIBLE.sub("", text).split())


def fold(text: str) -> str:
    """The text as headers are compared."""
    return collapse(text).casefold()


def without_marks(label: str) -> str:
    """A folded label, each part of it without the footnote mark at its end."""
    return SEPARATOR.join(_MARKS.sub("", part) for part in label.split(SEPARATOR))


def cell(sheet: Sheet, row: int, column: int) -> str | None:
    """The text of a cell (0-based), None outside the sheet and where it is blank."""
    if not (0 <= column < len(sheet.columns) and 0 <= row < len(sheet.columns[column])):
        return None
    text = sheet.columns[column][row].as_py()
    return None if text is None or not collapse(text) else collapse(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The header of a sheet.

    Attributes:
        row: 0-based, its first row.
        rows: how many.
        labels: the text of each column, collapsed, those of several rows joined; None where there is none.
    """

    row: int
    rows: int
    labels: tuple[str | None, ...]

    @property
    def text(self) -> str:
        """The labels as a message shows them."""
        shown = ", ".join(label for label in self.labels if label)
        return shown if len(shown) <= 300 else shown[:300] + "..."

    def columns(self, place: ColumnPlace) -> list[int]:
        """The 0-based columns that a place means: one if all is well, several if it is not unique."""
        if place.letter is not None:
            return [column_index(place.letter)]
        if place.matches is not None:
            return self.matching(place.matches)
        wanted = fold(place.header or "")
        folded = [None if label is None else fold(label) for label in self.labels]
        exact = [index for index, label in enumerate(folded) if label == wanted]
        return exact or [
            index for index, label in enumerate(folded) if label is not None and without_marks(label) == wanted
        ]

    def matching(self, pattern: re.Pattern[str]) -> list[int]:
        """The columns whose label fits the pattern."""
        return [index for index, label in enumerate(self.labels) if label is not None and pattern.search(label)]

    def taken(self, pattern: re.Pattern[str]) -> dict[int, str]:
        """The columns whose label fits the pattern, as it is or without a footnote mark at its end."""
        found: dict[int, str] = {}
        for index, label in enumerate(self.labels):
            texts = () if label is None else (label, without_marks(label))
            fitting = next((text for text in texts if pattern.search(text)), None)
            if fitting is not None:
                found[index] = fitting
        return found


def read_header(sheet: Sheet, place: HeaderPlace) -> Header | None:
    """The header of a sheet, or None if no row holds all the texts that the layout looks for."""
    row = (place.row or 1) - 1 if not place.find else find_row(sheet, place.find, place.rows)
    if row is None:
        return None
    return Header(row=row, rows=place.rows, labels=_labels(sheet, row, place.rows))


def rows_of(sheet: Sheet, limit: int) -> Iterator[tuple[str | None, ...]]:
    """The first rows of a sheet."""
    height = min(limit, max(map(len, sheet.columns), default=0))
    for start in range(0, height, _BLOCK):
        block = [column.slice(start, min(_BLOCK, height - start)).to_pylist() for column in sheet.columns]
        yield from zip(*block, strict=True)


def find_row(sheet: Sheet, texts: Sequence[str], rows: int = 1, limit: int = _SEARCHED) -> int | None:
    """The first row (0-based) that holds all the texts; with a header of several rows, that row and those below."""
    wanted = {fold(text) for text in texts}
    window: list[set[str]] = []
    for number, row in enumerate(rows_of(sheet, limit)):
        window = [*window, _folded(row)][-rows:]
        if rows == 1 or number + 1 >= rows:
            first = number - rows + 1
            if _holds(window[0], wanted) or (window[0] & wanted and _holds(set().union(*window), wanted)):
                return first
    return None


def _folded(row: Sequence[str | None]) -> set[str]:
    return {fold(text) for text in row if text}


def _holds(there: set[str], wanted: set[str]) -> bool:
    missing = wanted - there
    some = len(missing) < len(wanted) or len(wanted) == 1
    return not missing or (some and missing <= set(map(without_marks, there)))


def words_of(row: Sequence[str | None]) -> set[str]:
    """The texts of a row as they are compared, with and without marks of footnotes."""
    there = _folded(row)
    return there | set(map(without_marks, there))


def lacking(texts: Sequence[str], words: set[str]) -> list[str]:
    """Which of the texts are not among the words of a row."""
    return [text for text in texts if fold(text) not in words]


def nearest_row(sheet: Sheet, texts: Sequence[str]) -> tuple[list[str], str]:
    """Which of the texts the row that holds most of them lacks, and that row as text."""
    best: tuple[list[str], str] = (list(texts), "")
    for row in rows_of(sheet, _SEARCHED):
        missing = lacking(texts, words_of(row))
        if len(missing) < len(best[0]):
            best = (missing, ", ".join(collapse(text) for text in row if text))
    return best


def _labels(sheet: Sheet, row: int, rows: int) -> tuple[str | None, ...]:
    spread = _spread(sheet, row, rows)
    labels = []
    for column in range(len(sheet.columns)):
        parts: list[str] = []
        for line in range(row, row + rows):
            part = cell(sheet, *spread.get((line, column), (line, column)))
            if part is not None and parts[-1:] != [part]:
                parts.append(part)
        labels.append(SEPARATOR.join(parts) or None)
    return tuple(labels)


def _spread(sheet: Sheet, row: int, rows: int) -> dict[tuple[int, int], tuple[int, int]]:
    """For cells of the header inside merged ranges, the cell that holds the text.

    A range that reaches the header's last row names its first column only: nothing under it tells the others apart.
    """
    last = row + rows - 1
    spread: dict[tuple[int, int], tuple[int, int]] = {}
    for top, left, bottom, right in sheet.merged:
        if bottom < row or top > last:
            continue
        columns = range(left, min(right, len(sheet.columns) - 1) + 1) if bottom < last else (left,)
        spread |= {(line, column): (top, left) for line in range(top, bottom + 1) for column in columns}
    return spread
