"""SDMX-CSV in odd clothes: below ``sep=;``, not in UTF-8, in a workbook; and tables of a dataflow's components alone."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from sdmx_service.errors import SdmxError, UnreadableFile
from sdmx_service.model.finding import Finding
from sdmx_service.submission.exports import findings_workbook
from sdmx_service.submission.receipt import load_findings
from tests.harness import House, open_house
from tests.workbooks import MAKERS, Book

CONTENT = Path(__file__).parent.parent / "second_domain" / "content"
FLOW = "v2/data/dataflow/SEA/DF_CATCH/1.0.0"
ROWS = """STRUCTURE;STRUCTURE_ID;ACTION;WEIGHT;FISH;PORT;TIME_PERIOD;FREQ;STATUS;UNIT;GRADE
dataflow;SEA:DF_CATCH(1.0.0);M;16,10;NA;007;2024-01;M;A;kg;G2
dataflow;SEA:DF_CATCH(1.0.0);M;17;COD;007;2024-02;M;E;kg;
"""
SENT = {("007", "NA", "2024-01"): "16.10", ("007", "COD", "2024-02"): "17"}
WRONG = ROWS.replace("17;COD", "17;CROD")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(f"duckdb:///{tmp_path / 'store.duckdb'}", CONTENT) as opened:
        yield opened


def figures(house: House) -> dict[tuple[str, str, str], str]:
    return {(row["PORT"], row["FISH"], row["TIME_PERIOD"]): row["WEIGHT"] for row in house.rows(FLOW)}


def send(house: House, data: str | bytes, name: str = "data.csv", **wish: Any) -> tuple[Any, list[Finding]]:
    receipt, findings = house.send(
        data.encode() if isinstance(data, str) else data, name=name, provider="SEA.HARBOUR", **wish
    )
    return receipt, list(findings)


def cells(text: str) -> list[list[Any]]:
    """The rows as people have them in a workbook: figures are numbers."""
    rows: list[list[Any]] = [[cell or None for cell in line.split(";")] for line in text.splitlines()]
    place = rows[0].index("WEIGHT")
    for row in rows[1:]:
        row[place] = float(row[place].replace(",", "."))
    return rows


def places(findings: list[Finding]) -> list[tuple[Any, ...]]:
    return [(one.code, one.row, one.column, one.value) for one in findings]


# ------------------------------------------------------------------------------------------------------------- texts


@pytest.mark.parametrize("line", ["sep=;\r\n", "SEP=;\n", '"sep=;"\n'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_below_the_line_that_names_the_separator(house: House, line: str, encoding: str) -> None:
    receipt, findings = send(house, (line + ROWS).encode(encoding))
    assert (receipt.status, receipt.file.format, findings) == ("published", "sdmx-csv", [])
    assert figures(house) == SENT
    _, findings = send(house, (line + WRONG).encode(encoding))
    assert [one[1:] for one in places(findings)] == [(4, "FISH", "CROD")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_of_any_kind_is_read_and_needs_no_word(house: House, encoding: str) -> None:
    receipt, findings = send(house, ROWS.replace("\n", "\r\n").encode(encoding))
    assert (receipt.status, findings) == ("published", [])
    assert figures(house) == SENT


REMARKS = {
    "cp1252": "größtenteils gezählt", "cp1250": "Źródło żegluga śródlądowa", "cp1251": "По данным Северного порта",
    "iso8859_1": "capturé à la dérive",
}  # fmt: skip


def remarked(text: str) -> str:
    head, first, second = ROWS.splitlines()
    return f"{head};REMARK\n{first};{text}\n{second};\n"


@pytest.mark.parametrize("encoding", REMARKS)
def test_older_encodings_are_found_out_and_told(house: House, encoding: str) -> None:
    data = remarked(REMARKS[encoding]).encode(encoding)
    receipt, findings = send(house, data)
    assert receipt.status == "published"
    assert figures(house) == SENT
    (one,) = findings
    assert one.code in ("F113", "F114")
    assert any(word in one.message for word in REMARKS[encoding].split()), one.message
    _, findings = send(house, data, encoding=encoding)
    assert findings == []
    remarks = [row["REMARK[en]"] for row in house.rows(FLOW) if row["REMARK[en]"]]
    assert remarks == [f"en:{REMARKS[encoding]}"]


def test_letters_in_utf_8_show_that_another_encoding_is_declared_wrongly(house: House) -> None:
    _, findings = send(house, remarked("größtenteils"), encoding="latin-1")
    assert findings == []
    assert [row["REMARK[en]"] for row in house.rows(FLOW) if row["REMARK[en]"]] == ["en:größtenteils"]


def test_a_damaged_text_in_utf_8_is_not_taken_for_another_encoding(house: House) -> None:
    data = remarked("größtenteils").encode() + b"dataflow;SEA:DF_CATCH(1.0.0);M;1;COD;007;2024-03;M;E;kg;;"
    with pytest.raises(UnreadableFile, match=r"Line 4: byte \d+ of the file, 0xC3, is not UTF-8"):
        send(house, data + "Mär;".encode() + b"\xc3;\n")


def test_bytes_that_a_declared_encoding_does_not_have_are_named(house: House) -> None:
    with pytest.raises(UnreadableFile, match=r"Line 2: byte \d+ of the file is not ascii|is not UTF-8"):
        send(house, remarked("größtenteils").encode("latin-1"), encoding="ascii")
    with pytest.raises(UnreadableFile, match=r"Line 2: byte \d+ of the file is not cp1253"):
        send(house, remarked("gr\xd2\xff").encode("latin-1"), encoding="cp1253")
    with pytest.raises(UnreadableFile, match="There is no encoding 'klingon'"):
        send(house, remarked("größtenteils").encode("latin-1"), encoding="klingon")


# --------------------------------------------------------------------------------------------------------- workbooks


@pytest.mark.parametrize("kind", MAKERS)
def test_pasted_into_a_workbook(house: House, kind: str) -> None:
    rows = [["Catches of the year"], [], *cells(ROWS)]
    receipt, findings = send(house, MAKERS[kind](Book(rows=rows)), f"data.{kind}")
    assert (receipt.status, receipt.file.format, receipt.mapping, findings) == ("published", kind, None, [])
    assert figures(house) == {**SENT, ("007", "NA", "2024-01"): "16.1"}


@pytest.mark.parametrize("kind", MAKERS)
def test_findings_stand_at_the_cells_of_the_sheet(house: House, kind: str) -> None:
    data = MAKERS[kind](Book(rows=cells(WRONG), name="Catches"))
    receipt, findings = send(house, data, f"data.{kind}")
    assert receipt.status == "refused"
    assert [(*place[1:], one.sheet) for place, one in zip(places(findings), findings, strict=True)] == [
        (3, "E", "CROD", "Catches")
    ]
    groups = load_findings(house.library.store, receipt.id)
    if kind == "xlsx":
        marked = openpyxl.load_workbook(io.BytesIO(b"".join(findings_workbook(groups, receipt.file, io.BytesIO(data)))))
        assert "CROD" in marked["Catches"]["E3"].comment.text


def test_a_figure_that_is_a_text_is_not_guessed(house: House) -> None:
    rows = cells(ROWS)
    rows[1][3] = "1,234"
    receipt, findings = send(house, MAKERS["xlsx"](Book(rows=rows)), "data.xlsx")
    assert (receipt.status, [one[1:] for one in places(findings)]) == ("refused", [(2, "D", "1,234")])


@pytest.mark.parametrize("kind", MAKERS)
def test_version_1_0_in_a_workbook(house: House, kind: str) -> None:
    rows = [
        ["DATAFLOW", *row[3:]] if number == 0 else ["SEA:DF_CATCH(1.0.0)", *row[3:]]
        for number, row in enumerate(cells(ROWS))
    ]
    receipt, findings = send(house, MAKERS[kind](Book(rows=rows)), f"data.{kind}")
    assert (receipt.status, findings) == ("published", [])
    assert set(figures(house)) == set(SENT)
    rows[0][1], rows[2][1] = "OBS_VALUE", "many"
    _, findings = send(house, MAKERS[kind](Book(rows=rows)), f"data.{kind}")
    assert [one[1:] for one in places(findings)] == [(3, "B", "many")]


def test_what_is_hidden_is_told(house: House) -> None:
    data = MAKERS["xlsx"](Book(rows=cells(ROWS), hidden_rows=[2], hidden_columns=[4]))
    _, findings = send(house, data, "data.xlsx")
    assert {(one.code, one.row, one.column) for one in findings} == {("F112", 3, None), ("F112", None, "E")}
    assert set(figures(house)) == set(SENT)


@pytest.mark.parametrize("labels", ["name", "id", "both"])
def test_our_own_workbook_comes_back(house: House, labels: str) -> None:
    send(house, ROWS)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    body = house.body(FLOW, f"{kind};labels={labels}")
    book = openpyxl.load_workbook(io.BytesIO(body))
    column = [str(cell.value)[:6] for cell in book["data"][1]].index("WEIGHT") + 1
    before = book["data"].cell(2, column).value
    book["data"].cell(2, column).value = 99.5
    out = io.BytesIO()
    book.save(out)
    receipt, findings = send(house, out.getvalue(), "back.xlsx", dataflow="DF_CATCH")
    assert (receipt.status, [one for one in findings if one.code != "F210"]) == ("published", [])
    expected = sorted(99.5 if float(one) == before else float(one) for one in SENT.values())
    assert sorted(map(float, figures(house).values())) == expected


@pytest.mark.parametrize(
    ("book", "words"),
    [
        (
            Book(rows=[[line] for line in ROWS.splitlines()]),
            "Sheet 'Sheet', row 1: the columns of SDMX-CSV stand in one cell",
        ),
        (
            Book(rows=[["sep=;"], *([line] for line in ROWS.splitlines())]),
            "row 2: the columns of SDMX-CSV stand in one cell",
        ),
        (Book(rows=cells(ROWS), merged=[(1, 6, 2, 6)]), "cells are merged in rows 2 to 3, column 7"),
        (Book(rows=[*cells(ROWS), [None, None, "M", 1.5]]), "Row 4, column STRUCTURE: the cell is empty"),
    ],
)
def test_what_is_nearly_a_message_in_a_workbook_is_told_what_lacks(house: House, book: Book, words: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        send(house, MAKERS["xlsx"](book), "data.xlsx")
    assert words in str(caught.value)
    assert caught.value.hint


# --------------------------------------------------------------------------------------------------- components alone

BARE = "\n".join(line.split(";", 3)[-1] for line in ROWS.splitlines()) + "\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_columns_of_components_alone_are_data_of_the_dataflow_that_is_said(
    house: House, encoding: str, mark: str
) -> None:
    data = BARE if mark == ";" else BARE.replace("16,10", "16.10").replace(";", mark)
    receipt, findings = send(house, data.encode(encoding), dataflow="DF_CATCH")
    assert (receipt.status, receipt.mapping, findings) == ("published", None, [])
    assert figures(house) == SENT
    _, findings = send(house, data.replace("COD", "CROD").encode(encoding), dataflow="DF_CATCH")
    assert [one[1:] for one in places(findings)] == [(3, "FISH", "CROD")]


def test_components_alone_may_have_an_action(house: House) -> None:
    send(house, BARE, dataflow="DF_CATCH")
    head, _, second = BARE.splitlines()
    _, findings = send(house, f"ACTION;{head}\nD;{second.replace('kg', '')}\n", dataflow="SEA:DF_CATCH(1.0.0)")
    assert findings == []
    assert figures(house) == {("007", "NA", "2024-01"): "16.10"}


@pytest.mark.parametrize("kind", MAKERS)
def test_components_alone_in_a_workbook(house: House, kind: str) -> None:
    rows = cells(BARE)
    receipt, findings = send(house, MAKERS[kind](Book(rows=rows)), f"data.{kind}", dataflow="DF_CATCH")
    assert (receipt.status, findings) == ("published", [])
    assert set(figures(house)) == set(SENT)
    _, findings = send(
        house, MAKERS[kind](Book(rows=cells(BARE.replace("COD", "CROD")))), f"data.{kind}", dataflow="DF_CATCH"
    )
    assert [one[1:] for one in places(findings)] == [(3, "B", "CROD")]


def test_a_short_row_is_not_filled_up(house: House) -> None:
    with pytest.raises(UnreadableFile, match="Row 4 has 3 cells where the heading has 8 columns"):
        send(house, BARE + "17;COD;007\n", dataflow="DF_CATCH")


@pytest.mark.parametrize(
    ("data", "wish", "words"),
    [
        (BARE, {}, "Its columns are components of SEA:DF_CATCH(1.0.0): say the dataflow"),
        (BARE.replace("FISH", "SPECIES"), {"dataflow": "DF_CATCH"},
         "It nearly is data of DF_CATCH: it has no column FISH, and SPECIES is no component."),
        (BARE.replace("STATUS;UNIT", "State;Unit"), {"dataflow": "DF_CATCH"}, "of DF_CATCH: State, Unit are no components."),
    ],
)  # fmt: skip
def test_what_is_nearly_data_is_told_what_lacks(house: House, data: str, wish: dict[str, str], words: str) -> None:
    with pytest.raises(SdmxError) as caught:
        send(house, data, **wish)
    assert (caught.value.code, words in caught.value.hint) == ("E301", True), caught.value.hint


def test_a_table_of_something_else_is_told_what_it_was(house: House) -> None:
    with pytest.raises(SdmxError) as caught:
        send(house, "a;b\n1;2\n", dataflow="DF_CATCH")
    assert "nearly" not in caught.value.hint
    assert "HARBOUR_BOOK" in caught.value.hint
