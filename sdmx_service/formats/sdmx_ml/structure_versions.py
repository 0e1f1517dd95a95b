"""What SDMX-ML 2.1 has in other containers and classes than the model, and which kinds each version has."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from sdmx_service.formats.structure_tables import ARTEFACTS, Artefacts
from sdmx_service.formats.structure_versions import ordered


@cache
def kinds_of(version: str) -> tuple[Artefacts, ...]:
    """The kinds of artefacts that a version of SDMX-ML has, in the order of its schema."""
    return tuple(kind for kind in ARTEFACTS if kind.since <= version)


def expand(artefact: Any) -> Iterable[Any]:
    """The artefacts of the model that an artefact of 2.1 is."""
    return (artefact,)


def collect(artefacts: Iterable[Any], version: str) -> list[Any]:
    """The artefacts as a version has them.

    Raises:
        CannotWrite: the version has no such thing.
    """
    return ordered(artefacts, version)
