"""What reading and writing of SDMX-JSON structures share: relations of links, and values cut short for errors."""

from __future__ import annotations

from sdmx_service.model.artefact import Link

SELF, SERVICE, EXTERNAL = "self", "service", "external"
UNBOUNDED = "unbounded"
WILDCARD = "%"


def annotation_link(language: str, url: str) -> Link:
    """The link that a URL of an annotation is."""
    return Link(rel=SELF, url=url, language=language or None)


def short(value: object) -> str:
    """The value as text, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "..."
