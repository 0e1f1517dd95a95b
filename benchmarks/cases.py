"""The table of cases: what is measured, by whom, on how many rows at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from benchmarks import files, servers, stores, submissions
from benchmarks.files import Run

GROUPS = ("write", "read", "store", "submit", "http")
MOST = {"pysdmx": 1_000_000, "sdmx1": 100_000, "datasette": 1_000_000}
"""Rows that a peer is given at most: more would take minutes or gigabytes. Ratios compare seconds per observation."""
MOST_IN_FILES = 1_000_000
"""Rows of the cases that write and read files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing done by us and by peers.

    Attributes:
        group: one of ``GROUPS``.
        runs: who does it, we first.
        is_embedded: works on an embedded store of its own, whatever the store of the run is.
        is_load: makes the store that the cases after it read; done once in a run.
        by: what the ratio compares: ``cpu`` per observation or ``p50`` of a request.
    """

    name: str
    group: str
    runs: Mapping[str, Run]
    is_load: bool = False
    is_embedded: bool = False
    by: str = "cpu"

    def observations(self, who: str, size: int) -> int:
        """On how many rows somebody does it."""
        most = min(MOST.get(who, size), size)
        return min(most, MOST_IN_FILES) if self.group in ("write", "read") else most


def _http() -> tuple[Case, ...]:
    return (
        Case(
            name="one series, SDMX-CSV",
            group="http",
            runs={"ours": partial(servers.one_series, servers.CSV), "datasette": servers.one_page},
            by="p50",
        ),
        Case(
            name="one series, SDMX-JSON",
            group="http",
            runs={"ours": partial(servers.one_series, servers.JSON), "datasette": servers.one_page},
            by="p50",
        ),
        Case(name="one series, 304", group="http", runs={"ours": servers.not_modified}, by="p50"),
        Case(name="availability over HTTP", group="http", runs={"ours": servers.availability}, by="p50"),
        Case(
            name="export SDMX-CSV",
            group="http",
            runs={"ours": partial(servers.export, "SDMX-CSV", "identity"), "datasette": servers.bulk_csv},
        ),
        Case(name="export SDMX-CSV, gzip", group="http", runs={"ours": partial(servers.export, "SDMX-CSV", "gzip")}),
        *(
            Case(name=f"export {name}", group="http", runs={"ours": partial(servers.export, name, "identity")})
            for name in servers.EXPORTS
            if name != "SDMX-CSV"
        ),
    )


CASES: tuple[Case, ...] = (
    *(Case(name=f"write {name}", group="write", runs=files.writing(name)) for name in files.WRITTEN),
    *(Case(name=f"read {name}", group="read", runs=files.reading(name)) for name in files.READ),
    Case(name=stores.LOAD, group="store", runs={"ours": stores.load}, is_load=True),
    *(Case(name=name, group="store", runs={"ours": run}) for name, run in stores.OURS.items()),
    *(Case(name=name, group="store", runs={"ours": run}, is_embedded=True) for name, run in stores.FILED.items()),
    *(Case(name=name, group="submit", runs=runs, is_embedded=True) for name, runs in submissions.RUNS.items()),
    *_http(),
)


def named(name: str) -> Case:
    """The case of that name."""
    return next(case for case in CASES if case.name == name)
