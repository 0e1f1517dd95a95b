"""Two people, one office and one compiler, play the whole story over HTTP; the log tells it afterwards."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from tests.harness import House
from tests.workflow.office import FLOW, Agency, agency, figures


async def until_published(desk: Agency, id: str) -> dict[str, object]:
    """The receipt once the scheduler has looked at the clock again."""
    for _ in range(200):
        _, receipt = await desk.ask("GET", f"/api/submissions/{id}", "office")
        if receipt["status"] == "published":
            return receipt
        await asyncio.sleep(0.05)
    raise AssertionError(receipt)


async def everything_seen(desk: Agency) -> list[tuple[int, bytes]]:
    """What somebody without a token sees of figures, counts and releases, byte for byte."""
    found = []
    for path in (
        FLOW,
        "/sdmx/v2/availability/dataflow/SEA/DF_CATCH/1.0.0",
        "/api/counts/v2/data/dataflow/SEA/DF_CATCH/1.0.0",
        "/api/releases",
        "/api/bulk",
        "/sdmx/v2/data/dataflow/SEA/DF_CATCH/1.0.0?includeHistory=true",
    ):
        status, headers, body = await desk.raw(
            "GET", path, Accept="application/vnd.sdmx.data+csv;version=2.1.0, */*;q=0.1"
        )
        kept = {name: headers[name] for name in ("ETag", "Last-Modified") if name in headers}
        found.append((status, body if b'"prepared"' not in body else b"", kept))
    return found


async def test_the_whole_story(house: House) -> None:
    async with agency(house.library) as desk:
        # what is live before
        status, live = await desk.send(
            "publisher", figures(COD_2024_01="1", EEL_2024_01="2"), provider="SEA.HARBOUR", publish="true"
        )
        assert (status, live["status"], live["release"]) == (201, "published", 1)

        # the office sends, is refused, learns why, corrects
        status, refused = await desk.send("office", figures(CODD_2024_01="5"))
        assert (status, refused["status"]) == (422, "refused")
        _, told = await desk.ask("GET", refused["links"]["findings"], "office")
        assert (told["findings"][0]["code"], told["findings"][0]["suggestion"]) == ("F401", "COD")
        status, sent = await desk.send("office", figures(COD_2024_01="5", COD_2024_02="6"), corrects=refused["id"])
        assert (status, sent["status"], sent["corrects"]) == (201, "accepted", refused["id"])
        _, earlier = await desk.ask("GET", f"/api/submissions/{refused['id']}", "office")
        assert (earlier["status"], earlier["corrected_by"]) == ("refused", sent["id"])

        # office and compiler talk
        assert (await desk.step("publisher", sent["id"], "comment", text="Is 2024-02 final?"))[0] == 201
        assert (await desk.step("office", sent["id"], "comment", text="It is."))[0] == 201
        _, told = await desk.ask("GET", sent["links"]["comments"], "office")
        assert [(one["by"], one["text"]) for one in told["comments"]] == [
            (desk.id("publisher"), "Is 2024-02 final?"),
            (desk.id("office"), "It is."),
        ]

        # the compiler signs off and sets the hour
        status, approved = await desk.step("publisher", sent["id"], "approve", comment="fine")
        assert (status, approved["status"], approved["approved_by"]) == (200, "approved", desk.id("publisher"))
        before = await everything_seen(desk)
        wish = {"dataflow": "DF_CATCH", "slice": {"FISH": ["COD"]}, "at": "2026-12-01T08:00", "zone": "Europe/Malta",
                "reason": "press conference"}  # fmt: skip
        status, embargo = await desk.ask("POST", "/api/embargoes", "publisher", wish)
        assert (status, embargo["at"], embargo["scheduled"]) == (201, "2026-12-01T07:00:00+00:00", [sent["id"]])
        _, waiting = await desk.ask("GET", f"/api/submissions/{sent['id']}", "office")
        assert (waiting["status"], waiting["scheduled_for"]) == ("scheduled", "2026-12-01T07:00:00+00:00")
        assert waiting["embargoes"] == [{"id": embargo["id"], "until": embargo["at"], "local": embargo["local"]}]
        status, problem = await desk.step("publisher", sent["id"], "publish")
        assert status == 409 and "2026-12-01T08:00 Europe/Malta" in problem["detail"]

        # nobody outside sees anything of it, and live data stay open
        assert await everything_seen(desk) == before
        assert await desk.weights() == {"COD 2024-01": "1", "EEL 2024-01": "2"}
        for who in (None, "coast"):
            status, _ = await desk.ask("GET", f"/api/submissions/{sent['id']}", who)
            assert status == (401 if who is None else 404)
        status, headers, body = await desk.raw("GET", sent["links"]["data"], "reader", Accept="text/csv")
        assert (status, headers["Cache-Control"]) == (200, "no-store") and b"2024-02,6" in body
        assert (await desk.raw("GET", sent["links"]["data"], "coast"))[0] == 404
        status, open_flow = await desk.send(
            "publisher", figures(EEL_2024_03="9"), provider="SEA.HARBOUR", publish="true"
        )
        assert (status, open_flow["status"]) == (201, "published")

        # a minute before its hour, and at the minute
        desk.watch.now = datetime(2026, 12, 1, 6, 59, 59, tzinfo=UTC)
        await asyncio.sleep(0.2)
        assert "COD 2024-02" not in await desk.weights()
        desk.watch.now += timedelta(seconds=1)
        published = await until_published(desk, sent["id"])
        assert (published["release"], published["scheduled_for"]) == (3, None)
        assert await desk.weights() == {"COD 2024-01": "5", "COD 2024-02": "6", "EEL 2024-01": "2", "EEL 2024-03": "9"}

        # a mistake, corrected: the difference first, then the next version takes its place
        status, again = await desk.send("office", figures(COD_2024_01="50", COD_2024_03="7"), corrects=sent["id"])
        assert (status, again["status"]) == (201, "accepted")
        _, told = await desk.ask("GET", again["links"]["difference"], "office")
        assert [(one["cells"], one["observations"]) for one in told["dataflows"]] == [
            ({"added": 2, "changed": 1, "removed": 2}, {"added": 1, "changed": 1, "removed": 1})
        ]
        status, receipt = await desk.step("publisher", again["id"], "publish")
        assert (status, receipt["status"], receipt["release"]) == (200, "published", 4)
        _, old = await desk.ask("GET", f"/api/submissions/{sent['id']}", "office")
        assert (old["status"], old["corrected_by"]) == ("superseded", again["id"])
        assert (await desk.weights())["COD 2024-01"] == "50"

        # back to an earlier release, for a reason
        status, release = await desk.ask("POST", "/api/releases/3/restore", "publisher", {"reason": "50 was a slip"})
        assert (status, release["release"]) == (201, 5)
        assert (await desk.weights())["COD 2024-01"] == "5"
        _, told = await desk.ask("GET", "/api/releases/4/diff/5")
        assert sum(one["cells"]["changed"] for one in told["dataflows"]) == 1

        # the log tells it
        _, log = await desk.ask("GET", "/api/log", "publisher")
        acts = [(one["principal"], one["act"], one["object"]) for one in log["entries"]]
        office, compiler = desk.id("office"), desk.id("publisher")
        story = [
            (office, "submit", refused["id"]), ("service", "refuse", refused["id"]),
            (office, "submit", sent["id"]), ("service", "accept", sent["id"]),
            (compiler, "comment", sent["id"]), (office, "comment", sent["id"]),
            (compiler, "approve", sent["id"]), (compiler, "embargo", "SEA:DF_CATCH(1)"),
            ("service", "schedule", sent["id"]),
            (compiler, "submit", open_flow["id"]), ("service", "accept", open_flow["id"]),
            (compiler, "publish", open_flow["id"]), ("service", "publish", sent["id"]),
            (office, "submit", again["id"]), ("service", "accept", again["id"]),
            (compiler, "publish", again["id"]), ("service", "supersede", sent["id"]),
            (compiler, "restore", "release 3"),
        ]  # fmt: skip
        assert acts[-len(story) :] == story
        _, verdict = await desk.ask("GET", "/api/log/verify", "publisher")
        assert (verdict["is_whole"], verdict["entries"]) == (True, len(acts))
        _, mine = await desk.ask("GET", sent["links"]["history"], "office")
        assert [one["act"] for one in mine["entries"]] == [
            "submit", "accept", "comment", "comment", "approve", "schedule", "publish", "supersede"
        ]  # fmt: skip
        mark = f"{again['log']['number']}:{again['log']['hash']}"
        assert (await desk.ask("GET", f"/api/log/verify?mark={mark}", "publisher"))[1]["is_whole"]
        assert (await desk.ask("GET", "/api/log", "office"))[0] == 403
        assert (await desk.ask("GET", "/api/log/verify", "office"))[0] == 403
