"""The limits of untold figures: every table of small whole numbers that fits is tried, and the limits are theirs."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdmx_service.submission.bounds import Sums, bounds, is_exposed

WIDE = 0.999_999
"""A share that makes the program look for every limit."""


def table(rows: int, columns: int) -> list[list[tuple[int, float]]]:
    """The sums of a table with totals at its ends: cells are numbered line by line."""
    wide = columns + 1
    lines = [[row * wide + column for column in range(wide)] for row in range(rows + 1)]
    lines += [[row * wide + column for row in range(rows + 1)] for column in range(wide)]
    return [[(cell, 1.0) for cell in line[:-1]] + [(line[-1], -1.0)] for line in lines]


def sums_of(equations: list[list[tuple[int, float]]], values: list[float], least: float = 0.0) -> Sums:
    terms = [(number, cell, factor) for number, line in enumerate(equations) for cell, factor in line]
    return Sums(
        sum=np.array([one[0] for one in terms], np.int64),
        cell=np.array([one[1] for one in terms], np.int64),
        factor=np.array([one[2] for one in terms], np.float64),
        tolerance=np.zeros(len(equations)),
        is_equal=np.ones(len(equations), np.bool_),
        value=np.array(values, np.float64),
        least=np.full(len(values), least),
    )


@st.composite
def tables(draw: Any) -> tuple[int, int, list[int], set[int]]:
    """Rows, columns, the figures with their totals, and the cells that are not told; the last total is."""
    rows, columns = draw(st.integers(1, 2)), draw(st.integers(2, 3))
    inner = [[draw(st.integers(0, 3)) for _ in range(columns)] for _ in range(rows)]
    lines = [[*line, sum(line)] for line in inner]
    lines.append([sum(line[column] for line in lines) for column in range(columns + 1)])
    figures = [one for line in lines for one in line]
    hidden = draw(st.sets(st.integers(0, len(figures) - 2), min_size=1, max_size=3))
    return rows, columns, figures, hidden


@settings(max_examples=60)
@given(made=tables())
def test_limits_are_those_of_all_tables_that_fit(made: tuple[int, int, list[int], set[int]]) -> None:
    """A table's sums are totally unimodular: the least and greatest real solutions are whole numbers."""
    rows, columns, figures, hidden = made
    equations = table(rows, columns)
    found = bounds(
        sums_of(equations, [math.nan if cell in hidden else figure for cell, figure in enumerate(figures)]), WIDE, 20
    )
    fitting = []
    for guess in itertools.product(range(figures[-1] + 1), repeat=len(hidden)):
        tried = dict(enumerate(figures)) | dict(zip(sorted(hidden), guess, strict=True))
        if all(sum(factor * tried[cell] for cell, factor in line) == 0 for line in equations):
            fitting.append(tried)
    for cell in hidden:
        wanted = [one[cell] for one in fitting]
        assert (found.lower[cell], found.upper[cell]) == pytest.approx((min(wanted), max(wanted)))
    assert not found.is_cut
    assert not found.is_contradictory.any()


def test_a_chain_of_sums_gives_a_figure_away() -> None:
    """No sum has one unknown: only together they tell the two cells of the first line."""
    nan = math.nan
    equations = [
        [(0, 1.0), (1, 1.0), (2, -1.0)], [(0, 1.0), (1, -1.0), (3, -1.0)],
    ]  # fmt: skip
    found = bounds(sums_of(equations, [nan, nan, 10.0, 4.0], least=-math.inf), 0.1, 20)
    assert found.lower.tolist() == pytest.approx([7, 3, 10, 4])
    assert found.upper.tolist() == pytest.approx([7, 3, 10, 4])


def test_sums_that_contradict_each_other_tell_what_one_tells() -> None:
    nan = math.nan
    equations = [
        [(0, 1.0), (1, 1.0), (2, -1.0)], [(0, 1.0), (3, -1.0)], [(0, 1.0), (1, 1.0), (4, -1.0)], [(1, 1.0), (5, -1.0)],
    ]  # fmt: skip
    found = bounds(sums_of(equations, [nan, nan, 10.0, 4.0, 11.0, 6.0]), 0.1, 20)
    assert found.is_contradictory.tolist() == [True, True, False, False, False, False]


def test_time_is_bounded() -> None:
    size = 20
    equations = table(size, size)
    values = [math.nan] * (size + 1) ** 2
    values[-1] = 1000.0
    assert bounds(sums_of(equations, values), WIDE, 0.0).is_cut


def test_rounded_figures_leave_room() -> None:
    made = sums_of([[(0, 1.0), (1, 1.0), (2, -1.0)]], [math.nan, 5.0, 20.0])
    made.tolerance[:] = 5.0
    found = bounds(made, 0.1, 20)
    assert (found.lower[0], found.upper[0]) == (10.0, 20.0)


@pytest.mark.parametrize(
    ("lower", "upper", "exposed"),
    [(5, 5, True), (0, 0, True), (95, 100, True), (80, 100, False), (-1, 1, False), (-100, -95, True), (0, 1, False),
     (0, math.inf, False), (-math.inf, 4, False)],
)  # fmt: skip
def test_what_is_exposed(lower: float, upper: float, exposed: bool) -> None:
    assert bool(is_exposed(np.array([float(lower)]), np.array([float(upper)]), 0.1)[0]) is exposed


def test_the_solver_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """What a command prints must be read by programs."""
    bounds(sums_of(table(2, 2), [math.nan, math.nan, 9.0, math.nan, math.nan, 9.0, 9.0, 9.0, 18.0]), WIDE, 20)
    assert capfd.readouterr() == ("", "")
