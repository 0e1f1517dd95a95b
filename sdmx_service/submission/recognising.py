"""Which layouts a file looks like, and which of its sheets a table of a layout reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sdmx_service.catalog.layout import Layout, Signature, TableLayout
from sdmx_service.model.message import Sheet, Tables
from sdmx_service.submission.headers import find_row

HEADER_ROWS: Final = 40
"""Rows in which the headers of a signature are looked for."""
_WORKBOOKS: Final = frozenset({"xlsx", "xls", "ods"})


def recognise(layouts: Iterable[Layout], tables: Tables, format: str, file: str | None) -> list[Layout]:
    """The layouts whose signature the file has, those that name most headers first.

    Everything that a signature gives must fit: one of the formats (workbooks of all kinds are alike), a sheet for each
    pattern, the file's name, and all headers in one row (or, with headers of several rows, in as many) of the first
    rows of a sheet that the layout reads. A layout without signature is never recognised; one whose headers are but
    some of another's that also fits is left out.
    """
    found = [layout for layout in layouts if _is_signed(layout, tables, format, file)]
    headers = [set(layout.signature.headers) for layout in found]
    keep = [one for one in found if not any(set(one.signature.headers) < others for others in headers)]
    return sorted(keep, key=lambda layout: -len(layout.signature.headers))


def _is_signed(layout: Layout, tables: Tables, format: str, file: str | None) -> bool:
    signature = layout.signature
    if signature == Signature():
        return False
    names = [sheet.name for sheet in tables.sheets if sheet.name is not None]
    return (
        (not signature.formats or is_alike(format, signature.formats))
        and (signature.file is None or (file is not None and signature.file.search(file) is not None))
        and all(any(pattern.fullmatch(name) for name in names) for pattern in signature.sheets)
        and (not signature.headers or _has_headers(layout, tables))
    )


def is_alike(format: str, formats: Sequence[str]) -> bool:
    """A workbook is as good as one of another kind: people save them anew."""
    return format in formats or (format in _WORKBOOKS and not _WORKBOOKS.isdisjoint(formats))


def _has_headers(layout: Layout, tables: Tables) -> bool:
    rows = max((table.header.rows for table in layout.tables), default=1)
    headers = layout.signature.headers
    return any(find_row(sheet, headers, rows, HEADER_ROWS) is not None for sheet in _read_sheets(layout, tables))


def _read_sheets(layout: Layout, tables: Tables) -> list[Sheet]:
    if not layout.tables:
        return list(tables.sheets)
    numbers = {number for table in layout.tables for number, _ in sheets_of(layout, table, tables)}
    return [tables.sheets[number] for number in sorted(numbers)]


def sheets_of(layout: Layout, table: TableLayout, tables: Tables) -> list[tuple[int, Sheet]]:
    """The sheets that a table of a layout reads, with their numbers.

    Without a pattern it is one: the first with the header; else the first with anything in it, else the first.
    """
    numbered = list(enumerate(tables.sheets))
    if table.sheet is not None:
        return [(number, one) for number, one in numbered if one.name is not None and table.sheet.fullmatch(one.name)]
    if len(numbered) <= 1:
        return numbered
    filled = [(number, one) for number, one in numbered if is_filled(one)] or numbered
    return [next(((number, one) for number, one in filled if has_header(layout, table, one)), filled[0])]


def is_filled(sheet: Sheet) -> bool:
    """Whether a sheet has anything in it."""
    return any(column.null_count < len(column) for column in sheet.columns)


def has_header(layout: Layout, table: TableLayout, sheet: Sheet) -> bool:
    """Whether a sheet has the header that a table looks for, or that the layout is recognised by."""
    texts = table.header.find or layout.signature.headers
    return bool(texts) and find_row(sheet, texts, table.header.rows, HEADER_ROWS) is not None


def has_rows(layout: Layout, table: TableLayout, sheet: Sheet) -> bool:
    """Whether a sheet has that header, and something below it."""
    texts = table.header.find or layout.signature.headers
    row = find_row(sheet, texts, table.header.rows, HEADER_ROWS) if texts else None
    if row is None:
        return False
    below = row + table.header.rows
    return any(column.slice(below).null_count < len(column.slice(below)) for column in sheet.columns)
