"""The shapes of item schemes and hierarchies of SDMX 3.x (``SDMXStructureCodelist.xsd`` and its neighbours)."""

from __future__ import annotations

from typing import Final

from sdmx_service.formats.structure_parts import (
    AFTER_VERSION,
    BEFORE_VERSION,
    CODED_TEXT_FORMAT,
    DESCRIPTIONS,
    IDENTIFIED,
    NAMED,
    PARENT,
    REPRESENTATION,
    UNVERSIONED,
    attribute,
    element,
    maintained,
    notes,
    scheme,
)
from sdmx_service.formats.structure_shapes import (
    Addresses,
    Field,
    Fixed,
    LocalId,
    Localised,
    MemberValues,
    Part,
    Reference,
    Shape,
    Value,
)
from sdmx_service.model import items

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
    items.ValueList,
    Part(ml="ValueItem", json="valueItems", model="items", shape=lambda: VALUE_ITEM, many=True),
    silent=("is_partial",),
)
"""That it is cut to some items, no schema lets a value list say (SDMX-REST has item queries of it all the same)."""

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
    head=(*BEFORE_VERSION, attribute("version", "version", default="1.0", always=True, until="3.0"), *AFTER_VERSION),
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

# ------------------------------------------------------------------------------------------------ reporting taxonomies

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
