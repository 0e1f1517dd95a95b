"""SDMX-REST over HTTP: the raw path and query string go to ``answers``, the answer is streamed back."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable

from aiohttp import web

from sdmx_service.errors import AddressTooLong, Busy, MethodNotAllowed, NotFound, SdmxError
from sdmx_service.rest.answers import Answer, Api, Request, answer, family_of, refusal
from sdmx_service.rest.data_submission import post_data
from sdmx_service.rest.limits import RETRY_AFTER
from sdmx_service.rest.maintenance import change
from sdmx_service.rest.methods import READING, Place, allowed, place_of, refuse
from sdmx_service.rest.problems import headers_of
from sdmx_service.rest.service import SERVICE, Service
from sdmx_service.rest.streaming import send, take

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_ACCEPTED = (
    "Accept, Accept-Language, Authorization, Content-Type, If-Match, If-Modified-Since, If-None-Match, If-Range, Range"
)
_EXPOSED = (
    "Accept-Ranges, Allow, Content-Disposition, Content-Encoding, Content-Language, Content-Length, Content-Range,"
    " Date, ETag, Last-Modified, Link, Location, Repr-Digest, Retry-After, Server-Timing, Vary, WWW-Authenticate"
)
_PREFLIGHT = "86400"
"""Seconds that a browser may remember what it may send."""


def routes() -> list[web.RouteDef]:
    """The routes of both versions of SDMX-REST."""
    found: list[web.RouteDef] = []
    apis: tuple[Api, ...] = ("v2", "v1")
    for api in apis:
        found.append(web.route("*", f"/sdmx/{api}", _handler(api)))
        found.append(web.route("*", f"/sdmx/{api}/{{tail:.*}}", _handler(api)))
    return [*found, web.route("*", "/sdmx{tail:(/.*)?}", _elsewhere)]


async def _elsewhere(request: web.Request) -> web.StreamResponse:
    """Below ``/sdmx`` stands no other version of the interface."""
    error = NotFound(
        f"There is no interface at {request.path}.", hint="There are /sdmx/v2 (SDMX-REST 2.2) and /sdmx/v1 (1.5)."
    )
    return await _refuse(request, "v2", error)


def _handler(api: Api) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        place = place_of(api, _path(request, api))
        if request.method == "OPTIONS":
            return web.Response(status=204, headers={"Allow": ", ".join(allowed(place))})
        if request.method not in READING:
            return await _change(request, place, api)
        return await _sdmx(request, api)

    return handle


def _path(request: web.Request, api: Api) -> str:
    """The raw path below the API's version."""
    return _target(request).partition("?")[0].removeprefix(f"/sdmx/{api}").removeprefix("/")


async def _change(request: web.Request, place: Place, api: Api) -> web.StreamResponse:
    """What changes something; every error as a message in the family that the client accepts."""
    try:
        refuse(place, request.method)
        return await (post_data(request) if place.resource == "data" else change(request, place))
    except SdmxError as error:
        return await _refuse(request, api, error, _headers(error, place))
    except web.HTTPException:
        raise
    except Exception as error:  # noqa: BLE001 - the last door: logged, answered without detail
        return await _refuse(request, api, unexpected(error))


def _headers(error: SdmxError, place: Place) -> dict[str, str]:
    return {"Allow": ", ".join(allowed(place))} if isinstance(error, MethodNotAllowed) else headers_of(error)


async def _sdmx(request: web.Request, api: Api) -> web.StreamResponse:
    service = request.app[SERVICE]
    if len(request.raw_path) > service.max_query:
        error: SdmxError = AddressTooLong(
            f"The address is longer than {service.max_query} characters.", hint="Ask for fewer values at once."
        )
        return await _refuse(request, api, error)
    if service.streams.locked():
        error = Busy(f"{service.max_streams} answers are being sent.", hint="Try again soon.")
        return await _refuse(request, api, error, {"Retry-After": str(RETRY_AFTER)})
    async with service.streams:
        return await _stream(request, service, api)


async def _stream(request: web.Request, service: Service, api: Api) -> web.StreamResponse:
    query_string = _target(request).partition("?")[2]
    asked = Request(
        api=api,
        path=_path(request, api),
        query_string=query_string,
        accept=_header(request, "Accept"),
        accept_language=_header(request, "Accept-Language"),
        accept_encoding=_header(request, "Accept-Encoding"),
        if_none_match=_header(request, "If-None-Match"),
        if_modified_since=request.headers.get("If-Modified-Since"),
    )
    start = time.perf_counter()
    loop = asyncio.get_running_loop()
    found, first = await loop.run_in_executor(service.executor, _begin, asked, service)
    timing = {"first": (time.perf_counter() - start) * 1000, **found.timing}
    found.headers["Server-Timing"] = ", ".join(f"{stage};dur={taken:.1f}" for stage, taken in timing.items())
    return await send(request, found, first, service.executor)


def _header(request: web.Request, name: str) -> str | None:
    """A header that is a list; several lines of it are one list (RFC 9110, 5.2)."""
    lines = request.headers.getall(name, ())
    return ", ".join(lines) if lines else None


def _target(request: web.Request) -> str:
    """Path and query as they were sent; a target in absolute form begins with the host (RFC 9112, 3.2.2)."""
    target = request.raw_path
    return target if target.startswith("/") else "/" + target.partition("://")[2].partition("/")[2]


def _begin(asked: Request, service: Service) -> tuple[Answer, tuple[bytes, bool]]:
    """The answer and its first piece, computed before any status is sent."""
    try:
        found = answer(asked, service.library, service.sender)
        return found, take(found.chunks)
    except SdmxError as error:
        found = _refusal(error, asked.accept, asked.api, service)
    except Exception as error:  # noqa: BLE001 - the last door: logged, answered without detail
        found = _refusal(unexpected(error), asked.accept, asked.api, service)
    return found, take(found.chunks)


def unexpected(cause: Exception) -> SdmxError:
    """A fault of ours: logged with a reference, told without detail."""
    reference = uuid.uuid4().hex[:12]
    log.error("unexpected error, reference %s", reference, exc_info=cause)
    return SdmxError(f"An unexpected error; it was logged under the reference {reference}.", title="Internal error")


def _refusal(error: SdmxError, accept: str | None, api: Api, service: Service) -> Answer:
    return refusal(error, family_of(accept, api), api, service.sender)


async def _refuse(
    request: web.Request, api: Api, error: SdmxError, headers: dict[str, str] | None = None
) -> web.StreamResponse:
    service = request.app[SERVICE]
    found = _refusal(error, _header(request, "Accept"), api, service)
    found.headers |= headers or {}
    return await send(request, found, take(found.chunks), service.executor)


async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
    """Headers that every answer carries, streams included; a preflight may be remembered (CORS)."""
    _allow(response.headers)
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        response.headers["Access-Control-Max-Age"] = _PREFLIGHT


def _allow(headers: object) -> None:
    values = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS, POST, PUT, DELETE",
        "Access-Control-Allow-Headers": _ACCEPTED,
        "Access-Control-Expose-Headers": _EXPOSED,
    }
    for name, value in values.items():
        headers[name] = value  # type: ignore[index]
