"""Rules of the kind *periods*: figures of a period to come, of a period nearly alone, of another frequency."""

from __future__ import annotations

import time
from collections.abc import Collection
from statistics import median
from typing import Final

import pyarrow as pa

from sdmx_service.catalog.rule_slips import OddPeriods
from sdmx_service.catalog.rules import Rule
from sdmx_service.errors import SyntaxFault
from sdmx_service.model.period import parse_period
from sdmx_service.storage.quoting import both, either, literal, member
from sdmx_service.submission.figures import Figures, Flow
from sdmx_service.submission.workspace import IN_ORDER, PLACE, conditions, key_columns

_DAY: Final = 86_400
_SHORTEST, _LONGEST = 28, 31
"""Days of a month."""


def odd_periods(rule: Rule, flow: Flow, figures: Figures) -> pa.Table:
    """The sent figures of odd periods; ``value`` is the period, ``figures`` how many, ``expected`` the frequency."""
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
    if detail.test == "frequency":
        return _of_another_frequency(rows, detail, flow, figures)
    counted = figures.workspace.read(f"SELECT CAST({name} AS VARCHAR) AS p, count(*) AS n FROM {rows} GROUP BY p")
    counts = dict(zip(counted["p"].to_pylist(), counted["n"].to_pylist(), strict=True))
    odd = _to_come(counts) if detail.test == "future" else _rare(counts, detail)
    return _places(f"{rows} WHERE {member(name, odd)}", name, flow, figures) if odd else pa.table({})


def _places(rows: str, name: str, flow: Flow, figures: Figures, more: str = "") -> pa.Table:
    statement = f"""
        SELECT {PLACE}, CAST({name} AS VARCHAR) AS value, {key_columns(flow.structure, flow.names)}, {more}
               CAST(count(*) OVER (PARTITION BY {name}) AS VARCHAR) AS figures
        FROM {rows} ORDER BY {IN_ORDER}"""
    return figures.workspace.places(statement, flow.structure)


def _of_another_frequency(rows: str, detail: OddPeriods, flow: Flow, figures: Figures) -> pa.Table:
    """The figures whose period does not last as long as one of their frequency."""
    period = flow.structure.time_dimension
    if detail.dimension not in flow.names or period is None:
        return pa.table({})
    time_name, name = flow.names[period.id], flow.names[detail.dimension]
    there = figures.workspace.read(
        f"SELECT DISTINCT CAST({name} AS VARCHAR) AS f, CAST({time_name} AS VARCHAR) AS p FROM {rows}"
    )
    pairs = zip(there["f"].to_pylist(), there["p"].to_pylist(), strict=True)
    odd: dict[str, set[str]] = {}
    for code, text in pairs:
        if code in detail.months and not _lasts(text, detail.months[code]):
            odd.setdefault(code, set()).add(text)
    if not odd:
        return pa.table({})
    wanted = either(both([f"{name} = {literal(code)}", member(time_name, odd[code])]) for code in sorted(odd))
    return _places(f"{rows} WHERE {wanted}", time_name, flow, figures, f"CAST({name} AS VARCHAR) AS expected,")


def _lasts(text: str, months: int) -> bool:
    """Whether a period lasts that many months; what is no period is not judged."""
    try:
        period = parse_period(text)
    except SyntaxFault:
        return True
    return months * _SHORTEST <= (period.end - period.start) / _DAY <= months * _LONGEST


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
