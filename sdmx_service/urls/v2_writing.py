"""Queries as addresses of SDMX-REST 2.2: the inverse of ``v2.parse``.

What equals a default of the standard is left out.
"""

from __future__ import annotations

from sdmx_service.errors import SemanticFault
from sdmx_service.model.query import (
    AvailabilityQuery,
    DataQuery,
    DataSlice,
    MetadataQuery,
    ProviderRef,
    Query,
    RegistrationQuery,
    SchemaQuery,
    StructureQuery,
)
from sdmx_service.urls import conditions, text
from sdmx_service.urls.text import unless

_DATA_DEFAULTS = (None, "*", "*", "*", "*", "*")
_AVAILABILITY_DEFAULTS = (None, None, "*", "*", "*", "*", "*")
_STRUCTURE_DEFAULTS = (None, "*", "*", "*", "~", "*")
_SCHEMA_DEFAULTS = (None, None, None, None, "~")


def format(query: Query) -> tuple[str, str]:
    """The address that says the query: raw path below ``/sdmx/v2/`` and raw query string.

    Parts and parameters that equal the standard's defaults are left out. The query is taken to be one that
    :func:`parse` could have given.

    Raises:
        SemanticFault: version 2 cannot say it (a query of version 1 with providers, say).
    """
    match query:
        case DataQuery():
            return _format_data(query)
        case AvailabilityQuery():
            return _format_availability(query)
        case StructureQuery():
            return _format_structure(query)
        case SchemaQuery():
            return _format_schema(query)
        case MetadataQuery():
            return _format_metadata(query)
        case RegistrationQuery():
            return _format_registration(query)


def _format_data(query: DataQuery) -> tuple[str, str]:
    path = text.write_path(["data", *_slice_parts(query)], _DATA_DEFAULTS)
    parameters = [
        *conditions.write_filters(query.filters),
        ("updatedAfter", text.write_moment(query.updated_after)),
        ("firstNObservations", _number(query.first_n)),
        ("lastNObservations", _number(query.last_n)),
        ("dimensionAtObservation", query.dimension_at_observation),
        ("attributes", unless(",".join(query.attributes), "dsd")),
        ("measures", unless(",".join(query.measures), "all")),
        ("includeHistory", "true" if query.include_history else None),
        ("includeSources", "true" if query.include_sources else None),
        ("offset", unless(str(query.offset), "0")),
        ("limit", _number(query.limit)),
        ("sort", "+".join(key.component + ":desc" * key.descending for key in query.sort) or None),
        ("asOf", text.write_moment(query.as_of)),
        ("reportingYearStartDay", query.reporting_year_start_day),
        *text.representation_parameters(query.representation),
    ]
    return path, text.write_query(parameters, ("sort",))


def _slice_parts(query: DataSlice) -> list[str]:
    if query.providers or query.start_period is not None or query.end_period is not None:
        raise SemanticFault(
            "Version 2 has no parameters for providers and periods.",
            hint="Use the context provisionagreement, and a filter on TIME_PERIOD.",
        )
    names = (query.agencies, query.ids, query.versions)
    return [query.context, *map(",".join, names), conditions.write_keys(query.keys)]


def _number(value: int | None) -> str | None:
    return None if value is None else str(value)


def _format_availability(query: AvailabilityQuery) -> tuple[str, str]:
    parts = ["availability", *_slice_parts(query), ",".join(query.component_ids)]
    parameters = [
        *conditions.write_filters(query.filters),
        ("updatedAfter", text.write_moment(query.updated_after)),
        ("references", unless(",".join(query.references), "none")),
        ("mode", unless(query.mode, "exact")),
        ("reportingYearStartDay", query.reporting_year_start_day),
        *text.representation_parameters(query.representation),
    ]
    return text.write_path(parts, _AVAILABILITY_DEFAULTS), text.write_query(parameters)


def _format_structure(query: StructureQuery) -> tuple[str, str]:
    items = query.items if query.items == ("*",) else [text.protect(item, "%+,*") for item in query.items]
    names = (query.types, query.agencies, query.ids, query.versions, items)
    parameters = [
        ("detail", unless(query.detail, "full")),
        ("references", unless(",".join(query.references), "none")),
        ("asOf", text.write_moment(query.as_of)),
        *text.representation_parameters(query.representation),
    ]
    path = text.write_path(["structure", *map(",".join, names)], _STRUCTURE_DEFAULTS)
    return path, text.write_query(parameters)


def _format_schema(query: SchemaQuery) -> tuple[str, str]:
    if query.explicit_measure:
        raise SemanticFault("Version 2 has no explicitMeasure.", hint="Ask in version 1.")
    parts = ["schema", query.context, query.agency, query.id, query.version]
    parameters = [
        ("dimensionAtObservation", query.dimension_at_observation),
        ("deletion", "true" if query.deletion else None),
        ("asOf", text.write_moment(query.as_of)),
        *text.representation_parameters(query.representation),
    ]
    return text.write_path(parts, _SCHEMA_DEFAULTS), text.write_query(parameters)


def _write_provider(provider: ProviderRef) -> str:
    return provider.id if provider.agency == "*" and provider.id != "*" else f"{provider.agency}.{provider.id}"


def _format_metadata(query: MetadataQuery) -> tuple[str, str]:
    if query.flow is not None:
        raise SemanticFault("Version 2 cannot choose reference metadata by key.", hint="Ask in version 1.")
    names = list(map(",".join, (query.agencies, query.ids, query.versions)))
    parts, defaults = ["metadata", query.by, *names], [None, None, "*", "*", "~"]
    if query.by == "metadataflow":
        parts.append(",".join(map(_write_provider, query.providers)) or "*")
        defaults.append("*")
    elif query.by == "structure":
        parts.insert(2, query.artefact_type)
        defaults.insert(2, "*")
    parameters = [
        ("detail", unless(query.detail, "full")),
        ("asOf", text.write_moment(query.as_of)),
        *text.representation_parameters(query.representation),
    ]
    return text.write_path(parts, defaults), text.write_query(parameters)


def _format_registration(query: RegistrationQuery) -> tuple[str, str]:
    wish = text.representation_parameters(query.representation)
    if query.by == "id":
        return text.write_path(["registration", "id", query.registration_id or ""], [None] * 3), text.write_query(wish)
    names = [",".join(query.agencies), ",".join(query.ids)]
    if query.by == "provider":
        path = text.write_path(["registration", "provider", *names], [None, None, "*", "*"])
    else:
        parts = ["registration", query.context, *names, ",".join(query.versions)]
        path = text.write_path(parts, [None, "*", "*", "*", "*"])
    parameters = [
        ("updatedAfter", text.write_moment(query.updated_after)),
        ("updatedBefore", text.write_moment(query.updated_before)),
        *wish,
    ]
    return path, text.write_query(parameters)
