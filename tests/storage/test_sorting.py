"""Sorted reading on both backends, against Python's own sort of the rows in the store's order."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from sdmx_service.model.query import SortKey
from sdmx_service.storage import reading
from sdmx_service.storage.port import Store
from tests.storage.cubes import ICE, NORTH, PARLOURS, SALES, SOUTH, publish, read, row, select
from tests.storage.oracle import chronological

NUMBERS = ("SCOOPS", "ERROR", "FACTOR")


def fill(store: Store) -> None:
    store.open_cube(ICE)
    rows = []
    scoops = itertools.cycle(["1", "10", "9.5", None, "NaN", "-3", "1e3", "2"])
    for area, flavour, period in itertools.product("XYz", ("VAN", "LEM"), ("2020", "2020-Q1", "2020-01", "2021")):
        more: dict[str, Any] = {"UNIT": "kg" if area == "X" else None, "FACTOR": "10" if flavour == "VAN" else "9"}
        more |= {"SHOP": {"X": "Éclair", "Y": "a"}.get(area), "STATUS": "E" if period == "2020" else None}
        rows.append(row("A", area, flavour, period, next(scoops), **more))
    publish(store, ("M", rows))
    others = [row("A", area, "VAN", "2020", "77", UNIT="t", SHOP="zz") for area in "XY"]
    publish(store, ("M", others), provider=SOUTH)
    publish(store, ("M", others), dataflow=PARLOURS, provider=SOUTH)


def place(line: dict[str, Any], id: str) -> Any:
    value = line.get(id)
    if id == "TIME_PERIOD":
        return chronological(value)
    if id in NUMBERS:
        return None if value in (None, "NaN") else float(value)
    return value


def ordered(rows: list[dict[str, Any]], keys: list[SortKey]) -> list[Any]:
    for key in reversed(keys):
        there = [one for one in rows if place(one, key.component) is not None]
        missing = [one for one in rows if place(one, key.component) is None]
        there.sort(key=lambda one, id=key.component: place(one, id), reverse=key.descending)
        rows = there + missing
    return told(rows, keys)


def told(rows: list[dict[str, Any]], keys: list[SortKey]) -> list[Any]:
    return [tuple(place(one, key.component) for key in keys) for one in rows]


WISHES = [
    ["-SCOOPS"], ["SCOOPS", "AREA"], ["-AREA", "TIME_PERIOD"], ["-TIME_PERIOD", "SCOOPS"], ["UNIT", "-SCOOPS"],
    ["-FACTOR", "SCOOPS"], ["SHOP", "-TIME_PERIOD"], ["-SHOP", "FLAVOUR"], ["STATUS", "SOURCE", "MOOD", "-SCOOPS"],
]  # fmt: skip


@pytest.mark.parametrize("size", [reading.SMALL, 0])
def test_rows_in_every_context(store: Store, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SMALL", size)
    fill(store)
    contexts: list[dict[str, Any]] = [
        {"context": "dataflow"}, {"context": "datastructure"}, {"context": "provisionagreement", "dataflows": (SALES,)},
        {"context": "provisionagreement", "dataflows": (SALES,), "providers": (NORTH,)}, {"context": "dataflow", "first_n": 1, "last_n": 1},
        {"context": "dataflow", "keys": ((None, frozenset("X"), None),)}, {"context": "dataflow", "components": ("SCOOPS",)},
    ]  # fmt: skip
    for context, wish in itertools.product(contexts, WISHES):
        keys = [SortKey(component=one.removeprefix("-"), descending=one.startswith("-")) for one in wish]
        plain = read(store, select(store, **{**context, "components": None}))
        rows = read(store, select(store, **context, sort=tuple(keys)))
        assert len(rows) == len(plain)
        shown = keys if "components" not in context else [key for key in keys if key.component in rows[0]]
        full = told(rows, keys) == ordered(plain, keys) if shown == keys else len(rows) == len(plain)
        assert full, (context, wish)
        part = read(store, select(store, **context, sort=tuple(keys), offset=3, limit=4))
        assert part == rows[3:7]


def test_groups_stay_together(store: Store) -> None:
    fill(store)
    keys = (SortKey(component="SCOOPS", descending=True),)
    for together in (("FREQ", "AREA", "FLAVOUR"), ("FREQ", "AREA", "TIME_PERIOD")):
        rows = read(store, select(store, "datastructure", sort=keys, together=together))
        found = [tuple(one[id] for id in together) for one in rows]
        heads = [key for number, key in enumerate(found) if not number or found[number - 1] != key]
        assert len(heads) == len(set(heads))
        assert len(rows) == 24
