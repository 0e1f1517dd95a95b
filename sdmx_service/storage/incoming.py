"""Typed rows of a part into the work tables of a cube: keys become numbers, attached attributes rows of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from sdmx_service.errors import SemanticFault, StorageFault
from sdmx_service.model.message import Action
from sdmx_service.model.period import spans
from sdmx_service.storage.blocks import Integers
from sdmx_service.storage.engine import Session
from sdmx_service.storage.keys import KeyNumbers, number_keys
from sdmx_service.storage.layout import CubeLayout, StoredColumn
from sdmx_service.storage.quoting import identifier
from sdmx_service.storage.values import Array, as_text, column_of, encode, encode_attached, is_given

NO_PERIOD = 0
"""The period of structures without time."""
_MOST_NOTED = 1 << 25
"""Rows of a part up to which repeats are looked for before the database is asked."""
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@dataclass
class Periods:
    """Numbers for periods: those known, and new ones in the order of time."""

    session: Session
    layout: CubeLayout
    numbers: dict[str, int] = field(default_factory=dict)

    def load(self) -> None:
        """Read what is known; the period of structures without time is made known."""
        table = identifier(self.layout.table("periods"))
        self.numbers = {text: number for number, text in self.session.rows(f"SELECT _number, _period FROM {table}")}
        if self.layout.time is None and not self.numbers:
            self._add([""], [0], [0])

    def of(self, column: Any) -> Array:
        """The number of each period; null stays null.

        Raises:
            SemanticFault: a text is no period.
        """
        texts = column.dictionary.to_pylist()
        used = np.unique(column.indices.drop_null().to_numpy(zero_copy_only=False)).tolist()
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
        self.session.insert(self.layout.table("periods"), pa.table(rows))
        self.numbers |= dict(zip(texts, numbers, strict=True))


@dataclass
class Seen:
    """The keys that came in, to write each once and to notice two keys of one number."""

    sids: Integers = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    checks: Integers = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    rows: int = 0

    def fresh(self, keys: KeyNumbers) -> Integers:
        """The rows of keys not seen before, one each."""
        sids, rows = np.unique(keys.sid, return_index=True)
        order = np.searchsorted(sids, keys.sid)
        known = np.isin(sids, self.sids, assume_unique=True)
        clash = bool(np.any(keys.check[rows][order] != keys.check))
        places = np.searchsorted(self.sids, sids[known])
        if clash or bool(np.any(self.checks[places] != keys.check[rows[known]])):
            raise StorageFault("Two keys have the same number; the store cannot tell them apart.")
        chosen = rows[~known]
        joined = np.concatenate([self.sids, sids[~known]])
        sorting = np.argsort(joined)
        self.sids = joined[sorting]
        self.checks = np.concatenate([self.checks, keys.check[chosen]])[sorting]
        self.rows += len(keys.sid)
        return np.asarray(chosen, dtype=np.int64)

    def cuts(self, rows: int) -> list[int]:
        """Numbers that cut the series into runs of about so many rows."""
        pieces = min(-(-self.rows // rows), len(self.sids))
        return [int(self.sids[len(self.sids) * piece // pieces]) for piece in range(1, pieces)]


@dataclass
class Repeats:
    """Whether a row may have come in twice: exact if not, a guess if so; 8 bytes a row, up to a limit."""

    _words: list[Integers] = field(default_factory=list)
    _rows: int = 0

    def add(self, sids: Integers, periods: Array) -> None:
        """Note rows."""
        self._rows += len(sids)
        if self._rows > _MOST_NOTED:
            self._words.clear()
            return
        numbers = np.asarray(periods.to_numpy(zero_copy_only=False)).astype(np.uint64)
        self._words.append((sids.view(np.uint64) ^ (numbers * _SPREAD)).view(np.int64))

    @property
    def is_possible(self) -> bool:
        """Some row may be there twice."""
        if self._rows > _MOST_NOTED:
            return True
        if not self._words:
            return False
        words = np.concatenate(self._words)
        words.sort()
        return bool(np.any(words[1:] == words[:-1]))


@dataclass
class Incoming:
    """Fills the work tables of a cube from the batches of one part."""

    session: Session
    layout: CubeLayout
    periods: Periods
    seen: Seen
    dataflow: int
    provider: int
    action: Action
    row: int = 0
    repeats: Repeats = field(default_factory=Repeats)

    def fill(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Write observations, keys and attached values of a Merge or Replace."""
        for batch in batches:
            for piece in _pieces(batch):
                self._fill(pa.Table.from_batches([piece]).unify_dictionaries())

    def _fill(self, rows: pa.Table) -> None:
        count = rows.num_rows
        numbers = pa.array(np.arange(self.row, self.row + count, dtype=np.int64))
        self.row += count
        is_observation = np.ones(count, dtype=np.bool_)
        for column in (*self.layout.dimensions, *([self.layout.time] if self.layout.time else [])):
            is_observation &= column_of(rows, column.id).is_valid().to_numpy(zero_copy_only=False)
        whole = bool(is_observation.all())
        chosen = rows if whole else rows.filter(pa.array(is_observation))
        if chosen.num_rows:
            self._observations(chosen, numbers if whole else numbers.filter(pa.array(is_observation)))
        for column in self.layout.attached:
            self._attached(column, rows, numbers, is_observation)

    def _keys(self, rows: pa.Table, columns: Sequence[StoredColumn]) -> KeyNumbers:
        wanted = {column.id for column in columns}
        parts = [_codes(rows, column.id) if column.id in wanted else None for column in self.layout.dimensions]
        return number_keys(parts, rows.num_rows)

    def _origin(self, sids: Integers) -> dict[str, Array]:
        count = len(sids)
        return {
            "_sid": pa.array(sids),
            "_dataflow": pa.array(np.full(count, self.dataflow, dtype=np.int32)),
            "_provider": pa.array(np.full(count, self.provider, dtype=np.int32)),
        }

    def _observations(self, rows: pa.Table, numbers: Array) -> None:
        keys = self._keys(rows, self.layout.dimensions)
        found = self._origin(keys.sid)
        if self.layout.time is None:
            found["_period"] = pa.array(np.full(rows.num_rows, NO_PERIOD, dtype=np.int32))
        else:
            found["_period"] = self.periods.of(_codes(rows, self.layout.time.id))
        self.repeats.add(keys.sid, found["_period"])
        for column in self.layout.observed:
            found |= encode(column, rows)
        found["_row"] = numbers
        self.session.insert(self.layout.observations.work("work"), pa.table(found))
        fresh = self.seen.fresh(keys)
        if len(fresh):
            taken = rows.take(pa.array(fresh))
            dimensions = {c.name: as_text(column_of(taken, c.id)) for c in self.layout.dimensions}
            table = pa.table({"_sid": pa.array(keys.sid[fresh]), **dimensions})
            self.session.insert(self.layout.table("keys"), table)

    def _attached(self, column: StoredColumn, rows: pa.Table, numbers: Array, is_observation: Any) -> None:
        """The last value of each partial key; with Replace, rows of just that level end what they omit."""
        keep = is_given(column, rows).to_numpy(zero_copy_only=False)
        if self.action is Action.REPLACE:
            keep = keep | (self._is_level(column, rows) & ~is_observation)
        if not keep.any():
            return
        rows, numbers = rows.filter(pa.array(keep)), numbers.filter(pa.array(keep))
        level = [c for c in self.layout.dimensions if c.id in (column.level or ())]
        sids = self._keys(rows, level).sid
        last = len(sids) - 1 - np.unique(sids[::-1], return_index=True)[1]
        rows, numbers, sids = rows.take(pa.array(last)), numbers.take(pa.array(last)), sids[last]
        found = self._origin(sids)
        found["_component"] = pa.array([column.id] * len(sids), pa.string())
        for dimension in self.layout.dimensions:
            is_part = dimension in level
            found[dimension.name] = (
                as_text(column_of(rows, dimension.id)) if is_part else pa.nulls(len(sids), pa.string())
            )
        found["_value"] = encode_attached(column, rows)
        found["_row"] = numbers
        self.session.insert(self.layout.attachments.work("work"), pa.table(found))

    def _is_level(self, column: StoredColumn, rows: pa.Table) -> Any:
        """Rows whose dimensions are just those the attribute depends on."""
        same = np.ones(rows.num_rows, dtype=np.bool_)
        for dimension in self.layout.dimensions:
            given = column_of(rows, dimension.id).is_valid().to_numpy(zero_copy_only=False)
            same &= given if dimension.id in (column.level or ()) else ~given
        if self.layout.time is not None:
            same &= column_of(rows, self.layout.time.id).is_null().to_numpy(zero_copy_only=False)
        return same


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
