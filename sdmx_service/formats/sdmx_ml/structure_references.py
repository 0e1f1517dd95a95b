"""References: URNs in SDMX-ML 3.x, ``Ref`` elements (or URNs) in 2.1.

SDMX-ML 2.1 ``SDMXCommonReferences.xsd``: ``Ref`` and ``URN`` stand in no namespace. A reference to an artefact has
``agencyID``, ``id``, ``version`` (default 1.0); one to a part has the artefact in ``maintainableParentID`` and
``maintainableParentVersion``, and perhaps ``containerID``.
"""

from __future__ import annotations

from sdmx_service.errors import CannotWrite, SdmxError
from sdmx_service.formats.sdmx_ml.structure_elements import (
    Element,
    append,
    children,
    first,
    place_written,
    token_of,
    unreadable,
)
from sdmx_service.formats.structure_shapes import ComponentPlace
from sdmx_service.formats.structure_versions import refuse_old
from sdmx_service.model.urn import Ref, Version, artefact_type, artefact_type_of_item, canonical_class

_HIERARCHY_PARTS = {"HierarchicalCode", "Level"}
"""Parts whose path in 2.1 begins with a container that their URN names too."""


def read_reference(element: Element, kind: str = "") -> Ref:
    """The reference in an element: a URN as its text, or in 2.1 a ``Ref`` or ``URN`` child.

    Args:
        element: the element.
        kind: the class that the schema fixes for this place, for a ``Ref`` that does not say it.

    Raises:
        UnreadableFile: there is none, or it is malformed.
    """
    ref, urn = first(element, "Ref"), first(element, "URN")
    if ref is not None:
        return _read_ref(ref, kind)
    holder = element if urn is None else urn
    return parse_urn(holder, token_of(holder))


def parse_urn(element: Element, text: str) -> Ref:
    """The reference that a URN is.

    Raises:
        UnreadableFile: it is none.
    """
    try:
        return Ref.parse(text)
    except SdmxError as error:
        raise unreadable(element, error.detail, error.hint) from None


def _read_ref(element: Element, kind: str) -> Ref:
    name = element.get("class") or kind
    known = _TODAY.get(name) or canonical_class(name)
    if known is None:
        raise unreadable(element, f"the class of the reference is {name!r}, which SDMX does not know." if name else
                         "the reference does not say its class.")  # fmt: skip
    agency, identity = _needed(element, "agencyID"), _needed(element, "id")
    parent = element.get("maintainableParentID")
    try:
        if parent is None:
            return Ref(type=known, agency=agency, id=identity, version=_version(element, "version"))
        version = _version(element, "maintainableParentVersion")
        container = element.get("containerID")
        if known == "Hierarchy":  # a part of a hierarchical codelist; see structure_2_1
            name = parent if parent == identity else f"{parent}_{identity}"
            return Ref(type=known, agency=agency, id=name, version=version)
        path = f"{container}.{identity}" if container and known in _HIERARCHY_PARTS else identity
        return Ref(type=known, agency=agency, id=parent, version=version, item=path)
    except SdmxError as error:
        raise unreadable(element, error.detail, error.hint) from None


def _needed(element: Element, name: str) -> str:
    value = element.get(name)
    if not value:
        raise unreadable(element, f"the reference has no {name}.")
    return value


def _version(element: Element, name: str) -> str:
    version = element.get(name, "1.0")
    if version != "*":
        Version.parse(version)
    return version


def append_reference(parent: Element, tag: str, ref: Ref, version: str) -> Element:
    """A new last child that refers to something, as the version of SDMX-ML does.

    Raises:
        CannotWrite: the class has no place in SDMX.
    """
    if version != "2.1":
        refuse_old(ref, place_written(parent))
        return append(parent, tag, _urn(parent, ref))
    child = append(parent, tag)
    return append(child, "Ref", **ref_attributes(child, ref))


