"""Reference metadata reported with data (SDMX 3.0 *MetadataAttributeUsage*): sent, stored, asked for, written, followed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.harness import CSV, JSON, XML, House, open_house
from tests.rest.fishery import URN
from tests.rest.reading_back import datasets, faults
from tests.rest.reef import structures, write_reef

FLOW = "v2/data/dataflow/SEA/DF_REEF/1.0.0"
DATA = ("SOURCE", "PORT_NOTE", "UNIT", "STATUS")
METADATA = ("QUALITY", "CONTACT.NAME", "CONTACT.MAIL", "BIAS")
KEY = ("FREQ", "PORT", "FISH", "TIME_PERIOD")
CSV_2 = "application/vnd.sdmx.data+csv;version=2.0.0"
SENT = """STRUCTURE[;],STRUCTURE_ID,ACTION,FREQ,PORT,FISH,TIME_PERIOD,WEIGHT,SOURCE,PORT_NOTE,UNIT,STATUS,QUALITY[en;fr],CONTACT.NAME,CONTACT.MAIL[],BIAS
dataflow,SEA:DF_REEF(1.0.0),M,A,NOR,COD,2023,1,Book,open,G1,A,en:good;fr:bon,Åse,a@sea;b@sea,E
dataflow,SEA:DF_REEF(1.0.0),M,A,NOR,COD,2024,2,Book,open,G1,E,en:good;fr:bon,Åse,a@sea;b@sea,
dataflow,SEA:DF_REEF(1.0.0),M,A,SOU,COD,2024,3,Book,,G2,A,en:good;fr:bon,,,A
"""
BASE = {"SOURCE": "Book", "QUALITY": {"en": "good", "fr": "bon"}}
NORTH = {**BASE, "FREQ": "A", "PORT": "NOR", "FISH": "COD", "PORT_NOTE": "open", "UNIT": "G1", "CONTACT.NAME": "Åse",
         "CONTACT.MAIL": ["a@sea", "b@sea"]}  # fmt: skip
ROWS: list[dict[str, Any]] = [
    {**NORTH, "TIME_PERIOD": "2023", "WEIGHT": "1", "STATUS": "A", "BIAS": "E"},
    {**NORTH, "TIME_PERIOD": "2024", "WEIGHT": "2", "STATUS": "E"},
    {**BASE, "FREQ": "A", "PORT": "SOU", "FISH": "COD", "TIME_PERIOD": "2024", "WEIGHT": "3", "UNIT": "G2", "STATUS": "A", "BIAS": "A"},
]  # fmt: skip


def _attribute(id: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "conceptIdentity": f"{URN}conceptscheme.Concept=SEA:CS_REEF(1.0+.0).SOURCE", **more}


def with_metadata() -> dict[str, Any]:
    made = structures()
    text = {"format": {"dataType": "String", "isMultiLingual": True}}
    status = {"enumeration": f"{URN}codelist.Codelist=SEA:CL_STATUS(1.0+.0)"}
    nested = [_attribute("NAME"), _attribute("MAIL", minOccurs=0, maxOccurs="unbounded")]
    attributes = [
        _attribute("QUALITY", localRepresentation=text),
        _attribute("CONTACT", isPresentational=True, metadataAttributes=nested),
        _attribute("BIAS", localRepresentation=status),
        _attribute("UNUSED"),
    ]
    listed = {"id": "MetadataAttributeDescriptor", "metadataAttributes": attributes}
    made["metadataStructures"] = [
        {"id": "MSD_REEF", "name": "MSD", "names": {"en": "MSD"}, "agencyID": "SEA", "version": "1.0.0",
         "metadataStructureComponents": {"metadataAttributeList": listed}}
    ]  # fmt: skip
    structure = made["dataStructures"][0]
    structure["metadata"] = f"{URN}metadatastructure.MetadataStructure=SEA:MSD_REEF(1.0+.0)"
    structure["dataStructureComponents"]["attributeList"]["metadataAttributeUsages"] = [
        {"metadataAttributeReference": id, "attributeRelationship": relation}
        for id, relation in (
            ("QUALITY", {"dataflow": {}}), ("CONTACT", {"dimensions": ["PORT"]}), ("BIAS", {"observation": {}})
        )
    ]  # fmt: skip
    return made


def write(folder: Path) -> Path:
    write_reef(folder)
    meta = {"id": "REEF", "test": False, "prepared": "2026-01-01T00:00:00Z", "sender": {"id": "SEA"}}
    (folder / "dsd" / "reef.json").write_text(json.dumps({"meta": meta, "data": with_metadata()}))
    return folder


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("metadata")
    with open_house(f"duckdb:///{folder / 'store.duckdb'}", write(folder / "content")) as opened:
        receipt, findings = opened.send(SENT.encode(), provider="SEA.HARBOUR")
        assert receipt.status == "published", findings
        yield opened


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted((dict(sorted(row.items())) for row in rows), key=repr)


@pytest.mark.parametrize(
    ("wish", "shown"),
    [
        ("", DATA), ("attributes=dsd", DATA), ("attributes=msd", METADATA), ("attributes=all", DATA + METADATA),
        ("attributes=dsd,msd", DATA + METADATA), ("attributes=dataset", ("SOURCE", "QUALITY")),
        ("attributes=obs", ("STATUS", "BIAS")), ("attributes=UNIT,CONTACT.NAME", ("UNIT", "CONTACT.NAME")), ("attributes=none", ()),
    ],
)  # fmt: skip
@pytest.mark.parametrize("format", [CSV, CSV_2, JSON, "application/vnd.sdmx.data+json;version=2.0.0", XML])
def test_what_is_asked_for_is_told(house: House, wish: str, shown: tuple[str, ...], format: str) -> None:
    body = house.body(f"{FLOW}?{wish}", format)
    if "json" in format:
        assert faults(format, body) == []
    found = datasets(format, body, KEY)["SEA:DF_REEF(1.0.0)"]
    found = [{id.replace("CONTACT-", "CONTACT."): value for id, value in row.items()} for row in found]  # SDMX-JSON
    expected = [{id: v for id, v in row.items() if id in (*KEY, "WEIGHT", *shown)} for row in ROWS]
    assert in_order(found) == in_order(expected)


@pytest.mark.parametrize("format", [CSV, JSON, XML])
def test_it_is_read_again(house: House, tmp_path: Path, format: str) -> None:
    with open_house(f"duckdb:///{tmp_path / 'store.duckdb'}", write(tmp_path / "content")) as other:
        ending = "csv" if "csv" in format else "json" if "json" in format else "xml"
        body = house.body(f"{FLOW}?attributes=all", format)
        receipt, findings = other.send(body, name=f"sent.{ending}", provider="SEA.COAST")
        assert receipt.status == "published", findings
        assert other.body(f"{FLOW}?attributes=all") == house.body(f"{FLOW}?attributes=all")
        start = quote(house.library.store.releases()[-1].published_at.isoformat())
        assert house.get(f"{FLOW}?attributes=all&updatedAfter={start}").status == 204


def test_a_plain_answer_leaves_metadata_alone(house: House) -> None:
    assert {row["ACTION"] for row in house.rows(FLOW)} == {"M"}  # to replace would take away what is not shown
    assert {row["ACTION"] for row in house.rows(f"{FLOW}?attributes=all")} == {"M"}


def test_metadata_may_be_filtered_and_sorted_by(house: House) -> None:
    assert [row["PORT"] for row in house.rows(f"{FLOW}?c[BIAS]=E,A&sort=BIAS:desc")] == ["NOR", "SOU"]
    assert len(house.rows(f"{FLOW}?c[CONTACT.MAIL]=b@sea")) == 2
    assert len(house.rows(f"{FLOW}?c[QUALITY]=sw:bo&attributes=msd")) == 3


def test_where_no_metadata_are_named_none_are_told(fishery: House) -> None:
    path = "v2/data/dataflow/SEA/DF_CATCH/1.0.0"
    assert fishery.body(f"{path}?attributes=msd") == fishery.body(f"{path}?attributes=none")
    assert fishery.body(f"{path}?attributes=dsd,msd").replace(b"),M,", b"),R,") == fishery.body(path)
    assert fishery.get(f"{path}?attributes=UNUSED").status == 422
