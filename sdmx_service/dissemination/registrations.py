"""Registration queries: which data sources are known, those of this service among them (SDMX-REST 2.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.dissemination.heading import header_from
from sdmx_service.errors import NoResults, NotFound
from sdmx_service.model.message import Message, Party
from sdmx_service.model.query import RegistrationQuery
from sdmx_service.model.registration import QueryableSource, Registration
from sdmx_service.model.selection import dataflow_name, provider_name
from sdmx_service.model.structure import Dataflow, ProvisionAgreement
from sdmx_service.model.urn import Ref, parse_versions, select_versions

_CLASSES = {"datastructure": "DataStructure", "dataflow": "Dataflow", "provisionagreement": "ProvisionAgreement"}
_ANY = "*"
Published = Mapping[tuple[str, str], datetime]
"""When data of a dataflow (``dataflow_name``) and provider (``provider_name``) were last published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What this service holds itself: since when which data, and at which address."""

    address: str
    published: Published


def registrations(query: RegistrationQuery, catalog: Catalog, own: Own, *, sender: Party) -> Message:
    """The answer to a registration query.

    *Extension*: every provision agreement of which data are published here is a registration of its own, whose source
    is this service; so a harvester that knows nothing but this address finds the data.

    Raises:
        NotFound: there is no registration of the id asked.
        NoResults: nothing matches.
    """
    known = [*catalog.registrations.values(), *own_registrations(catalog, own)]
    found = tuple(one for one in known if _matches(one, query, catalog))
    if not found and query.by == "id":
        raise NotFound(f"There is no registration {query.registration_id!r}.")
    if not found:
        raise NoResults("No registration matches.")
    return Message(header=header_from(sender), registrations=found)


def own_registrations(catalog: Catalog, own: Own) -> Iterator[Registration]:
    """The registrations of what is held here, one per provision agreement."""
    for agreement in catalog.of_type("ProvisionAgreement"):
        if not isinstance(agreement, ProvisionAgreement):
            continue
        flow = catalog.lookup(agreement.dataflow)
        moment = (
            None if flow is None else own.published.get((dataflow_name(flow.ref), provider_name(agreement.provider)))
        )
        if moment is not None:
            yield Registration(
                id=own_id(agreement.ref),
                agreement=agreement.ref,
                queryable=QueryableSource(url=own.address),
                updated_at=moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            )


def own_id(agreement: Ref) -> str:
    """The id of the registration of an agreement whose data are here; ``$`` stands for the dot, which no id has."""
    return f"{agreement.agency}@{agreement.id}@{agreement.version}".replace(".", "$")


def _matches(registration: Registration, query: RegistrationQuery, catalog: Catalog) -> bool:
    if query.by == "id":
        return registration.id == query.registration_id
    if not _is_between(registration, query.updated_after, query.updated_before):
        return False
    agreement = catalog.lookup(registration.agreement)
    if not isinstance(agreement, ProvisionAgreement):
        return False
    if query.by == "provider":
        return _is_among(agreement.provider.agency, query.agencies) and _is_among(
            agreement.provider.item or "", query.ids
        )
    return any(_is_of(ref, query, catalog) for ref in _contexts(agreement, catalog))


def _is_between(registration: Registration, after: datetime | None, before: datetime | None) -> bool:
    """Updated after one moment and before another, both exclusive (*standard*)."""
    if after is None and before is None:
        return True
    if registration.updated_at is None:
        return False
    moment = datetime.fromisoformat(registration.updated_at)
    return (after is None or moment > after) and (before is None or moment < before)


def _is_among(value: str, wanted: Sequence[str]) -> bool:
    return _ANY in wanted or value in wanted


def _contexts(agreement: ProvisionAgreement, catalog: Catalog) -> Iterator[Ref]:
    """The agreement, its dataflow and its structure; of late-bound references every version that they could mean."""
    yield agreement.ref
    for flow_ref in _meant(agreement.dataflow, catalog):
        yield flow_ref
        flow = catalog.artefacts.get(flow_ref)
        if isinstance(flow, Dataflow) and flow.structure is not None:
            yield from _meant(flow.structure, catalog)


def _meant(ref: Ref, catalog: Catalog) -> Iterator[Ref]:
    for version in catalog.versions(ref.type, ref.agency, ref.id):
        if ref.version_pattern.matches(version):
            yield ref.with_version(version)


def _is_of(ref: Ref, query: RegistrationQuery, catalog: Catalog) -> bool:
    if query.context != _ANY and ref.type != _CLASSES[query.context]:
        return False
    if not _is_among(ref.agency, query.agencies) or not _is_among(ref.id, query.ids):
        return False
    patterns = tuple(pattern for text in query.versions for pattern in parse_versions(text))
    return ref.version in select_versions(patterns, catalog.versions(ref.type, ref.agency, ref.id))
