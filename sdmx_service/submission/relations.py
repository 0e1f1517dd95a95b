"""Which sums a reader of a dataflow knows to hold: those of its rules, and those of its code lists and hierarchies.

A sum runs along one dimension (a total and its parts), or over a few named figures (a balance). Sums of rules count
where all the parts that they require are there. Sums of code lists and hierarchies are only supposed: they count if
they hold wherever all their figures are told, at least once; else their parts are at most the total, if that holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.rule_kinds import Recoverable
from sdmx_service.catalog.rules import LEAVES, Rule, RuleSet
from sdmx_service.errors import SdmxError
from sdmx_service.model.items import Code, HierarchicalCode, Hierarchy
from sdmx_service.model.selection import dataflow_name
from sdmx_service.model.structure import DataStructure
from sdmx_service.submission.figures import Flow

_NAMED = 4
Conditions = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A kind of sum.

    Attributes:
        name: in words.
        when: conditions on the figures.
        dimension, total, required, optional: a total along a dimension and its parts.
        terms: or figures by their codes, with factors whose weighted sum is 0.
        is_equal: the parts make the total; else they are at most the total.
        is_supposed: it counts only if the figures that are told bear it out.
        is_plain: a rule of kind *recoverable* reports what it gives away by itself.
        tolerance: by how much a supposed sum may miss where all its figures are told.
    """

    name: str
    when: Conditions = field(default_factory=dict)
    dimension: str = ""
    total: str = ""
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    terms: tuple[tuple[Conditions, float], ...] = ()
    is_equal: bool = True
    is_supposed: bool = False
    is_plain: bool = False
    tolerance: float = 0.0


def applies(rule_set: RuleSet, flow: Flow, catalog: Catalog) -> bool:
    """The set names the dataflow, in any version that shares its rows, or its structure."""
    versions = [one.ref for one in catalog.of_type("Dataflow") if dataflow_name(one.ref) == flow.name]
    return any(named.matches(ref) for named in rule_set.applies_to for ref in (*versions, flow.structure.ref))


def applied_rules(flow: Flow, catalog: Catalog) -> list[Rule]:
    """The rules of a dataflow."""
    return [rule for one in catalog.rule_sets.values() if applies(one, flow, catalog) for rule in one.rules]


def counts(rules: Iterable[Rule], component: str) -> list[Conditions]:
    """The conditions under which figures of a component cannot be below 0, as rules of kind *value* say."""
    known = (one for one in rules if one.kind == "value" and one.component == component)
    return [one.when for one in known if one.minimum is not None and one.minimum >= 0]


def relations(
    flow: Flow, rules: Iterable[Rule], catalog: Catalog, occurring: Mapping[str, frozenset[str]]
) -> list[Relation]:
    """The sums of a dataflow, each once.

    Args:
        rules: those that apply to the dataflow.
        occurring: dimension -> the codes that occur; a hierarchy is about these.
    """
    found: dict[Any, Relation] = {}
    for rule in rules:
        for one in _of_rule(rule, flow, catalog):
            known = found.get(_key(one))
            if known is None or (one.is_plain and not known.is_plain):
                found[_key(one)] = one
    for one in _of_lists(flow.structure, catalog, occurring):
        if not any(_key(one)[:3] == known[:3] for known in found):
            found.setdefault(_key(one), one)
    return [one for one in found.values() if _occurs(one, occurring)]


def _occurs(one: Relation, occurring: Mapping[str, frozenset[str]]) -> bool:
    """The figures that the sum needs may be there."""
    needed = [*one.when.items(), *(pair for where, _ in one.terms for pair in where.items())]
    needed += [(one.dimension, (code,)) for code in (one.total, *one.required) if one.dimension]
    return all(id not in occurring or not occurring[id].isdisjoint(codes) for id, codes in needed)


def _key(one: Relation) -> tuple[Any, ...]:
    """What makes two sums one."""
    terms = tuple(sorted((tuple(sorted(where.items())), factor) for where, factor in one.terms))
    return (one.dimension, one.total, one.required, terms, tuple(sorted(one.when.items())), one.is_equal)


def _name(dimension: str, total: str, parts: Iterable[str]) -> str:
    listed = list(parts)
    shown = " + ".join(listed[:_NAMED]) + (f" + {len(listed) - _NAMED} more" if len(listed) > _NAMED else "")
    return f"{dimension} {total} = {shown}"


