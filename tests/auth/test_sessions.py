"""Sessions on both stores: who they are of, when they are over, and what is kept of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from sdmx_service.auth.accounts import accept_invitation, create_account, set_disabled, set_password
from sdmx_service.auth.principal import Principal
from sdmx_service.auth.sessions import (
    Lifetimes,
    end_session,
    end_sessions,
    find_session,
    form_token,
    is_form_token,
    new_secret,
    open_session,
    sign_out,
)
from sdmx_service.auth.tokens import digest
from sdmx_service.errors import NotFound
from sdmx_service.storage.port import Store

LIVES = Lifetimes(idle=timedelta(minutes=30), whole=timedelta(hours=8))
ANNA = Principal(id="0123@openid", role="reviewer", kind="person", name="Anna")


def maria(store: Store) -> Principal:
    return accept_invitation(store, create_account(store, "maria", role="publisher"), "herring at the quay")


def later(store: Store, secret: str, **ago: float) -> None:
    """Let time pass: the session began, and was last used, so much earlier."""
    id, delta = digest(secret), timedelta(**ago)
    for kind, names in (("session", ("opened_at", "ends_at")), ("session_seen", ("at",))):
        if (document := store.document(kind, id)) is not None:
            moved = {name: (datetime.fromisoformat(document[name]) - delta).isoformat() for name in names}
            store.save_document(kind, id, {**document, **moved})


def test_only_the_hash_of_its_id_is_kept(store: Store) -> None:
    secret = open_session(store, ANNA, LIVES)
    assert find_session(store, secret, LIVES) == ANNA
    kept = json.dumps([list(store.documents(kind)) for kind in ("session", "session_seen")])
    assert secret not in kept
    assert digest(secret) in kept
    for other in ("", new_secret(), digest(secret), secret[:-1]):
        assert find_session(store, other, LIVES) is None


def test_each_session_has_a_new_id(store: Store) -> None:
    assert len({open_session(store, ANNA, LIVES) for _ in range(5)}) == 5


def test_it_is_over_when_nobody_was_there(store: Store) -> None:
    secret = open_session(store, ANNA, LIVES)
    for _ in range(3):
        later(store, secret, minutes=29)
        assert find_session(store, secret, LIVES) == ANNA
    later(store, secret, minutes=30)
    assert find_session(store, secret, LIVES) is None
    assert [list(store.documents(kind)) for kind in ("session", "session_seen")] == [[], []]


def test_it_is_over_after_its_time_however_busy(store: Store) -> None:
    secret = open_session(store, ANNA, LIVES)
    for _ in range(18):
        later(store, secret, minutes=25)
        assert find_session(store, secret, LIVES) == ANNA
    later(store, secret, minutes=29)
    later(store, secret, minutes=1.5)
    assert find_session(store, secret, LIVES) is None


def test_signing_out_here_and_everywhere(store: Store) -> None:
    one, two, other = (
        open_session(store, ANNA, LIVES),
        open_session(store, ANNA, LIVES),
        open_session(store, maria(store), LIVES),
    )
    end_session(store, one)
    end_session(store, "nothing")
    assert [find_session(store, secret, LIVES) is None for secret in (one, two)] == [True, False]
    assert end_sessions(store, ANNA.id) == 1
    assert find_session(store, two, LIVES) is None
    assert find_session(store, other, LIVES) is not None


def test_an_administrator_signs_out_whoever_it_is(store: Store) -> None:
    elsewhere = Principal(id="0123456789abcdef0123@openid", role="reader", kind="person", name="Ines")
    here, there = open_session(store, maria(store), LIVES), open_session(store, elsewhere, LIVES)
    assert sign_out(store, "maria", by=ANNA) == 1
    assert (find_session(store, here, LIVES), find_session(store, there, LIVES)) == (None, elsewhere)
    assert sign_out(store, elsewhere.id, by=ANNA) == 1
    assert find_session(store, there, LIVES) is None
    for nobody in ("nobody", "a\nb", "", "maria@local"):
        with pytest.raises(NotFound):
            sign_out(store, nobody, by=ANNA)
    told = [(one.principal, one.object) for one in store.log() if one.act == "end sessions"]
    assert told == [(ANNA.id, "sessions of maria@local"), (ANNA.id, f"sessions of {elsewhere.id}")]


@pytest.mark.parametrize(
    "change",
    [
        lambda store: set_password(store, "maria", "another herring there"),
        lambda store: set_disabled(store, "maria", True),
        lambda store: store.remove_document("account", "maria"),
    ],
)
def test_a_change_of_the_account_ends_its_sessions(store: Store, change: Callable[[Store], None]) -> None:
    secret = open_session(store, maria(store), LIVES)
    assert find_session(store, secret, LIVES) is not None
    change(store)
    assert find_session(store, secret, LIVES) is None


def test_rights_are_those_of_now(store: Store) -> None:
    secret = open_session(store, maria(store), LIVES)
    store.save_document("account", "maria", {**dict(store.document("account", "maria") or {}), "role": "reader"})
    found = find_session(store, secret, LIVES)
    assert found is not None
    assert found.role == "reader"


def test_noting_when_somebody_was_there_revives_nothing(store: Store) -> None:
    secret = open_session(store, ANNA, LIVES)
    end_session(store, secret)
    store.save_document(
        "session_seen", digest(secret), {"at": datetime.now(UTC).isoformat()}
    )  # another process, just then
    assert find_session(store, secret, LIVES) is None
    open_session(store, ANNA, LIVES)
    assert digest(secret) not in dict(store.documents("session_seen"))


def test_sessions_that_are_over_are_swept_out(store: Store) -> None:
    old = open_session(store, ANNA, LIVES)
    later(store, old, hours=9)
    new = open_session(store, ANNA, LIVES)
    assert [id for id, _ in store.documents("session")] == [digest(new)]


def test_it_is_there_for_the_next_process(reopen: Callable[[], Store]) -> None:
    secret = open_session(reopen(), ANNA, LIVES)
    assert find_session(reopen(), secret, LIVES) == ANNA


def test_the_token_of_a_form_is_of_one_browser() -> None:
    one, two = new_secret(), new_secret()
    assert is_form_token(one, form_token(one))
    assert not is_form_token(two, form_token(one))
    assert form_token(one) not in (one, digest(one))
    for shown in ("", "x", one, "\udcff"):
        assert not is_form_token(one, shown)
    assert not is_form_token("", form_token(""))
