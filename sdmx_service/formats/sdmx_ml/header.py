"""The header of SDMX-ML messages, the same for structures and data (SDMX-ML 2.1, 3.0, 3.1 ``SDMXMessage.xsd``).

``Structure`` elements of a data message's header belong to whoever reads or writes the data: ``write_header`` puts
them where the schema wants them, ``read_header`` leaves them alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree

from sdmx_service.errors import SdmxError
from sdmx_service.formats.sdmx_ml.namespaces import NAMESPACES, Namespaces
from sdmx_service.formats.sdmx_ml.structure_elements import (
    Element,
    append,
    append_texts,
    as_boolean,
    as_moment,
    children,
    local_name,
    moment_text,
    named,
    texts_of,
    token_of,
    unreadable,
)
from sdmx_service.formats.sdmx_ml.structure_references import append_reference, read_reference
from sdmx_service.model.items import Contact
from sdmx_service.model.message import Action, Header, Party

_ADDRESSES = {"Telephone": "telephone", "Fax": "fax", "X400": "x400", "URI": "uri", "Email": "email"}
_CONTACT = {"Name", "Department", "Role", *_ADDRESSES}
_ADDRESS_TAGS = {kind: tag for tag, kind in _ADDRESSES.items()}

_ACTIONS = {
    "2.1": {Action.MERGE: "Append", Action.REPLACE: "Replace", Action.DELETE: "Delete"},
    "3.0": {Action.MERGE: "Append", Action.REPLACE: "Replace", Action.DELETE: "Delete"},
    "3.1": {Action.MERGE: "Merge", Action.REPLACE: "Replace", Action.DELETE: "Delete"},
}


def action_text(action: Action, version: str) -> str:
    """The action in the words of a version of SDMX-ML: before 3.1, Merge is called ``Append`` (*standard*)."""
    return _ACTIONS[version][action]


# -------------------------------------------------------------------------------------------------------------- reading


def read_header(element: Element) -> Header:
    """The header that a ``Header`` element of SDMX-ML 2.1, 3.0 or 3.1 says.

    Raises:
        UnreadableFile: a value is not of its type.
    """
    found = {local_name(child): child for child in reversed(list(children(element)))}

    def text(name: str) -> str | None:
        return token_of(found[name]) if name in found else None

    return Header(
        id=text("ID") or Header().id,
        test=as_boolean(found["Test"], token_of(found["Test"]) or "false") if "Test" in found else False,
        prepared=as_moment(found["Prepared"], token_of(found["Prepared"])) if "Prepared" in found else None,
        sender=read_party(found["Sender"]) if "Sender" in found else Header().sender,
        receivers=tuple(read_party(each) for each in named(element, "Receiver")),
        names=texts_of(named(element, "Name")),
        sources=texts_of(named(element, "Source")),
        action=_read_action(found.get("DataSetAction")),
        dataset_ids=tuple(token_of(each) for each in named(element, "DataSetID")),
        extracted=as_moment(found["Extracted"], token_of(found["Extracted"])) if "Extracted" in found else None,
        embargo=as_moment(found["EmbargoDate"], token_of(found["EmbargoDate"])) if "EmbargoDate" in found else None,
        reporting_begin=text("ReportingBegin"),
        reporting_end=text("ReportingEnd"),
        provider=read_reference(found["DataProvider"], "DataProvider") if "DataProvider" in found else None,
    )


def _read_action(element: Element | None) -> Action | None:
    if element is None:
        return None
    try:
        return Action.from_text(token_of(element))
    except SdmxError as error:
        raise unreadable(element, error.detail) from None


def read_party(element: Element) -> Party:
    """A sender or receiver.

    Raises:
        UnreadableFile: it has no id.
    """
    identity = element.get("id")
    if not identity:
        raise unreadable(element, f"the {local_name(element)} has no id.")
    zones = [token_of(each) for each in named(element, "Timezone")]
    return Party(
        id=identity,
        names=texts_of(named(element, "Name")),
        contacts=tuple(read_contact(each) for each in named(element, "Contact")),
        timezone=zones[0] if zones else None,
    )


def read_contact(element: Element) -> Contact:
    """A contact of a party or of an organisation (message and structure namespace have the same content).

    Raises:
        UnreadableFile: it holds something that the schema does not know.
    """
    for child in children(element):
        if local_name(child) not in _CONTACT:
            raise unreadable(child, f"a contact has no {local_name(child)}.")
    return Contact(
        id=element.get("id"),
        names=texts_of(named(element, "Name")),
        departments=texts_of(named(element, "Department")),
        roles=texts_of(named(element, "Role")),
        addresses=read_contact_addresses(element),
    )


def read_contact_addresses(element: Element) -> tuple[tuple[str, str], ...]:
    """Telephone, fax, X400, URI and e-mail, in the order sent, as (kind, text)."""
    return tuple(
        (_ADDRESSES[local_name(child)], token_of(child))
        for child in children(element)
        if local_name(child) in _ADDRESSES
    )


# -------------------------------------------------------------------------------------------------------------- writing


def write_header(
    header: Header, version: str, *, structures: Sequence[Element] = (), about_data: bool = False
) -> Element:
    """The ``Header`` element of a message.

    Args:
        header: what it says; ``prepared`` is now where it is None.
        version: 2.1, 3.0 or 3.1.
        structures: the ``Structure`` elements of a data message, made by the caller.
        about_data: also write what only the headers of data messages may hold (provider, action, data set ids,
            extraction, reporting period, embargo); structure messages leave it out, as the schema wants.
    """
    spaces = NAMESPACES[version]
    tag = "{" + spaces.message + "}"
    element = etree.Element(f"{tag}Header", nsmap={"mes": spaces.message, "com": spaces.common})
    append(element, f"{tag}ID", header.id)
    append(element, f"{tag}Test", str(header.test).lower())
    append(element, f"{tag}Prepared", moment_text(header.prepared))
    _append_party(element, f"{tag}Sender", header.sender, spaces)
    for receiver in header.receivers:
        _append_party(element, f"{tag}Receiver", receiver, spaces)
    append_texts(element, f"{{{spaces.common}}}Name", header.names)
    element.extend(structures)
    if about_data:
        _append_about_data(element, header, spaces)
    append_texts(element, f"{tag}Source", header.sources)
    return element


def _append_about_data(element: Element, header: Header, spaces: Namespaces) -> None:
    tag = "{" + spaces.message + "}"
    if header.provider is not None:
        append_reference(element, f"{tag}DataProvider", header.provider, spaces.version)
    if header.action is not None:
        append(element, f"{tag}DataSetAction", action_text(header.action, spaces.version))
    for identity in header.dataset_ids:
        append(element, f"{tag}DataSetID", identity)
    if header.extracted is not None:
        append(element, f"{tag}Extracted", moment_text(header.extracted))
    for name, period in (("ReportingBegin", header.reporting_begin), ("ReportingEnd", header.reporting_end)):
        if period is not None:
            append(element, f"{tag}{name}", period)
    if header.embargo is not None:
        append(element, f"{tag}EmbargoDate", moment_text(header.embargo))


def _append_party(parent: Element, tag: str, party: Party, spaces: Namespaces) -> None:
    child = append(parent, tag, id=party.id)
    append_texts(child, f"{{{spaces.common}}}Name", party.names)
    for contact in party.contacts:
        _append_contact(child, contact, spaces)
    if party.timezone is not None and tag.endswith("Sender"):
        append(child, f"{{{spaces.message}}}Timezone", party.timezone)


def _append_contact(parent: Element, contact: Contact, spaces: Namespaces) -> None:
    """A contact of a party; it has no id in the schema."""
    child = append(parent, f"{{{spaces.message}}}Contact")
    append_texts(child, f"{{{spaces.common}}}Name", contact.names)
    append_texts(child, f"{{{spaces.message}}}Department", contact.departments)
    append_texts(child, f"{{{spaces.message}}}Role", contact.roles)
    append_contact_addresses(child, contact.addresses, spaces.message)


def append_contact_addresses(parent: Element, addresses: tuple[tuple[str, str], ...], namespace: str) -> None:
    """Telephone, fax, X400, URI and e-mail, in the namespace of the message (parties) or of structures."""
    for kind, text in addresses:
        append(parent, f"{{{namespace}}}{_ADDRESS_TAGS[kind]}", text)
