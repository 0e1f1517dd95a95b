"""A read model is made from what the store itself answers, batch by batch, so that memory does not grow with it."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from isal import isal_zlib

from sdmx_service.errors import StorageFault
from sdmx_service.storage.keys import number_keys
from sdmx_service.storage.layout import StoredColumn

FORMAT = 1
"""Raised whenever files of before cannot be read any more."""
MANIFEST, SERIES, OBSERVATIONS = "model.json", "series.arrow", "observations.arrow"
SID, BEGIN, COUNT, PERIODS = "_sid", "_begin", "_count", "_periods"
MOST_WORDS = 16
"""Sets of periods are kept per series while there are at most 64 times as many periods."""
_PIECE = 1 << 22
_ROWS = 80_000
"""Rows of a stored batch at most, where the source does not give more at once."""

Bits = npt.NDArray[np.uint64]
Integers = npt.NDArray[np.int64]


class Source(Protocol):
    """What a model is made from: the store's own answer to a selection of everything."""

    @property
    def columns(self) -> tuple[StoredColumn, ...]:
        """The columns of the answer."""

    def domains(self) -> dict[str, list[str]]:
        """The values that occur."""

    def batches(self, domains: Mapping[str, Sequence[str]]) -> Iterator[pa.RecordBatch]:
        """The rows."""

    def bare(self) -> int:
        """How many series have attributes and no observation."""

    def attachments(self) -> dict[str, pa.Table]:
        """Values of groups and data sets."""


class Abandoned(Exception):
    """Nobody wants the model any more."""


def narrow(codes: int) -> pa.DataType:
    """The smallest type for so many codes."""
    return pa.int8() if codes <= 127 else pa.int16() if codes <= 32_767 else pa.int32()


