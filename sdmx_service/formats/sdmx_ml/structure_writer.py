"""Structure messages of SDMX-ML 2.1, 3.0 and 3.1, written artefact by artefact, with all languages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from sdmx_service.errors import CannotWrite
from sdmx_service.formats.sdmx_ml.header import write_header
from sdmx_service.formats.sdmx_ml.namespaces import NAMESPACES, VERSIONS, Namespaces
from sdmx_service.formats.sdmx_ml.structure_elements import Element, append, append_texts
from sdmx_service.formats.sdmx_ml.structure_encoding import write
from sdmx_service.formats.sdmx_ml.structure_versions import collect, kinds_of
from sdmx_service.formats.structure_tables import Artefacts
from sdmx_service.model.message import Message, WriteOptions


def write_structures(message: Message, version: str, options: WriteOptions | None = None) -> Iterator[bytes]:
    """The structure message as SDMX-ML of a version, in UTF-8, piece by piece.

    Every language is written, whatever the options wish: SDMX-ML has no best match. All artefacts are converted before
    the first piece is handed out, so that an error comes before anything is sent.

    Raises:
        CannotWrite: an artefact holds something that the version cannot carry.
    """
    if version not in NAMESPACES:
        raise CannotWrite(f"Structures are written as SDMX-ML {', '.join(VERSIONS)}, not {version}.")
    spaces = NAMESPACES[version]
    indent = options is not None and options.indent
    declared = f'xmlns:mes="{spaces.message}" xmlns:str="{spaces.structure}" xmlns:com="{spaces.common}"'
    head = _serialised(write_header(message.header, version), spaces, indent)
    body = list(
        _structures(collect((*message.structures, *message.availability), version, message.lookup), spaces, indent)
    )
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<mes:Structure {declared}>'.encode()
    yield head
    yield from body
    if message.errors:
        yield _serialised(footer_of(message, spaces), spaces, indent)
    yield b"</mes:Structure>\n"


def _structures(artefacts: list[Any], spaces: Namespaces, indent: bool) -> Iterator[bytes]:
    if not artefacts:
        return
    yield b"<mes:Structures>"
    kinds = _in_order(artefacts, spaces.version)
    for position, (artefact, kind) in enumerate(kinds):
        if position == 0 or kinds[position - 1][1].container != kind.container:
            yield f"<str:{kind.container}>".encode()
        yield _serialised(_artefact(artefact, kind, spaces), spaces, indent)
        if position == len(kinds) - 1 or kinds[position + 1][1].container != kind.container:
            yield f"</str:{kind.container}>".encode()
    yield b"</mes:Structures>"


def _in_order(artefacts: list[Any], version: str) -> list[tuple[Any, Artefacts]]:
    """Each artefact with its kind; in 2.1 in the order that the schema demands (3.x leaves the order free).

    Raises:
        CannotWrite: the version has no such kind of artefact.
    """
    kinds = kinds_of(version)
    known = {kind.shape.model: kind for kind in kinds}
    for artefact in artefacts:
        if type(artefact) not in known:
            raise CannotWrite(f"SDMX-ML {version} has no {type(artefact).__name__}; there is {_name(artefact)}.")
    if version == "2.1":
        containers = list(dict.fromkeys(kind.container for kind in kinds))
        artefacts = sorted(artefacts, key=lambda one: containers.index(known[type(one)].container))
    return [(one, known[type(one)]) for one in artefacts]


def _name(artefact: Any) -> str:
    return getattr(artefact, "urn", None) or repr(artefact)[:200]


def _artefact(artefact: Any, kind: Artefacts, spaces: Namespaces) -> Element:
    nsmap = {"mes": spaces.message, "str": spaces.structure, "com": spaces.common}
    holder = etree.Element(f"{{{spaces.structure}}}{kind.container}", nsmap=nsmap)
    return write(holder, f"{{{spaces.structure}}}{kind.tag}", artefact, kind.shape, spaces.version)


def footer_of(message: Message, spaces: Namespaces) -> Element:
    """The footer: messages about the message (``SDMXMessageFooter.xsd``)."""
    footer = etree.Element(f"{{{spaces.footer}}}Footer", nsmap={"footer": spaces.footer, "com": spaces.common})
    for code, severity, texts in message.errors:
        child = append(footer, f"{{{spaces.footer}}}Message", code=code)
        if severity:
            child.set("severity", severity)
        append_texts(child, f"{{{spaces.common}}}Text", texts)
    return footer


def _serialised(element: Element, spaces: Namespaces, indent: bool) -> bytes:
    """An element as bytes, without the namespaces that the root declares."""
    if indent:
        etree.indent(element, level=2)
    head, end, rest = etree.tostring(element, encoding="utf-8", with_tail=False).partition(b">")
    for prefix, name in (("mes", spaces.message), ("str", spaces.structure), ("com", spaces.common)):
        head = head.replace(f' xmlns:{prefix}="{name}"'.encode(), b"")
    return (b"\n" if indent else b"") + head + end + rest
