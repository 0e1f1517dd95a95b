"""Negotiation over a real socket as one table: request headers and address, then status, headers and what the body is."""

from __future__ import annotations

import asyncio
import gzip
import io
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

import brotli
import openpyxl
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from lxml import etree

from sdmx_service.formats import arrangement
from sdmx_service.formats.registry import formats_for
from sdmx_service.formats.spreadsheet import data_writer as spreadsheet
from tests.harness import CSV, JSON, XML, House
from tests.rest.fishery import CATCH
from tests.rest.reading_back import json_validator, xml_schema
from tests.rest.test_http import Client, running

DATA = "/sdmx/v2/data/dataflow/SEA/DF_CATCH/1.0.0"
OLD = "/sdmx/v1/data/SEA,DF_CATCH,1.0.0"
LIST = "/sdmx/v2/structure/codelist/SEA/CL_AREA"
ALL = "Accept, Accept-Encoding, Accept-Language"
BROWSER = "text/html,application/xhtml+xml,image/avif,image/webp,*/*;q=0.8"
OLD_JSON = "application/vnd.sdmx.data+json;version=1.0.0"
OLD_CSV = "application/vnd.sdmx.data+csv;version=1.0.0"
GENERIC = "application/vnd.sdmx.genericdata+xml;version=2.1"
PARQUET = "application/vnd.apache.parquet"
ARROW = "application/vnd.apache.arrow.stream"
STAT = 'application/json;profile="https://json-stat.org/full"'
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Found = tuple[int, Mapping[str, str], bytes]


@dataclass(frozen=True)
class Case:
    """A request and what must come back; a header expected as None must not be there."""

    path: str
    sent: dict[str, str] = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str | None] = field(default_factory=dict)


def accepts(
    accept: str, content_type: str | None = None, path: str = DATA, status: int = 200, **more: str | None
) -> Case:
    return Case(path, {"Accept": accept}, status, {"Content-Type": content_type or accept, **_headers(more)})


def _headers(named: Mapping[str, str | None]) -> dict[str, str | None]:
    return {name.replace("_", "-"): value for name, value in named.items()}


