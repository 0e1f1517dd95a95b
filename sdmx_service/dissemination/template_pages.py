"""The sheets around the tables of a template: cover, footnotes, metadata, and the one for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from sdmx_service.catalog import questionnaire_keys as keys
from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.questionnaire import CellSign, Choice, Question, Questionnaire, QuestionnaireTable
from sdmx_service.dissemination.held import NoteBook
from sdmx_service.model.artefact import Item, Texts
from sdmx_service.model.form import Area, FormCell, FormSheet, Offer, Style
from sdmx_service.model.items import DataProviderScheme
from sdmx_service.model.structure import DataStructure
from sdmx_service.model.urn import Ref

_FREE_NOTES = 40
_WRAPPED: tuple[Style, ...] = ("text", "warning", "label", "fact", "heading", "input", "row", "total", "group")
_WIDE, _LINE = 0.88, 13.5
"""Of a character, in widths of a digit; of a line, in points."""
_KEY, _LABEL, _VALUE, _MORE = range(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What every sheet of a template knows."""

    questionnaire: Questionnaire
    language: str
    area: Item
    provider: Ref
    catalog: Catalog

    def text(self, texts: Texts, default: str) -> str:
        """A text in the template's language."""
        return texts.text((self.language,), default)

    def word(self, id: str) -> str:
        """A fixed word."""
        return self.questionnaire.word(id, self.language)

    @property
    def area_name(self) -> str:
        """The area as people call it."""
        return self.area.name((self.language,))

    @property
    def provider_name(self) -> str:
        """The provider as people call it."""
        scheme = self.catalog.lookup(self.provider.maintainable)
        for one in self.catalog.of_type("DataProviderScheme") if scheme is None else (scheme,):
            assert isinstance(one, DataProviderScheme)
            if self.provider.item and (item := one.item(self.provider.item)) is not None:
                return item.name((self.language,))
        return self.provider.item or ""


@dataclass(slots=True)
class Builder:
    """Gathers the cells of a sheet."""

    cells: list[FormCell] = field(default_factory=list)
    merged: list[Area] = field(default_factory=list)

    def put(self, row: int, column: int, value: str | int | float | None, style: Style) -> None:
        """A cell."""
        self.cells.append(FormCell(row=row, column=column, value=value, style=style))

    def spread(self, area: Area, value: str, style: Style) -> None:
        """A text over several cells."""
        for row in range(area.top, area.bottom + 1):
            for column in range(area.left, area.right + 1):
                is_first = (row, column) == (area.top, area.left)
                self.put(row, column, value if is_first else None, style)
        if (area.top, area.left) != (area.bottom, area.right):
            self.merged.append(area)

    def heights(self, widths: Mapping[int, float]) -> dict[int, float]:
        """How high rows must be for texts of several lines, by these widths of columns."""
        spans = {(area.top, area.left): area for area in self.merged}
        heights: dict[int, float] = {}
        for cell in self.cells:
            area = spans.get((cell.row, cell.column))
            if not isinstance(cell.value, str) or cell.style not in _WRAPPED or (area and area.bottom > area.top):
                continue
            last = cell.column if area is None else area.right
            width = sum(widths.get(column, 8.4) for column in range(cell.column, last + 1))
            lines = ceil(len(cell.value) * _WIDE / width)
            if lines > 1:
                heights[cell.row] = max(heights.get(cell.row, 0.0), lines * _LINE)
        return heights

    def line(self, row: int, key: str, label: str, value: str | None, style: Style) -> None:
        """A line of a cover: key, label, value."""
        self.put(row, _KEY, key, "key")
        self.put(row, _LABEL, label, "label")
        self.put(row, _VALUE, value, style)


