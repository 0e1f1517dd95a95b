"""Rules about a table of series as a whole: *gaps* (figures that are not there) and *shift* (all step at once).

A table is what the dimensions named in ``by`` tell apart. What is usual is what its other series and periods do.
"""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa

from sdmx_service.catalog.rule_context import Gaps, Shift
from sdmx_service.catalog.rules import Rule
from sdmx_service.submission.figures import Figures, Flow
from sdmx_service.submission.rule_series import blank_figures, group_column, period_table, rows_of_rule, series_table
from sdmx_service.submission.workspace import AT_ONCE, PLACE, conditions, first_origin, key_columns

_STILL = 0.02
"""The least change that counts as usual."""


def missing_figures(rule: Rule, flow: Flow, figures: Figures, providers: Collection[str]) -> pa.Table:
    """Where figures lack that the other series of the table have; a place is the sent figure beside the gap.

    The key names the first period that lacks, or the figure that stands alone. Periods that less than half of the
    table's series have are not asked for.
    """
    detail = rule.detail
    assert isinstance(detail, Gaps)
    table = series_table(rule, flow, figures)
    column = group_column(figures, flow, detail.by)
    time = flow.structure.time_dimension
    if table is None or column is None or time is None:
        return pa.table({})
    if not figures.workspace.count(f"(SELECT 1 FROM {table} WHERE {_possible(detail.test, table)} LIMIT 1)"):
        return pa.table({})
    tables, common = _tables(rule, flow, figures, table, column)
    periods = period_table(rule, flow, figures)
    period = f"coalesce(q.period, r.{flow.names[time.id]})"
    test = {"hole": _HOLE, "end": _END, "alone": _ALONE}[detail.test]
    words = {
        "lacking": repr(1 - detail.share), "size": repr(detail.size), "longest": repr(detail.longest),
        "possible": _possible(detail.test, table), "n": tables, "p": common,
    }  # fmt: skip
    few = f"SELECT *, count(*) OVER (PARTITION BY g) AS together FROM f QUALIFY together <= {detail.most}"
    found = figures.workspace.make(f"""
        WITH t AS NOT MATERIALIZED (SELECT {column} AS g, _series, _position, _before_at, _after_at, _n, _id,
                          greatest(_value, coalesce(_before, 0)) AS size FROM {table}),
        blank AS ({blank_figures(rule, flow, figures)}),
        {test.format(**words)}
        {few}""")
    query = f"""
        SELECT {PLACE}, {key_columns(flow.structure, {**flow.names, time.id: period})},
               CAST(f.lacking AS VARCHAR) AS lacking, CAST(f.others AS VARCHAR) AS others,
               CAST(f.has AS VARCHAR) AS has
        FROM {found} AS f JOIN {rows_of_rule(rule, flow, providers)} LEFT JOIN (
             SELECT position, min(period) AS period FROM {periods} GROUP BY position) AS q ON q.position = f.at
        ORDER BY f.at"""
    return figures.workspace.places_of(found, query, flow.structure)


def _possible(test: str, table: str) -> str:
    """What a row must be for something to lack: tables without holes, as most are, are not looked at closer."""
    return {
        "hole": f"""_position - _before_at > 1.5 * (SELECT min(step) FROM (
            SELECT p - lag(p) OVER (ORDER BY p) AS step FROM (SELECT DISTINCT _position AS p FROM {table})))""",
        "end": f"""(_after_at IS NULL AND _position < (SELECT max(_position) FROM {table}))
            OR (_before_at IS NULL AND _position > (SELECT min(_position) FROM {table}))""",
        "alone": "_n = 1",
    }[test]


def _tables(rule: Rule, flow: Flow, figures: Figures, table: str, column: str) -> tuple[str, str]:
    """The tables that are large enough, with their series, and the periods that half of these have, in their order."""
    detail = rule.detail
    assert isinstance(detail, Gaps)
    tables = figures.made(
        ("tables", table, column, detail.least),
        lambda: (
            f"""
            SELECT {column} AS g, count(*) FILTER (_before_at IS NULL) AS series, count(*) AS cells
            FROM {table} GROUP BY {column} HAVING cells >= {detail.least!r}"""
        ),
    )
    common = figures.made(
        ("common periods", table, column, detail.least),
        lambda: (
            f"""
            SELECT g, _position, row_number() OVER (PARTITION BY g ORDER BY _position) AS place,
                   count(*) OVER (PARTITION BY g) AS places
            FROM (SELECT {column} AS g, _position, count(*) AS c FROM {table} GROUP BY {column}, _position)
            JOIN {tables} USING (g) WHERE c >= 0.5 * series"""
        ),
    )
    return tables, common


_HOLE = """
        k AS (SELECT t.g, sum(p.place - b.place - 1) AS lacking, sum(p.place - b.place) AS cells
              FROM t JOIN {p} AS p ON p.g = t.g AND p._position = t._position
              JOIN {p} AS b ON b.g = t.g AND b._position = t._before_at
              GROUP BY t.g HAVING lacking > 0 AND lacking <= {lacking} * cells),
        f AS (SELECT t.g, t._id, p.place - b.place - 1 AS lacking, k.cells AS others, t._n AS has, a._position AS at
              FROM (SELECT * FROM t WHERE {possible}) AS t JOIN k ON k.g = t.g
              JOIN {p} AS p ON p.g = t.g AND p._position = t._position
              JOIN {p} AS b ON b.g = t.g AND b._position = t._before_at
              JOIN {p} AS a ON a.g = t.g AND a.place = b.place + 1
              WHERE p.place - b.place BETWEEN 2 AND {longest} + 1 AND t._id IS NOT NULL AND t.size >= {size}
                AND NOT EXISTS (SELECT 1 FROM blank AS b WHERE b._series = t._series
                                AND b._position < t._position AND b._position > t._before_at))"""
