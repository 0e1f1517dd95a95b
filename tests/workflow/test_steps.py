"""The life of a submission: what leads where, who may, sign-off, four eyes, comments."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sdmx_service.auth import OPERATOR, Principal
from sdmx_service.catalog.sign_off import SignOff, read_sign_off, sign_off_for
from sdmx_service.errors import Conflict, InvalidStructure, NotAllowed, NotFound, SdmxError, SemanticFault, SyntaxFault
from sdmx_service.model.urn import Ref
from sdmx_service.storage.port import Record
from sdmx_service.submission.reading import Wish
from sdmx_service.submission.receipt import Receipt, Status, load_receipt, receipt_change
from sdmx_service.submission.submit import SentFile
from sdmx_service.workflow import steps
from sdmx_service.workflow.history import verify
from sdmx_service.workflow.policies import keep
from sdmx_service.workflow.publishing import publish
from sdmx_service.workflow.sending import send
from sdmx_service.workflow.states import STEPS, require
from tests.harness import House, open_house
from tests.workflow.office import COMPILER, CONTENT, OFFICE, REVIEWER, SECOND, Watch, figures

NOW = Watch().now
COAST = Principal(id="coast", role="provider", provider="SEA.COAST")
READER = Principal(id="reader", role="reader")
STATUSES = ("received", "refused", "accepted", "approved", "scheduled", "published", "superseded", "withdrawn")
LATER = {"at": "2030-01-01T00:00+00:00"}


def sent(house: House, who: Principal = OFFICE, message: bytes | None = None, **more: Any) -> Receipt:
    file = SentFile(file=io.BytesIO(message or figures(COD_2024_01="5")), name="catch.csv")
    wish = Wish() if who.provider else Wish(provider="SEA.HARBOUR")
    return send(file, wish, house.library, who, now=NOW, **more)


def do(act: str, id: str, house: House, who: Principal) -> Receipt:
    library = house.library
    found: dict[str, Any] = {
        "approve": lambda: steps.approve(id, library, who, NOW),
        "refuse": lambda: steps.refuse(id, library, who, reason="wrong unit"),
        "schedule": lambda: steps.schedule(id, library, who, NOW, **LATER),
        "hold": lambda: steps.hold(id, library, who),
        "publish": lambda: publish([id], library, who, now=NOW)[0],
        "withdraw": lambda: steps.withdraw(id, library, who),
        "correct": lambda: sent(house, who, corrects=id),
    }
    return found[act]()  # type: ignore[no-any-return]


def at(status: str, house: House) -> str:
    """The id of a submission in a status."""
    if status == "refused":
        return sent(house, message=figures(CODD_2024_01="5")).id
    receipt = sent(house)
    leads = {"approved": "approve", "scheduled": "schedule", "published": "publish", "withdrawn": "withdraw"}
    if status == "superseded":
        sent(house, corrects=receipt.id)
    elif status in leads:
        do(leads[status], receipt.id, house, COMPILER)
    return receipt.id


@pytest.mark.parametrize("status", [one for one in STATUSES if one != "received"])
def test_every_act_in_every_status(sea: House, status: Status) -> None:
    """What the table says happens, and nothing else."""
    for act, step in STEPS.items():
        if act == "supersede":
            continue
        id = at(status, sea)
        before = load_receipt(sea.library.store, id)
        assert before.status == status
        if status in step.sources:
            after = do(act, id, sea, COMPILER)
            targets = {"hold": "accepted", "correct": "accepted"}
            assert after.status == (step.target or targets[act])
            assert load_receipt(sea.library.store, after.id) == after
        else:
            with pytest.raises(Conflict, match=status):
                do(act, id, sea, COMPILER)
            assert load_receipt(sea.library.store, id) == before
    assert verify(sea.library.store, COMPILER)["is_whole"]


def test_a_refusal_names_what_is_possible(sea: House) -> None:
    receipt = load_receipt(sea.library.store, at("accepted", sea))
    with pytest.raises(Conflict) as found:
        require("hold", receipt)
    assert found.value.hint == "Possible now: approve, refuse, schedule, publish, withdraw, correct."
    with pytest.raises(Conflict, match="withdrawn") as found:
        require("publish", replace(receipt, status="withdrawn"))
    assert "Nothing more" in found.value.hint


MAY = {
    "approve": (REVIEWER, COMPILER, OPERATOR),
    "refuse": (REVIEWER, COMPILER, OPERATOR),
    "schedule": (COMPILER, OPERATOR),
    "hold": (COMPILER, OPERATOR),
    "publish": (COMPILER, OPERATOR),
    "withdraw": (OFFICE, COMPILER, OPERATOR),
}


@pytest.mark.parametrize("act", MAY)
def test_who_may(sea: House, act: str) -> None:
    for who in (OFFICE, COAST, READER, REVIEWER, COMPILER, OPERATOR):
        id = at("scheduled" if act == "hold" else "accepted", sea)
        if who in MAY[act]:
            assert do(act, id, sea, who).status != ("scheduled" if act == "hold" else "accepted")
        else:
            with pytest.raises((NotAllowed, NotFound)):
                do(act, id, sea, who)


def test_two_at_once_do_not_both_win(house: House) -> None:
    id = at("accepted", house)
    before = load_receipt(house.library.store, id)
    steps.withdraw(id, house.library, OFFICE)
    late = receipt_change(replace(before, status="approved"), before.status)
    with pytest.raises(Conflict, match="somebody else"):
        house.library.store.record(Record(acts=(COMPILER.does("approve", id),), changes=(late,)))
    assert load_receipt(house.library.store, id).status == "withdrawn"


def test_who_publishes_at_the_same_moment_as_somebody_else_need_not_ask_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked at again on top of the other release; what the other published itself is told as such."""
    mine, other = sent(house).id, sent(house, message=figures(EEL_2024_01="7")).id
    store = house.library.store
    apply = type(store).publish

    def between(self: Any, *args: Any, **more: Any) -> Any:
        monkeypatch.setattr(type(store), "publish", apply)
        publish([other], house.library, SECOND, now=NOW)
        return apply(self, *args, **more)

    monkeypatch.setattr(type(store), "publish", between)
    assert publish([mine], house.library, COMPILER, now=NOW)[0].release == 2
    assert [one.submissions for one in store.releases()] == [(other,), (mine,)]
    other = sent(house, message=figures(EEL_2024_01="9")).id
    monkeypatch.setattr(type(store), "publish", between)
    with pytest.raises(Conflict, match=f"{other} is published"):
        publish([other], house.library, COMPILER, now=NOW)
    assert store.pointer().release == 3


