"""Which store: only here a storage backend is chosen, and only the chosen one is loaded."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from sdmx_service.errors import SyntaxFault
from sdmx_service.settings import Settings
from sdmx_service.storage.port import Store


def open_store(settings: Settings) -> Store:
    """The store that the settings name, migrated.

    Raises:
        SyntaxFault: the URL names no known backend.
        StorageFault: it cannot be opened.
    """
    url = settings.store_url
    scheme = urlsplit(url).scheme
    if scheme in ("postgresql", "postgres"):
        store = _postgres(url)
    elif scheme == "duckdb":
        store = _duckdb(Path(unquote(url.removeprefix("duckdb:///"))), settings.memory_limit)
    else:
        raise SyntaxFault(f"{url!r} names no store.", hint="Use duckdb:///PATH or postgresql://...")
    store.migrate()
    return store


def _postgres(url: str) -> Store:
    from sdmx_service.storage.postgres_store import PostgresStore

    return PostgresStore(url)


def _duckdb(path: Path, memory_limit: str) -> Store:
    from sdmx_service.storage.duckdb_store import DuckDBStore

    path.parent.mkdir(parents=True, exist_ok=True)
    return DuckDBStore(path, memory_limit=memory_limit)
