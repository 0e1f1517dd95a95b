"""Rules of kind *sum*: a total along one dimension equals the sum of its parts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.rules import LEAVES, Rule
from sdmx_service.errors import InvalidStructure
from sdmx_service.storage.quoting import literal, member
from sdmx_service.submission.figures import Figures, Flow
from sdmx_service.submission.rounding import Halves
from sdmx_service.submission.workspace import IN_ORDER, ORIGIN, PLACE, key_columns

_NAMED_PARTS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sum:
    """One way to add up: parts that must be there, parts that may be."""

    required: tuple[str, ...]
    optional: tuple[str, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.required, *self.optional)))


def broken_sums(rule: Rule, flow: Flow, figures: Figures, complete: Collection[str]) -> Iterator[pa.Table]:
    """The totals that are not the sum of their parts, one table per partition.

    Where the total, a required part or an optional part that is there has no value (suppressed, missing), nothing is
    said. With ``requires: complete`` parts that are not there count as nothing. Figures whose rounding is declared may
    be off by half its base, each.

    Raises:
        InvalidStructure: the rule names a dimension or component that the structure does not have.
    """
    if rule.dimension not in flow.structure.dimension_ids:
        raise InvalidStructure(f"Rule {rule.id}: {flow.structure.ref.text} has no dimension {rule.dimension!r}.")
    if rule.requires_complete and rule.dimension not in complete:
        return
    result = rule.scope == "result"
    column = flow.number(rule.component, rule.id)
    near = _near(flow, rule.dimension) if result else None
    halves = Halves.of(flow, column.id, figures.catalog)
    for way in _ways(rule, flow, figures.catalog, result):
        where: Mapping[str, Collection[str]] = {**rule.when, rule.dimension: (rule.total, *way.parts)}
        query = figures.select(flow, column, where, result=result, near=near, more=tuple(halves.when))
        if query is None:
            continue
        fixed = {} if result or flow.sent is None else flow.sent.fixed()
        yield figures.workspace.places(_broken(rule, flow, way, query, fixed, halves.each(flow)), flow.structure)


def _near(flow: Flow, dimension: str) -> dict[str, Collection[str]]:
    """Stored rows are needed only beside sent ones."""
    known = {} if flow.sent is None else flow.sent.values
    return {id: codes for id, codes in known.items() if id != dimension and codes is not None}


def _ways(rule: Rule, flow: Flow, catalog: Catalog, result: bool) -> Iterator[_Sum]:
    """The ways to add up that can say something about the rows at hand."""
    excluded = {rule.total, *rule.excluded}
    for partition in rule.partitions:
        parts = _leaves(rule, flow, catalog) if partition == (LEAVES,) else partition
        parts = tuple(part for part in parts if part not in excluded)
        optional = tuple(part for part in rule.optional if part not in excluded)
        way = _Sum(required=parts, optional=optional)
        if rule.requires_complete:
            way = _Sum(required=(), optional=way.parts)
        if parts and (result or _is_possible(rule, flow, way)):
            yield way


def _is_possible(rule: Rule, flow: Flow, way: _Sum) -> bool:
    sent = flow.sent
    return sent is not None and all(sent.may_have(rule.dimension, (code,)) for code in (rule.total, *way.required))


def _leaves(rule: Rule, flow: Flow, catalog: Catalog) -> tuple[str, ...]:
    """The codes of the dimension's list that are no other code's parent."""
    component = flow.structure.component(rule.dimension)
    items = catalog.codes(component) if component is not None else None
    if items is None:
        raise InvalidStructure(f"Rule {rule.id}: {rule.dimension} has no code list whose leaves could be added up.")
    parents = {getattr(item, "parent", None) for item in items.values()}
    return tuple(code for code in items if code not in parents)


def _broken(rule: Rule, flow: Flow, way: _Sum, query: str, fixed: Mapping[str, str], half: str) -> str:
    names = flow.names
    dimension = names[rule.dimension]
    varying = [names[id] for id in flow.structure.key_ids if id != rule.dimension and id not in fixed]
    group = ", ".join([*varying, "_provider"])
    total = f"{dimension} = {literal(rule.total)}"
    required = f"count(_value) FILTER ({member(dimension, way.required)})" if way.required else "0"
    key = {id: literal(fixed[id]) if id in fixed else names[id] for id in flow.structure.key_ids}
    key[rule.dimension] = literal(rule.total)
    origin = ("_row", *ORIGIN)
    first = ", ".join(f"coalesce(max({name}) FILTER ({total}), arg_min({name}, _row)) AS {name}" for name in origin)
    return f"""
        WITH figures AS ({query}),
        sums AS (SELECT {group}, {first}, max(_value) FILTER ({total}) AS total,
                        sum(_value) FILTER (NOT {total}) AS parts, {_parts_text(dimension, way)} AS named
                 FROM figures GROUP BY {group}
                 HAVING total IS NOT NULL AND bool_or(_sent) AND {required} = {len(set(way.required))}
                    AND count(*) FILTER (NOT {total}) > 0 AND count(*) FILTER (NOT {total} AND _value IS NULL) = 0
                    AND abs(total - parts) > {rule.tolerance!r} + sum({half}) + 1e-9 * greatest(1, abs(total)))
        SELECT {PLACE}, plain(total) AS value, plain(parts) AS expected,
               {key_columns(flow.structure, key)}, plain(total) AS total, plain(parts) AS sum,
               plain(total - parts) AS difference, named AS parts
        FROM sums ORDER BY {IN_ORDER}"""


def _parts_text(dimension: str, way: _Sum) -> str:
    """An expression for the parts in words: a few by name, many by their count."""
    if len(way.parts) > _NAMED_PARTS:
        head = _span(way.required)
        return f"count(*) FILTER ({member(dimension, way.parts)}) || {literal(' parts' + head)}"
    optional = [f"CASE WHEN bool_or({dimension} = {literal(code)}) THEN {literal(code)} END" for code in way.optional]
    required = [literal(code) for code in way.required]
    return f"concat_ws(' + ', {', '.join([*required, *optional])})"


def _span(codes: Sequence[str]) -> str:
    return f" ({codes[0]} ... {codes[-1]})" if len(codes) > 1 else ""
