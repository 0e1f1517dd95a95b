"""``python -m benchmarks``: every case in a process of its own, we and the peers by turns, medians in a table."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import cases, flows, report, stores
from benchmarks.cases import Case
from benchmarks.context import Context
from benchmarks.measuring import Figure

ROOT = Path(__file__).resolve().parent.parent
_SECONDS = 1800
"""A case is given up after that."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for, print table and goals; 1 if a measured goal is not met or a case failed."""
    asked = _parser().parse_args(arguments)
    if asked.case is not None:
        return _one(asked)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmarks-", dir=asked.folder)))
        asked.store = stack.enter_context(_postgres(asked.store))
        measured = _measure(asked, folder)
    print(_heading(asked))
    print(report.table(measured))
    found = report.goals(measured)
    print("\nGoals")
    for goal in found:
        print(f"  {goal}")
    if asked.json is not None:
        _save(asked, measured, asked.json)
    failed = [case.name for case, figures in measured if "ours" not in figures]
    if failed:
        print(f"\nFailed, and without a figure: {', '.join(failed)}")
    return 1 if failed or any(goal.is_met is False for goal in found) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the service and its peers.")
    parser.add_argument("--size", default="1M", help=f"observations: {', '.join(flows.SIZES)} or a number")
    parser.add_argument("--only", default=",".join(cases.GROUPS), help="groups, separated by commas")
    parser.add_argument("--store", help="postgresql://... of an empty database, or 'postgresql' to start a server")
    parser.add_argument("--runs", type=int, default=3, help="how often each case is done; medians are printed")
    parser.add_argument("--requests", type=int, default=300, help="single queries per run")
    parser.add_argument("--no-peers", action="store_true", help="measure the service alone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there too")
    parser.add_argument("--folder", type=Path, help="where temporary files go (a few GB at 10M)")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument("--who", help=argparse.SUPPRESS)
    return parser


def _heading(asked: argparse.Namespace) -> str:
    where = "PostgreSQL" if asked.store else "DuckDB"
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    return f"{datetime.now(UTC):%Y-%m-%d}, {machine}, store {where}, size {asked.size}, medians of {asked.runs} runs\n"


# --- one case in this process ---------------------------------------------------------------------------------------
def _one(asked: argparse.Namespace) -> int:
    context = Context(
        observations=_observations(asked.size), folder=asked.folder, store=asked.store, requests=asked.requests
    )
    figure = cases.named(asked.case).runs[asked.who](context)
    print(json.dumps(asdict(figure)))
    return 0


def _observations(size: str) -> int:
    return flows.SIZES.get(size) or int(size)


# --- all cases ------------------------------------------------------------------------------------------------------
def _measure(asked: argparse.Namespace, folder: Path) -> list[tuple[Case, report.Figures]]:
    groups = asked.only.split(",")
    if unknown := set(groups) - set(cases.GROUPS):
        raise SystemExit(f"There is no group {', '.join(sorted(unknown))}; there are {', '.join(cases.GROUPS)}.")
    chosen = [case for case in cases.CASES if case.group in groups and not (asked.store and case.is_embedded)]
    if "http" in groups and "store" not in groups:
        chosen.insert(0, cases.named(stores.LOAD))
    return [(case, _medians(case, asked, folder)) for case in chosen]


def _medians(case: Case, asked: argparse.Namespace, folder: Path) -> dict[str, Figure]:
    """The medians of a case: run by run, and in each run we and the peers by turns."""
    who = ["ours"] if asked.no_peers else list(case.runs)
    found: dict[str, list[Figure]] = {one: [] for one in who}
    for _ in range(1 if case.is_load else asked.runs):
        for one in who:
            figure = _process(case, one, asked, folder)
            if figure is not None:
                found[one].append(figure)
            elif case.is_load:
                raise SystemExit("Without a store there is nothing more to measure.")
    return {one: report.middle(figures) for one, figures in found.items() if figures}


def _process(case: Case, who: str, asked: argparse.Namespace, folder: Path) -> Figure | None:
    """One run in a process of its own; None if it failed, after saying why."""
    size = case.observations(who, _observations(asked.size))
    words = ["--case", case.name, "--who", who, "--size", str(size), "--folder", str(folder)]
    words += ["--requests", str(asked.requests), *(["--store", asked.store] if asked.store else [])]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *words],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    if done.returncode:
        print(f"{case.name}, {who}: FAILED\n{done.stderr[-4000:]}", file=sys.stderr, flush=True)
        return None
    figure = Figure(**json.loads(done.stdout.splitlines()[-1]))
    waits = f", p50 {figure.p50:.1f} ms" if figure.p50 is not None else ""
    print(f"{case.name}, {who}: CPU {figure.cpu:.2f} s, peak {figure.peak:.0f} MB{waits}", file=sys.stderr, flush=True)
    return figure


@contextmanager
def _postgres(store: str | None) -> Iterator[str | None]:
    """The address of the store; a server of our own where only ``postgresql`` was said."""
    if store != "postgresql":
        yield store
        return
    from tests.postgres_server import running_postgres

    with running_postgres() as server:
        yield server.create_database("benchmarks")


def _save(asked: argparse.Namespace, measured: Sequence[tuple[Case, report.Figures]], path: Path) -> None:
    document = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "cores": os.cpu_count(),
        "size": asked.size,
        "runs": asked.runs,
        "store": "PostgreSQL" if asked.store else "DuckDB",
        "cases": {case.name: {who: asdict(one) for who, one in figures.items()} for case, figures in measured},
    }
    path.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
