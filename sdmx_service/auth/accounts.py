"""Accounts of people, for a service that has no other sign-in: a name, a role, a password kept as a hash.

Accounts are documents of the store, kind ``account``. An administrator makes one without ever knowing its password: an
invitation, good once and for some days, lets its owner choose it. A change of the password ends every session.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

from sdmx_service.auth import passwords
from sdmx_service.auth.acts import Role
from sdmx_service.auth.client_address import counted_as
from sdmx_service.auth.principal import OPERATOR, Principal
from sdmx_service.auth.seal import Seal
from sdmx_service.auth.second_factor import SECRET_FIELDS, has_second, remove_second, take_code
from sdmx_service.auth.throttle import Tally, Throttle
from sdmx_service.auth.tokens import LONGEST_NAME, days_from_now, digest
from sdmx_service.auth.trail import Aside, at_once, change, keep, keep_refusal
from sdmx_service.errors import Conflict, NotAllowed, NotAuthenticated, NotFound, SdmxError, SemanticFault
from sdmx_service.model.selection import provider_name
from sdmx_service.model.urn import Ref
from sdmx_service.storage.port import DocumentChange, Store

log = logging.getLogger(__name__)
_KIND = "account"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,38}[a-z0-9])?")
LOCAL = "@local"
"""How the id of a principal ends that is an account of the service's own."""
INVITED_DAYS = 7
"""Days that an invitation is good for."""
_SECRET = ("hash", "invitation", "invited_until", *SECRET_FIELDS)


def create_account(
    store: Store, name: str, *, role: Role, provider: Ref | None = None, display: str = "", by: Principal = OPERATOR
) -> str:
    """A new account without a password; returns its invitation, which is shown once.

    Raises:
        SemanticFault: the name is none; the role is provider and no provider is named, or the other way round.
        Conflict: there is one of that name.
    """
    if _NAME.fullmatch(name) is None:
        raise SemanticFault(f"{name!r} is no name of an account.", hint="Take up to 40 of a-z, 0-9, - and _.")
    if (role == "provider") != (provider is not None):
        raise SemanticFault(
            "The role provider, and only it, is bound to a provider.", hint="Name a provider or a role."
        )
    if store.document(_KIND, name) is not None:
        raise Conflict(f"There is an account {name!r} already.", hint="Choose another name.")
    document = {
        "role": role,
        "provider": None if provider is None else provider_name(provider),
        "display": display.strip()[:LONGEST_NAME] or name,
        "disabled": False,
        "hash": None,
        "epoch": secrets.token_hex(8),
        "created_at": datetime.now(UTC).isoformat(),
        "created_by": by.id,
    }
    told = {"role": role, "provider": document["provider"]}
    return _invited(store, name, {}, document, by, "create account", **told)


def accounts(store: Store) -> list[dict[str, Any]]:
    """The accounts there are, without anything secret; ``state`` is invited, active or disabled."""
    return [_told(name, document) for name, document in store.documents(_KIND)]


def _told(name: str, document: Mapping[str, Any]) -> dict[str, Any]:
    state = "disabled" if document["disabled"] else "active" if document["hash"] else "invited"
    shown = {key: value for key, value in document.items() if key not in (*_SECRET, "epoch", "disabled")}
    return {"name": name, "state": state, "second_factor": has_second(document), **shown}


def find_account(store: Store, name: str) -> Mapping[str, Any]:
    """The document of an account.

    Raises:
        NotFound: there is none of that name.
    """
    document = store.document(_KIND, name) if _NAME.fullmatch(name) else None
    if document is None:
        raise NotFound(f"There is no account {name[:40]!r}.")
    return document


def principal_of_account(name: str, document: Mapping[str, Any]) -> Principal:
    """Who an account is."""
    return Principal(
        id=f"{name}{LOCAL}",
        role=cast(Role, document["role"]),
        provider=document["provider"],
        kind="person",
        name=document["display"],
    )


