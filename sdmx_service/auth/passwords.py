"""Passwords: kept as argon2id hashes, refused where anybody would guess them (NIST SP 800-63B, 5.1.1)."""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from sdmx_service.errors import SemanticFault

SHORTEST, LONGEST = 12, 256
_DISTINCT = 5
"""Different characters at least."""
_TRIVIAL = ("password", "passwort", "motdepasse", "contrasena", "letmein", "welcome", "qwertz", "qwerty", "azerty",
            "iloveyou", "changeme", "administrator", "admin", "secret", "statistics")  # fmt: skip
"""Words that do not count towards the length."""
_RUNS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "zxcvbnm")
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""OWASP's least cost for argon2id: about 19 MiB for each password that is looked at."""
_NOBODYS = _HASHER.hash("nobody has this password")


def hashed(password: str, name: str = "") -> str:
    """The hash of a new password.

    Args:
        password: as typed.
        name: the account's, which may not be most of the password.

    Raises:
        SemanticFault: it is too short, too long, or one that is guessed first; the hint says which.
    """
    text = _normal(password)
    if problem := _problem(text, name):
        raise SemanticFault("This password cannot be taken.", hint=problem)
    return _HASHER.hash(_bytes(text))


def is_right(password: str, kept: str | None) -> bool:
    """Whether a password is that of a hash; takes as long where there is none."""
    try:
        _HASHER.verify(kept or _NOBODYS, _bytes(_normal(password[: 2 * LONGEST])))
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def _normal(password: str) -> str:
    """One spelling of characters that several keyboards write differently (RFC 8265, 4.2.1: NFC)."""
    return unicodedata.normalize("NFC", password)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _problem(text: str, name: str) -> str:
    if not SHORTEST <= len(text) <= LONGEST:
        return f"It must have {SHORTEST} to {LONGEST} characters."
    folded = text.casefold()
    if len(set(folded)) < _DISTINCT:
        return "It repeats too few characters."
    for word in (*_TRIVIAL, *filter(lambda one: len(one) > 2, [name.casefold()])):
        folded = folded.replace(word, "")
    for run in _RUNS:
        for line in (run, run[::-1]):
            for length in range(len(line), 3, -1):
                for start in range(len(line) - length + 1):
                    folded = folded.replace(line[start : start + length], "")
    if len(folded) < SHORTEST // 2:
        return "It is made of the account's name, of well-known words or of runs like 1234."
    return ""
