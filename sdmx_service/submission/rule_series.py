"""Rules along a series: *change*, *scale*, *copied* and the test *changed* of *attribute*.

They and the rules of ``rule_outliers`` and ``rule_gaps`` share one narrow table per dataflow: each provider's figures
in the order of their periods, beside the ones before and after and the sums over the series; the rows themselves are
looked up for what breaks a rule. Series are told apart by a 64-bit hash of their key (choice: among a million series,
two meet by chance in one submission of 40 million).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

import pyarrow as pa

from sdmx_service.catalog.rule_kinds import Change, Copied, Presence, Scale
from sdmx_service.catalog.rules import Rule
from sdmx_service.errors import InvalidStructure
from sdmx_service.model.columns import Column
from sdmx_service.storage.quoting import both, either, literal
from sdmx_service.submission.figures import Figures, Flow
from sdmx_service.submission.rule_periods import period_position
from sdmx_service.submission.workspace import IN_ORDER, PLACE, conditions, first_origin, key_columns

FREQUENCY = "FREQ"
"""The id of the frequency dimension in SDMX's cross-domain concepts."""
_SLACK = 1e-9
_SERIES = "_series"
"""The column of the series table that tells series apart."""


def broken_changes(rule: Rule, flow: Flow, figures: Figures, providers: Collection[str]) -> pa.Table:
    """The sent figures that are too far from others of their series."""
    detail = rule.detail
    assert isinstance(detail, Change)
    table = series_table(rule, flow, figures)
    if table is None:
        return pa.table({})
    near = f"_position - _before_at <= {detail.gap + _SLACK!r}"
    others = "(_sum - _value) / (_n - 1)"
    spread = f"sqrt(greatest(0, (_squares - _value * _value - (_n - 1) * ({others}) * ({others})) / (_n - 2)))"
    far = (
        f"_n > {detail.periods} AND abs(_value - {others}) > {detail.limit!r} * {spread} + {_SLACK!r} * abs(_value)"
        f" AND greatest(_value, {others}) >= {detail.least!r}"
    )
    expected, test = {
        "ratio": ("_before", both([near, _apart("_value", "_before", detail)])),
        "average": (
            "(3 * _before + 2 * _before_2 + _before_3) / 6",
            both([near, _apart("_value", "(3 * _before + 2 * _before_2 + _before_3) / 6", detail)]),
        ),
        "spike": (
            "(_before + _after) / 2",
            both([near, f"_after_at - _position <= {detail.gap + _SLACK!r}", _spike(detail)]),
        ),
        "deviation": (others, far),
    }[detail.test]
    if detail.test == "deviation":
        sums = f"SELECT _series, sum(_value) AS _sum, sum(_value * _value) AS _squares FROM {table}"
        long = f"WHERE _n > {detail.periods}"
        table = f"(SELECT * FROM {table} JOIN ({sums} {long} GROUP BY _series) USING (_series) {long})"
    return _places(rule, flow, figures, table, providers, expected, test)


def _apart(one: str, other: str, detail: Change) -> str:
    limit = repr(detail.limit)
    far = f"({one} > {limit} * ({other}) OR ({other}) > {limit} * {one})"
    return f"greatest({one}, {other}) >= {detail.least!r} AND {far}"


def _spike(detail: Change) -> str:
    limit = repr(detail.limit)
    high, low = "greatest(_before, _after)", "least(_before, _after)"
    return f"greatest(_value, {low}) >= {detail.least!r} AND (_value > {limit} * {high} OR _value * {limit} < {low})"


