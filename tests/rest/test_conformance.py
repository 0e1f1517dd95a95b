"""Data queries of both interfaces as a table: each request, in every format offered, gives what the source rows say.

The expectation is a plain Python test of the rows of ``fishery``; answers are read back with csv, json and lxml alone
and judged by the official schemas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from sdmx_service.formats.registry import Format, formats_for
from sdmx_service.model.structure import DataStructure
from tests.harness import House
from tests.rest.fishery import (
    ALL_CATCH,
    ATTRIBUTES,
    CATCH,
    COAST,
    ESTIMATED,
    HARBOUR,
    JOBS,
    KEY,
    LEVELS,
    LICENCES,
    MEASURES,
    Row,
    key_of,
    rows_where,
)
from tests.rest.reading_back import datasets, faults

FLOW = "SEA:DF_CATCH(1.0.0)"
ONE_VALUE = ("sdmx-csv-1.0", "sdmx-json-1.0", "xlsx")
KEYS = (*KEY, "AREA", "EMPLOYMENT", "SEX")


def everything(row: Row) -> bool:
    return True


@dataclass(frozen=True)
class Case:
    """A request and the rows of each data set it should give; ``components`` those that are shown, None for all."""

    path: str
    expected: dict[str, list[Row]]
    components: tuple[str, ...] | None = None

    @property
    def api(self) -> str:
        return self.path.partition("/")[0]

    @property
    def dataflows(self) -> set[str]:
        """What the data sets belong to."""
        return {FLOW if "PA_CATCH" in name else name for name in self.expected}

    def rows(self, format: Format) -> dict[str, list[Row]]:
        """The rows, cut to what is shown and to what the format can tell."""
        if format.name == "sdmx-csv-1.0":  # knows dataflows only
            rows = [self._cut(row, format) for found in self.expected.values() for row in found]
            if len(self.dataflows) == 1:
                return {name: in_order(rows) for name in self.dataflows}
        found = {name: [self._cut(row, format) for row in rows] for name, rows in self.expected.items()}
        if format.name == "jsonstat":  # a cell of which nothing is said does not exist
            found = {name: [row for row in rows if set(row) - {*KEYS, "SOURCE"}] for name, rows in found.items()}
        return {name: in_order(rows) for name, rows in found.items()}

    def _cut(self, row: Row, format: Format) -> Row:
        kept = {
            id: value for id, value in row.items() if id in KEYS or self.components is None or id in self.components
        }
        if "2.1-" in format.name or format.name in ONE_VALUE:  # neither several values nor several languages
            kept = {id: _one(value) for id, value in kept.items()}
        if format.name == "jsonstat":  # of several languages the best
            kept = {id: _one(value) if isinstance(value, dict) else value for id, value in kept.items()}
        if "2.1-" in format.name or format.name in (
            "sdmx-json-1.0",
            "sdmx-csv-1.0",
        ):  # the primary measure, the structure's first, has a name of its own
            primary = (MEASURES[0], "LICENCES", "HEADS")
            kept = {"OBS_VALUE" if id in primary else id: value for id, value in kept.items()}
        return kept


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Rows in an order of their own."""
    return sorted((dict(sorted(row.items())) for row in rows), key=repr)


def _one(value: Any) -> Any:
    if isinstance(value, dict):
        return value.get("en", next(iter(value.values())))
    return "; ".join(value) if isinstance(value, list) else value


def catch(request: str, test: Callable[[Row], bool] = everything, **more: Any) -> Case:
    """A request to version 1.0.0 of the dataflow of catches."""
    path = "v2/data/dataflow/SEA/DF_CATCH/1.0.0" + request
    return Case(path, {FLOW: rows_where(CATCH, test)}, **more)


def old(request: str, test: Callable[[Row], bool] = everything, **more: Any) -> Case:
    """The same in the first interface."""
    return Case("v1/data/SEA,DF_CATCH,1.0.0" + request, {FLOW: rows_where(CATCH, test)}, **more)


