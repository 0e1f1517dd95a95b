"""Differences over HTTP: between two releases, between a submission and what it corrects; and a submission's figures.

A media type of SDMX gets a message, ``application/json``, ``text/csv`` and ``text/html`` a table for people.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack

from aiohttp import web

from sdmx_service.auth import Principal
from sdmx_service.errors import Busy, NoResults, NotFound
from sdmx_service.formats.registry import formats_for
from sdmx_service.model.message import Message, WriteOptions
from sdmx_service.model.query import Representation
from sdmx_service.rest.answers import Answer
from sdmx_service.rest.asking import in_thread, parameters, whole_number
from sdmx_service.rest.identity import principal_of
from sdmx_service.rest.negotiation import Choice, choose, parse_accept
from sdmx_service.rest.service import SERVICE, Service
from sdmx_service.rest.streaming import send, take
from sdmx_service.submission.exports import REPORT_POLICY
from sdmx_service.submission.receipt import Receipt, load_receipt
from sdmx_service.workflow.comparison import Form
from sdmx_service.workflow.difference import (
    Pair,
    difference_message,
    earlier_version,
    figures,
    of_releases,
    of_submissions,
    table,
    written,
)
from sdmx_service.workflow.publishing import seen, sees
from sdmx_service.workflow.states import WAITING

_TABLES: dict[str, tuple[Form, str]] = {
    "application/json": ("json", "application/json"),
    "text/csv": ("csv", "text/csv; charset=utf-8"),
    "text/html": ("html", "text/html; charset=utf-8"),
    "*/*": ("json", "application/json"),
}


def routes() -> list[web.RouteDef]:
    """The routes of differences and of a submission's figures."""
    return [
        web.get(r"/api/releases/{a:\d+}/diff/{b:\d+}", diff_releases),
        web.get("/api/submissions/{id}/difference", diff_submission),
        web.get("/api/submissions/{id}/data", show_data),
    ]


async def diff_releases(request: web.Request) -> web.StreamResponse:
    """``GET /api/releases/A/diff/B?dataflow=REF``: what turns release A into release B."""
    service = request.app[SERVICE]
    said = parameters(request, "dataflow")
    before, after = (whole_number(request.match_info[name], name) for name in ("a", "b"))

    def begin(accept: str | None) -> Answer:
        view = service.library.view()
        pair = of_releases(before, after, view.catalog, service.library.store, said.get("dataflow"))
        return _answer(pair, accept, service, f"From release {before} to release {after}")

    return await _stream(request, service, begin, {"Cache-Control": "no-cache"})


async def diff_submission(request: web.Request) -> web.StreamResponse:
    """``GET /api/submissions/ID/difference``: what turns the figures of the submission it corrects into its own."""
    service = request.app[SERVICE]
    parameters(request)
    principal = await principal_of(request)
    store = service.library.store

    def begin(accept: str | None) -> Answer:
        later = seen(request.match_info["id"], store, principal)
        earlier = seen(earlier_version(later, store).id, store, principal)
        catalog = service.library.view().catalog
        with ExitStack() as stack:
            pair = of_submissions(earlier, later, catalog, store, stack.enter_context(service.scratch()))
            found = _answer(pair, accept, service, f"From {earlier.id} to {later.id}")
            found.chunks = _closing(found.chunks, stack.pop_all())
        return found

    return await _stream(request, service, begin, {"Cache-Control": "private, no-store"})


async def show_data(request: web.Request) -> web.StreamResponse:
    """``GET /api/submissions/ID/data``: its own figures, published or not, in any format of data."""
    service = request.app[SERVICE]
    parameters(request)
    principal = await principal_of(request)
    store = service.library.store

    def begin(accept: str | None) -> Answer:
        receipt = load_receipt(store, request.match_info["id"])
        if not (sees(principal, receipt) or _reads(principal, receipt)):
            raise NotFound(f"There is no submission {receipt.id!r}.")
        catalog = service.library.view().catalog
        with ExitStack() as stack:
            message = figures(receipt, catalog, store, stack.enter_context(service.scratch()), service.sender)
            found = _message(message, accept)
            found.chunks = _closing(found.chunks, stack.pop_all())
        return found

    return await _stream(request, service, begin, {"Cache-Control": "no-store"})


def _reads(principal: Principal, receipt: Receipt) -> bool:
    """Whether somebody may read figures that wait for their hour, and these do; what was sent back does not."""
    may = principal.may("read_embargoed", provider=receipt.provider or "") and receipt.status in (*WAITING, "published")
    return may and principal.covers(one.dataflow for one in receipt.dataflows)


# --- answers --------------------------------------------------------------------------------------------------------
def _answer(pair: Pair, accept: str | None, service: Service, title: str) -> Answer:
    """A table where a plain media type comes first among those accepted, else a message."""
    for one in parse_accept(accept):
        if one.quality > 0 and one.type in _TABLES and not one.parameters:
            form, media_type = _TABLES[one.type]
            headers = {"Content-Type": media_type, "Vary": "Accept"}
            if form == "csv":
                headers["Content-Disposition"] = 'attachment; filename="difference.csv"'
            if form == "html":
                headers["Content-Security-Policy"] = REPORT_POLICY
            return Answer(status=200, headers=headers, chunks=_chunks(table(pair, form, title)))
        if one.type not in _TABLES:
            break
    return _message(difference_message(pair, service.sender), accept)


def _message(message: Message, accept: str | None) -> Answer:
    choice: Choice = choose(accept, Representation(), formats_for("data", "v2"))
    options = WriteOptions(labels=choice.parameters.get("labels", choice.format.parameters.get("labels", ("id",))[0]))
    chunks = written(message, choice.format, options)
    return Answer(status=200, headers={"Content-Type": choice.media_type, "Vary": "Accept"}, chunks=_chunks(chunks))


def _chunks(chunks: Iterator[bytes]) -> Generator[bytes]:
    try:
        yield from chunks
    finally:
        if isinstance(chunks, Generator):
            chunks.close()


def _closing(chunks: Generator[bytes], stack: ExitStack) -> Generator[bytes]:
    """The chunks; what they are read from is closed after them."""
    with stack:
        try:
            yield from chunks
        finally:
            chunks.close()


async def _stream(
    request: web.Request, service: Service, begin: Callable[[str | None], Answer], headers: Mapping[str, str]
) -> web.StreamResponse:
    """An answer whose first piece is computed before its status is sent."""
    if service.streams.locked():
        raise Busy(f"{service.max_streams} answers are being sent.", hint="Try again soon.")
    accept = ", ".join(request.headers.getall("Accept", ())) or None

    def work() -> tuple[Answer, tuple[bytes, bool]]:
        try:
            answer = begin(accept)
        except NoResults:
            return Answer(status=204), (b"", True)
        return answer, take(answer.chunks)

    async with service.streams:
        answer, first = await in_thread(service, work)
        answer.headers.update(headers)
        return await send(request, answer, first, service.executor)
