"""Shapes from XML: what reads any shape of ``structure_shapes`` from SDMX-ML."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sdmx_service.formats.sdmx_ml.header import read_contact_addresses
from sdmx_service.formats.sdmx_ml.namespaces import XML_LANG
from sdmx_service.formats.sdmx_ml.structure_elements import (
    Element,
    as_boolean,
    as_integer,
    children,
    first,
    local_name,
    text_of,
    texts_of,
    token_of,
    unreadable,
)
from sdmx_service.formats.sdmx_ml.structure_references import (
    parse_urn,
    read_component_place,
    read_local_id,
    read_reference,
)
from sdmx_service.formats.structure_shapes import (
    SELF,
    Addresses,
    Field,
    Fixed,
    Flag,
    Kind,
    Links,
    LocalId,
    Localised,
    MapColumns,
    MappedComponents,
    MemberValues,
    Mixture,
    Nest,
    OptionalDimensions,
    Part,
    PlacedComponent,
    Position,
    Reference,
    Shape,
    Urn,
    Value,
    Values,
    parts_of,
    required_of,
)
from sdmx_service.model.artefact import Link, Texts
from sdmx_service.model.urn import Ref

_UNBOUNDED = "unbounded"
_SELF = "self"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One element being read: its children by name, and what has been found so far."""

    element: Element
    version: str
    groups: Mapping[str, list[Element]]
    found: dict[str, Any]

    def one(self, name: str) -> Element | None:
        """The child with that name; None without one.

        Raises:
            UnreadableFile: there are several.
        """
        group = self.groups.get(name, ())
        if len(group) > 1:
            raise unreadable(group[1], f"a second {name}, where there may be one.")
        return group[0] if group else None

    def many(self, name: str) -> list[Element]:
        """The children with that name."""
        return self.groups.get(name, [])

    def add(self, name: str, values: tuple[Any, ...]) -> None:
        """Add to an attribute that several fields share."""
        self.found[name] = self.found.get(name, ()) + values


def read(element: Element, shape: Shape, version: str) -> Any:
    """The object that an element of this shape says.

    Raises:
        UnreadableFile: it has a part that the shape does not know, lacks one, or a value is not of its type.
    """
    found = dict(shape.given)
    _read_fields(element, parts_of(shape.fields, version, "ml"), version, found)
    make = shape.make or shape.model
    missing = required_of(shape.model) - found.keys() - {"id" if shape.make else ""}
    if missing:
        names = ", ".join(sorted(_spelling(shape, name, version) for name in missing))
        raise unreadable(element, f"{local_name(element)} has no {names}.")
    made = make(**found)
    if getattr(made, "id", None) == "":
        raise unreadable(element, f"{local_name(element)} has no id.")
    return made


def _spelling(shape: Shape, name: str, version: str) -> str:
    parts = [part for part in parts_of(shape.fields, version, "ml") if name in part.models]
    return parts[0].ml if parts else name


def _read_fields(element: Element, parts: tuple[Field, ...], version: str, found: dict[str, Any]) -> None:
    groups: dict[str, list[Element]] = {}
    for child in children(element):
        groups.setdefault(local_name(child), []).append(child)
    _refuse_unknown(element, parts, groups)
    reading = Reading(element=element, version=version, groups=groups, found=found)
    for part in parts:
        _READERS[type(part)](part, reading)


def _refuse_unknown(element: Element, parts: tuple[Field, ...], groups: Mapping[str, list[Element]]) -> None:
    attributes, elements = _names(parts)
    for name in element.attrib:
        if name not in attributes and not str(name).startswith("{"):
            raise unreadable(element, f"{local_name(element)} has no attribute {str(name)!r}.")
    for name, group in groups.items():
        if name not in elements:
            raise unreadable(group[0], f"SDMX-ML has no {name} in {local_name(element)}, or it is not supported.")


