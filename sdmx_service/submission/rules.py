"""Rules applied to a submission: the equalities and comparisons that its figures must keep (docs/rules.md).

Every rule is a few set-based queries over the workspace, whatever the number of rows. What breaks a rule is one group
of findings whose places carry the figures as text: ``total``, ``sum``, ``difference``, ``parts`` for sums; ``left``,
``right``, ``difference``, ``terms`` for comparisons and balances; ``value`` and ``expected`` for all. The rule's own
message, or the kind's, is the template over them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

import pyarrow as pa

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.rule_context import Gaps, Outlier, Shift, Swapped
from sdmx_service.catalog.rule_fields import Conditions
from sdmx_service.catalog.rule_kinds import (
    Agree,
    Copied,
    Disclosure,
    Mirror,
    Offset,
    Presence,
    Recoverable,
    Revision,
    Scale,
    Share,
    Subset,
)
from sdmx_service.catalog.rule_slips import Late, Misplaced, Zeros
from sdmx_service.catalog.rules import Rule, RuleSet
from sdmx_service.errors import InvalidStructure
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.structure import Dataflow
from sdmx_service.model.urn import PartialRef, Ref
from sdmx_service.submission.figures import Figures, Flow, History, OwnHistory
from sdmx_service.submission.relations import applies
from sdmx_service.submission.report import Report
from sdmx_service.submission.rule_attributes import lacking_attributes
from sdmx_service.submission.rule_gaps import missing_figures, unmarked_shifts
from sdmx_service.submission.rule_late import late_series
from sdmx_service.submission.rule_misplaced import misplaced_figures
from sdmx_service.submission.rule_odd_periods import odd_periods
from sdmx_service.submission.rule_outliers import standing_out, swapped_figures
from sdmx_service.submission.rule_pairs import disagreeing_totals, mirror_pairs, shifted_series
from sdmx_service.submission.rule_parts import mixed_members, odd_peaks, odd_shares, too_great_parts
from sdmx_service.submission.rule_recovery import disclosed_figures, recoverable_figures
from sdmx_service.submission.rule_revision import revised_figures
from sdmx_service.submission.rule_rows import equal_codes, wrong_values
from sdmx_service.submission.rule_series import (
    broken_changes,
    by_frequency,
    copied_periods,
    unmarked_changes,
    without,
    wrong_scales,
)
from sdmx_service.submission.rule_sums import broken_sums
from sdmx_service.submission.rule_terms import broken_terms
from sdmx_service.submission.rule_zeros import lone_zeros
from sdmx_service.submission.workspace import Workspace

__all__ = ["History", "run_rules"]

_MESSAGES: Mapping[str, str] = {
    "sum": "The total {total} is not the sum {sum} of {parts} (difference {difference}).",
    "value": "{value} is not what the rule asks for: {expected}.",
    "same": "{value} stands in more than one of {dimensions}.",
    "compare": "{left} should be {expected} (difference {difference}).",
    "balance": "{terms} makes {left}, but {equals} is {right} (difference {difference}).",
    "change": "{value} is far from what its series suggests: {usual}.",
    "outlier": "{value} stands out: its series and those beside it suggest {usual}.",
    "swapped": "{value} ({first}) and {other} ({second}) stand in each other's place.",
    "gaps": "A figure is not there although the others of its table are.",
    "shift": "{figures} figures step to {ratio} times the level before, and nothing marks a break.",
    "periods": "{figures} figures are of {value}, and this period is not one that is meant.",
    "zeros": "0 stands between {previous} and {next}.",
    "late": "The series begins twice with {value} and follows those beside it one period late.",
    "misplaced": "{value} and the figures beside it fit the row above or below better than their own.",
    "scale": "{value} is about {factor} times as great or as small as the figure beside it ({usual}).",
    "copied": "{same} of {figures} figures repeat those of the period before.",
    "attribute": "{component} is not as it should be in {figures} figures.",
    "share": "{part} of {total} are {share} %, expected are {expected}.",
    "peak": "The greatest figure stands at {peak}, not at one of {expected}.",
    "subset": "{part} is more than the total {total} that it is part of.",
    "members": "{value} stands beside {members} codes that it contains.",
    "mirror": "{left} from one side, {right} from the other: ratio {ratio}, {class}.",
    "offset": "The series agrees best with the other one {lag} periods {direction} (correlation {correlation}).",
    "revision": "{value} was {previous} before (difference {difference}).",
    "recoverable": "The withheld figure is {recovered}: it follows from {known}.",
    "disclosure": "The withheld figure is {recovered}: it follows from {known} together.",
    "agree": "The same total is told differently: {figures}.",
}
_Places = Iterator[tuple[pa.Table, Mapping[str, str]]]
"""Tables of places, with what is the same for all places of a table."""


def run_rules(
    workspace: Workspace,
    rule_sets: Iterable[RuleSet],
    catalog: Catalog,
    dataflows: Iterable[Dataflow],
    history: History | None,
    complete: Collection[str],
    report: Report,
    own: OwnHistory | None = None,
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
        own: how to read what a provider itself sent before; without it, ``history`` stands for it.

    Returns:
        The ids of rules that concern the rows and compare with what the file does not hold, where there is no store.
        All others run on the file alone, as they would where nothing is stored.

    Raises:
        InvalidStructure: a rule names a component that its structure does not have, or its message cannot be filled in.
    """
    sets = list(rule_sets)
    rules = [rule for one in sets for rule in one.rules]
    followed = [id for rule in rules for id in _followed(rule)]
    figures = Figures(workspace, catalog, dataflows, history, own, _carried(rules, catalog), followed)
    not_run: dict[str, None] = {}
    try:
        sent = figures.sent_flows()
        applying = [[flow for flow in sent if applies(rule_set, flow, catalog)] for rule_set in sets]
        for rule_set, applied in zip(sets, applying, strict=True):
            _note_groups(rule_set, applied, figures)
        for rule_set, applied in zip(sets, applying, strict=True):
            for rule in rule_set.rules:
                if not _concerns(rule, applied, sent):
                    continue
                if rule.scope == "result" and not figures.has_history and _looks_beyond(rule, sent):
                    not_run[rule.id] = None
                for places, constants in _broken(rule, applied, figures, complete):
                    if places.num_rows:
                        report.add(_group(rule_set, rule, places, constants))
    finally:
        figures.close()
    return list(not_run)


