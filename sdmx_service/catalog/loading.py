"""Artefacts, layouts and rules from files and from a store, and back.

Files fill an empty store; a later ``init`` adds versions and overwrites none. In the store each artefact is one
SDMX-JSON structure message under its URN, each metadata set one metadata message under its own; layouts, rule sets,
questionnaires, registrations and confidentiality documents stand under ``mapping:ID``, ``rules:ID``,
``questionnaire:ID(REVISION)``, ``registration:ID`` and ``confidentiality:ID``, who signs off and what is collected
under ``sign_off:ID`` and ``collection:ID``.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from operator import attrgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.collection import Collection, read_collection
from sdmx_service.catalog.confidentiality import read_confidentiality
from sdmx_service.catalog.layout import Layout, read_layout
from sdmx_service.catalog.questionnaire import Questionnaire, read_questionnaire
from sdmx_service.catalog.rules import RuleSet, read_rules
from sdmx_service.catalog.sign_off import SignOff, read_sign_off
from sdmx_service.errors import CannotWrite, InvalidStructure, SdmxError
from sdmx_service.formats.recognition import artefact_format
from sdmx_service.formats.registry import named
from sdmx_service.model.artefact import ItemScheme, Maintainable
from sdmx_service.model.confidentiality import CONFIDENTIALITY, Confidentiality
from sdmx_service.model.constraint import AttachmentConstraint, DataConstraint
from sdmx_service.model.message import Message, WriteOptions
from sdmx_service.model.metadata import MetadataSet
from sdmx_service.model.registration import Registration

STORED_FORMAT = "structure-json-2.1"
STORED_METADATA = "metadata-json-2.1"
FOLDERS = ("dsd", "codelists", "mappings")


_FORBIDDEN = re.compile(r"(?<!\\)(?:\\\\)*(?P<character>\\u00(?:0[0-8bce-fBCE-F]|1[0-9a-fA-F])|\\[bf]|[\ufffe\uffff])")
"""As JSON writes them: characters below the space that are no white space (XML 1.0, *Char*), and two that are none."""


def registration_name(id: str) -> str:
    """The name under which a store keeps a registration."""
    return _REGISTRATIONS.prefix + id


def policy_name(kind: str, id: str) -> str:
    """The name under which a store keeps a document of a kind: ``sign_off:ID``, ``collection:ID``."""
    return f"{kind}:{id}"


@dataclass(slots=True, kw_only=True)
class Content:
    """What some files or a store hold."""

    artefacts: list[Maintainable] = field(default_factory=list)
    layouts: dict[str, Layout] = field(default_factory=dict)
    rule_sets: dict[str, RuleSet] = field(default_factory=dict)
    questionnaires: dict[str, Questionnaire] = field(default_factory=dict)
    registrations: dict[str, Registration] = field(default_factory=dict)
    sign_offs: dict[str, SignOff] = field(default_factory=dict)
    collections: dict[str, Collection] = field(default_factory=dict)
    confidentiality: dict[str, Confidentiality] = field(default_factory=dict)
    read: dict[str, tuple[bytes, tuple[Maintainable, ...]]] = field(default_factory=dict)
    """What was read of a store, for the next reading."""

    def catalog(self, generation: int = 0) -> Catalog:
        """The content as a catalog."""
        return Catalog.of(
            self.artefacts,
            layouts=self.layouts,
            rule_sets=self.rule_sets,
            questionnaires=self.questionnaires,
            registrations=self.registrations,
            sign_offs=self.sign_offs,
            collections=self.collections,
            confidentiality=self.confidentiality,
            generation=generation,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentKind:
    """A kind of documents of our own that stand beside artefacts.

    Attributes:
        prefix: what the names begin with under which a store keeps them.
        field: where ``Content`` holds them, by id.
        read: makes one of what a file or a store holds; a fault names the place.
        document: what a store keeps of one.
        id: what one is called by.
        file: the name of the files that hold one; ``folder``: that of the folders whose files do; None: no files do.
        read_stored: as ``read``, where a store keeps it in another form than files have.
    """

    prefix: str
    field: str
    read: Callable[[Mapping[str, Any], str], Any]
    document: Callable[[Any], Any] = attrgetter("document")
    id: Callable[[Any], str] = attrgetter("id")
    file: str | None = None
    folder: str | None = None
    read_stored: Callable[[Mapping[str, Any], str], Any] | None = None

    def of(self, content: Content) -> dict[str, Any]:
        """Those of some content."""
        found: dict[str, Any] = getattr(content, self.field)
        return found

    def add(self, content: Content, one: Any) -> None:
        """Put one beside the others of some content."""
        self.of(content)[self.id(one)] = one

    def name(self, one: Any) -> str:
        """The name under which a store keeps one."""
        return self.prefix + self.id(one)


_REGISTRATIONS = DocumentKind(
    prefix="registration:",
    field="registrations",
    read=lambda document, place: Registration.from_json(document),
    document=Registration.to_json,
)
KINDS = (
    DocumentKind(prefix="mapping:", field="layouts", read=read_layout, file="layout.json"),
    DocumentKind(
        prefix="questionnaire:",
        field="questionnaires",
        read=read_questionnaire,
        id=attrgetter("name"),
        file="questionnaire.json",
    ),
    DocumentKind(prefix="rules:", field="rule_sets", read=read_rules, folder="rules"),
    _REGISTRATIONS,
    DocumentKind(prefix="sign_off:", field="sign_offs", read=read_sign_off, folder="sign_off"),
    DocumentKind(prefix="collection:", field="collections", read=read_collection, folder="collections"),
    DocumentKind(
        prefix=CONFIDENTIALITY,
        field="confidentiality",
        read=read_confidentiality,
        document=Confidentiality.to_json,
        folder="confidentiality",
        read_stored=lambda document, place: Confidentiality.from_json(document),
    ),
)
"""Every kind; what is of none is an artefact."""


def load_folder(folder: Path) -> Content:
    """Everything under ``dsd/``, ``codelists/`` and ``mappings/`` of a folder.

    Messages of structures and of metadata sets (``.json``, ``.xml``), ``layout.json`` and ``questionnaire.json`` files,
    rule sets (files in a folder ``rules``), likewise ``confidentiality``, ``sign_off`` and ``collections``; folders
    named ``sources`` are not read.

    Raises:
        SdmxError: a file cannot be read; the message begins with its path.
    """
    content = Content()
    for part in FOLDERS:
        for path in sorted((folder / part).rglob("*")):
            place = path.relative_to(folder)
            if path.suffix in (".json", ".xml") and "sources" not in place.parts:
                _load_file(path, place.as_posix(), content)
    return content


def _load_file(path: Path, place: str, content: Content) -> None:
    try:
        kind = next((one for one in KINDS if one.file == path.name), None)
        kind = kind or next((one for one in KINDS if one.folder == path.parent.name), None)
        if kind is not None:
            kind.add(content, kind.read(_document(path), place))
        else:
            content.artefacts += _read_message(path.read_bytes(), path.name)
    except SdmxError as error:
        raise InvalidStructure(f"{place}: {error}", code=error.code, title=error.title) from error


def _document(path: Path) -> Mapping[str, Any]:
    try:
        return orjson.loads(path.read_bytes())  # type: ignore[no-any-return]
    except orjson.JSONDecodeError as error:
        raise InvalidStructure(f"not JSON: {error}") from None


def _read_message(body: bytes, name: str | None = None) -> tuple[Maintainable, ...]:
    read = artefact_format(body, name).read
    assert read is not None
    message = read(io.BytesIO(body), _no_data)
    assert isinstance(message, Message)
    return tuple(replace(one, action=None) if isinstance(one, MetadataSet) else one for one in message.structures)


def _no_data(ref: object) -> Any:
    raise InvalidStructure("A structure message holds no data.")


def _stored_format(artefact: Maintainable) -> str:
    """SDMX-JSON 2.1, but 2.0 for a constraint with a role, and SDMX-ML 2.1 for what SDMX 3.0 has not."""
    if isinstance(artefact, AttachmentConstraint):
        return "structure-xml-2.1"
    if isinstance(artefact, MetadataSet):
        return STORED_METADATA
    has_role = isinstance(artefact, DataConstraint) and artefact.role is not None
    return "structure-json-2.0" if has_role else STORED_FORMAT


def serialise(content: Content) -> dict[str, bytes]:
    """The content as a store keeps it."""
    options = WriteOptions(all_languages=True)
    stored: dict[str, bytes] = {}
    for artefact in content.artefacts:
        write = named(_stored_format(artefact)).write
        assert write is not None
        stored[artefact.urn] = b"".join(write(Message(structures=(artefact,)), options))
    for kind in KINDS:
        stored |= {kind.name(one): orjson.dumps(kind.document(one)) for one in kind.of(content).values()}
    return stored


Stored = Mapping[str, tuple[bytes, tuple[Maintainable, ...]]]
"""What a store keeps of artefacts, by name: a digest of the bytes, and what they say."""


def as_stored(artefact: Maintainable) -> Maintainable:
    """The artefact as it comes back from a store.

    Raises:
        CannotWrite: the format in which artefacts are kept cannot carry it, or XML cannot carry one of its texts.
    """
    (body,) = serialise(Content(artefacts=[artefact])).values()
    if (found := _FORBIDDEN.search(body.decode())) is not None:
        raise CannotWrite(f"{artefact.type} {artefact.ref.text}: XML cannot carry the text {found['character']!r}.")
    (kept,) = _read_message(body, "artefact.json")
    return kept


def deserialise(stored: Mapping[str, bytes], known: Stored = MappingProxyType({})) -> Content:
    """The content that ``serialise`` wrote; what equals something ``known`` is not read again."""
    content = Content()
    for name, body in stored.items():
        kind = next((one for one in KINDS if name.startswith(one.prefix)), None)
        if kind is not None:
            kind.add(content, (kind.read_stored or kind.read)(orjson.loads(body), name))
        else:
            content.read[name] = _read_stored(body, known.get(name))
            content.artefacts += content.read[name][1]
    return content


def _read_stored(
    body: bytes, known: tuple[bytes, tuple[Maintainable, ...]] | None
) -> tuple[bytes, tuple[Maintainable, ...]]:
    digest = hashlib.sha256(body).digest()
    if known is not None and known[0] == digest:
        return known
    return digest, _read_message(body, "artefact.json")


def dangling(catalog: Catalog) -> Iterator[tuple[Maintainable, Any]]:
    """References inside the catalog that nothing here answers, as (artefact, reference)."""
    for artefact in catalog.artefacts.values():
        for ref in artefact.references():
            if catalog.lookup(ref) is None:
                yield artefact, ref


def missing(content: Content, stored: Mapping[str, bytes]) -> Content:
    """The part of the content that a store does not have yet.

    Schemes of organisations are never versioned (SDMX 3.1, *AgencyScheme* and its like): of these a store gets the
    items that it lacks, and keeps its own.
    """
    artefacts = []
    for one in content.artefacts:
        if one.urn not in stored:
            artefacts.append(one)
        elif isinstance(one, ItemScheme) and one.ref.artefact_type is not None and one.ref.artefact_type.fixed_id:
            artefacts += _grown(one, stored[one.urn])
    lacking = Content(artefacts=artefacts)
    for kind in KINDS:
        kind.of(lacking).update({id: one for id, one in kind.of(content).items() if kind.name(one) not in stored})
    return lacking


def _grown(scheme: ItemScheme[Any], body: bytes) -> Iterator[Maintainable]:
    """The stored scheme with the items of another that it lacks; nothing if it lacks none."""
    for kept in _read_message(body):
        assert isinstance(kept, ItemScheme)
        known = kept.index()
        if new := tuple(item for item in scheme.items if item.id not in known):
            yield replace(kept, items=(*kept.items, *new))
