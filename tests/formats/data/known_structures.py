"""Structures from the structure specimens, so that data specimens can be read with the structure they name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

from sdmx_service.errors import SdmxError, UnresolvedReference
from sdmx_service.formats.sdmx_json import structure_reader as json_structures
from sdmx_service.formats.sdmx_ml import structure_reader as ml_structures
from sdmx_service.model.artefact import Maintainable
from sdmx_service.model.items import Concept, ConceptScheme
from sdmx_service.model.message import Resolve, Target
from sdmx_service.model.structure import Component, Dataflow, DataStructure, ProvisionAgreement
from sdmx_service.model.urn import Ref
from tests.reference import select_specimens

_Key = tuple[str, str, str]


def _key(ref: Ref) -> _Key:
    return ref.type, ref.agency, ref.id


@cache
def artefacts() -> dict[tuple[_Key, str], Maintainable]:
    """Every artefact of the structure specimens that can be read, the first of those with one name."""
    found: dict[tuple[_Key, str], Maintainable] = {}
    for specimen in select_specimens(kind="structure", version=("2.1", "3.0", "3.1", "2.0")):
        reader: Any = {"sdmx-ml": ml_structures, "sdmx-json": json_structures}.get(specimen.format)
        if reader is None:
            continue
        try:
            with specimen.path.open("rb") as file:
                for one in reader.read_structures(file).structures:
                    found.setdefault((_key(one.ref), one.version), one)
        except SdmxError:
            continue
    return found


def _find(ref: Ref) -> Maintainable | None:
    exact = artefacts().get((_key(ref.maintainable), ref.version))
    return exact or next((one for (key, _), one in artefacts().items() if key == _key(ref.maintainable)), None)


def _resolved(components: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(_with_form(one) for one in components)


def _with_form(component: Component) -> Component:
    scheme = _find(component.concept)
    concept = scheme.item(component.concept.item or "") if isinstance(scheme, ConceptScheme) else None
    form = concept.core_representation if isinstance(concept, Concept) else None
    return replace(component, resolved=form) if component.representation is None and form is not None else component


def _complete(structure: DataStructure) -> DataStructure:
    return replace(
        structure,
        dimensions=_resolved(structure.dimensions),
        measures=_resolved(structure.measures),
        attributes=_resolved(structure.attributes),
    )


def resolving_specimens() -> Resolve:
    """Resolves references to what the structure specimens hold; versions fall back to any there is."""

    def resolve(ref: Ref) -> Target:
        found = _find(ref)
        dataflow = provider = None
        if isinstance(found, ProvisionAgreement):
            provider, found = found.provider, _find(found.dataflow)
        if isinstance(found, Dataflow):
            dataflow = found.ref
            found = _find(found.structure) if found.structure is not None else None
        if not isinstance(found, DataStructure) or not found.dimensions:
            raise UnresolvedReference(f"{ref} is not there.")
        return Target(structure=_complete(found), dataflow=dataflow, provider=provider)

    return resolve
