"""What comes near a value that a representation map does not know, and what people decided about the same text.

Looked at are the map's own words, the names of the codes that it gives (in every language, with annotations of old
names) and of those that it reads, the words of other maps that give codes of the same list, and decisions that were
taken elsewhere: these are offered, never applied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.model.artefact import Annotation, Item, Texts
from sdmx_service.model.items import Codelist, ValueList
from sdmx_service.model.mapping import RepresentationMap
from sdmx_service.model.urn import Ref
from sdmx_service.submission.representation_mapping import fold
from sdmx_service.submission.suggestions import Suggester, item_words

BETWEEN: Final = " | "
"""Between the values of a map that joins several columns."""
OFFERED: Final = "OFFERED"
"""Type of a map's annotations about decisions that were taken elsewhere: title the value, value its code, text who."""
UNDECIDED: Final = "UNDECIDED"
"""Type of a map's annotations about values that it leaves undecided on purpose: title the value, text the reason."""
OLD_NAMES: Final = frozenset({"OLD_NAME", "FORMER_NAME", "ALTERNATIVE_NAME", "SYNONYM"})
"""Types of annotations of codes whose title or texts are names too."""
CANDIDATES: Final = 3
DECIDED: Final = "decided before"
"""What a sender is told of a decision about somebody else's file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A known value that comes near, and what it maps to; ``decided`` by whom, when and where, if a person said so."""

    value: str
    code: str
    decided: str | None = None

    @property
    def shown(self) -> str:
        """The candidate as a suggestion to the sender, who is not told what others sent and who decided about it."""
        return f"{self.value} = {self.code} ({DECIDED})" if self.decided else self.value

    @property
    def discreet(self) -> Candidate:
        """The same for a sender."""
        return replace(self, decided=DECIDED) if self.decided else self


class MapCandidates:
    """The words of a map, to be compared; built when first asked."""

    def __init__(self, map: RepresentationMap, catalog: Catalog) -> None:  # noqa: A002
        self._map = map
        self._catalog = catalog

    def near(self, value: str, limit: int = CANDIDATES, *, parts: bool = True) -> list[Candidate]:
        """Known values with different meanings: first what was decided about that text, then the nearest."""
        found = {one.code: one for one in self._offered(value)}
        for near in self._suggester.candidates(value, limit, parts=parts):
            own = near.word if near.word in self._own else f"{near.word} = {near.meaning}"
            found.setdefault(near.meaning, Candidate(value=own, code=near.meaning))
        return list(found.values())[:limit]

    def reason(self, value: str) -> str | None:
        """Why the map leaves that value undecided on purpose; None if it does not."""
        return self._reasons.get(fold(value))

    @cached_property
    def _reasons(self) -> dict[str, str]:
        left = (one for one in self._map.annotations if one.type == UNDECIDED)
        return {fold(one.title or ""): one.texts.text() for one in left}

    def _offered(self, value: str) -> Iterator[Candidate]:
        wanted = fold(value)
        for one in self._map.annotations:
            if one.type == OFFERED and fold(one.title or "") == wanted:
                yield Candidate(value=one.title or "", code=one.value or "", decided=one.texts.text())

    @cached_property
    def _own(self) -> dict[str, str]:
        """The map's plain source values, those of several columns joined, and what they give."""
        found: dict[str, str] = {}
        for row in self._map.rows:
            if not any(one.is_regex for one in row.sources):
                found.setdefault(BETWEEN.join(one.value or "" for one in row.sources), BETWEEN.join(row.targets))
        return {word: code for word, code in found.items() if word.strip(BETWEEN)}

    @cached_property
    def _suggester(self) -> Suggester:
        words = list(self._own.items())
        if len(self._map.targets) == 1 and len(self._map.sources) <= 1:
            words += self._names(self._map.targets[0])
            for word, code in self._names(self._map.sources[0]) if self._map.sources else ():
                if code in self._own:
                    words.append((word, self._own[code]))
            words += self._words_elsewhere()
        return Suggester(words)

    def _words_elsewhere(self) -> Iterator[tuple[str, str]]:
        """The plain words of other maps from free text to the same list, whose meaning no period bounds."""
        target = _list_of(self._map.targets[0])
        for other in self._catalog.of_type("RepresentationMap") if target is not None else ():
            assert isinstance(other, RepresentationMap)
            is_alike = len(other.targets) == 1 and _list_of(other.targets[0]) == target and len(other.sources) == 1
            if is_alike and other.ref != self._map.ref and not isinstance(other.sources[0], Ref):
                for row in other.rows:
                    plain = row.sources[0].value if not row.sources[0].is_regex else None
                    if plain and row.targets[0] and row.valid_from is None and row.valid_to is None:
                        yield plain, row.targets[0]

    def _names(self, list_of: Ref | str) -> list[tuple[str, str]]:
        found = self._catalog.lookup(list_of) if isinstance(list_of, Ref) else None
        if not isinstance(found, Codelist | ValueList):
            return []
        items = {item.id: item for item in found.items}
        names = [pair for pair in item_words(items) if pair[0] != pair[1]]
        return names + [(word, item.id) for item in found.items for word in _old_names(item)]


def _list_of(declared: Ref | str) -> tuple[str, str] | None:
    return (declared.agency, declared.id) if isinstance(declared, Ref) else None


def _old_names(item: Item) -> Iterator[str]:
    for one in item.annotations:
        if one.type in OLD_NAMES:
            yield from filter(None, (one.title, *one.texts.values()))


def shown(values: Sequence[str | None]) -> str:
    """Source values of one row as one text."""
    return BETWEEN.join(value or "" for value in values)


def offer(value: str, code: str, said: str) -> Annotation:
    """The annotation that offers a decision."""
    return Annotation(type=OFFERED, title=value, value=code, texts=Texts({"en": said}))
