"""Data messages to structure-specific SDMX-ML 2.1, 3.0 and 3.1.

*Standard:* ``Series`` with ``Obs``, or ``Obs`` alone in the flat view; attributes of a declared group in ``Group``;
attributes of the data set on ``DataSet``; from 3.0 on several values or languages in ``Comp``, those of the data set in
``Atts``. *Choice:* 2.1 knows one value per component and one measure: several values are joined by ``"; "``, of a
multilingual text the best language is written, the primary measure is ``OBS_VALUE`` (else the first measure, under that
name), and further measures are written like attributes of the observation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pyarrow as pa

from sdmx_service.formats.arrangement import Arrangement, attached, groups
from sdmx_service.formats.chunks import rendered
from sdmx_service.formats.fragments import (
    Cells,
    Make,
    Mask,
    Piece,
    Renderer,
    Strings,
    best_texts,
    choose,
    joined_bytes,
    joined_values,
    numbers,
    validity,
    wrapped,
)
from sdmx_service.formats.sdmx_ml.data_message import Kind, Part, around, escape, escaped, reference_text, write_message
from sdmx_service.formats.sdmx_ml.header import action_text
from sdmx_service.formats.series import SeriesWriter
from sdmx_service.model.columns import Column
from sdmx_service.model.message import Message, WriteOptions
from sdmx_service.model.structure import DataStructure

PRIMARY_MEASURE = "OBS_VALUE"
_SCOPES = {"Dataflow": "Dataflow", "DataStructure": "DataStructure", "ProvisionAgreement": "ProvisionAgreement"}


def write_specific(
    message: Message, options: WriteOptions, *, version: str = "3.1", time_series: bool = False
) -> Iterator[bytes]:
    """The data sets of a message as structure-specific SDMX-ML.

    Args:
        options: ``languages`` for 2.1, which carries one text of a multilingual attribute.
        version: ``2.1``, ``3.0`` or ``3.1``.
        time_series: 2.1 only: the root element ``StructureSpecificTimeSeriesData``.
    """
    root = "StructureSpecificTimeSeriesData" if time_series else "StructureSpecificData"
    kind = Kind(root=root, version=version, is_specific=True)

    def write_dataset(part: Part) -> Iterator[bytes]:
        return _SpecificWriter(part, options, version).chunks()

    return write_message(message, kind, write_dataset)


class _SpecificWriter:
    """Writes one data set."""

    def __init__(self, part: Part, options: WriteOptions, version: str) -> None:
        self._part, self._options, self._version = part, options, version
        self._dataset, self._arrangement = part.dataset, part.arrangement
        self._cells = Cells()
        self._series = SeriesWriter(
            part.dataset, part.arrangement, begin=self._begin, observe=self._observe, end="</Series>"
        )
        self._primary = primary_measure(part.dataset.structure, part.arrangement) if version == "2.1" else None

    def chunks(self) -> Iterator[bytes]:
        yield self._opening().encode()
        yield from self._groups()
        if self._dataset.only_attributes and self._version != "2.1":
            yield from self._partial_keys()
        yield from self._series.chunks()
        yield b"</mes:DataSet>"

    # the data set ---------------------------------------------------------------------------------------------------

    def _opening(self) -> str:
        dataset, structure = self._dataset, self._part.structure
        values = {
            "xsi:type": f"{structure.prefix}:DataSetType",
            "ss:structureRef": structure.id,
            "ss:dataScope": _SCOPES.get(dataset.ref.type, "DataStructure") if self._version == "2.1" else None,
            "ss:setID": dataset.id,
            "ss:action": action_text(dataset.action, self._version),
            "ss:validFromDate": dataset.valid_from,
            "ss:validToDate": dataset.valid_to,
        }
        text = "<mes:DataSet" + "".join(f' {name}="{escape(value)}"' for name, value in values.items() if value)
        batch = attached(dataset, self._arrangement.dataset_attributes)
        simple, several = self._split(self._arrangement.dataset_attributes)
        pieces = [piece for one in simple for piece in self._attribute(batch, one)] if batch is not None else []
        simple_text = _one(pieces)
        comps = "" if batch is None else _one(self._comps(batch, several))
        text += ">" if comps else simple_text + ">"
        if dataset.provider is not None:
            text += reference_text("DataProvider", dataset.provider, self._version)
        if comps:  # all in one place: what a Replace says twice of one key, it says the last time
            text += f"<Atts{simple_text}>{comps}</Atts>"
        return text

    def _partial_keys(self) -> Iterator[bytes]:
        """``Atts`` elements: attributes of partial keys that are no declared groups, without observations."""
        whole, by_level = len(self._dataset.structure.dimension_ids), dict[tuple[str, ...], list[Column]]()
        every = (*self._arrangement.series_attributes, *self._arrangement.observation_attributes)
        for column in every:
            if column.level and len(column.level) < whole:
                by_level.setdefault(column.level, []).append(column)
        for level, attributes in by_level.items():
            batch = attached(self._dataset, attributes)
            if batch is not None:
                yield from rendered([batch], partial(self._partial_key, level, attributes, Renderer()))

    def _partial_key(
        self, level: Sequence[str], attributes: Sequence[Column], renderer: Renderer, batch: pa.RecordBatch
    ) -> bytes:
        simple, several = self._split(attributes)
        pieces: list[Piece] = ["<Atts"]
        pieces += [self._cells.coded(batch, one, around(f' {one}="', '"'), slot="group") for one in level]
        for column in simple:
            pieces += self._attribute(batch, column)
        return joined_bytes(renderer.rows([*pieces, *self._ended(batch, several, "Atts")], batch.num_rows))

    def _groups(self) -> Iterator[bytes]:
        """``Group`` elements: one per group and partial key."""
        for name, attributes, batch in groups(self._dataset, self._arrangement):
            yield from rendered([batch], partial(self._group, name, attributes, Renderer()))

    def _group(self, name: str, attributes: Sequence[Column], renderer: Renderer, batch: pa.RecordBatch) -> bytes:
        simple, several = self._split(attributes)
        pieces: list[Piece] = [f'<Group xsi:type="{self._part.structure.prefix}:{escape(name)}"']
        pieces += [
            self._cells.coded(batch, one, around(f' {one}="', '"'), slot="group") for one in attributes[0].level or ()
        ]
        for column in simple:
            pieces += self._attribute(batch, column)
        return joined_bytes(renderer.rows([*pieces, *self._ended(batch, several, "Group")], batch.num_rows))

    # series and observations ----------------------------------------------------------------------------------------

    def _begin(self, heads: pa.RecordBatch) -> list[Piece]:
        simple, several = self._split(self._arrangement.series_attributes)
        pieces: list[Piece] = ["<Series"]
        for column in (*self._arrangement.series_dimensions, *simple):
            pieces += self._attribute(heads, column)
        return [*pieces, ">", *self._comps(heads, several)]

    def _observe(self, batch: pa.RecordBatch) -> list[Piece]:
        arrangement = self._arrangement
        if self._dataset.keys_only:
            keys = [piece for one in arrangement.observation_dimensions for piece in self._attribute(batch, one)]
            return ["<Obs", *keys, "/>"]
        simple, several = self._split((*arrangement.measures, *arrangement.observation_attributes))
        pieces: list[Piece] = ["<Obs"]
        for column in (
            *simple,
            *arrangement.observation_dimensions,
        ):  # numbers first: the rest folds into few fragments
            pieces += self._attribute(batch, column)
        return [*pieces, *self._ended(batch, several, "Obs")]

    def _split(self, columns: Sequence[Column]) -> tuple[list[Column], list[Column]]:
        """Columns written as XML attributes, those of numbers first; and columns written as ``Comp``."""
        simple = [one for one in columns if self._version == "2.1" or one.kind not in ("multi", "multilingual")]
        return sorted(simple, key=lambda one: one.kind != "number"), [one for one in columns if one not in simple]

    def _attribute(self, batch: pa.RecordBatch, column: Column) -> list[Piece]:
        """A component as an XML attribute; nothing where null."""
        name = PRIMARY_MEASURE if column is self._primary else column.id
        before = f' {name}="'
        if column.kind in ("code", "text"):
            return [self._cells.coded(batch, column.id, around(before, '"'), slot="attribute")]
        if column.kind == "number":
            return numbers(batch, column, before, '"')
        return wrapped(single_text(batch, column, self._options), before, '"')

    def _comps(self, batch: pa.RecordBatch, columns: Sequence[Column]) -> list[Piece]:
        """``Comp`` elements of components with several values or languages."""
        pieces: list[Piece] = []
        for column in columns:
            role = "MEASURE" if column.role == "measure" else "ATTRIBUTE"
            inner = "" if column.kind == "multi" else "<Value>"
            before = f'<Comp id="{column.id}" xsi:type="{self._part.structure.prefix}:{column.id}_{role}">{inner}'
            values = joined_values(batch, column, around("<Value>", "</Value>"), _language, "")
            pieces += wrapped(values, before, inner.replace("<", "</") + "</Comp>")
        return pieces

    def _ended(self, batch: pa.RecordBatch, several: Sequence[Column], name: str) -> list[Piece]:
        """The end of an element, around its ``Comp`` elements where it has some."""
        if not several:
            return ["/>"]
        has_comps: Mask = np.zeros(batch.num_rows, np.bool_)
        for column in several:
            has_comps |= validity(batch, column.id)
        closing = choose(has_comps, "", f"</{name}>")
        return [choose(has_comps, "/>", ">"), *self._comps(batch, several), closing]


def _language(tag: str) -> Make:
    return around(f'<com:Text xml:lang="{escape(tag)}">', "</com:Text>")


def single_text(batch: pa.RecordBatch, column: Column, options: WriteOptions) -> Strings | None:
    """Several values joined by ``"; "``, or the best of several languages, escaped."""
    if column.kind == "multi":
        return joined_values(batch, column, escaped, lambda _: escaped, "; ")
    best = best_texts(batch, column, options.languages)
    return None if best is None else escaped(best)


def primary_measure(structure: DataStructure, arrangement: Arrangement) -> Column | None:
    """What SDMX 2.1 calls the primary measure: ``OBS_VALUE``, else the structure's first; None if it is not shown."""
    ids = [one.id for one in structure.measures]
    wanted = PRIMARY_MEASURE if PRIMARY_MEASURE in ids else next(iter(ids), None)
    return next((one for one in arrangement.measures if one.id == wanted), None)


def _one(pieces: Sequence[Piece]) -> str:
    """The pieces of a single row."""
    return joined_bytes(Renderer().rows(pieces, 1)).decode()
