"""The audit: what the public can work out about hidden figures, and what to hide so that it cannot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sdmx_service.cli import main
from sdmx_service.errors import NotFound
from sdmx_service.submission.audit import Audit, as_submission, audit
from tests.harness import House
from tests.rest.fishery import KEY, Row, open_fishery, send
from tests.rest.test_confidential import DOCUMENT, call

COUNTS = {
    "id": "COUNTS",
    "applies_to": ["SEA:DF_CATCH"],
    "rules": [
        {"id": "S2", "kind": "value", "severity": "warning", "scope": "file", "names": {"en": "no catch is below nothing"},
         "message": {"en": "{value}"}, "component": "WEIGHT", "minimum": 0, "when": {"FREQ": ["M"]}},
        {"id": "S3", "kind": "disclosure", "severity": "warning", "scope": "file", "component": "WEIGHT",
         "names": {"en": "told"}, "message": {"en": "{recovered}: {known}"}},
        {"id": "S4", "kind": "disclosure", "severity": "info", "scope": "file", "component": "WEIGHT", "within": "range",
         "names": {"en": "nearly told"}, "message": {"en": "{recovered}: {known}"}},
    ],
}  # fmt: skip
IDS = (*KEY, "WEIGHT", "STATUS", "UNIT")
FISH = ("_T", "COD", "EEL", "NA")


def lay(content: Path) -> None:
    """A document with a status of its own for figures that are hidden for others' sake, and rules that say more."""
    (content / "dsd" / "confidentiality").mkdir()
    document = {name: value for name, value in DOCUMENT.items() if name != "dataflows"} | {"secondary": "Q"}
    (content / "dsd" / "confidentiality" / "CATCH.json").write_text(json.dumps(document))
    (content / "dsd" / "rules" / "COUNTS.json").write_text(json.dumps(COUNTS))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_fishery(tmp_path / "house", lay) as opened:
        yield opened


def line(port: str, month: str, *weights: str, hidden: str = "") -> list[Row]:
    """All fish, cod, eel and the nameless of a port and month; ``hidden`` has a Q where a figure is confidential."""
    statuses = hidden.ljust(4, "A")
    return [
        {
            "FREQ": "M",
            "PORT": port,
            "FISH": fish,
            "TIME_PERIOD": month,
            "WEIGHT": weight,
            "STATUS": status,
            "UNIT": "kg",
        }
        for fish, weight, status in zip(FISH, weights, statuses, strict=True)
    ]


def told(found: Audit, by: str = "sums") -> dict[str, tuple[str | None, str | None]]:
    return {".".join(one.key.values()): (one.lower, one.upper) for one in found.disclosed if one.by == by}


def test_what_sums_give_away(house: House) -> None:
    rows = [
        *line("NOR", "2020-01", "10", "4", "5", "1", hidden="AAQA"),  # one sum, one hidden figure
        *line("NOR", "2020-02", "10", "4", "5", "1", hidden="AAQQ"),  # two in one sum: 0 to 6
        *line("NOR", "2020-03", "10", "10", "0", "0", hidden="AAQQ"),  # both can only be 0
        *line("NOR", "2020-04", "100", "1", "98", "1", hidden="QAQA"),  # the total is hidden too: no limit
    ]
    send(house, "DF_CATCH", rows, IDS, "HARBOUR")
    found = audit("SEA:DF_CATCH(1.0.0)", house.library)
    assert told(found) == {
        "M.NOR.EEL.2020-01": ("5", "5"),
        "M.NOR.EEL.2020-03": ("0", "0"),
        "M.NOR.NA.2020-03": ("0", "0"),
    }
    assert all("FISH _T = COD + EEL + NA" in one.how[0] for one in found.disclosed)
    assert (found.in_sums, found.is_cut, found.contradictory) == (7, False, 0)


def test_proposals_protect_what_they_can(house: House) -> None:
    send(house, "DF_CATCH", line("NOR", "2020-01", "10", "4", "5", "1", hidden="AAQA"), IDS, "HARBOUR")
    found = audit("SEA:DF_CATCH(1.0.0)", house.library)
    assert [".".join(key.values()) for key in found.proposals] == ["M.NOR.NA.2020-01"]
    assert found.unprotected == 0
    body = b"".join(as_submission(found, house.library.view().catalog))
    receipt, findings = house.send(body, name="secondary.csv", provider="SEA.HARBOUR")
    assert receipt.status == "published", findings
    again = audit("SEA:DF_CATCH(1.0.0)", house.library)
    assert told(again) == {}
    assert {one.by for one in again.disclosed} == {"release"}, "who took the earlier release has it"
    (row,) = house.rows("v2/data/dataflow/SEA/DF_CATCH/1.0.0/M.NOR.NA?c[TIME_PERIOD]=2020-01")
    assert (row["WEIGHT"], row["STATUS"]) == ("", "Q")


