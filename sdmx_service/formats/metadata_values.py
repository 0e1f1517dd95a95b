"""What all formats of reference metadata check alike: targets, depth, ids, and which values a set can hold."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from sdmx_service.errors import CannotWrite, UnreadableFile
from sdmx_service.model.metadata import MetadataAttributeValue, MetadataSet, TargetPattern

DEEPEST: Final = 50
"""Levels of nested metadata attributes that are read (*choice*); real structures have about five."""
_ID = re.compile(r"[A-Za-z0-9_@$-]+", re.ASCII)


def check_targets(targets: Iterable[str], place: str) -> None:
    """Refuse a target that is no URN.

    Raises:
        UnreadableFile: it is none, with its place.
    """
    for number, target in enumerate(targets):
        if TargetPattern.parse(target) is None:
            raise UnreadableFile(
                f"{place}/{number}: {target[:200]!r} is not the URN of an artefact.",
                hint="Write urn:sdmx:org.sdmx.infomodel.<package>.<Class>=<AGENCY>:<ID>(<VERSION>)[.<ITEM>].",
            )


def check_nesting(node: object, place: str) -> None:
    """Refuse values nested too deep to be meant, before anything recurses into them.

    Raises:
        UnreadableFile: they are.
    """
    level: list[Any] = [node] if isinstance(node, dict | list) else []
    for _ in range(2 * DEEPEST):  # an object and an array make one level
        inner = [part for one in level for part in (one.values() if isinstance(one, dict) else one)]
        level = [part for part in inner if isinstance(part, dict | list)]
        if not level:
            return
    raise UnreadableFile(f"{place}: metadata attributes are nested in more than {DEEPEST} levels.")


def check_written(metadata_set: MetadataSet, format: str) -> None:
    """Refuse what no message of a metadata set can carry.

    Raises:
        CannotWrite: a set that stands for all sets, an id that is none, a value that is single and by language.
    """
    if not _ID.fullmatch(metadata_set.id):
        raise CannotWrite(
            f"{format} cannot name the metadata set {metadata_set.id!r}: the id is none."
            if not metadata_set.is_any
            else f"{format} cannot speak of all sets of {metadata_set.described_by}; SDMX-CSV can."
        )
    for path, one in metadata_set.values():
        _check_value(path, one, metadata_set, format)


def _check_value(path: str, one: MetadataAttributeValue, metadata_set: MetadataSet, name: str) -> None:
    if not _ID.fullmatch(one.id):
        raise CannotWrite(f"{metadata_set.id}: {name} cannot name the metadata attribute {one.id!r}.")
    if one.value is not None and one.texts:
        raise CannotWrite(f"{metadata_set.id}, {path}: {name} cannot carry a single value and texts by language.")
