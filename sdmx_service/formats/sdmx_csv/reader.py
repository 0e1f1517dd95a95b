"""SDMX-CSV 1.0, 2.0 and 2.1 data messages to ``Message``, one pass, one block in memory at a time.

What a reader may rely on (field guides of sdmx-twg/sdmx-csv, and choices of ours):

* Components stand in any order; columns that are no component are read over and named in ``Message.errors`` (severity
  ``information``) once the data sets are read to the end. An absent column and an empty cell both mean *omitted*;
  ``NA``, leading zeros and the like are text as sent.
* ``_row`` is the number of the record in the sender's file, as a spreadsheet counts: the heading is 1, or 2 below a
  line ``sep=;``.
* A data set is a run of rows with the same structure and action, see ``formats.runs``.
* *Choice:* ``code: name`` is cut for coded components, dimensions, time and numbers, not for free texts. A ``;``-file
  may have decimal commas. A structure without version means its latest one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any, Final, TypeAlias

import pyarrow as pa

from sdmx_service.errors import UnreadableFile
from sdmx_service.formats.delimited import explain_encoding
from sdmx_service.formats.encodings import Known
from sdmx_service.formats.runs import Run, datasets, needed, reference_of, runs
from sdmx_service.formats.sdmx_csv import cells
from sdmx_service.formats.sdmx_csv.heading import (
    ACTION,
    DATAFLOW,
    STRUCTURE,
    STRUCTURE_ID,
    STRUCTURE_NAME,
    Heading,
    HeadingLine,
    bare_heading_line,
    first_field,
    parse_heading_line,
)
from sdmx_service.formats.sdmx_csv.records import Records
from sdmx_service.formats.sdmx_csv.text import as_utf8, without_separator_line
from sdmx_service.formats.sniffing import Head
from sdmx_service.model.artefact import Texts
from sdmx_service.model.columns import COLUMN, ROW, SHEET, Column, columns, read_schema
from sdmx_service.model.message import UNSAID, Dataset, Message, Resolve, Target, TextEncoding
from sdmx_service.model.urn import Ref

if TYPE_CHECKING:
    _Step: TypeAlias = Callable[[pa.Array[Any]], pa.Array[Any]]

IGNORED_COLUMNS: Final = "IGNORED_COLUMNS"
"""Code of the note in ``Message.errors`` that names columns read over."""
_HEADING_SIZE: Final = 1024**2
LEGACY_VALUE = re.compile(r'"?[\w.-]+:[\w@$-]+\([^)]*\)')


def sniff_sdmx_csv(head: Head) -> int:
    """How sure it is that this is an SDMX-CSV data or metadata message, 0 to 100."""
    if not head.is_text:
        return 0
    text = without_separator_line(head.text)
    first = first_field(text)
    if first is None:
        return 0
    if first["word"] != DATAFLOW:
        return 100 if re.match(r"[^\r\n]*STRUCTURE_ID", text) else 40
    below = text.split("\n", 1)[1:]
    return 100 if below and LEGACY_VALUE.match(below[0]) else 40


def read_sdmx_csv(
    file: IO[bytes], resolve: Resolve, *, encoding: str | None = None, known: Known | None = None
) -> Message:
    """The message in a file; its heading is read at once, the rest while the data sets are iterated.

    Args:
        encoding: what the sender declares; None: UTF-8, or what is found out (``Message.encoding``).
        known: tells words that the caller has met.

    Raises:
        UnreadableFile: here or while iterating: not in its encoding, not CSV, no heading of SDMX-CSV, a row with
            another count of cells, an unknown structure type or action; with row, column and value.
        NotBuilt: a metadata message.
        UnresolvedReference: while iterating, a structure that is not there.
    """
    text, found = as_utf8(file, encoding, known)
    beginning, row = _beginning(text)
    return _message(text, parse_heading_line(beginning, row), resolve, found)


def read_bare_csv(
    file: IO[bytes],
    resolve: Resolve,
    names: Mapping[str, Texts],
    *,
    encoding: str | None = None,
    known: Known | None = None,
) -> Message | None:
    """The message in a file whose columns are components alone (*extension*), of what ``UNSAID`` means to ``resolve``.

    None if its columns are others, or lack a dimension. Errors are those of ``read_sdmx_csv``.

    Args:
        names: of the components, by id.
        encoding, known: as for ``read_sdmx_csv``.
    """
    text, found = as_utf8(file, encoding, known)
    beginning, row = _beginning(text)
    line = bare_heading_line(beginning, resolve(UNSAID).structure, names, row)
    return None if line is None else _message(text, line, resolve, found)


def _message(file: IO[bytes], line: HeadingLine, resolve: Resolve, encoding: TextEncoding) -> Message:
    names = [heading.text for heading in line.headings]
    message = message_of(Records(file, names, line.delimiter, line.row), line, resolve)
    message.encoding = encoding
    return message


def message_of(tables: Iterable[pa.Table], line: HeadingLine, resolve: Resolve, sheet: str | None = None) -> Message:
    """The message that records make, read while its data sets are iterated.

    Args:
        tables: the records below the heading as ``Records`` gives them.
        sheet: of a workbook, where they stand in one.
    """
    message = Message()
    message.datasets = _datasets(tables, line, resolve, message, sheet)
    return message


def _beginning(file: IO[bytes]) -> tuple[str, int]:
    """The beginning of the text from the heading on, and the number of that record."""
    file.seek(0)
    start = file.read(_HEADING_SIZE)
    if not start.strip():
        raise UnreadableFile("The file is empty.")
    heading = start[: start.find(b"\n") + 1] or start
    try:
        heading.decode("utf-8")
    except UnicodeDecodeError:
        raise explain_encoding(file) from None
    text = start.decode("utf-8", "replace").removeprefix("\ufeff")
    below = without_separator_line(text)
    return below, 1 if len(below) == len(text) else 2


def _datasets(
    tables: Iterable[pa.Table], line: HeadingLine, resolve: Resolve, message: Message, sheet: str | None
) -> Iterator[Dataset]:
    used: set[int] = set(line.fields.values())
    columns_of: dict[Ref, Mapping[str, int]] = {}
    pieces = (piece for table in tables for piece in _runs(table, line))

    def opened(run: Run) -> _Reading:
        ref = UNSAID if line.is_bare else _reference(run, line)
        target = resolve(ref)
        reading = _Reading(line, (target.dataflow or target.structure.ref) if line.is_bare else ref, target, sheet)
        used.update(reading.places)
        columns_of[reading.ref] = reading.columns
        return reading

    for dataset in datasets(pieces, opened):
        if sheet is not None:
            dataset.places = columns_of[dataset.ref]
        yield dataset
    message.errors = (*message.errors, *_notes(line, used))


def _notes(line: HeadingLine, used: set[int]) -> Iterator[tuple[str, str, Texts]]:
    if line.is_bare:  # its other columns are names
        return
    ignored = [heading.text for place, heading in enumerate(line.headings) if place not in used and heading.text]
    if ignored:
        text = f"Columns that are no component of the structure were read over: {', '.join(ignored)}."
        yield IGNORED_COLUMNS, "information", Texts({"en": text})


# ------------------------------------------------------------------------------------------------------------- runs


def _runs(table: pa.Table, line: HeadingLine) -> Iterator[tuple[Run, pa.Table]]:
    if table.num_rows == 0:
        return
    table = table.combine_chunks()
    yield from runs(table, *_run_columns(table, line))


def _run_columns(table: pa.Table, line: HeadingLine) -> tuple[pa.Array[Any], pa.Array[Any], pa.Array[Any]]:
    fields = line.fields
    empty = pa.nulls(table.num_rows, pa.string()).fill_null("")

    def column(name: str, *, is_needed: bool) -> pa.Array[Any]:
        if name not in fields:
            return empty
        found = table.column(fields[name]).combine_chunks()
        return needed(found, name, table.column(ROW)) if is_needed else found.fill_null("")

    if line.is_legacy:
        return empty, column(DATAFLOW, is_needed=True), empty
    if line.is_bare:
        return empty, empty, column(ACTION, is_needed=False)
    kinds, ids = column(STRUCTURE, is_needed=True), column(STRUCTURE_ID, is_needed=True)
    return kinds, ids, column(ACTION, is_needed=False)


def _reference(run: Run, line: HeadingLine) -> Ref:
    return reference_of(run, kind="Dataflow", column=DATAFLOW) if line.is_legacy else reference_of(run)


# ----------------------------------------------------------------------------------------------------------- batches


class _Reading:
    """How the columns of a message become the columns of one structure."""

    def __init__(self, line: HeadingLine, ref: Ref, target: Target, sheet: str | None = None) -> None:
        self.ref = ref
        self._sheet = sheet
        self.target = target
        self._line = line
        self._schema = read_schema(target.structure)
        self._columns = columns(target.structure)
        self._places = line.places(frozenset(column.id for column in self._columns))
        if line.is_legacy:
            self._places |= self._measure(line)
            self._require_dimensions()
        self._makers = [self._maker(column) for column in self._columns]

    @property
    def places(self) -> set[int]:
        """Places of the columns that are components, or names of components."""
        found = set(self._places.values())
        return found | {place + 1 for place in found} if STRUCTURE_NAME in self._line.fields else found

    @property
    def columns(self) -> Mapping[str, int]:
        """Place of each component that has a column."""
        return self._places

    def _measure(self, line: HeadingLine) -> dict[str, int]:
        """The place of the measure of 1.0, whose column is ``OBS_VALUE`` whatever the structure calls it."""
        first = next((one.id for one in self.target.structure.measures), None)
        if first is None or first in self._places or "OBS_VALUE" in {column.id for column in self._columns}:
            return {}
        place = line.places(frozenset({"OBS_VALUE"})).get("OBS_VALUE")
        return {} if place is None else {first: place}

    def _require_dimensions(self) -> None:
        missing = [id for id in self.target.structure.key_ids if id not in self._places]
        if missing:
            raise UnreadableFile(
                f"Row {self._line.row} has no column for {', '.join(missing)} of {self.ref}.",
                hint="SDMX-CSV 1.0 has a column for each dimension, named by its id in upper and lower case as in the "
                "structure.",
            )

    def batch(self, table: pa.Table) -> pa.RecordBatch:
        """The rows in the schema as read."""
        count = table.num_rows
        arrays = [maker(table) for maker in self._makers]
        origin = {ROW: table.column(ROW).combine_chunks(), COLUMN: pa.nulls(count, pa.string())}
        origin[SHEET] = origin[COLUMN] if self._sheet is None else pa.repeat(pa.scalar(self._sheet), count)
        return pa.RecordBatch.from_arrays([*arrays, *origin.values()], schema=self._schema)

    def _maker(self, column: Column) -> Callable[[pa.Table], pa.Array[Any]]:
        place = self._places.get(column.id)
        kind = self._schema.field(column.id).type
        if place is None:
            return lambda table: pa.nulls(table.num_rows, kind)
        heading, separator = self._line.headings[place], self._line.separator
        if (heading.is_multi or heading.languages) and separator is None:
            raise UnreadableFile(
                f"Row {self._line.row}, column {heading.text!r}: the message declares no separator for several values "
                "in a cell.",
                hint=f"Write {STRUCTURE}[;] in the first column of the heading when ; separates them.",
            )
        steps = _steps(column, heading, separator, has_commas=self._line.delimiter == ";")

        def make(table: pa.Table) -> pa.Array[Any]:
            values = table.column(place).combine_chunks()
            for step in steps:
                values = step(values)
            return values

        return make


def _steps(column: Column, heading: Heading, separator: str | None, *, has_commas: bool) -> list[_Step]:
    """What makes the component's values of the cells, in order."""
    has_commas = has_commas and column.component.is_numeric
    is_free = not column.component.form.is_coded and not column.component.is_numeric
    has_labels = heading.is_both and not (is_free and column.role in ("attribute", "measure"))
    if column.kind == "multi":
        mark = separator if heading.is_multi else None
        return [lambda values: cells.lists(values, mark, has_decimal_commas=has_commas, has_labels=has_labels)]
    if column.kind == "multilingual":
        mark = separator if heading.languages else None
        return [lambda values: cells.maps(values, mark, heading.languages)]
    steps: list[_Step] = []
    if heading.languages and separator is not None:
        steps.append(lambda values: cells.single_texts(values, separator, heading.languages))
    elif heading.is_multi and separator is not None:
        steps.append(lambda values: cells.single_values(values, separator))
    if has_labels:
        steps.append(cells.cut_labels)
    if has_commas:
        steps.append(cells.with_decimal_points)
    return steps