# --- cover ----------------------------------------------------------------------------------------------------------
def cover_page(page: Page, tables: Sequence[QuestionnaireTable], periods: Sequence[str]) -> FormSheet:
    """Who reports what, for when, in which revision; symbols and instructions."""
    questionnaire, build = page.questionnaire, Builder()
    build.put(0, _LABEL, page.text(questionnaire.names, questionnaire.id), "title")
    build.put(1, _LABEL, page.area_name, "subtitle")
    build.spread(Area(top=2, left=_LABEL, bottom=2, right=_MORE), page.text(questionnaire.notice, ""), "warning")
    span = f"{periods[0]}–{periods[-1]}" if len(periods) > 1 else "".join(periods)
    facts = [
        (keys.AREA, "area", page.area.id, page.area_name),
        (f"{keys.COVER} periods", "periods", span, None),
        (keys.QUESTIONNAIRE, "questionnaire", questionnaire.name, questionnaire.status),
        (keys.LANGUAGE, "language", page.language, None),
        (keys.PROVIDER, "provider", page.provider.item, page.provider_name),
    ]
    line = 4
    for key, word, value, more in facts:
        build.line(line, key, page.word(word), value, "fact")
        build.put(line, _MORE, more, "fact")
        line += 1
    line = _questions(page, build, questionnaire.cover, line + 1)
    line, offers = _declarations(page, build, tables, line + 1)
    line = _legend(page, build, line + 1)
    build.put(line + 1, _LABEL, page.word("instructions"), "subtitle")
    for number, text in enumerate(questionnaire.instructions, line + 2):
        build.spread(Area(top=number, left=_LABEL, bottom=number, right=_MORE), page.text(text, ""), "text")
    widths = {_KEY: 4.0, _LABEL: 26.0, _VALUE: 74.0, _MORE: 34.0}
    return FormSheet(
        name=page.word("cover"),
        cells=tuple(build.cells),
        merged=tuple(build.merged),
        widths=widths,
        heights=build.heights(widths),
        hidden_columns=(_KEY,),
        offers=offers,
    )


def _questions(page: Page, build: Builder, questions: Iterable[Question], line: int) -> int:
    build.put(line, _LABEL, page.word("contact"), "subtitle")
    for question in questions:
        line += 1
        build.line(line, f"{keys.COVER} {question.id}", page.text(question.names, question.id), None, "input")
    return line + 1


def _declarations(
    page: Page, build: Builder, tables: Sequence[QuestionnaireTable], line: int
) -> tuple[int, tuple[Offer, ...]]:
    declarations = page.questionnaire.declarations
    for column, word in ((_LABEL, "table"), (_VALUE, "title"), (_MORE, "declaration")):
        build.put(line, column, page.word(word), "heading")
    first, group = line + 1, ""
    for table in tables:
        line += 1
        named = page.text(table.group, "")
        if named != group:
            build.spread(Area(top=line, left=_LABEL, bottom=line, right=_MORE), named, "group")
            group, line = named, line + 1
        build.line(line, f"{keys.DECLARATION} {table.id}", table.id, page.text(table.names, table.id), "label")
        build.put(line, _MORE, None, "input")
    area = Area(top=first, left=_MORE, bottom=line, right=_MORE)
    texts = tuple(page.text(one.names, one.id) for one in declarations)
    return line + 1, (Offer(areas=(area,), texts=texts),) if texts else ()


def _legend(page: Page, build: Builder, line: int) -> int:
    questionnaire = page.questionnaire
    build.put(line, _LABEL, page.word("symbols"), "subtitle")
    signs: list[CellSign] = [*questionnaire.symbols, *questionnaire.marks]
    signs += [] if questionnaire.kept is None else [questionnaire.kept]
    for sign in signs:
        line += 1
        build.put(line, _LABEL, "   ".join(sign.texts), "label")
        build.put(line, _VALUE, page.text(sign.names, ""), "label")
    build.put(line + 1, _LABEL, page.text(questionnaire.deletion, ""), "label")
    build.put(line + 1, _VALUE, page.word("deletion"), "label")
    return line + 2


# --- footnotes ------------------------------------------------------------------------------------------------------
class FootnotesPage:
    """Numbers of footnotes and their texts; every line is open."""

    def __init__(self, page: Page, notes: NoteBook) -> None:
        self._page = page
        self._notes = notes

    def sheet(self) -> FormSheet:
        """The sheet."""
        build = Builder()
        build.put(0, _KEY, keys.FOOTNOTES, "key")
        build.put(0, _LABEL, self._page.word("note"), "heading")
        build.put(0, _VALUE, self._page.word("text"), "heading")
        line = 0
        for (id, text), mark in self._notes.marks.items():
            line += 1
            build.put(line, _KEY, f"{keys.NOTE} {id}", "key")
            build.put(line, _LABEL, mark, "input")
            build.put(line, _VALUE, text or None, "input")
        for number in range(line + 1, line + 1 + _FREE_NOTES):
            build.put(number, _LABEL, None, "input")
            build.put(number, _VALUE, None, "input")
        return FormSheet(
            name=self._page.word("footnotes"),
            cells=tuple(build.cells),
            widths={_KEY: 4, _LABEL: 10, _VALUE: 110},
            hidden_columns=(_KEY,),
            frozen=(1, _LABEL),
            heading=(0, 0),
            may_add_rows=True,
        )


