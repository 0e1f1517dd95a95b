"""Shapes from JSON: what reads any shape of ``structure_shapes`` from SDMX-JSON.

Reading takes what 2.0 or 2.1 have, whichever the message claims to be: many do not say. The shapes of 1.0 are others
(``structure_tables_1_0``). What is neither is refused,
except for properties that begin with ``x-`` (SDMX-JSON 2.1, *specification extensions*).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sdmx_service.errors import SdmxError, UnreadableFile
from sdmx_service.formats.sdmx_json.header import (
    take_addresses,
    take_texts,
)
from sdmx_service.formats.sdmx_json.structure_terms import (
    EXTERNAL,
    SELF,
    SERVICE,
    annotation_link,
    short,
)
from sdmx_service.formats.sdmx_json.structure_values import KIND_NAMES, KINDS
from sdmx_service.formats.structure_shapes import (
    Addresses,
    AnnotationLinks,
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
    Nest,
    OptionalDimensions,
    Part,
    Position,
    Reference,
    Shape,
    Spelled,
    Urn,
    Value,
    Values,
    required_of,
)
from sdmx_service.model.artefact import Link, Maintainable, Texts
from sdmx_service.model.urn import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One object being read: where it stands, and what has been found so far."""

    node: Mapping[str, Any]
    path: str
    language: str
    shape: Shape
    found: dict[str, Any]

    def fault(self, name: str, problem: str) -> UnreadableFile:
        """The error that says what is wrong with a property, and where it stands."""
        return UnreadableFile(f"{self.path}/{name}: {problem}")

    def text(self, name: str) -> str | None:
        """The text of a property; None without it.

        Raises:
            UnreadableFile: it is not a text.
        """
        value = self.node.get(name)
        if value is not None and not isinstance(value, str):
            raise self.fault(name, f"{short(value)} is not a text.")
        return value

    def list(self, name: str) -> list[Any]:
        """The array of a property; empty without it.

        Raises:
            UnreadableFile: it is not an array.
        """
        value = self.node.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.fault(name, f"{short(value)} is not an array.")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """The texts of an array.

        Raises:
            UnreadableFile: it is not an array of texts.
        """
        found = self.list(name)
        for place, one in enumerate(found):
            if not isinstance(one, str):
                raise self.fault(f"{name}/{place}", f"{short(one)} is not a text.")
        return tuple(found)

    def add(self, name: str, values: tuple[Any, ...]) -> None:
        """Add to an attribute that several fields share."""
        self.found[name] = self.found.get(name, ()) + values


def read(node: object, shape: Shape, path: str, language: str) -> Any:
    """The object that a JSON object of this shape says.

    Args:
        node: the JSON object (or, where the shape allows, a string).
        shape: its shape.
        path: where it stands, as a JSON pointer.
        language: the language of texts that do not say theirs.

    Raises:
        UnreadableFile: it has a property that the shape does not know, lacks one, or a value is not of its type.
    """
    if shape.bare and isinstance(node, str):
        return (shape.make or shape.model)(**{shape.bare: node}, **shape.given)
    if not isinstance(node, dict):
        raise UnreadableFile(f"{path}: {short(node)} is not an object.")
    reading = Reading(node=node, path=path, language=language, shape=shape, found=dict(shape.given))
    _read_fields(reading, _readable(shape.fields))
    missing = required_of(shape.model) - reading.found.keys() - {"id" if shape.make else ""}
    if missing:
        names = ", ".join(sorted(_spelling(shape, name) for name in missing))
        raise UnreadableFile(f"{path}: the {shape.name} has no {names}.")
    made = (shape.make or shape.model)(**reading.found)
    if getattr(made, "id", None) == "":
        raise UnreadableFile(f"{path}: the {shape.name} has no id.")
    return made


def _spelling(shape: Shape, name: str) -> str:
    return next((part.json for part in _readable(shape.fields) if name in part.models and part.json), name)


@cache
def _readable(parts: tuple[Field, ...]) -> tuple[Field, ...]:
    """The fields of SDMX 3.0 and later that SDMX-JSON has."""
    return tuple(part for part in parts if part.until >= "3.0" and (part.json or isinstance(part, Nest)))


@cache
def _names(parts: tuple[Field, ...]) -> frozenset[str]:
    """The properties that the fields read."""
    names: set[str] = set()
    for part in _readable(parts):
        if isinstance(part, Nest) and not part.json:
            names |= _names(part.fields)
        else:
            names |= {part.json, *_OTHER_NAMES.get(type(part), ())}
            if isinstance(part, Localised):
                names.add(part.all)
    return frozenset(names)


_OTHER_NAMES: Mapping[type, tuple[str, ...]] = {
    Addresses: ("telephones", "faxes", "x400s", "uris", "emails"),
    OptionalDimensions: ("areDimensionsOptional",),
    MemberValues: ("wildcardedMemberValues",),
    Urn: ("urn", "uri"),
}


