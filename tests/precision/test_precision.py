"""Errors put into real files are found, and nothing is made up: the bounded version of ``make precision``."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.precision.__main__ import scored
from benchmarks.precision.injecting import Copy, Plan, inject
from benchmarks.precision.judging import judge, known_defects
from benchmarks.precision.kinds import KINDS

pytestmark = [pytest.mark.timeout(300)]
TOP = Path(__file__).parents[2]
SOURCES = ("malta_pop1ctz", "malta_pop3ctb", "malta_flows", "malta_balance", "cfo_age", "cfo_countries",
           "cfo_occupation", "cfo_education", "mirror", "questionnaire")  # fmt: skip
NOT_HERE = {"aggregate_among_countries", "age_overlap", "self_pair", "direction_swapped", "wrong_area"}
"""Kinds that only the large files have a place for; ``make precision`` has them."""


@pytest.fixture(scope="module")
def copies(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Sequence[Copy]:
    plan = Plan(seed=77, kinds=tuple(name for name in KINDS if name not in NOT_HERE), count=60, sources=SOURCES)
    return inject(plan, shared / "data", tmp_path_factory.mktemp("damaged"))


@pytest.mark.golden("Errors injected into real files")
def test_injected_errors_are_found_and_nothing_else(copies: Sequence[Copy], shared: Path) -> None:
    score = scored(copies, shared / "data")
    told = "\n".join([*score.missed, *score.false, *score.table()])
    assert sum(score.injected.values()) >= 50, told
    assert score.recall >= 0.95, told
    assert score.false_share <= 0.02, told


@pytest.mark.golden("Errors injected into real files")
def test_without_errors_nothing_is_found_but_known_defects(copies: Sequence[Copy], shared: Path) -> None:
    name = "malta_demo_gind.csv"
    clean = Copy(path=shared / "data/eurostat" / name, source="malta_balance", name=name, errors=[])
    score = scored([clean], shared / "data")
    assert (score.false, score.told, score.known) == ([], 1, 1)
    assert known_defects(name) == {("V07", "A.470.2012")}


def test_a_miss_and_a_false_alarm_are_counted() -> None:
    error = {"kind": "unit_slip", "note": "", "evidence": "sum", "period": None, "cells": [[None, 3, ""]],
             "sums": [[None, 9, "B"]], "beside": [], "parts": [], "figures": ["5"]}  # fmt: skip
    finding = {"code": "V02", "severity": "error", "sheet": None, "row": 9, "column": "B", "key": {}, "message": "5"}
    assert judge(Path("x"), "x", [error], [finding]).recall == 1
    elsewhere = judge(Path("x"), "x", [error], [finding | {"row": 8}, finding | {"severity": "info"}])
    assert (elsewhere.recall, elsewhere.told, len(elsewhere.false), len(elsewhere.missed)) == (0, 1, 1, 1)
    assert judge(Path("x"), "x", [error], [finding | {"column": "C"}]).recall == 0


def test_the_injecting_program_knows_nothing_of_the_service() -> None:
    waiting, seen = ["injecting"], set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        tree = ast.parse((TOP / "benchmarks/precision" / f"{name}.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            named = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            named += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [one for one in named if one.startswith("sdmx_service")], name
            inner = [one.rpartition(".")[2] for one in named if one.startswith("benchmarks.precision")]
            waiting += [one for one in inner if one not in seen]
    assert seen == {"injecting", "cells", "kinds", "sources"}


def test_the_same_seed_makes_the_same_errors(shared: Path, tmp_path: Path) -> None:
    plan = Plan(seed=3, kinds=("unit_slip", "text_in_number"), count=4, sources=("cfo_age", "malta_flows"))
    first, again = (inject(plan, shared / "data", tmp_path / name) for name in ("a", "b"))
    assert [one.errors for one in first] == [one.errors for one in again]
    assert [one.path.read_bytes() for one in first] == [one.path.read_bytes() for one in again]
