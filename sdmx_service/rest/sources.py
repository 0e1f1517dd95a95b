"""``/api/sources`` and ``/api/coverage``: whose figure is shown, who else gives one, who covers what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
from aiohttp import web

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.library import Library, View
from sdmx_service.catalog.sources import Flow, derived, names_of, reporting_dimension
from sdmx_service.dissemination.plan import plan
from sdmx_service.dissemination.sources import COLUMNS, Covered, coverage, figures, precedence, rows_of
from sdmx_service.errors import SemanticFault, SyntaxFault
from sdmx_service.maintenance.precedence import set_precedence
from sdmx_service.model.query import DataQuery
from sdmx_service.model.structure import Dataflow
from sdmx_service.rest.asking import answered, csv_answer, document, in_thread, json_answer, parameters
from sdmx_service.rest.service import SERVICE
from sdmx_service.urls import v1, v2

_VERSIONS = {"v1": v1, "v2": v2}


def routes() -> list[web.RouteDef]:
    """The routes of sources."""
    return [
        web.get("/api/sources", show_sources),
        web.put("/api/sources", put_precedence),
        web.get(r"/api/sources/{api:v1|v2}/{path:.*}", show_figures),
        web.get("/api/coverage", show_coverage),
        web.get("/api/coverage.csv", show_coverage),
    ]


def _flow(query: Mapping[str, str], catalog: Catalog) -> Flow:
    if not query.get("dataflow"):
        raise SyntaxFault("The dataflow is not said.", hint="Say dataflow=AGENCY:ID.")
    found = catalog.named(query["dataflow"], "Dataflow")
    assert isinstance(found, Dataflow)
    return Flow.of(found, catalog)


# --- precedence -----------------------------------------------------------------------------------------------------
async def show_sources(request: web.Request) -> web.StreamResponse:
    """``GET /api/sources?dataflow=REF``: its providers, the one shown first, and where each one's own figures are."""
    said, service = parameters(request, "dataflow"), request.app[SERVICE]

    def find() -> dict[str, Any]:
        view = service.library.view()
        return sources_of(_flow(said, view.catalog), service.library, view)

    return json_answer(await in_thread(service, find))


def sources_of(flow: Flow, library: Library, view: View) -> dict[str, Any]:
    """The providers of a dataflow in the order of precedence, and the order that the agreements say.

    ``ranked_by``: a decision, what the agreements said when the release was made, or the name of who is in neither.
    """
    store, homes, agreed = library.store, flow.homes(), flow.agreed()
    ranking = store.ranking(view.release)
    ranked = dict.fromkeys(ranking.providers.get(flow.name, ()), "agreements")
    ranked |= dict.fromkeys(ranking.heads.get(flow.name, ()), "decision")
    counts: dict[str, list[int]] = {}
    for one in store.given(flow.selection(view.release), ()).to_pylist():
        totals = counts.setdefault(one["provider"], [0, 0])
        totals[0] += one["given"]
        totals[1] += one["shown"]
    return {
        "dataflow": flow.dataflow.ref.text,
        "release": view.release,
        "sources": [
            {
                "provider": provider,
                "ranked_by": ranked.get(provider, "name"),
                "reports_for": dict([homes[provider]]) if provider in homes else None,
                "given": counts.get(provider, [0, 0])[0],
                "shown": counts.get(provider, [0, 0])[1],
                "figures": _own_figures(agreed[provider].ref) if provider in agreed else None,
            }
            for provider in precedence(flow, store, view.release)
        ],
        "agreements_say": derived(flow),
    }


def _own_figures(ref: Any) -> str:
    """The address of a provider's own figures, shown or not."""
    return f"/sdmx/v2/data/provisionagreement/{ref.agency}/{ref.id}/{ref.version}"


