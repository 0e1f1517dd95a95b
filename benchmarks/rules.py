"""What each rule costs: ``python -m benchmarks.rules [FILE | SIZE]``, processor seconds per rule and for all together.

FILE is anything that a mapping or a format reads; SIZE (``1M``) stands for the generated flows, as they are (figures
at random: nearly every one breaks a rule about series) or, with ``--calm``, as smooth series that break none. Rules of
scope *result* run over an empty store. A rule is first run by itself, so that what rules share is in the figure of
each; the last line is all of them together, as a submission runs them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks import flows
from benchmarks.measuring import measure
from sdmx_service.model.columns import ORIGIN_FIELDS, ROW
from sdmx_service.model.message import Action
from sdmx_service.model.selection import dataflow_name
from sdmx_service.storage.port import StagedPart
from sdmx_service.submission import submit
from sdmx_service.submission.reading import Wish
from sdmx_service.submission.report import Report
from sdmx_service.submission.rules import run_rules
from sdmx_service.submission.workspace import Workspace


def _nothing(*_: object) -> Iterator[pa.RecordBatch]:
    return iter(())


def _timed(workspace: Workspace, sets: Any, catalog: Any, flows_sent: Any, *more: Any) -> list[str]:
    """Stands for ``run_rules``: every rule alone, then all."""
    chosen, dataflows = list(sets), list(flows_sent)
    _, complete, report = more[:3]

    def run(some: Any, into: Report) -> list[str]:
        return run_rules(workspace, some, catalog, dataflows, _nothing, complete, into, _nothing)

    run(chosen[:1], Report())
    for one in chosen:
        for rule in one.rules:
            mine = Report()
            _, cpu, _ = measure(lambda: run([replace(one, rules=(rule,))], mine))  # noqa: B023
            if cpu > 0.02 or any(mine.counts.values()):
                name = rule.names.best(("en",))
                print(f"{cpu:7.2f} s  {sum(mine.counts.values()):9}  {one.id}.{rule.id} {rule.kind} {name and name[1]}")
    (not_run, cpu, wall) = measure(lambda: run(chosen, report))
    print(f"{cpu:7.2f} s  {sum(report.counts.values()):9}  all together ({wall:.2f} s of wall clock)")
    return not_run


def _of_file(path: Path) -> None:
    with path.open("rb") as file, patch.object(submit, "run_rules", _timed):
        submit.check(submit.SentFile(file=file, name=path.name), Wish(), flows.catalog())


def _of_size(observations: int, calm: bool) -> None:
    catalog = flows.catalog()
    flow = catalog.dataflow(flows.dataflow())
    part = StagedPart(
        structure=flows.structure(), dataflow=dataflow_name(flow.ref), provider=flows.PROVIDER, action=Action.REPLACE
    )
    with closing(Workspace("1GB")) as workspace:
        number = 2
        for batch in flows.batches(observations):
            for field in ORIGIN_FIELDS:
                count = len(batch)
                rows = pa.array(range(number, number + count), pa.int64())
                batch = batch.append_column(field, rows if field.name == ROW else pa.nulls(count, field.type))
            if calm:
                years = pc.cast(batch["TIME_PERIOD"].cast(pa.string()), pa.float64())
                place = batch.schema.names.index("OBS_VALUE")
                batch = batch.set_column(place, batch.schema.field(place), pc.multiply(years, 1.0))
            workspace.add(part, batch)
            number += len(batch)
        _timed(workspace, catalog.rule_sets.values(), catalog, [flow], None, (), Report())


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", help="a file, or a size such as 1M")
    parser.add_argument("--calm", action="store_true", help="smooth series instead of figures at random")
    asked = parser.parse_args()
    if Path(asked.what).exists():
        _of_file(Path(asked.what))
    else:
        _of_size(flows.SIZES.get(asked.what) or int(asked.what), asked.calm)


if __name__ == "__main__":
    main()