def test_words_are_needed_and_kept(sea: House) -> None:
    id = at("accepted", sea)
    with pytest.raises(SyntaxFault, match="needs a reason"):
        steps.refuse(id, sea.library, COMPILER, reason=" ")
    with pytest.raises(SyntaxFault, match="4000 fit"):
        steps.refuse(id, sea.library, COMPILER, reason="x" * 4001)
    with pytest.raises(SyntaxFault, match="no text"):
        steps.comment(id, sea.library, COMPILER, NOW, text="")
    with pytest.raises(NotFound):
        steps.comment(id, sea.library, COAST, NOW, text="may I?")
    said = [
        steps.comment(id, sea.library, who, NOW, text=text) for who, text in ((COMPILER, "Why <b>?"), (OFFICE, "So."))
    ]
    assert steps.comments(id, sea.library.store) == [one.to_json() for one in said]
    assert [(one.by, one.text, one.status) for one in said] == [
        ("compiler", "Why <b>?", "accepted"),
        ("office", "So.", "accepted"),
    ]


# --- sign-off -------------------------------------------------------------------------------------------------------
@contextmanager
def strict(folder: Path, **policy: Any) -> Iterator[House]:
    """A house with a sign-off for the catch."""
    content = folder / "content"
    shutil.copytree(CONTENT, content)
    place = content / "dsd" / "sign_off"
    place.mkdir()
    document = {"id": "STRICT", "applies_to": ["SEA:DF_CATCH"], "approval": "needed", **policy}
    (place / "STRICT.json").write_text(json.dumps(document))
    with open_house(f"duckdb:///{folder / 'store.duckdb'}", content) as opened:
        yield opened


