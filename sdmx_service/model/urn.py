"""References to artefacts: URN text, and what people write.

Source: SDMX 3.1 ``SDMXCommonReferences.xsd``. The classes are in ``artefact_types``, the versions in ``version``, whose
names are offered here too, since they go together with a reference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

from sdmx_service.errors import SyntaxFault
from sdmx_service.model.artefact_types import (
    ARTEFACT_TYPES,
    ArtefactType,
    artefact_type,
    artefact_type_of_item,
    artefact_type_of_resource,
    artefact_types_of_v1_resource,
    canonical_class,
)
from sdmx_service.model.version import (
    Version,
    VersionKey,
    VersionPattern,
    is_late_bound,
    parse_versions,
    select_versions,
)

__all__ = [
    "ARTEFACT_TYPES",
    "ArtefactType",
    "PartialRef",
    "Ref",
    "Version",
    "VersionPattern",
    "artefact_type",
    "artefact_type_of_item",
    "artefact_type_of_resource",
    "artefact_types_of_v1_resource",
    "canonical_class",
    "parse_ref",
    "parse_versions",
    "select_versions",
]

_AGENCY = r"[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z][A-Za-z0-9_-]*)*"
_ID = r"[A-Za-z0-9_@$-]+"
_REFERENCE = re.compile(
    rf"(?:(?P<agency>{_AGENCY}):)?(?P<id>{_ID})(?:\((?P<version>[^()]*)\)(?:\.(?P<item>{_ID}(?:\.{_ID})*))?)?", re.ASCII
)
_URN = re.compile(r"urn:sdmx:org\.sdmx\.infomodel\.(?P<package>[a-z]+)\.(?P<type>[A-Za-z]+)=(?P<rest>.*)", re.ASCII)
_URN_PREFIX = "urn:"
_BARE_AGENCY = re.compile(_AGENCY, re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """A complete reference to a maintainable artefact, or to a part of one.

    Attributes:
        type: the class as in URNs: of the artefact (``Codelist``), or of the part where ``item`` is given (``Code``).
            An item scheme's class given together with an item becomes the class of its items.
        agency: the maintaining agency, dotted if nested.
        id: the id of the maintainable artefact.
        version: a version, or in references between structures a late-bound expression (``1.0+.0``).
        item: the path of the part inside the artefact, parts joined by ``.``; None = the artefact itself.
    """

    type: str
    agency: str
    id: str
    version: str = "1.0"
    item: str | None = None

    def __post_init__(self) -> None:
        """Name the class of the item, not of its scheme, so that equal references are equal objects."""
        if self.item is not None:
            object.__setattr__(self, "type", _item_class(self.type))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The reference that a URN is.

        Class names of older standards and other spellings (``KeyFamily``, ``CodeList``) are read as today's; the
        package is not compared, since the class decides it. *Extension*: ``Agency=ECB``, which registries write for
        an agency by itself, is read as ``SDMX:AGENCIES(1.0).ECB``.

        Raises:
            SyntaxFault: ``text`` is no URN of SDMX, or of a class that SDMX does not know.
        """
        match = _URN.fullmatch(text)
        if match is None:
            raise SyntaxFault(
                f"{text!r} is not an SDMX URN.",
                hint="Write urn:sdmx:org.sdmx.infomodel.<package>.<Class>=<AGENCY>:<ID>(<VERSION>)[.<ITEM>].",
            )
        name = canonical_class(match["type"])
        if name is None:
            raise SyntaxFault(f"{text!r}: SDMX has no class {match['type']!r}.")
        if name == "Agency" and _BARE_AGENCY.fullmatch(match["rest"]):
            return cls(**_bare_agency(match["rest"]))
        parts = _REFERENCE.fullmatch(match["rest"])
        if parts is None or parts["agency"] is None or parts["version"] is None:
            raise SyntaxFault(f"{text!r}: {match['rest']!r} is not of the form AGENCY:ID(VERSION)[.ITEM].")
        _check_version(parts["version"], text)
        _check_item(name, parts["item"], text)
        return cls(type=name, agency=parts["agency"], id=parts["id"], version=parts["version"], item=parts["item"])

    @property
    def artefact_type(self) -> ArtefactType | None:
        """The type of the maintainable artefact, also for a reference to a part; None for an unknown class."""
        if self.item is not None and (found := artefact_type_of_item(self.type)) is not None:
            return found
        return artefact_type(self.type)

    @property
    def maintainable(self) -> Ref:
        """The reference to the artefact as a whole (of a code: to its codelist)."""
        if self.item is None:
            return self
        kind = self.artefact_type
        return Ref(type=kind.name if kind else self.type, agency=self.agency, id=self.id, version=self.version)

    @property
    def is_exact(self) -> bool:
        """The version is a version and not an expression to be resolved when read."""
        return not is_late_bound(self.version)

    @property
    def version_pattern(self) -> VersionPattern:
        """The version as a pattern, exact or late-bound."""
        return (
            VersionPattern.exact(self.version)
            if self.is_exact
            else VersionPattern.parse(self.version, in_reference=True)
        )

    @property
    def text(self) -> str:
        """``AGENCY:ID(VERSION)`` or ``AGENCY:ID(VERSION).ITEM``."""
        tail = "" if self.item is None else f".{self.item}"
        return f"{self.agency}:{self.id}({self.version}){tail}"

    @property
    def urn(self) -> str:
        """The URN, with the package that belongs to the class.

        Raises:
            SyntaxFault: the class is unknown, so that no URN can be written.
        """
        kind = self.artefact_type
        if kind is None:
            raise SyntaxFault(f"A reference of class {self.type!r} ({self.text}) has no URN: SDMX has no such class.")
        return f"urn:sdmx:org.sdmx.infomodel.{kind.package}.{self.type}={self.text}"

    def to_item(self, item: str, item_type: str | None = None) -> Ref:
        """The reference to a part of this artefact; its class is that of the scheme's items unless given."""
        return replace(self, type=item_type or self.type, item=item)

    def with_version(self, version: str) -> Ref:
        """The same artefact or part in another version."""
        return replace(self, version=version)

    def __str__(self) -> str:
        return self.text

    def __lt__(self, other: object) -> bool:
        return _ref_key(self) < _ref_key(other) if isinstance(other, Ref) else NotImplemented


