"""Structure and schema queries of both interfaces as a table: what is sent, how much of it, and that it is valid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from sdmx_service.formats.registry import formats_for
from tests.every_type.house import open_apiary
from tests.harness import House
from tests.rest.reading_back import faults

JSON = "application/vnd.sdmx.structure+json;version=2.1.0"
ITEMS = ("codes", "concepts", "categories", "agencies", "dataProviders")


def sent(house: House, path: str) -> dict[str, dict[str, Any]]:
    """The artefacts of an answer by ``ID(version)``, codelists and the like in order."""
    data = orjson.loads(house.body(path, JSON))["data"]
    return {f"{one['id']}({one.get('version', '1.0')})": one for several in data.values() for one in several}


def items(artefact: dict[str, Any]) -> list[str]:
    """The ids of items, nested ones dotted."""

    def walk(nodes: list[dict[str, Any]], above: str) -> list[str]:
        found = []
        for node in nodes:
            found += [above + node["id"], *walk(node.get("categories", []), f"{above}{node['id']}.")]
        return found

    return next((walk(artefact[name], "") for name in ITEMS if name in artefact), [])


MANY = ("1.0", "1.0.0", "1.1.0", "1.1.1", "2.0.0", "2.1.0-draft")


@pytest.mark.parametrize(
    ("version", "found"),
    [
        ("", {"2.1.0-draft"}),
        ("~", {"2.1.0-draft"}),
        ("+", {"2.0.0"}),
        ("*", set(MANY)),
        ("1.0", {"1.0"}),
        ("1.0.0", {"1.0.0"}),
        ("1.1.0,2.0.0", {"1.1.0", "2.0.0"}),
        ("1.+.0", {"1.1.1"}),
        ("1.1.+", {"1.1.1"}),
        ("1.0+.0", {"1.1.1"}),
        ("1+.0.0", {"2.0.0"}),
        ("1.1.*", {"1.1.0", "1.1.1"}),
        ("2.~.0", {"2.1.0-draft"}),
        ("1.0+.0,2.0.0", {"1.1.1", "2.0.0"}),
    ],
)
def test_versions(fishery: House, version: str, found: set[str]) -> None:
    assert set(sent(fishery, f"v2/structure/codelist/SEA/CL_MANY/{version}")) == {f"CL_MANY({one})" for one in found}


CHILDREN = {"CS_SEA(1.0.0)", *(f"CL_{id}(1.0.0)" for id in ("FREQ", "PORT", "FISH", "GRADE", "STATUS", "GEAR"))}
FLOWS = {"DF_CATCH(1.0.0)", "DF_CATCH(1.1.0)", "DF_CATCH(2.0.0-draft)", "DF_CATCH_EST(1.0.0)"}
AGREEMENTS = {"PA_CATCH_HARBOUR(1.0.0)", "PA_CATCH_COAST(1.0.0)"}
AROUND = {"C_CATCH(1.0)", "CON_CATCH(1.0.0)"}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("datastructure/SEA/DSD_CATCH", set()),
        ("datastructure/SEA/DSD_CATCH?references=none", set()),
        ("datastructure/SEA/DSD_CATCH?references=children", CHILDREN),
        ("datastructure/SEA/DSD_CATCH?references=descendants", CHILDREN),
        ("datastructure/SEA/DSD_CATCH?references=parents", FLOWS),
        ("datastructure/SEA/DSD_CATCH?references=parentsandsiblings", FLOWS | {"DSD_CATCH(1.0.0)"}),
        ("datastructure/SEA/DSD_CATCH?references=all", FLOWS | CHILDREN),
        ("datastructure/SEA/DSD_CATCH?references=dataflow", FLOWS),
        ("datastructure/SEA/DSD_CATCH?references=conceptscheme,dataflow", {*FLOWS, "CS_SEA(1.0.0)"}),
        ("datastructure/SEA/DSD_CATCH?references=parents,children", FLOWS | CHILDREN),
        ("dataflow/SEA/DF_CATCH/1.1.0?references=children", {"DSD_CATCH(1.0.0)"}),
        ("dataflow/SEA/DF_CATCH/1.1.0?references=descendants", {"DSD_CATCH(1.0.0)", *CHILDREN}),
        ("dataflow/SEA/DF_CATCH/1.1.0?references=parents", AROUND),
        ("dataflow/SEA/DF_CATCH/1.0.0?references=provisionagreement", AGREEMENTS),
        ("dataflow/SEA/DF_CATCH/1.0.0?references=dataproviderscheme", set()),
        ("provisionagreement/SEA/PA_CATCH_COAST?references=children", {"DF_CATCH(1.0.0)", "DATA_PROVIDERS(1.0)"}),
        ("codelist/SEA/CL_AREA?references=ancestors", {"DSD_JOBS(1.0.0)", "DF_JOBS(1.0.0)", "PA_JOBS(1.0.0)", "C_JOBS(1.0)"}),
        # an extended codelist comes resolved, and what it extends is not sent again; raw it comes as it is
        ("codelist/SEA/CL_SHORE?references=children", set()),
        ("codelist/SEA/CL_SHORE?references=children&detail=raw", {"CL_PORT(1.0.0)"}),
        # only what refers to the items shown
        ("categoryscheme/SEA/TOPICS?references=parents", {"C_CATCH(1.0)", "C_JOBS(1.0)"}),
        ("categoryscheme/SEA/TOPICS/1.0.0/WATER.CATCH?references=categorisation", {"C_CATCH(1.0)"}),
        ("categoryscheme/SEA/TOPICS/1.0.0/LAND?references=parents", {"C_JOBS(1.0)"}),
        ("categoryscheme/SEA/TOPICS/1.0.0/WATER.SHIPS?references=parents", set()),
        ("conceptscheme/SEA/CS_JOBS/1.0.0/SEX?references=datastructure", {"DSD_JOBS(1.0.0)"}),
    ],
)  # fmt: skip
def test_references(fishery: House, path: str, found: set[str]) -> None:
    answered = sent(fishery, f"v2/structure/{path}")
    own = next(iter(sent(fishery, f"v2/structure/{path.partition('?')[0]}")))
    assert set(answered) == {own, *found}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("codelist/SEA/CL_FISH/1.0.0/COD", ["COD"]),
        ("codelist/SEA/CL_FISH/1.0.0/EEL,COD,NONE", ["COD", "EEL"]),
        ("codelist/SEA/CL_SHORE/1.0.0/NOR,PIER", ["NOR", "PIER"]),
        ("codelist/SEA/CL_PORT/1.0.0/007", ["007"]),
        ("conceptscheme/SEA/CS_SEA/1.0.0/PORT", ["PORT"]),
        ("categoryscheme/SEA/TOPICS/1.0.0/WATER", ["WATER"]),
        ("categoryscheme/SEA/TOPICS/1.0.0/WATER.CATCH", ["WATER", "WATER.CATCH"]),
        ("categoryscheme/SEA/TOPICS/1.0.0/WATER.CATCH.DEEP", ["WATER", "WATER.CATCH", "WATER.CATCH.DEEP"]),
        ("dataproviderscheme/SEA/DATA_PROVIDERS/1.0/COAST", ["COAST"]),
        ("agencyscheme/SDMX/AGENCIES/1.0/SKY", ["SKY"]),
    ],
)
def test_items(fishery: House, path: str, found: list[str]) -> None:
    (one,) = sent(fishery, f"v2/structure/{path}").values()
    assert items(one) == found
    assert one["isPartial"] is True


def test_items_of_value_lists(tmp_path: Path) -> None:
    """Any text may be an item of a value list, which no version marks as partial."""
    with open_apiary(tmp_path) as house:
        (one,) = sent(
            house, "v2/structure/valuelist/BEES/VL_COLOUR/1.0.0/50%20%25%20%2F%2050%20%25,light%20amber"
        ).values()
        assert [item["id"] for item in one["valueItems"]] == ["light amber", "50 % / 50 %"]


STUB = {"id", "agencyID", "version", "name", "isExternalReference", "links"}


@pytest.mark.parametrize(
    ("detail", "main", "others"),
    [
        ("full", None, None), ("raw", None, None), ("allstubs", STUB, STUB), ("referencestubs", None, STUB),
        ("allcompletestubs", {*STUB, "description", "annotations"}, STUB),
        ("referencecompletestubs", None, STUB), ("referencepartial", None, None),
    ],
)  # fmt: skip
def test_details(fishery: House, detail: str, main: set[str] | None, others: set[str] | None) -> None:
    found = sent(fishery, f"v2/structure/dataflow/SEA/DF_CATCH/1.1.0?references=descendants&detail={detail}")
    flow = found.pop("DF_CATCH(1.1.0)")
    assert set(flow) - {"isExternalReference"} == (main or {*STUB, "description", "annotations", "structure"}) - {
        "isExternalReference"
    }
    assert flow.get("isExternalReference", False) == (main is not None)
    assert len(found) == len(CHILDREN) + 1
    for one in found.values():
        assert one.get("isExternalReference", False) == (others is not None)
        if others is not None:
            assert set(one) <= others
        else:
            assert items(one) or "dataStructureComponents" in one


def test_partial_references(fishery: House) -> None:
    """SDMX-REST 2.2, structures.md, *referencepartial*: cut by constraints, use of concepts, agencies, providers."""
    path = "v2/structure/dataflow/SEA/DF_CATCH/1.1.0?references=all,ancestors,descendants&detail=referencepartial"
    found = sent(fishery, path)
    assert set(items(found["CL_FISH(1.0.0)"])) == {"COD", "EEL", "_T"}
    assert found["CL_FISH(1.0.0)"]["isPartial"] is True
    assert len(items(found["CL_PORT(1.0.0)"])) == 4
    assert "isPartial" not in found["CL_PORT(1.0.0)"] or not found["CL_PORT(1.0.0)"]["isPartial"]
    assert "LICENCES" not in items(found["CS_SEA(1.0.0)"])
    assert items(found["TOPICS(1.0.0)"]) == ["WATER", "WATER.CATCH"]


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("v2/structure/codelist/SEA/CL_FISH,CL_PORT", 2),
        ("v2/structure/codelist/SEA,SDMX/CL_FISH", 1),
        ("v2/structure/dataflow/*/*/*", 6),
        ("v2/structure/dataflow/*/*/+", 4),
        ("v2/structure/codelist%2Cdataflow/SEA/CL_FISH", None),
        ("v1/dataflow", 4),
        ("v1/dataflow/SEA/DF_CATCH/all", 3),
        ("v1/codelist/SEA/CL_FISH+CL_PORT/latest", 2),
        ("v1/codelist/SEA/CL_FISH/1.0.0/COD", 1),
        ("v1/datastructure/SEA/DSD_JOBS/1.0.0?references=children", 5),
        ("v1/contentconstraint/SEA", 1),
    ],
)
def test_lists_and_the_first_interface(fishery: House, path: str, count: int | None) -> None:
    if count is None:
        assert fishery.get(path, JSON).status == 400
    else:
        assert len(sent(fishery, path)) == count


@pytest.mark.parametrize(
    "path",
    [
        "v2/structure/*/SEA", "v2/structure/*/SEA/*/*?detail=allstubs", "v2/structure/*/*/*/*?detail=allcompletestubs",
        "v2/structure/dataflow/SEA/DF_CATCH/1.1.0?references=all&detail=referencestubs",
        "v2/structure/dataflow/SEA/DF_CATCH/1.1.0?references=all&detail=referencepartial",
        "v2/structure/categoryscheme/SEA/TOPICS/1.0.0/WATER.CATCH?references=all",
        "v1/datastructure/SEA/DSD_JOBS?references=all", "v1/structure/SEA?detail=allstubs", "v1/categoryscheme/SEA?references=parents",
        "v2/schema/dataflow/SEA/DF_CATCH/1.1.0", "v2/schema/provisionagreement/SEA/PA_JOBS", "v2/schema/datastructure/SEA/DSD_LICENCE",
    ],
)  # fmt: skip
def test_valid_in_every_format(fishery: House, path: str) -> None:
    written = 0
    for format in formats_for("structure", path.partition("/")[0]):
        answer = fishery.get(path, format.media_types[0])
        body = b"".join(answer.chunks)
        if answer.status == 406:  # what the model of SDMX 2.1 does not have
            assert format.name in ("structure-xml-2.1", "structure-json-1.0"), body
            continue
        assert (answer.status, answer.headers["Content-Type"]) == (200, format.media_types[0]), body[:300]
        assert faults(format.media_types[0], body) == [], format.name
        written += 1
    assert written >= 4


def test_a_schema_as_a_structure_message(fishery: House) -> None:
    found = sent(fishery, "v2/schema/dataflow/SEA/DF_CATCH/1.1.0")
    assert set(found) == {"DSD_CATCH(1.0.0)", *CHILDREN, "AGENCIES(1.0)"}
    assert set(items(found["CL_FISH(1.0.0)"])) == {"COD", "EEL", "_T"}
    assert items(found["AGENCIES(1.0)"]) == ["SEA"]
    whole = sent(fishery, "v2/schema/datastructure/SEA/DSD_CATCH/1.0.0")
    assert len(items(whole["CL_FISH(1.0.0)"])) == 4


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("v2/structure/codelist/SEA/CL_NONE", 404), ("v2/structure/codelist/NOBODY", 404), ("v2/structure/codelist/SEA/CL_FISH/9.0.0", 404),
        ("v2/structure/codelist/SEA/CL_FISH/1.0.0/SHARK", 404), ("v2/structure/colours", 400), ("v2/structure/codelist/SEA/CL_FISH/+.2.3", 400),
        ("v2/structure/codelist?detail=some", 400), ("v2/structure/codelist?references=some", 400), ("v2/structure/codelist?colour=red", 400),
        ("v2/structure/codelist?asOf=2024-01-01T00:00:00Z", 404), ("v2/structure/process/SEA", 404),
        ("v1/codelist/SEA/CL_NONE", 404), ("v1/codelist?references=some", 400), ("v1/codelist?detail=raw", 400),
        ("v2/schema/dataflow/SEA/DF_NONE", 404), ("v2/schema/dataflow/SEA", 400),
         ("v2/registration/id/X", 406),
    ],
)  # fmt: skip
def test_refusals(fishery: House, path: str, status: int) -> None:
    assert fishery.get(path, JSON).status == status
