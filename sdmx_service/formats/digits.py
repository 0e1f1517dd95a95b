"""Numbers as indices into tables of digits: no text is made per number, whatever the values are.

A number is its whole part, in groups of four digits, and its fraction: each is picked from a table. What stands behind
the number goes into the table of fractions, so that it costs nothing.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Strings: TypeAlias = Any
Indices = npt.NDArray[np.integer]

_GROUP = 10_000
_WHOLE = float(_GROUP * _GROUP)
"""Whole parts below it are two groups of digits."""
_PLACES = 3
"""Most decimals whose fractions stand in a table."""
_POWERS = 10.0 ** np.arange(_PLACES + 1)
_BEGINS = np.array([0, 1, 11, 111], np.int32)
"""Where the fractions of 0, 1, 2 and 3 digits begin in the table."""


class Digits(NamedTuple):
    """Numbers as columns of (indices, table) to be written one behind the other, and which rows have none."""

    columns: list[tuple[Indices, Strings]]
    missing: npt.NDArray[np.bool_] | None


def digits(values: pa.DoubleArray, decimals: pa.Int8Array, after: str) -> Digits | None:
    """The digits of finite numbers below 10**8 with at most three decimals; None where there are others.

    Args:
        after: stands behind each number.
    """
    missing = values.is_null().to_numpy(zero_copy_only=False) if values.null_count else None
    numbers = values.to_numpy(zero_copy_only=False)
    places = (decimals.fill_null(0) if decimals.null_count else decimals).to_numpy(zero_copy_only=False)
    if missing is not None:
        numbers, places = np.where(missing, 0.0, numbers), np.where(missing, 0, places)
    width = int(places.max(initial=0))
    if width > _PLACES or places.min(initial=0) < 0 or not _fit(numbers):
        return None
    if width == 0:
        whole, fractions = np.rint(numbers).astype(np.int32), np.zeros(len(numbers), np.int32)
    else:
        powers = _POWERS.take(places)
        scaled = np.rint(numbers * powers)
        head = np.trunc(scaled / powers)
        rest = np.abs(scaled - head * powers)
        whole = head.astype(np.int32)
        if ((scaled < 0) & (whole == 0)).any():
            return None  # minus before a zero, which no whole number has
        fractions = _BEGINS.take(places) + rest.astype(np.int32)
    if missing is not None:
        fractions[missing] = _size(width)
    columns = [*_whole(whole, missing), (fractions, _fractions(width, after))]
    return Digits(columns, missing)


def _fit(numbers: npt.NDArray[np.float64]) -> bool:
    """Whether all are below the limit; not so for NaN and infinity."""
    return len(numbers) == 0 or bool(max(float(numbers.max()), -float(numbers.min())) < _WHOLE - 1)


def _whole(whole: npt.NDArray[np.int32], missing: npt.NDArray[np.bool_] | None) -> list[tuple[Indices, Strings]]:
    """Whole numbers as one or two groups of digits, with a sign before them where there is one."""
    found: list[tuple[Indices, Strings]] = []
    if len(whole) and int(whole.min()) < 0:
        found.append(((whole < 0).astype(np.int32), _signs()))
        whole = np.abs(whole)
    if len(whole) and int(whole.max()) >= _GROUP:
        upper = whole // np.int32(_GROUP)
        lower = whole - upper * np.int32(_GROUP)
        lower += (upper > 0) * np.int32(_GROUP)
        found.append((upper, _upper()))
        whole = lower
    if missing is not None:
        whole = np.where(missing, np.int32(2 * _GROUP), whole)
    found.append((whole, _lower()))
    return found


@cache
def _signs() -> Strings:
    return pa.array(["", "-"], pa.string())


@cache
def _upper() -> Strings:
    """The first group of digits: nothing for 0."""
    return pa.array(["", *map(str, range(1, _GROUP))], pa.string())


@cache
def _lower() -> Strings:
    """The last group of digits: alone, behind another with its zeros, and nothing at all."""
    return pa.array([*map(str, range(_GROUP)), *(f"{number:04}" for number in range(_GROUP)), ""], pa.string())


def _size(width: int) -> int:
    """How many fractions of at most so many digits there are."""
    return int(_BEGINS[width]) + 10**width if width else 1


@lru_cache(maxsize=256)
def _fractions(width: int, after: str) -> Strings:
    """Every fraction of at most so many digits with what stands behind it; then nothing, for no number."""
    found = [after]
    for places in range(1, width + 1):
        found += [f".{number:0{places}}{after}" for number in range(10**places)]
    return pa.array([*found, ""], pa.string())
