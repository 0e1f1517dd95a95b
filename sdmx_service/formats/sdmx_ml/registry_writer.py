"""Registry messages of SDMX-ML 3.0 and 3.1, written: what was submitted, and what is registered.

``SDMXRegistry*.xsd`` of both versions have the same content in two namespaces; only the action ``Merge`` is new in 3.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lxml import etree

from sdmx_service.errors import CannotWrite
from sdmx_service.formats.sdmx_ml.header import write_header
from sdmx_service.formats.sdmx_ml.namespaces import NAMESPACES, XML_LANG, Namespaces
from sdmx_service.formats.sdmx_ml.structure_elements import Element, append
from sdmx_service.formats.sdmx_ml.structure_references import append_reference
from sdmx_service.model.message import Header, Message, Party
from sdmx_service.model.registration import QueryableSource, Registration, Result
from sdmx_service.model.urn import Ref

_RECEIVER = Party(id="not_supplied")
"""A registry message names one receiver; who asks by GET says no name."""
_INDEXES = ("TimeSeries", "DataSet", "Attributes", "ReportingPeriod")


def write_structure_response(results: Sequence[Result], version: str, header: Header) -> bytes:
    """A ``SubmitStructureResponse``: one result per artefact (``SDMXRegistryStructure.xsd``)."""
    body = _Body("SubmitStructureResponse", version)
    for result in results:
        assert isinstance(result.subject, Ref)
        holder = append(body.element, f"{body.tag}SubmissionResult")
        submitted = append(holder, f"{body.tag}SubmittedStructure", action=_action(result, version))
        append_reference(submitted, f"{body.tag}MaintainableObject", result.subject.maintainable, version)
        body.status(holder, "Success" if result.is_success else "Failure", str(result.code), result.text)
    return body.message(header)


def write_registrations_response(results: Sequence[Result], version: str, header: Header) -> bytes:
    """A ``SubmitRegistrationsResponse``: every registration sent, in order, with what became of it."""
    body = _Body("SubmitRegistrationsResponse", version)
    for result in results:
        assert isinstance(result.subject, Registration)
        holder = append(body.element, f"{body.tag}RegistrationStatus")
        body.registration(holder, result.subject)
        body.status(holder, "Success" if result.is_success else "Failure", str(result.code), result.text)
    return body.message(header)


def write_registrations(message: Message, version: str) -> Iterator[bytes]:
    """A ``QueryRegistrationResponse``: the registrations that a query found.

    Raises:
        CannotWrite: the message holds something else.
    """
    if message.structures or message.availability:
        raise CannotWrite("A registry message of this kind holds registrations only.")
    body = _Body("QueryRegistrationResponse", version)
    body.status(body.element, "Success")
    for registration in message.registrations:
        result = append(body.element, f"{body.tag}QueryResult", timeSeriesMatch="false")
        body.registration(append(result, f"{body.tag}DataResult"), registration)
    yield body.message(message.header)


def _action(result: Result, version: str) -> str:
    return "Append" if result.action == "Merge" and version == "3.0" else result.action


class _Body:
    """The one element that a registry message holds beside its header."""

    def __init__(self, name: str, version: str) -> None:
        self.spaces: Namespaces = NAMESPACES[version]
        self.tag = f"{{{self.spaces.registry}}}"
        nsmap = {"mes": self.spaces.message, "reg": self.spaces.registry, "com": self.spaces.common}
        self.root = etree.Element(f"{{{self.spaces.message}}}RegistryInterface", nsmap=nsmap)
        # the message's own child is of the message's namespace, its content of the registry's (SDMXMessage.xsd)
        self.element: Element = etree.SubElement(self.root, f"{{{self.spaces.message}}}{name}")

    def status(self, parent: Element, status: str, code: str = "", text: str = "") -> None:
        """A ``StatusMessage``."""
        element = append(parent, f"{self.tag}StatusMessage", status=status)
        if text:
            message = append(element, f"{self.tag}MessageText", code=code)
            append(message, f"{{{self.spaces.common}}}Text", text).set(XML_LANG, "en")

    def registration(self, parent: Element, registration: Registration) -> None:
        """A ``Registration`` with its source."""
        said = {
            "id": registration.id,
            "validFrom": registration.valid_from,
            "validTo": registration.valid_to,
            "lastUpdated": registration.updated_at,
            **{f"index{name}": "true" for name in _INDEXES if name in registration.indexed},
        }
        element = append(parent, f"{self.tag}Registration", **{name: text for name, text in said.items() if text})
        append_reference(element, f"{self.tag}ProvisionAgreement", registration.agreement, self.spaces.version)
        source = append(element, f"{self.tag}Datasource")
        if registration.simple is not None:
            append(source, f"{self.tag}SimpleDataSource", registration.simple)
        if registration.queryable is not None:
            self._queryable(source, registration.queryable)

    def _queryable(self, parent: Element, source: QueryableSource) -> None:
        kinds = {
            "isRESTDatasource": str(source.is_rest).lower(),
            "isWebServiceDatasource": str(source.is_web_service).lower(),
        }
        element = append(parent, f"{self.tag}QueryableDataSource", **kinds)
        for name, url in (("DataURL", source.url), ("WSDLURL", source.wsdl), ("WADLURL", source.wadl)):
            if url is not None:
                append(element, f"{{{self.spaces.common}}}{name}", url)

    def message(self, header: Header) -> bytes:
        """The whole message."""
        one = replace(header, receivers=header.receivers[:1] or (_RECEIVER,))
        self.root.insert(0, write_header(one, self.spaces.version))
        return b'<?xml version="1.0" encoding="UTF-8"?>\n' + etree.tostring(self.root, encoding="utf-8")
