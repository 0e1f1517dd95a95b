"""The first page: the dataflows, what they hold, recent releases, how to harvest and how to submit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.library import View
from sdmx_service.model.artefact import Item, Maintainable
from sdmx_service.model.items import AgencyScheme
from sdmx_service.model.selection import dataflow_name
from sdmx_service.model.structure import Dataflow
from sdmx_service.model.urn import Ref
from sdmx_service.storage.port import Availability
from sdmx_service.web.holdings import Holdings, News

SHOWN_RELEASES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowFacts:
    """A dataflow in the list."""

    flow: Dataflow
    available: Availability
    last: News | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowGroup:
    """The dataflows of one structure, those with figures first; ``structure`` is None where it is not here."""

    structure: Maintainable | None
    flows: tuple[FlowFacts, ...]


def current_dataflows(catalog: Catalog) -> tuple[Dataflow, ...]:
    """The latest version of every dataflow and major version, ordered by reference."""
    latest: dict[str, Dataflow] = {}
    for artefact in catalog.of_type("Dataflow"):
        if isinstance(artefact, Dataflow):
            latest[dataflow_name(artefact.ref)] = artefact
    return tuple(latest.values())


def home_page(holdings: Holdings, view: View, words: str) -> Mapping[str, Any]:
    """What the template of the first page shows; ``words`` filter the dataflows."""
    flows = current_dataflows(view.catalog)
    fitting = [flow for flow in flows if _fits(flow, words)]
    news = holdings.news(view)[:SHOWN_RELEASES]
    names = {dataflow_name(flow.ref): flow for flow in flows}
    return {
        "groups": _groups(holdings, view, fitting),
        "total": len(flows),
        "found": len(fitting),
        "words": words,
        "observations": sum(holdings.summary(view, flow).counts.observations for flow in flows),
        "series": sum(holdings.summary(view, flow).counts.series for flow in flows),
        "news": [(one, [names[name] for name in sorted(one.dataflows) if name in names]) for one in news],
        "example": next((flow for flow in flows if holdings.summary(view, flow).counts.observations), None),
        "agencies": [agency_of(view.catalog, id) for id in dict.fromkeys(flow.agency for flow in flows)],
    }


def _fits(flow: Dataflow, words: str) -> bool:
    """Every word stands in the id or in a name or description, whatever the language."""
    texts = " ".join([flow.id, *flow.names.values(), *flow.descriptions.values()]).casefold()
    return all(word in texts for word in words.casefold().split())


def _groups(holdings: Holdings, view: View, flows: list[Dataflow]) -> tuple[FlowGroup, ...]:
    grouped: dict[Ref | None, list[FlowFacts]] = {}
    for flow in flows:
        structure = None if flow.structure is None else view.catalog.lookup(flow.structure)
        facts = FlowFacts(flow=flow, available=holdings.summary(view, flow), last=holdings.last_release(view, flow))
        grouped.setdefault(None if structure is None else structure.ref, []).append(facts)
    return tuple(
        FlowGroup(
            structure=None if ref is None else view.catalog.artefacts[ref],
            flows=tuple(sorted(found, key=lambda facts: facts.available.counts.observations == 0)),
        )
        for ref, found in grouped.items()
    )


def agency_of(catalog: Catalog, id: str) -> Item:
    """The agency with that (dotted) id, as its scheme names it; with nothing but the id where no scheme has it."""
    parent, _, own = id.rpartition(".")
    for scheme in catalog.of_type("AgencyScheme"):
        if isinstance(scheme, AgencyScheme) and (not parent or scheme.agency == parent):
            found = scheme.item(own)
            if found is not None:
                return found
    return Item(id=id)
