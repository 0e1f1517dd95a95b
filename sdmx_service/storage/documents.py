"""Small things that are kept as JSON or bytes: documents, and artefacts in generations."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from sdmx_service.errors import Conflict
from sdmx_service.storage import log
from sdmx_service.storage.engine import Engine, Session
from sdmx_service.storage.layout import OPEN
from sdmx_service.storage.port import Act, DocumentChange, Mark, Record
from sdmx_service.storage.quoting import literal, member

_PACKING = -1
"""The number of the piece that says how the others are compressed; files kept by earlier versions have none."""
_CODEC = "zstd"


def _unpacked(body: bytes, codec: str) -> bytes:
    with pa.input_stream(pa.BufferReader(body), compression=codec) as stream:
        found: bytes = stream.read()
        return found


class Documents:
    """The documents and artefacts of a store."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing = threading.Lock()  # DuckDB refuses the second of two writers of one row

    def save(self, kind: str, id: str, document: Mapping[str, Any]) -> None:
        """Keep a document, in the place of an earlier one."""
        with self._writing, self._engine.transaction() as session:
            _save(session, kind, id, document)

    @contextmanager
    def together(self) -> Iterator[Session]:
        """A transaction in which ``write`` may be called; one of this process at a time."""
        with self._writing, self._engine.transaction() as session:
            yield session

    def write(self, session: Session, record: Record) -> Mark:
        """Add entries to the log and change documents.

        Raises:
            Conflict: a document is not what is expected.
        """
        mark = log.append(session, record.acts, self._engine.clock)
        for change in record.changes:
            _check(session, change)
            if change.document is None:
                session.execute(f"DELETE FROM documents WHERE {_place(change.kind, change.id)}")
            else:
                more = {"log": mark.to_json()} if change.is_marked else {}
                _save(session, change.kind, change.id, {**change.document, **more})
        return mark

    def one(self, kind: str, id: str) -> Mapping[str, Any] | None:
        """A document, or None."""
        query = f"SELECT _body FROM documents WHERE _kind = {literal(kind)} AND _id = {literal(id)}"
        found = self._engine.read(query).column(0).to_pylist()
        return json.loads(found[0]) if found else None

    def all(self, kind: str) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """All of a kind."""
        rows = self._engine.read(f"SELECT _id, _body FROM documents WHERE _kind = {literal(kind)} ORDER BY _number")
        return [
            (id, json.loads(body))
            for id, body in zip(rows.column(0).to_pylist(), rows.column(1).to_pylist(), strict=True)
        ]  # fmt: skip

    def remove(self, kind: str, id: str) -> None:
        """Forget a document."""
        with self._writing, self._engine.transaction() as session:
            session.execute(f"DELETE FROM documents WHERE _kind = {literal(kind)} AND _id = {literal(id)}")

    # --- files -------------------------------------------------------------------------------------------------

    def save_file(self, id: str, chunks: Iterable[bytes]) -> None:
        """Keep a file in compressed pieces, all of them or none."""
        with self._writing, self._engine.transaction() as session:
            session.execute(f"DELETE FROM files WHERE _id = {literal(id)}")
            for number, chunk in enumerate(chunks):
                if not number:
                    session.keep("files", [{"_id": id, "_part": _PACKING, "_body": _CODEC.encode()}])
                body: bytes = pa.compress(chunk, codec=_CODEC, asbytes=True)
                session.keep("files", [{"_id": id, "_part": number, "_body": body}])

    def file(self, id: str) -> Iterator[bytes]:
        """The pieces of a file, one read at a time."""
        packing = self._piece(id, _PACKING)
        number = 0
        while (body := self._piece(id, number)) is not None:
            yield body if packing is None else _unpacked(body, packing.decode())
            number += 1

    def _piece(self, id: str, number: int) -> bytes | None:
        place = f"_id = {literal(id)} AND _part = {literal(number)}"
        found = self._engine.read(f"SELECT _body FROM files WHERE {place}").column(0).to_pylist()
        return found[0] if found else None

    # --- artefacts ---------------------------------------------------------------------------------------------

    def save_artefacts(
        self, artefacts: Mapping[str, bytes | None], base: int | None = None, acts: Sequence[Act] = ()
    ) -> int:
        """Keep artefacts as one generation; the caller holds the store's lock.

        Raises:
            Conflict: ``base`` is given and is not the current generation.
        """
        with self.together() as session:
            current = int(session.rows("SELECT _number FROM generations")[0][0])
            if base is not None and base != current:
                raise Conflict(f"Generation {current} of the structures is current, not {base}.", hint="Try again.")
            generation = current + 1
            ended = f"_until = {OPEN} AND {member('_urn', artefacts)}"
            session.execute(f"UPDATE artefacts SET _until = {literal(generation)} WHERE {ended}")
            kept = [(urn, body) for urn, body in artefacts.items() if body is not None]
            session.keep(
                "artefacts",
                [{"_urn": urn, "_since": generation, "_until": OPEN, "_body": body} for urn, body in kept],
            )
            session.execute(f"UPDATE generations SET _number = {literal(generation)}")
            session.execute(
                f"INSERT INTO generation_times SELECT {literal(generation)}, greatest({self._engine.clock},"
                " coalesce((SELECT max(_saved_at) FROM generation_times), 0) + 1)"
            )
            log.append(session, acts, self._engine.clock)
            return generation

    def generation_at(self, microseconds: int) -> int:
        """The generation that was current at a moment; 0 before the first whose time is known."""
        found = self._engine.read(
            f"SELECT coalesce(max(_number), 0) FROM generation_times WHERE _saved_at <= {literal(microseconds)}"
        )
        return int(found.column(0)[0].as_py())

    def artefacts_named(self, prefix: str) -> Mapping[str, bytes]:
        """The current artefacts whose names begin so."""
        place = f"starts_with(_urn, {literal(prefix)}) AND _until = {OPEN}"
        rows = self._engine.read(f"SELECT _urn, _body FROM artefacts WHERE {place}")
        return dict(zip(rows.column(0).to_pylist(), rows.column(1).to_pylist(), strict=True))

    def artefacts(self, generation: int | None) -> Mapping[str, bytes]:
        """The artefacts of a generation."""
        at = "(SELECT _number FROM generations)" if generation is None else literal(generation)
        rows = self._engine.read(
            f'SELECT _urn, _body FROM artefacts WHERE _since <= {at} AND _until > {at} ORDER BY _urn COLLATE "C"'
        )
        return dict(zip(rows.column(0).to_pylist(), rows.column(1).to_pylist(), strict=True))


def _place(kind: str, id: str) -> str:
    return f"_kind = {literal(kind)} AND _id = {literal(id)}"


def _save(session: Session, kind: str, id: str, document: Mapping[str, Any]) -> None:
    body = literal(json.dumps(document, ensure_ascii=False))
    if session.execute(f"UPDATE documents SET _body = {body} WHERE {_place(kind, id)}"):
        return
    number = session.rows("SELECT coalesce(max(_number), 0) + 1 FROM documents")[0][0]
    session.execute(f"INSERT INTO documents VALUES ({literal(number)}, {literal(kind)}, {literal(id)}, {body})")


def _check(session: Session, change: DocumentChange) -> None:
    if change.expected is None:
        return
    rows = session.rows(f"SELECT _body FROM documents WHERE {_place(change.kind, change.id)}")
    found = json.loads(rows[0][0]) if rows else {}
    if any(found.get(name) != value for name, value in change.expected.items()):
        raise Conflict(
            f"The {change.kind} {change.id!r} was changed by somebody else meanwhile.",
            hint="Look at it, and try again.",
        )
