"""The service's own interface below ``/api``: submissions and their life, releases, limits, health."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Mapping
from email.message import Message
from typing import IO, Any, TypeVar

import orjson
from aiohttp import BodyPartReader, web

from sdmx_service.auth import ROLES, Principal, authenticate, create_token, revoke_token, tokens
from sdmx_service.errors import (
    NotAllowed,
    NotBuilt,
    NotFound,
    SdmxError,
    SemanticFault,
    SyntaxFault,
    UnknownParameter,
)
from sdmx_service.rest import problems
from sdmx_service.rest.bodies import copy
from sdmx_service.rest.limits import limits_of
from sdmx_service.rest.service import SERVICE, Service
from sdmx_service.submission.exports import REPORT_POLICY, findings_csv, findings_html, findings_workbook
from sdmx_service.submission.reading import Wish, named_provider
from sdmx_service.submission.receipt import Receipt, load_findings, load_receipt, receipts
from sdmx_service.submission.submit import SentFile, kept_file, publish, submit, withdraw
from sdmx_service.submission.undecided import Decision, decide, decisions, forget, undecided

T = TypeVar("T")
_WISHES = ("dataflow", "provider", "mapping", "format")


def routes() -> list[web.RouteDef]:
    """The routes below ``/api``, and those an operator asks."""
    return [
        web.post("/api/submissions", post_submission),
        web.get("/api/submissions", list_submissions),
        web.get("/api/submissions/{id}", show_submission),
        web.get(r"/api/submissions/{id}/findings{suffix:(\.csv|\.html|\.xlsx)?}", show_findings),
        web.post("/api/submissions/{id}/publish", publish_submission),
        web.post("/api/submissions/{id}/withdraw", withdraw_submission),
        web.post("/api/submissions/{id}/{step}", other_step),
        web.get("/api/releases", list_releases),
        web.post(r"/api/releases/{number:\d+}/restore", restore_release),
        web.get("/api/tokens", list_tokens),
        web.post("/api/tokens", make_token),
        web.post("/api/tokens/{id}/revoke", end_token),
        web.get("/api/undecided", list_undecided),
        web.get("/api/decisions", list_decisions),
        web.post("/api/decisions", make_decision),
        web.get("/api/dataflows/{name}", find_dataflow),
        web.get("/api/releases/{a}/diff/{b}", diff_releases),
        web.get("/api/limits", limits),
        web.get("/health/live", live),
        web.get("/health/ready", ready),
        web.get("/metrics", unbuilt),
    ]


async def _in_thread(service: Service, work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(service.executor, work)


def _json(value: object, status: int = 200, **headers: str) -> web.Response:
    body = orjson.dumps(value, option=orjson.OPT_INDENT_2)
    return web.Response(status=status, body=body, headers={"Content-Type": "application/json", **headers})


def problem(error: SdmxError) -> web.Response:
    """An error as ``application/problem+json``."""
    status, media_type, body = problems.render(error, "problem", "v2")
    headers = {"Content-Type": media_type}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return web.Response(status=status, body=body, headers=headers)


async def _principal(request: web.Request, service: Service) -> Principal:
    header = request.headers.get("Authorization")
    return await _in_thread(service, lambda: authenticate(service.library.store, header))


# --- submissions ----------------------------------------------------------------------------------------------------
async def post_submission(request: web.Request) -> web.StreamResponse:
    """``POST /api/submissions``: 201 accepted or published, 422 refused, both with the receipt."""
    service = request.app[SERVICE]
    principal = await _principal(request, service)
    wish, publish_now = _wish(request.query)
    with tempfile.TemporaryFile() as spooled:
        name, media_type = await _spool(request, spooled, service.max_body)
        sent = SentFile(file=spooled, name=name, media_type=media_type)
        receipt = await _in_thread(
            service,
            lambda: submit(
                sent, wish, service.library, principal, publish_now=publish_now, memory=service.workspace_memory
            ),
        )
    status = 422 if receipt.status == "refused" else 201
    return _json(receipt.to_json(), status, Location=f"/api/submissions/{receipt.id}")


def _wish(query: Mapping[str, str]) -> tuple[Wish, bool]:
    unknown = sorted(set(query) - {*_WISHES, "publish", "name", "xsd"})
    if unknown:
        raise UnknownParameter(
            f"{', '.join(unknown)} is not a parameter here.",
            hint=f"Known: {', '.join((*_WISHES, 'publish', 'name', 'xsd'))}.",
        )
    publish_now = query.get("publish", "false")
    by_schema = query.get("xsd", "false")
    for name, said in (("publish", publish_now), ("xsd", by_schema)):
        if said not in ("true", "false"):
            raise SyntaxFault(f"{name}={said!r} is neither true nor false.")
    texts = {name: query[name] for name in _WISHES if query.get(name)}
    return Wish(**texts, xsd=by_schema == "true"), publish_now == "true"


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
    principal = await _principal(request, service)
    found = await _in_thread(
        service, lambda: [one.to_json() for one in receipts(service.library.store) if _sees(principal, one)]
    )
    return _json({"submissions": found})


def _sees(principal: Principal, receipt: Receipt) -> bool:
    return principal.may_review or receipt.provider == principal.provider or receipt.principal == principal.id


def _shown(principal: Principal, service: Service, submission: str) -> Receipt:
    receipt = load_receipt(service.library.store, submission)
    if not _sees(principal, receipt):
        raise NotFound(f"There is no submission {submission!r}.")
    return receipt


async def show_submission(request: web.Request) -> web.StreamResponse:
    """``GET /api/submissions/ID``: one receipt."""
    service = request.app[SERVICE]
    principal = await _principal(request, service)
    receipt = await _in_thread(service, lambda: _shown(principal, service, request.match_info["id"]))
    return _json(receipt.to_json())


_FINDING_TYPES = {
    "": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


async def show_findings(request: web.Request) -> web.StreamResponse:
    """``GET /api/submissions/ID/findings[.csv|.html|.xlsx]``: every finding; XLSX is the sender's table, marked."""
    service = request.app[SERVICE]
    principal = await _principal(request, service)
    suffix, id = request.match_info["suffix"], request.match_info["id"]

    def write() -> bytes:
        receipt = _shown(principal, service, id)
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
    return web.Response(body=await _in_thread(service, write), headers=headers)


