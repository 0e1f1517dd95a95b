"""How tests open a store."""

from __future__ import annotations

from pathlib import Path

from sdmx_service.storage.duckdb_store import DuckDBStore
from sdmx_service.storage.port import Store


def open_duckdb(path: Path) -> Store:
    store = DuckDBStore(path, memory_limit="256MB", threads=1)
    store.migrate()
    return store


def open_postgres(url: str) -> Store:
    from sdmx_service.storage.postgres_store import PostgresStore

    store = PostgresStore(url)
    store.migrate()
    return store
