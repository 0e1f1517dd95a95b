"""Every file of the shared data folder: what it is, what becomes of it, and its figures as counted by other code.

Nothing here uses the program: files are read with csv, json, lxml and openpyxl, and each reader says in one line which
of the file's figures are to go in. ``python -m tests.golden.test_files_seen`` writes ``docs/files-seen.md``.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import fsum
from pathlib import Path
from typing import Any

import openpyxl
from lxml import etree

from tests.golden import seen_refused as refused

Figures = tuple[int, float]
"""How many, and their sum."""


def totals(values: Iterable[object]) -> Figures:
    """Number and sum of the values that are there."""
    found = [float(str(value)) for value in values if value not in (None, "")]
    return len(found), fsum(found)


def records(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def column(*names: str, where: Callable[[dict[str, str]], bool] = lambda row: True) -> Callable[[Path], Figures]:
    """The figures of some columns of a CSV file, of the rows that are wanted."""
    return lambda path: totals(row[name] for row in records(path) if where(row) for name in names)


def table(*, first: int, marks: str = "") -> Callable[[Path], Figures]:
    """All cells from a column on; ``.`` and ``...`` are none, some marks before figures are taken away."""

    def read(path: Path) -> Figures:
        with path.open(encoding="utf-8-sig", newline="") as file:
            _, *rows = csv.reader(file)
        cells = [cell.strip(marks).replace(",", "") for row in rows for cell in row[first:]]
        return totals(cell for cell in cells if cell not in (".", "..."))

    return read


def json_stat(path: Path) -> Figures:
    return totals(json.loads(path.read_bytes())["value"].values())


def oecd(path: Path) -> Figures:
    (dataset,) = json.loads(path.read_bytes())["data"]["dataSets"]
    return totals(cells[0] for cells in dataset["observations"].values())


def sdmx_ml(where: Callable[[dict[str, str]], bool]) -> Callable[[Path], Figures]:
    """The observations of a structure-specific message that are wanted."""

    def read(path: Path) -> Figures:
        tree = etree.parse(path)
        rows = [{**series.attrib, **one.attrib} for series in tree.iter("Series") for one in series.iter("Obs")]
        return totals(row["OBS_VALUE"] for row in rows if where(row))

    return read


def incidents(path: Path) -> Figures:
    """Deaths by year, by year and area, by year and route."""
    sums: Counter[tuple[str, ...]] = Counter()
    for row in records(path):
        for key in ((), ("area", row["geo"]), ("route", row["route"])):
            sums[(row["t"][:4], *key)] += int(float(row["dead"]))
    return totals(sums.values())


def desa(places: int) -> Callable[[Path], Figures]:
    """Table 1: figures in the last columns of the rows that have a type of data."""

    def read(path: Path) -> Figures:
        sheet: Any = openpyxl.load_workbook(path, read_only=True, data_only=True)["Table 1"]
        found = []
        for row in sheet.iter_rows(min_row=12, values_only=True):
            (kind,) = [cell for cell in row[2:5] if isinstance(cell, str) and set(cell) <= set("BCIR ") and cell] or [
                ""
            ]
            if kind:
                found += [cell for cell in row[5 : 5 + places] if cell != ".."]
        return totals(found)

    return read


MONTHS = (
    "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember",
    "vorl_Jahr",
)  # fmt: skip


def destatis(path: Path) -> Figures:
    """Arrivals, departures and balance of the twelve months and of the year, down to the first footnote."""
    book = openpyxl.load_workbook(path, data_only=True)
    found: list[Any] = []
    for name in MONTHS:
        rows = list(book[name].iter_rows(values_only=True))
        top = next(number for number, row in enumerate(rows) if "Herkunfts-/bzw. Zielgebiet" in map(_plain, row))
        kinds = next(row for row in rows[top:] if "Insgesamt" in map(_plain, row))
        wanted = [
            number for number, cell in enumerate(kinds) if _plain(cell) in ("Insgesamt", "Deutsche", "Nichtdeutsche")
        ]
        for row in rows[top + 2 :]:
            if str(row[0] or "").strip().startswith("*"):
                break
            found += [row[number] for number in wanted if isinstance(row[number], (int, float))]
    return totals(found)


def _plain(cell: object) -> str:
    return " ".join(str(cell or "").split())


def canada(path: Path) -> Figures:
    """Both sheets, without the row of the regions that repeats the unknown ones."""
    book = openpyxl.load_workbook(path, data_only=True)
    found: list[Any] = []
    for name, label in (("Canada by Citizenship", "OdName"), ("Regions by Citizenship", "AreaName")):
        rows = list(book[name].iter_rows(values_only=True))
        top = next(number for number, row in enumerate(rows) if label in row)
        years = [number for number, cell in enumerate(rows[top]) if str(cell).removesuffix(".0").isdigit()]
        area = rows[top].index(label)
        for row in rows[top + 1 :]:
            if label == "OdName" or row[area] != "Unknown":
                found += [row[number] for number in years if isinstance(row[number], (int, float))]
    return totals(found)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A file and what becomes of it.

    Attributes:
        mapping: what reads it, or refuses it.
        figures: how many of its figures are to go in, and their sum; None where it is refused.
        why: what is true of a file that is refused.
        facts: what stands in a file that is refused, so that the reason can be held against it.
    """

    what: str
    mapping: str
    figures: Callable[[Path], Figures] | None = None
    why: str = ""
    facts: refused.Facts | None = None


