"""Messages and schemas of others: messages with their structure at hand are right by our schema, and so are ours by theirs.

A message that lacks a mandatory attribute is right by the schema for deletions, which requires none: schemas of others
never do. What else is wrong with a specimen is named in ``FAULTY``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.dissemination.validity import data_schema
from sdmx_service.errors import SdmxError
from sdmx_service.formats.sdmx_ml import structure_reader
from sdmx_service.formats.sdmx_ml.structure_references import read_reference
from sdmx_service.model.artefact import ItemScheme, Maintainable
from sdmx_service.model.query import SchemaQuery
from sdmx_service.model.structure import DataStructure
from sdmx_service.model.urn import Ref
from tests.formats.data.known_structures import artefacts
from tests.formats.data.writing import structure
from tests.formats.schema.judging import schema_of, written, xml_faults, xml_schema
from tests.reference import Specimen, select_specimens

XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
OWN_STRUCTURE = {"ECB_EXR_CA.xml": "ECB_EXR_CA_DSD.xml"}
"""Messages that name a dataflow that nobody has; the structure stands beside them."""
FAULTY = frozenset(
    {"DataXMLDataOnly.xml", "DataXMLNObservations.xml", "str_ser.xml", "str_all_minimal.xml", "str_all_minimal_df.xml", "data.xml",
     "data_no_attached.xml", "header_structure_provision_agrement.xml", "message_full.xml", "message_full_warning.xml",
     "message_full_with_langs.xml", "structure_ref_urn.xml", "demography-xs.xml", "ECB_EXR_CA.xml"}
)  # fmt: skip
"""Codes that are not in the list; attributes at another level or not of the structure, or without their namespace; observations outside series."""


def _is_whole(one: Maintainable) -> bool:
    if isinstance(one, DataStructure):
        return bool(one.dimensions)
    return not isinstance(one, ItemScheme) or bool(one.items)


@cache
def _catalog(version: str, origin: str) -> Catalog:
    """All structures; those of the same origin first."""
    own: list[Maintainable] = []
    for one in select_specimens(kind="structure", format="sdmx-ml", version=version):
        if one.path.parent.name == origin:
            own += _structures(one.path)
    return Catalog.of([*artefacts().values(), *filter(_is_whole, own)])


@cache
def _structures(path: Path) -> tuple[Maintainable, ...]:
    try:
        with path.open("rb") as file:
            return structure_reader.read_structures(file).structures
    except SdmxError:
        return ()


def _schemas(specimen: Specimen, root: Any) -> Iterator[tuple[bytes, bytes]]:
    """Per data set the schema, and the one for deletions, under the namespace that it names."""
    catalog = _catalog(specimen.version, specimen.path.parent.name)
    headers = {one.get("structureID"): one for one in root.iter("{*}Structure")}
    for dataset in root.iter("{*}DataSet"):
        (header,) = (headers[value] for value in dataset.attrib.values() if value in headers)
        artefact: Maintainable | None
        if specimen.path.name in OWN_STRUCTURE:
            folder = specimen.path.parents[2] / "structure" / specimen.path.parent.name
            found = _structures(folder / OWN_STRUCTURE[specimen.path.name])
            catalog = Catalog.of([*catalog.artefacts.values(), *found])
            artefact = next(one for one in found if isinstance(one, DataStructure))
        else:
            kind = {"Structure": "DataStructure", "StructureUsage": "Dataflow"}
            local = etree.QName(header[0]).localname
            artefact = catalog.artefact(read_reference(header[0], kind.get(local, "ProvisionAgreement")))
        prefix = (dataset.get(XSI_TYPE) or "").partition(":")[0]
        made = []
        for deletes in (False, True):
            query = SchemaQuery(
                api="v1", context="dataflow", agency="A", id="B", deletion=deletes,
                dimension_at_observation=header.get("dimensionAtObservation"),
                explicit_measure=header.get("explicitMeasures") == "true",
            )  # fmt: skip
            text = written(data_schema(query, artefact, catalog), f"schema-xml-{specimen.version}").decode()
            own = re.search(r'targetNamespace="([^"]*)"', text)
            assert own is not None
            made.append(text.replace(f'"{own[1]}"', f'"{dataset.nsmap[prefix]}"').encode())
        yield made[0], made[1]


def _judge(specimen: Specimen) -> str:
    """``valid``, ``lacking`` or ``faulty``; ``unknown`` without the structure."""
    root = etree.parse(specimen.path, etree.XMLParser(huge_tree=True)).getroot()
    try:
        schemas = list(_schemas(specimen, root))
    except (SdmxError, KeyError, ValueError):
        return "unknown"
    if len(schemas) != 1:
        return "unknown"
    body = specimen.path.read_bytes()
    ((whole, lenient),) = schemas
    found = xml_faults(xml_schema(whole, specimen.version), body)
    if not found:
        return "valid"
    if all("is required but missing" in one for one in found):
        assert xml_faults(xml_schema(lenient, specimen.version), body) == []
        return "lacking"
    assert specimen.path.name in FAULTY, sorted(set(found))[:9]
    assert any(re.search("is not allowed|not expected|is not a valid value", one) for one in found), found[:5]
    return "faulty"


def test_messages_of_others() -> None:
    """Each valid structure-specific message whose structure is among the specimens."""
    judged: dict[str, list[str]] = {}
    for specimen in select_specimens(format="sdmx-ml", version=("2.1", "3.0", "3.1"), kind=("ssdata", "sstsdata")):
        if specimen.expectation.startswith("valid") and "SeriesKeysOnly" not in specimen.path.name:
            judged.setdefault(_judge(specimen), []).append(specimen.path.name)
    if not judged:
        pytest.skip("the specimens are not here")
    assert {"ng-flat-ss.xml", "sg-ts-gf-ss.xml", "ng-ts-ss.xml", "rg-ts-ss.xml", "sg-ts-ss.xml"} <= set(judged["valid"])
    assert "sdmx-compactData21.xml" in judged["lacking"]
    assert len(judged["valid"]) >= 7


def test_explicit_measures() -> None:
    """A cross-section of 2.1 with a type for each measure; it lacks a mandatory attribute and has a wrong code."""
    found = [one for one in select_specimens(format="sdmx-ml", kind="ssdata") if one.path.name == "demography-xs.xml"]
    if not found:
        pytest.skip("the specimens are not here")
    root = etree.parse(found[0].path).getroot()
    ((whole, lenient),) = _schemas(found[0], root)
    body = found[0].path.read_bytes().replace(b'COUNTRY="EL"', b'COUNTRY="BE"')
    assert {one.partition(": ")[2] for one in xml_faults(xml_schema(whole, "2.1"), body)} == {
        "The attribute 'DECIMALS' is required but missing."
    }
    judge = xml_schema(lenient, "2.1")
    assert xml_faults(judge, body) == []
    assert b'name="LBIRTHST"' in lenient
    assert xml_faults(judge, body.replace(b"demo:LBIRTHST", b"demo:LBIRTHSX"))
    assert xml_faults(judge, body.replace(b' xsi:type="demo:LBIRTHST"', b""))


def test_several_values_and_languages() -> None:
    """The example of SDMX-ML 3.0 by its own schema and by ours; it has two values of an attribute that may have one."""
    found = [
        one for one in select_specimens(version="3.0", kind="ssdata") if one.file.endswith("sdmx-ml/ECB_EXR_CA.xml")
    ]
    if not found:
        pytest.skip("the specimens are not here")
    folder = found[0].path.parents[3] / "xsd-generated" / "schema" / "sdmx-ml"
    theirs = (folder / "ECB_EXR_CA_Dataflow.xsd").read_bytes().replace(b"../../schemas/", b"")
    driver = (
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:import schemaLocation="SDMXMessage.xsd"'
        ' namespace="http://www.sdmx.org/resources/sdmxml/schemas/v3_0/message"/>'
    )
    root = etree.parse(found[0].path).getroot()
    ((whole, _),) = _schemas(found[0], root)
    right = re.sub(rb'<Comp id="SOURCE_PUB".*?</Comp>', b"", found[0].path.read_bytes(), flags=re.DOTALL)
    head, tail = theirs.split(b"<xs:import", 1)
    judges = [
        xml_schema(whole, "3.0"),
        xml_schema(head + driver.partition(">")[2].encode() + b"<xs:import" + tail, "3.0"),
    ]
    for judge in judges:
        assert xml_faults(judge, right) == []
        assert xml_faults(judge, right.replace(b"<Value>4F0</Value>", b"<Value>NOBODY</Value>"))
        assert xml_faults(judge, right.replace(b"<Value>4F0</Value>", b""))  # at least three
        assert xml_faults(judge, right.replace(b'CURRENCY="CAD"', b'CURRENCY="XXXX"'))


THEIRS = [one for one in select_specimens(format="xsd-generated") if one.path.name != "common.xsd"]


@pytest.mark.parametrize("generated", THEIRS, ids=str)
def test_schemas_of_others_have_the_same_parts(generated: Specimen) -> None:
    """Namespace, names of types, and what each type restricts, as in schemas that other tools made."""
    theirs = etree.parse(generated.path).getroot()
    space = theirs.get("targetNamespace")
    matched = re.fullmatch(
        r"urn:sdmx:org\.sdmx\.infomodel\.datastructure\.(\w+)=([\w.]+):(\w+)\((.*)\):ObsLevelDim:(\w+)", space
    )
    assert matched is not None, space
    types = {one.get("name"): _base(one) for one in theirs.findall("{*}complexType")}
    version = "3.0" if "v3_0" in theirs.nsmap["dsd"] else "2.1"
    base = {"DataSetType", "SeriesType", "ObsType", "AttsType"} & set(types)
    made = _invented(matched[1], matched[2], matched[3], matched[4], matched[5], version)
    ours = etree.fromstring(made)
    assert ours.get("targetNamespace") == space
    own = {one.get("name"): _base(one) for one in ours.findall("{*}complexType")}
    assert {name: own[name] for name in base} == {name: types[name] for name in base}


def _base(kind: Any) -> str:
    return str(next(kind.iter("{*}restriction")).get("base"))


def _invented(kind: str, agency: str, id: str, version: str, at_observation: str, ml: str) -> bytes:
    """Our schema of an invented structure under their reference and view."""
    made = structure()
    ref = Ref(type=kind, agency=agency, id=id, version=version)
    return written(schema_of(made, ref, ("A",), at_observation=at_observation), f"schema-xml-{ml}")
