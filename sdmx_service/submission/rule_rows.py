"""Rules that look at one row at a time: *value* (the range of a measure) and *same* (one code in two dimensions)."""

from __future__ import annotations

import pyarrow as pa

from sdmx_service.catalog.rules import Rule
from sdmx_service.errors import InvalidStructure
from sdmx_service.storage.quoting import both, either, literal, member
from sdmx_service.submission.figures import Figures, Flow
from sdmx_service.submission.workspace import IN_ORDER, PLACE, key_columns


def wrong_values(rule: Rule, flow: Flow, figures: Figures) -> pa.Table:
    """The sent figures below the minimum, above the maximum, not whole, or infinite.

    Raises:
        InvalidStructure: the structure has no such numeric component.
    """
    tests, expected = ["isinf(_value)"], []
    if rule.integer:
        tests.append("_value <> trunc(_value)")
        expected.append("a whole number")
    if rule.minimum is not None:
        tests.append(f"_value < {rule.minimum!r}")
        expected.append(f"{_plain(rule.minimum)} or more")
    if rule.maximum is not None:
        tests.append(f"_value > {rule.maximum!r}")
        expected.append(f"{_plain(rule.maximum)} or less")
    query = figures.with_infinite(flow, flow.number(rule.component, rule.id), rule.when)
    if query is None:
        return pa.table({})
    finite = expected if rule.integer else ["a finite number", *expected]
    said = f"CASE WHEN isinf(_value) THEN {literal(', '.join(finite))} ELSE {literal(', '.join(expected))} END"
    shown = "CASE WHEN isinf(_value) THEN CASE WHEN _value < 0 THEN '-INF' ELSE 'INF' END ELSE plain(_value) END"
    statement = f"""
        SELECT {PLACE}, {shown} AS value, {said} AS expected,
               {key_columns(flow.structure, flow.names)}
        FROM ({query}) WHERE {either(tests)} ORDER BY {IN_ORDER}"""
    return figures.workspace.places(statement, flow.structure)


def equal_codes(rule: Rule, flow: Flow, figures: Figures) -> pa.Table:
    """The sent rows with one code in all the dimensions named; ``value`` is the code, ``figure`` the figure.

    Raises:
        InvalidStructure: the structure has no such dimension, or fewer than two are named.
    """
    unknown = [id for id in rule.dimensions if id not in flow.structure.dimension_ids]
    if unknown or len(rule.dimensions) < 2:
        problem = f"there is no dimension {', '.join(unknown)}" if unknown else "two dimensions must be named"
        raise InvalidStructure(f"Rule {rule.id} on {flow.structure.ref.text}: {problem}.")
    first, *others = (flow.names[id] for id in rule.dimensions)
    equal = both(f"{first} = {other}" for other in others)
    kept = f"NOT {member(first, set(rule.excluded))}" if rule.excluded else "1 = 1"
    if rule.minimum is not None:
        kept += f" AND _value >= {rule.minimum!r}"
    query = figures.select(flow, flow.number(rule.component, rule.id), rule.when, result=False)
    if query is None:
        return pa.table({})
    statement = f"""
        SELECT {PLACE}, {first} AS value, {key_columns(flow.structure, flow.names)}, plain(_value) AS figure
        FROM ({query}) WHERE {equal} AND {kept} ORDER BY {IN_ORDER}"""
    return figures.workspace.places(statement, flow.structure)


def _plain(number: float) -> str:
    return str(int(number)) if number.is_integer() else repr(number)
