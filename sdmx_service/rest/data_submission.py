"""``POST /sdmx/v2/data``: another door to submissions, in the shape that the next version of SDMX-REST proposes.

*Pre-standard*: sdmx-rest, pull request 257, maintenance.md, *Data*. The rules are those of ``POST /api/submissions``:
the same validation, the same tokens, a receipt. Who may publish has the data published at once, all data sets of the
message in order and in one release; what a provider's token sends waits for publication (202, *choice*: the proposal
knows only what is done at once).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson
from aiohttp import web

from sdmx_service.auth import Principal
from sdmx_service.catalog.library import Library
from sdmx_service.errors import Conflict, SdmxError, SyntaxFault, UnknownParameter, UnsupportedMediaType
from sdmx_service.formats.recognition import head_of, recognise_data
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.message import SeekableFile
from sdmx_service.model.urn import parse_ref
from sdmx_service.rest import problems
from sdmx_service.rest.bodies import spool
from sdmx_service.rest.identity import principal_of
from sdmx_service.rest.maintenance import in_thread
from sdmx_service.rest.service import SERVICE, Service
from sdmx_service.submission.reading import Wish
from sdmx_service.submission.receipt import Receipt, load_findings
from sdmx_service.submission.submit import SentFile
from sdmx_service.workflow.publishing import publish, sign_off_of
from sdmx_service.workflow.sending import send
from sdmx_service.workflow.steps import withdraw

_MESSAGES = ("sdmx-csv", "sdmx-ml", "sdmx-json")
_ANSWERED = (404, 409, 422)
"""Statuses that the proposal answers with its own message."""
_ATTEMPTS = 5
_SHOWN = 20
"""Findings that an answer tells; the receipt has all."""


class Told(NamedTuple):
    """What became of a message: the code, in words, and the receipt if there is one."""

    code: int
    status: str
    text: str
    receipt: Receipt | None = None
    findings: tuple[FindingGroup, ...] = ()


async def post_data(request: web.Request) -> web.StreamResponse:
    """The answer to ``POST /sdmx/v2/data``.

    Raises:
        SdmxError: the message cannot be read, or the token is not right.
    """
    service = request.app[SERVICE]
    principal = await principal_of(request)
    principal.must("submit")
    wish = _wish(request.query)
    with tempfile.TemporaryFile() as spooled:
        await spool(request, spooled, service.max_body)
        principal = await principal_of(request)  # a token that was revoked while the message came sends nothing
        media_type = request.headers.get("Content-Type")
        told = await in_thread(service, lambda: _take(spooled, media_type, wish, service, principal))
    headers = {"Content-Type": "application/json"}
    if told.receipt is not None:
        headers["Location"] = f"/api/submissions/{told.receipt.id}"
    return web.Response(status=told.code, body=orjson.dumps(_message(told, service)), headers=headers)


def _wish(query: Mapping[str, str]) -> Wish:
    """*Extension*: ``provider`` says who the data come from where the message does not."""
    if unknown := sorted(set(query) - {"provider"}):
        raise UnknownParameter(f"{', '.join(unknown)} is not a parameter here.", hint="Known: provider.")
    return Wish(provider=query.get("provider") or None)


def _take(file: SeekableFile, media_type: str | None, wish: Wish, service: Service, principal: Principal) -> Told:
    """Check a message, and publish it if the principal may."""
    _refuse_other(file, media_type)
    sent = SentFile(file=file, name="message", media_type=media_type)
    library, memory = service.library, service.workspace_memory
    try:
        now = service.clock()
        receipt = send(sent, wish, library, principal, preview=not principal.may_publish, now=now, memory=memory)
        if receipt.status == "refused":
            text = "The message has errors; nothing of it was taken."
            return Told(422, "Failure", text, receipt, load_findings(library.store, receipt.id))
        if not principal.may_publish:
            text = f"The data are right; they wait as submission {receipt.id} for a publisher."
            return Told(202, "Warning", text, receipt)
        if receipt.status == "scheduled":
            text = f"The data are right; as submission {receipt.id} they wait for {receipt.scheduled_for}."
            return Told(202, "Warning", text, receipt)
        if sign_off_of(receipt, library.view().catalog).needs_approval:
            text = f"The data are right; they wait as submission {receipt.id} for approval."
            return Told(202, "Warning", text, receipt)
        receipt = _publish(receipt, library, principal, memory)
        return Told(200, "Success", f"All changes are published as release {receipt.release}.", receipt)
    except SdmxError as error:
        code = problems.status_of(error).v2
        if code not in _ANSWERED:
            raise
        return Told(code, "Failure", f"{error.detail} {error.hint}".strip())


def _refuse_other(file: SeekableFile, media_type: str | None) -> None:
    head = head_of(file, media_type=media_type)
    if head.is_archive:
        raise UnsupportedMediaType("This address takes one SDMX data message, no archive.", hint=_OTHER_DOOR)
    format = recognise_data(head)
    if format.name not in _MESSAGES:
        raise UnsupportedMediaType(f"This address takes SDMX data messages, not {format.name}.", hint=_OTHER_DOOR)


_OTHER_DOOR = "Send other files to /api/submissions."


def _publish(receipt: Receipt, library: Library, principal: Principal, memory: str) -> Receipt:
    """Publish what was accepted, again if another publication came between; take it back where that cannot be.

    Raises:
        Conflict: the data do not agree with what is published by now.
    """
    for attempt in range(_ATTEMPTS):
        release = library.store.pointer().release
        try:
            return publish([receipt.id], library, principal, memory=memory)[0]
        except Conflict:
            if library.store.pointer().release == release or attempt == _ATTEMPTS - 1:
                withdraw(receipt.id, library, principal, reason="It could not be published.")
                raise
    raise SyntaxFault("unreachable")


# --- the answer -----------------------------------------------------------------------------------------------------
def _message(told: Told, service: Service) -> dict[str, Any]:
    """A ``SubmitDataResponse``; the proposal shows it in XML only and asks for JSON, in which names are ours."""
    response: dict[str, Any] = {
        "submittedData": list(_datasets(told)),
        "submissionResult": {"code": told.code, "statusMessages": [_status(told.status, told.text)]},
    }
    if told.receipt is not None:
        response["links"] = [{"rel": "receipt", "href": f"/api/submissions/{told.receipt.id}"}]
    meta = {"id": "SDR", "prepared": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "sender": {"id": service.sender.id}}
    return {"meta": meta, "data": {"submitDataResponse": response}}


def _status(status: str, text: str) -> dict[str, Any]:
    return {"status": status, "text": text, "texts": {"en": text}}


def _datasets(told: Told) -> Iterator[dict[str, Any]]:
    if told.receipt is None:
        return
    findings = [_finding(one) for one in told.findings[:_SHOWN]]
    for flow in told.receipt.dataflows:
        ref = parse_ref(flow.dataflow, "Dataflow").complete()
        assert ref is not None
        changes = f"{flow.inserted} inserted, {flow.changed} changed, {flow.deleted} deleted"
        own = findings or [_status(told.status, f"{flow.observations} observations: {changes}.")]
        for action in flow.actions or ("Merge",):
            yield {"urn": ref.urn, "action": action, "statusMessages": own}


_STATUSES = {"error": "Failure", "warning": "Warning"}


def _finding(group: FindingGroup) -> dict[str, Any]:
    first = next(group.findings(1))
    status = _STATUSES.get(group.severity.value, "Success")
    more = f" ({group.count} times)" if group.count > 1 else ""
    return _status(status, f"{group.code}: {first.message}{more}")
