"""A table of a filled questionnaire: its rows and cells become observations and, where taken back, deletions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from sdmx_service.catalog import questionnaire_keys as keys
from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.questionnaire import Choice, Questionnaire, QuestionnaireTable
from sdmx_service.catalog.questionnaire_keys import NO_ID, NOTE_SEPARATOR, fold, format_key, parse_key
from sdmx_service.model.columns import COLUMN, ROW, SHEET, columns, read_schema
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.structure import Dataflow, DataStructure
from sdmx_service.submission.entries import Entry, EntryReader, Unreadable
from sdmx_service.submission.questionnaire_names import Names
from sdmx_service.submission.questionnaire_sheets import FilledBefore, Line, Place, TableSheet
from sdmx_service.submission.report import Report
from sdmx_service.submission.suggestions import Suggester


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What the other sheets of the workbook say.

    Attributes:
        footnotes: mark -> id (None: it had none) and text.
        answers: attributes by table id, from the metadata sheet.
    """

    questionnaire: Questionnaire
    catalog: Catalog
    area: str
    language: str
    memory: FilledBefore
    footnotes: Mapping[str, tuple[str | None, str | None]]
    answers: Mapping[str, Mapping[str, str]]


@dataclass(slots=True, kw_only=True)
class TableRows:
    """What a table sends: ``removed`` is deleted first, then ``told`` merged; ``kept`` are keys of what stays as sent.

    All have the schema as read.
    """

    table: QuestionnaireTable
    dataflow: Dataflow
    structure: DataStructure
    removed: pa.RecordBatch
    told: pa.RecordBatch
    kept: pa.RecordBatch


@dataclass(slots=True)
class _Cell:
    place: Place
    key: str
    codes: dict[str, str]
    text: str
    entry: Entry
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Work:
    cells: list[_Cell] = field(default_factory=list)
    kept: list[_Cell] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    rows: dict[str, int] = field(default_factory=dict)


