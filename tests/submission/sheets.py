"""Sheets and layouts for tests, made from rows of texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from sdmx_service.catalog.layout import Layout, read_layout
from sdmx_service.formats.registry import named
from sdmx_service.model.finding import Finding
from sdmx_service.model.message import Sheet, Tables
from sdmx_service.submission.report import Report
from sdmx_service.submission.tables import extract

Rows = Sequence[Sequence[str | None]]
MAP = "TEST:SM_TEST(1.0.0)"


def sheet(rows: Rows, name: str | None = None, merged: Sequence[tuple[int, int, int, int]] = ()) -> Sheet:
    """A sheet of these rows; short rows are filled with blank cells."""
    width = max(map(len, rows), default=0)
    whole = [[*row, *[None] * (width - len(row))] for row in rows]
    columns = tuple(pa.array([row[index] for row in whole], pa.string()) for index in range(width))
    return Sheet(name=name, columns=columns, merged=tuple(merged))


def file(*sheets: Sheet) -> Tables:
    """A file of these sheets."""
    return Tables(sheets=sheets)


def layout(*tables: dict[str, Any], **fields: Any) -> Layout:
    """A layout of these tables."""
    whole = [{"map": MAP, **table} for table in tables]
    return read_layout({"id": "TEST", "version": "1.0.0", "names": {"en": "Test"}, "tables": whole, **fields}, "test")


def read(tables: Tables, *layouts: dict[str, Any]) -> tuple[list[dict[str, Any]], list[Finding]]:
    """The rows that a layout of these tables reads from a file, and what it found."""
    report = Report()
    rows = [row for _, table in extract(layout(*layouts), tables, report) for row in table.to_pylist()]
    return rows, list(report.findings())


def open_file(path: Path) -> Tables:
    """A real file."""
    reader = named(path.suffix[1:]).read
    assert reader is not None
    with path.open("rb") as opened:
        found = reader(opened, _no_structures)
    assert isinstance(found, Tables)
    return found


def _no_structures(ref: object) -> Any:
    raise AssertionError(f"a plain table asked for {ref}")
