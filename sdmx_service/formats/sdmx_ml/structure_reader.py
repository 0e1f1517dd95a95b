"""Structure messages of SDMX-ML 2.1, 3.0 and 3.1, read artefact by artefact."""

from __future__ import annotations

from typing import IO, Any

from lxml import etree

from sdmx_service.errors import NotBuilt, UnreadableFile
from sdmx_service.formats.sdmx_ml.documents import not_well_formed, refuse_document_type
from sdmx_service.formats.sdmx_ml.header import read_header
from sdmx_service.formats.sdmx_ml.namespaces import VERSIONS, version_of
from sdmx_service.formats.sdmx_ml.structure_decoding import read
from sdmx_service.formats.sdmx_ml.structure_elements import (
    Element,
    local_name,
    named,
    texts_of,
    unreadable,
)
from sdmx_service.formats.sdmx_ml.structure_versions import expand, kinds_of
from sdmx_service.formats.structure_tables import Artefacts
from sdmx_service.model.artefact import Maintainable, Texts
from sdmx_service.model.constraint import AvailabilityConstraint
from sdmx_service.model.message import Header, Message

_ROOTS = ("Structure", "RegistryInterface")


def read_structures(source: IO[bytes]) -> Message:
    """The header and the artefacts of a structure message, whatever its version (2.1, 3.0, 3.1).

    Structures inside a registry message (``SubmitStructureRequest``, say) are read too.

    Raises:
        UnreadableFile: it is no such message, or something in it is not as the standard says; with line and path.
        UnsafeFile: it has a document type declaration.
        NotBuilt: it is of SDMX-ML 1.0 or 2.0.
    """
    gathered = _Gathered()
    try:
        _walk(source, gathered)
    except etree.XMLSyntaxError as error:
        raise not_well_formed(error) from None
    return gathered.message()


class _Gathered:
    """What has been read of a message so far."""

    def __init__(self) -> None:
        self.version = ""
        self.root = ""
        self.header = Header()
        self.artefacts: list[Any] = []
        self.footer: list[tuple[str, str, Texts]] = []
        self.kinds: dict[tuple[str, str], Artefacts] = {}
        self.containers: set[str] = set()
        self.has_structures = False

    def open(self, root: Element) -> None:
        """Take note of what kind of message it is.

        Raises:
            UnreadableFile, UnsafeFile, NotBuilt: none that is read here.
        """
        refuse_document_type(root)
        version, self.root = version_of(str(root.tag).rpartition("}")[0].removeprefix("{")), local_name(root)
        if version is not None and version not in VERSIONS:
            raise NotBuilt(f"The file is SDMX-ML {version}; structures are read from {', '.join(VERSIONS)}.")
        if version is None or self.root not in _ROOTS:
            raise unreadable(root, f"the file is not a structure message of SDMX-ML, but {self.root!r}.")
        self.version = version
        self.kinds = {(kind.container, kind.tag): kind for kind in kinds_of(version)}
        self.containers = {container for container, _ in self.kinds}

    def take_artefact(self, element: Element) -> None:
        """Read an artefact.

        Raises:
            UnreadableFile: something in it is not as the standard says.
        """
        container = element.getparent()
        kind = self.kinds.get((local_name(container) if container is not None else "", local_name(element)))
        if kind is None:
            raise unreadable(element, f"a {local_name(element)} is not read from SDMX-ML {self.version} here.")
        made = read(element, kind.shape, self.version)
        self.artefacts += expand(made, self.version)

    def take_container(self, element: Element) -> None:
        """Refuse a container that is not known; its artefacts have been read."""
        if local_name(element) not in self.containers:
            raise unreadable(element, f"{local_name(element)} are not read from SDMX-ML {self.version}.")

    def take_top(self, element: Element) -> None:
        """Read the header or the footer."""
        name = local_name(element)
        if name == "Header":
            self.header = read_header(element)
        elif name == "Footer":
            self.footer += [_read_footer(one) for one in named(element, "Message")]
        elif name == "Structures":
            self.has_structures = True
        elif self.root == "Structure":
            raise unreadable(element, f"a structure message has no {name}.")

    def message(self) -> Message:
        """The message.

        Raises:
            UnreadableFile: it is a registry message without structures.
        """
        if self.root != "Structure" and not self.has_structures:
            raise UnreadableFile(f"The {self.root} message holds no structures.")
        return Message(
            header=self.header,
            structures=tuple(one for one in self.artefacts if isinstance(one, Maintainable)),
            availability=tuple(one for one in self.artefacts if isinstance(one, AvailabilityConstraint)),
            errors=tuple(self.footer),
        )


def _walk(source: IO[bytes], gathered: _Gathered) -> None:
    """Take every part of the message when it is complete, and forget it."""
    events = etree.iterparse(
        source, events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        remove_comments=True, remove_pis=True
    )  # fmt: skip
    path: list[str] = []
    for event, element in events:
        if event == "start":
            if not path:
                gathered.open(element)
            path.append(local_name(element))
            gathered.has_structures |= path[-1] == "Structures"
            continue
        path.pop()
        if path[-2:-1] == ["Structures"]:
            gathered.take_artefact(element)
        elif path[-1:] == ["Structures"]:
            gathered.take_container(element)
        elif len(path) == 1:
            gathered.take_top(element)
        else:
            continue
        element.clear()


def _read_footer(element: Element) -> tuple[str, str, Texts]:
    return (element.get("code", ""), element.get("severity", ""), texts_of(named(element, "Text")))
