"""Structures created, replaced, completed and deleted over HTTP, and what is refused."""

from __future__ import annotations

import gzip
import itertools
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from sdmx_service.catalog.library import Library
from tests.harness import House
from tests.rest.fishery import open_fishery
from tests.rest.maintaining import (
    URN,
    Desk,
    Said,
    agreement,
    codelist,
    concepts,
    dataflow,
    made,
    message,
    structure,
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A house whose structures may be changed; each test uses ids of its own."""
    with open_fishery(tmp_path_factory.mktemp("desk") / "house") as house, Desk(house) as desk:
        yield desk


_numbers = itertools.count()


@pytest.fixture
def id() -> str:
    return f"CL_T{next(_numbers)}"


def codes(desk: Desk, path: str) -> list[str]:
    (found,) = desk.shown(path)
    return [code["id"] for code in found["codes"]]


# --- create and replace -----------------------------------------------------------------------------------------------


def test_a_codelist_is_created_then_shown(desk: Desk, id: str) -> None:
    answer = desk.post(codelist(id, "1.0.0", "A", ("B", "A")))
    assert answer.status == 201
    assert answer.headers["Location"] == f"/sdmx/v2/structure/codelist/SEA/{id}/1.0.0"
    assert answer.one == Said(f"SEA:{id}(1.0.0)", "Append", "Success", 201, f"Codelist SEA:{id}(1.0.0): created.")
    assert codes(desk, f"codelist/SEA/{id}") == ["A", "B"]


def test_a_stable_version_is_frozen(desk: Desk, id: str) -> None:
    desk.post(codelist(id, "1.0.0", "A"))
    again = desk.post(codelist(id, "1.0.0", "A"))
    assert (again.status, again.one.text) == (200, f"SEA:{id}(1.0.0) is so already.")
    for answer in (
        desk.post(codelist(id, "1.0.0", "A", "B")),
        desk.ask("PUT", f"v2/structure/codelist/SEA/{id}/1.0.0", message(codelist(id, "1.0.0", "A", "B"))),
        desk.post(codelist(id, "1.0.0", "B", isPartial=True)),
        desk.ask("DELETE", f"v2/structure/codelist/SEA/{id}/1.0.0"),
        desk.ask("DELETE", f"v2/structure/codelist/SEA/{id}/1.0.0/A"),
    ):
        assert (answer.status, answer.one.status, answer.one.code) == (409, "Failure", 409)
    assert codes(desk, f"codelist/SEA/{id}") == ["A"]


@pytest.mark.parametrize("version", ["1.1.0-draft", "0.3.0", "1.0", "2"])
def test_other_versions_may_change(desk: Desk, id: str, version: str) -> None:
    assert desk.post(codelist(id, version, "A")).status == 201
    path = f"codelist/SEA/{id}/{version}"
    put = desk.ask("PUT", f"v2/structure/{path}", message(codelist(id, version, "B", "C")))
    assert (put.status, put.one.action, put.one.code) == (200, "Replace", 200)
    assert codes(desk, path) == ["B", "C"]
    assert desk.post(codelist(id, version, "D")).status == 200
    assert codes(desk, path) == ["D"]
    gone = desk.ask("DELETE", f"v2/structure/{path}")
    assert (gone.status, gone.one.action, gone.one.status) == (200, "Delete", "Success")
    assert desk.shown(path) == []
    assert desk.ask("DELETE", f"v2/structure/{path}").one.code == 404


def test_put_needs_an_artefact_that_is_there_and_the_one_of_the_path(desk: Desk, id: str) -> None:
    path = f"v2/structure/codelist/SEA/{id}/1.0.0-draft"
    draft = codelist(id, "1.0.0-draft", "A")
    unknown = desk.ask("PUT", path, message(draft))
    assert (unknown.status, unknown.one.code) == (404, 404)
    desk.post(draft)
    for body in (message(codelist(id, "1.0.0", "A")), message(codelist("CL_OTHER", "1.0.0-draft", "A"))):
        answer = desk.ask("PUT", path, body)
        assert (answer.status, answer.one.code) == (422, 422)
    two = desk.ask("PUT", path, message(draft, codelist("CL_OTHER", "1.0.0-draft", "A")))
    assert (two.status, [one.code for one in two.results]) == (422, [422, 422])
    assert desk.shown("codelist/SEA/CL_OTHER") == []


def test_a_type_that_the_path_does_not_name_refuses_the_message(desk: Desk, id: str) -> None:
    answer = desk.post(codelist(id, "1.0.0", "A"), concepts("CS_T", "1.0.0", "X"), path="v2/structure/codelist")
    assert (answer.status, [one.code for one in answer.results]) == (422, [422, 422])
    assert (desk.shown(f"codelist/SEA/{id}"), desk.shown("conceptscheme/SEA/CS_T")) == ([], [])
    assert desk.post(codelist(id, "1.0.0", "A"), path="v2/structure/codelist").status == 201


def test_each_artefact_succeeds_or_fails_by_itself(desk: Desk, id: str) -> None:
    desk.post(codelist(id, "1.0.0", "A"))
    before = desk.house.library.store.pointer().generation
    answer = desk.post(
        codelist(id, "1.0.0", "B"),
        codelist(id, "1.1.0", "A", "B"),
        codelist(f"{id}X", "1.0.0", "A", "A"),
        codelist(f"{id}Y", "1.0.0", "A", isExternalReference=True),
        dataflow(f"DF_{id}", "1.0.0", "DSD_NONE(1.0.0)"),
    )
    assert (answer.status, [one.code for one in answer.results]) == (207, [409, 201, 422, 422, 409])
    assert "Location" not in answer.headers
    assert desk.versions(f"codelist/SEA/{id}/*") == ["1.0.0", "1.1.0"]
    assert desk.house.library.store.pointer().generation == before + 1


def test_a_reference_to_something_refused_is_missing(desk: Desk, id: str) -> None:
    answer = desk.post(
        dataflow(f"DF_{id}", "1.0.0", f"DSD_{id}(1.0+.0)"),
        structure(f"DSD_{id}", "1.0.0", f"CS_{id}(1.0+.0)", {"A": f"{id}(1.0+.0)"}),
        concepts(f"CS_{id}", "1.0.0", "A", "HEADS"),
        codelist(id, "1.0.0", "X", ("Y", "NONE")),
    )
    assert (answer.status, [one.code for one in answer.results]) == (207, [409, 409, 201, 422])
    assert f"Codelist SEA:{id}(1.0+.0), which is not here" in answer.results[1].text
    assert desk.shown(f"datastructure/SEA/DSD_{id}") == []


def test_the_order_in_a_message_does_not_matter(desk: Desk, id: str) -> None:
    answer = desk.post(
        agreement(f"PA_{id}", "1.0.0", f"DF_{id}(1.0+.0)"),
        dataflow(f"DF_{id}", "1.0.0", f"DSD_{id}(1.0+.0)"),
        structure(f"DSD_{id}", "1.0.0", f"CS_{id}(1.0+.0)", {"A": f"{id}(1.0+.0)"}),
        concepts(f"CS_{id}", "1.0.0", "A", "HEADS"),
        codelist(id, "1.0.0", "X"),
    )
    assert (answer.status, {one.code for one in answer.results}) == (201, {201})
    receipt, findings = desk.house.send(
        f"STRUCTURE,STRUCTURE_ID,ACTION,A,HEADS\ndataflow,SEA:DF_{id}(1.0.0),M,X,7\n".encode(), provider="SEA.HARBOUR"
    )
    assert receipt.status == "published", findings
    assert [row["HEADS"] for row in desk.house.rows(f"v2/data/dataflow/SEA/DF_{id}")] == ["7"]


# --- nothing that was whole is broken ---------------------------------------------------------------------------------


def whole(desk: Desk, id: str, version: str = "1.0.0-draft", *codes: str) -> None:
    """A draft list, concepts, structure and dataflow, bound exactly."""
    answer = desk.post(
        codelist(id, version, *(codes or ("X", "Y"))),
        concepts(f"CS_{id}", version, "A", "HEADS"),
        structure(f"DSD_{id}", version, f"CS_{id}({version})", {"A": f"{id}({version})"}),
        dataflow(f"DF_{id}", version, f"DSD_{id}({version})"),
    )
    assert answer.status == 201, answer.results


def figures(desk: Desk, id: str, version: str, *codes: str) -> None:
    rows = [f"dataflow,SEA:DF_{id}({version}),M,{code},{place}" for place, code in enumerate(codes)]
    sent = "\n".join(["STRUCTURE,STRUCTURE_ID,ACTION,A,HEADS", *rows, ""]).encode()
    receipt, findings = desk.house.send(sent, provider="SEA.HARBOUR")
    assert receipt.status == "published", findings


def test_what_is_referred_to_stays(desk: Desk, id: str) -> None:
    whole(desk, id)
    for path, text in (
        (f"codelist/SEA/{id}/1.0.0-draft", f"DataStructure SEA:DSD_{id}(1.0.0-draft)"),
        (f"conceptscheme/SEA/CS_{id}/1.0.0-draft", f"DataStructure SEA:DSD_{id}(1.0.0-draft)"),
        (f"conceptscheme/SEA/CS_{id}/1.0.0-draft/HEADS", f"DataStructure SEA:DSD_{id}(1.0.0-draft)"),
        (f"datastructure/SEA/DSD_{id}/1.0.0-draft", f"Dataflow SEA:DF_{id}(1.0.0-draft)"),
    ):
        answer = desk.ask("DELETE", f"v2/structure/{path}")
        assert (answer.status, answer.one.code) == (409, 409)
        assert text in answer.one.text
    lost = desk.post(concepts(f"CS_{id}", "1.0.0-draft", "A"))
    assert (lost.status, lost.one.code) == (409, 409)
    assert f"SEA:CS_{id}(1.0.0-draft).HEADS" in lost.one.text
    # a code may go, as no figure has it; the way down is free from the top
    assert desk.ask("DELETE", f"v2/structure/codelist/SEA/{id}/1.0.0-draft/Y").status == 200
    for path in (
        f"dataflow/SEA/DF_{id}",
        f"datastructure/SEA/DSD_{id}",
        f"conceptscheme/SEA/CS_{id}",
        f"codelist/SEA/{id}",
    ):
        assert desk.ask("DELETE", f"v2/structure/{path}/1.0.0-draft").status == 200, path


def test_a_new_version_that_late_bound_references_would_mean_must_hold_what_they_need(desk: Desk, id: str) -> None:
    desk.post(concepts(f"CS_{id}", "1.0.0", "A", "HEADS"), codelist(id, "1.0.0", "X", "Y"))
    desk.post(
        structure(f"DSD_{id}", "1.0.0", f"CS_{id}(1.0+.0)", {"A": f"{id}(1.0+.0)"}),
        dataflow(f"DF_{id}", "1.0.0", f"DSD_{id}(1.0+.0)"),
    )
    figures(desk, id, "1.0.0", "X")
    refused = desk.post(concepts(f"CS_{id}", "1.1.0", "A"))
    assert (refused.status, refused.one.code) == (409, 409)
    assert desk.post(concepts(f"CS_{id}", "1.1.0-draft", "A")).status == 201  # nobody means a draft
    assert desk.post(concepts(f"CS_{id}", "2.0.0", "A")).status == 201  # nor the next major version
    used = desk.post(codelist(id, "1.1.0", "Y"))
    assert (used.status, used.one.code) == (409, 409)
    assert f"Data of SEA:DF_{id}(1.0.0) have A X" in used.one.text
    assert desk.post(codelist(id, "1.1.0", "X")).status == 201  # no figure has Y
    assert desk.post(codelist(id, "1.2.0", "X", "Z")).status == 201
    figures(desk, id, "1.0.0", "Z")


def test_figures_keep_what_describes_them(desk: Desk, id: str) -> None:
    whole(desk, id)
    desk.post(agreement(f"PA_{id}", "1.0.0-draft", f"DF_{id}(1.0.0-draft)"))
    figures(desk, id, "1.0.0-draft", "X")
    wide = structure(f"DSD_{id}", "1.0.0-draft", f"CS_{id}(1.0.0-draft)", {"A": f"{id}(1.0.0-draft)"}, "A")
    assert desk.post(wide).one.code == 422  # a component twice
    refusals = [
        desk.ask("DELETE", f"v2/structure/codelist/SEA/{id}/1.0.0-draft/X"),
        desk.post(codelist(id, "1.0.0-draft", "Y")),
        desk.ask("DELETE", f"v2/structure/provisionagreement/SEA/PA_{id}/1.0.0-draft"),
        desk.post(agreement(f"PA_{id}", "1.0.0-draft", f"DF_{id}(1.0.0-draft)", "COAST")),
        desk.ask("DELETE", f"v2/structure/dataflow/SEA/DF_{id}/1.0.0-draft"),
        desk.post(
            concepts(f"CS_{id}", "1.0.0-draft", "A", "HEADS", "B"),
            structure(
                f"DSD_{id}",
                "1.0.0-draft",
                f"CS_{id}(1.0.0-draft)",
                {"A": f"{id}(1.0.0-draft)", "B": f"{id}(1.0.0-draft)"},
            ),
        ),
    ]
    assert [[one.code for one in answer.results] for answer in refusals] == [
        [409],
        [409],
        [409],
        [409],
        [409],
        [200, 409],
    ]
    assert desk.post(dataflow(f"DF_{id}", "1.0.0-draft", "DSD_JOBS(1.0+.0)")).status == 409  # away from its figures
    assert [row["A"] for row in desk.house.rows(f"v2/data/dataflow/SEA/DF_{id}/1.0.0-draft")] == ["X"]


def test_a_draft_structure_without_figures_may_get_other_dimensions(desk: Desk, id: str) -> None:
    whole(desk, id)
    answer = desk.post(
        concepts(f"CS_{id}", "1.0.0-draft", "A", "HEADS", "B"),
        structure(
            f"DSD_{id}", "1.0.0-draft", f"CS_{id}(1.0.0-draft)", {"B": f"{id}(1.0.0-draft)", "A": f"{id}(1.0.0-draft)"}
        ),
    )
    assert answer.status == 200, answer.results
    sent = f"STRUCTURE,STRUCTURE_ID,ACTION,B,A,HEADS\ndataflow,SEA:DF_{id}(1.0.0-draft),M,Y,X,3\n".encode()
    receipt, findings = desk.house.send(sent, provider="SEA.HARBOUR")
    assert receipt.status == "published", findings
    (row,) = desk.house.rows(f"v2/data/dataflow/SEA/DF_{id}/1.0.0-draft")
    assert (row["A"], row["B"], row["HEADS"]) == ("X", "Y", "3")


def test_a_minor_version_of_a_structure_widens_its_cube_and_keeps_its_dimensions(desk: Desk, id: str) -> None:
    desk.post(concepts(f"CS_{id}", "1.0.0", "A", "B", "HEADS"), codelist(id, "1.0.0", "X", "Y"))
    desk.post(
        structure(f"DSD_{id}", "1.0.0", f"CS_{id}(1.0+.0)", {"A": f"{id}(1.0+.0)"}),
        dataflow(f"DF_{id}", "1.0.0", f"DSD_{id}(1.0+.0)"),
    )
    figures(desk, id, "1.0.0", "X")
    other = structure(f"DSD_{id}", "1.1.0", f"CS_{id}(1.0+.0)", {"A": f"{id}(1.0+.0)", "B": f"{id}(1.0+.0)"})
    assert "new major version" in desk.post(other).one.text
    member, wider = structure(f"DSD_{id}", "1.1.0", f"CS_{id}(1.0+.0)", {"A": f"{id}(1.0+.0)"})
    note = {
        "id": "B", "conceptIdentity": f"urn:sdmx:org.sdmx.infomodel.conceptscheme.Concept=SEA:CS_{id}(1.0+.0).B",
        "attributeRelationship": {"observation": {}}, "usage": "optional",
    }  # fmt: skip
    wider["dataStructureComponents"]["attributeList"] = {"id": "AttributeDescriptor", "attributes": [note]}
    assert desk.post((member, wider)).status == 201
    sent = f"STRUCTURE,STRUCTURE_ID,ACTION,A,HEADS,B\ndataflow,SEA:DF_{id}(1.0.0),M,Y,3,noted\n".encode()
    receipt, findings = desk.house.send(sent, provider="SEA.HARBOUR")
    assert receipt.status == "published", findings
    rows = desk.house.rows(f"v2/data/dataflow/SEA/DF_{id}")
    assert sorted((row["A"], row["B"]) for row in rows) == [("X", ""), ("Y", "noted")]


# --- parts ------------------------------------------------------------------------------------------------------------


def test_a_part_completes_the_whole(desk: Desk, id: str) -> None:
    """SDMX-REST 2.2, maintenance.md, annex V: the example of CL_DECIMALS."""
    texts = {"description": "Digits", "descriptions": {"en": "Digits"}, "annotations": [{"id": "N", "title": "kept"}]}
    desk.post(codelist(id, "1.0", "0", "1", "2", **texts))
    part = codelist(id, "1.0", "3", "0", isPartial=True, annotations=[{"id": "M", "title": "new"}])
    part[1]["codes"][1].update({"name": "No decimal", "names": {"en": "No decimal", "fr": "Aucune"}})
    part[1].update({"name": "Décimales", "names": {"fr": "Décimales"}})
    answer = desk.post(part)
    assert (answer.status, answer.one.action) == (200, "Merge")
    (found,) = desk.shown(f"codelist/SEA/{id}/1.0")
    assert [(one["id"], one["names"]) for one in found["codes"]] == [
        ("0", {"en": "No decimal", "fr": "Aucune"}), ("1", {"en": "1"}), ("2", {"en": "2"}), ("3", {"en": "3"}),
    ]  # fmt: skip
    assert found["names"] == {"en": id, "fr": "Décimales"}
    assert found["descriptions"] == {"en": "Digits"}
    assert [one["id"] for one in found["annotations"]] == ["M"]
    assert not found.get("isPartial")
    old = desk.post(codelist(id, "1.0", "9", isPartial=True), Accept="application/vnd.sdmx.registry+xml;version=3.0.0")
    assert old.one.action == "Append"  # 3.0 has no Merge
    unknown = desk.post(codelist(f"{id}X", "1.0", "0", isPartial=True))
    assert (unknown.status, unknown.one.code) == (404, 404)


def test_languages_are_added_and_nothing_else_changes(desk: Desk, id: str) -> None:
    """``isPartialLanguage``, of the proposal for the next version of the standard."""

    def french(pair: tuple[str, dict], **more: object) -> tuple[str, dict]:
        member, sent = pair
        texts = {"name": "Nom", "names": {"fr": "Nom"}}
        inner = [{**one, **texts} for one in sent["codes"]]
        return member, {**sent, **texts, "codes": inner, "isPartialLanguage": True, **more}

    desk.post(codelist(id, "1.0", "A", ("B", "A"), annotations=[{"id": "N", "text": "kept", "texts": {"en": "kept"}}]))
    answer = desk.post(french(codelist(id, "1.0", "B")))
    assert (answer.status, answer.one.action) == (200, "Merge")
    (found,) = desk.shown(f"codelist/SEA/{id}/1.0")
    assert found["names"] == {"en": id, "fr": "Nom"} and "isPartialLanguage" not in found
    assert [(one["id"], one["names"], one.get("parent")) for one in found["codes"]] == [
        ("A", {"en": "A"}, None), ("B", {"en": "B", "fr": "Nom"}, "A"),
    ]  # fmt: skip
    note = {"id": "N", "text": "gardée", "texts": {"fr": "gardée"}}
    assert desk.post(french(codelist(id, "1.0"), annotations=[note])).status == 200
    (found,) = desk.shown(f"codelist/SEA/{id}/1.0")
    assert found["annotations"][0]["texts"] == {"en": "kept", "fr": "gardée"}
    assert desk.post(french(codelist(id, "1.0", "C"))).one.code == 422
    assert desk.post(french(codelist(f"{id}X", "1.0", "C"))).one.code == 404
    desk.post(codelist(f"{id}S", "1.0.0", "A"))
    assert desk.post(french(codelist(f"{id}S", "1.0.0", "A"))).one.code == 409


def test_a_part_of_nested_items_replaces_whole_branches(desk: Desk, id: str) -> None:
    """SDMX-REST 2.2, maintenance.md, annex III."""

    def category(name: str, *inner: dict) -> dict:
        return {"id": name, "name": name, "names": {"en": name}, **({"categories": list(inner)} if inner else {})}

    def scheme(*categories: dict, **more: object) -> tuple[str, dict]:
        return "categorySchemes", {
            "id": id, "agencyID": "SEA", "version": "1.0", "name": id, "names": {"en": id}, "categories": list(categories),
            **more,
        }  # fmt: skip

    def tree(node: dict) -> dict:
        return {one["id"]: tree(one) for one in node.get("categories", [])}

    def shown() -> dict:
        (found,) = desk.shown(f"categoryscheme/SEA/{id}/1.0")
        return tree(found)

    economy = category("ECO", category("MACRO"), category("SECT", category("FISH"), category("ENERGY")))
    desk.post(scheme(category("DEMO"), economy, category("ENV")))
    assert desk.post(scheme(category("ECO", category("MACRO")), category("NEW"), isPartial=True)).status == 200
    assert shown() == {"DEMO": {}, "ECO": {"MACRO": {}}, "ENV": {}, "NEW": {}}
    desk.post(scheme(category("DEMO"), economy))
    target = f"urn:sdmx:org.sdmx.infomodel.categoryscheme.Category=SEA:{id}(1.0).ECO.SECT.FISH"
    member = {
        "id": f"C_{id}", "agencyID": "SEA", "version": "1.0", "name": "C", "names": {"en": "C"}, "target": target,
        "source": "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=SEA:DF_JOBS(1.0.0)",
    }  # fmt: skip
    assert desk.post(("categorisations", member)).status == 201
    path = f"v2/structure/categoryscheme/SEA/{id}/1.0"
    assert desk.ask("DELETE", f"{path}/ECO.SECT").status == 409  # the categorisation is of something in it
    assert desk.ask("DELETE", f"{path}/SECT").status == 404
    assert desk.ask("DELETE", f"{path}/ECO.SECT.ENERGY").status == 200
    assert desk.ask("DELETE", f"v2/structure/categorisation/SEA/C_{id}/1.0").status == 200
    assert desk.ask("DELETE", f"{path}/ECO.SECT").status == 200
    assert shown() == {"DEMO": {}, "ECO": {"MACRO": {}}}


def test_children_of_a_deleted_code_are_orphans(desk: Desk, id: str) -> None:
    desk.post(codelist(id, "1.0", "A", ("B", "A"), ("C", "B")))
    assert desk.ask("DELETE", f"v2/structure/codelist/SEA/{id}/1.0/A").status == 200
    (found,) = desk.shown(f"codelist/SEA/{id}/1.0")
    assert [(one["id"], one.get("parent")) for one in found["codes"]] == [("B", None), ("C", "B")]


def test_an_item_of_a_value_list_may_be_any_text(desk: Desk, id: str) -> None:
    items = [{"id": text, "name": "n", "names": {"en": "n"}} for text in ("a/b", "1,5", "é +")]
    desk.post(
        (
            "valueLists",
            {"id": id, "agencyID": "SEA", "version": "1.0", "name": id, "names": {"en": id}, "valueItems": items},
        )
    )
    assert desk.ask("DELETE", f"v2/structure/valuelist/SEA/{id}/1.0/1%2C5").status == 200
    assert desk.ask("DELETE", f"v2/structure/valuelist/SEA/{id}/1.0/%C3%A9%20%2B").status == 200
    (found,) = desk.shown(f"valuelist/SEA/{id}/1.0")
    assert [one["id"] for one in found["valueItems"]] == ["a/b"]


# --- versions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("~", ["2.1.0-draft"]), ("+", ["2.0.0"]), ("1.0+.0", ["1.2.0"]), ("1+.0.0", ["2.0.0"]), ("2.1~.0", ["2.1.0-draft"]),
        ("2.1+.0", []), ("0.1~.0", ["0.2.0"]), ("1.~", ["1.5"]), ("3+.0.0", []), ("1.2.+", ["1.2.0"]),
        ("*", ["0.2.0", "1.5", "1.0.0", "1.2.0-rc.1", "1.2.0", "2.0.0", "2.1.0-draft"]),
    ],
)  # fmt: skip
def test_drafts_are_no_latest_stable_version(desk: Desk, expression: str, found: list[str]) -> None:
    for version in ("0.2.0", "1.0.0", "1.2.0-rc.1", "1.2.0", "1.5", "2.0.0", "2.1.0-draft"):
        desk.post(codelist("CL_VERSIONS", version, "A"))
    assert sorted(desk.versions(f"codelist/SEA/CL_VERSIONS/{expression}")) == sorted(found)


def test_late_bound_references_mean_what_is_there_when_they_are_read(desk: Desk, id: str) -> None:
    def described() -> str:
        (data,) = [one for one in desk.shown(f"datastructure/SEA/DSD_{id}?references=codelist") if one["id"] == f"{id}"]
        return data["version"]

    desk.post(concepts(f"CS_{id}", "1.0.0", "A", "HEADS"), codelist(id, "1.0.0", "X"))
    desk.post(structure(f"DSD_{id}", "1.0.0", f"CS_{id}(1.0+.0)", {"A": f"{id}(1.0+.0)"}))
    assert described() == "1.0.0"
    desk.post(codelist(id, "1.1.0-draft", "X", "Y"))
    assert described() == "1.0.0"
    desk.post(codelist(id, "1.1.0", "X", "Y"))
    assert described() == "1.1.0"
    desk.post(codelist(id, "2.0.0", "Z"))
    assert described() == "1.1.0"


# --- who, and with what -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "status"), [(None, 401), ("nobody.secret", 401), ("harbour", 403), ("administrator", 201)]
)
def test_who_may(desk: Desk, id: str, by: str | None, status: int) -> None:
    answer = desk.post(codelist(id, "1.0", "A"), by=by)
    assert answer.status == status
    if status == 401:
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    if status >= 400:
        assert answer.error["code"] == status
        for method, path in (("PUT", "codelist/SEA/CL_FISH/1.0.0"), ("DELETE", "codelist/SEA/CL_MANY/1.0")):
            assert desk.ask(method, f"v2/structure/{path}", message(codelist(id, "1.0", "A")), by=by).status == status


XML_31 = """<?xml version="1.0" encoding="UTF-8"?>
<m:Structure xmlns:m="http://www.sdmx.org/resources/sdmxml/schemas/v3_1/message"
  xmlns:s="http://www.sdmx.org/resources/sdmxml/schemas/v3_1/structure"
  xmlns:c="http://www.sdmx.org/resources/sdmxml/schemas/v3_1/common">
  <m:Header><m:ID>X</m:ID><m:Test>false</m:Test><m:Prepared>2026-01-01T00:00:00Z</m:Prepared><m:Sender id="SEA"/></m:Header>
  <m:Structures><s:Codelists><s:Codelist id="{id}" agencyID="SEA" version="{version}"><c:Name xml:lang="en">N</c:Name>
    <s:Code id="A"><c:Name xml:lang="en">A</c:Name></s:Code></s:Codelist></s:Codelists></m:Structures>
</m:Structure>"""
XML_21 = XML_31.replace("v3_1", "v2_1")
XML_30 = XML_31.replace("v3_1", "v3_0")
REGISTRY = (
    XML_31.replace("m:Structure xmlns", "m:RegistryInterface xmlns")
    .replace("</m:Structure>", "</m:SubmitStructureRequest></m:RegistryInterface>")
    .replace("<m:Structures>", '<m:SubmitStructureRequest action="{action}"><s:Structures>')
    .replace("</m:Structures>", "</s:Structures>")
)


@pytest.mark.parametrize(
    ("body", "kind", "answered"),
    [
        (XML_31, "application/vnd.sdmx.structure+xml;version=3.1.0", "3.1"),
        (XML_30, "application/vnd.sdmx.structure+xml; version=3.0.0", "3.0"),
        (XML_30, "application/xml", "3.0"),
        (XML_21, "application/vnd.sdmx.structure+xml;version=2.1", "3.1"),
        (XML_31, "application/xml; charset=utf-8", "3.1"),
        (XML_31, None, "3.1"),
        (XML_31, "application/x-www-form-urlencoded", "3.1"),
        (REGISTRY.replace("{action}", "Append"), "application/vnd.sdmx.registry+xml;version=3.1.0", "3.1"),
    ],
)
def test_every_format_is_read(desk: Desk, id: str, body: str, kind: str | None, answered: str) -> None:
    sent = body.replace("{id}", id).replace("{version}", "1.0").encode()
    answer = desk.ask("POST", "v2/structure", sent, kind=kind)
    assert answer.status == 201
    assert answer.headers["Content-Type"] == f"application/vnd.sdmx.registry+xml;version={answered}.0"
    assert answer.one.status == "Success"
    assert codes(desk, f"codelist/SEA/{id}") == ["A"]


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("application/json", "3.1"),
        ("application/vnd.sdmx.structure+json;version=2.0.0", "3.1"),
        ("application/vnd.sdmx.registry+xml;version=3.0.0", "3.0"),
        ("text/html, application/vnd.sdmx.structure+xml;version=3.0.0;q=0.5", "3.0"),
        ("application/vnd.sdmx.registry+xml;version=3.1.0", "3.1"),
    ],
)
def test_the_answer_is_a_registry_message_whatever_is_accepted(desk: Desk, id: str, accept: str, answered: str) -> None:
    answer = desk.post(codelist(id, "1.0.0", "A"), Accept=accept)
    assert answer.headers["Content-Type"] == f"application/vnd.sdmx.registry+xml;version={answered}.0"
    assert answer.one.code == 201


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
    + XML_31.partition("?>")[2].replace(">N<", ">&c;<")
)
JSON_TYPE = "application/vnd.sdmx.structure+json;version=2.1.0"
PLAIN_XML, PLAIN_JSON = "application/vnd.sdmx.structure+xml", "application/vnd.sdmx.structure+json"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", JSON_TYPE, 400),
        (b"{", JSON_TYPE, 400),
        (b"[]", JSON_TYPE, 400),
        (b"null", JSON_TYPE, 400),
        (b'{"colour": "red"}', JSON_TYPE, 400),
        (b'{"meta": {}, "data": []}', JSON_TYPE, 422),
        (b'{"meta": {}, "data": {"codelists": {}}}', JSON_TYPE, 400),
        (b'{"meta": {}, "data": {"codelists": [1]}}', JSON_TYPE, 400),
        (b'{"meta": {}, "data": {"codelists": [{"id": 7}]}}', JSON_TYPE, 400),
        (b'{"meta": {}, "data": {"colours": []}}', JSON_TYPE, 400),
        (b'{"data": {"codelists": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}", JSON_TYPE, 400),
        (b'{"meta": {}, "data": {}}', JSON_TYPE, 422),
        (b'{"meta": {}, "data": {"dataSets": []}}', "application/json", 400),
        (XML_31.encode(), PLAIN_JSON, 400),
        (b"<a/>", PLAIN_XML, 400),
        (b"<a", PLAIN_XML, 400),
        (b"<m:Structure/>", PLAIN_XML, 400),
        (LAUGHS.encode(), PLAIN_XML, 400),
        (LAUGHS.encode(), "application/xml", 400),
        (XML_31.replace("s:Codelist ", "s:Colour ").replace("/s:Codelist>", "/s:Colour>").encode(), PLAIN_XML, 400),
        (XML_31.replace("{version}", "one").encode(), PLAIN_XML, 422),
        (XML_31.replace('id="{id}"', "").encode(), PLAIN_XML, 400),
        (XML_31.replace("v3_1", "v2_0").encode(), PLAIN_XML, 501),
        (REGISTRY.replace("{action}", "Delete").encode(), "application/vnd.sdmx.registry+xml", 501),
        (b"\xff\xfe\x00\x00\xd8", "application/octet-stream", 400),
        (b"a,b\n1,2\n", "text/csv", 415),
        (b"a,b\n1,2\n", "application/vnd.sdmx.data+csv;version=2.1.0", 415),
        (b"a,b\n1,2\n", "nonsense", 415),
        (b"a,b\n1,2\n", None, 400),
    ],
)  # fmt: skip
def test_hostile_bodies(desk: Desk, body: bytes, kind: str | None, status: int) -> None:
    before = desk.house.library.store.pointer().generation
    answer = desk.ask("POST", "v2/structure", body.replace(b"{id}", b"CL_BAD").replace(b"{version}", b"1.0"), kind=kind)
    assert answer.status == status, answer.body[:500]
    if status != 422:
        assert answer.error["code"] == status and answer.error["detail"]
    assert desk.house.library.store.pointer().generation == before


def test_bodies_are_bounded(desk: Desk, id: str) -> None:
    big = b'{"meta": {"x": "' + b"x" * 200_000 + b'"}}'
    small = {"max_body": 100_000}
    for body, headers in ((big, {}), (gzip.compress(big), {"Content_Encoding": "gzip"})):
        (answer,) = desk.together([("POST", "v2/structure", body)], settings=small, **headers)
        assert (answer.status, answer.error["code"]) == (413, 413)
    packed = gzip.compress(XML_31.replace("{id}", id).replace("{version}", "1.0").encode())
    (answer,) = desk.together([("POST", "v2/structure", packed)], kind="application/xml", Content_Encoding="gzip")
    assert answer.status == 201
    (broken,) = desk.together(
        [("POST", "v2/structure", b"\x1f\x8bnot")], kind="application/xml", Content_Encoding="gzip"
    )
    assert broken.status == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "v2/structure/colours", 400), ("POST", "v2/structure?x=1", 400), ("POST", "v2/structure/codelist,hierarchy", 400),
        ("POST", "v2/structure/codelist/SEA", 405), ("POST", "v2/structure/codelist/SEA/CL_FISH/1.0.0", 405),
        ("PUT", "v2/structure", 405), ("PUT", "v2/structure/codelist/SEA/CL_FISH", 405), ("PUT", "v2/structure/*/SEA/CL_FISH/1.0", 405),
        ("PUT", "v2/structure/codelist/SEA/CL_FISH/1.0/COD", 405), ("PUT", "v2/structure/codelist/SEA/CL_FISH/~", 405),
        ("DELETE", "v2/structure/codelist/SEA/CL_FISH", 405), ("DELETE", "v2/structure/codelist/SEA/CL_FISH/+", 405),
        ("DELETE", "v2/structure/codelist/*/CL_FISH/1.0.0", 400), ("DELETE", "v2/structure/codelist/SEA/A,B/1.0.0", 400),
        ("DELETE", "v2/structure/codelist/SEA/CL_FISH/1.0.0/A/B", 405), ("DELETE", "v2/structure/dataflow/SEA/DF_JOBS/1.0.0/X", 404),
        ("DELETE", "v2/structure/codelist/SEA/CL_NONE/1.0.0", 404), ("DELETE", "v2/structure/codelist/SEA/CL_MANY/1.0/Z", 404),
        ("PATCH", "v2/structure", 405), ("POST", "v2/availability/dataflow/SEA/DF_CATCH", 405), ("POST", "v2/schema", 405),
        ("POST", "v2/data/dataflow/SEA/DF_CATCH", 405), ("PUT", "v2/data", 405), ("DELETE", "v2/registration/id/X", 405),
        ("POST", "v1/data/DF_CATCH", 405), ("POST", "v1/codelist", 405), ("PUT", "v1/codelist/SEA/CL_FISH/1.0", 405),
        ("POST", "v2/subscription", 501), ("POST", "v2/metadata/metadataset", 501), ("GET", "v2/subscription", 501),
        ("POST", "v2/colours", 405),
    ],
)  # fmt: skip
def test_methods_of_addresses(desk: Desk, method: str, path: str, status: int) -> None:
    answer = desk.ask(method, path, message(codelist("CL_FISH", "1.0", "A")) if method in ("POST", "PUT") else None)
    assert answer.status == status, answer.body[:500]
    if status == 405:
        options = desk.ask("OPTIONS", path)
        assert (options.status, options.headers["Allow"]) == (204, answer.headers["Allow"])
        assert method not in answer.headers["Allow"].split(", ")


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("v2/structure", "GET, HEAD, POST, OPTIONS"), ("v2/structure/codelist/", "GET, HEAD, POST, OPTIONS"),
        ("v2/structure/codelist/SEA/CL_FISH/1.0.0", "GET, HEAD, PUT, DELETE, OPTIONS"),
        ("v2/structure/codelist/SEA/CL_FISH/1.0.0/COD", "GET, HEAD, DELETE, OPTIONS"),
        ("v2/structure/codelist/SEA/CL_FISH", "GET, HEAD, OPTIONS"), ("v2/data", "GET, HEAD, POST, OPTIONS"),
        ("v2/registration", "GET, HEAD, POST, OPTIONS"), ("v2/registration/id/X", "GET, HEAD, OPTIONS"),
        ("v2/subscription", "OPTIONS"), ("v1/data", "GET, HEAD, OPTIONS"), ("v2/schema", "GET, HEAD, OPTIONS"),
    ],
)  # fmt: skip
def test_options(desk: Desk, path: str, methods: str) -> None:
    answer = desk.ask("OPTIONS", path)
    assert (answer.status, answer.headers["Allow"]) == (204, methods)
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS, POST, PUT, DELETE"


# --- several at a time, and later ---------------------------------------------------------------------------------------


def test_concurrent_posts_all_come_through(desk: Desk, id: str) -> None:
    desk.post(codelist(id, "1.0", "START"))
    posts = [("POST", "v2/structure", message(codelist(id, "1.0", f"C{n}", isPartial=True))) for n in range(12)]
    answers = desk.together(posts)
    assert [answer.status for answer in answers] == [200] * 12
    assert sorted(codes(desk, f"codelist/SEA/{id}")) == sorted(["START", *(f"C{n}" for n in range(12))])


def test_of_two_who_create_the_same_version_one_is_first(desk: Desk, id: str) -> None:
    answers = desk.together([("POST", "v2/structure", message(codelist(id, "1.0.0", f"C{n}"))) for n in range(6)])
    assert sorted(answer.status for answer in answers) == [201] + [409] * 5
    assert len(codes(desk, f"codelist/SEA/{id}")) == 1


def test_another_library_on_the_same_store_sees_it(desk: Desk, id: str) -> None:
    other = House(Library(desk.house.library.store))
    assert other.get(f"v2/structure/codelist/SEA/{id}", None).status == 404
    desk.post(codelist(id, "1.0.0", "A"))
    assert other.get(f"v2/structure/codelist/SEA/{id}", None).status == 200


def test_a_change_makes_new_tags(desk: Desk, id: str) -> None:
    desk.post(codelist(id, "1.0", "A"))
    first = desk.ask("GET", f"v2/structure/codelist/SEA/{id}", kind=None)
    since = {"If_None_Match": first.headers["ETag"]}
    assert desk.ask("GET", f"v2/structure/codelist/SEA/{id}", kind=None, **since).status == 304
    assert (
        desk.ask(
            "GET", f"v2/structure/codelist/SEA/{id}", kind=None, If_Modified_Since=first.headers["Last-Modified"]
        ).status
        == 304
    )
    time.sleep(1.1)  # HTTP dates have seconds
    desk.post(codelist(id, "1.0", "B"))
    assert desk.ask("GET", f"v2/structure/codelist/SEA/{id}", kind=None, **since).status == 200
    later = desk.ask(
        "GET", f"v2/structure/codelist/SEA/{id}", kind=None, If_Modified_Since=first.headers["Last-Modified"]
    )
    assert later.status == 200


def test_structures_as_they_were(desk: Desk, id: str) -> None:
    def now() -> str:
        return datetime.now(UTC).isoformat().replace("+00:00", "Z")

    def at(moment: str, path: str) -> int:
        return desk.house.get(f"v2/{path}{'&' if '?' in path else '?'}asOf={moment}", None).status

    before = now()
    whole(desk, id, "1.0.0-draft", "X", "Y")
    between = now()
    desk.post(codelist(id, "1.0.0-draft", "X", "Y", "Z"))
    after = now()
    desk.ask("DELETE", f"v2/structure/dataflow/SEA/DF_{id}/1.0.0-draft")
    path = f"codelist/SEA/{id}/1.0.0-draft"
    assert codes(desk, f"{path}?asOf={between}") == ["X", "Y"]
    assert codes(desk, f"{path}?asOf={after}") == ["X", "Y", "Z"]
    assert codes(desk, f"{path}?asOf=2999-01-01T00:00:00Z") == ["X", "Y", "Z"]
    assert at(before, f"structure/{path}") == 404
    assert at("2001-01-01T00:00:00Z", "structure/codelist/SEA/CL_FISH") == 404
    assert at("2001-01-01T00:00:00Z", "schema/dataflow/SEA/DF_CATCH") == 404
    assert at(after, f"structure/dataflow/SEA/DF_{id}/1.0.0-draft") == 200
    assert desk.shown(f"dataflow/SEA/DF_{id}/1.0.0-draft") == []
    schema = desk.house.body(
        f"v2/schema/dataflow/SEA/DF_{id}/1.0.0-draft?asOf={between}", "application/vnd.sdmx.structure+json"
    )
    assert b'"Y"' in schema and b'"Z"' not in schema
    assert at(after, f"schema/dataflow/SEA/DF_{id}") == 200
    assert at(now(), f"schema/dataflow/SEA/DF_{id}") == 404


# --- what would poison the answers to others ----------------------------------------------------------------------------


def nested(depth: int) -> dict:
    inner: dict = {"id": "X", "name": "X", "names": {"en": "X"}}
    for _ in range(depth):
        inner = {"id": "X", "name": "X", "names": {"en": "X"}, "categories": [inner]}
    return inner


def extending(id: str, other: str) -> tuple[str, dict]:
    return codelist(id, "1.0", "A", codelistExtensions=[{"codelist": f"{URN}codelist.Codelist=SEA:{other}(1.0)"}])


def with_(pair: tuple[str, dict], **more: object) -> tuple[str, dict]:
    return pair[0], {**pair[1], **more}


def coded_by_concepts() -> tuple[str, dict]:
    bad = structure("DSD_BAD", "1.0.0", "CS_JOBS(1.0.0)", {"AREA": "CL_AREA(1.0.0)"})
    (dimension,) = bad[1]["dataStructureComponents"]["dimensionList"]["dimensions"]
    dimension["localRepresentation"]["enumeration"] = f"{URN}conceptscheme.ConceptScheme=SEA:CS_JOBS(1.0.0)"
    return bad


@pytest.mark.parametrize(
    ("artefacts", "status", "text"),
    [
        ([("categorySchemes", made("CS_DEEP", "1.0", categories=[nested(100)]))], 422, "nested too deeply"),
        ([("categorySchemes", made("CS_DEEP", "1.0", categories=[nested(450)]))], 400, "nested too deeply"),
        ([codelist("A B/../", "1.0", "A")], 422, "is not an id"),
        ([codelist("CL_BAD", "1.0", "A", agencyID="1 x")], 422, "is not an agencyID"),
        ([codelist("CL_BAD", "1.0", "A B")], 422, "'A B' is not an id"),
        ([codelist("CL_BAD", "99999999999.0.0", "A")], 422, "too large"),
        ([codelist("CL_BAD", "1.0", "A", names={"en": "a\u0001b"})], 422, "XML cannot carry"),
        ([codelist("CL_BAD", "1.0", "A", description="\x0c")], 422, "XML cannot carry"),
        ([codelist("CL_BAD", "1.0", ("A", "B"), ("B", "C"), ("C", "A"))], 422, "its own ancestors"),
        ([extending("CL_BAD", "CL_BAD")], 409, "extends itself"),
        ([extending("CL_BAD", "CL_BAD2"), extending("CL_BAD2", "CL_BAD")], 409, "extends itself"),
        ([coded_by_concepts()], 422, "where a Codelist or ValueList belongs"),
        ([with_(dataflow("DF_BAD", "1.0.0", "X"), structure=f"{URN}codelist.Codelist=SEA:CL_AREA(1.0.0)")], 422, "where a DataStructure"),
        ([agreement("PA_BAD", "1.0.0", "DF_JOBS(1.0.0)", "NOBODY")], 409, "DATA_PROVIDERS(1.0).NOBODY, which is not here"),
        ([with_(agreement("PA_BAD", "1.0.0", ""), dataflow=f"{URN}datastructure.DataStructure=SEA:DSD_JOBS(1.0.0)")], 422, "where a Dataflow"),
        ([("agencySchemes", made("OTHERS", "1.0", agencies=[]))], 422, "always AGENCIES(1.0)"),
        ([("dataProviderSchemes", made("DATA_PROVIDERS", "1.0", dataProviders=[]))], 409, "DATA_PROVIDERS(1.0).COAST"),
    ],
)  # fmt: skip
def test_what_would_poison_others_is_refused(desk: Desk, artefacts: list, status: int, text: str) -> None:
    answer = desk.post(*artefacts)
    assert answer.status == status, answer.body[:500]
    assert text in answer.body.decode().replace("&apos;", "'")
    assert not any("BAD" in one["id"] or "DEEP" in one["id"] for one in desk.shown("*/SEA/*/*?detail=allstubs"))
    for accept in (
        "application/vnd.sdmx.structure+xml;version=3.1.0",
        "application/vnd.sdmx.structure+json;version=2.0.0",
    ):
        assert desk.ask("GET", "v2/structure/*/*/*/*", kind=None, Accept=accept).status == 200


def test_a_draft_of_a_constraint_does_not_count(desk: Desk, id: str) -> None:
    whole(desk, id)

    def constraint(version: str, code: str) -> tuple[str, dict]:
        region = {"include": True, "keyValues": [{"id": "A", "values": [{"value": code}]}]}
        flow = f"{URN}datastructure.Dataflow=SEA:DF_{id}(1.0.0-draft)"
        attached = {"dataflows": [flow]}
        return "dataConstraints", made(f"CON_{id}", version, constraintAttachment=attached, cubeRegions=[region])

    def allowed() -> list[str]:
        (found,) = [
            one
            for one in desk.shown(f"dataflow/SEA/DF_{id}/1.0.0-draft?references=descendants&detail=referencepartial")
            if one["id"] == id
        ]
        return [code["id"] for code in found["codes"]]

    assert allowed() == ["X", "Y"]
    desk.post(constraint("1.0.0", "X"))
    assert allowed() == ["X"]
    desk.post(constraint("1.1.0-draft", "Y"))
    assert allowed() == ["X"]
    desk.post(constraint("1.1.0", "Y"))
    assert allowed() == ["Y"]


# --- messages that others wrote -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["2_1", "3_0", "3_1"])
def test_what_pysdmx_writes_is_taken(desk: Desk, id: str, version: str) -> None:
    model = pytest.importorskip("pysdmx.model")
    from pysdmx.io import write_sdmx
    from pysdmx.io.format import Format

    codes_ = [model.Code(id="A", name="Alpha", description="First"), model.Code(id="007", name="Bond")]
    made_ = model.Codelist(id=id, agency="SEA", version="1.0", name="Written by pysdmx", items=codes_)
    text = write_sdmx(made_, getattr(Format, f"STRUCTURE_SDMX_ML_{version}"))
    answer = desk.ask("POST", "v2/structure", text.encode(), kind="application/xml")
    assert answer.status == 201, answer.body
    (found,) = desk.shown(f"codelist/SEA/{id}")
    assert [(one["id"], one["name"]) for one in found["codes"]] == [("A", "Alpha"), ("007", "Bond")]


def test_what_sdmx1_writes_is_taken(desk: Desk, id: str) -> None:
    import sdmx
    from sdmx.model import common

    message_ = sdmx.message.StructureMessage()
    said = {"is_final": False, "is_external_reference": False}  # else it writes "none"
    listed = common.Codelist(
        id=id, maintainer=common.Agency(id="SEA"), version="1.0", name={"en": "Written by sdmx1"}, **said
    )
    listed.append(common.Code(id="A", name={"en": "Alpha", "fr": "Alpha, en français"}))
    message_.add(listed)
    answer = desk.ask("POST", "v2/structure/codelist", sdmx.to_xml(message_), kind="application/xml")
    assert answer.status == 201, answer.body
    (found,) = desk.shown(f"codelist/SEA/{id}")
    assert found["codes"][0]["names"] == {"en": "Alpha", "fr": "Alpha, en français"}
