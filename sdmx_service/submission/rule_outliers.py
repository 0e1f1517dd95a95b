"""Rules that set a figure beside its series and the series beside it: *outlier* and *swapped*.

Robust statistics: what a series usually does is how far its other figures are from the line between their neighbours
(the median and the greatest of these; the figure itself and its neighbours, which it pulls along, left out). What
happens to the series beside it at the same time is taken out, so that events are no errors. Figures are compared as
logarithms, after a damping number is added, since small figures vary more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pyarrow as pa

from sdmx_service.catalog.rule_context import Outlier, Swapped
from sdmx_service.catalog.rules import Rule
from sdmx_service.errors import InvalidStructure
from sdmx_service.storage.quoting import both, literal
from sdmx_service.submission.figures import Figures, Flow
from sdmx_service.submission.rule_series import beside_column, rows_of_rule, series_table
from sdmx_service.submission.workspace import AT_ONCE, PLACE, Workspace, key_columns

_STILL = 0.02
"""The least change that counts as usual: series that never change would report any."""
_CANDIDATES = 150_000
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
    every = f"SELECT *, {_residual(log)} AS _x, {limit} AS _limit FROM {table}"
    made = [
        candidates := workspace.make(
            f"SELECT * FROM ({every}) WHERE _id IS NOT NULL AND _n >= {detail.periods} AND {size} >= {detail.least!r}"
            f" AND abs(_x) > _limit"
        )
    ]
    beside = [column for one in detail.beside if (column := beside_column(figures, flow, one))]
    try:
        count = workspace.count(candidates)
        if not count:
            return pa.table({})
        narrow = f"SELECT {', '.join(dict.fromkeys(['_series', '_position', '_x', *beside]))} FROM ({every})"
        if count > _CANDIDATES:
            made.append(narrow := workspace.make(narrow))
            narrow = f"SELECT * FROM {narrow}"
        rows = workspace.count(table)
        middles = {column: _middles(narrow, candidates, column, rows, workspace) for column in dict.fromkeys(beside)}
        made += middles.values()
        found = workspace.make_in_parts(
            lambda part: _unusual(detail, narrow, f"(SELECT * FROM {candidates} WHERE {part})", middles),
            "_series",
            count,
            _CANDIDATES,
        )
        query = f"""
            SELECT {PLACE}, plain(g._value) AS value, plain(round(usual)) AS expected,
                   {key_columns(flow.structure, flow.names)}, plain(_before) AS previous, plain(_after) AS "next",
                   plain(round(usual)) AS usual,
                   coalesce(plain(round(g._value / nullif(round(usual, 6), 0), 2)), '∞') AS ratio
            FROM {found} AS g JOIN {rows_of_rule(rule, flow, providers)}"""
        return workspace.places_of(found, query, flow.structure)
    finally:
        for one in made:
            workspace.drop(one)


def _middles(narrow: str, candidates: str, column: str, rows: int, workspace: Workspace) -> str:
    """The table of what happens at each time to the groups of series that candidates are in: median and size.

    ``rows``: how many ``narrow`` has.
    """
    return workspace.make_in_parts(
        lambda part: (
            f"""
            SELECT t.{column} AS _group, t._position, count(*) AS _size, median(t._x) AS _middle
            FROM ({narrow}) AS t SEMI JOIN {candidates} AS c ON t.{column} = c.{column} AND t._position = c._position
            WHERE t._x IS NOT NULL AND {part} GROUP BY t.{column}, t._position"""
        ),
        f"hash(t.{column}, t._position)",
        rows,
        4 * AT_ONCE,
    )


def _unusual(detail: Outlier, narrow: str, candidates: str, middles: Mapping[str, str]) -> str:
    """The candidates that stand out, with what would be usual.

    What costs most, their own series without them, is looked at last, and only for those that are left by then.

    Args:
        narrow: the query of all figures' residuals.
        candidates: those to look at: what is gathered for each of them has to fit into memory.
        middles: per column that tells groups apart the table of ``_middles``.
    """
    log = _log("{}", detail.damping)
    others = "".join(_beside(number, column, table) for number, (column, table) in enumerate(middles.items()))
    joins = "".join(f" LEFT JOIN b{number} ON b{number}._id = c._id" for number in range(len(middles)))
    own = ["abs(c._x)", *(f"abs(c._x - coalesce(b{number}.middle, 0))" for number in range(len(middles)))]
    return f"""
        WITH t AS NOT MATERIALIZED ({narrow}),
        near AS (SELECT _series, _position, _x FROM t SEMI JOIN {candidates} AS a USING (_series)),
        peaks AS (SELECT _series, _position,
                         greatest(coalesce(lag(abs(_x)) OVER w, 0), coalesce(lead(abs(_x)) OVER w, 0)) AS _most
                  FROM near WINDOW w AS (PARTITION BY _series ORDER BY _position)),
        c AS (SELECT a.* FROM {candidates} AS a JOIN peaks USING (_series, _position) WHERE abs(a._x) >= _most){others},
        alone AS (SELECT c.*, least({", ".join(own)}) AS _own FROM c{joins}
                  WHERE _own > greatest(_limit, {detail.spread * _STILL!r})),
        usual AS (SELECT c._id, greatest({_STILL}, coalesce(median(abs(n._x)), 9)) AS _usual,
                         coalesce(max(abs(n._x)), 0) AS _ever
                  FROM alone AS c LEFT JOIN near AS n ON n._series = c._series AND n._position <> c._position
                   AND n._position IS DISTINCT FROM c._before_at AND n._position IS DISTINCT FROM c._after_at
                  GROUP BY c._id)
        SELECT c._id, c._value, c._before, c._after,
               greatest(0, exp({log.format("c._value")} - c._x) - {detail.damping!r}) AS usual
        FROM alone AS c JOIN usual USING (_id)
        WHERE _own > greatest(_limit, {detail.spread!r} * _usual, {detail.margin!r} * _ever)"""


def _beside(number: int, column: str, middles: str) -> str:
    """What happens at the same time to the series beside each candidate.

    In a large group a figure counts among its own neighbours, which moves their median by next to nothing; so the work
    does not grow with the square of a group.
    """
    near = f"t.{column} = c.{column} AND t._position = c._position AND t._x IS NOT NULL"
    own = f"{middles} AS n ON c.{column} = n._group AND c._position = n._position"
    return f""",
        b{number} AS (SELECT c._id, n._middle AS middle FROM c JOIN {own} WHERE n._size > {_FEW}
                UNION ALL SELECT c._id, median(t._x) AS middle FROM c JOIN {own} AND n._size <= {_FEW}
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
    workspace = figures.workspace
    pairs = _Pairs(detail, table, column, flow.names[detail.dimension])
    candidates = workspace.make_in_parts(
        lambda part: f"SELECT * FROM ({pairs.query(part)}) WHERE {pairs.is_upside_down}",
        column,
        workspace.count(table),
    )
    of_candidates = pairs.query(f"{column} IN (SELECT pair FROM {candidates})")
    found = workspace.make(f"""
        WITH usual AS (SELECT pair, greatest({_STILL}, median(abs(d))) AS _usual FROM ({of_candidates}) GROUP BY pair)
        SELECT _id, va, vb FROM {candidates} JOIN usual USING (pair)
        WHERE abs(r - e) > {detail.spread!r} * _usual""")
    workspace.drop(candidates)
    query = f"""
        SELECT {PLACE}, plain(g.va) AS value, plain(g.vb) AS expected, {key_columns(flow.structure, flow.names)},
               plain(g.vb) AS other, {literal(detail.codes[0])} AS "first", {literal(detail.codes[1])} AS "second"
        FROM {found} AS g JOIN {rows_of_rule(rule, flow, providers)}"""
    return workspace.places_of(found, query, flow.structure)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """The pairs of figures of two codes at one time, in the table of series.

    Attributes:
        column: tells the pairs of series apart.
        code: the column of the codes.
    """

    detail: Swapped
    table: str
    column: str
    code: str

    def query(self, which: str) -> str:
        """Those of the rows that fulfil a condition: their figures, their ratio and what it is expected to be."""
        log, column = _log("{}", self.detail.damping), self.column
        first, second = (
            f"SELECT * FROM {self.table} WHERE {self.code} = {literal(one)} AND {which}" for one in self.detail.codes
        )
        ratio = {name: f"{log.format('a.' + name)} - {log.format('b.' + name)}" for name in _WHEN}
        both_sum = {name: log.format(f"(a.{name} + b.{name})") for name in _WHEN}
        return f"""
            SELECT a.{column} AS pair, a._id AS _id, b._id AS _other, a._value AS va, b._value AS vb, a._n,
                   {_between("a", ratio)} AS e, {ratio["_value"]} AS r,
                   CASE WHEN a._before IS NOT NULL THEN {ratio["_value"]} - ({ratio["_before"]}) END AS d,
                   {both_sum["_value"]} - {_between("a", both_sum)} AS moved
            FROM ({first}) AS a JOIN ({second}) AS b ON a.{column} = b.{column} AND a._position = b._position
             AND a._before_at IS NOT DISTINCT FROM b._before_at AND a._after_at IS NOT DISTINCT FROM b._after_at"""

    @property
    def is_upside_down(self) -> str:
        """The condition that a pair's ratio is upside down, and its sum right."""
        return both(
            [
                "_id IS NOT NULL AND _other IS NOT NULL AND _n > 2",
                f"greatest(va, vb) >= {self.detail.least!r} AND abs(r - e) > ln({self.detail.limit!r})",
                "abs(r + e) < abs(r - e) / 6 AND abs(moved) < abs(r - e) / 4",
            ]
        )


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
