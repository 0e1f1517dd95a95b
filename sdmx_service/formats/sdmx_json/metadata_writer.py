"""Metadata messages of SDMX-JSON 2.0 and 2.1, written set by set.

*Standard*: a value is a number or a truth value where its type is one, else a text; texts by language are an object
with every language, whatever the client wishes (best matches are for names only). *Choices*: the version 1.0 is not
written, since it is the schema's default and its pattern refuses it; other versions of two numbers are written although
the pattern refuses them too, for the standard allows them; a set has no link to itself, since the schemas know no URN
of a set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import orjson

from sdmx_service.errors import CannotWrite
from sdmx_service.formats.metadata_shapes import METADATA_SET
from sdmx_service.formats.metadata_values import check_written
from sdmx_service.formats.sdmx_json.header import Speech, put_texts, write_header
from sdmx_service.formats.sdmx_json.structure_encoding import write
from sdmx_service.formats.sdmx_json.structure_terms import SELF
from sdmx_service.formats.structure_parts import ANNOTATION, TEXT_FORMAT
from sdmx_service.model.artefact import Texts
from sdmx_service.model.message import Action, Message, WriteOptions
from sdmx_service.model.metadata import MetadataAttributeValue, MetadataSet

SCHEMAS: Mapping[str, str] = MappingProxyType(
    {
        "2.0": "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/v2.0.0/metadata-message/tools/schemas/2.0.0/"
        "sdmx-json-metadata-schema.json",
        "2.1": "https://json.sdmx.org/2.1/sdmx-json-metadata-schema.json",
    }
)
"""The addresses of the official schemas, by version."""

_SDMX = {"2.0": "3.0", "2.1": "3.1"}
_ACTIONS = {Action.MERGE: "Append", Action.REPLACE: "Replace", Action.DELETE: "Delete"}
"""Neither schema knows ``Merge``."""
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)", re.ASCII)
_NUMBERS = frozenset({"Numeric", "Long", "Short", "Float", "Double", "Integer", "Count"})


def write_metadata(message: Message, options: WriteOptions, *, version: str) -> Iterator[bytes]:
    """The metadata sets of a message (``Message.structures``) as SDMX-JSON of a version, piece by piece.

    All sets are converted before the first piece is handed out, so that an error comes before anything is sent.

    Raises:
        CannotWrite: a set holds something that the version cannot carry.
    """
    speech = Speech(wishes=options.languages, everything=options.all_languages)
    sets = [one for one in message.structures if isinstance(one, MetadataSet)]
    languages = sorted({tag for one in sets for tag in _languages(one, speech)} | speech.of(message.header.names))
    if version == "2.0":
        languages = sorted({language.lower() for language in languages})  # its schema knows tags in lower case only
    meta = write_header(message.header, languages=[tag for tag in languages if tag], speech=speech)
    option = orjson.OPT_INDENT_2 if options.indent else None
    written = [orjson.dumps(_set(one, version, speech), option=option) for one in sets]
    if version == "2.0":
        yield b'{"meta":' + orjson.dumps({"schema": SCHEMAS[version], **meta}, option=option)
    else:
        yield b'{"$schema":' + orjson.dumps(SCHEMAS[version]) + b',"meta":' + orjson.dumps(meta, option=option)
    yield b',"data":{"metadataSets":['
    for place, one in enumerate(written):
        yield (b"," if place else b"") + one
    yield b"]}"
    if message.errors:
        yield b',"errors":' + orjson.dumps([_error(*one, speech) for one in message.errors], option=option)
    yield b"}"


def _languages(metadata_set: MetadataSet, speech: Speech) -> set[str]:
    found = {tag for _, one in metadata_set.values() for tag in one.texts}
    for texts in (metadata_set.names, metadata_set.descriptions):
        found |= speech.of(texts)
    return found


def _error(code: str, severity: str, texts: Texts, speech: Speech) -> dict[str, Any]:
    node: dict[str, Any] = {"code": int(code) if code.isascii() and code.isdigit() else 500}
    put_texts(node, "title", "titles", texts, speech)
    return node


def _set(metadata_set: MetadataSet, version: str, speech: Speech) -> dict[str, Any]:
    check_written(metadata_set, f"SDMX-JSON {version}")
    if metadata_set.described_by is None or not metadata_set.targets or not metadata_set.attributes:
        raise CannotWrite(
            f"{metadata_set.urn}: SDMX-JSON needs a metadataflow or metadata provision agreement, a target and an "
            "attribute."
        )
    node: dict[str, Any] = write(metadata_set, METADATA_SET, _SDMX[version], speech, "/data/metadataSets")
    links = [_addressed(link) for link in node.pop("links", ()) if link["rel"] != SELF or "uri" in link]
    if links:
        node["links"] = links
    if node["version"] == "1.0":
        del node["version"]
    if metadata_set.action is not None:
        node["action"] = _ACTIONS[metadata_set.action]
    path = f"/data/metadataSets/{metadata_set.id}/attributes"
    node["attributes"] = [_value(one, version, speech, path) for one in metadata_set.attributes]
    return node


def _addressed(link: dict[str, Any]) -> dict[str, Any]:
    """The link; the one to itself by address, since the schemas know no URN of a set."""
    return link if link["rel"] != SELF else {"rel": SELF, "href": link["uri"], "uri": link["uri"]}


def _value(one: MetadataAttributeValue, version: str, speech: Speech, path: str) -> dict[str, Any]:
    node: dict[str, Any] = {"id": one.id}
    here = f"{path}/{one.id}"
    if one.annotations:
        sdmx = _SDMX[version]
        node["annotations"] = [write(note, ANNOTATION, sdmx, speech, f"{here}/annotations") for note in one.annotations]
    if one.text_format is not None:
        node["format"] = write(one.text_format, TEXT_FORMAT, _SDMX[version], speech, f"{here}/format")
    if one.texts:
        node["value"] = dict(one.texts)
    elif one.value is not None:
        node["value"] = typed_value(one.value, one.data_type)
    if one.attributes:
        node["attributes"] = [_value(inner, version, speech, here) for inner in one.attributes]
    return node


def typed_value(text: str, data_type: str | None) -> str | int | float | bool:
    """The value as the JSON type of its data type; as text where that would change how it reads."""
    if data_type == "Boolean" and text in ("true", "false"):
        return text == "true"
    if data_type in _NUMBERS:
        if _INTEGER.fullmatch(text) and text != "-0" and abs(int(text[:25])) < 2**63:
            return int(text)
        if data_type not in ("Integer", "Count") and _reads_alike(text):
            return float(text)
    return text


def _reads_alike(text: str) -> bool:
    try:
        number = float(text)
    except ValueError:
        return False
    return number == number and abs(number) != float("inf") and repr(number) == text
