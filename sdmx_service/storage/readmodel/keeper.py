"""Which read models there are: made in the background, put into place whole, removed when they are old."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from sdmx_service.errors import SdmxError
from sdmx_service.model.selection import Cube, Selection
from sdmx_service.storage.readmodel.answers import ModelReading, answers
from sdmx_service.storage.readmodel.building import FORMAT, Abandoned, Source, background, build
from sdmx_service.storage.readmodel.opened import Damaged, Model, open_model

log = logging.getLogger(__name__)
_STALE = 3600
"""Seconds after which an unfinished folder is somebody's who has gone."""

Base = tuple[Hashable, ...]
_PARTS = 5
"""Parts of a base without what is hidden."""


def base_of(selection: Selection) -> Base | None:
    """What a model would be of: cube, context, dataflow and components; None where none is made.

    Models are made of one dataflow in the context of dataflows, and of a whole cube in that of the data structure.
    """
    if selection.providers is not None:
        return None
    if selection.context == "dataflow" and (selection.dataflows is None or len(selection.dataflows) != 1):
        return None
    if selection.context == "provisionagreement" or (
        selection.context == "datastructure" and selection.dataflows is not None
    ):
        return None
    structure = selection.structure
    components = tuple(one.id for one in structure.components)
    return (selection.cube, selection.context, selection.dataflows, structure.version, components)


