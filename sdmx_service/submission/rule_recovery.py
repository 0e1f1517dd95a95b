"""Rules of kind *recoverable*: withheld figures that an equation of other figures gives away.

A figure is withheld where it has no value and its attributes say so (``missing``). One equation with exactly one
withheld figure and all others known determines it; chains of equations are not followed (choice: what one equation
gives away is what a reader finds with a pocket calculator).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pyarrow as pa

from sdmx_service.catalog.rule_kinds import Recoverable
from sdmx_service.catalog.rules import Rule
from sdmx_service.errors import InvalidStructure
from sdmx_service.storage.quoting import either, literal, member
from sdmx_service.submission.figures import Figures, Flow
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
    query = f"SELECT count(*) AS number FROM {flow.sent.table} WHERE (isfinite({figure})) IS NOT TRUE AND {test}"
    return bool(figures.workspace.read(query)["number"][0].as_py())


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
