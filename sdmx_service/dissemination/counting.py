"""How much a query would give, before it is asked for, and the nearest query that gives something.

*Extension* of SDMX-REST, which has neither: whoever harvests wants exact numbers before a download, and whoever gets
nothing wants to know which part of the query is to blame. A query is a set of *limits*: positions of its key, filters,
its time. ``nearest`` keeps as many of them as have figures together, and puts in the place of each other one the value
that is nearest and has figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.dissemination.changes import spans
from sdmx_service.dissemination.plan import Plan, plan, plans_over
from sdmx_service.errors import SdmxError
from sdmx_service.model.artefact import Item
from sdmx_service.model.items import Code
from sdmx_service.model.period import Period, parse_period
from sdmx_service.model.query import Comparison, ComponentFilter, DataQuery, Key
from sdmx_service.model.structure import DataStructure
from sdmx_service.model.urn import Ref
from sdmx_service.storage.port import Counts, Store

_MOST_KEYS = 4
"""Keys of a list of keys that are tried one by one."""
_LISTED = 20
"""Values that are named beside the one put in place."""
TIME = "time"
"""Name of the limit that startPeriod and endPeriod set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """What a query gives of one artefact at a release: exact numbers; first and last period, None without time.

    Attributes:
        rows: how many rows tell it: observations, or series where only their keys are wanted.
    """

    artefact: Ref
    release: int
    counts: Counts
    rows: int
    first_period: str | None = None
    last_period: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One limit of a query put otherwise.

    Attributes:
        component: the dimension, attribute or measure.
        asked: what was asked, as text.
        instead: the value that has figures; None: the limit is left out.
        others: some more values that have figures there, nearest first.
    """

    component: str
    asked: str
    instead: str | None = None
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """A query that gives something, what had to be put otherwise for it, and how much it gives."""

    query: DataQuery
    changes: tuple[Change, ...]
    counts: Counts


def amounts(query: DataQuery, catalog: Catalog, store: Store, release: int) -> tuple[Amount, ...]:
    """What a query gives per artefact that has figures; ``offset`` and ``limit`` do not count."""
    found: list[Amount] = []
    moments = ((span.release, span.since) for span in spans(query, store, release))
    for plans in plans_over(replace(query, offset=0, limit=None, sort=()), catalog, store, moments):
        for one in plans:
            counts = store.count(one.selection)
            if counts.observations or (one.keys_only and counts.series):
                found.append(_amount(one, counts, store))
    return tuple(found)


def _amount(one: Plan, counts: Counts, store: Store) -> Amount:
    first, last = _covered(one, store)
    return Amount(
        artefact=one.artefact.ref,
        release=one.selection.release,
        counts=counts,
        rows=counts.series if one.keys_only else counts.observations,
        first_period=first,
        last_period=last,
    )


def _covered(one: Plan, store: Store) -> tuple[str | None, str | None]:
    time = one.structure.time_dimension
    if time is None:
        return None, None
    found = store.available(one.selection, [time.id])
    return found.first_period, found.last_period


def nearest(query: DataQuery, catalog: Catalog, store: Store, release: int) -> Nearest | None:
    """The nearest query that gives something, for one that gives nothing; None where there are no figures at all.

    What is asked about changes (``updatedAfter``, ``includeHistory``) is left out: nothing new is no fault of a query.
    """
    plain = replace(query, updated_after=None, include_history=False, offset=0, limit=None, sort=(), first_n=None,
                    last_n=None, measures=("all",), attributes=("dsd",), detail="full")  # fmt: skip
    last = max((span.release for span in spans(plain, store, release)), default=0)
    search = _Search(catalog=catalog, store=store, release=last)
    keys: Sequence[Key | None] = plain.keys[:_MOST_KEYS] or (None,)
    found = [search.nearest(replace(plain, keys=() if key is None else (key,))) for key in keys]
    best = min((one for one in found if one is not None), key=lambda one: len(one.changes), default=None)
    if best is None:
        return None
    return replace(best, query=replace(best.query, measures=query.measures, attributes=query.attributes,
                                       detail=query.detail))  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Limit:
    """A part of a query that can be left out: a position of its key, a filter, or its time."""

    component: str
    position: int | None = None

    def out_of(self, query: DataQuery) -> DataQuery:
        """The query without this limit."""
        if self.position is not None:
            return replace(query, keys=tuple(_with(key, self.position, None) for key in query.keys))
        if self.component == TIME:
            return replace(query, start_period=None, end_period=None)
        return replace(query, filters=tuple(one for one in query.filters if one.component != self.component))

    def asked(self, query: DataQuery) -> str:
        """What it asks, as a person would write it."""
        if self.position is not None:
            return " or ".join(dict.fromkeys(code for key in query.keys for code in key[self.position] or ()))
        if self.component == TIME:
            return f"{query.start_period or ''}..{query.end_period or ''}"
        return ",".join(
            "+".join(one.value if one.operator == "eq" else f"{one.operator}:{one.value}" for one in every)
            for one in query.filters
            if one.component == self.component
            for every in one.alternatives
        )

    def put(self, query: DataQuery, value: str) -> DataQuery:
        """The query with one value in the place of this limit."""
        if self.position is not None:
            return replace(query, keys=tuple(_with(key, self.position, (value,)) for key in query.keys))
        if self.component == TIME:
            return replace(query, start_period=value, end_period=value)
        equal = ComponentFilter(component=self.component, alternatives=((Comparison(value=value),),))
        kept = self.out_of(query)
        return replace(kept, filters=(*kept.filters, equal))


def _with(key: Key, position: int, codes: tuple[str, ...] | None) -> Key:
    return (*key[:position], codes, *key[position + 1 :])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """The search at one release."""

    catalog: Catalog
    store: Store
    release: int

    def nearest(self, query: DataQuery) -> Nearest | None:
        """The nearest query of one with at most one key."""
        plans = self._plans(query)
        if not plans:
            return None
        structure = plans[0].structure
        limits = tuple(_limits(query, structure))
        kept = self._most(query, limits)
        if kept is None:
            return None
        changed, changes = kept, []
        for limit in (one for one in limits if one.out_of(query) != query and one.asked(kept) != one.asked(query)):
            changed, change = self._put_otherwise(changed, limit, limit.asked(query), structure)
            changes.append(change)
        return Nearest(query=changed, changes=tuple(changes), counts=self._counts(changed))

    def _plans(self, query: DataQuery) -> tuple[Plan, ...]:
        return plan(query, self.catalog, self.store, self.release) if self.release else ()

    def _counts(self, query: DataQuery) -> Counts:
        every = [self.store.count(one.selection) for one in self._plans(query)]
        return Counts(series=sum(one.series for one in every), observations=sum(one.observations for one in every))

    def _has(self, query: DataQuery) -> bool:
        return self._counts(query).observations > 0

    def _most(self, query: DataQuery, limits: Sequence[_Limit]) -> DataQuery | None:
        """The query with as many limits as have figures together; rather one given up than several, the last first."""
        if self._has(query):
            return query
        for limit in reversed(limits):
            if self._has(without := limit.out_of(query)):
                return without
        kept: list[_Limit] = []
        for limit in limits:
            if self._has(_without(query, [one for one in limits if one not in (*kept, limit)])):
                kept.append(limit)
        found = _without(query, [one for one in limits if one not in kept])
        return found if kept or self._has(found) else None

    def _put_otherwise(
        self, query: DataQuery, limit: _Limit, asked: str, structure: DataStructure
    ) -> tuple[DataQuery, Change]:
        """The query with the nearest value that has figures; without the limit where it is of no dimension."""
        time = structure.time_dimension
        component = time.id if time is not None and limit.component == TIME else limit.component
        if component not in structure.key_ids:
            return query, Change(component=component, asked=asked)
        values = dict.fromkeys(
            value
            for one in self._plans(query)
            for value in self.store.available(one.selection, [component]).values.get(component, ())
        )
        if time is not None and component == time.id:
            ordered = _near_periods(asked, values)
        else:
            ordered = self._near_codes(asked, values, component, structure)
        change = Change(component=component, asked=asked, instead=ordered[0], others=tuple(ordered[1 : _LISTED + 1]))
        return limit.put(query, ordered[0]), change

    def _near_codes(self, asked: str, values: Iterable[str], component: str, structure: DataStructure) -> Sequence[str]:
        """Codes by nearness: those above the code asked for, those below, its neighbours, then the others."""
        described = structure.component(component)
        items = {} if described is None else self.catalog.codes(described) or {}
        code = asked.split(" or ")[0].split(",")[0]
        above = list(_line(code, items))
        parent = above[0] if above else None

        def rank(value: str) -> tuple[int, int]:
            if value in above:
                return (0, above.index(value))
            own = _parent(items.get(value))
            return (1, 0) if own == code else (2, 0) if own == parent else (3, 0)

        return sorted(values, key=rank)


def _without(query: DataQuery, limits: Iterable[_Limit]) -> DataQuery:
    for limit in limits:
        query = limit.out_of(query)
    return query


def _limits(query: DataQuery, structure: DataStructure) -> Iterator[_Limit]:
    """The limits of a query in the order of the structure, time last."""
    for position, id in enumerate(structure.dimension_ids):
        if any(position < len(key) and key[position] is not None for key in query.keys):
            yield _Limit(id, position)
    time = structure.time_dimension
    for one in query.filters:
        if time is None or one.component != time.id:
            yield _Limit(one.component)
    if time is not None and any(one.component == time.id for one in query.filters):
        yield _Limit(time.id)
    if query.start_period is not None or query.end_period is not None:
        yield _Limit(TIME)


def _line(code: str, items: Mapping[str, Item]) -> Iterator[str]:
    """The codes above a code, nearest first."""
    seen = {code}
    while (above := _parent(items.get(code))) is not None and above not in seen:
        seen.add(above)
        yield above
        code = above


def _parent(item: Item | None) -> str | None:
    return item.parent if isinstance(item, Code) else None


def _near_periods(asked: str, values: Iterable[str]) -> Sequence[str]:
    """Periods by their distance from what was asked, the later of two first."""
    wanted = [found for part in _parts(asked) if (found := _period(part)) is not None]
    known = [(text, _period(text)) for text in values]
    if not wanted:
        return [text for text, _ in reversed(known)]

    def distance(one: tuple[str, Period | None]) -> tuple[int, int]:
        if one[1] is None:
            return (1 << 62, 0)
        start = one[1].sort_key[0]
        return (min(abs(start - limit.sort_key[0]) for limit in wanted), -start)

    return [text for text, _ in sorted(known, key=distance)]


def _parts(asked: str) -> Iterator[str]:
    for part in asked.replace("..", ",").replace("+", ",").split(","):
        operator, colon, rest = part.partition(":")
        yield rest if colon and len(operator) == 2 and operator.isalpha() else part


def _period(text: str) -> Period | None:
    try:
        return parse_period(text)
    except SdmxError:
        return None
