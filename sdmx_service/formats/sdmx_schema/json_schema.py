"""JSON schemas as files."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from sdmx_service.errors import CannotWrite
from sdmx_service.formats.sdmx_schema.json_data import data_schema_json
from sdmx_service.formats.sdmx_schema.json_metadata import metadata_schema_json
from sdmx_service.model.message import Message, WriteOptions
from sdmx_service.model.schema import DataSchema


def write_json_schema(message: Message, options: WriteOptions, *, version: str) -> Iterator[bytes]:
    """The schema of a message as JSON Schema (draft 2020-12) for that version of SDMX-JSON.

    Args:
        options: ``languages`` for the title.

    Raises:
        CannotWrite: the message has no schema.
    """
    schema = message.schema
    if schema is None:
        raise CannotWrite("This message is no schema.")
    if isinstance(schema, DataSchema):
        return iter([orjson.dumps(data_schema_json(schema, options, version))])
    return iter([orjson.dumps(metadata_schema_json(schema, options, version))])
