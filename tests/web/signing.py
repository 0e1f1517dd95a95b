"""The orchard with somebody to sign in, and a client that fills in forms as a browser would."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import FormData
from aiohttp.test_utils import TestClient, TestServer
from lxml import html

from sdmx_service.app.application import build
from sdmx_service.auth.accounts import accept_invitation, create_account
from sdmx_service.catalog.library import Library
from sdmx_service.settings import Settings
from tests.auth.providers import CLIENT, SECRET, Provider
from tests.web.orchard import CONCEPTS, PROVIDER

GOOD = "pears under the snow"
RULES = [
    {"claim": "groups", "matches": "nso-harbour", "role": "provider", "provider": "ORCH.GUILD"},
    {"claim": "groups", "is": "nso-lost", "role": "provider", "provider": "ORCH.NOBODY"},
    {"claim": "groups", "is": "press", "role": "reader"},
]


def add_accounts(library: Library) -> None:
    """Maria sends for the guild, Rita only reads."""
    accept_invitation(
        library.store, create_account(library.store, "maria", role="provider", provider=PROVIDER, display="Maria"), GOOD
    )
    accept_invitation(library.store, create_account(library.store, "rita", role="reader"), GOOD)


def figures(*lines: str) -> bytes:
    """A message of rows ``FREQ,FRUIT,FARM,TIME_PERIOD,WEIGHT,OBS_STATUS,NOTE,TITLE``."""
    head = "STRUCTURE,STRUCTURE_ID,ACTION," + ",".join(CONCEPTS)
    return "\n".join([head, *(f"dataflow,ORCH:DF_HARVEST(1.0.0),M,{line}" for line in lines), ""]).encode()


RIGHT = figures("A,PEAR,F1,2021,5,A,,The harvest")
WRONG = figures(
    "A,PEAR,F1,2021,5,A,,The harvest", "A,PAER,F1,2021,5,A,,The harvest", "A,PEAR,F1,2021-13,6,A,,The harvest"
)


class Seen(NamedTuple):
    """A page as it came."""

    status: int
    location: str | None
    cookies: list[str]
    headers: Any
    page: html.HtmlElement

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.page.xpath("//main")[0].itertext()).split())

    @property
    def form_token(self) -> str:
        return str(self.page.xpath("//input[@name='form_token']/@value")[0])


class Visitor:
    """Somebody with a browser: cookies are kept, forms are sent with what they carry."""

    def __init__(self, client: TestClient[Any, Any]) -> None:
        self.client = client

    async def ask(self, method: str, path: str, **more: Any) -> Seen:
        async with self.client.request(method, path, allow_redirects=False, **more) as answer:
            body = await answer.read()
            page = html.document_fromstring(body or b"<main></main>")
            cookies = answer.headers.getall("Set-Cookie", [])
            return Seen(answer.status, answer.headers.get("Location"), cookies, answer.headers, page)

    async def get(self, path: str, **more: Any) -> Seen:
        return await self.ask("GET", path, **more)

    async def send(self, page: str, path: str | None = None, **fields: str) -> Seen:
        """Open a page, and send a form from it."""
        token = (await self.get(page)).form_token
        return await self.ask("POST", path or page, data={"form_token": token, **fields})

    async def sign_in(self, name: str = "maria", password: str = GOOD) -> Seen:
        return await self.send("/account/sign-in", name=name, password=password)

    async def upload(self, file: bytes, name: str = "harvest.csv", act: str = "send", **fields: str) -> Seen:
        form = FormData()
        for field, value in {"form_token": (await self.get("/sending")).form_token, "act": act, **fields}.items():
            form.add_field(field, value)
        form.add_field("file", file, filename=name, content_type="text/csv")
        return await self.ask("POST", "/sending", data=form)

    def forget(self) -> None:
        """Throw all cookies away."""
        self.client.session.cookie_jar.clear()

    def cookie(self, name: str = "session") -> str:
        """The value of a cookie that the browser keeps."""
        return next((one.value for one in self.client.session.cookie_jar if one.key == name), "")


@asynccontextmanager
async def visiting(library: Library, **settings: Any) -> AsyncIterator[Visitor]:
    """The service over a library, and a visitor who is not signed in."""
    async with TestClient(TestServer(build(Settings(**settings), library))) as client:
        yield Visitor(client)


@asynccontextmanager
async def running(provider: Provider) -> AsyncIterator[Provider]:
    """The provider at an address."""
    server = TestServer(provider.application())
    await server.start_server()
    provider.issuer = str(server.make_url("")).rstrip("/")
    try:
        yield provider
    finally:
        await server.close()


def openid_file(folder: Path, provider: Provider, **more: Any) -> Path:
    """The settings that name the provider."""
    path = folder / "openid.json"
    known = {
        "issuer": provider.issuer,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "label": "the ministry",
        "rules": RULES,
    }
    path.write_text(json.dumps(known | more))
    return path