def weight(row: Row) -> float | None:
    """The number, None if there is none or only a mark."""
    text = row.get("WEIGHT")
    return None if text is None or text in ("#N/A", "NaN") else float(text)


def starts(row: Row) -> str:
    """The first day of the period, by its text alone."""
    year, _, rest = row["TIME_PERIOD"].partition("-")
    month = {"": "01", "Q1": "01", "Q4": "10"}.get(rest, rest)
    return f"{year}-{month}-01"


def ends(row: Row) -> str:
    """The last day of the period (29 February 2024), by its text alone."""
    year, _, rest = row["TIME_PERIOD"].partition("-")
    month = {"": "12", "Q1": "03", "Q4": "12"}.get(rest, rest)
    days = {"02": "29", "04": "30", "06": "30", "09": "30", "11": "30"}.get(month, "31")
    return f"{year}-{month}-{days}"


# --- the table ------------------------------------------------------------------------------------------------------

KEY_CASES = [
    catch(""),
    catch("/"),
    catch("/*"),
    catch("/*.*.*"),
    catch("/M", lambda r: r["FREQ"] == "M"),
    catch("/M.NOR", lambda r: key_of(r)[:2] == ("M", "NOR")),
    catch("/*.NOR", lambda r: r["PORT"] == "NOR"),
    catch("/*.*.EEL", lambda r: r["FISH"] == "EEL"),
    catch("/M.NOR.COD", lambda r: key_of(r)[:3] == ("M", "NOR", "COD")),
    catch("/M.NOR.COD,Q.007.COD", lambda r: key_of(r)[:3] in {("M", "NOR", "COD"), ("Q", "007", "COD")}),
    catch("/M.NOR.COD%2CQ.007.COD", lambda r: key_of(r)[:3] in {("M", "NOR", "COD"), ("Q", "007", "COD")}),
    catch("/M.NOR,*.*.EEL", lambda r: key_of(r)[:2] == ("M", "NOR") or r["FISH"] == "EEL"),
    catch("/M.ATLANTIS,M.SOU", lambda r: key_of(r)[:2] == ("M", "SOU")),
    catch("/*.007.*", lambda r: r["PORT"] == "007"),
]

