"""SDMX-REST 2.2 addresses: ``parse`` reads one, ``format`` (of ``v2_writing``) writes one.

Sources: sdmx-rest 2.2.2, doc/data.md, availability.md, structures.md, schema.md, metadata.md, registration.md. Defaults
are those of these documents; keys and ``c`` filters are in :mod:`.conditions`. Decisions where the documents say
nothing, or two things:

* *choice:* the artefact types ``all`` (an example in structures.md) and ``structure`` (the official test kit), words of
  version 1, are read as ``*``.
* *standard:* ``metadata/codelist`` of the examples in metadata.md contradicts its own grammar and is refused; the
  message says what to write.
* *choice:* ``updatedAfter`` later than ``asOf`` is a semantic fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import get_args

from sdmx_service.errors import SemanticFault, SyntaxFault
from sdmx_service.model.query import (
    AvailabilityMode,
    AvailabilityQuery,
    DataContext,
    DataQuery,
    MetadataDetail,
    MetadataQuery,
    ProviderRef,
    Query,
    RegistrationQuery,
    SchemaContext,
    SchemaQuery,
    SortKey,
    StructureDetail,
    StructureQuery,
)
from sdmx_service.model.urn import ARTEFACT_TYPES
from sdmx_service.urls import conditions, text
from sdmx_service.urls.text import Parameters
from sdmx_service.urls.v2_writing import format as format

RESOURCES = ("data", "availability", "structure", "schema", "metadata", "registration")
"""Resources that can be read here."""

STRUCTURE_TYPES: tuple[str, ...] = tuple(kind.resource for kind in ARTEFACT_TYPES if kind.resource is not None)
"""The 34 artefact types of structures.md."""

ITEM_SCHEMES = frozenset(kind.resource for kind in ARTEFACT_TYPES if kind.resource is not None and kind.is_item_scheme)
"""Artefact types that take an item id: those of structures.md, and value lists, which it treats alike."""

REFERENCES = (
    *("none", "parents", "parentsandsiblings", "ancestors", "children", "descendants", "all"),
    *STRUCTURE_TYPES,
)
"""Words of ``references`` in structure queries."""

AVAILABILITY_REFERENCES = (
    *("none", "codelist", "valuelist", "datastructure", "conceptscheme", "dataflow", "dataproviderscheme", "all"),
)
"""Words of ``references`` in availability queries."""

_DATA_CONTEXTS: tuple[DataContext, ...] = get_args(DataContext)
_AVAILABILITY_CONTEXTS: tuple[DataContext, ...] = tuple(word for word in _DATA_CONTEXTS if word != "*")
_SCHEMA_CONTEXTS: tuple[SchemaContext, ...] = get_args(SchemaContext)
_STRUCTURE_DETAILS: tuple[StructureDetail, ...] = get_args(StructureDetail)
_METADATA_DETAILS: tuple[MetadataDetail, ...] = get_args(MetadataDetail)
_MODES: tuple[AvailabilityMode, ...] = get_args(AvailabilityMode)

_NO_HINTS: Mapping[str, str] = MappingProxyType({})
_PERIOD_HINT = "In version 2 write c[TIME_PERIOD]=ge:START+le:END."
_DATA_HINTS = {
    "startPeriod": _PERIOD_HINT,
    "endPeriod": _PERIOD_HINT,
    "detail": "In version 2 write attributes=none (dataonly), measures=none (nodata), or both (serieskeysonly).",
}
_RESOURCE_HINTS = {
    "availableconstraint": "In version 2 this is availability/dataflow/{agency}/{id}/{version}/{key}.",
    **{name: f"In version 2 this is structure/{name}." for name in STRUCTURE_TYPES},
}
_FURTHER_RESOURCES = ("subscription",)  # maintenance.md, annex I: POST only
_ARTEFACT_PARTS = ("agencyID", "resourceID", "version")


def parse(path: str, query_string: str) -> Query:
    """What an address of SDMX-REST 2.2 asks for.

    Args:
        path: raw, percent-encoded path below ``/sdmx/v2/``.
        query_string: raw, percent-encoded text after ``?``.

    Raises:
        NotFound: the resource is unknown. NotBuilt: it is in the standard, and cannot be read here.
        UnknownParameter: the resource has no such parameter; names the nearest that it has.
        SyntaxFault: anything else does not follow the grammar.
        SemanticFault: the parts follow the grammar and contradict each other.
    """
    resource, *parts = text.split_path(path)
    reader = _READERS.get(resource)
    if reader is None:
        raise text.unknown_resource(resource, RESOURCES, _RESOURCE_HINTS, _FURTHER_RESOURCES)
    return reader(parts, query_string)


# ------------------------------------------------------------------------------------------------------ parts in common


def _words(parts: Mapping[str, str], name: str, pattern: re.Pattern[str] = text.ID) -> tuple[str, ...]:
    return text.read_ids(parts.get(name, "*"), ",", f"The part {name} of the path", pattern)


def _context(parts: Mapping[str, str], contexts: Collection[DataContext]) -> DataContext:
    return text.choose(parts.get("context", "*"), contexts, "The part context of the path")


# -------------------------------------------------------------------------------------------------- data, availability


_DATA_PARTS = ("context", *_ARTEFACT_PARTS, "key")
_DATA_PARAMETERS = (
    *("c", "updatedAfter", "firstNObservations", "lastNObservations", "dimensionAtObservation", "attributes"),
    *("measures", "includeHistory", "offset", "limit", "sort", "asOf", "reportingYearStartDay", "includeSources"),
)


def _read_data(parts: Sequence[str], query_string: str) -> DataQuery:
    named = text.require_parts(parts, _DATA_PARTS)
    parameters = Parameters(query_string, "data", _DATA_PARAMETERS, _DATA_HINTS)
    query = DataQuery(
        context=_context(named, _DATA_CONTEXTS),
        agencies=_words(named, "agencyID", text.AGENCY),
        ids=_words(named, "resourceID"),
        versions=text.read_versions(named.get("version", "*")),
        keys=conditions.read_keys(named.get("key", "*")),
        filters=conditions.read_filters(parameters.filters),
        updated_after=parameters.moment("updatedAfter"),
        reporting_year_start_day=parameters.start_day(),
        representation=parameters.representation(),
        first_n=parameters.number("firstNObservations", 1),
        last_n=parameters.number("lastNObservations", 1),
        dimension_at_observation=parameters.name_of_dimension(),
        attributes=parameters.words("attributes", ("dsd",)),
        measures=parameters.words("measures", ("all",)),
        include_history=parameters.flag("includeHistory"),
        include_sources=parameters.flag("includeSources"),
        offset=parameters.number("offset", 0) or 0,
        limit=parameters.number("limit", 1),
        sort=_sort(parameters.text("sort")),
        as_of=parameters.moment("asOf"),
    )
    _check_data(query)
    return query


def _check_data(query: DataQuery) -> None:
    if query.as_of is not None and query.updated_after is not None and query.updated_after > query.as_of:
        raise SemanticFault("updatedAfter is later than asOf.", hint="Ask for changes before the moment of asOf.")
    for name, words in (("attributes", query.attributes), ("measures", query.measures)):
        if "none" in words and len(words) > 1:
            raise SemanticFault(f"The parameter {name} says none and something else.", hint="Leave out one of them.")
    if query.include_sources:
        _check_sources(query)


def _check_sources(query: DataQuery) -> None:
    """What includeSources goes together with: the figures of one release, series by series as they are."""
    others = {
        "updatedAfter": query.updated_after is not None,
        "includeHistory": query.include_history,
        "firstNObservations": query.first_n is not None,
        "lastNObservations": query.last_n is not None,
        "measures=none": query.measures == ("none",),
    }
    for name in (name for name, is_given in others.items() if is_given):
        raise SemanticFault(
            f"includeSources and {name} do not go together.",
            hint="Leave out one of them; asOf goes together with includeSources.",
        )


def _sort(value: str | None) -> tuple[SortKey, ...]:
    if value is None:
        return ()
    return tuple(_sort_key(member, value) for member in text.split_list(value, "+", "The parameter sort"))


def _sort_key(member: str, whole: str) -> SortKey:
    component, colon, direction = member.partition(":")
    if component != "*" and not text.NESTED_ID.fullmatch(component):
        hint = "Write ids of components with + between them, * or series_key, each with :asc or :desc if wanted."
        raise text.fault("The parameter sort", whole, f"{text.shorten(component)} is not an identifier", hint)
    if colon and direction not in ("asc", "desc"):
        hint = "Write :asc or :desc."
        raise text.fault("The parameter sort", whole, f"{text.shorten(direction)} is not a direction", hint)
    return SortKey(component=component, descending=direction == "desc")


_AVAILABILITY_PARTS = (*_DATA_PARTS, "componentID")
_AVAILABILITY_PARAMETERS = ("c", "updatedAfter", "references", "mode", "reportingYearStartDay")


def _read_availability(parts: Sequence[str], query_string: str) -> AvailabilityQuery:
    named = text.require_parts(parts, _AVAILABILITY_PARTS)
    if "context" not in named:
        raise SyntaxFault("The path has no context.", hint=f"Write availability/{_AVAILABILITY_CONTEXTS[1]}/....")
    parameters = Parameters(query_string, "availability", _AVAILABILITY_PARAMETERS, _DATA_HINTS)
    return AvailabilityQuery(
        context=_context(named, _AVAILABILITY_CONTEXTS),
        agencies=_words(named, "agencyID", text.AGENCY),
        ids=_words(named, "resourceID"),
        versions=text.read_versions(named.get("version", "*")),
        keys=conditions.read_keys(named.get("key", "*")),
        filters=conditions.read_filters(parameters.filters),
        updated_after=parameters.moment("updatedAfter"),
        reporting_year_start_day=parameters.start_day(),
        representation=parameters.representation(),
        component_ids=_words(named, "componentID"),
        references=parameters.some_of("references", AVAILABILITY_REFERENCES, ("none",)),
        mode=parameters.one_of("mode", _MODES, "exact"),
    )


# --------------------------------------------------------------------------------------------------- structure, schema


_STRUCTURE_PARTS = ("artefactType", *_ARTEFACT_PARTS, "itemID")


def _read_structure(parts: Sequence[str], query_string: str) -> StructureQuery:
    named = text.require_parts(parts, _STRUCTURE_PARTS)
    parameters = Parameters(query_string, "structure", ("detail", "references", "asOf"), _NO_HINTS)
    kind = _artefact_type(named)
    items = _items(named.get("itemID", "*"))
    if items != ("*",) and kind not in ITEM_SCHEMES:
        raise SyntaxFault(f"The artefact type {kind} has no items to choose from.", hint="Leave out the part itemID.")
    return StructureQuery(
        types=(kind,),
        agencies=_words(named, "agencyID", text.AGENCY),
        ids=_words(named, "resourceID"),
        versions=text.read_versions(named.get("version", "~")),
        items=items,
        detail=parameters.one_of("detail", _STRUCTURE_DETAILS, "full"),
        references=parameters.some_of("references", REFERENCES, ("none",)),
        as_of=parameters.moment("asOf"),
        representation=parameters.representation(),
    )


def _artefact_type(parts: Mapping[str, str]) -> str:
    kind = parts.get("artefactType", "*")
    if kind in ("all", "structure"):
        return "*"
    return text.choose(kind, ("*", *STRUCTURE_TYPES), "The part artefactType of the path")


def _items(value: str) -> tuple[str, ...]:
    """Ids of items; any text, since the values of value lists are (structures.md, *itemID*)."""
    members = text.split_list(value, ",", "The part itemID of the path")
    return ("*",) if "*" in members else tuple(map(text.restore, members))


_SCHEMA_PARTS = ("context", *_ARTEFACT_PARTS)
_SCHEMA_PARAMETERS = ("dimensionAtObservation", "deletion", "asOf")
_SCHEMA_HINTS = {"explicitMeasure": "This is version 1; version 2 has measures of its own and needs none."}


def _read_schema(parts: Sequence[str], query_string: str) -> SchemaQuery:
    named = text.require_parts(parts, _SCHEMA_PARTS)
    missing = [name for name in _SCHEMA_PARTS[:3] if name not in named]
    if missing:
        raise SyntaxFault(f"The path has no {missing[0]}.", hint="Write schema/{context}/{agencyID}/{resourceID}.")
    parameters = Parameters(query_string, "schema", _SCHEMA_PARAMETERS, _SCHEMA_HINTS)
    return SchemaQuery(
        context=text.choose(named["context"], _SCHEMA_CONTEXTS, "The part context of the path"),
        agency=_single(named["agencyID"], "agencyID", text.AGENCY),
        id=_single(named["resourceID"], "resourceID", text.ID),
        version=_single_version(named.get("version", "~")),
        dimension_at_observation=parameters.name_of_dimension(),
        deletion=parameters.flag("deletion"),
        as_of=parameters.moment("asOf"),
        representation=parameters.representation(),
    )


def _single(value: str, name: str, pattern: re.Pattern[str]) -> str:
    if not pattern.fullmatch(value):
        hint = "Write one identifier; lists and wildcards are not possible here."
        raise text.fault(f"The part {name} of the path", value, "this is not an identifier", hint)
    return value


def _single_version(value: str) -> str:
    versions = text.read_versions(value)
    if "," in value:
        raise text.fault("The part version of the path", value, "this is a list", "Write one version.")
    return versions[0]


# ----------------------------------------------------------------------------------------------------------- metadata


_METADATA_PARTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "metadataset": ("agencyID", "resourceID", "version"),
        "metadataflow": (*_ARTEFACT_PARTS, "providerRef"),
        "structure": ("artefactType", *_ARTEFACT_PARTS),
    }
)


def _read_metadata(parts: Sequence[str], query_string: str) -> MetadataQuery:
    by = parts[0] if parts else ""
    if by in STRUCTURE_TYPES and by not in _METADATA_PARTS:
        raise SyntaxFault(f"metadata/{by} is not an address.", hint=f"Write metadata/structure/{by}.")
    text.choose(by, tuple(_METADATA_PARTS), "The part after metadata")
    named = text.require_parts(parts[1:], _METADATA_PARTS[by])
    parameters = Parameters(query_string, "metadata", ("detail", "asOf"), _NO_HINTS)
    return MetadataQuery(
        by=text.choose(by, ("metadataset", "metadataflow", "structure"), "The part after metadata"),
        artefact_type=_artefact_type(named),
        agencies=_words(named, "agencyID", text.AGENCY),
        ids=_words(named, "resourceID", text.NESTED_ID if by == "metadataset" else text.ID),
        versions=text.read_versions(named.get("version", "~")),
        providers=_providers(named.get("providerRef", "*")),
        detail=parameters.one_of("detail", _METADATA_DETAILS, "full"),
        as_of=parameters.moment("asOf"),
        representation=parameters.representation(),
    )


def _providers(value: str) -> tuple[ProviderRef, ...]:
    if value == "*":
        return ()
    return tuple(map(_provider, text.split_list(value, ",", "The part providerRef of the path")))


def _provider(member: str) -> ProviderRef:
    agency, dot, name = member.rpartition(".")
    agency = agency if dot else "*"
    if (agency != "*" and not text.AGENCY.fullmatch(agency)) or (name != "*" and not text.ID.fullmatch(name)):
        hint = "Write AGENCY.PROVIDER or PROVIDER, several with ','."
        raise text.fault("The part providerRef of the path", member, "this is not a provider", hint)
    return ProviderRef(agency=agency, id=name)


# ------------------------------------------------------------------------------------------------------- registration


def _read_registration(parts: Sequence[str], query_string: str) -> RegistrationQuery:
    by = parts[0] if parts else "*"
    if by == "id":
        return _read_registration_by_id(parts[1:], query_string)
    parameters = Parameters(query_string, "registration", ("updatedAfter", "updatedBefore"), _NO_HINTS)
    if by == "provider":
        named = text.require_parts(parts[1:], ("agencyID", "resourceID"))
    else:
        text.choose(by, ("id", "provider", *_DATA_CONTEXTS), "The part after registration")
        named = text.require_parts(parts, ("context", *_ARTEFACT_PARTS))
    return RegistrationQuery(
        by="provider" if by == "provider" else "context",
        context=_context(named, _DATA_CONTEXTS),
        agencies=_words(named, "agencyID", text.AGENCY),
        ids=_words(named, "resourceID"),
        versions=text.read_versions(named.get("version", "*")),
        updated_after=parameters.moment("updatedAfter"),
        updated_before=parameters.moment("updatedBefore"),
        representation=parameters.representation(),
    )


def _read_registration_by_id(parts: Sequence[str], query_string: str) -> RegistrationQuery:
    named = text.require_parts(parts, ("registrationID",))
    parameters = Parameters(query_string, "registration/id", (), _NO_HINTS)
    if not named:
        raise SyntaxFault("The path has no id of a registration.", hint="Write registration/id/{registrationID}.")
    registration = _single(named["registrationID"], "registrationID", text.ID)
    return RegistrationQuery(by="id", registration_id=registration, representation=parameters.representation())


_READERS: Mapping[str, Callable[[Sequence[str], str], Query]] = MappingProxyType(
    {
        "data": _read_data,
        "availability": _read_availability,
        "structure": _read_structure,
        "schema": _read_schema,
        "metadata": _read_metadata,
        "registration": _read_registration,
    }
)