LIST = "It is a list of codes: it holds no figures."
ILLEGAL = "It counts persons found to be illegally present: neither residents nor people counted when they moved."
CFO = "Emigrants of the Philippines registered by the Commission on Filipinos Overseas, by {}"


def _cfo(words: str, mapping: str) -> Seen:
    return Seen(what=CFO.format(words), mapping=mapping, figures=table(first=1))


def _malta(words: str, mapping: str) -> Seen:
    return Seen(what=f"Eurostat, Malta: {words}", mapping=mapping, figures=column("value"))


def _british(words: str) -> Seen:
    return Seen(what=f"British list of {words}", mapping="GBR_GSS_CODES", why=LIST, facts=refused.listing)


FILES: dict[str, Seen] = {
    "dyb/dyb1957_table27_departures_excerpt.csv": Seen(
        what="Demographic Yearbook 1957, departures", mapping="DYB1957_T27", figures=table(first=4, marks="* ")
    ),
    "dyb/dyb1957_table28_emigrants_by_intended_residence_excerpt.csv": Seen(
        what="Demographic Yearbook 1957, emigrants by intended residence", mapping="DYB1957_T28",
        figures=table(first=1, marks="* "),
    ),
    "eurostat/eurostat_migr_eipre.json": Seen(
        what="Eurostat, persons found to be illegally present, JSON-stat", mapping="ESTAT_JSON_EIPRE",
        why=ILLEGAL, facts=refused.json_stat,
    ),
    "eurostat/eurostat_migr_eipre_CH_PT_SE_2010_2023.json": Seen(
        what="The same for three countries", mapping="ESTAT_JSON_EIPRE",
        why=ILLEGAL, facts=refused.json_stat,
    ),
    "eurostat/eurostat_migr_pop1ctz.json": Seen(
        what="Eurostat, population by citizenship, JSON-stat", mapping="ESTAT_JSON_CTZ", figures=json_stat
    ),
    "eurostat/eurostat_migr_pop3ctb.json": Seen(
        what="Eurostat, population by country of birth, JSON-stat", mapping="ESTAT_JSON_CTB", figures=json_stat
    ),
    "eurostat/malta_births_deaths_ctz.csv": _malta("births and deaths by citizenship", "ESTAT_CTZ"),
    "eurostat/malta_census2021.csv": _malta("census of 2021", "ESTAT_CENSUS"),
    "eurostat/malta_demo_gind.csv": _malta("demographic balance", "ESTAT_DEMO_GIND"),
    "eurostat/malta_migr_flows.csv": _malta("immigration, emigration, new citizens", "ESTAT_FLOW_CTZ"),
    "eurostat/malta_migr_pop1ctz.csv": _malta("population by citizenship", "ESTAT_CTZ"),
    "eurostat/malta_migr_pop3ctb.csv": _malta("population by country of birth", "ESTAT_CTB"),
    "eurostat/proportion_of_population_by_sex_and_citizenship.csv": Seen(
        what="Eurostat, share of women and men by citizenship, labels only", mapping="ESTAT_SHARE_CTZ",
        why="It holds shares in per cent, and stocks held here are counts of persons.", facts=refused.shares,
    ),
    "flow/abel_cohen_da_pb_closed_5yr.csv": Seen(
        what="Abel and Cohen, modelled flows over five years", mapping="ABEL_COHEN_FLOWS",
        why="It holds flows over five years from a model, beside the stocks that it rests on, and several estimates of each.",
        facts=refused.modelled_flows,
    ),
    "flow/eurostat_imm5prv_by_age_intraEU.csv": Seen(
        what="Eurostat, immigration by age and previous residence", mapping="IMM5PRV_AGE", figures=column("value")
    ),
    "flow/mirror_flows_eurostat_2010_2019.csv": Seen(
        what="Eurostat, flows as both countries count them", mapping="MIRROR_FLOWS", figures=column("Immi", "Emig")
    ),
    "flow/un_wpp2024_net_migration.csv": Seen(
        what="UN World Population Prospects 2024, net migration", mapping="WPP_NETMIG",
        figures=column("Net Number of Migrants"),
    ),
    "national/destatis_wanderungen_2018.xlsx": Seen(
        what="Destatis, migration of 2018 by month, workbook", mapping="DESTATIS_WANDERUNGEN", figures=destatis
    ),
    "national/ph_cfo_Emigrant-1981-2020-Age.csv": _cfo("age", "PHL_CFO_AGE"),
    "national/ph_cfo_Emigrant-1981-2020-AllCountries.csv": _cfo("country", "PHL_CFO_COUNTRIES"),
    "national/ph_cfo_Emigrant-1981-2020-MajorCountry.csv": _cfo("major country", "PHL_CFO_MAJOR"),
    "national/ph_cfo_Emigrant-1981-2020-Occu.csv": _cfo("occupation", "PHL_CFO_OCCUPATION"),
    "national/ph_cfo_Emigrant-1981-2020-Sex.csv": _cfo("sex", "PHL_CFO_SEX"),
    "national/ph_cfo_Emigrant-1988-2020-CivilStatus.csv": Seen(
        what=CFO.format("civil status"), mapping="PHL_CFO_CIVIL_STATUS", why="No flow is held by civil status.",
        facts=refused.by_year_and_column,
    ),
    "national/ph_cfo_Emigrant-1988-2020-Educ.csv": _cfo("education", "PHL_CFO_EDUCATION"),
    "national/ph_cfo_Emigrant-1988-2020-PlaceOfOrigin-Province.csv": Seen(
        what=CFO.format("province"), mapping="PHL_CFO_PROVINCE", why="No flow is held by province.",
        facts=refused.by_label_and_year,
    ),
    "national/uk_gss_citizenship.csv": _british("citizenships"),
    "national/uk_gss_dwp-nationalities.csv": _british("nationalities of the Department for Work and Pensions"),
    "national/uk_gss_ho-country-of-nationality.csv": _british("nationalities of the Home Office"),
    "national/uk_gss_ips-citizenship.csv": _british("citizenships of the passenger survey"),
    "national/uk_gss_ips-markers.csv": _british("marks of the passenger survey"),
    "national/uk_gss_ltim-citizenship.csv": _british("citizenships of long-term migration"),
    "national/uk_gss_migration-directions.csv": _british("directions"),
    "national/uk_gss_migration-type.csv": _british("types of migration"),
    "national/uk_gss_reason.csv": _british("reasons"),
    "national/uk_gss_residence.csv": _british("countries of residence"),
    "national/un_flows2015_canada.xlsx": Seen(
        what="UN DESA, flows to Canada (2015), workbook", mapping="UNFLOWS_CTZ", figures=canada
    ),
    **{
        f"oecd/{name}.json": Seen(
            what=f"OECD, {'foreign-born' if name.endswith('14') else 'foreign'} population of {name[:3]}, SDMX-JSON 2.0",
            mapping="OECD_MIG", figures=oecd,
        )
        for name in ("AUS_B14", "CHL_B14", "CHL_B15", "ISR_B14", "JPN_B15", "KOR_B15")
    },
    "sdg/iom_missing_migrants_incidents.csv": Seen(
        what="IOM, incidents with missing migrants, summed", mapping="IOM_MISSING", figures=incidents
    ),
    "sdg/ke_KE1.xml": Seen(
        what="Kenya, SDG indicators, SDMX-ML 2.1", mapping="SDG_NSO_KEN",
        figures=sdmx_ml(lambda row: row["REF_AREA"] == "KE" and row["SERIES"] in ("EN_LND_SLUM", "VC_DSR_MTMP")),
    ),
    "sdg/kg_10.7.2.xml": Seen(
        what="Kyrgyzstan, SDG 10.7.2, SDMX-ML 2.1", mapping="SDG_NSO_KGZ", figures=sdmx_ml(lambda row: True)
    ),
    "sdg/kg_16.2.2.xml": Seen(
        what="Kyrgyzstan, SDG 16.2.2 without its regions, SDMX-ML 2.1", mapping="SDG_NSO_KGZ",
        figures=sdmx_ml(lambda row: row["REF_AREA"] == "KG"),
    ),
    "sdg/ons_code_mapping.csv": Seen(
        what="ONS, codes of the SDG structure for British labels", mapping="ONS_SDG_CODES", why=LIST,
        facts=refused.sdg_codes,
    ),
    "sdg/ons_column_mapping.csv": Seen(
        what="ONS, components of the SDG structure for British columns", mapping="ONS_SDG_COLUMNS", why=LIST,
        facts=refused.listing,
    ),
    "sdg/ons_indicator_10-7-3.csv": Seen(
        what="ONS, SDG 10.7.3 without causes of death and regions of origin", mapping="ONS_10_7_3",
        figures=column("Value", where=lambda row: not row["Cause of death"] and not row["Region of origin"]),
    ),
    "sdg/ons_indicator_16-2-2.csv": Seen(
        what="ONS, SDG 16.2.2", mapping="ONS_16_2_2", figures=column("Value")
    ),
    "sdg/ons_indicator_8-5-2.csv": Seen(
        what="ONS, SDG 8.5.2, not seasonally adjusted, of ages of the global list", mapping="ONS_8_5_2",
        figures=column(
            "Value",
            where=lambda row: row["Series"] == "Not seasonally adjusted"
            and row["Age"] not in ("16 to 17", "16 to 64", "50 to 64"),
        ),
    ),
    "stock/undesa_ims2020_by_sex_destination.xlsx": Seen(
        what="UN DESA, migrant stock 2020 by sex and destination, Table 1 of the workbook",
        mapping="DESA_STOCK_DEST_2020", figures=desa(21),
    ),
    "stock/undesa_ims2024_bilateral_by_sex.csv": Seen(
        what="UN DESA, migrant stock 2024 by origin and destination", mapping="DESA_STOCK_OD", figures=column("n")
    ),
    "stock/undesa_ims2024_by_sex_destination.xlsx": Seen(
        what="UN DESA, migrant stock 2024 by sex and destination, Table 1 of the workbook", mapping="DESA_STOCK_DEST",
        figures=desa(24),
    ),
    "unhcr/countries.csv": Seen(
        what="UNHCR, countries", mapping="UNHCR_COUNTRIES", why=LIST, facts=refused.listing
    ),
    "unhcr/population.csv": Seen(
        what="UNHCR, persons of concern by area of origin and asylum", mapping="UNHCR_POPULATION",
        figures=column("refugees", "asylum_seekers", "returned_refugees", "idps", "returned_idps", "stateless", "ooc",
                       "oip", "hst"),
    ),
}  # fmt: skip
