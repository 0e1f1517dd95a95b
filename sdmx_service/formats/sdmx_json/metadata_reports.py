"""Metadata sets of SDMX-JSON 1.0: reports about targets, as in SDMX-ML 2.1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdmx_service.errors import SdmxError, UnreadableFile
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
from sdmx_service.formats.sdmx_json.header import take_texts
from sdmx_service.formats.sdmx_json.structure_decoding import read
from sdmx_service.formats.sdmx_json.structure_terms import short
from sdmx_service.formats.structure_parts import ANNOTATION
from sdmx_service.model.artefact import Annotation
from sdmx_service.model.message import Action
from sdmx_service.model.metadata import XHTML, MetadataAttributeValue, MetadataSet
from sdmx_service.model.urn import Ref

_SET = frozenset({"action", "publicationPeriod", "publicationYear", "reportingBegin", "reportingEnd", "id", "validFrom",
                  "validTo", "annotations", "name", "names", "links", "dataProvider", "reports"})  # fmt: skip
_REPORT = frozenset({"id", "annotations", "attributeSet", "target"})
_TARGET = frozenset({"id", "referenceValues"})
_VALUE = frozenset({"id", "value", "annotations", "structuredText", "structuredTexts", "text", "texts", "attributeSet"})
_KINDS: Mapping[str, str] = {
    "object": OBJECT,
    "dataKey": KEY,
    "dataSet": DATA_SET,
    "constraintContent": CONSTRAINT,
    "reportPeriod": PERIOD,
}
_DESCRIBING = ("Metadataflow", "MetadataStructure", "ProvisionAgreement")


def read_reported_set(node: object, path: str, language: str, sender: str) -> tuple[MetadataSet, ...]:
    """The sets that a set of SDMX-JSON 1.0 becomes.

    Raises:
        UnreadableFile: something in it is not as the schema says; with its JSON pointer.
    """
    found = _object(node, path, _SET)
    action = _text(found, "action", path)
    try:
        meant = None if action is None else Action.from_text(action)
    except SdmxError as error:
        raise UnreadableFile(f"{path}/action: {error.detail}") from None
    provider = _text(found, "dataProvider", path)
    reports = _array(found, "reports", path)
    old = ReportedSet(
        id=_text(found, "id", path),
        names=take_texts(found, "name", "names", path, language),
        described_by=_described_by(found, path),
        provider=None if provider is None else _ref(provider, f"{path}/dataProvider"),
        reports=tuple(_report(one, f"{path}/reports/{place}", language) for place, one in enumerate(reports)),
        annotations=_annotations(found, path, language),
        action=meant,
        valid_from=_text(found, "validFrom", path),
        valid_to=_text(found, "validTo", path),
        reporting_begin=_text(found, "reportingBegin", path),
        reporting_end=_text(found, "reportingEnd", path),
        publication_year=_text(found, "publicationYear", path),
        publication_period=_text(found, "publicationPeriod", path),
    )
    return newer_sets(old, sender)


def _described_by(node: Mapping[str, Any], path: str) -> Ref | None:
    """What the set is described by: SDMX-JSON 1.0 says it with a link."""
    for place, link in enumerate(_array(node, "links", path)):
        urn = link.get("urn") if isinstance(link, dict) else None
        if isinstance(urn, str):
            ref = _ref(urn, f"{path}/links/{place}/urn")
            if ref.type in _DESCRIBING:
                return ref
    return None


def _report(node: object, path: str, language: str) -> Report:
    found = _object(node, path, _REPORT)
    target = _object(found.get("target"), f"{path}/target", _TARGET)
    values = _array(target, "referenceValues", f"{path}/target")
    return Report(
        id=_needed(found, "id", path),
        target=_needed(target, "id", f"{path}/target"),
        values=tuple(_reference(one, f"{path}/target/referenceValues/{place}") for place, one in enumerate(values)),
        attributes=_attributes(found, path, language),
        annotations=_annotations(found, path, language),
    )


def _reference(node: object, path: str) -> ReferenceValue:
    found = _object(node, path, frozenset({"id", *_KINDS}))
    said = [name for name in _KINDS if found.get(name) is not None]
    if len(said) != 1:
        raise UnreadableFile(f"{path}: a reference value says one of {', '.join(_KINDS)}.")
    (name,) = said
    value = found[name]
    if name == "dataKey":
        text = _key(value, f"{path}/{name}")
    elif name == "dataSet":
        parts = _object(value, f"{path}/{name}", frozenset({"dataProvider", "id"}))
        text = f"{_needed(parts, 'dataProvider', path)} {_needed(parts, 'id', path)}"
    else:
        text = _needed(found, name, path)
    return ReferenceValue(id=_needed(found, "id", path), kind=_KINDS[name], text=text)


def _key(node: object, path: str) -> str:
    found = _object(node, path, frozenset({"keyValues", "include"}))
    pairs = []
    for place, one in enumerate(_array(found, "keyValues", path)):
        inner = _object(one, f"{path}/keyValues/{place}", frozenset({"id", "value", "include"}))
        pairs.append(f"{_needed(inner, 'id', path)}={_needed(inner, 'value', path)}")
    return ",".join(pairs)


def _attributes(node: Mapping[str, Any], path: str, language: str) -> tuple[MetadataAttributeValue, ...]:
    if node.get("attributeSet") is None:
        return ()
    inner = _object(node["attributeSet"], f"{path}/attributeSet", frozenset({"reportedAttributes"}))
    place = f"{path}/attributeSet/reportedAttributes"
    members = _array(inner, "reportedAttributes", f"{path}/attributeSet")
    return tuple(_value(one, f"{place}/{number}", language) for number, one in enumerate(members))


def _value(node: object, path: str, language: str) -> MetadataAttributeValue:
    found = _object(node, path, _VALUE)
    texts = take_texts(found, "text", "texts", path, language)
    structured = take_texts(found, "structuredText", "structuredTexts", path, language)
    return MetadataAttributeValue(
        id=_needed(found, "id", path),
        value=_text(found, "value", path),
        texts=texts or structured,
        data_type=XHTML if structured and not texts else None,
        annotations=_annotations(found, path, language),
        attributes=_attributes(found, path, language),
    )


def _annotations(node: Mapping[str, Any], path: str, language: str) -> tuple[Annotation, ...]:
    members = enumerate(_array(node, "annotations", path))
    return tuple(read(one, ANNOTATION, f"{path}/annotations/{place}", language) for place, one in members)


def _object(node: object, path: str, known: frozenset[str]) -> dict[str, Any]:
    if not isinstance(node, dict):
        raise UnreadableFile(f"{path}: {short(node)} is not an object.")
    for name in node.keys() - known:
        raise UnreadableFile(f"{path}/{name}: SDMX-JSON 1.0 has no such property here.")
    return node


def _array(node: Mapping[str, Any], name: str, path: str) -> list[Any]:
    value = node.get(name)
    if value is not None and not isinstance(value, list):
        raise UnreadableFile(f"{path}/{name}: {short(value)} is not an array.")
    return value or []


def _text(node: Mapping[str, Any], name: str, path: str) -> str | None:
    value = node.get(name)
    if value is not None and not isinstance(value, str):
        raise UnreadableFile(f"{path}/{name}: {short(value)} is not a text.")
    return value


def _needed(node: Mapping[str, Any], name: str, path: str) -> str:
    value = _text(node, name, path)
    if not value:
        raise UnreadableFile(f"{path}: {name} is missing.")
    return value


def _ref(text: str, path: str) -> Ref:
    try:
        return Ref.parse(text)
    except SdmxError as error:
        raise UnreadableFile(f"{path}: {error.detail}", hint=error.hint) from None
