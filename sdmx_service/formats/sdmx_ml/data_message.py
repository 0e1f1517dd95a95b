"""What data messages of every version of SDMX-ML share: header, structures, escaping, the loop over data sets.

*Choice:* characters that XML 1.0 cannot carry (most control characters, U+FFFE, U+FFFF) are written as U+FFFD. Line
ends and tabs inside attributes are written as character references, as a parser would make spaces of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from lxml import etree

from sdmx_service.errors import CannotWrite
from sdmx_service.formats.arrangement import Arrangement, arrange
from sdmx_service.formats.chunks import packed
from sdmx_service.formats.fragments import (
    Make,
    Strings,
    pc,
)
from sdmx_service.formats.sdmx_ml.header import write_header
from sdmx_service.formats.sdmx_ml.namespaces import NAMESPACES, XSI
from sdmx_service.formats.sdmx_ml.structure_references import append_reference
from sdmx_service.formats.sdmx_ml.structure_writer import footer_of
from sdmx_service.model.message import Dataset, Header, Message
from sdmx_service.model.urn import Ref

_SPECIAL = r'[&<>"\x00-\x1f\x{FFFE}\x{FFFF}]'
_REPLACED = (
    ("&", "&amp;"),
    ("<", "&lt;"),
    (">", "&gt;"),
    ('"', "&quot;"),
    ("\t", "&#9;"),
    ("\n", "&#10;"),
    ("\r", "&#13;"),
)
_FORBIDDEN = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x{FFFE}\x{FFFF}]"


def escaped(values: Strings) -> Strings:
    """Texts for attributes and elements of XML 1.0."""
    if not pc.any(pc.match_substring_regex(values, _SPECIAL)).as_py():
        return values
    values = pc.replace_substring_regex(values, _FORBIDDEN, "\ufffd")
    for sign, reference in _REPLACED:
        values = pc.replace_substring(values, sign, reference)
    return values


def escape(text: str) -> str:
    """A text for an attribute or element of XML 1.0."""
    text = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "\ufffd", text)
    for sign, reference in _REPLACED:
        text = text.replace(sign, reference)
    return text


def around(before: str, after: str) -> Make:
    """Distinct values, escaped, with something on both sides."""
    return lambda values: pc.binary_join_element_wise(before, escaped(values), after, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """A ``Structure`` of a data message's header; ``prefix`` stands for its namespace."""

    id: str
    prefix: str
    namespace: str
    ref: Ref
    dimension_at_observation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A data set with the place of each component and the header's structure."""

    dataset: Dataset
    arrangement: Arrangement
    structure: Structure


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of data message: its root element, and how its header tells of structures."""

    root: str
    version: str
    is_specific: bool


WriteDataset = Callable[[Part], Iterator[bytes]]


def write_message(message: Message, kind: Kind, write_dataset: WriteDataset) -> Iterator[bytes]:
    """A data message: prologue, each data set, the end, before it a footer where the message has something to say.

    ``Message.datasets`` is listed, its batches are not.

    Raises:
        CannotWrite: a message of time series is asked for, and the data are none.
    """
    parts = _parts(message)
    if "TimeSeries" in kind.root:
        _check_time_series(parts, kind)
    prologue, epilogue = _frame(message.header, kind, [part.structure for part in parts])
    if message.errors:
        epilogue = etree.tostring(footer_of(message, NAMESPACES[kind.version]), encoding="utf-8") + epilogue
    return packed(_chunks(prologue, parts, epilogue, write_dataset))


def _chunks(prologue: bytes, parts: Sequence[Part], epilogue: bytes, write_dataset: WriteDataset) -> Iterator[bytes]:
    yield prologue
    for part in parts:
        yield from write_dataset(part)
    yield epilogue


def _parts(message: Message) -> list[Part]:
    known: dict[tuple[Ref, str], Structure] = {}
    parts = []
    for dataset in message.datasets:
        arrangement = arrange(dataset)
        at_observation = arrangement.dimension_at_observation
        ref = dataset.ref
        structure = known.get((ref, at_observation))
        if structure is None:
            structure = known[ref, at_observation] = Structure(
                id=_structure_id(dataset.structure.id, len(known) and len(known) + 1),
                prefix=f"ns{len(known) + 1}",
                namespace=f"{ref.urn}:ObsLevelDim:{at_observation}",
                ref=ref,
                dimension_at_observation=at_observation,
            )
        parts.append(Part(dataset=dataset, arrangement=arrangement, structure=structure))
    return parts


def _check_time_series(parts: Sequence[Part], kind: Kind) -> None:
    """The time series messages of 2.1 hold one structure, with time at the observation."""
    for part in parts:
        time = part.dataset.structure.time_dimension
        if time is None or part.structure.dimension_at_observation != time.id:
            raise CannotWrite(
                f"{kind.root} has time at the observation, not {part.structure.dimension_at_observation}.",
                hint=f"Ask for {kind.root.replace('TimeSeries', '')}.",
            )
    if len({part.structure.id for part in parts}) > 1:
        raise CannotWrite(
            f"{kind.root} holds data of one structure.", hint=f"Ask for {kind.root.replace('TimeSeries', '')}."
        )


def _structure_id(id: str, number: int) -> str:
    """An xs:ID: the id of the data structure, which some clients (rsdmx) take it for, told apart by a number."""
    text = re.sub(r"[^A-Za-z0-9_.-]", "_", id)
    text = text if re.match("[A-Za-z_]", text) else f"_{text}"
    return f"{text}_{number}" if number else text


_REFERENCES = {"Dataflow": "StructureUsage", "DataStructure": "Structure"}


def _frame(header: Header, kind: Kind, structures: Sequence[Structure]) -> tuple[bytes, bytes]:
    """The message up to its first data set, and from its last one on."""
    spaces = NAMESPACES[kind.version]
    distinct = list(dict.fromkeys(structures))
    prefixes = {"mes": spaces.message, "com": spaces.common, "xsi": XSI}
    if kind.is_specific:
        prefixes |= {"ss": spaces.specific, **{one.prefix: one.namespace for one in distinct}}
    else:
        prefixes |= {"gen": spaces.generic}
    root = etree.Element(f"{{{spaces.message}}}{kind.root}", nsmap=prefixes)
    elements = []
    for one in distinct:
        element = etree.Element(f"{{{spaces.message}}}Structure", structureID=one.id)
        if kind.is_specific:
            element.set("namespace", one.namespace)
        element.set("dimensionAtObservation", one.dimension_at_observation)
        agreement = "ProvisionAgrement" if kind.version == "2.1" else "ProvisionAgreement"
        name = _REFERENCES.get(one.ref.type, agreement)
        append_reference(element, f"{{{spaces.common}}}{name}", one.ref, kind.version)
        elements.append(element)
    root.append(write_header(header, kind.version, structures=elements, about_data=True))
    etree.cleanup_namespaces(root, keep_ns_prefixes=list(prefixes))
    text = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    prologue, mark, epilogue = text.rpartition(b"</")
    return prologue, mark + epilogue + b"\n"


def reference_text(name: str, ref: Ref, version: str) -> str:
    """A reference as text of an element without namespace."""
    parent = etree.Element("parent")
    append_reference(parent, name, ref, version)
    return etree.tostring(parent[0], encoding="unicode")
