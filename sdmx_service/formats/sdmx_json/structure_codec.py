"""Shapes as JSON: what reads and writes any shape of ``structure_shapes`` as SDMX-JSON.

Reading takes what 2.0 or 2.1 have, whichever the message claims to be: many do not say. What is neither is refused,
except for properties that begin with ``x-`` (SDMX-JSON 2.1, *specification extensions*).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sdmx_service.errors import CannotWrite, SdmxError, SyntaxFault, UnreadableFile
from sdmx_service.formats.sdmx_json.header import (
    Speech,
    put_addresses,
    put_texts,
    take_addresses,
    take_texts,
)
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
    Urn,
    Value,
    Values,
    belongs,
    left_over,
    parts_of,
    required_of,
)
from sdmx_service.formats.structure_versions import refuse_old
from sdmx_service.model.artefact import Link, Maintainable, Texts
from sdmx_service.model.urn import Ref

_SELF, _SERVICE, _EXTERNAL = "self", "service", "external"
_NO_URN: Mapping[str, frozenset[str]] = {"3.0": frozenset({"ValueList"})}
"""Classes whose URNs the schema of SDMX-JSON 2.0 refuses in links (a defect of it)."""
_UNBOUNDED = "unbounded"
_WILDCARD = "%"


# -------------------------------------------------------------------------------------------------------------- reading


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
            raise self.fault(name, f"{_short(value)} is not a text.")
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
            raise self.fault(name, f"{_short(value)} is not an array.")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """The texts of an array.

        Raises:
            UnreadableFile: it is not an array of texts.
        """
        found = self.list(name)
        for place, one in enumerate(found):
            if not isinstance(one, str):
                raise self.fault(f"{name}/{place}", f"{_short(one)} is not a text.")
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
        raise UnreadableFile(f"{path}: {_short(node)} is not an object.")
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
    reader = _KINDS[kind]
    found = reader(value)
    if found is None:
        raise reading.fault(name, f"{_short(value)} is not {_KIND_NAMES[kind]}.")
    return found


def _as_text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _as_token(value: Any) -> str | None:
    return value.strip() if isinstance(value, str) else None


def _as_boolean(value: Any) -> bool | None:
    return (
        value if isinstance(value, bool) else {"true": True, "false": False}.get(value) if value == str(value) else None
    )


def _as_integer(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() else None
    return value if isinstance(value, int) else None


def _as_number_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return None
    return str(value) if isinstance(value, int | float) else _as_text(value)


def _as_occurs(value: Any) -> int | str | None:
    return _UNBOUNDED if value == _UNBOUNDED else _as_integer(value)


def _as_cascade(value: Any) -> str | None:
    return str(value).lower() if isinstance(value, bool) else _as_token(value)


def _as_day(value: Any) -> str | None:
    return _MIDNIGHT.sub("", value.strip()) if isinstance(value, str) else None


_MIDNIGHT = re.compile(r"T00:00:00(?:\.0+)?(?:Z|[+-]00:00)?$", re.ASCII)
_KINDS: Mapping[Kind, Callable[[Any], Any]] = {
    "text": _as_text,
    "token": _as_token,
    "boolean": _as_boolean,
    "integer": _as_integer,
    "number": _as_number_text,
    "occurs": _as_occurs,
    "cascade": _as_cascade,
    "scalar": _as_number_text,
    "day": _as_day,
}
_KIND_NAMES: Mapping[Kind, str] = {
    "text": "a text",
    "token": "a text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "occurs": "a count or 'unbounded'",
    "cascade": "true, false or 'excluderoot'",
    "scalar": "a text or a number",
    "day": "a date and time",
}


def _read_value(part: Value, reading: Reading) -> None:
    value = reading.node.get(part.json)
    if value is None:
        if part.missing is not None:
            reading.found.setdefault(part.model, part.missing)
        return
    reading.found[part.model] = _typed(reading, part.json, value, part.kind)
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
        raise reading.fault(name, f"{_short(text)} is not a URN.")
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
    if not part.many:
        reading.found[part.model] = read(value, shape, path, reading.language)
    elif part.lone:
        reading.add(part.model, (read(value, shape, path, reading.language),))
    else:
        members = enumerate(reading.list(part.json))
        reading.add(part.model, tuple(read(one, shape, f"{path}/{place}", reading.language) for place, one in members))


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
        raise reading.fault(part.json, f"{_short(node)} is not an object.")
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
        raise UnreadableFile(f"{path}: {_short(node)} is not an object.")
    for name, value in node.items():
        if name != "titles" and not isinstance(value, str) and not name.startswith("x-"):
            raise UnreadableFile(f"{path}/{name}: {_short(value)} is not a text.")
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
        if link.rel == _SELF:
            if link.uri is not None:
                reading.found["uri"] = link.uri
        elif _is_address(link, _SERVICE, reading.shape):
            reading.found["service_url"] = link.url
        elif _is_address(link, _EXTERNAL, reading.shape):
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
        if link.url is not None and link == _annotation_link(language, link.url) and language not in urls:
            urls[language] = link.url
        else:
            links.append(link)
    reading.found["urls"] = Texts(urls)
    reading.add("links", tuple(links))


def _annotation_link(language: str, url: str) -> Link:
    return Link(rel=_SELF, url=url, language=language or None)


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
}


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "..."


# -------------------------------------------------------------------------------------------------------------- writing


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """One object being written: what it stands for, and where."""

    node: dict[str, Any]
    thing: Any
    path: str
    version: str
    speech: Speech
    position: int = 1

    def fault(self, problem: str) -> CannotWrite:
        """The error that says what cannot be carried, and where."""
        return CannotWrite(f"{self.path}: {problem}")


def write(thing: Any, shape: Shape, version: str, speech: Speech, path: str = "", position: int = 1) -> Any:
    """The JSON object (or string) that says what an object of this shape is.

    Args:
        thing: the object.
        shape: its shape.
        version: the version of SDMX: 3.0 for SDMX-JSON 2.0, 3.1 for 2.1.
        speech: in which languages.
        path: where it stands, for errors.
        position: its place among its siblings.

    Raises:
        CannotWrite: the object says something that the version cannot carry.
    """
    here = f"{path}/{getattr(thing, 'id', None) or position}"
    writing = Writing(node={}, thing=thing, path=here, version=version, speech=speech, position=position)
    for name in left_over(shape, thing, version, "json"):
        raise writing.fault(
            f"SDMX-JSON {json_version(version)} cannot carry {name} of {shape.name} ({_short(getattr(thing, name))})."
        )
    for part in parts_of(shape.fields, version, "json"):
        _WRITERS[type(part)](part, writing)
    if shape.bare_written and writing.node.keys() == {shape.bare}:
        return writing.node[shape.bare]
    return writing.node


def json_version(version: str) -> str:
    """The version of SDMX-JSON that belongs to a version of SDMX."""
    return {"3.0": "2.0", "3.1": "2.1"}[version]


def _spelt(writing: Writing, value: Any, kind: Kind) -> Any:
    if kind == "number":
        return _number(writing, value)
    if kind == "day":
        return value if "T" in value else f"{value}T00:00:00Z"
    if kind == "cascade":
        return {"true": True, "false": False, "1": True, "0": False}.get(value, value)
    return value


def _number(writing: Writing, text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise writing.fault(f"{text!r} is not a number, and SDMX-JSON wants one.") from None


def _write_value(part: Value, writing: Writing) -> None:
    if part.when is not None and not part.when(writing.thing):
        return
    value = getattr(writing.thing, part.model)
    if value is None and part.place == "content":
        value = ""
    if value is not None and (value != part.default or part.always):
        writing.node[part.json] = _spelt(writing, value, part.kind)


def _write_values(part: Values, writing: Writing) -> None:
    if values := getattr(writing.thing, part.model):
        writing.node[part.json] = [_spelt(writing, value, part.kind) for value in values]


def _write_localised(part: Localised, writing: Writing) -> None:
    texts = getattr(writing.thing, part.model)
    if not texts and part.required:
        texts = Texts({"en": str(getattr(writing.thing, "id", None) or getattr(writing.thing, "value", ""))})
    put_texts(writing.node, part.json, part.all, texts, writing.speech)


def _urn(writing: Writing, ref: Ref) -> str:
    refuse_old(ref, writing.path)
    try:
        return ref.urn
    except SyntaxFault as fault:
        raise writing.fault(fault.detail) from None


def _write_reference(part: Reference, writing: Writing) -> None:
    value = getattr(writing.thing, part.model)
    refs = () if value is None else value if isinstance(value, tuple) else (value,)
    urns = [_urn(writing, ref) for ref in refs if belongs(part, ref)]
    if not urns:
        return
    if not part.many and len(urns) > 1:
        raise writing.fault(f"SDMX-JSON can name one {part.json}, not {len(urns)}.")
    writing.node[part.json] = urns if part.many else urns[0]


def _write_local_id(part: LocalId, writing: Writing) -> None:
    if value := getattr(writing.thing, part.model):
        writing.node[part.json] = list(value) if part.many else value


def _write_part(part: Part, writing: Writing) -> None:
    if part.when is not None and not part.when(writing.thing):
        return
    value = getattr(writing.thing, part.model)
    if value is None and part.fill is not None:
        value = part.fill()
    things = value if part.many else () if value is None else (value,)
    shape, speech, path = part.shape(), writing.speech, f"{writing.path}/{part.json}"
    written = [
        write(one, shape, writing.version, speech, path, position)
        for position, one in enumerate(things, 1)
        if part.only is None or part.only(one)
    ]
    if not written:
        return
    if part.lone and len(written) > 1:
        raise writing.fault(f"SDMX-JSON {json_version(writing.version)} can carry one {part.json}, not {len(written)}.")
    writing.node[part.json] = written if part.many and not part.lone else written[0]


def _write_nest(part: Nest, writing: Writing) -> None:
    node = {} if part.json else writing.node
    inner = Writing(
        node=node, thing=writing.thing, path=writing.path, version=writing.version, speech=writing.speech,
        position=writing.position
    )  # fmt: skip
    parts = parts_of(part.fields, writing.version, "json")
    for one in parts:
        _WRITERS[type(one)](one, inner)
    said = node.keys() - {one.json for one in parts if isinstance(one, Fixed)}
    if part.json and (said or part.always):
        writing.node[part.json] = node


def _write_flag(part: Flag, writing: Writing) -> None:
    if getattr(writing.thing, part.model) == part.value:
        writing.node[part.json] = {}


def _write_fixed(part: Fixed, writing: Writing) -> None:
    if part.value is not None:
        writing.node[part.json] = part.value


def _write_position(part: Position, writing: Writing) -> None:
    writing.node[part.json] = writing.position


def _write_nothing(part: Field, writing: Writing) -> None:
    """SDMX-JSON says it elsewhere."""


def _said(link: Link, speech: Speech) -> dict[str, Any]:
    pairs = {"rel": link.rel, "href": link.url, "urn": link.urn, "uri": link.uri, "type": link.type}
    node: dict[str, Any] = {
        name: text for name, text in (*pairs.items(), ("hreflang", link.language)) if text is not None
    }
    put_texts(node, "title", "titles", link.titles, speech)
    return node


def _write_links(part: Links, writing: Writing) -> None:
    thing, links = writing.thing, []
    uri = getattr(thing, "uri", None)
    if isinstance(thing, Maintainable):
        if thing.type not in _NO_URN.get(writing.version, ()):
            links.append(Link(rel=_SELF, urn=_urn(writing, thing.ref), uri=uri))
        elif uri is not None:
            links.append(Link(rel=_SELF, url=uri, uri=uri))
        addresses = ((_SERVICE, thing.service_url), (_EXTERNAL, thing.structure_url))
        links += [Link(rel=relation, url=address) for relation, address in addresses if address is not None]
    elif uri is not None:
        links.append(Link(rel=_SELF, url=uri, uri=uri))
    links += getattr(thing, part.model)
    if links:
        writing.node[part.json] = [_said(link, writing.speech) for link in links]


def _write_annotation_links(part: AnnotationLinks, writing: Writing) -> None:
    urls = [_annotation_link(language, url) for language, url in writing.thing.urls.items()]
    if links := (*urls, *writing.thing.links):
        writing.node[part.json] = [_said(link, writing.speech) for link in links]


def _write_addresses(part: Addresses, writing: Writing) -> None:
    put_addresses(writing.node, getattr(writing.thing, part.model))


def _write_optional_dimensions(part: OptionalDimensions, writing: Writing) -> None:
    if names := writing.thing.dimensions:
        writing.node[part.json] = list(names)
        if optional := writing.thing.optional_dimensions:
            writing.node["areDimensionsOptional"] = [name in optional for name in names]


def _write_member_values(part: MemberValues, writing: Writing) -> None:
    members: list[Any] = []
    wildcarded: list[str] = []
    for value, cascade in getattr(writing.thing, part.model):
        spelt = _spelt(writing, cascade or "false", "cascade")
        if _WILDCARD in value and spelt is False:
            wildcarded.append(value)
        else:
            members.append(value if spelt is False else {"value": value, "cascadeValues": spelt})
    writing.node.update({part.json: members} if members else {})
    writing.node.update({"wildcardedMemberValues": wildcarded} if wildcarded else {})


def _write_map_columns(part: MapColumns, writing: Writing) -> None:
    columns = getattr(writing.thing, part.model)
    writing.node[part.json] = [
        {"codelist": _urn(writing, one)} if isinstance(one, Ref) else {"dataType": one} for one in columns
    ]


def _write_mapped_components(part: MappedComponents, writing: Writing) -> None:
    target = writing.thing.target
    writing.node[part.json] = [{"source": source, "target": target} for source in writing.thing.sources]


_WRITERS: Mapping[type, Callable[[Any, Writing], None]] = {
    Value: _write_value,
    Values: _write_values,
    Localised: _write_localised,
    Reference: _write_reference,
    LocalId: _write_local_id,
    Part: _write_part,
    Nest: _write_nest,
    Flag: _write_flag,
    Fixed: _write_fixed,
    Position: _write_position,
    Urn: _write_nothing,
    Links: _write_links,
    AnnotationLinks: _write_annotation_links,
    Addresses: _write_addresses,
    OptionalDimensions: _write_optional_dimensions,
    MemberValues: _write_member_values,
    MapColumns: _write_map_columns,
    MappedComponents: _write_mapped_components,
}
