"""Tokens on both stores: what is kept of them, when they end, what they are good for."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from sdmx_service.auth import Gate, authenticate, create_token, revoke_token, rotate_token, tokens
from sdmx_service.auth.principal import Principal
from sdmx_service.auth.throttle import Throttle
from sdmx_service.errors import NotAuthenticated, NotFound, SemanticFault, TooManyAttempts
from sdmx_service.model.urn import Ref
from sdmx_service.storage.port import Store

PROVIDER = Ref(type="DataProvider", agency="SEA", id="DATA_PROVIDERS", version="1.0", item="HARBOUR")
FLOW = Ref(type="Dataflow", agency="SEA", id="DF_CATCH", version="1.0.0")


def shown(token: str) -> str:
    return f"Bearer {token}"


def test_a_token_is_recognised_and_only_its_hash_is_kept(store: Store) -> None:
    token, made = create_token(
        store,
        role="provider",
        provider=PROVIDER,
        name=" harbour's machine ",
        kind="system",
        dataflows=(FLOW,),
        by=Principal(id="anna", role="administrator"),
    )
    found = authenticate(store, shown(token))
    assert found == made
    assert (found.role, found.provider, found.name) == ("provider", "SEA.HARBOUR", "harbour's machine")
    assert found.dataflows == {"SEA:DF_CATCH"}
    secret = token.partition(".")[2]
    assert secret not in json.dumps(list(store.documents("principal")))
    (listed,) = tokens(store)
    assert "hash" not in listed
    assert (listed["id"], listed["created_by"], listed["used_on"]) == (found.id, "anna", None)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic x.y", "Bearer nodot", "Bearer 1234.5678", "Bearer .x",
                                    "Bearer \udcff.\udcff"])  # fmt: skip
def test_what_is_no_token(store: Store, header: str | None) -> None:
    create_token(store, role="publisher")
    with pytest.raises(NotAuthenticated):
        authenticate(store, header)


def test_another_tokens_secret_is_no_good(store: Store) -> None:
    (one, _), (two, _) = create_token(store, role="publisher"), create_token(store, role="administrator")
    with pytest.raises(NotAuthenticated):
        authenticate(store, shown(f"{two.partition('.')[0]}.{one.partition('.')[2]}"))


def test_a_token_ends(store: Store) -> None:
    soon = datetime.now(UTC) + timedelta(days=1)
    token, made = create_token(store, role="publisher", expires_at=soon)
    assert authenticate(store, shown(token)).id == made.id
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    store.save_document("principal", made.id, {**dict(store.document("principal", made.id) or {}), "expires_at": past})
    with pytest.raises(NotAuthenticated, match="has ended"):
        authenticate(store, shown(token))
    with pytest.raises(SemanticFault, match="is past"):
        create_token(store, role="publisher", expires_at=datetime.now(UTC) - timedelta(days=1))


def test_rotating_ends_the_old_secret_and_keeps_the_rights(store: Store) -> None:
    old, made = create_token(store, role="provider", provider=PROVIDER, dataflows=(FLOW,))
    new = rotate_token(store, made.id)
    assert authenticate(store, shown(new)) == made
    with pytest.raises(NotAuthenticated):
        authenticate(store, shown(old))
    with pytest.raises(NotFound):
        rotate_token(store, "none")


def test_revoking(store: Store) -> None:
    token, made = create_token(store, role="publisher")
    Gate(store).admit(shown(token), "a")
    revoke_token(store, made.id)
    with pytest.raises(NotAuthenticated):
        authenticate(store, shown(token))
    assert tokens(store) == []
    assert store.documents("principal_use") == []
    with pytest.raises(NotFound):
        revoke_token(store, made.id)


def test_use_is_noted_by_the_day_and_never_revives_a_token(store: Store) -> None:
    token, made = create_token(store, role="publisher")
    gate = Gate(store)
    gate.admit(shown(token), "a")
    today = datetime.now(UTC).date().isoformat()
    assert [one["used_on"] for one in tokens(store)] == [today]
    store.save_document("principal_use", made.id, {"day": "2001-01-01"})
    gate.admit(shown(token), "a")  # the same day: not written again
    assert [one["used_on"] for one in tokens(store)] == ["2001-01-01"]
    revoke_token(store, made.id)
    store.save_document("principal_use", made.id, {"day": today})  # another process notes its use just then
    with pytest.raises(NotAuthenticated):
        authenticate(store, shown(token))
    assert tokens(store) == []


def test_a_provider_is_named_for_that_role_and_for_no_other(store: Store) -> None:
    for role, provider in (("provider", None), ("publisher", PROVIDER)):
        with pytest.raises(SemanticFault, match="role provider"):
            create_token(store, role=role, provider=provider)  # type: ignore[arg-type]
    assert tokens(store) == []


def test_a_token_of_an_earlier_version_still_counts(store: Store) -> None:
    token, made = create_token(store, role="publisher")
    kept = store.document("principal", made.id) or {}
    store.save_document("principal", made.id, {name: kept[name] for name in ("role", "provider", "hash", "created_at")})
    assert authenticate(store, shown(token)) == made
    assert tokens(store)[0]["role"] == "publisher"


def test_who_fails_too_often_waits_and_a_right_token_passes(store: Store) -> None:
    now = [0.0]
    gate = Gate(store, Throttle(3, 60, clock=lambda: now[0]))
    right, _ = create_token(store, role="publisher")
    for _ in range(3):
        with pytest.raises(NotAuthenticated):
            gate.admit("Bearer 0.wrong", "10.0.0.1")
    with pytest.raises(TooManyAttempts) as caught:
        gate.admit("Bearer 0.wrong", "10.0.0.1")
    assert caught.value.seconds == 60
    assert gate.admit(shown(right), "10.0.0.1").role == "publisher"
    with pytest.raises(NotAuthenticated):
        gate.admit("Bearer 0.wrong", "10.0.0.2")
    now[0] = 61
    with pytest.raises(NotAuthenticated):
        gate.admit("Bearer 0.wrong", "10.0.0.1")


def told_of_tokens(store: Store) -> list[tuple[str, dict[str, object]]]:
    return [(one.object, json.loads(one.details)) for one in store.log() if one.act == "refuse token"]


def test_the_log_tells_which_tokens_are_no_good_any_more(store: Store) -> None:
    gate = Gate(store, clock=lambda: 0.0)
    rotated, first = create_token(store, role="publisher", name="nightly")
    rotate_token(store, first.id)
    revoked, second = create_token(store, role="publisher")
    revoke_token(store, second.id)
    ended, third = create_token(store, role="publisher", expires_at=datetime.now(UTC) + timedelta(days=1))
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    store.save_document(
        "principal", third.id, {**dict(store.document("principal", third.id) or {}), "expires_at": past}
    )
    fourth = create_token(store, role="publisher")[1]
    fifth = create_token(store, role="publisher")[1]
    revoke_token(store, fifth.id)
    for token in (rotated, revoked, ended, f"{fourth.id}.guessed", f"{fifth.id}.guessed", "nonsense"):
        with pytest.raises(NotAuthenticated):
            gate.admit(shown(token), "10.0.0.1")
    assert told_of_tokens(store) == [
        (f"token {first.id}", {"why": "rotated", "count": 1, "addresses": 1}),
        (f"token {second.id}", {"why": "revoked", "count": 1, "addresses": 1}),
        (f"token {third.id}", {"why": "ended", "count": 1, "addresses": 1}),
        (f"token {fourth.id}", {"why": "another secret", "count": 1, "addresses": 1}),
        ("unknown tokens", {"count": 1, "addresses": 1}),  # an id alone does not make it a token that was
    ]
    written = str(list(store.log()))
    assert not [one for one in (rotated, revoked, ended) if one.partition(".")[2] in written]
    assert not [one for one in tokens(store) if {"hash", "former_hash"} & set(one)]


def test_refused_tokens_are_told_in_sum(store: Store) -> None:
    """However often somebody comes with what is no token, also when he is held back already."""
    now = [0.0]
    gate = Gate(store, Throttle(3, 60, clock=lambda: now[0]), clock=lambda: now[0])
    token, made = create_token(store, role="publisher")
    revoke_token(store, made.id)
    for number in range(1000):
        with pytest.raises((NotAuthenticated, TooManyAttempts)):
            gate.admit(f"Bearer {number:08x}.made-up", f"10.0.0.{number % 5}")
    for _ in range(20):
        with pytest.raises((NotAuthenticated, TooManyAttempts)):
            gate.admit(shown(token), "10.0.1.1")
    assert told_of_tokens(store) == [
        *(("unknown tokens", {"count": 10**power, "addresses": min(5, 10**power)}) for power in range(4)),
        (f"token {made.id}", {"why": "revoked", "count": 1, "addresses": 1}),
        (f"token {made.id}", {"why": "revoked", "count": 10, "addresses": 1}),
    ]
    now[0] = 3600
    with pytest.raises(NotAuthenticated):
        gate.admit(shown(token), "10.0.1.1")
    last = (f"token {made.id}", {"why": "revoked", "count": 1, "addresses": 1, "before": 20})
    assert told_of_tokens(store)[-1] == last


def test_what_the_log_tells_is_written_aside(store: Store) -> None:
    aside: list[Callable[[], None]] = []
    gate = Gate(store, aside=aside.append)
    with pytest.raises(NotAuthenticated):
        gate.admit("Bearer nonsense.x", "a")
    assert told_of_tokens(store) == []
    aside[0]()
    assert told_of_tokens(store) == [("unknown tokens", {"count": 1, "addresses": 1})]


def test_signed_tokens_of_a_provider_are_told_apart(store: Store) -> None:
    gate = Gate(store)
    gate.refused("a", "eyJ.x.y", NotAuthenticated("the signature is not right"))
    assert told_of_tokens(store) == [("signed tokens", {"count": 1, "addresses": 1})]
