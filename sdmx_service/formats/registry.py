"""The table of formats: what can be read and written, under which names, media types and suffixes.

Only this module imports the families. The order is that of preference: the first that fits is the default, and with
``version`` parameters of equal standing the newest comes first (SDMX-REST 2.2.2 and 1.5, *content negotiation*).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from sdmx_service.errors import NotFound
from sdmx_service.formats.columnar import reader as columnar_reader
from sdmx_service.formats.columnar import writer as columnar_writer
from sdmx_service.formats.format import Format, Kind, Read, Write
from sdmx_service.formats.json_stat import reader as json_stat_reader
from sdmx_service.formats.json_stat import writer as json_stat_writer
from sdmx_service.formats.sdmx_csv import metadata_reader as csv_metadata_reader
from sdmx_service.formats.sdmx_csv import metadata_writer as csv_metadata_writer
from sdmx_service.formats.sdmx_csv import reader as csv_reader
from sdmx_service.formats.sdmx_csv import writer as csv_writer
from sdmx_service.formats.sdmx_csv.reader import read_bare_csv
from sdmx_service.formats.sdmx_csv.sheets import SheetMessage, message_in
from sdmx_service.formats.sdmx_json import data_reader as json_data_reader
from sdmx_service.formats.sdmx_json import data_writer as json_data_writer
from sdmx_service.formats.sdmx_json import data_writer_1_0 as json_data_writer_1_0
from sdmx_service.formats.sdmx_json import metadata_reader as json_metadata_reader
from sdmx_service.formats.sdmx_json import metadata_writer as json_metadata_writer
from sdmx_service.formats.sdmx_json import structure_reader as json_structure_reader
from sdmx_service.formats.sdmx_json import structure_writer as json_structure_writer
from sdmx_service.formats.sdmx_json import validity as json_validity
from sdmx_service.formats.sdmx_ml import data_generic_writer, data_writer, registry_writer
from sdmx_service.formats.sdmx_ml import data_reader as ml_data_reader
from sdmx_service.formats.sdmx_ml import metadata_reader as ml_metadata_reader
from sdmx_service.formats.sdmx_ml import metadata_reports_writer as ml_reports_writer
from sdmx_service.formats.sdmx_ml import metadata_writer as ml_metadata_writer
from sdmx_service.formats.sdmx_ml import structure_reader as ml_structure_reader
from sdmx_service.formats.sdmx_ml import structure_writer as ml_structure_writer
from sdmx_service.formats.sdmx_ml import validity as ml_validity
from sdmx_service.formats.sdmx_ml.registry_reader import (
    RegistrationsRequest,
    read_registrations_request,
    submitted_actions,
)
from sdmx_service.formats.sdmx_ml.registry_writer import write_registrations_response, write_structure_response
from sdmx_service.formats.sdmx_schema import json_schema, xsd
from sdmx_service.formats.sdmx_schema.xsd_data import namespace_of
from sdmx_service.formats.sniffing import Head
from sdmx_service.formats.spreadsheet import data_writer as spreadsheet_data_writer
from sdmx_service.formats.spreadsheet import reader as spreadsheet_reader
from sdmx_service.formats.spreadsheet.binary import sniff_binary_workbook
from sdmx_service.formats.spreadsheet.opendocument import sniff_open_document
from sdmx_service.formats.spreadsheet.workbook_writers import (
    write_findings,
    write_form,
    write_marked,
    write_text_sheets,
)
from sdmx_service.model.message import Message, SeekableFile, WriteOptions
from sdmx_service.model.schema import DataSchema, SchemaFault
from sdmx_service.model.urn import Ref

__all__ = ["FORMATS", "Format", "Kind", "RegistrationsRequest", "SheetMessage", "formats_for", "message_in", "named",
           "of_media_type", "of_suffix", "read_bare_csv", "read_registrations_request", "schema_faults",
           "submitted_actions", "write_findings", "write_form", "write_marked", "write_registrations_response",
           "write_structure_response", "write_text_sheets"]  # fmt: skip


def sniff_structures_ml(head: Head) -> int:
    """How sure it is that this is a structure message in SDMX-ML."""
    root = head.xml_root
    return 100 if root is not None and root[0] in ("Structure", "RegistryInterface") else 0


_SDMX = "application/vnd.sdmx."
_V2, _V1 = ("v2", "v1"), ("v1", "v2")
_STRUCTURES: tuple[Kind, ...] = ("structure", "availability", "schema")


def _structures(read: Callable[[SeekableFile], Message]) -> Read:
    return lambda file, _: read(file)


def _ml_structures(version: str) -> Write:
    return lambda message, options: ml_structure_writer.write_structures(message, version, options)


def _json_structures(version: str) -> Write:
    return lambda message, options: json_structure_writer.write_structures(message, version, options)


def sniff_structures_json(head: Head) -> int:
    """How sure it is that this is a structure message in SDMX-JSON: an object that is not a data message."""
    text = head.text.lstrip()
    is_other = '"dataSets"' in text or json_metadata_reader.sniff_metadata_json(head)
    return 80 if text.startswith("{") and not is_other else 0


def _csv(version: str, apis: tuple[str, ...]) -> Format:
    return Format(
        name=f"sdmx-csv-{version}",
        media_types=(f"{_SDMX}data+csv;version={version}.0",),
        suffixes=(".csv",),
        write=partial(csv_writer.write_csv, version=version),
        apis=apis,
        parameters=csv_writer.PARAMETERS[version],
    )


def _json_data(version: str) -> Format:
    return Format(
        name=f"sdmx-json-{version}",
        media_types=(f"{_SDMX}data+json;version={version}.0",),
        suffixes=(".json",),
        write=partial(json_data_writer.write_data, version=version),
        apis=_V2,
    )


def _ml_data(version: str) -> Format:
    return Format(
        name=f"sdmx-ml-{version}",
        media_types=(f"{_SDMX}data+xml;version={version}.0",),
        suffixes=(".xml",),
        write=partial(data_writer.write_specific, version=version),
        apis=_V2,
    )


def _ml_21(name: str, write: Write) -> Format:
    return Format(
        name=f"sdmx-ml-2.1-{name}",
        media_types=(f"{_SDMX}{name}data+xml;version=2.1",),
        suffixes=(".xml",),
        write=write,
        apis=_V1,
    )


def _json_structure(version: str, apis: tuple[str, ...] = _V2) -> Format:
    return Format(
        name=f"structure-json-{version}",
        media_types=(f"{_SDMX}structure+json;version={version}.0",),
        suffixes=(".json",),
        write=_json_structures(version),
        kinds=_STRUCTURES,
        apis=apis,
    )


def _ml_structure(version: str, apis: tuple[str, ...]) -> Format:
    return Format(
        name=f"structure-xml-{version}",
        media_types=(f"{_SDMX}structure+xml;version={version if version == '2.1' else version + '.0'}",),
        suffixes=(".xml",),
        write=_ml_structures(version),
        kinds=_STRUCTURES,
        apis=apis,
    )


def _schema(syntax: str, version: str, write: Write, apis: tuple[str, ...]) -> Format:
    return Format(
        name=f"schema-{syntax}-{version}",
        media_types=(
            f"{_SDMX}schema+{syntax};version={version if version == '2.1' and syntax == 'xml' else version + '.0'}",
        ),
        suffixes=(".json",) if syntax == "json" else (".xsd",),
        write=write,
        kinds=("schema",),
        apis=apis,
    )


def _registry(version: str) -> Format:
    return Format(
        name=f"registry-xml-{version}",
        media_types=(f"{_SDMX}registry+xml;version={version}.0",),
        suffixes=(".xml",),
        write=lambda message, options: registry_writer.write_registrations(message, version),
        kinds=("registration",),
        apis=("v2",),
    )


def _metadata(family: str, version: str, write: Callable[..., Iterator[bytes]], **more: Any) -> Format:
    return Format(
        name=f"metadata-{family}-{version}",
        media_types=(f"{_SDMX}metadata+{family};version={version}.0",),
        suffixes=(f".{family}",),
        write=partial(write, version=version),
        kinds=("metadata",),
        apis=_V2,
        **more,
    )


def _metadata_21(name: str, *, specific: bool) -> Format:
    return Format(
        name=f"metadata-xml-2.1-{name}",
        media_types=(f"{_SDMX}{name}metadata+xml;version=2.1",),
        suffixes=(".xml",),
        write=partial(ml_reports_writer.write_metadata, specific=specific),
        kinds=("metadata",),
        apis=_V1,
    )


_METADATA_LABELS = csv_metadata_writer.METADATA_PARAMETERS

FORMATS: tuple[Format, ...] = (
    # data, as SDMX-REST 2.2 lists them, then those of 1.5
    _json_data("2.1"),
    _ml_data("3.1"),
    _csv("2.1", _V2),
    _json_data("2.0"),
    _ml_data("3.0"),
    _csv("2.0", _V2),
    _ml_21("generic", data_generic_writer.write_generic),
    _ml_21("structurespecific", partial(data_writer.write_specific, version="2.1")),
    _ml_21("generictimeseries", partial(data_generic_writer.write_generic, time_series=True)),
    _ml_21("structurespecifictimeseries", partial(data_writer.write_specific, version="2.1", time_series=True)),
    Format(
        name="sdmx-json-1.0",
        media_types=(f"{_SDMX}data+json;version=1.0.0",),
        suffixes=(".json",),
        write=json_data_writer_1_0.write_data_1_0,
        apis=_V1,
    ),
    _csv("1.0", _V1),
    # schemas, before the structure formats that answer a schema query too
    _schema("json", "2.1", partial(json_schema.write_json_schema, version="2.1"), _V2),
    _schema("xml", "3.1", partial(xsd.write_xsd, version="3.1"), _V2),
    _schema("json", "2.0", partial(json_schema.write_json_schema, version="2.0"), _V2),
    _schema("xml", "3.0", partial(xsd.write_xsd, version="3.0"), _V2),
    _schema("xml", "2.1", partial(xsd.write_xsd, version="2.1"), _V1),
    # data beyond the standard (docs/formats.md)
    Format(
        name="parquet",
        media_types=("application/vnd.apache.parquet",),
        suffixes=(".parquet",),
        sniff=columnar_reader.sniff_parquet,
        read=columnar_reader.read_parquet,
        write=columnar_writer.write_parquet,
        apis=_V2,
        parameters=columnar_writer.PARAMETERS,
        is_compressed=True,
    ),
    Format(
        name="arrow",
        media_types=("application/vnd.apache.arrow.stream",),
        suffixes=(".arrows",),
        write=columnar_writer.write_arrow,
        apis=_V2,
        parameters=columnar_writer.PARAMETERS,
    ),
    Format(
        name="jsonstat",
        media_types=(json_stat_writer.MEDIA_TYPE,),
        suffixes=(".jsonstat",),
        write=json_stat_writer.write_json_stat,
        apis=_V2,
    ),
    # structures
    _json_structure("2.1"),
    _ml_structure("3.1", _V2),
    _json_structure("2.0"),
    _ml_structure("3.0", _V2),
    _ml_structure("2.1", _V1),
    # registrations
    _registry("3.1"),
    _registry("3.0"),
    _json_structure("1.0", _V1),
    # reference metadata
    _metadata("json", "2.1", json_metadata_writer.write_metadata),
    _metadata("xml", "3.1", ml_metadata_writer.write_metadata),
    _metadata("csv", "2.1", csv_metadata_writer.write_metadata, parameters=_METADATA_LABELS),
    _metadata("json", "2.0", json_metadata_writer.write_metadata),
    _metadata("xml", "3.0", ml_metadata_writer.write_metadata),
    _metadata("csv", "2.0", csv_metadata_writer.write_metadata, parameters=_METADATA_LABELS),
    _metadata_21("generic", specific=False),
    _metadata_21("structurespecific", specific=True),
    # what is read, whatever its version
    Format(
        name="sdmx-csv",
        media_types=(f"{_SDMX}data+csv", "text/csv"),
        suffixes=(".csv",),
        sniff=csv_reader.sniff_sdmx_csv,
        read=csv_reader.read_sdmx_csv,
    ),
    Format(
        name="sdmx-ml",
        media_types=(
            f"{_SDMX}data+xml",
            f"{_SDMX}genericdata+xml",
            f"{_SDMX}structurespecificdata+xml",
            f"{_SDMX}generictimeseriesdata+xml",
            f"{_SDMX}structurespecifictimeseriesdata+xml",
            "application/xml",
            "text/xml",
        ),
        suffixes=(".xml",),
        sniff=ml_data_reader.sniff_sdmx_ml_data,
        read=ml_data_reader.read_sdmx_ml_data,
    ),
    Format(
        name="sdmx-json",
        media_types=(f"{_SDMX}data+json", "application/json"),
        suffixes=(".json",),
        sniff=json_data_reader.sniff_sdmx_json_data,
        read=json_data_reader.read_sdmx_json_data,
    ),
    Format(
        name="json-stat",
        media_types=("application/json",),
        suffixes=(".json",),
        sniff=json_stat_reader.sniff_json_stat,
        read=json_stat_reader.read_json_stat,
    ),
    Format(
        name="structure-xml",
        media_types=(f"{_SDMX}structure+xml", "application/xml", "text/xml"),
        suffixes=(".xml",),
        sniff=sniff_structures_ml,
        read=_structures(ml_structure_reader.read_structures),
        kinds=("structure",),
    ),
    Format(
        name="structure-json",
        media_types=(f"{_SDMX}structure+json", "application/json"),
        suffixes=(".json",),
        sniff=sniff_structures_json,
        read=_structures(json_structure_reader.read_structures),
        kinds=("structure",),
    ),
    Format(
        name="metadata-xml",
        media_types=(f"{_SDMX}metadata+xml", f"{_SDMX}genericmetadata+xml", f"{_SDMX}structurespecificmetadata+xml"),
        suffixes=(".xml",),
        sniff=ml_metadata_reader.sniff_metadata_ml,
        read=_structures(ml_metadata_reader.read_metadata),
        kinds=("metadata",),
    ),
    Format(
        name="metadata-json",
        media_types=(f"{_SDMX}metadata+json",),
        suffixes=(".json",),
        sniff=json_metadata_reader.sniff_metadata_json,
        read=_structures(json_metadata_reader.read_metadata),
        kinds=("metadata",),
    ),
    Format(
        name="metadata-csv",
        media_types=(f"{_SDMX}metadata+csv",),
        suffixes=(".csv",),
        sniff=csv_metadata_reader.sniff_metadata_csv,
        read=_structures(csv_metadata_reader.read_metadata),
        kinds=("metadata",),
    ),
    Format(
        name="xlsx",
        media_types=("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",),
        suffixes=(".xlsx", ".xlsm"),
        sniff=spreadsheet_reader.sniff_workbook,
        read=spreadsheet_reader.read_workbook,
        write=spreadsheet_data_writer.write_workbook,
        apis=_V2,
        parameters=spreadsheet_data_writer.PARAMETERS,
        is_compressed=True,
    ),
    Format(
        name="xls",
        media_types=("application/vnd.ms-excel",),
        suffixes=(".xls",),
        sniff=sniff_binary_workbook,
        read=spreadsheet_reader.read_binary_workbook,
    ),
    Format(
        name="ods",
        media_types=("application/vnd.oasis.opendocument.spreadsheet",),
        suffixes=(".ods",),
        sniff=sniff_open_document,
        read=spreadsheet_reader.read_open_document,
    ),
    Format(
        name="csv",
        media_types=("text/csv", "text/tab-separated-values", "application/csv"),
        suffixes=(".csv", ".tsv", ".tab", ".txt"),
        sniff=spreadsheet_reader.sniff_csv,
        read=spreadsheet_reader.read_csv,
    ),
)
"""All formats, in order of preference."""

_BY_NAME = {one.name: one for one in FORMATS}


def named(name: str) -> Format:
    """The format of that name.

    Raises:
        NotFound: there is none.
    """
    found = _BY_NAME.get(name)
    if found is None:
        raise NotFound(f"There is no format {name!r}.", hint=f"There are {', '.join(_BY_NAME)}.")
    return found


def formats_for(kind: str, api: str) -> tuple[Format, ...]:
    """The formats that an API offers for a kind of resource, the default first.

    Those that belong to this version of the API come before those of the other one.
    """
    offered = [one for one in FORMATS if one.write is not None and kind in one.kinds and api in one.apis]
    return tuple(sorted(offered, key=lambda one: one.apis.index(api)))


def of_media_type(media_type: str, formats: Sequence[Format] = FORMATS) -> Format | None:
    """The first format of a media type; parameters other than ``version`` do not matter, nor does case."""
    kind, version = _split(media_type)
    for one in formats:
        for own in one.media_types:
            own_kind, own_version = _split(own)
            if kind == own_kind and version in ("", own_version):
                return one
    return None


def of_suffix(name: str, kind: Kind = "data") -> Format | None:
    """The first written format of that kind for a file of that name."""
    return next(
        (one for one in FORMATS if one.write and kind in one.kinds and name.lower().endswith(one.suffixes[:1])), None
    )


def _split(media_type: str) -> tuple[str, str]:
    """Type and version of a media type, in lower case."""
    kind, *parameters = (part.strip().lower() for part in media_type.split(";"))
    said = dict(part.partition("=")[::2] for part in parameters)
    return kind, said.get("version", "").strip('"')


def schema_faults(
    file: SeekableFile, format: Format, describe: Callable[[Ref, str | None], DataSchema | None]
) -> Iterator[SchemaFault] | None:
    """What the schemas of a data message say of it; None: its format has no schema.

    Args:
        describe: what data of an artefact look like, with a dimension at observation; None: it is not here.

    Raises:
        UnreadableFile: it cannot be judged, and why.
    """
    if format.name == "sdmx-json":
        return json_validity.schema_faults(file)
    if format.name != "sdmx-ml":
        return None

    def own(ref: Ref, dimension: str | None, version: str) -> tuple[str, bytes] | None:
        schema = describe(ref, dimension)
        if schema is None:
            return None
        return namespace_of(schema), b"".join(xsd.write_xsd(Message(schema=schema), WriteOptions(), version=version))

    return ml_validity.schema_faults(file, own)