def _carried(rules: Sequence[Rule], catalog: Catalog) -> set[str]:
    """The attributes that rules look at beside a figure; components that are none do no harm."""
    found: set[str] = set()
    if any(isinstance(rule.detail, Disclosure) for rule in rules):
        found.update(id for one in catalog.confidentiality.values() for id in (one.status, *one.withheld))
    if any(isinstance(rule.detail, Share | Subset | Disclosure) for rule in rules):
        views = [view for one in catalog.confidentiality.values() for view in one.dataflows.values()]
        found.update(id for view in views if view.rounding or view.rounded for id in view.when)
    for rule in rules:
        detail = rule.detail
        listed: tuple[Conditions, ...] = ()
        if isinstance(detail, Presence):
            found.update(detail.attributes)
            listed = (detail.then, detail.unless)
        elif isinstance(detail, Recoverable):
            listed = (detail.missing,)
        elif isinstance(detail, Revision):
            found.update(detail.unless)
        if detail is not None:
            found.update(rule.when)
        found.update(id for one in listed for id in one)
    return found


def _note_groups(rule_set: RuleSet, applied: Iterable[Flow], figures: Figures) -> None:
    """Tell the table of series which groups of them rules look at, before it is made."""
    for flow in applied:
        groups, coded = figures.groupings.setdefault(flow.name, set()), figures.coded.setdefault(flow.name, [])
        for detail in (rule.detail for rule in rule_set.rules):
            if isinstance(detail, Outlier | Scale | Late):
                groups.update(without(flow, one) for one in detail.beside)
            elif isinstance(detail, Swapped):
                groups.add(without(flow, (detail.dimension,)))
                coded.append(detail.dimension)
            elif isinstance(detail, Copied) and set(detail.by) <= set(flow.structure.dimension_ids):
                groups.add(by_frequency(flow, detail.by))
            elif isinstance(detail, Gaps | Shift | Zeros | Misplaced):
                groups.add(detail.by)


def _followed(rule: Rule) -> tuple[str, ...]:
    """The attributes whose change from period to period the rule looks at."""
    return rule.detail.attributes if isinstance(rule.detail, Presence) and rule.detail.test == "changed" else ()


def _concerns(rule: Rule, applied: Sequence[Flow], sent: Sequence[Flow]) -> bool:
    """The rule is for a dataflow sent, and for a provider who sent it."""
    if not applied and not _touches(rule, sent):
        return False
    return not rule.providers or any(_providers(rule, flow) for flow in sent)


def _providers(rule: Rule, flow: Flow) -> set[str]:
    """The providers of a dataflow sent that a rule is for."""
    found = set() if flow.sent is None else flow.sent.providers
    if not rule.providers:
        return set(found)
    return {one for one in found if any(fnmatchcase(one.rpartition(".")[2], pattern) for pattern in rule.providers)}


