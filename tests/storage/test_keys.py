"""Numbers of keys: the same for ever, the same one by one and in columns, far apart."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.errors import StorageFault
from sdmx_service.storage.incoming import Repeats, Seen
from sdmx_service.storage.keys import KeyNumbers, KeyRuns, cluster_range, number_key, number_keys, number_runs

codes = st.one_of(st.none(), st.text(max_size=5))


@given(st.integers(0, 5).flatmap(lambda width: st.lists(st.tuples(*[codes] * width), min_size=1, max_size=20)))
def test_one_by_one_and_in_columns(keys: list[tuple[str | None, ...]]) -> None:
    columns = [pa.array(column, pa.string()).dictionary_encode() for column in zip(*keys, strict=True)]
    found = number_keys(columns, len(keys))
    assert found.sid.tolist() == [number_key(key) for key in keys]
    assert len(set(zip(found.sid.tolist(), found.check.tolist(), strict=True))) == len(set(keys))


@given(st.integers(0, 3).flatmap(lambda width: st.lists(st.tuples(*[codes] * width), max_size=12)), st.integers(1, 3))
def test_runs_have_the_numbers_of_their_rows(keys: list[tuple[str | None, ...]], times: int) -> None:
    rows = [key for key in keys for _ in range(times)]
    columns = [pa.array(column, pa.string()).dictionary_encode() for column in zip(*rows, strict=True)]
    found = number_runs(columns, len(rows))
    assert found.sids().tolist() == [number_key(key) for key in rows]
    assert found.lengths.sum() == len(rows)
    assert len(found.starts) == sum(one != other for one, other in zip([None, *rows], rows, strict=False))


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=6), max_size=4),
    st.booleans(),
)
def test_rows_that_come_twice_are_noticed(pieces: list[list[tuple[int, int]]], in_order: bool) -> None:
    rows = [row for piece in pieces for row in piece]
    if in_order:
        rows = sorted(set(rows))
    repeats, start = Repeats(), 0
    for piece in pieces:
        taken, start = rows[start : start + len(piece)], start + len(piece)
        sids = np.array([sid for sid, _ in taken], dtype=np.int64)
        starts = np.flatnonzero(np.diff(sids, prepend=-1)).astype(np.int64)
        runs = KeyRuns(starts, KeyNumbers(sids[starts], sids[starts]), len(taken))
        repeats.add(runs, pa.array([period for _, period in taken], pa.int32()))
    assert repeats.is_possible == (len(set(rows)) < len(rows))


def test_the_dictionary_does_not_matter() -> None:
    texts = pa.array(["b", None, "a", "b"])
    other = pa.DictionaryArray.from_arrays(pa.array([2, None, 1, 2], pa.int8()), pa.array(["z", "a", "b"]))
    assert number_keys([texts.dictionary_encode()], 4).sid.tolist() == number_keys([other], 4).sid.tolist()


def test_a_column_of_none_is_a_column_of_nulls() -> None:
    given_ = pa.array(["a", "b"]).dictionary_encode()
    nulls = pa.array([None, None], pa.string()).dictionary_encode()
    assert number_keys([given_, None], 2).sid.tolist() == number_keys([given_, nulls], 2).sid.tolist()


@pytest.mark.parametrize(
    ("key", "number"),
    [
        ((), 0),
        (("A",), 5654321295382747830),
        (("A", "470", "_T"), -8194341140332011014),
        (("A", None, "_T"), 8693453329178417095),
    ],
)
def test_numbers_are_for_ever(key: tuple[str | None, ...], number: int) -> None:
    """These numbers stand in stores: a change of the computation would orphan them."""
    assert number_key(key) == number


@given(st.lists(st.text(max_size=3), min_size=3, max_size=5))
def test_keys_that_begin_alike_are_neighbours(key: list[str]) -> None:
    low, high = cluster_range(key)
    assert low <= number_key(key) <= high
    assert high - low == (1 << 48) - 1


def test_many_keys_have_many_numbers() -> None:
    names = [str(number) for number in range(600)]
    first = pa.DictionaryArray.from_arrays(np.repeat(np.arange(600), 600), names)
    second = pa.DictionaryArray.from_arrays(np.tile(np.arange(600), 600), names)
    assert len(np.unique(number_keys([first, second], 360_000).sid)) == 360_000


def test_two_keys_of_one_number_are_noticed() -> None:
    def keys(sids: list[int], checks: list[int]) -> KeyNumbers:
        return KeyNumbers(np.array(sids, dtype=np.int64), np.array(checks, dtype=np.int64))

    seen = Seen()
    assert sorted(seen.fresh(keys([5, 3, 5], [50, 30, 50])).tolist()) == [0, 1]
    assert seen.fresh(keys([3, 4], [30, 40])).tolist() == [1]
    with pytest.raises(StorageFault, match="same number"):
        seen.fresh(keys([5], [51]))
    with pytest.raises(StorageFault, match="same number"):
        Seen().fresh(keys([7, 7], [1, 2]))
