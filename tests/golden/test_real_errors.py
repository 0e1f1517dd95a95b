"""Errors that real files have, named by the rules; every figure is computed from the file by other code first."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from sdmx_service.model.finding import Finding
from tests.harness import House, open_house

pytestmark = [pytest.mark.timeout(600)]
Row = dict[str, str]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    path = tmp_path_factory.mktemp("store") / "store.duckdb"
    with open_house(f"duckdb:///{path}") as opened:
        yield opened


def rows_of(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def sent(house: House, source: Path | bytes, **how: Any) -> list[Finding]:
    """The findings of a file that goes in."""
    receipt, findings = house.send(source, **how)
    errors = [one.message for one in findings if one.severity.value == "error"]
    assert (receipt.status in ("published", "accepted"), errors) == (True, [])
    return findings


def of_rule(findings: list[Finding], rule: str) -> list[Finding]:
    return [one for one in findings if one.rule == rule]


# --- both sides of a flow -------------------------------------------------------------------------------------------
@pytest.mark.golden("Both sides of European flows 2010-2019")
def test_mirror_classes_of_european_flows(house: House, shared: Path) -> None:
    path = shared / "data/flow/mirror_flows_eurostat_2010_2019.csv"
    pairs = [(float(row["Immi"]), float(row["Emig"])) for row in rows_of(path) if row["Immi"] and row["Emig"]]
    ratios = [max(one / other, other / one) for one, other in pairs if one > 0 and other > 0]
    expected = {
        "within 20 %": sum(ratio <= 1.2 for ratio in ratios),
        "up to twofold": sum(1.2 < ratio <= 2 for ratio in ratios),
        "more than twofold": sum(ratio > 2 for ratio in ratios),
    }
    assert (len(ratios), *expected.values()) == (1765, 330, 673, 762)
    assert [round(100 * count / len(ratios)) for count in expected.values()] == [19, 38, 43]
    found = of_rule(sent(house, path), "RULES_MIRROR.V14")
    assert Counter(one.message.rpartition(", ")[2].rstrip(".") for one in found) == expected
    told = {(one.key["TIME_PERIOD"], one.value, one.expected) for one in found}
    assert ("2010", "293", "307") in told  # Denmark to Belgium


# --- Philippines ----------------------------------------------------------------------------------------------------
CFO = ("1981-2020-Age", "1981-2020-Sex", "1981-2020-Occu", "1981-2020-AllCountries", "1981-2020-MajorCountry",
       "1988-2020-Educ")  # fmt: skip


def totals(path: Path) -> dict[str, int]:
    """Per year the sum of all figures of a table, whichever way it lies."""
    with path.open(encoding="utf-8", newline="") as file:
        head, *body = list(csv.reader(file))
    lines = [head, *body] if head[0] != "YEAR" else [list(line) for line in zip(head, *body, strict=True)]
    years = [text.strip() for text in lines[0][1:]]
    columns = zip(*(line[1:] for line in lines[1:]), strict=True)
    return {
        year: sum(int(text.replace(",", "") or 0) for text in column)
        for year, column in zip(years, columns, strict=True)
    }


@pytest.mark.golden("Philippines CFO, tables that disagree")
def test_tables_of_the_philippines_that_disagree(house: House, shared: Path) -> None:
    folder = shared / "data/national"
    tables = {name: totals(folder / f"ph_cfo_Emigrant-{name}.csv") for name in CFO}
    last: list[Finding] = []
    for name in CFO:
        last = sent(house, folder / f"ph_cfo_Emigrant-{name}.csv")
        if name.endswith("AllCountries"):
            own = of_rule(last, "RULES_FLOW.V19")
            assert {(one.value, one.key["REF_AREA"]) for one in own} == {("608", "608")}
            assert len(own) == 40
    found = {one.key["TIME_PERIOD"]: one.expected or "" for one in of_rule(last, "RULES_FLOW.V05")}
    years = tables["1988-2020-Educ"]  # the table sent last
    assert set(found) == {year for year in years if len({table[year] for table in tables.values()}) > 1}
    for year, told in found.items():
        assert sorted(int(part.split(" ")[0]) for part in told.split(", ")) == sorted(
            table[year] for table in tables.values()
        )
    assert found["2000"] == (
        "51031 (by age), 51031 (by sex), 51031 (by occupation), 51031 (by education), 51030 (by country),"
        " 51031 (by major country)"
    )
    assert "58019 (by occupation)" in found["1988"]


# --- Germany --------------------------------------------------------------------------------------------------------
NINE = ("IMM", "_T"), ("IMM", "NAT"), ("IMM", "FOR_STLS"), ("EMI", "_T"), ("EMI", "NAT"), ("EMI", "FOR_STLS"), (
    "NET", "_T"), ("NET", "NAT"), ("NET", "FOR_STLS")  # fmt: skip
EQUATIONS = [{n: -1, n + 1: 1, n + 2: 1} for n in (0, 3, 6)] + [{n: 1, n + 3: -1, n + 6: -1} for n in (0, 1, 2)]


def given_away(cells: list[Any]) -> Iterator[tuple[str, str, str]]:
    """Measure, citizenship and figure of the suppressed cells of one line that one equation determines."""
    figures = [None if cell == "." else 0 if cell == "-" else cell for cell in cells]
    for equation in EQUATIONS:
        withheld = [place for place in equation if figures[place] is None]
        if len(withheld) == 1:
            rest = sum(factor * figures[place] for place, factor in equation.items() if place != withheld[0])
            yield (*NINE[withheld[0]], str(int(-rest / equation[withheld[0]])))


@pytest.mark.golden("Destatis 2018, suppressed cells that can be recovered")
def test_suppressed_cells_of_germany_that_the_balance_gives_away(house: House, shared: Path) -> None:
    path = shared / "data/national/destatis_wanderungen_2018.xlsx"
    book = CalamineWorkbook.from_path(path)
    expected: Counter[tuple[str, ...]] = Counter()
    suppressed = 0
    for name in book.sheet_names:
        for line in book.get_sheet_by_name(name).to_python(skip_empty_area=False):
            cells = [cell for cell in line[1:] if isinstance(cell, float | int) or cell in (".", "-")][-9:]
            if len(cells) == 9:
                suppressed += cells.count(".")
                expected.update((name, *one) for one in set(given_away(cells)))
    assert (suppressed, sum(expected.values())) == (1090, 11)
    found = of_rule(sent(house, path), "RULES_FLOW.V21")
    assert Counter(
        (one.sheet or "", one.key["MEASURE"], one.key["CITIZENSHIP"], one.value or "") for one in found
    ) == Counter(expected)
    assert {one.severity.value for one in found} == {"warning"}


def worked_out(cells: list[Any]) -> Iterator[tuple[str, str, str]]:
    """The suppressed cells of one line that its six equations together determine: Gauss, in fractions."""
    figures = [None if cell == "." else 0 if cell == "-" else cell for cell in cells]
    unknown = [place for place, figure in enumerate(figures) if figure is None]
    lines = [
        [Fraction(equation.get(place, 0)) for place in unknown]
        + [-sum((Fraction(factor * (figures[place] or 0)) for place, factor in equation.items()), Fraction(0))]
        for equation in EQUATIONS
    ]
    done = 0
    for column in range(len(unknown)):
        pivot = next((row for row in range(done, len(lines)) if lines[row][column]), None)
        if pivot is None:
            continue
        lines[done], lines[pivot] = lines[pivot], lines[done]
        lines[done] = [one / lines[done][column] for one in lines[done]]
        for row in range(len(lines)):
            if row != done and lines[row][column]:
                lines[row] = [one - lines[row][column] * two for one, two in zip(lines[row], lines[done], strict=True)]
        done += 1
    for line in lines[:done]:
        if sum(1 for one in line[:-1] if one) == 1:
            place = unknown[next(number for number, one in enumerate(line[:-1]) if one)]
            yield (*NINE[place], str(line[-1]))


@pytest.mark.golden("Destatis 2018, suppressed cells that several sums together give away")
def test_suppressed_cells_of_germany_that_all_sums_together_give_away(house: House, shared: Path) -> None:
    """What the equations of one line tell is a part of what all sums tell, those along the areas too."""
    path = shared / "data/national/destatis_wanderungen_2018.xlsx"
    book = CalamineWorkbook.from_path(path)
    expected: Counter[tuple[str, ...]] = Counter()
    for name in book.sheet_names:
        for line in book.get_sheet_by_name(name).to_python(skip_empty_area=False):
            cells = [cell for cell in line[1:] if isinstance(cell, float | int) or cell in (".", "-")][-9:]
            if len(cells) == 9:
                expected.update((name, *one) for one in set(worked_out(cells)))
    findings = sent(house, path)
    told = [*of_rule(findings, "RULES_FLOW.V21"), *of_rule(findings, "RULES_DISCLOSURE.V24")]
    exact = [one for one in told if "between" not in (one.value or "")]
    found = Counter((one.sheet or "", one.key["MEASURE"], one.key["CITIZENSHIP"], one.value or "") for one in exact)
    assert sum(expected.values()) >= 11
    assert expected <= found
    assert (len(exact), len(told)) == (61, 113)


# --- UN DESA --------------------------------------------------------------------------------------------------------
@pytest.mark.golden("UN DESA 2024, years that repeat the year before")
def test_destinations_of_desa_whose_year_is_the_one_before(house: House, shared: Path) -> None:
    path = shared / "data/stock/undesa_ims2024_bilateral_by_sex.csv"
    findings = sent(house, path, publish=False)
    table = pd.read_csv(path, keep_default_na=False).sort_values("t")
    table["before"] = table.groupby(["geo", "from", "sex"])["n"].shift()
    table = table[table.before.notna() & (table[["n", "before"]].max(axis=1) > 0)]
    years = table.assign(same=table.n == table.before).groupby(["geo", "t"])["same"].agg(["sum", "count"])
    years = years[(years["count"] >= 10) & (years["sum"] >= 0.8 * years["count"])]
    expected = Counter((str(year), f"{same} of {count}") for (_, year), (same, count) in years.iterrows())
    found = [one for one in of_rule(findings, "RULES_STOCK.V11") if "figures are those" in one.message]
    assert Counter((one.key["TIME_PERIOD"], one.message.partition(" figures")[0]) for one in found) == expected
    assert len(found) == 12
    assert of_rule(findings, "RULES_STOCK.V19") == []  # no destination is among its own origins


# --- Malta, and what can be done to it ------------------------------------------------------------------------------
MALTA = ("malta_demo_gind.csv", "malta_migr_flows.csv", "malta_births_deaths_ctz.csv", "malta_migr_pop1ctz.csv")


@pytest.fixture(scope="module")
def malta(house: House, shared: Path) -> dict[str, list[Finding]]:
    return {name: sent(house, shared / "data/eurostat" / name) for name in MALTA}


def changed(path: Path, change: Any) -> bytes:
    """The file with every row passed through a function that gives its new value or None to leave it out."""
    rows = rows_of(path)
    lines = [list(rows[0])] + [list(new.values()) for row in rows if (new := change(dict(row))) is not None]
    return "\n".join(",".join(f'"{text}"' for text in line) for line in lines).encode()


@pytest.mark.golden("Malta, balance of foreign citizens and damaged copies")
class TestMalta:
    def test_the_adjustment_of_2012_is_told_as_a_share(self, malta: dict[str, list[Finding]]) -> None:
        [one] = [one for one in malta["malta_migr_flows.csv"] if one.rule == "RULES_BALANCE.V07"]
        assert one.key["TIME_PERIOD"] == "2012"
        assert "(difference -1045, 6.9 % of immigration and emigration)" in one.message
        assert round(100 * 1045 / (9152 + 5946), 1) == 6.9

    def test_foreign_citizens_move_with_their_flows(self, malta: dict[str, list[Finding]], shared: Path) -> None:
        assert of_rule(malta["malta_migr_pop1ctz.csv"], "RULES_BALANCE.V08") == []
        assert of_rule(malta["malta_migr_pop1ctz.csv"], "RULES_BALANCE.V12") == []

    def test_a_jump_of_the_stock_is_found(self, house: House, malta: dict[str, list[Finding]], shared: Path) -> None:
        def jump(row: Row) -> Row:
            is_jump = row["time"] == "2020" and row["citizen"] in ("FOR_STLS", "TOTAL")
            return row | {"value": str(int(row["value"]) + 20_000)} if is_jump else row

        body = changed(shared / "data/eurostat/malta_migr_pop1ctz.csv", jump)
        findings = sent(house, body, name="jump.csv", publish=False)
        for rule in ("V08", "V12"):
            found = of_rule(findings, f"RULES_BALANCE.{rule}")
            assert [one.key["TIME_PERIOD"] for one in found] == ["2019", "2020"]
            assert "111915" not in (found[0].value or "")
            assert found[0].value == "131915"

    def test_a_population_shifted_by_a_year_is_found(
        self, house: House, malta: dict[str, list[Finding]], shared: Path
    ) -> None:
        def later(row: Row) -> Row | None:
            return row | {"time": str(int(row["time"]) + 1)} if row["time"] < "2024" else None

        body = changed(shared / "data/eurostat/malta_migr_pop1ctz.csv", later)
        found = of_rule(sent(house, body, name="later.csv", publish=False), "RULES_STOCK.V10")
        assert {one.value for one in found} == {"-1"}
        assert any("demographic balance" in one.message for one in found)
        assert any(one.key.get("CITIZENSHIP") == "FOR_STLS" for one in found)

    def test_thousands_taken_for_persons_are_found(
        self, house: House, malta: dict[str, list[Finding]], shared: Path
    ) -> None:
        def thousands(row: Row) -> Row:
            return row | {"value": str(round(int(row["value"]) / 1000))} if row["time"] == "2016" else row

        source = shared / "data/eurostat/malta_migr_pop1ctz.csv"
        before = {row["citizen"]: row["value"] for row in rows_of(source) if row["time"] == "2016"}
        findings = sent(house, changed(source, thousands), name="thousands.csv", publish=False)
        found = of_rule(findings, "RULES_STOCK.V11")
        assert {(one.key["CITIZENSHIP"], one.key["TIME_PERIOD"]) for one in found} == {
            (code, "2016") for code in ("_T", "NAT", "FOR_STLS")
        }
        # every figure that is not the old one is listed, and none has a comment that says why
        revised = [one for one in of_rule(findings, "RULES_STOCK.V18") if one.severity.value == "info"]
        assert sorted(one.expected or "" for one in revised) == sorted(
            value for value in before.values() if round(int(value) / 1000) != int(value)
        )

    def test_a_year_sent_twice_is_found(self, house: House, malta: dict[str, list[Finding]], shared: Path) -> None:
        rows = rows_of(shared / "data/eurostat/malta_migr_flows.csv")
        old = {tuple(v for k, v in row.items() if k not in ("time", "value", "flag")): row["value"]
               for row in rows if row["time"] == "2022"}  # fmt: skip

        def copy(row: Row) -> Row:
            key = tuple(value for name, value in row.items() if name not in ("time", "value", "flag"))
            return row | {"value": old.get(key, row["value"])} if row["time"] == "2023" else row

        body = changed(shared / "data/eurostat/malta_migr_flows.csv", copy)
        findings = sent(house, body, name="copy.csv", publish=False)
        found = of_rule(findings, "RULES_FLOW.V11") + of_rule(findings, "RULES_CHANGE.V11")
        told = {one.key.get("MEASURE") or one.key["COMPONENT"]: one.key["TIME_PERIOD"] for one in found}
        assert told == {"IMM": "2023", "EMI": "2023"}  # three acquisitions above zero are too few to tell
        assert of_rule(malta["malta_migr_flows.csv"], "RULES_FLOW.V11") == []


# --- Canada ---------------------------------------------------------------------------------------------------------
@pytest.mark.golden("Canada, share of unknown citizenship")
def test_share_of_unknown_citizenship_in_canada(house: House, shared: Path) -> None:
    path = shared / "data/national/un_flows2015_canada.xlsx"
    sheet = pd.read_excel(path, sheet_name="Canada by Citizenship", header=None, engine="calamine")
    years = [str(int(year)) for year in sheet.iloc[1, 9:]]
    sums: dict[str, dict[str, int]] = defaultdict(dict)
    for _, line in sheet.iloc[2:].iterrows():
        if line[2] in ("Total", "Unknown") and line[0] == "Immigrants":
            sums[line[2]] = {
                year: int(value) for year, value in zip(years, line[9:], strict=True) if isinstance(value, int | float)
            }
    found = {one.key["TIME_PERIOD"]: one.value for one in of_rule(sent(house, path), "RULES_FLOW.V20")}
    expected = {
        year: str(unknown)
        for year, unknown in sums["Unknown"].items()
        if unknown > 0.05 * sums["Total"][year] and sums["Total"][year] >= 1000
    }
    assert found == expected
    assert found["1980"] == "44000"
