"""Validity of the data sets of a message: the moments of a history must be moments, and its last state that of now.

*Standard*: ``validFrom`` and ``validTo`` of a data set say when its information holds, both inclusive; a message is
applied in the order of its data sets. *Choice*: they do not move the time of publication, which is the service's own
(``asOf``); so a last state that does not hold now, and states in another order than they held, are told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from sdmx_service.errors import SyntaxFault
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.message import Action, Dataset
from sdmx_service.model.period import Period, parse_period
from sdmx_service.submission.report import Report


@dataclass(frozen=True, slots=True)
class _State:
    """One data set of a history; a bound is its text and what it means as a span of time."""

    action: Action
    begins: tuple[str, Period] | None
    ends: tuple[str, Period] | None

    @property
    def moment(self) -> tuple[str, Period] | None:
        """When it came to be: a state when it begins to hold, a deletion when what it names ceases to."""
        return self.ends or self.begins if self.action is Action.DELETE else self.begins


@dataclass(slots=True)
class Validity:
    """Looks at the validity of data sets as they come, of each dataflow for itself."""

    report: Report
    last: dict[str, _State] = field(default_factory=dict)

    def note(self, dataset: Dataset, dataflow: str) -> None:
        """Look at a data set; F282 where a moment is none, F284 where it is before that of the one before."""
        begins, ends = self._bound(dataset.valid_from), self._bound(dataset.valid_to)
        if begins is not None and ends is not None and ends[1].end <= begins[1].start:
            self._wrong(ends[0], f"validity begins at {begins[0]} and would end before")
            return
        state = _State(dataset.action, begins, ends)
        before = self.last.get(dataflow)
        if before is not None and before.moment is not None and state.moment is not None:
            (said, earlier), (text, moment) = before.moment, state.moment
            if moment.start < earlier.start:
                self.report.add(FindingGroup.of("F284", value=text, before=said, dataflow=dataflow))
        self.last[dataflow] = state

    def finish(self) -> None:
        """F283 where the last state does not hold now."""
        now = datetime.now(UTC).timestamp()
        for dataflow, state in self.last.items():
            if state.action is Action.DELETE:
                continue
            if state.begins is not None and state.begins[1].start > now:
                self._not_now(dataflow, state.begins[0], f"from {state.begins[0]} on")
            elif state.ends is not None and state.ends[1].end <= now:
                self._not_now(dataflow, state.ends[0], f"until {state.ends[0]}")

    def _not_now(self, dataflow: str, value: str, said: str) -> None:
        self.report.add(FindingGroup.of("F283", value=value, said=said, dataflow=dataflow))

    def _bound(self, text: str | None) -> tuple[str, Period] | None:
        if text is None:
            return None
        try:
            return text, parse_period(text)
        except SyntaxFault:
            self._wrong(text, "it is no date and time")
            return None

    def _wrong(self, text: str, reason: str) -> None:
        self.report.add(FindingGroup.of("F282", value=text, reason=reason))
