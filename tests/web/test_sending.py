"""Sending from a browser, over HTTP: the form, the findings, what one sees of one's own and of others'."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pyarrow as pa
import pytest
from aiohttp import FormData

from sdmx_service.auth import OPERATOR
from sdmx_service.catalog.library import Library
from sdmx_service.model.finding import FindingGroup, Severity
from sdmx_service.submission.reading import Wish
from sdmx_service.submission.receipt import load_receipt, receipts
from sdmx_service.submission.submit import SentFile, submit
from sdmx_service.web import desk
from sdmx_service.web.sending import causes_of
from sdmx_service.workflow.publishing import publish
from tests.web.orchard import EVIL, orchard
from tests.web.signing import RIGHT, WRONG, Visitor, add_accounts, figures, visiting


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with orchard(tmp_path_factory.mktemp("orchard")) as opened:
        add_accounts(opened)
        yield opened


@pytest.fixture
async def visitor(library: Library) -> AsyncIterator[Visitor]:
    async with visiting(library) as opened:
        await opened.sign_in()
        yield opened


def count(library: Library) -> int:
    return sum(1 for _ in receipts(library.store))


async def test_the_form_offers_what_one_may_send(visitor: Visitor) -> None:
    page = await visitor.get("/sending")
    assert "Signed in as Maria. Sends for Guild of growers." in page.words
    assert page.page.xpath("//select[@name='dataflow']/option/@value") == [
        "", "ORCH:DF_HARVEST(1.0.0)", "ORCH:DF_LOSS(1.0.0)",
    ]  # fmt: skip
    assert page.page.xpath("//input[@name='provider']") == []


async def test_a_file_without_error_waits_for_publication(visitor: Visitor, library: Library) -> None:
    sent = await visitor.upload(RIGHT, name="harvest.csv")
    assert sent.status == 303
    id = str(sent.location).rpartition("/")[2]
    receipt = load_receipt(library.store, id)
    assert (receipt.status, receipt.provider, receipt.principal) == ("accepted", "ORCH.GUILD", "maria@local")
    page = await visitor.get(str(sent.location))
    assert "harvest.csv accepted" in page.words
    assert "waits for publication" in page.words
    assert page.page.xpath("//th[@scope='row']/code/text()") == ["ORCH:DF_HARVEST(1.0.0)"]
    listed = await visitor.get("/sending")
    assert listed.page.xpath("//tbody//a/@href")[0] == sent.location
    publish([id], library, OPERATOR)
    assert "published, in release" in (await visitor.get(str(sent.location))).words
    assert (await visitor.get(str(sent.location))).page.xpath("//form[contains(@action, 'withdraw')]") == []


async def test_what_is_wrong_stands_at_its_place(visitor: Visitor) -> None:
    sent = await visitor.upload(WRONG)
    page = await visitor.get(str(sent.location))
    assert "Nothing of the file was taken" in page.words
    rows = {
        cause.xpath("string(.//h3//code)"): [
            " ".join(cell.text_content().split()) for cell in cause.xpath(".//tbody/tr[1]/td")
        ]
        for cause in page.page.xpath("//section[contains(@class, 'cause')]")
    }
    assert rows["F401"] == ["3", "FRUIT", "PAER", "PEAR", "A.PAER.F1.2021"]
    assert rows["F403"][:3] == ["4", "TIME_PERIOD", "2021-13"]
    answer = await visitor.client.get(f"{sent.location}/findings.csv")
    told = list(csv.DictReader(io.StringIO(await answer.text())))
    assert {(one["code"], one["row"]) for one in told} >= {("F401", "3"), ("F403", "4")}
    assert answer.headers["Content-Disposition"].startswith("attachment")
    workbook = await visitor.client.get(f"{sent.location}/findings.xlsx")
    assert (await workbook.read())[:2] == b"PK"
    report = await visitor.client.get(f"{sent.location}/findings.html")
    assert "style-src 'sha256-" in report.headers["Content-Security-Policy"]
    assert {one.headers["Cache-Control"] for one in (answer, workbook, report)} == {"no-store"}


async def test_a_corrected_file_is_a_new_version_of_the_same_submission(visitor: Visitor, library: Library) -> None:
    first = str((await visitor.upload(WRONG)).location)
    page = await visitor.get(first)
    (link,) = page.page.xpath("//a[contains(@href, 'corrects=')]/@href")
    id = first.rpartition("/")[2]
    assert link == f"/sending?corrects={id}"
    assert (await visitor.get(link)).page.xpath("//input[@name='corrects']/@value") == [id]
    second = str((await visitor.upload(RIGHT, corrects=id)).location)
    assert load_receipt(library.store, second.rpartition("/")[2]).corrects == id
    assert (await visitor.get(first)).page.xpath(f"//main//a[@href='{second}']")
    nothing = await visitor.upload(RIGHT, corrects="S0")
    assert (nothing.status, "There is no submission" in nothing.words) == (404, True)


async def test_only_checking_keeps_nothing(visitor: Visitor, library: Library) -> None:
    before = count(library)
    good = await visitor.upload(RIGHT, act="check")
    assert (good.status, "would be accepted" in good.words) == (200, True)
    bad = await visitor.upload(WRONG, act="check")
    assert (bad.status, "would be refused" in bad.words) == (422, True)
    assert bad.page.xpath("//a[contains(@href, 'findings')]") == []
    assert count(library) == before


@pytest.mark.parametrize("act", ["send", "check"])
async def test_another_providers_figures_are_not_taken(visitor: Visitor, library: Library, act: str) -> None:
    before = count(library)
    seen = await visitor.upload(RIGHT, act=act, provider="ORCH.NOBODY")
    assert seen.status == 404
    assert "no data provider" in seen.words
    assert count(library) == before


@pytest.mark.parametrize(
    ("file", "name", "status"),
    [
        (b"\x00\x01\x02", "noise.bin", 400),
        (b"", "empty.csv", 400),
        (b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aa">]><l>&a;</l>', "bomb.xml", 400),
    ],
)
async def test_what_cannot_be_read_is_said_on_the_form(
    visitor: Visitor, library: Library, file: bytes, name: str, status: int
) -> None:
    before = count(library)
    seen = await visitor.upload(file, name=name, mapping="")
    assert seen.status == status, seen.words
    assert seen.page.xpath("//div[@role='alert']")
    assert seen.page.xpath("//input[@type='file']")
    assert count(library) == before


async def test_no_file_was_chosen(visitor: Visitor) -> None:
    form = FormData({"form_token": (await visitor.get("/sending")).form_token, "act": "send"})
    form.add_field("file", b"", filename="", content_type="application/octet-stream")
    seen = await visitor.ask("POST", "/sending", data=form)
    assert seen.status == 400
    assert "No file was chosen" in seen.words


async def test_the_file_is_not_read_before_the_forms_token(visitor: Visitor, library: Library) -> None:
    before = count(library)
    token = (await visitor.get("/sending")).form_token
    form = FormData()
    form.add_field("file", RIGHT, filename="harvest.csv", content_type="text/csv")
    form.add_field("form_token", token)
    form.add_field("act", "send")
    assert (await visitor.ask("POST", "/sending", data=form)).status == 403
    assert count(library) == before


@pytest.mark.parametrize(
    ("name", "path", "status"),
    [
        (None, "/sending", 303),  # to sign in
        (None, "/account/sign-in", 400),
        (None, "/account/sign-out", 400),
        ("rita", "/sending", 403),
        ("maria", "/account/password", 400),
        ("maria", "/sending", 200),
    ],
)
async def test_a_file_is_read_only_of_who_may_send_and_where_one_is_sent(
    library: Library, monkeypatch: pytest.MonkeyPatch, name: str | None, path: str, status: int
) -> None:
    """Else anybody could fill the disk with it."""
    read: list[str] = []
    spool = desk._spool

    async def counting(part: Any, *rest: Any) -> None:
        read.append(part.filename)
        await spool(part, *rest)

    monkeypatch.setattr(desk, "_spool", counting)
    async with visiting(library) as visitor:
        if name is not None:
            await visitor.sign_in(name)
        form = FormData()
        page = "/account/sign-in" if name is None else "/account"
        for field, value in {"form_token": (await visitor.get(page)).form_token, "act": "check"}.items():
            form.add_field(field, value)
        form.add_field("file", io.BytesIO(RIGHT), filename="harvest.csv", content_type="text/csv")
        seen = await visitor.ask("POST", path, data=form)
    is_sent = (name, path) == ("maria", "/sending")
    assert (seen.status, read) == (status, ["harvest.csv"] if is_sent else [])


async def test_a_file_that_is_too_large(library: Library) -> None:
    async with visiting(library, max_body=20_000) as visitor:
        await visitor.sign_in()
        seen = await visitor.upload(b"x" * 50_000)
        assert seen.status == 413


async def test_taking_it_back(visitor: Visitor, library: Library) -> None:
    sent = await visitor.upload(RIGHT)
    assert (await visitor.send(str(sent.location), f"{sent.location}/withdraw")).location == sent.location
    assert load_receipt(library.store, str(sent.location).rpartition("/")[2]).status == "withdrawn"
    token = (await visitor.get("/sending")).form_token
    again = await visitor.ask("POST", f"{sent.location}/withdraw", data={"form_token": token})
    assert again.status == 409


async def test_others_do_not_see_it(visitor: Visitor, library: Library) -> None:
    sent = await visitor.upload(RIGHT)
    async with visiting(library) as rita:
        await rita.sign_in("rita")
        overview = await rita.get("/sending")
        assert overview.page.xpath("//input[@type='file']") == []
        assert "Nothing yet." in overview.words
        assert "rita" in overview.words
        for path in (sent.location, f"{sent.location}/findings.csv", "/sending/S0", "/sending/..%2Fx"):
            assert (await rita.get(str(path))).status == 404
        token = (await rita.get("/account")).form_token
        assert (await rita.ask("POST", f"{sent.location}/withdraw", data={"form_token": token})).status == 404
        form = FormData({"form_token": token, "act": "send"})
        form.add_field("file", RIGHT, filename="harvest.csv")
        assert (await rita.ask("POST", "/sending", data=form)).status == 403


async def test_a_receipt_of_several_providers_is_nobodys_alone(visitor: Visitor, library: Library) -> None:
    """What an agency sent of the guild and of others together shows others' figures too."""
    receipt = submit(
        SentFile(file=io.BytesIO(RIGHT), name="all.csv"),
        Wish(provider="ORCH:DATA_PROVIDERS(1.0).GUILD"),
        library,
        OPERATOR,
    )
    document = dict(library.store.document("receipt", receipt.id) or {})
    assert (await visitor.get(f"/sending/{receipt.id}")).status == 200
    library.store.save_document("receipt", receipt.id, {**document, "provider": "ORCH.GUILD, ORCH.OTHER"})
    assert (await visitor.get(f"/sending/{receipt.id}")).status == 404


async def test_names_and_values_are_text(visitor: Visitor) -> None:
    sent = await visitor.upload(figures('A,"<img src=x onerror=alert(1)>",F1,2021,5,A,,x'), name=f"{EVIL}.csv"[:60])
    page = await visitor.get(str(sent.location))
    assert page.page.xpath("//main//script | //main//img") == []
    assert "<img src=x" in page.words


def test_a_cause_is_called_by_its_rule_and_says_what_is_expected_once() -> None:
    places = pa.table({"row": [2, 3], "expected": ["a whole number", "a whole number"]})
    rule = FindingGroup(
        code="V01",
        severity=Severity.ERROR,
        template="Wrong.",
        rule="R.V01",
        constants={"title": "Whole"},
        places=places,
    )
    said = FindingGroup.of("F304", component="A", value="x", expected="a number")
    first, second = causes_of([rule, said])
    assert (first.title, first.expected) == ("Whole", "a whole number")
    assert (second.title, second.expected) == ("Wrong type", "")
