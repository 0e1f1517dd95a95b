"""National files and answers as received, whole: what the store holds equals the file, read by other code."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import pytest

from sdmx_service.submission.receipt import Receipt
from tests.harness import House, open_house

pytestmark = [pytest.mark.timeout(300)]
DATA = "v2/data/dataflow/UNSD_MIG"
CFO = "data/national/ph_cfo_Emigrant-"
Table = dict[tuple[str, str], int]
"""(row label, year) -> figure."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(f"duckdb:///{tmp_path_factory.mktemp('national') / 'store.duckdb'}") as opened:
        yield opened


def published(house: House, path: Path) -> Receipt:
    receipt, findings = house.send(path)
    assert receipt.status == "published", [one.message for one in findings if one.severity.value == "error"][:3]
    return receipt


def printed(path: Path) -> Table:
    """The figures of a CFO table by label and year, whichever of them the rows are."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    cells = {(row[0], name): int(row[n]) for row in rows for n, name in enumerate(header) if n}
    return {(b, a): figure for (a, b), figure in cells.items()} if header[0] == "YEAR" else cells


def of_year(table: Table, year: int) -> int:
    return sum(figure for (_, when), figure in table.items() if when == str(year))


CFO_FILES = {
    "1981-2020-Age": ("PHL_CFO_AGE", "DF_FLOW_AGE", "AGE", 14),
    "1981-2020-AllCountries": ("PHL_CFO_COUNTRIES", "DF_FLOW_PRV", "COUNTERPART_AREA", 176),
    "1981-2020-MajorCountry": ("PHL_CFO_MAJOR", "DF_FLOW_TOT", "COUNTERPART_AREA", 11),
    "1981-2020-Occu": ("PHL_CFO_OCCUPATION", "DF_FLOW_AGE", "OCCUPATION", 14),
    "1981-2020-Sex": ("PHL_CFO_SEX", "DF_FLOW_AGE", "SEX", 2),
    "1988-2020-Educ": ("PHL_CFO_EDUCATION", "DF_FLOW_AGE", "EDUCATION_LEV", 14),
}


@pytest.fixture(scope="module")
def receipts(house: House, shared: Path) -> dict[str, Receipt]:
    return {name: published(house, shared / f"{CFO}{name}.csv") for name in CFO_FILES}


@pytest.mark.golden("Philippines CFO, emigrants 1981-2020")
class TestPhilippines:
    """Every figure of the six tables that structures carry."""

    @pytest.mark.parametrize("name", CFO_FILES)
    def test_the_store_holds_the_figures_of_the_file(
        self, name: str, house: House, receipts: dict[str, Receipt], shared: Path
    ) -> None:
        mapping, flow, dimension, labels = CFO_FILES[name]
        table = printed(shared / f"{CFO}{name}.csv")
        receipt = receipts[name]
        assert (receipt.mapping, receipt.provider) == (mapping, "UNSD_MIG.NSO_PHL")
        assert [one.observations for one in receipt.dataflows] == [len(table)]
        rows = [
            row for row in house.rows(f"{DATA}/{flow}/1.0.0/A.608.EMI") if self.table_of(row) == self.table_name(name)
        ]
        assert len(rows) == len(table)
        assert len({label for label, _ in table}) == labels
        for year in {when for _, when in table}:
            sent = Counter(figure for (_, when), figure in table.items() if when == year)
            held = Counter(int(row["OBS_VALUE"]) for row in rows if row["TIME_PERIOD"] == year)
            assert held == sent, year
        assert len({row[dimension] for row in rows}) >= labels
        assert {(row["REF_AREA"], row["MEASURE"], row["COVERAGE"], row["SOURCE_TYPE"]) for row in rows} == {
            ("608", "EMI", "CIT", "ADM")
        }

    @staticmethod
    def table_of(row: dict[str, str]) -> str:
        return row["TABLE_ID"].partition(": ")[2]

    @staticmethod
    def table_name(name: str) -> str:
        words = {"Age": "age group", "AllCountries": "all countries", "MajorCountry": "major country",
                 "Occu": "occupation", "Sex": "sex", "Educ": "educational attainment"}  # fmt: skip
        return words[name.rpartition("-")[2]]

    @pytest.mark.parametrize(
        ("name", "label", "code"),
        [
            ("1981-2020-Age", "14 - Below", "Y0T14"),
            ("1981-2020-Age", "70 - Above", "Y_GE70"),
            ("1981-2020-Age", "Not Reported / No Response", "_U"),
            ("1981-2020-AllCountries", "UNITED STATES OF AMERICA", "840"),
            ("1981-2020-AllCountries", "TAIWAN (ROC)", "158"),
            ("1981-2020-AllCountries", "SOUTH KOREA", "410"),
            ("1981-2020-AllCountries", "COTE D' IVOIRE (IVORY COAST)", "384"),
            ("1981-2020-AllCountries", "CHINA (P.R.O.C.)", "156"),
            ("1981-2020-MajorCountry", "OTHERS", "OTH"),
            ("1981-2020-Occu", "Prof'l", "ISCO68_0-1"),
            ("1981-2020-Occu", "Production", "ISCO68_7-9"),
            ("1981-2020-Occu", "Out of School Youth", "NEA_OTH"),
            ("1981-2020-Occu", "No Occupation Reported", "_U"),
            ("1981-2020-Sex", "FEMALE", "F"),
            ("1988-2020-Educ", "College Graduate", "ISCED11A_6_G"),
            ("1988-2020-Educ", "Not of Schooling Age", "_Z"),
        ],
    )
    def test_a_label_has_its_code(
        self, name: str, label: str, code: str, house: House, receipts: dict[str, Receipt], shared: Path
    ) -> None:
        _, flow, dimension, _ = CFO_FILES[name]
        sent = {year: figure for (row, year), figure in printed(shared / f"{CFO}{name}.csv").items() if row == label}
        held = {
            row["TIME_PERIOD"]: int(row["OBS_VALUE"])
            for row in house.rows(f"{DATA}/{flow}/1.0.0/A.608.EMI?c[{dimension}]={code}")
            if self.table_of(row) == self.table_name(name)
        }
        assert held == sent

    @pytest.mark.parametrize(
        ("former", "successor", "last"), [("810", "643", 1991), ("736", "729", 2010), ("230", "231", 1992)]
    )
    def test_a_label_for_two_areas_of_its_time_is_dated(
        self, former: str, successor: str, last: int, house: House, receipts: dict[str, Receipt]
    ) -> None:
        years = {
            code: {
                int(row["TIME_PERIOD"])
                for row in house.rows(f"{DATA}/DF_FLOW_PRV/1.0.0/A.608.EMI?c[COUNTERPART_AREA]={code}")
            }
            for code in (former, successor)
        }
        assert years == {former: set(range(1981, last + 1)), successor: set(range(last + 1, 2021))}

    @pytest.mark.parametrize(
        ("year", "expected"),
        [
            (2000, {"age": 51_031, "sex": 51_031, "education": 51_031, "countries": 51_030, "major": 51_031}),
            (1981, {"age": 48_867, "sex": 48_867, "education": 0, "countries": 48_837, "major": 48_867}),
            (1988, {"age": 58_020, "occupation": 58_019, "education": 58_020, "countries": 58_004}),
        ],
    )
    def test_tables_that_disagree_disagree_in_the_store(
        self, year: int, expected: dict[str, int], house: House, receipts: dict[str, Receipt]
    ) -> None:
        def held(flow: str, **parts: str) -> int:
            rows = house.rows(f"{DATA}/{flow}/1.0.0/A.608.EMI?c[TIME_PERIOD]={year}")
            return sum(int(row["OBS_VALUE"]) for row in rows if all(row[name] != "_T" for name in parts.values()))

        found = {
            "age": held("DF_FLOW_AGE", by="AGE"),
            "sex": held("DF_FLOW_AGE", by="SEX"),
            "education": held("DF_FLOW_AGE", by="EDUCATION_LEV"),
            "occupation": held("DF_FLOW_AGE", by="OCCUPATION"),
            "countries": held("DF_FLOW_PRV", by="COUNTERPART_AREA"),
            "major": held("DF_FLOW_TOT", by="COUNTERPART_AREA"),
        }
        assert found | expected == found

    def test_the_philippines_stand_in_their_own_list(
        self, house: House, receipts: dict[str, Receipt], shared: Path
    ) -> None:
        receipt, findings = house.send(shared / f"{CFO}1981-2020-AllCountries.csv", publish=False)
        assert receipt.status == "accepted"
        own = [one for one in findings if one.code == "V19"]
        assert len(own) == 40
        assert {(one.row, one.severity.value) for one in own} == {(2, "warning")}
        rows = house.rows(f"{DATA}/DF_FLOW_PRV/1.0.0/A.608.EMI?c[COUNTERPART_AREA]=608")
        assert {row["OBS_VALUE"] for row in rows} == {"0"}

    @pytest.mark.parametrize(
        ("name", "word"), [("1988-2020-CivilStatus", "civil status"), ("1988-2020-PlaceOfOrigin-Province", "province")]
    )
    def test_what_no_structure_carries_is_refused_with_the_reason(
        self, name: str, word: str, house: House, shared: Path
    ) -> None:
        receipt, findings = house.send(shared / f"{CFO}{name}.csv")
        assert receipt.status == "refused"
        assert [(one.code, one.severity.value) for one in findings] == [("F111", "error")]
        assert word in findings[0].message

    def test_the_refused_table_of_provinces_has_a_sum_of_its_own(self, shared: Path) -> None:
        assert of_year(printed(shared / f"{CFO}1988-2020-PlaceOfOrigin-Province.csv"), 2000) == 51_027


def cells(document: dict[str, Any]) -> dict[tuple[str, ...], tuple[float, str]]:
    """Value and status of each cell that has a value, by the ids of its categories; counted out with divmod."""
    orders = []
    for name in document["id"]:
        index = document["dimension"][name]["category"]["index"]
        orders.append([code for code, _ in sorted(index.items(), key=lambda pair: pair[1])])
    assert prod(map(len, orders)) == prod(document["size"])
    found = {}
    for text, value in document["value"].items():
        rest, key = int(text), []
        for codes in reversed(orders):
            rest, place = divmod(rest, len(codes))
            key.append(codes[place])
        found[tuple(reversed(key))] = (value, document.get("status", {}).get(text, ""))
    return found


@pytest.mark.golden("Eurostat answers in JSON-stat")
class TestEurostatAnswers:
    FILES = {
        "migr_pop1ctz": ("ESTAT_JSON_CTZ", "DF_STOCK_CTZ", "CITIZENSHIP", "FOR_STLS", 417),
        "migr_pop3ctb": ("ESTAT_JSON_CTB", "DF_STOCK_CTB", "COUNTRY_BIRTH", "FOR", 413),
    }
    STATUS = {"": "A", "b": "B", "e": "E", "p": "P", "be": "B", "ep": "E", "bep": "B"}
    AREA = {"BE": "56", "CH": "756", "EL": "300", "MT": "470", "PT": "620", "SE": "752", "EU27_2020": "EU27_2020"}

    @pytest.mark.parametrize("name", FILES)
    def test_every_cell_with_its_flag(self, name: str, house: House, shared: Path) -> None:
        path = shared / f"data/eurostat/eurostat_{name}.json"
        mapping, flow, dimension, code, count = self.FILES[name]
        sent = cells(json.loads(path.read_text(encoding="utf-8")))
        receipt = published(house, path)
        assert (receipt.file.format, receipt.mapping) == ("json-stat", mapping)
        assert [one.observations for one in receipt.dataflows] == [count]
        assert len(sent) == count
        rows = house.rows(f"{DATA}/{flow}/1.0.0?c[{dimension}]={code}")
        assert len(rows) == count
        held = {(row["REF_AREA"], row["TIME_PERIOD"]): row for row in rows}
        for key, (value, flag) in sent.items():
            area, year = key[-2:]
            if area in self.AREA:
                row = held[self.AREA[area], year]
                assert (float(row["OBS_VALUE"]), row["OBS_STATUS"]) == (value, self.STATUS[flag]), key
                assert row["COMMENT_OBS"] == (f"Source flags: {flag}" if len(flag) > 1 else "")
        assert Counter(row["OBS_STATUS"] for row in rows) == Counter(self.STATUS[flag] for _, flag in sent.values())
        assert sum(float(row["OBS_VALUE"]) for row in rows) == sum(value for value, _ in sent.values())
        assert {row["TABLE_ID"] for row in rows} == {name}

    @pytest.mark.parametrize(
        ("name", "word"),
        [
            ("eurostat_migr_eipre.json", "illegally present"),
            ("eurostat_migr_eipre_CH_PT_SE_2010_2023.json", "illegally present"),
            ("proportion_of_population_by_sex_and_citizenship.csv", "per cent"),
        ],
    )
    def test_what_no_structure_carries(self, name: str, word: str, house: House, shared: Path) -> None:
        receipt, findings = house.send(shared / "data/eurostat" / name)
        assert receipt.status == "refused"
        assert [one.code for one in findings] == ["F111"]
        assert word in findings[0].message


@pytest.mark.golden("Demographic Yearbook 1957")
class TestDemographicYearbook:
    FOLDER = "data/dyb/dyb1957_table"
    AREAS = {"Italy": "380", "Malta and Gozo [UK]": "470", "Netherlands": "528", "Norway": "578"}
    CATEGORIES = {"All departures": "DEP", "Permanent emigrants": "EMI", "Temporary immigrants departing": "DEP_TIM"}

    def test_departures_by_category(self, house: House, shared: Path) -> None:
        path = shared / f"{self.FOLDER}27_departures_excerpt.csv"
        published(house, path)
        with path.open(encoding="utf-8", newline="") as file:
            printed_rows = list(csv.DictReader(file))
        rows = house.rows(f"{DATA}/DF_FLOW_TOT/1.0.0?c[MEASURE]=DEP,DEP_TIM,DEP_VIS_RES,EMI&c[TIME_PERIOD]=le:1956")
        held = {(row["REF_AREA"], row["MEASURE"], row["TIME_PERIOD"]): row for row in rows}
        assert len(held) == len(rows) == 6 * len(printed_rows) == 54
        for one in printed_rows:
            measure = self.CATEGORIES.get(one["category_en"], "DEP_VIS_RES")
            for year in map(str, range(1951, 1957)):
                row, text = held[self.AREAS[one["country"]], measure, year], one[year]
                expected = ("", "O") if text == "..." else (text.lstrip("*"), "P" if text.startswith("*") else "A")
                assert (row["OBS_VALUE"], row["OBS_STATUS"]) == expected
                assert row["FOOTNOTE_ID"] == one["footnote_no"]
                assert row["DURATION_CRITERION"] == ("PERM" if measure == "EMI" else "")
                assert ("brace" in row["COMMENT_TS"]) == (measure == "DEP_VIS_RES")
        assert (held["380", "DEP", "1956"]["OBS_VALUE"], held["380", "DEP", "1956"]["OBS_STATUS"]) == ("1916944", "P")

    @pytest.mark.parametrize(
        ("area", "parts"), [("380", ("EMI", "DEP_VIS_RES")), ("528", ("EMI", "DEP_TIM"))], ids=["Italy", "Netherlands"]
    )
    def test_the_categories_sum_to_all_departures(
        self, area: str, parts: tuple[str, str], house: House, shared: Path
    ) -> None:
        published(house, shared / f"{self.FOLDER}27_departures_excerpt.csv")
        rows = house.rows(f"{DATA}/DF_FLOW_TOT/1.0.0/A.{area}")
        held = {(row["MEASURE"], int(row["TIME_PERIOD"])): int(row["OBS_VALUE"]) for row in rows}
        years = range(1951, 1957)
        assert {year: sum(held[part, year] for part in parts) for year in years} == {
            year: held["DEP", year] for year in years
        }

    def test_emigrants_by_intended_residence(self, house: House, shared: Path) -> None:
        path = shared / f"{self.FOLDER}28_emigrants_by_intended_residence_excerpt.csv"
        published(house, path)
        with path.open(encoding="utf-8", newline="") as file:
            header, *printed_rows = csv.reader(file)
        areas = {"Kenya": "404", "Mauritius": "480", "Mozambique": "508", "Tanganyika": "834"}
        rows = house.rows(f"{DATA}/DF_FLOW_PRV/1.0.0?c[TIME_PERIOD]=le:1956&c[MEASURE]=EMI")
        held = {(row["REF_AREA"], row["COUNTERPART_AREA"], row["TIME_PERIOD"]): row for row in rows}
        assert len(held) == len(rows) == len(printed_rows) * (len(header) - 1) == 20
        for label, *figures in printed_rows:
            for head, figure in zip(header[1:], figures, strict=True):
                country = head.split()[0]
                row = held[areas[country], "_T" if label.startswith("All") else "2", head[-4:]]
                assert row["OBS_VALUE"] == figure
                assert row["SOURCE_TYPE"] == ("PAS" if country == "Mauritius" else "BOR")
                assert row["DURATION_CRITERION"] == "PERM"
                assert row["COMMENT_TS"].startswith(country if country in ("Mauritius", "Tanganyika") else "")
