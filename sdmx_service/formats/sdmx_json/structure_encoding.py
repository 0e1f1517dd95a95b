"""Shapes as JSON: what writes any shape of ``structure_shapes`` as SDMX-JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sdmx_service.errors import CannotWrite, SyntaxFault
from sdmx_service.formats.days import day_of, midnight_of
from sdmx_service.formats.sdmx_json.header import (
    Speech,
    put_addresses,
    put_texts,
)
from sdmx_service.formats.sdmx_json.structure_terms import (
    EXTERNAL,
    SELF,
    SERVICE,
    WILDCARD,
    annotation_link,
    short,
)
from sdmx_service.formats.structure_2_1 import ref_2_1
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
    belongs,
    left_over,
    parts_of,
)
from sdmx_service.formats.structure_versions import refuse_old
from sdmx_service.model.artefact import Link, Maintainable, Texts
from sdmx_service.model.urn import Ref

_NO_URN: Mapping[str, frozenset[str]] = {"3.0": frozenset({"ValueList"})}
"""Classes whose URNs the schema of SDMX-JSON 2.0 refuses in links (a defect of it)."""


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
        version: the version of SDMX: 2.1 for SDMX-JSON 1.0, 3.0 for 2.0, 3.1 for 2.1.
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
            f"SDMX-JSON {json_version(version)} cannot carry {name} of {shape.name} ({short(getattr(thing, name))})."
        )
    for part in parts_of(shape.fields, version, "json"):
        _WRITERS[type(part)](part, writing)
    if shape.bare_written and writing.node.keys() == {shape.bare}:
        return writing.node[shape.bare]
    return writing.node


def json_version(version: str) -> str:
    """The version of SDMX-JSON that belongs to a version of SDMX."""
    return {"2.1": "1.0", "3.0": "2.0", "3.1": "2.1"}[version]


def _spelt(writing: Writing, value: Any, kind: Kind) -> Any:
    if kind == "number":
        return _number(writing, value)
    if kind in ("day", "last day"):
        return midnight_of(day_of(value, kind, writing.path))
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
    if value is None or (value == part.default and not part.always):
        return
    if part.words is not None:
        value = next(word for word, meant in part.words.items() if meant == value)
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
    if writing.version == "2.1":
        ref = ref_2_1(ref)
    else:
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
    writing.node[part.json] = written if (part.many and not part.lone) or part.boxed else written[0]


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
        writing.node[part.json] = part.refers or {}


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
            links.append(Link(rel=SELF, urn=_urn(writing, thing.ref), uri=uri))
        elif uri is not None:
            links.append(Link(rel=SELF, url=uri, uri=uri))
        addresses = ((SERVICE, thing.service_url), (EXTERNAL, thing.structure_url))
        links += [Link(rel=relation, url=address) for relation, address in addresses if address is not None]
    elif uri is not None:
        links.append(Link(rel=SELF, url=uri, uri=uri))
    links += getattr(thing, part.model)
    if links:
        writing.node[part.json] = [_said(link, writing.speech) for link in links]


def _write_annotation_links(part: AnnotationLinks, writing: Writing) -> None:
    urls = [annotation_link(language, url) for language, url in writing.thing.urls.items()]
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
        if WILDCARD in value and spelt is False:
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


def _write_spelled(part: Spelled, writing: Writing) -> None:
    value = getattr(writing.thing, part.model)
    try:
        spelt = None if value is None else part.spell(value)
    except CannotWrite as fault:
        raise writing.fault(fault.detail) from None
    if spelt is not None:
        writing.node[part.json] = spelt


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
    Spelled: _write_spelled,
}
