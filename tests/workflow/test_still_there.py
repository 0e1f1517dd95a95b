"""What merges leave out because it is stored is looked for again when they come out, on each kind of store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product

import pyarrow as pa
import pytest

from sdmx_service.errors import Conflict
from sdmx_service.model.message import Action
from sdmx_service.model.structure import Attribute, DataStructure, Dimension, Measure, Relationship, TimeDimension
from sdmx_service.storage.port import StagedPart
from sdmx_service.submission import presence
from sdmx_service.submission.receipt import Receipt, load_receipt, receipt_change
from sdmx_service.submission.taken_away import SentBefore
from sdmx_service.submission.workspace import Workspace
from sdmx_service.workflow.publishing import clock, publish, publish_due
from sdmx_service.workflow.steps import approve, schedule
from tests.harness import House
from tests.submission.staging import concept
from tests.submission.test_rights import agreement
from tests.workflow.office import COMPILER
from tests.workflow.test_structures_changed import HEADER, changed, keep, mandatory, row, sent

WHOLE = row("5", fish="COD"), row("6", fish="EEL"), row("4", fish="COD", period="2024-02")
"""Figures with all that is mandatory: a status of each, a unit of their series."""


def merge(weight: str, fish: str = "COD", period: str = "2024-01", status: str = "", unit: str = "") -> str:
    return f"M,M,SOU,{fish},{period},{weight},,{status},{unit},,,,"


def deletion(fish: str = "COD", period: str = "2024-01", status: str = "", unit: str = "") -> str:
    return f"D,M,SOU,{fish},{period},,,{status},{unit},,,,"


def out(house: House, *waiting: Receipt) -> list[str]:
    return [one.status for one in publish([one.id for one in waiting], house.library, COMPILER)]


def refused(house: House, *waiting: Receipt) -> str:
    """Why they are not published; they wait as before, and nothing came out."""
    before = house.library.store.pointer().release
    with pytest.raises(Conflict, match="With what is published now") as error:
        publish([one.id for one in waiting], house.library, COMPILER)
    assert {load_receipt(house.library.store, one.id).status for one in waiting} == {"accepted"}
    assert house.library.store.pointer().release == before
    return error.value.detail


class TestAnotherRelease:
    @pytest.mark.parametrize(
        ("taken", "component"),
        [
            (deletion(status="A"), "STATUS"),
            (deletion(), "STATUS"),
            (deletion(period=""), "UNIT"),
            (deletion(period="", unit="kg"), "UNIT"),
        ],
    )
    def test_what_was_left_out_is_gone(self, house: House, taken: str, component: str) -> None:
        out(house, sent(house, *WHOLE))
        waiting = sent(house, merge("7"))
        out(house, sent(house, taken))
        told = refused(house, waiting)
        assert f"The mandatory attribute {component} has no value" in told
        key = "M.SOU.COD" if component == "UNIT" else "M.SOU.COD.2024-01"
        assert f"(at {key})" in told
        out(house, sent(house, WHOLE[0]))
        assert out(house, waiting) == ["published"]
        (shown,) = house.rows("v2/data/dataflow/SEA/DF_CATCH/1.0.0/M.SOU.COD?c[TIME_PERIOD]=2024-01")
        assert (shown["WEIGHT"], shown["STATUS"], shown["UNIT"]) == ("7", "A", "kg")

    def test_what_is_deleted_elsewhere_does_not_matter(self, house: House) -> None:
        out(house, sent(house, *WHOLE))
        waiting = sent(house, merge("7"))
        out(house, sent(house, deletion("EEL")))
        assert out(house, waiting) == ["published"]

    def test_what_another_provider_has_does_not_help(self, house: House) -> None:
        """It is looked for among the provider's own, as when it was sent."""
        out(house, sent(house, *WHOLE))
        waiting = sent(house, merge("7"))
        body = "\n".join([HEADER, *(f"dataflow,SEA:DF_CATCH(1.0.0),{one}" for one in WHOLE), ""]).encode()
        keep(house, agreement("COAST"))
        assert house.send(body, provider="SEA.COAST", publish=True)[0].status == "published"
        out(house, sent(house, deletion()))
        with pytest.raises(Conflict, match="STATUS has no value"):
            publish([waiting.id], house.library, COMPILER)

    def test_it_is_held_back_at_its_hour_and_the_others_come_out(self, house: House) -> None:
        out(house, sent(house, *WHOLE))
        broken, fine = sent(house, merge("7")), sent(house, merge("8", "EEL"))
        out(house, sent(house, deletion()))
        for one in (broken, fine):
            approve(one.id, house.library, COMPILER, clock())
            schedule(one.id, house.library, COMPILER, clock(), at="2099-01-01T00:00+00:00")
        due = publish_due(house.library, datetime(2099, 1, 2, tzinfo=UTC))
        assert ([one.id for one in due.published], [one.id for one in due.held]) == ([fine.id], [broken.id])
        told = [one.reason for one in house.library.store.log(objects=[broken.id]) if one.act == "hold"]
        assert "The mandatory attribute STATUS has no value" in told[0]


