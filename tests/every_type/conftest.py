"""The apiary, filled once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.every_type.house import open_apiary
from tests.harness import House


@pytest.fixture(scope="session")
def apiary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The apiary with its figures; not to be changed."""
    with open_apiary(tmp_path_factory.mktemp("apiary") / "house") as house:
        yield house
