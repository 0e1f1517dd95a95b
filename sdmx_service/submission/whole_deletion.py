"""Deletions without a key, which take away all that a provider has in a dataflow (SDMX 3.1 notes, *Action*)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sdmx_service.model.columns import COLUMN, ROW, SHEET, columns
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.selection import provider_name
from sdmx_service.submission.parts import Part
from sdmx_service.submission.report import Report
from sdmx_service.submission.stored import Stored


def report_whole_deletion(typed: pa.RecordBatch, part: Part, stored: Stored | None, report: Report) -> bool:
    """F255 at the first row of a deletion that names no key, and nothing else or a measure; whether there is one.

    Args:
        typed: rows of the part as typed.
        stored: what is stored is counted; None: it is not known.
    """
    structure = part.target.structure
    named = {one.id: np.asarray(typed.column(one.id).is_valid()) for one in columns(structure)}
    keyed = _any([named[id] for id in structure.key_ids], len(typed))
    measured = _any([named[one.id] for one in structure.measures], len(typed))
    whole = np.flatnonzero(~keyed & (measured | ~_any(list(named.values()), len(typed))))
    if not whole.size:
        return False
    first = int(whole[0])
    measures = [f"every {one.id}" for one in structure.measures if named[one.id][first]]
    row = typed.slice(first, 1)
    places = pa.table({"row": row.column(ROW), "column": row.column(COLUMN), "sheet": row.column(SHEET)})
    report.add(
        FindingGroup.of(
            "F255",
            places=places,
            what=" and ".join(measures) or "everything",
            provider=provider_name(part.provider),
            dataflow=part.dataflow.ref.text,
            stored=_told(None if stored is None else stored.count(part.dataflow, part.provider)),
        )
    )
    return True


def _told(count: int | None) -> str:
    if count is None:
        return "how much is stored is not known here"
    return "1 observation is stored now" if count == 1 else f"{count} observations are stored now"


def _any(masks: list[npt.NDArray[np.bool_]], count: int) -> npt.NDArray[np.bool_]:
    return np.logical_or.reduce(masks) if masks else np.zeros(count, bool)
