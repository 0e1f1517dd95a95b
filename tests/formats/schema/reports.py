"""Judges of messages with several namespaces or XHTML: one schema of several generated ones."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from lxml import etree

from sdmx_service.formats.registry import named
from sdmx_service.model.artefact import Maintainable
from sdmx_service.model.message import Message
from tests.formats.metadata.messages import ALL_LANGUAGES, XHTML, XHTML_NAMES
from tests.formats.schema.judging import ROOT

XS = "http://www.w3.org/2001/XMLSchema"


def report_schema(*bodies: bytes, version: str = "2.1") -> etree.XMLSchema:
    """Generated schemas saved beside the official ones, and the elements of XHTML that these demand and have not."""
    folder = Path(tempfile.mkdtemp())
    try:
        shutil.copytree(ROOT / f"sdmx{version.replace('.', '')}", folder, dirs_exist_ok=True)
        elements = "".join(f'<xs:element name="{name}" type="xs:anyType"/>' for name in XHTML_NAMES)
        (folder / "xhtml.xsd").write_text(
            f'<xs:schema xmlns:xs="{XS}" targetNamespace="{XHTML}">{elements}</xs:schema>'
        )
        imports = f'<xs:import namespace="{XHTML}" schemaLocation="xhtml.xsd"/>'
        for number, body in enumerate(bodies):
            (folder / f"own{number}.xsd").write_bytes(body)
            space = etree.fromstring(body).get("targetNamespace")
            imports += f'<xs:import namespace="{space}" schemaLocation="own{number}.xsd"/>'
        (folder / "all.xsd").write_text(f'<xs:schema xmlns:xs="{XS}">{imports}</xs:schema>')
        return etree.XMLSchema(etree.parse(folder / "all.xsd"))
    finally:
        shutil.rmtree(folder)


def sent(*artefacts: Maintainable) -> bytes:
    """Metadata sets (and their structures) as a structure-specific message."""
    write = named("metadata-xml-2.1-structurespecific").write
    assert write is not None
    return b"".join(write(Message(structures=artefacts), ALL_LANGUAGES))
