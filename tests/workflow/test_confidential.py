"""No confidential figure leaves through differences, waiting submissions, the log or the calendar."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sdmx_service.submission.receipt import receipts
from tests.harness import CSV, XML, House
from tests.rest.fishery import ATTRIBUTES, KEY, MEASURES, as_csv, open_fishery
from tests.rest.test_confidential import SECRET, figure, fill, lay_document
from tests.workflow.office import Agency, agency

EVERY = (*KEY, *MEASURES, *ATTRIBUTES)
FORMS = [CSV, XML, "application/json", "text/csv", "text/html"]


@pytest.fixture(params=[True, False], ids=["hidden", "open"])
def fishery(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[House, bool]]:
    """The house of the tests of confidentiality; once without its document, so that the search is seen to find."""
    with open_fishery(tmp_path / "house", lay_document if request.param else lambda content: None) as house:
        fill(house)
        yield house, request.param


async def answers(desk: Agency) -> dict[str, bytes]:
    """Every answer of this room that could tell a figure."""
    first = as_csv("DF_CATCH", [figure("A.NOR.COD.2020", "73101001.5", "Q"), figure("A.NOR.COD.2021", "5")], EVERY)
    second = as_csv("DF_CATCH", [figure("A.NOR.COD.2020", "73101002.5", "Q"), figure("A.NOR.COD.2021", "6")], EVERY)
    _, sent = await desk.send("office", first)
    assert sent["status"] == "accepted", sent
    await desk.ask(
        "POST", "/api/embargoes", "publisher", {"dataflow": "DF_CATCH", "at": "2099-01-01T00:00", "zone": "UTC"}
    )
    await desk.step("publisher", sent["id"], "approve")
    _, again = await desk.send("office", second, corrects=sent["id"])
    last = desk.library.store.pointer().release
    found: dict[str, bytes] = {}
    for form in FORMS:
        for a, b in ((0, last), (last, last - 3)):
            found[f"{a} to {b} {form}"] = (await desk.raw("GET", f"/api/releases/{a}/diff/{b}", Accept=form))[2]
        found[f"data {form}"] = (await desk.raw("GET", again["links"]["data"], "reader", Accept=form))[2]
        found[f"difference {form}"] = (await desk.raw("GET", again["links"]["difference"], "office", Accept=form))[2]
    for path in ("/api/log", "/api/log/verify", "/api/calendar", "/api/embargoes", "/api/submissions"):
        found[path] = (await desk.raw("GET", path, "publisher"))[2]
    assert b"2021" in found[f"data {CSV}"]
    return found


async def test_nothing_is_told(fishery: tuple[House, bool]) -> None:
    house, is_hidden = fishery
    async with agency(house.library) as desk:
        found = await answers(desk)
    telling = [where for where, body in found.items() if SECRET.encode() in body]
    if is_hidden:
        assert telling == []
    else:
        assert {one.split()[0] for one in telling} >= {"0", "data", "difference"}


async def test_a_submission_by_itself_tells_nothing_that_is_hidden_today(fishery: tuple[House, bool]) -> None:
    """What it brought as free was declared confidential since, withdrawn or not; or it leaves out the status stored."""
    house, is_hidden = fishery
    old = [receipt.id for receipt in receipts(house.library.store)]
    async with agency(house.library) as desk:
        keeps = [
            {name: value for name, value in figure("A.NOR.COD.2010", f"{SECRET}01.25").items() if name != "STATUS"}
        ]
        columns = [name for name in EVERY if name != "STATUS"]
        _, waiting = await desk.send("office", as_csv("DF_CATCH", keeps, columns), provider="SEA.HARBOUR")
        free = figure("A.NOR.COD.2010", f"{SECRET}01.75")
        _, first = await desk.send("office", as_csv("DF_CATCH", [figure("A.NOR.EEL.2019", f"{SECRET}19.5")], EVERY))
        _, second = await desk.send(
            "office", as_csv("DF_CATCH", [figure("A.NOR.EEL.2019", f"{SECRET}20.5", "Q")], EVERY), corrects=first["id"]
        )
        _, freeing = await desk.send("office", as_csv("DF_CATCH", [free | {"STATUS": "A"}], EVERY))
        assert [one["status"] for one in (waiting, first, second, freeing)] == ["accepted"] * 4
        told = {}
        for id in (*old, waiting["id"], first["id"], second["id"], freeing["id"]):
            status, _, body = await desk.raw("GET", f"/api/submissions/{id}/data", "reviewer", Accept=CSV)
            assert status in (200, 204)
            told[id] = SECRET in body.decode()
        difference = (await desk.raw("GET", second["links"]["difference"], "reviewer", Accept="text/csv"))[2]
    assert told.pop(freeing["id"])  # the sender says that it is free
    assert (SECRET in difference.decode()) is not is_hidden
    assert any(told.values()) is not is_hidden, told
