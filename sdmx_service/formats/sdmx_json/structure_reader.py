"""Structure messages of SDMX-JSON 2.0 and 2.1, read."""

from __future__ import annotations

import re
from typing import IO, Any

import orjson

from sdmx_service.errors import NotBuilt, UnreadableFile
from sdmx_service.formats.sdmx_json.header import read_header, take_texts
from sdmx_service.formats.sdmx_json.structure_decoding import read
from sdmx_service.formats.structure_tables import ARTEFACTS
from sdmx_service.model.artefact import Maintainable, Texts
from sdmx_service.model.constraint import AvailabilityConstraint
from sdmx_service.model.message import Message

_BOM = b"\xef\xbb\xbf"
_FIRST_VERSION = re.compile(r"sdmx-json-structure-schema\.json|/1\.0")
_OLD = re.compile(r"/v?1\.0(?:\.0)?/")


def read_structures(source: IO[bytes]) -> Message:
    """The header and the artefacts of a structure message of SDMX-JSON 2.0 or 2.1.

    Raises:
        UnreadableFile: it is no such message, or something in it is not as the standard says; with its JSON pointer.
        NotBuilt: it says that it is of SDMX-JSON 1.0.
    """
    root = _parse(source.read())
    schema = _schema(root)
    if _OLD.search(schema):
        raise NotBuilt(f"The message is SDMX-JSON 1.0 ({schema}); structures are read from 2.0 and 2.1.")
    header = read_header(root["meta"]) if "meta" in root else read_header({})
    data = root.get("data") or {}
    if not isinstance(data, dict):
        raise UnreadableFile("/data: it is not an object.")
    language = header.languages[0] if header.languages else "en"
    artefacts = _artefacts(data, language)
    return Message(
        header=header,
        structures=tuple(one for one in artefacts if isinstance(one, Maintainable)),
        availability=tuple(one for one in artefacts if isinstance(one, AvailabilityConstraint)),
        errors=_errors(root, language),
    )


def _parse(content: bytes) -> dict[str, Any]:
    try:
        root = orjson.loads(content.removeprefix(_BOM))
    except orjson.JSONDecodeError as error:
        raise UnreadableFile(
            f"line {error.lineno}, column {error.colno}: the file is not well-formed JSON: {error.msg}.",
            hint="Save it again as JSON, whole and in UTF-8.",
        ) from None
    if not isinstance(root, dict) or not root.keys() & {"meta", "data", "errors"}:
        raise UnreadableFile("The file is JSON, but not a message of SDMX-JSON: it has neither meta nor data.")
    return root


def _schema(root: dict[str, Any]) -> str:
    meta = root.get("meta")
    return f"{root.get('$schema', '')} {meta.get('schema', '') if isinstance(meta, dict) else ''}"


def _artefacts(data: dict[str, Any], language: str) -> list[Any]:
    shapes = {kind.json: kind.shape for kind in ARTEFACTS}
    found: list[Any] = []
    for name, members in data.items():
        if name.startswith("x-"):
            continue
        if name not in shapes:
            raise UnreadableFile(
                f"/data/{name}: a structure message of SDMX-JSON 2 has no {name}, or they are not read."
            )
        if not isinstance(members, list):
            raise UnreadableFile(f"/data/{name}: it is not an array.")
        found += (read(one, shapes[name], f"/data/{name}/{place}", language) for place, one in enumerate(members))
    return found


def _errors(root: dict[str, Any], language: str) -> tuple[tuple[str, str, Texts], ...]:
    found = root.get("errors") or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise UnreadableFile("/errors: it is not an array of objects.")
    return tuple(
        (str(one.get("code", "")), "", take_texts(one, "title", "titles", f"/errors/{place}", language))
        for place, one in enumerate(found)
    )
