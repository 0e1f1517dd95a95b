"""Rows of submissions on their way: kept durably as compressed Arrow, outside the cubes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.errors import Conflict, SemanticFault
from sdmx_service.model.columns import Column, columns, typed_fields
from sdmx_service.model.message import Action
from sdmx_service.storage.engine import Engine
from sdmx_service.storage.port import StagedPart
from sdmx_service.storage.quoting import literal, literals
from sdmx_service.storage.structures import decode_structure, encode_structure

CHUNK = 65_536
"""Rows of one kept piece."""
STREAM = pa.ipc.IpcWriteOptions(compression="zstd")
"""How the pieces are written."""


def is_number_given(batch: pa.RecordBatch, column: Column) -> Any:
    """Per row whether there is a value of the component."""
    given = batch.column(column.id).is_valid()
    return pc.or_(given, batch.column(column.text).is_valid()) if column.kind == "number" else given


class StagedLoad:
    """Rows of one attempt to submit; they count from ``keep`` on."""

    def __init__(self, engine: Engine, submission: str) -> None:
        self._engine = engine
        self._submission = submission
        self._attempt = f"{_prefix(submission)}{uuid4().hex}"
        self._part: StagedPart | None = None
        self._columns: tuple[Column, ...] = ()
        self._schema = pa.schema([])
        self._parts = 0
        self._pieces = 0
        self._waiting: list[pa.RecordBatch] = []
        self._is_open = True

    def append(self, part: StagedPart, batch: pa.RecordBatch) -> None:
        """Add rows as typed; see ``port.Load``."""
        self._require_open()
        if part is not self._part and part != self._part:
            self._begin(part)
        self._waiting.append(self._conform(batch))
        if sum(one.num_rows for one in self._waiting) >= CHUNK:
            self._write()

    def keep(self) -> None:
        """Make the rows durable; see ``port.Load``."""
        self._require_open()
        self._write()
        self._is_open = False
        with self._engine.transaction() as session:
            forget(session, self._submission)
            session.execute(f"INSERT INTO submissions VALUES ({literal(self._submission)}, {literal(self._attempt)})")

    def discard(self) -> None:
        """Forget the rows; see ``port.Load``."""
        self._is_open = False
        self._waiting.clear()
        with self._engine.transaction() as session:
            forget_attempt(session, self._attempt)

    def _require_open(self) -> None:
        if not self._is_open:
            raise Conflict(f"The load of submission {self._submission!r} has ended; nothing can be added to it.")

    def _begin(self, part: StagedPart) -> None:
        self._write()
        self._part = part
        self._columns = columns(part.structure)
        self._schema = pa.schema([field for column in self._columns for field in typed_fields(column)])
        body = {
            "structure": encode_structure(part.structure),
            "dataflow": part.dataflow,
            "provider": part.provider,
            "action": part.action.value,
        }
        with self._engine.transaction() as session:
            session.execute(f"INSERT INTO parts VALUES ({literals([self._attempt, self._parts, json.dumps(body)])})")
        self._parts += 1
        self._pieces = 0

    def _conform(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with exactly the columns of the structure; a column that is not there was omitted."""
        arrays = []
        for field in self._schema:
            index = batch.schema.get_field_index(field.name)
            array = pa.nulls(batch.num_rows, field.type) if index < 0 else batch.column(index)
            arrays.append(array if array.type == field.type else array.cast(field.type))
        conformed = pa.RecordBatch.from_arrays(arrays, schema=self._schema)
        assert self._part is not None
        if self._part.action is not Action.DELETE:
            self._check(conformed)
        return conformed

    def _check(self, batch: pa.RecordBatch) -> None:
        """Values must have the dimensions that they depend on (SDMX 3.1: Merge and Replace know no wildcards)."""
        keys = {c.id for c in self._columns if c.role in ("dimension", "time")}
        for column in self._columns:
            level = keys if column.level is None else column.level
            incomplete = [id for id in level if batch.column(id).null_count]
            if column.id in keys or not incomplete:
                continue
            given = is_number_given(batch, column)
            for id in incomplete:
                if pc.any(pc.and_(given, batch.column(id).is_null())).as_py():
                    raise SemanticFault(f"A value of {column.id} has no {id}, on which it depends.")

    def _write(self) -> None:
        if not self._waiting:
            return
        rows = pa.Table.from_batches(self._waiting).unify_dictionaries().combine_chunks()
        self._waiting.clear()
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema, options=STREAM) as writer:
            writer.write_table(rows)
        row: Mapping[str, str | int | bytes] = {
            "_attempt": self._attempt,
            "_part": self._parts - 1,
            "_batch": self._pieces,
            "_body": sink.getvalue().to_pybytes(),
        }
        with self._engine.transaction() as session:
            session.keep("staged", [row])
        self._pieces += 1


def forget(session: Any, submission: str) -> None:
    """Remove what a submission has kept."""
    for (attempt,) in session.rows(f"SELECT _attempt FROM submissions WHERE _submission = {literal(submission)}"):
        forget_attempt(session, attempt)
    session.execute(f"DELETE FROM submissions WHERE _submission = {literal(submission)}")


def forget_loads(session: Any, submission: str) -> None:
    """Remove the rows of every attempt of a submission, kept or not."""
    for table in ("staged", "parts"):
        session.execute(f"DELETE FROM {table} WHERE starts_with(_attempt, {literal(_prefix(submission))})")


def _prefix(submission: str) -> str:
    """How the names of a submission's attempts begin; those of earlier versions of the program do not say whose."""
    return f"{submission}/"


def forget_attempt(session: Any, attempt: str) -> None:
    """Remove the rows of one attempt."""
    for table in ("staged", "parts"):
        session.execute(f"DELETE FROM {table} WHERE _attempt = {literal(attempt)}")


def sweep(session: Any) -> None:
    """Remove the rows of attempts that were cut off before they were kept; nobody must be loading."""
    for table in ("staged", "parts"):
        session.execute(f"DELETE FROM {table} WHERE _attempt NOT IN (SELECT _attempt FROM submissions)")


def staged_parts(engine: Engine, submission: str) -> Iterator[tuple[StagedPart, Iterator[pa.RecordBatch]]]:
    """The parts of a submission in order, each with its batches.

    Raises:
        Conflict: the submission has no kept rows.
    """
    attempts = engine.read(f"SELECT _attempt FROM submissions WHERE _submission = {literal(submission)}")
    if not attempts.num_rows:
        raise Conflict(f"Submission {submission!r} has no kept rows.", hint="Submit it again.")
    attempt = attempts.column(0)[0].as_py()
    parts = engine.read(f"SELECT _part, _body FROM parts WHERE _attempt = {literal(attempt)} ORDER BY _part")
    for number, text in zip(parts.column(0).to_pylist(), parts.column(1).to_pylist(), strict=True):
        body = json.loads(text)
        part = StagedPart(
            structure=decode_structure(body["structure"]),
            dataflow=body["dataflow"],
            provider=body["provider"],
            action=Action(body["action"]),
        )
        yield part, _pieces(engine, attempt, number)


def _pieces(engine: Engine, attempt: str, part: int) -> Iterator[pa.RecordBatch]:
    where = f"_attempt = {literal(attempt)} AND _part = {literal(part)}"
    count = engine.read(f"SELECT count(*) FROM staged WHERE {where}").column(0)[0].as_py()
    for piece in range(count):
        body = engine.read(f"SELECT _body FROM staged WHERE {where} AND _batch = {piece}").column(0)[0].as_buffer()
        with pa.ipc.open_stream(body) as reader:
            yield from reader
