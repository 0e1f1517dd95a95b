"""The table of formats against the lists of the standard."""

from __future__ import annotations

import pytest

from sdmx_service.errors import NotFound, UnknownFormat
from sdmx_service.formats.recognition import recognise_data, structure_format
from sdmx_service.formats.registry import FORMATS, formats_for, named, of_media_type, of_suffix
from sdmx_service.formats.sniffing import Head

V2_DATA = [
    "application/vnd.sdmx.data+json;version=2.1.0",
    "application/vnd.sdmx.data+xml;version=3.1.0",
    "application/vnd.sdmx.data+csv;version=2.1.0",
    "application/vnd.sdmx.data+json;version=2.0.0",
    "application/vnd.sdmx.data+xml;version=3.0.0",
    "application/vnd.sdmx.data+csv;version=2.0.0",
]
"""SDMX-REST 2.2.2, api/sdmx-rest.yaml, responses of data queries, in their order."""
V1_DATA = [
    "application/vnd.sdmx.genericdata+xml;version=2.1",
    "application/vnd.sdmx.structurespecificdata+xml;version=2.1",
    "application/vnd.sdmx.generictimeseriesdata+xml;version=2.1",
    "application/vnd.sdmx.structurespecifictimeseriesdata+xml;version=2.1",
    "application/vnd.sdmx.data+json;version=1.0.0",
    "application/vnd.sdmx.data+csv;version=1.0.0",
]
"""SDMX-REST 1.5.0, v2_1/ws/rest/src/sdmx-rest.yaml."""


def test_data_formats_of_the_standard_come_first() -> None:
    assert V2_DATA == [one.media_types[0] for one in formats_for("data", "v2")][: len(V2_DATA)]
    assert V1_DATA == [one.media_types[0] for one in formats_for("data", "v1")][: len(V1_DATA)]


@pytest.mark.parametrize("kind", ["structure", "availability"])
def test_structure_formats(kind: str) -> None:
    assert [one.media_types[0] for one in formats_for(kind, "v2")][:4] == [
        "application/vnd.sdmx.structure+json;version=2.1.0",
        "application/vnd.sdmx.structure+xml;version=3.1.0",
        "application/vnd.sdmx.structure+json;version=2.0.0",
        "application/vnd.sdmx.structure+xml;version=3.0.0",
    ]
    assert formats_for(kind, "v1")[0].media_types[0] == "application/vnd.sdmx.structure+xml;version=2.1"


def test_a_schema_is_a_schema_unless_a_structure_message_is_asked_for() -> None:
    sdmx = "application/vnd.sdmx."
    assert [one.media_types[0] for one in formats_for("schema", "v2")][:2] == [
        f"{sdmx}schema+json;version=2.1.0", f"{sdmx}schema+xml;version=3.1.0"]  # fmt: skip
    offered = {one.media_types[0] for one in formats_for("schema", "v2")}
    assert {f"{sdmx}{kind};version={version}" for kind, version in (
        ("schema+json", "2.0.0"), ("schema+xml", "3.0.0"), ("structure+json", "2.1.0"), ("structure+xml", "3.1.0"),
        ("structure+json", "2.0.0"), ("structure+xml", "3.0.0"))} <= offered  # fmt: skip
    assert formats_for("schema", "v1")[0].media_types == (f"{sdmx}schema+xml;version=2.1",)


def test_csv_parameters() -> None:
    assert named("sdmx-csv-2.1").parameters == {
        "labels": ("id", "name", "both"), "timeFormat": ("original", "normalized"), "keys": ("none", "obs", "series", "both")}  # fmt: skip
    assert named("sdmx-csv-1.0").parameters["labels"] == ("id", "both")


def test_names_are_unique() -> None:
    assert len({one.name for one in FORMATS}) == len(FORMATS)
    with pytest.raises(NotFound):
        named("gesmes")


@pytest.mark.parametrize(
    ("media_type", "name"),
    [
        ("application/vnd.sdmx.data+csv; version=2.0.0; labels=both", "sdmx-csv-2.0"),
        ("Application/VND.sdmx.Data+XML;version=3.0.0", "sdmx-ml-3.0"),
        ("application/vnd.sdmx.genericdata+xml;version=2.1", "sdmx-ml-2.1-generic"),
        ("application/vnd.sdmx.data+json", "sdmx-json-2.1"),
        ("text/html", None),
    ],
)
def test_media_types(media_type: str, name: str | None) -> None:
    found = of_media_type(media_type)
    assert name == (found and found.name)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("x.csv", "sdmx-csv-2.1"),
        ("X.XML", "sdmx-ml-3.1"),
        ("x.json", "sdmx-json-2.1"),
        ("x.doc", None),
        ("x.parquet", "parquet"),
        ("x.arrows", "arrow"),
        ("x.jsonstat", "jsonstat"),
        ("x.xlsx", "xlsx"),
        ("x.xlsm", None),
    ],
)
def test_suffixes(file: str, name: str | None) -> None:
    found = of_suffix(file)
    assert name == (found and found.name)


XML = '<?xml version="1.0"?><m:{} xmlns:m="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message"><m:Header>'


@pytest.mark.parametrize(
    ("start", "file", "name"),
    [
        ("DATAFLOW,FREQ,OBS_VALUE\nZOO:BIRDS(1.0),A,1\n", "a.csv", "sdmx-csv"),
        ("STRUCTURE,STRUCTURE_ID,ACTION,FREQ\n", None, "sdmx-csv"),
        ("country,year,n\nMT,2020,1\n", "a.csv", "csv"),
        (XML.format("GenericData"), "a.xml", "sdmx-ml"),
        (XML.format("StructureSpecificData"), None, "sdmx-ml"),
        ('{"meta": {"id": "X"}, "data": {"dataSets": [', "a.json", "sdmx-json"),
    ],
)
def test_recognised_by_its_looks(start: str, file: str | None, name: str) -> None:
    assert recognise_data(Head(start=start.encode(), name=file)).name == name


@pytest.mark.parametrize("start", [b"", b"\x00\x01\x02", b"hello"])
def test_not_recognised(start: bytes) -> None:
    with pytest.raises(UnknownFormat):
        recognise_data(Head(start=start))


def test_the_reader_of_a_version_is_that_of_its_family() -> None:
    assert recognise_data(Head(start=b""), "sdmx-csv-2.0").name == "sdmx-csv"
    assert recognise_data(Head(start=b""), "sdmx-ml-2.1-generic").name == "sdmx-ml"
    with pytest.raises(UnknownFormat):
        recognise_data(Head(start=b""), "structure-xml-3.1")


def test_structure_messages() -> None:
    assert structure_format(XML.format("Structure").encode()).name == "structure-xml"
    assert structure_format(b' {"meta": {}, "data": {}}').name == "structure-json"
    with pytest.raises(UnknownFormat):
        structure_format(b"a,b")


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"%PDF-1.7\n1,2;3\n", "a PDF document"),
        (b"Rar!\x1a\x07", "a RAR archive"),
        (b"\n<!DOCTYPE html><table>", "a web page"),
        (b"\x89PNG\r\n", "a picture"),
    ],
)
def test_what_holds_no_figures_is_called_by_its_name(start: bytes, what: str) -> None:
    with pytest.raises(UnknownFormat, match=f"'t.csv' is {what}, from which nothing is read. Send the table itself"):
        recognise_data(Head(start=start, name="t.csv"))
    members = ("[Content_Types].xml", "word/document.xml")
    with pytest.raises(UnknownFormat, match="a text document"):
        recognise_data(Head(start=b"PK\x03\x04", name="t.docx", members=members))
