"""A slow, plain reading of layouts and structure maps, to check the content without the program's own engine.

It knows only what the mappings of this project use. One dict per row; never for production.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook

Row = dict[str, str | None]
Sheet = list[list[str]]


def load_maps(mappings: Path) -> dict[str, dict[str, Any]]:
    """Every structure map and representation map below ``mappings`` by id."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(mappings.glob("*/*.json")):
        if path.name != "layout.json":
            for artefacts in json.loads(path.read_text(encoding="utf-8"))["data"].values():
                found |= {artefact["id"]: artefact for artefact in artefacts}
    return found


def text(value: object) -> str:
    """A cell as text; whole numbers without their decimal point."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def sheets(path: Path) -> Iterator[tuple[str, Sheet, list[Any]]]:
    """Name, cells and merged ranges of each sheet; a CSV file is one sheet without a name."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            yield "", list(csv.reader(file)), []
        return
    book = CalamineWorkbook.from_path(path)
    for name in book.sheet_names:
        sheet = book.get_sheet_by_name(name)
        rows = [[text(value) for value in row] for row in sheet.to_python(skip_empty_area=False)]
        yield name, rows, sheet.merged_cell_ranges or []


def headers(rows: Sheet, merged: list[Any], spec: dict[str, Any]) -> tuple[list[str], int]:
    """The header texts and the number of the first data row."""
    if "row" in spec:
        first = spec["row"] - 1
    else:
        first = next(n for n, row in enumerate(rows) if set(spec["find"]) <= set(row))
    count = spec.get("rows", 1)
    cells = [list(row) for row in rows[first : first + count]]
    for (top, left), (bottom, right) in merged:
        for row in range(max(top, first), min(bottom, first + count - 1) + 1):
            for column in range(left, right + 1):
                cells[row - first][column] = rows[top][left]
    return [" | ".join(part for part in column if part) for column in zip(*cells, strict=True)], first + count


def column_of(reference: str, names: list[str]) -> int:
    """The number of a column that is given by letter or header."""
    return ord(reference[1]) - ord("A") if reference.startswith("$") else names.index(reference)


def cells(table: dict[str, Any], name: str, rows: Sheet, merged: list[Any]) -> Iterator[Row]:
    """The named columns of one table of a layout."""
    names, start = headers(rows, merged, table["header"])
    fixed: Row = dict(table.get("fixed", {}))
    for column, pattern in table.get("from_sheet", {}).items():
        match = re.fullmatch(pattern, name)
        fixed[column] = match and match.group(1)
    for column, spec in table.get("from_cell", {}).items():
        place = re.fullmatch("([A-Z])([0-9]+)", spec["cell"])
        assert place is not None
        match = re.fullmatch(spec["matches"], rows[int(place[2]) - 1][ord(place[1]) - ord("A")])
        assert match is not None, (name, spec)
        fixed[column] = match.group(1)
    columns = {column: column_of(reference, names) for column, reference in table["columns"].items()}
    unpivot = table.get("unpivot", {})
    spread: list[tuple[int, Row]] = [(-1, {})]
    if "headers" in unpivot:
        spread = [
            (n, {unpivot["name"]: m[1]})
            for n, head in enumerate(names)
            if (m := re.fullmatch(unpivot["headers"], head))
        ]
    elif unpivot:
        spread = [(column_of(one["column"], names), one["set"]) for one in unpivot["columns"]]
    value_name = unpivot.get("value") or table["number"]["columns"][0]
    for row in rows[start:]:
        base: Row = {column: row[n].strip() for column, n in columns.items()}
        if "until" in table and re.fullmatch(table["until"]["matches"], base[table["until"]["column"]] or ""):
            return
        if any((base[rule["column"]] or "") not in rule["in"] for rule in table.get("where", [])):
            continue
        if any(re.fullmatch(rule["matches"], base[rule["column"]] or "") for rule in table.get("skip", [])):
            continue
        for n, extra in spread:
            found = fixed | base | extra | ({value_name: row[n].strip()} if n >= 0 else {})
            if not found[value_name]:
                continue
            for symbol in table.get("symbols", []):
                if found[symbol["column"]] == symbol["text"]:
                    found |= {symbol["column"]: symbol["value"]} | symbol["set"]
            yield found


def filled(target: str, groups: list[str]) -> str:
    """A target value with the groups of the regular expressions put in."""
    for number, group in enumerate(groups, start=1):
        target = target.replace(f"\\{number}", group)
    return target


def translate(representation: dict[str, Any], values: list[str]) -> list[str]:
    """The targets of the first row that fits."""
    for row in representation["representationMappings"]:
        groups: list[str] = []
        for source, value in zip(row["sourceValues"], values, strict=True):
            if not source.get("isRegEx"):
                if source["value"] != value:
                    break
                continue
            match = re.fullmatch(source["value"], value)
            if match is None:
                break
            groups += match.groups()
        else:
            return [filled(target, groups) for target in row["targetValues"]]
    raise LookupError(f"{representation['id']}: {values}")


def apply(
    structure_map: dict[str, Any], maps: dict[str, dict[str, Any]], row: Row, memory: dict[Any, list[str]]
) -> Row:
    """One row in the components of the target structure."""
    found: Row = {fixed["target"]: fixed["values"][0] for fixed in structure_map.get("fixedValueMaps", [])}
    for component in structure_map["componentMaps"]:
        values = [row.get(source) or "" for source in component["source"]]
        if "representationMap" in component:
            map_id = component["representationMap"].split(":")[-1].split("(")[0]
            if (map_id, *values) not in memory:
                memory[(map_id, *values)] = translate(maps[map_id], values)
            values = memory[(map_id, *values)]
        found |= {target: value or None for target, value in zip(component["target"], values, strict=True)}
    return found


def read(path: Path, mapping: Path) -> Iterator[tuple[str, Row]]:
    """Dataflow id and components of every observation that a mapping makes of a file."""
    maps = load_maps(mapping.parent)
    layout = json.loads((mapping / "layout.json").read_text(encoding="utf-8"))
    memory: dict[Any, list[str]] = {}
    for name, rows, merged in sheets(path):
        for table in layout["tables"]:
            if re.fullmatch(table.get("sheet", ".*"), name):
                structure_map = maps[table["map"].split(":")[1].split("(")[0]]
                dataflow = structure_map["target"].split(":")[-1].split("(")[0]
                for row in cells(table, name, rows, merged):
                    yield dataflow, apply(structure_map, maps, row, memory)
