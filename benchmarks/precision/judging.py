"""Checks damaged copies with the program under test, and counts what it found and what it made up.

*Found*: a warning or an error at a damaged cell, at one of its sums, beside a cell that is gone and about its period,
or at a cell beside a damaged one (a part of it, the other sex) with the damaged figure in its words. *False alarm*: a
warning or an error elsewhere that the list of known defects of the real files does not name. Shares are of all warnings
and errors; those at known defects are counted apart.
"""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.precision.bound import ENOUGH

Finding = Mapping[str, Any]
"""A finding as the program prints it (JSON)."""
Check = Callable[[Path], list[Finding]]
KNOWN = Path(__file__).with_name("known_defects.csv")


def by_command(path: Path, *more: str) -> list[Finding]:
    """The findings of ``sdmx-service check FILE``, a process of its own and no store."""
    command = [sys.executable, "-m", "sdmx_service", "check", str(path), "--data", str(path.parent / "none"),
               "--format", "json", *more]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode not in (0, 1):
        raise RuntimeError(f"{path.name} cannot be checked: {run.stderr.strip()[-500:]}")
    return list(json.loads(run.stdout)["findings"])


@dataclass(slots=True, kw_only=True)
class Score:
    """What was counted. ``known`` findings are at defects that the real files have themselves.

    ``contradicted`` errors are those that something in the file contradicts, ``untold`` those that nothing does and
    that are no odder than many an undamaged figure; of each, how many were found.
    """

    injected: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    contradicted: int = 0
    contradicted_found: int = 0
    untold: int = 0
    untold_found: int = 0
    told: int = 0
    known: int = 0
    false: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """Share of the errors that were found."""
        return sum(self.found.values()) / max(1, sum(self.injected.values()))

    @property
    def false_share(self) -> float:
        """Share of false alarms in all warnings and errors."""
        return len(self.false) / max(1, self.told)

    @property
    def strict_share(self) -> float:
        """The same if findings at known defects counted as false too."""
        return (len(self.false) + self.known) / max(1, self.told)

    def add(self, other: Score) -> None:
        """Count another one in."""
        self.injected += other.injected
        self.found += other.found
        self.contradicted += other.contradicted
        self.contradicted_found += other.contradicted_found
        self.untold += other.untold
        self.untold_found += other.untold_found
        self.told += other.told
        self.known += other.known
        self.false += other.false
        self.missed += other.missed

    def table(self) -> Iterator[str]:
        """Found and injected per kind, and the figures."""
        for kind, count in sorted(self.injected.items()):
            yield f"{kind:28} {self.found[kind]:4} of {count:4}"
        total = sum(self.injected.values())
        yield (
            f"the file contradicts {self.contradicted} errors, {self.contradicted_found} of them found; "
            f"{self.untold} are no odder than many a right figure, {self.untold_found} of them found: "
            f"who has the file alone can find "
            f"{total - self.untold + self.untold_found} of {total}"
        )
        yield (
            f"recall {self.recall:.1%} ({sum(self.found.values())} of {sum(self.injected.values())}); "
            f"{self.told} warnings and errors, {len(self.false)} false alarms ({self.false_share:.2%}), "
            f"{self.known} at known defects (with these {self.strict_share:.1%})"
        )


def judge(path: Path, source: str, errors: Sequence[Mapping[str, Any]], findings: Iterable[Finding]) -> Score:
    """The score of one damaged copy."""
    serious = [one for one in findings if one["severity"] in ("error", "warning")]
    known = known_defects(source)
    score = Score(told=len(serious))
    explained = [False] * len(serious)
    for error in errors:
        score.injected[error["kind"]] += 1
        hits = [n for n, finding in enumerate(serious) if _names(finding, error)]
        for n in hits:
            explained[n] = True
        is_contradicted = error["evidence"] != "none"
        is_untold = not is_contradicted and _is_ordinary(error.get("odder"))
        score.contradicted += is_contradicted
        score.contradicted_found += is_contradicted and bool(hits)
        score.untold += is_untold
        score.untold_found += is_untold and bool(hits)
        if hits:
            score.found[error["kind"]] += 1
        else:
            score.missed.append(f"{path.name}: {error['kind']}: {error['note']} ({error['evidence']})")
    for finding, is_explained in zip(serious, explained, strict=True):
        if is_explained:
            continue
        if _defect(finding) in known or (finding["code"], "*") in known:
            score.known += 1
        else:
            where = f"{finding['sheet'] or ''} row {finding['row']} column {finding['column']}"
            score.false.append(f"{path.name}: {finding['code']} {where}: {finding['message'][:160]}")
    return score


def _is_ordinary(odder: int | None) -> bool:
    """Many an undamaged figure is as odd; rows that come and go unseen are ordinary too."""
    return odder is None or odder >= ENOUGH


def _names(finding: Finding, error: Mapping[str, Any]) -> bool:
    """The finding is at a damaged cell or its sum, or tells what is missing beside a cell."""
    if any(_is_at(finding, place) for place in (*error["cells"], *error["sums"])):
        return True
    if any(_is_at(finding, place) for place in error["parts"]):
        words = [word.rstrip(".") for word in finding["message"].replace(",", " ").split()]
        if any(text.removesuffix(".0") in words for text in error["figures"] if text):
            return True
    if (
        finding["row"] is None
        and finding["column"] is None
        and finding["key"].get("TIME_PERIOD") in error.get("lost", ())
    ):
        return True  # a row that was sent before is not there: it has no place any more
    period = error["period"]
    if not any(_is_at(finding, place) for place in error["beside"]):
        return False
    return period is None or finding["key"].get("TIME_PERIOD", period) == period


def _is_at(finding: Finding, place: Sequence[Any]) -> bool:
    sheet, row, column = place
    if column.startswith("/"):
        return bool(finding["column"] == column)
    if finding["row"] != row or (sheet is not None and finding["sheet"] != sheet):
        return False
    return not column or finding["column"] in (column, None)


# --- known defects --------------------------------------------------------------------------------------------------
def _defect(finding: Finding) -> tuple[str, str]:
    return finding["code"], ".".join(finding["key"].values())


def known_defects(source: str) -> set[tuple[str, str]]:
    """Code and key (or ``*``: whichever) of what is wrong with a real file itself.

    They are what the checks say of the undamaged files, listed in ``known_defects.csv`` with the reason per cause.
    """
    with KNOWN.open(encoding="utf-8", newline="") as file:
        return {(row["code"], row["key"]) for row in csv.DictReader(file) if row["file"] == source}


def defects_of(source: str, findings: Iterable[Finding]) -> str:
    """The lines of the list for a file as it is; the reason is a person's to write."""
    out = io.StringIO()
    rows = {(source, *_defect(one), one["message"]) for one in findings if one["severity"] in ("error", "warning")}
    csv.writer(out, lineterminator="\n").writerows(sorted(rows))
    return out.getvalue()