def wrong_scales(rule: Rule, flow: Flow, figures: Figures, providers: Collection[str]) -> pa.Table:
    """The sent figures about a power of ten away from the figures beside them, and far from the median of their series.

    A series that grows a thousandfold step by step, or to stay there, has no slip in it; nor has one at an end of which
    others do the same. Of two figures, the later one is reported.
    """
    detail = rule.detail
    assert isinstance(detail, Scale)
    table = series_table(rule, flow, figures)
    if table is None:
        return pa.table({})
    least = 10 ** min(detail.powers) / detail.within
    slip = {name: _power(detail, f"greatest(_value, {name}) / least(_value, {name})") for name in ("_before", "_after")}
    beside = [column for one in detail.beside if (column := beside_column(figures, flow, one))]
    moved = "".join(
        f""", b{number} AS (
                SELECT g._id, median(abs(ln(s._value / CASE WHEN g.is_after THEN s._after ELSE s._before END))) AS moved
                FROM g JOIN {table} AS s ON s.{column} = g.{column} AND s._position = g._position
                AND s._series <> g._series
                WHERE s._value > 0 AND CASE WHEN g.is_after THEN s._after ELSE s._before END > 0 GROUP BY g._id)"""
        for number, column in enumerate(beside)
    )
    joins = "".join(f" LEFT JOIN b{number} ON b{number}._id = g._id" for number in range(len(beside)))
    calm = both(f"coalesce(b{number}.moved, 0) < ln(power) / 2" for number in range(len(beside)))
    exact = "abs(abs(ln(_value) - (ln(_before) + ln(_after)) / 2) - ln(power)) < 0.2"
    still = f"(slip_before IS NOT NULL AND slip_after IS NOT NULL AND {exact}) OR ({calm})"  # a table in thousands
    found = figures.workspace.make(f"""
        WITH wide AS (SELECT _series, count(*) AS counted, median(_value) AS middle FROM {table} WHERE _value > 0
                      GROUP BY _series HAVING counted > 1 AND max(_value) >= {least!r} * min(_value)),
        f AS (SELECT *, CASE WHEN _before > 0 THEN {slip["_before"]} END AS slip_before,
                     CASE WHEN _after > 0 AND counted > 2 THEN {slip["_after"]} END AS slip_after
              FROM {table} JOIN wide USING (_series) WHERE _id IS NOT NULL AND _value > 0),
        g AS (SELECT *, coalesce(slip_before, slip_after) AS power, slip_before IS NULL AS is_after,
                     CASE WHEN slip_before IS NULL THEN _after ELSE _before END AS usual
              FROM f WHERE power IS NOT NULL AND greatest(_value, usual) >= {detail.least!r}
                AND ((slip_before IS NOT NULL AND slip_after IS NOT NULL)
                     OR {"false" if detail.sides == "both" else "NOT coalesce(_before > 0 AND _after > 0, false)"})
                AND (counted = 2 OR greatest(_value, middle) >= {least / detail.within!r} * least(_value, middle)))
        {moved}
        SELECT g._id, _value, usual, power FROM g{joins} WHERE {still}""")
    query = f"""
        SELECT {PLACE}, plain(g._value) AS value, plain(usual) AS expected,
               {key_columns(flow.structure, flow.names)}, plain(usual) AS usual, plain(power) AS factor
        FROM {found} AS g JOIN {rows_of_rule(rule, flow, providers)}"""
    return figures.workspace.places_of(found, query, flow.structure)


def _power(detail: Scale, ratio: str) -> str:
    """The power of ten that a ratio comes near, or null."""
    near = (
        f"WHEN {ratio} BETWEEN {10**k / detail.within!r} AND {10**k * detail.within!r} THEN 1e{k}"
        for k in detail.powers
    )
    return f"CASE {' '.join(near)} END"


def copied_periods(rule: Rule, flow: Flow, figures: Figures, providers: Collection[str]) -> pa.Table:
    """The groups of sent figures, per period, that repeat the period before; one place per group and period."""
    detail = rule.detail
    assert isinstance(detail, Copied)
    table = series_table(rule, flow, figures)
    if table is None:
        return pa.table({})
    by = _columns(rule, flow, detail.by)
    column = group_column(figures, flow, by_frequency(flow, detail.by))
    workspace, rows, time = figures.workspace, rows_of_rule(rule, flow, providers), _time(flow)
    assert column is not None
    is_narrow = bool(rule.when) or set(providers) != (flow.sent.providers if flow.sent is not None else set())
    those = f"{table} SEMI JOIN {rows}" if is_narrow else table
    found = workspace.make(f"""
        WITH g AS (SELECT {column} AS g, _position, count(*) FILTER (_value = _before) AS same, count(*) AS counted,
                          min(_id) AS _id
                   FROM {those} WHERE _id IS NOT NULL AND greatest(_value, _before) > 0 GROUP BY {column}, _position)
        SELECT _id, same, counted
        FROM (SELECT *, sum(same) OVER o AS all_same, sum(counted) OVER o AS all_counted
              FROM g WINDOW o AS (PARTITION BY g))
        WHERE counted >= {detail.least!r} AND same >= {detail.limit!r} * counted
          AND all_same - same <= {detail.rest!r} * (all_counted - counted)""")
    key = {**by, **({} if flow.structure.time_dimension is None else {flow.structure.time_dimension.id: time})}
    query = f"""
        SELECT {PLACE}, CAST(same AS VARCHAR) AS value, {key_columns(flow.structure, key)},
               CAST(same AS VARCHAR) AS same, CAST(counted AS VARCHAR) AS figures,
               plain(round(100 * same / counted, 1)) AS share
        FROM {found} JOIN {rows}"""
    return workspace.places_of(found, query, flow.structure)


