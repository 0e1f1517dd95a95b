"""Structure sets of SDMX 2.1, and the maps of 3.x that they become (SDMX-ML 2.1 ``SDMXStructureStructureSet.xsd``).

Read, each map of a set becomes an artefact of its own: a codelist map a representation map, a structure map a structure
map, an item scheme map its successor. Its id is ``SET_MAP``; an annotation of the type ``STRUCTURE_SET`` keeps what the
set says, so that writing restores it (*choice*). A set without maps, as a stub is, stays a structure set. Hybrid
codelist maps, value maps and text formats in structure maps are refused.

Written, a map that was read so goes back into its set; each other one becomes a set of its own, in which an annotation
of the type ``MAP`` keeps its URN, and a structure map has with it the representation maps that it uses, since 2.1 wants
them in the same set. 2.1 also says in which list each component stands and what it is, which the structures tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, Final

from sdmx_service.errors import CannotWrite, SdmxError, UnreadableFile
from sdmx_service.formats.structure_parts import NAMED, maintained, notes
from sdmx_service.formats.structure_shapes import (
    ComponentPlace,
    Fixed,
    LocalId,
    Mixture,
    Nest,
    Part,
    PlacedComponent,
    Reference,
    Shape,
)
from sdmx_service.model import mapping
from sdmx_service.model.artefact import NO_TEXTS, Annotation, Identified, Maintainable
from sdmx_service.model.structure import Attribute, Dataflow, DataStructure, Dimension, TimeDimension
from sdmx_service.model.urn import Ref

STRUCTURE_SET: Final = "STRUCTURE_SET"
STRUCTURE_SET_DESCRIPTION: Final = "STRUCTURE_SET_DESCRIPTION"
MAP: Final = "MAP"
COMPONENT_PLACES: Final = "COMPONENT_PLACES"
CODELISTS: Final = "CodelistMap"
STRUCTURES: Final = "StructureMap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """One item or code to another."""

    source: str
    target: str
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentAssociation:
    """One component to another, perhaps by a codelist map of the same set."""

    source: ComponentPlace
    target: ComponentPlace
    codelist_map: str | None = None
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMap(Identified):
    """A map in a structure set; ``kind`` is its element."""

    kind: str
    source: Ref
    target: Ref
    associations: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureSet(Maintainable):
    """Maps that belong together."""

    type: ClassVar[str] = "StructureSet"
    maps: tuple[SetMap, ...] = ()


_ITEM_MAPS: Mapping[str, type[mapping.ItemSchemeMap]] = MappingProxyType(
    {
        "OrganisationSchemeMap": mapping.OrganisationSchemeMap,
        "CategorySchemeMap": mapping.CategorySchemeMap,
        "ConceptSchemeMap": mapping.ConceptSchemeMap,
        "ReportingTaxonomyMap": mapping.ReportingTaxonomyMap,
    }
)
_TAGS = {
    CODELISTS: ("CodeMap", "Codelist"),
    STRUCTURES: ("ComponentMap", ""),
    "OrganisationSchemeMap": ("OrganisationMap", ""),
    "CategorySchemeMap": ("CategoryMap", "CategoryScheme"),
    "ConceptSchemeMap": ("ConceptMap", "ConceptScheme"),
    "ReportingTaxonomyMap": ("ReportingCategoryMap", "ReportingTaxonomy"),
}
_ASSOCIATION = Shape(
    model=Association,
    fields=(notes(), LocalId(ml="Source", model="source"), LocalId(ml="Target", model="target")),
)
_COMPONENTS = Shape(
    model=ComponentAssociation,
    fields=(
        notes(),
        PlacedComponent(ml="Source", model="source"),
        PlacedComponent(ml="Target", model="target"),
        Nest(ml="RepresentationMapping", fields=(LocalId(ml="CodelistMap", model="codelist_map"),)),
    ),
)


def _map(kind: str) -> Part:
    tag, scheme = _TAGS[kind]
    inner = _COMPONENTS if kind == STRUCTURES else _ASSOCIATION
    shape = Shape(
        model=SetMap,
        given={"kind": kind},
        fields=(
            *NAMED,
            Fixed(ml="isExtension"),
            Reference(ml="Source", model="source", to=scheme),
            Reference(ml="Target", model="target", to=scheme),
            Part(ml=tag, model="associations", shape=lambda: inner, many=True),
        ),
    )
    return Part(ml=kind, model="maps", shape=lambda: shape, many=True, only=lambda one: one.kind == kind)


STRUCTURE_SET_SHAPE: Final[Shape] = maintained(
    StructureSet, Mixture(ml="StructureMap", parts=tuple(_map(kind) for kind in _TAGS))
)

# ------------------------------------------------------------------------------------------------------------ reading

_IDENTITY = (
    "agency", "version", "valid_from", "valid_to", "is_final", "is_external_reference", "service_url", "structure_url",
)  # fmt: skip


def maps_of(parent: StructureSet) -> Iterator[Maintainable]:
    """The maps of a structure set as artefacts of SDMX 3.x; the set itself where it has none.

    Raises:
        UnreadableFile: an annotation of the type ``MAP`` has no URN.
    """
    if not parent.maps:
        yield parent
    urns = {one.id: _kept_ref(one, parent) for one in parent.maps if one.kind == CODELISTS}
    for one in parent.maps:
        yield _made(one, parent, _identity(one, parent), urns)


def _kept_ref(one: SetMap, parent: StructureSet) -> Ref | None:
    """The reference to the map as it was before it became a part of a set; None if it always was one."""
    note = one.annotation(MAP)
    if note is None or note.type != MAP or not note.title:
        return None
    try:
        return Ref.parse(note.title)
    except SdmxError as error:
        raise UnreadableFile(f"{parent.urn}: the annotation of the map {one.id!r}: {error.detail}") from None


def _identity(one: SetMap, parent: StructureSet) -> dict[str, Any]:
    said: dict[str, Any] = {name: getattr(parent, name) for name in _IDENTITY}
    said |= {"names": one.names, "descriptions": one.descriptions, "uri": one.uri}
    kept = _kept_ref(one, parent)
    if kept is not None:
        notes = tuple(note for note in one.annotations if note.type != MAP)
        return said | {"id": kept.id, "agency": kept.agency, "version": kept.version, "annotations": notes}
    markers = [Annotation(id=parent.id, type=STRUCTURE_SET, title=one.id, texts=parent.names)]
    if parent.descriptions:
        markers.append(Annotation(id=parent.id, type=STRUCTURE_SET_DESCRIPTION, texts=parent.descriptions))
    annotations = (*markers, *one.annotations, *parent.annotations)
    return said | {"id": f"{parent.id}_{one.id}", "annotations": annotations}


def _made(one: SetMap, parent: StructureSet, said: dict[str, Any], urns: Mapping[str, Ref | None]) -> Maintainable:
    if one.kind == CODELISTS:
        rows = tuple(
            mapping.MappingRow(
                sources=(mapping.MappedValue(value=each.source),),
                targets=(each.target,),
                annotations=each.annotations,
            )
            for each in one.associations
        )
        return mapping.RepresentationMap(sources=(one.source,), targets=(one.target,), rows=rows, **said)
    if one.kind == STRUCTURES:
        keeps_places = _kept_ref(one, parent) is None
        components = tuple(_component(each, parent, urns, keeps_places) for each in one.associations)
        return mapping.StructureMap(source=one.source, target=one.target, components=components, **said)
    items = tuple(
        mapping.ItemMap(
            id=f"{each.source}:{each.target}", source=each.source, target=each.target, annotations=each.annotations
        )
        for each in one.associations
    )
    return _ITEM_MAPS[one.kind](source=one.source, target=one.target, items=items, **said)


def _component(
    one: ComponentAssociation, parent: StructureSet, urns: Mapping[str, Ref | None], keeps_places: bool
) -> mapping.ComponentMap:
    ref = None
    if one.codelist_map is not None:
        identity = f"{parent.id}_{one.codelist_map}"
        ref = urns.get(one.codelist_map) or Ref(
            type="RepresentationMap", agency=parent.agency, id=identity, version=parent.version
        )
    places = Annotation(type=COMPONENT_PLACES, title=f"{_place(one.source)} {_place(one.target)}")
    return mapping.ComponentMap(
        sources=(one.source.id,),
        targets=(one.target.id,),
        representation_map=ref,
        annotations=(places, *one.annotations) if keeps_places else one.annotations,
    )


def _place(one: ComponentPlace) -> str:
    container = CONTAINERS.get(one.kind, one.container)  # what messages call the list differs
    return f"{one.package}/{container}/{one.kind}"


CONTAINERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Dimension": "DimensionDescriptor",
        "MeasureDimension": "DimensionDescriptor",
        "TimeDimension": "DimensionDescriptor",
        "Attribute": "AttributeDescriptor",
        "ReportingYearStartDay": "AttributeDescriptor",
        "PrimaryMeasure": "MeasureDescriptor",
    }
)
"""The list of a data structure that each class of component stands in."""


# ------------------------------------------------------------------------------------------------------------ writing

Lookup = Callable[[Ref], Maintainable | None]


def sets_of(artefacts: Sequence[Any], lookup: Lookup | None = None) -> Iterator[Any]:
    """The artefacts with their maps gathered into structure sets, as they were read, else one set for each map.

    Args:
        artefacts: what is to be written.
        lookup: finds representation maps and structures that structure maps refer to, and that are not among them.

    Raises:
        CannotWrite: a map says what 2.1 cannot carry.
    """
    gathering = _Gathering(artefacts, lookup)
    for artefact in artefacts:
        if isinstance(artefact, mapping.RepresentationMap | mapping.ItemSchemeMap | mapping.StructureMap):
            gathering.add(artefact)
        else:
            yield artefact
    yield from gathering.sets()


class _Gathering:
    """Maps on their way into structure sets."""

    def __init__(self, artefacts: Sequence[Any], lookup: Lookup | None) -> None:
        self._known = {one.ref: one for one in artefacts if isinstance(one, Maintainable)}
        self._lookup = lookup
        self._groups: dict[tuple[str, str, str], dict[Ref, Any]] = {}
        self._used = {
            one.representation_map
            for artefact in artefacts
            if isinstance(artefact, mapping.StructureMap)
            for one in artefact.components
        }

    def add(self, artefact: Any) -> None:
        """Put a map into its set, a structure map with the representation maps that it uses."""
        marker = _marker(artefact)
        if marker is None and isinstance(artefact, mapping.RepresentationMap) and artefact.ref in self._used:
            return  # it comes with the structure map
        identity = artefact.id if marker is None or marker.id is None else marker.id
        group = self._groups.setdefault((artefact.agency, identity, artefact.version), {})
        for ref in dict.fromkeys(one.representation_map for one in getattr(artefact, "components", ())):
            if ref is not None and ref not in group:
                group[ref] = self._representation_map(ref, artefact)
        group[artefact.ref] = artefact

    def find(self, ref: Ref) -> Maintainable | None:
        """The whole artefact of a reference, from the message or from where the message comes from."""
        found = self._known.get(ref)
        is_whole = found is not None and not found.is_external_reference
        return found if is_whole or self._lookup is None else self._lookup(ref)

    def _representation_map(self, ref: Ref, owner: mapping.StructureMap) -> mapping.RepresentationMap:
        found = self.find(ref)
        if not isinstance(found, mapping.RepresentationMap):
            raise CannotWrite(
                f"{owner.urn}: SDMX 2.1 has a codelist map in the set of the structure map that uses it, and "
                f"{ref.text} is not at hand."
            )
        if any(getattr(found, name) for name in ("valid_from", "valid_to", "service_url", "structure_url")):
            raise CannotWrite(f"{found.urn}: SDMX 2.1 cannot carry the validity or address of one map of a set.")
        return found

    def sets(self) -> Iterator[StructureSet]:
        """The sets."""
        for (_, identity, _), group in self._groups.items():
            members = list(group.values())
            first = next((one for one in members if not isinstance(one, mapping.RepresentationMap)), members[0])
            marker = _marker(first)
            described = next((note for note in first.annotations if note.type == STRUCTURE_SET_DESCRIPTION), None)
            yield StructureSet(
                id=identity,
                names=first.names if marker is None else marker.texts,
                descriptions=NO_TEXTS if described is None else described.texts,
                maps=tuple(self._set_map(one) for one in members if not one.is_external_reference),
                **{name: getattr(first, name) for name in _IDENTITY},
            )

    def _set_map(self, artefact: Any) -> SetMap:
        marker = _marker(artefact)
        source, target, kind, associations = self._sides(artefact)
        if not associations:
            raise CannotWrite(f"{artefact.urn}: SDMX 2.1 has no map that maps nothing.")
        notes = tuple(
            note for note in artefact.annotations if note.type not in (STRUCTURE_SET, STRUCTURE_SET_DESCRIPTION)
        )
        if marker is None:
            notes = (Annotation(type=MAP, title=artefact.urn), *notes)
        return SetMap(
            id=artefact.id if marker is None or not marker.title else marker.title,
            names=artefact.names,
            descriptions=artefact.descriptions,
            annotations=notes,
            uri=artefact.uri,
            kind=kind,
            source=source,
            target=target,
            associations=tuple(associations),
        )

    def _sides(self, artefact: Any) -> tuple[Ref, Ref, str, list[Any]]:
        if isinstance(artefact, mapping.StructureMap):
            _refuse_more(artefact)
            pairs = [self._component_pair(artefact, one) for one in artefact.components]
            return artefact.source, artefact.target, STRUCTURES, pairs
        if isinstance(artefact, mapping.ItemSchemeMap):
            return (
                artefact.source,
                artefact.target,
                artefact.type,
                [_item_pair(artefact, one) for one in artefact.items],
            )
        columns = (*artefact.sources, *artefact.targets)
        if len(columns) != 2 or not all(isinstance(one, Ref) and one.type == "Codelist" for one in columns):
            raise CannotWrite(f"{artefact.urn}: SDMX 2.1 has maps of one codelist to another only.")
        return columns[0], columns[1], CODELISTS, [_row_pair(artefact, row) for row in artefact.rows]

    def _component_pair(self, artefact: mapping.StructureMap, one: mapping.ComponentMap) -> ComponentAssociation:
        if len(one.sources) != 1 or len(one.targets) != 1:
            raise CannotWrite(
                f"{artefact.urn}: SDMX 2.1 maps one component to one other, not {', '.join(one.sources)} to "
                f"{', '.join(one.targets)}."
            )
        kept = next((note for note in one.annotations if note.type == COMPONENT_PLACES), None)
        said = [part.split("/") for part in (kept.title or "").split()] if kept is not None else []
        if len(said) == 2 and all(len(part) == 3 for part in said):
            source, target = (
                ComponentPlace(id=id, package=part[0], container=part[1], kind=part[2])
                for id, part in zip((one.sources[0], one.targets[0]), said, strict=True)
            )
        else:
            source = self._place(artefact, artefact.source, one.sources[0])
            target = self._place(artefact, artefact.target, one.targets[0])
        return ComponentAssociation(
            source=source,
            target=target,
            codelist_map=None if one.representation_map is None else self._map_id(one.representation_map),
            annotations=tuple(note for note in one.annotations if note.type != COMPONENT_PLACES),
        )

    def _map_id(self, ref: Ref) -> str:
        found = self.find(ref)
        marker = None if found is None else _marker(found)
        return ref.id if marker is None or not marker.title else marker.title

    def _place(self, artefact: mapping.StructureMap, ref: Ref, component: str) -> ComponentPlace:
        structure = self.find(ref)
        if isinstance(structure, Dataflow) and structure.structure is not None:
            structure = self.find(structure.structure)
        if not isinstance(structure, DataStructure):
            raise CannotWrite(
                f"{artefact.urn}: SDMX 2.1 wants to know what {component} is, and the data structure of {ref.text} is "
                "not at hand."
            )
        found = structure.component(component)
        if found is None:
            raise CannotWrite(f"{artefact.urn}: {structure.ref.text} has no component {component}.")
        kind = _kind(found)
        return ComponentPlace(
            id=component, package="datastructure", container=CONTAINERS[kind], kind=kind, structure=structure.ref
        )


def _kind(component: Any) -> str:
    """The class of a component in SDMX 2.1."""
    if isinstance(component, TimeDimension):
        return "TimeDimension"
    if isinstance(component, Dimension):
        return "MeasureDimension" if component.is_measure_dimension else "Dimension"
    return "Attribute" if isinstance(component, Attribute) else "PrimaryMeasure"


def _refuse_more(artefact: mapping.StructureMap) -> None:
    for name, words in (("fixed", "fixed values"), ("times", "maps of time"), ("frequency_formats", "date patterns")):
        if getattr(artefact, name):
            raise CannotWrite(f"{artefact.urn}: SDMX 2.1 has no {words} in a structure map.")


def _marker(artefact: Maintainable) -> Annotation | None:
    return next((note for note in artefact.annotations if note.type == STRUCTURE_SET), None)


def _item_pair(artefact: mapping.ItemSchemeMap, item: mapping.ItemMap) -> Association:
    if replace(item, id="", annotations=()) != mapping.ItemMap(id="", source=item.source, target=item.target):
        raise CannotWrite(f"{artefact.urn}: SDMX 2.1 cannot carry the rule or validity of {item.source!r}.")
    if not item.target:
        raise CannotWrite(f"{artefact.urn}: SDMX 2.1 maps {item.source!r} to an item, and here it is mapped to none.")
    return Association(source=item.source, target=item.target, annotations=item.annotations)


def _row_pair(artefact: mapping.RepresentationMap, row: mapping.MappingRow) -> Association:
    source = row.sources[0] if row.sources else mapping.MappedValue(value=None)
    plain = mapping.MappingRow(sources=(mapping.MappedValue(value=source.value),), targets=row.targets)
    if replace(row, annotations=()) != plain or not source.value or len(row.targets) != 1 or not row.targets[0]:
        raise CannotWrite(f"{artefact.urn}: SDMX 2.1 maps one code to one other, not {source.value!r} as here.")
    return Association(source=source.value, target=row.targets[0], annotations=row.annotations)
