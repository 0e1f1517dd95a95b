"""Which kind of formats a query is answered in, and which function of ``dissemination`` answers it: one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sdmx_service.catalog.library import Library, View
from sdmx_service.dissemination.availability import availability
from sdmx_service.dissemination.data import data
from sdmx_service.dissemination.metadata import metadata
from sdmx_service.dissemination.registrations import Own, registrations
from sdmx_service.dissemination.schema import schema
from sdmx_service.dissemination.structures import structures
from sdmx_service.errors import NotBuilt
from sdmx_service.formats.registry import Kind
from sdmx_service.model.message import Message, Party
from sdmx_service.model.query import (
    AvailabilityQuery,
    DataQuery,
    MetadataQuery,
    Query,
    RegistrationQuery,
    SchemaQuery,
    StructureQuery,
)
from sdmx_service.submission.receipt import last_published


class Resource(NamedTuple):
    """A resource of SDMX-REST.

    Attributes:
        kind: the kind of the formats that are offered.
        message: the answer to a query, at one view of the library.
    """

    kind: Kind
    message: Callable[[Any, View, Library, Party], Message]


def _data(query: DataQuery, view: View, library: Library, sender: Party) -> Message:
    return data(query, view.catalog, library.store, view.release, sender=sender)


def _availability(query: AvailabilityQuery, view: View, library: Library, sender: Party) -> Message:
    return availability(query, view.catalog, library.store, view.release, sender=sender)


def _structures(query: StructureQuery, view: View, library: Library, sender: Party) -> Message:
    return structures(query, library.catalog_at(query.as_of, view), sender=sender)


def _schema(query: SchemaQuery, view: View, library: Library, sender: Party) -> Message:
    return schema(query, library.catalog_at(query.as_of, view), sender=sender)


def _registrations(query: RegistrationQuery, view: View, library: Library, sender: Party) -> Message:
    own = Own(address=library.address, published=last_published(library.store))
    return registrations(query, view.catalog, own, sender=sender)


def _metadata(query: MetadataQuery, view: View, library: Library, sender: Party) -> Message:
    return metadata(query, library.catalog_at(query.as_of, view), sender=sender)


_RESOURCES: Mapping[type[Any], Resource] = {
    DataQuery: Resource("data", _data),
    AvailabilityQuery: Resource("availability", _availability),
    StructureQuery: Resource("structure", _structures),
    SchemaQuery: Resource("schema", _schema),
    RegistrationQuery: Resource("registration", _registrations),
    MetadataQuery: Resource("metadata", _metadata),
}


def resource_of(query: Query) -> Resource:
    """The resource that a query asks for.

    Raises:
        NotBuilt: nothing answers such queries yet.
    """
    found = _RESOURCES.get(type(query))
    if found is None:
        raise NotBuilt(f"{type(query).__name__.removesuffix('Query')} queries are not built yet.")
    return found