def _bare_agency(name: str) -> dict[str, str]:
    """The fields of the reference to an agency: top-level ones are in SDMX's scheme, ``A.B`` is B in A's."""
    parent, _, last = name.rpartition(".")
    return {"type": "Agency", "agency": parent or "SDMX", "id": "AGENCIES", "version": "1.0", "item": last}


def _ref_key(ref: Ref) -> tuple[str, str, str, bool, VersionKey | str, str]:
    version = Version.parse(ref.version).key if ref.is_exact else ref.version
    return (ref.type, ref.agency, ref.id, ref.is_exact, version, ref.item or "")


def _check_version(version: str, text: str) -> None:
    if (fault := _version_fault(version)) is not None:
        raise SyntaxFault(f"{text!r}: {fault.detail}", hint=fault.hint)


@lru_cache(maxsize=1024)
def _version_fault(version: str) -> SyntaxFault | None:
    """What is wrong with the version of a reference; many references say the same few."""
    try:
        if is_late_bound(version):
            VersionPattern.parse(version, in_reference=True)
        else:
            Version.parse(version)
    except SyntaxFault as fault:
        return fault
    return None


def _item_class(name: str) -> str:
    """The class of the items, if ``name`` is the class of a scheme that has one such class; else ``name``."""
    kind = artefact_type(name)
    if kind is not None and kind.is_item_scheme and len(kind.item_types) == 1:
        return kind.item_types[0]
    return name


def _check_item(name: str, item: str | None, text: str) -> None:
    if item is None and artefact_type(name) is None:
        raise SyntaxFault(f"{text!r}: a reference to a {name} needs its id after the version.")
    if item is not None and artefact_type_of_item(_item_class(name)) is None:
        raise SyntaxFault(f"{text!r}: a {name} has no parts, and {item!r} follows its version.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialRef:
    """What a person wrote to name an artefact; None = not said, to be found where it is unique.

    Attributes:
        type: the class (of the part where ``item`` is given), or None.
        agency, id, version, item: as in ``Ref``.
    """

    id: str
    type: str | None = None
    agency: str | None = None
    version: str | None = None
    item: str | None = None

    @property
    def text(self) -> str:
        """The reference as short as it was said: ``ID``, ``AGENCY:ID``, ``AGENCY:ID(VERSION)[.ITEM]``."""
        head = self.id if self.agency is None else f"{self.agency}:{self.id}"
        version = f"({self.version})" if self.version is not None else ""
        return head + version + ("" if self.item is None else f".{self.item}")

    def matches(self, ref: Ref) -> bool:
        """Whether ``ref`` may be meant: all that was said is so; a version expression matches by its rules."""
        said = ((self.type, ref.type), (self.agency, ref.agency), (self.id, ref.id), (self.item, ref.item))
        if any(mine is not None and mine != theirs for mine, theirs in said):
            return False
        if self.version is None or self.version == ref.version:
            return True
        if not ref.is_exact or not is_late_bound(self.version):
            return False
        return VersionPattern.parse(self.version, in_reference=True).matches(ref.version)

    def complete(self, *, agency: str | None = None, version: str | None = None) -> Ref | None:
        """The full reference, what was not said taken from the arguments; None if something is still missing."""
        maintainer, number = self.agency or agency, self.version or version
        if self.type is None or maintainer is None or number is None:
            return None
        return Ref(type=self.type, agency=maintainer, id=self.id, version=number, item=self.item)

    def __str__(self) -> str:
        return self.text


def parse_ref(text: str, type: str | None = None) -> PartialRef:  # noqa: A002 - the standard's word, as in Ref
    """The reference that a person wrote: ``AGENCY:ID(VERSION)[.ITEM]``, ``AGENCY:ID``, a URN, or a bare id.

    Args:
        text: what was written.
        type: the class that is meant, as in URNs. A class of items whose scheme has one fixed id (``DataProvider``)
            makes ``AGENCY:ID`` and the bare id mean the item.

    Raises:
        SyntaxFault: ``text`` has none of the forms, or is a URN of another class than ``type``.
    """
    if text.startswith(_URN_PREFIX):
        ref = Ref.parse(text)
        if type is not None and type not in (ref.type, ref.maintainable.type):
            raise SyntaxFault(f"{text!r} is a reference to a {ref.type}, and a {type} is needed.")
        return PartialRef(id=ref.id, type=ref.type, agency=ref.agency, version=ref.version, item=ref.item)
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise SyntaxFault(
            f"{text!r} is not a reference.", hint="Write AGENCY:ID(VERSION), AGENCY:ID, a full URN, or an id."
        )
    agency, name, version, item = match.group("agency", "id", "version", "item")
    if version is not None:
        _check_version(version, text)
    scheme = artefact_type_of_item(type) if type is not None else None
    if scheme is not None and scheme.fixed_id is not None and item is None and name != scheme.fixed_id:
        return PartialRef(id=scheme.fixed_id, type=type, agency=agency, version=version or "1.0", item=name)
    meant = type if type is None or item is None else _item_class(type)
    return PartialRef(id=name, type=meant, agency=agency, version=version, item=item)
