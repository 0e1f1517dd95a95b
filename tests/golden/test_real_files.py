"""The five real files of the reference folder, whole: in, published, and out again with the right figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import orjson
import pandas as pd
import pytest
from lxml import etree

from tests.harness import CSV, GENERIC, JSON, STRUCTURE_SPECIFIC, XML, House, open_house

pytestmark = [pytest.mark.timeout(600)]
STOCK = "v2/data/dataflow/UNSD_MIG/DF_STOCK_OD/1.0.0"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    path = tmp_path_factory.mktemp("store") / "store.duckdb"
    with open_house(f"duckdb:///{path}") as opened:
        yield opened


@pytest.fixture(scope="module")
def desa(house: House, shared: Path) -> House:
    receipt, findings = house.send(shared / "data/stock/undesa_ims2024_bilateral_by_sex.csv")
    assert receipt.status == "published", findings[:5]
    assert sum(flow.observations for flow in receipt.dataflows) == 153_296
    return house


@pytest.mark.golden("UN DESA 2024 origin-destination stock")
class TestStock:
    def test_sums_through_csv(self, desa: House) -> None:
        rows = desa.rows(f"{STOCK}?c[TIME_PERIOD]=2024")
        sums: dict[str, int] = defaultdict(int)
        for row in rows:
            sums[row["SEX"]] += int(row["OBS_VALUE"])
        assert len(rows) == 19_162
        assert dict(sums) == {"M": 158_009_795, "F": 146_012_018}

    def test_sums_through_json(self, desa: House) -> None:
        answer = orjson.loads(desa.body(f"{STOCK}?c[TIME_PERIOD]=2024", JSON))
        structure = answer["data"]["structures"][0]
        series_dimensions = [one["id"] for one in structure["dimensions"]["series"]]
        place = series_dimensions.index("SEX")
        sexes = [value["id"] for value in structure["dimensions"]["series"][place]["values"]]
        sums: dict[str, int] = defaultdict(int)
        count = 0
        for key, series in answer["data"]["dataSets"][0]["series"].items():
            sex = sexes[int(key.split(":")[place])]
            for observation in series["observations"].values():
                sums[sex] += int(observation[0])
                count += 1
        assert count == 19_162
        assert dict(sums) == {"M": 158_009_795, "F": 146_012_018}

    @pytest.mark.parametrize("accept", [XML, STRUCTURE_SPECIFIC])
    def test_sums_through_structure_specific_xml(self, desa: House, accept: str) -> None:
        root = etree.fromstring(desa.body(f"{STOCK}?c[TIME_PERIOD]=2024", accept))
        sums: dict[str, int] = defaultdict(int)
        for series in root.iter("{*}Series"):
            sums[series.get("SEX")] += sum(int(one.get("OBS_VALUE")) for one in series.iter("{*}Obs"))
        assert dict(sums) == {"M": 158_009_795, "F": 146_012_018}

    def test_sums_through_generic_xml(self, desa: House) -> None:
        root = etree.fromstring(desa.body(f"{STOCK}?c[TIME_PERIOD]=2024", GENERIC))
        values = [int(one.get("value")) for one in root.iter("{*}ObsValue")]
        assert (len(values), sum(values)) == (19_162, 304_021_813)

    def test_every_destination_equals_the_official_workbook(self, desa: House, shared: Path) -> None:
        book = shared / "data/stock/undesa_ims2024_by_sex_destination.xlsx"
        sheet = pd.read_excel(book, sheet_name="Table 1", header=None, engine="calamine")
        body = sheet.iloc[11:]
        official = {
            str(int(code)): int(value)
            for code, value in zip(body[4], body[12], strict=True)
            if pd.notna(code) and isinstance(value, int | float) and pd.notna(value)
        }
        mine: dict[str, int] = defaultdict(int)
        for row in desa.rows(f"{STOCK}?c[TIME_PERIOD]=2024"):
            mine[row["REF_AREA"]] += int(row["OBS_VALUE"])
        assert len(mine) == 233
        assert {area: official.get(area) for area in mine} == dict(mine)

    def test_no_total_is_stored_that_was_not_sent(self, desa: House) -> None:
        assert desa.get(f"{STOCK}?c[SEX]=_T", CSV).status == 204

    def test_sent_again_nothing_changes(self, desa: House, shared: Path) -> None:
        receipt, _ = desa.send(shared / "data/stock/undesa_ims2024_bilateral_by_sex.csv")
        counts = receipt.dataflows[0]
        assert (counts.inserted, counts.changed, counts.unchanged, counts.deleted) == (0, 0, 153_296, 0)


MALTA = (
    "malta_demo_gind.csv", "malta_migr_flows.csv", "malta_migr_pop1ctz.csv", "malta_migr_pop3ctb.csv",
    "malta_births_deaths_ctz.csv", "malta_census2021.csv",
)  # fmt: skip


@pytest.fixture(scope="module")
def sent(house: House, shared: Path) -> list:
    return [house.send(shared / "data/eurostat" / name) for name in MALTA]


@pytest.mark.golden("Malta population and flows")
class TestMalta:
    def test_all_six_go_in(self, sent: list) -> None:
        for receipt, findings in sent:
            assert receipt.status == "published", (receipt.file.name, findings[:3])

    def test_balance_closes_in_all_15_years(self, house: House, sent: list) -> None:
        stocks: dict[tuple[str, int], int] = {}
        for row in house.rows("v2/data/dataflow/UNSD_MIG/DF_BALANCE/1.0.0?c[REF_AREA]=470"):
            if (
                all(row[name] in ("_T", "") for name in ("CITIZENSHIP", "COUNTRY_BIRTH", "SEX", "AGE"))
                and row["OBS_VALUE"]
            ):
                stocks[row["COMPONENT"], int(row["TIME_PERIOD"])] = int(row["OBS_VALUE"])
        flows: dict[tuple[str, int], int] = {}
        for row in house.rows("v2/data/dataflow/UNSD_MIG/DF_FLOW_CTZ/1.0.0?c[REF_AREA]=470&c[CITIZENSHIP]=_T"):
            if row["OBS_VALUE"]:
                flows[row["MEASURE"], int(row["TIME_PERIOD"])] = int(row["OBS_VALUE"])
        years = list(range(2010, 2025))
        for year in years:
            left = stocks["JAN", year] + stocks["NATGROW", year] + flows["IMM", year] - flows["EMI", year]
            assert left == stocks["JAN", year + 1], year
        assert (stocks["JAN", 2021], stocks["NATGROW", 2021], flows["IMM", 2021], flows["EMI", 2021]) == (
            516_125,
            232,
            16_963,
            13_146,
        )
        assert stocks["JAN", 2022] == 520_174

    def test_eurostats_own_balance_rows_of_2012_are_warned_of(self, sent: list) -> None:
        warnings = [
            finding.message for _, findings in sent for finding in findings if finding.severity.value == "warning"
        ]
        mine = [text for text in warnings if "1045" in text or "1,045" in text]
        assert any("4251" in text and "3206" in text for text in mine), warnings
        assert any("4963" in text and "3918" in text for text in mine), warnings

    def test_flags_became_statuses(self, house: House, sent: list, shared: Path) -> None:
        source = pd.read_csv(shared / "data/eurostat/malta_migr_pop1ctz.csv", dtype=str, keep_default_na=False)
        wanted = source[source.flag != ""].groupby("flag").size().to_dict()
        rows = house.rows("v2/data/dataflow/UNSD_MIG/DF_STOCK_CTZ/1.0.0/A.470")
        statuses = [row["OBS_STATUS"].lower() for row in rows]
        assert wanted
        assert {flag: statuses.count(flag) for flag in wanted} == wanted


@pytest.mark.golden("Eurostat immigration by age and previous residence")
def test_eurostat_immigration_by_age_and_previous_residence(house: House, shared: Path) -> None:
    source = pd.read_csv(shared / "data/flow/eurostat_imm5prv_by_age_intraEU.csv", keep_default_na=False)
    receipt, findings = house.send(shared / "data/flow/eurostat_imm5prv_by_age_intraEU.csv")
    assert receipt.status == "published", findings[:5]
    assert sum(flow.observations for flow in receipt.dataflows) == 175_710
    rows = house.rows("v2/data/dataflow/UNSD_MIG/DF_FLOW_PRV/1.0.0?c[TIME_PERIOD]=2015&c[REF_AREA]=276")
    wanted = source[(source.geo == "DE") & (source.year == 2015)]
    assert len(rows) == len(wanted)
    assert sum(float(row["OBS_VALUE"]) for row in rows if row["OBS_VALUE"]) == pytest.approx(wanted.value.sum())


@pytest.mark.golden("Canada flow workbook")
def test_canada_workbook(house: House, shared: Path) -> None:
    receipt, findings = house.send(shared / "data/national/un_flows2015_canada.xlsx")
    assert receipt.status == "published", findings[:5]
    sheet = pd.read_excel(
        shared / "data/national/un_flows2015_canada.xlsx",
        sheet_name="Canada by Citizenship",
        header=None,
        engine="calamine",
    )
    header = sheet.iloc[1].tolist()
    year = header.index(2013)
    india = sheet[(sheet[2] == "India") & (sheet[0] == "Immigrants")]
    rows = house.rows(
        "v2/data/dataflow/UNSD_MIG/DF_FLOW_CTZ/1.0.0?c[REF_AREA]=124&c[CITIZENSHIP]=356&c[TIME_PERIOD]=2013&c[MEASURE]=IMM"
    )
    assert [int(row["OBS_VALUE"]) for row in rows] == [int(india.iloc[0][year])]


@pytest.mark.golden("Destatis 2018 workbook")
def test_destatis_workbook(house: House, shared: Path) -> None:
    receipt, findings = house.send(shared / "data/national/destatis_wanderungen_2018.xlsx")
    assert receipt.status == "published", findings[:5]
    annual = house.rows(
        "v2/data/dataflow/UNSD_MIG/DF_FLOW_PRV/1.0.0/A.276?c[TIME_PERIOD]=2018&c[MEASURE]=IMM&c[CITIZENSHIP]=_T"
    )
    monthly = house.rows("v2/data/dataflow/UNSD_MIG/DF_FLOW_PRV/1.0.0/M.276?c[MEASURE]=IMM&c[CITIZENSHIP]=_T")
    assert annual
    assert len({row["TIME_PERIOD"] for row in monthly}) == 12
    assert any(row["OBS_STATUS"] == "Q" for row in monthly)
