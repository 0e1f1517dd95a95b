"""The nearest known word for one that is not known: by typing errors, accents, case, word order, look-alike letters.

Words are compared as people mistake them: one letter too many, too few, another or two exchanged count as one error
each (the distance of Damerau, as optimal string alignment); case, accents and punctuation do not count; letters of
another script that look like Latin ones are those; words in another order are nearly the same. Where nothing comes near
in this way, parts are compared (a short name for a long one).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA, Jaro

from sdmx_service.model.artefact import Item

_NEAR: Final = 0.6
"""Similarity (0 to 1) below which nothing is suggested."""
_ORDER: Final = 0.97
"""What words in another order are worth."""
_PART: Final = 0.85
"""What a part that fits is worth."""
_SHORT: Final = 5
"""Letters below which parts say nothing."""
_LONGEST: Final = 300
"""Letters beyond which a text is no misspelt word, and takes long to compare."""
_LOOKED_AT: Final = 12
_LATIN: Final = str.maketrans(
    "аАвВеЕкКмМнНоОрРсСтТуУхХіІјЈѕЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧοι",
    "aAbBeEkKmMhHoOpPcCtTyYxXiIjJsSABEZHIKMNOPTYXoi",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A known word that comes near: what it means, and how near it is (0 to 1)."""

    word: str
    meaning: str
    score: float


class Suggester:
    """Suggests from known words and what they mean; built once per list, asked once per distinct wrong value.

    Args:
        words: each word and its meaning; several words may mean the same, and one word several things.
    """

    def __init__(self, words: Iterable[tuple[str, str]]) -> None:
        self._words = list(dict.fromkeys(words))
        self._texts = [folded(word) for word, _ in self._words]

    @classmethod
    def of_items(cls, items: Mapping[str, Item]) -> Suggester:
        """A suggester of codes: their ids, all their names and their ids in other systems lead to the id."""
        return cls(item_words(items))

    @classmethod
    def of_words(cls, words: Iterable[str]) -> Suggester:
        """A suggester of plain words."""
        return cls((word, word) for word in words)

    @cached_property
    def _ordered(self) -> tuple[list[str], list[int]]:
        """Those of several words with the words in the order of letters, and their places."""
        found = [(" ".join(sorted(text.split())), place) for place, text in enumerate(self._texts) if " " in text]
        return [text for text, _ in found], [place for _, place in found]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """The numbers without the zeros in front of them, and their places."""
        return {text.lstrip("0"): place for place, text in enumerate(self._texts) if text.isdecimal()}

    @cached_property
    def _long(self) -> tuple[list[str], list[int]]:
        """Those long enough to have parts, and their places."""
        places = [place for place, text in enumerate(self._texts) if len(text) >= _SHORT]
        return [self._texts[place] for place in places], places

    def nearest(self, value: str) -> str | None:
        """The nearest word's meaning, or None if nothing is near."""
        return next((one.meaning for one in self.candidates(value, 1)), None)

    def candidates(self, value: str, limit: int = 3, *, parts: bool = True) -> list[Near]:
        """The nearest known words with different meanings, the nearest first.

        A number is the known one with other zeros in front of it (``004`` is 4), however many are one digit away.

        Args:
            parts: where nothing comes near, look for parts too, which takes some ten times as long.
        """
        wanted = folded(value)
        if not wanted or len(wanted) > _LONGEST:
            return []
        if wanted.isdecimal() and wanted.lstrip("0") in self._numbers:
            word, meaning = self._words[self._numbers[wanted.lstrip("0")]]
            return [Near(word=word, meaning=meaning, score=1.0)]
        scores: dict[int, float] = {}
        self._compare(wanted, self._texts, range(len(self._texts)), 1.0, scores)
        if " " in wanted:
            ordered, places = self._ordered
            self._compare(" ".join(sorted(wanted.split())), ordered, places, _ORDER, scores)
        if parts and max(scores.values(), default=0.0) < _PART and len(wanted) >= _SHORT:
            texts, places = self._long
            for _, score, number in process.extract(
                wanted, texts, scorer=fuzz.WRatio, score_cutoff=100 * _NEAR / _PART, limit=_LOOKED_AT
            ):
                place = places[number]
                scores[place] = max(scores.get(place, 0.0), _PART * score / 100)
        return self._best(wanted, scores, limit)

    def _compare(
        self, wanted: str, texts: Sequence[str], places: Sequence[int], worth: float, scores: dict[int, float]
    ) -> None:
        least = min(_NEAR, max(0.5, 1 - 1 / len(wanted))) / worth  # one error is near in a short word too
        found = process.extract(wanted, texts, scorer=OSA.normalized_similarity, score_cutoff=least, limit=_LOOKED_AT)
        for _, score, number in found:
            place = places[number]
            scores[place] = max(scores.get(place, 0.0), worth * score)

    def _best(self, wanted: str, scores: Mapping[int, float], limit: int) -> list[Near]:
        """The best per meaning; of equally near ones first that whose letters agree more (two exchanged, say)."""
        found: dict[str, Near] = {}
        letters = sorted(wanted)
        alike = {place: (sorted(text) == letters) + Jaro.similarity(wanted, text)
                 for place, text in ((place, self._texts[place]) for place in scores)}  # fmt: skip
        for place in sorted(scores, key=lambda place: (-round(scores[place], 9), -alike[place], place)):
            word, meaning = self._words[place]
            found.setdefault(meaning, Near(word=word, meaning=meaning, score=round(scores[place], 4)))
        return list(found.values())[:limit]


def item_words(items: Mapping[str, Item]) -> Iterable[tuple[str, str]]:
    """The ids of items, their names in every language, and their ids in other systems, each with the id."""
    yield from ((id, id) for id in items)
    yield from ((name, id) for id, item in items.items() for name in item.names.values())
    yield from _other_ids(items)


def _other_ids(items: Mapping[str, Item]) -> Iterable[tuple[str, str]]:
    """The titles of annotations of a type that has another title at each item, as ids of another system do."""
    found: dict[str, list[tuple[str, str]]] = {}
    for id, item in items.items():
        for note in item.annotations:
            if note.type and (said := note.title or note.value):
                found.setdefault(note.type, []).append((said, id))
    for pairs in found.values():
        if len(pairs) > 1 and len({said for said, _ in pairs}) == len(pairs):
            yield from pairs


def folded(text: str) -> str:
    """A text without case, accents and punctuation, look-alike letters as Latin ones, single spaces between words."""
    plain = text.translate(_LATIN) if _is_mixed(text) else text
    bare = (sign for sign in unicodedata.normalize("NFKD", plain).casefold() if unicodedata.category(sign) != "Mn")
    return " ".join("".join(sign if sign.isalnum() else " " for sign in bare).split()) or text.strip()


def _is_mixed(text: str) -> bool:
    """Whether Latin letters stand beside those of a script with letters that look like them."""
    has_latin = any("a" <= sign <= "z" for sign in text.casefold())
    return has_latin and any("\u0370" <= sign <= "\u052f" for sign in text)
