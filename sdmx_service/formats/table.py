"""A data message as one table of Arrow batches: the columns of SDMX-CSV 2.1, typed as ``model.columns`` types them.

*Extension* (``docs/formats.md``): ``STRUCTURE``, ``STRUCTURE_ID`` and ``ACTION`` say of each row what it belongs to and
what it does; then dimensions, measures and attributes. A number is three columns, ``ID``, ``ID.decimals`` and
``ID.text``, so that its digits come back; where it is a mark (``NaN``, ``#N/A``), only the text says something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from sdmx_service.formats.arrangement import level_rows
from sdmx_service.formats.fragments import Runs, Strings, array_of, joined_values, pc, texts_of
from sdmx_service.model.artefact import NO_TEXTS, Item
from sdmx_service.model.columns import MARKS, Column, Kind, columns, typed_fields
from sdmx_service.model.message import Action, Dataset, Message, WriteOptions
from sdmx_service.model.representation import Representation

LEADING = ("STRUCTURE", "STRUCTURE_ID", "ACTION")
STRUCTURES = {"Dataflow": "dataflow", "DataStructure": "datastructure", "ProvisionAgreement": "dataprovision"}
ACTIONS = {Action.MERGE: "M", Action.REPLACE: "R", Action.DELETE: "D"}
LABELS = ("id", "name", "both")
COLUMNS = ("used", "all")
SHEET_ROWS = 1_048_575
"""Rows of a spreadsheet below its heading."""
METADATA = b"sdmx"
"""Key of the schema's metadata under which a JSON object describes the table."""
_CODE = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A message as a table; ``batches`` are read once, and each has the schema.

    Attributes:
        leading: dimensions with more than one value, in the order of the rows: what readers can leave parts out by.
    """

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    leading: tuple[str, ...] = ()


def table_of(message: Message, options: WriteOptions) -> Table:
    """The data sets of a message one behind the other.

    Args:
        options: ``labels``: with ``name`` a column ``ID.name`` stands behind each coded component, with ``both`` its
            values are ``code: name``; ``languages`` of the names; ``columns``: with ``used`` a coded attribute or
            measure of which no value occurs has no column; ``release`` is told in the schema.
    """
    datasets = list(message.datasets)
    every = merged_columns(datasets)
    chosen = {id: one for id, one in every.items() if options.columns == "all" or _is_used(one, datasets)}
    schema = pa.schema(
        [*(pa.field(name, _CODE, nullable=False) for name in LEADING), *_fields(chosen, datasets, options)],
        metadata={METADATA: orjson.dumps(described(message, datasets, every, options))},
    )
    leading = tuple(
        id
        for id, column in chosen.items()
        if column.role == "dimension" and len({code for one in datasets for code in one.domains.get(id, ())}) > 1
    )
    return Table(schema=schema, batches=_batches(datasets, chosen, schema, options), leading=leading)


def _is_used(column: Column, datasets: Sequence[Dataset]) -> bool:
    """Whether a value of it may occur: of a coded component the values that occur are known before the rows."""
    if column.kind != "code" or column.role in ("dimension", "time"):
        return True
    return any(one.only_attributes or one.domains.get(column.id, (column.id,)) for one in datasets)


def merged_columns(datasets: Iterable[Dataset]) -> dict[str, Column]:
    """The columns of all data sets by id: all dimensions, then all measures, then all attributes, each once.

    SDMX-CSV 2.1 field guide, *Columns*: "first the dimensions of the first data structure, then the remaining
    dimensions of the second and so forth, then the measures ..., then the attributes".
    """
    found: dict[str, Column] = {}
    for dataset in datasets:
        for one in shown_columns(dataset):
            found.setdefault(one.id, one)
    return dict(sorted(found.items(), key=lambda item: _PLACES[item[1].role]))


_PLACES = {"dimension": 0, "time": 0, "measure": 1, "attribute": 2}


def shown_columns(dataset: Dataset) -> tuple[Column, ...]:
    """The columns of a data set: its dimensions, and what is to be written of the others."""
    every = columns(dataset.structure)
    if dataset.components is None:
        return every
    return tuple(one for one in every if one.role in ("dimension", "time") or one.id in dataset.components)


def shown_rows(dataset: Dataset) -> Iterator[pa.RecordBatch]:
    """The batches of a data set without empty ones; one row per series where only keys are asked for.

    Attributes without observations are rows of the keys they belong to, the other dimensions null.
    """
    if dataset.only_attributes:
        yield from (batch for batch in level_rows(dataset) if batch.num_rows)
        return
    runs = Runs([one.id for one in columns(dataset.structure) if one.role == "dimension"])
    for batch in dataset.batches:
        if dataset.keys_only and batch.num_rows:
            batch = batch.filter(pa.array(runs.starts(batch)))
        if batch.num_rows:
            yield batch


def is_shown(dataset: Dataset, column: Column) -> bool:
    """Whether the rows say something of a column: keys alone have no period, measures or observation attributes."""
    if not dataset.keys_only or column.role == "dimension":
        return True
    return column.role == "attribute" and column.level is not None


def code_name(items: Mapping[str, Item], code: str | None, languages: Sequence[str]) -> str | None:
    """The name of a code, None where it has none."""
    item = items.get(code) if code is not None else None
    return item.name(languages) if item is not None else None


# ------------------------------------------------------------------------------------------------------------- schema


def _fields(chosen: Mapping[str, Column], datasets: Sequence[Dataset], options: WriteOptions) -> Iterator[pa.Field]:
    is_whole = len({one.structure.key_ids for one in datasets}) == 1 and all(map(_has_whole_keys, datasets))
    for column in chosen.values():
        kind = _kind(column.id, datasets)
        label = _label(column, datasets, options)
        said = {"sdmx:role": column.role, **({"sdmx:name": label} if label else {})}
        if kind == column.kind:
            fields = typed_fields(column)
        else:
            fields = (pa.field(column.id, pa.string()),)
        is_key = column.role in ("dimension", "time")
        yield fields[0].with_metadata(said).with_nullable(not (is_whole and is_key))
        yield from fields[1:]
        if options.labels == "name" and column.component.form.is_coded:
            yield pa.field(f"{column.id}.name", pa.list_(pa.string()) if kind == "multi" else _CODE)


def _has_whole_keys(dataset: Dataset) -> bool:
    """Every row names every dimension."""
    return not (dataset.only_attributes or dataset.keys_only or dataset.action is Action.DELETE)


def _kind(name: str, datasets: Sequence[Dataset]) -> Kind:
    """The kind of a component in all data sets; text where they disagree."""
    kinds = {one.kind for dataset in datasets for one in columns(dataset.structure) if one.id == name}
    return kinds.pop() if len(kinds) == 1 else "text"


def _label(column: Column, datasets: Sequence[Dataset], options: WriteOptions) -> str:
    found = (dataset.labels.components.get(column.id, NO_TEXTS) for dataset in datasets)
    texts = next((one for one in found if one), column.component.names)
    return texts.text(options.languages, "")


def described(
    message: Message, datasets: Sequence[Dataset], chosen: Mapping[str, Column], options: WriteOptions
) -> dict[str, Any]:
    """What the table is about: its structures, release, components and the names of the codes that occur."""
    header = message.header
    return {
        "prepared": None if header.prepared is None else header.prepared.isoformat(),
        "sender": header.sender.id,
        "release": options.release,
        "structures": [_described_structure(one) for one in datasets],
        "components": {one.id: _described_component(one, datasets) for one in chosen.values()},
        "labels": {one.id: names for one in chosen.values() if (names := _code_names(one, datasets))},
    }


def _described_structure(dataset: Dataset) -> dict[str, Any]:
    names = dataset.labels.structure or dataset.structure.names
    found = {
        "urn": dataset.ref.urn,
        "dataflow": None if dataset.dataflow is None else dataset.dataflow.urn,
        "dataStructure": dataset.structure.ref.urn,
        "provider": None if dataset.provider is None else dataset.provider.urn,
        "action": dataset.action.value,
        "validFrom": dataset.valid_from,
        "validTo": dataset.valid_to,
    }
    return {**{name: value for name, value in found.items() if value}, "names": dict(names)}


def _described_component(column: Column, datasets: Sequence[Dataset]) -> dict[str, Any]:
    names = next((found for one in datasets if (found := one.labels.components.get(column.id))), column.component.names)
    form: Representation = column.component.form
    return {
        "role": column.role,
        "names": dict(names),
        "concept": column.component.concept.urn,
        **({"codelist": form.enumeration.urn} if form.enumeration is not None else {"dataType": form.data_type}),
        **({"level": list(column.level)} if column.level is not None else {}),
    }


def _code_names(column: Column, datasets: Sequence[Dataset]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if column.component.form.is_coded:
        for dataset in datasets:
            items = dataset.labels.codes.get(column.id, {})
            for code in dataset.domains.get(column.id, ()):
                if code not in found and (item := items.get(code)) is not None:
                    found[code] = dict(item.names)
    return found


# --------------------------------------------------------------------------------------------------------------- rows


def _batches(
    datasets: Sequence[Dataset], chosen: Mapping[str, Column], schema: pa.Schema, options: WriteOptions
) -> Iterator[pa.RecordBatch]:
    lists = [list(dict.fromkeys(_lead(one)[place] for one in datasets)) for place in range(len(LEADING))]
    tables = [pa.array(values, pa.string()) for values in lists]
    for dataset in datasets:
        own = {one.id: one for one in shown_columns(dataset) if is_shown(dataset, one)}
        leads = [
            _Repeated(values.index(text), table)
            for values, text, table in zip(lists, _lead(dataset), tables, strict=True)
        ]
        cells = _Cells(dataset, options)
        for batch in shown_rows(dataset):
            arrays: dict[str, Strings] = {
                name: lead.of(batch.num_rows) for name, lead in zip(LEADING, leads, strict=True)
            }
            for name in chosen:
                if (column := own.get(name)) is not None:
                    arrays |= cells.of(batch, column, schema)
            yield pa.RecordBatch.from_arrays([_as(arrays.get(one.name), one, batch) for one in schema], schema=schema)


class _Repeated:
    """The same text in every row, made once for the longest batch."""

    def __init__(self, place: int, table: pa.StringArray) -> None:
        self._place, self._table = place, table
        self._longest = pa.array(np.zeros(0, np.int32))

    def of(self, count: int) -> pa.DictionaryArray:
        if len(self._longest) < count:
            self._longest = pa.array(np.full(count, self._place, np.int32))
        return pa.DictionaryArray.from_arrays(self._longest.slice(0, count), self._table, safe=False)


def _lead(dataset: Dataset) -> tuple[str, str, str]:
    ref = dataset.ref
    return (STRUCTURES.get(ref.type, "datastructure"), f"{ref.agency}:{ref.id}({ref.version})", ACTIONS[dataset.action])


def _as(array: Strings | None, field: pa.Field, batch: pa.RecordBatch) -> Strings:
    if array is None:
        return pa.nulls(batch.num_rows, field.type)
    if array.type == field.type:
        return array
    if pa.types.is_dictionary(field.type) and not pa.types.is_dictionary(array.type):
        array = array.cast(pa.string()).dictionary_encode()
    return array.cast(field.type)


class _Cells:
    """The columns of the batches of one data set, with names where they are wished."""

    def __init__(self, dataset: Dataset, options: WriteOptions) -> None:
        self._dataset, self._options = dataset, options
        self._kept: dict[str, tuple[Strings, Strings]] = {}

    def of(self, batch: pa.RecordBatch, column: Column, schema: pa.Schema) -> dict[str, Strings]:
        """The arrays of a component, by the names of their columns."""
        array = array_of(batch, column.id)
        if array is None or pa.types.is_null(array.type):
            return {}
        kind = schema.field(column.id).type
        if column.kind == "number":
            return self._number(batch, column) if pa.types.is_floating(kind) else {column.id: texts_of(batch, column)}
        if column.kind in ("multi", "multilingual") and pa.types.is_string(kind):
            return {column.id: joined_values(batch, column, _as_is, lambda _: _as_is, "; ")}
        if not column.component.form.is_coded or self._options.labels == "id":
            return {column.id: array}
        return self._named(array, column)

    def _number(self, batch: pa.RecordBatch, column: Column) -> dict[str, Strings]:
        values: Strings = array_of(batch, column.id)
        texts = array_of(batch, column.text)
        if not pa.types.is_floating(values.type):
            values = values.cast(pa.float64())
        if texts is not None and texts.null_count < len(texts):
            values = pc.if_else(pc.is_in(texts, value_set=pa.array(MARKS)), pa.scalar(None, pa.float64()), values)
        found = {column.id: values, column.decimals: array_of(batch, column.decimals), column.text: texts}
        return {name: one for name, one in found.items() if one is not None}

    def _named(self, array: Strings, column: Column) -> dict[str, Strings]:
        if pa.types.is_list(array.type):
            own = self._texts(array.values, column)
            changed = pa.ListArray.from_arrays(array.offsets, own, mask=array.is_null() if array.null_count else None)
        else:
            changed = self._texts(array, column)
        if self._options.labels == "both":
            return {column.id: changed}
        return {column.id: array, f"{column.id}.name": changed}

    def _texts(self, array: Strings, column: Column) -> Strings:
        """Names (or ``code: name``) of codes, worked out once per dictionary; each different text stands once in it."""
        encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
        kept = self._kept.get(column.id)
        if kept is None or not kept[0].equals(encoded.dictionary):
            kept = self._kept[column.id] = (encoded.dictionary, self._make(column)(encoded.dictionary))
        places = kept[1].indices.take(encoded.indices)
        found = pa.DictionaryArray.from_arrays(places, kept[1].dictionary)
        return found if pa.types.is_dictionary(array.type) else found.cast(pa.string())

    def _make(self, column: Column) -> Callable[[Strings], Strings]:
        items, languages = self._dataset.labels.codes.get(column.id, {}), self._options.languages
        is_both = self._options.labels == "both"

        def text(code: str | None) -> str | None:
            name = code_name(items, code, languages)
            return (code if name is None else f"{code}: {name}") if is_both else name

        return lambda codes: pa.array([text(code) for code in codes.to_pylist()], pa.string()).dictionary_encode()


def _as_is(values: Strings) -> Strings:
    return values
