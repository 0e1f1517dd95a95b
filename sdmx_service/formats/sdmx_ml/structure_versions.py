"""Which kinds of artefacts each version of SDMX-ML has, and what becomes of the model's artefacts in SDMX-ML 2.1.

In 3.0 the parent of a code must look like a name, which is a defect of the schema that 3.1 mends: codes of
digits have parents of digits. Such a parent is written as an annotation of the type ``PARENT_CODE``, and read back as
the parent (*choice*).

In 2.1:

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

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import Any

from sdmx_service.errors import CannotWrite, UnreadableFile
from sdmx_service.formats.sdmx_ml.structure_metadata import newer_flow, newer_structure, older_flow, older_structure
from sdmx_service.formats.sdmx_ml.structure_sets import STRUCTURE_SET_SHAPE, StructureSet, maps_of, sets_of
from sdmx_service.formats.sdmx_ml.structure_tables_2_1 import (
    ATTACHMENT_CONSTRAINT,
    CONTENT_CONSTRAINT,
    DATA_STRUCTURE,
    HIERARCHICAL_CODELIST,
    METADATA_STRUCTURE,
    PRIMARY_MEASURE,
    HierarchicalCodelist,
    IncludedCodelist,
    InnerHierarchy,
    Node,
)
from sdmx_service.formats.structure_tables import ARTEFACTS, Artefacts
from sdmx_service.formats.structure_versions import ordered
from sdmx_service.model.artefact import NO_TEXTS, Annotation, ItemScheme, Maintainable
from sdmx_service.model.constraint import DataConstraint
from sdmx_service.model.items import Codelist, GeographicCodelist, GeoGridCodelist, HierarchicalCode, Hierarchy
from sdmx_service.model.representation import Representation, TextFormat
from sdmx_service.model.structure import Attribute, DataStructure, Metadataflow, MetadataStructure
from sdmx_service.model.urn import Ref, Version, select_versions

PARENT = "PARENT_CODE"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_\-]*", re.ASCII)
HIERARCHICAL = "HIERARCHICAL_CODELIST"
HIERARCHICAL_DESCRIPTION = "HIERARCHICAL_CODELIST_DESCRIPTION"

_KINDS_2_1 = (
    ("OrganisationSchemes", "AgencyScheme", None),
    ("OrganisationSchemes", "DataConsumerScheme", None),
    ("OrganisationSchemes", "DataProviderScheme", None),
    ("OrganisationSchemes", "OrganisationUnitScheme", None),
    ("Dataflows", "Dataflow", None),
    ("Metadataflows", "Metadataflow", None),
    ("CategorySchemes", "CategoryScheme", None),
    ("Categorisations", "Categorisation", None),
    ("Codelists", "Codelist", None),
    ("HierarchicalCodelists", "HierarchicalCodelist", HIERARCHICAL_CODELIST),
    ("Concepts", "ConceptScheme", None),
    ("MetadataStructures", "MetadataStructure", METADATA_STRUCTURE),
    ("DataStructures", "DataStructure", DATA_STRUCTURE),
    ("StructureSets", "StructureSet", STRUCTURE_SET_SHAPE),
    ("ReportingTaxonomies", "ReportingTaxonomy", None),
    ("Processes", "Process", None),
    ("Constraints", "AttachmentConstraint", ATTACHMENT_CONSTRAINT),
    ("Constraints", "ContentConstraint", CONTENT_CONSTRAINT),
    ("ProvisionAgreements", "ProvisionAgreement", None),
    ("CustomTypes", "CustomTypeScheme", None),
    ("VtlMappings", "VtlMappingScheme", None),
    ("NamePersonalisations", "NamePersonalisationScheme", None),
    ("Rulesets", "RulesetScheme", None),
    ("Transformations", "TransformationScheme", None),
    ("UserDefinedOperators", "UserDefinedOperatorScheme", None),
)
"""Container, element, and the shape if it is not that of 3.x; in the order of 2.1's schema, which demands it."""


@cache
def kinds_of(version: str) -> tuple[Artefacts, ...]:
    """The kinds of artefacts that a version of SDMX-ML has, in the order of its schema."""
    if version != "2.1":
        return tuple(kind for kind in ARTEFACTS if kind.since <= version)
    shared = {kind.tag: kind.shape for kind in ARTEFACTS}
    return tuple(
        Artefacts(container=container, tag=tag, json="", shape=shape or shared[tag], since=version)
        for container, tag, shape in _KINDS_2_1
        if shape is not None or tag in shared
    )


# -------------------------------------------------------------------------------------------------------------- reading


