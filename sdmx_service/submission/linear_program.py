"""Linear programs: how small and how great an unknown can be; the one place that knows ``highspy``."""

from __future__ import annotations

import highspy
import numpy as np
import numpy.typing as npt
from highspy import _core

Numbers = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


class Contradiction(Exception):
    """Nothing fulfils all sums."""


class LinearProgram:
    """Unknowns between limits, in weighted sums between limits.

    Args:
        rows, columns, factors: one entry per term: the number of its sum, the number of its unknown, its factor.
        sums: per sum its lower and its upper limit, which may be infinite.
        unknowns: the same per unknown.
    """

    def __init__(
        self,
        rows: Places,
        columns: Places,
        factors: Numbers,
        *,
        sums: tuple[Numbers, Numbers],
        unknowns: tuple[Numbers, Numbers],
    ) -> None:
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = len(unknowns[0]), len(sums[0])
        program.col_cost_ = np.zeros(len(unknowns[0]))
        program.col_lower_, program.col_upper_ = unknowns
        program.row_lower_, program.row_upper_ = sums
        order = np.lexsort([columns, rows])
        program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        program.a_matrix_.start_ = np.searchsorted(rows[order], np.arange(len(sums[0]) + 1)).astype(np.int32)
        program.a_matrix_.index_ = columns[order].astype(np.int32)
        program.a_matrix_.value_ = factors[order]
        self._solver = _core._Highs()  # ``highspy.Highs`` prints a banner before it can be told to be silent
        self._solver.setOptionValue("output_flag", False)
        self._solver.setOptionValue("threads", 1)
        self._solver.passModel(program)

    def extreme(self, unknown: int, *, greatest: bool) -> Numbers | None:
        """Values of all unknowns with that one as small, or as great, as it can be; None where it has no limit.

        Raises:
            Contradiction: there is no solution at all.
        """
        sense = highspy.ObjSense.kMaximize if greatest else highspy.ObjSense.kMinimize
        self._solver.changeObjectiveSense(sense)
        self._solver.changeColCost(unknown, 1.0)
        self._solver.run()
        status, solution = self._solver.getModelStatus(), np.asarray(self._solver.getSolution().col_value)
        self._solver.changeColCost(unknown, 0.0)
        if status == highspy.HighsModelStatus.kInfeasible:
            raise Contradiction
        return solution if status == highspy.HighsModelStatus.kOptimal else None
