"""Differences: between two releases, and between a submission and the one that it corrects.

As SDMX, a message that turns the one into the other, and as a table for people. Figures of a submission are looked at
in a store of their own, made for the moment, so that the same functions answer that answer for releases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from html import escape
from typing import Any

import orjson
import pyarrow as pa

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.dissemination.data import compared, data
from sdmx_service.dissemination.heading import header_from
from sdmx_service.errors import Conflict, NoResults, NotFound, SdmxError
from sdmx_service.formats.registry import Format
from sdmx_service.model.confidentiality import CONFIDENTIALITY
from sdmx_service.model.message import Action, Dataset, Message, Party, WriteOptions
from sdmx_service.model.query import DataQuery
from sdmx_service.model.selection import Cube, dataflow_name
from sdmx_service.model.structure import Dataflow
from sdmx_service.model.urn import Version, parse_ref
from sdmx_service.storage.port import StagedPart, Store
from sdmx_service.submission.exports import page
from sdmx_service.submission.receipt import Receipt, load_receipt
from sdmx_service.workflow.comparison import Comparison, Counts, Form, Side
from sdmx_service.workflow.hiding import statements
from sdmx_service.workflow.states import WAITING

Scratch = Callable[[], AbstractContextManager[Store]]
"""Opens an empty store for the time of one piece of work."""
_GATHER = 500
"""Lines of a table that are given at once."""
CSV_HEAD = "dataflow,key,component,change,before,after\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two states of a store, by their releases, and the dataflows that differ in them."""

    store: Store
    catalog: Catalog
    before: int
    after: int
    flows: tuple[Dataflow, ...]
    memory: str = "256MB"

    def compare(self, flow: Dataflow) -> Comparison:
        """Both states of a dataflow, to be closed by the caller."""
        found = Comparison(self.catalog.structure_of(flow), self.memory)
        try:
            sides: tuple[tuple[Side, Side, int, int], ...] = (
                ("after", "before", self.before, self.after),
                ("before", "after", self.after, self.before),
            )
            for side, other, since, release in sides:
                for _, datasets in compared(_query(flow), self.catalog, self.store, since, release):
                    for dataset in datasets:
                        _take(dataset, side, other, found)
        except BaseException:
            found.__exit__(None, None, None)
            raise
        return found


def _take(dataset: Dataset, side: Side, other: Side, comparison: Comparison) -> None:
    """What a data set tells of a side; a deletion of attributes tells what the other side has."""
    if dataset.only_attributes:
        told = other if dataset.action is Action.DELETE else side
        for id, rows in dataset.attachments.items():
            comparison.add_attribute(told, id, rows)
    elif dataset.action is not Action.DELETE:  # keys that went are rows of the other side
        for batch in dataset.batches:
            comparison.add(side, batch)


def _query(flow: Dataflow) -> DataQuery:
    return DataQuery(
        context="dataflow", agencies=(flow.agency,), ids=(flow.id,), versions=(flow.version,), attributes=("all",)
    )


def of_releases(before: int, after: int, catalog: Catalog, store: Store, dataflow: str | None = None) -> Pair:
    """Two releases, in any order; of all dataflows that differ or of one that a person names.

    Raises:
        NotFound: there is no such release or dataflow.
    """
    current = store.pointer().release
    for number in (before, after):
        if not 0 <= number <= current:
            raise NotFound(f"There is no release {number}.", hint=f"Releases go from 0 to {current}.")
    named = None if dataflow is None else catalog.named(dataflow, "Dataflow")
    first, last = sorted((before, after))
    flows = [flow for flow in _latest(catalog) if named is None or dataflow_name(flow.ref) == dataflow_name(named.ref)]
    differ = tuple(flow for flow in flows if _is_touched(flow, catalog, store, first, last))
    return Pair(store=store, catalog=catalog, before=before, after=after, flows=differ)


def _latest(catalog: Catalog) -> tuple[Dataflow, ...]:
    """The latest version of each dataflow and major version."""
    found: dict[str, Dataflow] = {}
    for flow in sorted(
        (one for one in catalog.of_type("Dataflow") if isinstance(one, Dataflow)),
        key=lambda one: Version.parse(one.version),
    ):
        found[dataflow_name(flow.ref)] = flow
    return tuple(found[name] for name in sorted(found))


def _is_touched(flow: Dataflow, catalog: Catalog, store: Store, first: int, last: int) -> bool:
    try:
        cube = Cube.of(catalog.structure_of(flow))
    except SdmxError:  # a structure that is not whole has no figures
        return False
    return any(first < number <= last for number in store.touched(cube, last).get(dataflow_name(flow.ref), ()))


