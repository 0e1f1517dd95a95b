"""Reference metadata: metadata sets and the values they report (SDMX 3.1 package *metadatastructure*, *MetadataSet*).

A value is text here, whatever it was in the message: SDMX-ML and SDMX-CSV know nothing else, and the type is a matter
of the metadata structure. An attribute with several values is several values of one id, side by side (*standard* from
SDMX-ML 3.1 on).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from sdmx_service.model.artefact import NO_TEXTS, Annotation, Maintainable, Texts
from sdmx_service.model.message import Action
from sdmx_service.model.representation import TextFormat
from sdmx_service.model.urn import Ref, artefact_type, artefact_type_of_item

XHTML = "XHTML"
"""The data type of values that are structured text."""
ANY_SET = "*"
"""The id and version of a set that stands for all sets of a metadataflow, where they are to be deleted (SDMX-CSV)."""

_TARGET = re.compile(
    r"urn:sdmx:org\.sdmx\.infomodel\.[a-z]+\.(?P<type>[A-Za-z]+)="
    r"(?P<agency>[A-Za-z][A-Za-z0-9_.-]*|\*):(?P<id>[A-Za-z0-9_@$-]+|\*)\((?P<version>[0-9A-Za-z.+*-]+)\)"
    r"(?:\.(?P<item>[A-Za-z0-9_@$-]+(?:\.[A-Za-z0-9_@$-]+)*|\*(?:\.\*)*))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataAttributeValue:
    """What is reported for one metadata attribute, with what is reported below it.

    Attributes:
        id: the metadata attribute.
        value: a single value; None where there is none, or where there are ``texts``.
        texts: parallel texts by language.
        data_type: the SDMX data type, as far as it is known: SDMX-JSON tells numbers and truth values from text,
            SDMX-ML structured text (``XHTML``) from other text. It says how to write a value and not what it is, so
            two values that differ in it alone are equal.
        text_format: the format that SDMX-JSON may repeat with each value.
        attributes: the values of nested metadata attributes.
    """

    id: str
    value: str | None = None
    texts: Texts = NO_TEXTS
    data_type: str | None = field(default=None, compare=False)
    text_format: TextFormat | None = None
    annotations: tuple[Annotation, ...] = ()
    attributes: tuple[MetadataAttributeValue, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataSet(Maintainable):
    """Metadata that a provider reports about some targets; the provider maintains it (``agency``).

    Attributes:
        described_by: the metadataflow or metadata provision agreement it is reported against; in SDMX 2.1 also a
            metadata structure.
        structure: the metadata structure, where it is known; it follows from ``described_by``, so sets that differ in
            it alone are equal.
        targets: what it is about, as URNs, perhaps with wildcards.
        action: what the message asks to do with the set; a stored set has none.
        reporting_begin, reporting_end, publication_year, publication_period: ISO 8601 text as sent.
    """

    type: ClassVar[str] = "MetadataSet"
    described_by: Ref | None = None
    structure: Ref | None = field(default=None, compare=False)
    targets: tuple[str, ...] = ()
    attributes: tuple[MetadataAttributeValue, ...] = ()
    action: Action | None = None
    reporting_begin: str | None = None
    reporting_end: str | None = None
    publication_year: str | None = None
    publication_period: str | None = None

    @property
    def is_any(self) -> bool:
        """It stands for all sets of its metadataflow."""
        return self.id == ANY_SET

    def _references(self) -> Iterator[Ref]:
        if self.described_by is not None:
            yield self.described_by

    def values(self) -> Iterator[tuple[str, MetadataAttributeValue]]:
        """Every value with its dotted path, parents before children."""
        yield from walk(self.attributes)


def walk(
    attributes: tuple[MetadataAttributeValue, ...], above: str = ""
) -> Iterator[tuple[str, MetadataAttributeValue]]:
    """Every value with its dotted path, parents before children."""
    for one in attributes:
        path = f"{above}{one.id}"
        yield path, one
        yield from walk(one.attributes, f"{path}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPattern:
    """What a target or a target pattern names; ``*`` is anything (SDMX 3.1 ``WildcardUrnType``)."""

    type: str
    agency: str
    id: str
    version: str
    item: str | None = None

    @classmethod
    def parse(cls, urn: str) -> TargetPattern | None:
        """The target that a URN is; None if it is none."""
        match = _TARGET.fullmatch(urn)
        return None if match is None else cls(**match.groupdict())

    @property
    def maintainable_type(self) -> str:
        """The class of the artefact as a whole (of a code: of its codelist)."""
        kind = artefact_type_of_item(self.type) if self.item is not None else artefact_type(self.type)
        return self.type if kind is None else kind.name

    @property
    def text(self) -> str:
        """``AGENCY:ID(VERSION)[.ITEM]``."""
        return f"{self.agency}:{self.id}({self.version})" + ("" if self.item is None else f".{self.item}")
