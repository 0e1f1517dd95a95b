"""What an SDMX-REST request says, before it is known what that means in this service.

``urls.v2`` and ``urls.v1`` turn text into these values and back; ``model.selection`` is what becomes of them once the
catalogue has been asked. Nothing here is checked against a structure, so a query may name components, codes and
artefacts that do not exist.

One vocabulary serves both versions of the interface, that of SDMX-REST 2.2:

* ``"*"`` is *all* (v1: ``all``), ``"~"`` the latest version of any status (v1: ``latest``), ``"+"`` the latest stable
  one. *Choice:* v1 ``latest`` becomes ``"~"`` and not ``"+"``, because ``+`` matches semantic versions only and would
  never find ``1.0``, the version of most artefacts of SDMX 2.1.
* A moment (``updated_after``, ``as_of``, ``updated_before``) always knows its offset; one sent without an offset is in
  local time of the service (*standard*: data.md, *updatedAfter*).
* A period and a filter value stay text; ``model.period`` reads them where the structure is known.

The field ``api`` keeps what cannot be said in one vocabulary: in v1 a key has one position per dimension, in v2
positions at the end may be missing; the two answer an empty result with different codes; artefact types have their
own names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

Api: TypeAlias = Literal["v1", "v2"]
"""Major version of the REST interface that the request was written for: 1.5 or 2.2."""

DataContext: TypeAlias = Literal["datastructure", "dataflow", "provisionagreement", "*"]
"""What data were reported against (SDMX-REST 2.2, data.md, *context*)."""

SchemaContext: TypeAlias = Literal[
    "datastructure",
    "metadatastructure",
    "dataflow",
    "metadataflow",
    "provisionagreement",
    "metadataprovisionagreement",
]
"""What a schema is asked for (SDMX-REST 2.2, schema.md, *context*)."""

Operator: TypeAlias = Literal["eq", "ne", "lt", "le", "gt", "ge", "co", "nc", "sw", "ew"]
"""Operators of the parameter ``c`` (SDMX-REST 2.2, data.md)."""

DataDetail: TypeAlias = Literal["full", "dataonly", "serieskeysonly", "nodata"]
"""Parameter ``detail`` of SDMX-REST 1.5 data queries."""

StructureDetail: TypeAlias = Literal[
    "full", "allstubs", "referencestubs", "allcompletestubs", "referencecompletestubs", "referencepartial", "raw"
]
"""Parameter ``detail`` of structure queries; ``raw`` is not in v1 (SDMX-REST 2.2, structures.md)."""

MetadataDetail: TypeAlias = Literal["full", "allstubs"]
"""Parameter ``detail`` of reference metadata queries (SDMX-REST 2.2, metadata.md)."""

AvailabilityMode: TypeAlias = Literal["exact", "available"]
"""Values in the result, or values that could still be added to the query (SDMX-REST 2.2, availability.md)."""

Key: TypeAlias = tuple[tuple[str, ...] | None, ...]
"""Dimension values in the order of the structure: per position ``None`` (any value) or the codes that match (OR)."""

ALL_DIMENSIONS = "AllDimensions"
"""``dimension_at_observation`` of a flat dataset, in which observations are not grouped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Representation:
    """How the client wants the answer, said in the address instead of in headers.

    *Extension* of SDMX-REST (extend.md, not normative); what is given wins over the header of the same purpose, and
    what is not offered is answered 406. The values are not checked here.

    Attributes:
        format: parameter ``format``, such as ``csvdata`` or ``jsonstructure``, instead of ``Accept``.
        format_version: parameter ``formatVersion``, such as ``2.1.0``.
        compression: parameter ``compression``, instead of ``Accept-Encoding``.
        language: parameter ``lang``, instead of ``Accept-Language``.
    """

    format: str | None = None
    format_version: str | None = None
    compression: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRef:
    """A data or metadata provider as a request names it; ``"*"`` is any."""

    agency: str = "*"
    id: str = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One condition on a component: its value stands in the relation ``operator`` to ``value``."""

    operator: Operator = "eq"
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentFilter:
    """Parameter ``c[COMPONENT]``: an OR of ANDs of comparisons (SDMX-REST 2.2, data.md).

    The operator does not carry over from one value to the next: ``ne:A,B`` is *not A, or B*.

    Attributes:
        component: id of a dimension (time included), attribute or measure.
        alternatives: one must hold; within it all comparisons must hold. Never empty, on neither level.
    """

    component: str
    alternatives: tuple[tuple[Comparison, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SortKey:
    """One step of the order of an answer (SDMX-REST 2.2, data.md, *sort*).

    Attributes:
        component: id of a component, ``"*"`` (all dimensions as positioned in the structure) or ``"series_key"`` (all
            dimensions that are not at the observation).
        descending: from high to low; ascending is the default.
    """

    component: str
    descending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSlice:
    """The part of the data that a data or availability query is about.

    Attributes:
        api: the interface used; see the module.
        context: kind of the artefacts named by the next three; in v1 always ``dataflow``.
        agencies: maintainers of these artefacts; ``("*",)`` is all.
        ids: their ids; ``("*",)`` is all.
        versions: version expressions (``model.urn``); default ``*``, **all** versions, in v2 and ``~`` in v1.
        providers: data providers (v1 ``providerRef``); empty is any. v2 has no such parameter.
        keys: a row must match one of these; empty is everything (v2 ``*``, v1 ``all``, or not given). In v2 positions
            missing at the end are wildcards and each position is ``None`` or one code; in v1 there is at most one key
            and its positions must be as many as the dimensions.
        filters: all must hold, together with the key (v2 ``c``); a component occurs once.
        start_period: v1 ``startPeriod``, inclusive, any standard time period.
        end_period: v1 ``endPeriod``, inclusive.
        updated_after: only what was inserted, changed or deleted after this moment.
        reporting_year_start_day: ``--MM-DD``; how reporting periods *in the query* are to be read (v2).
        representation: wishes about the form of the answer.
    """

    api: Api = "v2"
    context: DataContext = "*"
    agencies: tuple[str, ...] = ("*",)
    ids: tuple[str, ...] = ("*",)
    versions: tuple[str, ...] = ("*",)
    providers: tuple[ProviderRef, ...] = ()
    keys: tuple[Key, ...] = ()
    filters: tuple[ComponentFilter, ...] = ()
    start_period: str | None = None
    end_period: str | None = None
    updated_after: datetime | None = None
    reporting_year_start_day: str | None = None
    representation: Representation = field(default_factory=Representation)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataQuery(DataSlice):
    """A data query (SDMX-REST 2.2, data.md; SDMX-REST 1.5, data). Defaults are those of 2.2.

    Attributes:
        first_n: at most so many observations of each series, from the first (positive).
        last_n: at most so many observations of each series, back from the most recent one (positive).
        dimension_at_observation: id of a dimension or ``AllDimensions``; ``None`` = not given: the time dimension if
            the structure has one, else (v1: the measure dimension, else) ``AllDimensions``.
        attributes: ``dsd``, ``msd``, ``dataset``, ``series`` (series and group level), ``obs``, ``all``, ``none``
            or ids of attributes.
        measures: ``all``, ``none`` or ids of measures.
        include_history: all versions of the data, not only the current one.
        include_sources: whose figures they are: a data set per provider (*extension*, v2).
        offset: observations (or series keys, if these are asked for) to leave out at the beginning.
        limit: observations (or series keys) to give at most; ``None`` = all.
        sort: order of the answer; empty = the service's own.
        as_of: the data as they were at this moment; never before ``updated_after``.
        detail: v1 ``detail``. Reading a v1 address also sets ``attributes`` and ``measures`` as
            :data:`DETAIL_CONTENT` says; only ``serieskeysonly`` says more than these two: no observations either.
    """

    first_n: int | None = None
    last_n: int | None = None
    dimension_at_observation: str | None = None
    attributes: tuple[str, ...] = ("dsd",)
    measures: tuple[str, ...] = ("all",)
    include_history: bool = False
    include_sources: bool = False
    offset: int = 0
    limit: int | None = None
    sort: tuple[SortKey, ...] = ()
    as_of: datetime | None = None
    detail: DataDetail = "full"


DETAIL_CONTENT: dict[DataDetail, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "full": (("dsd",), ("all",)),
    "dataonly": (("none",), ("all",)),
    "serieskeysonly": (("none",), ("none",)),
    "nodata": (("dsd",), ("none",)),
}
"""``attributes`` and ``measures`` that each v1 ``detail`` comes to (SDMX-REST 1.5, data, *detail*)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailabilityQuery(DataSlice):
    """A data availability query (SDMX-REST 2.2, availability.md; 1.5 ``availableconstraint``).

    Attributes:
        component_ids: dimensions whose values are asked for; ``("*",)`` is all.
        references: ``none``, ``all`` or types of artefacts to send along; v1 takes one, v2 several.
        mode: ``exact`` (default) or ``available``.
    """

    component_ids: tuple[str, ...] = ("*",)
    references: tuple[str, ...] = ("none",)
    mode: AvailabilityMode = "exact"


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureQuery:
    """A structure query (SDMX-REST 2.2, structures.md; 1.5, one resource per type).

    Attributes:
        api: the interface used.
        types: artefact types in the words of that interface (v2 ``dataconstraint``, v1 ``contentconstraint``);
            ``("*",)`` is all (v1: resource ``structure``).
        agencies: maintainers; ``("*",)`` is all.
        ids: ids; ``("*",)`` is all.
        versions: version expressions; default ``~``, the **latest** of any status (unlike data).
        items: ids of items of item schemes, nested ones dotted; ``("*",)`` is all.
        detail: amount of information; default ``full``.
        references: ``none`` (default), ``parents`` ... or artefact types; v1 takes one, v2 several.
        as_of: the artefacts as they were at this moment (v2).
        representation: wishes about the form of the answer.
    """

    api: Api = "v2"
    types: tuple[str, ...] = ("*",)
    agencies: tuple[str, ...] = ("*",)
    ids: tuple[str, ...] = ("*",)
    versions: tuple[str, ...] = ("~",)
    items: tuple[str, ...] = ("*",)
    detail: StructureDetail = "full"
    references: tuple[str, ...] = ("none",)
    as_of: datetime | None = None
    representation: Representation = field(default_factory=Representation)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaQuery:
    """A query for the schema that data or metadata of one artefact must obey (SDMX-REST 2.2, schema.md).

    Attributes:
        api: the interface used.
        context: kind of the artefact.
        agency: its maintainer, exactly one.
        id: its id, exactly one.
        version: a version expression; default ``~``.
        dimension_at_observation: as in a data query; ``None`` = not given.
        deletion: for messages that delete, where dimensions and values may be absent (v2; default no).
        explicit_measure: v1 ``explicitMeasure``: measures as elements of their own in a cross-section (default no).
        as_of: the structures as they were at this moment (v2).
        representation: wishes about the form of the answer.
    """

    api: Api = "v2"
    context: SchemaContext
    agency: str
    id: str
    version: str = "~"
    dimension_at_observation: str | None = None
    deletion: bool = False
    explicit_measure: bool = False
    as_of: datetime | None = None
    representation: Representation = field(default_factory=Representation)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataQuery:
    """A reference metadata query (SDMX-REST 2.2, metadata.md; 1.5 ``metadata``).

    Attributes:
        api: the interface used.
        by: how the metadata sets are found; in v1 always by ``metadataflow``.
        artefact_type: with ``structure``: type of the artefacts the metadata are attached to; ``"*"`` is all.
        agencies: maintainers of the flow or of the structures; with ``metadataset`` the provider who maintains it;
            ``("*",)`` is all.
        ids: ids of the metadata sets, flows or structures; ``("*",)`` is all.
        versions: version expressions of these; default ``~``.
        providers: metadata providers, with ``metadataflow``; empty is any.
        detail: ``full`` (default) or ``allstubs`` (v2).
        as_of: the metadata sets as they were at this moment (v2).
        flow: v1 only: the whole request, whose grammar is that of a data query (flow, key, providers, periods ...).
        representation: wishes about the form of the answer.
    """

    api: Api = "v2"
    by: Literal["metadataset", "metadataflow", "structure"]
    artefact_type: str = "*"
    agencies: tuple[str, ...] = ("*",)
    ids: tuple[str, ...] = ("*",)
    versions: tuple[str, ...] = ("~",)
    providers: tuple[ProviderRef, ...] = ()
    detail: MetadataDetail = "full"
    as_of: datetime | None = None
    flow: DataQuery | None = None
    representation: Representation = field(default_factory=Representation)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationQuery:
    """A query for registered data sources (SDMX-REST 2.2, registration.md).

    Attributes:
        api: the interface used; only v2 has it.
        by: how the registrations are found: their own id, their data provider, or what was reported against.
        registration_id: with ``id``: the one registration.
        context: with ``context``: kind of the artefacts; default ``*``.
        agencies: maintainers of the provider scheme (``provider``) or of the artefacts (``context``).
        ids: ids of the providers or of the artefacts.
        versions: with ``context``: version expressions of the artefacts; default ``*``.
        updated_after: only registrations updated after this moment (exclusive).
        updated_before: only registrations updated before this moment (exclusive).
        representation: wishes about the form of the answer.
    """

    api: Api = "v2"
    by: Literal["id", "provider", "context"]
    registration_id: str | None = None
    context: DataContext = "*"
    agencies: tuple[str, ...] = ("*",)
    ids: tuple[str, ...] = ("*",)
    versions: tuple[str, ...] = ("*",)
    updated_after: datetime | None = None
    updated_before: datetime | None = None
    representation: Representation = field(default_factory=Representation)


Query: TypeAlias = DataQuery | AvailabilityQuery | StructureQuery | SchemaQuery | MetadataQuery | RegistrationQuery
"""Everything that can be asked by GET below ``/sdmx``."""
