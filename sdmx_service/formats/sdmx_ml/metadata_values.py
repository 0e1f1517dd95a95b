"""Texts and structured texts of reported metadata in SDMX-ML, the same in all versions.

Structured text is XHTML: in the model a text of markup, whose outermost elements declare its namespace.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from xml.sax.saxutils import escape

from lxml import etree

from sdmx_service.formats.sdmx_ml.namespaces import XML_LANG
from sdmx_service.formats.sdmx_ml.structure_decoding import read
from sdmx_service.formats.sdmx_ml.structure_elements import (
    Element,
    append,
    children,
    local_name,
    named,
    texts_of,
    unreadable,
    writable,
)
from sdmx_service.formats.sdmx_ml.structure_encoding import write
from sdmx_service.formats.structure_parts import ANNOTATION
from sdmx_service.model.artefact import Annotation, Texts
from sdmx_service.model.metadata import XHTML, MetadataAttributeValue

XHTML_SPACE: Final = "http://www.w3.org/1999/xhtml"


def read_texts(element: Element) -> tuple[Texts, bool]:
    """The texts by language below an element, and whether they are structured.

    Raises:
        UnreadableFile: one language twice, or texts of both kinds.
    """
    plain, structured = named(element, "Text"), named(element, "StructuredText")
    if plain and structured:
        raise unreadable(structured[0], f"{local_name(element)} has Text and StructuredText, where there may be one.")
    if plain:
        return texts_of(plain), False
    found: dict[str, str] = {}
    for one in structured:
        language, text = one.get(XML_LANG, "en"), _markup(one)
        if found.setdefault(language, text) != text:
            raise unreadable(one, f"a second, different StructuredText in the language {language!r}.")
    return Texts(found), bool(structured)


def _markup(element: Element) -> str:
    """What stands inside an element, as markup that is whole by itself."""
    parts = [escape(element.text or "")]
    for child in children(element):
        parts.append(etree.tostring(_alone(child), encoding="unicode", with_tail=False))
        parts.append(escape(child.tail or ""))
    return "".join(parts)


def _alone(element: Element) -> Element:
    """A copy that declares no namespaces but those it uses."""
    copy = etree.fromstring(etree.tostring(element, with_tail=False), _parser())
    spaces: Any = {None: XHTML_SPACE} if etree.QName(copy).namespace == XHTML_SPACE else {}
    fresh = etree.Element(copy.tag, dict(copy.attrib), nsmap=spaces)
    fresh.text = copy.text
    fresh.extend(list(copy))
    etree.cleanup_namespaces(fresh)
    return fresh


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def append_texts(parent: Element, space: str, texts: Texts, *, is_structured: bool) -> None:
    """One child per language; structured text as such where it is well-formed XHTML, else as text (*choice*)."""
    parsed = {language: _parsed(text) for language, text in texts.items()} if is_structured else {}
    as_markup = bool(parsed) and all(one is not None for one in parsed.values())
    for language, text in texts.items():
        child = append(parent, f"{{{space}}}{'StructuredText' if as_markup else 'Text'}")
        if language:
            child.set(XML_LANG, writable(child, language))
        markup = parsed.get(language)
        if not as_markup or markup is None:
            child.text = writable(child, text)
        else:
            child.text = markup.text
            child.extend(list(markup))


def _parsed(text: str) -> Element | None:
    """The text inside an element, if it is XHTML as a reader gives it back; else None."""
    whole = f'<text xmlns="{XHTML_SPACE}">{text}</text>'
    try:
        found = etree.fromstring(whole, _parser())
    except (etree.XMLSyntaxError, ValueError):
        return None
    inner = list(found.iter())
    is_xhtml = all(isinstance(one.tag, str) and etree.QName(one).namespace == XHTML_SPACE for one in inner)
    return found if is_xhtml else None


def read_annotations(element: Element, version: str) -> tuple[Annotation, ...]:
    """The annotations of an element."""
    holders = named(element, "Annotations")
    return tuple(read(one, ANNOTATION, version) for holder in holders for one in named(holder, "Annotation"))


def append_annotations(parent: Element, space: str, annotations: Sequence[Annotation], version: str) -> None:
    """The annotations, if there are any."""
    if annotations:
        holder = append(parent, f"{{{space}}}Annotations")
        for note in annotations:
            write(holder, f"{{{space}}}Annotation", note, ANNOTATION, version)


def type_of(is_structured: bool) -> str | None:
    """The data type that a kind of text tells."""
    return XHTML if is_structured else None


def is_structured(one: MetadataAttributeValue) -> bool:
    """Whether the texts of a value are structured."""
    return one.data_type == XHTML
