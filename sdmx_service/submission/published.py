"""The figures of a dataflow as the public reads them at a release, in a workspace: what an audit works on.

A figure that is hidden is hidden here too: it stands as a row without value, ``_withheld``. Each figure has a number
(``_id``) that is unique among all that were loaded into the same workspace.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any

import numpy as np
import pyarrow as pa

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.rules import Rule
from sdmx_service.model.columns import Column, columns
from sdmx_service.model.confidentiality import Confidentiality, PublicView
from sdmx_service.model.selection import Context, Cube, Selection, dataflow_name
from sdmx_service.model.structure import Dataflow, DataStructure
from sdmx_service.storage.port import Store
from sdmx_service.storage.quoting import both, literal, member
from sdmx_service.submission.disclosure import Cells
from sdmx_service.submission.figures import Flow
from sdmx_service.submission.relations import Conditions, Relation, applied_rules, counts, relations
from sdmx_service.submission.rounding import are_whole, hidden_limits, told_limits
from sdmx_service.submission.workspace import Workspace, column_names, conditions

Key = Mapping[str, str]
Codes = Mapping[str, Collection[str]]
_UNTOLD = "_value = NULL, _low = NULL, _high = NULL"
_STRIDE = 1 << 40
"""Between the numbers of the figures of two views."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hall:
    """Where an audit reads and works: one store, one catalog, one workspace."""

    workspace: Workspace
    store: Store
    catalog: Catalog
    numbers: Iterator[int]

    @classmethod
    def of(cls, workspace: Workspace, store: Store, catalog: Catalog) -> Hall:
        """One whose views are numbered from 0."""
        return cls(workspace=workspace, store=store, catalog=catalog, numbers=count())


