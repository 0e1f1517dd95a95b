"""The balances of a published dataflow, with their figures as the public reads them."""

from __future__ import annotations

from collections.abc import Iterator

from sdmx_service.model.selection import dataflow_name
from sdmx_service.model.structure import Dataflow
from sdmx_service.model.urn import PartialRef, Version
from sdmx_service.storage.quoting import either
from sdmx_service.submission.balances import Balance, balances, further_sums, is_own
from sdmx_service.submission.disclosure import Further
from sdmx_service.submission.figures import Flow
from sdmx_service.submission.published import Published
from sdmx_service.submission.rule_terms import PlacedTerm
from sdmx_service.submission.workspace import Workspace, conditions


class PublishedBalances:
    """The balances of a dataflow, and the views of the other dataflows that they look at.

    Args:
        own: the dataflow.
    """

    def __init__(self, own: Published) -> None:
        self._own = own
        self._views: dict[tuple[str, str], Published] = {}
        self._known = balances(self, own.rules)

    def further(self) -> Iterator[Further]:
        """Their sums with at least one figure that is not told, as the figures are now."""
        return further_sums(self, self._known)

    # --- as balances ask for it ------------------------------------------------------------------------------------

    @property
    def workspace(self) -> Workspace:
        """Where the figures stand."""
        return self._own.hall.workspace

    @property
    def own(self) -> tuple[Flow, str]:
        """The dataflow and its measure."""
        return self._own.flow, self._own.measure.id

    def flow(self, named: PartialRef) -> Flow | None:
        """The dataflow that a term names, in its latest version."""
        own, catalog = self._own.flow, self._own.hall.catalog
        if own.ref is not None and named.matches(own.ref):
            return own
        found = [one for one in catalog.of_type("Dataflow") if isinstance(one, Dataflow) and named.matches(one.ref)]
        flow = max(found, key=lambda one: Version.parse(one.ref.version), default=None)
        if flow is None:
            return None
        return Flow(name=dataflow_name(flow.ref), ref=flow.ref, structure=catalog.structure_of(flow))

    def rows(self, balance: Balance, term: PlacedTerm) -> str:
        """The figures of a term, whichever balance it stands in."""
        view, structure = self._view(term), term.flow.structure
        counts = [conditions(structure, when) for when in view.counts()]
        known = f"({either(counts) if counts else 'false'}) IS TRUE AS _counts"
        return f"SELECT *, {known} FROM {view.table} WHERE {conditions(structure, term.where)}"

    # --- views -----------------------------------------------------------------------------------------------------

    def _view(self, term: PlacedTerm) -> Published:
        if is_own(self, term):
            return self._own
        own, wanted = self._own, (term.flow.name, term.term.component)
        if wanted not in self._views:
            assert term.flow.ref is not None
            flow = own.hall.catalog.dataflow(term.flow.ref)
            near = self._near(term)
            self._views[wanted] = Published(own.hall, flow, own.release, measure=wanted[1], near=near)
        return self._views[wanted]

    def _near(self, term: PlacedTerm) -> dict[str, set[str]]:
        """The codes of another dataflow that any balance may look at."""
        own, found = self._own, dict[str, set[str]]()
        for id in term.flow.structure.dimension_ids:
            wanted: set[str] = set()
            for balance in self._known:
                for one in balance.terms:
                    if one.flow.name != term.flow.name or one.term.component != term.term.component:
                        continue
                    codes = one.where.get(id) or (own.occurring.get(id) if id in balance.keys else None)
                    if codes is None:
                        break
                    wanted |= set(codes)
                else:
                    continue
                break
            else:
                found[id] = wanted
        return found
