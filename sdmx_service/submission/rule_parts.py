"""Rules about the codes along one dimension: *share*, *peak*, *subset* and *members*.

Each provider's figures are looked at by themselves; with scope *result* what the provider sent before counts too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pyarrow as pa

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.rule_kinds import Members, Peak, Share, Subset
from sdmx_service.catalog.rules import Rule
from sdmx_service.errors import InvalidStructure
from sdmx_service.storage.quoting import both, either, literal, member
from sdmx_service.submission.figures import Figures, Flow
from sdmx_service.submission.rounding import Halves
from sdmx_service.submission.workspace import IN_ORDER, ORIGIN, PLACE, first_origin, key_columns

_SLACK = "1e-9"
"""Sums of decimals are off by less, as a share of the figures."""
_APART = (
    "CASE WHEN p._half = t._half THEN 0.0"
    f" ELSE p._half + t._half + {_SLACK} * greatest(1, abs(p._value), abs(t._value)) END"
)
"""By how much a part ``p`` may be more than its total ``t`` since one of them is rounded."""


def odd_shares(rule: Rule, flow: Flow, figures: Figures, providers: Collection[str]) -> pa.Table:
    """The groups in which some codes' sum is too small or too great a share of another code's figure.

    Figures whose rounding is declared may be off by half its base, each.
    """
    detail = rule.detail
    assert isinstance(detail, Share)
    query = _along(rule, flow, figures, providers, detail.dimension, (detail.total, *detail.codes))
    if query is None:
        return pa.table({})
    column = flow.names[detail.dimension]
    part = member(column, detail.codes)
    total = f"{column} = {literal(detail.total)}"
    tests, expected = [], []
    halves = Halves.of(flow, rule.component, figures.catalog)
    if detail.minimum is not None:
        tests.append(f"part < {detail.minimum!r} * total{_off_of(halves, flow, part, total, detail.minimum, '-')}")
        expected.append(f"{_percent(detail.minimum)} or more")
    if detail.maximum is not None:
        tests.append(f"part > {detail.maximum!r} * total{_off_of(halves, flow, part, total, detail.maximum, '+')}")
        expected.append(f"{_percent(detail.maximum)} or less")
    least = f"greatest(total, part) >= {detail.least!r}"
    assert flow.sent is not None
    others = _others(flow, detail.dimension)
    key = {**{id: f"r.{name}" for id, name in others.items()}}
    key[detail.dimension] = literal(detail.codes[0] if len(detail.codes) == 1 else detail.total)
    statement = f"""
        WITH g AS (SELECT hash({", ".join([*others.values(), "_provider"])}) AS series,
                          coalesce(min(_id) FILTER ({part}), min(_id)) AS _id,
                          max(_value) FILTER ({total}) AS total, sum(_value) FILTER ({part}) AS part
                   FROM ({query}) GROUP BY series
                   HAVING _id IS NOT NULL AND part IS NOT NULL AND total > 0 AND {least}
                      AND count(*) FILTER (_value IS NULL) = 0 AND {either(tests)})
        SELECT {PLACE}, plain(part) AS value, {literal(" and ".join(expected))} AS expected,
               {key_columns(flow.structure, key)},
               plain(part) AS part, plain(total) AS total, plain(round(100 * part / total, 1)) AS share
        FROM g JOIN {flow.sent.table} AS r ON r.rowid = g._id ORDER BY {IN_ORDER}"""
    return figures.workspace.places(statement, flow.structure)


def _off_of(halves: Halves, flow: Flow, part: str, total: str, limit: float, sign: str) -> str:
    """What is added to the limit's share of the total since both sides are rounded; nothing where none is."""
    if not halves.is_any:
        return ""
    each = f"CASE WHEN {part} THEN {halves.each(flow)} WHEN {total} THEN {abs(limit)!r} * {halves.each(flow)} END"
    return f" {sign} (sum({each}) + {_SLACK} * greatest(1, abs(sum(_value))))"


