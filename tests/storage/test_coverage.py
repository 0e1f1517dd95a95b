"""Who gives which figures, and which are the same: on both backends, against a count by hand."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from sdmx_service.storage.port import Ranking, Store
from tests.storage.cubes import ICE_NOW, NORTH, PARLOURS, SALES, SOUTH, publish, row, select, stage
from tests.storage.test_masking import declare

WEST = "NET.WEST"


def rows_of(table: Any) -> list[tuple[Any, ...]]:
    return sorted(tuple(one.values()) for one in table.to_pylist())


def given(store: Store, *by: str, **more: Any) -> list[tuple[Any, ...]]:
    return rows_of(store.given(select(store, "provisionagreement", **more), by))


def compared(store: Store, *by: str, **more: Any) -> list[tuple[Any, ...]]:
    return rows_of(store.compared(select(store, "provisionagreement", **more), by))


def test_an_empty_store_has_the_columns(store: Store) -> None:
    selection = select(store, "provisionagreement")
    assert store.given(selection, ("AREA",)).column_names == [
        "dataflow", "provider", "AREA", "period", "given", "shown",
    ]  # fmt: skip
    assert store.compared(selection, ("AREA",)).column_names == [
        "dataflow", "provider", "other", "AREA", "period", "equal", "unequal",
    ]  # fmt: skip
    assert (given(store), compared(store), store.ranking(0)) == ([], [], Ranking())


def test_counts_by_provider_area_and_period(store: Store) -> None:
    publish(
        store,
        (
            "M",
            [row("A", "X", "VAN", "2020", "1"), row("A", "X", "LEM", "2020", "2"), row("A", "Y", "VAN", "2021", "3")],
        ),
        provider=NORTH,
    )
    publish(
        store,
        (
            "M",
            [row("A", "X", "VAN", "2020", "1.0"), row("A", "X", "LEM", "2020", "5"), row("A", "Z", "VAN", "2020", "9")],
        ),
        provider=SOUTH,
    )
    assert given(store, "AREA") == [
        (SALES, NORTH, "X", "2020", 2, 2),
        (SALES, NORTH, "Y", "2021", 1, 1),
        (SALES, SOUTH, "X", "2020", 2, 0),
        (SALES, SOUTH, "Z", "2020", 1, 1),
    ]
    assert compared(store, "AREA") == [(SALES, NORTH, SOUTH, "X", "2020", 1, 1)]
    assert compared(store) == [(SALES, NORTH, SOUTH, "2020", 1, 1)]
    assert compared(store, "FLAVOUR", "AREA") == [
        (SALES, NORTH, SOUTH, "LEM", "X", "2020", 0, 1),
        (SALES, NORTH, SOUTH, "VAN", "X", "2020", 1, 0),
    ]


def test_the_ranking_moves_what_is_shown_and_nothing_else(store: Store) -> None:
    for provider in (NORTH, SOUTH, WEST):
        publish(store, ("M", [row("A", "X", "VAN", "2020", "7")]), provider=provider)
    before = compared(store)
    assert before == [
        (SALES, one, other, "2020", 1, 0) for one, other in ((NORTH, SOUTH), (NORTH, WEST), (SOUTH, WEST))
    ]
    ranking = Ranking(providers={SALES: (WEST, SOUTH)})
    release, _ = store.publish([], ranking=ranking)
    assert compared(store) == before
    assert [(provider, shown) for _, provider, _, _, shown in given(store)] == [(NORTH, 0), (SOUTH, 0), (WEST, 1)]
    assert store.ranking(release.number).providers == {SALES: [WEST, SOUTH]}
    assert store.ranking(release.number - 1) == Ranking()
    assert [shown for *_, shown in given(store, release=release.number - 1)] == [1, 0, 0]


def test_a_ranking_touches_the_dataflows_whose_order_changes(store: Store) -> None:
    for dataflow in (SALES, PARLOURS):
        for provider in (NORTH, SOUTH):
            publish(store, ("M", [row("A", "X", "VAN", "2020", "7")]), provider=provider, dataflow=dataflow)
    staged = stage(store, "new", ("M", [row("A", "Y", "VAN", "2020", "1")]), provider=WEST, dataflow=SALES)
    ranking = Ranking(providers={SALES: (WEST, NORTH), PARLOURS: (SOUTH,)}, decided={PARLOURS: (SOUTH,)})
    release, _ = store.publish([staged], ranking=ranking)
    cube = select(store).cube
    touched = store.touched(cube, release.number)
    assert release.number in touched[SALES] and release.number in touched[PARLOURS]
    every = {
        (flow, provider, area): shown for flow, provider, area, _, _, shown in given(store, "AREA", dataflows=None)
    }
    assert every == {
        (SALES, NORTH, "X"): 1, (SALES, SOUTH, "X"): 0, (SALES, WEST, "Y"): 1,
        (PARLOURS, NORTH, "X"): 0, (PARLOURS, SOUTH, "X"): 1,
    }  # fmt: skip
    again, _ = store.publish([], ranking=Ranking(providers={SALES: (WEST, SOUTH), PARLOURS: (SOUTH,)}))
    assert again.number in store.touched(cube, again.number)[SALES]  # also where it is not the last of the dataflows
    assert again.number not in store.touched(cube, again.number)[PARLOURS]
    store.restore(release.number)
    again, counts = store.publish([], ranking=Ranking(providers={SALES: (WEST, NORTH, SOUTH)}))
    assert counts == [] and store.ranking(again.number).heads == {SALES: [WEST, NORTH, SOUTH]}
    assert again.number in store.touched(cube, again.number)[PARLOURS]  # back to the order of names
    assert again.number not in store.touched(cube, again.number)[SALES]


def test_two_dataflows_are_not_compared_and_can_be_asked_apart(store: Store) -> None:
    publish(store, ("M", [row("A", "X", "VAN", "2020", "1")]), provider=NORTH)
    publish(store, ("M", [row("A", "X", "VAN", "2020", "1")]), provider=SOUTH, dataflow=PARLOURS)
    assert compared(store, dataflows=None) == []
    assert given(store, dataflows=None) == [(PARLOURS, SOUTH, "2020", 1, 1), (SALES, NORTH, "2020", 1, 1)]
    assert given(store, dataflows=(PARLOURS,)) == [(PARLOURS, SOUTH, "2020", 1, 1)]
    assert given(store, dataflows=None, providers=(NORTH,)) == [(SALES, NORTH, "2020", 1, 1)]


def test_what_is_deleted_is_not_counted_but_in_its_release(store: Store) -> None:
    for provider in (NORTH, SOUTH):
        publish(store, ("M", [row("A", "X", "VAN", "2020", "1")]), provider=provider)
    publish(store, ("D", [{"AREA": "X"}]), provider=SOUTH)
    assert (given(store), compared(store)) == ([(SALES, NORTH, "2020", 1, 1)], [])
    assert compared(store, release=2) == [(SALES, NORTH, SOUTH, "2020", 1, 0)]


def test_missing_figures_and_marks(store: Store) -> None:
    for provider, scoops in ((NORTH, None), (SOUTH, None), (WEST, "NaN")):
        publish(store, ("M", [row("A", "X", "VAN", "2020", scoops, STATUS="M")]), provider=provider)
    assert compared(store) == [
        (SALES, NORTH, SOUTH, "2020", 1, 0), (SALES, NORTH, WEST, "2020", 0, 1), (SALES, SOUTH, WEST, "2020", 0, 1),
    ]  # fmt: skip


def test_confidential_figures_are_not_compared(store: Store) -> None:
    """Nothing is told of a hidden figure by comparing it with another's, and two marks are not the same figure."""
    declare(store)
    for provider, status in ((NORTH, "C"), (SOUTH, "A")):
        publish(store, ("M", [row("A", "X", "VAN", "2020", "7", STATUS=status)]), provider=provider)
    assert compared(store) == []
    publish(store, ("M", [row("A", "X", "VAN", "2020", "8", STATUS="C")]), provider=NORTH)
    assert compared(store) == []
    assert [(one, count) for _, one, _, count, _ in given(store)] == [(NORTH, 1), (SOUTH, 1)]
    publish(store, ("M", [row("A", "X", "VAN", "2020", "8", STATUS="A")]), provider=NORTH)
    assert compared(store) == [(SALES, NORTH, SOUTH, "2020", 0, 1)]


