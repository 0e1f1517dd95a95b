"""The later life of a submission in a browser, over HTTP: steps, comments, what was done, the calendar."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sdmx_service.auth.accounts import accept_invitation, create_account
from sdmx_service.catalog.library import Library
from sdmx_service.submission.receipt import load_receipt
from tests.harness import open_house
from tests.web.orchard import EVIL, orchard
from tests.web.signing import GOOD, RIGHT, Visitor, add_accounts, visiting
from tests.workflow.office import CONTENT, figures
from tests.workflow.test_expected import AGREED, LOG, META


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with orchard(tmp_path_factory.mktemp("orchard")) as opened:
        add_accounts(opened)
        accept_invitation(opened.store, create_account(opened.store, "paul", role="publisher"), GOOD)
        yield opened


@pytest.fixture
async def maria(library: Library) -> AsyncIterator[Visitor]:
    async with visiting(library) as opened:
        await opened.sign_in()
        yield opened


@pytest.fixture
async def paul(library: Library) -> AsyncIterator[Visitor]:
    async with visiting(library) as opened:
        await opened.sign_in("paul")
        yield opened


async def test_office_and_compiler_lead_a_submission_on(maria: Visitor, paul: Visitor, library: Library) -> None:
    place = str((await maria.upload(RIGHT, name="harvest.csv")).location)
    id = place.rpartition("/")[2]
    own = await maria.get(place)
    assert own.page.xpath("//button[contains(@formaction, '/approve')]") == []
    page = await paul.get(place)
    steps = [one.rpartition("/")[2] for one in page.page.xpath("//button/@formaction")]
    assert steps == ["approve", "refuse", "schedule", "publish"]
    assert (await paul.send(place, f"{place}/comment", words=f"Why? {EVIL}")).status == 303
    assert (await maria.send(place, f"{place}/comment", words="So.")).status == 303
    page = await maria.get(place)
    assert f"Why? {EVIL}" in page.words and "So." in page.words
    assert page.page.xpath("//script[not(@src)]") == []
    assert (await paul.send(place, f"{place}/approve", words="fine")).status == 303
    assert load_receipt(library.store, id).approved_by == "paul@local"
    wish = {"at": "2099-01-01T08:00", "zone": "Europe/Malta", "words": "press"}
    assert (await paul.send(place, f"{place}/schedule", **wish)).status == 303
    page = await maria.get(place)
    assert "published on 1 January 2099, 07:00 UTC" in page.words
    assert [row.split()[0] for row in page.page.xpath("//section[@aria-labelledby='done']//th[@scope='row']/text()")] == [
        "submit", "accept", "comment", "comment", "approve", "schedule"
    ]  # fmt: skip
    assert (await paul.send(place, f"{place}/publish")).status == 303
    assert load_receipt(library.store, id).status == "published"
    assert (await paul.send(place, f"{place}/publish")).status == 409


async def test_an_office_does_no_step_of_the_compiler(maria: Visitor, library: Library) -> None:
    place = str((await maria.upload(RIGHT, name="harvest.csv")).location)
    for step in ("approve", "publish", "schedule", "refuse"):
        assert (await maria.send(place, f"{place}/{step}", words="x")).status == 403
    assert load_receipt(library.store, place.rpartition("/")[2]).status == "accepted"


async def test_the_calendar_is_for_who_has_signed_in(maria: Visitor, library: Library) -> None:
    page = await maria.get("/calendar")
    assert page.status == 200 and "Nothing is expected." in page.words
    async with visiting(library) as stranger:
        assert (await stranger.get("/calendar")).location == "/account/sign-in"


@pytest.fixture
async def covered(tmp_path: Path) -> AsyncIterator[Visitor]:
    """A compiler of the sea, where a partner has sent what was expected of the harbour for 2024."""
    content = tmp_path / "content"
    shutil.copytree(CONTENT, content)
    (content / "dsd" / "collections").mkdir()
    log = {**LOG, "providers": ["HARBOUR"], "dataflows": ["SEA:DF_CATCH"]}
    (content / "dsd" / "collections" / "LOG.json").write_text(json.dumps(log))
    agreed = {"meta": META, "data": {"provisionAgreements": AGREED}}
    (content / "dsd" / "agreed.json").write_text(json.dumps(agreed))
    with open_house(f"duckdb:///{tmp_path / 'store.duckdb'}", content) as house:
        for year in (datetime.now(UTC).year - 2, datetime.now(UTC).year - 1):
            message = figures(**{f"COD_{year}_01": "5"}).replace(b",SOU,", b",NOR,")
            receipt, findings = house.send(message, provider="COAST")
            assert receipt.status == "published", findings
        accept_invitation(house.library.store, create_account(house.library.store, "paul", role="publisher"), GOOD)
        async with visiting(house.library) as opened:
            await opened.sign_in("paul")
            yield opened


async def test_the_calendar_shows_what_a_partner_has_covered(covered: Visitor) -> None:
    for path in ("/calendar", "/calendar?status=covered"):
        page = await covered.get(path)
        assert page.status == 200
        rows = [" ".join(row.text_content().split()) for row in page.page.xpath("//tbody/tr")]
        assert rows and all("covered by a partner" in row and "SEA.COAST: SEA:DF_CATCH(1)" in row for row in rows)


async def test_a_page_shows_what_a_correction_changes(maria: Visitor, paul: Visitor, library: Library) -> None:
    first = str((await maria.upload(RIGHT, name="harvest.csv")).location)
    second = str((await maria.upload(RIGHT, name="harvest.csv", corrects=first.rpartition("/")[2])).location)
    assert "What it changes" not in (await paul.get(first)).words
    page = await paul.get(second)
    assert page.page.xpath(f"//a[@href='{second}/difference']/text()") == ["What it changes"]
    told = await paul.get(f"{second}/difference")
    assert (told.status, "From " in told.words) == (200, True)
    assert (await paul.get(f"{first}/difference")).status == 409
    async with visiting(library) as stranger:
        assert (await stranger.get(f"{second}/difference")).location == "/account/sign-in"


async def test_a_compiler_sees_who_has_sent_what(maria: Visitor, paul: Visitor) -> None:
    await maria.upload(RIGHT, name="harvest.csv")
    heads = [
        (await who.get("/sending")).page.xpath("//section[@aria-labelledby='sent']//thead//th/text()")
        for who in (maria, paul)
    ]
    assert ["Provider" in one for one in heads] == [False, True]
