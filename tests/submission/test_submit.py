"""The life of a submission: actions in their order, rights, publication, withdrawal, receipts."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sdmx_service.auth import OPERATOR, Principal
from sdmx_service.cli import main
from sdmx_service.errors import Conflict, NotAllowed, NotFound, SdmxError
from sdmx_service.model.finding import Finding
from sdmx_service.submission.reading import Wish
from sdmx_service.submission.receipt import Receipt, load_findings, load_receipt, receipts
from sdmx_service.submission.submit import SentFile, check, submit
from sdmx_service.workflow.publishing import publish
from sdmx_service.workflow.sending import send
from sdmx_service.workflow.steps import withdraw
from tests.harness import JSON, House, open_house

CONTENT = Path(__file__).parent.parent / "second_domain" / "content"
FLOW = "v2/data/dataflow/SEA/DF_CATCH/1.0.0"
HEADER = "STRUCTURE[;],STRUCTURE_ID,ACTION,FREQ,PORT,FISH,TIME_PERIOD,WEIGHT,GRADE,STATUS,UNIT,SOURCE,PORT_NOTE,GEAR[],REMARK[en;fr]"
OWN = Principal(id="own", role="provider", provider="SEA.HARBOUR")
OTHER = Principal(id="other", role="provider", provider="SEA.COAST")
PUBLISHER = Principal(id="pub", role="publisher")


def message(*rows: str) -> bytes:
    """An SDMX-CSV message of rows that begin with their action: ``M,M,SOU,COD,2024-01,5,...``."""
    return "\n".join([HEADER, *(f"dataflow,SEA:DF_CATCH(1.0.0),{row}" for row in rows), ""]).encode()


def merge(fish: str, period: str, weight: str, grade: str = "", port: str = "SOU", action: str = "M") -> str:
    return f"{action},M,{port},{fish},{period},{weight},{grade},A,kg,,,,"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(f"duckdb:///{tmp_path / 'store.duckdb'}", CONTENT) as opened:
        yield opened


def sent(house: House, *rows: str, publish: bool = True) -> tuple[Receipt, list[Finding]]:
    return house.send(message(*rows), provider="SEA.HARBOUR", publish=publish)


def figures(house: House) -> dict[tuple[str, str], tuple[str, str]]:
    if house.library.store.pointer().release == 0:
        return {}
    answer = house.get(FLOW)
    if answer.status == 204:
        return {}
    return {(row["FISH"], row["TIME_PERIOD"]): (row["WEIGHT"], row["GRADE"]) for row in house.rows(FLOW)}


class TestActions:
    """SDMX 3.1 technical notes, *Action*; SDMX-CSV 2.1 field guide."""

    def test_merge_leaves_what_it_omits_and_replace_takes_it(self, house: House) -> None:
        sent(house, merge("COD", "2024-01", "5", "G1"), merge("EEL", "2024-01", "6", "G1"))
        receipt, _ = sent(house, merge("COD", "2024-01", "7"), merge("EEL", "2024-01", "8", action="R"))
        assert receipt.status == "published"
        assert figures(house) == {("COD", "2024-01"): ("7", "G1"), ("EEL", "2024-01"): ("8", "")}

    def test_one_message_with_every_action_in_its_order(self, house: House) -> None:
        sent(house, merge("COD", "2023-01", "1"), merge("EEL", "2023-01", "2"))
        receipt, findings = sent(
            house,
            "D,,,,,,,,,,,,",
            merge("COD", "2024-01", "5", "G1"),
            merge("COD", "2024-01", "6", action="R"),
            merge("EEL", "2024-01", "7"),
            "D,M,SOU,EEL,2024-01,,,,,,,,",
            merge("NA", "2024-01", "8"),
        )
        assert receipt.status == "published", findings
        assert figures(house) == {("COD", "2024-01"): ("6", ""), ("NA", "2024-01"): ("8", "")}

    def test_a_deletion_of_one_measure_leaves_the_rest(self, house: House) -> None:
        sent(house, merge("COD", "2024-01", "5", "G1"))
        sent(house, "D,M,SOU,COD,2024-01,,-,,,,,,")
        assert figures(house) == {("COD", "2024-01"): ("5", "")}

    def test_a_deletion_of_every_value_leaves_no_empty_observation(self, house: House) -> None:
        rows = [merge(fish, "2024-01", "5", "G1") for fish in ("COD", "EEL")]
        sent(house, *rows)
        receipt, _ = sent(house, "D,M,SOU,COD,2024-01,-,-,-,,,,-,en:-;fr:-")
        assert (receipt.dataflows[0].deleted, receipt.dataflows[0].changed) == (1, 0)
        assert figures(house) == {("EEL", "2024-01"): ("5", "G1")}
        (counted,) = house.rows(FLOW + "?attributes=none")
        assert counted["FISH"] == "EEL"

    def test_a_deletion_by_part_of_the_key(self, house: House) -> None:
        sent(house, *(merge(fish, period, "1") for fish in ("COD", "EEL") for period in ("2024-01", "2024-02")))
        receipt, _ = sent(house, "D,,,EEL,,,,,,,,,")
        assert set(figures(house)) == {("COD", "2024-01"), ("COD", "2024-02")}
        assert (receipt.dataflows[0].observations, receipt.dataflows[0].deleted) == (0, 2)

    def test_a_deletion_without_a_key_tells_how_much_goes(self, house: House) -> None:
        receipt, findings = sent(house, "D,,,,,,,,,,,,")
        assert [one.code for one in findings] == ["F255"]
        assert "(0 observations are stored now)" in findings[0].message
        sent(house, *(merge("COD", f"2024-0{month}", "1") for month in (1, 2, 3)))
        receipt, findings = sent(house, "D,,,,,,,,,,,,")
        assert [(one.code, one.row, one.severity.value) for one in findings] == [("F255", 2, "warning")]
        assert "(3 observations are stored now)" in findings[0].message
        assert (receipt.status, receipt.dataflows[0].deleted) == ("published", 3)
        assert figures(house) == {}

    def test_a_deletion_of_nothing_is_no_error(self, house: House) -> None:
        receipt, findings = sent(house, "D,M,SOU,COD,1990-01,,,,,,,,")
        assert (receipt.status, findings) == ("published", [])

    def test_a_merge_may_omit_what_is_stored_and_only_that(self, house: House) -> None:
        sent(house, merge("COD", "2024-01", "5"))
        receipt, findings = sent(house, "M,M,SOU,COD,2024-01,6,,,,,,,")
        assert receipt.status == "published", findings
        assert figures(house) == {("COD", "2024-01"): ("6", "")}
        receipt, findings = sent(house, "M,M,SOU,COD,2024-02,6,,,,,,,")
        assert [(one.code, one.row, one.column) for one in findings] == [("F303", 2, "STATUS")]
        receipt, findings = sent(house, "R,M,SOU,COD,2024-01,6,,,kg,,,,")
        assert [(one.code, one.column) for one in findings] == [("F303", "STATUS")]

    def test_a_failing_row_anywhere_keeps_nothing(self, house: House) -> None:
        sent(house, merge("COD", "2024-01", "5"))
        before = state(house)
        rows = [merge("EEL", f"{year}-01", "1") for year in range(1900, 2000)]
        for bad in (0, 50, 100):
            wrong = [*rows[:bad], merge("EEL", "2024-13", "1"), *rows[bad:]]
            receipt, findings = sent(house, "D,,,,,,,,,,,,", *wrong)
            assert receipt.status == "refused"
            told = [(one.code, one.row, one.value) for one in findings]
            assert told == [("F403", bad + 3, "2024-13"), ("F255", 2, None)]
            assert state(house) == before


def state(house: House) -> tuple[object, ...]:
    store = house.library.store
    accepted = [one.id for one in receipts(store) if one.status == "accepted"]
    return store.pointer().release, figures(house), accepted


def body(*rows: str) -> SentFile:
    return SentFile(file=io.BytesIO(message(*rows)), name="sent.csv")


class TestRights:
    def test_a_provider_sends_only_its_own(self, house: House) -> None:
        row = merge("COD", "2024-01", "5")
        receipt = submit(body(row), Wish(), house.library, OWN)
        assert (receipt.status, receipt.provider) == ("accepted", "SEA.HARBOUR")
        before = state(house)
        with pytest.raises(NotAllowed, match=r"may not send data of SEA\.HARBOUR\. It is bound to SEA\.COAST"):
            submit(body(row), Wish(provider="SEA.HARBOUR"), house.library, OTHER)
        assert state(house) == before

    def test_a_provider_does_not_publish(self, house: House) -> None:
        receipt = submit(body(merge("COD", "2024-01", "5")), Wish(), house.library, OWN)
        with pytest.raises(NotAllowed, match="may not publish"):
            publish([receipt.id], house.library, OWN)
        with pytest.raises(NotAllowed, match="may not publish"):
            send(body(merge("COD", "2024-01", "5")), Wish(), house.library, OWN, publish_now=True)
        assert publish([receipt.id], house.library, PUBLISHER)[0].status == "published"

    def test_who_may_withdraw(self, house: House) -> None:
        first, second, third = (
            submit(body(merge("COD", "2024-01", "5")), Wish(), house.library, OWN) for _ in range(3)
        )
        with pytest.raises(NotFound, match="no submission"):  # who may not see it
            withdraw(first.id, house.library, OTHER)
        with pytest.raises(NotAllowed, match="may not withdraw"):
            withdraw(first.id, house.library, Principal(id="review", role="reviewer"))
        assert withdraw(first.id, house.library, OWN).status == "withdrawn"
        assert (
            withdraw(second.id, house.library, Principal(id="new", role="provider", provider="SEA.HARBOUR")).status
            == "withdrawn"
        )
        assert withdraw(third.id, house.library, PUBLISHER).status == "withdrawn"

    def test_nobody_says_who_provides(self, house: House) -> None:
        with pytest.raises(SdmxError, match="does not say who provides"):
            submit(body(merge("COD", "2024-01", "5")), Wish(), house.library, OPERATOR)
        with pytest.raises(NotFound, match=r"SEA\.HARBOR"):
            submit(body(merge("COD", "2024-01", "5")), Wish(provider="SEA.HARBOR"), house.library, OPERATOR)


class TestPublication:
    def test_several_as_one_release_in_the_order_named(self, house: House) -> None:
        first, _ = sent(house, merge("COD", "2024-01", "1"), publish=False)
        second, _ = sent(house, merge("COD", "2024-01", "2"), merge("EEL", "2024-01", "3"), publish=False)
        published = publish([second.id, first.id], house.library, PUBLISHER)
        assert [(one.status, one.release) for one in published] == [("published", 1), ("published", 1)]
        assert figures(house) == {("COD", "2024-01"): ("1", ""), ("EEL", "2024-01"): ("3", "")}

    def test_rules_hold_for_all_together(self, house: House) -> None:
        first, _ = sent(house, *(merge(fish, "2024-01", "1") for fish in ("COD", "EEL", "NA")), publish=False)
        second, _ = sent(house, merge("_T", "2024-01", "4"), publish=False)
        with pytest.raises(Conflict, match="All fish 4 is not the sum 3"):
            publish([first.id, second.id], house.library, PUBLISHER)
        assert state(house)[0] == 0
        third, _ = sent(house, merge("_T", "2024-01", "3"), publish=False)
        assert publish([first.id, second.id, third.id], house.library, PUBLISHER)[0].release == 1

    def test_only_once(self, house: House) -> None:
        receipt, _ = sent(house, merge("COD", "2024-01", "1"), publish=False)
        with pytest.raises(Conflict, match="named twice"):
            publish([receipt.id, receipt.id], house.library, PUBLISHER)
        publish([receipt.id], house.library, PUBLISHER)
        with pytest.raises(Conflict, match="is published, not accepted"):
            publish([receipt.id], house.library, PUBLISHER)
        with pytest.raises(Conflict, match="is published"):
            withdraw(receipt.id, house.library, PUBLISHER)

    def test_what_is_refused_or_withdrawn_is_not_published(self, house: House) -> None:
        refused, _ = sent(house, merge("CODD", "2024-01", "1"))
        withdrawn, _ = sent(house, merge("COD", "2024-01", "1"), publish=False)
        withdraw(withdrawn.id, house.library, PUBLISHER)
        for receipt in (refused, withdrawn):
            with pytest.raises(Conflict):
                publish([receipt.id], house.library, PUBLISHER)
        with pytest.raises(NotFound):
            publish(["S0"], house.library, PUBLISHER)
        assert figures(house) == {}

    def test_after_another_release_the_rules_run_again(self, house: House) -> None:
        waiting, _ = sent(house, merge("COD", "2024-01", "1"), publish=False)
        sent(house, merge("COD", "2024-01", "5"))
        published = publish([waiting.id], house.library, PUBLISHER)
        assert figures(house) == {("COD", "2024-01"): ("1", "")}
        counts = published[0].dataflows[0]
        assert (counts.inserted, counts.changed) == (0, 1)


class TestReceipt:
    def test_its_shape(self, house: House) -> None:
        receipt, _ = sent(house, merge("COD", "2024-01", "1"), publish=False)
        document = load_receipt(house.library.store, receipt.id).to_json()
        assert document == receipt.to_json()
        assert list(document) == [
            "id", "status", "received_at", "provider", "mapping", "file", "dataflows", "findings", "rules_not_run",
            "release", "corrects", "corrected_by", "approved_by", "scheduled_for", "log", "links",
        ]  # fmt: skip
        assert list(document["file"]) == ["name", "sha256", "bytes", "format"]
        assert document["file"] | {"sha256": ""} == {
            "name": "sent.csv", "sha256": "", "bytes": len(message(merge("COD", "2024-01", "1"))), "format": "sdmx-csv",
        }  # fmt: skip
        assert document["dataflows"] == [
            {"dataflow": "SEA:DF_CATCH(1.0.0)",
             "counts": {"observations": 1, "inserted": 1, "changed": 0, "unchanged": 0, "deleted": 0}}
        ]  # fmt: skip
        assert document["findings"] == {"error": 0, "warning": 0, "info": 0}
        assert (document["status"], document["provider"], document["mapping"], document["release"]) == (
            "accepted",
            "SEA.HARBOUR",
            None,
            None,
        )
        (published,) = publish([receipt.id], house.library, PUBLISHER)
        mark = house.library.store.mark().to_json()
        assert published.to_json() == document | {"status": "published", "release": 1, "log": mark}
        assert mark["number"] > document["log"]["number"]

    def test_a_findings_shape(self, house: House) -> None:
        _, findings = sent(house, merge("CODD", "2024-01", "1"))
        assert findings[0].to_json() == {
            "code": "F401", "severity": "error", "rule": None, "file": "sent.csv", "sheet": None, "row": 2,
            "column": "FISH", "key": {"FREQ": "M", "PORT": "SOU", "FISH": "CODD", "TIME_PERIOD": "2024-01"},
            "value": "CODD", "expected": "SEA:CL_FISH(1.0+.0)", "suggestion": "COD",
            "message": "FISH: 'CODD' is not a code of SEA:CL_FISH(1.0+.0).",
        }  # fmt: skip

    def test_a_check_finds_what_a_submission_finds(self, house: House) -> None:
        rows = [
            merge("CODD", "2024-01", "1"),
            merge("COD", "2024-13", "x"),
            merge("EEL", "2024-01", "1"),
            merge("EEL", "2024-01", "2"),
        ]
        receipt, _ = sent(house, *rows)
        view = house.library.view()
        outcome = check(body(*rows), Wish(provider="SEA.HARBOUR"), view.catalog)
        mine = [one.to_json() for group in outcome.groups for one in group.findings()]
        kept = [one.to_json() for group in load_findings(house.library.store, receipt.id) for one in group.findings()]
        assert json.dumps(mine) == json.dumps(kept)
        assert len(mine) >= 4
        assert outcome.receipt.findings == receipt.findings
        assert outcome.receipt.file == receipt.file


class TestTables:
    """A sender's own table through a mapping: findings point to its cells."""

    BOOK = "Port;Month;cod;eel;nameless;all\nNorthport;2024-01;1,5;2;3;6,5\n"

    def found(self, house: House, text: str, **wish: str) -> list[tuple[str, int | None, str | None, str | None]]:
        receipt, findings = house.send(text.encode(), name="book.csv", **wish)
        assert receipt.status == "refused"
        return [(one.code, one.row, one.column, one.value) for one in findings]

    def test_an_unmapped_value_points_to_its_own_cell(self, house: House) -> None:
        found = self.found(house, self.BOOK.replace("Northport", "Nordport"))
        assert set(found) == {("F201", 2, "A", "Nordport")}

    def test_a_wrong_period_points_to_its_own_cell(self, house: House) -> None:
        found = self.found(house, self.BOOK.replace("2024-01", "2024-31"))
        assert set(found) == {("F403", 2, "B", "2024-31")}

    def test_a_wrong_number_points_to_its_own_cell(self, house: House) -> None:
        assert self.found(house, self.BOOK.replace(";2;", ";two;")) == [("F104", 2, "D", "two")]

    def test_a_broken_sum_points_to_the_total(self, house: House) -> None:
        assert self.found(house, self.BOOK.replace("6,5", "7")) == [("S1", 2, "F", "7")]

    def test_a_row_twice_points_to_both(self, house: House) -> None:
        found = self.found(house, self.BOOK + "Northport;2024-01;9;;;\n")
        assert [one for one in found if one[0] == "F501"] == [("F501", 2, "C", "1.5"), ("F501", 3, "C", "9")]

    def test_a_row_that_ends_before_its_figures_or_keys_is_told(self, house: House) -> None:
        receipt, findings = house.send((self.BOOK + "Northport;2024-02;1\nNorthport\n").encode(), name="book.csv")
        assert receipt.status != "refused"
        early = [one for one in findings if one.code == "F276"]
        assert [(one.row, one.column, one.expected, one.severity.value) for one in early] == [
            (3, "D", "eel", "warning")
        ]
        assert "has 3 cells" in early[0].message

    def test_a_blank_period(self, house: House) -> None:
        found = self.found(house, self.BOOK.replace("2024-01", ""))
        assert {(one[0], one[1], one[2]) for one in found} == {("F302", 2, "B")}

    @pytest.mark.parametrize(
        ("wish", "words"),
        [
            ({"mapping": "NONE"}, "There is no mapping 'NONE'.*HARBOUR_BOOK"),
            ({"dataflow": "DF_LICENCE"}, "The mapping HARBOUR_BOOK gives data of SEA:DF_CATCH"),
            ({"dataflow": "DF_NONE"}, "DF_NONE"),
            ({"provider": "SEA.NONE"}, "There is no data provider 'SEA.NONE'"),
            ({"format": "sdmx-ml"}, "Unreadable file"),
        ],
    )
    def test_a_wish_that_does_not_fit(self, house: House, wish: dict[str, str], words: str) -> None:
        before = state(house)
        with pytest.raises(SdmxError, match=words):
            house.send(self.BOOK.encode(), name="book.csv", **wish)
        assert state(house) == before

    def test_a_message_needs_no_mapping(self, house: House) -> None:
        with pytest.raises(SdmxError, match="needs no mapping"):
            house.send(message(merge("COD", "2024-01", "1")), provider="SEA.HARBOUR", mapping="HARBOUR_BOOK")


