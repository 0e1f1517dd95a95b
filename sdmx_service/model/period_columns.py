"""Columns of time periods as numbers, without work per row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sdmx_service.errors import SyntaxFault
from sdmx_service.model.period import MonthDay, parse_period

NO_MOMENT = int(np.iinfo(np.int64).min)
"""Stands for the start and the end of what is null or no period."""


class Spans(NamedTuple):
    """A column of periods as numbers.

    Attributes:
        starts, ends: as in ``Period``, one per row; ``NO_MOMENT`` where the row is null or no period.
        errors: each distinct text that is no period, and why.
    """

    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    errors: Mapping[str, SyntaxFault]


def spans(
    periods: pa.Array[Any] | pa.ChunkedArray[Any] | Iterable[str | None],
    reporting_year_start: MonthDay | None = None,
) -> Spans:
    """The first second and the end of each period of a column; each distinct text is parsed once."""
    column = _dictionary(periods)
    texts = column.dictionary.to_pylist()
    table = np.full((2, len(texts) + 1), NO_MOMENT, dtype=np.int64)  # the last one is for null
    errors: dict[str, SyntaxFault] = {}
    indices = column.indices.cast(pa.int64()).fill_null(len(texts)).to_numpy(zero_copy_only=False)
    for number in np.unique(indices).tolist():  # a slice brings its whole dictionary along
        text = texts[number] if number < len(texts) else None
        if text is None:
            continue
        try:
            period = parse_period(text, reporting_year_start)
        except SyntaxFault as fault:
            errors[text] = fault
        else:
            table[:, number] = period.start, period.end
    return Spans(table[0][indices], table[1][indices], MappingProxyType(errors))


def _dictionary(texts: pa.Array[Any] | pa.ChunkedArray[Any] | Iterable[str | None]) -> pa.DictionaryArray[Any, Any]:
    column = texts if isinstance(texts, (pa.Array, pa.ChunkedArray)) else pa.array(list(texts), pa.string())
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return column if isinstance(column, pa.DictionaryArray) else column.dictionary_encode()
