"""Structures created, replaced, completed and deleted over HTTP, and what is refused."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import House
from tests.rest.fishery import open_fishery
from tests.rest.maintaining import (
    Desk,
    Said,
    agreement,
    codelist,
    concepts,
    dataflow,
    structure,
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A house whose structures may be changed; each test uses ids of its own."""
    with open_fishery(tmp_path_factory.mktemp("desk") / "house") as house:
        yield Desk(house)


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
        desk.ask("PUT", f"v2/structure/codelist/SEA/{id}/1.0.0", _body(codelist(id, "1.0.0", "A", "B"))),
        desk.post(codelist(id, "1.0.0", "B", isPartial=True)),
        desk.ask("DELETE", f"v2/structure/codelist/SEA/{id}/1.0.0"),
        desk.ask("DELETE", f"v2/structure/codelist/SEA/{id}/1.0.0/A"),
    ):
        assert (answer.status, answer.one.status, answer.one.code) == (409, "Failure", 409)
    assert codes(desk, f"codelist/SEA/{id}") == ["A"]


def _body(*artefacts: tuple[str, dict]) -> dict:
    from tests.rest.maintaining import message

    return message(*artefacts)


@pytest.mark.parametrize("version", ["1.1.0-draft", "0.3.0", "1.0", "2"])
def test_other_versions_may_change(desk: Desk, id: str, version: str) -> None:
    assert desk.post(codelist(id, version, "A")).status == 201
    path = f"codelist/SEA/{id}/{version}"
    put = desk.ask("PUT", f"v2/structure/{path}", _body(codelist(id, version, "B", "C")))
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
    unknown = desk.ask("PUT", path, _body(draft))
    assert (unknown.status, unknown.one.code) == (404, 404)
    desk.post(draft)
    for body in (_body(codelist(id, "1.0.0", "A")), _body(codelist("CL_OTHER", "1.0.0-draft", "A"))):
        answer = desk.ask("PUT", path, body)
        assert (answer.status, answer.one.code) == (422, 422)
    two = desk.ask("PUT", path, _body(draft, codelist("CL_OTHER", "1.0.0-draft", "A")))
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
