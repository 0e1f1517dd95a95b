"""Mappings as workbooks, both ways: exact, and bad sheets are findings at their cells."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from sdmx_service.auth import OPERATOR, Principal
from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.loading import Content, as_stored, deserialise, load_folder, serialise
from sdmx_service.cli import main
from sdmx_service.errors import NotAllowed, NotFound, SdmxError
from sdmx_service.formats.registry import named, write_text_sheets
from sdmx_service.model.artefact import Annotation, Texts
from sdmx_service.model.finding import Finding
from sdmx_service.model.mapping import (
    ComponentMap,
    FixedValue,
    FrequencyFormat,
    MappedValue,
    MappingRow,
    RepresentationMap,
    StructureMap,
    TimePatternMap,
)
from sdmx_service.model.message import Tables
from sdmx_service.model.urn import Ref
from sdmx_service.rest.map_travel import Imported, export_mapping, import_mapping
from sdmx_service.submission import map_cells as cells
from sdmx_service.submission import map_reading
from sdmx_service.submission.decisions import decide, decisions
from sdmx_service.submission.map_reading import read_mapping
from sdmx_service.submission.map_sheets import Travelling, sheets_of, travelling
from sdmx_service.submission.report import Report
from tests.harness import ROOT, House, open_house

CONTENT = Path(__file__).parents[1] / "second_domain" / "content"
BOOK = b"Port;Month;cod;eel;nameless;all\nNorthport;2024-01;5;0;0;5\nNorhtport;2024-02;6;0;0;6\n"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["", " ", "=1+1", '"', "[", "_x0041_", "a\r\nb", "\t", "007", "1.0", "TRUE", "\ufffe", "\x01", "{", "'x", "\u2028"]
)


def written(found: Travelling, catalog: Catalog, language: str = "en") -> bytes:
    return b"".join(write_text_sheets(sheets_of(found, catalog, language)))


def read_back(body: bytes, catalog: Catalog) -> tuple[Travelling | None, list[Finding]]:
    read = named("xlsx").read
    assert read is not None
    tables = read(io.BytesIO(body), lambda ref: None)  # type: ignore[arg-type,return-value]
    assert isinstance(tables, Tables)
    report = Report()
    return read_mapping(tables, catalog, report), list(report.findings())


# --- exact -----------------------------------------------------------------------------------------------------------


@given(TEXT)
def test_a_text_comes_back_from_its_cell(text: str) -> None:
    cell = cells.written(text)
    assert cells.read(cell) == text
    assert cells.read_list(cells.written_list([text])) == [text]
    assert cells.read_list(cells.written_list([text, text])) == [text, text]
    assert not any(ord(sign) < 32 or sign in "\ufffe\uffff" for sign in cell)


VALUES = st.one_of(
    st.builds(MappedValue, value=TEXT),
    st.builds(MappedValue, value=st.sampled_from(["[A-C]+", "^x", "(a)|(b)", ".*"]), is_regex=st.just(True)),
    st.builds(MappedValue, value=TEXT, start_index=st.integers(1, 9), end_index=st.none() | st.integers(9, 20)),
)
NOTES = st.builds(
    Annotation, type=st.just("NOTE"), title=st.sampled_from(["a", "b"]), texts=st.just(Texts({"en": "=x"}))
)
PERIODS = st.none() | st.sampled_from(["2001", "2004-Q2", "2010-05", "2011-01-31"])


@st.composite
def maps(draw: st.DrawFn) -> RepresentationMap:
    sources, targets = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    rows: list[MappingRow] = []
    for number in range(draw(st.integers(0, 5))):
        values = tuple(draw(VALUES) for _ in range(sources))
        if not values[0].is_regex:
            values = (replace(values[0], value=f"{number}{values[0].value}"), *values[1:])
        gives = tuple(draw(TEXT.filter(lambda text: "\\" not in text)) for _ in range(targets))
        notes = tuple(draw(st.lists(NOTES, max_size=1)))
        start, end = draw(PERIODS), draw(PERIODS)
        rows.append(MappingRow(sources=values, targets=gives, valid_from=start, valid_to=end, annotations=notes))
    return RepresentationMap(
        agency="TEST",
        id=draw(st.sampled_from(["RM", "RM_WITH_A_NAME_THAT_IS_LONGER_THAN_A_SHEET_MAY_BE", "MAPPING"])),
        version=draw(st.sampled_from(["1.0.0", "1.0", "2.1.3-draft"])),
        names=Texts({"en": "A map", "fr": draw(TEXT.filter(str.strip)) or "x"}),
        sources=("String",) * sources,
        targets=("Integer",) * targets,
        rows=tuple(rows),
        annotations=tuple(draw(st.lists(NOTES, max_size=2))),
    )


@settings(max_examples=40)
@given(maps())
def test_any_map_comes_back_as_it_was(made: RepresentationMap) -> None:
    (kept,) = deserialise(serialise(Content(artefacts=[made]))).artefacts
    assert isinstance(kept, RepresentationMap)
    body = written(Travelling(layout=None, representation_maps=(kept,)), Catalog.of(()))
    found, findings = read_back(body, Catalog.of(()))
    assert found is not None, findings
    assert found.representation_maps == (kept,)


def test_every_mapping_of_this_repository_comes_back_as_it_was() -> None:
    catalog = load_folder(ROOT).catalog()
    assert len(catalog.layouts) > 30
    for id in catalog.layouts:
        sent = travelling(id, catalog)
        found, findings = read_back(written(sent, catalog, "fr"), catalog)
        assert found is not None, (id, findings)
        assert found.layout is not None and sent.layout is not None
        assert found.layout.document == sent.layout.document
        assert found.artefacts == tuple(map(as_stored, sent.artefacts))


def test_times_fixed_values_and_annotations_come_back_as_they_were() -> None:
    formats = (FrequencyFormat(id="m", frequency_id="M", date_pattern="yyyy'M'nn"),)
    made = StructureMap(
        agency="TEST",
        id="SM",
        version="1.0.0",
        names=Texts({"en": "Times", "ru": "Времена"}),
        source=Ref(type="DataStructure", agency="TEST", id="SRC", version="1.0.0"),
        target=Ref(type="Dataflow", agency="TEST", id="DF", version="1.0.0"),
        components=(
            ComponentMap(sources=("a", "b"), targets=("X",), representation_map=Ref(
                type="RepresentationMap", agency="TEST", id="RM", version="1.0+.0")),
            ComponentMap(sources=("c",), targets=("Y",), annotations=(Annotation(type="NOTE", title="=1"),)),
        ),
        fixed=(
            FixedValue(component="FREQ", values=("A",)),
            FixedValue(component="TAGS", values=("p", "[q]", "")),
            FixedValue(component="SERIES", values=("\"quoted\"",), role="source"),
        ),
        times=(
            TimePatternMap(id="d", sources=("t",), target="TIME_PERIOD", pattern="dd/MM/yyyy", locale="fr-FR",
                           frequency_dimension="FREQ", mapped_frequencies=("m",), resolve="midPeriod"),
            TimePatternMap(id="e", sources=("n",), target="OTHER", kind="epoch", pattern="millisecond",
                           base_period="1970", frequency_id="D"),
        ),
        frequency_formats=formats,
    )  # fmt: skip
    (kept,) = deserialise(serialise(Content(artefacts=[made]))).artefacts
    assert isinstance(kept, StructureMap) and len(kept.times) == 2
    catalog = Catalog.of([kept])
    body = written(Travelling(layout=None, structure_maps=(kept,)), catalog)
    read = named("xlsx").read
    assert read is not None
    tables = read(io.BytesIO(body), lambda ref: None)  # type: ignore[arg-type,return-value]
    assert isinstance(tables, Tables)
    report = Report()
    with pytest.MonkeyPatch.context() as patch:  # what the map is about is not here
        patch.setattr(map_reading, "_check_whole", lambda *_: None)
        found = read_mapping(tables, catalog, report)
    assert found is not None, list(report.findings())
    assert found.structure_maps == (kept,)


# --- sheets for people -----------------------------------------------------------------------------------------------


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(f"duckdb:///{tmp_path / 'store.duckdb'}", CONTENT) as opened:
        yield opened


def export(house: House, name: str = "HARBOUR_BOOK", **more: Any) -> bytes:
    return b"".join(export_mapping(house.library, name, "xlsx", **more))


def edited(body: bytes, *edits: tuple[str, str, object]) -> bytes:
    """The workbook with some cells (sheet, address) changed."""
    book = load_workbook(io.BytesIO(body))
    for sheet, cell, value in edits:
        book[sheet][cell] = value
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def take(house: House, body: bytes, principal: Principal = OPERATOR) -> Imported:
    return import_mapping(io.BytesIO(body), "book.xlsx", house.library, principal)


def test_names_stand_beside_codes_and_every_cell_is_text(house: House) -> None:
    book = load_workbook(io.BytesIO(export(house, language="fr")))
    assert book.sheetnames == ["Mapping", "Layout", "Artefacts", "Components", "Maps", "RM_PORT", "RM_FISH"]
    sheet = book["RM_PORT"]
    assert [cell.value for cell in sheet[1]] == [
        "source 1", "kind 1", "target 1", "target 1 name (fr)", "valid from", "valid to", "decided", "annotations",
    ]  # fmt: skip
    assert sheet["C4"].value == "007" and sheet["C4"].number_format == "@"
    assert sheet["C1"].comment is not None and "CL_PORT" in sheet["C1"].comment.text


def test_what_nobody_touched_changes_nothing(house: House) -> None:
    before = house.library.store.artefacts()
    found = take(house, export(house))
    assert {one.done for one in found.adopted} == {"unchanged"}
    assert house.library.store.artefacts() == before


def test_a_changed_map_is_a_new_version_and_the_mapping_follows(house: House) -> None:
    body = edited(export(house), ("RM_PORT", "A5", "Norhtport"), ("RM_PORT", "C5", "NOR"))
    found = take(house, body)
    assert [(one.subject, one.done) for one in found.adopted] == [
        ("RepresentationMap SEA:RM_PORT(1.1.0)", "new version"),
        ("RepresentationMap SEA:RM_FISH(1.0.0)", "unchanged"),
        ("StructureMap SEA:SM_HARBOUR_BOOK(1.1.0)", "new version"),
        ("mapping HARBOUR_BOOK", "replaced"),
    ]
    receipt, findings = house.send(BOOK, name="book.csv")
    assert receipt.status == "published", findings
    catalog = house.library.view().catalog
    assert {one.version for one in catalog.of_type("RepresentationMap") if one.id == "RM_PORT"} == {"1.0.0", "1.1.0"}
    assert catalog.layouts["HARBOUR_BOOK"].document["version"] == "1.1.0"
    assert {one.done for one in take(house, export(house)).adopted} == {"unchanged"}


def test_a_decision_travels_into_the_next_version(house: House) -> None:
    decide(house.library, OPERATOR, map="RM_PORT", value="Norhtport", code="NOR", comment="misprint")
    assert {one.done for one in take(house, export(house, decisions=False)).adopted} == {"unchanged"}
    body = export(house)
    decided = [cell.value for cell in load_workbook(io.BytesIO(body))["RM_PORT"]["G"]][-1]
    assert str(decided).startswith("operator, 20")
    take(house, body)
    port = house.library.view().catalog.named("RM_PORT", "RepresentationMap")
    assert isinstance(port, RepresentationMap) and port.version == "1.1.0"
    assert [one.texts.text() for one in port.rows[-1].annotations if one.type == "DECISION"] == ["misprint"]
    assert decisions(house.library.store, map="SEA:RM_PORT(1.1.0)") == []
    receipt, findings = house.send(BOOK, name="book.csv")
    assert receipt.status == "published", findings


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_decision_is_in_the_exported_artefact(house: House, form: str) -> None:
    decide(house.library, OPERATOR, map="RM_PORT", value="Norhtport", code="NOR")
    body = b"".join(export_mapping(house.library, "HARBOUR_BOOK", form))
    assert b"Norhtport" in body and b"DECISION" in body
    assert b"Norhtport" not in b"".join(export_mapping(house.library, "RM_PORT", form, decisions=False))


def test_a_map_alone_and_what_is_none(house: House) -> None:
    found, _ = read_back(export(house, "RM_PORT"), house.library.view().catalog)
    assert found is not None and found.layout is None
    assert [one.id for one in found.artefacts] == ["RM_PORT"]
    assert len(travelling("SM_HARBOUR_BOOK", house.library.view().catalog).artefacts) == 3
    with pytest.raises(NotFound, match="HARBOUR_BOOK"):
        export(house, "NONE")
    with pytest.raises(NotAllowed):
        take(house, export(house), Principal(id="x", role="provider", provider="SEA.HARBOUR"))


@pytest.mark.parametrize(
    ("edits", "place", "said", "suggestion"),
    [
        ([("RM_PORT", "C2", "NRO")], ("RM_PORT", 2, "C"), "no code of", "NOR"),
        ([("RM_PORT", "B3", "wild")], ("RM_PORT", 3, "B"), "none of value, regex, any", None),
        ([("RM_PORT", "B3", "regex"), ("RM_PORT", "A3", "(")], ("RM_PORT", 3, "A"), "no regular expression", None),
        ([("RM_PORT", "B3", "regex"), ("RM_PORT", "C3", "\\4")], ("RM_PORT", 3, "A"), "names group 4", None),
        ([("RM_PORT", "B3", "any")], ("RM_PORT", 3, "B"), "needs from or to", None),
        ([("RM_PORT", "E2", "soon")], ("RM_PORT", 2, "E"), "cannot be read", None),
        ([("RM_PORT", "H2", "{")], ("RM_PORT", 2, "H"), "cannot be read", None),
        ([("RM_PORT", "A3", '"no end')], ("RM_PORT", 3, "A"), "cannot be read", None),
        ([("RM_PORT", "A1", "name")], ("RM_PORT", 1, "A"), "'name' is not known", None),
        ([("RM_PORT", "H1", "valid to")], ("RM_PORT", 1, "H"), "there twice", None),
        ([("Components", "D2", "HARBOUR")], ("Components", None, None), "'HARBOUR' is no component", None),
        ([("Components", "B2", "guess")], ("Components", 2, "B"), "none of copy, map, fixed", None),
        ([("Components", "A2", "SEA:SM_NONE(1.0.0)")], ("Components", 2, "A"), "no such structure map", None),
        ([("Components", "E2", "RM")], ("Components", 2, "E"), "AGENCY:ID(VERSION)", None),
        ([("Maps", "A2", "RM_NONE")], ("Maps", 2, "A"), "no such sheet", None),
        ([("Maps", "B2", "SEA:RM_NONE(1.0.0)")], ("Maps", 2, "B"), "no such representation map", None),
        ([("Artefacts", "A2", "Codelist X:Y(1.0)")], ("Artefacts", 2, "A"), "StructureMap or", None),
        ([("Artefacts", "D2", "colour")], ("Artefacts", 2, "D"), "none of text, number", None),
        ([("Layout", "A3", "/versoin")], ("Layout", None, None), "Layout.version: a text is needed", None),
        ([("Mapping", "B2", "other")], ("Mapping", None, None), "says format", None),
    ],
)  # fmt: skip
def test_bad_sheets_are_findings_at_their_cells(
    house: House,
    edits: list[tuple[str, str, object]],
    place: tuple[str, int | None, str | None],
    said: str,
    suggestion: str | None,
) -> None:
    before = house.library.store.artefacts()
    found = take(house, edited(export(house), *edits))
    assert found.is_refused
    findings = [one for group in found.groups for one in group.findings()]
    fitting = [one for one in findings if said in one.message]
    assert fitting, [one.message for one in findings]
    assert (fitting[0].sheet, fitting[0].row, fitting[0].column) == place
    assert fitting[0].suggestion == suggestion
    assert house.library.store.artefacts() == before


def test_rows_that_contradict_each_other_are_named(house: House) -> None:
    map_of_attribute = edited(
        export(house),
        ("RM_PORT", "A5", "Northport"), ("RM_PORT", "C5", "SOU"),
        ("Components", "D2", "STATUS"), ("Components", "D6", "PORT"),
    )  # fmt: skip
    (finding,) = [one for group in take(house, map_of_attribute).groups for one in group.findings()]
    assert (finding.sheet, finding.row) == ("RM_PORT", 5)
    assert "contradicts row 2" in finding.message


def test_columns_in_any_order_rows_left_blank_and_notes_of_ones_own(house: House) -> None:
    book = load_workbook(io.BytesIO(export(house)))
    sheet = book["RM_PORT"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    book.remove(sheet)
    turned = book.create_sheet("RM_PORT")
    for number, row in enumerate(rows):
        turned.append([*reversed(row), "# mine" if number == 0 else f"note {number}"])
        turned.append([])
    target = io.BytesIO()
    book.save(target)
    assert {one.done for one in take(house, target.getvalue()).adopted} == {"unchanged"}


@settings(max_examples=40)
@given(st.binary(max_size=40), st.lists(st.tuples(st.sampled_from("ABCDEFGH"), st.integers(1, 5), TEXT), max_size=4))
def test_anything_else_is_a_finding_or_a_clear_error(body: bytes, edits: list[tuple[str, int, str]]) -> None:
    catalog = load_second()
    with pytest.raises(SdmxError):
        read_back(body, catalog)
    sheets = sheets_of(travelling("HARBOUR_BOOK", catalog), catalog)
    spoiled = []
    for sheet in sheets:
        rows = [list(row) for row in (sheet.header, *sheet.rows)]
        for letter, row, text in edits:
            column = ord(letter) - ord("A")
            if row <= len(rows) and column < len(rows[row - 1]):
                rows[row - 1][column] = cells.written(text)
        header, *rest = rows
        spoiled.append(replace(sheet, header=tuple(one or "" for one in header), rows=tuple(map(tuple, rest))))
    found, findings = read_back(b"".join(write_text_sheets(spoiled)), catalog)
    assert found is not None or findings


def load_second() -> Catalog:
    if not _SECOND:
        _SECOND.append(load_folder(CONTENT).catalog())
    return _SECOND[0]


_SECOND: list[Catalog] = []


# --- commands --------------------------------------------------------------------------------------------------------


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path / "data")]
    assert main(["init", *data, "--content", str(CONTENT)]) == 0
    capsys.readouterr()
    assert main(["map", "list", *data]) == 0
    assert capsys.readouterr().out == "HARBOUR_BOOK  1.0.0  SEA:SM_HARBOUR_BOOK(1.0.0)\n"
    book = tmp_path / "book.xlsx"
    assert main(["map", "export", "HARBOUR_BOOK", "-o", str(book), *data]) == 0
    assert main(["map", "import", str(book), *data]) == 0
    assert "mapping HARBOUR_BOOK: unchanged" in capsys.readouterr().out
    book.write_bytes(edited(book.read_bytes(), ("RM_PORT", "C2", "NRO")))
    assert main(["map", "import", str(book), *data]) == 1
    assert "error F171 sheet RM_PORT row 2 column C: 'NRO': it is no code of" in capsys.readouterr().out
    book.write_bytes(b"no workbook")
    assert main(["map", "import", str(book), *data]) == 2
    assert main(["map", "import", str(tmp_path / "none.xlsx"), *data]) == 2
    assert main(["map", "export", "HARBOUR_BOOK", "-o", str(tmp_path / "book.txt"), *data]) == 2
    with pytest.raises(SystemExit):
        main(["map", "export", *data, "HARBOUR_BOOK"])  # where to is not said
    assert main(["map", *data, "export", "HARBOUR_BOOK", "-o", str(book)]) == 0
    assert main(["map", "export", *data, "RM_PORT", "-o", str(book)]) == 0