def _touches(rule: Rule, sent: Sequence[Flow]) -> bool:
    """A term of the rule looks at a dataflow sent."""
    named = [term.dataflow for term in (*rule.terms, *([] if rule.equals is None else [rule.equals]))]
    if isinstance(rule.detail, Agree):
        named += [source.dataflow for source in rule.detail.figures]
    return any(_names(dataflow, flow.ref) for dataflow in named for flow in sent)


def _looks_beyond(rule: Rule, sent: Sequence[Flow]) -> bool:
    """The rule compares with what the provider sent before, or with a dataflow that was not sent."""
    named = [term.dataflow for term in (*rule.terms, *([] if rule.equals is None else [rule.equals]))]
    if isinstance(rule.detail, Agree):
        named += [source.dataflow for source in rule.detail.figures]
    unsent = any(one is not None and not any(_names(one, flow.ref) for flow in sent) for one in named)
    return unsent or rule.kind == "sum" or isinstance(rule.detail, Offset | Revision)


def _names(named: PartialRef | None, ref: Ref | None) -> bool:
    return named is not None and ref is not None and named.matches(ref)


def _broken(rule: Rule, applied: Sequence[Flow], figures: Figures, complete: Collection[str]) -> _Places:
    """The places where the rule does not hold."""
    if rule.kind in ("compare", "balance"):
        yield from _alike(broken_terms(rule, applied, figures))
        return
    if rule.kind == "agree":
        yield from _alike(disagreeing_totals(rule, applied, figures))
        return
    for flow in applied:
        if rule.kind == "sum":
            yield from _alike(broken_sums(rule, flow, figures, complete))
        elif rule.kind in _OF_ROWS:
            yield _OF_ROWS[rule.kind](rule, flow, figures), {}
        elif providers := _providers(rule, flow):
            yield from _broken_by_provider(rule, flow, figures, providers)


def _broken_by_provider(rule: Rule, flow: Flow, figures: Figures, providers: Collection[str]) -> _Places:
    known = {*flow.structure.key_ids, *figures.carried(flow)}
    if rule.scope == "file" and rule.kind in _ALONG:
        known = set(flow.names)
    if lacking := set(rule.when) - known:
        raise InvalidStructure(
            f"Rule {rule.id}: {flow.structure.ref.text} has no {', '.join(sorted(lacking))} at the observation.",
            hint=f"The conditions of the kind {rule.kind} are on dimensions and attributes of the observation.",
        )
    if isinstance(rule.detail, Mirror):
        yield from mirror_pairs(rule, flow, figures)
    elif isinstance(rule.detail, Presence):
        find = unmarked_changes if rule.detail.test == "changed" else lacking_attributes
        yield from find(rule, flow, figures, providers)
    elif isinstance(rule.detail, Disclosure):
        yield from _alike(disclosed_figures(rule, flow, figures, providers))
    elif isinstance(rule.detail, Recoverable):
        yield from _alike(recoverable_figures(rule, flow, figures, providers))
    else:
        yield _OF_PROVIDERS[rule.kind](rule, flow, figures, providers), {}


def _alike(tables: Iterable[pa.Table]) -> _Places:
    for table in tables:
        yield table, {}


_ALONG = ("share", "peak", "subset", "members", "recoverable", "disclosure")
"""Kinds that with scope *file* read conditions on attributes of any level."""
_OF_ROWS: Mapping[str, Callable[[Rule, Flow, Figures], pa.Table]] = {
    "value": wrong_values,
    "same": equal_codes,
    "periods": odd_periods,
}
_OF_PROVIDERS: Mapping[str, Callable[[Rule, Flow, Figures, Collection[str]], pa.Table]] = {
    "change": broken_changes,
    "outlier": standing_out,
    "swapped": swapped_figures,
    "gaps": missing_figures,
    "shift": unmarked_shifts,
    "zeros": lone_zeros,
    "late": late_series,
    "misplaced": misplaced_figures,
    "scale": wrong_scales,
    "copied": copied_periods,
    "share": odd_shares,
    "peak": odd_peaks,
    "subset": too_great_parts,
    "members": mixed_members,
    "offset": shifted_series,
    "revision": revised_figures,
}


def _group(rule_set: RuleSet, rule: Rule, places: pa.Table, alike: Mapping[str, str]) -> FindingGroup:
    constants = dict(alike)
    if (named := rule.names.best(("en",))) is not None:
        constants["title"] = named[1]
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
