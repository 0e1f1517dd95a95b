"""The figures that rules look at, as SQL over the workspace: rows sent, or stored rows overlaid by rows sent.

Every query of figures has the structure's dimensions under their workspace names (``workspace.column_names``) and
``_value`` (double; null where the figure is missing or suppressed), ``_file``, ``_row``, ``_column``, ``_sheet``,
``_provider``, ``_sent`` and ``_id`` (the number of a sent row in the table of the workspace, else null).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.errors import InvalidStructure
from sdmx_service.model.columns import Column, columns
from sdmx_service.model.selection import dataflow_name
from sdmx_service.model.structure import Dataflow, DataStructure
from sdmx_service.model.urn import PartialRef, Ref, Version
from sdmx_service.storage.quoting import both, identifier, member
from sdmx_service.submission.workspace import SentRows, Workspace, column_names, conditions, observations, untouched

History = Callable[[Ref, Mapping[str, Collection[str]]], Iterator[pa.RecordBatch]]
"""Stored, currently shown rows of a dataflow (as typed) whose dimensions have one of the values given."""

OwnHistory = Callable[[Ref, str, Mapping[str, Collection[str]]], Iterator[pa.RecordBatch]]
"""Stored rows of a dataflow that one provider (by name) sent, whoever's are shown."""

_ORIGIN = "s._file, s._row, s._column, s._sheet"
_NOWHERE = (
    "CAST(NULL AS VARCHAR) AS _file, CAST(NULL AS BIGINT) AS _row,"
    " CAST(NULL AS VARCHAR) AS _column, CAST(NULL AS VARCHAR) AS _sheet"
)
_FEW = 50
"""Values of a dimension that are named to the store for a provider's own rows: longer lists cost more than they save
(measured on 153,296 rows: 0.3 s without, 1.3 s with two lists of 230 areas)."""
_MOST_WANTED = 1_000
"""Values of a dimension that are named to the store; with more, all are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A dataflow that a rule looks at: as the catalog knows it, and what was sent of it."""

    name: str
    ref: Ref | None
    structure: DataStructure
    sent: SentRows | None = None

    @property
    def names(self) -> dict[str, str]:
        """Component id -> column."""
        return column_names(self.structure)

    def number(self, component: str, rule: str) -> Column:
        """The numeric component that a rule names.

        Raises:
            InvalidStructure: the structure has no such component, or it holds no numbers.
        """
        for column in columns(self.structure):
            if column.id == component and column.kind == "number":
                return column
        raise InvalidStructure(f"Rule {rule}: {self.structure.ref.text} has no component {component!r} with numbers.")


