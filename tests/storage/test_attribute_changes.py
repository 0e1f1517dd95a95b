"""Attributes above the observation that came and went without it, on both backends."""

from __future__ import annotations

from sdmx_service.storage.port import AttributeChanges, Store
from tests.storage.cubes import ICE, SOUTH, Row, publish, row, select, untyped


def told(changes: AttributeChanges) -> tuple[dict[str, list[Row]], dict[str, list[Row]]]:
    gone, come = ({id: untyped(ICE, one) for id, one in tables.items()} for tables in (changes.gone, changes.come))
    return gone, come


def test_attributes_that_no_observation_tells(store: Store) -> None:
    series = {"FREQ": "A", "AREA": "X", "FLAVOUR": "VAN"}
    publish(store, ("M", [row("A", "X", "VAN", "2020", "1", UNIT="EUR", SHOP="Gino", SOURCE={"en": "us"})]))
    publish(store, ("M", [{"AREA": "Y", "SHOP": "Äpfel"}, {**series, "AREA": "Y", "FACTOR": "1.50"}]))
    bare = {"FREQ": "A", "AREA": "Y", "FLAVOUR": "VAN", "FACTOR": "1.50"}
    assert told(store.attribute_changes(select(store, changed_since=1))) == (
        {}, {"SHOP": [{"AREA": "Y", "SHOP": "Äpfel"}], "FACTOR": [bare]}
    )  # fmt: skip
    assert told(store.attribute_changes(select(store))) == told(store.attribute_changes(select(store, changed_since=0)))
    only = select(store, changed_since=1, keys=((None, frozenset("X"), None),))
    assert told(store.attribute_changes(only)) == ({}, {})
    publish(store, ("D", [{"AREA": "X", "SHOP": "-"}, {**series, "UNIT": "-"}]), ("M", [{"AREA": "Y", "SHOP": "Zoo"}]))
    gone = {"SHOP": [{"AREA": "X", "SHOP": "Gino"}], "UNIT": [{**series, "UNIT": "EUR"}]}
    come = {"SHOP": [{"AREA": "Y", "SHOP": "Zoo"}]}
    assert told(store.attribute_changes(select(store, changed_since=2))) == (gone, come)
    assert told(store.attribute_changes(select(store, changed_since=2, components=("UNIT",)))) == (
        {"UNIT": gone["UNIT"]},
        {},
    )
    late = select(store, changed_since=2, periods=frozenset(["2020"]))
    assert told(store.attribute_changes(late)) == (gone, {})  # what no such row has is not meant
    assert told(store.attribute_changes(select(store, changed_since=2, periods=frozenset(["2031"])))) == ({}, {})
    publish(store, ("M", [{"AREA": "X", "SHOP": "Other"}]), provider=SOUTH)
    publish(store, ("D", [{}]))
    gone, come = told(store.attribute_changes(select(store, changed_since=3)))
    assert come == {"SHOP": [{"AREA": "X", "SHOP": "Other"}]}
    assert gone == {"SHOP": [{"AREA": "Y", "SHOP": "Zoo"}], "FACTOR": [bare], "SOURCE": [{"SOURCE": {"en": "us"}}]}