def _read_fields(reading: Reading, parts: tuple[Field, ...]) -> None:
    for name in reading.node.keys() - _names(parts):
        if not name.startswith("x-"):
            raise reading.fault(name, f"SDMX-JSON has no such property of {reading.shape.name}.")
    for part in parts:
        _READERS[type(part)](part, reading)


def _typed(reading: Reading, name: str, value: Any, kind: Kind) -> Any:
    reader = KINDS[kind]
    found = reader(value)
    if found is None:
        raise reading.fault(name, f"{short(value)} is not {KIND_NAMES[kind]}.")
    return found


def _read_value(part: Value, reading: Reading) -> None:
    value = reading.node.get(part.json)
    if value is None:
        if part.missing is not None:
            reading.found.setdefault(part.model, part.missing)
        return
    typed = _typed(reading, part.json, value, part.kind)
    if part.words is not None:
        if typed not in part.words:
            raise reading.fault(part.json, f"{short(typed)} is not one of {', '.join(map(repr, part.words))}.")
        typed = part.words[typed]
    if part.among is not None and typed not in part.among:
        raise reading.fault(part.json, f"{short(typed)} is not one of {', '.join(sorted(part.among))}.")
    reading.found[part.model] = typed
    reading.found.update(part.also or {})


def _read_values(part: Values, reading: Reading) -> None:
    values = reading.list(part.json)
    read_in = enumerate(values)
    reading.add(part.model, tuple(_typed(reading, f"{part.json}/{place}", one, part.kind) for place, one in read_in))


def _read_localised(part: Localised, reading: Reading) -> None:
    texts = take_texts(reading.node, part.json, part.all, reading.path, reading.language)
    if texts:
        reading.found[part.model] = texts


def _ref(reading: Reading, name: str, text: Any) -> Ref:
    if not isinstance(text, str):
        raise reading.fault(name, f"{short(text)} is not a URN.")
    try:
        return Ref.parse(text.strip())
    except SdmxError as error:
        raise UnreadableFile(f"{reading.path}/{name}: {error.detail}", hint=error.hint) from None


def _read_reference(part: Reference, reading: Reading) -> None:
    if part.many:
        found = enumerate(reading.list(part.json))
        refs = (_ref(reading, f"{part.json}/{place}", one) for place, one in found)
        reading.add(part.model, tuple(dict.fromkeys(refs)))
    elif (value := reading.node.get(part.json)) is not None:
        ref = _ref(reading, part.json, value)
        reading.found[part.model] = (ref,) if part.model == "attachments" else ref


def _read_local_id(part: LocalId, reading: Reading) -> None:
    if part.many:
        reading.add(part.model, reading.texts(part.json))
    elif (text := reading.text(part.json)) is not None:
        reading.found[part.model] = text


def _read_part(part: Part, reading: Reading) -> None:
    value = reading.node.get(part.json)
    if value is None:
        if part.many:
            reading.add(part.model, ())
        return
    shape, path = part.shape(), f"{reading.path}/{part.json}"
    if part.boxed:
        _read_boxed(part, reading)
    elif not part.many:
        reading.found[part.model] = read(value, shape, path, reading.language)
    elif part.lone:
        reading.add(part.model, (read(value, shape, path, reading.language),))
    else:
        members = enumerate(reading.list(part.json))
        reading.add(part.model, tuple(read(one, shape, f"{path}/{place}", reading.language) for place, one in members))


def _read_boxed(part: Part, reading: Reading) -> None:
    members = reading.list(part.json)
    if len(members) > 1:
        raise reading.fault(part.json, "there may be one.")
    for one in members:
        reading.found[part.model] = read(one, part.shape(), f"{reading.path}/{part.json}/0", reading.language)


def _read_nest(part: Nest, reading: Reading) -> None:
    parts = _readable(part.fields)
    if not part.json:
        for one in parts:
            _READERS[type(one)](one, reading)
        return
    node = reading.node.get(part.json)
    if node is None:
        return
    if not isinstance(node, dict):
        raise reading.fault(part.json, f"{short(node)} is not an object.")
    inner = Reading(
        node=node, path=f"{reading.path}/{part.json}", language=reading.language, shape=reading.shape,
        found=reading.found
    )  # fmt: skip
    _read_fields(inner, parts)


def _read_flag(part: Flag, reading: Reading) -> None:
    if reading.node.get(part.json) is not None:
        reading.found[part.model] = part.value


def _link(reading: Reading, place: int, node: Any) -> Link:
    path = f"{reading.path}/links/{place}"
    if not isinstance(node, dict):
        raise UnreadableFile(f"{path}: {short(node)} is not an object.")
    for name, value in node.items():
        if name != "titles" and not isinstance(value, str) and not name.startswith("x-"):
            raise UnreadableFile(f"{path}/{name}: {short(value)} is not a text.")
    return Link(
        rel=node.get("rel", ""),
        url=node.get("href"),
        urn=node.get("urn"),
        uri=node.get("uri"),
        type=node.get("type"),
        titles=take_texts(node, "title", "titles", path, reading.language),
        language=node.get("hreflang"),
    )


