"""Submitting to a running service from the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from sdmx_service.errors import SdmxError, StorageFault, SyntaxFault, UnreadableFile

_TIMEOUT = 600.0


class Remote:
    """A running service at an address, with a token."""

    def __init__(self, url: str, token: str | None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SyntaxFault(f"{url!r} is no address of a service.", hint="Write http://HOST:PORT.")
        self._parts = parts
        self._token = token

    def submit(self, path: Path, wishes: Mapping[str, str]) -> dict[str, Any]:
        """Send a file; the receipt, accepted or refused."""
        query = urlencode({**wishes, "name": path.name})
        with path.open("rb") as file:
            status, body = self._call("POST", f"/api/submissions?{query}", file)
        if status not in (201, 202, 422) or "id" not in body:
            raise self._refusal(status, body)
        return body

    def submit_from(self, address: str, wishes: Mapping[str, str]) -> dict[str, Any]:
        """Have the service fetch a file from a partner's address; the receipt, accepted or refused."""
        status, body = self._call("POST", f"/api/submissions?{urlencode({**wishes, 'url': address})}")
        if status not in (201, 202, 422) or "id" not in body:
            raise self._refusal(status, body)
        return body

    def get(self, path: str) -> dict[str, Any]:
        """A JSON document of the service."""
        status, body = self._call("GET", path)
        if status != 200:
            raise self._refusal(status, body)
        return body

    def post(self, path: str, body: bytes = b"", *, method: str = "POST") -> dict[str, Any]:
        """What the service answers to a step."""
        status, found = self._call(method, path, body)
        if status not in (200, 201):
            raise self._refusal(status, found)
        return found

    def put(self, path: str, body: bytes) -> dict[str, Any]:
        """What the service answers to a file put at an address: taken, or refused with findings."""
        status, found = self._call("PUT", path, body)
        if status not in (200, 201) and "findings" not in found:
            raise self._refusal(status, found)
        return found

    def open(self, path: str, headers: Mapping[str, str]) -> HTTPResponse:
        """The open answer to a GET, whatever its status; closing it closes the connection."""
        connection = self._connect()
        try:
            told = {"Connection": "close", **self._headers(), **headers}
            connection.request("GET", self._parts.path.rstrip("/") + path, headers=told)
            return connection.getresponse()
        except OSError as error:
            raise self._silence(error) from None

    def refusal(self, answer: HTTPResponse) -> SdmxError:
        """What an answer that is no success says."""
        return self._refusal(answer.status, _decode(answer.read()))

    def _connect(self) -> HTTPConnection:
        kind = HTTPSConnection if self._parts.scheme == "https" else HTTPConnection
        return kind(cast(str, self._parts.hostname), self._parts.port, timeout=_TIMEOUT)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def _silence(self, error: OSError) -> StorageFault:
        return StorageFault(
            f"The service at {self._parts.geturl()} does not answer: {error}.",
            hint="Is it running, and the address right?",
        )

    def _call(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        connection = self._connect()
        try:
            connection.request(method, self._parts.path.rstrip("/") + path, body=body, headers=self._headers())
            response = connection.getresponse()
            return response.status, _decode(response.read())
        except OSError as error:
            raise self._silence(error) from None
        finally:
            connection.close()

    def _refusal(self, status: int, body: Mapping[str, Any]) -> SdmxError:
        detail = str(body.get("detail", f"HTTP status {status}"))
        hint = str(body.get("hint", ""))
        return UnreadableFile(
            detail,
            hint=hint,
            title=str(body.get("title", "Refused by the service")),
            code=str(body.get("code", "E300")),
        )


def _decode(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
