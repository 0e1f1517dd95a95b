"""Data: plans become a message whose batches are read while it is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.dissemination.changes import attributes, deleted, moment, spans
from sdmx_service.dissemination.heading import header_from
from sdmx_service.dissemination.plan import Plan, plan, plans_over
from sdmx_service.errors import NoResults
from sdmx_service.model.columns import columns
from sdmx_service.model.message import Action, Dataset, Message, Party
from sdmx_service.model.query import DataQuery
from sdmx_service.storage.port import Store


def data(query: DataQuery, catalog: Catalog, store: Store, release: int, *, sender: Party) -> Message:
    """The answer to a data query at a release; data sets without rows are left out.

    The action is Replace for a plain query and Merge when measures or attributes were cut (SDMX-REST 2.2, data.md);
    what changed comes with what went away before it, as a data set of its own (``changes``).

    Raises:
        NoResults: nothing matches.
    """
    plans = _paged(_told(query, catalog, store, release), query, store)
    datasets = [dataset for one in plans for dataset in _datasets(one, query, catalog, store)]
    if not datasets:
        raise NoResults("The query is right, and no figure matches it.")
    return Message(header=header_from(sender), datasets=datasets)


def compared(
    query: DataQuery, catalog: Catalog, store: Store, since: int, release: int
) -> Iterator[tuple[Plan, Sequence[Dataset]]]:
    """What a release has and another one, earlier or later, has not: per plan its data sets, as ``data`` gives them.

    *Extension*: of one release against the next it is what ``updatedAfter`` gives.
    """
    for one in plan(query, catalog, store, release, since):
        yield one, tuple(_datasets(one, query, catalog, store))


def _told(query: DataQuery, catalog: Catalog, store: Store, release: int) -> Iterator[Plan]:
    """The plans of all that is to be told, with its validity."""
    told = spans(query, store, release)
    moments = ((span.release, span.since) for span in told)
    for span, plans in zip(told, plans_over(query, catalog, store, moments), strict=True):
        for one in plans:
            yield replace(one, valid_from=span.valid_from, valid_to=span.valid_to)


def _datasets(one: Plan, query: DataQuery, catalog: Catalog, store: Store) -> Iterator[Dataset]:
    apart: tuple[Dataset | None, ...] = (None, None)
    if query.offset == 0:
        if (gone := deleted(one, catalog, store)) is not None:
            yield gone
        apart = attributes(one, catalog, store)
    for found in (apart[0], _dataset(one, query, catalog, store), apart[1]):
        if found is not None:
            yield found


def _paged(plans: Iterable[Plan], query: DataQuery, store: Store) -> Iterator[Plan]:
    """The plans with ``offset`` and ``limit`` counted against the whole answer, not against each data set."""
    if query.offset == 0 and query.limit is None:
        yield from plans
        return
    skipped, left = query.offset, query.limit
    for one in plans:
        held = _size(one, store)
        shown = max(0, held - skipped) if left is None else min(left, max(0, held - skipped))
        if shown or one.selection.changed_since is not None:
            yield replace(one, selection=replace(one.selection, offset=skipped, limit=shown))
        skipped = max(0, skipped - held)
        left = None if left is None else left - shown


def _size(one: Plan, store: Store) -> int:
    """How many observations, or series keys where only these are asked for, a plan gives without paging."""
    selection = replace(one.selection, offset=0, limit=None)
    if one.keys_only and _may_have_bare_series(one):
        return sum(batch.num_rows for batch in store.series(selection, {}))
    counts = store.count(selection)
    return counts.series if one.keys_only else counts.observations


def _may_have_bare_series(one: Plan) -> bool:
    """Whether series without observations are told: those that have attributes of their own."""
    whole, wanted = one.structure.dimension_ids, one.selection.components
    return any(column.level == whole and (wanted is None or column.id in wanted) for column in columns(one.structure))


def _domains(one: Plan, store: Store) -> Mapping[str, Sequence[str]]:
    """The values that occur, in series without observations too where these are told."""
    found = store.domains(one.selection)
    if not one.keys_only or not _may_have_bare_series(one):
        return found
    every: dict[str, set[str]] = {}
    for batch in store.series(replace(one.selection, offset=0, limit=None, sort=(), together=()), {}):
        for name, values in zip(batch.schema.names, batch.columns, strict=True):
            if name in found:
                every.setdefault(name, set()).update(_values(values))
    return {id: sorted({*values, *every[id]}) if id in every else values for id, values in found.items()}


def _values(column: Any) -> Iterable[str]:
    """The single values of a column: codes, values of lists, languages."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary.take(column.indices)
    elif pa.types.is_map(column.type):
        column = column.keys
    elif pa.types.is_list(column.type):
        column = column.flatten()
    return pc.unique(column).drop_null().to_pylist()  # type: ignore[no-any-return]


def _dataset(one: Plan, query: DataQuery, catalog: Catalog, store: Store) -> Dataset | None:
    if one.selection.limit == 0:
        return None
    domains = _domains(one, store)
    if not any(domains.get(id) for id in one.structure.key_ids):
        return None
    cut = query.attributes != ("dsd",) or query.measures != ("all",) or _has_metadata(one)
    return Dataset(
        structure=one.structure,
        ref=one.artefact.ref,
        dataflow=one.dataflow,
        provider=one.provider,
        batches=_batches(one, store, domains),
        action=Action.MERGE if cut else Action.REPLACE,
        dimension_at_observation=one.dimension_at_observation,
        domains=domains,
        attachments=store.attachments(one.selection),
        labels=catalog.labels(one.structure, domains, one.artefact),
        components=one.selection.components,
        keys_only=one.keys_only,
        is_sorted=bool(one.selection.sort),
        valid_from=moment(one.valid_from),
        valid_to=moment(one.valid_to),
    )


def _has_metadata(one: Plan) -> bool:
    """Reference metadata may stand beside the data, which a plain answer leaves out and so must not replace."""
    return any(attribute.is_metadata for attribute in one.structure.attributes)


def _batches(one: Plan, store: Store, domains: Mapping[str, Sequence[str]]) -> Iterator[pa.RecordBatch]:
    return store.series(one.selection, domains) if one.keys_only else store.scan(one.selection, domains)
