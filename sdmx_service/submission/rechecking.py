"""What waits for publication, against structures and agreements that changed since it was checked.

A provider may have lost its agreement meanwhile, a constraint may have been narrowed, a code may be gone. Values are
judged by what occurs in each column, what must fit together by the columns of all rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.constraints import Allowed, allowed_codes
from sdmx_service.catalog.library import Library
from sdmx_service.errors import Conflict, NotFound, UnresolvedReference
from sdmx_service.model.columns import NOT_APPLICABLE, NOT_AVAILABLE
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.message import Target
from sdmx_service.model.selection import dataflow_name
from sdmx_service.model.structure import Dataflow
from sdmx_service.storage.port import StagedPart, Store
from sdmx_service.submission.allowed_rows import AllowedRows
from sdmx_service.submission.reading import named_provider
from sdmx_service.submission.receipt import Receipt
from sdmx_service.submission.report import Report

_MARKS = (NOT_APPLICABLE, NOT_AVAILABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limits:
    """What may be sent to one target now: the codes of each coded component, and what the constraints leave."""

    lists: Mapping[str, Collection[str]]
    allowed: Allowed
    rows: AllowedRows


def check_rights_again(kept: Iterable[Receipt], library: Library) -> None:
    """Agreements and codes, of submissions that were checked against other structures than those of now.

    Raises:
        Conflict: what one of them brings may not be sent any more.
    """
    view = library.view()
    for receipt in kept:
        report = Report()
        if receipt.generation != view.generation:
            recheck(receipt.id, library.store, view.catalog, report)
        if report.has_errors:
            first = next(report.findings())
            raise Conflict(
                f"Structures or agreements changed, and {receipt.id} does not hold any more: {first.message}",
                hint="Send the figures again as they may be now, or withdraw them.",
            )


def recheck(submission: str, store: Store, catalog: Catalog, report: Report) -> None:
    """Findings about the kept rows of a submission.

    They are of agreements (F503), codes (F401, F402, F502), and codes that do not fit together or to their period (F250
    to F253).
    """
    limits: dict[tuple[str, str], _Limits | None] = {}
    told: set[tuple[str, str, str, str]] = set()
    for part, batch in store.staged(submission):
        place = (part.dataflow, part.provider)
        if place not in limits:
            limits[place] = _limits(part, catalog, report)
        if (found := limits[place]) is not None:
            _judge(part, batch, found, report, told)


def _limits(part: StagedPart, catalog: Catalog, report: Report) -> _Limits | None:
    """What may be sent now; None if nothing, which the report says then."""
    try:
        flow, provider = dataflow_called(part.dataflow, catalog), named_provider(part.provider, catalog)
        structure = catalog.structure_of(flow)
    except (NotFound, UnresolvedReference) as error:
        raise Conflict(
            f"What {part.provider} sent for {part.dataflow} has no place any more: {error.detail}"
        ) from error
    if not catalog.may_provide(provider, flow.ref):
        told = catalog.agreements.shortfall(provider, flow.ref) or "none any more"
        report.add(FindingGroup.of("F503", value=part.provider, expected=flow.ref.text, agreed=told))
        return None
    target = Target(structure=structure, dataflow=flow.ref, provider=provider)
    lists = {one.id: catalog.codes(one) or {} for one in structure.components if one.form.is_coded}
    allowed = allowed_codes(target, catalog)
    return _Limits(lists=lists, allowed=allowed, rows=AllowedRows(structure, allowed))


def _judge(
    part: StagedPart, batch: pa.RecordBatch, limits: _Limits, report: Report, told: set[tuple[str, str, str, str]]
) -> None:
    for id, codes in limits.lists.items():
        if id not in batch.schema.names:
            continue
        allowed = limits.allowed.codes.get(id)
        constraint = limits.allowed.constraints.get(id, "")
        for value in _values(batch.column(id)):
            if value in _MARKS or (value in codes and (allowed is None or value in allowed)):
                continue
            if (part.dataflow, part.provider, id, value) in told:
                continue
            told.add((part.dataflow, part.provider, id, value))
            narrowed = "F502" if id in limits.allowed.by_agreement else "F402"
            if value in codes:
                report.add(FindingGroup.of(narrowed, component=id, value=value, constraint=constraint))
            else:
                report.add(FindingGroup.of("F401", component=id, value=value, codelist="its list of today"))
    arrays = dict(zip(batch.schema.names, batch.columns, strict=True))
    for breach in limits.rows.breaches(arrays, len(batch)):
        report.add(breach.group(pa.table({"value": breach.values.unique()})))


def _values(column: pa.Array) -> list[str]:
    """The distinct values of a column, of lists those inside."""
    if pa.types.is_list(column.type):
        column = pc.list_flatten(column)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not pa.types.is_string(column.type):
        return []
    return [value for value in pc.unique(column).to_pylist() if value is not None]


def dataflow_called(name: str, catalog: Catalog) -> Dataflow:
    """The dataflow that the store calls so, its latest version.

    Raises:
        Conflict: it is not in the catalog any more.
    """
    found = [one for one in catalog.of_type("Dataflow") if dataflow_name(one.ref) == name]
    if not found or not isinstance(found[-1], Dataflow):
        raise Conflict(f"The dataflow {name} is not in the catalog any more.")
    return found[-1]