def words_of(periods: int) -> int:
    """How many words hold a set of periods; 0: sets are not kept."""
    words = -(-periods // 64)
    return words if words <= MOST_WORDS else 0


def period_bits(times: npt.NDArray[Any], begins: Integers, words: int) -> Bits:
    """Per run of rows the set of its periods, one row of words each."""
    found = np.zeros((len(begins), words), np.uint64)
    for word in range(words):
        inside = times >> 6 == word
        bits = np.where(inside, np.uint64(1) << (times & 63).astype(np.uint64), np.uint64(0))
        found[:, word] = np.bitwise_or.reduceat(bits, begins)
    return found


@dataclass
class _Builder:
    """The files while they are written."""

    source: Source
    folder: Path
    domains: dict[str, list[str]]

    def __post_init__(self) -> None:
        columns = self.source.columns
        self.dimensions = [c.id for c in columns if c.role == "dimension"]
        self.time = next((c.id for c in columns if c.role == "time"), None)
        self.words = words_of(len(self.domains[self.time])) if self.time else 0
        self.attached = [name for c in columns if c.is_attached for name in _names(c)]
        self.observed = [c for c in columns if c.role in ("measure", "attribute") and not c.is_attached]
        self.series: list[pa.RecordBatch] = []
        self.bits: list[Bits] = []
        self.counts: list[Integers] = []
        self.last: tuple[int, ...] | None = None
        self.rows = 0

    def observations(self, wanted: Callable[[], bool]) -> None:
        """Write the observations; gather what is said of series."""
        writer = None
        with pa.OSFile(str(self.folder / OBSERVATIONS), "wb") as file:
            try:
                for part in _evened(self._parts(wanted)):
                    writer = writer or pa.ipc.new_file(file, part.schema)
                    writer.write_batch(part)
                    self.rows += part.num_rows
                if writer is None:
                    writer = pa.ipc.new_file(file, pa.schema([]))
            finally:
                if writer is not None:
                    writer.close()

    def _parts(self, wanted: Callable[[], bool]) -> Iterator[pa.RecordBatch]:
        for batch in self.source.batches(self.domains):
            if not wanted():
                raise Abandoned
            self._gather(batch)
            yield self._part(batch)

    def _gather(self, batch: pa.RecordBatch) -> None:
        """Note the series that begin in a batch, and how many rows each has."""
        keys = [batch[id].indices.to_numpy(zero_copy_only=False) for id in self.dimensions]
        starts = np.zeros(batch.num_rows, np.bool_)
        for codes in keys:
            starts[1:] |= codes[1:] != codes[:-1]
        starts[0] = self.last is None or self.last != tuple(int(codes[0]) for codes in keys)
        self.last = tuple(int(codes[-1]) for codes in keys)
        begins = np.flatnonzero(starts)
        pieces = np.concatenate([[0], begins]) if not starts[0] else begins
        counts = np.diff(np.append(pieces, batch.num_rows)).astype(np.int64)
        bits = None
        if self.time is not None and self.words:
            times = batch[self.time].indices.to_numpy(zero_copy_only=False)
            bits = period_bits(times, pieces.astype(np.int64), self.words)
        if not starts[0]:  # the series goes on from the batch before
            self.counts[-1][-1] += counts[0]
            counts = counts[1:]
            if bits is not None:
                self.bits[-1][-1] |= bits[0]
                bits = bits[1:]
        if len(begins):
            self.counts.append(counts)
            heads = batch.select([*self.dimensions, *self.attached]).take(pa.array(begins))
            self.series.append(heads)
            if bits is not None:
                self.bits.append(bits)

    def _part(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The columns of observations: codes as small numbers."""
        found: dict[str, Any] = {}
        if self.time is not None:
            found[self.time] = batch[self.time].indices.cast(narrow(len(self.domains[self.time])))
        for column in self.observed:
            for name in _names(column):
                array = batch[name]
                if pa.types.is_dictionary(array.type):
                    array = array.indices.cast(narrow(len(self.domains[column.id])))
                found[name] = pa.nulls(len(array)) if array.null_count == len(array) else array
        return _unified(found, self._types)

    @property
    def _types(self) -> dict[str, pa.DataType]:
        found: dict[str, pa.DataType] = {}
        if self.time is not None:
            found[self.time] = narrow(len(self.domains[self.time]))
        for column in self.observed:
            types: tuple[pa.DataType, ...] = (pa.string(),)
            if column.kind == "number":
                types = (pa.float64(), pa.int8(), pa.string())
            elif column.kind == "code":
                types = (narrow(len(self.domains[column.id])),)
            elif column.kind == "multi":
                types = (pa.list_(pa.string()),)
            elif column.kind == "multilingual":
                types = (pa.map_(pa.string(), pa.string()),)
            found |= dict(zip(_names(column), types, strict=True))
        return found

    def close_series(self) -> int:
        """Write the series; returns how many there are."""
        if not self.series:
            raise Abandoned
        table = pa.Table.from_batches(self.series).combine_chunks()
        self.series.clear()
        keys = [table[id].combine_chunks() for id in self.dimensions]
        counts = np.concatenate(self.counts)
        sids = number_keys(keys, len(counts)).sid
        if len(sids) > 1 and not bool(np.all(sids[1:] > sids[:-1])):
            raise StorageFault("The series of a read model are not in the order of their numbers.")
        columns: dict[str, Any] = {
            SID: pa.array(sids),
            BEGIN: pa.array(np.cumsum(counts) - counts),
            COUNT: pa.array(counts),
        }
        for id, array in zip(self.dimensions, keys, strict=True):
            columns[id] = array.indices.cast(narrow(len(self.domains[id])))
        for name in self.attached:
            columns[name] = table[name].combine_chunks()
        if self.words:
            bits = np.ascontiguousarray(np.concatenate(self.bits)).reshape(-1)
            columns[PERIODS] = pa.FixedSizeListArray.from_arrays(pa.array(bits), self.words)
        _write(self.folder / SERIES, pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns)))
        return len(counts)


def _names(column: StoredColumn) -> tuple[str, ...]:
    """The names of a component's columns as typed."""
    return (column.id, f"{column.id}.decimals", f"{column.id}.text") if column.kind == "number" else (column.id,)


def _unified(columns: Mapping[str, Any], types: Mapping[str, pa.DataType]) -> pa.RecordBatch:
    schema = pa.schema(list(types.items()))
    arrays = [
        pa.nulls(len(array), types[name]) if pa.types.is_null(array.type) else array for name, array in columns.items()
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _evened(parts: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows without tiny batches."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for part in parts:
        if waiting and rows + part.num_rows > _ROWS:
            yield pa.concat_batches(waiting)
            waiting, rows = [], 0
        waiting.append(part)
        rows += part.num_rows
    if waiting:
        yield pa.concat_batches(waiting)


def _write(path: Path, rows: pa.RecordBatch | pa.Table) -> None:
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, rows.schema) as writer:
        writer.write(rows)


def attachments_file(id: str) -> str:
    """The file with the values of an attribute of groups or data sets."""
    return f"attachments-{id}.arrow"


def build(source: Source, folder: Path, identity: Mapping[str, Any], wanted: Callable[[], bool]) -> None:
    """Write a model into an empty folder; the manifest last.

    Args:
        identity: what the model is of; kept in the manifest.
        wanted: asked now and then; False ends the work.

    Raises:
        Abandoned: it is not wanted, or there is nothing to show.
    """
    domains = source.domains()
    builder = _Builder(source, folder, domains)
    builder.observations(wanted)
    series = builder.close_series()
    attachments = source.attachments()
    for id, table in attachments.items():
        _write(folder / attachments_file(id), table)
    document = {
        "format": FORMAT,
        "identity": dict(identity),
        "domains": domains,
        "words": builder.words,
        "series": series,
        "observations": builder.rows,
        "bare": source.bare(),
        "attachments": list(attachments),
        "files": {path.name: [path.stat().st_size, checksum(path)] for path in sorted(folder.iterdir())},
    }
    (folder / MANIFEST).write_text(json.dumps(document))


def checksum(path: Path) -> int:
    """CRC-32 of a file."""
    with pa.memory_map(str(path), "r") as file:
        return checksum_of(file)


def checksum_of(file: pa.MemoryMappedFile) -> int:
    """CRC-32 of a mapped file; reading it also brings it into memory before anybody waits for it."""
    whole = memoryview(file.read_buffer(file.size()))
    found = 0
    for begin in range(0, len(whole), _PIECE):
        found = isal_zlib.crc32(whole[begin : begin + _PIECE], found)
    file.seek(0)
    return found


@contextmanager
def background() -> Iterator[None]:
    """The work of this thread gives way to answers, where the system knows priorities of threads."""
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
    except (AttributeError, OSError):  # pragma: no cover
        pass
    yield
