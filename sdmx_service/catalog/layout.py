"""Layouts: which cells of a sender's file are which columns. Our own small schema; see docs/mappings.md.

A mapping is a layout plus a StructureMap; the layout turns sheets into named text columns, the map turns these into
components.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sdmx_service.catalog.documents import Node
from sdmx_service.errors import SyntaxFault
from sdmx_service.model.artefact import NO_TEXTS, Texts
from sdmx_service.model.message import Action
from sdmx_service.model.urn import PartialRef, Ref, parse_ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """How a file of this layout is recognised; everything given must fit."""

    formats: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    sheets: tuple[re.Pattern[str], ...] = ()
    file: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderPlace:
    """Where the header stands: a 1-based row, or the first row that holds all of some texts; ``rows`` of it."""

    row: int | None = None
    find: tuple[str, ...] = ()
    rows: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnPlace:
    """A column of the sheet: by its letter, its header text, or a pattern of the header text."""

    letter: str | None = None
    header: str | None = None
    matches: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowTest:
    """A test of a named column: its text is one of, none of, fits a pattern, or is blank."""

    column: str
    within: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    matches: re.Pattern[str] | None = None
    blank: bool = False
    reason: Texts = NO_TEXTS


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueColumn:
    """A column of values that an unpivot turns into rows, and what it sets on them."""

    place: ColumnPlace
    sets: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpivot:
    """Columns that become rows: by a pattern of their headers (text into ``name``), or one by one."""

    value: str
    headers: re.Pattern[str] | None = None
    name: str = ""
    columns: tuple[ValueColumn, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CellPlace:
    """A cell by its address, and a pattern whose first group is taken."""

    cell: str
    matches: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberText:
    """How numbers are written in some columns."""

    columns: tuple[str, ...]
    decimal: str = "."
    grouping: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """A cell text that is no number: what it becomes, and what it sets in other columns.

    What the sender wrote in these other columns stays, but for blanks and the texts of ``instead_of``.
    """

    column: str
    text: str
    value: str | None
    sets: Mapping[str, str] = field(default_factory=dict)
    instead_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLayout:
    """SDMX messages in a structure of the sender's that are read as a table: one column per component.

    Attributes:
        structures: what such a message names as its structure, dataflow or provision agreement; any version where none
            is said.
        dimensions, measures, attributes: the components that it may have; ``TIME_PERIOD`` is a dimension.
    """

    structures: tuple[PartialRef, ...]
    dimensions: tuple[str, ...]
    measures: tuple[str, ...] = ("OBS_VALUE",)
    attributes: tuple[str, ...] = ()

    def describes(self, ref: Ref) -> bool:
        """Whether a message that names this is meant."""
        return any(one.matches(ref) for one in self.structures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A text before or after the number of a cell that is taken away, and what it sets in other columns."""

    column: str
    text: str
    sets: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLayout:
    """How some sheets are read once, for one StructureMap."""

    map: Ref
    sheet: re.Pattern[str] | None = None
    header: HeaderPlace = field(default_factory=lambda: HeaderPlace(row=1))
    first_row: int | None = None
    last_row: int | None = None
    until: RowTest | None = None
    where: tuple[RowTest, ...] = ()
    skip: tuple[RowTest, ...] = ()
    columns: Mapping[str, ColumnPlace] = field(default_factory=dict)
    fill_down: tuple[str, ...] = ()
    unpivot: Unpivot | None = None
    from_sheet: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    from_cell: Mapping[str, CellPlace] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)
    numbers: tuple[NumberText, ...] = ()
    symbols: tuple[Symbol, ...] = ()
    marks: tuple[Mark, ...] = ()
    keep_blank: bool = False
    clean_columns: tuple[str, ...] = ()
    strip: tuple[str, ...] = ()
    sums: tuple[str, ...] = ()
    """Measures that are added up over mapped rows of one key."""
    only_allowed: tuple[str, ...] = ()
    """Components whose rows are left out, not refused, where the target's constraints do not allow the code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A mapping's layout.

    Attributes:
        provider: who the data come from, if the mapping says it.
        complete: dimensions for which the file claims to list every part.
        refuse: why a file of this layout cannot be taken at all; such a layout has no tables.
        action: what the file does; ``replaces`` names dimensions whose values in the file span the slice it replaces.
        messages: SDMX messages that the layout reads; without them it reads tables.
    """

    id: str
    version: str
    names: Texts
    tables: tuple[TableLayout, ...]
    signature: Signature
    provider: Ref | None = None
    action: Action = Action.MERGE
    replaces: tuple[str, ...] = ()
    complete: tuple[str, ...] = ()
    refuse: Texts = NO_TEXTS
    source: str = ""
    licence: str = ""
    delimiter: str | None = None
    encoding: str | None = None
    messages: tuple[MessageLayout, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


def read_layout(document: Mapping[str, Any], place: str) -> Layout:
    """The layout of a JSON document.

    Raises:
        InvalidStructure: something is missing, misspelt or of the wrong type; ``place`` and the path say where.
    """
    node = Node(document, place)
    csv = node.at("csv")
    provider = node.at("provider").text_or_none()
    layout = Layout(
        id=node.at("id").text(),
        version=node.at("version").text(),
        names=Texts(node.at("names").words()),
        tables=node.at("tables").each(_table),
        signature=_signature(node.at("signature")),
        provider=None if provider is None else _ref(node.at("provider"), "DataProviderScheme"),
        action=_action(node.at("action")),
        replaces=node.at("replaces").texts(),
        complete=node.at("complete").texts(),
        refuse=Texts(node.at("refuse").words()),
        source=node.at("source").text_or_none() or "",
        licence=node.at("licence").text_or_none() or "",
        delimiter=csv.at("delimiter").text_or_none() if csv.value is not None else None,
        encoding=csv.at("encoding").text_or_none() if csv.value is not None else None,
        messages=node.at("messages").each(_message),
        document=document,
    )
    csv.done()
    node.at("notes")
    node.done()
    if bool(layout.tables) == bool(layout.refuse):
        raise node.fault("give either tables to read or the reason to refuse, in refuse.")
    return layout


def _message(node: Node) -> MessageLayout:
    message = MessageLayout(
        structures=tuple(_partial(member) for member in node.at("structures").items()),
        dimensions=node.at("dimensions").texts(),
        measures=node.at("measures").texts() or ("OBS_VALUE",),
        attributes=node.at("attributes").texts(),
    )
    node.done()
    if not message.structures or not message.dimensions:
        raise node.fault("a message needs structures and dimensions.")
    ids = (*message.dimensions, *message.measures, *message.attributes)
    if twice := sorted({id for id in ids if ids.count(id) > 1}):
        raise node.fault(f"{', '.join(twice)} is listed more than once.")
    return message


def _partial(node: Node) -> PartialRef:
    try:
        return parse_ref(node.text())
    except SyntaxFault as fault:
        raise node.fault(fault.detail) from None


def _action(node: Node) -> Action:
    try:
        return Action.from_text(node.text_or_none())
    except SyntaxFault as fault:
        raise node.fault(fault.detail) from None


def _ref(node: Node, kind: str) -> Ref:
    try:
        partial = parse_ref(node.text(), kind)
    except SyntaxFault as fault:
        raise node.fault(fault.detail) from None
    complete = partial.complete(version="1.0")
    if complete is None:
        raise node.fault(f"{node.value!r} is not AGENCY:ID(VERSION).")
    return complete


def _signature(node: Node) -> Signature:
    if node.value is None:
        return Signature()
    signature = Signature(
        formats=node.at("formats").texts(),
        headers=node.at("headers").texts(),
        sheets=tuple(member.pattern() for member in node.at("sheets").items()),
        file=node.at("file").pattern_or_none(),
    )
    node.done()
    return signature


def _table(node: Node) -> TableLayout:
    until = node.at("until")
    clean = node.at("clean")
    aggregate = node.at("aggregate")
    table = TableLayout(
        map=_ref(node.at("map"), "StructureMap"),
        sheet=node.at("sheet").pattern_or_none(),
        header=_header(node.at("header")),
        first_row=node.at("first_row").place_or_none(),
        last_row=node.at("last_row").place_or_none(),
        until=None if until.value is None else _test(until),
        where=node.at("where").each(_test),
        skip=node.at("skip").each(_test),
        columns={name: _column(member) for name, member in node.at("columns").fields()},
        fill_down=node.at("fill_down").texts(),
        unpivot=_unpivot(node.at("unpivot")),
        from_sheet={name: member.pattern() for name, member in node.at("from_sheet").fields()},
        from_cell={name: _cell(member) for name, member in node.at("from_cell").fields()},
        fixed=node.at("fixed").words(),
        numbers=_numbers(node.at("number")),
        symbols=node.at("symbols").each(_symbol),
        marks=node.at("marks").each(_mark),
        keep_blank=node.at("blank").choice("skip", "keep") == "keep",
        clean_columns=clean.at("columns").texts() if clean.value is not None else (),
        strip=clean.at("strip").texts() if clean.value is not None else (),
        sums=aggregate.at("sum").texts() if aggregate.value is not None else (),
        only_allowed=node.at("only_allowed").texts(),
    )
    node.done()
    aggregate.done()
    if aggregate.value is not None and not table.sums:
        raise aggregate.fault("say which measures to sum.")
    _check(table, node)
    return table


def _check(table: TableLayout, node: Node) -> None:
    """Every column that is tested, filled, cleaned or read as numbers is one that the table makes."""
    unpivot = table.unpivot
    made = {*table.columns, *table.from_sheet, *table.from_cell, *table.fixed}
    if unpivot is not None:
        made |= {unpivot.value, unpivot.name, *(name for one in unpivot.columns for name in one.sets)}
    tests = [*table.where, *table.skip, *([table.until] if table.until is not None else [])]
    used = [*(test.column for test in tests), *table.fill_down, *table.clean_columns]
    used += [name for one in table.numbers for name in one.columns]
    used += [one.column for one in table.symbols] + [one.column for one in table.marks]
    if unknown := sorted(set(used) - made):
        raise node.fault(f"the table has no column {', '.join(unknown)}; it has {', '.join(sorted(made - {''}))}.")
    if unknown := sorted(set(table.strip) - {"footnote_marks", "spaces"}):
        raise node.at("clean").fault(f"unknown {', '.join(unknown)}; known here: footnote_marks, spaces.")


def _header(node: Node) -> HeaderPlace:
    if node.value is None:
        return HeaderPlace(row=1)
    place = HeaderPlace(
        row=node.at("row").place_or_none(), find=node.at("find").texts(), rows=node.at("rows").place_or_none() or 1
    )
    node.done()
    if (place.row is None) == (not place.find):
        raise node.fault("give either row or find.")
    return place


def _column(node: Node) -> ColumnPlace:
    if isinstance(node.value, Mapping):
        place = ColumnPlace(matches=node.at("matches").pattern())
        node.done()
        return place
    text = node.text()
    return ColumnPlace(letter=text[1:].upper()) if re.fullmatch(r"\$[A-Za-z]{1,3}", text) else ColumnPlace(header=text)


def _test(node: Node) -> RowTest:
    test = RowTest(
        column=node.at("column").text(),
        within=node.at("in").texts(),
        without=node.at("not_in").texts(),
        matches=node.at("matches").pattern_or_none(),
        blank=node.at("blank").flag(),
        reason=Texts(node.at("reason").words()),
    )
    node.done()
    if not (test.within or test.without or test.matches or test.blank):
        raise node.fault("a test needs in, not_in, matches or blank.")
    return test


def _unpivot(node: Node) -> Unpivot | None:
    if node.value is None:
        return None
    columns = node.at("columns")
    unpivot = Unpivot(
        value=node.at("value").text(),
        headers=node.at("headers").pattern_or_none(),
        name=node.at("name").text_or_none() or "",
        columns=columns.each(_value_column),
    )
    node.done()
    if (unpivot.headers is None) == (not unpivot.columns):
        raise node.fault("give either headers (with name) or columns.")
    return unpivot


def _value_column(node: Node) -> ValueColumn:
    column = ValueColumn(place=_column(node.at("column")), sets=node.at("set").words())
    node.done()
    return column


def _cell(node: Node) -> CellPlace:
    place = CellPlace(cell=node.at("cell").text().upper(), matches=node.at("matches").pattern_or_none())
    node.done()
    if not re.fullmatch("[A-Z]{1,3}[1-9][0-9]{0,6}", place.cell):
        raise node.fault(f"{place.cell!r} is not the address of a cell, such as A17.")
    return place


def _numbers(node: Node) -> tuple[NumberText, ...]:
    nodes = [node] if isinstance(node.value, Mapping) else list(node.items())
    found = []
    for one in nodes:
        found.append(
            NumberText(
                columns=one.at("columns").texts(),
                decimal=one.at("decimal").text_or_none() or ".",
                grouping=one.at("grouping").texts(),
            )
        )
        one.done()
    return tuple(found)


def _symbol(node: Node) -> Symbol:
    symbol = Symbol(
        column=node.at("column").text(),
        text=node.at("text").text(),
        value=node.at("value").text_or_none(),
        sets=node.at("set").words(),
        instead_of=node.at("instead_of").texts(),
    )
    node.done()
    return symbol


def _mark(node: Node) -> Mark:
    mark = Mark(column=node.at("column").text(), text=node.at("text").text(), sets=node.at("set").words())
    node.done()
    if not mark.text.strip():
        raise node.fault("a mark needs a text that is not blank.")
    return mark
