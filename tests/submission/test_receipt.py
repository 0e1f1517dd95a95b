"""Findings are kept whole, few or many, and come back as they were."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from sdmx_service.model.finding import FindingGroup
from sdmx_service.storage.port import Record
from sdmx_service.submission.receipt import (
    FileFacts,
    Receipt,
    load_findings,
    receipt_change,
    remove_findings,
    save_findings,
)
from tests.storage.backends import open_duckdb


def group(code: str, places: int) -> FindingGroup:
    numbers = range(places)
    table = pa.table(
        {
            "row": pa.array(numbers, pa.int64()),
            "sheet": pa.nulls(places, pa.string()),
            "value": [f"é{number % 7}" for number in numbers],
            "key.AREA": ["A"] * places,
        }
    )
    return FindingGroup.of(code, places=table, component="AREA", codelist="CL", expected="CL", file="f.csv")


def test_findings_come_back_as_they_were(tmp_path: Path) -> None:
    groups = [group("F401", 3), group("F402", 1_500), FindingGroup.of("F109"), group("F401", 2_345)]
    store = open_duckdb(tmp_path / "store.duckdb")
    try:
        facts = FileFacts(name="f.csv", sha256="", bytes=0, format="csv")
        receipt = Receipt(id="S1", status="refused", received_at="", provider=None, mapping=None, file=facts)
        store.record(Record(changes=(receipt_change(receipt),)))
        save_findings(store, "S1", groups)
        found = load_findings(store, "S1")
        remove_findings(store, "S1")
        assert load_findings(store, "S1") == ()
        assert list(store.file("findings:S1")) == []
    finally:
        store.close()
    assert [one.count for one in found] == [3, 1_500, 1, 2_345]
    for one, kept in zip(groups, found, strict=True):
        assert list(one.findings()) == list(kept.findings())
        assert (one.code, one.severity, one.template, one.constants) == (
            kept.code,
            kept.severity,
            kept.template,
            kept.constants,
        )
