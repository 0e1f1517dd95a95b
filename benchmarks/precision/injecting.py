"""Puts errors into copies of real files, and keeps a list of what was put where.

``python -m benchmarks.precision.injecting --seed 7 --out damaged`` writes the copies and ``injected.json``. It
knows the files and the kinds of errors; of the program under test it knows nothing.
"""

from __future__ import annotations

import argparse
import json
import random
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.precision.bound import Oddness
from benchmarks.precision.cells import Cell, Lazy, Source
from benchmarks.precision.kinds import KINDS, Damage, Injected
from benchmarks.precision.sources import sources

LARGE = 50_000
"""Cells from which on a file counts as large: it takes more errors, and is copied less often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be injected: how many errors of which kinds, into which sources, how many into one copy."""

    seed: int
    kinds: tuple[str, ...]
    count: int
    sources: tuple[str, ...] = ()
    small: int = 4
    large: int = 25
    anywhere: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A damaged copy and its errors as the list has them."""

    path: Path
    source: str
    name: str
    errors: list[dict[str, Any]]


def inject(plan: Plan, folder: Path, out: Path) -> list[Copy]:
    """Write damaged copies until ``count`` errors are placed, each kind as often as the others where it can be."""
    chance = random.Random(plan.seed)
    available = [one for one in sources(folder) if not plan.sources or one.name in plan.sources]
    out.mkdir(parents=True, exist_ok=True)
    quota = {
        name: plan.count // len(plan.kinds) + (n < plan.count % len(plan.kinds)) for n, name in enumerate(plan.kinds)
    }
    copies: list[Copy] = []
    oddness = Oddness()
    idle = 0
    while any(quota.values()) and idle < 4 * len(available):
        lazy = available[(len(copies) + idle) % len(available)]
        copy = _damaged(lazy, quota, plan, random.Random(chance.random()), out, len(copies), oddness)
        if copy is None:
            idle += 1
            continue
        idle = 0
        copies.append(copy)
    listed = [{"file": one.path.name, "source": one.source, "errors": one.errors} for one in copies]
    (out / "injected.json").write_text(json.dumps(listed, indent=1, ensure_ascii=False), encoding="utf-8")
    return copies


def _damaged(
    lazy: Lazy,
    quota: dict[str, int],
    plan: Plan,
    chance: random.Random,
    out: Path,
    number: int,
    oddness: Oddness,
) -> Copy | None:
    source = lazy.copy()
    damage = Damage(source=source, chance=chance, anywhere=plan.anywhere)
    done: list[Injected] = []
    room = plan.large if len(source.cells) >= LARGE else min(plan.small, max(1, len(source.cells) // 25))
    fitting = [name for name in quota if quota[name]]
    while fitting and len(done) < room:
        fitting = sorted((name for name in fitting if quota[name]), key=lambda name: (-quota[name], chance.random()))
        for name in list(fitting):
            if len(done) >= room:
                break
            if (injected := KINDS[name](damage)) is None:
                fitting.remove(name)
                continue
            done.append(injected)
            quota[name] -= 1
    if not done:
        return None
    path = out / f"{number:02}_{source.name}"
    source.grid.save(path)
    errors = [_listed(source, one) for one in done]
    for one, error in zip(done, errors, strict=True):
        error["odder"] = oddness.odder(lazy, source, one.cells) if one.evidence == "none" else None
    return Copy(path=path, source=lazy.name, name=source.name, errors=errors)


def _listed(source: Source, injected: Injected) -> dict[str, Any]:
    return {
        "kind": injected.kind, "note": injected.note, "evidence": injected.evidence, "period": injected.period,
        "cells": _places(source, injected.cells), "sums": _places(source, injected.sums),
        "beside": _places(source, injected.beside), "parts": _places(source, injected.parts),
        "lost": sorted({cell.period for cell in injected.cells if cell.period} | {injected.period or ""} - {""}),
        "figures": [source.grid.text(cell) for cell in injected.cells[:20] if cell.key],
    }  # fmt: skip


def _places(source: Source, cells: Iterable[Cell]) -> list[list[Any]]:
    found = dict.fromkeys(source.grid.place(cell) for cell in cells)
    return [list(place) for place in found if place[1] or place[2].startswith("/")]


def plan_of(arguments: argparse.Namespace) -> Plan:
    """The plan that the command line asks for.

    Raises:
        SystemExit: a kind that there is not.
    """
    kinds = tuple(arguments.kinds.split(",")) if arguments.kinds else tuple(KINDS)
    if unknown := set(kinds) - set(KINDS):
        raise SystemExit(f"No such kinds: {', '.join(sorted(unknown))}. There are: {', '.join(KINDS)}.")
    return Plan(
        seed=arguments.seed,
        kinds=kinds,
        count=arguments.count,
        sources=tuple(arguments.sources.split(",")) if arguments.sources else (),
        anywhere=arguments.anywhere,
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What a plan is made of."""
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, default=200, help="errors in all (200)")
    parser.add_argument("--kinds", default="", help="kinds, by comma; all")
    parser.add_argument("--sources", default="", help="files, by comma; all")
    parser.add_argument("--anywhere", action="store_true", help="also where nothing in the file contradicts the error")
    parser.add_argument("--shared", type=Path, required=True, help="the folder of real files")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the copies and say what is in them."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    parser.add_argument("--out", type=Path, required=True)
    parsed = parser.parse_args(arguments)
    copies = inject(plan_of(parsed), parsed.shared, parsed.out)
    for line in _told(copies):
        print(line)
    return 0


def _told(copies: Iterable[Copy]) -> Iterator[str]:
    for copy in copies:
        yield f"{copy.path.name}: {len(copy.errors)} errors, checksum {zlib.crc32(copy.path.read_bytes()):08x}"
        yield from (f"    {one['kind']}: {one['note']} ({one['evidence']})" for one in copy.errors)


if __name__ == "__main__":
    raise SystemExit(main())
