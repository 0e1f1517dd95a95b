"""The schema of a message, on request: what XML Schema or JSON Schema says of it, as findings with their places.

The official schemas know the form of messages; that of a structure's own data is made here, from the structure and
the constraints that hold.
"""

from __future__ import annotations

import pyarrow as pa

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.data_schemas import data_schema_of
from sdmx_service.errors import NotFound, SdmxError, UnresolvedReference
from sdmx_service.formats.registry import Format, schema_faults
from sdmx_service.model.finding import FindingGroup
from sdmx_service.model.message import SeekableFile
from sdmx_service.model.schema import ALL_DIMENSIONS, DataSchema, SchemaFault
from sdmx_service.model.urn import Ref
from sdmx_service.submission.report import Report


def check_schema(file: SeekableFile, format: Format, catalog: Catalog, report: Report) -> None:
    """Report every fault of a message against its schemas; a format that has none is said."""

    def describe(ref: Ref, dimension: str | None) -> DataSchema | None:
        try:
            structure = catalog.target(ref).structure
            default = ALL_DIMENSIONS if structure.time_dimension is None else structure.time_dimension.id
            return data_schema_of(ref, catalog, dimension_at_observation=dimension or default)
        except (NotFound, UnresolvedReference):
            return None

    place = file.tell()  # the reader goes on from there
    try:
        faults = schema_faults(file, format, describe)
        if faults is None:
            report.add(FindingGroup.of("F181", reason=f"there is no schema for {format.name}"))
            return
        by_cause: dict[tuple[str, str], list[SchemaFault]] = {}
        for fault in faults:
            by_cause.setdefault((fault.cause, fault.component), []).append(fault)
    except SdmxError as error:
        report.add(FindingGroup.of("F181", reason=str(error)))
        return
    finally:
        file.seek(place)
    for (cause, component), found in by_cause.items():
        if cause == "unknown":
            for one in found:
                report.add(FindingGroup.of("F181", reason=f"{one.said} is not here, and its data are not judged"))
            continue
        places = pa.table(
            {
                "row": pa.array([one.line for one in found], pa.int64()),
                "column": pa.array([one.path for one in found], pa.string()),
                "value": pa.array([one.value for one in found], pa.string()),
                "said": pa.array([one.said for one in found], pa.string()),
            }
        )
        report.add(FindingGroup.of("F180", places=places, component=component or "the message"))
