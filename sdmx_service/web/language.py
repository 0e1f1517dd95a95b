"""Which language a reader gets: of the pages' own words, and of the names in the catalog."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from babel.dates import format_datetime
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from sdmx_service.model.artefact import Identified, Texts
from sdmx_service.web.words import WORDS

DEFAULT = "en"
PAGE_LANGUAGES: dict[str, str] = {"en": "English", "fr": "Français"}
"""Languages of the pages' own words, with their own names; those of the catalog's names are not limited."""

_RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"})
_LONGEST = 35
"""Characters of a language tag at most (RFC 5646 4.4.1)."""


def wishes(asked: str | None, header: str | None) -> tuple[str, ...]:
    """Language tags in order of preference: the address wins, then Accept-Language by its weights (RFC 9110 12.5.4)."""
    found = [asked] if asked and _is_tag(asked) else []
    weighted: list[tuple[float, str]] = []
    for member in (header or "").split(","):
        tag, _, parameter = member.strip().partition(";")
        weight = _weight(parameter)
        if _is_tag(tag.strip()) and weight > 0:
            weighted.append((weight, tag.strip()))
    found += [tag for _, tag in sorted(weighted, key=lambda pair: -pair[0])]
    return tuple(dict.fromkeys(found))


def _is_tag(text: str) -> bool:
    return 1 < len(text) <= _LONGEST and text.replace("-", "").isalnum() and text.isascii()


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def direction(language: str) -> str:
    """``rtl`` or ``ltr``."""
    return "rtl" if language.lower().split("-")[0] in _RIGHT_TO_LEFT else "ltr"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tongue:
    """The languages of one answer.

    Attributes:
        wishes: what the reader wants, best first.
        page: language of the pages' own words.
        asked: the tag in the address, None where only headers spoke; links carry it on.
    """

    wishes: tuple[str, ...]
    page: str
    asked: str | None = None

    @classmethod
    def of(cls, asked: str | None, header: str | None) -> Tongue:
        """The languages for a parameter ``lang`` and a header Accept-Language."""
        tags = wishes(asked, header)
        primary = (tag.lower().split("-")[0] for tag in tags)
        page = next((tag for tag in primary if tag in PAGE_LANGUAGES), DEFAULT)
        valid = asked if asked and _is_tag(asked) else None
        return cls(wishes=tags or (DEFAULT,), page=page, asked=valid)

    @property
    def direction(self) -> str:
        """Reading direction of the page."""
        return direction(self.page)

    def say(self, words: str, /, **values: object) -> str:
        """The pages' own words in the reader's language, with values filled in."""
        text = WORDS.get(self.page, {}).get(words, words)
        return text.format(**values) if values else text

    def plain(self, texts: Texts, default: str = "") -> str:
        """The best text, without mark-up."""
        return texts.text(self.wishes, default)

    def mark(self, texts: Texts, default: str = "") -> Markup:
        """The best text; marked with its language where that is not the page's, so that it is read aloud rightly."""
        found = texts.best(self.wishes)
        if found is None:
            return escape(default)
        language, text = found
        if not language or language.lower().split("-")[0] == self.page:
            return escape(text)
        return Markup('<bdi lang="{}" dir="{}">{}</bdi>').format(language, direction(language), text)

    def name(self, of: Identified) -> Markup:
        """The name of an artefact or item; its id where it has none."""
        return self.mark(of.names, of.id)

    def number(self, value: int) -> str:
        """A count with the marks of the language."""
        return format_decimal(value, locale=self.page)

    def moment(self, value: datetime) -> str:
        """Day and time in words, UTC."""
        return format_datetime(value, "d MMMM y, HH:mm 'UTC'", locale=self.page, tzinfo=None)
