"""What contradicts the information model in one artefact, beyond what its reader saw."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sdmx_service.errors import InvalidStructure, SdmxError
from sdmx_service.model.artefact import ItemScheme, Maintainable
from sdmx_service.model.items import (
    Categorisation,
    Codelist,
    ConceptScheme,
    GeographicCodelist,
    GeoGridCodelist,
    HierarchyAssociation,
    ValueList,
)
from sdmx_service.model.structure import (
    Component,
    Dataflow,
    DataStructure,
    Metadataflow,
    MetadataProvisionAgreement,
    MetadataStructure,
    ProvisionAgreement,
)
from sdmx_service.model.urn import Ref, Version

_ID = re.compile(r"[A-Za-z0-9_@$-]+", re.ASCII)
_AGENCY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z][A-Za-z0-9_-]*)*", re.ASCII)
_COMPONENT = re.compile(r"[A-Za-z][A-Za-z0-9_-]*", re.ASCII)
_LONGEST = 200
"""Characters of an id at most (*choice*)."""
_LARGEST = 2**31 - 1
_DEEPEST = 60
"""Levels of nested items at most (*choice*)."""
_LISTS = ("Codelist", "ValueList")


def check_identity(artefact: Maintainable) -> None:
    """That an artefact can be named: without it nothing can be said about it.

    Raises:
        InvalidStructure: its id, agency or version is none (``IDType``, ``NestedNCNameIDType``, ``VersionType``).
    """
    for name, text, pattern in (("id", artefact.id, _ID), ("agencyID", artefact.agency, _AGENCY)):
        if pattern.fullmatch(text) is None or len(text) > _LONGEST:
            raise InvalidStructure(f"{text[:_LONGEST]!r} is not an {name} of a {artefact.type}.")
    try:
        version = Version.parse(artefact.version)
    except SdmxError as error:
        raise InvalidStructure(f"{artefact.type} {artefact.id}: {error.detail}", hint=error.hint) from None
    if max(version.numbers) > _LARGEST or len(artefact.version) > _LONGEST:
        raise InvalidStructure(
            f"{artefact.type} {artefact.id}: the version {artefact.version[:_LONGEST]} is too large."
        )


def faults(artefact: Maintainable) -> Iterator[InvalidStructure]:
    """Every fault, the first first."""
    called = f"{artefact.type} {artefact.ref.text}"
    if not artefact.names:
        yield InvalidStructure(f"{called} has no name.", hint="Every artefact has one.")
    yield from _misdirected(artefact, called)
    if isinstance(artefact, ItemScheme):
        yield from _scheme_faults(artefact, called)
    elif isinstance(artefact, DataStructure):
        yield from _structure_faults(artefact, called)


def is_too_deep(artefact: Maintainable) -> bool:
    """Whether items are nested deeper than is read and written everywhere."""
    level: Sequence[Any] = [artefact]
    for _ in range(_DEEPEST + 1):
        level = [inner for one in level for inner in (*getattr(one, "items", ()), *getattr(one, "attributes", ()))]
        if not level:
            return False
    return True


def _twice(ids: Sequence[str]) -> str | None:
    return next((id for id, count in Counter(ids).items() if count > 1), None)


# --- item schemes ---------------------------------------------------------------------------------------------------
def _scheme_faults(scheme: ItemScheme[Any], called: str) -> Iterator[InvalidStructure]:
    if (id := _twice([item.id for item in scheme.items])) is not None:
        yield InvalidStructure(f"{called} has two items {id!r}.")
    if not isinstance(scheme, ValueList):
        for item in scheme.items:
            if _ID.fullmatch(item.id) is None:
                yield InvalidStructure(f"{called}: {item.id!r} is not an id.", hint="A value list takes any text.")
    parents = {item.id: item.parent for item in scheme.items}
    is_extended = isinstance(scheme, Codelist | GeographicCodelist | GeoGridCodelist) and bool(scheme.extensions)
    for id, parent in parents.items():
        if parent is not None and parent not in parents and not is_extended:
            yield InvalidStructure(f"{called}: the parent {parent!r} of {id!r} is no item of it.")
    if (id := _in_a_circle(parents)) is not None:
        yield InvalidStructure(f"{called}: {id!r} is among its own ancestors.")


def _in_a_circle(parents: dict[str, str | None]) -> str | None:
    fine: set[str] = set()
    for id in parents:
        way: dict[str, None] = {}
        at: str | None = id
        while at is not None and at in parents and at not in fine:
            if at in way:
                return at
            way[at] = None
            at = parents[at]
        fine |= way.keys()
    return None


# --- data structures ------------------------------------------------------------------------------------------------
def _structure_faults(structure: DataStructure, called: str) -> Iterator[InvalidStructure]:
    if not structure.dimensions:
        yield InvalidStructure(f"{called} has no dimension.")
    if (id := _twice([one.id for one in structure.components])) is not None:
        yield InvalidStructure(f"{called} has two components {id!r}.")
    for component in structure.components:
        if _COMPONENT.fullmatch(component.id) is None:
            yield InvalidStructure(f"{called}: {component.id!r} is not an id of a component.")
    groups = {group.id for group in structure.groups}
    for attribute in structure.attributes:
        relationship = attribute.relationship
        for id in relationship.dimensions:
            if id not in structure.key_ids:
                yield InvalidStructure(
                    f"{called}: the attribute {attribute.id} belongs to {id}, which is no dimension."
                )
        if relationship.group is not None and relationship.group not in groups:
            yield InvalidStructure(f"{called}: the attribute {attribute.id} belongs to {relationship.group}, no group.")


# --- references of the right class ----------------------------------------------------------------------------------
def _misdirected(artefact: Maintainable, called: str) -> Iterator[InvalidStructure]:
    """References to something of a class that cannot stand there."""
    for ref, wanted in _expected(artefact):
        if ref is None:
            yield InvalidStructure(f"{called} names no {wanted[0]}.")
        elif ref.type not in wanted:
            yield InvalidStructure(
                f"{called} refers to the {ref.type} {ref.text} where a {' or '.join(wanted)} belongs."
            )


_SINGLE: Mapping[type[Maintainable], tuple[tuple[str, tuple[str, ...]], ...]] = {
    Dataflow: (("structure", ("DataStructure",)),),
    Metadataflow: (("structure", ("MetadataStructure",)),),
    ProvisionAgreement: (("dataflow", ("Dataflow",)), ("provider", ("DataProvider",))),
    MetadataProvisionAgreement: (("metadataflow", ("Metadataflow",)), ("provider", ("MetadataProvider",))),
    Categorisation: (("target", ("Category",)),),
    HierarchyAssociation: (("hierarchy", ("Hierarchy",)),),
}
"""References that an artefact must have, by field, and the classes that may stand there."""


def _expected(artefact: Maintainable) -> Iterator[tuple[Ref | None, tuple[str, ...]]]:
    for name, classes in _SINGLE.get(type(artefact), ()):
        yield getattr(artefact, name), classes
    if isinstance(artefact, Codelist | GeographicCodelist | GeoGridCodelist):
        yield from ((one.codelist, ("Codelist",)) for one in artefact.extensions)
    elif isinstance(artefact, ConceptScheme):
        for concept in artefact.items:
            if concept.core_representation is not None and concept.core_representation.enumeration is not None:
                yield concept.core_representation.enumeration, _LISTS
    elif isinstance(artefact, DataStructure | MetadataStructure):
        yield from _expected_of(_components(artefact))


def _components(structure: DataStructure | MetadataStructure) -> Sequence[Component]:
    if isinstance(structure, DataStructure):
        return structure.components
    return [*structure.attributes, *(inner for one in structure.attributes for inner in one.items)]


def _expected_of(components: Sequence[Component]) -> Iterator[tuple[Ref | None, tuple[str, ...]]]:
    for component in components:
        yield component.concept, ("Concept",)
        if component.representation is not None and component.representation.enumeration is not None:
            yield component.representation.enumeration, _LISTS
