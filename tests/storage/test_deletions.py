"""Deletions: by a part of the key, of named components, and what becomes of an observation of which nothing is left.

SDMX 3.1 technical notes, *Action*: a deletion without measures and attributes deletes everything at its key, one that
names some deletes those.
"""

from __future__ import annotations

from typing import Any

import pytest

from sdmx_service.storage.port import ChangeCounts, Store
from tests.storage.cubes import (
    FULL,
    ICE_NOW,
    NORTH,
    PARLOURS,
    SALES,
    SOUTH,
    observed,
    publish,
    read,
    row,
    select,
    stage,
)

MARKS = {"SCOOPS": "1", "MOOD": "-", "STATUS": "-", "ERROR": "1", "REMARK": {"en": "-"}, "TOPPINGS": ["-"]}
"""A mark in every measure and every attribute of the observation."""
HIGHER = {"UNIT": "-", "FACTOR": "1", "SHOP": "-", "TASTERS": ["-"], "SOURCE": {"en": "-"}}
"""A mark in every attribute of series, groups and data set."""


@pytest.mark.parametrize(
    ("delete", "left"),
    [
        (row("A", "X", "VAN", "2020"), ["X.VAN.2021=2", "X.LEM.2020=3", "Y.VAN.2020=4"]),
        (row("A", "X", "VAN"), ["X.LEM.2020=3", "Y.VAN.2020=4"]),
        ({"AREA": "X"}, ["Y.VAN.2020=4"]),
        ({"TIME_PERIOD": "2020"}, ["X.VAN.2021=2"]),
        ({"FLAVOUR": "VAN", "TIME_PERIOD": "2020"}, ["X.VAN.2021=2", "X.LEM.2020=3"]),
        ({}, []),
        ({"AREA": "Z"}, ["X.VAN.2020=1", "X.VAN.2021=2", "X.LEM.2020=3", "Y.VAN.2020=4"]),
        ({"TIME_PERIOD": "1999"}, ["X.VAN.2020=1", "X.VAN.2021=2", "X.LEM.2020=3", "Y.VAN.2020=4"]),
    ],
)
def test_delete_in_bulk(store: Store, delete: dict[str, Any], left: list[str]) -> None:
    rows = [row("A", "X", "VAN", "2020", "1"), row("A", "X", "VAN", "2021", "2"), row("A", "X", "LEM", "2020", "3"),
            row("A", "Y", "VAN", "2020", "4")]  # fmt: skip
    publish(store, ("M", rows))
    publish(store, ("M", rows), provider=SOUTH)
    publish(store, ("D", [delete]))
    assert sorted(observed(store, "provisionagreement", providers=(NORTH,))) == sorted(left)
    assert len(observed(store, "provisionagreement", providers=(SOUTH,))) == 4


def test_delete_of_named_components_leaves_the_observation(store: Store) -> None:
    publish(store, ("M", [FULL]))
    publish(store, ("D", [row("A", "X", "VAN", "2020", STATUS="-", UNIT="-", SOURCE={"en": "-"}, SCOOPS="1")]))
    gone = ("STATUS", "UNIT", "SOURCE", "SCOOPS")
    assert read(store, select(store)) == [{id: value for id, value in FULL.items() if id not in gone}]


def test_delete_everything_then_send_anew_in_one_message(store: Store) -> None:
    publish(store, ("M", [FULL, row("A", "Y", "VAN", "2020", "9")]))
    again = row("A", "X", "VAN", "2020", "1.50")
    stage(store, "again", ("D", [{}]), ("R", [again]))
    (counts,) = store.publish(["again"])[1]
    assert counts == ChangeCounts(dataflow=SALES, changed=1, deleted=1)
    assert read(store, select(store)) == [again]


