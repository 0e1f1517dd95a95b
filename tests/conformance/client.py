"""Requests over one connection, one at a time, with time-outs and a bound on what is read."""

from __future__ import annotations

import gzip
import http.client
import time
import zlib
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from tests.conformance.verdicts import NotBuiltError, NotMetError

MOST = 40_000_000
"""Bytes of one answer that are read."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; ``headers`` by their names in lower case."""

    asked: str
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def type(self) -> str:
        """The content type."""
        return self.headers.get("content-type", "")

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def plain(self) -> bytes:
        """The body, decompressed."""
        encoding = self.headers.get("content-encoding", "")
        if encoding == "gzip":
            return gzip.decompress(self.body)
        if encoding == "deflate":
            return zlib.decompress(self.body)
        return self.body

    def told(self) -> str:
        """The request and the first of the answer, for a reader."""
        return f"{self.asked} gave {self.status} {self.type}: {self.text[:160]!r}"


@dataclass(slots=True)
class Client:
    """A connection to one base address.

    Attributes:
        pause: seconds between two requests.
        spent: requests made.
    """

    base: str
    token: str | None = None
    timeout: float = 30.0
    pause: float = 0.0
    spent: int = 0
    _connection: http.client.HTTPConnection | None = None
    _kept: dict[tuple[object, ...], Reply] = field(default_factory=dict)

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, authorised: bool = False, **headers: str
    ) -> Reply:
        """The answer to a request; equal GETs are sent once. Header names are written with ``_`` for ``-``."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if authorised and self.token is not None:
            sent["Authorization"] = f"Bearer {self.token}"
        place = (method, path, *sorted(sent.items()))
        if method == "GET" and place in self._kept:
            return self._kept[place]
        reply = self._send(path, method, body, sent)
        if method == "GET":
            self._kept[place] = reply
        else:
            self._kept.clear()
        return reply

    def get(self, path: str, *statuses: int, **headers: str) -> Reply:
        """The answer to a GET that must have one of the statuses (200).

        Raises:
            NotBuiltError: it is 501.
            NotMetError: it is another.
        """
        reply = self.ask(path, **headers)
        if reply.status == 501 and 501 not in statuses:
            raise NotBuiltError(reply.told())
        if reply.status not in (statuses or (200,)):
            raise NotMetError(f"{' or '.join(map(str, statuses or (200,)))} expected; {reply.told()}")
        return reply

    def forget(self) -> None:
        """Forgets the answers kept."""
        self._kept.clear()

    def _send(self, path: str, method: str, body: bytes | None, headers: dict[str, str]) -> Reply:
        parts = urlsplit(self.base)
        target = parts.path.rstrip("/") + quote(path, safe="/?&=[]+~*,:;.%@$!()'-_#")
        for attempt in (1, 2):
            try:
                connection = self._open()
                connection.request(method, target, body, {"Accept-Encoding": "identity", **headers})
                answer = connection.getresponse()
                read = answer.read(MOST)
                if answer.read(1):
                    self._close()
                break
            except (http.client.HTTPException, OSError) as error:
                self._close()
                if attempt == 2:
                    raise NotMetError(f"{method} {path}: no answer ({type(error).__name__}: {error})") from error
        self.spent += 1
        if self.pause:
            time.sleep(self.pause)
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(f"{method} {path}", answer.status, named, read)

    def _open(self) -> http.client.HTTPConnection:
        if self._connection is None:
            parts = urlsplit(self.base)
            kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
            self._connection = kind(parts.netloc, timeout=self.timeout)
        return self._connection

    def close(self) -> None:
        """Ends the connection."""
        self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
