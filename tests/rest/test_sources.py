"""Several sources for one figure: precedence as a release, whose figure is shown, who covers what."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from lxml import html

from sdmx_service.app.application import build
from sdmx_service.auth import OPERATOR, Principal, create_token
from sdmx_service.catalog.loading import Content, serialise
from sdmx_service.catalog.sources import Flow, derived, reporting_dimension
from sdmx_service.cli import main
from sdmx_service.dissemination.sources import coverage
from sdmx_service.errors import NotAllowed, NotFound, SemanticFault
from sdmx_service.maintenance.precedence import set_precedence
from sdmx_service.model.artefact import Annotation
from sdmx_service.model.items import DataProviderScheme
from sdmx_service.model.structure import Dataflow, ProvisionAgreement
from sdmx_service.settings import Settings
from tests.harness import House, open_house

CONTENT = Path(__file__).parents[1] / "second_domain" / "content"
FLOW = "SEA:DF_CATCH(1.0.0)"
DATA = "v2/data/dataflow/SEA/DF_CATCH/1.0.0"
TOKEN = web.AppKey("token", str)
HEADER = "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,PORT,FISH,TIME_PERIOD,WEIGHT,UNIT,STATUS\n"


def figure(port: str, period: str, weight: str, fish: str = "COD") -> str:
    return f"dataflow,{FLOW},I,M,{port},{fish},{period},{weight},kg,A\n"


HARBOUR = HEADER + figure("NOR", "2024-01", "5") + figure("NOR", "2024-02", "6") + figure("SOU", "2023-12", "1")
COAST = HEADER + figure("NOR", "2024-01", "5.0") + figure("NOR", "2024-02", "7") + figure("007", "2024-01", "9")


def bound(house: House) -> None:
    """The harbour's office reports for NOR; the coast guard has an agreement too, and passes figures on."""
    catalog = house.library.view().catalog
    (scheme,) = catalog.of_type("DataProviderScheme")
    assert isinstance(scheme, DataProviderScheme)
    items = tuple(
        replace(one, annotations=(Annotation(type="PORT", title="NOR"),)) if one.id == "HARBOUR" else one
        for one in scheme.items
    )
    (agreement,) = catalog.of_type("ProvisionAgreement")
    assert isinstance(agreement, ProvisionAgreement)
    coast = replace(agreement, id="PA_CATCH_COAST", provider=replace(agreement.provider, item="COAST"))
    house.library.store.save_artefacts(serialise(Content(artefacts=[replace(scheme, items=items), coast])))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(f"duckdb:///{tmp_path / 'store.duckdb'}", CONTENT) as opened:
        bound(opened)
        for provider, body in (("HARBOUR", HARBOUR), ("COAST", COAST)):
            receipt, findings = opened.send(body.encode(), name=f"{provider}.csv", provider=provider)
            assert receipt.status == "published", findings
        yield opened


@pytest.fixture
async def client(house: House) -> AsyncIterator[TestClient[Any, Any]]:
    app = build(Settings(), house.library)
    app[TOKEN] = create_token(house.library.store, role="publisher")[0]
    async with TestClient(TestServer(app)) as opened:
        yield opened


def flow_of(house: House) -> Flow:
    view = house.library.view()
    found = view.catalog.named("DF_CATCH", "Dataflow")
    assert isinstance(found, Dataflow)
    return Flow.of(found, view.catalog)


def shown(house: House) -> dict[tuple[str, str], str]:
    return {(row["PORT"], row["TIME_PERIOD"]): row["WEIGHT"] for row in house.rows(DATA)}


async def get(client: TestClient[Any, Any], path: str) -> tuple[int, Any]:
    async with client.get(path) as answer:
        return answer.status, await answer.json(content_type=None)


# --- precedence ------------------------------------------------------------------------------------------------------


