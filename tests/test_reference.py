"""What the run says about the shared reference folder, with and without it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reference import Specimen, select_specimens, shared_folder

CHECKOUT = Path(__file__).resolve().parents[1]
LITTLE_SUITE = """
import pytest

@pytest.mark.golden("large-stock")
def test_whole_file(shared):
    assert shared.is_dir()

@pytest.mark.golden("small-flow")
@pytest.mark.specimens(format="sdmx-csv", version="2.0")
def test_specimen(specimen):
    assert specimen.path.is_file()

def test_excerpt():
    pass
"""


def run_little_suite(folder: Path, *, shared: str, workers: int) -> str:
    (folder / "test_little.py").write_text(LITTLE_SUITE, encoding="utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", CHECKOUT / "pyproject.toml", "--rootdir", folder),
            *("-p", "tests.conftest", "-p", "no:cacheprovider", "-n", str(workers), folder / "test_little.py"),
        ],
        cwd=CHECKOUT,
        env={**os.environ, "SDMX_SHARED": shared},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


@pytest.mark.parametrize("workers", [0, 2])
def test_without_the_folder_the_run_says_what_it_left_out(tmp_path: Path, workers: int) -> None:
    said = run_little_suite(tmp_path, shared="", workers=workers)
    assert "1 passed, 2 skipped" in said
    assert "shared reference folder absent: 2 tests left out" in said
    assert "golden cases left out on the whole files: large-stock, small-flow" in said


def test_with_the_folder_nothing_is_left_out(tmp_path: Path, shared: Path) -> None:
    said = run_little_suite(tmp_path, shared=str(shared), workers=0)
    expected = 2 + len(select_specimens(format="sdmx-csv", version="2.0"))
    assert f"{expected} passed" in said
    assert "left out" not in said


def test_a_wrong_folder_stops_the_run(tmp_path: Path) -> None:
    said = run_little_suite(tmp_path, shared=str(tmp_path / "nowhere"), workers=0)
    assert "holds no specimens/MANIFEST.csv" in said
    assert "passed" not in said


def test_an_empty_variable_means_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDMX_SHARED", "")
    assert shared_folder() is None


def test_specimens_are_there_as_the_manifest_says(specimens: tuple[Specimen, ...]) -> None:
    assert specimens
    assert [each.bytes for each in specimens] == [each.path.stat().st_size for each in specimens]


def test_specimens_are_selected_by_their_columns(shared: Path) -> None:
    found = select_specimens(format="sdmx-ml", version=("3.0", "3.1"), kind="structure")
    assert found
    assert {("sdmx-ml", "3.0", "structure"), ("sdmx-ml", "3.1", "structure")} == {
        (each.format, each.version, each.kind) for each in found
    }
