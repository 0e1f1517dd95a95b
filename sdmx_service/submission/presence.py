"""What must be there: every dimension of what a row carries, mandatory measures, mandatory attributes.

*Standard* (SDMX 3.1 technical notes, *Action*): a replacement deletes what it omits, so that it must say everything
that is mandatory; a merge leaves what it omits as it is. *Choice:* a merge may therefore omit what is stored already
for that observation, series, group or data set; what is neither sent nor stored is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sdmx_service.model.columns import COLUMN, ROW, SHEET, Column, columns
from sdmx_service.model.finding import KEY_PREFIX, FindingGroup
from sdmx_service.model.message import Action
from sdmx_service.model.structure import Attribute, DataStructure, Measure
from sdmx_service.submission.origin import Places, origin
from sdmx_service.submission.report import Report

StoredRows = Callable[[Mapping[str, Collection[str]]], Iterator[pa.RecordBatch]]
"""The provider's stored rows of the dataflow whose dimensions have one of the codes given, as typed."""

_Mask = npt.NDArray[np.bool_]
_Places = npt.NDArray[np.int64]
_MOST_WANTED = 1_000
"""Codes of a dimension that are named to the store; with more, all are read."""
_MOST_KNOWN = 1_000_000
"""Keys of stored rows that are held at a time, about."""


def mandatory_ids(structure: DataStructure) -> tuple[str, ...]:
    """The measures and attributes that must be there."""
    return tuple(column.id for column in columns(structure) if _is_mandatory(column))


class Presence:
    """Checks that what is mandatory is there, for the rows of one data set.

    Args:
        stored: where a merge may find what it leaves out; None: nowhere.

    Attributes:
        leaves_out: whether rows leave out what may be stored; known when all rows were looked at.
    """

    leaves_out = False

    def __init__(
        self, structure: DataStructure, action: Action, report: Report, places: Places, stored: StoredRows | None
    ) -> None:
        self._structure = structure
        self._report = report
        self._places = places
        self._stored = stored if action is not Action.REPLACE else None
        self._columns = columns(structure)
        self._mandatory = [column for column in self._columns if _is_mandatory(column)]
        self._given: dict[str, list[pa.Table]] = {}
        self._lacking: dict[str, list[pa.Table]] = {}

    def check(self, batch: pa.RecordBatch, keys: Mapping[str, pa.DictionaryArray]) -> None:
        """Report dimensions without value, and note where mandatory components are there and where not.

        Args:
            batch: the rows as read.
            keys: their dimensions as typed.
        """
        present = {column.id: _is_present(batch, column.id) for column in self._columns}
        whole = _all([present[id] for id in self._structure.key_ids], len(batch))
        self._check_dimensions(batch, present)
        known: dict[tuple[object, ...], pa.Table] = {}
        for column in self._mandatory:
            there = present[column.id]
            lacking = whole & ~there
            if column.is_attached and there.any():
                self._given.setdefault(column.id, []).append(self._keys(column, batch, keys, there, known))
            if lacking.any():
                self._lacking.setdefault(column.id, []).append(self._keys(column, batch, keys, lacking, known))

    def check_deletion(self, batch: pa.RecordBatch) -> None:
        """F254: a row with a whole key deletes what it names, and not the figure; mandatory attributes are missed.

        *Standard* (SDMX 3.1 technical notes, *Action*): a deletion that names components deletes these alone. Of an
        attribute above the observation all figures of the series or group lose it.
        """
        present = {column.id: _is_present(batch, column.id) for column in self._columns}
        whole = _all([present[id] for id in self._structure.key_ids], len(batch))
        measured = _any([present[column.id] for column in self._columns if column.role == "measure"], len(batch))
        for column in self._mandatory:
            if column.role == "measure":
                continue
            missed = whole & present[column.id] & (True if column.is_attached else ~measured)
            if missed.any():
                places = self._places.of(batch.filter(pa.array(missed)), column.id)
                self._report.add(FindingGroup.of("F254", places=places, component=column.id))

    def _level(self, column: Column) -> tuple[str, ...]:
        return self._structure.key_ids if column.level is None else column.level

    def _check_dimensions(self, batch: pa.RecordBatch, present: Mapping[str, _Mask]) -> None:
        """F302: a row needs the dimensions of everything it carries; one that carries nothing, all but the time."""
        carried = [column for column in self._columns if column.id not in self._structure.key_ids]
        anything = _any([present[column.id] for column in carried], len(batch))
        time = self._structure.time_dimension
        for id in self._structure.key_ids:
            if present[id].all():
                continue
            depending = [present[column.id] for column in carried if column.level is None or id in column.level]
            needed = _any(depending, len(batch))
            if time is None or id != time.id:
                needed = needed | ~anything
            wrong = needed & ~present[id]
            if wrong.any():
                places = self._places.of(batch.filter(pa.array(wrong)), id)
                self._report.add(FindingGroup.of("F302", places=places, component=id))

    # --- mandatory components ----------------------------------------------------------------------------------
    def _keys(
        self,
        column: Column,
        batch: pa.RecordBatch,
        keys: Mapping[str, pa.DictionaryArray],
        chosen: _Mask,
        known: dict[tuple[object, ...], pa.Table],
    ) -> pa.Table:
        """The keys of a column's level in the chosen rows, of higher levels with their first rows.

        Args:
            known: what was made of this batch before: attributes of one level mostly stand in the same rows.
        """
        level = self._level(column)
        name = (level, column.is_attached, chosen.tobytes())
        if name not in known:
            parts = [keys[id] for id in level]
            places = np.flatnonzero(chosen)
            if column.is_attached:
                places = _heads(places, parts)
            taken = pa.array(places)
            values = [part.take(taken).cast(pa.string()) for part in parts]
            origins = [origin(batch, place).take(taken) for place in (ROW, COLUMN, SHEET)]
            names = [f"k{number}" for number in range(len(level))]
            table = pa.table([*values, *origins], names=[*names, ROW, COLUMN, SHEET])
            is_few = len(places) * 4 <= len(batch)
            known[name] = table if is_few or not column.is_attached else _first_of_each(table, names)
        return known[name]

    def finish(self) -> None:
        """F303, F305: mandatory components that are neither sent nor, where that counts, stored."""
        lacking: dict[str, pa.Table] = {}
        for column in self._mandatory:
            if column.id in self._lacking:
                keys = [f"k{number}" for number in range(len(self._level(column)))]
                missing = pa.concat_tables(self._lacking.pop(column.id))
                if column.is_attached:
                    missing = _without(_first_of_each(missing, keys), self._given.pop(column.id, []), keys)
                if missing.num_rows:
                    lacking[column.id] = missing
        if lacking and self._stored is not None:
            self.leaves_out = True
            lacking = self._not_stored(lacking, self._stored)
        for column in self._mandatory:
            if column.id in lacking and lacking[column.id].num_rows:
                self._report_lacking(column, lacking[column.id])

    def _not_stored(self, lacking: Mapping[str, pa.Table], stored: StoredRows) -> dict[str, pa.Table]:
        levels = {column.id: self._level(column) for column in self._mandatory}
        left = dict(lacking)
        known: dict[str, list[pa.Table]] = {id: [] for id in lacking}
        for batch in stored(self._wanted(lacking, levels)):
            for id, tables in known.items():
                level = levels[id]
                there = batch.filter(batch.column(id).is_valid())
                keys = [f"k{number}" for number in range(len(level))]
                columns = [there.column(one).cast(pa.string()) for one in level]
                table = pa.table([*columns, pa.nulls(len(there), pa.int64())], names=[*keys, ROW])
                tables.append(_first_of_each(table, keys))
                if sum(one.num_rows for one in tables) > _MOST_KNOWN:
                    left[id] = _without(left[id], tables, keys)
                    tables.clear()
        return {
            id: _without(missing, known[id], [f"k{number}" for number in range(len(levels[id]))])
            for id, missing in left.items()
        }

    def _wanted(
        self, lacking: Mapping[str, pa.Table], levels: Mapping[str, tuple[str, ...]]
    ) -> dict[str, Collection[str]]:
        """The codes of dimensions that all keys in question have."""
        wanted: dict[str, Collection[str]] = {}
        for id in self._structure.dimension_ids:
            if all(id in levels[component] for component in lacking):
                found: set[str] = set()
                for component, table in lacking.items():
                    found |= set(table[f"k{levels[component].index(id)}"].unique().drop_null().to_pylist())
                if len(found) <= _MOST_WANTED:
                    wanted[id] = found
        return wanted

    def _report_lacking(self, column: Column, missing: pa.Table) -> None:
        code = "F305" if isinstance(column.component, Measure) else "F303"
        places = {
            "row": missing[ROW],
            "column": self._places.columns(column.id, missing[COLUMN].combine_chunks()),
            "sheet": missing[SHEET],
            **{KEY_PREFIX + id: missing[f"k{number}"] for number, id in enumerate(self._level(column))},
        }
        table = pa.table(places)
        if missing[ROW].null_count < missing.num_rows:
            table = table.sort_by("row")
        self._report.add(FindingGroup.of(code, places=table, component=column.id))


