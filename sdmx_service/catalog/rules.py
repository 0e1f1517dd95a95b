"""Rules as data: which equalities and comparisons must hold in a dataflow; see docs/rules.md.

Kinds: ``sum`` (a total and its parts along one dimension), ``value`` (range of a measure), ``compare`` (one figure
against another), ``balance`` (a signed sum of figures equals another, periods may be shifted), ``same`` (two
dimensions with the same code); the others stand in ``rule_kinds``. Scope ``file`` looks at the rows sent, ``result``
at stored plus sent rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sdmx_service.catalog.documents import Node
from sdmx_service.catalog.rule_fields import conditions
from sdmx_service.catalog.rule_kinds import READERS, Detail
from sdmx_service.model.artefact import Texts
from sdmx_service.model.finding import Severity
from sdmx_service.model.urn import PartialRef, parse_ref

LEAVES = "leaves"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A figure: a dataflow, fixed codes, a sign, and a shift in periods."""

    name: str = ""
    sign: float = 1.0
    dataflow: PartialRef | None = None
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    shift: int = 0
    missing: float | None = None
    component: str = "OBS_VALUE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule; which fields count depends on ``kind``."""

    id: str
    kind: str
    severity: Severity
    scope: str
    names: Texts
    message: Texts
    component: str = "OBS_VALUE"
    tolerance: float = 0.0
    tolerance_share: float = 0.0
    """For comparisons and balances: the tolerance as a share of the greater side; the greater tolerance counts."""
    providers: tuple[str, ...] = ()
    """Patterns of provider ids (``NSO_*``) whose data the rule is for; none: everyone's."""
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dimension: str = ""
    total: str = ""
    partitions: tuple[tuple[str, ...], ...] = ()
    """For sums: alternative lists of required parts; ``("leaves",)`` = every code without children."""
    optional: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    requires_complete: bool = False
    terms: tuple[Term, ...] = ()
    equals: Term | None = None
    operator: str = "eq"
    by: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    integer: bool = False
    dimensions: tuple[str, ...] = ()
    detail: Detail | None = None
    """What a rule of a kind of ``rule_kinds`` says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """Rules that belong to some dataflows (or to all dataflows of a structure)."""

    id: str
    applies_to: tuple[PartialRef, ...]
    rules: tuple[Rule, ...]
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


_KINDS = ("sum", "value", "compare", "balance", "same", *READERS)


def read_rules(document: Mapping[str, Any], place: str) -> RuleSet:
    """The rule set of a JSON document.

    Raises:
        InvalidStructure: something is missing, misspelt or of the wrong type, with its place.
    """
    node = Node(document, place)
    rules = RuleSet(
        id=node.at("id").text(),
        applies_to=tuple(parse_ref(text) for text in node.at("applies_to").texts()),
        rules=node.at("rules").each(_rule),
        document=document,
    )
    node.at("notes")
    node.done()
    return rules


def _rule(node: Node) -> Rule:
    kind = node.at("kind").text()
    if kind not in _KINDS:
        raise node.at("kind").fault(f"one of {', '.join(_KINDS)} is needed here, not {kind!r}.")
    rule = Rule(
        id=node.at("id").text(),
        kind=kind,
        severity=Severity(node.at("severity").choice("error", "warning", "info")),
        scope=node.at("scope").choice("file", "result"),
        names=Texts(node.at("names").words()),
        message=Texts(node.at("message").words()),
        component=node.at("component").text_or_none() or "OBS_VALUE",
        tolerance=node.at("tolerance").decimal(0.0),
        tolerance_share=node.at("tolerance_share").decimal(0.0),
        providers=node.at("providers").texts(),
        when=conditions(node.at("when")),
    )
    rule = replace(rule, detail=READERS[kind](node)) if kind in READERS else _with_fields(rule, node)
    for name in ("notes", "basis", "status"):
        node.at(name)
    node.done()
    if kind not in READERS:
        _check(rule, node)
    return rule


def _with_fields(rule: Rule, node: Node) -> Rule:
    """The fields of the kinds ``sum``, ``value``, ``compare``, ``balance`` and ``same``."""
    left, right = node.at("left"), node.at("right")
    terms = node.at("terms").each(_term)
    if left.value is not None:
        terms = (_term(left),)
    equals = node.at("equals") if right.value is None else right
    for name in ("minimum", "maximum"):
        node.at(name)
    return replace(
        rule,
        dimension=node.at("dimension").text_or_none() or "",
        total=node.at("total").text_or_none() or "",
        partitions=_partitions(node),
        optional=node.at("optional").texts(),
        excluded=node.at("except").texts(),
        requires_complete=node.at("requires").choice("", "complete") == "complete",
        terms=terms,
        equals=None if equals.value is None else _term(equals),
        operator=node.at("operator").choice("eq", "le", "ge", "lt", "gt"),
        by=node.at("by").texts(),
        minimum=node.at("minimum").decimal(0.0) if node.has("minimum") else None,
        maximum=node.at("maximum").decimal(0.0) if node.has("maximum") else None,
        integer=node.at("integer").flag(),
        dimensions=node.at("dimensions").texts(),
    )


def _check(rule: Rule, node: Node) -> None:
    """A rule has what its kind needs."""
    needs: dict[str, dict[str, object]] = {
        "sum": {"dimension": rule.dimension, "total": rule.total, "parts or partitions": rule.partitions},
        "value": {"minimum, maximum or integer": (rule.minimum, rule.maximum, rule.integer) != (None, None, False)},
        "compare": {"left": rule.terms, "right": rule.equals},
        "balance": {"terms": rule.terms, "equals": rule.equals},
        "same": {"at least two dimensions": len(rule.dimensions) > 1},
    }
    if lacking := [name for name, value in needs[rule.kind].items() if not value]:
        raise node.fault(f"a rule of kind {rule.kind} needs {', '.join(lacking)}.")


def _partitions(node: Node) -> tuple[tuple[str, ...], ...]:
    if node.has("partitions"):
        node.at("parts")
        return tuple(member.texts() for member in node.at("partitions").items())
    node.at("partitions")
    parts = node.at("parts").texts()
    return (parts,) if parts else ()


def _term(node: Node) -> Term:
    dataflow = node.at("dataflow").text_or_none()
    term = Term(
        name=node.at("name").text_or_none() or "",
        sign=node.at("sign").decimal(1.0),
        dataflow=None if dataflow is None else parse_ref(dataflow, "Dataflow"),
        where=conditions(node.at("where")),
        shift=node.at("shift").number_or_none() or 0,
        missing=node.at("missing").decimal(0.0) if node.has("missing") else None,
        component=node.at("component").text_or_none() or "OBS_VALUE",
    )
    node.at("missing")
    node.done()
    return term
