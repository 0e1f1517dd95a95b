"""Each test with the argument ``store`` runs on both backends."""

from tests.storage.conftest import reopen, store

__all__ = ["reopen", "store"]
