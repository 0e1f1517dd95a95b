"""Small invented structures and typed rows, as validation hands them to the workspace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.rules import RuleSet, read_rules
from sdmx_service.model.columns import ORIGIN_FIELDS, columns, parse_numbers, typed_schema
from sdmx_service.model.finding import Finding
from sdmx_service.model.items import Code, Codelist
from sdmx_service.model.message import Action
from sdmx_service.model.representation import Representation, TextFormat
from sdmx_service.model.selection import dataflow_name
from sdmx_service.model.structure import (
    Attribute,
    Dataflow,
    DataStructure,
    Dimension,
    Measure,
    Relationship,
    TimeDimension,
)
from sdmx_service.model.urn import Ref
from sdmx_service.storage.port import StagedPart
from sdmx_service.submission.figures import History
from sdmx_service.submission.report import Report
from sdmx_service.submission.rules import run_rules
from sdmx_service.submission.workspace import Workspace

CONCEPTS = Ref(type="ConceptScheme", agency="TEST", id="CS", version="1.0.0")


def concept(id: str) -> Ref:
    return Ref(type="Concept", agency="TEST", id="CS", version="1.0.0", item=id)


def codelist_ref(id: str) -> Ref:
    return Ref(type="Codelist", agency="TEST", id=f"CL_{id}", version="1.0.0")


def coded(id: str) -> Representation:
    return Representation(enumeration=codelist_ref(id))


def structure(
    id: str,
    dimensions: Sequence[str],
    *,
    attributes: Mapping[str, tuple[str, ...] | None] | None = None,
    time: bool = True,
    agency: str = "TEST",
) -> DataStructure:
    """A structure with one numeric measure; ``attributes`` gives each attribute's level (None: the observation)."""
    return DataStructure(
        id=id,
        agency=agency,
        version="1.0.0",
        dimensions=tuple(Dimension(id=one, concept=concept(one), representation=coded(one)) for one in dimensions),
        time_dimension=TimeDimension(id="TIME_PERIOD", concept=concept("TIME_PERIOD")) if time else None,
        measures=(
            Measure(
                id="OBS_VALUE",
                concept=concept("OBS_VALUE"),
                representation=Representation(text_format=TextFormat(type="Double")),
            ),
        ),
        attributes=tuple(
            Attribute(id=one, concept=concept(one), representation=coded(one), relationship=_relationship(level))
            for one, level in (attributes or {}).items()
        ),
    )


def _relationship(level: tuple[str, ...] | None) -> Relationship:
    if level is None:
        return Relationship(kind="observation")
    return Relationship(kind="dimensions", dimensions=level) if level else Relationship(kind="dataset")


def dataflow(id: str, of: DataStructure, agency: str = "TEST") -> Dataflow:
    return Dataflow(id=id, agency=agency, version="1.0.0", structure=of.ref)


def codelist(id: str, codes: Mapping[str, str | None]) -> Codelist:
    """A code list of code -> parent."""
    ref = codelist_ref(id)
    return Codelist(
        id=ref.id,
        agency=ref.agency,
        version=ref.version,
        items=tuple(Code(id=code, parent=parent) for code, parent in codes.items()),
    )


def typed(of: DataStructure, rows: Iterable[Mapping[str, Any]], *, first_row: int = 2) -> pa.RecordBatch:
    """Rows as typed, with origin: row numbers from ``first_row`` unless a row has ``_row``."""
    listed = list(rows)
    schema = pa.schema([*typed_schema(of), *ORIGIN_FIELDS])
    arrays: dict[str, pa.Array] = {
        "_row": pa.array([row.get("_row", first_row + place) for place, row in enumerate(listed)], pa.int64()),
        "_column": pa.array([row.get("_column") for row in listed], pa.string()),
        "_sheet": pa.array([row.get("_sheet") for row in listed], pa.string()),
    }
    for column in columns(of):
        texts = pa.array([None if (value := row.get(column.id)) is None else str(value) for row in listed], pa.string())
        if column.kind == "number":
            numbers = parse_numbers(texts)
            assert not any(numbers.invalid.to_pylist())
            arrays |= {column.id: numbers.values, column.decimals: numbers.decimals, column.text: numbers.texts}
        else:
            arrays[column.id] = texts.dictionary_encode() if column.kind == "code" else texts
    return pa.record_batch([arrays[field.name].cast(field.type) for field in schema], schema=schema)


def part(flow: Dataflow, of: DataStructure, provider: str = "TEST.P1", action: Action = Action.MERGE) -> StagedPart:
    return StagedPart(structure=of, dataflow=dataflow_name(flow.ref), provider=provider, action=action)


def rule_set(flow: str, *rules: Mapping[str, Any], id: str = "RULES") -> RuleSet:
    """A rule set as a rule file says it."""
    return read_rules({"id": id, "applies_to": [flow], "rules": list(rules)}, "test")


def broken(
    workspace: Workspace,
    sets: Iterable[RuleSet],
    catalog: Catalog,
    *,
    history: History | None = None,
    complete: Sequence[str] = (),
) -> list[Finding]:
    """What the rules find; every rule must have run."""
    report = Report()
    flows = [one for one in catalog.of_type("Dataflow") if isinstance(one, Dataflow)]
    assert run_rules(workspace, sets, catalog, flows, history, complete, report) == []
    return list(report.findings())
