"""How a message of SDMX-ML 2.0 says which structure its data have.

A key family is what 2.1 and later call a data structure. A message names it in its header (``KeyFamilyRef`` and
``KeyFamilyAgency``), in the data set (``KeyFamilyRef``, ``keyFamilyURI``, or a dataflow), or in the namespace of
compact and cross-sectional data (``urn:sdmx:...KeyFamily=AGENCY:ID:compact``). *Choices* where the standard leaves it
open: without an agency, that of the data set and then the sender is taken; without a version, the latest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sdmx_service.errors import UnresolvedReference
from sdmx_service.formats.sdmx_ml.structure_elements import Element, first, token_of
from sdmx_service.model.message import UNSAID, Resolve, Target
from sdmx_service.model.structure import DataStructure
from sdmx_service.model.urn import Ref

_LATEST: Final = "~"
_URN: Final = re.compile(
    r"(?:KeyFamily|DataStructure)=(?P<agency>[^:()]+):(?P<id>[^:()]+)(?:\((?P<version>[\w.]+)\)|:(?P<number>\d[\d.]*))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderFamily:
    """What the header of a message says of the key family: its id, and the agencies that may maintain it."""

    id: str | None = None
    agencies: tuple[str, ...] = ()


NO_FAMILY: Final = HeaderFamily()


def read_family(header: Element) -> HeaderFamily:
    """What a ``Header`` of 2.0 says of the key family."""

    def text(name: str) -> str | None:
        found = first(header, name)
        return None if found is None else token_of(found) or None

    sender = first(header, "Sender")
    agencies = (text("KeyFamilyAgency"), text("DataSetAgency"), None if sender is None else sender.get("id"))
    return HeaderFamily(id=text("KeyFamilyRef"), agencies=tuple(dict.fromkeys(one for one in agencies if one)))


def resolve_family(
    header: HeaderFamily, settings: Mapping[str, str], space: str, family: str | None, resolve: Resolve
) -> tuple[Ref, Target]:
    """What a data set refers to, and what that means.

    Args:
        settings: the attributes of the data set.
        space: its namespace.
        family: its ``KeyFamilyRef``.
        resolve: asked with ``UNSAID`` if nothing that the message says is here.

    Raises:
        UnresolvedReference: it names nothing, or nothing that is here.
    """
    fault: UnresolvedReference | None = None
    for ref in _said(header, settings, space, family):
        try:
            return ref, resolve(ref)
        except UnresolvedReference as error:
            fault = fault or error
    try:
        target = resolve(UNSAID)
    except UnresolvedReference:
        raise fault or UnresolvedReference(
            "The message does not say which key family its data have.", hint="Say the dataflow beside the file."
        ) from None
    return target.dataflow or target.structure.ref, target


def _said(header: HeaderFamily, settings: Mapping[str, str], space: str, family: str | None) -> Iterator[Ref]:
    """The references that a data set may mean, the plainest first."""
    if flow := settings.get("dataflowID"):
        for agency in _agencies(settings.get("dataflowAgencyID"), header):
            yield Ref(type="Dataflow", agency=agency, id=flow, version=_LATEST)
    uri = settings.get("keyFamilyURI", "")
    for text in (space, uri):
        if match := _URN.search(text):
            version = match["version"] or match["number"] or _LATEST
            yield Ref(type="DataStructure", agency=match["agency"], id=match["id"], version=version)
    last = uri.rstrip("/").rpartition("/")[2]
    said = (family, header.id, last if last.isidentifier() else None)
    for id in dict.fromkeys(one for one in said if one):
        for agency in header.agencies:
            yield Ref(type="DataStructure", agency=agency, id=id, version=_LATEST)


def _agencies(said: str | None, header: HeaderFamily) -> tuple[str, ...]:
    return (said,) if said else header.agencies


def provider_of(settings: Mapping[str, str]) -> Ref | None:
    """The data provider that a data set names."""
    id, agency = settings.get("dataProviderID"), settings.get("dataProviderSchemeAgencyId")
    if not id or not agency:
        return None
    scheme = settings.get("dataProviderSchemeId", "DATA_PROVIDERS")
    return Ref(type="DataProvider", agency=agency, id=scheme, version="1.0", item=id)


def names_of(structure: DataStructure) -> dict[str, str]:
    """What messages of 2.0 call components whose id is another one: by concepts, as 2.0 has no ids of components."""
    known = {one.id for one in structure.components}
    found: dict[str, str] = {}
    for component in structure.components:
        found.setdefault(component.concept.item or component.id, component.id)
    if structure.time_dimension is not None:
        for name in ("TIME", "TIME_PERIOD"):
            found.setdefault(name, structure.time_dimension.id)
    if len(structure.measures) == 1:
        for name in ("OBS_VALUE", "value"):
            found.setdefault(name, structure.measures[0].id)
    return {name: id for name, id in found.items() if name not in known and name != id}
