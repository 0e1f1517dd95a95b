"""A selection answered from a read model: the same answers as ``storage.reading`` gives from the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.model.columns import columns
from sdmx_service.model.selection import Key, Selection
from sdmx_service.storage.keys import cluster_range, number_key
from sdmx_service.storage.layout import StoredColumn
from sdmx_service.storage.port import Availability, Counts
from sdmx_service.storage.readmodel.opened import Array, Integers, Model, spread
from sdmx_service.storage.readmodel.shaping import Shaping
from sdmx_service.storage.sql import passes, time_passes

MOST_NAMED = 4_096
"""So many series named by whole keys are looked up by their numbers."""
MOST_KEYS = 64
"""So many keys with gaps are looked for one after the other."""
BATCH = 65_536
"""Rows of a batch, about."""
SMALL = 20_000
"""Rows that are read once and kept for the next call."""

Mask = npt.NDArray[np.bool_]


_UNDERSTOOD = frozenset(
    (
        *("structure", "cube", "context", "release", "dataflows", "providers", "keys", "filters", "periods"),
        *("first_n", "last_n", "components", "offset", "limit"),
    )
)
"""What of a selection is taken account of here."""
_OTHERS = tuple(one for one in fields(Selection) if one.name not in _UNDERSTOOD)
"""What a selection may say beyond that, history for one: the database knows it."""


def answers(selection: Selection) -> bool:
    """Whether a read model can answer: no history, no order of its own, filters on dimensions and time only."""
    keys = {one.id for one in columns(selection.structure) if one.role in ("dimension", "time")}
    return (
        all(getattr(selection, one.name) == one.default for one in _OTHERS)
        and all(one.component in keys for one in selection.filters)
        and (len(selection.keys) <= MOST_KEYS or _named(selection.keys) is not None)
    )


def _named(keys: Sequence[Key]) -> set[tuple[str, ...]] | None:
    """The whole keys that are named; None where a key has a gap, or they are too many."""
    found: set[tuple[str, ...]] = set()
    for key in keys:
        parts = [codes for codes in key if codes is not None]
        count = 1
        for codes in parts:
            count *= len(codes)
        if len(parts) < len(key) or len(found) + count > MOST_NAMED:
            return None
        found.update(product(*parts))
    return found


class Piece(NamedTuple):
    """Rows of neighbouring series of the answer: their columns as stored, and per row the place of its series."""

    rows: pa.RecordBatch
    series: Integers


@dataclass(frozen=True)
class ModelReading:
    """One selection, read from one model."""

    model: Model
    selection: Selection

    @cached_property
    def columns(self) -> tuple[StoredColumn, ...]:
        """The columns of the answer."""
        wanted = self.selection.components
        return tuple(
            StoredColumn(id=c.id, name=c.id, role=c.role, kind=c.kind, level=c.level)
            for c in columns(self.selection.structure)
            if c.role in ("dimension", "time") or wanted is None or c.id in wanted
        )

    @cached_property
    def _dimensions(self) -> tuple[str, ...]:
        return tuple(c.id for c in self.columns if c.role == "dimension")

    @cached_property
    def _time(self) -> str | None:
        return next((c.id for c in self.columns if c.role == "time"), None)

    @property
    def can(self) -> bool:
        """Whether this model knows enough: with very many periods it keeps no sets of them."""
        return self._time is None or self.model.words > 0 or self._periods is None

    def knows(self, components: Sequence[str] | None) -> bool:
        """Whether the values of these components can be told: coded ones can, free texts and numbers not."""
        return components is None or set(components) <= {c.id for c in self.columns if c.id in self.model.domains}

    # --- which series ------------------------------------------------------------------------------------------

    @cached_property
    def _periods(self) -> Mask | None:
        """Which periods of the domain are wanted; None for all."""
        if self._time is None:
            return None
        known = self.model.domains[self._time]
        wanted, filters = self.selection.periods, [f for f in self.selection.filters if f.component == self._time]
        if wanted is None and not filters:
            return None
        found = np.fromiter(
            ((wanted is None or text in wanted) and all(time_passes(one, text) for one in filters) for text in known),
            np.bool_,
            len(known),
        )
        return None if found.all() else found

    @cached_property
    def _found(self) -> tuple[Integers | None, Integers]:
        """The series of the answer (None: all) and how many observations each has, paging left out."""
        chosen = self._chosen()
        counts = self.model.counts if chosen is None else self.model.counts[chosen]
        if self._periods is not None:
            counts = self._within_periods(chosen)
            used = np.flatnonzero(counts)
            if len(used) < len(counts):
                chosen, counts = used if chosen is None else chosen[used], counts[used]
        first, last = self.selection.first_n, self.selection.last_n
        if first is not None or last is not None:
            most = (first or 0) + (last or 0)
            counts = np.minimum(counts, most)
            if not most:
                return np.empty(0, np.int64), counts[:0]
        return chosen, counts

    def _within_periods(self, chosen: Integers | None) -> Integers:
        sets = self.model.period_sets if chosen is None else self.model.period_sets[chosen]
        found: Integers = np.bitwise_count(sets & self._period_words).sum(axis=1, dtype=np.int64)
        return found

    @cached_property
    def _period_words(self) -> npt.NDArray[np.uint64]:
        assert self._periods is not None
        bits = np.zeros(self.model.words * 64, np.uint8)
        bits[: len(self._periods)] = self._periods
        return np.packbits(bits, bitorder="little").view(np.uint64)

    def _chosen(self) -> Integers | None:
        """The series that keys and filters on dimensions leave; None for all."""
        found: Integers | None = None
        if self.selection.keys:
            named = _named(self.selection.keys)
            parts = [self._numbered(named)] if named is not None else [self._matching(k) for k in self.selection.keys]
            if not any(part is None for part in parts):
                every = [part for part in parts if part is not None]
                found = every[0] if len(every) == 1 else np.unique(np.concatenate(every))
        for one in self.selection.filters:
            if one.component != self._time:
                known = self.model.domains.get(one.component, ())
                table = np.fromiter((passes(one, code) for code in known), np.bool_, len(known))
                found = self._kept(one.component, table, found)
        return found

    def _kept(self, id: str, table: Mask, found: Integers | None) -> Integers:
        codes = self.model.codes(id)
        if not table.any():
            return np.empty(0, np.int64)
        if found is None:
            return np.flatnonzero(table[codes])
        return found[table[codes[found]]]

    def _numbered(self, named: set[tuple[str, ...]]) -> Integers:
        """The series of whole keys."""
        wanted = np.sort(np.fromiter((number_key(codes) for codes in named), np.int64, len(named)))
        if not len(wanted) or not len(self.model.sids):
            return np.empty(0, np.int64)
        places = np.minimum(np.searchsorted(self.model.sids, wanted), len(self.model.sids) - 1)
        found: Integers = places[self.model.sids[places] == wanted].astype(np.int64)
        return found

    def _matching(self, key: Key) -> Integers | None:
        """The series of a key; None for all."""
        if all(codes is None for codes in key):
            return None
        low, high = self._neighbours(key)
        mask = np.ones(high - low, np.bool_)
        for id, codes in zip(self._dimensions, key, strict=True):
            if codes is None:
                continue
            known = self.model.domains[id]
            positions = self.model.places(id)
            places = [positions[code] for code in codes if code in positions]
            if len(places) == len(known):
                continue
            own = self.model.codes(id)[low:high]
            if len(places) == 1:
                mask &= own == places[0]
            else:
                table = np.zeros(len(known), np.bool_)
                table[places] = True
                mask &= table[own]
        return np.flatnonzero(mask) + low

    def _neighbours(self, key: Key) -> tuple[int, int]:
        """The range of series that can match: those of one pair of codes lie together."""
        first = [codes for codes in key[:2] if codes is not None and len(codes) == 1]
        if len(first) < 2:
            return 0, len(self.model.sids)
        least, greatest = cluster_range([next(iter(codes)) for codes in first])
        low, high = np.searchsorted(self.model.sids, least), np.searchsorted(self.model.sids, greatest, side="right")
        return int(low), int(high)

    # --- counts ------------------------------------------------------------------------------------------------

    @cached_property
    def _ends(self) -> Integers:
        return np.cumsum(self._found[1])

    @property
    def total(self) -> int:
        """Observations, paging left out."""
        return int(self._ends[-1]) if len(self._ends) else 0

    def page(self) -> tuple[int, int]:
        """The first observation of the answer and the one after its last."""
        total, limit = self.total, self.selection.limit
        start = min(self.selection.offset, total)
        return start, total if limit is None else min(self.selection.offset + limit, total)

    def counts(self) -> Counts:
        """Series and observations of the answer."""
        start, stop = self.page()
        if stop <= start:
            return Counts(series=0, observations=0)
        first, last = np.searchsorted(self._ends, [start, stop - 1], side="right")
        return Counts(series=int(last - first) + 1, observations=stop - start)

    # --- rows --------------------------------------------------------------------------------------------------

    def batches(self, domains: Mapping[str, Sequence[str]]) -> Iterator[pa.RecordBatch]:
        """The rows of the answer."""
        start, stop = self.page()
        if stop <= start:
            return
        shaping = Shaping(self.model, self.columns, domains)
        begin = int(np.searchsorted(self._ends, start, side="right"))
        position = int(self._ends[begin - 1]) if begin else 0
        for piece in self._pieces(begin):
            count = piece.rows.num_rows
            low, high = max(0, start - position), min(count, stop - position)
            if high > low:
                yield shaping.batch(piece.rows.slice(low, high - low), piece.series[low:high])
            position += count
            if position >= stop:
                return

    def _pieces(self, begin: int = 0) -> Iterable[Piece]:
        """The rows of the answer from a series on, some series at a time."""
        return self._small if begin == 0 and self._is_small else self._read(begin)

    @cached_property
    def _is_small(self) -> bool:
        """The answer is read once, for the values that occur and for the rows."""
        chosen, _ = self._found
        return chosen is not None and int(self.model.counts[chosen].sum()) <= SMALL

    @cached_property
    def _small(self) -> list[Piece]:
        return list(self._read(0))

    def _read(self, begin: int) -> Iterator[Piece]:
        chosen, _ = self._found
        model = self.model
        if begin == 0 and chosen is None and self._periods is None and not self._is_limited:
            yield from (Piece(rows, series) for rows, series in model.everything())
            return
        stored = model.counts if chosen is None else model.counts[chosen]
        ends = np.cumsum(stored)
        size = len(stored)
        while begin < size:
            before = int(ends[begin - 1]) if begin else 0
            end = max(begin + 1, int(np.searchsorted(ends, before + BATCH, side="right")))
            places = np.arange(begin, end) if chosen is None else chosen[begin:end]
            counts = stored[begin:end]
            begins = model.begins[places]
            yield self._cut(Piece(model.rows(begins, begins + counts), np.repeat(places, counts)), counts)
            begin = end

    def _cut(self, piece: Piece, counts: Integers) -> Piece:
        """Without periods that are not wanted, and beyond the first and last ones."""
        rows = None
        if self._periods is not None and self._time is not None:
            kept = self._periods[piece.rows[self._time].to_numpy()]
            rows = np.flatnonzero(kept)
            number = np.repeat(np.arange(len(counts)), counts)
            counts = np.bincount(number[rows], minlength=len(counts))
        first, last = self.selection.first_n, self.selection.last_n
        if first is not None or last is not None:
            ends = np.cumsum(counts)
            begins = ends - counts
            heads = np.minimum(counts, first or 0)
            tails = np.minimum(counts - heads, last or 0)
            froms = np.stack([begins, ends - tails], axis=1).reshape(-1)
            tos = np.stack([begins + heads, ends], axis=1).reshape(-1)
            wanted = spread(froms, tos)
            rows = wanted if rows is None else rows[wanted]
        if rows is None:
            return piece
        return Piece(piece.rows.take(pa.array(rows)), piece.series[rows])

    def series(self, domains: Mapping[str, Sequence[str]]) -> Iterator[pa.RecordBatch]:
        """The series without observations; paging counts series."""
        chosen, counts = self._found
        stop = len(counts) if self.selection.limit is None else self.selection.offset + self.selection.limit
        shaping = Shaping(self.model, self.columns, domains)
        for begin in range(self.selection.offset, min(stop, len(counts)), BATCH):
            end = min(begin + BATCH, stop, len(counts))
            yield shaping.series(np.arange(begin, end) if chosen is None else chosen[begin:end])

    # --- values that occur -------------------------------------------------------------------------------------

    def domains(self, components: Sequence[str] | None = None) -> dict[str, list[str]]:
        """Per dimension, time and coded component (or only dimensions and time among ``components``) the values."""
        wanted = [c for c in self.columns if (c.id in self.model.domains if components is None else c.id in components)]
        chosen, counts = self._found
        if not len(counts):
            return {c.id: [] for c in wanted}
        if chosen is None and self._periods is None and not self._is_limited:
            return {c.id: list(self.model.domains[c.id]) for c in wanted}
        found = {c.id: self._values(c, chosen) for c in wanted if c.role == "dimension" or c.is_attached}
        observed = [c for c in wanted if c.id not in found]
        if self._time is not None and not self._is_limited and self.model.words:
            found[self._time] = self._occurring_periods(chosen)
            observed = [c for c in observed if c.role != "time"]
        found |= self._observed_values(observed)
        return {c.id: found[c.id] for c in wanted}

    @property
    def _is_limited(self) -> bool:
        return self.selection.first_n is not None or self.selection.last_n is not None

    def _values(self, column: StoredColumn, chosen: Integers | None) -> list[str]:
        """The values of a dimension, or of an attribute of a series, group or data set."""
        if column.role == "dimension":
            if len(known := self.model.domains[column.id]) == 1:
                return list(known)
            codes = self.model.codes(column.id)
            return _used(known, codes if chosen is None else codes[chosen])
        array = self.model.series[column.id]
        return _texts(column, array if chosen is None else array.take(pa.array(chosen)))

    def _occurring_periods(self, chosen: Integers | None) -> list[str]:
        sets = self.model.period_sets if chosen is None else self.model.period_sets[chosen]
        words = np.bitwise_or.reduce(sets, axis=0)
        if self._periods is not None:
            words = words & self._period_words
        known = self.model.domains[self._time or ""]
        bits = np.unpackbits(words.view(np.uint8), bitorder="little")
        return [known[place] for place in np.flatnonzero(bits).tolist()]

    def _observed_values(self, wanted: Sequence[StoredColumn]) -> dict[str, list[str]]:
        """The values of columns of observations, from the rows."""
        known = self.model.domains
        masks = {c.id: np.zeros(len(known[c.id]), np.bool_) for c in wanted if c.kind == "code"}
        texts: dict[str, set[str]] = {c.id: set() for c in wanted if c.kind != "code"}
        if wanted:
            for rows, _ in self._pieces():
                for column in wanted:
                    array = rows[column.id]
                    if column.kind == "code":
                        masks[column.id][array.drop_null().to_numpy()] = True
                    else:
                        texts[column.id].update(_texts(column, array))
        found = {id: [known[id][place] for place in np.flatnonzero(mask).tolist()] for id, mask in masks.items()}
        return found | {id: sorted(values) for id, values in texts.items()}

    def available(self, components: Sequence[str] | None) -> Availability:
        """Values, counts, first and last period."""
        keys = [c.id for c in self.columns if c.role in ("dimension", "time")]
        values = self.domains(keys if components is None else components)
        counts = self.counts()
        if self._time is None or not counts.observations:
            return Availability(values=values, counts=counts)
        periods = values.get(self._time) or self.domains([self._time])[self._time]
        return Availability(values=values, counts=counts, first_period=periods[0], last_period=periods[-1])

    # --- attachments -------------------------------------------------------------------------------------------

    def attachments(self) -> dict[str, pa.Table]:
        """Values of group and data set attributes that belong to series of the answer."""
        shown = {c.id for c in self.columns}
        chosen, counts = self._found
        found = {id: table for id, table in self.model.attachments.items() if id in shown}
        if not len(counts):
            return {id: table.slice(0, 0) for id, table in found.items()}
        if chosen is None:
            return found
        return {id: self._belonging(table, chosen) for id, table in found.items()}

    def _belonging(self, table: pa.Table, chosen: Integers) -> pa.Table:
        level = [name for name in self._dimensions if name in table.schema.names]
        if not level or not table.num_rows:
            return table
        mine = np.zeros(len(chosen), np.int64)
        theirs = np.zeros(table.num_rows, np.int64)
        known = np.ones(table.num_rows, np.bool_)
        for name in level:
            codes = self.model.domains[name]
            places = pc.index_in(table[name].combine_chunks(), value_set=pa.array(codes, pa.string()))
            known &= places.is_valid().to_numpy(zero_copy_only=False)
            mine = mine * len(codes) + self.model.codes(name)[chosen]
            theirs = theirs * len(codes) + places.fill_null(0).to_numpy(zero_copy_only=False)
        return table.filter(pa.array(known & np.isin(theirs, np.unique(mine))))


def _used(known: Sequence[str], codes: npt.NDArray[Any]) -> list[str]:
    mask = np.zeros(len(known), np.bool_)
    mask[codes] = True
    return [known[place] for place in np.flatnonzero(mask).tolist()]


def _texts(column: StoredColumn, array: Array) -> list[str]:
    """The single values in a column of codes or lists of codes; of multilingual texts the languages."""
    if column.kind == "multi":
        array = pc.list_flatten(array)
    elif column.kind == "multilingual":
        array = pa.concat_arrays([array]).keys if not array.offset else pa.concat_arrays([array, array[:0]]).keys
    elif pa.types.is_dictionary(array.type):
        return _used(array.dictionary.to_pylist(), array.indices.drop_null().to_numpy())
    return sorted(array.unique().drop_null().to_pylist())
