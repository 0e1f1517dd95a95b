"""The edge over a real socket: negotiation, language, caching, methods, errors in the negotiated family, streams."""

from __future__ import annotations

import asyncio
import struct
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pyarrow as pa
import pytest
import yarl
from aiohttp import web
from lxml import etree

from sdmx_service.app.application import build
from sdmx_service.catalog.library import Library
from sdmx_service.model.selection import Selection
from sdmx_service.settings import Settings
from tests.harness import CSV, GENERIC, JSON, XML, House
from tests.rest.fishery import CATCH, HARBOUR, KEY, open_fishery, send
from tests.rest.reading_back import json_validator, xml_schema

DATA = "/sdmx/v2/data/dataflow/SEA/DF_CATCH/1.0.0"
OLD = "/sdmx/v1/data/SEA,DF_CATCH,1.0.0"
LIST = "/sdmx/v2/structure/codelist/SEA/CL_AREA"


class Client:
    """A raw client of a running service: addresses go out as they are written."""

    def __init__(self, port: int, session: aiohttp.ClientSession) -> None:
        self.port, self._session = port, session

    async def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, Mapping[str, str], bytes]:
        url = yarl.URL(f"http://127.0.0.1:{self.port}{path}", encoded=True)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._session.request(method, url, headers=sent) as answer:
            return answer.status, answer.headers, await answer.read()


@asynccontextmanager
async def running(library: Library, **settings: Any) -> AsyncIterator[Client]:
    runner = web.AppRunner(build(Settings(**settings), library))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with aiohttp.ClientSession(auto_decompress=False, headers={"Accept-Encoding": "identity"}) as session:
            yield Client(port, session)
    finally:
        await runner.cleanup()


def asked(house: House, path: str, method: str = "GET", **headers: str) -> tuple[int, Mapping[str, str], bytes]:
    async def run() -> tuple[int, Mapping[str, str], bytes]:
        async with running(house.library) as client:
            return await client.ask(path, method, **headers)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("path", "accept", "content_type"),
    [
        (DATA, "*/*", "application/vnd.sdmx.data+json;version=2.1.0"),
        (DATA, "text/html,*/*", "application/vnd.sdmx.data+json;version=2.1.0"),
        (OLD, "*/*", "application/vnd.sdmx.genericdata+xml;version=2.1"),
        (DATA, "application/vnd.sdmx.data+csv;version=2.1.0;labels=both", "application/vnd.sdmx.data+csv;version=2.1.0;labels=both"),
        (DATA, "application/vnd.sdmx.data+xml;version=3.0+.0", "application/vnd.sdmx.data+xml;version=3.1.0"),
        (LIST, "*/*", "application/vnd.sdmx.structure+json;version=2.1.0"),
        ("/sdmx/v1/codelist/SEA/CL_AREA", "*/*", "application/vnd.sdmx.structure+xml;version=2.1"),
        ("/sdmx/v2/availability/dataflow/SEA/DF_CATCH/1.0.0", "*/*", "application/vnd.sdmx.structure+json;version=2.1.0"),
    ],
)  # fmt: skip
def test_content_type_is_exact(fishery: House, path: str, accept: str, content_type: str) -> None:
    status, headers, _ = asked(fishery, path, Accept=accept)
    assert (status, headers["Content-Type"]) == (200, content_type)
    assert headers["Vary"] == "Accept, Accept-Encoding, Accept-Language"
    assert headers["Server-Timing"].startswith("first;dur=")
    assert headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("wish", "query", "language", "name"),
    [
        (None, "", "en", "The CL_AREA"),
        ("fr", "", "fr", "Le CL_AREA"),
        ("fr-CA, en;q=0.5", "", "fr", "Le CL_AREA"),
        ("ru, en-gb;q=0.8, fr;q=0.1", "", "en", "The CL_AREA"),
        ("en, *;q=0.1", "", "en", "The CL_AREA"),
        ("en", "?lang=fr", "fr", "Le CL_AREA"),
        ("*", "", None, None),
        ("fr", "?lang=all", None, None),
    ],
)
def test_language(fishery: House, wish: str | None, query: str, language: str | None, name: str | None) -> None:
    headers = {} if wish is None else {"Accept_Language": wish}
    _, found, body = asked(fishery, LIST + query, Accept="application/vnd.sdmx.structure+json;version=2.1.0", **headers)
    (codelist,) = orjson.loads(body)["data"]["codelists"]
    assert found.get("Content-Language") == language
    if name is None:
        assert codelist["names"] == {"en": "The CL_AREA", "fr": "Le CL_AREA"}
    else:
        assert (codelist["name"], codelist.get("names")) == (name, None)


