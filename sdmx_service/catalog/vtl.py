"""Rules as VTL 2.1: rulesets, and the statements that check with them, as SDMX artefacts (docs/rules.md, *VTL*).

A rule set becomes a ``RulesetScheme`` and a ``TransformationScheme``. The data set that is checked is called ``DS``, a
dataflow that a rule names itself by its id. What VTL cannot say, or what is not in the data that VTL sees (who sent
them, what was sent before, what the sender claims), is left to the rule engine; ``why_not`` tells the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sdmx_service.catalog.rule_fields import Conditions
from sdmx_service.catalog.rule_kinds import Presence, Subset
from sdmx_service.catalog.rules import LEAVES, Rule, RuleSet, Term
from sdmx_service.model.artefact import ItemScheme, Texts
from sdmx_service.model.transformation import (
    Ruleset,
    RulesetScheme,
    Transformation,
    TransformationScheme,
    VtlMapping,
    VtlMappingScheme,
)
from sdmx_service.model.urn import Ref

DATASET = "DS"
"""The name of the data set that is checked."""
VERSION = "2.1"
"""The version of VTL."""
_REASONS: Mapping[str, str] = {
    "change": "it compares neighbours in time over gaps, and with means of whole series",
    "outlier": "it needs medians of series and of the series beside them",
    "swapped": "it needs medians of series and of the series beside them",
    "scale": "it needs the median of a series",
    "gaps": "it is about figures that are not there",
    "shift": "it needs medians over a table",
    "periods": "it compares with today, and counts figures per period",
    "zeros": "it needs the neighbours in time over gaps, and counts over a table",
    "late": "it needs medians of the series beside a series",
    "misplaced": "it needs the order of the sender's rows",
    "copied": "it counts repeated figures of a table, neighbours in time over gaps",
    "share": "it looks at shares above a size of either figure",
    "peak": "it looks for the code with the greatest figure",
    "members": "it needs the hierarchy of a code list",
    "mirror": "it swaps two dimensions and sorts into classes",
    "offset": "it compares with what was sent before, at several lags",
    "revision": "it compares with what was sent before",
    "recoverable": "it is about withheld figures",
    "disclosure": "it is about withheld figures",
    "agree": "it takes whichever of several tables there are",
}


@dataclass(slots=True, kw_only=True)
class Written:
    """What a rule set becomes."""

    rulesets: list[Ruleset] = field(default_factory=list)
    transformations: list[Transformation] = field(default_factory=list)
    not_written: dict[str, str] = field(default_factory=dict)
    """Rule (id and number) -> why it has no VTL."""


def why_not(rule: Rule) -> str | None:
    """Why a rule has no VTL; None if it has."""
    if rule.providers:
        return "it is for some providers, and data do not say who sent them"
    if rule.requires_complete or (LEAVES,) in rule.partitions:
        return "it holds where the sender claims to list every part"
    if rule.kind == "attribute":
        is_implied = isinstance(rule.detail, Presence) and rule.detail.test == "implied"
        return None if is_implied else "it follows an attribute through time, or asks for one per group of figures"
    if any(term.missing is not None for term in _terms(rule)):
        return "a figure of it may be absent"
    return _REASONS.get(rule.kind)


def _terms(rule: Rule) -> tuple[Term, ...]:
    return (*rule.terms, *([] if rule.equals is None else [rule.equals]))


def written(rules: RuleSet) -> Written:
    """The rule set in VTL."""
    made = Written()
    numbers: dict[str, int] = {}
    for rule in rules.rules:
        numbers[rule.id] = numbers.get(rule.id, 0) + 1
        name = f"{rule.id}_{numbers[rule.id]}"
        reason = why_not(rule)
        if reason is None:
            _Rule(rule=rule, name=name, made=made).write()
        else:
            made.not_written[name] = reason
    return made


def schemes(rules: RuleSet, version: str = "1.0.0") -> tuple[ItemScheme[Any], ...]:
    """The rule set as artefacts of the agency that it is about: rulesets, what the names mean, and statements.

    Nothing if no rule of the set can be said in VTL.
    """
    made = written(rules)
    if not made.transformations:
        return ()
    agency = next(one.agency for one in rules.applies_to if one.agency)
    names = Texts({"en": f"Rules {rules.id} in VTL", "fr": f"Règles {rules.id} en VTL"})
    frame: dict[str, Any] = {"id": rules.id, "agency": agency, "version": version, "names": names}
    ref: dict[str, Any] = {"agency": agency, "id": rules.id, "version": version}
    dataflows = sorted({term.dataflow for rule in rules.rules for term in _terms(rule) if term.dataflow}, key=str)
    aliases = tuple(
        VtlMapping(
            id=str(one.id),
            names=Texts({"en": str(one.id)}),
            alias=str(one.id),
            mapped=Ref(type="Dataflow", agency=one.agency or agency, id=str(one.id), version=_LATE),
        )
        for one in dataflows
    )
    mapping = VtlMappingScheme(**frame, items=aliases)
    named = Ref(type="VtlMappingScheme", **ref) if aliases else None
    rulesets = RulesetScheme(**frame, vtl_version=VERSION, items=tuple(made.rulesets), mapping_scheme=named)
    statements = TransformationScheme(
        **frame,
        vtl_version=VERSION,
        items=tuple(made.transformations),
        mapping_scheme=named,
        ruleset_schemes=(Ref(type="RulesetScheme", **ref),) if made.rulesets else (),
    )
    return (*((mapping,) if aliases else ()), *((rulesets,) if made.rulesets else ()), statements)


_LATE = "1.0+.0"
"""Dataflows are named in their latest minor version, as everything in the content is."""


@dataclass(slots=True, kw_only=True)
class _Rule:
    """One rule being written; its data sets are called after it."""

    rule: Rule
    name: str
    made: Written

    def write(self) -> None:
        {"value": self._value, "same": self._same, "sum": self._sum, "subset": self._subset, "compare": self._compare,
         "balance": self._compare, "attribute": self._implied}[self.rule.kind]()  # fmt: skip

    # --- pieces ------------------------------------------------------------------------------------------------
    def _transform(self, result: str, expression: str) -> str:
        names = self.rule.names
        self.made.transformations.append(Transformation(id=result, names=names, result=result, expression=expression))
        return result

    def _ruleset(self, kind: str, head: str, body: Sequence[str]) -> str:
        id = f"{'DPR' if kind == 'datapoint' else 'HR'}_{self.name}"
        text = f"define {kind} ruleset {id} ({head}) is {'; '.join(body)} end {kind} ruleset"
        self.made.rulesets.append(Ruleset(id=id, names=self.rule.names, definition=text, kind=kind, scope="variable"))
        return id

    @property
    def _error(self) -> str:
        return f"errorcode {_quoted(self.rule.id)} errorlevel {_quoted(self.rule.severity.value)}"

    def _base(self, dataset: str = DATASET, where: Conditions | None = None) -> str:
        """The figures that the rule looks at, of one data set."""
        tests = [_member(id, codes) for id, codes in {**self.rule.when, **(where or {})}.items()]
        filter = " and ".join([*tests, f"not isnull({self.rule.component})"])  # noqa: A001
        return f"{dataset}[filter {filter}][keep {self.rule.component}]"

    # --- kinds -------------------------------------------------------------------------------------------------
    def _datapoint(self, condition: Sequence[str], then: str, variables: Sequence[str]) -> None:
        test = f"when {' and '.join(condition)} then {then}" if condition else then
        ruleset = self._ruleset(
            "datapoint", f"variable {', '.join(dict.fromkeys(variables))}", [f"{self.rule.id} : {test} {self._error}"]
        )
        self._transform(f"{self.name}_R", f"check_datapoint({DATASET}, {ruleset} invalid)")

    def _value(self) -> None:
        rule, figure = self.rule, self.rule.component
        tests = [f"{figure} >= {rule.minimum!r}"] if rule.minimum is not None else []
        tests += [f"{figure} <= {rule.maximum!r}"] if rule.maximum is not None else []
        tests += [f"{figure} = trunc({figure}, 0)"] if rule.integer else []
        self._datapoint([*self._when(), f"not isnull({figure})"], " and ".join(tests), [*rule.when, figure])

    def _when(self) -> list[str]:
        return [_member(id, codes) for id, codes in self.rule.when.items()]

    def _same(self) -> None:
        first, *others = self.rule.dimensions
        condition = [*self._when(), *([f"not ({_member(first, self.rule.excluded)})"] if self.rule.excluded else [])]
        if self.rule.minimum is not None:
            condition.append(f"{self.rule.component} >= {self.rule.minimum!r}")
        then = " or ".join(f"{first} <> {other}" for other in others)
        extra = [self.rule.component] if self.rule.minimum is not None else []
        self._datapoint(condition, then, [*self.rule.when, *self.rule.dimensions, *extra])

    def _implied(self) -> None:
        detail = self.rule.detail
        assert isinstance(detail, Presence)
        condition = [*self._when(), *(f"not ({_member(id, codes)})" for id, codes in detail.unless.items())]
        then = " and ".join(_member(id, codes) for id, codes in detail.then.items())
        self._datapoint(condition, then, [*self.rule.when, *detail.unless, *detail.then])

    def _sum(self) -> None:
        if not self.rule.optional and not self.rule.tolerance:
            self._hierarchy()
            return
        base = self._transform(f"{self.name}_B", self._base())
        dimension = self.rule.dimension
        total = self._transform(f"{self.name}_T", f"{base}[sub {dimension} = {_quoted(self.rule.total)}]")
        for number, parts in enumerate(self.rule.partitions, 1):
            needed, every = f"{self.name}_Q{number}", f"{self.name}_P{number}"
            self._transform(
                needed,
                f"sum({base}[filter {_member(dimension, parts)}] group except {dimension}"
                f" having count() = {len(set(parts))})",
            )
            listed = dict.fromkeys((*parts, *self.rule.optional))
            self._transform(every, f"sum({base}[filter {_member(dimension, tuple(listed))}] group except {dimension})")
            test = f"{total} + 0 * {needed} = {every}"
            if self.rule.tolerance:
                test = f"abs({total} + 0 * {needed} - {every}) <= {self.rule.tolerance!r}"
            self._transform(
                f"{self.name}_R{number}", f"check({test} {self._error} imbalance {total} - {every} invalid)"
            )

    def _hierarchy(self) -> None:
        """All parts are asked for: a hierarchical ruleset, silent where one of them is not there."""
        rules = [
            f"R{number} : {_name(self.rule.total)} = {' + '.join(map(_name, parts))} {self._error}"
            for number, parts in enumerate(self.rule.partitions, 1)
        ]
        ruleset = self._ruleset("hierarchical", f"variable rule {self.rule.dimension}", rules)
        base = self._transform(f"{self.name}_B", self._base())
        self._transform(
            f"{self.name}_R", f"check_hierarchy({base}, {ruleset} rule {self.rule.dimension} non_null invalid)"
        )

    def _subset(self) -> None:
        detail = self.rule.detail
        assert isinstance(detail, Subset)
        base = self._transform(f"{self.name}_B", self._base())
        total = self._transform(f"{self.name}_T", f"{base}[sub {detail.dimension} = {_quoted(detail.total)}]")
        others = f"not ({_member(detail.dimension, (detail.total, *detail.excluded))})"
        part = self._transform(f"{self.name}_P", f"{base}[filter {others}]")
        slack = f" + {self.rule.tolerance!r}" if self.rule.tolerance else ""
        self._transform(
            f"{self.name}_R", f"check({part} <= {total}{slack} {self._error} imbalance {part} - {total} invalid)"
        )

    def _compare(self) -> None:
        """Signed figures on the left against one on the right."""
        figures = [self._figure(number, term) for number, term in enumerate(_terms(self.rule))]
        *left_terms, right_term = zip(_terms(self.rule), figures, strict=True)
        left = self._transform(f"{self.name}_L", _signed(left_terms))
        right = self._transform(f"{self.name}_E", _signed([right_term]))
        self._transform(
            f"{self.name}_R", f"check({self._test(left, right)} {self._error} imbalance {left} - {right} invalid)"
        )

    def _test(self, left: str, right: str) -> str:
        rule = self.rule
        operator = {"eq": "=", "le": "<=", "ge": ">=", "lt": "<", "gt": ">"}[rule.operator]
        if rule.operator != "eq" or not (rule.tolerance or rule.tolerance_share):
            return f"{left} {operator} {right}"
        tests = [f"abs({left} - {right}) <= {rule.tolerance!r}"]
        if rule.tolerance_share:
            tests += [f"abs({left} - {right}) <= {rule.tolerance_share!r} * abs({side})" for side in (left, right)]
        return " or ".join(tests)

    def _figure(self, number: int, term: Term) -> str:
        """One figure per key: the codes of ``where``, added up where there are several."""
        dataset = DATASET if term.dataflow is None else str(term.dataflow.id)
        result = f"{self.name}_F{number}"
        single = {id: codes[0] for id, codes in term.where.items() if len(codes) == 1}
        several = {id: codes for id, codes in term.where.items() if len(codes) > 1}
        base = self._base(dataset, several)
        if single:
            base += f"[sub {', '.join(f'{id} = {_quoted(code)}' for id, code in single.items())}]"
        if several:
            count = 1
            for codes in several.values():
                count *= len(set(codes))
            base = f"sum({base} group except {', '.join(several)} having count() = {count})"
        if term.shift:
            base = f"timeshift({base}, {-term.shift})"
        return self._transform(result, base)


def _signed(terms: Sequence[tuple[Term, str]]) -> str:
    pieces: list[str] = []
    for term, name in terms:
        factor = "" if abs(term.sign) == 1 else f"{abs(term.sign)!r} * "
        sign = " - " if term.sign < 0 else " + "
        pieces.append(f"{sign}{factor}{name}" if pieces else f"{'- ' if term.sign < 0 else ''}{factor}{name}")
    return "".join(pieces)


def _member(id: str, codes: Sequence[str]) -> str:
    return f"{id} = {_quoted(codes[0])}" if len(codes) == 1 else f"{id} in {{{', '.join(map(_quoted, codes))}}}"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _name(code: str) -> str:
    """A code as a VTL name: quoted, since codes may begin with a digit or an underscore."""
    return f"'{code}'"


def lines(made: Written) -> Iterator[str]:
    """The script: definitions first, then the statements."""
    yield from (f"{one.definition};" for one in made.rulesets)
    yield from (f"{one.result} := {one.expression};" for one in made.transformations)
