"""The later life of a submission over HTTP: what is wrong with a request, who may, other doors, policies, forms."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sdmx_service.app import application
from sdmx_service.auth import create_token
from sdmx_service.auth.tokens import revoke_token
from sdmx_service.catalog.library import Library
from sdmx_service.catalog.loading import Content, serialise
from sdmx_service.submission.receipt import receipts
from sdmx_service.workflow.embargoes import embargo
from sdmx_service.workflow.publishing import publish_due
from tests.harness import House
from tests.workflow.office import COMPILER, CSV, FLOW, Agency, Watch, agency, figures

EMBARGO = {"dataflow": "DF_CATCH", "at": "2026-12-01T08:00", "zone": "Europe/Malta"}
XML = "application/vnd.sdmx.data+xml;version=3.1.0"


@pytest.fixture
async def desk(sea: House) -> AsyncIterator[Agency]:
    async with agency(sea.library) as opened:
        yield opened


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("POST", "/api/submissions/S0/dance", None, 404, "approve"),
        ("POST", "/api/submissions/S0/approve", None, 404, "S0"),
        ("POST", "/api/submissions/S0/approve", b"{", 400, "JSON object"),
        ("POST", "/api/submissions/S0/approve", b"[1]", 400, "JSON object"),
        ("POST", "/api/submissions/S0/approve", {"comment": 5}, 400, "comment"),
        ("POST", "/api/submissions/S0/approve", {"colour": "red"}, 400, "colour"),
        ("POST", "/api/submissions/S0/approve?at=1", None, 400, "at"),
        ("POST", "/api/submissions/S0/refuse", b" " * (1 << 20) + b"{}", 413, "larger"),
        ("POST", "/api/embargoes", {"dataflow": "DF_CATCH"}, 400, "at"),
        ("POST", "/api/embargoes", {**EMBARGO, "slice": {"FISH": "COD"}}, 400, "slice"),
        ("POST", "/api/embargoes", {**EMBARGO, "slice": {"FISH": [1]}}, 400, "slice"),
        ("POST", "/api/embargoes", {**EMBARGO, "slice": {"FISH": ["CODD"]}}, 404, "COD"),
        ("POST", "/api/embargoes", {**EMBARGO, "zone": "Mars"}, 400, "Mars"),
        ("POST", "/api/embargoes/E0/lift", {"reason": "x"}, 404, "E0"),
        ("POST", "/api/embargoes/E0/lift", None, 400, "reason"),
        ("GET", "/api/log?after=x", None, 400, "after"),
        ("GET", "/api/log?colour=red", None, 400, "colour"),
        ("GET", "/api/log/verify?mark=x", None, 400, "NUMBER:HASH"),
        ("GET", "/api/calendar?status=lost", None, 400, "late"),
        ("GET", "/api/calendar?year=1", None, 400, "year"),
        ("GET", "/api/calendar?provider=HARBOR", None, 404, "HARBOUR"),
        ("GET", "/api/releases/0/diff/9", None, 404, "release 9"),
        ("GET", "/api/releases/0/diff/0?dataflow=DF_NONE", None, 404, "DF_"),
        ("GET", "/api/submissions/S0/data", None, 404, "S0"),
        ("GET", "/api/submissions/S0/difference", None, 404, "S0"),
        ("GET", "/api/policies/colour", None, 404, "sign_off"),
        ("POST", "/api/policies/sign_off", {"id": "X", "approval": "perhaps"}, 422, "approval"),
        ("DELETE", "/api/policies/sign_off/X", None, 404, "X"),
        ("POST", "/api/submissions?corrects=S0", figures(COD_2024_01="1"), 404, "S0"),
        ("POST", "/api/releases/9/restore", {"reason": "x" * 4001}, 400, "4000"),
    ],
)
async def test_a_wrong_request_says_what_is_wrong(
    desk: Agency, method: str, path: str, body: Any, status: int, said: str
) -> None:
    before = desk.library.store.mark()
    found, headers, told = await desk.raw(method, path, "administrator", body)
    assert (found, headers["Content-Type"]) == (status, "application/problem+json"), told
    assert said in told.decode()
    assert desk.library.store.mark() == before


@pytest.mark.parametrize("path", ["/api/submissions?name=catch.csv", "/sdmx/v2/data"])
async def test_a_token_that_is_revoked_while_a_file_comes_sends_nothing(desk: Agency, path: str) -> None:
    """A large file may take an hour; who revokes a token means now."""

    async def slowly() -> AsyncIterator[bytes]:
        body = figures(COD_2024_01="5")
        yield body[:20]
        await asyncio.to_thread(revoke_token, desk.library.store, desk.id("office"))
        yield body[20:]

    headers = {"Authorization": f"Bearer {desk.tokens['office']}"}
    async with desk.client.post(path, data=slowly(), headers=headers) as answer:
        assert answer.status == 401, await answer.text()
    assert list(receipts(desk.library.store)) == []


async def test_what_may_not_be_seen_is_not_there(desk: Agency) -> None:
    """Nor can its id be tried out: every address says of it what it says of one that there is not."""
    _, sent = await desk.send("office", figures(COD_2024_01="5"))
    for who, doors in (("coast", ("GET data", "POST withdraw", "POST approve")), ("reader", ("POST withdraw",))):
        for method, door in (one.split() for one in doors):
            told = [await desk.ask(method, f"/api/submissions/{id}/{door}", who) for id in (sent["id"], "S0")]
            assert [status for status, _ in told] == [404, 404], (who, door)
            assert told[0][1]["detail"].replace(sent["id"], "S0") == told[1][1]["detail"]


@pytest.mark.parametrize(
    ("method", "path", "may"),
    [
        ("GET", "/api/embargoes", {"reader", "reviewer", "publisher", "administrator"}),
        ("POST", "/api/embargoes", {"publisher", "administrator"}),
        ("GET", "/api/log", {"reviewer", "publisher", "administrator"}),
        ("GET", "/api/log/verify", {"reviewer", "publisher", "administrator"}),
        ("GET", "/api/calendar", {"office", "coast", "reader", "reviewer", "publisher", "administrator"}),
        ("GET", "/api/policies/sign_off", {"reviewer", "publisher", "administrator"}),
        ("POST", "/api/policies/sign_off", {"administrator"}),
        ("GET", "/api/submissions/{id}/data", {"office", "reader", "reviewer", "publisher", "administrator"}),
        ("GET", "/api/submissions/{id}/comments", {"office", "reviewer", "publisher", "administrator"}),
        ("GET", "/api/submissions/{id}/history", {"office", "reviewer", "publisher", "administrator"}),
    ],
)
async def test_who_may(desk: Agency, method: str, path: str, may: set[str]) -> None:
    _, sent = await desk.send("office", figures(COD_2024_01="5"))
    body = {"/api/embargoes": EMBARGO, "/api/policies/sign_off": {"id": "X"}}.get(path) if method == "POST" else None
    for who in (None, *desk.tokens):
        status, headers, _ = await desk.raw(method, path.format(id=sent["id"]), who, body)
        assert (status in (200, 201)) == (who in may), (who, status)
        if status in (200, 201):
            assert "no-store" in headers["Cache-Control"], who


async def test_the_other_doors_know_of_embargoes(desk: Agency) -> None:
    await desk.ask("POST", "/api/embargoes", "publisher", EMBARGO)
    path = "/sdmx/v2/data?provider=SEA.HARBOUR"
    status, headers, told = await desk.raw("POST", path, "publisher", figures(COD_2024_01="5"), Content_Type=CSV)
    assert (status, "2026-12-01T07:00" in told.decode()) == (202, True)
    _, receipt = await desk.ask("GET", headers["Location"], "publisher")
    assert receipt["status"] == "scheduled"
    status, sent = await desk.send("publisher", figures(COD_2024_02="6"), provider="SEA.HARBOUR", publish="true")
    assert (status, sent["status"], sent["scheduled_for"]) == (201, "scheduled", "2026-12-01T07:00:00+00:00")
    assert await desk.weights() == {}
    status, lifted = await desk.ask("GET", "/api/embargoes", "reader")
    id = lifted["embargoes"][0]["id"]
    status, lifted = await desk.ask("POST", f"/api/embargoes/{id}/lift", "publisher", {"reason": "leaked"})
    assert (status, lifted["published"]) == (200, [receipt["id"], sent["id"]])
    assert await desk.weights() == {"COD 2024-01": "5", "COD 2024-02": "6"}


async def test_approval_may_be_asked_for_while_the_service_runs(desk: Agency) -> None:
    policy = {"id": "STRICT", "applies_to": ["SEA:DF_CATCH"], "approval": "needed", "approvers": ["reviewer"]}
    assert await desk.ask("POST", "/api/policies/sign_off", "administrator", policy) == (
        201, {"kind": "sign_off", "id": "STRICT"},
    )  # fmt: skip
    assert policy in (await desk.ask("GET", "/api/policies/sign_off", "reviewer"))[1]["policies"]
    status, sent = await desk.send("publisher", figures(COD_2024_01="5"), provider="SEA.HARBOUR", publish="true")
    assert (status, sent["status"]) == (201, "accepted")
    assert (await desk.step("publisher", sent["id"], "publish"))[0] == 409
    status, told = await desk.ask("POST", "/sdmx/v2/data?provider=SEA.HARBOUR", "publisher", figures(COD_2024_01="6"))
    assert status == 202 and "approval" in json.dumps(told)
    assert (await desk.ask("DELETE", "/api/policies/sign_off/STRICT", "administrator"))[0] == 200
    assert (await desk.step("publisher", sent["id"], "publish"))[1]["status"] == "published"
    _, log = await desk.ask("GET", "/api/log?object=sign_off:STRICT", "reviewer")
    assert [one["details"] for one in log["entries"]] == [{"is_ended": False}, {"is_ended": True}]


async def test_a_service_that_was_down_at_the_hour_catches_up(sea: House) -> None:
    watch = Watch()
    embargo(sea.library, COMPILER, watch.now, dataflow="DF_CATCH", at="2026-12-01T08:00", zone="Europe/Malta")
    async with agency(sea.library, watch) as desk:
        _, sent = await desk.send("publisher", figures(COD_2024_01="5"), provider="SEA.HARBOUR", publish="true")
        assert sent["status"] == "scheduled"
    watch.now += timedelta(days=400)
    async with agency(Library(sea.library.store), watch) as desk:
        for _ in range(200):
            if await desk.weights():
                break
            await asyncio.sleep(0.02)
        assert await desk.weights() == {"COD 2024-01": "5"}


@pytest.mark.parametrize(
    ("accept", "kind", "holds"),
    [
        (None, "application/json", b'"cells":{"added":3'),
        ("*/*", "application/json", b'"cells":{"added":3'),
        ("application/json", "application/json", b'"cells":{"added":3'),
        ("text/csv", "text/csv; charset=utf-8", b'"M.SOU.COD.2024-01","WEIGHT","added"'),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8", b"<td>WEIGHT</td>"),
        (CSV, CSV, b"SEA:DF_CATCH(1.0.0),M,M,SOU,COD,2024-01,5"),
        (XML, XML, b'action="Merge"'),
        (
            "application/vnd.sdmx.data+json;version=2.1.0",
            "application/vnd.sdmx.data+json;version=2.1.0",
            b'"action":"Merge"',
        ),
    ],
)
async def test_differences_in_every_form(desk: Agency, accept: str | None, kind: str, holds: bytes) -> None:
    await desk.send("publisher", figures(COD_2024_01="5"), provider="SEA.HARBOUR", publish="true")
    headers = {} if accept is None else {"Accept": accept}
    status, found, body = await desk.raw("GET", "/api/releases/0/diff/1", **headers)
    assert (status, found["Content-Type"], found["Vary"]) == (200, kind, "Accept")
    assert holds in body, body
    status, _, body = await desk.raw("GET", "/api/releases/1/diff/1", Accept=CSV)
    assert (status, body) == (204, b"")
    assert (await desk.raw("GET", "/api/releases/0/diff/1", Accept="image/png"))[0] == 406


async def test_the_log_in_pages(desk: Agency) -> None:
    for weight in ("1", "2", "3"):
        await desk.send("publisher", figures(COD_2024_01=weight), provider="SEA.HARBOUR", publish="true")
    _, whole = await desk.ask("GET", "/api/log", "reviewer")
    assert whole["head"]["number"] == whole["entries"][-1]["number"] == len(whole["entries"])
    after, found = 0, []
    while entries := (await desk.ask("GET", f"/api/log?after={after}&limit=4", "reviewer"))[1]["entries"]:
        assert len(entries) <= 4
        found += entries
        after = entries[-1]["number"]
    assert found == whole["entries"]
    assert (await desk.raw("GET", FLOW, Accept=CSV))[0] == 200


async def test_a_reader_reads_what_waits_and_not_what_was_sent_back(desk: Agency) -> None:
    _, first = await desk.send("office", figures(COD_2024_01="5"))
    assert (await desk.raw("GET", first["links"]["data"], "reader"))[0] == 200
    _, second = await desk.send("office", figures(COD_2024_01="6"), corrects=first["id"])
    await desk.step("reviewer", second["id"], "refuse", reason="Why six?")
    for one in (first, second):
        found = [(await desk.raw("GET", one["links"]["data"], who))[0] for who in ("reader", "reviewer", "office")]
        assert found == [404, 200, 200]


async def test_a_reader_limited_to_a_dataflow_reads_no_other(desk: Agency) -> None:
    """Figures that wait, of a dataflow outside the limit, are not for a token that is limited."""
    _, sent = await desk.send("office", figures(COD_2024_01="5"))
    catalog = desk.library.view().catalog
    for flow, status in (("DF_CATCH", 200), ("DF_LICENCE", 404)):
        flows = (catalog.named(flow, "Dataflow").ref,)
        desk.tokens["limited"] = create_token(desk.library.store, role="reader", dataflows=flows)[0]
        assert (await desk.raw("GET", sent["links"]["data"], "limited"))[0] == status


async def test_what_is_due_is_held_where_the_agreement_is_gone(desk: Agency) -> None:
    """Rights are looked at again at the hour, not only when somebody publishes by hand."""
    await desk.ask("POST", "/api/embargoes", "publisher", EMBARGO)
    _, sent = await desk.send("publisher", figures(COD_2024_01="5"), provider="SEA.HARBOUR", publish="true")
    assert sent["status"] == "scheduled"
    agreement = next(one for one in desk.library.view().catalog.of_type("ProvisionAgreement") if "CATCH" in one.id)
    other = replace(agreement, provider=replace(agreement.provider, item="COAST"), version="1.0.0")
    desk.library.store.save_artefacts(serialise(Content(artefacts=[other])))
    due = publish_due(desk.library, datetime(2026, 12, 1, 7, tzinfo=UTC))
    assert (due.published, [one.id for one in due.held]) == ((), [sent["id"]])
    assert await desk.weights() == {}


async def test_what_goes_wrong_at_an_hour_stops_no_later_one(sea: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it is: the next attempt follows, and what else is due comes out."""
    looked: list[bool] = []

    def broken_once(*args: Any, **more: Any) -> Any:
        looked.append(True)
        if len(looked) == 1:
            raise RuntimeError("a fault of our own")
        return publish_due(*args, **more)

    monkeypatch.setattr(application, "publish_due", broken_once)
    async with agency(sea.library, looks=0.001):
        for _ in range(500):
            if len(looked) > 1:
                break
            await asyncio.sleep(0.02)
    assert len(looked) > 1
