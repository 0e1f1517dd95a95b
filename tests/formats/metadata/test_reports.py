"""Reports of SDMX 2.1: every kind of target, in SDMX-ML generic and structure-specific and in SDMX-JSON 1.0."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from sdmx_service.errors import CannotWrite, UnreadableFile
from sdmx_service.model.message import Message
from sdmx_service.model.metadata import MetadataSet
from tests.formats.metadata.messages import FORMATS, SCHEMAS, read_as

URN = "urn:sdmx:org.sdmx.infomodel."
MES = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message"
COM = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/common"
GEN = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/metadata/generic"
TARGETS = f"""
<g:ReferenceValue id="FLOW"><g:ObjectReference>
  <Ref agencyID="AG" id="DF" version="1.0" package="datastructure" class="Dataflow"/></g:ObjectReference></g:ReferenceValue>
<g:ReferenceValue id="KEY"><g:DataKey>
  <c:KeyValue id="FREQ"><c:Value>A</c:Value></c:KeyValue><c:KeyValue id="AREA"><c:Value>MT</c:Value></c:KeyValue>
</g:DataKey></g:ReferenceValue>
<g:ReferenceValue id="SET"><g:DataSetReference>
  <c:DataProvider><URN>{URN}base.DataProvider=AG:DATA_PROVIDERS(1.0).P</URN></c:DataProvider><c:ID>D1</c:ID>
</g:DataSetReference></g:ReferenceValue>
<g:ReferenceValue id="PART"><g:ConstraintContentReference>
  <URN>{URN}registry.AttachmentConstraint=AG:AC(1.0)</URN></g:ConstraintContentReference></g:ReferenceValue>
