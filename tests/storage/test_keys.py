"""Numbers of keys: the same for ever, the same one by one and in columns, far apart."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.errors import StorageFault
from sdmx_service.storage.incoming import Seen
from sdmx_service.storage.keys import KeyNumbers, cluster_range, number_key, number_keys

codes = st.one_of(st.none(), st.text(max_size=5))


@given(st.integers(0, 5).flatmap(lambda width: st.lists(st.tuples(*[codes] * width), min_size=1, max_size=20)))
def test_one_by_one_and_in_columns(keys: list[tuple[str | None, ...]]) -> None:
    columns = [pa.array(column, pa.string()).dictionary_encode() for column in zip(*keys, strict=True)]
    found = number_keys(columns, len(keys))
    assert found.sid.tolist() == [number_key(key) for key in keys]
    assert len(set(zip(found.sid.tolist(), found.check.tolist(), strict=True))) == len(set(keys))


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
