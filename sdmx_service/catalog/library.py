"""The catalog and the release that belong together: pinned once per request, renewed when the store moves on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.loading import deserialise, load_folder, missing, serialise
from sdmx_service.model.structure import DataStructure
from sdmx_service.storage.port import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One consistent state: the release and the catalog that were current together."""

    release: int
    generation: int
    published_at: datetime
    catalog: Catalog


class Library:
    """Hands out views; keeps one catalog and swaps it whole when the store's generation is another."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._catalog: Catalog | None = None
        self._lock = Lock()

    def view(self) -> View:
        """The current view; one cheap read of the pointer, a load only when the generation changed."""
        pointer = self.store.pointer()
        catalog = self._catalog
        if catalog is None or catalog.generation != pointer.generation:
            catalog = self._load(pointer.generation)
        return View(
            release=pointer.release,
            generation=pointer.generation,
            published_at=pointer.published_at,
            catalog=catalog,
        )

    def _load(self, generation: int) -> Catalog:
        with self._lock:
            if self._catalog is None or self._catalog.generation != generation:
                self._catalog = deserialise(self.store.artefacts(generation)).catalog(generation)
            return self._catalog

    def fill(self, folder: Path) -> int:
        """Add what the files of a folder have and the store has not; open a cube per data structure with a dataflow.

        Returns the number of artefacts, layouts and rule sets added. Nothing that is there is overwritten.
        """
        stored, content = self.store.artefacts(), load_folder(folder)
        new = serialise(missing(content, stored))
        if new:
            generation = self.store.save_artefacts(new)
            if not stored:  # what was just written need not be read again
                with self._lock:
                    self._catalog = content.catalog(generation)
        catalog = self.view().catalog
        for artefact in catalog.of_type("DataStructure"):
            if isinstance(artefact, DataStructure) and catalog.dataflows_of(artefact.ref):
                self.store.open_cube(catalog.structure(artefact.ref))
        return len(new)
