"""SDMX-REST over HTTP: the raw path and query string go to ``answers``, the answer is streamed back."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable

from aiohttp import web

from sdmx_service.errors import AddressTooLong, Busy, MethodNotAllowed, NotAuthenticated, SdmxError
from sdmx_service.rest import problems
from sdmx_service.rest.answers import DEFAULT_FAMILY, Answer, Api, Request, answer, refusal
from sdmx_service.rest.data_submission import post_data
from sdmx_service.rest.limits import RETRY_AFTER
from sdmx_service.rest.maintenance import change
from sdmx_service.rest.methods import READING, Place, allowed, place_of, refuse
from sdmx_service.rest.service import SERVICE, Service
from sdmx_service.rest.streaming import send, take

log = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_ACCEPTED = "Accept, Accept-Language, Authorization, Content-Type, If-None-Match, If-Modified-Since"
_EXPOSED = "ETag, Last-Modified, Content-Language, Link, Location, Repr-Digest, Server-Timing"


def routes() -> list[web.RouteDef]:
    """The routes of both versions of SDMX-REST."""
    found: list[web.RouteDef] = []
    apis: tuple[Api, ...] = ("v2", "v1")
    for api in apis:
        found.append(web.route("*", f"/sdmx/{api}", _handler(api)))
        found.append(web.route("*", f"/sdmx/{api}/{{tail:.*}}", _handler(api)))
    return found


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
    return request.raw_path.partition("?")[0].removeprefix(f"/sdmx/{api}").removeprefix("/")


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
    if isinstance(error, NotAuthenticated):
        return {"WWW-Authenticate": "Bearer"}
    return {"Allow": ", ".join(allowed(place))} if isinstance(error, MethodNotAllowed) else {}


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
    query_string = request.raw_path.partition("?")[2]
    asked = Request(
        api=api,
        path=_path(request, api),
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
    timing = {"first": (time.perf_counter() - start) * 1000, **found.timing}
    found.headers["Server-Timing"] = ", ".join(f"{stage};dur={taken:.1f}" for stage, taken in timing.items())
    return await send(request, found, first, service.executor)


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
    return refusal(error, problems.family_of(accept or DEFAULT_FAMILY[api], api), api, service.sender)


async def _refuse(
    request: web.Request, api: Api, error: SdmxError, headers: dict[str, str] | None = None
) -> web.StreamResponse:
    service = request.app[SERVICE]
    found = _refusal(error, request.headers.get("Accept"), api, service)
    found.headers |= headers or {}
    return await send(request, found, take(found.chunks), service.executor)


async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
    """Headers that every answer carries, streams included."""
    _allow(response.headers)


def _allow(headers: object) -> None:
    values = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS, POST, PUT, DELETE",
        "Access-Control-Allow-Headers": _ACCEPTED,
        "Access-Control-Expose-Headers": _EXPOSED,
    }
    for name, value in values.items():
        headers[name] = value  # type: ignore[index]
