"""Files fetched from partners: only from whom the operator lists, never from a private address, bounded in size and time."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from sdmx_service.app.application import build
from sdmx_service.auth import create_token
from sdmx_service.cli import main
from sdmx_service.errors import NotAllowed, SdmxError, SyntaxFault, TooLarge, Unreachable
from sdmx_service.rest import partners as module
from sdmx_service.rest.partners import Fetched, Partners, fetch
from sdmx_service.settings import Settings
from sdmx_service.submission.reading import named_provider
from tests.harness import House, open_house

CONTENT = Path(__file__).parent.parent / "second_domain" / "content"
ROWS = b"""STRUCTURE,STRUCTURE_ID,ACTION,FREQ,PORT,FISH,TIME_PERIOD,WEIGHT,STATUS,UNIT
dataflow,SEA:DF_CATCH(1.0.0),M,M,SOU,COD,2024-01,16.10,A,kg
"""
LISTED = Partners.of("sdmx.example.org, data.example.org:8443")


@pytest.mark.parametrize(
    "url", ["https://sdmx.example.org/a?b=c", "https://SDMX.example.org:443/", "https://data.example.org:8443/x"]
)
def test_partners_are_asked(url: str) -> None:
    LISTED.check(URL(url))


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://sdmx.example.org/a", NotAllowed), ("https://sdmx.example.org:8443/", NotAllowed),
        ("https://data.example.org/", NotAllowed), ("https://example.org/", NotAllowed),
        ("https://sdmx.example.org.evil.test/", NotAllowed), ("https://evil.test/#sdmx.example.org", NotAllowed),
        ("https://sdmx.example.org@evil.test/", NotAllowed), ("https://me:secret@sdmx.example.org/", NotAllowed),
        ("https://127.0.0.1/", NotAllowed), ("https://[::1]/", NotAllowed), ("https://169.254.169.254/latest/meta-data", NotAllowed),
        ("file:///etc/passwd", SyntaxFault), ("ftp://sdmx.example.org/", SyntaxFault), ("gopher://x/", SyntaxFault),
        ("/etc/passwd", SyntaxFault), ("", SyntaxFault), ("https://", SyntaxFault),
    ],
)  # fmt: skip
def test_nobody_else_is(url: str, fault: type[SdmxError]) -> None:
    with pytest.raises(fault):
        LISTED.check(URL(url))
    with pytest.raises(fault):
        asyncio.run(fetch(url, io.BytesIO(), LISTED, limit=10, seconds=1))


def test_http_is_for_this_machine_alone() -> None:
    with pytest.raises(NotAllowed, match="HTTPS only"):
        Partners.of("http://sdmx.example.org").check(URL("http://sdmx.example.org/"))
    Partners.of("http://127.0.0.1:81").check(URL("http://127.0.0.1:81/"))


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "::1", "::",
     "fe80::1", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1", "255.255.255.255"],
)  # fmt: skip
def test_private_addresses_are_reached_only_where_listed(address: str) -> None:
    assert not LISTED.allows(ip_address(address))
    assert not Partners.of("10.9.0.0/16").allows(ip_address(address))
    assert Partners.of("0.0.0.0/0, ::/0").allows(ip_address(address))


def test_public_addresses_are_reached() -> None:
    for address in ("147.67.34.45", "2a01:7080:24:100::666:45", "64:ff9b::9343:222d"):
        assert LISTED.allows(ip_address(address))


@pytest.mark.parametrize("text", ["https://", "a b", "ftp://x", "1.2.3.4/99", "https://x/y/z"])
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(SyntaxFault):
        Partners.of(text)


@given(st.text(max_size=40) | st.builds("https://{}{}".format, st.text(max_size=20), st.text(max_size=20)))
def test_any_address_is_refused_in_words(text: str) -> None:
    with pytest.raises(SdmxError):
        asyncio.run(fetch(text, io.BytesIO(), LISTED, limit=10, seconds=0.001))


def test_the_content_lists_hosts() -> None:
    found = Partners.of(Settings().known_partners)
    assert ("https", "ec.europa.eu", 443) in found.origins
    assert not found.networks
    assert Settings(partners="a.org").known_partners == "a.org"
    assert Settings(content=Path("nowhere")).known_partners == ""


# ---------------------------------------------------------------------------------------------------------- fetching

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _answers(**by_path: Handler) -> web.Application:
    application = web.Application()
    for name, handler in by_path.items():
        application.router.add_get(f"/{name}", handler)
    return application


async def _csv(request: web.Request) -> web.StreamResponse:
    assert "Authorization" not in request.headers
    assert request.headers["Accept-Encoding"] == "identity"
    said = {
        "Content-Type": "application/vnd.sdmx.data+csv;version=2.0.0",
        "Content-Disposition": 'attachment; filename="c.csv"',
    }
    return web.Response(body=ROWS, headers=said)


async def _big(_: web.Request) -> web.StreamResponse:
    return web.Response(body=bytes(5000))


async def _slow(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(5)
    return web.Response(body=b"x")


async def _sent_on(_: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("/csv")


async def _sent_away(_: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("http://169.254.169.254/latest")


async def _in_circles(_: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("/circle")


async def _gone(_: web.Request) -> web.StreamResponse:
    raise web.HTTPNotFound


async def _empty(_: web.Request) -> web.StreamResponse:
    return web.Response()


@pytest.fixture
async def partner() -> AsyncIterator[TestServer]:
    application = _answers(
        csv=_csv, big=_big, slow=_slow, on=_sent_on, away=_sent_away, circle=_in_circles, gone=_gone, empty=_empty
    )
    async with TestServer(application) as server:
        yield server


async def fetched(server: TestServer, path: str, *, limit: int = 1000, seconds: float = 20) -> tuple[Fetched, bytes]:
    target = io.BytesIO()
    found = await fetch(
        f"http://127.0.0.1:{server.port}/{path}", target, Partners.of(f"http://127.0.0.1:{server.port}"), limit=limit,
        seconds=seconds,
    )  # fmt: skip
    return found, target.read()


async def test_a_file_comes_with_its_name_and_type(partner: TestServer) -> None:
    for path in ("csv", "csv?x=1", "on"):
        found, body = await fetched(partner, path)
        assert body == ROWS
        assert found == Fetched(name="c.csv", media_type="application/vnd.sdmx.data+csv;version=2.0.0")
    found, _ = await fetched(partner, "big", limit=5000)
    assert found.name == "big"


@pytest.mark.parametrize(
    ("path", "fault", "words"),
    [
        ("away", Unreachable, "sends on to 169.254.169.254"), ("circle", Unreachable, "more than 3 times"),
        ("gone", Unreachable, "answers 404"), ("empty", Unreachable, "empty"), ("big", TooLarge, "1000 bytes"),
        ("slow", Unreachable, "within 0.2 seconds"),
    ],
)  # fmt: skip
async def test_what_is_not_taken(partner: TestServer, path: str, fault: type[SdmxError], words: str) -> None:
    with pytest.raises(fault, match=words):
        await fetched(partner, path, seconds=0.2 if path == "slow" else 20)


async def test_a_name_that_means_a_private_address_is_not_asked(
    partner: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://localhost:{partner.port}/csv"
    with pytest.raises(NotAllowed, match="private address"):
        await fetch(url, io.BytesIO(), Partners.of(f"http://localhost:{partner.port}"), limit=1000, seconds=5)
    allowed = Partners.of(f"http://localhost:{partner.port}, 127.0.0.0/8, ::1")
    assert (await fetch(url, io.BytesIO(), allowed, limit=1000, seconds=5)).name == "c.csv"
    looked_up = []

    async def once(*given: Any, **named: Any) -> Any:
        looked_up.append(given)
        address = "127.0.0.1" if len(looked_up) == 1 else "192.0.2.1"
        return [(2, 1, 6, "", (address, partner.port))]

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "getaddrinfo", once)
    assert (await fetch(url, io.BytesIO(), allowed, limit=1000, seconds=5)).name == "c.csv"
    assert len(looked_up) == 1  # what was checked is what is connected to
    monkeypatch.undo()
    assert module.NO_PARTNERS.origins == frozenset()


async def test_nobody_there_is_said() -> None:
    with pytest.raises(Unreachable, match="does not answer"):
        await fetch("http://127.0.0.1:1/x", io.BytesIO(), Partners.of("http://127.0.0.1:1"), limit=10, seconds=5)


# ------------------------------------------------------------------------------------------------------- submissions


@pytest.fixture
def house(tmp_path: Path) -> Any:
    with open_house(f"duckdb:///{tmp_path / 'store.duckdb'}", CONTENT) as opened:
        yield opened


async def test_a_submission_by_address(house: House, partner: TestServer) -> None:
    settings = Settings(partners=f"http://127.0.0.1:{partner.port}", content=CONTENT)
    provider = named_provider("SEA.HARBOUR", house.library.view().catalog)
    token, _ = create_token(house.library.store, role="provider", provider=provider)
    reader, _ = create_token(house.library.store, role="reader")
    address = f"http://127.0.0.1:{partner.port}/csv"
    async with TestClient(TestServer(build(settings, house.library))) as client:
        path = "/api/submissions"
        said = {"Authorization": f"Bearer {token}"}
        async with client.post(path, params={"url": address}, headers=said) as answer:
            receipt = await answer.json()
            assert (answer.status, receipt["status"], receipt["file"]["name"]) == (201, "accepted", "c.csv")
            assert receipt["dataflows"][0]["counts"]["observations"] == 1
        for url, headers, body, status in (
            (address, {}, None, 401),
            (address, {"Authorization": f"Bearer {reader}"}, None, 403),
            (address, said, b"x", 400),
            ("http://127.0.0.1:1/csv", said, None, 403),
            ("nonsense", said, None, 400),
            (address.replace("csv", "gone"), said, None, 502),
        ):
            async with client.post(path, params={"url": url}, headers=headers, data=body) as answer:
                assert answer.status == status, await answer.text()
                assert answer.content_type == "application/problem+json"


async def test_a_submission_from_the_command_line(
    partner: TestServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address, hosts = f"http://127.0.0.1:{partner.port}/csv", f"http://127.0.0.1:{partner.port}"
    common = ["--data", str(tmp_path), "--content", str(CONTENT), "--from", address, "--provider", "SEA.HARBOUR"]

    async def run(*arguments: str) -> int:
        return await asyncio.to_thread(main, list(arguments))

    assert await run("check", *common, "--partners", hosts, "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["receipt"]["dataflows"][0]["counts"]["observations"] == 1
    assert await run("submit", *common, "--partners", hosts) == 0
    assert "accepted" in capsys.readouterr().out
    assert await run("submit", *common) == 2
    assert "is no partner" in capsys.readouterr().err
    assert await run("submit", "--data", str(tmp_path)) == 2
    assert "No file is named" in capsys.readouterr().err
