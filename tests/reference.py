"""The shared reference folder: real messages and data that stay outside this repository.

The environment variable ``SDMX_SHARED`` names the folder; without it, ``shared`` beside the checkout is taken where it
exists. An empty ``SDMX_SHARED`` means: as if there were none.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ABSENT = "shared reference folder absent"


def shared_folder() -> Path | None:
    """Return the folder with specimens and data, or None where there is none.

    Raises:
        FileNotFoundError: ``SDMX_SHARED`` names something that is not the folder: a wrong setting must not look like
            a clean run.
    """
    named = os.environ.get("SDMX_SHARED")
    if named == "":
        return None
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared"
    if (folder / "specimens" / "MANIFEST.csv").is_file():
        return folder.resolve()
    if named:
        raise FileNotFoundError(f"SDMX_SHARED={named} holds no specimens/MANIFEST.csv")
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimen:
    """One real message written by somebody else, as ``specimens/MANIFEST.csv`` describes it."""

    path: Path
    file: str
    format: str
    """sdmx-ml, sdmx-json, sdmx-csv or other."""
    version: str
    kind: str
    """data, structure, metadata ...; empty where it is not known."""
    repo: str
    expectation: str
    """The manifest's words, which begin with valid, invalid or unknown; ``is_valid`` and ``is_invalid`` read them."""
    excerpt: bool
    bytes: int

    def __str__(self) -> str:
        return self.file

    @property
    def is_valid(self) -> bool:
        """Whether it is valid against the whole official schema."""
        return self.expectation == "valid (official schema)"

    @property
    def is_invalid(self) -> bool:
        """Whether it is known to be wrong."""
        return self.expectation.startswith("invalid")


@cache
def specimens() -> tuple[Specimen, ...]:
    """Return every specimen of the manifest, in its order; nothing where the folder is absent."""
    folder = shared_folder()
    if folder is None:
        return ()
    with (folder / "specimens" / "MANIFEST.csv").open(encoding="utf-8", newline="") as manifest:
        return tuple(
            Specimen(
                path=folder / "specimens" / row["file"],
                file=row["file"],
                format=row["format"],
                version=row["version"],
                kind=row["kind"],
                repo=row["repo"],
                expectation=row["expectation"],
                excerpt=row["excerpt"] == "1",
                bytes=int(row["bytes"]),
            )
            for row in csv.DictReader(manifest)
        )


def select_specimens(**where: str | tuple[str, ...]) -> tuple[Specimen, ...]:
    """Return the specimens whose columns equal what is asked: ``select_specimens(format="sdmx-ml", version=("3.0", "3.1"))``."""
    wanted = {name: (value,) if isinstance(value, str) else value for name, value in where.items()}
    return tuple(each for each in specimens() if all(getattr(each, name) in values for name, values in wanted.items()))
