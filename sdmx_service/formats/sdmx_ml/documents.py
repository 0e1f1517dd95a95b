"""XML documents opened safely: no entities, no network, no document type, and errors with their place."""

from __future__ import annotations

from typing import IO, Any

from lxml import etree

from sdmx_service.errors import UnreadableFile, UnsafeFile
from sdmx_service.formats.sdmx_ml.structure_elements import Element


def parse_document(source: IO[bytes]) -> Element:
    """The root of a document, whole in memory, without comments and processing instructions.

    Raises:
        UnreadableFile: it is not well-formed.
        UnsafeFile: it has a document type declaration.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root: Element = etree.parse(source, parser).getroot()
    except etree.XMLSyntaxError as error:
        raise not_well_formed(error) from None
    refuse_document_type(root)
    return root


def refuse_document_type(root: Element) -> None:
    """Refuse a document that brings a type of its own.

    Raises:
        UnsafeFile: it has a document type declaration.
    """
    document: Any = root.getroottree().docinfo
    if document.doctype:
        raise UnsafeFile("The file has a document type declaration (DOCTYPE).", hint="Send it without one.")


def not_well_formed(error: etree.XMLSyntaxError) -> UnreadableFile:
    """What is said of a document that is none, with its place."""
    line, column = error.position
    return UnreadableFile(
        f"line {line}, column {column}: the file is not well-formed XML: {error.msg}.",
        hint="Save it again as XML, whole and in UTF-8.",
    )
