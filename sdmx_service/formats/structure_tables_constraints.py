"""The shapes of constraints of SDMX 3.x (``SDMXStructureConstraint.xsd``)."""

from __future__ import annotations

from typing import Any, Final

from sdmx_service.formats.structure_parts import (
    attribute,
    element,
    maintained,
    notes,
)
from sdmx_service.formats.structure_shapes import (
    Field,
    Nest,
    Part,
    Reference,
    Shape,
    Value,
    Values,
)
from sdmx_service.model import constraint as constraints

# ---------------------------------------------------------------------------------------------------------- constraints

_VALID: tuple[Field, ...] = (attribute("validFrom", "valid_from"), attribute("validTo", "valid_to"))

BOUND: Final[Shape] = Shape(
    model=constraints.TimeBound,
    fields=(
        Value(ml="#text", json="period", model="period", place="content"),
        attribute("isInclusive", "inclusive", "boolean", default=True, always=True),
    ),
)
TIME_RANGE: Final[Shape] = Shape(
    model=constraints.TimeRange,
    fields=(
        *_VALID,
        Part(ml="BeforePeriod", json="beforePeriod", model="before", shape=lambda: BOUND),
        Part(ml="AfterPeriod", json="afterPeriod", model="after", shape=lambda: BOUND),
        Part(ml="StartPeriod", json="startPeriod", model="start", shape=lambda: BOUND),
        Part(ml="EndPeriod", json="endPeriod", model="end", shape=lambda: BOUND),
    ),
)
MEMBER_VALUE: Final[Shape] = Shape(
    model=constraints.MemberValue,
    bare="value",
    fields=(
        Value(ml="#text", json="value", model="value", place="content", kind="text"),
        attribute("cascadeValues", "cascade", "cascade"),
        Value(ml="xml:lang", json="lang", model="language"),
        *_VALID,
    ),
)


KEY_MEMBER: Final[Shape] = Shape(
    model=constraints.MemberValue, fields=MEMBER_VALUE.fields, bare="value", bare_written=True
)
"""Of a key, where SDMX-JSON has plain strings only."""


def _member(kind: str, *fields: Field) -> Shape:
    return Shape(
        model=constraints.KeyValue,
        given={"kind": kind},
        fields=(
            attribute("id", "component"),
            attribute("include", "include", "boolean", default=True, always=True),
            attribute("removePrefix", "remove_prefix", "boolean", since="3.0"),
            *fields,
        ),
    )


_VALUES = Part(ml="Value", json="values", model="values", shape=lambda: MEMBER_VALUE, many=True)
_TIME = Part(ml="TimeRange", json="timeRange", model="time_range", shape=lambda: TIME_RANGE)
KEY_VALUE: Final[Shape] = _member("key", *_VALID, _VALUES, _TIME)
COMPONENT_VALUES: Final[Shape] = _member("component", *_VALID, _VALUES, _TIME)
DATA_KEY_VALUE: Final[Shape] = _member(
    "key",
    Part(ml="Value", json="value", model="values", shape=lambda: KEY_MEMBER, many=True, lone=True, until="3.0"),
    Part(ml="Value", json="values", model="values", shape=lambda: KEY_MEMBER, many=True, since="3.1"),
)


def _is_key(member: constraints.KeyValue) -> bool:
    return member.kind == "key"


def _is_component(member: constraints.KeyValue) -> bool:
    return member.kind == "component"


def _members(key: Shape) -> tuple[Field, ...]:
    return (
        Part(ml="KeyValue", json="keyValues", model="members", shape=lambda: key, many=True, only=_is_key),
        Part(ml="Component", json="components", model="members", shape=lambda: COMPONENT_VALUES, many=True,
             only=_is_component),
    )  # fmt: skip


_INCLUDE = attribute("include", "include", "boolean", default=True, always=True)
CUBE_REGION: Final[Shape] = Shape(model=constraints.CubeRegion, fields=(_INCLUDE, notes(), *_members(KEY_VALUE)))
DATA_KEY: Final[Shape] = Shape(
    model=constraints.DataKey, fields=(_INCLUDE, *_VALID, notes(), *_members(DATA_KEY_VALUE))
)
DATA_KEY_SET: Final[Shape] = Shape(
    model=constraints.DataKeySet,
    fields=(
        attribute("isIncluded", "included", "boolean", always=True),
        Part(ml="Key", json="keys", model="keys", shape=lambda: DATA_KEY, many=True),
    ),
)
QUERYABLE_SOURCE: Final[Shape] = Shape(
    model=constraints.QueryableDataSource,
    fields=(
        attribute("isRESTDatasource", "is_rest", "boolean", always=True),
        attribute("isWebServiceDatasource", "is_web_service", "boolean", always=True),
        element("DataURL", "data_url", json="dataURL", space="common"),
        element("WSDLURL", "wsdl_url", json="wsdlURL", space="common"),
        element("WADLURL", "wadl_url", json="wadlURL", space="common"),
    ),
)
_QUERYABLE = Part(
    ml="QueryableDataSource", json="queryableDataSources", model="queryable_sources", shape=lambda: QUERYABLE_SOURCE,
    many=True, until="3.0"
)  # fmt: skip


