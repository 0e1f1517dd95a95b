"""``/api/undecided`` and ``/api/decisions``: what no map decides, and what people decided."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson
from aiohttp import web

from sdmx_service.auth import Principal, authenticate
from sdmx_service.errors import SyntaxFault, UnknownParameter
from sdmx_service.rest.service import SERVICE, Service
from sdmx_service.submission.decisions import COLUMNS, Decision, decide, decisions, forget, history, rows_of_list
from sdmx_service.submission.receipt import receipts
from sdmx_service.submission.undecided import undecided

T = TypeVar("T")


def routes() -> list[web.RouteDef]:
    """The routes of decisions."""
    return [
        web.get("/api/undecided", list_undecided),
        web.get("/api/decisions", list_decisions),
        web.get("/api/decisions.csv", list_decisions),
        web.post("/api/decisions", make_decision),
    ]


async def answered(request: web.Request, work: Callable[[Service, Principal], T]) -> T:
    """What a worker thread makes of the request, for who shows a valid token.

    Raises:
        NotAuthenticated: there is none.
    """
    service, header = request.app[SERVICE], request.headers.get("Authorization")

    def run() -> T:
        return work(service, authenticate(service.library.store, header))

    return await asyncio.get_running_loop().run_in_executor(service.executor, run)


def as_json(value: object, status: int = 200) -> web.Response:
    """An answer in JSON."""
    body = orjson.dumps(value, option=orjson.OPT_INDENT_2)
    return web.Response(status=status, body=body, headers={"Content-Type": "application/json"})


def as_csv(header: tuple[str, ...], rows: Any, name: str) -> web.Response:
    """An answer as a table in CSV; a text that a spreadsheet would take for a formula is quoted with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([_inert(value) for value in row] for row in rows)
    headers = {"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": f'attachment; filename="{name}"'}
    return web.Response(body=out.getvalue().encode(), headers=headers)


def _inert(value: object) -> object:
    return "'" + value if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def check_parameters(query: Mapping[str, str], *known: str) -> None:
    """Refuse parameters that nobody reads.

    Raises:
        UnknownParameter: there is one.
    """
    if unknown := sorted(set(query) - set(known)):
        raise UnknownParameter(
            f"{', '.join(unknown)} is not a parameter here.", hint=f"Known: {', '.join(known) or 'none'}."
        )


# --- what no map decides ---------------------------------------------------------------------------------------------
async def list_undecided(request: web.Request) -> web.StreamResponse:
    """``GET /api/undecided``: the values that wait for a decision, of the submissions that a principal may see."""

    def find(service: Service, principal: Principal) -> list[dict[str, Any]]:
        store = service.library.store
        seen = {
            one.id
            for one in receipts(store)
            if principal.may_review or one.provider == principal.provider or one.principal == principal.id
        }
        return [one.to_json() for one in undecided(store, seen.__contains__)]

    return as_json({"undecided": await answered(request, find)})


async def list_decisions(request: web.Request) -> web.StreamResponse:
    """``GET /api/decisions[.csv]?map=&provider=&all=true``: what was decided, by whom, when and why.

    With ``all`` those that were replaced or revoked too.
    """
    check_parameters(request.query, "map", "provider", "all")
    every = request.query.get("all", "false")
    if every not in ("true", "false"):
        raise SyntaxFault(f"all={every!r} is neither true nor false.")

    def find(service: Service, principal: Principal) -> list[Decision]:
        named = request.query.get("map")
        catalog = service.library.view().catalog
        text = None if named is None else catalog.named(named, "RepresentationMap").ref.text
        listed = history if every == "true" else decisions
        return listed(service.library.store, map=text, provider=request.query.get("provider"))

    found = await answered(request, find)
    if request.path.endswith(".csv"):
        return as_csv(COLUMNS, rows_of_list(found), "decisions.csv")
    return as_json({"decisions": [one.to_json() for one in found]})


async def make_decision(request: web.Request) -> web.StreamResponse:
    """``POST /api/decisions``: map, value and code (null revokes), perhaps start, end, provider and comment."""
    said = _decision_wish(await request.read())
    code = said.pop("code")
    if code is None:
        gone = {name: said[name] for name in ("map", "value", "provider", "comment") if name in said}
        found = await answered(request, lambda service, principal: forget(service.library, principal, **gone))
        return as_json({"forgotten": [one.to_json() for one in found]})
    made = await answered(request, lambda service, principal: decide(service.library, principal, code=code, **said))
    return as_json(made.to_json(), 201)


def _decision_wish(body: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        said = None
    known = {"map", "value", "code", "start", "end", "comment", "provider"}
    fits = isinstance(said, dict) and {"map", "value", "code"} <= set(said) <= known
    if not fits or not all(isinstance(one, str) or (one is None and name == "code") for name, one in said.items()):
        raise SyntaxFault(
            "A decision is a JSON object with the texts map, value and code.",
            hint="It may have start, end, provider and comment too; code null revokes the decision.",
        )
    return dict(said)