<g:ReferenceValue id="WHEN"><g:ReportPeriod>2010</g:ReportPeriod></g:ReferenceValue>
"""
GENERIC = f"""<?xml version="1.0"?>
<m:GenericMetadata xmlns:m="{MES}" xmlns:c="{COM}" xmlns:g="{GEN}">
<m:Header><m:ID>M</m:ID><m:Test>false</m:Test><m:Prepared>2024-01-01T00:00:00Z</m:Prepared><m:Sender id="ME"/>
<m:Structure structureID="S"><c:Structure><Ref agencyID="AG" id="MSD" version="1.0"/></c:Structure></m:Structure></m:Header>
<m:MetadataSet structureRef="S" setID="QUALITY" action="Replace" publicationYear="2024" validFromDate="2024-01-01T00:00:00Z">
<c:Name xml:lang="en">Quality</c:Name><g:DataProvider><URN>{URN}base.DataProvider=AG:DATA_PROVIDERS(1.0).P</URN></g:DataProvider>
<g:Report id="R"><g:Target id="T">{TARGETS}</g:Target><g:AttributeSet>
<g:ReportedAttribute id="A" value="x"><g:AttributeSet><g:ReportedAttribute id="B">
<c:Text xml:lang="en">yes</c:Text><c:Text xml:lang="fr">oui</c:Text></g:ReportedAttribute></g:AttributeSet></g:ReportedAttribute>
</g:AttributeSet></g:Report></m:MetadataSet></m:GenericMetadata>"""
JSON_1_0 = {
    "meta": {
        "schema": "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/develop/metadata-message/tools/schemas/1.0/"
        "sdmx-json-metadata-schema.json",
        "id": "M", "test": False, "prepared": "2024-01-01T00:00:00Z", "sender": {"id": "ME"},
    },
    "data": {"metadataSets": [{
        "id": "QUALITY", "action": "Replace", "publicationYear": "2024", "validFrom": "2024-01-01T00:00:00Z",
        "name": "Quality", "names": {"en": "Quality"}, "dataProvider": f"{URN}base.DataProvider=AG:DATA_PROVIDERS(1.0).P",
        "links": [{"rel": "metadatastructure", "urn": f"{URN}metadatastructure.MetadataStructure=AG:MSD(1.0)"}],
        "reports": [{
            "id": "R",
            "target": {"id": "T", "referenceValues": [
                {"id": "FLOW", "object": f"{URN}datastructure.Dataflow=AG:DF(1.0)"},
                {"id": "KEY", "dataKey": {"keyValues": [{"id": "FREQ", "value": "A"}, {"id": "AREA", "value": "MT"}]}},
                {"id": "SET", "dataSet": {"dataProvider": f"{URN}base.DataProvider=AG:DATA_PROVIDERS(1.0).P", "id": "D1"}},
                {"id": "PART", "constraintContent": f"{URN}registry.AttachmentConstraint=AG:AC(1.0)"},
                {"id": "WHEN", "reportPeriod": "2010"},
            ]},
            "attributeSet": {"reportedAttributes": [{
                "id": "A", "value": "x",
                "attributeSet": {"reportedAttributes": [{"id": "B", "text": "yes", "texts": {"en": "yes", "fr": "oui"}}]},
            }]},
        }],
    }]},
}  # fmt: skip


def only(message: Message) -> MetadataSet:
    (found,) = message.structures
    assert isinstance(found, MetadataSet)
    return found


def test_a_report_becomes_a_set() -> None:
    made = only(read_as("metadata-xml", GENERIC.encode()))
    assert (made.agency, made.id, made.version) == ("P", "QUALITY", "1.0")
    assert made.described_by is not None and made.described_by.text == "AG:MSD(1.0)"
    assert made.targets == (f"{URN}datastructure.Dataflow=AG:DF(1.0)",)
    assert [(path, one.value or dict(one.texts)) for path, one in made.values()] == [
        ("A", "x"), ("A.B", {"en": "yes", "fr": "oui"}),
    ]  # fmt: skip
    kept = [(note.id, note.title, note.texts.text()) for note in made.annotations if note.type == "METADATA_REFERENCE"]
    assert kept == [
        ("FLOW", "ObjectReference", f"{URN}datastructure.Dataflow=AG:DF(1.0)"),
        ("KEY", "DataKey", "FREQ=A,AREA=MT"),
        ("SET", "DataSetReference", f"{URN}base.DataProvider=AG:DATA_PROVIDERS(1.0).P D1"),
        ("PART", "ConstraintContentReference", f"{URN}registry.AttachmentConstraint=AG:AC(1.0)"),
        ("WHEN", "ReportPeriod", "2010"),
    ]


def test_the_sample_of_json_is_valid_and_says_the_same() -> None:
    schema = json.loads((SCHEMAS / "json" / "sdmx10" / "sdmx-json-metadata-schema.json").read_text("utf-8"))
    # the schema knows neither attachment constraints nor, in URNs, a version without a patch level everywhere
    found = [one.message for one in jsonschema.Draft7Validator(schema).iter_errors(JSON_1_0)]
    assert [one for one in found if "AttachmentConstraint" not in one] == []
    ours = only(read_as("metadata-json", json.dumps(JSON_1_0).encode()))
    assert ours == only(read_as("metadata-xml", GENERIC.encode()))


@pytest.mark.parametrize("target", [one for one in FORMATS if one.name.startswith("metadata-xml-2.1")], ids=str)
def test_every_kind_of_target_is_written_again(target: Any) -> None:
    made = only(read_as("metadata-xml", GENERIC.encode()))
    written = target.write(Message(structures=(made,)))
    assert target.faults(written) == []
    assert only(target.read(written)) == made


def test_reports_of_one_set_stay_apart() -> None:
    """Two reports with targets of their own become two sets with ids of their own, and are read back as these."""
    begin, end = GENERIC.index("<g:Report "), GENERIC.index("</m:MetadataSet>")
    report = GENERIC[begin:end]
    twice = GENERIC[:end] + report.replace("2010", "2011") + GENERIC[end:]
    message = read_as("metadata-xml", twice.encode())
    assert [one.id for one in message.structures] == ["QUALITY", "QUALITY_2"]
    for target in FORMATS:
        if target.name.startswith("metadata-xml-2.1"):
            assert target.read(target.write(message)).structures == message.structures


def test_a_set_about_several_things_is_a_report_about_each() -> None:
    made = only(read_as("metadata-xml", GENERIC.encode()))
    plain = replace(
        made, annotations=(), targets=tuple(f"{URN}datastructure.Dataflow=AG:DF_{n}(1.0)" for n in range(3))
    )
    for target in FORMATS:
        if target.name.startswith("metadata-xml-2.1"):
            written = target.write(Message(structures=(plain,)))
            assert written.count(b"<Report ") + written.count(b"<md:Report ") == 3
            assert target.faults(written) == []
            assert only(target.read(written)) == plain


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('structureRef="S"', 'structureRef="OTHER"', "the header has no structure 'OTHER'"),
        ('structureRef="S"', "", "the header has no structure ''"),
        ('<g:Report id="R">', "<g:Report>", "the Report has no id"),
        ('id="WHEN"', "", "the ReferenceValue has no id"),
        ("<g:ReportPeriod>2010</g:ReportPeriod>", "", "a reference value has one value"),
        ("g:ReportPeriod", "g:Season", "a reference value has no Season"),
        ('<g:ReportedAttribute id="B">', "<g:ReportedAttribute>", "the reported attribute has no id"),
        ('<c:Text xml:lang="fr">oui', '<c:Text xml:lang="en">oui', "a second, different Text"),
        ("<c:ID>D1</c:ID>", "", "names its DataProvider and its ID"),
        ('class="Dataflow"', 'class="Fish"', "which SDMX does not know"),
        ('action="Replace"', 'action="Perhaps"', "is not one of Merge"),
        ("<m:MetadataSet ", "<m:DataSet ", "not well-formed"),
        ("<?xml version=\"1.0\"?>", "<!DOCTYPE a><!-- -->", "document type declaration"),
    ],
)  # fmt: skip
def test_faults_have_their_line(old: str, new: str, words: str) -> None:
    from sdmx_service.errors import SdmxError

    assert old in GENERIC
    with pytest.raises(SdmxError) as caught:
        read_as("metadata-xml", GENERIC.replace(old, new).encode())
    assert words in caught.value.detail
    assert "line " in caught.value.detail or "DOCTYPE" in caught.value.detail


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"reports": 1}, "/data/metadataSets/0/reports"),
        ({"reports": [{"id": "R"}]}, "/data/metadataSets/0/reports/0/target"),
        ({"colour": 1}, "/data/metadataSets/0/colour"),
        ({"action": "Perhaps"}, "/data/metadataSets/0/action"),
        ({"dataProvider": "me"}, "/data/metadataSets/0/dataProvider"),
    ],
)
def test_faults_have_their_pointer(change: dict[str, Any], place: str) -> None:
    message = {**JSON_1_0, "data": {"metadataSets": [{**JSON_1_0["data"]["metadataSets"][0], **change}]}}  # type: ignore[index, dict-item]
    with pytest.raises(UnreadableFile) as caught:
        read_as("metadata-json", json.dumps(message).encode())
    assert caught.value.detail.startswith(f"{place}:")


def test_a_set_without_structure_cannot_be_written_as_2_1() -> None:
    made = replace(only(read_as("metadata-xml", GENERIC.encode())), attributes=())
    for target in FORMATS:
        if target.name.startswith("metadata-xml-2.1"):
            with pytest.raises(CannotWrite, match="needs an attribute"):
                target.write(Message(structures=(made,)))
