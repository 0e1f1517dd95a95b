"""A filled questionnaire recognised by what it says of itself, and read table by table.

Who reports for which area stands on the cover, protected, and again on a sheet that is not shown; where the two differ
nothing is read. What the workbook holds beside figures goes into attributes where the structure has them, else it is
kept with the submission as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from sdmx_service.catalog import questionnaire_keys as keys
from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.questionnaire import Choice, Question, Questionnaire, QuestionnaireTable
from sdmx_service.catalog.questionnaire_keys import fold
from sdmx_service.errors import UnknownFormat
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.message import Tables
from sdmx_service.model.structure import Component, Dataflow
from sdmx_service.model.urn import Ref
from sdmx_service.submission.questionnaire_sheets import FilledBefore, Grid, Line, Place, TableSheet, grids_of, lines
from sdmx_service.submission.questionnaire_tables import Around, TableReader, TableRows
from sdmx_service.submission.report import Report
from sdmx_service.submission.suggestions import Suggester

_FACTS = (keys.QUESTIONNAIRE, keys.AREA, keys.PROVIDER, keys.LANGUAGE)
_OFFSETS = {**dict.fromkeys(_FACTS, 2), keys.COVER: 2, keys.DECLARATION: 3, keys.NOTE: 1}


@dataclass(slots=True, kw_only=True)
class FilledQuestionnaire:
    """A workbook that is a questionnaire.

    Attributes:
        area: code of the reporting area.
        provider: who reports for it; None if the catalog does not know one.
        complete: dimensions of which every table that lists them is declared complete; none where figures stay as they
            were sent, which nobody can add up.
        kept: of the tables read so far the keys of figures that stay as they were sent.
    """

    questionnaire: Questionnaire
    catalog: Catalog
    report: Report
    grids: list[Grid]
    memory: FilledBefore
    area: str
    language: str
    tables: list[tuple[TableSheet, QuestionnaireTable]]
    provider: Ref | None = None
    is_whole: bool = True
    complete: tuple[str, ...] = field(default=())
    kept: list[tuple[Dataflow, pa.RecordBatch]] = field(default_factory=list)

    def rows(self) -> Iterator[TableRows]:
        """What each table sends, in the order of the sheets; nothing if the workbook contradicts itself."""
        if not self.is_whole:
            return
        around = Around(
            questionnaire=self.questionnaire,
            catalog=self.catalog,
            area=self.area,
            language=self.language,
            memory=self.memory,
            footnotes=_footnotes(self.grids),
            answers=_Answers(self).attributes(),
        )
        for sheet, table in self.tables:
            found = TableReader(sheet, table, around, self.report).read()
            if found is None:
                continue
            if len(found.kept):
                self.kept.append((found.dataflow, found.kept))
                self.complete = ()
            yield found


def open_questionnaire(tables: Tables, catalog: Catalog, report: Report, name: str) -> FilledQuestionnaire | None:
    """The questionnaire that a workbook says it is; None if it says nothing of the kind.

    Raises:
        UnknownFormat: it is of a questionnaire or revision that is not here.
    """
    grids = grids_of(tables)
    if grids is None:
        return None
    memory = FilledBefore.of(grids)
    cover = [line for grid in grids if grid.name != keys.KEYS_SHEET for line in lines(grid, _FACTS, _OFFSETS)]
    sheets = [sheet for grid in grids if (sheet := TableSheet.of(grid)) is not None]
    said = {line.words[0]: line.value for line in cover if line.value is not None} | memory.said
    called = said.get(keys.QUESTIONNAIRE) or next((sheet.questionnaire for sheet in sheets), "")
    questionnaire = catalog.questionnaires.get(called)
    if questionnaire is None:
        known = ", ".join(sorted(catalog.questionnaires)) or "none"
        raise UnknownFormat(f"{name!r} is a workbook of the questionnaire {called!r}.", hint=f"Known here: {known}.")
    filled = FilledQuestionnaire(
        questionnaire=questionnaire,
        catalog=catalog,
        report=report,
        grids=grids,
        memory=memory,
        area=said.get(keys.AREA) or "",
        language=said.get(keys.LANGUAGE) or "en",
        tables=[(one, table) for one in sheets if (table := questionnaire.table(one.table)) is not None],
    )
    filled.is_whole = _agrees(filled, cover)
    filled.provider = keys.provider_of(questionnaire, filled.area, catalog)
    _report_missing(filled)
    filled.complete = _complete(filled)
    return filled


def _agrees(filled: FilledQuestionnaire, cover: Iterable[Line]) -> bool:
    """Whether cover, hidden sheet and tables say the same; the area must be said."""
    agrees = True
    words = {keys.QUESTIONNAIRE: "questionnaire", keys.AREA: "area", keys.LANGUAGE: "language"}
    for line in cover:
        word, expected = words.get(line.words[0]), filled.memory.said.get(line.words[0])
        if word is not None and expected is not None and line.value != expected:
            what = filled.questionnaire.word(word, "en").lower()
            _say(filled.report, "F150", line.place, what=what, value=line.value or "", expected=expected)
            agrees = False
    agrees = _names_its_area(filled, cover) and agrees
    for sheet, table in filled.tables:
        if sheet.questionnaire != filled.questionnaire.name:
            place = sheet.place(sheet.key_row, sheet.key_column)
            expected = filled.questionnaire.name
            _say(
                filled.report, "F150", place, what=f"questionnaire of {table.id}", value=sheet.questionnaire,
                expected=expected,
            )  # fmt: skip
            agrees = False
    if not filled.area:
        what = filled.questionnaire.word("area", "en").lower()
        _say(filled.report, "F150", None, what=what, value="", expected="said on the cover")
        agrees = False
    return agrees


def _names_its_area(filled: FilledQuestionnaire, cover: Iterable[Line]) -> bool:
    """Whether the name beside the area's code is one of its names; not another country's."""
    line = next((one for one in cover if one.words[0] == keys.AREA), None)
    table = next((table for _, table in filled.tables), None)
    if line is None or table is None:
        return True
    structure = filled.catalog.structure_of(filled.catalog.dataflow(table.dataflow))
    component = structure.component(filled.questionnaire.area)
    item = None if component is None else (filled.catalog.codes(component) or {}).get(filled.area)
    place = Place(sheet=line.place.sheet, row=line.place.row, column=line.place.column + 1)
    grid = next(grid for grid in filled.grids if grid.name == place.sheet)
    name = grid.at(place.row, place.column)
    if item is None or name is None or keys.fold(name) in map(keys.fold, (filled.area, *item.names.values())):
        return True
    what = filled.questionnaire.word("area", "en").lower()
    _say(
        filled.report, "F150", place, what=what, value=name, expected=f"{item.name((filled.language,))} ({filled.area})"
    )
    return False


def _say(report: Report, code: str, place: Place | None, **said: Any) -> None:
    places = None if place is None else pa.table({name: [value] for name, value in place.found.items()})
    report.add(FindingGroup.of(code, places=places, **said))


def _report_missing(filled: FilledQuestionnaire) -> None:
    there = {table.id for _, table in filled.tables}
    for id in filled.memory.units:
        if id not in there:
            _say(filled.report, "F163", None, value=id)


# --- cover ----------------------------------------------------------------------------------------------------------
def _complete(filled: FilledQuestionnaire) -> tuple[str, ...]:
    """Dimensions that are claimed whole by every table with figures; others would be taken for incomplete ones."""
    declared = _declared(filled)
    claims = [
        set(table.complete) if declared.get(table.id) else set()
        for sheet, table in filled.tables
        if any(sheet.is_filled(row) for row in range(sheet.first, len(sheet.grid.rows)))
    ]
    return tuple(sorted(set.intersection(*claims))) if claims else ()


def _declared(filled: FilledQuestionnaire) -> dict[str, bool]:
    """Whether each table is declared complete; an answer that is none is reported."""
    found: dict[str, bool] = {}
    choices = filled.questionnaire.declarations
    question = filled.questionnaire.word("declaration", "en")
    for grid in filled.grids:
        for line in lines(grid, (keys.DECLARATION,), _OFFSETS):
            if line.value is None:
                continue
            chosen = _chosen(choices, line.value)
            if chosen is None:
                _unknown_answer(
                    filled.report, line, question, [one.names.text((filled.language,), one.id) for one in choices]
                )
            else:
                found[" ".join(line.words[1:])] = chosen.is_complete
    return found


def _chosen(choices: Iterable[Choice], text: str) -> Choice | None:
    return next((one for one in choices if fold(text) in {fold(name) for name in (one.id, *one.names.values())}), None)


def _unknown_answer(report: Report, line: Line, question: str, names: Iterable[str]) -> None:
    value = line.value or ""
    _say(
        report, "F162", line.place, value=value, question=question, suggestion=Suggester.of_words(names).nearest(value)
    )


# --- footnotes ------------------------------------------------------------------------------------------------------
def _footnotes(grids: Iterable[Grid]) -> dict[str, tuple[str | None, str | None]]:
    """Mark -> id and text; a footnote that the sender added has its mark as id."""
    found: dict[str, tuple[str | None, str | None]] = {}
    for grid in grids:
        start = grid.find(keys.FOOTNOTES)
        if start is None:
            continue
        for row in range(start[0] + 1, len(grid.rows)):
            mark, text = grid.at(row, start[1] + 1), grid.at(row, start[1] + 2)
            key = grid.at(row, start[1]) or ""
            if mark is not None:
                mark = mark.strip("()[] ")
                stored = key.removeprefix(f"{keys.NOTE} ") if key.startswith(f"{keys.NOTE} ") else mark
                found[mark] = (None if stored == keys.NO_ID else stored, text)
    return found


# --- metadata -------------------------------------------------------------------------------------------------------
class _Answers:
    """The answers of the metadata sheet and the cover: attributes of tables, and texts that are kept."""

    def __init__(self, filled: FilledQuestionnaire) -> None:
        self._filled = filled
        self._kept: dict[str, list[object]] = {
            name: [] for name in ("sheet", "row", "column", "value", "question", "table")
        }

    def attributes(self) -> dict[str, dict[str, str]]:
        """Attributes by table; everything else that was answered is in the report (F161)."""
        found: dict[str, dict[str, str]] = {table.id: {} for _, table in self._filled.tables}
        questions = {one.id: one for one in self._filled.questionnaire.metadata}
        for grid in self._filled.grids:
            start = grid.find(keys.METADATA)
            if start is None:
                continue
            for row in range(start[0] + 1, len(grid.rows)):
                word, _, id = (grid.at(row, start[1]) or "").partition(" ")
                if word == keys.ANSWER and id in questions:
                    self._answer(questions[id], grid, row, start, found)
        self._cover()
        if self._kept["row"]:
            self._filled.report.add(FindingGroup.of("F161", places=pa.table(self._kept)))
        return found

    def _answer(
        self, question: Question, grid: Grid, row: int, start: tuple[int, int], found: Mapping[str, dict[str, str]]
    ) -> None:
        own, common = {}, None
        for column, name in enumerate(grid.rows[start[0]]):
            text = grid.at(row, column)
            if text is None or name is None or column == start[1]:
                continue
            line = Line(words=(question.id,), place=Place(sheet=grid.name, row=row, column=column), value=text)
            if name == keys.ALL_TABLES:
                common = line
            else:
                own[name] = line
        taken = False
        for _, table in self._filled.tables:
            line_ = own.get(table.id, common)
            component = self._component(question, table)
            if line_ is None or component is None:
                continue
            taken = taken or line_ is common
            code = self._code(question, component, line_)
            if code is not None and component.id not in table.fixed:
                found[table.id][component.id] = code
        for name, line_ in own.items():
            table_ = self._filled.questionnaire.table(name)
            if table_ is None or self._component(question, table_) is None:
                self._keep(question, line_, name)
        if common is not None and not taken:
            self._keep(question, common, "")

    def _component(self, question: Question, table: QuestionnaireTable) -> Component | None:
        if question.component is None:
            return None
        catalog = self._filled.catalog
        return catalog.structure_of(catalog.dataflow(table.dataflow)).component(question.component)

    def _code(self, question: Question, component: Component, line: Line) -> str | None:
        items, text = self._filled.catalog.codes(component), line.value or ""
        if items is None or text in items:
            return text
        meant = {id for id, item in items.items() if fold(text) in {fold(name) for name in item.names.values()}}
        if len(meant) == 1:
            return meant.pop()
        names = [item.name((self._filled.language,)) for item in items.values()]
        _unknown_answer(self._filled.report, line, question.names.text(("en",), question.id), names)
        return None

    def _cover(self) -> None:
        questions = {one.id: one for one in self._filled.questionnaire.cover}
        for grid in self._filled.grids:
            for line in lines(grid, (keys.COVER,), _OFFSETS):
                if line.value is not None and len(line.words) == 2 and line.words[1] in questions:
                    self._keep(questions[line.words[1]], line, "")

    def _keep(self, question: Question, line: Line, table: str) -> None:
        name = question.names.text((self._filled.language,), question.id)
        said = {**line.place.found, "value": line.value, "question": name, "table": table}
        for column, value in said.items():
            self._kept[column].append(value)