def _of_rule(rule: Rule, flow: Flow, catalog: Catalog) -> Iterator[Relation]:
    if rule.kind == "sum" and rule.dimension in flow.structure.dimension_ids:
        yield from _of_sum(rule, flow, catalog)
    elif isinstance(rule.detail, Recoverable):
        yield from _of_recoverable(rule, rule.detail)
    elif rule.kind == "balance" and rule.equals is not None:
        every = (*rule.terms, rule.equals)
        here = all(one.dataflow is None or (flow.ref is not None and one.dataflow.matches(flow.ref)) for one in every)
        if here and not any(one.shift for one in every) and all(one.component == rule.component for one in every):
            terms = [(one.where, one.sign) for one in rule.terms] + [(rule.equals.where, -rule.equals.sign)]
            name = " ".join(f"{'+' if sign > 0 else '-'} {_codes(where)}" for where, sign in terms)
            yield Relation(name=f"0 = {name}", when=rule.when, terms=tuple(terms), tolerance=rule.tolerance)


def _codes(where: Conditions) -> str:
    return "/".join("+".join(codes) for codes in where.values())


def _of_sum(rule: Rule, flow: Flow, catalog: Catalog) -> Iterator[Relation]:
    excluded = {rule.total, *rule.excluded}
    for partition in rule.partitions:
        parts = _leaves(rule, flow, catalog) if partition == (LEAVES,) else partition
        parts = tuple(part for part in parts if part not in excluded)
        optional = tuple(part for part in rule.optional if part not in excluded)
        if not parts:
            continue
        whole = rule.requires_complete
        yield Relation(
            name=_name(rule.dimension, rule.total, parts),
            when=rule.when,
            dimension=rule.dimension,
            total=rule.total,
            required=() if whole else parts,
            optional=tuple(dict.fromkeys((*parts, *optional))) if whole else optional,
            is_supposed=whole,
            tolerance=rule.tolerance,
        )


def _leaves(rule: Rule, flow: Flow, catalog: Catalog) -> tuple[str, ...]:
    component = flow.structure.component(rule.dimension)
    items = catalog.codes(component) if component is not None else None
    parents = {getattr(item, "parent", None) for item in (items or {}).values()}
    return tuple(code for code in items or () if code not in parents)


def _of_recoverable(rule: Rule, detail: Recoverable) -> Iterator[Relation]:
    if detail.terms:
        terms = tuple((one.where, one.sign) for one in detail.terms)
        name = " ".join(f"{'+' if sign > 0 else '-'} {_codes(where)}" for where, sign in terms)
        yield Relation(name=f"0 = {name}", when=rule.when, terms=terms, is_plain=True)
    for parts in detail.partitions:
        yield Relation(
            name=_name(detail.dimension, detail.total, parts),
            when=rule.when,
            dimension=detail.dimension,
            total=detail.total,
            required=tuple(parts),
            optional=detail.optional,
            is_plain=True,
        )


# --- code lists and hierarchies --------------------------------------------------------------------------------------


def _of_lists(
    structure: DataStructure, catalog: Catalog, occurring: Mapping[str, frozenset[str]]
) -> Iterator[Relation]:
    for dimension in structure.dimensions:
        codes = occurring.get(dimension.id, frozenset())
        enumeration = dimension.form.enumeration
        if len(codes) < 3 or enumeration is None:
            continue
        for parent, children in _families(enumeration.id, enumeration.agency, catalog, dimension).items():
            parts = tuple(code for code in children if code in codes)
            if parent in codes and len(parts) > 1:
                yield Relation(
                    name=_name(dimension.id, parent, parts),
                    dimension=dimension.id,
                    total=parent,
                    required=parts,
                    is_supposed=True,
                )


def _families(id: str, agency: str, catalog: Catalog, dimension: Any) -> dict[str, tuple[str, ...]]:
    """Code -> the codes right below it, in the list itself and in the hierarchies over it; the first that says so."""
    found: dict[str, dict[str, None]] = {}
    try:
        items = catalog.codes(dimension) or {}
    except SdmxError:  # the list is not here
        return {}
    for code, item in items.items():
        if isinstance(item, Code) and item.parent is not None:
            found.setdefault(item.parent, {})[code] = None

    def walk(nodes: tuple[HierarchicalCode, ...]) -> None:
        for node in nodes:
            if node.items and node.code.item is not None and (node.code.agency, node.code.id) == (agency, id):
                inner = {one.code.item: None for one in node.items if one.code.item is not None}
                found.setdefault(node.code.item, inner)
            walk(node.items)

    for artefact in catalog.of_type("Hierarchy"):
        if isinstance(artefact, Hierarchy):
            walk(artefact.items)
    return {parent: tuple(children) for parent, children in found.items()}
