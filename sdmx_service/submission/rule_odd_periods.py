"""Rules of the kind *periods*: figures of a period that has not begun, or that hardly any other figure is of."""

from __future__ import annotations

import time
from collections.abc import Collection
from statistics import median

import pyarrow as pa

from sdmx_service.catalog.rule_slips import OddPeriods
from sdmx_service.catalog.rules import Rule
from sdmx_service.errors import SyntaxFault
from sdmx_service.model.period import parse_period
from sdmx_service.storage.quoting import member
from sdmx_service.submission.figures import Figures, Flow
from sdmx_service.submission.workspace import IN_ORDER, PLACE, conditions, key_columns


def odd_periods(rule: Rule, flow: Flow, figures: Figures) -> pa.Table:
    """The sent figures of odd periods; ``value`` is the period, ``figures`` how many are of it."""
    detail = rule.detail
    assert isinstance(detail, OddPeriods)
    period = flow.structure.time_dimension
    query = figures.select(
        flow, flow.number(rule.component, rule.id), rule.when, result=False, more=tuple(detail.unless)
    )
    if period is None or query is None:
        return pa.table({})
    name = flow.names[period.id]
    marked = f"({conditions(flow.structure, detail.unless)}) IS TRUE" if detail.unless else "false"
    rows = f"(SELECT * FROM ({query}) WHERE _value IS NOT NULL AND NOT {marked})"
    counted = figures.workspace.read(f"SELECT CAST({name} AS VARCHAR) AS p, count(*) AS n FROM {rows} GROUP BY p")
    counts = dict(zip(counted["p"].to_pylist(), counted["n"].to_pylist(), strict=True))
    odd = _to_come(counts) if detail.test == "future" else _rare(counts, detail)
    if not odd:
        return pa.table({})
    statement = f"""
        SELECT {PLACE}, CAST({name} AS VARCHAR) AS value, {key_columns(flow.structure, flow.names)},
               CAST(count(*) OVER (PARTITION BY {name}) AS VARCHAR) AS figures
        FROM {rows} WHERE {member(name, odd)} ORDER BY {IN_ORDER}"""
    return figures.workspace.places(statement, flow.structure)


def _to_come(periods: Collection[str]) -> set[str]:
    """The periods that begin after this moment."""
    now = time.time()
    return {text for text in periods if (start := _start(text)) is not None and start > now}


def _rare(counts: dict[str, int], detail: OddPeriods) -> set[str]:
    """The periods with next to no figures among periods that have many.

    The last one is none of them: the newest figures come one by one.
    """
    starts = {text: start for text in counts if (start := _start(text)) is not None}
    last = max(starts.values(), default=0)
    rare = {text for text, start in starts.items() if counts[text] <= detail.most and start < last}
    others = [count for text, count in counts.items() if text not in rare]
    return rare if len(others) > 2 and median(others) >= detail.least else set()


def _start(text: str) -> int | None:
    try:
        return parse_period(text).start
    except SyntaxFault:
        return None
