"""Rules of kinds *recoverable* and *disclosure*: withheld figures that others give away.

*recoverable*: a figure is withheld where it has no value and its attributes say so (``missing``). One equation with
exactly one withheld figure and all others known determines it: what a reader finds with a pocket calculator.
*disclosure*: all sums of the dataflow and the balances that it takes part in together, by linear programs
(``submission.disclosure``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from sdmx_service.catalog.rule_kinds import Disclosure, Recoverable
from sdmx_service.catalog.rules import Rule
from sdmx_service.errors import InvalidStructure
from sdmx_service.model.columns import Column
from sdmx_service.model.confidentiality import Confidentiality
from sdmx_service.storage.quoting import either, literal, member
from sdmx_service.submission.disclosure import Cells, Further, Told, find_out
from sdmx_service.submission.figures import Figures, Flow
from sdmx_service.submission.relations import Conditions, applied_rules, counts, relations
from sdmx_service.submission.rounding import Halves
from sdmx_service.submission.sent_balances import SentBalances, hidden_conditions, without
from sdmx_service.submission.workspace import IN_ORDER, ORIGIN, PLACE, conditions, key_columns

_Equation = list[tuple[str, float, str, bool]]
"""Per figure: the condition of its rows, its factor (the sum of all is 0), its name, whether it must be there."""


def recoverable_figures(rule: Rule, flow: Flow, figures: Figures, providers: Collection[str]) -> Iterator[pa.Table]:
    """The withheld figures that one equation determines, one table per equation.

    Raises:
        InvalidStructure: the structure lacks a component that the rule names.
    """
    detail = rule.detail
    assert isinstance(detail, Recoverable)
    carried = figures.carried(flow)
    if lacking := [id for id in detail.missing if id not in carried]:
        raise InvalidStructure(f"Rule {rule.id}: {flow.structure.ref.text} has no {lacking[0]!r} at the observation.")
    dimensions, equations = _equations(detail, flow)
    if unknown := [id for id in dimensions if id not in flow.structure.dimension_ids]:
        raise InvalidStructure(f"Rule {rule.id}: {flow.structure.ref.text} has no dimension {', '.join(unknown)}.")
    result = rule.scope == "result"
    if Halves.of(flow, rule.component, figures.catalog).sent:
        return  # no equation of rounded figures determines one
    query = figures.own(
        flow, flow.number(rule.component, rule.id), rule.when, result=result, providers=providers, free=dimensions
    )
    if query is None:
        return
    if not result and not _is_any_withheld(detail, flow, figures, rule.component):
        return
    for equation in equations:
        yield figures.workspace.places(_statement(detail, flow, dimensions, equation, query), flow.structure)


def _is_any_withheld(detail: Recoverable, flow: Flow, figures: Figures, component: str) -> bool:
    """Whether a row was sent without a figure and with attributes that say that it is withheld."""
    assert flow.sent is not None
    test = conditions(flow.structure, detail.missing)
    figure = flow.names[component]
    return bool(figures.workspace.count(f"{flow.sent.table} WHERE (isfinite({figure})) IS NOT TRUE AND {test}"))


def _equations(detail: Recoverable, flow: Flow) -> tuple[list[str], list[_Equation]]:
    """The dimensions that an equation runs along, and the equations."""
    if detail.terms:
        dimensions = list(dict.fromkeys(id for term in detail.terms for id in term.where))
        return dimensions, [
            [(conditions(flow.structure, term.where), term.sign, term.name or f"figure {number}", True)
             for number, term in enumerate(detail.terms, start=1)]
        ]  # fmt: skip
    name = flow.names.get(detail.dimension, "NULL")
    found = []
    for parts in detail.partitions:
        equation: _Equation = [(f"{name} = {literal(detail.total)}", -1.0, detail.total, True)]
        equation += [(f"{name} = {literal(code)}", 1.0, code, True) for code in parts]
        equation += [(f"{name} = {literal(code)}", 1.0, code, False) for code in detail.optional]
        found.append(equation)
    return [detail.dimension], found


def _statement(detail: Recoverable, flow: Flow, dimensions: list[str], equation: _Equation, query: str) -> str:
    names = flow.names
    others = [names[id] for id in flow.structure.key_ids if id not in dimensions]
    group = ", ".join([*others, "_provider"])
    placed = list(enumerate(equation))
    number = "CASE " + " ".join(f"WHEN {one[0]} THEN {place}" for place, one in placed) + " END"
    factor = "CASE _number " + " ".join(f"WHEN {place} THEN {one[1]!r}" for place, one in placed) + " END"
    name = "CASE _number " + " ".join(f"WHEN {place} THEN {literal(one[2])}" for place, one in placed) + " END"
    needed = [place for place, one in placed if one[3]]
    kept = ", ".join(f"arg_min({one}, _number) FILTER (_withheld) AS {one}" for one in ("_row", *ORIGIN))
    own = {id: f"arg_min({names[id]}, _number) FILTER (_withheld)" for id in dimensions}
    key = {**{id: names[id] for id in flow.structure.key_ids if id not in dimensions}, **{id: names[id] for id in own}}
    return f"""
        WITH f AS (SELECT *, {number} AS _number,
                          (_value IS NULL AND {conditions(flow.structure, detail.missing)}) IS TRUE AS _withheld
                   FROM ({query}) WHERE {either(one[0] for one in equation)}),
        g AS (SELECT {group}, {kept}, {"".join(f"{text} AS {names[id]}, " for id, text in own.items())}
                     -(sum(_value * {factor})) / max({factor}) FILTER (_withheld) AS recovered,
                     string_agg({name} || ' ' || plain(_value), ', ' ORDER BY _number) FILTER (NOT _withheld) AS known
              FROM f GROUP BY {group}
              HAVING bool_or(_sent) AND count(*) FILTER (_withheld) = 1 AND count(*) FILTER (_value IS NULL) = 1
                 AND count(*) FILTER ({member("_number", needed)}) = {len(needed)}
                 AND count(*) = count(DISTINCT _number))
        SELECT {PLACE}, plain(recovered) AS value, {key_columns(flow.structure, key)},
               plain(recovered) AS recovered, known
        FROM g WHERE recovered IS NOT NULL ORDER BY {IN_ORDER}"""


# --- several sums together -------------------------------------------------------------------------------------------

_SECONDS = 10.0
"""How long the sums of one dataflow are looked at."""


def disclosed_figures(rule: Rule, flow: Flow, figures: Figures, providers: Collection[str]) -> Iterator[pa.Table]:
    """The withheld figures that all sums of a dataflow, and the balances that it takes part in, together give away.

    A figure is withheld where the confidentiality document of the structure says so: by its status, or by attributes
    of a row without a figure. What one sum of a rule of kind *recoverable* gives away is reported there.
    """
    detail, document = rule.detail, figures.catalog.confidentiality_of(flow.structure)
    assert isinstance(detail, Disclosure)
    if document is None or flow.sent is None:
        return
    key = ("disclosure", flow.name, rule.component, rule.scope, tuple(rule.when.items()), tuple(sorted(providers)))
    if key not in figures.remembered:
        figures.remembered[key] = _find_out(rule, document, flow, figures, providers)
    found: Told | None = figures.remembered[key]
    if found is None:
        return
    told = np.flatnonzero(~found.is_plain & (found.is_exact == (detail.within == "exact")))
    if len(told):
        yield _told_places(found, told, flow, figures)


def _find_out(
    rule: Rule, document: Confidentiality, flow: Flow, figures: Figures, providers: Collection[str]
) -> Told | None:
    assert flow.sent is not None
    column = flow.number(rule.component, rule.id)
    secret = hidden_conditions(flow, figures)
    if not _is_any_secret(secret, flow, figures):
        return None

    def source(when: Conditions) -> str | None:
        where = {**rule.when, **when}
        query = _cells(figures, flow, column, where, providers, secret)
        if query is None:
            return None
        kept = figures.made(("cells", flow.name, column.id, repr(sorted(where.items()))), lambda: query)
        return f"SELECT * FROM {kept}"

    every = source({})
    if every is None:
        return None
    rules = applied_rules(flow, figures.catalog)
    occurring = {id: frozenset(codes) for id, codes in flow.sent.values.items() if codes is not None}
    off = Halves.of(flow, rule.component, figures.catalog).sent
    known = relations(flow, rules, figures.catalog, occurring)
    known = [replace(one, is_plain=False) for one in known] if off else known
    cells = Cells(
        workspace=figures.workspace,
        structure=flow.structure,
        source=source,
        limits=(f"_value - {off!r}", f"_value + {off!r}") if off else ("_value", "_value"),
    )

    def told(further: Sequence[Further]) -> Told | None:
        at_least = counts(rules, rule.component)
        return find_out(cells, known, at_least, share=document.range, seconds=_SECONDS, further=further)

    asked = f"SELECT _id FROM ({every}) WHERE _withheld"
    further = SentBalances(rule, flow, figures, providers, asked).further()
    found = told(further)
    if not further or found is None:
        return found
    doubtful = np.concatenate([found.doubtful, found.cells[found.lower > found.upper]])
    return told([kept for one in further if (kept := without(one, doubtful))]) if len(doubtful) else found


def _is_any_secret(secret: tuple[str, str], flow: Flow, figures: Figures) -> bool:
    assert flow.sent is not None
    return bool(figures.workspace.count(f"{flow.sent.table} WHERE {secret[0]} OR {secret[1]}"))


def _cells(
    figures: Figures,
    flow: Flow,
    column: Column,
    when: Mapping[str, Collection[str]],
    providers: Collection[str],
    secret: tuple[str, str],
) -> str | None:
    query = figures.own(flow, column, when, result=False, providers=providers)
    if query is None:
        return None
    keys = ", ".join(flow.names[id] for id in flow.structure.key_ids)
    hidden, withheld = secret
    return (
        f"SELECT {keys}, _provider, _id, CASE WHEN {hidden} THEN NULL ELSE _value END AS _value,"
        f" ({hidden} OR (_value IS NULL AND {withheld})) AS _withheld FROM ({query})"
    )


def _told_places(found: Told, told: Any, flow: Flow, figures: Figures) -> pa.Table:
    """The figures as places of findings, with what they are and the sums that tell it."""
    assert flow.sent is not None
    low, high = found.lower[told], found.upper[told]
    exact = found.is_exact[told]
    said = [
        plain_number(one) if is_exact else f"between {plain_number(one)} and {plain_number(other)}"
        for one, other, is_exact in zip(low.tolist(), high.tolist(), exact.tolist(), strict=True)
    ]
    known = ["; ".join(found.sums[place][:_MOST_SUMS]) for place in told.tolist()]
    rows = pa.record_batch(
        [pa.array(found.cells[told]), pa.array(said), pa.array(known)], names=["id", "said", "known"]
    )
    table = figures.workspace.keep([rows], {"id": "BIGINT", "said": "VARCHAR", "known": "VARCHAR"})
    key = {id: f"r.{name}" for id, name in flow.names.items() if id in flow.structure.key_ids}
    statement = (
        f"SELECT {PLACE}, t.said AS value, {key_columns(flow.structure, key)}, t.said AS recovered, t.known AS known"
        f" FROM {table} t JOIN {flow.sent.table} r ON r.rowid = t.id ORDER BY {IN_ORDER}"
    )
    places = figures.workspace.places(statement, flow.structure)
    figures.workspace.drop(table)
    return places


_MOST_SUMS = 4
"""Sums that a finding names."""


def plain_number(number: float) -> str:
    """A number as people write it."""
    nearest = round(number)
    return str(nearest) if abs(number - nearest) <= 1e-6 * max(1.0, abs(number)) else f"{number:.6g}"
