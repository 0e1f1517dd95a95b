"""Failures are counted in a window, per key, in bounded memory; and the address that they count against."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.auth.client_address import client_address
from sdmx_service.auth.throttle import Tally, Throttle
from sdmx_service.errors import TooManyAttempts


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_window_begins_with_the_first_failure() -> None:
    clock = Clock()
    throttle = Throttle(2, 60, clock=clock)
    throttle.failed("a")
    clock.now += 50
    throttle.failed("a")
    assert throttle.wait("a") == 10
    with pytest.raises(TooManyAttempts, match="10 seconds"):
        throttle.check("a")
    assert throttle.wait("b") == 0
    clock.now += 10
    throttle.check("a")
    throttle.failed("a")
    assert throttle.wait("a") == 0


def test_success_forgets() -> None:
    throttle = Throttle(1, 60, clock=Clock())
    throttle.failed("a")
    throttle.succeeded("a")
    throttle.check("a")


@given(st.lists(st.integers(0, 50), max_size=300))
def test_memory_is_bounded_and_the_last_to_fail_is_remembered(keys: list[int]) -> None:
    throttle = Throttle(1, 60, most=7, clock=Clock())
    for key in keys:
        throttle.failed(str(key))
        assert len(throttle) <= 7
        assert throttle.wait(str(key)) > 0


@pytest.mark.parametrize(
    ("forwarded", "proxies", "expected"),
    [
        ([], 0, "10.0.0.9"),
        (["1.1.1.1"], 0, "10.0.0.9"),  # nobody in front: anybody may have written it
        (["1.1.1.1"], 1, "1.1.1.1"),
        (["6.6.6.6, 1.1.1.1"], 1, "1.1.1.1"),  # what stands further left may be made up
        (["6.6.6.6, 1.1.1.1", "2.2.2.2"], 2, "1.1.1.1"),
        (["1.1.1.1"], 2, "10.0.0.9"),
    ],
)
def test_the_address_of_the_client(forwarded: list[str], proxies: int, expected: str) -> None:
    assert client_address(forwarded, "10.0.0.9", proxies) == expected


def test_an_address_has_a_length() -> None:
    assert len(client_address(["x" * 5000], None, 1)) == 100
    assert client_address([], None, 0) == "unknown"


def test_a_tally_tells_by_powers_of_ten() -> None:
    clock = Clock()
    tally = Tally(60, most=3, clock=clock)
    told = [said for number in range(1, 1001) if (said := tally.add(f"address {number % 7}")) is not None]
    assert told == [
        {"count": 1, "addresses": 1}, {"count": 10, "addresses": 3}, {"count": 100, "addresses": 3},
        {"count": 1000, "addresses": 3},
    ]  # fmt: skip
    clock.now += 60
    assert tally.add("a") == {"count": 1, "addresses": 1}  # all of the thousand were told
    assert [tally.add("b") for _ in range(6)] == [None] * 6
    clock.now += 60
    assert tally.add("a") == {"count": 1, "addresses": 1, "before": 7}


@given(st.lists(st.integers(0, 100), max_size=300))
def test_entries_of_a_tally_are_few(pauses: list[int]) -> None:
    clock = Clock()
    tally = Tally(60, clock=clock)
    told = []
    for pause in pauses:
        clock.now += pause
        told.append((clock.now, tally.add("a")))
    said = [entry for _, entry in told if entry is not None]
    assert len(said) <= 3 * (1 + sum(pauses) / 60)
    assert sum(1 for entry in said if entry["count"] == 1) <= 1 + sum(pauses) / 60
    assert bool(said) == bool(pauses)
