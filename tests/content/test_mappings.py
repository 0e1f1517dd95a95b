"""The mappings on real files, read by a plain reading of their own (``naive``): nothing unmapped, nothing doubled."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from tests.content.naive import Row, load_maps, read

TOP = Path(__file__).parents[2]
EXCERPTS = TOP / "tests" / "golden" / "excerpts"
MAPPINGS = TOP / "mappings"
GOLDEN = json.loads((EXCERPTS / "golden.json").read_text(encoding="utf-8"))
EXCERPT_OF = {
    "undesa_ims2024.csv": ("DESA_STOCK_OD", {"DF_STOCK_OD": 530}),
    "malta_demo_gind.csv": ("ESTAT_DEMO_GIND", {"DF_BALANCE": 36}),
    "malta_migr_flows.csv": ("ESTAT_FLOW_CTZ", {"DF_FLOW_CTZ": 64, "DF_ACQ": 30}),
    "malta_migr_pop1ctz.csv": ("ESTAT_CTZ", {"DF_STOCK_CTZ": 51}),
    "malta_births_deaths_ctz.csv": ("ESTAT_CTZ", {"DF_BALANCE": 24}),
    "malta_migr_pop3ctb.csv": ("ESTAT_CTB", {"DF_STOCK_CTB": 28}),
    "malta_census2021.csv": ("ESTAT_CENSUS", {"DF_STOCK_CTZ": 4, "DF_STOCK_CTB": 4}),
    "eurostat_imm5prv_by_age.csv": ("IMM5PRV_AGE", {"DF_FLOW_PRV": 147}),
    "un_flows2015_canada.xlsx": ("UNFLOWS_CTZ", {"DF_FLOW_CTZ": 197 * 4 + 28 * 3}),
    "destatis_wanderungen_2018.xlsx": ("DESTATIS_WANDERUNGEN", {"DF_FLOW_PRV": 38 * 9 * 3}),
    "unhcr_population.csv": ("UNHCR_POPULATION", {"DF_FORCED": 63 * 8}),
}
WHOLE = {
    "stock/undesa_ims2024_bilateral_by_sex.csv": ("DESA_STOCK_OD", {"DF_STOCK_OD": 153_296}),
    "eurostat/malta_demo_gind.csv": ("ESTAT_DEMO_GIND", {"DF_BALANCE": 97}),
    "eurostat/malta_migr_flows.csv": ("ESTAT_FLOW_CTZ", {"DF_FLOW_CTZ": 166, "DF_ACQ": 75}),
    "eurostat/malta_migr_pop1ctz.csv": ("ESTAT_CTZ", {"DF_STOCK_CTZ": 128}),
    "eurostat/malta_births_deaths_ctz.csv": ("ESTAT_CTZ", {"DF_BALANCE": 60}),
    "eurostat/malta_migr_pop3ctb.csv": ("ESTAT_CTB", {"DF_STOCK_CTB": 93}),
    "eurostat/malta_census2021.csv": ("ESTAT_CENSUS", {"DF_STOCK_CTZ": 4, "DF_STOCK_CTB": 4}),
    "flow/eurostat_imm5prv_by_age_intraEU.csv": ("IMM5PRV_AGE", {"DF_FLOW_PRV": 175_710}),
    "national/un_flows2015_canada.xlsx": ("UNFLOWS_CTZ", {"DF_FLOW_CTZ": 7_622}),
    "national/destatis_wanderungen_2018.xlsx": ("DESTATIS_WANDERUNGEN", {"DF_FLOW_PRV": 14_976}),
}
Structure = dict[str, Any]


def members(folder: str, kind: str) -> list[dict[str, Any]]:
    """The artefacts of a kind in a folder."""
    found = [json.loads(path.read_text(encoding="utf-8"))["data"] for path in sorted((TOP / folder).glob("*.json"))]
    return [member for content in found for member in content.get(kind, [])]


@pytest.fixture(scope="module")
def codes() -> dict[str, set[str]]:
    """Code ids by codelist."""
    return {one["id"]: {code["id"] for code in one["codes"]} for one in members("codelists", "codelists")}


@pytest.fixture(scope="module")
def structures() -> dict[str, Structure]:
    """Per dataflow: its dimensions, its mandatory attributes, the codelist of each coded component."""
    found = {}
    for one in members("dsd", "dataStructures") + members("dsd/sdg", "dataStructures"):
        parts = one["dataStructureComponents"]
        dimensions = parts["dimensionList"]["dimensions"]
        attributes = parts["attributeList"]["attributes"]
        found[one["id"]] = {
            "key": [part["id"] for part in dimensions] + ["TIME_PERIOD"],
            "mandatory": [part["id"] for part in attributes if part["usage"] == "mandatory"],
            "series": [part["id"] for part in attributes if "dimensions" in part["attributeRelationship"]],
            "lists": {
                part["id"]: part["localRepresentation"]["enumeration"].split(":")[-1].split("(")[0]
                for part in dimensions + attributes
                if "enumeration" in part.get("localRepresentation", {})
            },
            "all": {part["id"] for part in dimensions + attributes} | {"TIME_PERIOD", "OBS_VALUE"},
        }
    flows = members("dsd", "dataflows") + members("dsd/sdg", "dataflows")
    return {flow["id"]: found[flow["structure"].split(":")[-1].split("(")[0]] for flow in flows}


def checked(
    path: Path, mapping: str, structures: dict[str, Structure], codes: dict[str, set[str]]
) -> list[tuple[str, Row]]:
    """Every observation of a file, after checking keys, codes, obligations, numbers and series attributes."""
    rows = list(read(path, MAPPINGS / mapping))
    keys: set[tuple[Any, ...]] = set()
    attached: dict[tuple[Any, ...], dict[str, str | None]] = {}
    for flow, row in rows:
        structure = structures[flow]
        assert set(row) <= structure["all"]
        key = (flow, *(row[dimension] for dimension in structure["key"]))
        assert None not in key, key
        assert key not in keys, key
        keys.add(key)
        unknown = {
            component: row[component]
            for component, codelist in structure["lists"].items()
            if row.get(component) is not None and row[component] not in codes[codelist]
        }
        assert unknown == {}
        assert all(row.get(attribute) for attribute in structure["mandatory"])
        assert row["OBS_VALUE"] is None or float(row["OBS_VALUE"]) == int(float(row["OBS_VALUE"]))
        of_series = {attribute: row.get(attribute) for attribute in structure["series"]}
        assert attached.setdefault(key[:-1], of_series) == of_series
    return rows


def total(rows: list[tuple[str, Row]], **where: str) -> int:
    """The sum of the figures with these codes."""
    found = [row for _, row in rows if all(row[name] == code for name, code in where.items())]
    return sum(int(float(row["OBS_VALUE"])) for row in found if row["OBS_VALUE"] is not None)


def figure(rows: list[tuple[str, Row]], **where: str) -> int:
    """The one figure with these codes."""
    found = [row["OBS_VALUE"] for _, row in rows if all(row[name] == code for name, code in where.items())]
    assert len(found) == 1, where
    assert found[0] is not None, where
    return int(float(found[0]))


@pytest.mark.parametrize("name", EXCERPT_OF)
def test_excerpt_maps_whole(name: str, structures: dict[str, Structure], codes: dict[str, set[str]]) -> None:
    mapping, counts = EXCERPT_OF[name]
    rows = checked(EXCERPTS / name, mapping, structures, codes)
    assert dict(Counter(flow for flow, _ in rows)) == counts


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.golden(name)) for name in WHOLE])
def test_file_maps_whole(name: str, shared: Path, structures: dict[str, Structure], codes: dict[str, set[str]]) -> None:
    mapping, counts = WHOLE[name]
    rows = checked(shared / "data" / name, mapping, structures, codes)
    assert dict(Counter(flow for flow, _ in rows)) == counts


def test_desa_excerpt_sums_to_the_official_totals() -> None:
    rows = list(read(EXCERPTS / "undesa_ims2024.csv", MAPPINGS / "DESA_STOCK_OD"))
    for area, official in GOLDEN["desa_2024"]["by_area"].items():
        sums = {sex: total(rows, REF_AREA=area, TIME_PERIOD="2024", SEX=sex) for sex in ("M", "F")}
        assert sums | {"_T": sum(sums.values())} == official
    assert total(rows, REF_AREA="470", TIME_PERIOD="1990") == GOLDEN["desa_2024"]["malta_1990"]["_T"]
    assert {row["SEX"] for _, row in rows} == {"M", "F"}


@pytest.mark.golden("DESA sums of every destination")
def test_desa_sums_to_the_official_workbook(shared: Path) -> None:
    folder = shared / "data" / "stock"
    sums: dict[str, int] = defaultdict(int)
    for _, row in read(folder / "undesa_ims2024_bilateral_by_sex.csv", MAPPINGS / "DESA_STOCK_OD"):
        if row["TIME_PERIOD"] == "2024":
            assert row["OBS_VALUE"] is not None
            sums[str(row["SEX"])] += int(row["OBS_VALUE"])
            sums[str(row["REF_AREA"])] += int(row["OBS_VALUE"])
    golden = GOLDEN["desa_whole_2024"]
    assert (sums.pop("M"), sums.pop("F")) == (golden["M"], golden["F"])
    workbook = CalamineWorkbook.from_path(folder / "undesa_ims2024_by_sex_destination.xlsx")
    table = workbook.get_sheet_by_name("Table 1").to_python(skip_empty_area=False)
    header = next(row for row in table if "Location code" in row)
    code, year = header.index("Location code"), header.index(2024.0)
    official = {str(int(row[code])): row[year] for row in table if isinstance(row[code], float)}
    assert {area: official[area] for area in sums} == sums
    assert len(sums) == 233


def test_malta_balance_closes_and_shows_the_adjustment_of_2012() -> None:
    balance = list(read(EXCERPTS / "malta_demo_gind.csv", MAPPINGS / "ESTAT_DEMO_GIND"))
    flows = list(read(EXCERPTS / "malta_migr_flows.csv", MAPPINGS / "ESTAT_FLOW_CTZ"))

    def component(name: str, year: str) -> int:
        return figure(balance, COMPONENT=name, TIME_PERIOD=year)

    def flow(measure: str, year: str) -> int:
        found = [(id_, row) for id_, row in flows if id_ == "DF_FLOW_CTZ"]
        return figure(found, MEASURE=measure, CITIZENSHIP="_T", TIME_PERIOD=year)

    expected = GOLDEN["malta_balance"]["2021"]
    sent = {name: component(name, "2021") for name in ("JAN", "NATGROW")}
    sent |= {name: flow(name, "2021") for name in ("IMM", "EMI")} | {"next_JAN": component("JAN", "2022")}
    assert sent == expected
    assert sent["JAN"] + sent["NATGROW"] + sent["IMM"] - sent["EMI"] == sent["next_JAN"]
    excess = GOLDEN["malta_balance"]["2012"]
    assert component("NETMIG_ADJ", "2012") == excess["NETMIG_ADJ"]
    assert flow("IMM", "2012") - flow("EMI", "2012") == excess["IMM_less_EMI"]
    assert component("GROW", "2012") == excess["GROW"]
    assert component("JAN", "2013") - component("JAN", "2012") == excess["JAN_difference"]


def test_destatis_rows_keep_suppression_totals_and_misprints() -> None:
    rows = list(read(EXCERPTS / "destatis_wanderungen_2018.xlsx", MAPPINGS / "DESTATIS_WANDERUNGEN"))
    for measure, official in GOLDEN["destatis_2018"].items():
        if measure != "source":
            sent = {
                citizenship: figure(
                    rows, FREQ="A", MEASURE=measure, CITIZENSHIP=citizenship, COUNTERPART_AREA="_T", TIME_PERIOD="2018"
                )
                for citizenship in official
            }
            assert sent == official
    january = [row for _, row in rows if row["TIME_PERIOD"] == "2018-01"]
    assert {row["COUNTERPART_AREA"] for row in january} >= {"408", "410", "417", "760", "384", "516", "SEA", "UNK_NST"}
    suppressed = [row for row in january if row["OBS_VALUE"] is None]
    assert suppressed
    assert {row["OBS_STATUS"] for row in suppressed} == {"Q"}
    assert {row["OBS_STATUS"] for row in january if row["OBS_VALUE"] is not None} == {"P"}
    kingdom = next(row for row in january if row["COUNTERPART_AREA"] == "826")
    assert (kingdom["FOOTNOTE_ID"], str(kingdom["COMMENT_TS"])[:8]) == ("2", "Einschl.")


def test_canada_total_is_the_sum_of_the_citizenships() -> None:
    rows = list(read(EXCERPTS / "un_flows2015_canada.xlsx", MAPPINGS / "UNFLOWS_CTZ"))
    regions = {"2", "14", "17", "15", "18", "11", "142", "143", "30", "35", "34", "145", "150", "151", "154", "39"}
    regions |= {"155", "419", "29", "13", "5", "21", "9", "53", "54", "57", "61", "NAT", "_T"}
    for year in ("1980", "2012", "2013"):
        parts = [row for _, row in rows if row["TIME_PERIOD"] == year and row["CITIZENSHIP"] not in regions]
        assert figure(rows, CITIZENSHIP="_T", TIME_PERIOD=year) == GOLDEN["canada"][year]
        assert sum(int(str(row["OBS_VALUE"])) for row in parts) == GOLDEN["canada"][year]
    missing = [row for _, row in rows if row["OBS_VALUE"] is None]
    assert missing
    assert {row["OBS_STATUS"] for row in missing} == {"O"}


def test_flags_and_their_combinations() -> None:
    rows = load_maps(MAPPINGS)["RM_ESTAT_FLAG"]["representationMappings"]
    flags = {row["sourceValues"][0]["value"]: tuple(row["targetValues"]) for row in rows}
    assert flags[""] == ("A", "", "")
    assert [flags[flag][0] for flag in ("b", "d", "e", "p", "u", "c", ":")] == ["B", "D", "E", "P", "U", "Q", "O"]
    assert flags["bep"] == ("B", "", "Source flags: bep")
    assert [flags[pair][0] for pair in ("de", "ep", "pu")] == ["D", "E", "P"]
    assert flags["c"][1] == "C"


def test_layouts_fill_every_dimension_and_read_only_columns_they_name(structures: dict[str, Structure]) -> None:
    maps = load_maps(MAPPINGS)
    used = set()
    for path in sorted(MAPPINGS.glob("*/layout.json")):
        layout = json.loads(path.read_text(encoding="utf-8"))
        assert layout["id"] == path.parent.name
        assert all(layout[name] for name in ("source", "licence", "names"))
        for table in layout["tables"]:
            structure_map = maps[re.split(r"[:(]", table["map"])[1]]
            used.add(structure_map["id"])
            flow = structures[structure_map["target"].split(":")[-1].split("(")[0]]
            targets = [target for one in structure_map["componentMaps"] for target in one["target"]]
            targets += [one["target"] for one in structure_map.get("fixedValueMaps", [])]
            assert len(targets) == len(set(targets))
            assert set(flow["key"]) | set(flow["mandatory"]) | {"OBS_VALUE"} <= set(targets) <= flow["all"]
    assert used == {id_ for id_, one in maps.items() if "componentMaps" in one}
