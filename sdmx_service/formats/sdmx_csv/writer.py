"""Data messages to SDMX-CSV 1.0, 2.0 and 2.1 (field guides *SDMX-CSV*, data messages).

*Standard:* UTF-8, RFC 4180, one header for all data sets, dimensions, measures and attributes in the order of the
structure; null is an empty cell; a sub-field separator is declared in the header once a column may need it.
*Choices:* the column separator is a comma whatever the language, the sub-field separator a semicolon; lines end with
LF. In 1.0, which knows no sub-fields, several values of a cell are joined by ``"; "`` and of a multilingual text the
best language is written. An empty text is written as an empty cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from sdmx_service.errors import CannotWrite, SyntaxFault
from sdmx_service.formats.arrangement import ALL_DIMENSIONS, level_rows, observation_dimension
from sdmx_service.formats.chunks import packed, rendered
from sdmx_service.formats.fragments import (
    Cells,
    Coded,
    Indices,
    Make,
    Piece,
    Renderer,
    Runs,
    Strings,
    Texts,
    array_of,
    best_texts,
    by_distinct,
    joined_values,
    numbered,
    numbers,
    pc,
    wrapped,
)
from sdmx_service.model.artefact import NO_TEXTS, Item
from sdmx_service.model.columns import Column, columns
from sdmx_service.model.message import Action, Dataset, Message, WriteOptions
from sdmx_service.model.period import PeriodKind, normalise, parse_period
from sdmx_service.model.urn import Ref

SEPARATOR = ","
SUBFIELD = ";"
MEASURE = "OBS_VALUE"
"""Heading of the measure in 1.0, whatever its id."""
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

    Raises:
        CannotWrite: the version has no such parameter or value.
    """
    _check(options, version)
    datasets = [_Source.of(dataset, options) for dataset in message.datasets if _is_told(dataset, version)]
    if version == "1.0":
        datasets = [replace(one, columns=_with_measure(one)) for one in datasets]
    header = _Header.of(datasets, options, version)
    return packed(_chunks(datasets, header, options, version))


PARAMETERS = {
    "1.0": {"labels": ("id", "both"), "timeFormat": ("original", "normalized"), "keys": ("none",)},
    "2.0": {
        "labels": ("id", "name", "both"),
        "timeFormat": ("original", "normalized"),
        "keys": ("none", "obs", "series", "both"),
    },
}
PARAMETERS["2.1"] = PARAMETERS["2.0"]
"""Per version the values of the media type's parameters, the default first."""


def _check(options: WriteOptions, version: str) -> None:
    wished = {"labels": options.labels, "timeFormat": options.time_format, "keys": options.keys}
    for name, value in wished.items():
        known = PARAMETERS[version][name]
        if value not in known:
            raise CannotWrite(f"SDMX-CSV {version} has no {name}={value}.", hint=f"Ask for one of {', '.join(known)}.")


def _is_told(dataset: Dataset, version: str) -> bool:
    """*Choice*: 1.0, without actions and partial keys, leaves out what it would tell wrongly."""
    return version != "1.0" or not (dataset.only_attributes or dataset.action is Action.DELETE)


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
        batches = level_rows(dataset) if dataset.only_attributes else dataset.batches
        if len(languages) < len(multilingual):
            first = next(batches, None)
            batches = _with(first, batches)
            for name in multilingual:
                languages.setdefault(name, _languages(first, name) or options.languages or ("en",))
        return cls(dataset, chosen, languages, batches)


def _with_measure(source: _Source) -> dict[str, Column]:
    """The columns by their headings in 1.0, where the column of the (first) measure is always ``OBS_VALUE``."""
    ids = [one.id for one in source.dataset.structure.measures]
    primary = MEASURE if MEASURE in ids else next(iter(ids), None)
    return {MEASURE if name == primary else name: column for name, column in source.columns.items()}


