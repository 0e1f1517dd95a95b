"""Every type of both interfaces, with every ``detail`` and ``references``, in every format: valid, and the right artefacts.

What an answer shows of an artefact (``detail``) and which artefacts it has (``references``) do not depend on each
other. So for each type each word is asked for with the other's default, in every format, and all pairs of words for all
types at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Any

import orjson
import pytest

from sdmx_service.formats.registry import Format, formats_for
from sdmx_service.model.artefact import Maintainable
from sdmx_service.model.artefact_types import ARTEFACT_TYPES
from sdmx_service.model.items import Codelist
from tests.every_type.artefacts import every_artefact
from tests.harness import House
from tests.rest.reading_back import faults

TYPES = tuple(kind.resource for kind in ARTEFACT_TYPES if kind.resource is not None)
RESOURCES = [
    "datastructure",
    "metadatastructure",
    "categoryscheme",
    "conceptscheme",
    "codelist",
    "hierarchicalcodelist",
    "organisationscheme",
    "agencyscheme",
    "dataproviderscheme",
    "dataconsumerscheme",
    "organisationunitscheme",
    "dataflow",
    "metadataflow",
    "reportingtaxonomy",
    "provisionagreement",
    "structureset",
    "process",
    "categorisation",
    "contentconstraint",
    "actualconstraint",
    "allowedconstraint",
    "attachmentconstraint",
    "transformationscheme",
    "rulesetscheme",
    "userdefinedoperatorscheme",
    "customtypescheme",
    "namepersonalisationscheme",
    "vtlmappingscheme",
    "structure",
]
DETAILS = [
    "full",
    "allstubs",
    "referencestubs",
    "allcompletestubs",
    "referencecompletestubs",
    "referencepartial",
    "raw",
]
REFERENCES = ["none", "parents", "parentsandsiblings", "ancestors", "children", "descendants", "all"]
NOT_IN_V1 = {"raw", "ancestors"}
VTL = {
    "transformationscheme",
    "rulesetscheme",
    "userdefinedoperatorscheme",
    "customtypescheme",
    "namepersonalisationscheme",
    "vtlmappingscheme",
}
ONLY_SINCE_3_0 = {
    "valuelist",
    "hierarchyassociation",
    "metadataproviderscheme",
    "metadataprovisionagreement",
    "metadataconstraint",
}
JSON = "application/vnd.sdmx.structure+json;version=2.1.0"


def _pairs(api: str, everything: bool) -> Iterator[tuple[str, str]]:
    for detail, references in product(DETAILS, REFERENCES):
        if api == "v1" and {detail, references} & NOT_IN_V1:
            continue
        if everything or detail == "full" or references == "none":
            yield detail, references


def _is_refused(word: str, format: Format) -> bool:
    """Whether the standard's version has no such thing: 406 says so, and a mixed answer leaves it out."""
    if format.name == "structure-json-1.0" and word in VTL:
        return True
    return format.name in ("structure-json-1.0", "structure-xml-2.1") and word in ONLY_SINCE_3_0


def _check(house: House, path: str, word: str, format: Format) -> bool:
    answer = house.get(path, format.media_types[0])
    body = b"".join(answer.chunks)
    if _is_refused(word, format) and answer.status != 200:  # 200: what it can carry of what goes with them
        assert answer.status == 406, path
        assert b"cannot carry" in body
        return False
    if _is_refused(word, format):
        assert b"Left out" in body, path
    assert (answer.status, answer.headers["Content-Type"]) == (200, format.media_types[0]), (path, body[-400:])
    assert faults(format.media_types[0], body) == [], (path, format.name)
    return True


@pytest.mark.parametrize("word", [*TYPES, "*"])
def test_every_type_of_version_2(apiary: House, word: str) -> None:
    formats = formats_for("structure", "v2")
    assert {one.name for one in formats} >= {
        f"structure-{one}" for one in ("xml-3.1", "xml-3.0", "xml-2.1", "json-2.1", "json-2.0", "json-1.0")
    }
    for (detail, references), format in product(_pairs("v2", word == "*"), formats):
        _check(apiary, f"v2/structure/{word}/*/*/*?detail={detail}&references={references}", word, format)


