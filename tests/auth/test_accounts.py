"""Accounts and passwords on both stores."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from argon2 import extract_parameters

from sdmx_service.auth import passwords
from sdmx_service.auth.accounts import (
    WRONG,
    Doorkeeper,
    accept_invitation,
    accounts,
    create_account,
    invite,
    remove_account,
    set_disabled,
    set_password,
)
from sdmx_service.errors import (
    Conflict,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    SdmxError,
    SemanticFault,
    StorageFault,
    TooManyAttempts,
)
from sdmx_service.model.urn import Ref
from sdmx_service.storage.port import Store

PROVIDER = Ref(type="DataProvider", agency="SEA", id="DATA_PROVIDERS", version="1.0", item="HARBOUR")
GOOD = "herring at the quay"


def account(store: Store, name: str = "maria", password: str = GOOD) -> None:
    invitation = create_account(store, name, role="provider", provider=PROVIDER, display="Maria")
    accept_invitation(store, invitation, password)


def test_from_the_invitation_to_the_password(store: Store) -> None:
    invitation = create_account(store, "maria", role="provider", provider=PROVIDER, display="Maria")
    assert [one["state"] for one in accounts(store)] == ["invited"]
    keeper = Doorkeeper(store)
    with pytest.raises(NotAuthenticated):
        keeper.admit("maria", "", "a")
    made = accept_invitation(store, invitation, GOOD)
    assert (made.id, made.role, made.provider, made.kind) == ("maria@local", "provider", "SEA.HARBOUR", "person")
    assert keeper.admit("maria", GOOD, "a") == made
    with pytest.raises(NotFound, match="not good any more"):
        accept_invitation(store, invitation, GOOD)
    (listed,) = accounts(store)
    assert listed["state"] == "active"
    assert not {"hash", "invitation", "epoch"} & set(listed)
    kept = json.dumps(list(store.documents("account")))
    assert GOOD not in kept
    assert invitation.partition(".")[2] not in kept
    assert "$argon2id$" in kept


def test_an_invitation_gets_old_and_a_new_one_voids_it(store: Store) -> None:
    first = create_account(store, "maria", role="publisher")
    second = invite(store, "maria")
    with pytest.raises(NotFound):
        accept_invitation(store, first, GOOD)
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    store.save_document("account", "maria", {**dict(store.document("account", "maria") or {}), "invited_until": past})
    with pytest.raises(NotFound, match="too old"):
        accept_invitation(store, second, GOOD)
    for other in ("maria.", "maria", "nobody.x", "", "../x.y"):
        with pytest.raises(NotFound):
            accept_invitation(store, other, GOOD)


def test_every_failure_is_told_alike(store: Store) -> None:
    account(store)
    account(store, "disabled")
    set_disabled(store, "disabled", True)
    create_account(store, "invited", role="publisher")
    told = set()
    for name, password in (
        ("maria", "wrong"), ("nobody", GOOD), ("disabled", GOOD), ("invited", ""), ("", ""), ("'; DROP", GOOD),
        ("maria", GOOD + "x" * 100_000), ("maria", "\ud800"),
    ):  # fmt: skip
        with pytest.raises(NotAuthenticated) as caught:
            Doorkeeper(store).admit(name, password, "a")
        told.add((caught.value.detail, caught.value.hint))
    assert told == {(WRONG, "Try again.")}


class Counting:
    """A store that writes down what is asked of it, and hands everything on."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        return getattr(self.store, name)