FILTER_CASES = [
    catch("?c[PORT]=NOR", lambda r: r["PORT"] == "NOR"),
    catch("?c%5BPORT%5D=NOR", lambda r: r["PORT"] == "NOR"),
    catch("?c[PORT]=NOR,007", lambda r: r["PORT"] in ("NOR", "007")),
    catch("?c[PORT]=NOR%2C007", lambda r: r["PORT"] in ("NOR", "007")),
    catch("?c[PORT]=eq:NOR", lambda r: r["PORT"] == "NOR"),
    catch("?c[PORT]=NOR,SOU+SOU", lambda r: r["PORT"] in ("NOR", "SOU")),
    catch("?c[PORT]=NOR,SOU+007", lambda r: r["PORT"] == "NOR"),
    catch("?c[PORT]=ge:NOR", lambda r: r["PORT"] >= "NOR"),
    catch("?c[PORT]=gt:NOR", lambda r: r["PORT"] > "NOR"),
    catch("?c[PORT]=le:NOR", lambda r: r["PORT"] <= "NOR"),
    catch("?c[PORT]=lt:NOR", lambda r: r["PORT"] < "NOR"),
    catch("?c[PORT]=ge:007+le:NOR", lambda r: "007" <= r["PORT"] <= "NOR"),
    catch("?c[PORT]=ge:007%2Ble:NOR", lambda r: "007" <= r["PORT"] <= "NOR"),
    catch("?c[PORT]=ge:007+le:008,ge:S+le:T", lambda r: r["PORT"] in ("007", "SOU")),
    catch("?c[PORT]=ne:NOR", lambda r: r["PORT"] != "NOR"),
    catch("?c[PORT]=ne:NOR,NOR", everything),
    catch("?c[PORT]=ne:NOR,SOU", lambda r: r["PORT"] != "NOR"),
    catch("?c[PORT]=ne:NOR+SOU", lambda r: r["PORT"] == "SOU"),
    catch("?c[PORT]=ne:NOR,ne:SOU", everything),
    catch("?c[PORT]=ne:NOR+ne:SOU", lambda r: r["PORT"] == "007"),
    catch("?c[PORT]=co:O", lambda r: "O" in r["PORT"]),
    catch("?c[PORT]=nc:O", lambda r: "O" not in r["PORT"]),
    catch("?c[PORT]=sw:0", lambda r: r["PORT"].startswith("0")),
    catch("?c[PORT]=ew:R", lambda r: r["PORT"].endswith("R")),
    catch("?c[PORT]=NOR&c[FISH]=EEL", lambda r: (r["PORT"], r["FISH"]) == ("NOR", "EEL")),
    catch("/M?c[PORT]=NOR", lambda r: key_of(r)[:2] == ("M", "NOR")),
    catch("/M.NOR,Q.007?c[FISH]=COD,EEL", lambda r: key_of(r)[:2] in {("M", "NOR"), ("Q", "007")}),
    # attributes of every level
    catch("?c[STATUS]=E", lambda r: r["STATUS"] == "E"),
    catch("?c[STATUS]=ne:A", lambda r: r["STATUS"] != "A"),
    catch("?c[UNIT]=t", lambda r: r["UNIT"] == "t"),
    catch("?c[UNIT]=co:k", lambda r: "k" in r["UNIT"]),
    catch("?c[PORT_NOTE]=sw:Note", lambda r: r.get("PORT_NOTE", "").startswith("Note")),
    catch("?c[PORT_NOTE]=ew:SOU", lambda r: r.get("PORT_NOTE", "").endswith("SOU")),
    catch("?c[SOURCE]=co:book", lambda r: "book" in r["SOURCE"]),
    catch("?c[GEAR]=NET", lambda r: "NET" in r.get("GEAR", [])),
    catch("?c[GEAR]=POT,ROD", lambda r: bool({"POT", "ROD"} & set(r.get("GEAR", [])))),
    catch("?c[GEAR]=NET+ROD", lambda r: {"NET", "ROD"} <= set(r.get("GEAR", []))),
    catch("?c[REMARK]=co:temps", lambda r: any("temps" in text for text in r.get("REMARK", {}).values())),
    catch("?c[REMARK]=late", lambda r: "late" in r.get("REMARK", {}).values()),
    # measures
    catch("?c[WEIGHT]=ge:1000.5", lambda r: (weight(r) or 0) >= 1000.5),
    catch("?c[WEIGHT]=gt:1000.5", lambda r: (weight(r) or 0) > 1000.5),
    catch("?c[WEIGHT]=lt:0", lambda r: (weight(r) or 0) < 0),
    catch("?c[WEIGHT]=le:-15+ge:-20", lambda r: -20 <= (weight(r) or 0) <= -15),
    catch("?c[WEIGHT]=8.8", lambda r: weight(r) == 8.8),
    catch("?c[WEIGHT]=8.800", lambda r: weight(r) == 8.8),
    catch("?c[WEIGHT]=lt:-15,gt:1000", lambda r: (weight(r) or 0) < -15 or (weight(r) or 0) > 1000),
    catch("?c[GRADE]=G1", lambda r: r.get("GRADE") == "G1"),
    catch("?c[GRADE]=ne:G1", lambda r: r.get("GRADE", "G1") != "G1"),
]

