"""Registry messages of SDMX-ML 2.1, 3.0 and 3.1, read: requests to register data sources, and questions for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, NamedTuple

from sdmx_service.errors import NotBuilt
from sdmx_service.formats.sdmx_ml.documents import parse_document
from sdmx_service.formats.sdmx_ml.header import read_header
from sdmx_service.formats.sdmx_ml.namespaces import VERSIONS, version_of
from sdmx_service.formats.sdmx_ml.structure_elements import (
    Element,
    as_boolean,
    as_moment,
    children,
    first,
    local_name,
    named,
    token_of,
    unreadable,
)
from sdmx_service.formats.sdmx_ml.structure_references import read_reference
from sdmx_service.model.message import Header
from sdmx_service.model.query import DataContext, RegistrationQuery
from sdmx_service.model.registration import QueryableSource, Registration, SubmissionAction

_REQUEST, _QUESTION = "SubmitRegistrationsRequest", "QueryRegistrationRequest"
_OTHER_REQUESTS = ("SubmitSubscriptionsRequest", "QuerySubscriptionRequest", "SubmitStructureRequest")
_CONTEXTS: dict[str, DataContext] = {"ProvisionAgreement": "provisionagreement", "Dataflow": "dataflow"}
_ACTIONS: dict[str, SubmissionAction] = {
    "Append": "Append", "Merge": "Append", "Replace": "Replace", "Delete": "Delete", "Information": "Append",
}  # fmt: skip
_INDEXES = ("TimeSeries", "DataSet", "Attributes", "ReportingPeriod")


class RegistrationsRequest(NamedTuple):
    """A ``SubmitRegistrationsRequest`` or a ``QueryRegistrationRequest``.

    Attributes:
        version: of SDMX-ML.
        header: the message's.
        requests: what is to be done with which registration.
        query: what is asked for; None where something is to be done.
        finds_nothing: it asks for what is not registered here: reference metadata.
    """

    version: str
    header: Header
    requests: Sequence[tuple[SubmissionAction, Registration]] = ()
    query: RegistrationQuery | None = None
    finds_nothing: bool = False


def read_registrations_request(source: IO[bytes]) -> RegistrationsRequest:
    """A ``SubmitRegistrationsRequest`` or ``QueryRegistrationRequest``, alone or in a ``RegistryInterface``.

    Raises:
        UnreadableFile: it is no such message, or something in it is not as the standard says; with line and path.
        UnsafeFile: it has a document type declaration.
        NotBuilt: it is another request of the registry interface, or of an older version.
    """
    root = parse_document(source)
    version = version_of(str(root.tag).rpartition("}")[0].removeprefix("{"))
    if version is None:
        raise unreadable(root, f"the file is not a registry message of SDMX-ML, but {local_name(root)!r}.")
    if version not in VERSIONS:
        raise NotBuilt(f"The file is SDMX-ML {version}; registry messages are read from {', '.join(VERSIONS)}.")
    said = first(root, "Header")
    header = Header() if said is None else read_header(said)
    request = _request_of(root)
    if local_name(request) == _REQUEST:
        requests = [_read_request(one) for one in named(request, "RegistrationRequest")]
        return RegistrationsRequest(version, header, requests)
    kind = first(request, "QueryType")
    is_of_metadata = first(request, "Metadataflow") is not None or (
        kind is not None and token_of(kind) == "MetadataSets"
    )
    return RegistrationsRequest(version, header, query=_read_query(request), finds_nothing=is_of_metadata)


def _request_of(root: Element) -> Element:
    if local_name(root) in (_REQUEST, _QUESTION):
        return root
    if local_name(root) != "RegistryInterface":
        raise unreadable(root, f"a {_REQUEST} is needed here, not a {local_name(root)}.")
    for child in children(root):
        if local_name(child) in (_REQUEST, _QUESTION):
            return child
        if local_name(child) in _OTHER_REQUESTS:
            raise NotBuilt(f"{local_name(child)} is not answered here.", hint=f"Send a {_REQUEST} or a {_QUESTION}.")
    raise unreadable(root, f"it holds no {_REQUEST}.")


def _read_query(element: Element) -> RegistrationQuery:
    """What a ``QueryRegistrationRequest`` asks for.

    Raises:
        NotBuilt: it asks for data of certain periods or keys.
    """
    for name in ("ReferencePeriod", "DataKeySet", "CubeRegion", "MetadataTargetRegion"):
        if first(element, name) is not None:
            raise NotBuilt(f"{name} in a {_QUESTION} is not built.", hint="Leave it out.")
    provider = first(element, "DataProvider")
    if provider is not None:
        ref = read_reference(provider, "DataProvider")
        return RegistrationQuery(by="provider", agencies=(ref.agency,), ids=(ref.item or ref.id,))
    for name, context in _CONTEXTS.items():
        named_one = first(element, name)
        if named_one is not None:
            ref = read_reference(named_one, name)
            return RegistrationQuery(
                by="context", context=context, agencies=(ref.agency,), ids=(ref.id,), versions=(ref.version,)
            )
    return RegistrationQuery(by="context")


def submitted_actions(source: IO[bytes]) -> set[str]:
    """The actions that a ``SubmitStructureRequest`` asks for, of all its artefacts and of single ones.

    Raises:
        UnreadableFile, UnsafeFile: it cannot be read.
    """
    source.seek(0)
    found: set[str] = set()
    for element in children(parse_document(source)):
        if local_name(element) == "SubmitStructureRequest":
            found.add(element.get("action", "Append"))
            found |= {one.get("action", "Append") for one in named(element, "SubmittedStructure")}
    return found


def _read_request(element: Element) -> tuple[SubmissionAction, Registration]:
    action = _ACTIONS.get(element.get("action", "Append"))
    if action is None:
        raise unreadable(element, f"the action {element.get('action')!r} is none of {', '.join(_ACTIONS)}.")
    registration = first(element, "Registration")
    if registration is None:
        raise unreadable(element, "the request holds no Registration.")
    return action, read_registration(registration)


def read_registration(element: Element) -> Registration:
    """A registration.

    Raises:
        UnreadableFile: it names no provision agreement, or a value is not of its type.
    """
    agreement = first(element, "ProvisionAgreement")
    if agreement is None:
        agreement = first(element, "ProvisionAgreementRef")  # in messages of older tools
    if agreement is None:
        raise unreadable(element, "the registration names no ProvisionAgreement.")
    for name in ("validFrom", "validTo", "lastUpdated"):
        if (moment := element.get(name)) is not None:
            as_moment(element, moment)
    source = first(element, "Datasource")
    queryable = None if source is None else first(source, "QueryableDataSource")
    simple = None if source is None else first(source, "SimpleDataSource")
    return Registration(
        id=element.get("id", ""),
        agreement=read_reference(agreement, "ProvisionAgreement"),
        queryable=None if queryable is None else _read_queryable(queryable),
        simple=None if simple is None else token_of(simple),
        valid_from=element.get("validFrom"),
        valid_to=element.get("validTo"),
        updated_at=element.get("lastUpdated"),
        indexed=tuple(one for one in _INDEXES if as_boolean(element, element.get(f"index{one}", "false"))),
    )


def _read_queryable(element: Element) -> QueryableSource:
    def url(name: str) -> str | None:
        found = first(element, name)
        return None if found is None else token_of(found)

    data = url("DataURL")
    if not data:
        raise unreadable(element, "the queryable source has no DataURL.")
    return QueryableSource(
        url=data,
        is_rest=as_boolean(element, element.get("isRESTDatasource", "true")),
        is_web_service=as_boolean(element, element.get("isWebServiceDatasource", "false")),
        wsdl=url("WSDLURL"),
        wadl=url("WADLURL"),
    )
