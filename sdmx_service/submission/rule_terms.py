"""Rules between figures: *compare* (one against another) and *balance* (a signed sum equals a figure).

A term is one figure per key and period: the codes of its ``where``, summed over them where it names several. The keys
are the dimensions that the rule names in ``by`` and those that all terms have and none fixes. A figure that would be
ambiguous (another dimension differs), suppressed or absent makes the rule say nothing for that key, unless the term
says what an absent figure counts (``missing``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import pyarrow as pa

from sdmx_service.catalog.rules import Rule, Term
from sdmx_service.errors import InvalidStructure
from sdmx_service.storage.quoting import both, literal
from sdmx_service.submission.figures import Figures, Flow
from sdmx_service.submission.rounding import Halves, are_comparable
from sdmx_service.submission.rule_periods import shift_period
from sdmx_service.submission.workspace import IN_ORDER, ORIGIN, PLACE, Workspace, first_origin, key_columns

_FREQUENCY = "FREQ"
"""The id of the frequency dimension in SDMX's cross-domain concepts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedTerm:
    """A term at its dataflow."""

    number: int
    term: Term
    flow: Flow
    where: Mapping[str, tuple[str, ...]]

    @property
    def time(self) -> str | None:
        """The time dimension of its dataflow."""
        time = self.flow.structure.time_dimension
        return None if time is None else time.id


def broken_terms(rule: Rule, applied: Sequence[Flow], figures: Figures) -> Iterator[pa.Table]:
    """The keys and periods where the comparison or balance does not hold; only those with a figure sent.

    Args:
        applied: the sent dataflows that the rule applies to, which stand for the dataflow of a term that names none.

    Raises:
        InvalidStructure: the rule names what the structures do not have.
    """
    if rule.equals is None or not rule.terms:
        raise InvalidStructure(f"Rule {rule.id}: a {rule.kind} needs figures on both sides.")
    terms = (*rule.terms, rule.equals)
    homes: Iterable[Flow | None] = applied if any(term.dataflow is None for term in terms) else (None,)
    for home in homes:
        placed = _placed(rule, terms, home, figures)
        if placed is not None and any(one.flow.sent is not None for one in placed):
            yield _broken(rule, placed, figures)


def _placed(rule: Rule, terms: Iterable[Term], home: Flow | None, figures: Figures) -> list[PlacedTerm] | None:
    """The terms with their dataflows; None if the catalog lacks one that must be there."""
    placed = []
    for number, term in enumerate(terms):
        flow = home if term.dataflow is None else figures.flow(term.dataflow)
        if flow is None:
            return None
        where = {**{id: codes for id, codes in rule.when.items() if id in flow.names}, **term.where}
        unknown = [id for id in where if id not in flow.names]
        unknown += [id for id in rule.by if id not in flow.structure.key_ids]
        if unknown:
            raise InvalidStructure(f"Rule {rule.id}: {flow.structure.ref.text} has no component {', '.join(unknown)}.")
        placed.append(PlacedTerm(number=number, term=term, flow=flow, where=where))
    return placed


def _broken(rule: Rule, placed: Sequence[PlacedTerm], figures: Figures) -> pa.Table:
    result = rule.scope == "result"
    keys = meeting_keys(rule, placed)
    time = placed[0].time if all(one.time for one in placed) else None
    shifts: list[str] = []
    try:
        parts, every = [], []
        for one in placed:
            column = one.flow.number(one.term.component, rule.id)
            halves, near = Halves.of(one.flow, column.id, figures.catalog), near_keys(placed, keys)
            every.append(halves)
            query = figures.select(one.flow, column, one.where, result=result, near=near, more=tuple(halves.when))
            if query is not None:
                parts.append(_term_query(one, query, halves.each(one.flow), keys, time, figures, shifts))
            elif one.term.missing is None:
                return pa.table({})
        if not parts:
            return pa.table({})
        off = _off(rule, placed, is_comparable=are_comparable(every))
        return figures.workspace.places(_verdict(rule, placed, parts, keys, time, off), placed[0].flow.structure)
    finally:
        for table in shifts:
            figures.workspace.drop(table)


def meeting_keys(rule: Rule, placed: Sequence[PlacedTerm]) -> list[str]:
    """The dimensions, time left out, along which figures meet."""
    shared = [
        id
        for id in placed[0].flow.structure.dimension_ids
        if all(id in one.flow.structure.dimension_ids and id not in one.term.where for one in placed)
    ]
    return list(dict.fromkeys([*(id for id in rule.by if id != placed[0].time), *shared]))


