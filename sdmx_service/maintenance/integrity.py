"""Whether everything still fits together after a change: references, and the data that are stored.

Nothing that was whole may become broken. Late-bound references count for the version they mean before and after, so
that a new version which lacks something is refused like a change of the version itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.metadata import check_metadata_set
from sdmx_service.errors import SdmxError, StorageFault, UnresolvedReference
from sdmx_service.maintenance.admission import Change
from sdmx_service.model.artefact import ItemScheme, Maintainable
from sdmx_service.model.items import CategoryScheme, Codelist, ReportingTaxonomy, ValueList
from sdmx_service.model.metadata import MetadataSet
from sdmx_service.model.selection import Cube, Selection, dataflow_name, provider_name
from sdmx_service.model.structure import Dataflow, DataStructure, ProvisionAgreement
from sdmx_service.model.urn import Ref
from sdmx_service.storage.port import Store

_SHOWN = 5
"""Codes that a refusal names."""
_PLAIN = (Codelist, ValueList)
"""Schemes whose items refer to nothing."""
Home = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """Something that a change would break.

    Attributes:
        homes: the artefacts (by class, agency, id) that it may come from.
        text: what breaks.
        is_semantic: the artefact contradicts what describes it, rather than something else the artefact.
    """

    homes: frozenset[Home]
    text: str
    is_semantic: bool = False


def home_of(ref: Ref) -> Home:
    """Class, agency and id: an artefact in whatever version."""
    whole = ref.maintainable
    return whole.type, whole.agency, whole.id


def breaches(before: Catalog, after: Catalog, changes: Collection[Change], store: Store, release: int) -> list[Breach]:
    """What the changes that lead from one catalog to the other would break."""
    touched = frozenset(home_of(change.subject.ref) for change in changes)
    return [
        *_missing(after, changes),
        *_broken(before, after, touched, {change.subject.ref for change in changes}),
        *_registrations(after),
        *_cubes(after, touched, store),
        *_data(before, after, touched, store, release),
        *_metadata(before, after, touched),
    ]


# --- references -----------------------------------------------------------------------------------------------------
def _missing(after: Catalog, changes: Collection[Change]) -> Iterator[Breach]:
    """References of the submitted artefacts that lead nowhere."""
    for change in changes:
        if change.new is None:
            continue
        own = frozenset((home_of(change.new.ref),))
        for ref in dangling_refs(change.new, after):
            yield Breach(homes=own, text=f"It refers to {ref.type} {ref.text}, which is not here.")
        if isinstance(change.new, Codelist):
            try:
                after.extended(change.new)
            except SdmxError as error:
                yield Breach(homes=own, text=error.detail)


def _broken(before: Catalog, after: Catalog, touched: frozenset[Home], own: Collection[Ref]) -> Iterator[Breach]:
    """References of all others that led somewhere and would not any more."""
    for ref, artefact in after.artefacts.items():
        if ref in own:
            continue
        concerned = {home_of(one) for one in artefact.references()} & touched
        if not concerned:
            continue
        was = set(dangling_refs(artefact, before))
        for one in dangling_refs(artefact, after):
            if one not in was:
                yield Breach(
                    homes=frozenset((home_of(one),)),
                    text=f"{artefact.type} {ref.text} refers to {one.type} {one.text}.",
                )


def _registrations(after: Catalog) -> Iterator[Breach]:
    for one in after.registrations.values():
        if after.lookup(one.agreement) is None:
            yield Breach(
                homes=frozenset((home_of(one.agreement),)), text=f"The registration {one.id} is of this agreement."
            )


def dangling_refs(artefact: Maintainable, catalog: Catalog) -> Iterator[Ref]:
    """References of an artefact to artefacts, or to items of schemes, that are not there."""
    schemes: dict[Ref, Collection[str] | None] = {}
    for ref in artefact.references():
        found = catalog.lookup(ref)
        if found is None:
            yield ref
        else:
            schemes[ref.maintainable] = _item_paths(found, catalog)
    if isinstance(artefact, _PLAIN):
        return
    for ref in dict.fromkeys(_inner_refs(artefact)):
        paths = schemes.get(ref.maintainable)
        if ref.item is not None and paths is not None and ref.item not in paths:
            yield ref


def _item_paths(artefact: Maintainable, catalog: Catalog) -> Collection[str] | None:
    """The items of a scheme, nested ones dotted; None where parts are not looked at."""
    if not isinstance(artefact, ItemScheme):
        return None
    if isinstance(artefact, CategoryScheme | ReportingTaxonomy):
        return set(_nested(artefact.items, ""))
    if isinstance(artefact, _PLAIN):
        try:
            return catalog.items(artefact.ref).keys()
        except SdmxError:
            return None
    return {item.id for item in artefact.items}


def _nested(items: tuple[Any, ...], above: str) -> Iterator[str]:
    for item in items:
        yield above + item.id
        yield from _nested(item.items, f"{above}{item.id}.")


def _inner_refs(thing: object) -> Iterator[Ref]:
    """Every reference anywhere in an artefact."""
    if isinstance(thing, Ref):
        yield thing
    elif isinstance(thing, tuple):
        for one in thing:
            yield from _inner_refs(one)
    elif is_dataclass(thing) and not isinstance(thing, type):
        for field in fields(thing):
            yield from _inner_refs(getattr(thing, field.name))


# --- reference metadata ---------------------------------------------------------------------------------------------
def _metadata(before: Catalog, after: Catalog, touched: frozenset[Home]) -> Iterator[Breach]:
    """Faults of metadata sets that are submitted, or of others that had none of them before."""
    for ref, one in after.artefacts.items():
        homes = _reach(one, after) & touched if isinstance(one, MetadataSet) else frozenset()
        if not homes or not isinstance(one, MetadataSet):
            continue
        own = home_of(ref)
        known = {str(fault) for fault in check_metadata_set(one, before)} if own not in touched else set()
        for text in (str(fault) for fault in check_metadata_set(one, after)):
            if text not in known:
                is_own = own in touched
                where = "" if is_own else f"MetadataSet {ref.text}, "
                yield Breach(homes=frozenset((own,)) if is_own else homes, text=where + text, is_semantic=is_own)


# --- data -----------------------------------------------------------------------------------------------------------
def _cubes(after: Catalog, touched: frozenset[Home], store: Store) -> Iterator[Breach]:
    """Versions of a data structure that the data of their major version do not fit."""
    cubes = set(store.cubes())
    for structure in after.artefacts.values():
        homes = _reach(structure, after) & touched if isinstance(structure, DataStructure) else frozenset()
        if not homes or not isinstance(structure, DataStructure):
            continue
        own = home_of(structure.ref)
        if own in touched and (other := _other_dimensions(structure, after)) is not None:
            text = f"The version {other} has other dimensions; these need a new major version."
            yield Breach(homes=frozenset((own,)), text=text)
        elif Cube.of(structure) in cubes:
            try:
                store.check_cube(after.structure(structure.ref))
            except UnresolvedReference:
                continue
            except StorageFault as error:
                blamed = frozenset((own,)) if own in touched else homes
                yield Breach(homes=blamed, text=f"{error.detail} {error.hint}")


def _other_dimensions(structure: DataStructure, catalog: Catalog) -> str | None:
    """Another version of the same major version with other dimensions."""
    for version in catalog.versions("DataStructure", structure.agency, structure.id):
        other = catalog.artefacts[structure.ref.with_version(version)]
        if isinstance(other, DataStructure) and Cube.of(other) == Cube.of(structure):
            if other.key_ids != structure.key_ids:
                return version
    return None


def _data(before: Catalog, after: Catalog, touched: frozenset[Home], store: Store, release: int) -> Iterator[Breach]:
    """Stored figures that nothing would describe any more, or that would have codes outside their lists."""
    cubes = set(store.cubes())
    for ref, flow in before.artefacts.items():
        if isinstance(flow, Dataflow):
            homes = _reach(flow, before) & touched
            structure = _structure_of(flow, before)
            if homes and structure is not None and Cube.of(structure) in cubes:
                rows = _Rows(store, structure, dataflow_name(ref), release)
                yield from _lost(flow, structure, after, rows, homes)
        elif isinstance(flow, ProvisionAgreement) and home_of(ref) in touched:
            yield from _unagreed(flow, before, after, store, release)
    for ref, flow in after.artefacts.items():
        if isinstance(flow, Dataflow) and (homes := _reach(flow, after) & touched):
            structure = _structure_of(flow, after)
            if structure is not None and Cube.of(structure) in cubes:
                rows = _Rows(store, structure, dataflow_name(ref), release)
                yield from _uncoded(flow, structure, before, after, rows, homes)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The figures of a dataflow, whoever sent them."""

    store: Store
    structure: DataStructure
    dataflow: str
    release: int

    def _selection(self, providers: tuple[str, ...] | None = None) -> Selection:
        return Selection(
            structure=self.structure,
            cube=Cube.of(self.structure),
            context="provisionagreement",
            release=self.release,
            dataflows=(self.dataflow,),
            providers=providers,
        )

    def are_there(self, providers: tuple[str, ...] | None = None) -> bool:
        return self.store.count(self._selection(providers)).series > 0

    def values(self) -> Mapping[str, Collection[str]]:
        return self.store.domains(self._selection())


