"""What the model's artefacts become in SDMX 2.1, and what becomes of those of SDMX 2.1 in the model.

SDMX-ML 2.1 and SDMX-JSON 1.0 are two spellings of it. In 2.1:

* a hierarchy is a part of a hierarchical codelist. Read, each becomes a hierarchy of its own, whose id is that of the
  codelist, or ``CODELIST_HIERARCHY`` where they differ; annotations of the types below keep what only the codelist
  says, so that writing restores it (*choice*);
* maps are parts of structure sets (see ``structure_sets``);
* the attributes of a metadata structure are parts of reports (see ``structure_metadata``);
* a version is numbers only, and a reference has an exact version. A late-bound reference (``1.0+.0``) is written as the
  version that it picks among the artefacts of the message, else as its least version (*choice*);
* the only measure is ``OBS_VALUE``; an attribute has one value, so that 0..1 and 1..1 need not be said;
* an artefact whose version is stable is final (``isFinal``), and is read back without the flag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

from sdmx_service.errors import CannotWrite, UnreadableFile
from sdmx_service.formats.structure_metadata import newer_flow, newer_structure, older_flow, older_structure
from sdmx_service.formats.structure_sets import StructureSet, maps_of, sets_of
from sdmx_service.formats.structure_tables_2_1 import (
    PRIMARY_MEASURE,
    HierarchicalCodelist,
    IncludedCodelist,
    InnerHierarchy,
    Node,
)
from sdmx_service.formats.structure_versions import ordered
from sdmx_service.model.artefact import NO_TEXTS, Annotation, Maintainable
from sdmx_service.model.constraint import DataConstraint
from sdmx_service.model.items import HierarchicalCode, Hierarchy
from sdmx_service.model.representation import Representation, TextFormat
from sdmx_service.model.structure import Attribute, DataStructure, Metadataflow, MetadataStructure
from sdmx_service.model.urn import Ref, Version, select_versions

HIERARCHICAL = "HIERARCHICAL_CODELIST"
HIERARCHICAL_DESCRIPTION = "HIERARCHICAL_CODELIST_DESCRIPTION"

Lookup = Callable[[Ref], Maintainable | None]
"""Finds the artefact that a reference means."""


def ref_2_1(ref: Ref) -> Ref:
    """A reference as its URN in SDMX 2.1 says it."""
    if ref.type == "Hierarchy" and ref.item is None:  # a part of a hierarchical codelist
        return replace(ref, item=ref.id)
    return replace(ref, type=_CLASSES.get(ref.type, ref.type))


def ref_of_today(ref: Ref) -> Ref:
    """The reference that one of SDMX 2.1 is in the model; the inverse of ``ref_2_1``."""
    if ref.type == "Hierarchy" and ref.item is not None:
        return replace(ref, id=hierarchy_id(ref.id, ref.item), item=None)
    return replace(ref, type=_TODAY.get(ref.type, ref.type))


_CLASSES = {"DataConstraint": "ContentConstraint"}
_TODAY = {"ContentConstraint": "DataConstraint"}
"""Classes of today whose predecessors have the same identity."""

# -------------------------------------------------------------------------------------------------------------- reading


def newer(artefact: Any) -> Iterable[Any]:
    """The artefacts of the model that an artefact of SDMX 2.1 is.

    Raises:
        UnreadableFile: a hierarchy names a codelist by an alias that is not there.
    """
    plain = _without_flag(artefact)
    if isinstance(plain, StructureSet):
        return maps_of(plain)
    if isinstance(plain, MetadataStructure):
        return (newer_structure(plain),)
    if isinstance(plain, Metadataflow):
        return (newer_flow(plain),)
    return _hierarchies(plain) if isinstance(plain, HierarchicalCodelist) else (plain,)


def _without_flag(artefact: Any) -> Any:
    if isinstance(artefact, Maintainable) and artefact.is_final is _is_final(artefact.version):
        return replace(artefact, is_final=None)
    return artefact


def _is_final(version: str) -> bool:
    return Version.parse(version).is_stable


_IDENTITY = (
    "agency",
    "version",
    "valid_from",
    "valid_to",
    "is_final",
    "is_external_reference",
    "service_url",
    "structure_url",
)


def _hierarchies(parent: HierarchicalCodelist) -> Iterator[Hierarchy]:
    identity = {name: getattr(parent, name) for name in _IDENTITY}
    if not parent.hierarchies:
        yield Hierarchy(
            id=parent.id, names=parent.names, descriptions=parent.descriptions, annotations=parent.annotations,
            uri=parent.uri, **identity
        )  # fmt: skip
    codelists = {one.alias or one.codelist.id: one.codelist for one in parent.included}
    for inner in parent.hierarchies:
        yield Hierarchy(
            id=hierarchy_id(parent.id, inner.id),
            names=inner.names,
            descriptions=inner.descriptions,
            annotations=(*_markers(parent, inner), *inner.annotations, *parent.annotations),
            uri=inner.uri,
            has_formal_levels=inner.has_formal_levels,
            level=inner.level,
            items=tuple(_code(node, codelists, parent.urn) for node in inner.items),
            **identity,
        )


def hierarchy_id(codelist: str, hierarchy: str) -> str:
    """The id of a hierarchy that is a part of a hierarchical codelist."""
    return codelist if codelist == hierarchy else f"{codelist}_{hierarchy}"


def _markers(parent: HierarchicalCodelist, inner: InnerHierarchy) -> Iterator[Annotation]:
    if parent.id != inner.id or parent.names != inner.names or len(parent.hierarchies) > 1:
        yield Annotation(id=parent.id, type=HIERARCHICAL, title=inner.id, texts=parent.names)
    if parent.descriptions:
        yield Annotation(id=parent.id, type=HIERARCHICAL_DESCRIPTION, texts=parent.descriptions)


def _code(node: Node, codelists: dict[str, Ref], where: str) -> HierarchicalCode:
    code = node.code
    if code is None:
        codelist = codelists.get(node.alias or "")
        if codelist is None or node.code_id is None:
            raise UnreadableFile(
                f"{where}: the code {node.id} names the codelist {node.alias!r}, which is not included."
            )
        code = codelist.to_item(node.code_id)
    return HierarchicalCode(
        id=node.id, annotations=node.annotations, uri=node.uri, code=code, valid_from=node.valid_from,
        valid_to=node.valid_to, level=node.level, items=tuple(_code(one, codelists, where) for one in node.items)
    )  # fmt: skip


# -------------------------------------------------------------------------------------------------------------- writing


def older(artefacts: Iterable[Any], lookup: Lookup | None = None) -> list[Any]:
    """The artefacts as SDMX 2.1 has them.

    Args:
        artefacts: what is to be written.
        lookup: finds what they refer to and is not among them: 2.1 has parts of it in structure sets.

    Raises:
        CannotWrite: it has no such thing.
    """
    adapted = ordered(artefacts, "2.1")
    binding = _Binding(adapted, lookup)
    made = list(sets_of([_older(_bound(artefact, binding)) for artefact in adapted], lookup))
    hierarchies = [one for one in made if isinstance(one, Hierarchy)]
    return [one for one in made if not isinstance(one, Hierarchy)] + list(_codelists(hierarchies))


def _older(artefact: Any) -> Any:
    if not isinstance(artefact, Maintainable):
        return artefact
    if Version.parse(artefact.version).extension:
        raise CannotWrite(f"{artefact.urn}: SDMX 2.1 cannot carry a version like {artefact.version!r}.")
    if artefact.is_final is None and _is_final(artefact.version):
        artefact = replace(artefact, is_final=True)
    if isinstance(artefact, DataStructure):
        return _older_structure(artefact)
    if isinstance(artefact, MetadataStructure):
        return older_structure(artefact)
    if isinstance(artefact, Metadataflow):
        return older_flow(artefact)
    if isinstance(artefact, DataConstraint):
        _refuse_cascades(artefact)
    return artefact


def _older_structure(artefact: DataStructure) -> DataStructure:
    if not artefact.components:
        return artefact
    ids = tuple(measure.id for measure in artefact.measures)
    if ids != (PRIMARY_MEASURE,):
        raise CannotWrite(
            f"{artefact.urn}: SDMX 2.1 has one measure, {PRIMARY_MEASURE}; "
            f"this structure has {', '.join(ids) or 'none'}."
        )
    return replace(
        artefact,
        attributes=tuple(_older_attribute(one) for one in artefact.attributes),
        measures=tuple(replace(one, representation=_single(one.representation)) for one in artefact.measures),
    )


def _older_attribute(attribute: Attribute) -> Attribute:
    measures = () if attribute.measures == (PRIMARY_MEASURE,) else attribute.measures
    return replace(attribute, measures=measures, representation=_single(attribute.representation))


def _single(form: Representation | None) -> Representation | None:
    """The representation without the counts that 2.1 means anyway."""
    if form is None or form.is_multi_valued:
        return form
    return replace(form, min_occurs=None, max_occurs=None)


def _refuse_cascades(constraint: DataConstraint) -> None:
    for region in constraint.regions:
        for member in region.members:
            if any(value.cascade == "excluderoot" for value in member.values):
                raise CannotWrite(f"{constraint.urn}: SDMX 2.1 cannot carry the cascade 'excluderoot'.")


class _Binding:
    """The versions that late-bound references mean."""

    def __init__(self, artefacts: Iterable[Any], lookup: Lookup | None) -> None:
        self._lookup = lookup
        self._versions: dict[Ref, list[str]] = {}
        for artefact in artefacts:
            if isinstance(artefact, Maintainable):
                self._versions.setdefault(artefact.ref.with_version(""), []).append(artefact.version)

    def version(self, ref: Ref) -> str:
        """The version among the artefacts of the message, else one that is known, else the least.

        Raises:
            CannotWrite: there is none.
        """
        pattern = ref.version_pattern
        known = select_versions([pattern], self._versions.get(ref.maintainable.with_version(""), []))
        if known:
            return known[-1]
        if self._lookup is not None and (found := self._lookup(ref.maintainable)) is not None:
            return found.version
        if not pattern.minimum:
            raise CannotWrite(f"{ref.text}: SDMX 2.1 needs an exact version, and none is in the message.")
        return ".".join(str(number) for number in pattern.minimum)


def _bound(thing: Any, binding: _Binding) -> Any:
    """The thing with exact references; what is unchanged stays the same object."""
    if isinstance(thing, Ref):
        return thing if thing.is_exact else thing.with_version(binding.version(thing))
    if isinstance(thing, tuple):
        made = tuple(_bound(one, binding) for one in thing)
        return thing if all(new is old for new, old in zip(made, thing, strict=True)) else made
    if isinstance(thing, TextFormat) and thing.type == "GeospatialInformation":
        raise CannotWrite("SDMX 2.1 has no data type GeospatialInformation.")
    if not is_dataclass(thing) or isinstance(thing, type):
        return thing
    changed = {}
    for one in fields(thing):
        old = getattr(thing, one.name)
        if (new := _bound(old, binding)) is not old:
            changed[one.name] = new
    return replace(thing, **changed) if changed else thing


def _codelists(hierarchies: list[Hierarchy]) -> Iterator[HierarchicalCodelist]:
    """The hierarchical codelists of hierarchies: as they were read, else one for each."""
    groups: dict[tuple[str, str, str], list[Hierarchy]] = {}
    for hierarchy in hierarchies:
        marker = _marker(hierarchy, HIERARCHICAL)
        identity = marker.id if marker is not None and marker.id else hierarchy.id
        groups.setdefault((hierarchy.agency, identity, hierarchy.version), []).append(hierarchy)
    for (_, identity, _), members in groups.items():
        yield _codelist(identity, members)


def _marker(hierarchy: Hierarchy, kind: str) -> Annotation | None:
    return next((note for note in hierarchy.annotations if note.type == kind), None)


def _codelist(identity: str, members: list[Hierarchy]) -> HierarchicalCodelist:
    first = members[0]
    named, described = _marker(first, HIERARCHICAL), _marker(first, HIERARCHICAL_DESCRIPTION)
    is_empty = not any(hierarchy.items for hierarchy in members)
    included = dict.fromkeys(ref for hierarchy in members for ref in hierarchy.references())
    return HierarchicalCodelist(
        id=identity,
        names=first.names if named is None else named.texts,
        descriptions=first.descriptions if is_empty else described.texts if described is not None else NO_TEXTS,
        annotations=first.annotations if is_empty else (),
        uri=first.uri if is_empty else None,
        included=tuple(IncludedCodelist(codelist=ref) for ref in included),
        hierarchies=() if is_empty else tuple(_inner(hierarchy) for hierarchy in members),
        **{name: getattr(first, name) for name in _IDENTITY},
    )


def _inner(hierarchy: Hierarchy) -> InnerHierarchy:
    marker = _marker(hierarchy, HIERARCHICAL)
    return InnerHierarchy(
        id=hierarchy.id if marker is None or not marker.title else marker.title,
        names=hierarchy.names,
        descriptions=hierarchy.descriptions,
        annotations=tuple(
            note for note in hierarchy.annotations if note.type not in (HIERARCHICAL, HIERARCHICAL_DESCRIPTION)
        ),
        uri=hierarchy.uri,
        has_formal_levels=hierarchy.has_formal_levels,
        level=hierarchy.level,
        items=tuple(_node(code) for code in hierarchy.items),
    )


def _node(code: HierarchicalCode) -> Node:
    return Node(
        id=code.id, names=code.names, descriptions=code.descriptions, annotations=code.annotations, uri=code.uri,
        links=code.links, code=code.code, valid_from=code.valid_from, valid_to=code.valid_to, level=code.level,
        items=tuple(_node(one) for one in code.items)
    )  # fmt: skip
