"""Rules that set a figure beside its series and the series beside it: *outlier* and *swapped*.

Robust statistics: what a series usually does is how far its other figures are from the line between their neighbours
(the median and the greatest of these; the figure itself and its neighbours, which it pulls along, left out). What
happens to the series beside it at the same time is taken out, so that events are no errors. Figures are compared as
logarithms, after a damping number is added, since small figures vary more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pyarrow as pa

from sdmx_service.catalog.rule_context import Outlier, Swapped
from sdmx_service.catalog.rules import Rule
from sdmx_service.errors import InvalidStructure
from sdmx_service.storage.quoting import both, literal
from sdmx_service.submission.figures import Figures, Flow
from sdmx_service.submission.rule_series import beside_column, rows_of_rule, series_table
from sdmx_service.submission.workspace import IN_ORDER, PLACE, key_columns

_STILL = 0.02
"""The least change that counts as usual: series that never change would report any."""
_AT_ONCE = 50_000
"""Candidates that are looked at together, about."""
_FEW = 32
"""Series beside a figure that are looked at without itself, at most."""


def standing_out(rule: Rule, flow: Flow, figures: Figures, providers: Collection[str]) -> pa.Table:
    """The sent figures that neither the figures before and after them nor those beside them explain.

    Of neighbours that stand out the one that does most is reported: an error pulls its neighbours along.
    """
    detail = rule.detail
    assert isinstance(detail, Outlier)
    table = series_table(rule, flow, figures)
    if table is None:
        return pa.table({})
    log = _log("{}", detail.damping)
    workspace = figures.workspace
    size = "greatest(_value, coalesce(_before, 0), coalesce(_after, 0))"
    limit = f"CASE WHEN _before IS NULL OR _after IS NULL THEN ln({detail.ends!r}) ELSE ln({detail.limit!r}) END"
    every = f"(SELECT *, {_residual(log)} AS _x, {limit} AS _limit FROM {table})"
    candidates = workspace.make(
        f"SELECT * FROM {every} WHERE _id IS NOT NULL AND _n >= {detail.periods} AND {size} >= {detail.least!r}"
        f" AND abs(_x) > _limit"
    )
    made = [candidates]
    beside = [column for one in detail.beside if (column := beside_column(figures, flow, one))]
    try:
        count = workspace.read(f"SELECT count(*) AS n FROM {candidates}")["n"][0].as_py()
        parts = -(-count // _AT_ONCE)
        made += (
            workspace.make(_unusual(detail, every, candidates, beside, f"_series % {parts} = {part}"))
            for part in range(parts)
        )
        if not parts:
            return pa.table({})
        query = f"""
            SELECT {PLACE}, plain(g._value) AS value, plain(round(usual)) AS expected,
                   {key_columns(flow.structure, flow.names)}, plain(_before) AS previous, plain(_after) AS "next",
                   plain(round(usual)) AS usual,
                   coalesce(plain(round(g._value / nullif(round(usual, 6), 0), 2)), '∞') AS ratio
            FROM ({" UNION ALL ".join(f"SELECT * FROM {one}" for one in made[1:])}) g
            JOIN {rows_of_rule(rule, flow, providers)} ORDER BY {IN_ORDER}"""
        return workspace.places(query, flow.structure)
    finally:
        for one in made:
            workspace.drop(one)


def _unusual(detail: Outlier, every: str, candidates: str, beside: Sequence[str], which: str) -> str:
    """The candidates among some series that stand out, with what would be usual.

    A part of the series at a time: what is gathered for each candidate has to fit into memory.
    """
    log = _log("{}", detail.damping)
    others = "".join(_beside(number, column) for number, column in enumerate(beside))
    joins = "".join(f" LEFT JOIN b{number} ON b{number}._id = c._id" for number in range(len(beside)))
    rest = [f"abs(c._x - coalesce(b{number}.middle, 0))" for number in range(len(beside))]
    return f"""
        WITH t AS NOT MATERIALIZED (SELECT * FROM {every}),
        c AS (SELECT * FROM {candidates} WHERE {which}),
        near AS (SELECT * FROM t SEMI JOIN c USING (_series)),
        usual AS (SELECT c._id, greatest({_STILL}, coalesce(median(abs(n._x)), 9)) AS _usual,
                         coalesce(max(abs(n._x)), 0) AS _ever
                  FROM c LEFT JOIN near AS n ON n._series = c._series AND n._position <> c._position
                   AND n._position IS DISTINCT FROM c._before_at AND n._position IS DISTINCT FROM c._after_at
                  GROUP BY c._id),
        peaks AS (SELECT _id, greatest(coalesce(lag(abs(_x)) OVER w, 0), coalesce(lead(abs(_x)) OVER w, 0)) AS _most
                  FROM near WINDOW w AS (PARTITION BY _series ORDER BY _position)){others}
        SELECT c._id, c._value, c._before, c._after,
               greatest(0, exp({log.format("c._value")} - c._x) - {detail.damping!r}) AS usual
        FROM c JOIN usual ON usual._id = c._id JOIN peaks ON peaks._id = c._id{joins}
        WHERE abs(c._x) >= _most AND least({", ".join(["abs(c._x)", *rest])})
              > greatest(_limit, {detail.spread!r} * _usual, {detail.margin!r} * _ever)"""


def _beside(number: int, column: str) -> str:
    """What happens at the same time to the series beside each candidate.

    In a large group a figure counts among its own neighbours, which moves their median by next to nothing; so the work
    does not grow with the square of a group.
    """
    near = f"t.{column} = n._group AND t._position = n._position AND t._x IS NOT NULL"
    own = f"c.{column} = n._group AND c._position = n._position"
    return f""", n{number} AS (SELECT t.{column} AS _group, t._position, count(*) AS _size, median(t._x) AS _middle
                FROM t SEMI JOIN c ON t.{column} = c.{column} AND t._position = c._position
                WHERE t._x IS NOT NULL GROUP BY t.{column}, t._position),
        b{number} AS (SELECT c._id, n._middle AS middle FROM c JOIN n{number} n ON {own} WHERE n._size > {_FEW}
                UNION ALL SELECT c._id, median(t._x) AS middle FROM c JOIN n{number} n ON {own} AND n._size <= {_FEW}
                JOIN t ON {near} AND t._series <> c._series GROUP BY c._id)"""


def swapped_figures(rule: Rule, flow: Flow, figures: Figures, providers: Collection[str]) -> pa.Table:
    """The pairs of sent figures whose ratio is upside down beside the periods before and after, their sum being right.

    One place per pair, at the figure of the first code.
    """
    detail = rule.detail
    assert isinstance(detail, Swapped)
    if detail.dimension not in flow.structure.dimension_ids:
        raise InvalidStructure(f"Rule {rule.id}: {flow.structure.ref.text} has no dimension {detail.dimension!r}.")
    sent = flow.sent
    if sent is None or not all(sent.may_have(detail.dimension, (code,)) for code in detail.codes):
        return pa.table({})
    table = series_table(rule, flow, figures)
    column = beside_column(figures, flow, (detail.dimension,))
    if table is None or column is None:
        return pa.table({})
    log = _log("{}", detail.damping)
    code = flow.names[detail.dimension]
    first, second = (f"SELECT * FROM {table} WHERE {code} = {literal(one)}" for one in detail.codes)
    ratio = {name: f"{log.format('a.' + name)} - {log.format('b.' + name)}" for name in _WHEN}
    both_sum = {name: log.format(f"(a.{name} + b.{name})") for name in _WHEN}
    query = f"""
        WITH a AS ({first}), b AS ({second}),
        p AS (SELECT a.{column} AS pair, a._id AS _id, b._id AS _other, a._value AS va, b._value AS vb, a._n,
                     {_between("a", ratio)} AS e, {ratio["_value"]} AS r,
                     CASE WHEN a._before IS NOT NULL THEN {ratio["_value"]} - ({ratio["_before"]}) END AS d,
                     {both_sum["_value"]} - {_between("a", both_sum)} AS moved
              FROM a JOIN b ON a.{column} = b.{column} AND a._position = b._position
               AND a._before_at IS NOT DISTINCT FROM b._before_at AND a._after_at IS NOT DISTINCT FROM b._after_at),
        c AS (SELECT * FROM p WHERE _id IS NOT NULL AND _other IS NOT NULL AND _n > 2
              AND greatest(va, vb) >= {detail.least!r} AND abs(r - e) > ln({detail.limit!r})
              AND abs(r + e) < abs(r - e) / 6 AND abs(moved) < abs(r - e) / 4),
        usual AS (SELECT pair, greatest({_STILL}, median(abs(d))) AS _usual FROM p SEMI JOIN c USING (pair)
                  GROUP BY pair),
        g AS (SELECT c.* FROM c JOIN usual USING (pair) WHERE abs(r - e) > {detail.spread!r} * _usual)
        SELECT {PLACE}, plain(va) AS value, plain(vb) AS expected, {key_columns(flow.structure, flow.names)},
               plain(vb) AS other, {literal(detail.codes[0])} AS "first", {literal(detail.codes[1])} AS "second"
        FROM g JOIN {rows_of_rule(rule, flow, providers)} ORDER BY {IN_ORDER}"""
    return figures.workspace.places(query, flow.structure)


_WHEN = ("_value", "_before", "_after")


def _log(name: str, damping: float) -> str:
    return f"ln(greatest({name}, 0) + {damping!r})"


def _residual(log: str) -> str:
    """How far the logarithm of a figure is from the line between its neighbours.

    At the ends of a series it is how far from the nearer of the two figures beside it: the next one may be the error.
    """
    own, before, after = (log.format(name) for name in _WHEN)
    line = f"{before} + ({after} - {before}) * (_position - _before_at) / (_after_at - _before_at)"
    return (
        f"CASE WHEN _before IS NOT NULL AND _after IS NOT NULL THEN {own} - ({line})"
        f" WHEN _before IS NOT NULL THEN {_nearer(own, before, log.format('_before_2'))}"
        f" WHEN _after IS NOT NULL THEN {_nearer(own, after, log.format('_after_2'))} END"
    )


def _nearer(own: str, one: str, other: str) -> str:
    return f"CASE WHEN abs({own} - {other}) < abs({own} - {one}) THEN {own} - {other} ELSE {own} - {one} END"


def _between(alias: str, named: dict[str, str]) -> str:
    """What the periods before and after suggest for an expression."""
    before, after = f"({named['_before']})", f"({named['_after']})"
    places = f"({alias}._position - {alias}._before_at) / ({alias}._after_at - {alias}._before_at)"
    return (
        f"(CASE WHEN {both([f'{alias}._before IS NOT NULL', f'{alias}._after IS NOT NULL'])}"
        f" THEN {before} + ({after} - {before}) * {places} ELSE coalesce({before}, {after}) END)"
    )
