"""What constraints say beyond the codes of one component: combinations, ranges of time, and validity.

``constraints.allowed_codes`` tells the codes that are left of each component. A constraint that says more than that is
kept whole as a ``Limit``, with its codes resolved, for whoever looks at rows (``submission.allowed_rows``):

- a cube region is a box: a row lies in it where every member has one of its values; of the included regions one must
  hold the row, of the excluded ones none (SDMX 3.1 *CubeRegion*);
- key sets are taken in order: an included one adds its keys, an excluded one takes them away (*DataKeySet*); with
  included sets nothing is there to begin with, without them everything is;
- a value or member with ``validFrom`` or ``validTo`` counts for the *periods reported* between them (SDMX 3.1 technical
  notes, *constraints*), both included; a time range as it says.

What a region does not name is free. *Choice*: members that the structure does not have, and members without values,
which say that a component is there or not, are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sdmx_service.errors import SyntaxFault
from sdmx_service.model.constraint import CubeRegion, DataConstraint, DataKey, KeyValue, TimeBound, TimeRange
from sdmx_service.model.period import Period, parse_period
from sdmx_service.model.period_comparison import at_or_after, at_or_before, is_after, is_before

Resolved = Callable[[KeyValue], frozenset[str] | None]
"""The codes that values of a member mean; None where its component has no list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Periods between two bounds, each of which may be missing."""

    start: TimeBound | None = None
    end: TimeBound | None = None

    @classmethod
    def valid(cls, since: str | None, until: str | None) -> Span | None:
        """The span of a validity; None where there is none."""
        if since is None and until is None:
            return None
        return cls(
            start=None if since is None else TimeBound(period=since),
            end=None if until is None else TimeBound(period=until),
        )

    @classmethod
    def of(cls, range: TimeRange) -> Span:  # noqa: A002
        """The span of a time range."""
        return cls(start=range.start or range.after, end=range.end or range.before)

    def holds(self, period: Period) -> bool:
        """Whether a period lies within; a bound that is no period excludes nothing."""
        for bound, inclusive, exclusive in (
            (self.start, at_or_after, is_after),
            (self.end, at_or_before, is_before),
        ):
            if bound is None:
                continue
            try:
                limit = parse_period(bound.period)
            except SyntaxFault:
                continue
            if not (inclusive if bound.inclusive else exclusive)(period, limit):
                return False
        return True

    @property
    def text(self) -> str:
        """In words."""
        parts = []
        if self.start is not None:
            parts.append(f"{'from' if self.start.inclusive else 'after'} {self.start.period}")
        if self.end is not None:
            parts.append(f"{'to' if self.end.inclusive else 'before'} {self.end.period}")
        return " ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Some values of a component, and the periods for which they count.

    Attributes:
        values: exact texts; None: any (a time range says which).
        wildcards: texts with ``%``, of a component without list.
        is_listed: the component has a list of codes.
        span: where the component is time: the periods that are meant.
        valid: the periods reported for which the choice counts.
    """

    values: frozenset[str] | None = None
    wildcards: tuple[str, ...] = ()
    is_listed: bool = True
    span: Span | None = None
    valid: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """What one component must be: one of the choices, or with ``include`` False none of them."""

    component: str
    choices: tuple[Choice, ...]
    include: bool = True

    @property
    def has_time(self) -> bool:
        """Whether it depends on the period of a row."""
        return any(one.span is not None or one.valid is not None for one in self.choices)

    def of_time(self, time: str) -> Iterator[str]:
        """What it says of periods, in words.

        Args:
            time: the component that tells the period.
        """
        for one in self.choices:
            codes = sorted(one.values or ())
            shown = ", ".join(codes[:3]) + (", ..." if len(codes) > 3 else "")
            if one.span is not None:
                yield f"{'' if self.include else 'not '}{one.span.text}"
            elif self.component == time and one.valid is None:
                yield f"{'' if self.include else 'not '}{shown}"
            if one.valid is not None:
                yield f"{self.component} {'' if self.include else 'not '}{shown} {one.valid.text}"