async def publish_submission(request: web.Request) -> web.StreamResponse:
    """``POST /api/submissions/ID/publish``."""
    service = request.app[SERVICE]
    principal = await _principal(request, service)
    found = await _in_thread(service, lambda: publish([request.match_info["id"]], service.library, principal))
    return _json(found[0].to_json())


async def withdraw_submission(request: web.Request) -> web.StreamResponse:
    """``POST /api/submissions/ID/withdraw``."""
    service = request.app[SERVICE]
    principal = await _principal(request, service)
    found = await _in_thread(service, lambda: withdraw(request.match_info["id"], service.library, principal))
    return _json(found.to_json())


async def other_step(request: web.Request) -> web.StreamResponse:
    """The other steps of a submission's life."""
    raise NotBuilt(f"The step {request.match_info['step']!r} is not built yet.", hint="There are publish and withdraw.")


# --- releases and the operator's questions ---------------------------------------------------------------------------
async def list_releases(request: web.Request) -> web.StreamResponse:
    """``GET /api/releases``: every release, oldest first."""
    service = request.app[SERVICE]
    found = await _in_thread(service, service.library.store.releases)
    return _json(
        {
            "releases": [
                {
                    "release": one.number,
                    "published_at": one.published_at.isoformat(),
                    "submissions": list(one.submissions),
                    "comment": one.comment,
                }
                for one in found
            ]
        }
    )


async def restore_release(request: web.Request) -> web.StreamResponse:
    """``POST /api/releases/N/restore``: a new release with the state of release N."""
    service = request.app[SERVICE]
    principal = await _principal(request, service)
    principal.must_publish()
    number = int(request.match_info["number"])
    release = await _in_thread(
        service, lambda: service.library.store.restore(number, comment=f"restores release {number}")
    )
    return _json({"release": release.number, "published_at": release.published_at.isoformat()}, 201)


async def _administrator(request: web.Request, service: Service) -> None:
    principal = await _principal(request, service)
    if principal.role != "administrator":
        raise NotAllowed(f"The token {principal.id} may not manage tokens.", hint="An administrator may.")


async def list_tokens(request: web.Request) -> web.StreamResponse:
    """``GET /api/tokens``: the tokens there are, for administrators."""
    service = request.app[SERVICE]
    await _administrator(request, service)
    return _json({"tokens": await _in_thread(service, lambda: tokens(service.library.store))})


async def make_token(request: web.Request) -> web.StreamResponse:
    """``POST /api/tokens`` with ``{"provider": REF}`` or ``{"role": ROLE}``: a new token, shown once."""
    service = request.app[SERVICE]
    await _administrator(request, service)
    try:
        wish = orjson.loads(await request.read())
        provider, role = wish.get("provider"), wish.get("role")
    except (orjson.JSONDecodeError, AttributeError):
        raise SyntaxFault("The body is not a JSON object.", hint='Send {"role": "publisher"}.') from None
    if (provider is None) == (role is None) or (role is not None and role not in ROLES[1:]):
        raise SyntaxFault("Give either a provider or a role.", hint=f"Roles: {', '.join(ROLES[1:])}.")

    def create() -> str:
        view = service.library.view()
        ref = None if provider is None else named_provider(provider, view.catalog)
        return create_token(service.library.store, role=role or "provider", provider=ref)[0]

    return _json({"token": await _in_thread(service, create)}, 201)


