"""From a query to selections: which artefacts it names, what they hold, and whether it can be meant so.

``plan`` is a stage of the walk of a query: DataSlice x Catalog -> plans at one release. Semantic errors arise here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from itertools import product

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.sources import Flow, providers_of
from sdmx_service.dissemination.ordering import keeps_together, resolved, series_of
from sdmx_service.dissemination.times import chosen_periods
from sdmx_service.errors import NotFound, SemanticFault
from sdmx_service.model.artefact import Maintainable
from sdmx_service.model.columns import Column, columns
from sdmx_service.model.query import ALL_DIMENSIONS, Api, ComponentFilter, DataQuery, DataSlice, Key, ProviderRef
from sdmx_service.model.selection import Context, Cube, Selection, dataflow_name, provider_name
from sdmx_service.model.selection import Key as SelectionKey
from sdmx_service.model.structure import Attribute, Dataflow, DataStructure, ProvisionAgreement
from sdmx_service.model.urn import Ref, parse_versions, select_versions
from sdmx_service.storage.port import Store

ANY, LATEST = "*", "~"
_CLASS_OF_CONTEXT = {
    "datastructure": "DataStructure",
    "dataflow": "Dataflow",
    "provisionagreement": "ProvisionAgreement",
    "*": "Dataflow",
}
"""*Choice*: the context ``*`` answers as ``dataflow``, since the other contexts hold the same figures again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One data set to answer: the artefact it is described by, its selection, and how it is to look.

    Attributes:
        artefact: the dataflow, structure or provision agreement named.
        dimension_at_observation: a dimension id or ``AllDimensions``.
        keys_only: only series keys are wanted (v1 ``serieskeysonly``, ``nodata``; v2 ``measures=none`` without
            observation attributes).
        attributes_only: no measures are wanted; attributes are told where there is no observation too.
        valid_from, valid_to: since and until when what is told is valid, where history is told.
    """

    artefact: Maintainable
    structure: DataStructure
    selection: Selection
    dimension_at_observation: str
    keys_only: bool = False
    attributes_only: bool = False
    dataflow: Ref | None = None
    provider: Ref | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    @property
    def time_id(self) -> str | None:
        """The id of the time dimension."""
        time = self.structure.time_dimension
        return None if time is None else time.id


def plan(query: DataSlice, catalog: Catalog, store: Store, release: int, since: int | None = None) -> tuple[Plan, ...]:
    """The plans of a query, one per artefact and major version, ordered by reference.

    Args:
        since: the release after which changes are asked for; None: the state at ``release``.

    Raises:
        NotFound: an artefact named exactly is not there.
        SemanticFault: a key of wrong length, an unknown component, an impossible dimension at observation.
    """
    plans: list[Plan] = []
    faults: list[SemanticFault] = []
    artefacts = tuple(_matching(query, catalog))
    for artefact in artefacts:
        try:
            plans.extend(_plans_of(artefact, query, catalog, store, release, since))
        except SemanticFault as fault:
            faults.append(fault)
    if faults and len(faults) == len(artefacts):  # what fits some of the structures named selects nothing of the others
        raise faults[0]
    return tuple(plans)


def plans_over(
    query: DataSlice, catalog: Catalog, store: Store, moments: Iterable[tuple[int, int | None]]
) -> Iterator[tuple[Plan, ...]]:
    """The plans of a query at several releases, each with that after which changes are asked for, or None.

    What a query means does not depend on the release, unless it asks for sources.
    """
    first: tuple[Plan, ...] | None = None
    for release, since in moments:
        if first is None or (isinstance(query, DataQuery) and query.include_sources):
            first = plan(query, catalog, store, release, since)
        yield tuple(
            replace(one, selection=replace(one.selection, release=release, changed_since=since)) for one in first
        )


# --- which artefacts ------------------------------------------------------------------------------------------------
def _matching(query: DataSlice, catalog: Catalog) -> Iterator[Maintainable]:
    """The artefacts a query names: the latest matching version per major."""
    kind = _CLASS_OF_CONTEXT[query.context]
    found = False
    for agency, id, versions in matching_homes(catalog, kind, query.agencies, query.ids):
        for version in _latest_per_major(versions_asked(query.api, query.versions, versions)):
            found = True
            yield catalog.artefacts[Ref(type=kind, agency=agency, id=id, version=version)]
    if not found and not (ANY in query.ids and ANY in query.agencies):
        known = sorted({ref.id for ref in catalog.artefacts if ref.type == kind})
        near = get_close_matches(query.ids[0], known, n=3, cutoff=0.4)
        raise NotFound(
            f"No {kind} {'/'.join((','.join(query.agencies), ','.join(query.ids), ','.join(query.versions)))} is here.",
            hint=f"Near: {', '.join(near)}." if near else "",
        )


def matching_homes(
    catalog: Catalog, kind: str, agencies: Sequence[str], ids: Sequence[str]
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(agency, id, versions) of the artefacts of a class whose agency and id are among those asked."""
    if ANY in agencies or ANY in ids:
        named = dict.fromkeys((one.agency, one.id) for one in catalog.of_type(kind))
    else:
        named = dict.fromkeys(sorted(product(agencies, ids)))
    for agency, id in named:
        if (ANY in agencies or agency in agencies) and (ANY in ids or id in ids):
            if versions := catalog.versions(kind, agency, id):
                yield agency, id, versions