# --- metadata -------------------------------------------------------------------------------------------------------
def metadata_page(
    page: Page,
    tables: Sequence[QuestionnaireTable],
    structures: Mapping[str, DataStructure],
    answers: Mapping[tuple[str, str], str],
) -> FormSheet:
    """The questions about definitions, sources and groups; a column for all tables and one for each."""
    build, first = Builder(), 2
    build.put(0, _KEY, keys.METADATA, "key")
    build.put(1, _KEY, keys.HEADER, "key")
    build.put(1, _LABEL, page.word("question"), "heading")
    for column, (key, name) in enumerate(
        [(keys.ALL_TABLES, page.word("all_tables")), *((table.id, table.id) for table in tables)], _VALUE
    ):
        build.put(0, column, key, "key")
        build.put(1, column, name, "heading")
    last, line, group, offers = _VALUE + len(tables), first - 1, "", []
    for question in page.questionnaire.metadata:
        line += 1
        named = page.text(question.group, "")
        if named != group:
            build.spread(Area(top=line, left=_LABEL, bottom=line, right=last), named, "group")
            group, line = named, line + 1
        build.put(line, _KEY, f"{keys.ANSWER} {question.id}", "key")
        build.put(line, _LABEL, page.text(question.names, question.id), "label")
        offered = _offered(page, question, structures.values())
        for column, id in enumerate(["", *(table.id for table in tables)], _VALUE):
            said = answers.get((question.id, id))
            build.put(line, column, None if said is None else offered.get(said, said), "input")
        if offered:
            area = Area(top=line, left=_VALUE, bottom=line, right=last)
            offers.append(Offer(areas=(area,), texts=tuple(offered.values())))
    widths = {_KEY: 4.0, _LABEL: 52.0, _VALUE: 26.0} | {_VALUE + number: 16.0 for number in range(1, len(tables) + 1)}
    return FormSheet(
        name=page.word("metadata"),
        cells=tuple(build.cells),
        merged=tuple(build.merged),
        widths=widths,
        heights=build.heights(widths),
        hidden_rows=(0,),
        hidden_columns=(_KEY,),
        frozen=(first, _VALUE),
        heading=(1, 1),
        offers=tuple(offers),
    )


def _offered(page: Page, question: Question, structures: Iterable[DataStructure]) -> dict[str, str]:
    """The answers of a question by id or code, as they are printed."""
    if question.choices is not None:
        return {one.id: page.text(one.names, one.id) for one in page.questionnaire.choices[question.choices]}
    for structure in structures:
        component = structure.component(question.component or "")
        if component is not None:
            items = page.catalog.codes(component) or {}
            return {code: item.name((page.language,)) for code, item in items.items()}
    return {}


# --- for programs ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class FilledTable:
    """What the sheet of a table holds when it is made: its unit, its one period if it has one, its cells by key."""

    id: str
    unit: Choice
    period: str | None
    cells: Mapping[str, str | int | float]


def keys_page(page: Page, tables: Sequence[FilledTable]) -> FormSheet:
    """The sheet that is not shown: what the workbook is, and what its cells held when it was made."""
    rows: list[tuple[str, ...]] = [
        (keys.QUESTIONNAIRE, page.questionnaire.name),
        (keys.AREA, page.area.id),
        (keys.PROVIDER, page.provider.text),
        (keys.LANGUAGE, page.language),
    ]
    for table in tables:
        rows += [(keys.UNIT, table.id, table.unit.id), (keys.PERIOD, table.id, table.period or "")]
        rows += [(keys.HELD, table.id, key, str(text)) for key, text in table.cells.items()]
    cells = tuple(
        FormCell(row=row, column=column, value=text, style="key")
        for row, texts in enumerate(rows)
        for column, text in enumerate(texts)
    )
    return FormSheet(name=keys.KEYS_SHEET, cells=cells, is_hidden=True)