class TestTogether:
    def test_what_comes_out_before_it_takes_it_away(self, house: House) -> None:
        out(house, sent(house, *WHOLE))
        deleting, waiting = sent(house, deletion()), sent(house, merge("7"))
        assert "STATUS" in refused(house, deleting, waiting)
        assert out(house, waiting, deleting) == ["published", "published"]

    def test_or_gives_it(self, house: House) -> None:
        out(house, sent(house, *WHOLE))
        deleting, waiting, giving = sent(house, deletion()), sent(house, merge("7")), sent(house, WHOLE[0])
        assert "STATUS" in refused(house, deleting, waiting, giving)
        assert out(house, deleting, giving, waiting) == ["published", "published", "published"]

    def test_what_became_mandatory_meanwhile(self, house: House) -> None:
        out(house, sent(house, row("5", note="calm")))
        deleting, waiting = sent(house, "D,M,SOU,COD,2024-01,,,,,,calm,,"), sent(house, row("6"))
        changed(house, "PORT_NOTE", mandatory)
        assert "PORT_NOTE" in refused(house, deleting, waiting)
        assert out(house, waiting) == ["published"]

    def test_in_one_message(self, house: House) -> None:
        out(house, sent(house, *WHOLE))

        def codes(*rows: str) -> list[str]:
            body = "\n".join([HEADER, *(f"dataflow,SEA:DF_CATCH(1.0.0),{one}" for one in rows), ""]).encode()
            return [one.code for one in house.send(body, provider="SEA.HARBOUR", publish=False)[1]]

        assert codes(deletion(), merge("7")) == ["F303"]
        assert codes(deletion(status="A"), merge("7")) == ["F303", "F254"]
        assert codes(deletion("EEL"), merge("7")) == []
        assert codes(deletion(), WHOLE[0], merge("7")) == codes(WHOLE[0], merge("7"))


class TestWhoIsLookedAt:
    def test_the_receipt_tells_who_leaves_something_out(self, house: House) -> None:
        first = sent(house, *WHOLE)
        out(house, first)
        again, replacing, short = (
            sent(house, *WHOLE),
            sent(house, WHOLE[0].replace("M", "R", 1)),
            sent(house, merge("7")),
        )
        kept = [load_receipt(house.library.store, one.id).leaves_out for one in (first, again, replacing, short)]
        assert kept == [False, False, False, True]

    def test_one_of_which_it_is_not_known(self, sea: House) -> None:
        out(sea, sent(sea, *WHOLE))
        waiting = sent(sea, merge("7"))
        store = sea.library.store
        document = {**dict(store.document("receipt", waiting.id) or {}), "leaves_out": None}
        store.save_document("receipt", waiting.id, document)
        out(sea, sent(sea, deletion()))
        assert "STATUS" in refused(sea, waiting)

    def test_what_leaves_nothing_out_is_not_looked_at(self, sea: House, monkeypatch: pytest.MonkeyPatch) -> None:
        waiting = sent(sea, *WHOLE)
        out(sea, sent(sea, row("1", fish="EEL", period="2023-01")))
        monkeypatch.setattr(presence.Presence, "check", None)
        assert out(sea, waiting) == ["published"]

    def test_the_field_is_not_shown(self, sea: House) -> None:
        receipt = load_receipt(sea.library.store, sent(sea, *WHOLE).id)
        assert "leaves_out" not in receipt.to_json()
        assert receipt_change(receipt).document["leaves_out"] is False  # type: ignore[index]


