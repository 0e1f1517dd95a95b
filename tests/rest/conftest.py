"""The small house of the tests of answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness import House
from tests.rest.fishery import open_fishery


@pytest.fixture(scope="session")
def fishery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The invented sea with two providers and two dataflows, filled; not to be changed."""
    with open_fishery(tmp_path_factory.mktemp("fishery") / "house") as house:
        yield house
