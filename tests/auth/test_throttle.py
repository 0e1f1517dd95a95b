"""Failures are counted in a window, per key, in bounded memory; and the address that they count against."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.auth.client_address import client_address, counted_as
from sdmx_service.auth.throttle import Tallies, Tally, Throttle
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
        (["1.1.1.1:54321"], 1, "1.1.1.1"),  # some proxies add the port, another for each connection
        (["[2001:db8::7]:54321"], 1, "2001:db8::7"),
        (["[2001:db8::7]"], 1, "2001:db8::7"),
        (["2001:db8::7"], 1, "2001:db8::7"),
        (["_hidden"], 1, "_hidden"),
    ],
)
def test_the_address_of_the_client(forwarded: list[str], proxies: int, expected: str) -> None:
    assert client_address(forwarded, "10.0.0.9", proxies) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.0.0.9", "10.0.0.9"),
        ("::ffff:10.0.0.9", "10.0.0.9"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:0DB8:0001:0002:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_failures_of_one_network_count_together(address: str, expected: str) -> None:
    assert counted_as(address) == expected


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


def test_tallies_of_more_names_than_they_have_room_for() -> None:
    clock = Clock()
    tallies = Tallies(2, window=60, clock=clock)
    one = {"count": 1, "addresses": 1}
    assert [tallies.add(name, "x") for name in "abca"] == [("a", one), ("b", one), (None, one), None]
    clock.now += 60
    assert tallies.add("c", "x") == ("c", one)
    assert len(tallies) == 1


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 30)), max_size=200))
def test_entries_and_memory_of_tallies_are_few(seen: list[tuple[int, int]]) -> None:
    clock = Clock()
    tallies = Tallies(5, window=60, clock=clock)
    told = 0
    for name, pause in seen:
        clock.now += pause
        told += tallies.add(str(name), "x") is not None
        assert len(tallies) <= 5
    windows = 1 + sum(pause for _, pause in seen) // 60
    assert told <= 6 * 3 * (windows + 1)
