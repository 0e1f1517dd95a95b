"""The classes of maintainable artefacts, as URNs, both REST versions and the messages name them: one table.

Sources: SDMX 3.1 ``SDMXCommonReferences.xsd`` (classes and packages of URNs), the ``artefactType`` list of SDMX-REST
2.2.2 ``structures.md``, and for the older names SDMX 2.1 ``SDMXCommonReferences.xsd`` and SDMX-REST 1.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtefactType:
    """A class of maintainable artefacts, as URNs, both REST versions and the messages name it.

    Attributes:
        name: the class in URNs (``Codelist``, ``DataStructure``).
        package: the package in URNs (``codelist``, ``datastructure``).
        resource: the resource of SDMX-REST 2.2 (``codelist``); None for what version 2 does not offer by itself.
        resource_v1: the resource of SDMX-REST 1.5 under which it is found; None if it has none.
        item_types: the classes of its identifiable parts in URNs; for an item scheme the class of its items.
        is_item_scheme: its parts are items, and REST takes an item id.
        fixed_id: the only id that the standard allows (``AGENCIES``), or None.
        successor: for a class that SDMX 3.0 removed, the class that took its place; None for those of SDMX 3.1.
    """

    name: str
    package: str
    resource: str | None = None
    resource_v1: str | None = None
    item_types: tuple[str, ...] = ()
    is_item_scheme: bool = False
    fixed_id: str | None = None
    successor: str | None = None


def _scheme(
    name: str, package: str, *items: str, resource_v1: str | None = "", fixed_id: str | None = None
) -> ArtefactType:
    resource = name.lower()
    return ArtefactType(
        name=name,
        package=package,
        resource=resource,
        resource_v1=resource if resource_v1 == "" else resource_v1,
        item_types=items,
        is_item_scheme=True,
        fixed_id=fixed_id,
    )


def _plain(name: str, package: str, *parts: str, resource_v1: str | None = "") -> ArtefactType:
    resource = name.lower()
    v1 = resource if resource_v1 == "" else resource_v1
    return ArtefactType(name=name, package=package, resource=resource, resource_v1=v1, item_types=parts)


_DATA_STRUCTURE_PARTS = (
    "Dimension",
    "TimeDimension",
    "Measure",
    "DataAttribute",
    "DimensionDescriptor",
    "GroupDimensionDescriptor",
    "MeasureDescriptor",
    "AttributeDescriptor",
    "MeasureDimension",  # SDMX 2.1, as the next two
    "PrimaryMeasure",
    "ReportingYearStartDay",
)
_METADATA_STRUCTURE_PARTS = (
    "MetadataAttribute",
    "MetadataAttributeDescriptor",
    "ReportStructure",  # SDMX 2.1, as all that follow
    "MetadataTarget",
    "IdentifiableObjectTarget",
    "DataSetTarget",
    "ConstraintTarget",
    "DimensionDescriptorValuesTarget",
    "ReportPeriodTarget",
)
_STRUCTURE_MAP_PARTS = ("EpochMap", "DatePatternMap", "FrequencyFormatMapping", "ComponentMap")
_STRUCTURE_SET_PARTS = (
    "StructureMap",
    "CodelistMap",
    "HybridCodelistMap",
    "CategorySchemeMap",
    "ConceptSchemeMap",
    "OrganisationSchemeMap",
    "ReportingTaxonomyMap",
)

ARTEFACT_TYPES: tuple[ArtefactType, ...] = (
    # The 34 of SDMX-REST 2.2, in the order of its documentation.
    _plain("DataStructure", "datastructure", *_DATA_STRUCTURE_PARTS),
    _plain("MetadataStructure", "metadatastructure", *_METADATA_STRUCTURE_PARTS),
    _scheme("CategoryScheme", "categoryscheme", "Category"),
    _scheme("ConceptScheme", "conceptscheme", "Concept"),
    _scheme("Codelist", "codelist", "Code"),
    _plain("Hierarchy", "codelist", "HierarchicalCode", "Level", resource_v1="hierarchicalcodelist"),
    _plain("HierarchyAssociation", "codelist", resource_v1=None),
    _scheme("ValueList", "codelist", resource_v1=None),
    _scheme("AgencyScheme", "base", "Agency", fixed_id="AGENCIES"),
    _scheme("DataProviderScheme", "base", "DataProvider", fixed_id="DATA_PROVIDERS"),
    _scheme("MetadataProviderScheme", "base", "MetadataProvider", resource_v1=None, fixed_id="METADATA_PROVIDERS"),
    _scheme("DataConsumerScheme", "base", "DataConsumer", fixed_id="DATA_CONSUMERS"),
    _scheme("OrganisationUnitScheme", "base", "OrganisationUnit"),
    _plain("Dataflow", "datastructure"),
    _plain("Metadataflow", "metadatastructure"),
    _scheme("ReportingTaxonomy", "categoryscheme", "ReportingCategory"),
    _plain("ProvisionAgreement", "registry"),
    _plain("MetadataProvisionAgreement", "registry", resource_v1=None),
    _plain("StructureMap", "structuremapping", *_STRUCTURE_MAP_PARTS, resource_v1="structureset"),
    _plain("RepresentationMap", "structuremapping", resource_v1="structureset"),
    _plain("ConceptSchemeMap", "structuremapping", resource_v1="structureset"),
    _plain("CategorySchemeMap", "structuremapping", resource_v1="structureset"),
    _plain("OrganisationSchemeMap", "structuremapping", resource_v1="structureset"),
    _plain("ReportingTaxonomyMap", "structuremapping", resource_v1="structureset"),
    _plain("Process", "process", "ProcessStep", "Transition"),
    _plain("Categorisation", "categoryscheme"),
    _plain("DataConstraint", "registry", resource_v1="contentconstraint"),
    _plain("MetadataConstraint", "registry", resource_v1=None),
    _scheme("TransformationScheme", "transformation", "Transformation"),
    _scheme("RulesetScheme", "transformation", "Ruleset"),
    _scheme("UserDefinedOperatorScheme", "transformation", "UserDefinedOperator"),
    _scheme("CustomTypeScheme", "transformation", "CustomType"),
    _scheme("NamePersonalisationScheme", "transformation", "NamePersonalisation"),
    _scheme(
        "VtlMappingScheme",
        "transformation",
        "VtlCodelistMapping",
        "VtlConceptMapping",
        "VtlDataflowMapping",
        "VtlMapping",  # SDMX 2.1
    ),
    # Maintainable, and not a structure of the structure query.
    ArtefactType(name="MetadataSet", package="metadatastructure"),
    # Removed by SDMX 3.0; read from 2.1 messages.
    ArtefactType(
        name="HierarchicalCodelist",
        package="codelist",
        resource_v1="hierarchicalcodelist",
        item_types=("Hierarchy",),
        successor="Hierarchy",
    ),
    ArtefactType(
        name="StructureSet",
        package="mapping",
        resource_v1="structureset",
        item_types=_STRUCTURE_SET_PARTS,
        successor="StructureMap",
    ),
    ArtefactType(
        name="ContentConstraint", package="registry", resource_v1="contentconstraint", successor="DataConstraint"
    ),
    ArtefactType(name="AttachmentConstraint", package="registry", resource_v1="attachmentconstraint"),
)
"""Every class of maintainable artefacts that this program can name."""

_BY_NAME: Mapping[str, ArtefactType] = MappingProxyType({kind.name: kind for kind in ARTEFACT_TYPES})
_BY_FOLDED_NAME: Mapping[str, ArtefactType] = MappingProxyType({kind.name.lower(): kind for kind in ARTEFACT_TYPES})
_BY_RESOURCE: Mapping[str, ArtefactType] = MappingProxyType(
    {kind.resource: kind for kind in ARTEFACT_TYPES if kind.resource is not None}
)
_BY_ITEM: Mapping[str, ArtefactType] = MappingProxyType(
    {item: kind for kind in reversed(ARTEFACT_TYPES) for item in kind.item_types}
)
_FOLDED_ITEMS: Mapping[str, str] = MappingProxyType({item.lower(): item for item in _BY_ITEM})

_V1_GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "organisationscheme": (
            "AgencyScheme",
            "DataProviderScheme",
            "DataConsumerScheme",
            "OrganisationUnitScheme",
        ),
        "actualconstraint": ("DataConstraint", "ContentConstraint"),
        "allowedconstraint": ("DataConstraint", "ContentConstraint"),
    }
)

_ALIASES: Mapping[str, str] = MappingProxyType(
    {  # class names of UML diagrams and of older tools, met in the wild; folded to lower case
        "datastructuredefinition": "DataStructure",
        "keyfamily": "DataStructure",
        "dataflowdefinition": "Dataflow",
        "metadatastructuredefinition": "MetadataStructure",
        "metadataflowdefinition": "Metadataflow",
        "attribute": "DataAttribute",  # of SDMX 2.1's Ref elements
    }
)


def artefact_type(name: str) -> ArtefactType | None:
    """The type whose URN class is ``name`` (exact spelling), or None."""
    return _BY_NAME.get(name)


def artefact_type_of_resource(resource: str) -> ArtefactType | None:
    """The type behind a structure resource of SDMX-REST 2.2 (``datastructure``), or None."""
    return _BY_RESOURCE.get(resource)


def artefact_types_of_v1_resource(resource: str) -> tuple[ArtefactType, ...]:
    """The types behind a structure resource of SDMX-REST 1.5, those of SDMX 3.1 first; empty if unknown.

    ``structure`` stands for all; ``organisationscheme`` for the four of SDMX 2.1; ``actualconstraint`` and
    ``allowedconstraint`` for the constraints, whose role the caller tells apart.
    """
    if resource == "structure":
        return tuple(kind for kind in ARTEFACT_TYPES if kind.resource_v1 is not None)
    if resource in _V1_GROUPS:
        return tuple(_BY_NAME[name] for name in _V1_GROUPS[resource])
    return tuple(kind for kind in ARTEFACT_TYPES if kind.resource_v1 == resource)


def artefact_type_of_item(item_type: str) -> ArtefactType | None:
    """The type whose parts have the URN class ``item_type`` (``Code`` -> Codelist), or None.

    Classes that are parts in SDMX 2.1 and maintainable since 3.0 (``Hierarchy``, ``StructureMap``) give the
    2.1 parent here: with an item in the reference they can only be parts.
    """
    return _BY_ITEM.get(item_type)


def canonical_class(name: str) -> str | None:
    """The standard's spelling of a URN class, whatever its case or age (``CodeList``, ``KeyFamily``), or None."""
    folded = name.lower()
    if folded in _ALIASES:
        return _ALIASES[folded]
    if folded in _BY_FOLDED_NAME:
        return _BY_FOLDED_NAME[folded].name
    return _FOLDED_ITEMS.get(folded)
