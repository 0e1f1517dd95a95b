"""Availability: which values occur for a query, with exact counts (SDMX-REST 2.2, availability.md)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.dissemination.changes import since
from sdmx_service.dissemination.partial import partial_scheme
from sdmx_service.dissemination.plan import ANY, Plan, plan
from sdmx_service.dissemination.structures import message_of
from sdmx_service.errors import NoResults, SemanticFault
from sdmx_service.model.artefact import Maintainable
from sdmx_service.model.constraint import (
    AvailabilityConstraint,
    CubeRegion,
    KeyValue,
    MemberValue,
    TimeBound,
    TimeRange,
)
from sdmx_service.model.items import Codelist, ConceptScheme, DataProviderScheme, ValueList
from sdmx_service.model.message import Message, Party
from sdmx_service.model.period_columns import spans
from sdmx_service.model.query import AvailabilityQuery
from sdmx_service.model.selection import Selection, provider_name
from sdmx_service.model.structure import Component, DataStructure, ProvisionAgreement
from sdmx_service.model.urn import Ref
from sdmx_service.storage.port import Availability, Store


def availability(query: AvailabilityQuery, catalog: Catalog, store: Store, release: int, *, sender: Party) -> Message:
    """One availability constraint per artefact that holds matching data, with the references asked for.

    Raises:
        NoResults: nothing matches.
    """
    plans = plan(query, catalog, store, release, since(query, store))
    _check_components(query, plans)
    found: list[tuple[Plan, Availability]] = []
    for one in plans:
        components = [id for id in one.structure.key_ids if ANY in query.component_ids or id in query.component_ids]
        available = _available(one, query, store, components)
        if any(available.values.values()):
            found.append((one, available))
    if not found:
        raise NoResults("The query is right, and no figure matches it.")
    referenced: dict[Ref, Maintainable] = {}
    for one, available in found:
        scope = _Scope(plan=one, catalog=catalog, store=store, available=available)
        referenced |= {artefact.ref: artefact for artefact in scope.references(query.references)}
    constraints = [_constraint(one, available) for one, available in found]
    return message_of([*referenced.values()], sender=sender, availability=constraints)


def _check_components(query: AvailabilityQuery, plans: Sequence[Plan]) -> None:
    """Each component asked for must be a dimension of one of the structures."""
    known = dict.fromkeys(id for one in plans for id in one.structure.key_ids)
    for id in query.component_ids:
        if plans and id != ANY and id not in known:
            raise SemanticFault(f"There is no dimension {id!r} here.", hint=f"There are {', '.join(known)}.")


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


def _constraint(one: Plan, available: Availability) -> AvailabilityConstraint:
    return AvailabilityConstraint(
        attachment=one.artefact.ref,
        region=CubeRegion(members=tuple(_members(one.structure, available))),
        series_count=available.counts.series,
        observation_count=available.counts.observations,
    )


def _members(structure: DataStructure, available: Availability) -> Iterator[KeyValue]:
    time = None if structure.time_dimension is None else structure.time_dimension.id
    for id in structure.key_ids:
        values = available.values.get(id, ())
        if not values:
            continue
        if id == time:
            bounds = TimeRange(start=TimeBound(period=values[0]), end=TimeBound(period=_last(values)))
            yield KeyValue(component=id, time_range=bounds)
        else:
            yield KeyValue(component=id, values=tuple(MemberValue(value=value) for value in values))


def _last(periods: Sequence[str]) -> str:
    """The period that ends last, of several the one that begins last: with the first, all are between the two."""
    found = spans(periods)
    return periods[max(range(len(periods)), key=lambda place: (found.ends[place], found.starts[place]))]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scope:
    """What one availability constraint is about, and the artefacts that belong to it.

    SDMX-REST 2.2, availability.md, *references*: item schemes hold the items that the constraint uses, codelists their
    parents too.
    """

    plan: Plan
    catalog: Catalog
    store: Store
    available: Availability

    def references(self, words: Collection[str]) -> Iterator[Maintainable]:
        """The artefacts that the words of the parameter ``references`` ask for."""
        kinds: Mapping[str, Callable[[], Iterator[Maintainable]]] = {
            "dataflow": self._dataflow,
            "datastructure": self._structure,
            "dataproviderscheme": self._providers,
            "codelist": lambda: self._enumerations(Codelist),
            "valuelist": lambda: self._enumerations(ValueList),
            "conceptscheme": self._concepts,
        }
        for word, artefacts in kinds.items():
            if word in words or "all" in words:
                yield from artefacts()

    def _dataflow(self) -> Iterator[Maintainable]:
        if self.plan.dataflow is not None:
            yield self.catalog.artefact(self.plan.dataflow)

    def _structure(self) -> Iterator[Maintainable]:
        yield self.catalog.artefact(self.plan.structure.ref)

    def _components(self) -> list[Component]:
        return [one for one in self.plan.structure.components if self.available.values.get(one.id)]

    def _enumerations(self, kind: type[Codelist | ValueList]) -> Iterator[Maintainable]:
        used: dict[Ref, tuple[Codelist | ValueList, set[str]]] = {}
        for component in self._components():
            if component.form.enumeration is None:
                continue
            scheme = self.catalog.artefact(component.form.enumeration)
            if isinstance(scheme, kind):
                used.setdefault(scheme.ref, (scheme, set()))[1].update(self.available.values[component.id])
        for scheme, codes in used.values():
            yield partial_scheme(self.catalog.extended(scheme) if isinstance(scheme, Codelist) else scheme, codes)

    def _concepts(self) -> Iterator[Maintainable]:
        return self._schemes(ConceptScheme, (one.concept for one in self._components()))

    def _providers(self) -> Iterator[Maintainable]:
        """The providers whose own rows match the query."""
        plan = self.plan
        flows = self.catalog.dataflows_of(plan.structure.ref)
        agreements = (
            one
            for flow in flows
            if plan.dataflow in (None, flow.ref)
            for one in self.catalog.parents(flow)
            if isinstance(one, ProvisionAgreement)
        )
        refs = [one.provider for one in agreements] if plan.provider is None else [plan.provider]
        senders = self.store.senders(plan.selection)  # agreements may be thousands, and most of them without figures
        known = (ref for ref in dict.fromkeys(refs) if provider_name(ref) in senders)
        return self._schemes(DataProviderScheme, (ref for ref in known if self._has_sent(ref)))

    def _has_sent(self, provider: Ref) -> bool:
        own = replace(self.plan.selection, context="provisionagreement", providers=(provider_name(provider),))
        return self.store.count(own).series > 0

    def _schemes(self, kind: type[ConceptScheme | DataProviderScheme], items: Iterable[Ref]) -> Iterator[Maintainable]:
        """The schemes of items, cut to these."""
        gathered: dict[Ref, set[str]] = {}
        for ref in items:
            gathered.setdefault(ref.maintainable, set()).add(ref.item or "")
        for scheme_ref, ids in gathered.items():
            scheme = self.catalog.lookup(scheme_ref)
            if isinstance(scheme, kind):
                yield partial_scheme(scheme, ids)
