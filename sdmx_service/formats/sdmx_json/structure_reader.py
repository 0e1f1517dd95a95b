"""Structure messages of SDMX-JSON 1.0, 2.0 and 2.1, read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import IO, Any

from sdmx_service.errors import UnreadableFile
from sdmx_service.formats.sdmx_json.header import read_header
from sdmx_service.formats.sdmx_json.message import errors_of, parse_message, schema_of
from sdmx_service.formats.sdmx_json.structure_decoding import read
from sdmx_service.formats.sdmx_json.structure_local_urns import in_key_order, unspelled
from sdmx_service.formats.sdmx_json.structure_tables_1_0 import shapes_1_0
from sdmx_service.formats.structure_2_1 import newer
from sdmx_service.formats.structure_shapes import Shape
from sdmx_service.formats.structure_tables import ARTEFACTS
from sdmx_service.model.artefact import Maintainable
from sdmx_service.model.constraint import AvailabilityConstraint
from sdmx_service.model.message import Message
from sdmx_service.model.structure import DataStructure

_OLD = re.compile(r"/v?1\.0(?:\.0)?/")


def read_structures(source: IO[bytes]) -> Message:
    """The header and the artefacts of a structure message of SDMX-JSON.

    It is of 1.0 if it says so, else of 2.0 or 2.1.

    Raises:
        UnreadableFile: it is no such message, or something in it is not as the standard says; with its JSON pointer.
    """
    root = parse_message(source.read())
    header = read_header(root["meta"]) if "meta" in root else read_header({})
    data = root.get("data") or {}
    if not isinstance(data, dict):
        raise UnreadableFile("/data: it is not an object.")
    language = header.languages[0] if header.languages else "en"
    artefacts = _first_artefacts(data, language) if _OLD.search(schema_of(root)) else _artefacts(data, language)
    return Message(
        header=header,
        structures=tuple(one for one in artefacts if isinstance(one, Maintainable)),
        availability=tuple(one for one in artefacts if isinstance(one, AvailabilityConstraint)),
        errors=errors_of(root, language),
    )


def _artefacts(data: dict[str, Any], language: str) -> list[Any]:
    shapes = {kind.json: kind.shape for kind in ARTEFACTS}
    return [made for made, _ in _read_all(data, shapes, language, "2")]


def _first_artefacts(data: dict[str, Any], language: str) -> list[Any]:
    """The artefacts of a message of SDMX-JSON 1.0, as they are in the model."""
    found: list[Any] = []
    for made, node in _read_all(data, shapes_1_0(), language, "1.0"):
        plain = unspelled(in_key_order(made, _positions(node)) if isinstance(made, DataStructure) else made)
        found += newer(plain)
    return found


def _positions(node: Mapping[str, Any]) -> dict[str, int]:
    """The positions of the dimensions in a data structure that has been read."""
    dimensions = (node.get("dataStructureComponents") or {}).get("dimensionList") or {}
    members = [*(dimensions.get("dimensions") or ()), *(dimensions.get("measureDimensions") or ())]
    return {one["id"]: one["position"] for one in members if "id" in one and isinstance(one.get("position"), int)}


def _read_all(
    data: dict[str, Any], shapes: Mapping[str, Shape], language: str, version: str
) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Each artefact with the object that it was read from."""
    for name, members in data.items():
        if name.startswith("x-"):
            continue
        if name not in shapes:
            raise UnreadableFile(
                f"/data/{name}: a structure message of SDMX-JSON {version} has no {name}, or they are not read."
            )
        if not isinstance(members, list):
            raise UnreadableFile(f"/data/{name}: it is not an array.")
        for place, one in enumerate(members):
            yield read(one, shapes[name], f"/data/{name}/{place}", language), one
