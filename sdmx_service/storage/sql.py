"""A selection as SQL that DuckDB, PostgreSQL and Citus read alike.

Aliases: ``s`` series versions, ``o`` observation versions, ``a`` attachment versions. Conditions on dimensions go to
the series, those on values and periods to the observations. A filter on an attribute of a group becomes a list of
partial keys, since a join on anything but ``_sid`` is not for a spread database.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import pyarrow as pa

from sdmx_service.errors import SemanticFault, SyntaxFault
from sdmx_service.model.columns import MARKS
from sdmx_service.model.period import parse_period
from sdmx_service.model.period_comparison import TIME_OPERATORS
from sdmx_service.model.selection import Comparison, Filter, Key, Selection
from sdmx_service.storage.directory import Directory
from sdmx_service.storage.keys import cluster_range, number_key
from sdmx_service.storage.layout import SERIES_COUNTS, CubeLayout, StoredColumn
from sdmx_service.storage.masking import Mask
from sdmx_service.storage.quoting import both, either, identifier, literal, member
from sdmx_service.storage.values import decode_text

_MOST_KEYS = 256
"""So many full keys, or ranges of numbers, are looked up as such; above, by their codes."""
_RELATIONS = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
LEAST_SHOWN = {"provisionagreement": 0, "dataflow": 1, "datastructure": 2}
"""Context -> the least ``_shown`` of rows that belong to it."""

Query = Callable[[str], pa.Table]


def names_origin(selection: Selection) -> bool:
    """Whether rows say which dataflow and provider they are from.

    They do in the context of provision agreements, and where several dataflows are asked in that of dataflows.
    """
    several = selection.dataflows is None or len(selection.dataflows) != 1
    return selection.context == "provisionagreement" or (selection.context == "dataflow" and several)


def valid_at(alias: str, release: int) -> str:
    """Row versions of a release."""
    return f"{alias}._since <= {literal(release)} AND {alias}._until > {literal(release)}"


def ended(alias: str, release: int, other: int) -> str:
    """Which of the row versions of a release are not those of another one, be it later or earlier."""
    return f"{alias}._until <= {literal(other)}" if release < other else f"{alias}._since > {literal(other)}"


@dataclass(frozen=True)
class Conditions:
    """A selection on one cube, taken apart.

    Attributes:
        query: reads; needed for filters whose values must be looked at first.
        mask: what hides figures; the rows are read through it.
        release: the release of the rows; that of the selection if None.
    """

    layout: CubeLayout
    directory: Directory
    selection: Selection
    query: Query
    mask: Mask
    at: int | None = None

    @property
    def release(self) -> int:
        """The release whose row versions are meant."""
        return self.selection.release if self.at is None else self.at

    @property
    def least_shown(self) -> int:
        """The least ``_shown`` of the context."""
        return LEAST_SHOWN[self.selection.context]

    @property
    def least_observed(self) -> int:
        """The least ``_shown`` of observations; attributes of higher levels are those of the context."""
        return max(self.least_shown, LEAST_SHOWN["dataflow"] if self.selection.only_shown else 0)

    @property
    def count_column(self) -> str:
        """The column of series versions that counts the observations of the selection."""
        return SERIES_COUNTS[self.least_observed]

    @property
    def group(self) -> tuple[str, ...]:
        """What tells one series of the answer from another."""
        return ("_sid", "_dataflow", "_provider")[: 3 - self.least_shown]

    def origin(self, alias: str) -> list[str]:
        """Conditions on dataflow and provider."""
        found = []
        selection, known = self.selection, self.directory
        if selection.dataflows is not None:
            numbers = [known.dataflow_numbers[name] for name in selection.dataflows if name in known.dataflow_numbers]
            if len(set(numbers)) < len(known.dataflows) or not numbers:
                found.append(member(f"{alias}._dataflow", set(numbers)))
        if selection.providers is not None:
            numbers = [known.provider_numbers[name] for name in selection.providers if name in known.provider_numbers]
            if len(set(numbers)) < len(known.providers) or not numbers:
                found.append(member(f"{alias}._provider", set(numbers)))
        return found

    # --- series ------------------------------------------------------------------------------------------------

    @cached_property
    def exact(self) -> Mapping[int, tuple[str, ...]]:
        """Number -> codes of the series, where the keys name every dimension of a few; else empty."""
        found: dict[int, tuple[str, ...]] = {}
        for key in self.selection.keys:
            full = [sorted(codes) for codes in key if codes is not None]
            if len(full) < len(self.layout.dimensions) or math.prod(map(len, full)) + len(found) > _MOST_KEYS:
                return {}
            found |= {number_key(codes): codes for codes in product(*full)}
        return found

    @cached_property
    def narrow(self) -> tuple[str, ...]:
        """Conditions on ``{0}._sid`` that the keys imply, as templates: empty if they imply none."""
        if self.exact:
            return (member("{0}._sid", self.exact),)
        ranges: set[tuple[int, int]] = set()
        for key in self.selection.keys:
            first = [sorted(codes) for codes in key[:2] if codes is not None]
            if len(first) < 2 or math.prod(map(len, first)) + len(ranges) > _MOST_KEYS:
                return ()
            ranges.update(cluster_range(codes) for codes in product(*first))
        between = (f"{{0}}._sid BETWEEN {literal(low)} AND {literal(high)}" for low, high in sorted(ranges))
        return (either(between),) if ranges else ()

    def _key(self, key: Key) -> str:
        pairs = zip(self.layout.dimensions, key, strict=True)
        return both(member(f"s.{column.quoted}", codes) for column, codes in pairs if codes is not None)

    @cached_property
    def series(self) -> tuple[str, ...]:
        """Conditions on series beyond validity, origin, being shown and ``exact``; empty if there are none."""
        found = []
        if self.selection.keys and not self.exact:
            wanted = either(f"({self._key(key)})" for key in self.selection.keys)
            found += [wanted] if wanted != "((1 = 1))" else []
        for one in self.selection.filters:
            column = self.layout.by_id.get(one.component)
            if column is None or column.role == "dimension":
                found.append(self.component(one, column, "s"))
            elif column.is_attached:
                found.append(self._attached(one, column))
        return tuple(found)

    def series_where(self) -> str:
        """All conditions on series."""
        return both(
            [
                valid_at("s", self.release),
                f"s.{self.count_column} > 0",
                *self.origin("s"),
                *(condition.format("s") for condition in self.narrow),
                *self.series,
            ]
        )

    # --- observations ------------------------------------------------------------------------------------------

    @cached_property
    def observed(self) -> tuple[str, ...]:
        """Conditions on observations beyond validity, origin and being shown; empty if all are wanted."""
        found = []
        numbers = self._periods()
        if numbers is not None:
            found.append(member("o._period", numbers))
        if self.selection.changed_since is not None:
            found.append(self._changed(self.selection.changed_since))
        for one in self.selection.filters:
            column = self.layout.by_id.get(one.component)
            if column is not None and column.role in ("measure", "attribute") and not column.is_attached:
                found.append(self.component(one, column, "o"))
        return tuple(found)

    def _changed(self, since: int) -> str:
        """Rows that are new or other than at ``since``; also those whose series has got another attribute value."""
        own = ended("o", self.release, since)
        wanted = self.selection.components
        names = [
            c.id
            for c in self.layout.attached
            if self.layout.is_whole_key(c) and c.id in self.directory.attached and (wanted is None or c.id in wanted)
        ]
        if not names:
            return own
        conditions = [f"a.{name} = o.{name}" for name in self.group]
        conditions += [member("a._component", names), f"a._shown >= {self.least_shown}"]
        first, last = sorted((since, self.release))
        began, over = (f"a.{n} > {literal(first)} AND a.{n} <= {literal(last)}" for n in ("_since", "_until"))
        attachments = identifier(self.layout.attachments.name)
        return f"({own} OR EXISTS (SELECT 1 FROM {attachments} a WHERE {both(conditions)} AND ({began} OR {over})))"

    def _periods(self) -> set[int] | None:
        """The numbers of the periods wanted; None for all."""
        known = self.directory.periods
        wanted = {n for n, text in known.items() if self.selection.periods is None or text in self.selection.periods}
        for one in self.selection.filters:
            if self.layout.time is not None and one.component == self.layout.time.id:
                wanted = {number for number in wanted if _holds(one, _time_holds, [known[number]])}
        return None if len(wanted) == len(known) else wanted

    def observations_where(self) -> str:
        """All conditions on observations, without those on series."""
        shown = [f"o._shown >= {self.least_observed}"] if self.least_observed else []
        narrow = [condition.format("o") for condition in self.narrow]
        return both([valid_at("o", self.release), *shown, *self.origin("o"), *narrow, *self.observed])

    def observations_from(self) -> str:
        """The observations ``o``, with the series ``s`` where a condition on series needs it."""
        source = f"{self.mask.rows} o"
        if not self.series:
            return source
        return (
            f"{source} JOIN {identifier(self.layout.table('series'))} s"
            f" ON s._sid = o._sid AND s._dataflow = o._dataflow AND s._provider = o._provider"
        )

    @property
    def is_limited(self) -> bool:
        """FirstNObservations or lastNObservations hold."""
        return self.selection.first_n is not None or self.selection.last_n is not None

    def observations(self, columns: Iterable[str], low: int | None = None, high: int | None = None) -> str:
        """The query for observations with these (quoted) columns, of series numbered from ``low`` to ``high``."""
        conditions = [self.observations_where(), *([self.series_where()] if self.series else [])]
        if low is not None and high is not None:
            conditions.append(f"o._sid BETWEEN {literal(low)} AND {literal(high)}")
        names = [f"o.{name}" for name in columns]
        source, where = self.observations_from(), both(conditions)
        if not self.is_limited:
            return f"SELECT {', '.join(names)} FROM {source} WHERE {where}"
        periods = identifier(self.layout.table("periods"))
        partition = ", ".join(f"o.{name}" for name in self.group)
        window = 'row_number() OVER (PARTITION BY {0} ORDER BY p._start {1}, p._end {1}, p._period COLLATE "C" {1})'
        kept = []
        if self.selection.first_n is not None:
            kept.append(f"o._from_first <= {literal(self.selection.first_n)}")
        if self.selection.last_n is not None:
            kept.append(f"o._from_last <= {literal(self.selection.last_n)}")
        return (
            f"SELECT {', '.join(names)} FROM (SELECT o.*, {window.format(partition, 'ASC')} AS _from_first,"
            f" {window.format(partition, 'DESC')} AS _from_last FROM {source} JOIN {periods} p ON p._number = o._period"
            f" WHERE {where}) o WHERE {either(kept)}"
        )

    # --- attachments -------------------------------------------------------------------------------------------

    def attachments_where(self, components: Sequence[str], alias: str = "a") -> str:
        """Conditions on attachments of these attributes, without the partial key."""
        shown = [f"{alias}._shown >= {self.least_shown}"] if self.least_shown else []
        wanted = member(f"{alias}._component", components)
        return both([valid_at(alias, self.release), *shown, *self.origin(alias), wanted])

    def attachments(self, components: Sequence[str], extra: str = "1 = 1") -> str:
        """The query for attachments of these attributes: origin, partial key, component, value."""
        names = ["_sid", "_dataflow", "_provider", "_component", *self.layout.key_types, "_value", "_since"]
        return (
            f"SELECT {', '.join(f'a.{identifier(name)}' for name in names)} FROM"
            f" {identifier(self.layout.attachments.name)} a WHERE {self.attachments_where(components)} AND {extra}"
        )

    def named_attachments(self) -> str:
        """The query for all attachments of the series of ``exact``: number, origin, component, value.

        The attributes are not named: the database finds a series sooner than it compares names.
        """
        shown = [f"a._shown >= {self.least_shown}"] if self.least_shown else []
        narrow = [condition.format("a") for condition in self.narrow]
        return (
            "SELECT a._sid, a._dataflow, a._provider, a._component, a._value FROM"
            f" {identifier(self.layout.attachments.name)} a"
            f" WHERE {both([valid_at('a', self.release), *shown, *self.origin('a'), *narrow])}"
        )

    def _attached(self, one: Filter, column: StoredColumn) -> str:
        """A filter on an attribute of a series, group or data set as a condition on series."""
        test = self.component(one, StoredColumn(id=column.id, name="_value", role="attribute", kind="text", level=None)
                               if column.kind in ("text", "code") else column, "a")  # fmt: skip
        same = [f"a.{name} = s.{name}" for name in self.group]
        if self.layout.is_whole_key(column):
            table = identifier(self.layout.attachments.name)
            inner = both([*same, self.attachments_where([column.id]), test])
            return f"EXISTS (SELECT 1 FROM {table} a WHERE {inner})"
        level = [c for c in self.layout.dimensions if c.id in (column.level or ())]
        names = [*(c.name for c in level), *(name for name in self.group if name != "_sid")]
        if not names:
            found = self.query(f"SELECT count(*) AS n FROM ({self.attachments([column.id], test)}) a")
            return "1 = 1" if found.column(0)[0].as_py() else "1 = 0"
        listed = ", ".join(f"a.{identifier(name)}" for name in names)
        rows = self.query(f"SELECT DISTINCT {listed} FROM ({self.attachments([column.id], test)}) a")
        keys = zip(*(c.to_pylist() for c in rows.columns), strict=True)
        return either(
            f"({both(f's.{identifier(name)} = {literal(code)}' for name, code in zip(names, key, strict=True))})"
            for key in sorted(keys)
        )

    # --- comparisons -------------------------------------------------------------------------------------------

    def component(self, one: Filter, column: StoredColumn | None, alias: str) -> str:
        """A filter as a condition on a column of ``alias``."""
        if column is None:
            return "1 = 0"  # the structure may know a component of which the cube has no value
        if column.is_attached and column.kind == "number":
            return self._distinct(one, column, alias, _number_text_holds)
        if column.kind in ("multi", "multilingual"):
            return self._distinct(one, column, alias, _text_holds)
        compare = _number if column.kind == "number" else _text
        return either(
            f"({both(compare(f'{alias}.', column, comparison) for comparison in alternative)})"
            for alternative in one.alternatives
        )

    def _distinct(self, one: Filter, column: StoredColumn, alias: str, holds: Callable[[Comparison, str], bool]) -> str:
        """A test that SQL cannot make, made on the distinct stored texts."""
        if alias == "a":
            table, name = identifier(self.layout.attachments.name), "_value"
            extra = f"_component = {literal(column.id)}"
        else:
            table, name, extra = self.mask.rows, column.name, "1 = 1"
        rows = self.query(f"SELECT DISTINCT {identifier(name)} AS v FROM {table} o WHERE {extra}")
        texts = [text for text in rows.column(0).to_pylist() if text is not None]
        passing = [text for text in texts if _holds(one, holds, _single(column, text))]
        return member(f"{alias}.{identifier(name)}", passing)


def _single(column: StoredColumn, text: str) -> list[str]:
    """The single values of a stored text."""
    if column.kind not in ("multi", "multilingual"):
        return [text]
    value = decode_text(column.kind, pa.array([text], pa.string())).to_pylist()[0]
    return value if column.kind == "multi" else [one for _, one in value]


def _holds(one: Filter, test: Callable[[Comparison, str], bool], values: Sequence[str]) -> bool:
    """Whether each comparison of an alternative has a value that passes it.

    *Standard*: ``+`` asks several values of an attribute for all of them (SDMX-REST 2.2, data.md, *c*: ``A,B+M``).
    """
    return any(
        all(any(test(comparison, value) for value in values) for comparison in alternative)
        for alternative in one.alternatives
    )


def passes(one: Filter, text: str) -> bool:
    """Whether a code passes a test of a dimension."""
    return _holds(one, _text_holds, [text])


def time_passes(one: Filter, period: str) -> bool:
    """Whether a period passes a test of the time dimension."""
    return _holds(one, _time_holds, [period])


def _text_holds(comparison: Comparison, text: str) -> bool:
    value = comparison.value
    tests: dict[str, Callable[[], bool]] = {
        "eq": lambda: text == value, "ne": lambda: text != value, "lt": lambda: text < value,
        "le": lambda: text <= value, "gt": lambda: text > value, "ge": lambda: text >= value,
        "co": lambda: value in text, "nc": lambda: value not in text,
        "sw": lambda: text.startswith(value), "ew": lambda: text.endswith(value),
    }  # fmt: skip
    return tests[comparison.operator]()


def _number_text_holds(comparison: Comparison, text: str) -> bool:
    operand = _operand(comparison, "attribute")
    if isinstance(operand, str) or text in MARKS:
        return _text_holds(comparison, text)
    number = float(text.replace("INF", "inf"))
    tests = {"eq": number == operand, "ne": number != operand, "lt": number < operand,
             "le": number <= operand, "gt": number > operand, "ge": number >= operand}  # fmt: skip
    return tests[comparison.operator]


def _time_holds(comparison: Comparison, text: str) -> bool:
    if comparison.operator not in TIME_OPERATORS:
        return _text_holds(comparison, text)
    return TIME_OPERATORS[comparison.operator](parse_period(text), parse_period(comparison.value))


def _text(alias: str, column: StoredColumn, comparison: Comparison) -> str:
    """A comparison of texts in code point order."""
    name, value = alias + column.quoted, literal(comparison.value)
    match comparison.operator:
        case "eq" | "ne":
            return f"{name} {_RELATIONS[comparison.operator]} {value}"
        case "lt" | "le" | "gt" | "ge":
            return f'{name} COLLATE "C" {_RELATIONS[comparison.operator]} {value}'
        case "co":
            return f"strpos({name}, {value}) > 0"
        case "nc":
            return f"strpos({name}, {value}) = 0"
        case "sw":
            return f"starts_with({name}, {value})"
        case _:
            return f"right({name}, {len(comparison.value)}) = {value}"


def _operand(comparison: Comparison, id: str) -> float | str:
    """The value to compare a number with: a number, or a mark, which is compared as text."""
    if comparison.operator not in _RELATIONS:
        raise SemanticFault(
            f"{comparison.operator} cannot be asked of {id}, whose values are numbers.",
            hint="Numbers know eq, ne, lt, le, gt and ge.",
        )
    if comparison.value in MARKS and comparison.operator in ("eq", "ne"):
        return comparison.value
    try:
        value = float(comparison.value)
    except ValueError:
        raise SemanticFault(f"{comparison.value!r} is not a number, but {id} is compared as a number.") from None
    if math.isnan(value):
        raise SyntaxFault(f"{comparison.value!r} has no place in the order of numbers.")
    return value


def _number(alias: str, column: StoredColumn, comparison: Comparison) -> str:
    """A comparison of numbers; marks have no place in their order, but differ from every number."""
    name, operand = alias + column.quoted, _operand(comparison, column.id)
    relation, nan = _RELATIONS[comparison.operator], literal(math.nan)
    if isinstance(operand, str):
        text = f"{alias}{identifier(column.names[2])}"
        same = f"({text} IS NOT NULL AND {text} = {literal(operand)})"
        return same if relation == "=" else f"({name} IS NOT NULL AND NOT {same})"
    test = f"{name} {relation} {literal(operand)}"
    return f"({test} AND {name} <> {nan})" if relation in (">", ">=") else test  # both databases order NaN above all
