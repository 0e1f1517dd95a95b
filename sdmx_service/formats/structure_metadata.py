"""Metadata structures and metadataflows in SDMX-ML 2.1, where they say the same in other places.

From SDMX 3.0 on a metadata structure is one list of attributes, and the metadataflow says what they are about. In 2.1
the attributes stand in reports of the structure, which also says what a report is about. *Choice*: the list becomes one
report about any object, and the targets of a metadataflow are kept as annotations; both are read back as they were.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sdmx_service.model.artefact import Annotation
from sdmx_service.model.representation import Representation, TextFormat
from sdmx_service.model.structure import (
    Metadataflow,
    MetadataStructure,
    MetadataTarget,
    ReportStructure,
    TargetObject,
)

TARGET: Final = "METADATA_TARGET"
_REPORT: Final = "METADATA_REPORT"
_ANYTHING = MetadataTarget(
    id=TARGET,
    objects=(
        TargetObject(
            id=TARGET,
            kind="IdentifiableObjectTarget",
            object_type="Any",
            representation=Representation(text_format=TextFormat(type="IdentifiableReference")),
        ),
    ),
)


def older_structure(artefact: MetadataStructure) -> MetadataStructure:
    """The metadata structure with its list of attributes as a report."""
    if not artefact.attributes or artefact.reports:
        return artefact
    report = ReportStructure(
        id=_REPORT, annotations=artefact.attribute_annotations, attributes=artefact.attributes, targets=(TARGET,)
    )
    return replace(artefact, attributes=(), attribute_annotations=(), targets=(_ANYTHING,), reports=(report,))


def newer_structure(artefact: MetadataStructure) -> MetadataStructure:
    """The metadata structure that ``older_structure`` was given; another one as it is."""
    if artefact.targets != (_ANYTHING,) or [report.id for report in artefact.reports] != [_REPORT]:
        return artefact
    (report,) = artefact.reports
    return replace(
        artefact, attributes=report.attributes, attribute_annotations=report.annotations, targets=(), reports=()
    )


def older_flow(artefact: Metadataflow) -> Metadataflow:
    """The metadataflow with its targets as annotations."""
    notes = tuple(Annotation(type=TARGET, title=target) for target in artefact.targets)
    return replace(artefact, targets=(), annotations=(*artefact.annotations, *notes)) if notes else artefact


def newer_flow(artefact: Metadataflow) -> Metadataflow:
    """The metadataflow with the targets that its annotations keep."""
    targets = tuple(note.title for note in artefact.annotations if note.type == TARGET and note.title)
    if not targets or artefact.targets:
        return artefact
    kept = tuple(note for note in artefact.annotations if note.type != TARGET)
    return replace(artefact, targets=targets, annotations=kept)
