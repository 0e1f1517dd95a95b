"""What is hidden today of the figures of a submission, so that reading it by itself does not tell them.

A submission knows its own statuses only. A figure that it brought as free may have been declared confidential since,
and one whose status it leaves out keeps the one that is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.model.confidentiality import Confidentiality
from sdmx_service.model.message import Action
from sdmx_service.model.selection import Cube, Selection
from sdmx_service.model.structure import DataStructure
from sdmx_service.storage.port import StagedPart, Store

_MOST_NAMED = 1_000
"""Codes of a dimension that are named to the store; with more, all are read."""


def statements(submission: str, catalog: Catalog, store: Store) -> Iterator[tuple[StagedPart, pa.RecordBatch]]:
    """The figures of a submission that are hidden now, each as a row that states this and nothing else."""
    for part, batch in store.staged(submission):
        rules = catalog.confidentiality_of(part.structure)
        if rules is None or rules.status not in batch.schema.names or not store.mask_version(Cube.of(part.structure)):
            continue
        hidden = _hidden(part, batch, rules, store)
        if hidden.num_rows:
            chosen = _chosen(batch, part.structure, hidden)
            stating = StagedPart(
                structure=part.structure, dataflow=part.dataflow, provider=part.provider, action=Action.MERGE
            )
            yield stating, _stating(chosen, part.structure, rules)


def _hidden(part: StagedPart, batch: pa.RecordBatch, rules: Confidentiality, store: Store) -> pa.Table:
    """The keys of the sender's figures that are hidden now, shown or withdrawn, among those near a batch's."""
    keys = part.structure.key_ids
    selection = Selection(
        structure=part.structure,
        cube=Cube.of(part.structure),
        context="provisionagreement",
        release=store.pointer().release,
        dataflows=(part.dataflow,),
        providers=(part.provider,),
        keys=(tuple(_named(batch.column(id)) for id in part.structure.dimension_ids),),
    )
    schema = pa.schema([(id, pa.string()) for id in keys])
    found = [pa.Table.from_batches([one]).select(keys).cast(schema) for one in store.told_before(selection)]
    for one in store.scan(selection, store.domains(selection)):
        is_hidden = pc.is_in(one.column(rules.status).cast(pa.string()), value_set=pa.array(rules.confidential))
        found.append(pa.Table.from_batches([one]).filter(is_hidden).select(keys).cast(schema))
    return pa.concat_tables(found) if found else schema.empty_table()


def _named(column: Any) -> frozenset[str] | None:
    codes: Collection[str] = pc.unique(column.cast(pa.string())).drop_null().to_pylist()
    return frozenset(codes) if 0 < len(codes) <= _MOST_NAMED else None


def _chosen(batch: pa.RecordBatch, structure: DataStructure, hidden: pa.Table) -> pa.Table:
    """The rows of a batch with one of the keys."""
    keys = list(structure.key_ids)
    own = pa.table({id: batch.column(id).cast(pa.string()) for id in keys})
    own = own.append_column("place", pa.array(range(len(batch)), pa.int64()))
    places = own.join(hidden, keys=keys, join_type="left semi")["place"]
    return pa.Table.from_batches([batch]).take(places)


def _stating(rows: pa.Table, structure: DataStructure, rules: Confidentiality) -> pa.RecordBatch:
    """The rows with their keys and the status alone."""
    arrays: list[Any] = []
    for field in rows.schema:
        if field.name in structure.key_ids:
            arrays.append(rows[field.name].combine_chunks())
        elif field.name == rules.status:
            arrays.append(pa.array([rules.primary or rules.confidential[0]] * len(rows), pa.string()).cast(field.type))
        else:
            arrays.append(pa.nulls(len(rows), field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=rows.schema)
