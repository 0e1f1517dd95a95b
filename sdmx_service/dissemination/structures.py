"""Structure queries: matching artefacts, their references, how much of each is shown (SDMX-REST 2.2, structures.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.dissemination.heading import header_from
from sdmx_service.dissemination.partial import Cutter, cut, cut_nested, pinned
from sdmx_service.dissemination.plan import ANY, matching_homes, versions_asked
from sdmx_service.errors import NotFound
from sdmx_service.model.artefact import Item, ItemScheme, Maintainable
from sdmx_service.model.artefact_types import (
    artefact_type,
    artefact_type_of_resource,
    artefact_types_of_v1_resource,
)
from sdmx_service.model.constraint import AvailabilityConstraint, DataConstraint
from sdmx_service.model.items import (
    Category,
    CategoryScheme,
    Codelist,
    Hierarchy,
    ReportingCategory,
    ReportingTaxonomy,
    ValueList,
)
from sdmx_service.model.message import Message, Party
from sdmx_service.model.query import Api, StructureQuery
from sdmx_service.model.structure import MetadataProvisionAgreement, ProvisionAgreement
from sdmx_service.model.urn import Ref

_Found = dict[Ref, Maintainable]


def structures(query: StructureQuery, catalog: Catalog, *, sender: Party) -> Message:
    """The answer to a structure query: matching artefacts first, then what was asked for with them.

    ``asOf`` is the caller's: the catalog is the one of that moment.

    Raises:
        NotFound: nothing matches.
    """
    matching = {artefact.ref: artefact for artefact in _matching(query, catalog)}
    if not matching:
        asked = "/".join(",".join(part) for part in (query.types, query.agencies, query.ids, query.versions))
        raise NotFound(f"No structure matches {asked}.")
    referenced = {ref: one for ref, one in _referenced(query, catalog, matching).items() if ref not in matching}
    show = _DETAILS[query.detail]
    shown = [show.matching(one, catalog) for one in matching.values()]
    if query.detail == "referencepartial":
        cutter = Cutter(catalog, matching.values(), [*matching.values(), *referenced.values()])
        shown += [cutter(one) for one in referenced.values()]
    else:
        shown += [show.referenced(one, catalog) for one in referenced.values()]
    if query.detail != "raw":
        shown = pin_together(shown, catalog)
    return replace(message_of(shown, sender=sender), lookup=catalog.lookup)


def message_of(
    artefacts: Sequence[Maintainable], *, sender: Party, availability: Sequence[AvailabilityConstraint] = ()
) -> Message:
    """A structure message."""
    return Message(header=header_from(sender), structures=tuple(artefacts), availability=tuple(availability))


def pin_together(shown: Sequence[Maintainable], catalog: Catalog) -> list[Maintainable]:
    """The artefacts with late-bound references to each other naming the version that is sent."""
    sent = {one.ref for one in shown}
    versions: dict[Ref, Ref] = {}
    for one in shown:
        for ref in one.references():
            found = None if ref.is_exact else catalog.lookup(ref)
            if found is not None and found.ref in sent:
                versions[ref.maintainable] = found.ref
    return [pinned(one, versions) for one in shown]


# --- which ----------------------------------------------------------------------------------------------------------
def _classes(query: StructureQuery, words: Iterable[str], catalog: Catalog) -> tuple[str, ...]:
    """Artefact classes that the words of the interface name; all that are here for ``*``."""
    if ANY in words or "structure" in words:
        here = dict.fromkeys(ref.type for ref in sorted(catalog.artefacts))
        return tuple(kind for kind in here if _is_known(kind, query.api))
    classes: list[str] = []
    for word in words:
        if query.api == "v1":
            classes += [one.name for one in artefact_types_of_v1_resource(word)]
        else:
            found = artefact_type_of_resource(word)
            classes += [found.name] if found is not None else []
    return tuple(dict.fromkeys(classes))


def _is_known(kind: str, api: Api) -> bool:
    """Whether the SDMX of an interface has the class as such.

    *Choice* for SDMX 2.1: maps, which 2.1 has as parts of structure sets, and which say much there that 2.1 cannot,
    come only to whoever asks for structure sets; else most answers would have to say what they leave out.
    """
    found = artefact_type(kind)
    if found is None:
        return True
    return found.resource is not None if api == "v2" else found.resource_v1 not in (None, "structureset")


def _matching(query: StructureQuery, catalog: Catalog) -> Iterator[Maintainable]:
    for kind in _classes(query, query.types, catalog):
        for agency, id, versions in matching_homes(catalog, kind, query.agencies, query.ids):
            for version in versions_asked(query.api, query.versions, versions):
                artefact = catalog.artefacts[Ref(type=kind, agency=agency, id=id, version=version)]
                if not _has_role(artefact, query.types):
                    continue
                if ANY in query.items or not isinstance(artefact, ItemScheme):
                    yield artefact
                elif (partial := _with_items(artefact, query.items, catalog)).items:
                    yield partial


_OTHER_ROLE = {"allowedconstraint": "Actual", "actualconstraint": "Allowed"}


def _has_role(artefact: Maintainable, words: Sequence[str]) -> bool:
    """Whether a constraint says what is allowed or what is there, as asked for (SDMX-REST 1.5, structure resources)."""
    if not isinstance(artefact, DataConstraint):
        return True
    role = artefact.role or "Allowed"
    return any(_OTHER_ROLE.get(word) != role for word in words)


# --- what with them -------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Graph:
    """Who refers to whom.

    Codelists come with their extensions resolved, and what they extend is not sent a second time; raw ones refer to it
    (SDMX-REST 2.2, structures.md, *detail*).
    """

    catalog: Catalog
    is_raw: bool
    is_known: Callable[[str], bool]
    """Whether a class is one of the interface, so that what refers to something is sent, and what else it refers to."""

    def children(self, artefacts: Iterable[Maintainable]) -> _Found:
        show = _raw if self.is_raw else _full
        return {child.ref: child for one in artefacts for child in self.catalog.children(show(one, self.catalog))}

    def parents(self, artefacts: Iterable[Maintainable]) -> _Found:
        """The artefacts that refer to these; of item schemes only to the items they have."""
        return {
            parent.ref: parent
            for one in artefacts
            for parent in self.catalog.parents(one)
            if self.is_known(parent.type) and _refers(parent, one)
        }

    def parents_and_siblings(self, artefacts: Iterable[Maintainable]) -> _Found:
        parents = self.parents(artefacts)
        return parents | self.children(parents.values())

    def descendants(self, artefacts: Iterable[Maintainable]) -> _Found:
        return _closure(self.children, artefacts)

    def ancestors(self, artefacts: Iterable[Maintainable]) -> _Found:
        return _closure(self.parents, artefacts)

    def everything(self, artefacts: Iterable[Maintainable]) -> _Found:
        """SDMX-REST 2.2: ``all`` is parentsandsiblings and descendants."""
        return self.parents_and_siblings(artefacts) | self.descendants(artefacts)


def _refers(parent: Maintainable, artefact: Maintainable) -> bool:
    """Whether the parent refers to the artefact as a whole or to an item that is shown."""
    if not isinstance(artefact, ItemScheme):
        return True
    if isinstance(parent, ProvisionAgreement | MetadataProvisionAgreement):
        said: tuple[Ref, ...] = (parent.provider,)
    else:
        said = parent.references()
    refs = [ref for ref in said if (ref.agency, ref.id) == (artefact.agency, artefact.id)]
    shown = set(_paths(artefact.items))
    return not refs or any(ref.item is None or ref.item in shown for ref in refs)


def _closure(step: _Step, artefacts: Iterable[Maintainable]) -> _Found:
    found: _Found = {}
    frontier = step(artefacts)
    while frontier:
        found |= frontier
        frontier = {ref: one for ref, one in step(frontier.values()).items() if ref not in found}
    return found


_Step = Callable[[Iterable[Maintainable]], _Found]
_KEYWORDS: Mapping[str, Callable[[_Graph, Iterable[Maintainable]], _Found]] = {
    "none": lambda graph, artefacts: {},
    "children": _Graph.children,
    "parents": _Graph.parents,
    "descendants": _Graph.descendants,
    "ancestors": _Graph.ancestors,
    "parentsandsiblings": _Graph.parents_and_siblings,
    "all": _Graph.everything,
}


def _referenced(query: StructureQuery, catalog: Catalog, matching: _Found) -> _Found:
    wants_sets = query.api == "v1" and "structureset" in (*query.types, *query.references)
    graph = _Graph(catalog, query.detail == "raw", lambda kind: wants_sets or _is_known(kind, query.api))
    found: _Found = {}
    types: list[str] = []
    for word in query.references:
        if word in _KEYWORDS:
            found |= _KEYWORDS[word](graph, matching.values())
        else:
            types.append(word)
    if types:
        wanted = set(_classes(query, types, catalog))
        around = graph.descendants(matching.values()) | graph.ancestors(matching.values())
        found |= {ref: one for ref, one in around.items() if ref.type in wanted}
    return {ref: one for ref, one in found.items() if graph.is_known(ref.type)}


# --- how much -------------------------------------------------------------------------------------------------------
_Show = Callable[[Maintainable, Catalog], Maintainable]


def _full(artefact: Maintainable, catalog: Catalog) -> Maintainable:
    """The whole artefact; an extended codelist with its extensions resolved."""
    return catalog.extended(artefact) if isinstance(artefact, Codelist) else artefact


def _raw(artefact: Maintainable, catalog: Catalog) -> Maintainable:
    return artefact


_KEPT_IN_STUB = frozenset(
    {"id", "agency", "version", "names", "uri", "valid_from", "valid_to", "is_final", "service_url", "structure_url",
     "sources", "targets"}
)  # fmt: skip
"""The last two are the sides of a representation map, which no schema lets be empty; so it is with a hierarchy."""


def stub(artefact: Maintainable, *, complete: bool = False) -> Maintainable:
    """Identification and names only, marked as an external reference; complete adds description and annotations."""
    kept = _KEPT_IN_STUB | ({"descriptions", "annotations"} if complete else frozenset())
    values: dict[str, Any] = {"is_external_reference": True}
    for field in fields(artefact):
        if field.name in kept or field.name in values or not field.init:
            continue
        if field.default is not MISSING:
            values[field.name] = field.default
        elif field.default_factory is not MISSING:
            values[field.name] = field.default_factory()
    if isinstance(artefact, Hierarchy):  # SDMX-ML 3.x wants one code
        values["items"] = tuple(replace(code, items=(), level=None) for code in artefact.items[:1])
    return replace(artefact, **values)


def _stub(artefact: Maintainable, catalog: Catalog) -> Maintainable:
    return stub(artefact)


def _complete_stub(artefact: Maintainable, catalog: Catalog) -> Maintainable:
    return stub(artefact, complete=True)


@dataclass(frozen=True, slots=True)
class _Detail:
    """How matching and referenced artefacts are shown."""

    matching: _Show
    referenced: _Show


_DETAILS: Mapping[str, _Detail] = {
    "full": _Detail(_full, _full),
    "raw": _Detail(_raw, _raw),
    "allstubs": _Detail(_stub, _stub),
    "allcompletestubs": _Detail(_complete_stub, _complete_stub),
    "referencepartial": _Detail(_full, _full),
    "referencestubs": _Detail(_full, _stub),
    "referencecompletestubs": _Detail(_full, _complete_stub),
}


# --- items ----------------------------------------------------------------------------------------------------------
def _with_items(artefact: ItemScheme[Any], ids: Sequence[str], catalog: Catalog) -> ItemScheme[Any]:
    """The scheme, cut to the items asked for (SDMX-REST 2.2, structures.md, *Notes about using itemID*)."""
    if isinstance(artefact, CategoryScheme):
        return cut_nested(artefact, ids)
    if isinstance(artefact, ReportingTaxonomy):
        return cut_nested(artefact, ids)
    scheme = catalog.extended(artefact) if isinstance(artefact, Codelist) else artefact
    found = cut(scheme, set(ids))
    return replace(found, is_partial=False) if isinstance(found, ValueList) else found  # it has no such mark (3.1)


def _paths(items: Sequence[Item], above: str = "") -> Iterator[str]:
    """The ids of items, those of nested ones dotted."""
    for item in items:
        yield above + item.id
        if isinstance(item, Category | ReportingCategory):
            yield from _paths(item.items, f"{above}{item.id}.")
