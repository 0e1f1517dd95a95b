"""What the readers of structure and metadata messages in SDMX-JSON share: the root, its schema, its errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from sdmx_service.errors import UnreadableFile
from sdmx_service.formats.sdmx_json.header import take_texts
from sdmx_service.model.artefact import Texts

_BOM = b"\xef\xbb\xbf"


def parse_message(content: bytes) -> dict[str, Any]:
    """The root of a message.

    Raises:
        UnreadableFile: it is no JSON, or no message of SDMX-JSON.
    """
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


def schema_of(root: Mapping[str, Any]) -> str:
    """The addresses of the schemas that a message names, since 2.1 at its root and before in ``meta``."""
    meta = root.get("meta")
    return f"{root.get('$schema', '')} {meta.get('schema', '') if isinstance(meta, dict) else ''}"


def errors_of(root: Mapping[str, Any], language: str) -> tuple[tuple[str, str, Texts], ...]:
    """The errors that a message carries: code, no severity, texts.

    Raises:
        UnreadableFile: they are no array of objects.
    """
    found = root.get("errors") or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise UnreadableFile("/errors: it is not an array of objects.")
    return tuple(
        (str(one.get("code", "")), "", take_texts(one, "title", "titles", f"/errors/{place}", language))
        for place, one in enumerate(found)
    )
