"""Schemas of structure-specific metadata (SDMX-ML 2.1): reports, targets, attributes; a message of another house."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.dissemination.schema import schema
from sdmx_service.errors import CannotWrite
from sdmx_service.formats.metadata_reports import ReferenceValue, Report, ReportedSet, newer_sets
from sdmx_service.model.artefact import NO_TEXTS, Maintainable, Texts
from sdmx_service.model.message import Party
from sdmx_service.model.metadata import MetadataAttributeValue, MetadataSet
from sdmx_service.model.query import SchemaQuery
from sdmx_service.model.representation import Representation, TextFormat
from sdmx_service.model.schema import Enumeration, MetadataSchema
from sdmx_service.model.structure import MetadataStructure, MetadataTarget, ReportStructure, TargetObject
from sdmx_service.model.urn import Ref
from tests.formats.metadata.messages import read_as
from tests.formats.schema.judging import second_opinion, written, xml_faults
from tests.formats.schema.reports import report_schema, sent
from tests.formats.schema.test_metadata import FLOW, HEADINGS, LIST, SCHEMA, heading

FORMAT = "schema-xml-2.1"
URN = "urn:sdmx:org.sdmx.infomodel."
BIRDS = f"{URN}datastructure.Dataflow=ZOO:DF_BIRDS(1.0.0)"


def value(id: str, said: str | None = None, *inner: MetadataAttributeValue, **more: Any) -> MetadataAttributeValue:
    return MetadataAttributeValue(id=id, value=said, attributes=inner, **more)


VALUES = (
    value("SINCE", "1999"),
    value("CONTACT", None, value("AGE", "40"), value("NAME", texts=Texts({"en": "Ann", "fr": "Anne"}))),
    value("COVERAGE", "PART"),
    value("CONTACT", None, value("NAME", "Bob")),
)
"""In another order than the structure has."""
SET = MetadataSet(
    id="MS", agency="ZOO", version="1.0.0", names=Texts({"en": "Birds"}), described_by=FLOW, structure=SCHEMA.structure.ref,
    targets=(BIRDS, f"{URN}codelist.Code=ZOO:*(*).*"), attributes=VALUES,
)  # fmt: skip
Change = Callable[[etree._Element], None]


def _first(root: etree._Element, name: str) -> etree._Element:
    return next(root.iter(name))


def _remove(element: etree._Element) -> None:
    parent = element.getparent()
    assert parent is not None
    parent.remove(element)


def _unknown(root: etree._Element) -> None:
    etree.SubElement(_first(root, "AttributeSet"), "COLOUR", value="red")


def _wrong_place(root: etree._Element) -> None:
    etree.SubElement(_first(root, "AttributeSet"), "NAME", value="Ann")


def _child_of_none(root: etree._Element) -> None:
    etree.SubElement(etree.SubElement(_first(root, "COVERAGE"), "AttributeSet"), "NAME", value="x")


def _too_many(root: etree._Element) -> None:
    coverage = _first(root, "COVERAGE")
    coverage.addnext(etree.fromstring(etree.tostring(coverage)))


def _text_of_a_code(root: etree._Element) -> None:
    text = etree.SubElement(_first(root, "COVERAGE"), "{http://www.sdmx.org/resources/sdmxml/schemas/v2_1/common}Text")
    text.text = "ALL"


def _other_report(root: etree._Element) -> None:
    _first(root, "Report").set("id", "OTHER")


def _other_type(root: etree._Element) -> None:
    _first(root, "Target").set("{http://www.w3.org/2001/XMLSchema-instance}type", "md1:MetadataSetType")


CHANGES: dict[str, Change] = {
    "unknown attribute": _unknown,
    "attribute in the wrong place": _wrong_place,
    "attribute below one that holds none": _child_of_none,
    "too many": _too_many,
    "mandatory attribute missing": lambda root: _remove(_first(root, "NAME")),
    "mandatory attribute missing with all beside it": lambda root: _remove(_first(_first(root, "CONTACT"), "AttributeSet")),
    "unknown code": lambda root: _first(root, "COVERAGE").set("value", "NONE"),
    "no number": lambda root: _first(root, "AGE").set("value", "old"),
    "no year": lambda root: _first(root, "SINCE").set("value", "long ago"),
    "value of a heading": lambda root: _first(root, "CONTACT").set("value", "x"),
    "texts of a code": _text_of_a_code,
    "another report": _other_report,
    "another type": _other_type,
    "no target": lambda root: _remove(_first(root, "Target")),
    "no attributes": lambda root: _remove(_first(root, "AttributeSet")),
}  # fmt: skip


def test_a_list_of_attributes() -> None:
    """A structure of SDMX 3 has the report that it has in structure messages of 2.1."""
    body = written(SCHEMA, FORMAT)
    judge, right = report_schema(body), sent(SET, SCHEMA.structure)
    assert right.count(b"<Report ") == 2
    assert xml_faults(judge, right) == []
    assert xml_faults(judge, sent(SET)), "the order of the structure is asked for"
    for name, change in CHANGES.items():
        root = etree.fromstring(right)
        change(root)
        assert xml_faults(judge, etree.tostring(root)), name
    second_opinion(body, "2.1")


def test_attributes_that_occur_once_are_in_any_order() -> None:
    structure = replace(SCHEMA.structure, attributes=HEADINGS[1:])
    judge = report_schema(written(replace(SCHEMA, structure=structure), FORMAT))
    values = (value("SINCE", "1999"), value("COVERAGE", "ALL"))
    for these in (values, values[::-1]):
        assert xml_faults(judge, sent(replace(SET, attributes=these))) == []


def test_a_deletion_needs_nothing() -> None:
    judge = report_schema(written(replace(SCHEMA, deletion=True), FORMAT))
    root = etree.fromstring(sent(SET, SCHEMA.structure))
    CHANGES["mandatory attribute missing with all beside it"](root)
    assert xml_faults(judge, etree.tostring(root)) == []
    _unknown(root)
    assert xml_faults(judge, etree.tostring(root))


# --- reports and targets of a structure of 2.1 ------------------------------------------------------------------------
def form(kind: str | None = None, enumeration: Ref | None = None) -> Representation:
    return Representation(enumeration=enumeration, text_format=None if kind is None else TextFormat(type=kind))


ENCLOSURES = Ref(type="CategoryScheme", agency="ZOO", id="ENCLOSURES", version="1.0")
OTHER = Ref(type="Codelist", agency="ZOO", id="CL_OTHER", version="1.0")
WHERE = MetadataTarget(
    id="WHERE",
    objects=(
        TargetObject(id="REPORT_PERIOD_TARGET", kind="ReportPeriodTarget", representation=form("GregorianYear")),
        TargetObject(id="FLOW", kind="IdentifiableObjectTarget", object_type="Dataflow", representation=form("IdentifiableReference")),
        TargetObject(id="CAGE", kind="IdentifiableObjectTarget", object_type="Category", representation=form(enumeration=ENCLOSURES)),
        TargetObject(id="DIMENSION_DESCRIPTOR_VALUES_TARGET", kind="KeyDescriptorValuesTarget"),
        TargetObject(id="DATA_SET_TARGET", kind="DataSetTarget"),
        TargetObject(id="CONSTRAINT_CONTENT_TARGET", kind="ConstraintContentTarget"),
    ),
)  # fmt: skip
ANY = MetadataTarget(id="ANY", objects=(TargetObject(id="ANY", kind="IdentifiableObjectTarget", object_type="Any"),))
COVER = heading("COVERAGE", form=Representation(enumeration=LIST), min_occurs=None)
STRUCTURE = MetadataStructure(
    agency="ZOO", id="MSD_OLD", version="1.0", targets=(WHERE, ANY),
    reports=(
        ReportStructure(id="LONG", attributes=(*HEADINGS, heading("MORE", "XHTML")), targets=("WHERE", "ANY")),
        ReportStructure(id="SHORT", attributes=(COVER,), targets=("ANY",)),
    ),
)  # fmt: skip
REPORTED = MetadataSchema(
    ref=STRUCTURE.ref,
    structure=STRUCTURE,
    enumerations={
        "LONG:COVERAGE": Enumeration(ref=LIST, values={"ALL": NO_TEXTS, "PART": NO_TEXTS}),
        "SHORT:COVERAGE": Enumeration(ref=OTHER, values={"LITTLE": Texts({"en": "Little"})}),
    },
)
PLACE = (
    ReferenceValue(id="REPORT_PERIOD_TARGET", kind="ReportPeriod", text="2010"),
    ReferenceValue(id="FLOW", kind="ObjectReference", text=BIRDS),
    ReferenceValue(id="CAGE", kind="ObjectReference", text=f"{URN}categoryscheme.Category=ZOO:ENCLOSURES(1.0).A.B"),
    ReferenceValue(id="DIMENSION_DESCRIPTOR_VALUES_TARGET", kind="DataKey", text="FREQ=A,AREA=MT"),
    ReferenceValue(id="DATA_SET_TARGET", kind="DataSetReference", text=f"{URN}base.DataProvider=ZOO:DATA_PROVIDERS(1.0).P D1"),
    ReferenceValue(id="CONSTRAINT_CONTENT_TARGET", kind="ConstraintContentReference", text=f"{URN}registry.AttachmentConstraint=ZOO:AC(1.0)"),
)  # fmt: skip
ANYTHING = (ReferenceValue(id="ANY", kind="ObjectReference", text=BIRDS),)
MORE = value("MORE", texts=Texts({"en": '<p xmlns="http://www.w3.org/1999/xhtml">a <em>b</em></p>'}), data_type="XHTML")
LITTLE = (value("COVERAGE", "LITTLE"),)


def reported(*reports: Report) -> bytes:
    old = ReportedSet(id="MS", described_by=STRUCTURE.ref, names=Texts({"en": "Birds"}), reports=reports,
                      provider=Ref(type="DataProvider", agency="ZOO", id="DATA_PROVIDERS", version="1.0", item="P"))  # fmt: skip
    return sent(*newer_sets(old, "ZOO"), STRUCTURE)


LONG = Report(id="LONG", target="WHERE", values=PLACE, attributes=(*VALUES, MORE))


def test_reports_and_targets() -> None:
    body = written(REPORTED, FORMAT)
    judge = report_schema(body)
    right = [
        LONG,
        replace(LONG, target="ANY", values=ANYTHING),
        Report(id="SHORT", target="ANY", values=ANYTHING, attributes=LITTLE),
    ]
    assert xml_faults(judge, reported(*right)) == []
    second_opinion(body, "2.1")


@pytest.mark.parametrize(
    "wrong",
    [
        Report(id="SHORT", target="WHERE", values=PLACE, attributes=LITTLE),  # a target of the other report
        Report(id="SHORT", target="ANY", values=ANYTHING, attributes=(value("COVERAGE", "ALL"),)),  # a code of the other list
        Report(id="SHORT", target="ANY", values=ANYTHING, attributes=(value("SINCE", "1999"),)),  # without what is mandatory
        replace(LONG, values=PLACE[1:]),
        replace(LONG, values=(*PLACE, PLACE[0])),
        replace(LONG, values=(replace(PLACE[0], text="2010-Q1"), *PLACE[1:])),
        replace(LONG, values=(PLACE[0], replace(PLACE[1], text=BIRDS.replace("Dataflow=", "DataStructure=")), *PLACE[2:])),
        replace(LONG, values=(*PLACE[:2], replace(PLACE[2], text=PLACE[2].text.replace("ENCLOSURES", "KEEPERS")), *PLACE[3:])),
        replace(LONG, values=(*PLACE[:5], replace(PLACE[5], kind="ObjectReference"))),
        replace(LONG, id="NONE"),
    ],
)  # fmt: skip
def test_what_is_no_report_of_the_structure(wrong: Report) -> None:
    assert xml_faults(_reported_judge(), reported(wrong))


_KEPT: list[etree.XMLSchema] = []


def _reported_judge() -> etree.XMLSchema:
    if not _KEPT:
        _KEPT.append(report_schema(written(REPORTED, FORMAT)))
    return _KEPT[0]


@pytest.mark.parametrize(("parent", "is_right"), [("ENCLOSURES", True), ("KEEPERS", False)])
def test_a_reference_by_its_parts(parent: str, is_right: bool) -> None:
    body = reported(LONG)
    urn = f"<URN>{PLACE[2].text}</URN>".encode()
    assert urn in body
    parts = f'<Ref agencyID="ZOO" maintainableParentID="{parent}" maintainableParentVersion="1.0" id="A.B"/>'
    assert (xml_faults(_reported_judge(), body.replace(urn, parts.encode())) == []) is is_right


@pytest.mark.parametrize(
    "structure",
    [
        replace(STRUCTURE, reports=(replace(STRUCTURE.reports[1], targets=("NONE",)),)),
        replace(STRUCTURE, reports=(replace(STRUCTURE.reports[1], id="1ST"),)),
        replace(STRUCTURE, reports=(replace(STRUCTURE.reports[1], attributes=(heading("A@B"),)),)),
        replace(STRUCTURE, reports=(replace(STRUCTURE.reports[1], id="ANY"),)),  # ANY.ANY: its target, and a value of that
        replace(SCHEMA.structure, attributes=()),
    ],
)  # fmt: skip
def test_what_has_no_schema(structure: MetadataStructure) -> None:
    with pytest.raises(CannotWrite):
        written(replace(REPORTED, structure=structure), FORMAT)


# --- a message of another house ---------------------------------------------------------------------------------------
ESMS = {b"MetadataStructure=ESTAT:ESMS(": b"MetadataStructure=ESTAT:ESMS_SIMPLE(", b'id="ESMS"': b'id="ESMS_SIMPLE"',
        b"CATEGORY_TARGET.ReportPeriodTarget": b"CATEGORY_TARGET.REPORT_PERIOD_TARGET"}  # fmt: skip
"""How the message calls what its structure and the standard call differently."""


def test_a_message_of_eurostat(shared: Path) -> None:
    """By the schema of its structure three days are wrong that the structure calls moments; then any word changed."""
    folder = shared / "specimens" / "sdmx-ml-2.1"
    artefacts = read_as(
        "structure-xml", (folder / "structure/sdmx-test-data/esms-structure.xml").read_bytes()
    ).structures
    judge = _judge_of(artefacts, "ESMS_SIMPLE")
    message = (folder / "ssmetadata/sdmx-test-data/esms-ss.xml").read_bytes()
    for theirs, ours in ESMS.items():
        assert theirs in message
        message = message.replace(theirs, ours)
    faults = xml_faults(judge, message)
    assert len(faults) == 3
    assert all("is not a valid value of the union type" in one for one in faults)
    for day in (b"2010-01-13", b"2011-01-20"):
        message = message.replace(b'"%s"' % day, b'"%sT00:00:00"' % day)
    assert xml_faults(judge, message) == []
    for right, wrong in {b'value="LU"': b'value="XX"', b"<CITY ": b"<TOWN ", b'value="2009-12-10"': b'value="soon"',
                         b"=ESTAT:DATAFLOWS_SCHEME": b"=ESTAT:SCHEME", b">2010<": b">then<"}.items():  # fmt: skip
        assert right in message
        assert xml_faults(judge, message.replace(right, wrong)), wrong


def _judge_of(artefacts: tuple[Maintainable, ...], id: str) -> etree.XMLSchema:
    (structure,) = [one for one in artefacts if isinstance(one, MetadataStructure) and one.id == id]
    return report_schema(_written_of(structure, artefacts))


def _written_of(structure: MetadataStructure, artefacts: tuple[Maintainable, ...]) -> bytes:
    ref = structure.ref
    query = SchemaQuery(context="metadatastructure", agency=ref.agency, id=ref.id, version=ref.version, api="v1")
    made = schema(query, Catalog.of(artefacts), sender=Party(id="TEST")).schema
    assert isinstance(made, MetadataSchema)
    return written(made, FORMAT)


@pytest.mark.parametrize(
    "name",
    ["sdmx-ml-2.1/structure/sdmx-test-data/esms-structure.xml", "sdmx-ml-2.1/structure/sdmx-test-data/metadatastructure-0~1.xml",
     "sdmx-ml-2.1/structure/sdmx-test-data/metadatastructure-0~3.xml", "sdmx-ml-3.0/structure/sdmx-test-data/metadatastructure-0.xml"],
)  # fmt: skip
def test_structures_of_other_houses(shared: Path, name: str) -> None:
    """A key and a dataflow, a period and a category, no list: both judges find no fault in the schemas."""
    artefacts = read_as("structure-xml", (shared / "specimens" / name).read_bytes()).structures
    found = [one for one in artefacts if isinstance(one, MetadataStructure)]
    assert found
    for one in found:
        body = _written_of(one, artefacts)
        report_schema(body)
        second_opinion(body, "2.1")
