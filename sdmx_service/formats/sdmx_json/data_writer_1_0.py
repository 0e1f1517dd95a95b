"""Data messages to SDMX-JSON 1.0 (SDMX-JSON 1.0 field guide, *data message*).

*Standard:* one ``structure`` for all data sets; the values of every attribute, coded or not, are listed once and the
data hold positions; a dimension with a single value stands at the level of the data set; no value is ``null``.
*Choices:* the structure stands behind the data, as in the official sample ``agri.json``: the texts that occur are known
when they have been written, so memory grows with the distinct texts and not with the observations. 1.0 knows one
measure and one value per component: further measures are written like attributes of the observation, several values
are joined by ``"; "``, of a multilingual text the best language is written (``names`` has the others where all are
asked for). The schema allows few signs in an ``id``: a value with others has them replaced by ``_`` there, and ``name``
is the value itself. Groups do not exist: their attributes stand at the series or, in the flat view, the observation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

import orjson
import pyarrow as pa

from sdmx_service.errors import CannotWrite
from sdmx_service.formats.arrangement import arrange, attached, observation_dimension
from sdmx_service.formats.chunks import packed
from sdmx_service.formats.fragments import (
    Cells,
    Piece,
    Renderer,
    Strings,
    best_texts,
    by_distinct,
    joined_bytes,
    joined_values,
    numbers,
    pc,
    texts_of,
    wrapped,
)
from sdmx_service.formats.sdmx_json.data_structure import links_to, moments
from sdmx_service.formats.sdmx_json.data_writer import json_booleans, json_numbers, json_strings
from sdmx_service.formats.sdmx_json.header import Speech, put_texts, write_header
from sdmx_service.formats.series import SeriesWriter
from sdmx_service.model.artefact import NO_TEXTS, Texts
from sdmx_service.model.columns import Column
from sdmx_service.model.message import Action, Dataset, Header, Message, WriteOptions

SCHEMA = "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/data-message/tools/schemas/1.0/sdmx-json-data-schema.json"
PRIMARY_MEASURE = "OBS_VALUE"
_ACTIONS = {Action.MERGE: "Append", Action.REPLACE: "Replace", Action.DELETE: "Delete"}
_ID = re.compile(r"[A-Za-z0-9_@$-]+")
_NO_ID = re.compile(r"[^A-Za-z0-9_@$-]")


def write_data_1_0(message: Message, options: WriteOptions) -> Iterator[bytes]:
    """The data sets of a message as SDMX-JSON 1.0.

    Args:
        options: ``languages``; ``all_languages`` adds ``names`` beside each ``name``.

    Raises:
        CannotWrite: the data sets are of several structures or seen from several dimensions, or one does not say which
            values of a dimension occur.
    """
    datasets = list(message.datasets)
    return packed(_chunks(message.header, datasets, options))


def _chunks(header: Header, datasets: Sequence[Dataset], options: WriteOptions) -> Iterator[bytes]:
    yield b'{"meta":' + _meta(header, options) + b',"data":{"dataSets":['
    if datasets:
        writer = _Writer(datasets, options)
        for number, dataset in enumerate(datasets):
            yield b"," if number else b""
            yield from writer.chunks(dataset)
        yield b'],"structure":' + writer.structure() + b"}}"
    else:
        yield b'],"structure":{"dimensions":{}}}}'


def _meta(header: Header, options: WriteOptions) -> bytes:
    """The header; 1.0 calls the contacts of a party ``contact``."""
    if header.prepared is not None and header.prepared.tzinfo is None:  # the schema wants a zone
        header = replace(header, prepared=header.prepared.replace(tzinfo=UTC))
    speech = Speech(wishes=options.languages, everything=options.all_languages)
    meta = write_header(header, languages=header.languages or options.languages[:1], speech=speech)
    for party in (meta["sender"], *meta.get("receivers", ())):
        if "contacts" in party:
            party["contact"] = party.pop("contacts")
    return orjson.dumps({"schema": SCHEMA, **meta})


class _Listing:
    """The values of a component, each at its position; new ones are added as they occur."""

    def __init__(self, values: Sequence[str] = (), *, is_closed: bool = False) -> None:
        self._places = {value: place for place, value in enumerate(values)}
        self._is_closed = is_closed

    @property
    def values(self) -> tuple[str, ...]:
        """All values so far."""
        return tuple(self._places)

    def positions(self, values: Strings) -> Strings:
        """Distinct values to their positions.

        Raises:
            CannotWrite: a value that a closed list does not have.
        """
        places = self._places
        if self._is_closed:
            for value in values.to_pylist():
                if value not in places:
                    raise CannotWrite(f"The value {value!r} occurs, and the data set does not list it.")
        return pa.array([str(places.setdefault(value, len(places))) for value in values.to_pylist()], pa.string())


class _Writer:
    """Writes all data sets of a message, then the one structure they share."""

    def __init__(self, datasets: Sequence[Dataset], options: WriteOptions) -> None:
        self._datasets, self._options = datasets, options
        self._speech = Speech(wishes=options.languages, everything=options.all_languages)
        self._whole = _shared(datasets)
        self._arrangement = arrange(self._whole, groups="none")
        self._lists = {one.id: _Listing(self._occurring(one), is_closed=True) for one in self._arrangement.dimensions}
        self._primary, self._attributes = self._observed()
        for one in (*self._arrangement.dataset_attributes, *self._arrangement.series_attributes, *self._attributes):
            known = self._occurring(one) if one.kind == "code" else ()
            self._lists[one.id] = _Listing(known)
        self._fixed, self._series, self._observation = self._levels()

    def _occurring(self, column: Column) -> Sequence[str]:
        """The values of a component in all data sets, in the order of the first.

        Raises:
            CannotWrite: a data set does not say which values of a dimension occur.
        """
        found: dict[str, None] = {}
        for dataset in self._datasets:
            if column.role in ("dimension", "time") and column.id not in dataset.domains:
                raise CannotWrite(f"SDMX-JSON lists the values of {column.id}, and they are not known.")
            found |= dict.fromkeys(dataset.domains.get(column.id, ()))
        return tuple(found)

    def _observed(self) -> tuple[Column | None, tuple[Column, ...]]:
        """What 1.0 takes for the measure, and what it takes for attributes of the observation."""
        measures = self._arrangement.measures
        ids = [one.id for one in self._whole.structure.measures]
        wanted = PRIMARY_MEASURE if PRIMARY_MEASURE in ids else next(iter(ids), None)
        primary = next((one for one in measures if one.id == wanted), None)
        further = tuple(one for one in measures if one is not primary)
        return primary, (*further, *self._arrangement.observation_attributes)

    def _levels(self) -> tuple[tuple[Column, ...], tuple[Column, ...], tuple[Column, ...]]:
        """Dimensions at data set, series and observation: those of one value at the data set, where a key is left."""
        keyed = self._arrangement.series_dimensions or self._arrangement.observation_dimensions
        single = [one for one in keyed if len(self._lists[one.id].values) == 1]
        fixed = tuple(single if len(single) < len(keyed) else single[:-1])
        rest = tuple(one for one in keyed if one not in fixed)
        if self._arrangement.is_flat:
            return fixed, (), rest
        return fixed, rest, self._arrangement.observation_dimensions

    # data -----------------------------------------------------------------------------------------------------------

    def chunks(self, dataset: Dataset) -> Iterator[bytes]:
        """One data set."""
        cells = _Rows(self, dataset)
        head: dict[str, Any] = {"links": links_to(dataset), "action": _ACTIONS[dataset.action]}
        for name, text in (("validFrom", dataset.valid_from), ("validTo", dataset.valid_to)):
            head |= {name: text} if text else {}
        yield orjson.dumps(head)[:-1]
        if self._arrangement.dataset_attributes:
            yield b',"attributes":' + self._of_dataset(dataset, cells)
        yield b',"observations":{' if self._arrangement.is_flat else b',"series":{'
        end = "}" if dataset.keys_only else "}}"
        yield from SeriesWriter(
            dataset,
            self._arrangement,
            begin=cells.begin,
            observe=cells.observe,
            end=end,
            between_series=",",
            between_observations=",",
        ).chunks()
        yield b"}}"

    def _of_dataset(self, dataset: Dataset, cells: _Rows) -> bytes:
        attributes = self._arrangement.dataset_attributes
        batch = attached(dataset, attributes)
        if batch is None:
            return orjson.dumps([None] * len(attributes))
        return joined_bytes(Renderer().rows(cells.array(batch, attributes), 1))

    # structure ------------------------------------------------------------------------------------------------------

    def structure(self) -> bytes:
        """The structure, when all data sets have been written."""
        whole, arrangement = self._whole, self._arrangement
        names = whole.labels.structure or whole.structure.names
        return orjson.dumps(
            {
                **self._called(names, whole.ref.id),
                "links": links_to(whole),
                "dimensions": {
                    "dataSet": [self._dimension(one) for one in self._fixed],
                    "series": [self._dimension(one) for one in self._series],
                    "observation": [self._dimension(one) for one in self._observation],
                },
                "attributes": {
                    "dataSet": [self._attribute(one) for one in arrangement.dataset_attributes],
                    "series": [self._attribute(one) for one in arrangement.series_attributes],
                    "observation": [self._attribute(one) for one in self._attributes],
                },
            }
        )

    def _called(self, names: Texts, default: str) -> dict[str, Any]:
        described: dict[str, Any] = {"name": default}
        put_texts(described, "name", "names", names, self._speech)
        return described

    def _named(self, column: Column) -> dict[str, Any]:
        texts = self._whole.labels.components.get(column.id, NO_TEXTS) or column.component.names
        return {"id": column.id, **self._called(texts, column.id)}

    def _dimension(self, column: Column) -> dict[str, Any]:
        roles = [role.item for role in column.component.concept_roles if role.item]
        if column.role == "time":
            roles = roles or [column.id]
        return {
            **self._named(column),
            "keyPosition": self._whole.structure.key_ids.index(column.id),
            **({"roles": roles} if roles else {}),
            "values": [self._coded(column, value) for value in self._lists[column.id].values],
        }

    def _attribute(self, column: Column) -> dict[str, Any]:
        if column.role == "attribute" and column.level is not None:
            relation: dict[str, Any] = {"dimensions": list(column.level)} if column.level else {"none": {}}
        else:
            primary = self._primary.id if self._primary is not None else PRIMARY_MEASURE
            relation = {"primaryMeasure": primary}
        values = self._lists[column.id].values
        form = self._coded if column.kind == "code" else self._uncoded
        return {**self._named(column), "relationship": relation, "values": [form(column, one) for one in values]}

    def _coded(self, column: Column, value: str) -> dict[str, Any]:
        """A code or period. Its ``id`` has few signs only, so another text is its ``name`` as well."""
        if column.role == "time" or _ID.fullmatch(value) is None:
            described: dict[str, Any] = {"id": _NO_ID.sub("_", value), "name": value}
            return {**described, **moments(value)} if column.role == "time" else described
        names = self._code_names(column.id, value)
        return {"id": value, **self._called(names, value)}

    def _code_names(self, component: str, code: str) -> Texts:
        for dataset in self._datasets:
            item = dataset.labels.codes.get(component, {}).get(code)
            if item is not None:
                return item.names
        return NO_TEXTS

    def _uncoded(self, column: Column, value: str) -> dict[str, Any]:
        if column.kind == "multilingual" and self._options.all_languages:
            return self._called(Texts(orjson.loads("{" + value + "}")), "")
        return {"name": value}


class _Rows:
    """The rows of one data set as pieces."""

    def __init__(self, writer: _Writer, dataset: Dataset) -> None:
        self._writer, self._dataset = writer, dataset
        self._cells = Cells()

    def begin(self, heads: pa.RecordBatch) -> list[Piece]:
        """What opens a series."""
        writer = self._writer
        pieces: list[Piece] = ['"', *self._key(heads, writer._series), '":{']
        attributes = writer._arrangement.series_attributes
        if attributes:
            pieces += ['"attributes":', *self.array(heads, attributes)]
        if self._dataset.keys_only:
            return pieces
        return [*pieces, "," if attributes else "", '"observations":{']

    def observe(self, batch: pa.RecordBatch) -> list[Piece]:
        """An observation: its value, then the positions of its attributes."""
        writer = self._writer
        pieces: list[Piece] = ['"', *self._key(batch, writer._observation), '":[']
        pieces += self._measure(batch, writer._primary) if writer._primary is not None else ["null"]
        for column in writer._attributes:
            pieces += [",", *self._position(batch, column)]
        return [*pieces, "]"]

    def array(self, batch: pa.RecordBatch, columns: Sequence[Column]) -> list[Piece]:
        """The positions of several attributes."""
        pieces: list[Piece] = ["["]
        for number, column in enumerate(columns):
            pieces += ["," if number else "", *self._position(batch, column)]
        return [*pieces, "]"]

    def _key(self, batch: pa.RecordBatch, columns: Sequence[Column]) -> list[Piece]:
        pieces: list[Piece] = []
        for column in columns:
            pieces += [":", *self._position(batch, column)]
        return pieces[1:]

    def _position(self, batch: pa.RecordBatch, column: Column) -> list[Piece]:
        """Positions in the list of values, ``null`` where there is no value."""
        make = self._writer._lists[column.id].positions
        if column.kind in ("code", "text"):
            return [self._cells.coded(batch, column.id, make, absent="null", slot="position")]
        texts = self._one_text(batch, column)
        return wrapped(None if texts is None else by_distinct(texts, make), "", "", "null")

    def _one_text(self, batch: pa.RecordBatch, column: Column) -> Strings | None:
        if column.kind == "number":
            return texts_of(batch, column)
        if column.kind == "multi":
            return joined_values(batch, column, _as_is, lambda _: _as_is, "; ")
        if self._writer._options.all_languages:
            return joined_values(batch, column, json_strings, _tagged, ",")
        return best_texts(batch, column, self._writer._options.languages)

    def _measure(self, batch: pa.RecordBatch, column: Column) -> list[Piece]:
        """The observation value, a number or a string."""
        if column.kind == "number":
            values = texts_of(batch, column)
            plain = values is not None and not pc.all(pc.is_null(values)).as_py()
            if plain and _has_marks(batch, column):
                return wrapped(json_numbers(values), "", "", "null")
            return numbers(batch, column, "", "", "null")
        if column.kind in ("code", "text"):
            make = json_booleans if column.component.form.data_type == "Boolean" else json_strings
            return [self._cells.coded(batch, column.id, make, absent="null", slot="value")]
        texts = self._one_text(batch, column)
        return wrapped(None if texts is None else by_distinct(texts, json_strings), "", "", "null")


def _has_marks(batch: pa.RecordBatch, column: Column) -> bool:
    """Some numbers have a text of their own, which may be no number of JSON."""
    position = batch.schema.get_field_index(column.text)
    return position >= 0 and bool(batch.column(position).null_count < batch.num_rows)


def _shared(datasets: Sequence[Dataset]) -> Dataset:
    """The first data set with every component that any of them shows.

    Raises:
        CannotWrite: they have no structure or no view in common.
    """
    first = datasets[0]
    views = {(one.structure.ref, one.structure.key_ids, observation_dimension(one)) for one in datasets}
    if len(views) > 1:
        raise CannotWrite(
            "SDMX-JSON 1.0 describes one structure, and these data are of several.",
            hint="Ask for one dataflow and version, or for SDMX-JSON 2.1.",
        )
    if any(one.components is None for one in datasets):
        components = None
    else:
        shown = {name for one in datasets for name in one.components or ()}
        components = tuple(one.id for one in first.structure.components if one.id in shown)
    fullest = next((one for one in datasets if one.action is not Action.DELETE), first)
    return replace(fullest, components=components)


def _as_is(values: Strings) -> Strings:
    return values


def _tagged(tag: str) -> Any:
    """Texts of a language as members of an object."""
    name = orjson.dumps(tag).decode()
    return lambda values: pc.binary_join_element_wise(name, json_strings(values), ":")
