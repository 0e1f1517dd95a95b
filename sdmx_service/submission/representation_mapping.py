r"""The rows of a representation map, ready to be asked (SDMX 3.1 Technical Notes, *Structure Mapping*).

*Standard*: rows are tried in their order, the first that matches wins; an expression's groups stand in the target as
``\1``; a substring begins at character 1; a row holds for the periods between its bounds, both inclusive; several
rows of one source with different keys make several observations.

*Choices*, where the standard's examples leave it open: an expression with neither ``^`` at its beginning nor ``$`` at
its end must match the whole value (``[0-2]`` is not 12), one with an anchor is searched (``^[A-G]`` is "starts with").
Groups are counted through all sources of a row. A substring without value matches anything long enough and is a group.
A period belongs to a row if it lies within its bounds as a whole. A missing source value is matched by an empty value,
and by an expression that matches the empty text. A target "" is no value. Where a source's data type is a number or a
boolean, plain values are compared as such (``1.0`` is 1, ``true`` is 1).

*Extension:* a map with an annotation of type ``MATCHING`` and title ``FOLDED`` compares plain values without regard to
case, accents, punctuation and spaces (``fold``). A row with annotations of type ``PROVIDER`` holds for the providers
that their titles name (``AGENCY.ID``) only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from itertools import combinations

from sdmx_service.errors import InvalidStructure, SyntaxFault
from sdmx_service.model.mapping import MappedValue, MappingRow, RepresentationMap
from sdmx_service.model.period import parse_period
from sdmx_service.model.urn import Ref

Targets = tuple[str | tuple[str, ...] | None, ...]
"""What the target components get; several values for one that takes an array."""
Span = tuple[int, int]
"""First second and the second after the last, as in ``Period``."""

_GROUP = re.compile(r"\\([0-9]+)")
_NAMED_GROUP = re.compile(r"\(\?<([A-Za-z][A-Za-z0-9]*)>")
_BETWEEN = " | "
PROVIDER = "PROVIDER"
"""Type of the annotations of a row that holds for some providers only."""
_NUMBERS = frozenset({"BigInteger", "Integer", "Long", "Short", "Decimal", "Float", "Double", "Count"})
_BOOLEANS = {"1": "true", "0": "false"}
_PROBES = ("\u2603", "Qz 7-\u00e9", "0")
"""Values that only a row for everything matches."""
_Test = Callable[[str], tuple[str, ...] | None]
"""The groups that a value gives, or None if it does not match."""


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A row: its place in the map, its validity, what it tests, what it gives."""

    order: int
    start: int | None
    end: int | None
    targets: tuple[str, ...]
    tests: tuple[_Test, ...] = ()

    @property
    def is_dated(self) -> bool:
        """It holds for some periods only."""
        return self.start is not None or self.end is not None

    @cached_property
    def is_default(self) -> bool:
        """It matches whatever comes, as the last row of a map does that has an answer for everything."""
        return all(test(probe) is not None for test in self.tests for probe in _PROBES)

    def given(self, groups: Sequence[str]) -> Targets:
        """What the row gives, the groups put in."""
        return tuple((_expand(target, groups) if self.tests else target) or None for target in self.targets)

    def holds(self, span: Span | None) -> bool:
        """Whether the row is valid for the period; without one, it is."""
        if span is None:
            return True
        return (self.start is None or self.start <= span[0]) and (self.end is None or span[1] <= self.end)

    def overlaps(self, other: _Row) -> bool:
        """Whether some moment belongs to both rows."""
        starts_after = other.end is not None and self.start is not None and self.start >= other.end
        ends_before = self.end is not None and other.start is not None and self.end <= other.start
        return not (starts_after or ends_before)

    def groups(self, values: Sequence[str]) -> tuple[str, ...] | None:
        """The groups of all sources, or None if one does not match."""
        found: tuple[str, ...] = ()
        for test, value in zip(self.tests, values, strict=True):
            groups = test(value)
            if groups is None:
                return None
            found += groups
        return found


def fold(text: str) -> str:
    """The letters and digits of a text without case and accents; the text itself where it has none."""
    bare = (sign for sign in unicodedata.normalize("NFKD", text).casefold() if sign.isalnum())
    return "".join(bare) or text