def test_a_mapping_that_replaces_slices(tmp_path: Path) -> None:
    content = tmp_path / "content"
    shutil.copytree(CONTENT, content)
    place = content / "mappings" / "HARBOUR_BOOK" / "layout.json"
    layout = json.loads(place.read_text())
    cod, eel = (json.loads(json.dumps(layout["tables"][0])) for _ in range(2))
    cod["unpivot"]["headers"], eel["unpivot"]["headers"] = "^cod$", "^eel$"
    place.write_text(json.dumps(layout | {"replaces": ["PORT"], "tables": [cod, eel]}))
    with open_house(f"duckdb:///{tmp_path / 'store.duckdb'}", content) as house:
        book = "Port;Month;cod;eel;nameless;all\n{}"
        first = book.format("Northport;2024-01;1;2;;\nSouthport;2024-01;3;4;;\n")
        second = book.format("Northport;2024-02;5;6;;\n")
        for text, deleted in ((first, 0), (second, 2)):
            receipt, findings = house.send(text.encode(), name="book.csv")
            assert (receipt.status, receipt.dataflows[0].deleted) == ("published", deleted), findings
        rows = {(row["PORT"], row["FISH"], row["TIME_PERIOD"]): row["WEIGHT"] for row in house.rows(FLOW)}
        assert rows == {
            ("NOR", "COD", "2024-02"): "5", ("NOR", "EEL", "2024-02"): "6",
            ("SOU", "COD", "2024-01"): "3", ("SOU", "EEL", "2024-01"): "4",
        }  # fmt: skip