Area = tuple[Term, ...]
"""A row lies in it where every term holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What one constraint says of rows.

    Attributes:
        constraint: its reference, as text.
        included: a row must lie in one of these, where there are any.
        excluded: it may lie in none of these.
        keys: key sets in order, each with whether its keys are included.
    """

    constraint: str
    included: tuple[Area, ...] = ()
    excluded: tuple[Area, ...] = ()
    keys: tuple[tuple[bool, tuple[Area, ...]], ...] = ()

    @property
    def _areas(self) -> tuple[Area, ...]:
        return (*self.included, *self.excluded, *(area for _, areas in self.keys for area in areas))

    def components(self) -> tuple[str, ...]:
        """What it is about."""
        return tuple(dict.fromkeys(term.component for area in self._areas for term in area))

    def times(self, time: str) -> tuple[str, ...]:
        """What it says of periods, in words, each once."""
        allowed = [*self.included, *(area for included, areas in self.keys if included for area in areas)]
        barred = [*self.excluded, *(area for included, areas in self.keys if not included for area in areas)]
        said = [words for area in allowed for term in area for words in term.of_time(time)]
        said += [f"not {words}" for area in barred for term in area for words in term.of_time(time)]
        return tuple(dict.fromkeys(said))


def limit_of(
    constraint: DataConstraint, known: Iterable[str], resolve: Resolved, *, whole: bool = False
) -> Limit | None:
    """What a constraint says of rows; None where the codes of each component, taken alone, say all of it.

    Args:
        known: the components of the structure.
        resolve: the codes that a member's values mean.
        whole: also what single codes say.
    """
    ids = frozenset(known)
    areas = [(region.include, tuple(_terms(region.members, ids, resolve))) for region in constraint.regions]
    if not whole and not constraint.key_sets and _is_plain(constraint.regions, areas):
        return None
    keys = []
    for one in constraint.key_sets:
        for include in (True, False):
            chosen = tuple(
                area for key in one.keys if key.include is include and (area := _key(key, ids, resolve)) is not None
            )
            if chosen:
                keys.append((one.included is include, chosen))
    return Limit(
        constraint=constraint.ref.text,
        included=tuple(area for include, area in areas if include),
        excluded=tuple(area for include, area in areas if not include and area),
        keys=tuple(keys),
    )


def _is_plain(regions: Iterable[CubeRegion], areas: list[tuple[bool, Area]]) -> bool:
    """Codes of single components, whatever the period: one included box, and exclusions of one component."""
    terms = [term for _, area in areas for term in area]
    if any(term.has_time or not all(one.is_listed for one in term.choices) for term in terms):
        return False
    if any(not include and len(area) > 1 for include, area in areas):
        return False
    return sum(1 for include, _ in areas if include) <= 1


def _key(key: DataKey, ids: frozenset[str], resolve: Resolved) -> Area | None:
    """A key as an area; None if it is about components that are not here."""
    if any(member.component not in ids for member in key.members):
        return None
    valid = Span.valid(key.valid_from, key.valid_to)
    return tuple(_terms(key.members, ids, resolve, valid))


def _terms(
    members: Iterable[KeyValue], ids: frozenset[str], resolve: Resolved, valid: Span | None = None
) -> Iterator[Term]:
    for member in members:
        if member.component not in ids or not (member.values or member.time_range is not None):
            continue
        if any(value.value == "%" for value in member.values):
            continue  # any value at all
        choices = tuple(_choices(member, resolve, Span.valid(member.valid_from, member.valid_to) or valid))
        yield Term(component=member.component, choices=choices, include=member.include)


def _choices(member: KeyValue, resolve: Resolved, valid: Span | None) -> Iterator[Choice]:
    if member.time_range is not None:
        own = Span.valid(member.time_range.valid_from, member.time_range.valid_to)
        yield Choice(span=Span.of(member.time_range), is_listed=False, valid=own or valid)
    by_validity: dict[Span | None, list[int]] = {}
    for place, value in enumerate(member.values):
        by_validity.setdefault(Span.valid(value.valid_from, value.valid_to) or valid, []).append(place)
    for span, places in by_validity.items():
        chosen = tuple(member.values[place] for place in places)
        part = KeyValue(component=member.component, values=chosen)
        codes = resolve(part)
        if codes is not None:
            yield Choice(values=codes, valid=span)
            continue
        texts = [value.value for value in chosen]
        yield Choice(
            values=frozenset(text for text in texts if "%" not in text),
            wildcards=tuple(text for text in texts if "%" in text),
            is_listed=False,
            valid=span,
        )
