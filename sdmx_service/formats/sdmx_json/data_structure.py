"""The parts of an SDMX-JSON data message that stand before the data: meta, and the structure of each data set."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from functools import lru_cache
from typing import Any, cast

import orjson
import pyarrow as pa

from sdmx_service.errors import CannotWrite, SyntaxFault
from sdmx_service.formats.arrangement import Arrangement
from sdmx_service.formats.fragments import Make, Strings, pc
from sdmx_service.formats.sdmx_json.header import Speech, write_header
from sdmx_service.model.artefact import NO_TEXTS, Item, Texts
from sdmx_service.model.columns import NOT_APPLICABLE, Column
from sdmx_service.model.message import Dataset, Header, WriteOptions
from sdmx_service.model.period import normalise, parse_period
from sdmx_service.model.structure import Attribute, Measure
from sdmx_service.model.urn import Ref

SCHEMAS = {
    "2.0": "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/data-message/tools/schemas/2.0.0/sdmx-json-data-schema.json",
    "2.1": "https://json.sdmx.org/2.1/sdmx-json-data-schema.json",
}
_FEW = 16
"""A component with at most so many values is kept as written."""
_ID = re.compile(r"[A-Za-z0-9_@$-]+")


@dataclass(frozen=True, slots=True)
class ValueLists:
    """Per dimension and coded component the values that the data point to."""

    values: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, dataset: Dataset, arrangement: Arrangement) -> ValueLists:
        """The lists of a data set.

        Raises:
            CannotWrite: it does not say which values of a dimension occur.
        """
        coded = [*arrangement.measures, *arrangement.dataset_attributes, *arrangement.group_attributes]
        coded += [*arrangement.series_attributes, *arrangement.observation_attributes]
        names = [one.id for one in coded if one.kind == "code" and dataset.domains.get(one.id)]
        for one in arrangement.dimensions:
            if one.id not in dataset.domains:
                raise CannotWrite(f"SDMX-JSON lists the values of {one.id} before the data, and they are not known.")
            names.append(one.id)
        return cls({name: tuple(dataset.domains[name]) for name in names})

    def has(self, column: Column) -> bool:
        """Whether the data point into a list for that component."""
        return column.id in self.values

    def positions(self, name: str) -> Make:
        """Values to their positions in the list; an empty text for a value that is not listed."""
        known = pa.array(self.values[name], pa.string())

        def positions(values: Strings) -> Strings:
            return pc.fill_null(pc.index_in(values, value_set=known).cast(pa.string()), "")

        return positions


def json_id(id: str) -> str:
    """*Choice*: the path of a nested metadata attribute with ``-``, since no id of SDMX-JSON data may have a dot."""
    return id.replace(".", "-")


def message_head(header: Header, options: WriteOptions, version: str) -> bytes:
    """The message up to and with ``meta``, without its closing brace."""
    languages = header.languages or options.languages[:1]
    speech = Speech(wishes=options.languages, everything=options.all_languages)
    if header.prepared is not None and header.prepared.tzinfo is None:  # the schema wants a zone
        header = replace(header, prepared=header.prepared.replace(tzinfo=UTC))
    meta = write_header(header, languages=languages, speech=speech)
    if version == "2.0":
        return b'{"meta":' + orjson.dumps({"schema": SCHEMAS[version], **meta})
    return orjson.dumps({"$schema": SCHEMAS[version], "meta": meta})[:-1]


def _named(name: str, texts: Texts, options: WriteOptions, default: str | None = None) -> dict[str, Any]:
    """``name`` in the best language and, if all are asked for, ``names``."""
    text = texts.text(options.languages, default or "")
    if not text:
        return {}
    return {name: text, **({f"{name}s": dict(texts)} if options.all_languages and texts else {})}


# ----------------------------------------------------------------------------------------------------------- structure


def describe(
    dataset: Dataset, arrangement: Arrangement, lists: ValueLists, options: WriteOptions, version: str, number: int
) -> dict[str, Any]:
    """The structure of one data set."""
    writer = _Describer(dataset, lists, options, version)
    place = {one: number for number, one in enumerate(dataset.structure.key_ids)}
    name = dataset.labels.structure or dataset.structure.names
    return {
        "dataSets": [number],
        **_named("name", name, options, dataset.ref.id),
        "links": links_to(dataset),
        "dimensions": {
            "dataSet": [],
            "series": [writer.part(one, place[one.id]) for one in arrangement.series_dimensions],
            "observation": [writer.part(one, place[one.id]) for one in arrangement.observation_dimensions],
        },
        "measures": {"observation": [writer.part(one) for one in arrangement.measures]},
        "attributes": {
            "dataSet": [writer.part(one) for one in arrangement.dataset_attributes],
            "dimensionGroup": [writer.part(one) for one in arrangement.group_attributes],
            "series": [writer.part(one) for one in arrangement.series_attributes],
            "observation": [writer.part(one) for one in arrangement.observation_attributes],
        },
    }


def links_to(dataset: Dataset) -> list[dict[str, str]]:
    """Links to what describes a data set, what the message names first."""
    refs: dict[str, Ref] = {dataset.ref.type: dataset.ref}
    if dataset.dataflow is not None:
        refs.setdefault("Dataflow", dataset.dataflow)
    refs.setdefault("DataStructure", dataset.structure.ref)
    return [{"rel": kind.lower(), "urn": ref.urn} for kind, ref in refs.items()]


class _Describer:
    """Describes the components of a data set."""

    def __init__(self, dataset: Dataset, lists: ValueLists, options: WriteOptions, version: str) -> None:
        self._labels, self._lists, self._options, self._version = dataset.labels, lists, options, version
        self._same = ("sdmx-json", version, dataset.structure.ref, options.languages, options.all_languages)

    def part(self, column: Column, place: int | None = None) -> orjson.Fragment:
        """A component; that of few values is kept, as small answers ask for the same ones again and again."""
        values = self._lists.values.get(column.id, ())
        if len(values) > _FEW:
            return self._written(column, place)
        key = (*self._same, column.id, place, values)
        found = self._labels.kept.get(key)
        if found is None:
            found = self._labels.kept[key] = self._written(column, place)
        return cast(orjson.Fragment, found)

    def _written(self, column: Column, place: int | None) -> orjson.Fragment:
        if place is not None:
            return orjson.Fragment(orjson.dumps(self.dimension(column, place)))
        described = self.measure(column) if column.role == "measure" else self.attribute(column)
        return orjson.Fragment(orjson.dumps(described))

    def dimension(self, column: Column, place: int) -> dict[str, Any]:
        """A dimension with its place in the key and its values."""
        values = self._lists.values[column.id]
        if column.role == "time":
            listed: list[Any] = [self._period(text) for text in values]
        else:
            listed = [self._code(column, code, values) for code in values]
        roles = [role.item for role in column.component.concept_roles if role.item]
        if column.role == "time":
            roles = roles or [column.id]
        described = {
            "id": column.id,
            **self._names(column),
            "keyPosition": place,
            **({"roles": roles} if roles else {}),
        }
        if not listed and self._version == "2.0":  # which wants some: the mark of a dimension that does not apply
            listed = [{"value": NOT_APPLICABLE, "name": NOT_APPLICABLE}]
        return {**described, "values": listed} if listed else described

    def measure(self, column: Column) -> dict[str, Any]:
        """A measure with its format."""
        measure = column.component
        mandatory = isinstance(measure, Measure) and measure.usage == "mandatory"
        return {"id": column.id, **self._names(column), "isMandatory": mandatory, **self._form(column)}

    def attribute(self, column: Column) -> dict[str, Any]:
        """An attribute with what it belongs to and its format."""
        attribute = column.component
        mandatory = isinstance(attribute, Attribute) and attribute.usage == "mandatory"
        if column.level is None:
            relation: dict[str, Any] = {"observation": {}}
        else:
            relation = {"dimensions": list(column.level)} if column.level else {"dataflow": {}}
        described = {
            "id": json_id(column.id),
            **self._names(column),
            "isMandatory": mandatory,
            "relationship": relation,
        }
        return {**described, **self._form(column)}

    def _names(self, column: Column) -> dict[str, Any]:
        texts = self._labels.components.get(column.id, NO_TEXTS) or column.component.names
        return _named("name", texts, self._options, column.id)

    def _form(self, column: Column) -> dict[str, Any]:
        """Data type, occurrence and, where the data point into them, values."""
        form = column.component.form
        described: dict[str, Any] = {}
        if not form.is_coded:
            described["dataType"] = form.data_type
        if column.kind == "multilingual":
            described["isMultiLingual"] = True
        occurs: dict[str, Any] = {}
        if column.kind == "multi":
            occurs = {"minOccurs": form.min_occurs or 0, "maxOccurs": form.max_occurs}
        if self._version == "2.0":
            described |= occurs
            occurs = {}
        whole = {**({"format": described} if described else {}), **occurs}
        if self._lists.has(column):
            values = self._lists.values[column.id]
            whole["values"] = [self._code(column, code, values) for code in values]
        return whole

    def _code(self, column: Column, code: str, listed: Sequence[str]) -> dict[str, Any]:
        item = self._labels.codes.get(column.id, {}).get(code)
        if _ID.fullmatch(code) is None:
            return {"value": code, **_named("name", _item_names(item), self._options)}
        parent = item.parent if item is not None and item.parent in listed else None
        named = _named("name", _item_names(item), self._options, code)
        return {"id": code, **named, **({"parent": parent} if parent else {})}

    def _period(self, text: str) -> orjson.Fragment:
        return _written_period(text, "id" if self._version == "2.0" and _ID.fullmatch(text) else "value")


@lru_cache(maxsize=8192)
def _written_period(text: str, key: str) -> orjson.Fragment:
    """A period with its first and last second, as far as they have a date."""
    return orjson.Fragment(orjson.dumps({key: text, "name": text, **moments(text)}))


def moments(text: str) -> dict[str, str]:
    """The first and last second of a period, if it has a date."""
    try:
        period = parse_period(text)
        start, end = (_zoned(normalise(period, moment, with_time=True)) for moment in ("start", "end"))
    except SyntaxFault:
        return {}
    return {"start": start, "end": end}


def _item_names(item: Item | None) -> Texts:
    return NO_TEXTS if item is None else item.names


def _zoned(text: str) -> str:
    return text if text.endswith("Z") or re.search(r"[+-]\d\d:\d\d$", text) else text + "Z"