def test_what_is_told_elsewhere_and_before(house: House) -> None:
    def figure(port: str, weight: str | None, status: str = "A") -> Row:
        row = {"FREQ": "M", "PORT": port, "FISH": "COD", "TIME_PERIOD": "2020-01", "STATUS": status, "UNIT": "kg"}
        return row if weight is None else row | {"WEIGHT": weight}

    send(house, "DF_CATCH", [figure("007", "7")], IDS, "HARBOUR")
    first = house.library.store.pointer().release
    send(house, "DF_CATCH_EST", [figure("NOR", "8")], IDS, "HARBOUR")
    send(house, "DF_CATCH", [figure("SOU", "9")], IDS, "COAST")
    hidden = [figure("NOR", "8", "Q"), figure("SOU", "9", "Q"), figure("007", None, "Q")]
    send(house, "DF_CATCH", hidden, IDS, "HARBOUR")
    found = audit("SEA:DF_CATCH(1.0.0)", house.library)
    assert {(".".join(one.key.values()), one.by, one.how) for one in found.disclosed} == {
        ("M.NOR.COD.2020-01", "dataflow", ("SEA:DF_CATCH_EST(1) of SEA.HARBOUR",)),
        ("M.007.COD.2020-01", "release", (f"releases {first} to {house.library.store.pointer().release - 1}",)),
    }, "the figure of the coast is hidden with that of the harbour, which is shown"
    assert "8" not in json.dumps([one.to_json()["lower"] for one in found.disclosed])


def test_a_submission_is_told_before_it_is_published(house: House) -> None:
    from tests.rest.fishery import as_csv

    rows = [
        *line("NOR", "2020-01", "10", "4", "5", "1", hidden="AAQA"),
        *line("NOR", "2020-02", "1000", "1", "500", "499", hidden="QAQQ"),
        *line("NOR", "2020-03", "1000", "990", "9", "1", hidden="AQQA"),
    ]
    receipt, findings = house.send(as_csv("DF_CATCH", rows, IDS), name="x.csv", provider="SEA.HARBOUR", publish=False)
    assert receipt.status == "accepted"
    found = {(one.code, one.key["FISH"], one.key["TIME_PERIOD"]): one for one in findings if one.code in ("S3", "S4")}
    assert set(found) == {("S3", "EEL", "2020-01")}
    (one,) = found.values()
    assert (one.value, one.row, one.severity.value) == ("5", 4, "warning")
    assert "FISH _T = COD + EEL + NA" in one.message


async def test_over_http(house: House, tmp_path: Path) -> None:
    send(house, "DF_CATCH", line("NOR", "2020-01", "10", "4", "5", "1", hidden="AAQA"), IDS, "HARBOUR")
    path = "/api/confidentiality/audit/SEA:DF_CATCH(1.0.0)"
    answers = await call(
        house,
        tmp_path / "bulk",
        ("GET", path, "", None),
        ("GET", path, "provider", None),
        ("GET", path, "publisher", None),
        ("GET", f"{path}?seconds=0", "publisher", None),
        ("GET", "/api/confidentiality/audit/DF_JOBS", "publisher", None),
    )
    assert [status for status, _ in answers] == [401, 403, 200, 400, 404]
    assert answers[2][1]["disclosed"][0]["lower"] == "5"
    assert answers[2][1]["status"] == {"STATUS": "Q"}


def test_nothing_hidden_and_no_document(house: House) -> None:
    with pytest.raises(NotFound, match="no confidentiality document"):
        audit("DF_JOBS", house.library)
    assert audit("SEA:DF_CATCH_EST(1.0.0)", house.library).hidden == 0


def test_by_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_fishery(tmp_path / "house", lay) as house:
        send(house, "DF_CATCH", line("NOR", "2020-01", "10", "4", "5", "1", hidden="AAQA"), IDS, "HARBOUR")
    store = ["--store", f"duckdb:///{tmp_path / 'house' / 'store.duckdb'}"]
    flow = "SEA:DF_CATCH(1.0.0)"
    assert run(capsys, "confidentiality", "audit", flow, *store)[0].count("M.NOR.EEL.2020-01: 5 by sums") == 1
    found: Any = json.loads(run(capsys, "confidentiality", "audit", flow, "--format", "json", *store)[0])
    assert found["proposals"] == [{"FREQ": "M", "PORT": "NOR", "FISH": "NA", "TIME_PERIOD": "2020-01"}]
    written = tmp_path / "secondary.csv"
    run(capsys, "confidentiality", "audit", flow, "--format", "csv", "-o", str(written), *store)
    assert written.read_text().splitlines()[1] == "dataflow,SEA:DF_CATCH(1.0.0),M,M,NOR,NA,2020-01,Q"
    document = tmp_path / "CATCH.json"
    document.write_text(json.dumps({"id": "CATCH", "structures": ["SEA:DSD_CATCH(1.0.0)"], "status": "STATUS",
                                    "confidential": ["E"]}))  # fmt: skip
    assert "in force" in run(capsys, "confidentiality", "put", str(document), *store)[0]
    record: Any = json.loads(
        run(capsys, "purge", flow, "--key", "M.NOR.EEL", "--period", "2020-01", "--reason", "asked", *store)[0]
    )
    assert (record["versions"], record["by"], record["reason"]) == (1, "operator", "asked")
    document.write_text("{")
    assert "not JSON" in run(capsys, "confidentiality", "put", str(document), *store, status=2)[1]


def run(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> tuple[str, str]:
    assert main(arguments) == status
    said = capsys.readouterr()
    return said.out, said.err
