"""The catalog and the release that belong together: pinned once per request, renewed when the store moves on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.confidentiality import check_confidentiality
from sdmx_service.catalog.loading import Content, Stored, deserialise, load_folder, missing, serialise
from sdmx_service.errors import NotFound
from sdmx_service.model.confidentiality import Confidentiality
from sdmx_service.model.structure import DataStructure
from sdmx_service.storage.port import Act, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One consistent state: the release and the catalog that were current together."""

    release: int
    generation: int
    published_at: datetime
    changed_at: datetime
    catalog: Catalog


_KEPT_CATALOGS = 4
"""Catalogs of earlier moments that are kept for the next question of the same kind."""


class Library:
    """Hands out views; keeps one catalog and swaps it whole when the store's generation is another.

    Attributes:
        store: where everything is kept.
        address: where others find the newest SDMX-REST interface of the service; empty where there is none.
    """

    def __init__(self, store: Store, address: str = "") -> None:
        self.store = store
        self.address = address
        self._catalog: Catalog | None = None
        self._earlier: OrderedDict[int, Catalog] = OrderedDict()
        self._read: Stored = {}
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
            changed_at=pointer.changed_at,
            catalog=catalog,
        )

    def _load(self, generation: int) -> Catalog:
        with self._lock:
            if self._catalog is None or self._catalog.generation != generation:
                content = deserialise(self.store.artefacts(generation), self._read)
                self._read = content.read
                self._catalog = content.catalog(generation)
            return self._catalog

    def catalog_at(self, moment: datetime | None, view: View | None = None) -> Catalog:
        """The catalog as it was at a moment (SDMX-REST 2.2, *asOf*); for None that of the view, or the current one.

        Raises:
            NotFound: the moment is before the first structures.
        """
        current = (view or self.view()).catalog
        generation = current.generation if moment is None else self.store.generation_at(moment)
        if generation >= current.generation:
            return current
        if generation == 0:
            raise NotFound(
                f"There were no structures yet at {moment}.", hint="Choose a later asOf, or leave it out for today's."
            )
        with self._lock:
            found = self._earlier.get(generation)
        if found is None:
            found = deserialise(self.store.artefacts(generation), self._read).catalog(generation)
        with self._lock:
            self._earlier[generation] = found
            self._earlier.move_to_end(generation)
            while len(self._earlier) > _KEPT_CATALOGS:
                self._earlier.popitem(last=False)
        return found

    def fill(self, folder: Path) -> int:
        """Add what the files of a folder have and the store has not; open a cube per data structure with a dataflow.

        Returns the number of artefacts, layouts and rule sets added. Nothing that is there is overwritten.
        """
        stored, content = self.store.artefacts(), load_folder(folder)
        new = serialise(missing(content, stored))
        for document in content.confidentiality.values():
            check_confidentiality(document, content.catalog())
        if new:
            told = Act(
                principal="operator", role="administrator", act="fill", object="catalog", details={"added": len(new)}
            )
            generation = self.store.save_artefacts(new, acts=(told,))
            if not stored:  # what was just written need not be read again
                with self._lock:
                    self._catalog = content.catalog(generation)
        self.open_cubes()
        return len(new)

    def put_confidentiality(self, document: Confidentiality, acts: Sequence[Act] = ()) -> int:
        """Put a confidentiality document in force, in the place of one of the same id; returns the generation.

        ``acts`` go into the log with it.

        Raises:
            InvalidStructure: a structure lacks what the document names.
        """
        view = self.view()
        check_confidentiality(document, view.catalog)
        kept = serialise(Content(confidentiality={document.id: document}))
        return self.store.save_artefacts(dict(kept), view.generation, acts)

    def open_cubes(self) -> None:
        """Open, or widen, a cube for each data structure that has a dataflow."""
        catalog = self.view().catalog
        for artefact in catalog.of_type("DataStructure"):
            if isinstance(artefact, DataStructure) and catalog.dataflows_of(artefact.ref):
                self.store.open_cube(catalog.structure(artefact.ref))
