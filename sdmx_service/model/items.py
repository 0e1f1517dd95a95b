"""Item schemes: codelists, value lists, concepts, categories, organisations.

SDMX 3.1 packages *codelist*, *conceptscheme*, *categoryscheme*, *base*.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from sdmx_service.model.artefact import Item, ItemScheme, Maintainable, Texts
from sdmx_service.model.representation import Representation, TextFormat
from sdmx_service.model.urn import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Code(Item):
    """A code: its id is what data carry, always text (leading zeros and ``NA`` are codes like any other)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberSelection:
    """Codes taken or left by a codelist extension; values may end or begin with the wildcard ``%``.

    ``cascade`` by value: ``true``, ``false`` or ``excluderoot``.
    """

    values: tuple[tuple[str, str], ...] = ()
    """Pairs of value and cascade."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodelistExtension:
    """Another codelist whose codes are part of this one (SDMX 3.0 *CodelistExtension*)."""

    codelist: Ref
    prefix: str | None = None
    inclusive: MemberSelection | None = None
    exclusive: MemberSelection | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Codelist(ItemScheme[Code]):
    """A list of codes, with parents inside the list and extensions by other lists."""

    type: ClassVar[str] = "Codelist"
    extensions: tuple[CodelistExtension, ...] = ()

    def _references(self) -> Iterator[Ref]:
        return (extension.codelist for extension in self.extensions)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueItem(Item):
    """An entry of a value list: any string, not only an id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueList(ItemScheme[ValueItem]):
    """An enumeration whose members need not be ids (SDMX 3.0)."""

    type: ClassVar[str] = "ValueList"


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoFeature(Code):
    """A code with a geographic feature set in WKT-like text (*GeoFeatureSetCode*), or a grid cell (*GeoGridCode*)."""

    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeographicCodelist(ItemScheme[GeoFeature]):
    """A codelist whose codes have geographic features (SDMX 3.0). In URNs it is a Codelist."""

    type: ClassVar[str] = "Codelist"
    extensions: tuple[CodelistExtension, ...] = ()

    def _references(self) -> Iterator[Ref]:
        return (extension.codelist for extension in self.extensions)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoGridCodelist(ItemScheme[GeoFeature]):
    """A codelist whose codes are cells of a grid (SDMX 3.0). In URNs it is a Codelist."""

    type: ClassVar[str] = "Codelist"
    extensions: tuple[CodelistExtension, ...] = ()
    grid_definition: str = ""

    def _references(self) -> Iterator[Ref]:
        return (extension.codelist for extension in self.extensions)


@dataclass(frozen=True, slots=True, kw_only=True)
class IsoConcept:
    """Where a concept stands in an ISO 11179 registry."""

    agency: str
    id: str
    scheme: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Concept(Item):
    """A concept with its core representation, which components that use it inherit."""

    core_representation: Representation | None = None
    iso_concept: IsoConcept | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConceptScheme(ItemScheme[Concept]):
    """A list of concepts."""

    type: ClassVar[str] = "ConceptScheme"

    def _references(self) -> Iterator[Ref]:
        for concept in self.items:
            if concept.core_representation is not None and concept.core_representation.enumeration is not None:
                yield concept.core_representation.enumeration


@dataclass(frozen=True, slots=True, kw_only=True)
class Category(Item):
    """A category; nested ones carry their dotted path of ids in ``path``."""

    items: tuple[Category, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryScheme(ItemScheme[Category]):
    """A tree of categories."""

    type: ClassVar[str] = "CategoryScheme"


@dataclass(frozen=True, slots=True, kw_only=True)
class Categorisation(Maintainable):
    """That an artefact belongs to a category. In 3.1 its version is fixed to 1.0. A stub has neither side."""

    type: ClassVar[str] = "Categorisation"
    source: Ref | None = None
    target: Ref | None = None
    """A category: a reference with ``item`` (the dotted path)."""

    def _references(self) -> Iterator[Ref]:
        yield from (ref for ref in (self.source, self.target) if ref is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportingCategory(Item):
    """A heading of a report, and the structures, or the flows and agreements, that belong under it."""

    items: tuple[ReportingCategory, ...] = ()
    structures: tuple[Ref, ...] = ()
    flows: tuple[Ref, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportingTaxonomy(ItemScheme[ReportingCategory]):
    """How a report or publication is divided (*ReportingTaxonomy*)."""

    type: ClassVar[str] = "ReportingTaxonomy"

    def _references(self) -> Iterator[Ref]:
        def walk(categories: tuple[ReportingCategory, ...]) -> Iterator[Ref]:
            for one in categories:
                yield from (*one.structures, *one.flows)
                yield from walk(one.items)

        return walk(self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Whom to ask: fields as (kind, text) pairs, kinds ``telephone fax x400 uri email``, in order."""

    id: str | None = None
    names: Texts = field(default_factory=Texts)
    departments: Texts = field(default_factory=Texts)
    roles: Texts = field(default_factory=Texts)
    addresses: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation(Item):
    """An agency, data provider, metadata provider, data consumer or organisation unit: its scheme tells which."""

    contacts: tuple[Contact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationScheme(ItemScheme[Organisation]):
    """A list of organisations; the subclasses fix id and version as the standard says (never versioned)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyScheme(OrganisationScheme):
    """Agencies below a maintenance agency; id ``AGENCIES``, version 1.0."""

    type: ClassVar[str] = "AgencyScheme"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataProviderScheme(OrganisationScheme):
    """Who sends data; id ``DATA_PROVIDERS``, version 1.0."""

    type: ClassVar[str] = "DataProviderScheme"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataProviderScheme(OrganisationScheme):
    """Who sends reference metadata; id ``METADATA_PROVIDERS``, version 1.0."""

    type: ClassVar[str] = "MetadataProviderScheme"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConsumerScheme(OrganisationScheme):
    """Who takes data; id ``DATA_CONSUMERS``, version 1.0."""

    type: ClassVar[str] = "DataConsumerScheme"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationUnitScheme(OrganisationScheme):
    """Units of an organisation; versioned like any artefact."""

    type: ClassVar[str] = "OrganisationUnitScheme"


@dataclass(frozen=True, slots=True, kw_only=True)
class HierarchicalCode(Item):
    """A node of a hierarchy: the code it stands for, its level, its children."""

    code: Ref
    valid_from: str | None = None
    valid_to: str | None = None
    level: str | None = None
    items: tuple[HierarchicalCode, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Level(Item):
    """A level of a hierarchy; ``child`` is the level below."""

    coding_format: TextFormat | None = None
    child: Level | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hierarchy(Maintainable):
    """A tree over codes of one or several codelists (SDMX 3.0 *Hierarchy*)."""

    type: ClassVar[str] = "Hierarchy"
    has_formal_levels: bool = False
    level: Level | None = None
    items: tuple[HierarchicalCode, ...] = ()

    def _references(self) -> Iterator[Ref]:
        def walk(nodes: tuple[HierarchicalCode, ...]) -> Iterator[Ref]:
            for node in nodes:
                yield node.code.maintainable
                yield from walk(node.items)

        return walk(self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class HierarchyAssociation(Maintainable):
    """That a hierarchy belongs to an artefact, in a context."""

    type: ClassVar[str] = "HierarchyAssociation"
    hierarchy: Ref
    linked: Ref
    context: Ref | None = None

    def _references(self) -> Iterator[Ref]:
        yield from (self.hierarchy, self.linked)
        if self.context is not None:
            yield self.context
