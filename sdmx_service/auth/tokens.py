"""Tokens of programs and people: bound to a provider or a role, kept only as hashes, shown once when they are made.

Principals are documents of the store, kind ``principal``; the day a token was last used stands in a document of its
own, so that noting it never brings back a token that was revoked meanwhile. The hash of a secret that is no good any
more stays, so that the log can tell who still shows it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sdmx_service.auth.acts import Role
from sdmx_service.auth.principal import OPERATOR, Kind, Principal
from sdmx_service.auth.trail import change, keep
from sdmx_service.errors import NotAuthenticated, NotFound, SemanticFault
from sdmx_service.model.selection import provider_name
from sdmx_service.model.urn import Ref
from sdmx_service.storage.port import Store

_KIND, _USE, _REVOKED = "principal", "principal_use", "principal_revoked"
LONGEST_NAME = 100
"""Characters of a name that a person gives to a token or an account."""
_SECRET = ("hash", "former_hash")
_PUBLIC = re.compile(r"[0-9a-f]{8}")
_NEVER = datetime.max.replace(tzinfo=UTC)


class RefusedToken(NotAuthenticated):
    """A token of the service that is not valid.

    Attributes:
        token: its id, where there is or was such a token; None: it is unknown.
        why: in a word or two, for the log.
    """

    def __init__(self, detail: str, *, token: str | None = None, why: str | None = None) -> None:
        super().__init__(detail, hint="Ask for a new one.")
        self.token, self.why = token, why


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a token is to be good for.

    Attributes:
        provider: for the role ``provider``.
        name: what it is for, in words.
        expires_at: when it ends; None: it does not end by itself.
        dataflows: references of those it is limited to; None: no such limit.
    """

    role: Role
    provider: Ref | None = None
    kind: Kind = "system"
    name: str = ""
    expires_at: datetime | None = None
    dataflows: tuple[Ref, ...] | None = None


def create_token(
    store: Store, *, role: Role, provider: Ref | None = None, by: Principal = OPERATOR, **more: Any
) -> tuple[str, Principal]:
    """A new token and its principal; only the token's hash is kept. ``more``: what else a ``Grant`` has.

    Raises:
        SemanticFault: the role is provider and none is named, or the other way round; it ends before it begins.
    """
    return grant_token(store, Grant(role=role, provider=provider, **more), by)


def grant_token(store: Store, grant: Grant, by: Principal = OPERATOR) -> tuple[str, Principal]:
    """A new token for what is granted; see ``create_token``."""
    if (grant.role == "provider") != (grant.provider is not None):
        raise SemanticFault(
            "The role provider, and only it, is bound to a provider.", hint="Name a provider or a role."
        )
    now = datetime.now(UTC)
    if grant.expires_at is not None and grant.expires_at <= now:
        raise SemanticFault(f"{grant.expires_at.isoformat()} is past.", hint="Let the token end later.")
    flows = None if grant.dataflows is None else sorted({f"{one.agency}:{one.id}" for one in grant.dataflows})
    identity, secret = secrets.token_hex(4), secrets.token_urlsafe(24)
    document = {
        "role": grant.role,
        "provider": None if grant.provider is None else provider_name(grant.provider),
        "kind": grant.kind,
        "name": grant.name.strip()[:LONGEST_NAME],
        "dataflows": flows,
        "expires_at": None if grant.expires_at is None else grant.expires_at.isoformat(timespec="seconds"),
        "created_at": now.isoformat(),
        "created_by": by.id,
        "hash": digest(secret),
    }
    told = {"role": grant.role, "provider": document["provider"], "name": document["name"], "dataflows": flows}
    keep(store, by, "create token", f"token {identity}", change(_KIND, identity, document), **told)
    return f"{identity}.{secret}", _principal(identity, document)


def tokens(store: Store) -> list[dict[str, Any]]:
    """The tokens there are, without their hashes, with the day of last use."""
    used = {id: document["day"] for id, document in store.documents(_USE)}
    return [
        {"id": id, **{name: value for name, value in document.items() if name not in _SECRET}, "used_on": used.get(id)}
        for id, document in store.documents(_KIND)
    ]


