"""Rules of the kind *zeros*: the only zero of a series, among figures that are far from it."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa

from sdmx_service.catalog.rule_slips import Zeros
from sdmx_service.catalog.rules import Rule
from sdmx_service.submission.figures import Figures, Flow
from sdmx_service.submission.rule_series import group_column, rows_of_rule, series_table
from sdmx_service.submission.workspace import PLACE, key_columns


def lone_zeros(rule: Rule, flow: Flow, figures: Figures, providers: Collection[str]) -> pa.Table:
    """The sent zeros that stand alone in their series; where a table has many in a period, the first one for all."""
    detail = rule.detail
    assert isinstance(detail, Zeros)
    table = series_table(rule, flow, figures)
    column = group_column(figures, flow, detail.by)
    if table is None or column is None:
        return pa.table({})
    between = f"(_before >= {detail.least!r} AND _after >= {detail.least!r})"
    last = f"(_after IS NULL AND _before >= {detail.ends!r} AND _before_2 >= {detail.ends!r})"
    where = f"({between} OR {last})" if detail.ends else between
    found = figures.workspace.make(f"""
        WITH z AS (SELECT _id, _series, _position, _before, _after, {column} AS g FROM {table}
                   WHERE _id IS NOT NULL AND _value = 0 AND {where}),
        one AS (SELECT _series FROM {table} SEMI JOIN z USING (_series) WHERE _value = 0
                GROUP BY _series HAVING count(*) = 1),
        few AS (SELECT z.*, count(*) OVER w AS zeros, row_number() OVER (w ORDER BY _id) AS place
                FROM z SEMI JOIN one USING (_series) WINDOW w AS (PARTITION BY g, _position)
                QUALIFY zeros <= {detail.most} OR place = 1)
        SELECT _id, _before, _after, zeros FROM few""")
    query = f"""
        SELECT {PLACE}, '0' AS value, plain(round((_before + coalesce(_after, _before)) / 2)) AS expected,
               {key_columns(flow.structure, flow.names)}, plain(_before) AS previous,
               coalesce(plain(_after), '–') AS "next", CAST(zeros AS VARCHAR) AS figures
        FROM {found} AS f JOIN {rows_of_rule(rule, flow, providers)}"""
    return figures.workspace.places_of(found, query, flow.structure)
