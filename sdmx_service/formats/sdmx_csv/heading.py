"""The first record of an SDMX-CSV data message: which column is what.

SDMX-CSV 1.0: ``DATAFLOW`` first. SDMX-CSV 2.0 and 2.1: ``STRUCTURE``, perhaps with the separator of sub-fields in
brackets (``STRUCTURE[;]``), first, then ``STRUCTURE_ID`` and, in any order, ``ACTION``, keys, components and columns of
the sender's own. The character after the first field separates the columns. *Extension*: a heading of components alone,
where the sender says the dataflow beside the file.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sdmx_service.errors import UnreadableFile
from sdmx_service.model.artefact import Texts
from sdmx_service.model.structure import DataStructure

STRUCTURE: Final = "STRUCTURE"
STRUCTURE_ID: Final = "STRUCTURE_ID"
STRUCTURE_NAME: Final = "STRUCTURE_NAME"
DATAFLOW: Final = "DATAFLOW"
ACTION: Final = "ACTION"
KEYS: Final = ("SERIES_KEY", "OBS_KEY")
DELIMITERS: Final = (",", ";", "\t", "|")
"""What may separate the columns of a heading of components alone."""

_FIRST_FIELD = re.compile(
    r'"?(?P<word>MDSTRUCTURE|STRUCTURE|DATAFLOW)(?:\[(?P<separator>[^\]])\])?"?(?P<delimiter>[^\w"]|$)'
)
_HEADING = re.compile(r"(?P<id>[^\[\]:]*)(?P<multi>\[\])?(?:\[(?P<languages>[^\[\]]+)\])?(?P<label>:.*)?", re.DOTALL)
_LANGUAGES = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """One column's heading.

    Attributes:
        id: component id or field name, without brackets and label.
        text: the heading as sent.
        is_multi: ``ID[]``, its cells hold several values.
        languages: ``ID[en;fr]``, its cells hold texts by language.
        is_both: ``ID: Name`` (``labels=both``), its cells may be ``code: name``.
    """

    id: str
    text: str
    is_multi: bool = False
    languages: tuple[str, ...] = ()
    is_both: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadingLine:
    """The whole first record.

    Attributes:
        is_legacy: SDMX-CSV 1.0.
        is_bare: no column says what the rows are data of.
        delimiter: the character between columns; empty for a sheet of a workbook.
        separator: the character between values in a cell; None where the message declares none.
        row: the number of the record.
    """

    is_legacy: bool
    is_bare: bool = False
    delimiter: str
    separator: str | None
    headings: tuple[Heading, ...]
    row: int = 1

    @property
    def fields(self) -> dict[str, int]:
        """Place of each field that is no component, by name."""
        if self.is_bare:
            names: tuple[str, ...] = (ACTION,)
        else:
            names = (DATAFLOW,) if self.is_legacy else (STRUCTURE, STRUCTURE_ID, STRUCTURE_NAME, ACTION, *KEYS)
        places = reversed(range(len(self.headings)))
        return {self.headings[place].id: place for place in places if self.headings[place].id in names}

    def places(self, ids: frozenset[str]) -> dict[str, int]:
        """Place of each component of ``ids`` that has a column.

        With ``labels=name`` (there is ``STRUCTURE_NAME``) the column after a component holds its names and is skipped,
        whatever its heading says.

        Raises:
            UnreadableFile: two columns of one component.
        """
        found: dict[str, int] = {}
        own = self.fields
        has_names, is_name = STRUCTURE_NAME in own, False
        for place, heading in enumerate(self.headings):
            if is_name or heading.id not in ids or own.get(heading.id) == place:
                is_name = False
                continue
            if heading.id in found:
                raise UnreadableFile(
                    f"Row {self.row}: columns {found[heading.id] + 1} and {place + 1} are both {heading.id!r}.",
                    hint="Keep one of them.",
                )
            found[heading.id] = place
            is_name = has_names
        return found


def first_field(text: str) -> re.Match[str] | None:
    """The first field of an SDMX-CSV message with its separators; None if the text begins with another one."""
    return _FIRST_FIELD.match(text.removeprefix("\ufeff"))


def parse_heading_line(text: str, row: int = 1) -> HeadingLine:
    """The heading line that ``text`` (the beginning of the file) opens with.

    Args:
        row: the number of that record in the sender's file.

    Raises:
        UnreadableFile: not the heading of an SDMX-CSV data message; what is missing is said.
    """
    text = text.removeprefix("\ufeff")
    first = first_field(text)
    if first is None:
        raise UnreadableFile(
            f"Row {row} begins with {text[:40]!r}; an SDMX-CSV message begins with STRUCTURE or, in version 1.0, "
            "DATAFLOW.",
            hint="Add the columns STRUCTURE and STRUCTURE_ID, or name the mapping that reads this file.",
        )
    if first["word"] == "MDSTRUCTURE":
        raise UnreadableFile("An SDMX-CSV metadata message (MDSTRUCTURE) holds no data.", hint="Send data (STRUCTURE).")
    delimiter = first["delimiter"]
    if not delimiter or delimiter in "\r\n":
        said = first[0].strip()
        raise UnreadableFile(f"Row {row} has one column only, {said!r}.", hint="Separate columns with a comma.")
    line = _line(first, _first_record(text, delimiter, row), row)
    if not line.is_legacy and STRUCTURE_ID not in line.fields:
        raise UnreadableFile(
            f"Row {row} has no column STRUCTURE_ID; it has {', '.join(one.text for one in line.headings[:12])}.",
            hint=f"Columns are separated by {delimiter!r}, the character after {first[0][:-1]}: check that all are.",
        )
    return line


def _line(first: re.Match[str], texts: Sequence[str], row: int) -> HeadingLine:
    return HeadingLine(
        is_legacy=first["word"] == DATAFLOW,
        delimiter=first["delimiter"],
        separator=first["separator"],
        headings=tuple(map(_heading, texts)),
        row=row,
    )


def heading_of_cells(texts: Sequence[str], row: int) -> HeadingLine | None:
    """The heading that the cells of a sheet's row are, from its first column on; None if they are none of SDMX-CSV."""
    said = next((text for text in texts if text), "")
    first = first_field(said)
    if first is None or first.end() < len(said) or first["word"] == "MDSTRUCTURE":
        return None
    line = _line(first, texts, row)
    return line if line.is_legacy or STRUCTURE_ID in line.fields else None


