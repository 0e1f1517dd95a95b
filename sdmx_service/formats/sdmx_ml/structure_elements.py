"""Reading and writing single elements: names, places, texts, and text as the type that the schema gives it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from sdmx_service.errors import CannotWrite, UnreadableFile
from sdmx_service.formats.sdmx_ml.namespaces import XML_LANG
from sdmx_service.model.artefact import Texts

Element = etree._Element

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FRACTION = re.compile(r"(\.\d{6})\d+")
_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def local_name(element: Element) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def children(element: Element) -> Iterator[Element]:
    """The child elements; those who parse leave out comments and processing instructions."""
    return iter(element)


def named(element: Element, name: str) -> list[Element]:
    """The child elements with that local name."""
    return [child for child in children(element) if local_name(child) == name]


def first(element: Element, name: str) -> Element | None:
    """The first child element with that local name."""
    return next((child for child in children(element) if local_name(child) == name), None)


def place(element: Element) -> str:
    """Where an element stands: its line, and the path of names (with ids) that leads to it."""
    steps = []
    for step in (element, *element.iterancestors()):
        identity = step.get("id")
        steps.append(local_name(step) + (f"[{identity}]" if identity else ""))
    return f"line {element.sourceline}, {'/'.join(reversed(steps))}"


def unreadable(element: Element, problem: str, hint: str = "") -> UnreadableFile:
    """The error that says what is wrong with an element, and where it stands."""
    return UnreadableFile(f"{place(element)}: {problem}", hint=hint)


def text_of(element: Element) -> str:
    """The text of an element, exactly as sent.

    Raises:
        UnreadableFile: it has child elements where only text may stand.
    """
    inner = next(children(element), None)
    if inner is not None:
        raise unreadable(inner, f"only text may stand in {local_name(element)}.")
    return element.text or ""


def token_of(element: Element) -> str:
    """The text of an element without white space around it: ids, numbers, URNs."""
    return text_of(element).strip()


def as_boolean(element: Element, text: str) -> bool:
    """The xs:boolean that ``text`` is.

    Raises:
        UnreadableFile: it is none.
    """
    found = _BOOLEANS.get(text.strip().lower())  # True and False occur in the wild
    if found is None:
        raise unreadable(element, f"{text!r} is not true or false.")
    return found


def as_integer(element: Element, text: str) -> int:
    """The xs:integer that ``text`` is.

    Raises:
        UnreadableFile: it is none.
    """
    if _INTEGER.fullmatch(text.strip()) is None:
        raise unreadable(element, f"{text!r} is not a whole number.")
    return int(text)


def as_moment(element: Element, text: str) -> datetime:
    """The xs:dateTime or xs:date that ``text`` is; it has a zone only if one was sent.

    Raises:
        UnreadableFile: it is none.
    """
    try:
        return datetime.fromisoformat(_FRACTION.sub(r"\1", text.strip()))
    except ValueError:
        raise unreadable(element, f"{text!r} is not a date or a date and time.") from None


def moment_text(moment: datetime | None) -> str:
    """A moment as xs:dateTime; now where there is none, since the schema asks for one."""
    return (moment or datetime.now(UTC).replace(microsecond=0)).isoformat().replace("+00:00", "Z")


def texts_of(elements: Iterable[Element]) -> Texts:
    """The texts of elements by language; ``en`` is the schema's default of xml:lang.

    Raises:
        UnreadableFile: one language has two different texts.
    """
    found: dict[str, str] = {}
    for element in elements:
        language, text = element.get(XML_LANG, "en"), text_of(element)
        if found.setdefault(language, text) != text:
            raise unreadable(element, f"a second, different {local_name(element)} in the language {language!r}.")
    return Texts(found)


def append(parent: Element, tag: str, text: str | None = None, **attributes: str) -> Element:
    """A new last child, with text and attributes.

    Raises:
        CannotWrite: a text holds a character that XML cannot carry.
    """
    child = etree.SubElement(parent, tag)
    if text is not None:
        child.text = writable(child, text)
    for name, value in attributes.items():
        child.set(name, writable(child, value))
    return child


def writable(element: Element, text: str) -> str:
    """The same text.

    Raises:
        CannotWrite: it holds a character that XML cannot carry.
    """
    if (bad := _FORBIDDEN.search(text)) is not None:
        raise CannotWrite(f"{place_written(element)}: XML cannot carry the character {bad[0]!r} in {text!r}.")
    return text


def place_written(element: Element) -> str:
    """Where an element stands in the message being written."""
    return place(element).partition(", ")[2]


def append_texts(parent: Element, tag: str, texts: Texts) -> None:
    """One child per language."""
    for language, text in texts.items():
        child = append(parent, tag, text)
        if language:
            child.set(XML_LANG, language)


Values = dict[str, Any]
