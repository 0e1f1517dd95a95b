"""What the handlers below ``/api`` share: who asks, work in a thread, JSON in and out, errors as problem+json."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

import orjson
from aiohttp import web

from sdmx_service.auth import Principal
from sdmx_service.errors import SdmxError, SyntaxFault, UnknownParameter
from sdmx_service.rest import problems
from sdmx_service.rest.bodies import MAX_QUESTION, copy
from sdmx_service.rest.identity import principal_of
from sdmx_service.rest.service import SERVICE, Service

T = TypeVar("T")
PRIVATE: Mapping[str, str] = MappingProxyType({"Cache-Control": "private, no-store"})
"""Headers of answers that are for one principal alone."""


async def in_thread(service: Service, work: Callable[[], T]) -> T:
    """Something synchronous, done in a worker thread."""
    return await asyncio.get_running_loop().run_in_executor(service.executor, work)


def json_answer(value: object, status: int = 200, **headers: str) -> web.Response:
    """A JSON document."""
    body = orjson.dumps(value, option=orjson.OPT_INDENT_2)
    return web.Response(status=status, body=body, headers={"Content-Type": "application/json", **headers})


def private_answer(value: object, status: int = 200) -> web.Response:
    """A JSON document for one principal alone."""
    answer = json_answer(value, status)
    answer.headers.update(PRIVATE)
    return answer


def problem(error: SdmxError) -> web.Response:
    """An error as ``application/problem+json``."""
    status, media_type, body = problems.render(error, "problem", "v2")
    headers = {"Content-Type": media_type, **problems.headers_of(error)}
    return web.Response(status=status, body=body, headers=headers)


async def answered(request: web.Request, work: Callable[[Service, Principal], T]) -> T:
    """What a worker thread makes of a request, for who shows a valid token.

    Raises:
        NotAuthenticated: none came along.
    """
    service = request.app[SERVICE]
    principal = await principal_of(request)
    return await in_thread(service, lambda: work(service, principal))


def csv_answer(header: Sequence[str], rows: Iterable[Sequence[object]], name: str) -> web.Response:
    """A table as a file; a text that a spreadsheet would take for a formula is quoted with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([_inert(value) for value in row] for row in rows)
    headers = {"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(body=out.getvalue().encode(), headers=headers)


def _inert(value: object) -> object:
    return "'" + value if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


async def document(request: web.Request) -> Any:
    """The JSON in the body; an empty body is an empty object, and None what is no JSON.

    Raises:
        TooLarge: it is larger than a question may be.
    """
    body = io.BytesIO()
    await copy(request.content, body, MAX_QUESTION)
    try:
        return orjson.loads(body.getvalue()) if body.getvalue().strip() else {}
    except orjson.JSONDecodeError:
        return None


async def wishes(request: web.Request, known: Mapping[str, type], needed: tuple[str, ...] = ()) -> dict[str, Any]:
    """The fields of a JSON object in the body; an empty body is an empty object.

    Raises:
        SyntaxFault: it is none, a field is not known or of another type, or one that is needed is not there.
    """
    said = await document(request)
    if not isinstance(said, dict):
        raise SyntaxFault("The body is not a JSON object.", hint=f"Its fields may be {', '.join(known)}.")
    for name, value in said.items():
        if name not in known or not isinstance(value, known[name]):
            raise SyntaxFault(f"The field {name!r} is not one that is read here, or of another type.",
                              hint=f"Its fields may be {', '.join(known)}.")  # fmt: skip
    if lacking := [name for name in needed if not said.get(name)]:
        raise SyntaxFault(f"The field {lacking[0]!r} is needed.", hint=f"Its fields may be {', '.join(known)}.")
    return said


def parameters(request: web.Request, *known: str) -> dict[str, str]:
    """The query parameters.

    Raises:
        UnknownParameter: one is not known here; none is ever ignored.
    """
    if unknown := sorted(set(request.query) - set(known)):
        hint = f"Known: {', '.join(known)}." if known else "There are none."
        raise UnknownParameter(f"{', '.join(unknown)} is not a parameter here.", hint=hint)
    return dict(request.query)


def whole_number(text: str, name: str) -> int:
    """A parameter as a whole number.

    Raises:
        SyntaxFault: it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise SyntaxFault(f"{name}={text[:80]!r} is not a whole number.")
    return int(text)
