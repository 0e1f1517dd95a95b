"""``/api/purges`` and ``/api/confidentiality``: what is hidden, and values removed for good."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import orjson
from aiohttp import web

from sdmx_service.auth import Principal
from sdmx_service.catalog.confidentiality import read_confidentiality
from sdmx_service.errors import SyntaxFault
from sdmx_service.rest.identity import principal_of
from sdmx_service.rest.service import SERVICE, Service
from sdmx_service.submission.audit import as_submission, audit
from sdmx_service.submission.purge import PurgeWish, purge, purges

T = TypeVar("T")
_MOST_SECONDS = 600


def routes() -> list[web.RouteDef]:
    """The routes of confidentiality."""
    return [
        web.get("/api/purges", list_purges),
        web.post("/api/purges", make_purge),
        web.get("/api/confidentiality", list_documents),
        web.put("/api/confidentiality/{id}", put_document),
        web.get(r"/api/confidentiality/audit/{name}{suffix:(\.csv)?}", show_audit),
    ]


async def _in_thread(service: Service, work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(service.executor, work)


def _json(value: object, status: int = 200) -> web.Response:
    body = orjson.dumps(value, option=orjson.OPT_INDENT_2)
    headers = {"Content-Type": "application/json", "Cache-Control": "private, no-store"}
    return web.Response(status=status, body=body, headers=headers)


async def _administrator(request: web.Request) -> Principal:
    principal = await principal_of(request)
    principal.must("purge")
    return principal


async def _body(request: web.Request) -> Any:
    try:
        return orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        raise SyntaxFault("The body is not JSON.", hint="Send one JSON object.") from None


async def list_purges(request: web.Request) -> web.StreamResponse:
    """``GET /api/purges``: what was purged, by whom, when and why; for administrators."""
    service = request.app[SERVICE]
    await _administrator(request)
    return _json({"purges": await _in_thread(service, lambda: purges(service.library))})


async def make_purge(request: web.Request) -> web.StreamResponse:
    """``POST /api/purges``: remove stored values for good; for administrators."""
    service = request.app[SERVICE]
    principal = await _administrator(request)
    wish = PurgeWish.from_json(await _body(request))
    return _json(await _in_thread(service, lambda: purge(wish, service.library, principal, service.shelf.remove)), 201)


async def list_documents(request: web.Request) -> web.StreamResponse:
    """``GET /api/confidentiality``: the documents in force; for those who publish."""
    service = request.app[SERVICE]
    principal = await principal_of(request)
    principal.must("audit")
    catalog = (await _in_thread(service, service.library.view)).catalog
    return _json({"documents": [one.to_json() for _, one in sorted(catalog.confidentiality.items())]})


async def show_audit(request: web.Request) -> web.StreamResponse:
    """``GET /api/confidentiality/audit/DATAFLOW[.csv]``: which hidden figures can be found out; for those who publish.

    CSV is what would hide the figures that are proposed, as a submission.
    """
    service = request.app[SERVICE]
    principal = await principal_of(request)
    principal.must("audit")
    unknown = set(request.query) - {"seconds"}
    seconds = request.query.get("seconds", "60")
    if unknown or not seconds.isdecimal() or not 1 <= int(seconds) <= _MOST_SECONDS:
        raise SyntaxFault(f"Only seconds is a parameter here, from 1 to {_MOST_SECONDS}.")
    name, memory = request.match_info["name"], service.workspace_memory
    found = await _in_thread(service, lambda: audit(name, service.library, seconds=int(seconds), memory=memory))
    if not request.match_info["suffix"]:
        return _json(found.to_json())
    body = b"".join(as_submission(found, service.library.view().catalog))
    headers = {"Content-Type": "text/csv; charset=utf-8", "Cache-Control": "private, no-store"}
    return web.Response(body=body, headers=headers)


async def put_document(request: web.Request) -> web.StreamResponse:
    """``PUT /api/confidentiality/ID``: put a document in force; for administrators."""
    service = request.app[SERVICE]
    principal = await _administrator(request)
    document, id = await _body(request), request.match_info["id"]
    if not isinstance(document, dict) or document.get("id") != id:
        raise SyntaxFault(f"The body is no confidentiality document with the id {id!r}.")

    def put() -> dict[str, Any]:
        told = principal.does("change confidentiality", f"confidentiality:{id}")
        found = read_confidentiality(document, f"confidentiality {id}")
        generation = service.library.put_confidentiality(found, (told,))
        return {"id": id, "generation": generation}

    return _json(await _in_thread(service, put))
