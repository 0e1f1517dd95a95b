"""Which representation a client gets (SDMX-REST 2.2, *content negotiation*; RFC 9110 section 12).

Media types are compared without regard to case, versions may be semver wildcards (``version=3.0.0+``), parameters that
the format knows (``labels``, ``timeFormat``, ``keys``) travel on, and without a preference the first one offered wins.
*Extension:* parameters may stand in the query parameter ``format`` too (``format=csvdata;labels=both``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from sdmx_service.errors import NotAcceptable, SyntaxFault
from sdmx_service.formats.registry import Format
from sdmx_service.model.query import Representation
from sdmx_service.model.urn import VersionPattern

_PART = re.compile(r'\s*;\s*([\w!#$%&\'*+.^`|~-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s]*)')
_SPLIT = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*$)')
_SHORT = {
    "application/xml": "+xml",
    "text/xml": "+xml",
    "application/json": "+json",
    "text/csv": "+csv",
}
"""Plain types that stand for the newest format of the syntax."""

_FORMAT_WORDS: Mapping[str, tuple[str, ...]] = {
    "jsondata": ("data+json",),
    "csvdata": ("data+csv",),
    "genericdata": ("genericdata+xml",),
    "structurespecificdata": ("data+xml", "structurespecificdata+xml"),
    "generictimeseriesdata": ("generictimeseriesdata+xml",),
    "structurespecifictimeseriesdata": ("structurespecifictimeseriesdata+xml",),
    "structure": ("structure+xml",),
    "jsonstructure": ("structure+json",),
    "genericmetadata": ("genericmetadata+xml", "metadata+xml"),
    "structurespecificmetadata": ("structurespecificmetadata+xml",),
    "jsonmetadata": ("metadata+json",),
    "csvmetadata": ("metadata+csv",),
    "schema": ("schema+xml",),
}
"""Values of the parameter ``format`` (*extension* page of SDMX-REST)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRange:
    """One member of an Accept header; ``type`` in lower case, ``quality`` between 0 and 1."""

    type: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    quality: float = 1.0


@dataclass(frozen=True, slots=True)
class Choice:
    """The format chosen, the media type to declare, and the parameters the client gave with it."""

    format: Format
    media_type: str
    parameters: Mapping[str, str]


def parse_accept(header: str | None) -> tuple[MediaRange, ...]:
    """The ranges of an Accept header, best first; a missing or empty one is ``*/*``."""
    if not header or not header.strip():
        return (MediaRange(type="*/*"),)
    ranges = [_range(text) for text in _SPLIT.split(header) if text.strip()]
    return tuple(sorted(ranges, key=lambda one: -one.quality))


def _range(text: str) -> MediaRange:
    kind, _, _ = text.partition(";")
    parameters = {name.lower(): value.strip('"') for name, value in _PART.findall(text[len(kind) :])}
    if "key" in parameters:  # so written in half of the SDMX-CSV field guide
        parameters.setdefault("keys", parameters.pop("key"))
    try:
        quality = float(parameters.pop("q", "1"))
    except ValueError:
        quality = 1.0
    return MediaRange(type=kind.strip().lower(), parameters=parameters, quality=max(0.0, min(1.0, quality)))


def choose(accept: str | None, wish: Representation, offered: Sequence[Format]) -> Choice:
    """The format to answer with; the parameters ``format`` and ``formatVersion`` win over Accept.

    Raises:
        NotAcceptable: nothing offered fits; the media types offered are listed.
    """
    if wish.format is not None or wish.format_version is not None:
        return _by_words(wish, offered)
    ranges = parse_accept(accept)
    best: tuple[float, int] = (0.0, 0)
    chosen: Choice | None = None
    for format in offered:
        for media_type in format.media_types:
            place = _most_specific(ranges, media_type)
            if place is None or not _knows(format, ranges[place].parameters):
                continue
            rank = (ranges[place].quality, -place)  # of equal quality what the client named first
            if rank[0] > 0 and (chosen is None or rank > best):
                best, chosen = rank, _choice(format, media_type, ranges[place].parameters)
    if chosen is None:
        raise NotAcceptable(f"Nothing offered here fits {accept!r}.", hint=f"Offered: {_listing(offered)}.")
    return chosen


def _choice(format: Format, media_type: str, given: Mapping[str, str]) -> Choice:
    """A format with those of the parameters given that it knows."""
    known = {name.lower() for name in format.parameters}
    return Choice(format, media_type, {name: value for name, value in given.items() if name in known})


def _knows(format: Format, given: Mapping[str, str]) -> bool:
    """Whether the format has these values of its own parameters; parameters of others do not matter."""
    wished = ((given.get(name.lower()), values) for name, values in format.parameters.items())
    return all(value is None or value in values for value, values in wished)


def _most_specific(ranges: Sequence[MediaRange], media_type: str) -> int | None:
    """The place of the range that speaks of a media type most precisely, whose quality holds (RFC 9110, 12.5.1)."""
    fitting = [place for place, one in enumerate(ranges) if _fits(one, media_type)]
    return max(fitting, key=lambda place: (_specificity(ranges[place]), -place), default=None)


