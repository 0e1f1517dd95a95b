"""JSON Schema for the data of one structure: SDMX-JSON 2.0 and 2.1.

The standard names the media type and gives no example; the design is a *choice*:

* The draft is 2020-12, and nothing outside the schema is needed. It says what the official schema cannot: which
  dimensions there are, each once and all of them; which codes their lists of values may hold; which measures and
  attributes there are and where they may stand; how many positions the key of a series or observation has; what type
  a value is of.
* Data in SDMX-JSON are arrays in the order in which the message lists its components. Types are judged by position
  where that is the order of the structure, as in every whole answer of this service (``if`` ... ``then``); in another
  order only the number of values can be.
* What the structure calls mandatory must be listed, and at its position not be ``null``. A partial answer
  (``attributes``, ``measures``) is valid against the schema with ``deletion=true``, where dimensions, values and
  attributes may be absent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sdmx_service.formats.sdmx_schema.json_types import (
    ID,
    Schema,
    array_of,
    closed,
    code_schema,
    either,
    message,
    ref,
    simple_value,
    strings,
    texts_by_language,
    time_pattern,
)
from sdmx_service.formats.sdmx_schema.placement import Placement, is_mandatory
from sdmx_service.formats.sdmx_schema.values import marks, time_type
from sdmx_service.model.columns import NOT_APPLICABLE, Column
from sdmx_service.model.message import WriteOptions
from sdmx_service.model.schema import DataSchema

_ACTIONS = ("Merge", "Replace", "Delete", "Append", "Information")
_NULL: Schema = {"type": "null"}
_INDEX: Schema = {"type": "integer", "minimum": 0}
_GAP = r"([0-9]*|~|null)"
"""A position of a key that may be absent."""


def data_schema_json(schema: DataSchema, options: WriteOptions, version: str) -> Schema:
    """The schema as a JSON document."""
    return _DataSchema(schema, options, version).document()


class _DataSchema:
    """Writes the schema of one structure."""

    def __init__(self, schema: DataSchema, options: WriteOptions, version: str) -> None:
        self._schema, self._options, self._version = schema, options, version
        self._deletes = schema.deletion
        place = Placement.of(schema)
        self._place = place
        self._dimensions = place.dimensions
        of_key = [one for one in place.every if one.role == "attribute" and one.level]
        # As the writer of data places them: what belongs to a part of the key alone stands in dimensionGroup.
        partial = [one for one in of_key if len(one.level or ()) < len(schema.structure.dimension_ids)]
        series_ids = set(schema.series_ids)
        of_series = [
            one for one in of_key if one not in partial and series_ids and set(one.level or ()) <= series_ids
        ]  # fmt: skip
        of_dataset = list(place.dataset_attributes)
        self._lists: dict[str, list[Column]] = {
            "dataSet": of_dataset,
            "dimensionGroup": partial,
            "series": of_series,
            "observation": [
                one for one in place.every
                if one.role == "attribute" and one not in (*of_dataset, *partial, *of_series)
            ],
        }  # fmt: skip

    def document(self) -> Schema:
        schema = self._schema
        at_observation = "AllDimensions" if schema.is_flat else schema.dimension_at_observation
        name = schema.names.text(self._options.languages, schema.ref.id)
        kind = "that delete data of" if self._deletes else "with data of"
        return message(
            self._version,
            f"{schema.ref.urn}:ObsLevelDim:{at_observation}",
            name,
            f"Messages of SDMX-JSON {self._version} {kind} {schema.ref.type} {schema.ref.text}.",
            self._data(),
            self._definitions(),
        )

    # --- structure --------------------------------------------------------------------------------------------------
    def _data(self) -> Schema:
        fields = {
            "structures": {"type": "array", "minItems": 1, "items": ref("structure")},
            "dataSets": {"type": "array", "items": ref("dataSet")},
        }
        return {**closed(fields, ["structures", "dataSets"]), "allOf": list(self._conditions())}

    def _definitions(self) -> Schema:
        found: Schema = {"structure": self._structure(), "dataSet": self._dataset()}
        for id, enumeration in self._schema.enumerations.items():
            found[f"codes.{id}"] = code_schema(enumeration)
        for column in self._place.every:
            found[f"component.{column.id}"] = (
                self._dimension(column) if column in self._dimensions else self._component(column)
            )
            if column not in self._dimensions:
                found[f"value.{column.id}"] = self._value(column)
        return found

    def _structure(self) -> Schema:
        fields = {
            "dataSets": {"type": "array", "items": _INDEX},
            "links": self._links(),
            "name": {"type": "string"},
            "names": ref("texts"),
            "description": {"type": "string"},
            "descriptions": ref("texts"),
            "dimensions": self._dimension_lists(),
            "measures": closed({"observation": self._list(self._place.measures, self._place.measures)},
                               self._needed(self._place.measures, "observation")),
            "attributes": self._attribute_lists(),
            "annotations": {"type": "array"},
        }  # fmt: skip
        required = ["dimensions"] if self._version == "2.0" else ["links", "dimensions", "name"]
        if not self._deletes:
            parts = (("measures", self._place.measures), ("attributes", self._attributes))
            required += [name for name, columns in parts if any(map(is_mandatory, columns))]
        return closed(fields, required)

    @property
    def _attributes(self) -> list[Column]:
        return [one for one in self._place.every if one.role == "attribute"]

    def _links(self) -> Schema:
        """One link names the artefact, in any version: a query for all versions is answered with one of them."""
        prefix = self._schema.ref.urn.partition("(")[0] + "("
        pattern = "^" + "".join(f"\\{sign}" if sign in ".()$" else sign for sign in prefix)
        if self._version == "2.0":
            return ref("links")
        return {**ref("links"), "contains": {"properties": {"urn": {"pattern": pattern}}, "required": ["urn"]}}

    def _dimension_lists(self) -> Schema:
        """All dimensions, each once: those of the view at the observation, the others in the series or the data set."""
        place = self._place
        above = place.series_dimensions if not self._schema.is_flat else self._dimensions
        fields = {
            "dataSet": self._list(above, ()),
            "series": self._list(place.series_dimensions, ()),
            "observation": self._list(place.observation_dimensions, ()),
        }
        found = closed(fields)
        if self._deletes:
            return found
        if not self._schema.is_flat:
            found["required"] = ["observation"]
            fields["observation"]["minItems"] = 1
        found["allOf"] = []
        for column in self._dimensions:
            if not self._schema.is_flat and column in place.observation_dimensions:
                continue
            lower = "observation" if self._schema.is_flat else "series"
            found["allOf"].append({"anyOf": [_listed(one, column) for one in (lower, "dataSet")]})
        return found

    def _attribute_lists(self) -> Schema:
        """Where each attribute may be listed, and that the mandatory ones are."""
        place = self._place
        of_key = [one for one in self._attributes if one.level]
        at_series = [one for one in of_key if one in (*place.series_attributes, *place.group_attributes)]
        at_observation = [one for one in self._attributes if one.level is None or (self._schema.is_flat and one.level)]
        at_observation += [one for one in place.observation_attributes if one not in at_observation]
        allowed = {
            "dataSet": list(place.dataset_attributes),
            "dimensionGroup": of_key,
            "series": [] if self._schema.is_flat else at_series,
            "observation": at_observation,
        }
        found = closed({name: self._list(columns, ()) for name, columns in allowed.items()})
        mandatory = [] if self._deletes else [one for one in self._attributes if is_mandatory(one)]
        if mandatory:
            found["allOf"] = [
                {"anyOf": [_listed(name, one) for name, columns in allowed.items() if one in columns]}
                for one in mandatory
            ]
        return found

    def _list(self, allowed: Sequence[Column], mandatory: Sequence[Column]) -> Schema:
        """A list of components, each at most once; of ``mandatory`` those that must be there."""
        if not allowed:
            return {"type": "array", "maxItems": 0}
        choices: list[Schema] = [
            {"if": {"properties": {"id": {"const": one.id}}}, "then": ref(f"component.{one.id}")} for one in allowed
        ]
        entry: Schema = {
            "type": "object",
            "required": ["id"],
            "properties": {"id": strings([one.id for one in allowed])},
        }
        found: Schema = {"type": "array", "maxItems": len(allowed), "items": {**entry, "allOf": choices}}
        limits = []
        for one in allowed:
            least = int(one in mandatory and is_mandatory(one) and not self._deletes)
            limits.append({"contains": _called(one), "minContains": least, "maxContains": 1})
        return {**found, "allOf": limits}

    def _needed(self, columns: Sequence[Column], name: str) -> list[str]:
        return [name] if not self._deletes and any(map(is_mandatory, columns)) else []

    def _dimension(self, column: Column) -> Schema:
        place = self._dimensions.index(column)
        fields = {**_described(column), "keyPosition": {"const": place}, "values": self._values(column)}
        required = ["id", "keyPosition", "values"] if self._version == "2.0" else ["id", "keyPosition", "name"]
        return closed(fields, required if not self._deletes else ["id"])

    def _component(self, column: Column) -> Schema:
        fields = {
            **_described(column),
            "isMandatory": {"type": "boolean"},
            "relationship": {"type": "object"},
            "default": True,
            "minOccurs": _INDEX,
            "maxOccurs": {"type": ["integer", "string"]},
            "values": self._values(column),
        }
        return closed(fields, ["id"] if self._version == "2.0" else ["id", "name"])

    def _values(self, column: Column) -> Schema:
        """The values that data point to: codes of the list, or values of the type."""
        coded = column.component.form.is_coded
        texts: Schema = {"type": "string"}
        if column.role == "time":
            value: Schema = {"type": "string", "pattern": time_pattern(time_type(column))}
            texts = value
            if self._version == "2.0":  # which wants values even where all that is sent has no time
                value = either(value, strings([NOT_APPLICABLE]))
        elif coded:
            texts = ref(f"codes.{column.id}") if column.id in self._schema.enumerations else texts
            value = either(texts, strings(marks(column)))
        else:
            value = simple_value(column.component.form, marks(column))
            value = {"anyOf": [value, {"type": ["string"]}]} if column.role == "dimension" and value == {} else value
            texts = {"type": "string", "pattern": ID}
        fields: Schema = {
            "id": texts,
            "value": value,
            "values": {"type": "array", "items": value},
            "name": {"type": "string"},
            "names": ref("texts"),
            "description": {"type": "string"},
            "descriptions": ref("texts"),
            "start": {"type": "string"},
            "end": {"type": "string"},
            "parent": {"type": "string"},
            "order": _INDEX,
            "links": ref("links"),
            "annotations": {"type": "array", "items": _INDEX},
        }
        if column.kind == "multilingual":
            fields["value"] = either(value, texts_by_language(value))
        one = {**closed(fields), "oneOf": [{"required": [name]} for name in ("id", "value", "values")]}
        entry = one if column.role in ("dimension", "time") else {"anyOf": [_NULL, one]}
        return {"type": "array", "minItems": 1, "uniqueItems": True, "items": entry}

    # --- data -------------------------------------------------------------------------------------------------------
    def _dataset(self) -> Schema:
        fields: Schema = {
            "structure": _INDEX,
            "action": strings(_ACTIONS),
            "links": ref("links"),
            "attributes": self._array(self._place.dataset_attributes),
            "dimensionGroupAttributes": {
                "type": "object",
                "patternProperties": {_key(_GAP, 1, len(self._dimensions)): {"type": "array"}},
                "additionalProperties": False,
            },
            "annotations": {"type": "array", "items": _INDEX},
        }
        for name in ("reportingBegin", "reportingEnd", "validFrom", "validTo", "publicationYear", "publicationPeriod"):
            fields[name] = {"type": "string"}
        part = _GAP if self._deletes else "[0-9]+"
        at_observation = _key(part, 1, len(self._place.observation_dimensions))
        observations = {
            "type": "object",
            "patternProperties": {at_observation: self._row()},
            "additionalProperties": False,
        }
        if self._schema.is_flat:
            fields["observations"] = observations
        else:
            series = closed(
                {"attributes": {"type": "array"}, "observations": observations,
                 "annotations": {"type": "array", "items": _INDEX}}
            )  # fmt: skip
            in_series = _key(part, 1, len(self._place.series_dimensions))
            fields["series"] = {
                "type": "object",
                "patternProperties": {in_series: series},
                "additionalProperties": False,
            }
        required = ["links"] if self._version == "2.0" else []
        return closed(fields, required)

    def _row(self) -> Schema:
        """The values of an observation, in whatever order: no more than there are components."""
        attributes = [one for one in self._attributes if one.level != ()]
        return {"type": "array", "maxItems": len(self._place.measures) + len(attributes)}

    def _array(self, columns: Sequence[Column]) -> Schema:
        return {"type": "array", "maxItems": len(columns)}

    def _conditions(self) -> list[Schema]:
        """What holds where the message lists components in the order of the structure."""
        place = self._place
        lists = self._lists
        measures = list(place.measures)
        found = [
            self._when({"attributes": {"dataSet": lists["dataSet"]}}, {"attributes": self._typed(lists["dataSet"])}),
            self._groups(),
        ]
        row = self._typed([*measures, *lists["observation"]], signed=True)
        start = self._typed(measures, signed=True, more=True)
        whole = {"measures": {"observation": measures}, "attributes": {"observation": lists["observation"]}}
        for condition, then in (({"measures": {"observation": measures}}, start), (whole, row)):
            inner: Schema = {"observations": {"additionalProperties": then}}
            if not self._schema.is_flat:
                inner = {"series": {"additionalProperties": {"properties": inner}}}
            found.append(self._when(condition, inner))
        if lists["series"]:
            series = {"properties": {"attributes": self._typed(lists["series"])}}
            if not self._deletes and any(map(is_mandatory, lists["series"])):
                series["required"] = ["attributes"]  # type: ignore[assignment]
            found.append(
                self._when({"attributes": {"series": lists["series"]}}, {"series": {"additionalProperties": series}})
            )
        found.append(self._whole_keys())
        return [one for one in found if one]

    def _groups(self) -> Schema:
        """Attributes of partial keys: a key has positions for the dimensions of its level, and gaps."""
        columns = self._lists["dimensionGroup"]
        order = (*self._place.series_dimensions, *self._place.observation_dimensions)
        lists = {"series": self._place.series_dimensions, "observation": self._place.observation_dimensions}
        by_level: Schema = {}
        for level in dict.fromkeys(one.level or () for one in columns):
            key = ":".join("[0-9]+" if one.id in level else "~?" for one in order)
            by_level[f"^{key}$"] = self._typed([one if one.level == level else None for one in columns])
        then = {"patternProperties": by_level, "additionalProperties": self._deletes}
        condition: dict[str, Mapping[str, Sequence[Column]]] = {
            "attributes": {"dimensionGroup": columns},
            "dimensions": lists,
        }
        return self._when(condition, {"dimensionGroupAttributes": then}) if columns else {}

    def _when(self, listed: Mapping[str, Mapping[str, Sequence[Column]]], then: Schema) -> Schema:
        """If every structure lists these components in this order, the data sets look so."""
        if not any(columns for lists in listed.values() for columns in lists.values()):
            return {}
        parts: Schema = {
            part: {"properties": {name: _exactly(columns) for name, columns in lists.items()},
                   "required": [name for name, columns in lists.items() if columns]}
            for part, lists in listed.items()
        }  # fmt: skip
        condition = {"properties": parts, "required": list(parts)}
        return {
            "if": {"properties": {"structures": {"items": condition}}},
            "then": {"properties": {"dataSets": {"items": {"properties": then}}}},
        }

    def _whole_keys(self) -> Schema:
        """Without dimensions of the data set a key has a position for each dimension."""
        if self._deletes:
            return {}
        name = "observations" if self._schema.is_flat else "series"
        count = len(self._dimensions if self._schema.is_flat else self._place.series_dimensions)
        none = {"properties": {"dimensions": {"properties": {"dataSet": {"maxItems": 0}}}}}
        names = {"propertyNames": {"pattern": _key("[0-9]+", count, count)}}
        return {
            "if": {"properties": {"structures": {"items": none}}},
            "then": {"properties": {"dataSets": {"items": {"properties": {name: names}}}}},
        }

    def _typed(self, columns: Sequence[Column | None], *, signed: bool = False, more: bool = False) -> Schema:
        """An array of the values of these components.

        Args:
            columns: None for a component that has no value here.
            signed: values of observations, which may be less than 0.
            more: further values follow.
        """
        parts: list[Any] = []
        least = 0
        for number, column in enumerate(columns):
            if column is None:
                parts.append(_NULL)
                continue
            value = ref(f"value.{column.id}") if signed else self._value(column, signed=False)
            needed = is_mandatory(column) and not self._deletes
            parts.append(value if needed else {"anyOf": [value, _NULL]})
            least = number + 1 if needed else least
        found: Schema = {"type": "array", "prefixItems": parts}
        if least:
            found["minItems"] = least
        return found if more else {**found, "items": False}

    def _value(self, column: Column, *, signed: bool = True) -> Schema:
        """A value in the data: a place in the list of values, or the value itself."""
        form = column.component.form
        if self._deletes:
            return {}
        if form.is_coded:
            value = either(ref(f"codes.{column.id}"), strings(marks(column)))
            index: Schema = _INDEX
        else:
            value = simple_value(form, marks(column), signed=signed)
            index = {}
        if column.kind == "multi":
            inner = either(value, index) if index else value
            if column.component.is_multilingual:
                inner = either(inner, texts_by_language(value))
            return either(array_of(inner, form.min_occurs, form.max_occurs), index)
        if column.kind == "multilingual":
            return texts_by_language(value)
        return either(index, value) if index else value


def _described(column: Column) -> Schema:
    return {
        "id": {"const": column.id},
        "name": {"type": "string"},
        "names": ref("texts"),
        "description": {"type": "string"},
        "descriptions": ref("texts"),
        "roles": {"type": "array", "items": {"type": "string"}},
        "format": {"type": "object"},
        "links": ref("links"),
        "annotations": {"type": "array", "items": _INDEX},
    }


def _called(column: Column) -> Schema:
    return {"properties": {"id": {"const": column.id}}, "required": ["id"]}


def _listed(name: str, column: Column) -> Schema:
    return {"properties": {name: {"contains": _called(column)}}, "required": [name]}


def _exactly(columns: Sequence[Column]) -> Schema:
    if not columns:
        return {"maxItems": 0}
    return {"prefixItems": [_called(one) for one in columns], "minItems": len(columns), "maxItems": len(columns)}


def _key(part: str, least: int, most: int) -> str:
    """The pattern of a key of that many positions."""
    return f"^{part}(:{part}){{{least - 1},{most - 1}}}$"
