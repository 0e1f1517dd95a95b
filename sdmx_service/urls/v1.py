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

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import get_args

from sdmx_service.errors import SemanticFault, SyntaxFault
from sdmx_service.model.period import parse_period
from sdmx_service.model.query import (
    DETAIL_CONTENT,
    AvailabilityMode,
    AvailabilityQuery,
    DataDetail,
    DataQuery,
    DataSlice,
    Key,
    MetadataQuery,
    ProviderRef,
    Query,
    SchemaContext,
    SchemaQuery,
    StructureDetail,
    StructureQuery,
)
from sdmx_service.urls import text
from sdmx_service.urls.text import Parameters, unless

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
_VERSION = re.compile(r"\d+(?:\.\d+)*", re.ASCII)


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
            raise _unspeakable(f"a {type(query).__name__}")


def _unspeakable(what: str) -> SemanticFault:
    return SemanticFault(f"Version 1 of the interface cannot say {what}.", hint="Ask in version 2.")


# ------------------------------------------------------------------------------------------------------ parts in common


def _ids(value: str, name: str, pattern: re.Pattern[str] = text.ID) -> tuple[str, ...]:
    place = f"The part {name} of the path"
    if "," in value:
        raise text.fault(place, value, "a ',' stands in it", "In version 1 several values are joined by '+'.")
    if value in ("*", "~"):
        raise text.fault(place, value, "this is the wildcard of version 2", "Write all or latest.")
    return text.read_ids(value, "+", place, pattern, wildcard="all")


def _version(value: str) -> str:
    """One version in the words of version 2 (*standard*: ``latest`` ``all`` or numbers with points)."""
    word = {"all": "*", "latest": "~"}.get(value)
    if word is not None:
        return word
    if not _VERSION.fullmatch(value):
        hint = "Write numbers with points, latest, or all."
        raise text.fault("The part version of the path", value, "this is not a version", hint)
    return text.read_versions(value)[0]


def _versions(value: str) -> tuple[str, ...]:
    versions = tuple(map(_version, text.split_list(value, "+", "The part version of the path")))
    return ("*",) if "*" in versions else versions


def _write_versions(versions: Sequence[str]) -> str:
    return "+".join(map(_write_version, versions))


def _write_version(version: str) -> str:
    word = {"*": "all", "~": "latest"}.get(version, version)
    if word == version and not _VERSION.fullmatch(version):
        raise _unspeakable(f"the version {version}")
    return word


def _write_ids(ids: Sequence[str]) -> str:
    return "+".join("all" if each == "*" else each for each in ids)


def _flow(value: str) -> tuple[str, str, str]:
    """Agency, id and version of ``AGENCY,ID,VERSION``, of which only the id must be there (4_4_data_queries.md)."""
    place, pieces = "The flow", value.split(",")
    if not all(pieces) or len(pieces) > 3:
        raise text.fault(place, value, "this is not a flow", "Write ID, AGENCY,ID or AGENCY,ID,VERSION.")
    agency, name = pieces[:2] if len(pieces) > 1 else ("all", pieces[0])
    checked = (*_ids(agency, "flow", text.AGENCY), *_ids(name, "flow"))
    if len(checked) > 2:
        raise text.fault(place, value, "it names several flows", "Ask for one flow at a time, or for all.")
    return checked[0], checked[1], _version(pieces[2] if len(pieces) > 2 else "latest")


def _write_flow(query: DataSlice) -> str:
    names = (query.agencies, query.ids, query.versions)
    if query.context != "dataflow" or any(len(each) != 1 for each in names):
        raise _unspeakable("several flows, or anything but a flow")
    version = _write_version(query.versions[0])
    pieces = [_write_ids(query.agencies), _write_ids(query.ids), version]
    if version == "latest":
        pieces.pop()
        if pieces[0] == "all":
            pieces.pop(0)
    return ",".join(pieces)


def _keys(value: str) -> tuple[Key, ...]:
    """The key, if it is one: positions between points, empty for any value, codes joined by ``+``."""
    if value in ("", "all", "*"):
        return ()
    if "," in value:
        raise text.fault("The key", value, "a ',' stands in it", "In version 1 join codes of one position by '+'.")
    return (tuple(_position(position) for position in value.split(".")),)


def _position(position: str) -> tuple[str, ...] | None:
    if position in ("", "*"):
        return None
    codes = text.split_list(position, "+", "A position of the key")
    if "*" in codes:
        hint = "Leave the position empty for any value."
        raise text.fault("A position of the key", position, "a * stands beside codes", hint)
    return tuple(map(text.restore, codes))


def _write_key(keys: Sequence[Key]) -> str:
    if len(keys) > 1:
        raise _unspeakable("several keys")
    return ".".join("+".join(map(text.protect, codes or ())) for codes in keys[0]) if keys else "all"


def _providers(value: str) -> tuple[ProviderRef, ...]:
    if value == "all":
        return ()
    return tuple(map(_provider, text.split_list(value, "+", "The provider")))


def _provider(member: str) -> ProviderRef:
    pieces = member.split(",")
    if not all(pieces) or len(pieces) > 2:
        raise text.fault("The provider", member, "this is not a provider", "Write ID or AGENCY,ID, several with '+'.")
    agency, name = pieces if len(pieces) > 1 else ("all", pieces[0])
    return ProviderRef(agency=_ids(agency, "provider", text.AGENCY)[0], id=_ids(name, "provider")[0])


def _write_providers(providers: Sequence[ProviderRef]) -> str:
    return "+".join(map(_write_provider, providers)) or "all"


def _write_provider(provider: ProviderRef) -> str:
    agency, name = _write_ids((provider.agency,)), _write_ids((provider.id,))
    return name if agency == "all" and name != "all" else f"{agency},{name}"


