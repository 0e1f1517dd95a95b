"""The store in SQL: everything of ``port.Store`` but how to connect (``duckdb_store``, ``postgres_store``)."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow as pa

from sdmx_service.errors import Conflict, NotFound, StorageFault
from sdmx_service.model.confidentiality import CONFIDENTIALITY, Confidentiality
from sdmx_service.model.selection import Cube, Selection
from sdmx_service.model.structure import DataStructure
from sdmx_service.storage.attribute_changes import AttributeReading
from sdmx_service.storage.coverage import compared, empty, given
from sdmx_service.storage.directory import Directory, read_directory, touched
from sdmx_service.storage.documents import Documents
from sdmx_service.storage.engine import Engine, Session
from sdmx_service.storage.layout import CubeLayout, lay_out, widen
from sdmx_service.storage.log import read_log, read_mark
from sdmx_service.storage.masking import Mask, MaskedKeys, Masks, forget_keys, masks_table, rules_in
from sdmx_service.storage.port import (
    Act,
    AttributeChanges,
    Availability,
    ChangeCounts,
    Counts,
    Load,
    LogEntry,
    Mark,
    Pointer,
    Purged,
    Ranking,
    Record,
    Recorder,
    Release,
    StagedPart,
)
from sdmx_service.storage.publication import Publication
from sdmx_service.storage.purging import Purge
from sdmx_service.storage.quoting import identifier, literal, literals
from sdmx_service.storage.reading import Reading
from sdmx_service.storage.readmodel.answers import ModelReading
from sdmx_service.storage.readmodel.keeper import ReadModels
from sdmx_service.storage.staging import StagedLoad, forget, forget_loads, staged_parts, sweep
from sdmx_service.storage.versions import clean

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEPT_READINGS = 32
"""Readings kept for the next call with the same selection (domains, then scan)."""


class SqlStore:
    """A store on an engine; see ``port.Store`` for what each method promises."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._documents = Documents(engine)
        self._guard = threading.Lock()
        self._layouts: dict[Cube, CubeLayout] | None = None
        self._directories: dict[Cube, tuple[int, Directory]] = {}
        self._readings: OrderedDict[tuple[Any, ...], Reading] = OrderedDict()
        self._model_readings: OrderedDict[tuple[Any, ...], ModelReading] = OrderedDict()
        self._pointer: Pointer | None = None
        self._seen: tuple[int, int] | None = None
        self._masks = Masks(engine, self._seen_last, self._confidentiality)
        self._moves = 0
        self._models: ReadModels | None = None

    def use_models(self, folder: Path) -> ReadModels:
        """From now on answer from read models in that folder where there are such, and let them be made."""
        self._models = ReadModels(
            folder,
            source=self._database_reading,
            published=self._published,
            current=lambda: self.pointer().release,
            mask=self.mask_version,
        )
        return self._models

    def open_models(self, selections: Iterable[Selection]) -> None:
        """Open in the background the read models that are in place for these selections."""
        if self._models is not None:
            self._models.open(selections)

    def _published(self, release: int) -> int | None:
        """When a release became current, in microseconds."""
        rows = self._engine.read(f"SELECT _published_at FROM releases WHERE _number = {literal(release)}")
        return rows.column(0)[0].as_py() if rows.num_rows else None

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

    # --- cubes -------------------------------------------------------------------------------------------------

    def open_cube(self, structure: DataStructure) -> Cube:
        """Create or widen the cube of the structure."""
        cube = Cube.of(structure)
        known = self._known_layouts().get(cube)
        if known is not None and _is_wide_enough(known, structure):
            return cube
        with self._engine.lock(), self._engine.transaction() as session:
            layouts = _read_layouts(session)
            old = layouts.get(cube)
            if old is None:
                number = max((one.number for one in layouts.values()), default=0) + 1
                layout = lay_out(number, structure)
                self._create(session, layout)
                if (rules := self._masks.rules().get(cube)) is not None:
                    MaskedKeys(session, Mask(layout, {}, rules)).renew()
            elif (wider := self._wider(old, structure, session)) is None:
                self._drop(session, old)
                self._create(session, lay_out(old.number, structure))
            elif wider is not old:
                self._widen(session, old, wider)
        with self._guard:
            self._layouts = None
            self._directories.pop(cube, None)
            self._readings.clear()
        self._masks.forget()
        return cube

    def check_cube(self, structure: DataStructure) -> None:
        """Whether ``open_cube`` would take the structure."""
        known = self._known_layouts().get(Cube.of(structure))
        if known is not None:
            with self._engine.transaction() as session:
                self._wider(known, structure, session)

    @staticmethod
    def _wider(old: CubeLayout, structure: DataStructure, session: Session) -> CubeLayout | None:
        """The layout with what the structure brings; None where it contradicts one in which nothing was ever stored."""
        try:
            return widen(old, structure)
        except StorageFault:
            tables = (old.table("series"), old.observations.name, old.attachments.name)
            if any(session.rows(f"SELECT 1 FROM {identifier(table)} LIMIT 1") for table in tables):
                raise
            return None

    @staticmethod
    def _drop(session: Session, layout: CubeLayout) -> None:
        tables = (layout.table("series"), layout.observations.name, layout.attachments.name, layout.table("periods"))
        for table in tables:
            session.execute(f"DROP TABLE {identifier(table)}")
        session.execute(f"DROP TABLE IF EXISTS {identifier(masks_table(layout))}")
        session.execute(f"DELETE FROM masking WHERE _cube = {literal(layout.number)}")
        session.execute(f"DELETE FROM cubes WHERE _number = {literal(layout.number)}")
        session.execute(f"DELETE FROM agreements WHERE _cube = {literal(layout.number)}")

    def _create(self, session: Session, layout: CubeLayout) -> None:
        for statement in layout.statements():
            session.execute(statement)
        self._add_keys(session, layout)
        cube = layout.cube
        listed = literals([layout.number, cube.agency, cube.id, cube.major, layout.to_json()])
        session.execute(f"INSERT INTO cubes VALUES ({listed})")

    def _add_keys(self, session: Session, layout: CubeLayout) -> None:
        """Keys and indexes of a new cube, where the database profits."""

    @staticmethod
    def _widen(session: Session, old: CubeLayout, wider: CubeLayout) -> None:
        types = wider.observations.types
        for name in types.keys() - old.observations.types.keys():
            session.execute(
                f"ALTER TABLE {identifier(wider.observations.name)} ADD COLUMN {identifier(name)} {types[name]}"
            )
        body = literal(wider.to_json())
        session.execute(f"UPDATE cubes SET _columns = {body} WHERE _number = {literal(wider.number)}")

    def cubes(self) -> Sequence[Cube]:
        """The cubes there are."""
        with self._engine.transaction() as session:
            return list(_read_layouts(session))

    def _known_layouts(self) -> dict[Cube, CubeLayout]:
        with self._guard:
            layouts = self._layouts
        if layouts is None:
            with self._engine.transaction() as session:
                layouts = _read_layouts(session)
            with self._guard:
                self._layouts = layouts
        return layouts

    def _layout(self, cube: Cube) -> CubeLayout | None:
        found = self._known_layouts().get(cube)
        if found is None:  # another process may have created it
            with self._guard:
                self._layouts = None
            found = self._known_layouts().get(cube)
        return found

    def _directory(self, layout: CubeLayout, release: int) -> Directory:
        """What was known at a release, or later: numbers never change."""
        with self._guard:
            known = self._directories.get(layout.cube)
        if known is not None and known[0] >= release:
            return known[1]
        with self._guard:
            self._layouts = None  # another process may have widened a cube before it published
        directory = read_directory(self._engine.read, layout)
        with self._guard:
            self._directories[layout.cube] = (release, directory)
        return directory

    def periods(self, cube: Cube) -> Sequence[str]:
        """Every period text ever stored."""
        layout = self._layout(cube)
        if layout is None or layout.time is None:
            return []
        directory = self._directory(layout, self.pointer().release)
        return [directory.periods[number] for number in directory.chronological]

    # --- the way in --------------------------------------------------------------------------------------------

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
                publication = Publication(session, _read_layouts(session), self._ranking(current))
                for part, batches in parts:
                    publication.add(part, batches)
                return publication.settle()

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
                publication = Publication(session, _read_layouts(session), ranking or before, rules)
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
                publication = Publication(session, _read_layouts(session), ranking, self._masks.rules())
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
            for layout in _read_layouts(session).values():
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

    def _ranking(self, release: int) -> Ranking:
        rows = self._engine.read(
            f"SELECT _body FROM rankings WHERE _release <= {literal(release)} ORDER BY _release DESC LIMIT 1"
        )
        return Ranking(**json.loads(rows.column(0)[0].as_py())) if rows.num_rows else Ranking()

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
        with self._guard:
            self._readings.clear()
            self._model_readings.clear()
        return found

    # --- releases ----------------------------------------------------------------------------------------------

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

    # --- the way out -------------------------------------------------------------------------------------------

    def _reading(self, selection: Selection) -> Reading | ModelReading | None:
        """The reading of a selection, from a read model where there is one; None if the cube never held anything."""
        found = self._models.reading(selection) if self._models is not None else None
        if found is None:
            return self._database_reading(selection)
        key = _selection_key(selection)
        with self._guard:
            known = self._model_readings.get(key)
            if known is not None and known.model is found.model:
                self._model_readings.move_to_end(key)
                return known
            self._model_readings[key] = found
            while len(self._model_readings) > _KEPT_READINGS:
                self._model_readings.popitem(last=False)
        return found

    def _database_reading(self, selection: Selection) -> Reading | None:
        """The reading of a selection from the database."""
        layout = self._layout(selection.cube)
        if layout is None:
            return None
        directory = self._directory(layout, selection.release)
        layout = self._layout(selection.cube) or layout
        mask = self._masks.of(layout, directory.dataflow_numbers)
        key = (*_selection_key(selection), mask.version)
        with self._guard:
            known = self._readings.get(key)
            if known is not None and known.layout == layout:
                self._readings.move_to_end(key)
                return known
        reading = Reading(self._engine, layout, directory, selection, mask)
        with self._guard:
            self._readings[key] = reading
            while len(self._readings) > _KEPT_READINGS:
                self._readings.popitem(last=False)
        return reading

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

    def mask_version(self, cube: Cube) -> str:
        """What is hidden of a cube, as a short text."""
        layout = self._layout(cube)
        return "" if layout is None else self._masks.of(layout, {}).version

    def told_before(self, selection: Selection) -> Iterator[pa.RecordBatch]:
        """What is hidden now and was open before."""
        reading = self._database_reading(selection)
        return iter(()) if reading is None else reading.told_before()

    def touched(self, cube: Cube, release: int) -> Mapping[str, Sequence[int]]:
        """Per dataflow the releases that changed it."""
        layout = self._layout(cube)
        return {} if layout is None else touched(self._engine.read, layout, release)

    def count(self, selection: Selection) -> Counts:
        """Exact counts."""
        reading = self._reading(selection)
        return Counts(series=0, observations=0) if reading is None else reading.counts()

    def senders(self, selection: Selection) -> Collection[str]:
        """The providers that ever sent something."""
        layout = self._layout(selection.cube)
        if layout is None:
            return frozenset()
        directory, flows = self._directory(layout, selection.release), selection.dataflows
        return frozenset(
            directory.providers[provider]
            for flow, provider in directory.agreements
            if flows is None or directory.dataflows[flow] in flows
        )

    def ranking(self, release: int) -> Ranking:
        """Who was shown before whom."""
        return self._ranking(release)

    def given(self, selection: Selection, by: Sequence[str]) -> pa.Table:
        """Observations by who gives them."""
        reading = self._database_reading(selection)
        return empty(by, ("dataflow", "provider"), ("given", "shown")) if reading is None else given(reading, by)

    def compared(self, selection: Selection, by: Sequence[str]) -> pa.Table:
        """Figures of several providers for the same keys."""
        reading = self._database_reading(selection)
        members = ("dataflow", "provider", "other")
        return empty(by, members, ("equal", "unequal")) if reading is None else compared(reading, by)

    def domains(self, selection: Selection) -> Mapping[str, Sequence[str]]:
        """The values that occur."""
        reading = self._reading(selection)
        return {} if reading is None else reading.domains()

    def available(self, selection: Selection, components: Sequence[str] | None = None) -> Availability:
        """The values that occur, with counts."""
        reading = self._reading(selection)
        if isinstance(reading, ModelReading) and not reading.knows(components):
            reading = self._database_reading(selection)
        if reading is None:
            return Availability(values={}, counts=Counts(series=0, observations=0))
        return reading.available(components)

    def attachments(self, selection: Selection) -> Mapping[str, pa.Table]:
        """Values of data set and group attributes."""
        reading = self._reading(selection)
        return {} if reading is None else reading.attachments()

    def scan(self, selection: Selection, domains: Mapping[str, Sequence[str]]) -> Iterator[pa.RecordBatch]:
        """The rows."""
        reading = self._reading(selection)
        return iter(()) if reading is None else reading.batches(domains)

    def series(self, selection: Selection, domains: Mapping[str, Sequence[str]]) -> Iterator[pa.RecordBatch]:
        """The series keys with their attributes."""
        reading = self._reading(selection)
        if isinstance(reading, ModelReading) and reading.model.bare:
            reading = self._database_reading(selection)
        return iter(()) if reading is None else reading.series(domains)

    def scan_deleted(self, selection: Selection) -> Iterator[pa.RecordBatch]:
        """The keys that are not shown any more."""
        reading = self._reading(selection)
        return iter(()) if reading is None else reading.deleted()

    def attribute_changes(self, selection: Selection) -> AttributeChanges:
        """Attributes above the observation that no row tells."""
        reading = self._database_reading(selection)
        return AttributeChanges() if reading is None else AttributeReading(reading).changes()

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

    def _forget_models(self, cubes: Iterable[Cube]) -> None:
        """Other figures are hidden from now on: read models of before are no more."""
        if self._models is not None:
            for cube in cubes:
                self._models.forget(cube)

    def generation_at(self, moment: datetime) -> int:
        """The generation that was current at a moment."""
        return self._documents.generation_at((moment - _EPOCH) // timedelta(microseconds=1))

    def artefacts(self, generation: int | None = None) -> Mapping[str, bytes]:
        """The artefacts of a generation."""
        return self._documents.artefacts(generation)


def _is_wide_enough(layout: CubeLayout, structure: DataStructure) -> bool:
    try:
        return widen(layout, structure) is layout
    except StorageFault:
        return False


def _moment(microseconds: int) -> datetime:
    """A moment from microseconds since 1970 (integers compare and grow exactly, whatever the database's time zones)."""
    return _EPOCH + timedelta(microseconds=microseconds)


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


def _read_layouts(session: Session) -> dict[Cube, CubeLayout]:
    rows = session.rows("SELECT _number, _agency, _id, _major, _columns FROM cubes ORDER BY _number")
    found = [
        CubeLayout.from_json(number, Cube(agency=agency, id=id_, major=major), columns)
        for number, agency, id_, major, columns in rows
    ]
    return {layout.cube: layout for layout in found}


def _lists(names: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {name: list(ranked) for name, ranked in names.items()}


def _selection_key(selection: Selection) -> tuple[Any, ...]:
    """What tells selections apart; the structure, of which many are equal, by its version and components only."""
    structure = selection.structure
    names = (structure.version, *(component.id for component in structure.components))
    return (*(getattr(selection, name) for name in selection.__slots__ if name != "structure"), names)
