"""The demo data: small, sourced, and mapped by the mappings they name."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from tests.content.naive import read

TOP = Path(__file__).parents[2]
DEMO = TOP / "demo"
MANIFEST = json.loads((DEMO / "manifest.json").read_text(encoding="utf-8"))["files"]
LARGEST = 450_000
"""Bytes: the demo is to load in the blink of an eye."""


def test_every_file_is_listed_with_source_and_licence() -> None:
    listed = {entry["file"] for entry in MANIFEST}
    assert {path.name for path in DEMO.glob("*.csv")} == listed
    assert all(entry["source"] and entry["licence"] and entry["provider"] for entry in MANIFEST)
    readme = (DEMO / "README.md").read_text(encoding="utf-8")
    assert all(entry["file"] in readme for entry in MANIFEST)
    assert sum(path.stat().st_size for path in DEMO.iterdir()) < LARGEST


def test_every_file_reads_and_fits_its_dataflow() -> None:
    for entry in MANIFEST:
        path = DEMO / entry["file"]
        if "mapping" in entry:
            flows = {flow for flow, _ in read(path, TOP / "mappings" / entry["mapping"])}
        else:
            with path.open(encoding="utf-8", newline="") as file:
                flows = {row["STRUCTURE_ID"].split(":")[1].split("(")[0] for row in csv.DictReader(file)}
        if "dataflow" in entry:
            assert flows == {entry["dataflow"].split(":")[1]}
        assert flows