def bare_heading(
    texts: Sequence[str], structure: DataStructure, names: Mapping[str, Texts], row: int, delimiter: str = ""
) -> HeadingLine | None:
    """The heading of components alone: a column for each dimension, and none that is not of the structure.

    Empty headings count for nothing; ``ACTION`` may stand among them, and behind a component a column called by its
    name, which holds the names of its codes. None if the texts are no such heading.

    Args:
        names: of the components, by id.
    """
    headings = tuple(map(_heading, texts))
    before = ("", *(one.id for one in headings))
    known = {*(one.id for one in structure.components), ACTION, ""}
    if not set(structure.key_ids) <= {one.id for one in headings}:
        return None
    if any(
        one.id not in known and one.text not in _texts(names, id) for id, one in zip(before, headings, strict=False)
    ):
        return None
    return HeadingLine(is_legacy=False, is_bare=True, delimiter=delimiter, separator=None, headings=headings, row=row)


def _texts(names: Mapping[str, Texts], id: str) -> set[str]:
    return set(names[id].values()) if id in names else set()


def bare_heading_line(
    text: str, structure: DataStructure, names: Mapping[str, Texts], row: int = 1
) -> HeadingLine | None:
    """``bare_heading`` of the first record of a text, with the delimiter that makes it one."""
    text = text.removeprefix("\ufeff")
    found = (bare_heading(_first_record(text, mark, row), structure, names, row, mark) for mark in DELIMITERS)
    return next(filter(None, found), None)


def _first_record(text: str, delimiter: str, row: int) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except (csv.Error, StopIteration) as fault:
        raise UnreadableFile(f"Row {row} cannot be read as CSV ({fault}).") from None


def _heading(text: str) -> Heading:
    match = _HEADING.fullmatch(text.strip())
    if match is None:
        return Heading(id=text, text=text)
    return Heading(
        id=match["id"].strip(),
        text=text,
        is_multi=match["multi"] is not None,
        languages=tuple(_LANGUAGES.findall(match["languages"] or "")),
        is_both=match["label"] is not None,
    )
