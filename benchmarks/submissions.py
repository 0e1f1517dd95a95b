"""A file's whole way in: from its bytes to the published release, stage by stage; pysdmx's reading alone beside it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks import flows
from benchmarks.context import Context
from benchmarks.files import Run, read_pysdmx, source
from benchmarks.measuring import Figure, anonymous_memory, measure, peak_memory, reset_peak
from benchmarks.stores import selection
from sdmx_service.app.memory import choose_memory
from sdmx_service.app.stores import open_store
from sdmx_service.auth import Principal
from sdmx_service.catalog.library import Library
from sdmx_service.settings import Settings
from sdmx_service.storage.sql_store import SqlStore
from sdmx_service.storage.staging import StagedLoad
from sdmx_service.submission import submit as submission
from sdmx_service.submission.reading import Wish
from sdmx_service.submission.validation import Validator
from sdmx_service.submission.workspace import Workspace
from sdmx_service.workflow.sending import send

FORMATS = {"SDMX-CSV 2.1": "sdmx-csv-2.1", "SDMX-ML 3.1": "sdmx-ml-3.1"}
SECONDS, MEGABYTES = 4, 500
"""The goals at one million observations: wall clock on two cores, peak resident memory."""

_ROOT = Path(__file__).resolve().parent.parent
_STAGES: tuple[tuple[str, Any, str], ...] = (
    ("check values", Validator, "check"),
    ("check values", Validator, "finish"),
    ("into the workspace", Workspace, "add"),
    ("duplicates", submission, "report_duplicates"),
    ("rules", submission, "run_rules"),
    ("stage", StagedLoad, "append"),
    ("stage", StagedLoad, "keep"),
    ("keep findings", submission, "save_findings"),
    ("publish", SqlStore, "publish"),
)
"""Name of a stage, and what is done in it. The rest is waiting for the reader, and small things."""


class Stages:
    """Wall clock, processor seconds and highest private memory of each stage, while the block runs.

    What other threads do meanwhile (reading ahead, keeping the file) counts in the processor seconds of the stage
    beside which it runs.
    """

    def __init__(self) -> None:
        self.found: dict[str, tuple[float, float, float]] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Time the calls in the block."""
        with ExitStack() as stack:
            for name, owner, method in _STAGES:
                stack.enter_context(patch.object(owner, method, self._timed(name, getattr(owner, method))))
            yield

    def _timed(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            begun, cpu = time.perf_counter(), time.process_time()
            try:
                return work(*arguments, **named)
            finally:
                before = self.found.get(name, (0.0, 0.0, 0.0))
                spent = time.perf_counter() - begun, time.process_time() - cpu
                memory = max(before[2], anonymous_memory())
                self.found[name] = (before[0] + spent[0], before[1] + spent[1], memory)

        return run

    def told(self, cpu: float, wall: float) -> str:
        """Per stage wall clock and processor seconds and private MB; ``read`` is what no other stage took."""
        rest = wall - sum(one[0] for one in self.found.values()), cpu - sum(one[1] for one in self.found.values())
        parts = [f"read and the rest {rest[0]:.2f}/{rest[1]:.2f} s"]
        parts += [f"{name} {one[0]:.2f}/{one[1]:.2f} s, {one[2]:.0f} MB" for name, one in self.found.items()]
        return "wall/CPU: " + "; ".join(parts)


def submit_ours(format: str, calm: bool, context: Context) -> Figure:
    """Submit a file and publish it: recognised, read, checked, staged, published, the pointer moved.

    The store is new and has the content loaded; file and store are made by another process, so that the peak is that
    of this one's work.
    """
    path = _made(context, "source", format, calm, context.file(f"{'calm-' * calm}{format}"))
    folder = context.folder / f"submitted-{format}"
    shutil.rmtree(folder, ignore_errors=True)
    _made(context, "store", format, calm, folder)
    try:
        return _submitted(path, folder, calm, context)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _submitted(path: Path, folder: Path, calm: bool, context: Context) -> Figure:
    choose_memory()  # as the service does
    stages, me = Stages(), Principal(id="benchmark", role="administrator")
    store = open_store(Settings(data=folder))
    try:
        library = Library(store)
        catalog = library.view().catalog
        catalog.parents(catalog.named(flows.DATAFLOW, "Dataflow"))  # what a service has in memory
        start = anonymous_memory()
        reset_peak()

        def work() -> Any:
            with path.open("rb") as file:
                sent = submission.SentFile(file=file, name=path.name)
                wish = Wish(provider=flows.PROVIDER)
                memory = Settings().workspace_memory
                return send(sent, wish, library, me, publish_now=True, memory=memory)

        with stages.watching():
            receipt, cpu, wall = measure(work)
        peak = peak_memory()
        if receipt.status != "published":
            raise AssertionError(f"The submission is {receipt.status}: {receipt.findings}")
        chosen = selection(store)
        context.require(flows.digest(store.scan(chosen, store.domains(chosen))), path.name, calm=calm)
    finally:
        store.close()
    found = ", ".join(f"{count} {severity}" for severity, count in receipt.findings.items() if count) or "nothing"
    note = f"{stages.told(cpu, wall)}; {start:.0f} MB before; found {found}"
    private = max(one[2] for one in stages.found.values())
    return Figure(
        observations=context.observations,
        cpu=cpu,
        wall=wall,
        peak=peak,
        anonymous=private,
        size=path.stat().st_size,
        note=note,
    )


def read_peer(format: str, calm: bool, context: Context) -> Figure:
    """Read the same file with pysdmx, nothing else."""
    _made(context, "source", format, calm, context.file(f"{'calm-' * calm}{format}"))
    return read_pysdmx(format, context, calm=calm)


# --- what another process makes -------------------------------------------------------------------------------------
def _made(context: Context, what: str, format: str, calm: bool, path: Path) -> Path:
    """The file or the store's folder."""
    words = [what, format, "calm" if calm else "", str(context.observations), str(context.folder), str(path)]
    command = [sys.executable, "-m", "benchmarks.submissions", *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=_ROOT)
    return Path(done.stdout.splitlines()[-1])


def _make(what: str, format: str, calm: str, observations: str, folder: str, path: str) -> Path:
    if what == "source":
        context = Context(observations=int(observations), folder=Path(folder))
        context.expected(calm=bool(calm))
        return source(context, format, calm=bool(calm))
    store = open_store(Settings(data=Path(path)))
    try:
        Library(store).fill(Settings().content)
    finally:
        store.close()
    return Path(path)


RUNS: dict[str, dict[str, Run]] = {
    f"submit {name}": {"ours": partial(submit_ours, format, True), "pysdmx": partial(read_peer, format, True)}
    for name, format in FORMATS.items()
} | {"submit SDMX-CSV 2.1, something wrong everywhere": {"ours": partial(submit_ours, "sdmx-csv-2.1", False)}}


if __name__ == "__main__":
    print(_make(*sys.argv[1:]))
