"""SDMX messages in a structure of the sender's, which the catalog does not have, through a mapping."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
import pytest

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.layout import read_layout
from sdmx_service.errors import (
    InvalidStructure,
    SemanticFault,
    UnknownFormat,
    UnreadableFile,
    UnresolvedReference,
)
from sdmx_service.model.artefact import Item, Maintainable
from sdmx_service.model.finding import Finding
from sdmx_service.model.items import DataProviderScheme
from sdmx_service.model.mapping import (
    ComponentMap,
    FixedValue,
    MappedValue,
    MappingRow,
    RepresentationMap,
    StructureMap,
)
from sdmx_service.model.structure import DataStructure
from sdmx_service.model.urn import Ref
from sdmx_service.submission.reading import Wish, receive
from sdmx_service.submission.report import Report
from tests.submission.checking import constraint
from tests.submission.staging import codelist, dataflow, structure

OURS = structure("DSD_BIRDS", ("AREA", "BIRD", "HOME"), attributes={"STATUS": None})
FLOW = dataflow("DF_BIRDS", OURS)
THEIRS = Ref(type="DataStructure", agency="CLUB", id="SIGHTINGS", version="1.7")
HOMES = RepresentationMap(
    agency="TEST",
    id="RM_HOME",
    version="1.0.0",
    rows=tuple(
        MappingRow(sources=(MappedValue(value=area), MappedValue(value=origin)), targets=(home,))
        for area, origin, home in (("MT", "MT", "OWN"), ("IT", "IT", "OWN"), ("MT", "IT", "IT"), ("IT", "MT", "MT"))
    ),
)
STATUSES = RepresentationMap(
    agency="TEST",
    id="RM_STATUS",
    version="1.0.0",
    rows=(
        MappingRow(sources=(MappedValue(value="yes"), MappedValue(value="ok")), targets=("M",)),
        MappingRow(sources=(MappedValue(value=""), MappedValue(value="ok")), targets=("A",)),
    ),
)
MAP = StructureMap(
    agency="TEST",
    id="SM_SIGHTINGS",
    version="1.0.0",
    source=THEIRS,
    target=FLOW.ref,
    components=(
        ComponentMap(sources=("AREA",), targets=("AREA",)),
        ComponentMap(sources=("AREA", "ORIGIN"), targets=("HOME",), representation_map=HOMES.ref),
        ComponentMap(sources=("TIME_PERIOD",), targets=("TIME_PERIOD",)),
        ComponentMap(sources=("OBS_VALUE",), targets=("OBS_VALUE",)),
        ComponentMap(sources=("missing", "STATE"), targets=("STATUS",), representation_map=STATUSES.ref),
    ),
    fixed=(FixedValue(component="BIRD", values=("GULL",)),),
)
COLUMNS = {one: one for one in ("AREA", "ORIGIN", "TIME_PERIOD", "OBS_VALUE", "STATE")}
TABLE: dict[str, Any] = {
    "columns": COLUMNS,
    "symbols": [{"column": "OBS_VALUE", "text": "", "value": None, "set": {"missing": "yes"}}],
    "blank": "keep",
    "map": "TEST:SM_SIGHTINGS(1.0.0)",
}
LAYOUT: dict[str, Any] = {
    "id": "SIGHTINGS",
    "version": "1.0.0",
    "names": {"en": "Sightings"},
    "provider": "TEST:DATA_PROVIDERS(1.0).P1",
    "messages": [
        {
            "structures": ["CLUB:SIGHTINGS"],
            "dimensions": ["AREA", "ORIGIN", "TIME_PERIOD"],
            "attributes": ["STATE", "REMARK"],
        }
    ],
    "tables": [TABLE],
}


def house(*layouts: dict[str, Any], more: tuple[Maintainable, ...] = ()) -> Catalog:
    read = [read_layout(one, "test") for one in layouts or (LAYOUT,)]
    lists = [codelist("AREA", {"MT": None, "IT": None}), codelist("BIRD", {"GULL": None})]
    lists += [codelist("HOME", dict.fromkeys(("OWN", "MT", "IT"))), codelist("STATUS", {"A": None, "M": None})]
    providers = DataProviderScheme(id="DATA_PROVIDERS", agency="TEST", version="1.0", items=(Item(id="P1"),))
    artefacts = [OURS, FLOW, MAP, HOMES, STATUSES, providers, *lists, *more]
    return Catalog.of(artefacts, layouts={one.id: one for one in read})


XML = """<?xml version="1.0" encoding="UTF-8"?>
<m:StructureSpecificData xmlns:m="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message"
  xmlns:c="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/common"
  xmlns:s="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/structurespecific">
 <m:Header><m:ID>X</m:ID><m:Test>false</m:Test><m:Prepared>2026-01-01</m:Prepared><m:Sender id="CLUB"/>
  <m:Structure structureID="S" namespace="urn:x" dimensionAtObservation="TIME_PERIOD">
   <c:Structure><Ref agencyID="CLUB" id="SIGHTINGS" version="1.7"/></c:Structure></m:Structure></m:Header>
 <m:DataSet s:structureRef="S" s:dataScope="DataStructure" s:action="Information">
  <Series AREA="MT" ORIGIN="MT">
   <Obs TIME_PERIOD="2023" OBS_VALUE="7" STATE="ok"/>
   <Obs TIME_PERIOD="2024" STATE="ok"/>
  </Series>
  <Series AREA="MT" ORIGIN="IT"><Obs TIME_PERIOD="2024" OBS_VALUE="2.50" STATE="ok"/></Series>
 </m:DataSet>