def unmarked_changes(
    rule: Rule, flow: Flow, figures: Figures, providers: Collection[str]
) -> Iterator[tuple[pa.Table, Mapping[str, str]]]:
    """Per attribute, where it changes from one period to the next although nothing marks it."""
    detail = rule.detail
    assert isinstance(detail, Presence)
    table = series_table(rule, flow, figures)
    if table is None:
        return
    names = flow.names
    known = figures.workspace.read(f"SELECT * FROM {table} LIMIT 0").column_names
    unmarked = [f"({conditions(flow.structure, {id: codes})}) IS NOT TRUE" for id, codes in detail.unless.items()]
    for attribute in detail.attributes:
        if attribute not in figures.carried(flow):
            raise InvalidStructure(
                f"Rule {rule.id}: {flow.structure.ref.text} has no {attribute!r} at the observation."
            )
        if f"_before_{names[attribute]}" not in known:
            continue  # the same value throughout
        test = both([f"{names[attribute]} <> _before_{names[attribute]}", *unmarked])
        changed = f"SELECT _id, _before_{names[attribute]} FROM {table} WHERE _before_{names[attribute]} IS NOT NULL"
        rows = f"({changed}) AS n JOIN {rows_of_rule(rule, flow, providers)}"
        before = f"_before_{names[attribute]}"
        yield grouped(rule, flow, figures, rows, test, detail.by, names[attribute], before), {"component": attribute}


def grouped(
    rule: Rule,
    flow: Flow,
    figures: Figures,
    rows: str,
    test: str,
    by: Iterable[str],
    value: str = "NULL",
    expected: str = "NULL",
) -> pa.Table:
    """The sent rows that fail a test, one place per group of ``by`` and value; each for itself without ``by``."""
    columns = _columns(rule, flow, by) if by else flow.names
    key = {id: name for id, name in columns.items() if id in flow.structure.key_ids}
    group = ", ".join([*key.values(), "_provider", "value", "expected"])
    query = f"""
        WITH g AS (SELECT {", ".join([*key.values(), "_provider"])}, {value} AS value, {expected} AS expected,
                          count(*) AS figures, min(_row) AS _row, {first_origin("_row")}
                   FROM {rows} WHERE {conditions(flow.structure, rule.when)} AND ({test}) GROUP BY {group})
        SELECT {PLACE}, CAST(value AS VARCHAR) AS value, CAST(expected AS VARCHAR) AS expected,
               {"".join(one + ", " for one in [key_columns(flow.structure, key)] if one)}
               CAST(figures AS VARCHAR) AS figures, CAST(expected AS VARCHAR) AS previous
        FROM g ORDER BY {IN_ORDER}"""
    return figures.workspace.places(query, flow.structure)


# --- the table ------------------------------------------------------------------------------------------------------
def series_table(rule: Rule, flow: Flow, figures: Figures) -> str | None:
    """The table of a dataflow's series; None if no series can have two periods."""
    result = rule.scope == "result"
    column = flow.number(rule.component, rule.id)
    time, sent = flow.structure.time_dimension, flow.sent
    if time is None or sent is None:
        return None
    stored = figures.own_stored(flow, column) if result else None
    periods = sent.values.get(time.id, set())
    if stored is None and periods is not None and len(periods) < 2:
        return None
    return figures.made_by(
        ("series", flow.name, column.id, result), lambda: _series(flow, figures, column, result, stored)
    )