class RepresentationRules:
    """The compiled rows of a representation map.

    Args:
        map: the map.
        sources, targets: how many columns the component map joins to it.
        keys: the places of the targets that are dimensions; rows of one source may differ in these and then each
            makes an observation; if they differ in others only, they contradict each other.
        provider: whose values are mapped (``AGENCY.ID``); rows that are for other providers only are left out.

    Raises:
        InvalidStructure: a row has the wrong number of values, an expression or a period cannot be read, a target
            names a group that there is not, or two rows contradict each other.
    """

    def __init__(
        self,
        map: RepresentationMap,  # noqa: A002
        *,
        sources: int,
        targets: int,
        keys: Collection[int] = (),
        provider: str | None = None,
    ) -> None:
        self.name = map.ref.text
        types = tuple(None if isinstance(one, Ref) else one for one in map.sources)
        self._types = types if len(types) == sources else (None,) * sources
        self._folded = any(one.type == "MATCHING" and one.title == "FOLDED" for one in map.annotations)
        self._literals: dict[tuple[str, ...], list[_Row]] = {}
        self._patterns: list[_Row] = []
        for order, row in enumerate(map.rows):
            self._check_counts(row, sources, targets)
            if _is_for(row, provider):
                self._add(order, row)
        for key, rows in self._literals.items():
            self._check_agreement(key, rows, keys)

    @property
    def has_validity(self) -> bool:
        """Whether some row holds for some periods only."""
        return any(row.is_dated for row in self._rows())

    @property
    def expressions(self) -> int:
        """How many rows have an expression or a substring."""
        return len(self._patterns)

    def _rows(self) -> Iterator[_Row]:
        yield from self._patterns
        for rows in self._literals.values():
            yield from rows

    # --- compiling ---------------------------------------------------------------------------------------------
    def _fault(self, problem: str) -> InvalidStructure:
        return InvalidStructure(f"RepresentationMap {self.name}: {problem}")

    def _check_counts(self, row: MappingRow, sources: int, targets: int) -> None:
        if len(row.sources) != sources or len(row.targets) != targets:
            raise self._fault(
                f"a row maps {len(row.sources)} values to {len(row.targets)}, and the component map that uses it has "
                f"{sources} sources and {targets} targets."
            )

    def _add(self, order: int, row: MappingRow) -> None:
        plain = all(not one.is_regex and one.start_index is None and one.end_index is None for one in row.sources)
        tests, groups = [], 0
        for source in () if plain else row.sources:
            test, count = self._test(source)
            tests.append(test)
            groups += count
        for target in () if plain else row.targets:
            for number in map(int, _GROUP.findall(target)):
                if not 1 <= number <= groups:
                    raise self._fault(f"the target {target!r} names group {number}, and its row has {groups} groups.")
        compiled = _Row(
            order=order,
            start=self._moment(row.valid_from, last=False),
            end=self._moment(row.valid_to, last=True),
            targets=row.targets,
            tests=tuple(tests),
        )
        if plain:
            values = [one.value or "" for one in row.sources]
            self._literals.setdefault(self._key(values), []).append(compiled)
        else:
            self._patterns.append(compiled)

    def _key(self, values: Sequence[str | None]) -> tuple[str, ...]:
        """The values as plain ones are compared."""
        if self._is_plain:
            return tuple(value or "" for value in values)
        return tuple(
            _plain(value, kind) if kind is not None else fold(value) if self._folded else value
            for value, kind in zip((value or "" for value in values), self._kinds, strict=True)
        )

    @cached_property
    def _kinds(self) -> tuple[str | None, ...]:
        """The sources' data types that are compared otherwise than as text."""
        return tuple(one if one in _NUMBERS or one == "Boolean" else None for one in self._types)

    @cached_property
    def _is_plain(self) -> bool:
        return not self._folded and not any(self._kinds)

    def _moment(self, text: str | None, *, last: bool) -> int | None:
        if not text:
            return None
        try:
            period = parse_period(text)
        except SyntaxFault as fault:
            raise self._fault(f"a validity period cannot be read: {fault.detail}") from None
        return period.end if last else period.start

    def _test(self, source: MappedValue) -> tuple[_Test, int]:
        """The test of one source value, and how many groups it gives."""
        test: _Test
        if source.is_regex:
            pattern = self._pattern(source.value or "")
            test, count = _matching(pattern), pattern.groups
        elif not source.value and (source.start_index is not None or source.end_index is not None):
            test, count = _any_text, 1
        else:
            test, count = _equal(source.value or ""), 0
        return _of_substring(test, source.start_index, source.end_index), count

    def _pattern(self, text: str) -> re.Pattern[str]:
        try:
            return re.compile(_NAMED_GROUP.sub(r"(?P<\1>", text))
        except re.error as error:
            raise self._fault(f"{text!r} is no regular expression: {error}.") from None

    def _check_agreement(self, key: tuple[str, ...], rows: list[_Row], keys: Collection[int]) -> None:
        for one, other in combinations(rows, 2):
            differing = [
                place for place, pair in enumerate(zip(one.targets, other.targets, strict=True)) if pair[0] != pair[1]
            ]
            if differing and not set(differing) & set(keys) and one.overlaps(other):
                raise self._fault(
                    f"rows {one.order + 1} and {other.order + 1} contradict each other: {_shown(key)!r} maps to "
                    f"{_shown(one.targets)!r} and to {_shown(other.targets)!r} for the same time."
                )

    # --- asking ------------------------------------------------------------------------------------------------
    def is_dated(self, values: Sequence[str | None]) -> bool:
        """Whether what the values map to may depend on the time."""
        return self._has_dated_patterns or any(row.is_dated for row in self._literals.get(self._key(values), ()))

    @cached_property
    def _has_dated_patterns(self) -> bool:
        return any(row.is_dated for row in self._patterns)

    def find(self, values: Sequence[str | None], span: Span | None = None) -> list[Targets] | None:
        """What the values map to at a period: one or more rows of targets; None if no row matches."""
        key = tuple(value or "" for value in values)
        literal = [row for row in self._literals.get(self._key(key), ()) if row.holds(span)]
        for row in self._patterns:
            if literal and row.order > literal[0].order:
                break
            if row.holds(span) and (groups := row.groups(key)) is not None:
                return [row.given(groups)]
        return list(dict.fromkeys(tuple(target or None for target in row.targets) for row in literal)) or None

    def rivals(self, values: Sequence[str | None], span: Span | None = None) -> list[Targets]:
        """What later rows of the map would make of the values, where that is something else than ``find`` gives.

        The row that is taken is the first (*standard*); rows for everything are no rivals.
        """
        if not self._patterns:
            return []
        taken = self.find(values, span) or []
        key = tuple(value or "" for value in values)
        fitting = [
            row.given(groups)
            for row in self._patterns
            if not row.is_default and row.holds(span) and (groups := row.groups(key)) is not None
        ]
        fitting += [row.given(()) for row in self._literals.get(self._key(key), ()) if row.holds(span)]
        return [one for one in dict.fromkeys(fitting) if one not in taken] if taken else []

    def clashing(self, row: MappingRow) -> tuple[str, ...] | None:
        """What the values of a plain row map to already at a time that the row is about; None if to nothing else."""
        start, end = self._moment(row.valid_from, last=False), self._moment(row.valid_to, last=True)
        new = _Row(order=-1, start=start, end=end, targets=row.targets)
        key = self._key([one.value for one in row.sources])
        found: list[_Row] = [*self._literals.get(key, ()), *self._patterns]
        for known in found:
            is_same = not known.tests or known.groups(tuple(one.value or "" for one in row.sources)) is not None
            if is_same and known.targets != new.targets and known.overlaps(new):
                return known.targets
        return None


