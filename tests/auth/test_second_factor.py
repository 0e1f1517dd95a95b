"""The second factor of accounts on both stores: codes of RFC 6238, each good once."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from sdmx_service.auth.accounts import (
    WRONG_CODES,
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
from sdmx_service.auth.seal import Seal
from sdmx_service.auth.second_factor import (
    STEP,
    address_of,
    code_at,
    new_secret,
    protect_seconds,
    remove_second,
    set_second,
    step_of,
    take_code,
    want_second,
    wanted_secret,
)
from sdmx_service.errors import Conflict, NotAuthenticated, SemanticFault, SyntaxFault, TooManyAttempts
from sdmx_service.storage.port import Store

GOOD = "herring at the quay"
NOON = 1_800_000_000.0
SECRET = base64.b32encode(b"12345678901234567890").decode()


class Watch:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seal(tmp_path: Path) -> Seal:
    return Seal(tmp_path / "key")


def guarded(store: Store, seal: Seal) -> str:
    """An account with a second factor, set up at noon; its secret."""
    accept_invitation(store, create_account(store, "maria", role="publisher"), GOOD)
    secret = want_second(store, "maria", find_account(store, "maria"), seal)
    set_second(store, "maria", find_account(store, "maria"), code_at(secret, NOON), seal, by=OPERATOR, moment=NOON)
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


def test_from_then_on_the_password_alone_opens_nothing(store: Store, seal: Seal) -> None:
    watch = Watch()
    keeper = Doorkeeper(store, seal=seal, now=watch)
    secret = guarded(store, seal)
    watch.now += STEP
    for code in ("", "000000", code_at(secret, NOON)):
        with pytest.raises(NotAuthenticated):
            keeper.admit("maria", GOOD, "a", code)
    with pytest.raises(NotAuthenticated):
        keeper.admit("maria", "wrong", "a", code_at(secret, watch.now))
    assert keeper.admit("maria", GOOD, "a", code_at(secret, watch.now)).id == "maria@local"


def test_a_code_is_good_once_in_every_process(store: Store, seal: Seal) -> None:
    watch = Watch()
    secret = guarded(store, seal)
    watch.now += STEP
    code = code_at(secret, watch.now)
    before = find_account(store, "maria")
    assert Doorkeeper(store, seal=seal, now=watch).admit("maria", GOOD, "a", code).name == "maria"
    with pytest.raises(NotAuthenticated):
        Doorkeeper(store, seal=seal, now=watch).admit("maria", GOOD, "a", code)
    assert not take_code(store, "maria", before, code, watch.now, seal)  # who read the account before it was used
    watch.now += STEP
    assert Doorkeeper(store, seal=seal, now=watch).admit("maria", GOOD, "a", code_at(secret, watch.now)).name == "maria"


def test_who_knows_the_password_cannot_try_codes_from_everywhere(store: Store, seal: Seal) -> None:
    watch = Watch()
    keeper = Doorkeeper(store, seal=seal, now=watch, clock=watch)
    secret = guarded(store, seal)
    watch.now += STEP
    for number in range(20):  # a code left out is none that was tried
        with pytest.raises(NotAuthenticated):
            keeper.admit("maria", GOOD, f"10.0.0.{number}")
    for number in range(WRONG_CODES):
        with pytest.raises(NotAuthenticated):
            keeper.admit("maria", GOOD, f"10.0.1.{number}", "000000")
    with pytest.raises(NotAuthenticated):  # told like every failure, so that nobody learns that the password is right
        keeper.admit("maria", GOOD, "10.0.2.1", code_at(secret, watch.now))
    told = [json.loads(one.details) for one in store.log() if one.act == "refuse sign-in"]
    assert told == [{"why": "second factor"}] * (21 + WRONG_CODES)
    watch.now += 3600
    assert keeper.admit("maria", GOOD, "10.0.2.1", code_at(secret, watch.now)).name == "maria"


def test_codes_cannot_be_tried_one_after_the_other(store: Store, seal: Seal) -> None:
    watch = Watch()
    keeper = Doorkeeper(store, seal=seal, now=watch)
    secret = guarded(store, seal)
    watch.now += STEP
    for _ in range(5):
        with pytest.raises(NotAuthenticated):
            keeper.admit("maria", GOOD, "a", "000000")
    with pytest.raises(TooManyAttempts):
        keeper.admit("maria", GOOD, "a", code_at(secret, watch.now))


def test_a_secret_counts_only_after_a_first_code(store: Store, seal: Seal) -> None:
    accept_invitation(store, create_account(store, "maria", role="publisher"), GOOD)
    with pytest.raises(SemanticFault):
        set_second(store, "maria", find_account(store, "maria"), "000000", seal, by=OPERATOR, moment=NOON)
    first = want_second(store, "maria", find_account(store, "maria"), seal)
    again = want_second(store, "maria", find_account(store, "maria"), seal)
    with pytest.raises(SemanticFault):
        set_second(store, "maria", find_account(store, "maria"), code_at(first, NOON), seal, by=OPERATOR, moment=NOON)
    assert Doorkeeper(store, seal=seal).admit("maria", GOOD, "a").name == "maria"
    set_second(store, "maria", find_account(store, "maria"), code_at(again, NOON), seal, by=OPERATOR, moment=NOON)
    with pytest.raises(NotAuthenticated):
        Doorkeeper(store, seal=seal).admit("maria", GOOD, "a")


def test_another_password_leaves_it(store: Store, seal: Seal) -> None:
    guarded(store, seal)
    set_password(store, "maria", "another herring there")
    with pytest.raises(NotAuthenticated):
        Doorkeeper(store, seal=seal).admit("maria", "another herring there", "a")


def test_who_lost_the_app_is_let_in_again(store: Store, seal: Seal) -> None:
    guarded(store, seal)
    before = find_account(store, "maria")["epoch"]
    forget_second_factor(store, "maria")
    assert find_account(store, "maria")["epoch"] != before
    assert Doorkeeper(store, seal=seal).admit("maria", GOOD, "a").name == "maria"


def test_nobody_undoes_what_another_did_meanwhile(store: Store, seal: Seal) -> None:
    guarded(store, seal)
    before = find_account(store, "maria")
    set_disabled(store, "maria", True)
    with pytest.raises(Conflict):
        remove_second(store, "maria", before)
    set_disabled(store, "maria", False)
    assert find_account(store, "maria")["second"]


def test_the_secret_is_shown_nowhere(store: Store, seal: Seal) -> None:
    secret = guarded(store, seal)
    (listed,) = accounts(store)
    assert listed["second_factor"] is True
    assert secret not in json.dumps(listed)
    log = [(one.act, one.details) for one in store.log()]
    assert "set up second factor" in {act for act, _ in log}
    assert secret not in json.dumps(log)


# --- kept sealed ----------------------------------------------------------------------------------------------------
def everything(store: Store) -> str:
    """All that the store keeps of accounts and of who did what."""
    return json.dumps([dict(document) for _, document in store.documents("account")]) + str(list(store.log()))


def keep_plain(store: Store, name: str = "maria") -> str:
    """An account with a second factor as earlier versions kept it; its secret."""
    accept_invitation(store, create_account(store, name, role="publisher"), GOOD)
    secret = new_secret()
    store.save_document("account", name, {**find_account(store, name), "second": {"secret": secret, "used": -1}})
    return secret


def test_neither_secret_is_in_the_store(store: Store, seal: Seal) -> None:
    accept_invitation(store, create_account(store, "maria", role="publisher"), GOOD)
    secret = want_second(store, "maria", find_account(store, "maria"), seal)
    assert wanted_secret("maria", find_account(store, "maria"), seal) == secret
    assert secret not in everything(store)
    set_second(
        store, "maria", find_account(store, "maria"), code_at(secret, NOON), seal, by=OPERATOR, moment=NOON
    )  # fmt: skip
    keeper = Doorkeeper(store, seal=seal, now=lambda: NOON + STEP)
    assert keeper.admit("maria", GOOD, "a", code_at(secret, NOON + STEP)).name == "maria"
    assert secret not in everything(store)


def test_a_secret_of_earlier_versions_is_good_and_sealed_when_it_is_used(store: Store, seal: Seal) -> None:
    secret = keep_plain(store)
    seal.make_key()
    keeper = Doorkeeper(store, seal=seal, now=lambda: NOON)
    with pytest.raises(NotAuthenticated):
        keeper.admit("maria", GOOD, "a", "000000")
    assert secret in everything(store)
    assert keeper.admit("maria", GOOD, "a", code_at(secret, NOON)).name == "maria"
    assert secret not in everything(store)
    later = Doorkeeper(store, seal=seal, now=lambda: NOON + STEP)
    with pytest.raises(NotAuthenticated):
        later.admit("maria", GOOD, "a", code_at(secret, NOON))
    assert later.admit("maria", GOOD, "a", code_at(secret, NOON + STEP)).name == "maria"


def test_without_a_key_file_a_secret_of_earlier_versions_stays_good(store: Store) -> None:
    secret = keep_plain(store)
    protect_seconds(store, Seal())
    assert Doorkeeper(store, now=lambda: NOON).admit("maria", GOOD, "a", code_at(secret, NOON)).name == "maria"
    remove_second(store, "maria", find_account(store, "maria"))
    with pytest.raises(SemanticFault, match="no key") as caught:
        want_second(store, "maria", find_account(store, "maria"), Seal())
    assert "--key-file" in caught.value.hint


def test_at_the_start_all_are_sealed_and_the_rest_stays_as_it_was(store: Store, seal: Seal) -> None:
    first = keep_plain(store)
    wanted = new_secret()
    create_account(store, "ines", role="reader")
    create_account(store, "noor", role="reader")
    store.save_document("account", "ines", {**find_account(store, "ines"), "second_wanted": wanted})
    before = {name: dict(document) for name, document in store.documents("account")}
    protect_seconds(store, seal)
    after = {name: dict(document) for name, document in store.documents("account")}
    assert first not in everything(store)
    assert wanted not in everything(store)
    assert seal.opened(after["maria"]["second"]["secret"], "maria") == first
    assert after["maria"]["second"]["used"] == -1
    assert wanted_secret("ines", after["ines"], seal) == wanted
    for name, document in before.items():
        others = document.keys() - {"second", "second_wanted"}
        assert {field: after[name][field] for field in others} == {field: document[field] for field in others}
    assert after["noor"] == before["noor"]
    protect_seconds(store, seal)
    assert {name: dict(document) for name, document in store.documents("account")} == after


def test_where_nothing_is_to_be_protected_no_key_is_made(store: Store, seal: Seal) -> None:
    accept_invitation(store, create_account(store, "maria", role="publisher"), GOOD)
    protect_seconds(store, seal)
    assert seal.path is not None
    assert not seal.path.exists()


def test_a_file_without_keys_is_told_at_the_start(store: Store, seal: Seal) -> None:
    assert seal.path is not None
    seal.path.write_text("rubbish\n")
    with pytest.raises(SyntaxFault, match="Line 1"):
        protect_seconds(store, seal)


def test_another_key_takes_the_place_of_the_first(store: Store, seal: Seal, tmp_path: Path) -> None:
    secret = guarded(store, seal)
    assert seal.path is not None
    old = seal.path.read_text()
    other = Seal(tmp_path / "other")
    other.make_key()
    assert other.path is not None
    seal.path.write_text(f"# since the move\n{other.path.read_text()}\n{old}")
    protect_seconds(store, seal)
    seal.path.write_text(other.path.read_text())  # the old one is not needed any more
    now = NOON + STEP
    assert Doorkeeper(store, seal=seal, now=lambda: now).admit("maria", GOOD, "a", code_at(secret, now)).name == "maria"


def test_a_key_that_is_lost_shuts_out_until_an_administrator_forgets_the_factor(
    store: Store, seal: Seal, caplog: pytest.LogCaptureFixture
) -> None:
    secret, now = guarded(store, seal), NOON + STEP
    assert seal.path is not None
    seal.path.unlink()
    keeper = Doorkeeper(store, seal=seal, now=lambda: now)
    for _ in range(2):  # also after a new start
        with pytest.raises(NotAuthenticated):
            keeper.admit("maria", GOOD, "a", code_at(secret, now))
        protect_seconds(store, seal)
    assert "is sealed with a key" in caplog.text
    assert not seal.path.exists()  # a new one is not made unasked
    accept_invitation(store, create_account(store, "ines", role="reader"), GOOD)
    with pytest.raises(SemanticFault, match="is not there"):
        want_second(store, "ines", find_account(store, "ines"), seal)
    forget_second_factor(store, "maria")
    assert keeper.admit("maria", GOOD, "a").name == "maria"
    assert [one.principal for one in store.log() if one.act == "remove second factor"] == ["operator"]
    again = want_second(store, "maria", find_account(store, "maria"), seal)
    set_second(store, "maria", find_account(store, "maria"), code_at(again, now), seal, by=OPERATOR, moment=now)
    assert seal.path.exists()


def test_who_signs_in_while_secrets_are_sealed_is_not_set_back(store: Store, seal: Seal) -> None:
    """A service starts and another takes a code: what was used stays used."""
    secret = keep_plain(store)
    seal.make_key()
    keeper = Doorkeeper(store, seal=seal, now=lambda: NOON)

    class Meanwhile(Seal):
        def sealed(self, secret: str, owner: str) -> str:
            if not used:
                used.append(True)
                assert keeper.admit("maria", GOOD, "a", code_at(secret, NOON)).name == "maria"
            return super().sealed(secret, owner)

    used: list[bool] = []
    protect_seconds(store, Meanwhile(seal.path))
    assert find_account(store, "maria")["second"]["used"] == int(NOON // STEP)
    assert secret not in everything(store)
