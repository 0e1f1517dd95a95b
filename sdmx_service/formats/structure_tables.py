"""The kinds of artefacts of SDMX 3.0 and 3.1, with their names in messages and their shapes.

What SDMX-ML 2.1 has differently is in ``structure_tables_2_1``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sdmx_service.formats.structure_shapes import (
    Shape,
)
from sdmx_service.formats.structure_tables_constraints import (
    AVAILABILITY_CONSTRAINT,
    DATA_CONSTRAINT,
    METADATA_CONSTRAINT,
)
from sdmx_service.formats.structure_tables_data import (
    DATA_STRUCTURE,
    DATAFLOW,
    METADATA_PROVISION_AGREEMENT,
    METADATA_STRUCTURE,
    METADATAFLOW,
    PROVISION_AGREEMENT,
)
from sdmx_service.formats.structure_tables_items import (
    AGENCY_SCHEME,
    CATEGORISATION,
    CATEGORY_SCHEME,
    CODELIST,
    CONCEPT_SCHEME,
    DATA_CONSUMER_SCHEME,
    DATA_PROVIDER_SCHEME,
    GEO_GRID_CODELIST,
    GEOGRAPHIC_CODELIST,
    HIERARCHY,
    HIERARCHY_ASSOCIATION,
    METADATA_PROVIDER_SCHEME,
    ORGANISATION_UNIT_SCHEME,
    REPORTING_TAXONOMY,
    VALUE_LIST,
)
from sdmx_service.formats.structure_tables_maps import (
    CATEGORY_SCHEME_MAP,
    CONCEPT_SCHEME_MAP,
    ORGANISATION_SCHEME_MAP,
    REPORTING_TAXONOMY_MAP,
    REPRESENTATION_MAP,
    STRUCTURE_MAP,
)
from sdmx_service.formats.structure_tables_transformation import (
    CUSTOM_TYPE_SCHEME,
    NAME_PERSONALISATION_SCHEME,
    PROCESS,
    RULESET_SCHEME,
    TRANSFORMATION_SCHEME,
    USER_DEFINED_OPERATOR_SCHEME,
    VTL_MAPPING_SCHEME,
)


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
