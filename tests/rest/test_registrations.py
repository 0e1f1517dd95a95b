"""Registrations: submitted, changed, deleted, found again; and those that the service has of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from lxml import etree

from tests.rest.fishery import open_fishery, send
from tests.rest.maintaining import URN, Answered, Desk, agreement, schema

REGISTRY = "application/vnd.sdmx.registry+xml;version=3.1.0"
COAST = f"{URN}registry.ProvisionAgreement=SEA:PA_CATCH_COAST(1.0.0)"
HARBOUR = f"{URN}registry.ProvisionAgreement=SEA:PA_CATCH_HARBOUR(1.0.0)"
SIMPLE = "<r:SimpleDataSource>https://sea.example/catch.csv</r:SimpleDataSource>"
QUERYABLE = (
    '<r:QueryableDataSource isRESTDatasource="true" isWebServiceDatasource="false">'
    "<c:DataURL>https://sea.example/sdmx/v2</c:DataURL><c:WADLURL>https://sea.example/wadl</c:WADLURL>"
    "</r:QueryableDataSource>"
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_fishery(tmp_path_factory.mktemp("registry") / "house") as house, Desk(house) as desk:
        yield desk


def request(action: str, agreement: str = COAST, source: str = SIMPLE, **more: str) -> str:
    said = "".join(f' {name}="{text}"' for name, text in more.items())
    return (
        f'<r:RegistrationRequest action="{action}"><r:Registration{said}><r:ProvisionAgreement>{agreement}'
        f"</r:ProvisionAgreement><r:Datasource>{source}</r:Datasource></r:Registration></r:RegistrationRequest>"
    )


def message(*requests: str, version: str = "3_1") -> bytes:
    spaces = " ".join(
        f'xmlns:{prefix}="http://www.sdmx.org/resources/sdmxml/schemas/v{version}/{name}"'
        for prefix, name in (("m", "message"), ("r", "registry"), ("c", "common"))
    )
    return (
        f"<m:RegistryInterface {spaces}><m:Header><m:ID>X</m:ID><m:Test>false</m:Test>"
        '<m:Prepared>2026-01-01T00:00:00Z</m:Prepared><m:Sender id="SEA"/><m:Receiver id="US"/></m:Header>'
        f"<m:SubmitRegistrationsRequest>{''.join(requests)}</m:SubmitRegistrationsRequest></m:RegistryInterface>"
    ).encode()


def told(answer: Answered) -> list[tuple[str, int, dict[str, Any]]]:
    """Status, code and registration of each result; the official schema has found the message valid."""
    return [
        (
            one.find("{*}StatusMessage").get("status"),
            int(one.find("{*}StatusMessage/{*}MessageText").get("code")),
            registration(one.find("{*}Registration")),
        )
        for one in valid(answer.body).iterfind(".//{*}RegistrationStatus")
    ]


def valid(body: bytes) -> Any:
    root = etree.fromstring(body)
    schema("3.0" if "/v3_0/" in root.tag else "3.1").assertValid(root)
    return root


def registration(element: Any) -> dict[str, Any]:
    found = dict(element.attrib) | {"agreement": element.findtext("{*}ProvisionAgreement")}
    for name in ("SimpleDataSource", "DataURL", "WADLURL", "WSDLURL"):
        if (text := element.findtext(f".//{{*}}{name}")) is not None:
            found[name] = text
    return found


def post(desk: Desk, *requests: str, **more: Any) -> Answered:
    return desk.ask("POST", "v2/registration", message(*requests), **{"kind": REGISTRY, **more})


def asked(desk: Desk, path: str, accept: str = "*/*") -> dict[str, dict[str, Any]]:
    """The registrations that a query finds, by id; none where the answer is empty."""
    answer = desk.ask("GET", f"v2/registration/{path}", kind=None, Accept=accept)
    if answer.status == 204:
        return {}
    assert (answer.status, answer.headers["Content-Type"][:43]) == (200, "application/vnd.sdmx.registry+xml;version=3")
    found = [registration(one) for one in valid(answer.body).iterfind(".//{*}DataResult/{*}Registration")]
    return {one["id"]: one for one in found}


def given(desk: Desk, path: str = "*") -> dict[str, dict[str, Any]]:
    """Those that somebody submitted."""
    return {id: one for id, one in asked(desk, path).items() if "@" not in id}


def test_every_request_is_valid_by_itself() -> None:
    """The messages below are those of the official schema, so that what is tested is the service."""
    for version in ("3_1", "3_0"):
        valid(message(request("Append", source=SIMPLE + QUERYABLE, validFrom="2026-01-01T00:00:00"), version=version))


def test_the_life_of_a_registration(desk: Desk) -> None:
    answer = post(
        desk, request("Append", source=SIMPLE + QUERYABLE, validFrom="2026-01-01T00:00:00Z", indexDataSet="true")
    )
    ((status, code, made),) = told(answer)
    assert (answer.status, status, code, answer.headers["Content-Type"]) == (201, "Success", 201, REGISTRY)
    assert made["SimpleDataSource"] == "https://sea.example/catch.csv"
    assert (made["DataURL"], made["WADLURL"]) == ("https://sea.example/sdmx/v2", "https://sea.example/wadl")
    assert (made["agreement"], made["validFrom"], made["indexDataSet"]) == (COAST, "2026-01-01T00:00:00Z", "true")
    id = made["id"]
    assert given(desk, f"id/{id}") == {id: made}
    ((_, code, changed),) = told(post(desk, request("Replace", source=SIMPLE.replace("catch", "all"), id=id)))
    assert (code, changed["SimpleDataSource"]) == (200, "https://sea.example/all.csv")
    assert "DataURL" not in changed and changed["lastUpdated"] > made["lastUpdated"]
    assert given(desk, f"id/{id}") == {id: changed}
    gone = post(desk, request("Delete", id=id))
    assert (gone.status, told(gone)[0][:2]) == (200, ("Success", 200))
    assert desk.ask("GET", f"v2/registration/id/{id}", kind=None).status == 404
    assert told(post(desk, request("Delete", id=id)))[0][1] == 404


def test_what_is_refused(desk: Desk) -> None:
    missing = HARBOUR.replace("PA_CATCH_HARBOUR", "PA_NONE")
    answer = post(
        desk,
        request("Append", missing), request("Append", source=""), request("Replace", id="NONE"),
        request("Append", source=SIMPLE.replace("https:", "javascript:")),
        request("Append", source=SIMPLE.replace("https://sea.example/", "")),
        request("Append", validFrom="2026-02-01T00:00:00Z", validTo="2026-01-01T00:00:00"),
        request("Replace", HARBOUR, id="SEA@PA_CATCH_HARBOUR@1$0$0"),
    )  # fmt: skip
    found = [
        (one.get("status"), int(one[0].get("code"))) for one in etree.fromstring(answer.body).iter("{*}StatusMessage")
    ]
    assert answer.status == 207
    assert found == [("Failure", code) for code in (409, 422, 404, 422, 422, 422, 404)]
    assert given(desk) == {}


def test_a_provider_registers_its_own(desk: Desk) -> None:
    answer = post(desk, request("Append", HARBOUR), request("Append", COAST), by="harbour")
    assert (answer.status, [code for _, code, _ in told(answer)]) == (207, [201, 403])
    ((_, _, made), _) = told(answer)
    foreign = told(post(desk, request("Append", COAST)))[0][2]["id"]
    assert told(post(desk, request("Delete", HARBOUR, id=foreign), by="harbour"))[0][1] == 403
    assert told(post(desk, request("Delete", HARBOUR, id=made["id"]), by="harbour"))[0][1] == 200
    assert told(post(desk, request("Delete", id=foreign)))[0][1] == 200
    assert post(desk, request("Append"), by=None).status == 401


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", REGISTRY, 400),
        (b"<a/>", REGISTRY, 400),
        (b"<", REGISTRY, 400),
        (b"{}", REGISTRY, 400),
        (b"{}", "application/vnd.sdmx.structure+json", 415),
        (message(), REGISTRY, 422),
        (message(request("Forget")), REGISTRY, 400),
        (message(request("Append", "nothing")), REGISTRY, 400),
        (message(request("Append", validFrom="soon")), REGISTRY, 400),
        (message().replace(b"SubmitRegistrationsRequest", b"SubmitSubscriptionsRequest"), REGISTRY, 501),
        (b'<!DOCTYPE m [<!ENTITY a "b">]>' + message(request("Append")), REGISTRY, 400),
    ],
)
def test_hostile_bodies(desk: Desk, body: bytes, kind: str, status: int) -> None:
    answer = desk.ask("POST", "v2/registration", body, kind=kind)
    assert (answer.status, answer.error["code"]) == (status, status)


def test_3_0_is_answered_in_3_0(desk: Desk) -> None:
    answer = desk.ask("POST", "v2/registration", message(request("Append"), version="3_0"), kind="application/xml")
    assert answer.headers["Content-Type"] == "application/vnd.sdmx.registry+xml;version=3.0.0"
    ((_, code, made),) = told(answer)
    old = asked(desk, f"id/{made['id']}", "application/vnd.sdmx.registry+xml;version=3.0.0")
    assert (code, old) == (201, {made["id"]: made})
    post(desk, request("Delete", id=made["id"]))


OWN = {f"SEA@{name}@1$0$0": name for name in ("PA_CATCH_HARBOUR", "PA_CATCH_COAST", "PA_JOBS")}
CATCHES = {id for id in OWN if "CATCH" in id}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("*", set(OWN)), ("", set(OWN)), ("provider", set(OWN)), ("provider/SEA", set(OWN)), ("provider/SKY", set()),
        ("provider/SEA/HARBOUR", {"SEA@PA_CATCH_HARBOUR@1$0$0", "SEA@PA_JOBS@1$0$0"}),
        ("provider/*/COAST", {"SEA@PA_CATCH_COAST@1$0$0"}), ("provider/SEA,SKY/COAST,HARBOUR", set(OWN)),
        ("provisionagreement/SEA/PA_JOBS/1.0.0", {"SEA@PA_JOBS@1$0$0"}), ("provisionagreement/SEA/PA_JOBS/2.0.0", set()),
        ("dataflow/SEA/DF_CATCH", CATCHES), ("dataflow/SEA/DF_CATCH,DF_JOBS/1.0.0", set(OWN)), ("dataflow/SEA/DF_CATCH_EST", set()),
        ("dataflow/*/*/~", {"SEA@PA_JOBS@1$0$0"}),  # the agreements are of DF_CATCH(1.0.0), which is not the latest
        ("datastructure/SEA/DSD_CATCH/+", CATCHES), ("datastructure/SEA/*/1.0.0", set(OWN)), ("datastructure/SKY", set()),
        ("*/SEA/DSD_JOBS", {"SEA@PA_JOBS@1$0$0"}), ("id/SEA@PA_JOBS@1$0$0", {"SEA@PA_JOBS@1$0$0"}),
        ("*?updatedAfter=2001-01-01T00:00:00Z", set(OWN)), ("*?updatedBefore=2001-01-01T00:00:00Z", set()),
        ("*?updatedAfter=2999-01-01T00:00:00Z", set()),
    ],
)  # fmt: skip
def test_the_service_registers_what_it_holds(desk: Desk, path: str, found: set[str]) -> None:
    known = {id: one for id, one in asked(desk, path).items() if id in OWN}
    assert set(known) == found
    for id, one in known.items():
        assert one["agreement"] == f"{URN}registry.ProvisionAgreement=SEA:{OWN[id]}(1.0.0)"
        assert one["DataURL"] == "http://127.0.0.1:8080/sdmx/v2"


def test_an_agreement_without_data_is_not_registered_and_data_bring_it(desk: Desk) -> None:
    desk.post(agreement("PA_EST", "1.0.0-draft", "DF_CATCH_EST(1.0.0)", "COAST"))
    assert asked(desk, "provisionagreement/SEA/PA_EST") == {}
    known = asked(desk, "*")
    before = max(one["lastUpdated"] for one in known.values())
    row = {
        "FREQ": "M",
        "PORT": "NOR",
        "FISH": "COD",
        "TIME_PERIOD": "2025-01",
        "STATUS": "A",
        "WEIGHT": "1",
        "UNIT": "kg",
    }
    send(desk.house, "DF_CATCH_EST", [row], tuple(row), "COAST")
    new = asked(desk, f"*?updatedAfter={before}")
    assert set(new) == {"SEA@PA_EST@1$0$0-draft"}
    (moment,) = {one["lastUpdated"] for one in new.values()}
    assert asked(desk, f"*?updatedAfter={moment}") == {}  # exclusive
    assert set(asked(desk, f"*?updatedBefore={moment}")) == set(known)


def test_an_agreement_with_a_registration_stays(desk: Desk) -> None:
    desk.post(agreement("PA_KEPT", "1.0.0-draft", "DF_LICENCE(1.0.0)", "COAST"))
    made = told(post(desk, request("Append", f"{URN}registry.ProvisionAgreement=SEA:PA_KEPT(1.0.0-draft)")))[0][2]
    refused = desk.ask("DELETE", "v2/structure/provisionagreement/SEA/PA_KEPT/1.0.0-draft")
    assert (refused.status, refused.one.code) == (409, 409)
    assert re.search(made["id"], refused.one.text)
    post(desk, request("Delete", id=made["id"]))
    assert desk.ask("DELETE", "v2/structure/provisionagreement/SEA/PA_KEPT/1.0.0-draft").status == 200


def test_tags_change_with_registrations(desk: Desk) -> None:
    first = desk.ask("GET", "v2/registration/*", kind=None)
    tag = {"If_None_Match": first.headers["ETag"]}
    assert desk.ask("GET", "v2/registration/*", kind=None, **tag).status == 304
    made = told(post(desk, request("Append")))[0][2]
    assert desk.ask("GET", "v2/registration/*", kind=None, **tag).status == 200
    post(desk, request("Delete", id=made["id"]))
    assert desk.ask("GET", "v2/registration/*", kind=None, Accept="application/json").status == 406


def question(what: str, kind: str = "AllSets", *more: str, version: str = "3_1") -> bytes:
    asked = f"<r:QueryType>{kind}</r:QueryType>{what}{''.join(more)}"
    return message(asked, version=version).replace(b"SubmitRegistrationsRequest", b"QueryRegistrationRequest")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (question("<r:All/>"), set(OWN)),
        (question("<r:All/>", "DataSets", version="3_0"), set(OWN)),
        (question("<r:All/>", "MetadataSets"), set()),
        (question(f"<r:ProvisionAgreement>{COAST}</r:ProvisionAgreement>"), {"SEA@PA_CATCH_COAST@1$0$0"}),
        (question(f"<r:DataProvider>{URN}base.DataProvider=SEA:DATA_PROVIDERS(1.0).COAST</r:DataProvider>"), {"SEA@PA_CATCH_COAST@1$0$0"}),
        (question(f"<r:Dataflow>{URN}datastructure.Dataflow=SEA:DF_CATCH(1.0.0)</r:Dataflow>"), CATCHES),
        (question(f"<r:Dataflow>{URN}datastructure.Dataflow=SEA:DF_NONE(1.0.0)</r:Dataflow>"), set()),
    ],
)  # fmt: skip
def test_registrations_are_asked_for_by_message_too(desk: Desk, body: bytes, found: set[str]) -> None:
    """SDMX-REST 2.2, maintenance.md, annex I; asking needs no token."""
    valid(body)
    answer = desk.ask("POST", "v2/registration", body, by=None, kind=REGISTRY)
    assert answer.status == 200
    root = valid(answer.body)
    assert ("/v3_0/" in root.tag) == (b"/v3_0/" in body)
    assert root.find(".//{*}StatusMessage").get("status") == "Success"
    assert {one.get("id") for one in root.iterfind(".//{*}DataResult/{*}Registration")} & set(OWN) == found


def test_strangers_send_little(desk: Desk) -> None:
    big = message(*[request("Append")] * 4000)
    assert len(big) > 1 << 20
    assert post(desk, request("Append"), by=None).status == 401
    assert desk.ask("POST", "v2/registration", big, by=None, kind=REGISTRY).status == 413
    period = "<r:ReferencePeriod startTime='2020-01-01T00:00:00' endTime='2021-01-01T00:00:00'/>"
    assert (
        desk.ask("POST", "v2/registration", question("<r:All/>", "AllSets", period), by=None, kind=REGISTRY).status
        == 501
    )
