"""A workbook of a mapping read back (``map_sheets``): the layout and the maps it says, or findings at its cells.

Nothing is changed here; every sheet, row and column that cannot be taken is a finding (F170 to F172).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

import orjson
import pyarrow as pa

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.layout import Layout, read_layout
from sdmx_service.catalog.loading import deserialise
from sdmx_service.errors import SdmxError, SyntaxFault
from sdmx_service.model.artefact import Maintainable
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.mapping import RepresentationMap, StructureMap
from sdmx_service.model.message import Sheet, Tables
from sdmx_service.model.urn import Ref, parse_ref
from sdmx_service.submission import map_cells as cells
from sdmx_service.submission.headers import column_letter
from sdmx_service.submission.map_rows import RowReader
from sdmx_service.submission.map_sheets import (
    ARTEFACTS,
    COMPONENT_MAPS,
    COMPONENTS,
    COMPONENTS_HEADER,
    FIXED,
    FORMAT,
    KINDS,
    LAYOUT,
    MAPPING,
    MAPS,
    ROWS,
    TREE_HEADER,
    Travelling,
)
from sdmx_service.submission.mapping import Mapper
from sdmx_service.submission.report import Report

T = TypeVar("T")
_SCHEMA: Final = "https://json.sdmx.org/2.1/sdmx-json-structure-schema.json"
_ROWS_NAMED = re.compile(r"rows (\d+) and (\d+) contradict")


class Page:
    """A sheet by its header: the cells of its rows, and findings at them."""

    def __init__(self, sheet: Sheet, report: Report) -> None:
        self.name = sheet.name or ""
        self._report = report
        columns = [column.to_pylist() for column in sheet.columns]
        self._header = [(column[0] or "").strip() if column else "" for column in columns]
        lines = list(zip(*(column[1:] for column in columns), strict=True)) if columns else []
        self.rows = [(number, line) for number, line in enumerate(lines, start=2) if any(line)]

    def columns(self, *needed: str) -> dict[str, int]:
        """The columns by header; those that are needed and missing, or there twice, are findings."""
        found: dict[str, int] = {}
        for place, title in enumerate(self._header):
            if title in found:
                self.incomplete(f"The column {title!r} is there twice", place)
            elif title:
                found[title] = place
        for title in needed:
            if title not in found:
                self.incomplete(f"The sheet has no column {title!r}")
        return found

    def incomplete(self, reason: str, column: int | None = None) -> None:
        """A finding about the sheet as a whole."""
        letter = None if column is None else column_letter(column)
        self._report.add(FindingGroup.of("F170", places=_place(self.name, 1, letter, None), reason=reason))

    def fault(self, row: int, column: int | None, value: str | None, reason: str, near: str | None = None) -> None:
        """A finding at a cell."""
        letter = None if column is None else column_letter(column)
        places = _place(self.name, row, letter, value or "")
        if near is not None:
            places = places.append_column("suggestion", pa.array([near], pa.string()))
        self._report.add(FindingGroup.of("F171", places=places, reason=reason))

    def read(
        self, row: int, column: int | None, line: Sequence[str | None], read: Callable[[str | None], T]
    ) -> T | None:
        """A cell, read; None with a finding where it cannot be."""
        cell = None if column is None else line[column]
        try:
            return read(cell)
        except (ValueError, SyntaxFault) as fault:
            said = fault.detail if isinstance(fault, SdmxError) else str(fault)
            self.fault(row, column, cell, f"it cannot be read ({said})")
            return None


def _place(sheet: str, row: int | None, column: str | None, value: str | None) -> pa.Table:
    said = {"sheet": [sheet], "column": [column], "value": [value]}
    texts = {name: pa.array(texts, pa.string()) for name, texts in said.items() if texts != [None]}
    return pa.table({**texts, "row": pa.array([row], pa.int64())})


@dataclass(slots=True, kw_only=True)
class _Made:
    """A document in the making, and where it was said: place (as ``Node`` names it) -> row."""

    document: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)


def read_mapping(tables: Tables, catalog: Catalog, report: Report) -> Travelling | None:
    """The layout and maps of a workbook; None with findings where it cannot be taken.

    Args:
        catalog: has the structures that the maps are about, and the codes.
    """
    pages = {sheet.name: Page(sheet, report) for sheet in tables.sheets}
    if MAPPING not in pages or not _is_ours(pages[MAPPING]):
        reason = f"The workbook has no sheet {MAPPING!r} that says format {FORMAT!r}"
        report.add(FindingGroup.of("F170", places=_place(MAPPING, None, None, None), reason=reason))
        return None
    for name in (ARTEFACTS,):
        if name not in pages:
            reason = f"The workbook has no sheet {name!r}"
            report.add(FindingGroup.of("F170", places=_place(name, None, None, None), reason=reason))
            return None
    heads = _heads(pages[ARTEFACTS])
    _add_components(pages.get(COMPONENTS), heads)
    origins = _add_rows(pages, heads, catalog)
    layout = _layout(pages[LAYOUT], report) if LAYOUT in pages else None
    if report.has_errors:
        return None
    artefacts = [one for ref, made in heads.items() if (one := _artefact(ref, made, report)) is not None]
    found = Travelling(
        layout=layout,
        structure_maps=tuple(one for one in artefacts if isinstance(one, StructureMap)),
        representation_maps=tuple(one for one in artefacts if isinstance(one, RepresentationMap)),
    )
    if len(artefacts) == len(heads):
        _check_whole(found, catalog, origins, report)
    return found if not report.counts["error"] else None


def _is_ours(page: Page) -> bool:
    return any(line[:2] == ("format", FORMAT) for _, line in page.rows)


# --- trees -----------------------------------------------------------------------------------------------------------
def _heads(page: Page) -> dict[Ref, _Made]:
    """The artefacts and what they say beside rows and components."""
    columns = page.columns("artefact", *TREE_HEADER)
    made: dict[Ref, _Made] = {}
    if not {"artefact", *TREE_HEADER} <= set(columns):
        return made
    for number, line in page.rows:
        ref = page.read(number, columns["artefact"], line, _artefact_ref)
        if ref is not None:
            _put(page, number, line, columns, made.setdefault(ref, _Made()))
    return made


def _artefact_ref(cell: str | None) -> Ref:
    kind, _, rest = (cell or "").strip().partition(" ")
    ref = parse_ref(rest, kind).complete() if kind in KINDS else None
    if ref is None:
        raise ValueError(f"write StructureMap or RepresentationMap and AGENCY:ID(VERSION), not {cell!r}")
    return ref


def _put(page: Page, row: int, line: Sequence[str | None], columns: Mapping[str, int], made: _Made) -> None:
    """A row of a tree into its document."""
    path = page.read(row, columns["path"], line, cells.read)
    kind = line[columns["kind"]] or "text"
    if path is None:
        return
    readers: dict[str, Callable[[str | None], Any]] = {
        "text": cells.read, "number": _number, "flag": _flag, "nothing": lambda _: None,
        "list": lambda _: [], "object": lambda _: {},
    }  # fmt: skip
    if kind not in readers:
        page.fault(row, columns["kind"], kind, f"it is none of {', '.join(readers)}")
        return
    value = page.read(row, columns["value"], line, readers[kind])
    if value is None and kind != "nothing":
        return
    names = [name.replace("~1", "/").replace("~0", "~") for name in path.split("/")[1:]]
    try:
        made.rows[_set(made.document, names, value)] = row
    except ValueError as fault:
        page.fault(row, columns["path"], path, str(fault))


def _number(cell: str | None) -> int | float:
    found = cells.read_value(cell)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise ValueError("no number")
    return found


def _flag(cell: str | None) -> bool:
    if (cell or "").casefold() not in ("true", "false"):
        raise ValueError("neither true nor false")
    return (cell or "").casefold() == "true"


def _set(document: dict[str, Any], names: Sequence[str], value: Any) -> str:
    """Put a value at a path; its place as documents name it. Lists grow at their end."""
    if not names:
        raise ValueError("a path begins with /")
    inner: Any = document
    place = ""
    for number, name in enumerate(names):
        is_last = number == len(names) - 1
        if isinstance(inner, list):
            place += f"[{name}]"
            if not name.isdigit() or int(name) > len(inner) or (is_last and int(name) < len(inner)):
                raise ValueError(f"the list has {len(inner)} members here, so that the next is {len(inner)}")
            if int(name) == len(inner):
                inner.append(value if is_last else {})
            inner = inner[int(name)]
        elif isinstance(inner, dict):
            place += f".{name}"
            if is_last and name in inner:
                raise ValueError("it is said twice")
            inner = inner.setdefault(name, value if is_last else {})
        else:
            raise ValueError(f"{'/'.join(names[:number])} is a value, which has no parts")
    return place


# --- components ------------------------------------------------------------------------------------------------------
def _add_components(page: Page | None, heads: Mapping[Ref, _Made]) -> None:
    if page is None:
        return
    columns = page.columns(*COMPONENTS_HEADER)
    if not set(COMPONENTS_HEADER) <= set(columns):
        return
    for number, line in page.rows:
        cell = line[columns["structure map"]]
        ref = page.read(number, columns["structure map"], line, _structure_map)
        if ref is None or ref not in heads:
            page.fault(number, columns["structure map"], cell, f"the sheet {ARTEFACTS} has no such structure map")
            continue
        kind = line[columns["kind"]]
        if kind not in ("copy", "map", "fixed"):
            page.fault(number, columns["kind"], kind, "it is none of copy, map, fixed")
            continue
        said = _fixed(page, number, line, columns) if kind == "fixed" else _component(page, number, line, columns, kind)
        if said is not None:
            heads[ref].document.setdefault(FIXED if kind == "fixed" else COMPONENT_MAPS, []).append(said)


def _structure_map(cell: str | None) -> Ref | None:
    return None if cell is None else parse_ref(cell.strip(), "StructureMap").complete()


def _object(cell: str | None) -> dict[str, Any]:
    found = cells.read_value(cell)
    if found is not None and not isinstance(found, dict):
        raise ValueError("no JSON object")
    return found or {}


def _component(
    page: Page, row: int, line: Sequence[str | None], columns: Mapping[str, int], kind: str
) -> dict[str, Any] | None:
    sides = {side: page.read(row, columns[side], line, cells.read_list) for side in ("source", "target")}
    rest = page.read(row, columns["more"], line, _object)
    for side, names in sides.items():
        if names == []:
            page.fault(row, columns[side], None, f"a component map needs a {side}")
            return None
    found: dict[str, Any] = {**sides, **(rest or {})}
    if kind == "map":
        cell = line[columns["map or value"]]
        ref = page.read(row, columns["map or value"], line, lambda text: parse_ref(text or "", "RepresentationMap"))
        whole = None if ref is None else ref.complete()
        if whole is None:
            page.fault(row, columns["map or value"], cell, "write the representation map as AGENCY:ID(VERSION)")
            return None
        found["representationMap"] = whole.urn
    return found


def _fixed(page: Page, row: int, line: Sequence[str | None], columns: Mapping[str, int]) -> dict[str, Any] | None:
    named = [side for side in ("source", "target") if line[columns[side]]]
    if len(named) != 1:
        page.fault(row, columns["source"], line[columns["source"]], "a fixed value is of one source or of one target")
        return None
    rest = page.read(row, columns["more"], line, _object)
    values = page.read(row, columns["map or value"], line, cells.read_list)
    return {named[0]: page.read(row, columns[named[0]], line, cells.read), "values": values, **(rest or {})}


# --- rows ------------------------------------------------------------------------------------------------------------
def _add_rows(
    pages: Mapping[str | None, Page], heads: Mapping[Ref, _Made], catalog: Catalog
) -> dict[Ref, tuple[Page, list[int]]]:
    """The rows of the representation maps; where each stands."""
    origins: dict[Ref, tuple[Page, list[int]]] = {}
    if MAPS not in pages:
        return origins
    index = pages[MAPS]
    columns = index.columns("sheet", "map")
    for number, line in index.rows if {"sheet", "map"} <= set(columns) else ():
        sheet, cell = line[columns["sheet"]], line[columns["map"]]
        ref = index.read(
            number, columns["map"], line, lambda text: parse_ref(text or "", "RepresentationMap").complete()
        )
        if ref is None or ref not in heads:
            index.fault(number, columns["map"], cell, f"the sheet {ARTEFACTS} has no such representation map")
        elif sheet not in pages:
            index.fault(number, columns["sheet"], sheet, "there is no such sheet")
        else:
            reader = RowReader(pages[sheet], heads[ref].document, catalog)
            rows, places = reader.rows()
            origins[ref] = (pages[sheet], places)
            if rows:
                heads[ref].document[ROWS] = rows
    return origins


# --- the whole -------------------------------------------------------------------------------------------------------
def _layout(page: Page, report: Report) -> Layout | None:
    columns = page.columns(*TREE_HEADER)
    if not set(TREE_HEADER) <= set(columns):
        return None
    made = _Made()
    for number, line in page.rows:
        _put(page, number, line, columns, made)
    try:
        return read_layout(made.document, LAYOUT)
    except SdmxError as fault:
        said = fault.detail.removeprefix(LAYOUT)
        fitting = [place for place in made.rows if said.startswith(place)]
        row = made.rows[max(fitting, key=len)] if fitting else None
        report.add(FindingGroup.of("F172", places=_place(LAYOUT, row, None, None), what=LAYOUT, reason=fault.detail))
        return None


def _artefact(ref: Ref, made: _Made, report: Report) -> Maintainable | None:
    message = {
        "$schema": _SCHEMA,
        "meta": {"id": "MAP", "test": False, "prepared": "2026-01-01T00:00:00Z", "sender": {"id": "unknown"}},
        "data": {KINDS[ref.type]: [made.document]},
    }
    try:
        (found,) = deserialise({ref.urn: orjson.dumps(message)}).artefacts
    except SdmxError as fault:
        _refuse(ARTEFACTS, ref, fault.detail, report)
        return None
    if found.ref != ref:
        _refuse(ARTEFACTS, ref, f"its id, agency and version say {found.ref.text}.", report)
        return None
    return found


def _refuse(sheet: str, ref: Ref, reason: str, report: Report) -> None:
    what = f"{ref.type} {ref.text}"
    report.add(FindingGroup.of("F172", places=_place(sheet, None, None, None), what=what, reason=reason))


def _check_whole(
    found: Travelling, catalog: Catalog, origins: Mapping[Ref, tuple[Page, list[int]]], report: Report
) -> None:
    """The maps as the service will use them."""
    whole = replace(catalog, artefacts={**catalog.artefacts, **{one.ref: one for one in found.artefacts}})
    for structure_map in found.structure_maps:
        try:
            Mapper(structure_map, whole, whole.target(structure_map.target).structure)
        except SdmxError as fault:
            named = _ROWS_NAMED.search(fault.detail)
            blamed = next((ref for ref in origins if ref.text in fault.detail), None)
            if named is None or blamed is None:
                _refuse(COMPONENTS, structure_map.ref, fault.detail, report)
                continue
            page, places = origins[blamed]
            one, other = places[int(named[1]) - 1], places[int(named[2]) - 1]
            said = fault.detail.partition("contradict each other: ")[2].rstrip(".")
            page.fault(other, 0, None, f"the row contradicts row {one}: {said}")
    for table in found.layout.tables if found.layout is not None else ():
        if whole.lookup(table.map) is None:
            _refuse(LAYOUT, table.map, "there is no such structure map.", report)