def _series(flow: Flow, figures: Figures, column: Column, result: bool, stored: str | None) -> str:
    """Make the table, a part of the series at a time."""
    sent = flow.sent
    assert sent is not None
    names = flow.names
    query = figures.own(flow, column, {}, result=result, providers=sent.providers)
    assert query is not None
    positions = figures.made(("positions", flow.name, result), lambda: _positions(flow, figures, sent.table, stored))
    alike = figures.alike(flow)
    varying = [names[id] for id in flow.structure.dimension_ids if id not in alike]
    followed = [id for id in figures.carried(flow) if id in figures.followed]
    attributes = [names[id] for id in followed if _varies(figures, names[id], sent.table, stored)]
    frequency = f"f.{names[FREQUENCY]}" if FREQUENCY in flow.structure.dimension_ids else "NULL"
    told_apart = {
        name: f"hash({', '.join(['_provider', *(f'f.{names[id]}' for id in kept)])})"
        for kept, name in _group_columns(figures, flow).items()
        if name != _SERIES
    }
    codes = [names[id] for id in figures.coded.get(flow.name, ()) if id in names]
    narrow = f"""
        SELECT hash({", ".join(["_provider", *varying])}) AS {_SERIES}, p.position AS _position, _value, _id
               {"".join(f", f.{name}" for name in dict.fromkeys([*attributes, *codes]))}
               {"".join(f", {expression} AS {name}" for name, expression in told_apart.items())}
        FROM ({query}) AS f JOIN {positions} AS p
        ON p.period = f.{_time(flow)} AND p.frequency IS NOT DISTINCT FROM {frequency}"""
    figures.made(
        ("blank", flow.name, column.id, result),
        lambda: f"SELECT _series, _position FROM ({narrow}) WHERE _value IS NULL",
    )
    befores = "".join(f", lag({name}) OVER w AS _before_{name}" for name in attributes)
    more = "".join(f", {name}" for name in [*told_apart, *(one for one in codes if one not in attributes)])
    return figures.workspace.make_in_parts(
        lambda part: (
            f"""
            SELECT _series, _position, _value, _id, lag(_value) OVER w AS _before, lag(_position) OVER w AS _before_at,
                   lag(_value, 2) OVER w AS _before_2, lag(_value, 3) OVER w AS _before_3,
                   lead(_value) OVER w AS _after, lead(_value, 2) OVER w AS _after_2,
                   lead(_position) OVER w AS _after_at, count(*) OVER s AS _n{befores}{more}
            FROM ({narrow}) WHERE _value IS NOT NULL AND {part}
            WINDOW w AS (PARTITION BY _series ORDER BY _position),
                   s AS (PARTITION BY _series ORDER BY _position
                         ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"""
        ),
        _SERIES,
        figures.size(flow, stored),
    )


def _group_columns(figures: Figures, flow: Flow) -> dict[tuple[str, ...], str]:
    """The columns that tell groups of series apart, by the dimensions that differ in what is sent and stored."""
    found = {_differing(figures, flow, flow.structure.dimension_ids): _SERIES}
    for kept in sorted(figures.groupings.get(flow.name, ())):
        found.setdefault(_differing(figures, flow, kept), f"_group_{len(found)}")
    return found


def _differing(figures: Figures, flow: Flow, dimensions: Iterable[str]) -> tuple[str, ...]:
    alike = figures.alike(flow)
    return tuple(id for id in dimensions if id not in alike)


def group_column(figures: Figures, flow: Flow, dimensions: Collection[str]) -> str | None:
    """The column of the series table that tells apart by some dimensions; None if nobody asked for it beforehand."""
    if tuple(dimensions) not in figures.groupings.get(flow.name, ()):
        return None
    return _group_columns(figures, flow)[_differing(figures, flow, dimensions)]


def beside_column(figures: Figures, flow: Flow, dimensions: Collection[str]) -> str | None:
    """The column by which series that differ in some dimensions alone are together; None where each is by itself."""
    found = group_column(figures, flow, without(flow, dimensions))
    return None if found == _SERIES else found


def without(flow: Flow, dimensions: Collection[str]) -> tuple[str, ...]:
    """The dimensions, time left out, that series beside each other along some dimensions share."""
    return tuple(id for id in flow.structure.dimension_ids if id not in dimensions)


def by_frequency(flow: Flow, dimensions: Iterable[str]) -> tuple[str, ...]:
    """Some dimensions and that of the frequency, so that a position means one period."""
    return tuple(dict.fromkeys([*dimensions, *({FREQUENCY} & set(flow.structure.dimension_ids))]))


