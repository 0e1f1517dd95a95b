"""The balances of a dataflow that was sent, with the figures that are sent, and those that are stored.

With scope *file* each provider's rows of the submission are looked at, of whichever dataflows it sent; with scope
*result* the figures that are shown, and those sent in their place, whoever sent them. Only the figures of a balance's
terms are read, and none where all those that are asked for are told.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sdmx_service.catalog.rules import Rule
from sdmx_service.model.columns import Column
from sdmx_service.model.urn import PartialRef
from sdmx_service.storage.quoting import either, literal
from sdmx_service.submission.balances import Balance, balances, further_sums, is_own
from sdmx_service.submission.disclosure import Further
from sdmx_service.submission.figures import Figures, Flow
from sdmx_service.submission.relations import Conditions, applied_rules, counts
from sdmx_service.submission.rounding import Halves
from sdmx_service.submission.rule_terms import PlacedTerm, near_keys
from sdmx_service.submission.workspace import Workspace, conditions


def hidden_conditions(flow: Flow, figures: Figures) -> tuple[str, str]:
    """The conditions that a row's figure is confidential, and that it was withheld without being sent."""
    document = figures.catalog.confidentiality_of(flow.structure)
    if document is None:
        return "false", "false"
    carried = figures.carried(flow)
    own = {document.status: document.confidential} if document.status in carried else {}
    withheld = {id: codes for id, codes in document.withheld.items() if id in carried}
    return (
        f"({conditions(flow.structure, own)}) IS TRUE" if own else "false",
        f"({conditions(flow.structure, withheld)}) IS TRUE" if withheld else "false",
    )


class SentBalances:
    """The balances that a dataflow takes part in.

    Args:
        rule: whose scope says what is looked at.
        flow: the dataflow, of which something was sent.
        providers: with scope *file*, whose rows.
        asked: the query of the numbers (``_id``) of the rows whose figures are asked for.
    """

    def __init__(self, rule: Rule, flow: Flow, figures: Figures, providers: Collection[str], asked: str) -> None:
        self._rule, self._flow, self._figures, self._providers, self._asked = rule, flow, figures, providers, asked
        rules = applied_rules(flow, figures.catalog)
        self._known = balances(self, rules if rule.scope == "result" else map(_strict, rules))

    def further(self) -> list[Further]:
        """Their sums with at least one figure that is not told."""
        known = self._known if any(self._is_open(one) for one in self._known) else ()
        return list(further_sums(self, known))

    def _is_open(self, balance: Balance) -> bool:
        """Whether a figure of the dataflow itself is not told in a balance."""
        queries = (self.rows(balance, one) for one in balance.terms if is_own(self, one))
        return any(self.workspace.count(f"({one}) WHERE _value IS NULL") for one in queries if one is not None)

    # --- as balances ask for it ------------------------------------------------------------------------------------

    @property
    def workspace(self) -> Workspace:
        """Where the figures stand."""
        return self._figures.workspace

    @property
    def own(self) -> tuple[Flow, str]:
        """The dataflow and the component that the rule looks at."""
        return self._flow, self._rule.component

    def flow(self, named: PartialRef) -> Flow | None:
        """The dataflow that a term names, with what was sent of it."""
        return self._figures.flow(named)

    def rows(self, balance: Balance, term: PlacedTerm) -> str | None:
        """The figures of a term."""
        is_result = self._rule.scope == "result"
        near = near_keys(balance.terms, balance.keys) if is_result else {}
        whose = () if is_result else tuple(sorted(self._providers))
        said = (self._flow.name, self._rule.component, tuple(self._rule.when.items()), self._rule.scope, whose)
        what = (
            term.flow.name,
            term.term.component,
            *(repr(sorted(one.items())) for one in (term.where, _listed(near))),
        )
        query = self._query(term, near)
        return (
            None if query is None else f"SELECT * FROM {self._figures.made(('balance', *said, *what), lambda: query)}"
        )

    # --- figures ---------------------------------------------------------------------------------------------------

    def _query(self, term: PlacedTerm, near: Mapping[str, Collection[str]]) -> str | None:
        flow, figures = term.flow, self._figures
        column = flow.number(term.term.component, self._rule.id)
        halves = Halves.of(flow, column.id, figures.catalog)
        rows = self._figures_of(term, column, halves, near)
        if rows is None:
            return None
        keys = ", ".join(flow.names[id] for id in flow.structure.key_ids)
        hidden, _ = hidden_conditions(flow, figures)
        half = halves.each(flow)
        return (
            f"SELECT {keys}, _provider, {self._number(term, keys)} AS _id, _told AS _value, _told - {half} AS _low,"
            f" _told + {half} AS _high, {self._is_asked(term)} AS _withheld, {self._is_count(term)} AS _counts"
            f" FROM (SELECT *, CASE WHEN NOT {hidden} THEN _value END AS _told FROM ({rows}))"
        )

    def _figures_of(
        self, term: PlacedTerm, column: Column, halves: Halves, near: Mapping[str, Collection[str]]
    ) -> str | None:
        flow, figures = term.flow, self._figures
        if self._rule.scope != "result":
            return figures.own(flow, column, term.where, result=False, providers=self._providers)
        more = tuple(dict.fromkeys([*figures.carried(flow), *halves.when]))
        return figures.select(flow, column, term.where, result=True, near=near, more=more)

    def _number(self, term: PlacedTerm, keys: str) -> str:
        """Which figure it is: a row that was sent by its number, others by a number below 0 that their key gives."""
        what = f"{literal(term.flow.name)}, {literal(term.term.component)}"
        made = f"-1 - CAST(hash({what}, _provider, {keys}) >> 2 AS BIGINT)"
        return f"coalesce(_id, {made})" if is_own(self, term) else made

    def _is_asked(self, term: PlacedTerm) -> str:
        return f"(_id IN ({self._asked})) IS TRUE" if is_own(self, term) else "false"

    def _is_count(self, term: PlacedTerm) -> str:
        """Whether a rule of kind *value* says that a figure cannot be below 0."""
        flow, catalog = term.flow, self._figures.catalog
        known = {*flow.structure.key_ids, *self._figures.carried(flow)}
        said: list[Conditions] = counts(applied_rules(flow, catalog), term.term.component)
        tests = [conditions(flow.structure, one) for one in said if set(one) <= known]
        return f"({either(tests)}) IS TRUE" if tests else "false"


def _strict(rule: Rule) -> Rule:
    """The rule with all figures needed: what a file lacks may be stored."""
    terms = tuple(replace(one, missing=None) for one in rule.terms)
    return replace(rule, terms=terms, equals=None if rule.equals is None else replace(rule.equals, missing=None))


def _listed(near: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
    return {id: sorted(codes) for id, codes in near.items()}


def without(further: Further, ids: Any) -> Further | None:
    """The sums that have none of some figures; None where each has."""
    sums = further.terms["_sum"].to_numpy()
    bad = np.unique(sums[np.isin(further.terms["_id"].to_numpy(), ids)])
    kept = ~np.isin(sums, bad)
    if not kept.any():
        return None
    left, numbers = np.unique(sums[kept], return_inverse=True)
    place = further.terms.column_names.index("_sum")
    terms = further.terms.filter(kept).set_column(place, "_sum", [numbers])
    return Further(name=further.name, terms=terms, tolerance=further.tolerance[left], counts=further.counts)
