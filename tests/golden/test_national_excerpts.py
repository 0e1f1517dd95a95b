"""Excerpts of the national files, carried by the repository: the way in with the figures that the sources print."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import House, open_house

EXCERPTS = Path(__file__).parent / "excerpts"
DATA = "v2/data/dataflow/UNSD_MIG"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(f"duckdb:///{tmp_path_factory.mktemp('national') / 'store.duckdb'}") as opened:
        yield opened


def sent(house: House, name: str, mapping: str) -> None:
    receipt, findings = house.send(EXCERPTS / name)
    assert receipt.status == "published", [one.message for one in findings if one.severity.value == "error"][:3]
    assert receipt.mapping == mapping


def held(house: House, path: str, *names: str) -> dict[tuple[str, ...], str]:
    return {tuple(row[name] for name in names): row["OBS_VALUE"] for row in house.rows(f"{DATA}/{path}")}


def test_filipino_emigrants_by_sex_and_age(house: House) -> None:
    sent(house, "ph_cfo_sex.csv", "PHL_CFO_SEX")
    by_sex = held(house, "DF_FLOW_AGE/1.0.0/A.608.EMI", "SEX", "TIME_PERIOD")
    assert (by_sex["M", "2000"], by_sex["F", "2000"]) == ("19907", "31124")
    assert (by_sex["M", "1981"], by_sex["F", "1981"]) == ("20350", "28517")
    sent(house, "ph_cfo_age.csv", "PHL_CFO_AGE")
    by_age = held(house, "DF_FLOW_AGE/1.0.0/A.608.EMI?c[AGE]=ne:_T", "AGE", "TIME_PERIOD")
    assert {age for age, _ in by_age} == {
        "Y0T14", *(f"Y{low}T{low + 4}" for low in range(15, 70, 5)), "Y_GE70", "_U",
    }  # fmt: skip
    assert {
        year: sum(int(value) for (_, when), value in by_age.items() if when == year) for year in ("1981", "2000")
    } == {
        "1981": 20_350 + 28_517,
        "2000": 51_031,
    }


def test_filipino_emigrants_by_country_in_old_forms(house: House) -> None:
    sent(house, "ph_cfo_countries.csv", "PHL_CFO_COUNTRIES")
    figures = held(house, "DF_FLOW_PRV/1.0.0/A.608.EMI", "COUNTERPART_AREA", "TIME_PERIOD")
    with (EXCERPTS / "ph_cfo_countries.csv").open(encoding="utf-8", newline="") as file:
        printed = [int(value) for row in csv.DictReader(file) for name, value in row.items() if name != "COUNTRY"]
    assert Counter(map(int, figures.values())) == Counter(printed)
    assert (figures["810", "1991"], figures["643", "1992"]) == ("0", "0")
    assert ("643", "1991") not in figures
    assert (figures["810", "1990"], figures["643", "2011"], figures["736", "1991"]) == ("1", "1", "1")
    assert (figures["230", "1990"], figures["840", "1981"], figures["158", "2000"]) == ("1", "40307", "102")
    assert {area for area, _ in figures} >= {"608", "384", "XK", "142_O", "2_O", "729"}


def test_what_no_structure_carries(house: House) -> None:
    receipt, findings = house.send(EXCERPTS / "ph_cfo_civil_status.csv")
    assert (receipt.status, [one.code for one in findings]) == ("refused", ["F111"])
    assert "civil status" in findings[0].message


def test_a_eurostat_answer_in_json_stat(house: House) -> None:
    sent(house, "eurostat_migr_pop1ctz.json", "ESTAT_JSON_CTZ")
    document = json.loads((EXCERPTS / "eurostat_migr_pop1ctz.json").read_text(encoding="utf-8"))
    rows = house.rows(f"{DATA}/DF_STOCK_CTZ/1.0.0?c[CITIZENSHIP]=FOR_STLS")
    figures = {(row["REF_AREA"], row["TIME_PERIOD"]): row for row in rows}
    assert len(figures) == len(document["value"]) == 29
    assert Counter(row["OBS_VALUE"] for row in rows) == Counter(map(str, document["value"].values()))
    whole = figures["EU27_2020", "2021"]
    assert (whole["OBS_VALUE"], whole["OBS_STATUS"], whole["COMMENT_OBS"]) == ("37213628", "B", "Source flags: bep")
    assert figures["56", "2012"]["OBS_VALUE"] == "1197598"
    assert figures["300", "2012"]["OBS_VALUE"] == "926427"
    assert ("EU27_2020", "2012") not in figures


def test_departures_of_the_yearbook_of_1957(house: House) -> None:
    sent(house, "dyb1957_table27.csv", "DYB1957_T27")
    rows = house.rows(f"{DATA}/DF_FLOW_TOT/1.0.0/A.380")
    italy = {(row["MEASURE"], row["TIME_PERIOD"]): row for row in rows}
    figures = {measure: int(italy[measure, "1956"]["OBS_VALUE"]) for measure in ("EMI", "DEP_VIS_RES", "DEP")}
    assert figures == {"EMI": 383_077, "DEP_VIS_RES": 1_533_867, "DEP": 1_916_944}
    assert figures["EMI"] + figures["DEP_VIS_RES"] == figures["DEP"]
    assert (italy["DEP", "1956"]["OBS_STATUS"], italy["DEP", "1955"]["OBS_STATUS"]) == ("P", "A")
    missing = house.rows(f"{DATA}/DF_FLOW_TOT/1.0.0/A.578.DEP")
    assert [(row["OBS_VALUE"], row["OBS_STATUS"]) for row in missing] == [("", "O")] * 6
