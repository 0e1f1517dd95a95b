"""Reference metadata queries: which metadata sets match, and how much of each is shown.

SDMX-REST 2.2.2, metadata.md: by the set itself, by the metadataflow it was reported against, or by what it is about.
SDMX-REST 1.5, ``metadata``: by metadataflow and provider.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.metadata import (
    MetadataNames,
    flow_of,
    metadata_structure_of,
    names_of_provider,
    typed,
    versions_meet,
)
from sdmx_service.dissemination.heading import header_from
from sdmx_service.dissemination.plan import ANY, LATEST, matching_homes, versions_asked
from sdmx_service.dissemination.structures import stub
from sdmx_service.errors import NotFound, SemanticFault
from sdmx_service.model.artefact_types import artefact_type_of_resource
from sdmx_service.model.message import Message, Party
from sdmx_service.model.metadata import MetadataAttributeValue, MetadataSet, TargetPattern
from sdmx_service.model.query import Api, DataQuery, MetadataQuery, ProviderRef
from sdmx_service.model.structure import MetadataProvisionAgreement
from sdmx_service.model.urn import Ref, parse_versions, select_versions


def metadata(query: MetadataQuery, catalog: Catalog, *, sender: Party) -> Message:
    """The answer to a reference metadata query: in ``Message.structures`` the sets, then their metadata structures.

    The catalog is the one of the moment asked for.

    Raises:
        NotFound: nothing matches.
        SemanticFault: v1: a parameter that chooses data, of which metadata about artefacts have none.
    """
    if query.flow is not None:
        _refuse_data_parameters(query.flow)
    found = [_pinned(typed(one, catalog), catalog) for one in _matching(query, catalog)]
    if not found:
        asked = "/".join(",".join(part) for part in (query.agencies, query.ids, query.versions))
        raise NotFound(f"No metadata set matches {query.by} {asked}.")
    shown = [_stub(one) for one in found] if query.detail == "allstubs" else found
    described = (metadata_structure_of(one, catalog) for one in shown)
    structures = (*shown, *{one.ref: one for one in described if one is not None}.values())
    return Message(header=header_from(sender), structures=structures, names=MetadataNames(catalog))


def _pinned(one: MetadataSet, catalog: Catalog) -> MetadataSet:
    """The set, described by a flow or agreement of a certain version: SDMX 2.1 cannot say another one."""
    found = None if one.described_by is None else catalog.lookup(one.described_by)
    return one if found is None else replace(one, described_by=found.ref)


def _matching(query: MetadataQuery, catalog: Catalog) -> Iterator[MetadataSet]:
    if query.by == "metadataset":
        yield from _by_set(query, catalog)
    elif query.by == "metadataflow":
        yield from _by_flow(query, catalog)
    else:
        yield from _by_structure(query, catalog)


def _all_sets(catalog: Catalog) -> Iterator[MetadataSet]:
    return (one for one in catalog.of_type("MetadataSet") if isinstance(one, MetadataSet))


# --- by set ---------------------------------------------------------------------------------------------------------
def _by_set(query: MetadataQuery, catalog: Catalog) -> Iterator[MetadataSet]:
    """Sets by provider, id and version.

    *Choice*: a provider ``P`` is also found where the sets name it ``AGENCY.P``, and the other way round.
    """
    patterns = tuple(pattern for text in query.versions for pattern in parse_versions(text))
    for agency, id, versions in matching_homes(catalog, "MetadataSet", (ANY,), query.ids):
        if ANY not in query.agencies and not any(_same_provider(agency, asked) for asked in query.agencies):
            continue
        for version in select_versions(patterns, versions):
            found = catalog.artefacts[Ref(type="MetadataSet", agency=agency, id=id, version=version)]
            if isinstance(found, MetadataSet):
                yield found


def _same_provider(mine: str, asked: str) -> bool:
    return mine == asked or mine.endswith(f".{asked}") or asked.endswith(f".{mine}")


# --- by flow --------------------------------------------------------------------------------------------------------
def _by_flow(query: MetadataQuery, catalog: Catalog) -> Iterator[MetadataSet]:
    """The latest version of each set that was reported against one of the metadataflows, by one of the providers."""
    flows: set[Ref] = set()
    for agency, id, versions in matching_homes(catalog, "Metadataflow", query.agencies, query.ids):
        for version in versions_asked(query.api, query.versions, versions):
            flows.add(Ref(type="Metadataflow", agency=agency, id=id, version=version))
    for one in _latest(catalog, query.api):
        flow = flow_of(one, catalog)
        if flow is not None and flow.ref in flows and _is_provided(one, query.providers, catalog):
            yield one


def _latest(catalog: Catalog, api: Api) -> Iterator[MetadataSet]:
    """The sets in their latest versions (*choice*: a version of the path is that of the flow or structure)."""
    for one in _all_sets(catalog):
        versions = catalog.versions("MetadataSet", one.agency, one.id)
        if one.version == versions_asked(api, (LATEST,), versions)[-1]:
            yield one


def _is_provided(one: MetadataSet, providers: tuple[ProviderRef, ...], catalog: Catalog) -> bool:
    if not providers:
        return True
    names = {one.agency}
    agreement = None if one.described_by is None else catalog.lookup(one.described_by)
    if isinstance(agreement, MetadataProvisionAgreement):
        names = {names_of_provider(agreement.provider)[0]}
    return any(_is_asked(name, asked) for name in names for asked in providers)


def _is_asked(name: str, asked: ProviderRef) -> bool:
    agency, _, id = name.rpartition(".")
    return asked.id in (ANY, id) and asked.agency in (ANY, agency or asked.agency)


# --- by what it is about --------------------------------------------------------------------------------------------
def _by_structure(query: MetadataQuery, catalog: Catalog) -> Iterator[MetadataSet]:
    """The sets about an artefact that the query names, or about a part of it.

    Versions are those of artefacts that are here; a set about another one is found by ``*`` and by its very version.
    """
    kind = None if query.artefact_type == ANY else artefact_type_of_resource(query.artefact_type)
    wanted = None if kind is None else kind.name
    chosen = _Chosen(query, catalog)
    for one in _latest(catalog, query.api):
        if any(chosen.takes(urn, wanted) for urn in one.targets):
            yield one


class _Chosen:
    """Which artefacts a query by structure names."""

    def __init__(self, query: MetadataQuery, catalog: Catalog) -> None:
        self._query = query
        self._catalog = catalog
        self._patterns = tuple(pattern for text in query.versions for pattern in parse_versions(text))

    def takes(self, urn: str, kind: str | None) -> bool:
        """Whether a target is, or is a part of, an artefact asked for; or a pattern that speaks of one."""
        target = TargetPattern.parse(urn)
        if target is None:
            return False
        own = target.maintainable_type
        if kind is not None and own not in (kind, "Any"):
            return False
        query = self._query
        if ANY not in (target.agency, *query.agencies) and target.agency not in query.agencies:
            return False
        if ANY not in (target.id, *query.ids) and target.id not in query.ids:
            return False
        return ANY in query.versions or self._has_version(target, kind or own)

    def _has_version(self, target: TargetPattern, kind: str) -> bool:
        ids = self._query.ids if target.id == ANY else (target.id,)
        agencies = self._query.agencies if target.agency == ANY else (target.agency,)
        homes = list(matching_homes(self._catalog, kind, agencies, ids))
        for _, _, versions in homes:
            asked = select_versions(self._patterns, versions)
            if any(versions_meet(target.version, version) for version in asked):
                return True
        return not homes and any(pattern.text == target.version for pattern in self._patterns)


# --- how much -------------------------------------------------------------------------------------------------------
def _stub(one: MetadataSet) -> MetadataSet:
    """Identification and name.

    *Choice*: with what it is reported against, its targets and the ids of its headings, since the schemas of SDMX-JSON
    let no set be without them.
    """
    made = stub(one)
    assert isinstance(made, MetadataSet)
    headings = tuple(MetadataAttributeValue(id=id) for id in dict.fromkeys(each.id for each in one.attributes))
    return replace(
        made, described_by=one.described_by, structure=one.structure, targets=one.targets, attributes=headings
    )


# --- version 1 ------------------------------------------------------------------------------------------------------
_OF_DATA = ("keys", "start_period", "end_period", "updated_after", "first_n", "last_n", "dimension_at_observation")


def _refuse_data_parameters(flow: DataQuery) -> None:
    """Refuse what chooses among figures (SDMX-REST 1.5 has one grammar for data and metadata).

    *Choice*: metadata here are about artefacts and have neither key nor period; leaving the wish out would answer
    another question.
    """
    said = [name for name in _OF_DATA if getattr(flow, name)]
    if flow.include_history:
        said.append("include_history")
    if said:
        raise SemanticFault(
            f"Metadata are about artefacts here, and cannot be chosen by {', '.join(said)}.",
            hint="Leave that out; the key is all.",
        )
