"""A partial item scheme put into the one that is stored (SDMX-REST 2.2, maintenance.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from sdmx_service.errors import SemanticFault
from sdmx_service.model.artefact import Annotation, Identified, Item, ItemScheme, Texts
from sdmx_service.model.items import CategoryScheme, ReportingTaxonomy

SchemeT = TypeVar("SchemeT", bound=ItemScheme[Any])
ThingT = TypeVar("ThingT")
_IDENTITY = ("id", "agency", "version", "items", "names", "descriptions", "is_partial")


def merged(stored: SchemeT, sent: SchemeT) -> SchemeT:
    """The stored scheme with what a partial one says.

    *Standard*: items that exist are replaced where they stand, others come at the end; of nested schemes the items of
    the first level are replaced with all that is in them; names and descriptions are replaced by language; annotations
    and the other properties as a whole. *Choice*: what the message does not say at all stays as it is.
    """
    said = {
        field.name: getattr(sent, field.name)
        for field in fields(stored)
        if field.name not in _IDENTITY and getattr(sent, field.name) != _default(field)
    }
    return replace(
        stored,
        items=_merged_items(stored.items, sent.items),
        names=Texts({**stored.names, **sent.names}),
        descriptions=Texts({**stored.descriptions, **sent.descriptions}),
        is_partial=False,
        **said,
    )


def _default(field: Field[Any]) -> Any:
    if field.default is not MISSING:
        return field.default
    return None if field.default_factory is MISSING else field.default_factory()


def _merged_items(stored: Sequence[Item], sent: Sequence[Item]) -> tuple[Item, ...]:
    new = {item.id: item for item in sent}
    kept = tuple(new.pop(item.id, item) for item in stored)
    return (*kept, *new.values())


# --- languages ------------------------------------------------------------------------------------------------------
def with_languages(stored: ThingT, sent: ThingT) -> ThingT:
    """The stored artefact with the texts of one that says ``isPartialLanguage``.

    *Pre-standard* (sdmx-rest, pull request 257): languages that are sent are added or replaced, others stay. *Choice*:
    everything but texts stays too, and items, components and annotations are told by their id (annotations without one
    by their type).

    Raises:
        SemanticFault: it has an item or the like that the stored one has not.
    """
    changed: dict[str, Any] = {}
    for field in fields(cast(Any, stored)):
        old, new = getattr(stored, field.name), getattr(sent, field.name)
        if isinstance(old, Texts) and new:
            changed[field.name] = Texts({**old, **new})
        elif isinstance(old, tuple) and new and _key(new[0]) is not None:
            changed[field.name] = _each_with_languages(old, new)
        elif is_dataclass(old) and is_dataclass(new) and _key(old) is not None:
            changed[field.name] = with_languages(old, new)
    return replace(cast(Any, stored), **changed)  # type: ignore[no-any-return]


def _key(thing: object) -> str | None:
    """What tells a part of an artefact from its neighbours; None for what has no texts."""
    if isinstance(thing, Annotation):
        return thing.id or thing.type or ""
    return thing.id if isinstance(thing, Identified) else None


def _each_with_languages(stored: Sequence[Any], sent: Sequence[Any]) -> tuple[Any, ...]:
    new = {_key(one): one for one in sent}
    kept = []
    for one in stored:
        translated = new.pop(_key(one), None)
        kept.append(one if translated is None else with_languages(one, translated))
    if new:
        names = ", ".join(sorted(str(key) for key in new))
        raise SemanticFault(f"isPartialLanguage: there is no {names} that could be translated.")
    return tuple(kept)


# --- less -----------------------------------------------------------------------------------------------------------
def without_item(scheme: SchemeT, path: str) -> SchemeT | None:
    """The scheme without an item; None if it has no such item.

    *Standard*: children of a flat scheme's item lose their parent, those of a nested one's are deleted with it, and
    its path is dotted.
    """
    is_nested = isinstance(scheme, CategoryScheme | ReportingTaxonomy)
    items = _without_path(scheme.items, path.split(".")) if is_nested else _without_id(scheme.items, path)
    return None if items is None else replace(scheme, items=items)


def _without_id(items: Sequence[Any], id: str) -> tuple[Any, ...] | None:
    if all(item.id != id for item in items):
        return None
    return tuple(replace(item, parent=None) if item.parent == id else item for item in items if item.id != id)


def _without_path(items: Sequence[Any], path: Sequence[str]) -> tuple[Any, ...] | None:
    found = next((item for item in items if item.id == path[0]), None)
    if found is None:
        return None
    if len(path) == 1:
        return tuple(item for item in items if item is not found)
    inner = _without_path(found.items, path[1:])
    if inner is None:
        return None
    return tuple(replace(item, items=inner) if item is found else item for item in items)
