"""A page asked for and shown: the request without HTTP, a template to render, and the pages that errors are."""

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
from urllib.parse import quote, urlencode

from aiohttp import web
from jinja2 import Environment

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.library import View
from sdmx_service.errors import (
    Conflict,
    InvalidStructure,
    NotAllowed,
    NotAuthenticated,
    NotBuilt,
    NotFound,
    SdmxError,
    SemanticFault,
    SignInFault,
    StorageFault,
    SyntaxFault,
    TooLarge,
    TooManyAttempts,
    UnreadableFile,
    UnresolvedReference,
)
from sdmx_service.model.structure import Dataflow
from sdmx_service.web.holdings import Holdings
from sdmx_service.web.home import current_dataflows
from sdmx_service.web.language import PAGE_LANGUAGES, Tongue
from sdmx_service.web.rendering import render

log = logging.getLogger(__name__)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'",
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
    """A page to render, or an address to go to instead, or a file.

    Attributes:
        session: for pages of people who sign in: the secret that the browser is to keep from now on; empty: none.
        file: what to send as it is, with ``headers``, in the place of a page.
    """

    template: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    location: str | None = None
    session: str | None = None
    file: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Maker = Callable[[Holdings, View, Asked], Shown]
TEMPLATES = web.AppKey("page_templates", Environment)
PAGES = web.AppKey("pages", Pages)


async def protect(request: web.Request, response: web.StreamResponse) -> None:
    """The headers that guard every page; of all answers none is taken for another kind than it says."""
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if request.path.startswith("/static/") or response.content_type == "text/html":
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)


def asked_by(request: web.Request) -> Asked:
    """What a request asks for."""
    return Asked(
        path=request.path,
        parts=dict(request.match_info),
        parameters=tuple(request.query.items()),
        tongue=Tongue.of(request.query.get("lang"), request.headers.get("Accept-Language")),
        origin=f"{request.scheme}://{request.host}",
    )


def page(make: Maker) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler of a page that is the same for everyone."""

    async def handle(request: web.Request) -> web.StreamResponse:
        pages = request.app[PAGES]
        asked = asked_by(request)
        work = (make, pages.holdings, asked, request.app[TEMPLATES])
        shown, body = await asyncio.get_running_loop().run_in_executor(pages.executor, make_page, *work)
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


def make_page(make: Maker, holdings: Holdings, asked: Asked, templates: Environment) -> tuple[Shown, bytes]:
    """The page, or the page of the error that came up."""
    view: View | None = None
    try:
        view = holdings.library.view()
        shown = make(holdings, view, asked)
        body = (
            shown.file
            if shown.file is not None
            else b""
            if shown.location is not None
            else _render(shown, view, asked, templates)
        )
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
    here = _here(asked.path)
    switches = [
        (tag, own, f"{here}?{urlencode([*_without_language(asked), ('lang', tag)])}")
        for tag, own in PAGE_LANGUAGES.items()
    ]
    context = {"view": view, "asked": asked, "origin": asked.origin, "switches": switches, **shown.context}
    return render(templates, shown.template, asked.tongue, context)


def _here(path: str) -> str:
    """A path as a link of the page itself has it: what begins with two slashes would name another host."""
    return "/" + quote(path.lstrip("/\\"), safe="/:+,*@!$&'()~")


def _without_language(asked: Asked) -> list[tuple[str, str]]:
    return [(name, value) for name, value in asked.parameters if name != "lang" and value]


# --- errors ---------------------------------------------------------------------------------------------------------
_STATUS: tuple[tuple[type[SdmxError], int], ...] = (
    (NotFound, 404),
    (UnresolvedReference, 404),
    (TooLarge, 413),
    (SyntaxFault, 400),
    (UnreadableFile, 400),
    (SemanticFault, 400),
    (InvalidStructure, 400),
    (Conflict, 409),
    (NotAuthenticated, 401),
    (NotAllowed, 403),
    (TooManyAttempts, 429),
    (SignInFault, 502),
    (NotBuilt, 501),
    (StorageFault, 503),
)


def status_of(error: SdmxError) -> int:
    """The HTTP status of the page of an error."""
    return next((number for kind, number in _STATUS if isinstance(error, kind)), 500)


def _error(error: SdmxError, view: View | None, asked: Asked) -> Shown:
    status = status_of(error)
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
