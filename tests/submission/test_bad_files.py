"""Bad files are normal: a clear error or finding, nothing published, nothing lost, never another exception."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdmx_service.cli import main
from sdmx_service.errors import SdmxError
from sdmx_service.submission.reading import Wish
from sdmx_service.submission.receipt import receipts
from sdmx_service.submission.submit import SentFile, check
from tests.harness import ROOT, House, open_house

CONTENT = Path(__file__).parent.parent / "second_domain" / "content"
EXCERPTS = ROOT / "tests" / "golden" / "excerpts"
HEADER = b"STRUCTURE,STRUCTURE_ID,ACTION,FREQ,PORT,FISH,TIME_PERIOD,WEIGHT,GRADE,STATUS,UNIT\n"
ROW = b"dataflow,SEA:DF_CATCH(1.0.0),M,M,SOU,COD,2024-01,16.10,G2,A,kg\n"
MESSAGE = HEADER + ROW + ROW.replace(b"2024-01", b"2024-02")
XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<message:StructureSpecificData xmlns:message="http://www.sdmx.org/resources/sdmxml/schemas/v3_0/message"
 xmlns:ss="http://www.sdmx.org/resources/sdmxml/schemas/v3_0/data/structurespecific"
 xmlns:common="http://www.sdmx.org/resources/sdmxml/schemas/v3_0/common">
<message:Header><message:ID>T1</message:ID><message:Test>false</message:Test><message:Prepared>2024-01-01T00:00:00</message:Prepared>
<message:Sender id="SEA"/><message:Structure structureID="S" namespace="urn:x" dimensionAtObservation="TIME_PERIOD">
<common:StructureUsage>urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=SEA:DF_CATCH(1.0.0)</common:StructureUsage></message:Structure></message:Header>
<message:DataSet ss:structureRef="S" ss:dataScope="DataStructure" action="Merge">
<Series FREQ="M" PORT="SOU" FISH="COD" UNIT="kg"><Obs TIME_PERIOD="2024-01" WEIGHT="16.1" STATUS="A"/>
<Obs TIME_PERIOD="2024-02" WEIGHT="17" STATUS="A"/></Series></message:DataSet></message:StructureSpecificData>
"""
BOOK = b"Port;Month;cod;eel;nameless;all\nNorthport;2024-01;1,5;2;3;6,5\n"
ENTITIES = b'<!DOCTYPE message [<!ENTITY lol0 "lol">%s]>' % b"".join(
    b'<!ENTITY lol%d "%s">' % (n, b"&lol%d;" % (n - 1) * 10) for n in range(1, 10)
)
LAUGHS = XML.replace(b"?>\n", b"?>" + ENTITIES, 1).replace(b">T1<", b">&lol9;<")


