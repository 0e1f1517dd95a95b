"""Findings as people take them along: the list as CSV, a page, and the sender's own table with its cells marked."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from lxml import html
from openpyxl.styles import Font

from sdmx_service.cli import main
from sdmx_service.model.finding import Finding
from sdmx_service.submission.exports import FINDING_COLUMNS, findings_csv, findings_html, findings_workbook
from sdmx_service.submission.receipt import load_findings
from sdmx_service.submission.submit import kept_file
from tests.harness import House
from tests.rest.fishery import open_fishery

HEAD = "STRUCTURE,STRUCTURE_ID,FREQ,PORT,FISH,TIME_PERIOD,WEIGHT,STATUS\n"
LINE = "dataflow,SEA:DF_CATCH(1.1.0),M,{port},COD,2024-01,{weight},A\n"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with open_fishery(tmp_path_factory.mktemp("exports") / "house") as opened:
        yield opened


def refused(house: House, *lines: str) -> tuple[str, list[Finding]]:
    body = (HEAD + "".join(lines)).encode()
    receipt, found = house.send(body, name="catch.csv", publish=False, provider="SEA.HARBOUR")
    assert receipt.status == "refused"
    return receipt.id, found


def workbook(house: House, submission: str) -> openpyxl.Workbook:
    store = house.library.store
    groups = load_findings(store, submission)
    from sdmx_service.submission.receipt import load_receipt

    with kept_file(store, submission) as file:
        body = b"".join(findings_workbook(groups, load_receipt(store, submission).file, file))
    return openpyxl.load_workbook(io.BytesIO(body))


def test_the_file_is_kept_as_it_was_sent(house: House) -> None:
    body = (HEAD + LINE.format(port="=1+1", weight="1")).encode()
    submission, _ = refused(house, LINE.format(port="=1+1", weight="1"))
    with kept_file(house.library.store, submission) as file:
        assert file is not None
        assert file.read() == body
    with kept_file(house.library.store, "none") as file:
        assert file is None


def test_the_cell_is_marked_with_colour_and_words(house: House) -> None:
    submission, found = refused(house, LINE.format(port="NOR", weight="1"), LINE.format(port="NRO", weight="x"))
    book = workbook(house, submission)
    data = book["Data"]
    marked = {cell.coordinate: cell.comment.text for row in data.iter_rows() for cell in row if cell.comment}
    header = [cell.value for cell in data[1]]
    assert {(one.column, one.row) for one in found} == {("PORT", 3), ("WEIGHT", 3), ("UNIT", 3)}
    assert header[3:7:3] == ["PORT", "WEIGHT"]
    assert set(marked) == {"D3", "G3", "A3"}  # UNIT has no column: the row's first cell
    port = next(one for one in found if one.value == "NRO")
    assert port.message in marked["D3"]
    assert "Nearest: NOR" in marked["D3"]
    assert data["D3"].fill.start_color.rgb.endswith("F4B6B6")
    assert data["A1"].value == "STRUCTURE"


def test_the_list_has_every_finding(house: House) -> None:
    submission, found = refused(house, *(LINE.format(port=f"P{n}", weight="1") for n in range(30)))
    rows = list(workbook(house, submission)["Findings"].values)
    assert rows[0] == FINDING_COLUMNS
    assert [row[FINDING_COLUMNS.index("value")] for row in rows[1:]] == [one.value for one in found]
    body = findings_csv(load_findings(house.library.store, submission)).decode()
    assert len(list(csv.DictReader(io.StringIO(body)))) == len(found)


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-2+3", "@SUM(A1)", "\x0b=1"])
def test_what_begins_like_a_formula_is_text(house: House, text: str) -> None:
    submission, _ = refused(house, LINE.format(port=f'"{text}"', weight="1"))
    book = workbook(house, submission)
    for page in book.worksheets:
        for row in page.iter_rows():
            assert not any(cell.data_type == "f" for cell in row)
    listed = [row[FINDING_COLUMNS.index("value")] for row in book["Findings"].values]
    assert text.replace("\x0b", "\N{REPLACEMENT CHARACTER}") in listed
    for row in csv.reader(io.StringIO(findings_csv(load_findings(house.library.store, submission)).decode())):
        assert not any(value[:1] in tuple("=+-@\t\r") for value in row)


def test_the_page_is_whole_and_escapes(house: House) -> None:
    submission, found = refused(house, *(LINE.format(port="<b>&", weight="1") for _ in range(3)))
    from sdmx_service.submission.receipt import load_receipt

    store = house.library.store
    page = findings_html(load_receipt(store, submission), load_findings(store, submission)).decode()
    assert "<b>" not in page
    assert "&lt;b&gt;&amp;" in page
    tree = html.document_fromstring(page)
    assert len(tree.xpath("//tbody/tr")) == len(found)
    assert not tree.xpath("//script|//link|//*[@style]|//*[@src]")
    assert "catch.csv: refused" in tree.findtext(".//h1")


def test_the_senders_own_workbook_keeps_its_looks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A questionnaire-like sheet of the shipped content, with one code that nobody knows."""
    book = openpyxl.Workbook()
    page = book.active
    page.title = "Sent"
    for row in csv.reader(
        io.StringIO((Path(__file__).parents[2] / "demo" / "malta_demographic_balance.csv").read_text())
    ):
        page.append(row)
    page["A1"].font = Font(bold=True)
    page.merge_cells("A200:B201")
    page["B5"] = "not a number"
    path = tmp_path / "sent.xlsx"
    book.save(path)
    output = tmp_path / "marked.xlsx"
    status = main(["check", str(path), "--data", str(tmp_path / "none"), "--format", "xlsx", "-o", str(output)])
    assert status in (1, 2), capsys.readouterr()
    if status == 1:
        marked = openpyxl.load_workbook(output)
        assert marked.sheetnames == ["Sent", "Findings"]
        assert marked["Sent"]["A1"].font.bold
        assert marked["Sent"].merged_cells.ranges
        assert any(cell.comment for row in marked["Sent"].iter_rows() for cell in row)


def test_a_workbook_cannot_be_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n")
    assert main(["check", str(path), "--data", str(tmp_path / "none"), "--format", "xlsx"]) == 2
    assert "-o FILE.xlsx" in capsys.readouterr().err
    assert main(["check", str(path), str(path), "--data", str(tmp_path / "none"), "-o", "x"]) == 2
    assert "one by one" in capsys.readouterr().err
