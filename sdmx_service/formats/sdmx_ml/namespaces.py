"""The XML namespaces of SDMX-ML 2.1, 3.0 and 3.1, and which version a namespace belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"

_ROOT = "http://www.sdmx.org/resources/sdmxml/schemas/"
_VERSION = re.compile(r"https?://(?:www\.)?sdmx\.org/resources/sdmxml/schemas/v(\d)_(\d)(?:/|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespaces:
    """The namespaces of one version of SDMX-ML (``version`` as in media types: ``2.1``, ``3.0``, ``3.1``)."""

    version: str
    message: str
    footer: str
    common: str
    structure: str
    registry: str
    generic: str
    """Generic data; in 3.x there are none, and the namespace does not exist."""
    specific: str
    generic_metadata: str
    specific_metadata: str

    @classmethod
    def of(cls, version: str) -> Namespaces:
        """The namespaces of a version; only ``NAMESPACES`` lists those that exist."""
        root = f"{_ROOT}v{version.replace('.', '_')}/"
        return cls(
            version=version,
            message=root + "message",
            footer=root + "message/footer",
            common=root + "common",
            structure=root + "structure",
            registry=root + "registry",
            generic=root + "data/generic",
            specific=root + "data/structurespecific",
            generic_metadata=root + "metadata/generic",
            specific_metadata=root + "metadata/structurespecific",
        )


VERSIONS: Final = ("2.1", "3.0", "3.1")
NAMESPACES: Mapping[str, Namespaces] = MappingProxyType({version: Namespaces.of(version) for version in VERSIONS})
"""Namespaces by version of SDMX-ML."""


def version_of(namespace: str | None) -> str | None:
    """The version that a namespace of SDMX-ML belongs to (``2.0`` and older ones too), or None for another one."""
    match = _VERSION.match(namespace or "")
    return None if match is None else f"{match[1]}.{match[2]}"
