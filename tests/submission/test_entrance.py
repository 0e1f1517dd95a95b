"""What comes in by each door: the same figures whatever the format, and findings where something was not as it seems."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sdmx_service.errors import UnreadableFile
from sdmx_service.submission.exports import findings_workbook
from sdmx_service.submission.reading import Wish
from sdmx_service.submission.receipt import load_findings
from sdmx_service.submission.submit import SentFile, check
from tests.harness import GENERIC, JSON, STRUCTURE_SPECIFIC, XML, House, open_house
from tests.workbooks import MAKERS, Book

CONTENT = Path(__file__).parent.parent / "second_domain" / "content"
FLOW = "v2/data/dataflow/SEA/DF_CATCH/1.0.0"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(f"duckdb:///{tmp_path / 'store.duckdb'}", CONTENT) as opened:
        yield opened


def figures(house: House) -> dict[tuple[str, str, str], str]:
    return {(row["PORT"], row["FISH"], row["TIME_PERIOD"]): row["WEIGHT"] for row in house.rows(FLOW)}


COMPACT = """<?xml version="1.0" encoding="UTF-8"?>
<CompactData xmlns="http://www.SDMX.org/resources/SDMXML/schemas/v2_0/message" xmlns:c="{space}">
<Header><ID>T</ID><Test>false</Test><Prepared>2014-06-05</Prepared><Sender id="SEA"/>{header}</Header>
<c:DataSet action="Append" {said}><c:Series FREQ="M" PORT="SOU" FISH="COD" UNIT="kg">
<c:Obs TIME_PERIOD="2024-01" WEIGHT="16.10" STATUS="A"/><c:Obs TIME_PERIOD="2024-02" WEIGHT="17" STATUS="A"/></c:Series>
</c:DataSet></CompactData>"""
FAMILY = "urn:sdmx:org.sdmx.infomodel.keyfamily.KeyFamily=SEA:DSD_CATCH:compact"


@pytest.mark.parametrize(
    ("space", "header", "said", "dataflow"),
    [
        (FAMILY, "", "", None),
        ("urn:x", "<KeyFamilyRef>DSD_CATCH</KeyFamilyRef><KeyFamilyAgency>SEA</KeyFamilyAgency>", "", None),
        ("urn:x", "", 'dataflowAgencyID="SEA" dataflowID="DF_CATCH"', None),
        ("urn:x", "", "", "SEA:DF_CATCH"),
    ],
)
def test_sdmx_ml_2_0(house: House, space: str, header: str, said: str, dataflow: str | None) -> None:
    wish = {} if dataflow is None else {"dataflow": dataflow}
    message = COMPACT.format(space=space, header=header, said=said).encode()
    receipt, findings = house.send(message, name="old.xml", provider="SEA.HARBOUR", **wish)
    assert (receipt.status, findings) == ("published", [])
    assert figures(house) == {("SOU", "COD", "2024-01"): "16.10", ("SOU", "COD", "2024-02"): "17"}


def test_sdmx_ml_2_0_whose_codes_are_wrong_names_the_line(house: House) -> None:
    message = COMPACT.format(space=FAMILY, header="", said="").replace("2024-02", "2024-13").encode()
    _, findings = house.send(message, name="old.xml", provider="SEA.HARBOUR")
    assert [(one.code, one.row, one.column, one.value) for one in findings] == [("F403", 5, "TIME_PERIOD", "2024-13")]


# ------------------------------------------------------------------------------------------------------- workbooks

MARKET: dict[str, Any] = {
    "id": "MARKET_BOOK",
    "version": "1.0.0",
    "names": {"en": "Market book"},
    "provider": "SEA:DATA_PROVIDERS(1.0).HARBOUR",
    "signature": {"formats": ["xlsx"], "headers": ["Harbour", "Month"]},
    "tables": [
        {
            "header": {"find": ["Harbour", "Month"], "rows": 2},
            "columns": {"port": "Harbour", "month": "Month"},
            "clean": {"columns": ["port"], "strip": ["footnote_marks", "spaces"]},
            "fill_down": ["port"],
            "unpivot": {
                "value": "weight",
                "columns": [
                    {"column": "Catch | Cod", "set": {"fish": "cod"}},
                    {"column": "Catch | Nameless", "set": {"fish": "nameless"}},
                ],
            },
            "fixed": {"status": "A"},
            "number": {"columns": ["weight"], "grouping": [" ", ","]},
            "map": "SEA:SM_HARBOUR_BOOK(1.0.0)",
        }
    ],
}


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house that also knows a layout with headers of two rows."""
    content = tmp_path_factory.mktemp("market") / "content"
    shutil.copytree(CONTENT, content)
    (content / "mappings" / "MARKET_BOOK").mkdir()
    (content / "mappings" / "MARKET_BOOK" / "layout.json").write_text(json.dumps(MARKET))
    with open_house(f"duckdb:///{content.parent / 'store.duckdb'}", content) as opened:
        yield opened


