"""What versions of SDMX say differently, and what one of them cannot say."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from sdmx_service.errors import CannotWrite, NotBuilt, SdmxError, UnreadableFile, UnsafeFile
from sdmx_service.model import items, mapping, structure
from sdmx_service.model.artefact import Annotation, Texts
from sdmx_service.model.message import Message
from sdmx_service.model.representation import Representation, SentinelValue, TextFormat
from sdmx_service.model.urn import Ref
from tests.formats.structure.messages import FORMATS, SINCE_3_0, reader_of

ML_2_1, ML_3_0, ML_3_1, JSON_2_0, JSON_2_1, JSON_1_0 = FORMATS
NAMES = Texts({"en": "Name"})


def concept(name: str) -> Ref:
    return Ref(type="Concept", agency="AG", id="CS", version="1.0+.0", item=name)


STRUCTURE = structure.DataStructure(
    id="DSD",
    agency="AG",
    version="1.0.0",
    names=NAMES,
    dimensions=(
        structure.Dimension(
            id="FREQ",
            concept=concept("FREQ"),
            representation=Representation(enumeration=Ref(type="Codelist", agency="AG", id="CL", version="1.0+.0")),
        ),
    ),
    time_dimension=structure.TimeDimension(
        id="TIME_PERIOD",
        concept=concept("TIME_PERIOD"),
        representation=Representation(text_format=TextFormat(type="ObservationalTimePeriod")),
    ),
    measures=(structure.Measure(id="OBS_VALUE", concept=concept("OBS_VALUE"), usage="mandatory"),),
)


def written_and_read(target, *structures):
    content = target.write(Message(structures=structures))
    assert target.faults(content) == []
    return target.read(content).structures


def test_2_1_takes_the_version_of_the_message_for_a_late_bound_reference() -> None:
    codelist = items.Codelist(id="CL", agency="AG", version="1.2.0", names=NAMES)
    *_, found = written_and_read(ML_2_1, codelist, STRUCTURE)
    assert found.dimensions[0].representation.enumeration.version == "1.2.0"
    assert found.dimensions[0].concept.version == "1.0.0"  # not in the message: the least


def test_2_1_cannot_bind_what_has_no_least_version() -> None:
    flow = structure.Dataflow(
        id="DF", agency="AG", names=NAMES, structure=Ref(type="DataStructure", agency="AG", id="X", version="~")
    )
    with pytest.raises(CannotWrite, match="exact version"):
        ML_2_1.write(Message(structures=(flow,)))


def test_2_1_says_that_a_stable_version_is_final_and_reads_it_back() -> None:
    for version, written in (("1.0.0", b'isFinal="true"'), ("1.0", None)):
        codelist = items.Codelist(id="CL", agency="AG", version=version, names=NAMES)
        content = ML_2_1.write(Message(structures=(codelist,)))
        assert (b"isFinal" in content) == (written is not None)
        assert ML_2_1.read(content).structures == (codelist,)


@pytest.mark.parametrize("target", SINCE_3_0, ids=str)
def test_from_3_0_on_the_version_tells_what_is_final(target) -> None:
    final = items.Codelist(id="CL", agency="AG", version="1.0", names=NAMES, is_final=True)
    assert written_and_read(target, final) == (replace(final, is_final=None),)


FLAT = replace(
    STRUCTURE.dimensions[0], representation=None, concept=Ref(type="Concept", agency="AG", id="CS", item="F")
)
SIMPLE = replace(STRUCTURE, dimensions=(FLAT,))


@pytest.mark.parametrize(
    ("target", "artefact", "named"),
    [
        (ML_2_1, replace(SIMPLE, measures=()), "one measure, OBS_VALUE"),
        (ML_2_1, replace(SIMPLE, measures=(replace(SIMPLE.measures[0], id="POPULATION"),)), "POPULATION"),
        (ML_2_1, replace(SIMPLE, measures=(*SIMPLE.measures, replace(SIMPLE.measures[0], id="M2"))), "OBS_VALUE, M2"),
        (ML_2_1, replace(SIMPLE, metadata_structure=Ref(type="MetadataStructure", agency="AG", id="MSD")), "metadata_structure"),
        (ML_2_1, replace(SIMPLE, version="1.0.0-draft"), "1.0.0-draft"),
        (ML_2_1, items.ValueList(id="VL", agency="AG", names=NAMES), "ValueList"),
        (ML_2_1, items.Codelist(id="CL", agency="AG", names=NAMES, extensions=(
            items.CodelistExtension(codelist=Ref(type="Codelist", agency="AG", id="C")),)), "extensions"),
        (ML_3_0, replace(SIMPLE, evolving_structure=True), "evolving_structure"),
        (JSON_2_0, replace(SIMPLE, evolving_structure=True), "evolving_structure"),
        (ML_3_0, structure.Dataflow(id="DF", agency="AG", names=NAMES, dimension_constraint=("FREQ",)), "dimension_constraint"),
        (ML_3_1, replace(SIMPLE, version="1.0.0.0"), "1.0.0.0"),
        (ML_3_1, replace(SIMPLE, dimensions=(replace(FLAT, is_measure_dimension=True),)), "is_measure_dimension"),
        (ML_3_1, items.Codelist(id="CL", agency="AG", names=NAMES, annotations=(
            Annotation(id="bad\x00"),)), "character"),
        (ML_3_1, replace(SIMPLE, dimensions=(replace(FLAT, names=NAMES),)), "names"),
    ],
)  # fmt: skip
def test_what_a_version_cannot_carry_is_named(target, artefact, named: str) -> None:
    with pytest.raises(CannotWrite, match=named.replace(".", r"\.")):
        target.write(Message(structures=(artefact,)))


def test_sentinel_values_are_refused_by_2_1_and_kept_by_the_others() -> None:
    form = Representation(text_format=TextFormat(type="Integer", sentinels=(SentinelValue(value="-1", names=NAMES),)))
    scheme = items.ConceptScheme(
        id="CS", agency="AG", names=NAMES, items=(items.Concept(id="C", names=NAMES, core_representation=form),)
    )
    with pytest.raises(CannotWrite, match="sentinels"):
        ML_2_1.write(Message(structures=(scheme,)))
    for target in SINCE_3_0:
        assert written_and_read(target, scheme) == (scheme,)


def test_a_measure_dimension_stays_in_its_place_in_2_1() -> None:
    scheme = Ref(type="ConceptScheme", agency="AG", id="MEASURES", version="1.0")
    measure = structure.Dimension(
        id="INDICATOR",
        concept=FLAT.concept,
        is_measure_dimension=True,
        representation=Representation(enumeration=scheme),
    )
    older = replace(SIMPLE, dimensions=(FLAT, measure, replace(FLAT, id="AREA")))
    (found,) = written_and_read(ML_2_1, older)
    assert found.dimension_ids == ("FREQ", "INDICATOR", "AREA")
    assert found.dimensions[1] == measure


def test_attachment_groups_of_2_1_become_dimensions_in_3_x() -> None:
    relation = structure.Relationship(kind="dimensions", dimensions=("FREQ",), attachment_groups=("G",))
    older = replace(
        SIMPLE,
        dimensions=(FLAT, replace(FLAT, id="AREA"), replace(FLAT, id="SEX")),
        groups=(structure.Group(id="G", dimensions=("SEX",)),),
        attributes=(structure.Attribute(id="NOTE", concept=FLAT.concept, relationship=relation),),
    )
    (same,) = written_and_read(ML_2_1, older)
    assert same.attributes == older.attributes
    (newer,) = written_and_read(ML_3_0, older)
    assert newer.attributes[0].relationship == structure.Relationship(kind="dimensions", dimensions=("FREQ", "SEX"))
    assert newer.level(newer.attributes[0]) == older.level(older.attributes[0])


HIERARCHICAL = b"""<?xml version="1.0" encoding="UTF-8"?>
<m:Structure xmlns:m="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message"
 xmlns:s="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/structure"
 xmlns:c="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/common">
