"""The releases of a store: the pointer, what was current when, who was ranked before whom."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sdmx_service.model.confidentiality import CONFIDENTIALITY, Confidentiality
from sdmx_service.model.selection import Cube
from sdmx_service.storage.documents import Documents
from sdmx_service.storage.engine import Engine
from sdmx_service.storage.masking import Masks, rules_in
from sdmx_service.storage.port import (
    Mark,
    Pointer,
    Ranking,
    Release,
)
from sdmx_service.storage.quoting import literal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ReleaseStore:
    """The part of a store that knows its releases, and what the others share: the engine, documents and masks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._documents = Documents(engine)
        self._guard = threading.Lock()
        self._pointer: Pointer | None = None
        self._seen: tuple[int, int] | None = None
        self._moves = 0
        self._masks = Masks(engine, self._seen_last, self._confidentiality)

    def pointer(self) -> Pointer:
        """What is current; remembered where nobody else can move it."""
        with self._guard:
            known, moves = self._pointer, self._moves
        if known is not None:
            return known
        rows = self._engine.read(
            "SELECT p._release, g._number, p._published_at, coalesce((SELECT max(_saved_at) FROM generation_times), 0)"
            " AS _saved_at FROM pointer p, generations g"
        )
        release, generation, published, saved = (column[0].as_py() for column in rows.columns)
        found = Pointer(
            release=release,
            generation=generation,
            published_at=_moment(published),
            changed_at=_moment(max(published, saved)),
        )
        with self._guard:
            if moves == self._moves:
                self._seen = (release, generation)
                self._pointer = found if self._engine.is_exclusive else None
        return found

    def _forget_pointer(self) -> None:
        """It moved: who is just reading the old one must not keep it."""
        with self._guard:
            self._moves += 1
            self._pointer, self._seen = None, None
        self._masks.forget()

    def releases(self) -> Sequence[Release]:
        """All releases up to the current one."""
        rows = self._engine.read(
            "SELECT _number, _published_at, _submissions, _comment, _log FROM releases"
            " WHERE _number <= (SELECT _release FROM pointer) ORDER BY _number"
        )
        return [
            Release(
                number=row["_number"],
                published_at=_moment(row["_published_at"]),
                submissions=tuple(json.loads(row["_submissions"])),
                comment=row["_comment"],
                log=None if row["_log"] is None else Mark(**json.loads(row["_log"])),
            )
            for row in rows.to_pylist()
        ]

    def release_at(self, moment: datetime) -> int:
        """The release that was current at a moment."""
        return max((one.number for one in self.releases() if one.published_at <= moment), default=0)

    def _published(self, release: int) -> int | None:
        """When a release became current, in microseconds."""
        rows = self._engine.read(f"SELECT _published_at FROM releases WHERE _number = {literal(release)}")
        return rows.column(0)[0].as_py() if rows.num_rows else None

    def _ranking(self, release: int) -> Ranking:
        rows = self._engine.read(
            f"SELECT _body FROM rankings WHERE _release <= {literal(release)} ORDER BY _release DESC LIMIT 1"
        )
        return Ranking(**json.loads(rows.column(0)[0].as_py())) if rows.num_rows else Ranking()

    def ranking(self, release: int) -> Ranking:
        """Who was shown before whom."""
        return self._ranking(release)

    def _seen_last(self) -> tuple[int, int]:
        """Release and generation, as this process saw them last: whoever asks has looked at the pointer before."""
        with self._guard:
            seen = self._seen
        if seen is None:
            pointer = self.pointer()
            seen = (pointer.release, pointer.generation)
        return seen

    def _confidentiality(self) -> Mapping[Cube, Confidentiality]:
        return rules_in(self._documents.artefacts_named(CONFIDENTIALITY))


def _moment(microseconds: int) -> datetime:
    """A moment from microseconds since 1970 (integers compare and grow exactly, whatever the database's time zones)."""
    return EPOCH + timedelta(microseconds=microseconds)
