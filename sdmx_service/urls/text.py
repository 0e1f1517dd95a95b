"""What the addresses of both REST versions are made of: parts of the path, parameters, lists, moments, numbers.

How text is read (*choice* unless a clause is given):

* The path is split at ``/`` and the query string at ``&`` and ``=`` first, then each piece is percent-decoded once, as
  UTF-8. So ``%2B`` and ``%2C`` mean the operators ``+`` and ``,`` just as the bare characters do (clients encode them
  or not, as they like), and a ``+`` is never a space.
* A value that itself contains such a character is encoded twice: ``%252C`` is a comma inside a value (*extension*; the
  standard has no way to say it).
* One trailing ``/`` is ignored (the standard's own examples have it), and so is one leading ``/``; an empty part
  elsewhere is an error, since defaults may be left out at the end only (*standard*: data.md).
* A parameter stands once, has a value, and is one that the resource has; everything else is an error, never ignored.
* Empty pieces of the query string (``a=1&&b=2``) mean nothing.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import TypeVar
from urllib.parse import quote, unquote

from sdmx_service.errors import NotBuilt, NotFound, SdmxError, SyntaxFault, UnknownParameter
from sdmx_service.model.query import Representation
from sdmx_service.model.urn import parse_versions

Word = TypeVar("Word", bound=str)

AGENCY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z][A-Za-z0-9_-]*)*", re.ASCII)
"""SDMX common:NestedNCNameIDType."""
ID = re.compile(r"[A-Za-z0-9_@$-]+", re.ASCII)
"""SDMX common:IDType."""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*", re.ASCII)
"""SDMX common:NCNameIDType."""
NESTED_ID = re.compile(r"[A-Za-z0-9_@$-]+(?:\.[A-Za-z0-9_@$-]+)*", re.ASCII)
"""SDMX common:NestedIDType; also how nested metadata attributes are addressed."""

REPRESENTATION_PARAMETERS = ("format", "formatVersion", "compression", "lang")
"""Parameters of extend.md, taken by every resource (*extension*)."""

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_RESERVED = {"%": "%25", "+": "%2B", ",": "%2C", ".": "%2E", "*": "%2A"}
_ESCAPES = re.compile(r"%(25|2[Bb]|2[Cc]|2[Ee]|2[Aa])")
_MOMENT = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})T(?P<time>\d{2}:\d{2}:\d{2})(?:\.(?P<fraction>\d+))?"
    r"(?P<offset>Z|[+-]\d{2}:\d{2})?",
    re.ASCII,
)
_START_DAY = re.compile(r"--(\d{2})-(\d{2})", re.ASCII)
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FLAGS = ("true", "false", "1", "0")
_LONGEST_SHOWN = 80


# ------------------------------------------------------------------------------------------------------------ errors


def shorten(value: str) -> str:
    """The value quoted for an error message, cut where it is very long."""
    return repr(value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "…")


def fault(place: str, value: str, problem: str, hint: str) -> SyntaxFault:
    """The error that says which part of an address holds which value, what is wrong with it and what to write."""
    return SyntaxFault(f"{place} is {shorten(value)}: {problem}.", hint=hint)


def nearest(word: str, words: Iterable[str]) -> str | None:
    """That of the words which looks most like ``word``, or None."""
    by_lower = {candidate.lower(): candidate for candidate in words}
    found = difflib.get_close_matches(word[:_LONGEST_SHOWN].lower(), list(by_lower), n=1, cutoff=0.5)
    return by_lower[found[0]] if found else None


def suggestion(word: str, words: Collection[str]) -> str:
    """A sentence with the nearest of the words, or with all of them."""
    close = nearest(word, words)
    return f"Did you mean {close}?" if close else f"Possible: {', '.join(words)}."


def unknown_resource(
    resource: str, known: Collection[str], hints: Mapping[str, str], planned: Collection[str]
) -> SdmxError:
    """The error for a first part of the path that is no resource: not built (501), or unknown (404).

    *Standard:* all standard interfaces must exist, even if their only function is to answer 501.
    """
    if resource in planned:
        return NotBuilt(f"The resource {resource} is part of SDMX-REST, and this service does not offer it by GET yet.")
    if not resource:
        return NotFound("The address names no resource.", hint=f"Possible: {', '.join(known)}.")
    hint = hints.get(resource) or suggestion(resource, known)
    return NotFound(f"There is no resource {shorten(resource)} here.", hint=hint)


# -------------------------------------------------------------------------------------------------- cutting addresses


def decode(text: str, place: str) -> str:
    """The text percent-decoded once, as UTF-8; a ``+`` stays a ``+``.

    Raises:
        SyntaxFault: a broken escape, bytes that are no UTF-8, or control characters.
    """
    if _BAD_ESCAPE.search(text):
        raise fault(place, text, "a % is not followed by two hexadecimal digits", "Write %25 for the character %.")
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError as error:
        raise fault(place, text, "the escapes are not UTF-8", "Percent-encode text as UTF-8.") from error
    if _FORBIDDEN.search(decoded):
        raise fault(place, decoded, "it contains a control character", "Leave it out.")
    return decoded


def split_path(path: str) -> list[str]:
    """The decoded parts of a path; one leading and one trailing ``/`` do not count.

    An empty part stays in: whether it may stand there is for the caller (see :func:`require_parts`).

    Raises:
        SyntaxFault: a part cannot be decoded.
    """
    trimmed = path.removeprefix("/").removesuffix("/")
    return [decode(part, f"Part {number} of the path") for number, part in enumerate(trimmed.split("/"), start=1)]


def require_parts(parts: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """The parts of a path after the resource, by name; those missing at the end are left out.

    Raises:
        SyntaxFault: more parts than names, or an empty part.
    """
    if len(parts) > len(names):
        places = "/".join(f"{{{name}}}" for name in names)
        raise SyntaxFault(
            f"The path has {len(parts) - len(names)} part(s) too many: {shorten('/'.join(parts[len(names) :]))}.",
            hint=f"After the resource may follow: {places}.",
        )
    for name, part in zip(names, parts, strict=False):
        if not part:
            raise SyntaxFault(
                f"The part {name} of the path is empty.",
                hint="Only parts at the end may be left out; elsewhere write the wildcard.",
            )
    return dict(zip(names, parts, strict=False))


def split_list(text: str, separator: str, place: str) -> list[str]:
    """The members of a list, each once, in the order given.

    Raises:
        SyntaxFault: a member is empty.
    """
    members = text.split(separator)
    if not all(members):
        raise fault(place, text, f"a value is missing beside a {separator!r}", "Separate values by one such character.")
    return list(dict.fromkeys(members))


def read_ids(
    text: str, separator: str, place: str, pattern: re.Pattern[str] = ID, wildcard: str = "*"
) -> tuple[str, ...]:
    """A list of identifiers; ``("*",)`` as soon as the wildcard is among them.

    Raises:
        SyntaxFault: a member is empty or no identifier.
    """
    members = split_list(text, separator, place)
    for member in members:
        if member != wildcard and not pattern.fullmatch(member):
            raise fault(
                place, member, "this is not an identifier", f"Write an id, several with {separator}, or {wildcard}."
            )
    return ("*",) if wildcard in members else tuple(members)


def read_versions(text: str) -> tuple[str, ...]:
    """The version expressions of a list, checked (SDMX-REST 2.2, querying_versions.md).

    Raises:
        SyntaxFault: one of them is no version expression.
    """
    parse_versions(text)
    members = split_list(text, ",", "The version")
    return ("*",) if "*" in members else tuple(members)


# -------------------------------------------------------------------------------------------------- values in values


def protect(value: str, characters: str = "%+,.*") -> str:
    """The value with the characters that would be read as operators escaped; percent-encoding comes on top."""
    return "".join(_RESERVED[c] if c in characters else c for c in value)


def restore(value: str) -> str:
    """The inverse of :func:`protect`, whatever characters were escaped."""
    return _ESCAPES.sub(lambda match: chr(int(match[1], 16)), value)


# --------------------------------------------------------------------------------------------------------- parameters


class Parameters:
    """The parameters of one request, decoded; each may be asked for as the type that it must have."""

    def __init__(self, query_string: str, resource: str, allowed: Collection[str], hints: Mapping[str, str]) -> None:
        """Reads a raw query string.

        Args:
            query_string: raw text after ``?``; a ``?`` in front of it does not count.
            resource: name of the resource, for messages.
            allowed: names of the parameters that the resource has. ``c`` allows ``c[ID]`` for every ID.
            hints: for names that another version or resource has, what to write instead.

        Raises:
            UnknownParameter: a name that is not allowed.
            SyntaxFault: a parameter twice or without value, or text that cannot be decoded.
        """
        self.filters: dict[str, str] = {}
        """Values of ``c[ID]`` by id."""
        self._values: dict[str, str] = {}
        for piece in query_string.removeprefix("?").split("&"):
            if piece:
                self._add(piece, resource, (*allowed, *REPRESENTATION_PARAMETERS), hints)

    def _add(self, piece: str, resource: str, allowed: Sequence[str], hints: Mapping[str, str]) -> None:
        raw_name, _, raw_value = piece.partition("=")
        name = decode(raw_name, "The name of a parameter")
        value = decode(raw_value, f"The parameter {name}")
        target, key = self._values, name
        if "c" in allowed and name.startswith("c[") and name.endswith("]"):
            target, key = self.filters, name[2:-1]
            if not NESTED_ID.fullmatch(key):
                raise fault("The component of c[...]", key, "this is not an identifier", "Write c[ID]=value.")
        elif name not in allowed or name == "c":
            raise _unknown_parameter(name, resource, allowed, hints)
        if not value:
            raise SyntaxFault(f"The parameter {name} has no value.", hint="Give it a value or leave it out.")
        if key in target:
            raise SyntaxFault(f"The parameter {name} is there more than once.", hint="Give it once.")
        target[key] = value

    def text(self, name: str) -> str | None:
        """The value as it is, or None."""
        return self._values.get(name)

    def words(self, name: str, default: tuple[str, ...], pattern: re.Pattern[str] = NESTED_ID) -> tuple[str, ...]:
        """A list of keywords or ids separated by ``,``.

        Raises:
            SyntaxFault: a member is empty or no identifier.
        """
        value = self.text(name)
        if value is None:
            return default
        members = split_list(value, ",", f"The parameter {name}")
        for member in members:
            if not pattern.fullmatch(member):
                raise fault(f"The parameter {name}", member, "this is not an identifier", "Write ids separated by ','.")
        return tuple(members)

    def one_of(self, name: str, choices: Collection[Word], default: Word) -> Word:
        """One of the keywords.

        Raises:
            SyntaxFault: another word.
        """
        value = self.text(name)
        return default if value is None else choose(value, choices, f"The parameter {name}")

    def some_of(self, name: str, choices: Collection[str], default: tuple[str, ...]) -> tuple[str, ...]:
        """Keywords separated by ``,``; ``none`` only alone.

        Raises:
            SyntaxFault: another word, or ``none`` with others.
        """
        members = self.words(name, default)
        for member in members:
            choose(member, choices, f"The parameter {name}")
        if "none" in members and len(members) > 1:
            raise fault(f"The parameter {name}", ",".join(members), "none cannot go with others", "Leave out none.")
        return members

    def flag(self, name: str) -> bool:
        """An ``xs:boolean``: ``true``, ``false``, ``1`` or ``0``; no if not given.

        *Choice:* in any case, since clients written in Python send ``True``.

        Raises:
            SyntaxFault: another word.
        """
        value = self.text(name)
        return value is not None and choose(value.lower(), _FLAGS, f"The parameter {name}") in ("true", "1")

    def number(self, name: str, minimum: int) -> int | None:
        """A whole number, at least ``minimum``, at most 18 digits; None if not given.

        Raises:
            SyntaxFault: anything else.
        """
        value = self.text(name)
        if value is None:
            return None
        if not _NUMBER.fullmatch(value) or int(value) < minimum:
            hint = f"Write a whole number, at least {minimum}, in digits."
            raise fault(f"The parameter {name}", value, "this is not such a number", hint)
        return int(value)

    def name_of_dimension(self, name: str = "dimensionAtObservation") -> str | None:
        """The id of a dimension or ``AllDimensions``; None if not given.

        Raises:
            SyntaxFault: it is no identifier.
        """
        value = self.text(name)
        if value is not None and not NAME.fullmatch(value):
            hint = "Write TIME_PERIOD, the id of another dimension, or AllDimensions."
            raise fault(f"The parameter {name}", value, "this is not the id of a dimension", hint)
        return value

    def moment(self, name: str) -> datetime | None:
        """An ``xs:dateTime``, with its offset; without one it is local time of the service. None if not given.

        Raises:
            SyntaxFault: it is none.
        """
        value = self.text(name)
        return None if value is None else read_moment(value, f"The parameter {name}")

    def start_day(self) -> str | None:
        """``reportingYearStartDay``: ``--MM-DD``, a day that exists in some year; None if not given.

        Raises:
            SyntaxFault: it is none.
        """
        value = self.text("reportingYearStartDay")
        if value is None:
            return None
        match = _START_DAY.fullmatch(value)
        if match is None or not 1 <= int(match[1]) <= 12 or not 1 <= int(match[2]) <= _DAYS[int(match[1]) - 1]:
            hint = "Write --MM-DD, such as --07-01 for the first of July."
            raise fault("The parameter reportingYearStartDay", value, "this is not a day of the year", hint)
        return value

    def representation(self) -> Representation:
        """The wishes about the form of the answer (extend.md)."""
        return Representation(
            format=self.text("format"),
            format_version=self.text("formatVersion"),
            compression=self.text("compression"),
            language=self.text("lang"),
        )


def _unknown_parameter(
    name: str, resource: str, allowed: Collection[str], hints: Mapping[str, str]
) -> UnknownParameter:
    if name in hints:
        hint = hints[name]
    elif name == "c" and "c" in allowed:
        hint = "Write c[COMPONENT]=value."
    else:
        hint = suggestion(name, ["c[COMPONENT]" if word == "c" else word for word in allowed])
    return UnknownParameter(f"The resource {resource} has no parameter {shorten(name)}.", hint=hint)


def choose(value: str, choices: Collection[Word], place: str) -> Word:
    """The one of the choices that is written as ``value``.

    Raises:
        SyntaxFault: none is; the nearest is named.
    """
    for choice in choices:
        if choice == value:
            return choice
    raise fault(place, value, "this is none of the words possible here", suggestion(value, choices))


# ------------------------------------------------------------------------------------------------------------ moments


def read_moment(text: str, place: str) -> datetime:
    """The moment written as ``xs:dateTime``; without offset it is local time of the service (data.md).

    Fractions of a second beyond microseconds are cut off; ``24:00:00`` is the beginning of the next day.

    Raises:
        SyntaxFault: it is no such moment, or outside the years 1 to 9999.
    """
    match = _MOMENT.fullmatch(text)
    if match is None:
        hint = "Write a date and time such as 2024-05-15T14:15:00Z or 2024-05-15T14:15:00%2B01:00."
        raise fault(place, text, "this is not a date with a time", hint)
    try:
        is_midnight = match["time"] == "24:00:00" and not int(match["fraction"] or 0)
        clock = "00:00:00" if is_midnight else match["time"]
        moment = datetime.fromisoformat(f"{match['date']}T{clock}.{(match['fraction'] or '0')[:6]:0<6}")
        moment = moment + timedelta(days=1) if is_midnight else moment
        local = moment.astimezone() if match["offset"] is None else moment.replace(tzinfo=_zone(match["offset"]))
        local.astimezone(UTC)
        return local
    except (ValueError, OverflowError, OSError) as error:
        raise fault(place, text, "there is no such date, time or offset", "Check its numbers.") from error


def _zone(offset: str) -> timezone:
    if offset == "Z":
        return UTC
    hours, minutes = int(offset[1:3]), int(offset[4:6])
    if hours * 60 + minutes > 14 * 60 or minutes > 59:
        raise ValueError(offset)
    return timezone((1 if offset[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes))


def write_moment(moment: datetime | None) -> str | None:
    """The moment as ``xs:dateTime`` with its offset, or None."""
    if moment is None:
        return None
    if (moment.utcoffset() or timedelta()) % timedelta(minutes=1):  # local time of another century
        moment = moment.astimezone(UTC)
    return moment.isoformat().removesuffix("+00:00") + ("Z" if moment.utcoffset() == timedelta() else "")


# ------------------------------------------------------------------------------------------------------------ writing


def write_path(parts: Sequence[str], defaults: Sequence[str | None]) -> str:
    """The encoded path, without the parts at the end that equal their defaults (None: no default)."""
    kept = list(parts)
    while kept and kept[-1] == defaults[len(kept) - 1]:
        kept.pop()
    return "/".join(quote(part, safe=",+*~:@$") for part in kept)


def write_query(parameters: Iterable[tuple[str, str | None]], operators: Collection[str] = ()) -> str:
    """The encoded query string; parameters without value are left out.

    Args:
        parameters: names and values.
        operators: names of parameters (or ``c[``) in whose values ``+`` is an operator and stays as it is.
    """
    pieces = []
    for name, value in parameters:
        if value is not None:
            plus = "+" if name in operators or name.startswith("c[") else ""
            pieces.append(f"{quote(name, safe='[]@$')}={quote(value, safe=',:*@$~' + plus)}")
    return "&".join(pieces)


def representation_parameters(wish: Representation) -> list[tuple[str, str | None]]:
    """The parameters that say a wish about the form of the answer."""
    values = (wish.format, wish.format_version, wish.compression, wish.language)
    return list(zip(REPRESENTATION_PARAMETERS, values, strict=True))


def unless(value: str, default: str) -> str | None:
    """The value, or None where it is the default and need not be written."""
    return None if value == default else value
