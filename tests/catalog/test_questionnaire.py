"""Specifications of questionnaires: what is misspelt or contradictory is refused with its place."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sdmx_service.catalog.questionnaire import read_questionnaire
from sdmx_service.catalog.questionnaire_keys import fold, format_key, parse_key
from sdmx_service.errors import InvalidStructure
from tests.submission.test_entries import DOCUMENT


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("tables", 0, "rows"), ["FISHES"], "no axis FISHES"),
        (("tables", 0, "colums"), ["YEAR"], "unknown colums"),
        (("tables", 0, "columns"), [], "needs an axis"),
        (("tables", 0, "fixed"), {"FISH": "COD"}, "FISH stands more than once"),
        (("tables", 0, "dataflow"), "DF_CATCH", "AGENCY:ID(VERSION)"),
        (("status",), "invented", "official, proposed, reconstructed"),
        (("marks", 0, "texts"), ["..."], "stands more than once"),
        (("units",), [], "at least one unit"),
        (("cover",), {"questions": [{"id": "x", "choices": "colours"}]}, "no list 'colours'"),
        (("words",), {"titel": {"en": "Title"}}, "unknown titel"),
    ],
)
def test_faults_have_a_place(path: tuple[Any, ...], value: Any, said: str) -> None:
    document: Any = copy.deepcopy(DOCUMENT)
    node = document
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    with pytest.raises(InvalidStructure) as caught:
        read_questionnaire(document, "harvest.json")
    assert said in caught.value.detail
    assert caught.value.detail.startswith("harvest.json")


def test_words_fall_back_to_english() -> None:
    found = read_questionnaire({**DOCUMENT, "words": {"unit": {"de": "Einheit"}}}, "harvest.json")
    assert found.word("unit", "de") == "Einheit"
    assert found.word("code", "de") == "Code"
    assert found.table("h1") is found.tables[0]


def test_keys_are_written_and_read_alike() -> None:
    codes = {"SEX": "_T", "AGE": "Y0T4", "TIME_PERIOD": "2022"}
    assert parse_key(format_key(codes)) == codes
    assert format_key(codes) == format_key(dict(reversed(codes.items())))
    assert parse_key("total") is None


@pytest.mark.parametrize(
    ("one", "other"), [("Côte d’Ivoire", "COTE D'IVOIRE"), ("Viet  Nam", "viet nam"), ("Timor-Leste", "Timor Leste")]
)
def test_names_are_compared_without_case_and_accents(one: str, other: str) -> None:
    assert fold(one) == fold(other)
