"""Memory does not grow with a submission: messages of different size, each taken in by a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import flows
from benchmarks.large import write_large
from tests.harness import ROOT

pytestmark = [pytest.mark.memory, pytest.mark.timeout(600)]
CEILING = 600
"""MB of resident memory at most, with the memory that a service is given by default."""
SPREAD = 200
"""MB that a five times larger message may cost more: databases fill up to their limits first."""

SUBMIT = """
import json, sys
from pathlib import Path
from benchmarks.measuring import peak_memory
from sdmx_service.app.stores import open_store
from sdmx_service.auth import OPERATOR
from sdmx_service.catalog.library import Library
from sdmx_service.settings import Settings
from sdmx_service.submission.reading import Wish
from sdmx_service.submission.submit import SentFile, submit

path, folder, provider = sys.argv[1:]
settings = Settings(data=Path(folder))
store = open_store(settings)
library = Library(store)
library.fill(settings.content)
with open(path, "rb") as file:
    sent = SentFile(file=file, name="large.xml")
    receipt = submit(sent, Wish(provider=provider), library, OPERATOR, memory=settings.workspace_memory)
print(json.dumps({"status": receipt.status, "observations": receipt.dataflows[0].observations, "peak": peak_memory()}))
store.close()
"""


def submitted(folder: Path, size: int, *, is_flat: bool) -> float:
    """Peak memory (MB) of submitting a message of that many bytes."""
    path = folder / f"{size}.xml"
    observations = write_large(path, size, is_flat=is_flat)
    command = [sys.executable, "-c", SUBMIT, str(path), str(folder / str(size)), flows.PROVIDER]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=500)
    assert done.returncode == 0, done.stderr
    found = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    assert (found["status"], found["observations"]) == ("accepted", observations)
    return float(found["peak"])


@pytest.mark.parametrize("is_flat", [False, True])
def test_a_submission_of_any_size_stays_below_the_ceiling(tmp_path: Path, is_flat: bool) -> None:
    small, large = (submitted(tmp_path, size, is_flat=is_flat) for size in (20_000_000, 100_000_000))
    assert large < CEILING
    assert large - small < SPREAD, (small, large)