def near_keys(placed: Sequence[PlacedTerm], keys: Iterable[str]) -> dict[str, Collection[str]]:
    """Stored rows are needed only for keys that were sent."""
    near: dict[str, Collection[str]] = {}
    for id in keys:
        known = [one.flow.sent.values.get(id) for one in placed if one.flow.sent is not None]
        if all(codes is not None for codes in known):
            near[id] = set().union(*(codes for codes in known if codes is not None))
    return near


def _term_query(
    one: PlacedTerm,
    query: str,
    half: str,
    keys: Sequence[str],
    time: str | None,
    figures: Figures,
    shifts: list[str],
) -> str:
    """One row per key and period of the balance: the term's figure, or null where it cannot be told."""
    names = one.flow.names
    period, join = "''" if time is None else names[time], ""
    if time is not None and one.term.shift:
        table = shift_table(one, query, time, figures.workspace)
        shifts.append(table)
        period, join = "b.base", shift_join(one, table, time)
    dimensions = one.flow.structure.key_ids
    free = [names[id] for id in dimensions if id not in keys and id not in one.term.where and id != time]
    clear = f"count(DISTINCT hash({', '.join(free)})) = 1" if free else "1 = 1"
    needed = prod(len(set(codes)) for id, codes in one.term.where.items() if id in dimensions and id not in keys)
    key = [names[id] for id in keys]
    return f"""SELECT {one.number} AS _term, {"".join(f"{name} AS k{number}, " for number, name in enumerate(key))}
            {period} AS _period, _provider, bool_or(_sent) AS _sent, min(_row) FILTER (_sent) AS _row,
            {first_origin("_row", "_sent")}, sum({half}) AS _half,
            CASE WHEN {clear} AND {_is_whole(one, needed)} THEN sum(_value) END AS _value
        FROM ({query}) AS f{join} GROUP BY {", ".join([*key, period, "_provider"] if time else [*key, "_provider"])}"""


def _is_whole(one: PlacedTerm, needed: int) -> str:
    """All codes that the term adds up have a value; with ``missing``, those that are there."""
    return "count(_value) = count(*)" if one.term.missing is not None else f"count(_value) = {needed}"


def _frequency(one: PlacedTerm) -> str:
    return f"f.{one.flow.names[_FREQUENCY]}" if _FREQUENCY in one.flow.structure.dimension_ids else "NULL"


def shift_join(one: PlacedTerm, table: str, time: str) -> str:
    """The join of the rows ``f`` of a term with ``shift_table`` as ``b``, whose ``base`` is the balance's period."""
    same = f"b.period = f.{one.flow.names[time]} AND b.frequency IS NOT DISTINCT FROM {_frequency(one)}"
    return f" JOIN {table} AS b ON {same}"


def shift_table(one: PlacedTerm, query: str, time: str, workspace: Workspace) -> str:
    """A table from the periods of a term to the periods of the balance that they count in."""
    period = f"f.{one.flow.names[time]}"
    select = f"SELECT DISTINCT {period} AS p, CAST({_frequency(one)} AS VARCHAR) AS f FROM ({query}) AS f"
    pairs = workspace.read(select)
    rows = [
        (text, frequency, base)
        for text, frequency in zip(pairs["p"].to_pylist(), pairs["f"].to_pylist(), strict=True)
        if (base := shift_period(text, -one.term.shift, frequency)) is not None
    ]
    columns = [pa.array([row[place] for row in rows], pa.string()) for place in range(3)]
    names = ("period", "frequency", "base")
    batch = pa.record_batch(columns, names=list(names))
    return workspace.keep([batch], dict.fromkeys(names, "VARCHAR"))


