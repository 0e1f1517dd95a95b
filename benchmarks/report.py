"""What was measured as a table, and which goals are met."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks import submissions
from benchmarks.cases import Case
from benchmarks.measuring import Figure

Figures = Mapping[str, Figure]
"""Who -> the median figure of a case."""


def middle(figures: Sequence[Figure]) -> Figure:
    """The median of each number of several runs."""
    first = figures[0]

    def latency(name: str) -> float | None:
        values = [value for one in figures if (value := getattr(one, name)) is not None]
        return median(values) if values else None

    return Figure(
        observations=first.observations,
        cpu=median(one.cpu for one in figures),
        wall=median(one.wall for one in figures),
        peak=median(one.peak for one in figures),
        anonymous=median(one.anonymous for one in figures),
        size=int(median(one.size for one in figures)),
        p50=latency("p50"),
        p99=latency("p99"),
        note=first.note,
    )


def ratio(case: Case, ours: Figure, peer: Figure) -> float:
    """How many times as long the peer takes: per observation, or per request."""
    if case.by == "p50" and ours.p50 and peer.p50:
        return peer.p50 / ours.p50
    return (peer.cpu / peer.observations) / max(ours.cpu / ours.observations, 1e-12)


# --- the table ------------------------------------------------------------------------------------------------------
HEADINGS = (
    "case",
    "who",
    "obs",
    "CPU s",
    "wall s",
    "M obs/s",
    "peak MB",
    "private MB",
    "p50 ms",
    "p99 ms",
    "ratio",
    "note",
)


def rows(measured: Iterable[tuple[Case, Figures]]) -> list[tuple[str, ...]]:
    """The lines of the table: ours, and below it each peer with its ratio."""
    found = []
    for case, figures in measured:
        for who, one in figures.items():
            times = f"{ratio(case, figures['ours'], one):.1f}x" if who != "ours" and "ours" in figures else ""
            found.append((case.name, who, *_numbers(one), times, one.note))
    return found


def _numbers(one: Figure) -> tuple[str, ...]:
    return (
        f"{one.observations:,}",
        f"{one.cpu:.2f}",
        f"{one.wall:.2f}",
        f"{one.observations / max(one.wall, 1e-9) / 1e6:.2f}",
        f"{one.peak:.0f}",
        f"{one.anonymous:.0f}" if one.anonymous else "",
        *("" if value is None else f"{value:.1f}" for value in (one.p50, one.p99)),
    )


def table(measured: Iterable[tuple[Case, Figures]]) -> str:
    """The table in Markdown."""
    lines = [HEADINGS, *rows(measured)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(HEADINGS))]
    texts = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    texts.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(texts)


# --- the goals ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A goal and what was found; ``is_met`` is None where it was not measured at the size it is about."""

    text: str
    found: str
    is_met: bool | None

    def __str__(self) -> str:
        """One line."""
        word = {True: "met", False: "NOT MET", None: "not measured"}[self.is_met]
        return f"{word:12}  {self.text}" + (f": {self.found}" if self.found else "")


_EXPORT_MB, _EXPORT_OBSERVATIONS = 300, 10_000_000
_EXPORT_RATES = {
    "SDMX-CSV": 4.0,
    "SDMX-JSON 2.1": 4.0,
    "SDMX-ML 3.1": 4.0,
    "SDMX-ML 2.1 structure-specific": 4.0,
    "SDMX-ML 2.1 generic": 2.5,
    "Parquet": 8.0,
}
"""Millions of observations per CPU second of the server."""
_SERIES_MS, _AVAILABILITY_MS = 10, 50
_TIMES = {"csv": 3, "ml": 20}
_SUBMITTED = 1_000_000


def goals(measured: Iterable[tuple[Case, Figures]]) -> list[Goal]:
    """The goals of the project, met or not."""
    known = {case.name: (case, figures) for case, figures in measured}
    found = [_memory_goal(known, f"export {name}") for name in (*_EXPORT_RATES, "SDMX-CSV, gzip")]
    found += [_rate_goal(known, f"export {name}", rate) for name, rate in _EXPORT_RATES.items()]
    found.append(_availability_goal(known, "availability over HTTP"))
    found += [_series_goal(known, name) for name in ("one series, SDMX-CSV", "one series, SDMX-JSON")]
    found += [_submission_goal(known, f"submit {name}") for name in submissions.FORMATS]
    for name in ("csv-2.0", "ml-2.1-structurespecific", "ml-2.1-generic", "ml-3.0"):
        found.append(_writing_goal(known, f"write sdmx-{name}", _TIMES[name.split("-")[0]]))
    return found


def _large(known: Mapping[str, tuple[Case, Figures]], name: str) -> Figure | None:
    """What was measured of it on ten million observations."""
    one = known[name][1].get("ours") if name in known else None
    return one if one is not None and one.observations >= _EXPORT_OBSERVATIONS else None


def _memory_goal(known: Mapping[str, tuple[Case, Figures]], name: str) -> Goal:
    text = f"{name} of 10 M observations with private memory of the server below {_EXPORT_MB} MB"
    one = _large(known, name)
    if one is None:
        return Goal(text=text, found="", is_met=None)
    return Goal(text=text, found=f"{one.anonymous:.0f} MB", is_met=one.anonymous < _EXPORT_MB)


def _rate_goal(known: Mapping[str, tuple[Case, Figures]], name: str, wanted: float) -> Goal:
    text = f"{name} of 10 M observations at {wanted} M observations per second and core"
    one = _large(known, name)
    if one is None:
        return Goal(text=text, found="", is_met=None)
    rate = one.observations / max(one.cpu, 0.01) / 1e6
    return Goal(text=text, found=f"{rate:.1f} M", is_met=rate >= wanted)


def _availability_goal(known: Mapping[str, tuple[Case, Figures]], name: str) -> Goal:
    text = f"{name} of 10 M observations with exact counts within {_AVAILABILITY_MS} ms"
    one = _large(known, name)
    if one is None or one.p50 is None:
        return Goal(text=text, found="", is_met=None)
    return Goal(text=text, found=f"{one.p50:.1f} ms", is_met=one.p50 < _AVAILABILITY_MS)


def _series_goal(known: Mapping[str, tuple[Case, Figures]], name: str) -> Goal:
    text = f"{name} over HTTP, one connection, median below {_SERIES_MS} ms"
    one = known[name][1].get("ours") if name in known else None
    if one is None or one.p50 is None:
        return Goal(text=text, found="", is_met=None)
    return Goal(text=text, found=f"{one.p50:.1f} ms", is_met=one.p50 < _SERIES_MS)


def _submission_goal(known: Mapping[str, tuple[Case, Figures]], name: str) -> Goal:
    seconds, memory = submissions.SECONDS, submissions.MEGABYTES
    text = f"{name} of 1 M observations, published within {seconds} s, below {memory} MB"
    one = known[name][1].get("ours") if name in known else None
    if one is None or one.observations < _SUBMITTED:
        return Goal(text=text, found="", is_met=None)
    return Goal(
        text=text, found=f"{one.wall:.1f} s, {one.peak:.0f} MB", is_met=one.wall <= seconds and one.peak < memory
    )


def _writing_goal(known: Mapping[str, tuple[Case, Figures]], name: str, times: int) -> Goal:
    text = f"{name} at least {times} times as fast as pysdmx"
    if name not in known or not {"ours", "pysdmx"} <= known[name][1].keys():
        return Goal(text=text, found="", is_met=None)
    case, figures = known[name]
    factor = ratio(case, figures["ours"], figures["pysdmx"])
    return Goal(text=text, found=f"{factor:.1f} times", is_met=factor >= times)