def _urn(element: Element, ref: Ref) -> str:
    try:
        return ref.urn
    except SdmxError as error:
        raise CannotWrite(f"{place_written(element)}: {error.detail}") from None


def ref_attributes(element: Element, ref: Ref) -> dict[str, str]:
    """The attributes of a ``Ref``; class and package are always said.

    Raises:
        CannotWrite: SDMX-ML 2.1 cannot say it.
    """
    if not ref.is_exact and ref.version != "*":
        raise CannotWrite(f"{place_written(element)}: SDMX-ML 2.1 cannot refer to a version like {ref.version!r}.")
    kind = artefact_type_of_item(ref.type) if ref.item is not None else artefact_type(ref.type)
    if kind is None:
        raise CannotWrite(f"{place_written(element)}: a reference of class {ref.type!r} cannot be written.")
    said = {"package": kind.package, "class": _CLASSES_2_1.get(ref.type, ref.type)}
    if ref.type == "Hierarchy":
        parent = {"maintainableParentID": ref.id, "maintainableParentVersion": ref.version, "agencyID": ref.agency}
        return {"id": ref.item or ref.id, **parent, **said}
    if ref.item is None:
        return {"id": ref.id, "version": ref.version, "agencyID": ref.agency, **said}
    parent = {"maintainableParentID": ref.id, "maintainableParentVersion": ref.version, "agencyID": ref.agency}
    container, _, identity = ref.item.rpartition(".")
    if container and ref.type in _HIERARCHY_PARTS:
        return {"id": identity, "containerID": container, **parent, **said}
    if ref.type in _CONTAINERS:
        return {"id": ref.item, "containerID": _CONTAINERS[ref.type], **parent, **said}
    return {"id": ref.item, **parent, **said}


_TODAY = {"ContentConstraint": "DataConstraint"}
"""Classes of 2.1 whose successors have the same identity."""
_CLASSES_2_1 = {"DataAttribute": "Attribute", "Measure": "PrimaryMeasure", "DataConstraint": "ContentConstraint"}
_CONTAINERS = {
    "Dimension": "DimensionDescriptor",
    "TimeDimension": "DimensionDescriptor",
    "MeasureDimension": "DimensionDescriptor",
    "DataAttribute": "AttributeDescriptor",
    "PrimaryMeasure": "MeasureDescriptor",
    "Measure": "MeasureDescriptor",
}


def read_local_id(element: Element) -> str:
    """The id of a component of the same structure: text in 3.x, the ``id`` of a local ``Ref`` in 2.1.

    Raises:
        UnreadableFile: there is none.
    """
    ref = first(element, "Ref")
    if ref is not None:
        return _needed(ref, "id")
    identity = token_of(element)
    if not identity or next(children(element), None) is not None:
        raise unreadable(element, "the id of a component is missing.")
    return identity


def append_local_id(parent: Element, tag: str, identity: str, version: str) -> Element:
    """A new last child that names a component of the same structure."""
    if version != "2.1":
        return append(parent, tag, identity)
    child = append(parent, tag)
    return append(child, "Ref", id=identity)


def read_component_place(element: Element) -> ComponentPlace:
    """The component that a ``Ref`` of SDMX-ML 2.1 names together with its list and class.

    Raises:
        UnreadableFile: there is none, or it does not say them.
    """
    ref = first(element, "Ref")
    if ref is None:
        raise unreadable(element, "the reference to a component is missing.")
    said = {name: _needed(ref, name) for name in ("id", "package", "containerID", "class")}
    return ComponentPlace(id=said["id"], package=said["package"], container=said["containerID"], kind=said["class"])


def append_component_place(parent: Element, tag: str, place: ComponentPlace) -> Element:
    """A new last child that names a component together with its list and class."""
    said = {"id": place.id, "containerID": place.container, "package": place.package, "class": place.kind}
    return append(append(parent, tag), "Ref", **said)
