"""Partial schemes: ``detail=referencepartial`` and the schemes that go with an availability answer.

SDMX-REST 2.2, structures.md: codelists are cut by the constraints that hold for what was asked, or to the codes of the
hierarchies that were asked for; category schemes by the categorisations, concept schemes to the concepts used, agency
schemes to the maintainers, provider schemes to the providers of what is returned; not by data. *Choice*: a scheme that
nothing in the answer uses in such a way is whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.constraints import allowed_codes
from sdmx_service.errors import UnresolvedReference
from sdmx_service.model.artefact import Item, ItemScheme, Maintainable
from sdmx_service.model.constraint import DataConstraint, MetadataConstraint
from sdmx_service.model.items import (
    AgencyScheme,
    Categorisation,
    CategoryScheme,
    Codelist,
    ConceptScheme,
    DataProviderScheme,
    HierarchicalCode,
    Hierarchy,
    MetadataProviderScheme,
    ReportingTaxonomy,
)
from sdmx_service.model.message import Target
from sdmx_service.model.structure import (
    DataStructure,
    MetadataProvisionAgreement,
    MetadataStructure,
    ProvisionAgreement,
)
from sdmx_service.model.urn import Ref

SchemeT = TypeVar("SchemeT", bound=ItemScheme[Any])
NestedT = TypeVar("NestedT", CategoryScheme, ReportingTaxonomy)
ThingT = TypeVar("ThingT")


def cut(scheme: SchemeT, ids: Collection[str]) -> SchemeT:
    """The scheme with those items only, marked partial."""
    return replace(scheme, items=tuple(item for item in scheme.items if item.id in ids), is_partial=True)


def cut_nested(scheme: NestedT, paths: Iterable[str]) -> NestedT:
    """The scheme of nested items with the items on the way to each dotted path, marked partial.

    Ancestors are included, children of the last left out (SDMX-REST 2.2, structures.md, *Notes about using itemID*).
    """
    return replace(scheme, items=tuple(_on_the_way(scheme.items, [path.split(".") for path in paths])), is_partial=True)


def _on_the_way(items: Sequence[Any], paths: Sequence[Sequence[str]]) -> Iterator[Any]:
    for item in items:
        deeper = [path[1:] for path in paths if path and path[0] == item.id]
        inner = tuple(_on_the_way(item.items, deeper))
        if inner or [] in deeper:
            yield replace(item, items=inner)


def partial_scheme(scheme: SchemeT, ids: Iterable[str]) -> SchemeT:
    """The scheme cut to those items and all their parents, marked partial if anything was left out."""
    index: Mapping[str, Item] = scheme.index()
    kept: set[str] = set()
    for id in ids:
        current: str | None = id
        while current is not None and current in index and current not in kept:
            kept.add(current)
            current = index[current].parent
    return scheme if len(kept) == len(scheme.items) else cut(scheme, kept)


class Cutter:
    """Cuts the referenced artefacts of one answer.

    Args:
        matching: the artefacts asked for; their constraints hold.
        answered: everything in the answer; its use of concepts, agencies and providers counts.
    """

    def __init__(self, catalog: Catalog, matching: Iterable[Maintainable], answered: Sequence[Maintainable]) -> None:
        self._catalog = catalog
        self._answered = answered
        asked = tuple(matching)
        self._targets = tuple(self._targets_of(asked))
        self._hierarchies = tuple(one for one in asked if isinstance(one, Hierarchy))
        self._allowed: dict[int, Mapping[str, Collection[str]]] = {}

    def __call__(self, artefact: Maintainable) -> Maintainable:
        """The artefact, cut if it is a scheme that is cut."""
        if isinstance(artefact, Codelist):
            return self._codelist(self._catalog.extended(artefact))
        if isinstance(artefact, ConceptScheme):
            concepts = self._concepts(artefact)
            return partial_scheme(artefact, concepts) if concepts else artefact
        if isinstance(artefact, AgencyScheme):
            return partial_scheme(artefact, {one.agency.rpartition(".")[2] for one in self._answered})
        if isinstance(artefact, CategoryScheme):
            categories = list(self._categories(artefact))
            return cut_nested(artefact, categories) if categories else artefact
        if isinstance(artefact, DataProviderScheme | MetadataProviderScheme):
            providers = {ref.item for ref in self._providers() if self._catalog.lookup(ref) == artefact and ref.item}
            return partial_scheme(artefact, providers) if providers else artefact
        return artefact

    def _providers(self) -> Iterator[Ref]:
        """The providers that agreements and constraints of the answer name."""
        for one in self._answered:
            if isinstance(one, ProvisionAgreement | MetadataProvisionAgreement):
                yield one.provider
            elif isinstance(one, DataConstraint | MetadataConstraint):
                yield from (ref for ref in one.attachments if ref.type in ("DataProvider", "MetadataProvider"))

    def _targets_of(self, matching: Iterable[Maintainable]) -> Iterator[Target]:
        for artefact in matching:
            try:
                yield self._catalog.target(artefact.ref)
            except UnresolvedReference:
                continue

    def _codelist(self, codelist: Codelist) -> Codelist:
        """Cut to what constraints leave to the components that use it; whole if one of them is free."""
        kept: set[str] = set()
        is_used = False
        for place, target in enumerate(self._targets):
            if place not in self._allowed:
                self._allowed[place] = allowed_codes(target, self._catalog).codes
            left = self._allowed[place]
            for component in target.structure.components:
                enumeration = component.form.enumeration
                if enumeration is None or self._catalog.lookup(enumeration) != self._catalog.lookup(codelist.ref):
                    continue
                is_used = True
                if component.id not in left:
                    return codelist
                kept |= set(left[component.id])
        if not is_used and self._hierarchies:
            kept = {code for one in self._hierarchies for code in self._codes(one.items, codelist)}
            is_used = bool(kept)
        return partial_scheme(codelist, kept) if is_used else codelist

    def _codes(self, nodes: Iterable[HierarchicalCode], codelist: Codelist) -> Iterator[str]:
        """The codes of that list that a hierarchy has."""
        for node in nodes:
            found = self._catalog.lookup(node.code)
            if found is not None and found.ref == codelist.ref and node.code.item is not None:
                yield node.code.item
            yield from self._codes(node.items, codelist)

    def _categories(self, scheme: CategoryScheme) -> Iterator[str]:
        for one in self._answered:
            target = one.target if isinstance(one, Categorisation) else None
            if target is not None and target.item is not None and self._catalog.lookup(target) == scheme:
                yield target.item

    def _concepts(self, scheme: ConceptScheme) -> set[str]:
        structures = [one for one in self._answered if isinstance(one, DataStructure)]
        refs = [component.concept for one in structures for component in one.components]
        headings = [one for one in self._answered if isinstance(one, MetadataStructure)]
        refs += [heading.concept for one in headings for heading in one.every_attribute()]
        return {ref.item or "" for ref in refs if self._catalog.lookup(ref) == scheme}


def pinned(thing: ThingT, versions: Mapping[Ref, Ref]) -> ThingT:
    """The artefact with every reference in ``versions`` replaced, wherever it stands.

    *Choice*: a late-bound reference whose artefact is sent along names the version that is sent, so that a client which
    does not resolve version expressions finds it; alone (``references=none``) artefacts come as they are maintained.
    """
    if isinstance(thing, Ref):
        found = versions.get(thing.maintainable)
        return thing if found is None else thing.with_version(found.version)  # type: ignore[return-value]
    if isinstance(thing, tuple):
        return tuple(pinned(member, versions) for member in thing)  # type: ignore[return-value]
    if not is_dataclass(thing) or isinstance(thing, type):
        return thing
    changes = {}
    for field in fields(thing):
        value = getattr(thing, field.name)
        if (field.init and isinstance(value, Ref | tuple)) or is_dataclass(value):
            changed = pinned(value, versions)
            if changed is not value and changed != value:
                changes[field.name] = changed
    return replace(thing, **changes) if changes else thing
