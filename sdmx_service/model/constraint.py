"""Constraints: which values and keys a dataflow, agreement or provider may hold (SDMX 3.1 *DataConstraint*)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from sdmx_service.model.artefact import Annotation, Maintainable
from sdmx_service.model.urn import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberValue:
    """One value; ``cascade`` ``true|false|excluderoot`` as sent, validity for the *period reported*."""

    value: str
    cascade: str | None = None
    language: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeBound:
    """One end of a time range."""

    period: str
    inclusive: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """Before, after, or between start and end; the others None."""

    before: TimeBound | None = None
    after: TimeBound | None = None
    start: TimeBound | None = None
    end: TimeBound | None = None
    valid_from: str | None = None
    valid_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyValue:
    """The values of one component in a region; ``include`` False takes them away."""

    component: str
    kind: Literal["key", "component"] = "key"
    include: bool = True
    remove_prefix: bool | None = None
    values: tuple[MemberValue, ...] = ()
    time_range: TimeRange | None = None
    valid_from: str | None = None
    valid_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CubeRegion:
    """Values per component; components not named are free."""

    include: bool = True
    members: tuple[KeyValue, ...] = ()
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DataKey:
    """One (partial) key of a key set."""

    members: tuple[KeyValue, ...] = ()
    include: bool = True
    valid_from: str | None = None
    valid_to: str | None = None
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryableDataSource:
    """A service that data come from (SDMX 2.1 and 3.0 *QueryableDataSource*)."""

    data_url: str
    wsdl_url: str | None = None
    wadl_url: str | None = None
    is_rest: bool = False
    is_web_service: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DataKeySet:
    """Keys that are allowed or refused, in order."""

    included: bool = True
    keys: tuple[DataKey, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencePeriod:
    """The time that data fall into, as ISO 8601 moments (SDMX 2.1 *ReferencePeriod*)."""

    start: str
    end: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseCalendar:
    """When data are released, as ISO 8601 durations (before 3.1 *ReleaseCalendar*)."""

    periodicity: str
    offset: str
    tolerance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConstraint(Maintainable):
    """What is allowed (``role`` Allowed) or, before 3.1, what is there (``Actual``)."""

    type: ClassVar[str] = "DataConstraint"
    role: Literal["Allowed", "Actual"] | None = None
    attachments: tuple[Ref, ...] = ()
    simple_sources: tuple[str, ...] = ()
    """Addresses of files that the constraint is attached to (before 3.1)."""
    queryable_sources: tuple[QueryableDataSource, ...] = ()
    regions: tuple[CubeRegion, ...] = ()
    key_sets: tuple[DataKeySet, ...] = ()
    reference_period: ReferencePeriod | None = None
    release_calendar: ReleaseCalendar | None = None

    def _references(self) -> Iterator[Ref]:
        return (ref.maintainable if ref.item is not None else ref for ref in self.attachments)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentConstraint(Maintainable):
    """Keys to which attributes may be attached (SDMX 2.1; SDMX 3.0 has no such thing)."""

    type: ClassVar[str] = "AttachmentConstraint"
    attachments: tuple[Ref, ...] = ()
    simple_sources: tuple[str, ...] = ()
    key_sets: tuple[DataKeySet, ...] = ()

    def _references(self) -> Iterator[Ref]:
        return iter(self.attachments)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataTargetRegion:
    """Values per metadata attribute."""

    include: bool = True
    members: tuple[KeyValue, ...] = ()
    valid_from: str | None = None
    valid_to: str | None = None
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataConstraint(Maintainable):
    """What reference metadata are allowed (SDMX 3.0)."""

    type: ClassVar[str] = "MetadataConstraint"
    role: Literal["Allowed", "Actual"] | None = None
    attachments: tuple[Ref, ...] = ()
    simple_sources: tuple[str, ...] = ()
    queryable_sources: tuple[QueryableDataSource, ...] = ()
    release_calendar: ReleaseCalendar | None = None
    regions: tuple[MetadataTargetRegion, ...] = ()

    def _references(self) -> Iterator[Ref]:
        return (ref.maintainable for ref in self.attachments)


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailabilityConstraint:
    """What is there for a query (SDMX 3.1): attached to one artefact, with counts; not identifiable.

    ``series_count`` and ``observation_count`` are exact; None where not known.
    """

    attachment: Ref
    region: CubeRegion
    series_count: int | None = None
    observation_count: int | None = None
    annotations: tuple[Annotation, ...] = ()
