"""The asynchronous edge: one chunk at a time is computed in a worker thread and written, then the next."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from concurrent.futures import Executor

from aiohttp import web

from sdmx_service.rest.answers import Answer

log = logging.getLogger(__name__)
_GATHER = 512 * 1024
"""Small chunks are gathered up to about this many bytes before they are written."""
_WRITTEN = 256 * 1024
"""Bytes written at once: what the socket does not take is copied until it does."""
_WAIT = 0.25
"""Seconds after which what there is is written: the client sees progress, and one that has gone is noticed."""


def take(chunks: Iterator[bytes]) -> tuple[bytes, bool]:
    """The next piece of the body and whether it was the last."""
    parts: list[bytes] = []
    size, until = 0, time.monotonic() + _WAIT
    for chunk in chunks:
        parts.append(chunk)
        size += len(chunk)
        if size >= _GATHER or (size and time.monotonic() > until):
            return b"".join(parts), False
    return b"".join(parts), True


async def send(
    request: web.Request, answer: Answer, first: tuple[bytes, bool], executor: Executor
) -> web.StreamResponse:
    """Write an answer whose first piece is known; a failure later breaks the connection, never ends it as if whole."""
    body, is_last = first
    if is_last:
        return web.Response(status=answer.status, headers=answer.headers, body=body)
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    loop = asyncio.get_running_loop()
    working: asyncio.Future[tuple[bytes, bool]] | None = None
    try:
        await response.prepare(request)
        while request.method != "HEAD":
            for begin in range(0, len(body), _WRITTEN):
                await response.write(memoryview(body)[begin : begin + _WRITTEN])
            if is_last:
                break
            working = loop.run_in_executor(executor, take, answer.chunks)
            body, is_last = await asyncio.shield(working)
        await response.write_eof()
    except (ConnectionResetError, asyncio.CancelledError):
        raise
    except Exception:
        log.exception("stream of %s broke", request.path)
        if request.transport is not None:
            request.transport.abort()
        raise
    finally:
        if working is not None:
            await asyncio.wait((working,))  # a thread may still be at the next piece
        await loop.run_in_executor(executor, answer.chunks.close)
    return response