def test_without_time(store: Store) -> None:
    for provider in (NORTH, SOUTH):
        publish(store, ("M", [row("A", "X", "VAN", None, "1")]), provider=provider, structure=ICE_NOW)
    assert given(store, "AREA", structure=ICE_NOW) == [
        (SALES, NORTH, "X", "", 1, 1), (SALES, SOUTH, "X", "", 1, 0),
    ]  # fmt: skip
    assert compared(store, structure=ICE_NOW) == [(SALES, NORTH, SOUTH, "", 1, 0)]


@pytest.mark.parametrize("seed", range(3))
def test_equals_a_count_by_hand(store: Store, seed: int) -> None:
    figures = {
        provider: {
            (area, flavour, year): str((seed + number * area_number + len(flavour) + int(year)) % 3)
            for area_number, area in enumerate("XYZ")
            for flavour in ("VAN", "LEM")
            for year in ("2020", "2021")
            if (number + area_number + int(year) + seed) % 4
        }
        for number, provider in enumerate((NORTH, SOUTH, WEST), start=1)
    }
    for provider, found in figures.items():
        publish(store, ("M", [row("A", *key, value) for key, value in found.items()]), provider=provider)
    pairs: Counter[tuple[str, ...]] = Counter()
    equal: Counter[tuple[str, ...]] = Counter()
    for one, other in ((NORTH, SOUTH), (NORTH, WEST), (SOUTH, WEST)):
        for key in figures[one].keys() & figures[other].keys():
            place = (SALES, one, other, key[0], key[2])
            pairs[place] += 1
            equal[place] += figures[one][key] == figures[other][key]
    assert compared(store, "AREA") == sorted((*place, equal[place], pairs[place] - equal[place]) for place in pairs)
    counts = Counter((SALES, provider, key[0], key[2]) for provider, found in figures.items() for key in found)
    assert [one[:5] for one in given(store, "AREA")] == sorted((*place, count) for place, count in counts.items())
