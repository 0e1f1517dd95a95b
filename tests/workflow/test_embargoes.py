"""Embargoes: to the minute in a zone, on slices, several at once, published together and once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sdmx_service.auth import OPERATOR
from sdmx_service.catalog.library import Library
from sdmx_service.errors import Conflict, NotAllowed, NotFound, SdmxError, SemanticFault, SyntaxFault
from sdmx_service.storage.port import Store
from sdmx_service.submission.receipt import load_receipt
from sdmx_service.workflow.embargoes import Embargo, embargo, held_until, lift, moment
from sdmx_service.workflow.history import history
from sdmx_service.workflow.policies import keep
from sdmx_service.workflow.publishing import next_moment, publish, publish_due
from sdmx_service.workflow.steps import approve, follow_embargo, follow_lifting, hold, schedule
from tests.harness import House
from tests.workflow.office import COMPILER, OFFICE, REVIEWER, SECOND, figures
from tests.workflow.test_steps import NOW, at, sent, strict

HOUR = datetime(2026, 12, 1, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-12-01T08:00", "Europe/Malta", "2026-12-01T07:00"),
        ("2026-07-01T08:00", "Europe/Malta", "2026-07-01T06:00"),
        ("2026-12-01T08:00", "Asia/Kathmandu", "2026-12-01T02:15"),
        ("2026-12-01T08:00+01:00", None, "2026-12-01T07:00"),
        ("2026-12-01T08:00Z", None, "2026-12-01T08:00"),
        ("2026-10-25T02:30+01:00", None, "2026-10-25T01:30"),
    ],
)
def test_moments(text: str, zone: str | None, expected: str) -> None:
    assert moment(text, zone).isoformat(timespec="minutes") == f"{expected}+00:00"


@pytest.mark.parametrize(
    ("text", "zone", "said"),
    [
        ("2026-12-01T08:00", None, "no time zone"),
        ("tomorrow", "UTC", "no moment"),
        ("2026-12-01T08:00:30", "UTC", "finer"),
        ("2026-12-01T08:00", "Mars/Olympus", "Mars"),
        ("2026-12-01T08:00", "../../etc/passwd", "passwd"),
        ("2026-12-01T08:00+01:00", "UTC", "offset already"),
        ("2026-10-25T02:30", "Europe/Malta", "show twice"),
        ("2026-03-29T02:30", "Europe/Malta", "never show"),
        ("2026-12-01", "UTC", "no time of day"),
        ("2026-12-01T08:00+01:00:30", None, "finer"),
        ("9999-12-31T23:59", "America/New_York", "out of all time"),
        ("0001-01-01T00:00+05:00", None, "out of all time"),
    ],
)
def test_what_is_no_moment(text: str, zone: str | None, said: str) -> None:
    with pytest.raises(SdmxError, match=said):
        moment(text, zone)


def test_a_moment_that_clocks_skip_or_repeat_is_told_as_it_may_be_written() -> None:
    for text, zone, near in (
        ("2026-03-29T02:30", "Europe/Malta", ["2026-03-29T01:30+01:00", "2026-03-29T03:30+02:00"]),
        ("2027-11-07T01:30", "America/New_York", ["2027-11-07T01:30-04:00", "2027-11-07T01:30-05:00"]),
    ):
        with pytest.raises(SemanticFault) as found:
            moment(text, zone)
        assert found.value.hint == f"Write, without a zone, {' or '.join(near)}."
        assert moment(near[0], None) < moment(near[1], None)


def hold_back(house: House, at: str = "2026-12-01T08:00", zone: str = "Europe/Malta", **more: object) -> Embargo:
    made = embargo(house.library, COMPILER, NOW, dataflow="DF_CATCH", at=at, zone=zone, **more)  # type: ignore[arg-type]
    follow_embargo(made, house.library)
    return made


@pytest.mark.parametrize(
    ("part", "is_held"),
    [
        ({}, True),
        ({"FISH": ["COD"]}, True),
        ({"FISH": ["EEL", "COD"], "PORT": ["SOU"]}, True),
        ({"FISH": ["EEL"]}, False),
        ({"FISH": ["COD"], "PORT": ["NOR"]}, False),
        ({"TIME_PERIOD": ["2024-01"]}, True),
        ({"TIME_PERIOD": ["2024-02"]}, False),
        ({"TIME_PERIOD": ["2024"]}, True),  # a month of that year
        ({"TIME_PERIOD": ["2023", "2024-01-01"]}, False),
        ({"STATUS": ["A"]}, True),
        ({"GRADE": ["G1"]}, True),  # not said: it may be that of the figure stored
    ],
)
def test_slices(house: House, part: dict[str, list[str]], is_held: bool) -> None:
    receipt = sent(house)
    made = hold_back(house, slice=part)
    found = held_until(receipt.id, house.library.store, NOW)
    assert found == (made if is_held else None)
    assert held_until(receipt.id, house.library.store, HOUR) is None
    if is_held:
        with pytest.raises(Conflict, match=r"until 2026-12-01T08:00 Europe/Malta \(2026-12-01T07:00"):
            publish([receipt.id], house.library, COMPILER, now=HOUR - timedelta(minutes=1))
    else:
        assert publish([receipt.id], house.library, COMPILER, now=NOW)[0].status == "published"


def test_a_deletion_falls_under_every_slice_it_may_touch(sea: House) -> None:
    receipt = sent(sea, message=figures("D", COD_2024_01=""))
    hold_back(sea, slice={"GRADE": ["G1"]})
    assert held_until(receipt.id, sea.library.store, NOW) is not None


def test_another_dataflow_is_free(sea: House) -> None:
    hold_back(sea)
    free = b"STRUCTURE,STRUCTURE_ID,ACTION,PORT,FISH,LICENCES\ndataflow,SEA:DF_LICENCE(1.0.0),M,NOR,COD,12\n"
    assert sent(sea, COMPILER, free, publish_now=True).status == "published"


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ({"dataflow": "DF_CATSH"}, NotFound),
        ({"slice": {"FISCH": ["COD"]}}, NotFound),
        ({"slice": {"FISH": ["CODD"]}}, NotFound),
        ({"slice": {"FISH": []}}, SemanticFault),
        ({"slice": {"WEIGHT": ["5"]}}, NotFound),
        ({"slice": {"TIME_PERIOD": ["20x4"]}}, SyntaxFault),
        ({"at": "2026-11-30T13:00"}, SemanticFault),
    ],
)
def test_what_is_no_embargo(sea: House, wrong: dict[str, object], kind: type[SdmxError]) -> None:
    said = {"dataflow": "DF_CATCH", "at": "2026-12-01T08:00", "zone": "Europe/Malta", **wrong}
    before = sea.library.store.mark()
    with pytest.raises(kind):
        embargo(sea.library, COMPILER, NOW, **said)  # type: ignore[arg-type]
    for who in (OFFICE, REVIEWER):
        with pytest.raises(NotAllowed):
            embargo(sea.library, who, NOW, dataflow="DF_CATCH", at="2030-01-01T00:00", zone="UTC")
    assert sea.library.store.mark() == before


def test_who_waits_for_the_hour(house: House) -> None:
    """What is ready: approved, or of a sender who may publish. What nobody has looked at stays accepted."""
    early, approved = sent(house), at("approved", house)
    hold_back(house)
    store = house.library.store
    assert [load_receipt(store, one).status for one in (early.id, approved)] == ["accepted", "scheduled"]
    assert sent(house).status == "accepted"
    assert sent(house, COMPILER).scheduled_for == HOUR.isoformat()
    late = sent(house, COMPILER, publish_now=True)
    assert (late.status, late.release) == ("scheduled", None)
    assert approve(early.id, house.library, REVIEWER, NOW).status == "scheduled"
    assert next_moment(store) == HOUR
    assert store.pointer().release == 0


def test_everything_due_is_one_release(house: House) -> None:
    hold_back(house, slice={"FISH": ["COD"]})
    hold_back(house, at="2026-12-02T08:00", slice={"FISH": ["EEL"]})
    first, second = sent(house, COMPILER), sent(house, COMPILER, figures(COD_2024_01="7", COD_2024_02="8"))
    both = sent(house, COMPILER, figures(COD_2024_01="9", EEL_2024_01="9"))
    own = schedule(
        sent(house, COMPILER, figures(NA_2024_01="1")).id, house.library, COMPILER, NOW, at="2026-12-01T07:00Z"
    )
    assert both.scheduled_for == "2026-12-02T07:00:00+00:00"  # the longest embargo counts
    assert publish_due(house.library, HOUR - timedelta(seconds=1)).published == ()
    due = publish_due(house.library, HOUR)
    assert [(one.id, one.release) for one in due.published] == [(one.id, 1) for one in (first, second, own)]
    assert house.library.store.releases()[-1].submissions == tuple(one.id for one in (first, second, own))
    assert {row["FISH"]: row["WEIGHT"] for row in house.rows("v2/data/dataflow/SEA/DF_CATCH/1.0.0?c[TIME_PERIOD]=2024-01")} == {
        "COD": "7", "NA": "1",
    }  # fmt: skip
    assert publish_due(house.library, HOUR).published == ()
    assert publish_due(house.library, HOUR + timedelta(days=40)).published[0].id == both.id  # long after: it catches up


def test_what_contradicts_is_held_and_stops_nobody(house: House) -> None:
    hold_back(house)
    fits = [
        sent(house, COMPILER, figures(COD_2024_01="1", EEL_2024_01="1", NA_2024_01="1")),
        sent(house, COMPILER, figures(COD_2024_02="2")),
    ]
    wrong = sent(house, COMPILER, total("4"))
    due = publish_due(house.library, HOUR)
    assert [one.id for one in due.published] == [one.id for one in fits]
    assert [(one.id, one.status) for one in due.held] == [(wrong.id, "accepted")]
    told = list(history(house.library.store, COMPILER, object=wrong.id))[-1]
    assert (told["act"], told["principal"]) == ("hold", "service") and "is not the sum 3" in told["reason"]


def total(weight: str) -> bytes:
    return figures(COD_2024_01=weight).replace(b",COD,", b",_T,")


def test_lifting_publishes_at_once(house: House) -> None:
    long, short = hold_back(house, at="2027-01-01T08:00"), hold_back(house)
    receipt = sent(house, COMPILER)
    store = house.library.store
    with pytest.raises(SyntaxFault):
        lift(long.id, house.library, COMPILER, NOW, reason=" ")
    with pytest.raises(NotFound):
        lift("E0", house.library, COMPILER, NOW, reason="war")
    with pytest.raises(NotAllowed):
        lift(long.id, house.library, OFFICE, NOW, reason="war")
    lifted = lift(long.id, house.library, COMPILER, NOW, reason="leaked")
    assert [one.scheduled_for for one in follow_lifting(lifted, store, NOW)] == [
        HOUR.isoformat()
    ]  # the other still holds
    assert publish_due(house.library, NOW).published == ()
    with pytest.raises(Conflict, match="is over"):
        lift(long.id, house.library, COMPILER, NOW, reason="leaked")
    follow_lifting(lift(short.id, house.library, COMPILER, NOW, reason="leaked"), store, NOW)
    assert [one.id for one in publish_due(house.library, NOW).published] == [receipt.id]


def test_held_by_hand_and_moved(sea: House) -> None:
    receipt = sent(sea)
    with pytest.raises(SemanticFault, match="No moment"):
        schedule(receipt.id, sea.library, COMPILER, NOW)
    with pytest.raises(SemanticFault, match="is over"):
        schedule(receipt.id, sea.library, COMPILER, NOW, at="2020-01-01T00:00Z")
    assert schedule(receipt.id, sea.library, COMPILER, NOW, at="2026-12-01T09:00Z").status == "scheduled"
    hold_back(sea, at="2026-12-02T08:00")
    assert load_receipt(sea.library.store, receipt.id).scheduled_for == "2026-12-02T07:00:00+00:00"
    with pytest.raises(Conflict, match="2026-12-02T08:00 Europe/Malta"):
        schedule(receipt.id, sea.library, COMPILER, NOW, at="2026-12-01T09:00Z")
    assert hold(receipt.id, sea.library, COMPILER, reason="doubts").status == "accepted"
    assert schedule(receipt.id, sea.library, COMPILER, NOW).scheduled_for == "2026-12-02T07:00:00+00:00"


@pytest.mark.postgres
def test_several_processes_publish_once(postgres_database: str) -> None:
    from tests.harness import open_house
    from tests.storage.backends import open_postgres
    from tests.workflow.office import CONTENT

    with open_house(postgres_database, CONTENT) as house:
        hold_back(house)
        ids = [sent(house, COMPILER).id for _ in range(3)]
        stores: list[Store] = [open_postgres(postgres_database) for _ in range(4)]
        found: list[tuple[str, ...]] = []
        failed: list[Exception] = []

        def look(store: Store) -> None:
            try:
                found.append(tuple(one.id for one in publish_due(Library(store), HOUR).published))
            except Exception as error:  # noqa: BLE001 - told by the thread that waits
                failed.append(error)

        threads = [threading.Thread(target=look, args=(one,)) for one in stores]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for one in stores:
            one.close()
        assert failed == []
        assert sorted(found) == [(), (), (), tuple(ids)]
        assert [one.submissions for one in house.library.store.releases()] == [tuple(ids)]


def test_an_embargo_that_comes_while_something_is_published_wins(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was asked for embargoes, there was none, and one came before the release was current."""
    receipt = sent(house)
    store = house.library.store
    move = type(store)._move_pointer

    def late(self: object, *args: object) -> object:
        monkeypatch.setattr(type(store), "_move_pointer", move)
        hold_back(house)
        return move(self, *args)

    monkeypatch.setattr(type(store), "_move_pointer", late)
    with pytest.raises(Conflict, match="Europe/Malta"):
        publish([receipt.id], house.library, COMPILER, now=NOW)
    assert (store.pointer().release, load_receipt(store, receipt.id).status) == (0, "accepted")
    with pytest.raises(Conflict, match="Europe/Malta"):
        publish([receipt.id], house.library, COMPILER, now=NOW)