class Figures:
    """Where rules get their figures from.

    Args:
        dataflows: those that the rows sent belong to.
        history: how to read stored rows; None where there is no store.
        own: how to read what a provider itself sent before; without it, what is shown stands for it.
        carried: attributes of the observation that rules look at.
        followed: those whose change from period to period rules look at.

    Attributes:
        groupings: per dataflow, the dimensions by which rules tell groups of series apart; set before rules run.
        coded: per dataflow, the dimensions whose codes rules along a series look at.
        remembered: what one rule worked out and another needs too.
    """

    def __init__(
        self,
        workspace: Workspace,
        catalog: Catalog,
        dataflows: Iterable[Dataflow],
        history: History | None,
        own: OwnHistory | None = None,
        carried: Collection[str] = (),
        followed: Collection[str] = (),
    ) -> None:
        self.workspace = workspace
        self.catalog = catalog
        self._history = history
        self._own = own
        self._carried = frozenset(carried)
        self.followed = frozenset(followed)
        self.groupings: dict[str, set[tuple[str, ...]]] = {}
        self.coded: dict[str, list[str]] = {}
        self._refs = {dataflow_name(flow.ref): flow.ref for flow in dataflows}
        self._kept: dict[object, str | None] = {}
        self._repeated: dict[tuple[str, str], bool] = {}
        self.remembered: dict[object, Any] = {}

    @property
    def has_history(self) -> bool:
        """Whether there is a store to read."""
        return self._history is not None

    def close(self) -> None:
        """Forget what was read from the store."""
        for table in filter(None, self._kept.values()):
            self.workspace.drop(table)
        self._kept.clear()

    def made(self, key: object, query: Callable[[], str]) -> str:
        """The table of a query, made once; ``close`` forgets it."""
        return self.made_by(key, lambda: self.workspace.make(query()))

    def made_by(self, key: object, make: Callable[[], str]) -> str:
        """The table that ``make`` makes in the workspace, made once; ``close`` forgets it."""
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = make()
        return found

    def known(self, key: object) -> str:
        """The table that was made under a key before."""
        found = self._kept[key]
        assert found is not None
        return found

    # --- dataflows ---------------------------------------------------------------------------------------------
    def sent_flows(self) -> list[Flow]:
        """The dataflows sent."""
        refs = self._refs
        return [
            Flow(name=sent.dataflow, ref=refs.get(sent.dataflow), structure=sent.structure, sent=sent)
            for sent in self.workspace.sent
        ]

    def flow(self, named: PartialRef) -> Flow | None:
        """The dataflow that a term names, or None if the catalog does not have it."""
        for flow in self.sent_flows():
            if flow.ref is not None and named.matches(flow.ref):
                return flow
        found = [one.ref for one in self.catalog.of_type("Dataflow") if named.matches(one.ref)]
        ref = max(found, key=lambda ref: Version.parse(ref.version), default=None)
        if ref is None:
            return None
        name = dataflow_name(ref)
        return Flow(name=name, ref=ref, structure=self.catalog.structure_of(self.catalog.dataflow(ref)))

    # --- figures -----------------------------------------------------------------------------------------------
    def size(self, flow: Flow, stored: str | None = None) -> int:
        """How many rows there are of the structure of a dataflow: those sent, and those of a table of stored ones."""
        tables = (None if flow.sent is None else flow.sent.table, stored)
        return sum(self.workspace.count(table) for table in tables if table is not None)

    def select(
        self,
        flow: Flow,
        column: Column,
        where: Mapping[str, Collection[str]],
        *,
        result: bool,
        near: Mapping[str, Collection[str]] | None = None,
        more: Collection[str] = (),
    ) -> str | None:
        """The query of the figures of a dataflow; None if there are none for sure.

        Args:
            flow: the dataflow.
            column: the numeric component that is the figure.
            where: values that components must have; those the structure lacks are not tested.
            result: stored rows overlaid by sent rows, one figure per key; else the sent rows, per provider.
            near: values of dimensions outside which stored rows are not needed.
            more: attributes of the observation to read beside the figure.
        """
        parts, history = [], None
        if result and (history := self._stored(flow, column, {**(near or {}), **where}, more)) is not None:
            parts.append(self._stored_figures(flow, column, where, history, more))
        sent = flow.sent
        if sent is not None and all(sent.may_have(id, codes) for id, codes in where.items()):
            overlay = self._overlaying_figures if result else self._sent_figures
            parts.append(overlay(flow, sent, column, where, history, more))
        return " UNION ALL ".join(parts) or None

    def own(
        self,
        flow: Flow,
        column: Column,
        where: Mapping[str, Collection[str]],
        *,
        result: bool,
        providers: Iterable[str],
        free: Collection[str] = (),
    ) -> str | None:
        """The query of each provider's own figures, with the carried attributes; None if there are none for sure.

        Args:
            result: the provider's stored rows overlaid by those sent; else the sent rows.
            providers: whose figures, by name.
            free: dimensions along which stored figures of codes that were not sent count too.
        """
        sent = flow.sent
        if sent is None or not all(sent.may_have(id, codes) for id, codes in where.items()):
            return None
        history = self.own_stored(flow, column, free) if result else None
        name = flow.names[column.id]
        value, join = _finite(f"s.{name}"), ""
        if history is not None and self._has_blank(sent, name):
            keys = [f"s.{flow.names[id]} = h.{flow.names[id]}" for id in flow.structure.key_ids]
            value = f"CASE WHEN s.{name} IS NULL AND s._action = 'Merge' THEN {_finite(f'h.{name}')} ELSE {value} END"
            join = f" LEFT JOIN {history} AS h ON {both(['s._provider = h._provider', *keys])}"
        whose = member("_provider", set(providers))
        query = (
            f"SELECT {_keys(flow, 's')}, {value} AS _value, {self._more(flow, 's')}{_ORIGIN},"
            f" s._provider, true AS _sent, s._id"
            f" FROM ({observations(sent)}) AS s{join} WHERE {self._sent_conditions(flow, sent, where)} AND s.{whose}"
        )
        if history is None:
            return query
        return (
            f"{query} UNION ALL SELECT {_keys(flow, 'h')}, {_finite(f'h.{name}')} AS _value, {self._more(flow, 'h')}"
            f"{_NOWHERE}, h._provider, false AS _sent, CAST(NULL AS BIGINT) AS _id FROM {history} AS h"
            f" WHERE {conditions(flow.structure, where, 'h.')} AND h.{whose}"
            f" AND {untouched(sent, 'h', by_provider=True, alike=self.alike(flow, free))}"
        )

    def alike(self, flow: Flow, free: Collection[str] = ()) -> set[str]:
        """The dimensions with one value in what is sent, and so in what ``own_stored`` has."""
        time = flow.structure.time_dimension
        fixed = set() if flow.sent is None else set(flow.sent.fixed())
        return fixed - {*free, *([] if time is None else [time.id])}

    def carried(self, flow: Flow) -> list[str]:
        """The carried attributes that the structure has at the observation."""
        attributes = {one.id for one in columns(flow.structure) if one.role == "attribute" and not one.is_attached}
        return [one.id for one in flow.structure.components if one.id in attributes & self._carried]

    def _more(self, flow: Flow, alias: str) -> str:
        return "".join(f"{alias}.{flow.names[id]}, " for id in self.carried(flow))

    def _has_blank(self, sent: SentRows, name: str) -> bool:
        """Whether an observation was sent without that column."""
        return bool(self.workspace.count(f"{sent.table} WHERE _whole AND {name} IS NULL AND _action = 'Merge'"))

    def with_infinite(self, flow: Flow, column: Column, where: Mapping[str, Collection[str]]) -> str | None:
        """As ``select`` of the sent rows, but with infinite figures."""
        sent = flow.sent
        if sent is None or not all(sent.may_have(id, codes) for id, codes in where.items()):
            return None
        name = f"s.{flow.names[column.id]}"
        return self._sent_query(flow, sent, f"CASE WHEN NOT isnan({name}) THEN {name} END", where)

    def _sent_figures(
        self,
        flow: Flow,
        sent: SentRows,
        column: Column,
        where: Mapping[str, Collection[str]],
        _: str | None,
        more: Collection[str],
    ) -> str:
        return self._sent_query(flow, sent, _finite(f"s.{flow.names[column.id]}"), where, more)

    def _sent_query(
        self,
        flow: Flow,
        sent: SentRows,
        value: str,
        where: Mapping[str, Collection[str]],
        more: Collection[str] = (),
    ) -> str:
        return (
            f"SELECT {_keys(flow, 's', more)}, {value} AS _value, {_ORIGIN},"
            f" s._provider, true AS _sent, s._id FROM ({observations(sent)}) AS s"
            f" WHERE {self._sent_conditions(flow, sent, where)}"
        )

    def _overlaying_figures(
        self,
        flow: Flow,
        sent: SentRows,
        column: Column,
        where: Mapping[str, Collection[str]],
        history: str | None,
        more: Collection[str],
    ) -> str:
        """Sent rows; where a merge leaves the figure or an attribute out, the stored one holds."""
        name = flow.names[column.id]
        value, join, beside = _finite(f"s.{name}"), "", [f"s.{flow.names[id]}" for id in more]
        if history is not None:
            kept = f"s.{name} IS NULL AND s._action = 'Merge'"
            value = f"CASE WHEN {kept} THEN {_finite(f'h.{name}')} ELSE {value} END"
            same = both(f"s.{flow.names[id]} = h.{flow.names[id]}" for id in flow.structure.key_ids)
            join = f" LEFT JOIN {history} AS h ON {same}"
            beside = [_merged(flow.names[id]) for id in more]
        return (
            f"SELECT {', '.join([_keys(flow, 's'), *beside])}, {value} AS _value, {_ORIGIN}, '' AS _provider,"
            f" true AS _sent, s._id FROM ({observations(sent, by_provider=False)}) AS s{join}"
            f" WHERE {self._sent_conditions(flow, sent, where)}"
        )

    def _stored_figures(
        self, flow: Flow, column: Column, where: Mapping[str, Collection[str]], history: str, more: Collection[str]
    ) -> str:
        others = "1 = 1" if flow.sent is None else untouched(flow.sent, "h")
        return (
            f"SELECT {_keys(flow, 'h', more)}, {_finite('h.' + flow.names[column.id])} AS _value,"
            f" {_NOWHERE}, '' AS _provider, false AS _sent, CAST(NULL AS BIGINT) AS _id"
            f" FROM {history} AS h WHERE {conditions(flow.structure, where, 'h.')} AND {others}"
        )

    def _sent_conditions(self, flow: Flow, sent: SentRows, where: Mapping[str, Collection[str]]) -> str:
        """Conditions on sent rows; an attribute of a higher level holds for all rows of its level."""
        attached = {column.id: column for column in columns(flow.structure) if column.is_attached}
        plain = {id: codes for id, codes in where.items() if id not in attached}
        own = conditions(flow.structure, plain, "s.")
        inherited = (self._attached_condition(flow, sent, attached[id], where[id]) for id in where if id in attached)
        return both([own, *inherited])

    def _attached_condition(self, flow: Flow, sent: SentRows, column: Column, codes: Collection[str]) -> str:
        own = conditions(flow.structure, {column.id: codes}, "s.")
        names = flow.names
        rows = (
            f"{sent.table} AS a WHERE a._dataflow = s._dataflow AND a._provider = s._provider AND a._action <> 'Delete'"
        )
        level = both(f"a.{names[id]} = s.{names[id]}" for id in column.level or ())
        elsewhere = f"SELECT 1 FROM {rows} AND {level} AND {conditions(flow.structure, {column.id: codes}, 'a.')}"
        if self._is_repeated(sent, names[column.id]):
            return own
        return f"({own} OR (s.{names[column.id]} IS NULL AND EXISTS ({elsewhere})))"

    def _is_repeated(self, sent: SentRows, name: str) -> bool:
        """Whether every observation carries the attribute itself."""
        key = (sent.table, name)
        if key not in self._repeated:
            rows = f"{sent.table} WHERE _whole AND {name} IS NULL AND _action <> 'Delete'"
            self._repeated[key] = not self.workspace.count(rows)
        return self._repeated[key]

    # --- stored rows -------------------------------------------------------------------------------------------
    def stored(self, flow: Flow, column: Column, where: Mapping[str, Collection[str]], beside: Flow) -> str | None:
        """The table with the stored rows of a dataflow, as shown; only for codes that ``beside`` has been sent with."""
        sent = {} if beside.sent is None else beside.sent.values
        time = flow.structure.time_dimension
        shared = (id for id in flow.structure.dimension_ids if time is None or id != time.id)
        near = {id: codes for id in shared if id not in where and (codes := sent.get(id)) is not None}
        return self._stored(flow, column, {**near, **where})

    def _stored(
        self, flow: Flow, column: Column, wanted: Mapping[str, Collection[str]], more: Collection[str] = ()
    ) -> str | None:
        """The table with the stored rows of a dataflow; None where there are none."""
        if self._history is None or flow.ref is None:
            return None
        dimensions = flow.structure.dimension_ids
        where = {id: sorted(codes) for id, codes in wanted.items() if id in dimensions and len(codes) <= _MOST_WANTED}
        tested = [id for id in (*wanted, *more) if id in flow.names and id not in flow.structure.key_ids]
        key = (flow.name, column.id, tuple(tested), repr(sorted(where.items())))
        if key not in self._kept:
            kinds = {one.id: "DOUBLE" if one.kind == "number" else "VARCHAR" for one in columns(flow.structure)}
            ids = dict.fromkeys([*flow.structure.key_ids, column.id, *tested])
            rows = _renamed(self._history(flow.ref, where), {id: flow.names[id] for id in ids})
            table = self.workspace.keep(rows, {flow.names[id]: kinds[id] for id in ids})
            self._kept[key] = table if self.workspace.count(table) else None
        return self._kept[key]

    def own_stored(self, flow: Flow, column: Column, free: Collection[str] = ()) -> str | None:
        """The table with what the providers sent before of the series that are sent now; None where there is none.

        It has the columns of the key, the figure, the carried attributes and ``_provider``.
        """
        sent = flow.sent
        if self._history is None or flow.ref is None or sent is None:
            return None
        key = ("own", flow.name, column.id, *sorted(free))
        if key not in self._kept:
            time = flow.structure.time_dimension
            kept = {*free, *([] if time is None else [time.id])}
            where = {
                id: sorted(codes)
                for id, codes in sent.values.items()
                if codes is not None and id not in kept and len(codes) <= _FEW
            }
            kinds = {one.id: "DOUBLE" if one.kind == "number" else "VARCHAR" for one in columns(flow.structure)}
            names = {id: flow.names[id] for id in (*flow.structure.key_ids, column.id, *self.carried(flow))}
            types = {**{name: kinds[id] for id, name in names.items()}, "_provider": "VARCHAR"}
            table = self.workspace.keep(self._own_rows(flow.ref, sent, where, names), types)
            self._kept[key] = table if self.workspace.count(table) else None
        return self._kept[key]

    def _own_rows(
        self, ref: Ref, sent: SentRows, where: Mapping[str, Collection[str]], names: Mapping[str, str]
    ) -> Iterator[pa.RecordBatch]:
        for provider in sorted(sent.providers):
            if self._own is not None:
                batches = self._own(ref, provider, where)
            else:
                batches = iter(()) if self._history is None else self._history(ref, where)
            for batch in _renamed(batches, names):
                whose = pa.DictionaryArray.from_arrays(pa.nulls(len(batch), pa.int32()).fill_null(0), [provider])
                yield batch.append_column("_provider", whose.cast(pa.string()))


def _renamed(batches: Iterable[pa.RecordBatch], names: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        present = [id for id in names if id in batch.schema.names]
        yield pa.record_batch([batch.column(id) for id in present], names=[names[id] for id in present])


def _keys(flow: Flow, alias: str, more: Collection[str] = ()) -> str:
    return ", ".join(f"{alias}.{identifier(flow.names[id])}" for id in (*flow.structure.key_ids, *more))


def _merged(name: str) -> str:
    return f"CASE WHEN s._action = 'Merge' THEN coalesce(s.{name}, h.{name}) ELSE s.{name} END AS {name}"


def _finite(expression: str) -> str:
    return f"CASE WHEN isfinite({expression}) THEN {expression} END"