def odd_peaks(rule: Rule, flow: Flow, figures: Figures, providers: Collection[str]) -> pa.Table:
    """The groups whose greatest figure stands at a code where it is not expected; only where all codes have one."""
    detail = rule.detail
    assert isinstance(detail, Peak)
    query = _along(rule, flow, figures, providers, detail.dimension, detail.codes)
    if query is None:
        return pa.table({})
    column = flow.names[detail.dimension]
    origin = ", ".join(f"arg_max({name}, _value) AS {name}" for name in ("_row", *ORIGIN))
    statement = f"""
        WITH figures AS ({query}),
        g AS (SELECT {_group(flow, detail.dimension)}, {origin}, arg_max({column}, _value) AS peak,
                     max(_value) AS most
              FROM figures GROUP BY {_group(flow, detail.dimension)}
              HAVING bool_or(_sent) AND count(_value) = {len(set(detail.codes))} AND sum(_value) >= {detail.least!r}
                 AND NOT {member("peak", detail.expected)})
        SELECT {PLACE}, plain(most) AS value, {literal(", ".join(detail.expected))} AS expected,
               {_key(flow, detail.dimension, "peak")}, peak
        FROM g ORDER BY {IN_ORDER}"""
    return figures.workspace.places(statement, flow.structure)


def too_great_parts(rule: Rule, flow: Flow, figures: Figures, providers: Collection[str]) -> pa.Table:
    """The figures that are more than the one of the total; where several are, the total once.

    Figures that are rounded alike keep their order, so that they are compared as they are. Where one is rounded and
    the other is not, or is read as the public sees it, each may be off by half the base.
    """
    detail = rule.detail
    assert isinstance(detail, Subset)
    sent = flow.sent
    codes = None if sent is None else sent.values.get(detail.dimension)
    if codes is not None and rule.scope == "file" and (detail.total not in codes or len(codes) < 2):
        return pa.table({})
    query = _along(rule, flow, figures, providers, detail.dimension, None)
    if query is None:
        return pa.table({})
    column = flow.names[detail.dimension]
    kept = f"NOT {member('p.' + column, detail.excluded)}" if detail.excluded else "1 = 1"
    total = f"{column} = {literal(detail.total)}"
    alike = set() if sent is None or rule.scope != "file" else set(sent.fixed())
    together = [*(name for id, name in _others(flow, detail.dimension).items() if id not in alike), "_provider"]
    same = both(f"p.{name} = t.{name}" for name in together)
    halves = Halves.of(flow, rule.component, figures.catalog)
    half = f", {halves.each(flow)} AS _half" if halves.is_any else ""
    off = f" + {_APART}" if halves.is_any else ""
    too_great = f"p._value > t._value + {rule.tolerance!r}{off} AND (p._sent OR t._sent) AND {kept}"
    group = f"hash({', '.join(together)})"
    narrow = f"(SELECT {group} AS h, {column}, _value, _sent{half} FROM ({query}))"
    workspace = figures.workspace
    groups = workspace.make_in_parts(
        lambda part: (
            f"""
            SELECT DISTINCT h FROM (SELECT * FROM {narrow} WHERE NOT {total} AND {part}) AS p
            JOIN (SELECT * FROM {narrow} WHERE {total} AND {part}) AS t USING (h) WHERE {too_great}"""
        ),
        "h",
        figures.size(flow),
    )
    names = {id: f"p.{name}" for id, name in flow.names.items()}
    whole = {**names, detail.dimension: literal(detail.total)}
    figures_of = "plain(p._value) AS part, plain(t._value) AS total, plain(p._value - t._value) AS difference"
    statement = f"""
        WITH figures AS (SELECT *{half} FROM ({query}) WHERE {group} IN (SELECT h FROM {groups})),
        t AS (SELECT * FROM figures WHERE {total}),
        v AS (SELECT p, t, count(*) OVER w AS together, row_number() OVER (w ORDER BY p._value DESC, p._row) AS place
              FROM figures AS p JOIN t ON {same} WHERE {too_great}
              WINDOW w AS (PARTITION BY {", ".join(f"p.{name}" for name in together)}))
        SELECT p._file AS file, coalesce(p._row, t._row) AS row, p._column AS "column", p._sheet AS sheet,
               plain(p._value) AS value, 'at most ' || plain(t._value) AS expected,
               {key_columns(flow.structure, names)}, {figures_of}
        FROM v WHERE together = 1 OR NOT t._sent
        UNION ALL
        SELECT t._file, t._row, t._column, t._sheet, plain(t._value), 'at least ' || plain(p._value),
               {key_columns(flow.structure, whole)}, {figures_of}
        FROM v WHERE together > 1 AND t._sent AND place = 1"""
    return workspace.places_of(groups, statement, flow.structure)


