"""Templates: the workbook of a questionnaire for one area, filled with what the store holds of its provider.

What may be changed is open, everything else is protected; what programs need stands in hidden rows and columns
(``catalog.questionnaire_keys``), so that a filled workbook says itself what it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches

from sdmx_service.catalog import questionnaire_keys as keys
from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.questionnaire import Questionnaire, QuestionnaireTable
from sdmx_service.catalog.questionnaire_keys import format_key
from sdmx_service.dissemination.held import CellText, HeldFigure, Holder, NoteBook, held_figures, unit_of
from sdmx_service.dissemination.template_pages import (
    FilledTable,
    FootnotesPage,
    Page,
    cover_page,
    keys_page,
    metadata_page,
)
from sdmx_service.dissemination.template_table import TablePage
from sdmx_service.errors import NotFound, SemanticFault, SyntaxFault
from sdmx_service.model.artefact import Item
from sdmx_service.model.form import Form, FormSheet
from sdmx_service.model.structure import DataStructure
from sdmx_service.model.urn import Ref, Version

_YEARS, _MOST_YEARS = 6, 50
"""Years of a template if none are said; how many there may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateWish:
    """What a template is wanted for.

    Attributes:
        tables: ids of tables, or of a questionnaire for all of its tables.
        area: code of the area.
        periods: the periods of the tables, earliest first.
        questionnaire: ``ID`` or ``ID(REVISION)``; the latest revision that has the tables, if none is said.
    """

    tables: tuple[str, ...]
    area: str
    periods: tuple[str, ...]
    language: str = "en"
    questionnaire: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A workbook, with the count of figures filled in and of those held that no cell of it asks for."""

    form: Form
    provider: Ref
    filled: int
    left_out: int


@dataclass(slots=True)
class _Filling:
    notes: NoteBook = field(default_factory=NoteBook)
    tables: list[FilledTable] = field(default_factory=list)
    answers: dict[tuple[str, str], str] = field(default_factory=dict)
    left_out: int = 0


Held = Callable[[Ref], Holder | None]


def years(text: str | None) -> tuple[str, ...]:
    """The years of ``FROM-TO`` or of one year; the last ones that are over if none are said.

    Raises:
        SyntaxFault: it is neither.
    """
    if text is None:
        last = datetime.now(UTC).year - 1
        return tuple(map(str, range(last - _YEARS + 1, last + 1)))
    found = re.fullmatch(r"([0-9]{4})(?:-([0-9]{4}))?", text.strip())
    if found is None or not 0 <= int(found[2] or found[1]) - int(found[1]) < _MOST_YEARS:
        raise SyntaxFault(
            f"{text!r} is neither a year nor FROM-TO.",
            hint=f"Write for example 2019-2025, at most {_MOST_YEARS} years.",
        )
    return tuple(map(str, range(int(found[1]), int(found[2] or found[1]) + 1)))


def template(wish: TemplateWish, catalog: Catalog, holder: Held = lambda provider: None) -> Template:
    """The workbook of a wish.

    Args:
        holder: where the figures of a provider are held; None for an empty workbook.

    Raises:
        NotFound: no such questionnaire, table, area or language.
        SemanticFault: no data provider reports for the area.
    """
    questionnaire, tables = _chosen(wish, catalog)
    if wish.language not in questionnaire.languages:
        known = ", ".join(questionnaire.languages)
        raise NotFound(f"{questionnaire.name} is not printed in {wish.language!r}.", hint=f"It is in {known}.")
    structures = {table.id: catalog.structure_of(catalog.dataflow(table.dataflow)) for table in tables}
    area = _area(questionnaire, wish.area, structures[tables[0].id], catalog)
    provider = keys.provider_of(questionnaire, area.id, catalog)
    if provider is None:
        raise SemanticFault(f"No data provider, or more than one, reports for {area.name()} ({area.id}).")
    found, filling = holder(provider), _Filling()
    page = Page(questionnaire=questionnaire, language=wish.language, area=area, provider=provider, catalog=catalog)
    sheets = []
    for table in tables:
        periods = _periods(questionnaire, table, structures[table.id], wish)
        figures = [] if found is None else held_figures(questionnaire, table, area.id, periods, catalog, found)
        sheets.append(_table_sheet(page, table, structures[table.id], figures, periods, filling))
    first = cover_page(page, tables, wish.periods)
    last = [FootnotesPage(page, filling.notes).sheet(), metadata_page(page, tables, structures, filling.answers)]
    hidden = keys_page(page, filling.tables)
    form = Form(
        title=questionnaire.names.text((wish.language,), questionnaire.id),
        subject=f"{questionnaire.name}, {area.id}",
        language=wish.language,
        sheets=(first, *(sheet for sheet in sheets), *last, hidden),
    )
    filled = sum(len(table.cells) for table in filling.tables)
    return Template(form=form, provider=provider, filled=filled, left_out=filling.left_out)


# --- what is wished -------------------------------------------------------------------------------------------------
def _chosen(wish: TemplateWish, catalog: Catalog) -> tuple[Questionnaire, list[QuestionnaireTable]]:
    revisions = sorted(catalog.questionnaires.values(), key=lambda one: (one.id, Version.parse(one.revision)))
    if not revisions:
        raise NotFound("There is no questionnaire here.", hint="Load the content folder with `init`.")
    if wish.questionnaire is not None:
        asked = wish.questionnaire
        revisions = [one for one in revisions if asked in (one.name, one.id)]
        if not revisions:
            raise NotFound(f"There is no questionnaire {asked!r}.", hint=_known(catalog.questionnaires))
    for questionnaire in reversed(revisions):
        if all(word == questionnaire.id or questionnaire.table(word) is not None for word in wish.tables):
            return questionnaire, _tables(wish.tables, questionnaire)
    known = [table.id for one in revisions for table in one.tables]
    lacking = next(word for word in wish.tables if revisions[-1].table(word) is None)
    near = get_close_matches(lacking, known, n=3, cutoff=0.5)
    raise NotFound(f"No questionnaire has the table {lacking!r}.", hint=_known(near or known))


def _tables(words: Sequence[str], questionnaire: Questionnaire) -> list[QuestionnaireTable]:
    wanted = {table.id for word in words for table in questionnaire.tables if word == questionnaire.id}
    wanted |= {table.id for word in words if (table := questionnaire.table(word)) is not None}
    return [table for table in questionnaire.tables if table.id in wanted]


def _periods(
    questionnaire: Questionnaire, table: QuestionnaireTable, structure: DataStructure, wish: TemplateWish
) -> tuple[str, ...]:
    """The periods of a table: those of its axis, if the questionnaire says them, else those wished."""
    time = None if structure.time_dimension is None else structure.time_dimension.id
    axes = [questionnaire.axes[name] for name in (*table.rows, *table.columns)]
    return next((axis.codes for axis in axes if axis.component == time and axis.codes), wish.periods)


def _known(words: Iterable[str]) -> str:
    return f"There are {', '.join(dict.fromkeys(words))}."


def _area(questionnaire: Questionnaire, code: str, structure: DataStructure, catalog: Catalog) -> Item:
    component = structure.component(questionnaire.area)
    items: Mapping[str, Item] = ({} if component is None else catalog.codes(component)) or {}
    if code in items:
        return items[code]
    names = {keys.fold(name): item for item in items.values() for name in item.names.values()}
    if (found := names.get(keys.fold(code))) is not None:
        return found
    near = [names[name].id for name in get_close_matches(keys.fold(code), names, n=3, cutoff=0.5)]
    raise NotFound(f"{questionnaire.area} has no code {code!r}.", hint=f"Near: {', '.join(near)}." if near else "")


# --- filling --------------------------------------------------------------------------------------------------------
def _table_sheet(
    page: Page,
    table: QuestionnaireTable,
    structure: DataStructure,
    figures: list[HeldFigure],
    periods: Sequence[str],
    filling: _Filling,
) -> FormSheet:
    questionnaire = page.questionnaire
    time = None if structure.time_dimension is None else structure.time_dimension.id
    period = None
    if time is not None and keys.asks_period(questionnaire, table, structure) and figures:
        period = max(figure.codes[time] for figure in figures)
        filling.left_out += sum(figure.codes[time] != period for figure in figures)
        figures = [figure for figure in figures if figure.codes[time] == period]
    unit = unit_of(questionnaire, figures)
    sheet = TablePage(page, table, structure, periods, figures)
    writer = CellText(questionnaire=questionnaire, unit=unit, notes=filling.notes)
    components = {questionnaire.axes[name].component for name in (*table.rows, *table.columns)}
    cells: dict[str, str | int | float] = {}
    for figure in figures:
        key = format_key({id: code for id, code in figure.codes.items() if id in components})
        text = writer.of(figure) if key in sheet.keys else None
        if text is None:
            filling.left_out += 1
        else:
            cells[key] = text
    filling.tables.append(FilledTable(id=table.id, unit=unit, period=period, cells=cells))
    for question in questionnaire.metadata:
        said = {figure.attributes.get(question.component or "") for figure in figures}
        if len(said) == 1 and (answer := said.pop()) is not None:
            filling.answers[question.id, table.id] = answer
    return sheet.sheet(cells, unit, period)
