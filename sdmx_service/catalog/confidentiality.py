"""Confidentiality documents as files say them, and whether a catalog can carry them out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.documents import Node
from sdmx_service.catalog.rule_fields import conditions
from sdmx_service.errors import InvalidStructure, SdmxError
from sdmx_service.model.columns import columns
from sdmx_service.model.confidentiality import Confidentiality, PublicView
from sdmx_service.model.selection import Cube, dataflow_name
from sdmx_service.model.structure import DataStructure
from sdmx_service.model.urn import Ref, parse_ref


def read_confidentiality(document: Mapping[str, Any], place: str) -> Confidentiality:
    """The confidentiality document of a JSON document.

    Raises:
        InvalidStructure: something is missing, misspelt or of the wrong type, with its place.
    """
    node = Node(document, place)
    found = Confidentiality(
        id=node.at("id").text(),
        structures=tuple(_cube(one) for one in node.at("structures").items()),
        status=node.at("status").text(),
        confidential=node.at("confidential").texts(),
        primary=node.at("primary").text_or_none() or "",
        secondary=node.at("secondary").text_or_none() or "",
        hides=node.at("hides").texts(),
        withheld=conditions(node.at("withheld")),
        range=node.at("range").decimal(0.1),
        dataflows={_flow(name, one): _view(one) for name, one in node.at("dataflows").fields()},
    )
    node.at("notes")
    node.done()
    if not found.structures or not found.confidential:
        raise node.fault("structures and confidential (the codes that hide a figure) are needed here.")
    for name in ("primary", "secondary"):
        code = getattr(found, name)
        if code and code not in found.confidential:
            raise node.at(name).fault(f"{code!r} is none of the codes that hide a figure.")
    if any(view.threshold for view in found.dataflows.values()) and not found.primary:
        raise node.fault("primary is needed here: the status of figures below a threshold.")
    if not 0 <= found.range < 1:
        raise node.at("range").fault("a share from 0 to below 1 is needed here.")
    return found


def _exact(node: Node, text: str, kind: str) -> Ref:
    found = parse_ref(text, kind)
    if not found.agency or not found.version:
        raise node.fault(f"AGENCY:ID(VERSION) is needed here, not {text!r}.")
    return Ref(type=kind, agency=found.agency, id=found.id, version=found.version)


def _cube(node: Node) -> Cube:
    return Cube.of(_exact(node, node.text(), "DataStructure"))


def _flow(name: str, node: Node) -> str:
    return dataflow_name(_exact(node, name, "Dataflow"))


def _view(node: Node) -> PublicView:
    found = PublicView(
        threshold=node.at("threshold").decimal(0.0),
        rounding=node.at("rounding").decimal(0.0),
        rounded=node.at("rounded").decimal(0.0),
        when=conditions(node.at("when")),
    )
    node.at("notes")
    node.done()
    if min(found.threshold, found.rounding, found.rounded) < 0:
        raise node.fault("threshold, rounding and rounded cannot be less than 0.")
    return found


def check_confidentiality(document: Confidentiality, catalog: Catalog) -> None:
    """Nothing, if the structures have what the document names.

    Raises:
        InvalidStructure: a structure that is there lacks a component, has it at another level, or lacks a code; or
            there is no such dataflow of it.
    """
    found = [one for one in catalog.of_type("DataStructure") if isinstance(one, DataStructure)]
    found = [one for one in found if Cube.of(one) in document.structures]
    for artefact in found:
        _check(document, catalog.structure(artefact.ref), catalog)
    if found:
        _check_dataflows(document, found, catalog)


def _check_dataflows(document: Confidentiality, structures: Iterable[DataStructure], catalog: Catalog) -> None:
    """A misspelt dataflow would leave the one that is meant without its threshold."""
    known = {dataflow_name(flow.ref) for one in structures for flow in catalog.dataflows_of(one.ref)}
    if unknown := sorted(set(document.dataflows) - known):
        raise InvalidStructure(
            f"Confidentiality {document.id}: {unknown[0]} is no dataflow of its structures.",
            hint=f"These are {', '.join(sorted(known))}.",
        )


def _check(document: Confidentiality, structure: DataStructure, catalog: Catalog) -> None:
    own = {one.id: one.component for one in columns(structure) if one.role == "attribute" and one.level is None}
    tested = {document.status: (*document.confidential,), **document.withheld}
    for view in document.dataflows.values():
        tested |= {id: (*tested.get(id, ()), *codes) for id, codes in view.when.items()}
    for id in (*tested, *document.hides):
        if id not in own:
            raise InvalidStructure(
                f"Confidentiality {document.id}: {id} is no attribute of the observation of {structure.ref.text}.",
                hint="Only attributes of the observation can hold the status of a figure, or be hidden with it.",
            )
    for id, codes in tested.items():
        component = structure.component(id)
        try:
            known = None if component is None else catalog.codes(component)
        except SdmxError:  # the list is not here yet
            continue
        if known is not None and (unknown := [code for code in codes if code not in known]):
            raise InvalidStructure(f"Confidentiality {document.id}: {id} has no code {', '.join(unknown)}.")
