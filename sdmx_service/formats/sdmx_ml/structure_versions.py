"""Which kinds of artefacts each version of SDMX-ML has, and what becomes of the model's artefacts in it.

In 3.0 the parent of a code must look like a name, which is a defect of the schema that 3.1 mends: codes of
digits have parents of digits. Such a parent is written as an annotation of the type ``PARENT_CODE``, and read back as
the parent (*choice*). What 2.1 has differently is in ``formats.structure_2_1``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from sdmx_service.errors import CannotWrite
from sdmx_service.formats.structure_2_1 import Lookup, newer, older
from sdmx_service.formats.structure_sets import STRUCTURE_SET_SHAPE
from sdmx_service.formats.structure_tables import ARTEFACTS, Artefacts
from sdmx_service.formats.structure_tables_2_1 import (
    ATTACHMENT_CONSTRAINT,
    CONTENT_CONSTRAINT,
    DATA_STRUCTURE,
    HIERARCHICAL_CODELIST,
    METADATA_STRUCTURE,
)
from sdmx_service.formats.structure_versions import ordered
from sdmx_service.model.artefact import Annotation, ItemScheme
from sdmx_service.model.items import Codelist, GeographicCodelist, GeoGridCodelist, HierarchicalCode, Hierarchy

PARENT = "PARENT_CODE"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_\-]*", re.ASCII)

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
    if version == "2.1":
        return newer(artefact)
    if version == "3.0" and isinstance(artefact, ItemScheme):
        return (_with_parents(artefact),)
    return (artefact,)


# -------------------------------------------------------------------------------------------------------------- writing


def collect(artefacts: Iterable[Any], version: str, lookup: Lookup | None = None) -> list[Any]:
    """The artefacts as a version has them; ``lookup`` finds what they refer to.

    Raises:
        CannotWrite: the version has no such thing.
    """
    if version == "2.1":
        return older(artefacts, lookup)
    adapted = ordered(artefacts, version)
    _refuse_twins(adapted, version)
    return adapted if version != "3.0" else [_with_noted_parents(one) for one in adapted]


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