def expand(artefact: Any, version: str) -> Iterable[Any]:
    """The artefacts of the model that an artefact of a message is.

    Raises:
        UnreadableFile: a hierarchy names a codelist by an alias that is not there.
    """
    if version == "3.0" and isinstance(artefact, ItemScheme):
        return (_with_parents(artefact),)
    if version != "2.1":
        return (artefact,)
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


def collect(artefacts: Iterable[Any], version: str) -> list[Any]:
    """The artefacts as a version has them.

    Raises:
        CannotWrite: the version has no such thing.
    """
    adapted = ordered(artefacts, version)
    if version != "2.1":
        _refuse_twins(adapted, version)
        return adapted if version != "3.0" else [_with_noted_parents(one) for one in adapted]
    versions: dict[Ref, list[str]] = {}
    for artefact in adapted:
        if isinstance(artefact, Maintainable):
            versions.setdefault(artefact.ref.with_version(""), []).append(artefact.version)
    made = list(sets_of(_older(_bound(artefact, versions)) for artefact in adapted))
    hierarchies = [one for one in made if isinstance(one, Hierarchy)]
    return [one for one in made if not isinstance(one, Hierarchy)] + list(_codelists(hierarchies))


def _with_noted_parents(artefact: Any) -> Any:
    """The codelist with an annotation in place of each parent that the schema of 3.0 refuses."""
    if not isinstance(artefact, Codelist | GeographicCodelist | GeoGridCodelist):
        return artefact
    return replace(artefact, items=tuple(_noted(code) for code in artefact.items))


def _noted(code: Any) -> Any:
    if code.parent is None or _NAME.fullmatch(code.parent):
        return code
    note = Annotation(type=PARENT, title=code.parent)
    return replace(code, parent=None, annotations=(*code.annotations, note))


def _with_parents(artefact: ItemScheme[Any]) -> ItemScheme[Any]:
    if not any(note.type == PARENT for item in artefact.items for note in item.annotations):
        return artefact
    return replace(artefact, items=tuple(_with_parent(item) for item in artefact.items))


def _with_parent(item: Any) -> Any:
    note = item.annotation(PARENT)
    if note is None or item.parent is not None:
        return item
    return replace(item, parent=note.title, annotations=tuple(one for one in item.annotations if one is not note))


def _refuse_twins(artefacts: Iterable[Any], version: str) -> None:
    """Refuse hierarchies in which an id occurs twice: the schema of SDMX-ML 3.x wants ids to be unique in the whole."""
    for hierarchy in artefacts:
        if isinstance(hierarchy, Hierarchy):
            ids = Counter(_ids(hierarchy.items))
            twins = [id for id, count in ids.items() if count > 1]
            if twins:
                raise CannotWrite(f"{hierarchy.urn}: SDMX-ML {version} cannot carry two codes of one id, {twins[0]!r}.")


def _ids(codes: tuple[HierarchicalCode, ...]) -> Iterator[str]:
    for code in codes:
        yield code.id
        yield from _ids(code.items)


def _older(artefact: Any) -> Any:
    if not isinstance(artefact, Maintainable):
        return artefact
    if Version.parse(artefact.version).extension:
        raise CannotWrite(f"{artefact.urn}: SDMX-ML 2.1 cannot carry a version like {artefact.version!r}.")
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
            f"{artefact.urn}: SDMX-ML 2.1 has one measure, {PRIMARY_MEASURE}; "
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
                raise CannotWrite(f"{constraint.urn}: SDMX-ML 2.1 cannot carry the cascade 'excluderoot'.")


def _bound(thing: Any, versions: dict[Ref, list[str]]) -> Any:
    """The thing with exact references; what is unchanged stays the same object."""
    if isinstance(thing, Ref):
        return thing if thing.is_exact else thing.with_version(_picked(thing, versions))
    if isinstance(thing, tuple):
        made = tuple(_bound(one, versions) for one in thing)
        return thing if all(new is old for new, old in zip(made, thing, strict=True)) else made
    if isinstance(thing, TextFormat) and thing.type == "GeospatialInformation":
        raise CannotWrite("SDMX-ML 2.1 has no data type GeospatialInformation.")
    if not is_dataclass(thing) or isinstance(thing, type):
        return thing
    changed = {}
    for one in fields(thing):
        old = getattr(thing, one.name)
        if (new := _bound(old, versions)) is not old:
            changed[one.name] = new
    return replace(thing, **changed) if changed else thing


def _picked(ref: Ref, versions: dict[Ref, list[str]]) -> str:
    pattern = ref.version_pattern
    known = select_versions([pattern], versions.get(ref.maintainable.with_version(""), []))
    if known:
        return known[-1]
    if not pattern.minimum:
        raise CannotWrite(f"{ref.text}: SDMX-ML 2.1 needs an exact version, and none is in the message.")
    return ".".join(str(number) for number in pattern.minimum)


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
