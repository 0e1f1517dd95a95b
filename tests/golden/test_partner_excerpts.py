"""Excerpts of partner agencies' files, carried by the repository: in, published, out again.

Where the reference folder is absent these stand for the golden cases of ``test_partners``.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.harness import House, open_house

EXCERPTS = Path(__file__).parent / "excerpts"
DATA = "v2/data/dataflow/UNSD_MIG"
SDG = f"{DATA}/DF_SDG_MIG/1.0.0"
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(f"duckdb:///{tmp_path_factory.mktemp('partner_excerpts') / 'store.duckdb'}") as opened:
        yield opened


def sent(house: House, name: str) -> tuple[Any, list[Any]]:
    receipt, findings = house.send(EXCERPTS / name)
    assert receipt.status == "published", [one for one in findings if one.severity.value == "error"][:3]
    return receipt, findings


def source(name: str) -> list[dict[str, str]]:
    with (EXCERPTS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_displaced_persons_by_area_of_asylum(house: House) -> None:
    sent(house, "unhcr_population.csv")
    iso = {"MLT": "470", "AUT": "40", "EGY": "818", "AUS": "36", "ARE": "784", "MAR": "504"}
    rows = house.rows(f"{DATA}/DF_FORCED/1.0.0")
    for column, kind in (("refugees", "REF"), ("asylum_seekers", "ASY"), ("stateless", "STA")):
        expected: Counter[str] = Counter()
        for row in source("unhcr_population.csv"):
            expected[iso[row["coa_iso"]]] += int(row[column])
        found: Counter[str] = Counter()
        for row in rows:
            found[row["REF_AREA"]] += int(row["OBS_VALUE"]) if row["POP_TYPE"] == kind else 0
        assert found == expected
    assert {row["ORIGIN_AREA"] for row in rows} >= {"UNK", "729"}


def test_incidents_become_figures(house: House) -> None:
    sent(house, "iom_incidents.csv")
    incidents = source("iom_incidents.csv")
    expected: Counter[str] = Counter()
    for row in incidents:
        expected[row["t"][:4]] += int(float(row["dead"]))
    rows = house.rows(f"{SDG}?c[SERIES]=SM_DTH_MIGR&c[REF_AREA]=1&c[CUST_BREAKDOWN]=_T")
    assert {row["TIME_PERIOD"]: int(row["OBS_VALUE"]) for row in rows} == expected
    routes = house.rows(f"{SDG}?c[SERIES]=SM_DTH_MIGR&c[REF_AREA]=1")
    assert {row["CUST_BREAKDOWN_LB"] for row in routes} == {"", *(row["route"] for row in incidents)}


def test_country_of_birth_is_migratory_status(house: House) -> None:
    _, findings = sent(house, "ons_indicator_8-5-2.csv")
    rows = house.rows(f"{SDG}?c[SERIES]=SL_TLF_UEM")
    found = {
        (row["COMPOSITE_BREAKDOWN"], row["TIME_PERIOD"]): float(row["OBS_VALUE"])
        for row in rows
        if row["COMPOSITE_BREAKDOWN"] != "_T"
    }
    status = {"Born in UK": "MS_NOMIGRANT", "Not born in UK": "MS_MIGRANT"}
    status |= {"Born in EU (Non-UK)": "MS_EUMIGRANT", "Not born in EU (Non-UK)": "MS_NONEUMIGRANT"}
    assert found == {
        (status[row["Country of birth"]], row["Year"].replace(" ", "-")): pytest.approx(float(row["Value"]), rel=1e-15)
        for row in source("ons_indicator_8-5-2.csv")
        if row["Country of birth"]
    }
    assert len(found) == 8
    assert Counter(one.message.split(" were ")[0] for one in findings) == Counter({"6 rows": 2})


def test_a_national_message_keeps_its_country(house: House) -> None:
    receipt, findings = sent(house, "kg_16.2.2.xml")
    assert (receipt.mapping, receipt.provider) == ("SDG_NSO_KGZ", "UNSD_MIG.NSO_KGZ")
    series = list(etree.parse(EXCERPTS / "kg_16.2.2.xml").iter("Series"))
    expected = {
        (one.get("SERIES"), one.get("SEX"), one.get("AGE"), each.get("TIME_PERIOD")): each.get("OBS_VALUE")
        for one in series
        if one.get("REF_AREA") == "KG"
        for each in one
    }
    rows = house.rows(f"{SDG}?c[REF_AREA]=417")
    assert {(row["SERIES"], row["SEX"], row["AGE"], row["TIME_PERIOD"]): row["OBS_VALUE"] for row in rows} == expected
    assert [one.code for one in findings] == ["F101"]
