"""What the constraints of a structure, dataflow, data provider and provision agreement leave of each component's codes.

SDMX 3.1 technical notes, *constraints*: the levels cascade, a lower one may only narrow. A value may end in ``%``;
``cascade`` takes a code's descendants with it. Cube regions are applied per component; of the keys that a key set
allows, the codes are. What constraints say of several components together, or of periods, are ``limits``.

Those of a provider hold for all that it sends, in the structures that have the components (``_fitted``). *Choice*, as
the technical notes give them no place among the levels: between dataflow and agreement, which can only narrow either
way; and whatever version of the standard a constraint was written in, though for 2.1 and 3.0 only its release calendar
would count.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.limits import Limit, limit_of
from sdmx_service.model.artefact import Item
from sdmx_service.model.constraint import (
    CubeRegion,
    DataConstraint,
    KeyValue,
    MemberValue,
    MetadataConstraint,
    MetadataTargetRegion,
)
from sdmx_service.model.message import Target
from sdmx_service.model.selection import provider_name
from sdmx_service.model.structure import ProvisionAgreement
from sdmx_service.model.urn import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """Codes left per component (components not named are free), and the constraint that narrowed each last.

    Attributes:
        of_provider: components whose codes the provider's constraints or its agreements narrowed: not what the dataflow
            holds, but what this provider may send.
        limits: what structure and dataflow say beyond codes; a row must keep all of them.
        provided: the same of the provider; a row must keep all of them.
        agreed: the same per agreement; a row must keep all of one of them.
    """

    codes: Mapping[str, Collection[str]] = field(default_factory=dict)
    constraints: Mapping[str, str] = field(default_factory=dict)
    of_provider: Collection[str] = ()
    limits: tuple[Limit, ...] = ()
    provided: tuple[Limit, ...] = ()
    agreed: tuple[tuple[Limit, ...], ...] = ()


_Narrowed = tuple[dict[str, set[str]], dict[str, str]]
"""Codes left per component, and the constraint that narrowed each last."""


def allowed_codes(target: Target, catalog: Catalog, moment: datetime | None = None) -> Allowed:
    """The codes that may be sent to a target at a moment, by default now, and what holds of rows besides.

    A provider with several agreements for the dataflow may send the rows that any of them allows. The codes are told
    component by component, so that most of what no agreement allows is told as a code.
    """
    found = catalog.constraints
    shared: _Narrowed = ({}, {})
    limits: list[Limit] = []
    for ref in (target.structure.ref, *([target.dataflow] if target.dataflow else [])):
        shared = _narrowed(shared, found.get(ref, ()), target, catalog)
        limits += _limits(found.get(ref, ()), target, catalog)
    own = tuple(_of_provider(target, catalog))
    codes, sources = provided = _narrowed(shared, own, target, catalog)
    narrowed = {id for id, left in codes.items() if left != shared[0].get(id)}
    agreements = tuple(_agreements(target, catalog, moment))
    each = [_narrowed(provided, found.get(one.ref, ()), target, catalog) for one in agreements]
    for id in {id for left, _ in each for id in left}:
        sets = [left[id] for left, _ in each if id in left]
        union: set[str] = set().union(*sets)
        if len(sets) == len(each) and union != codes.get(id):
            narrowed.add(id)
            codes = codes | {id: union}
            sources = sources | {id: ", ".join(dict.fromkeys(said[id] for _, said in each))}
    several = len(agreements) > 1
    bounds = tuple(tuple(_limits(found.get(one.ref, ()), target, catalog, whole=several)) for one in agreements)
    return Allowed(
        codes=codes,
        constraints=sources,
        of_provider=frozenset(narrowed),
        limits=tuple(limits),
        provided=tuple(_limits(own, target, catalog)),
        agreed=bounds if all(bounds) else (),  # of agreements that may be used, one without bounds allows everything
    )


def _limits(
    constraints: Iterable[DataConstraint], target: Target, catalog: Catalog, *, whole: bool = False
) -> Iterator[Limit]:
    """What constraints say of the target's rows beyond the codes of single components, or with ``whole`` all of it."""
    components = {one.id: one for one in target.structure.components}
    lists: dict[str, Mapping[str, Item] | None] = {}

    def resolve(member: KeyValue) -> frozenset[str] | None:
        id = member.component
        if id not in lists:
            lists[id] = catalog.codes(components[id]) if components[id].form.is_coded else None
        items = lists[id]
        return None if items is None else frozenset(_named(member.values, items))

    for constraint in constraints:
        if (found := limit_of(constraint, components, resolve, whole=whole)) is not None:
            yield found


