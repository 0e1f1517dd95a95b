"""Rules that set figures beside other figures of the same thing: *mirror*, *offset* and *agree*."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import pyarrow as pa

from sdmx_service.catalog.rule_kinds import Agree, Mirror, Offset, Source
from sdmx_service.catalog.rules import Rule
from sdmx_service.errors import InvalidStructure
from sdmx_service.storage.quoting import both, literal, member
from sdmx_service.submission.figures import Figures, Flow
from sdmx_service.submission.rounding import Halves, are_comparable
from sdmx_service.submission.rule_periods import period_position
from sdmx_service.submission.workspace import IN_ORDER, ORIGIN, PLACE, conditions, first_origin, key_columns

Grouped = Iterator[tuple[pa.Table, Mapping[str, str]]]


# --- mirror ---------------------------------------------------------------------------------------------------------
def mirror_pairs(rule: Rule, flow: Flow, figures: Figures) -> Grouped:
    """Per class of their ratio, the pairs of figures above zero that say the same thing from both sides.

    The figures are those shown, whoever sent them: the two sides may come from two providers.
    """
    detail = rule.detail
    assert isinstance(detail, Mirror)
    _known(rule, flow, (*detail.dimensions, *detail.left, *detail.right))
    column = flow.number(rule.component, rule.id)
    one, other = detail.dimensions
    near = _both_sides(flow, detail.dimensions)
    sides = []
    for where in (detail.left, detail.right):
        query = figures.select(flow, column, {**rule.when, **where}, result=True, near=near, more=_more(detail))
        if query is None:
            return
        sides.append(query)
    names = flow.names
    free = [id for id in flow.structure.key_ids if id not in (one, other) and id not in {*detail.left, *detail.right}]
    same = both(
        [f"l.{names[one]} = r.{names[other]}", f"l.{names[other]} = r.{names[one]}"]
        + [f"l.{names[id]} = r.{names[id]}" for id in free]
    )
    left, right = (f"{side}._value * {_factor(flow, detail, side)}" for side in ("l", "r"))
    origin = ", ".join(f"CASE WHEN l._sent THEN l.{name} ELSE r.{name} END AS {name}" for name in ("_row", *ORIGIN))
    key = key_columns(flow.structure, {id: names[id] for id in flow.structure.key_ids})
    pairs = figures.workspace.make(f"""
        SELECT {", ".join(f"l.{names[id]}" for id in flow.structure.key_ids)}, {origin}, l._value AS left_side,
               r._value AS right_side, {left} AS left_corrected, {right} AS right_corrected,
               left_corrected / right_corrected AS ratio, greatest(ratio, 1 / ratio) AS distance
        FROM ({sides[0]}) AS l JOIN ({sides[1]}) AS r ON {same}
        WHERE l._value > 0 AND r._value > 0 AND (l._sent OR r._sent)""")
    try:
        floor = 0.0
        for number, member_class in enumerate(detail.classes):
            above = f"distance > {floor!r}" if number else "1 = 1"
            below = "1 = 1" if member_class.up_to is None else f"distance <= {member_class.up_to!r}"
            places = figures.workspace.places(
                f"""SELECT {PLACE}, plain(left_side) AS value, plain(right_side) AS expected, {key},
                           plain(left_side) AS "left", plain(right_side) AS "right", plain(round(ratio, 3)) AS ratio,
                           plain(round(ln(ratio), 3)) AS "log"
                    FROM {pairs} WHERE {above} AND {below} ORDER BY {IN_ORDER}""",
                flow.structure,
            )
            yield places, {"class": member_class.name}
            floor = member_class.up_to or floor
    finally:
        figures.workspace.drop(pairs)


def _more(detail: Mirror) -> tuple[str, ...]:
    return (detail.attribute,) if detail.attribute else ()


def _factor(flow: Flow, detail: Mirror, side: str) -> str:
    """What a figure is multiplied by, after the value of an attribute; 1 where nothing is said."""
    if not detail.factors:
        return "1.0"
    name = f"{side}.{flow.names[detail.attribute]}"
    return (
        "CASE " + " ".join(f"WHEN {name} = {literal(code)} THEN {value!r}" for code, value in detail.factors.items())
    ) + " ELSE 1.0 END"


def _both_sides(flow: Flow, dimensions: tuple[str, ...]) -> dict[str, Collection[str]]:
    """Stored rows are needed only for the areas sent, on either side."""
    values = {} if flow.sent is None else flow.sent.values
    known = [values.get(id) for id in dimensions]
    together: set[str] = set().union(*(codes for codes in known if codes is not None))
    return {} if None in known else dict.fromkeys(dimensions, together)


# --- offset ---------------------------------------------------------------------------------------------------------
def shifted_series(rule: Rule, flow: Flow, figures: Figures, providers: Collection[str]) -> pa.Table:
    """The series that agree best with another source, or an earlier delivery, some periods away.

    Series that differ somewhere from the other one are looked at; of all lags the one with the highest correlation is
    taken. It is reported where it is not 0, the correlation
    reaches the limit over enough pairs of figures, and the mean relative difference there is less than half of that
    without lag (series with a trend correlate highly at every lag).
    """
    detail = rule.detail
    assert isinstance(detail, Offset)
    _known(rule, flow, (*rule.when, *detail.by))
    column = flow.number(rule.component, rule.id)
    other = flow if detail.dataflow is None else figures.flow(detail.dataflow)
    if other is None or other.ref is None:
        return pa.table({})
    _known(rule, other, (*detail.where, *detail.by))
    sent = figures.own(flow, column, rule.when, result=False, providers=providers)
    told = _told(rule, detail, flow, other, figures)
    if sent is None or told is None:
        return pa.table({})
    time, by = flow.structure.time_dimension, [flow.names[id] for id in detail.by]
    assert time is not None
    periods = figures.workspace.read(
        f"SELECT DISTINCT {flow.names[time.id]} AS p FROM ({sent}) UNION SELECT DISTINCT period FROM ({told})"
    )
    positions = [(text, period_position(text)) for text in periods["p"].to_pylist()]
    listed = ", ".join(f"({literal(text)}, {place!r})" for text, place in positions if place is not None)
    if not listed:
        return pa.table({})
    told_keys = ", ".join(f"k{number}" for number in range(len(by)))
    best = f"n >= {detail.least!r} DESC, round(r, 9) DESC NULLS LAST, abs(lag)"
    far = "abs(x.v - y.v) / nullif(greatest(abs(x.v), abs(y.v)), 0)"
    assert flow.sent is not None
    statement = f"""
        WITH positions(period, position) AS (VALUES {listed}),
        lags AS (SELECT unnest(range({-detail.lags}, {detail.lags + 1})) AS lag),
        x AS (SELECT hash({", ".join(by)}) AS series, _provider, position, max(_value) AS v, min(_id) AS _id
              FROM ({sent}) AS f JOIN positions AS p ON p.period = f.{flow.names[time.id]}
              WHERE _value IS NOT NULL GROUP BY ALL HAVING count(*) = 1),
        y AS (SELECT hash({told_keys}) AS series, position, max(v) AS v FROM ({told}) JOIN positions USING (period)
              WHERE v IS NOT NULL GROUP BY ALL HAVING count(*) = 1),
        differing AS (SELECT DISTINCT series FROM x JOIN y USING (series, position) WHERE x.v <> y.v),
        r AS (SELECT x.series, x._provider, lags.lag, corr(x.v, y.v) AS r, avg({far}) AS far, count(*) AS n,
                     min(x._id) AS _id
              FROM x JOIN differing USING (series) CROSS JOIN lags
              JOIN y ON x.series = y.series AND y.position = x.position + lags.lag GROUP BY ALL),
        b AS (SELECT *, max(far) FILTER (lag = 0) OVER w AS far_0, max(r) FILTER (lag = 0) OVER w AS r_0 FROM r
              WINDOW w AS (PARTITION BY series, _provider)
              QUALIFY row_number() OVER (PARTITION BY series, _provider ORDER BY {best}) = 1)
        SELECT {PLACE}, CAST(lag AS VARCHAR) AS value, '0' AS expected,
               {key_columns(flow.structure, {id: f"s.{name}" for id, name in zip(detail.by, by, strict=True)})},
               CAST(abs(lag) AS VARCHAR) AS lag, CASE WHEN lag > 0 THEN 'early' ELSE 'late' END AS direction,
               plain(round(r, 4)) AS correlation, plain(round(r_0, 4)) AS unshifted, CAST(n AS VARCHAR) AS figures
        FROM b JOIN {flow.sent.table} AS s ON s.rowid = b._id
        WHERE lag <> 0 AND isfinite(r) AND r >= {detail.limit!r} AND n >= {detail.least!r} AND far < far_0 / 2
        ORDER BY {IN_ORDER}"""
    return figures.workspace.places(statement, flow.structure)


def _told(rule: Rule, detail: Offset, flow: Flow, other: Flow, figures: Figures) -> str | None:
    """The query of what is stored, to compare with: ``k0`` ..., ``period``, ``v``."""
    column = other.number(rule.component, rule.id)
    time = other.structure.time_dimension
    if time is None or flow.structure.time_dimension is None:
        raise InvalidStructure(f"Rule {rule.id}: {other.structure.ref.text} has no time.")
    where = detail.where or ({} if detail.dataflow is not None else rule.when)
    if detail.against == "own" and detail.dataflow is None:
        table = figures.own_stored(flow, column)
    else:
        table = figures.stored(other, column, where, flow)
    if table is None:
        return None
    keys = "".join(f"{other.names[id]} AS k{number}, " for number, id in enumerate(detail.by))
    value = other.names[column.id]
    test = conditions(other.structure, where)
    return (
        f"SELECT {keys}{other.names[time.id]} AS period,"
        f" CASE WHEN isfinite({value}) THEN {value} END AS v FROM {table} WHERE {test}"
    )


# --- agree ----------------------------------------------------------------------------------------------------------
def disagreeing_totals(rule: Rule, applied: Collection[Flow], figures: Figures) -> Iterator[pa.Table]:
    """The totals that several tables give differently; one place per key, with all that is said.

    The figures are those shown, and those sent in their place. Where their rounding is declared, each may be off by
    half its base: totals agree where one figure fits them all. Single figures that are rounded alike must be the same.
    """
    detail = rule.detail
    assert isinstance(detail, Agree)
    homes: Collection[Flow | None] = applied if any(one.dataflow is None for one in detail.figures) else (None,)
    for home in homes:
        placed = [
            (number, source, flow)
            for number, source in enumerate(detail.figures)
            if (flow := home if source.dataflow is None else figures.flow(source.dataflow)) is not None
        ]
        if len(placed) < 2 or all(flow.sent is None for _, _, flow in placed):
            continue
        yield _disagreeing(rule, detail, placed, figures)


def _disagreeing(rule: Rule, detail: Agree, placed: list[tuple[int, Source, Flow]], figures: Figures) -> pa.Table:
    structure = placed[0][2].structure
    near = _sent_values(detail.by, [flow for _, _, flow in placed])
    halves = {number: Halves.of(flow, rule.component, figures.catalog) for number, _, flow in placed}
    said = (_said(rule, detail, number, source, flow, figures, near, halves[number]) for number, source, flow in placed)
    queries = [query for query in said if query is not None]
    if len(queries) < 2:
        return pa.table({})
    time = structure.time_dimension
    keys = [*detail.by, *([time.id] if time is not None and time.id not in detail.by else [])]
    columns = [f"k{number}" for number in range(len(keys))]
    difference = _apart(halves.values())
    names = "CASE _figure " + " ".join(f"WHEN {number} THEN {literal(one.name)}" for number, one, _ in placed) + " END"
    slack = "1e-9 * greatest(1, abs(max(_total)))"
    statement = f"""
        WITH said AS ({" UNION ALL ".join(queries)}),
        g AS (SELECT {", ".join(columns)},
                     string_agg(plain(_total) || ' (' || {names} || ')', ', ' ORDER BY _figure) AS told,
                     max(_total) - min(_total) AS difference, arg_min(_total, _figure) FILTER (_sent) AS value,
                     arg_min(_row, _figure) FILTER (_sent) AS _row,
                     {", ".join(f"arg_min({name}, _figure) FILTER (_sent) AS {name}" for name in ORIGIN)}
              FROM said WHERE _total IS NOT NULL GROUP BY {", ".join(columns)}
              HAVING bool_or(_sent) AND count(*) > 1 AND {difference} > {rule.tolerance!r} + {slack})
        SELECT {PLACE}, plain(value) AS value, told AS expected,
               {key_columns(structure, dict(zip(keys, columns, strict=True)))}, told AS figures,
               plain(difference) AS difference
        FROM g ORDER BY {IN_ORDER}, {", ".join(columns)}"""
    return figures.workspace.places(statement, structure)


def _apart(halves: Collection[Halves]) -> str:
    """By how much totals differ at least, whatever was rounded."""
    plain = "max(_total) - min(_total)"
    if not any(one.is_any for one in halves):
        return plain
    off = "max(_total - _off) - min(_total + _off)"
    if not are_comparable(halves):
        return off
    return f"CASE WHEN bool_and(_single) AND min(_off) = max(_off) THEN {plain} ELSE {off} END"


def _sent_values(ids: Collection[str], flows: Collection[Flow]) -> dict[str, set[str]]:
    """Per dimension the values sent in any of the dataflows; stored rows are needed only for those."""
    found: dict[str, set[str]] = {}
    for id in ids:
        known = [flow.sent.values.get(id) for flow in flows if flow.sent is not None]
        if None not in known:
            found[id] = set().union(*(codes for codes in known if codes is not None))
    return found


def _said(
    rule: Rule,
    detail: Agree,
    number: int,
    source: Source,
    flow: Flow,
    figures: Figures,
    near: Mapping[str, Collection[str]],
    halves: Halves,
) -> str | None:
    """One source's total per key: the figure of the total, else the sum of what is listed along the dimension.

    With ``_off``, by how much it can be off, and ``_single``, whether it is one figure.
    """
    _known(rule, flow, (*source.where, *detail.by, *([source.dimension] if source.dimension else [])))
    time = flow.structure.time_dimension
    keys = [*detail.by, *([time.id] if time is not None and time.id not in detail.by else [])]
    where = {**{id: codes for id, codes in rule.when.items() if id in flow.names}, **source.where}
    column, more = flow.number(rule.component, rule.id), tuple(halves.when)
    query = figures.select(flow, column, where, result=True, near=near, more=more)
    if query is None:
        return None
    names, half = flow.names, halves.each(flow)
    fixed = {*keys, *source.where, source.dimension}
    free = [names[id] for id in flow.structure.key_ids if id not in fixed]
    clear = f"count(DISTINCT hash({', '.join(free)})) = 1" if free else "1 = 1"
    value, count, off, single = "max(_value)", "count(*) = 1", f"max({half})", "true"
    if source.dimension:
        total = f"{names[source.dimension]} = {literal(source.total)}"
        listed = f"NOT {member(names[source.dimension], {source.total, *source.excluded})}"
        single = f"count(*) FILTER ({total}) > 0"
        off = f"CASE WHEN {single} THEN max({half}) FILTER ({total}) ELSE sum({half}) FILTER ({listed}) END"
        value = (
            f"CASE WHEN {single} THEN max(_value) FILTER ({total})"
            f" WHEN count(*) FILTER ({listed} AND _value IS NULL) = 0 THEN sum(_value) FILTER ({listed}) END"
        )
        count = "1 = 1"
    own = ", ".join(f"{names[id]} AS k{place}" for place, id in enumerate(keys))
    group = ", ".join(names[id] for id in keys)
    return f"""(SELECT {own}, {number} AS _figure, CASE WHEN {clear} AND {count} THEN {value} END AS _total,
                {off} AS _off, {single} AS _single,
                bool_or(_sent) AS _sent, min(_row) FILTER (_sent) AS _row, {first_origin("_row", "_sent")}
            FROM ({query}) GROUP BY {group})"""


def _known(rule: Rule, flow: Flow, ids: Collection[str]) -> None:
    """Every component is one of the structure's.

    Raises:
        InvalidStructure: one is not.
    """
    if unknown := [id for id in ids if id not in flow.names]:
        raise InvalidStructure(f"Rule {rule.id}: {flow.structure.ref.text} has no component {', '.join(unknown)}.")
