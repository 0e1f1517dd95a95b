"""The backends of the store: each test with the argument ``store`` runs on both, for real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sdmx_service.storage.port import Store
from tests.storage.backends import open_duckdb, open_postgres

BACKENDS = ["duckdb", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=BACKENDS)
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Opens the same store again, after closing what was open."""
    opened: list[Store] = []
    if request.param == "duckdb":
        path = tmp_path / "store.duckdb"
        make = lambda: open_duckdb(path)  # noqa: E731
    else:
        url = request.getfixturevalue("postgres_database")
        make = lambda: open_postgres(url)  # noqa: E731

    def reopen() -> Store:
        while opened:
            opened.pop().close()
        opened.append(make())
        return opened[-1]

    yield reopen
    while opened:
        opened.pop().close()


@pytest.fixture
def store(reopen: Callable[[], Store]) -> Store:
    """An empty store."""
    return reopen()
