"""The routes of the pages: HTTP in, a page made in a worker thread, HTML out; errors are pages too."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from jinja2 import Environment

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.library import Library, View
from sdmx_service.errors import (
    NotBuilt,
    NotFound,
    SdmxError,
    SemanticFault,
    StorageFault,
    SyntaxFault,
    UnresolvedReference,
)
from sdmx_service.model.items import Codelist, ValueList
from sdmx_service.model.structure import Dataflow
from sdmx_service.model.urn import Ref
from sdmx_service.web import addresses
from sdmx_service.web.flow import flow_page
from sdmx_service.web.holdings import Holdings
from sdmx_service.web.home import current_dataflows, home_page
from sdmx_service.web.language import PAGE_LANGUAGES, Tongue
from sdmx_service.web.rendering import STATIC, environment, render
from sdmx_service.web.sources import sources_page
from sdmx_service.web.structures import codelist_page, structures_page

log = logging.getLogger(__name__)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
_LONGEST_WORDS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """What the pages need while the service runs."""

    holdings: Holdings
    executor: Executor


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A reader's request.

    Attributes:
        parts: the variable parts of the path.
        parameters: of the query string, decoded, in order.
        origin: scheme and host as the reader's browser knows them.
    """

    path: str
    parts: Mapping[str, str]
    parameters: tuple[tuple[str, str], ...]
    tongue: Tongue
    origin: str

    def text(self, name: str) -> str:
        """The last value of a parameter, cut to a sensible length; empty without one."""
        values = [value for key, value in self.parameters if key == name]
        return values[-1].strip()[:_LONGEST_WORDS] if values else ""

    def offset(self) -> int:
        """The parameter ``offset``; what is no number counts as the beginning."""
        text = self.text("offset")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A page to render, or an address to go to instead."""

    template: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    location: str | None = None


Maker = Callable[[Holdings, View, Asked], Shown]
_TEMPLATES = web.AppKey("page_templates", Environment)
_PAGES = web.AppKey("pages", Pages)


def install(application: web.Application) -> None:
    """Add routes and static files.

    To be called after the machines' routes: an unknown address below none of them gets the pages' own *not found*.
    """
    application[_TEMPLATES] = environment()
    application.router.add_static("/static", STATIC)
    application.add_routes(
        [
            web.get("/", _handler(_home)),
            web.get("/dataflows", _handler(_to_home)),
            web.get("/dataflows/{agency}/{id}", _handler(_latest_flow)),
            web.get("/dataflows/{agency}/{id}/{version}", _handler(_flow)),
            web.get("/dataflows/{agency}/{id}/{version}/sources", _handler(_sources)),
            web.get("/structures", _handler(_structures)),
            web.get("/codelists/{agency}/{id}/{version}", _handler(_codelist)),
            web.get(r"/{tail:(?!(?:api|sdmx|health|static)(?:/|$)).*}", _handler(_nothing)),
        ]
    )
    application.on_response_prepare.append(_protect)


def attach(application: web.Application, library: Library, executor: Executor) -> None:
    """Give the pages what they read from; to be called at start-up."""
    application[_PAGES] = Pages(holdings=Holdings(library), executor=executor)


async def _protect(request: web.Request, response: web.StreamResponse) -> None:
    if request.path.startswith("/static/") or response.content_type == "text/html":
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)


def _handler(make: Maker) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        pages = request.app[_PAGES]
        asked = Asked(
            path=request.path,
            parts=dict(request.match_info),
            parameters=tuple(request.query.items()),
            tongue=Tongue.of(request.query.get("lang"), request.headers.get("Accept-Language")),
            origin=f"{request.scheme}://{request.host}",
        )
        work = (make, pages.holdings, asked, request.app[_TEMPLATES])
        shown, body = await asyncio.get_running_loop().run_in_executor(pages.executor, _make, *work)
        if shown.location is not None:
            return web.Response(status=302, headers={"Location": shown.location, "Vary": "Accept-Language"})
        return _respond(request, shown.status, body, asked.tongue)

    return handle


def _respond(request: web.Request, status: int, body: bytes, tongue: Tongue) -> web.Response:
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Vary": "Accept-Language, Accept-Encoding", "Cache-Control": "no-cache"}
    sent = {one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")}
    if status == 200 and tag in sent:
        return web.Response(status=304, headers=headers)
    headers |= {"Content-Type": "text/html; charset=utf-8", "Content-Language": tongue.page}
    response = web.Response(status=status, body=body, headers=headers)
    response.enable_compression()
    return response


def _make(make: Maker, holdings: Holdings, asked: Asked, templates: Environment) -> tuple[Shown, bytes]:
    """The page, or the page of the error that came up."""
    view: View | None = None
    try:
        view = holdings.library.view()
        shown = make(holdings, view, asked)
        body = b"" if shown.location is not None else _render(shown, view, asked, templates)
    except SdmxError as error:
        shown = _error(error, view, asked)
        body = _render(shown, view, asked, templates)
    except Exception:
        reference = uuid.uuid4().hex[:12]
        log.exception("unexpected error, reference %s", reference)
        fault = SdmxError(f"It was logged under the reference {reference}.", title="Internal error")
        shown = _error(fault, view, asked)
        body = _render(shown, view, asked, templates)
    return shown, body


def _render(shown: Shown, view: View | None, asked: Asked, templates: Environment) -> bytes:
    switches = [
        (tag, own, f"{asked.path}?{urlencode([*_without_language(asked), ('lang', tag)])}")
        for tag, own in PAGE_LANGUAGES.items()
    ]
    context = {"view": view, "asked": asked, "origin": asked.origin, "switches": switches, **shown.context}
    return render(templates, shown.template, asked.tongue, context)


def _without_language(asked: Asked) -> list[tuple[str, str]]:
    return [(name, value) for name, value in asked.parameters if name != "lang" and value]


# --- the pages ------------------------------------------------------------------------------------------------------
def _home(holdings: Holdings, view: View, asked: Asked) -> Shown:
    return Shown(template="home.html", context=home_page(holdings, view, asked.tongue, asked.text("q")))


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


# --- errors ---------------------------------------------------------------------------------------------------------
_STATUS: tuple[tuple[type[SdmxError], int], ...] = (
    (NotFound, 404),
    (UnresolvedReference, 404),
    (SyntaxFault, 400),
    (SemanticFault, 400),
    (NotBuilt, 501),
    (StorageFault, 503),
)


def _error(error: SdmxError, view: View | None, asked: Asked) -> Shown:
    status = next((number for kind, number in _STATUS if isinstance(error, kind)), 500)
    near = _near(view.catalog, asked) if view is not None and status == 404 else ()
    return Shown(template="error.html", context={"error": error, "status": status, "near": near}, status=status)


def _near(catalog: Catalog, asked: Asked) -> tuple[Dataflow, ...]:
    """The dataflows whose ids come nearest to what the path says."""
    flows = {flow.id.casefold(): flow for flow in current_dataflows(catalog)}
    words = [asked.parts["id"]] if "id" in asked.parts else [part for part in asked.path.split("/") if part]
    found: dict[str, None] = {}
    for word in words[:8]:
        found |= dict.fromkeys(get_close_matches(word[:80].casefold(), flows, n=3, cutoff=0.5))
    return tuple(flows[id] for id in list(found)[:3])
