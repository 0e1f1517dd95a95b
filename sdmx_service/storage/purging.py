"""Stored values removed for good: from every version of a figure and from the rows that submissions have kept.

The only act that changes what a past release holds. Rows stay, with their status and without their value; what a
database keeps of overwritten pages (free space, write-ahead logs, backups) is its operator's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.model.columns import columns, typed_fields
from sdmx_service.model.confidentiality import Confidentiality
from sdmx_service.model.selection import Cube, Selection
from sdmx_service.model.structure import DataStructure
from sdmx_service.storage.directory import Directory
from sdmx_service.storage.engine import Engine, Session
from sdmx_service.storage.layout import CubeLayout
from sdmx_service.storage.masking import Mask, note
from sdmx_service.storage.port import Purged
from sdmx_service.storage.quoting import both, either, identifier, literal
from sdmx_service.storage.sql import Conditions
from sdmx_service.storage.staging import STREAM
from sdmx_service.storage.structures import decode_structure


@dataclass(frozen=True)
class Purge:
    """The values of one selection: keys, periods, dataflows and providers count, nothing else."""

    engine: Engine
    layout: CubeLayout
    directory: Directory
    selection: Selection
    rules: Confidentiality | None

    def run(self, session: Session) -> Purged:
        """Remove the values."""
        versions = self._versions(session)
        rows, submissions = self._staged(session)
        note(session, self.layout, purged=True)
        return Purged(versions=versions, staged=rows, submissions=tuple(submissions))

    @property
    def _hides(self) -> tuple[str, ...]:
        return self.rules.hides if self.rules is not None else ()

    def _versions(self, session: Session) -> int:
        """Empty the row versions of the cube that have a value; returns how many."""
        layout = self.layout
        values = [c for c in layout.observed if c.role == "measure" or c.id in self._hides]
        names = [identifier(name) for column in values for name in column.names]
        wanted = Conditions(layout, self.directory, self.selection, self.engine.read, Mask(layout, {}))
        same = [f"s.{name} = o.{name}" for name in ("_sid", "_dataflow", "_provider")]
        own = both([*same, *wanted.origin("s"), *(one.format("s") for one in wanted.narrow), *wanted.series])
        series = f"EXISTS (SELECT 1 FROM {identifier(layout.table('series'))} s WHERE {own})"
        has_value = either(f"o.{name} IS NOT NULL" for name in names)
        where = both([*wanted.origin("o"), *wanted.observed, series, has_value])
        emptied = ", ".join(f"{name} = NULL" for name in names)
        return session.execute(f"UPDATE {identifier(layout.observations.name)} AS o SET {emptied} WHERE {where}")

    # --- rows that submissions have kept --------------------------------------------------------------------------

    def _staged(self, session: Session) -> tuple[int, list[str]]:
        """Empty kept rows that have a value; how many, and which submissions have rows of the keys."""
        owners = dict(session.rows("SELECT _attempt, _submission FROM submissions"))
        emptied, submissions = 0, dict[str, None]()
        for attempt, part, text in session.rows("SELECT _attempt, _part, _body FROM parts ORDER BY _attempt, _part"):
            body = json.loads(text)
            if not self._concerns(body):
                continue
            structure = decode_structure(body["structure"])
            if Cube.of(structure) != self.layout.cube:
                continue
            place = f"_attempt = {literal(attempt)} AND _part = {literal(part)}"
            for (number,) in session.rows(f"SELECT _batch FROM staged WHERE {place}"):
                count = self._empty_piece(session, place, attempt, part, number, structure)
                emptied += count or 0
                if count is not None and attempt in owners:
                    submissions[owners[attempt]] = None
        return emptied, list(submissions)

    def _concerns(self, body: dict[str, Any]) -> bool:
        flows, providers = self.selection.dataflows, self.selection.providers
        return (flows is None or body["dataflow"] in flows) and (providers is None or body["provider"] in providers)

    def _empty_piece(
        self, session: Session, place: str, attempt: str, part: int, number: int, structure: DataStructure
    ) -> int | None:
        """How many rows of a piece were emptied; None where none has a key that is meant."""
        whole = f"{place} AND _batch = {literal(number)}"
        ((kept,),) = session.rows(f"SELECT _body FROM staged WHERE {whole}")
        with pa.ipc.open_stream(bytes(kept)) as reader:
            rows = reader.read_all()
        meant = self._meant(rows)
        if not meant.any():
            return None
        count = 0
        for column in columns(structure):
            if column.role != "measure" and column.id not in self._hides:
                continue
            for name in (one.name for one in typed_fields(column)):
                index = rows.schema.get_field_index(name)
                valid = rows.column(index).is_valid().to_numpy()
                count = max(count, int(np.count_nonzero(valid & meant)))
                values = rows.column(index).combine_chunks()
                kept_values = pc.if_else(pa.array(~meant), values, pa.nulls(1, values.type)[0])
                rows = rows.set_column(index, rows.schema.field(index), kept_values)
        if not count:
            return 0
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema, options=STREAM) as writer:
            writer.write_table(rows)
        session.execute(f"DELETE FROM staged WHERE {whole}")
        row = {"_attempt": attempt, "_part": part, "_batch": number, "_body": sink.getvalue().to_pybytes()}
        session.keep("staged", [row])
        return count

    def _meant(self, rows: pa.Table) -> npt.NDArray[np.bool_]:
        """Per row whether its key and period are among those named."""
        found = np.zeros(rows.num_rows, np.bool_)
        for conditions in self._codes():
            one = np.ones(rows.num_rows, np.bool_)
            for id, codes in conditions:
                values = rows.column(id).cast(pa.string())
                one &= pc.is_in(values, value_set=pa.array(sorted(codes), pa.string())).to_numpy(zero_copy_only=False)
            found |= one
        return found

    def _codes(self) -> Iterator[Sequence[tuple[str, frozenset[str]]]]:
        time, periods = self.layout.time, self.selection.periods
        more = [] if time is None or periods is None else [(time.id, periods)]
        for key in self.selection.keys:
            pairs = zip(self.layout.dimensions, key, strict=True)
            yield [*((column.id, codes) for column, codes in pairs if codes is not None), *more]