def book(**more: Any) -> Book:
    """Everything that people do to a table: merged headers, footnotes at labels, all sorts of thousands marks."""
    rows: list[list[Any]] = [
        ["Catch by harbour", None, None, None],
        ["Harbour1)", "Month", "Catch2", None],
        [None, None, "Cod", "Nameless³"],
        ["Northport1", "2024-01", 5.5, 1234],
        [None, "2024-02", "1\u00a0234", "1\u202f234\u202f567"],
        ["Southport *", "2024-01", "1\u2009234.50", "1,234"],
        ["South\u00adport\u00a0(2)", "2024-02", 7, None],
    ]
    return Book(**{"rows": rows, "merged": [(1, 2, 1, 3), (1, 0, 2, 0)], **more})


AS_READ = {
    ("NOR", "COD", "2024-01"): "5.5",
    ("NOR", "NA", "2024-01"): "1234",
    ("NOR", "COD", "2024-02"): "1234",
    ("NOR", "NA", "2024-02"): "1234567",
    ("SOU", "COD", "2024-01"): "1234.50",
    ("SOU", "NA", "2024-01"): "1234",
    ("SOU", "COD", "2024-02"): "7",
}


@pytest.mark.parametrize("kind", MAKERS)
def test_a_workbook_of_any_kind_goes_the_same_way(market: House, kind: str) -> None:
    receipt, findings = market.send(MAKERS[kind](book()), name=f"book.{kind}")
    assert (receipt.status, receipt.mapping, receipt.file.format, findings) == ("published", "MARKET_BOOK", kind, [])
    assert figures(market) == AS_READ


@pytest.mark.parametrize("kind", MAKERS)
def test_what_is_hidden_is_read_and_told(market: House, kind: str) -> None:
    receipt, findings = market.send(MAKERS[kind](book(hidden_rows=[4], hidden_columns=[3])), name=f"book.{kind}")
    assert receipt.status == "published"
    told = {(one.code, one.severity.value, one.row, one.column) for one in findings}
    assert told == {("F112", "warning", 5, None), ("F112", "warning", None, "D")}
    assert figures(market) == AS_READ
    _, findings = market.send(MAKERS[kind](book(hidden_rows=[0])), name=f"book.{kind}")
    assert findings == []  # nothing of it is a figure


@pytest.mark.parametrize("kind", MAKERS)
def test_a_hidden_sheet_is_told(market: House, kind: str) -> None:
    _, findings = market.send(MAKERS[kind](book(is_hidden=True)), name=f"book.{kind}")
    assert [(one.code, one.sheet) for one in findings] == [("F112", "Sheet")]


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("cell", ["1234¹", "1.234.567", "12 34", "1\u00a0234 5", "1,23", "n.a.", "1 234e"])
def test_a_cell_that_is_no_plain_number_is_never_guessed(market: House, kind: str, cell: str) -> None:
    rows = [list(row) for row in book().rows]
    rows[3][2] = cell
    receipt, findings = market.send(MAKERS[kind](book(rows=rows)), name=f"book.{kind}")
    assert receipt.status == "refused"
    assert [(one.code, one.row, one.column, one.value) for one in findings] == [("F104", 4, "C", cell)]


