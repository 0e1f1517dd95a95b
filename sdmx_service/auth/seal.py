"""Secrets that have to be read again, sealed with keys that are not in the store (AES-256-GCM, NIST SP 800-38D).

What can be kept as a hash is; the secret of a second factor cannot, since codes are made from it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sdmx_service.errors import SdmxError, SemanticFault, StorageFault, SyntaxFault

log = logging.getLogger(__name__)
_MARK: Final = "sealed:"
"""How a sealed secret begins; no secret of earlier versions, which is base32, has such a sign."""
_BYTES, _NONCE = 32, 12


def is_sealed(kept: str) -> bool:
    """Whether a secret is sealed; those that earlier versions kept are not."""
    return kept.startswith(_MARK)


class Seal:
    """Seals with the first key of a file, and opens what any of its keys sealed.

    The file has a key a line (base64 of 32 bytes); empty lines and those with ``#`` are left out. It is read at each
    use, so that a key which is added counts at once, in every process.

    Args:
        path: of the file; None: there is none, and nothing can be sealed.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path

    @property
    def has_key(self) -> bool:
        """Whether there is a key to seal with.

        Raises:
            StorageFault: the file cannot be read.
            SyntaxFault: a line of it is no key.
        """
        return bool(self._keys())

    def sealed(self, secret: str, owner: str) -> str:
        """A secret as it is kept: under the first key, and only for its owner.

        Raises:
            SemanticFault: there is no key.
        """
        for id, key in self._keys().items():
            nonce = secrets.token_bytes(_NONCE)
            closed = AESGCM(key).encrypt(nonce, secret.encode(), owner.encode())
            return f"{_MARK}{id}:{base64.b64encode(nonce + closed).decode()}"
        raise _no_key()

    def opened(self, kept: str, owner: str) -> str | None:
        """The secret that was kept for an owner; None: its key is not in the file, or it was kept for another."""
        if not is_sealed(kept):
            return kept
        id, _, closed = kept.removeprefix(_MARK).partition(":")
        try:
            data = base64.b64decode(closed, validate=True)
            return AESGCM(self._keys()[id]).decrypt(data[:_NONCE], data[_NONCE:], owner.encode()).decode()
        except (KeyError, ValueError, InvalidTag):
            log.error("the secret of %s is sealed with a key %s that is not in %s", owner, id, self.path)
        except SdmxError:
            log.exception("the secret of %s cannot be opened", owner)
        return None

    def is_newest(self, kept: str) -> bool:
        """Whether a secret is sealed with the first key."""
        return any(kept.startswith(f"{_MARK}{id}:") for id in list(self._keys())[:1])

    def make_key(self) -> None:
        """Make the file with a key in it, which only its owner reads; one that is there stays.

        Raises:
            SemanticFault: no file was named, or it cannot be made.
        """
        if self.path is None:
            raise _no_key()
        try:
            with suppress(FileExistsError):
                _write_key(self.path)
        except OSError as error:
            raise SemanticFault(
                f"The key file {self.path} cannot be made: {error.strerror}.",
                hint="Whoever runs the service names a file for it that the service may write (--key-file).",
            ) from error

    def _keys(self) -> Mapping[str, bytes]:
        """The keys under their ids, in the order of the file."""
        if self.path is None:
            return {}
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StorageFault(f"The key file {self.path} cannot be read: {error.strerror}.") from error
        found = {}
        for number, line in enumerate(lines, 1):
            if text := line.partition(b"#")[0].strip():
                key = self._key(text, number)
                found[hashlib.sha256(key).hexdigest()[:8]] = key
        return found

    def _key(self, text: bytes, number: int) -> bytes:
        with suppress(binascii.Error):
            key = base64.b64decode(text, validate=True)
            if len(key) == _BYTES:
                return key
        raise SyntaxFault(
            f"Line {number} of the key file {self.path} is no key.",
            hint="A key is 32 random bytes as base64: openssl rand -base64 32",
        )


def _no_key() -> SemanticFault:
    return SemanticFault(
        "There is no key to protect secrets with.",
        hint="Whoever runs the service names a file for it (--key-file).",
    )


def _write_key(path: Path) -> None:
    """A new file with a key, for its owner only; whole or not at all."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        try:
            file.write(base64.b64encode(secrets.token_bytes(_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            path.unlink()
            raise
