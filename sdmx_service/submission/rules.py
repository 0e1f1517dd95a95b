"""Rules applied to a submission: the equalities and comparisons that its figures must keep (docs/rules.md).

Every rule is a few set-based queries over the workspace, whatever the number of rows. What breaks a rule is one group
of findings whose places carry the figures as text: ``total``, ``sum``, ``difference``, ``parts`` for sums; ``left``,
``right``, ``difference``, ``terms`` for comparisons and balances; ``value`` and ``expected`` for all. The rule's own
message, or the kind's, is the template over them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import pyarrow as pa

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.rules import Rule, RuleSet
from sdmx_service.errors import InvalidStructure
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.selection import dataflow_name
from sdmx_service.model.structure import Dataflow
from sdmx_service.model.urn import PartialRef, Ref
from sdmx_service.submission.figures import Figures, Flow, History
from sdmx_service.submission.report import Report
from sdmx_service.submission.rule_rows import equal_codes, wrong_values
from sdmx_service.submission.rule_sums import broken_sums
from sdmx_service.submission.rule_terms import broken_terms
from sdmx_service.submission.workspace import Workspace

__all__ = ["History", "run_rules"]

_MESSAGES: Mapping[str, str] = {
    "sum": "The total {total} is not the sum {sum} of {parts} (difference {difference}).",
    "value": "{value} is not what the rule asks for: {expected}.",
    "same": "{value} stands in more than one of {dimensions}.",
    "compare": "{left} should be {expected} (difference {difference}).",
    "balance": "{terms} makes {left}, but {equals} is {right} (difference {difference}).",
}


def run_rules(
    workspace: Workspace,
    rule_sets: Iterable[RuleSet],
    catalog: Catalog,
    dataflows: Iterable[Dataflow],
    history: History | None,
    complete: Collection[str],
    report: Report,
) -> list[str]:
    """Check the rows of the workspace by all rules that concern a dataflow sent; findings go to the report.

    Args:
        workspace: the rows sent.
        rule_sets: all there are.
        catalog: where structures and code lists are.
        dataflows: those that the rows belong to.
        history: how to read what is stored and shown; None where there is no store.
        complete: dimensions for which the sender claims to list every part.
        report: gets the findings.

    Returns:
        The ids of rules that concern the rows and could not run, for want of a store.

    Raises:
        InvalidStructure: a rule names a component that its structure does not have, or its message cannot be filled in.
    """
    figures = Figures(workspace, catalog, dataflows, history)
    not_run: dict[str, None] = {}
    try:
        sent = figures.sent_flows()
        for rule_set in rule_sets:
            applied = [flow for flow in sent if _applies(rule_set, flow, catalog)]
            for rule in rule_set.rules:
                if not applied and not _touches(rule, sent):
                    continue
                if rule.scope == "result" and not figures.has_history:
                    not_run[rule.id] = None
                    continue
                for places in _broken(rule, applied, figures, complete):
                    if places.num_rows:
                        report.add(_group(rule_set, rule, places))
    finally:
        figures.close()
    return list(not_run)


def _applies(rule_set: RuleSet, flow: Flow, catalog: Catalog) -> bool:
    """The set names the dataflow, in any version that shares its rows, or its structure."""
    versions = [one.ref for one in catalog.of_type("Dataflow") if dataflow_name(one.ref) == flow.name]
    return any(named.matches(ref) for named in rule_set.applies_to for ref in (*versions, flow.structure.ref))


def _touches(rule: Rule, sent: Sequence[Flow]) -> bool:
    """A term of the rule looks at a dataflow sent."""
    terms = (*rule.terms, *([] if rule.equals is None else [rule.equals]))
    return any(_names(term.dataflow, flow.ref) for term in terms for flow in sent)


def _names(named: PartialRef | None, ref: Ref | None) -> bool:
    return named is not None and ref is not None and named.matches(ref)


def _broken(rule: Rule, applied: Sequence[Flow], figures: Figures, complete: Collection[str]) -> Iterator[pa.Table]:
    """The places where the rule does not hold."""
    if rule.kind in ("compare", "balance"):
        yield from broken_terms(rule, applied, figures)
        return
    for flow in applied:
        if rule.kind == "sum":
            yield from broken_sums(rule, flow, figures, complete)
        else:
            yield (wrong_values if rule.kind == "value" else equal_codes)(rule, flow, figures)


def _group(rule_set: RuleSet, rule: Rule, places: pa.Table) -> FindingGroup:
    constants = {}
    if rule.equals is not None:
        constants["equals"] = rule.equals.name or "the figure"
    if rule.dimensions:
        constants["dimensions"] = ", ".join(rule.dimensions)
    return FindingGroup(
        code=rule.id,
        severity=rule.severity,
        template=_template(rule, {**constants, **dict.fromkeys(places.column_names, ""), "key": "", "count": 0}),
        rule=f"{rule_set.id}.{rule.id}",
        constants=constants,
        places=places,
        count=places.num_rows,
    )


def _template(rule: Rule, words: Mapping[str, object]) -> str:
    """The English message of the rule (reports are translated when shown), tried out."""
    found = rule.message.best(("en",))
    template = _MESSAGES[rule.kind] if found is None else found[1]
    try:
        template.format_map(words)
    except (ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
        known = ", ".join(sorted(words))
        raise InvalidStructure(
            f"Rule {rule.id}: the message {template!r} cannot be filled in: {error}.", hint=f"Words here: {known}."
        ) from None
    return template