def _specificity(wanted: MediaRange) -> int:
    if wanted.type == "*/*":
        return 0
    if wanted.type.endswith("/*"):
        return 1
    if wanted.type in _SHORT and "profile" not in wanted.parameters:
        return 2
    return 4 if "version" in wanted.parameters else 3


def _listing(offered: Sequence[Format]) -> str:
    return ", ".join(format.media_types[0] for format in offered)


def _by_words(wish: Representation, offered: Sequence[Format]) -> Choice:
    """The first format that the parameters of the address mean."""
    word = _range((wish.format or "").replace(" ", ""))
    names = _FORMAT_WORDS.get(word.type, ())
    for format in offered:
        for media_type in format.media_types:
            kind, version = _split_type(media_type)
            short = kind.rpartition("vnd.sdmx.")[2]
            right_kind = wish.format is None or short in names or word.type == format.name
            right_version = wish.format_version is None or _version_fits(wish.format_version, version)
            if right_kind and right_version and _knows(format, word.parameters):
                return _choice(format, media_type, word.parameters)
    asked = " ".join(
        f"{name}={value}" for name, value in (("format", wish.format), ("formatVersion", wish.format_version)) if value
    )
    raise NotAcceptable(f"Nothing offered here fits {asked}.", hint=f"Offered: {_listing(offered)}.")


def _same_version(asked: str, version: str) -> bool:
    def padded(text: str) -> str:
        return ".".join([*text.split("."), "0", "0"][:3])

    return padded(asked) == padded(version)


@lru_cache(maxsize=256)
def _split_type(media_type: str) -> tuple[str, str]:
    """An offered media type as type and version; there are few, and every request looks at them."""
    found = _range(media_type)
    return found.type, found.parameters.get("version", "")


def _fits(wanted: MediaRange, media_type: str) -> bool:
    kind, version = _split_type(media_type)
    main = kind.partition("/")[0]
    if wanted.type in ("*/*", f"{main}/*"):
        return True
    if "profile" in wanted.parameters:
        return wanted.type == kind and _same_profile(wanted.parameters["profile"], media_type)
    if wanted.type in _SHORT:
        return kind.endswith(_SHORT[wanted.type]) or kind == wanted.type
    if wanted.type != kind:
        return False
    asked = wanted.parameters.get("version")
    return asked is None or _version_fits(asked, version)


def _same_profile(asked: str, media_type: str) -> bool:
    """Whether an offered type has that profile; the scheme and a slash at the end do not matter."""

    def plain(text: str) -> str:
        return text.lower().partition("://")[2].removesuffix("/") or text.lower()

    return plain(asked) == plain(_range(media_type).parameters.get("profile", ""))


def _version_fits(asked: str, version: str) -> bool:
    if asked == version or _same_version(asked, version):
        return True
    try:
        return VersionPattern.parse(asked).matches(version)
    except SyntaxFault:
        return False


def parse_languages(header: str | None, wish: Representation) -> tuple[str, ...]:
    """Language tags in order of preference; ``*`` among them asks for all (SDMX-JSON ``names``)."""
    if wish.language:
        return ("*",) if wish.language == "all" else tuple(part for part in wish.language.split(",") if part)
    return tuple(one.type for one in parse_accept(header) if one.quality > 0 and one.type != "*/*") if header else ()


ENCODINGS = ("gzip", "zstd", "br", "deflate")
"""Content codings in order of preference, where the client has none."""


def choose_encoding(header: str | None, wish: Representation, *, is_compressed: bool = False) -> str | None:
    """A content coding, or None for none; the parameter ``compression`` wins over Accept-Encoding (RFC 9110, 12.5.3).

    What is compressed already gets one only where the client insists.

    Raises:
        NotAcceptable: ``compression`` names something that is not offered, or the header forbids everything that is,
            no coding included.
    """
    if wish.compression:
        asked = _coding(wish.compression)
        if asked not in (*ENCODINGS, "identity"):
            raise NotAcceptable(
                f"compression={wish.compression} is not offered.", hint=f"Offered: {', '.join(ENCODINGS)}."
            )
        return None if asked == "identity" else asked
    if not header or not header.strip():
        return None
    said = {_coding(one.type): one.quality for one in parse_accept(header)}
    others = said.get("*", 0.0)
    best = max(ENCODINGS, key=lambda name: said.get(name, others))  # of equal ones the first
    quality, may_be_plain = said.get(best, others), said.get("identity", said.get("*", 1.0)) > 0
    if quality > 0 and quality >= said.get("identity", 0.0) and not (is_compressed and may_be_plain):
        return best
    if not may_be_plain:
        raise NotAcceptable(
            f"Accept-Encoding: {header} forbids all that is offered.",
            hint=f"Offered: {', '.join(ENCODINGS)}, identity.",
        )
    return None


def _coding(name: str) -> str:
    """A coding by its registered name, which its old one also means."""
    return name.strip().lower().removeprefix("x-")
