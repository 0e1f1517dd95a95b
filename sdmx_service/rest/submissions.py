"""``/api/submissions``: files come in, and everything that office and compiler do with them afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from email.message import Message
from typing import IO, Any

import orjson
from aiohttp import BodyPartReader, web

from sdmx_service.auth import Principal
from sdmx_service.errors import NotFound, SyntaxFault
from sdmx_service.rest.asking import in_thread, json_answer, parameters, private_answer, wishes
from sdmx_service.rest.bodies import copy
from sdmx_service.rest.identity import principal_of
from sdmx_service.rest.partners import fetch
from sdmx_service.rest.service import SERVICE, Service
from sdmx_service.submission.exports import REPORT_POLICY, findings_csv, findings_html, findings_workbook
from sdmx_service.submission.reading import Wish
from sdmx_service.submission.receipt import Receipt, load_findings, receipts
from sdmx_service.submission.submit import SentFile, kept_file
from sdmx_service.workflow import steps
from sdmx_service.workflow.history import history
from sdmx_service.workflow.publishing import publish, seen, sees
from sdmx_service.workflow.sending import send
from sdmx_service.workflow.states import WAITING
from sdmx_service.workflow.steps import comments, held_back

_WISHES = ("dataflow", "provider", "mapping", "format", "encoding")
_PARAMETERS = (*_WISHES, "publish", "name", "url", "corrects", "xsd")


def routes() -> list[web.RouteDef]:
    """The routes of submissions."""
    return [
        web.post("/api/submissions", post_submission),
        web.get("/api/submissions", list_submissions),
        web.get("/api/submissions/{id}", show_submission),
        web.get(r"/api/submissions/{id}/findings{suffix:(\.csv|\.html|\.xlsx)?}", show_findings),
        web.get("/api/submissions/{id}/comments", show_comments),
        web.get("/api/submissions/{id}/history", show_history),
        *(web.post(f"/api/submissions/{{id}}/{name}", _step(*one)) for name, one in _STEPS.items()),
        web.post("/api/submissions/{id}/{step}", no_step),
    ]


async def post_submission(request: web.Request) -> web.StreamResponse:
    """``POST /api/submissions``: 201 accepted or published, 422 refused, both with the receipt."""
    service = request.app[SERVICE]
    principal = await principal_of(request)
    principal.must("submit")
    said = parameters(request, *_PARAMETERS)
    wish, publish_now = _wish(said)
    with tempfile.TemporaryFile() as spooled:
        if "url" in said:
            name, media_type = await _fetch(request, spooled, service)
        else:
            name, media_type = await _spool(request, spooled, service.max_body)
        principal = await principal_of(request)  # a token that was revoked while the file came sends nothing
        sent = SentFile(file=spooled, name=name, media_type=media_type)
        receipt = await in_thread(
            service,
            lambda: send(
                sent,
                wish,
                service.library,
                principal,
                corrects=said.get("corrects"),
                publish_now=publish_now,
                now=service.clock(),
                memory=service.workspace_memory,
            ),
        )
    status = 422 if receipt.status == "refused" else 201
    return json_answer(receipt.to_json(), status, Location=f"/api/submissions/{receipt.id}")


def _wish(query: Mapping[str, str]) -> tuple[Wish, bool]:
    publish_now, by_schema = query.get("publish", "false"), query.get("xsd", "false")
    for name, said in (("publish", publish_now), ("xsd", by_schema)):
        if said not in ("true", "false"):
            raise SyntaxFault(f"{name}={said!r} is neither true nor false.")
    texts = {name: query[name] for name in _WISHES if query.get(name)}
    return Wish(**texts, xsd=by_schema == "true"), publish_now == "true"


async def _fetch(request: web.Request, target: IO[bytes], service: Service) -> tuple[str, str | None]:
    """The file of a partner on disk; its name and media type."""
    if request.can_read_body:
        raise SyntaxFault("The request has a url and a body.", hint="Send one of them.")
    found = await fetch(
        request.query["url"], target, service.partners, limit=service.max_body, seconds=service.fetch_seconds
    )
    return request.query.get("name") or found.name, found.media_type


async def _spool(request: web.Request, target: IO[bytes], limit: int) -> tuple[str, str | None]:
    """The body on disk; the name and media type it was sent with."""
    if request.content_type == "multipart/form-data":
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if isinstance(part, BodyPartReader) and part.filename:
                await copy(part, target, limit)
                return part.filename, part.headers.get("Content-Type")
        raise SyntaxFault("The form has no file.", hint="Send the file as a form field with a file name.")
    await copy(request.content, target, limit)
    if target.tell() == 0:
        raise SyntaxFault("The request has no body.", hint="Send the file as the body.")
    target.seek(0)
    return request.query.get("name") or _disposition(request) or "submission", request.headers.get("Content-Type")


def _disposition(request: web.Request) -> str | None:
    message = Message()
    message["Content-Disposition"] = request.headers.get("Content-Disposition", "")
    return message.get_filename()


async def list_submissions(request: web.Request) -> web.StreamResponse:
    """``GET /api/submissions``: the receipts a principal may see, newest last."""
    service = request.app[SERVICE]
    principal = await principal_of(request)
    found = await in_thread(
        service, lambda: [one.to_json() for one in receipts(service.library.store) if sees(principal, one)]
    )
    return json_answer({"submissions": found})


async def show_submission(request: web.Request) -> web.StreamResponse:
    """``GET /api/submissions/ID``: one receipt."""
    service = request.app[SERVICE]
    principal = await principal_of(request)
    now = service.clock()

    def show() -> dict[str, Any]:
        receipt = seen(request.match_info["id"], service.library.store, principal)
        return _told(receipt, service, now)

    return private_answer(await in_thread(service, show))


def _told(receipt: Receipt, service: Service, now: datetime) -> dict[str, Any]:
    """A receipt, with the embargoes that hold it back while it waits."""
    found = receipt.to_json()
    if receipt.status in WAITING:
        held = held_back(receipt, service.library.store, now)
        found["embargoes"] = [{"id": one.id, "until": one.at, "local": one.local} for one in held]
    return found


_FINDING_TYPES = {
    "": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


async def show_findings(request: web.Request) -> web.StreamResponse:
    """``GET /api/submissions/ID/findings[.csv|.html|.xlsx]``: every finding; XLSX is the sender's table, marked."""
    service = request.app[SERVICE]
    principal = await principal_of(request)
    suffix, id = request.match_info["suffix"], request.match_info["id"]

    def write() -> bytes:
        receipt = seen(id, service.library.store, principal)
        groups = load_findings(service.library.store, id)
        if suffix == ".csv":
            return findings_csv(groups)
        if suffix == ".html":
            return findings_html(receipt, groups)
        if suffix == ".xlsx":
            with kept_file(service.library.store, id) as file:
                return b"".join(findings_workbook(groups, receipt.file, file))
        found = [one.to_json() for group in groups for one in group.findings()]
        return orjson.dumps({"findings": found}, option=orjson.OPT_INDENT_2)

    headers = {"Content-Type": _FINDING_TYPES[suffix], "Cache-Control": "private, no-store"}
    if suffix in (".csv", ".xlsx"):
        headers["Content-Disposition"] = f'attachment; filename="findings_{id}{suffix}"'
    if suffix == ".html":
        headers["Content-Security-Policy"] = REPORT_POLICY
    return web.Response(body=await in_thread(service, write), headers=headers)