</m:StructureSpecificData>
"""
CSV = (
    "STRUCTURE,STRUCTURE_ID,ACTION,AREA,ORIGIN,TIME_PERIOD,OBS_VALUE,STATE\n"
    "datastructure,CLUB:SIGHTINGS(1.7),I,MT,MT,2023,7,ok\n"
    "datastructure,CLUB:SIGHTINGS(1.7),I,MT,MT,2024,,ok\n"
    "datastructure,CLUB:SIGHTINGS(1.7),I,MT,IT,2024,2.50,ok\n"
)


def as_json(**changed: Any) -> str:
    """The same data as .Stat Suite writes them: flat, links at the data set, ``~`` in the keys of groups."""

    def values(id: str, *codes: str) -> dict[str, Any]:
        return {"id": id, "values": [{"id": code} for code in codes]}

    dimensions = [values("AREA", "MT"), values("ORIGIN", "MT", "IT"), values("TIME_PERIOD", "2023", "2024")]
    dataset = {
        "structure": 0,
        "links": [{"rel": "DataStructure", "urn": THEIRS.urn}],
        "dimensionGroupAttributes": {"~:~:~": [7]},
        "observations": {"0:0:0": [7, 0], "0:0:1": [None, 0], "0:1:1": ["2.50", 0]},
        **changed,
    }
    described = {"dimensions": {"observation": dimensions}, "attributes": {"observation": [values("STATE", "ok")]}}
    return json.dumps({"meta": {"id": "X"}, "data": {"dataSets": [dataset], "structures": [described]}})


def read(body: str, catalog: Catalog, name: str, **wish: str) -> tuple[list[dict[str, Any]], list[Finding], Any]:
    """The mapped rows of a message, the findings, and what was recognised."""
    report = Report()
    received = receive(io.BytesIO(body.encode()), name, None, Wish(**wish), catalog, report, None)
    rows = [row for part in received.parts for batch in part.batches for row in batch.to_pylist()]
    return rows, list(report.findings()), received


EXPECTED = [
    ("MT", "GULL", "OWN", "2023", "7", "A"),
    ("MT", "GULL", "OWN", "2024", None, "M"),
    ("MT", "GULL", "IT", "2024", "2.50", "A"),
]
KEYS = ("AREA", "BIRD", "HOME", "TIME_PERIOD", "OBS_VALUE", "STATUS")


@pytest.mark.parametrize(
    ("body", "name", "places"),
    [
        (XML, "sent.xml", [(10, "OBS_VALUE"), (11, "OBS_VALUE"), (13, "OBS_VALUE")]),
        (CSV, "sent.csv", [(2, "OBS_VALUE"), (3, "OBS_VALUE"), (4, "OBS_VALUE")]),
        (
            as_json(),
            "sent.json",
            [(None, f"/data/dataSets/0/observations/{key}") for key in ("0:0:0", "0:0:1", "0:1:1")],
        ),
    ],
)
def test_every_format_goes_the_same_way(body: str, name: str, places: list[tuple[int | None, str]]) -> None:
    rows, findings, received = read(body, house(), name)
    assert [tuple(row[id] for id in KEYS) for row in rows] == EXPECTED
    assert [(row["_row"], row["_column"]) for row in rows] == places
    assert {row["_sheet"] for row in rows} == {"CLUB:SIGHTINGS(1.7)"}
    assert findings == []
    assert received.layout.id == "SIGHTINGS"


def test_an_area_that_names_itself_is_its_own_by_two_sources() -> None:
    rows, _, _ = read(CSV.replace(",MT,IT,2024", ",IT,IT,2024"), house(), "sent.csv")
    assert [row["HOME"] for row in rows] == ["OWN", "OWN", "OWN"]


def test_an_unmapped_value_is_found_at_its_line_and_component() -> None:
    rows, findings, _ = read(XML.replace('ORIGIN="IT"', 'ORIGIN="FR"'), house(), "sent.xml")
    assert len(rows) == 2
    [finding] = findings
    assert (finding.code, finding.row, finding.column, finding.value) == ("F201", 13, "AREA", "MT | FR")


def test_an_unmapped_value_of_json_is_found_at_its_pointer() -> None:
    body = as_json().replace('"id": "IT"', '"id": "FR"')
    [finding] = read(body, house(), "sent.json")[1]
    assert (finding.code, finding.column) == ("F201", "/data/dataSets/0/observations/0:1:1")


def test_a_component_that_the_layout_does_not_list_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="'COLOUR' is no component"):
        read(XML.replace("STATE=", "COLOUR="), house(), "sent.xml")


def test_attributes_above_the_observations_are_told() -> None:
    body = XML.replace("<Series AREA", '<Atts REMARK="cold winter"/>\n<Series AREA', 1)
    body = body.replace("v2_1", "v3_0").replace("<c:Structure><Ref agencyID", "<c:Structure>").split("</c:Structure>")
    text = f"<c:Structure>{THEIRS.urn}</c:Structure>".join([body[0].rpartition("<c:Structure>")[0], body[1]])
    rows, findings, _ = read(text, house(), "sent.xml")
    assert len(rows) == 3
    assert [(one.code, one.severity.value, one.row, one.column, one.value) for one in findings] == [
        ("F120", "warning", 9, "REMARK", "cold winter")
    ]


def test_the_action_of_the_message_stays() -> None:
    report = Report()
    body = CSV.replace(",I,", ",D,")
    received = receive(io.BytesIO(body.encode()), "sent.csv", None, Wish(), house(), report, None)
    assert [part.action.value for part in received.parts] == ["Delete"]


def test_without_a_layout_the_structure_is_missing() -> None:
    with pytest.raises(UnresolvedReference, match="CLUB:SIGHTINGS"):
        read(CSV, house({**LAYOUT, "messages": []}), "sent.csv")


def test_several_layouts_are_not_guessed_between() -> None:
    catalog = house(LAYOUT, {**LAYOUT, "id": "OTHER"})
    with pytest.raises(UnknownFormat, match="Several mappings") as fault:
        read(CSV, catalog, "sent.csv")
    assert "OTHER, SIGHTINGS" in str(fault.value.hint)
    assert len(read(CSV, catalog, "sent.csv", mapping="OTHER")[0]) == 3


def test_a_named_mapping_must_read_the_message() -> None:
    catalog = house({**LAYOUT, "messages": [{**LAYOUT["messages"][0], "structures": ["CLUB:NESTS"]}]})
    with pytest.raises(UnresolvedReference, match="does not read messages of CLUB:SIGHTINGS"):
        read(CSV, catalog, "sent.csv", mapping="SIGHTINGS")
    ours = CSV.replace("CLUB:SIGHTINGS(1.7)", "TEST:DSD_BIRDS(1.0.0)").replace("ORIGIN", "HOME")
    with pytest.raises(SemanticFault, match="needs no mapping"):
        read(ours, house({**LAYOUT, "messages": []}), "sent.csv", mapping="SIGHTINGS")


def test_a_structure_that_we_keep_goes_through_a_layout_only_if_it_has_no_dataflow() -> None:
    kept = DataStructure(
        id="SIGHTINGS", agency="CLUB", version="1.7", dimensions=OURS.dimensions[:1], time_dimension=OURS.time_dimension
    )
    assert len(read(CSV, house(more=(kept,)), "sent.csv")[0]) == 3
    catalog = house(more=(kept, dataflow("DF_CLUB", kept, "CLUB")))
    ours, _, received = read(CSV, catalog, "sent.csv", provider="P1")
    assert received.layout is None
    assert [row["AREA"] for row in ours] == ["MT", "MT", "MT"]
    assert len(read(CSV, catalog, "sent.csv", mapping="SIGHTINGS")[0]) == 3


def test_rows_outside_a_constraint_are_left_out_and_counted() -> None:
    more = (constraint(FLOW.ref, "HOME", "OWN"),)
    table = {**TABLE, "only_allowed": ["HOME"]}
    rows, findings, _ = read(CSV, house({**LAYOUT, "tables": [table]}, more=more), "sent.csv")
    assert [row["HOME"] for row in rows] == ["OWN", "OWN"]
    [finding] = findings
    assert finding.code == "F101"
    assert "1 row was left out" in finding.message and "HOME IT" in finding.message


def test_sums_over_all_batches_and_sheets() -> None:
    table = {**TABLE, "aggregate": {"sum": ["OBS_VALUE"]}}
    body = CSV.replace("MT,MT,2024,,ok", "MT,MT,2023,0.25,ok")
    rows, findings, _ = read(body, house({**LAYOUT, "tables": [table]}), "sent.csv")
    assert [(row["HOME"], row["TIME_PERIOD"], row["OBS_VALUE"], row["_row"]) for row in rows] == [
        ("OWN", "2023", "7.25", 2),
        ("IT", "2024", "2.50", 4),
    ]
    assert findings == []


def test_a_measure_that_is_none_cannot_be_summed() -> None:
    table = {**TABLE, "aggregate": {"sum": ["STATUS"]}}
    with pytest.raises(InvalidStructure, match="sums STATUS"):
        read(CSV, house({**LAYOUT, "tables": [table]}), "sent.csv")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"messages": [{"structures": ["CLUB:SIGHTINGS"]}]}, "needs structures and dimensions"),
        ({"messages": [{"structures": ["A:B"], "dimensions": ["X"], "attributes": ["X"]}]}, "X is listed more"),
        ({"messages": [{"structures": ["A:B"], "dimensions": ["X"], "keys": []}]}, "unknown keys"),
        ({"tables": [{**TABLE, "aggregate": {}}]}, "which measures"),
    ],
)
def test_a_misspelt_layout_is_refused_with_its_place(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidStructure, match=said):
        read_layout({**LAYOUT, **changed}, "test")


def test_batches_are_text_columns_of_our_structure() -> None:
    report = Report()
    received = receive(io.BytesIO(CSV.encode()), "sent.csv", None, Wish(), house(), report, None)
    [part] = received.parts
    [batch] = part.batches
    assert part.target.structure.ref == OURS.ref
    assert all(field.type in (pa.string(), pa.int64()) for field in batch.schema)