@pytest.mark.parametrize("kind", MAKERS)
def test_the_sender_gets_his_workbook_back_with_its_cells_marked(market: House, kind: str) -> None:
    rows = [list(row) for row in book().rows]
    rows[3][2] = "many"
    data = MAKERS[kind](book(rows=rows))
    receipt, _ = market.send(data, name=f"book.{kind}")
    groups = load_findings(market.library.store, receipt.id)
    marked = openpyxl.load_workbook(io.BytesIO(b"".join(findings_workbook(groups, receipt.file, io.BytesIO(data)))))
    assert marked.sheetnames == ["Sheet", "Findings"]
    cell = marked["Sheet"]["C4"]
    assert cell.value == "many"
    assert "'many' is not a number" in cell.comment.text


# ------------------------------------------------------------------------------------------------- national encodings


SOURCES = {
    "utf-8": "Hafenbüro", "utf-8-sig": "Hafenbüro", "utf-16": "Hafenbüro", "utf-16-le": "Hafenbüro",
    "cp1252": "Hafenbüro – Ämter", "cp1251": "Северный порт", "koi8_r": "Северный порт", "cp1256": "الميناء الشمالي",
    "cp1253": "Βόρειο λιμάνι", "gb18030": "北方港口管理局", "cp932": "フィリピン港", "euc_kr": "북쪽 항구", "cp874": "ท่าเรือเหนือ",
}  # fmt: skip


def delimited(encoding: str) -> bytes:
    return f"Port;Month;cod\nNorthport;2024-01;1,5\n;2024-02;2\nSource: {SOURCES[encoding]};;\n".encode(encoding)


BOTH = {("NOR", "COD", "2024-01"): "1.5", ("NOR", "COD", "2024-02"): "2"}


@pytest.mark.parametrize("encoding", SOURCES)
def test_plain_csv_in_national_encodings(market: House, encoding: str) -> None:
    receipt, findings = market.send(delimited(encoding), name="book.csv", mapping="HARBOUR_BOOK", publish=False)
    assert (receipt.status, receipt.dataflows[0].observations) == ("accepted", 2)
    if encoding.startswith("utf"):
        assert findings == []
        return
    (one,) = findings
    if one.code == "F113":
        assert one.value == encoding
    assert one.code in ("F113", "F114")
    assert any(word in one.message for word in SOURCES[encoding].split()), one.message


def test_words_of_the_catalog_tell_encodings_apart(tmp_path: Path) -> None:
    content = tmp_path / "content"
    shutil.copytree(CONTENT, content)
    lists = content / "codelists" / "lists.json"
    text = "Port;Month;cod\nNorthport;2024-01;1,5\nKıyı limanı;2024-01;\n".encode("cp1254")
    for name, expected in (("Old harbour", "F114"), ("Kıyı limanı", "F113")):
        lists.write_text((CONTENT / "codelists" / "lists.json").read_text().replace('"Seventh pier"', json.dumps(name)))
        with open_house(f"duckdb:///{tmp_path / expected}.duckdb", content) as house:
            _, findings = house.send(text, name="book.csv")
        assert [(one.code, one.value) for one in findings] == [(expected, "cp1254" if expected == "F113" else "cp1252")]


def test_an_encoding_that_the_sender_names_is_taken(market: House) -> None:
    data = "Port;Month;cod\nNorthport;2024-01;1,5\n;2024-02;2\nSource: Kıyı;;\n".encode("cp1254")
    _, findings = market.send(data, name="book.csv", mapping="HARBOUR_BOOK", encoding="cp1254")
    assert findings == []
    sent = SentFile(file=io.BytesIO(data), name="book.csv", media_type="text/csv; charset=windows-1254")
    outcome = check(sent, Wish(mapping="HARBOUR_BOOK"), market.library.view().catalog)
    assert outcome.groups == ()
    with pytest.raises(UnreadableFile, match=r"Line 4: byte \d+ of the file is not utf-8"):
        market.send(data, name="book.csv", mapping="HARBOUR_BOOK", encoding="utf-8")


