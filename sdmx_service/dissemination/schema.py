"""Schema queries: what data or metadata of one artefact must look like (SDMX-REST 2.2 and 1.5, schema).

The answer carries two things, and the format takes what it can: ``Message.schema`` for XML and JSON schemas, and the
structure message that schema.md asks for in a structure format: the structure, the codelists cut to what the
constraints of the context and of every level above leave, the concept schemes and the agency schemes; the constraints
too where components that share a codelist may have different codes. References name the versions that are sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.constraints import constraints_of
from sdmx_service.dissemination.partial import Cutter
from sdmx_service.dissemination.structures import message_of, pin_together
from sdmx_service.dissemination.validity import data_schema, metadata_schema, metadata_structure_of
from sdmx_service.errors import NotFound
from sdmx_service.model.artefact import Maintainable
from sdmx_service.model.items import AgencyScheme
from sdmx_service.model.message import Message, Party
from sdmx_service.model.query import SchemaQuery
from sdmx_service.model.schema import DataSchema, MetadataSchema
from sdmx_service.model.urn import Ref, parse_versions, select_versions

_DATA: Mapping[str, str] = {
    "datastructure": "DataStructure",
    "dataflow": "Dataflow",
    "provisionagreement": "ProvisionAgreement",
}
_METADATA: Mapping[str, str] = {
    "metadatastructure": "MetadataStructure",
    "metadataflow": "Metadataflow",
    "metadataprovisionagreement": "MetadataProvisionAgreement",
}


def schema(query: SchemaQuery, catalog: Catalog, *, sender: Party) -> Message:
    """The message that describes data or metadata of one artefact.

    Raises:
        NotFound: the artefact does not exist.
        SemanticFault: the dimension at observation, or explicit measures, do not fit the structure.
    """
    artefact = _artefact(query, catalog)
    if query.context in _DATA:
        found: DataSchema | MetadataSchema = data_schema(query, artefact, catalog)
        structure = catalog.artefact(catalog.target(artefact.ref).structure.ref)
    else:
        found = metadata_schema(query, artefact, catalog)
        structure = metadata_structure_of(artefact, catalog)
    return replace(_structures(artefact, structure, found, catalog, sender), schema=found)


def _artefact(query: SchemaQuery, catalog: Catalog) -> Maintainable:
    kind = _DATA.get(query.context) or _METADATA[query.context]
    chosen = select_versions(parse_versions(query.version), catalog.versions(kind, query.agency, query.id))
    if not chosen:
        raise NotFound(f"There is no {kind} {query.agency}:{query.id}({query.version}).")
    return catalog.artefacts[Ref(type=kind, agency=query.agency, id=query.id, version=chosen[-1])]


def _structures(
    artefact: Maintainable,
    structure: Maintainable,
    found: DataSchema | MetadataSchema,
    catalog: Catalog,
    sender: Party,
) -> Message:
    needed: dict[Ref, Maintainable] = {one.ref: one for one in catalog.children(structure)}
    for one in tuple(needed.values()):
        needed |= {child.ref: child for child in catalog.children(one)}
    agencies = {
        one.ref: one for one in catalog.of_type("AgencyScheme") if _maintains(one, [structure, *needed.values()])
    }
    answered = [structure, *needed.values(), *agencies.values()]
    cutter = Cutter(catalog, [artefact], answered)
    shown = [cutter(one) for one in answered]
    if isinstance(found, DataSchema) and _differ(found):
        shown += constraints_of(catalog.target(artefact.ref), catalog)
    return message_of(pin_together(shown, catalog), sender=sender)


def _differ(schema: DataSchema) -> bool:
    """Whether components that share a list may have different values of it."""
    seen: dict[Ref, list[str]] = {}
    return any(seen.setdefault(one.ref, list(one.values)) != list(one.values) for one in schema.enumerations.values())


def _maintains(scheme: Maintainable, artefacts: list[Maintainable]) -> bool:
    if not isinstance(scheme, AgencyScheme):
        return False
    agencies = {one.agency for one in artefacts}
    return any(item.id in agencies or f"{scheme.agency}.{item.id}" in agencies for item in scheme.items)
