"""Rows that name their structure and action themselves, cut into data sets: SDMX-CSV, and tables of its columns.

A data set is a run of rows with the same structure and action. *Choice:* where these alternate all the time, the rows
of a block are regrouped by structure between two changes of action; actions keep their order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, groupby
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.errors import SyntaxFault, UnreadableFile
from sdmx_service.model.columns import ROW
from sdmx_service.model.message import Action, Dataset, Target
from sdmx_service.model.urn import Ref, parse_ref

if TYPE_CHECKING:
    _Strings: TypeAlias = pa.Array[Any]

STRUCTURE: Final = "STRUCTURE"
STRUCTURE_ID: Final = "STRUCTURE_ID"
ACTION: Final = "ACTION"
_REGROUP_FROM: Final = 16
_LATEST: Final = "~"
_TYPES: Final = {
    "dataflow": "Dataflow",
    "datastructure": "DataStructure",
    "dataprovision": "ProvisionAgreement",
    "provisionagreement": "ProvisionAgreement",
}
_REFERENCE = re.compile(r"\s*([^:()]+:[^:()]+(?:\([^()]*\))?)\s*(?::.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Run:
    """What the rows of one data set have in common, as sent, and the number of its first row."""

    kind: str
    id: str
    action: str
    row: int

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from the next one."""
        return self.kind, self.id, self.action


class Reading(Protocol):
    """How the rows of one structure are read: what they refer to, what that means, and their batches."""

    @property
    def ref(self) -> Ref:
        """What the rows name."""

    @property
    def target(self) -> Target:
        """What it means here."""

    def batch(self, table: pa.Table) -> pa.RecordBatch:
        """Rows as read."""


def datasets(pieces: Iterable[tuple[Run, pa.Table]], opened: Callable[[Run], Reading]) -> Iterator[Dataset]:
    """A data set per run of rows; ``opened`` is asked once for each structure that they name."""
    known: dict[tuple[str, str], Reading] = {}
    for _, group in groupby(pieces, key=lambda piece: piece[0].key):
        first = next(group)
        run = first[0]
        reading = known.get((run.kind, run.id))
        if reading is None:
            reading = known[run.kind, run.id] = opened(run)
        yield Dataset(
            structure=reading.target.structure,
            ref=reading.ref,
            batches=map(reading.batch, (table for _, table in chain([first], group))),
            action=action_of(run),
            dataflow=reading.target.dataflow,
            provider=reading.target.provider,
        )


def runs(table: pa.Table, kinds: _Strings, ids: _Strings, actions: _Strings) -> Iterator[tuple[Run, pa.Table]]:
    """The table (with ``_row``) cut where structure or action changes; vectorised, Python once for each run."""
    starts = _changes(kinds, ids, actions)
    if len(starts) > _REGROUP_FROM:
        order = _regrouped(kinds, ids, actions)
        table = table.take(order)
        kinds, ids, actions = (part.take(order) for part in (kinds, ids, actions))
        starts = _changes(kinds, ids, actions)
    ends = [*starts[1:].tolist(), table.num_rows]
    for start, end in zip(starts.tolist(), ends, strict=True):
        row = table.column(ROW)[start].as_py()
        run = Run(kinds[start].as_py(), ids[start].as_py(), actions[start].as_py(), row)
        yield run, table.slice(start, end - start)


def needed(column: _Strings, name: str, rows: _Strings) -> _Strings:
    """A column that no row may leave empty.

    Raises:
        UnreadableFile: one does.
    """
    if column.null_count:
        place = int(np.flatnonzero(np.asarray(column.is_null()))[0])
        raise UnreadableFile(
            f"Row {rows[place].as_py()}, column {name}: the cell is empty.", hint="Every row names its structure."
        )
    return column


def _is_change(column: _Strings) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.not_equal(column.slice(1), column.slice(0, len(column) - 1)))


def _changes(*parts: _Strings) -> npt.NDArray[np.int64]:
    changed = np.logical_or.reduce([_is_change(part) for part in parts])
    return np.concatenate(([0], np.flatnonzero(changed) + 1)).astype(np.int64)


def _regrouped(kinds: _Strings, ids: _Strings, actions: _Strings) -> _Strings:
    """An order of rows that keeps changes of action in place and puts the rows of a structure together between them."""
    epochs = np.concatenate(([0], np.cumsum(_is_change(actions))))
    kind_codes, id_codes = (np.asarray(part.dictionary_encode().indices) for part in (kinds, ids))
    return pa.array(np.lexsort((np.arange(len(epochs)), kind_codes, id_codes, epochs)))


def reference_of(run: Run, *, kind: str | None = None, column: str = STRUCTURE_ID) -> Ref:
    """What the rows of a run refer to; without version its latest one.

    Args:
        kind: the class of what is named, where the rows do not say it.
        column: where they name it.

    Raises:
        UnreadableFile: they name nothing that could be.
    """
    kind = kind or _TYPES.get(run.kind.strip().lower())
    if kind is None:
        raise UnreadableFile(
            f"Row {run.row}, column {STRUCTURE}: {run.kind!r} is not a type of structure.",
            hint="Write dataflow, datastructure or dataprovision.",
        )
    match = _REFERENCE.fullmatch(run.id)
    try:
        ref = parse_ref(match[1].strip(), kind).complete(version=_LATEST) if match else None
    except SyntaxFault:
        ref = None
    if ref is None or ref.item is not None:
        raise UnreadableFile(
            f"Row {run.row}, column {column}: {run.id!r} does not name a structure.", hint="Write AGENCY:ID(VERSION)."
        )
    return ref


def action_of(run: Run) -> Action:
    """What the rows of a run do.

    Raises:
        UnreadableFile: it is no action.
    """
    try:
        return Action.from_text(run.action or None)
    except SyntaxFault:
        raise UnreadableFile(
            f"Row {run.row}, column {ACTION}: {run.action!r} is not an action.",
            hint="Write M (merge), R (replace) or D (delete); I and A are read as M.",
        ) from None