def _narrowed(before: _Narrowed, constraints: Iterable[DataConstraint], target: Target, catalog: Catalog) -> _Narrowed:
    """What is left of the codes of each component that constraints speak of."""
    codes, sources = dict(before[0]), dict(before[1])
    for constraint in constraints:
        for component in target.structure.components:
            items = catalog.codes(component) if component.form.is_coded else None
            if items is None:
                continue
            left = _left(constraint.regions, (component.id,), items)
            if left is None:
                left = _left_by_keys(constraint, component.id, items)
            if left is None:
                continue
            known = codes.get(component.id, set(items))
            if left & known != known or component.id not in sources:
                sources[component.id] = constraint.ref.text
            codes[component.id] = left & known
    return codes, sources


def constraints_of(target: Target, catalog: Catalog) -> list[DataConstraint]:
    """The constraints that hold for a target, whole, those of the structure first."""
    found = catalog.constraints
    levels = (target.structure.ref, *([target.dataflow] if target.dataflow else []))
    every = [one for level in levels for one in found.get(level, ())]
    every += [one for one in _named_provider(target, catalog) if _fitted(one, target) is not None]
    every += [one for level in _agreements(target, catalog, None) for one in found.get(level.ref, ())]
    return list({one.ref: one for one in every}.values())


def _named_provider(target: Target, catalog: Catalog) -> tuple[DataConstraint, ...]:
    """The constraints that are attached to a target's provider."""
    if target.provider is None:
        return ()
    return catalog.provider_constraints.get(provider_name(target.provider), ())


def _of_provider(target: Target, catalog: Catalog) -> Iterator[DataConstraint]:
    """The same, of what concerns the target's structure."""
    for constraint in _named_provider(target, catalog):
        if (fitting := _fitted(constraint, target)) is not None:
            yield fitting


def _fitted(constraint: DataConstraint, target: Target) -> DataConstraint | None:
    """What a constraint of a provider says of a structure; None if it names nothing that the structure has.

    *Standard* (SDMX 3.1 information model, *Constrainable Artefacts*): it applies to structures that contain the
    components it restricts, and selections of members are independent of each other. *Choice*: an excluded region of
    several components and a key, which the standard does not foresee here, apply only where all of theirs are there.
    """
    ids = {one.id for one in target.structure.components}
    regions = []
    for region in constraint.regions:
        members = tuple(one for one in region.members if one.component in ids)
        if members and (region.include or members == region.members):
            regions.append(replace(region, members=members))
    key_sets = []
    for one in constraint.key_sets:
        keys = tuple(key for key in one.keys if all(member.component in ids for member in key.members))
        if keys:
            key_sets.append(replace(one, keys=keys))
    if not regions and not key_sets:
        return None
    return replace(constraint, regions=tuple(regions), key_sets=tuple(key_sets))


def _means(catalog: Catalog, ref: Ref, level: Ref) -> bool:
    artefact, wanted = catalog.lookup(ref), catalog.lookup(level)
    return artefact is not None and wanted is not None and (artefact.ref, ref.item) == (wanted.ref, level.item)


def _agreements(target: Target, catalog: Catalog, moment: datetime | None) -> Iterable[ProvisionAgreement]:
    """The agreements in force between provider and dataflow; where none is, what was agreed outside its time."""
    if target.dataflow is None or target.provider is None:
        return ()
    wanted = (target.provider, target.dataflow)
    return catalog.agreements.in_force(*wanted, moment) or catalog.agreements.between(*wanted)