def mixed_members(rule: Rule, flow: Flow, figures: Figures, providers: Collection[str]) -> pa.Table:
    """The codes that stand beside codes below them in the list; one place per group of ``by`` and code."""
    detail = rule.detail
    assert isinstance(detail, Members)
    inside = _contained(rule, flow, figures.catalog, detail)
    codes = None if flow.sent is None else flow.sent.values.get(detail.dimension)
    if codes is not None:
        inside = [(above, code) for above, code in inside if above in codes and code in codes]
    query = _along(rule, flow, figures, providers, detail.dimension, None) if inside else None
    if query is None:
        return pa.table({})
    column = flow.names[detail.dimension]
    by = {id: flow.names[id] for id in detail.by if id in flow.names}
    group = ", ".join([*by.values(), "_provider"])
    pairs = ", ".join(f"({literal(above)}, {literal(code)})" for above, code in inside)
    same = both(f"a.{name} = m.{name}" for name in [*by.values(), "_provider"])
    statement = f"""
        WITH figures AS ({query}), pairs(above, below) AS (VALUES {pairs}),
        f AS (SELECT {group}, {column} AS code, min(_row) AS _row, {first_origin("_row")}
              FROM figures WHERE _sent AND _value IS NOT NULL GROUP BY {group}, {column}),
        g AS (SELECT {", ".join(f"a.{name}" for name in by.values())}{"," if by else ""} a.code AS above,
                     a._row, a._file, a._column, a._sheet, count(*) AS members
              FROM f AS a JOIN pairs ON a.code = pairs.above JOIN f AS m ON m.code = pairs.below AND {same}
              GROUP BY ALL)
        SELECT {PLACE}, above AS value, {key_columns(flow.structure, {**by, detail.dimension: "above"})},
               CAST(members AS VARCHAR) AS members
        FROM g ORDER BY {IN_ORDER}"""
    return figures.workspace.places(statement, flow.structure)


def _contained(rule: Rule, flow: Flow, catalog: Catalog, detail: Members) -> list[tuple[str, str]]:
    """Pairs of a code and one below it, at any depth."""
    component = flow.structure.component(detail.dimension)
    listed = None if component is None else component.form.enumeration
    items = None if listed is None or catalog.lookup(listed) is None else catalog.items(listed)
    if items is None:
        raise InvalidStructure(f"Rule {rule.id}: {detail.dimension} has no code list.")
    parents = {code: getattr(item, "parent", None) for code, item in items.items()}
    pairs = []
    for code in parents:
        above, seen = parents[code], {code}
        while above is not None and above not in seen:
            seen.add(above)
            if above not in detail.excluded:
                pairs.append((above, code))
            above = parents.get(above)
    return pairs


# --- pieces ---------------------------------------------------------------------------------------------------------
def _along(
    rule: Rule, flow: Flow, figures: Figures, providers: Collection[str], dimension: str, codes: Collection[str] | None
) -> str | None:
    """The query of the figures with one of the codes of a dimension.

    Raises:
        InvalidStructure: the structure lacks the dimension or the figure.
    """
    if dimension not in flow.structure.dimension_ids:
        raise InvalidStructure(f"Rule {rule.id}: {flow.structure.ref.text} has no dimension {dimension!r}.")
    where: Mapping[str, Collection[str]] = rule.when if codes is None else {**rule.when, dimension: codes}
    result = rule.scope == "result"
    if codes is not None and flow.sent is not None and not result:
        first, *others = codes
        if not flow.sent.may_have(dimension, (first,)) or (others and not flow.sent.may_have(dimension, others)):
            return None
    return figures.own(
        flow, flow.number(rule.component, rule.id), where, result=result, providers=providers, free=[dimension]
    )


def _others(flow: Flow, dimension: str) -> dict[str, str]:
    return {id: flow.names[id] for id in flow.structure.key_ids if id != dimension}


def _group(flow: Flow, dimension: str) -> str:
    return ", ".join([*_others(flow, dimension).values(), "_provider"])


def _key(flow: Flow, dimension: str, code: str) -> str:
    return key_columns(flow.structure, {**_others(flow, dimension), dimension: code})


def _percent(share: float) -> str:
    return f"{100 * share:g} %"
