"""Typed rows of a part into the work tables of a cube: keys become numbers, attached attributes rows of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sdmx_service.ahead import ahead
from sdmx_service.errors import SemanticFault, StorageFault
from sdmx_service.model.message import Action
from sdmx_service.model.period_columns import spans
from sdmx_service.storage.blocks import Integers
from sdmx_service.storage.engine import Session
from sdmx_service.storage.keys import KeyNumbers, KeyRuns, number_runs
from sdmx_service.storage.layout import CubeLayout, StoredColumn
from sdmx_service.storage.quoting import identifier
from sdmx_service.storage.values import Array, as_text, column_of, encode, encode_attached, is_given
from sdmx_service.storage.versions import Versions

Mask = npt.NDArray[np.bool_]

NO_PERIOD = 0
"""The period of structures without time."""
_MOST_NOTED = 1 << 22
"""Rows of a part up to which repeats are looked for row by row before the database is asked."""
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@dataclass
class Periods:
    """Numbers for periods: those known, and new ones in the order of time."""

    session: Session
    layout: CubeLayout
    numbers: dict[str, int] = field(default_factory=dict)
    _fresh: list[pa.Table] = field(default_factory=list)
    """The rows of those that are not in the database yet."""

    def load(self) -> None:
        """Read what is known; the period of structures without time is made known."""
        table = identifier(self.layout.table("periods"))
        self.numbers = {text: number for number, text in self.session.rows(f"SELECT _number, _period FROM {table}")}
        if self.layout.time is None and not self.numbers:
            self._add([""], [0], [0])
            self.write()

    def write(self) -> None:
        """Put new ones into the database."""
        for rows in self._fresh:
            self.session.insert(self.layout.table("periods"), rows)
        self._fresh.clear()

    def of(self, column: Any) -> Array:
        """The number of each period; null stays null. ``write`` is to follow once all are known.

        Raises:
            SemanticFault: a text is no period.
        """
        texts = column.dictionary.to_pylist()
        places = column.indices.drop_null().to_numpy(zero_copy_only=False)
        used = np.flatnonzero(np.bincount(places, minlength=len(texts))).tolist()
        fresh = sorted({texts[index] for index in used} - self.numbers.keys())
        if fresh:
            found = spans(fresh)
            for fault in found.errors.values():
                raise SemanticFault(fault.detail, hint=fault.hint)
            order = sorted(range(len(fresh)), key=lambda i: (found.starts[i], found.ends[i], fresh[i]))
            self._add([fresh[i] for i in order], found.starts[order].tolist(), found.ends[order].tolist())
        lookup = pa.array([self.numbers.get(text) for text in texts], pa.int32())
        return lookup.take(column.indices)

    def _add(self, texts: Sequence[str], starts: Sequence[int], ends: Sequence[int]) -> None:
        first = max(self.numbers.values(), default=-1) + 1
        numbers = list(range(first, first + len(texts)))
        rows = {"_number": pa.array(numbers, pa.int32()), "_period": pa.array(texts, pa.string()),
                "_start": pa.array(starts, pa.int64()), "_end": pa.array(ends, pa.int64())}  # fmt: skip
        self._fresh.append(pa.table(rows))
        self.numbers |= dict(zip(texts, numbers, strict=True))


@dataclass
class Seen:
    """The keys that came in, to write each once and to notice two keys of one number."""

    sids: Integers = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    checks: Integers = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    rows: int = 0

    def fresh(self, keys: KeyNumbers, rows: int | None = None) -> Integers:
        """The places of keys not seen before, one each.

        Args:
            rows: how many rows have these keys, where it is not one each.
        """
        sids, places = np.unique(keys.sid, return_index=True)
        order = np.searchsorted(sids, keys.sid)
        known = np.isin(sids, self.sids, assume_unique=True)
        clash = bool(np.any(keys.check[places][order] != keys.check))
        before = np.searchsorted(self.sids, sids[known])
        if clash or bool(np.any(self.checks[before] != keys.check[places[known]])):
            raise StorageFault("Two keys have the same number; the store cannot tell them apart.")
        chosen = places[~known]
        joined = np.concatenate([self.sids, sids[~known]])
        sorting = np.argsort(joined)
        self.sids = joined[sorting]
        self.checks = np.concatenate([self.checks, keys.check[chosen]])[sorting]
        self.rows += len(keys.sid) if rows is None else rows
        return np.asarray(chosen, dtype=np.int64)

    def cuts(self, rows: int) -> list[int]:
        """Numbers that cut the series into runs of about so many rows."""
        pieces = min(-(-self.rows // rows), len(self.sids))
        return [int(self.sids[len(self.sids) * piece // pieces]) for piece in range(1, pieces)]


@dataclass
class Repeats:
    """Whether a row may have come in twice: exact if not, a guess if so.

    Where each series comes whole and its periods ascend, it is enough that no series comes twice: 8 bytes a series.
    Else 8 bytes a row tell, up to a limit.
    """

    _series: list[Integers] | None = field(default_factory=list)
    """The runs of rows of one series; None where they say nothing."""
    _words: list[Integers] = field(default_factory=list)
    _rows: int = 0
    _last: tuple[int, int] | None = None
    """Series and period of the last row."""

    def add(self, runs: KeyRuns, periods: Array) -> None:
        """Note rows."""
        if not runs.rows:
            return
        self._rows += runs.rows
        numbers = np.asarray(periods.to_numpy(zero_copy_only=False)).astype(np.int64)
        self._note_series(runs, numbers)
        if self._rows > _MOST_NOTED:
            self._words.clear()
            return
        spread = numbers.view(np.uint64) * _SPREAD
        self._words.append((runs.sids().view(np.uint64) ^ spread).view(np.int64))

    def _note_series(self, runs: KeyRuns, numbers: Integers) -> None:
        if self._series is None:
            return
        ascends = numbers[1:] > numbers[:-1]
        ascends[runs.starts[1:] - 1] = True
        sids = runs.keys.sid
        if self._last is not None and self._last[0] == sids[0]:  # the series of the piece before goes on
            sids = sids[1:]
            ascends = np.append(ascends, numbers[0] > self._last[1])
        self._last = int(runs.keys.sid[-1]), int(numbers[-1])
        if bool(ascends.all()):
            self._series.append(sids)
        else:
            self._series = None

    @property
    def is_possible(self) -> bool:
        """Some row may be there twice."""
        if self._series is not None and not _is_repeated(self._series):
            return False
        return self._rows > _MOST_NOTED or _is_repeated(self._words)


def _is_repeated(pieces: Sequence[Integers]) -> bool:
    if not pieces:
        return False
    numbers = np.concatenate(pieces)
    numbers.sort()
    return bool(np.any(numbers[1:] == numbers[:-1]))


@dataclass
class _Piece:
    """Rows that come in together.

    Attributes:
        first: the number of the first row.
        is_observation: which rows have every dimension; None where all have.
    """

    rows: pa.Table
    layout: CubeLayout
    first: int
    is_observation: Mask | None
    _sids: dict[tuple[str, ...], Integers] = field(default_factory=dict)

    @property
    def numbers(self) -> Integers:
        """The rows' numbers in the part."""
        return np.arange(self.first, self.first + self.rows.num_rows, dtype=np.int64)

    def runs(self, rows: pa.Table, level: Sequence[StoredColumn]) -> KeyRuns:
        """The numbers of keys of a level."""
        wanted = {column.id for column in level}
        parts = [_codes(rows, column.id) if column.id in wanted else None for column in self.layout.dimensions]
        return number_runs(parts, rows.num_rows)

    def sids(self, level: Sequence[StoredColumn]) -> Integers:
        """Per row the number of its key of a level."""
        name = tuple(column.id for column in level)
        if name not in self._sids:
            self._sids[name] = self.runs(self.rows, level).sids()
        return self._sids[name]

    def is_level(self, level: Sequence[StoredColumn]) -> Mask:
        """Rows whose dimensions are just those of the level."""
        same = np.ones(self.rows.num_rows, dtype=np.bool_)
        for dimension in self.layout.dimensions:
            given = _is_valid(self.rows, dimension.id)
            same &= given if dimension in level else ~given
        if self.layout.time is not None:
            same &= ~_is_valid(self.rows, self.layout.time.id)
        return same


