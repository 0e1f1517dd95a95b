"""Who may do what: tokens bound to a provider or a role, kept only as hashes.

A token is shown once, when it is made. Principals are documents of the store, kind ``principal``.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast

from sdmx_service.errors import NotAllowed, NotAuthenticated, NotFound
from sdmx_service.model.selection import provider_name
from sdmx_service.model.urn import Ref
from sdmx_service.storage.port import Act, DocumentChange, Record, Store

Role = Literal["provider", "reader", "reviewer", "publisher", "administrator"]
ROLES: tuple[Role, ...] = ("provider", "reader", "reviewer", "publisher", "administrator")
_KIND = "principal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Somebody who showed a valid token, or the operator at the command line.

    Attributes:
        id: the token's public id.
        role: ``provider`` submits for one data provider; ``reader`` sees embargoed data before their hour;
            ``reviewer`` sees and approves submissions; ``publisher`` submits for any, approves and publishes;
            ``administrator`` may do everything.
        provider: the provider's name (``AGENCY.ID``) for the role ``provider``.
    """

    id: str
    role: Role
    provider: str | None = None

    def may_submit(self, provider: Ref | None) -> bool:
        """Whether it may send data of that provider."""
        if self.role == "provider":
            return provider is not None and provider_name(provider) == self.provider
        return self.may_publish

    @property
    def may_review(self) -> bool:
        """Whether it may see every submission and approve or refuse one."""
        return self.role in ("reviewer", "publisher", "administrator")

    @property
    def may_read_embargoed(self) -> bool:
        """Whether it may see figures that wait for their hour, of every provider."""
        return self.role == "reader" or self.may_review

    @property
    def may_publish(self) -> bool:
        """Whether it may publish, withdraw and restore."""
        return self.role in ("publisher", "administrator")

    def must_publish(self) -> None:
        """Refuse who may not publish.

        Raises:
            NotAllowed: the role is not enough.
        """
        if not self.may_publish:
            raise NotAllowed(f"The token {self.id} may not publish.", hint="Ask for a token with the role publisher.")

    def does(self, act: str, object: str, reason: str = "", **details: Any) -> Act:  # noqa: A002 - as the log says it
        """What it does, for the log; see ``storage.port.Act``."""
        return Act(principal=self.id, role=self.role, act=act, object=object, reason=reason, details=details)

    @property
    def may_maintain(self) -> bool:
        """Whether it may change structures and registrations."""
        return self.may_publish

    def must_maintain(self) -> None:
        """Refuse who may not change structures and registrations.

        *Choice*: whoever publishes data may change what describes them; a token of a provider may not.

        Raises:
            NotAllowed: the role is not enough.
        """
        if not self.may_maintain:
            raise NotAllowed(
                f"The token {self.id} may not change structures or registrations.",
                hint="Ask for a token with the role publisher.",
            )


OPERATOR = Principal(id="operator", role="administrator")
"""Who sits at the store itself: the command line without a service."""


def service_does(act: str, object: str, reason: str = "", **details: Any) -> Act:  # noqa: A002
    """What the service does by itself, for the log: a check's verdict, what is due at its hour."""
    return Act(principal="service", role="service", act=act, object=object, reason=reason, details=details)


def create_token(
    store: Store, *, role: Role, provider: Ref | None = None, by: Principal = OPERATOR
) -> tuple[str, Principal]:
    """A new token and its principal; only the token's hash is kept."""
    identity, secret = secrets.token_hex(4), secrets.token_urlsafe(24)
    name = None if provider is None else provider_name(provider)
    principal = Principal(id=identity, role=role, provider=name)
    document = {"role": role, "provider": name, "hash": _hash(secret), "created_at": datetime.now(UTC).isoformat()}
    made = by.does("create token", f"token {identity}", role=role, provider=name)
    store.record(Record(acts=(made,), changes=(DocumentChange(kind=_KIND, id=identity, document=document),)))
    return f"{identity}.{secret}", principal


def tokens(store: Store) -> list[dict[str, Any]]:
    """The tokens there are, without their hashes."""
    return [
        {"id": id, **{name: value for name, value in document.items() if name != "hash"}}
        for id, document in store.documents(_KIND)
    ]


def revoke_token(store: Store, id: str, by: Principal = OPERATOR) -> None:
    """End a token.

    Raises:
        NotFound: there is none of that id.
    """
    if store.document(_KIND, id) is None:
        raise NotFound(f"There is no token {id!r}.")
    ended = by.does("revoke token", f"token {id}")
    store.record(Record(acts=(ended,), changes=(DocumentChange(kind=_KIND, id=id, document=None),)))


def authenticate(store: Store, authorization: str | None) -> Principal:
    """The principal of an ``Authorization: Bearer`` header.

    Raises:
        NotAuthenticated: none, malformed, unknown or revoked.
    """
    scheme, _, token = (authorization or "").partition(" ")
    identity, _, secret = token.strip().partition(".")
    if scheme.lower() != "bearer" or not secret:
        raise NotAuthenticated("A token is needed.", hint="Send Authorization: Bearer TOKEN.")
    document: Mapping[str, Any] | None = store.document(_KIND, identity)
    if document is None or not secrets.compare_digest(_hash(secret), str(document["hash"])):
        raise NotAuthenticated("The token is not valid.", hint="Ask for a new one.")
    return Principal(id=identity, role=cast(Role, document["role"]), provider=document["provider"])


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
