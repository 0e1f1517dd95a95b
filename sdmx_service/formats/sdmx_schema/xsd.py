"""XML schemas as files: the frame around the types of ``xsd_data``; those of metadata are whole by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from sdmx_service.errors import CannotWrite
from sdmx_service.formats.sdmx_schema.xsd_data import data_types, namespace_of
from sdmx_service.formats.sdmx_schema.xsd_metadata import write_metadata_xsd
from sdmx_service.formats.sdmx_schema.xsd_reports import write_reports_xsd
from sdmx_service.formats.sdmx_schema.xsd_types import attribute_text
from sdmx_service.model.message import Message, WriteOptions
from sdmx_service.model.schema import DataSchema

_ROOT = "http://www.sdmx.org/resources/sdmxml/schemas/v"


def write_xsd(message: Message, options: WriteOptions, *, version: str) -> Iterator[bytes]:
    """The schema of a message as XML Schema for that version of SDMX-ML.

    Args:
        options: ``languages`` for the names of codes, which are documentation in the schema.

    Raises:
        CannotWrite: the message has no schema, or its structure has no form in XML.
    """
    schema = message.schema
    if schema is None:
        raise CannotWrite("This message is no schema.")
    if isinstance(schema, DataSchema):
        return _data_xsd(schema, options, version)
    return write_reports_xsd(schema, options) if version == "2.1" else write_metadata_xsd(schema, version)


def _data_xsd(schema: DataSchema, options: WriteOptions, version: str) -> Iterator[bytes]:
    root = f"{_ROOT}{version.replace('.', '_')}/"
    own = attribute_text(namespace_of(schema))
    imports = [
        ("common", "common", "SDMXCommon.xsd"),
        ("dsd", "data/structurespecific", "SDMXDataStructureSpecific.xsd"),
        ("message", "message", "SDMXMessage.xsd"),
    ]
    if version == "3.0":
        imports.append(("metadata", "metadata/generic", "SDMXMetadataGeneric.xsd"))
    prefixes = "".join(f' xmlns:{prefix}="{root}{name}"' for prefix, name, _ in imports)
    text = [
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        (
            f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns={own} targetNamespace={own}{prefixes}'
            ' elementFormDefault="qualified" attributeFormDefault="unqualified">\n'
        ),
        *(f'<xs:import namespace="{root}{name}" schemaLocation="{file}"/>\n' for _, name, file in imports),
        f"<xs:annotation><xs:documentation>{escape(_words(schema, version))}</xs:documentation></xs:annotation>\n",
        *data_types(schema, version, options),
        "</xs:schema>\n",
    ]
    return iter(["".join(text).encode()])


def _words(schema: DataSchema, version: str) -> str:
    kind = "that delete data" if schema.deletion else "with data"
    return (
        f"Messages of SDMX-ML {version} {kind} of {schema.ref.type} {schema.ref.text}. The schemas imported are those "
        "of the standard; save this file beside them."
    )
