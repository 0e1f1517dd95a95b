"""Rows against what constraints say beyond single codes: combinations of codes, ranges of time, validity.

Columns are judged by their distinct values; a row costs a few lookups in arrays, and keys of a set are numbers that are
looked up together. What a row leaves open (a dimension that it does not name, a mark) counts as fitting.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.catalog.constraints import Allowed
from sdmx_service.catalog.limits import Area, Choice, Limit, Span, Term
from sdmx_service.errors import SyntaxFault
from sdmx_service.model.columns import NOT_A_NUMBER, NOT_APPLICABLE, NOT_AVAILABLE
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.period import Period, parse_period
from sdmx_service.model.structure import DataStructure

_Mask = npt.NDArray[np.bool_]
_MARKS = (NOT_APPLICABLE, NOT_AVAILABLE, NOT_A_NUMBER)
_MOST_PRODUCTS = 64
"""Keys that one key with several values per dimension is written out to."""
_MOST_TOLD = 5
_MOST_CODES = 1 << 62
_OF_FLOW = ("F250", "F251")
"""Codes of findings by what structure and dataflow allow: of the period, of codes together."""
_OF_PROVIDER = ("F252", "F253")
"""The same by what the provider may send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """Rows that a constraint does not allow.

    Attributes:
        code: of the finding.
        constraint: as text.
        component: at which they are told.
        expected: what is allowed, in words.
        rows: their places in the batch.
        values: per row what is not allowed.
    """

    code: str
    constraint: str
    component: str
    expected: str
    rows: npt.NDArray[np.int64]
    values: pa.StringArray

    def group(self, places: pa.Table) -> FindingGroup:
        """As findings.

        Args:
            places: of the rows, with the values.
        """
        said = {"component": self.component, "constraint": self.constraint, "expected": self.expected}
        return FindingGroup.of(self.code, places=places, count=None, **said)


class AllowedRows:
    """The limits of a target, for batch after batch."""

    def __init__(self, structure: DataStructure, allowed: Allowed) -> None:
        self._ids = tuple(one.id for one in structure.components)
        time = structure.time_dimension
        self._time = None if time is None else time.id
        self._allowed = allowed

    @property
    def is_any(self) -> bool:
        """Whether there is anything to look at."""
        return bool(self._allowed.limits or self._allowed.provided or self._allowed.agreed)

    def breaches(self, arrays: Mapping[str, pa.Array], count: int, known: _Mask | None = None) -> Iterator[Breach]:
        """What is not allowed in a batch.

        Args:
            arrays: components as typed, those that are texts or codes.
            count: rows.
            known: rows of which something is told already, which are left alone.
        """
        if not count or not self.is_any:
            return
        rows = _Rows(arrays, count, self._time)
        free = np.zeros(count, bool) if known is None else known
        for limit in self._allowed.limits:
            yield from self._told(rows, ((limit,),), free, _OF_FLOW)
        for limit in self._allowed.provided:
            yield from self._told(rows, ((limit,),), free, _OF_PROVIDER)
        if self._allowed.agreed:
            yield from self._told(rows, self._allowed.agreed, free, _OF_PROVIDER)

    def _told(
        self, rows: _Rows, groups: Sequence[Sequence[Limit]], known: _Mask, codes: tuple[str, str]
    ) -> Iterator[Breach]:
        """The rows that keep no group whole, apart those of another time and those of other codes.

        Args:
            known: rows that are left alone.
            codes: of the findings, for the one and the other.
        """
        count = len(known)
        wrong = ~(_any([_all([rows.keep(limit) for limit in group], count) for group in groups], count) | known)
        if not wrong.any():
            return
        limits = tuple(limit for group in groups for limit in group)
        names = ", ".join(dict.fromkeys(limit.constraint for limit in limits))
        at_other_times = np.zeros(count, bool)
        if self._time is not None:
            for group in groups:
                at_other_times |= _all([rows.keep(limit, whenever=True) for limit in group], count)
            early = np.flatnonzero(wrong & at_other_times)
            if len(early):
                yield Breach(
                    code=codes[0],
                    constraint=names,
                    component=self._time,
                    expected=_listed(words for limit in limits for words in limit.times(self._time)),
                    rows=early,
                    values=rows.texts(self._time, early),
                )
        late = np.flatnonzero(wrong & ~at_other_times)
        if len(late):
            said = {id for limit in limits for id in limit.components()}
            shown = [id for id in self._ids if id in said]
            yield Breach(
                code=codes[1],
                constraint=names,
                component=shown[0],
                expected=_listed(words for limit in limits for words in _areas_in_words(limit)),
                rows=late,
                values=rows.together(shown, late),
            )


