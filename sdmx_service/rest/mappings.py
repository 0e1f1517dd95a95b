"""``/api/undecided`` and ``/api/decisions``: what no map decides, and what people decided."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from sdmx_service.auth import Principal
from sdmx_service.errors import SyntaxFault
from sdmx_service.rest.asking import answered, csv_answer, json_answer, parameters
from sdmx_service.rest.service import Service
from sdmx_service.submission.decisions import COLUMNS, Decision, decide, decisions, forget, history, rows_of_list
from sdmx_service.submission.receipt import receipts
from sdmx_service.submission.undecided import undecided
from sdmx_service.workflow.publishing import sees


def routes() -> list[web.RouteDef]:
    """The routes of decisions."""
    return [
        web.get("/api/undecided", list_undecided),
        web.get("/api/decisions", list_decisions),
        web.get("/api/decisions.csv", list_decisions),
        web.post("/api/decisions", make_decision),
    ]


# --- what no map decides ---------------------------------------------------------------------------------------------
async def list_undecided(request: web.Request) -> web.StreamResponse:
    """``GET /api/undecided``: the values that wait for a decision, of the submissions that a principal may see."""

    def find(service: Service, principal: Principal) -> list[dict[str, Any]]:
        store = service.library.store
        seen = {one.id for one in receipts(store) if sees(principal, one)}
        found = undecided(store, seen.__contains__)
        return [(one if principal.may_review else one.discreet).to_json() for one in found]

    return json_answer({"undecided": await answered(request, find)})


async def list_decisions(request: web.Request) -> web.StreamResponse:
    """``GET /api/decisions[.csv]?map=&provider=&all=true``: what was decided, by whom, when and why.

    With ``all`` those that were replaced or revoked too. A provider sees what holds for everybody or for itself.
    """
    every = parameters(request, "map", "provider", "all").get("all", "false")
    if every not in ("true", "false"):
        raise SyntaxFault(f"all={every!r} is neither true nor false.")

    def find(service: Service, principal: Principal) -> list[Decision]:
        principal.must("see_decisions")
        named = request.query.get("map")
        catalog = service.library.view().catalog
        text = None if named is None else catalog.named(named, "RepresentationMap").ref.text
        listed = history if every == "true" else decisions
        found = listed(service.library.store, map=text, provider=request.query.get("provider"))
        return [one for one in found if principal.may_review or one.provider in (None, principal.provider)]

    found = await answered(request, find)
    if request.path.endswith(".csv"):
        return csv_answer(COLUMNS, rows_of_list(found), "decisions.csv")
    return json_answer({"decisions": [one.to_json() for one in found]})


async def make_decision(request: web.Request) -> web.StreamResponse:
    """``POST /api/decisions``: map, value and code (null revokes), perhaps start, end, provider and comment."""
    said = _decision_wish(await request.read())
    code = said.pop("code")
    if code is None:
        gone = {name: said[name] for name in ("map", "value", "provider", "comment") if name in said}
        found = await answered(request, lambda service, principal: forget(service.library, principal, **gone))
        return json_answer({"forgotten": [one.to_json() for one in found]})
    made = await answered(request, lambda service, principal: decide(service.library, principal, code=code, **said))
    return json_answer(made.to_json(), 201)


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
