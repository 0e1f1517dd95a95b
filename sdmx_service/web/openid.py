"""Signing in at an OpenID Connect provider: there, and back with a code."""

from __future__ import annotations

from aiohttp import web

from sdmx_service.auth.openid import Attempt, sign_in_address
from sdmx_service.auth.principal import Principal
from sdmx_service.auth.sessions import end_session, new_secret, open_session
from sdmx_service.errors import NotAllowed, NotAuthenticated, NotFound, SdmxError
from sdmx_service.submission.reading import named_provider
from sdmx_service.web.asking import Shown
from sdmx_service.web.desk import (
    DESK,
    Case,
    at_desk,
    cookie_name,
    forget_cookie,
    origin_of,
    set_cookie,
)
from sdmx_service.web.openid_client import OpenIdClient

_COOKIE = "openid"
_MINUTES = 10
"""Minutes that somebody may take to sign in."""
_BACK = "/account/openid/callback"


def routes() -> list[web.RouteDef]:
    """The routes of sign-in elsewhere."""
    return [web.get("/account/openid", leave), web.get(_BACK, come_back)]


def _client(request: web.Request) -> OpenIdClient:
    client = request.app[DESK].openid
    if client is None:
        raise NotFound(f"There is nothing at {request.path}.")
    return client


async def leave(request: web.Request) -> web.StreamResponse:
    """``GET /account/openid``: to the provider, with the secrets of this attempt in the browser's cookie."""
    try:
        client = _client(request)
        discovery = await client.discovery()
    except SdmxError as error:
        return await _failed(request, error)
    attempt = Attempt(seed=new_secret())
    address = sign_in_address(discovery, client.settings, attempt, origin_of(request) + _BACK)
    response = web.Response(status=303, headers={"Location": address, "Cache-Control": "no-store"})
    set_cookie(request, response, _COOKIE, attempt.seed, max_age=60 * _MINUTES)
    return response


async def come_back(request: web.Request) -> web.StreamResponse:
    """``GET /account/openid/callback``: a session for who signed in, always a new one."""
    try:
        principal = await _redeemed(request, _client(request))
    except SdmxError as error:
        response = await _failed(request, error)
    else:
        response = await at_desk(lambda case: _welcome(case, principal), open_to_all=True)(request)
    if isinstance(response, web.Response):
        forget_cookie(request, response, _COOKIE)
    return response


async def _redeemed(request: web.Request, client: OpenIdClient) -> Principal:
    """Who signed in.

    Raises:
        NotAuthenticated: the answer belongs to no attempt of this browser, or the provider does not confirm it.
        NotAllowed: no rule gives them a role.
    """
    attempt = Attempt(seed=request.cookies.get(cookie_name(request, _COOKIE), ""))
    if not attempt.fits(request.query.get("state", "")):
        raise NotAuthenticated("This answer belongs to no sign-in of this browser.", hint="Sign in again.")
    if request.query.get("iss", client.settings.issuer) != client.settings.issuer:  # RFC 9207
        raise NotAuthenticated("This answer is of another provider.", hint="Sign in again.")
    if not (code := request.query.get("code", "")):
        raise NotAuthenticated("The sign-in was not finished at the provider.", hint="Sign in again.")
    principal = await client.redeem(code, attempt, origin_of(request) + _BACK)
    if principal is None:
        raise NotAllowed("You are signed in at the provider, and have no role here.", hint="Ask an administrator.")
    return principal


def _welcome(case: Case, principal: Principal) -> Shown:
    """A new session in the place of what the browser had."""
    if principal.provider is not None:
        named_provider(principal.provider, case.view.catalog)
    end_session(case.desk.store, case.secret)
    secret = open_session(case.desk.store, principal, case.desk.lifetimes)
    return case.go("/sending" if principal.may("submit") else "/account", secret)


async def _failed(request: web.Request, error: SdmxError) -> web.StreamResponse:
    def show(case: Case) -> Shown:
        case.desk.doorkeeper.refused_elsewhere(error, case.client)
        raise error

    return await at_desk(show, open_to_all=True)(request)
