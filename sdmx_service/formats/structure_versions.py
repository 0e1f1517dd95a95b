"""What an artefact becomes in an older or newer version of SDMX, where the standard itself maps the two.

Both families write through ``adapted``. What it does not map stays as it is, and the shape refuses what its version
cannot carry. Mapped are:

* the version of a categorisation: in 3.1 it has none, and is always 1.0 (SDMX 3.1 information model);
* the role of a data constraint: 3.0 demands one, and what is not said is ``Allowed``; 3.1 has only allowed content, and
  says what is there by an availability constraint;
* an availability constraint: before 3.1 a data constraint with the role ``Actual``, its counts as annotations of the
  type ``sdmx_metrics`` (SDMX-REST 2.0 ``availability.md``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sdmx_service.errors import CannotWrite
from sdmx_service.model.artefact import Annotation, Texts
from sdmx_service.model.constraint import AvailabilityConstraint, DataConstraint
from sdmx_service.model.items import Categorisation

METRICS = "sdmx_metrics"
_SERIES, _OBSERVATIONS = "series_count", "obs_count"


def adapted(artefact: Any, version: str) -> Any:
    """The artefact as a version of SDMX (2.1, 3.0, 3.1) has it.

    Raises:
        CannotWrite: the version has no such thing.
    """
    if isinstance(artefact, Categorisation) and version >= "3.1":
        return replace(artefact, version="1.0")
    if isinstance(artefact, AvailabilityConstraint) and version < "3.1":
        return data_constraint_of(artefact, version)
    if isinstance(artefact, DataConstraint):
        return _with_role(artefact, version)
    return artefact


def _with_role(constraint: DataConstraint, version: str) -> DataConstraint | AvailabilityConstraint:
    if version >= "3.1":
        return available_of(constraint) if constraint.role == "Actual" else replace(constraint, role=None)
    return replace(constraint, role="Allowed") if constraint.role is None else constraint


def data_constraint_of(constraint: AvailabilityConstraint, version: str) -> DataConstraint:
    """What is there, as versions before 3.1 say it: a data constraint of the role ``Actual``.

    It needs an identity, which is made of what it is about (*choice*).
    """
    about = constraint.attachment
    counts = ((_SERIES, constraint.series_count), (_OBSERVATIONS, constraint.observation_count))
    metrics = tuple(
        Annotation(id=name, type=METRICS, title=str(count)) for name, count in counts if count is not None
    )
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
    if len(constraint.attachments) != 1 or len(constraint.regions) != 1 or constraint.key_sets:
        raise CannotWrite(
            f"{constraint.urn}: SDMX 3.1 can say what is there only for one artefact and as one cube region."
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