@pytest.mark.parametrize("word", RESOURCES)
def test_every_resource_of_version_1(apiary: House, word: str) -> None:
    if word in ("attachmentconstraint", "actualconstraint"):  # SDMX 3.1 has none, nor has this content
        assert apiary.get(f"v1/{word}", "application/vnd.sdmx.structure+xml;version=2.1").status == 404
        return
    for (detail, references), format in product(_pairs("v1", word == "structure"), formats_for("structure", "v1")):
        _check(apiary, f"v1/{word}/all/all/all?detail={detail}&references={references}", word, format)


def test_every_type_as_a_reference(apiary: House) -> None:
    for word in TYPES:
        _check(
            apiary,
            f"v2/structure/dataflow/BEES/DF_HONEY/1.0.0?references={word}",
            word,
            formats_for("structure", "v2")[0],
        )
    for word in RESOURCES[:-1]:
        assert (
            apiary.get(
                f"v1/dataflow/BEES/DF_HONEY/1.0.0?references={word}", formats_for("structure", "v1")[0].media_types[0]
            ).status
            == 200
        )


# --- the right artefacts: a plain walk over the content --------------------------------------------------------------

EVERY = {one.urn: one for one in every_artefact()}
LINKS = {
    (urn, ref.maintainable.urn)
    for urn, one in EVERY.items()
    for ref in one.references()
    if ref.maintainable.urn in EVERY
}
SHOWN_LINKS = {(a, b) for a, b in LINKS if not isinstance(EVERY[a], Codelist)}  # extensions come resolved


def _children(urns: Iterable[str]) -> set[str]:
    return {child for parent, child in SHOWN_LINKS if parent in set(urns)}


def _parents(urns: Iterable[str]) -> set[str]:
    return {parent for parent, child in LINKS if child in set(urns)}


def _closure(step: Callable[[Iterable[str]], set[str]], urns: Iterable[str]) -> set[str]:
    found: set[str] = set()
    frontier = step(urns)
    while frontier:
        found |= frontier
        frontier = step(frontier) - found
    return found


def _siblings(urns: Iterable[str]) -> set[str]:
    parents = _parents(urns)
    return parents | _children(parents)


EXPECTED: dict[str, Callable[[Iterable[str]], set[str]]] = {
    "none": lambda urns: set(), "children": _children, "parents": _parents, "parentsandsiblings": _siblings,
    "descendants": lambda urns: _closure(_children, urns), "ancestors": lambda urns: _closure(_parents, urns),
    "all": lambda urns: _siblings(urns) | _closure(_children, urns),
}  # fmt: skip


def sent(house: House, path: str) -> dict[str, dict[str, Any]]:
    """The artefacts of an answer by URN."""
    data = orjson.loads(house.body(path, JSON))["data"]
    return {
        next(link["urn"] for link in one["links"] if link["rel"] == "self"): one
        for several in data.values()
        for one in several
    }


@pytest.mark.parametrize("kind", [one for one in ARTEFACT_TYPES if one.resource], ids=lambda one: one.name)
def test_references_are_those_of_a_plain_walk(apiary: House, kind: Any) -> None:
    own = {urn for urn, one in EVERY.items() if one.type == kind.name}
    for word, walk in EXPECTED.items():
        found = sent(apiary, f"v2/structure/{kind.resource}/*/*/*?references={word}")
        assert set(found) == own | walk(own), word


def _has_content(artefact: Maintainable, node: dict[str, Any]) -> bool:
    identification = {"id", "agencyID", "version", "name", "names", "description", "descriptions", "annotations", "links",
                      "isExternalReference", "hasFormalLevels", "isPartial", "vtlVersion"}  # fmt: skip
    return bool(node.keys() - identification)


