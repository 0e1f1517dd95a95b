"""The hierarchies: members with dates, sums against published totals, and the way through every format."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from codelists.ages import bounds
from sdmx_service.catalog.loading import dangling, load_folder
from sdmx_service.formats.recognition import structure_format
from sdmx_service.formats.registry import named
from sdmx_service.model.items import Codelist, HierarchicalCode, Hierarchy, HierarchyAssociation
from sdmx_service.model.message import Message, WriteOptions
from tests.formats.structure.messages import FORMATS, SINCE_3_0, StructureFormat

TOP = Path(__file__).parents[2]
HIERARCHIES = sorted(path.stem for path in (TOP / "codelists").glob("H_*.json"))
ALL = WriteOptions(all_languages=True)
BINDING = {one.sdmx + one.family: one for one in FORMATS}


@pytest.fixture(scope="module")
def artefacts() -> dict[str, Any]:
    """Hierarchies, their associations and the two codelists, as the service loads them."""
    wanted = (Hierarchy, HierarchyAssociation)
    lists = {"CL_AREA_MIG", "CL_AGE"}
    loaded = load_folder(TOP).artefacts
    return {one.id: one for one in loaded if isinstance(one, wanted) or (isinstance(one, Codelist) and one.id in lists)}


def walk(nodes: tuple[HierarchicalCode, ...]) -> Iterator[HierarchicalCode]:
    """Every node below and including the nodes."""
    for node in nodes:
        yield node
        yield from walk(node.items)


def is_valid(node: HierarchicalCode, day: str) -> bool:
    """Whether the node holds on a day."""
    return (node.valid_from or "0")[:10] <= day <= (node.valid_to or "9999")[:10]


def members(hierarchy: Hierarchy, group: str, day: str) -> set[str]:
    """The areas of a group on a day: what stands below the group's node and has nothing below itself."""
    (top,) = (node for node in walk(hierarchy.items) if node.id == group)
    found = set()
    for node in top.items:
        if not is_valid(node, day):
            continue
        code = str(node.code.item)
        is_group = any(one.id == code and one.items for one in walk(hierarchy.items))
        found |= members(hierarchy, code, day) if is_group and code != "830" else {code}
    return found


# --- structure -----------------------------------------------------------------------------------


def test_they_are_there_each_with_its_association(artefacts: dict[str, Any]) -> None:
    expected = {"H_AREA_M49", "H_AREA_SDG", "H_AREA_DEV", "H_AREA_WB", "H_AREA_COM", "H_AREA_EU", "H_AGE"}
    assert set(HIERARCHIES) == expected
    for id_ in HIERARCHIES:
        association = artefacts[f"HA_{id_[2:]}"]
        assert association.hierarchy == artefacts[id_].ref
        assert association.linked == artefacts["CL_AGE" if id_ == "H_AGE" else "CL_AREA_MIG"].ref


@pytest.mark.parametrize("id_", HIERARCHIES)
def test_each_names_source_and_status_in_two_languages(id_: str) -> None:
    (whole,) = json.loads((TOP / "codelists" / f"{id_}.json").read_text(encoding="utf-8"))["data"]["hierarchies"]
    annotations = {note["type"]: note for note in whole["annotations"]}
    assert annotations["STATUS"]["title"] in ("certain", "certain but secondary")
    assert set(annotations["SOURCE"]["texts"]) == {"en", "fr"}
    assert set(whole["names"]) == {"en", "fr", "es", "ru", "zh", "ar"}
    assert set(whole["descriptions"]) == {"en", "fr"}


@pytest.mark.parametrize("id_", HIERARCHIES)
def test_every_code_exists_and_every_id_is_once(artefacts: dict[str, Any], id_: str) -> None:
    codelist = artefacts["CL_AGE" if id_ == "H_AGE" else "CL_AREA_MIG"]
    known = {code.id for code in codelist.items}
    nodes = list(walk(artefacts[id_].items))
    assert {node.code.maintainable for node in nodes} == {codelist.ref}
    assert {node.code.item for node in nodes} <= known
    assert len({node.id for node in nodes}) == len(nodes)
    for node in nodes:
        assert (node.valid_from or "0") <= (node.valid_to or "9"), node.id


def test_nothing_dangles() -> None:
    ours = [
        (one.ref.text, ref.text)
        for one, ref in dangling(load_folder(TOP).catalog())
        if isinstance(one, Hierarchy | HierarchyAssociation)
    ]
    assert ours == []


# --- areas ---------------------------------------------------------------------------------------