def test_nothing_is_published_unapproved(tmp_path: Path) -> None:
    with strict(tmp_path, approvers=["reviewer"]) as house:
        receipt = sent(house, COMPILER, publish_now=True)
        assert (receipt.status, receipt.dataflows[0].inserted) == ("accepted", 1)
        assert load_receipt(house.library.store, receipt.id) == receipt
        for act in ("publish", "schedule"):
            with pytest.raises(Conflict, match="not approved yet"):
                do(act, receipt.id, house, COMPILER)
        with pytest.raises(NotAllowed) as found:
            do("approve", receipt.id, house, COMPILER)
        assert found.value.hint == "Approving: reviewer."
        assert do("approve", receipt.id, house, REVIEWER).status == "approved"
        assert do("publish", receipt.id, house, COMPILER).status == "published"
        free = b"STRUCTURE,STRUCTURE_ID,ACTION,PORT,FISH,LICENCES\ndataflow,SEA:DF_LICENCE(1.0.0),M,NOR,COD,12\n"
        assert sent(house, COMPILER, free, publish_now=True).status == "published"


def test_four_eyes(tmp_path: Path) -> None:
    with strict(tmp_path, four_eyes=["approval", "publication"]) as house:
        receipt = sent(house, COMPILER)
        with pytest.raises(NotAllowed, match="compiler sent"):
            do("approve", receipt.id, house, COMPILER)
        do("approve", receipt.id, house, SECOND)
        for act in ("publish", "schedule"):
            with pytest.raises(NotAllowed, match="second approved"):
                do(act, receipt.id, house, SECOND)
        assert do("publish", receipt.id, house, COMPILER).status == "published"


def test_the_strictest_holds() -> None:
    flow = Ref(type="Dataflow", agency="SEA", id="DF_CATCH", version="1.0.0")
    lax = read_sign_off({"id": "LAX", "applies_to": "*"}, "here")
    hard = read_sign_off({"id": "HARD", "applies_to": ["DF_CATCH"], "approval": "needed", "approvers": ["administrator"],
                          "four_eyes": ["publication"]}, "here")  # fmt: skip
    found = sign_off_for([flow], [lax, hard])
    assert (found.needs_approval, found.approvers, found.published_by_another, found.approved_by_another) == (
        True, ("administrator",), True, False,
    )  # fmt: skip
    other = replace(flow, id="DF_OTHER")
    assert sign_off_for([other], [lax, hard]).needs_approval is False
    assert sign_off_for([flow], []) == SignOff()
    every = read_sign_off({"id": "ALL", "applies_to": ["*", "DF_OTHER"], "approval": "needed"}, "here")
    assert sign_off_for([flow], [every]).needs_approval


def test_sign_offs_that_leave_no_approver_say_so(tmp_path: Path) -> None:
    with strict(tmp_path, approvers=["reviewer"]) as house:
        keep("sign_off", {"id": "MORE", "approvers": ["publisher"]}, house.library, OPERATOR)
        id = sent(house).id
        with pytest.raises(NotAllowed) as found:
            do("approve", id, house, REVIEWER)
        assert found.value.hint == "MORE, STRICT leave no role that approves; an administrator changes them."


