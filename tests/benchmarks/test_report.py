"""Medians, ratios, goals and their words."""

from typing import Any

import pytest

from benchmarks import cases, report
from benchmarks.measuring import Figure, percentile


def figure(**changed: Any) -> Figure:
    return Figure(**{"observations": 1_000_000, "cpu": 1.0, "wall": 2.0, "peak": 100.0, **changed})


def test_each_number_is_the_median_of_its_own() -> None:
    runs = [figure(cpu=3.0, wall=1.0, p50=5.0), figure(cpu=1.0, wall=9.0, p50=7.0), figure(cpu=2.0, wall=4.0, p50=6.0)]
    found = report.middle(runs)
    assert (found.cpu, found.wall, found.p50, found.p99) == (2.0, 4.0, 6.0, None)


@pytest.mark.parametrize(("share", "expected"), [(0.5, 51), (0.99, 100), (0.0, 1), (1.0, 100)])
def test_percentile(share: float, expected: int) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], share) == expected


def test_a_ratio_is_per_observation() -> None:
    case = cases.named("write sdmx-ml-3.0")
    assert report.ratio(case, figure(cpu=1.0), figure(cpu=2.5, observations=100_000)) == pytest.approx(25)
    latency = cases.named("one series, SDMX-CSV")
    assert report.ratio(latency, figure(p50=4.0), figure(p50=2.0)) == pytest.approx(0.5)


def goal(measured: list[tuple[cases.Case, dict[str, Figure]]], begin: str) -> report.Goal:
    return next(one for one in report.goals(measured) if one.text.startswith(begin))


@pytest.mark.parametrize(("cpu", "met"), [(21.0, True), (19.0, False)])
def test_a_writing_goal(cpu: float, met: bool) -> None:
    measured = [(cases.named("write sdmx-ml-3.0"), {"ours": figure(), "pysdmx": figure(cpu=cpu)})]
    assert goal(measured, "write sdmx-ml-3.0").is_met is met


def test_the_export_goals_are_about_ten_million() -> None:
    case = cases.named("export SDMX-CSV")
    for observations, private, met in ((1_000_000, 400, None), (10_934_550, 299, True), (10_934_550, 301, False)):
        one = figure(observations=observations, anonymous=float(private))
        assert goal([(case, {"ours": one})], "export SDMX-CSV of 10 M observations with").is_met is met
    for observations, cpu, met in ((1_000_000, 0.1, None), (10_934_550, 2.7, True), (10_934_550, 2.8, False)):
        one = figure(observations=observations, cpu=cpu)
        assert goal([(case, {"ours": one})], "export SDMX-CSV of 10 M observations at").is_met is met


def test_the_availability_goal() -> None:
    case = cases.named("availability over HTTP")
    for observations, wait, met in ((1_000_000, 1.0, None), (10_934_550, 49.0, True), (10_934_550, 51.0, False)):
        one = figure(observations=observations, p50=wait)
        assert goal([(case, {"ours": one})], "availability over HTTP").is_met is met


def test_what_was_not_measured_is_said() -> None:
    assert {one.is_met for one in report.goals([])} == {None}
    assert all(str(one).startswith("not measured") for one in report.goals([]))


def test_the_table_has_a_line_for_everybody() -> None:
    measured = [(cases.named("write sdmx-ml-3.0"), {"ours": figure(), "pysdmx": figure(cpu=40.0)})]
    lines = report.table(measured).splitlines()
    assert len(lines) == 4
    assert len({len(line) for line in lines}) == 1
    assert "40.0x" in lines[3]
