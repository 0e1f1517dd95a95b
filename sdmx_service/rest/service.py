"""What the handlers need, put together once by ``app``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass

from aiohttp import web

from sdmx_service.auth.gate import Gate
from sdmx_service.auth.principal import Principal
from sdmx_service.catalog.library import Library
from sdmx_service.dissemination.bulk import Shelf
from sdmx_service.model.message import Party
from sdmx_service.rest.partners import NO_PARTNERS, Partners
from sdmx_service.workflow.difference import Scratch
from sdmx_service.workflow.publishing import Clock, clock


@dataclass(slots=True, kw_only=True)
class Service:
    """The running service as the edge sees it.

    Attributes:
        shelf: the files of whole dataflows.
        sender: who stands as sender in the headers of messages.
        executor: worker threads for everything synchronous.
        streams: how many answers may be open at once.
        gate: recognises tokens, and counts those that are not valid.
        recognise: the principal of a token that a sign-in provider signed; None: such tokens are not taken.
        proxies: how many trusted proxies stand in front.
        max_body: bytes of a request body at most.
        max_query: characters of path and query string at most.
        partners: who files may be fetched from, in at most ``fetch_seconds``.
        workspace_memory: memory of the rules' workspace of one check.
        scratch: opens an empty store for the time of one piece of work.
        clock: the time of day, for what is due at an hour.
    """

    library: Library
    shelf: Shelf
    sender: Party
    executor: Executor
    gate: Gate
    streams: asyncio.Semaphore
    max_streams: int
    max_body: int
    scratch: Scratch
    max_query: int = 32_000
    partners: Partners = NO_PARTNERS
    fetch_seconds: float = 300.0
    workspace_memory: str = "1GB"
    clock: Clock = clock
    recognise: Callable[[str], Awaitable[Principal]] | None = None
    proxies: int = 0


SERVICE = web.AppKey("service", Service)
