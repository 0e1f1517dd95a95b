"""``/api/tokens``: the tokens of programs and people, for who gives and takes rights."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

import orjson
from aiohttp import web

from sdmx_service.auth.acts import ROLES, Role
from sdmx_service.auth.principal import Kind, Principal
from sdmx_service.auth.tokens import Grant, grant_token, revoke_token, rotate_token, tokens
from sdmx_service.catalog.catalog import Catalog
from sdmx_service.errors import SyntaxFault
from sdmx_service.rest.asking import document
from sdmx_service.rest.identity import principal_of
from sdmx_service.rest.service import SERVICE
from sdmx_service.submission.reading import named_provider

T = TypeVar("T")
_KNOWN = {"provider", "role", "kind", "name", "expires_at", "dataflows"}


def routes() -> list[web.RouteDef]:
    """The routes of tokens."""
    return [
        web.get("/api/tokens", list_tokens),
        web.post("/api/tokens", make_token),
        web.post("/api/tokens/{id}/rotate", renew_token),
        web.post("/api/tokens/{id}/revoke", end_token),
    ]


async def giver_of_rights(request: web.Request) -> Principal:
    """Who asks, if it may give and take rights.

    Raises:
        NotAllowed: it may not.
    """
    principal = await principal_of(request)
    principal.must("rights")
    return principal


async def in_thread(request: web.Request, work: Callable[[], T]) -> T:
    """Something synchronous, done in a worker thread."""
    return await asyncio.get_running_loop().run_in_executor(request.app[SERVICE].executor, work)


def answer(value: object, status: int = 200) -> web.Response:
    """A JSON answer that nobody keeps: it may hold a secret."""
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return web.Response(status=status, body=orjson.dumps(value, option=orjson.OPT_INDENT_2), headers=headers)


async def wish_of(request: web.Request, known: set[str], example: str) -> dict[str, Any]:
    """The JSON object in a body.

    Raises:
        SyntaxFault: it is none, or has members that are not known.
        TooLarge: it is larger than a question may be.
    """
    wish = await document(request)
    if not isinstance(wish, dict) or set(wish) - known:
        hint = f"Send {example}; known: {', '.join(sorted(known))}."
        raise SyntaxFault("The body is no JSON object of these members.", hint=hint)
    return wish


async def list_tokens(request: web.Request) -> web.StreamResponse:
    """``GET /api/tokens``: the tokens there are, without their secrets."""
    await giver_of_rights(request)
    store = request.app[SERVICE].library.store
    return answer({"tokens": await in_thread(request, lambda: tokens(store))})


async def make_token(request: web.Request) -> web.StreamResponse:
    """``POST /api/tokens`` with ``{"provider": REF}`` or ``{"role": ROLE}`` and more: a new token, shown once."""
    principal, library = await giver_of_rights(request), request.app[SERVICE].library
    wish = await wish_of(request, _KNOWN, '{"role": "publisher"}')

    def create() -> str:
        return grant_token(library.store, grant_of(wish, library.view().catalog), principal)[0]

    return answer({"token": await in_thread(request, create)}, 201)


def grant_of(wish: Mapping[str, Any], catalog: Catalog) -> Grant:
    """What a wish asks for; null counts as not said.

    Raises:
        SyntaxFault: a member has no sense.
        NotFound: there is no such provider or dataflow.
    """
    said = {name: value for name, value in wish.items() if value is not None}
    provider, role = provider_or_role(said, catalog)
    kind, name, ends = said.get("kind", "system"), said.get("name", ""), said.get("expires_at")
    flows = said.get("dataflows")
    if kind not in ("person", "system") or not isinstance(name, str):
        raise SyntaxFault("A token is of a person or of a system, and its name is a text.")
    if flows is not None and (not isinstance(flows, list) or not all(isinstance(one, str) for one in flows)):
        raise SyntaxFault("dataflows is a list of references.", hint='For example ["AGENCY:ID"].')
    return Grant(
        role=role,
        provider=provider,
        kind=cast(Kind, kind),
        name=name,
        expires_at=None if ends is None else _moment(ends),
        dataflows=None if flows is None else tuple(catalog.named(one, "Dataflow").ref for one in flows),
    )


def provider_or_role(said: Mapping[str, Any], catalog: Catalog) -> tuple[Any, Role]:
    """The provider (as reference) and the role that a wish names; a provider alone means that role.

    Raises:
        SyntaxFault: neither or both are said, or the role is none.
    """
    provider, role = said.get("provider"), said.get("role")
    if role == "provider" and provider is not None:
        role = None
    is_text = isinstance(provider if role is None else role, str)
    if (provider is None) == (role is None) or not is_text or (role is not None and role not in ROLES[1:]):
        raise SyntaxFault("Give either a provider or a role.", hint=f"Roles: {', '.join(ROLES[1:])}.")
    if provider is not None:
        return named_provider(str(provider), catalog), "provider"
    return None, cast(Role, role)


def _moment(text: object) -> datetime:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        raise SyntaxFault(f"{text!r} is no moment.", hint="Write it as 2030-01-31 or 2030-01-31T12:00:00Z.") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


async def renew_token(request: web.Request) -> web.StreamResponse:
    """``POST /api/tokens/ID/rotate``: another secret for the same token, shown once; the old one is no good."""
    principal, library = await giver_of_rights(request), request.app[SERVICE].library
    id = request.match_info["id"]
    return answer({"token": await in_thread(request, lambda: rotate_token(library.store, id, by=principal))})


async def end_token(request: web.Request) -> web.StreamResponse:
    """``POST /api/tokens/ID/revoke``."""
    principal, library = await giver_of_rights(request), request.app[SERVICE].library
    id = request.match_info["id"]
    await in_thread(request, lambda: revoke_token(library.store, id, by=principal))
    return answer({"revoked": id})