def _listed(words: Iterable[str]) -> str:
    every = list(dict.fromkeys(words))
    return "; ".join(every[:_MOST_TOLD]) + ("; ..." if len(every) > _MOST_TOLD else "")


def _areas_in_words(limit: Limit) -> Iterator[str]:
    """What is allowed together, and what is not."""
    for area in limit.included:
        yield _in_words(area)
    for area in limit.excluded:
        yield f"not {_in_words(area)}"
    for included, areas in limit.keys:
        for area in areas:
            yield _in_words(area) if included else f"not {_in_words(area)}"


def _in_words(area: Area) -> str:
    parts = []
    for term in area:
        values = sorted({value for one in term.choices for value in (*(one.values or ()), *one.wildcards)})
        spans = [one.span.text for one in term.choices if one.span is not None]
        shown = " or ".join([*values[:_MOST_TOLD], *(["..."] if len(values) > _MOST_TOLD else []), *spans])
        parts.append(
            f"{term.component}{'=' if values else ' '}{shown}" if term.include else f"{term.component} not {shown}"
        )
    return ", ".join(parts)


# --- rows -----------------------------------------------------------------------------------------------------------
class _Rows:
    """The rows of a batch, asked what holds of each."""

    def __init__(self, arrays: Mapping[str, pa.Array], count: int, time: str | None) -> None:
        self._arrays, self._count, self._time = arrays, count, time
        self._encoded: dict[str, tuple[list[str | None], npt.NDArray[np.int64]]] = {}
        self._periods: list[Period | None] | None = None

    def column(self, id: str) -> tuple[list[str | None], npt.NDArray[np.int64]]:
        """The distinct values of a component, the last one none, and the place in them of each row's."""
        if id not in self._encoded:
            array = self._arrays.get(id)
            if array is None or not (pa.types.is_dictionary(array.type) or pa.types.is_string(array.type)):
                self._encoded[id] = ([None], np.zeros(self._count, np.int64))
            else:
                coded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
                values = coded.dictionary.cast(pa.string()).to_pylist()
                places = coded.indices.cast(pa.int64()).fill_null(len(values)).to_numpy(zero_copy_only=False)
                self._encoded[id] = ([*values, None], places)
        return self._encoded[id]

    def texts(self, id: str, rows: npt.NDArray[np.int64]) -> pa.StringArray:
        """The values of a component in some rows."""
        values, places = self.column(id)
        return pa.array(values, pa.string()).take(pa.array(places[rows]))

    def together(self, ids: Sequence[str], rows: npt.NDArray[np.int64]) -> pa.StringArray:
        """The values of several components in some rows: ``AREA=MT, SEX=F``; none of what a row leaves open."""
        parts = [pc.binary_join_element_wise(f"{id}=", self.texts(id, rows), "", null_handling="skip") for id in ids]
        return pc.binary_join_element_wise(*parts, ", ")

    # --- what holds ----------------------------------------------------------------------------------------------
    def keep(self, limit: Limit, *, whenever: bool = False) -> _Mask:
        """The rows that a limit allows; with ``whenever`` those that it would allow in some period."""
        found = np.ones(self._count, bool)
        if limit.included:
            found &= _any(
                [self.inside(area, open_fits=True, whenever=whenever) for area in limit.included], self._count
            )
        for area in limit.excluded:
            if not (whenever and any(self._is_timed(term) for term in area)):
                found &= ~self.inside(area, open_fits=False)
        return found & self._by_keys(limit, whenever=whenever) if limit.keys else found

    def _is_timed(self, term: Term) -> bool:
        return term.has_time or term.component == self._time

    def inside(self, area: Area, *, open_fits: bool, whenever: bool = False) -> _Mask:
        """The rows in an area; ``open_fits``: what a row leaves open fits."""
        return _all([self._holds(term, open_fits=open_fits, whenever=whenever) for term in area], self._count)

    def _holds(self, term: Term, *, open_fits: bool, whenever: bool) -> _Mask:
        if whenever and term.component == self._time:
            return np.ones(self._count, bool)
        values, places = self.column(term.component)
        is_open = np.array([value is None or value in _MARKS for value in values])[places]
        found = np.zeros(self._count, bool)
        for one in term.choices:
            test = _test(one, self._period)
            one_holds = np.array([value is not None and test(value) for value in values])[places]
            if one.valid is not None and not (whenever and term.include):
                one_holds = one_holds & self._within(one.valid, unknown=True)
            found |= one_holds
        if whenever and not term.include and term.has_time:
            return np.ones(self._count, bool)
        return np.where(is_open, open_fits, found if term.include else ~found)

    def _period(self, text: str) -> Period | None:
        try:
            return parse_period(text)
        except SyntaxFault:
            return None

    def _within(self, span: Span, *, unknown: bool) -> _Mask:
        """The rows whose period lies in a span."""
        if self._time is None:
            return np.full(self._count, unknown)
        values, places = self.column(self._time)
        if self._periods is None:
            self._periods = [None if value is None else self._period(value) for value in values]
        return np.array([unknown if one is None else span.holds(one) for one in self._periods])[places]

    # --- keys ----------------------------------------------------------------------------------------------------
    def _by_keys(self, limit: Limit, *, whenever: bool) -> _Mask:
        """The rows whose key is left by key sets, taken in order."""
        found = np.full(self._count, not any(included for included, _ in limit.keys))
        for included, areas in limit.keys:
            listed = self._listed(areas, open_fits=included, whenever=whenever)
            found = found | listed if included else found & ~listed
        return found

    def _listed(self, areas: Sequence[Area], *, open_fits: bool, whenever: bool) -> _Mask:
        """The rows that have one of the keys; plain keys of the same dimensions are looked up together."""
        together: dict[tuple[tuple[str, ...], Span | None], list[Area]] = {}
        found = np.zeros(self._count, bool)
        for area in areas:
            spans = {one.valid for term in area for one in term.choices}
            if area and len(spans) == 1 and all(_is_plain(term) for term in area) and _products(area) <= _MOST_PRODUCTS:
                ids = tuple(term.component for term in area)
                together.setdefault((ids, spans.pop()), []).append(area)
            elif not (whenever and not open_fits and any(self._is_timed(term) for term in area)):
                found |= self.inside(area, open_fits=open_fits, whenever=whenever)
        for (ids, span), alike in together.items():
            if whenever and (span is not None or self._time in ids):
                if not open_fits:
                    continue
                kept = [tuple(term for term in area if term.component != self._time) for area in alike]
                found |= _any([self.inside(area, open_fits=True, whenever=True) for area in kept], self._count)
                continue
            listed = self._with_keys(ids, alike, open_fits=open_fits)
            found |= listed if span is None else listed & self._within(span, unknown=open_fits)
        return found

    def _with_keys(self, ids: Sequence[str], areas: Sequence[Area], *, open_fits: bool) -> _Mask:
        """The rows whose codes of some dimensions are those of a key."""
        wanted = [
            dict(zip((term.component for term in area), codes, strict=True))
            for area in areas
            for codes in product(*(sorted(term.choices[0].values or ()) for term in area))
        ]
        row_numbers, key_numbers = np.zeros(self._count, np.int64), np.zeros(len(wanted), np.int64)
        is_open, size, is_here = np.zeros(self._count, bool), 1, np.ones(len(wanted), bool)
        for id in ids:
            values, places = self.column(id)
            numbers = {value: number for number, value in enumerate(values)}
            theirs = np.array([numbers.get(one[id], -1) for one in wanted], np.int64)
            is_here &= theirs >= 0
            is_open |= np.array([value is None or value in _MARKS for value in values])[places]
            if size * len(values) >= _MOST_CODES:
                joined = np.unique(np.concatenate([row_numbers, key_numbers]), return_inverse=True)[1]
                row_numbers, key_numbers, size = joined[: self._count], joined[self._count :], int(joined.max()) + 1
            row_numbers, key_numbers = row_numbers * len(values) + places, key_numbers * len(values) + theirs
            size *= len(values)
        found = np.isin(row_numbers, key_numbers[is_here])
        if is_open.any() and open_fits:
            found |= is_open & _any([self.inside(area, open_fits=True) for area in areas], self._count)
        return found & (open_fits | ~is_open)


def _is_plain(term: Term) -> bool:
    """One choice of exact values."""
    return term.include and len(term.choices) == 1 and bool(term.choices[0].values) and not term.choices[0].wildcards


def _products(area: Area) -> int:
    return prod(len(term.choices[0].values or ()) for term in area)


def _test(one: Choice, period: Callable[[str], Period | None]) -> Callable[[str], bool]:
    """Whether a value is one of a choice's, its validity apart."""
    span = one.span
    if span is not None:

        def in_span(text: str) -> bool:
            found = period(text)
            return found is None or span.holds(found)  # what is no period is told otherwise

        return in_span
    patterns = [re.compile(".*".join(map(re.escape, text.split("%")))) for text in one.wildcards]
    values = one.values or frozenset()
    return lambda text: text in values or any(pattern.fullmatch(text) for pattern in patterns)


def _all(masks: Sequence[_Mask], count: int) -> _Mask:
    found = np.ones(count, bool)
    for mask in masks:
        found &= mask
    return found


def _any(masks: Sequence[_Mask], count: int) -> _Mask:
    found = np.zeros(count, bool)
    for mask in masks:
        found |= mask
    return found