def _period(parameters: Parameters, name: str) -> str | None:
    """A standard time period, as written (4_4_data_queries.md: dateTime, Gregorian or reporting period, no range)."""
    value = parameters.text(name)
    if value is not None:
        if "/" in value:
            raise text.fault(f"The parameter {name}", value, "this is a time range", "Write its first or last period.")
        parse_period(value)
    return value


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
    agency, name, version = _flow(named["flow"])
    detail = parameters.one_of("detail", _DETAILS, "full")
    attributes, measures = DETAIL_CONTENT[detail]
    return DataQuery(
        api="v1",
        context="dataflow",
        agencies=(agency,),
        ids=(name,),
        versions=(version,),
        providers=_providers(named["provider"]),
        keys=_keys(named["key"]),
        start_period=_period(parameters, "startPeriod"),
        end_period=_period(parameters, "endPeriod"),
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
        raise _unspeakable("this choice of attributes and measures")
    if query.sort or query.offset or query.limit is not None or query.as_of is not None:
        raise _unspeakable("sort, offset, limit and asOf")
    if query.include_sources:
        raise _unspeakable("includeSources")
    parts = [resource, _write_flow(query), _write_key(query.keys), _write_providers(query.providers)]
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
        raise _unspeakable("filters on components and reportingYearStartDay")


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
    agency, name, version = _flow(named["flow"])
    return AvailabilityQuery(
        api="v1",
        context="dataflow",
        agencies=(agency,),
        ids=(name,),
        versions=(version,),
        providers=_providers(named["provider"]),
        keys=_keys(named["key"]),
        start_period=_period(parameters, "startPeriod"),
        end_period=_period(parameters, "endPeriod"),
        updated_after=parameters.moment("updatedAfter"),
        representation=parameters.representation(),
        component_ids=_ids(named["componentID"], "componentID"),
        references=(parameters.one_of("references", AVAILABILITY_REFERENCES, "none"),),
        mode=parameters.one_of("mode", _MODES, "exact"),
    )


def _format_availability(query: AvailabilityQuery) -> tuple[str, str]:
    _check_speakable(query)
    parts = ["availableconstraint", _write_flow(query), _write_key(query.keys), _write_providers(query.providers)]
    parameters = [
        *_slice_parameters(query),
        ("references", unless(_only(query.references, "reference"), "none")),
        ("mode", unless(query.mode, "exact")),
        *text.representation_parameters(query.representation),
    ]
    path = text.write_path([*parts, _write_ids(query.component_ids)], _AVAILABILITY_DEFAULTS)
    return path, text.write_query(parameters)


def _only(words: Sequence[str], what: str) -> str:
    if len(words) != 1:
        raise _unspeakable(f"more than one {what}")
    return words[0]


# --------------------------------------------------------------------------------------------------- structure, schema


_STRUCTURE_PARTS = ("agencyID", "resourceID", "version", "itemID")
_STRUCTURE_DEFAULTS = (None, "all", "all", "latest", "all")


def _read_structure(resource: str, parts: Sequence[str], query_string: str) -> StructureQuery:
    named = text.require_parts(parts, _STRUCTURE_PARTS)
    parameters = Parameters(query_string, resource, ("detail", "references"), _STRUCTURE_HINTS)
    items = _ids(named.get("itemID", "all"), "itemID", text.NESTED_ID)
    if items != ("*",) and resource not in ITEM_SCHEMES:
        raise SyntaxFault(f"The resource {resource} has no items to choose from.", hint="Leave out the part itemID.")
    return StructureQuery(
        api="v1",
        types=("*" if resource == "structure" else resource,),
        agencies=_ids(named.get("agencyID", "all"), "agencyID", text.AGENCY),
        ids=_ids(named.get("resourceID", "all"), "resourceID"),
        versions=_versions(named.get("version", "latest")),
        items=items,
        detail=parameters.one_of("detail", _STRUCTURE_DETAILS, "full"),
        references=(parameters.one_of("references", REFERENCES, "none"),),
        representation=parameters.representation(),
    )


def _format_structure(query: StructureQuery) -> tuple[str, str]:
    resource = _only(query.types, "artefact type")
    resource = "structure" if resource == "*" else resource
    if resource not in RESOURCES or query.detail == "raw" or query.as_of is not None:
        raise _unspeakable(f"{resource}, detail=raw or asOf")
    names = [_write_ids(query.agencies), _write_ids(query.ids), _write_versions(query.versions)]
    parameters = [
        ("detail", unless(query.detail, "full")),
        ("references", unless(_only(query.references, "reference"), "none")),
        *text.representation_parameters(query.representation),
    ]
    path = text.write_path([resource, *names, _write_ids(query.items)], _STRUCTURE_DEFAULTS)
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
    agencies, ids = _ids(named["agencyID"], "agencyID", text.AGENCY), _ids(named["resourceID"], "resourceID")
    if len(agencies) > 1 or len(ids) > 1 or "*" in (*agencies, *ids):
        raise SyntaxFault("A schema is for one artefact.", hint="Write one agency and one id.")
    return SchemaQuery(
        api="v1",
        context=text.choose(named["context"], _SCHEMA_CONTEXTS, "The part context of the path"),
        agency=agencies[0],
        id=ids[0],
        version=_version(named.get("version", "latest")),
        dimension_at_observation=parameters.name_of_dimension(),
        explicit_measure=parameters.flag("explicitMeasure"),
        representation=parameters.representation(),
    )


def _format_schema(query: SchemaQuery) -> tuple[str, str]:
    if query.deletion or query.as_of is not None or query.context not in _SCHEMA_CONTEXTS:
        raise _unspeakable("deletion, asOf or metadataprovisionagreement")
    parts = ["schema", query.context, query.agency, query.id, _write_version(query.version)]
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
