"""The texts of cells: numbers as people write them, what is cleaned away, and the letters of columns."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.catalog.layout import NumberText
from sdmx_service.submission.cells import clean, read_numbers
from sdmx_service.submission.headers import column_index, column_letter


@pytest.mark.parametrize(
    ("text", "decimal", "grouping", "expected"),
    [
        ("1234", ".", [], "1234"),
        ("-1234.50", ".", [], "-1234.50"),
        ("\u22125", ".", [], "-5"),
        ("1.5E3", ".", [], "1.5E3"),
        (".5", ".", [], ".5"),
        ("1,234", ".", [","], "1234"),
        ("1,234,567.8", ".", [","], "1234567.8"),
        ("1 234 567", ".", [" "], "1234567"),
        ("1\u00a0234", ".", [" "], "1234"),
        ("1\u202f234,5", ",", [" "], "1234.5"),
        ("1.234,5", ",", ["."], "1234.5"),
        ("12,5", ",", ["."], "12.5"),
        ("12,34", ".", [","], None),
        ("1,23,456", ".", [","], None),
        ("1,2345", ".", [","], None),
        ("1234,567", ".", [","], None),
        ("1,234 567", ".", [",", " "], None),
        (",123", ".", [","], None),
        ("1,234", ".", [], None),
        ("1 234", ".", [","], None),
        ("5%", ".", [], None),
        ("12.3.4", ".", [], None),
        ("1.", ".", [], "1."),
        ("five", ".", [], None),
        ("0,125", ".", [","], None),
        ("-0.125", ",", ["."], None),
        ("٣", ".", [], "3"),
        ("۱٬۲۳۴٫۵", ".", [","], "1234.5"),
        ("１２", ".", [], "12"),
        ("1٣", ".", [], None),
        ("1٬234", ".", [], None),
        ("12³", ".", [], None),
    ],
)
def test_numbers(text: str, decimal: str, grouping: list[str], expected: str | None) -> None:
    written = NumberText(columns=("n",), decimal=decimal, grouping=tuple(grouping))
    numbers, wrong = read_numbers(pa.array([text, None]), written)
    assert numbers.to_pylist() == [expected, None]
    assert wrong.to_pylist() == [expected is None, False]


@given(st.decimals(-(10**12), 10**12, places=3, allow_nan=False), st.sampled_from([",", " ", "'", "\u00a0"]))
def test_grouped_numbers_keep_their_digits(number: Any, mark: str) -> None:
    text = f"{number:,.3f}".replace(",", mark)
    numbers, wrong = read_numbers(pa.array([text]), NumberText(columns=(), grouping=(mark,)))
    assert numbers.to_pylist() == [f"{number:.3f}"]
    assert wrong.to_pylist() == [False]


@pytest.mark.parametrize(
    ("text", "strip", "expected"),
    [
        ("Serbia (1)", ["footnote_marks"], "Serbia"),
        ("Serbia1", ["footnote_marks"], "Serbia"),
        ("Serbia1,2", ["footnote_marks"], "Serbia"),
        ("Serbia 3) *", ["footnote_marks"], "Serbia"),
        ("Serbia²", ["footnote_marks"], "Serbia"),
        ("Serbia [a]", ["footnote_marks"], "Serbia"),
        ("EU27", ["footnote_marks"], "EU27"),
        ("Area 51", ["footnote_marks"], "Area 51"),
        ("China (Mainland)", ["footnote_marks"], "China (Mainland)"),
        ("2010", ["footnote_marks"], "2010"),
        ("Viet\u00a0\n Nam", ["spaces"], "Viet Nam"),
        ("Viet\u00adnam", ["spaces"], "Vietnam"),
        ("(1)", ["footnote_marks"], None),
    ],
)
def test_cleaning(text: str, strip: list[str], expected: str | None) -> None:
    assert clean(pa.array([text]), tuple(strip)).to_pylist() == [expected]


@given(st.integers(0, 20_000))
def test_letters(index: int) -> None:
    assert column_index(column_letter(index)) == index
    assert (column_letter(0), column_letter(25), column_letter(26), column_letter(16_383)) == ("A", "Z", "AA", "XFD")
