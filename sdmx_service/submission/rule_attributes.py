"""Rules about attributes of the observation: *attribute* with the tests *present* and *implied*."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import pyarrow as pa

from sdmx_service.catalog.rule_kinds import Presence
from sdmx_service.catalog.rules import Rule
from sdmx_service.errors import InvalidStructure
from sdmx_service.storage.quoting import both
from sdmx_service.submission.figures import Figures, Flow
from sdmx_service.submission.rule_series import grouped
from sdmx_service.submission.workspace import conditions


def lacking_attributes(
    rule: Rule, flow: Flow, figures: Figures, providers: Collection[str]
) -> Iterator[tuple[pa.Table, Mapping[str, str]]]:
    """Per attribute, the sent rows that do not have it, or do not have what their other attributes imply.

    Raises:
        InvalidStructure: the structure has no such attribute at the observation.
    """
    detail = rule.detail
    assert isinstance(detail, Presence)
    known = figures.carried(flow)
    query = figures.own(flow, flow.number(rule.component, rule.id), {}, result=False, providers=providers)
    if query is None:
        return
    rows = f"({query})"  # of the providers that the rule is for
    unless = [f"({conditions(flow.structure, {id: codes})}) IS NOT TRUE" for id, codes in detail.unless.items()]
    for id in detail.then if detail.test == "implied" else detail.attributes:
        if id not in known:
            raise InvalidStructure(f"Rule {rule.id}: {flow.structure.ref.text} has no {id!r} at the observation.")
        name = flow.names[id]
        if detail.test == "implied":
            fails = f"({conditions(flow.structure, {id: detail.then[id]})}) IS NOT TRUE"
            expected = ", ".join(detail.then[id])
        else:
            fails, expected = f"{name} IS NULL", ""
        places = grouped(rule, flow, figures, rows, both([fails, *unless]), detail.by, name)
        yield places, {"component": id, **({"expected": expected} if expected else {})}
