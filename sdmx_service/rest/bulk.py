"""``/bulk``: whole dataflows as files, one per release, with digest, Range and resumption; ``/api/bulk`` lists them."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Any, TypeVar

import orjson
from aiohttp import hdrs, web

from sdmx_service.dissemination.bulk import KINDS, BulkFile, History, known_file
from sdmx_service.errors import NotFound
from sdmx_service.rest.service import SERVICE, Service
from sdmx_service.storage.port import Release

T = TypeVar("T")
_CACHED = "public, no-cache"
"""Caches ask again: a figure of any release may be declared confidential later."""


def routes() -> list[web.RouteDef]:
    """The routes of bulk files."""
    return [
        web.get("/api/bulk", list_files),
        web.get(r"/bulk/{agency}/{id}/{version}/{release:\d{1,9}|latest}.{kind:[a-z0-9.]+}", show_file),
    ]


async def _in_thread(service: Service, work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(service.executor, work)


def _address(one: History, release: Release | str, kind: str) -> str:
    flow = one.dataflow
    number = release if isinstance(release, str) else release.number
    return f"/bulk/{flow.agency}/{flow.id}/{flow.version}/{number}.{kind}"


async def list_files(request: web.Request) -> web.StreamResponse:
    """``GET /api/bulk``: per dataflow when it changed last, and its files; sizes and digests of those that are made."""
    service = request.app[SERVICE]

    def work() -> bytes:
        found = [_listed(one, service) for one in service.shelf.histories()]
        return orjson.dumps({"dataflows": found}, option=orjson.OPT_INDENT_2)

    body = await _in_thread(service, work)
    return web.Response(body=body, headers={"Content-Type": "application/json", "Cache-Control": "no-cache"})


def _listed(one: History, service: Service) -> dict[str, Any]:
    last = one.releases[-1]
    files, mask = [], service.shelf.mask(one.dataflow)
    for kind in KINDS:
        known = known_file(service.shelf.path(one.dataflow, last, kind), kind, last.number, mask)
        files.append(
            {
                "url": _address(one, last, kind),
                "latest": _address(one, "latest", kind),
                "media_type": KINDS[kind].media_type,
                "bytes": None if known is None else known.bytes,
                "sha256": None if known is None else known.sha256,
            }
        )
    return {
        "urn": one.dataflow.urn,
        "name": {tag: one.dataflow.names[tag] for tag in one.dataflow.names},
        "last_changed": {"release": last.number, "published_at": last.published_at.isoformat()},
        "releases": [each.number for each in one.releases],
        "files": files,
    }


async def show_file(request: web.Request) -> web.StreamResponse:
    """``GET /bulk/AGENCY/ID/VERSION/RELEASE.KIND``: the file; another release's address leads to the one it shares."""
    service = request.app[SERVICE]
    part = request.match_info
    wanted = None if part["release"] == "latest" else int(part["release"])
    if part["kind"] not in KINDS:
        raise NotFound(f"There are no files of kind {part['kind']!r}.", hint=f"There are {', '.join(KINDS)}.")
    one, release = await _in_thread(
        service, lambda: service.shelf.canonical(part["agency"], part["id"], part["version"], wanted)
    )
    address = _address(one, release, part["kind"])
    if address != request.path:
        return web.Response(status=307, headers={"Location": address, "Cache-Control": "no-cache"})
    file = await _in_thread(service, lambda: service.shelf.file(one.dataflow, release, part["kind"]))
    return _response(file, address)


def _response(file: BulkFile, address: str) -> web.StreamResponse:
    name = address.removeprefix("/bulk/").replace("/", "_")
    digest = base64.b64encode(bytes.fromhex(file.sha256)).decode()
    headers = {
        "Content-Type": KINDS[file.kind].media_type,
        "Content-Disposition": f'attachment; filename="{name}"',
        "Repr-Digest": f"sha-256=:{digest}:",
        "Cache-Control": _CACHED,
        "Accept-Ranges": "bytes",
    }
    return _Whole(file.path, headers=headers)


class _Whole(web.FileResponse):
    """A file whose tag is checked before a part of it is sent (RFC 9110, 13.1.5), which aiohttp does for dates only."""

    async def prepare(self, request: web.BaseRequest) -> Any:
        condition = request.headers.get(hdrs.IF_RANGE, "")
        if hdrs.RANGE in request.headers and condition.startswith(('"', "W/")):
            status = await asyncio.to_thread(self._path.stat)
            tag = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
            if condition != tag:
                headers = request.headers.copy()
                headers.popall(hdrs.RANGE)
                request = request.clone(headers=headers)
        return await super().prepare(request)
