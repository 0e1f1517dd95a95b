"""SDMX-REST 1.5 addresses, the interface of SDMX 2.1: ``parse`` reads one, ``format`` writes one.

Sources: sdmx-rest 1.5.0, docs/4_3_structural_queries.md, 4_4_data_queries.md, 4_5_schema_queries.md,
4_6_1_other_queries.md and its OpenAPI file. The words ``all`` and ``latest`` become ``*`` and ``~`` of version 2.
Decisions where the documents say nothing:

* *choice:* the version of a flow may be ``all`` as well, and an empty key (``data/FLOW//PROVIDER``) is ``all``.
* *choice:* a position of a key that is ``*`` (version 2's wildcard, sent by some clients) is read as empty; anywhere
  else ``*`` is refused.
* *choice:* lists of ids are joined by ``+`` as written in the documents; ``,`` is refused, with a word about it.
* *choice:* ``metadata`` is read in full, as :attr:`MetadataQuery.flow`; its grammar is that of data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import get_args

from sdmx_service.errors import SyntaxFault
from sdmx_service.model.query import (
    DETAIL_CONTENT,
    AvailabilityMode,
    AvailabilityQuery,
    DataDetail,
    DataQuery,
    DataSlice,
    MetadataQuery,
    Query,
    SchemaContext,
    SchemaQuery,
    StructureDetail,
    StructureQuery,
)
from sdmx_service.urls import text
from sdmx_service.urls.text import Parameters, unless
from sdmx_service.urls.v1_parts import (
    read_flow,
    read_ids,
    read_keys,
    read_period,
    read_providers,
    read_version,
    read_versions,
    unspeakable,
    write_flow,
    write_ids,
    write_key,
    write_providers,
    write_version,
    write_versions,
)

STRUCTURE_RESOURCES = (
    *("datastructure", "metadatastructure", "categoryscheme", "conceptscheme", "codelist", "hierarchicalcodelist"),
    *("organisationscheme", "agencyscheme", "dataproviderscheme", "dataconsumerscheme", "organisationunitscheme"),
    *("dataflow", "metadataflow", "reportingtaxonomy", "provisionagreement", "structureset", "process"),
    *("categorisation", "contentconstraint", "actualconstraint", "allowedconstraint", "attachmentconstraint"),
    *("transformationscheme", "rulesetscheme", "userdefinedoperatorscheme", "customtypescheme"),
    *("namepersonalisationscheme", "vtlmappingscheme"),
)
"""The 28 resources of structure queries; ``structure`` stands for all of them."""

ITEM_SCHEMES = frozenset(
    (
        *("categoryscheme", "conceptscheme", "codelist", "hierarchicalcodelist", "organisationscheme", "agencyscheme"),
        *("dataproviderscheme", "dataconsumerscheme", "organisationunitscheme", "reportingtaxonomy"),
        *("transformationscheme", "rulesetscheme", "userdefinedoperatorscheme", "customtypescheme"),
        *("namepersonalisationscheme", "vtlmappingscheme"),
    )
)
"""Resources that take an item id."""

RESOURCES = ("data", "metadata", "availableconstraint", "schema", "structure", *STRUCTURE_RESOURCES)
"""Resources that can be read here: all of SDMX-REST 1.5."""

REFERENCES = ("none", "parents", "parentsandsiblings", "children", "descendants", "all", *STRUCTURE_RESOURCES)
"""Words of ``references`` in structure queries; one at a time."""

AVAILABILITY_REFERENCES = (
    *("none", "codelist", "datastructure", "conceptscheme", "dataflow", "dataproviderscheme", "all"),
)
"""Words of ``references`` in availability queries; one at a time."""

_DETAILS: tuple[DataDetail, ...] = get_args(DataDetail)
_STRUCTURE_DETAILS: tuple[StructureDetail, ...] = tuple(word for word in get_args(StructureDetail) if word != "raw")
_MODES: tuple[AvailabilityMode, ...] = get_args(AvailabilityMode)
_SCHEMA_CONTEXTS: tuple[SchemaContext, ...] = tuple(
    word for word in get_args(SchemaContext) if word != "metadataprovisionagreement"
)

_NEW = "This parameter came with version 2 of the interface."
_DATA_HINTS = {
    "c": "Version 1 filters by key, startPeriod and endPeriod.",
    "attributes": "In version 1 write detail=dataonly for data without attributes.",
    "measures": "In version 1 write detail=nodata for attributes without data.",
    **dict.fromkeys(("offset", "limit", "sort", "asOf", "reportingYearStartDay"), _NEW),
}
_STRUCTURE_HINTS = {"asOf": _NEW}
_RESOURCE_HINTS = {
    "availability": "In version 1 this is availableconstraint/{flow}/{key}.",
    "hierarchy": "In version 1 this is hierarchicalcodelist.",
    "dataconstraint": "In version 1 this is contentconstraint.",
    "structuremap": "In version 1 this is structureset.",
}
_FURTHER_RESOURCES = ("namealiasscheme",)  # in the OpenAPI file only; SDMX has no such artefact


def parse(path: str, query_string: str) -> Query:
    """What an address of SDMX-REST 1.5 asks for.

    Args:
        path: raw, percent-encoded path below ``/sdmx/v1/``.
        query_string: raw, percent-encoded text after ``?``.

    Raises:
        NotFound: the resource is unknown. NotBuilt: it is in the standard, and cannot be read here.
        UnknownParameter: the resource has no such parameter; names the nearest that it has.
        SyntaxFault: anything else does not follow the grammar.
    """
    resource, *parts = text.split_path(path)
    if resource in STRUCTURE_RESOURCES or resource == "structure":
        return _read_structure(resource, parts, query_string)
    reader = _READERS.get(resource)
    if reader is None:
        raise text.unknown_resource(resource, RESOURCES, _RESOURCE_HINTS, _FURTHER_RESOURCES)
    return reader(parts, query_string)


def format(query: Query) -> tuple[str, str]:
    """The address that says the query: raw path below ``/sdmx/v1/`` and raw query string.

    Parts and parameters that equal the standard's defaults are left out. The query is taken to be one that
    :func:`parse` could have given.

    Raises:
        SemanticFault: version 1 cannot say it.
    """
    match query:
        case DataQuery():
            return _format_data("data", query)
        case AvailabilityQuery():
            return _format_availability(query)
        case StructureQuery():
            return _format_structure(query)
        case SchemaQuery():
            return _format_schema(query)
        case MetadataQuery(flow=DataQuery() as flow):
            return _format_data("metadata", flow)
        case _:
            raise unspeakable(f"a {type(query).__name__}")


# ----------------------------------------------------------------------------------------- data, metadata, availability


_DATA_PARAMETERS = (
    *("startPeriod", "endPeriod", "updatedAfter", "firstNObservations", "lastNObservations"),
    *("dimensionAtObservation", "detail", "includeHistory"),
)
_DATA_DEFAULTS = (None, None, "all", "all")


def _flow_parts(parts: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """The parts by name, with defaults; the key alone may be empty."""
    filled = list(parts)
    if len(filled) > 1 and not filled[1]:
        filled[1] = "all"
    named = text.require_parts(filled, names)
    if not named.get("flow"):
        raise SyntaxFault("The path has no flow.", hint="Write ID, AGENCY,ID or AGENCY,ID,VERSION after the resource.")
    return dict.fromkeys(names, "all") | named


def _read_data(parts: Sequence[str], query_string: str, resource: str = "data") -> DataQuery:
    named = _flow_parts(parts, ("flow", "key", "provider"))
    parameters = Parameters(query_string, resource, _DATA_PARAMETERS, _DATA_HINTS)
    agency, name, version = read_flow(named["flow"])
    detail = parameters.one_of("detail", _DETAILS, "full")
    attributes, measures = DETAIL_CONTENT[detail]
    return DataQuery(
        api="v1",
        context="dataflow",
        agencies=(agency,),
        ids=(name,),
        versions=(version,),
        providers=read_providers(named["provider"]),
        keys=read_keys(named["key"]),
        start_period=read_period(parameters, "startPeriod"),
        end_period=read_period(parameters, "endPeriod"),
        updated_after=parameters.moment("updatedAfter"),
        representation=parameters.representation(),
        first_n=parameters.number("firstNObservations", 1),
        last_n=parameters.number("lastNObservations", 1),
        dimension_at_observation=parameters.name_of_dimension(),
        attributes=attributes,
        measures=measures,
        include_history=parameters.flag("includeHistory"),
        detail=detail,
    )


def _read_metadata(parts: Sequence[str], query_string: str) -> MetadataQuery:
    flow = _read_data(parts, query_string, "metadata")
    return MetadataQuery(
        api="v1",
        by="metadataflow",
        agencies=flow.agencies,
        ids=flow.ids,
        versions=flow.versions,
        providers=flow.providers,
        flow=flow,
        representation=flow.representation,
    )


def _format_data(resource: str, query: DataQuery) -> tuple[str, str]:
    _check_speakable(query)
    if (query.attributes, query.measures) != DETAIL_CONTENT[query.detail]:
        raise unspeakable("this choice of attributes and measures")
    if query.sort or query.offset or query.limit is not None or query.as_of is not None:
        raise unspeakable("sort, offset, limit and asOf")
    if query.include_sources:
        raise unspeakable("includeSources")
    parts = [resource, write_flow(query), write_key(query.keys), write_providers(query.providers)]
    parameters = [
        *_slice_parameters(query),
        ("firstNObservations", _number(query.first_n)),
        ("lastNObservations", _number(query.last_n)),
        ("dimensionAtObservation", query.dimension_at_observation),
        ("detail", unless(query.detail, "full")),
        ("includeHistory", "true" if query.include_history else None),
        *text.representation_parameters(query.representation),
    ]
    return text.write_path(parts, _DATA_DEFAULTS), text.write_query(parameters)


def _check_speakable(query: DataSlice) -> None:
    if query.filters or query.reporting_year_start_day is not None:
        raise unspeakable("filters on components and reportingYearStartDay")


def _slice_parameters(query: DataSlice) -> list[tuple[str, str | None]]:
    return [
        ("startPeriod", query.start_period),
        ("endPeriod", query.end_period),
        ("updatedAfter", text.write_moment(query.updated_after)),
    ]


def _number(value: int | None) -> str | None:
    return None if value is None else str(value)


_AVAILABILITY_PARAMETERS = ("startPeriod", "endPeriod", "updatedAfter", "references", "mode")
_AVAILABILITY_DEFAULTS = (None, None, "all", "all", "all")


def _read_availability(parts: Sequence[str], query_string: str) -> AvailabilityQuery:
    named = _flow_parts(parts, ("flow", "key", "provider", "componentID"))
    parameters = Parameters(query_string, "availableconstraint", _AVAILABILITY_PARAMETERS, _DATA_HINTS)
    agency, name, version = read_flow(named["flow"])
    return AvailabilityQuery(
        api="v1",
        context="dataflow",
        agencies=(agency,),
        ids=(name,),
        versions=(version,),
        providers=read_providers(named["provider"]),
        keys=read_keys(named["key"]),
        start_period=read_period(parameters, "startPeriod"),
        end_period=read_period(parameters, "endPeriod"),
        updated_after=parameters.moment("updatedAfter"),
        representation=parameters.representation(),
        component_ids=read_ids(named["componentID"], "componentID"),
        references=(parameters.one_of("references", AVAILABILITY_REFERENCES, "none"),),
        mode=parameters.one_of("mode", _MODES, "exact"),
    )


def _format_availability(query: AvailabilityQuery) -> tuple[str, str]:
    _check_speakable(query)
    parts = ["availableconstraint", write_flow(query), write_key(query.keys), write_providers(query.providers)]
    parameters = [
        *_slice_parameters(query),
        ("references", unless(_only(query.references, "reference"), "none")),
        ("mode", unless(query.mode, "exact")),
        *text.representation_parameters(query.representation),
    ]
    path = text.write_path([*parts, write_ids(query.component_ids)], _AVAILABILITY_DEFAULTS)
    return path, text.write_query(parameters)


def _only(words: Sequence[str], what: str) -> str:
    if len(words) != 1:
        raise unspeakable(f"more than one {what}")
    return words[0]


# --------------------------------------------------------------------------------------------------- structure, schema


_STRUCTURE_PARTS = ("agencyID", "resourceID", "version", "itemID")
_STRUCTURE_DEFAULTS = (None, "all", "all", "latest", "all")


def _read_structure(resource: str, parts: Sequence[str], query_string: str) -> StructureQuery:
    named = text.require_parts(parts, _STRUCTURE_PARTS)
    parameters = Parameters(query_string, resource, ("detail", "references"), _STRUCTURE_HINTS)
    items = read_ids(named.get("itemID", "all"), "itemID", text.NESTED_ID)
    if items != ("*",) and resource not in ITEM_SCHEMES:
        raise SyntaxFault(f"The resource {resource} has no items to choose from.", hint="Leave out the part itemID.")
    return StructureQuery(
        api="v1",
        types=("*" if resource == "structure" else resource,),
        agencies=read_ids(named.get("agencyID", "all"), "agencyID", text.AGENCY),
        ids=read_ids(named.get("resourceID", "all"), "resourceID"),
        versions=read_versions(named.get("version", "latest")),
        items=items,
        detail=parameters.one_of("detail", _STRUCTURE_DETAILS, "full"),
        references=(parameters.one_of("references", REFERENCES, "none"),),
        representation=parameters.representation(),
    )


def _format_structure(query: StructureQuery) -> tuple[str, str]:
    resource = _only(query.types, "artefact type")
    resource = "structure" if resource == "*" else resource
    if resource not in RESOURCES or query.detail == "raw" or query.as_of is not None:
        raise unspeakable(f"{resource}, detail=raw or asOf")
    names = [write_ids(query.agencies), write_ids(query.ids), write_versions(query.versions)]
    parameters = [
        ("detail", unless(query.detail, "full")),
        ("references", unless(_only(query.references, "reference"), "none")),
        *text.representation_parameters(query.representation),
    ]
    path = text.write_path([resource, *names, write_ids(query.items)], _STRUCTURE_DEFAULTS)
    return path, text.write_query(parameters)


_SCHEMA_PARTS = ("context", "agencyID", "resourceID", "version")
_SCHEMA_DEFAULTS = (None, None, None, None, "latest")
_SCHEMA_HINTS = dict.fromkeys(("deletion", "asOf"), _NEW)


def _read_schema(parts: Sequence[str], query_string: str) -> SchemaQuery:
    named = text.require_parts(parts, _SCHEMA_PARTS)
    missing = [name for name in _SCHEMA_PARTS[:3] if name not in named]
    if missing:
        raise SyntaxFault(f"The path has no {missing[0]}.", hint="Write schema/{context}/{agencyID}/{resourceID}.")
    parameters = Parameters(query_string, "schema", ("dimensionAtObservation", "explicitMeasure"), _SCHEMA_HINTS)
    agencies, ids = read_ids(named["agencyID"], "agencyID", text.AGENCY), read_ids(named["resourceID"], "resourceID")
    if len(agencies) > 1 or len(ids) > 1 or "*" in (*agencies, *ids):
        raise SyntaxFault("A schema is for one artefact.", hint="Write one agency and one id.")
    return SchemaQuery(
        api="v1",
        context=text.choose(named["context"], _SCHEMA_CONTEXTS, "The part context of the path"),
        agency=agencies[0],
        id=ids[0],
        version=read_version(named.get("version", "latest")),
        dimension_at_observation=parameters.name_of_dimension(),
        explicit_measure=parameters.flag("explicitMeasure"),
        representation=parameters.representation(),
    )


def _format_schema(query: SchemaQuery) -> tuple[str, str]:
    if query.deletion or query.as_of is not None or query.context not in _SCHEMA_CONTEXTS:
        raise unspeakable("deletion, asOf or metadataprovisionagreement")
    parts = ["schema", query.context, query.agency, query.id, write_version(query.version)]
    parameters = [
        ("dimensionAtObservation", query.dimension_at_observation),
        ("explicitMeasure", "true" if query.explicit_measure else None),
        *text.representation_parameters(query.representation),
    ]
    return text.write_path(parts, _SCHEMA_DEFAULTS), text.write_query(parameters)


_READERS: Mapping[str, Callable[[Sequence[str], str], Query]] = MappingProxyType(
    {
        "data": _read_data,
        "metadata": _read_metadata,
        "availableconstraint": _read_availability,
        "schema": _read_schema,
    }
)