@pytest.mark.parametrize("detail", DETAILS)
def test_details_of_every_type(apiary: House, detail: str) -> None:
    """Which side is shown whole; a stub has a name and no more, a complete one its description and annotations."""
    found = sent(
        apiary, f"v2/structure/dataflow/BEES/DF_HONEY/1.0.0?references=all,ancestors,descendants&detail={detail}"
    )
    flow = "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=BEES:DF_HONEY(1.0.0)"
    assert len({one.partition("=")[0] for one in found}) >= 15
    for urn, node in found.items():
        is_stub = detail in ("allstubs", "allcompletestubs") or (
            urn != flow and detail in ("referencestubs", "referencecompletestubs")
        )
        assert node.get("isExternalReference", False) == is_stub, urn
        if not is_stub:
            assert _has_content(EVERY[urn], node), urn
        else:
            assert ("description" in node or "annotations" in node) == (
                "complete" in detail and bool(EVERY[urn].descriptions or EVERY[urn].annotations)
            ), urn
            assert not node.keys() & {"codes", "concepts", "dataStructureComponents", "structure", "items"}, urn


# --- items -------------------------------------------------------------------------------------------------------------

ITEMS = [
    ("codelist/BEES/CL_FLOWER/1.0.0/LIME", "codes", ["LIME"]),
    ("codelist/BEES/CL_FLOWER/1.0.0/007,LIME", "codes", ["LIME", "007"]),
    ("codelist/BEES/CL_WIDE_REGION/1.0.0/R_HILL", "codes", ["R_HILL"]),
    ("valuelist/BEES/VL_COLOUR/1.0.0/light%20amber", "valueItems", ["light amber"]),
    ("valuelist/BEES/VL_COLOUR/1.0.0/50%20%25%20%2F%2050%20%25", "valueItems", ["50 % / 50 %"]),
    ("valuelist/BEES/VL_COLOUR/1.0.0/1%252C5", "valueItems", ["1,5"]),
    ("conceptscheme/BEES/CS_BEES/1.0.0/REGION", "concepts", ["REGION"]),
    ("categoryscheme/BEES/TOPICS/1.0.0/HONEY.SUMMER", "categories", ["HONEY", "HONEY.SUMMER"]),
    ("reportingtaxonomy/BEES/YEARBOOK/1.0.0/PART_1.TABLE_1", "reportingCategories", ["PART_1", "PART_1.TABLE_1"]),
    ("reportingtaxonomy/BEES/YEARBOOK/1.0.0/PART_1", "reportingCategories", ["PART_1"]),
    ("agencyscheme/SDMX/AGENCIES/1.0/BEES", "agencies", ["BEES"]),
    ("dataproviderscheme/BEES/DATA_PROVIDERS/1.0/GUILD", "dataProviders", ["GUILD"]),
    ("metadataproviderscheme/BEES/METADATA_PROVIDERS/1.0/HIVES", "metadataProviders", ["HIVES"]),
    ("dataconsumerscheme/BEES/DATA_CONSUMERS/1.0/BAKERS", "dataConsumers", ["BAKERS"]),
    ("organisationunitscheme/BEES/UNITS/1.0/LAB", "organisationUnits", ["LAB"]),
    ("transformationscheme/BEES/TS/1.0.0/TR_1", "transformations", ["TR_1"]),
    ("rulesetscheme/BEES/RSS/1.0.0/RS_POSITIVE", "rulesets", ["RS_POSITIVE"]),
    ("userdefinedoperatorscheme/BEES/UDOS/1.0.0/UDO_TWICE", "userDefinedOperators", ["UDO_TWICE"]),
    ("customtypescheme/BEES/CTS/1.0.0/CT_DATE", "customTypes", ["CT_DATE"]),
    ("namepersonalisationscheme/BEES/NPS/1.0.0/NP_ERROR", "namePersonalisations", ["NP_ERROR"]),
    ("vtlmappingscheme/BEES/VMS/1.0.0/VM_HONEY", "vtlMappings", ["VM_HONEY"]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "name", "items"), ITEMS, ids=[one[0] for one in ITEMS])
def test_items_of_every_scheme(apiary: House, path: str, name: str, items: list[str]) -> None:
    def walk(nodes: list[dict[str, Any]], above: str = "") -> Iterator[str]:
        for node in nodes:
            yield above + node["id"]
            yield from walk(node.get(name, []), f"{above}{node['id']}.")

    (found,) = sent(apiary, f"v2/structure/{path}").values()
    assert list(walk(found[name])) == items
    if name != "valueItems":  # of value lists the schema has no isPartial
        assert found["isPartial"] is True
    for format in formats_for("structure", "v2"):
        _check(apiary, f"v2/structure/{path}", path.partition("/")[0], format)
    assert apiary.get(f"v2/structure/{path.rpartition('/')[0]}/NOWHERE", JSON).status == 404


