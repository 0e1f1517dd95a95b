"""Memory does not grow with the answer: two exports of different size, each in a process of its own, under one ceiling."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import generator
from sdmx_service.model.message import Action
from sdmx_service.storage.duckdb_store import DuckDBStore
from sdmx_service.storage.port import StagedPart
from tests.harness import ROOT

pytestmark = [pytest.mark.memory, pytest.mark.timeout(300)]
CEILING = 600
"""MB of resident memory at most."""
SPREAD = 150
"""MB that a ten times larger answer may cost more."""

EXPORT = """
import json, sys
from pathlib import Path
from benchmarks import generator
from sdmx_service.formats.registry import named
from sdmx_service.model.message import Dataset, Message, WriteOptions
from sdmx_service.model.selection import Cube, Selection
from sdmx_service.storage.duckdb_store import DuckDBStore

structure = generator.structure()
store = DuckDBStore(Path(sys.argv[1]), memory_limit="400MB")
selection = Selection(structure=structure, cube=Cube.of(structure), context="datastructure", release=1)
domains = store.domains(selection)
dataset = Dataset(structure=structure, ref=structure.ref, batches=store.scan(selection, domains), domains=domains)
lines = sum(chunk.count(b"\\n") for chunk in named("sdmx-csv-2.1").write(Message(datasets=[dataset]), WriteOptions()))
status = Path("/proc/self/status").read_text()  # ru_maxrss would count the process that started this one
peak = next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM"))
print(json.dumps({"lines": lines, "peak": peak}))
"""


def export(folder: Path, observations: int) -> dict[str, int]:
    """Lines and peak memory (MB) of exporting that many observations as SDMX-CSV."""
    path = folder / f"{observations}.duckdb"
    structure = generator.structure()
    store = DuckDBStore(path)
    store.migrate()
    store.open_cube(structure)
    part = StagedPart(
        structure=structure, dataflow=generator.DATAFLOW, provider=generator.PROVIDER, action=Action.MERGE
    )
    load = store.stage("S1")
    for batch in generator.batches(observations):
        load.append(part, batch)
    load.keep()
    store.publish(["S1"])
    store.close()
    done = subprocess.run(
        [sys.executable, "-c", EXPORT, str(path)], capture_output=True, text=True, cwd=ROOT, timeout=200
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, int] = json.loads(done.stdout)
    assert found["lines"] == observations + 1
    return found


def test_an_export_of_any_size_stays_below_the_ceiling(tmp_path: Path) -> None:
    small, large = export(tmp_path, 200_000), export(tmp_path, 2_000_000)
    assert large["peak"] < CEILING
    assert large["peak"] - small["peak"] < SPREAD, (small, large)
