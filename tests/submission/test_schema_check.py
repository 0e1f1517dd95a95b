"""Messages judged by their schemas on request: each fault with line, path and value, whatever their number."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.loading import load_folder
from sdmx_service.model.finding import Finding
from sdmx_service.submission.reading import Wish
from sdmx_service.submission.submit import Outcome, SentFile, check
from tests.harness import ROOT

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<mes:StructureSpecificData xmlns:mes="http://www.sdmx.org/resources/sdmxml/schemas/v3_1/message"
 xmlns:com="http://www.sdmx.org/resources/sdmxml/schemas/v3_1/common" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xmlns:ss="http://www.sdmx.org/resources/sdmxml/schemas/v3_1/data/structurespecific" xmlns:own="{namespace}">
<mes:Header><mes:ID>X</mes:ID><mes:Test>false</mes:Test><mes:Prepared>2026-01-01T00:00:00Z</mes:Prepared>
<mes:Sender id="NSO_MLT"/><mes:Structure structureID="S" namespace="{namespace}" dimensionAtObservation="TIME_PERIOD">
<com:StructureUsage>urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=UNSD_MIG:DF_BALANCE(1.0.0)</com:StructureUsage>
</mes:Structure></mes:Header>
<mes:DataSet ss:structureRef="S" xsi:type="own:DataSetType" ss:action="Merge">
"""
SERIES = '<Series FREQ="A" REF_AREA="{area}" COMPONENT="{component}" CITIZENSHIP="_T" COUNTRY_BIRTH="_T" SEX="_T" AGE="_T" UNIT_MEASURE="PS" UNIT_MULT="0">\n'
FOOT = "</mes:DataSet></mes:StructureSpecificData>\n"
OWN = "urn:any:namespace:of:the:sender"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_folder(ROOT).catalog()


def message(*observations: str, area: str = "470", component: str = "JAN", namespace: str = OWN) -> bytes:
    body = SERIES.format(area=area, component=component) + "\n".join(observations) + "\n</Series>\n"
    return (HEAD.format(namespace=namespace) + body + FOOT).encode()


def judged(body: bytes, catalog: Catalog, *, xsd: bool = True, name: str = "sent.xml", **wish: str) -> Outcome:
    return check(SentFile(file=io.BytesIO(body), name=name), Wish(provider="NSO_MLT", xsd=xsd, **wish), catalog)


def of_schema(outcome: Outcome) -> list[Finding]:
    return [one for group in outcome.groups if group.code in ("F180", "F181") for one in group.findings()]


RIGHT = '<Obs TIME_PERIOD="{year}" OBS_VALUE="5" OBS_STATUS="A"/>'


def test_a_right_message_has_no_fault(catalog: Catalog) -> None:
    assert of_schema(judged(message(RIGHT.format(year=2020)), catalog)) == []


def test_every_fault_has_line_path_and_value(catalog: Catalog) -> None:
    wrong = '<Obs TIME_PERIOD="20x1" OBS_VALUE="five" OBS_STATUS="A"/>'
    found = of_schema(judged(message(RIGHT.format(year=2020), wrong, component="JANN"), catalog))
    assert {(one.code, one.value) for one in found} >= {("F180", "JANN"), ("F180", "five")}
    value = next(one for one in found if one.value == "five")
    assert value.row == 12
    assert (value.column or "").endswith("/Series/Obs[2]")
    assert "five" in value.message


def test_faults_are_all_counted_in_groups_of_one_cause(catalog: Catalog) -> None:
    many = [f'<Obs TIME_PERIOD="{1000 + n}" OBS_VALUE="x{n}" OBS_STATUS="A"/>' for n in range(3000)]
    outcome = judged(message(*many), catalog)
    groups = [one for one in outcome.groups if one.code == "F180"]
    assert sum(one.count for one in groups) >= 3000
    assert len(groups) <= 4
    assert len({one.value for one in of_schema(outcome)} - {None}) >= 3000


def test_only_on_request(catalog: Catalog) -> None:
    body = message(RIGHT.format(year=2020)).replace(b"<mes:Test>false</mes:Test>", b"")
    assert of_schema(judged(body, catalog, xsd=False)) == []
    assert [one.code for one in of_schema(judged(body, catalog))] == ["F180"]


def test_what_has_no_schema_is_said(catalog: Catalog) -> None:
    table = (ROOT / "demo" / "malta_demographic_balance.csv").read_bytes()
    [found] = of_schema(check_named(table, catalog))
    assert (found.code, found.severity.value) == ("F181", "warning")


def check_named(body: bytes, catalog: Catalog) -> Outcome:
    return check(SentFile(file=io.BytesIO(body), name="malta_demographic_balance.csv"), Wish(xsd=True), catalog)


@pytest.mark.golden("Messages of others by the official JSON schema")
def test_a_real_message_of_json(catalog: Catalog, shared: Path) -> None:
    body = (shared / "data/oecd/KOR_B15.json").read_bytes()
    outcome = judged(body, catalog, name="KOR_B15.json")
    clean = of_schema(outcome)
    broken = of_schema(judged(body.replace(b'"test":false', b'"test":"no"', 1), catalog, name="KOR_B15.json"))
    assert len(broken) == len(clean) + 1
    assert any(one.column == "/meta/test" and one.value == "no" for one in broken)
