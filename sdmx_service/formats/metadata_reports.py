"""Metadata sets of SDMX 2.1 as later versions say them, and back.

In 2.1 a metadata set is a list of reports; each names a target, whose reference values together identify what it is
about, and has the reported attributes. From 3.0 on a set is maintained by its provider, has one list of attributes and
a list of targets. The standard does not map the two. *Choice*:

* each report becomes a set about the objects it refers to; reports of one set that differ in the object alone become
  one set about several;
* what only 2.1 says of a report (its id, those of target and reference values, periods, keys) is kept as annotations
  and read back from them; a set without them is written as the report about any object that ``structure_metadata`` of
  SDMX-ML makes of its structure;
* what 2.1 has no place for (agency, version, description, metadata provision agreement) is kept as annotations of the
  2.1 set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from sdmx_service.errors import CannotWrite, SyntaxFault
from sdmx_service.model.artefact import NO_TEXTS, Annotation, Texts
from sdmx_service.model.message import Action
from sdmx_service.model.metadata import MetadataAttributeValue, MetadataSet
from sdmx_service.model.urn import Ref

TARGET: Final = "METADATA_TARGET"
REPORT: Final = "METADATA_REPORT"
"""Ids of the target and the report of a structure that has but a list (``sdmx_ml.structure_metadata``)."""
_REFERENCE: Final = "METADATA_REFERENCE"
_SET: Final = "METADATA_SET"
_PROVIDER: Final = "METADATA_PROVIDER"
_AGREEMENT: Final = "METADATA_AGREEMENT"
_KEPT = (REPORT, TARGET, _REFERENCE, _PROVIDER)
OBJECT, KEY, DATA_SET, CONSTRAINT, PERIOD = (
    "ObjectReference",
    "DataKey",
    "DataSetReference",
    "ConstraintContentReference",
    "ReportPeriod",
)
"""What a reference value can be: the names of the elements of SDMX-ML 2.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceValue:
    """A part of a target.

    ``text`` is a URN; for a period the period; for a key its values as ``DIMENSION=VALUE,...``; for a data set the
    URN of its provider, a blank, and its id.
    """

    id: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report of SDMX 2.1."""

    id: str
    target: str
    values: tuple[ReferenceValue, ...]
    attributes: tuple[MetadataAttributeValue, ...]
    annotations: tuple[Annotation, ...] = ()

    @property
    def is_plain(self) -> bool:
        """It is about one object, and has the ids that a structure with but a list gives it."""
        ids = [self.id, self.target, *(one.id for one in self.values)]
        return ids == [REPORT, TARGET, TARGET] and self.values[0].kind == OBJECT


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedSet:
    """A metadata set of SDMX 2.1; the header names what it is described by: flow, provision agreement or structure."""

    id: str | None = None
    names: Texts = NO_TEXTS
    described_by: Ref | None = None
    provider: Ref | None = None
    reports: tuple[Report, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    action: Action | None = None
    valid_from: str | None = None
    valid_to: str | None = None
    reporting_begin: str | None = None
    reporting_end: str | None = None
    publication_year: str | None = None
    publication_period: str | None = None


_ALIKE = ("names", "action", "valid_from", "valid_to", "reporting_begin", "reporting_end", "publication_year",
          "publication_period")  # fmt: skip

# ---------------------------------------------------------------------------------------------------------------- newer


def newer_sets(old: ReportedSet, sender: str) -> tuple[MetadataSet, ...]:
    """The sets that a set of SDMX 2.1 becomes; ``sender`` is their agency where the set names no provider."""
    made = tuple(_merged(_newer(report, old, sender) for report in old.reports))
    if len(made) == 1:
        return made
    taken: dict[str, int] = {}
    named = []
    for one in made:
        taken[one.id] = taken.get(one.id, 0) + 1
        named.append(one if taken[one.id] == 1 else replace(one, id=f"{one.id}_{taken[one.id]}"))
    return tuple(named)


def _newer(report: Report, old: ReportedSet, sender: str) -> MetadataSet:
    kept = {note.type: note for note in old.annotations if note.type in (_SET, _AGREEMENT)}
    identity = _ref(kept[_SET].title) if _SET in kept else None
    plain = [] if report.is_plain else list(_kept(report))
    if old.provider is not None and (identity is None or _PROVIDER in kept):
        plain.append(Annotation(type=_PROVIDER, title=old.provider.urn))
    described_by = _ref(kept[_AGREEMENT].title) if _AGREEMENT in kept else old.described_by
    own = tuple(note for note in old.annotations if note.type not in (_SET, _AGREEMENT))
    said = {name: getattr(old, name) for name in _ALIKE}
    return MetadataSet(
        id=identity.id if identity else old.id or report.id,
        agency=identity.agency if identity else _agency(old.provider, sender),
        version=identity.version if identity else "1.0",
        descriptions=kept[_SET].texts if _SET in kept else NO_TEXTS,
        described_by=described_by,
        structure=old.described_by if old.described_by and old.described_by.type == "MetadataStructure" else None,
        targets=tuple(dict.fromkeys(one.text for one in report.values if one.kind == OBJECT)),
        attributes=report.attributes,
        annotations=(*own, *report.annotations, *plain),
        **said,
    )


def _ref(text: str | None) -> Ref | None:
    try:
        return Ref.parse(text or "")
    except SyntaxFault:
        return None


def _agency(provider: Ref | None, sender: str) -> str:
    return sender if provider is None or provider.item is None else provider.item


def _kept(report: Report) -> Iterator[Annotation]:
    yield Annotation(type=REPORT, title=report.id)
    yield Annotation(type=TARGET, title=report.target)
    for one in report.values:
        yield Annotation(type=_REFERENCE, id=one.id, title=one.kind, texts=Texts({"": one.text}))


def _merged(sets: Iterable[MetadataSet]) -> Iterator[MetadataSet]:
    """The sets, those one after the other that differ in their targets alone as one."""
    last: MetadataSet | None = None
    for one in sets:
        if last is not None and not any(note.type == REPORT for note in one.annotations):
            joined = replace(last, targets=(*last.targets, *one.targets))
            if replace(one, targets=joined.targets) == joined and not set(last.targets) & set(one.targets):
                last = joined
                continue
        if last is not None:
            yield last
        last = one
    if last is not None:
        yield last


# ---------------------------------------------------------------------------------------------------------------- older


def older_set(made: MetadataSet) -> ReportedSet:
    """The set of SDMX 2.1 that says what a set says.

    Raises:
        CannotWrite: 2.1 cannot say it.
    """
    _refuse(made)
    notes = {note.type: note for note in made.annotations if note.type in (REPORT, TARGET, _PROVIDER)}
    provider = _ref(notes[_PROVIDER].title) if _PROVIDER in notes else None
    own = tuple(note for note in made.annotations if note.type not in _KEPT)
    described_by = made.described_by
    added: list[Annotation] = []
    if provider is None or (made.agency, made.version, bool(made.descriptions)) != (provider.item, "1.0", False):
        added.append(Annotation(type=_SET, title=made.urn, texts=made.descriptions))
    if described_by is not None and described_by.type == "MetadataProvisionAgreement":
        added.append(Annotation(type=_AGREEMENT, title=described_by.urn))
        described_by = made.structure
    if described_by is None:
        raise CannotWrite(
            f"{made.urn}: SDMX 2.1 has no metadata provision agreements, and the metadata structure is not known."
        )
    return ReportedSet(
        id=made.id,
        described_by=described_by,
        provider=provider,
        reports=tuple(_reports(made, notes.get(REPORT), notes.get(TARGET))),
        annotations=(*added, *own),
        **{name: getattr(made, name) for name in _ALIKE},
    )


def _refuse(made: MetadataSet) -> None:
    for name in ("links", "is_partial_language", "is_external_reference", "service_url", "structure_url", "uri"):
        if getattr(made, name):
            raise CannotWrite(f"{made.urn}: a metadata set of SDMX 2.1 cannot carry {name}.")
    if not made.attributes:
        raise CannotWrite(f"{made.urn}: a report of SDMX 2.1 needs an attribute, and this set has none.")


def _reports(made: MetadataSet, report: Annotation | None, target: Annotation | None) -> Iterator[Report]:
    if report is None or target is None:
        if not made.targets:
            raise CannotWrite(f"{made.urn}: a report of SDMX 2.1 needs a target, and this set has none.")
        for urn in made.targets:
            value = ReferenceValue(id=TARGET, kind=OBJECT, text=urn)
            yield Report(id=REPORT, target=TARGET, values=(value,), attributes=made.attributes)
        return
    values = tuple(
        ReferenceValue(id=note.id or TARGET, kind=note.title or OBJECT, text=note.texts.text())
        for note in made.annotations
        if note.type == _REFERENCE
    )
    yield Report(id=report.title or REPORT, target=target.title or TARGET, values=values, attributes=made.attributes)
