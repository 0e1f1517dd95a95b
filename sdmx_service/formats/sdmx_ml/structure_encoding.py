"""Shapes as XML: what writes any shape of ``structure_shapes`` as SDMX-ML."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sdmx_service.errors import CannotWrite, SyntaxFault
from sdmx_service.formats.days import day_of
from sdmx_service.formats.sdmx_ml.header import append_contact_addresses
from sdmx_service.formats.sdmx_ml.namespaces import NAMESPACES, XML_LANG, Namespaces
from sdmx_service.formats.sdmx_ml.structure_elements import (
    Element,
    append,
    append_texts,
    place_written,
    writable,
)
from sdmx_service.formats.sdmx_ml.structure_references import (
    append_component_place,
    append_local_id,
    append_reference,
    ref_attributes,
)
from sdmx_service.formats.structure_shapes import (
    SELF,
    Addresses,
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
    belongs,
    left_over,
    parts_of,
)
from sdmx_service.model.artefact import Maintainable, Texts
from sdmx_service.model.urn import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """One element being written: what it stands for, and its place among its siblings."""

    element: Element
    thing: Any
    version: str
    position: int = 1

    @property
    def spaces(self) -> Namespaces:
        """The namespaces of the version."""
        return NAMESPACES[self.version]

    def tag(self, name: str, space: str = "structure") -> str:
        """The full name of an element."""
        return f"{{{self.spaces.common if space == 'common' else self.spaces.structure}}}{name}"


def write(parent: Element, tag: str, thing: Any, shape: Shape, version: str, position: int = 1) -> Element:
    """A new last child that says what an object of this shape is.

    Raises:
        CannotWrite: the object says something that the version cannot carry.
    """
    element = append(parent, tag)
    parts = parts_of(shape.fields, version, "ml")
    if (identity := getattr(thing, "id", None)) is not None and any(part.ml == "id" for part in parts):
        element.set("id", writable(element, identity))  # early, so that errors can say where
    for name in left_over(shape, thing, version, "ml"):
        raise CannotWrite(
            f"{place_written(element)}: SDMX-ML {version} cannot carry {name} of {shape.name} "
            f"({_short(getattr(thing, name))})."
        )
    writing = Writing(element=element, thing=thing, version=version, position=position)
    for part in parts:
        _WRITERS[type(part)](part, writing)
    return element


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:197] + "..."


def _spelt(value: Any, kind: Kind) -> str:
    return str(value).lower() if kind == "boolean" else str(value)


def _write_value(part: Value, writing: Writing) -> None:
    if part.when is not None and not part.when(writing.thing):
        return
    value = getattr(writing.thing, part.model)
    if value is None and (part.place == "content" or part.blank):
        value = ""
    if value is None or (value == part.default and not part.always):
        return
    if part.words is not None:
        value = next(word for word, meant in part.words.items() if meant == value)
    text = _spelt(value, part.kind)
    if part.kind in ("day", "last day"):
        text = day_of(text, part.kind, place_written(writing.element))
        if "T" in text:
            raise CannotWrite(f"{place_written(writing.element)}: SDMX-ML has a date as {part.ml}, and not {text!r}.")
    if part.place == "element":
        append(writing.element, writing.tag(part.ml, part.space), text)
    elif part.place == "content":
        writing.element.text = writable(writing.element, text)
    else:
        writing.element.set(XML_LANG if part.ml == "xml:lang" else part.ml, writable(writing.element, text))


def _write_values(part: Values, writing: Writing) -> None:
    for value in getattr(writing.thing, part.model) or part.fill:
        append(writing.element, writing.tag(part.ml), _spelt(value, part.kind))


def _write_localised(part: Localised, writing: Writing) -> None:
    texts = getattr(writing.thing, part.model)
    if not texts and part.required:
        texts = Texts({"en": str(getattr(writing.thing, "id", None) or getattr(writing.thing, "value", ""))})
    if part.neutral and writing.version == "2.1" and tuple(texts) not in ((), ("",)):
        raise CannotWrite(f"{place_written(writing.element)}: SDMX-ML 2.1 has one {part.ml}, without language.")
    append_texts(writing.element, writing.tag(part.ml, part.space), texts)


def _write_reference(part: Reference, writing: Writing) -> None:
    value = getattr(writing.thing, part.model)
    if part.ml == SELF:
        append(writing.element, "Ref", **ref_attributes(writing.element, value))
        return
    refs = () if value is None else value if isinstance(value, tuple) else (value,)
    for ref in refs:
        if belongs(part, ref):
            append_reference(writing.element, writing.tag(part.ml), ref, writing.version)


def _write_local_id(part: LocalId, writing: Writing) -> None:
    value = getattr(writing.thing, part.model)
    for identity in value if part.many else () if value is None else (value,):
        if part.inner:
            holder = append(writing.element, writing.tag(part.ml))
            append_local_id(holder, writing.tag(part.inner), identity, writing.version)
        else:
            append_local_id(writing.element, writing.tag(part.ml), identity, writing.version)


def _write_part(part: Part, writing: Writing) -> None:
    if part.when is not None and not part.when(writing.thing):
        return
    value = getattr(writing.thing, part.model)
    if value is None and part.fill is not None:
        value = part.fill()
    if not part.many:
        value = () if value is None else (value,)
    tag, shape = writing.tag(part.ml, part.space), part.shape()
    for position, one in enumerate(value, 1):
        if part.only is None or part.only(one):
            write(writing.element, tag, one, shape, writing.version, position)


def _write_mixture(part: Mixture, writing: Writing) -> None:
    for position, one in enumerate(getattr(writing.thing, part.models[0]), 1):
        fitting = next((each for each in part.parts if each.only is None or each.only(one)), None)
        if fitting is None:
            raise CannotWrite(
                f"{place_written(writing.element)}: SDMX-ML {writing.version} has no place for {_short(one)}."
            )
        write(writing.element, writing.tag(fitting.ml, fitting.space), one, fitting.shape(), writing.version, position)


def _write_nest(part: Nest, writing: Writing) -> None:
    inner = append(writing.element, writing.tag(part.ml, part.space))
    nested = Writing(element=inner, thing=writing.thing, version=writing.version)
    for one in parts_of(part.fields, writing.version, "ml"):
        _WRITERS[type(one)](one, nested)
    if not part.always and len(inner) == 0 and not inner.text:
        writing.element.remove(inner)


def _write_flag(part: Flag, writing: Writing) -> None:
    if getattr(writing.thing, part.model) == part.value:
        element = append(writing.element, writing.tag(part.ml))
        if part.refers:
            append(element, "Ref", id=part.refers)


def _write_fixed(part: Fixed, writing: Writing) -> None:
    if part.value is not None and part.ml:
        writing.element.set(part.ml, str(part.value))


def _write_position(part: Position, writing: Writing) -> None:
    writing.element.set(part.ml, str(writing.position))


def _write_urn(part: Urn, writing: Writing) -> None:
    if isinstance(writing.thing, Maintainable):
        try:
            urn = writing.thing.urn
        except SyntaxFault as fault:
            raise CannotWrite(f"{place_written(writing.element)}: {fault.detail}") from None
        writing.element.set(part.ml, urn)


def _write_links(part: Links, writing: Writing) -> None:
    for link in getattr(writing.thing, part.model):
        if link.url is None or link.uri is not None or link.titles or link.language is not None:
            raise CannotWrite(
                f"{place_written(writing.element)}: SDMX-ML cannot carry the link {_short(link)}: it needs an address "
                "and has no title or language."
            )
        said = {"rel": link.rel, "url": link.url, "urn": link.urn, "type": link.type}
        append(
            writing.element,
            writing.tag(part.ml, "common"),
            **{name: text for name, text in said.items() if text is not None},
        )


def _write_addresses(part: Addresses, writing: Writing) -> None:
    append_contact_addresses(writing.element, getattr(writing.thing, part.model), writing.spaces.structure)


def _write_optional_dimensions(part: OptionalDimensions, writing: Writing) -> None:
    for name in writing.thing.dimensions:
        child = append_local_id(writing.element, writing.tag(part.ml), name, writing.version)
        if name in writing.thing.optional_dimensions:
            child.set("optional", "true")


def _write_member_values(part: MemberValues, writing: Writing) -> None:
    for value, cascade in getattr(writing.thing, part.model):
        child = append(writing.element, writing.tag(part.ml), value)
        if cascade not in ("", "false"):
            child.set("cascadeValues", cascade)


def _write_map_columns(part: MapColumns, writing: Writing) -> None:
    for column in getattr(writing.thing, part.model):
        if isinstance(column, Ref):
            append_reference(writing.element, writing.tag(f"{part.ml}Codelist"), column, writing.version)
        else:
            append(writing.element, writing.tag(f"{part.ml}DataType"), column)


def _write_mapped_components(part: MappedComponents, writing: Writing) -> None:
    for source in writing.thing.sources:
        append(writing.element, writing.tag("Source"), source)
        append(writing.element, writing.tag("Target"), writing.thing.target)


def _write_placed_component(part: PlacedComponent, writing: Writing) -> None:
    append_component_place(writing.element, writing.tag(part.ml), getattr(writing.thing, part.model))


_WRITERS: Mapping[type, Callable[[Any, Writing], None]] = {
    Value: _write_value,
    Values: _write_values,
    Localised: _write_localised,
    Reference: _write_reference,
    LocalId: _write_local_id,
    Part: _write_part,
    Mixture: _write_mixture,
    Nest: _write_nest,
    Flag: _write_flag,
    Fixed: _write_fixed,
    Position: _write_position,
    Urn: _write_urn,
    Links: _write_links,
    Addresses: _write_addresses,
    OptionalDimensions: _write_optional_dimensions,
    MemberValues: _write_member_values,
    MapColumns: _write_map_columns,
    MappedComponents: _write_mapped_components,
    PlacedComponent: _write_placed_component,
}