class _Ready(NamedTuple):
    """What rows become in the work tables."""

    observations: pa.Table | None
    keys: pa.Table | None
    attached: Sequence[pa.Table]


@dataclass
class Incoming:
    """Fills the work tables of a cube from the batches of one part."""

    session: Session
    layout: CubeLayout
    periods: Periods
    seen: Seen
    observations: Versions
    attachments: Versions
    dataflow: int
    provider: int
    action: Action
    row: int = 0
    repeats: Repeats = field(default_factory=Repeats)

    def fill(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Write observations, keys and attached values of a Merge or Replace, while the next are made ready."""
        with closing(ahead(self._all_ready(batches))) as pieces:
            for piece in pieces:
                if piece.observations is not None:
                    self.observations.take(piece.observations)
                if piece.keys is not None:
                    self.session.insert(self.layout.table("keys"), piece.keys)
                for rows in piece.attached:
                    self.attachments.take(rows)
        self.periods.write()

    def _all_ready(self, batches: Iterable[pa.RecordBatch]) -> Iterator[_Ready]:
        """The rows of the work tables; the database is not asked."""
        for batch in batches:
            for piece in _pieces(batch):
                yield self._ready(pa.Table.from_batches([piece]).unify_dictionaries())

    def _ready(self, rows: pa.Table) -> _Ready:
        is_observation = np.ones(rows.num_rows, dtype=np.bool_)
        for column in (*self.layout.dimensions, *([self.layout.time] if self.layout.time else [])):
            is_observation &= _is_valid(rows, column.id)
        piece = _Piece(rows, self.layout, self.row, None if is_observation.all() else is_observation)
        self.row += rows.num_rows
        observations, keys = self._observations(piece) if is_observation.any() else (None, None)
        attached = [self._attached(column, piece) for column in self.layout.attached]
        return _Ready(observations, keys, [rows for rows in attached if rows is not None])

    def _origin(self, sids: Integers) -> dict[str, Array]:
        count = len(sids)
        return {
            "_sid": pa.array(sids),
            "_dataflow": pa.array(np.full(count, self.dataflow, dtype=np.int32)),
            "_provider": pa.array(np.full(count, self.provider, dtype=np.int32)),
        }

    def _observations(self, piece: _Piece) -> tuple[pa.Table, pa.Table | None]:
        """The observations, and the keys that were not seen before."""
        rows, numbers = piece.rows, piece.numbers
        if piece.is_observation is not None:
            rows, numbers = rows.filter(pa.array(piece.is_observation)), numbers[piece.is_observation]
        runs = piece.runs(rows, self.layout.dimensions)
        found = self._origin(runs.sids())
        if self.layout.time is None:
            found["_period"] = pa.array(np.full(rows.num_rows, NO_PERIOD, dtype=np.int32))
        else:
            found["_period"] = self.periods.of(_codes(rows, self.layout.time.id))
        self.repeats.add(runs, found["_period"])
        for column in self.layout.observed:
            found |= encode(column, rows)
        found["_row"] = pa.array(numbers)
        fresh = self.seen.fresh(runs.keys, runs.rows)
        if not len(fresh):
            return pa.table(found), None
        taken = _taken(rows, self.layout.dimensions, runs.starts[fresh])
        dimensions = {c.name: as_text(column_of(taken, c.id)) for c in self.layout.dimensions}
        return pa.table(found), pa.table({"_sid": pa.array(runs.keys.sid[fresh]), **dimensions})

    def _attached(self, column: StoredColumn, piece: _Piece) -> pa.Table | None:
        """The last value of each partial key; with Replace, rows of just that level end what they omit."""
        level = [c for c in self.layout.dimensions if c.id in (column.level or ())]
        keep = is_given(column, piece.rows).to_numpy(zero_copy_only=False)
        if self.action is Action.REPLACE and piece.is_observation is not None:
            keep = keep | (piece.is_level(level) & ~piece.is_observation)
        if not keep.any():
            return None
        places = np.flatnonzero(keep)
        sids = piece.sids(level)[places]
        ends = np.flatnonzero(np.append(sids[1:] != sids[:-1], True))
        last = ends[len(ends) - 1 - np.unique(sids[ends][::-1], return_index=True)[1]]
        sids, places = sids[last], places[last]
        rows = _taken(piece.rows, [*level, column], places)
        found = self._origin(sids)
        found["_component"] = pa.array([column.id] * len(sids), pa.string())
        for dimension in self.layout.dimensions:
            is_part = dimension in level
            found[dimension.name] = (
                as_text(column_of(rows, dimension.id)) if is_part else pa.nulls(len(sids), pa.string())
            )
        found["_value"] = encode_attached(column, rows)
        found["_row"] = pa.array(piece.numbers[places])
        return pa.table(found)


def _is_valid(rows: pa.Table, id: str) -> Mask:
    return np.asarray(column_of(rows, id).is_valid().to_numpy(zero_copy_only=False), dtype=np.bool_)


def _taken(rows: pa.Table, columns: Sequence[StoredColumn], places: Integers) -> pa.Table:
    """The rows at some places, with no other components than these."""
    wanted = {name for column in columns for name in (column.id, f"{column.id}.decimals", f"{column.id}.text")}
    names = [name for name in rows.column_names if name in wanted]
    if not names:
        return pa.table({"_": pa.nulls(len(places))})
    return rows.select(names).take(pa.array(places))


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    for start in range(0, batch.num_rows, 1 << 18):
        yield batch.slice(start, 1 << 18)


def _codes(rows: pa.Table, id: str) -> Any:
    column = column_of(rows, id)
    return column if pa.types.is_dictionary(column.type) else column.dictionary_encode()


@dataclass(frozen=True)
class DeletePattern:
    """Rows of a Delete that name the same dimensions and components."""

    number: int
    dimensions: tuple[StoredColumn, ...]
    has_period: bool
    components: tuple[StoredColumn, ...]


def fill_deletes(incoming: Incoming, batches: Iterable[pa.RecordBatch]) -> list[DeletePattern]:
    """Write what a Delete names into a work table; returns the patterns in it."""
    layout, patterns = incoming.layout, dict[bytes, DeletePattern]()
    time = layout.time
    for batch in batches:
        rows = pa.Table.from_batches([batch]).unify_dictionaries()
        values = (*layout.observed, *layout.attached)
        flags = [column_of(rows, c.id).is_valid() for c in layout.dimensions]
        flags.append(
            pa.array(np.zeros(rows.num_rows, dtype=np.bool_)) if time is None else column_of(rows, time.id).is_valid()
        )
        flags += [is_given(column, rows) for column in values]
        matrix = np.stack([flag.to_numpy(zero_copy_only=False) for flag in flags], axis=1).astype(np.uint8)
        distinct, places = np.unique(matrix, axis=0, return_inverse=True)
        for place, flag_row in enumerate(distinct):
            pattern = patterns.get(flag_row.tobytes())
            if pattern is None:
                pattern = patterns[flag_row.tobytes()] = _pattern(len(patterns), layout, flag_row.tolist())
            _write_deletes(incoming, rows.filter(pa.array(places.reshape(-1) == place)), pattern)
    return list(patterns.values())


def _pattern(number: int, layout: CubeLayout, flags: Sequence[int]) -> DeletePattern:
    count = len(layout.dimensions)
    values = (*layout.observed, *layout.attached)
    return DeletePattern(
        number,
        tuple(c for c, flag in zip(layout.dimensions, flags, strict=False) if flag),
        bool(flags[count]),
        tuple(c for c, flag in zip(values, flags[count + 1 :], strict=True) if flag),
    )


def _write_deletes(incoming: Incoming, rows: pa.Table, pattern: DeletePattern) -> None:
    layout, count = incoming.layout, rows.num_rows
    found: dict[str, Array] = {"_pattern": pa.array(np.full(count, pattern.number, dtype=np.int32))}
    for column in layout.dimensions:
        found[column.name] = as_text(column_of(rows, column.id))
    if pattern.has_period and layout.time is not None:
        codes = _codes(rows, layout.time.id)
        known = pa.array([incoming.periods.numbers.get(text, -1) for text in codes.dictionary.to_pylist()], pa.int32())
        found["_period"] = known.take(codes.indices)
    else:
        found["_period"] = pa.nulls(count, pa.int32())
    incoming.session.insert(layout.table("deletes"), pa.table(found).combine_chunks())
