"""An invented domain does the same job with nothing changed in the program.

Two measures (decimal, coded), data set and group attributes, a multi-valued and a multilingual attribute, mixed monthly
and quarterly periods, one structure without time.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import orjson
import pytest
from lxml import etree

from sdmx_service.cli import main
from sdmx_service.dissemination.held import Holder
from sdmx_service.dissemination.template import TemplateWish, template
from sdmx_service.formats.registry import write_form
from sdmx_service.model.selection import provider_name
from tests.harness import CSV, JSON, XML, House, open_house

CONTENT = Path(__file__).parent / "content"
FLOW = "v2/data/dataflow/SEA/DF_CATCH/1.0.0"
HARBOUR = "SEA.HARBOUR"

BOOK = """Port;Month;cod;eel;nameless;all
Northport;2024-01;1.234,50;x;3;1.237,50
;2024-02;10;5;;15
Pier 7;2024-01;7,25;0;0;7,25
"""

MESSAGE = (
    "STRUCTURE[;],STRUCTURE_ID,ACTION,FREQ,PORT,FISH,TIME_PERIOD,WEIGHT,GRADE,STATUS,UNIT,SOURCE,PORT_NOTE,GEAR[],REMARK[en;fr]\n"
    'dataflow,SEA:DF_CATCH(1.0.0),M,Q,SOU,COD,2024-Q1,50.0,G1,A,kg,Harbour book,"Closed on ""Sundays"", mostly",NET;ROD,en:fine & dry;fr:beau <temps>\n'
    'dataflow,SEA:DF_CATCH(1.0.0),M,M,SOU,COD,2024-01,16.10,G2,A,kg,Harbour book,"Closed on ""Sundays"", mostly",NET,en:wet\n'
    'dataflow,SEA:DF_CATCH(1.0.0),M,M,SOU,NA,2024-01,#N/A,,Q,kg,Harbour book,"Closed on ""Sundays"", mostly",,\n'
)


@pytest.fixture(scope="module", params=["duckdb", pytest.param("postgresql", marks=pytest.mark.postgres)])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    if request.param == "duckdb":
        url = f"duckdb:///{tmp_path_factory.mktemp('sea') / 'store.duckdb'}"
    else:
        url = request.getfixturevalue("postgres_server").create_database("second_domain")
    with open_house(url, CONTENT) as opened:
        yield opened


@pytest.fixture(scope="module")
def filled(house: House) -> House:
    receipt, findings = house.send(BOOK.encode(), name="book.csv")
    assert receipt.status == "published", findings
    assert receipt.mapping == "HARBOUR_BOOK"
    receipt, findings = house.send(MESSAGE.encode(), name="catch.csv", provider=HARBOUR)
    assert receipt.status == "published", findings
    licences = "STRUCTURE,STRUCTURE_ID,ACTION,PORT,FISH,LICENCES\ndataflow,SEA:DF_LICENCE(1.0.0),M,007,EEL,12\ndataflow,SEA:DF_LICENCE(1.0.0),M,NOR,NA,3\n"
    receipt, findings = house.send(licences.encode(), name="licences.csv", provider=HARBOUR)
    assert receipt.status == "published", findings
    return house


def test_a_national_table_keeps_its_figures(filled: House) -> None:
    rows = {(row["PORT"], row["FISH"], row["TIME_PERIOD"]): row for row in filled.rows(f"{FLOW}/M")}
    assert rows["NOR", "COD", "2024-01"]["WEIGHT"] == "1234.50"
    assert rows["NOR", "_T", "2024-01"]["WEIGHT"] == "1237.50"
    assert (rows["NOR", "EEL", "2024-01"]["WEIGHT"], rows["NOR", "EEL", "2024-01"]["STATUS"]) == ("", "Q")
    assert rows["007", "COD", "2024-01"]["WEIGHT"] == "7.25"
    assert ("NOR", "NA", "2024-02") not in rows
    assert rows["SOU", "NA", "2024-01"]["WEIGHT"] == "#N/A"


def test_two_measures_and_attributes_of_every_level_in_csv(filled: House) -> None:
    body = filled.body(f"{FLOW}/Q.SOU").decode()
    header, row = body.splitlines()[0], body.splitlines()[1]
    assert header.startswith("STRUCTURE[;],")
    assert "50.0,G1,Harbour book" in row or ",50.0,G1," in row
    assert '"Closed on ""Sundays"", mostly"' in row
    assert "NET;ROD" in row and "fine & dry" in row and "beau <temps>" in row


def test_the_same_in_json(filled: House) -> None:
    answer = orjson.loads(filled.body(f"{FLOW}/Q.SOU", JSON))
    text = orjson.dumps(answer).decode()
    assert "50.0" in text and "beau <temps>" in text and "Sundays" in text
    structure = answer["data"]["structures"][0]
    assert [one["id"] for one in structure["measures"]["observation"]] == ["WEIGHT", "GRADE"]


def test_the_same_in_xml(filled: House) -> None:
    root = etree.fromstring(filled.body(f"{FLOW}/Q.SOU", XML))
    text = etree.tostring(root).decode()
    assert "fine &amp; dry" in text and "beau &lt;temps&gt;" in text
    assert [one.get("WEIGHT") for one in root.iter("{*}Obs")] == ["50.0"]


def test_mixed_frequencies_compare_by_their_range(filled: House) -> None:
    rows = filled.rows(f"{FLOW}/*.SOU?c[TIME_PERIOD]=ge:2024-01-01%2Ble:2024-01-31")
    assert {row["TIME_PERIOD"] for row in rows} == {"2024-01"}
    rows = filled.rows(f"{FLOW}/*.SOU?c[TIME_PERIOD]=ge:2024-01%2Ble:2024-03")
    assert {row["TIME_PERIOD"] for row in rows} == {"2024-01", "2024-Q1"}


def test_a_structure_without_time(filled: House) -> None:
    rows = filled.rows("v2/data/dataflow/SEA/DF_LICENCE/1.0.0")
    assert {(row["PORT"], row["FISH"], row["LICENCES"]) for row in rows} == {("007", "EEL", "12"), ("NOR", "NA", "3")}
    for accept in (JSON, XML):
        assert filled.body("v2/data/dataflow/SEA/DF_LICENCE/1.0.0", accept)


def test_a_broken_sum_is_refused_with_its_place(house: House) -> None:
    receipt, findings = house.send(b"Port;Month;cod;eel;nameless;all\nSouthport;2023-01;1;2;3;7\n", name="book.csv")
    assert receipt.status == "refused"
    (finding,) = [one for one in findings if one.code == "S1"]
    assert (finding.row, finding.key["PORT"]) == (2, "SOU")
    assert "7" in finding.message and "6" in finding.message


@pytest.mark.parametrize(
    ("change", "code", "column"),
    [
        (("M,SOU,COD", "M,SOU,COOD"), "F401", "FISH"),
        (("2024-Q1", "2024-Q9"), "F403", "TIME_PERIOD"),
        (("16.10", "sixteen"), "F304", "WEIGHT"),
        (("M,Q,SOU,COD,2024-Q1,50.0,G1,A,kg,", "R,Q,SOU,COD,2024-Q1,50.0,G1,,kg,"), "F303", "STATUS"),
        (("kg", "kilograms and more"), "F304", "UNIT"),
        (("NET;ROD", "NET;HOOK"), "F401", "GEAR"),
        (("M,SOU,NA,2024-01", "M,SOU,COD,2024-01"), "F501", None),
    ],
)
def test_bad_input_is_a_finding(house: House, change: tuple[str, str], code: str, column: str | None) -> None:
    before = house.library.store.pointer().release
    receipt, findings = house.send(MESSAGE.replace(*change).encode(), name="bad.csv", provider=HARBOUR)
    assert receipt.status == "refused"
    assert code in {one.code for one in findings}, findings
    if column is not None:
        assert any(one.code == code and column in one.message and one.row for one in findings), findings
    assert house.library.store.pointer().release == before


def test_availability_counts(filled: House) -> None:
    body = orjson.loads(filled.body("v2/availability/dataflow/SEA/DF_CATCH/1.0.0/*/*", "*/*"))
    text = orjson.dumps(body).decode()
    assert "007" in text and "SOU" in text
    assert filled.get(f"{FLOW}/M.XXX", CSV).status == 204


def test_every_page_of_a_csv_has_the_same_header(filled: House) -> None:
    whole = filled.body(f"{FLOW}?c[PORT]=SOU").decode().splitlines()
    pages = [filled.body(f"{FLOW}?c[PORT]=SOU&offset={offset}&limit=1").decode().splitlines() for offset in range(3)]
    assert {page[0] for page in pages} == {whole[0]}
    assert sorted(row for page in pages for row in page[1:]) == sorted(whole[1:])
    assert "REMARK[en;fr]" in whole[0]


def test_a_questionnaire_of_the_invented_domain_there_and_back(house: House) -> None:
    """Labels from the code list where the questionnaire has none, decimals, a multilingual remark as footnote."""
    view = house.library.view()

    def workbook(language: str) -> openpyxl.Workbook:
        wish = TemplateWish(tables=("catch",), area="NOR", periods=(), language=language)
        made = template(
            wish,
            view.catalog,
            lambda provider: Holder(store=house.library.store, release=house.library.view().release, provider=provider),
        )
        assert provider_name(made.provider) == HARBOUR
        return openpyxl.load_workbook(io.BytesIO(b"".join(write_form(made.form))))

    book = workbook("de")
    sheet = book["Catch"]
    rows = {sheet.cell(row, 1).value: row for row in range(1, sheet.max_row + 1)}
    assert sheet.cell(rows["FISH=_T"], 3).value == "Alle Fische"
    for key, figures in {"FISH=_T": (12.5, 4), "FISH=COD": ("7,25 (1)", 4), "FISH=EEL": (5.25, "x")}.items():
        sheet.cell(rows[key], 4).value, sheet.cell(rows[key], 5).value = figures
    notes = next(one for one in book.worksheets if one["A1"].value == "@footnotes")
    notes["B2"], notes["C2"] = "1", "Half of it frozen"
    body = io.BytesIO()
    book.save(body)
    receipt, findings = house.send(body.getvalue(), name="log.xlsx")
    assert (receipt.status, receipt.mapping) == ("published", "LOGBOOK(2.0.0)"), findings
    stored = {
        (row["FISH"], row["TIME_PERIOD"]): row for row in house.rows(f"{FLOW}/M.NOR?c[TIME_PERIOD]=2023-11,2023-12")
    }
    assert {key: row["WEIGHT"] for key, row in stored.items()} == {
        ("_T", "2023-11"): "12.5", ("_T", "2023-12"): "4", ("COD", "2023-11"): "7.25", ("COD", "2023-12"): "4",
        ("EEL", "2023-11"): "5.25", ("EEL", "2023-12"): "",
    }  # fmt: skip
    assert stored["EEL", "2023-12"]["STATUS"] == "Q" and stored["COD", "2023-11"]["SOURCE"] == "Log book"
    assert any("Half of it frozen" in str(text) for text in stored["COD", "2023-11"].values())
    again = workbook("en")["Catch"]
    assert [again.cell(rows["FISH=EEL"], column).value for column in (4, 5)] == [5.25, "x"]


def test_the_command_checks_each_file_whatever_the_others_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unreadable file hides none of the others; a place in an archive names its file."""
    bad = BOOK.replace("Pier 7", "The pier").replace("10;5", "1x;5")
    (tmp_path / "open.csv").write_text(BOOK + '"never closed\n')
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as archive:
        archive.writestr("one.csv", bad)
    (tmp_path / "right.csv").write_text(BOOK)
    files = [str(tmp_path / name) for name in ("open.csv", "both.zip", "right.csv")]
    options = ["--content", str(CONTENT), "--data", str(tmp_path / "none")]
    assert main(["check", *files, *options]) == 2
    told = capsys.readouterr()
    assert "open.csv: Unreadable file: The file ends inside quotes: the one that opens in line 5" in told.err
    assert "both.zip: refused" in told.out
    assert "    one.csv, row 3, column C, value '1x'" in told.out
    assert "right.csv: received" in told.out
    assert main(["check", *files[1:], *options]) == 1
    assert main(["check", files[2], *options]) == 0
