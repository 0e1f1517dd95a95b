"""A small house over each kind of store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import House, open_house
from tests.workflow.office import CONTENT


@pytest.fixture(params=["duckdb", pytest.param("postgresql", marks=pytest.mark.postgres)])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """The invented sea, in DuckDB and in PostgreSQL."""
    is_duck = request.param == "duckdb"
    url = f"duckdb:///{tmp_path / 'store.duckdb'}" if is_duck else request.getfixturevalue("postgres_database")
    with open_house(url, CONTENT) as opened:
        yield opened


@pytest.fixture
def sea(tmp_path: Path) -> Iterator[House]:
    """The invented sea in DuckDB, where the store does not matter."""
    with open_house(f"duckdb:///{tmp_path / 'store.duckdb'}", CONTENT) as opened:
        yield opened
