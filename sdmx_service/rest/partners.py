"""Files fetched from partners: which addresses may be asked, and how the answer is taken.

Who may submit may have the service fetch a file for him, so that an address is hostile until it is checked
(*server-side request forgery*). Only hosts that the operator lists are asked, over HTTPS, at the port listed; the
address that a name means is looked up once, must be public unless it is listed itself, and is the one that is connected
to; a redirect is followed on the same host only; size and time are limited. Nothing of the service's own (tokens,
cookies) is sent along.
"""

from __future__ import annotations

import asyncio
import re
import socket
from dataclasses import dataclass
from email.message import Message
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import PurePosixPath
from typing import IO, Final
from urllib.parse import unquote

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from sdmx_service.errors import NotAllowed, SyntaxFault, TooLarge, Unreachable

ACCEPT: Final = (
    "application/vnd.sdmx.data+csv;version=2.0.0, application/vnd.sdmx.structurespecificdata+xml;version=2.1;q=0.9, "
    "text/csv;q=0.8, */*;q=0.5"
)
REDIRECTS: Final = 3
_PIECE: Final = 1 << 20
_PORTS: Final = {"https": 443, "http": 80}
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")
_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Partners:
    """The hosts that may be asked.

    Attributes:
        origins: scheme, host in small letters, port.
        networks: private addresses that the hosts may have.
    """

    origins: frozenset[tuple[str, str, int]] = frozenset()
    networks: tuple[_Network, ...] = ()

    @classmethod
    def of(cls, text: str) -> Partners:
        """The hosts of a setting: ``sdmx.oecd.org, data.example.int:8443, 10.1.0.0/16``, separated by commas.

        An address or a network in it makes private addresses reachable. ``http://`` is for addresses of this machine
        alone.

        Raises:
            SyntaxFault: one of them is no host.
        """
        origins: set[tuple[str, str, int]] = set()
        networks: list[_Network] = []
        for part in filter(None, (one.strip() for one in text.split(","))):
            try:
                if "/" in part.partition("://")[2 if "://" in part else 0]:
                    networks.append(ip_network(part))
                    continue
                literal = _literal(part)
                host = f"[{part}]" if isinstance(literal, IPv6Address) else part
                origin = _origin(URL(host if "://" in host else f"https://{host}"))
            except ValueError:
                raise SyntaxFault(f"{part!r} is no host of a partner.", hint="Write HOST or HOST:PORT.") from None
            origins.add(origin)
            if (address := _literal(origin[1])) is not None:
                networks.append(ip_network(address))
        return cls(origins=frozenset(origins), networks=tuple(networks))

    def check(self, url: URL) -> None:
        """Refuse an address of anybody else.

        Raises:
            NotAllowed: its host is not listed, or it is no plain HTTPS address.
            SyntaxFault: it is no address.
        """
        try:
            origin = _origin(url)
        except ValueError:
            raise SyntaxFault(f"{str(url)!r} is no address of a file.", hint="Write https://HOST/PATH.") from None
        if url.user is not None or url.password is not None:
            raise NotAllowed("An address with a name or password in it is not fetched.", hint="Send the file itself.")
        if origin not in self.origins:
            known = ", ".join(sorted({host for _, host, _ in self.origins})) or "none"
            raise NotAllowed(
                f"{url.scheme}://{url.raw_authority} is no partner from whom files are fetched.",
                hint=f"Send the file itself. Partners are: {known}.",
            )
        if origin[0] != "https" and origin[1] != "localhost" and not getattr(_literal(origin[1]), "is_loopback", False):
            raise NotAllowed("Files are fetched over HTTPS only.")

    def allows(self, address: _Address) -> bool:
        """Whether an address may be connected to: public, or listed."""
        meant = _meant(address)
        listed = any(meant in network for network in self.networks if network.version == meant.version)
        return listed or (meant.is_global and not meant.is_multicast)


NO_PARTNERS: Final = Partners()


def _origin(url: URL) -> tuple[str, str, int]:
    host = (url.raw_host or "").lower().rstrip(".")
    if url.scheme not in _PORTS or url.port is None or not (_HOST.fullmatch(host) or _literal(host)):
        raise ValueError(str(url))
    return url.scheme, host, url.port


def _literal(host: str) -> _Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _meant(address: _Address) -> _Address:
    """The address of the older kind that one of the newer kind stands for, where it does."""
    if isinstance(address, IPv4Address):
        return address
    embedded = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
    if embedded is None and address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return embedded or address