class TestNothingIsLeft:
    """An observation without any value is none: no empty row stays."""

    @pytest.mark.parametrize("named", [MARKS, MARKS | HIGHER])
    def test_every_value_is_named(self, store: Store, named: dict[str, Any]) -> None:
        publish(store, ("M", [FULL, row("A", "X", "VAN", "2021", "2")]))
        stage(store, "D", ("D", [row("A", "X", "VAN", "2020", **named)]))
        assert store.publish(["D"])[1] == [ChangeCounts(dataflow=SALES, deleted=1)]
        assert observed(store) == ["X.VAN.2021=2"]
        assert store.count(select(store)).observations == 1
        assert store.available(select(store)).values["TIME_PERIOD"] == ["2021"]
        gone = [one for batch in store.scan_deleted(select(store, changed_since=1)) for one in batch.to_pylist()]
        assert [(one["AREA"], one["FLAVOUR"], one["TIME_PERIOD"]) for one in gone] == [("X", "VAN", "2020")]

    def test_the_last_of_a_series(self, store: Store) -> None:
        publish(store, ("M", [row("A", "X", "VAN", "2020", "1")]))
        publish(store, ("D", [row("A", "X", "VAN", "2020", **MARKS)]))
        counts = store.count(select(store))
        assert (counts.series, counts.observations) == (0, 0)
        assert store.available(select(store)).values["AREA"] == []

    def test_every_value_that_it_had_is_named(self, store: Store) -> None:
        publish(
            store, ("M", [row("A", "X", "VAN", "2020", "1", STATUS="A"), row("A", "Y", "VAN", "2020", "1", MOOD="BAD")])
        )
        publish(store, ("D", [row("A", area, "VAN", "2020", "-1", STATUS="-") for area in ("X", "Y")]))
        assert observed(store) == ["Y.VAN.2020="]

    def test_the_values_are_named_one_after_the_other(self, store: Store) -> None:
        publish(store, ("M", [row("A", "X", "VAN", "2020", "1", STATUS="A", REMARK={"en": "hot"})]))
        key = row("A", "X", "VAN", "2020")
        publish(store, ("D", [dict(key) | {"SCOOPS": "1"}, dict(key) | {"STATUS": "-"}]))
        assert read(store, select(store)) == [dict(key) | {"REMARK": {"en": "hot"}}]
        publish(store, ("D", [dict(key) | {"REMARK": {"en": "-"}}]))
        assert read(store, select(store)) == []

    def test_by_a_part_of_the_key(self, store: Store) -> None:
        publish(store, ("M", [row("A", area, "VAN", "2020", "1", STATUS="A") for area in ("X", "Y")]))
        publish(store, ("D", [{"AREA": "X"} | MARKS]))
        assert observed(store) == ["Y.VAN.2020=1"]

    def test_without_time(self, store: Store) -> None:
        publish(store, ("M", [row("A", "X", "VAN", None, "1", STATUS="A")]), structure=ICE_NOW)
        publish(store, ("D", [row("A", "X", "VAN", None, **MARKS)]), structure=ICE_NOW)
        assert read(store, select(store, structure=ICE_NOW)) == []

    def test_what_the_same_message_brought(self, store: Store) -> None:
        sent = row("A", "X", "VAN", "2020", "1", STATUS="A")
        stage(store, "S", ("M", [sent]), ("D", [row("A", "X", "VAN", "2020", **MARKS)]))
        assert store.publish(["S"])[1] == [ChangeCounts(dataflow=SALES)]
        assert read(store, select(store)) == []
        stage(store, "S", ("M", [sent]), ("D", [row("A", "X", "VAN", "2020", **MARKS)]), ("M", [sent]))
        assert store.publish(["S"])[1] == [ChangeCounts(dataflow=SALES, inserted=1)]

    def test_only_those_of_the_provider_and_dataflow(self, store: Store) -> None:
        sent = row("A", "X", "VAN", "2020", "1")
        publish(store, ("M", [sent]))
        publish(store, ("M", [sent]), provider=SOUTH)
        publish(store, ("M", [sent]), dataflow=PARLOURS)
        publish(store, ("D", [row("A", "X", "VAN", "2020", **MARKS)]))
        flows = select(store, "provisionagreement", dataflows=(SALES, PARLOURS))
        found = [one for batch in store.scan(flows, store.domains(flows)) for one in batch.to_pylist()]
        assert sorted((one["_dataflow"], one["_provider"]) for one in found) == [(PARLOURS, NORTH), (SALES, SOUTH)]

    def test_history_keeps_it_and_it_may_come_again(self, store: Store) -> None:
        sent = row("A", "X", "VAN", "2020", "1", STATUS="A")
        publish(store, ("M", [sent]))
        publish(store, ("D", [row("A", "X", "VAN", "2020", **MARKS)]))
        publish(store, ("M", [row("A", "X", "VAN", "2020", "2")]))
        shown = [read(store, select(store, release=release)) for release in (1, 2, 3)]
        assert shown == [[sent], [], [row("A", "X", "VAN", "2020", "2")]]
        store.restore(2)
        assert read(store, select(store)) == []

    def test_a_key_without_values_that_was_sent_so_stays(self, store: Store) -> None:
        """A message may say a key and nothing else; only a deletion that names values takes it away."""
        publish(store, ("M", [row("A", "X", "VAN", "2020"), row("A", "X", "VAN", "2021", "1")]))
        publish(store, ("D", [row("A", "X", "VAN", "2021", STATUS="-")]))
        assert observed(store) == ["X.VAN.2020=", "X.VAN.2021=1"]
