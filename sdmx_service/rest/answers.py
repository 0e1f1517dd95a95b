"""An SDMX-REST request answered without HTTP: the walk of a query, and the same for the command line.

request -> urls.parse -> negotiation -> dissemination -> format.write -> chunks. The first chunk is computed before the
status is known, so that a failure up to there is a clean error.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from itertools import chain
from typing import Literal

from sdmx_service.catalog.library import Library, View
from sdmx_service.dissemination import older
from sdmx_service.errors import NoResults, SdmxError
from sdmx_service.formats.registry import formats_for
from sdmx_service.model.message import Message, Party, WriteOptions
from sdmx_service.model.query import DataQuery, Query, Representation, StructureQuery
from sdmx_service.rest import problems
from sdmx_service.rest.compression import compress
from sdmx_service.rest.negotiation import Choice, choose, choose_encoding, parse_accept, parse_languages
from sdmx_service.rest.resources import resource_of
from sdmx_service.urls import v1, v2

Api = Literal["v1", "v2"]
_PARSERS: Mapping[str, Callable[[str, str], Query]] = {"v1": v1.parse, "v2": v2.parse}
ANY = "*"
VARY = "Accept, Accept-Encoding, Accept-Language"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client asked: ``path`` and ``query_string`` raw (percent-encoded), the path below the API's version."""

    api: Api
    path: str
    query_string: str = ""
    accept: str | None = None
    accept_language: str | None = None
    accept_encoding: str | None = None
    if_none_match: str | None = None
    if_modified_since: str | None = None