def versions_asked(api: Api, asked: Sequence[str], versions: Sequence[str]) -> list[str]:
    """Those of an artefact's versions that a query asks for, ascending.

    SDMX-REST 1.5 has *latest* for the latest version in production: no draft, as long as there is anything else.
    """
    patterns = [pattern for text in asked for pattern in parse_versions(text)]
    if api == "v1" and tuple(asked) == (LATEST,):
        return select_versions(patterns, [one for one in versions if "-" not in one] or versions)
    return select_versions(patterns, versions)


def _latest_per_major(versions: Sequence[str]) -> list[str]:
    return list({version.split(".")[0]: version for version in versions}.values())


# --- one artefact ---------------------------------------------------------------------------------------------------
def _plans_of(
    artefact: Maintainable, query: DataSlice, catalog: Catalog, store: Store, release: int, since: int | None
) -> Iterator[Plan]:
    target = catalog.target(artefact.ref)
    structure = target.structure
    time = structure.time_dimension
    cube = Cube.of(structure)
    selection = Selection(
        structure=structure,
        cube=cube,
        context=_context(artefact),
        release=release,
        changed_since=since,
        dataflows=None if target.dataflow is None else (dataflow_name(target.dataflow),),
        providers=None if target.provider is None else (provider_name(target.provider),),
        keys=tuple(_selection_key(key, structure, query) for key in query.keys),
        filters=tuple(_checked(query.filters, structure)),
        periods=chosen_periods(query, None if time is None else time.id, lambda: _periods(store, cube)),
    )
    base = Plan(
        artefact=artefact,
        structure=structure,
        selection=selection,
        dimension_at_observation=time.id if time is not None else ALL_DIMENSIONS,
        dataflow=target.dataflow,
        provider=target.provider,
    )
    if isinstance(query, DataQuery):
        base = _shaped(base, query)
        if query.include_sources:
            yield from _by_source(base, catalog, store)
            return
    yield from _by_provider(base, query, catalog) if query.providers else (base,)


def _periods(store: Store, cube: Cube) -> Iterable[str]:
    return store.periods(cube)


def _context(artefact: Maintainable) -> Context:
    if isinstance(artefact, DataStructure):
        return "datastructure"
    return "provisionagreement" if isinstance(artefact, ProvisionAgreement) else "dataflow"


def _selection_key(key: Key, structure: DataStructure, query: DataSlice) -> SelectionKey:
    ids = structure.dimension_ids
    expected = ".".join(ids)
    if len(key) > len(ids) or (query.api == "v1" and len(key) != len(ids)):
        raise SemanticFault(
            f"The key has {len(key)} positions, and {structure.ref.text} has {len(ids)} dimensions.",
            hint=f"Give them in this order: {expected}.",
        )
    positions = [None if part is None else frozenset(part) for part in key]
    return tuple(positions + [None] * (len(ids) - len(positions)))


def _checked(filters: Sequence[ComponentFilter], structure: DataStructure) -> Iterator[ComponentFilter]:
    """The filters of components other than time."""
    time = structure.time_dimension
    for one in filters:
        if structure.component(one.component) is None:
            raise _unknown_component(one.component, structure)
        if time is None or one.component != time.id:
            yield one


def _unknown_component(id: str, structure: DataStructure, role: str | None = None) -> SemanticFault:
    known = [column.id for column in columns(structure) if role in (None, column.role)]
    if role is not None and structure.component(id) is not None:
        listed = ", ".join(known) or "none"
        return SemanticFault(f"{id} is no {role} of {structure.ref.text}.", hint=f"Its {role}s: {listed}.")
    near = get_close_matches(id, known, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}?" if near else f"It has {', '.join(known)}."
    return SemanticFault(f"{structure.ref.text} has no component {id!r}.", hint=hint)


def _by_provider(base: Plan, query: DataSlice, catalog: Catalog) -> Iterator[Plan]:
    """One plan per provider that an agreement names for the dataflow (SDMX-REST 1.5 *providerRef*)."""
    if not isinstance(base.artefact, Dataflow):
        raise SemanticFault("A data provider can only be asked for together with a dataflow.")
    providers = {
        provider_name(one.provider): one.provider
        for one in catalog.parents(base.artefact)
        if isinstance(one, ProvisionAgreement) and any(_is_asked(one.provider, asked) for asked in query.providers)
    }
    if not providers:
        asked = " or ".join(f"{one.agency},{one.id}" for one in query.providers)
        raise NotFound(f"No provider {asked} sends {base.artefact.ref.text}.")
    for name, ref in sorted(providers.items()):
        selection = replace(base.selection, context="provisionagreement", providers=(name,))
        yield replace(base, selection=selection, provider=ref)


