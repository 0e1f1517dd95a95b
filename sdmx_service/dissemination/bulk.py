"""One file per dataflow and release, whole, at an address that stays: what a harvester takes instead of a query.

*Extension* of SDMX-REST. A file is what the plain data query gives at that release. It is made once, when it is first
asked for or right after the release, kept in a folder, and can be thrown away at any time: made again it has the same
bytes as long as the catalog names things alike (the header is dated by the release, compression knows no time).
A release that did not touch a dataflow has no file of its own; ``canonical`` tells whose it shares.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from threading import Lock
from typing import IO, NamedTuple

from isal import isal_zlib

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.library import Library
from sdmx_service.dissemination.data import data
from sdmx_service.errors import NoResults, NotFound, StorageFault
from sdmx_service.formats.registry import FORMATS, named
from sdmx_service.model.message import Message, Party, WriteOptions
from sdmx_service.model.query import DataQuery
from sdmx_service.model.selection import Cube, dataflow_name
from sdmx_service.model.structure import Dataflow
from sdmx_service.model.urn import Ref
from sdmx_service.storage.port import Release

_LEVEL = 2
"""Compression level of isal."""
_GZIP = 31
"""One gzip member, whose header has no time."""


class Kind(NamedTuple):
    """A kind of file: the format it is written in, whether it is compressed, and its media type."""

    format: str
    gzip: bool
    media_type: str


KINDS: Mapping[str, Kind] = {
    suffix: kind
    for suffix, kind in {
        "csv.gz": Kind("sdmx-csv-2.1", True, "application/gzip"),
        "json.gz": Kind("sdmx-json-2.1", True, "application/gzip"),
        "xml.gz": Kind("sdmx-ml-3.1", True, "application/gzip"),
        "parquet": Kind("parquet", False, "application/vnd.apache.parquet"),
    }.items()
    if any(one.name == kind.format for one in FORMATS)
}
"""Suffix -> kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkFile:
    """A file that is there; ``sha256`` in hexadecimal digits."""

    path: Path
    kind: str
    release: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A dataflow and the releases that changed it, oldest first."""

    dataflow: Dataflow
    releases: tuple[Release, ...]


class Shelf:
    """The folder of bulk files of one store."""

    def __init__(self, folder: Path, library: Library, sender: Party) -> None:
        self.folder = folder
        self._library = library
        self._sender = sender
        self._guard = Lock()
        self._making: dict[Path, Lock] = {}
        self._known: tuple[int, int, tuple[History, ...]] | None = None

    # --- which there are -----------------------------------------------------------------------------------------

    def histories(self) -> tuple[History, ...]:
        """Every dataflow that ever had figures, with the releases that changed it; remembered until the next one."""
        view = self._library.view()
        with self._guard:
            known = self._known
        if known is not None and known[:2] == (view.release, view.generation):
            return known[2]
        store = self._library.store
        releases = {one.number: one for one in store.releases()}
        touched: dict[str, Sequence[int]] = {}
        for cube in store.cubes():
            touched |= store.touched(cube, view.release)
        found = []
        for name, flow in _latest(view.catalog).items():
            numbers = [number for number in touched.get(name, ()) if number in releases]
            if numbers:
                found.append(History(dataflow=flow, releases=tuple(releases[number] for number in numbers)))
        with self._guard:
            self._known = (view.release, view.generation, tuple(found))
        return tuple(found)

    def canonical(self, agency: str, id: str, version: str, release: int | None) -> tuple[History, Release]:
        """The dataflow, and the release whose file holds its state at a release (None: the current one).

        Raises:
            NotFound: there is no such dataflow, or it had no figures then.
        """
        asked = Ref(type="Dataflow", agency=agency, id=id, version=version)
        view = self._library.view()
        name = dataflow_name(asked) if view.catalog.lookup(asked) is not None else None
        one = next((each for each in self.histories() if dataflow_name(each.dataflow.ref) == name), None)
        if one is None:
            raise NotFound(f"There is no dataflow {asked.text} with figures.", hint="GET /api/bulk lists the files.")
        numbers = [each.number for each in one.releases]
        place = len(numbers) if release is None else bisect_right(numbers, release)
        if not place or (release is not None and release > view.release):
            raise NotFound(
                f"{asked.text} has no file of release {release}.",
                hint=f"Releases that changed it: {', '.join(map(str, numbers))}.",
            )
        return one, one.releases[place - 1]

    # --- one file ------------------------------------------------------------------------------------------------

    def file(self, flow: Dataflow, release: Release, kind: str) -> BulkFile:
        """The file, made if it is not there yet; whoever asks meanwhile waits for it.

        Raises:
            NotFound: there is no such kind, or the dataflow had no figures then.
        """
        if kind not in KINDS:
            raise NotFound(f"There are no files of kind {kind!r}.", hint=f"There are {', '.join(KINDS)}.")
        path, mask = self.path(flow, release, kind), self.mask(flow)
        with self._alone(path):
            found = known_file(path, kind, release.number, mask)
            if found is None:
                self._make(path, flow, release, kind, mask)
                found = known_file(path, kind, release.number, mask)
        assert found is not None
        return found

    def mask(self, flow: Dataflow) -> str:
        """What is hidden of a dataflow's structure now: a file is good for that only."""
        return self._library.store.mask_version(Cube.of(self._library.view().catalog.structure_of(flow)))

    def path(self, flow: Dataflow, release: Release, kind: str) -> Path:
        """Where a file stands, whether it is there or not."""
        return self.folder / flow.agency / flow.id / flow.version / f"{release.number}.{kind}"

    @contextmanager
    def _alone(self, path: Path) -> Iterator[None]:
        with self._guard:
            lock = self._making.setdefault(path, Lock())
        with lock:
            yield

    def _make(self, path: Path, flow: Dataflow, release: Release, kind: str, mask: str) -> None:
        message = self._message(flow, release)
        try:
            self._write(message, path, release, kind, mask)
        except OSError as error:
            raise StorageFault(
                f"The file {path.name} cannot be kept: {error.strerror}.", hint="The data query gives the same figures."
            ) from error

    @staticmethod
    def _write(message: Message, path: Path, release: Release, kind: str, mask: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        made = Path(name)
        try:
            with os.fdopen(number, "wb") as file:
                _write(message, kind, file, release.number)
            digest = _digest(made)
            if not mask:  # else it may be another one tomorrow, which must be newer
                moment = release.published_at.timestamp()
                os.utime(made, (moment, moment))
            made.chmod(0o644)
            note = json.dumps({"sha256": digest, "bytes": made.stat().st_size, "mask": mask})
            made.replace(path)
            _note(path).write_text(note)
        finally:
            with suppress(FileNotFoundError):
                made.unlink()

    def _message(self, flow: Dataflow, release: Release) -> Message:
        query = DataQuery(context="dataflow", agencies=(flow.agency,), ids=(flow.id,), versions=(flow.version,))
        view = self._library.view()
        try:
            message = data(query, view.catalog, self._library.store, release.number, sender=self._sender)
        except NoResults:
            raise NotFound(f"{flow.ref.text} had no figures at release {release.number}.") from None
        moment = release.published_at.replace(microsecond=0)
        message.header = replace(message.header, id=f"{flow.id}_{release.number}", prepared=moment)
        return message

    # --- all of them ---------------------------------------------------------------------------------------------

    def prepare(self, kinds: Sequence[str], keep: int) -> int:
        """Make the current files of every dataflow; returns how many.

        Those before the last ``keep`` are removed, and those that show what is hidden now.
        """
        made = 0
        for one in self.histories():
            mask, last = self.mask(one.dataflow), one.releases[-1]
            for kind in kinds:
                if known_file(self.path(one.dataflow, last, kind), kind, last.number, mask) is None:
                    with suppress(NotFound):  # all its figures went away
                        self.file(one.dataflow, last, kind)
                        made += 1
            for kind, (place, old) in product(KINDS, enumerate(reversed(one.releases))):
                path = self.path(one.dataflow, old, kind)
                is_old = place >= max(keep, 1) and kind in kinds
                if is_old or known_file(path, kind, old.number, mask) is None:
                    _remove(path)
        return made

    def remove(self, flow: Dataflow) -> int:
        """Remove every file of a dataflow, of all its versions; returns how many; they are made anew when asked for."""
        found = [one for one in (self.folder / flow.agency / flow.id).rglob("*") if one.is_file()]
        for one in found:
            one.unlink(missing_ok=True)
        return sum(not one.name.endswith(".note") for one in found)


def _latest(catalog: Catalog) -> dict[str, Dataflow]:
    """The latest version of each dataflow and major version, by the name of its rows: minor versions share them."""
    found: dict[str, Dataflow] = {}
    for agency, id in dict.fromkeys((one.agency, one.id) for one in catalog.of_type("Dataflow")):
        for version in catalog.versions("Dataflow", agency, id):
            flow = catalog.dataflow(Ref(type="Dataflow", agency=agency, id=id, version=version))
            found[dataflow_name(flow.ref)] = flow
    return found


def known_file(path: Path, kind: str, release: int, mask: str) -> BulkFile | None:
    """What is known of a file that is there; None where it is missing, is not what was noted, or shows too much."""
    try:
        noted = json.loads(_note(path).read_text())
        size = path.stat().st_size
    except (OSError, ValueError):
        return None
    if noted.get("bytes") != size or noted.get("mask", "") != mask:
        return None
    return BulkFile(path=path, kind=kind, release=release, bytes=size, sha256=noted["sha256"])


def _note(path: Path) -> Path:
    return path.with_name(path.name + ".note")


def _remove(path: Path) -> None:
    for one in (_note(path), path):
        with suppress(FileNotFoundError):
            one.unlink()


def _write(message: Message, kind: str, file: IO[bytes], release: int) -> None:
    write = named(KINDS[kind].format).write
    assert write is not None
    chunks = write(message, WriteOptions(release=release, columns="all"))
    if not KINDS[kind].gzip:
        file.writelines(chunks)
        return
    packed = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _GZIP)
    file.writelines(map(packed.compress, chunks))
    file.write(packed.flush())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
