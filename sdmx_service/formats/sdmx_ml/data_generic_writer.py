"""Data messages to generic SDMX-ML 2.1 (``GenericData``, ``GenericTimeSeriesData``).

What 2.1 cannot carry is written as ``data_writer`` says: one value per component, one measure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pyarrow as pa

from sdmx_service.formats.arrangement import attached, groups
from sdmx_service.formats.chunks import rendered
from sdmx_service.formats.fragments import (
    Cells,
    Mask,
    Piece,
    Renderer,
    choose,
    joined_bytes,
    numbers,
    validity,
    wrapped,
)
from sdmx_service.formats.sdmx_ml.data_message import Kind, Part, around, escape, reference_text, write_message
from sdmx_service.formats.sdmx_ml.data_writer import primary_measure, single_text
from sdmx_service.formats.sdmx_ml.header import action_text
from sdmx_service.formats.series import SeriesWriter
from sdmx_service.model.columns import Column
from sdmx_service.model.message import Message, WriteOptions

VERSION = "2.1"


def write_generic(message: Message, options: WriteOptions, *, time_series: bool = False) -> Iterator[bytes]:
    """The data sets of a message as generic SDMX-ML 2.1.

    Args:
        options: ``languages``, as one text of a multilingual attribute is carried.
        time_series: the root element ``GenericTimeSeriesData``.
    """
    kind = Kind(root="GenericTimeSeriesData" if time_series else "GenericData", version=VERSION, is_specific=False)

    def write_dataset(part: Part) -> Iterator[bytes]:
        return _GenericWriter(part, options).chunks()

    return write_message(message, kind, write_dataset)


class _GenericWriter:
    """Writes one data set."""

    def __init__(self, part: Part, options: WriteOptions) -> None:
        self._part, self._options = part, options
        self._dataset, self._arrangement = part.dataset, part.arrangement
        self._cells = Cells()
        self._primary = primary_measure(part.dataset.structure, part.arrangement)
        self._further = tuple(one for one in part.arrangement.measures if one is not self._primary)
        self._series = SeriesWriter(
            part.dataset, part.arrangement, begin=self._begin, observe=self._observe, end="</gen:Series>"
        )

    def chunks(self) -> Iterator[bytes]:
        """The whole data set."""
        yield self._opening().encode()
        yield from self._groups()
        yield from self._series.chunks()
        yield b"</mes:DataSet>"

    def _opening(self) -> str:
        dataset = self._dataset
        values = {
            "structureRef": self._part.structure.id,
            "setID": dataset.id,
            "action": action_text(dataset.action, VERSION),
            "validFromDate": dataset.valid_from,
            "validToDate": dataset.valid_to,
        }
        text = "<mes:DataSet" + "".join(f' {name}="{escape(value)}"' for name, value in values.items() if value) + ">"
        if dataset.provider is not None:
            provider = reference_text("DataProvider", dataset.provider, VERSION)
            text += provider.replace("<DataProvider", "<gen:DataProvider").replace("</Data", "</gen:Data")
        attributes = self._arrangement.dataset_attributes
        batch = attached(dataset, attributes)
        if batch is not None:
            text += joined_bytes(Renderer().rows(self._attributes(batch, attributes), 1)).decode()
        return text

    def _groups(self) -> Iterator[bytes]:
        for name, attributes, batch in groups(self._dataset, self._arrangement):
            yield from rendered([batch], partial(self._group, name, attributes, Renderer()))

    def _group(self, name: str, attributes: Sequence[Column], renderer: Renderer, batch: pa.RecordBatch) -> bytes:
        pieces: list[Piece] = [f'<gen:Group type="{escape(name)}"><gen:GroupKey>']
        pieces += [
            self._cells.coded(batch, one, around(f'<gen:Value id="{one}" value="', '"/>'), slot="group")
            for one in attributes[0].level or ()
        ]
        pieces += ["</gen:GroupKey>", *self._attributes(batch, attributes), "</gen:Group>"]
        return joined_bytes(renderer.rows(pieces, batch.num_rows))

    def _begin(self, heads: pa.RecordBatch) -> list[Piece]:
        pieces: list[Piece] = ["<gen:Series><gen:SeriesKey>"]
        for column in self._arrangement.series_dimensions:
            pieces += self._value(heads, column)
        return [*pieces, "</gen:SeriesKey>", *self._attributes(heads, self._arrangement.series_attributes)]

    def _observe(self, batch: pa.RecordBatch) -> list[Piece]:
        arrangement = self._arrangement
        pieces: list[Piece] = ["<gen:Obs>"]
        if arrangement.is_flat:
            pieces.append("<gen:ObsKey>")
            for column in arrangement.observation_dimensions:
                pieces += self._value(batch, column)
            pieces.append("</gen:ObsKey>")
        else:
            pieces += self._value(batch, arrangement.observation_dimensions[0], '<gen:ObsDimension value="')
        if not self._dataset.keys_only:
            if self._primary is not None:
                pieces += self._value(batch, self._primary, '<gen:ObsValue value="')
            pieces += self._attributes(batch, (*self._further, *arrangement.observation_attributes))
        return [*pieces, "</gen:Obs>"]

    def _attributes(self, batch: pa.RecordBatch, columns: Sequence[Column]) -> list[Piece]:
        """``Attributes`` of the columns; nothing where all are null."""
        has_any: Mask = np.zeros(batch.num_rows, np.bool_)
        pieces: list[Piece] = []
        for column in columns:
            has_any |= validity(batch, column.id)
            pieces += self._value(batch, column)
        return [choose(has_any, "", "<gen:Attributes>"), *pieces, choose(has_any, "", "</gen:Attributes>")]

    def _value(self, batch: pa.RecordBatch, column: Column, before: str = "") -> list[Piece]:
        """A component's value in an element; nothing where null."""
        before = before or f'<gen:Value id="{column.id}" value="'
        if column.kind in ("code", "text"):
            return [self._cells.coded(batch, column.id, around(before, '"/>'), slot=before)]
        if column.kind == "number":
            return numbers(batch, column, before, '"/>')
        return wrapped(single_text(batch, column, self._options), before, '"/>')
