"""Pages of people who sign in: who is there, forms that were made for them, and answers that nobody else keeps.

The session is a random id in a cookie that no script can read and that only this host gets. Every form carries what
is derived from that id, so that no other site can send one (CSRF); a visitor without a session has such an id too.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import IO, Any
from urllib.parse import parse_qsl, urlsplit

from aiohttp import BodyPartReader, web

from sdmx_service.auth.accounts import LOCAL, Doorkeeper
from sdmx_service.auth.acts import ActId
from sdmx_service.auth.client_address import client_address
from sdmx_service.auth.principal import Principal
from sdmx_service.auth.sessions import Lifetimes, find_session, form_token, is_form_token, new_secret
from sdmx_service.catalog.library import Library, View
from sdmx_service.errors import NotAllowed, NotAuthenticated, SdmxError, SyntaxFault, TooLarge
from sdmx_service.storage.port import Store
from sdmx_service.submission.submit import SentFile
from sdmx_service.web import addresses
from sdmx_service.web.asking import PAGES, TEMPLATES, Asked, Shown, asked_by, make_page
from sdmx_service.web.openid_client import OpenIdClient

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LARGEST_FORM = 64 * 1024
_LARGEST_FIELD = 4 * 1024
_MOST_FIELDS = 50
_PIECE = 1 << 20
SIGN_IN = "/account/sign-in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What signing in and sending need while the service runs.

    Attributes:
        address: base URL under which others find the service; empty: that of the request.
        openid: the provider at which people sign in, None without one.
        accounts: whether there is sign-in with accounts of the service's own.
        proxies: how many trusted proxies stand in front.
        max_body: bytes of a sent file at most.
        memory: of one check's workspace.
        scratch: opens an empty store for the time of one piece of work.
    """

    library: Library
    doorkeeper: Doorkeeper
    scratch: Callable[[], AbstractContextManager[Store]]
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    address: str = ""
    openid: OpenIdClient | None = None
    accounts: bool = True
    proxies: int = 0
    max_body: int = 1 << 30
    memory: str = "1GB"

    @property
    def store(self) -> Store:
        """Where accounts and sessions are."""
        return self.library.store

    def visitor(self, secret: str) -> Principal | None:
        """Who has signed in with a browser that keeps a secret; None: nobody, or in a way not offered any more."""
        found = find_session(self.store, secret, self.lifetimes)
        if found is None:
            return None
        is_offered = self.accounts if found.id.endswith(LOCAL) else self.openid is not None
        return found if is_offered else None


