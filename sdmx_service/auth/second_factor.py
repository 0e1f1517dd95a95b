"""A second factor of accounts: codes that change every half minute (TOTP, RFC 6238), from an app that keeps a secret.

The owner of an account sets it up: a secret is made, the app takes it, and a first code shows that it has. From then on
signing in needs a code as well; each is good once. Who lost the app asks an administrator, who takes the factor away.
Secrets are kept sealed (``seal``); those that earlier versions kept plain are sealed when a service starts, or when
their next code is taken.
"""

from __future__ import annotations

import base64
import logging
import secrets
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from sdmx_service.auth.principal import OPERATOR, Principal
from sdmx_service.auth.seal import Seal, is_sealed
from sdmx_service.auth.trail import change, keep
from sdmx_service.errors import Conflict, SdmxError, SemanticFault
from sdmx_service.storage.port import DocumentChange, Record, Store

log = logging.getLogger(__name__)
_KIND: Final = "account"
STEP: Final = 30
"""Seconds that a code is for."""
DIGITS: Final = 6
_AROUND: Final = (0, -1, 1)
"""Steps beside the present one whose codes count too: clocks differ, and people type slowly."""
_BYTES: Final = 20
"""Of the secret: as many as the hash gives (RFC 4226, R6)."""
SECRET_FIELDS: Final = ("second", "second_wanted", "second_wanted_in")
"""What a document of an account has of it, and what nobody is shown."""

_UNWANTED: Final = {"second_wanted": None, "second_wanted_in": None}


def new_secret() -> str:
    """A secret as apps take it: base32."""
    return base64.b32encode(secrets.token_bytes(_BYTES)).decode()


def address_of(secret: str, account: str, service: str) -> str:
    """The address by which an app on the same device takes a secret."""
    told = urlencode({"secret": secret, "issuer": service, "digits": DIGITS, "period": STEP}, quote_via=quote)
    return f"otpauth://totp/{quote(service)}:{quote(account)}?{told}"


def code_at(secret: str, moment: float) -> str:
    """The code of a moment."""
    made = TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP)  # noqa: S303 - the hash that apps know
    return made.generate(moment).decode()