class ReadModels:
    """The models of one store in one folder.

    Args:
        source: the store's own answer to a selection of everything; None if the cube holds nothing.
        published: release -> when it became current, in microseconds; None if there is none.
        current: the release that is current.
        mask: what is hidden of a cube now; a model is good for that only.
    """

    def __init__(
        self,
        folder: Path,
        *,
        source: Callable[[Selection], Source | None],
        published: Callable[[int], int | None],
        current: Callable[[], int],
        mask: Callable[[Cube], str],
    ) -> None:
        self._folder = folder
        self._source, self._published, self._current, self._mask = source, published, current, mask
        self._guard = threading.Lock()
        self._ready: dict[Base, Model] = {}
        self._wanted: dict[Base, Selection] = {}
        self._asked: dict[Base, tuple[int, Future[None]]] = {}
        self._closed = threading.Event()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="readmodel")

    def close(self) -> None:
        """Give up what is being made; models in place stay."""
        self._closed.set()
        self._worker.shutdown(wait=True, cancel_futures=True)

    # --- for readers -------------------------------------------------------------------------------------------

    def reading(self, selection: Selection) -> ModelReading | None:
        """The selection answered from a model; None if the store must answer. Never waits."""
        base = self._base(selection)
        if base is None:
            return None
        model = self._ready.get(base)
        if model is None or model.release != selection.release:
            if model is None or model.release < selection.release:
                self._ask(base, selection)
            return None
        if not answers(selection):
            return None
        found = ModelReading(model, selection)
        return found if found.can else None

    def open(self, selections: Iterable[Selection]) -> None:
        """Let the models that are in place be opened, so that the first answers need not do without; makes none."""
        for selection in selections:
            base = self._base(selection)
            if base is not None and selection.release:
                self._worker.submit(self._open, base, selection)

    def _open(self, base: Base, selection: Selection) -> None:
        identity = self._identity(base, selection)
        if identity is None or not (place := self._folder / self._name(identity, selection)).exists():
            return
        with contextlib.suppress(Damaged):  # it is made anew when it is asked for
            model = open_model(place, identity)
            with self._guard:
                self._wanted[base] = selection
                self._ready.setdefault(base, model)

    def prepare(self, selection: Selection) -> None:
        """Make the model that would answer the selection, and wait for it."""
        base = self._base(selection)
        if base is not None and (asked := self._ask(base, selection)) is not None:
            asked.result()

    def released(self, release: int) -> None:
        """A release was published: the models that are used are made anew."""
        with self._guard:
            used = {base: asked for base, asked in self._wanted.items() if base in self._ready}
        for selection in used.values():
            asked = replace(selection, release=release)
            if (base := self._base(asked)) is not None:
                self._ask(base, asked)

    def _base(self, selection: Selection) -> Base | None:
        base = base_of(selection)
        mask = "" if base is None else self._mask(selection.cube)
        return (*base, mask) if base is not None and mask else base

    def forget(self, cube: Cube) -> None:
        """Remove the models of a cube: other figures of it are hidden from now on."""
        with self._guard:
            for base in [one for one in (*self._ready, *self._asked) if one[0] == cube]:
                self._ready.pop(base, None)
                self._asked.pop(base, None)
        slug = _slug(cube)
        for place in self._folder.iterdir() if self._folder.exists() else ():
            if place.name.startswith(slug):
                shutil.rmtree(place, ignore_errors=True)

    # --- making ------------------------------------------------------------------------------------------------

    def _ask(self, base: Base, selection: Selection) -> Future[None] | None:
        """Let the model of a release be opened or made, once; None if it is not to be."""
        with self._guard:
            asked = self._asked.get(base)
            if asked is not None and asked[0] >= selection.release:
                return asked[1] if asked[0] == selection.release else None
        if self._closed.is_set() or selection.release == 0 or selection.release != self._current():
            return None
        whole = Selection(
            structure=selection.structure,
            cube=selection.cube,
            context=selection.context,
            dataflows=selection.dataflows,
            release=selection.release,
        )
        with self._guard:
            asked = self._asked.get(base)
            if asked is not None and asked[0] >= selection.release:
                return asked[1] if asked[0] == selection.release else None
            self._wanted[base] = whole
            with contextlib.suppress(RuntimeError):  # closed in the meantime
                future = self._worker.submit(self._make, base, whole)
                self._asked[base] = (selection.release, future)
                return future
        return None

    def _make(self, base: Base, selection: Selection) -> None:
        """Open the model, or make and open it; whatever goes wrong, the store goes on answering."""
        try:
            with background():
                model = self._opened(base, selection)
        except Abandoned:
            return
        except (SdmxError, OSError, ValueError, ArithmeticError, LookupError, TypeError) as error:
            log.warning("no read model of %s at release %d: %s", selection.cube.name, selection.release, error)
            return
        with self._guard:
            for other in [one for one in self._ready if one[:_PARTS] == base[:_PARTS]]:
                del self._ready[other]
            self._ready[base] = model
        self._clean(selection)

    def _opened(self, base: Base, selection: Selection) -> Model:
        identity = self._identity(base, selection)
        if identity is None:
            raise Abandoned
        place = self._folder / self._name(identity, selection)
        if place.exists():
            try:
                return open_model(place, identity)
            except Damaged as error:
                log.warning("read model made anew: %s", error)
                shutil.rmtree(place, ignore_errors=True)
        self._build(selection, place, identity)
        return open_model(place, identity)

    def _identity(self, base: Base, selection: Selection) -> dict[str, Any] | None:
        """What a model is of; None if there is no such release."""
        published = self._published(selection.release)
        if published is None:
            return None
        return {"release": selection.release, "published": published, "base": repr(base)}

    def _name(self, identity: Mapping[str, Any], selection: Selection) -> str:
        digest = hashlib.blake2b(json.dumps([FORMAT, identity]).encode(), digest_size=8).hexdigest()
        return f"{_slug(selection.cube)}{selection.release}-{digest}"

    def _build(self, selection: Selection, place: Path, identity: Mapping[str, Any]) -> None:
        source = self._source(selection)
        if source is None:
            raise Abandoned
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._folder / f"{place.name}.{os.getpid()}.part"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        try:
            build(source, unfinished, identity, lambda: self._is_wanted(selection))
            with contextlib.suppress(OSError):  # another process was quicker with the same model
                unfinished.rename(place)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _is_wanted(self, selection: Selection) -> bool:
        return not self._closed.is_set() and self._current() == selection.release

    def _clean(self, selection: Selection) -> None:
        """Remove what is older; who has it open keeps it until the answer is given."""
        slug = _slug(selection.cube)
        for place in self._folder.iterdir():
            if place.name.endswith(".part"):
                with contextlib.suppress(OSError):
                    if time.time() - place.stat().st_mtime > _STALE:
                        shutil.rmtree(place, ignore_errors=True)
            elif place.name.startswith(slug):
                number = place.name[len(slug) :].partition("-")[0]
                if number.isdigit() and int(number) < selection.release:
                    shutil.rmtree(place, ignore_errors=True)


def _slug(cube: Cube) -> str:
    """How the names of a cube's models begin."""
    digest = hashlib.blake2b(cube.name.encode(), digest_size=4).hexdigest()
    return f"{cube.id}-{cube.major}-{digest}-r"
