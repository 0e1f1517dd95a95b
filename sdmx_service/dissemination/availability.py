"""Availability: which values occur for a query, with exact counts (SDMX-REST 2.2, availability.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.dissemination.partial import partial_scheme
from sdmx_service.dissemination.plan import ANY, Plan, plan
from sdmx_service.dissemination.structures import message_of
from sdmx_service.errors import NoResults, NotBuilt, SemanticFault
from sdmx_service.model.artefact import Maintainable
from sdmx_service.model.constraint import (
    AvailabilityConstraint,
    CubeRegion,
    KeyValue,
    MemberValue,
    TimeBound,
    TimeRange,
)
from sdmx_service.model.items import Codelist, ConceptScheme, ValueList
from sdmx_service.model.message import Message, Party
from sdmx_service.model.query import AvailabilityQuery
from sdmx_service.model.selection import Selection
from sdmx_service.model.structure import DataStructure
from sdmx_service.model.urn import Ref
from sdmx_service.storage.port import Availability, Store

_NOTHING = frozenset({"none"})


def availability(query: AvailabilityQuery, catalog: Catalog, store: Store, release: int, *, sender: Party) -> Message:
    """One availability constraint per artefact that holds matching data, with the references asked for.

    Raises:
        NoResults: nothing matches.
    """
    found: list[tuple[Plan, AvailabilityConstraint, Availability]] = []
    for one in plan(query, catalog, store, release):
        if one.selection.cube not in store.cubes():
            continue
        components = _components(query, one.structure)
        available = _available(one, query, store, components)
        if available.counts.observations or available.counts.series:
            found.append((one, _constraint(one, available, components), available))
    if not found:
        raise NoResults("The query is right, and no figure matches it.")
    referenced: dict[object, Maintainable] = {}
    for one, _, available in found:
        referenced |= {artefact.ref: artefact for artefact in _references(one, query, catalog, available)}
    return message_of([*referenced.values()], sender=sender, availability=[constraint for _, constraint, _ in found])


def _components(query: AvailabilityQuery, structure: DataStructure) -> tuple[str, ...]:
    if ANY in query.component_ids:
        return structure.key_ids
    for id in query.component_ids:
        if id not in structure.key_ids:
            raise SemanticFault(
                f"{structure.ref.text} has no dimension {id!r}.", hint=f"It has {', '.join(structure.key_ids)}."
            )
    return tuple(id for id in structure.key_ids if id in query.component_ids)


def _available(one: Plan, query: AvailabilityQuery, store: Store, components: Sequence[str]) -> Availability:
    exact = store.available(one.selection, components)
    if query.mode == "exact":
        return exact
    values: dict[str, Sequence[str]] = {}
    for id in components:
        # mode=available: the values that could still be added, so this dimension's own filter does not count
        values[id] = store.available(_without(one, id), [id]).values.get(id, ())
    return replace(exact, values=values)


def _without(one: Plan, id: str) -> Selection:
    selection = one.selection
    ids = one.structure.dimension_ids
    keys = tuple(
        tuple(None if name == id else part for name, part in zip(ids, key, strict=True)) for key in selection.keys
    )
    time = one.structure.time_dimension
    return replace(
        selection,
        keys=keys,
        filters=tuple(filter_ for filter_ in selection.filters if filter_.component != id),
        periods=None if time is not None and id == time.id else selection.periods,
    )


def _constraint(one: Plan, available: Availability, components: Sequence[str]) -> AvailabilityConstraint:
    return AvailabilityConstraint(
        attachment=one.artefact.ref,
        region=CubeRegion(members=tuple(_members(one.structure, available, components))),
        series_count=available.counts.series,
        observation_count=available.counts.observations,
    )


def _members(structure: DataStructure, available: Availability, components: Sequence[str]) -> Iterator[KeyValue]:
    time = None if structure.time_dimension is None else structure.time_dimension.id
    for id in components:
        values = available.values.get(id, ())
        if not values:
            continue
        if id == time:
            bounds = TimeRange(start=TimeBound(period=values[0]), end=TimeBound(period=values[-1]))
            yield KeyValue(component=id, time_range=bounds)
        else:
            yield KeyValue(component=id, values=tuple(MemberValue(value=value) for value in values))


def _references(
    one: Plan, query: AvailabilityQuery, catalog: Catalog, available: Availability
) -> Iterator[Maintainable]:
    """The artefacts asked for: item schemes cut to what is used, parents always with them."""
    wanted = set(query.references)
    if wanted == _NOTHING:
        return
    everything = "all" in wanted
    if everything or "dataflow" in wanted:
        if one.dataflow is not None:
            yield catalog.artefact(one.dataflow)
    if everything or "datastructure" in wanted:
        yield catalog.artefact(one.structure.ref)
    if everything or "dataproviderscheme" in wanted:
        if one.provider is not None:
            yield catalog.artefact(one.provider.maintainable)
    if everything or wanted & {"codelist", "valuelist"}:
        yield from _enumerations(one.structure, available, catalog, wanted, everything)
    if everything or "conceptscheme" in wanted:
        yield from _concepts(one.structure, catalog)
    unknown = wanted - {
        "all",
        "none",
        "dataflow",
        "datastructure",
        "dataproviderscheme",
        "codelist",
        "valuelist",
        "conceptscheme",
    }
    if unknown:
        raise NotBuilt(f"references={','.join(sorted(unknown))} is not built for availability.")


def _enumerations(
    structure: DataStructure, available: Availability, catalog: Catalog, wanted: set[str], everything: bool
) -> Iterator[Maintainable]:
    used: dict[object, tuple[Codelist | ValueList, set[str]]] = {}
    for component in structure.components:
        if component.form.enumeration is None or component.id not in available.values:
            continue
        scheme = catalog.artefact(component.form.enumeration)
        if isinstance(scheme, Codelist | ValueList) and (everything or scheme.type.lower() in wanted):
            used.setdefault(scheme.ref, (scheme, set()))[1].update(available.values[component.id])
    for scheme, codes in used.values():
        yield partial_scheme(catalog.extended(scheme) if isinstance(scheme, Codelist) else scheme, codes)


def _concepts(structure: DataStructure, catalog: Catalog) -> Iterator[Maintainable]:
    gathered: dict[Ref, set[str]] = {}
    for component in structure.components:
        gathered.setdefault(component.concept.maintainable, set()).add(component.concept.item or "")
    for ref, ids in gathered.items():
        scheme = catalog.lookup(ref)
        if isinstance(scheme, ConceptScheme):
            yield partial_scheme(scheme, ids)
