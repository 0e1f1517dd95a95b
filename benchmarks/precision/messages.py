"""Real files that are no tables, as cells that can be damaged: JSON-stat, SDMX-JSON, SDMX-ML.

A cell is a figure in the file's own form; its place is what a person can look up there: the line of an XML file, the
pointer into SDMX-JSON, and in JSON-stat, which has neither, the rank among the cells that say something (the first one
is row 2, below the names).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from lxml import etree

from benchmarks.precision.cells import Cell, Line, Place, Source, value_of


def _number(text: str) -> object:
    """A text as the value that JSON has for it; what is no number stays a text."""
    value = value_of(text)
    if value is None:
        return text
    return int(value) if value.is_integer() else value


def _text(value: object) -> str:
    return "" if value is None else str(value)


# --- JSON-stat ------------------------------------------------------------------------------------------------------
@dataclass(slots=True, kw_only=True)
class StatGrid:
    """A JSON-stat 2.0 data set with sparse values; ``line`` of a cell is its index as text."""

    sent: dict[str, Any]
    is_long: bool = False

    def text(self, cell: Cell) -> str:
        return _text(self.sent["value"].get(cell.line))

    def write(self, cell: Cell, text: str) -> None:
        if text:
            self.sent["value"][cell.line] = _number(text)
        else:
            self.sent["value"].pop(cell.line, None)

    def place(self, cell: Cell) -> Place:
        said = {int(index) for index in (*self.sent["value"], *self.sent.get("status", {}))}
        row = 2 + sum(index < int(cell.line) for index in said)
        return None, row if int(cell.line) in said else 0, ""

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(self.sent, ensure_ascii=False), encoding="utf-8")


def json_stat(folder: Path, name: str) -> Source:
    """A table of Eurostat by area and year; the other dimensions have one member each."""
    path = folder / f"eurostat/{name}.json"
    sent = json.loads(path.read_bytes())
    members = [sorted(index, key=index.__getitem__) for id in sent["id"]
               for index in [sent["dimension"][id]["category"]["index"]]]  # fmt: skip
    cells = []
    for number, codes in enumerate(product(*members)):
        words = dict(zip(sent["id"], codes, strict=True))
        if (value := sent["value"].get(str(number))) is not None:
            cells.append(Cell(key=(("area", words["geo"]),), period=words["time"], value=float(value),
                              line=str(number), column=0))  # fmt: skip
    return Source(name=path.name, grid=StatGrid(sent=sent), cells=cells, group=("area",))


# --- SDMX-JSON ------------------------------------------------------------------------------------------------------
@dataclass(slots=True, kw_only=True)
class MessageGrid:
    """An SDMX-JSON 2.0 message with flat observations; ``line`` of a cell is the key of its observation."""

    sent: dict[str, Any]
    is_long: bool = False

    @property
    def _observations(self) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = self.sent["data"]["dataSets"][0]["observations"]
        return found

    def text(self, cell: Cell) -> str:
        return _text(self._observations.get(cell.line, [None])[0])

    def write(self, cell: Cell, text: str) -> None:
        if text:
            self._observations[cell.line][0] = _number(text)
        else:
            self._observations.pop(cell.line, None)

    def place(self, cell: Cell) -> Place:
        return None, 0, f"/data/dataSets/0/observations/{cell.line}"

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(self.sent, ensure_ascii=False), encoding="utf-8")


def sdmx_json(folder: Path, name: str) -> Source:
    """A series of the OECD by year."""
    path = folder / f"oecd/{name}.json"
    sent = json.loads(path.read_bytes())
    (structure,) = sent["data"]["structures"]
    dimensions = structure["dimensions"]["observation"]
    place = next(number for number, one in enumerate(dimensions) if one["id"] == "TIME_PERIOD")
    cells = [
        Cell(key=(("series", ":".join(indices[:place] + indices[place + 1 :])),),
             period=dimensions[place]["values"][int(indices[place])]["id"], value=float(values[0]), line=key, column=0)
        for key, values in sent["data"]["dataSets"][0]["observations"].items()
        if values[0] is not None
        for indices in [key.split(":")]
    ]  # fmt: skip
    return Source(name=path.name, grid=MessageGrid(sent=sent), cells=cells)


# --- SDMX-ML --------------------------------------------------------------------------------------------------------
class Tag(Line):
    """A line of an XML file that holds one element; its attributes can be read and written by their names."""

    def _pattern(self, name: object) -> re.Pattern[str]:
        return re.compile(rf'(?<=\s{name}=")[^"]*')

    def attribute(self, name: str) -> str:
        found = self._pattern(name).search(list.__getitem__(self, 0))
        return "" if found is None else found[0]

    def __getitem__(self, name: Any) -> Any:
        return self.attribute(name) if isinstance(name, str) else list.__getitem__(self, name)

    def __setitem__(self, name: Any, value: Any) -> None:
        old = list.__getitem__(self, 0)
        new = self._pattern(name).sub(lambda _: str(value), old, count=1) if isinstance(name, str) else value
        list.__setitem__(self, 0, new)


@dataclass(slots=True, kw_only=True)
class MarkupGrid:
    """A structure-specific message, an observation in each of many lines; ``line`` of a cell is its line."""

    lines: list[Line]
    is_long: bool = True
    _numbers: dict[int, int] = field(default_factory=dict)

    def text(self, cell: Cell) -> str:
        return str(cell.line["OBS_VALUE"])

    def write(self, cell: Cell, text: str) -> None:
        cell.line["OBS_VALUE"] = text

    def place(self, cell: Cell) -> Place:
        if not self._numbers:
            self._numbers.update((id(line), number) for number, line in enumerate(self.lines, 1))
        return None, self._numbers.get(id(cell.line), 0), ""

    def drop(self, cell: Cell) -> None:
        """Take the observation out."""
        self._numbers.clear()
        self.lines.remove(cell.line)

    def repeat(self, cell: Cell) -> Line:
        """Put a copy of the observation after it."""
        copy = Tag(cell.line)
        self._numbers.clear()
        self.lines.insert(self.lines.index(cell.line) + 1, copy)
        return copy

    def save(self, path: Path) -> None:
        path.write_text("\n".join(list.__getitem__(line, 0) for line in self.lines), encoding="utf-8")


def sdmx_ml(folder: Path, name: str, area: str) -> Source:
    """The series of an area in a message; those of its regions are not meant to go in."""
    path = folder / f"sdg/{name}.xml"
    lines: list[Line] = [Tag([line]) for line in path.read_text(encoding="utf-8").split("\n")]
    cells = list(_observations(path, lines, area))
    return Source(name=path.name, grid=MarkupGrid(lines=lines), cells=cells, columns={"period": "TIME_PERIOD"})


def _observations(path: Path, lines: list[Line], area: str) -> Iterator[Cell]:
    for series in _series(etree.parse(path).iter("Series"), area):
        key = tuple((id.lower(), text) for id, text in series.attrib.items() if id in ("SERIES", "SEX", "AGE"))
        for one in series.iter("Obs"):
            line = lines[one.sourceline - 1]
            yield Cell(key=key, period=one.attrib["TIME_PERIOD"], value=value_of(one.attrib["OBS_VALUE"]), line=line,
                       column=0)  # fmt: skip


def _series(every: Iterable[Any], area: str) -> Iterator[Any]:
    return (one for one in every if one.attrib.get("REF_AREA") == area)