def _with(first: pa.RecordBatch | None, others: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    if first is not None:
        yield first
    yield from others


def _languages(batch: pa.RecordBatch | None, name: str) -> tuple[str, ...]:
    array = None if batch is None else array_of(batch, name)
    return () if array is None else tuple(sorted(pc.unique(array.keys).to_pylist()))


_PLACES = {"dimension": 0, "time": 0, "measure": 1, "attribute": 2}


@dataclass(frozen=True, slots=True)
class _Header:
    """The columns of the file: the dimensions of all data sets, then all measures, then all attributes (2.1 guide)."""

    line: str
    ids: tuple[str, ...]

    @classmethod
    def of(cls, sources: Sequence[_Source], options: WriteOptions, version: str) -> _Header:
        every: dict[str, tuple[_Source, Column]] = {}
        for source in sources:
            for name, column in source.columns.items():
                every.setdefault(name, (source, column))
        every = dict(sorted(every.items(), key=lambda item: _PLACES[item[1][1].role]))
        names = _leading(options, version, any(c.kind in ("multi", "multilingual") for _, c in every.values()))
        for name, (source, column) in every.items():
            label = source.dataset.labels.components.get(column.id, NO_TEXTS).text(options.languages, name)
            text = name + _subfields(sources, column, version)
            is_plain = version == "1.0" and name == MEASURE  # "for the measure column, always is the term OBS_VALUE"
            names.append(f"{text}: {label}" if options.labels == "both" and not is_plain else text)
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
        self._columns = source.columns
        self._keys = [one for one in source.columns.values() if one.role == "dimension"]
        self._time = next((one for one in source.columns.values() if one.role == "time"), None)
        own = [one.id for one in self._keys]
        split = next((place for place, name in enumerate(header.ids) if name not in own), len(header.ids))
        self._head, self._tail = header.ids[:split], header.ids[split:]
        self._runs = Runs(own)
        self._cells, self._series, self._rows, self._key = Cells(), Renderer(), Renderer(), Renderer()
        self._normalise = _normaliser(dataset) if options.time_format == "normalized" else None
        self._lead = _lead(dataset, options, version)
        self._series_key = version != "1.0" and options.keys in ("series", "both")
        self._observation_key = version != "1.0" and options.keys in ("obs", "both")
        self._at_observation = observation_dimension(dataset)

    def render(self, batch: pa.RecordBatch) -> bytes | memoryview:
        """The lines of a batch: what a series shares is rendered once for the series."""
        starts = self._runs.starts(batch)
        if self._dataset.keys_only:
            batch = batch.filter(pa.array(starts))
            starts = starts[starts]
        if batch.num_rows == 0:
            return b""
        starts[0] = True
        heads = batch.select([one.id for one in self._keys if one.id in batch.schema.names])
        heads = heads if starts.all() else heads.take(starts.nonzero()[0])
        number = numbered(starts) - 1
        shared: list[Piece] = [self._lead]
        keys = self._key_rows(heads) if self._series_key or self._observation_key else None
        pieces: list[Piece] = []
        if self._series_key and keys is not None and self._is_time_series:
            shared += [SEPARATOR, Texts(_quoted(keys))]
        elif self._series_key:
            pieces += [Coded(number, self._series.rows(shared, heads.num_rows)), SEPARATOR, *self._other_keys(batch)]
            shared = []
        if self._observation_key and keys is not None:
            pieces += [Coded(number, self._series.rows(shared, heads.num_rows)), SEPARATOR]
            pieces += self._observation_keys(batch, number, keys)
            shared = []
        for name in self._head:
            shared += self._cell(heads, name)
        pieces.append(Coded(number, self._series.rows(shared, heads.num_rows)))
        for name in self._tail:
            pieces += self._cell(batch, name)
        return self._rows.data([*pieces, "\n"], batch.num_rows)

    # keys ---------------------------------------------------------------------------------------------------------

    def _key_rows(self, heads: pa.RecordBatch) -> Strings:
        pieces: list[Piece] = []
        for one in self._keys:
            pieces += [".", self._cells.coded(heads, one.id, _as_is, slot="key")]
        return self._key.rows(pieces[1:], heads.num_rows)

    @property
    def _is_time_series(self) -> bool:
        """Time alone is at the observation, or there is no time and every dimension."""
        return self._at_observation == (ALL_DIMENSIONS if self._time is None else self._time.id)

    def _other_keys(self, batch: pa.RecordBatch) -> list[Piece]:
        """The key of a series that is no time series: "all the dimensions except the one(s) attached to" it."""
        if self._at_observation == ALL_DIMENSIONS:
            return [""]
        pieces: list[Piece] = []
        for one in (*self._keys, *([self._time] if self._time is not None else [])):
            if one.id != self._at_observation:
                pieces += [".", self._cells.coded(batch, one.id, _as_is, slot="key")]
        return [Texts(_quoted(self._key.rows(pieces[1:], batch.num_rows)))]

    def _observation_keys(self, batch: pa.RecordBatch, number: Indices, keys: Strings) -> list[Piece]:
        pieces: list[Piece] = [Coded(number, keys)]
        plain = not _needs_quotes(keys)
        if self._time is not None and not self._dataset.keys_only:
            time = self._cells.coded(batch, self._time.id, _as_is, slot="key")
            pieces += [".", time]
            plain = plain and not _needs_quotes(time.table)
        return pieces if plain else [Texts(_quoted(self._key.rows(pieces, batch.num_rows)))]

    # cells --------------------------------------------------------------------------------------------------------

    def _cell(self, batch: pa.RecordBatch, name: str) -> list[Piece]:
        """A separator and a cell, and with ``labels=name`` another separator and the name's cell."""
        column = self._columns.get(name)
        pieces: list[Piece] = [SEPARATOR]
        if column is None or (
            self._dataset.keys_only
            and (column.role in ("time", "measure") or column.level is None)
            and column.role != "dimension"
        ):
            return pieces * (2 if self._options.labels == "name" else 1)
        name = column.id
        if column.kind in ("code", "text"):
            pieces.append(self._cells.coded(batch, name, self._make(column), slot="cell"))
        elif column.kind == "number":
            pieces += numbers(batch, column, "", "")
        else:
            pieces += wrapped(self._several(batch, column), "", "")
        if self._options.labels == "name":
            pieces.append(SEPARATOR)
            if (names := self._names(column)) is not None:
                pieces.append(self._cells.coded(batch, name, names, slot="name"))
            elif column.kind == "multi" and name in self._dataset.labels.codes:
                joined = joined_values(batch, column, self._each_name(column), _tagged, SUBFIELD)
                pieces += wrapped(None if joined is None else by_distinct(joined, _quoted), "", "")
        return pieces

    def _make(self, column: Column) -> Make:
        if column.role == "time":
            if (normalise := self._normalise) is not None:
                return lambda values: _quoted(normalise(values))
            return _quoted
        names = self._names(column) if self._options.labels == "both" else None
        if names is None:
            return _quoted
        both = self._both(column)
        return lambda values: _quoted(both(values))

    def _both(self, column: Column) -> Make:
        labels, languages = self._dataset.labels.codes[column.id], self._options.languages
        return lambda values: pa.array(
            [f"{code}: {labels[code].name(languages)}" if code in labels else code for code in values.to_pylist()],
            pa.string(),
        )

    def _each_name(self, column: Column) -> Make:
        """The names of the codes of a multi-valued cell."""
        labels, languages = self._dataset.labels.codes[column.id], self._options.languages
        return lambda values: _subquoted(
            pa.array([_name(labels.get(code), languages) for code in values.to_pylist()], pa.string())
        )

    def _names(self, column: Column) -> Make | None:
        """Codes to the cells of their names; None where the component has no coded values."""
        labels, languages = self._dataset.labels.codes.get(column.id), self._options.languages
        if not labels or column.kind != "code":
            return None
        return lambda values: _quoted(
            pa.array([_name(labels.get(code), languages) for code in values.to_pylist()], pa.string())
        )

    def _several(self, batch: pa.RecordBatch, column: Column) -> Strings | None:
        """A multi-valued or multilingual cell."""
        each: Make = _as_is
        if self._options.labels == "both" and column.kind == "multi" and column.id in self._dataset.labels.codes:
            each = self._both(column)
        if self._version != "1.0":
            joined = joined_values(batch, column, lambda values: _subquoted(each(values)), _tagged, SUBFIELD)
        elif column.kind == "multi":
            joined = joined_values(batch, column, each, lambda _: _as_is, "; ")
        else:
            joined = best_texts(batch, column, self._options.languages)
        return None if joined is None else by_distinct(joined, _quoted)


def _name(item: Item | None, languages: Sequence[str]) -> str:
    return "" if item is None else item.name(languages)


def _lead(dataset: Dataset, options: WriteOptions, version: str) -> str:
    """The cells before the first component, the same on every row."""
    name = dataset.labels.structure.text(options.languages, "")
    ref = (dataset.dataflow or dataset.ref) if version == "1.0" else dataset.ref
    text = f"{_exact(ref)}: {name}" if options.labels == "both" and name else _exact(ref)
    if version == "1.0":
        return quoted(text)
    cells = [_STRUCTURES.get(dataset.ref.type, "datastructure"), text]
    cells += [name] if options.labels == "name" else []
    return SEPARATOR.join(map(quoted, [*cells, _ACTIONS[version][dataset.action]]))


def _exact(ref: Ref) -> str:
    return f"{ref.agency}:{ref.id}({ref.version})"


# -------------------------------------------------------------------------------------------------------------- values


def _as_is(values: Strings) -> Strings:
    return values


_SPECIAL = f'[{SEPARATOR}"\\r\\n]'


def quoted(text: str) -> str:
    """A cell, quoted where RFC 4180 asks for it."""
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in f'{SEPARATOR}"\r\n') else text