def test_a_precedence_is_a_release_and_both_can_be_read(house: House) -> None:
    assert shown(house) == {
        ("NOR", "2024-01"): "5", ("NOR", "2024-02"): "6", ("SOU", "2023-12"): "1", ("007", "2024-01"): "9",
    }  # fmt: skip
    release, order = set_precedence(house.library, OPERATOR, dataflow="DF_CATCH", providers=["SEA.COAST"])
    assert (release.number, order) == (3, ["SEA.COAST", "SEA.HARBOUR"])
    assert release.comment == f"precedence of {FLOW}: SEA.COAST, SEA.HARBOUR"
    assert shown(house)["NOR", "2024-02"] == "7"
    own = house.rows("v2/data/provisionagreement/SEA/PA_CATCH_COAST/*")
    assert {row["WEIGHT"] for row in own} == {"5.0", "7", "9"}
    house.library.store.restore(2)
    assert shown(house)["NOR", "2024-02"] == "6"


def test_the_agreements_say_a_precedence(house: House) -> None:
    assert derived(flow_of(house)) == ["SEA.HARBOUR", "SEA.COAST"]  # who reports for itself first
    catalog = house.library.view().catalog
    coast = catalog.named("PA_CATCH_COAST", "ProvisionAgreement")
    first = replace(coast, annotations=(Annotation(type="PRECEDENCE", title="1"),))
    house.library.store.save_artefacts(serialise(Content(artefacts=[first])))
    assert derived(flow_of(house)) == ["SEA.COAST", "SEA.HARBOUR"]
    _, order = set_precedence(house.library, OPERATOR, dataflow="DF_CATCH", providers=None)
    assert order == ["SEA.COAST", "SEA.HARBOUR"]


@pytest.mark.parametrize(
    ("providers", "fault"),
    [(["NONE"], NotFound), ([], SemanticFault), (["HARBOUR", "SEA.HARBOUR"], SemanticFault)],
)
def test_what_is_no_precedence(house: House, providers: list[str], fault: type[Exception]) -> None:
    with pytest.raises(fault):
        set_precedence(house.library, OPERATOR, dataflow="DF_CATCH", providers=providers)
    who = Principal(id="x", role="provider", provider="SEA.HARBOUR")
    with pytest.raises(NotAllowed):
        set_precedence(house.library, who, dataflow="DF_CATCH", providers=["HARBOUR"])


async def test_over_http(client: TestClient[Any, Any]) -> None:
    status, found = await get(client, "/api/sources?dataflow=DF_CATCH")
    assert status == 200
    assert [(one["provider"], one["given"], one["shown"], one["ranked_by"]) for one in found["sources"]] == [
        ("SEA.HARBOUR", 3, 3, "agreements"), ("SEA.COAST", 3, 1, "agreements"),
    ]  # fmt: skip
    assert found["sources"][0]["reports_for"] == {"PORT": "NOR"}
    assert found["agreements_say"] == ["SEA.HARBOUR", "SEA.COAST"]
    async with client.get(found["sources"][0]["figures"]) as answer:
        assert answer.status == 200
    headers = {"Authorization": f"Bearer {client.app[TOKEN]}"}
    body = json.dumps({"providers": ["HARBOUR", "COAST"]})
    async with client.put("/api/sources?dataflow=DF_CATCH", data=body, headers=headers) as answer:
        assert answer.status == 201
        assert (await answer.json())["precedence"] == ["SEA.HARBOUR", "SEA.COAST"]
    async with client.put("/api/sources?dataflow=DF_CATCH", data=body) as answer:
        assert answer.status == 401
    for wrong in ("{", "[]", '{"providers": "HARBOUR"}', '{"providers": [1]}', '{"providers": [], "colour": 1}'):
        async with client.put("/api/sources?dataflow=DF_CATCH", data=wrong, headers=headers) as answer:
            assert answer.status == 400, wrong
    assert (await get(client, "/api/sources"))[0] == 400
    assert (await get(client, "/api/sources?dataflow=NONE"))[0] == 404


# --- figures ---------------------------------------------------------------------------------------------------------