@pytest.mark.parametrize("version", ["", "/1.0", "/~", "/*", "/1.0.0"])
def test_fixed_ids_have_version_1_0(apiary: House, version: str) -> None:
    for path in (
        "agencyscheme/SDMX/AGENCIES",
        "dataproviderscheme/BEES/DATA_PROVIDERS",
        "categorisation/BEES/CAT_HONEY",
    ):
        status = apiary.get(f"v2/structure/{path}{version}", JSON).status
        assert status == (404 if version == "/1.0.0" else 200), path


def test_a_partial_scheme_that_is_kept_is_partial_when_sent(apiary: House) -> None:
    (found,) = sent(apiary, "v2/structure/codelist/BEES/CL_SOME_REGIONS").values()
    assert found["isPartial"] is True
    assert [one["id"] for one in found["codes"]] == ["SOUTH", "HILL"]


def test_an_extended_codelist_is_resolved_and_raw_it_is_not(apiary: House) -> None:
    (whole,) = sent(apiary, "v2/structure/codelist/BEES/CL_WIDE_REGION").values()
    assert {one["id"] for one in whole["codes"]} == {"ALL", "R_SOUTH", "R_HILL"}
    assert "codelistExtensions" not in whole
    (raw,) = sent(apiary, "v2/structure/codelist/BEES/CL_WIDE_REGION?detail=raw").values()
    assert [one["id"] for one in raw["codes"]] == ["ALL"]
    assert raw["codelistExtensions"][0]["codelist"].endswith("CL_REGION(1.0.0)")


def _item_ids(node: dict[str, Any], name: str) -> list[str]:
    return [one["id"] for one in node[name]]


def partial(house: House, path: str) -> dict[str, dict[str, Any]]:
    """The artefacts of an answer with ``detail=referencepartial``, by id."""
    return {one["id"]: one for one in sent(house, f"v2/structure/{path}&detail=referencepartial").values()}


def test_hierarchies_cut_codelists(apiary: House) -> None:
    found = partial(apiary, "hierarchy/BEES/H_WORLD?references=children")
    assert _item_ids(found["CL_FLOWER"], "codes") == ["_T", "TREE", "LIME"]  # with the parents
    assert _item_ids(found["CL_REGION"], "codes") == ["SOUTH"]
    assert found["CL_FLOWER"]["isPartial"] is found["CL_REGION"]["isPartial"] is True


def test_constraints_cut_codelists(apiary: House) -> None:
    found = partial(apiary, "dataflow/BEES/DF_HONEY/1.0.0?references=descendants")
    assert set(_item_ids(found["CL_FLOWER"], "codes")) == {"_T", "TREE", "HERB", "LIME", "CLOVER", "007"}
    assert len(_item_ids(found["CL_REGION"], "codes")) == 3
    assert "SPARE" not in _item_ids(found["CS_BEES"], "concepts")


def test_categorisations_agreements_and_metadata_structures_cut_schemes(apiary: House) -> None:
    found = partial(apiary, "categorisation/BEES/CAT_HONEY?references=children")
    assert _item_ids(found["TOPICS"], "categories") == ["HONEY"]
    assert "categories" not in found["TOPICS"]["categories"][0]["categories"][0]
    found = partial(apiary, "provisionagreement/BEES/PA_HONEY?references=children")
    assert _item_ids(found["DATA_PROVIDERS"], "dataProviders") == ["HIVES"]
    found = partial(apiary, "metadatastructure/BEES/MSD_QUALITY?references=children")
    assert _item_ids(found["CS_BEES"], "concepts") == ["METHOD", "STEP"]


def test_what_nothing_uses_so_is_whole(apiary: House) -> None:
    found = partial(apiary, "conceptschememap/BEES/CSM_BEES?references=children")
    assert len(_item_ids(found["CS_BEES"], "concepts")) == 11
    found = partial(apiary, "categoryschememap/BEES/CTM_TOPICS?references=children")
    assert _item_ids(found["TOPICS"], "categories") == ["HONEY", "WAX"]
