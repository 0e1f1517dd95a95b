"""Metadata sets of SDMX-ML 2.1, generic and structure-specific, read.

A structure-specific message says ids by the types and names of its elements (SDMX 2.1, section 3B, *metadata structure
definition specific schema*): ``NS:REPORT``, ``NS:REPORT.TARGET``, ``NS:TARGET.VALUE``, and an attribute's element bears
its name.
"""

from __future__ import annotations

from collections.abc import Mapping

from sdmx_service.errors import SdmxError
from sdmx_service.formats.metadata_reports import (
    CONSTRAINT,
    DATA_SET,
    KEY,
    OBJECT,
    PERIOD,
    ReferenceValue,
    Report,
    ReportedSet,
    newer_sets,
)
from sdmx_service.formats.metadata_values import DEEPEST
from sdmx_service.formats.sdmx_ml.metadata_values import read_annotations, read_texts, type_of
from sdmx_service.formats.sdmx_ml.namespaces import NAMESPACES, XSI
from sdmx_service.formats.sdmx_ml.structure_elements import (
    Element,
    children,
    first,
    local_name,
    named,
    texts_of,
    token_of,
    unreadable,
)
from sdmx_service.formats.sdmx_ml.structure_references import read_reference
from sdmx_service.model.message import Action
from sdmx_service.model.metadata import MetadataAttributeValue, MetadataSet, TargetPattern
from sdmx_service.model.urn import Ref

_VERSION = "2.1"
_SETS = frozenset({"Annotations", "Name", "DataProvider", "Report"})
_DATES = {
    "valid_from": "validFromDate",
    "valid_to": "validToDate",
    "reporting_begin": "reportingBeginDate",
    "reporting_end": "reportingEndDate",
    "publication_year": "publicationYear",
    "publication_period": "publicationPeriod",
}


def read_reported_set(element: Element, described: Mapping[str, Ref], sender: str) -> tuple[MetadataSet, ...]:
    """The sets that a ``MetadataSet`` of 2.1 becomes.

    Args:
        element: the set.
        described: what each ``structureRef`` means.
        sender: who sends the message.

    Raises:
        UnreadableFile: something in it is not as the schema says.
    """
    for child in children(element):
        if local_name(child) not in _SETS:
            raise unreadable(child, f"a metadata set of SDMX-ML 2.1 has no {local_name(child)}.")
    structure = _attribute(element, "structureRef") or ""
    if structure not in described:
        raise unreadable(element, f"the header has no structure {structure!r} for this set.")
    provider = first(element, "DataProvider")
    old = ReportedSet(
        id=_attribute(element, "setID"),
        names=texts_of(named(element, "Name")),
        described_by=described[structure],
        provider=None if provider is None else read_reference(provider, "DataProvider"),
        reports=tuple(_report(one) for one in named(element, "Report")),
        annotations=read_annotations(element, _VERSION),
        action=_action(element),
        **{name: _attribute(element, spelt) for name, spelt in _DATES.items()},
    )
    return newer_sets(old, sender)


def _attribute(element: Element, name: str) -> str | None:
    """An attribute, which structure-specific messages qualify and generic ones do not."""
    names = (name, f"{{{NAMESPACES[_VERSION].specific_metadata}}}{name}")
    return next((value for one in names if (value := element.get(one)) is not None), None)


def _action(element: Element) -> Action | None:
    word = _attribute(element, "action")
    try:
        return None if word is None else Action.from_text(word)
    except SdmxError as error:
        raise unreadable(element, error.detail) from None


def _typed_id(element: Element, above: str = "") -> str:
    """The id of an element: its attribute, or the last part of its type."""
    found = element.get("id")
    if not found:
        kind = (element.get(f"{{{XSI}}}type") or "").rpartition(":")[2]
        found = kind.removeprefix(f"{above}.") if above else kind
    if not found:
        raise unreadable(element, f"the {local_name(element)} has no id, nor a type that tells it.")
    return found


def _report(element: Element) -> Report:
    identity = _typed_id(element)
    target, attributes = first(element, "Target"), first(element, "AttributeSet")
    if target is None or attributes is None:
        raise unreadable(element, "a report has a Target and an AttributeSet.")
    target_id = _typed_id(target, identity)
    return Report(
        id=identity,
        target=target_id,
        values=tuple(_reference(one, target_id) for one in named(target, "ReferenceValue")),
        attributes=_attributes(attributes, 1),
        annotations=read_annotations(element, _VERSION),
    )


def _reference(element: Element, target: str) -> ReferenceValue:
    found = list(children(element))
    if len(found) != 1:
        raise unreadable(element, "a reference value has one value.")
    (value,) = found
    kind = local_name(value)
    if kind == OBJECT:
        text = _object(value)
    elif kind == CONSTRAINT:
        text = read_reference(value, "AttachmentConstraint").urn
    elif kind == PERIOD:
        text = token_of(value)
    elif kind == DATA_SET:
        text = _data_set(value)
    elif kind == KEY:
        text = ",".join(f"{one.get('id')}={_key_value(one)}" for one in named(value, "KeyValue"))
    else:
        raise unreadable(value, f"a reference value has no {kind}.")
    return ReferenceValue(id=_typed_id(element, target), kind=kind, text=text)


def _object(element: Element) -> str:
    """The URN of an object; *extension*: also a pattern of URNs, which sets of later versions may be about."""
    urn = first(element, "URN")
    if urn is not None and first(element, "Ref") is None and TargetPattern.parse(token_of(urn)) is not None:
        return token_of(urn)
    return read_reference(element).urn


def _data_set(element: Element) -> str:
    provider, identity = first(element, "DataProvider"), first(element, "ID")
    if provider is None or identity is None:
        raise unreadable(element, "a reference to a data set names its DataProvider and its ID.")
    return f"{read_reference(provider, 'DataProvider').urn} {token_of(identity)}"


def _key_value(element: Element) -> str:
    value = first(element, "Value")
    if value is None or not element.get("id"):
        raise unreadable(element, "a value of a key has an id and a Value.")
    return token_of(value)


def _attributes(element: Element, depth: int) -> tuple[MetadataAttributeValue, ...]:
    if depth > DEEPEST:
        raise unreadable(element, f"metadata attributes are nested in more than {DEEPEST} levels.")
    return tuple(_value(one, depth) for one in children(element))


def _value(element: Element, depth: int) -> MetadataAttributeValue:
    name = local_name(element)
    identity = element.get("id") if name == "ReportedAttribute" else element.get("id") or name
    if not identity:
        raise unreadable(element, "the reported attribute has no id.")
    for child in children(element):
        if local_name(child) not in ("Annotations", "Text", "StructuredText", "AttributeSet"):
            raise unreadable(child, f"a reported attribute has no {local_name(child)}.")
    texts, is_markup = read_texts(element)
    if texts and element.get("value") is not None:
        raise unreadable(element, "a reported attribute has a value and texts, where there may be one.")
    inner = first(element, "AttributeSet")
    return MetadataAttributeValue(
        id=identity,
        value=element.get("value"),
        texts=texts,
        data_type=type_of(is_markup),
        annotations=read_annotations(element, _VERSION),
        attributes=() if inner is None else _attributes(inner, depth + 1),
    )