async def test_whose_figure_is_shown(client: TestClient[Any, Any]) -> None:
    status, found = await get(client, f"/api/sources/{DATA}/M.NOR.*")
    assert status == 200
    (dataset,) = found["datasets"]
    assert dataset["dataflow"] == FLOW
    said = [
        (one["key"]["TIME_PERIOD"], one["provider"], one["shown"], one["measures"]["WEIGHT"])
        for one in dataset["figures"]
    ]
    assert said == [
        ("2024-01", "SEA.HARBOUR", True, "5"),
        ("2024-01", "SEA.COAST", False, "5.0"),
        ("2024-02", "SEA.HARBOUR", True, "6"),
        ("2024-02", "SEA.COAST", False, "7"),
    ]
    _, found = await get(client, f"/api/sources/{DATA}?c%5BTIME_PERIOD%5D=2023-12")
    assert [(one["provider"], one["shown"]) for one in found["datasets"][0]["figures"]] == [("SEA.HARBOUR", True)]
    assert (await get(client, f"/api/sources/{DATA}/M.ZZZ.*"))[1]["datasets"][0]["figures"] == []
    assert (await get(client, "/api/sources/v2/structure/codelist"))[0] == 422
    assert (await get(client, "/api/sources/v2/data/datastructure/SEA/DSD_CATCH"))[0] == 422
    assert (await get(client, "/api/sources/v2/data/dataflow/SEA/DF_NONE/1.0.0"))[0] == 404


async def test_what_is_shown_here_is_what_a_query_answers(client: TestClient[Any, Any], house: House) -> None:
    set_precedence(house.library, OPERATOR, dataflow="DF_CATCH", providers=["COAST"])
    _, found = await get(client, f"/api/sources/{DATA}")
    figures = {
        (one["key"]["PORT"], one["key"]["TIME_PERIOD"]): one["measures"]["WEIGHT"]
        for one in found["datasets"][0]["figures"]
        if one["shown"]
    }
    assert figures == shown(house)


async def test_a_data_answer_says_whose_figures_it_shows(client: TestClient[Any, Any], house: House) -> None:
    def told(query: str = "") -> dict[str, set[tuple[str, str]]]:
        found: dict[str, set[tuple[str, str]]] = {}
        for row in house.rows(f"{DATA}?includeSources=true{query}"):
            assert row["STRUCTURE[;]"] == "dataprovision"
            found.setdefault(row["STRUCTURE_ID"], set()).add((row["PORT"], row["TIME_PERIOD"]))
        return found

    assert told() == {
        "SEA:PA_CATCH_COAST(1.0.0)": {("007", "2024-01")},
        "SEA:PA_CATCH_HARBOUR(1.0.0)": {("NOR", "2024-01"), ("NOR", "2024-02"), ("SOU", "2023-12")},
    }
    set_precedence(house.library, OPERATOR, dataflow="DF_CATCH", providers=["COAST"])
    assert told() == {
        "SEA:PA_CATCH_COAST(1.0.0)": {("007", "2024-01"), ("NOR", "2024-01"), ("NOR", "2024-02")},
        "SEA:PA_CATCH_HARBOUR(1.0.0)": {("SOU", "2023-12")},
    }
    rows = [house.rows(f"{DATA}?includeSources=true&limit=2&offset={offset}") for offset in (0, 2)]
    assert [len(page) for page in rows] == [2, 2]
    assert {(row["PORT"], row["TIME_PERIOD"]) for page in rows for row in page} == set(shown(house))
    table = pq.read_table(io.BytesIO(house.body(f"{DATA}?includeSources=true", "application/vnd.apache.parquet")))
    described = json.loads(table.schema.metadata[b"sdmx"])["structures"]
    assert [one["provider"].rpartition(").")[2] for one in described] == ["COAST", "HARBOUR"]
    assert table["STRUCTURE_ID"].to_pylist().count("SEA:PA_CATCH_COAST(1.0.0)") == 3
    stat = json.loads(
        house.body(f"{DATA}?includeSources=true", 'application/json;profile="https://json-stat.org/full"')
    )
    assert [one["extension"]["provider"][-5:] for one in stat["link"]["item"]] == ["COAST", "RBOUR"]
    for wrong in (
        "v2/data/datastructure/SEA/DSD_CATCH?includeSources=true",
        f"{DATA}?includeSources=true&measures=none",
    ):
        assert house.get(wrong).status == 422, wrong
    assert house.get("v1/data/SEA,DF_CATCH?includeSources=true").status == 400
    status, counts = await get(client, f"/api/counts/{DATA}?includeSources=true")
    assert status == 200, counts