TYPES = [
    accepts("*/*", JSON), accepts(BROWSER, JSON), accepts("", JSON), accepts("text/html, */*", JSON),
    accepts("*/*", GENERIC, OLD), accepts(BROWSER, GENERIC, OLD),
    accepts("application/xml", XML), accepts("text/xml", XML), accepts("application/xml", GENERIC, OLD),
    accepts("application/json", JSON), accepts("application/json", OLD_JSON, OLD), accepts("text/csv", CSV), accepts("text/csv", OLD_CSV, OLD),
    accepts("application/*", JSON), accepts("application/*;q=0.2, text/csv;q=0.1", JSON),
    # q-values
    accepts(f"{JSON};q=0.1, {CSV};q=0.2", CSV), accepts(f"{JSON};q=0, */*;q=0.1", XML),
    accepts("application/vnd.sdmx.data+json;q=0, application/vnd.sdmx.data+xml;q=0, */*", CSV),
    accepts(f"application/xml;q=0.9, {CSV};q=1.0, */*;q=0.8", CSV),
    accepts(f"{JSON};q=0", path=DATA, status=406, content_type="application/json"),
    # versions
    accepts("application/vnd.sdmx.data+xml;version=3.0.0+", XML.replace("3.1.0", "3.0.0")), accepts("application/vnd.sdmx.data+xml;version=3.0+.0", XML),
    accepts("application/vnd.sdmx.data+csv;version=2.0+.1", CSV),
    accepts("application/vnd.sdmx.data+csv;version=2+.0.1", CSV),
    accepts("application/vnd.sdmx.data+json;version=2.1", JSON), accepts("application/vnd.sdmx.data+json; version=2.0.0", JSON.replace("2.1.0", "2.0.0")),
    accepts('application/vnd.sdmx.data+json;version="2.1.0"', JSON), accepts("APPLICATION/vnd.SDMX.data+JSON;Version=2.1.0", JSON),
    accepts("application/vnd.sdmx.data+json;version=9.0.0", "application/json", status=406),
    accepts(GENERIC.replace("2.1", "2.1.0"), GENERIC), accepts("application/vnd.sdmx.structurespecificdata+xml", "application/vnd.sdmx.structurespecificdata+xml;version=2.1"),
    # parameters of a format
    accepts(f"{CSV};labels=name;keys=both;timeFormat=normalized", f"{CSV};labels=name;timeFormat=normalized;keys=both"),
    accepts(f"{CSV};labels=names", "application/json", status=406), accepts(f"{OLD_CSV};keys=obs", "application/xml", OLD, 406),
    accepts(f"{JSON};labels=both", JSON),
    # beyond the standard, and across versions of the interface
    accepts(PARQUET), accepts(ARROW, path=OLD), accepts(STAT), accepts(f"{XLSX};labels=id"), accepts(XLSX, path=OLD),
    accepts(OLD_JSON), accepts(OLD_CSV), accepts(GENERIC), accepts(CSV, path=OLD), accepts(XML, path=OLD),
    # the same in the address
    *(Case(f"{path}?format={word}", {"Accept": "image/png"}, 200, {"Content-Type": kind, "Vary": "Accept-Encoding, Accept-Language"}) for path, word, kind in (
        (DATA, "jsondata", JSON), (DATA, "csvdata", CSV), (DATA, "structurespecificdata", XML), (OLD, "genericdata", GENERIC), (OLD, "jsondata", OLD_JSON),
        (DATA, "parquet", PARQUET), (DATA, "arrow", ARROW), (DATA, "jsonstat", STAT), (DATA, "xlsx", XLSX), (DATA, "csvdata;labels=both", f"{CSV};labels=both"),
        (DATA, "csvdata%3Blabels%3Dname", f"{CSV};labels=name"), (DATA, "parquet;labels=name", f"{PARQUET};labels=name"), (DATA, "parquet;columns=all", f"{PARQUET};columns=all"))),
    Case(f"{DATA}?format=csvdata&formatVersion=2.0", {}, 200, {"Content-Type": CSV.replace("2.1.0", "2.0.0")}),
    Case(f"{DATA}?formatVersion=3.0%2B.0", {}, 200, {"Content-Type": XML}),
    Case(f"{DATA}?format=png", {"Accept": JSON}, 406, {"Content-Type": "application/json", "Vary": ALL}),
    Case(f"{DATA}?format=jsondata&formatVersion=9.0", {"Accept": XML}, 406),
]  # fmt: skip

NAMES = [
    *(Case(DATA, {"Accept": accept}, 200, {"Content-Disposition": name and f'inline; filename="{name}"'}) for accept, name in (
        (XLSX, "SEA_DF_CATCH_1.0.0.xlsx"), (PARQUET, "SEA_DF_CATCH_1.0.0.parquet"), (CSV, "SEA_DF_CATCH_1.0.0.csv"), (JSON, None), (STAT, None), (XML, None))),
    Case("/sdmx/v2/data/dataflow/SEA/*", {"Accept": CSV}, 200, {"Content-Disposition": 'inline; filename="data.csv"'}),
]  # fmt: skip

LANGUAGES = [
    Case(LIST, {}, 200, {"Content-Language": "en", "Vary": ALL}),
    Case(LIST, {"Accept-Language": "fr;q=0.9, en;q=0.1"}, 200, {"Content-Language": "fr"}),
    Case(LIST, {"Accept-Language": "*"}, 200, {"Content-Language": None}),
    Case(LIST, {"Accept-Language": "xx"}, 200, {"Content-Language": "en"}),
    Case(f"{LIST}?lang=fr", {"Accept-Language": "en"}, 200, {"Content-Language": "fr", "Vary": "Accept, Accept-Encoding"}),
    Case(f"{LIST}?lang=all", {"Accept-Language": "en"}, 200, {"Content-Language": None}),
    Case(LIST, {"Accept": "application/xml", "Accept-Language": "fr"}, 200, {"Content-Language": None}),
    *(Case("/sdmx/v2/data/dataflow/SEA/DF_CATCH/1.1.0", {"Accept": accept, "Accept-Language": "fr"}, 200, {"Content-Language": language})
      for accept, language in ((JSON, "fr"), (OLD_JSON, "fr"), (STAT, "fr"), (XLSX, "fr"), (CSV, None), (f"{CSV};labels=both", "fr"),
                               (PARQUET, None), (f"{PARQUET};labels=name", "fr"), (XML, None), (f"{XLSX};labels=id", None))),
]  # fmt: skip

