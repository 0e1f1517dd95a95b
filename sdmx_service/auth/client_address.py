"""The address that a request came from, also behind proxies."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address

_LONGEST = 100
_WITH_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+")
_NETWORK = 64
"""Bits of an IPv6 address that name a network; the others its machines choose as they like (RFC 4291, 2.5.4)."""


def client_address(forwarded: Iterable[str], remote: str | None, proxies: int) -> str:
    """The address of the client, as the farthest of so many trusted proxies saw it.

    Each proxy adds to ``X-Forwarded-For`` who asked it; what stands further left, anybody may have written.

    Args:
        forwarded: the lines of that header.
        remote: the other end of the connection.
        proxies: how many proxies of the operator stand in front.
    """
    said = [one.strip() for line in forwarded for one in line.split(",")]
    if 0 < proxies <= len(said):
        return _without_port(said[-proxies])[:_LONGEST]
    return remote or "unknown"


def _without_port(address: str) -> str:
    """An address as some proxies write it, without the port, which is another for each connection."""
    found = _WITH_PORT.fullmatch(address)
    return address if found is None else found[1] or found[2]


def counted_as(address: str) -> str:
    """What failures from an address count against: an IPv4 address, however it is written, or a network of IPv6.

    Within such a network anybody has addresses without end.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return f"{IPv6Address(int(found) >> _NETWORK << _NETWORK)}/{_NETWORK}"
