"""What ``/openapi.json`` says, as tables: paths, parameters, statuses; ``openapi`` puts them together.

The words of parameters come from where the addresses are read (``urls``), media types from the table of formats and
statuses of errors from ``problems``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args

from sdmx_service.formats.registry import Kind
from sdmx_service.model.query import AvailabilityMode, DataContext, DataDetail, SchemaContext, StructureDetail
from sdmx_service.urls import v1, v2

Where = Literal["path", "query", "header"]
Schema = Mapping[str, Any]
_ID = r"^[A-Za-z0-9_@$\-]+$"
_LIST = r"^(\*|[A-Za-z0-9_@$\-]+(,[A-Za-z0-9_@$\-]+)*)$"
_OLD_LIST = r"^[A-Za-z0-9_@$\-]+(\+[A-Za-z0-9_@$\-]+)*$"


def _text(pattern: str | None = None, example: str = "") -> Schema:
    found: dict[str, Any] = {"type": "string", "minLength": 1}
    if pattern:
        found["pattern"] = pattern
    if example:
        found["examples"] = [example]
    return found


def _word(words: object, default: str | None = None) -> Schema:
    found: dict[str, Any] = {"type": "string", "enum": list(words)}  # type: ignore[call-overload]
    return found if default is None else found | {"default": default}


_MOMENT: Schema = {"type": "string", "format": "date-time"}
_FLAG: Schema = {"type": "boolean", "default": False}
_POSITIVE: Schema = {"type": "integer", "minimum": 1}
_PERIOD = _text(example="2020-Q1")


class Parameter(NamedTuple):
    """A parameter of a path or query."""

    schema: Schema
    description: str
    style: str = ""


PATH_V2: Mapping[str, Parameter] = {
    "agencyID": Parameter(
        _text(r"^(\*|[A-Za-z0-9_.\-]+(,[A-Za-z0-9_.\-]+)*)$", "SDMX"), "Maintainers, several with a comma, or *."
    ),
    "resourceID": Parameter(_text(_LIST, "CL_FREQ"), "Ids, several with a comma, or *."),
    "version": Parameter(
        _text(r"^[0-9A-Za-z.+~*,\-]+$", "1.0+.0"), "Versions or version expressions, several with a comma."
    ),
    "key": Parameter(
        _text(example="A.*"), "Keys: values by dimension joined by dots, * for any, several with a comma."
    ),
    "componentID": Parameter(_text(_LIST), "Dimensions whose values are asked for, or *."),
    "itemID": Parameter(_text(), "Items of a scheme, several with a comma, or *."),
    "providerRef": Parameter(
        _text(r"^(\*|[A-Za-z0-9_@$*\-]+(\.[A-Za-z0-9_@$*\-]+)*)$"), "AGENCY.PROVIDER, several with a comma, or *."
    ),
    "registrationID": Parameter(_text(_ID), "The id of one registration."),
    "context": Parameter(_word(get_args(DataContext)), "What the figures were reported against."),
    "availabilityContext": Parameter(
        _word(one for one in get_args(DataContext) if one != "*"), "What the figures were reported against."
    ),
    "schemaContext": Parameter(_word(get_args(SchemaContext)), "What a schema is asked for."),
    "artefactType": Parameter(_word(("*", *v2.STRUCTURE_TYPES)), "The type of structures."),
    "itemScheme": Parameter(_word(sorted(v2.ITEM_SCHEMES)), "A type of structures that have items."),
    "oneID": Parameter(_text(_ID, "CL_FREQ"), "One id."),
    "oneAgency": Parameter(_text(r"^[A-Za-z][A-Za-z0-9_.\-]*$", "SDMX"), "One maintainer."),
    "oneVersion": Parameter(_text(r"^[0-9A-Za-z.+~*\-]+$", "1.0.0"), "One version or version expression."),
}
"""Parts of paths of version 2, by the names that the tables of operations use."""

PATH_V1: Mapping[str, Parameter] = {
    "flowRef": Parameter(_text(r"^[A-Za-z0-9_@$.,\-]+$"), "AGENCY,ID,VERSION, or fewer parts from the end."),
    "key": Parameter(
        _text(example="all"), "Values by dimension joined by dots, several with +, nothing for any; or all."
    ),
    "providerRef": Parameter(_text(r"^[A-Za-z0-9_@$.,+\-]+$", "all"), "AGENCY,ID or ID, several with +, or all."),
    "componentID": Parameter(_text(_ID, "all"), "The dimension whose values are asked for, or all."),
    "resource": Parameter(_word(("structure", *v1.STRUCTURE_RESOURCES)), "The resource of structures."),
    "itemScheme": Parameter(_word(sorted(v1.ITEM_SCHEMES)), "A resource of structures that have items."),
    "agencyID": Parameter(_text(r"^[A-Za-z][A-Za-z0-9_.+\-]*$", "all"), "Maintainers, several with +, or all."),
    "resourceID": Parameter(_text(_OLD_LIST, "all"), "Ids, several with +, or all."),
    "version": Parameter(
        _text(r"^(all|latest|[0-9]+(\.[0-9]+)*)$", "latest"), "A version, several with +, latest or all."
    ),
    "itemID": Parameter(_text(_OLD_LIST), "Items, several with +, or all."),
    "schemaContext": Parameter(
        _word(one for one in get_args(SchemaContext) if one != "metadataprovisionagreement"),
        "What a schema is asked for.",
    ),
}

COMMON: Mapping[str, Parameter] = {
    "format": Parameter(_text(), "The format by a word, instead of Accept (an extension)."),
    "formatVersion": Parameter(_text(example="2.1.0"), "Its version (an extension)."),
    "compression": Parameter(_text(), "The compression, instead of Accept-Encoding (an extension)."),
    "lang": Parameter(_text(example="en"), "The language of names, instead of Accept-Language (an extension)."),
}
"""Parameters of every resource of SDMX-REST."""

_DATA: Mapping[str, Parameter] = {
    "updatedAfter": Parameter(_MOMENT, "Only what was inserted, changed or deleted after this moment."),
    "firstNObservations": Parameter(_POSITIVE, "At most so many observations of each series, from the first."),
    "lastNObservations": Parameter(_POSITIVE, "At most so many observations of each series, back from the last."),
    "dimensionAtObservation": Parameter(_text(example="AllDimensions"), "A dimension, or AllDimensions."),
    "includeHistory": Parameter(_FLAG, "Every version of the figures."),
}
QUERY_V2: Mapping[str, Mapping[str, Parameter]] = {
    "data": {
        "c": Parameter(
            {"type": "object", "additionalProperties": {"type": "string"}},
            "Conditions on components, as c[ID]=op:value; commas are or, + is and.",
            "deepObject",
        ),
        **_DATA,
        "attributes": Parameter(_text(_LIST, "dsd"), "dsd, msd, dataset, series, obs, all, none, or ids."),
        "measures": Parameter(_text(_LIST, "all"), "all, none, or ids."),
        "offset": Parameter({"type": "integer", "minimum": 0}, "Observations to leave out at the beginning."),
        "limit": Parameter(_POSITIVE, "Observations at most."),
        "sort": Parameter(_text(), "Components joined by +, each with :asc or :desc; * or series_key."),
        "asOf": Parameter(_MOMENT, "The state at this moment."),
        "includeSources": Parameter(_FLAG, "A data set per provider whose figures are shown (an extension)."),
        "reportingYearStartDay": Parameter(_text(r"^--[0-9]{2}-[0-9]{2}$", "--01-01"), "The start of reporting years."),
    },
    "structure": {
        "detail": Parameter(_word(get_args(StructureDetail), "full"), "How much of each is told."),
        "references": Parameter(_word(v2.REFERENCES, "none"), "What is sent along, several with a comma."),
        "asOf": Parameter(_MOMENT, "The state at this moment."),
    },
    "schema": {
        "dimensionAtObservation": _DATA["dimensionAtObservation"],
        "deletion": Parameter(_FLAG, "A schema for messages that delete."),
        "asOf": Parameter(_MOMENT, "The state at this moment."),
    },
    "metadata": {
        "detail": Parameter(_word(("full", "allstubs"), "full"), "How much of each is told."),
        "asOf": Parameter(_MOMENT, "The state at this moment."),
    },
    "registration": {
        "updatedAfter": Parameter(_MOMENT, "Only what was registered after this moment."),
        "updatedBefore": Parameter(_MOMENT, "Only what was registered before this moment."),
    },
}
QUERY_V2 = {
    **QUERY_V2,
    "availability": {
        **{name: QUERY_V2["data"][name] for name in ("c", "updatedAfter", "reportingYearStartDay")},
        "references": Parameter(_word(v2.AVAILABILITY_REFERENCES, "none"), "What is sent along, several with a comma."),
        "mode": Parameter(_word(get_args(AvailabilityMode), "exact"), "What is there, or what could be added."),
    },
    "registration/id": {},
}
_PERIODS = {
    "startPeriod": Parameter(_PERIOD, "Periods from this one on."),
    "endPeriod": Parameter(_PERIOD, "Periods up to this one."),
}
QUERY_V1: Mapping[str, Mapping[str, Parameter]] = {
    "data": {**_PERIODS, **_DATA, "detail": Parameter(_word(get_args(DataDetail), "full"), "How much is told.")},
    "availability": {
        **_PERIODS,
        "updatedAfter": _DATA["updatedAfter"],
        "references": Parameter(_word(v1.AVAILABILITY_REFERENCES, "none"), "What is sent along."),
        "mode": QUERY_V2["availability"]["mode"],
    },
    "structure": {
        "detail": Parameter(
            _word((one for one in get_args(StructureDetail) if one != "raw"), "full"), "How much is told."
        ),
        "references": Parameter(_word(v1.REFERENCES, "none"), "What is sent along."),
    },
    "schema": {
        "dimensionAtObservation": _DATA["dimensionAtObservation"],
        "explicitMeasure": Parameter(_FLAG, "Measures as elements of their own."),
    },
}
QUERY_V1 = {**QUERY_V1, "metadata": QUERY_V1["data"]}


class Read(NamedTuple):
    """A resource of SDMX-REST that is read.

    Attributes:
        parts: the parts of its path, a name in braces being a parameter ``{name}`` or ``{name:table}``.
        least: how many parts there are at least.
    """

    kind: Kind
    summary: str
    parts: tuple[str, ...]
    least: int
    query: str = ""


_ARTEFACT = ("{agencyID}", "{resourceID}", "{version}")
_ONE = ("{agencyID:oneAgency}", "{resourceID:oneID}", "{version:oneVersion}")
READS_V2: tuple[Read, ...] = (
    Read("data", "Figures", ("data", "{context}", *_ARTEFACT, "{key}"), 1),
    Read(
        "availability",
        "What is available",
        ("availability", "{context:availabilityContext}", *_ARTEFACT, "{key}", "{componentID}"),
        2,
    ),
    Read("structure", "Structures", ("structure", "{artefactType}", *_ARTEFACT), 1),
    Read("structure", "Items of a scheme", ("structure", "{artefactType:itemScheme}", *_ARTEFACT, "{itemID}"), 6),
    Read("schema", "A schema", ("schema", "{context:schemaContext}", *_ONE), 4),
    Read("metadata", "Metadata sets", ("metadata", "metadataset", *_ARTEFACT), 2),
    Read("metadata", "Metadata of a flow", ("metadata", "metadataflow", *_ARTEFACT, "{providerRef}"), 2),
    Read("metadata", "Metadata of structures", ("metadata", "structure", "{artefactType}", *_ARTEFACT), 2),
    Read("registration", "One registration", ("registration", "id", "{registrationID}"), 3, "registration/id"),
    Read("registration", "Registrations of providers", ("registration", "provider", "{agencyID}", "{resourceID}"), 2),
    Read("registration", "Registrations of artefacts", ("registration", "{context}", *_ARTEFACT), 2),
)
READS_V1: tuple[Read, ...] = (
    Read("data", "Figures", ("data", "{flowRef}", "{key}", "{providerRef}"), 2),
    Read("metadata", "Metadata", ("metadata", "{flowRef}", "{key}", "{providerRef}"), 2),
    Read(
        "availability",
        "What is available",
        ("availableconstraint", "{flowRef}", "{key}", "{providerRef}", "{componentID}"),
        2,
    ),
    Read("schema", "A schema", ("schema", "{context:schemaContext}", "{agencyID}", "{resourceID}", "{version}"), 4),
    Read("structure", "Structures", ("{resource}", "{agencyID}", "{resourceID}", "{version}"), 1),
    Read(
        "structure",
        "Items of a scheme",
        ("{resource:itemScheme}", "{agencyID}", "{resourceID}", "{version}", "{itemID}"),
        5,
    ),
)


class Change(NamedTuple):
    """A change through SDMX-REST."""

    method: str
    path: tuple[str, ...]
    summary: str
    done: tuple[int, ...]
    body: str = "structure"


_ONE_STRUCTURE = ("structure", "{artefactType}", *_ONE)
CHANGES: tuple[Change, ...] = (
    Change("post", ("structure",), "Create structures", (200, 201, 207)),
    Change("post", ("structure", "{artefactType}"), "Create structures of a type", (200, 201, 207)),
    Change("put", _ONE_STRUCTURE, "Replace a structure", (200, 201, 207)),
    Change("delete", _ONE_STRUCTURE, "Delete a structure", (200,), ""),
    Change("delete", (*_ONE_STRUCTURE, "{itemID}"), "Delete an item", (200,), ""),
    Change("post", ("registration",), "Submit or query registrations", (200, 201, 207), "registry"),
    Change("post", ("subscription",), "Submit subscriptions", (200, 201, 207), "registry"),
    Change("post", ("metadata",), "Create metadata sets", (200, 201, 207), "metadata"),
    Change("post", ("metadata", "metadataset"), "Create metadata sets", (200, 201, 207), "metadata"),
    Change("put", ("metadata", "metadataset", *_ONE), "Create or replace a metadata set", (200, 201, 207), "metadata"),
    Change("delete", ("metadata", "metadataset", *_ONE), "Delete a metadata set", (200,), ""),
    Change("post", ("data",), "Submit figures", (200, 201, 202, 207), "data"),
)


class Own(NamedTuple):
    """An operation of the service's own interface.

    Attributes:
        path: as routes have it, without patterns.
        type: the media type of the answer.
        token: whether it wants a token.
        query: its parameters.
        body: the media type of the body; empty for none.
    """

    method: str
    path: str
    summary: str
    done: tuple[int, ...] = (200,)
    type: str = "application/json"
    token: bool = False
    query: tuple[str, ...] = ()
    body: str = ""


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OWN: tuple[Own, ...] = (
    Own(
        "post",
        "/api/submissions",
        "Submit a file",
        (201, 202),
        token=True,
        query=("dataflow", "provider", "mapping", "format", "encoding", "publish", "name", "url", "corrects", "xsd"),
        body="application/octet-stream",
    ),
    Own("get", "/api/submissions", "The receipts that the token may see", token=True),
    Own("get", "/api/submissions/{id}", "One receipt", token=True),
    Own("get", "/api/submissions/{id}/findings{suffix}", "The findings of a submission", token=True),
    Own("get", "/api/submissions/{id}/comments", "What office and compiler said", token=True),
    Own("get", "/api/submissions/{id}/history", "The entries of the log about a submission", token=True),
    Own(
        "get",
        "/api/submissions/{id}/data",
        "The figures of a submission, in any format of data",
        (200, 204),
        token=True,
    ),
    Own("get", "/api/submissions/{id}/difference", "What a correction changes", (200, 204), token=True),
    Own("post", "/api/submissions/{id}/approve", "Sign a submission off", token=True, body="application/json"),
    Own("post", "/api/submissions/{id}/refuse", "Send a submission back", token=True, body="application/json"),
    Own("post", "/api/submissions/{id}/schedule", "Publish at a moment", token=True, body="application/json"),
    Own("post", "/api/submissions/{id}/hold", "Take off its moment", token=True, body="application/json"),
    Own("post", "/api/submissions/{id}/publish", "Publish a submission", token=True, body="application/json"),
    Own("post", "/api/submissions/{id}/withdraw", "Withdraw a submission", token=True, body="application/json"),
    Own("post", "/api/submissions/{id}/comment", "Say something", (201,), token=True, body="application/json"),
    Own("post", "/api/submissions/{id}/{step}", "No other step", token=True),
    Own("get", "/api/embargoes", "Every embargo", token=True),
    Own("post", "/api/embargoes", "Hold figures back", (201,), token=True, body="application/json"),
    Own("post", "/api/embargoes/{id}/lift", "End an embargo early", token=True, body="application/json"),
    Own("get", "/api/policies/{policy}", "Who signs off, what is collected", token=True),
    Own("post", "/api/policies/{policy}", "Say it otherwise", (201,), token=True, body="application/json"),
    Own("delete", "/api/policies/{policy}/{id}", "Let one hold no more", token=True),
    Own("get", "/api/log", "Who did what and why", token=True, query=("after", "limit", "object")),
    Own("get", "/api/log/verify", "Whether the log is whole", token=True, query=("mark",)),
    Own("get", "/api/calendar{suffix}", "What is expected", token=True, query=("provider", "year", "status")),
    Own("get", "/api/releases", "Every release"),
    Own(
        "post",
        "/api/releases/{number}/restore",
        "A new release with the state of an old one",
        (201,),
        token=True,
        body="application/json",
    ),
    Own("get", "/api/releases/{a}/diff/{b}", "What two releases differ in", (200, 204), query=("dataflow",)),
    Own("get", "/api/tokens", "The tokens there are", token=True),
    Own("post", "/api/tokens", "A new token", (201,), token=True, body="application/json"),
    Own("post", "/api/tokens/{id}/rotate", "A new secret for a token", token=True),
    Own("post", "/api/tokens/{id}/revoke", "Revoke a token", token=True),
    Own("get", "/api/accounts", "The accounts of people", token=True),
    Own("post", "/api/accounts", "A new account, and its invitation", (201,), token=True, body="application/json"),
    Own(
        "post",
        "/api/accounts/{name}/{act}",
        "Invite the owner of an account, set its password, disable, enable, sign out, forget its factor, remove it",
        token=True,
        body="application/json",
    ),
    Own("get", "/api/undecided", "Values that wait for a decision", token=True),
    Own("get", "/api/decisions", "What was decided", token=True, query=("map", "provider", "all")),
    Own(
        "get",
        "/api/decisions.csv",
        "What was decided, as a table",
        type="text/csv",
        token=True,
        query=("map", "provider", "all"),
    ),
    Own("post", "/api/decisions", "Decide a value", (200, 201), token=True, body="application/json"),
    Own("get", "/api/mappings", "The mappings that read files", token=True),
    Own("post", "/api/mappings", "Take in any mapping", token=True, body="application/octet-stream"),
    Own(
        "get",
        "/api/mappings/{id}.{form}",
        "A mapping as a file",
        type=XLSX,
        token=True,
        query=("language", "decisions"),
    ),
    Own("put", "/api/mappings/{id}.xlsx", "Take in a mapping", token=True, body="application/octet-stream"),
    Own("get", "/api/sources", "The providers of a dataflow, the one that is shown first", query=("dataflow",)),
    Own(
        "put",
        "/api/sources",
        "Set whose figure is shown, as a release",
        (201,),
        token=True,
        query=("dataflow",),
        body="application/json",
    ),
    Own("get", "/api/sources/{api}/{path}", "The figures of every provider that a data query is about"),
    Own("get", "/api/coverage", "Who submitted what of a dataflow", query=("dataflow", "by", "code", "year")),
    Own(
        "get",
        "/api/coverage.csv",
        "Who submitted what, as a table",
        type="text/csv",
        query=("dataflow", "by", "code", "year"),
    ),
    Own("get", "/api/purges", "What was purged, by whom and why", token=True),
    Own("post", "/api/purges", "Remove stored values for good", (201,), token=True, body="application/json"),
    Own("get", "/api/confidentiality", "Which figures are hidden", token=True),
    Own("get", "/api/confidentiality/audit/{name}{suffix}", "Which hidden figures can be found out", token=True),
    Own("put", "/api/confidentiality/{id}", "Say which figures are hidden", token=True, body="application/json"),
    Own("get", "/api/dataflows/{name}", "The dataflow that a person means"),
    Own(
        "get",
        "/api/templates/{tables}",
        "A questionnaire",
        type=XLSX,
        token=True,
        query=("area", "years", "language", "questionnaire"),
    ),
    Own("get", "/api/counts/{api}/{path}", "How much a data query gives"),
    Own("get", "/api/bulk", "One file per dataflow and release"),
    Own("get", "/api/limits", "Every limit as data"),
    Own(
        "get",
        "/bulk/{agency}/{id}/{version}/{release}.{kind}",
        "A dataflow's file",
        (200, 206, 307),
        type="application/octet-stream",
    ),
    Own("get", "/openapi.json", "This description"),
    Own("get", "/health/live", "The process answers"),
    Own("get", "/health/ready", "The store answers"),
    Own("get", "/metrics", "Figures for an operator", type="text/plain"),
)

OWN_PATH: Mapping[str, Parameter] = {
    "id": Parameter(_text(), "An id."),
    "suffix": Parameter(_word(("", ".csv")), "The form of the findings; JSON without one."),
    "form": Parameter(_word(("xlsx", "json", "xml")), "The form of the file."),
    "policy": Parameter(_word(("sign_off", "collection")), "The kind of policy."),
    "step": Parameter(_text(r"^[a-z]+$"), "The step."),
    "act": Parameter(
        _word(("invite", "password", "disable", "enable", "sign-out", "forget-factor", "remove")),
        "What is done to an account.",
    ),
    "number": Parameter({"type": "integer", "minimum": 0, "maximum": 999999999}, "The number of a release."),
    "a": Parameter(_text(r"^[0-9]+$"), "A release."),
    "b": Parameter(_text(r"^[0-9]+$"), "Another release."),
    "name": Parameter(_text(), "A reference or an id."),
    "tables": Parameter(_text(), "Tables, several with a comma."),
    "api": Parameter(_word(("v1", "v2")), "The interface."),
    "path": Parameter(_text(example="data/dataflow"), "The address of the data query below it."),
    "agency": Parameter(_text(_ID), "A maintainer."),
    "version": Parameter(_text(r"^[0-9A-Za-z.\-]+$"), "A version."),
    "release": Parameter(_text(r"^([0-9]{1,9}|latest)$", "latest"), "A release, or latest."),
    "kind": Parameter(_text(r"^[a-z0-9.]+$", "csv"), "The kind of file."),
}