TIME_CASES = [
    catch("?c[TIME_PERIOD]=2024-01", lambda r: r["TIME_PERIOD"] == "2024-01"),
    catch("?c[TIME_PERIOD]=2024-01,2024-Q1", lambda r: starts(r) >= "2024-01-01" and ends(r) <= "2024-03-31"),
    catch("?c[TIME_PERIOD]=2024", lambda r: r["TIME_PERIOD"].startswith("2024")),
    catch("?c[TIME_PERIOD]=ne:2024-Q1", lambda r: starts(r) < "2024-01-01" or ends(r) > "2024-03-31"),
    catch("?c[TIME_PERIOD]=ge:2024-01", lambda r: starts(r) >= "2024-01-01"),
    catch("?c[TIME_PERIOD]=ge:2024-Q1", lambda r: starts(r) >= "2024-01-01"),
    catch("?c[TIME_PERIOD]=ge:2024", lambda r: starts(r) >= "2024-01-01"),
    catch("?c[TIME_PERIOD]=gt:2024-Q1", lambda r: starts(r) > "2024-03-31"),
    catch("?c[TIME_PERIOD]=lt:2024", lambda r: ends(r) < "2024-01-01"),
    catch("?c[TIME_PERIOD]=le:2024-01", lambda r: ends(r) <= "2024-01-31"),
    catch("?c[TIME_PERIOD]=ge:2024-01+le:2024-03", lambda r: starts(r) >= "2024-01-01" and ends(r) <= "2024-03-31"),
    catch("?c[TIME_PERIOD]=ge:2024-01-01%2Ble:2024-02-29", lambda r: starts(r) >= "2024-01-01" and ends(r) <= "2024-02-29"),
    catch("?c[TIME_PERIOD]=le:2023,ge:2024-04", lambda r: ends(r) <= "2023-12-31" or starts(r) >= "2024-04-01"),
    catch("?c[TIME_PERIOD]=sw:2023", lambda r: r["TIME_PERIOD"].startswith("2023")),
    catch("/M?c[TIME_PERIOD]=ne:2024-01", lambda r: r["FREQ"] == "M" and r["TIME_PERIOD"] != "2024-01"),
]  # fmt: skip

SHAPE_CASES = [
    catch("?dimensionAtObservation=AllDimensions"),
    catch("?dimensionAtObservation=TIME_PERIOD"),
    catch("?dimensionAtObservation=PORT"),
    catch("?dimensionAtObservation=FISH&c[PORT]=SOU", lambda r: r["PORT"] == "SOU"),
    *(
        catch(f"?attributes={word}", components=(*MEASURES, *shown))
        for word, shown in (
            ("dsd", ATTRIBUTES), ("all", ATTRIBUTES), ("none", ()), ("dataset", LEVELS["dataset"]), ("series", LEVELS["series"]),
            ("obs", LEVELS["obs"]), ("dataset,series", LEVELS["dataset"] + LEVELS["series"]), ("UNIT,REMARK", ("UNIT", "REMARK")),
            ("obs,UNIT", (*LEVELS["obs"], "UNIT")),
        )
    ),
    catch("?measures=all"),
    catch("?measures=WEIGHT", components=("WEIGHT", *ATTRIBUTES)),
    catch("?measures=GRADE&attributes=none", components=("GRADE",)),
    catch("?measures=none", components=ATTRIBUTES),
    catch("?measures=none&attributes=all", components=ATTRIBUTES),
    catch("?measures=none&attributes=STATUS", components=("STATUS",)),
]  # fmt: skip