# --- what was said and done -----------------------------------------------------------------------------------------
async def show_comments(request: web.Request) -> web.StreamResponse:
    """``GET /api/submissions/ID/comments``: what office and compiler said to each other, oldest first."""
    service = request.app[SERVICE]
    principal = await principal_of(request)

    def find() -> dict[str, Any]:
        receipt = seen(request.match_info["id"], service.library.store, principal)
        return {"comments": comments(receipt.id, service.library.store)}

    return private_answer(await in_thread(service, find))


async def show_history(request: web.Request) -> web.StreamResponse:
    """``GET /api/submissions/ID/history``: the entries of the log about it, oldest first."""
    service = request.app[SERVICE]
    principal = await principal_of(request)

    def find() -> dict[str, Any]:
        return {"entries": list(history(service.library.store, principal, object=request.match_info["id"]))}

    return private_answer(await in_thread(service, find))


# --- steps ----------------------------------------------------------------------------------------------------------
Does = Callable[[str, Service, Principal, Mapping[str, Any]], Any]
"""A step: id of the submission, service, who, the fields of the body."""


def _step(
    fields: Mapping[str, type], does: Does, status: int = 200
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """``POST /api/submissions/ID/STEP``, with a JSON object that may be left out where nothing in it is needed."""

    async def handle(request: web.Request) -> web.Response:
        service = request.app[SERVICE]
        parameters(request)
        principal = await principal_of(request)
        said = await wishes(request, fields)
        found = await in_thread(service, lambda: does(request.match_info["id"], service, principal, said))
        return private_answer(found.to_json(), status)

    return handle


_STEPS: Mapping[str, tuple[Any, ...]] = {
    "approve": (
        {"comment": str},
        lambda id, service, who, said: steps.approve(id, service.library, who, service.clock(), **said),
    ),
    "refuse": (
        {"reason": str},
        lambda id, service, who, said: steps.refuse(id, service.library, who, reason=said.get("reason", "")),
    ),
    "schedule": (
        {"at": str, "zone": str, "comment": str},
        lambda id, service, who, said: steps.schedule(id, service.library, who, service.clock(), **said),
    ),
    "hold": ({"reason": str}, lambda id, service, who, said: steps.hold(id, service.library, who, **said)),
    "publish": (
        {"comment": str},
        lambda id, service, who, said: publish([id], service.library, who, now=service.clock(), **said)[0],
    ),
    "withdraw": ({"reason": str}, lambda id, service, who, said: steps.withdraw(id, service.library, who, **said)),
    "comment": (
        {"text": str},
        lambda id, service, who, said: steps.comment(
            id, service.library, who, service.clock(), text=said.get("text", "")
        ),
        201,
    ),
}


async def no_step(request: web.Request) -> web.StreamResponse:
    """A step that there is not."""
    step = request.match_info["step"]
    raise NotFound(f"{step[:80]!r} is no step of a submission.", hint=f"There are {', '.join(_STEPS)}.")
