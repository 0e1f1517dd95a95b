"""What data or metadata of one artefact must look like: its structure, and the values that constraints leave.

SDMX-REST 2.2, schema.md: the constraints of the context and of every level above are applied.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.constraints import allowed_metadata_values
from sdmx_service.catalog.data_schemas import data_schema_of, enumeration_of, enumerations_of
from sdmx_service.errors import SemanticFault, UnresolvedReference
from sdmx_service.model.artefact import Item, Maintainable
from sdmx_service.model.items import Concept
from sdmx_service.model.query import SchemaQuery
from sdmx_service.model.representation import Representation
from sdmx_service.model.schema import ALL_DIMENSIONS, DataSchema, Enumeration, MetadataSchema
from sdmx_service.model.structure import (
    DataStructure,
    Dimension,
    MetadataAttribute,
    Metadataflow,
    MetadataProvisionAgreement,
    MetadataStructure,
)
from sdmx_service.model.urn import Ref


def data_schema(query: SchemaQuery, artefact: Maintainable, catalog: Catalog) -> DataSchema:
    """What data of a structure, dataflow or provision agreement look like.

    Raises:
        SemanticFault: the dimension at observation is none of the structure.
    """
    structure = catalog.target(artefact.ref).structure
    enumerations = enumerations_of(artefact.ref, structure, catalog)
    at_observation = _observation_dimension(query, structure)
    return data_schema_of(
        artefact.ref,
        catalog,
        dimension_at_observation=at_observation,
        deletion=query.deletion,
        enumerations=enumerations,
        measure_types=_measure_types(query, structure, enumerations, at_observation, catalog),
    )


def _observation_dimension(query: SchemaQuery, structure: DataStructure) -> str:
    """As asked; else as for data: time, in version 1 else the measure dimension, else none.

    *Choice:* explicit measures without a dimension mean the measure dimension, as they make sense for no other.
    """
    wanted = query.dimension_at_observation
    measure = _measure_dimension(structure)
    if wanted is None and query.explicit_measure and measure is not None:
        return measure.id
    if wanted is None:
        if structure.time_dimension is not None:
            return structure.time_dimension.id
        return measure.id if query.api == "v1" and measure is not None else ALL_DIMENSIONS
    if wanted != ALL_DIMENSIONS and wanted not in structure.key_ids:
        raise SemanticFault(
            f"{wanted!r} is no dimension of {structure.ref.text}.",
            hint=f"Ask for one of {', '.join(structure.key_ids)} or {ALL_DIMENSIONS}.",
        )
    return wanted


def _measure_dimension(structure: DataStructure) -> Dimension | None:
    return next((one for one in structure.dimensions if one.is_measure_dimension), None)


def _measure_types(
    query: SchemaQuery,
    structure: DataStructure,
    enumerations: Mapping[str, Enumeration],
    at_observation: str,
    catalog: Catalog,
) -> Mapping[str, Representation | None]:
    """The types of explicit measures, which there are where the measure dimension is at the observation.

    *Choice:* elsewhere ``explicitMeasure`` changes nothing (SDMX-REST 1.5: it is for cross-sectional data).
    """
    measure = _measure_dimension(structure)
    if not query.explicit_measure or measure is None or at_observation != measure.id:
        return {}
    items = catalog.codes(measure) or {}
    found = enumerations.get(measure.id)
    return {} if found is None else {id: _core(items[id]) for id in found.values}


def _core(item: Item) -> Representation | None:
    return item.core_representation if isinstance(item, Concept) else None


# --- metadata -------------------------------------------------------------------------------------------------------
def metadata_structure_of(artefact: Maintainable, catalog: Catalog) -> MetadataStructure:
    """The metadata structure of a metadata structure, metadataflow or metadata provision agreement.

    Raises:
        UnresolvedReference: it is not here.
    """
    flow = metadataflow_of(artefact, catalog)
    if flow is not None and flow.structure is None:
        raise UnresolvedReference(f"The metadataflow {flow.ref.text} names no structure.")
    found = artefact if flow is None or flow.structure is None else catalog.artefact(flow.structure)
    if not isinstance(found, MetadataStructure):
        raise UnresolvedReference(f"{found.ref.text} is a {found.type}, not a metadata structure.")
    return found


def metadataflow_of(artefact: Maintainable, catalog: Catalog) -> Metadataflow | None:
    """The metadataflow that an artefact is, or that an agreement is about."""
    if isinstance(artefact, Metadataflow):
        return artefact
    if isinstance(artefact, MetadataProvisionAgreement):
        found = catalog.artefact(artefact.metadataflow)
        return found if isinstance(found, Metadataflow) else None
    return None


def metadata_schema(query: SchemaQuery, artefact: Maintainable, catalog: Catalog) -> MetadataSchema:
    """What metadata sets of a metadata structure, metadataflow or metadata provision agreement look like."""
    structure = metadata_structure_of(artefact, catalog)
    flow = metadataflow_of(artefact, catalog)
    reports = tuple(replace(one, attributes=_all_resolved(one.attributes, catalog)) for one in structure.reports)
    resolved = replace(structure, attributes=_all_resolved(structure.attributes, catalog), reports=reports)
    levels = [structure.ref, *([flow.ref] if flow is not None else []), artefact.ref]
    if isinstance(artefact, MetadataProvisionAgreement):
        levels.append(artefact.provider)
    levels = list(dict.fromkeys(levels))
    enumerations: dict[str, Enumeration] = {}
    for report in reports:
        found = dict(_enumerations(report.attributes, "", levels, catalog))
        enumerations |= found | {f"{report.id}:{path}": one for path, one in found.items()}
    enumerations |= _enumerations(resolved.attributes, "", levels, catalog)
    return MetadataSchema(
        ref=artefact.ref,
        names=artefact.names,
        structure=resolved,
        enumerations=enumerations,
        flow=None if flow is None else flow.ref,
        agreement=artefact.ref if isinstance(artefact, MetadataProvisionAgreement) else None,
        deletion=query.deletion,
    )


def _all_resolved(headings: tuple[MetadataAttribute, ...], catalog: Catalog) -> tuple[MetadataAttribute, ...]:
    return tuple(
        replace(
            one,
            items=_all_resolved(one.items, catalog),
            resolved=None if one.representation is not None else catalog.core_representation(one.concept),
        )
        for one in headings
    )


def _enumerations(
    headings: tuple[MetadataAttribute, ...], above: str, levels: list[Ref], catalog: Catalog
) -> Iterator[tuple[str, Enumeration]]:
    for one in headings:
        path = f"{above}{one.id}"
        items = catalog.codes(one)
        left = None if items is None else allowed_metadata_values(path, items, levels, catalog)
        found = enumeration_of(one, left, catalog)
        if found is not None:
            yield path, found
        yield from _enumerations(one.items, f"{path}.", levels, catalog)
