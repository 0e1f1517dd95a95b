"""Metadata sets created, replaced and deleted (pre-standard: sdmx-rest, pull request 257)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.rest.lighthouse import AGREEMENT, CATCH, FLOW, FULL, PORT, metadata_set, open_lighthouse, value
from tests.rest.lighthouse import message as text_of
from tests.rest.maintaining import Answered, Desk, concepts

JSON = "application/vnd.sdmx.metadata+json;version=2.1.0"
SET = "v2/metadata/metadataset/SEA.COAST"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_lighthouse(tmp_path_factory.mktemp("sets") / "house") as house, Desk(house) as desk:
        yield desk


def about(id: str, version: str = "1.0.0-draft", ships: str = "3", **more: Any) -> dict[str, Any]:
    said = {"metadataProvisionAgreement": AGREEMENT, "targets": [CATCH], "attributes": [value("SHIPS", ships)]}
    return metadata_set(id, version, **{**said, **more})


def send(desk: Desk, *sets: dict[str, Any], method: str = "POST", path: str = "v2/metadata", **more: Any) -> Answered:
    return desk.ask(method, path, text_of(metadataSets=list(sets)).encode(), **{"kind": JSON, **more})


def shown(desk: Desk, path: str) -> list[dict[str, Any]]:
    answer = desk.ask("GET", path, kind=None, Accept=JSON)
    if answer.status == 404:
        return []
    assert answer.status == 200, answer.body
    return json.loads(answer.body)["data"]["metadataSets"]


def ships(desk: Desk, path: str) -> list[str]:
    return [str(one["value"]) for found in shown(desk, path) for one in found["attributes"] if one["id"] == "SHIPS"]


def test_the_life_of_a_metadata_set(desk: Desk) -> None:
    path = f"{SET}/LIFE/1.0.0-draft"
    created = send(desk, about("LIFE"), method="PUT", path=path)
    assert (created.status, created.one.code, created.headers["Location"]) == (201, 201, f"/sdmx/{path}")
    assert created.one.subject == "SEA.COAST:LIFE(1.0.0-draft)"
    assert ships(desk, path) == ["3"]
    moment = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    assert send(desk, about("LIFE", ships="4", attributes=FULL), method="PUT", path=path).status == 200
    assert ships(desk, path) == ["12"]
    assert ships(desk, f"{path}?asOf={moment}") == ["3"]
    assert send(desk, about("LIFE", attributes=FULL), path="v2/metadata/metadataset").one.text.endswith(
        "is so already."
    )
    assert [one["id"] for one in shown(desk, "v2/metadata/structure/dataflow/SEA/DF_CATCH/1.0.0")].count("LIFE") == 1
    gone = desk.ask("DELETE", path, kind=None)
    assert (gone.status, gone.one.action, gone.one.code) == (200, "Delete", 200)
    assert shown(desk, path) == []
    assert desk.ask("DELETE", path, kind=None).one.code == 404


@pytest.mark.parametrize("version", ["2.1", "2.0"])
def test_every_format_that_is_served_is_taken_back(desk: Desk, version: str) -> None:
    types = {
        "2.1": ("json;version=2.1.0", "xml;version=3.1.0", "csv;version=2.1.0"),
        "2.0": ("json;version=2.0.0", "xml;version=3.0.0"),
    }
    for kind in types[version]:
        accept = f"application/vnd.sdmx.metadata+{kind}"
        body = desk.ask("GET", f"{SET}/CATCHES/1.1.0", kind=None, Accept=accept, Accept_Language="*").body
        answer = desk.ask("POST", "v2/metadata", body, kind=accept)
        assert answer.status in (200, 409), answer.body  # CSV carries neither names nor annotations
        if "csv" not in kind:
            assert (kind, answer.status, answer.one.text) == (kind, 200, "SEA.COAST:CATCHES(1.1.0) is so already.")


def test_what_is_refused(desk: Desk) -> None:
    answer = send(
        desk,
        about("CATCHES", "1.1.0", "99"),
        about("BAD1", attributes=[value("SHIPS", "-1")]),
        about("BAD2", attributes=[value("BOATS", "1")]),
        about("BAD3", metadataProvisionAgreement=AGREEMENT.replace("COAST", "NOBODY")),
        about("BAD4", agencyID="SEA.HARBOUR"),
        about("BAD5", metadataProvisionAgreement=None, metadataflow=FLOW, targets=[PORT]),
        about("GOOD"),
    )
    assert (answer.status, [one.code for one in answer.results]) == (207, [409, 422, 422, 409, 422, 422, 201])
    assert "SHIPS" in answer.results[1].text and "BOATS" in answer.results[2].text
    assert {one["id"] for one in shown(desk, "v2/metadata/metadataset/*/*/*")} & {f"BAD{n}" for n in range(6)} == set()
    other = send(desk, about("GOOD"), method="PUT", path=f"{SET}/OTHER/1.0.0-draft")
    assert (other.status, other.one.code) == (422, 422)
    assert desk.ask("DELETE", f"{SET}/CATCHES/1.1.0", kind=None).one.code == 409


def test_sets_keep_what_describes_them(desk: Desk) -> None:
    draft = {"id": "MDF_D", "agencyID": "SEA", "version": "1.0.0-draft", "name": "D", "names": {"en": "D"},
             "structure": "urn:sdmx:org.sdmx.infomodel.metadatastructure.MetadataStructure=SEA:MSD_CATCH(1.0+.0)",
             "targets": ["urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=SEA:*(*)"]}  # fmt: skip
    assert desk.post(("metadataflows", draft)).status == 201
    flow = "urn:sdmx:org.sdmx.infomodel.metadatastructure.Metadataflow=SEA:MDF_D(1.0.0-draft)"
    sent = about("KEPT", agencyID="SEA", metadataflow=flow)
    del sent["metadataProvisionAgreement"]
    assert send(desk, sent).status == 201
    assert desk.ask("DELETE", "v2/structure/metadataflow/SEA/MDF_D/1.0.0-draft").one.code == 409
    narrower = {**draft, "targets": ["urn:sdmx:org.sdmx.infomodel.codelist.Codelist=SEA:*(*)"]}
    refused = desk.post(("metadataflows", narrower))
    assert refused.one.code == 409 and "MetadataSet SEA:KEPT(1.0.0-draft)" in refused.one.text
    assert desk.ask("DELETE", "v2/metadata/metadataset/SEA/KEPT/1.0.0-draft", kind=None).status == 200
    assert desk.post(("metadataflows", narrower)).status == 200


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", JSON, 400), (b"{", JSON, 400), (b"[]", JSON, 400), (b"<a/>", "application/xml", 400), (b"a,b\n1,2\n", "text/csv", 400),
        (b'{"meta": {}, "data": {"metadataSets": []}}', JSON, 422), (b'{"meta": {}, "data": {"metadataSets": [7]}}', JSON, 400),
        (b"{}", "application/vnd.sdmx.structure+json", 415), (b"{}", "application/vnd.sdmx.data+json", 415),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "application/vnd.sdmx.metadata+xml;version=3.1.0", 400),
    ],
)  # fmt: skip
def test_hostile_bodies(desk: Desk, body: bytes, kind: str, status: int) -> None:
    answer = desk.ask("POST", "v2/metadata", body, kind=kind)
    assert (answer.status, answer.error["code"]) == (status, status), answer.body


def test_structures_are_not_sets(desk: Desk) -> None:
    assert desk.post(concepts("CS_X", "1.0.0", "A"), path="v2/metadata").status == 415
    structure = desk.post(concepts("CS_X", "1.0.0", "A"), path="v2/metadata", kind=JSON)
    assert structure.status in (400, 422)
    assert send(desk, about("X"), path="v2/structure").status == 415
    assert send(desk, about("X"), path="v2/structure", kind="application/json").status == 400


@pytest.mark.parametrize(("by", "status"), [(None, 401), ("harbour", 403)])
def test_who_may(desk: Desk, by: str | None, status: int) -> None:
    assert send(desk, about("X"), by=by).status == status
    assert send(desk, about("X"), method="PUT", path=f"{SET}/X/1.0.0-draft", by=by).status == status
    assert desk.ask("DELETE", f"{SET}/X/1.0.0-draft", kind=None, by=by).status == status


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("v2/metadata", "GET, HEAD, POST, OPTIONS"), ("v2/metadata/metadataset", "GET, HEAD, POST, OPTIONS"),
        ("v2/metadata/metadataset/SEA.COAST/CATCHES/1.0.0", "GET, HEAD, PUT, DELETE, OPTIONS"),
        ("v2/metadata/metadataset/SEA.COAST/CATCHES/+", "GET, HEAD, OPTIONS"), ("v2/metadata/metadataflow", "GET, HEAD, OPTIONS"),
    ],
)  # fmt: skip
def test_options(desk: Desk, path: str, methods: str) -> None:
    answer = desk.ask("OPTIONS", path)
    assert (answer.status, answer.headers["Allow"]) == (204, methods)
