"""What the dataflows hold at one release: counted once, remembered until the next release."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import TypeVar, cast

from sdmx_service.catalog.library import Library, View
from sdmx_service.dissemination.plan import Plan, plan
from sdmx_service.errors import NotFound, UnresolvedReference
from sdmx_service.model.query import ComponentFilter, DataQuery
from sdmx_service.model.selection import Selection, dataflow_name, provider_name
from sdmx_service.model.structure import Dataflow, DataStructure, ProvisionAgreement
from sdmx_service.model.urn import Ref, parse_ref
from sdmx_service.storage.port import Availability, Counts, Store
from sdmx_service.submission.receipt import load_receipt

T = TypeVar("T")
NOTHING = Availability(values={}, counts=Counts(series=0, observations=0))
_RECENT = 50
"""Releases looked through for the latest one that brought something to a dataflow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A release, and which dataflows (``AGENCY:ID(MAJOR)``) it brought changes to, as far as receipts tell."""

    number: int
    published_at: datetime
    comment: str = ""
    dataflows: frozenset[str] = field(default_factory=frozenset)


def query_of(flow: Dataflow, filters: tuple[ComponentFilter, ...] = ()) -> DataQuery:
    """The query for a dataflow's figures."""
    return DataQuery(
        context="dataflow", agencies=(flow.agency,), ids=(flow.id,), versions=(flow.version,), filters=filters
    )


class Holdings:
    """Reads counts and values that occur; safe to call from several threads."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._lock = Lock()
        self._state: tuple[int, int] = (-1, -1)
        self._known: dict[object, object] = {}

    @property
    def store(self) -> Store:
        """The store read from."""
        return self.library.store

    def remembered(self, view: View, key: object, work: Callable[[], T]) -> T:
        """What some work gives, done once for a view."""
        state = (view.release, view.generation)
        with self._lock:
            if state != self._state:
                self._state, self._known = state, {}
            known = self._known
        if key not in known:
            known[key] = work()
        return cast(T, known[key])

    def plan(self, view: View, query: DataQuery) -> Plan:
        """The plan of a query for one dataflow."""
        return plan(query, view.catalog, self.store, view.release)[0]

    def is_open(self, selection: Selection) -> bool:
        """There is a cube to read from."""
        return selection.cube in self.store.cubes()

    def summary(self, view: View, flow: Dataflow) -> Availability:
        """Counts, first and last period of a dataflow."""
        return self.remembered(view, ("summary", flow.ref), lambda: self._available(view, flow, everything=False))

    def contents(self, view: View, flow: Dataflow) -> Availability:
        """The same with the values that occur per dimension."""
        return self.remembered(view, ("contents", flow.ref), lambda: self._available(view, flow, everything=True))

    def _available(self, view: View, flow: Dataflow, *, everything: bool) -> Availability:
        try:
            planned = self.plan(view, query_of(flow))
        except UnresolvedReference:
            return NOTHING
        if not self.is_open(planned.selection):
            return NOTHING
        return self.store.available(planned.selection, None if everything else _time_of(planned.structure))

    def providers(self, view: View, flow: Dataflow) -> Mapping[Ref, int]:
        """The providers with an agreement for the dataflow whose figures are here, with their counts."""
        return self.remembered(view, ("providers", flow.ref), lambda: self._providers(view, flow))

    def _providers(self, view: View, flow: Dataflow) -> Mapping[Ref, int]:
        planned = self.plan(view, query_of(flow))
        senders = self.store.senders(planned.selection) if self.is_open(planned.selection) else ()
        agreed = (one.provider for one in view.catalog.parents(flow) if isinstance(one, ProvisionAgreement))
        counts = {ref: self._count_of(view, flow, ref, planned) for ref in agreed if provider_name(ref) in senders}
        return {ref: count for ref, count in counts.items() if count}

    def _count_of(self, view: View, flow: Dataflow, provider: Ref, planned: Plan) -> int:
        own = Selection(
            structure=planned.structure,
            cube=planned.selection.cube,
            context="provisionagreement",
            release=view.release,
            dataflows=(dataflow_name(flow.ref),),
            providers=(provider_name(provider),),
        )
        return self.store.count(own).observations

    def news(self, view: View) -> tuple[News, ...]:
        """The releases up to this one, newest first."""
        return self.remembered(view, "news", lambda: self._news(view))

    def _news(self, view: View) -> tuple[News, ...]:
        releases = [one for one in self.store.releases() if one.number <= view.release][-_RECENT:]
        return tuple(
            News(
                number=one.number,
                published_at=one.published_at,
                comment=one.comment,
                dataflows=frozenset(name for submission in one.submissions for name in self._dataflows_of(submission)),
            )
            for one in reversed(releases)
        )

    def _dataflows_of(self, submission: str) -> tuple[str, ...]:
        try:
            receipt = load_receipt(self.store, submission)
        except NotFound:
            return ()
        refs = (parse_ref(one.dataflow, "Dataflow").complete() for one in receipt.dataflows)
        return tuple(dataflow_name(ref) for ref in refs if ref is not None)

    def last_release(self, view: View, flow: Dataflow) -> News | None:
        """The newest release known to have brought something to a dataflow."""
        name = dataflow_name(flow.ref)
        return next((one for one in self.news(view) if name in one.dataflows), None)


def _time_of(structure: DataStructure) -> tuple[str, ...]:
    return () if structure.time_dimension is None else (structure.time_dimension.id,)
