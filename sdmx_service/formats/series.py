"""Series with their observations as a stream of text: what opens a series stands before its first row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import cast

import numpy as np
import pyarrow as pa

from sdmx_service.formats.arrangement import Arrangement, rows
from sdmx_service.formats.chunks import rendered
from sdmx_service.formats.fragments import (
    Coded,
    Mask,
    Piece,
    Renderer,
    Runs,
    Strings,
    Texts,
    array_of,
    joined_bytes,
    numbered,
    pc,
    strings,
)
from sdmx_service.model.message import Dataset

Pieces = Callable[[pa.RecordBatch], Sequence[Piece]]


class SeriesWriter:
    """Renders the rows of a data set, series by series or flat, across the borders of batches.

    A row without the dimension at observation says something about its series only, and gets no observation.

    Args:
        begin: pieces that open a series, from its first row.
        observe: pieces of an observation.
        end: closes a series.
        between_series, between_observations: separators.
    """

    def __init__(
        self,
        dataset: Dataset,
        arrangement: Arrangement,
        *,
        begin: Pieces,
        observe: Pieces,
        end: str = "",
        between_series: str = "",
        between_observations: str = "",
    ) -> None:
        self._dataset, self._arrangement = dataset, arrangement
        self._begin, self._observe = begin, observe
        self._end, self._glue, self._comma = end, between_series, between_observations
        self._runs = Runs([one.id for one in arrangement.series_dimensions])
        self._heads, self._rows = Renderer(), Renderer()
        self._is_open = False
        self._has_observation = False

    def chunks(self) -> Iterator[bytes]:
        """The whole data set."""
        yield from rendered(rows(self._dataset, self._arrangement), self._render)
        if self._is_open and not self._arrangement.is_flat:
            yield self._end.encode()

    def _render(self, batch: pa.RecordBatch) -> bytes | memoryview:
        text = self._flat(batch) if self._arrangement.is_flat else self._series(batch)
        if not self._is_open:  # nothing to close or to separate from before the first
            first = self._comma if self._arrangement.is_flat else self._end + self._glue
            text = text[len(first.encode()) :]
            self._is_open = True
        return text

    def _flat(self, batch: pa.RecordBatch) -> bytes | memoryview:
        return self._rows.data([self._comma, *self._observe(batch)], batch.num_rows)

    def _series(self, batch: pa.RecordBatch) -> bytes | memoryview:
        starts = self._runs.starts(batch)
        heads = batch.take(starts.nonzero()[0])
        opened = self._heads.rows([self._end, self._glue, *self._begin(heads)], heads.num_rows)
        if self._dataset.keys_only:
            return joined_bytes(opened)
        number = np.where(starts, numbered(starts), 0)
        valid = self._observed(batch)
        if valid is not None:
            return self._partly_observed(batch, starts, valid, opened)
        prefix = Coded(number, pa.concat_arrays([self._following(), opened]))
        self._has_observation = True
        return self._rows.data([prefix, *self._observe(batch)], batch.num_rows)

    def _following(self) -> Strings:
        """What stands before a row that continues a series."""
        return strings(self._comma)

    def _observed(self, batch: pa.RecordBatch) -> Mask | None:
        """Which rows have an observation; None where all have and the series so far has one too."""
        columns = [array_of(batch, one.id) for one in self._arrangement.observation_dimensions]
        if self._has_observation or not self._is_open:
            if all(column is not None and not column.null_count for column in columns):
                return None
        mask = np.ones(batch.num_rows, np.bool_)
        for column in columns:
            mask &= False if column is None else column.is_valid().to_numpy(zero_copy_only=False)
        return cast(Mask, mask)

    def _partly_observed(self, batch: pa.RecordBatch, starts: Mask, valid: Mask, opened: Strings) -> bytes:
        """The slow way for batches with rows that only speak of their series."""
        number = numbered(starts)
        commas = valid.copy()
        _, firsts = np.unique(number[valid], return_index=True)
        first_rows = valid.nonzero()[0][firsts]
        if self._has_observation and len(first_rows) and number[first_rows[0]] == 0:
            first_rows = first_rows[1:]
        commas[first_rows] = False
        self._has_observation = bool((valid & (number == number[-1])).any()) or (
            self._has_observation and number[-1] == 0
        )
        observations = self._rows.rows(self._observe(batch), batch.num_rows)
        pieces: list[Piece] = [
            Coded(np.where(starts, number, 0), pa.concat_arrays([strings(""), opened])),
            Coded(commas.astype(np.int32), strings("", self._comma)),
            Texts(pc.if_else(pa.array(valid), observations, "")),
        ]
        return joined_bytes(Renderer().rows(pieces, batch.num_rows))
