"""Errors put into real files are found, and nothing is made up: the bounded version of ``make precision``."""

from __future__ import annotations

import ast
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from benchmarks.precision import messages
from benchmarks.precision.__main__ import scored
from benchmarks.precision.bound import Oddness
from benchmarks.precision.cells import Cell, Lazy, Line, Source, TextGrid
from benchmarks.precision.injecting import Copy, Plan, inject
from benchmarks.precision.judging import judge, known_defects
from benchmarks.precision.kinds import KINDS, Damage

pytestmark = [pytest.mark.timeout(300)]
TOP = Path(__file__).parents[2]
SOURCES = ("malta_pop1ctz", "malta_pop3ctb", "malta_flows", "malta_balance", "cfo_age", "cfo_countries",
           "cfo_occupation", "cfo_education", "mirror", "questionnaire", "estat_pop1ctz", "oecd_kor",
           "sdg_kgz")  # fmt: skip
NOT_HERE = {"aggregate_among_countries", "age_overlap", "self_pair", "direction_swapped", "wrong_area",
            "zero_for_mark", "mark_for_zero"}  # fmt: skip
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
    assert seen == {"injecting", "cells", "kinds", "sources", "messages", "bound"}


def test_the_same_seed_makes_the_same_errors(shared: Path, tmp_path: Path) -> None:
    plan = Plan(seed=3, kinds=("unit_slip", "text_in_number"), count=4, sources=("cfo_age", "malta_flows"))
    first, again = (inject(plan, shared / "data", tmp_path / name) for name in ("a", "b"))
    assert [one.errors for one in first] == [one.errors for one in again]
    assert [one.path.read_bytes() for one in first] == [one.path.read_bytes() for one in again]


def test_errors_that_are_no_odder_than_right_figures_are_counted_apart() -> None:
    error = {"kind": "digits_swapped", "note": "", "evidence": "none", "period": None, "cells": [[None, 3, ""]],
             "sums": [], "beside": [], "parts": [], "figures": ["5"]}  # fmt: skip
    finding = {"code": "V09", "severity": "error", "sheet": None, "row": 3, "column": "B", "key": {}, "message": "5"}
    score = judge(Path("x"), "x", [error | {"odder": 500}, error | {"odder": 3}, error | {"evidence": "sum"}], [])
    assert (score.contradicted, score.untold, score.untold_found, score.recall) == (1, 1, 0, 0)
    assert "can find 2 of 3" in " ".join(score.table())
    assert judge(Path("x"), "x", [error | {"odder": 500}], [finding]).untold_found == 1


def steps(*values: float) -> Source:
    """A series by year."""
    cells = [Cell(key=(("what", "x"),), period=str(2010 + n), value=value, line=Line([str(value)]), column=0)
             for n, value in enumerate(values)]  # fmt: skip
    return Source(name="x.csv", grid=TextGrid(lines=[one.line for one in cells], is_long=False), cells=cells)


def test_a_damaged_figure_is_as_odd_as_so_many_right_ones() -> None:
    right = (100, 110, 90, 500, 100, 105, 95, 110, 100)
    lazy = Lazy(name="x", make=lambda folder: steps(*right), folder=Path())
    damaged, oddness = lazy.copy(), Oddness()
    cell = damaged.cells[6]
    assert oddness.odder(lazy, damaged, [cell]) == 2  # as it is: 95 between 105 and 110; and 110 between 100 and 90
    damaged.grid.write(cell, "480")
    assert oddness.odder(lazy, damaged, [cell]) == 1
    damaged.grid.write(cell, "52000")
    assert oddness.odder(lazy, damaged, [cell]) == 0
    damaged.grid.write(cell, "no number")
    assert oddness.odder(lazy, damaged, [cell]) is None


def whole_and_part(value: float) -> Source:
    """A part and the total that it is the whole of."""
    lines = [Line([name, str(value)]) for name in ("part", "total")]
    cells = [Cell(key=(("what", line[0]),), period="2020", value=value, line=line, column=1) for line in lines]

    def sums(source: Source, cell: Cell) -> Iterator[Cell]:
        return (one for one in source.cells if cell.line[0] == "part" and one.line[0] == "total")

    return Source(name="x.csv", grid=TextGrid(lines=lines, is_long=True), cells=cells, sums=sums)


@pytest.mark.parametrize("kind", ["total_not_updated", "total_wrong"])
@pytest.mark.parametrize("value", [20.0, 21.0, 34.0, 50.0])
def test_what_changes_nothing_is_no_error(kind: str, value: float) -> None:
    done = 0
    for seed in range(40):
        source = whole_and_part(value)
        injected = KINDS[kind](Damage(source=source, chance=random.Random(seed)))
        if injected is not None:
            done += 1
            assert float(source.grid.text(injected.cells[0])) != value
    assert done == 40


def test_a_message_is_damaged_where_the_list_says(shared: Path, tmp_path: Path) -> None:
    """What is written into a cell stands in the file, at the place that the service names, and nowhere else."""
    folder = shared / "data"
    markup = messages.sdmx_ml(folder, "kg_16.2.2", "KG")
    cell = markup.cells[5]
    _, row, _ = markup.grid.place(cell)
    markup.grid.write(cell, "12O")
    markup.grid.save(tmp_path / "m.xml")
    before = (folder / "sdg/kg_16.2.2.xml").read_text("utf-8").split("\n")
    after = (tmp_path / "m.xml").read_text("utf-8").split("\n")
    assert [number for number, pair in enumerate(zip(before, after, strict=True), 1) if pair[0] != pair[1]] == [row]
    assert 'OBS_VALUE="12O"' in after[row - 1]

    flat = messages.sdmx_json(folder, "AUS_B14")
    cell = flat.cells[4]
    flat.grid.write(cell, "-7")
    flat.grid.save(tmp_path / "m.json")
    sent = json.loads((tmp_path / "m.json").read_bytes())
    *_, index = flat.grid.place(cell)[2].split("/")
    assert sent["data"]["dataSets"][0]["observations"][index][0] == -7

    cube = messages.json_stat(folder, "eurostat_migr_pop1ctz")
    first, second = [one for one in cube.cells if one.line not in cube.grid.sent["status"]][:2]
    row = cube.grid.place(second)[1]
    cube.grid.write(first, "")
    assert (cube.grid.place(first)[1], cube.grid.place(second)[1]) == (0, row - 1)


@pytest.mark.golden("Errors injected into real files")
@pytest.mark.parametrize("source", ["estat_pop1ctz", "oecd_aus", "sdg_kgz"])
def test_errors_in_messages_are_found_at_their_places(source: str, shared: Path, tmp_path: Path) -> None:
    kinds = ("sign_flipped", "text_in_number")
    copies = inject(Plan(seed=11, kinds=kinds, count=4, sources=(source,)), shared / "data", tmp_path)
    score = scored(copies, shared / "data")
    assert (score.recall, score.false, sum(score.injected.values())) == (1, [], 4), score.missed