ENCODINGS = [
    *(Case(DATA, {"Accept": CSV, "Accept-Encoding": wish}, 200, {"Content-Encoding": coding, "Vary": ALL}) for wish, coding in (
        ("gzip", "gzip"), ("x-gzip", "gzip"), ("zstd", "zstd"), ("br", "br"), ("deflate", "deflate"), ("gzip, deflate, br, zstd", "gzip"),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", "br"), ("identity", None), ("", None), ("rar", None), ("*", "gzip"), ("identity;q=0, zstd", "zstd"),
        ("gzip;q=0.2, identity;q=0.5", None))),
    Case(DATA, {"Accept": CSV, "Accept-Encoding": "identity;q=0, rar"}, 406, {"Content-Encoding": None, "Content-Type": "application/json"}),
    *(Case(f"{DATA}?compression={word}", {"Accept": CSV, "Accept-Encoding": "gzip"}, 200, {"Content-Encoding": word, "Vary": "Accept, Accept-Language"})
      for word in ("br", "deflate", "zstd", "gzip")),
    Case(f"{DATA}?compression=identity", {"Accept": CSV, "Accept-Encoding": "gzip"}, 200, {"Content-Encoding": None}),
    Case(f"{DATA}?compression=compress", {"Accept": CSV}, 406),
    *(Case(DATA, {"Accept": accept, "Accept-Encoding": wish}, 200, {"Content-Encoding": coding}) for accept, wish, coding in (
        (PARQUET, "gzip, br", None), (XLSX, "*", None), (XLSX, "gzip, identity;q=0", "gzip"), (ARROW, "zstd", "zstd"), (STAT, "br", "br"))),
    Case(f"{DATA}?compression=gzip", {"Accept": PARQUET}, 200, {"Content-Encoding": "gzip"}),
]  # fmt: skip

ADDRESSES = [
    Case(f"{DATA}/M.NOR/", {"Accept": CSV}), Case(f"{DATA}/M%2CQ", {"Accept": CSV}), Case("/sdmx/v2//data/dataflow/SEA/DF_CATCH/1.0.0", {"Accept": CSV}),
    Case(f"{DATA}//", {}, 400), Case("/sdmx/v2/data//SEA/DF_CATCH", {}, 400), Case(f"{DATA}/M.NOR%2FX", {}, 204, {"Content-Type": None, "Vary": ALL}),
    Case(f"{DATA}/%", {}, 400), Case(f"{DATA}?c[PORT]=%FF", {}, 400), Case(f"{DATA}?format=", {}, 400), Case(f"{DATA}?format=xlsx&format=csvdata", {}, 400),
    Case("/sdmx", {}, 404, {"Content-Type": "application/json"}), Case("/sdmx/v3/data", {"Accept": "application/xml"}, 404),
    Case("/sdmx/v2", {}, 404), Case("/sdmx/v1/nothing", {}, 404, {"Content-Type": "application/xml"}), Case(f"{DATA}?x={'y' * 70_000}", {}, 414),
    Case(f"{OLD}/M.ATLANTIS.", {}, 404, {"Content-Type": "application/xml"}), Case(f"{DATA}/M.ATLANTIS", {}, 204),
    Case(f"{OLD}/M", {}, 403), Case(f"{DATA}/M.A.B.C.D", {}, 422), Case(f"{OLD}?startPeriod=noon", {}, 400),
    Case("/sdmx/v2/data/dataflow/SEA/DF_NONE", {}, 404),
]  # fmt: skip


