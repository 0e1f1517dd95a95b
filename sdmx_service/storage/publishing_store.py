"""The way into a store: rows of submissions are kept, published, restored and purged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import pyarrow as pa

from sdmx_service.errors import Conflict, NotFound, StorageFault
from sdmx_service.model.selection import Selection
from sdmx_service.storage.answering_store import AnsweringStore
from sdmx_service.storage.cube_store import read_layouts
from sdmx_service.storage.directory import read_directory
from sdmx_service.storage.engine import Engine, Session
from sdmx_service.storage.masking import forget_keys
from sdmx_service.storage.port import (
    ChangeCounts,
    Load,
    Purged,
    Ranking,
    Record,
    Recorder,
    Release,
    StagedPart,
)
from sdmx_service.storage.publication import Publication
from sdmx_service.storage.purging import Purge
from sdmx_service.storage.quoting import literal, literals
from sdmx_service.storage.staging import StagedLoad, forget, forget_loads, staged_parts
from sdmx_service.storage.versions import clean


class PublishingStore(AnsweringStore):
    """The part of a store that takes figures in and makes releases of them."""

    # --- on the way --------------------------------------------------------------------------------------------

    def stage(self, submission: str) -> Load:
        """Begin to keep rows."""
        return StagedLoad(self._engine, submission)

    def unstage(self, submission: str) -> None:
        """Forget the rows."""
        with self._engine.transaction() as session:
            forget(session, submission)
            forget_loads(session, submission)

    def staged(self, submission: str) -> Iterator[tuple[StagedPart, pa.RecordBatch]]:
        """The kept rows."""
        for part, batches in staged_parts(self._engine, submission):
            for batch in batches:
                yield part, batch

    def preview(self, submission: str) -> Sequence[ChangeCounts]:
        """What publishing would do: it is done, and undone."""
        with self._engine.lock():
            parts = self._open_parts([submission])
            current = self.pointer().release
            self._clean(current)
            with _undone(self._engine) as session:
                publication = Publication(session, read_layouts(session), self._ranking(current))
                for part, batches in parts:
                    publication.add(part, batches)
                return publication.settle()

    # --- releases ----------------------------------------------------------------------------------------------

    def publish(
        self,
        submissions: Sequence[str],
        base: int | None = None,
        *,
        generation: int | None = None,
        ranking: Ranking | None = None,
        comment: str = "",
        record: Recorder | None = None,
    ) -> tuple[Release, Sequence[ChangeCounts]]:
        """Apply kept submissions as one release."""
        with self._engine.lock():
            pointer = self.pointer()
            current = pointer.release
            if base is not None and base != current:
                raise Conflict(
                    f"Release {current} is current, not {base}.", hint="Look at what changed since, and publish again."
                )
            if generation is not None and generation != pointer.generation:
                raise Conflict("Structures changed just now.", hint="Publish again: it is judged by those of now.")
            parts = self._open_parts(submissions)
            self._clean(current)
            with self._engine.transaction() as session:
                rules, before = self._masks.rules(), self._ranking(current)
                publication = Publication(session, read_layouts(session), ranking or before, rules)
                moved = {} if ranking is None else publication.moved(before)
                for part, batches in parts:
                    publication.add(part, batches)
                publication.rank(moved)
                changes = publication.settle()
                publication.apply(current + 1)
                self._write_release(session, current + 1, submissions, comment, ranking)
            return self._move_pointer(current + 1, None if record is None else record(current + 1, changes)), changes

    def restore(self, release: int, *, comment: str = "", record: Recorder | None = None) -> Release:
        """Make everything as it was at a release, as a new one."""
        with self._engine.lock():
            current = self.pointer().release
            if not 0 <= release <= current:
                raise NotFound(f"There is no release {release}.", hint=f"Releases go from 0 to {current}.")
            self._clean(current)
            ranking = self._ranking(release)
            with self._engine.transaction() as session:
                publication = Publication(session, read_layouts(session), ranking, self._masks.rules())
                publication.restore(release)
                changes = publication.settle()
                publication.apply(current + 1)
                self._write_release(session, current + 1, (), comment, ranking)
            return self._move_pointer(current + 1, None if record is None else record(current + 1, changes))

    def _open_parts(self, submissions: Sequence[str]) -> list[tuple[StagedPart, Iterator[pa.RecordBatch]]]:
        parts = [part for submission in submissions for part in staged_parts(self._engine, submission)]
        for part, _ in parts:
            self.open_cube(part.structure)
        return parts

    def _clean(self, current: int) -> None:
        """Remove what a publication that was cut off has left."""
        with self._engine.transaction() as session:
            if not session.rows(f"SELECT 1 FROM releases WHERE _number > {literal(current)}"):
                return
            for layout in read_layouts(session).values():
                for table in (layout.observations, layout.attachments, layout.table("series")):
                    clean(session, table, current)
            forget_keys(session)
            session.execute(f"DELETE FROM releases WHERE _number > {literal(current)}")
            session.execute(f"DELETE FROM rankings WHERE _release > {literal(current)}")

    def _write_release(
        self, session: Session, number: int, submissions: Sequence[str], comment: str, ranking: Ranking | None
    ) -> None:
        listed = literals([number, None, json.dumps(list(submissions)), comment, None])
        session.execute(f"INSERT INTO releases VALUES ({listed})")
        if ranking is not None:
            lists = {"providers": ranking.providers, "dataflows": ranking.dataflows, "decided": ranking.heads}
            body = json.dumps({name: _lists(one) for name, one in lists.items()})
            session.execute(f"INSERT INTO rankings VALUES ({literals([number, body])})")

    def _move_pointer(self, number: int, record: Record | None) -> Release:
        """The second transaction: the release becomes current, and what is recorded with it."""
        with self._documents.together() as session:
            moved = session.execute(
                f"UPDATE pointer SET _release = {literal(number)}, _published_at ="
                f" greatest({self._engine.clock}, _published_at + 1) WHERE _release = {literal(number - 1)}"
            )
            if moved != 1:
                raise StorageFault(f"Release {number} could not become current: another one did.")
            stamp = "(SELECT _published_at FROM pointer)"
            mark = None if record is None else json.dumps(self._documents.write(session, record).to_json())
            session.execute(
                f"UPDATE releases SET _published_at = {stamp}, _log = {literal(mark)} WHERE _number = {literal(number)}"
            )
        self._forget_pointer()
        if self._models is not None:
            self._models.released(number)
        return self.releases()[-1]

    # --- for good ----------------------------------------------------------------------------------------------

    def purge(self, selection: Selection) -> Purged:
        """Remove stored values for good."""
        layout = self._layout(selection.cube)
        if layout is None:
            return Purged(versions=0, staged=0, submissions=())
        with self._engine.lock():
            self._clean(self.pointer().release)
            directory = read_directory(self._engine.read, layout)
            rules = self._masks.rules().get(selection.cube)
            with self._engine.transaction() as session:
                found = Purge(self._engine, layout, directory, selection, rules).run(session)
            self._documents.save_artefacts({})
        self._forget_pointer()
        self._forget_models([selection.cube])
        self._forget_readings()
        return found


class _Undo(Exception):
    """Ends a transaction that is to leave nothing."""


@contextmanager
def _undone(engine: Engine) -> Iterator[Session]:
    """A transaction that is rolled back at its end."""
    try:
        with engine.transaction() as session:
            yield session
            raise _Undo
    except _Undo:
        return


def _lists(names: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {name: list(ranked) for name, ranked in names.items()}
