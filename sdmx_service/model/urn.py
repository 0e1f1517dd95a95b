"""References to artefacts: URN text, version order and version wildcards.

Sources: SDMX 3.1 ``SDMXCommonReferences.xsd`` (URNs, versions), SDMX 3.1 Technical Notes, *Versioning* (semantic
versions), SDMX-REST 2.2.2 ``querying_versions.md`` (wildcards). The classes are in ``artefact_types``, whose names
are offered here too, since a reference and its class go together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, total_ordering
from types import MappingProxyType
from typing import Literal, Self

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

# ---------------------------------------------------------------------------------------------------------- versions

_NUMBER = r"(?:0|[1-9]\d*)"
_IDENTIFIER = r"(?:0|[1-9]\d*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_EXTENSION = rf"{_IDENTIFIER}(?:\.{_IDENTIFIER})*"
_SEMANTIC = re.compile(rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-({_EXTENSION}))?", re.ASCII)
_LEGACY = re.compile(rf"{_NUMBER}(?:\.{_NUMBER})?", re.ASCII)
_VERSION_2_1 = re.compile(r"\d+(?:\.\d+)*", re.ASCII)

_IdentifierKey = tuple[int, int, str]
_VersionKey = tuple[tuple[int, ...], int, int, tuple[_IdentifierKey, ...], str]


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """A version of an artefact: semantic (``1.2.3``, ``1.2.3-draft``) or legacy (``1``, ``1.2``).

    Order (*standard*: Semantic Versioning 2.0.0, which SDMX 3.0 adopts): part by part as numbers; an extension comes
    before the same version without it; extensions compare identifier by identifier, numbers as numbers and before
    words, the longer after its own beginning. *Choice*, as the standard does not order the two kinds: at equal
    numbers ``1 < 1.0 < 1.0.0-draft < 1.0.0``.
    """

    text: str
    numbers: tuple[int, ...]
    extension: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """The version written as ``text``.

        Besides the versions of SDMX 3.1, the wider ones of SDMX 2.1 are read: any count of numbers, as in 1.2.3.4.

        Raises:
            SyntaxFault: ``text`` is no version.
        """
        if match := _SEMANTIC.fullmatch(text):
            major, minor, patch, extension = match.groups()
            identifiers = tuple(extension.split(".")) if extension else ()
            return cls(text, (int(major), int(minor), int(patch)), identifiers)
        if _VERSION_2_1.fullmatch(text):
            return cls(text, tuple(int(part) for part in text.split(".")))
        raise SyntaxFault(
            f"{text!r} is not a version.", hint="Write it as 1.2.3, 1.2.3-draft or, in the older form, 1.2."
        )

    @property
    def is_semantic(self) -> bool:
        """Three parts, with or without extension."""
        return _SEMANTIC.fullmatch(self.text) is not None

    @property
    def is_stable(self) -> bool:
        """Semantic, without extension, and not 0.y.z: such an artefact may not change (Technical Notes 4.3)."""
        return self.is_semantic and not self.extension and self.numbers[0] > 0

    @property
    def key(self) -> _VersionKey:
        """What versions are ordered by."""
        padded = self.numbers + (0,) * (3 - len(self.numbers))
        identifiers = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in self.extension)
        return (padded, len(self.numbers), 0 if self.extension else 1, identifiers, self.text)

    def __lt__(self, other: object) -> bool:
        return self.key < other.key if isinstance(other, Version) else NotImplemented

    def __str__(self) -> str:
        return self.text


Wildcard = Literal["exact", "latest", "latest stable", "all"]
_OPERATORS: Mapping[str, Wildcard] = MappingProxyType({"+": "latest stable", "~": "latest", "*": "all"})
_FIRST_STABLE = (1, 0, 0)
_PART = re.compile(rf"({_NUMBER})?([+~*])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class VersionPattern:
    """One version expression of SDMX-REST 2.2.2 ``querying_versions.md``: which versions it matches and picks.

    Attributes:
        text: the expression as written.
        wildcard: what is picked of the versions that match: the one named, the latest, the latest stable one, all.
        minimum: the least numbers that match; without wildcard the numbers themselves.
        fixed: how many of the leading numbers must be equal to those of ``minimum``.
        parts: how many numbers a version must have to match (2 legacy, 3 semantic); 0 = any.
    """

    text: str
    wildcard: Wildcard
    minimum: tuple[int, ...] = ()
    fixed: int = 0
    parts: int = 0

    @classmethod
    def exact(cls, version: str) -> Self:
        """The pattern that matches just this version, in any form that an artefact may bear.

        Raises:
            SyntaxFault: it is no version.
        """
        numbers = Version.parse(version).numbers
        return cls(version, "exact", numbers, len(numbers), len(numbers))

    @classmethod
    def parse(cls, expression: str, *, in_reference: bool = False) -> Self:
        """The pattern written as ``expression`` (one alternative, without ``,``).

        Args:
            expression: the text.
            in_reference: it stands in a reference of a structure message, where ``SemanticVersionReferenceType`` of
                the XSD also allows ``0.1.0+``, ``0.1+.0`` and ``0+.1.0``, which queries do not.

        Raises:
            SyntaxFault: the expression is none of the documented forms.
        """
        if _SEMANTIC.fullmatch(expression) or _LEGACY.fullmatch(expression):
            return cls.exact(expression)
        if expression in _OPERATORS:
            if expression == "+":
                return cls(expression, "latest stable", _FIRST_STABLE, 0, 3)
            return cls(expression, _OPERATORS[expression])
        return cls._parse_wildcard(expression, in_reference)

    @classmethod
    def _parse_wildcard(cls, expression: str, in_reference: bool) -> Self:
        """A version of two or three parts with one wildcard, bare (``1.~.0``) or after a number (``1.2~.0``)."""
        parts = [_wildcard_part(expression, part) for part in expression.split(".")]
        if not 2 <= len(parts) <= 3:
            raise _bad_pattern(expression, "a version has one, two or three parts")
        places = [place for place, (_, operator) in enumerate(parts) if operator is not None]
        if len(places) != 1:
            raise _bad_pattern(expression, "exactly one of +, ~ and * may stand in it")
        place = places[0]
        operator = parts[place][1] or ""
        numbers = tuple(number or 0 for number, _ in parts)
        if parts[place][0] is None and any(numbers[place + 1 :]):
            raise _bad_pattern(expression, f"only 0 may follow a part that is just {operator}")
        if operator == "+":
            if len(numbers) == 2:
                raise _bad_pattern(expression, "stable versions have three parts")
            if expression == "+.0.0":
                numbers = _FIRST_STABLE
            if numbers[0] == 0 and not in_reference:
                raise _bad_pattern(expression, "no version 0.y.z is stable")
        return cls(expression, _OPERATORS[operator], numbers, place, len(numbers))

    @property
    def is_exact(self) -> bool:
        """No wildcard in it."""
        return self.wildcard == "exact"

    def matches(self, version: str | Version) -> bool:
        """Whether the version is one of those that the expression speaks of (before only the latest is picked).

        Numbers alone decide whether a version reaches the minimum, so ``1.2.0-draft`` matches ``1.2.0~``
        (``querying_versions.md``: "``x.y.z`` or ``x.y.z-ext`` where ``x.y.z >= X.Y.Z``").

        Raises:
            SyntaxFault: ``version`` is text and no version.
        """
        candidate = Version.parse(version) if isinstance(version, str) else version
        if self.is_exact:
            return candidate.text == self.text
        if self.wildcard == "latest stable" and not candidate.is_stable:
            return False
        if self.parts and len(candidate.numbers) != self.parts:
            return False
        return candidate.numbers[: self.fixed] == self.minimum[: self.fixed] and (
            not self.minimum or candidate.numbers >= self.minimum
        )

    def select(self, versions: Iterable[str]) -> list[str]:
        """Those of ``versions`` that the expression picks, ascending, each once: all, or the latest, or none.

        Raises:
            SyntaxFault: one of ``versions`` is no version.
        """
        found = sorted({candidate for candidate in map(Version.parse, versions) if self.matches(candidate)})
        if self.wildcard in ("latest", "latest stable"):
            found = found[-1:]
        return [version.text for version in found]

    def __str__(self) -> str:
        return self.text


def _wildcard_part(expression: str, part: str) -> tuple[int | None, str | None]:
    """The number and the wildcard that a part consists of; at least one of the two."""
    match = _PART.fullmatch(part)
    if match is None or not part:
        raise _bad_pattern(expression, f"{part!r} is neither a number nor a wildcard")
    number, operator = match.groups()
    return (None if number is None else int(number)), operator


def _bad_pattern(expression: str, reason: str) -> SyntaxFault:
    return SyntaxFault(
        f"{expression!r} is not a version expression: {reason}.",
        hint="Write a version (1.2.3), + (latest stable), ~ (latest), * (all), or one of these in it, as in 1.2+.0.",
    )


def parse_versions(text: str) -> tuple[VersionPattern, ...]:
    """The alternatives of a version parameter: expressions separated by ``,``.

    Raises:
        SyntaxFault: one of them is no version expression.
    """
    return tuple(VersionPattern.parse(expression) for expression in text.split(","))


def select_versions(patterns: Iterable[VersionPattern], versions: Iterable[str]) -> list[str]:
    """The versions that any of the patterns picks, ascending, each once.

    Raises:
        SyntaxFault: one of ``versions`` is no version.
    """
    available = list(versions)
    chosen = {version for pattern in patterns for version in pattern.select(available)}
    return sorted(chosen, key=Version.parse)


# -------------------------------------------------------------------------------------------------------- references

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
        return not any(operator in self.version for operator in _OPERATORS)

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


def _ref_key(ref: Ref) -> tuple[str, str, str, bool, _VersionKey | str, str]:
    version = Version.parse(ref.version).key if ref.is_exact else ref.version
    return (ref.type, ref.agency, ref.id, ref.is_exact, version, ref.item or "")


def _check_version(version: str, text: str) -> None:
    if (fault := _version_fault(version)) is not None:
        raise SyntaxFault(f"{text!r}: {fault.detail}", hint=fault.hint)


@lru_cache(maxsize=1024)
def _version_fault(version: str) -> SyntaxFault | None:
    """What is wrong with the version of a reference; many references say the same few."""
    try:
        if any(mark in version for mark in _OPERATORS):
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
        if not ref.is_exact or not any(mark in self.version for mark in _OPERATORS):
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
