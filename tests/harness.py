"""A whole service without HTTP for tests: a store in a folder, filled, with submit and query in one line each."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sdmx_service.app.stores import open_store
from sdmx_service.auth import OPERATOR
from sdmx_service.catalog.library import Library
from sdmx_service.model.finding import Finding
from sdmx_service.model.message import Party
from sdmx_service.rest.answers import Answer, Request, answer
from sdmx_service.settings import Settings
from sdmx_service.submission.reading import Wish
from sdmx_service.submission.receipt import Receipt, load_findings
from sdmx_service.submission.submit import SentFile
from sdmx_service.workflow.sending import send

ROOT = Path(__file__).resolve().parent.parent
CSV = "application/vnd.sdmx.data+csv;version=2.1.0"
JSON = "application/vnd.sdmx.data+json;version=2.1.0"
XML = "application/vnd.sdmx.data+xml;version=3.1.0"
GENERIC = "application/vnd.sdmx.genericdata+xml;version=2.1"
STRUCTURE_SPECIFIC = "application/vnd.sdmx.structurespecificdata+xml;version=2.1"


class House:
    """A filled library, and what tests do with it."""

    def __init__(self, library: Library) -> None:
        self.library = library

    def send(
        self, source: Path | bytes, *, name: str | None = None, publish: bool = True, **wish: str
    ) -> tuple[Receipt, list[Finding]]:
        """Submit a file or bytes; the receipt and all findings."""
        body = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
        with body:
            called = name or (source.name if isinstance(source, Path) else "sent.csv")
            receipt = send(SentFile(file=body, name=called), Wish(**wish), self.library, OPERATOR, publish_now=publish)
        groups = load_findings(self.library.store, receipt.id)
        return receipt, [finding for group in groups for finding in group.findings()]

    def get(self, path: str, accept: str | None = CSV, **headers: str) -> Answer:
        """The answer to ``v2/...`` or ``v1/...``."""
        api, _, rest = path.partition("/")
        where, _, query = rest.partition("?")
        request = Request(api=api, path=where, query_string=query, accept=accept, **headers)
        return answer(request, self.library, Party(id="TEST"))

    def body(self, path: str, accept: str | None = CSV, status: int = 200) -> bytes:
        """The body of an answer of that status."""
        found = self.get(path, accept)
        body = b"".join(found.chunks)
        assert found.status == status, body[:2000]
        return body

    def rows(self, path: str) -> list[dict[str, str]]:
        """The rows of an SDMX-CSV 2.1 answer."""
        return list(csv.DictReader(io.StringIO(self.body(path).decode())))


@contextmanager
def open_house(store: str, content: Path = ROOT) -> Iterator[House]:
    """A house over a store URL, filled from a content folder."""
    opened = open_store(Settings(store=store, content=content))
    try:
        library = Library(opened)
        library.fill(content)
        yield House(library)
    finally:
        opened.close()