@dataclass(slots=True, kw_only=True)
class Answer:
    """Status, headers and the chunks of the body (empty for 204 and 304).

    Attributes:
        timing: stage of the walk -> milliseconds it took, for ``Server-Timing``.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    chunks: Generator[bytes] = field(default_factory=lambda: _once(b""))
    timing: dict[str, float] = field(default_factory=dict)


def _once(body: bytes) -> Generator[bytes]:
    """A body of one chunk, or of none."""
    if body:
        yield body


def answer(request: Request, library: Library, sender: Party) -> Answer:
    """The answer to a request; every ``SdmxError`` becomes an error message in the family the client accepts."""
    family = family_of(request.accept, request.api)
    try:
        query = _PARSERS[request.api](request.path, request.query_string)
        choice = choose(request.accept, query.representation, formats_for(resource_of(query).kind, request.api))
        family = problems.family_of(choice.media_type, request.api)
        return _answer(request, query, choice, library.view(), library, sender)
    except NoResults as error:
        return _nothing(error, request, family, sender)
    except SdmxError as error:
        return refusal(error, family, request.api, sender)


def _nothing(error: NoResults, request: Request, family: problems.Family, sender: Party) -> Answer:
    """The answer to a query that gives nothing; it names where the nearest that gives something is told."""
    if request.path.partition("/")[0] != "data":
        return refusal(error, family, request.api, sender)
    address = f"/api/counts/{request.api}/{request.path}" + (f"?{request.query_string}" if request.query_string else "")
    told = NoResults(error.detail, hint=f"GET {address} tells the nearest query that gives something.")
    found = refusal(told, family, request.api, sender)
    found.headers["Link"] = f'<{address}>; rel="help"; title="the nearest query that gives something"'
    return found


DEFAULT_FAMILY = {"v1": "xml", "v2": "json"}


def family_of(accept: str | None, api: Api) -> problems.Family:
    """The family of errors before a representation is chosen: that of the range which the client likes best."""
    liked = (one for one in parse_accept(accept) if one.quality > 0)
    told = (";version=".join((one.type, one.parameters.get("version", ""))).removesuffix(";version=") for one in liked)
    best = next((text for text in told if any(word in text for word in ("json", "xml", "csv"))), DEFAULT_FAMILY[api])
    return problems.family_of(best, api)


def refusal(error: SdmxError, family: problems.Family, api: str, sender: Party) -> Answer:
    """An error as an answer."""
    status, media_type, body = problems.render(error, family, api, sender.id)
    headers = {"Vary": VARY}
    if media_type:
        headers["Content-Type"] = media_type
    return Answer(status=status, headers=headers, chunks=_once(body))


def _answer(request: Request, query: Query, choice: Choice, view: View, library: Library, sender: Party) -> Answer:
    encoding = choose_encoding(request.accept_encoding, query.representation, is_compressed=choice.format.is_compressed)
    languages = parse_languages(request.accept_language, query.representation)
    headers = {
        "Content-Type": _content_type(choice),
        "Vary": _vary(query.representation),
        "Cache-Control": "no-cache",
        **_validators(request, choice, view, encoding, languages),
    }
    if _has_tag(request, headers):  # the tag was only ever given with a 200 to this very request
        return _unchanged(headers)
    start = time.perf_counter()
    message = resource_of(query).message(query, view, library, sender)
    planned = time.perf_counter()
    if request.if_none_match == ANY or (request.if_none_match is None and _is_older(request, view)):
        return _unchanged(headers)
    options = _options(query, choice, languages, request, view)
    language = _language(message, choice, options)
    if language is not None:
        headers["Content-Language"] = language
    if encoding is not None:
        headers["Content-Encoding"] = encoding
    if (name := _file_name(message, choice)) is not None:
        headers["Content-Disposition"] = f'inline; filename="{name}"'
    chunks = _written(message, query, choice, options)
    first = next(chunks, b"")
    timing = {"plan": (planned - start) * 1000, "write": (time.perf_counter() - planned) * 1000}
    return Answer(status=200, headers=headers, chunks=_body(first, chunks, encoding), timing=timing)


_OF_2_1 = ("structure-xml-2.1", "structure-json-1.0")


def _written(message: Message, query: Query, choice: Choice, options: WriteOptions) -> Iterator[bytes]:
    """The message in the chosen format; of several structures those that the format can carry."""
    write = choice.format.write
    assert write is not None
    if choice.format.name in _OF_2_1:
        message = older.for_2_1(message)
    if not isinstance(query, StructureQuery):
        return write(message, options)
    return older.written(lambda part: write(part, options), message, needs_first=ANY not in query.ids)


def _body(first: bytes, chunks: Iterator[bytes], encoding: str | None) -> Generator[bytes]:
    """The whole body; closing it closes what is still being read for it."""
    try:
        yield from compress(chain((first,), chunks), encoding)
    finally:
        if isinstance(chunks, Generator):
            chunks.close()


def _vary(wish: Representation) -> str:
    """The headers that decided: one whose parameter stands in the address did not."""
    said = zip(VARY.split(", "), (wish.format or wish.format_version, wish.compression, wish.language), strict=True)
    return ", ".join(header for header, parameter in said if not parameter)


def _language(message: Message, choice: Choice, options: WriteOptions) -> str | None:
    """The language of the names, where one was chosen: in SDMX-JSON and JSON-stat, and in tables with labels.

    SDMX-ML carries every language; ``Accept-Language: *`` asks SDMX-JSON for every one (SDMX-REST 2.2, *localisation*).
    """
    in_json = "json" in choice.format.name and not options.all_languages
    if not in_json and options.labels == "id":
        return None
    names = [one.names for one in message.structures] or [one.labels.structure for one in message.datasets]
    found = names[0].best(options.languages) if names else None
    return None if found is None else found[0]


def _file_name(message: Message, choice: Choice) -> str | None:
    """The name under which a browser keeps what it cannot show: a table of data (RFC 6266)."""
    if any(syntax in choice.media_type for syntax in ("+xml", "json")) or not isinstance(message.datasets, Sequence):
        return None
    refs = {one.ref for one in message.datasets}
    if len(refs) != 1:
        return f"data{choice.format.suffixes[0]}" if refs else None
    ref = refs.pop()
    return f"{ref.agency}_{ref.id}_{ref.version}{choice.format.suffixes[0]}"


def _wants_all(languages: Sequence[str]) -> bool:
    return tuple(languages[:1]) == (ANY,)


def _content_type(choice: Choice) -> str:
    extra = "".join(
        f";{name}={choice.parameters[name.lower()]}" for name in _TABLE_PARAMETERS if name.lower() in choice.parameters
    )
    return choice.media_type + extra


_TABLE_PARAMETERS = ("labels", "timeFormat", "keys", "columns")


def _options(query: Query, choice: Choice, languages: Sequence[str], request: Request, view: View) -> WriteOptions:
    wished = tuple(tag for tag in languages if tag != ANY)
    default = choice.format.parameters.get("labels", ("id",))[0]
    return WriteOptions(
        languages=wished,
        all_languages=_wants_all(languages),
        labels=choice.parameters.get("labels", default),
        time_format=choice.parameters.get("timeformat", "original"),
        keys=choice.parameters.get("keys", "none"),
        columns=choice.parameters.get("columns", "used"),
        dimension_at_observation=query.dimension_at_observation if isinstance(query, DataQuery) else None,
        release=view.release,
        address=f"/sdmx/{request.api}/{request.path}" + (f"?{request.query_string}" if request.query_string else ""),
    )


# --- caching --------------------------------------------------------------------------------------------------------
def _validators(
    request: Request, choice: Choice, view: View, encoding: str | None, languages: Sequence[str]
) -> dict[str, str]:
    """ETag = release + catalogue generation + view + representation; Last-Modified = the later one's time.

    The tag is a weak one: the same answer tells another time at which it was prepared.
    """
    parts = (
        str(view.release), str(view.generation), request.api, request.path, request.query_string,
        _content_type(choice), encoding or "", ",".join(languages),
    )  # fmt: skip
    tag = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=12).hexdigest()
    moment = view.changed_at.astimezone(UTC)
    return {
        "ETag": f'W/"{view.release}-{tag}"',
        "Last-Modified": format_datetime(moment.replace(microsecond=0), usegmt=True),
    }


_VALIDATORS = ("ETag", "Last-Modified", "Vary", "Cache-Control")


def _unchanged(headers: Mapping[str, str]) -> Answer:
    return Answer(status=304, headers={name: headers[name] for name in _VALIDATORS})


def _has_tag(request: Request, headers: Mapping[str, str]) -> bool:
    if request.if_none_match is None:
        return False
    tags = {tag.strip().removeprefix("W/") for tag in request.if_none_match.split(",")}
    return headers["ETag"].removeprefix("W/") in tags


def _is_older(request: Request, view: View) -> bool:
    since = _moment(request.if_modified_since)
    return since is not None and view.changed_at.replace(microsecond=0) <= since


_OFFSET = re.compile(r"GMT([+-])(\d\d):?(\d\d)")


def _moment(text: str | None) -> datetime | None:
    """An HTTP date; texts that are none count as not sent (RFC 9110 13.1.3).

    *Choice:* the text of a JavaScript ``Date`` and xs:dateTime, which clients send and the interface description asks
    for, are understood.
    """
    if not text:
        return None
    found = None
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            found = read(text.strip())
            break
        except (TypeError, ValueError):
            continue
    if found is None or found.tzinfo is not None:
        return found
    offset = _OFFSET.search(text)  # which parsedate_to_datetime reads over
    east = timedelta() if offset is None else timedelta(hours=int(offset[2]), minutes=int(offset[3]))
    try:
        return found.replace(tzinfo=UTC) - (east if offset is None or offset[1] == "+" else -east)
    except OverflowError:
        return None
