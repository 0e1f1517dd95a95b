"""The pages over HTTP: what they show, in which language, and what an odd address gives."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp.test_utils import TestClient, TestServer
from lxml import etree, html

from sdmx_service.catalog.library import Library
from sdmx_service.model.artefact import Item
from sdmx_service.storage.port import Counts
from sdmx_service.web import structures
from sdmx_service.web.figures import pages
from sdmx_service.web.structures import tree
from tests.web.orchard import EVIL, FARMS, FLOW, YEARS, orchard, rows, service

TOTAL = 2 * FARMS * len(YEARS)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with orchard(tmp_path_factory.mktemp("orchard")) as opened:
        yield opened


@pytest.fixture
async def client(library: Library) -> AsyncIterator[TestClient]:
    async with TestClient(TestServer(service(library))) as opened:
        yield opened


async def read(client: TestClient, address: str, status: int = 200, **headers: str) -> html.HtmlElement:
    answer = await client.get(address, headers=headers)
    body = await answer.text()
    assert answer.status == status, body
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    return html.document_fromstring(body)


def words(page: html.HtmlElement, path: str = "//main") -> str:
    return " ".join(" ".join(text for one in page.xpath(path) for text in one.itertext()).split())


def table(page: html.HtmlElement) -> list[dict[str, str]]:
    head = [words(one, ".") for one in page.xpath("//table[@class='data']/thead//th")]
    body = page.xpath("//table[@class='data']/tbody/tr")
    return [dict(zip(head, [words(one, ".") for one in row.xpath("./*")], strict=True)) for row in body]


async def test_the_first_page_lists_the_dataflows_with_exact_counts(client: TestClient) -> None:
    page = await read(client, "/")
    cards = {words(one, ".//h3"): words(one, ".") for one in page.xpath("//li[contains(@class, 'card')]")}
    assert list(cards) == ["Fruit harvest", "Fruit lost"]
    harvest = cards["Fruit harvest"]
    assert f"Observations {TOTAL} Series {2 * FARMS} Periods 2015 – 2020 Last release 1" in harvest
    assert "ORCH:DF_HARVEST(1.0.0) About fruit harvest" in harvest
    assert cards["Fruit lost"].endswith("No figures yet")
    assert "Orchard board" in words(page)
    assert "Fruit harvest" in words(page, "//section[@aria-labelledby='news']")
    assert f"{client.make_url('/')}sdmx/v2" in words(page, "//section[@id='harvest']")


async def test_search_is_over_names_of_every_language(client: TestClient) -> None:
    page = await read(client, "/?q=R%C3%89COLTE")
    assert page.xpath("//li[contains(@class, 'card')]//h3/a/text()") == ["Fruit harvest"]
    assert "1 of 2 dataflows" in words(page, "//p[@role='status']")
    page = await read(client, "/?q=nothing+like+it")
    assert page.xpath("//li[contains(@class, 'card')]") == []
    assert page.xpath("//input[@name='q']/@value") == ["nothing like it"]


async def test_the_language_is_that_of_the_address_or_of_the_browser(client: TestClient) -> None:
    english, french = await read(client, "/"), await read(client, "/", **{"Accept-Language": "fr-CH,fr;q=0.9"})
    assert (english.get("lang"), french.get("lang")) == ("en", "fr")
    assert "Récolte" in words(french)
    assert french.xpath("//h3/a/@href")[0] == FLOW
    asked = await read(client, "/?lang=fr", **{"Accept-Language": "en"})
    assert asked.get("lang") == "fr"
    assert asked.xpath("//h3/a/@href")[0] == FLOW + "?lang=fr"
    assert asked.xpath("//nav[@class='languages']/a/@href") == ["/?lang=en"]


async def test_names_may_be_in_a_language_that_the_pages_do_not_speak(client: TestClient) -> None:
    page = await read(client, FLOW + "?lang=ar&c.FRUIT=PEAR&c.FARM=F1")
    assert page.get("lang") == "en"
    assert "كمثرى" in page.xpath("//bdi[@lang='ar'][@dir='rtl']/text()")


async def test_the_table_shows_the_figures_as_they_were_sent(client: TestClient) -> None:
    sent = {(row["FRUIT"], row["FARM"], row["TIME_PERIOD"]): row for row in rows()}
    found = []
    for offset in range(0, TOTAL, 100):
        found += table(await read(client, f"{FLOW}?offset={offset}"))
    assert len(found) == TOTAL
    for row in found:
        fruit = "PEAR" if row["Fruit"].startswith("Pear") else "APPLE"
        original = sent.pop((fruit, row["Farm"].split()[-1], row["Time period"]))
        assert row["Weight"] == (original["WEIGHT"] or "– no value")
        assert row["Status"] == {"A": "Normal A", "E": "Estimated E"}[original["OBS_STATUS"]]
    assert sent == {}


async def test_what_all_rows_share_stands_above_the_table(client: TestClient) -> None:
    page = await read(client, FLOW + "?c.FRUIT=PEAR")
    shared = words(page, "//details[@class='shared']//dl")
    assert "Frequency Annual A" in shared
    assert "Fruit Pear PEAR" in shared
    assert "Title The harvest" in shared
    assert set(table(page)[0]) >= {"Farm", "Time period", "Weight"}
    assert "Fruit" not in table(page)[0]


async def test_a_filter_is_an_address_and_the_same_over_rest(client: TestClient) -> None:
    address = FLOW + "?c.FRUIT=PEAR&c.FRUIT=FIG&c.FARM=F3&c.FARM=F4&start=2018&end=2019"
    page = await read(client, address)
    assert "4 observations in 2 series" in words(page, "//p[@role='status']")
    weights = [row["Weight"] for row in table(page)]
    assert sorted(weights) == ["3018.500", "3019.500", "4018.500", "4019.500"]
    assert page.xpath("//input[@name='start']/@value") == ["2018"]
    assert page.xpath("//select[@name='c.FARM']/option[@selected]/@value") == ["F3", "F4"]
    ticked = page.xpath("//input[@name='c.FRUIT'][@checked]/@value")
    assert sorted(ticked) == ["FIG", "PEAR"]
    links = dict(
        zip(page.xpath("//div[@class='links']//a/text()"), page.xpath("//div[@class='links']//a/@href"), strict=True)
    )
    answers = {name: await client.get(link) for name, link in links.items()}
    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(links, 200)
    records = list(csv.DictReader(io.StringIO(await answers["CSV"].text())))
    assert sorted(record["WEIGHT"] for record in records) == sorted(weights)
    series = json.loads(await answers["JSON"].read())["data"]["dataSets"][0]["series"].values()
    assert sorted(one[0] for entry in series for one in entry["observations"].values()) == sorted(weights)
    for name, version in (("XML 3.1", "v3_1"), ("XML 2.1", "v2_1")):
        root = etree.fromstring(await answers[name].read())
        assert version in root.tag
        assert len(root.findall(".//Obs")) == 4


async def test_only_codes_that_occur_can_be_chosen(client: TestClient) -> None:
    page = await read(client, FLOW)
    assert len(page.xpath("//select[@name='c.FARM']/option")) == FARMS
    assert set(page.xpath("//input[@name='c.FRUIT']/@value")) == {"PEAR", "APPLE"}
    assert page.xpath("//*[@name='c.FREQ']") == []


async def test_the_structure_says_levels_and_codes_used(client: TestClient) -> None:
    page = await read(client, FLOW)
    found = [words(row, ".") for row in page.xpath("//section[@aria-labelledby='structure']//tbody/tr")]
    assert found[1] == "FRUIT Fruit Dimension Fruits CL_FRUIT 2 of 4"
    assert found[2] == f"FARM Farm Dimension Farms CL_FARM {FARMS} of 700"
    assert found[4] == "WEIGHT Weight Measure Decimal"
    assert found[5] == "OBS_STATUS Status Attribute of the observation mandatory Status CL_STATUS 2"
    assert found[7] == "TITLE Title Attribute of the series String"
    assert f"Sent by Guild of growers ({TOTAL} observations)" in words(page)


async def test_what_was_sent_is_text_never_markup(client: TestClient) -> None:
    body = await (await client.get(FLOW + "?c.FARM=F3&c.FRUIT=PEAR&lang=en")).text()
    assert "<script>alert" not in body
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp;" in body
    page = html.document_fromstring(body)
    assert EVIL.replace('"', "'") in words(page, "//table[@class='data']")
    for address in (
        "/?q=<script>alert(1)</script>",
        FLOW + "?start=<script>alert(1)</script>",
        "/<script>alert(1)</script>",
    ):
        assert "<script>alert" not in await (await client.get(address)).text()


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("c.FRUIT=GRAPE", 200, "No figure fits this choice."),
        ("start=soon", 400, "This cannot be shown"),
        ("start=2021&end=2014", 200, "No figure fits this choice."),
        ("c.FRUITS=PEAR", 400, "Did you mean FRUIT?"),
        ("offset=-1", 400, "no number"),
        ("offset=99999", 200, f"{TOTAL} observations fit, and this page lies behind the last of them."),
        ("limit=100000", 400, "no number from 1 to 1000"),
        ("utm_source=x&c.FRUIT=", 200, f"{TOTAL} observations"),
    ],
)
async def test_an_odd_address_of_a_dataflow(client: TestClient, query: str, status: int, said: str) -> None:
    assert said in words(await read(client, f"{FLOW}?{query}", status))


@pytest.mark.parametrize(
    "address", ["/dataflows/ORCH/DF_HARVST/1.0.0", "/dataflows/ORCH/DF_HARVEST/9.0.0", "/data/df_harvest"]
)
async def test_what_is_not_there_names_the_nearest_dataflow(client: TestClient, address: str) -> None:
    page = await read(client, address, 404)
    assert page.xpath("//main//ul/li/a/@href")[0] == FLOW


async def test_without_a_version_the_latest_is_meant(client: TestClient) -> None:
    answer = await client.get("/dataflows/ORCH/DF_HARVEST?lang=fr", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (302, FLOW + "?lang=fr")


async def test_a_page_that_did_not_change_is_not_sent_again(client: TestClient) -> None:
    first = await client.get(FLOW)
    again = await client.get(FLOW, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status == 304
    french = await client.get(FLOW, headers={"If-None-Match": first.headers["ETag"], "Accept-Language": "fr"})
    assert french.status == 200


async def test_machines_get_their_own_errors(client: TestClient) -> None:
    assert (await client.get("/api/nothing")).content_type == "application/problem+json"
    assert "html" not in (await client.get("/sdmx/v2/nothing")).content_type


async def test_every_link_of_every_page_leads_somewhere(client: TestClient) -> None:
    waiting, seen = ["/"], set()
    while waiting:
        address = waiting.pop()
        parts = urlsplit(address)
        key = (parts.path, parts.query)
        if key in seen:
            continue
        seen.add(key)
        answer = await client.get(address)
        assert answer.status == 200, address
        if answer.content_type == "text/html" and len(seen) < 150:
            page = html.document_fromstring(await answer.text())
            targets = page.xpath("//a/@href | //link/@href | //script/@src | //img/@src | //form/@action")
            waiting += [target for target in targets if target.startswith("/")]
    assert {"/structures", FLOW, "/codelists/ORCH/CL_FARM/1.0.0", "/static/site.css"} <= {path for path, _ in seen}


async def test_a_codelist_is_a_tree_in_pages(client: TestClient) -> None:
    page = await read(client, "/codelists/ORCH/CL_FRUIT/1.0.0?lang=fr")
    names = page.xpath("//tbody//th/span")
    assert [(one.get("class"), words(one, ".")) for one in names][:2] == [
        ("depth-0", "Tous les fruits"),
        ("depth-1", "Poire"),
    ]
    farms = await read(client, "/codelists/ORCH/CL_FARM/1.0.0?offset=500")
    assert len(farms.xpath("//tbody/tr")) == 200
    assert "shown are 501 to 700" in words(farms)
    found = await read(client, "/codelists/ORCH/CL_FARM/1.0.0?q=farm+69")
    assert len(found.xpath("//tbody/tr")) == 17  # 69, 690 to 699, 169 to 669
    await read(client, "/codelists/ORCH/CL_NONE/1.0.0", 404)


async def test_structures_by_class(client: TestClient) -> None:
    page = await read(client, "/structures")
    assert "Data structures 1" in words(page)
    assert page.xpath("//a[text()='Farms']/@href") == ["/codelists/ORCH/CL_FARM/1.0.0"]
    assert words(await read(client, "/structures?q=farm"), "//tbody").startswith("Farms ORCH:CL_FARM 1.0.0 700")


async def test_of_many_artefacts_of_a_class_the_first_are_listed(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(structures, "SHOWN_PER_CLASS", 1)
    page = await read(client, "/structures")
    codelists = next(one for one in page.xpath("//section[h2]") if "Codelists" in words(one, "h2"))
    assert len(codelists.xpath(".//tbody/tr")) == 1
    assert words(codelists, "p").startswith("The first 1 are shown.")
    [whole] = codelists.xpath("p/a/@href")
    answer = await client.get(whole)
    assert len((await answer.json(content_type=None))["data"]["codelists"]) > 1


async def test_an_empty_store_says_what_to_do(tmp_path: Path) -> None:
    with orchard(tmp_path, filled=False, structures=False) as library:
        async with TestClient(TestServer(service(library))) as client:
            assert "sdmx-service init" in words(await read(client, "/"))
            await read(client, "/structures")
            await read(client, FLOW, 404)


async def test_structures_without_figures(tmp_path: Path) -> None:
    with orchard(tmp_path, filled=False) as library:
        async with TestClient(TestServer(service(library))) as client:
            assert "No figures have been published yet" in words(await read(client, "/"))
            page = await read(client, FLOW)
            assert "sdmx-service submit FILE --dataflow ORCH:DF_HARVEST" in words(page)
            assert len(page.xpath("//section[@aria-labelledby='structure']//tbody/tr")) == 8


async def test_a_fault_of_ours_shows_a_reference_and_no_more(
    client: TestClient, library: Library, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> Counts:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(library.store, "count", broken)
    page = await read(client, FLOW, 500)
    assert "secret detail" not in words(page, "//body")
    reference = words(page).split("reference ")[1].split(".")[0]
    assert reference in caplog.text


def test_pages_of_a_list() -> None:
    assert list(pages(250, 0, 100)) == [("next", 100), ("last", 200)]
    assert list(pages(250, 100, 100)) == [("first", 0), ("previous", 0), ("next", 200), ("last", 200)]
    assert list(pages(250, 900, 100)) == [("first", 0), ("previous", 200)]
    assert list(pages(100, 0, 100)) == list(pages(0, 0, 100)) == []


def test_a_tree_loses_nothing() -> None:
    items = {
        one.id: one
        for one in (Item(id="C", parent="A"), Item(id="A"), Item(id="X", parent="Y"), Item(id="Y", parent="X"))
    }
    assert [(row.item.id, row.depth) for row in tree(items)] == [("A", 0), ("C", 1), ("X", 0), ("Y", 0)]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"//evil.example/x", "/evil.example/x?lang=fr"),
        (b"/\\evil.example", "/evil.example?lang=fr"),
        (b"/x%22%3E%3Cb%3E", "/x%22%3E%3Cb%3E?lang=fr"),
        (b"/x%3Fa=b", "/x%3Fa%3Db?lang=fr"),
    ],
)
async def test_no_address_makes_a_link_that_leads_elsewhere(
    client: TestClient[Any, Any], path: bytes, expected: str
) -> None:
    """What begins with two slashes, or what browsers take for that, names a host."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(b"GET " + path + b" HTTP/1.1\r\nHost: data.example\r\nConnection: close\r\n\r\n")
    answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    assert answer.startswith("HTTP/1.1 404 ")
    page = html.document_fromstring(answer.partition("\r\n\r\n")[2])
    assert page.xpath("//a[@hreflang='fr']/@href") == [expected]
