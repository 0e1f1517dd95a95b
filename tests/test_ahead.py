"""What is made ahead: the same things in the same order, errors in their place, no thread left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.ahead import ahead


def alive() -> int:
    return sum(thread.name == "ahead" for thread in threading.enumerate())


@given(st.lists(st.integers(), max_size=20), st.integers(1, 3))
def test_the_same_items_in_the_same_order(items: list[int], depth: int) -> None:
    assert list(ahead(ahead(iter(items)), depth)) == items
    assert not alive()


def test_an_error_comes_in_its_place() -> None:
    def items() -> Iterator[int]:
        yield from (1, 2)
        raise KeyError("third")

    running = ahead(items())
    assert [next(running), next(running)] == [1, 2]
    with pytest.raises(KeyError, match="third"):
        next(running)
    assert not alive()


@pytest.mark.parametrize("taken", [0, 1, 5])
def test_who_stops_early_ends_the_thread(taken: int) -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(1000):
            made.append(number)
            yield number

    running = ahead(items(), depth=2)
    found = [next(running) for _ in range(taken)]
    running.close()
    assert found == list(range(taken))
    assert len(made) <= taken + 4
    assert not alive()
