"""The log on both backends: one chain whoever writes, everything or nothing, and every change to it is found out."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdmx_service.errors import Conflict
from sdmx_service.storage.log import check_chain
from sdmx_service.storage.port import Act, DocumentChange, Mark, Record, Store
from tests.storage.cubes import publish, row, stage


def act(number: int, **more: Any) -> Act:
    return Act(principal="ann", role="publisher", act="try", object=f"thing {number}", **more)


def kept(id: str, document: dict[str, Any] | None, **more: Any) -> DocumentChange:
    return DocumentChange(kind="note", id=id, document=document, **more)


def faults(store: Store, *marks: tuple[str, Mark]) -> list[tuple[int, str]]:
    _, found = check_chain(store.log(), [("the head", store.mark()), *marks])
    return [(one.number, one.problem) for one in found]


def test_entries_follow_each_other(store: Store) -> None:
    assert (store.mark(), list(store.log())) == (Mark(number=0, hash=""), [])
    first = store.record(Record(acts=(act(1, reason='it\'s "so"', details={"b": [1], "a": "é"}),)))
    second = store.record(Record(acts=(act(2), act(3))))
    entries = list(store.log())
    assert [one.number for one in entries] == [1, 2, 3]
    assert [one.previous for one in entries] == ["", *(one.hash for one in entries[:-1])]
    assert (first.hash, second.hash) == (entries[0].hash, entries[2].hash) and store.mark() == second
    assert (entries[0].reason, json.loads(entries[0].details)) == ('it\'s "so"', {"a": "é", "b": [1]})
    assert entries[0].at <= entries[1].at == entries[2].at
    assert faults(store) == []
    assert [one.number for one in store.log(after=1, limit=1)] == [2]
    assert [one.number for one in store.log(objects=("thing 3", "thing 1"))] == [1, 3]
    assert store.record(Record()) == second


def test_all_of_a_record_or_nothing(store: Store) -> None:
    mark = store.record(Record(acts=(act(1),), changes=(kept("a", {"status": "new"}, is_marked=True), kept("b", {}))))
    assert store.document("note", "a") == {"status": "new", "log": mark.to_json()}
    wrong = kept("a", {"status": "newest"}, expected={"status": "old"})
    with pytest.raises(Conflict, match="somebody else"):
        store.record(Record(acts=(act(2),), changes=(kept("b", None), wrong)))
    assert (store.document("note", "b"), store.mark()) == ({}, mark)
    store.record(Record(changes=(replace(wrong, expected={"status": "new"}), kept("b", None))))
    assert (store.document("note", "a"), store.document("note", "b")) == ({"status": "newest"}, None)


def test_a_release_and_its_record_become_current_together(store: Store) -> None:
    stage(store, "S1", ("M", [row("A", "X", "VAN", "2020", "1")]))

    def record(number: int, changes: Any) -> Record:
        return Record(
            acts=(act(number, details={"inserted": changes[0].inserted}),), changes=(kept("a", {"in": number}),)
        )

    release, _ = store.publish(["S1"], record=record)
    assert (release.log, store.releases()[-1].log) == (store.mark(), store.mark())
    assert (json.loads(next(store.log()).details), store.document("note", "a")) == ({"inserted": 1}, {"in": 1})

    def refuse(number: int, changes: Any) -> Record:
        return Record(acts=(act(number),), changes=(kept("a", {"in": number}, expected={"in": 7}),))

    with pytest.raises(Conflict):
        store.publish(["S1"], record=refuse)
    with pytest.raises(Conflict):
        store.restore(0, record=refuse)
    assert (store.pointer().release, store.mark().number, store.document("note", "a")) == (1, 1, {"in": 1})
    assert publish(store, ("M", [row("A", "X", "VAN", "2021", "2")]), submission="S2") == 2  # what was left is cleaned
    assert store.restore(1, record=lambda number, changes: Record(acts=(act(9),))).log == store.mark()
    assert store.releases()[1].log is None


def test_structures_are_logged_with_their_generation(store: Store) -> None:
    store.save_artefacts({"urn:a": b"1"}, acts=(act(1),))
    with pytest.raises(Conflict):
        store.save_artefacts({"urn:a": b"2"}, 0, acts=(act(2),))
    assert [one.object for one in store.log()] == ["thing 1"]


def test_forgotten_rows(store: Store) -> None:
    stage(store, "S1", ("M", [row("A", "X", "VAN", "2020", "1")]))
    store.unstage("S1")
    store.unstage("S1")
    with pytest.raises(Conflict, match="no kept rows"):
        list(store.staged("S1"))


def test_threads_make_one_chain(store: Store) -> None:
    write_at_once([store, store, store])
    assert faults(store) == []
    assert store.mark().number == 30


@pytest.mark.postgres
def test_processes_make_one_chain(postgres_database: str) -> None:
    from tests.storage.backends import open_postgres

    stores = [open_postgres(postgres_database) for _ in range(3)]
    try:
        write_at_once(stores)
        assert faults(stores[0]) == []
        assert stores[1].mark().number == 30
    finally:
        for one in stores:
            one.close()


def write_at_once(stores: list[Store]) -> None:
    failed: list[Exception] = []

    def write(store: Store, begin: int) -> None:
        try:
            for number in range(begin, begin + 10):
                store.record(Record(acts=(act(number),), changes=(kept(f"n{number}", {"n": number}, is_marked=True),)))
        except Exception as error:  # noqa: BLE001 - told by the thread that waits
            failed.append(error)

    threads = [threading.Thread(target=write, args=(one, 100 * place)) for place, one in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


# --- changes to the log ---------------------------------------------------------------------------------------------
def seal_again(entries: list[dict[str, Any]]) -> None:
    """What a clever forger does: every hash from the change on made anew."""
    from sdmx_service.storage.log import _digest, _seal

    previous = ""
    for one in entries:
        one["_digest"], one["_previous"] = _digest(one["_details"]), previous
        told = (one[name] for name in ("_number", "_at", "_principal", "_role", "_act", "_object", "_reason"))
        one["_hash"] = previous = _seal(*told, one["_digest"], previous)


FIELDS = ("_principal", "_role", "_act", "_object", "_reason", "_details", "_digest", "_previous", "_hash")


def forged(store: Any, change: Callable[[list[dict[str, Any]]], None], *, with_head: bool = False) -> None:
    """The log as somebody with the database in his hands rewrites it."""
    entries = store._engine.read("SELECT * FROM log ORDER BY _number").to_pylist()
    change(entries)
    from sdmx_service.storage.quoting import literals

    with store._engine.transaction() as session:
        session.execute("DELETE FROM log")
        for one in entries:
            session.execute(f"INSERT INTO log VALUES ({literals(list(one.values()))})")
        if with_head:
            last = entries[-1] if entries else {"_number": 0, "_at": 0, "_hash": ""}
            names = ", ".join(f"{name} = {literals([last[name]])}" for name in ("_number", "_at", "_hash"))
            session.execute(f"UPDATE log_head SET {names}")


@pytest.fixture
def written(store: Store) -> tuple[Store, list[tuple[str, Mark]]]:
    """A log of six entries, and the marks that others have of the third and the last."""
    marks = [store.record(Record(acts=(act(number, reason="so"),))) for number in range(1, 7)]
    return store, [("a receipt", marks[2]), ("release 1", marks[5])]


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_change_is_found_out(written: tuple[Store, list[tuple[str, Mark]]], data: st.DataObject) -> None:
    store, marks = written
    kept_rows = store._engine.read("SELECT * FROM log ORDER BY _number").to_pylist()  # type: ignore[attr-defined]
    try:
        kind = data.draw(st.sampled_from(["change", "time", "remove", "insert", "swap", "truncate"]))
        place, other = data.draw(st.integers(0, 5)), data.draw(st.integers(0, 4))
        field, clever = data.draw(st.sampled_from(FIELDS)), data.draw(st.booleans())

        def change(entries: list[dict[str, Any]]) -> None:
            if kind == "change":
                entries[place][field] += "x"
            elif kind == "time":
                entries[place]["_at"] += 1
            elif kind == "remove":
                del entries[place]
            elif kind == "insert":
                entries.insert(place, {**entries[place], "_object": "what never was"})
            elif kind == "truncate":
                del entries[place:]
            else:
                first, second = sorted({place, other} if place != other else {place, (place + 1) % 6})
                entries[first], entries[second] = entries[second], entries[first]
                for number in (first, second):
                    entries[number]["_number"] = number + 1
            if clever and field not in ("_digest", "_previous", "_hash"):
                for number, one in enumerate(entries, 1):
                    one["_number"] = number
                seal_again(entries)

        forged(store, change, with_head=clever)
        assert faults(store, *marks), (kind, place, field, clever)
    finally:
        forged(store, lambda entries: entries.__setitem__(slice(None), kept_rows), with_head=True)
    assert faults(store, *marks) == []


def test_a_cut_off_end_is_found_by_a_mark_that_somebody_keeps(written: tuple[Store, list[tuple[str, Mark]]]) -> None:
    store, marks = written
    forged(store, lambda entries: entries.__delitem__(slice(4, None)), with_head=True)
    assert faults(store) == []
    assert faults(store, *marks) == [(6, "release 1 knows this entry, and it is not here.")]
