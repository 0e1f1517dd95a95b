"""The calendar: who is expected to send what, what has come, who is late, whom to remind."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sdmx_service.catalog.collection import read_collection
from sdmx_service.errors import InvalidStructure
from sdmx_service.storage.port import Record
from sdmx_service.submission.receipt import receipt_change
from sdmx_service.workflow.expected import Expected, calendar_csv, calendar_ics, calendar_json, expected
from sdmx_service.workflow.steps import withdraw
from tests.harness import ROOT, House, open_house
from tests.workflow.office import COMPILER, CONTENT, OFFICE, figures
from tests.workflow.test_steps import COAST, sent

LOG = {
    "id": "LOG", "names": {"en": "Harbour log"}, "providers": ["HARB*", "COAST"],
    "dataflows": ["SEA:DF_CATCH", "SEA:DF_LICENCE"],
    "asked": {"years_after": 1, "day": "--01-01"}, "due": {"years_after": 1, "day": "--03-31"},
    "reminders": [30, 7, -10], "first_year": 2024,
}  # fmt: skip
URN = "urn:sdmx:org.sdmx.infomodel"
AGREED = [
    {"id": id, "name": id, "names": {"en": id}, "agencyID": "SEA", "version": "1.0.0",
     "dataflow": f"{URN}.datastructure.Dataflow=SEA:{flow}(1.0.0)",
     "dataProvider": f"{URN}.base.DataProvider=SEA:DATA_PROVIDERS(1.0).{provider}"}
    for id, flow, provider in (("PA_LICENCE", "DF_LICENCE", "HARBOUR"), ("PA_COAST", "DF_CATCH", "COAST"))
]  # fmt: skip
META = {"id": "AGREED", "test": False, "prepared": "2026-01-01T00:00:00Z", "sender": {"id": "SEA"}}
FREE = b"STRUCTURE,STRUCTURE_ID,ACTION,PORT,FISH,LICENCES\ndataflow,SEA:DF_LICENCE(1.0.0),M,NOR,COD,12\n"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    content = tmp_path / "content"
    shutil.copytree(CONTENT, content)
    (content / "dsd" / "collections").mkdir()
    (content / "dsd" / "collections" / "LOG.json").write_text(json.dumps(LOG))
    (content / "dsd" / "agreed.json").write_text(json.dumps({"meta": META, "data": {"provisionAgreements": AGREED}}))
    with open_house(f"duckdb:///{tmp_path / 'store.duckdb'}", content) as opened:
        yield opened


def on(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def stands(house: House, day: str, who: Any = COMPILER, **wish: Any) -> list[tuple[str, int, str]]:
    found = expected(house.library.view().catalog, house.library.store, who, on(day), **wish)
    return [(one.provider, one.year, one.status(on(day).date())) for one in found]


def arrived(house: House, day: str, message: bytes) -> str:
    """A submission that arrived on a day."""
    receipt = replace(sent(house, message=message), received_at=f"{day}T10:00:00+00:00")
    house.library.store.record(Record(changes=(receipt_change(receipt),)))
    return receipt.id


def test_a_round_from_the_first_day_to_long_after(house: House) -> None:
    assert stands(house, "2025-01-15", provider="HARBOUR") == [("SEA.HARBOUR", 2024, "expected")]
    first = arrived(house, "2025-02-01", figures(COD_2024_01="5"))
    assert stands(house, "2025-03-31", provider="HARBOUR") == [("SEA.HARBOUR", 2024, "partial")]
    assert stands(house, "2025-04-01", provider="HARBOUR", status="late") == [("SEA.HARBOUR", 2024, "late")]
    arrived(house, "2025-05-01", FREE)
    assert stands(house, "2025-05-02", provider="HARBOUR") == [("SEA.HARBOUR", 2024, "complete")]
    assert stands(house, "2026-01-02", provider="HARBOUR") == [
        ("SEA.HARBOUR", 2024, "complete"), ("SEA.HARBOUR", 2025, "expected"),
    ]  # fmt: skip
    withdraw(first, house.library, OFFICE)
    assert stands(house, "2026-01-02", provider="HARBOUR")[0] == ("SEA.HARBOUR", 2024, "late")
    assert stands(house, "2025-05-02", provider="HARBOUR", year=2026) == [("SEA.HARBOUR", 2026, "not asked")]


def test_an_office_sees_its_own(house: House) -> None:
    assert [one[0] for one in stands(house, "2025-02-01")] == ["SEA.COAST", "SEA.HARBOUR"]
    assert {one[0] for one in stands(house, "2025-02-01", OFFICE)} == {"SEA.HARBOUR"}
    assert {one[0] for one in stands(house, "2025-02-01", COAST)} == {"SEA.COAST"}
    (coast,) = expected(house.library.view().catalog, house.library.store, COAST, on("2025-02-01"))
    assert coast.outstanding == ("SEA:DF_CATCH(1)",)  # only what is agreed is expected


def test_what_a_partner_has_sent_need_not_be_sent_again(house: House) -> None:
    """Submitted once: the harbour reports for NOR, and the coast guard has passed its figures of 2024 on."""
    flow = "SEA:DF_CATCH(1)"
    assert one_of(house, "2025-04-05").covered == {}
    house.send(figures(COD_2024_01="5"), name="south.csv", provider="COAST")
    assert one_of(house, "2025-04-05").covered == {}  # the harbour does not report for SOU
    north = figures(COD_2024_01="5").replace(b",SOU,", b",NOR,")
    receipt, findings = house.send(north, name="north.csv", provider="COAST")
    assert receipt.status == "published", findings
    late = one_of(house, "2025-04-05")
    assert (late.outstanding, late.covered) == (("SEA:DF_LICENCE(1)",), {flow: "SEA.COAST"})
    assert late.status(on("2025-04-05").date()) == "late"
    arrived(house, "2025-05-01", FREE)
    once = one_of(house, "2025-05-02")
    assert (once.status(on("2025-05-02").date()), once.covered) == ("covered", {flow: "SEA.COAST"})
    assert list(once.reminders(on("2026-01-01").date())) == []
    assert "BEGIN:VEVENT" not in calendar_ics([once], on("2025-05-02")).decode()
    (row,) = csv.DictReader(io.StringIO(calendar_csv([once], on("2025-05-02").date()).decode()))
    assert (row["status"], row["covered"]) == ("covered", flow)
    assert stands(house, "2026-02-01", provider="HARBOUR", year=2025)[0][2] == "expected"  # of 2024 only
    arrived(house, "2025-06-01", figures(COD_2024_01="5"))
    assert one_of(house, "2025-06-02").status(on("2025-06-02").date()) == "complete"


def one_of(house: House, day: str) -> Expected:
    (found,) = expected(
        house.library.view().catalog, house.library.store, COMPILER, on(day), provider="HARBOUR", year=2024
    )
    return found


@pytest.mark.parametrize(
    ("day", "reminder"),
    [("2025-02-28", None), ("2025-03-01", "2025-03-01"), ("2025-03-23", "2025-03-01"), ("2025-03-24", "2025-03-24"),
     ("2025-04-09", "2025-03-24"), ("2025-04-10", "2025-04-10"), ("2026-01-01", "2025-04-10")],
)  # fmt: skip
def test_reminders(house: House, day: str, reminder: str | None) -> None:
    told = one_of(house, day).to_json(on(day).date())
    assert told["reminder_due"] == reminder
    document = json.loads(calendar_json([one_of(house, day)], on(day)))
    assert [one["reminder_due"] for one in document["reminders"]] == ([reminder] if reminder else [])


def test_as_a_table_and_as_icalendar(house: House) -> None:
    now = on("2025-04-05")
    (row,) = csv.DictReader(io.StringIO(calendar_csv([one_of(house, "2025-04-05")], now.date()).decode()))
    assert (row["provider"], row["status"], row["days_late"]) == ("SEA.HARBOUR", "late", "5")
    text = calendar_ics([one_of(house, "2025-04-05")], now).decode()
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    lines = text.replace("\r\n ", "").split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR" and lines[-2:] == ["END:VCALENDAR", ""]
    assert "DTSTART;VALUE=DATE:20250331" in lines and "UID:LOG-SEA.HARBOUR-2024" in lines
    assert any(line.startswith("DESCRIPTION:") and "\\, " in line for line in lines)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"asked": {"years_after": 1, "day": "01-01"}}, "--MM-DD"),
        ({"asked": {"years_after": 1, "day": "--02-30"}}, "--MM-DD"),
        ({"asked": {"years_after": 2, "day": "--01-01"}}, "before it is asked"),
        ({"colour": "red"}, "colour"),
        ({"reminders": ["soon"]}, "whole number"),
    ],
)
def test_a_wrong_collection_names_its_place(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidStructure, match=said):
        read_collection({**LOG, **change}, "dsd/collections/LOG.json")


def test_those_delivered_expect_somebody() -> None:
    """Every collection of the delivery is read, and says how certain it is."""
    for path in sorted((ROOT / "dsd" / "collections").glob("*.json")):
        found = read_collection(json.loads(path.read_text()), path.name)
        assert found.status == "reconstructed" and path.stem == found.id
        assert "basis" in found.document
