"""Metadata messages of SDMX-CSV 2.0 and 2.1, read."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from sdmx_service.errors import SyntaxFault, UnreadableFile
from sdmx_service.formats.delimited import explain_encoding
from sdmx_service.formats.metadata_values import DEEPEST
from sdmx_service.formats.sdmx_csv.cells import split_values
from sdmx_service.formats.sdmx_csv.metadata_columns import Column, Draft, parse_column
from sdmx_service.formats.sniffing import Head
from sdmx_service.model.artefact import NO_TEXTS, Texts
from sdmx_service.model.message import Action, Message
from sdmx_service.model.metadata import ANY_SET, MetadataSet, TargetPattern
from sdmx_service.model.urn import Ref, artefact_type, artefact_type_of_item, artefact_type_of_resource, canonical_class

_FIRST = re.compile(r'"?MDSTRUCTURE(?:\[(?P<separator>[^\]])\])?"?(?P<delimiter>[^\w"]|$)')
_STRUCTURES = {"metadataflow": "Metadataflow", "metadataprovision": "MetadataProvisionAgreement"}
_FIELDS = ("MDSTRUCTURE", "MDSTRUCTURE_ID", "MDSTRUCTURE_NAME", "METADATASET_ID", "METADATASET_NAME", "ACTION",
           "IS_PARTIAL_LANGUAGE", "TARGET_TYPES", "TARGET_IDS", "TARGET_NAMES")  # fmt: skip
_CUSTOM = {
    "reportingBegin": "reporting_begin",
    "reportingEnd": "reporting_end",
    "publicationYear": "publication_year",
    "publicationPeriod": "publication_period",
    "prepared": "",
}
"""Columns of one's own that the field guide names as examples, and what they are here."""
_BOOLEANS = {"": None, "1": True, "true": True, "0": False, "false": False}
_LONGEST = 16 * 1024**2
csv.field_size_limit(_LONGEST)


def sniff_metadata_csv(head: Head) -> int:
    """How sure it is that this is a metadata message of SDMX-CSV."""
    return 100 if _FIRST.match(head.text.removeprefix("\ufeff")) else 0


def read_metadata(source: IO[bytes]) -> Message:
    """The metadata sets (``Message.structures``) of a metadata message.

    A row that deletes all sets of a metadataflow gives a set whose id is ``*`` (``MetadataSet.is_any``). Names that
    come with the message (``labels=name``) are in a language that it does not say, and are taken as English.

    Raises:
        UnreadableFile: it is no such message, or something in it is not as the field guide says; with its row.
    """
    try:
        text = source.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise explain_encoding(source) from None
    first = _FIRST.match(text)
    if first is None:
        raise UnreadableFile(f"Row 1 begins with {text[:40]!r}; an SDMX-CSV metadata message begins with MDSTRUCTURE.")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=first["delimiter"] or ",", strict=True)
    try:
        table = list(rows)
    except csv.Error as error:
        raise UnreadableFile(f"Line {rows.line_num}: the file cannot be cut into cells ({error}).") from None
    heading = _heading(table[0], first["separator"])
    sets = [heading.read(row, number) for number, row in enumerate(table[1:], 2) if any(row)]
    return Message(structures=tuple(sets))


@dataclass(frozen=True, slots=True)
class _Heading:
    """The first row: where the fields and the attributes stand."""

    fields: Mapping[str, int]
    columns: Mapping[int, Column]
    separator: str | None
    width: int
    has_labels: bool

    def read(self, row: Sequence[str], number: int) -> MetadataSet:
        """The set that a row says."""
        if len(row) < self.width or any(row[self.width :]):
            raise _fault(number, f"it has {len(row)} cells where the heading has {self.width} columns.")
        cells = row
        described_by = self._described_by(cells, number)
        action = self._action(cells, number)
        agency, identity, version = self._identity(cells, action, described_by, number)
        draft = Draft()
        for place, column in self.columns.items():
            if cells[place]:
                draft.take(column, cells[place], self.separator)
        name = self._cell(cells, "METADATASET_NAME") or self._label(cells, "METADATASET_ID")
        return MetadataSet(
            agency=agency,
            id=identity,
            version=version,
            names=Texts({"en": name}) if name else NO_TEXTS,
            described_by=described_by,
            action=action,
            is_partial_language=self._flag(cells, number),
            targets=self._targets(cells, number),
            attributes=draft.attributes(),
            reporting_begin=self._cell(cells, "reportingBegin") or None,
            reporting_end=self._cell(cells, "reportingEnd") or None,
            publication_year=self._cell(cells, "publicationYear") or None,
            publication_period=self._cell(cells, "publicationPeriod") or None,
        )

    def _cell(self, cells: Sequence[str], name: str) -> str:
        place = self.fields.get(name)
        return "" if place is None else cells[place].strip()

    def _label(self, cells: Sequence[str], name: str) -> str:
        return self._cell(cells, name).partition(": ")[2] if self.has_labels else ""

    def _id(self, cells: Sequence[str], name: str) -> str:
        cell = self._cell(cells, name)
        return cell.partition(": ")[0] if self.has_labels else cell

    def _described_by(self, cells: Sequence[str], number: int) -> Ref:
        word, text = self._cell(cells, "MDSTRUCTURE").lower(), self._id(cells, "MDSTRUCTURE_ID")
        kind = _STRUCTURES.get(word)
        if kind is None:
            raise _fault(number, f"MDSTRUCTURE is {word!r}, not metadataflow or metadataprovision.")
        return _ref(kind, text, "MDSTRUCTURE_ID", number)

    def _action(self, cells: Sequence[str], number: int) -> Action | None:
        word = self._cell(cells, "ACTION")
        try:
            return Action.from_text(word) if word else None
        except SyntaxFault as error:
            raise _fault(number, error.detail) from None

    def _identity(
        self, cells: Sequence[str], action: Action | None, described_by: Ref, number: int
    ) -> tuple[str, str, str]:
        text = self._id(cells, "METADATASET_ID")
        if not text and action is Action.DELETE:
            return described_by.agency, ANY_SET, ANY_SET
        ref = _ref("MetadataSet", text, "METADATASET_ID", number)
        return ref.agency, ref.id, ref.version

    def _flag(self, cells: Sequence[str], number: int) -> bool | None:
        word = self._cell(cells, "IS_PARTIAL_LANGUAGE").lower()
        if word not in _BOOLEANS:
            raise _fault(number, f"IS_PARTIAL_LANGUAGE is {word!r}, not 1 or 0.")
        return _BOOLEANS[word]

    def _targets(self, cells: Sequence[str], number: int) -> tuple[str, ...]:
        types = self._split(self._cell(cells, "TARGET_TYPES"))
        ids = self._split(self._cell(cells, "TARGET_IDS"))
        if len(types) != len(ids):
            raise _fault(number, f"there are {len(types)} TARGET_TYPES and {len(ids)} TARGET_IDS.")
        return tuple(self._target(kind, text, number) for kind, text in zip(types, ids, strict=True))

    def _split(self, cell: str) -> list[str]:
        return [part.strip() for part in split_values(cell, self.separator)] if cell else []

    def _target(self, word: str, text: str, number: int) -> str:
        text = text.partition(": ")[0] if self.has_labels else text
        urn = _target_urn(word.lower(), text if "(" in text else f"{text}(1.0)")
        if urn is None:
            raise _fault(number, f"the target {word!r} {text!r} is not a class of artefacts and AGENCY:ID(VERSION).")
        return urn


