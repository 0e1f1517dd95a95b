"""A read model that is open: arrays over memory-mapped files, and what they mean."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sdmx_service.storage.readmodel.building import (
    BEGIN,
    COUNT,
    FORMAT,
    MANIFEST,
    OBSERVATIONS,
    PERIODS,
    SERIES,
    SID,
    attachments_file,
    checksum_of,
)

Array = Any
Numbers = npt.NDArray[Any]
Integers = npt.NDArray[np.int64]


class Damaged(Exception):
    """The files are not what the manifest says."""


@dataclass(frozen=True)
class Model:
    """What the store shows of a cube in one context at one release.

    Attributes:
        domains: the values that occur, per dimension, time and coded component.
        series: one row per series, in the order of the answer.
        bare: how many series have attributes and no observation; they are not in the model.
        attachments: values of attributes of groups and data sets.
    """

    release: int
    domains: Mapping[str, Sequence[str]]
    words: int
    observations: int
    bare: int
    series: pa.RecordBatch
    attachments: Mapping[str, pa.Table]
    reader: Any = field(repr=False)

    @cached_property
    def sids(self) -> Integers:
        """The numbers of the series, ascending."""
        return self._series(SID)

    @cached_property
    def begins(self) -> Integers:
        """Per series its first row."""
        return self._series(BEGIN)

    @cached_property
    def counts(self) -> Integers:
        """Per series its rows."""
        return self._series(COUNT)

    @cached_property
    def period_sets(self) -> Numbers:
        """Per series the set of its periods: a row of words, a bit per place in the domain of time."""
        values: Numbers = self.series[PERIODS].values.to_numpy()
        return values.reshape(-1, self.words)

    def codes(self, id: str) -> Numbers:
        """Per series the place of its code in the domain of a dimension."""
        known = self._codes.get(id)
        if known is None:
            known = self._codes[id] = self._series(id)
        return known

    def places(self, id: str) -> Mapping[str, int]:
        """The place of each value in its domain."""
        known = self._places.get(id)
        if known is None:
            known = self._places[id] = {value: place for place, value in enumerate(self.domains[id])}
        return known

    @cached_property
    def _places(self) -> dict[str, Mapping[str, int]]:
        return {}

    @cached_property
    def _codes(self) -> dict[str, Numbers]:
        return {}

    def _series(self, name: str) -> Numbers:
        found: Numbers = self.series[name].to_numpy()
        return found

    @cached_property
    def _batches(self) -> list[pa.RecordBatch]:
        return [self.reader.get_batch(number) for number in range(self.reader.num_record_batches)]

    @cached_property
    def _starts(self) -> Integers:
        """The first row of each batch, and the row after the last."""
        return np.concatenate([[0], np.cumsum([batch.num_rows for batch in self._batches])]).astype(np.int64)

    def touch(self) -> None:
        """Do once what the first answer would wait for."""
        _ = (self._starts, self.sids, self.begins, self.counts)

    def everything(self) -> Iterator[tuple[pa.RecordBatch, Integers]]:
        """All rows as they are stored, with the place of the series of each; a series may go on in the next batch."""
        ends = self.begins + self.counts
        for start, batch in zip(self._starts.tolist(), self._batches, strict=False):
            stop = start + batch.num_rows
            first = int(np.searchsorted(ends, start, side="right"))
            last = int(np.searchsorted(self.begins, stop, side="left"))
            counts = np.minimum(ends[first:last], stop) - np.maximum(self.begins[first:last], start)
            yield batch, np.repeat(np.arange(first, last), counts)

    def rows(self, begins: Integers, ends: Integers) -> pa.RecordBatch:
        """The rows of ascending ranges, one behind the other; without a copy where they lie in one batch."""
        joins = begins[1:] == ends[:-1]
        if joins.any():
            begins = begins[np.concatenate([[True], ~joins])]
            ends = ends[np.concatenate([~joins, [True]])]
        parts = list(self._parts(begins, ends))
        return parts[0] if len(parts) == 1 else pa.concat_batches(parts)

    def _parts(self, begins: Integers, ends: Integers) -> Iterator[pa.RecordBatch]:
        first = int(np.searchsorted(self._starts, begins[0], side="right")) - 1
        last = int(np.searchsorted(self._starts, ends[-1], side="left"))
        for number in range(first, last):
            start, stop = int(self._starts[number]), int(self._starts[number + 1])
            low, high = np.searchsorted(ends, start, side="right"), np.searchsorted(begins, stop, side="left")
            if low == high:
                continue
            froms = np.maximum(begins[low:high], start) - start
            tos = np.minimum(ends[low:high], stop) - start
            batch = self._batches[number]
            if high - low == 1:
                yield batch.slice(int(froms[0]), int(tos[0] - froms[0]))
            else:
                yield batch.take(pa.array(spread(froms, tos)))


def spread(begins: Integers, ends: Integers) -> Integers:
    """The numbers of all rows in ranges."""
    counts = ends - begins
    before = np.cumsum(counts) - counts
    return np.repeat(begins - before, counts) + np.arange(int(counts.sum()), dtype=np.int64)


def open_model(folder: Path, identity: Mapping[str, Any]) -> Model:
    """Open a model, after comparing every byte of it with its checksum.

    Raises:
        Damaged: it is of something else, or not whole.
    """
    maps: dict[str, pa.MemoryMappedFile] = {}
    try:
        document = json.loads((folder / MANIFEST).read_text())
        if document["format"] != FORMAT or document["identity"] != dict(identity):
            raise Damaged(f"{folder.name} is a model of something else")
        for name, (size, sum_) in document["files"].items():
            maps[name] = pa.memory_map(str(folder / name), "r")
            if maps[name].size() != size or checksum_of(maps[name]) != sum_:
                raise Damaged(f"{folder.name}/{name} is damaged")
        series = pa.ipc.open_file(maps[SERIES])
        found = Model(
            release=int(identity["release"]),
            domains=document["domains"],
            words=document["words"],
            observations=document["observations"],
            bare=document["bare"],
            series=series.get_batch(0),
            attachments={id: pa.ipc.open_file(maps[attachments_file(id)]).read_all() for id in document["attachments"]},
            reader=pa.ipc.open_file(maps[OBSERVATIONS]),
        )
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise Damaged(f"{folder.name}: {error}") from error
    found.touch()
    return found