class Published:
    """A dataflow at a release.

    Args:
        measure: the measure that is looked at; None: the first with numbers.
        near: dimension -> the codes to read; the others are left out.

    Attributes:
        table: its figures: columns of the key (``column_names``), attributes that conditions of sums look at, ``_id``,
            ``_value`` (null where it is not told), ``_provider`` (empty), ``_withheld``.
        occurring: dimension -> the codes that occur.
    """

    def __init__(
        self, hall: Hall, flow: Dataflow, release: int, *, measure: str | None = None, near: Codes | None = None
    ) -> None:
        self.hall, self.ref, self.release = hall, flow.ref, release
        self.structure: DataStructure = hall.catalog.structure_of(flow)
        self.document: Confidentiality | None = hall.catalog.confidentiality_of(self.structure)
        self.flow = Flow(name=dataflow_name(flow.ref), ref=flow.ref, structure=self.structure)
        self.names = column_names(self.structure)
        numbers = [one for one in columns(self.structure) if one.role == "measure" and one.kind == "number"]
        self.measure = next(one for one in numbers if measure in (None, one.id))
        self._near = near or {}
        self.first = next(hall.numbers) * _STRIDE
        self.occurring: Mapping[str, frozenset[str]] = {}
        self.table = self._load()

    # --- loading ---------------------------------------------------------------------------------------------------

    def _load(self) -> str:
        workspace, wanted = self.hall.workspace, self.selection("dataflow", self._near)
        domains = self.hall.store.domains(wanted)
        self.occurring = {id: frozenset(domains.get(id, ())) for id in self.structure.dimension_ids}
        kept = self._kept_columns()
        rows = renamed(self.hall.store.scan(wanted, domains), {one.id: self.names[one.id] for one in kept})
        loaded = workspace.keep(rows, {self.names[one.id]: _type(one) for one in kept})
        value = self.names[self.measure.id]
        told = f"CASE WHEN isfinite({value}) THEN {value} END"
        table = workspace.make(
            f"SELECT *, {self.first} + row_number() OVER () AS _id, {told} AS _value, {self._limits(told)},"
            f" '' AS _provider, ({told} IS NULL AND {self._hidden()}) IS TRUE AS _withheld FROM {loaded}"
        )
        workspace.drop(loaded)
        return table

    def selection(self, context: Context, near: Codes) -> Selection:
        """What is read of its cube at its release; in the context of the provision agreements, of every dataflow."""
        key = tuple(frozenset(near[id]) if id in near else None for id in self.structure.dimension_ids)
        return Selection(
            structure=self.structure,
            cube=Cube.of(self.structure),
            context=context,
            release=self.release,
            dataflows=None if context == "provisionagreement" else (self.flow.name,),
            keys=(key,) if near else (),
        )

    def _kept_columns(self) -> list[Column]:
        """Keys, the figure, and what conditions of sums may look at."""
        wanted = {*self.structure.key_ids, self.measure.id}
        wanted |= {id for rule in self.rules for id in rule.when}
        wanted |= {id for rule in self.rules for term in (*rule.terms, rule.equals) if term for id in term.where}
        if self.document is not None:
            wanted |= {self.document.status, *self.document.withheld}
            wanted |= set() if self.view is None else set(self.view.when)
        return [
            one for one in columns(self.structure) if one.id in wanted and one.kind not in ("multi", "multilingual")
        ]

    def _hidden(self) -> str:
        """The condition that a row without a figure is one whose figure is withheld."""
        if self.document is None:
            return "false"
        tests = [{self.document.status: self.document.confidential}]
        tests += [{id: codes} for id, codes in self.document.withheld.items()]
        return "(" + " OR ".join(conditions(self.structure, test) for test in tests) + ")"

    def _limits(self, told: str) -> str:
        """Between what a figure lies: itself, if it is told and not rounded; null if nothing says."""
        if self.view is None:
            return f"{told} AS _low, {told} AS _high"
        low, high = told_limits(self.view, told, is_whole=self.is_whole)
        outside = f"({conditions(self.structure, self.view.when)}) IS NOT TRUE"
        said = (
            (name, limit, self._small(place)) for place, (name, limit) in enumerate((("_low", low), ("_high", high)))
        )
        return ", ".join(
            f"CAST(CASE WHEN {outside} THEN {told} WHEN {told} IS NULL THEN {small} ELSE {limit} END AS DOUBLE)"
            f" AS {name}"
            for name, limit, small in said
        )

    def _small(self, place: int) -> str:
        """What is known of a count that the threshold hides: the lower (0) or the upper limit (1); null: nothing."""
        view, document = self.view, self.document
        if view is None or document is None or not view.threshold or view.rounded or {} not in map(dict, self.counts()):
            return "NULL"
        primary = conditions(self.structure, {document.status: (document.primary,)})
        return f"CASE WHEN {primary} THEN {hidden_limits(view, is_whole=self.is_whole)[place]!r} END"

    # --- what it says ----------------------------------------------------------------------------------------------

    @cached_property
    def rules(self) -> list[Rule]:
        """The rules of the dataflow."""
        return applied_rules(self.flow, self.hall.catalog)

    @property
    def view(self) -> PublicView | None:
        """What the public sees of the dataflow beyond what its senders mark."""
        return None if self.document is None else self.document.dataflows.get(self.flow.name)

    @cached_property
    def is_whole(self) -> bool:
        """Its figures are whole numbers."""
        return are_whole(self.rules, self.measure.id)

    @property
    def share(self) -> float:
        """How near one may come to a figure."""
        return 0.1 if self.document is None else self.document.range

    @property
    def keys(self) -> str:
        """The columns of the key."""
        return ", ".join(self.names[id] for id in self.structure.key_ids)

    def count(self, condition: str) -> int:
        """How many figures meet a condition."""
        return self.hall.workspace.count(f"{self.table} WHERE {condition}")

    def source(self, when: Conditions) -> str:
        """The query of its figures under conditions."""
        known = {id: codes for id, codes in when.items() if id in self.names}
        return (
            f"SELECT {self.keys}, _provider, _id, _value, _low, _high, _withheld FROM {self.table}"
            f" WHERE {conditions(self.structure, known)}"
        )

    def cells(self) -> Cells:
        """Its figures, for the sums."""
        return Cells(
            workspace=self.hall.workspace, structure=self.structure, source=self.source, limits=("_low", "_high")
        )

    def relations(self) -> list[Relation]:
        """The sums that its figures keep."""
        return relations(self.flow, self.rules, self.hall.catalog, self.occurring)

    def counts(self) -> list[Conditions]:
        """The conditions under which its figures cannot be below 0."""
        return counts(self.rules, self.measure.id)

    def keys_of(self, ids: Any) -> list[Key]:
        """The keys of figures, in the order of the ids."""
        workspace = self.hall.workspace
        rows = pa.record_batch([pa.array(ids), pa.array(np.arange(len(ids)))], names=["_id", "_place"])
        table = workspace.keep([rows], {"_id": "BIGINT", "_place": "BIGINT"})
        found = workspace.read(
            f"SELECT {self.keys} FROM {table} p JOIN {self.table} f ON f._id = p._id ORDER BY p._place"
        )
        workspace.drop(table)
        return list(self.as_keys(found))

    def as_keys(self, rows: pa.Table) -> Iterator[Key]:
        """The keys of rows whose first columns are those of the key."""
        ids = self.structure.key_ids
        codes = [rows.column(place).to_pylist() for place in range(len(ids))]
        return (dict(zip(ids, line, strict=True)) for line in zip(*codes, strict=True))

    def same(self, left: str, right: str) -> str:
        """The condition that two rows with the columns of the key have the same one."""
        return both(f"{left}.{self.names[id]} = {right}.{self.names[id]}" for id in self.structure.key_ids)

    def open_in(self, view: Published) -> set[int]:
        """The ids that figures which are told here have in another view of the dataflow."""
        found = self.hall.workspace.read(
            f"SELECT v._id FROM {view.table} v JOIN {self.table} t ON {self.same('v', 't')} WHERE t._value IS NOT NULL"
        )
        return set(found["_id"].to_pylist())

    def codes_of_sums(self) -> dict[str, set[str]]:
        """Dimension -> the codes that occur, and those that its rules' sums look at."""
        found = {id: set(codes) for id, codes in self.occurring.items()}
        for one in relations(self.flow, self.rules, self.hall.catalog, {}):
            if one.dimension:
                found[one.dimension] |= {one.total, *one.required, *one.optional}
            for id, codes in (pair for where, _ in one.terms for pair in where.items()):
                found.get(id, set()).update(codes)
        return found

    # --- changing it -----------------------------------------------------------------------------------------------

    def hide(self, ids: Iterable[int]) -> None:
        """Take figures for untold."""
        listed = ", ".join(map(str, ids))
        self.hall.workspace.run(f"UPDATE {self.table} SET {_UNTOLD} WHERE _id IN ({listed})")

    def hide_keys(self, keys: Iterable[Key]) -> None:
        """Take the figures of some keys for untold."""
        for key in keys:
            test = both(f"{self.names[id]} = {literal(code)}" for id, code in key.items())
            self.hall.workspace.run(f"UPDATE {self.table} SET {_UNTOLD} WHERE {test}")

    def doubt(self, ids: Iterable[int]) -> bool:
        """Forget the limits of hidden ones of some figures, if any: the sender may have hidden greater ones."""
        if self.view is None or not self.view.threshold:
            return False
        where = f"_value IS NULL AND _high IS NOT NULL AND {member('_id', ids)}"
        is_any = bool(self.count(where))
        self.hall.workspace.run(f"UPDATE {self.table} SET {_UNTOLD} WHERE {where}")
        return is_any

    def complete(self, query: str) -> int:
        """Take in told figures of keys that it does not have; returns how many.

        Args:
            query: the columns of the key, ``_value``, ``_low`` and ``_high``.
        """
        before = self.count("1 = 1")
        last = f"coalesce((SELECT max(_id) FROM {self.table}), {self.first})"
        self.hall.workspace.run(
            f"INSERT INTO {self.table} ({self.keys}, _id, _value, _low, _high, _provider, _withheld)"
            f" SELECT {self.keys}, {last} + row_number() OVER (), _value, _low, _high, '', false"
            f" FROM ({query}) AS m WHERE _value IS NOT NULL"
            f" AND NOT EXISTS (SELECT 1 FROM {self.table} AS t WHERE {self.same('t', 'm')})"
        )
        self.occurring = {id: self._codes(id) for id in self.structure.dimension_ids}
        return self.count("1 = 1") - before

    def _codes(self, id: str) -> frozenset[str]:
        found = self.hall.workspace.read(f"SELECT DISTINCT {self.names[id]} AS code FROM {self.table}")
        return frozenset(found["code"].to_pylist())

    def copy(self) -> Published:
        """The same figures in a table of their own."""
        made = copy(self)
        made.table = self.hall.workspace.make(f"SELECT * FROM {self.table}")
        return made

    def close(self) -> None:
        """Forget the figures."""
        self.hall.workspace.drop(self.table)


def _type(column: Column) -> str:
    return "DOUBLE" if column.kind == "number" else "VARCHAR"


def renamed(batches: Iterable[pa.RecordBatch], names: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
    """Batches with some of their columns, under other names."""
    for batch in batches:
        present = [id for id in names if id in batch.schema.names]
        yield pa.record_batch([batch.column(id) for id in present], names=[names[id] for id in present])
