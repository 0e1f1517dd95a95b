"""Metadata messages of SDMX-ML 2.1, 3.0 and 3.1, read."""

from __future__ import annotations

from dataclasses import replace
from typing import IO

from sdmx_service.errors import NotBuilt, SdmxError
from sdmx_service.formats.metadata_shapes import METADATA_SET
from sdmx_service.formats.metadata_values import DEEPEST
from sdmx_service.formats.sdmx_ml.documents import parse_document
from sdmx_service.formats.sdmx_ml.header import read_header
from sdmx_service.formats.sdmx_ml.metadata_reports_reader import read_reported_set
from sdmx_service.formats.sdmx_ml.metadata_values import read_annotations, read_texts, type_of
from sdmx_service.formats.sdmx_ml.namespaces import VERSIONS, version_of
from sdmx_service.formats.sdmx_ml.structure_decoding import read
from sdmx_service.formats.sdmx_ml.structure_elements import (
    Element,
    children,
    local_name,
    named,
    text_of,
    texts_of,
    unreadable,
)
from sdmx_service.formats.sdmx_ml.structure_references import read_reference
from sdmx_service.formats.sniffing import Head
from sdmx_service.model.artefact import Maintainable, Texts
from sdmx_service.model.message import Action, Header, Message
from sdmx_service.model.metadata import MetadataAttributeValue, MetadataSet, TargetPattern
from sdmx_service.model.urn import Ref

ROOTS = ("GenericMetadata", "StructureSpecificMetadata")
_DESCRIBING = {
    "StructureUsage": "Metadataflow",
    "Structure": "MetadataStructure",
    "ProvisionAgrement": "ProvisionAgreement",  # the spelling of SDMX-ML 2.1
    "ProvisionAgreement": "ProvisionAgreement",
}
_IN_ATTRIBUTE = frozenset({"Annotations", "Value", "Text", "StructuredText", "Attribute"})


def sniff_metadata_ml(head: Head) -> int:
    """How sure it is that this is a metadata message of SDMX-ML."""
    root = head.xml_root
    return 100 if root is not None and root[0] in ROOTS else 0


def read_metadata(source: IO[bytes]) -> Message:
    """The header and the metadata sets (``Message.structures``) of a metadata message, whatever its version.

    Reports of 2.1 are read as what later versions say instead (``formats.metadata_reports``).

    Raises:
        UnreadableFile: it is no such message, or something in it is not as the standard says; with line and path.
        UnsafeFile: it has a document type declaration.
        NotBuilt: it is of SDMX-ML 1.0 or 2.0.
    """
    root = parse_document(source)
    return _message(root, _version(root))


def _version(root: Element) -> str:
    version = version_of(str(root.tag).rpartition("}")[0].removeprefix("{"))
    if version is not None and version not in VERSIONS:
        raise NotBuilt(f"The file is SDMX-ML {version}; metadata are read from {', '.join(VERSIONS)}.")
    if version is None or local_name(root) not in ROOTS:
        raise unreadable(root, f"the file is not a metadata message of SDMX-ML, but {local_name(root)!r}.")
    return version


def _message(root: Element, version: str) -> Message:
    header, described = Header(), dict[str, Ref]()
    sets: list[Maintainable] = []
    footer: list[tuple[str, str, Texts]] = []
    for element in children(root):
        name = local_name(element)
        if name == "Header":
            header, described = read_header(element), _described(element)
        elif name == "Footer":
            footer += [(one.get("code", ""), one.get("severity", ""), texts_of(named(one, "Text")))
                       for one in named(element, "Message")]  # fmt: skip
        elif name != "MetadataSet":
            raise unreadable(element, f"a metadata message has no {name}.")
        elif version == "2.1":
            sets += read_reported_set(element, described, header.sender.id)
        else:
            sets.append(_read_set(element, version))
    return Message(header=header, structures=tuple(sets), errors=tuple(footer))


def _described(header: Element) -> dict[str, Ref]:
    """What each structure of the header describes, by its id in the message."""
    found = {}
    for structure in named(header, "Structure"):
        for child in children(structure):
            kind = _DESCRIBING.get(local_name(child))
            if kind is not None:
                found[structure.get("structureID", "")] = read_reference(child, kind)
    return found


# ------------------------------------------------------------------------------------------------------------ 3.0, 3.1


def _read_set(element: Element, version: str) -> MetadataSet:
    """A set; its values are read while they still stand in the message, so that faults know their place."""
    action = _read_action(element)
    values = named(element, "Attribute")
    attributes = tuple(made for one in values for made in read_value(one, version))
    for one in named(element, "Target"):
        if TargetPattern.parse(text_of(one).strip()) is None:
            raise unreadable(one, f"{text_of(one)[:200]!r} is not the URN of an artefact.")
    for one in values:
        element.remove(one)
    if action is not None:
        del element.attrib["action"]
    made = read(element, METADATA_SET, version)
    assert isinstance(made, MetadataSet)
    return replace(made, action=action, attributes=attributes)


def _read_action(element: Element) -> Action | None:
    word = element.get("action")
    try:
        return None if word is None else Action.from_text(word)
    except SdmxError as error:
        raise unreadable(element, error.detail) from None


def read_value(element: Element, version: str, depth: int = 1) -> tuple[MetadataAttributeValue, ...]:
    """What an ``Attribute`` reports: a value for each ``Value`` (SDMX-ML 3.0 may repeat them), one with texts, or none.

    *Choice*: of repeated values the first has the annotations and the nested attributes.

    Raises:
        UnreadableFile: something in it is not as the schema says.
    """
    if depth > DEEPEST:
        raise unreadable(element, f"metadata attributes are nested in more than {DEEPEST} levels.")
    for child in children(element):
        if local_name(child) not in _IN_ATTRIBUTE:
            raise unreadable(child, f"a metadata attribute has no {local_name(child)}.")
    identity = element.get("id")
    if not identity:
        raise unreadable(element, "the metadata attribute has no id.")
    texts, is_markup = read_texts(element)
    values = [text_of(one) for one in named(element, "Value")]
    if values and texts:
        raise unreadable(element, "a metadata attribute has Value and texts, where there may be one.")
    if version > "3.0" and len(values) > 1:
        raise unreadable(element, "a second Value, where there may be one.", hint="Repeat the attribute.")
    head = MetadataAttributeValue(
        id=identity,
        value=values[0] if values else None,
        texts=texts,
        data_type=type_of(is_markup),
        annotations=read_annotations(element, version),
        attributes=tuple(made for one in named(element, "Attribute") for made in read_value(one, version, depth + 1)),
    )
    return (head, *(MetadataAttributeValue(id=identity, value=value) for value in values[1:]))