@pytest.mark.parametrize(
    ("kind", "wrong", "said", "hint"),
    [
        ("sign_off", {"id": ""}, "'' is no id", "Letters"),
        ("sign_off", {"id": "../X"}, "'../X' is no id", "Letters"),
        (
            "sign_off",
            {"applies_to": ["SEA:DF_CATSH"]},
            "sign_off.applies_to: there is no dataflow SEA:DF_CATSH",
            "DF_CATCH",
        ),
        ("sign_off", {"applies_to": ["SEA:DF_CATCH(2.0.0)"]}, "SEA:DF_CATCH(2.0.0)", "DF_CATCH"),
        ("collection", {"dataflows": ["DF_CATSH"]}, "collection.dataflows: there is no dataflow DF_CATSH", "DF_CATCH"),
    ],
)
def test_a_policy_for_nothing_is_not_kept(sea: House, kind: Any, wrong: dict[str, Any], said: str, hint: str) -> None:
    """It could not be taken away again, or leaves the dataflow that is meant as free as it was."""
    days = {
        "asked": {"years_after": 0, "day": "--12-01"},
        "due": {"years_after": 1, "day": "--03-31"},
        "first_year": 2023,
    }
    more = {"providers": ["*"], "dataflows": ["DF_CATCH"], **days} if kind == "collection" else {}
    with pytest.raises(SemanticFault) as found:
        keep(kind, {"id": "X", **more, **wrong}, sea.library, OPERATOR)
    assert said in found.value.detail
    assert hint in found.value.hint
    assert keep(kind, {"id": "X", **more}, sea.library, OPERATOR) == "X"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, "id"),
        ({"id": "X", "approval": "perhaps"}, "approval"),
        ({"id": "X", "approvers": ["provider"]}, "provider"),
        ({"id": "X", "four_eyes": ["all"]}, "four_eyes"),
        ({"id": "X", "colour": "red"}, "colour"),
    ],
)
def test_a_wrong_sign_off_names_its_place(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidStructure, match=said) as found:
        read_sign_off(wrong, "dsd/sign_off/X.json")
    assert "dsd/sign_off/X.json" in found.value.detail


# --- corrections ----------------------------------------------------------------------------------------------------
def test_a_correction_takes_the_place_of_what_was_not_published(house: House) -> None:
    first = sent(house)
    second = sent(house, corrects=first.id)
    third = sent(house, corrects=second.id)
    store = house.library.store
    assert [load_receipt(store, one.id).status for one in (first, second, third)] == [
        "superseded",
        "superseded",
        "accepted",
    ]
    assert load_receipt(store, first.id).corrected_by == second.id
    with pytest.raises(Conflict, match="superseded") as found:
        sent(house, corrects=first.id)
    assert second.id in found.value.hint
    do("publish", third.id, house, COMPILER)
    fourth = sent(house, corrects=third.id)
    assert load_receipt(store, third.id).status == "published"  # until the correction is published too
    do("publish", fourth.id, house, COMPILER)
    assert load_receipt(store, third.id).status == "superseded"


def test_over_a_refused_correction(sea: House) -> None:
    store = sea.library.store
    first = sent(sea)
    do("publish", first.id, sea, COMPILER)
    refused = sent(sea, message=figures(CODD_2024_01="5"), corrects=first.id)
    assert (refused.status, load_receipt(store, first.id).status) == ("refused", "published")
    again = sent(sea, corrects=refused.id)
    do("publish", again.id, sea, COMPILER)
    assert [load_receipt(store, one.id).status for one in (first, refused)] == ["superseded", "refused"]


def test_what_cannot_be_corrected(sea: House) -> None:
    withdrawn = at("withdrawn", sea)
    with pytest.raises(Conflict, match="withdrawn"):
        sent(sea, corrects=withdrawn)
    own = sent(sea)
    before = (sea.library.store.mark(), [one for one, _ in sea.library.store.documents("receipt")])
    with pytest.raises(NotFound):
        sent(sea, COAST, corrects=own.id)
    file = SentFile(file=io.BytesIO(figures(COD_2024_01="5")), name="catch.csv")
    with pytest.raises(Conflict, match=r"SEA\.HARBOUR, and the file of SEA\.COAST"):
        send(file, Wish(provider="SEA.COAST"), sea.library, COMPILER, corrects=own.id)
    with pytest.raises(SdmxError):
        sent(sea, corrects="S0")
    assert (sea.library.store.mark(), [one for one, _ in sea.library.store.documents("receipt")]) == before
