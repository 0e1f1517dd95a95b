"""Rules of kind *revision*: what is sent against what the same provider sent before, figure by figure.

Tests: ``changed`` (every figure that differs by more than a share), ``slip`` (a figure that differs as slips of the pen
do: its digits in another order, moved by powers of ten, with the other sign, or the old figure of a neighbour),
``withdrawn`` (a row that has no figure any more) and ``left_out`` (a row that is not there any more).
"""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa

from sdmx_service.catalog.rule_kinds import Revision
from sdmx_service.catalog.rules import Rule
from sdmx_service.errors import InvalidStructure
from sdmx_service.model.columns import Column
from sdmx_service.storage.quoting import both, either, literal, member
from sdmx_service.submission.figures import Figures, Flow
from sdmx_service.submission.workspace import IN_ORDER, PLACE, conditions, key_columns


def revised_figures(rule: Rule, flow: Flow, figures: Figures, providers: Collection[str]) -> pa.Table:
    """The sent figures that differ from what their provider said before; ``change`` is in per cent of the old one."""
    detail = rule.detail
    assert isinstance(detail, Revision)
    column = flow.number(rule.component, rule.id)
    if lacking := [id for id in detail.unless if id not in figures.carried(flow)]:
        raise InvalidStructure(f"Rule {rule.id}: {flow.structure.ref.text} has no {lacking[0]!r} at the observation.")
    history = figures.own_stored(flow, column)
    query = figures.own(flow, column, {}, result=False, providers=flow.sent.providers if flow.sent is not None else ())
    if history is None or query is None or flow.sent is None:
        return pa.table({})
    if detail.test == "left_out":
        return _left_out(rule, flow, figures, column, history, providers)
    table = figures.made(("revised", flow.name, column.id), lambda: _revised(flow, column, query, history, figures))
    silent = [f"coalesce(r.{flow.names[id]}, '') = ''" for id in detail.unless]
    tests = [member("r._provider", providers), conditions(flow.structure, rule.when, "r."), *silent]
    told, more = f"SELECT *, CAST(NULL AS VARCHAR) AS slip FROM {table}", []
    if detail.test == "withdrawn":
        tests += ["v._value IS NULL", f"abs(old) >= {detail.least!r}"]
    elif detail.test == "slip":
        told, more = _slips(detail, flow, figures, column, table, history), ["v.slip IS NOT NULL"]
    else:
        tests.append(f"abs(v._value - old) > {detail.limit!r} * abs(old)")
    statement = f"""
        SELECT {PLACE}, plain(v._value) AS value, plain(old) AS expected, {key_columns(flow.structure, flow.names)},
               plain(old) AS previous, plain(v._value - old) AS difference,
               coalesce(plain(round(100 * (v._value - old) / nullif(abs(old), 0), 1)), '∞') AS change, slip
        FROM ({told}) AS v JOIN {flow.sent.table} AS r ON r.rowid = v._id WHERE {both([*tests, *more])}
        ORDER BY {IN_ORDER}"""
    return figures.workspace.places(statement, flow.structure)


def _revised(flow: Flow, column: Column, query: str, history: str, figures: Figures) -> str:
    """The sent figures (``_id``, ``_value``) that are not those stored of the same provider (``old``)."""
    names = flow.names
    old = f"h.{names[column.id]}"
    differing = [names[id] for id in flow.structure.key_ids if id not in figures.alike(flow)]
    same = both(["s._provider = h._provider", *(f"s.{name} = h.{name}" for name in differing)])
    return (
        f"SELECT s._id, s._value, {old} AS old FROM ({query}) AS s JOIN {history} AS h ON {same}"
        f" WHERE isfinite({old}) AND s._value IS DISTINCT FROM {old}"
    )


# --- slips ----------------------------------------------------------------------------------------------------------
_DIGITS = "array_to_string(list_sort(string_split(plain(abs({})), '')), '')"
"""The digits of a figure in order: two figures with the same ones are made of each other."""


def _slips(detail: Revision, flow: Flow, figures: Figures, column: Column, table: str, history: str) -> str:
    """The revised figures with the slip that each looks like, or null."""
    powers = either(
        f"_value = {direction}" for k in detail.powers for direction in (f"old * 1e{k}", f"round(old / 1e{k}, 6)")
    )
    size = f"greatest(abs(_value), abs(old)) >= {detail.least!r}"
    cases = [
        ("sign", "_value = -old"),
        ("power", both([size, powers]) if detail.powers else "false"),
        ("digits", both([size, f"{_DIGITS.format('_value')} = {_DIGITS.format('old')}"])),
    ]
    chosen = " ".join(f"WHEN {test} THEN {literal(name)}" for name, test in cases)
    old = f"h.{flow.names[column.id]}"
    moved = [
        f"EXISTS (SELECT 1 FROM {history} AS h WHERE {_beside(flow, figures, id)} AND {old} = v._value)"
        for id in detail.beside
        if id in flow.structure.key_ids and id not in figures.alike(flow)
    ]
    neighbour = f" WHEN {size} AND ({either(moved)}) THEN 'neighbour'" if moved else ""
    assert flow.sent is not None
    return (
        f"SELECT v._id, v._value, v.old, CASE {chosen}{neighbour} END AS slip"
        f" FROM {table} AS v JOIN {flow.sent.table} AS r ON r.rowid = v._id WHERE v._value IS NOT NULL"
    )


def _beside(flow: Flow, figures: Figures, along: str) -> str:
    """The condition that a stored row differs from a sent one along one dimension alone."""
    names = flow.names
    same = [f"h.{names[id]} = r.{names[id]}" for id in flow.structure.key_ids if id != along]
    return both(["h._provider = r._provider", f"h.{names[along]} <> r.{names[along]}", *same])


# --- left out -------------------------------------------------------------------------------------------------------
def _left_out(
    rule: Rule, flow: Flow, figures: Figures, column: Column, history: str, providers: Collection[str]
) -> pa.Table:
    """The figures sent before, in periods that are sent, that are not sent now; none where these are many.

    A merge leaves them as they are: either they are right still, or a row was lost.
    """
    detail = rule.detail
    assert isinstance(detail, Revision)
    sent, time = flow.sent, flow.structure.time_dimension
    assert sent is not None
    names = flow.names
    differing = [names[id] for id in flow.structure.key_ids if id not in figures.alike(flow)]
    same = both(["s._provider = h._provider", *(f"s.{name} = h.{name}" for name in differing)])
    rows = f"{sent.table} AS s WHERE s._dataflow = {literal(sent.dataflow)} AND s._whole"
    in_time = "1 = 1" if time is None else f"h.{names[time.id]} IN (SELECT DISTINCT s.{names[time.id]} FROM {rows})"
    old = f"h.{names[column.id]}"
    statement = f"""
        WITH h AS (SELECT * FROM {history} AS h
                   WHERE isfinite({old}) AND {in_time} AND {member("h._provider", providers)}
                     AND {conditions(flow.structure, rule.when, "h.")}),
        lost AS (SELECT * FROM h WHERE {old} <> 0 AND NOT EXISTS (SELECT 1 FROM {rows} AND {same}))
        SELECT plain({old}) AS value, {key_columns(flow.structure, {id: f"h.{name}" for id, name in names.items()})},
               plain({old}) AS previous, '' AS difference, '' AS change
        FROM lost AS h WHERE (SELECT count(*) FROM lost) <= {detail.share!r} * (SELECT count(*) FROM h)
        ORDER BY {", ".join(f"h.{names[id]}" for id in flow.structure.key_ids)}"""
    return figures.workspace.places(statement, flow.structure)
