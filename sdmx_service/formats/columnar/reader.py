"""Parquet to ``Message`` or ``Tables`` (*extension*, ``docs/formats.md``).

A table with ``STRUCTURE_ID`` (what the writer of this package writes) names its structures as SDMX-CSV does. Another
one is data of the dataflow that the sender says, if it has a column for each dimension. Any other is a table for a
mapping: one sheet, its header the names of the columns.

*Choices:* a component that is not there, null and a floating NaN mean *omitted*; columns that are no component are read
over and named. A number has the digits of ``ID.decimals`` and ``ID.text`` where these stand beside it, else the fewest
that return it. ``_row`` counts the rows of the table from 1.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO, Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sdmx_service.errors import TooLarge, UnreadableFile, UnresolvedReference, UnsafeFile
from sdmx_service.formats.runs import ACTION, STRUCTURE, STRUCTURE_ID, Run, datasets, needed, reference_of, runs
from sdmx_service.formats.sniffing import Head
from sdmx_service.model.artefact import Texts
from sdmx_service.model.columns import COLUMN, ROW, SHEET, Column, columns, read_schema, render_numbers
from sdmx_service.model.message import (
    UNSAID,
    Dataset,
    Message,
    Resolve,
    Sheet,
    SheetOrigin,
    Tables,
    Target,
)
from sdmx_service.model.urn import Ref

_Array: TypeAlias = "pa.Array[Any]"
IGNORED_COLUMNS: Final = "IGNORED_COLUMNS"
"""Code of the note in ``Message.errors`` that names columns read over."""
MAGIC: Final = b"PAR1"
MAX_CELLS: Final = 60_000_000
"""Cells of a table that a mapping reads, which is held as a whole."""
MAX_ROWS_PER_BYTE: Final = 100
MAX_GROUP: Final = 2 * 1024**3
"""Bytes of a row group, unpacked."""
_BATCH: Final = 65_536
_FEW: Final = 1_000_000
_WHOLE_BELOW: Final = 1e15
_SEND: Final = "Write it again with pyarrow, DuckDB or pandas, or send it as SDMX-CSV."


def sniff_parquet(head: Head) -> int:
    """How sure it is that this is a Parquet file, 0 to 100."""
    return 100 if head.start.startswith(MAGIC) else 0


def read_parquet(file: IO[bytes], resolve: Resolve) -> Message | Tables:
    """The data sets of a file, or the table that it is.

    Raises:
        UnreadableFile: damaged, truncated, encrypted, of columns that are no texts, numbers, dates or lists of texts;
            or, while iterating, a structure or action that cannot be.
        UnsafeFile: far more rows or bytes than the file has room for.
        TooLarge: a table for a mapping with more than ``MAX_CELLS``.
        UnresolvedReference: while iterating, a structure that is not there.
    """
    source = _opened(file)
    names = source.schema_arrow.names
    if STRUCTURE_ID in names:
        message = Message()
        message.datasets = _datasets(source, resolve, message)
        return message
    try:
        target = resolve(UNSAID)
    except UnresolvedReference:
        return _table(source)
    if not set(target.structure.key_ids) <= set(names):
        return _table(source)
    reading = _Reading(names, target.dataflow or target.structure.ref, target)
    batches = (reading.batch(table) for table in _pieces(source))
    dataset = Dataset(
        structure=target.structure, ref=reading.ref, batches=batches, dataflow=target.dataflow, provider=target.provider
    )
    return Message(datasets=[dataset], errors=_notes(names, reading.used))


def _opened(file: IO[bytes]) -> pq.ParquetFile:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    try:
        source = pq.ParquetFile(file)
    except (pa.ArrowException, OSError, ValueError) as fault:
        raise _damaged(fault) from None
    about = source.metadata
    groups = [about.row_group(number).total_byte_size for number in range(about.num_row_groups)]
    if max(groups, default=0) > MAX_GROUP or about.num_rows > max(_FEW, size * MAX_ROWS_PER_BYTE):
        raise UnsafeFile(
            f"The Parquet file has {size} bytes and says that it holds {about.num_rows} rows, {sum(groups)} bytes "
            "unpacked; that is how decompression bombs look.",
            hint="Write it in row groups of at most a million rows.",
        )
    if len(set(source.schema_arrow.names)) < len(source.schema_arrow.names):
        raise UnreadableFile("Two columns of the Parquet file have the same name.", hint=_SEND)
    return source


def _damaged(fault: Exception) -> UnreadableFile:
    return UnreadableFile(f"The Parquet file is truncated or damaged ({str(fault).splitlines()[0]}).", hint=_SEND)


def _pieces(source: pq.ParquetFile) -> Iterator[pa.Table]:
    """The rows in pieces, with ``_row``."""
    row = 1
    try:
        for batch in source.iter_batches(batch_size=_BATCH, use_threads=False):
            table = pa.Table.from_batches([batch])
            numbers = pa.array(np.arange(row, row + batch.num_rows, dtype=np.int64))
            row += batch.num_rows
            if batch.num_rows:
                yield table.append_column(ROW, numbers)
    except (pa.ArrowException, OSError, ValueError) as fault:
        raise _damaged(fault) from None


# ---------------------------------------------------------------------------------------------------------- messages


def _datasets(source: pq.ParquetFile, resolve: Resolve, message: Message) -> Iterator[Dataset]:
    names = source.schema_arrow.names
    used = {STRUCTURE, STRUCTURE_ID, ACTION}
    pieces = (piece for table in _pieces(source) for piece in _runs(table))

    def opened(run: Run) -> _Reading:
        ref = reference_of(run)
        reading = _Reading(names, ref, resolve(ref))
        used.update(reading.used)
        return reading

    yield from datasets(pieces, opened)
    message.errors = (*message.errors, *_notes(names, used))


def _runs(table: pa.Table) -> Iterator[tuple[Run, pa.Table]]:
    def column(name: str, otherwise: str | None) -> _Array:
        if name in table.column_names:
            found = _text(table[name].combine_chunks(), name)
            return found if otherwise is None else found.fill_null(otherwise)
        return pa.repeat(pa.scalar(otherwise, pa.string()), table.num_rows)

    ids = needed(column(STRUCTURE_ID, None), STRUCTURE_ID, table[ROW])
    yield from runs(table, column(STRUCTURE, "dataflow"), ids, column(ACTION, ""))


def _notes(names: list[str], used: set[str]) -> tuple[tuple[str, str, Texts], ...]:
    ignored = [name for name in names if name not in used]
    if not ignored:
        return ()
    text = f"Columns that are no component of the structure were read over: {', '.join(ignored)}."
    return ((IGNORED_COLUMNS, "information", Texts({"en": text})),)


class _Reading:
    """How the columns of a table become the columns of one structure."""

    def __init__(self, names: list[str], ref: Ref, target: Target) -> None:
        self.ref = ref
        self.target = target
        self.used: set[str] = set()
        self._schema = read_schema(target.structure)
        self._columns = columns(target.structure)
        for column in self._columns:
            beside = (column.decimals, column.text, f"{column.id}.name")
            self.used |= {column.id, *beside} & set(names)

    def batch(self, table: pa.Table) -> pa.RecordBatch:
        """The rows in the schema as read."""
        nothing = pa.nulls(table.num_rows, pa.string())
        origin = {ROW: table[ROW].combine_chunks(), COLUMN: nothing, SHEET: nothing}
        arrays = [self._values(table, column) for column in self._columns]
        return pa.RecordBatch.from_arrays([*arrays, *origin.values()], schema=self._schema)

    def _values(self, table: pa.Table, column: Column) -> _Array:
        kind = self._schema.field(column.id).type
        if column.id not in table.column_names:
            return pa.nulls(table.num_rows, kind)
        found = table[column.id].combine_chunks()
        if column.kind in ("multi", "multilingual"):
            return _nested(found, column, kind)
        if pa.types.is_floating(found.type) and column.decimals in table.column_names:
            decimals, texts = table[column.decimals].combine_chunks(), None
            if column.text in table.column_names:
                texts = _text(table[column.text].combine_chunks(), column.text)
            values = pc.if_else(pc.is_valid(decimals), found.cast(pa.float64()), None)
            return _without_empty(render_numbers(values, decimals.cast(pa.int8()), texts))
        return _without_empty(_text(found, column.id))


def _nested(found: _Array, column: Column, kind: pa.DataType) -> _Array:
    if pa.types.is_null(found.type) or found.type == kind:
        return found.cast(kind)
    try:
        if column.kind == "multi" and not pa.types.is_list(found.type):
            one = _text(found, column.id)
            there = pc.is_valid(one).cast(pa.int32())
            offsets = np.concatenate(([0], np.cumsum(there.to_numpy()))).astype(np.int32)
            lists = pa.ListArray.from_arrays(pa.array(offsets), one.drop_null())
            return pc.if_else(pc.is_valid(one), lists, pa.scalar(None, kind))
        if column.kind == "multilingual" and not pa.types.is_map(found.type):
            return pa.array(
                [None if text is None else [("en", text)] for text in _text(found, column.id).to_pylist()], kind
            )
        return found.cast(kind)
    except pa.ArrowException:
        raise _odd(column.id, found.type) from None


def _odd(name: str, kind: pa.DataType) -> UnreadableFile:
    return UnreadableFile(
        f"The column {name!r} of the Parquet file holds {kind}, which is no text or number.", hint=_SEND
    )


def _without_empty(texts: _Array) -> _Array:
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def _text(found: _Array, name: str) -> _Array:
    """A column as text: numbers with the fewest digits that return them, dates as ISO 8601."""
    if pa.types.is_dictionary(found.type):
        found = found.cast(found.type.value_type)
    if pa.types.is_floating(found.type):
        return _float_texts(found.cast(pa.float64()))
    try:
        texts = found.cast(pa.string())
    except (pa.ArrowException, UnicodeDecodeError):
        raise _odd(name, found.type) from None
    if pa.types.is_timestamp(found.type):
        texts = pc.replace_substring_regex(pc.replace_substring(texts, " ", "T"), r"(\.\d*?)0+(Z?)$", r"\1\2")
        return pc.replace_substring_regex(texts, r"\.(Z?)$", r"\1")
    return texts


def _float_texts(values: _Array) -> _Array:
    numbers = values.to_numpy(zero_copy_only=False)
    is_missing = np.isnan(numbers)
    with np.errstate(invalid="ignore"):
        is_whole = ~is_missing & (numbers == np.floor(numbers)) & (np.abs(numbers) < _WHOLE_BELOW)
    whole = pa.array(np.where(is_whole, numbers, 0).astype(np.int64)).cast(pa.string())
    texts = pc.if_else(pa.array(is_whole), whole, values.cast(pa.string()))
    return pc.if_else(pa.array(is_missing), pa.scalar(None, pa.string()), texts)


# ------------------------------------------------------------------------------------------------------------ tables


def _table(source: pq.ParquetFile) -> Tables:
    """One sheet, its header the names of the columns."""
    names = source.schema_arrow.names
    rows = source.metadata.num_rows
    if rows * len(names) > MAX_CELLS:
        raise TooLarge(
            f"The Parquet table has {rows} rows and {len(names)} columns; {MAX_CELLS} cells are the limit.",
            hint="Send it in parts, or as a table of the dataflow's components.",
        )
    try:
        table = source.read(use_threads=False)
    except (pa.ArrowException, OSError, ValueError) as fault:
        raise _damaged(fault) from None
    texts = [_text(_whole(table[name]), name) for name in names]
    is_number = [pa.types.is_integer(field.type) or pa.types.is_floating(field.type) for field in table.schema]
    return Tables(
        sheets=(
            Sheet(
                name=None,
                columns=tuple(
                    pa.concat_arrays([pa.array([name]), text]) for name, text in zip(names, texts, strict=True)
                ),
                numbers=tuple(
                    pa.concat_arrays([pa.array([False]), pc.and_(pc.is_valid(text), said)])
                    for text, said in zip(texts, is_number, strict=True)
                ),
                origin=SheetOrigin(
                    rows=pa.concat_arrays([pa.nulls(1, pa.int64()), pa.array(np.arange(1, rows + 1))]),
                    places=pa.nulls(rows + 1, pa.string()),
                ),
            ),
        )
    )


def _whole(column: pa.ChunkedArray) -> _Array:
    return column.combine_chunks() if column.num_chunks else pa.array([], column.type)
