"""What a check finds, gathered: complete, counted, grouped by cause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa

from sdmx_service.model.finding import Finding, FindingGroup, Severity, count_findings
from sdmx_service.submission.places import spelt_out


class Report:
    """The findings of one submission. ``file`` names the file being read; groups added get it."""

    def __init__(self) -> None:
        self.file: str | None = None
        self._groups: dict[tuple[object, ...], list[FindingGroup]] = {}

    def add(self, group: FindingGroup) -> None:
        """Add findings; those of the same cause (code, rule, severity and constants) are one group in the end."""
        constants = (
            {**group.constants, "file": self.file} if self.file and "file" not in group.constants else group.constants
        )
        named = replace(group, constants=constants)
        cause = (named.code, named.rule, named.severity, named.template, repr(sorted(map(str, constants.items()))))
        self._groups.setdefault(cause, []).append(named)

    @property
    def groups(self) -> tuple[FindingGroup, ...]:
        """The groups, errors first, in order of first appearance."""
        order = list(Severity)
        merged = [_merged(groups) for groups in self._groups.values()]
        return tuple(sorted(merged, key=lambda group: order.index(group.severity)))

    @property
    def counts(self) -> dict[str, int]:
        """How many per severity."""
        return count_findings(group for groups in self._groups.values() for group in groups)

    @property
    def has_errors(self) -> bool:
        """Whether the submission must be refused."""
        return self.counts[Severity.ERROR.value] > 0

    def findings(self) -> Iterator[Finding]:
        """Every finding."""
        for group in self.groups:
            yield from group.findings()


def _merged(groups: list[FindingGroup]) -> FindingGroup:
    first = groups[0]
    if len(groups) == 1:
        return first
    places = pa.concat_tables([spelt_out(group.places) for group in groups], promote_options="default")
    return replace(first, places=places, count=sum(group.count for group in groups))