@pytest.mark.parametrize("api", ["v2", "v1"])
@pytest.mark.parametrize(
    ("path", "v2", "v1"),
    [
        ("data/dataflow/SEA/DF_CATCH/1.0.0?colour=red|data/SEA,DF_CATCH,1.0.0?colour=red", 400, 400),
        ("data/dataflow/SEA/DF_NONE|data/SEA,DF_NONE", 404, 404),
        ("data/dataflow/SEA/DF_CATCH/1.0.0/M.X.Y.Z.Q|data/SEA,DF_CATCH,1.0.0/M", 422, 403),
        ("data/dataflow/SEA/DF_CATCH/1.0.0/M.ATLANTIS|data/SEA,DF_CATCH,1.0.0/M.ATLANTIS.", 204, 404),
        ("subscription|data/SEA,DF_CATCH,1.0.0?updatedAfter=2999-01-01T00:00:00Z", 501, 404),
        ("data/dataflow/NOBODY/*|data/NOBODY,DF_CATCH", 404, 404),
        ("data/dataflow/SEA/DF_CATCH,DF_JOBS/+?c[COLOUR]=red|data/SEA,DF_CATCH,1.0.0/all/all?startPeriod=noon", 422, 400),
        (f"data/dataflow/SEA/DF_CATCH/1.0.0?c[PORT]={'X' * 33_000}|data/SEA,DF_CATCH,1.0.0/{'X' * 33_000}", 414, 414),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("accept", "version"),
    [(JSON, "json"), (XML, "3.1"), ("application/vnd.sdmx.data+xml;version=3.0.0", "3.0"), (GENERIC, "2.1")],
)
def test_errors_are_valid_in_the_negotiated_family(
    fishery: House, api: str, path: str, v2: int, v1: int, accept: str, version: str
) -> None:
    status, headers, body = asked(fishery, f"/sdmx/{api}/{path.split('|')[api == 'v1']}", Accept=accept)
    assert status == (v1 if api == "v1" else v2)
    assert headers["Access-Control-Allow-Origin"] == "*"
    if status == 204:
        assert body == b""
    elif version == "json":
        assert headers["Content-Type"] == "application/json"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            json_validator("data", "2.1").validate(orjson.loads(body))
        assert orjson.loads(body)["errors"][0]["code"] == status
    else:
        root = etree.fromstring(body)
        xml_schema(version).assertValid(root)
        assert etree.QName(root).localname == "Error"


def test_nothing_that_fits_is_406(fishery: House) -> None:
    for path in (DATA, OLD, LIST):
        assert asked(fishery, path, Accept="image/png")[0] == 406
    assert asked(fishery, f"{DATA}?format=png")[0] == 406


def test_methods(fishery: House) -> None:
    status, whole, body = asked(fishery, DATA, Accept=CSV)
    head, headers, nothing = asked(fishery, DATA, "HEAD", Accept=CSV)
    assert (status, head, nothing) == (200, 200, b"")
    assert {name: headers[name] for name in ("Content-Type", "ETag", "Content-Length")} == {
        "Content-Type": whole["Content-Type"], "ETag": whole["ETag"], "Content-Length": str(len(body))}  # fmt: skip
    status, headers, _ = asked(fishery, DATA, "OPTIONS")
    assert (status, headers["Allow"]) == (204, "GET, HEAD, OPTIONS")
    status, headers, body = asked(fishery, DATA, "POST", Accept=JSON)
    assert (status, orjson.loads(body)["errors"][0]["code"]) == (405, 405)


@pytest.mark.parametrize(
    ("plain", "others"),
    [
        (f"{DATA}/M.NOR", (f"{DATA}/M.NOR/", f"{DATA}/M%2ENOR", f"{DATA}/%4D.NOR")),
        (
            f"{DATA}?c[PORT]=ne:NOR%2Bne:SOU",
            (f"{DATA}?c%5BPORT%5D=ne:NOR+ne:SOU", f"{DATA}?c%5BPORT%5D=ne%3ANOR%2Bne%3ASOU"),
        ),
        (f"{DATA}?c[PORT]=NOR,SOU", (f"{DATA}?c[PORT]=NOR%2CSOU", f"{DATA}/?c[PORT]=NOR,SOU")),
        (f"{OLD}/M+Q.NOR.", (f"{OLD}/M%2BQ.NOR.", f"{OLD}/M+Q.NOR./")),
    ],
)
def test_the_same_address_written_otherwise(fishery: House, plain: str, others: Sequence[str]) -> None:
    expected = asked(fishery, plain, Accept=CSV)[2]
    assert len(expected.splitlines()) > 3
    for other in others:
        assert asked(fishery, other, Accept=CSV)[2] == expected, other


def test_a_new_release_changes_the_tag(tmp_path: Any) -> None:
    with open_fishery(tmp_path / "house") as house:
        _, headers, _ = asked(house, DATA, Accept=CSV)
        tag, moment = headers["ETag"], headers["Last-Modified"]
        assert tag.startswith("W/")  # the same answer tells another time of preparation
        for wish in (
            {"If_None_Match": tag},
            {"If_None_Match": f'"x", {tag.removeprefix("W/")}'},
            {"If_None_Match": "*"},
            {"If_Modified_Since": moment},
        ):
            status, again, body = asked(house, DATA, Accept=CSV, **wish)
            assert (status, again["ETag"], body) == (304, tag, b"")
        for other in (JSON, f"{CSV};labels=both"):
            assert asked(house, DATA, Accept=other, If_None_Match=tag)[0] == 200
        assert asked(house, f"{DATA}/M", Accept=CSV, If_None_Match=tag)[0] == 200
        assert asked(house, DATA, Accept=CSV, Accept_Encoding="gzip", If_None_Match=tag)[0] == 200
        changed = {**HARBOUR[0], "WEIGHT": "77.70"}
        send(house, "DF_CATCH", [changed], (*KEY, "WEIGHT", "STATUS", "UNIT"), "HARBOUR")
        status, headers, body = asked(house, DATA, Accept=CSV, If_None_Match=tag)
        assert status == 200
        assert headers["ETag"] != tag
        assert b"77.70" in body


# --- streams --------------------------------------------------------------------------------------------------------


class Stretched:
    """A store whose scans go on for long, and break where told; it remembers whether a scan was ended."""

    def __init__(self, store: Any, breaks_after: int | None = None) -> None:
        self._store, self._breaks_after = store, breaks_after
        self.given = 0
        self.ended = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def scan(self, selection: Selection, domains: Mapping[str, Sequence[str]]) -> Iterator[pa.RecordBatch]:
        batches = list(self._store.scan(selection, domains))
        try:
            for number in range(20_000):
                if number == self._breaks_after:
                    raise RuntimeError("the disk is gone")
                self.given += 1
                yield from batches
        finally:
            self.ended += 1


def test_a_failure_in_the_middle_breaks_the_connection(fishery: House) -> None:
    store = Stretched(fishery.library.store, breaks_after=4000)

    async def run() -> None:
        async with running(Library(store)) as client:
            with pytest.raises((aiohttp.ClientPayloadError, ConnectionResetError)):
                await client.ask(DATA, Accept=CSV)

    asyncio.run(run())
    assert (store.given, store.ended) == (4000, 1)


def test_a_failure_before_the_first_piece_is_a_clean_error(fishery: House) -> None:
    store = Stretched(fishery.library.store, breaks_after=0)
    status, _, body = asked(House(Library(store)), DATA, Accept=XML)
    assert (status, b"disk" in body) == (500, False)
    xml_schema("3.1").assertValid(etree.fromstring(body))


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_what_is_read_is_closed_when_the_client_goes(fishery: House, encoding: str) -> None:
    store = Stretched(fishery.library.store)

    async def run() -> None:
        async with running(Library(store)) as client:
            reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
            request = f"GET {DATA} HTTP/1.1\r\nHost: x\r\nAccept: {CSV}\r\nAccept-Encoding: {encoding}\r\n\r\n"
            writer.write(request.encode())
            assert (await reader.read(1000)).startswith(b"HTTP/1.1 200")
            writer.get_extra_info("socket").setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER: reset at once
            writer.transport.abort()
            for _ in range(200):
                if store.ended:
                    break
                await asyncio.sleep(0.05)

    asyncio.run(run())
    assert store.ended == 1
    assert store.given < 20_000


def test_head_of_a_long_answer_has_no_length_and_reads_no_further(fishery: House) -> None:
    store = Stretched(fishery.library.store)
    status, headers, body = asked(House(Library(store)), DATA, "HEAD", Accept=CSV)
    assert (status, body, headers.get("Content-Length")) == (200, b"", None)
    assert store.ended == 1
    assert store.given * len(CATCH) < 20_000


def test_too_many_answers_at_once_are_told_so(fishery: House) -> None:
    async def run() -> tuple[int, Mapping[str, str], bytes]:
        async with running(fishery.library, max_streams=0) as client:
            return await client.ask(DATA, Accept=JSON)

    status, headers, body = asyncio.run(run())
    assert (status, headers["Retry-After"]) == (503, "2")
    assert orjson.loads(body)["errors"][0]["code"] == 503
