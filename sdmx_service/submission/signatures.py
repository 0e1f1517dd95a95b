"""Which layouts a file looks like: sheets, headers and names, as the signatures of layouts say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sdmx_service.catalog.layout import Layout, Signature
from sdmx_service.model.message import Sheet, Tables
from sdmx_service.submission.headers import find_row

_HEADER_ROWS = 40
"""Rows in which the headers of a signature are looked for."""

_WORKBOOKS = frozenset({"xlsx", "xls", "ods"})


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
        (not signature.formats or _is_alike(format, signature.formats))
        and (signature.file is None or (file is not None and signature.file.search(file) is not None))
        and all(any(pattern.fullmatch(name) for name in names) for pattern in signature.sheets)
        and (not signature.headers or _has_headers(layout, tables))
    )


def _is_alike(format: str, formats: Sequence[str]) -> bool:
    """A workbook is as good as one of another kind: people save them anew."""
    return format in formats or (format in _WORKBOOKS and not _WORKBOOKS.isdisjoint(formats))


def _has_headers(layout: Layout, tables: Tables) -> bool:
    rows = max((table.header.rows for table in layout.tables), default=1)
    headers = layout.signature.headers
    return any(find_row(sheet, headers, rows, _HEADER_ROWS) is not None for sheet in _read_sheets(layout, tables))


def _read_sheets(layout: Layout, tables: Tables) -> list[Sheet]:
    if not layout.tables:
        return list(tables.sheets)
    return [
        sheet
        for number, sheet in enumerate(tables.sheets)
        if any(table.reads(number, sheet.name) for table in layout.tables)
    ]
