"""Numbers for keys: 64 bits computed from codes, the same on every platform and in every version of the store.

The upper 16 bits depend on the first two dimensions only, so that series of one frequency and area are neighbours in
the order of numbers (docs/decisions/0010). A missing code (an attribute's partial key) has a number of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_LOW_BITS = np.uint64(48)
_LOW_MASK = np.uint64((1 << 48) - 1)
_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_STEP = 0x9E3779B97F4A7C15
_WORD = (1 << 64) - 1

Words = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]


class KeyNumbers(NamedTuple):
    """Per row the number of its key, and an independent second one by which two keys of one number are noticed."""

    sid: Numbers
    check: Numbers


class KeyRuns(NamedTuple):
    """Rows of one key that follow each other: where each run begins, and its numbers; ``rows`` of them in all."""

    starts: Numbers
    keys: KeyNumbers
    rows: int

    @property
    def lengths(self) -> Numbers:
        """How many rows each run has."""
        return np.diff(self.starts, append=self.rows)

    def sids(self) -> Numbers:
        """The number of each row's key."""
        return self.keys.sid if len(self.starts) == self.rows else np.repeat(self.keys.sid, self.lengths)


@lru_cache(maxsize=1 << 16)
def _code_words(code: str | None) -> tuple[int, int]:
    """Two independent 64-bit numbers of a code; None has its own."""
    text = b"\x00" if code is None else b"\x01" + code.encode()
    digest = blake2b(text, digest_size=16).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")


def _mix(words: Words) -> Words:
    """Spread every input bit over all 64 (the finaliser of splitmix64)."""
    words = (words ^ (words >> np.uint64(30))) * _MULTIPLIERS[0]
    words = (words ^ (words >> np.uint64(27))) * _MULTIPLIERS[1]
    return words ^ (words >> np.uint64(31))


def _column_words(column: pa.DictionaryArray[Any, Any] | None, count: int) -> tuple[Words, Words]:
    codes: list[str | None] = [] if column is None else column.dictionary.to_pylist()
    table = np.array([_code_words(code) for code in [*codes, None]], dtype=np.uint64)
    if column is None:
        rows = np.zeros(count, dtype=np.int64)
    else:
        rows = column.indices.cast(pa.int64()).fill_null(len(codes)).to_numpy(zero_copy_only=False)
    return table[rows, 0], table[rows, 1]


def number_runs(columns: Sequence[pa.DictionaryArray[Any, Any] | None], count: int) -> KeyRuns:
    """The numbers of ``count`` keys as ``number_keys`` gives them, computed once where a key is that of the row before.

    Series mostly come whole, period after period.
    """
    changes = np.zeros(count, dtype=np.bool_)
    changes[:1] = True
    for column in columns:
        if column is not None and (len(column.dictionary) > 1 or column.null_count):
            indices = column.indices.cast(pa.int64()).fill_null(-1) if column.null_count else column.indices
            places = indices.to_numpy(zero_copy_only=False)
            changes[1:] |= places[1:] != places[:-1]
    starts = np.flatnonzero(changes).astype(np.int64)
    if len(starts) < count:
        heads = pa.array(starts)
        columns = [None if column is None else column.take(heads) for column in columns]
    return KeyRuns(starts, number_keys(columns, len(starts)), count)


def number_keys(columns: Sequence[pa.DictionaryArray[Any, Any] | None], count: int) -> KeyNumbers:
    """The numbers of ``count`` keys given by their columns of codes, one per dimension in the order of the structure.

    A column of None means that no row has a code there.
    """
    first = np.zeros(count, dtype=np.uint64)
    second = np.zeros(count, dtype=np.uint64)
    cluster = np.zeros(count, dtype=np.uint64)
    for position, column in enumerate(columns):
        words, others = _column_words(column, count)
        step = np.uint64(_STEP * (position + 1) & _WORD)
        first = _mix(first ^ (words + step))
        second = _mix(second ^ (others + step))
        if position < 2:
            cluster = first >> _LOW_BITS
    return KeyNumbers(((cluster << _LOW_BITS) | (first & _LOW_MASK)).view(np.int64), second.view(np.int64))


def number_key(codes: Sequence[str | None]) -> int:
    """The number of one key, without arrays."""
    word = cluster = 0
    for position, code in enumerate(codes):
        word = _mix_one(word ^ ((_code_words(code)[0] + _STEP * (position + 1)) & _WORD))
        if position < 2:
            cluster = word >> 48
    number = (cluster << 48) | (word & ((1 << 48) - 1))
    return number - (1 << 64) if number >> 63 else number


def _mix_one(word: int) -> int:
    word = ((word ^ (word >> 30)) * int(_MULTIPLIERS[0])) & _WORD
    word = ((word ^ (word >> 27)) * int(_MULTIPLIERS[1])) & _WORD
    return word ^ (word >> 31)


def cluster_range(codes: Sequence[str]) -> tuple[int, int]:
    """The least and the greatest number that keys beginning with these two codes can have."""
    least = number_key(codes[:2]) >> 48 << 48
    return least, least + (1 << 48) - 1