class _Resolver(AbstractResolver):
    """Looks a name up and gives the addresses that may be connected to; nobody looks it up again."""

    def __init__(self, partners: Partners) -> None:
        self._partners = partners

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        allowed = [(kind, where[0]) for kind, _, _, _, where in found if self._partners.allows(ip_address(where[0]))]
        if not allowed:
            raise _PrivateAddress(host)
        return [
            ResolveResult(
                hostname=host, host=str(address), port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST
            )
            for kind, address in allowed
        ]

    async def close(self) -> None:
        """Nothing is kept."""


class _PrivateAddress(Exception):
    """A partner's name means an address that is nobody else's business."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What was fetched: the name of the file and its media type, as the partner says them."""

    name: str
    media_type: str | None


async def fetch(address: str, target: IO[bytes], partners: Partners, *, limit: int, seconds: float) -> Fetched:
    """The file at a partner's address, written to ``target``, which stands at its beginning afterwards.

    Args:
        limit: bytes at most.
        seconds: how long it may take as a whole.

    Raises:
        SyntaxFault, NotAllowed: no address, or none of a partner.
        Unreachable: no answer, an error, an empty one, or a redirect elsewhere.
        TooLarge: more than ``limit``.
    """
    try:
        url = URL(address)
    except ValueError:
        raise SyntaxFault(f"{address!r} is no address of a file.", hint="Write https://HOST/PATH.") from None
    partners.check(url)
    if (literal := _literal(url.host or "")) is not None and not partners.allows(literal):
        raise NotAllowed(f"{url.host} is a private address.")
    connector = aiohttp.TCPConnector(resolver=_Resolver(partners), use_dns_cache=False, limit=1)
    timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=min(seconds, 20))
    headers = {"Accept": ACCEPT, "Accept-Encoding": "identity"}
    try:
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, headers=headers, auto_decompress=False, trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        ) as session:  # fmt: skip
            return await _get(session, url, target, partners, limit)
    except _PrivateAddress as fault:
        raise NotAllowed(f"{fault} means a private address, which is not fetched from.") from None
    except TimeoutError:
        raise Unreachable(f"{url.host} did not send the file within {seconds:g} seconds.", hint="Try later.") from None
    except (aiohttp.ClientError, OSError, ValueError) as fault:
        raise Unreachable(f"{url.host} does not answer: {fault}.", hint="Try later, or send the file itself.") from None


async def _get(session: aiohttp.ClientSession, url: URL, target: IO[bytes], partners: Partners, limit: int) -> Fetched:
    first = _origin(url)
    for _ in range(REDIRECTS + 1):
        async with session.get(url, allow_redirects=False) as answer:
            if answer.status in (301, 302, 303, 307, 308):
                url = url.join(URL(answer.headers.get("Location", "")))
                if _origin(url) != first:
                    raise Unreachable(
                        f"{first[1]} sends on to {url.host}, which is not followed.", hint="Say the final address."
                    )
                partners.check(url)
                continue
            if answer.status != 200:
                raise Unreachable(f"{first[1]} answers {answer.status} {answer.reason or ''}".rstrip() + ".")
            await _copy(answer, target, limit)
            return Fetched(name=_name(answer, url), media_type=answer.headers.get("Content-Type"))
    raise Unreachable(f"{first[1]} sends on more than {REDIRECTS} times.")


async def _copy(answer: aiohttp.ClientResponse, target: IO[bytes], limit: int) -> None:
    size = 0
    async for piece in answer.content.iter_chunked(_PIECE):
        size += len(piece)
        if size > limit:
            raise TooLarge(f"The file is larger than {limit} bytes.", hint="Fetch it in parts.")
        target.write(piece)
    if size == 0:
        raise Unreachable("The answer is empty.")
    target.seek(0)


def _name(answer: aiohttp.ClientResponse, url: URL) -> str:
    said = Message()
    said["Content-Disposition"] = answer.headers.get("Content-Disposition", "")
    return said.get_filename() or unquote(PurePosixPath(url.raw_path).name) or (url.host or "file")


def fetch_now(address: str, target: IO[bytes], partners: Partners, *, limit: int, seconds: float) -> Fetched:
    """As ``fetch``, for callers that wait."""
    return asyncio.run(fetch(address, target, partners, limit=limit, seconds=seconds))
