"""Which store: only here a storage backend is chosen, and only the chosen one is loaded."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sdmx_service.errors import SyntaxFault
from sdmx_service.settings import Settings
from sdmx_service.storage.sql_store import SqlStore
from sdmx_service.submission.loads import forget_cut_off

_SCRATCH = "256MB"
"""Memory of a scratch store; what is larger goes to temporary files."""


def open_store(settings: Settings, *, with_models: bool = False) -> SqlStore:
    """The store that the settings name, migrated, without what loads left that were cut off.

    Args:
        with_models: let read models be made and answer from them, unless the settings do not want them. It pays for
            who answers many queries.

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
    forget_cut_off(store)
    if with_models and settings.read_models:
        store.use_models(settings.models_folder)
    return store


@contextmanager
def scratch_store() -> Iterator[SqlStore]:
    """An empty store for the time of one piece of work, in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="scratch-") as folder:
        store = _duckdb(Path(folder) / "scratch.duckdb", _SCRATCH)
        try:
            store.migrate()
            yield store
        finally:
            store.close()


def _postgres(url: str) -> SqlStore:
    from sdmx_service.storage.postgres_store import PostgresStore

    return PostgresStore(url)


def _duckdb(path: Path, memory_limit: str) -> SqlStore:
    from sdmx_service.storage.duckdb_store import DuckDBStore

    path.parent.mkdir(parents=True, exist_ok=True)
    return DuckDBStore(path, memory_limit=memory_limit)
