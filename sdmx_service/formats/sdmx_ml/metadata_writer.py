"""Metadata messages of SDMX-ML 3.0 and 3.1, written set by set, with all languages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lxml import etree

from sdmx_service.errors import CannotWrite
from sdmx_service.formats.metadata_shapes import METADATA_SET
from sdmx_service.formats.metadata_values import check_written
from sdmx_service.formats.sdmx_ml.header import action_text, write_header
from sdmx_service.formats.sdmx_ml.metadata_values import append_annotations, append_texts, is_structured
from sdmx_service.formats.sdmx_ml.namespaces import NAMESPACES, Namespaces
from sdmx_service.formats.sdmx_ml.structure_elements import Element, append
from sdmx_service.formats.sdmx_ml.structure_elements import append_texts as append_names
from sdmx_service.formats.sdmx_ml.structure_encoding import write
from sdmx_service.model.message import Message, WriteOptions
from sdmx_service.model.metadata import MetadataAttributeValue, MetadataSet
from sdmx_service.model.urn import Ref


def write_metadata(message: Message, options: WriteOptions, *, version: str) -> Iterator[bytes]:
    """The metadata sets of a message (``Message.structures``) as SDMX-ML 3.0 or 3.1, in UTF-8, piece by piece.

    All sets are converted before the first piece is handed out, so that an error comes before anything is sent.

    Raises:
        CannotWrite: a set holds something that the version cannot carry, or there is none.
    """
    spaces = NAMESPACES[version]
    sets = [one for one in message.structures if isinstance(one, MetadataSet)]
    described = list(dict.fromkeys(_header_reference(one, version) for one in sets))
    if not described:
        raise CannotWrite(
            f"A metadata message of SDMX-ML {version} names a structure, and this one has no metadata set."
        )
    structures = [_structure(ref, f"MD{place}", spaces) for place, ref in enumerate(described, 1)]
    head = write_header(message.header, version, structures=structures)
    body = [_set(one, spaces) for one in sets]
    footer = [_footer(message, spaces)] if message.errors else []
    yield opening("GenericMetadata", spaces, spaces.generic_metadata)
    for element in (head, *body, *footer):
        yield serialised(element, spaces, spaces.generic_metadata, indent=options.indent)
    yield b"</mes:GenericMetadata>\n"


def opening(root: str, spaces: Namespaces, metadata: str, more: str = "") -> bytes:
    """The start of a message."""
    declared = f'xmlns:mes="{spaces.message}" xmlns:md="{metadata}" xmlns:com="{spaces.common}"{more}'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<mes:{root} {declared}>'.encode()


def serialised(element: Element, spaces: Namespaces, metadata: str, *, indent: bool, more: Sequence[str] = ()) -> bytes:
    """An element as bytes, without the namespaces that the root declares."""
    if indent:
        etree.indent(element, level=1)
    head, end, rest = etree.tostring(element, encoding="utf-8", with_tail=False).partition(b">")
    declared = (f'mes="{spaces.message}"', f'com="{spaces.common}"', f'md="{metadata}"', *more)
    for one in declared:
        head = head.replace(f" xmlns:{one}".encode(), b"")
    return (b"\n" if indent else b"") + head + end + rest


def _header_reference(metadata_set: MetadataSet, version: str) -> Ref:
    """What the header says a set is described by, which no version lets be a metadata provision agreement."""
    check_written(metadata_set, f"SDMX-ML {version}")
    found = metadata_set.described_by
    if found is not None and found.type == "MetadataProvisionAgreement":
        found = metadata_set.structure
    if found is None:
        raise CannotWrite(
            f"{metadata_set.urn}: the header of SDMX-ML {version} names a metadataflow or metadata structure, and none "
            "is known for this set."
        )
    return found


def _structure(ref: Ref, identity: str, spaces: Namespaces) -> Element:
    element = etree.Element(
        f"{{{spaces.message}}}Structure", structureID=identity, nsmap={"mes": spaces.message, "com": spaces.common}
    )
    name = "StructureUsage" if ref.type == "Metadataflow" else "Structure"
    append(element, f"{{{spaces.common}}}{name}", ref.urn)
    return element


def _set(metadata_set: MetadataSet, spaces: Namespaces) -> Element:
    """A set. The shapes know one namespace for what belongs to the artefact; here it is that of metadata."""
    nsmap = {"mes": spaces.message, "com": spaces.common, "md": spaces.generic_metadata, "str": spaces.structure}
    holder = etree.Element(f"{{{spaces.message}}}Sets", nsmap=nsmap)
    element = write(holder, f"{{{spaces.message}}}MetadataSet", metadata_set, METADATA_SET, spaces.version)
    own = f"{{{spaces.structure}}}"
    for child in element:
        if str(child.tag).startswith(own):
            child.tag = f"{{{spaces.generic_metadata}}}{str(child.tag).removeprefix(own)}"
    if metadata_set.action is not None:
        element.set("action", action_text(metadata_set.action, spaces.version))
    if bool(metadata_set.targets) != bool(metadata_set.attributes) or (
        metadata_set.described_by is not None and not metadata_set.targets
    ):
        raise CannotWrite(f"{metadata_set.urn}: SDMX-ML needs a target and an attribute, or neither.")
    for one in metadata_set.attributes:
        _value(element, one, spaces)
    element = holder[0]
    etree.cleanup_namespaces(holder, keep_ns_prefixes=["mes", "com", "md"])
    return element


def _value(parent: Element, one: MetadataAttributeValue, spaces: Namespaces) -> None:
    own = f"{{{spaces.generic_metadata}}}"
    element = append(parent, f"{own}Attribute", id=one.id)
    if one.text_format is not None:
        raise CannotWrite(f"{one.id}: SDMX-ML {spaces.version} cannot carry the format of a value.")
    append_annotations(element, spaces.common, one.annotations, spaces.version)
    if one.texts:
        append_texts(element, spaces.common, one.texts, is_structured=is_structured(one))
    elif one.value is not None:
        append(element, f"{own}Value", one.value)
    for inner in one.attributes:
        _value(element, inner, spaces)


def _footer(message: Message, spaces: Namespaces) -> Element:
    footer: Any = etree.Element(f"{{{spaces.footer}}}Footer", nsmap={"footer": spaces.footer, "com": spaces.common})
    for code, severity, texts in message.errors:
        child = append(footer, f"{{{spaces.footer}}}Message", code=code)
        if severity:
            child.set("severity", severity)
        append_names(child, f"{{{spaces.common}}}Text", texts)
    return footer  # type: ignore[no-any-return]
