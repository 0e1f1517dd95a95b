"""Which methods an address of SDMX-REST takes: one table for OPTIONS, for 405, and for what changes something."""

from __future__ import annotations

from typing import NamedTuple

from sdmx_service.errors import MethodNotAllowed, NotBuilt, SdmxError
from sdmx_service.model.urn import Version, artefact_type_of_resource

READING = ("GET", "HEAD")
_ALWAYS = ("OPTIONS",)
_UNBUILT = {
    "subscription": "Subscriptions are not built yet.",
    "metadata": "Changing metadata sets, which the standard only proposes, is not built yet.",
}


class Place(NamedTuple):
    """An address as far as its methods go: the resource and the parts after it, as they came."""

    api: str
    resource: str
    parts: tuple[str, ...]


def place_of(api: str, path: str) -> Place:
    """The place of a raw path below the API's version."""
    resource, *parts = path.strip("/").split("/")
    return Place(api, resource, tuple(parts))


def allowed(place: Place) -> tuple[str, ...]:
    """The methods that an address takes (SDMX-REST 2.2, maintenance.md; version 1 only reads)."""
    return (*_reading(place), *_changing(place), *_ALWAYS)


def _reading(place: Place) -> tuple[str, ...]:
    return () if place.resource == "subscription" else READING


def _changing(place: Place) -> tuple[str, ...]:
    if place.api != "v2":
        return ()
    if place.resource == "structure":
        return _changing_structures(place.parts)
    return ("POST",) if place.resource in ("data", "registration") and not place.parts else ()


def _changing_structures(parts: tuple[str, ...]) -> tuple[str, ...]:
    if len(parts) < 2:
        return ("POST",)
    if len(parts) < 4 or artefact_type_of_resource(parts[0]) is None or not _is_version(parts[3]):
        return ()
    return ("PUT", "DELETE") if len(parts) == 4 else ("DELETE",) if len(parts) == 5 else ()


def _is_version(text: str) -> bool:
    try:
        Version.parse(text)
    except SdmxError:
        return False
    return True


def refuse(place: Place, method: str) -> None:
    """Refuse a method that an address does not take.

    Raises:
        NotBuilt: the standard, or its next version, has it, and it is not built here.
        MethodNotAllowed: there is no such method at this address.
    """
    if method in allowed(place):
        return
    if place.api == "v2" and place.resource in _UNBUILT and method in ("POST", "PUT", "DELETE"):
        raise NotBuilt(_UNBUILT[place.resource])
    raise MethodNotAllowed(f"{method} is not possible at this address.", hint=f"It takes {', '.join(allowed(place))}.")