# --- submissions ----------------------------------------------------------------------------------------------------
def of_submissions(earlier: Receipt, later: Receipt, catalog: Catalog, store: Store, scratch: Store) -> Pair:
    """The figures of two submissions, put into an empty store.

    Raises:
        Conflict: the figures of one are not kept, since it was refused or withdrawn.
    """
    _hide(store, scratch)
    before = _publish(earlier, catalog, store, scratch)
    scratch.restore(0)
    after = _publish(later, catalog, store, scratch)
    for receipt in (earlier, later):
        _state(receipt, catalog, store, scratch)
    names = {one.dataflow for receipt in (earlier, later) for one in receipt.dataflows}
    flows = tuple(_flow(name, catalog) for name in sorted(names))
    return Pair(store=scratch, catalog=catalog, before=before, after=after, flows=flows)


def earlier_version(later: Receipt, store: Store) -> Receipt:
    """What a correction is set beside: the newest version before it whose figures are kept, over refused ones.

    Raises:
        Conflict: it corrects none, or none of which figures are kept.
    """
    id = later.corrects
    if id is None:
        raise Conflict(f"The submission {later.id} corrects none.", hint="A correction is sent with ?corrects=ID.")
    while id is not None:
        earlier = load_receipt(store, id)
        if _is_kept(earlier, store):
            return earlier
        id = earlier.corrects
    raise Conflict(
        f"No version before {later.id} has figures that are kept: those with errors and those withdrawn have none.",
        hint="Its receipt counts what it changes of what is published.",
    )


def _is_kept(receipt: Receipt, store: Store) -> bool:
    """Whether its figures are kept: not those of a file with errors, nor what was withdrawn."""
    try:
        with closing(store.staged(receipt.id)) as rows:  # type: ignore[type-var]
            next(rows, None)
    except Conflict:
        return False
    return True


def _hide(store: Store, scratch: Store) -> None:
    """What is confidential is hidden in the other store too."""
    kept = {name: body for name, body in store.artefacts().items() if name.startswith(CONFIDENTIALITY)}
    if kept:
        scratch.save_artefacts(kept)


def _publish(receipt: Receipt, catalog: Catalog, store: Store, scratch: Store) -> int:
    """The release with the figures of a submission; what waits leaves statuses that it does not say as they are.

    Raises:
        Conflict: they are not kept, since it was refused or withdrawn.
    """
    if not _is_kept(receipt, store):
        raise Conflict(
            f"The submission {receipt.id} is {receipt.status}, and its figures are not kept.",
            hint=f"Why: /api/submissions/{receipt.id}/findings and /history.",
        )
    if receipt.status in WAITING:
        _put(f"{receipt.id}-before", statements(receipt.id, catalog, store), scratch)
    return _put(receipt.id, store.staged(receipt.id), scratch)


def _state(receipt: Receipt, catalog: Catalog, store: Store, scratch: Store) -> None:
    """What was stated after a submission hides its figures, as it does where they are published."""
    later = receipt.corrected_by
    while later is not None:
        correction = load_receipt(store, later)
        if _is_kept(correction, store):
            _put(f"{receipt.id}-{later}", store.staged(later), scratch)
        later = correction.corrected_by
    if receipt.status not in WAITING:
        _put(f"{receipt.id}-after", statements(receipt.id, catalog, store), scratch)


def _put(name: str, rows: Iterable[tuple[StagedPart, pa.RecordBatch]], scratch: Store) -> int:
    load = scratch.stage(name)
    for part, batch in rows:
        load.append(part, batch)
    load.keep()
    return scratch.publish([name])[0].number


def _flow(name: str, catalog: Catalog) -> Dataflow:
    ref = parse_ref(name, "Dataflow").complete()
    assert ref is not None
    return catalog.dataflow(ref)


def figures(receipt: Receipt, catalog: Catalog, store: Store, scratch: Store, sender: Party) -> Message:
    """The figures of a submission as a message, whether they are published or not; deletions tell nothing.

    Raises:
        Conflict: they are not kept, since it was refused or withdrawn.
        NoResults: it brings none.
    """
    _hide(store, scratch)
    release = _publish(receipt, catalog, store, scratch)
    _state(receipt, catalog, store, scratch)
    datasets: list[Dataset] = []
    for one in receipt.dataflows:
        try:
            found = data(_query(_flow(one.dataflow, catalog)), catalog, scratch, release, sender=sender)
        except NoResults:
            continue
        datasets += found.datasets
    if not datasets:
        raise NoResults("The submission brings no figures.")
    return Message(header=header_from(sender), datasets=datasets)


