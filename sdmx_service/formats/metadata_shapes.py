"""How the head of a metadata set looks in SDMX-ML 3.x and SDMX-JSON 2.x; its values are the families' own.

The shapes are those of ``structure_shapes``: a metadata set is maintained like a structure. Action and values differ
too much between the families for a table.
"""

from __future__ import annotations

from typing import Final

from sdmx_service.formats.structure_parts import attribute, maintained
from sdmx_service.formats.structure_shapes import Reference, Shape, Values
from sdmx_service.model.metadata import MetadataSet

METADATA_SET: Final[Shape] = maintained(
    MetadataSet,
    attribute("reportingBeginDate", "reporting_begin", json="reportingBegin"),
    attribute("reportingEndDate", "reporting_end", json="reportingEnd"),
    attribute("publicationYear", "publication_year"),
    attribute("publicationPeriod", "publication_period"),
    Reference(
        ml="MetadataProvisionAgreement",
        json="metadataProvisionAgreement",
        model="described_by",
        to="MetadataProvisionAgreement",
        only=True,
    ),
    Reference(ml="Metadataflow", json="metadataflow", model="described_by", to="Metadataflow", only=True),
    Values(ml="Target", json="targets", model="targets"),
    silent=("attributes", "action", "structure"),
)
"""All of a metadata set but its action and its values, in the order of ``SDMXMetadataGeneric.xsd``."""
