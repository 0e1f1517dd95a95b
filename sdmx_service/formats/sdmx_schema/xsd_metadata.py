"""XML Schema for metadata sets."""

from __future__ import annotations

from collections.abc import Iterator

from sdmx_service.errors import NotBuilt
from sdmx_service.model.message import WriteOptions
from sdmx_service.model.schema import MetadataSchema


def write_metadata_xsd(schema: MetadataSchema, options: WriteOptions, version: str) -> Iterator[bytes]:
    """The schema."""
    raise NotBuilt("XML schemas of metadata are not built yet.")
