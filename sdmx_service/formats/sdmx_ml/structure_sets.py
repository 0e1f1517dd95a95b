"""Structure sets of SDMX 2.1, and the maps of 3.x that they become (SDMX-ML 2.1 ``SDMXStructureStructureSet.xsd``).

Each map of a set becomes an artefact of its own: a codelist map a representation map, a structure map a structure map,
an item scheme map its successor. Its id is ``SET_MAP``; an annotation of the type ``STRUCTURE_SET`` keeps what the set
says, so that writing restores it (*choice*). Hybrid codelist maps, value maps and text formats in structure maps are
refused, and structure maps are not written: 2.1 wants to know in which list each component stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, Final

from sdmx_service.errors import CannotWrite, UnreadableFile
from sdmx_service.formats.structure_parts import NAMED, maintained, notes
from sdmx_service.formats.structure_shapes import Fixed, LocalId, Mixture, Nest, Part, Reference, Shape
from sdmx_service.model import mapping
from sdmx_service.model.artefact import Annotation, Identified, Maintainable
from sdmx_service.model.urn import Ref

STRUCTURE_SET: Final = "STRUCTURE_SET"
CODELISTS: Final = "CodelistMap"
STRUCTURES: Final = "StructureMap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """One item, code or component to another."""

    source: str
    target: str
    codelist_map: str | None = None
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMap(Identified):
    """A map in a structure set; ``kind`` is its element."""

    kind: str
    source: Ref
    target: Ref
    associations: tuple[Association, ...] = ()


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
    fields=(
        notes(),
        LocalId(ml="Source", model="source"),
        LocalId(ml="Target", model="target"),
        Nest(ml="RepresentationMapping", fields=(LocalId(ml="CodelistMap", model="codelist_map"),)),
    ),
)


def _map(kind: str) -> Part:
    tag, scheme = _TAGS[kind]
    shape = Shape(
        model=SetMap,
        given={"kind": kind},
        fields=(
            *NAMED,
            Fixed(ml="isExtension"),
            Reference(ml="Source", model="source", to=scheme),
            Reference(ml="Target", model="target", to=scheme),
            Part(ml=tag, model="associations", shape=lambda: _ASSOCIATION, many=True),
        ),
    )
    return Part(ml=kind, model="maps", shape=lambda: shape, many=True, only=lambda one: one.kind == kind)


STRUCTURE_SET_SHAPE: Final[Shape] = maintained(
    StructureSet, Mixture(ml="StructureMap", parts=tuple(_map(kind) for kind in _TAGS))
)

# ------------------------------------------------------------------------------------------------------------ reading

_IDENTITY = ("agency", "version", "valid_from", "valid_to", "is_final", "is_external_reference", "service_url")


def maps_of(parent: StructureSet) -> Iterator[Maintainable]:
    """The maps of a structure set as artefacts of SDMX 3.x.

    Raises:
        UnreadableFile: it has none, so that nothing of it would be left.
    """
    if not parent.maps:
        raise UnreadableFile(f"{parent.urn}: a structure set without maps is not supported.")
    for one in parent.maps:
        said: dict[str, Any] = {name: getattr(parent, name) for name in _IDENTITY}
        marker = Annotation(id=parent.id, type=STRUCTURE_SET, title=one.id, texts=parent.names)
        said |= {
            "id": f"{parent.id}_{one.id}",
            "names": one.names,
            "descriptions": one.descriptions,
            "uri": one.uri,
            "annotations": (marker, *one.annotations, *parent.annotations),
        }
        yield _made(one, parent, said)


def _made(one: SetMap, parent: StructureSet, said: dict[str, Any]) -> Maintainable:
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
        components = tuple(_component(each, parent) for each in one.associations)
        return mapping.StructureMap(source=one.source, target=one.target, components=components, **said)
    items = tuple(
        mapping.ItemMap(
            id=f"{each.source}:{each.target}", source=each.source, target=each.target, annotations=each.annotations
        )
        for each in one.associations
    )
    return _ITEM_MAPS[one.kind](source=one.source, target=one.target, items=items, **said)


def _component(one: Association, parent: StructureSet) -> mapping.ComponentMap:
    ref = None
    if one.codelist_map is not None:
        identity = f"{parent.id}_{one.codelist_map}"
        ref = Ref(type="RepresentationMap", agency=parent.agency, id=identity, version=parent.version)
    return mapping.ComponentMap(
        sources=(one.source,), targets=(one.target,), representation_map=ref, annotations=one.annotations
    )


# ------------------------------------------------------------------------------------------------------------ writing


def sets_of(artefacts: Iterable[Any]) -> Iterator[Any]:
    """The artefacts with their maps gathered into structure sets, as they were read, else one set for each map.

    Raises:
        CannotWrite: a map says what 2.1 cannot carry.
    """
    groups: dict[tuple[str, str, str], list[Maintainable]] = {}
    for artefact in artefacts:
        if _belongs(artefact):
            marker = _marker(artefact)
            identity = artefact.id if marker is None or marker.id is None else marker.id
            groups.setdefault((artefact.agency, identity, artefact.version), []).append(artefact)
        else:
            yield artefact
    for (_, identity, _), members in groups.items():
        first, marker = members[0], _marker(members[0])
        yield StructureSet(
            id=identity,
            names=first.names if marker is None else marker.texts,
            maps=tuple(_set_map(one) for one in members if not one.is_external_reference),
            **{name: getattr(first, name) for name in _IDENTITY},
        )


def _belongs(artefact: Any) -> bool:
    """Whether it is a map that a structure set can say; a stub of any is a stub of a set, which needs no maps."""
    if isinstance(artefact, mapping.StructureMap):
        return artefact.is_external_reference
    return isinstance(artefact, mapping.RepresentationMap | mapping.ItemSchemeMap)


def _marker(artefact: Maintainable) -> Annotation | None:
    return next((note for note in artefact.annotations if note.type == STRUCTURE_SET), None)


def _set_map(artefact: Any) -> SetMap:
    marker = _marker(artefact)
    source, target, kind, associations = _sides(artefact)
    return SetMap(
        id=artefact.id if marker is None or not marker.title else marker.title,
        names=artefact.names,
        descriptions=artefact.descriptions,
        annotations=tuple(note for note in artefact.annotations if note.type != STRUCTURE_SET),
        uri=artefact.uri,
        kind=kind,
        source=source,
        target=target,
        associations=tuple(associations),
    )


def _sides(artefact: Any) -> tuple[Ref, Ref, str, list[Association]]:
    if isinstance(artefact, mapping.ItemSchemeMap):
        pairs = [_item_pair(artefact, item) for item in artefact.items]
        return artefact.source, artefact.target, artefact.type, pairs
    columns = (*artefact.sources, *artefact.targets)
    if len(columns) != 2 or not all(isinstance(one, Ref) and one.type == "Codelist" for one in columns):
        raise CannotWrite(f"{artefact.urn}: SDMX-ML 2.1 has maps of one codelist to another only.")
    return columns[0], columns[1], CODELISTS, [_row_pair(artefact, row) for row in artefact.rows]


def _item_pair(artefact: mapping.ItemSchemeMap, item: mapping.ItemMap) -> Association:
    if replace(item, id="", annotations=()) != mapping.ItemMap(id="", source=item.source, target=item.target):
        raise CannotWrite(f"{artefact.urn}: SDMX-ML 2.1 cannot carry the rule or validity of {item.source!r}.")
    return Association(source=item.source, target=item.target, annotations=item.annotations)


def _row_pair(artefact: mapping.RepresentationMap, row: mapping.MappingRow) -> Association:
    source = row.sources[0] if row.sources else mapping.MappedValue(value=None)
    plain = mapping.MappingRow(sources=(mapping.MappedValue(value=source.value),), targets=row.targets)
    if replace(row, annotations=()) != plain or not source.value or len(row.targets) != 1:
        raise CannotWrite(f"{artefact.urn}: SDMX-ML 2.1 maps one code to one other, not {source.value!r} as here.")
    return Association(source=source.value, target=row.targets[0], annotations=row.annotations)