def step_of(secret: str, code: str, moment: float, after: int = -1) -> int | None:
    """The step that a code is for, if it is right and later than ``after``; else None."""
    said = "".join(code.split())
    found = None
    for beside in _AROUND:
        step = int(moment // STEP) + beside
        if step >= 0 and secrets.compare_digest(code_at(secret, step * STEP).encode(), said.encode()) and step > after:
            found = step
    return found


def has_second(document: Mapping[str, Any]) -> bool:
    """Whether signing in to an account needs a code."""
    return bool(document.get("second"))


# --- set up and taken away ------------------------------------------------------------------------------------------
def want_second(store: Store, name: str, document: Mapping[str, Any], seal: Seal, session: str = "") -> str:
    """A secret for an account that has no second factor; it counts when a first code was given.

    Args:
        store: where the account is.
        name: of the account.
        document: the account as it was read.
        seal: for the secret.
        session: hash of the session that wants it. Nobody else is shown it, nor can let it count: who had somebody's
            browser for a minute would know the secret that the owner takes over later.

    Raises:
        SemanticFault: there is no key to seal it with.
    """
    secret = new_secret()
    _see_to_key(store, seal)
    wanted = {"second_wanted": seal.sealed(secret, name), "second_wanted_in": session}
    store.record(Record(changes=(_change(name, document, wanted),)))
    return secret


def wanted_secret(name: str, document: Mapping[str, Any], seal: Seal, session: str = "") -> str | None:
    """The secret that a session wanted last and that does not count yet; None: none, or none that can be opened."""
    kept = document.get("second_wanted")
    is_its = document.get("second_wanted_in", "") == session
    return None if kept is None or not is_its else seal.opened(kept, name)


def set_second(
    store: Store,
    name: str,
    document: Mapping[str, Any],
    code: str,
    seal: Seal,
    *,
    by: Principal,
    session: str = "",
    moment: float | None = None,
) -> None:
    """Let the secret count that the session wanted last, by a first code; other sessions of the account end.

    Raises:
        SemanticFault: the code is not right, or no secret was made.
    """
    secret = wanted_secret(name, document, seal, session)
    step = None if secret is None else step_of(secret, code, time.time() if moment is None else moment)
    if secret is None or step is None:
        raise SemanticFault("The code is not right.", hint="Type the one that the app shows now.")
    second = {"secret": _kept(document["second_wanted"], secret, name, seal), "used": step}
    made = {"second": second, **_UNWANTED, "epoch": secrets.token_hex(8)}
    keep(store, by, "set up second factor", f"account {name}", _change(name, document, made))


def remove_second(store: Store, name: str, document: Mapping[str, Any], *, by: Principal = OPERATOR) -> None:
    """Let an account be signed in to without a code again; its sessions end. It takes no key."""
    gone = {"second": None, **_UNWANTED, "epoch": secrets.token_hex(8)}
    keep(store, by, "remove second factor", f"account {name}", _change(name, document, gone))


def take_code(store: Store, name: str, document: Mapping[str, Any], code: str, moment: float, seal: Seal) -> bool:
    """Whether a code opens an account; a right one is used up, in every process."""
    second = document["second"]
    secret = seal.opened(second["secret"], name)
    step = None if secret is None else step_of(secret, code, moment, after=second["used"])
    if secret is None or step is None:
        return False
    used = {"secret": _kept(second["secret"], secret, name, seal), "used": step}
    try:
        store.record(Record(changes=(_change(name, document, {"second": used}),)))
    except Conflict:  # used at the same time elsewhere, or the account changed
        return False
    return True


def _change(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> DocumentChange:
    """A change of an account that nobody else changed meanwhile."""
    expected = {field: before.get(field) for field in ("epoch", "disabled", *SECRET_FIELDS)}
    return change(_KIND, name, {**before, **after}, expected)


# --- kept sealed ----------------------------------------------------------------------------------------------------
def protect_seconds(store: Store, seal: Seal) -> None:
    """Seal with the newest key what earlier versions kept plain and what an older key sealed; to be called at start.

    What cannot be sealed stays as it is, and the log of the process says so.

    Raises:
        StorageFault: the key file cannot be read.
        SyntaxFault: it holds what is no key.
    """
    has_key = seal.has_key
    kept = [(name, document) for name, document in store.documents(_KIND) if _secrets_in(document)]
    if kept and not has_key:
        try:
            _see_to_key(store, seal)
        except SdmxError as fault:
            log.warning("secrets of second factors are not protected: %s %s", fault.detail, fault.hint)
            return
    for name, document in kept:
        if after := _resealed(name, document, seal):
            try:
                store.record(Record(changes=(_change(name, document, after),)))
            except Conflict:  # somebody signs in just now, which seals it too
                log.info("the account %s changes just now", name)


def _secrets_in(document: Mapping[str, Any]) -> list[str]:
    """The secrets of an account as they are kept."""
    second, wanted = document.get("second"), document.get("second_wanted")
    return [*([second["secret"]] if second else []), *([wanted] if wanted else [])]


def _resealed(name: str, document: Mapping[str, Any], seal: Seal) -> dict[str, Any]:
    """The fields of an account to keep anew; none where all are sealed with the newest key, or cannot be opened."""
    found: dict[str, Any] = {}
    second, wanted = document.get("second"), document.get("second_wanted")
    if second and (kept := _renewed(second["secret"], name, seal)):
        found["second"] = {**second, "secret": kept}
    if wanted and (kept := _renewed(wanted, name, seal)):
        found["second_wanted"] = kept
    return found


def _renewed(kept: str, name: str, seal: Seal) -> str | None:
    if seal.is_newest(kept) or (secret := seal.opened(kept, name)) is None:
        return None
    return seal.sealed(secret, name)


def _kept(kept: str, secret: str, name: str, seal: Seal) -> str:
    """A secret as it is to be kept from now on; as it was, where there is no key."""
    return kept if not seal.has_key or seal.is_newest(kept) else seal.sealed(secret, name)


def _see_to_key(store: Store, seal: Seal) -> None:
    """Make a key where none was ever needed; one that is lost is not replaced unasked.

    Raises:
        SemanticFault: none is there, and none can be made.
    """
    if seal.has_key:
        return
    if any(map(is_sealed, (kept for _, document in store.documents(_KIND) for kept in _secrets_in(document)))):
        raise SemanticFault(
            f"The key file {seal.path} is not there, and accounts have second factors that it protects.",
            hint="Whoever runs the service brings it back, or puts another key in its place (docs/access.md).",
        )
    seal.make_key()
