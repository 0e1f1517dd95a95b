"""Versions of artefacts: their order, and the expressions that pick some of them.

Sources: SDMX 3.1 ``SDMXCommonReferences.xsd`` (versions), SDMX 3.1 Technical Notes, *Versioning* (semantic versions),
SDMX-REST 2.2.2 ``querying_versions.md`` (wildcards).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import total_ordering
from types import MappingProxyType
from typing import Literal, Self

from sdmx_service.errors import SyntaxFault

_NUMBER = r"(?:0|[1-9]\d*)"
_IDENTIFIER = r"(?:0|[1-9]\d*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_EXTENSION = rf"{_IDENTIFIER}(?:\.{_IDENTIFIER})*"
_SEMANTIC = re.compile(rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-({_EXTENSION}))?", re.ASCII)
_LEGACY = re.compile(rf"{_NUMBER}(?:\.{_NUMBER})?", re.ASCII)
_VERSION_2_1 = re.compile(r"\d+(?:\.\d+)*", re.ASCII)

_IdentifierKey = tuple[int, int, str]
VersionKey = tuple[tuple[int, ...], int, int, tuple[_IdentifierKey, ...], str]


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
    def key(self) -> VersionKey:
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


def is_late_bound(version: str) -> bool:
    """There is a wildcard in it: it is an expression to be resolved when it is read."""
    return any(operator in version for operator in _OPERATORS)


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