# --- invitations and passwords --------------------------------------------------------------------------------------
def invite(store: Store, name: str, *, by: Principal = OPERATOR) -> str:
    """A new invitation for an account; one made before is no good any more. The password stays until it is used."""
    before = find_account(store, name)
    return _invited(store, name, before, before, by, "invite to account")


def _invited(
    store: Store,
    name: str,
    before: Mapping[str, Any],
    document: Mapping[str, Any],
    by: Principal,
    act: str,
    **told: Any,
) -> str:
    secret = secrets.token_urlsafe(24)
    until = days_from_now(INVITED_DAYS).isoformat()
    invited = {**document, "invitation": digest(secret), "invited_until": until}
    keep(store, by, act, f"account {name}", _change(name, before, invited), **told)
    return f"{name}.{secret}"


def invited_account(store: Store, invitation: str) -> str:
    """The name of the account that an invitation is for.

    Raises:
        NotFound: it is not good: unknown, used, or too old.
    """
    return _invited_one(store, invitation)[0]


def _invited_one(store: Store, invitation: str) -> tuple[str, Mapping[str, Any]]:
    """The name and document of the account that an invitation is for; as ``invited_account``."""
    name, _, secret = invitation.partition(".")
    shown = digest(secret)
    document = store.document(_KIND, name) if _NAME.fullmatch(name) else None
    kept = None if document is None else document.get("invitation")
    if document is None or kept is None or not secrets.compare_digest(shown, kept) or document["disabled"]:
        raise NotFound("This invitation is not good any more.", hint="Ask for a new one.")
    if datetime.fromisoformat(document["invited_until"]) <= datetime.now(UTC):
        raise NotFound("This invitation is too old.", hint="Ask for a new one.")
    return name, document


def accept_invitation(store: Store, invitation: str, password: str) -> Principal:
    """Set the password of the account that is invited; the invitation is used up.

    Raises:
        NotFound: the invitation is not good.
        SemanticFault: the password cannot be taken.
        Conflict: it was used or voided just then.
    """
    name, before = _invited_one(store, invitation)
    principal = principal_of_account(name, before)
    _set_password(store, name, before, password, by=principal)
    return principal


def set_password(store: Store, name: str, password: str, *, by: Principal = OPERATOR) -> None:
    """Give an account a password; its sessions end, its invitation is void.

    Raises:
        NotFound: there is no such account.
        SemanticFault: the password cannot be taken.
    """
    _set_password(store, name, find_account(store, name), password, by=by)


def _set_password(store: Store, name: str, before: Mapping[str, Any], password: str, *, by: Principal) -> None:
    made = {"hash": passwords.hashed(password, name), "epoch": secrets.token_hex(8), "invitation": None}
    after = {**before, **made, "changed_at": datetime.now(UTC).isoformat()}
    keep(store, by, "set password", f"account {name}", _change(name, before, after))


def set_disabled(store: Store, name: str, disabled: bool, *, by: Principal = OPERATOR) -> None:
    """Shut an account out, or let it in again; either way its sessions end.

    Raises:
        NotFound: there is no such account.
    """
    before = find_account(store, name)
    after = {**before, "disabled": disabled, "epoch": secrets.token_hex(8)} | ({"invitation": None} if disabled else {})
    act = "disable account" if disabled else "enable account"
    keep(store, by, act, f"account {name}", _change(name, before, after))