def test_an_embargo_is_no_way_around_four_eyes(tmp_path: Path) -> None:
    """Who approved it sets an embargo, which would otherwise publish it at its hour without anybody else."""
    with strict(tmp_path, four_eyes=["publication"]) as sea:
        id = sent(sea).id
        approve(id, sea.library, SECOND, NOW)
        made = embargo(sea.library, SECOND, NOW, dataflow="DF_CATCH", at="2026-12-01T08:00", zone="Europe/Malta")
        assert follow_embargo(made, sea.library) == []
        assert load_receipt(sea.library.store, id).status == "approved"
        assert publish_due(sea.library, HOUR).published == ()
        assert schedule(id, sea.library, COMPILER, NOW).scheduled_for == HOUR.isoformat()
        longer = embargo(sea.library, SECOND, NOW, dataflow="DF_CATCH", at="2026-12-02T07:00Z")
        assert [one.id for one in follow_embargo(longer, sea.library)] == [id]  # two had a look; it only waits longer
        assert [one.id for one in publish_due(sea.library, longer.moment).published] == [id]


@pytest.mark.parametrize(
    ("policy", "is_approved", "lacks"),
    [
        ({"approval": "needed"}, False, "It is not approved"),
        ({"approval": "needed"}, True, None),
        ({"four_eyes": ["publication"]}, True, "Nobody else than its approver"),
        ({"four_eyes": ["publication"]}, False, None),
    ],
)
def test_the_sign_off_of_the_hour_counts(
    house: House, policy: dict[str, object], is_approved: bool, lacks: str | None
) -> None:
    """Like whatever else is asked at publication: an administrator may have changed it since."""
    id = sent(house, COMPILER).id
    if is_approved:
        approve(id, house.library, COMPILER, NOW)
    hold_back(house)
    if not is_approved:
        schedule(id, house.library, COMPILER, NOW)
    assert load_receipt(house.library.store, id).status == "scheduled"
    keep("sign_off", {"id": "LATER", **policy}, house.library, OPERATOR)
    due = publish_due(house.library, HOUR)
    found = load_receipt(house.library.store, id)
    if lacks is None:
        assert found.status == "published"
        return
    assert (found.status, due.published) == ("approved" if is_approved else "accepted", ())
    assert [one.id for one in due.held] == [id]
    assert lacks in str(list(history(house.library.store, COMPILER, object=id))[-1]["reason"])


def test_what_waits_has_its_changes_counted(house: House) -> None:
    """Also where it was to be published at once; the receipt would say until the end that it changes nothing."""
    hold_back(house)
    waiting = sent(house, COMPILER, publish_now=True)
    other = sent(house, COMPILER, figures(EEL_2024_01="7", EEL_2024_02="8"), publish_now=True)
    assert [load_receipt(house.library.store, one.id).dataflows[0].inserted for one in (waiting, other)] == [1, 2]
    published = publish_due(house.library, HOUR).published
    assert [(one.status, one.dataflows[0].inserted) for one in published] == [("published", 1), ("published", 2)]
