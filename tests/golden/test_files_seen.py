"""Every file of the shared data folder goes in with its figures, or is refused for a reason that is true of it.

``docs/files-seen.md`` says so file by file; each line of it is compared with what happens now, and the figures with an
independent reading. ``python -m tests.golden.test_files_seen`` writes the page anew.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.loading import load_folder
from sdmx_service.model.message import Action
from sdmx_service.submission.reading import Wish, receive
from sdmx_service.submission.report import Report
from sdmx_service.submission.submit import SentFile, check
from tests.golden.seen import FILES, Figures, Seen
from tests.harness import ROOT
from tests.reference import shared_folder

PAGE = ROOT / "docs" / "files-seen.md"
FOLDERS = ("dyb", "eurostat", "flow", "national", "oecd", "sdg", "stock", "unhcr")
HEAD = """# Files seen

What becomes of real files of statistical offices and partner agencies, sent as they are. Every figure that goes in is the
one that stands in the file: number and sum are those of an independent reading (`tests/golden/seen.py`), which says too
which rows are meant. Rows that a mapping leaves out on purpose are told in the receipt with the reason (`F101`). The page
is made by `python -m tests.golden.test_files_seen`, and a test compares each line with what happens. Of a refused file the
last column says what an independent reading (`tests/golden/seen_refused.py`) finds in it, so that the reason can be held
against the file.

| File | What it is | Read by | Figures | Their sum | Rows left out |
|---|---|---|---|---|---|
"""
REFUSED = """
## Refused

| File | What it is | Refused by | Why | What stands in the file |
|---|---|---|---|---|
"""

pytestmark = [pytest.mark.timeout(300)]


@cache
def catalog() -> Catalog:
    return load_folder(ROOT).catalog()


def as_mapped(path: Path) -> Figures:
    """Number and sum of the figures that the program takes from a file."""
    count, total = 0, 0.0
    with path.open("rb") as file:
        found = receive(file, path.name, None, Wish(), catalog(), Report(), None)
        for part in found.parts:
            for batch in part.batches if part.action is not Action.DELETE else ():
                texts = batch.column("OBS_VALUE")
                figures = texts.filter(pc.invert(pc.is_in(texts, value_set=pa.array(["NaN", "#N/A"])))).drop_null()
                count += len(figures)
                total += pc.sum(figures.cast(pa.float64()), min_count=0).as_py()
    return count, total


def accepted_line(name: str, seen: Seen, path: Path) -> str:
    with path.open("rb") as file:
        outcome = check(SentFile(file=file, name=path.name), Wish(), catalog())
    assert not any(group.severity.value == "error" for group in outcome.groups), outcome.groups
    assert outcome.receipt.mapping == seen.mapping
    count, total = as_mapped(path)
    left = sum(group.count for group in outcome.groups if group.code == "F101")
    flows = ", ".join(flow.dataflow.partition(":")[2].partition("(")[0] for flow in outcome.receipt.dataflows)
    return f"| `{name}` | {seen.what} | `{seen.mapping}` to {flows} | {count} | {shown(total)} | {left} |"


def shown(total: float) -> str:
    return f"{total:.6f}".rstrip("0").rstrip(".")


def refused_line(name: str, seen: Seen, path: Path) -> str:
    assert seen.facts is not None
    with path.open("rb") as file:
        outcome = check(SentFile(file=file, name=path.name), Wish(), catalog())
    assert [(group.code, group.severity.value) for group in outcome.groups] == [("F111", "error")]
    assert (outcome.receipt.status, outcome.receipt.mapping) == ("refused", seen.mapping)
    return f"| `{name}` | {seen.what} | `{seen.mapping}` (`F111`) | {seen.why} | {seen.facts(path)} |"


def line(name: str, seen: Seen, data: Path) -> str:
    return (refused_line if seen.figures is None else accepted_line)(name, seen, data / name)


@pytest.mark.golden("every file of the data folder")
def test_the_table_has_every_file(shared: Path) -> None:
    there = {
        path.relative_to(shared / "data").as_posix() for part in FOLDERS for path in (shared / "data" / part).iterdir()
    }
    assert set(FILES) == there


@pytest.mark.parametrize("name", [name for name, seen in FILES.items() if seen.figures is not None])
def test_figures_equal_an_independent_reading(name: str, shared: Path) -> None:
    read = FILES[name].figures
    assert read is not None
    count, total = read(shared / "data" / name)
    found, sum_found = as_mapped(shared / "data" / name)
    assert count > 0
    assert (found, sum_found) == (count, pytest.approx(total, rel=1e-12))


@pytest.mark.parametrize("name", FILES)
def test_the_page_says_what_happens(name: str, shared: Path) -> None:
    assert line(name, FILES[name], shared / "data") in PAGE.read_text("utf-8").splitlines()


def test_the_page_says_nothing_else() -> None:
    lines = [one for one in PAGE.read_text("utf-8").splitlines() if one.startswith("| `")]
    assert [one.split("`")[1] for one in lines] == [
        *(name for name, seen in FILES.items() if seen.figures is not None),
        *(name for name, seen in FILES.items() if seen.figures is None),
    ]


def main() -> int:
    """Write the page."""
    folder = shared_folder()
    if folder is None:
        print("The shared reference folder is absent.", file=sys.stderr)
        return 2
    lines = {name: line(name, seen, folder / "data") for name, seen in FILES.items()}
    taken = [lines[name] for name, seen in FILES.items() if seen.figures is not None]
    refused = [lines[name] for name, seen in FILES.items() if seen.figures is None]
    PAGE.write_text(HEAD + "\n".join(taken) + "\n" + REFUSED + "\n".join(refused) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