def _left(
    regions: Iterable[CubeRegion | MetadataTargetRegion], ids: Collection[str], items: Mapping[str, Item]
) -> set[str] | None:
    """The codes that regions leave of the component called so; None if they say nothing about it."""
    included: set[str] | None = None
    excluded: set[str] = set()
    is_free = False
    for region in regions:
        own = [one for one in region.members if one.component in ids and one.values]
        if isinstance(region, CubeRegion) and region.include and not own:
            is_free = True  # of several boxes one takes any code
        for member in own:
            if region.include:
                included = (included or set()) | _at_some_time(member, items)
            elif _is_alone(region, member):
                excluded |= _at_all_times(member, items)
    if is_free:
        included = None
    if included is None and not excluded:
        return None
    return (set(items) if included is None else included) - excluded


def _at_some_time(member: KeyValue, items: Mapping[str, Item]) -> set[str]:
    """The codes that a member means in some period."""
    if member.include:
        return _named(member.values, items)
    return set(items) - _named(_lasting(member), items)


def _at_all_times(member: KeyValue, items: Mapping[str, Item]) -> set[str]:
    """The codes that a member means whatever the period."""
    if member.include:
        return _named(_lasting(member), items)
    return set(items) - _named(member.values, items)


def _lasting(member: KeyValue) -> tuple[MemberValue, ...]:
    """The values without validity."""
    if member.valid_from is not None or member.valid_to is not None:
        return ()
    return tuple(one for one in member.values if one.valid_from is None and one.valid_to is None)


def _left_by_keys(constraint: DataConstraint, id: str, items: Mapping[str, Item]) -> set[str] | None:
    """The codes of a component that any allowed key has; None if there are no such keys, or one leaves it open."""
    keys = [key for one in constraint.key_sets if one.included for key in one.keys if key.include]
    found: set[str] = set()
    for key in keys:
        values = [
            value for member in key.members if member.component == id and member.include for value in member.values
        ]
        if not values:
            return None
        found |= _named(values, items)
    return found if keys else None


def allowed_metadata_values(
    path: str, items: Mapping[str, Item], levels: Iterable[Ref], catalog: Catalog
) -> set[str] | None:
    """The values that metadata constraints leave of a heading; None if none speaks of it.

    Args:
        path: ids of the headings from the top, joined by a dot; constraints name the path or the last id.
        items: the values of its list.
        levels: what constraints may hang on: metadata structure, metadataflow, metadata provider, agreement.
    """
    left: set[str] | None = None
    found = [one for one in catalog.of_type("MetadataConstraint") if isinstance(one, MetadataConstraint)]
    for level in levels:
        for constraint in found:
            if constraint.role == "Actual" or not any(_means(catalog, ref, level) for ref in constraint.attachments):
                continue
            kept = _left(constraint.regions, (path, path.rpartition(".")[2]), items)
            if kept is not None:
                left = kept if left is None else left & kept
    return left


def _is_alone(region: CubeRegion | MetadataTargetRegion, member: KeyValue) -> bool:
    """An excluded region over several components forbids combinations, not codes of one of them."""
    return len(region.members) == 1 and region.members[0] is member


def _named(values: Iterable[MemberValue], items: Mapping[str, Item]) -> set[str]:
    children: dict[str | None, list[str]] = {}
    for item in items.values():
        children.setdefault(item.parent, []).append(item.id)
    found: set[str] = set()
    for value in values:
        pattern = re.compile(".*".join(map(re.escape, value.value.split("%"))))
        roots = [id for id in items if pattern.fullmatch(id)] if "%" in value.value else [value.value]
        if value.cascade != "excluderoot":
            found.update(roots)
        if value.cascade in ("true", "excluderoot"):
            found.update(_below(roots, children))
    return found


def _below(roots: Iterable[str], children: Mapping[str | None, list[str]]) -> set[str]:
    found: set[str] = set()
    open_ids = [child for root in roots for child in children.get(root, ())]
    while open_ids:
        id = open_ids.pop()
        if id not in found:
            found.add(id)
            open_ids.extend(children.get(id, ()))
    return found