async def test_who_has_no_agreement_any_more_is_told_by_the_data_set(house: House) -> None:
    coast = house.library.view().catalog.named("PA_CATCH_COAST", "ProvisionAgreement")
    house.library.store.save_artefacts({coast.urn: None})
    rows = house.rows(f"{DATA}?includeSources=true")
    assert {(row["STRUCTURE_ID"], row["PORT"]) for row in rows} == {
        (FLOW, "007"), ("SEA:PA_CATCH_HARBOUR(1.0.0)", "NOR"), ("SEA:PA_CATCH_HARBOUR(1.0.0)", "SOU"),
    }  # fmt: skip
    body = house.body(f"{DATA}?includeSources=true", "application/vnd.sdmx.data+xml;version=3.1.0").decode()
    assert "SEA:DATA_PROVIDERS(1.0).COAST</DataProvider>" in body


# --- coverage --------------------------------------------------------------------------------------------------------


def test_submitted_once_by_whom_and_whether_it_is_the_same(house: House) -> None:
    flow, view = flow_of(house), house.library.view()
    found = coverage(flow, reporting_dimension(flow), house.library.store, view)
    assert [(one.code, one.year, one.how) for one in found] == [
        ("007", "2024", "partner"), ("NOR", "2024", "both, other figures"), ("SOU", "2023", "partner"),
    ]  # fmt: skip
    coast, harbour = found[1].given
    assert (coast.provider, coast.directly, coast.given, coast.shown) == ("SEA.COAST", False, 2, 0)
    assert (harbour.provider, harbour.directly, harbour.given, harbour.shown) == ("SEA.HARBOUR", True, 2, 2)
    assert [(one.provider, one.equal, one.unequal) for one in harbour.others] == [("SEA.COAST", 1, 1)]
    assert found[0].given[0].directly is None  # nobody is bound to that port
    house.send((HEADER + figure("NOR", "2024-02", "7.00")).encode(), provider="HARBOUR")
    found = coverage(flow, "PORT", house.library.store, house.library.view())
    assert [one.how for one in found] == ["partner", "both, same figures", "partner"]
    gone = "\n".join(f"dataflow,SEA:DF_CATCH(1.0.0),D,M,NOR,COD,2024-0{month},,," for month in (1, 2))
    house.send((HEADER + gone + "\n" + figure("NOR", "2024-03", "7")).encode(), provider="HARBOUR")
    found = coverage(flow, "PORT", house.library.store, house.library.view())
    assert [one.how for one in found] == ["partner", "both, nothing to compare", "partner"]
    by_fish = coverage(flow, "FISH", house.library.store, house.library.view())
    assert [(one.code, one.year, one.how) for one in by_fish] == [
        ("COD", "2023", "partner"),
        ("COD", "2024", "partner"),
    ]


def test_a_dimension_has_to_be_said_where_nobody_is_bound(tmp_path: Path) -> None:
    with open_house(f"duckdb:///{tmp_path / 'store.duckdb'}", CONTENT) as house:
        (scheme,) = house.library.view().catalog.of_type("DataProviderScheme")
        assert isinstance(scheme, DataProviderScheme)
        unbound = replace(scheme, items=tuple(replace(one, annotations=()) for one in scheme.items))
        house.library.store.save_artefacts(serialise(Content(artefacts=[unbound])))
        flow = flow_of(house)
        assert reporting_dimension(flow, "FISH") == "FISH"
        with pytest.raises(SemanticFault, match="bound to one dimension"):
            reporting_dimension(flow)
        with pytest.raises(SemanticFault, match="no dimension"):
            reporting_dimension(flow, "COLOUR")
        assert coverage(flow, "PORT", house.library.store, house.library.view()) == []


