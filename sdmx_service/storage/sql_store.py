"""The store in SQL: everything of ``port.Store`` but how to connect (``duckdb_store``, ``postgres_store``).

What it does is told in parts, each on the one before: ``release_store``, ``cube_store``, ``answering_store``,
``publishing_store``; here is what is kept beside figures.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

from sdmx_service.errors import StorageFault
from sdmx_service.model.confidentiality import CONFIDENTIALITY
from sdmx_service.model.selection import Cube
from sdmx_service.storage.log import read_log, read_mark
from sdmx_service.storage.port import (
    Act,
    LogEntry,
    Mark,
    Record,
)
from sdmx_service.storage.publishing_store import PublishingStore
from sdmx_service.storage.release_store import EPOCH
from sdmx_service.storage.staging import sweep


class SqlStore(PublishingStore):
    """A store on an engine; see ``port.Store`` for what each method promises."""

    # --- the program's own tables ------------------------------------------------------------------------------

    def migrate(self) -> None:
        """Take the steps that the store has not taken yet; to be called once, when it is opened."""
        steps = sorted(
            (one for one in files("sdmx_service.storage.migrations").iterdir() if one.name.endswith(".sql")),
            key=lambda one: one.name,
        )
        with self._engine.transaction() as session:
            session.execute("CREATE TABLE IF NOT EXISTS migrations (_number INTEGER NOT NULL)")
        with self._engine.transaction() as session:
            taken = int(session.rows("SELECT count(*) FROM migrations")[0][0])
            if taken > len(steps):
                raise StorageFault(
                    f"The store is at step {taken}, this program knows {len(steps)}.",
                    hint="Use the version of the program that last wrote to the store.",
                )
            for number, step in enumerate(steps[taken:], start=taken + 1):
                for statement in step.read_text(encoding="utf-8").split(";\n"):
                    is_index = statement.lstrip().startswith("CREATE INDEX")
                    if statement.strip() and (self._engine.has_indexes or not is_index):
                        session.execute(statement)
                session.execute(f"INSERT INTO migrations VALUES ({number})")
            if self._engine.is_exclusive:  # else another process may be loading just now
                sweep(session)

    def close(self) -> None:
        """Release files and connections."""
        if self._models is not None:
            self._models.close()
        self._engine.close()

    def lease(self) -> str:
        """A word for this process at the store."""
        return self._engine.lease()

    def is_alive(self, lease: str) -> bool:
        """Whether who was given that word lives."""
        return self._engine.is_alive(lease)

    # --- who did what ------------------------------------------------------------------------------------------

    def record(self, record: Record) -> Mark:
        """Entries and documents together."""
        with self._documents.together() as session:
            return self._documents.write(session, record)

    def log(
        self, after: int = 0, limit: int | None = None, objects: Collection[str] | None = None
    ) -> Iterator[LogEntry]:
        """Entries after a number."""
        return read_log(self._engine, after, limit, objects)

    def mark(self) -> Mark:
        """The newest entry's mark."""
        return read_mark(self._engine)

    # --- everything else that is kept --------------------------------------------------------------------------

    def save_document(self, kind: str, id: str, document: Mapping[str, Any]) -> None:
        """Keep a document."""
        self._documents.save(kind, id, document)

    def document(self, kind: str, id: str) -> Mapping[str, Any] | None:
        """A kept document."""
        return self._documents.one(kind, id)

    def documents(self, kind: str) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """All documents of a kind."""
        return self._documents.all(kind)

    def remove_document(self, kind: str, id: str) -> None:
        """Forget a document."""
        self._documents.remove(kind, id)

    def save_file(self, id: str, chunks: Iterable[bytes]) -> None:
        """Keep a file as it came."""
        self._documents.save_file(id, chunks)

    def file(self, id: str) -> Iterator[bytes]:
        """The pieces of a kept file."""
        return self._documents.file(id)

    def save_artefacts(
        self, artefacts: Mapping[str, bytes | None], base: int | None = None, acts: Sequence[Act] = ()
    ) -> int:
        """Keep artefacts as a new generation."""
        concerns_masks = any(name.startswith(CONFIDENTIALITY) for name in artefacts)
        before = self._mask_versions() if concerns_masks else {}
        with self._engine.lock():
            generation = self._documents.save_artefacts(artefacts, base, acts)
        self._forget_pointer()
        if concerns_masks:
            self._forget_models(
                {cube for cube, version in self._mask_versions().items() if version != before.get(cube)}
            )
        return generation

    def _mask_versions(self) -> dict[Cube, str]:
        return {cube: self.mask_version(cube) for cube in self._known_layouts()}

    def generation_at(self, moment: datetime) -> int:
        """The generation that was current at a moment."""
        return self._documents.generation_at((moment - EPOCH) // timedelta(microseconds=1))

    def artefacts(self, generation: int | None = None) -> Mapping[str, bytes]:
        """The artefacts of a generation."""
        return self._documents.artefacts(generation)
