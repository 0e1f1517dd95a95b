"""Files made to harm, through the front door: refused in words or made harmless; nothing of them is kept."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sdmx_service.errors import SdmxError, TooLarge, UnreadableFile, UnsafeFile
from sdmx_service.submission.exports import findings_csv, findings_workbook
from sdmx_service.submission.receipt import load_findings, load_receipt, receipts
from tests.harness import House, open_house
from tests.workbooks import Book, ods, ods_of, xlsx

CONTENT = Path(__file__).parent.parent / "second_domain" / "content"
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefghi", "bcdefghij", strict=True)
) + "]>"  # fmt: skip
ROOTS = {
    "2.0": ("CompactData", "v2_0"), "2.1": ("GenericData", "v2_1"), "3.0": ("StructureSpecificData", "v3_0"),
    "3.1": ("StructureSpecificData", "v3_1"), "group": ("MessageGroup", "v2_0"),
}  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(f"duckdb:///{tmp_path_factory.mktemp('attacks') / 'store.duckdb'}", CONTENT) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _nothing_is_kept(house: House) -> Iterator[None]:
    before = house.library.store.pointer()
    yield
    assert house.library.store.pointer() == before
    assert not [one for one in receipts(house.library.store) if one.status in ("accepted", "published")]


def xml(version: str, doctype: str, text: str) -> bytes:
    root, space = ROOTS[version]
    return (
        f'<?xml version="1.0"?>{doctype}<{root} xmlns="http://www.sdmx.org/resources/sdmxml/schemas/{space}/message">'
        f"<Header><ID>{text}</ID></Header></{root}>"
    ).encode()


@pytest.mark.parametrize("version", ROOTS)
def test_xml_bombs(house: House, version: str) -> None:
    with pytest.raises(UnsafeFile, match="DOCTYPE"):
        house.send(xml(version, LAUGHS, "&j;"), name="a.xml", provider="SEA.HARBOUR")


@pytest.mark.parametrize("version", ROOTS)
@pytest.mark.parametrize("where", ["file://{0}", "http://127.0.0.1:9/x"])
def test_external_entities(house: House, tmp_path: Path, version: str, where: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("KEEP-THIS")
    doctype = f'<!DOCTYPE x [<!ENTITY e SYSTEM "{where.format(secret)}">]>'
    with pytest.raises(UnsafeFile, match="DOCTYPE") as caught:
        house.send(xml(version, doctype, "&e;"), name="a.xml", provider="SEA.HARBOUR")
    assert "KEEP-THIS" not in str(caught.value)


def with_doctype(data: bytes, part: str, doctype: str, reference: bytes) -> bytes:
    """A workbook one of whose parts has a DOCTYPE, and an entity in place of a text."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for info in source.infolist():
            content = source.read(info)
            if info.filename == part:
                head, _, rest = (
                    content.partition(b"?>") if content.startswith(b"<?xml") else (b'<?xml version="1.0"', b"", content)
                )
                content = head + b"?>" + doctype.encode() + rest.replace(b"TEXT", reference)
            target.writestr(info, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "part"), [("xlsx", "xl/sharedStrings.xml"), ("xlsx", "xl/workbook.xml"), ("ods", "content.xml")]
)
@pytest.mark.parametrize("reference", ["&j;", "&e;"])
def test_entities_in_workbooks_are_not_expanded(
    house: House, tmp_path: Path, kind: str, part: str, reference: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("KEEP-THIS")
    doctype = LAUGHS.replace("]>", f'<!ENTITY e SYSTEM "file://{secret}">]>')
    book = Book(rows=[["Port", "Month", "cod"], ["TEXT", "2024-01", 1]])
    data = with_doctype((ods if kind == "ods" else xlsx)(book), part, doctype, reference.encode())
    try:
        _, findings = house.send(data, name=f"a.{kind}", mapping="HARBOUR_BOOK", publish=False)
    except SdmxError as error:
        assert "KEEP-THIS" not in str(error)
        return
    said = [str(one.to_json()) for one in findings]
    assert any(one.severity.value == "error" for one in findings)
    assert not any("KEEP-THIS" in one or "haha" in one for one in said)


def zipped(method: int = zipfile.ZIP_DEFLATED, **members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return out.getvalue()


def test_archive_bombs(house: House) -> None:
    big = bytes(200 * 1024**2)
    for data, name in ((zipped(a__csv=big), "a.zip"), (gzip.compress(big), "a.csv.gz")):
        assert len(data) < 1024**2
        with pytest.raises(UnsafeFile, match="decompression bomb"):
            house.send(data, name=name, provider="SEA.HARBOUR")
    with pytest.raises(UnreadableFile, match="archive inside the archive"):
        house.send(zipped(a__zip=zipped(a__zip=zipped(a__csv=big))), name="a.zip", provider="SEA.HARBOUR")


def test_workbook_bombs(house: House) -> None:
    book = io.BytesIO(xlsx(Book(rows=[["Port"]])))
    out = io.BytesIO()
    with zipfile.ZipFile(book) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for info in source.infolist():
            target.writestr(info, source.read(info))
        target.writestr("xl/worksheets/bomb.xml", bytes(600 * 1024**2))
    with pytest.raises(TooLarge, match="unpacks to more than"):
        house.send(out.getvalue(), name="a.xlsx", mapping="HARBOUR_BOOK")


def test_a_parquet_bomb(house: House) -> None:
    out = io.BytesIO()
    table = pa.table({"STRUCTURE_ID": pa.repeat(pa.scalar("SEA:DF_CATCH(1.0.0)"), 20_000_000)})
    pq.write_table(table, out, compression="zstd", row_group_size=20_000_000)
    with pytest.raises(UnsafeFile, match="20000000 rows"):
        house.send(out.getvalue(), name="a.parquet", provider="SEA.HARBOUR")


TEN_MILLION = 10_000_000


def test_ten_million_empty_rows_of_a_sheet(house: House) -> None:
    table = (
        '<table:table table:name="S"><table:table-row><table:table-cell office:value-type="string"><text:p>Port</text:p>'
        f'</table:table-cell></table:table-row><table:table-row table:number-rows-repeated="{TEN_MILLION}"><table:table-cell/>'
        "</table:table-row></table:table>"
    )
    receipt, findings = house.send(ods_of(table), name="a.ods", mapping="HARBOUR_BOOK", publish=False)
    assert (receipt.status, {one.code for one in findings}) == ("refused", {"F102"})
    one = '<table:table-cell office:value-type="string"><text:p>Port</text:p></table:table-cell>'
    filled = table.replace("<table:table-cell/>", one)
    with pytest.raises(TooLarge, match="1048576 are the limit"):
        house.send(ods_of(filled), name="a.ods", mapping="HARBOUR_BOOK")
    book = io.BytesIO(xlsx(Book(rows=[["Port"]])))
    out = io.BytesIO()
    with zipfile.ZipFile(book) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for info in source.infolist():
            content = source.read(info)
            if info.filename.startswith("xl/worksheets/"):
                content = content.replace(b"</sheetData>", b"<row/>" * TEN_MILLION + b"</sheetData>")
            target.writestr(info, content)
    assert len(out.getvalue()) < 1024**2
    with pytest.raises(TooLarge, match="1048576 are the limit"):
        house.send(out.getvalue(), name="a.xlsx", mapping="HARBOUR_BOOK")


@pytest.mark.parametrize("line", [b"\n", b";;;;;\n"])
def test_ten_million_empty_lines_of_text(house: House, line: bytes) -> None:
    head = b"Port;Month;cod;eel;nameless;all\n"
    receipt, findings = house.send(head + line * TEN_MILLION, name="a.csv", mapping="HARBOUR_BOOK", publish=False)
    assert (receipt.status, [one.code for one in findings]) == ("refused", ["F109"])


FORMULAS = ('=HYPERLINK("http://evil.test")', "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", "=1+1")


@pytest.mark.parametrize("formula", FORMULAS)
def test_formulas_are_text_in_what_goes_back(house: House, formula: str) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows([["Port", "Month", "cod"], [formula, "2024-01", "1"]])
    sent = out.getvalue().encode()
    receipt, findings = house.send(sent, name="a.csv", mapping="HARBOUR_BOOK", publish=False)
    assert receipt.status == "refused"
    assert findings[0].value == formula.strip()
    groups = load_findings(house.library.store, receipt.id)
    for row in csv.reader(io.StringIO(findings_csv(groups).decode())):
        assert not any(cell[:1] in ("=", "+", "-", "@", "\t", "\r") for cell in row)
    facts = load_receipt(house.library.store, receipt.id).file
    for file in (io.BytesIO(sent), None):
        book = openpyxl.load_workbook(io.BytesIO(b"".join(findings_workbook(groups, facts, file))))
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
        assert any(formula.strip() in str(cell.value) for cell in cells)
        assert {cell.data_type for cell in cells} <= {"s", "n"}
