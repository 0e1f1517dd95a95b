"""The shapes that SDMX-ML 2.1 has differently from 3.x (SDMX-ML 2.1 ``SDMXStructure*.xsd``, ``SDMXCommon.xsd``)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Final

from sdmx_service.formats.structure_parts import (
    FACETS,
    IDENTIFIED,
    NAMED,
    attribute,
    local_representation,
    maintained,
    representation,
)
from sdmx_service.formats.structure_shapes import (
    SELF,
    Field,
    Fixed,
    Flag,
    LocalId,
    Mixture,
    Nest,
    Part,
    Reference,
    Shape,
    Value,
    Values,
)
from sdmx_service.formats.structure_tables_constraints import QUERYABLE_SOURCE, RELEASE_CALENDAR, attached
from sdmx_service.formats.structure_tables_data import (
    CONCEPT_IDENTITY,
    CONCEPT_ROLES,
    GROUPS,
    METADATA_ATTRIBUTE,
    POSITION,
    TIME_DIMENSION,
    component,
    list_of,
    make_relationship,
)
from sdmx_service.formats.structure_tables_items import LEVEL
from sdmx_service.model import constraint as constraints
from sdmx_service.model import structure
from sdmx_service.model.artefact import Identified, Maintainable
from sdmx_service.model.items import Level
from sdmx_service.model.representation import DATA_TYPES, TextFormat
from sdmx_service.model.urn import Ref

PRIMARY_MEASURE: Final = "OBS_VALUE"
YEAR_START: Final = "REPORTING_YEAR_START_DAY"

# ------------------------------------------------------------------------------------------------------ data structures

_TEXT_FORMAT = Shape(
    model=TextFormat,
    fields=(
        attribute("textType", "type", default="String", always=True, missing="String", among=DATA_TYPES),
        *(facet for facet in FACETS if facet.model != "is_multilingual"),
        Fixed(ml="isMultiLingual"),
    ),
)
"""Of components: the schema forbids ``isMultiLingual``, and what is sent nevertheless has no meaning."""
_REPRESENTATION = representation(_TEXT_FORMAT)
_MEASURE_REPRESENTATION = representation(_TEXT_FORMAT, "ConceptScheme")
_TYPE = Fixed(ml="type")

DIMENSION: Final[Shape] = component(
    structure.Dimension, POSITION, _TYPE, local_representation(_REPRESENTATION), CONCEPT_ROLES
)
MEASURE_DIMENSION: Final[Shape] = component(
    structure.Dimension,
    POSITION,
    _TYPE,
    local_representation(_MEASURE_REPRESENTATION),
    CONCEPT_ROLES,
    given={"is_measure_dimension": True},
)
_TIME_DIMENSION = Shape(
    model=structure.TimeDimension, fields=(*TIME_DIMENSION.fields, _TYPE, CONCEPT_ROLES), make=TIME_DIMENSION.make,
    silent=TIME_DIMENSION.silent
)  # fmt: skip

RELATIONSHIP: Final[Shape] = Shape(
    model=structure.Relationship,
    make=make_relationship,
    fields=(
        Flag(ml="None", model="kind", value="dataset"),
        LocalId(ml="Dimension", model="dimensions", many=True),
        LocalId(ml="AttachmentGroup", model="attachment_groups", many=True),
        LocalId(ml="Group", model="group"),
        Flag(ml="PrimaryMeasure", model="kind", value="observation", refers=PRIMARY_MEASURE),
    ),
)
_STATUS = Value(
    ml="assignmentStatus", model="usage", words={"Mandatory": "mandatory", "Conditional": "optional"}, always=True
)
_RELATION = Part(ml="AttributeRelationship", model="relationship", shape=lambda: RELATIONSHIP)
ATTRIBUTE: Final[Shape] = component(
    structure.Attribute, _STATUS, local_representation(_REPRESENTATION), CONCEPT_ROLES, _RELATION
)
YEAR_START_ATTRIBUTE: Final[Shape] = component(
    structure.Attribute, _STATUS, local_representation(_REPRESENTATION), _RELATION
)


def make_measure(*, id: str | None = None, **said: Any) -> structure.Measure:
    """The primary measure, whose id the standard fixes."""
    return structure.Measure(id=id or PRIMARY_MEASURE, **said)


MEASURE: Final[Shape] = Shape(
    model=structure.Measure,
    fields=(*IDENTIFIED, CONCEPT_IDENTITY, local_representation(_REPRESENTATION)),
    make=make_measure,
    silent=("resolved", "usage"),
)
"""2.1 does not say whether the primary measure must be there, so that a usage is not written (*standard*)."""


def _is_measure_dimension(one: structure.Dimension) -> bool:
    return one.is_measure_dimension


def _is_dimension(one: structure.Dimension) -> bool:
    return not one.is_measure_dimension


def _is_year_start(one: structure.Attribute) -> bool:
    return one.id == YEAR_START


def _is_attribute(one: structure.Attribute) -> bool:
    return one.id != YEAR_START


_DIMENSIONS = Mixture(
    ml="Dimension",
    parts=(
        Part(ml="Dimension", model="dimensions", shape=lambda: DIMENSION, many=True, only=_is_dimension),
        Part(ml="MeasureDimension", model="dimensions", shape=lambda: MEASURE_DIMENSION, many=True,
             only=_is_measure_dimension),
    ),
)  # fmt: skip
_ATTRIBUTES = Mixture(
    ml="Attribute",
    parts=(
        Part(ml="Attribute", model="attributes", shape=lambda: ATTRIBUTE, many=True, only=_is_attribute),
        Part(ml="ReportingYearStartDay", model="attributes", shape=lambda: YEAR_START_ATTRIBUTE, many=True,
             only=_is_year_start),
    ),
)  # fmt: skip
DATA_STRUCTURE: Final[Shape] = maintained(
    structure.DataStructure,
    Nest(
        ml="DataStructureComponents",
        fields=(
            list_of(
                "DimensionList", "DimensionDescriptor", "dimension_annotations", _DIMENSIONS,
                Part(ml="TimeDimension", model="time_dimension", shape=lambda: _TIME_DIMENSION),
            ),
            GROUPS,
            list_of("AttributeList", "AttributeDescriptor", "attribute_annotations", _ATTRIBUTES),
            list_of(
                "MeasureList", "MeasureDescriptor", "measure_annotations",
                Part(ml="PrimaryMeasure", model="measures", shape=lambda: MEASURE, many=True),
            ),
        ),
    ),
)  # fmt: skip

# ---------------------------------------------------------------------------------------------------------- constraints

_BOUND = Shape(
    model=constraints.TimeBound,
    fields=(
        Value(ml="#text", model="period", place="content"),
        attribute("isInclusive", "inclusive", "boolean", default=True, always=True),
    ),
)


def _bound(name: str, model: str) -> Part:
    return Part(ml=name, model=model, shape=lambda: _BOUND, space="common")


_TIME_RANGE = Shape(
    model=constraints.TimeRange,
    fields=(
        _bound("BeforePeriod", "before"),
        _bound("AfterPeriod", "after"),
        _bound("StartPeriod", "start"),
        _bound("EndPeriod", "end"),
    ),
)
_MEMBER_VALUE = Shape(
    model=constraints.MemberValue,
    fields=(
        Value(ml="#text", model="value", place="content", kind="text"),
        attribute("cascadeValues", "cascade", "cascade"),
    ),
)


def _member(kind: str) -> Shape:
    return Shape(
        model=constraints.KeyValue,
        given={"kind": kind},
        fields=(
            attribute("id", "component"),
            attribute("include", "include", "boolean", default=True, always=True),
            Part(ml="Value", model="values", shape=lambda: _MEMBER_VALUE, many=True, space="common"),
            Part(ml="TimeRange", model="time_range", shape=lambda: _TIME_RANGE, space="common"),
        ),
    )


_KEY_VALUE, _ATTRIBUTE_VALUE = _member("key"), _member("component")


def _is_key(member: constraints.KeyValue) -> bool:
    return member.kind == "key"


def _is_component(member: constraints.KeyValue) -> bool:
    return member.kind == "component"


_KEYS = Part(ml="KeyValue", model="members", shape=lambda: _KEY_VALUE, many=True, only=_is_key, space="common")
_COMPONENTS = Part(
    ml="Attribute", model="members", shape=lambda: _ATTRIBUTE_VALUE, many=True, only=_is_component, space="common"
)
_INCLUDE = attribute("include", "include", "boolean", default=True, always=True)
_CUBE_REGION = Shape(model=constraints.CubeRegion, fields=(_INCLUDE, _KEYS, _COMPONENTS))
_DATA_KEY = Shape(model=constraints.DataKey, fields=(_INCLUDE, _KEYS))
_DATA_KEY_SET = Shape(
    model=constraints.DataKeySet,
    fields=(
        attribute("isIncluded", "included", "boolean", always=True),
        Part(ml="Key", model="keys", shape=lambda: _DATA_KEY, many=True),
    ),
)
_REFERENCE_PERIOD = Shape(
    model=constraints.ReferencePeriod, fields=(attribute("startTime", "start"), attribute("endTime", "end"))
)
CONTENT_CONSTRAINT: Final[Shape] = maintained(
    constraints.DataConstraint,
    attribute("type", "role", always=True, missing="Actual"),
    Nest(
        ml="ConstraintAttachment",
        fields=(
            Reference(ml="DataProvider", model="attachments", to="DataProvider", only=True),
            Values(ml="SimpleDataSource", model="simple_sources"),
            attached("DataStructure", ""),
            attached("MetadataStructure", ""),
            attached("Dataflow", ""),
            attached("Metadataflow", ""),
            attached("ProvisionAgreement", ""),
            Part(ml="QueryableDataSource", model="queryable_sources", shape=lambda: QUERYABLE_SOURCE, many=True),
        ),
    ),
    Part(ml="DataKeySet", model="key_sets", shape=lambda: _DATA_KEY_SET, many=True),
    Part(ml="CubeRegion", model="regions", shape=lambda: _CUBE_REGION, many=True),
    Part(ml="ReleaseCalendar", model="release_calendar", shape=lambda: RELEASE_CALENDAR),
    Part(ml="ReferencePeriod", model="reference_period", shape=lambda: _REFERENCE_PERIOD),
)

ATTACHMENT_CONSTRAINT: Final[Shape] = maintained(
    constraints.AttachmentConstraint,
    Nest(
        ml="ConstraintAttachment",
        fields=(
            Values(ml="SimpleDataSource", model="simple_sources"),
            attached("DataStructure", ""),
            attached("MetadataStructure", ""),
            attached("Dataflow", ""),
            attached("Metadataflow", ""),
            attached("ProvisionAgreement", ""),
        ),
    ),
    Part(ml="DataKeySet", model="key_sets", shape=lambda: _DATA_KEY_SET, many=True),
)

# ----------------------------------------------------------------------------------------------- hierarchical codelists


@dataclass(frozen=True, slots=True, kw_only=True)
class IncludedCodelist:
    """A codelist that hierarchies take codes from, perhaps under an alias."""

    codelist: Ref
    alias: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node(Identified):
    """A node of a hierarchy: its code in full, or as an alias of a codelist and the code's id."""

    code: Ref | None = None
    alias: str | None = None
    code_id: str | None = None
    version: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None
    level: str | None = None
    items: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerHierarchy(Identified):
    """A hierarchy, which in 2.1 is a part of a hierarchical codelist."""

    has_formal_levels: bool = False
    items: tuple[Node, ...] = ()
    level: Level | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HierarchicalCodelist(Maintainable):
    """Hierarchies over the codes of some codelists."""

    type: ClassVar[str] = "HierarchicalCodelist"
    included: tuple[IncludedCodelist, ...] = ()
    hierarchies: tuple[InnerHierarchy, ...] = ()


