"""Between which limits figures must lie that are not told: linear programs over the sums that hang together.

An attacker knows the published figures, that sums add up, and that counts are not below zero. What follows is found by
a linear program per connected set of sums: the least and the greatest value that each unknown figure can have. Sums
with one unknown and the narrowing of limits along sums come first, since they are quick and settle most.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_ROUNDS = 30
"""Passes that narrow limits along sums."""
_SLACK = 1e-7


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Sums over cells, sparse: ``sum(factor * cell) = 0``, or ``<= 0``.

    Attributes:
        sum, cell, factor: one entry per term: the number of its sum, the number of its cell, its factor.
        tolerance: per sum, by how much it may miss (rounded figures).
        is_equal: per sum: it is an equality; else the weighted sum is at most 0.
        value: per cell its published figure; NaN where it is not told.
        least: per cell the limit below which it cannot lie: 0 for counts, minus infinity.
        limits: per cell between what it lies: told figures may be rounded, and of others something may be known (NaN:
            nothing). None: all told figures are exact.
    """

    sum: Places
    cell: Places
    factor: Numbers
    tolerance: Numbers
    is_equal: Flags
    value: Numbers
    least: Numbers
    limits: tuple[Numbers, Numbers] | None = None

    def known(self) -> tuple[Numbers, Numbers]:
        """Per cell the limits that are known before any sum is looked at."""
        untold = np.isnan(self.value)
        low, high = (self.value, self.value) if self.limits is None else self.limits
        lower = np.where(untold, np.fmax(low, self.least), low)
        return lower, np.where(untold, np.fmin(high, np.inf), high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What follows for the cells that are not told.

    Attributes:
        lower, upper: per cell; a cell that is told has its figure twice. Of cells that are safe for sure the limits may
            be closer to each other than what is possible; of those that are not they are exact.
        is_contradictory: per cell: the sums that it is part of contradict each other; only what one sum says is told.
        is_cut: time ran out; the limits are wider than they could be found to be.
    """

    lower: Numbers
    upper: Numbers
    is_contradictory: Flags
    is_cut: bool


def is_exposed(lower: Numbers, upper: Numbers, share: float) -> Flags:
    """Whether the limits say where a figure is to within a share of it; equal limits always do."""
    with np.errstate(invalid="ignore"):
        above = (lower >= 0) & (upper * (1 - share) > lower)
        below = (upper <= 0) & (-lower * (1 - share) > -upper)
        is_safe = ((lower < 0) & (upper > 0)) | above | below
        told = upper - lower <= _SLACK * np.maximum(1, np.abs(upper))
    return np.where(told, True, ~is_safe) & np.isfinite(lower) & np.isfinite(upper)


def bounds(sums: Sums, share: float, seconds: float, wanted: Flags | None = None) -> Bounds:
    """The limits of every cell that is not told.

    Args:
        wanted: the cells whose limits are asked for; None: all that are not told.
        share: cells whose limits are farther apart than this share of them are safe and not looked at further.
        seconds: when to stop.
    """
    deadline = time.monotonic() + seconds
    lower, upper = sums.known()
    most = upper.copy()
    unknown = lower < upper  # rounded figures too
    asked = np.isnan(sums.value) if wanted is None else wanted
    contradictory = np.zeros(len(lower), np.bool_)
    system = _Unknowns(sums, unknown)
    if not len(system.cell):
        return Bounds(lower=lower, upper=upper, is_contradictory=contradictory, is_cut=False)
    system.narrow(lower, upper)
    is_cut = False
    for entries in system.components():
        if time.monotonic() > deadline:
            is_cut = True
            break
        cells = system.cell[entries]
        if not asked[cells].any():
            continue
        if len(np.unique(system.sum[entries])) < 2:  # one sum by itself: narrowing has said all
            contradictory[cells] |= bool(_are_crossed(lower, upper, cells[np.isfinite(most[cells])]).any())
            continue
        found = _solve(system, entries, lower, upper, asked, share, deadline)
        if found is None:
            contradictory[system.cell[entries]] = True
        else:
            is_cut = is_cut or found
    if contradictory.any():
        alone = _Unknowns(sums, unknown)
        narrow_lower, narrow_upper = sums.known()
        alone.narrow(narrow_lower, narrow_upper, rounds=1)
        lower = np.where(contradictory, np.minimum(narrow_lower, narrow_upper), lower)
        upper = np.where(contradictory, narrow_upper, upper)
    return Bounds(lower=lower, upper=upper, is_contradictory=contradictory, is_cut=is_cut)


class _Unknowns:
    """The terms whose cells are not told, and what the others leave for them."""

    def __init__(self, sums: Sums, unknown: Flags) -> None:
        count = len(sums.tolerance)
        is_open, told = unknown[sums.cell], sums.known()[0]
        known = np.bincount(sums.sum[~is_open], sums.factor[~is_open] * told[sums.cell[~is_open]], minlength=count)
        self.sum, self.cell, self.factor = sums.sum[is_open], sums.cell[is_open], sums.factor[is_open]
        self.high = -known + sums.tolerance
        self.low = np.where(sums.is_equal, -known - sums.tolerance, -np.inf)
        self.count = count

    def narrow(self, lower: Numbers, upper: Numbers, rounds: int = _ROUNDS) -> None:
        """Draw the limits in, sum by sum, until nothing moves much."""
        for _ in range(rounds):
            before = np.concatenate([lower[self.cell], upper[self.cell]])
            self._narrow_once(lower, upper)
            after = np.concatenate([lower[self.cell], upper[self.cell]])
            finite = np.isfinite(after)
            if not np.any(np.abs(after[finite] - before[finite]) > 1e-6 * np.maximum(1, np.abs(after[finite]))):
                return

    def _narrow_once(self, lower: Numbers, upper: Numbers) -> None:
        is_positive = self.factor > 0
        smallest = np.where(is_positive, self.factor * lower[self.cell], self.factor * upper[self.cell])
        greatest = np.where(is_positive, self.factor * upper[self.cell], self.factor * lower[self.cell])
        rest_least = self._rest(smallest)
        rest_most = self._rest(greatest)
        with np.errstate(invalid="ignore"):
            most = self.high[self.sum] - rest_least
            least = self.low[self.sum] - rest_most
        first, second = least / self.factor, most / self.factor
        low, high = np.where(is_positive, first, second), np.where(is_positive, second, first)
        low[np.isnan(low)], high[np.isnan(high)] = -np.inf, np.inf
        np.maximum.at(lower, self.cell, low)
        np.minimum.at(upper, self.cell, high)

    def _rest(self, terms: Numbers) -> Numbers:
        """Per term the sum of the others of its sum; infinite where one of them is."""
        is_infinite = ~np.isfinite(terms)
        finite = np.where(is_infinite, 0.0, terms)
        total = np.bincount(self.sum, finite, minlength=self.count)[self.sum] - finite
        others = np.bincount(self.sum, is_infinite, minlength=self.count)[self.sum] - is_infinite
        sign = np.where(terms > 0, np.inf, -np.inf)
        signs = np.zeros(self.count)
        if is_infinite.any():
            signs[self.sum[is_infinite]] = sign[is_infinite]
        return np.where(others > 0, signs[self.sum], total)

    def components(self) -> Iterator[Places]:
        """The terms of each connected set of sums."""
        label = self.sum.copy()
        while True:
            best = np.full(int(self.cell.max()) + 1, np.iinfo(np.int64).max)
            np.minimum.at(best, self.cell, label)
            by_sum = np.full(self.count, np.iinfo(np.int64).max)
            np.minimum.at(by_sum, self.sum, best[self.cell])
            new = by_sum[self.sum]
            if np.array_equal(new, label):
                break
            label = new
        order = np.argsort(label, kind="stable")
        starts = np.flatnonzero(np.diff(label[order], prepend=-1))
        yield from np.split(order, starts[1:])


def _solve(
    system: _Unknowns, entries: Places, lower: Numbers, upper: Numbers, asked: Flags, share: float, deadline: float
) -> bool | None:
    """Put the limits of one connected set; whether time ran out, None where the sums contradict each other."""
    from sdmx_service.submission.linear_program import Contradiction, LinearProgram  # what solves them is large

    sums, rows = np.unique(system.sum[entries], return_inverse=True)
    cells, columns = np.unique(system.cell[entries], return_inverse=True)
    if _are_crossed(lower, upper, cells).any():
        return None
    program = LinearProgram(
        rows,
        columns,
        system.factor[entries],
        sums=(system.low[sums], system.high[sums]),
        unknowns=(lower[cells], np.maximum(upper[cells], lower[cells])),
    )
    seen_low, seen_high = np.full(len(cells), np.inf), np.full(len(cells), -np.inf)
    for place, cell in [(place, cell) for place, cell in enumerate(cells.tolist()) if asked[cell]]:
        for greatest, limits in ((False, lower), (True, upper)):
            if not is_exposed(seen_low[[place]], seen_high[[place]], share)[0] and np.isfinite(seen_low[place]):
                continue  # solutions that were seen already show that it is safe
            try:
                solution = program.extreme(place, greatest=greatest)
            except Contradiction:
                return None
            if solution is not None:
                seen_low, seen_high = np.minimum(seen_low, solution), np.maximum(seen_high, solution)
                limits[cell] = solution[place]
            if time.monotonic() > deadline:
                return True
    return False


def _are_crossed(lower: Numbers, upper: Numbers, cells: Places) -> Flags:
    """Which cells have limits that leave nothing between them."""
    return lower[cells] > upper[cells] + _SLACK * np.maximum(1, np.abs(upper[cells]))
