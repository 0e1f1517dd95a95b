"""Excerpts of the real files, carried by the repository: the whole way in and out with the figures of golden.json.

Where the reference folder is absent these stand for the golden cases of ``test_real_files``.
"""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sdmx_service.model.finding import Finding
from sdmx_service.submission.receipt import Receipt
from tests.harness import CSV, House, open_house

EXCERPTS = Path(__file__).parent / "excerpts"
GOLDEN: dict[str, Any] = json.loads((EXCERPTS / "golden.json").read_text(encoding="utf-8"))
DATA = "v2/data/dataflow/UNSD_MIG"
MALTA = ("demo_gind", "migr_flows", "migr_pop1ctz", "migr_pop3ctb", "births_deaths_ctz", "census2021")
WHOLE = ("AGE", "CITIZENSHIP", "COUNTRY_BIRTH", "SEX")

pytestmark = pytest.mark.timeout(300)


def source(name: str) -> list[dict[str, str]]:
    with (EXCERPTS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(f"duckdb:///{tmp_path_factory.mktemp('excerpts') / 'store.duckdb'}") as opened:
        yield opened


def sent(house: House, name: str) -> tuple[Receipt, list[Finding]]:
    receipt, findings = house.send(EXCERPTS / name)
    assert receipt.status == "published", [one for one in findings if one.severity.value == "error"][:3]
    return receipt, findings


@pytest.fixture(scope="module")
def stock(house: House) -> House:
    receipt, _ = sent(house, "undesa_ims2024.csv")
    assert (receipt.mapping, receipt.provider) == ("DESA_STOCK_OD", "UNSD_MIG.UNDESA")
    assert sum(flow.observations for flow in receipt.dataflows) == len(source("undesa_ims2024.csv"))
    return house


@pytest.fixture(scope="module")
def malta(house: House) -> dict[str, tuple[Receipt, list[Finding]]]:
    return {name: sent(house, f"malta_{name}.csv") for name in MALTA}


@pytest.fixture(scope="module")
def malta_rows(house: House, malta: object) -> dict[str, list[dict[str, str]]]:
    flows = ("DF_BALANCE", "DF_FLOW_CTZ", "DF_STOCK_CTZ")
    return {flow: house.rows(f"{DATA}/{flow}/1.0.0?c[REF_AREA]=470") for flow in flows}


class TestStock:
    @pytest.mark.parametrize("area", GOLDEN["desa_2024"]["by_area"])
    def test_destination_equals_the_official_workbook(self, stock: House, area: str) -> None:
        expected = GOLDEN["desa_2024"]["by_area"][area]
        assert self.sums(stock, area, "2024") == {"M": expected["M"], "F": expected["F"]}
        assert expected["M"] + expected["F"] == expected["_T"]

    def test_malta_in_1990(self, stock: House) -> None:
        expected = GOLDEN["desa_2024"]["malta_1990"]
        assert self.sums(stock, "470", "1990") == {"M": expected["M"], "F": expected["F"]}

    def test_no_total_is_stored_that_was_not_sent(self, stock: House) -> None:
        assert stock.get(f"{DATA}/DF_STOCK_OD/1.0.0?c[SEX]=_T", CSV).status == 204

    @staticmethod
    def sums(house: House, area: str, year: str) -> dict[str, int]:
        sums: dict[str, int] = defaultdict(int)
        for row in house.rows(f"{DATA}/DF_STOCK_OD/1.0.0?c[TIME_PERIOD]={year}&c[REF_AREA]={area}"):
            sums[row["SEX"]] += int(row["OBS_VALUE"])
        return dict(sums)


class TestMalta:
    def test_the_balance_of_2021_closes(self, malta_rows: dict[str, list[dict[str, str]]]) -> None:
        expected = GOLDEN["malta_balance"]["2021"]
        stocks, flows = self.figures(malta_rows)
        found = {
            "JAN": stocks["JAN", 2021],
            "NATGROW": stocks["NATGROW", 2021],
            "IMM": flows["IMM", 2021],
            "EMI": flows["EMI", 2021],
            "next_JAN": stocks["JAN", 2022],
        }
        assert found == expected
        assert found["JAN"] + found["NATGROW"] + found["IMM"] - found["EMI"] == found["next_JAN"]

    def test_eurostats_rows_of_2012_do_not_close(
        self, malta: dict[str, tuple[Receipt, list[Finding]]], malta_rows: dict[str, list[dict[str, str]]]
    ) -> None:
        expected = GOLDEN["malta_balance"]["2012"]
        stocks, flows = self.figures(malta_rows)
        assert flows["IMM", 2012] - flows["EMI", 2012] == expected["IMM_less_EMI"]
        assert stocks["JAN", 2013] - stocks["JAN", 2012] == expected["JAN_difference"]
        findings = [one for _, found in malta.values() for one in found if one.severity.value == "warning"]
        about_2012 = [one.message for one in findings if "2012" in one.key.values()]
        excess = str(expected["excess"])
        for pair in (("NETMIG_ADJ", "IMM_less_EMI"), ("GROW", "JAN_difference")):
            figures = [str(expected[name]) for name in pair]
            assert any(all(figure in text for figure in (*figures, excess)) for text in about_2012), about_2012

    def test_the_warnings_point_into_the_file(self, malta: dict[str, tuple[Receipt, list[Finding]]]) -> None:
        lines = (EXCERPTS / "malta_migr_flows.csv").read_text(encoding="utf-8").splitlines()
        placed = [one for one in malta["migr_flows"][1] if one.severity.value == "warning" and one.row is not None]
        assert placed
        for finding in placed:
            assert finding.file == "malta_migr_flows.csv"
            year = finding.key["TIME_PERIOD"]
            assert f",{year}," in lines[finding.row - 1] or f",{int(year) + 1}," in lines[finding.row - 1], finding

    def test_flags_became_statuses(self, malta_rows: dict[str, list[dict[str, str]]]) -> None:
        wanted = Counter(row["flag"].upper() for row in source("malta_migr_pop1ctz.csv") if row["flag"])
        found = Counter(row["OBS_STATUS"] for row in malta_rows["DF_STOCK_CTZ"])
        assert wanted
        assert {status: found[status] for status in wanted} == dict(wanted)

    @staticmethod
    def figures(rows: dict[str, list[dict[str, str]]]) -> tuple[dict[tuple[str, int], int], dict[tuple[str, int], int]]:
        stocks = {
            (row["COMPONENT"], int(row["TIME_PERIOD"])): int(row["OBS_VALUE"])
            for row in rows["DF_BALANCE"]
            if row["OBS_VALUE"] and all(row[name] == "_T" for name in WHOLE)
        }
        flows = {
            (row["MEASURE"], int(row["TIME_PERIOD"])): int(row["OBS_VALUE"])
            for row in rows["DF_FLOW_CTZ"]
            if row["OBS_VALUE"] and row["CITIZENSHIP"] == "_T"
        }
        return stocks, flows


def test_eurostat_immigration_by_age_and_previous_residence(house: House) -> None:
    rows = source("eurostat_imm5prv_by_age.csv")
    receipt, _ = sent(house, "eurostat_imm5prv_by_age.csv")
    assert (receipt.mapping, receipt.dataflows[0].observations) == ("IMM5PRV_AGE", len(rows))
    wanted = Counter(float(row["value"]) for row in rows if row["value"] and row["age"] != "TOTAL")
    shown = house.rows(f"{DATA}/DF_FLOW_PRV/1.0.0")
    found = Counter(float(row["OBS_VALUE"]) for row in shown if row["OBS_VALUE"] and row["AGE"] != "_T")
    assert found == wanted


@pytest.mark.parametrize("year", ["1980", "2012", "2013"])
def test_canada_adds_up_to_its_own_total(house: House, year: str) -> None:
    sent(house, "un_flows2015_canada.xlsx")
    rows = house.rows(f"{DATA}/DF_FLOW_CTZ/1.0.0?c[REF_AREA]=124&c[TIME_PERIOD]={year}&c[MEASURE]=IMM")
    totals = [int(row["OBS_VALUE"]) for row in rows if row["CITIZENSHIP"] == "_T" and row["OBS_VALUE"]]
    parts = sum(int(row["OBS_VALUE"]) for row in rows if row["CITIZENSHIP"] != "_T" and row["OBS_VALUE"])
    assert GOLDEN["canada"][year] in (*totals, parts)


@pytest.mark.parametrize("flow", ["IMM", "EMI"])
def test_destatis_annual_result(house: House, flow: str) -> None:
    receipt, _ = sent(house, "destatis_wanderungen_2018.xlsx")
    assert receipt.mapping == "DESTATIS_WANDERUNGEN"
    expected = GOLDEN["destatis_2018"][flow]
    rows = house.rows(f"{DATA}/DF_FLOW_PRV/1.0.0/A.276?c[TIME_PERIOD]=2018&c[MEASURE]={flow}")
    found = {
        row["CITIZENSHIP"]: int(row["OBS_VALUE"])
        for row in rows
        if row["COUNTERPART_AREA"] in ("W", "_T", "W0", "1") and row["SEX"] == "_T" and row["CITIZENSHIP"] in expected
    }
    assert found == expected


def test_destatis_says_what_it_suppresses(house: House) -> None:
    sent(house, "destatis_wanderungen_2018.xlsx")
    rows = house.rows(f"{DATA}/DF_FLOW_PRV/1.0.0/M.276")
    assert {row["TIME_PERIOD"] for row in rows} == {"2018-01", "2018-10"}
    hidden = [row for row in rows if row["OBS_STATUS"] == "Q"]
    assert hidden
    assert all(row["OBS_VALUE"] == "" for row in hidden)


def test_mirror_classes_of_european_flows(house: House) -> None:
    pairs = [(row["Immi"], row["Emig"]) for row in source("mirror_flows_eurostat_2010_2019.csv")]
    ratios = [float(one) / float(other) for one, other in pairs if one not in ("", "0.0") and other not in ("", "0.0")]
    apart = [max(ratio, 1 / ratio) for ratio in ratios]
    expected = Counter("within 20 %" if far <= 1.2 else "up to twofold" if far <= 2 else "more" for far in apart)
    _, findings = sent(house, "mirror_flows_eurostat_2010_2019.csv")
    told = [
        one.message.rpartition(", ")[2].removesuffix(" than twofold.").rstrip(".")
        for one in findings
        if one.code == "V14"
    ]
    assert Counter(told) == expected
    assert len(expected) == 3
