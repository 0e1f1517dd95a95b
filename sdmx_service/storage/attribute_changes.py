"""Attributes of series, groups and data sets that came, changed or went, told apart from observations.

An observation tells the attributes above it. What is left are values that went, and values of keys of which no
observation is told. There is a row per value that changed, so that this needs memory for the changes of attributes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.storage.blocks import integers
from sdmx_service.storage.directory import Directory
from sdmx_service.storage.engine import Engine
from sdmx_service.storage.layout import CubeLayout, StoredColumn
from sdmx_service.storage.port import AttributeChanges
from sdmx_service.storage.quoting import both, either, identifier, member
from sdmx_service.storage.reading import Reading, plain_attached
from sdmx_service.storage.sql import Conditions, ended, valid_at
from sdmx_service.storage.values import column_of


@dataclass(frozen=True)
class AttributeReading:
    """The changes of a reading's attributes since ``selection.changed_since``; without it, what there is."""

    reading: Reading

    @property
    def _engine(self) -> Engine:
        return self.reading.engine

    @property
    def _layout(self) -> CubeLayout:
        return self.reading.layout

    @property
    def _directory(self) -> Directory:
        return self.reading.directory

    def changes(self) -> AttributeChanges:
        """What went, and what came and is told by no observation of the answer."""
        since = self.reading.selection.changed_since
        used = [column for column in self.reading.attached if column.id in self._directory.attached]
        gone = {} if since is None else self._gone(used, since)
        return AttributeChanges(gone=self._told(used, gone), come=self._told(used, self._come(used)))

    def _told(self, used: list[StoredColumn], found: dict[str, pa.Table]) -> dict[str, pa.Table]:
        return {one.id: self._table(one, found[one.id]) for one in used if one.id in found and found[one.id].num_rows}

    # --- rows --------------------------------------------------------------------------------------------------

    def _gone(self, used: list[StoredColumn], since: int) -> dict[str, pa.Table]:
        """Values shown then of keys that have none now."""
        selection = replace(self.reading.selection, release=since, changed_since=None, first_n=None, last_n=None)
        then = replace(self.reading, selection=selection)
        now = self.reading.conditions
        same = [f"n.{name} = a.{name}" for name in (*now.group, "_component")]
        shown = [f"n._shown >= {now.least_shown}"] if now.least_shown else []
        kept = both([*same, valid_at("n", now.release), *shown, *now.origin("n")])
        table = identifier(self._layout.attachments.name)
        extra = [ended("a", since, now.release), f"NOT EXISTS (SELECT 1 FROM {table} n WHERE {kept})"]
        return self._rows(used, then, extra)

    def _come(self, used: list[StoredColumn]) -> dict[str, pa.Table]:
        """Values that no row of the answer tells."""
        selection = self.reading.selection
        since = selection.changed_since
        current = self.reading
        if since is not None:
            current = replace(self.reading, selection=replace(selection, changed_since=None))
        extra = [] if since is None else [ended("a", selection.release, since)]
        if not self.reading.plan.total:
            return self._rows(used, current, extra)
        whole = [column for column in used if self._layout.is_whole_key(column)]  # many: what is told stays where it is
        told = self.reading.answer_series(["_sid"]).replace("SELECT DISTINCT", "SELECT", 1)
        same = both(f"s.{name} = a.{name}" for name in self.reading.conditions.group)
        found = self._rows(whole, current, [*extra, f"NOT EXISTS ({told} AND {same})"])
        shared = self._rows([column for column in used if column not in whole], current, extra)
        for column in used:
            if column.id in shared:
                found[column.id] = self._joined(column, shared[column.id], self.reading, "left anti")
        return found

    def _rows(self, used: list[StoredColumn], reading: Reading, extra: list[str]) -> dict[str, pa.Table]:
        """Attribute id -> its values, where there are any; attributes with the same conditions are read at once."""
        alike: dict[tuple[str, ...], list[StoredColumn]] = {}
        for column in used:
            alike.setdefault(tuple(self._wanted(column, reading.conditions)), []).append(column)
        found: dict[str, pa.Table] = {}
        for conditions, several in alike.items():
            query = reading.conditions.attachments([one.id for one in several], both([*conditions, *extra]))
            rows = self._engine.read(query)
            for one in several if rows.num_rows else ():
                own = rows.filter(pc.equal(rows["_component"], one.id))
                if own.num_rows and self._has_other_filters():
                    own = self._joined(one, own, reading, "inner") if reading.plan.total else own.slice(0, 0)
                if own.num_rows:
                    found[one.id] = own
        return found

    def _has_other_filters(self) -> bool:
        """Filters on something that an attribute's own key does not tell; then it must belong to a row."""
        selection = self.reading.selection
        dimensions = {column.id for column in self._layout.dimensions}
        return selection.periods is not None or any(one.component not in dimensions for one in selection.filters)

    def _wanted(self, column: StoredColumn, conditions: Conditions) -> list[str]:
        """The conditions on dimensions, as far as the attribute depends on them."""
        selection, level = conditions.selection, column.level or ()
        found = []
        keys = [
            both(
                member(f"a.{one.quoted}", codes)
                for one, codes in zip(self._layout.dimensions, key, strict=True)
                if codes is not None and one.id in level
            )
            for key in selection.keys
        ]
        if keys and "1 = 1" not in keys:
            found.append(either(f"({key})" for key in keys))
        known = self._layout.by_id
        own = (one for one in selection.filters if one.component in level)
        return [*found, *(conditions.component(one, known[one.component], "a") for one in own)]

    def _names(self, column: StoredColumn, conditions: Conditions) -> list[str]:
        """What ties a value to a series."""
        if self._layout.is_whole_key(column):
            return list(conditions.group)
        level = [one.name for one in self._layout.dimensions if one.id in (column.level or ())]
        return [*level, *conditions.group[1:]]

    def _joined(self, column: StoredColumn, rows: pa.Table, reading: Reading, kind: str) -> pa.Table:
        """The rows that belong to series of an answer, or those that do not."""
        names = self._names(column, reading.conditions)
        if not names:
            return rows if kind == "inner" else rows.slice(0, 0)
        keys = reading.answer_keys(tuple(names))
        for name in names:
            if rows.schema.field(name).type != keys.schema.field(name).type:
                place = keys.schema.get_field_index(name)
                keys = keys.set_column(place, name, keys[name].cast(rows[name].type))
        numbered = rows.select(names).append_column("_row", pa.array(np.arange(rows.num_rows)))
        found = numbered.join(keys.select(names), names, join_type=kind, use_threads=False)
        return rows.take(pa.array(np.sort(integers(found, "_row"))))

    def _table(self, column: StoredColumn, rows: pa.Table) -> pa.Table:
        """The level's dimensions and the attribute as typed."""
        level = [one for one in self._layout.dimensions if one.id in (column.level or ())]
        rows = rows.sort_by([(name, "ascending") for name in (*(one.name for one in level), "_dataflow", "_provider")])
        found = {one.id: column_of(rows, one.name).cast(pa.string()) for one in level}
        return pa.table(found | plain_attached(column, column_of(rows, "_value").cast(pa.string())))
