"""What is measured, and how: processor seconds, wall clock and peak memory, of this process or of a server."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
_TICKS = os.sysconf("SC_CLK_TCK")
MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measurement.

    Attributes:
        observations: how many rows the work was about.
        cpu: processor seconds (user + system) of the work alone; with HTTP those of the server.
        wall: seconds of the work alone.
        peak: resident memory at its highest, in MB, of the whole process that was measured (with HTTP the
            server) from its start.
        anonymous: private memory at its highest during the work, in MB: without the pages of mapped files, which the
            system takes back whenever it wants (servers only).
        size: bytes written, read or received.
        p50, p99: milliseconds of one request, where many were made.
        note: what a reader must know.
    """

    observations: int
    cpu: float
    wall: float
    peak: float
    anonymous: float = 0.0
    size: int = 0
    p50: float | None = None
    p99: float | None = None
    note: str = ""


def peak_memory(pid: int | str = "self") -> float:
    """The peak resident memory of a process in MB (``VmHWM``: since it began, not of what started it)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / MB
    raise RuntimeError(f"/proc/{pid}/status tells no peak.")


def reset_peak() -> None:
    """From now on ``peak_memory`` of this process is the peak since now."""
    Path("/proc/self/clear_refs").write_text("5")


def anonymous_memory(pid: int | str = "self") -> float:
    """The resident memory of a process that is no page of a file, now, in MB (``RssAnon``)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024 / MB
    raise RuntimeError(f"/proc/{pid}/status tells no private memory.")


def processor_seconds(pid: int) -> float:
    """User and system seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def measure(work: Callable[[], T]) -> tuple[T, float, float]:
    """The result of the work, its processor seconds (all threads of this process) and its wall clock seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.process_time() - cpu, time.perf_counter() - wall


def figure(work: Callable[[], Any], observations: int, path: Path | None = None, note: str = "") -> Figure:
    """The figure of work done in this process; ``path`` is the file it wrote or read."""
    _, cpu, wall = measure(work)
    size = path.stat().st_size if path is not None else 0
    return Figure(observations=observations, cpu=cpu, wall=wall, peak=peak_memory(), size=size, note=note)


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least that share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