def test_a_code_from_a_header_points_to_the_column_below_it(tmp_path: Path) -> None:
    content = tmp_path / "content"
    shutil.copytree(CONTENT, content)
    place = content / "mappings" / "HARBOUR_BOOK" / "layout.json"
    place.write_text(place.read_text().replace("nameless|all", "shark|all"))
    with open_house(f"duckdb:///{tmp_path / 'store.duckdb'}", content) as house:
        book = b"Port;Month;cod;shark\nNorthport;2024-01;1;2\nSouthport;2024-01;3;4\n"
        receipt, findings = house.send(book, name="book.csv")
        assert receipt.status == "refused"
        assert [(one.code, one.row, one.column, one.value) for one in findings] == [
            ("F201", 2, "D", "shark"), ("F201", 3, "D", "shark"),
        ]  # fmt: skip


def test_a_finding_in_a_workbook_names_its_sheet(house: House) -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.active.title = "Landings"
    for line in ("Port;Month;cod;eel;nameless;all", "Northport;2024-01;1,5;2;3;6,5", "Norport;2024-01;1;two;;"):
        book.active.append(line.split(";"))
    target = io.BytesIO()
    book.save(target)
    receipt, findings = house.send(target.getvalue(), name="book.xlsx", mapping="HARBOUR_BOOK")
    assert receipt.status == "refused"
    places = {(one.code, one.sheet, one.row, one.column, one.value) for one in findings}
    assert places == {("F201", "Landings", 3, "A", "Norport"), ("F104", "Landings", 3, "D", "two")}


