"""What is written into a questionnaire's workbook for programs, and the names that people read for codes.

A table's sheet carries its own keys: a hidden first row says what each column is, a hidden first column what each row
is. So rows may be hidden, sorted, inserted and left out, and no cell is found by its place. The words begin with ``@``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.questionnaire import Axis, Questionnaire, QuestionnaireTable
from sdmx_service.model.artefact import Item
from sdmx_service.model.items import DataProviderScheme
from sdmx_service.model.structure import DataStructure
from sdmx_service.model.urn import Ref

TABLE: Final = "@table"
"""First word of the key row of a table's sheet; the questionnaire's name and the table's id follow."""
CODE, LABEL, NOTES = "@code", "@label", "@notes"
"""Columns of a table: the code of an axis (its id follows), its name, the numbers of the row's footnotes."""
UNIT, PERIOD = "@unit", "@period"
"""Rows of a table: its unit, its period; on the hidden sheet, what these were."""
HEADER, GROUP, FREE = "@header", "@group", "@free"
"""Rows of a table without key: above the figures, a heading among them, empty for a code that is not printed."""
QUESTIONNAIRE, AREA, PROVIDER, LANGUAGE = "@questionnaire", "@area", "@provider", "@language"
DECLARATION, COVER = "@declaration", "@cover"
"""Rows of the cover; a table's id or a question's follows the last two."""
FOOTNOTES, NOTE, NO_ID = "@footnotes", "@note", "-"
METADATA, ALL_TABLES, ANSWER = "@metadata", "@all", "@answer"
HELD = "@held"
"""Rows of the hidden sheet: table, key and text of a cell as it was filled in before."""
KEYS_SHEET: Final = "_keys"
NOTE_SEPARATOR: Final = " | "
"""Between the texts of several footnotes of one figure."""


def format_key(codes: Mapping[str, str]) -> str:
    """Components and codes as one text, ordered by component."""
    return ";".join(f"{component}={code}" for component, code in sorted(codes.items()))


def parse_key(text: str) -> dict[str, str] | None:
    """The codes of a key; None if the text is none."""
    pairs = [part.partition("=") for part in text.strip().split(";")]
    if not all(name and sign and code for name, sign, code in pairs):
        return None
    return {name: code for name, _, code in pairs}


def fold(text: str) -> str:
    """A name as names are compared: without case, accents, punctuation and surplus white space."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = (
        " " if unicodedata.category(sign)[0] in "PZC" else sign for sign in plain if not unicodedata.combining(sign)
    )
    return " ".join("".join(kept).split())


class AxisCodes:
    """The codes of an axis with what is printed for them.

    Args:
        axis: of a table of the structure.
        structure: resolved.
    """

    def __init__(self, axis: Axis, structure: DataStructure, catalog: Catalog) -> None:
        self.axis = axis
        component = structure.component(axis.component)
        self.items: Mapping[str, Item] = {} if component is None else catalog.codes(component) or {}

    def label(self, code: str, language: str) -> str:
        """What is printed for a code."""
        if code in self.axis.labels:
            return self.axis.labels[code].text((language,), code)
        return self.items[code].name((language,)) if code in self.items else code

    def names(self, code: str) -> Iterator[str]:
        """Every name of a code, printed or in the codelist, in every language."""
        yield code
        yield from self.axis.labels.get(code, {}).values()
        if code in self.items:
            yield from self.items[code].names.values()
            types = self.axis.open.aliases if self.axis.open is not None else ()
            for note in self.items[code].annotations:
                if note.type in types and (said := note.title or note.value):
                    yield said

    def printed(self, language: str, *, without: str | None = None, more: Iterable[str] = ()) -> list[str]:
        """The codes of the axis in printing order; an open list is sorted by name.

        Args:
            without: a code that is left out of the open list (the sender's own).
            more: codes that are to be there too, if the list is open.
        """
        fixed = [*self.axis.codes, *self.axis.last]
        if self.axis.open is None:
            return fixed
        chosen = {code for code, item in self.items.items() if self._is_listed(item) and code != without}
        chosen |= {code for code in more if code in self.items}
        listed = sorted(chosen - set(fixed), key=lambda code: fold(self.label(code, language)))
        return [*self.axis.codes, *listed, *self.axis.last]

    def _is_listed(self, item: Item) -> bool:
        rule = self.axis.open
        assert rule is not None
        notes = [(note.type, note.title or note.value) for note in item.annotations]
        if rule.without and any(kind == rule.without for kind, _ in notes):
            return False
        return not rule.annotation or (rule.annotation, rule.title) in notes


def provider_of(questionnaire: Questionnaire, area: str, catalog: Catalog) -> Ref | None:
    """The data provider that reports for an area, as the annotation of the provider says; None if none or several."""
    found = [
        Ref(type="DataProvider", agency=scheme.agency, id=scheme.id, version=scheme.version, item=item.id)
        for scheme in catalog.of_type("DataProviderScheme")
        if isinstance(scheme, DataProviderScheme)
        for item in scheme.items
        if any(
            note.type == questionnaire.provider_annotation and (note.title or note.value) == area
            for note in item.annotations
        )
    ]
    return found[0] if len(found) == 1 else None


def axes_of(
    questionnaire: Questionnaire, table: QuestionnaireTable, structure: DataStructure, catalog: Catalog
) -> dict[str, AxisCodes]:
    """The axes of a table by id."""
    return {name: AxisCodes(questionnaire.axes[name], structure, catalog) for name in (*table.rows, *table.columns)}


def asks_period(questionnaire: Questionnaire, table: QuestionnaireTable, structure: DataStructure) -> bool:
    """Whether the table's sheet has one period, asked for in a cell of its own."""
    time = structure.time_dimension
    components = {questionnaire.axes[name].component for name in (*table.rows, *table.columns)}
    return time is not None and time.id not in components and time.id not in table.fixed