DESK = web.AppKey("desk", Desk)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request of somebody at the desk.

    Attributes:
        secret: the random id in the browser's cookie, of a session or not.
        principal: who has signed in; None: nobody.
        client: the address that the request came from.
        fields: of the form that was sent; empty for GET.
        file: the file that was sent with it, if any.
    """

    desk: Desk
    view: View
    asked: Asked
    secret: str
    principal: Principal | None
    client: str
    fields: Mapping[str, str] = field(default_factory=dict)
    file: SentFile | None = None

    @property
    def signed_in(self) -> Principal:
        """Who has signed in.

        Raises:
            NotAuthenticated: nobody has.
        """
        if self.principal is None:
            raise NotAuthenticated("You have not signed in.", hint="Sign in first.")
        return self.principal

    def page(self, template: str, status: int = 200, **context: Any) -> Shown:
        """A page for who is there, with what its forms must carry."""
        common = {"principal": self.principal, "form_token": form_token(self.secret), "desk": self.desk}
        return Shown(template=template, context={**common, **context}, status=status)

    def go(self, path: str, session: str | None = None) -> Shown:
        """Another page to go to, perhaps with another session."""
        return Shown(location=addresses.page(path, self.asked.tongue), session=session)


Answerer = Callable[[Case], Shown]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def at_desk(answerer: Answerer, *, open_to_all: bool = False, file_for: ActId | None = None) -> Handler:
    """The handler of a page at the desk.

    Args:
        answerer: makes the page.
        open_to_all: whether one need not have signed in; else whoever has not is led there.
        file_for: the act for which a file may come along; of others none is read, nor of who may not do it.
    """

    async def handle(request: web.Request) -> web.StreamResponse:
        desk, pages, asked = request.app[DESK], request.app[PAGES], asked_by(request)
        kept = request.cookies.get(cookie_name(request, "session"), "")
        secret = kept or new_secret()
        loop = asyncio.get_running_loop()
        with tempfile.TemporaryFile() as spooled:
            refused: Exception | None = None
            sent: tuple[Mapping[str, str], SentFile | None] = {}, None
            if request.method == "POST":
                try:
                    largest = None
                    if file_for is not None and await loop.run_in_executor(pages.executor, _may, desk, kept, file_for):
                        largest = desk.max_body
                    sent = await _read_form(request, secret, spooled, largest)
                except SdmxError as error:
                    refused = error

            def make(holdings: object, view: View, asked: Asked) -> Shown:
                principal = desk.visitor(kept)
                if principal is None and not open_to_all:
                    return Shown(location=addresses.page(SIGN_IN, asked.tongue))
                if refused is not None:
                    raise refused
                case = Case(
                    desk=desk, view=view, asked=asked, secret=secret, principal=principal,
                    client=_client(request, desk), fields=sent[0], file=sent[1],
                )  # fmt: skip
                return answerer(case)

            work = (make, pages.holdings, asked, request.app[TEMPLATES])
            shown, body = await loop.run_in_executor(pages.executor, make_page, *work)
        # Only a page gives an id: what another site had the browser send comes without one, and must not replace it.
        made = secret if not kept and request.method != "POST" else None
        return _respond(request, shown, body, asked, made)

    return handle


def _may(desk: Desk, secret: str, act: ActId) -> bool:
    """Whether somebody has signed in who may do something.

    Raises:
        NotAllowed: somebody has who may not.
    """
    principal = desk.visitor(secret)
    if principal is not None:
        principal.must(act)
    return principal is not None


def _client(request: web.Request, desk: Desk) -> str:
    return client_address(request.headers.getall("X-Forwarded-For", ()), request.remote, desk.proxies)


def _respond(request: web.Request, shown: Shown, body: bytes, asked: Asked, made: str | None) -> web.Response:
    """The answer, kept by nobody; with the cookie that the browser is to keep from now on."""
    headers = {"Cache-Control": "no-store", "Vary": "Cookie, Accept-Language"}
    if shown.location is not None:
        response = web.Response(status=303, headers=headers | {"Location": shown.location})
    elif shown.file is not None:
        response = web.Response(status=shown.status, body=body, headers=headers | dict(shown.headers))
    else:
        headers |= {"Content-Type": "text/html; charset=utf-8", "Content-Language": asked.tongue.page}
        response = web.Response(status=shown.status, body=body, headers=headers)
    if shown.session == "":
        forget_cookie(request, response, "session")
    elif (value := shown.session or made) is not None:
        set_cookie(request, response, "session", value)
    return response


# --- cookies --------------------------------------------------------------------------------------------------------
def origin_of(request: web.Request) -> str:
    """Scheme and host under which the browser knows the service."""
    return request.app[DESK].address.rstrip("/") or f"{request.scheme}://{request.host}"


def _is_secure(request: web.Request) -> bool:
    """Everywhere but on this machine itself, where a browser is asked without encryption."""
    parts = urlsplit(origin_of(request))
    return not (parts.scheme == "http" and parts.hostname in _LOOPBACK and request.url.host in _LOOPBACK)


def cookie_name(request: web.Request, name: str) -> str:
    """The name of a cookie; with ``__Host-`` the browser itself sees to it that only this host can have set it."""
    return f"__Host-{name}" if _is_secure(request) else name


def set_cookie(request: web.Request, response: web.Response, name: str, value: str, max_age: int | None = None) -> None:
    """Let the browser keep a secret until it is closed, or so many seconds."""
    response.set_cookie(
        cookie_name(request, name), value, max_age=max_age, path="/", httponly=True, samesite="Lax",
        secure=_is_secure(request),
    )  # fmt: skip


def forget_cookie(request: web.Request, response: web.Response, name: str) -> None:
    """Let the browser forget a secret."""
    response.del_cookie(cookie_name(request, name), path="/", httponly=True, samesite="Lax", secure=_is_secure(request))


# --- forms ----------------------------------------------------------------------------------------------------------
async def _read_form(
    request: web.Request, secret: str, spooled: IO[bytes], largest: int | None
) -> tuple[Mapping[str, str], SentFile | None]:
    """The fields of a form and the file with it; read no further than the form's own token if that is not right.

    Args:
        request: what came.
        secret: of the browser, from which the form's token is derived.
        spooled: where the file goes.
        largest: bytes of a file at most; None: none is taken.

    Raises:
        NotAllowed: another site made the form, or an earlier session did.
        SyntaxFault: it cannot be read.
        TooLarge: fields or file are too large.
    """
    _check_origin(request)
    if request.content_type != "multipart/form-data" or largest is None:
        return await _read_plain_form(request, secret), None
    fields: dict[str, str] = {}
    file: SentFile | None = None
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader) or not part.name:
                raise SyntaxFault("The form cannot be read.")
            if part.filename is None and part.name != "file" and len(fields) < _MOST_FIELDS:
                fields[part.name] = await _text(part)
                continue
            _check_token(secret, fields)
            if part.filename and file is None:
                await _spool(part, spooled, largest)
                file = SentFile(file=spooled, name=part.filename[-200:], media_type=part.headers.get("Content-Type"))
    except (ValueError, AssertionError, web.RequestPayloadError) as error:
        raise SyntaxFault("The form cannot be read.", hint="Send it again.") from error
    _check_token(secret, fields)
    return fields, file


async def _read_plain_form(request: web.Request, secret: str) -> Mapping[str, str]:
    if request.content_type != "application/x-www-form-urlencoded":
        raise SyntaxFault("This is no form.")
    body = b""
    try:
        while piece := await request.content.read(_LARGEST_FORM):
            body += piece
            if len(body) > _LARGEST_FORM:
                raise TooLarge("The form is too large.")
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except (ValueError, web.RequestPayloadError) as error:
        raise SyntaxFault("The form cannot be read.", hint="Send it again.") from error
    _check_token(secret, fields)
    return fields


async def _text(part: BodyPartReader) -> str:
    found = b""
    while piece := await part.read_chunk(_LARGEST_FIELD):
        found += piece
        if len(found) > _LARGEST_FIELD:
            raise TooLarge("A field of the form is too large.")
    return found.decode("utf-8", "replace")


async def _spool(part: BodyPartReader, target: IO[bytes], largest: int) -> None:
    size = 0
    while piece := await part.read_chunk(_PIECE):
        size += len(piece)
        if size > largest:
            raise TooLarge(f"The file is larger than {largest} bytes.", hint="Send it in parts.")
        target.write(piece)
    target.seek(0)


def _check_origin(request: web.Request) -> None:
    """Refuse what a browser says that another site sent."""
    origin = request.headers.get("Origin")
    own = {request.host, urlsplit(origin_of(request)).netloc}
    is_foreign = origin is not None and urlsplit(origin).netloc not in own
    if is_foreign or request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise NotAllowed("Another site sent this form.", hint="Open the page here, and send it from there.")


def _check_token(secret: str, fields: Mapping[str, str]) -> None:
    if not is_form_token(secret, fields.get("form_token", "")):
        raise NotAllowed("This form is out of date.", hint="Open the page again, and send it from there.")