def _is_mandatory(column: Column) -> bool:
    component = column.component
    return isinstance(component, Measure | Attribute) and component.usage == "mandatory"


def _heads(places: _Places, keys: list[pa.DictionaryArray]) -> _Places:
    """Of these rows those that have another key than the one before."""
    changes = np.zeros(len(places), dtype=np.bool_)
    changes[:1] = True
    for key in keys:
        if len(key.dictionary) > 1 or key.null_count:
            indices = np.asarray(key.indices.fill_null(-1))[places]
            changes[1:] |= indices[1:] != indices[:-1]
    return places[changes]


def _first_of_each(table: pa.Table, keys: list[str]) -> pa.Table:
    """One row for each key, the first; without keys one row."""
    if not keys or not table.num_rows:
        return table.slice(0, 1) if not keys else table
    number = pa.array(np.arange(table.num_rows))
    first = table.select(keys).append_column("n", number).group_by(keys, use_threads=False).aggregate([("n", "min")])
    return table.take(first["n_min"])


def _without(table: pa.Table, known: Iterable[pa.Table], keys: list[str]) -> pa.Table:
    """The rows whose key is in none of the others."""
    others = pa.concat_tables(list(known)) if known else None
    if others is None or not others.num_rows:
        return table
    if not keys:
        return table.slice(0, 0)
    return table.join(others.select(keys), keys=keys, join_type="left anti")


def _is_present(batch: pa.RecordBatch, name: str) -> _Mask:
    if name not in batch.schema.names or (values := batch.column(name)).null_count == len(batch):
        return np.zeros(len(batch), bool)
    if not values.null_count:
        return np.ones(len(batch), bool)
    return cast(_Mask, values.is_valid().to_numpy(zero_copy_only=False))


def _all(masks: list[_Mask], count: int) -> _Mask:
    return np.logical_and.reduce(masks) if masks else np.ones(count, bool)


def _any(masks: list[_Mask], count: int) -> _Mask:
    return np.logical_or.reduce(masks) if masks else np.zeros(count, bool)
