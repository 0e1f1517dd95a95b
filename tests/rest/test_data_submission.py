"""``POST /sdmx/v2/data`` (pre-standard): another door to submissions."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness import XML
from tests.rest.fishery import open_fishery
from tests.rest.maintaining import Answered, Desk

CSV = "application/vnd.sdmx.data+csv;version=2.1.0"
FLOW = "v2/data/dataflow/SEA/DF_JOBS/1.0.0"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_fishery(tmp_path_factory.mktemp("data") / "house") as house, Desk(house) as desk:
        yield desk


def message(*rows: str, flow: str = "SEA:DF_JOBS(1.0.0)") -> bytes:
    """Rows ``ACTION,AREA,EMPLOYMENT,SEX,HEADS``."""
    lines = [f"dataflow,{flow},{row}" for row in rows]
    return "\n".join(["STRUCTURE,STRUCTURE_ID,ACTION,AREA,EMPLOYMENT,SEX,HEADS", *lines, ""]).encode()


def post(desk: Desk, body: bytes, path: str = "v2/data?provider=SEA.HARBOUR", **more: Any) -> Answered:
    return desk.ask("POST", path, body, **{"kind": CSV, **more})


def said(answer: Answered) -> tuple[int, list[tuple[str, str, str]]]:
    """The final code, and per data set its dataflow, action and status."""
    document = json.loads(answer.body)
    response = document["data"]["submitDataResponse"]
    assert {"id", "prepared", "sender"} <= document["meta"].keys()
    assert response["submissionResult"]["code"] == answer.status
    sets = [
        (one["urn"].partition("=")[2], one["action"], one["statusMessages"][0]["status"])
        for one in response["submittedData"]
    ]
    return answer.status, sets


def heads(desk: Desk) -> dict[str, str]:
    return {f"{row['AREA']}.{row['EMPLOYMENT']}.{row['SEX']}": row["HEADS"] for row in desk.house.rows(FLOW)}


def test_merge_replace_and_delete_in_one_message_and_release(desk: Desk) -> None:
    assert heads(desk) == {"UK.EMP.M": "1", "FR.EMP.M": "2", "FR.UEMP.F": "3"}
    before = desk.house.library.store.pointer().release
    answer = post(desk, message("D,FR,,,", "M,FR,EMP,M,20", "R,US,EMP,F,5"))
    flow = "SEA:DF_JOBS(1.0.0)"
    assert said(answer) == (200, [(flow, action, "Success") for action in ("Delete", "Merge", "Replace")])
    assert heads(desk) == {"UK.EMP.M": "1", "FR.EMP.M": "20", "US.EMP.F": "5"}
    assert desk.house.library.store.pointer().release == before + 1
    assert answer.headers["Location"].startswith("/api/submissions/S")


def test_nothing_of_a_wrong_message_is_done(desk: Desk) -> None:
    was, release = heads(desk), desk.house.library.store.pointer().release
    answer = post(desk, message("M,UK,EMP,F,8", "M,MARS,EMP,F,8"))
    status, sets = said(answer)
    assert (status, sets[0][2]) == (422, "Failure")
    assert b"MARS" in answer.body
    assert (heads(desk), desk.house.library.store.pointer().release) == (was, release)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (message("M,UK,EMP,F,8", flow="SEA:DF_NONE(1.0.0)"), CSV, 404),
        (message("M,UK,EMP,F,8").replace(b"dataflow", b"nonsense"), CSV, 400),
        (b"", CSV, 400), (b"{", "application/json", 400), (b"a,b\n1,2\n", "text/csv", 415), (b"<a/>", "application/xml", 400),
        (gzip.compress(message("M,UK,EMP,F,8")), "application/gzip", 415),
    ],
)  # fmt: skip
def test_refusals(desk: Desk, body: bytes, kind: str, status: int) -> None:
    was = heads(desk)
    answer = post(desk, body, kind=kind)
    assert answer.status == status, answer.body
    if status == 404:
        assert said(answer) == (404, [])
    assert heads(desk) == was


def test_a_providers_data_wait_and_others_are_not_its(desk: Desk) -> None:
    was = heads(desk)
    answer = post(desk, message("M,UK,NA,M,77"), "v2/data", by="harbour")
    assert said(answer) == (202, [("SEA:DF_JOBS(1.0.0)", "Merge", "Warning")])
    assert heads(desk) == was
    id = answer.headers["Location"].rpartition("/")[2]
    from sdmx_service.auth import OPERATOR
    from sdmx_service.workflow.publishing import publish

    publish([id], desk.house.library, OPERATOR)
    assert heads(desk) == {**was, "UK.NA.M": "77"}
    assert post(desk, message("M,UK,NA,M,78"), "v2/data?provider=SEA.COAST", by="harbour").status == 403
    assert post(desk, message("M,UK,NA,M,78"), by=None).status == 401
    assert post(desk, message("M,UK,NA,M,78"), "v2/data?publish=true").status == 400


def test_an_answer_sent_back_changes_nothing(desk: Desk) -> None:
    """SDMX-ML and SDMX-JSON as they are served."""
    was = heads(desk)
    for accept in (XML, "application/vnd.sdmx.data+json;version=2.1.0"):
        body = desk.house.body(f"{FLOW}/UK", accept)
        answer = post(desk, body, kind=accept)
        assert answer.status == 200, answer.body
        assert b"0 inserted, 0 changed, 0 deleted" in answer.body
    assert heads(desk) == was


def test_messages_at_the_same_time_all_come_through(desk: Desk) -> None:
    posts = [
        ("POST", "v2/data?provider=SEA.HARBOUR", message(f"M,EU,EMP,{sex},{n}"))
        for n, sex in enumerate(("F", "M", "_T"))
    ]
    answers = desk.together(posts, kind=CSV)
    assert [answer.status for answer in answers] == [200] * 3, [answer.body for answer in answers]
    found = heads(desk)
    assert [found[f"EU.EMP.{sex}"] for sex in ("F", "M", "_T")] == ["0", "1", "2"]
