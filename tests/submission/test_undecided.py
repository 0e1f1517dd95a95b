"""Values that no map decides: they come into the queue, a person decides, and the same file goes in."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sdmx_service.auth import OPERATOR, Principal
from sdmx_service.catalog.catalog import Catalog
from sdmx_service.cli import main
from sdmx_service.errors import Conflict, NotAllowed, NotFound, SdmxError, SemanticFault
from sdmx_service.model.artefact import Annotation, Texts
from sdmx_service.model.items import Code, Codelist
from sdmx_service.model.mapping import MappedValue, MappingRow, RepresentationMap
from sdmx_service.submission.candidates import Candidate, MapCandidates
from sdmx_service.submission.decisions import decide, decisions, forget, history, with_decisions
from sdmx_service.submission.representation_mapping import RepresentationRules
from sdmx_service.submission.undecided import undecided
from tests.harness import House, open_house

CONTENT = Path(__file__).parents[1] / "second_domain" / "content"
MAP = "SEA:RM_PORT(1.0.0)"
FLOW = "v2/data/dataflow/SEA/DF_CATCH/1.0.0"
HEADER = "Port;Month;cod;eel;nameless;all\n"
BOOK = f"{HEADER}Northport;2024-01;5;0;0;5\nNorhtport;2024-02;6;0;0;6\nNorhtport;2024-03;7;0;0;7\n".encode()
OTHER = f"{HEADER}Norhtport;2024-04;8;0;0;8\nAtlantis;2024-04;9;0;0;9\n".encode()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(f"duckdb:///{tmp_path / 'store.duckdb'}", CONTENT) as opened:
        yield opened


def decided(house: House, value: str, code: str, **more: str) -> object:
    return decide(house.library, OPERATOR, map=MAP, value=value, code=code, **more)


def test_what_refuses_a_file_comes_into_the_queue(house: House) -> None:
    first, findings = house.send(BOOK, name="book.csv")
    assert (first.status, {one.code for one in findings}) == ("refused", {"F201"})
    second, _ = house.send(OTHER, name="other.csv")
    known, unknown = undecided(house.library.store)
    assert (known.map, known.value, known.source, known.component) == (MAP, "Norhtport", "port", "PORT")
    assert known.count == 3  # rows, whatever fish they have
    assert known.submissions == (first.id, second.id)
    assert Candidate(value="Northport", code="NOR") in known.candidates
    assert (unknown.value, unknown.count, unknown.submissions) == ("Atlantis", 1, (second.id,))
    assert json.loads(json.dumps(known.to_json()))["candidates"][0]["code"] == "NOR"


def test_a_file_of_strange_values_does_not_flood_the_queue(house: House) -> None:
    strange = "".join(f"Northport {number};2024-01;1;0;0;1\n" for number in range(600))
    receipt, findings = house.send((HEADER + strange).encode(), name="strange.csv")
    assert receipt.status == "refused"
    assert len({one.value for one in findings}) == 600
    queue = undecided(house.library.store)
    assert len(queue) == 500
    assert sum(bool(one.candidates) for one in queue) == 100


def test_once_decided_the_same_file_goes_in(house: House) -> None:
    house.send(BOOK, name="book.csv")
    decided(house, "Norhtport", "NOR", comment="misprint of this year's book")
    assert undecided(house.library.store) == []
    receipt, findings = house.send(BOOK, name="book.csv")
    assert receipt.status == "published", findings
    rows = house.rows(f"{FLOW}/M.NOR.COD")
    assert {row["TIME_PERIOD"]: row["WEIGHT"] for row in rows} == {"2024-01": "5", "2024-02": "6", "2024-03": "7"}
    (kept,) = decisions(house.library.store)
    assert (kept.map, kept.value, kept.code, kept.by) == (MAP, "Norhtport", "NOR", "operator")
    assert kept.at.startswith("20") and kept.comment == "misprint of this year's book"


def test_the_map_itself_is_not_touched(house: House) -> None:
    before = house.library.store.artefacts()
    decided(house, "Norhtport", "NOR")
    assert house.library.store.artefacts() == before


def test_a_decision_can_be_changed_and_taken_back(house: House) -> None:
    house.send(BOOK, name="book.csv")
    decided(house, "Norhtport", "SOU")
    decided(house, "Norhtport", "NOR")
    assert [one.code for one in decisions(house.library.store)] == ["NOR"]
    assert [one.code for one in forget(house.library, OPERATOR, map=MAP, value="Norhtport")] == ["NOR"]
    assert [one.value for one in undecided(house.library.store)] == ["Norhtport"]
    receipt, _ = house.send(BOOK, name="book.csv")
    assert receipt.status == "refused"
    with pytest.raises(NotFound, match="Nothing is decided"):
        forget(house.library, OPERATOR, map=MAP, value="Norhtport")


def test_what_was_decided_before_stays_readable(house: House) -> None:
    house.send(BOOK, name="book.csv")
    decided(house, "Norhtport", "SOU", comment="a guess")
    decided(house, "Norhtport", "NOR", comment="the office said so")
    forget(house.library, OPERATOR, map=MAP, value="Norhtport", comment="asked again")
    assert decisions(house.library.store) == []
    first, last = history(house.library.store)
    assert (first.code, first.comment, first.component, first.source) == ("SOU", "a guess", "PORT", "port")
    assert (last.code, last.revoked_by, last.revoked_why, last.holds) == ("NOR", "operator", "asked again", False)
    decided(house, "Norhtport", "NOR")
    assert [one.holds for one in history(house.library.store)] == [True, False, True]


def test_a_decision_for_one_provider_is_offered_to_the_others(house: House) -> None:
    decided(house, "Norhtport", "NOR", provider="HARBOUR")
    receipt, findings = house.send(BOOK, name="book.csv")
    assert receipt.status == "published", findings
    _, findings = house.send(BOOK, name="book.csv", provider="COAST")
    (unmapped,) = {(one.value, one.suggestion) for one in findings if one.code == "F201"}
    assert unmapped == ("Norhtport", "Norhtport = NOR (decided before)")  # the sender is not told who sent it before
    (entry,) = undecided(house.library.store)
    assert entry.providers == ("SEA.COAST",)
    assert (entry.candidates[0].code, entry.candidates[0].value) == ("NOR", "Norhtport")
    assert (entry.candidates[0].decided or "").startswith(f"decided in {MAP} for SEA.HARBOUR by operator, 20")
    assert entry.discreet.candidates[0].decided == "decided before"
    decided(house, "Norhtport", "SOU", provider="SEA.COAST")
    assert undecided(house.library.store) == []
    assert len(decisions(house.library.store)) == 2
    assert [one.code for one in decisions(house.library.store, provider="SEA.COAST")] == ["SOU"]


def test_a_decision_is_offered_where_another_map_gives_codes_of_the_same_list(house: House) -> None:
    catalog = house.library.view().catalog
    port = catalog.named(MAP, "RepresentationMap")
    other = replace(port, id="RM_PIER", rows=port.rows[:1])  # type: ignore[call-arg]
    decided(house, "Norhtport", "SOU")
    both = with_decisions(replace(catalog, artefacts={**catalog.artefacts, other.ref: other}), house.library.store)
    seen = both.artefacts[other.ref]
    assert isinstance(seen, RepresentationMap) and seen.rows == other.rows  # type: ignore[attr-defined]
    near = MapCandidates(seen, both).near("NORHTPORT")
    assert [(one.code, bool(one.decided)) for one in near][:2] == [("SOU", True), ("NOR", False)]
    assert MapCandidates(both.artefacts[port.ref], both).near("Norhtport")[0].decided is None  # type: ignore[arg-type]


def test_a_row_decided_carries_who_when_and_why(house: House) -> None:
    decided(house, "Norhtport", "NOR", comment="misprint", provider="HARBOUR", start="2024")
    seen = with_decisions(house.library.view().catalog, house.library.store).named(MAP, "RepresentationMap")
    assert isinstance(seen, RepresentationMap)
    row = seen.rows[-1]
    assert (row.sources[0].value, row.targets, row.valid_from) == ("Norhtport", ("NOR",), "2024")
    said, whose = row.annotations
    assert (said.type, said.title, said.texts.text()) == ("DECISION", "operator", "misprint")
    assert (said.value or "").startswith("20")
    assert (whose.type, whose.title) == ("PROVIDER", "SEA.HARBOUR")


def test_a_decision_about_a_draft_that_has_other_columns_now_is_left_out(house: House) -> None:
    decided(house, "Norhtport", "NOR")
    catalog = house.library.view().catalog
    port = catalog.named(MAP, "RepresentationMap")
    assert isinstance(port, RepresentationMap)
    pairs = tuple(replace(row, sources=(*row.sources, MappedValue(value="x"))) for row in port.rows)
    changed = replace(port, sources=("String", "String"), rows=pairs)
    seen = with_decisions(replace(catalog, artefacts={**catalog.artefacts, port.ref: changed}), house.library.store)
    assert seen.artefacts[port.ref] == changed


def test_names_of_the_codes_in_every_language_and_why_a_value_is_left_open() -> None:
    ports = Codelist(
        agency="TEST",
        id="CL",
        version="1.0",
        items=(
            Code(
                id="NOR",
                names=Texts({"en": "Northport", "fr": "Port-du-Nord"}),
                annotations=(Annotation(type="OLD_NAME", title="Fort Nelson"),),
            ),
        ),
    )
    found = replace(
        representation_map(("Northport", "NOR", None, None)),
        targets=(ports.ref,),
        annotations=(Annotation(type="UNDECIDED", title="The port", texts=Texts({"en": "There are two"})),),
    )
    other = replace(
        representation_map(("Havre du Nord", "NOR", None, None), ("Old harbour", "NOR", None, "1950")),
        id="RM_FRENCH",
        targets=(ports.ref,),
    )
    near = MapCandidates(found, Catalog.of([ports, found, other]))
    assert [one.value for one in near.near("Havre du Nrod")] == ["Havre du Nord = NOR"]
    assert near.near("Old harbour") == []
    assert [one.value for one in near.near("port du nort")] == ["Port-du-Nord = NOR"]
    assert [one.code for one in near.near("FORT NELSOM")] == ["NOR"]
    assert near.reason("the PORT") == "There are two"
    assert near.reason("Northport") is None


def test_two_values_that_become_one_key_are_found(house: House) -> None:
    """*Standard*: a map is ambiguous if two sources give one series key at the same time."""
    decided(house, "Norhtport", "NOR")
    both = f"{HEADER}Northport;2024-01;5;0;0;5\nNorhtport;2024-01;6;0;0;6\n".encode()
    receipt, findings = house.send(both, name="book.csv")
    assert receipt.status == "refused"
    twice = [one for one in findings if one.code == "F501" and one.key["FISH"] == "COD"]
    assert [(one.row, one.value) for one in twice] == [(2, "5"), (3, "6")]


def test_a_decision_for_some_periods_holds_for_these(house: House) -> None:
    decided(house, "Norhtport", "NOR", start="2024-01-01", end="2024-03-31")
    receipt, _ = house.send(BOOK, name="book.csv")
    assert receipt.status == "published"
    receipt, findings = house.send(OTHER, name="other.csv")
    assert receipt.status == "refused"
    assert {one.value for one in findings} == {"Norhtport", "Atlantis"}
    decided(house, "Norhtport", "SOU", start="2024-04-01")
    assert len(decisions(house.library.store)) == 2
    with pytest.raises(Conflict, match="'NOR'"):
        decided(house, "Norhtport", "SOU", start="2024-03-01", end="2024-03-31")


@pytest.mark.parametrize(
    ("value", "code", "fault", "words"),
    [
        ("Norhtport", "NRO", NotFound, "Near: NOR"),
        ("Northport", "SOU", Conflict, "says already"),
        ("Norhtport", "", SemanticFault, ""),
    ],
)
def test_what_cannot_be_decided_so(house: House, value: str, code: str, fault: type[SdmxError], words: str) -> None:
    with pytest.raises(fault) as caught:
        decided(house, value, code)
    assert words in str(caught.value)


def test_only_who_may_publish_decides(house: House) -> None:
    with pytest.raises(NotAllowed):
        decide(
            house.library,
            Principal(id="x", role="provider", provider="SEA.HARBOUR"),
            map=MAP,
            value="Norhtport",
            code="NOR",
        )
    with pytest.raises(NotFound):
        decide(house.library, OPERATOR, map="RM_NONE", value="Norhtport", code="NOR")


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = shutil.copytree(CONTENT, tmp_path / "content")
    data = ["--data", str(tmp_path / "data")]
    assert main(["init", *data, "--content", str(content)]) == 0
    (tmp_path / "book.csv").write_bytes(BOOK)
    sent = ["submit", *data, str(tmp_path / "book.csv"), "--publish"]
    assert main(sent) == 1
    capsys.readouterr()
    assert main(["undecided", *data]) == 0
    printed = capsys.readouterr().out
    assert f"{MAP}  'Norhtport'  (port to PORT, 2 rows)" in printed and "NOR (Northport)" in printed
    assert main(["decide", *data, "RM_PORT", "Norhtport", "NOR", "--comment", "misprint"]) == 0
    assert capsys.readouterr().out == f"{MAP}: 'Norhtport' is 'NOR' (by operator)\n"
    assert main(sent) == 0
    assert main(["decide", *data, "RM_PORT", "Norhtport", "--forget"]) == 0
    assert "no more" in capsys.readouterr().out
    assert main(["decide", *data, "RM_PORT", "Norhtport"]) == 2
    capsys.readouterr()
    assert main(["decisions", *data]) == 0
    assert capsys.readouterr().out == ""
    assert main(["decisions", *data, "--all", "--format", "csv"]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.startswith("map,value,code,by,at") and row.startswith(f"{MAP},Norhtport,NOR,operator")
    assert main(["decisions", *data, "--all", "--map", "RM_PORT"]) == 0
    assert "'Norhtport' is 'NOR' (by operator): misprint; revoked by operator" in capsys.readouterr().out


def representation_map(*rows: tuple[str, str, str | None, str | None], folded: bool = False) -> RepresentationMap:
    return RepresentationMap(
        id="RM",
        agency="TEST",
        version="1.0.0",
        sources=("String",),
        targets=("String",),
        annotations=(Annotation(type="MATCHING", title="FOLDED"),) if folded else (),
        rows=tuple(
            MappingRow(sources=(MappedValue(value=value),), targets=(code,), valid_from=start, valid_to=end)
            for value, code, start, end in rows
        ),
    )


@pytest.mark.parametrize(
    "value", ["Saint-Étienne", "saint etienne", "SAINTETIENNE", " Saint  Etienne ", "Saint.Étienne"]
)
def test_a_map_that_folds_looks_past_case_accents_punctuation_and_spaces(value: str) -> None:
    row = ("Saint-Étienne", "ET", None, None)
    folding = RepresentationRules(representation_map(row, folded=True), sources=1, targets=1)
    exact = RepresentationRules(representation_map(row), sources=1, targets=1)
    assert folding.find([value]) == [("ET",)]
    assert (exact.find([value]) is not None) == (value == "Saint-Étienne")
    candidates = MapCandidates(representation_map(row, folded=True), Catalog.of(()))
    assert [one.value for one in candidates.near("Saint Etiene")] == ["Saint-Étienne"]


def test_what_has_no_letters_is_compared_as_it_is() -> None:
    folding = RepresentationRules(
        representation_map(("—", "NIL", None, None), ("...", "MIS", None, None), folded=True), sources=1, targets=1
    )
    assert [folding.find([text]) for text in ("—", "...", "-")] == [[("NIL",)], [("MIS",)], None]
