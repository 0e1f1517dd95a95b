"""The program under test in this process, so that many copies are checked soon, without a store or with one."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.precision.injecting import Copy
from benchmarks.precision.judging import Finding
from benchmarks.precision.sources import sources
from sdmx_service.app.stores import open_store
from sdmx_service.auth import OPERATOR
from sdmx_service.catalog.library import Library
from sdmx_service.catalog.loading import load_folder
from sdmx_service.settings import Settings
from sdmx_service.submission.reading import Wish
from sdmx_service.submission.submit import SentFile, check
from sdmx_service.workflow.sending import send


class Sent:
    """Checks of copies; a context manager, for it keeps stores."""

    def __init__(self, folder: Path) -> None:
        self._sources = {one.name: one for one in sources(folder)}
        self._temporary = tempfile.TemporaryDirectory()
        self._catalog: Any = None
        self._library: Any = None
        self._published: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._library is not None:
            self._library.store.close()
        self._temporary.cleanup()

    def first(self, copy: Copy) -> list[Finding]:
        """The findings of a copy without a store."""
        if self._catalog is None:
            self._catalog = load_folder(Settings().content).catalog()
        return self._checked(copy, self._catalog)

    def again(self, copy: Copy) -> list[Finding]:
        """The findings of a copy where the undamaged file is published."""
        if self._library is None:
            settings = Settings(store=f"duckdb:///{self._temporary.name}/store.duckdb")
            self._library = Library(open_store(settings))
            self._library.fill(settings.content)
        if copy.source not in self._published:
            self._publish(copy.source)
        view = self._library.view()
        return self._checked(copy, view.catalog, store=self._library.store, release=view.release)

    def _checked(self, copy: Copy, catalog: Any, **more: Any) -> list[Finding]:
        with copy.path.open("rb") as file:
            outcome = check(SentFile(file=file, name=copy.name), Wish(), catalog, **more)
        return [one.to_json() for group in outcome.groups for one in group.findings()]

    def _publish(self, source: str) -> None:
        clean = self._sources[source].copy()
        path = Path(self._temporary.name) / clean.name
        clean.grid.save(path)
        with path.open("rb") as file:
            receipt = send(SentFile(file=file, name=clean.name), Wish(), self._library, OPERATOR, publish_now=True)
        assert receipt.status == "published", (source, receipt.findings)
        self._published.add(source)
