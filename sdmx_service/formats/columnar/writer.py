"""Data messages as an Arrow stream (IPC streaming format) and as Parquet (*extension*, ``docs/formats.md``).

Both hold the table of ``formats.table``; its schema's metadata describes it under the key ``sdmx``. Memory holds one
row group of Parquet, or one batch of Arrow, whatever the answer's size.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from sdmx_service.formats.chunks import packed
from sdmx_service.formats.table import COLUMNS, LABELS, Table, table_of
from sdmx_service.model.message import Message, WriteOptions

PARAMETERS = {"labels": LABELS, "columns": COLUMNS}
"""Values of the media types' parameters, the default first."""
ROW_GROUP = 1 << 18
"""Rows of a row group at most."""
_PIECE = 1 << 16
"""Rows that a column is encoded by at once."""
_PAGE = 1 << 17
"""Bytes of a page, about: what is packed at once stays in the processor's own memory."""
_TOLD = 1
"""Dimensions whose least and greatest code stand with each row group: rows come in their order, so that readers can
leave groups out; those of later dimensions span every group."""
_ROW_GROUP_BYTES = 1 << 26
"""Bytes of Arrow data that are gathered for a row group at most, but for one batch more."""


def write_arrow(message: Message, options: WriteOptions) -> Iterator[bytes]:
    """The data sets of a message as one Arrow stream; dictionaries are sent when they change."""
    return packed(_arrow(table_of(message, options)))


def _arrow(table: Table) -> Iterator[bytes]:
    sink = _Sink()
    with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), table.schema) as writer:
        for batch in table.batches:
            writer.write_batch(batch)
            yield sink.take()
    yield sink.take()


def write_parquet(message: Message, options: WriteOptions) -> Iterator[bytes]:
    """The data sets of a message as one Parquet file: Snappy, dictionary columns, row groups of 262,144 rows."""
    return packed(_parquet(table_of(message, options)))


def _parquet(table: Table) -> Iterator[bytes]:
    sink = _Sink()
    coded = [field.name for field in table.schema if pa.types.is_dictionary(field.type)]
    # the bytes of like weight side by side: half the work of packing numbers, and fewer bytes
    numbers = {field.name: "BYTE_STREAM_SPLIT" for field in table.schema if pa.types.is_floating(field.type)}
    with (
        pq.ParquetWriter(
            pa.PythonFile(sink, mode="w"),
            table.schema,
            compression="snappy",  # every reader has it, and it costs half of zstd for a third more bytes
            use_dictionary=coded,
            column_encoding=numbers,
            write_batch_size=_PIECE,
            data_page_size=_PAGE,
            write_statistics=[name for name in table.leading[:_TOLD] if name in coded],
        ) as writer
    ):
        for group in _row_groups(table.batches):
            writer.write_table(pa.Table.from_batches(group, table.schema), row_group_size=ROW_GROUP)
            yield sink.take()
    yield sink.take()


def _row_groups(batches: Iterator[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """The batches in lists of ``ROW_GROUP`` rows, fewer where they are large."""
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        while batch.num_rows:
            part = batch.slice(0, ROW_GROUP - rows)
            batch = batch.slice(part.num_rows)
            waiting.append(part)
            rows, size = rows + part.num_rows, size + part.nbytes
            if rows == ROW_GROUP or size >= _ROW_GROUP_BYTES:
                yield waiting
                waiting, rows, size = [], 0, 0
    if waiting:
        yield waiting


class _Sink:
    """A file that is only written; what was written is taken away piece by piece."""

    closed = False

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keep the bytes until they are taken."""
        self._waiting.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        """What was written since the last time."""
        found, self._waiting = b"".join(self._waiting), []
        return found

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """What is left can still be taken."""
