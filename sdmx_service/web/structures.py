"""The pages of structures: all artefacts by class, and one codelist with its codes as a tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.library import View
from sdmx_service.model.artefact import Item, ItemScheme, Maintainable
from sdmx_service.model.items import Codelist, ValueList
from sdmx_service.web import addresses
from sdmx_service.web.figures import pages
from sdmx_service.web.language import Tongue

CODES_PER_PAGE = 500
SHOWN_PER_CLASS = 100
"""Of a class with more artefacts (agreements of every provider with every dataflow, say) the first are listed."""
_FIRST = ("Dataflow", "DataStructure", "Codelist", "ValueList", "ConceptScheme")
_DEEPEST = 6
"""Levels that are set in; deeper ones stand at this one."""


def structures_page(view: View, tongue: Tongue, words: str) -> Mapping[str, Any]:
    """What the template of the list of structures shows."""
    groups: dict[str, list[Maintainable]] = {kind: [] for kind in _FIRST}
    for ref in sorted(view.catalog.artefacts):
        artefact = view.catalog.artefacts[ref]
        if _fits(artefact, words):
            groups.setdefault(ref.type, []).append(artefact)
    return {
        "groups": {kind: _group(view.catalog, found, tongue) for kind, found in groups.items() if found},
        "found": sum(map(len, groups.values())),
        "words": words,
    }


def _group(catalog: Catalog, found: Sequence[Maintainable], tongue: Tongue) -> dict[str, Any]:
    """The artefacts of a class: the first of many, how many there are, and where all of them are."""
    return {
        "entries": [_entry(catalog, artefact, tongue) for artefact in found[:SHOWN_PER_CLASS]],
        "count": len(found),
        "all": addresses.class_address(found[0]),
    }


def _entry(catalog: Catalog, artefact: Maintainable, tongue: Tongue) -> dict[str, Any]:
    return {
        "artefact": artefact,
        "page": addresses.artefact_page(artefact, tongue),
        "rest": addresses.structure_address(artefact),
        "items": _size(catalog, artefact),
    }


def _size(catalog: Catalog, artefact: Maintainable) -> int | None:
    if isinstance(artefact, Codelist | ValueList):
        return len(catalog.items(artefact.ref))
    return len(artefact.items) if isinstance(artefact, ItemScheme) else None


def _fits(one: Maintainable | Item, words: str) -> bool:
    texts = " ".join([one.id, *one.names.values()]).casefold()
    return all(word in texts for word in words.casefold().split())


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRow:
    """A code in the table: ``depth`` 0 for those without parent."""

    item: Item
    depth: int


def tree(items: Mapping[str, Item]) -> Iterator[CodeRow]:
    """The items depth first, children under their parent in the list's order; parents in a circle lose nothing."""
    children: dict[str | None, list[Item]] = {}
    for item in items.values():
        parent = item.parent if item.parent in items and item.parent != item.id else None
        children.setdefault(parent, []).append(item)
    seen: set[str] = set()
    stack = [(item, 0) for item in reversed(children.get(None, ()))]
    while stack:
        item, depth = stack.pop()
        if item.id in seen:
            continue
        seen.add(item.id)
        yield CodeRow(item=item, depth=min(depth, _DEEPEST))
        stack.extend((child, depth + 1) for child in reversed(children.get(item.id, ())))
    yield from (CodeRow(item=item, depth=0) for item in items.values() if item.id not in seen)


def codelist_page(
    view: View, codelist: Codelist | ValueList, words: str, offset: int, tongue: Tongue
) -> Mapping[str, Any]:
    """What the template of a codelist shows."""
    items = view.catalog.items(codelist.ref)
    rows = [row for row in tree(items) if _fits(row.item, words)]
    path = addresses.artefact_page(codelist, Tongue(wishes=(), page=tongue.page)) or ""
    asked = [("q", words)] if words else []
    return {
        "codelist": codelist,
        "items": items,
        "total": len(items),
        "found": len(rows),
        "rows": rows[offset : offset + CODES_PER_PAGE],
        "offset": offset,
        "words": words,
        "path": path,
        "parents": _users(view.catalog, codelist),
        "rest": addresses.structure_address(codelist),
        "pages": [
            (relation, addresses.page(path, tongue, [*asked, *([("offset", str(start))] if start else [])]))
            for relation, start in pages(len(rows), offset, CODES_PER_PAGE)
        ],
        "has_descriptions": any(row.item.descriptions for row in rows),
    }


def _users(catalog: Catalog, codelist: Maintainable) -> Sequence[Maintainable]:
    return [one for one in catalog.parents(codelist) if one.type in ("DataStructure", "Codelist", "ConceptScheme")]