def rotate_token(store: Store, id: str, *, by: Principal = OPERATOR) -> str:
    """A new secret for a token, which keeps its id and its rights; the old secret is no good from now on.

    Raises:
        NotFound: there is none of that id.
    """
    document = _document(store, id)
    secret = secrets.token_urlsafe(24)
    rotated_at = datetime.now(UTC).isoformat()
    rotated = {**document, "hash": digest(secret), "former_hash": document["hash"], "rotated_at": rotated_at}
    keep(store, by, "rotate token", f"token {id}", change(_KIND, id, rotated, {"hash": document["hash"]}))
    return f"{id}.{secret}"


def revoke_token(store: Store, id: str, *, by: Principal = OPERATOR) -> None:
    """End a token.

    Raises:
        NotFound: there is none of that id.
    """
    left = {"hash": _document(store, id)["hash"], "revoked_at": datetime.now(UTC).isoformat()}
    gone = (change(kind, id, None) for kind in (_KIND, _USE))
    keep(store, by, "revoke token", f"token {id}", *gone, change(_REVOKED, id, left))


def _document(store: Store, id: str) -> Mapping[str, Any]:
    document = store.document(_KIND, id)
    if document is None:
        raise NotFound(f"There is no token {id!r}.")
    return document


def bearer(authorization: str | None) -> str:
    """The token in an ``Authorization: Bearer`` header.

    Raises:
        NotAuthenticated: there is none.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise NotAuthenticated("A token is needed.", hint="Send Authorization: Bearer TOKEN.")
    return token.strip()


def authenticate(store: Store, authorization: str | None) -> Principal:
    """The principal of an ``Authorization: Bearer`` header; whoever is asked over a network uses ``Gate``.

    Raises:
        NotAuthenticated: there is none.
        RefusedToken: malformed, unknown, ended, rotated or revoked.
    """
    identity, _, secret = bearer(authorization).partition(".")
    document = store.document(_KIND, identity) if secret and is_public_part(identity) else None
    if document is None or not _fits(secret, document["hash"]):
        raise RefusedToken("The token is not valid.", **_what_it_was(store, identity, secret, document))
    if moment(document.get("expires_at"), _NEVER) <= datetime.now(UTC):
        raise RefusedToken("The token has ended.", token=identity, why="ended")
    return _principal(identity, document)


def _fits(secret: str, kept: object) -> bool:
    return secrets.compare_digest(digest(secret), str(kept))


def _what_it_was(store: Store, id: str, secret: str, document: Mapping[str, Any] | None) -> dict[str, str]:
    """What the log tells of a token that is not valid: nothing of one that never was."""
    if document is not None:
        return {"token": id, "why": "rotated" if _fits(secret, document.get("former_hash")) else "another secret"}
    revoked = store.document(_REVOKED, id) if secret and is_public_part(id) else None
    return {"token": id, "why": "revoked"} if revoked is not None and _fits(secret, revoked["hash"]) else {}


def is_public_part(text: str) -> bool:
    """Whether a text may be the public part of a token, which may be looked up and written down."""
    return _PUBLIC.fullmatch(text) is not None


def note_use(store: Store, id: str, day: str) -> None:
    """Keep the day that a token was last used on."""
    store.save_document(_USE, id, {"day": day})


def _principal(id: str, document: Mapping[str, Any]) -> Principal:
    flows: Iterable[str] | None = document.get("dataflows")
    return Principal(
        id=id,
        role=cast(Role, document["role"]),
        provider=document["provider"],
        kind=cast(Kind, document.get("kind", "system")),
        name=document.get("name", ""),
        dataflows=None if flows is None else frozenset(flows),
    )


def digest(secret: str) -> str:
    """The hash under which a long random secret is kept."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def moment(text: str | None, otherwise: datetime) -> datetime:
    """A kept moment, or the other one where none is kept."""
    return otherwise if text is None else datetime.fromisoformat(text)


def days_from_now(days: float) -> datetime:
    """The moment so many days ahead."""
    return datetime.now(UTC) + timedelta(days=days)
