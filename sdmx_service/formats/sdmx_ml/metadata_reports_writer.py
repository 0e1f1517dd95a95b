"""Metadata messages of SDMX-ML 2.1, generic and structure-specific, written set by set, with all languages.

A structure-specific message says ids by types and names of elements; *choice*: it says them as attributes too, which
the base schema allows, so that it can be read without the schema of its structure. Its attributes are in the order of
their structure where the message holds it, as the schema of the structure may ask for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from lxml import etree

from sdmx_service.errors import CannotWrite
from sdmx_service.formats.metadata_reports import (
    CONSTRAINT,
    DATA_SET,
    KEY,
    OBJECT,
    ReferenceValue,
    Report,
    ReportedSet,
    older_set,
)
from sdmx_service.formats.metadata_values import check_written
from sdmx_service.formats.sdmx_ml.header import action_text, write_header
from sdmx_service.formats.sdmx_ml.metadata_values import append_annotations, append_texts, is_structured
from sdmx_service.formats.sdmx_ml.metadata_writer import opening, serialised
from sdmx_service.formats.sdmx_ml.namespaces import NAMESPACES, XSI
from sdmx_service.formats.sdmx_ml.structure_elements import Element, append, writable
from sdmx_service.formats.sdmx_ml.structure_elements import append_texts as append_names
from sdmx_service.formats.sdmx_ml.structure_references import append_reference
from sdmx_service.model.message import Message, WriteOptions
from sdmx_service.model.metadata import MetadataAttributeValue, MetadataSet
from sdmx_service.model.structure import MetadataAttribute, MetadataStructure
from sdmx_service.model.urn import Ref

_VERSION = "2.1"
_SPACES = NAMESPACES[_VERSION]
_COMMON = f"{{{_SPACES.common}}}"
_NAMES = {"Metadataflow": "StructureUsage", "MetadataStructure": "Structure", "ProvisionAgreement": "ProvisionAgrement"}
_DATES = {
    "reportingBeginDate": "reporting_begin",
    "reportingEndDate": "reporting_end",
    "validFromDate": "valid_from",
    "validToDate": "valid_to",
    "publicationYear": "publication_year",
    "publicationPeriod": "publication_period",
}


def write_metadata(message: Message, options: WriteOptions, *, specific: bool = False) -> Iterator[bytes]:
    """The metadata sets of a message (``Message.structures``) as SDMX-ML 2.1, in UTF-8, piece by piece.

    All sets are converted before the first piece is handed out, so that an error comes before anything is sent.

    Args:
        specific: structure-specific instead of generic.

    Raises:
        CannotWrite: a set holds something that 2.1 cannot carry, or there is none.
    """
    known = {one.ref: one for one in message.structures if isinstance(one, MetadataStructure) and specific}
    sets = [_older(one, known) for one in message.structures if isinstance(one, MetadataSet)]
    described = list(dict.fromkeys(one.described_by for one in sets if one.described_by is not None))
    if not described:
        raise CannotWrite("A metadata message of SDMX-ML 2.1 names a structure, and this one has no metadata set.")
    names = {ref: f"MD{place}" for place, ref in enumerate(described, 1)}
    structures = [_structure(ref, name, specific) for ref, name in names.items()]
    head = write_header(replace(message.header, provider=None), _VERSION, structures=structures)
    body = [_Writer(one, names, specific).element() for one in sets]
    root = "StructureSpecificMetadata" if specific else "GenericMetadata"
    metadata = _SPACES.specific_metadata if specific else _SPACES.generic_metadata
    spaces = [f'xsi="{XSI}"', *(f'{name.lower()}="{ref.urn}"' for ref, name in names.items())] if specific else []
    yield opening(root, _SPACES, metadata, "".join(f" xmlns:{one}" for one in spaces))
    for element in (head, *body):
        yield serialised(element, _SPACES, metadata, indent=options.indent, more=spaces)
    yield f"</mes:{root}>\n".encode()


def _older(one: MetadataSet, known: Mapping[Ref, MetadataStructure]) -> ReportedSet:
    check_written(one, "SDMX-ML 2.1")
    return _ordered(older_set(one), None if one.structure is None else known.get(one.structure))


def _ordered(made: ReportedSet, structure: MetadataStructure | None) -> ReportedSet:
    """The set with its attributes in the order of its metadata structure, if that is known."""
    if structure is None:
        return made
    known = {one.id: one.attributes for one in structure.reports}
    reports = (
        replace(one, attributes=_in_order(one.attributes, known.get(one.id, structure.attributes)))
        for one in made.reports
    )
    return replace(made, reports=tuple(reports))


def _in_order(
    values: Iterable[MetadataAttributeValue], known: Iterable[MetadataAttribute]
) -> tuple[MetadataAttributeValue, ...]:
    """The values in the order of their attributes, those that the structure has not at the end."""
    places = {one.id: (place, one.items) for place, one in enumerate(known)}
    inner = (replace(one, attributes=_in_order(one.attributes, places.get(one.id, (0, ()))[1])) for one in values)
    return tuple(sorted(inner, key=lambda one: places.get(one.id, (len(places), ()))[0]))


def _structure(ref: Ref, identity: str, specific: bool) -> Element:
    if not ref.is_exact:
        raise CannotWrite(f"SDMX-ML 2.1 cannot refer to a version like {ref.version!r} ({ref.text}).")
    nsmap = {"mes": _SPACES.message, "com": _SPACES.common}
    element = etree.Element(f"{{{_SPACES.message}}}Structure", structureID=identity, nsmap=nsmap)
    if specific:
        element.set("namespace", ref.urn)
    append_reference(element, f"{_COMMON}{_NAMES[ref.type]}", ref, _VERSION)
    return element


@dataclass(frozen=True, slots=True)
class _Writer:
    """One set being written."""

    made: ReportedSet
    names: dict[Ref, str]
    specific: bool

    def element(self) -> Element:
        """The set as an element."""
        assert self.made.described_by is not None
        identity = self.names[self.made.described_by]
        nsmap = {"mes": _SPACES.message, "com": _SPACES.common, "md": self.space}
        if self.specific:
            nsmap |= {"xsi": XSI} | {name.lower(): ref.urn for ref, name in self.names.items()}
        element = etree.Element(f"{{{_SPACES.message}}}MetadataSet", nsmap=nsmap)
        self._set(element, "structureRef", identity)
        self._type(element, "MetadataSetType")
        if self.made.id is not None:
            self._set(element, "setID", self.made.id)
        if self.made.action is not None:
            self._set(element, "action", action_text(self.made.action, _VERSION))
        for spelt, name in _DATES.items():
            if (text := getattr(self.made, name)) is not None:
                self._set(element, spelt, text)
        append_annotations(element, _SPACES.common, self.made.annotations, _VERSION)
        append_names(element, f"{_COMMON}Name", self.made.names)
        if self.made.provider is not None:
            append_reference(element, self.tag("DataProvider"), self.made.provider, _VERSION)
        for report in self.made.reports:
            self._report(element, report)
        return element

    @property
    def space(self) -> str:
        """The namespace of metadata."""
        return _SPACES.specific_metadata if self.specific else _SPACES.generic_metadata

    def tag(self, name: str) -> str:
        """The name of an element; those of structure-specific messages have no namespace."""
        return name if self.specific else f"{{{self.space}}}{name}"

    def _set(self, element: Element, name: str, text: str) -> None:
        element.set(f"{{{self.space}}}{name}" if self.specific else name, text)

    def _type(self, element: Element, name: str) -> None:
        if self.specific:
            assert self.made.described_by is not None
            element.set(f"{{{XSI}}}type", f"{self.names[self.made.described_by].lower()}:{name}")

    def _report(self, parent: Element, report: Report) -> None:
        element = append(parent, self.tag("Report"), id=report.id)
        self._type(element, report.id)
        append_annotations(element, _SPACES.common, report.annotations, _VERSION)
        target = append(element, self.tag("Target"), id=report.target)
        self._type(target, f"{report.id}.{report.target}")
        for value in report.values:
            holder = append(target, self.tag("ReferenceValue"), id=value.id)
            self._type(holder, f"{report.target}.{value.id}")
            self._reference(holder, value)
        self._values(element, report.attributes)

    def _reference(self, holder: Element, value: ReferenceValue) -> None:
        element = append(holder, self.tag(value.kind))
        if value.kind in (OBJECT, CONSTRAINT):
            append(element, "URN", value.text)
        elif value.kind == DATA_SET:
            provider, _, identity = value.text.partition(" ")
            append(append(element, f"{_COMMON}DataProvider"), "URN", provider)
            append(element, f"{_COMMON}ID", identity)
        elif value.kind == KEY:
            for pair in value.text.split(","):
                name, _, code = pair.partition("=")
                append(append(element, f"{_COMMON}KeyValue", id=name), f"{_COMMON}Value", code)
        else:
            element.text = value.text

    def _values(self, parent: Element, values: tuple[MetadataAttributeValue, ...]) -> None:
        if not values:
            return
        holder = append(parent, self.tag("AttributeSet"))
        for one in values:
            self._value(holder, one)

    def _value(self, holder: Element, one: MetadataAttributeValue) -> None:
        if one.text_format is not None:
            raise CannotWrite(f"{one.id}: SDMX-ML 2.1 cannot carry the format of a value.")
        if self.specific:
            element = self._named(holder, one.id)
        else:
            element = append(holder, self.tag("ReportedAttribute"), id=one.id)
        if one.value is not None:
            element.set("value", writable(element, one.value))
        append_annotations(element, _SPACES.common, one.annotations, _VERSION)
        append_texts(element, _SPACES.common, one.texts, is_structured=is_structured(one))
        self._values(element, one.attributes)

    def _named(self, holder: Element, identity: str) -> Element:
        try:
            return append(holder, identity)
        except ValueError:
            problem = "a structure-specific message needs an element of that name, and XML allows none"
            raise CannotWrite(f"{identity}: {problem}.") from None
