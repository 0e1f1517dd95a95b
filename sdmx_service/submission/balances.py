"""Balances over several dataflows or periods, as sums for the audit: what a dataflow's rules of that kind declare.

A stock and the flows until the next one, say. A balance is taken at its rule's word, to within the rule's tolerance, or
as far as it misses where all its figures are told, if that is more: with other keys of the same series, an attacker
sees how well it holds there. Balances within one dataflow and period stand among its sums (``relations``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from sdmx_service.catalog.rules import Rule, Term
from sdmx_service.model.selection import dataflow_name
from sdmx_service.model.structure import Dataflow
from sdmx_service.model.urn import PartialRef, Version
from sdmx_service.storage.quoting import either, literal, member
from sdmx_service.submission.disclosure import Further
from sdmx_service.submission.figures import Flow
from sdmx_service.submission.published import Hall, Published
from sdmx_service.submission.rule_terms import PlacedTerm, meeting_keys, shift_join, shift_table
from sdmx_service.submission.workspace import conditions

View = Callable[[PlacedTerm], Published]


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """A balance that a dataflow takes part in, with every term at its dataflow."""

    rule: Rule
    terms: tuple[PlacedTerm, ...]
    keys: tuple[str, ...]

    @property
    def name(self) -> str:
        """What it says, in words."""
        left = " ".join(f"{'+' if one.term.sign > 0 else '-'} {_name(one)}" for one in self.terms[:-1])
        return f"{_name(self.terms[-1])} = {left.removeprefix('+ ')} ({self.rule.id})"


class Balances:
    """The balances of a dataflow, and the views of the other dataflows that they look at.

    Args:
        own: the dataflow.
    """

    def __init__(self, own: Published) -> None:
        self._own = own
        self._views: dict[tuple[str, str], Published] = {}
        self.known = [*_balances(own)]

    def further(self) -> Iterator[Further]:
        """Their sums with at least one figure that is not told, as the figures are now."""
        for one in self.known:
            found = _Reckoning(one, self._view, self._own.hall).further()
            if found is not None:
                yield found

    def _view(self, term: PlacedTerm) -> Published:
        own, wanted = self._own, (term.flow.name, term.term.component)
        if wanted == (own.flow.name, own.measure.id):
            return own
        if wanted not in self._views:
            assert term.flow.ref is not None
            flow = own.hall.catalog.dataflow(term.flow.ref)
            near = self._near(term)
            self._views[wanted] = Published(own.hall, flow, own.release, measure=wanted[1], near=near)
        return self._views[wanted]

    def _near(self, term: PlacedTerm) -> dict[str, set[str]]:
        """The codes of another dataflow that any balance may look at."""
        own, found = self._own, dict[str, set[str]]()
        for id in term.flow.structure.dimension_ids:
            wanted: set[str] = set()
            for balance in self.known:
                for one in balance.terms:
                    if one.flow.name != term.flow.name or one.term.component != term.term.component:
                        continue
                    codes = one.where.get(id) or (own.occurring.get(id) if id in balance.keys else None)
                    if codes is None:
                        break
                    wanted |= set(codes)
                else:
                    continue
                break
            else:
                found[id] = wanted
        return found


def _balances(own: Published) -> Iterator[Balance]:
    seen = set()
    for rule in own.rules:
        if rule.kind != "balance" or rule.equals is None:
            continue
        terms = _placed(rule, (*rule.terms, rule.equals), own)
        if terms is None or not _is_across(terms, own) or repr(terms) in seen:
            continue
        seen.add(repr(terms))
        yield Balance(rule=rule, terms=terms, keys=tuple(meeting_keys(rule, terms)))


def _is_across(terms: Sequence[PlacedTerm], own: Published) -> bool:
    """The dataflow takes part in it, and not alone in one period."""
    is_own = [(one.flow.name, one.term.component) == (own.flow.name, own.measure.id) for one in terms]
    return any(is_own) and (not all(is_own) or any(one.term.shift for one in terms))


def _placed(rule: Rule, terms: Sequence[Term], own: Published) -> tuple[PlacedTerm, ...] | None:
    """The terms with their dataflows; None where one is not there, or has not what the rule names."""
    placed = []
    for number, term in enumerate(terms):
        flow = own.flow if term.dataflow is None else _flow(own, term.dataflow)
        if flow is None:
            return None
        where = {**{id: codes for id, codes in rule.when.items() if id in flow.names}, **term.where}
        if any(id not in flow.names for id in (*where, *rule.by, term.component)) or term.missing:
            return None  # a figure that stands in for an absent one is told by nobody
        placed.append(PlacedTerm(number=number, term=term, flow=flow, where=where))
    return tuple(placed)


def _flow(own: Published, named: PartialRef) -> Flow | None:
    if own.flow.ref is not None and named.matches(own.flow.ref):
        return own.flow
    catalog = own.hall.catalog
    found = [one for one in catalog.of_type("Dataflow") if isinstance(one, Dataflow) and named.matches(one.ref)]
    flow = max(found, key=lambda one: Version.parse(one.ref.version), default=None)
    if flow is None:
        return None
    return Flow(name=dataflow_name(flow.ref), ref=flow.ref, structure=catalog.structure_of(flow))


def _name(one: PlacedTerm) -> str:
    return one.term.name or "/".join("+".join(codes) for codes in one.term.where.values())


class _Reckoning:
    """One balance, with its figures as terms of sums."""

    def __init__(self, balance: Balance, view: View, hall: Hall) -> None:
        self._balance, self._view, self._hall = balance, view, hall
        every = [one.time for one in balance.terms]
        self._time = None if None in every else every[0]
        self._group = ", ".join([*(f"k{place}" for place in range(len(balance.keys))), "_period"])
        self._series = ", ".join(f"k{place}" for place in range(len(balance.keys))) or "''"

    def further(self) -> Further | None:
        """Its sums; None where every figure is told, or none has all its terms."""
        workspace, shifts = self._hall.workspace, list[str]()
        try:
            parts = [self._term(one, shifts) for one in self._balance.terms]
            table = workspace.make(" UNION ALL ".join(f"({part})" for part in parts))
        finally:
            for shift in shifts:
                workspace.drop(shift)
        try:
            found = workspace.read(self._sums(table))
        finally:
            workspace.drop(table)
        if not found.num_rows:
            return None
        first = np.unique(found["_sum"].to_numpy(), return_index=True)[1]
        tolerance = found["_tolerance"].to_numpy().astype(np.float64)[first]
        ids = np.unique(found["_id"].filter(found["_counts"]).to_numpy())
        return Further(name=self._balance.name, terms=found, tolerance=tolerance, counts=ids)

    def _term(self, one: PlacedTerm, shifts: list[str]) -> str:
        """The figures of a term, each with the keys and the period of the balance."""
        view, names = self._view(one), one.flow.names
        where = conditions(one.flow.structure, one.where)
        known = [conditions(one.flow.structure, when) for when in view.counts()]
        query = f"SELECT *, ({either(known) if known else 'false'}) IS TRUE AS _counts FROM {view.table} WHERE {where}"
        period, join = "''" if self._time is None else f"f.{names[one.time or '']}", ""
        if one.term.shift and one.time is not None:
            table = shift_table(one, query, one.time, self._hall.workspace)
            shifts.append(table)
            period, join = "b.base", shift_join(one, table, one.time)
        fixed = {*self._balance.keys, *one.where, one.time}
        free = [f"f.{names[id]}" for id in one.flow.structure.key_ids if id not in fixed]
        keys = "".join(f"f.{names[id]} AS k{place}, " for place, id in enumerate(self._balance.keys))
        sign = one.term.sign if one.number < len(self._balance.terms) - 1 else -one.term.sign
        rest = f"hash({', '.join(free)})" if free else "0"
        return (
            f"SELECT {one.number} AS _term, {keys}{period} AS _period, {rest}"
            f" AS _free, f._id, CAST({sign!r} AS DOUBLE) AS _factor, f._value, f._low, f._high, f._withheld,"
            f" f._counts FROM ({query}) AS f{join}"
        )

    def _needed(self, one: PlacedTerm) -> int:
        dimensions = one.flow.structure.key_ids
        fixed = [codes for id, codes in one.where.items() if id in dimensions and id not in self._balance.keys]
        return prod(len(set(codes)) for codes in fixed)

    def _sums(self, table: str) -> str:
        """The terms of the balances that have all their figures, one of them not told, with what they may miss by."""
        rule, group, terms = self._balance.rule, self._group, self._balance.terms
        needed = "CASE _term " + " ".join(f"WHEN {one.number} THEN {self._needed(one)}" for one in terms) + " END"
        optional = [one.number for one in terms if one.term.missing is not None]
        required = [one.number for one in terms if one.term.missing is None]
        lenient = member("_term", optional) if optional else "false"
        last = len(terms) - 1
        sides = [
            f"CASE WHEN count(*) FILTER ({test} AND _value IS NULL) = 0 THEN abs(sum(_factor * _value) FILTER ({test}))"
            " END"
            for test in (f"_term = {last}", f"_term <> {last}")
        ]
        slack, share = literal(float(rule.tolerance)), rule.tolerance_share
        if share:  # of the greater side, which is at most the other one and the share of it
            slack = f"greatest({slack}, {share / (1 - share)!r} * greatest({sides[0]}, {sides[1]}))"
            slack = f"CASE WHEN {sides[0]} IS NOT NULL OR {sides[1]} IS NOT NULL THEN {slack} END"
        return f"""
            WITH g AS (SELECT {group}, _term, count(DISTINCT _free) = 1 AS clear, count(*) AS n
                       FROM {table} GROUP BY {group}, _term),
            whole AS (SELECT {group} FROM g GROUP BY {group}
                      HAVING bool_and(clear AND (n = {needed} OR {lenient}))
                         AND count(*) FILTER ({member("_term", required)}) = {len(required)}),
            s AS (SELECT {group}, bool_or(_value IS NULL) AS _open, sum(_factor * _value) AS d, {slack} AS slack
                  FROM {table} JOIN whole USING ({group}) GROUP BY {group}),
            m AS (SELECT *, max(abs(d)) FILTER (NOT _open) OVER (PARTITION BY {self._series}) AS miss FROM s),
            n AS (SELECT {group}, row_number() OVER (ORDER BY {group}) - 1 AS _sum,
                         greatest(slack, coalesce(miss, 0)) AS _tolerance
                  FROM m WHERE _open AND slack IS NOT NULL)
            SELECT _sum, _id, _factor, _value, _low, _high, _withheld, _counts, _tolerance
            FROM {table} JOIN n USING ({group})"""
