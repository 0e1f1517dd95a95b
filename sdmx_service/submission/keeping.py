"""Figures that a questionnaire leaves as they were sent: whether there is anything to leave."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

import pyarrow as pa

from sdmx_service.model.columns import COLUMN, ROW, SHEET
from sdmx_service.model.finding import KEY_PREFIX, FindingGroup
from sdmx_service.model.structure import Dataflow
from sdmx_service.model.urn import Ref
from sdmx_service.submission.questionnaires import FilledQuestionnaire
from sdmx_service.submission.report import Report

Own = Callable[[Dataflow, Ref, Mapping[str, Collection[str]]], Iterator[pa.RecordBatch]]
"""A provider's own stored rows of a dataflow whose dimensions have one of the values given."""


def check_kept(filled: FilledQuestionnaire | None, report: Report, own: Own | None) -> bool:
    """Whether a questionnaire leaves figures as they were sent; what it leaves and is not held is in the report (F260).

    Args:
        own: how to read what is stored; None where there is no store.
    """
    if filled is None or filled.questionnaire.kept is None or filled.provider is None:
        return False
    for dataflow, kept in filled.kept if own is not None else ():
        assert own is not None
        ids = filled.catalog.structure_of(dataflow).key_ids
        time = filled.catalog.structure_of(dataflow).time_dimension
        keys = {id: kept.column(id).cast(pa.string()) for id in ids}
        dimensions = [id for id in ids if time is None or id != time.id]
        wanted = pa.table(keys | {"_place": pa.array(range(len(kept)), pa.int64())})
        for batch in own(dataflow, filled.provider, {id: set(keys[id].to_pylist()) for id in dimensions}):
            held = pa.table({id: batch.column(id).cast(pa.string()) for id in ids})
            wanted = wanted.join(held, keys=list(ids), join_type="left anti")
        if wanted.num_rows:
            places = pa.array(sorted(wanted["_place"].to_pylist()), pa.int64())
            said = {"sheet": SHEET, "row": ROW, "column": COLUMN} | {KEY_PREFIX + id: id for id in ids}
            found = pa.table({name: kept.column(id).take(places) for name, id in said.items()})
            report.add(FindingGroup.of("F260", value=filled.questionnaire.kept.texts[0], places=found))
    return bool(filled.kept)
