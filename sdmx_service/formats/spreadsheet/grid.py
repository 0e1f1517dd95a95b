"""Worksheets as text columns: what the fast engine reads of any kind of workbook, and what it does not tell.

The engine tells the values of cells. What is hidden, merged or an error is looked up in the file by the module of each
kind of workbook and handed over as a ``Shape``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any, Final

import pyarrow as pa
from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from sdmx_service.errors import TooLarge
from sdmx_service.model.message import Sheet

MAX_CELLS: Final = 30_000_000
"""Cells of one sheet, empty ones between the first and the last included."""
MAX_ROWS: Final = 1_048_576
"""Rows of a sheet: what spreadsheet programs have."""
_BATCH: Final = 4096
_SUPERSCRIPTS: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What stands about a sheet beside its values; rows and columns are 0-based.

    Attributes:
        merged: first row, first column, last row, last column.
        errors: the texts of cells that hold an error, or a formula without result, by row and column.
    """

    merged: tuple[tuple[int, int, int, int], ...] = ()
    hidden_rows: tuple[int, ...] = ()
    hidden_columns: tuple[int, ...] = ()
    errors: Mapping[tuple[int, int], str] = field(default_factory=dict)


def sheets_of(book: CalamineWorkbook, shape_of: Callable[[int, str], Shape]) -> tuple[Sheet, ...]:
    """The worksheets of a workbook in order; chart sheets are left out.

    Args:
        shape_of: tells the shape of a sheet by its number among all sheets and its name.
    """
    found = []
    for number, meta in enumerate(book.sheets_metadata):
        if meta.typ == SheetTypeEnum.WorkSheet:
            shape = shape_of(number, meta.name)
            source = book.get_sheet_by_name(meta.name)
            is_hidden = meta.visible != SheetVisibleEnum.Visible
            found.append(_sheet(source, shape, is_hidden=is_hidden))
    return tuple(found)


def check_size(name: str, width: int, height: int) -> None:
    """Refuse a sheet that reaches too far.

    Raises:
        TooLarge: more rows than a sheet has, or more cells than ``MAX_CELLS``.
    """
    hint = "Delete what stands far outside the table, or send the sheet as CSV."
    if height > MAX_ROWS:
        raise TooLarge(f"The sheet {name!r} has {height} rows; {MAX_ROWS} are the limit of a sheet.", hint=hint)
    if width * height > MAX_CELLS:
        raise TooLarge(
            f"The sheet {name!r} reaches to column {width} and row {height}: {width * height} cells, "
            f"and {MAX_CELLS} are the limit.",
            hint=hint,
        )


def raised(text: str) -> str:
    """A text in superscript as signs that stay superscript: a footnote digit must not become one of the figure's."""
    return text.translate(_SUPERSCRIPTS)


def _sheet(source: CalamineSheet, shape: Shape, *, is_hidden: bool) -> Sheet:
    columns, numbers = _columns(source)
    merged = shape.merged or tuple((*first, *last) for first, last in source.merged_cell_ranges or ())
    _put_errors(columns, shape.errors)
    return Sheet(
        name=source.name,
        columns=tuple(columns),
        merged=merged,
        hidden_rows=shape.hidden_rows,
        hidden_columns=shape.hidden_columns,
        is_hidden=is_hidden,
        numbers=tuple(numbers),
    )


def _columns(source: CalamineSheet) -> tuple[list[pa.StringArray], list[pa.BooleanArray]]:
    """The texts of each column, and which cells are numbers; a batch of rows at a time is in memory as objects."""
    before = source.start[1] if source.start else 0
    texts: list[list[pa.StringArray]] = []
    numbers: list[list[pa.BooleanArray]] = []
    height = 0
    every = source.iter_rows()
    while rows := list(islice(every, _BATCH)):
        height += len(rows)
        cells = list(zip(*rows, strict=True))
        texts.append([pa.array(list(map(_text, column)), pa.string()) for column in cells])
        numbers.append([pa.array([type(cell) in (float, int) for cell in column], pa.bool_()) for column in cells])
    empty = pa.nulls(height, pa.string())
    no_numbers = pa.repeat(pa.scalar(False), height)
    return (
        [*(empty for _ in range(before)), *(pa.concat_arrays(parts) for parts in zip(*texts, strict=True))],
        [*(no_numbers for _ in range(before)), *(pa.concat_arrays(parts) for parts in zip(*numbers, strict=True))],
    )


def _put_errors(columns: list[pa.StringArray], errors: Mapping[tuple[int, int], str]) -> None:
    for number in {column for _, column in errors if column < len(columns)}:
        texts = columns[number].to_pylist()
        for (row, column), text in errors.items():
            if column == number and row < len(texts):
                texts[row] = text
        columns[number] = pa.array(texts, pa.string())


def _text(cell: Any) -> str | None:
    if isinstance(cell, str):
        return cell or None
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else format(cell, ".15g")
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        seconds = round(cell.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return None if cell is None else str(cell)
