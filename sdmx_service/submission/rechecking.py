"""What waits for publication, against structures and agreements that changed since it was checked.

A provider may have lost its agreement meanwhile, a constraint may have been narrowed, a code may be gone, a facet or a
mandatory attribute may have come. The kept rows are judged as if they were sent now (``validation``), so that nothing
comes out that would be refused today.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import pyarrow as pa

from sdmx_service.catalog.catalog import Catalog, settled
from sdmx_service.catalog.constraints import allowed_codes
from sdmx_service.catalog.library import Library
from sdmx_service.errors import Conflict, NotFound, UnresolvedReference
from sdmx_service.model.columns import Column, columns, render_numbers
from sdmx_service.model.finding import Finding, FindingGroup, Severity
from sdmx_service.model.message import Action, Target
from sdmx_service.model.selection import Cube, dataflow_name
from sdmx_service.model.structure import Dataflow, DataStructure
from sdmx_service.model.urn import Ref
from sdmx_service.storage.port import StagedPart, Store
from sdmx_service.submission.presence import StoredRows
from sdmx_service.submission.reading import named_provider
from sdmx_service.submission.receipt import Receipt
from sdmx_service.submission.report import Report
from sdmx_service.submission.stored import Stored
from sdmx_service.submission.validation import Validator

_NEWLY_WHOLE = "F307"
"""Of a file it is told and mended; kept rows say it only where a component was no integer when they came."""


def check_structures_again(kept: Sequence[Receipt], library: Library, before: Sequence[Receipt] = ()) -> None:
    """Agreements, codes, facets and what is mandatory, of submissions checked against other structures than now's.

    Args:
        before: submissions that are published with them, before them, and were looked at already.

    Raises:
        Conflict: what one of them brings may not be sent any more.
    """
    view = library.view()
    earlier = [receipt.id for receipt in before]
    for receipt in kept:
        if receipt.generation != view.generation:
            stored = Stored(store=library.store, catalog=view.catalog, release=view.release)
            report = Report()
            _Recheck(library.store, view.catalog, report, stored, tuple(earlier)).run(receipt.id)
            if (broken := _broken(report)) is not None:
                first, count = broken
                where = f" (at {'.'.join(first.key.values())})" if first.key else ""
                more = f" {count - 1} more findings like it." if count > 1 else ""
                raise Conflict(
                    f"Structures or agreements changed, and {receipt.id} does not hold any more:"
                    f" {first.code} {first.message}{where}{more}",
                    hint="Send the figures again as they may be now, or withdraw them.",
                )
        earlier.append(receipt.id)


def _broken(report: Report) -> tuple[Finding, int] | None:
    """The first finding for which the rows may not come out, and how many there are."""
    groups = [one for one in report.groups if one.severity is Severity.ERROR or one.code == _NEWLY_WHOLE]
    return (next(groups[0].findings()), sum(one.count for one in groups)) if groups else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where rows of a part belong now, and as what components of today they were kept."""

    structure: DataStructure
    validator: Validator
    changed: Mapping[str, str]
    """Component of before -> why its values have no place now."""


