"""The rows of a representation map read from its sheet, as SDMX-JSON has them, with findings at their cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol, TypeVar

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.errors import InvalidStructure
from sdmx_service.model.artefact import Item
from sdmx_service.model.items import Codelist, ValueList
from sdmx_service.model.mapping import MappedValue, MappingRow, RepresentationMap
from sdmx_service.model.period import parse_period
from sdmx_service.model.urn import Ref
from sdmx_service.submission import map_cells as cells
from sdmx_service.submission.representation_mapping import RepresentationRules
from sdmx_service.submission.suggestions import Suggester

T = TypeVar("T")
_NUMBERED = re.compile(r"(source|kind|from|to|target) ([1-9][0-9]?)")
_TOLD = re.compile(r"(source|target) [1-9][0-9]? name.*|decided|#.*")
_PLAIN = ("valid from", "valid to", "annotations")
_KINDS = ("value", "regex", "any")
_LOOKED = 200
"""Wrong codes of a sheet for which the nearest is looked up."""


class CellPage(Protocol):
    """What a reader of rows needs of a sheet (``map_reading.Page``)."""

    name: str
    rows: list[tuple[int, tuple[str | None, ...]]]

    def columns(self, *needed: str) -> dict[str, int]:
        """The columns by header."""

    def incomplete(self, reason: str, column: int | None = None) -> None:
        """A finding about the sheet as a whole."""

    def fault(self, row: int, column: int | None, value: str | None, reason: str, near: str | None = None) -> None:
        """A finding at a cell."""

    def read(
        self, row: int, column: int | None, line: Sequence[str | None], read: Callable[[str | None], T]
    ) -> T | None:
        """A cell, read."""


class RowReader:
    """Reads the rows of one sheet.

    Args:
        page: the sheet.
        document: what is said of the map beside its rows, as SDMX-JSON: ``source`` and ``target`` name its lists.
        catalog: has the codes.
    """

    def __init__(self, page: CellPage, document: Mapping[str, Any], catalog: Catalog) -> None:
        self._page = page
        self._catalog = catalog
        self._declared = [_declared(one) for one in document.get("target", [])]
        columns = page.columns("source 1", "target 1")
        self._columns = columns
        for title, place in columns.items():
            if not (_NUMBERED.fullmatch(title) or _TOLD.fullmatch(title) or title in _PLAIN):
                page.incomplete(f"The column {title!r} is not known (a name that begins with # is left alone)", place)
        self._looked = 0
        self._sources = _count(columns, "source")
        self._targets = _count(columns, "target")

    def rows(self) -> tuple[list[dict[str, Any]], list[int]]:
        """The rows as SDMX-JSON, and the numbers of the sheet's rows."""
        found, places = [], []
        for number, line in self._page.rows:
            row = self._row(number, line)
            if row is not None:
                found.append(row)
                places.append(number)
        return found, places

    def _row(self, number: int, line: tuple[str | None, ...]) -> dict[str, Any] | None:
        told = [place for title, place in self._columns.items() if _TOLD.fullmatch(title)]
        if not any(cell for place, cell in enumerate(line) if place not in told):
            return None
        sources = [self._source(number, line, place) for place in range(1, self._sources + 1)]
        targets = [self._target(number, line, place) for place in range(1, self._targets + 1)]
        row: dict[str, Any] = {}
        for title, name in (("valid from", "validFrom"), ("valid to", "validTo")):
            place = self._columns.get(title)
            if place is not None and line[place]:
                row[name] = self._page.read(number, place, line, _period)
        notes = self._page.read(number, self._columns.get("annotations"), line, _annotations)
        if notes:
            row["annotations"] = notes
        if None in sources or None in targets or None in row.values():
            return None
        row |= {"sourceValues": sources, "targetValues": targets}
        self._check(number, line, row)
        return row

    def _source(self, number: int, line: tuple[str | None, ...], place: int) -> dict[str, Any] | None:
        value = self._page.read(number, self._columns[f"source {place}"], line, cells.read)
        kind_at = self._columns.get(f"kind {place}")
        kind = (line[kind_at] if kind_at is not None else None) or "value"
        if kind not in _KINDS:
            self._page.fault(number, kind_at, kind, f"it is none of {', '.join(_KINDS)}")
            return None
        if value is None:
            return None
        found: dict[str, Any] = {"value": value}
        if kind == "regex":
            found["isRegEx"] = True
        for title, name in ((f"from {place}", "startIndex"), (f"to {place}", "endIndex")):
            at = self._columns.get(title)
            if at is not None and line[at]:
                found[name] = self._page.read(number, at, line, _index)
        if kind == "any" and not {"startIndex", "endIndex"} & set(found):
            self._page.fault(number, kind_at, kind, "any needs from or to; for whatever comes write the regex .*")
            return None
        return None if None in found.values() else found

    def _target(self, number: int, line: tuple[str | None, ...], place: int) -> str | None:
        at = self._columns[f"target {place}"]
        value = self._page.read(number, at, line, cells.read)
        known = self._codes[place - 1] if place <= len(self._codes) else None
        if value and known is not None and value not in known and "\\" not in value:
            self._looked += 1
            near = self._suggester(place - 1).nearest(value) if self._looked <= _LOOKED else None
            self._page.fault(number, at, value, f"it is no code of {self._declared[place - 1]}", near)
            return None
        return value

    def _check(self, number: int, line: tuple[str | None, ...], row: Mapping[str, Any]) -> None:
        """The row by itself, as the service will use it."""
        made = MappingRow(
            sources=tuple(
                MappedValue(
                    value=one["value"],
                    is_regex=one.get("isRegEx", False),
                    start_index=one.get("startIndex"),
                    end_index=one.get("endIndex"),
                )
                for one in row["sourceValues"]
            ),
            targets=tuple(row["targetValues"]),
            valid_from=row.get("validFrom"),
            valid_to=row.get("validTo"),
        )
        alone = RepresentationMap(agency="X", id="X", rows=(made,))
        try:
            RepresentationRules(alone, sources=len(made.sources), targets=len(made.targets))
        except InvalidStructure as fault:
            place = self._columns["source 1"]
            self._page.fault(number, place, line[place], fault.detail.partition(": ")[2].rstrip("."))

    # --- codes -------------------------------------------------------------------------------------------------
    @cached_property
    def _codes(self) -> list[Mapping[str, Item] | None]:
        """Per target the codes of its list, None where it is no list that is known."""
        found: list[Mapping[str, Item] | None] = []
        for one in self._declared:
            items = self._catalog.lookup(one) if isinstance(one, Ref) else None
            is_list = isinstance(items, Codelist | ValueList) and not getattr(items, "extensions", ())
            found.append({item.id: item for item in items.items} if is_list else None)  # type: ignore[union-attr]
        return found

    def _suggester(self, place: int) -> Suggester:
        if place not in self._suggesters:
            self._suggesters[place] = Suggester.of_items(self._codes[place] or {})
        return self._suggesters[place]

    @cached_property
    def _suggesters(self) -> dict[int, Suggester]:
        return {}


def _declared(said: Mapping[str, Any]) -> Ref | str:
    for name in ("codelist", "valuelist"):
        if name in said:
            return Ref.parse(said[name])
    return str(said.get("dataType", "String"))


def _count(columns: Mapping[str, int], word: str) -> int:
    """How many columns of that word there are, numbered without gaps from 1."""
    count = 0
    while f"{word} {count + 1}" in columns:
        count += 1
    return count


def _period(cell: str | None) -> str:
    return parse_period((cell or "").strip()).text


def _annotations(cell: str | None) -> list[Any] | None:
    found = cells.read_value(cell)
    if found is not None and not (isinstance(found, list) and all(isinstance(one, dict) for one in found)):
        raise ValueError("no JSON list of annotations")
    return found


def _index(cell: str | None) -> int:
    text = (cell or "").strip()
    if not text.isdigit() or int(text) < 1:
        raise ValueError("characters are counted from 1")
    return int(text)