def attached(name: str, json: str, **more: Any) -> Reference:
    """An artefact that a constraint is attached to."""
    return Reference(ml=name, json=json, model="attachments", to=name, only=True, many=True, **more)


RELEASE_CALENDAR: Final[Shape] = Shape(
    model=constraints.ReleaseCalendar,
    fields=(
        element("Periodicity", "periodicity", "text"),
        element("Offset", "offset", "text"),
        element("Tolerance", "tolerance", "text"),
    ),
)
DATA_CONSTRAINT: Final[Shape] = maintained(
    constraints.DataConstraint,
    attribute("role", "role", until="3.0"),
    Nest(
        ml="ConstraintAttachment",
        json="constraintAttachment",
        fields=(
            Reference(ml="DataProvider", json="dataProvider", model="attachments", to="DataProvider", only=True),
            attached("MetadataSet", "metadataSets", until="3.0"),
            Values(ml="SimpleDataSource", json="simpleDataSources", model="simple_sources", until="3.0"),
            attached("DataStructure", "dataStructures"),
            attached("Dataflow", "dataflows"),
            attached("ProvisionAgreement", "provisionAgreements"),
            _QUERYABLE,
        ),
    ),
    Part(ml="ReleaseCalendar", json="releaseCalendar", model="release_calendar", shape=lambda: RELEASE_CALENDAR,
         until="3.0"),
    Part(ml="DataKeySet", json="dataKeySets", model="key_sets", shape=lambda: DATA_KEY_SET, many=True),
    Part(ml="CubeRegion", json="cubeRegions", model="regions", shape=lambda: CUBE_REGION, many=True),
)  # fmt: skip


def _available(name: str) -> Reference:
    return Reference(ml=name, json=name[0].lower() + name[1:], model="attachment", to=name, only=True)


AVAILABILITY_CONSTRAINT: Final[Shape] = Shape(
    model=constraints.AvailabilityConstraint,
    fields=(
        attribute("seriesCount", "series_count", "integer"),
        attribute("obsCount", "observation_count", "integer"),
        notes(),
        Nest(
            ml="ConstraintAttachment",
            json="constraintAttachment",
            fields=(_available("DataStructure"), _available("Dataflow"), _available("ProvisionAgreement")),
        ),
        Part(ml="CubeRegion", json="cubeRegion", model="region", shape=lambda: CUBE_REGION),
    ),
)

# ------------------------------------------------------------------------------------------------- metadata constraints

METADATA_TARGET_REGION: Final[Shape] = Shape(
    model=constraints.MetadataTargetRegion,
    fields=(
        _INCLUDE,
        *_VALID,
        notes(),
        Part(ml="Component", json="components", model="members", shape=lambda: COMPONENT_VALUES, many=True),
    ),
)
METADATA_CONSTRAINT: Final[Shape] = maintained(
    constraints.MetadataConstraint,
    attribute("role", "role", until="3.0"),
    Nest(
        ml="ConstraintAttachment",
        json="constraintAttachment",
        fields=(
            Reference(ml="MetadataProvider", json="metadataProvider", model="attachments", to="MetadataProvider",
                      only=True),
            attached("MetadataSet", "metadataSets", until="3.0"),
            Values(ml="SimpleDataSource", json="simpleDataSources", model="simple_sources", until="3.0"),
            attached("MetadataStructure", "metadataStructures"),
            attached("Metadataflow", "metadataflows"),
            attached("MetadataProvisionAgreement", "metadataProvisionAgreements"),
            _QUERYABLE,
        ),
    ),
    Part(ml="ReleaseCalendar", json="releaseCalendar", model="release_calendar", shape=lambda: RELEASE_CALENDAR,
         until="3.0"),
    Part(ml="MetadataTargetRegion", json="metadataTargetRegions", model="regions",
         shape=lambda: METADATA_TARGET_REGION, many=True),
)  # fmt: skip