_NODE: Final[Shape] = Shape(
    model=Node,
    fields=(
        *IDENTIFIED,
        attribute("version", "version"),
        attribute("validFrom", "valid_from"),
        attribute("validTo", "valid_to"),
        Reference(ml="Code", model="code", to="Code"),
        Value(ml="CodelistAliasRef", model="alias", place="element"),
        LocalId(ml="CodeID", model="code_id"),
        Part(ml="HierarchicalCode", model="items", shape=lambda: _NODE, many=True),
        LocalId(ml="Level", model="level"),
    ),
)
_HIERARCHY = Shape(
    model=InnerHierarchy,
    fields=(
        *NAMED,
        attribute("leveled", "has_formal_levels", "boolean", default=False),
        Part(ml="HierarchicalCode", model="items", shape=lambda: _NODE, many=True),
        Part(ml="Level", model="level", shape=lambda: LEVEL),
    ),
)
_INCLUDED = Shape(
    model=IncludedCodelist,
    fields=(attribute("alias", "alias"), Reference(ml=SELF, model="codelist", to="Codelist")),
)
HIERARCHICAL_CODELIST: Final[Shape] = maintained(
    HierarchicalCodelist,
    Part(ml="IncludedCodelist", model="included", shape=lambda: _INCLUDED, many=True),
    Part(ml="Hierarchy", model="hierarchies", shape=lambda: _HIERARCHY, many=True),
)