def test_m49_has_every_area_once_under_its_region(artefacts: dict[str, Any]) -> None:
    areas = {code.id: code for code in artefacts["CL_AREA_MIG"].items}
    kinds = {id_: code.annotation("AREA_TYPE").title for id_, code in areas.items()}
    nodes = [str(node.code.item) for node in walk(artefacts["H_AREA_M49"].items)]
    assert len(nodes) == len(set(nodes))
    assert set(nodes) == {id_ for id_, kind in kinds.items() if kind in ("region", "area", "former")} - {"XK"}
    above = {
        str(child.code.item): str(node.code.item)
        for node in walk(artefacts["H_AREA_M49"].items)
        for child in node.items
    }
    assert {id_: parent for id_, parent in above.items() if parent != areas[id_].parent} == {"831": "830", "832": "830"}


def test_m49_follows_time(artefacts: dict[str, Any]) -> None:
    hierarchy = artefacts["H_AREA_M49"]
    assert {"736"} == members(hierarchy, "15", "2011-07-08") & {"736", "729", "728"}
    assert {"729"} == members(hierarchy, "15", "2011-07-09") & {"736", "729", "728"}
    assert "728" in members(hierarchy, "14", "2011-07-09") - members(hierarchy, "14", "2011-07-08")
    assert {"280", "278"} == members(hierarchy, "155", "1990-10-02") & {"276", "278", "280"}
    assert {"276"} == members(hierarchy, "155", "1990-10-03") & {"276", "278", "280"}


@pytest.fixture(scope="module")
def published(shared: Path) -> dict[str, list[int]]:
    """Location code to the published figures of Table 1: both sexes, men, women for 1990 to 2024."""
    path = shared / "data" / "stock" / "undesa_ims2024_by_sex_destination.xlsx"
    sheet = openpyxl.load_workbook(path, read_only=True)["Table 1"]
    found: dict[str, list[int]] = {}
    for row in sheet.iter_rows(values_only=True):
        if len(row) > 6 and isinstance(row[4], int):
            found[str(row[4])] = [cell if isinstance(cell, int) else 0 for cell in row[5:29]]
    return found


@pytest.mark.golden("DESA 2024 groups")
@pytest.mark.parametrize(
    ("hierarchy", "group", "location", "besides"),
    [
        ("H_AREA_SDG", "202", "1834", ""),
        ("H_AREA_SDG", "747", "1833", ""),
        ("H_AREA_SDG", "62", "1831", ""),
        ("H_AREA_SDG", "753", "1832", ""),
        ("H_AREA_SDG", "419", "1830", ""),
        ("H_AREA_SDG", "543", "1835", ""),
        ("H_AREA_SDG", "53", "1836", ""),
        ("H_AREA_SDG", "513", "1829", ""),
        ("H_AREA_SDG", "1", "900", ""),
        ("H_AREA_M49", "1", "900", ""),
        ("H_AREA_M49", "2", "903", ""),
        ("H_AREA_M49", "142", "935", ""),
        ("H_AREA_M49", "150", "908", ""),
        ("H_AREA_M49", "21", "905", ""),
        ("H_AREA_M49", "14", "910", ""),
        ("H_AREA_DEV", "MDR", "901", ""),
        ("H_AREA_DEV", "LDR", "902", ""),
        ("H_AREA_DEV", "199", "941", ""),
        ("H_AREA_DEV", "LDR_XLDC", "934", ""),
        ("H_AREA_DEV", "LDR_XCHN", "948", ""),
        ("H_AREA_DEV", "432", "1636", ""),
        ("H_AREA_DEV", "722", "1637", ""),
        ("H_AREA_WB", "WB_LIC", "1500", ""),
        ("H_AREA_WB", "WB_LMC", "1501", ""),
        ("H_AREA_WB", "WB_UMC", "1502", ""),
        ("H_AREA_WB", "WB_MIC", "1517", ""),
        ("H_AREA_WB", "WB_LLM", "5504", ""),
        ("H_AREA_WB", "WB_LMY", "1859", ""),
        ("H_AREA_WB", "WB_HIC", "1503", "175 638 474 254 666"),
        ("H_AREA_WB", "WB_HUM", "5503", "175 638 474 254 666"),
    ],
)
def test_members_add_up_to_the_published_totals(
    published: dict[str, list[int]], artefacts: dict[str, Any], hierarchy: str, group: str, location: str, besides: str
) -> None:
    """UN DESA's International Migrant Stock 2024: 24 figures for each group (rounding: 3 persons)."""
    found = members(artefacts[hierarchy], group, "2024-06-30") | set(besides.split())
    assert len(found & set(published)) > 1
    for place, total in enumerate(published[location]):
        assert abs(total - sum(published[area][place] for area in found if area in published)) <= 3


