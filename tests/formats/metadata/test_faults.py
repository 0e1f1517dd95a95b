"""What is wrong in a metadata message of SDMX-ML 3.x or SDMX-JSON 2.x is said with its place; what is let pass."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sdmx_service.errors import NotBuilt, SdmxError, UnsafeFile
from sdmx_service.model.metadata import MetadataSet
from tests.formats.metadata.messages import read_as

URN = "urn:sdmx:org.sdmx.infomodel."


def xml(body: str, version: str = "3.1", head: str = 'id="S" agencyID="AG" version="1.0.0"', start: str = "") -> bytes:
    root = f"http://www.sdmx.org/resources/sdmxml/schemas/v{version.replace('.', '_')}/"
    return (
        f'<?xml version="1.0"?>{start}<m:GenericMetadata xmlns:m="{root}message" xmlns:c="{root}common" '
        f'xmlns:g="{root}metadata/generic">\n<m:Header><m:ID>M</m:ID><m:Test>false</m:Test>'
        f"<m:Prepared>2024-01-01T00:00:00</m:Prepared><m:Sender id='ME'/></m:Header>\n<m:MetadataSet {head}>"
        f'<c:Name xml:lang="en">N</c:Name><g:Metadataflow>{URN}metadatastructure.Metadataflow=AG:MDF(1.0)</g:Metadataflow>'
        f"<g:Target>{URN}datastructure.Dataflow=AG:DF(1.0)</g:Target>\n{body}</m:MetadataSet></m:GenericMetadata>"
    ).encode()


def one(content: bytes) -> MetadataSet:
    (found,) = read_as("metadata-xml", content).structures
    assert isinstance(found, MetadataSet)
    return found


def test_3_0_may_repeat_a_value() -> None:
    body = '<g:Attribute id="A"><g:Value>x</g:Value><g:Value>y</g:Value><g:Attribute id="B"/></g:Attribute>'
    assert [(path, each.value) for path, each in one(xml(body, "3.0")).values()] == [
        ("A", "x"),
        ("A.B", None),
        ("A", "y"),
    ]
    with pytest.raises(SdmxError, match="a second Value"):
        one(xml(body, "3.1"))


def test_structured_text_is_whole_by_itself() -> None:
    body = (
        '<g:Attribute id="A"><c:StructuredText xml:lang="en">a &lt; b <h:p xmlns:h="http://www.w3.org/1999/xhtml">'
        "<h:em>c</h:em></h:p></c:StructuredText></g:Attribute>"
    )
    ((_, found),) = one(xml(body)).values()
    text = found.texts["en"]
    assert (found.data_type, text.startswith("a &lt; b <")) == ("XHTML", True)
    from lxml import etree

    root = etree.fromstring(f"<x>{text}</x>")
    assert [etree.QName(each).text for each in root.iter()] == [
        "x", "{http://www.w3.org/1999/xhtml}p", "{http://www.w3.org/1999/xhtml}em",
    ]  # fmt: skip


DEEP = '<g:Attribute id="A">' * 51 + "</g:Attribute>" * 51


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (xml("<g:Attribute><g:Value>x</g:Value></g:Attribute>"), "the metadata attribute has no id"),
        (xml('<g:Attribute id="A"><g:Value>x</g:Value><c:Text>y</c:Text></g:Attribute>'), "has Value and texts"),
        (xml('<g:Attribute id="A"><c:Text>x</c:Text><c:StructuredText>y</c:StructuredText></g:Attribute>'), "Text and StructuredText"),
        (xml('<g:Attribute id="A"><c:Text>x</c:Text><c:Text>y</c:Text></g:Attribute>'), "a second, different Text"),
        (xml('<g:Attribute id="A"><g:Colour/></g:Attribute>'), "a metadata attribute has no Colour"),
        (xml('<g:Attribute id="A"><g:Value><g:Value/></g:Value></g:Attribute>'), "only text may stand in Value"),
        (xml("<g:Target>here</g:Target>"), "'here' is not the URN of an artefact"),
        (xml("<g:Season/>"), "SDMX-ML has no Season in MetadataSet"),
        (xml("", head='id="S"'), "MetadataSet has no agencyID"),
        (xml("", head='agencyID="AG"'), "MetadataSet has no id"),
        (xml("", head='id="S" agencyID="AG" action="Perhaps"'), "is not one of Merge"),
        (xml("", head='id="S" agencyID="AG" colour="red"'), "MetadataSet has no attribute 'colour'"),
        (xml(DEEP), "more than 50 levels"),
        (xml("").replace(b"m:GenericMetadata", b"m:Structure"), "not a metadata message of SDMX-ML, but 'Structure'"),
        (xml("").replace(b"m:MetadataSet", b"m:DataSet"), "a metadata message has no DataSet"),
        (xml("")[:-5], "not well-formed XML"),
    ],
)  # fmt: skip
def test_faults_have_their_line(content: bytes, words: str) -> None:
    with pytest.raises(SdmxError) as caught:
        read_as("metadata-xml", content)
    assert words in caught.value.detail
    assert "line " in caught.value.detail


def test_unsafe_and_old_messages_are_refused() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;&b;">]>'
    with pytest.raises(UnsafeFile):
        read_as("metadata-xml", xml('<g:Attribute id="A"><g:Value>&c;</g:Value></g:Attribute>', start=bomb))
    with pytest.raises(NotBuilt):
        read_as("metadata-xml", xml("", "2.0"))


# --- SDMX-JSON ------------------------------------------------------------------------------------------------------
SET: dict[str, Any] = {
    "id": "S", "agencyID": "AG", "version": "1.0.0", "name": "N",
    "metadataflow": f"{URN}metadatastructure.Metadataflow=AG:MDF(1.0)", "targets": [f"{URN}datastructure.Dataflow=AG:DF(1.0)"],
    "attributes": [{"id": "A", "value": "x"}],
}  # fmt: skip


def json_of(**change: Any) -> bytes:
    made = {name: value for name, value in {**SET, **change}.items() if value is not None}
    return json.dumps({"meta": {"id": "M"}, "data": {"metadataSets": [made]}}).encode()


def nested(depth: int) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = [{"id": "A"}]
    for _ in range(depth):
        made = [{"id": "A", "attributes": made}]
    return made


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"attributes": 1}, "/data/metadataSets/0/attributes: 1 is not an array"),
        ({"attributes": [1]}, "/data/metadataSets/0/attributes/0: 1 is not an object"),
        ({"attributes": [{"value": "x"}]}, "/data/metadataSets/0/attributes/0: the metadata attribute has no id"),
        ({"attributes": [{"id": "A", "value": ["x"]}]}, "/attributes/0/value: ['x'] is not a value"),
        ({"attributes": [{"id": "A", "value": {"en": 1}}]}, "/attributes/0/value: {'en': 1} is not a value"),
        ({"attributes": [{"id": "A", "colour": 1}]}, "/attributes/0/colour: SDMX-JSON has no such property"),
        ({"attributes": [{"id": "A", "links": [{"rel": "other"}]}]}, "/attributes/0/links: SDMX-JSON has no links"),
        ({"attributes": [{"id": "A", "annotations": [{"colour": 1}]}]}, "/attributes/0/annotations/0/colour"),
        ({"attributes": [{"id": "A", "attributes": [{"id": 1}]}]}, "/attributes/0/attributes/0: the metadata attribute has no id"),
        ({"attributes": nested(60)}, "nested in more than 50 levels"),
        ({"targets": ["here"]}, "/data/metadataSets/0/targets/0: 'here' is not the URN"),
        ({"targets": "here"}, "/data/metadataSets/0/targets: 'here' is not an array"),
        ({"metadataflow": "here"}, "/data/metadataSets/0/metadataflow: 'here' is not an SDMX URN"),
        ({"action": "Perhaps"}, "/data/metadataSets/0/action: 'Perhaps' is not"),
        ({"action": 1}, "/data/metadataSets/0/action: 1 is not"),
        ({"agencyID": None}, "/data/metadataSets/0: the MetadataSet has no agencyID"),
        ({"id": None}, "/data/metadataSets/0: the MetadataSet has no id"),
        ({"colour": 1}, "/data/metadataSets/0/colour: SDMX-JSON has no such property"),
        ({"validFrom": 1}, "/data/metadataSets/0/validFrom: 1 is not a text"),
    ],
)  # fmt: skip
def test_faults_have_their_pointer(change: dict[str, Any], words: str) -> None:
    with pytest.raises(SdmxError) as caught:
        read_as("metadata-json", json_of(**change))
    assert words in caught.value.detail


def test_what_is_let_pass() -> None:
    """Own extensions (SDMX-JSON 2.1), and addresses of attributes that registries repeat."""
    attribute = {"id": "A", "value": None, "x-note": 1, "links": [{"rel": "self", "urn": "urn:x"}]}
    (made,) = read_as("metadata-json", json_of(attributes=[attribute], **{"x-own": {}})).structures
    assert isinstance(made, MetadataSet)
    assert [(each.id, each.value) for each in made.attributes] == [("A", None)]


@pytest.mark.parametrize(
    ("value", "text", "kind"),
    [
        (True, "true", "Boolean"), (False, "false", "Boolean"), (12, "12", "Integer"), (-1.5, "-1.5", "Double"),
        ("12", "12", None), ("", "", None), (10**30, str(float(10**30)), "Double"),
    ],
)  # fmt: skip
def test_values_keep_their_text_and_type(value: Any, text: str, kind: str | None) -> None:
    (made,) = read_as("metadata-json", json_of(attributes=[{"id": "A", "value": value}])).structures
    assert isinstance(made, MetadataSet)
    assert (made.attributes[0].value, made.attributes[0].data_type) == (text, kind)
