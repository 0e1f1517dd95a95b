"""What data of a structure, dataflow or provision agreement must look like, with the values that constraints leave.

SDMX-REST 2.2, schema.md: the constraints of the context and of every level above are applied.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.constraints import allowed_codes
from sdmx_service.model.representation import Representation
from sdmx_service.model.schema import DataSchema, Enumeration
from sdmx_service.model.structure import Component, DataStructure
from sdmx_service.model.urn import Ref

_NO_TYPES: Mapping[str, Representation | None] = MappingProxyType({})


def enumerations_of(ref: Ref, structure: DataStructure, catalog: Catalog) -> dict[str, Enumeration]:
    """The values of the coded components of a structure that the constraints of an artefact leave."""
    left = allowed_codes(catalog.target(ref), catalog).codes
    found = {one.id: enumeration_of(one, left.get(one.id), catalog) for one in structure.components}
    return {id: one for id, one in found.items() if one is not None}


def data_schema_of(
    ref: Ref,
    catalog: Catalog,
    *,
    dimension_at_observation: str,
    deletion: bool = False,
    enumerations: Mapping[str, Enumeration] | None = None,
    measure_types: Mapping[str, Representation | None] = _NO_TYPES,
) -> DataSchema:
    """What data of an artefact look like.

    Raises:
        UnresolvedReference: it, or its structure, is not here.
    """
    artefact, structure = catalog.artefact(ref), catalog.target(ref).structure
    return DataSchema(
        ref=artefact.ref,
        names=artefact.names,
        structure=structure,
        enumerations=enumerations_of(ref, structure, catalog) if enumerations is None else enumerations,
        dimension_at_observation=dimension_at_observation,
        deletion=deletion,
        measure_types=measure_types,
    )


def enumeration_of(component: Component, left: Collection[str] | None, catalog: Catalog) -> Enumeration | None:
    """The values of a coded component; None if it has no list, or the list is kept elsewhere and only its name is here.

    Args:
        left: what constraints leave; None: all.
    """
    items = catalog.codes(component)
    if items is None or component.form.enumeration is None:
        return None
    scheme = catalog.artefact(component.form.enumeration)
    if scheme.is_external_reference and not items:
        return None
    return Enumeration(
        ref=scheme.ref, values={id: item.names for id, item in items.items() if left is None or id in left}
    )
