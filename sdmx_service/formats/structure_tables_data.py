"""The shapes of data and metadata structures, flows and agreements of SDMX 3.x (``SDMXStructureDataStructure.xsd``)."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from sdmx_service.formats.structure_parts import (
    IDENTIFIED,
    TIME_REPRESENTATION,
    URN_READ_OVER,
    attribute,
    element,
    local_representation,
    maintained,
    notes,
)
from sdmx_service.formats.structure_shapes import (
    Field,
    Fixed,
    Flag,
    LocalId,
    Nest,
    OptionalDimensions,
    Part,
    Position,
    Reference,
    Shape,
    Values,
)
from sdmx_service.model import structure
from sdmx_service.model.representation import Representation, TextFormat

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
    attribute("isPresentational", "is_presentational", "boolean", default=False, always=True),
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
