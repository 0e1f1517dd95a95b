"""The shapes of the artefacts of SDMX 3.0 and 3.1.

Sources: SDMX-ML ``SDMXStructure*.xsd`` of both versions, the structure schemas of SDMX-JSON 2.0 and 2.1.

Those that SDMX-ML 2.1 shares with them are marked by ``since`` and ``until``; what 2.1 has differently is in
``sdmx_ml.structure_tables_2_1``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from sdmx_service.formats.structure_shapes import (
    Addresses,
    AnnotationLinks,
    Field,
    Fixed,
    Flag,
    Kind,
    Links,
    LocalId,
    Localised,
    MapColumns,
    MappedComponents,
    MemberValues,
    Nest,
    OptionalDimensions,
    Part,
    Position,
    Reference,
    Shape,
    Urn,
    Value,
    Values,
)
from sdmx_service.model import constraint as constraints
from sdmx_service.model import items, mapping, process, structure, transformation
from sdmx_service.model.artefact import Annotation
from sdmx_service.model.representation import Representation, SentinelValue, TextFormat

# -------------------------------------------------------------------------------------------------------- what all have


def attribute(name: str, model: str, kind: Kind = "token", **more: Any) -> Value:
    """A value that SDMX-ML has as an attribute and SDMX-JSON as a property of the same name."""
    return Value(ml=name, json=more.pop("json", name), model=model, kind=kind, **more)


def element(name: str, model: str, kind: Kind = "token", **more: Any) -> Value:
    """A value that SDMX-ML has as an element and SDMX-JSON as a property of the same name in lower camel case."""
    json = more.pop("json", name[0].lower() + name[1:])
    return Value(ml=name, json=json, model=model, kind=kind, place="element", **more)


ANNOTATION: Final[Shape] = Shape(
    model=Annotation,
    fields=(
        attribute("id", "id", "text"),
        element("AnnotationTitle", "title", "text", json="title", space="common"),
        element("AnnotationType", "type", "text", json="type", space="common"),
        Localised(ml="AnnotationURL", model="urls", neutral=True),
        Localised(ml="AnnotationText", json="text", all="texts", model="texts"),
        element("AnnotationValue", "value", "text", json="value", space="common", since="3.0"),
        AnnotationLinks(json="links"),
    ),
)


def notes(model: str = "annotations") -> Nest:
    """The annotations of an object."""
    inner = Part(ml="Annotation", json="annotations", model=model, shape=lambda: ANNOTATION, many=True, space="common")
    return Nest(ml="Annotations", fields=(inner,), space="common")


LINKS: Final = Links(ml="Link", json="links", model="links", since="3.0")
NAMES: Final = Localised(ml="Name", json="name", all="names", model="names", required=True)
DESCRIPTIONS: Final = Localised(ml="Description", json="description", all="descriptions", model="descriptions")
URN_READ_OVER: Final = Fixed(ml="urn", json="urn")
URI: Final = Value(ml="uri", model="uri")

IDENTIFIED: Final[tuple[Field, ...]] = (attribute("id", "id"), URN_READ_OVER, URI, notes(), LINKS)
NAMED: Final[tuple[Field, ...]] = (*IDENTIFIED, NAMES, DESCRIPTIONS)
PARENT: Final = LocalId(ml="Parent", json="parent", model="parent")

_VERSION = attribute("version", "version", default="1.0", always=True)
_BEFORE_VERSION: tuple[Field, ...] = (attribute("id", "id"), Urn(ml="urn", json="urn"), URI)
_AFTER_VERSION: tuple[Field, ...] = (
    attribute("agencyID", "agency"),
    attribute("validFrom", "valid_from"),
    attribute("validTo", "valid_to"),
    attribute("isFinal", "is_final", "boolean", until="2.1"),
    Value(json="isFinal", model="is_final", kind="boolean", since="9"),  # read only: 1.0 had it, and 2.0 messages too
    attribute("isPartialLanguage", "is_partial_language", "boolean", since="3.1"),
    attribute("isExternalReference", "is_external_reference", "boolean", default=False),
    Value(ml="serviceURL", model="service_url"),
    Value(ml="structureURL", model="structure_url"),
    notes(),
    LINKS,
    NAMES,
    DESCRIPTIONS,
)
MAINTAINED: Final[tuple[Field, ...]] = (*_BEFORE_VERSION, _VERSION, *_AFTER_VERSION)
UNVERSIONED: Final[tuple[Field, ...]] = (
    *_BEFORE_VERSION,
    attribute("version", "version", default="1.0", always=True, until="2.1"),
    Fixed(ml="version", json="version", since="3.0"),
    *_AFTER_VERSION,
)
"""Organisation schemes: from 3.0 on the schema forbids to say their version, which is 1.0."""

SILENT: Final = ("is_final",)
"""From 3.0 on the version tells whether an artefact is final; the flag of 2.1 is not written (*standard*)."""


def maintained(model: type, *fields: Field, head: tuple[Field, ...] = MAINTAINED, **more: Any) -> Shape:
    """The shape of a maintained artefact."""
    return Shape(model=model, fields=(*head, *fields), silent=SILENT + more.pop("silent", ()), **more)


def scheme(model: type, tag: str, json: str, item: Callable[[], Shape], *after: Field, **more: Any) -> Shape:
    """The shape of an item scheme."""
    members = Part(ml=tag, json=json, model="items", shape=item, many=True)
    return maintained(model, attribute("isPartial", "is_partial", "boolean", default=False), members, *after, **more)


# ------------------------------------------------------------------------------------------------------- representation

SENTINEL: Final[Shape] = Shape(model=SentinelValue, fields=(attribute("value", "value", "scalar"), NAMES, DESCRIPTIONS))
FACETS: tuple[Field, ...] = (
    attribute("isSequence", "is_sequence", "boolean"),
    attribute("interval", "interval", "number"),
    attribute("startValue", "start_value", "number"),
    attribute("endValue", "end_value", "number"),
    attribute("timeInterval", "time_interval"),
    attribute("startTime", "start_time"),
    attribute("endTime", "end_time"),
    attribute("minLength", "min_length", "integer"),
    attribute("maxLength", "max_length", "integer"),
    attribute("minValue", "min_value", "number"),
    attribute("maxValue", "max_value", "number"),
    attribute("decimals", "decimals", "integer"),
    attribute("pattern", "pattern", "text"),
    attribute("isMultiLingual", "is_multilingual", "boolean"),
    Part(ml="SentinelValue", json="sentinelValues", model="sentinels", shape=lambda: SENTINEL, many=True, since="3.0"),
)


def _text_format(missing: str, *, always: bool = True) -> Shape:
    kind = attribute("textType", "type", json="dataType", default=missing, always=always, missing=missing)
    return Shape(model=TextFormat, fields=(kind, *FACETS))


TEXT_FORMAT: Final[Shape] = _text_format("String")
CODED_TEXT_FORMAT: Final[Shape] = _text_format("String", always=False)
"""Of codes, whose type need not be said, and where ``String`` is not always allowed."""
TIME_TEXT_FORMAT: Final[Shape] = _text_format("ObservationalTimePeriod")


def representation(text: Shape, enumeration: str = "Codelist", standard: str = "String") -> Shape:
    """The shape of a representation: ``standard`` is the type of one that says nothing."""
    return Shape(
        model=Representation,
        fields=(
            attribute("minOccurs", "min_occurs", "integer", since="3.0"),
            attribute("maxOccurs", "max_occurs", "occurs", since="3.0"),
            Part(ml="TextFormat", json="format", model="text_format", shape=lambda: text,
                 when=lambda form: form.enumeration is None, fill=partial(TextFormat, type=standard)),
            Reference(ml="Enumeration", json="enumeration", model="enumeration", to=enumeration),
            Part(ml="EnumerationFormat", json="enumerationFormat", model="text_format", shape=lambda: CODED_TEXT_FORMAT,
                 when=lambda form: form.enumeration is not None),
        ),
    )  # fmt: skip


REPRESENTATION: Final[Shape] = representation(TEXT_FORMAT)
TIME_REPRESENTATION: Final[Shape] = representation(TIME_TEXT_FORMAT, standard="ObservationalTimePeriod")


def local_representation(shape: Shape = REPRESENTATION, **more: Any) -> Part:
    """The representation of a component."""
    return Part(
        ml="LocalRepresentation", json="localRepresentation", model="representation", shape=lambda: shape, **more
    )


# --------------------------------------------------------------------------------------------------------- item schemes

CODE: Final[Shape] = Shape(model=items.Code, fields=(*NAMED, PARENT))
_SELECTION = Shape(
    model=items.MemberSelection, fields=(MemberValues(ml="MemberValue", json="memberValues", model="values"),)
)
EXTENSION: Final[Shape] = Shape(
    model=items.CodelistExtension,
    fields=(
        attribute("prefix", "prefix", "text"),
        Reference(ml="Codelist", json="codelist", model="codelist", to="Codelist"),
        Part(ml="InclusiveCodeSelection", json="inclusiveCodeSelection", model="inclusive", shape=lambda: _SELECTION),
        Part(ml="ExclusiveCodeSelection", json="exclusiveCodeSelection", model="exclusive", shape=lambda: _SELECTION),
    ),
)
EXTENSIONS: Final = Part(
    ml="CodelistExtension", json="codelistExtensions", model="extensions", shape=lambda: EXTENSION, many=True,
    since="3.0"
)  # fmt: skip
CODELIST: Final[Shape] = scheme(items.Codelist, "Code", "codes", lambda: CODE, EXTENSIONS)

VALUE_ITEM: Final[Shape] = Shape(
    model=items.ValueItem,
    fields=(
        attribute("id", "id", "text"),
        notes(),
        Localised(ml="Name", json="name", all="names", model="names"),
        DESCRIPTIONS,
    ),
)
VALUE_LIST: Final[Shape] = maintained(
    items.ValueList, Part(ml="ValueItem", json="valueItems", model="items", shape=lambda: VALUE_ITEM, many=True)
)

ISO_CONCEPT: Final[Shape] = Shape(
    model=items.IsoConcept,
    fields=(
        element("ConceptAgency", "agency", "text"),
        element("ConceptSchemeID", "scheme", "text"),
        element("ConceptID", "id", "text"),
    ),
)
CONCEPT: Final[Shape] = Shape(
    model=items.Concept,
    fields=(
        *NAMED,
        PARENT,
        Part(ml="CoreRepresentation", json="coreRepresentation", model="core_representation",
             shape=lambda: REPRESENTATION),
        Part(ml="ISOConceptReference", json="isoConceptReference", model="iso_concept", shape=lambda: ISO_CONCEPT),
    ),
)  # fmt: skip
CONCEPT_SCHEME: Final[Shape] = scheme(items.ConceptScheme, "Concept", "concepts", lambda: CONCEPT)

CATEGORY: Final[Shape] = Shape(
    model=items.Category,
    fields=(*NAMED, Part(ml="Category", json="categories", model="items", shape=lambda: CATEGORY, many=True)),
)
CATEGORY_SCHEME: Final[Shape] = scheme(items.CategoryScheme, "Category", "categories", lambda: CATEGORY)

CATEGORISATION: Final[Shape] = maintained(
    items.Categorisation,
    Fixed(ml="version", json="version", since="3.1"),
    Reference(ml="Source", json="source", model="source"),
    Reference(ml="Target", json="target", model="target", to="Category"),
    head=(*_BEFORE_VERSION, attribute("version", "version", default="1.0", always=True, until="3.0"), *_AFTER_VERSION),
)

CONTACT: Final[Shape] = Shape(
    model=items.Contact,
    fields=(
        attribute("id", "id"),
        Localised(ml="Name", json="name", all="names", model="names"),
        Localised(ml="Department", json="department", all="departments", model="departments", space="structure"),
        Localised(ml="Role", json="role", all="roles", model="roles", space="structure"),
        Addresses(ml="Telephone", json="telephones", model="addresses"),
    ),
)
ORGANISATION: Final[Shape] = Shape(
    model=items.Organisation,
    fields=(*NAMED, PARENT, Part(ml="Contact", json="contacts", model="contacts", shape=lambda: CONTACT, many=True)),
)


def _organisations(model: type, tag: str, json: str) -> Shape:
    return scheme(model, tag, json, lambda: ORGANISATION, head=UNVERSIONED)


AGENCY_SCHEME: Final[Shape] = _organisations(items.AgencyScheme, "Agency", "agencies")
DATA_PROVIDER_SCHEME: Final[Shape] = _organisations(items.DataProviderScheme, "DataProvider", "dataProviders")
METADATA_PROVIDER_SCHEME: Final[Shape] = _organisations(
    items.MetadataProviderScheme, "MetadataProvider", "metadataProviders"
)
DATA_CONSUMER_SCHEME: Final[Shape] = _organisations(items.DataConsumerScheme, "DataConsumer", "dataConsumers")
ORGANISATION_UNIT_SCHEME: Final[Shape] = _organisations(
    items.OrganisationUnitScheme, "OrganisationUnit", "organisationUnits"
)

# ---------------------------------------------------------------------------------------------------------- hierarchies

HIERARCHICAL_CODE: Final[Shape] = Shape(
    model=items.HierarchicalCode,
    fields=(
        *IDENTIFIED,
        attribute("validFrom", "valid_from"),
        attribute("validTo", "valid_to"),
        Reference(ml="Code", json="code", model="code", to="Code"),
        Part(ml="HierarchicalCode", json="hierarchicalCodes", model="items", shape=lambda: HIERARCHICAL_CODE,
             many=True),
        LocalId(ml="Level", json="level", model="level"),
    ),
)  # fmt: skip
LEVEL: Final[Shape] = Shape(
    model=items.Level,
    fields=(
        *NAMED,
        Part(ml="CodingFormat", json="codingFormat", model="coding_format", shape=lambda: CODED_TEXT_FORMAT),
        Part(ml="Level", json="level", model="child", shape=lambda: LEVEL),
    ),
)
HIERARCHY: Final[Shape] = maintained(
    items.Hierarchy,
    attribute("hasFormalLevels", "has_formal_levels", "boolean", always=True),
    Fixed(json="isPartial"),
    Value(
        json="leveled", model="has_formal_levels", kind="boolean", since="9"
    ),  # read only: the word of 1.0, met in 2.0
    Part(ml="Level", json="level", model="level", shape=lambda: LEVEL),
    Part(ml="HierarchicalCode", json="hierarchicalCodes", model="items", shape=lambda: HIERARCHICAL_CODE, many=True),
)
HIERARCHY_ASSOCIATION: Final[Shape] = maintained(
    items.HierarchyAssociation,
    Reference(ml="LinkedHierarchy", json="linkedHierarchy", model="hierarchy", to="Hierarchy"),
    Reference(ml="LinkedObject", json="linkedObject", model="linked"),
    Reference(ml="ContextObject", json="contextObject", model="context"),
)

# ------------------------------------------------------------------------------------------------------ data structures

CONCEPT_IDENTITY = Reference(ml="ConceptIdentity", json="conceptIdentity", model="concept", to="Concept")
CONCEPT_ROLES = Reference(ml="ConceptRole", json="conceptRoles", model="concept_roles", to="Concept", many=True)


def make_component(model: type, *, id: str | None = None, **said: Any) -> Any:
    """A component; one without id takes that of its concept (*standard*)."""
    concept = said.get("concept")
    return model(id=id or (concept.item.rpartition(".")[2] if concept is not None and concept.item else ""), **said)


def component(model: type, *fields: Field, **more: Any) -> Shape:
    """The shape of a component of a data structure."""
    head = (*IDENTIFIED, CONCEPT_IDENTITY)
    make = partial(make_component, model)
    return Shape(model=model, fields=(*head, *fields), make=more.pop("make", make), silent=("resolved",), **more)


POSITION = Position(ml="position", json="position")
DIMENSION: Final[Shape] = component(structure.Dimension, POSITION, local_representation(), CONCEPT_ROLES)


def time_of_standard() -> Representation:
    """What the time dimension is where nothing is said: the schemas want it to be said."""
    return Representation(text_format=TextFormat(type="ObservationalTimePeriod"))


TIME_DIMENSION: Final[Shape] = component(
    structure.TimeDimension,
    Fixed(ml="position", json="position"),
    local_representation(TIME_REPRESENTATION, fill=time_of_standard),
)


def list_of(tag: str, identity: str, model: str, *fields: Field) -> Nest:
    """A descriptor: a list of components with a fixed id."""
    head = (Fixed(ml="id", json="id", value=identity), URN_READ_OVER, Fixed(ml="uri"), Fixed(json="links"))
    return Nest(ml=tag, json=tag[0].lower() + tag[1:], fields=(*head, notes(model), *fields))


def make_relationship(**said: Any) -> structure.Relationship:
    """An attribute relationship; its kind follows from what is named."""
    kind = said.pop("kind", None)
    if said.get("dimensions") or said.get("attachment_groups"):
        kind = "dimensions"
    elif said.get("group") is not None:
        kind = "group"
    return structure.Relationship(kind=kind or "observation", **said)


RELATIONSHIP: Final[Shape] = Shape(
    model=structure.Relationship,
    make=make_relationship,
    fields=(
        Flag(ml="Dataflow", json="dataflow", model="kind", value="dataset"),
        OptionalDimensions(ml="Dimension", json="dimensions"),
        element("Group", "group"),
        Flag(ml="Observation", json="observation", model="kind", value="observation"),
    ),
)
_RELATION = Part(
    ml="AttributeRelationship", json="attributeRelationship", model="relationship", shape=lambda: RELATIONSHIP
)
ATTRIBUTE: Final[Shape] = component(
    structure.Attribute,
    attribute("usage", "usage", default="optional"),
    local_representation(),
    CONCEPT_ROLES,
    _RELATION,
    Nest(ml="MeasureRelationship", fields=(Values(ml="Measure", json="measureRelationship", model="measures"),)),
)
METADATA_USAGE: Final[Shape] = Shape(
    model=structure.MetadataAttributeUsage,
    fields=(
        URN_READ_OVER,
        notes(),
        Fixed(json="links"),
        element("MetadataAttributeReference", "metadata_attribute"),
        _RELATION,
    ),
)
MEASURE: Final[Shape] = component(
    structure.Measure, attribute("usage", "usage", default="optional"), local_representation(), CONCEPT_ROLES
)
GROUP: Final[Shape] = Shape(
    model=structure.Group,
    fields=(
        *IDENTIFIED,
        LocalId(ml="GroupDimension", json="groupDimensions", model="dimensions", inner="DimensionReference", many=True),
    ),
)
GROUPS: Final = Part(ml="Group", json="groups", model="groups", shape=lambda: GROUP, many=True)
DATA_STRUCTURE: Final[Shape] = maintained(
    structure.DataStructure,
    Nest(
        ml="DataStructureComponents",
        json="dataStructureComponents",
        fields=(
            list_of(
                "DimensionList", "DimensionDescriptor", "dimension_annotations",
                Part(ml="Dimension", json="dimensions", model="dimensions", shape=lambda: DIMENSION, many=True),
                Part(ml="TimeDimension", json="timeDimension", model="time_dimension", shape=lambda: TIME_DIMENSION),
            ),
            GROUPS,
            list_of(
                "AttributeList", "AttributeDescriptor", "attribute_annotations",
                Part(ml="Attribute", json="attributes", model="attributes", shape=lambda: ATTRIBUTE, many=True),
                Part(ml="MetadataAttributeUsage", json="metadataAttributeUsages", model="metadata_usages",
                     shape=lambda: METADATA_USAGE, many=True),
            ),
            list_of(
                "MeasureList", "MeasureDescriptor", "measure_annotations",
                Part(ml="Measure", json="measures", model="measures", shape=lambda: MEASURE, many=True),
            ),
        ),
    ),
    Reference(ml="Metadata", json="metadata", model="metadata_structure", to="MetadataStructure"),
    attribute("evolvingStructure", "evolving_structure", "boolean", since="3.1"),
)  # fmt: skip

DATAFLOW: Final[Shape] = maintained(
    structure.Dataflow,
    Reference(ml="Structure", json="structure", model="structure", to="DataStructure"),
    Nest(
        ml="DimensionConstraint",
        since="3.1",
        fields=(Values(ml="Dimension", json="dimensionConstraint", model="dimension_constraint"),),
    ),
)
PROVISION_AGREEMENT: Final[Shape] = maintained(
    structure.ProvisionAgreement,
    Reference(ml="StructureUsage", model="dataflow", to="Dataflow", until="2.1"),
    Reference(ml="Dataflow", json="dataflow", model="dataflow", to="Dataflow", since="3.0"),
    Reference(ml="DataProvider", json="dataProvider", model="provider", to="DataProvider"),
)

# ------------------------------------------------------------------------------------------------------------- metadata

METADATA_ATTRIBUTE: Final[Shape] = component(
    structure.MetadataAttribute,
    attribute("minOccurs", "min_occurs", "integer"),
    attribute("maxOccurs", "max_occurs", "occurs"),
    attribute("isPresentational", "is_presentational", "boolean", default=False),
    local_representation(),
    Part(ml="MetadataAttribute", json="metadataAttributes", model="items", shape=lambda: METADATA_ATTRIBUTE, many=True),
)
METADATA_STRUCTURE: Final[Shape] = maintained(
    structure.MetadataStructure,
    Nest(
        ml="MetadataStructureComponents",
        json="metadataStructureComponents",
        fields=(
            list_of(
                "MetadataAttributeList", "MetadataAttributeDescriptor", "attribute_annotations",
                Part(ml="MetadataAttribute", json="metadataAttributes", model="attributes",
                     shape=lambda: METADATA_ATTRIBUTE, many=True),
            ),
        ),
    ),
)  # fmt: skip
ANY_TARGET: Final = "urn:sdmx:org.sdmx.infomodel.base.Any=*:*(*)"


def make_metadataflow(*, targets: tuple[str, ...] = (), **said: Any) -> structure.Metadataflow:
    """A metadataflow; one about anything whatever has no targets, which SDMX-ML 3.x has to spell out."""
    return structure.Metadataflow(targets=() if targets == (ANY_TARGET,) else targets, **said)


METADATAFLOW: Final[Shape] = maintained(
    structure.Metadataflow,
    Reference(ml="Structure", json="structure", model="structure", to="MetadataStructure"),
    Values(ml="Target", json="targets", model="targets", since="3.0", fill=(ANY_TARGET,)),
    make=make_metadataflow,
)
METADATA_PROVISION_AGREEMENT: Final[Shape] = maintained(
    structure.MetadataProvisionAgreement,
    Reference(ml="Metadataflow", json="metadataflow", model="metadataflow", to="Metadataflow"),
    Reference(ml="MetadataProvider", json="metadataProvider", model="provider", to="MetadataProvider"),
    Values(ml="Target", json="targets", model="targets"),
)

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

# ----------------------------------------------------------------------------------------------------------------- maps

MAPPED_VALUE: Final[Shape] = Shape(
    model=mapping.MappedValue,
    fields=(
        Value(ml="#text", json="value", model="value", place="content", kind="text", always=True),
        attribute("isRegEx", "is_regex", "boolean", default=False),
        attribute("startIndex", "start_index", "integer"),
        attribute("endIndex", "end_index", "integer"),
    ),
)
_VALID_DAYS: tuple[Field, ...] = (attribute("validFrom", "valid_from", "day"), attribute("validTo", "valid_to", "day"))
MAPPING_ROW: Final[Shape] = Shape(
    model=mapping.MappingRow,
    fields=(
        *_VALID_DAYS,
        notes(),
        Part(ml="SourceValue", json="sourceValues", model="sources", shape=lambda: MAPPED_VALUE, many=True),
        Values(ml="TargetValue", json="targetValues", model="targets", kind="text"),
    ),
)
REPRESENTATION_MAP: Final[Shape] = maintained(
    mapping.RepresentationMap,
    MapColumns(ml="Source", json="source", model="sources"),
    MapColumns(ml="Target", json="target", model="targets"),
    Part(ml="RepresentationMapping", json="representationMappings", model="rows", shape=lambda: MAPPING_ROW, many=True),
)
COMPONENT_MAP: Final[Shape] = Shape(
    model=mapping.ComponentMap,
    fields=(
        notes(),
        Values(ml="Source", json="source", model="sources"),
        Values(ml="Target", json="target", model="targets"),
        Reference(ml="RepresentationMap", json="representationMap", model="representation_map", to="RepresentationMap"),
    ),
)
FIXED_VALUE: Final[Shape] = Shape(
    model=mapping.FixedValue,
    fields=(
        notes(),
        element("Source", "component", when=lambda fixed: fixed.role == "source", also={"role": "source"}),
        element("Target", "component", when=lambda fixed: fixed.role == "target", also={"role": "target"}),
        Values(ml="Value", json="values", model="values", kind="text"),
    ),
    silent=("role",),
)


def _time_map(kind: str, *attributes: Field) -> Shape:
    return Shape(
        model=mapping.TimePatternMap,
        given={"kind": kind},
        fields=(
            *IDENTIFIED,
            *attributes,
            attribute("resolvePeriod", "resolve"),
            MappedComponents(ml="Source", json="mappedComponents"),
            element("FrequencyDimension", "frequency_dimension"),
            Values(ml="MappedFrequencies", json="mappedFrequencies", model="mapped_frequencies"),
            element("TargetFrequencyID", "frequency_id"),
        ),
        silent=("frequency_formats", "locale"),
    )


EPOCH_MAP: Final[Shape] = _time_map(
    "epoch", attribute("basePeriod", "base_period"), attribute("epochPeriod", "pattern")
)
DATE_PATTERN_MAP: Final[Shape] = _time_map(
    "date", attribute("sourcePattern", "pattern", "text"), attribute("locale", "locale", always=True)
)
FREQUENCY_FORMAT: Final[Shape] = Shape(
    model=mapping.FrequencyFormat,
    fields=(*IDENTIFIED, element("FrequencyId", "frequency_id"), element("DatePattern", "date_pattern", "text")),
)


def make_structure_map(*, times: tuple[mapping.TimePatternMap, ...] = (), **said: Any) -> mapping.StructureMap:
    """A structure map whose time maps know the date patterns of their frequencies."""
    patterns = {one.id: (one.frequency_id, one.date_pattern) for one in said.get("frequency_formats", ())}
    return mapping.StructureMap(times=tuple(_with_formats(one, patterns) for one in times), **said)


def _with_formats(
    one: mapping.TimePatternMap, patterns: Mapping[str | None, tuple[str, str]]
) -> mapping.TimePatternMap:
    found = tuple(patterns[name] for name in one.mapped_frequencies if name in patterns)
    return replace(one, frequency_formats=found) if found else one


STRUCTURE_MAP: Final[Shape] = maintained(
    mapping.StructureMap,
    Reference(ml="Source", json="source", model="source"),
    Reference(ml="Target", json="target", model="target"),
    Part(ml="EpochMap", json="epochMaps", model="times", shape=lambda: EPOCH_MAP, many=True,
         only=lambda one: one.kind == "epoch"),
    Part(ml="DatePatternMap", json="datePatternMaps", model="times", shape=lambda: DATE_PATTERN_MAP, many=True,
         only=lambda one: one.kind == "date"),
    Part(ml="FrequencyFormatMapping", json="frequencyFormatMappings", model="frequency_formats",
         shape=lambda: FREQUENCY_FORMAT, many=True),
    Part(ml="ComponentMap", json="componentMaps", model="components", shape=lambda: COMPONENT_MAP, many=True),
    Part(ml="FixedValueMap", json="fixedValueMaps", model="fixed", shape=lambda: FIXED_VALUE, many=True),
    make=make_structure_map,
)  # fmt: skip


def make_item_map(*, source: str = "", target: str = "", **said: Any) -> mapping.ItemMap:
    """An item map; the standard gives it no id, so it is made of both sides."""
    return mapping.ItemMap(id=f"{source}:{target}", source=source, target=target, **said)


ITEM_MAP: Final[Shape] = Shape(
    model=mapping.ItemMap,
    make=make_item_map,
    silent=("id",),
    fields=(
        *_VALID_DAYS,
        notes(),
        Nest(
            ml="SourceValue",
            json="sourceValue",
            fields=(
                Value(ml="#text", json="value", model="source", place="content", kind="text"),
                attribute("isRegEx", "is_regex", "boolean", default=False),
                attribute("startIndex", "start_index", "integer"),
                attribute("endIndex", "end_index", "integer"),
            ),
        ),
        element("TargetValue", "target", "text", default=""),
    ),
)


def _scheme_map(model: type, to: str) -> Shape:
    return maintained(
        model,
        Reference(ml="Source", json="source", model="source", to=to),
        Reference(ml="Target", json="target", model="target", to=to),
        Part(ml="ItemMap", json="itemMaps", model="items", shape=lambda: ITEM_MAP, many=True),
    )


CONCEPT_SCHEME_MAP: Final[Shape] = _scheme_map(mapping.ConceptSchemeMap, "ConceptScheme")
CATEGORY_SCHEME_MAP: Final[Shape] = _scheme_map(mapping.CategorySchemeMap, "CategoryScheme")
ORGANISATION_SCHEME_MAP: Final[Shape] = _scheme_map(mapping.OrganisationSchemeMap, "")
REPORTING_TAXONOMY_MAP: Final[Shape] = _scheme_map(mapping.ReportingTaxonomyMap, "ReportingTaxonomy")

# ------------------------------------------------------------------------------------------------- geographic codelists


def _geographic(model: type, tag: str, json: str, item: Field, *more: Field) -> Shape:
    shape = Shape(model=items.GeoFeature, fields=(*NAMED, PARENT, item))
    fixed = Fixed(ml="geoType", json="geoType", value=model.__name__)
    return scheme(model, tag, json, lambda: shape, EXTENSIONS, fixed, *more)


GEOGRAPHIC_CODELIST: Final[Shape] = _geographic(
    items.GeographicCodelist,
    "GeoFeatureSetCode",
    "geoFeatureSetCodes",
    attribute("value", "value", "text", always=True),
)
GEO_GRID_CODELIST: Final[Shape] = _geographic(
    items.GeoGridCodelist,
    "GeoGridCode",
    "geoGridCodes",
    element("GeoCell", "value", "text", always=True),
    element("GridDefinition", "grid_definition", "text", always=True),
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

# ------------------------------------------------------------------------------------------------ taxonomies, processes

REPORTING_CATEGORY: Final[Shape] = Shape(
    model=items.ReportingCategory,
    fields=(
        *NAMED,
        Part(ml="ReportingCategory", json="reportingCategories", model="items", shape=lambda: REPORTING_CATEGORY,
             many=True),
        Reference(ml="StructuralMetadata", json="structuralMetadata", model="structures", many=True),
        Reference(ml="ProvisioningMetadata", json="provisioningMetadata", model="flows", many=True),
    ),
)  # fmt: skip
REPORTING_TAXONOMY: Final[Shape] = scheme(
    items.ReportingTaxonomy, "ReportingCategory", "reportingCategories", lambda: REPORTING_CATEGORY
)

PROCESS_OBJECT: Final[Shape] = Shape(
    model=process.ProcessObject,
    fields=(
        attribute("localID", "local_id"),
        notes(),
        Reference(ml="ObjectReference", json="objectReference", model="reference"),
    ),
)
COMPUTATION: Final[Shape] = Shape(
    model=process.Computation,
    fields=(
        attribute("localID", "local_id"),
        attribute("softwarePackage", "software_package", "text"),
        attribute("softwareLanguage", "software_language", "text"),
        attribute("softwareVersion", "software_version", "text"),
        notes(),
        DESCRIPTIONS,
    ),
)


def make_transition(*, id: str | None = None, **said: Any) -> process.Transition:
    """A transition; one without id takes its local id, or else the step it leads to."""
    return process.Transition(id=id or said.get("local_id") or said.get("target_step") or "", **said)


TRANSITION: Final[Shape] = Shape(
    model=process.Transition,
    make=make_transition,
    fields=(
        *IDENTIFIED,
        attribute("localID", "local_id"),
        LocalId(ml="TargetStep", json="targetStep", model="target_step"),
        Localised(ml="Condition", json="condition", all="conditions", model="conditions", space="structure"),
    ),
)
PROCESS_STEP: Final[Shape] = Shape(
    model=process.ProcessStep,
    fields=(
        *NAMED,
        Part(ml="Input", json="inputs", model="inputs", shape=lambda: PROCESS_OBJECT, many=True),
        Part(ml="Output", json="outputs", model="outputs", shape=lambda: PROCESS_OBJECT, many=True),
        Part(ml="Computation", json="computation", model="computation", shape=lambda: COMPUTATION),
        Part(ml="Transition", json="transitions", model="transitions", shape=lambda: TRANSITION, many=True),
        Part(ml="ProcessStep", json="processSteps", model="steps", shape=lambda: PROCESS_STEP, many=True),
    ),
)
PROCESS: Final[Shape] = maintained(
    process.Process, Part(ml="ProcessStep", json="processSteps", model="steps", shape=lambda: PROCESS_STEP, many=True)
)

# ------------------------------------------------------------------------------------------------------------------ VTL


def _vtl(model: type, tag: str, json: str, item: Shape, *references: Field) -> Shape:
    version = attribute("vtlVersion", "vtl_version", "text", blank=True)
    return scheme(model, tag, json, lambda: item, *references, version)


def _item(model: type, *fields: Field) -> Shape:
    return Shape(model=model, fields=(*NAMED, *fields))


_MAPPING_SCHEME = Reference(
    ml="VtlMappingScheme", json="vtlMappingScheme", model="mapping_scheme", to="VtlMappingScheme"
)
_RULESET_SCHEMES = Reference(
    ml="RulesetScheme", json="rulesetSchemes", model="ruleset_schemes", to="RulesetScheme", many=True
)
TRANSFORMATION_SCHEME: Final[Shape] = _vtl(
    transformation.TransformationScheme,
    "Transformation",
    "transformations",
    _item(
        transformation.Transformation,
        attribute("isPersistent", "is_persistent", "boolean", always=True),
        element("Expression", "expression", "text"),
        element("Result", "result", "text"),
    ),
    _MAPPING_SCHEME,
    Reference(ml="NamePersonalisationScheme", json="namePersonalisationScheme", model="personalisation_scheme",
              to="NamePersonalisationScheme"),
    Reference(ml="CustomTypeScheme", json="customTypeScheme", model="custom_type_scheme", to="CustomTypeScheme"),
    _RULESET_SCHEMES,
    Reference(ml="UserDefinedOperatorScheme", json="userDefinedOperatorSchemes", model="operator_schemes",
              to="UserDefinedOperatorScheme", many=True),
)  # fmt: skip
RULESET_SCHEME: Final[Shape] = _vtl(
    transformation.RulesetScheme,
    "Ruleset",
    "rulesets",
    _item(
        transformation.Ruleset,
        attribute("rulesetType", "kind", "text"),
        attribute("rulesetScope", "scope", "text"),
        element("RulesetDefinition", "definition", "text"),
    ),
    _MAPPING_SCHEME,
)
USER_DEFINED_OPERATOR_SCHEME: Final[Shape] = _vtl(
    transformation.UserDefinedOperatorScheme,
    "UserDefinedOperator",
    "userDefinedOperators",
    _item(transformation.UserDefinedOperator, element("OperatorDefinition", "definition", "text")),
    _MAPPING_SCHEME,
    _RULESET_SCHEMES,
)
CUSTOM_TYPE_SCHEME: Final[Shape] = _vtl(
    transformation.CustomTypeScheme,
    "CustomType",
    "customTypes",
    _item(
        transformation.CustomType,
        element("VtlScalarType", "vtl_scalar_type", "text"),
        element("DataType", "data_type", "text"),
        element("VtlLiteralFormat", "vtl_literal_format", "text"),
        element("OutputFormat", "output_format", "text"),
        element("NullValue", "null_value", "text"),
    ),
)
NAME_PERSONALISATION_SCHEME: Final[Shape] = _vtl(
    transformation.NamePersonalisationScheme,
    "NamePersonalisation",
    "namePersonalisations",
    _item(
        transformation.NamePersonalisation,
        attribute("vtlArtefact", "vtl_artefact", "text"),
        element("VtlDefaultName", "default_name", "text"),
        element("PersonalisedName", "personalised_name", "text"),
    ),
)


def _mapped(tag: str, **more: Any) -> Reference:
    return Reference(ml=tag, json=tag.lower(), model="mapped", to=tag, only=True, **more)


def _conversion(direction: str, space: str) -> Shape:
    keys = Nest(
        ml=f"{direction}Vtl{space}",
        json=f"{direction.lower()}Vtl{space}",
        fields=(Values(ml="Key", json="keys", model="keys"),),
    )
    return Shape(model=transformation.VtlConversion, fields=(attribute("method", "method", "text"), keys))


_TO_VTL, _FROM_VTL = _conversion("To", "SubSpace"), _conversion("From", "SuperSpace")
VTL_MAPPING_SCHEME: Final[Shape] = scheme(
    transformation.VtlMappingScheme,
    "VtlMapping",
    "vtlMappings",
    lambda: VTL_MAPPING,
)
VTL_MAPPING: Final[Shape] = _item(
    transformation.VtlMapping,
    attribute("alias", "alias", "text"),
    _mapped("Dataflow"),
    Flag(ml="GenericDataflow", json="genericDataflow", model="is_generic", value=True),
    Part(ml="ToVtlMapping", json="toVtlMapping", model="to_vtl", shape=lambda: _TO_VTL),
    Part(ml="FromVtlMapping", json="fromVtlMapping", model="from_vtl", shape=lambda: _FROM_VTL),
    _mapped("Codelist"),
    _mapped("ConceptScheme", until="2.1"),
    _mapped("Concept"),
)

# ---------------------------------------------------------------------------------------------------------- the message


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefacts:
    """One kind of artefact in a message: ``container``/``tag`` of SDMX-ML, ``json`` of SDMX-JSON, shape, versions."""

    container: str
    tag: str
    json: str
    shape: Shape
    since: str = "3.0"


def _artefacts(tag: str, shape: Shape, container: str = "", json: str = "", since: str = "3.0") -> Artefacts:
    plural = container or f"{tag}s"
    return Artefacts(container=plural, tag=tag, json=json or plural[0].lower() + plural[1:], shape=shape, since=since)


ARTEFACTS: Final[tuple[Artefacts, ...]] = (
    _artefacts("AgencyScheme", AGENCY_SCHEME),
    _artefacts("AvailabilityConstraint", AVAILABILITY_CONSTRAINT, since="3.1"),
    _artefacts("Categorisation", CATEGORISATION),
    _artefacts("CategorySchemeMap", CATEGORY_SCHEME_MAP),
    _artefacts("CategoryScheme", CATEGORY_SCHEME),
    _artefacts("Codelist", CODELIST),
    _artefacts("ConceptSchemeMap", CONCEPT_SCHEME_MAP),
    _artefacts("ConceptScheme", CONCEPT_SCHEME),
    _artefacts("CustomTypeScheme", CUSTOM_TYPE_SCHEME),
    _artefacts("DataConstraint", DATA_CONSTRAINT),
    _artefacts("DataConsumerScheme", DATA_CONSUMER_SCHEME),
    _artefacts("Dataflow", DATAFLOW),
    _artefacts("DataProviderScheme", DATA_PROVIDER_SCHEME),
    _artefacts("DataStructure", DATA_STRUCTURE),
    _artefacts("GeographicCodelist", GEOGRAPHIC_CODELIST),
    _artefacts("GeoGridCodelist", GEO_GRID_CODELIST),
    _artefacts("Hierarchy", HIERARCHY, "Hierarchies"),
    _artefacts("HierarchyAssociation", HIERARCHY_ASSOCIATION),
    _artefacts("MetadataConstraint", METADATA_CONSTRAINT),
    _artefacts("Metadataflow", METADATAFLOW),
    _artefacts("MetadataProviderScheme", METADATA_PROVIDER_SCHEME),
    _artefacts("MetadataProvisionAgreement", METADATA_PROVISION_AGREEMENT),
    _artefacts("MetadataStructure", METADATA_STRUCTURE),
    _artefacts("NamePersonalisationScheme", NAME_PERSONALISATION_SCHEME),
    _artefacts("OrganisationSchemeMap", ORGANISATION_SCHEME_MAP),
    _artefacts("OrganisationUnitScheme", ORGANISATION_UNIT_SCHEME),
    _artefacts("Process", PROCESS, "Processes"),
    _artefacts("ProvisionAgreement", PROVISION_AGREEMENT),
    _artefacts("ReportingTaxonomy", REPORTING_TAXONOMY, "ReportingTaxonomies"),
    _artefacts("ReportingTaxonomyMap", REPORTING_TAXONOMY_MAP),
    _artefacts("RepresentationMap", REPRESENTATION_MAP),
    _artefacts("RulesetScheme", RULESET_SCHEME),
    _artefacts("StructureMap", STRUCTURE_MAP),
    _artefacts("TransformationScheme", TRANSFORMATION_SCHEME),
    _artefacts("UserDefinedOperatorScheme", USER_DEFINED_OPERATOR_SCHEME),
    _artefacts("ValueList", VALUE_LIST),
    _artefacts("VtlMappingScheme", VTL_MAPPING_SCHEME),
)
"""The kinds of artefacts of SDMX 3.x, in the order of ``SDMXStructure.xsd``."""
