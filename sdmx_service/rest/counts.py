"""``/api/counts``: how much a data query gives, before it is asked for; for one that gives nothing, the nearest other.

The address is that of the query with ``/api/counts`` in the place of ``/sdmx``. *Extension*: SDMX-REST has no count.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import orjson
import pyarrow as pa
from aiohttp import web

from sdmx_service.catalog.library import Library, View
from sdmx_service.dissemination.counting import Amount, Nearest, amounts, nearest
from sdmx_service.dissemination.data import data
from sdmx_service.errors import NoResults, SemanticFault
from sdmx_service.formats.registry import Format, formats_for
from sdmx_service.model.message import Message, Party, WriteOptions
from sdmx_service.model.query import DataQuery
from sdmx_service.rest.service import SERVICE
from sdmx_service.urls import v1, v2

_VERSIONS = {"v1": v1, "v2": v2}
_SAMPLE = 200
"""Rows that are rendered to estimate the size of the whole."""
_FORMATS = 4
"""Formats whose size is estimated: the first that the interface offers."""


def routes() -> list[web.RouteDef]:
    """The routes of counts."""
    return [web.get(r"/api/counts/{api:v1|v2}/{path:.*}", show_counts)]


async def show_counts(request: web.Request) -> web.StreamResponse:
    """``GET /api/counts/v2/data/...``: series and observations, exactly, and about how many bytes."""
    service = request.app[SERVICE]
    api = request.match_info["api"]
    path, _, query_string = request.raw_path.partition("?")
    asked = path.removeprefix(f"/api/counts/{api}/")

    def work() -> bytes:
        found = counts(api, asked, query_string, service.library, service.sender)
        return orjson.dumps(found, option=orjson.OPT_INDENT_2)

    body = await asyncio.get_running_loop().run_in_executor(service.executor, work)
    return web.Response(body=body, headers={"Content-Type": "application/json"})


def counts(api: str, path: str, query_string: str, library: Library, sender: Party) -> dict[str, Any]:
    """The answer as JSON knows it.

    Raises:
        SdmxError: the query cannot be read, cannot be meant, or is none for data.
    """
    query = _VERSIONS[api].parse(path, query_string)
    if not isinstance(query, DataQuery):
        raise SemanticFault("Only data queries are counted.", hint="Write /api/counts/v2/data/... or /v1/data/....")
    view = library.view()
    found = amounts(query, view.catalog, library.store, view.release)
    answer: dict[str, Any] = {
        "query": _address(api, query),
        "release": view.release,
        "published_at": view.published_at.isoformat(),
        "series": sum(one.counts.series for one in found),
        "observations": sum(one.counts.observations for one in found),
        "datasets": [_amount(one) for one in found],
        "estimated_bytes": {},
        "nearest": None,
    }
    if found:
        answer["estimated_bytes"] = dict(_sizes(api, query, found, view, library, sender))
    elif (other := nearest(query, view.catalog, library.store, view.release)) is not None:
        answer["nearest"] = _nearest(api, other)
    return answer


def _address(api: str, query: DataQuery) -> str:
    path, query_string = _VERSIONS[api].format(query)
    return f"/sdmx/{api}/{path}" + (f"?{query_string}" if query_string else "")


def _amount(one: Amount) -> dict[str, Any]:
    return {
        "urn": one.artefact.urn,
        "series": one.counts.series,
        "observations": one.counts.observations,
        "first_period": one.first_period,
        "last_period": one.last_period,
    }


def _nearest(api: str, found: Nearest) -> dict[str, Any]:
    return {
        "query": _address(api, found.query),
        "series": found.counts.series,
        "observations": found.counts.observations,
        "changes": [
            {"component": one.component, "asked": one.asked, "instead": one.instead, "others": list(one.others)}
            for one in found.changes
        ],
    }


def _sizes(
    api: str, query: DataQuery, found: Sequence[Amount], view: View, library: Library, sender: Party
) -> Iterator[tuple[str, int]]:
    """Media type and about how many bytes, uncompressed, from what the first rows take.

    What changed, and history, are taken to be as the state at the release that tells most of them.
    """
    total = sum(one.rows for one in found)
    largest = max(found, key=lambda one: one.rows)
    state = replace(query, as_of=None, updated_after=None, include_history=False)
    part = replace(state, offset=0, limit=_SAMPLE, sort=())
    try:
        message = data(part, view.catalog, library.store, largest.release, sender=sender)
    except NoResults:
        return
    rows = [list(one.batches) for one in message.datasets]
    shown = sum(batch.num_rows for batches in rows for batch in batches)
    for format in formats_for("data", api)[:_FORMATS]:
        if shown:
            yield format.media_types[0], round(_written(format, message, rows) * total / shown)


def _written(format: Format, message: Message, rows: Sequence[Sequence[pa.RecordBatch]]) -> int:
    """How many bytes a message takes whose rows were read."""
    assert format.write is not None
    datasets = [replace(one, batches=iter(own)) for one, own in zip(message.datasets, rows, strict=True)]
    return sum(len(chunk) for chunk in format.write(replace(message, datasets=datasets), WriteOptions()))
