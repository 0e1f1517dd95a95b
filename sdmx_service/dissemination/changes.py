"""Data over time: the state at a moment, what changed since one, and the whole history.

A release is a dissemination. *Standard* (SDMX-REST 2.2, data.md; 1.5 the same): ``asOf`` is the state at a moment,
``updatedAfter`` tells inserts, updates and deletes after one, ``includeHistory`` gives one or two data sets per
dissemination: Replace with what came or changed, valid from it, and Delete with what went, valid until it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.dissemination.plan import Plan
from sdmx_service.model.columns import Column, columns
from sdmx_service.model.message import Action, Dataset
from sdmx_service.model.query import ALL_DIMENSIONS, DataQuery, DataSlice
from sdmx_service.model.structure import DataStructure
from sdmx_service.storage.port import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What is told of a query: the state at a release, or what changed from another one to it.

    Attributes:
        since: the release after which changes count; None: the whole state.
        valid_from, valid_to: when this state or change became valid, and when it was followed by another; None: not
            said.
    """

    release: int
    since: int | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None


def since(query: DataSlice, store: Store) -> int | None:
    """The release that was current at ``updatedAfter``; None without it."""
    return None if query.updated_after is None else store.release_at(query.updated_after)


def spans(query: DataQuery, store: Store, release: int) -> Sequence[Span]:
    """What a query wants to be told, oldest first; empty where there was nothing yet."""
    after = since(query, store)
    if query.as_of is None and not query.include_history:
        return (Span(release=release, since=after),)
    last = release if query.as_of is None else min(release, store.release_at(query.as_of))
    moments = {one.number: one.published_at for one in store.releases()}
    if query.include_history:
        told = [number for number in moments if (after or 0) < number <= last]
        return tuple(Span(release=number, since=number - 1, valid_from=moments[number]) for number in told)
    if not last:
        return ()
    return (Span(release=last, since=after, valid_from=moments[last], valid_to=moments.get(last + 1)),)


def moment(value: datetime | None) -> str | None:
    """A moment as messages write it: whole seconds, UTC."""
    return None if value is None else value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def deleted(one: Plan, catalog: Catalog, store: Store) -> Dataset | None:
    """The keys that went away, as a data set to delete; None where none did or no change was asked for.

    The keys are read twice, once for the values that occur, so that memory does not grow with them.
    """
    if one.selection.changed_since is None:
        return None
    ids = one.structure.key_ids
    seen: dict[str, set[str]] = {id: set() for id in ids}
    for batch in store.scan_deleted(one.selection):
        for id in ids:
            seen[id].update(batch.column(id).unique().to_pylist())
    if not any(seen.values()):
        return None
    time = one.structure.time_dimension
    domains: dict[str, Sequence[str]] = {id: sorted(values) for id, values in seen.items()}
    if time is not None:
        domains[time.id] = [text for text in store.periods(one.selection.cube) if text in seen[time.id]]
    return Dataset(
        structure=one.structure,
        ref=one.artefact.ref,
        dataflow=one.dataflow,
        provider=one.provider,
        batches=_keys(one, store, domains),
        action=Action.DELETE,
        dimension_at_observation=one.dimension_at_observation,
        domains=domains,
        labels=catalog.labels(one.structure, domains, one.artefact),
        components=(),
        valid_to=moment(one.valid_from),
    )


def attributes(one: Plan, catalog: Catalog, store: Store) -> tuple[Dataset | None, Dataset | None]:
    """Attributes above the observation that no row tells: those to delete, and those to set.

    *Standard*: changes are told at every level (data.md, *updatedAfter*), and ``attributes=all&measures=none`` gives
    attributes also where there is no observation (*measures*).
    *Choice*: they are data sets of their own, since a row of a Delete that names a value deletes that value and no
    more (SDMX 3.1 technical notes, *Action*); what went is told with the value that it had.
    """
    selection = one.selection
    if selection.changed_since is None and not one.attributes_only:
        return None, None
    if one.keys_only and selection.changed_since is None:  # whole series keys come as such
        described = {column.id: column for column in columns(one.structure)}
        wanted = [id for id in selection.components or () if _is_shared(described[id], one.structure)]
        if not wanted:
            return None, None
        selection = replace(selection, components=tuple(wanted))
    found = store.attribute_changes(selection)
    gone = _attributes(one, found.gone, Action.DELETE, catalog)
    return gone, _attributes(one, _tellable(one, found.come), Action.MERGE, catalog)


def _is_shared(column: Column, structure: DataStructure) -> bool:
    return column.is_attached and len(column.level or ()) < len(structure.dimension_ids)


def _tellable(one: Plan, tables: Mapping[str, pa.Table]) -> Mapping[str, pa.Table]:
    """Without time a whole key is that of an observation, and an attribute alone would make one."""
    if one.structure.time_dimension is not None:
        return tables
    whole = len(one.structure.dimension_ids)
    levels = {column.id: column.level or () for column in columns(one.structure)}
    return {id: table for id, table in tables.items() if len(levels[id]) < whole}


def _attributes(one: Plan, tables: Mapping[str, pa.Table], action: Action, catalog: Catalog) -> Dataset | None:
    if not tables:
        return None
    structure, time = one.structure, one.structure.time_dimension
    domains: dict[str, Sequence[str]] = dict.fromkeys(structure.key_ids, ())
    for id in structure.dimension_ids:
        values = [table[id].unique().to_pylist() for table in tables.values() if id in table.schema.names]
        domains[id] = sorted({value for some in values for value in some})
    told = [column for column in columns(structure) if column.id in tables]
    for column in told:
        if column.kind == "multilingual":
            domains[column.id] = sorted({tag for text in tables[column.id][column.id].to_pylist() for tag, _ in text})
    return Dataset(
        structure=structure,
        ref=one.artefact.ref,
        dataflow=one.dataflow,
        provider=one.provider,
        batches=iter(()),
        action=action,
        dimension_at_observation=ALL_DIMENSIONS if time is None else time.id,
        domains=domains,
        attachments=tables,
        labels=catalog.labels(structure, domains, one.artefact),
        components=tuple(column.id for column in told),
        only_attributes=True,
        valid_from=moment(one.valid_from) if action is not Action.DELETE else None,
        valid_to=moment(one.valid_from if action is Action.DELETE else one.valid_to),
    )


def _keys(one: Plan, store: Store, domains: Mapping[str, Sequence[str]]) -> Iterator[pa.RecordBatch]:
    known = {id: pa.array(values, pa.string()) for id, values in domains.items()}
    for batch in store.scan_deleted(one.selection):
        columns = [
            pa.DictionaryArray.from_arrays(pc.index_in(batch.column(id), value_set=values), values)
            for id, values in known.items()
        ]
        yield pa.RecordBatch.from_arrays(columns, names=list(known))
