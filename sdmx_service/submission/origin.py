"""Where rows and values stand in the sender's own file, as places of findings."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.model.columns import COLUMN, ROW, SHEET
from sdmx_service.model.finding import KEY_PREFIX
from sdmx_service.model.structure import DataStructure


class Places:
    """Makes places of findings from rows as read.

    Args:
        structure: its dimensions are the key.
        letters: component id -> letter of the sender's column; a component without one was read from where the row's
            value stands. None: the rows are a message, where a column is called as its component, if the reader
            does not say more.
    """

    def __init__(self, structure: DataStructure, letters: Mapping[str, str] | None) -> None:
        self._structure = structure
        self._letters = letters
        measures = structure.measures
        self._value = measures[0].id if letters is None and measures else None

    def column(self, component: str) -> str | None:
        """What the sender calls the column of a component; None where only the rows know."""
        return component if self._letters is None else self._letters.get(component)

    def of_rows(self, rows: pa.RecordBatch) -> pa.Array:
        """The columns in which the rows' values stand: what the reader says, else in messages the first measure."""
        said = origin(rows, COLUMN)
        return said if self._value is None else pc.fill_null(said, self._value)

    def of(self, rows: pa.RecordBatch, component: str) -> pa.Table:
        """The places of a component in these rows: row, sheet, column and key."""
        found = {
            "row": origin(rows, ROW),
            "column": self.columns(component, origin(rows, COLUMN)),
            "sheet": origin(rows, SHEET),
        }
        for id in self._structure.key_ids:
            if id in rows.schema.names:
                found[KEY_PREFIX + id] = rows.column(id).cast(pa.string())
        return pa.table(found)

    def columns(self, component: str, said: pa.Array) -> pa.Array:
        """The columns of a component, where ``said`` are those of the rows' values."""
        name = self.column(component)
        if name is None:
            return said
        return pc.fill_null(said, name) if self._letters is None else pa.repeat(pa.scalar(name, pa.string()), len(said))


def origin(rows: pa.RecordBatch, name: str) -> pa.Array:
    """An origin column of rows as read; nulls where there is none."""
    kind = pa.int64() if name == ROW else pa.string()
    return rows.column(name).cast(kind) if name in rows.schema.names else pa.nulls(len(rows), kind)