V1_CASES = [
    old(""),
    old("/all"),
    old("/.."),
    old("/M..", lambda r: r["FREQ"] == "M"),
    old("/M.NOR+007.", lambda r: r["FREQ"] == "M" and r["PORT"] in ("NOR", "007")),
    old("/M.NOR%2B007.", lambda r: r["FREQ"] == "M" and r["PORT"] in ("NOR", "007")),
    old("/M+Q.SOU.COD", lambda r: r["FREQ"] in "MQ" and key_of(r)[1:3] == ("SOU", "COD")),
    old("/M.NOR+ATLANTIS.COD", lambda r: key_of(r)[:3] == ("M", "NOR", "COD")),
    old("?startPeriod=2024-01", lambda r: starts(r) >= "2024-01-01"),
    old("?endPeriod=2023", lambda r: ends(r) <= "2023-12-31"),
    old("?startPeriod=2024-Q1&endPeriod=2024-Q1", lambda r: starts(r) >= "2024-01-01" and ends(r) <= "2024-03-31"),
    old("?startPeriod=2024-02-01&endPeriod=2024-03-31", lambda r: starts(r) >= "2024-02-01" and ends(r) <= "2024-03-31"),
    old("?dimensionAtObservation=AllDimensions"),
    old("?dimensionAtObservation=FISH"),
    old("?detail=full"),
    old("?detail=dataonly", components=MEASURES),
    Case("v1/data/DF_CATCH_EST", {"SEA:DF_CATCH_EST(1.0.0)": ESTIMATED}),
    Case("v1/data/SEA,DF_CATCH_EST", {"SEA:DF_CATCH_EST(1.0.0)": ESTIMATED}),
    Case("v1/data/all,DF_CATCH_EST,latest/all/all", {"SEA:DF_CATCH_EST(1.0.0)": ESTIMATED}),
    Case("v1/data/SEA,DF_CATCH,1.0.0/all/SEA,COAST", {FLOW: COAST}),
    Case("v1/data/SEA,DF_CATCH,1.0.0/all/HARBOUR", {FLOW: HARBOUR}),
]  # fmt: skip

CONTEXT_CASES = [
    Case("v2/data/datastructure/SEA/DSD_CATCH/1.0.0", {"SEA:DSD_CATCH(1.0.0)": ALL_CATCH}),
    Case("v2/data/dataflow/SEA/DF_CATCH_EST/1.0.0", {"SEA:DF_CATCH_EST(1.0.0)": ESTIMATED}),
    Case("v2/data/provisionagreement/SEA/PA_CATCH_COAST/1.0.0", {"SEA:PA_CATCH_COAST(1.0.0)": COAST}),
    Case("v2/data/provisionagreement/SEA/PA_CATCH_HARBOUR", {"SEA:PA_CATCH_HARBOUR(1.0.0)": HARBOUR}),
    Case("v2/data/provisionagreement/SEA/PA_CATCH_HARBOUR,PA_CATCH_COAST",
         {"SEA:PA_CATCH_HARBOUR(1.0.0)": HARBOUR, "SEA:PA_CATCH_COAST(1.0.0)": COAST}),
    Case("v2/data/*/SEA/DF_CATCH_EST", {"SEA:DF_CATCH_EST(1.0.0)": ESTIMATED}),
    Case("v2/data/dataflow/SEA/DF_CATCH,DF_CATCH_EST/1.0.0/M.NOR.COD", {
        FLOW: rows_where(CATCH, lambda r: key_of(r)[:3] == ("M", "NOR", "COD")),
        "SEA:DF_CATCH_EST(1.0.0)": rows_where(ESTIMATED, lambda r: key_of(r)[:3] == ("M", "NOR", "COD"))}),
    Case("v2/data/dataflow/SEA/DF_LICENCE", {"SEA:DF_LICENCE(1.0.0)": LICENCES}),
    Case("v2/data/dataflow/SEA/DF_JOBS/+/FR", {"SEA:DF_JOBS(1.0.0)": rows_where(JOBS, lambda r: r["AREA"] == "FR")}),
    Case("v2/data/dataflow/SEA/DF_JOBS/+?dimensionAtObservation=SEX", {"SEA:DF_JOBS(1.0.0)": JOBS}),
    Case("v2/data/dataflow/SEA/*/*/*?c[SEX]=F", {"SEA:DF_JOBS(1.0.0)": rows_where(JOBS, lambda r: r["SEX"] == "F")}),
    # versions
    *(Case(f"v2/data/dataflow/SEA/DF_CATCH/{version}/A", {f"SEA:DF_CATCH({shown})": rows_where(CATCH, lambda r: r["FREQ"] == "A")})
      for version, shown in (("*", "1.1.0"), ("+", "1.1.0"), ("1.1.0", "1.1.0"), ("1.0+.0", "1.1.0"), ("1.0.0", "1.0.0"),
                             ("1.0.0,2.0.0-draft", "1.0.0"), ("1.0.+", "1.0.0"), ("1.~.0", "1.1.0"))),
]  # fmt: skip

