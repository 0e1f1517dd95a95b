"""Parts of an artefact that name each other: by their id in the model, by URNs in SDMX-JSON 1.0.

``spelled`` and ``unspelled`` are each other's inverse. A message that has an id where the standard wants a URN is read,
too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from types import MappingProxyType
from typing import Any

from sdmx_service.errors import SdmxError, UnreadableFile
from sdmx_service.formats.structure_2_1 import ref_of_today
from sdmx_service.formats.structure_sets import STRUCTURES, Association, ComponentAssociation, SetMap
from sdmx_service.formats.structure_shapes import ComponentPlace
from sdmx_service.formats.structure_tables_2_1 import InnerHierarchy, Node
from sdmx_service.model.artefact_types import artefact_type
from sdmx_service.model.items import Concept, Organisation
from sdmx_service.model.process import Transition
from sdmx_service.model.structure import DataStructure, Dimension, ReportStructure
from sdmx_service.model.urn import Ref

_LOCAL: Mapping[tuple[type, str], str] = MappingProxyType(
    {
        (Concept, "parent"): "Concept",
        (Organisation, "parent"): "OrganisationUnit",
        (Node, "level"): "Level",
        (ReportStructure, "targets"): "MetadataTarget",
        (Transition, "target_step"): "ProcessStep",
        (ComponentAssociation, "codelist_map"): "CodelistMap",
    }
)
"""What names a part of its own artefact, and the class of that part."""
_WITHIN = {"Level": InnerHierarchy}
"""Classes whose URNs also name the part that they stand in."""
_KEEP_PATH = frozenset({"ProcessStep", "Category", "ReportingCategory"})

Change = Callable[[Ref, str], str]


def spelled(artefact: Any) -> Any:
    """The artefact with URNs in place of ids."""
    return _rebuilt(artefact, artefact.ref, _urn, {})


def unspelled(artefact: Any) -> Any:
    """The artefact with ids in place of URNs, and its references as they are today.

    Raises:
        UnreadableFile: there is something else.
    """
    return _rebuilt(artefact, artefact.ref, _id, {})


def _urn(owner: Ref, text: str) -> str:
    return text if text.startswith("urn:") else owner.to_item(text).urn


def _id(owner: Ref, text: str) -> str:
    if not text.startswith("urn:"):
        return text
    try:
        ref = Ref.parse(text)
    except SdmxError as error:
        raise UnreadableFile(f"{owner.urn}: {error.detail}", hint=error.hint) from None
    if ref.item is None:
        raise UnreadableFile(f"{owner.urn}: {text!r} names no part of an artefact.")
    return ref.item if ref.type in _KEEP_PATH else ref.item.rpartition(".")[2]


def _rebuilt(thing: Any, owner: Ref, change: Change, within: Mapping[type, str]) -> Any:
    """The thing with its local names changed; what is unchanged stays the same object."""
    if isinstance(thing, tuple):
        made = tuple(_rebuilt(one, owner, change, within) for one in thing)
        return thing if all(new is old for new, old in zip(made, thing, strict=True)) else made
    if isinstance(thing, Ref):
        return ref_of_today(thing) if change is _id else thing
    if isinstance(thing, ComponentPlace) or not is_dataclass(thing) or isinstance(thing, type):
        return thing
    if isinstance(thing, InnerHierarchy):
        within = {InnerHierarchy: thing.id}
    if isinstance(thing, SetMap) and thing.kind != STRUCTURES:
        return replace(thing, associations=tuple(_associated(one, thing, change) for one in thing.associations))
    if isinstance(thing, SetMap):
        thing = _placed(thing)
    changed: dict[str, Any] = {}
    for one in fields(thing):
        old = getattr(thing, one.name)
        kind = _LOCAL.get((type(thing), one.name))
        new = _rebuilt(old, owner, change, within) if kind is None else _renamed(old, owner, kind, change, within)
        if new is not old:
            changed[one.name] = new
    return replace(thing, **changed) if changed else thing


def _renamed(value: Any, owner: Ref, kind: str, change: Change, within: Mapping[type, str]) -> Any:
    if value is None:
        return None
    if isinstance(value, tuple):
        return tuple(_renamed(one, owner, kind, change, within) for one in value)
    prefix = within.get(_WITHIN[kind]) if kind in _WITHIN else None
    text = f"{prefix}.{value}" if prefix and change is _urn and not value.startswith("urn:") else value
    return change(Ref(type=kind, agency=owner.agency, id=owner.id, version=owner.version), text)


def _associated(one: Association, parent: SetMap, change: Change) -> Association:
    return replace(
        one, source=change(_item_ref(parent.source), one.source), target=change(_item_ref(parent.target), one.target)
    )


def _item_ref(scheme: Ref) -> Ref:
    kind = artefact_type(scheme.type)
    return scheme if kind is None or not kind.item_types else replace(scheme, type=kind.item_types[0])


def _placed(one: SetMap) -> SetMap:
    """The structure map whose components know their structures, where it is a map of structures and not of flows."""
    associations = tuple(
        replace(each, source=_with_structure(each.source, one.source), target=_with_structure(each.target, one.target))
        for each in one.associations
    )
    return replace(one, associations=associations)


def _with_structure(place: ComponentPlace, structure: Ref) -> ComponentPlace:
    known = place.structure is not None or structure.type not in ("DataStructure", "MetadataStructure")
    return place if known else replace(place, structure=structure)


def in_key_order(structure: DataStructure, positions: Mapping[str, int]) -> DataStructure:
    """The structure with its dimensions in the order of their positions, which arrays by class cannot tell."""
    if not any(one.is_measure_dimension for one in structure.dimensions):
        return structure

    def place(one: Dimension) -> int:
        return positions.get(one.id, len(positions))

    return replace(structure, dimensions=tuple(sorted(structure.dimensions, key=place)))
