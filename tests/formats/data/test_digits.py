"""Digits from tables are the digits that were sent."""

from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.formats.digits import digits
from sdmx_service.formats.fragments import Coded, Renderer
from sdmx_service.model.columns import parse_numbers

small = st.decimals(-99_999_998, 99_999_998, allow_nan=False, places=3)


def written(texts: list[str | None], after: str = ";") -> str | None:
    """The numbers as the tables write them; None where they cannot."""
    numbers = parse_numbers(pa.array(texts, pa.string()))
    assert numbers.texts.null_count == len(texts)
    found = digits(numbers.values, numbers.decimals, after)
    if found is None:
        return None
    return bytes(Renderer().data([Coded(*column) for column in found.columns], len(texts))).decode()


@st.composite
def texts(draw: st.DrawFn) -> str:
    number = draw(small)
    places = draw(st.integers(0, 3))
    return f"{number:.{places}f}".replace("-0", "0") if abs(number) < 1 else f"{number:.{places}f}"


@given(st.lists(st.none() | texts(), min_size=1))
def test_the_same_digits(sent: list[str | None]) -> None:
    assert written(sent) == "".join(f"{text};" for text in sent if text is not None)


@pytest.mark.parametrize("text", ["0", "7", "9999", "10000", "10001", "20000", "99999998", "0.0", "0.05", "10000.050",
                                  "-1", "-10000.5", "-1.999", "12.500"])  # fmt: skip
def test_borders(text: str) -> None:
    assert written([text, None, "1.5"]) == f"{text};1.5;"


@pytest.mark.parametrize("text", ["100000000", "-0.5", "0.1234", "-0.001"])
def test_what_tables_do_not_hold(text: str) -> None:
    assert written(["1", text]) is None
    assert Decimal(text) != 1


def test_marks_are_left_to_their_texts() -> None:
    assert digits(pa.array([float("nan")]), pa.array([0], pa.int8()), "") is None
    assert digits(pa.array([float("inf")]), pa.array([0], pa.int8()), "") is None