async def test_coverage_over_http(client: TestClient[Any, Any]) -> None:
    status, found = await get(client, "/api/coverage?dataflow=DF_CATCH&code=NOR&year=2024")
    assert (status, found["dimension"], len(found["coverage"])) == (200, "PORT", 1)
    assert found["coverage"][0]["given"][1]["others"] == [{"provider": "SEA.COAST", "equal": 1, "unequal": 1}]
    async with client.get("/api/coverage.csv?dataflow=DF_CATCH") as answer:
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(io.StringIO(await answer.text())))
    assert [(row["code"], row["name"], row["provider"], row["directly"], row["other"]) for row in rows] == [
        ("007", "Seventh pier", "SEA.COAST", "", ""), ("NOR", "Northport", "SEA.COAST", "no", "SEA.HARBOUR"),
        ("NOR", "Northport", "SEA.HARBOUR", "yes", "SEA.COAST"), ("SOU", "Southport", "SEA.HARBOUR", "", ""),
    ]  # fmt: skip
    for query, expected in (("", 400), ("?dataflow=NONE", 404), ("?dataflow=DF_CATCH&by=X", 422), ("?colour=1", 400)):
        assert (await get(client, f"/api/coverage{query}"))[0] == expected


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path / "data")]
    assert main(["init", *data, "--content", str(CONTENT)]) == 0
    (tmp_path / "sent.csv").write_text(HARBOUR)
    assert main(["submit", *data, str(tmp_path / "sent.csv"), "--provider", "HARBOUR", "--publish"]) == 0
    capsys.readouterr()
    assert main(["sources", *data, "DF_CATCH"]) == 0
    assert capsys.readouterr().out == "1  SEA.HARBOUR  as agreed  3 given, 3 shown\n"
    assert main(["sources", *data, "DF_CATCH", "--first", "COAST", "HARBOUR"]) == 0
    assert capsys.readouterr().out == "Release 2: SEA.COAST, SEA.HARBOUR\n"
    assert main(["sources", *data, "DF_CATCH", "--as-agreed"]) == 0
    assert main(["coverage", *data, "DF_CATCH", "--by", "PORT"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "SOU,Southport,2023,partner,SEA.HARBOUR,,1,1,,,"
    assert main(["coverage", *data, "DF_CATCH"]) == 0
    assert main(["coverage", *data, "DF_CATCH", "--by", "COLOUR"]) == 2


async def test_the_page(client: TestClient[Any, Any]) -> None:
    async with client.get("/dataflows/SEA/DF_CATCH/1.0.0/sources") as answer:
        assert answer.status == 200
        page = html.document_fromstring(await answer.text())
    lines = [" ".join(" ".join(row.itertext()).split()) for row in page.xpath("//tbody/tr")]
    assert lines[1] == "Northport NOR 2024 both, other figures Coast guard 2 0 Harbour office: 1 equal, 1 other"
    order = [" ".join(" ".join(one.itertext()).split()) for one in page.xpath("//ol/li")]
    assert order[0].startswith("Harbour office HARBOUR · reports for NOR")
    for link in page.xpath("//main//a/@href"):
        async with client.get(link) as answer:
            assert answer.status == 200, link
    async with client.get("/dataflows/SEA/DF_CATCH/1.0.0?lang=fr&f.PORT=NOR") as answer:
        page = html.document_fromstring(await answer.text())
    assert page.xpath("//a[text()='Qui a transmis quoi']")
    (whose,) = page.xpath("//a[starts-with(text(), 'De qui')]/@href")
    status, found = await get(client, whose)
    assert status == 200 and {one["provider"] for one in found["datasets"][0]["figures"]} == {
        "SEA.COAST",
        "SEA.HARBOUR",
    }
    async with client.get("/dataflows/SEA/DF_NONE/1.0.0/sources") as answer:
        assert answer.status == 404
    async with client.get("/dataflows/SEA/DF_LICENCE/1.0.0/sources?lang=fr") as answer:
        assert answer.status == 200
