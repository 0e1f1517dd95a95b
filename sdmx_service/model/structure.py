"""Data structures, dataflows, provision agreements (SDMX 3.1 packages *datastructure* and *registry*)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from sdmx_service.model.artefact import Annotation, Identified, Maintainable
from sdmx_service.model.representation import NUMERIC_TYPES, Representation
from sdmx_service.model.urn import Ref

Usage = Literal["mandatory", "optional"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Component(Identified):
    """A column of data: a concept in a role, with its own or the concept's representation.

    Attributes:
        concept: the concept (a reference with ``item``).
        representation: the local representation; None means the concept's core representation.
        resolved: the representation that holds, filled in by the catalog; see ``form``.
        concept_roles: concepts this component plays the role of.
    """

    concept: Ref
    representation: Representation | None = None
    resolved: Representation | None = field(default=None, compare=False, repr=False)
    concept_roles: tuple[Ref, ...] = ()

    @property
    def form(self) -> Representation:
        """The representation that holds: local, else the concept's (when resolved), else plain text."""
        return self.representation or self.resolved or Representation()

    @property
    def is_numeric(self) -> bool:
        """Values are numbers."""
        return not self.form.is_coded and self.form.data_type in NUMERIC_TYPES

    @property
    def is_multilingual(self) -> bool:
        """Values are texts by language (SDMX 3.1: false unless the text format says so)."""
        return self.form.text_format is not None and self.form.text_format.is_multilingual is True


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension(Component):
    """A part of the key; its position is its place in ``DataStructure.dimensions``."""

    is_measure_dimension: bool = False
    """SDMX 2.1 MeasureDimension."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeDimension(Component):
    """The time dimension; its id is ``TIME_PERIOD``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Identified):
    """A partial key that attributes attach to."""

    dimensions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Relationship:
    """What an attribute belongs to (SDMX 3.1 *AttributeRelationship*).

    ``dataset``: the data set; ``dimensions``: those dimensions (``groups`` lists attachment groups of 2.1);
    ``group``: a declared group; ``observation``: the observation.
    """

    kind: Literal["dataset", "dimensions", "group", "observation"] = "observation"
    dimensions: tuple[str, ...] = ()
    group: str | None = None
    attachment_groups: tuple[str, ...] = ()
    optional_dimensions: tuple[str, ...] = ()
    """Those of ``dimensions`` that need not be there (SDMX 3.0 *optional*)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute(Component):
    """A property of observations, series, groups or the data set."""

    usage: Usage = "optional"
    relationship: Relationship = field(default_factory=Relationship)
    measures: tuple[str, ...] = ()
    """Measures it describes (3.0 *MeasureRelationship*); empty: all."""
    is_metadata: bool = False
    """It stands in the linked metadata structure (3.0 *MetadataAttributeUsage*) and is reported with data like any
    other; only the catalog makes such attributes, where a structure is resolved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataAttributeUsage:
    """That a metadata attribute of the linked MSD may be reported with data, and at which level."""

    metadata_attribute: str
    relationship: Relationship = field(default_factory=Relationship)
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure(Component):
    """An observed value. SDMX 2.1's primary measure is the only measure, ``OBS_VALUE``."""

    usage: Usage = "optional"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataStructure(Maintainable):
    """The structure of data: dimensions in key order, time, groups, attributes, measures.

    Component ids are unique within a structure. ``level`` answers where an attribute attaches in terms of
    dimensions, which is what storage and formats need.
    """

    type: ClassVar[str] = "DataStructure"
    dimensions: tuple[Dimension, ...] = ()
    """Without the time dimension, in key order."""
    time_dimension: TimeDimension | None = None
    groups: tuple[Group, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    metadata_usages: tuple[MetadataAttributeUsage, ...] = ()
    measures: tuple[Measure, ...] = ()
    metadata_structure: Ref | None = None
    evolving_structure: bool | None = None
    dimension_annotations: tuple[Annotation, ...] = ()
    """Annotations of the dimension descriptor as a whole; so the next two for theirs."""
    attribute_annotations: tuple[Annotation, ...] = ()
    measure_annotations: tuple[Annotation, ...] = ()

    @property
    def dimension_ids(self) -> tuple[str, ...]:
        """Ids of the dimensions in key order, time left out."""
        return tuple(dimension.id for dimension in self.dimensions)

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Ids of all dimensions in key order, time last where there is one."""
        return self.dimension_ids + ((self.time_dimension.id,) if self.time_dimension is not None else ())

    @property
    def components(self) -> tuple[Component, ...]:
        """Every component in the standard's order: dimensions, time, measures, attributes."""
        time = () if self.time_dimension is None else (self.time_dimension,)
        return (*self.dimensions, *time, *self.measures, *self.attributes)

    def component(self, id: str) -> Component | None:
        """The component with that id."""
        return next((component for component in self.components if component.id == id), None)

    def level(self, attribute: Attribute) -> tuple[str, ...] | None:
        """The dimensions an attribute's value depends on, in key order; None for the observation itself.

        The data set is ``()``. A relationship to dimensions that include time is the observation's.
        """
        relation = attribute.relationship
        if relation.kind == "observation":
            return None
        if relation.kind == "dataset":
            return ()
        wanted = set(relation.dimensions)
        names = set(relation.attachment_groups) | ({relation.group} if relation.group else set())
        for group in self.groups:
            if group.id in names:
                wanted |= set(group.dimensions)
        if self.time_dimension is not None and self.time_dimension.id in wanted:
            return None
        return tuple(id for id in self.dimension_ids if id in wanted)

    @property
    def observation_attributes(self) -> tuple[Attribute, ...]:
        """Attributes of the observation."""
        return tuple(one for one in self.attributes if self.level(one) is None)

    def _references(self) -> Iterator[Ref]:
        for component in self.components:
            yield component.concept.maintainable
            if component.representation is not None and component.representation.enumeration is not None:
                yield component.representation.enumeration
            yield from (role.maintainable for role in component.concept_roles)
        if self.metadata_structure is not None:
            yield self.metadata_structure


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataflow(Maintainable):
    """Data of one structure that are offered or asked for together."""

    type: ClassVar[str] = "Dataflow"
    structure: Ref | None = None
    dimension_constraint: tuple[str, ...] = ()
    """SDMX 3.1 *DimensionConstraint*: the dimensions this flow uses."""

    def _references(self) -> Iterator[Ref]:
        if self.structure is not None:
            yield self.structure


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadataflow(Maintainable):
    """Reference metadata of one metadata structure; targets as URN patterns (3.0)."""

    type: ClassVar[str] = "Metadataflow"
    structure: Ref | None = None
    targets: tuple[str, ...] = ()

    def _references(self) -> Iterator[Ref]:
        if self.structure is not None:
            yield self.structure


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionAgreement(Maintainable):
    """That a provider sends data for a dataflow."""

    type: ClassVar[str] = "ProvisionAgreement"
    dataflow: Ref
    provider: Ref
    """A data provider: a reference with ``item``."""

    def _references(self) -> Iterator[Ref]:
        yield self.dataflow
        yield self.provider.maintainable


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataProvisionAgreement(Maintainable):
    """That a provider sends reference metadata for a metadataflow."""

    type: ClassVar[str] = "MetadataProvisionAgreement"
    metadataflow: Ref
    provider: Ref
    targets: tuple[str, ...] = ()
    """What the metadata may be about, as URN patterns; empty: what the metadataflow says."""

    def _references(self) -> Iterator[Ref]:
        yield self.metadataflow
        yield self.provider.maintainable


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataAttribute(Component):
    """A heading of a metadata structure; headings nest."""

    is_presentational: bool = False
    items: tuple[MetadataAttribute, ...] = ()
    min_occurs: int | None = None
    max_occurs: int | Literal["unbounded"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetObject(Identified):
    """A kind of thing that metadata of SDMX 2.1 may be about.

    ``kind`` is the standard's class: ``IdentifiableObjectTarget``, ``DataSetTarget``, ``KeyDescriptorValuesTarget``,
    ``ConstraintContentTarget``, ``ReportPeriodTarget``.
    """

    kind: str
    object_type: str | None = None
    representation: Representation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataTarget(Identified):
    """What a report of SDMX 2.1 is about: together the objects identify it."""

    objects: tuple[TargetObject, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportStructure(Identified):
    """The headings of one report of SDMX 2.1, and the ids of the targets it is about."""

    attributes: tuple[MetadataAttribute, ...] = ()
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataStructure(Maintainable):
    """The headings of reference metadata.

    In SDMX 2.1 they stand in ``reports``, and ``targets`` says what about; from 3.0 on there is one list,
    ``attributes``, and the metadataflow says what about.
    """

    type: ClassVar[str] = "MetadataStructure"
    attributes: tuple[MetadataAttribute, ...] = ()
    attribute_annotations: tuple[Annotation, ...] = ()
    """Annotations of the metadata attribute descriptor as a whole."""
    targets: tuple[MetadataTarget, ...] = ()
    reports: tuple[ReportStructure, ...] = ()

    def every_attribute(self) -> Iterator[MetadataAttribute]:
        """All headings, those of reports too, each before what it holds."""

        def walk(attributes: tuple[MetadataAttribute, ...]) -> Iterator[MetadataAttribute]:
            for one in attributes:
                yield one
                yield from walk(one.items)

        yield from walk(self.attributes)
        for report in self.reports:
            yield from walk(report.attributes)

    def _references(self) -> Iterator[Ref]:
        for one in self.every_attribute():
            yield one.concept.maintainable
            if one.representation is not None and one.representation.enumeration is not None:
                yield one.representation.enumeration