async def put_precedence(request: web.Request) -> web.StreamResponse:
    """``PUT /api/sources?dataflow=REF`` with ``{"providers": [...]}`` (null: as the agreements say): a new release."""
    named = parameters(request, "dataflow").get("dataflow", "")
    said = await document(request)
    if not isinstance(said, dict) or not {"providers"} <= set(said) <= {"providers", "comment"}:
        raise SyntaxFault('The body is not {"providers": [...]}.', hint="It may have a comment too.")
    providers, comment = said["providers"], said.get("comment", "")
    is_list = isinstance(providers, list) and all(isinstance(one, str) for one in providers)
    if not (is_list or providers is None) or not isinstance(comment, str):
        raise SyntaxFault("The providers are a list of texts, or null; the comment is a text.")
    release, order = await answered(
        request,
        lambda service, principal: set_precedence(
            service.library, principal, dataflow=named, providers=providers, comment=comment
        ),
    )
    return json_answer({"release": release.number, "comment": release.comment, "precedence": list(order)}, 201)


# --- figures --------------------------------------------------------------------------------------------------------
async def show_figures(request: web.Request) -> web.StreamResponse:
    """``GET /api/sources/v2/data/...``: the figures of every provider that a query is about, and which is shown."""
    api = request.match_info["api"]
    path, _, query_string = request.raw_path.partition("?")
    asked = path.removeprefix(f"/api/sources/{api}/")
    service = request.app[SERVICE]
    return json_answer(await in_thread(service, lambda: figures_of(api, asked, query_string, service.library)))


def figures_of(api: str, path: str, query_string: str, library: Library) -> dict[str, Any]:
    """The figures as JSON knows them, per dataflow.

    Raises:
        SdmxError: the query cannot be read, cannot be meant, or is none for the data of dataflows.
    """
    query = _VERSIONS[api].parse(path, query_string)
    if not isinstance(query, DataQuery):
        raise SemanticFault("Only data queries have sources.", hint="Write /api/sources/v2/data/dataflow/....")
    view = library.view()
    found = []
    for one in plan(query, view.catalog, library.store, view.release):
        if not isinstance(one.artefact, Dataflow):
            raise SemanticFault("Sources are told of dataflows.", hint="Ask in the context dataflow.")
        flow = Flow.of(one.artefact, view.catalog)
        selection = replace(one.selection, context="provisionagreement", components=None, sort=(), together=())
        rows, is_cut = figures(flow, selection, library.store)
        found.append({"dataflow": one.artefact.ref.text, "is_cut": is_cut, "figures": _records(rows, flow)})
    return {"release": view.release, "datasets": found}


def _records(rows: pa.Table, flow: Flow) -> list[dict[str, Any]]:
    keys = flow.structure.key_ids
    measures = [name for name in rows.column_names if name not in (*keys, "provider", "shown")]
    return [
        {
            "key": {name: one[name] for name in keys},
            "provider": one["provider"],
            "shown": one["shown"],
            "measures": {name: one[name] for name in measures},
        }
        for one in rows.to_pylist()
    ]


# --- coverage -------------------------------------------------------------------------------------------------------
async def show_coverage(request: web.Request) -> web.StreamResponse:
    """``GET /api/coverage[.csv]?dataflow=REF&by=&code=&year=``: who submitted what, directly or through a partner."""
    said, service = parameters(request, "dataflow", "by", "code", "year"), request.app[SERVICE]

    def find() -> tuple[Flow, str, Sequence[Covered]]:
        view = service.library.view()
        flow = _flow(said, view.catalog)
        dimension = reporting_dimension(flow, said.get("by"))
        found = coverage(flow, dimension, service.library.store, view)
        return flow, dimension, list(_chosen(found, said))

    flow, dimension, found = await in_thread(service, find)
    if request.path.endswith(".csv"):
        return csv_answer(
            COLUMNS, rows_of(found, names_of(flow, dimension, ("en",))), f"coverage_{flow.dataflow.id}.csv"
        )
    answer = {"dataflow": flow.dataflow.ref.text, "dimension": dimension}
    return json_answer({**answer, "coverage": [one.to_json() for one in found]})


def _chosen(found: Iterable[Covered], query: Mapping[str, str]) -> Iterable[Covered]:
    code, year = query.get("code"), query.get("year")
    return (one for one in found if code in (None, one.code) and year in (None, one.year))