class TableReader:
    """Reads the sheet of one table."""

    def __init__(self, sheet: TableSheet, table: QuestionnaireTable, around: Around, report: Report) -> None:
        self._sheet, self._table, self._around, self._report = sheet, table, around, report
        questionnaire, catalog = around.questionnaire, around.catalog
        self._questionnaire = questionnaire
        self.dataflow = catalog.dataflow(table.dataflow)
        self.structure = catalog.structure_of(self.dataflow)
        axes = keys.axes_of(questionnaire, table, self.structure, catalog)
        self._names = {
            name: Names(axes[name], frozenset(axes[name].printed("en"))) for name in (*table.rows, *table.columns)
        }
        self._entries = EntryReader(questionnaire, around.language)
        self._held = around.memory.cells.get(table.id, {})
        asked = {questionnaire.axes[name].component for name in table.columns}
        self._values = {column: codes for column, codes in sheet.values.items() if set(codes) == asked}

    # --- all of it ---------------------------------------------------------------------------------------------
    def read(self) -> TableRows | None:
        """What the sheet sends; None if it sends nothing."""
        unit = self._unit()
        self._report_strangers()
        merged = self._merged()
        work = _Work()
        for row in range(self._sheet.first, len(self._sheet.grid.rows)):
            self._read_row(row, unit, merged, work)
        period = self._period(work)
        self._check_headings(work)
        self._report_emptied(work)
        self._check_unit(unit, work)
        if not (work.cells or work.kept) or unit is None or (period is None and self._asks_period):
            return None
        told = [self._observation(cell, unit, period) for cell in work.cells if not cell.entry.deletes]
        removed = [gone for cell in work.cells if (gone := self._deletion(cell, period)) is not None]
        return TableRows(
            table=self._table,
            dataflow=self.dataflow,
            structure=self.structure,
            removed=_batch(removed, self.structure),
            told=_batch(told, self.structure),
            kept=_batch([self._key(cell, period) for cell in work.kept], self.structure),
        )

    def _add(self, code: str, place: Place | None = None, **said: Any) -> None:
        self._report.add(FindingGroup.of(code, **_at(place), **said))

    # --- above the table ---------------------------------------------------------------------------------------
    def _unit(self) -> Choice | None:
        line = self._sheet.line(keys.UNIT)
        known = {fold(name): one for one in self._questionnaire.units for name in (one.id, *one.names.values())}
        if line is None or line.value is None:
            before = self._around.memory.units.get(self._table.id, "")
            return known.get(fold(before), self._questionnaire.units[0])
        if (unit := known.get(fold(line.value))) is None:
            question = self._questionnaire.word("unit", self._around.language)
            near = Suggester.of_words(known).nearest(line.value)
            self._add("F162", line.place, value=line.value, question=question, suggestion=near)
        return unit

    @property
    def _asks_period(self) -> bool:
        return keys.asks_period(self._questionnaire, self._table, self.structure)

    def _period(self, work: _Work) -> str | None:
        line = self._sheet.line(keys.PERIOD) if self._asks_period else None
        if line is None or not (work.cells or work.kept):
            return None
        if line.value is None:
            self._add("F160", line.place)
        elif (before := self._around.memory.periods.get(self._table.id)) and before != line.value:
            if unchanged := self._unchanged(work):
                self._add("F159", line.place, value=line.value, expected=before, unchanged=unchanged)
        return line.value

    def _check_unit(self, unit: Choice | None, work: _Work) -> None:
        before = self._around.memory.units.get(self._table.id)
        if unit is None or not before or before == unit.id or not (unchanged := self._unchanged(work)):
            return
        line = self._sheet.line(keys.UNIT)
        self._add("F158", None if line is None else line.place, value=unit.id, expected=before, unchanged=unchanged)

    def _unchanged(self, work: _Work) -> int:
        """How many figures, other than nothing and zero, are as they were filled in."""
        return sum(cell.text == self._held.get(cell.key) and cell.entry.value not in (None, "0") for cell in work.cells)

    # --- what is not read --------------------------------------------------------------------------------------
    def _report_strangers(self) -> None:
        """Cells right of the table, or in columns that were put in, which have no key."""
        known = {self._sheet.key_column, *self._values, *self._sheet.codes.values(), *self._sheet.labels.values()}
        known |= {self._sheet.notes} if self._sheet.notes is not None else set()
        found: dict[str, list[Any]] = {"sheet": [], "row": [], "column": [], "value": []}
        for row in range(self._sheet.first, len(self._sheet.grid.rows)):
            for column, text in enumerate(self._sheet.grid.rows[row]):
                if text is not None and column not in known:
                    for name, value in {**self._sheet.place(row, column).found, "value": text}.items():
                        found[name].append(value)
        if found["row"]:
            self._report.add(FindingGroup.of("F156", places=pa.table(found)))

    def _merged(self) -> set[tuple[int, int]]:
        """Cells that a merged range covers; a range over several figures is reported if it holds one."""
        covered: set[tuple[int, int]] = set()
        for top, left, bottom, right in self._sheet.grid.sheet.merged:
            figures = [
                (row, column)
                for row in range(max(top, self._sheet.first), bottom + 1)
                for column in range(left, right + 1)
                if column in self._values
            ]
            if len(figures) > 1:
                covered.update(figures)
                if (text := self._sheet.grid.at(top, left)) is not None:
                    self._add("F153", self._sheet.place(top, left), value=text, count_cells=len(figures))
        return covered

    def _check_headings(self, work: _Work) -> None:
        """Headings above figures that name something else than the column's key."""
        used = {cell.place.column for cell in (*work.cells, *work.kept)}
        told: set[Place] = set()
        rows = self._sheet.headings(len(self._table.columns))
        for row, name in zip(rows, self._table.columns[-len(rows) :], strict=True):
            names = self._names[name]
            for column, codes in self._values.items():
                code, found = codes[names.component], self._sheet.heading(row, column)
                if column not in used or found is None or found[0] in told or names.is_named(code, found[1]):
                    continue
                told.add(found[0])
                label = names.label(code, self._around.language)
                expected = code if label == code else f"{label} ({code})"
                self._add("F275", found[0], value=found[1], expected=expected)

    # --- rows --------------------------------------------------------------------------------------------------
    def _read_row(self, row: int, unit: Choice | None, merged: set[tuple[int, int]], work: _Work) -> None:
        text = self._sheet.grid.at(row, self._sheet.key_column)
        key = parse_key(text) if text is not None and not text.startswith("@") else None
        if key is not None:
            work.rows.setdefault(format_key(key), row)
        if not self._sheet.is_filled(row):
            return
        codes = self._row_codes(row, key)
        if codes is None:
            return
        notes = self._row_notes(row)
        for column, more in self._values.items():
            written = self._sheet.grid.at(row, column)
            if written is None or (row, column) in merged:
                continue
            place = self._sheet.place(row, column)
            entry = self._entry(written, place, unit)
            if entry is not None:
                known = codes | more
                cell = _Cell(place, format_key(known), known, written, entry, (*entry.notes, *notes))
                (work.kept if entry.keeps else work.cells).append(cell)
                work.seen.add(cell.key)
            else:
                work.seen.add(format_key(codes | more))

    def _entry(self, text: str, place: Place, unit: Choice | None) -> Entry | None:
        is_number = self._sheet.grid.is_number(place.row, place.column)
        try:
            return self._entries.read(text, is_number=is_number, is_whole=unit is not None and unit.is_whole)
        except Unreadable as fault:
            if fault.readings is None:
                self._add("F271" if text.startswith("=") else "F104", place, value=text)
            else:
                self._add("F154", place, value=text, readings=" or ".join(fault.readings))
            return None

    def _row_notes(self, row: int) -> tuple[str, ...]:
        text = None if self._sheet.notes is None else self._sheet.grid.at(row, self._sheet.notes)
        if text is None:
            return ()
        marks = text.translate(str.maketrans("()[];/", "      ")).replace(",", " ").split()
        return tuple(marks)

    def _row_codes(self, row: int, key: Mapping[str, str] | None) -> dict[str, str] | None:
        """The codes of a row by component; None, and reported, if they are not clear."""
        found: dict[str, str] = {}
        for name in self._table.rows:
            component = self._names[name].component
            said = None if key is None else key.get(component)
            code = self._read_code(row, name) if said is None else self._checked_code(row, name, said)
            if code is None:
                return None
            found[component] = code
        return found

    def _texts(self, row: int, name: str) -> list[tuple[Place, str]]:
        """Code and label of an axis in a row, those that are there."""
        return [
            (self._sheet.place(row, column), text)
            for column in (self._sheet.codes.get(name), self._sheet.labels.get(name))
            if column is not None and (text := self._sheet.grid.at(row, column)) is not None
        ]

    def _read_code(self, row: int, name: str) -> str | None:
        """The code of a row that the sender added."""
        names, texts = self._names[name], self._texts(row, name)
        if not texts:
            column = self._sheet.labels.get(name, self._sheet.key_column)
            self._add("F151", self._sheet.place(row, column), value="", component=names.component)
            return None
        meant = [(place, text, names.code(text)) for place, text in texts]
        place, text, code = meant[0]
        if code is None:
            near = names.nearest(text)
            self._add("F151", place, value=text, component=names.component, suggestion=near)
            return None
        for place, text, other in meant[1:]:
            if other not in (None, code):
                expected = f"{names.label(code, self._around.language)} ({code})"
                self._add("F152", place, value=text, expected=expected)
                return None
        return code

    def _checked_code(self, row: int, name: str, code: str) -> str | None:
        """The code of the row's key, if its label agrees; in an open list a label written over counts instead."""
        names, texts = self._names[name], self._texts(row, name)
        differing = [(place, text) for place, text in texts if not names.is_named(code, text)]
        if not differing:
            return code
        is_open = self._questionnaire.axes[name].open is not None
        meant = {names.code(text) for _, text in texts}
        if is_open and len(meant) == 1 and None not in meant:
            return meant.pop()
        place, text = differing[0]
        self._add("F152", place, value=text, expected=f"{names.label(code, self._around.language)} ({code})")
        return None

    # --- emptied -----------------------------------------------------------------------------------------------
    def _report_emptied(self, work: _Work) -> None:
        """Cells that held a figure and are blank; not where the sheet is about another period now."""
        line = self._sheet.line(keys.PERIOD) if self._asks_period else None
        if line is not None and line.value != (self._around.memory.periods.get(self._table.id) or None):
            return
        where = {format_key(codes): column for column, codes in self._values.items()}
        rows = {self._questionnaire.axes[name].component for name in self._table.rows}
        found: dict[str, list[Any]] = {"sheet": [], "row": [], "column": [], "value": []}
        for key, text in self._held.items():
            if key in work.seen:
                continue
            codes = parse_key(key) or {}
            row = work.rows.get(format_key({id: code for id, code in codes.items() if id in rows}))
            column = where.get(format_key({id: code for id, code in codes.items() if id not in rows}))
            if row is None or column is None:
                continue  # the whole row or column was taken out; nothing was emptied
            for name, value in {**self._sheet.place(row, column).found, "value": text}.items():
                found[name].append(value)
        if found["row"]:
            self._report.add(FindingGroup.of("F155", places=pa.table(found)))

    # --- observations ------------------------------------------------------------------------------------------
    def _key(self, cell: _Cell, period: str | None) -> dict[str, Any]:
        time = self.structure.time_dimension
        found: dict[str, Any] = {id: code for id, code in self._table.fixed.items() if id in self.structure.key_ids}
        found |= {self._questionnaire.area: self._around.area, **cell.codes}
        if period is not None and time is not None:
            found[time.id] = period
        place = cell.place.found
        return found | {ROW: place["row"], COLUMN: place["column"], SHEET: place["sheet"]}

    def _observation(self, cell: _Cell, unit: Choice, period: str | None) -> dict[str, Any]:
        said: dict[str, str | None] = {**self._around.answers.get(self._table.id, {}), **self._table.fixed}
        said |= {**unit.sets, **self._questionnaire.default, **cell.entry.sets, **self._footnotes(cell)}
        said[self.structure.measures[0].id] = cell.entry.value
        return said | self._key(cell, period)

    def _footnotes(self, cell: _Cell) -> dict[str, str]:
        ids, texts = [], []
        for mark in dict.fromkeys(cell.notes):
            id, text = self._around.footnotes.get(mark, (mark, None))
            if id is not None:
                ids.append(id)
            if text is not None:
                texts.append(text)
            else:
                self._add("F157", cell.place, value=mark)
        found = {}
        if ids and self._questionnaire.footnote_id is not None:
            found[self._questionnaire.footnote_id] = ",".join(ids)
        if texts and self._questionnaire.footnote_text is not None:
            found[self._questionnaire.footnote_text] = NOTE_SEPARATOR.join(texts)
        return found

    def _deletion(self, cell: _Cell, period: str | None) -> dict[str, Any] | None:
        """What a cell takes back: all of it, or what it had before and has not any more; None if nothing."""
        if cell.entry.deletes:
            return self._key(cell, period)
        before = self._held.get(cell.key)
        if before is None or before == cell.text:
            return None
        try:
            held = self._entries.read(before, is_number=False, is_whole=True)
        except Unreadable:
            return None
        gone = {
            id: text for id, text in held.sets.items() if id not in {*cell.entry.sets, *self._questionnaire.default}
        }
        if (held.value is not None or held.keeps) and cell.entry.value is None:
            gone[self.structure.measures[0].id] = held.value or "0"  # which one does not matter to a deletion
        if held.notes and not cell.notes:
            ids = (self._questionnaire.footnote_id, self._questionnaire.footnote_text)
            gone |= {id: NO_ID for id in ids if id is not None}
        return {**gone, **self._key(cell, period)} if gone else None


def _at(place: Place | None) -> dict[str, Any]:
    """The place of one finding, as its table of places."""
    return {} if place is None else {"places": pa.table({name: [value] for name, value in place.found.items()})}


def _batch(rows: list[dict[str, Any]], structure: DataStructure) -> pa.RecordBatch:
    """Records as a batch of the schema as read."""
    kinds = {column.id: column.kind for column in columns(structure)}
    schema = read_schema(structure)
    arrays = []
    for one in schema:
        values = [row.get(one.name) for row in rows]
        kind = kinds.get(one.name)
        if kind == "multi":
            values = [None if value is None else [value] for value in values]
        elif kind == "multilingual":
            values = [None if value is None else [("en", value)] for value in values]
        arrays.append(pa.array(values, one.type))
    return pa.record_batch(arrays, schema=schema)


def iterate(rows: TableRows) -> Iterator[tuple[bool, pa.RecordBatch]]:
    """The batches of a table that hold anything, with whether they delete."""
    if len(rows.removed):
        yield True, rows.removed
    if len(rows.told):
        yield False, rows.told


__all__ = ["Around", "Line", "TableReader", "TableRows", "iterate"]