<m:Header><m:ID>H</m:ID><m:Test>false</m:Test><m:Prepared>2020-01-01T00:00:00</m:Prepared><m:Sender id="A"/></m:Header>
<m:Structures><s:HierarchicalCodelists><s:HierarchicalCodelist id="HCL" agencyID="AG" version="1.0">
<c:Name>Both</c:Name><c:Description>All of them</c:Description>
<s:IncludedCodelist alias="areas"><Ref id="CL_AREA" agencyID="AG" version="2.0"/></s:IncludedCodelist>
<s:Hierarchy id="GEO"><c:Name>By continent</c:Name>
 <s:HierarchicalCode id="1"><s:CodelistAliasRef>areas</s:CodelistAliasRef><s:CodeID><Ref id="002"/></s:CodeID>
  <s:HierarchicalCode id="1"><s:Code><Ref id="012" maintainableParentID="CL_AREA" maintainableParentVersion="2.0" agencyID="AG"/></s:Code>
  </s:HierarchicalCode></s:HierarchicalCode></s:Hierarchy>
<s:Hierarchy id="INC"><c:Name>By income</c:Name>
 <s:HierarchicalCode id="H"><s:CodelistAliasRef>areas</s:CodelistAliasRef><s:CodeID><Ref id="199"/></s:CodeID></s:HierarchicalCode>