# --- as SDMX --------------------------------------------------------------------------------------------------------
def difference_message(pair: Pair, sender: Party) -> Message:
    """The message that turns the state before into that after: what went as Delete, what came or changed as Merge.

    *Choice*: where an observation that stays has lost a value, the data set is a Replace, since a Merge cannot take
    anything away.

    Raises:
        NoResults: nothing differs.
    """
    datasets: list[Dataset] = []
    for flow in pair.flows:
        with pair.compare(flow) as comparison:
            action = Action.REPLACE if comparison.loses else Action.MERGE
        for _, found in compared(_query(flow), pair.catalog, pair.store, pair.before, pair.after):
            for dataset in found:
                if dataset.action is not Action.DELETE and not dataset.only_attributes:
                    dataset.action = action
                datasets.append(dataset)
    if not datasets:
        raise NoResults("Nothing differs.")
    return Message(header=header_from(sender), datasets=datasets)


def written(message: Message, format: Format, options: WriteOptions) -> Iterator[bytes]:
    """A message in a format that can be written."""
    assert format.write is not None
    return format.write(message, options)


# --- as a table -----------------------------------------------------------------------------------------------------
def table(pair: Pair, form: Form, title: str) -> Iterator[bytes]:
    """Every cell that differs, for people: JSON, CSV or one page of HTML."""
    writers: dict[Form, Callable[[Pair, str], Iterator[bytes]]] = {"json": _json, "csv": _csv, "html": _html}
    return writers[form](pair, title)


def counts(pair: Pair) -> list[dict[str, Any]]:
    """Per dataflow how many observations and cells came, changed and went."""
    found = []
    for flow in pair.flows:
        with pair.compare(flow) as comparison:
            if (cells := comparison.cells()).total:
                found.append(_facts(flow, comparison.observations(), cells))
    return found


def _facts(flow: Dataflow, observations: Counts, cells: Counts) -> dict[str, Any]:
    return {"dataflow": flow.ref.text, "observations": observations.to_json(), "cells": cells.to_json()}


def _gathered(lines: Iterator[str], between: str) -> Iterator[bytes]:
    """Lines in pieces, with something between two of them."""
    waiting: list[str] = []
    is_first = True
    for line in lines:
        waiting.append(line)
        if len(waiting) >= _GATHER:
            yield ("" if is_first else between).encode() + between.join(waiting).encode()
            waiting, is_first = [], False
    if waiting:
        yield ("" if is_first else between).encode() + between.join(waiting).encode()


def _json(pair: Pair, title: str) -> Iterator[bytes]:
    head = orjson.dumps({"title": title, "before": pair.before, "after": pair.after})
    yield head[:-1] + b',"dataflows":['
    between = b""
    for flow in pair.flows:
        with pair.compare(flow) as comparison:
            if not (cells := comparison.cells()).total:
                continue
            yield between + orjson.dumps(_facts(flow, comparison.observations(), cells))[:-1] + b',"changes":[\n'
            yield from _gathered(comparison.lines("json"), ",\n")
            yield b"]}"
            between = b",\n"
    yield b"]}\n"


def _csv(pair: Pair, title: str) -> Iterator[bytes]:
    yield CSV_HEAD.encode()
    for flow in pair.flows:
        with pair.compare(flow) as comparison:
            yield from _gathered(comparison.lines("csv", flow.ref.text), "\r\n")
            if comparison.cells().total:
                yield b"\r\n"


def _html(pair: Pair, title: str) -> Iterator[bytes]:
    head, foot = page(title)
    yield head.encode()
    some = False
    for flow in pair.flows:
        with pair.compare(flow) as comparison:
            if not (cells := comparison.cells()).total:
                continue
            some = True
            names: Sequence[str] = (*comparison.key_ids, "component", "change", "before", "after")
            columns = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
            yield (
                f'<section class="info"><h2>{escape(flow.ref.text)}</h2><p>Observations: '
                f"{_words(comparison.observations())}. Cells: {_words(cells)}.</p>"
                f"<table><thead><tr>{columns}</tr></thead><tbody>\n"
            ).encode()
            yield from _gathered(comparison.lines("html"), "\n")
            yield b"</tbody></table></section>\n"
    yield ("" if some else "<p>Nothing differs.</p>").encode() + foot.encode()


def _words(found: Counts) -> str:
    return f"{found.added} added, {found.changed} changed, {found.removed} removed"