def _shown(values: Sequence[str]) -> str:
    return _BETWEEN.join(values)


def _is_for(row: MappingRow, provider: str | None) -> bool:
    wanted = [one.title for one in row.annotations if one.type == PROVIDER]
    return not wanted or provider in wanted


def _plain(value: str, kind: str) -> str:
    """A number or boolean in one spelling; any other text as it is."""
    text = value.strip()
    if kind == "Boolean":
        return _BOOLEANS.get(text, text.casefold())
    try:
        number = Decimal(text)
    except InvalidOperation:
        return value
    return f"{number.normalize():f}" if number.is_finite() and abs(number.adjusted()) < 50 else value


def _matching(pattern: re.Pattern[str]) -> _Test:
    has_anchor = re.match(r"\^|.*(?<!\\)\$\Z", pattern.pattern, re.DOTALL) is not None
    find = pattern.search if has_anchor else pattern.fullmatch

    def test(value: str) -> tuple[str, ...] | None:
        match = find(value)
        return None if match is None else tuple(group or "" for group in match.groups())

    return test


def _any_text(value: str) -> tuple[str, ...] | None:
    return (value,)


def _equal(wanted: str) -> _Test:
    return lambda value: () if value == wanted else None


def _of_substring(test: _Test, start: int | None, end: int | None) -> _Test:
    """The test of the characters from ``start`` (1-based) to ``end`` (inclusive); a value that is too short fails."""
    if start is None and end is None:
        return test
    first = (start or 1) - 1
    needed = max(first + 1, end or 0)
    return lambda value: test(value[first:end]) if len(value) >= needed else None


def _expand(target: str, groups: Sequence[str]) -> str:
    return _GROUP.sub(lambda match: groups[int(match[1]) - 1], target)
