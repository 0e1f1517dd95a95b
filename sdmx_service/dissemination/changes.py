"""Data over time: the state at a moment, what changed since one, and the whole history.

A release is a dissemination. *Standard* (SDMX-REST 2.2, data.md; 1.5 the same): ``asOf`` is the state at a moment,
``updatedAfter`` tells inserts, updates and deletes after one, ``includeHistory`` gives one or two data sets per
dissemination: Replace with what came or changed, valid from it, and Delete with what went, valid until it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.dissemination.plan import Plan
from sdmx_service.model.message import Action, Dataset
from sdmx_service.model.query import DataQuery, DataSlice
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


def _keys(one: Plan, store: Store, domains: Mapping[str, Sequence[str]]) -> Iterator[pa.RecordBatch]:
    known = {id: pa.array(values, pa.string()) for id, values in domains.items()}
    for batch in store.scan_deleted(one.selection):
        columns = [
            pa.DictionaryArray.from_arrays(pc.index_in(batch.column(id), value_set=values), values)
            for id, values in known.items()
        ]
        yield pa.RecordBatch.from_arrays(columns, names=list(known))
