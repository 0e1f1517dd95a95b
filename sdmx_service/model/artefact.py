"""What every structural artefact has: identity, multilingual texts, annotations, maintenance.

SDMX 3.1 Information Model, package *base*. Everything is frozen: an artefact that differs is another object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from sdmx_service.model.urn import Ref


class Texts(Mapping[str, str]):
    """An InternationalString: one text per language tag, in the order given; immutable and hashable."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        source = pairs.items() if isinstance(pairs, Mapping) else pairs
        self._pairs: tuple[tuple[str, str], ...] = tuple(dict(source).items())

    def __getitem__(self, language: str) -> str:
        for tag, text in self._pairs:
            if tag == language:
                return text
        raise KeyError(language)

    def __iter__(self) -> Iterator[str]:
        return (tag for tag, _ in self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __eq__(self, other: object) -> bool:
        return dict(self._pairs) == dict(other) if isinstance(other, Mapping) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self._pairs))

    def __repr__(self) -> str:
        return f"Texts({dict(self._pairs)!r})"

    def best(self, languages: Iterable[str] = ()) -> tuple[str, str] | None:
        """The (language, text) that fits the wishes best, or None without any text.

        RFC 4647 lookup: each wish is shortened from the right (``en-GB`` -> ``en``); then a text whose tag
        extends the wish; then English; then the first one there is.
        """
        tags = {tag.lower(): (tag, text) for tag, text in self._pairs}
        for wish in (*languages, "en"):
            parts = wish.lower().split("-")
            while parts:
                if (found := tags.get("-".join(parts))) is not None:
                    return found
                parts.pop()
            extended = (pair for tag, pair in tags.items() if tag.startswith(wish.lower().split("-")[0] + "-"))
            if (first := next(extended, None)) is not None:
                return first
        return self._pairs[0] if self._pairs else None

    def text(self, languages: Iterable[str] = (), default: str = "") -> str:
        """The best text, or ``default`` without any."""
        found = self.best(languages)
        return default if found is None else found[1]


NO_TEXTS = Texts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link from an artefact to something else (SDMX 3.0 *Link*); ``rel`` says how the two belong together."""

    rel: str
    url: str | None = None
    urn: str | None = None
    uri: str | None = None
    type: str | None = None
    titles: Texts = NO_TEXTS
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """A note on an artefact (base, *Annotation*): id, title, type, links, a value, texts."""

    id: str | None = None
    title: str | None = None
    type: str | None = None
    value: str | None = None
    texts: Texts = NO_TEXTS
    urls: Texts = NO_TEXTS
    """Links by language; the empty tag stands for a link without language."""
    links: tuple[Link, ...] = ()
    """Links that say more than an address and a language (SDMX-JSON only)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """What has an id, names, descriptions and annotations (*NameableArtefact*)."""

    id: str
    names: Texts = NO_TEXTS
    descriptions: Texts = NO_TEXTS
    annotations: tuple[Annotation, ...] = ()
    uri: str | None = None
    links: tuple[Link, ...] = ()

    def name(self, languages: Iterable[str] = ()) -> str:
        """The name in the best language; the id if there is none."""
        return self.names.text(languages, self.id)

    def annotation(self, type_or_id: str) -> Annotation | None:
        """The first annotation with that type or id."""
        return next((note for note in self.annotations if type_or_id in (note.type, note.id)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintainable(Identified):
    """What an agency maintains under a version (*MaintainableArtefact*).

    Attributes:
        valid_from, valid_to: ISO 8601 text as sent; the version's own validity.
        is_final: SDMX 2.1's flag; None where the message did not say. From 3.0 on the version tells it.
    """

    type: ClassVar[str] = "Maintainable"
    agency: str
    version: str = "1.0"
    valid_from: str | None = None
    valid_to: str | None = None
    is_final: bool | None = None
    is_external_reference: bool = False
    service_url: str | None = None
    structure_url: str | None = None
    is_partial_language: bool | None = None

    @property
    def ref(self) -> Ref:
        """The exact reference to this artefact."""
        return Ref(type=self.type, agency=self.agency, id=self.id, version=self.version)

    @property
    def urn(self) -> str:
        """The URN of this artefact."""
        return self.ref.urn

    def references(self) -> tuple[Ref, ...]:
        """Every reference to another artefact that this one holds, in document order, once each."""
        return tuple(dict.fromkeys(self._references()))

    def _references(self) -> Iterator[Ref]:
        return iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Item(Identified):
    """An item of an item scheme; ``parent`` is the id of another item of the scheme."""

    parent: str | None = None


ItemT = TypeVar("ItemT", bound=Item)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemScheme(Maintainable, Generic[ItemT]):
    """A maintained list of items, in order. ``is_partial`` marks a cut (SDMX 3.1 *ItemScheme.isPartial*)."""

    items: tuple[ItemT, ...] = ()
    is_partial: bool = False

    def item(self, id: str) -> ItemT | None:
        """The item with that id; use ``index`` for many look-ups."""
        return next((item for item in self.items if item.id == id), None)

    def index(self) -> dict[str, ItemT]:
        """The items by id."""
        return {item.id: item for item in self.items}
