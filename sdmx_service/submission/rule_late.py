"""Rules of the kind *late*: a series that was filled in one period too late, as the series beside it show.

Who copies a column one cell too low has its first figure twice. That happens by itself too; so the series must also
follow those beside it (their median) one period late, much better than it follows them at its own periods.
"""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa

from sdmx_service.catalog.rule_slips import Late
from sdmx_service.catalog.rules import Rule
from sdmx_service.storage.quoting import both, either
from sdmx_service.submission.figures import Figures, Flow
from sdmx_service.submission.rule_series import beside_column, rows_of_rule, series_table
from sdmx_service.submission.workspace import PLACE, key_columns

_STILL = 0.1
"""Series that do next to nothing follow any other; the sum of what they do is above this."""
_FEW = 4
"""Periods that can be compared, at least."""
_MANY = 8
"""Series beside each other that may be late: where there are more, a whole period was copied (kind *copied*), and
comparing each of them with all others would cost the square of their number."""


def late_series(rule: Rule, flow: Flow, figures: Figures, providers: Collection[str]) -> pa.Table:
    """The second figures of series that are one period late; ``share`` tells how much better they fit so."""
    detail = rule.detail
    assert isinstance(detail, Late)
    table = series_table(rule, flow, figures)
    beside = [column for one in detail.beside if (column := beside_column(figures, flow, one))]
    if table is None or not beside:
        return pa.table({})
    step = _step(detail.damping)
    ctes, shares = "", []
    for number, column in enumerate(dict.fromkeys(beside)):
        shares.append(f"s{number}")
        ctes += f""",
        m{number} AS (SELECT c._series, t._position, median({_step(detail.damping, "t.")}) AS m
                FROM c JOIN {table} AS t ON t.{column} = c.{column} AND t._series <> c._series
                WHERE t._before IS NOT NULL GROUP BY c._series, t._position),
        s{number} AS (SELECT _series, sum(abs(d - last_m)) / sum(abs(d - m)) AS share
                FROM (SELECT own._series, d, m, lag(m) OVER (PARTITION BY own._series ORDER BY own._position) AS last_m
                      FROM own JOIN m{number} AS b ON b._series = own._series AND b._position = own._position)
                WHERE last_m IS NOT NULL GROUP BY _series HAVING count(*) >= {_FEW} AND sum(abs(d - m)) > {_STILL})"""
    kept = ", ".join(dict.fromkeys(beside))
    few = both(f"count(*) OVER (PARTITION BY {column}) <= {_MANY}" for column in dict.fromkeys(beside))
    joins = " ".join(f"LEFT JOIN {name} ON {name}._series = c._series" for name in shares)
    least = f"least({', '.join(f'{name}.share' for name in shares)})"
    found = figures.workspace.make(f"""
        WITH first AS (SELECT _series, _id, _value, {kept} FROM {table}
                   WHERE _id IS NOT NULL AND _value = _before AND _before_2 IS NULL
                     AND _value >= {detail.least!r} AND _n >= {detail.periods}),
        c AS (SELECT f.* FROM first AS f SEMI JOIN (
                SELECT _series FROM {table} SEMI JOIN first USING (_series)
                GROUP BY _series HAVING count(*) FILTER (_value = _before) = 1) AS one USING (_series) QUALIFY {few}),
        own AS (SELECT _series, _position, {step} AS d FROM {table} SEMI JOIN c USING (_series)
                WHERE _before IS NOT NULL){ctes}
        SELECT c._id, c._value, {least} AS share FROM c {joins}
        WHERE {either(f"{name}.share < {detail.limit!r}" for name in shares)}""")
    query = f"""
        SELECT {PLACE}, plain(late._value) AS value, {key_columns(flow.structure, flow.names)},
               plain(round(100 * share)) AS share
        FROM {found} AS late JOIN {rows_of_rule(rule, flow, providers)}"""
    return figures.workspace.places_of(found, query, flow.structure)


def _step(damping: float, prefix: str = "") -> str:
    """What a series does from one period to the next, as a logarithm."""
    value, before = (f"ln(greatest({prefix}{name}, 0) + {damping!r})" for name in ("_value", "_before"))
    return f"{value} - {before}"