def _verdict(
    rule: Rule, placed: Sequence[PlacedTerm], parts: Sequence[str], keys: Sequence[str], time: str | None, off: str
) -> str:
    own = [f"k{number}" for number in range(len(keys))]
    group = ", ".join([*own, "_period", "_provider"])
    last = len(placed) - 1
    values = ", ".join(_value(one) for one in placed)
    expressions = {**dict(zip(keys, own, strict=True)), **({time: "_period"} if time else {})}
    key = key_columns(placed[0].flow.structure, expressions)
    place = ", ".join(_first_place(name, rule, last) for name in ("_row", *ORIGIN))
    left = " + ".join(f"{one.term.sign!r} * v{one.number}" for one in placed[:-1])
    right = f"{placed[last].term.sign!r} * v{last}"
    whole = " + ".join(f"abs({one.term.sign!r} * v{one.number})" for one in placed[:-1])
    value, expected = ("right_side", "left_side") if rule.kind == "balance" else ("left_side", "right_side")
    return f"""
        WITH terms AS ({" UNION ALL ".join(f"({part})" for part in parts)}),
        keyed AS (SELECT {group}, {values}, {place}, {off} AS off
                  FROM terms GROUP BY {group} HAVING bool_or(_sent)),
        sides AS (SELECT *, {left} AS left_side, {right} AS right_side, {_terms_text(placed[:-1])} AS terms
                  FROM keyed WHERE {both(f"v{one.number} IS NOT NULL" for one in placed)})
        SELECT {PLACE}, plain({value}) AS value,
               {literal(_EXPECTED[rule.operator])} || plain({expected}) AS expected,
               {key + "," if key else ""} plain(left_side) AS "left", plain(right_side) AS "right",
               plain(left_side - right_side) AS difference, terms,
               coalesce(plain(round(100 * abs(left_side - right_side) / nullif({whole}, 0), 1)), '∞') AS share
        FROM sides WHERE {_violation(rule)} ORDER BY {", ".join([IN_ORDER, "_period", *own])}"""


_HARDLY = 1e-6
"""What lets two figures be equal of which one is to be less, and no figure be more."""
_EXPECTED = {"eq": "", "le": "at most ", "ge": "at least ", "lt": "less than ", "gt": "more than "}


def _value(one: PlacedTerm) -> str:
    value = f"max(_value) FILTER (_term = {one.number})"
    if one.term.missing is not None:
        absent = f"count(*) FILTER (_term = {one.number}) = 0"
        value = f"CASE WHEN {absent} THEN CAST({one.term.missing!r} AS DOUBLE) ELSE {value} END"
    return f"{value} AS v{one.number}"


def _off(rule: Rule, placed: Sequence[PlacedTerm], *, is_comparable: bool) -> str:
    """By how much the two sides may differ since figures are rounded.

    Not at all where two figures are compared that are rounded alike: rounding keeps their order, and may make two one.
    """
    sign = "CASE _term " + " ".join(f"WHEN {one.number} THEN {abs(one.term.sign)!r}" for one in placed) + " END"
    off = f"coalesce(sum(_half * {sign}), 0)"
    is_single = all(one.term.sign == 1 and all(len(set(codes)) == 1 for codes in one.where.values()) for one in placed)
    if rule.kind == "compare" and is_single and is_comparable:
        alike = f"CASE WHEN max(_half) > 0 THEN {_HARDLY!r} ELSE 0.0 END" if rule.operator in ("lt", "gt") else "0.0"
        return f"CASE WHEN min(_half) = max(_half) THEN {alike} ELSE {off} END"
    return off


def _first_place(name: str, rule: Rule, last: int) -> str:
    """The origin of the figure that the finding points at: a balance's result, else the first figure sent."""
    first = f"arg_min({name}, _term) FILTER (_sent)"
    if rule.kind != "balance":
        return f"{first} AS {name}"
    return f"coalesce(max({name}) FILTER (_sent AND _term = {last}), {first}) AS {name}"


def _violation(rule: Rule) -> str:
    slack = "1e-9 * greatest(1, abs(left_side), abs(right_side))"
    difference, tolerance = "(left_side - right_side)", repr(rule.tolerance)
    if rule.tolerance_share:
        share = f"{rule.tolerance_share!r} * greatest(abs(left_side), abs(right_side))"
        tolerance = f"greatest({tolerance}, {share})"
    tolerance += " + off"
    return {
        "eq": f"abs({difference}) > {tolerance} + {slack}",
        "le": f"{difference} > {tolerance} + {slack}",
        "ge": f"-{difference} > {tolerance} + {slack}",
        "lt": f"{difference} >= {tolerance} - {slack}",
        "gt": f"-{difference} >= {tolerance} - {slack}",
    }[rule.operator]


def _terms_text(placed: Sequence[PlacedTerm]) -> str:
    """An expression for the left side in words: ``opening stock 10 + arrivals 3 - departures 2``."""
    pieces: list[str] = []
    for one in placed:
        sign = one.term.sign
        mark = (" - " if sign < 0 else " + ") if pieces else ("-" if sign < 0 else "")
        factor = "" if abs(sign) == 1 else f"{abs(sign):g} x "
        name = one.term.name or f"figure {one.number + 1}"
        pieces.append(f"{literal(f'{mark}{factor}{name} ')} || plain(v{one.number})")
    return " || ".join(pieces)
