"""The official test kit's requests of both versions: each is answered, validly, with what its row expects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rest.every_type import open_every_type
from tests.rest.tck import Kit, Row, rows

NO_ITEMS = "the kit takes an item scheme for none, and builds no request for its items"
NO_PROVIDERS = "version 2 has no providers in the path of data"
NO_PLUS = "version 2 has no + inside a key"
NO_PERIODS = "version 2 has no startPeriod and endPeriod"
NO_EXPLICIT = "version 2 has no explicitMeasure"
FAULTY = {
    **dict.fromkeys((889, 1172), NO_ITEMS),
    **dict.fromkeys((1378, 1379, 1380, 1424), NO_PROVIDERS),
    **dict.fromkeys((1384, 1417, 1418), NO_PLUS),
    **dict.fromkeys((1385, 1386, 1387, 1388, 1412, 1413, 1414), NO_PERIODS),
    **dict.fromkeys((1433, 1434, 1443, 1444, 1453, 1454), NO_EXPLICIT),
}
"""Rows of API 2.0.0 for which the kit itself builds no request: it wants what only version 1 has, by number."""
OTHERS_OF_THE_KIT = {
    "invalid representation query": "the kit compares the status with a text and takes 406 for a failure of transport",
    "<now>": "the kit writes If-Modified-Since as no date of HTTP",
}
"""Faults of the kit's own checks; the requests are right, and are met here as their rows expect."""
CHUNKS = 16


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    with open_every_type(tmp_path_factory.mktemp("tck") / "house") as house:
        catalog = house.library.view().catalog
        yield Kit(house, tuple(catalog.structure(one.ref) for one in catalog.of_type("DataStructure")))


def is_faulty(row: Row) -> bool:
    return row.api == "v2.0.0" and row.number in FAULTY


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_request_is_met(shared: Path, kit: Kit, chunk: int) -> None:
    asked = [row for place, row in enumerate(rows(shared)) if place % CHUNKS == chunk]
    problems = {row.name: problem for row in asked if (problem := kit.problem(row)) is not None}
    faulty = {row.name for row in asked if is_faulty(row)}
    assert {name: one for name, one in problems.items() if name not in faulty} == {}
    assert faulty <= set(problems)  # what is excused does fail


def test_the_table_is_whole(shared: Path) -> None:
    every = list(rows(shared))
    assert len(every) == 2559
    assert sum(is_faulty(row) for row in every) == len(FAULTY) == 22
    for sign in OTHERS_OF_THE_KIT:
        assert any(sign in (row.accept, *row.headers.values()) for row in every)
    assert {row.path.partition("{")[1] for row in every} == {""}