@pytest.mark.parametrize(
    ("group", "day", "size"),
    [
        ("97", "1958-01-01", 6),
        ("97", "1973-01-01", 9),
        ("97", "1981-01-01", 10),
        ("97", "1990-10-03", 12),
        ("97", "2004-04-30", 15),
        ("97", "2004-05-01", 25),
        ("97", "2007-01-01", 27),
        ("97", "2013-07-01", 28),
        ("97", "2020-02-01", 27),
        ("EU6", "1960-01-01", 6),
        ("EU12", "1990-10-02", 12),
        ("EU12", "1990-10-03", 12),
        ("EU15", "2000-01-01", 15),
        ("EU25", "2005-01-01", 25),
        ("EU27_2007", "2010-01-01", 27),
        ("EU28", "2015-01-01", 28),
        ("EU27_2020", "2024-01-01", 27),
    ],
)
def test_the_union_has_as_many_members_as_its_name_says(
    artefacts: dict[str, Any], group: str, day: str, size: int
) -> None:
    assert len(members(artefacts["H_AREA_EU"], group, day)) == size


def test_versions_of_the_union_agree_with_accessions(artefacts: dict[str, Any]) -> None:
    hierarchy = artefacts["H_AREA_EU"]
    for version in (node for node in hierarchy.items if node.id != "97"):
        assert version.valid_from is not None
        first, last = version.valid_from[:10], (version.valid_to or "2026-01-01")[:10]
        for day in (first, last):
            assert members(hierarchy, version.id, day) == members(hierarchy, "97", day), (version.id, day)
    ends = [(node.valid_from or "")[:10] for node in hierarchy.items if node.id != "97"]
    starts = [(node.valid_to or "")[:10] for node in hierarchy.items if node.id != "97"]
    next_days = [(dt.date.fromisoformat(day) + dt.timedelta(1)).isoformat() for day in starts[:-1]]
    assert next_days == ends[1:]


def test_commissions_have_their_members(artefacts: dict[str, Any]) -> None:
    hierarchy = artefacts["H_AREA_COM"]
    counted = {}
    for top in hierarchy.items:
        kinds = [node.annotation("MEMBERSHIP").title for node in top.items]
        counted[top.id] = (kinds.count("member"), kinds.count("associate"))
    assert counted == {"ECE": (56, 0), "ECA": (54, 0), "ECLAC": (46, 14), "ESCAP": (53, 9), "ESCWA": (21, 0)}
    day = "2025-08-30"
    kyrgyzstan, sudan, france = "417", "729", "250"
    assert kyrgyzstan in members(hierarchy, "ECE", day) & members(hierarchy, "ESCAP", day)
    assert sudan in members(hierarchy, "ECA", day) & members(hierarchy, "ESCWA", day)
    assert france in members(hierarchy, "ECLAC", day) & members(hierarchy, "ECE", day)


def test_graduation_moves_a_country(artefacts: dict[str, Any]) -> None:
    hierarchy, bhutan = artefacts["H_AREA_DEV"], "64"
    assert bhutan in members(hierarchy, "199", "2023-12-12") - members(hierarchy, "LDR_XLDC", "2023-12-12")
    assert bhutan in members(hierarchy, "LDR_XLDC", "2023-12-13") - members(hierarchy, "199", "2023-12-13")
    for day in ("1990-01-01", "2024-06-30", "2025-01-01"):
        parts = members(hierarchy, "199", day), members(hierarchy, "LDR_XLDC", day)
        assert parts[0] & parts[1] == set()
        assert parts[0] | parts[1] == members(hierarchy, "LDR", day)
    assert len(members(hierarchy, "199", "2025-01-01")) == 44


# --- ages ----------------------------------------------------------------------------------------


def test_parts_of_an_age_group_are_its_years_and_nothing_else(artefacts: dict[str, Any]) -> None:
    def years(code: str) -> set[int]:
        low, high = bounds(code)
        return set(range(low, high + 1))

    hierarchy = artefacts["H_AGE"]
    seen: dict[str, int] = {}
    for group in hierarchy.items:
        parts = [str(node.code.item) for node in group.items]
        for part in parts:
            seen[part] = seen.get(part, 0) + 1
        if group.id == "_T":
            assert parts[-1] == "_U" and set().union(*(years(part) for part in parts[:-1])) == set(range(101))
            continue
        assert sum(len(years(part)) for part in parts) == len(years(group.id)), group.id
        assert set().union(*(years(part) for part in parts)) == years(group.id), group.id
    assert seen["Y15T19"] > 3 and seen["Y15"] > 3