@pytest.mark.parametrize(
    "cases",
    [TYPES, NAMES, LANGUAGES, ENCODINGS, ADDRESSES],
    ids=["types", "names", "languages", "encodings", "addresses"],
)
def test_what_comes_back(fishery: House, cases: list[Case]) -> None:
    async def run() -> list[Found]:
        async with running(fishery.library) as client:
            return [await client.ask(case.path, **_sent(case)) for case in cases]

    for case, (status, headers, body) in zip(cases, asyncio.run(run()), strict=True):
        assert status == case.status, (case, body[:300])
        assert {name: headers.get(name) for name in case.headers} == case.headers, case
        assert headers["Access-Control-Allow-Origin"] == "*", case
        assert "charset" not in headers.get("Content-Type", ""), case
        if status >= 400:
            _is_an_error(case, headers, body)
        elif status == 200:
            assert headers["Cache-Control"] == "no-cache"
            assert _decoded(headers, body), case


def _sent(case: Case) -> dict[str, str]:
    return {name.replace("-", "_"): value for name, value in case.sent.items()}


def _is_an_error(case: Case, headers: Mapping[str, str], body: bytes) -> None:
    if headers["Content-Type"] == "application/json":
        json_validator("data", "2.1").validate(orjson.loads(body))
        assert orjson.loads(body)["errors"][0]["code"] == case.status
    else:
        root = etree.fromstring(body)
        xml_schema("2.1" if "v2_1" in root.tag else "3.1").assertValid(root)


_DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress, "deflate": zlib.decompress, "br": brotli.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
}  # fmt: skip


def _decoded(headers: Mapping[str, str], body: bytes) -> bytes:
    coding = headers.get("Content-Encoding")
    return body if coding is None else _DECODERS[coding](body)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_coded_body_is_the_body_in_one_member(fishery: House, coding: str) -> None:
    async def run() -> tuple[bytes, Found]:
        async with running(fishery.library) as client:
            plain = await client.ask(DATA, Accept=CSV)
            return plain[2], await client.ask(DATA, Accept=CSV, Accept_Encoding=coding)

    plain, (_, headers, body) = asyncio.run(run())
    assert _decoded(headers, body) == plain
    if coding == "gzip":
        assert zlib.decompressobj(31).decompress(body) == plain  # which stops after the first member
    if coding == "deflate":
        assert body[0] & 15 == 8  # a zlib header, not raw deflate


def test_head_is_get_without_its_body(fishery: House) -> None:
    paths = [
        DATA,
        OLD,
        LIST,
        f"{DATA}/M.ATLANTIS",
        f"{DATA}?bad=1",
        f"{OLD}/M",
        f"{DATA}?format=xlsx",
        f"{DATA}?format=jsonstat",
    ]
    paths += ["/sdmx/v2/availability/dataflow/SEA/DF_CATCH/1.0.0", "/sdmx/v3"]

    async def run() -> list[tuple[Found, Found]]:
        async with running(fishery.library) as client:
            return [(await client.ask(path), await client.ask(path, "HEAD")) for path in paths]

    for path, (got, head) in zip(paths, asyncio.run(run()), strict=True):
        assert (head[0], head[2]) == (got[0], b""), path
        same = set(got[1]) - {"Date", "Server-Timing", "Content-Length"}
        assert {name: head[1].get(name) for name in same} == {name: got[1][name] for name in same}, path
        if got[0] == 200 and "xlsx" not in path:  # whose parts are stamped
            assert head[1]["Content-Length"] == str(len(got[2])), path


