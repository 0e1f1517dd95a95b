"""Rules of the kind *misplaced*: figures of a period that stand one row too low or too high.

What a row's figure should be about is the line between the periods before and after. A block of figures that is far
from that, while it fits what the rows above (or below) should have, has slipped. Rows are in the sender's order.
"""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa

from sdmx_service.catalog.rule_slips import Misplaced
from sdmx_service.catalog.rules import Rule
from sdmx_service.submission.figures import Figures, Flow
from sdmx_service.submission.rule_series import group_column, rows_of_rule, series_table
from sdmx_service.submission.workspace import PLACE, key_columns


def misplaced_figures(rule: Rule, flow: Flow, figures: Figures, providers: Collection[str]) -> pa.Table:
    """One place for each table and period with a block of figures that belong into the rows beside."""
    detail = rule.detail
    assert isinstance(detail, Misplaced)
    table = series_table(rule, flow, figures)
    column = group_column(figures, flow, detail.by)
    if table is None or column is None:
        return pa.table({})
    before, own, after = (f"ln(greatest({name}, 0) + {detail.damping!r})" for name in ("_before", "_value", "_after"))
    line = f"{before} + ({after} - {before}) * (_position - _before_at) / (_after_at - _before_at)"
    far = f"ln({detail.factor!r})"
    found = figures.workspace.make(f"""
        WITH t AS NOT MATERIALIZED (SELECT {column} AS g, _position, _id, _value, {own} AS v, {line} AS line
                   FROM {table} WHERE _id IS NOT NULL),
        where_to AS (SELECT g, _position FROM t GROUP BY g, _position
                     HAVING count(*) FILTER (abs(v - line) > {far}
                       AND greatest(_value, exp(line) - {detail.damping!r}) >= {detail.least!r}) >= {detail.rows - 1}),
        n AS (SELECT t.*, lag(line) OVER w AS above, lead(line) OVER w AS below
              FROM t JOIN where_to USING (g, _position) WINDOW w AS (PARTITION BY g, _position ORDER BY _id)),
        s AS (SELECT g, _position, _id, _value, stddev_pop(v - line) OVER r * {detail.rows} AS off,
                     count(line) OVER r AS lines, max(_value) OVER r AS most, min(_value) OVER r AS fewest,
                     count(above) OVER r AS has_above, sum(abs(v - above)) OVER r AS off_above,
                     count(below) OVER r AS has_below, sum(abs(v - below)) OVER r AS off_below
              FROM n WINDOW r AS (PARTITION BY g, _position ORDER BY _id
                                  ROWS BETWEEN {detail.rows - 1} PRECEDING AND CURRENT ROW)),
        f AS (SELECT g, _position, _id, _value, off,
                     least(CASE WHEN has_above = {detail.rows} THEN off_above END,
                           CASE WHEN has_below = {detail.rows} THEN off_below END) AS off_beside
              FROM s WHERE lines = {detail.rows} AND most >= {detail.least!r} AND fewest > 0
                AND off > {detail.rows} * {far})
        SELECT g, _position, arg_min(_id, off_beside / off) AS _id, arg_min(_value, off_beside / off) AS value,
               min(off_beside / off) AS share
        FROM f WHERE off_beside < {detail.limit!r} * off GROUP BY g, _position""")
    query = f"""
        SELECT {PLACE}, plain(b.value) AS value, {key_columns(flow.structure, flow.names)},
               plain(round(100 * share)) AS share
        FROM {found} AS b JOIN {rows_of_rule(rule, flow, providers)}"""
    return figures.workspace.places_of(found, query, flow.structure)
