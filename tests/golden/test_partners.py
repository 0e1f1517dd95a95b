"""Files of partner agencies, whole: in, published, out again, against figures counted by independent code."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from lxml import etree

from tests.harness import House, open_house

pytestmark = [pytest.mark.timeout(600)]
DATA = "v2/data/dataflow/UNSD_MIG"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(f"duckdb:///{tmp_path_factory.mktemp('partners') / 'store.duckdb'}") as opened:
        yield opened


def published(house: House, path: Path) -> tuple[Any, list[Any]]:
    receipt, findings = house.send(path)
    assert receipt.status == "published", [one for one in findings if one.severity.value == "error"][:5]
    return receipt, findings


def left_out(findings: list[Any]) -> int:
    """How many rows were left out on purpose."""
    return sum(int(one.message.split()[0]) for one in findings if one.code == "F101")


# --- OECD ----------------------------------------------------------------------------------------------------------

OECD = {
    "AUS_B14": ("DF_STOCK_CTB", "36", "FB", 13, 0),
    "CHL_B14": ("DF_STOCK_CTB", "152", "FB", 11, 0),
    "ISR_B14": ("DF_STOCK_CTB", "376", "FB", 13, 0),
    "CHL_B15": ("DF_STOCK_CTZ", "152", "FC", 9, 3),
    "JPN_B15": ("DF_STOCK_CTZ", "392", "FC", 13, 0),
    "KOR_B15": ("DF_STOCK_CTZ", "410", "FC", 13, 0),
}


@pytest.mark.golden("OECD B14 and B15")
@pytest.mark.parametrize("name", OECD)
def test_oecd_messages_as_received(house: House, shared: Path, name: str) -> None:
    flow, area, measure, count, missing = OECD[name]
    path = shared / f"data/oecd/{name}.json"
    receipt, findings = published(house, path)
    assert (receipt.mapping, receipt.provider, findings) == ("OECD_MIG", "UNSD_MIG.OECD", [])
    message = json.loads(path.read_bytes())["data"]
    [times] = [
        [one["id"] for one in dimension["values"]]
        for dimension in message["structures"][0]["dimensions"]["observation"]
        if dimension["id"] == "TIME_PERIOD"
    ]
    sent = {times[int(key.split(":")[-1])]: row[0] for key, row in message["dataSets"][0]["observations"].items()}
    rows = house.rows(f"{DATA}/{flow}/1.0.0?c[REF_AREA]={area}&c[MEASURE]={measure}")
    assert len(rows) == len(sent) == count
    assert {row["TIME_PERIOD"]: int(row["OBS_VALUE"]) if row["OBS_VALUE"] else None for row in rows} == sent
    assert [row["OBS_STATUS"] for row in rows if not row["OBS_VALUE"]] == ["O"] * missing
    assert {row["OBS_STATUS"] for row in rows if row["OBS_VALUE"]} == {"A"}
    same = ("UNIT_MULT", "DECIMALS", "UNIT_MEASURE", "CITIZENSHIP", "COUNTRY_BIRTH", "TABLE_ID")
    assert {tuple(row[column] for column in same) for row in rows} == {("0", "0", "PS", "_T", "_T", name[-3:])}


@pytest.mark.golden("OECD flows and areas")
def test_oecd_flows_areas_and_status(house: House, shared: Path) -> None:
    """A real answer, changed into what the files do not hold: flows by nationality, special areas, flags."""
    message = json.loads((shared / "data/oecd/KOR_B15.json").read_bytes())
    dataset, [structure] = message["data"]["dataSets"][0], message["data"]["structures"]

    def values(id: str, *codes: str) -> None:
        [one] = [one for one in structure["dimensions"]["observation"] if one["id"] == id]
        one["values"] = [{"id": code, "name": code} for code in codes]

    values("MEASURE", "B11", "B12", "B16", "B13", "B21", "B22", "LF_RATE")
    values("CITIZENSHIP", "W", "XKV", "SUN_F", "W_X", "STLS")
    values("TIME_PERIOD", "2020")
    structure["attributes"]["observation"][0]["values"] = [{"id": "A"}, {"id": "B"}, {"id": "E"}]
    structure["attributes"]["observation"][1]["values"] = [{"id": "0"}, {"id": "3"}]
    cells = {
        (0, 0): 500,
        (0, 1): 7,
        (0, 2): 8,
        (0, 3): 9,
        (0, 4): 10,
        (1, 0): 300,
        (2, 0): 40,
        (2, 1): 4,
        (3, 0): 5,
        (4, 0): 61,
        (5, 1): 62,
        (6, 0): 63,
    }
    dataset["observations"] = {
        f"0:{area}:0:{measure}:0:0:0:0:0": [value, area % 3, 0, 0] for (measure, area), value in cells.items()
    }
    receipt, findings = house.send(json.dumps(message).encode(), name="flows.json")
    assert receipt.status == "published", findings
    unread = [one for one in findings if one.code == "F108"]
    assert len(unread) == 1, "rates have no table, and that is said"
    rows = house.rows(f"{DATA}/DF_FLOW_CTZ/1.0.0?c[REF_AREA]=410")
    assert {(row["MEASURE"], row["CITIZENSHIP"]): (row["OBS_VALUE"], row["OBS_STATUS"]) for row in rows} == {
        ("IMM", "FOR_STLS"): ("500", "A"),
        ("IMM", "XK"): ("7", "B"),
        ("IMM", "810"): ("8", "E"),
        ("IMM", "UNK"): ("9", "A"),
        ("IMM", "STLS"): ("10", "B"),
        ("EMI", "FOR_STLS"): ("300", "A"),
    }
    assert {(row["MEASURE"], row["REPORTING_SIDE"], row["COVERAGE"]) for row in rows} == {
        ("IMM", "DEST", "FOR"),
        ("EMI", "ORIG", "FOR"),
    }
    acquired = house.rows(f"{DATA}/DF_ACQ/1.0.0?c[REF_AREA]=410")
    assert {(row["CITIZENSHIP"], row["OBS_VALUE"]) for row in acquired} == {("_T", "40"), ("XK", "4")}
    reasons = house.rows(f"{DATA}/DF_FLOW_REASON/1.0.0?c[REF_AREA]=410")
    assert {(row["REASON"], row["CITIZENSHIP"], row["OBS_VALUE"]) for row in reasons} == {
        ("HUM_ASY", "FOR_STLS", "5"), ("EMP_WRK", "FOR_STLS", "61")
    }  # fmt: skip
    assert all(row["COMMENT_TS"].startswith("Proposed") for row in reasons)
    [seasonal] = house.rows(f"{DATA}/DF_TEMP_MOB/1.0.0?c[REF_AREA]=410")
    assert (seasonal["MEASURE"], seasonal["CITIZENSHIP"], seasonal["OBS_VALUE"]) == ("SEAS", "XK", "62")


# --- UNHCR ---------------------------------------------------------------------------------------------------------

MEASURES = {
    "refugees": "REF", "asylum_seekers": "ASY", "returned_refugees": "RET", "idps": "IDP", "returned_idps": "RDP",
    "stateless": "STA", "ooc": "OOC", "oip": "OIP", "hst": "HST",
}  # fmt: skip


@pytest.fixture(scope="module")
def unhcr(house: House, shared: Path) -> House:
    receipt, findings = published(house, shared / "data/unhcr/population.csv")
    assert (receipt.mapping, receipt.provider) == ("UNHCR_POPULATION", "UNSD_MIG.UNHCR")
    assert not [one for one in findings if one.severity.value == "error"]
    return house


@pytest.mark.golden("UNHCR population 2024")
class TestForced:
    def test_totals_of_2024_are_the_official_ones(self, unhcr: House) -> None:
        sums: Counter[str] = Counter()
        for row in unhcr.rows(f"{DATA}/DF_FORCED/1.0.0?c[TIME_PERIOD]=2024"):
            sums[row["POP_TYPE"]] += int(row["OBS_VALUE"])
        assert (sums["REF"], sums["ASY"], sums["IDP"], sums["STA"]) == (30_958_200, 8_352_712, 68_131_711, 4_360_087)

    @pytest.mark.parametrize("area", [("AUS", "36"), ("AUT", "40"), ("EGY", "818"), ("ARE", "784"), ("MAR", "504")])
    def test_every_figure_of_an_area_whose_codes_collide(
        self, unhcr: House, shared: Path, area: tuple[str, str]
    ) -> None:
        iso, code = area
        frame = pd.read_csv(shared / "data/unhcr/population.csv", keep_default_na=False, dtype=str)
        for column, dimension in (("coa_iso", "REF_AREA"), ("coo_iso", "ORIGIN_AREA")):
            part = frame[frame[column] == iso]
            expected = {
                kind: (int((part[name] != "").sum()), int(pd.to_numeric(part[name]).sum()))
                for name, kind in MEASURES.items()
                if (part[name] != "").any()
            }
            found: dict[str, list[int]] = defaultdict(list)
            for row in unhcr.rows(f"{DATA}/DF_FORCED/1.0.0?c[{dimension}]={code}"):
                found[row["POP_TYPE"]].append(int(row["OBS_VALUE"]))
            assert {kind: (len(values), sum(values)) for kind, values in found.items()} == expected

    def test_unknown_stateless_and_tibetans(self, unhcr: House, shared: Path) -> None:
        frame = pd.read_csv(shared / "data/unhcr/population.csv", keep_default_na=False, dtype=str)
        for iso, code in (("UNK", "UNK"), ("XXA", "STLS"), ("TIB", "OTH")):
            expected = pd.to_numeric(frame[frame["coo_iso"] == iso]["refugees"]).sum()
            rows = unhcr.rows(f"{DATA}/DF_FORCED/1.0.0?c[ORIGIN_AREA]={code}&c[POP_TYPE]=REF")
            assert sum(int(row["OBS_VALUE"]) for row in rows) == expected > 0

    def test_a_five_says_that_it_may_be_less(self, unhcr: House) -> None:
        rows = unhcr.rows(f"{DATA}/DF_FORCED/1.0.0?c[TIME_PERIOD]=2024&c[POP_TYPE]=REF")
        assert {bool(row["COMMENT_OBS"]) for row in rows if row["OBS_VALUE"] == "5"} == {True}
        assert {bool(row["COMMENT_OBS"]) for row in rows if row["OBS_VALUE"] != "5"} == {False}


# --- SDG: national messages and tables, incidents --------------------------------------------------------------------

SDG = f"{DATA}/DF_SDG_MIG/1.0.0"


def sent_xml(path: Path) -> list[dict[str, str]]:
    """The observations of a structure-specific message, read plainly."""
    return [
        {**dict(series.attrib), **dict(one.attrib)}
        for series in etree.parse(path).iter("Series")
        for one in series.iter("Obs")
    ]


@pytest.mark.golden("SDG 10.7.2 and 16.2.2 of Kyrgyzstan")
class TestKyrgyzstan:
    def test_10_7_2(self, house: House, shared: Path) -> None:
        path = shared / "data/sdg/kg_10.7.2.xml"
        receipt, findings = published(house, path)
        assert (receipt.mapping, receipt.provider, findings) == ("SDG_NSO_KGZ", "UNSD_MIG.NSO_KGZ", [])
        rows = house.rows(f"{SDG}?c[REF_AREA]=417&c[SERIES]=SG_CPA_MIGRS")
        expected = {(one["COMPOSITE_BREAKDOWN"], one["TIME_PERIOD"]): float(one["OBS_VALUE"]) for one in sent_xml(path)}
        found = {(row["COMPOSITE_BREAKDOWN"], row["TIME_PERIOD"]): float(row["OBS_VALUE"]) for row in rows}
        assert found == expected
        assert set(dict(found)) == {(code, "2019") for code in ("_T", *(f"PD_{number}" for number in range(1, 7)))}
        assert {row["TIME_DETAIL"] for row in rows} == {"2018-2019"}

    def test_16_2_2_without_regions(self, house: House, shared: Path) -> None:
        path = shared / "data/sdg/kg_16.2.2.xml"
        receipt, findings = published(house, path)
        country = [one for one in sent_xml(path) if one["REF_AREA"] == "KG"]
        assert (len(sent_xml(path)), len(country), left_out(findings)) == (93, 47, 46)
        assert receipt.dataflows[0].observations == 47

        def key(one: dict[str, str]) -> tuple[str, ...]:
            return tuple(one[name] for name in ("SERIES", "SEX", "AGE", "TIME_PERIOD"))

        rows = [row for row in house.rows(f"{SDG}?c[REF_AREA]=417") if row["SERIES"].startswith("VC_HTF")]
        assert {key(row): int(row["OBS_VALUE"]) for row in rows} == {key(one): int(one["OBS_VALUE"]) for one in country}


@pytest.mark.golden("SDG message of Kenya")
def test_kenya_keeps_the_series_of_the_dataflow(house: House, shared: Path) -> None:
    path = shared / "data/sdg/ke_KE1.xml"
    _, findings = published(house, path)
    rows = house.rows(f"{SDG}?c[REF_AREA]=404")
    expected = [
        (one["SERIES"], one["TIME_PERIOD"], float(one["OBS_VALUE"]))
        for one in sent_xml(path)
        if one["REF_AREA"] == "KE" and one["SERIES"] in ("EN_LND_SLUM", "VC_DSR_MTMP")
    ]
    assert sorted((row["SERIES"], row["TIME_PERIOD"], float(row["OBS_VALUE"])) for row in rows) == sorted(expected)
    assert (len(expected), left_out(findings)) == (4, 64)
    assert any("SERIES" in one.message and "CON_DF_SDG_MIG" in one.message for one in findings)


def plain(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.golden("ONS 8.5.2, 10.7.3, 16.2.2")
class TestOns:
    def test_country_of_birth_is_migratory_status(self, house: House, shared: Path) -> None:
        path = shared / "data/sdg/ons_indicator_8-5-2.csv"
        receipt, findings = published(house, path)
        assert (receipt.mapping, receipt.provider) == ("ONS_8_5_2", "UNSD_MIG.NSO_GBR")
        status = {
            "Born in UK": "MS_NOMIGRANT",
            "Not born in UK": "MS_MIGRANT",
            "Born in EU (Non-UK)": "MS_EUMIGRANT",
            "Not born in EU (Non-UK)": "MS_NONEUMIGRANT",
        }
        expected = {
            (status[row["Country of birth"]], row["Year"].replace(" ", "-")): row["Value"]
            for row in plain(path)
            if row["Country of birth"]
        }
        rows = house.rows(f"{SDG}?c[REF_AREA]=826&c[SERIES]=SL_TLF_UEM")
        found = [row for row in rows if row["COMPOSITE_BREAKDOWN"] != "_T"]
        assert len(found) == len(expected) == 372
        for row in found:
            sent = expected[row["COMPOSITE_BREAKDOWN"], row["TIME_PERIOD"]]
            assert float(row["OBS_VALUE"]) == pytest.approx(float(sent), abs=0, rel=1e-15)
        assert {row["FREQ"] for row in rows} == {"Q"}
        assert all("proposed" in row["COMMENT_TS"] for row in found)
        assert (receipt.dataflows[0].observations, left_out(findings)) == (2_007, 7_254)

    def test_suppressed_values_stay_suppressed(self, house: House, shared: Path) -> None:
        path = shared / "data/sdg/ons_indicator_8-5-2.csv"
        published(house, path)
        wanted = [
            row
            for row in plain(path)
            if row["Series"] == "Not seasonally adjusted"
            and row["Observation status"].startswith("Missing")
            and row["Age"] not in ("16 to 17", "16 to 64", "50 to 64")
        ]
        rows = house.rows(f"{SDG}?c[REF_AREA]=826&c[SERIES]=SL_TLF_UEM")
        found = [row for row in rows if row["OBS_STATUS"] == "Q"]
        assert len(found) == len(wanted)
        assert {row["OBS_VALUE"] for row in found} <= {""}

    @pytest.mark.parametrize(
        ("file", "series", "count", "left"),
        [("10-7-3", "SM_DTH_MIGR", 36, 261), ("16-2-2", "VC_HTF_DETV", 429, 0)],
    )
    def test_counts(self, house: House, shared: Path, file: str, series: str, count: int, left: int) -> None:
        path = shared / f"data/sdg/ons_indicator_{file}.csv"
        _, findings = published(house, path)
        kept = [row for row in plain(path) if not row.get("Cause of death") and not row.get("Region of origin")]
        assert (len(kept), left_out(findings)) == (count, left)
        rows = house.rows(f"{SDG}?c[REF_AREA]=826&c[SERIES]={series}")
        sex = {"": "_T", "Male": "M", "Female": "F"}
        age = {"": "_T", "Age not known": "_U", "Under 18": "Y0T17", "75 and over": "Y_GE75"}

        def age_of(text: str) -> str:
            return age.get(text) or "Y" + "T".join(text.split(" to "))

        expected = {(row["Year"], sex[row["Sex"]], age_of(row["Age"])): float(row["Value"]) for row in kept}
        assert {(row["TIME_PERIOD"], row["SEX"], row["AGE"]): float(row["OBS_VALUE"]) for row in rows} == expected


@pytest.mark.golden("IOM incidents to 10.7.3")
def test_incidents_are_summed_by_year_area_and_route(house: House, shared: Path) -> None:
    path = shared / "data/sdg/iom_missing_migrants_incidents.csv"
    receipt, findings = published(house, path)
    assert (receipt.mapping, receipt.provider, findings) == ("IOM_MISSING", "UNSD_MIG.IOM", [])
    incidents = plain(path)
    assert len(incidents) == 19_669
    by_year: Counter[str] = Counter()
    by_area: Counter[tuple[str, str]] = Counter()
    by_route: Counter[tuple[str, str]] = Counter()
    for row in incidents:
        year, dead = row["t"][:4], int(float(row["dead"]))
        by_year[year] += dead
        by_area[year, row["geo"]] += dead
        by_route[year, row["route"]] += dead
    rows = house.rows(f"{SDG}?c[SERIES]=SM_DTH_MIGR&c[REPORTING_TYPE]=G")
    world = [row for row in rows if row["REF_AREA"] == "1"]
    total = {row["TIME_PERIOD"]: row["OBS_VALUE"] for row in world if row["CUST_BREAKDOWN"] == "_T"}
    assert total == {year: str(count) for year, count in by_year.items()}
    assert sum(map(int, total.values())) == 75_068
    routes = {
        (row["TIME_PERIOD"], row["CUST_BREAKDOWN_LB"]): int(row["OBS_VALUE"])
        for row in world
        if row["CUST_BREAKDOWN"] != "_T"
    }
    assert routes == dict(by_route)
    iso = {area["iso3"]: area["code"] for area in plain(Path(__file__).parents[2] / "codelists/sources/areas.csv")}
    areas = {(row["TIME_PERIOD"], row["REF_AREA"]): int(row["OBS_VALUE"]) for row in rows if row["REF_AREA"] != "1"}
    assert areas == {(year, iso[geo]): count for (year, geo), count in by_area.items()}
    assert receipt.dataflows[0].observations == len(by_year) + len(by_area) + len(by_route) == 967