</s:Hierarchy></s:HierarchicalCodelist></s:HierarchicalCodelists></m:Structures></m:Structure>"""


def test_a_hierarchical_codelist_becomes_hierarchies_and_is_restored() -> None:
    message = ML_2_1.read(HIERARCHICAL)
    geo, income = message.structures
    assert [(one.id, one.version, one.names["en"]) for one in (geo, income)] == [
        ("HCL_GEO", "1.0", "By continent"), ("HCL_INC", "1.0", "By income"),
    ]  # fmt: skip
    assert geo.items[0].code == Ref(type="Code", agency="AG", id="CL_AREA", version="2.0", item="002")
    assert geo.items[0].items[0].code.item == "012"
    content = ML_2_1.write(message)
    assert ML_2_1.faults(content) == []
    assert content.count(b"<str:HierarchicalCodelist ") == 1
    assert all(part in content for part in (b'id="HCL"', b"Both", b"All of them"))
    assert b'<str:Hierarchy id="GEO"' in content
    assert ML_2_1.read(content).structures == message.structures


def test_an_alias_that_is_not_included_is_an_error() -> None:
    with pytest.raises(UnreadableFile, match="'areas'"):
        ML_2_1.read(HIERARCHICAL.replace(b'alias="areas"', b'alias="other"'))


def test_metadata_structures_and_flows_of_3_x_go_through_2_1() -> None:
    year = Ref(type="Concept", agency="AG", id="CS", version="1.0.0", item="YEAR")
    inner = structure.MetadataAttribute(id="YEAR", concept=year, min_occurs=0, max_occurs=1)
    heading = structure.MetadataAttribute(
        id="BREAK",
        concept=year.to_item("BREAK"),
        is_presentational=True,
        items=(inner,),
        min_occurs=0,
        max_occurs="unbounded",
    )
    msd = structure.MetadataStructure(
        id="MSD", agency="AG", names=NAMES, attributes=(heading,), attribute_annotations=(Annotation(type="NOTE"),)
    )
    targets = (
        "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=AG:*(*)",
        "urn:sdmx:org.sdmx.infomodel.base.Agency=*:*(*)",
    )
    flow = structure.Metadataflow(
        id="MDF", agency="AG", names=NAMES, structure=msd.ref, targets=targets, annotations=(Annotation(type="KEPT"),)
    )
    content = ML_2_1.write(Message(structures=(msd, flow)))
    assert ML_2_1.faults(content) == []
    assert set(ML_2_1.read(content).structures) == {msd, flow}


def test_codelist_maps_go_through_structure_sets() -> None:
    codelists = [Ref(type="Codelist", agency="AG", id=name, version="1.0") for name in ("CL_ISO", "CL_M49")]
    row = mapping.MappingRow(sources=(mapping.MappedValue(value="MT"),), targets=("470",))
    older = mapping.RepresentationMap(
        id="MAP", agency="AG", version="1.0", names=NAMES, sources=(codelists[0],), targets=(codelists[1],), rows=(row,)
    )
    (found,) = written_and_read(ML_2_1, older)
    assert (found.sources, found.targets, found.rows) == (older.sources, older.targets, older.rows)
    assert written_and_read(ML_2_1, found) == (found,)
    with pytest.raises(CannotWrite, match="one code to one other"):
        ML_2_1.write(Message(structures=(replace(older, rows=(replace(row, targets=("1", "2")),)),)))


# ------------------------------------------------------------------------------------------------------ unreadable files


def _xml(inside: str, version: str = "3_0") -> bytes:
    root = f"http://www.sdmx.org/resources/sdmxml/schemas/v{version}/"
    return (
        f'<mes:Structure xmlns:mes="{root}message" xmlns:str="{root}structure" xmlns:com="{root}common">\n'
        f"<mes:Header><mes:ID>T</mes:ID></mes:Header>\n<mes:Structures>\n{inside}</mes:Structures></mes:Structure>"
    ).encode()


def _codelist(inside: str, attributes: str = 'id="CL" agencyID="AG"') -> bytes:
    return _xml(
        f"<str:Codelists>\n<str:Codelist {attributes}><com:Name>N</com:Name>\n{inside}</str:Codelist></str:Codelists>"
    )


BAD_XML = {
    "unknown element": (_codelist('<str:Wrong id="X"/>'), UnreadableFile, r"line 6, .*Codelist\[CL\].*Wrong"),
    "unknown attribute": (_codelist("", 'id="CL" agencyID="AG" colour="red"'), UnreadableFile, r"line 5, .*'colour'"),
    "no agency": (_codelist("", 'id="CL"'), UnreadableFile, "line 5, .*no agencyID"),
    "empty id": (_codelist('<str:Code id=""><com:Name>A</com:Name></str:Code>'), UnreadableFile, "line 6, .*Code has no id"),
    "not a boolean": (_codelist("", 'id="CL" agencyID="AG" isPartial="perhaps"'), UnreadableFile, "'perhaps' is not true or false"),
    "two names": (_codelist("<com:Name>M</com:Name>"), UnreadableFile, "line 6, .*second, different Name in the language 'en'"),
    "unknown container": (_xml("<str:Surprises><str:Surprise/></str:Surprises>"), UnreadableFile, r"line 4, .*Surprise"),
    "empty unknown container": (_xml("<str:Surprises/>"), UnreadableFile, "line 4, .*Surprises are not read"),
    "not a URN": (_xml('<str:Dataflows><str:Dataflow id="D" agencyID="A"><str:Structure>x</str:Structure></str:Dataflow></str:Dataflows>'),
                  UnreadableFile, r"Dataflow\[D\]/Structure: 'x' is not an SDMX URN"),
    "not closed": (_xml("<str:Codelists>"), UnreadableFile, "line 4, column"),
    "empty": (b"", UnreadableFile, "not well-formed XML"),
    "not SDMX": (b"<a/>", UnreadableFile, "not a structure message of SDMX-ML"),
    "SDMX-ML 2.0": (_xml("", "2_0"), NotBuilt, "SDMX-ML 2.0"),
    "entities": (b'<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;">]>' + _xml("<str:Codelists>&z;</str:Codelists>"), UnsafeFile, "DOCTYPE"),
    "no structures in a registry message": (b'<m:RegistryInterface xmlns:m="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message"/>',
                                            UnreadableFile, "holds no structures"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_XML)
def test_faulty_xml_is_refused_with_its_place(name: str) -> None:
    content, kind, message = BAD_XML[name]
    with pytest.raises(SdmxError, match=message) as caught:
        reader_of("sdmx-ml")(io.BytesIO(content))
    assert type(caught.value) is kind


BAD_JSON = {
    "unknown property": (b'{"data":{"codelists":[{"id":"C","agencyID":"A","name":"N","colour":1}]}}', "/data/codelists/0/colour"),
    "unknown kind": (b'{"data":{"surprises":[]}}', "/data/surprises"),
    "no agency": (b'{"data":{"codelists":[{"id":"C","name":"N"}]}}', "/data/codelists/0: the Codelist has no agencyID"),
    "number for a text": (b'{"data":{"codelists":[{"id":"C","agencyID":"A","codes":[{"id":4}]}]}}', "/data/codelists/0/codes/0/id: 4 is not a text"),
    "object for an array": (b'{"data":{"codelists":[{"id":"C","agencyID":"A","codes":{}}]}}', "/codes: {} is not an array"),
    "text for an object": (b'{"data":{"codelists":["C"]}}', "/data/codelists/0: 'C' is not an object"),
    "not a URN": (b'{"data":{"dataflows":[{"id":"D","agencyID":"A","structure":"x"}]}}', "/data/dataflows/0/structure: 'x' is not an SDMX URN"),
    "not closed": (b'{"data":{', "line 1, column"),
    "another JSON": (b'{"answer":42}', "not a message of SDMX-JSON"),
    "an array": (b"[]", "not a message of SDMX-JSON"),
    "no meta": (b'{"meta":[]}', "/meta: .* is not an object"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_JSON)
def test_faulty_json_is_refused_with_its_pointer(name: str) -> None:
    content, message = BAD_JSON[name]
    with pytest.raises(UnreadableFile, match=message.replace("{}", r"\{\}")):
        reader_of("sdmx-json")(io.BytesIO(content))


def test_extensions_of_sdmx_json_are_read_over() -> None:
    content = (
        b'{"meta":{"id":"T"},"data":{"codelists":[{"id":"C","agencyID":"A","name":"N","x-colour":1}],"x-more":{}}}'
    )
    (found,) = reader_of("sdmx-json")(io.BytesIO(content)).structures
    assert found == items.Codelist(id="C", agency="A", names=Texts({"en": "N"}))


def test_a_name_alone_is_in_the_language_of_the_message() -> None:
    content = (
        b'{"meta":{"id":"T","contentLanguages":["fr"]},"data":{"codelists":[{"id":"C","agencyID":"A","name":"N"}]}}'
    )
    (found,) = reader_of("sdmx-json")(io.BytesIO(content)).structures
    assert found.names == {"fr": "N"}
