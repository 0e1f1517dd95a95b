"""``/api/accounts``: the accounts of people, for who gives and takes rights. Nobody reads a password here."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sdmx_service.auth.accounts import (
    INVITED_DAYS,
    accounts,
    create_account,
    forget_second_factor,
    invite,
    remove_account,
    set_disabled,
    set_password,
)
from sdmx_service.auth.sessions import sign_out
from sdmx_service.errors import NotFound, SyntaxFault
from sdmx_service.rest.service import SERVICE
from sdmx_service.rest.tokens import answer, giver_of_rights, in_thread, provider_or_role, wish_of

_STEPS = ("invite", "password", "disable", "enable", "sign-out", "forget-factor", "remove")


def routes() -> list[web.RouteDef]:
    """The routes of accounts."""
    return [
        web.get("/api/accounts", list_accounts),
        web.post("/api/accounts", make_account),
        web.post("/api/accounts/{name}/{act}", change_account),
    ]


async def list_accounts(request: web.Request) -> web.StreamResponse:
    """``GET /api/accounts``: the accounts there are."""
    await giver_of_rights(request)
    store = request.app[SERVICE].library.store
    return answer({"accounts": await in_thread(request, lambda: accounts(store))})


async def make_account(request: web.Request) -> web.StreamResponse:
    """``POST /api/accounts`` with name, provider or role, perhaps display: 201 with the invitation, shown once."""
    by, library = await giver_of_rights(request), request.app[SERVICE].library
    wish = await wish_of(request, {"name", "provider", "role", "display"}, '{"name": "maria", "role": "publisher"}')
    said = {name: value for name, value in wish.items() if value is not None}
    name, display = said.get("name"), said.get("display", "")
    if not isinstance(name, str) or not isinstance(display, str):
        raise SyntaxFault("An account has a name, which is a text.", hint='Send {"name": "maria", ...}.')

    def make() -> str:
        provider, role = provider_or_role(said, library.view().catalog)
        return create_account(library.store, name, role=role, provider=provider, display=display, by=by)

    return answer(_invitation(name, await in_thread(request, make)), 201)


def _invitation(name: str, invitation: str) -> dict[str, Any]:
    return {"name": name, "invitation": f"/account/invitation/{invitation}", "days": INVITED_DAYS}


async def change_account(request: web.Request) -> web.StreamResponse:
    """``POST /api/accounts/NAME/invite``, ``password`` (with ``{"password": ...}``), ``disable``, ``enable``, ...

    ``sign-out`` ends the account's sessions (or those of ``ID@openid``, who signed in elsewhere), ``forget-factor``
    takes its second factor away, ``remove`` forgets the account.
    """
    by, store = await giver_of_rights(request), request.app[SERVICE].library.store
    name, step = request.match_info["name"], request.match_info["act"]
    if step == "invite":
        return answer(_invitation(name, await in_thread(request, lambda: invite(store, name, by=by))))
    if step == "password":
        wish = await wish_of(request, {"password"}, '{"password": "..."}')
        if not isinstance(password := wish.get("password"), str):
            raise SyntaxFault("The password is missing.", hint='Send {"password": "..."}.')
        await in_thread(request, lambda: set_password(store, name, password, by=by))
    elif step in ("disable", "enable"):
        await in_thread(request, lambda: set_disabled(store, name, step == "disable", by=by))
    elif step == "sign-out":
        await in_thread(request, lambda: sign_out(store, name, by=by))
    elif step == "forget-factor":
        await in_thread(request, lambda: forget_second_factor(store, name, by=by))
    elif step == "remove":
        await in_thread(request, lambda: remove_account(store, name, by=by))
    else:
        raise NotFound(f"There is no step {step!r} of an account.", hint=f"There are {', '.join(_STEPS)}.")
    return answer({"name": name, "done": step})
