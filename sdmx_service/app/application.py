"""The aiohttp application over a store, and running it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from aiohttp import web

from sdmx_service import web as pages
from sdmx_service.app.memory import choose_memory, give_back
from sdmx_service.app.stores import open_store, scratch_store
from sdmx_service.auth import Gate, create_token, revoke_token
from sdmx_service.auth.accounts import Doorkeeper
from sdmx_service.auth.openid_settings import OpenIdSettings
from sdmx_service.auth.seal import Seal
from sdmx_service.auth.second_factor import protect_seconds
from sdmx_service.auth.sessions import Lifetimes
from sdmx_service.catalog.library import Library
from sdmx_service.dissemination.bulk import KINDS, Shelf
from sdmx_service.errors import NotFound, SdmxError
from sdmx_service.model.message import Party
from sdmx_service.model.selection import Cube, Selection, dataflow_name
from sdmx_service.rest import (
    accounts,
    api,
    bulk,
    confidentiality,
    counts,
    differences,
    handlers,
    map_travel,
    mappings,
    openapi,
    sources,
    submissions,
    templates,
    tokens,
    workflow,
)
from sdmx_service.rest.asking import in_thread
from sdmx_service.rest.partners import Partners
from sdmx_service.rest.service import SERVICE, Service
from sdmx_service.settings import Settings
from sdmx_service.storage.port import Store
from sdmx_service.submission.loads import forget_cut_off
from sdmx_service.workflow.publishing import Clock, clock, publish_due

log = logging.getLogger(__name__)
_LOOKS = 1.0
"""Seconds between two looks at the release pointer."""
_PAUSE = 10
"""Looks that are left out after a failure."""
_NICE = 15
"""How far the making of files stands back behind answers."""


def build(
    settings: Settings, library: Library, shelf: Shelf | None = None, *, clock: Clock = clock, looks: float = _LOOKS
) -> web.Application:
    """The application over an open store, which stays the caller's to close.

    Args:
        shelf: one that others use too.
        clock: the time of day, which tells what is due.
        looks: seconds between two looks at the clock.
    """
    library.address = library.address or settings.found_at
    application = web.Application(
        middlewares=[api.api_errors],
        client_max_size=settings.max_body,
        handler_args={"max_line_size": max(1 << 20, 2 * settings.max_address)},  # so that we answer a too long one
    )
    application.add_routes(handlers.routes())
    for room in (bulk, confidentiality, counts, differences, submissions, workflow, tokens, accounts, api, openapi):
        application.add_routes(room.routes())
    for room in (templates, mappings, map_travel, sources):
        application.add_routes(room.routes())
    pages.install(application)
    application.on_response_prepare.append(handlers.on_prepare)
    application.cleanup_ctx.append(_service(settings, library, shelf or _shelf(settings, library), clock))
    application.cleanup_ctx.append(_scheduler(looks))
    return application


def _shelf(settings: Settings, library: Library) -> Shelf:
    return Shelf(settings.bulk_folder, library, Party(id=settings.sender))


def _service(
    settings: Settings, library: Library, shelf: Shelf, clock: Clock
) -> Callable[[web.Application], AsyncIterator[None]]:
    async def run(application: web.Application) -> AsyncIterator[None]:
        openid = None if settings.openid is None else pages.OpenIdClient(OpenIdSettings.read(settings.openid))
        takes_tokens = openid is not None and openid.settings.audience is not None
        with ThreadPoolExecutor(settings.threads, thread_name_prefix="answer") as executor:
            application[SERVICE] = Service(
                library=library,
                shelf=shelf,
                sender=Party(id=settings.sender),
                executor=executor,
                gate=Gate(library.store, aside=executor.submit),
                recognise=openid.recognise if openid is not None and takes_tokens else None,
                proxies=settings.proxies,
                streams=asyncio.Semaphore(settings.max_streams),
                max_streams=settings.max_streams,
                max_body=settings.max_body,
                max_query=settings.max_address,
                partners=Partners.of(settings.known_partners),
                fetch_seconds=settings.fetch_seconds,
                workspace_memory=settings.workspace_memory,
                scratch=scratch_store,
                clock=clock,
            )
            pages.attach(application, library, executor, _desk(settings, library, openid, executor))
            yield

    return run


def _scheduler(looks: float) -> Callable[[web.Application], AsyncIterator[None]]:
    """While the service runs, what is scheduled is published at its minute; what came due before, at once.

    What other processes left that were killed while they read a file is looked for as often.
    """

    async def run(application: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(_publish_due(application[SERVICE], looks))
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    return run


async def _publish_due(service: Service, looks: float) -> None:
    done: datetime | None = None
    while True:
        minute = service.clock().replace(second=0, microsecond=0)
        if minute != done:
            try:
                await in_thread(
                    service, lambda: publish_due(service.library, service.clock(), memory=service.workspace_memory)
                )
                await in_thread(service, lambda: forget_cut_off(service.library.store))
                done = minute
            except Exception:  # whatever it is, it must not end the publishing at the hour of everything else
                log.exception("what is due could not be published; the next attempt follows")
                await asyncio.sleep(_PAUSE * looks)
        await asyncio.sleep(looks)


def _desk(settings: Settings, library: Library, openid: pages.OpenIdClient | None, executor: Executor) -> pages.Desk:
    """What signing in and sending need; secrets that earlier versions kept plain are sealed."""
    minutes, seal = timedelta(minutes=1), Seal(settings.key_path)
    protect_seconds(library.store, seal)
    return pages.Desk(
        library=library,
        doorkeeper=Doorkeeper(library.store, seal=seal, aside=executor.submit),
        scratch=scratch_store,
        lifetimes=Lifetimes(idle=settings.session_idle * minutes, whole=settings.session_whole * minutes),
        address=settings.address,
        openid=openid,
        accounts=settings.accounts,
        proxies=settings.proxies,
        max_body=settings.max_body,
        memory=settings.workspace_memory,
    )


def serve(settings: Settings, announce: Callable[..., None]) -> None:
    """Run the service until it is told to stop; an empty store is filled first; ``announce`` is told the address."""
    choose_memory()
    store = open_store(settings, with_models=True)
    try:
        library = Library(store)
        if store.pointer().generation == 0:
            library.fill(settings.content)
            give_back()
        store.open_models(_dataflows(library))
        shelf = _shelf(settings, library)
        with _holding(settings, store), _preparing(settings, library, shelf):
            web.run_app(
                build(settings, library, shelf), host=settings.host, port=settings.port, access_log=None, print=announce
            )
    finally:
        store.close()


def _dataflows(library: Library) -> Iterator[Selection]:
    """Everything of each dataflow that may hold figures, as it is now."""
    view, cubes = library.view(), set(library.store.cubes())
    for flow in view.catalog.of_type("Dataflow"):
        with suppress(SdmxError):  # a structure that is not whole has no figures
            structure = view.catalog.target(flow.ref).structure
            if (cube := Cube.of(structure)) in cubes:
                yield Selection(
                    structure=structure,
                    cube=cube,
                    context="dataflow",
                    dataflows=(dataflow_name(flow.ref),),
                    release=view.release,
                )


@contextmanager
def _preparing(settings: Settings, library: Library, shelf: Shelf) -> Iterator[None]:
    """While the service runs, a thread makes the files of whole dataflows after each release."""
    kinds = [kind for kind in settings.bulk_kinds.split(",") if kind in KINDS]
    if not kinds:
        yield
        return
    ended = threading.Event()

    def run() -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)  # answers come first
        done: tuple[int, int] | None = None
        while not ended.wait(_LOOKS):
            try:
                view = library.view()  # a new generation may hide other figures
                if (view.release, view.generation) != done:
                    shelf.prepare(kinds, settings.bulk_kept)
                    done = (view.release, view.generation)
            except Exception:  # whatever it is, the files of later releases are made
                log.exception("the files of whole dataflows were not all made; the last that were: %s", done)
                ended.wait(60 * _LOOKS)

    thread = threading.Thread(target=run, name="bulk", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=10)


@contextmanager
def _holding(settings: Settings, store: Store) -> Iterator[None]:
    """While an embedded store is held, commands on the same folder find the service through ``service.json``."""
    if settings.store is not None:
        yield
        return
    note = settings.data / "service.json"
    _forget_last(note, store)
    token, principal = create_token(store, role="administrator", name="commands on the folder of the store")
    with os.fdopen(os.open(note, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"url": f"http://{settings.host}:{settings.port}", "token": token}, file)
    try:
        yield
    finally:
        note.unlink(missing_ok=True)
        revoke_token(store, principal.id)


def _forget_last(note: Path, store: Store) -> None:
    """End the token that a service left which was killed: nobody else holds the store now."""
    with suppress(OSError, ValueError, KeyError, TypeError, NotFound):
        revoke_token(store, str(json.loads(note.read_text())["token"]).partition(".")[0])
    note.unlink(missing_ok=True)