def test_every_sum_of_the_rules_over_ages_is_one_of_the_hierarchy_or_of_the_total(artefacts: dict[str, Any]) -> None:
    """What a rule adds up to a group, the hierarchy adds up too, down to single years."""
    known = {code.id for code in artefacts["CL_AGE"].items}
    found = 0
    for path in (TOP / "dsd" / "rules").glob("*.json"):
        for rule in json.loads(path.read_text(encoding="utf-8"))["rules"]:
            if rule.get("dimension") != "AGE" or rule["kind"] != "sum":
                continue
            for partition in rule.get("partitions", []):
                assert set(partition) <= known
                low, high = (0, 100) if rule["total"] == "_T" else bounds(rule["total"])
                ends = sorted(bounds(part) for part in partition)
                assert (ends[0][0], ends[-1][1]) == (low, high)
                assert all(one[1] + 1 == other[0] for one, other in itertools.pairwise(ends))
                found += 1
    assert found


# --- formats -------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", SINCE_3_0, ids=str)
@pytest.mark.parametrize("id_", HIERARCHIES)
def test_round_trip_with_dates(artefacts: dict[str, Any], id_: str, target: StructureFormat) -> None:
    """Hierarchy and association go through SDMX-ML 3.0, 3.1 and SDMX-JSON 2.0, 2.1 whole and valid."""
    sent = (artefacts[id_], artefacts[f"HA_{id_[2:]}"])
    written = target.write(Message(structures=sent))
    assert target.faults(written) == []
    assert set(target.read(written).structures) == set(sent)


@pytest.mark.parametrize("name", ["structure-xml-3.1", "structure-json-2.1"])
def test_the_registrys_formats_carry_lists_and_hierarchies_together(artefacts: dict[str, Any], name: str) -> None:
    format_ = named(name)
    assert format_.write is not None
    sent = tuple(artefacts.values())
    written = b"".join(format_.write(Message(structures=sent), ALL))
    reader = structure_format(written).read
    assert reader is not None
    read = reader(io.BytesIO(written), lambda ref: None)
    assert isinstance(read, Message)
    assert {one.urn: one for one in read.structures} == {one.urn: one for one in sent}


@pytest.mark.parametrize("id_", HIERARCHIES)
def test_2_1_has_them_as_hierarchical_codelists(artefacts: dict[str, Any], id_: str) -> None:
    target = FORMATS[0]
    written = target.write(Message(structures=(artefacts[id_],)))
    assert target.faults(written) == []
    (read,) = target.read(written).structures
    assert isinstance(read, Hierarchy)
    assert read.items == artefacts[id_].items
    assert read.names == artefacts[id_].names


def test_sdmx1_reads_lists_and_names_from_2_1(artefacts: dict[str, Any]) -> None:
    import sdmx

    lists = tuple(
        one
        for one in load_folder(TOP).artefacts
        if isinstance(one, Codelist) and one.agency == "UNSD_MIG" and not one.extensions
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = sdmx.read_sdmx(io.BytesIO(FORMATS[0].write(Message(structures=lists))))
    assert set(theirs.codelist) == {one.id for one in lists}
    for ours in lists:
        found = theirs.codelist[ours.id]
        assert found.name.localizations == dict(ours.names)
        assert {code.id: code.name.localizations for code in found} == {
            code.id: dict(code.names) for code in ours.items
        }
        parents = {code.id: code.parent.id if getattr(code.parent, "id", None) != ours.id else None for code in found}
        assert {id_: parent for id_, parent in parents.items() if parent} == {
            code.id: code.parent for code in ours.items if code.parent
        }


def test_pysdmx_reads_hierarchies_with_names_and_dates(artefacts: dict[str, Any]) -> None:
    from pysdmx.io import read_sdmx

    sent = (artefacts["CL_AREA_MIG"], artefacts["H_AREA_EU"], artefacts["HA_AREA_EU"])
    written = BINDING["3.0sdmx-json"].write(Message(structures=sent), WriteOptions(languages=("en",)))
    theirs = read_sdmx(written.decode(), validate=False)
    (hierarchy,) = theirs.get_hierarchies()
    (association,) = theirs.get_hierarchy_associations()
    assert association.hierarchy.id == "H_AREA_EU"
    top = {code.id: code for code in hierarchy.codes}
    kingdom = next(code for code in top["97"].codes if code.id == "826")
    assert (kingdom.rel_valid_from.date(), kingdom.rel_valid_to.date()) == (dt.date(1973, 1, 1), dt.date(2020, 1, 31))
    assert kingdom.name == "United Kingdom of Great Britain and Northern Ireland"
    assert {id_: len(code.codes) for id_, code in top.items()}["EU27_2020"] == 27
