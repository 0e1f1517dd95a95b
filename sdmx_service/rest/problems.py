"""Errors as answers: one table from error families to HTTP status and SDMX code, rendered in the negotiated family.

SDMX-REST 2.2 status codes; SDMX-REST 1.5 appendix *SDMX error codes*; RFC 9457 below ``/api``.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Literal, NamedTuple
from xml.sax.saxutils import escape, quoteattr

import orjson

from sdmx_service import errors

Family = Literal["xml31", "xml30", "xml21", "json", "problem"]


class Status(NamedTuple):
    """HTTP status of both interfaces and SDMX's own code (1.5)."""

    v2: int
    v1: int
    sdmx: int


_TABLE: tuple[tuple[type[errors.SdmxError], Status], ...] = (
    (errors.NoResults, Status(204, 404, 100)),
    (errors.NotFound, Status(404, 404, 100)),
    (errors.UnresolvedReference, Status(404, 404, 100)),
    (errors.AddressTooLong, Status(414, 414, 140)),
    (errors.MethodNotAllowed, Status(405, 405, 140)),
    (errors.UnsupportedMediaType, Status(415, 415, 140)),
    (errors.NotAcceptable, Status(406, 406, 1000)),
    (errors.CannotWrite, Status(406, 406, 1000)),
    (errors.TooLarge, Status(413, 413, 130)),
    (errors.SyntaxFault, Status(400, 400, 140)),
    (errors.UnreadableFile, Status(400, 400, 140)),
    (errors.SemanticFault, Status(422, 403, 150)),
    (errors.InvalidStructure, Status(422, 403, 150)),
    (errors.Conflict, Status(409, 409, 1000)),
    (errors.NotAuthenticated, Status(401, 401, 110)),
    (errors.NotAllowed, Status(403, 403, 110)),
    (errors.TooManyAttempts, Status(429, 429, 110)),
    (errors.NotBuilt, Status(501, 501, 501)),
    (errors.StorageFault, Status(503, 503, 503)),
    (errors.SignInFault, Status(502, 502, 503)),
    (errors.Busy, Status(503, 503, 503)),
    (errors.Unreachable, Status(502, 502, 503)),
    (errors.SdmxError, Status(500, 500, 500)),
)
"""First match wins."""


def status_of(error: errors.SdmxError) -> Status:
    """The status of an error."""
    return next(status for kind, status in _TABLE if isinstance(error, kind))


def headers_of(error: errors.SdmxError) -> dict[str, str]:
    """The headers that belong to an error of rights (RFC 9110, 11.6.1 and 10.2.3)."""
    if isinstance(error, errors.NotAuthenticated):
        return {"WWW-Authenticate": "Bearer"}
    return {"Retry-After": str(error.seconds)} if isinstance(error, errors.TooManyAttempts) else {}


def statuses(api: str) -> tuple[int, ...]:
    """Every status that an error may have in an interface (``v2``, ``v1``, or ``api`` for the service's own)."""
    if api == "v1":
        return tuple(sorted({status.v1 for _, status in _TABLE}))
    return tuple(sorted({status.v2 for _, status in _TABLE} - ({204} if api == "api" else set())))


def media_type(family: Family) -> str:
    """The media type of an error in a family."""
    return _MEDIA_TYPES[family]


_NAMESPACES = {
    "xml31": "http://www.sdmx.org/resources/sdmxml/schemas/v3_1/",
    "xml30": "http://www.sdmx.org/resources/sdmxml/schemas/v3_0/",
    "xml21": "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/",
}
_MEDIA_TYPES = {
    "xml31": "application/vnd.sdmx.structure+xml;version=3.1.0",
    "xml30": "application/vnd.sdmx.structure+xml;version=3.0.0",
    "xml21": "application/xml",
    "json": "application/json",
    "problem": "application/problem+json",
}


_XML = re.compile(r"(^|[+/])xml\b")


def family_of(media_type: str, api: str) -> Family:
    """The error family that belongs to a representation; CSV and binary formats get JSON (v1: XML).

    XML without a version is the newest of the interface.
    """
    text = media_type.lower()
    if "json" not in text and _XML.search(text) is not None:
        if "3.1" in text or (api == "v2" and "version=" not in text):
            return "xml31"
        return "xml30" if "3.0" in text else "xml21"
    return "json" if "json" in text or api == "v2" else "xml21"


def render(error: errors.SdmxError, family: Family, api: str, sender: str = "unknown") -> tuple[int, str, bytes]:
    """HTTP status, content type and body of an error; 204 has no body. ``sender`` is named in a JSON message."""
    status = status_of(error)
    number = status.v1 if api == "v1" else status.v2
    if number == 204:
        return number, "", b""
    if family == "problem":
        return number, _MEDIA_TYPES[family], _problem(error, number)
    if family == "json":
        return number, _MEDIA_TYPES[family], _json(error, number, sender)
    code = status.sdmx if api == "v1" else number
    return number, _MEDIA_TYPES[family], _xml(error, code, _NAMESPACES[family])


def _problem(error: errors.SdmxError, status: int) -> bytes:
    body = {"type": "about:blank", "title": error.title, "status": status, "detail": error.detail, "code": error.code}
    return orjson.dumps(body | ({"hint": error.hint} if error.hint else {}))


def _text(error: errors.SdmxError) -> str:
    return error.detail + (f" {error.hint}" if error.hint else "")


def _json(error: errors.SdmxError, status: int, sender: str) -> bytes:
    """A message of SDMX-JSON 2.1, whose ``meta`` is mandatory."""
    meta = {"id": error.code, "prepared": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "sender": {"id": sender}}
    problem = {"code": status, "title": error.title, "detail": f"{_text(error)} [{error.code}]"}
    return orjson.dumps({"meta": meta, "errors": [problem]})


def _xml(error: errors.SdmxError, code: int, namespace: str) -> bytes:
    text = escape(f"{error.title}: {_text(error)} [{error.code}]")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<message:Error xmlns:message={quoteattr(namespace + 'message')}"
        f" xmlns:common={quoteattr(namespace + 'common')}>"
        f'<message:ErrorMessage code="{code}"><common:Text xml:lang="en">{text}</common:Text></message:ErrorMessage>'
        "</message:Error>\n"
    ).encode()
