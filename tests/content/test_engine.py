"""The program reads the excerpts as the plain reading does, and says about them what is known to be wrong in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.loading import load_folder
from sdmx_service.model.columns import COLUMN, ROW, SHEET
from sdmx_service.model.finding import Severity
from sdmx_service.submission.reading import Wish, receive
from sdmx_service.submission.report import Report
from sdmx_service.submission.submit import SentFile, check
from tests.content.naive import Row, read

TOP = Path(__file__).parents[2]
EXCERPTS = TOP / "tests" / "golden" / "excerpts"
KNOWN = {
    "undesa_ims2024.csv": ("DESA_STOCK_OD", []),
    "malta_demo_gind.csv": ("ESTAT_DEMO_GIND", [("V07", 16, "4963")]),  # 2012: 1,045 more than its parts
    "malta_migr_flows.csv": ("ESTAT_FLOW_CTZ", []),
    "malta_migr_pop1ctz.csv": ("ESTAT_CTZ", []),
    "malta_births_deaths_ctz.csv": ("ESTAT_CTZ", []),
    "malta_migr_pop3ctb.csv": ("ESTAT_CTB", []),
    "malta_census2021.csv": ("ESTAT_CENSUS", [("V04", 8, "519564")]),
    "eurostat_imm5prv_by_age.csv": ("IMM5PRV_AGE", [("V03", 97, "2936")]),
    "mirror_flows_eurostat_2010_2019.csv": ("MIRROR_FLOWS", []),
    "un_flows2015_canada.xlsx": ("UNFLOWS_CTZ", []),
    "destatis_wanderungen_2018.xlsx": (
        "DESTATIS_WANDERUNGEN",
        [
            ("V04", 44, "160598"), ("V04", 44, "56133"), ("V17", 7, None), ("V17", 7, None),
            ("V21", 38, "56"), ("V21", 39, "1"), ("V21", 10, "4"), ("V21", 10, "78"), ("V21", 11, "2"),
            ("V21", 11, "362"),
        ],
    ),
}  # fmt: skip
"""Mapping that recognises the file, and the warnings: rule, row of the sender's sheet, figure."""


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """The content of this project."""
    return load_folder(TOP).catalog()


def whole(row: Row) -> frozenset[tuple[str, str]]:
    """A row without what it does not say."""
    return frozenset((name, text) for name, text in row.items() if text is not None)


@pytest.mark.parametrize("name", KNOWN)
def test_program_reads_what_the_plain_reading_reads(name: str, catalog: Catalog) -> None:
    mapping, _ = KNOWN[name]
    report = Report()
    with (EXCERPTS / name).open("rb") as file:
        received = receive(file, name, None, Wish(), catalog, report, None)
        actual = {
            (part.dataflow.id, whole(row))
            for part in received.parts
            for batch in part.batches
            for row in batch.drop_columns([ROW, COLUMN, SHEET]).to_pylist()
        }
    expected = {(flow, whole(row)) for flow, row in read(EXCERPTS / name, TOP / "mappings" / mapping)}
    assert received.layout is not None
    assert received.layout.id == mapping
    assert actual == expected
    assert not report.has_errors


@pytest.mark.parametrize("name", KNOWN)
def test_findings_are_the_known_ones(name: str, catalog: Catalog) -> None:
    with (EXCERPTS / name).open("rb") as file:
        outcome = check(SentFile(file=file, name=name), Wish(), catalog)
    findings = [finding for group in outcome.groups for finding in group.findings()]
    warnings = [(one.code, one.row, one.value) for one in findings if one.severity is Severity.WARNING]
    assert [one.message for one in findings if one.severity is Severity.ERROR] == []
    assert warnings == KNOWN[name][1]