def _structure_of(flow: Dataflow, catalog: Catalog) -> DataStructure | None:
    try:
        return catalog.structure_of(flow)
    except UnresolvedReference:
        return None


def _reach(artefact: Maintainable, catalog: Catalog) -> frozenset[Home]:
    """The homes of an artefact and of everything it refers to, directly or not."""
    found: set[Home] = {home_of(artefact.ref)}
    seen = {artefact.ref}
    frontier = [artefact]
    while frontier:
        for ref in frontier.pop().references():
            found.add(home_of(ref))
            child = catalog.lookup(ref)
            if child is not None and child.ref not in seen:
                seen.add(child.ref)
                frontier.append(child)
    return frozenset(found)


def _lost(
    flow: Dataflow, structure: DataStructure, after: Catalog, rows: _Rows, homes: frozenset[Home]
) -> Iterator[Breach]:
    """The rows of a dataflow of whose major version nothing is left, or whose structure is another."""
    for version in after.versions("Dataflow", flow.agency, flow.id):
        other = after.artefacts[flow.ref.with_version(version)]
        if isinstance(other, Dataflow) and dataflow_name(other.ref) == rows.dataflow:
            described = _structure_of(other, after)
            if described is not None and Cube.of(described) == Cube.of(structure):
                return
    if rows.are_there():
        yield Breach(homes=homes, text=f"There are data of {flow.ref.text}, which nothing would describe any more.")