def blank_figures(rule: Rule, flow: Flow, figures: Figures) -> str:
    """The query of the series and positions at which there is a row without a figure, after ``series_table``."""
    column = flow.number(rule.component, rule.id)
    blank = figures.known(("blank", flow.name, column.id, rule.scope == "result"))
    return f"SELECT _series, _position FROM {blank}"


def period_table(rule: Rule, flow: Flow, figures: Figures) -> str:
    """The table of periods and their positions, after ``series_table``."""
    return figures.known(("positions", flow.name, rule.scope == "result"))


def _positions(flow: Flow, figures: Figures, sent: str, stored: str | None) -> str:
    """Each period and frequency with its place on the line of periods."""
    names = flow.names
    frequency = names[FREQUENCY] if FREQUENCY in flow.structure.dimension_ids else "NULL"
    one = f"SELECT DISTINCT {_time(flow)} AS p, CAST({frequency} AS VARCHAR) AS f FROM "
    pairs = figures.workspace.read(" UNION ".join(one + table for table in (sent, stored) if table is not None))
    rows = [
        (text, code, position)
        for text, code in zip(pairs["p"].to_pylist(), pairs["f"].to_pylist(), strict=True)
        if text is not None and (position := period_position(text, code)) is not None
    ]
    values = ", ".join(f"({literal(text)}, {literal(code)}, {position!r})" for text, code, position in rows)
    listed = f"VALUES {values}" if rows else "SELECT NULL, NULL, NULL WHERE false"
    return (
        "SELECT CAST(period AS VARCHAR) AS period, CAST(frequency AS VARCHAR) AS frequency,"
        f" CAST(position AS DOUBLE) AS position FROM ({listed}) AS t(period, frequency, position)"
    )


def _varies(figures: Figures, name: str, sent: str, stored: str | None) -> bool:
    """Whether a column has two values in what is sent and stored."""
    rows = " UNION ALL ".join(f"SELECT min({name}) AS a, max({name}) AS b FROM {one}" for one in (sent, stored) if one)
    return bool(figures.workspace.read(f"SELECT min(a) <> max(b) AS differ FROM ({rows})")["differ"][0].as_py())


# --- pieces ---------------------------------------------------------------------------------------------------------
def _time(flow: Flow) -> str:
    time = flow.structure.time_dimension
    return "NULL" if time is None else flow.names[time.id]


def _whose(providers: Collection[str]) -> str:
    return either(f"_provider = {literal(one)}" for one in sorted(providers))


def _columns(rule: Rule, flow: Flow, by: Iterable[str]) -> dict[str, str]:
    """The columns of dimensions.

    Raises:
        InvalidStructure: the structure lacks one.
    """
    listed = list(by)
    if unknown := [id for id in listed if id not in flow.structure.key_ids]:
        raise InvalidStructure(f"Rule {rule.id}: {flow.structure.ref.text} has no dimension {', '.join(unknown)}.")
    return {id: flow.names[id] for id in listed}


def rows_of_rule(rule: Rule, flow: Flow, providers: Collection[str]) -> str:
    """What to join to ``_id`` for the rows themselves, where a rule looks at them."""
    assert flow.sent is not None
    test = both([_whose(providers), conditions(flow.structure, rule.when)])
    return f"(SELECT * FROM (SELECT *, rowid AS _id FROM {flow.sent.table}) WHERE {test}) AS r USING (_id)"


def _places(
    rule: Rule, flow: Flow, figures: Figures, table: str, providers: Collection[str], expected: str, test: str
) -> pa.Table:
    found = figures.workspace.make(
        f"SELECT _id, _value, _before, _after, {expected} AS usual FROM {table} WHERE _id IS NOT NULL AND {test}"
    )
    query = f"""
        SELECT {PLACE}, plain(g._value) AS value, plain(round(usual, 6)) AS expected,
               {key_columns(flow.structure, flow.names)}, plain(_before) AS previous, plain(_after) AS "next",
               plain(round(usual, 1)) AS usual, coalesce(plain(round(g._value / nullif(usual, 0), 2)), '∞') AS ratio
        FROM {found} AS g JOIN {rows_of_rule(rule, flow, providers)}"""
    return figures.workspace.places_of(found, query, flow.structure)
