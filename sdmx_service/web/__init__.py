"""Pages for people: server-rendered, usable without JavaScript, every view an address that can be shared and cited."""

from concurrent.futures import Executor

from aiohttp import web

from sdmx_service.catalog.library import Library
from sdmx_service.web import account, handlers, life, openid, sending
from sdmx_service.web.asking import PAGES, TEMPLATES, Pages, protect
from sdmx_service.web.desk import DESK, Desk
from sdmx_service.web.holdings import Holdings
from sdmx_service.web.openid_client import OpenIdClient
from sdmx_service.web.rendering import STATIC, environment

__all__ = ["Desk", "OpenIdClient", "attach", "install"]


def install(application: web.Application) -> None:
    """Add routes and static files.

    To be called after the machines' routes: an unknown address below none of them gets the pages' own *not found*.
    """
    application[TEMPLATES] = environment()
    application.router.add_static("/static", STATIC)
    for room in (account, openid, sending, life, handlers):
        application.add_routes(room.routes())
    application.on_response_prepare.append(protect)


def attach(application: web.Application, library: Library, executor: Executor, desk: Desk) -> None:
    """Give the pages what they read from, and what signing in needs; to be called at start-up."""
    application[PAGES] = Pages(holdings=Holdings(library), executor=executor)
    application[DESK] = desk
