"""What an SDMX-ML data message says before its data sets: version, kind, header, the structures it uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Final, Literal, NoReturn, cast
from xml.parsers import expat

from lxml import etree

from sdmx_service.errors import NotBuilt, UnreadableFile, UnsafeFile
from sdmx_service.formats.sdmx_ml.header import read_header
from sdmx_service.formats.sdmx_ml.key_families import NO_FAMILY, HeaderFamily, read_family
from sdmx_service.formats.sdmx_ml.namespaces import VERSIONS, version_of
from sdmx_service.formats.sdmx_ml.structure_elements import Element, children, local_name, named, unreadable
from sdmx_service.formats.sdmx_ml.structure_references import read_reference
from sdmx_service.model.message import Header
from sdmx_service.model.urn import Ref

CHUNK: Final = 64 * 1024
"""Bytes given to the parser at once."""

Kind = Literal["specific", "generic", "compact 2.0", "generic 2.0", "cross-sectional 2.0"]
KINDS: Final[dict[str, Kind]] = {
    "StructureSpecificData": "specific",
    "StructureSpecificTimeSeriesData": "specific",
    "GenericData": "generic",
    "GenericTimeSeriesData": "generic",
}
"""Root elements of data messages of SDMX-ML 2.1 (all four) and 3.x (the first)."""
LEGACY_ROOTS: Final = frozenset({"CompactData", "UtilityData", "CrossSectionalData", "GenericData", "MessageGroup"})
"""Root elements of data messages of SDMX-ML 1.0 and 2.0."""
_KINDS_2_0: Final[dict[str, Kind]] = {
    "CompactData": "compact 2.0",
    "CrossSectionalData": "cross-sectional 2.0",
    "GenericData": "generic 2.0",
}
_GENERIC_2_0: Final = "http://www.sdmx.org/resources/sdmxml/schemas/v2_0/generic"
_METADATA: Final = ("GenericMetadata", "StructureSpecificMetadata", "MetadataSet", "StructureSpecificMetadataSet")
_USES: Final = {
    "Structure": "DataStructure",
    "StructureUsage": "Dataflow",
    "ProvisionAgreement": "ProvisionAgreement",
    "ProvisionAgrement": "ProvisionAgreement",  # so spelt in the schema of 2.1
}
_TRUNCATED_CODES: Final = (
    expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS],
    expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_TOKEN],
    expat.errors.codes[expat.errors.XML_ERROR_PARTIAL_CHAR],
    expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION],
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureUse:
    """A ``Structure`` of the header: what describes the data sets that refer to it."""

    ref: Ref
    dimension_at_observation: str | None = None
    is_explicit: bool = False
    """2.1 *explicitMeasures*: the type of an observation tells its value of the measure dimension."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The message up to its first data set.

    Attributes:
        uses: by ``structureID``; none in 2.0.
        family: what the header says of the key family (2.0).
    """

    version: str
    kind: Kind
    header: Header
    uses: dict[str, StructureUse]
    family: HeaderFamily = NO_FAMILY


class _Seen(Exception):
    """What was looked for has begun."""


def parser_of(file_kind: str = "message") -> expat.XMLParserType:
    """A parser that names elements ``namespace}name``, lists attributes in order and refuses a DOCTYPE."""
    parser = expat.ParserCreate(namespace_separator="}")
    parser.ordered_attributes = True
    parser.buffer_text = True

    def refuse(*_: object) -> NoReturn:
        raise UnsafeFile(
            f"Line {parser.CurrentLineNumber}: the {file_kind} has a DOCTYPE; SDMX-ML has none, and entities are not "
            "expanded.",
            hint="Remove the DOCTYPE.",
        )

    parser.StartDoctypeDeclHandler = refuse
    return parser


def explain(fault: expat.ExpatError) -> UnreadableFile:
    """What an error of the parser means, with its line."""
    reason = expat.ErrorString(fault.code)
    if fault.code in _TRUNCATED_CODES:
        return UnreadableFile(
            f"Line {fault.lineno}: the XML ends too early ({reason}): the file is empty or truncated.",
            hint="Send it again; it was probably cut off on its way.",
        )
    return UnreadableFile(f"Line {fault.lineno}, column {fault.offset + 1}: the XML is not well-formed ({reason}).")


def read_opening(file: IO[bytes]) -> Opening:
    """The opening of a data message.

    Raises:
        UnsafeFile: a DOCTYPE.
        UnreadableFile: not XML, no data message, or a header that cannot be read.
        NotBuilt: data of SDMX-ML 1.0, utility data, or reference metadata.
    """
    space, root = _root(file)
    version = version_of(space)
    kind = _kind(root, version, file)
    header = _header(file)
    if header is None:
        raise UnreadableFile(f"The {root} has no Header.", hint="An SDMX message begins with message:Header.")
    is_older = version == "2.0"
    return Opening(
        version=version or VERSIONS[0],
        kind=kind,
        header=read_header(header),
        uses={} if is_older else dict(_use(element) for element in named(header, "Structure")),
        family=read_family(header) if is_older else NO_FAMILY,
    )


def _root(file: IO[bytes]) -> tuple[str, str]:
    space, _, name = next(_first_elements(file, ""), "").rpartition("}")
    return space, name


def _first_elements(file: IO[bytes], below: str, count: int = 1) -> Iterator[str]:
    """The names of the first elements from the first one on that is called ``below`` (any where it is empty)."""
    parser = parser_of()
    found: list[str] = []

    def start(name: str, _: Any) -> None:
        if found or not below or name.rpartition("}")[2] == below:
            found.append(name)
        if len(found) == count:
            raise _Seen

    parser.StartElementHandler = start
    file.seek(0)
    try:
        while chunk := file.read(CHUNK):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except _Seen:
        pass
    except expat.ExpatError as fault:
        raise explain(fault) from None
    return iter(found)


def _kind(root: str, version: str | None, file: IO[bytes]) -> Kind:
    """The kind of message that a root element begins, if it is one that is read."""
    if version == "2.0" and root in _KINDS_2_0:
        return _KINDS_2_0[root]
    if version == "2.0" and root == "MessageGroup":
        return _kind_of_group(*_first_elements(file, "DataSet", 2))
    _check_root(root, version)
    return KINDS[root]


def _kind_of_group(dataset: str = "", below: str = "") -> Kind:
    """The kind of the data sets of a ``MessageGroup`` (2.0), by the first one's namespace and what it begins with."""
    space = dataset.rpartition("}")[0].lower()
    if space.endswith(("/utility", ":utility")):
        _check_root("UtilityData", "2.0")
    if space.endswith(("/cross", ":cross")):
        return "cross-sectional 2.0"
    return "generic 2.0" if space.endswith("/generic") or below.lower().startswith(_GENERIC_2_0) else "compact 2.0"