def _read_links(part: Links, reading: Reading) -> None:
    """Links; those that say what SDMX-ML has in attributes become that, and the artefact's own address is left out."""
    links = []
    for place, node in enumerate(reading.list(part.json)):
        link = _link(reading, place, node)
        if link.rel == SELF:
            if link.uri is not None:
                reading.found["uri"] = link.uri
        elif _is_address(link, SERVICE, reading.shape):
            reading.found["service_url"] = link.url
        elif _is_address(link, EXTERNAL, reading.shape):
            reading.found["structure_url"] = link.url
        else:
            links.append(link)
    reading.add(part.model, tuple(links))


def _is_address(link: Link, relation: str, shape: Shape) -> bool:
    return issubclass(shape.model, Maintainable) and link == Link(rel=relation, url=link.url)


def _read_annotation_links(part: AnnotationLinks, reading: Reading) -> None:
    urls: dict[str, str] = {}
    links = []
    for place, node in enumerate(reading.list(part.json)):
        link = _link(reading, place, node)
        language = link.language or ""
        if link.url is not None and link == annotation_link(language, link.url) and language not in urls:
            urls[language] = link.url
        else:
            links.append(link)
    reading.found["urls"] = Texts(urls)
    reading.add("links", tuple(links))


def _read_addresses(part: Addresses, reading: Reading) -> None:
    reading.add(part.model, take_addresses(reading.node, reading.path))


def _read_optional_dimensions(part: OptionalDimensions, reading: Reading) -> None:
    names = reading.texts(part.json)
    flags = reading.list("areDimensionsOptional")
    reading.add("dimensions", names)
    if flags and len(flags) != len(names):
        raise reading.fault("areDimensionsOptional", f"{len(flags)} entries for {len(names)} dimensions.")
    pairs = zip(names, flags, strict=True) if flags else ()
    reading.add("optional_dimensions", tuple(name for name, is_optional in pairs if is_optional))


def _read_member_values(part: MemberValues, reading: Reading) -> None:
    pairs = []
    for place, one in enumerate(reading.list(part.json)):
        name = f"{part.json}/{place}"
        node = one if isinstance(one, dict) else {"value": one}
        value = _typed(reading, name, node.get("value"), "token")
        pairs.append((value, _typed(reading, name, node.get("cascadeValues", False), "cascade")))
    pairs += [(value, "false") for value in reading.texts("wildcardedMemberValues")]
    reading.add(part.model, tuple(pairs))


def _read_map_columns(part: MapColumns, reading: Reading) -> None:
    columns: list[Ref | str] = []
    for place, node in enumerate(reading.list(part.json)):
        name = f"{part.json}/{place}"
        if isinstance(node, dict) and "codelist" in node:
            columns.append(_ref(reading, f"{name}/codelist", node["codelist"]))
        elif isinstance(node, dict) and isinstance(node.get("dataType"), str):
            columns.append(node["dataType"])
        else:
            raise reading.fault(name, "it names neither a codelist nor a dataType.")
    reading.add(part.model, tuple(columns))


def _read_mapped_components(part: MappedComponents, reading: Reading) -> None:
    pairs = []
    for place, node in enumerate(reading.list(part.json)):
        if not isinstance(node, dict) or not all(isinstance(node.get(name), str) for name in ("source", "target")):
            raise reading.fault(f"{part.json}/{place}", "it is not a pair of source and target.")
        pairs.append((node["source"], node["target"]))
    if len({target for _, target in pairs}) != 1:
        raise reading.fault(part.json, "a time map without target or with several is not supported.")
    reading.found["sources"] = tuple(source for source, _ in pairs)
    reading.found["target"] = pairs[0][1]


def _read_spelled(part: Spelled, reading: Reading) -> None:
    value = reading.node.get(part.json)
    if value is None:
        return
    try:
        reading.found[part.found or part.model] = part.take(value)
    except SdmxError as error:
        raise reading.fault(part.json, error.detail) from None
    except (TypeError, ValueError):
        raise reading.fault(part.json, f"{short(value)} is not what belongs here.") from None


def _pass(part: Field, reading: Reading) -> None:
    """Nothing to read: what is written there follows from something else."""


_READERS: Mapping[type, Callable[[Any, Reading], None]] = {
    Value: _read_value,
    Values: _read_values,
    Localised: _read_localised,
    Reference: _read_reference,
    LocalId: _read_local_id,
    Part: _read_part,
    Nest: _read_nest,
    Flag: _read_flag,
    Fixed: _pass,
    Position: _pass,
    Urn: _pass,
    Links: _read_links,
    AnnotationLinks: _read_annotation_links,
    Addresses: _read_addresses,
    OptionalDimensions: _read_optional_dimensions,
    MemberValues: _read_member_values,
    MapColumns: _read_map_columns,
    MappedComponents: _read_mapped_components,
    Spelled: _read_spelled,
}
