"""Structure messages of SDMX-JSON 1.0, 2.0 and 2.1, written artefact by artefact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import orjson

from sdmx_service.errors import CannotWrite
from sdmx_service.formats.sdmx_json.header import Speech, put_texts, write_header
from sdmx_service.formats.sdmx_json.structure_encoding import json_version, write
from sdmx_service.formats.sdmx_json.structure_local_urns import spelled
from sdmx_service.formats.sdmx_json.structure_tables_1_0 import shapes_1_0
from sdmx_service.formats.structure_2_1 import Lookup, older
from sdmx_service.formats.structure_shapes import Shape
from sdmx_service.formats.structure_tables import ARTEFACTS
from sdmx_service.formats.structure_versions import ordered
from sdmx_service.model.artefact import Texts
from sdmx_service.model.message import Message, WriteOptions
from sdmx_service.model.urn import Ref

SCHEMAS: Mapping[str, str] = MappingProxyType(
    {
        "1.0": "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/structure-message/tools/schemas/1.0/"
        "sdmx-json-structure-schema.json",
        "2.0": "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/v2.0.0/structure-message/tools/schemas/2.0.0/"
        "sdmx-json-structure-schema.json",
        "2.1": "https://json.sdmx.org/2.1/sdmx-json-structure-schema.json",
    }
)
"""The addresses of the official schemas, by version."""

_SDMX = {"1.0": "2.1", "2.0": "3.0", "2.1": "3.1"}


def write_structures(message: Message, version: str, options: WriteOptions | None = None) -> Iterator[bytes]:
    """The structure message as SDMX-JSON of a version, piece by piece.

    Texts are written in the language that fits ``options.languages`` best, and with ``options.all_languages`` in every
    one (*standard*, SDMX-REST 2.2.2 ``negotiation``: ``name`` and ``names``). All artefacts are converted before the
    first piece is handed out, so that an error comes before anything is sent.

    Raises:
        CannotWrite: an artefact holds something that the version cannot carry.
    """
    if version not in SCHEMAS:
        raise CannotWrite(f"Structures are written as SDMX-JSON {', '.join(SCHEMAS)}, not {version}.")
    wished = options or WriteOptions()
    speech = Speech(wishes=wished.languages, everything=wished.all_languages)
    artefacts = _adapted((*message.structures, *message.availability), version, message.lookup)
    languages = sorted(_languages((*artefacts, message.header), speech) - {""})
    if version != "2.1":
        languages = sorted({language.lower() for language in languages})  # its schema knows tags in lower case only
    meta = write_header(message.header, languages=languages, speech=speech)
    option = orjson.OPT_INDENT_2 if wished.indent else None
    if version != "2.1":
        meta = {"schema": SCHEMAS[version], **meta}
    head = b"{" if version != "2.1" else b'{"$schema":' + orjson.dumps(SCHEMAS[version]) + b","
    body = list(_containers(artefacts, _SDMX[version], speech, option))
    yield head + b'"meta":' + orjson.dumps(meta, option=option)
    yield b',"data":{'
    yield from body
    yield b"}"
    if message.errors:
        yield b',"errors":' + orjson.dumps([_error(*one, speech) for one in message.errors], option=option)
    yield b"}"


def _adapted(artefacts: Sequence[Any], version: str, lookup: Lookup | None) -> list[Any]:
    """The artefacts as a version has them, those of one class together."""
    if version != "1.0":
        return ordered(artefacts, _SDMX[version])
    groups: dict[type, list[Any]] = {}
    for one in older(artefacts, lookup):
        groups.setdefault(type(one), []).append(one)
    return [spelled(one) for group in groups.values() for one in group]


@cache
def _kinds(version: str) -> Mapping[type, tuple[str, Shape]]:
    """The name of the array and the shape of each class that a version of SDMX has."""
    if version == "2.1":
        return {shape.model: (name, shape) for name, shape in shapes_1_0().items()}
    return {kind.shape.model: (kind.json, kind.shape) for kind in ARTEFACTS if kind.since <= version}


def _containers(artefacts: list[Any], version: str, speech: Speech, option: int | None) -> Iterator[bytes]:
    before = ""
    for artefact in artefacts:
        name, shape = _kinds(version).get(type(artefact), ("", None))
        if shape is None:
            raise CannotWrite(
                f"SDMX-JSON {json_version(version)} has no {type(artefact).__name__}; there is "
                f"{getattr(artefact, 'urn', artefact)}."
            )
        written = orjson.dumps(write(artefact, shape, version, speech, f"/data/{name}"), option=option)
        if name == before:
            yield b"," + written
        else:
            yield (b"],") * bool(before) + b'"' + name.encode() + b'":[' + written
        before = name
    if before:
        yield b"]"


def _error(code: str, severity: str, texts: Texts, speech: Speech) -> dict[str, Any]:
    node: dict[str, Any] = {"code": int(code) if code.isascii() and code.isdigit() else 500}
    put_texts(node, "title", "titles", texts, speech)
    return node


def _languages(things: Iterable[Any], speech: Speech) -> set[str]:
    """The languages in which the texts of things, and of what they hold, are written."""
    found: set[str] = set()
    waiting = list(things)
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, Texts):
            found |= speech.of(thing)
        elif isinstance(thing, tuple):
            waiting += thing
        else:
            waiting += (getattr(thing, name) for name in _parts(thing.__class__))
    return found


@cache
def _parts(kind: type) -> tuple[str, ...]:
    """The names of a class's fields that may hold texts; none if it is no part of an artefact."""
    return () if kind is Ref or not is_dataclass(kind) else tuple(one.name for one in fields(kind))
