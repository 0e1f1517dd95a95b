"""Data messages to SDMX-CSV 1.0, 2.0 and 2.1 (field guides *SDMX-CSV*, data messages).

*Standard:* UTF-8, RFC 4180, one header for all data sets, dimensions, measures and attributes in the order of the
structure; null is an empty cell; a sub-field separator is declared in the header once a column may need it.
*Choices:* the column separator is a comma whatever the language, the sub-field separator a semicolon; lines end with
LF. In 1.0, which knows no sub-fields, several values of a cell are joined by ``"; "`` and of a multilingual text the
best language is written. An empty text is written as an empty cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.errors import SyntaxFault
from sdmx_service.formats.fragments import (
    Cells,
    Coded,
    Make,
    Piece,
    Renderer,
    Runs,
    Texts,
    by_distinct,
    joined_bytes,
    joined_values,
    numbered,
    packed,
    rendered,
    strings,
    texts_of,
    wrapped,
)
from sdmx_service.model.artefact import NO_TEXTS, Item, Texts as Names
from sdmx_service.model.columns import Column, columns
from sdmx_service.model.message import Action, Dataset, Message, WriteOptions
from sdmx_service.model.period import PeriodKind, normalise, parse_period
from sdmx_service.model.urn import Ref

SEPARATOR = ","
SUBFIELD = ";"
_STRUCTURES = {"Dataflow": "dataflow", "DataStructure": "datastructure", "ProvisionAgreement": "dataprovision"}
_ACTIONS = {
    "2.0": {Action.MERGE: "A", Action.REPLACE: "R", Action.DELETE: "D"},
    "2.1": {Action.MERGE: "M", Action.REPLACE: "R", Action.DELETE: "D"},
}


def write_csv(message: Message, options: WriteOptions, *, version: str = "2.1") -> Iterator[bytes]:
    """The data sets of a message as SDMX-CSV.

    Args:
        options: ``labels`` (``id``, ``name``, ``both``), ``time_format`` (``original``, ``normalized``), ``keys``
            (``none``, ``obs``, ``series``, ``both``), ``languages``.
        version: ``1.0``, ``2.0`` or ``2.1``.
    """
    datasets = [_Source.of(dataset, options) for dataset in message.datasets]
    header = _Header.of(datasets, options, version)
    return packed(_chunks(datasets, header, options, version))


def _chunks(datasets: Sequence[_Source], header: _Header, options: WriteOptions, version: str) -> Iterator[bytes]:
    yield header.line.encode()
    for source in datasets:
        writer = _DatasetWriter(source, header, options, version)
        yield from rendered(source.batches, writer.render)


# -------------------------------------------------------------------------------------------------------------- header


@dataclass(frozen=True, slots=True)
class _Source:
    """A data set, its columns and, for multilingual ones, the languages that occur."""

    dataset: Dataset
    columns: Mapping[str, Column]
    languages: Mapping[str, tuple[str, ...]]
    batches: Iterator[pa.RecordBatch]

    @classmethod
    def of(cls, dataset: Dataset, options: WriteOptions) -> _Source:
        chosen = {
            one.id: one
            for one in columns(dataset.structure)
            if one.role in ("dimension", "time") or dataset.components is None or one.id in dataset.components
        }
        multilingual = [one.id for one in chosen.values() if one.kind == "multilingual"]
        languages = {name: tuple(dataset.domains[name]) for name in multilingual if name in dataset.domains}
        batches = dataset.batches
        if len(languages) < len(multilingual):
            first = next(batches, None)
            batches = _with(first, batches)
            for name in multilingual:
                languages.setdefault(name, _languages(first, name) or options.languages or ("en",))
        return cls(dataset, chosen, languages, batches)


def _with(first: pa.RecordBatch | None, others: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    if first is not None:
        yield first
    yield from others


def _languages(batch: pa.RecordBatch | None, name: str) -> tuple[str, ...]:
    if batch is None or batch.schema.get_field_index(name) < 0:
        return ()
    return tuple(sorted(pc.unique(batch.column(name).keys).to_pylist()))


@dataclass(frozen=True, slots=True)
class _Header:
    """The columns of the file: those of all data sets, in order of appearance."""

    line: str
    ids: tuple[str, ...]

    @classmethod
    def of(cls, sources: Sequence[_Source], options: WriteOptions, version: str) -> _Header:
        every: dict[str, tuple[_Source, Column]] = {}
        for source in sources:
            for name, column in source.columns.items():
                every.setdefault(name, (source, column))
        names = _leading(options, version, any(c.kind in ("multi", "multilingual") for _, c in every.values()))
        for name, (source, column) in every.items():
            label = source.dataset.labels.components.get(name, NO_TEXTS).text(options.languages, name)
            text = name + _subfields(sources, column, version)
            names.append(f"{text}: {label}" if options.labels == "both" else text)
            if options.labels == "name":
                names.append(label)
        return cls(SEPARATOR.join(map(quoted, names)) + "\n", tuple(every))


def _leading(options: WriteOptions, version: str, has_subfields: bool) -> list[str]:
    """The headers before the first component."""
    if version == "1.0":
        return ["DATAFLOW"]
    names = [f"STRUCTURE[{SUBFIELD}]" if has_subfields else "STRUCTURE", "STRUCTURE_ID"]
    names += ["STRUCTURE_NAME"] if options.labels == "name" else []
    names += ["ACTION"]
    names += ["SERIES_KEY"] if options.keys in ("series", "both") else []
    names += ["OBS_KEY"] if options.keys in ("obs", "both") else []
    return names


def _subfields(sources: Sequence[_Source], column: Column, version: str) -> str:
    """``[]`` for several values, ``[en;fr]`` for several languages."""
    if version == "1.0" or column.kind not in ("multi", "multilingual"):
        return ""
    tags = {tag: None for source in sources for tag in source.languages.get(column.id, ())}
    return f"[{SUBFIELD.join(tags)}]"


# ---------------------------------------------------------------------------------------------------------------- rows


class _DatasetWriter:
    """Renders the batches of one data set."""

    def __init__(self, source: _Source, header: _Header, options: WriteOptions, version: str) -> None:
        dataset = source.dataset
        self._dataset, self._options, self._version = dataset, options, version
        self._columns, self._ids = source.columns, header.ids
        self._keys = [one for one in source.columns.values() if one.role == "dimension"]
        self._time = next((one for one in source.columns.values() if one.role == "time"), None)
        split = next((place for place, one in enumerate(header.ids) if not self._is_dimension(one)), len(header.ids))
        self._head, self._tail = header.ids[:split], header.ids[split:]
        self._runs = Runs([one.id for one in self._keys])
        self._cells, self._series, self._rows, self._key = Cells(), Renderer(), Renderer(), Renderer()
        self._normalise = _normaliser(dataset) if options.time_format == "normalized" else None
        self._lead = _lead(dataset, options, version)

    def _is_dimension(self, name: str) -> bool:
        return name in self._columns and self._columns[name].role == "dimension"

    def render(self, batch: pa.RecordBatch) -> bytes:
        """The lines of a batch: what a series shares is rendered once for the series."""
        starts = self._runs.starts(batch)
        if self._dataset.keys_only:
            batch = batch.filter(pa.array(starts))
            starts = starts[starts]
        if batch.num_rows == 0:
            return b""
        starts[0] = True
        heads = batch if starts.all() else batch.select([one.id for one in self._keys]).take(pa.array(starts.nonzero()[0]))
        number = numbered(starts) - 1
        pieces: list[Piece] = [Coded(number, self._series.rows([self._lead], heads.num_rows))] if False else []
        pieces += self._lead_pieces(batch, heads, number)
        pieces.append(Coded(number, self._series.rows(self._cells_of(heads, self._head, self._cells), heads.num_rows)))
        pieces += self._cells_of(batch, self._tail, self._cells, hide=self._dataset.keys_only)
        return joined_bytes(self._rows.rows([*pieces, "\n"], batch.num_rows))
