"""The page of a dataflow's sources: whose figures are shown, where the others are, who covers what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.library import View
from sdmx_service.catalog.sources import Flow, codes_of, reporting_dimension
from sdmx_service.dissemination.sources import Covered, coverage, precedence
from sdmx_service.errors import SemanticFault
from sdmx_service.model.artefact import Item
from sdmx_service.model.items import DataProviderScheme
from sdmx_service.model.query import DataQuery
from sdmx_service.model.structure import Dataflow
from sdmx_service.web import addresses
from sdmx_service.web.figures import pages
from sdmx_service.web.holdings import Holdings
from sdmx_service.web.language import Tongue

LINES_PER_PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A provider in the order of precedence; ``link``: its own figures, where it has an agreement."""

    item: Item
    reports_for: tuple[str, str] | None
    link: str | None


def sources_page(holdings: Holdings, view: View, dataflow: Dataflow, tongue: Tongue, offset: int) -> Mapping[str, Any]:
    """What the template of the sources of a dataflow shows."""
    flow = Flow.of(dataflow, view.catalog)
    path = f"{addresses.artefact_page(dataflow, replace(tongue, asked=None))}/sources"
    try:
        dimension = reporting_dimension(flow)
    except SemanticFault:
        dimension = flow.structure.dimension_ids[0] if flow.structure.dimension_ids else ""
    found: list[Covered] = holdings.remembered(
        view,
        ("coverage", dataflow.ref, dimension),
        lambda: coverage(flow, dimension, holdings.store, view) if dimension else [],
    )
    senders = holdings.store.senders(flow.selection(view.release))
    labels = view.catalog.labels(flow.structure, {}, dataflow)
    return {
        "flow": dataflow,
        "flow_link": addresses.artefact_page(dataflow, tongue),
        "dimension": tongue.plain(labels.components[dimension], dimension) if dimension else "",
        "is_decided": flow.name in holdings.store.ranking(view.release).heads,
        "sources": [_source(one, flow) for one in precedence(flow, holdings.store, view.release) if one in senders],
        "providers": {name: _provider(name, view.catalog) for name in {one.provider for c in found for one in c.given}},
        "codes": codes_of(flow, dimension) if dimension else {},
        "covered": found[offset : offset + LINES_PER_PAGE],
        "total": len(found),
        "offset": offset,
        "pages": [
            (relation, addresses.page(path, tongue, [("offset", str(place))] if place else []))
            for relation, place in pages(len(found), offset, LINES_PER_PAGE)
        ],
        "table": "/api/coverage.csv?" + urlencode({"dataflow": dataflow.ref.text, "by": dimension}),
        "json": "/api/coverage?" + urlencode({"dataflow": dataflow.ref.text, "by": dimension}),
    }


def _source(name: str, flow: Flow) -> Source:
    agreement = flow.agreed().get(name)
    link = None
    if agreement is not None:
        query = DataQuery(
            context="provisionagreement",
            agencies=(agreement.agency,),
            ids=(agreement.id,),
            versions=(agreement.version,),
        )
        link = addresses.data_address(query)
    return Source(item=_provider(name, flow.catalog), reports_for=flow.homes().get(name), link=link)


def _provider(name: str, catalog: Catalog) -> Item:
    """The provider of that name (``AGENCY.ID``); with nothing but the id where no scheme has it."""
    agency, _, id = name.rpartition(".")
    for scheme in catalog.of_type("DataProviderScheme"):
        if (
            isinstance(scheme, DataProviderScheme)
            and scheme.agency == agency
            and (found := scheme.item(id)) is not None
        ):
            return found
    return Item(id=name)
