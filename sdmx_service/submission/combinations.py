"""Distinct combinations of the values of some columns, and of times: what is asked once for all rows alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.errors import SyntaxFault
from sdmx_service.model.period import parse_period

Codes = npt.NDArray[np.int64]
Values = tuple[str | None, ...]


def distinct(arrays: Sequence[pa.Array]) -> tuple[Codes, list[Values]]:
    """The distinct combinations of some text columns, and per row the number of its combination."""
    encoded = [pc.dictionary_encode(array, null_encoding="encode") for array in arrays]
    indices = [one.indices.to_numpy(zero_copy_only=False).astype(np.int64) for one in encoded]
    if len(encoded) == 1:
        return indices[0], [(value,) for value in encoded[0].dictionary.to_pylist()]
    codes, count = indices[0], len(encoded[0].dictionary)
    for one, more in zip(encoded[1:], indices[1:], strict=True):
        codes, count = _compressed(codes * len(one.dictionary) + more, count * len(one.dictionary))
    first = np.empty(count, np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    rows = pa.array(first)
    return codes, list(zip(*(array.take(rows).to_pylist() for array in arrays), strict=True))


def _compressed(codes: Codes, limit: int) -> tuple[Codes, int]:
    """Codes below ``limit``, numbered anew without gaps, and how many there are."""
    if limit > 4 * len(codes) + 65_536:
        found, codes = np.unique(codes, return_inverse=True)
        return codes, len(found)
    there = np.zeros(limit, bool)
    there[codes] = True
    return (np.cumsum(there) - 1)[codes], int(there.sum())


def spans(times: set[str | None]) -> dict[str | None, tuple[int, int]]:
    """The spans of texts that are periods; the others are for the check of times to find."""
    found: dict[str | None, tuple[int, int]] = {}
    for text in times:
        if text is not None:
            try:
                period = parse_period(text)
            except SyntaxFault:
                continue
            found[text] = (period.start, period.end)
    return found
