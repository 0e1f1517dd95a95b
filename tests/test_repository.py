"""The repository itself: lock files, targets, the built wheel, and what must not stand in any file."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).resolve().parents[1]
CONTENT = ("dsd", "codelists", "mappings", "demo")
LOCKS = ("requirements.lock", "requirements-dev.lock")
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))


def locked(name: str) -> dict[str, set[str]]:
    """Return distribution -> versions (several where Python versions differ) of a lock file."""
    versions: dict[str, set[str]] = {}
    for found in re.finditer(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", (CHECKOUT / name).read_text(), re.MULTILINE):
        versions.setdefault(canonicalize_name(found[1]), set()).add(found[2])
    return versions


def required(*lists: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(each).name) for requirements in lists for each in requirements}


def source_files() -> list[Path]:
    """Return the text files that belong to the repository, outside of what building leaves behind."""
    kept = ("sdmx_service", "tests", "benchmarks", "docs", ".ci", *CONTENT)
    listed = [path for folder in kept for path in (CHECKOUT / folder).rglob("*") if path.is_file()]
    listed += [path for path in CHECKOUT.iterdir() if path.is_file()]
    return [
        path for path in listed if path.suffix in {"", ".py", ".md", ".toml", ".yml", ".yaml", ".lock", ".csv", ".html"}
    ]


def test_the_locks_hold_what_the_project_asks_for() -> None:
    backend = PROJECT["dependency-groups"]["build"]
    run_time = required(PROJECT["project"]["dependencies"], backend, PROJECT["build-system"]["requires"])
    development = required(PROJECT["project"]["optional-dependencies"]["dev"])
    assert run_time - locked("requirements.lock").keys() == set()
    assert (run_time | development) - locked("requirements-dev.lock").keys() == set()


def test_both_locks_pin_the_same_versions() -> None:
    development = locked("requirements-dev.lock")
    assert {name: development.get(name) for name in locked("requirements.lock")} == locked("requirements.lock")


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_hashes_and_no_address(name: str) -> None:
    text = (CHECKOUT / name).read_text(encoding="utf-8")
    assert "://" not in text
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_every_target_says_what_it_does() -> None:
    said = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=True
    )
    targets = set(re.findall(r"^\.PHONY: (\S+)", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"help", "demo", "test", "check", "bench", "lock", "clean", "dist"} <= targets
    assert set(re.findall(r"^  make (\S+)", said.stdout, re.MULTILINE)) == targets


def test_no_file_names_a_place_of_one_machine() -> None:
    places = re.compile("|".join((r"(?<![\w.])/wor[k]/", r"(?<![\w.$}])/tm[p]/", r"(?<![\w.])/roo[t]/", r"/hom[e]/")))
    assert [str(path) for path in source_files() if places.search(path.read_text(encoding="utf-8"))] == []


def test_no_word_of_the_subject_stands_in_the_program() -> None:
    words = re.compile(
        r"migrant|migratory|immigra|emigra|(international|net) migration|foreign-born|refugee|asylum|citizenship",
        re.IGNORECASE,
    )
    program = [
        path for path in (CHECKOUT / "sdmx_service").rglob("*") if path.suffix in {".py", ".html", ".sql", ".js"}
    ]
    found = [
        f"{path.relative_to(CHECKOUT)}:{number}: {line.strip()}"
        for path in program
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if words.search(line)
    ]
    assert found == []


def test_service_and_container_agree_on_the_port_and_the_user() -> None:
    compose = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text(encoding="utf-8"))
    image = (CHECKOUT / "Dockerfile").read_text(encoding="utf-8")
    assert "EXPOSE 8080" in image
    assert re.search(r"^USER (?!root)", image, re.MULTILINE)
    assert "/health/live" in image
    assert "8080" in compose["services"]["service"]["command"]
    assert compose["services"]["service"]["ports"][0].startswith("127.0.0.1:")


def test_the_wheel_holds_the_program_and_its_content(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, CHECKOUT],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        held = set(wheel.namelist())
    expected = {
        f"sdmx_service/_content/{path.relative_to(CHECKOUT).as_posix()}"
        for folder in CONTENT
        for path in (CHECKOUT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {folder for folder in CONTENT if not (CHECKOUT / folder).is_dir()} == set()
    assert expected - held == set()
    assert {name.split("/")[0] for name in held} == {
        "sdmx_service",
        next(n for n in held if n.endswith("/METADATA")).split("/")[0],
    }


@pytest.mark.parametrize(
    ("module", "unloaded"),
    [
        ("sdmx_service.cli", {"aiohttp", "duckdb", "lxml", "numpy", "pyarrow"}),
        ("sdmx_service.app.application", {"highspy", "jsonschema", "openpyxl", "pandas"}),
    ],
)
def test_what_is_seldom_used_is_loaded_when_it_is(module: str, unloaded: set[str]) -> None:
    code = f"import sys, {module}; print(*sorted({unloaded!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
