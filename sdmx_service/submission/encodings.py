"""In which encoding a sender's table is: what is declared, what the words of the catalog tell, what is said of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from email.message import Message as Headers
from typing import Any

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.model.artefact import ItemScheme
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.mapping import RepresentationMap
from sdmx_service.model.message import Message, Tables
from sdmx_service.submission.report import Report

_WORD = re.compile(r"[^\W\d_]+")


def declared(said: str | None, media_type: str | None) -> str | None:
    """The encoding that the sender names: beside the file, or as the ``charset`` of its media type."""
    if said is not None or media_type is None:
        return said
    headers = Headers()
    headers["Content-Type"] = media_type
    return headers.get_content_charset()


def known_words(catalog: Catalog) -> Callable[[str], bool]:
    """Tells whether a word stands in a name of a code, in a label that a map knows, or in a header of a layout.

    The words are gathered when the first one is asked for, and only those with letters beyond ASCII.
    """
    words: set[str] = set()

    def is_known(word: str) -> bool:
        if not words:
            words.update({""}, *map(_words, _texts(catalog)))
        return word in words

    return is_known


def _words(text: str) -> set[str]:
    return set() if text.isascii() else {word for word in _WORD.findall(text.casefold()) if not word.isascii()}


def _texts(catalog: Catalog) -> Iterator[str]:
    for artefact in catalog.artefacts.values():
        if isinstance(artefact, ItemScheme):
            items: tuple[Any, ...] = artefact.items
            for item in items:
                yield from item.names.values()
        elif isinstance(artefact, RepresentationMap):
            for row in artefact.rows:
                yield from (source.value for source in row.sources if source.value is not None)
    for layout in catalog.layouts.values():
        yield from layout.signature.headers
        for table in layout.tables:
            yield from table.header.find
            yield from (place.header for place in table.columns.values() if place.header is not None)


def report_encoding(content: Tables | Message, report: Report) -> None:
    """Say which encoding was found out, if one was: F113, or F114 where others fit as well."""
    found = content.encoding
    if found is None or found.is_sure:
        return
    if not found.others:
        report.add(FindingGroup.of("F113", value=found.name, example=found.example))
        return
    others = ", ".join(f"{name} it says {text!r}" for name, text in found.others)
    report.add(FindingGroup.of("F114", value=found.name, example=found.example, others=others))