@cache
def _names(parts: tuple[Field, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """The names of the attributes and of the child elements that the fields read."""
    attributes = (part.ml for part in parts if _is_attribute(part))
    elements = (name for part in parts if not _is_attribute(part) for name in _element_names(part))
    return frozenset(attributes), frozenset(elements)


def _is_attribute(part: Field) -> bool:
    return isinstance(part, Fixed | Position | Urn) or (isinstance(part, Value) and part.place == "attribute")


def _element_names(part: Field) -> tuple[str, ...]:
    if isinstance(part, Reference) and part.ml == SELF:
        return ("Ref", "URN")
    if isinstance(part, Mixture):
        return tuple(one.ml for one in part.parts)
    if isinstance(part, Addresses):
        return ("Telephone", "Fax", "X400", "URI", "Email")
    if isinstance(part, MapColumns):
        return (f"{part.ml}Codelist", f"{part.ml}DataType")
    return ("Source", "Target") if isinstance(part, MappedComponents) else (part.ml,)


def _typed(element: Element, text: str, kind: Kind) -> Any:
    if kind == "text" or kind == "scalar":
        return text
    if kind == "boolean":
        return as_boolean(element, text)
    if kind == "integer" or (kind == "occurs" and text.strip() != _UNBOUNDED):
        return as_integer(element, text)
    return text.strip()


def _read_value(part: Value, reading: Reading) -> None:
    element, text = reading.element, None
    if part.place == "attribute":
        text = element.get(XML_LANG if part.ml == "xml:lang" else part.ml)
    elif part.place == "content":
        text = text_of(element)
    elif (child := reading.one(part.ml)) is not None:
        element, text = child, text_of(child)
    if text is None or (part.blank and not text):
        if part.missing is not None:
            reading.found[part.model] = part.missing
        return
    value = _typed(element, text, part.kind)
    if part.words is not None:
        if value not in part.words:
            raise unreadable(element, f"{part.ml} is {value!r}, not one of {', '.join(map(repr, part.words))}.")
        value = part.words[value]
    if part.among is not None and value not in part.among:
        raise unreadable(element, f"{part.ml} is {value!r}, not one of {', '.join(sorted(part.among))}.")
    reading.found[part.model] = value
    reading.found.update(part.also or {})


def _read_values(part: Values, reading: Reading) -> None:
    reading.add(part.model, tuple(_typed(one, text_of(one), part.kind) for one in reading.many(part.ml)))


def _read_localised(part: Localised, reading: Reading) -> None:
    group = reading.many(part.ml)
    if not group:
        return
    if part.neutral:
        pairs = [(one.get(XML_LANG, ""), token_of(one)) for one in group]
        if len({language for language, _ in pairs}) < len(pairs):
            raise unreadable(group[-1], f"a second {part.ml} in one language.")
        reading.found[part.model] = Texts(pairs)
    else:
        reading.found[part.model] = texts_of(group)


def _read_reference(part: Reference, reading: Reading) -> None:
    if part.ml == SELF:
        reading.found[part.model] = read_reference(reading.element, part.to)
        return
    refs = tuple(dict.fromkeys(read_reference(one, part.to) for one in reading.many(part.ml)))
    if part.many or part.model == "attachments":
        reading.add(part.model, refs)
    elif (child := reading.one(part.ml)) is not None:
        reading.found[part.model] = read_reference(child, part.to)


def _read_local_id(part: LocalId, reading: Reading) -> None:
    if not part.many:
        if (child := reading.one(part.ml)) is not None:
            reading.found[part.model] = read_local_id(child)
        return
    holders = [_inner(one, part.inner) if part.inner else one for one in reading.many(part.ml)]
    reading.add(part.model, tuple(read_local_id(one) for one in holders))


def _inner(element: Element, name: str) -> Element:
    found = first(element, name)
    if found is None:
        raise unreadable(element, f"{local_name(element)} has no {name}.")
    return found


def _read_part(part: Part, reading: Reading) -> None:
    if part.many:
        shape = part.shape()
        reading.add(part.model, tuple(read(one, shape, reading.version) for one in reading.many(part.ml)))
    elif (child := reading.one(part.ml)) is not None:
        reading.found[part.model] = read(child, part.shape(), reading.version)


def _read_mixture(part: Mixture, reading: Reading) -> None:
    shapes = {one.ml: one.shape() for one in part.parts}
    members = (child for child in children(reading.element) if local_name(child) in shapes)
    reading.add(part.models[0], tuple(read(one, shapes[local_name(one)], reading.version) for one in members))


def _read_nest(part: Nest, reading: Reading) -> None:
    if (child := reading.one(part.ml)) is not None:
        _read_fields(child, parts_of(part.fields, reading.version, "ml"), reading.version, reading.found)


def _read_flag(part: Flag, reading: Reading) -> None:
    if reading.one(part.ml) is not None:
        reading.found[part.model] = part.value


def _read_links(part: Links, reading: Reading) -> None:
    """Links; the artefact's own address follows from its identification and is left out (*choice*)."""
    links = []
    for one in reading.many(part.ml):
        if (rel := one.get("rel")) is None:
            raise unreadable(one, "the link has no rel.")
        if rel != _SELF:
            links.append(Link(rel=rel, url=one.get("url"), urn=one.get("urn"), type=one.get("type")))
    reading.add(part.model, tuple(links))


def _read_addresses(part: Addresses, reading: Reading) -> None:
    reading.add(part.model, read_contact_addresses(reading.element))


def _read_optional_dimensions(part: OptionalDimensions, reading: Reading) -> None:
    group = reading.many(part.ml)
    names = tuple(read_local_id(one) for one in group)
    reading.add("dimensions", names)
    optional = (as_boolean(one, one.get("optional", "false")) for one in group)
    reading.add("optional_dimensions", tuple(name for name, is_so in zip(names, optional, strict=True) if is_so))


def _read_member_values(part: MemberValues, reading: Reading) -> None:
    pairs = tuple((token_of(one), one.get("cascadeValues", "false")) for one in reading.many(part.ml))
    reading.add(part.model, pairs)


def _read_map_columns(part: MapColumns, reading: Reading) -> None:
    columns: list[Ref | str] = []
    for child in children(reading.element):
        if local_name(child) == f"{part.ml}Codelist":
            columns.append(parse_urn(child, token_of(child)))
        elif local_name(child) == f"{part.ml}DataType":
            columns.append(token_of(child))
    reading.add(part.model, tuple(columns))


def _read_mapped_components(part: MappedComponents, reading: Reading) -> None:
    targets = {token_of(one) for one in reading.many("Target")}
    if len(targets) != 1:
        raise unreadable(reading.element, "a time map with several targets is not supported.")
    reading.found["sources"] = tuple(token_of(one) for one in reading.many("Source"))
    reading.found["target"] = targets.pop()


def _read_placed_component(part: PlacedComponent, reading: Reading) -> None:
    if (child := reading.one(part.ml)) is not None:
        reading.found[part.model] = read_component_place(child)


def _pass(part: Field, reading: Reading) -> None:
    """Nothing to read: what is written there follows from something else."""


_READERS: Mapping[type, Callable[[Any, Reading], None]] = {
    Value: _read_value,
    Values: _read_values,
    Localised: _read_localised,
    Reference: _read_reference,
    LocalId: _read_local_id,
    Part: _read_part,
    Mixture: _read_mixture,
    Nest: _read_nest,
    Flag: _read_flag,
    Fixed: _pass,
    Position: _pass,
    Urn: _pass,
    Links: _read_links,
    Addresses: _read_addresses,
    OptionalDimensions: _read_optional_dimensions,
    MemberValues: _read_member_values,
    MapColumns: _read_map_columns,
    MappedComponents: _read_mapped_components,
    PlacedComponent: _read_placed_component,
}
