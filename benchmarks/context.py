"""What every case is given, and what it checks before it gives a figure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks import flows
from benchmarks.flows import Digest


class WrongRowsError(AssertionError):
    """A case did its work on other rows than the generated ones: its figure means nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Where and on what a case works.

    Attributes:
        observations: of the generated rows.
        folder: for files, kept as long as the whole run.
        store: a PostgreSQL address; None is DuckDB in ``folder``.
        requests: how many single queries are made.
    """

    observations: int
    folder: Path
    store: str | None = None
    requests: int = 300

    def file(self, name: str) -> Path:
        """A file of this size in the folder."""
        stem, dot, suffix = name.rpartition(".")
        return self.folder / f"{stem}-{self.observations}{dot}{suffix}"

    @property
    def data(self) -> Path:
        """The folder of the embedded store."""
        return self.folder / f"data-{self.observations}"

    @property
    def store_url(self) -> str:
        """The address of the store."""
        return self.store or f"duckdb:///{self.data / 'store.duckdb'}"

    def expected(self, *, calm: bool = False) -> Digest:
        """What the rows are, kept beside the files so that it is counted once."""
        kept = self.file("digest-calm.txt" if calm else "digest.txt")
        if not kept.exists():
            found = flows.digest(flows.batches(self.observations, calm=calm))
            kept.write_text(f"{found.observations} {found.values} {found.total!r}")
        count, values, total = kept.read_text().split()
        return Digest(observations=int(count), values=int(values), total=float(total))

    def require(self, found: Digest, what: str, *, calm: bool = False) -> None:
        """Refuse figures of other rows.

        Raises:
            WrongRowsError: count, number of values or sum differ.
        """
        expected = self.expected(calm=calm)
        if not found.same(expected):
            raise WrongRowsError(f"{what}: {found} instead of {expected}")
