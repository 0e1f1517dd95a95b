"""The way out: counts, values that occur, rows, of one selection at one release."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.model.columns import columns
from sdmx_service.model.selection import Selection
from sdmx_service.storage.blocks import Block, Integers, attach, integers, lay_series, order_rows, origin_columns
from sdmx_service.storage.directory import Directory
from sdmx_service.storage.engine import Engine
from sdmx_service.storage.layout import CubeLayout, StoredColumn
from sdmx_service.storage.masking import Mask
from sdmx_service.storage.named import MOST, ORIGIN, NamedSeries
from sdmx_service.storage.port import Availability, Counts
from sdmx_service.storage.quoting import both, identifier, literal
from sdmx_service.storage.sorting import SortedRows, sorted_series
from sdmx_service.storage.sql import Conditions, names_origin, valid_at
from sdmx_service.storage.values import Array, column_of, domain_values, typed_attached

RANGE = 131_072
"""Observations read at once; a longer series is read whole."""
SMALL = 20_000
"""Answers up to so many observations are read once and kept for the next call."""
BATCH = 65_536
"""Most observations of a batch."""


class Plan(NamedTuple):
    """The series of an answer in its order, and how many observations each has (paging left out)."""

    sids: Integers
    counts: Integers

    @property
    def total(self) -> int:
        """Observations."""
        return int(self.counts.sum())


@dataclass(frozen=True)
class Reading:
    """One selection, read from one cube."""

    engine: Engine
    layout: CubeLayout
    directory: Directory
    selection: Selection
    mask: Mask

    @cached_property
    def conditions(self) -> Conditions:
        """The selection as SQL."""
        return Conditions(self.layout, self.directory, self.selection, self.engine.read, self.mask)

    @cached_property
    def columns(self) -> tuple[StoredColumn, ...]:
        """The columns of the answer: those of the structure asked for, whether the cube knows them or not."""
        wanted, known = self.selection.components, self.layout.by_id
        return tuple(
            StoredColumn(
                id=c.id, name=known[c.id].name if c.id in known else c.id, role=c.role, kind=c.kind, level=c.level
            )
            for c in columns(self.selection.structure)
            if c.role in ("dimension", "time") or wanted is None or c.id in wanted
        )

    @cached_property
    def attached(self) -> tuple[StoredColumn, ...]:
        """The attached attributes of the answer."""
        return tuple(c for c in self.columns if c.is_attached)

    @cached_property
    def observed(self) -> tuple[StoredColumn, ...]:
        """The measures and observation attributes of the answer that the cube knows."""
        values = (c for c in self.columns if c.role in ("measure", "attribute") and not c.is_attached)
        return tuple(c for c in values if c.id in self.layout.by_id)

    @cached_property
    def is_whole_series(self) -> bool:
        """Series are answered whole, so that their versions know the counts."""
        return not self.conditions.observed and not self.conditions.is_limited

    # --- plan --------------------------------------------------------------------------------------------------

    @cached_property
    def plan(self) -> Plan:
        """Which series, with how many observations."""
        if self.named is not None:
            return self._named_plan(self.named)
        rows = self.engine.read(self._plan_query())
        sids, counts = integers(rows, "_sid"), integers(rows, "_n")
        order = [*reversed([integers(rows, name) for name in self.conditions.group[1:]]), sids]
        if len(sids) > 1:
            sorting = np.lexsort(order)
            sids, counts = sids[sorting], counts[sorting]
            keys = np.stack([array[sorting] for array in order])
            begins = np.flatnonzero(np.concatenate([[True], np.any(keys[:, 1:] != keys[:, :-1], axis=0)]))
            sids, counts = sids[begins], np.add.reduceat(counts, begins)
        return Plan(sids, self._limited(counts))

    def _named_plan(self, named: NamedSeries) -> Plan:
        counts = Counter(tuple(line[: len(self.conditions.group)]) for line in named.rows)
        found = np.fromiter((count for _, count in sorted(counts.items())), np.int64, len(counts))
        return Plan(np.asarray([key[0] for key in sorted(counts)], dtype=np.int64), self._limited(found))

    @cached_property
    def named(self) -> NamedSeries | None:
        """The observations of a few series named by whole keys: a query for them, and one for their attributes."""
        conditions = self.conditions
        if not conditions.exact or conditions.series or len(conditions.exact) * len(self.directory.periods) > MOST:
            return None
        queries = [conditions.observations(map(identifier, self._row_names))]
        if any(self.layout.is_whole_key(column) for column in self._used_attached):
            queries.append(conditions.named_attachments())
        lines, *attachments = self.engine.few(*queries)
        attached = self._named_attachments(attachments[0] if attachments else []) if lines else {}
        return NamedSeries(
            self.layout, self.directory, conditions.exact, conditions.group, self._row_names, lines, attached
        )

    def _named_attachments(self, lines: Sequence[tuple[Any, ...]]) -> dict[str, dict[tuple[Any, ...], str | None]]:
        """The attached attributes of these series, from those of whole keys as read: id -> partial key -> text."""
        used, rest = self._used_attached, slice(1, len(self.conditions.group))
        found: dict[str, dict[tuple[Any, ...], str | None]] = {column.id: {} for column in used}
        own = {column.id for column in used if self.layout.is_whole_key(column)}
        for *origin, component, value in lines:
            if component in own:
                found[component].setdefault((origin[0], *origin[rest]), value)
        shared = self._shared_attachments
        for column in used:
            if shared is not None and not self.layout.is_whole_key(column):
                names = [c.name for c in self.layout.dimensions if c.id in (column.level or ())]
                names += [*ORIGIN[rest], "_value"]
                rows = shared.filter(pc.equal(shared["_component"], column.id))
                for *key, value in zip(*(rows[name].to_pylist() for name in names), strict=True):
                    found[column.id].setdefault(tuple(key), value)
        return found

    def _plan_query(self) -> str:
        conditions = self.conditions
        if self.is_whole_series:
            return (
                f"SELECT s._sid, s._dataflow, s._provider, s.{conditions.count_column} AS _n"
                f" FROM {identifier(self.layout.table('series'))} s WHERE {conditions.series_where()}"
            )
        where = both([conditions.observations_where(), *([conditions.series_where()] if conditions.series else [])])
        return (
            f"SELECT o._sid, o._dataflow, o._provider, count(*) AS _n FROM {conditions.observations_from()}"
            f" WHERE {where} GROUP BY o._sid, o._dataflow, o._provider"
        )

    def _limited(self, counts: Integers) -> Integers:
        first, last = self.selection.first_n, self.selection.last_n
        if first is None and last is None:
            return counts
        return np.minimum(counts, (first or 0) + (last or 0))

    def page(self) -> tuple[int, int]:
        """The first observation of the answer and the one after its last."""
        total, offset = self.plan.total, self.selection.offset
        limit = self.selection.limit
        return min(offset, total), total if limit is None else min(offset + limit, total)

    def counts(self) -> Counts:
        """Series and observations of the answer."""
        start, stop = self.page()
        if stop <= start:
            return Counts(series=0, observations=0)
        ends = np.cumsum(self.plan.counts)
        first, last = np.searchsorted(ends, [start, stop - 1], side="right")
        return Counts(series=int(last - first) + 1, observations=stop - start)

    # --- rows --------------------------------------------------------------------------------------------------

    @cached_property
    def _shared_attachments(self) -> pa.Table | None:
        """Attachments of groups and data sets: few, and read once."""
        shared = [c.id for c in self._used_attached if not self.layout.is_whole_key(c)]
        return self.engine.read(self.conditions.attachments(shared)) if shared else None

    @cached_property
    def _used_attached(self) -> tuple[StoredColumn, ...]:
        """The attached attributes of the answer that ever had a value."""
        return tuple(c for c in self.attached if c.id in self.directory.attached)

    def _attachments(self, low: int, high: int) -> pa.Table | None:
        own = [c.id for c in self._used_attached if self.layout.is_whole_key(c)]
        if not own:
            return self._shared_attachments
        between = f"a._sid BETWEEN {literal(low)} AND {literal(high)}"
        narrow = [condition.format("a") for condition in self.conditions.narrow]
        rows = self.engine.read(self.conditions.attachments(own, both([between, *narrow])))
        shared = self._shared_attachments
        return rows if shared is None else pa.concat_tables([rows, shared])

    def series_table(self, low: int, high: int) -> pa.Table:
        """Series versions of a range of numbers."""
        names = ["_sid", "_dataflow", "_provider", *self.layout.key_types]
        return self.engine.read(
            f"SELECT {', '.join(f's.{identifier(name)}' for name in names)}"
            f" FROM {identifier(self.layout.table('series'))} s"
            f" WHERE {self.conditions.series_where()} AND s._sid BETWEEN {literal(low)} AND {literal(high)}"
        )

    def block(self, low: int, high: int, *, with_rows: bool = True) -> Block:
        """The series of a range of numbers, with their observations."""
        group = self.conditions.group
        series, numbers = lay_series(self.series_table(low, high), group)
        found = self._attachments(low, high)
        attached = {c.id: attach(c, series, found, self.layout, group) for c in self.attached}
        rows = self._observations(low, high) if with_rows else pa.table({"_period": pa.array([], pa.int64())})
        if with_rows:
            rows, places = order_rows(rows, numbers, self.directory.period_ranks)
        else:
            places = np.empty(0, dtype=np.int64)
        block = Block(self.layout, self.directory, series, attached, places, rows)
        return block if self.is_whole_series or not with_rows else block.used()

    @cached_property
    def _row_names(self) -> list[str]:
        """The database columns of observations that are read."""
        return ["_sid", "_dataflow", "_provider", "_period", *(n for column in self.observed for n in column.names)]

    def _observations(self, low: int, high: int) -> pa.Table:
        return self.engine.read(self.conditions.observations(map(identifier, self._row_names), low, high))

    @cached_property
    def whole(self) -> Block | NamedSeries:
        """All of a small answer, paging left out."""
        if self.named is not None:
            return self.named
        sids = self.plan.sids
        return self.block(int(sids[0]), int(sids[-1]))

    @property
    def is_small(self) -> bool:
        """The answer is read once."""
        return 0 < self.plan.total <= SMALL

    def _ranges(self, start: int, stop: int) -> Iterator[tuple[int, int, int]]:
        """Ranges of numbers that hold observations ``start`` to ``stop``, and the first observation of each."""
        sids, counts = self.plan
        if not len(sids):
            return
        before = np.concatenate([[0], np.cumsum(counts)])
        ends = np.flatnonzero(np.append(sids[1:] != sids[:-1], True)) + 1
        begin = 0
        while begin < len(sids):
            place = int(np.searchsorted(before[ends], before[begin] + RANGE))
            end = int(ends[min(place, len(ends) - 1)])
            if before[end] > start and before[begin] < stop:
                yield int(sids[begin]), int(sids[end - 1]), int(before[begin])
            begin = end

    def batches(self, domains: Mapping[str, Sequence[str]]) -> Iterator[pa.RecordBatch]:
        """The rows of the answer."""
        start, stop = self.page()
        if stop <= start:
            return
        with_origin = names_origin(self.selection)
        if self.selection.sort:
            ordered = SortedRows(self.engine, self.conditions, self.columns, self.observed, self._used_attached)
            yield from ordered.batches(domains, self._shared_attachments, start, stop - start)
            return
        if self.is_small:
            batch = self.whole.batch(self.columns, domains, with_origin=with_origin)
            yield batch.slice(start, stop - start)
            return
        for low, high, first in self._ranges(start, stop):
            block = self.block(low, high)
            begin, end = max(0, start - first), min(len(block), stop - first)
            for part in range(begin, end, BATCH):
                yield block.cut(part, min(part + BATCH, end)).batch(self.columns, domains, with_origin=with_origin)

    def series(self, domains: Mapping[str, Sequence[str]]) -> Iterator[pa.RecordBatch]:
        """The series without observations; paging counts series. Those that have attributes only come last."""
        offset, limit = self.selection.offset, self.selection.limit
        if self.selection.sort:
            plain = replace(self, selection=replace(self.selection, sort=(), together=(), offset=0, limit=None))
            yield from sorted_series(plain.series(domains), self.selection.sort, offset, limit)
            return
        first = 0
        for block in self._series_blocks():
            count = block.series.num_rows
            begin, end = max(0, offset - first), count if limit is None else min(count, offset + limit - first)
            first += count
            if begin < end:
                batch = block.series_batch(self.columns, domains, with_origin=names_origin(self.selection))
                yield batch.slice(begin, end - begin)

    def _series_blocks(self) -> Iterator[Block]:
        for low, high, _ in self._ranges(0, self.plan.total):
            yield self.block(low, high, with_rows=not self.is_whole_series)
        bare = self._bare_series() if self.is_whole_series else None
        if bare is not None and bare.num_rows:
            yield self._bare_block(bare)

    def bare(self) -> int:
        """How many series have attributes of their own and no observation."""
        found = self._bare_series()
        return 0 if found is None else found.num_rows

    def _bare_series(self) -> pa.Table | None:
        """Series that have attributes of their own and no observation."""
        own = [c.id for c in self._used_attached if self.layout.is_whole_key(c)]
        if not own:
            return None
        conditions = self.conditions
        names = ", ".join(f"s.{identifier(n)}" for n in ("_sid", "_dataflow", "_provider", *self.layout.key_types))
        narrow = [condition.format("s") for condition in conditions.narrow]
        where = both([conditions.attachments_where(own, "s"), *narrow, *conditions.series])
        same = both(f"n.{name} = s.{name}" for name in conditions.group)
        counted = f"{valid_at('n', conditions.release)} AND n.{conditions.count_column} > 0"
        return self.engine.read(
            f"SELECT DISTINCT {names} FROM {identifier(self.layout.attachments.name)} s WHERE {where}"
            f" AND NOT EXISTS (SELECT 1 FROM {identifier(self.layout.table('series'))} n WHERE {same} AND {counted})"
        )

    def _bare_block(self, bare: pa.Table) -> Block:
        group, sids = self.conditions.group, integers(bare, "_sid")
        series, _ = lay_series(bare, group)
        found = self._attachments(int(sids.min()), int(sids.max()))
        attached = {c.id: attach(c, series, found, self.layout, group) for c in self.attached}
        return Block(self.layout, self.directory, series, attached, np.empty(0, dtype=np.int64), series.slice(0, 0))

    # --- values that occur -------------------------------------------------------------------------------------

    def domains(self, components: Sequence[str] | None = None) -> dict[str, list[str]]:
        """Per dimension, time and coded component (or only ``components``, coded or not) the values that occur."""
        if components is None:
            wanted = [c for c in self.columns if _has_domain(c, self.selection)]
        else:
            everything = replace(self.selection, components=None)
            wanted = [c for c in replace(self, selection=everything).columns if c.id in components]
        if not self.plan.total:
            return {c.id: [] for c in wanted}
        if self.is_small and all(c in self.columns for c in wanted):
            return {c.id: self._sorted(c, self.whole.values(c)) for c in wanted}
        found: dict[str, set[str]] = {c.id: set() for c in wanted}
        self._distinct_keys([c for c in wanted if c.role == "dimension"], found)
        observed = [c for c in wanted if not c.is_attached and c.role != "dimension"]
        self._distinct_values([c for c in observed if c.kind != "multilingual"], found)
        for column in observed:  # each by itself, as free texts multiply combinations
            if column.kind == "multilingual":
                self._distinct_values([column], found)
        for column in wanted:
            if column.is_attached:
                found[column.id] = self._attached_values(column)
        return {c.id: self._sorted(c, found[c.id]) for c in wanted}

    def _sorted(self, column: StoredColumn, values: set[str]) -> list[str]:
        if column.role != "time":
            return sorted(values)
        periods = self.directory.periods
        return [periods[number] for number in self.directory.chronological if periods[number] in values]

    def answer_series(self, names: Sequence[str]) -> str:
        """The query for the distinct combinations of these (quoted) columns of series in the answer."""
        listed, conditions = ", ".join(f"s.{name}" for name in names), self.conditions
        source = f"{identifier(self.layout.table('series'))} s"
        where = conditions.series_where()
        if self.conditions.observed:
            same = " AND ".join(f"o.{name} = s.{name}" for name in ("_sid", "_dataflow", "_provider"))
            where += (
                f" AND EXISTS (SELECT 1 FROM {self.mask.rows} o WHERE {same} AND {conditions.observations_where()})"
            )
        return f"SELECT DISTINCT {listed} FROM {source} WHERE {where}"

    @cached_property
    def _known_keys(self) -> dict[tuple[str, ...], pa.Table]:
        return {}

    def answer_keys(self, names: tuple[str, ...]) -> pa.Table:
        """The distinct combinations of these columns of series in the answer; read once."""
        found = self._known_keys.get(names)
        if found is None:
            found = self.engine.read(self.answer_series([identifier(name) for name in names]))
            self._known_keys[names] = found
        return found

    def _distinct_keys(self, columns: Sequence[StoredColumn], found: dict[str, set[str]]) -> None:
        if not columns:
            return
        names = ", ".join(c.quoted for c in columns)
        parts = [f"SELECT {n} AS _place, {c.quoted} AS _code FROM x GROUP BY {c.quoted}" for n, c in enumerate(columns)]
        query = self.answer_series([c.quoted for c in columns])
        rows = self.engine.read(f"WITH x({names}) AS ({query}) {' UNION ALL '.join(parts)}")
        for place, code in zip(rows["_place"].to_pylist(), rows["_code"].to_pylist(), strict=True):
            found[columns[place].id].add(code)

    def _distinct_values(self, columns: Sequence[StoredColumn], found: dict[str, set[str]]) -> None:
        columns = [c for c in columns if c.role == "time" or c.id in self.layout.by_id]
        if not columns:
            return
        names = ["_period" if c.role == "time" else c.quoted for c in columns]
        inner = self.conditions.observations(dict.fromkeys(names))
        rows = self.engine.read(f"SELECT DISTINCT * FROM ({inner}) o")
        for column, name in zip(columns, names, strict=True):
            if name == "_period":
                numbers = np.unique(integers(rows, "_period")).tolist()
                found[column.id] = {self.directory.periods[number] for number in numbers}
            else:
                found[column.id] = domain_values(column, column_of(rows, column.name))

    def _attached_values(self, column: StoredColumn) -> set[str]:
        if not self.layout.is_whole_key(column):
            return domain_values(column, column_of(self.attachment_rows(column), "_value"))
        same = " AND ".join(f"s.{name} = a.{name}" for name in self.conditions.group)
        series = self.answer_series(["_sid"]).replace("SELECT DISTINCT", "SELECT", 1)
        exists = f"EXISTS ({series} AND {same})"
        inner = self.conditions.attachments([column.id], exists)
        return domain_values(
            column, column_of(self.engine.read(f"SELECT DISTINCT a._value FROM ({inner}) a"), "_value")
        )

    def available(self, components: Sequence[str] | None) -> Availability:
        """Values, counts, first and last period."""
        layout = self.layout
        keys = [c.id for c in layout.columns if c.role in ("dimension", "time")]
        values = self.domains(keys if components is None else components)
        counts = self.counts()
        if layout.time is None or not counts.observations:
            return Availability(values=values, counts=counts)
        periods = values.get(layout.time.id) or self.domains([layout.time.id])[layout.time.id]
        return Availability(values=values, counts=counts, first_period=periods[0], last_period=periods[-1])

    # --- attachments -------------------------------------------------------------------------------------------

    def attachment_rows(self, column: StoredColumn) -> pa.Table:
        """The values of one group or data set attribute that belong to series of the answer."""
        shared = self._shared_attachments
        if shared is None or column.id not in self.directory.attached:
            found = self.engine.read(self.conditions.attachments([column.id]))
        else:
            found = shared.filter(pc.equal(shared["_component"], column.id))
        level = [c.name for c in self.layout.dimensions if c.id in (column.level or ())]
        names = [*level, *(name for name in self.conditions.group if name != "_sid")]
        if not found.num_rows or not self.plan.total:
            return found.slice(0, 0)
        if not names:
            return found
        series = self.answer_keys(tuple(names))
        keys = series.append_column("_mark", pa.array(np.ones(series.num_rows, dtype=np.int8)))
        for name in names:
            if found.schema.field(name).type != keys.schema.field(name).type:
                keys = keys.set_column(keys.schema.get_field_index(name), name, keys[name].cast(found[name].type))
        joined = found.append_column("_row", pa.array(np.arange(found.num_rows))).join(keys, names, join_type="inner")
        return found.take(pa.array(np.sort(integers(joined, "_row"))))

    def attachments(self) -> dict[str, pa.Table]:
        """Values of group and data set attributes: level dimensions and attribute, in the order of codes."""
        return {c.id: self._attachment_table(c) for c in self.attached if not self.layout.is_whole_key(c)}

    def _attachment_table(self, column: StoredColumn) -> pa.Table:
        rows = self.attachment_rows(column)
        level = [c for c in self.layout.dimensions if c.id in (column.level or ())]
        order = [(name, "ascending") for name in (*(c.name for c in level), "_dataflow", "_provider")]
        rows = rows.sort_by(order)
        found: dict[str, Array] = origin_columns(rows, self.directory) if names_origin(self.selection) else {}
        found |= {c.id: column_of(rows, c.name).cast(pa.string()) for c in level}
        found |= plain_attached(column, column_of(rows, "_value").cast(pa.string()))
        return pa.table(found)


def _has_domain(column: StoredColumn, selection: Selection) -> bool:
    """Codes, lists of codes, and multilingual texts, whose domain is their languages."""
    if column.kind in ("code", "multilingual"):
        return True
    component = selection.structure.component(column.id)
    return column.kind == "multi" and component is not None and component.form.is_coded


def plain_attached(column: StoredColumn, texts: Array) -> dict[str, Array]:
    """An attached attribute as typed, codes as text."""
    typed = typed_attached(column, texts, {})
    return {
        name: array.cast(pa.string()) if pa.types.is_dictionary(array.type) else array for name, array in typed.items()
    }
