"""The pages that are open to everyone, and their routes."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.library import View
from sdmx_service.errors import NotFound
from sdmx_service.model.items import Codelist, ValueList
from sdmx_service.model.structure import Dataflow
from sdmx_service.model.urn import Ref
from sdmx_service.web import addresses
from sdmx_service.web.asking import Asked, Shown, page
from sdmx_service.web.flow import flow_page
from sdmx_service.web.holdings import Holdings
from sdmx_service.web.home import home_page
from sdmx_service.web.sources import sources_page
from sdmx_service.web.structures import codelist_page, structures_page


def routes() -> list[web.RouteDef]:
    """The routes; the last takes whatever no other took, and is to be added after all others."""
    return [
        web.get("/", page(_home)),
        web.get("/dataflows", page(_to_home)),
        web.get("/dataflows/{agency}/{id}", page(_latest_flow)),
        web.get("/dataflows/{agency}/{id}/{version}", page(_flow)),
        web.get("/dataflows/{agency}/{id}/{version}/sources", page(_sources)),
        web.get("/structures", page(_structures)),
        web.get("/codelists/{agency}/{id}/{version}", page(_codelist)),
        web.get(r"/{tail:(?!(?:api|sdmx|health|static)(?:/|$)).*}", page(_nothing)),
    ]


# --- the pages ------------------------------------------------------------------------------------------------------
def _home(holdings: Holdings, view: View, asked: Asked) -> Shown:
    return Shown(template="home.html", context=home_page(holdings, view, asked.text("q")))


def _to_home(holdings: Holdings, view: View, asked: Asked) -> Shown:
    return Shown(location=addresses.page("/", asked.tongue))


def _latest_flow(holdings: Holdings, view: View, asked: Asked) -> Shown:
    agency, id = asked.parts["agency"], asked.parts["id"]
    versions = view.catalog.versions("Dataflow", agency, id)
    if not versions:
        raise NotFound(f"There is no dataflow {agency}:{id}.")
    flow = view.catalog.artefacts[Ref(type="Dataflow", agency=agency, id=id, version=versions[-1])]
    return Shown(location=addresses.artefact_page(flow, asked.tongue))


def _flow(holdings: Holdings, view: View, asked: Asked) -> Shown:
    flow = _named(view.catalog, ("Dataflow",), asked.parts)
    assert isinstance(flow, Dataflow)
    context = flow_page(holdings, view, flow, asked.parameters, asked.tongue)
    return Shown(template="flow.html", context=context, status=400 if context["answer"].fault else 200)


def _sources(holdings: Holdings, view: View, asked: Asked) -> Shown:
    flow = _named(view.catalog, ("Dataflow",), asked.parts)
    assert isinstance(flow, Dataflow)
    return Shown(template="sources.html", context=sources_page(holdings, view, flow, asked.tongue, asked.offset()))


def _structures(holdings: Holdings, view: View, asked: Asked) -> Shown:
    return Shown(template="structures.html", context=structures_page(view, asked.tongue, asked.text("q")))


def _codelist(holdings: Holdings, view: View, asked: Asked) -> Shown:
    codelist = _named(view.catalog, ("Codelist", "ValueList"), asked.parts)
    assert isinstance(codelist, Codelist | ValueList)
    context = codelist_page(view, codelist, asked.text("q"), asked.offset(), asked.tongue)
    return Shown(template="codelist.html", context=context)


def _nothing(holdings: Holdings, view: View, asked: Asked) -> Shown:
    raise NotFound(f"There is nothing at {asked.path[:200]}.")


def _named(catalog: Catalog, kinds: tuple[str, ...], parts: Mapping[str, str]) -> object:
    """The artefact that a path names exactly."""
    for kind in kinds:
        if parts["version"] in catalog.versions(kind, parts["agency"], parts["id"]):
            return catalog.artefacts[Ref(type=kind, agency=parts["agency"], id=parts["id"], version=parts["version"])]
    words = "{agency}:{id}({version})".format(**parts)
    raise NotFound(f"There is no {kinds[0].lower()} {words}.")
