"""Columns of time periods as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.errors import SyntaxFault
from sdmx_service.model.period import MonthDay, parse_period
from sdmx_service.model.period_columns import NO_MOMENT, spans
from tests.model.test_period import (
    readable,
    seconds,
    start_days,
)

rows = st.lists(st.none() | readable | st.sampled_from(["", "2021-W53", "nonsense"]), max_size=30)


@given(rows, st.sampled_from(["list", "array", "chunks", "dictionary", "slice"]), st.none() | start_days)
def test_columns_are_periods_row_by_row(texts: list[str | None], form: str, start_day: MonthDay | None) -> None:
    array = pa.array(texts, pa.string())
    columns: dict[str, pa.Array[Any] | pa.ChunkedArray[Any] | list[str | None]] = {
        "list": texts,
        "array": array,
        "chunks": pa.chunked_array([array[:3], array[3:]], pa.string()),
        "dictionary": array.dictionary_encode(),
        "slice": pa.concat_arrays([pa.array(["unread"]), array]).dictionary_encode()[1:],
    }
    found = spans(columns[form], start_day)
    assert found.starts.dtype == found.ends.dtype == np.int64
    expected = []
    bad = set()
    for text in texts:
        span = (NO_MOMENT, NO_MOMENT)
        if text is not None:
            try:
                period = parse_period(text, start_day)
            except SyntaxFault:
                bad.add(text)
            else:
                span = (period.start, period.end)
        expected.append(span)
    assert expected == list(zip(found.starts.tolist(), found.ends.tolist(), strict=True))
    assert bad == set(found.errors)
    assert all(repr(text) in fault.detail for text, fault in found.errors.items())


def test_columns_with_small_dictionaries() -> None:
    """128 values fill the indices of one byte; the place for null comes after them."""
    texts = [f"{year}" for year in range(1900, 2028)]
    column = pa.DictionaryArray.from_arrays(pa.array([*range(128), None], pa.int8()), pa.array(texts))
    found = spans(column)
    assert seconds("2027-01-01") == found.starts[127]
    assert found.starts[128] == NO_MOMENT
    assert not found.errors


def test_a_large_column_is_parsed_by_distinct_value() -> None:
    column = pa.array(["2020", "2021-Q1", None, "x"] * 250_000).dictionary_encode()
    found = spans(column)
    assert len(found.starts) == 1_000_000
    assert list(found.errors) == ["x"]
    assert seconds("2021-04-01") == found.ends[999_997]
