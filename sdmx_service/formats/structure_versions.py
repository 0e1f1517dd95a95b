"""What an artefact becomes in an older or newer version of SDMX, where the standard itself maps the two.

Both families write through ``adapted``. What it does not map stays as it is, and the shape refuses what its version
cannot carry. Mapped are:

* the version of a categorisation: in 3.1 it has none, and is always 1.0 (SDMX 3.1 information model);
* the role of a data constraint: 3.0 demands one, and what is not said is ``Allowed``; 3.1 has only allowed content, and
  says what is there by an availability constraint; so it is with a metadata constraint, which only has allowed content;
* an attribute of 2.1 that belongs to dimensions and to attachment groups belongs to all their dimensions;
* the report structures of 2.1 become the one list of metadata attributes that 3.0 has; what they are about is from 3.0
  on said by the metadataflow, and is not written;
* an availability constraint: before 3.1 a data constraint with the role ``Actual``, its counts as annotations of the
  type ``sdmx_metrics`` (SDMX-REST 2.0 ``availability.md``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from sdmx_service.errors import CannotWrite, SyntaxFault
from sdmx_service.model.artefact import Annotation, Maintainable, Texts
from sdmx_service.model.constraint import AvailabilityConstraint, DataConstraint, MetadataConstraint, ReferencePeriod
from sdmx_service.model.items import Categorisation
from sdmx_service.model.period import normalise, parse_period
from sdmx_service.model.structure import Attribute, DataStructure, MetadataStructure
from sdmx_service.model.urn import Ref

METRICS = "sdmx_metrics"
_AVAILABLE_FOR = (["DataStructure"], ["Dataflow"], ["ProvisionAgreement"])
_VERSION_3_X = re.compile(
    r"(0|[1-9]\d*)(\.(0|[1-9]\d*))?|(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?", re.ASCII
)
_SERIES, _OBSERVATIONS = "series_count", "obs_count"


def adapted(artefact: Any, version: str) -> Any:
    """The artefact as a version of SDMX (2.1, 3.0, 3.1) has it.

    Raises:
        CannotWrite: the version has no such thing.
    """
    if isinstance(artefact, Maintainable):
        _check_version(artefact, version)
    adapt = _ADAPTERS.get(type(artefact))
    return artefact if adapt is None else adapt(artefact, version)


def _check_version(artefact: Maintainable, version: str) -> None:
    if version >= "3.0" and _VERSION_3_X.fullmatch(artefact.version) is None:
        raise CannotWrite(f"{artefact.urn}: SDMX {version} cannot carry a version like {artefact.version!r}.")


def refuse_old(ref: Ref, place: str) -> None:
    """Refuse a reference to a class that SDMX 3.0 removed.

    Raises:
        CannotWrite: it is one.
    """
    kind = ref.artefact_type
    if kind is not None and kind.successor is not None:
        raise CannotWrite(f"{place}: from SDMX 3.0 on there is no {kind.name}, and {ref.text} cannot be referred to.")


def _adapt_categorisation(artefact: Categorisation, version: str) -> Categorisation:
    return replace(artefact, version="1.0") if version >= "3.1" else artefact


def _adapt_availability(artefact: AvailabilityConstraint, version: str) -> AvailabilityConstraint | DataConstraint:
    if version >= "3.1":
        return artefact
    made = data_constraint_of(artefact)
    return replace(made, reference_period=_coverage(artefact)) if version == "2.1" else made


def _coverage(artefact: AvailabilityConstraint) -> ReferencePeriod | None:
    """The time that the data fall into, which SDMX-ML 2.1 says as a ReferencePeriod (SDMX-REST 1.5, availability)."""
    ranges = [one.time_range for one in artefact.region.members if one.time_range is not None]
    if not ranges or ranges[0].start is None or ranges[0].end is None:
        return None
    try:
        start, end = parse_period(ranges[0].start.period), parse_period(ranges[0].end.period)
    except SyntaxFault:
        return None
    return ReferencePeriod(start=normalise(start, with_time=True), end=normalise(end, "end", with_time=True))


def _adapt_constraint(constraint: DataConstraint, version: str) -> DataConstraint | AvailabilityConstraint:
    if version >= "3.0":
        _refuse_regions(constraint, version)
    if version >= "3.1":
        return available_of(constraint) if constraint.role == "Actual" else replace(constraint, role=None)
    return replace(constraint, role="Allowed") if constraint.role is None else constraint


def _adapt_metadata_constraint(constraint: MetadataConstraint, version: str) -> MetadataConstraint:
    if version >= "3.1":
        return replace(constraint, role=None) if constraint.role == "Allowed" else constraint
    return replace(constraint, role="Allowed") if constraint.role is None else constraint


def _refuse_regions(constraint: DataConstraint, version: str) -> None:
    kinds = [region.include for region in constraint.regions]
    if len(kinds) > len(set(kinds)):
        raise CannotWrite(
            f"{constraint.urn}: SDMX {version} has one cube region of what is included and one of what is not; "
            f"this constraint has {len(kinds)}."
        )


def _adapt_structure(artefact: DataStructure, version: str) -> DataStructure:
    if version < "3.0" or not any(one.relationship.attachment_groups for one in artefact.attributes):
        return artefact
    groups = {group.id: group.dimensions for group in artefact.groups}
    return replace(artefact, attributes=tuple(_ungrouped(one, groups, artefact) for one in artefact.attributes))


def _ungrouped(attribute: Attribute, groups: Mapping[str, tuple[str, ...]], structure: DataStructure) -> Attribute:
    relation = attribute.relationship
    if not relation.attachment_groups:
        return attribute
    wanted = {*relation.dimensions, *(id for name in relation.attachment_groups for id in groups.get(name, ()))}
    dimensions = tuple(id for id in structure.key_ids if id in wanted)
    return replace(attribute, relationship=replace(relation, dimensions=dimensions, attachment_groups=()))


def _adapt_metadata_structure(artefact: MetadataStructure, version: str) -> MetadataStructure:
    if version < "3.0" or not (artefact.reports or artefact.targets):
        return artefact
    attributes = (*artefact.attributes, *(one for report in artefact.reports for one in report.attributes))
    unique = dict.fromkeys(attributes)
    if len({one.id for one in unique}) < len(unique):
        raise CannotWrite(
            f"{artefact.urn}: its reports have different attributes of one id, and SDMX {version} one list."
        )
    return replace(artefact, attributes=tuple(unique), reports=(), targets=())


_ADAPTERS: Mapping[type, Callable[[Any, str], Any]] = {
    Categorisation: _adapt_categorisation,
    AvailabilityConstraint: _adapt_availability,
    DataConstraint: _adapt_constraint,
    MetadataConstraint: _adapt_metadata_constraint,
    DataStructure: _adapt_structure,
    MetadataStructure: _adapt_metadata_structure,
}


def data_constraint_of(constraint: AvailabilityConstraint) -> DataConstraint:
    """What is there, as versions before 3.1 say it: a data constraint of the role ``Actual``.

    It needs an identity, which is made of what it is about (*choice*).
    """
    about = constraint.attachment
    counts = ((_SERIES, constraint.series_count), (_OBSERVATIONS, constraint.observation_count))
    metrics = tuple(Annotation(id=name, type=METRICS, title=str(count)) for name, count in counts if count is not None)
    return DataConstraint(
        id=f"AVAILABLE_{about.id}",
        agency=about.agency,
        version=about.version if about.is_exact else "1.0",
        names=Texts({"en": f"What is there for {about.text}"}),
        role="Actual",
        attachments=(about,),
        regions=(constraint.region,),
        annotations=(*metrics, *constraint.annotations),
    )


def available_of(constraint: DataConstraint) -> AvailabilityConstraint:
    """A data constraint of the role ``Actual`` as SDMX 3.1 says it.

    Raises:
        CannotWrite: it is about several artefacts, or says more than one region.
    """
    kinds = [ref.type for ref in constraint.attachments]
    if kinds not in _AVAILABLE_FOR or len(constraint.regions) != 1 or constraint.key_sets:
        raise CannotWrite(
            f"{constraint.urn}: SDMX 3.1 can say what is there only for one dataflow, structure or agreement, "
            "and as one cube region."
        )
    counts = {note.id: _count(note) for note in constraint.annotations if note.type == METRICS}
    return AvailabilityConstraint(
        attachment=constraint.attachments[0],
        region=constraint.regions[0],
        series_count=counts.get(_SERIES),
        observation_count=counts.get(_OBSERVATIONS),
        annotations=tuple(
            note for note in constraint.annotations if note.type != METRICS or counts.get(note.id) is None
        ),
    )


def _count(note: Annotation) -> int | None:
    text = note.title or note.value or ""
    return int(text) if text.isascii() and text.isdigit() and note.id in (_SERIES, _OBSERVATIONS) else None


def ordered(artefacts: Iterable[Any], version: str) -> list[Any]:
    """The artefacts as a version has them, those of one class together, classes in the order they first occur."""
    groups: dict[type, list[Any]] = {}
    for artefact in artefacts:
        made = adapted(artefact, version)
        groups.setdefault(type(made), []).append(made)
    return [artefact for group in groups.values() for artefact in group]