def zipped(**members: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return target.getvalue()


def bomb() -> bytes:
    """Two hundred megabytes of one letter, packed to a thousandth."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("bomb.csv", "w") as member,
    ):
        piece = b"a" * (1 << 24)
        for _ in range(12):
            member.write(piece)
    return target.getvalue()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(f"duckdb:///{tmp_path_factory.mktemp('bad') / 'store.duckdb'}", CONTENT) as opened:
        receipt, findings = opened.send(MESSAGE, provider="SEA.HARBOUR")
        assert receipt.status == "published", findings
        receipt, findings = opened.send(XML, name="right.xml", provider="SEA.HARBOUR")
        assert receipt.status == "published", findings
        yield opened


def state(house: House) -> tuple[object, ...]:
    store = house.library.store
    accepted = [one.id for one in receipts(store) if one.status in ("accepted", "published")]
    return store.pointer(), accepted, house.body("v2/data/dataflow/SEA/DF_CATCH/1.0.0")


UNREADABLE = {
    "empty.csv": (b"", "'empty.csv' is empty"),
    "blank.csv": (b" \n \n", "'blank.csv' is empty"),
    "noise.bin": (bytes(range(256)) * 8, "no format|no mapping"),
    "truncated.zip": (zipped(a__csv=MESSAGE * 50)[:-30], "truncated or damaged"),
    "cut.xlsx": ((EXCERPTS / "un_flows2015_canada.xlsx").read_bytes()[:9000], "damaged|truncated"),
    "nothing.zip": (zipped(), "holds no file"),
    "laughs.xml": (LAUGHS, "DTD|entit|DOCTYPE"),
    "cut.xml": (XML[:-200], "[Ll]ine [0-9]+"),
    "utf16.csv": (MESSAGE.decode().encode("utf-16")[:-1], "Line 3: byte [0-9]+ of the file is not utf-16"),
    "short.csv": (MESSAGE + b"dataflow,SEA:DF_CATCH(1.0.0),M,M\n", "Row 4|Line 4"),
    "action.csv": (MESSAGE.replace(b",M,M,", b",X,M,"), "Row 2, column ACTION: 'X' is not an action"),
    "structure.csv": (MESSAGE.replace(b"DF_CATCH", b"DF_CATHC"), "DF_CATHC.*DF_CATCH"),
    "unknown.xml": (XML.replace(b"WEIGHT=", b"WAIT="), "WAIT"),
    "table.csv": (b"a;b\n1;2\n", "no mapping recognises it.*HARBOUR_BOOK"),
    "delimiter.csv": (BOOK.replace(b";", b"!"), "no mapping recognises it"),
}
REFUSED = {
    "header.csv": (HEADER, "F109", None),
    "latin.csv": (MESSAGE.replace(b"SOU", b"S\xfcd"), "F401", 2),
    "code.csv": (MESSAGE.replace(b"COD", b"CODD", 1), "F401", 2),
    "type.csv": (MESSAGE.replace(b"16.10", b"much", 1), "F304", 2),
    "twice.csv": (HEADER + ROW + ROW, "F501", 2),
    "code.xml": (XML.replace(b'"COD"', b'"CODD"'), "F401", 9),
    "time.xml": (XML.replace(b"2024-02", b"2024-13"), "F403", 10),
    "book.csv": (BOOK.replace(b"Northport", b"Nowhere"), "F201", 2),
    "header_only_book.csv": (BOOK.splitlines()[0] + b"\n", "F109", None),
    "archive.zip": (zipped(a__csv=MESSAGE, b__csv=MESSAGE), "F501", 2),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_an_error_with_its_place(house: House, name: str) -> None:
    content, words = UNREADABLE[name]
    before = state(house)
    with pytest.raises(SdmxError, match=words) as caught:
        house.send(content, name=name, provider="SEA.HARBOUR")
    assert caught.value.detail.endswith((".", "?"))
    assert "Traceback" not in str(caught.value)
    assert state(house) == before


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_refused_with_its_place(house: House, name: str) -> None:
    content, code, row = REFUSED[name]
    before = state(house)
    receipt, findings = house.send(content, name=name, provider="SEA.HARBOUR")
    assert receipt.status == "refused"
    assert code in {one.code for one in findings}
    assert row in {one.row for one in findings if one.code == code}
    assert state(house) == before


def test_a_zip_bomb_is_refused_for_safety(house: House) -> None:
    before = state(house)
    with pytest.raises(SdmxError, match=r"bomb\.csv|unpack"):
        house.send(bomb(), name="bomb.zip", provider="SEA.HARBOUR")
    assert state(house) == before


def test_a_table_that_several_mappings_read_is_not_guessed(house: House, tmp_path: Path) -> None:
    view = house.library.view()
    (layout,) = view.catalog.layouts.values()
    from dataclasses import replace

    twin = replace(layout, id="TWIN")
    catalog = replace(view.catalog, layouts={layout.id: layout, twin.id: twin})
    with pytest.raises(SdmxError, match=r"Several mappings recognise 'book\.csv'.*HARBOUR_BOOK, TWIN"):
        check(SentFile(file=io.BytesIO(BOOK), name="book.csv"), Wish(), catalog)
    assert (
        check(SentFile(file=io.BytesIO(BOOK), name="book.csv"), Wish(mapping="TWIN"), catalog).receipt.mapping == "TWIN"
    )


@pytest.mark.parametrize(
    ("name", "status"), [("laughs.xml", 2), ("short.csv", 2), ("table.csv", 2), ("code.csv", 1), ("header.csv", 1)]
)
def test_exit_statuses(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, status: int) -> None:
    file = tmp_path / name
    file.write_bytes((UNREADABLE.get(name) or REFUSED[name])[0])
    options = ["--provider", "SEA.HARBOUR", "--data", str(tmp_path / "none"), "--content", str(CONTENT)]
    assert main(["check", str(file), *options]) == status
    said = capsys.readouterr()
    assert (said.err if status == 2 else said.out).strip()
    assert not (tmp_path / "none").exists()


# --- whatever happens to a file on its way ---------------------------------------------------------------------------
def workbook() -> bytes:
    """The right table as a workbook, with a formula, an error and a hidden sheet beside it."""
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    for line in BOOK.decode().splitlines():
        sheet.append(line.split(";"))
    sheet["H1"], sheet["H2"] = "=SUM(C2:E2)", "#REF!"
    hidden = book.create_sheet("hidden")
    hidden.sheet_state = "hidden"
    hidden["A1"] = "=1/0"
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def mutations(content: bytes) -> st.SearchStrategy[bytes]:
    """The content with some bytes changed, taken away, doubled or put in."""
    place = st.integers(0, len(content))
    pieces = st.one_of(
        st.binary(max_size=4),
        st.sampled_from([b",", b";", b'"', b"\n", b"\r", b"\x00", b"<", b">", b"&", b"]]>", b"'", b"\xff\xfe", b"=1+1", b"NaN", b"~", b"-1e999", b"9" * 400, b"\xe2\x80\xae"]),
    )  # fmt: skip
    change = st.tuples(place, st.integers(0, 30), pieces)

    def apply(changes: list[tuple[int, int, bytes]]) -> bytes:
        changed = content
        for start, length, piece in changes:
            changed = changed[:start] + piece + changed[start + length :]
        return changed

    return st.lists(change, min_size=1, max_size=4).map(apply)


RIGHT = {"sent.csv": MESSAGE, "sent.xml": XML, "book.csv": BOOK, "book.xlsx": workbook()}


@pytest.mark.parametrize("name", RIGHT)
def test_undamaged_they_are_right(house: House, name: str) -> None:
    wish = Wish(provider="SEA.HARBOUR", mapping="HARBOUR_BOOK" if name.startswith("book") else None)
    outcome = check(SentFile(file=io.BytesIO(RIGHT[name]), name=name), wish, house.library.view().catalog)
    assert (outcome.groups, outcome.receipt.status) == ((), "received")


@pytest.mark.parametrize("name", RIGHT)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_file_never_breaks_the_program(house: House, name: str, data: st.DataObject) -> None:
    content = data.draw(mutations(RIGHT[name]))
    catalog = house.library.view().catalog
    wish = Wish(provider="SEA.HARBOUR", mapping="HARBOUR_BOOK" if name.startswith("book") else None)
    try:
        outcome = check(SentFile(file=io.BytesIO(content), name=name), wish, catalog)
    except SdmxError as error:
        assert error.detail
        return
    listed = [one.to_json() for group in outcome.groups for one in group.findings()]
    assert all((one["message"] and "{" not in one["message"].replace("{'", "")) or b"{" in content for one in listed)
    assert (outcome.receipt.status == "refused") == (outcome.receipt.findings["error"] > 0)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_part_of_a_workbook_never_breaks_the_program(house: House, data: st.DataObject) -> None:
    with zipfile.ZipFile(io.BytesIO(RIGHT["book.xlsx"])) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    chosen = data.draw(st.sampled_from(sorted(parts)))
    parts[chosen] = data.draw(mutations(parts[chosen]))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    try:
        sent = SentFile(file=io.BytesIO(target.getvalue()), name="book.xlsx")
        outcome = check(sent, Wish(mapping="HARBOUR_BOOK"), house.library.view().catalog)
    except SdmxError as error:
        assert error.detail
        return
    assert (outcome.receipt.status == "refused") == (outcome.receipt.findings["error"] > 0)