def test_conditions(fishery: House) -> None:
    """RFC 9110, 13: which answers are 304, also to HEAD."""

    async def run() -> None:
        async with running(fishery.library) as client:
            _, headers, _ = await client.ask(DATA, Accept=CSV)
            tag, moment = headers["ETag"], parsedate_to_datetime(headers["Last-Modified"])
            day = moment.strftime("%a %b %d %Y")
            later = f"{day} {moment:%H:%M:%S} GMT+0000 (Coordinated Universal Time)"
            east = f"{day} {moment:%H:%M:%S} GMT+0200 (Central European Summer Time)"
            for method in ("GET", "HEAD"):
                for sent, expected in (
                    ({"If_None_Match": tag}, 304),
                    ({"If_None_Match": f'"a", {tag.removeprefix("W/")}, "b"'}, 304),
                    ({"If_None_Match": "*"}, 304),
                    ({"If_None_Match": '"a"'}, 200),
                    ({"If_None_Match": '"a"', "If_Modified_Since": headers["Last-Modified"]}, 200),
                    ({"If_Modified_Since": headers["Last-Modified"]}, 304),
                    ({"If_Modified_Since": later}, 304),
                    ({"If_Modified_Since": east}, 200),
                    ({"If_Modified_Since": moment.isoformat()}, 304),
                    ({"If_Modified_Since": moment.isoformat().replace("+00:00", "Z")}, 304),
                    ({"If_Modified_Since": format_datetime(moment.replace(year=2001), usegmt=True)}, 200),
                    ({"If_Modified_Since": "yesterday"}, 200),
                    ({"If_Modified_Since": "Fri Dec 31 9999 23:59:59 GMT-1200"}, 200),
                ):
                    status, found, body = await client.ask(DATA, method, Accept=CSV, **sent)
                    assert status == expected, (method, sent)
                    if status == 304:
                        assert (found["ETag"], found["Vary"], body) == (tag, ALL, b"")
                        assert "Content-Type" not in found
            status, _, _ = await client.ask(f"{DATA}/M.ATLANTIS", Accept=CSV, If_None_Match="*")
            assert status == 204  # there is nothing that could be unchanged
            tags = {
                (await client.ask(DATA, Accept=accept, Accept_Encoding=coding))[1]["ETag"]
                for accept in (CSV, JSON, f"{CSV};labels=both", STAT)
                for coding in ("identity", "gzip", "br")
            }
            assert len(tags) == 12

    asyncio.run(run())


def test_a_script_of_another_site_may_ask_and_read(fishery: House) -> None:
    async def run() -> None:
        async with running(fishery.library) as client:
            for path in (DATA, OLD, LIST, "/sdmx/v3", "/api/limits"):
                status, headers, body = await client.ask(
                    path, "OPTIONS", Origin="https://other.example", Access_Control_Request_Method="GET",
                    Access_Control_Request_Headers="accept-language,if-none-match",
                )  # fmt: skip
                if path.startswith("/sdmx/v") and path != "/sdmx/v3":
                    assert (status, body) == (204, b"")
                assert headers["Access-Control-Allow-Origin"] == "*"
                assert {"GET", "HEAD", "POST", "PUT", "DELETE"} <= set(
                    headers["Access-Control-Allow-Methods"].split(", ")
                )
                allowed = headers["Access-Control-Allow-Headers"].lower()
                assert all(name in allowed for name in ("accept-language", "if-none-match", "authorization", "range"))
                assert headers["Access-Control-Max-Age"] == "86400"
            for path in (DATA, f"{DATA}?bad=1", f"{DATA}?format=png", "/sdmx/v3", f"{OLD}/M.ATLANTIS."):
                _, headers, _ = await client.ask(path, Origin="https://other.example")
                assert headers["Access-Control-Allow-Origin"] == "*"
                exposed = headers["Access-Control-Expose-Headers"]
                assert all(name in exposed for name in ("ETag", "Content-Language", "Retry-After", "Link"))

    asyncio.run(run())


