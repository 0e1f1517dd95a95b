"""Layouts and rules: what is missing, misspelt or of the wrong type is refused with its place."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from sdmx_service.catalog.layout import read_layout
from sdmx_service.catalog.loading import dangling, deserialise, load_folder, missing, serialise
from sdmx_service.catalog.rules import read_rules
from sdmx_service.errors import InvalidStructure, SdmxError
from sdmx_service.model.artefact import Maintainable
from sdmx_service.model.constraint import DataConstraint
from tests.harness import ROOT

CONTENT = ROOT / "tests" / "second_domain" / "content"
TABLE = {"columns": {"a": "A"}, "map": "T:SM(1.0.0)"}
SUM = {"id": "R1", "kind": "sum", "dimension": "SEX", "total": "_T", "parts": ["M", "F"]}


def layout(table: dict[str, Any] | None = None, **fields: Any) -> Any:
    whole = {"id": "L", "version": "1.0.0", "names": {"en": "L"}, "tables": [{**TABLE, **(table or {})}], **fields}
    return read_layout(whole, "here")


def rules(**fields: Any) -> Any:
    return read_rules({"id": "S", "applies_to": ["T:DF"], "rules": [{**SUM, **fields}]}, "here")


@pytest.mark.parametrize(
    ("table", "fields", "words"),
    [
        ({"colums": {}}, {}, r"here\.tables\[0\]: unknown colums; known here: .*columns"),
        ({}, {"colour": "red"}, "here: unknown colour"),
        ({}, {"version": 1}, r"here\.version: a text is needed here, not 1"),
        ({}, {"action": "Upsert"}, r"here\.action: .*'Upsert'"),
        ({}, {"provider": "not a reference!"}, r"here\.provider"),
        ({"header": {"row": 0}}, {}, r"here\.tables\[0\]\.header\.row: rows are counted from 1, not 0"),
        ({"header": {}}, {}, r"here\.tables\[0\]\.header: give either row or find"),
        ({"where": [{"column": "a"}]}, {}, r"where\[0\]: a test needs in, not_in, matches or blank"),
        ({"where": [{"column": "b", "in": ["x"]}]}, {}, "the table has no column b; it has a"),
        ({"where": [{"column": "a", "matches": "("}]}, {}, "is no regular expression"),
        ({"columns": ["a"]}, {}, r"columns: an object is needed here"),
        ({"from_cell": {"b": {"cell": "17"}}}, {}, "'17' is not the address of a cell, such as A17"),
        ({"unpivot": {"value": "v"}}, {}, "give either headers"),
        ({"blank": "maybe"}, {}, "one of skip, keep is needed here, not 'maybe'"),
        ({"clean": {"columns": ["a"], "strip": ["dots"]}}, {}, "unknown dots; known here: footnote_marks, spaces"),
    ],
)
def test_a_wrong_layout_is_refused_with_its_place(table: dict[str, Any], fields: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidStructure, match=words) as caught:
        layout(table, **fields)
    assert caught.value.code == "E401"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "product"}, r"here\.rules\[0\]\.kind: one of sum, value, .* not 'product'"),
        ({"severity": "fatal"}, "one of error, warning, info is needed here, not 'fatal'"),
        ({"tollerance": 1}, "unknown tollerance"),
        ({"tolerance": "1"}, "a number is needed here, not '1'"),
        ({"dimension": ""}, "a rule of kind sum needs dimension"),
        ({"parts": []}, "needs parts or partitions"),
        ({"kind": "value"}, "needs minimum, maximum or integer"),
        ({"kind": "same", "dimensions": ["A"]}, "needs at least two dimensions"),
        ({"kind": "compare", "left": {}}, "needs right"),
        ({"kind": "balance"}, "needs terms, equals"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_place(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidStructure, match=words):
        rules(**fields)


def without_role(artefact: Maintainable) -> Maintainable:
    """SDMX 3.1 has no role: every data constraint says what is allowed."""
    is_allowed = isinstance(artefact, DataConstraint) and artefact.role == "Allowed"
    return dataclasses.replace(artefact, role=None) if is_allowed else artefact  # type: ignore[call-arg]


@pytest.mark.parametrize("content", [ROOT, CONTENT])
def test_what_is_stored_comes_back(content: Path) -> None:
    loaded = load_folder(content)
    back = deserialise(serialise(loaded))
    assert {one.ref: without_role(one) for one in back.artefacts} == {
        one.ref: without_role(one) for one in loaded.artefacts
    }
    assert back.layouts == loaded.layouts
    assert back.rule_sets == loaded.rule_sets
    assert missing(loaded, serialise(loaded)).artefacts == []


@pytest.mark.parametrize("content", [ROOT, CONTENT])
def test_nothing_refers_to_what_is_not_there_but_the_sources_of_mappings(content: Path) -> None:
    loose = [
        (one.ref.text, ref.text) for one, ref in dangling(load_folder(content).catalog()) if one.type != "StructureMap"
    ]
    assert loose == []


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "mappings" / "X"
    folder.mkdir(parents=True)
    for text in ("{", "[]", json.dumps({"id": "X"})):
        (folder / "layout.json").write_text(text)
        with pytest.raises(SdmxError, match=r"mappings/X/layout\.json"):
            load_folder(tmp_path)
