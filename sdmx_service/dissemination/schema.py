"""Schema queries answered as a structure message (SDMX-REST 2.2, schema.md): the structure with what is allowed.

Only the data structure, the codelists cut to what the constraints of the context and of every level above leave, the
concept schemes and the agency schemes are sent; references name the versions that are sent. The XSD and JSON Schema
representations are not built.
"""

from __future__ import annotations

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.dissemination.partial import Cutter
from sdmx_service.dissemination.structures import message_of, pin_together
from sdmx_service.errors import NotBuilt, NotFound
from sdmx_service.model.artefact import Maintainable
from sdmx_service.model.items import AgencyScheme
from sdmx_service.model.message import Message, Party
from sdmx_service.model.query import SchemaQuery
from sdmx_service.model.urn import Ref, parse_versions, select_versions

_CLASSES = {"datastructure": "DataStructure", "dataflow": "Dataflow", "provisionagreement": "ProvisionAgreement"}


def schema(query: SchemaQuery, catalog: Catalog, *, sender: Party) -> Message:
    """The structure message that describes data of one artefact.

    Raises:
        NotFound: the artefact does not exist.
        NotBuilt: reference metadata, or ``deletion``.
    """
    if query.context not in _CLASSES:
        raise NotBuilt(f"Schemas of a {query.context} are not built yet.")
    if query.deletion:
        raise NotBuilt("The parameter deletion is not built yet for schemas.", hint="Leave it out.")
    kind = _CLASSES[query.context]
    chosen = select_versions(parse_versions(query.version), catalog.versions(kind, query.agency, query.id))
    if not chosen:
        raise NotFound(f"There is no {kind} {query.agency}:{query.id}({query.version}).")
    artefact = catalog.artefacts[Ref(type=kind, agency=query.agency, id=query.id, version=chosen[-1])]
    structure = catalog.artefact(catalog.target(artefact.ref).structure.ref)
    needed: dict[Ref, Maintainable] = {one.ref: one for one in catalog.children(structure)}
    for one in tuple(needed.values()):
        needed |= {child.ref: child for child in catalog.children(one)}
    agencies = {
        one.ref: one for one in catalog.of_type("AgencyScheme") if _maintains(one, [structure, *needed.values()])
    }
    answered = [structure, *needed.values(), *agencies.values()]
    cutter = Cutter(catalog, [artefact], answered)
    return message_of(pin_together([cutter(one) for one in answered], catalog), sender=sender)


def _maintains(scheme: Maintainable, artefacts: list[Maintainable]) -> bool:
    if not isinstance(scheme, AgencyScheme):
        return False
    agencies = {one.agency for one in artefacts}
    return any(item.id in agencies or f"{scheme.agency}.{item.id}" in agencies for item in scheme.items)
