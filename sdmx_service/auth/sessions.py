"""Sessions of people at the pages: kept in the store under the hash of a random id, which only the browser has.

Several processes on one store share them. What may change with every request (when somebody was last there) stands in
a document of its own, so that noting it never brings back a session that was ended meanwhile.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sdmx_service.auth.accounts import LOCAL, find_account, principal_of_account
from sdmx_service.auth.acts import Role
from sdmx_service.auth.principal import OPERATOR, Principal
from sdmx_service.auth.tokens import digest
from sdmx_service.auth.trail import change, keep
from sdmx_service.storage.port import Store

_KIND, _SEEN, _ACCOUNT = "session", "session_seen", "account"
_COARSE = timedelta(minutes=1)
"""How exactly it is noted when somebody was last there."""


ELSEWHERE = "@openid"
"""How the id of a principal ends that signed in at a provider."""
_LONGEST_ID = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetimes:
    """How long a session may last: without a request, and at all."""

    idle: timedelta = timedelta(hours=1)
    whole: timedelta = timedelta(hours=12)


def new_secret() -> str:
    """A random id for a browser that has none."""
    return secrets.token_urlsafe(32)


def form_token(secret: str) -> str:
    """What a form must carry that was made for a browser with that id: nobody else can tell it (CSRF)."""
    return hmac.new(secret.encode("utf-8", "replace"), b"form", "sha256").hexdigest()


def is_form_token(secret: str, shown: str) -> bool:
    """Whether a form was made for the browser that sends it."""
    return bool(secret) and hmac.compare_digest(form_token(secret).encode(), shown.encode("utf-8", "replace"))


def open_session(store: Store, principal: Principal, lifetimes: Lifetimes) -> str:
    """A new session, always with a new id (no fixation); sessions that are over are swept out on the way."""
    now = datetime.now(UTC)
    _sweep(store, now, lifetimes)
    secret = new_secret()
    account = principal.id.removesuffix(LOCAL) if principal.id.endswith(LOCAL) else None
    document = {
        "principal": {
            "id": principal.id, "role": principal.role, "provider": principal.provider, "name": principal.name,
        },
        "account": account,
        "epoch": None if account is None else (store.document(_ACCOUNT, account) or {}).get("epoch"),
        "opened_at": now.isoformat(),
        "ends_at": (now + lifetimes.whole).isoformat(),
    }  # fmt: skip
    opened = change(_KIND, digest(secret), document)
    keep(store, principal, "sign in", f"session of {principal.id}", opened, name=principal.name)
    return secret


def find_session(store: Store, secret: str, lifetimes: Lifetimes) -> Principal | None:
    """Who a browser's session is of; None: it has none, or it is over.

    The rights of an account are those of now, not of when the session began; one that is shut out has none.
    """
    if not secret:
        return None
    id, now = digest(secret), datetime.now(UTC)
    document = store.document(_KIND, id)
    if document is None:
        return None
    seen = _seen(document, store.document(_SEEN, id))
    if _is_over(document, seen, now, lifetimes):
        _remove(store, id)
        return None
    principal = _principal(store, document)
    if principal is None:
        _remove(store, id)
    elif now - seen >= min(_COARSE, lifetimes.idle / 10):
        store.save_document(_SEEN, id, {"at": now.isoformat()})
    return principal


def end_session(store: Store, secret: str) -> None:
    """End a browser's session, if it has one."""
    document = store.document(_KIND, digest(secret))
    if document is not None:
        ended = (change(kind, digest(secret), None) for kind in (_KIND, _SEEN))
        keep(store, _kept(document), "sign out", f"session of {document['principal']['id']}", *ended)


def end_sessions(store: Store, principal: str, *, by: Principal = OPERATOR) -> int:
    """End every session of a principal (by its id); how many there were."""
    found = [id for id, document in store.documents(_KIND) if document["principal"]["id"] == principal]
    ended = (change(kind, id, None) for id in found for kind in (_KIND, _SEEN))
    keep(store, by, "end sessions", f"sessions of {principal}", *ended, count=len(found))
    return len(found)


def sign_out(store: Store, name: str, *, by: Principal = OPERATOR) -> int:
    """End the sessions of an account, or of who signed in elsewhere, by the id that the log tells (``...@openid``).

    Raises:
        NotFound: there is no such account.
    """
    if name.endswith(ELSEWHERE):
        return end_sessions(store, name[:_LONGEST_ID], by=by)
    find_account(store, name)
    return end_sessions(store, f"{name}{LOCAL}", by=by)


def _principal(store: Store, document: Mapping[str, Any]) -> Principal | None:
    if document["account"] is not None:
        account = store.document(_ACCOUNT, document["account"])
        if account is None or account["disabled"] or account["epoch"] != document["epoch"]:
            return None
        return principal_of_account(document["account"], account)
    return _kept(document)


def _kept(document: Mapping[str, Any]) -> Principal:
    kept = document["principal"]
    return Principal(
        id=kept["id"], role=cast(Role, kept["role"]), provider=kept["provider"], kind="person", name=kept["name"]
    )


def _seen(document: Mapping[str, Any], seen: Mapping[str, Any] | None) -> datetime:
    return datetime.fromisoformat(document["opened_at"] if seen is None else seen["at"])


def _is_over(document: Mapping[str, Any], seen: datetime, now: datetime, lifetimes: Lifetimes) -> bool:
    return now >= datetime.fromisoformat(document["ends_at"]) or now - seen >= lifetimes.idle


def _sweep(store: Store, now: datetime, lifetimes: Lifetimes) -> None:
    seen = dict(store.documents(_SEEN))
    kept = dict(store.documents(_KIND))
    for id, document in kept.items():
        if _is_over(document, _seen(document, seen.get(id)), now, lifetimes):
            _remove(store, id)
    for id in seen.keys() - kept.keys():
        store.remove_document(_SEEN, id)


def _remove(store: Store, id: str) -> None:
    store.remove_document(_KIND, id)
    store.remove_document(_SEEN, id)