# ---------------------------------------------------------------------------------------------- our own and packed

ROWS = b"""STRUCTURE;STRUCTURE_ID;ACTION;WEIGHT;FISH;PORT;TIME_PERIOD;FREQ;STATUS;UNIT;GRADE
dataflow;SEA:DF_CATCH(1.0.0);M;16,10;NA;007;2024-01;M;A;kg;G2
dataflow;SEA:DF_CATCH(1.0.0);M;17;COD;007;2024-02;M;E;kg;
"""
SENT = {("007", "NA", "2024-01"): "16.10", ("007", "COD", "2024-02"): "17"}
PARQUET = "application/vnd.apache.parquet"
OWN = {
    "csv": "application/vnd.sdmx.data+csv;version=2.1.0", "json": JSON, "xml": XML, "parquet": PARQUET,
    "generic.xml": GENERIC, "specific.xml": STRUCTURE_SPECIFIC, "old.csv": "application/vnd.sdmx.data+csv;version=1.0.0",
    "old.json": "application/vnd.sdmx.data+json;version=1.0.0",
}  # fmt: skip


@pytest.mark.parametrize("name", OWN)
def test_what_goes_out_comes_in_again(house: House, tmp_path: Path, name: str) -> None:
    receipt, findings = house.send(ROWS, provider="SEA.HARBOUR")
    assert (receipt.status, findings) == ("published", [])
    body = house.body(FLOW, OWN[name])
    with open_house(f"duckdb:///{tmp_path / 'other.duckdb'}", CONTENT) as other:
        receipt, findings = other.send(body, name=name, provider="SEA.HARBOUR")
        assert (receipt.status, findings) == ("published", [])
        assert other.rows(FLOW) == house.rows(FLOW)
        assert figures(other) == SENT


def test_a_table_of_components_needs_the_dataflow_only(house: House) -> None:
    table = pa.table({"PORT": ["007", "SOU"], "FISH": ["NA", "COD"], "FREQ": ["M", "M"], "TIME_PERIOD": ["2024-01"] * 2,
                      "WEIGHT": [1.5, 2.0], "STATUS": ["A", "A"], "UNIT": ["kg", "kg"], "REMARKABLE": [1, 2]})  # fmt: skip
    out = io.BytesIO()
    pq.write_table(table, out)
    receipt, findings = house.send(out.getvalue(), name="t.parquet", provider="SEA.HARBOUR", dataflow="SEA:DF_CATCH")
    assert (receipt.status, receipt.file.format) == ("published", "parquet")
    assert [(one.code, one.severity.value) for one in findings] == [("F105", "info")]
    assert figures(house) == {("007", "NA", "2024-01"): "1.5", ("SOU", "COD", "2024-01"): "2"}


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return out.getvalue()


def test_a_zip_of_a_workbook_a_message_and_a_table(market: House) -> None:
    catch = pa.table({"STRUCTURE_ID": ["SEA:DF_CATCH(1.0.0)"], "PORT": ["007"], "FISH": ["EEL"], "FREQ": ["M"],
                      "TIME_PERIOD": ["2020-01"], "WEIGHT": [1.25], "STATUS": ["A"], "UNIT": ["kg"]})  # fmt: skip
    out = io.BytesIO()
    pq.write_table(catch, out)
    packed = zipped(a__xls=MAKERS["xls"](book()), b__csv=ROWS, c__parquet=out.getvalue())
    receipt, findings = market.send(packed, name="all.zip", provider="SEA.HARBOUR", publish=False)
    assert (receipt.status, findings) == ("accepted", [])
    assert receipt.dataflows[0].observations == len(AS_READ) + 3


def test_an_archive_in_an_archive_is_refused_with_a_word(house: House) -> None:
    with pytest.raises(UnreadableFile, match=r"'b\.zip'.*archive inside the archive"):
        house.send(zipped(b__zip=zipped(a__csv=ROWS)), name="a.zip", provider="SEA.HARBOUR")