def test_a_finding_in_json_points_to_the_observation(house: House) -> None:
    sent(house, merge("COD", "2024-01", "5"), merge("COD", "2024-02", "6"))
    wrong = house.body(FLOW, JSON).replace(b'"COD"', b'"CODD"')
    receipt, findings = house.send(wrong, name="sent.json", provider="SEA.HARBOUR")
    assert receipt.status == "refused"
    assert {(one.code, one.value, one.suggestion) for one in findings} == {("F401", "CODD", "COD")}
    pointers = [one.column or "" for one in findings]
    assert len(set(pointers)) == 2
    assert all(pointer.startswith("/data/dataSets/0/") for pointer in pointers)


def test_the_command_line_finds_the_same(house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [merge("CODD", "2024-01", "1"), merge("COD", "2024-13", "x")]
    receipt, findings = sent(house, *rows)
    file = tmp_path / "sent.csv"
    file.write_bytes(message(*rows))
    options = [
        "--provider",
        "SEA.HARBOUR",
        "--format",
        "json",
        "--data",
        str(tmp_path / "none"),
        "--content",
        str(CONTENT),
    ]
    status = main(["check", str(file), *options])
    printed = json.loads(capsys.readouterr().out)
    assert status == 1
    assert receipt.status == "refused"
    assert printed["findings"] == [one.to_json() for one in findings]
