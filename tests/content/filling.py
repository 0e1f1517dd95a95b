"""Filling templates by script, as an office does, and reading back what the program makes of them."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.dissemination.template import Held, TemplateWish, template
from sdmx_service.formats.registry import write_form
from sdmx_service.submission.reading import Wish, receive
from sdmx_service.submission.report import Report

TOP = Path(__file__).parents[2]
SPECIFICATION: dict[str, Any] = json.loads(
    (TOP / "mappings/questionnaires/DYB_MIGRATION/1.0.0/questionnaire.json").read_text(encoding="utf-8")
)
TABLES: dict[str, dict[str, Any]] = {table["id"]: table for table in SPECIFICATION["tables"]}
COMPARED = ("OBS_VALUE", "OBS_STATUS", "CONF_STATUS", "UNIT_MULT", "FOOTNOTE_ID", "COMMENT_OBS", "TABLE_ID")
Observation = frozenset[tuple[str, str]]

WRITTEN = (
    ("{n}", {}, None),
    ("{n:,}", {}, None),
    ("{s}", {}, None),
    (" {n} ", {}, None),
    ("{n} *", {"OBS_STATUS": "P"}, None),
    ("{n}e", {"OBS_STATUS": "E"}, None),
    ("{n} [I]", {"OBS_STATUS": "I"}, None),
    ("{n} c", {"CONF_STATUS": "C"}, None),
    ("{n} (1)", {}, "1"),
    ("{n}²", {}, "2"),
    ("{s} b (1, 2)", {"OBS_STATUS": "B"}, "1,2"),
)
SYMBOLS = (("...", "O", None), ("…", "O", None), ("—", "A", "0"), ("-", "A", "0"), (".", "M", None), ("~", "Q", None))
NOTES = {"1": "Revised after the census.", "2": "Registre, données « provisoires » — реестр"}


def blank(
    catalog: Catalog, area: str, language: str, tables: list[str], years: str = "2021-2023", held: Held | None = None
) -> bytes:
    """A template."""
    first, _, last = years.partition("-")
    periods = tuple(map(str, range(int(first), int(last or first) + 1)))
    wish = TemplateWish(tables=tuple(tables), area=area, periods=periods, language=language)
    made = template(wish, catalog, held) if held is not None else template(wish, catalog)
    return b"".join(write_form(made.form))


def opened(body: bytes) -> openpyxl.Workbook:
    """The workbook."""
    return openpyxl.load_workbook(io.BytesIO(body))


def saved(book: openpyxl.Workbook) -> bytes:
    """The workbook as bytes."""
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def codes(key: str) -> dict[str, str]:
    """The codes of a hidden key."""
    return dict(part.split("=") for part in key.split(";"))


def row_keys(sheet: Worksheet) -> dict[int, dict[str, str]]:
    """Row -> codes, of the rows with a key."""
    texts = {row: sheet.cell(row, 1).value for row in range(1, sheet.max_row + 1)}
    return {row: codes(text) for row, text in texts.items() if isinstance(text, str) and "=" in text}


def column_keys(sheet: Worksheet) -> dict[int, dict[str, str]]:
    """Column -> codes, of the columns of figures."""
    texts = {column: sheet.cell(1, column).value for column in range(2, sheet.max_column + 1)}
    return {column: codes(text) for column, text in texts.items() if isinstance(text, str) and "=" in text}


def row_of(sheet: Worksheet, text: str) -> int:
    """The row whose hidden key is that text."""
    return next(row for row in range(1, sheet.max_row + 1) if sheet.cell(row, 1).value == text)


def column_of(sheet: Worksheet, text: str) -> int:
    """The column whose hidden key is that text."""
    return next(column for column in range(1, sheet.max_column + 1) if sheet.cell(1, column).value == text)


def observation(
    table: str, area: str, known: dict[str, str], said: dict[str, str | None], unit: str = "0"
) -> Observation:
    """What an observation must be, from the specification's own words."""
    fixed = {"UNIT_MULT": unit, "OBS_STATUS": "A", "REF_AREA": area, **TABLES[table]["fixed"]}
    return frozenset((id, text) for id, text in {**fixed, **known, **said}.items() if text is not None)


def fill(
    book: openpyxl.Workbook, table: str, area: str, chance: random.Random, count: int, year: str = "2021"
) -> set[Observation]:
    """Write figures, marks, symbols and footnotes into cells of a table; the observations that they are."""
    sheet = book[table]
    time = {}
    if "TIME_PERIOD" not in {
        SPECIFICATION["axes"][name]["component"] for name in TABLES[table]["rows"] + TABLES[table]["columns"]
    }:
        sheet.cell(row_of(sheet, "@period"), 3).value = int(year)
        time = {"TIME_PERIOD": year}
    rows, columns = row_keys(sheet), column_keys(sheet)
    places = [(row, column) for row in rows for column in columns]
    expected = set()
    for row, column in chance.sample(places, min(count, len(places))):
        known = {**rows[row], **columns[column], **time}
        if chance.random() < 0.25:
            text, status, value = chance.choice(SYMBOLS)
            sheet.cell(row, column).value = text
            expected.add(observation(table, area, known, {"OBS_STATUS": status, "OBS_VALUE": value}))
            continue
        number = chance.choice((0, 7, 999, 1000, 12_345, 1_234_567, chance.randrange(10**7)))
        form, sets, notes = chance.choice(WRITTEN)
        text = form.format(n=number, s=f"{number:,}".replace(",", "\u202f"))
        sheet.cell(row, column).value = number if form == "{n}" else text
        said = {"OBS_VALUE": str(number), **sets, "FOOTNOTE_ID": notes}
        said["COMMENT_OBS"] = None if notes is None else " | ".join(NOTES[mark] for mark in notes.split(","))
        expected.add(observation(table, area, known, said))
    return expected


def add_notes(book: openpyxl.Workbook) -> None:
    """Write the texts of the footnotes."""
    sheet = next(one for one in book.worksheets if one["A1"].value == "@footnotes")
    for row, (mark, text) in enumerate(NOTES.items(), 2):
        sheet.cell(row, 2).value, sheet.cell(row, 3).value = mark, text


def read_back(body: bytes, catalog: Catalog) -> tuple[list[tuple[str, str, Observation]], Report]:
    """Dataflow, action and observation of each row that the program reads, and what it found."""
    report = Report()
    received = receive(io.BytesIO(body), "filled.xlsx", None, Wish(), catalog, report, None)
    found = [
        (part.dataflow.id, part.action.value, _compared(row, set(part.target.structure.key_ids)))
        for part in received.parts
        for batch in part.batches
        for row in batch.to_pylist()
    ]
    return found, report


def _compared(row: dict[str, Any], keys: set[str]) -> Observation:
    return frozenset((id, text) for id, text in row.items() if text is not None and (id in keys or id in COMPARED))


def told(found: list[tuple[str, str, Observation]]) -> list[Observation]:
    """The observations that are merged."""
    return [row for _, action, row in found if action == "Merge"]


def places(report: Report, code: str) -> Iterator[tuple[str | None, int | None, str | None, str | None]]:
    """Sheet, row, column and value of the findings of a code."""
    for finding in report.findings():
        if finding.code == code:
            yield finding.sheet, finding.row, finding.column, finding.value