def _by_source(base: Plan, catalog: Catalog, store: Store) -> Iterator[Plan]:
    """One plan per provider with figures that the dataflow shows, described by its agreement (*extension*)."""
    if isinstance(base.artefact, ProvisionAgreement):  # which says its provider as it is
        yield base
        return
    if not isinstance(base.artefact, Dataflow):
        raise SemanticFault(
            "includeSources is told of dataflows, and of provision agreements.",
            hint="Ask in one of these contexts: a data structure shows the figures of several dataflows.",
        )
    flow = Flow.of(base.artefact, catalog)
    agreed, known = flow.agreed(), providers_of(catalog)
    whole = replace(base.selection, context="provisionagreement", only_shown=True)
    counted = store.given(replace(whole, sort=(), together=(), components=None, offset=0, limit=None), ())
    for name in sorted(set(counted["provider"].to_pylist())):
        agreement = agreed.get(name)
        yield replace(
            base,
            artefact=base.artefact if agreement is None else agreement,
            selection=replace(whole, providers=(name,)),
            provider=known.get(name) if agreement is None else agreement.provider,
        )


def _is_asked(provider: Ref, asked: ProviderRef) -> bool:
    return asked.agency in (ANY, provider.agency) and asked.id in (ANY, provider.item)


# --- what a data query shows ----------------------------------------------------------------------------------------
def _shaped(base: Plan, query: DataQuery) -> Plan:
    structure = base.structure
    chosen = _components(query, structure)
    described = {column.id: column for column in columns(structure)}
    keys_only = query.detail in ("serieskeysonly", "nodata") or (
        query.measures == ("none",) and not any(_is_observed(described[id]) for id in chosen)
    )
    selection = replace(
        base.selection,
        components=chosen,
        first_n=query.first_n,
        last_n=query.last_n,
        offset=query.offset,
        limit=query.limit,
    )
    dimension = _dimension_at_observation(query, base)
    shaped = replace(
        base,
        selection=selection,
        dimension_at_observation=dimension,
        keys_only=keys_only,
        attributes_only=query.measures == ("none",) and bool(chosen),
    )
    return _ordered(shaped, query) if query.sort else shaped


def _ordered(shaped: Plan, query: DataQuery) -> Plan:
    """The plan in the order wished, grouped so that it can be written."""
    structure, dimension = shaped.structure, shaped.dimension_at_observation
    sort = resolved(query.sort, structure, dimension, _unknown_component)
    together: tuple[str, ...] = ()
    if not shaped.keys_only and not keeps_together(sort, structure, dimension):
        if query.dimension_at_observation is None:
            dimension = ALL_DIMENSIONS
        else:
            together = series_of(structure, dimension)
    elif not shaped.keys_only and dimension != shaped.time_id:
        together = series_of(structure, dimension) if dimension != ALL_DIMENSIONS else ()
    selection = replace(shaped.selection, sort=sort, together=together)
    return replace(shaped, selection=selection, dimension_at_observation=dimension)


def _is_observed(column: Column) -> bool:
    return column.role == "measure" or (column.role == "attribute" and column.level is None)


def _is_metadata(column: Column) -> bool:
    return isinstance(column.component, Attribute) and column.component.is_metadata


_LEVELS: dict[str, Callable[[Column], bool]] = {
    "dsd": lambda column: not _is_metadata(column),
    "msd": _is_metadata,
    "all": lambda column: True,
    "none": lambda column: False,
    "dataset": lambda column: column.level == (),
    "series": lambda column: bool(column.level),
    "obs": lambda column: column.level is None,
}
"""SDMX-REST 2.2, data.md, *attributes*: which attributes each word means."""


def _components(query: DataQuery, structure: DataStructure) -> tuple[str, ...]:
    """Ids of the measures and attributes asked for, in the structure's order."""
    known = columns(structure)
    wanted: set[str] = set()
    for role, words in (("measure", query.measures), ("attribute", query.attributes)):
        ids = {column.id for column in known if column.role == role}
        for word in words:
            if word in ids:
                wanted.add(word)
            elif word in _LEVELS and (role == "attribute" or word in ("all", "none")):
                wanted |= {column.id for column in known if column.role == role and _LEVELS[word](column)}
            else:
                raise _unknown_component(word, structure, role)
    return tuple(column.id for column in known if column.id in wanted)


def _dimension_at_observation(query: DataQuery, base: Plan) -> str:
    asked = query.dimension_at_observation
    if asked is None:
        return base.dimension_at_observation
    if asked != ALL_DIMENSIONS and asked not in base.structure.key_ids:
        raise SemanticFault(
            f"{base.structure.ref.text} has no dimension {asked!r}.",
            hint=f"dimensionAtObservation is AllDimensions or one of {', '.join(base.structure.key_ids)}.",
        )
    return asked
