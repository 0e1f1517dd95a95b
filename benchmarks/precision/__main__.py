"""``python -m benchmarks.precision --seed 7 --shared ../shared/data``: inject, check, count.

``--before FILE...``: what was published before the copies came; then rules that compare with it speak too.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.precision.injecting import Copy, add_arguments, inject, plan_of
from benchmarks.precision.judging import Score, by_command, judge
from benchmarks.precision.stores import Sent


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 if recall or the share of false alarms is not what it must be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.precision", description=__doc__)
    add_arguments(parser)
    parser.add_argument("--out", type=Path, help="keep the damaged copies there")
    parser.add_argument("--again", action="store_true", help="the undamaged file was published before")
    parser.add_argument("--command", action="store_true", help="check by a process of its own per file (slower)")
    parser.add_argument("--recall", type=float, default=0.0, help="fail below this share")
    parser.add_argument("--false", type=float, default=1.0, help="fail above this share of false alarms")
    parsed = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as made:
        copies = inject(plan_of(parsed), parsed.shared, parsed.out or Path(made))
        score = scored(copies, parsed.shared, again=parsed.again, command=parsed.command)
    for line in (*score.missed, *score.false):
        print("  ", line)
    for line in score.table():
        print(line)
    return int(score.recall < parsed.recall or score.false_share > parsed.false)


def scored(copies: Sequence[Copy], folder: Path, *, again: bool = False, command: bool = False) -> Score:
    """The score of damaged copies; with ``again``, each in a store that has the undamaged file."""
    total = Score()
    with Sent(folder) as sent:
        for copy in copies:
            if command:
                findings = by_command(copy.path)
            else:
                findings = sent.again(copy) if again else sent.first(copy)
            total.add(judge(copy.path, copy.name, copy.errors, findings))
    return total


if __name__ == "__main__":
    raise SystemExit(main())
