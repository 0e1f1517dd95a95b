"""The sheet of a table: keys hidden, labels protected, figures open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

from sdmx_service.catalog import questionnaire_keys as keys
from sdmx_service.catalog.questionnaire import Axis, Choice, QuestionnaireTable
from sdmx_service.catalog.questionnaire_keys import AxisCodes, format_key
from sdmx_service.dissemination.held import HeldFigure
from sdmx_service.dissemination.template_pages import Builder, Page
from sdmx_service.model.form import Area, FormSheet, Offer
from sdmx_service.model.structure import DataStructure

_TITLE, _SUBTITLE, _NOTICE, _UNIT, _PERIOD, _NOTES = 1, 2, 3, 4, 5, 6
"""Rows of a sheet; the header follows the last."""
_KEY, _LEFT = 0, 1
_LABEL_WIDTHS = {"code": 11.0, "figure": 12.0, "notes": 14.0}
_LONGEST_LABEL, _SHORTEST_LABEL = 50, 9


class TablePage:
    """Lays out a table.

    Args:
        periods: the codes of the time, if an axis has it.
        figures: those held; their codes are rows of an open list too.

    Attributes:
        keys: the keys of all cells that take a figure.
    """

    def __init__(
        self,
        page: Page,
        table: QuestionnaireTable,
        structure: DataStructure,
        periods: Sequence[str],
        figures: Sequence[HeldFigure],
    ) -> None:
        self._page = page
        self._table = table
        self._structure = structure
        self._axes = keys.axes_of(page.questionnaire, table, structure, page.catalog)
        self._codes = {name: self._codes_of(axis, periods, figures) for name, axis in self._axes.items()}
        self._rows = list(product(*(self._codes[name] for name in table.rows)))
        self._columns = list(product(*(self._codes[name] for name in table.columns)))
        self.keys = {self._key(row, column) for row in self._rows for column in self._columns}

    def _codes_of(self, axis: AxisCodes, periods: Sequence[str], figures: Sequence[HeldFigure]) -> list[str]:
        time = self._structure.time_dimension
        if time is not None and axis.axis.component == time.id:
            return list(periods)
        held = {figure.codes[axis.axis.component] for figure in figures if axis.axis.component in figure.codes}
        return axis.printed(self._page.language, without=self._page.area.id, more=sorted(held))

    def _axis(self, name: str) -> Axis:
        return self._page.questionnaire.axes[name]

    def _named(self, names: Sequence[str], codes: Sequence[str]) -> dict[str, str]:
        return {self._axis(name).component: code for name, code in zip(names, codes, strict=True)}

    def _key(self, row: Sequence[str], column: Sequence[str]) -> str:
        return format_key(self._named(self._table.rows, row) | self._named(self._table.columns, column))

    # --- places ------------------------------------------------------------------------------------------------
    @property
    def _first_column(self) -> int:
        """The first column of figures."""
        return _LEFT + sum(2 if self._axis(name).open is not None else 1 for name in self._table.rows)

    @property
    def _first_row(self) -> int:
        """The first row of figures."""
        return _NOTES + 1 + len(self._table.columns)

    # --- the sheet ---------------------------------------------------------------------------------------------
    def sheet(self, cells: Mapping[str, str | int | float], unit: Choice, period: str | None) -> FormSheet:
        """The sheet with these figures in it, in that unit."""
        build = Builder()
        last = self._first_column + len(self._columns)
        self._top(build, unit, period)
        self._header(build)
        bottom = self._body(build, cells)
        questionnaire, page = self._page.questionnaire, self._page
        kept = () if questionnaire.kept is None else (questionnaire.kept,)
        offers = [
            Offer(
                areas=(Area(top=_UNIT, left=_LEFT + 1, bottom=_UNIT, right=_LEFT + 1),),
                texts=tuple(page.text(one.names, one.id) for one in questionnaire.units),
            ),
            Offer(
                areas=(Area(top=self._first_row, left=self._first_column, bottom=bottom, right=last - 1),),
                texts=(
                    *(text for sign in (*questionnaire.symbols, *kept) for text in sign.texts),
                    page.text(questionnaire.deletion, ""),
                ),
                figures=True,
                message=page.word("not_a_figure"),
            ),
        ]
        widths = self._widths(last)
        return FormSheet(
            name=self._table.id,
            cells=tuple(build.cells),
            merged=tuple(build.merged),
            widths=widths,
            heights=build.heights(widths),
            hidden_rows=(0,),
            hidden_columns=(_KEY,),
            frozen=(self._first_row, self._first_column),
            heading=(_TITLE, self._first_row - 1),
            offers=tuple(offers),
            may_add_rows=any(self._axis(name).open is not None for name in self._table.rows),
        )

    def _widths(self, last: int) -> dict[int, float]:
        widths = dict.fromkeys(range(self._first_column, last), _LABEL_WIDTHS["figure"])
        widths[last] = _LABEL_WIDTHS["notes"]
        column = _LEFT
        for name in self._table.rows:
            if self._axis(name).open is not None:
                widths[column] = _LABEL_WIDTHS["code"]
                column += 1
            texts = [self._axes[name].label(code, self._page.language) for code in self._codes[name]]
            longest = max((len(text) for text in texts), default=0) * 0.95 + 2
            widths[column] = min(_LONGEST_LABEL, max(_SHORTEST_LABEL, longest))
            column += 1
        return widths

    def _top(self, build: Builder, unit: Choice, period: str | None) -> None:
        page, table = self._page, self._table
        build.put(0, _KEY, f"{keys.TABLE} {page.questionnaire.name} {table.id}", "key")
        build.put(_TITLE, _LEFT, f"{table.id}  {page.text(table.names, table.id)}", "title")
        subtitle = f"{page.area_name} · {page.text(page.questionnaire.names, page.questionnaire.id)}"
        build.put(_SUBTITLE, _LEFT, subtitle, "subtitle")
        build.put(_NOTICE, _LEFT, page.text(page.questionnaire.notice, ""), "notice")
        build.put(_UNIT, _KEY, keys.UNIT, "key")
        build.put(_UNIT, _LEFT, page.word("unit"), "label")
        build.put(_UNIT, _LEFT + 1, page.text(unit.names, unit.id), "input")
        if keys.asks_period(page.questionnaire, table, self._structure):
            build.put(_PERIOD, _KEY, keys.PERIOD, "key")
            build.put(_PERIOD, _LEFT, page.word("period"), "label")
            build.put(_PERIOD, _LEFT + 1, period, "input")
        if table.notes:
            build.put(_NOTES, _LEFT, page.text(table.notes, ""), "subtitle")

    def _header(self, build: Builder) -> None:
        page, column = self._page, _LEFT
        top, bottom = _NOTES + 1, self._first_row - 1
        for row in (_TITLE, _SUBTITLE, _NOTICE, _NOTES, *range(top, bottom + 1)):
            build.put(row, _KEY, keys.HEADER, "key")
        for name in self._table.rows:
            heading = page.text(self._axis(name).names, name)
            if self._axis(name).open is not None:
                build.put(0, column, f"{keys.CODE} {name}", "key")
                build.spread(Area(top=top, left=column, bottom=bottom, right=column), page.word("code"), "heading")
                column += 1
            build.put(0, column, f"{keys.LABEL} {name}", "key")
            build.spread(Area(top=top, left=column, bottom=bottom, right=column), heading, "heading")
            column += 1
        for number, codes in enumerate(self._columns):
            build.put(0, column + number, format_key(self._named(self._table.columns, codes)), "key")
        for level, name in enumerate(self._table.columns):
            for first, end in _runs([codes[: level + 1] for codes in self._columns]):
                label = self._axes[name].label(self._columns[first][level], page.language)
                area = Area(top=top + level, left=column + first, bottom=top + level, right=column + end)
                build.spread(area, label, "heading")
        notes = column + len(self._columns)
        build.put(0, notes, keys.NOTES, "key")
        build.spread(Area(top=top, left=notes, bottom=bottom, right=notes), page.word("notes"), "heading")

    def _body(self, build: Builder, cells: Mapping[str, str | int | float]) -> int:
        """Every row; the last of them."""
        line = self._first_row
        previous: Sequence[str] = ()
        for row in self._rows:
            build.put(line, _KEY, format_key(self._named(self._table.rows, row)), "key")
            self._row_labels(build, line, row, is_new=bool(previous) and row[:-1] != previous[:-1])
            for number, column in enumerate(self._columns):
                build.put(line, self._first_column + number, cells.get(self._key(row, column)), "figure")
            build.put(line, self._first_column + len(self._columns), None, "note")
            previous = row
            line += 1
        return self._free_rows(build, line)

    def _row_labels(self, build: Builder, line: int, row: Sequence[str], *, is_new: bool) -> None:
        column = _LEFT
        for place, (name, code) in enumerate(zip(self._table.rows, row, strict=True)):
            first = self._codes[name][0] == code and place == len(row) - 1
            if self._axis(name).open is not None:
                build.put(line, column, code, "code")
                column += 1
            label = self._axes[name].label(code, self._page.language)
            build.put(line, column, label, "group" if is_new else "total" if first else "row")
            column += 1

    def _free_rows(self, build: Builder, line: int) -> int:
        """Rows for codes that are not printed; the last row of the table."""
        rule = self._axis(self._table.rows[0]).open
        if rule is None or not rule.blank_rows:
            return line - 1
        build.put(line, _KEY, keys.GROUP, "key")
        build.put(line, _LEFT, None, "row")
        build.put(line, _LEFT + 1, self._page.word("own_rows"), "group")
        line += 1
        width = self._first_column + len(self._columns)
        for _ in range(rule.blank_rows):
            build.put(line, _KEY, keys.FREE, "key")
            for column in range(_LEFT, width):
                build.put(line, column, None, "input" if column < self._first_column else "figure")
            build.put(line, width, None, "note")
            line += 1
        return line - 1


def _runs(values: Sequence[object]) -> list[tuple[int, int]]:
    """First and last place of each run of equal values."""
    starts = [place for place, value in enumerate(values) if place == 0 or value != values[place - 1]]
    return list(zip(starts, [start - 1 for start in [*starts[1:], len(values)]], strict=True))
