"""The address that a request came from, also behind proxies."""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST = 100


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
        return said[-proxies][:_LONGEST]
    return remote or "unknown"
