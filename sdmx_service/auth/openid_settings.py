"""The settings of sign-in through OpenID Connect: one JSON file, with the rules from claims to roles as data."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from sdmx_service.auth.acts import ROLES, Role
from sdmx_service.errors import SyntaxFault

Test = Literal["is", "matches"]
_RULE = {"claim", "is", "matches", "role", "provider"}
_FILE = {"issuer", "client_id", "client_secret", "client_secret_file", "scopes", "name", "label", "audience", "rules"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRule:
    """Gives a role to who has a claim.

    Attributes:
        claim: its name; ``a.b`` is the member b of the claim a. Of a list each value is tried.
        test, value: the claim ``is`` that text, or ``matches`` that regular expression, as a whole.
        provider: for the role provider the provider's name (``AGENCY.ID``); ``{0}`` stands for the whole value,
            ``{1}`` for the first group.
    """

    claim: str
    test: Test
    value: str
    role: Role
    provider: str = ""

    def fits(self, value: str) -> str | None:
        """The provider that a value gives (empty for other roles); None: the rule does not fit."""
        if self.test == "is":
            return self._filled((value,)) if value == self.value else None
        found = re.fullmatch(self.value, value)
        return None if found is None else self._filled((value, *(group or "" for group in found.groups())))

    def _filled(self, parts: Sequence[str]) -> str:
        """The provider with its places filled at once: what looks like a place within a value is none."""
        return re.sub(
            r"\{(\d{1,2})\}", lambda at: parts[int(at[1])] if int(at[1]) < len(parts) else at[0], self.provider
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIdSettings:
    """A sign-in provider and what its claims mean here.

    Attributes:
        issuer: its address, as it calls itself.
        client_id, client_secret: how the service is known there; without a secret it is a public client.
        name: the claim that says how a person is called.
        label: how the provider is called on the sign-in page.
        audience: the audience of access tokens that programs may show as Bearer; None: none are taken.
        rules: the first that fits counts.
    """

    issuer: str
    client_id: str
    client_secret: str | None = None
    scopes: tuple[str, ...] = ("openid", "profile")
    name: str = "name"
    label: str = "OpenID Connect"
    audience: str | None = None
    rules: tuple[RoleRule, ...] = ()

    @classmethod
    def read(cls, path: Path) -> OpenIdSettings:
        """The settings in a file.

        Raises:
            SyntaxFault: the file says something unknown, or lacks something; the place is named.
        """
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SyntaxFault(f"The sign-in settings {path} cannot be read: {error}.") from error
        _check(document, _FILE, {"issuer", "client_id", "rules"}, str(path))
        secret = document.get("client_secret")
        if "client_secret_file" in document:
            secret = (path.parent / document["client_secret_file"]).read_text(encoding="utf-8").strip()
        rules = document["rules"]
        if not isinstance(rules, list):
            raise SyntaxFault(f"{path}: rules is no list.")
        more = {name: document[name] for name in ("name", "label", "audience") if name in document}
        return cls(
            issuer=document["issuer"],
            client_id=document["client_id"],
            client_secret=secret,
            scopes=tuple(document.get("scopes", ("openid", "profile"))),
            rules=tuple(_rule(rule, f"{path}, rule {number}") for number, rule in enumerate(rules, 1)),
            **more,
        )


def _rule(document: Any, place: str) -> RoleRule:
    _check(document, _RULE, {"claim", "role"}, place)
    if ("is" in document) == ("matches" in document):
        raise SyntaxFault(f"{place}: say either is or matches.")
    test: Test = "is" if "is" in document else "matches"
    if document["role"] not in ROLES:
        raise SyntaxFault(f"{place}: {document['role']!r} is no role.", hint=f"Roles: {', '.join(ROLES)}.")
    if (document["role"] == "provider") != bool(document.get("provider")):
        raise SyntaxFault(f"{place}: the role provider, and only it, names a provider.")
    if test == "matches":
        try:
            re.compile(document["matches"])
        except re.error as error:
            raise SyntaxFault(f"{place}: {document['matches']!r} is no regular expression: {error}.") from error
    return RoleRule(
        claim=document["claim"],
        test=test,
        value=document[test],
        role=cast(Role, document["role"]),
        provider=document.get("provider", ""),
    )


def _check(document: Any, known: set[str], needed: set[str], place: str) -> None:
    if not isinstance(document, Mapping):
        raise SyntaxFault(f"{place} is no JSON object.")
    if unknown := sorted(set(document) - known):
        raise SyntaxFault(f"{place}: {', '.join(unknown)} is not known.", hint=f"Known: {', '.join(sorted(known))}.")
    if missing := sorted(needed - set(document)):
        raise SyntaxFault(f"{place}: {', '.join(missing)} is missing.")
    for name, value in document.items():
        if name not in ("rules", "scopes") and not isinstance(value, str):
            raise SyntaxFault(f"{place}: {name} is no text.")