def _uncoded(
    flow: Dataflow, structure: DataStructure, before: Catalog, after: Catalog, rows: _Rows, homes: frozenset[Home]
) -> Iterator[Breach]:
    """Values that are stored and would not be in the lists of their components any more."""
    old = before.artefacts.get(flow.ref)
    earlier = _structure_of(old, before) if isinstance(old, Dataflow) else None
    values: Mapping[str, Collection[str]] | None = None
    for component in structure.components:
        codes = _codes(structure, component.id, after)
        known = None if earlier is None else _codes(earlier, component.id, before)
        if codes is None or (known is not None and known <= codes):
            continue
        values = rows.values() if values is None else values
        used = set(values.get(component.id, ()))
        lost = used - codes if known is None else (used & known) - codes
        if lost:
            some = ", ".join(sorted(lost)[:_SHOWN])
            lists = _lists(structure, component.id)
            is_the_lists = earlier is not None and lists == _lists(earlier, component.id) and lists <= homes
            text = f"Data of {flow.ref.text} have {component.id} {some}, not in the list then."
            yield Breach(homes=lists if is_the_lists else homes, text=text)


def _lists(structure: DataStructure, component: str) -> frozenset[Home]:
    """The home of the list that a component uses."""
    found = structure.component(component)
    enumeration = None if found is None else found.form.enumeration
    return frozenset() if enumeration is None else frozenset((home_of(enumeration),))


def _codes(structure: DataStructure, component: str, catalog: Catalog) -> frozenset[str] | None:
    found = structure.component(component)
    try:
        items = None if found is None else catalog.codes(found)
    except SdmxError:
        return None
    return None if items is None else frozenset(items)


def _unagreed(
    agreement: ProvisionAgreement, before: Catalog, after: Catalog, store: Store, release: int
) -> Iterator[Breach]:
    """The rows of a provider whose agreement would be gone."""
    kept = after.agreements
    if kept.is_open(agreement.dataflow) or kept.between(agreement.provider, agreement.dataflow):
        now = after.artefacts.get(agreement.ref)
        if isinstance(now, ProvisionAgreement) and now.provider == agreement.provider:
            return
    flow = before.lookup(agreement.dataflow)
    structure = _structure_of(flow, before) if isinstance(flow, Dataflow) else None
    if flow is None or structure is None or Cube.of(structure) not in set(store.cubes()):
        return
    rows = _Rows(store, structure, dataflow_name(flow.ref), release)
    if rows.are_there((provider_name(agreement.provider),)):
        yield Breach(
            homes=frozenset((home_of(agreement.ref),)),
            text=f"There are data of {provider_name(agreement.provider)} for {flow.ref.text}.",
        )