def _check_root(root: str, version: str | None) -> None:
    is_older = version is not None and version not in VERSIONS
    if root in LEGACY_ROOTS and (is_older or root not in KINDS):
        raise NotBuilt(
            f"SDMX-ML {version or '1.0'} data ({root}) are not read.",
            hint="Send compact, generic or cross-sectional data of SDMX-ML 2.0, or a later version.",
        )
    if root in _METADATA:
        raise NotBuilt(f"Reference metadata ({root}) are not read yet.", hint="Send data.")
    if root == "Structure":
        raise UnreadableFile("This is a structure message; data were expected.", hint="Submit structures separately.")
    if root not in KINDS:
        raise UnreadableFile(
            f"The root element {root!r} is no data message of SDMX-ML.", hint=f"Expected one of {', '.join(KINDS)}."
        )
    if version is None or is_older:
        raise UnreadableFile(
            f"The namespace of {root} is not of SDMX-ML 2.1, 3.0 or 3.1.",
            hint="Write http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message or that of another version.",
        )


def _header(file: IO[bytes]) -> Element | None:
    file.seek(0)
    events = etree.iterparse(
        file,
        events=("start", "end"),
        tag=("{*}Header", "{*}DataSet"),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
    )
    try:
        for event, element in events:
            if local_name(element) == "DataSet":
                return None
            if event == "end":
                return cast(Element, element)
    except etree.XMLSyntaxError as fault:
        raise UnreadableFile(f"Line {fault.lineno}: the XML is not well-formed ({fault.msg}).") from None
    return None


def _use(element: Element) -> tuple[str, StructureUse]:
    for child in children(element):
        kind = _USES.get(local_name(child))
        if kind is not None:
            return element.get("structureID", ""), StructureUse(
                ref=read_reference(child, kind),
                dimension_at_observation=element.get("dimensionAtObservation"),
                is_explicit=element.get("explicitMeasures") in ("true", "1"),
            )
    raise unreadable(
        element, "it names no structure.", "It needs a Structure, StructureUsage or ProvisionAgreement with a URN."
    )