_HARBOURS = {key_of(row) for row in HARBOUR}


def from_sources(request: str, test: Callable[[Row], bool] = everything) -> Case:
    """The figures that the dataflow shows, by provider, each with its own attributes."""
    own = [row for row in COAST if key_of(row) not in _HARBOURS]
    expected = {"SEA:PA_CATCH_COAST(1.0.0)": own, "SEA:PA_CATCH_HARBOUR(1.0.0)": HARBOUR}
    kept = {name: rows_where(rows, test) for name, rows in expected.items()}
    return Case(f"v2/data/dataflow/SEA/DF_CATCH/1.0.0{request}", {name: rows for name, rows in kept.items() if rows})


SOURCE_CASES = [
    from_sources("?includeSources=true"),
    from_sources("?includeSources=true&dimensionAtObservation=AllDimensions&sort=WEIGHT:desc"),
    from_sources("/M.NOR?includeSources=true", lambda r: key_of(r)[:2] == ("M", "NOR")),
    from_sources("/M.NOR.COD?includeSources=true", lambda r: key_of(r)[:3] == ("M", "NOR", "COD")),
    from_sources("?c[TIME_PERIOD]=2024-04&c[PORT]=NOR&includeSources=true",
                 lambda r: (r["PORT"], r["TIME_PERIOD"]) == ("NOR", "2024-04")),
    from_sources("?c[STATUS]=ne:A&includeSources=true", lambda r: r["STATUS"] != "A"),
    from_sources("?c[PORT_NOTE]=sw:Seen&includeSources=true", lambda r: r.get("PORT_NOTE", "").startswith("Seen")),
    Case("v2/data/provisionagreement/SEA/PA_CATCH_COAST/1.0.0?includeSources=true", {"SEA:PA_CATCH_COAST(1.0.0)": COAST}),
]  # fmt: skip

PLAIN_CASES = [*KEY_CASES[1:], *FILTER_CASES, *TIME_CASES]
CASES = [*KEY_CASES, *FILTER_CASES, *TIME_CASES, *SHAPE_CASES, *V1_CASES, *CONTEXT_CASES, *SOURCE_CASES]


# --- the tests ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def structures(fishery: House) -> tuple[DataStructure, ...]:
    catalog = fishery.library.view().catalog
    return tuple(catalog.structure(one.ref) for one in catalog.of_type("DataStructure"))


def is_excused(format: Format, case: Case) -> bool:
    """Whether a format cannot carry an answer: the time series variants carry one data set of time series."""
    has_no_time = any("TIME_PERIOD" not in row for rows in case.expected.values() for row in rows)
    is_other_view = "dimensionAtObservation=" in case.path and "TIME_PERIOD" not in case.path
    return "timeseries" in format.name and (has_no_time or is_other_view or len(case.expected) > 1)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.path)
def test_every_format_says_what_the_source_says(
    case: Case, fishery: House, structures: tuple[DataStructure, ...]
) -> None:
    for format in formats_for("data", case.api):
        if "vnd.sdmx" not in format.media_types[0] and case in PLAIN_CASES:
            continue  # what a key or filter finds is the same in every format
        answer = fishery.get(case.path, format.media_types[0])
        body = b"".join(answer.chunks)
        if is_excused(format, case):
            assert answer.status == 406, format.name
            continue
        assert answer.status == 200, (format.name, body[:500])
        assert answer.headers["Content-Type"] == format.media_types[0]
        assert faults(format.media_types[0], body, structures) == [], format.name
        read = {name: in_order(rows) for name, rows in datasets(format.media_types[0], body, KEYS).items()}
        assert read == case.rows(format), format.name
