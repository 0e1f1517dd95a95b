"""The questionnaires of this project: the specification fits the structures, and a filled workbook comes back whole."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.loading import load_folder
from sdmx_service.catalog.questionnaire_keys import axes_of, provider_of
from tests.content import filling
from tests.content.filling import SPECIFICATION, TABLES

AREAS = ("470", "276", "380", "608", "124", "826", "643", "156", "710", "566", "76", "484", "32", "400", "818", "688", "36", "554", "392", "728")  # fmt: skip
LANGUAGES = ("en", "fr", "es", "ru")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """The content of this project."""
    return load_folder(filling.TOP).catalog()


# --- the specification ----------------------------------------------------------------------------------------------
def test_there_are_the_sixteen_tables() -> None:
    expected = [f"MIG-{number:02}" for number in range(1, 12)] + [f"CEN-{number}" for number in range(1, 6)]
    assert list(TABLES) == expected


def test_every_table_fills_every_dimension_with_codes_that_there_are(catalog: Catalog) -> None:
    questionnaire = catalog.questionnaires["DYB_MIGRATION(1.0.0)"]
    for table in questionnaire.tables:
        structure = catalog.structure_of(catalog.dataflow(table.dataflow))
        axes = axes_of(questionnaire, table, structure, catalog)
        components = [axis.axis.component for axis in axes.values()]
        keys = {*components, *table.fixed, questionnaire.area, "TIME_PERIOD"}
        assert set(structure.key_ids) <= keys, table.id
        said = [(axis.axis.component, code) for axis in axes.values() for code in (*axis.axis.codes, *axis.axis.last)]
        for id, code in [*said, *table.fixed.items()]:
            component = structure.component(id)
            assert component is not None, (table.id, id)
            codes = catalog.codes(component)
            assert codes is None or code in codes, (table.id, id, code)


def test_every_component_that_signs_set_is_an_attribute_and_its_codes_are_there(catalog: Catalog) -> None:
    questionnaire = catalog.questionnaires["DYB_MIGRATION(1.0.0)"]
    signs = [one.sets for one in (*questionnaire.symbols, *questionnaire.marks, *questionnaire.units)]
    for table in questionnaire.tables:
        structure = catalog.structure_of(catalog.dataflow(table.dataflow))
        for id, code in [pair for sets in (*signs, questionnaire.default) for pair in sets.items()]:
            component = structure.component(id)
            assert component is not None
            assert code in (catalog.codes(component) or {}), (table.id, id, code)


def test_every_question_with_a_component_fits_some_table(catalog: Catalog) -> None:
    structures = [
        catalog.structure_of(catalog.dataflow(table.dataflow))
        for table in catalog.questionnaires["DYB_MIGRATION(1.0.0)"].tables
    ]
    for question in SPECIFICATION["metadata"]["questions"]:
        if "component" in question:
            assert any(structure.component(question["component"]) for structure in structures), question["id"]
    groups = [
        question["id"] for question in SPECIFICATION["metadata"]["questions"] if question["id"].startswith("group_")
    ]
    assert groups == [f"group_{letter}" for letter in "abcdefghijklmn"]


def _texts(node: Any, path: str) -> list[tuple[str, dict[str, str]]]:
    """Every object of texts by language in the document."""
    if isinstance(node, dict):
        if "en" in node:
            return [(path, node)]
        return [found for name, member in node.items() for found in _texts(member, f"{path}.{name}")]
    if isinstance(node, list):
        return [found for number, member in enumerate(node) for found in _texts(member, f"{path}[{number}]")]
    return []


def test_everything_printed_is_in_four_languages() -> None:
    found = _texts(SPECIFICATION, "")
    assert len(found) > 200
    for path, texts in found:
        assert set(texts) == set(LANGUAGES), path
        assert all(text.strip() for text in texts.values()), path


def test_it_says_on_every_sheet_that_it_is_reconstructed(catalog: Catalog) -> None:
    assert SPECIFICATION["status"] == "reconstructed"
    for language, word in zip(
        LANGUAGES, ("RECONSTRUCTED", "RECONSTITUÉ", "RECONSTRUIDO", "РЕКОНСТРУКЦИЯ"), strict=True
    ):
        book = filling.opened(filling.blank(catalog, "470", language, ["MIG-01", "CEN-2"]))
        for sheet in (book.worksheets[0], book["MIG-01"], book["CEN-2"]):
            assert any(word in str(cell.value) for row in sheet.iter_rows(max_row=6) for cell in row), sheet.title


def test_every_area_with_an_office_has_a_template(catalog: Catalog) -> None:
    questionnaire = catalog.questionnaires["DYB_MIGRATION(1.0.0)"]
    assert all(provider_of(questionnaire, area, catalog) is not None for area in AREAS)
    assert provider_of(questionnaire, "1", catalog) is None


# --- there and back -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("number", range(len(AREAS)), ids=AREAS)
def test_a_filled_template_comes_back_with_exactly_its_figures(number: int, catalog: Catalog) -> None:
    area, chance = AREAS[number], random.Random(number)
    names = list(TABLES)
    for turn, language in enumerate(LANGUAGES):
        first = (number * 4 + turn) % len(names)
        tables = [names[first]] if turn else [names[first], names[(first + 1 + number % 5) % len(names)]]
        book = filling.opened(filling.blank(catalog, area, language, tables))
        filling.add_notes(book)
        expected = [row for table in tables for row in filling.fill(book, table, area, chance, 40)]
        found, report = filling.read_back(filling.saved(book), catalog)
        assert not report.has_errors, [finding.message for finding in report.findings()]
        assert sorted(map(sorted, filling.told(found))) == sorted(map(sorted, expected))
        assert {flow for flow, _, _ in found} == {
            TABLES[table]["dataflow"].split(":")[1].split("(")[0] for table in tables
        }


def test_a_workbook_of_all_tables_comes_back_through_libreoffice(catalog: Catalog, tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice absent: a workbook saved by it is not read back")
    chance, expected = random.Random(7), []
    book = filling.opened(filling.blank(catalog, "250", "fr", ["DYB_MIGRATION"], "2022-2023"))
    filling.add_notes(book)
    for table in TABLES:
        expected += filling.fill(book, table, "250", chance, 30)
    (tmp_path / "rempli.xlsx").write_bytes(filling.saved(book))
    (tmp_path / "out").mkdir()
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = [
        office,
        profile,
        "--headless",
        "--convert-to",
        "xlsx",
        "--outdir",
        str(tmp_path / "out"),
        str(tmp_path / "rempli.xlsx"),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=110)
    found, report = filling.read_back((tmp_path / "out" / "rempli.xlsx").read_bytes(), catalog)
    assert not report.has_errors, [finding.message for finding in report.findings()]
    assert sorted(map(sorted, filling.told(found))) == sorted(map(sorted, expected))


def test_a_cell_is_found_by_what_people_read(catalog: Catalog) -> None:
    """The same, by labels instead of hidden keys: Filipinos who came to Italy in 2022, men."""
    book = filling.opened(filling.blank(catalog, "380", "es", ["MIG-10"], "2022-2023"))
    sheet = book["MIG-10"]
    header = next(row for row in range(1, 12) if sheet.cell(row, 4).value == 2022 or sheet.cell(row, 4).value == "2022")
    column = next(column for column in (4, 5, 6) if sheet.cell(header + 1, column).value == "Hombres")
    row = next(row for row in range(header, 400) if sheet.cell(row, 3).value == "Filipinas")
    assert str(sheet.cell(row, 2).value) == "608"
    sheet.cell(row, column).value = 1234
    found, _ = filling.read_back(filling.saved(book), catalog)
    known = {"CITIZENSHIP": "608", "SEX": "M", "TIME_PERIOD": "2022"}
    assert filling.told(found) == [filling.observation("MIG-10", "380", known, {"OBS_VALUE": "1234"})]
