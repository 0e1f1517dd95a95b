"""The parts of addresses of SDMX-REST 1.5: ids, versions, flows, keys, providers, read and written."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sdmx_service.errors import SemanticFault
from sdmx_service.model.period import parse_period
from sdmx_service.model.query import (
    DataSlice,
    Key,
    ProviderRef,
)
from sdmx_service.urls import text
from sdmx_service.urls.text import Parameters

_VERSION = re.compile(r"\d+(?:\.\d+)*", re.ASCII)


def unspeakable(what: str) -> SemanticFault:
    """What is raised where version 1 has no words for a query."""
    return SemanticFault(f"Version 1 of the interface cannot say {what}.", hint="Ask in version 2.")


def read_ids(value: str, name: str, pattern: re.Pattern[str] = text.ID) -> tuple[str, ...]:
    """Ids joined by ``+``; ``all`` is ``*`` of version 2."""
    place = f"The part {name} of the path"
    if "," in value:
        raise text.fault(place, value, "a ',' stands in it", "In version 1 several values are joined by '+'.")
    if value in ("*", "~"):
        raise text.fault(place, value, "this is the wildcard of version 2", "Write all or latest.")
    return text.read_ids(value, "+", place, pattern, wildcard="all")


def read_version(value: str) -> str:
    """One version in the words of version 2 (*standard*: ``latest`` ``all`` or numbers with points)."""
    word = {"all": "*", "latest": "~"}.get(value)
    if word is not None:
        return word
    if not _VERSION.fullmatch(value):
        hint = "Write numbers with points, latest, or all."
        raise text.fault("The part version of the path", value, "this is not a version", hint)
    return text.read_versions(value)[0]


def read_versions(value: str) -> tuple[str, ...]:
    """Versions joined by ``+`` in the words of version 2."""
    versions = tuple(map(read_version, text.split_list(value, "+", "The part version of the path")))
    return ("*",) if "*" in versions else versions


def write_versions(versions: Sequence[str]) -> str:
    """Versions joined by ``+``."""
    return "+".join(map(write_version, versions))


def write_version(version: str) -> str:
    """One version; ``*`` and ``~`` of version 2 are ``all`` and ``latest``."""
    word = {"*": "all", "~": "latest"}.get(version, version)
    if word == version and not _VERSION.fullmatch(version):
        raise unspeakable(f"the version {version}")
    return word


def write_ids(ids: Sequence[str]) -> str:
    """Ids joined by ``+``; ``*`` of version 2 is ``all``."""
    return "+".join("all" if each == "*" else each for each in ids)


def read_flow(value: str) -> tuple[str, str, str]:
    """Agency, id and version of ``AGENCY,ID,VERSION``, of which only the id must be there (4_4_data_queries.md)."""
    place, pieces = "The flow", value.split(",")
    if not all(pieces) or len(pieces) > 3:
        raise text.fault(place, value, "this is not a flow", "Write ID, AGENCY,ID or AGENCY,ID,VERSION.")
    agency, name = pieces[:2] if len(pieces) > 1 else ("all", pieces[0])
    checked = (*read_ids(agency, "flow", text.AGENCY), *read_ids(name, "flow"))
    if len(checked) > 2:
        raise text.fault(place, value, "it names several flows", "Ask for one flow at a time, or for all.")
    return checked[0], checked[1], read_version(pieces[2] if len(pieces) > 2 else "latest")


def write_flow(query: DataSlice) -> str:
    """The flow as short as it can be said."""
    names = (query.agencies, query.ids, query.versions)
    if query.context != "dataflow" or any(len(each) != 1 for each in names):
        raise unspeakable("several flows, or anything but a flow")
    version = write_version(query.versions[0])
    pieces = [write_ids(query.agencies), write_ids(query.ids), version]
    if version == "latest":
        pieces.pop()
        if pieces[0] == "all":
            pieces.pop(0)
    return ",".join(pieces)


def read_keys(value: str) -> tuple[Key, ...]:
    """The key, if it is one: positions between points, empty for any value, codes joined by ``+``."""
    if value in ("", "all", "*"):
        return ()
    if "," in value:
        raise text.fault("The key", value, "a ',' stands in it", "In version 1 join codes of one position by '+'.")
    return (tuple(_position(position) for position in value.split(".")),)


def _position(position: str) -> tuple[str, ...] | None:
    if position in ("", "*"):
        return None
    codes = text.split_list(position, "+", "A position of the key")
    if "*" in codes:
        hint = "Leave the position empty for any value."
        raise text.fault("A position of the key", position, "a * stands beside codes", hint)
    return tuple(map(text.restore, codes))


def write_key(keys: Sequence[Key]) -> str:
    """The key; ``all`` without one."""
    if len(keys) > 1:
        raise unspeakable("several keys")
    return ".".join("+".join(map(text.protect, codes or ())) for codes in keys[0]) if keys else "all"


def read_providers(value: str) -> tuple[ProviderRef, ...]:
    """Providers joined by ``+``; none where all are meant."""
    if value == "all":
        return ()
    return tuple(map(_provider, text.split_list(value, "+", "The provider")))


def _provider(member: str) -> ProviderRef:
    pieces = member.split(",")
    if not all(pieces) or len(pieces) > 2:
        raise text.fault("The provider", member, "this is not a provider", "Write ID or AGENCY,ID, several with '+'.")
    agency, name = pieces if len(pieces) > 1 else ("all", pieces[0])
    return ProviderRef(agency=read_ids(agency, "provider", text.AGENCY)[0], id=read_ids(name, "provider")[0])


def write_providers(providers: Sequence[ProviderRef]) -> str:
    """Providers joined by ``+``; ``all`` without one."""
    return "+".join(map(_write_provider, providers)) or "all"


def _write_provider(provider: ProviderRef) -> str:
    agency, name = write_ids((provider.agency,)), write_ids((provider.id,))
    return name if agency == "all" and name != "all" else f"{agency},{name}"


def read_period(parameters: Parameters, name: str) -> str | None:
    """A standard time period, as written (4_4_data_queries.md: dateTime, Gregorian or reporting period, no range)."""
    value = parameters.text(name)
    if value is not None:
        if "/" in value:
            raise text.fault(f"The parameter {name}", value, "this is a time range", "Write its first or last period.")
        parse_period(value)
    return value
