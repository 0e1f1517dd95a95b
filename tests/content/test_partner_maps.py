"""Maps of partner agencies' codes: whole lists, dated codes, collisions, labels of what is proposed."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

TOP = Path(__file__).parents[2]
SOURCES = TOP / "mappings" / "sources"


def table(name: str) -> list[dict[str, str]]:
    with (SOURCES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def maps() -> dict[str, dict[str, Any]]:
    content = json.loads((TOP / "mappings/shared/partners.json").read_text(encoding="utf-8"))
    areas = json.loads((TOP / "mappings/shared/areas.json").read_text(encoding="utf-8"))
    found = content["data"]["representationMaps"] + areas["data"]["representationMaps"]
    return {one["id"]: one for one in found}


@pytest.fixture(scope="module")
def areas() -> set[str]:
    content = json.loads((TOP / "codelists/CL_AREA_MIG.json").read_text(encoding="utf-8"))
    return {code["id"] for code in content["data"]["codelists"][0]["codes"]}


def pairs(one: dict[str, Any]) -> dict[str, str]:
    """Source to target of the rows that hold always."""
    return {
        row["sourceValues"][0]["value"]: row["targetValues"][0]
        for row in one["representationMappings"]
        if "validFrom" not in row and "validTo" not in row
    }


def dated(one: dict[str, Any], source: str) -> list[tuple[str | None, str | None, str]]:
    return [
        (row.get("validFrom"), row.get("validTo"), row["targetValues"][0])
        for row in one["representationMappings"]
        if row["sourceValues"][0]["value"] == source
    ]


AREA_MAPS = (
    "RM_ISO2_M49", "RM_ISO3_M49", "RM_OECD_M49", "RM_OECD_REPORTING_M49", "RM_OECD_FOREIGNERS", "RM_UNHCR_M49",
    "RM_UNHCR_ISO_M49", "RM_DESA_M49",
)  # fmt: skip


@pytest.mark.parametrize("id", AREA_MAPS)
def test_every_target_is_an_area_of_ours(id: str, maps: dict[str, dict[str, Any]], areas: set[str]) -> None:
    targets = {row["targetValues"][0] for row in maps[id]["representationMappings"]}
    assert targets <= areas
    assert len(targets) > 200


@pytest.mark.golden("OECD area list 1.3")
def test_every_oecd_area_is_mapped_or_undecided_with_a_reason(shared: Path, maps: dict[str, dict[str, Any]]) -> None:
    root = etree.parse(shared / "data/structures/OECD_DSD_MIG_1.0.xml")
    [codes] = [one for one in root.iter("{*}Codelist") if one.get("id") == "CL_AREA"]
    listed = {code.get("id") for code in codes.iterfind("{*}Code")}
    mapped = {row["sourceValues"][0]["value"] for row in maps["RM_OECD_M49"]["representationMappings"]}
    undecided = {one["title"]: one["text"] for one in maps["RM_OECD_M49"]["annotations"]}
    assert len(listed) == 505
    assert mapped | set(undecided) == listed
    assert not mapped & set(undecided)
    assert all(undecided.values())


def test_oecd_specials(maps: dict[str, dict[str, Any]]) -> None:
    everywhere = pairs(maps["RM_OECD_M49"])
    assert {code: everywhere[code] for code in ("W", "W_X", "XKV", "STLS", "SUN_F", "AUT", "AUS")} == {
        "W": "_T", "W_X": "UNK", "XKV": "XK", "STLS": "STLS", "SUN_F": "810", "AUT": "40", "AUS": "36",
    }  # fmt: skip
    assert pairs(maps["RM_OECD_FOREIGNERS"])["W"] == "FOR_STLS"
    assert dated(maps["RM_OECD_REPORTING_M49"], "SUN_F") == [(None, "1991-12-31", "810")]
    formers = {one["source"] for one in table("oecd_areas") if one["source"].endswith("_F") and one["target"]}
    assert {"SUN_F", "YUG_F", "SCG_F", "CSK_F", "DDR_F", "DEU_F", "ANT_F", "ETH_F", "YAR_F", "YMD_F"} == formers


def test_unhcr_codes_that_are_iso_codes_of_another_country(maps: dict[str, dict[str, Any]]) -> None:
    own, iso = pairs(maps["RM_UNHCR_M49"]), pairs(maps["RM_ISO3_AREA"])
    differing = {one["unhcr"] for one in table("unhcr_areas") if one["unhcr"] != one["iso3"]}
    assert len(differing) == 99
    same_as_another = {code for code in differing if code in iso and own.get(code, iso[code]) != iso[code]}
    assert same_as_another == {"AUS", "ARE", "MAR"}
    assert [own[code] for code in ("AUS", "ARE", "MAR")] == ["40", "818", "474"]
    assert [iso[code] for code in ("AUS", "ARE", "MAR")] == ["36", "784", "504"]
    assert own["ANT"] == "28"
    assert (own["UKN"], own["STA"]) == ("UNK", "STLS")


@pytest.mark.golden("UNHCR country list")
def test_unhcr_list_is_whole(shared: Path) -> None:
    with (shared / "data/unhcr/countries.csv").open(encoding="utf-8", newline="") as file:
        listed = {row["unhcr_code"]: row["iso_code"] for row in csv.DictReader(file)}
    assert {one["unhcr"]: one["iso3"] for one in table("unhcr_areas")} == listed
    assert {one["unhcr"] for one in table("unhcr_areas") if not one["target"]} == {"CRB", "CUR"}


@pytest.mark.parametrize(
    ("id", "source", "expected"),
    [
        ("RM_ISO3_M49", "SDN", [(None, "2010-12-31", "736"), ("2011-01-01", None, "729")]),
        ("RM_ISO2_M49", "CS", [(None, "1992-12-31", "200"), ("2003-01-01", "2006-12-31", "891")]),
        ("RM_ISO3_M49", "ANT", [(None, "2010-12-31", "530")]),
        ("RM_ISO2_M49", "GB", [(None, None, "826")]),
    ],
)
def test_iso_codes_have_the_years_for_which_they_hold(
    id: str,
    source: str,
    expected: list[tuple[str | None, str | None, str]],
    maps: dict[str, dict[str, Any]],
) -> None:
    assert dated(maps[id], source) == expected


def test_desa_locations_do_not_collide_with_the_sdg_list(maps: dict[str, dict[str, Any]]) -> None:
    locations = pairs(maps["RM_DESA_M49"])
    known = {"900": "1", "903": "2", "935": "142", "908": "150", "904": "419", "905": "21", "909": "9", "941": "199"}
    assert {code: locations[code] for code in known} == known
    assert (locations["1636"], locations["1637"], locations["2003"], locations["4"]) == ("432", "722", "OTH_UNK", "4")
    assert "1503" in {one["title"] for one in maps["RM_DESA_M49"]["annotations"]}


@pytest.mark.golden("UN DESA location codes")
def test_every_desa_location_is_mapped_or_undecided(shared: Path, maps: dict[str, dict[str, Any]]) -> None:
    from python_calamine import CalamineWorkbook

    known = set(pairs(maps["RM_DESA_M49"])) | {one["title"] for one in maps["RM_DESA_M49"]["annotations"]}
    found: set[str] = set()
    for name in ("undesa_ims2024_by_sex_destination.xlsx", "undesa_ims2020_by_sex_destination.xlsx"):
        rows = CalamineWorkbook.from_path(shared / "data/stock" / name).get_sheet_by_name("Table 1").to_python()
        [header] = [row for row in rows if any(str(cell).startswith("Location code") for cell in row)]
        place = next(n for n, cell in enumerate(header) if str(cell).startswith("Location code"))
        found |= {str(int(row[place])) for row in rows if isinstance(row[place], float)}
    assert len(found) > 270
    assert found <= known


@pytest.mark.golden("ONS code mapping")
def test_ons_maps_agree_with_the_mapping_of_the_ons(shared: Path, maps: dict[str, dict[str, Any]]) -> None:
    from tests.content.naive import translate

    homes = {"SEX": "RM_ONS_SEX", "AGE": "RM_ONS_AGE", "OBS_STATUS": "RM_ONS_STATUS", "UNIT_MULT": "RM_ONS_UNIT_MULT"}
    checked = 0
    with (shared / "data/sdg/ons_code_mapping.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["Dimension"] in homes:
                assert translate(maps[homes[row["Dimension"]]], [row["Text"]]) == [row["Value"]]
                checked += 1
    assert checked == 18


def test_the_map_of_country_of_birth_says_that_it_is_proposed(maps: dict[str, dict[str, Any]]) -> None:
    birth = maps["RM_ONS_BIRTH"]
    assert "proposed" in birth["names"]["en"]
    assert all(
        "proposed" in row["targetValues"][1] for row in birth["representationMappings"] if row["targetValues"][1]
    )
