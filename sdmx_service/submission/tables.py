"""From sheets of cells to named text columns, as a layout says.

Nothing here knows components: a ``Mapper`` turns the columns into them. What does not fit is a finding; a layout that
reads a sheet not at all or only in part says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.catalog.layout import CellPlace, ColumnPlace, Layout, RowTest, TableLayout
from sdmx_service.model.columns import COLUMN, ROW, SHEET
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.message import Sheet, Tables
from sdmx_service.model.urn import Ref
from sdmx_service.submission.cells import clean, fits, read_numbers, take_mark, trim
from sdmx_service.submission.headers import Header, cell, column_index, column_letter, nearest_row, read_header
from sdmx_service.submission.ledger import Ledger, sent_places, sent_rows
from sdmx_service.submission.recognising import has_rows, sheets_of
from sdmx_service.submission.report import Report

LETTER = b"column"
"""Key of a field's metadata: the letter of the sender's column that the values come from."""

_HIDDEN = "\0"
"""Begins the names of value columns while they are beside the named ones."""


Needed = Callable[[Ref], Collection[str]]
"""The named columns that become figures or keys by a structure map."""


def extract(
    layout: Layout, tables: Tables, report: Report, needed: Needed | None = None
) -> Iterator[tuple[TableLayout, pa.Table]]:
    """The columns that each table of a layout reads, one table of text columns per sheet, rows in the sheet's order.

    Beside the named columns stand ``_row`` (1-based, as the sender sees it), ``_column`` (the letter of the value's
    cell) and ``_sheet``; the metadata of a field tells the letter it was read from (``LETTER``). A table without
    ``sheet`` reads one sheet, see ``sheets_of``. A sheet in which a named column is missing is not read. A message has
    one sheet, its structure: some table must read it.

    Findings: F101 rows left out on purpose, F102 and F106 columns not found or not unique, F103 no such sheet, F104
    texts that are no numbers, F107 a cell or sheet name that is not as the layout expects it, F108 rows that every
    ``where`` leaves out, F112 hidden rows, columns and sheets that were read, F153 a merged figure, F270 figures
    outside the header, F271 formulas without result, F272 to F274 columns and sheets that nobody reads, F276 records
    that end before a figure or key; which columns are keys says ``needed``.
    """
    ledgers: dict[int, Ledger] = {}
    for table_layout in layout.tables:
        for number, sheet in _sheets(layout, table_layout, tables, report):
            ledger = ledgers.setdefault(number, Ledger.of(sheet))
            table = _Reading(sheet, table_layout, report, ledger).table(needed)
            if table is not None and table.num_rows:
                yield table_layout, table
    for ledger in ledgers.values():
        ledger.settle(report)
    _report_sheets(layout, tables, ledgers, report)
    for number, sheet in enumerate(tables.sheets):
        if sheet.origin is not None and number not in ledgers:
            expected = ", ".join(table.sheet.pattern for table in layout.tables if table.sheet is not None)
            report.add(FindingGroup.of("F103", expected=expected, value=sheet.name))


def _sheets(layout: Layout, table: TableLayout, tables: Tables, report: Report) -> list[tuple[int, Sheet]]:
    found = sheets_of(layout, table, tables)
    is_message = any(sheet.origin is not None for sheet in tables.sheets)
    if not found and table.sheet is not None and not is_message:
        names = ", ".join(sheet.name or "one table without a name" for sheet in tables.sheets)
        report.add(FindingGroup.of("F103", expected=table.sheet.pattern, value=names or "no sheets"))
    return found


def _report_sheets(layout: Layout, tables: Tables, read: Collection[int], report: Report) -> None:
    """Report sheets with the header that a table looks for, which it does not read as it reads one sheet only."""
    plain = [table for table in layout.tables if table.sheet is None]
    for number, sheet in enumerate(tables.sheets):
        if number not in read and any(has_rows(layout, table, sheet) for table in plain):
            report.add(FindingGroup.of("F274", value=sheet.name, sheet=sheet.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class _ValueColumns:
    """The columns that become rows: where they are, and the texts they set, one per column."""

    indices: tuple[int, ...] = ()
    sets: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)


class _Reading:
    """One sheet read by one table of a layout."""

    def __init__(self, sheet: Sheet, layout: TableLayout, report: Report, ledger: Ledger) -> None:
        self._sheet = sheet
        self._layout = layout
        self._report = report
        self._ledger = ledger
        self._letters: dict[str, str] = {}

    def table(self, needed: Needed | None = None) -> pa.Table | None:
        """The columns, or None where the sheet cannot be read; the report says why."""
        header = self._header()
        if header is None:
            return None
        places = self._places(header)
        constants = self._constants()
        values = None if places is None else self._value_columns(header, places)
        if places is None or constants is None or values is None:
            return None
        rows = self._rows(header, places, constants, values)
        rows = self._wanted(rows, known=set(rows.column_names))
        self._note_short(rows, places, values, needed)
        unpivot = self._layout.unpivot
        early = set(rows.column_names)
        rows = self._without_blanks(rows) if unpivot is None else self._unpivoted(rows, values)
        rows = self._wanted(rows, known=set(rows.column_names), done=early)
        rows = self._with_numbers(self._with_marks(self._with_symbols(rows)))
        self._ledger.rows[_row_indices(rows)] = True
        self._note(header, places, values)
        self._report_merged(header, rows, places, values)
        return self._finished(rows)

    def _note(self, header: Header, places: Mapping[str, int], values: _ValueColumns) -> None:
        unpivot = self._layout.unpivot
        self._ledger.header = header
        self._ledger.columns.update(places.values(), values.indices)
        if unpivot is not None and unpivot.headers is not None:
            self._ledger.patterns.append(unpivot.headers)
            self._ledger.first = min(self._ledger.first, *values.indices)

    def _note_short(
        self, rows: pa.Table, places: Mapping[str, int], values: _ValueColumns, needed: Needed | None
    ) -> None:
        if self._sheet.lengths is None:
            return
        names = {name for one in self._layout.numbers for name in one.columns} | {self._value_name}
        if needed is not None:
            names |= set(needed(self._layout.map))
        indices = [index for name, index in places.items() if name in names]
        self._ledger.note_short(_row_indices(rows), [*indices, *values.indices])

    def _report_merged(self, header: Header, rows: pa.Table, places: Mapping[str, int], values: _ValueColumns) -> None:
        """Report figures in merged cells that may be meant for several columns, or for rows with other labels."""
        named = places.get(self._value_name or "")
        figures = set(values.indices) or ({named} if named is not None else set())
        labels = [index for index in places.values() if index not in figures]
        read = set(_row_indices(rows).tolist()) if self._sheet.merged else set()
        for top, left, bottom, right in self._sheet.merged:
            if top not in read or left not in figures or top < header.row + header.rows:
                continue
            across = len(figures.intersection(range(left, right + 1)))
            below = [
                row for row in range(top + 1, bottom + 1) if any(cell(self._sheet, row, index) for index in labels)
            ]
            if (count := across * (1 + len(below))) > 1:
                place = pa.table({"row": [top + 1], "column": [column_letter(left)]})
                text = cell(self._sheet, top, left)
                group = FindingGroup.of("F153", places=place, sheet=self._sheet.name, value=text, count_cells=count)
                self._report.add(group)

    # --- places ------------------------------------------------------------------------------------------------
    def _header(self) -> Header | None:
        place = self._layout.header
        header = read_header(self._sheet, place)
        if header is None:
            missing, nearest = nearest_row(self._sheet, place.find)
            for text in missing or place.find:
                self._report.add(self._finding("F102", column=text, value=nearest))
        return header

    def _finding(self, code: str, *, count: int | None = None, **constants: str | int | None) -> FindingGroup:
        return FindingGroup.of(code, count=count, places=None, sheet=self._sheet.name, **constants)

    def _place(self, header: Header, place: ColumnPlace) -> int | None:
        """The one column that a place means; the report says so if there is none, or several."""
        found = header.columns(place)
        said = place.header or place.letter or (place.matches.pattern if place.matches else "")
        if not found:
            self._report.add(self._finding("F102", column=said, value=header.text, row=header.row + 1))
        elif len(found) > 1:
            letters = ", ".join(map(column_letter, found))
            self._report.add(self._finding("F106", column=said, value=letters, row=header.row + 1))
        return found[0] if len(found) == 1 else None

    def _letter(self, index: int) -> str:
        """What the sender calls a column: its letter, or in a message the component."""
        if self._sheet.origin is None:
            return column_letter(index)
        return str(self._sheet.columns[index][0])

    def _places(self, header: Header) -> dict[str, int] | None:
        found = {name: self._place(header, place) for name, place in self._layout.columns.items()}
        places = {name: index for name, index in found.items() if index is not None}
        self._letters = {name: self._letter(index) for name, index in places.items()}
        return places if len(places) == len(found) else None

    def _value_columns(self, header: Header, places: Mapping[str, int]) -> _ValueColumns | None:
        unpivot = self._layout.unpivot
        if unpivot is None:
            return _ValueColumns()
        if unpivot.headers is not None:
            return self._matching_columns(header, unpivot.headers, unpivot.name, set(places.values()))
        found = [(self._place(header, one.place), one.sets) for one in unpivot.columns]
        known = [(index, sets) for index, sets in found if index is not None]
        names = dict.fromkeys(name for one in unpivot.columns for name in one.sets)
        return _ValueColumns(
            indices=tuple(index for index, _ in known),
            sets={name: tuple(sets.get(name) for _, sets in known) for name in names},
        )

    def _matching_columns(
        self, header: Header, pattern: re.Pattern[str], name: str, named: set[int]
    ) -> _ValueColumns | None:
        found = {index: text for index, text in header.taken(pattern).items() if index not in named}
        if not found:
            self._report.add(self._finding("F102", column=pattern.pattern, value=header.text, row=header.row + 1))
            return None
        texts = tuple(_taken(pattern, text, whole=True) for text in found.values())
        return _ValueColumns(indices=tuple(found), sets={name: texts} if name else {})

    def _constants(self) -> dict[str, str] | None:
        """Columns with one text for the whole sheet; None if one is not as the layout expects it."""
        constants: dict[str, str | None] = dict(self._layout.fixed)
        for name, pattern in self._layout.from_sheet.items():
            constants[name] = _taken(pattern, self._sheet.name or "")
            if constants[name] is None:
                self._report.add(self._finding("F107", value=self._sheet.name or "", expected=pattern.pattern))
        for name, place in self._layout.from_cell.items():
            constants[name] = self._cell(place)
        known = {name: text for name, text in constants.items() if text is not None}
        return known if len(known) == len(constants) else None

    def _cell(self, place: CellPlace) -> str | None:
        letters = place.cell.rstrip("0123456789")
        row = int(place.cell[len(letters) :])
        text = cell(self._sheet, row - 1, column_index(letters)) or ""
        found = _taken(place.matches, text) if place.matches is not None else text or None
        if found is None:
            expected = "a text" if place.matches is None else place.matches.pattern
            self._report.add(self._finding("F107", row=row, column=letters, value=text, expected=expected))
        return found

    # --- rows --------------------------------------------------------------------------------------------------
    def _rows(
        self, header: Header, places: Mapping[str, int], constants: Mapping[str, str], values: _ValueColumns
    ) -> pa.Table:
        """Every row of the range that is not blank: named columns, value columns (by number), ``_row``."""
        layout = self._layout
        height = len(self._ledger.left)
        start = min(height, layout.first_row - 1 if layout.first_row else header.row + header.rows)
        end = height if layout.last_row is None else max(start, min(height, layout.last_row))
        arrays = {name: self._texts(index, start, end) for name, index in places.items()}
        for name in layout.clean_columns:
            if name in arrays:
                arrays[name] = clean(arrays[name], layout.strip)
        hidden = {_hidden(number): self._texts(index, start, end) for number, index in enumerate(values.indices)}
        stop = self._until(arrays, end - start)
        present = _any_valid([*arrays.values(), *hidden.values()], end - start)
        for name in layout.fill_down:
            if name in arrays:
                arrays[name] = pc.fill_null_forward(arrays[name])
        arrays |= hidden
        for name, text in constants.items():
            arrays[name] = pa.repeat(pa.scalar(text, pa.string()), end - start)
        arrays[ROW] = pa.array(np.arange(start + 1, end + 1, dtype=np.int64))
        table = pa.table(arrays).slice(0, stop)
        return table if pc.all(present, min_count=0).as_py() else table.filter(present.slice(0, stop))

    def _texts(self, index: int, start: int, end: int) -> pa.StringArray:
        if index >= len(self._sheet.columns):
            return pa.nulls(end - start, pa.string())
        return trim(self._sheet.columns[index].slice(start, end - start))

    def _until(self, arrays: Mapping[str, pa.Array], count: int) -> int:
        """How many rows stand before the one that ends the table."""
        test = self._layout.until
        if test is None or test.column not in arrays:
            return count
        found = pc.index(fits(arrays[test.column], test), True).as_py()
        return count if found < 0 else int(found)

    def _wanted(self, rows: pa.Table, *, known: set[str], done: set[str] | None = None) -> pa.Table:
        """The rows that pass ``where`` and no ``skip``, as far as their columns are known and not done before."""
        now = known - (done or set())
        for test in self._layout.where:
            if test.column in now:
                rows = self._where(rows, test)
        for test in self._layout.skip:
            if test.column in now:
                rows = self._skip(rows, test)
        return rows

    def _where(self, rows: pa.Table, test: RowTest) -> pa.Table:
        passed = _fits(rows, test)
        self._ledger.left[_row_indices(rows.filter(pc.invert(passed)))] = True
        return rows.filter(passed)

    def _skip(self, rows: pa.Table, test: RowTest) -> pa.Table:
        chosen = _fits(rows, test)
        self._ledger.taken[_row_indices(rows.filter(chosen))] = True
        if count := pc.sum(chosen, min_count=0).as_py():
            reason = test.reason.best()
            said = reason[1] if reason else f"{test.column} as the mapping says"
            self._report.add(
                self._finding("F101", count=count, reason=said.rstrip("."), column=self._letters.get(test.column))
            )
        return rows.filter(pc.invert(chosen))

    # --- values ------------------------------------------------------------------------------------------------
    @property
    def _value_name(self) -> str | None:
        """The column whose cells are the values: said by ``unpivot``, else the first of the numbers or symbols."""
        layout = self._layout
        if layout.unpivot is not None:
            return layout.unpivot.value
        said = [*(name for one in layout.numbers for name in one.columns), *(one.column for one in layout.symbols)]
        return next((name for name in said if name in layout.columns), None)

    def _without_blanks(self, rows: pa.Table) -> pa.Table:
        name = self._value_name
        letter = self._letters.get(name or "")
        rows = rows.append_column(COLUMN, pa.repeat(pa.scalar(letter, pa.string()), rows.num_rows))
        self._ledger.taken[_row_indices(rows)] = True
        if name is None or self._layout.keep_blank:
            return rows
        return rows.filter(pc.is_valid(rows[name])) if rows[name].null_count else rows

    def _unpivoted(self, rows: pa.Table, values: _ValueColumns) -> pa.Table:
        """A row for each cell of the value columns, row by row from left to right."""
        unpivot = self._layout.unpivot
        assert unpivot is not None
        self._ledger.taken[_row_indices(rows)] = True
        width, height = len(values.indices), rows.num_rows
        cells = [rows[_hidden(number)].combine_chunks() for number in range(width)]
        if self._layout.keep_blank:
            there = np.ones((height, width), bool)
        else:
            masks = [one.is_valid().to_numpy(zero_copy_only=False) for one in cells]
            there = np.stack(masks, axis=1) if masks else np.zeros((height, 0), bool)
        line, column = np.nonzero(there)
        stacked = pa.concat_arrays(cells) if cells else pa.array([], pa.string())
        named = [name for name in rows.column_names if not name.startswith(_HIDDEN) and name != unpivot.value]
        table = rows.select(named).take(pa.array(line))
        letters = pa.array([self._letter(index) for index in values.indices], pa.string())
        added = {unpivot.value: stacked.take(pa.array(column * height + line)), COLUMN: letters.take(pa.array(column))}
        for name, texts in values.sets.items():
            added[name] = pa.array(texts, pa.string()).take(pa.array(column))
        for name, array in added.items():
            table = _put(table, name, array)
        return table

    def _with_marks(self, rows: pa.Table) -> pa.Table:
        """Marks beside numbers are taken away and set what the layout says."""
        for mark in self._layout.marks:
            texts, marked = take_mark(_whole(rows[mark.column]), mark.text)
            rows = _put(rows, mark.column, texts)
            for name, text in mark.sets.items():
                before = rows[name] if name in rows.column_names else pa.nulls(rows.num_rows, pa.string())
                rows = _put(rows, name, pc.if_else(marked, pa.scalar(text, pa.string()), before))
        return rows

    def _with_symbols(self, rows: pa.Table) -> pa.Table:
        """Symbols become what the layout says; a column that the sender filled keeps what it says."""
        originals = {symbol.column: rows[symbol.column] for symbol in self._layout.symbols}
        for name in dict.fromkeys(name for symbol in self._layout.symbols for name in symbol.sets):
            if name not in rows.column_names:
                rows = _put(rows, name, pa.nulls(rows.num_rows, pa.string()))
        for symbol in self._layout.symbols:
            cells = originals[symbol.column]
            chosen = pc.fill_null(pc.equal(cells, symbol.text), False) if symbol.text else pc.is_null(cells)
            if not pc.any(chosen, min_count=0).as_py():
                continue
            value = pa.scalar(symbol.value, pa.string())
            rows = _put(rows, symbol.column, pc.if_else(chosen, value, rows[symbol.column]))
            for name, text in symbol.sets.items():
                free = chosen
                if name in self._layout.columns:
                    weak = pc.is_in(rows[name], value_set=pa.array(symbol.instead_of, pa.string()))
                    free = pc.and_(chosen, pc.or_(pc.is_null(rows[name]), weak))
                rows = _put(rows, name, pc.if_else(free, pa.scalar(text, pa.string()), rows[name]))
        return rows

    def _with_numbers(self, rows: pa.Table) -> pa.Table:
        for written in self._layout.numbers:
            for name in written.columns:
                numbers, wrong = read_numbers(_whole(rows[name]), written)
                if pc.any(wrong, min_count=0).as_py():
                    self._report_texts(rows.filter(wrong), name)
                rows = _put(rows, name, numbers)
        return rows

    def _report_texts(self, rows: pa.Table, name: str) -> None:
        letter = self._letters.get(name)
        column = rows[COLUMN] if letter is None else pa.repeat(pa.scalar(letter, pa.string()), rows.num_rows)
        places = pa.table({"row": sent_rows(self._sheet, _whole(rows[ROW])), "column": column, "value": rows[name]})
        is_formula = pc.starts_with(places["value"], "=")
        for code, chosen in (("F104", pc.invert(is_formula)), ("F271", is_formula)):
            if pc.any(chosen).as_py():
                self._report.add(FindingGroup.of(code, places=places.filter(chosen), sheet=self._sheet.name))

    def _finished(self, rows: pa.Table) -> pa.Table:
        names = [name for name in rows.column_names if name not in (ROW, COLUMN) and not name.startswith(_HIDDEN)]
        places = sent_places(self._sheet, _whole(rows[ROW]))
        letters = self._letters if places is None else {}
        fields = [
            pa.field(name, pa.string(), metadata={LETTER: letter} if (letter := letters.get(name)) else None)
            for name in names
        ]
        sheet = pa.repeat(pa.scalar(self._sheet.name, pa.string()), rows.num_rows)
        origin = [pa.field(ROW, pa.int64()), pa.field(COLUMN, pa.string()), pa.field(SHEET, pa.string())]
        sent = [sent_rows(self._sheet, _whole(rows[ROW])), rows[COLUMN] if places is None else places, sheet]
        return pa.table([*(rows[name] for name in names), *sent], schema=pa.schema([*fields, *origin]))


def _taken(pattern: re.Pattern[str], text: str, *, whole: bool = False) -> str | None:
    """The first group of the pattern in the text; without groups what matches, or the ``whole`` text."""
    match = pattern.search(text)
    if match is None:
        return None
    return match[1] if pattern.groups else text if whole else match[0]


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _fits(rows: pa.Table, test: RowTest) -> pa.BooleanArray:
    return fits(_whole(rows[test.column]), test)


def _put(table: pa.Table, name: str, array: pa.Array) -> pa.Table:
    """The table with that column, in place of one of its name."""
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), name, array)
    return table.append_column(name, array)


def _any_valid(arrays: Sequence[pa.Array], count: int) -> pa.BooleanArray:
    present = pa.repeat(pa.scalar(False), count)
    for array in arrays:
        if array.null_count == 0 and count:
            return pa.repeat(pa.scalar(True), count)
        present = pc.or_(present, array.is_valid())
    return present


def _hidden(number: int) -> str:
    return f"{_HIDDEN}{number}"


def _row_indices(rows: pa.Table) -> npt.NDArray[np.int64]:
    return rows[ROW].to_numpy() - 1  # type: ignore[no-any-return]
