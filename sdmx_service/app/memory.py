"""Where memory comes from, chosen once per process."""

from __future__ import annotations

import ctypes
import gc
import sys
from contextlib import suppress
from importlib.abc import MetaPathFinder
from typing import Final

import pyarrow as pa

_HEAPS: Final = -8
"""``M_ARENA_MAX`` of the GNU C library."""
_MAPPED_FROM, _TRIMMED_FROM = -3, -1
"""``M_MMAP_THRESHOLD`` and ``M_TRIM_THRESHOLD`` of it."""
_KEPT: Final = 1 << 25
"""Bytes of one piece that are taken from the heap, and of free heap that are kept."""


def choose_memory() -> None:
    """Columns are made in one thread and let go in another: jemalloc needs a third less memory for it.

    What is not Arrow's comes from the C library, which else keeps a heap per thread (measured: up to 50 MB more), and
    else asks the system for each piece of an answer anew and gives it back (a fifth of the work of a large answer).
    """
    with suppress(OSError, AttributeError):  # not every C library knows it
        library = ctypes.CDLL(None)
        library.mallopt(_HEAPS, 2)
        library.mallopt(_MAPPED_FROM, _KEPT)
        library.mallopt(_TRIMMED_FROM, _KEPT)
    if "jemalloc" in pa.supported_memory_backends():
        pa.set_memory_pool(pa.jemalloc_memory_pool())
    _leave_pandas_out()


class _Without(MetaPathFinder):
    """Finds no module of one name, as if it were not installed."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        if fullname == self._name:
            raise ModuleNotFoundError(name=fullname)


def _leave_pandas_out() -> None:
    """Let Arrow look for pandas when somebody asks it for a data frame, and not already for its first array.

    Nobody does here, and pandas takes 34 MB.
    """
    finder = _Without("pandas")
    sys.meta_path.insert(0, finder)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(finder)


def give_back() -> None:
    """Return what was needed to begin and is not needed any more: a new store is filled from a few thousand artefacts.

    Else the C library keeps it for what may come (measured: 40 MB).
    """
    gc.collect()
    with suppress(OSError, AttributeError):  # not every C library knows it
        ctypes.CDLL(None).malloc_trim(0)
