"""The nearest valid code for a wrong one: by id and by name in any language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rapidfuzz import fuzz, process
from rapidfuzz.utils import default_process

from sdmx_service.model.artefact import Item

_ENOUGH = 60.0
"""Similarity (0 to 100) below which nothing is suggested."""


class Suggester:
    """Suggests from ids and names; built once per list, asked once per distinct wrong value."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self._meanings = list(words.values())
        self._texts = [default_process(word) for word in words]

    @classmethod
    def of_items(cls, items: Mapping[str, Item]) -> Suggester:
        """A suggester of codes: their ids and all their names lead to the id."""
        words: dict[str, str] = {}
        for id, item in items.items():
            for name in item.names.values():
                words.setdefault(name, id)
        words |= {id: id for id in items}
        return cls(words)

    @classmethod
    def of_words(cls, words: Iterable[str]) -> Suggester:
        """A suggester of plain words."""
        return cls({word: word for word in words})

    def nearest(self, value: str) -> str | None:
        """The nearest word's meaning, or None if nothing is near."""
        found = process.extractOne(default_process(value), self._texts, scorer=fuzz.WRatio, score_cutoff=_ENOUGH)
        return None if found is None else self._meanings[found[2]]