def _needs_quotes(values: Strings) -> bool:
    return bool(pc.any(pc.match_substring_regex(values, _SPECIAL)).as_py())


def _quoted(values: Strings) -> Strings:
    """Cells, quoted where RFC 4180 asks for it."""
    special = pc.match_substring_regex(values, _SPECIAL)
    if not pc.any(special).as_py():
        return values
    doubled = pc.replace_substring(values, '"', '""')
    return pc.if_else(special, pc.binary_join_element_wise('"', doubled, '"', ""), values)


def _subquoted(values: Strings) -> Strings:
    """Values of a multi-valued cell, quoted where they hold the sub-field separator or begin with a quote."""
    special = pc.or_(pc.match_substring(values, SUBFIELD), pc.starts_with(values, '"'))
    if not pc.any(special).as_py():
        return values
    doubled = pc.replace_substring(values, '"', '""')
    return pc.if_else(special, pc.binary_join_element_wise('"', doubled, '"', ""), values)


def _tagged(tag: str) -> Make:
    """Texts of a language as ``tag:text``."""
    return lambda values: pc.binary_join_element_wise(f"{tag}:", _subquoted(values), "")


def _normaliser(dataset: Dataset) -> Make:
    """``timeFormat=normalized``: the first moment of each period, with a time where the message has points in time."""
    time = dataset.structure.time_dimension
    known = dataset.domains.get(time.id, ()) if time is not None else ()
    with_time = any("T" in text for text in known)

    def normal(text: str) -> str:
        try:
            period = parse_period(text)
            return normalise(period, with_time=with_time or period.kind is PeriodKind.DATE_TIME)
        except SyntaxFault:
            return text

    return lambda values: pa.array([normal(text) for text in values.to_pylist()], pa.string())
