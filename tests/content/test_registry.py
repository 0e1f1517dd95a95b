"""The whole content as a registry sees it: valid in every format, read whole by others, every reference answered."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from functools import cache
from itertools import groupby
from typing import Any

import pysdmx.io
import pytest
import sdmx

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.loading import load_folder
from sdmx_service.catalog.metadata import check_metadata_set
from sdmx_service.dissemination.structures import pin_together
from sdmx_service.formats.registry import formats_for
from sdmx_service.model.artefact import ItemScheme
from sdmx_service.model.items import Categorisation, Category, CategoryScheme, Codelist, ConceptScheme
from sdmx_service.model.mapping import RepresentationMap, StructureMap
from sdmx_service.model.message import Message, WriteOptions
from sdmx_service.model.metadata import MetadataSet
from sdmx_service.model.structure import (
    DataStructure,
    MetadataAttribute,
    MetadataStructure,
    ProvisionAgreement,
)
from sdmx_service.model.urn import Ref
from tests.formats.metadata.messages import FORMATS as METADATA_FORMATS
from tests.formats.metadata.messages import MetadataFormat
from tests.formats.structure.messages import FORMATS, SINCE_3_0, StructureFormat
from tests.harness import ROOT, House, open_house

NOT_IN_2_1 = {
    "StructureMap", "RepresentationMap", "MetadataProviderScheme", "MetadataProvisionAgreement", "HierarchyAssociation"
}  # fmt: skip
MANY = {"ProvisionAgreement", "MetadataProvisionAgreement"}
OWN = "UNSD_MIG"


@cache
def catalog() -> Catalog:
    """The content of this repository."""
    return load_folder(ROOT).catalog()


def shown(version: str, *, every: int = 1) -> dict[str, list[Any]]:
    """The artefacts by class as the service sends them: codelists with what they extend, maps only where they exist.

    Of the agreements, which are thousands alike, each ``every``-th.
    """
    whole = [
        catalog().extended(one) if isinstance(one, Codelist) else one
        for _, one in sorted(catalog().artefacts.items())
        if one.type != "MetadataSet" and (version != "2.1" or one.type not in NOT_IN_2_1)
    ]
    classes = {kind: list(members) for kind, members in groupby(whole, key=lambda one: one.type)}
    return {kind: members[:: every if kind in MANY else 1] for kind, members in classes.items()}


def shortened(artefact: Any) -> Any:
    """A list with each fortieth of its items."""
    if not isinstance(artefact, Codelist | RepresentationMap):
        return artefact
    name = "items" if isinstance(artefact, Codelist) else "rows"
    return replace(artefact, **{name: getattr(artefact, name)[::40]})


# --- formats ---------------------------------------------------------------------------------------------------------


VTL = ("RulesetScheme", "TransformationScheme", "VtlMappingScheme")


@pytest.mark.parametrize("target", FORMATS, ids=str)
def test_every_artefact_is_valid_and_read_back(target: StructureFormat) -> None:
    is_json = target.family == "sdmx-json"  # the check by JSON schema takes its time
    for kind, members in shown(target.sdmx, every=100 if is_json else 1).items():
        if str(target) == "sdmx-json 1.0" and kind in VTL:
            continue  # it has none of these
        content = target.write(Message(structures=tuple(members)))
        judged = target.write(Message(structures=tuple(map(shortened, members)))) if is_json else content
        assert target.faults(judged) == [], kind
        back = {one.urn: one for one in target.read(content).structures}
        assert set(back) == {one.urn for one in members}
        for one in members:
            if isinstance(one, ItemScheme) and kind != "CategoryScheme":
                read: Any = back[one.urn]
                assert [(item.id, item.names) for item in read.items] == [(item.id, item.names) for item in one.items]


@pytest.mark.parametrize("agencies", [("IAEG-SDGs", "SDMX"), (OWN,)], ids="+".join)
def test_sdmx1_reads_2_1_whole(agencies: tuple[str, ...]) -> None:
    """By agency: sdmx1 keeps one artefact of an id."""
    every = {kind: [one for one in some if one.agency in agencies] for kind, some in shown("2.1", every=100).items()}
    unread = ("AgencyScheme", "Hierarchy")  # sdmx1 reads no hierarchical codelists that include others
    ours = {kind: some for kind, some in every.items() if kind not in unread}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        members = tuple(one for some in ours.values() for one in some)
        theirs = sdmx.read_sdmx(io.BytesIO(FORMATS[0].write(Message(structures=members))))
    for kind, found in (("Codelist", theirs.codelist), ("ConceptScheme", theirs.concept_scheme)):
        for one in ours[kind]:
            names = {item.id: dict(item.name.localizations) for item in found[one.id].items.values()}
            assert names == {item.id: dict(item.names) for item in one.items}, one.ref.text
    for one in ours["DataStructure"]:
        read = theirs.structure[one.id]
        assert [found.id for found in read.dimensions.components] == list(one.key_ids)
        assert {found.id for found in read.attributes.components} == {found.id for found in one.attributes}
    kinds = {"Dataflow": theirs.dataflow, "MetadataStructure": theirs.metadatastructure}
    kinds |= {"Metadataflow": theirs.metadataflow, "ProvisionAgreement": theirs.provisionagreement}
    kinds |= {"CategoryScheme": theirs.category_scheme, "DataConstraint": theirs.constraint}
    for kind, found in kinds.items():
        assert {one.id for one in ours.get(kind, [])} <= set(found), kind


@pytest.mark.parametrize("target", SINCE_3_0, ids=str)
def test_pysdmx_reads_3_x_whole(target: StructureFormat) -> None:
    kinds = ("Codelist", "ConceptScheme", "DataStructure", "Dataflow", "ProvisionAgreement", "DataProviderScheme")
    ours = shown(target.sdmx, every=100)
    members = pin_together([one for kind in kinds for one in ours[kind]], catalog())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        written = target.write(Message(structures=tuple(members)), WriteOptions(languages=("en",))).decode()
        theirs = pysdmx.io.read_sdmx(written, validate=False)
    codelists = {f"{one.agency}:{one.id}({one.version})": one for one in theirs.get_codelists()}
    assert {ref: [(code.id, code.name.strip()) for code in one.items] for ref, one in codelists.items()} == {
        one.ref.text: [(code.id, code.name().strip()) for code in one.items]
        for one in ours["Codelist"]  # pysdmx strips the no-break spaces that some official names end with
    }
    concepts = {
        f"{one.agency}:{one.id}({one.version})": [item.id for item in one.items] for one in theirs.get_concept_schemes()
    }
    assert concepts == {one.ref.text: [item.id for item in one.items] for one in ours["ConceptScheme"]}
    structures = {f"{one.agency}:{one.id}({one.version})": one for one in theirs.get_data_structure_definitions()}
    assert set(structures) == {one.ref.text for one in ours["DataStructure"]}
    for one in ours["DataStructure"]:
        components = structures[one.ref.text].components
        assert [found.id for found in components if found.role.value == "D"] == list(one.key_ids)
        assert {found.id for found in components if found.role.value == "A"} == {found.id for found in one.attributes}
    assert {one.id for one in theirs.get_dataflows()} == {one.id for one in ours["Dataflow"]}


@pytest.mark.parametrize("target", [one for one in SINCE_3_0 if one.family == "sdmx-json"], ids=str)
def test_pysdmx_reads_maps_and_metadata_structures_whole(target: StructureFormat) -> None:
    ours = shown(target.sdmx)
    members = [one for kind in ("StructureMap", "RepresentationMap", "MetadataStructure") for one in ours[kind]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        written = target.write(Message(structures=tuple(members)), WriteOptions(languages=("en",))).decode()
        theirs = pysdmx.io.read_sdmx(written, validate=False)
    found = {one.id: one for one in theirs.structures}
    assert set(found) == {one.id for one in members}
    for one in ours["StructureMap"]:
        assert len(found[one.id].maps) == len(one.components) + len(one.fixed)
    for one in ours["RepresentationMap"]:
        assert len(found[one.id].maps) == len(one.rows)


# --- references ------------------------------------------------------------------------------------------------------


def references(thing: Any) -> Iterator[Ref]:
    """Every reference inside an artefact, found without what the model says of itself."""
    waiting = [thing]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Ref):
            yield one
        elif isinstance(one, tuple):
            waiting += one
        elif is_dataclass(one):
            waiting += [getattr(one, field.name) for field in fields(one)]


def paths(items: tuple[Any, ...], above: str = "") -> Iterator[str]:
    """The ids of items, those of nested ones dotted."""
    for item in items:
        yield above + item.id
        if isinstance(item, Category):
            yield from paths(item.items, f"{above}{item.id}.")


def test_every_reference_is_answered() -> None:
    known: dict[Ref, set[str]] = {}
    missing, count = [], 0
    for artefact in catalog().artefacts.values():
        for ref in references(artefact):
            count += 1
            found = catalog().lookup(ref)
            if found is None:
                missing.append(f"{artefact.urn} -> {ref.urn}")
            elif ref.item is not None and isinstance(found, ItemScheme):
                if found.ref not in known:
                    known[found.ref] = set(paths(found.items))
                if ref.item not in known[found.ref]:
                    missing.append(f"{artefact.urn} -> {ref.urn}")
    assert missing == []
    assert count > 9_000


def test_late_bound_references_find_the_latest_that_fits() -> None:
    flow: Any = catalog().named(f"{OWN}:DF_STOCK_OD", "Dataflow")
    assert (flow.structure.version, catalog().artefact(flow.structure).version) == ("1.0+.0", "1.0.0")


def test_constraints_name_codes_and_components_that_there_are() -> None:
    for constraint in catalog().of_type("DataConstraint"):
        targets = [catalog().target(ref) for ref in constraint.references()]
        assert targets
        for structure in {one.structure.ref: one.structure for one in targets}.values():
            for member in constraint.regions[0].members:  # type: ignore[attr-defined]
                component = structure.component(member.component)
                assert component is not None, (constraint.id, member.component)
                codes = catalog().codes(component) or {}
                assert {value.value for value in member.values} <= set(codes), (constraint.id, structure.ref.text)


def test_each_office_sends_its_own_area_only() -> None:
    found = {one.id: one for one in catalog().of_type("DataConstraint")}
    agreements = [one for one in catalog().of_type("ProvisionAgreement") if isinstance(one, ProvisionAgreement)]
    offices = {one.provider.item for one in agreements if (one.provider.item or "").startswith("NSO_")}
    assert len(offices) > 200
    areas = {}
    for office in offices:
        own = {one.ref for one in agreements if one.provider.item == office}
        constraint = found[f"CON_{office}"]
        assert {catalog().artefact(ref).ref for ref in constraint.references()} == own
        ((member,),) = (region.members for region in constraint.regions)  # type: ignore[attr-defined]
        (value,) = member.values
        areas[office] = (member.component, value.value)
    assert areas["NSO_MLT"] == ("REF_AREA", "470")
    assert len(set(areas.values())) == len(offices)


def test_every_dataflow_has_a_theme() -> None:
    scheme: Any = catalog().named("CS_MIG_THEMES", "CategoryScheme")
    assert isinstance(scheme, CategoryScheme)
    assert [item.id for item in scheme.items] == ["STOCKS", "FLOWS", "CHANGE", "FORCED", "TEMPORARY", "SDG"]
    placed = [one for one in catalog().of_type("Categorisation") if isinstance(one, Categorisation)]
    assert sorted(one.source.id for one in placed) == sorted(flow.id for flow in catalog().of_type("Dataflow"))


def test_sources_of_maps_are_senders_structures() -> None:
    maps = [one for one in catalog().of_type("StructureMap") if isinstance(one, StructureMap)]
    assert maps
    for one in maps:
        source = catalog().structure(one.source)
        assert source.annotation("SENDER_STRUCTURE") is not None
        assert not catalog().dataflows_of(source.ref)
        read = {id for part in one.components for id in part.sources}
        assert read <= {component.id for component in source.components}, one.id
    for one in catalog().of_type("DataStructure"):
        assert isinstance(one, DataStructure)
        assert (one.annotation("SENDER_STRUCTURE") is None) == bool(catalog().dataflows_of(one.ref))


def test_representation_maps_of_lists_lead_to_codes() -> None:
    for one in catalog().of_type("RepresentationMap"):
        assert isinstance(one, RepresentationMap)
        for place, side in enumerate(one.targets):
            if isinstance(side, Ref):
                codes = catalog().items(side)
                said = {row.targets[place] for row in one.rows}
                written = {code for code in said if code and "\\" not in code}  # not those that an expression makes
                assert written <= set(codes), one.id


# --- agreements ------------------------------------------------------------------------------------------------------


def test_every_office_has_an_agreement_for_every_dataflow() -> None:
    with (ROOT / "codelists" / "sources" / "areas.csv").open(encoding="utf-8") as file:
        areas = {row["iso3"] for row in csv.DictReader(file) if row["kind"] == "area" and row["iso3"]}
    flows = {flow.id for flow in catalog().of_type("Dataflow")}
    agreed: dict[str, set[str]] = {}
    for one in catalog().of_type("ProvisionAgreement"):
        assert isinstance(one, ProvisionAgreement)
        agreed.setdefault(one.provider.item or "", set()).add(one.dataflow.id)
    offices = {provider: found for provider, found in agreed.items() if provider.startswith("NSO_")}
    assert {provider.removeprefix("NSO_") for provider in offices} == areas
    assert all(found == flows for found in offices.values())
    bodies = {"ESTAT", "OECD", "UNDESA", "UNSD", "UNHCR", "ILO", "IOM", "ECE", "ECA", "ECLAC", "ESCAP", "ESCWA"}
    assert set(agreed) - set(offices) == bodies


ACQUIRED = """\
DATAFLOW,FREQ,REF_AREA,COMPONENT,CITIZENSHIP,COUNTRY_BIRTH,SEX,AGE,TIME_PERIOD,OBS_VALUE,OBS_STATUS,UNIT_MEASURE,UNIT_MULT
UNSD_MIG:DF_ACQ(1.0.0),A,470,{component},_T,_T,_T,_T,2020,7,A,PS,0
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The service with the content of this repository and no data."""
    with open_house(f"duckdb:///{tmp_path_factory.mktemp('registry')}/store.duckdb") as opened:
        yield opened


def test_an_office_sends_under_its_agreement(house: House) -> None:
    receipt, findings = house.send(ACQUIRED.format(component="ACQ").encode(), provider="NSO_MLT")
    assert (receipt.status, {one.code for one in findings}) == ("published", {"V17"})  # the source is not said
    (row,) = house.rows("v2/data/provisionagreement/UNSD_MIG/PA_NSO_MLT_DF_ACQ/1.0.0/*")
    assert row["OBS_VALUE"] == "7"


def test_a_provider_without_agreement_is_told_what_to_do(house: House) -> None:
    receipt, findings = house.send(ACQUIRED.format(component="LOSS").encode(), provider="UNHCR")
    assert receipt.status == "refused"
    (finding,) = findings
    assert (finding.code, finding.value) == ("F503", "UNSD_MIG.UNHCR")
    assert finding.message == (
        "UNSD_MIG.UNHCR has no provision agreement for UNSD_MIG:DF_ACQ(1.0.0); "
        "it has agreements for UNSD_MIG:DF_FORCED, UNSD_MIG:DF_SDG_MIG."
    )


def test_a_constraint_of_a_dataflow_holds(house: House) -> None:
    receipt, findings = house.send(ACQUIRED.format(component="GROW").encode(), provider="NSO_MLT")
    assert (receipt.status, {one.code for one in findings}) == ("refused", {"F402", "V17"})


# --- senders and clients ---------------------------------------------------------------------------------------------


def test_senders_structures_hold_no_data(house: House) -> None:
    assert {cube.name for cube in house.library.store.cubes()} == {
        "IAEG-SDGs:SDG(1)", "UNSD_MIG:DSD_MIG_CHANGE(1)", "UNSD_MIG:DSD_MIG_FLOW(1)", "UNSD_MIG:DSD_MIG_FORCED(1)",
        "UNSD_MIG:DSD_MIG_STOCK(1)", "UNSD_MIG:DSD_TEMP_MOB(1)",
    }  # fmt: skip
    assert house.get("v2/data/datastructure/UNSD_MIG/SRC_ESTAT_CTB/1.0.0/*").status == 204


@pytest.mark.parametrize(
    "path",
    [
        "dataflow/UNSD_MIG/DF_STOCK_OD?references=all", "codelist/UNSD_MIG/CL_AREA_MIG?references=all",
        "datastructure", "codelist", "conceptscheme", "categoryscheme?references=parents", "metadatastructure",
        "metadataflow?references=all", "structure?detail=allstubs",
    ],
)  # fmt: skip
def test_the_first_interface_answers_what_clients_ask(house: House, path: str) -> None:
    body = house.body(f"v1/{path}", "application/vnd.sdmx.structure+xml;version=2.1")
    assert FORMATS[0].faults(body) == []


# --- reference metadata ----------------------------------------------------------------------------------------------


def walk(attributes: tuple[MetadataAttribute, ...]) -> Iterator[MetadataAttribute]:
    """The attributes and all below them."""
    for one in attributes:
        yield one
        yield from walk(one.items)


def test_the_metadata_structure_asks_for_all_that_the_sheet_has() -> None:
    structure: Any = catalog().named(f"{OWN}:MSD_MIG", "MetadataStructure")
    assert isinstance(structure, MetadataStructure)
    found = {one.id: one for one in walk(structure.attributes)}
    groups = [one for id, one in found.items() if id.startswith("GROUP_")]
    assert [one.id[-1] for one in groups] == list("ABCDEFGHIJKLMN")
    for one in groups:
        assert one.representation is not None
        assert one.representation.enumeration is not None
        assert set(catalog().items(one.representation.enumeration)) == {"INC", "EXC", "NA"}
    wanted = {"MIG_DEFINITION", "RES_CRITERION", "DURATION_CRITERION", "DURATION_BASIS", "POP_CONCEPT", "REF_DATE"}
    assert wanted | {"SOURCE_TYPE", "BREAK", "CITIZENS", "IRREGULAR", "CONTACT", "STAT_PRES"} <= set(found)
    scheme = catalog().named("CS_MIG_META", "ConceptScheme")
    assert isinstance(scheme, ConceptScheme)
    assert [item.id for item in scheme.items] == list(found)


def test_metadata_are_about_dataflows_and_agreements() -> None:
    flow: Any = catalog().named(f"{OWN}:MDF_MIG", "Metadataflow")
    assert [target.rpartition(".")[2] for target in flow.targets] == [
        "Dataflow=UNSD_MIG:*(*)",
        "ProvisionAgreement=UNSD_MIG:*(*)",
    ]
    agreements = {one.provider.item for one in catalog().of_type("MetadataProvisionAgreement")}  # type: ignore[attr-defined]
    scheme: Any = catalog().named(f"{OWN}:DATA_PROVIDERS", "DataProviderScheme")
    assert agreements == {item.id for item in scheme.items}


def test_metadata_sets_are_as_their_structure_says_and_about_what_is_here() -> None:
    sets = [one for one in catalog().of_type("MetadataSet") if isinstance(one, MetadataSet)]
    assert len(sets) == 7
    for one in sets:
        assert check_metadata_set(one, catalog()) == ()
        assert all(catalog().lookup(Ref.parse(target)) is not None for target in one.targets)
        assert {"en", "fr"} == set(one.names)
        said = {path for path, _ in one.values()}
        assert {"STAT_PRES.DATA_DESCR", "MIGRATION.SOURCE_DETAIL", "COMMENT_DSET"} <= said  # whose words these are


def test_the_sources_of_the_demonstration_data_have_metadata() -> None:
    about = {target for one in catalog().of_type("MetadataSet") for target in one.targets}  # type: ignore[attr-defined]
    agreements = {urn.rpartition(":")[2].removesuffix("(1.0.0)") for urn in about}
    assert agreements == {
        "PA_UNDESA_DF_STOCK_OD", "PA_ESTAT_DF_STOCK_CTZ", "PA_ESTAT_DF_STOCK_CTB", "PA_ESTAT_DF_FLOW_CTZ",
        "PA_ESTAT_DF_FLOW_PRV", "PA_ESTAT_DF_BALANCE", "PA_UNDESA_DF_FLOW_CTZ", "PA_NSO_DEU_DF_FLOW_PRV",
        "PA_NSO_MLT_DF_BALANCE",
    }  # fmt: skip


@pytest.mark.parametrize("target", METADATA_FORMATS, ids=str)
def test_the_metadata_of_the_content_are_answered_validly_in_every_format(house: House, target: MetadataFormat) -> None:
    media_type = next(one.media_types[0] for one in formats_for("metadata", "v2") if one.name == target.name)
    body = house.body("v2/metadata/metadataflow/UNSD_MIG/MDF_MIG", media_type)
    assert target.faults(body) == []
    assert {one.id for one in target.read(body).structures} == {one.id for one in catalog().of_type("MetadataSet")}