def test_stored_keys_are_held_a_few_at_a_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [row("5", fish=fish, period=f"20{year}-{month:02}")
            for fish in ("COD", "EEL") for year in range(10, 20) for month in range(1, 13)]  # fmt: skip
    out(house, sent(house, *many))
    monkeypatch.setattr(presence, "_MOST_KNOWN", 1)
    waiting = sent(house, *(one.replace(",A,kg,", ",,,") for one in many))
    assert out(house, waiting) == ["published"]
    with pytest.raises(AssertionError):
        sent(house, merge("1", period="2031-01", unit="kg"))


# --- what deletions take away ----------------------------------------------------------------------------------------
SMALL = DataStructure(
    id="DSD_S",
    agency="TEST",
    version="1.0.0",
    dimensions=tuple(Dimension(id=id, concept=concept(id)) for id in ("A", "B")),
    time_dimension=TimeDimension(id="T", concept=concept("T")),
    measures=(Measure(id="V", concept=concept("V")),),
    attributes=(
        Attribute(id="O", concept=concept("O"), usage="mandatory"),
        Attribute(
            id="S", concept=concept("S"), usage="mandatory", relationship=Relationship(kind="dimensions", dimensions=("A",))
        ),
    ),
)  # fmt: skip
KEYS = list(product("ab", "xy", ("1", "2")))


def batch(*rows: dict[str, str]) -> pa.RecordBatch:
    return pa.record_batch({id: pa.array([one.get(id) for one in rows], pa.string()) for id in "ABTVOS"})


def oracle(rows: list[dict[str, str]], deletes: list[dict[str, str]]) -> list[tuple[bool, bool]]:
    """Whether O and S are there in each row, read from the text of the standard and of the store's publication."""

    def fits(one: dict[str, str], line: dict[str, str], ids: str) -> bool:
        return all(one[id] == line[id] for id in ids if id in one)

    def is_there(line: dict[str, str], component: str, level: str) -> bool:
        for one in deletes:
            key, named = {id for id in one if id in "ABT"}, {id for id in one if id in "VOS"}
            if component in named and fits(one, line, level):
                return False
            if not named and fits(one, line, "ABT") and (component == "O" or key <= set(level)):
                return False
        return True

    return [(is_there(line, "O", "ABT"), is_there(line, "S", "A")) for line in rows]


def forms() -> Iterator[dict[str, str]]:
    for a, b, t, named in product(("", "a"), ("", "x"), ("", "1"), ("", "V", "O", "S", "OS")):
        one = {"A": a, "B": b, "T": t, **dict.fromkeys(named, "-")}
        yield {id: value for id, value in one.items() if value}


@pytest.mark.parametrize("deletes", [[one] for one in forms()] + [list(forms())[3:7]])
def test_what_deletions_take_away_of_what_is_stored_and_of_what_was_said(deletes: list[dict[str, str]]) -> None:
    rows = [dict(zip("ABT", key, strict=True), V="1", O="o", S="s") for key in KEYS]
    with Workspace("128MB") as workspace:
        merged = StagedPart(structure=SMALL, dataflow="TEST:DF", provider="TEST.P", action=Action.MERGE)
        deleted = StagedPart(structure=SMALL, dataflow="TEST:DF", provider="TEST.P", action=Action.DELETE)
        workspace.add(merged, batch(*rows))
        workspace.add(deleted, batch(*deletes))
        workspace.add(
            StagedPart(structure=SMALL, dataflow="TEST:DF", provider="TEST.Q", action=Action.DELETE), batch({})
        )
        before = SentBefore(
            workspace=workspace, structure=SMALL, dataflow="TEST:DF", provider="TEST.P", components=("O", "S")
        )
        stored = pa.Table.from_batches(before.left([batch(*rows[:3]), batch(*rows[3:])]))
        said = pa.Table.from_batches(before.said()).sort_by([(id, "ascending") for id in "ABT"])
    wanted = oracle(rows, deletes)
    for found in (stored, said):
        keys = list(zip(*(found[id].to_pylist() for id in "ABT"), strict=True))
        told = list(zip(*(found[id].is_valid().to_pylist() for id in "OS"), strict=True))
        assert dict(zip(keys, told, strict=True)) == dict(zip(KEYS, wanted, strict=True))