def test_a_failure_is_the_same_work_whether_there_is_an_account_or_not(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an answer waits for: one look into the store, one hash of the same cost, and nothing written."""
    account(store)
    account(store, "disabled")
    set_disabled(store, "disabled", True)
    create_account(store, "invited", role="publisher")
    hashes: list[str] = []

    class Hasher:
        def verify(self, kept: str, password: bytes) -> bool:
            hashes.append(str(extract_parameters(kept)))
            return real.verify(kept, password)

    real = passwords._HASHER
    monkeypatch.setattr(passwords, "_HASHER", Hasher())
    counting = Counting(store)
    aside: list[Callable[[], None]] = []
    keeper = Doorkeeper(cast(Store, counting), aside=aside.append, clock=lambda: 0.0)
    work = set()
    for attempt in range(3):  # the log tells of unknown names at the first of them, and then seldom
        for name, password in (
            ("maria", "wrong"), ("nobody", "wrong"), ("nobody-else", GOOD), ("disabled", GOOD), ("invited", GOOD),
        ):  # fmt: skip
            for one in (counting.asked, hashes, aside):
                one.clear()
            with pytest.raises(NotAuthenticated):
                keeper.admit(name, password, f"10.0.0.{attempt}")
            work.add((tuple(counting.asked), tuple(hashes), len(aside)))
    assert work == {(("document",), (str(extract_parameters(passwords._NOBODYS)),), 1)}


def test_what_is_written_aside_is_written(store: Store) -> None:
    account(store)
    aside: list[Callable[[], None]] = []
    keeper = Doorkeeper(store, aside=aside.append)
    for name in ("maria", "nobody", "maria"):
        with pytest.raises(NotAuthenticated):
            keeper.admit(name, "wrong", "a")
    assert not [one for one in store.log() if one.act == "refuse sign-in"]
    for work in aside:
        work()
    told = [one.object for one in store.log() if one.act == "refuse sign-in"]
    assert told == ["account maria", "unknown accounts", "account maria"]


def test_a_log_that_is_not_written_is_told(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Counting):
        def record(self, record: object) -> None:
            raise StorageFault("The disk is full.")

    with pytest.raises(NotAuthenticated):
        Doorkeeper(cast(Store, Broken(store))).admit("nobody", "wrong", "a")
    assert "refuse sign-in of unknown accounts is not in the log" in caplog.text


def test_disabling_and_removing(store: Store) -> None:
    account(store)
    set_disabled(store, "maria", True)
    assert [one["state"] for one in accounts(store)] == ["disabled"]
    with pytest.raises(NotFound):
        accept_invitation(store, invite(store, "maria"), GOOD)
    set_disabled(store, "maria", False)
    assert Doorkeeper(store).admit("maria", GOOD, "a").name == "Maria"
    remove_account(store, "maria")
    assert accounts(store) == []
    for act in (remove_account, invite, lambda store, name: set_password(store, name, GOOD)):
        with pytest.raises(NotFound):
            act(store, "maria")


class Meanwhile(Counting):
    """A store in which something happens after an account was read for the first time."""

    def __init__(self, store: Store, happens: Callable[[], object]) -> None:
        super().__init__(store)
        self.happens: Callable[[], object] | None = happens

    def document(self, kind: str, id: str) -> Any:
        found = self.store.document(kind, id)
        if (happens := self.happens) is not None:
            self.happens = None
            happens()
        return found


def test_nobody_undoes_what_another_does_just_then(store: Store) -> None:
    """A change is made of what was read before it; what changed in between is not written over."""
    account(store)

    def clash(meanwhile: Callable[[], object], act: Callable[[Store], object]) -> None:
        with pytest.raises(Conflict):
            act(cast(Store, Meanwhile(store, meanwhile)))

    clash(lambda: set_disabled(store, "maria", True), lambda late: invite(late, "maria"))
    assert [one["state"] for one in accounts(store)] == ["disabled"]
    set_disabled(store, "maria", False)
    invitation = invite(store, "maria")
    clash(lambda: invite(store, "maria"), lambda late: accept_invitation(late, invitation, GOOD + "!"))
    invitation = invite(store, "maria")
    clash(
        lambda: accept_invitation(store, invitation, GOOD + "?"),
        lambda late: accept_invitation(late, invitation, GOOD + "!"),
    )
    assert Doorkeeper(store).admit("maria", GOOD + "?", "a").name == "Maria"
    clash(lambda: remove_account(store, "maria"), lambda late: invite(late, "maria"))
    assert accounts(store) == []
    clash(
        lambda: create_account(store, "ines", role="reader"),
        lambda late: create_account(late, "ines", role="administrator"),
    )
    assert [one["role"] for one in accounts(store)] == ["reader"]


def test_names_and_roles(store: Store) -> None:
    account(store)
    with pytest.raises(Conflict):
        create_account(store, "maria", role="publisher")
    for name in ("", "Maria", "a b", "x" * 41, "-a", "a-", "é"):
        with pytest.raises(SemanticFault, match="no name"):
            create_account(store, name, role="publisher")
    for role, provider in (("provider", None), ("reader", PROVIDER)):
        with pytest.raises(SemanticFault, match="role provider"):
            create_account(store, "other", role=role, provider=provider)  # type: ignore[arg-type]


class TestThrottling:
    def test_one_account_from_one_address(self, store: Store) -> None:
        account(store)
        now = [0.0]
        keeper = Doorkeeper(store, clock=lambda: now[0])
        for _ in range(5):
            with pytest.raises(NotAuthenticated):
                keeper.admit("maria", "wrong", "10.0.0.1")
        with pytest.raises(TooManyAttempts):
            keeper.admit("maria", GOOD, "10.0.0.1")  # held back before the password is looked at
        assert keeper.admit("maria", GOOD, "10.0.0.2").name == "Maria"
        now[0] = 901
        assert keeper.admit("maria", GOOD, "10.0.0.1").name == "Maria"

    def test_a_network_of_many_addresses_is_one(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(passwords, "is_right", lambda password, kept: False)
        keeper = Doorkeeper(store, clock=lambda: 0.0)
        for number in range(5):
            with pytest.raises(NotAuthenticated):
                keeper.admit("maria", "x", f"2001:db8::{number}")
        with pytest.raises(TooManyAttempts):
            keeper.admit("maria", "x", "2001:db8::ffff:1")

    def test_many_names_from_one_address(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(passwords, "is_right", lambda password, kept: False)
        keeper = Doorkeeper(store, clock=lambda: 0.0)
        for number in range(30):
            with pytest.raises(NotAuthenticated):
                keeper.admit(f"name{number}", "x", "10.0.0.1")
        with pytest.raises(TooManyAttempts):
            keeper.admit("another", "x", "10.0.0.1")

    def test_unknown_names_are_told_in_sum(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(passwords, "is_right", lambda password, kept: False)
        account(store)
        now = [0.0]
        keeper = Doorkeeper(store, clock=lambda: now[0])
        for number in range(120):
            with pytest.raises(NotAuthenticated):
                keeper.admit(f"my password {number}", "x", f"10.0.{number}.1")
        with pytest.raises(NotAuthenticated):
            keeper.admit("maria", "x", "10.0.0.1")
        entries = [one for one in store.log() if one.act == "refuse sign-in"]
        assert [(one.object, json.loads(one.details)) for one in entries] == [
            ("unknown accounts", {"count": 1, "addresses": 1}),
            ("unknown accounts", {"count": 10, "addresses": 10}),
            ("unknown accounts", {"count": 100, "addresses": 100}),
            ("account maria", {}),
        ]
        assert "my password" not in str(entries)
        now[0] = 3600
        with pytest.raises(NotAuthenticated):
            keeper.admit("nobody", "x", "10.0.0.1")
        assert json.loads(list(store.log())[-1].details) == {"count": 1, "addresses": 1, "before": 120}

    def test_what_anybody_can_send_to_the_end_of_a_sign_in_is_told_in_sum(self, store: Store) -> None:
        keeper = Doorkeeper(store, clock=lambda: 0.0)
        for number in range(12):
            keeper.refused_elsewhere(NotAuthenticated("no sign-in of this browser"), f"10.0.0.{number}")
        for _ in range(3):
            keeper.refused_elsewhere(NotAllowed("no role here"), "10.0.0.1")
        told = [json.loads(one.details) for one in store.log()]
        assert [(one["why"], one.get("count")) for one in told] == [
            ("no sign-in of this browser", 1), ("no sign-in of this browser", 10), ("no role here", 1),
        ]  # fmt: skip

    def test_one_name_from_everywhere(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(passwords, "is_right", lambda password, kept: False)
        keeper = Doorkeeper(store, clock=lambda: 0.0)
        for number in range(100):
            with pytest.raises(NotAuthenticated):
                keeper.admit("maria", "x", f"10.0.1.{number}")
        with pytest.raises(TooManyAttempts):
            keeper.admit("maria", "x", "10.0.2.1")


@pytest.mark.parametrize(
    "password",
    ["", "short", "elevenchars", "aaaaaaaaaaaaaaaa", "abababababab", "Password1234", "passwordpassword", "123456789012",
     "qwertyuiop12", "maria.maria.1", "Mariamariamaria", "x" * 257, "abcdefghijklmno", "987654321000"],
)  # fmt: skip
def test_trivial_passwords_are_refused(password: str) -> None:
    with pytest.raises(SemanticFault) as caught:
        passwords.hashed(password, "maria")
    assert caught.value.hint
    assert password == "" or password not in str(caught.value)


@pytest.mark.parametrize(
    "password", [GOOD, "correct horse battery", "Üöä ß 12 Straßen!", "ひらがなとカタカナの言葉です"]
)
def test_good_passwords(password: str) -> None:
    kept = passwords.hashed(password, "maria")
    assert kept.startswith("$argon2id$")
    assert passwords.is_right(password, kept)
    assert not passwords.is_right(password + "x", kept)


def test_one_spelling_of_a_letter() -> None:
    assert passwords.is_right("he\u0301ron au bord", passwords.hashed("h\u00e9ron au bord"))


def test_a_damaged_hash_lets_nobody_in() -> None:
    for kept in ("", "$argon2id$v=19$broken", "plain"):
        assert not passwords.is_right(GOOD, kept)
    assert not passwords.is_right(GOOD, None)
    assert issubclass(NotAuthenticated, SdmxError)
