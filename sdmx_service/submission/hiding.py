"""Which open figures to hide as well, so that hidden ones cannot be found out: greedy, the smallest first.

Each figure that can be found out needs another untold one in the sums that tell it. Its sums with the fewest untold
figures come first, then its others. Of their open figures a part is chosen rather than a total, one that serves many
sums rather than few, the smallest of these above zero. The set is small, not the smallest, and not all can be protected
so: what stands among zeros stays a zero.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from sdmx_service.submission.bounds import Sums
from sdmx_service.submission.disclosure import Told

Places = npt.NDArray[np.int64]


def more_to_hide(told: Told, open_: set[int], hidden: set[int]) -> list[int]:
    """Ids of open figures to hide next, at most one per figure that can be found out; none where there is none.

    Args:
        open_: ids of the figures that may be hidden.
        hidden: those chosen before.
    """
    system = told.system
    sums = system.sums
    number_of = {int(id): place for place, id in enumerate(system.ids.tolist())}
    in_sums = np.bincount(sums.cell, minlength=len(system.ids))
    free = ~np.isnan(sums.value) & (sums.value > 0) & np.isin(system.ids, sorted(open_ - hidden))
    chosen: dict[int, None] = {}
    protected: set[int] = set()
    for id in told.cells.tolist():
        rings = list(_rings(sums, number_of[id]))
        if rings and protected & set(rings[0].tolist()):
            continue  # what was chosen for another one stands in the same sum
        for ring in rings:
            places = np.flatnonzero(np.isin(sums.sum, ring) & free[sums.cell])
            if len(places):
                cells = sums.cell[places]
                order = np.lexsort([sums.value[cells], -in_sums[cells], sums.factor[places] < 0])
                cell = int(cells[order[0]])
                chosen[int(system.ids[cell])] = None
                free[cell] = False
                protected |= set(sums.sum[sums.cell == cell].tolist())
                break
    return list(chosen)


def _rings(sums: Sums, cell: int) -> Iterator[Places]:
    """The sums to look for another figure in, the nearest first."""
    untold = np.isnan(sums.value)
    count = np.bincount(sums.sum[untold[sums.cell]], minlength=len(sums.tolerance))
    own = np.unique(sums.sum[sums.cell == cell])
    equal = own[sums.is_equal[own]]
    if len(equal):
        yield equal[count[equal] == count[equal].min()]
        yield equal
    yield own
