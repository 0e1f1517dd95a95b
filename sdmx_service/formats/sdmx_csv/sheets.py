"""SDMX-CSV in a sheet of a workbook (*extension*): what people paste there, and what this service writes as XLSX.

The first sheet counts whose heading is one of SDMX-CSV, or, where the sender says the dataflow, one of its components
alone; it stands in the first row of the sheet with anything in it, or below a title. Cells are the texts that a person
sees.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from sdmx_service.errors import UnreadableFile
from sdmx_service.formats.sdmx_csv.heading import HeadingLine, bare_heading, first_field, heading_of_cells
from sdmx_service.formats.sdmx_csv.reader import LEGACY_VALUE, message_of
from sdmx_service.formats.sdmx_csv.text import without_separator_line
from sdmx_service.model.artefact import Texts
from sdmx_service.model.columns import ROW
from sdmx_service.model.message import UNSAID, Message, Resolve, Sheet, Tables
from sdmx_service.model.structure import DataStructure

HEADING_ROWS: Final = 40
"""Rows in which a heading is looked for."""
_PIECE: Final = 65_536


class SheetMessage(NamedTuple):
    """A message in a workbook.

    Attributes:
        message: its data sets say in which columns their components stand.
        sheet: where it stands.
        first: the 0-based row of its first record.
    """

    message: Message
    sheet: Sheet
    first: int


def message_in(tables: Tables, resolve: Resolve, names: Mapping[str, Texts] | None = None) -> SheetMessage | None:
    """The message in a workbook; None if it holds none.

    Args:
        names: of the components, by id, of what ``UNSAID`` means to ``resolve``: a heading of components alone is
            looked for. None: one of SDMX-CSV.

    Raises:
        UnreadableFile: the rows stand in one column, uncut; cells are merged; or while iterating, what is wrong with
            SDMX-CSV (``reader.read_sdmx_csv``).
    """
    structure = None if names is None else resolve(UNSAID).structure
    for sheet in tables.sheets:
        line = _heading(sheet, structure, names or {})
        if line is not None:
            _refuse_merged(sheet, line.row)
            message = message_of(_records(sheet, line.row), line, resolve, sheet.name)
            return SheetMessage(message, sheet, line.row)
    return None


def _heading(sheet: Sheet, structure: DataStructure | None, names: Mapping[str, Texts]) -> HeadingLine | None:
    tops = [column.slice(0, HEADING_ROWS + 1).to_pylist() for column in sheet.columns]
    rows = [[(text or "").strip() for text in row] for row in zip(*tops, strict=True)]
    for number, texts in enumerate(rows[:HEADING_ROWS], 1):
        if structure is not None:
            line = bare_heading(texts, structure, names, number)
        else:
            _refuse_uncut(sheet, texts, number)
            line = heading_of_cells(texts, number)
            below = rows[number] if number < len(rows) else []
            if line is not None and line.is_legacy and not LEGACY_VALUE.match(next(filter(None, below), "")):
                line = None
        if line is not None:
            return line
    return None


def _refuse_uncut(sheet: Sheet, texts: list[str], row: int) -> None:
    filled = [text for text in texts if text]
    said = without_separator_line(filled[0]) if filled else ""
    first = first_field(said)
    if first is not None and first["delimiter"] and "STRUCTURE_ID" in said:
        raise UnreadableFile(
            f"Sheet {sheet.name!r}, row {row}: the columns of SDMX-CSV stand in one cell, uncut.",
            hint="Send the CSV file itself, or cut the column into columns (Data, Text to Columns).",
        )


def _refuse_merged(sheet: Sheet, heading: int) -> None:
    """A merged cell would be a value in its first row or column, and nothing in the others."""
    for top, left, bottom, right in sheet.merged:
        if bottom >= heading - 1 and left < len(sheet.columns):
            rows = f"rows {top + 1} to {bottom + 1}" if bottom > top else f"row {top + 1}"
            columns = f"columns {left + 1} to {right + 1}" if right > left else f"column {left + 1}"
            raise UnreadableFile(
                f"Sheet {sheet.name!r}: cells are merged in {rows}, {columns}.",
                hint="Take the merging away, and write in each row what it says.",
            )


def _records(sheet: Sheet, heading: int) -> Iterator[pa.Table]:
    """The rows below the heading that are not blank, with their numbers."""
    names = [str(place) for place in range(len(sheet.columns))]
    for start in range(heading, len(sheet.columns[0]), _PIECE):
        cells = [column.slice(start, _PIECE) for column in sheet.columns]
        used = np.logical_or.reduce([np.asarray(cell.is_valid()) for cell in cells])
        numbers = pa.array(np.arange(start + 1, start + 1 + len(cells[0]), dtype=np.int64))
        table = pa.table([*cells, numbers], names=[*names, ROW])
        yield table if used.all() else table.filter(pa.array(used))
