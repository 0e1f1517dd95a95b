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
def test_ours(case: Case, context: Context) -> None:
    found = case.runs["ours"](context)
    assert found.observations in (MANY, 5 * 33)
    assert found.cpu > 0 or case.group == "http"  # a server's clock ticks in hundredths
    assert found.wall > 0
    assert found.peak > 10


@pytest.mark.parametrize(
    ("who", "name"),
    [
        ("pysdmx", "write sdmx-csv-2.0"),
        ("pysdmx", "write sdmx-ml-2.1-generic"),
        ("pysdmx", "write sdmx-ml-3.0"),
        ("pysdmx", "read sdmx-csv-2.0"),
        ("pysdmx", "read sdmx-ml-2.1-structurespecific"),
        ("sdmx1", "write sdmx-ml-2.1-structurespecific"),
        ("sdmx1", "read sdmx-ml-2.1-structurespecific"),
        ("datasette", "one series, SDMX-JSON"),
        ("datasette", "export SDMX-CSV"),
    ],
)
@pytest.mark.filterwarnings("ignore")  # of the peers
def test_peers_do_the_same_rows(who: str, name: str, context: Context) -> None:
    assert named(name).runs[who](context).observations in (MANY, 5 * 33)


def test_the_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = tmp_path / "figures.json"
    status = main(
        [
            "--size",
            "330",
            "--only",
            "read",
            "--runs",
            "1",
            "--no-peers",
            "--folder",
            str(tmp_path),
            "--json",
            str(written),
        ]
    )
    assert status == 0
    said = capsys.readouterr().out
    assert "| read sdmx-csv-2.0" in said
    assert "not measured" in said
    figures = json.loads(written.read_text())
    assert figures["cases"]["read sdmx-csv-2.0"]["ours"]["observations"] == 330
    assert [path.name for path in tmp_path.iterdir()] == ["figures.json"]  # nothing is left behind