_END = """
        s AS NOT MATERIALIZED (SELECT t.*, p.place, p.places
              FROM t JOIN {p} AS p ON p.g = t.g AND p._position = t._position
              WHERE p.places > 2 AND t._n > 1 AND ((p.place >= p.places - 1 AND t._after_at IS NULL)
                    OR (p.place <= 2 AND t._before_at IS NULL))),
        k AS (SELECT g, place > 2 AS is_last, count(*) FILTER (place = places - 1 OR place = 2) AS lacking,
                     count(*) AS others
              FROM s GROUP BY g, is_last HAVING lacking > 0 AND lacking <= {lacking} * others),
        f AS (SELECT s.g, s._id, 1 AS lacking, k.others, s._n AS has, a._position AS at
              FROM s JOIN k ON k.g = s.g AND k.is_last = (s.place > 2)
              JOIN {p} AS a ON a.g = s.g AND a.place = CASE WHEN s.place = 2 THEN 1 ELSE s.places END
              WHERE s._id IS NOT NULL AND (s.place = 2 OR s.place = s.places - 1) AND s.size >= {size}
                AND NOT EXISTS (SELECT 1 FROM blank AS b WHERE b._series = s._series AND b._position = a._position))"""
_ALONE = """
        k AS (SELECT g, count(*) FILTER (_n = 1) AS lone, n.series, median(_n) AS middle
              FROM t JOIN {n} AS n USING (g) GROUP BY g, n.series
              HAVING lone > 0 AND lone <= {lacking} * n.series AND middle >= 4),
        f AS (SELECT t.g, t._id, 0 AS lacking, k.series AS others, t._n AS has, CAST(NULL AS DOUBLE) AS at
              FROM t JOIN k ON k.g = t.g WHERE t._n = 1 AND t._id IS NOT NULL AND t.size >= {size}
                AND NOT EXISTS (SELECT 1 FROM blank AS b WHERE b._series = t._series))"""


def unmarked_shifts(rule: Rule, flow: Flow, figures: Figures, providers: Collection[str]) -> pa.Table:
    """The tables and periods in which nearly all series step the same way and stay there; one place each."""
    detail = rule.detail
    assert isinstance(detail, Shift)
    table = series_table(rule, flow, figures)
    column = group_column(figures, flow, detail.by)
    if table is None or column is None:
        return pa.table({})
    by = {id: flow.names[id] for id in detail.by if id in flow.structure.key_ids}
    time = flow.structure.time_dimension
    assert time is not None
    period = flow.names[time.id]
    marked = f"({conditions(flow.structure, detail.unless)}) IS TRUE" if detail.unless else "false"
    step = f"ln(greatest(_value, 0) + {detail.damping!r}) - ln(greatest(_before, 0) + {detail.damping!r})"
    workspace = figures.workspace
    steps = f"""(SELECT {column} AS g, _position, {step} AS d, _id FROM {table}
                 WHERE _before IS NOT NULL AND greatest(_value, _before) >= {detail.least!r})"""
    moves = workspace.make_in_parts(
        lambda part: (
            f"""
            SELECT g, _position, median(d) AS step, count(*) AS series, count(*) FILTER (d > 0) AS up,
                   count(*) FILTER (d < 0) AS down FROM {steps} WHERE {part} GROUP BY g, _position
            HAVING series >= {detail.series!r}"""
        ),
        "hash(g, _position)",
        workspace.count(table),
        4 * AT_ONCE,
    )
    found = workspace.make(f"""
        WITH w AS (SELECT *, lead(step) OVER (PARTITION BY g ORDER BY _position) AS then_step,
                     coalesce(lag(step) OVER (PARTITION BY g ORDER BY _position), 0) AS last_step,
                     median(abs(step)) OVER (PARTITION BY g) AS usual, count(*) OVER (PARTITION BY g) AS periods
              FROM {moves})
        SELECT * FROM w WHERE periods > 3 AND then_step IS NOT NULL AND abs(step) > ln({detail.limit!r})
              AND abs(step) > {detail.spread!r} * greatest(usual, {_STILL}) AND greatest(up, down) >= 0.9 * series
              AND least(then_step * sign(step), last_step * sign(step)) > -0.5 * abs(step)""")
    workspace.drop(moves)
    query = f"""
        WITH g AS (SELECT c.g, c.step, count(*) AS figures, count(*) FILTER ({marked}) AS marked, r._provider,
                     {"".join(f"r.{name}, " for name in by.values())} r.{period}, min(_row) AS _row,
                     {first_origin("_row")}
              FROM {found} AS c JOIN {steps} AS t ON t.g = c.g AND t._position = c._position
              JOIN {rows_of_rule(rule, flow, providers)}
              GROUP BY ALL HAVING 2 * marked < figures)
        SELECT {PLACE}, plain(round(exp(step), 2)) AS value, {key_columns(flow.structure, {**by, time.id: period})},
               plain(round(exp(step), 2)) AS ratio, CAST(figures AS VARCHAR) AS figures
        FROM g"""
    return workspace.places_of(found, query, flow.structure)
