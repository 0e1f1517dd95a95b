"""``/api/embargoes``, ``/api/log``, ``/api/calendar``, ``/api/policies``: what waits, what was done, who is late."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sdmx_service.errors import NotFound, SyntaxFault
from sdmx_service.rest.asking import (
    PRIVATE,
    document,
    in_thread,
    parameters,
    private_answer,
    whole_number,
    wishes,
)
from sdmx_service.rest.identity import principal_of
from sdmx_service.rest.service import SERVICE
from sdmx_service.workflow.embargoes import embargo, embargoes, lift
from sdmx_service.workflow.expected import (
    STATUSES,
    calendar_csv,
    calendar_ics,
    calendar_json,
    calendar_year,
    expected,
)
from sdmx_service.workflow.history import LIMIT, history, verify
from sdmx_service.workflow.policies import KINDS, Kind, keep, policies, remove
from sdmx_service.workflow.publishing import publish_due
from sdmx_service.workflow.steps import follow_embargo, follow_lifting


def routes() -> list[web.RouteDef]:
    """The routes of embargoes, log and calendar."""
    return [
        web.get("/api/policies/{policy}", list_policies),
        web.post("/api/policies/{policy}", keep_policy),
        web.delete("/api/policies/{policy}/{id}", remove_policy),
        web.get("/api/embargoes", list_embargoes),
        web.post("/api/embargoes", make_embargo),
        web.post("/api/embargoes/{id}/lift", lift_embargo),
        web.get("/api/log", show_log),
        web.get("/api/log/verify", verify_log),
        web.get(r"/api/calendar{suffix:(\.csv|\.ics)?}", show_calendar),
    ]


# --- embargoes ------------------------------------------------------------------------------------------------------
async def list_embargoes(request: web.Request) -> web.StreamResponse:
    """``GET /api/embargoes``: every embargo, oldest first, for those who may see what waits."""
    service = request.app[SERVICE]
    principal = await principal_of(request)
    principal.must("see_embargoes")
    now = service.clock()
    found = await in_thread(service, lambda: embargoes(service.library.store))
    return private_answer({"embargoes": [{**one.to_json(), "holds": one.holds(now)} for one in found]})


async def make_embargo(request: web.Request) -> web.StreamResponse:
    """``POST /api/embargoes`` with dataflow, at, zone, perhaps slice and reason: 201, and what waits for it now."""
    service = request.app[SERVICE]
    principal = await principal_of(request)
    fields = {"dataflow": str, "at": str, "zone": str, "slice": dict, "reason": str}
    said = await wishes(request, fields, ("dataflow", "at"))
    _check_slice(said.get("slice", {}))

    def make() -> dict[str, Any]:
        library = service.library
        made = embargo(library, principal, service.clock(), **said)
        waiting = follow_embargo(made, library)
        return {**made.to_json(), "scheduled": [one.id for one in waiting]}

    return private_answer(await in_thread(service, make), 201)


def _check_slice(said: dict[str, Any]) -> None:
    for codes in said.values():
        if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
            raise SyntaxFault("A slice names codes by component.", hint='Write {"REF_AREA": ["470"]}.')


async def lift_embargo(request: web.Request) -> web.StreamResponse:
    """``POST /api/embargoes/ID/lift`` with the reason: what only this embargo held back is published."""
    service = request.app[SERVICE]
    principal = await principal_of(request)
    said = await wishes(request, {"reason": str}, ("reason",))
    id = request.match_info["id"]

    def work() -> dict[str, Any]:
        library, now = service.library, service.clock()
        lifted = lift(id, library, principal, now, reason=said["reason"])
        follow_lifting(lifted, library.store, now)
        due = publish_due(library, now, memory=service.workspace_memory)
        return {**lifted.to_json(), "published": [one.id for one in due.published]}

    return private_answer(await in_thread(service, work))


# --- the log --------------------------------------------------------------------------------------------------------
async def show_log(request: web.Request) -> web.StreamResponse:
    """``GET /api/log?after=N&limit=N&object=...``: who did what and why, oldest first."""
    service = request.app[SERVICE]
    principal = await principal_of(request)
    said = parameters(request, "after", "limit", "object")
    after, limit = (
        whole_number(said.get(name, default), name) for name, default in (("after", "0"), ("limit", f"{LIMIT}"))
    )

    def find() -> dict[str, Any]:
        entries = history(service.library.store, principal, object=said.get("object"), after=after, limit=limit)
        return {"entries": list(entries), "head": service.library.store.mark().to_json()}

    return private_answer(await in_thread(service, find))


async def verify_log(request: web.Request) -> web.StreamResponse:
    """``GET /api/log/verify?mark=NUMBER:HASH``: whether the log is still the one that was written."""
    service = request.app[SERVICE]
    principal = await principal_of(request)
    known = parameters(request, "mark").get("mark")
    return private_answer(await in_thread(service, lambda: verify(service.library.store, principal, known)))


# --- policies -------------------------------------------------------------------------------------------------------
def _kind(request: web.Request) -> Kind:
    kind = request.match_info["policy"]
    if kind not in KINDS:
        raise NotFound(f"There are no policies of the kind {kind[:80]!r}.", hint=f"There are {', '.join(KINDS)}.")
    return kind


async def list_policies(request: web.Request) -> web.StreamResponse:
    """``GET /api/policies/sign_off`` or ``/collection``: the documents that hold."""
    service = request.app[SERVICE]
    principal = await principal_of(request)
    principal.must("see_log")
    kind = _kind(request)
    return private_answer({"policies": await in_thread(service, lambda: policies(kind, service.library))})


async def keep_policy(request: web.Request) -> web.StreamResponse:
    """``POST /api/policies/KIND`` with a document: it holds from now on, in the place of that with its id."""
    service = request.app[SERVICE]
    principal = await principal_of(request)
    principal.must("policies")
    kind, said = _kind(request), await document(request)
    if not isinstance(said, dict):
        raise SyntaxFault("The body is not a JSON object.", hint="Send the document.")
    id = await in_thread(service, lambda: keep(kind, said, service.library, principal))
    return private_answer({"kind": kind, "id": id}, 201)


async def remove_policy(request: web.Request) -> web.StreamResponse:
    """``DELETE /api/policies/KIND/ID``: it holds no more."""
    service = request.app[SERVICE]
    principal = await principal_of(request)
    kind, id = _kind(request), request.match_info["id"]
    await in_thread(service, lambda: remove(kind, id, service.library, principal))
    return private_answer({"removed": id})


# --- the calendar ---------------------------------------------------------------------------------------------------
_CALENDAR_TYPES = {"": "application/json", ".csv": "text/csv; charset=utf-8", ".ics": "text/calendar; charset=utf-8"}


async def show_calendar(request: web.Request) -> web.StreamResponse:
    """``GET /api/calendar[.csv|.ics]?provider=&year=&status=``: what is expected, what has come, who is late."""
    service = request.app[SERVICE]
    principal = await principal_of(request)
    said = parameters(request, "provider", "year", "status")
    if said.get("status", "late") not in STATUSES:
        raise SyntaxFault(f"status={said['status']!r} is none.", hint=f"One of {', '.join(STATUSES)}.")
    year = None if "year" not in said else calendar_year(said["year"])
    suffix, now = request.match_info["suffix"], service.clock()

    def make() -> bytes:
        library = service.library
        catalog = library.view().catalog
        found = expected(
            catalog, library.store, principal, now, provider=said.get("provider"), year=year, status=said.get("status")
        )
        if suffix == ".csv":
            return calendar_csv(found, now.date())
        if suffix == ".ics":
            return calendar_ics(found, now)
        return calendar_json(found, now)

    headers = {"Content-Type": _CALENDAR_TYPES[suffix], **PRIVATE}
    return web.Response(body=await in_thread(service, make), headers=headers)
