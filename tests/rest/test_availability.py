"""Availability of both interfaces: values, counts, modes, references, against the source rows and the standard's example."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from lxml import etree

from sdmx_service.formats.registry import formats_for
from tests.harness import House
from tests.rest.fishery import ALL_CATCH, CATCH, COAST, JOBS, KEY, Row, key_of, rows_where
from tests.rest.reading_back import faults

JSON = "application/vnd.sdmx.structure+json;version=2.1.0"
FLOW = "v2/availability/dataflow/SEA/DF_CATCH/1.0.0"
JOB_FLOW = "v2/availability/dataflow/SEA/DF_JOBS/1.0.0"


def message(house: House, path: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(house.body(path, JSON))
    return found


def constraints(house: House, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = message(house, path)["data"]["availabilityConstraints"]
    return found


def values(constraint: dict[str, Any]) -> dict[str, Any]:
    """Per component the values, or the first and last period."""
    found: dict[str, Any] = {}
    for one in constraint["cubeRegion"]["keyValues"]:
        if "timeRange" in one:
            found[one["id"]] = tuple(one["timeRange"][end]["period"] for end in ("startPeriod", "endPeriod"))
        else:
            found[one["id"]] = {value["value"] for value in one["values"]}
    return found


def expected(rows: list[Row]) -> dict[str, Any]:
    """The values of the rows; of periods the first to begin and the last to end as the service orders them."""
    return {id: {row[id] for row in rows} for id in KEY[:3]}


@pytest.mark.parametrize(
    ("request_", "test"),
    [
        ("", lambda row: True),
        ("/*/*", lambda row: True),
        ("/M", lambda row: row["FREQ"] == "M"),
        ("/M.NOR", lambda row: key_of(row)[:2] == ("M", "NOR")),
        ("/Q.*.COD", lambda row: row["FREQ"] == "Q"),
        ("/M.NOR.COD,Q.007", lambda row: key_of(row)[:3] == ("M", "NOR", "COD") or key_of(row)[:2] == ("Q", "007")),
        ("?c[PORT]=NOR,007", lambda row: row["PORT"] in ("NOR", "007")),
        ("?c[STATUS]=E", lambda row: row["STATUS"] == "E"),
        ("?c[UNIT]=t&c[FREQ]=M", lambda row: row["UNIT"] == "t"),
        ("?c[TIME_PERIOD]=ge:2024-04", lambda row: row["TIME_PERIOD"] in ("2024-04", "2024-05")),
        ("?c[GRADE]=G1", lambda row: row.get("GRADE") == "G1"),
    ],
)
def test_values_and_counts(fishery: House, request_: str, test: Callable[[Row], bool]) -> None:
    rows = rows_where(CATCH, test)
    (constraint,) = constraints(fishery, FLOW + request_)
    found = values(constraint)
    assert {id: found[id] for id in KEY[:3]} == expected(rows)
    assert constraint["obsCount"] == len(rows)
    assert constraint["seriesCount"] == len({key_of(row, KEY[:3]) for row in rows})


def test_periods_are_the_first_and_the_last(fishery: House) -> None:
    (constraint,) = constraints(fishery, f"{FLOW}/M.NOR")
    assert values(constraint)["TIME_PERIOD"] == ("2023-12", "2024-05")


def test_contexts(fishery: House) -> None:
    (whole,) = constraints(fishery, "v2/availability/datastructure/SEA/DSD_CATCH")
    assert whole["obsCount"] == len(ALL_CATCH)
    (own,) = constraints(fishery, "v2/availability/provisionagreement/SEA/PA_CATCH_COAST")
    assert own["obsCount"] == len(COAST)
    assert own["constraintAttachment"]["provisionAgreement"].endswith("SEA:PA_CATCH_COAST(1.0.0)")
    several = constraints(fishery, "v2/availability/dataflow/SEA/DF_CATCH,DF_CATCH_EST,DF_JOBS/+")
    assert [one["obsCount"] for one in several] == [len(CATCH), 3, len(JOBS)]


@pytest.mark.parametrize(
    ("request_", "exact", "available"),
    [
        # SDMX-REST 2.2, availability.md, "Response Mode"
        ("c[AREA]=FR&c[SEX]=F", [{"FR"}, {"UEMP"}, {"F"}], [{"FR"}, {"UEMP"}, {"M", "F"}]),
        ("c[AREA]=FR&c[SEX]=M,F", [{"FR"}, {"EMP", "UEMP"}, {"M", "F"}], [{"UK", "FR"}, {"EMP", "UEMP"}, {"M", "F"}]),
        # "Update the data query form": 1, 2 and 3
        ("c[AREA]=UK", [{"UK"}, {"EMP"}, {"M"}], [{"UK", "FR"}, {"EMP"}, {"M"}]),
        ("c[AREA]=UK,FR", [{"UK", "FR"}, {"EMP", "UEMP"}, {"M", "F"}], [{"UK", "FR"}, {"EMP", "UEMP"}, {"M", "F"}]),
        ("c[AREA]=UK,FR&c[SEX]=F", [{"FR"}, {"UEMP"}, {"F"}], [{"FR"}, {"UEMP"}, {"M", "F"}]),
    ],
)
@pytest.mark.parametrize("by_key", [False, True])
def test_modes_of_the_worked_example(
    fishery: House, request_: str, exact: list[set[str]], available: list[set[str]], by_key: bool
) -> None:
    ask = f"?{request_}"
    if by_key:
        wished = dict(part.removeprefix("c[").split("]=") for part in request_.split("&"))
        areas, sexes = (wished.get(id, "*").split(",") for id in ("AREA", "SEX"))
        ask = "/" + ",".join(f"{area}.*.{sex}" for area in areas for sex in sexes) + "?"
    for mode, wanted in (("exact", exact), ("available", available)):
        (constraint,) = constraints(fishery, f"{JOB_FLOW}{ask}&mode={mode}".replace("?&", "?"))
        assert values(constraint) == dict(zip(("AREA", "EMPLOYMENT", "SEX"), wanted, strict=True)), mode


def test_available_where_nothing_is_exact(fishery: House) -> None:
    assert fishery.get(f"{JOB_FLOW}/UK.*.F", JSON).status == 204
    (constraint,) = constraints(fishery, f"{JOB_FLOW}/UK.*.F?mode=available")
    assert values(constraint) == {"AREA": {"FR"}, "SEX": {"M"}}
    assert constraint["obsCount"] == 0


def test_single_components(fishery: House) -> None:
    (constraint,) = constraints(fishery, f"{FLOW}/*/PORT")
    assert values(constraint) == {"PORT": {"NOR", "SOU", "007"}}
    (constraint,) = constraints(fishery, f"{FLOW}/M/PORT,TIME_PERIOD")
    assert set(values(constraint)) == {"PORT", "TIME_PERIOD"}
    assert constraint["obsCount"] == len(rows_where(CATCH, lambda row: row["FREQ"] == "M"))
    assert fishery.get(f"{FLOW}/*/COLOUR", JSON).status == 422


def artefacts(found: dict[str, Any]) -> dict[str, set[str]]:
    """What is sent beside the constraint: per id the ids of items, or nothing."""
    members = {"codelists": "codes", "conceptSchemes": "concepts", "dataProviderSchemes": "dataProviders"}
    return {
        one["id"]: {item["id"] for item in one.get(members.get(kind, ""), ())}
        for kind, several in found["data"].items()
        if kind != "availabilityConstraints"
        for one in several
    }


LISTS = {"CL_FREQ": {"A", "M", "Q"}, "CL_PORT": {"NOR", "SOU", "007", "_T"}, "CL_FISH": {"COD", "EEL", "_T"}}
CONCEPTS = {"CS_SEA": {"FREQ", "PORT", "FISH", "TIME_PERIOD"}}
PROVIDERS = {"DATA_PROVIDERS": {"HARBOUR", "COAST"}}


@pytest.mark.parametrize(
    ("request_", "wanted"),
    [
        ("?references=none", {}),
        ("?references=codelist", LISTS),
        ("?references=valuelist", {}),
        ("?references=conceptscheme", CONCEPTS),
        ("?references=dataflow", {"DF_CATCH": set()}),
        ("?references=datastructure", {"DSD_CATCH": set()}),
        ("?references=dataproviderscheme", PROVIDERS),
        ("?references=codelist,dataflow", {**LISTS, "DF_CATCH": set()}),
        ("?references=all", {**LISTS, **CONCEPTS, **PROVIDERS, "DF_CATCH": set(), "DSD_CATCH": set()}),
        ("/Q.007?references=codelist", {"CL_FREQ": {"Q"}, "CL_PORT": {"007", "_T"}, "CL_FISH": {"COD", "_T"}}),
        ("/Q.007?references=dataproviderscheme", {"DATA_PROVIDERS": {"COAST"}}),
        ("/A?references=dataproviderscheme", {"DATA_PROVIDERS": {"HARBOUR"}}),
        ("/Q.007/PORT?references=codelist,conceptscheme", {"CL_PORT": {"007", "_T"}, "CS_SEA": {"PORT"}}),
    ],
)
def test_references_are_cut_to_what_is_used(fishery: House, request_: str, wanted: dict[str, set[str]]) -> None:
    found = message(fishery, FLOW + request_)
    assert artefacts(found) == wanted
    for one in (*found["data"].get("codelists", ()), *found["data"].get("dataProviderSchemes", ())):
        whole = {"CL_FREQ": 3, "CL_PORT": 4, "CL_FISH": 4, "DATA_PROVIDERS": 2}[one["id"]]
        assert one.get("isPartial", False) == (len(one.get("codes", one.get("dataProviders"))) < whole)


@pytest.mark.parametrize(
    "path",
    [
        FLOW, f"{FLOW}/M.NOR?references=all", f"{FLOW}/M/PORT?mode=available", f"{JOB_FLOW}?references=all",
        "v2/availability/datastructure/SEA/DSD_CATCH", "v2/availability/provisionagreement/SEA/PA_CATCH_COAST?references=all",
        "v1/availableconstraint/SEA,DF_CATCH,1.0.0", "v1/availableconstraint/SEA,DF_CATCH,1.0.0/M..?references=codelist",
        "v1/availableconstraint/SEA,DF_CATCH,1.0.0/M../HARBOUR/PORT?mode=available&startPeriod=2024&endPeriod=2024",
    ],
)  # fmt: skip
def test_valid_and_equal_in_every_format(fishery: House, path: str) -> None:
    api = path.partition("/")[0]
    seen = set()
    for format in formats_for("availability", api):
        body = fishery.body(path, format.media_types[0])
        assert faults(format.media_types[0], body) == [], format.name
        if "json" in format.name:
            data = orjson.loads(body)["data"]
            (one,) = next(some for name, some in data.items() if name.endswith("Constraints"))
            region = one.get("cubeRegion") or one["cubeRegions"][0]
            ports = next(k["values"] for k in region["keyValues"] if k["id"] in ("PORT", "AREA"))
            seen.add(tuple(sorted(value["value"] if isinstance(value, dict) else value for value in ports)))
        else:
            root = etree.fromstring(body)
            (port,) = (one for one in root.iter("{*}KeyValue") if one.get("id") in ("PORT", "AREA"))
            seen.add(tuple(sorted(value.text for value in port.iter("{*}Value"))))
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{FLOW}/M.ATLANTIS", 204),
        ("v2/availability/dataflow/SEA/DF_NONE", 404),
        ("v2/availability/*/SEA/DF_CATCH", 400),
        (f"{FLOW}?mode=some", 400),
        (f"{FLOW}?references=dataprovider", 400),
        (f"{FLOW}?c[COLOUR]=red", 422),
        (f"{FLOW}/A.B.C.D.E", 422),
        (f"{FLOW}?updatedAfter=2999-01-01T00:00:00Z", 204),
        ("v1/availableconstraint/SEA,DF_CATCH,1.0.0/M.ATLANTIS.", 404),
        ("v1/availableconstraint/SEA,DF_CATCH,1.0.0/M", 403),
    ],
)
def test_refusals(fishery: House, path: str, status: int) -> None:
    assert fishery.get(path, "*/*").status == status
