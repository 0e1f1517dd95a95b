"""SDMX-REST over HTTP: the raw path and query string go to ``answers``, the answer is streamed back."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Literal

from aiohttp import web

from sdmx_service.errors import SdmxError
from sdmx_service.rest import problems
from sdmx_service.rest.answers import Answer, Request, answer, refusal
from sdmx_service.rest.service import SERVICE, Service
from sdmx_service.rest.streaming import send, take

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_ALLOWED = "GET, HEAD, OPTIONS"
_ACCEPTED = "Accept, Accept-Language, Authorization, Content-Type, If-None-Match, If-Modified-Since"
_EXPOSED = "ETag, Last-Modified, Content-Language, Location, Server-Timing"


def routes() -> list[web.RouteDef]:
    """The routes of both versions of SDMX-REST."""
    found: list[web.RouteDef] = []
    for api in ("v2", "v1"):
        found.append(web.route("*", f"/sdmx/{api}", _handler(api)))
        found.append(web.route("*", f"/sdmx/{api}/{{tail:.*}}", _handler(api)))
    return found


def _handler(api: Literal["v1", "v2"] | str) -> Handler:
    version: Literal["v1", "v2"] = "v1" if api == "v1" else "v2"

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.method == "OPTIONS":
            return web.Response(status=204, headers={"Allow": _ALLOWED})
        if request.method not in ("GET", "HEAD"):
            return _text(501, f"{request.method} is not built yet for this resource.", {"Allow": _ALLOWED})
        return await _sdmx(request, version)

    return handle


async def _sdmx(request: web.Request, api: Literal["v1", "v2"]) -> web.StreamResponse:
    service = request.app[SERVICE]
    if len(request.raw_path) > service.max_query:
        return _text(414, f"The address is longer than {service.max_query} characters.")
    if service.streams.locked():
        return _text(503, "Too many answers are being sent; try again soon.", {"Retry-After": "2"})
    async with service.streams:
        return await _stream(request, service, api)


async def _stream(request: web.Request, service: Service, api: Literal["v1", "v2"]) -> web.StreamResponse:
    path, _, query_string = request.raw_path.partition("?")
    asked = Request(
        api=api,
        path=path.removeprefix(f"/sdmx/{api}").removeprefix("/"),
        query_string=query_string,
        accept=request.headers.get("Accept"),
        accept_language=request.headers.get("Accept-Language"),
        accept_encoding=request.headers.get("Accept-Encoding"),
        if_none_match=request.headers.get("If-None-Match"),
        if_modified_since=request.headers.get("If-Modified-Since"),
    )
    start = time.perf_counter()
    loop = asyncio.get_running_loop()
    found, first = await loop.run_in_executor(service.executor, _begin, asked, service)
    found.headers["Server-Timing"] = f"first;dur={(time.perf_counter() - start) * 1000:.1f}"
    return await send(request, found, first, service.executor)


def _begin(asked: Request, service: Service) -> tuple[Answer, tuple[bytes, bool]]:
    """The answer and its first piece, computed before any status is sent."""
    try:
        found = answer(asked, service.library, service.sender)
        return found, take(found.chunks)
    except SdmxError as error:
        found = refusal(error, problems.family_of(asked.accept or "", asked.api), asked.api)
    except Exception as error:  # noqa: BLE001 - the last door: logged, answered without detail
        found = unexpected(asked.api, error)
    return found, take(found.chunks)


def unexpected(api: str, cause: Exception) -> Answer:
    """A fault of ours: logged with a reference, answered without detail."""
    reference = uuid.uuid4().hex[:12]
    log.error("unexpected error, reference %s", reference, exc_info=cause)
    error = SdmxError(f"An unexpected error; it was logged under the reference {reference}.", title="Internal error")
    return refusal(error, "json", api)


def _text(status: int, words: str, headers: dict[str, str] | None = None) -> web.Response:
    body = words.encode()
    return web.Response(
        status=status, body=body, headers={"Content-Type": "text/plain; charset=utf-8", **(headers or {})}
    )


async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
    """Headers that every answer carries, streams included."""
    _allow(response.headers)


def _allow(headers: object) -> None:
    values = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS, POST",
        "Access-Control-Allow-Headers": _ACCEPTED,
        "Access-Control-Expose-Headers": _EXPOSED,
    }
    for name, value in values.items():
        headers[name] = value  # type: ignore[index]
