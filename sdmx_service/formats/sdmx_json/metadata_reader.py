"""Metadata messages of SDMX-JSON 1.0, 2.0 and 2.1, read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import IO, Any

from sdmx_service.errors import SyntaxFault, UnreadableFile
from sdmx_service.formats.metadata_shapes import METADATA_SET
from sdmx_service.formats.metadata_values import check_nesting, check_targets
from sdmx_service.formats.sdmx_json.header import read_header
from sdmx_service.formats.sdmx_json.message import errors_of, parse_message, schema_of
from sdmx_service.formats.sdmx_json.metadata_reports import read_reported_set
from sdmx_service.formats.sdmx_json.structure_decoding import read
from sdmx_service.formats.sdmx_json.structure_terms import SELF, short
from sdmx_service.formats.sniffing import Head
from sdmx_service.formats.structure_parts import ANNOTATION, TEXT_FORMAT
from sdmx_service.model.artefact import NO_TEXTS, Maintainable, Texts
from sdmx_service.model.message import Action, Message
from sdmx_service.model.metadata import MetadataAttributeValue, MetadataSet

_OLD_SCHEMA = re.compile(r"metadata-message/tools/schemas/1\.0|/v?1\.0(?:\.0)?/")
_EMPTY = re.compile(r'"data"\s*:\s*\{\s*\}')
_KNOWN = frozenset({"id", "annotations", "format", "value", "attributes", "links"})
_HEAD_ONLY = ("action", "attributes")


def sniff_metadata_json(head: Head) -> int:
    """How sure it is that this is a metadata message of SDMX-JSON."""
    text = head.text.lstrip()
    return 95 if text.startswith("{") and _is_metadata(text) and '"dataSets"' not in text else 0


def _is_metadata(text: str) -> bool:
    """Whether it has metadata sets, or nothing and the schema of metadata, which some structure messages name too."""
    return '"metadataSets"' in text or ("sdmx-json-metadata-schema" in text and _EMPTY.search(text) is not None)


def read_metadata(source: IO[bytes]) -> Message:
    """The header and the metadata sets (``Message.structures``) of a metadata message.

    Reading takes what 2.0 or 2.1 have, whichever the message claims to be. Sets of 1.0 are read as what later versions
    say instead (``formats.metadata_reports``).

    Raises:
        UnreadableFile: it is no such message, or something in it is not as the standard says; with its JSON pointer.
    """
    root = parse_message(source.read())
    header = read_header(root["meta"]) if "meta" in root else read_header({})
    language = header.languages[0] if header.languages else "en"
    data = root.get("data") or {}
    if not isinstance(data, dict):
        raise UnreadableFile("/data: it is not an object.")
    for name in data:
        if name != "metadataSets" and not name.startswith("x-"):
            raise UnreadableFile(f"/data/{name}: a metadata message of SDMX-JSON has no {name}.")
    sets = data.get("metadataSets") or []
    if not isinstance(sets, list):
        raise UnreadableFile("/data/metadataSets: it is not an array.")
    is_old = _OLD_SCHEMA.search(schema_of(root)) is not None
    found: list[Maintainable] = []
    for place, node in enumerate(sets):
        path = f"/data/metadataSets/{place}"
        check_nesting(node, path)
        if is_old or (isinstance(node, dict) and "reports" in node):
            found += read_reported_set(node, path, language, header.sender.id)
        else:
            found.append(_read_set(node, path, language))
    return Message(header=header, structures=tuple(found), errors=errors_of(root, language))


def _read_set(node: object, path: str, language: str) -> MetadataSet:
    if not isinstance(node, dict):
        raise UnreadableFile(f"{path}: {short(node)} is not an object.")
    rest = {name: value for name, value in node.items() if name not in _HEAD_ONLY}
    made = read(rest, METADATA_SET, path, language)
    assert isinstance(made, MetadataSet)
    check_targets(made.targets, path + "/targets")
    return replace(
        made,
        action=_read_action(node.get("action"), path),
        attributes=read_values(node.get("attributes"), f"{path}/attributes", language),
    )


def _read_action(word: object, path: str) -> Action | None:
    if word is None:
        return None
    try:
        return Action.from_text(word if isinstance(word, str) else repr(word))
    except SyntaxFault:
        raise UnreadableFile(f"{path}/action: {short(word)} is not Append, Replace, Delete or Information.") from None


def read_values(nodes: object, path: str, language: str) -> tuple[MetadataAttributeValue, ...]:
    """The values of an array ``attributes``."""
    if nodes is None:
        return ()
    if not isinstance(nodes, list):
        raise UnreadableFile(f"{path}: {short(nodes)} is not an array.")
    return tuple(_read_value(node, f"{path}/{place}", language) for place, node in enumerate(nodes))


def _read_value(node: object, path: str, language: str) -> MetadataAttributeValue:
    if not isinstance(node, dict):
        raise UnreadableFile(f"{path}: {short(node)} is not an object.")
    for name in node.keys() - _KNOWN:
        if not name.startswith("x-"):
            raise UnreadableFile(f"{path}/{name}: SDMX-JSON has no such property of a metadata attribute.")
    _check_links(node, path)
    identity = node.get("id")
    if not isinstance(identity, str) or not identity:
        raise UnreadableFile(f"{path}: the metadata attribute has no id.")
    value, texts, data_type = read_value(node.get("value"), f"{path}/value")
    text_format = node.get("format")
    return MetadataAttributeValue(
        id=identity,
        value=value,
        texts=texts,
        data_type=data_type,
        text_format=None if text_format is None else read(text_format, TEXT_FORMAT, f"{path}/format", language),
        annotations=read_annotations(node, path, language),
        attributes=read_values(node.get("attributes"), f"{path}/attributes", language),
    )


def _check_links(node: Mapping[str, Any], path: str) -> None:
    """*Choice*: an attribute may repeat its own address, as registries do although no schema has it; it is not kept."""
    links = node.get("links", [])
    if not isinstance(links, list) or not all(isinstance(one, dict) and one.get("rel") == SELF for one in links):
        raise UnreadableFile(f"{path}/links: SDMX-JSON has no links of a metadata attribute.")


def read_annotations(node: Mapping[str, Any], path: str, language: str) -> tuple[Any, ...]:
    """The annotations of an object."""
    found = node.get("annotations")
    if found is None:
        return ()
    if not isinstance(found, list):
        raise UnreadableFile(f"{path}/annotations: {short(found)} is not an array.")
    return tuple(read(one, ANNOTATION, f"{path}/annotations/{place}", language) for place, one in enumerate(found))


def read_value(value: object, path: str) -> tuple[str | None, Texts, str | None]:
    """A reported value as (single value, texts by language, data type)."""
    if value is None or isinstance(value, str):
        return value, NO_TEXTS, None
    if isinstance(value, bool):
        return str(value).lower(), NO_TEXTS, "Boolean"
    if isinstance(value, int):
        return str(value), NO_TEXTS, "Integer"
    if isinstance(value, float):
        return repr(value), NO_TEXTS, "Double"
    if isinstance(value, dict) and all(isinstance(text, str) for text in value.values()):
        return None, Texts(value), None
    raise UnreadableFile(f"{path}: {short(value)} is not a value, nor texts by language.")
