"""The pages' own words: every one has a translation, and none is left over."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.model.artefact import Texts
from sdmx_service.web.language import PAGE_LANGUAGES, Tongue, direction, wishes
from sdmx_service.web.rendering import HERE, STATIC, TITLE
from sdmx_service.web.words import WORDS

TEMPLATES = sorted((HERE / "templates").glob("*.html"))
CLASSES = set(WORDS["en"])


def said() -> set[str]:
    found = {TITLE}
    for path in TEMPLATES:
        body = path.read_text(encoding="utf-8")
        found |= {text for _, text in re.findall(r"""_\((['"])(.+?)\1""", body)}
        found |= set(re.findall(r'(?:\d+|"(?:first|previous|next|last)"): "([^"]+)"', body))
        found |= set(re.findall(r'headings\.get\(status, "([^"]+)"\)', body))
        found |= set(re.findall(r'else _\("([^"]+)"\)', body))
    return found


@pytest.mark.parametrize("language", [tag for tag in PAGE_LANGUAGES if tag != "en"])
def test_every_word_of_the_pages_is_translated(language: str) -> None:
    words = WORDS[language]
    assert said() | CLASSES == set(words)
    for english, other in words.items():
        fields = {name for _, name, _, _ in string.Formatter().parse(english) if name}
        assert {name for _, name, _, _ in string.Formatter().parse(other) if name} == fields, english


def test_no_inline_script_or_style() -> None:
    for path in TEMPLATES:
        body = path.read_text(encoding="utf-8")
        assert " style=" not in body
        assert not re.search(r"\son[a-z]+=", body), path.name
        assert re.findall(r"<script(?![^>]*\bsrc=)", body) == []
        assert "<style" not in body
        assert "|safe" not in body
        assert not re.search(r"(?:src|href)=\"https?:", body), path.name
    assert "http" not in (STATIC / "site.css").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("asked", "header", "expected"),
    [
        (None, None, ()),
        (None, "fr-CH, fr;q=0.9, en;q=0.8, *;q=0.5", ("fr-CH", "fr", "en")),
        (None, "en;q=0.2, ar", ("ar", "en")),
        ("fr", "en", ("fr", "en")),
        ("fr", "fr;q=0", ("fr",)),
        ('"><script>', "en;q=x, de", ("de",)),
    ],
)
def test_wishes(asked: str | None, header: str | None, expected: tuple[str, ...]) -> None:
    assert wishes(asked, header) == expected


@given(st.text(max_size=60), st.text(max_size=200))
def test_any_header_gives_a_language_of_the_pages(asked: str, header: str) -> None:
    tongue = Tongue.of(asked, header)
    assert tongue.page in PAGE_LANGUAGES
    assert tongue.direction == "ltr"
    assert tongue.wishes


def test_another_language_than_the_page_is_marked() -> None:
    arabic = Texts({"ar": "مالطا", "en": "Malta"})
    assert Tongue.of("ar", None).mark(arabic) == '<bdi lang="ar" dir="rtl">مالطا</bdi>'
    assert Tongue.of("en-GB", None).mark(arabic) == "Malta"
    assert Tongue.of("fr", None).mark(Texts({"fr": "<b>"})) == "&lt;b&gt;"
    assert Tongue.of("fr", None).number(1234567) == "1\u202f234\u202f567"
    assert direction("he-IL") == "rtl"
