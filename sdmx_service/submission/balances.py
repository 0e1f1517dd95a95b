"""Balances over several dataflows or periods, as sums that give figures away: what rules of that kind declare.

A stock and the flows until the next one, say. A balance is taken at its rule's word, to within the rule's tolerance, or
as far as it misses where all its figures are told, if that is more: with other keys of the same series, an attacker
sees how well it holds there. Balances within one dataflow and period stand among its sums (``relations``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Protocol

import numpy as np

from sdmx_service.catalog.rules import Rule, Term
from sdmx_service.model.urn import PartialRef
from sdmx_service.storage.quoting import literal, member
from sdmx_service.submission.disclosure import Further
from sdmx_service.submission.figures import Flow
from sdmx_service.submission.rule_terms import PlacedTerm, meeting_keys, shift_join, shift_table
from sdmx_service.submission.workspace import Workspace


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


class Source(Protocol):
    """Where the figures of balances come from."""

    @property
    def workspace(self) -> Workspace:
        """Where they stand."""

    @property
    def own(self) -> tuple[Flow, str]:
        """The dataflow and the component whose figures are asked for."""

    def flow(self, named: PartialRef) -> Flow | None:
        """The dataflow that a term names; None if the catalog does not have it."""

    def rows(self, balance: Balance, term: PlacedTerm) -> str | None:
        """The query of the figures that a term may take; None where there are none, or not all that there are.

        It has the columns of the key (``column_names``), ``_provider``, ``_id`` (which figure), ``_value`` (null where
        it is not told), ``_low`` and ``_high`` (between what it lies, null: unknown), ``_withheld`` (it is asked for)
        and ``_counts`` (it cannot be below 0).
        """


def is_own(source: Source, term: PlacedTerm) -> bool:
    """Whether the figures of a term are those that are asked for."""
    flow, component = source.own
    return (term.flow.name, term.term.component) == (flow.name, component)


def balances(source: Source, rules: Iterable[Rule]) -> list[Balance]:
    """The balances among some rules that the source's own dataflow takes part in, and not alone in one period."""
    found: dict[str, Balance] = {}
    for rule in rules:
        if rule.kind != "balance" or rule.equals is None:
            continue
        terms = _placed(rule, (*rule.terms, rule.equals), source)
        if terms is not None and _is_across(terms, source):
            found.setdefault(repr(terms), Balance(rule=rule, terms=terms, keys=tuple(meeting_keys(rule, terms))))
    return list(found.values())


def further_sums(source: Source, known: Iterable[Balance]) -> Iterator[Further]:
    """The sums of balances with at least one figure that is not told, as the figures are now."""
    for one in known:
        found = _Reckoning(one, source).further()
        if found is not None:
            yield found


def _is_across(terms: Sequence[PlacedTerm], source: Source) -> bool:
    own = [is_own(source, one) for one in terms]
    return any(own) and (not all(own) or any(one.term.shift for one in terms))


def _placed(rule: Rule, terms: Sequence[Term], source: Source) -> tuple[PlacedTerm, ...] | None:
    """The terms with their dataflows; None where one is not there, or has not what the rule names."""
    placed = []
    for number, term in enumerate(terms):
        flow = source.own[0] if term.dataflow is None else source.flow(term.dataflow)
        if flow is None:
            return None
        where = {**{id: codes for id, codes in rule.when.items() if id in flow.names}, **term.where}
        if any(id not in flow.names for id in (*where, *rule.by, term.component)) or term.missing:
            return None  # a figure that stands in for an absent one is told by nobody
        placed.append(PlacedTerm(number=number, term=term, flow=flow, where=where))
    return tuple(placed)


def _name(one: PlacedTerm) -> str:
    return one.term.name or "/".join("+".join(codes) for codes in one.term.where.values())


class _Reckoning:
    """One balance, with its figures as terms of sums."""

    def __init__(self, balance: Balance, source: Source) -> None:
        self._balance, self._source = balance, source
        every = [one.time for one in balance.terms]
        self._time = None if None in every else every[0]
        self._series = ", ".join([*(f"k{place}" for place in range(len(balance.keys))), "_provider"])
        self._group = f"{self._series}, _period"

    def further(self) -> Further | None:
        """Its sums; None where every figure is told, or none has all its terms."""
        workspace, shifts, parts = self._source.workspace, list[str](), list[str]()
        try:
            for one in self._balance.terms:
                query = self._source.rows(self._balance, one)
                if query is None and one.term.missing is None:
                    return None
                if query is not None:
                    parts.append(self._term(one, query, shifts))
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

    def _term(self, one: PlacedTerm, query: str, shifts: list[str]) -> str:
        """The figures of a term, each with the keys and the period of the balance."""
        names = one.flow.names
        period, join = "''" if self._time is None else f"f.{names[one.time or '']}", ""
        if one.term.shift and one.time is not None:
            table = shift_table(one, query, one.time, self._source.workspace)
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
            f" f._counts, f._provider FROM ({query}) AS f{join}"
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
