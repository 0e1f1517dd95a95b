"""What a filled cell says: every way to write a figure, and nothing guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.catalog.questionnaire import Questionnaire, read_questionnaire
from sdmx_service.submission.entries import Entry, EntryReader, Unreadable

DOCUMENT = {
    "id": "HARVEST", "revision": "1.0.0", "names": {"en": "Harvest"}, "notice": {}, "languages": ["en", "de"], "area": "PORT",
    "axes": {"FISH": {"component": "FISH", "codes": ["COD"]}, "YEAR": {"component": "TIME_PERIOD"}},
    "tables": [{"id": "H1", "names": {"en": "Catch"}, "dataflow": "SEA:DF_CATCH(1.0.0)", "rows": ["FISH"], "columns": ["YEAR"]}],
    "units": [{"id": "kg", "names": {"en": "kg"}, "set": {"UNIT_MULT": "0"}, "whole": True}],
    "symbols": [{"texts": ["...", ".."], "set": {"OBS_STATUS": "O"}}, {"texts": ["-", "—"], "value": "0"}],
    "marks": [{"texts": ["*"], "set": {"OBS_STATUS": "P"}}, {"texts": ["e"], "set": {"OBS_STATUS": "E"}}],
    "deletion": {"en": "delete", "de": "löschen"}, "status_component": "OBS_STATUS",
}  # fmt: skip


@pytest.fixture(scope="module")
def questionnaire() -> Questionnaire:
    return read_questionnaire(DOCUMENT, "harvest.json")


def read(
    questionnaire: Questionnaire, text: str, *, language: str = "en", number: bool = False, whole: bool = True
) -> Entry:
    return EntryReader(questionnaire, language).read(text, is_number=number, is_whole=whole)


@pytest.mark.parametrize(
    ("text", "value", "sets", "notes"),
    [
        ("1234", "1234", {}, ()),
        (" 1 234 ", "1234", {}, ()),
        ("1\u202f234\u00a0567", "1234567", {}, ()),
        ("1,234,567", "1234567", {}, ()),
        ("1.234.567,5", "1234567.5", {}, ()),
        ("1,234.50", "1234.50", {}, ()),
        ("1'234", "1234", {}, ()),
        ("−5", "-5", {}, ()),
        ("12,5", "12.5", {}, ()),
        ("1,234", "1234", {}, ()),
        ("...", None, {"OBS_STATUS": "O"}, ()),
        ("..", None, {"OBS_STATUS": "O"}, ()),
        ("—", "0", {}, ()),
        ("-", "0", {}, ()),
        ("... (3)", None, {"OBS_STATUS": "O"}, ("3",)),
        ("— *", "0", {"OBS_STATUS": "P"}, ()),
        ("7*", "7", {"OBS_STATUS": "P"}, ()),
        ("* 7", "7", {"OBS_STATUS": "P"}, ()),
        ("7E", "7", {"OBS_STATUS": "E"}, ()),
        ("7 [I]", "7", {"OBS_STATUS": "I"}, ()),
        ("[Q]", None, {"OBS_STATUS": "Q"}, ()),
        ("7¹²", "7", {}, ("12",)),
        ("7/3", "7", {}, ("3",)),
        ("0,125", "0.125", {}, ()),
        ("١٬٢٣٤", "1234", {}, ()),
        ("۱۲۳", "123", {}, ()),
        ("\u202d6\u202c", "6", {}, ()),
        ("7 (1, b)*", "7", {"OBS_STATUS": "P"}, ("1", "b")),
        ("7 (1) (2)", "7", {}, ("1", "2")),
    ],
)
def test_what_a_cell_says(
    questionnaire: Questionnaire, text: str, value: str | None, sets: dict[str, str], notes: tuple[str, ...]
) -> None:
    assert read(questionnaire, text) == Entry(value=value, sets=sets, notes=notes)


@pytest.mark.parametrize("text", ["delete", "DELETE", "Löschen"])
def test_a_word_takes_the_figure_back(questionnaire: Questionnaire, text: str) -> None:
    assert read(questionnaire, text) == Entry(deletes=True)


@pytest.mark.parametrize(
    "text",
    ["about 5", "5 x", "(1)", "*", "1 23", "1,23,456", "2022-05-03", "=1+1", "1,234,56.7", "5-6", "e", "none", "١2"],
)
def test_what_is_no_figure_is_refused(questionnaire: Questionnaire, text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(questionnaire, text)
    assert caught.value.readings is None


def test_two_readings_are_not_decided(questionnaire: Questionnaire) -> None:
    assert read(questionnaire, "12,345", language="en", whole=False).value == "12345"
    assert read(questionnaire, "12,345", language="de", whole=False).value == "12.345"
    assert read(questionnaire, "12.345", language="de", whole=False).value == "12345"
    with pytest.raises(Unreadable) as caught:
        read(questionnaire, "12.345", language="fr", whole=False)
    assert caught.value.readings == ("12345", "12.345")
    assert read(questionnaire, "12.345", language="fr", number=True).value == "12.345"
    with pytest.raises(Unreadable):
        read(questionnaire, "5 e *")


@given(number=st.integers(0, 10**12), mark=st.sampled_from([",", ".", " ", "\u00a0", "\u202f", "'", "’"]))
def test_a_grouped_number_is_the_number(number: int, mark: str) -> None:
    questionnaire = read_questionnaire(DOCUMENT, "harvest.json")
    assert read(questionnaire, f"{number:,}".replace(",", mark)).value == str(number)


@given(st.text(max_size=20).filter(lambda text: text.strip() != ""))
def test_any_text_is_read_or_refused(text: str) -> None:
    questionnaire = read_questionnaire(DOCUMENT, "harvest.json")
    try:
        entry = read(questionnaire, text)
    except Unreadable:
        return
    assert entry.deletes or entry.value is None or float(entry.value) is not None
