"""``/openapi.json``: the description of everything below ``/sdmx`` and ``/api``, made of tables (OpenAPI 3.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

from sdmx_service import __version__
from sdmx_service.formats.registry import Kind, formats_for
from sdmx_service.rest import problems
from sdmx_service.rest.openapi_tables import (
    CHANGES,
    COMMON,
    OWN,
    OWN_PATH,
    PATH_V1,
    PATH_V2,
    QUERY_V1,
    QUERY_V2,
    READS_V1,
    READS_V2,
    Change,
    Own,
    Parameter,
    Read,
)

Node = dict[str, Any]
_BRACES = re.compile(r"\{(\w+)(?::(\w+))?\}")
_TABLES = {"v1": (READS_V1, PATH_V1, QUERY_V1), "v2": (READS_V2, PATH_V2, QUERY_V2)}
_CONDITIONAL = ("If-None-Match", "If-Modified-Since")
_REGISTRY = tuple(f"application/vnd.sdmx.registry+xml;version={version}" for version in ("3.1.0", "3.0.0"))
_JSON, _PROBLEM = "application/json", "application/problem+json"
_NO_CHANGE = (401, 409, 429)
"""Statuses that only a change gets."""


def routes() -> list[web.RouteDef]:
    """The route of the description."""
    return [web.get("/openapi.json", show)]


async def show(request: web.Request) -> web.Response:
    """``GET /openapi.json``."""
    return web.Response(body=_body(), headers={"Content-Type": "application/json"})


@cache
def _body() -> bytes:
    return orjson.dumps(description(), option=orjson.OPT_INDENT_2)


def description() -> Node:
    """The whole document."""
    paths: dict[str, Node] = {}
    for path, method, operation in (*_reads("v2"), *_changes(), *_reads("v1"), *map(_own, OWN)):
        paths.setdefault(path, {})[method] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "SDMX data exchange and dissemination",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "SDMX-REST 2.2 below /sdmx/v2 and 1.5 below /sdmx/v1, each with GET, HEAD and OPTIONS; the "
            "service's own interface below /api.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "parameters": _shared_parameters(),
            "responses": _responses(),
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


# --- SDMX-REST ------------------------------------------------------------------------------------------------------
def _reads(api: str) -> Iterator[tuple[str, str, Node]]:
    """Each resource once for each length that its path may have."""
    reads, parts, queries = _TABLES[api]
    for read in reads:
        query = queries[read.query or read.kind]
        for length in range(read.least, len(read.parts) + 1):
            names = read.parts[:length]
            yield _path(api, names), "get", _read(api, read, names, parts, query)


def _path(api: str, names: Sequence[str]) -> str:
    return f"/sdmx/{api}/" + "/".join(_BRACES.sub(r"{\1}", name) for name in names)


def _read(
    api: str, read: Read, names: Sequence[str], parts: Mapping[str, Parameter], query: Mapping[str, Parameter]
) -> Node:
    named = [found for name in names if (found := _BRACES.fullmatch(name))]
    parameters = [_parameter(one[1], parts[one[2] or one[1]], "path") for one in named]
    parameters += [_parameter(name, one, "query") for name, one in query.items()]
    parameters += [{"$ref": f"#/components/parameters/{name}"} for name in (*COMMON, *_CONDITIONAL)]
    responses: Node = {"200": _answer("The answer.", media_types(read.kind, api)), "304": {"description": "Unchanged."}}
    return {
        "operationId": f"{api}_{read.kind}_{len(names)}_" + "_".join(re.sub(r"\W", "", name) for name in names),
        "summary": read.summary,
        "tags": [f"SDMX-REST {api}"],
        "parameters": parameters,
        "responses": responses | _errors(api, without=_NO_CHANGE),
    }


def _shared_parameters() -> Node:
    """Parameters of every resource of SDMX-REST."""
    shared = {name: _parameter(name, one, "query") for name, one in COMMON.items()}
    condition = Parameter({"type": "string"}, "For 304.")
    return shared | {name: _parameter(name, condition, "header") for name in _CONDITIONAL}


def media_types(kind: Kind, api: str) -> tuple[str, ...]:
    """The media types that an interface offers for a kind of resource, the default first."""
    return tuple(media_type for one in formats_for(kind, api) for media_type in one.media_types)


def _parameter(name: str, one: Parameter, where: str) -> Node:
    node: Node = {"name": name, "in": where, "description": one.description, "schema": dict(one.schema)}
    if where == "path":
        node["required"] = True
    return node | ({"style": one.style, "explode": True} if one.style else {})


def _answer(words: str, types: Sequence[str]) -> Node:
    node: Node = {"description": words}
    return node | {"content": {one: {"schema": _schema_of(one)} for one in types}} if types else node


def _schema_of(media_type: str) -> Node:
    return {"type": "object"} if "json" in media_type else {"type": "string"}


def _errors(api: str, without: Sequence[int] = ()) -> Node:
    """Every error that an interface may give."""
    return {
        str(status): {"$ref": f"#/components/responses/{api}_{status}"}
        for status in problems.statuses(api)
        if status not in without
    }


def _responses() -> Node:
    """The errors of each interface, in the families that they may be told in."""
    found: Node = {}
    for api in ("v2", "v1", "api"):
        for status in problems.statuses(api):
            node: Node = {"description": HTTPStatus(status).phrase}
            if api == "api":
                node["content"] = {_PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
            elif status != HTTPStatus.NO_CONTENT:
                node["content"] = {problems.media_type(one): {"schema": {"type": "string"}} for one in _XML}
                node["content"][_JSON] = {"schema": {"$ref": "#/components/schemas/Errors"}}
            found[f"{api}_{status}"] = node
    return found


_XML: tuple[problems.Family, ...] = ("xml31", "xml30", "xml21")


def _changes() -> Iterator[tuple[str, str, Node]]:
    for one in CHANGES:
        yield _path("v2", one.path), one.method, _change(one)


def _change(one: Change) -> Node:
    named = [found for name in one.path if (found := _BRACES.fullmatch(name))]
    node: Node = {
        "operationId": f"v2_{one.method}_{len(one.path)}_" + "_".join(re.sub(r"\W", "", name) for name in one.path),
        "summary": one.summary,
        "tags": ["SDMX-REST v2, changes"],
        "security": [{"token": []}],
        "parameters": [_parameter(each[1], PATH_V2[each[2] or each[1]], "path") for each in named],
        "responses": {str(status): _answer("Done.", (*_REGISTRY, _JSON)) for status in one.done} | _errors("v2"),
    }
    if one.body:
        node["requestBody"] = {
            "required": True,
            "content": {media_type: {"schema": {"type": "string"}} for media_type in _accepted(one.body)},
        }
    return node


def _accepted(kind: str) -> tuple[str, ...]:
    if kind == "registry":
        return _REGISTRY
    if kind == "metadata":
        return media_types("metadata", "v2")
    return media_types("data" if kind == "data" else "structure", "v2")


# --- the service's own ----------------------------------------------------------------------------------------------
def _own(one: Own) -> tuple[str, str, Node]:
    names = _BRACES.findall(one.path)
    parameters = [_parameter(name, OWN_PATH[name], "path") for name, _ in names]
    parameters += [
        _parameter(name, Parameter({"type": "string"}, f"The {name} of what is asked or sent."), "query")
        for name in one.query
    ]
    responses: Node = {str(status): _answer("Done.", (one.type,)) for status in one.done}
    responses |= _errors("api")
    if one.path == "/api/submissions" and one.method == "post":
        responses["422"] = _answer("Refused, with the receipt; or not to be meant so.", (_JSON, _PROBLEM))
    node: Node = {
        "operationId": f"{one.method}_" + re.sub(r"\W+", "_", one.path).strip("_"),
        "summary": one.summary,
        "tags": ["The service's own"],
        "parameters": parameters,
        "responses": responses,
    }
    if one.token:
        node["security"] = [{"token": []}]
    if one.body:
        node["requestBody"] = {"required": True, "content": {one.body: {"schema": _schema_of(one.body)}}}
    return one.path, one.method, node


def _schemas() -> Node:
    text: Node = {"type": "string"}
    error = {
        "type": "object",
        "required": ["code"],
        "properties": {"code": {"type": "integer"}, "title": text, "detail": text},
    }
    problem = {"type": text, "title": text, "status": {"type": "integer"}, "detail": text, "code": text, "hint": text}
    return {
        "Errors": {
            "description": "An error message of SDMX-JSON.",
            "type": "object",
            "required": ["errors"],
            "properties": {"meta": {"type": "object"}, "errors": {"type": "array", "items": error}},
        },
        "Problem": {
            "description": "RFC 9457.",
            "type": "object",
            "required": ["title", "status"],
            "properties": problem,
        },
    }
