"""The page of a dataflow leads to the reference metadata about it; the page of structures lists metadata sets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aiohttp.test_utils import TestClient, TestServer
from lxml import html

from tests.harness import House
from tests.rest.lighthouse import open_lighthouse
from tests.web.orchard import service


@pytest.fixture(scope="module")
def lighthouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_lighthouse(tmp_path_factory.mktemp("lighthouse")) as house:
        yield house


async def links(house: House, address: str) -> dict[str, str]:
    """The links of a page by their text."""
    async with TestClient(TestServer(service(house.library))) as client:
        answer = await client.get(address)
        assert answer.status == 200
        page = html.document_fromstring(await answer.text())
    return {
        " ".join(one.itertext()).strip(): one.get("href")
        for one in page.xpath("//main//a[contains(@href, '/metadata/')]")
    }


async def test_the_page_of_a_dataflow_leads_to_its_metadata(lighthouse: House) -> None:
    found = await links(lighthouse, "/dataflows/SEA/DF_CATCH/1.0.0?lang=fr")
    assert list(found) == ["Le CATCHES"]  # two providers' sets of one name: the later link is that of the second
    assert (await links(lighthouse, "/dataflows/SEA/DF_LICENCE/1.0.0")) == {}
    address = (await links(lighthouse, "/dataflows/SEA/DF_JOBS/1.0.0"))["The ON_JOBS"]
    assert address == "/sdmx/v2/metadata/metadataset/SEA/ON_JOBS/1.0.0"
    assert lighthouse.get(address.removeprefix("/sdmx/"), None).status == 200


async def test_the_page_of_structures_lists_metadata_sets(lighthouse: House) -> None:
    found = await links(lighthouse, "/structures?q=on_nor")
    assert found == {"Message": "/sdmx/v2/metadata/metadataset/SEA/ON_NOR/1.0.0"}
