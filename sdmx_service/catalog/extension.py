"""Codelist extension (SDMX 3.1 technical notes): codes of other lists become codes of this one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from sdmx_service.errors import InvalidStructure
from sdmx_service.model.artefact import Maintainable
from sdmx_service.model.items import Code, Codelist, CodelistExtension, MemberSelection
from sdmx_service.model.urn import Ref

Find = Callable[[Ref], Maintainable]
"""Finds the artefact that a reference means, or raises ``UnresolvedReference``."""


def extended_codes(find: Find, codelist: Codelist, seen: frozenset[Ref] = frozenset()) -> tuple[Code, ...]:
    """The codes of a list: those of its extensions in order, then its own, the later winning.

    Raises:
        InvalidStructure: lists extend each other in a circle.
    """
    if codelist.ref in seen:
        raise InvalidStructure(f"The codelist {codelist.ref.text} extends itself.")
    codes: dict[str, Code] = {}
    for extension in codelist.extensions:
        other = find(extension.codelist)
        if not isinstance(other, Codelist):
            raise InvalidStructure(f"{codelist.ref.text} extends {other.ref.text}, which is no codelist.")
        for code in _chosen(extended_codes(find, other, seen | {codelist.ref}), extension):
            codes.pop(code.id, None)
            codes[code.id] = code
    for code in codelist.items:
        codes.pop(code.id, None)
        codes[code.id] = code
    return tuple(codes.values())


def _chosen(codes: tuple[Code, ...], extension: CodelistExtension) -> tuple[Code, ...]:
    kept = {code.id for code in codes}
    if extension.inclusive is not None:
        kept = _members(codes, extension.inclusive)
    if extension.exclusive is not None:
        kept -= _members(codes, extension.exclusive)
    prefix = extension.prefix or ""
    return tuple(
        replace(code, id=prefix + code.id, parent=prefix + code.parent if code.parent in kept else None)
        for code in codes
        if code.id in kept
    )


def _members(codes: tuple[Code, ...], selection: MemberSelection) -> set[str]:
    """The ids that a selection names, with ``%`` as wildcard and cascades to descendants."""
    children: dict[str | None, list[str]] = {}
    for code in codes:
        children.setdefault(code.parent, []).append(code.id)
    found: set[str] = set()
    for value, cascade in selection.values:
        pattern = re.compile(".*".join(map(re.escape, value.split("%"))))
        for id in [code.id for code in codes if pattern.fullmatch(code.id)]:
            if cascade != "excluderoot":
                found.add(id)
            if cascade in ("true", "excluderoot"):
                found |= _descendants(id, children)
    return found


def _descendants(root: str, children: dict[str | None, list[str]]) -> set[str]:
    found: set[str] = set()
    open_ids = list(children.get(root, ()))
    while open_ids:
        id = open_ids.pop()
        if id not in found:
            found.add(id)
            open_ids.extend(children.get(id, ()))
    return found
