"""A data structure as small JSON: what kept rows need to be read again without the catalog.

Names, descriptions and annotations are left out; ids, concepts, representations, levels and usages are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, cast

from sdmx_service.model.artefact import Texts
from sdmx_service.model.representation import Representation, SentinelValue, TextFormat
from sdmx_service.model.structure import (
    Attribute,
    Component,
    DataStructure,
    Dimension,
    Group,
    Measure,
    Relationship,
    TimeDimension,
)
from sdmx_service.model.urn import Ref

Json = dict[str, Any]


def encode_structure(structure: DataStructure) -> Json:
    """The structure as JSON."""
    time = structure.time_dimension
    return {
        "agency": structure.agency,
        "id": structure.id,
        "version": structure.version,
        "dimensions": [_component(one) | {"measure": one.is_measure_dimension} for one in structure.dimensions],
        "time": None if time is None else _component(time),
        "groups": [{"id": one.id, "dimensions": one.dimensions} for one in structure.groups],
        "measures": [_component(one) | {"usage": one.usage} for one in structure.measures],
        "attributes": [_attribute(one) for one in structure.attributes],
    }


def decode_structure(body: Mapping[str, Any]) -> DataStructure:
    """The structure from JSON."""
    time = body["time"]
    return DataStructure(
        agency=body["agency"],
        id=body["id"],
        version=body["version"],
        dimensions=tuple(Dimension(**_shared(one), is_measure_dimension=one["measure"]) for one in body["dimensions"]),
        time_dimension=None if time is None else TimeDimension(**_shared(time)),
        groups=tuple(Group(id=one["id"], dimensions=tuple(one["dimensions"])) for one in body["groups"]),
        measures=tuple(Measure(**_shared(one), usage=one["usage"]) for one in body["measures"]),
        attributes=tuple(
            Attribute(
                **_shared(one),
                usage=one["usage"],
                relationship=_relationship(one["relationship"]),
                measures=tuple(one["measures"]),
                is_metadata=one.get("metadata", False),
            )
            for one in body["attributes"]
        ),
    )


def _component(component: Component) -> Json:
    return {
        "id": component.id,
        "concept": _encode_ref(component.concept),
        "representation": _encode_form(component.representation),
        "resolved": _encode_form(component.resolved),
        "roles": [_encode_ref(role) for role in component.concept_roles],
    }


def _attribute(attribute: Attribute) -> Json:
    relation = attribute.relationship
    return _component(attribute) | {
        "usage": attribute.usage,
        "measures": attribute.measures,
        "metadata": attribute.is_metadata,
        "relationship": [relation.kind, relation.dimensions, relation.group, relation.attachment_groups],
    }


def _shared(body: Mapping[str, Any]) -> Json:
    return {
        "id": body["id"],
        "concept": _decode_ref(body["concept"]),
        "representation": _decode_form(body["representation"]),
        "resolved": _decode_form(body["resolved"]),
        "concept_roles": tuple(_decode_ref(role) for role in body["roles"]),
    }


def _relationship(body: Any) -> Relationship:
    kind, dimensions, group, attachment_groups = body
    return Relationship(
        kind=kind, dimensions=tuple(dimensions), group=group, attachment_groups=tuple(attachment_groups)
    )


def _plain(value: Any) -> Json:
    """The fields of a flat value that differ from their defaults."""
    return {one.name: getattr(value, one.name) for one in fields(value) if getattr(value, one.name) != one.default}


def _encode_ref(ref: Ref) -> Json:
    return _plain(ref)


def _decode_ref(body: Mapping[str, Any]) -> Ref:
    return Ref(**body)


def _encode_form(form: Representation | None) -> Json | None:
    if form is None:
        return None
    return {
        "enumeration": None if form.enumeration is None else _encode_ref(form.enumeration),
        "format": None if form.text_format is None else _format(form.text_format),
        "min": form.min_occurs,
        "max": form.max_occurs,
    }


def _format(text_format: TextFormat) -> Json:
    body = _plain(text_format)
    if text_format.sentinels:
        body["sentinels"] = [[one.value, list(one.names.items())] for one in text_format.sentinels]
    return body


def _decode_form(body: Mapping[str, Any] | None) -> Representation | None:
    if body is None:
        return None
    format_ = body["format"]
    if format_ is not None and "sentinels" in format_:
        sentinels = tuple(SentinelValue(value=value, names=Texts(names)) for value, names in format_["sentinels"])
        format_ = {**format_, "sentinels": sentinels}
    return Representation(
        enumeration=None if body["enumeration"] is None else _decode_ref(body["enumeration"]),
        text_format=None if format_ is None else TextFormat(**format_),
        min_occurs=body["min"],
        max_occurs=cast(Any, body["max"]),
    )