# -------------------------------------------------------------------------------------------------- metadata structures

_TARGET_FORMAT = Shape(
    model=TextFormat,
    fields=(attribute("textType", "type", default="", always=True, missing="String", among=DATA_TYPES), *FACETS),
)
_TARGET_REPRESENTATION = representation(_TARGET_FORMAT, "")


def _make_target(standard: str, *, id: str | None = None, **said: Any) -> structure.TargetObject:
    """A target object; most have the id that the standard fixes."""
    return structure.TargetObject(id=id or standard, **said)


def _target(tag: str, *fields: Field) -> Part:
    shape = Shape(
        model=structure.TargetObject,
        given={"kind": tag},
        fields=(*IDENTIFIED, *fields, local_representation(_TARGET_REPRESENTATION)),
        make=partial(_make_target, _FIXED_IDS.get(tag, "")),
    )
    return Part(ml=tag, model="objects", shape=lambda: shape, many=True, only=lambda one: one.kind == tag)


_FIXED_IDS = {
    "KeyDescriptorValuesTarget": "DIMENSION_DESCRIPTOR_VALUES_TARGET",
    "DataSetTarget": "DATA_SET_TARGET",
    "ConstraintContentTarget": "CONSTRAINT_CONTENT_TARGET",
    "ReportPeriodTarget": "REPORT_PERIOD_TARGET",
}
_METADATA_TARGET = Shape(
    model=structure.MetadataTarget,
    fields=(
        *IDENTIFIED,
        Mixture(
            ml="IdentifiableObjectTarget",
            parts=(
                *(_target(tag) for tag in _FIXED_IDS),
                _target("IdentifiableObjectTarget", attribute("objectType", "object_type")),
            ),
        ),
    ),
)
_REPORT_STRUCTURE = Shape(
    model=structure.ReportStructure,
    fields=(
        *IDENTIFIED,
        Part(ml="MetadataAttribute", model="attributes", shape=lambda: METADATA_ATTRIBUTE, many=True),
        LocalId(ml="MetadataTarget", model="targets", many=True),
    ),
)
METADATA_STRUCTURE: Final[Shape] = maintained(
    structure.MetadataStructure,
    Nest(
        ml="MetadataStructureComponents",
        fields=(
            Part(ml="MetadataTarget", model="targets", shape=lambda: _METADATA_TARGET, many=True),
            Part(ml="ReportStructure", model="reports", shape=lambda: _REPORT_STRUCTURE, many=True),
        ),
    ),
)
