"""A service over a real socket in a thread of its own, for clients that know nothing of asyncio."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from sdmx_service.app.application import build
from sdmx_service.catalog.library import Library
from sdmx_service.settings import Settings


@contextmanager
def served(library: Library, **settings: Any) -> Iterator[str]:
    """The address of a service over the library, while it runs."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(build(Settings(**settings), library))

    async def start() -> int:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return int(runner.addresses[0][1])

    thread = threading.Thread(target=loop.run_forever, name="served", daemon=True)
    thread.start()
    try:
        port = asyncio.run_coroutine_threadsafe(start(), loop).result(30)
        yield f"http://127.0.0.1:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()
