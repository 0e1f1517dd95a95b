"""How odd a damaged figure is among the undamaged ones of its file: what nobody can see who has the file alone.

A figure is as odd as it is far (as a logarithm) from the line between the figures before and after it. Where many
undamaged figures of about that size are as odd, whoever reports the damaged one reports those too.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable

from benchmarks.precision.cells import Cell, Lazy, Source, value_of

ENOUGH = 20
"""So many undamaged figures of its size in the file that are as odd: then a damaged one cannot be told."""
_DAMPING = 10


class Oddness:
    """The oddness of every figure of undamaged files, sorted by size of the figures."""

    def __init__(self) -> None:
        self._known: dict[str, dict[int, list[float]]] = {}

    def odder(self, lazy: Lazy, damaged: Source, cells: Iterable[Cell]) -> int | None:
        """How many undamaged figures are as odd as the oddest of damaged ones; None where none can be compared."""
        clean, sizes = lazy.clean, self._of(lazy)
        found: int | None = None
        for cell in cells:
            own = clean.index.get((cell.key, cell.period))
            new = value_of(damaged.grid.text(cell)) if cell.key else None
            odd = None if own is None or new is None else _odd(clean, own, new)
            if odd is None:
                continue
            known = sizes.get(odd[0], [])
            count = len(known) - bisect_left(known, odd[1])
            found = count if found is None else min(found, count)
        return found

    def _of(self, lazy: Lazy) -> dict[int, list[float]]:
        if lazy.name not in self._known:
            sizes: dict[int, list[float]] = {}
            for series in lazy.clean.series.values():
                for before, cell, after in zip([None, *series], series, [*series[1:], None], strict=False):
                    if cell.value is not None and (odd := _beside(before, cell.value, after)) is not None:
                        sizes.setdefault(odd[0], []).append(odd[1])
            for one in sizes.values():
                one.sort()
            self._known[lazy.name] = sizes
        return self._known[lazy.name]


def _odd(clean: Source, cell: Cell, value: float) -> tuple[int, float] | None:
    before, after = clean.neighbours(cell)
    return _beside(before, value, after)


def _beside(before: Cell | None, value: float, after: Cell | None) -> tuple[int, float] | None:
    """Size (a power of four) and distance from the line, or from the one neighbour that there is."""
    near = [one.value for one in (before, after) if one is not None and one.value is not None]
    if not near:
        return None
    line = sum(_log(one) for one in near) / len(near)
    return int(_log(max(value, *near)) / math.log(4)), abs(_log(value) - line)


def _log(value: float) -> float:
    return math.log(max(value, 0) + _DAMPING)
