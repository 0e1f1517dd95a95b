"""Every case runs on a few rows; each one refuses to give a figure of wrong rows, so that running is the test."""

import json
from pathlib import Path

import pytest

from benchmarks import stores
from benchmarks.__main__ import main
from benchmarks.cases import CASES, Case, named
from benchmarks.context import Context

MANY = 33 * 40
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Context:
    made = Context(observations=MANY, folder=tmp_path_factory.mktemp("bench"), requests=5)
    named(stores.LOAD).runs["ours"](made)
    return made


@pytest.mark.parametrize("case", [case for case in CASES if not case.is_load], ids=lambda case: case.name)
@pytest.mark.filterwarnings("ignore")  # of the peers
def test_ours(case: Case, context: Context) -> None:
    found = case.runs["ours"](context)
    assert found.observations in (MANY, 5 * 33)
    assert found.cpu > 0 or case.group == "http"  # a server's clock ticks in hundredths
    assert found.wall > 0
    assert found.peak > 10


PEERS = [(case, who) for case in CASES for who in case.runs if who != "ours"]


@pytest.mark.parametrize(("case", "who"), PEERS, ids=lambda value: getattr(value, "name", value))
@pytest.mark.filterwarnings("ignore")  # of the peers
def test_peers_do_the_same_rows(case: Case, who: str, context: Context) -> None:
    assert case.runs[who](context).observations in (MANY, 5 * 33)


def test_the_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = tmp_path / "figures.json"
    status = main(["--size", "330", "--only", "store", "--runs", "1", "--requests", "3",
                   "--folder", str(tmp_path), "--json", str(written)])  # fmt: skip
    assert status == 0
    said = capsys.readouterr().out
    assert "| scan" in said
    assert "not measured" in said
    figures = json.loads(written.read_text())
    assert figures["cases"]["scan"]["ours"]["observations"] == 330
    assert [path.name for path in tmp_path.iterdir()] == ["figures.json"]  # nothing is left behind
