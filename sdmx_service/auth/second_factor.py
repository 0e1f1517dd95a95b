"""A second factor of accounts: codes that change every half minute (TOTP, RFC 6238), from an app that keeps a secret.

The owner of an account sets it up: a secret is made, the app takes it, and a first code shows that it has. From then on
signing in needs a code as well; each is good once. Who lost the app asks an administrator, who takes the factor away.
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from sdmx_service.auth.principal import OPERATOR, Principal
from sdmx_service.auth.trail import change, keep
from sdmx_service.errors import Conflict, SemanticFault
from sdmx_service.storage.port import DocumentChange, Record, Store

STEP: Final = 30
"""Seconds that a code is for."""
DIGITS: Final = 6
_AROUND: Final = (0, -1, 1)
"""Steps beside the present one whose codes count too: clocks differ, and people type slowly."""
_BYTES: Final = 20
"""Of the secret: as many as the hash gives (RFC 4226, R6)."""
SECRET_FIELDS: Final = ("second", "second_wanted")
"""What a document of an account has of it, and what nobody is shown."""


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
def want_second(store: Store, name: str, document: Mapping[str, Any]) -> str:
    """A secret for an account that has no second factor; it counts when a first code was given."""
    secret = new_secret()
    store.record(Record(changes=(_change(name, document, {"second_wanted": secret}),)))
    return secret


def set_second(
    store: Store, name: str, document: Mapping[str, Any], code: str, *, by: Principal, moment: float | None = None
) -> None:
    """Let the secret count that was made last, by a first code; other sessions of the account end.

    Raises:
        SemanticFault: the code is not right, or no secret was made.
    """
    wanted = document.get("second_wanted")
    step = None if wanted is None else step_of(wanted, code, time.time() if moment is None else moment)
    if step is None:
        raise SemanticFault("The code is not right.", hint="Type the one that the app shows now.")
    made = {"second": {"secret": wanted, "used": step}, "second_wanted": None, "epoch": secrets.token_hex(8)}
    keep(store, by, "set up second factor", f"account {name}", _change(name, document, made))


def remove_second(store: Store, name: str, document: Mapping[str, Any], *, by: Principal = OPERATOR) -> None:
    """Let an account be signed in to without a code again; its sessions end."""
    gone = {"second": None, "second_wanted": None, "epoch": secrets.token_hex(8)}
    keep(store, by, "remove second factor", f"account {name}", _change(name, document, gone))


def take_code(store: Store, name: str, document: Mapping[str, Any], code: str, moment: float) -> bool:
    """Whether a code opens an account; a right one is used up, in every process."""
    second = document["second"]
    step = step_of(second["secret"], code, moment, after=second["used"])
    if step is None:
        return False
    try:
        store.record(Record(changes=(_change(name, document, {"second": {**second, "used": step}}),)))
    except Conflict:  # used at the same time elsewhere, or the account changed
        return False
    return True


def _change(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> DocumentChange:
    """A change of an account that nobody else changed meanwhile."""
    expected = {field: before.get(field) for field in ("epoch", "disabled", "second")}
    return change("account", name, {**before, **after}, expected)