def test_lines_of_a_header_are_one_list_and_targets_may_name_the_host(fishery: House) -> None:
    async def run() -> list[bytes]:
        async with running(fishery.library) as client:
            texts = (
                f"GET {DATA} HTTP/1.1\r\nHost: x\r\nAccept: image/png\r\nAccept: {CSV}\r\nConnection: close\r\n\r\n",
                f"GET http://127.0.0.1:{client.port}{DATA}?format=csvdata HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            )
            return [await _raw(client, text) for text in texts]

    for answer in asyncio.run(run()):
        assert answer.startswith(b"HTTP/1.1 200")
        assert CSV.encode() in answer


async def _raw(client: Client, text: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(text.encode())
    try:
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("path", "accept", "status", "code"),
    [
        (f"{OLD}/M.ATLANTIS.", GENERIC, 404, "100"), ("/sdmx/v1/data/NOBODY,DF_CATCH", "*/*", 404, "100"),
        (f"{OLD}?startPeriod=noon", GENERIC, 400, "140"), (f"{OLD}?colour=red", OLD_CSV, 400, "140"),
        (f"{OLD}/M", GENERIC, 403, "150"), ("/sdmx/v1/data/SEA,DF_CATCH,1.0.0/M", PARQUET, 403, "150"),
        (f"{OLD}?x={'y' * 40_000}", GENERIC, 414, "140"),
        (f"{OLD}?dimensionAtObservation=PORT", GENERIC, 413, "130"), (f"{OLD}?format=xlsx", GENERIC, 413, "130"),
        (f"{DATA}?dimensionAtObservation=PORT", XML, 413, "413"), (f"{DATA}?dimensionAtObservation=PORT", JSON, 413, 413),
        (f"{DATA}?dimensionAtObservation=PORT", OLD_JSON, 413, 413), (DATA, XLSX, 413, 413), (f"{DATA}/M", STAT, 200, None),
        (f"{DATA}/M.A.B.C.D", XML, 422, "422"), (f"{DATA}?colour=red", f"{XML};q=0.5, {CSV}", 400, 400),
        (f"{DATA}?colour=red", f"{XML}, {JSON};q=0.5", 400, "400"), (f"{DATA}?colour=red", "image/png", 400, 400),
    ],
)  # fmt: skip
def test_codes_of_errors_in_the_family_asked_for(
    fishery: House, monkeypatch: pytest.MonkeyPatch, path: str, accept: str, status: int, code: str | int | None
) -> None:
    """SDMX-REST 1.5, *SDMX error codes*; in 2.2 the code is the status. Limits are made small."""
    monkeypatch.setattr(arrangement, "SORTED_ROWS", 5)
    monkeypatch.setattr(spreadsheet, "SHEET_ROWS", 5)

    async def run() -> Found:
        async with running(fishery.library) as client:
            return await client.ask(path, Accept=accept)

    found, headers, body = asyncio.run(run())
    assert found == status
    if isinstance(code, str):
        root = etree.fromstring(body)
        assert [one.get("code") for one in root.iter("{*}ErrorMessage")] == [code]
        xml_schema("2.1" if "/v1/" in path else "3.1").assertValid(root)
    elif code is not None:
        assert headers["Content-Type"] == "application/json"
        assert [one["code"] for one in orjson.loads(body)["errors"]] == [code]


# --- the formats beyond the standard, read by others ------------------------------------------------------------------


@pytest.mark.parametrize("path", [DATA.removeprefix("/sdmx/"), OLD.removeprefix("/sdmx/")])
def test_the_release_and_the_address_are_told(fishery: House, path: str) -> None:
    release = fishery.library.view().release
    table = pq.read_table(io.BytesIO(fishery.body(path, PARQUET)))
    said = orjson.loads(table.schema.metadata[b"sdmx"])
    assert (said["release"], table.num_rows) == (release, len(CATCH))
    assert said["structures"][0]["urn"].endswith("Dataflow=SEA:DF_CATCH(1.0.0)")
    assert said["labels"]["FISH"]["COD"]["en"]
    assert pa.ipc.open_stream(fishery.body(path, ARROW)).read_all().equals(table)
    stat = orjson.loads(fishery.body(path, STAT))
    assert stat["extension"]["release"] == release
    book = openpyxl.load_workbook(io.BytesIO(fishery.body(path, XLSX)), read_only=True)
    about = {row[0]: row[1] for row in book["about"].iter_rows(values_only=True)}
    assert (about["release"], about["address"]) == (str(release), f"/sdmx/{path}")


def test_every_format_has_a_word_of_its_own() -> None:
    names: list[Any] = [one.name for one in formats_for("data", "v2")]
    assert {"parquet", "arrow", "jsonstat", "xlsx"} <= set(names)
