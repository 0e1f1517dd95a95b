"""What changes something below ``/sdmx/v2``: structures, metadata sets, registrations (SDMX-REST 2.2, maintenance.md).

The answer to whatever names artefacts is a registry message of SDMX-ML, also where JSON was asked (*standard*); what
cannot even be read is answered with an error message like a query.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO, Literal, TypeVar
from urllib.parse import unquote

from aiohttp import web

from sdmx_service.auth import Principal
from sdmx_service.dissemination.heading import header_from
from sdmx_service.errors import (
    InvalidStructure,
    NoResults,
    NotBuilt,
    SyntaxFault,
    UnknownParameter,
    UnreadableFile,
    UnsupportedMediaType,
)
from sdmx_service.formats.recognition import head_of, recognise
from sdmx_service.formats.registry import (
    FORMATS,
    Format,
    Kind,
    RegistrationsRequest,
    read_registrations_request,
    submitted_actions,
    write_registrations_response,
    write_structure_response,
)
from sdmx_service.formats.registry import named as named_format
from sdmx_service.maintenance.registrations import submit_registrations
from sdmx_service.maintenance.structures import Address, delete_structure, status_of, submit_structures
from sdmx_service.model.message import Header, Message, Party, Target, WriteOptions
from sdmx_service.model.query import MetadataQuery, StructureQuery
from sdmx_service.model.registration import Result
from sdmx_service.model.urn import Ref, Version, artefact_type, artefact_type_of_resource
from sdmx_service.rest.bodies import MAX_MESSAGE, MAX_QUESTION, spool
from sdmx_service.rest.identity import principal_of
from sdmx_service.rest.methods import Place
from sdmx_service.rest.negotiation import parse_accept
from sdmx_service.rest.resources import resource_of
from sdmx_service.rest.service import SERVICE, Service
from sdmx_service.urls import v2

T = TypeVar("T")
_PLAIN = (
    "", "application/xml", "text/xml", "application/json", "application/octet-stream", "text/plain",
    "application/x-www-form-urlencoded",
)  # fmt: skip
"""Media types that say nothing about the message, whose looks then decide; the last is what curl sends by itself."""
_REGISTRY = "application/vnd.sdmx.registry+xml"
_ANY = ("*",)


async def change(request: web.Request, place: Place) -> web.StreamResponse:
    """The answer to POST, PUT or DELETE of structures, or to POST of registrations.

    Raises:
        SdmxError: nothing can be said about a single artefact.
    """
    service = request.app[SERVICE]
    _refuse_parameters(request)
    if place.resource == "registration":
        return await _registry_message(request, service)
    principal = await principal_of(request)
    principal.must_maintain()
    address = _address(place, request.method)
    if request.method == "DELETE":
        results = await in_thread(service, lambda: delete_structure(address, service.library, principal))
        return _answer(results, _version(request, ""), service, principal)
    method: Literal["POST", "PUT"] = "PUT" if request.method == "PUT" else "POST"
    with tempfile.TemporaryFile() as spooled:
        await spool(request, spooled, min(MAX_MESSAGE, service.max_body))
        media_type = request.headers.get("Content-Type")
        kind: Kind = "metadata" if place.resource == "metadata" else "structure"
        sent, version = await in_thread(service, lambda: _read(spooled, media_type, kind))
    results = await in_thread(
        service, lambda: submit_structures(sent, address, service.library, principal, method=method)
    )
    return _answer(results, _version(request, version), service, principal)


async def in_thread(service: Service, work: Callable[[], T]) -> T:
    """Something synchronous, done in a worker thread."""
    return await asyncio.get_running_loop().run_in_executor(service.executor, work)


def _refuse_parameters(request: web.Request) -> None:
    query = request.raw_path.partition("?")[2]
    if query:
        raise UnknownParameter(f"{query[:200]!r}: {request.method} takes no parameters here.", hint="Leave them out.")


def _address(place: Place, method: str) -> Address:
    """What the path names, read with the grammar of queries.

    Raises:
        SyntaxFault: it is none, or does not name exactly one artefact where one is needed.
    """
    if place.resource == "metadata":
        return _metadata_address(place, method)
    query = v2.parse("/".join((place.resource, *place.parts[:4])), "")
    assert isinstance(query, StructureQuery)
    if method == "POST":
        if len(query.types) > 1:
            raise SyntaxFault(f"{','.join(query.types)} are several types.", hint="Name one type, or none.")
        return Address(kind=None if query.types == _ANY else artefact_type_of_resource(query.types[0]))
    for name, value in (("agencyID", query.agencies), ("resourceID", query.ids), ("version", query.versions)):
        if len(value) > 1 or value == _ANY:
            raise SyntaxFault(f"{method} needs exactly one {name}.", hint="Name one artefact fully.")
    kind = artefact_type_of_resource(query.types[0])
    assert kind is not None
    Version.parse(query.versions[0])
    ref = Ref(type=kind.name, agency=query.agencies[0], id=query.ids[0], version=query.versions[0])
    return Address(kind=kind, ref=ref, item=unquote(place.parts[4]) if len(place.parts) > 4 else None)


def _metadata_address(place: Place, method: str) -> Address:
    """The address of a metadata set, which PUT also creates (*pre-standard*: pull request 257), or of all of them."""
    kind = artefact_type("MetadataSet")
    if method == "POST":
        return Address(kind=kind)
    query = v2.parse("/".join((place.resource, *place.parts)), "")
    assert isinstance(query, MetadataQuery)
    for name, value in (("providerID", query.agencies), ("metadatasetID", query.ids)):
        if len(value) > 1 or value == _ANY:
            raise SyntaxFault(f"{method} needs exactly one {name}.", hint="Name one metadata set fully.")
    ref = Ref(type="MetadataSet", agency=query.agencies[0], id=query.ids[0], version=query.versions[0])
    return Address(kind=kind, ref=ref, may_create=True)


# --- the way in -----------------------------------------------------------------------------------------------------
def _read(spooled: IO[bytes], media_type: str | None, kind: Kind) -> tuple[Message, str]:
    """The message in a body, and the version of SDMX-ML it came in (empty for JSON).

    Raises:
        UnsupportedMediaType: the Content-Type is of something else.
        UnreadableFile: the body is not what it claims to be.
        NotBuilt: it asks for a deletion, which has a method of its own.
    """
    head = head_of(spooled, media_type=media_type)
    read = _format(head.declared, spooled, media_type, kind).read
    assert read is not None
    root = head.xml_root
    if root is not None and root[0] == "RegistryInterface":
        unknown = submitted_actions(spooled) - {"Append", "Replace", "Merge"}
        if unknown:
            raise NotBuilt(f"The action {', '.join(sorted(unknown))} is not built for SubmitStructureRequest.",
                           hint="To delete, send DELETE to the address of the artefact.")  # fmt: skip
        spooled.seek(0)
    try:
        message = read(spooled, _no_data)
    except RecursionError:
        raise UnreadableFile("The message is nested too deeply.", hint="Send it flatter.") from None
    assert isinstance(message, Message)
    return message, "3.0" if root is not None and "/v3_0/" in head.text[:4096] else ""


def _no_data(ref: Ref) -> Target:
    raise InvalidStructure("A structure message holds no data.")


def _format(declared: str, spooled: IO[bytes], media_type: str | None, kind: Kind) -> Format:
    """The format that the Content-Type names, else the one that the body looks like."""
    plain = (*_PLAIN, "text/csv") if kind == "metadata" else _PLAIN
    said = declared.replace("registry+xml", "structure+xml")
    readable = [one for one in FORMATS if one.read is not None and kind in one.kinds]
    fitting = [one for one in readable if any(said == own.partition(";")[0] for own in one.media_types)]
    if declared not in plain and not fitting:
        known = ", ".join(dict.fromkeys(one.media_types[0] for one in readable))
        raise UnsupportedMediaType(f"This address reads no {declared}.", hint=f"Send one of {known}.")
    if declared not in plain and len(fitting) == 1:
        return fitting[0]
    return recognise(head_of(spooled, media_type=media_type), kind)


async def _registry_message(request: web.Request, service: Service) -> web.StreamResponse:
    """Registrations submitted, which needs a token, or asked for, which needs none (maintenance.md, annex I)."""
    principal = await principal_of(request) if "Authorization" in request.headers else None
    with tempfile.TemporaryFile() as spooled:
        await spool(request, spooled, min(MAX_QUESTION if principal is None else MAX_MESSAGE, service.max_body))
        declared = head_of(spooled, media_type=request.headers.get("Content-Type")).declared
        if declared not in (*_PLAIN, _REGISTRY):
            raise UnsupportedMediaType(f"Registrations are not read from {declared}.", hint=f"Send {_REGISTRY}.")
        asked = await in_thread(service, lambda: read_registrations_request(spooled))
    version = _version(request, asked.version)
    if asked.query is not None:
        return _registry(200, version, await in_thread(service, lambda: _found(asked, version, service)))
    submitter = principal or await principal_of(request)
    results = await in_thread(service, lambda: submit_registrations(asked.requests, service.library, submitter))
    body = write_registrations_response(results, version, _header(service, submitter))
    return _registry(status_of(results), version, body)


def _found(asked: RegistrationsRequest, version: str, service: Service) -> bytes:
    """The answer to a ``QueryRegistrationRequest``, which may hold no result."""
    assert asked.query is not None
    message = Message(header=header_from(service.sender))
    if not asked.finds_nothing:
        with suppress(NoResults):
            answer = resource_of(asked.query).message
            message = answer(asked.query, service.library.view(), service.library, service.sender)
    write = named_format(f"registry-xml-{version}").write
    assert write is not None
    return b"".join(write(message, WriteOptions()))


# --- the way out ----------------------------------------------------------------------------------------------------
def _version(request: web.Request, sent: str) -> str:
    """The version of the answer: the one accepted, else that in which the request came, else the newest."""
    for one in parse_accept(request.headers.get("Accept")):
        said = one.parameters.get("version", "")
        if one.type.endswith("+xml") and one.quality > 0 and said[:3] in ("3.0", "3.1"):
            return said[:3]
    if "version=3.0" in request.headers.get("Content-Type", "").replace('"', "").replace(" ", ""):
        return "3.0" if "+xml" in request.headers["Content-Type"] else "3.1"
    return sent if sent == "3.0" else "3.1"


def _header(service: Service, principal: Principal) -> Header:
    return Header(id=f"R{principal.id}", sender=service.sender, receivers=(Party(id=principal.id),))


def _answer(results: Sequence[Result], version: str, service: Service, principal: Principal) -> web.StreamResponse:
    answer = _registry(
        status_of(results), version, write_structure_response(results, version, _header(service, principal))
    )
    if len(results) == 1 and results[0].code == 201 and isinstance(results[0].subject, Ref):
        ref = results[0].subject
        assert ref.artefact_type is not None
        resource = ref.artefact_type.resource
        place = "metadata/metadataset" if resource is None else f"structure/{resource}"
        answer.headers["Location"] = f"/sdmx/v2/{place}/{ref.agency}/{ref.id}/{ref.version}"
    return answer


def _registry(status: int, version: str, body: bytes) -> web.Response:
    return web.Response(
        status=status, body=body, headers={"Content-Type": f"{_REGISTRY};version={version}.0", "Vary": "Accept"}
    )
