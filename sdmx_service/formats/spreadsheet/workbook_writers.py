"""The door to what ``openpyxl`` writes: it is loaded for the first workbook, since most processes write none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sdmx_service.model.cell_mark import CellMark
from sdmx_service.model.form import Form
from sdmx_service.model.message import SeekableFile
from sdmx_service.model.text_sheet import TextSheet


def write_form(form: Form) -> Iterator[bytes]:
    """A form, as ``writer`` writes it."""
    from sdmx_service.formats.spreadsheet import writer

    return writer.write_form(form)


def write_text_sheets(sheets: Sequence[TextSheet]) -> Iterator[bytes]:
    """Sheets of plain text, as ``text_writer`` writes them."""
    from sdmx_service.formats.spreadsheet import text_writer

    return text_writer.write_text_sheets(sheets)


def write_findings(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """The list of findings alone, as ``marking`` writes it."""
    from sdmx_service.formats.spreadsheet import marking

    return marking.write_findings(header, rows)


def write_marked(
    file: SeekableFile, format: str, marks: Iterable[CellMark], header: Sequence[str], rows: Iterable[Sequence[object]]
) -> Iterator[bytes] | None:
    """The sender's file with its cells marked, as ``marking`` writes it; None for a file that cannot be a workbook."""
    from sdmx_service.formats.spreadsheet import marking

    return marking.write_marked(file, format, marks, header, rows)