@dataclass(frozen=True, slots=True)
class _Recheck:
    """One look at the kept rows of a submission.

    Attributes:
        earlier: submissions that are published with it, before it.
    """

    store: Store
    catalog: Catalog
    report: Report
    stored: Stored
    earlier: tuple[str, ...]

    def run(self, submission: str) -> None:
        """Report what is wrong by the structures and agreements of now."""
        agreed: dict[tuple[str, str], bool] = {}
        part: StagedPart | None = None
        place: _Place | None = None
        number = 0
        for now, batch in self.store.staged(submission):
            if now is not part:
                self._finish(place)
                part, number = now, number + 1
                place = self._place(now, submission, number - 1, agreed)
            if place is not None:
                self._judge(part, batch, place)
        self._finish(place)

    @staticmethod
    def _finish(place: _Place | None) -> None:
        if place is not None:
            place.validator.finish()

    def _place(
        self, part: StagedPart, submission: str, number: int, agreed: dict[tuple[str, str], bool]
    ) -> _Place | None:
        """Where a part's rows may go now; None if nowhere, which the report says then."""
        try:
            flow, provider = dataflow_called(part.dataflow, self.catalog), named_provider(part.provider, self.catalog)
            structure = self.catalog.structure_of(flow)
        except (NotFound, UnresolvedReference) as error:
            raise Conflict(
                f"What {part.provider} sent for {part.dataflow} has no place any more: {error.detail}"
            ) from error
        who = (part.dataflow, part.provider)
        if who not in agreed:
            agreed[who] = self._is_agreed(part, flow, provider)
        if not agreed[who]:
            return None
        if Cube.of(structure) != Cube.of(part.structure):
            kept, asked = part.structure.ref.text, structure.ref.text
            self.report.add(FindingGroup.of("F281", value=kept, expected=asked, dataflow=flow.ref.text))
            return None
        target = Target(structure=structure, dataflow=flow.ref, provider=provider)
        validator = Validator(
            target=target,
            action=part.action,
            catalog=self.catalog,
            report=self.report,
            allowed=allowed_codes(target, self.catalog),
            stored=self._own(part, flow, provider, submission, number),
        )
        return _Place(structure=structure, validator=validator, changed=dict(_changed(part.structure, structure)))

    def _is_agreed(self, part: StagedPart, flow: Dataflow, provider: Ref) -> bool:
        if self.catalog.may_provide(provider, flow.ref):
            return True
        told = self.catalog.agreements.shortfall(provider, flow.ref) or "none any more"
        self.report.add(FindingGroup.of("F503", value=part.provider, expected=flow.ref.text, agreed=told))
        return False

    def _own(self, part: StagedPart, flow: Dataflow, provider: Ref, submission: str, number: int) -> StoredRows:
        """What a merge may leave out: what the provider has stored, and what is published before it in one release."""

        def rows(where: Mapping[str, Collection[str]]) -> Iterator[pa.RecordBatch]:
            yield from self.stored.own(flow, provider, where)
            yield from self._sent(part, submission, number, self.catalog.structure_of(flow))

        return rows

    def _sent(
        self, part: StagedPart, submission: str, number: int, structure: DataStructure
    ) -> Iterator[pa.RecordBatch]:
        before = chain.from_iterable(map(self._parts, self.earlier))
        own = (pair for place, pair in self._numbered(submission) if place < number)
        names = [component.id for component in structure.components]
        for other, batch in chain(before, own):
            same = (other.dataflow, other.provider) == (part.dataflow, part.provider)
            if same and other.action is not Action.DELETE and Cube.of(other.structure) == Cube.of(structure):
                yield pa.record_batch(
                    {name: batch.column(name) if name in batch.schema.names else pa.nulls(len(batch)) for name in names}
                )

    def _parts(self, submission: str) -> Iterable[tuple[StagedPart, pa.RecordBatch]]:
        return self.store.staged(submission)

    def _numbered(self, submission: str) -> Iterator[tuple[int, tuple[StagedPart, pa.RecordBatch]]]:
        part, number = None, -1
        for now, batch in self.store.staged(submission):
            if now is not part:
                part, number = now, number + 1
            yield number, (now, batch)

    def _judge(self, part: StagedPart, batch: pa.RecordBatch, place: _Place) -> None:
        for id, reason in place.changed.items():
            count = len(batch) - batch.column(id).null_count
            if count:
                self.report.add(FindingGroup.of("F280", count=count, component=id, reason=reason))
        place.validator.check(_as_read(part.structure, batch, place))


def _changed(before: DataStructure, now: DataStructure) -> Iterator[tuple[str, str]]:
    """The components whose values the structure of now has no place for as they were kept, and why."""
    today = {column.id: column for column in columns(now)}
    for column in columns(before):
        other = today.get(column.id)
        if other is None:
            yield column.id, f"{now.ref.text} does not have it"
        elif _nature(column) != _nature(other):
            yield column.id, f"it was {_told(column)}, and is {_told(other)}"
        elif column.role == "attribute" and other.level != column.level:
            yield column.id, f"it belonged to {_level(column)}, and belongs to {_level(other)}"


def _nature(column: Column) -> tuple[str, str]:
    """What a cube cannot change of a column (codes are kept as texts are)."""
    return column.role, "text" if column.kind == "code" else column.kind


def _told(column: Column) -> str:
    words = {"code": "with a code list", "number": "of numbers", "text": "of text", "multi": "of several values",
             "multilingual": "of text in languages"}  # fmt: skip
    article = "an" if column.role == "attribute" else "a"
    return f"{article} {column.role} {words[column.kind]}"


def _level(column: Column) -> str:
    return ", ".join(column.level or ()) or ("the data set" if column.level == () else "the observation")


def _as_read(structure: DataStructure, batch: pa.RecordBatch, place: _Place) -> pa.RecordBatch:
    """Kept rows as they were read, of the components that are today what they were."""
    found: dict[str, pa.Array] = {}
    for column in columns(structure):
        if column.id in place.changed:
            continue
        values = batch.column(column.id)
        if column.kind == "number":
            values = render_numbers(values, batch.column(column.decimals), batch.column(column.text))
        found[column.id] = values
    return pa.record_batch(found)


def dataflow_called(name: str, catalog: Catalog) -> Dataflow:
    """The dataflow that the store calls so, the latest version that is settled.

    Raises:
        Conflict: it is not in the catalog any more.
    """
    found = [one for one in catalog.of_type("Dataflow") if dataflow_name(one.ref) == name]
    latest = max(found, key=settled, default=None)
    if not isinstance(latest, Dataflow):
        raise Conflict(f"The dataflow {name} is not in the catalog any more.")
    return latest
