"""The second factor of accounts on both stores: codes of RFC 6238, each good once."""

from __future__ import annotations

import base64
import json
from urllib.parse import parse_qs, urlsplit

import pytest

from sdmx_service.auth.accounts import (
    Doorkeeper,
    accept_invitation,
    accounts,
    create_account,
    find_account,
    forget_second_factor,
    set_disabled,
    set_password,
)
from sdmx_service.auth.principal import OPERATOR
from sdmx_service.auth.second_factor import (
    STEP,
    address_of,
    code_at,
    new_secret,
    remove_second,
    set_second,
    step_of,
    take_code,
    want_second,
)
from sdmx_service.errors import Conflict, NotAuthenticated, SemanticFault, TooManyAttempts
from sdmx_service.storage.port import Store

GOOD = "herring at the quay"
NOON = 1_800_000_000.0
SECRET = base64.b32encode(b"12345678901234567890").decode()


class Watch:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


def guarded(store: Store) -> str:
    """An account with a second factor, set up at noon; its secret."""
    accept_invitation(store, create_account(store, "maria", role="publisher"), GOOD)
    secret = want_second(store, "maria", find_account(store, "maria"))
    set_second(store, "maria", find_account(store, "maria"), code_at(secret, NOON), by=OPERATOR, moment=NOON)
    return secret


@pytest.mark.parametrize(
    ("moment", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_the_codes_are_those_of_rfc_6238(moment: int, code: str) -> None:
    assert code_at(SECRET, moment) == code
    assert step_of(SECRET, code, moment) == moment // STEP
    assert step_of(SECRET, f"{code[:3]} {code[3:]}", moment) == moment // STEP


@pytest.mark.parametrize("code", ["", "28708", "2870822", "28708x", "٢٨٧٠٨٢", "287081"])
def test_what_is_no_code_opens_nothing(code: str) -> None:
    assert step_of(SECRET, code, 59) is None


def test_a_code_counts_for_the_steps_beside_it_and_no_longer() -> None:
    code, step = code_at(SECRET, NOON), int(NOON // STEP)
    assert [step_of(SECRET, code, NOON + ahead * STEP) for ahead in (-2, -1, 0, 1, 2)] == [None, step, step, step, None]
    assert step_of(SECRET, code, NOON, after=step) is None
    assert step_of(SECRET, code, NOON, after=step - 1) == step


def test_apps_are_told_the_secret() -> None:
    secret = new_secret()
    assert len(base64.b32decode(secret)) == 20
    address = urlsplit(address_of(secret, "maria", "data.example"))
    assert (address.scheme, address.netloc, address.path) == ("otpauth", "totp", "/data.example:maria")
    assert parse_qs(address.query) == {
        "secret": [secret], "issuer": ["data.example"], "digits": ["6"], "period": ["30"],
    }  # fmt: skip


def test_from_then_on_the_password_alone_opens_nothing(store: Store) -> None:
    watch = Watch()
    keeper = Doorkeeper(store, now=watch)
    secret = guarded(store)
    watch.now += STEP
    for code in ("", "000000", code_at(secret, NOON)):
        with pytest.raises(NotAuthenticated):
            keeper.admit("maria", GOOD, "a", code)
    with pytest.raises(NotAuthenticated):
        keeper.admit("maria", "wrong", "a", code_at(secret, watch.now))
    assert keeper.admit("maria", GOOD, "a", code_at(secret, watch.now)).id == "maria@local"


def test_a_code_is_good_once_in_every_process(store: Store) -> None:
    watch = Watch()
    secret = guarded(store)
    watch.now += STEP
    code = code_at(secret, watch.now)
    before = find_account(store, "maria")
    assert Doorkeeper(store, now=watch).admit("maria", GOOD, "a", code).name == "maria"
    with pytest.raises(NotAuthenticated):
        Doorkeeper(store, now=watch).admit("maria", GOOD, "a", code)
    assert not take_code(store, "maria", before, code, watch.now)  # who read the account before it was used
    watch.now += STEP
    assert Doorkeeper(store, now=watch).admit("maria", GOOD, "a", code_at(secret, watch.now)).name == "maria"


def test_codes_cannot_be_tried_one_after_the_other(store: Store) -> None:
    watch = Watch()
    keeper = Doorkeeper(store, now=watch)
    secret = guarded(store)
    watch.now += STEP
    for _ in range(5):
        with pytest.raises(NotAuthenticated):
            keeper.admit("maria", GOOD, "a", "000000")
    with pytest.raises(TooManyAttempts):
        keeper.admit("maria", GOOD, "a", code_at(secret, watch.now))


def test_a_secret_counts_only_after_a_first_code(store: Store) -> None:
    accept_invitation(store, create_account(store, "maria", role="publisher"), GOOD)
    with pytest.raises(SemanticFault):
        set_second(store, "maria", find_account(store, "maria"), "000000", by=OPERATOR, moment=NOON)
    first = want_second(store, "maria", find_account(store, "maria"))
    again = want_second(store, "maria", find_account(store, "maria"))
    with pytest.raises(SemanticFault):
        set_second(store, "maria", find_account(store, "maria"), code_at(first, NOON), by=OPERATOR, moment=NOON)
    assert Doorkeeper(store).admit("maria", GOOD, "a").name == "maria"
    set_second(store, "maria", find_account(store, "maria"), code_at(again, NOON), by=OPERATOR, moment=NOON)
    with pytest.raises(NotAuthenticated):
        Doorkeeper(store).admit("maria", GOOD, "a")


def test_another_password_leaves_it(store: Store) -> None:
    guarded(store)
    set_password(store, "maria", "another herring there")
    with pytest.raises(NotAuthenticated):
        Doorkeeper(store).admit("maria", "another herring there", "a")


def test_who_lost_the_app_is_let_in_again(store: Store) -> None:
    guarded(store)
    before = find_account(store, "maria")["epoch"]
    forget_second_factor(store, "maria")
    assert find_account(store, "maria")["epoch"] != before
    assert Doorkeeper(store).admit("maria", GOOD, "a").name == "maria"


def test_nobody_undoes_what_another_did_meanwhile(store: Store) -> None:
    guarded(store)
    before = find_account(store, "maria")
    set_disabled(store, "maria", True)
    with pytest.raises(Conflict):
        remove_second(store, "maria", before)
    set_disabled(store, "maria", False)
    assert find_account(store, "maria")["second"]


def test_the_secret_is_shown_nowhere(store: Store) -> None:
    secret = guarded(store)
    (listed,) = accounts(store)
    assert listed["second_factor"] is True
    assert secret not in json.dumps(listed)
    log = [(one.act, one.details) for one in store.log()]
    assert "set up second factor" in {act for act, _ in log}
    assert secret not in json.dumps(log)