async def end_token(request: web.Request) -> web.StreamResponse:
    """``POST /api/tokens/ID/revoke``."""
    service = request.app[SERVICE]
    await _administrator(request, service)
    await _in_thread(service, lambda: revoke_token(service.library.store, request.match_info["id"]))
    return _json({"revoked": request.match_info["id"]})


# --- what no map decides ---------------------------------------------------------------------------------------------
async def list_undecided(request: web.Request) -> web.StreamResponse:
    """``GET /api/undecided``: the values that wait for a decision, of the submissions that a principal may see."""
    service = request.app[SERVICE]
    principal = await _principal(request, service)

    def find() -> list[dict[str, Any]]:
        seen = {one.id for one in receipts(service.library.store) if _sees(principal, one)}
        return [one.to_json() for one in undecided(service.library.store, seen.__contains__)]

    return _json({"undecided": await _in_thread(service, find)})


async def list_decisions(request: web.Request) -> web.StreamResponse:
    """``GET /api/decisions``: what was decided, by whom and when."""
    service = request.app[SERVICE]
    await _principal(request, service)
    found = await _in_thread(service, lambda: decisions(service.library.store))
    return _json({"decisions": [one.to_json() for one in found]})


async def make_decision(request: web.Request) -> web.StreamResponse:
    """``POST /api/decisions`` with map, value and code (null takes it back), perhaps start, end and comment."""
    service = request.app[SERVICE]
    principal = await _principal(request, service)
    said = _decision_wish(await request.read())
    code = said.pop("code")
    if code is None:
        gone = {name: said[name] for name in ("map", "value")}
        found = await _in_thread(service, lambda: forget(service.library, principal, **gone))
        return _json({"forgotten": [one.to_json() for one in found]})
    made: Decision = await _in_thread(service, lambda: decide(service.library, principal, code=code, **said))
    return _json(made.to_json(), 201)


def _decision_wish(body: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        said = None
    known = {"map", "value", "code", "start", "end", "comment"}
    fits = isinstance(said, dict) and {"map", "value", "code"} <= set(said) <= known
    if not fits or not all(isinstance(one, str) or (one is None and name == "code") for name, one in said.items()):
        raise SyntaxFault(
            "A decision is a JSON object with the texts map, value and code.",
            hint="It may have start, end and comment too; code null takes the decision back.",
        )
    return dict(said)


async def find_dataflow(request: web.Request) -> web.StreamResponse:
    """``GET /api/dataflows/NAME``: the dataflow a person means."""
    service = request.app[SERVICE]
    view = await _in_thread(service, service.library.view)
    flow = view.catalog.named(request.match_info["name"], "Dataflow")
    return _json({"agency": flow.agency, "id": flow.id, "version": flow.version, "urn": flow.urn})


async def diff_releases(request: web.Request) -> web.StreamResponse:
    """``GET /api/releases/A/diff/B``."""
    raise NotBuilt("The difference between two releases is not built yet.")


async def limits(request: web.Request) -> web.StreamResponse:
    """``GET /api/limits``: every limit as data, with what to do about it, and what is offered."""
    return _json(limits_of(request.app[SERVICE]))


async def live(request: web.Request) -> web.StreamResponse:
    """``GET /health/live``: the process answers."""
    return _json({"status": "live"})


async def ready(request: web.Request) -> web.StreamResponse:
    """``GET /health/ready``: the store answers; says at which release."""
    service = request.app[SERVICE]
    view = await _in_thread(service, service.library.view)
    return _json({"status": "ready", "release": view.release, "generation": view.generation})


async def unbuilt(request: web.Request) -> web.StreamResponse:
    """An address that is promised and not there yet."""
    return problem(NotBuilt(f"{request.path} is not built yet."))


@web.middleware
async def api_errors(request: web.Request, handler: Any) -> web.StreamResponse:
    """Errors below ``/api``, ``/bulk`` and ``/health`` as problem+json; others pass."""
    if not request.path.startswith(("/api", "/bulk", "/health")):
        return await handler(request)  # type: ignore[no-any-return]
    try:
        return await handler(request)  # type: ignore[no-any-return]
    except SdmxError as error:
        return problem(error)
    except web.HTTPNotFound:
        return problem(NotFound(f"There is nothing at {request.path}."))
    except web.HTTPMethodNotAllowed as error:
        return problem(
            SemanticFault(
                f"{request.method} is not possible here.", hint=f"Possible: {', '.join(sorted(error.allowed_methods))}."
            )
        )