def _target_urn(word: str, text: str) -> str | None:
    """The URN of a target: of an artefact of that resource, or of an item of it."""
    kind = artefact_type_of_resource(word)
    name = kind.name if kind is not None else "Any" if word == "any" else canonical_class(word)
    if name is None:
        return None
    if kind is not None and text.rpartition(")")[2] and len(kind.item_types) >= 1:
        name = kind.item_types[0]
    found = artefact_type(name) or artefact_type_of_item(name)
    package = "base" if found is None else found.package
    urn = f"urn:sdmx:org.sdmx.infomodel.{package}.{name}={text}"
    return None if TargetPattern.parse(urn) is None else urn


def _ref(kind: str, text: str, name: str, number: int) -> Ref:
    whole = text if "(" in text else f"{text}(1.0)"
    package = artefact_type(kind)
    assert package is not None
    try:
        return Ref.parse(f"urn:sdmx:org.sdmx.infomodel.{package.package}.{kind}={whole}")
    except SyntaxFault:
        raise _fault(number, f"{name} is {text!r}, not AGENCY:ID(VERSION).") from None


def _fault(number: int, problem: str) -> UnreadableFile:
    return UnreadableFile(f"Row {number}: {problem}")


# -------------------------------------------------------------------------------------------------------------- heading


def _heading(row: Sequence[str], separator: str | None) -> _Heading:
    names = [_field_name(text) for text in row]
    fields: dict[str, int] = {}
    columns: dict[int, Column] = {}
    has_labels, is_name = False, False
    for place, (text, name) in enumerate(zip(row, names, strict=True)):
        if name is not None:
            if name in fields:
                raise _fault(1, f"columns {fields[name] + 1} and {place + 1} are both {name}.")
            fields[name], is_name = place, False
        elif is_name:
            is_name = False  # labels=name: the names of the values before
        elif text:
            parsed = parse_column(text, separator)
            if parsed is None or len(parsed[0].steps) > DEEPEST:
                raise _fault(1, f"column {place + 1} is {text[:100]!r}, which is no field and no metadata attribute.")
            columns[place], is_name = parsed[0], "MDSTRUCTURE_NAME" in names
            has_labels |= parsed[1]
    _check(fields, columns, separator, has_labels)
    return _Heading(fields, columns, separator, len(row), has_labels)


def _field_name(text: str) -> str | None:
    name = re.sub(r"\[.\]$", "", text) if text.startswith("MDSTRUCTURE") else text
    return name if name in _FIELDS or name in _CUSTOM else None


def _check(fields: Mapping[str, int], columns: Mapping[int, Column], separator: str | None, has_labels: bool) -> None:
    for name in ("MDSTRUCTURE_ID", "METADATASET_ID"):
        if name not in fields:
            raise _fault(1, f"the column {name} is missing.")
    if has_labels:
        raise UnreadableFile(
            "Row 1: the headings have names (labels=both), so that codes and texts of the cells cannot be told apart.",
            hint="Send the message with labels=id or labels=name.",
        )
    paths: dict[str, int] = {}
    for place, column in columns.items():
        if column.path in paths:
            raise _fault(1, f"columns {paths[column.path] + 1} and {place + 1} are both {column.path}.")
        paths[column.path] = place
        if column.has_subfields and separator is None:
            raise UnreadableFile(
                f"Row 1: column {place + 1}, {column.heading!r}, has several values, and no separator is said.",
                hint="Begin the heading with MDSTRUCTURE[;].",
            )