def _change(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> DocumentChange:
    """A change of an account that nobody else made, changed or removed meanwhile; empty before: it is new."""
    expected = {field: before.get(field) for field in ("epoch", "disabled", "second", "invitation")}
    return change(_KIND, name, after, expected)


def forget_second_factor(store: Store, name: str, *, by: Principal = OPERATOR) -> None:
    """Let somebody who lost the app sign in with the password alone; the account's sessions end.

    Raises:
        NotFound: there is no such account.
    """
    remove_second(store, name, find_account(store, name), by=by)


def remove_account(store: Store, name: str, *, by: Principal = OPERATOR) -> None:
    """Forget an account.

    Raises:
        NotFound: there is no such account.
    """
    find_account(store, name)
    keep(store, by, "remove account", f"account {name}", change(_KIND, name, None))


# --- signing in -----------------------------------------------------------------------------------------------------
WRONG_CODES = 10
"""Codes of a second factor that may be wrong within an hour, from all addresses together.

Three of a million are right at a time: so guessing takes years, with the password known and addresses without end.
"""
WRONG = "Name and password do not fit together."
"""What is said of every failure, so that nobody learns which names there are."""


class Doorkeeper:
    """Looks at passwords and codes; failures are counted per address, per account, and per account from one address.

    A failure costs the same work whether there is an account of the name or not: one look into the store, one hash,
    and what is written down is written aside, so that the time of an answer does not tell which names there are.

    Args:
        store: where the accounts are.
        seal: opens the secrets of second factors.
        aside: does what an answer does not wait for.
        now: seconds since 1970, for the codes.
        clock: for the throttles; None: the real one.
    """

    def __init__(
        self,
        store: Store,
        *,
        seal: Seal | None = None,
        aside: Aside = at_once,
        now: Callable[[], float] = time.time,
        **clock: Any,
    ) -> None:
        self.seal = Seal() if seal is None else seal
        self._store, self._aside, self._now = store, aside, now
        self._pairs = Throttle(5, 900, **clock)
        self._addresses = Throttle(30, 900, **clock)
        self._names = Throttle(100, 900, **clock)
        self._codes = Throttle(WRONG_CODES, 3600, **clock)
        self._unknown, self._elsewhere, self._without_role = Tally(**clock), Tally(**clock), Tally(**clock)

    def admit(self, name: str, password: str, address: str, code: str = "") -> Principal:
        """Who an account and its password say it is, and the code of its second factor where it has one.

        Raises:
            NotAuthenticated: they do not fit together, or the account is shut out.
            TooManyAttempts: too many failed.
        """
        origin = counted_as(address)
        keys = ((self._pairs, f"{origin} {name[:80]}"), (self._addresses, origin), (self._names, name[:80]))
        for throttle, key in keys:
            throttle.check(key)
        document = self._store.document(_KIND, name) if _NAME.fullmatch(name) else None
        kept = None if document is None else document["hash"]
        right = passwords.is_right(password, kept)
        is_in = document is not None and right and not document["disabled"]
        why = None
        if document is not None and is_in and has_second(document):
            is_in, why = self._takes(name, document, code), "second factor"
        if document is None or not is_in:
            for throttle, key in keys:
                throttle.failed(key)
            log.info("sign-in to %r refused, from %s", name[:40], address)
            self._aside(partial(self._tell, None if document is None else name, origin, why))
            raise NotAuthenticated(WRONG, hint="Try again.")
        self._pairs.succeeded(keys[0][1])
        return principal_of_account(name, document)

    def _takes(self, name: str, document: Mapping[str, Any], code: str) -> bool:
        """Whether a code is right; after too many wrong ones none is for a while, from wherever they came.

        Only who knows the password comes so far, so that nobody else can keep the owner out by it.
        """
        if self._codes.wait(name):
            return False
        is_right = take_code(self._store, name, document, code, self._now(), self.seal)
        if is_right:
            self._codes.succeeded(name)
        elif code.strip():
            self._codes.failed(name)
        return is_right

    def _tell(self, account: str | None, address: str, why: str | None) -> None:
        """Write down a failure: of an account each, of names that are none in sum."""
        if account is not None:
            keep_refusal(self._store, "refuse sign-in", f"account {account}", why=why)
        elif (told := self._unknown.add(address)) is not None:  # no name: people type passwords there
            keep_refusal(self._store, "refuse sign-in", "unknown accounts", **told)

    def refused_elsewhere(self, fault: SdmxError, address: str) -> None:
        """Write down, in sum, that a sign-in through a provider came to nothing.

        Those whom the provider knows and who have no role here are told apart from what anybody can send.
        """
        tally = self._without_role if isinstance(fault, NotAllowed) else self._elsewhere
        told = tally.add(counted_as(address))
        if told is not None:
            keep_refusal(self._store, "refuse sign-in", "sign-in elsewhere", why=fault.detail, **told)
