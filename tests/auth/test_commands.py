"""The commands ``token`` and ``account``: on the store itself, and over HTTP while a service holds it."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from sdmx_service.app import stores
from sdmx_service.app.application import _holding
from sdmx_service.app.stores import open_store
from sdmx_service.auth import authenticate, create_token, tokens
from sdmx_service.auth.accounts import Doorkeeper, accept_invitation
from sdmx_service.catalog.library import Library
from sdmx_service.cli import main
from sdmx_service.cli.access import account_line, token_line
from sdmx_service.errors import NotAuthenticated, StorageFault
from sdmx_service.settings import Settings
from tests.clients.serving import served
from tests.harness import ROOT

CONTENT = ROOT / "tests" / "second_domain" / "content"
GOOD = "herring at the quay"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    assert main(["init", "--data", str(tmp_path / "data"), "--content", str(CONTENT)]) == 0
    return tmp_path / "data"


def run(data: Path, *words: str) -> int:
    return main([words[0], "--data", str(data), *words[1:]])


def test_tokens(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    wish = ("--provider", "HARBOUR", "--name", "nightly", "--days", "2", "--dataflow", "DF_CATCH")
    assert run(data, "token", "create", *wish) == 0
    said = capsys.readouterr()
    token = said.out.strip()
    assert "provider SEA.HARBOUR; it is shown only now." in said.err
    with_store = open_store(Settings(data=data))
    found = authenticate(with_store, f"Bearer {token}")
    with_store.close()
    assert (found.provider, found.name, found.dataflows) == ("SEA.HARBOUR", "nightly", {"SEA:DF_CATCH"})
    assert run(data, "token", "list") == 0
    listed = capsys.readouterr().out
    assert all(word in listed for word in (found.id, "SEA.HARBOUR", "SEA:DF_CATCH", "ends ", "nightly"))
    assert token.partition(".")[2] not in listed
    assert run(data, "token", "rotate", found.id) == 0
    new = capsys.readouterr().out.strip()
    with_store = open_store(Settings(data=data))
    assert authenticate(with_store, f"Bearer {new}") == found
    with pytest.raises(NotAuthenticated):
        authenticate(with_store, f"Bearer {token}")
    with_store.close()
    assert run(data, "token", "revoke", found.id) == 0
    assert run(data, "token", "list") == 0
    assert capsys.readouterr().out == f"{found.id} revoked\n"


@pytest.mark.parametrize(
    "words",
    [
        ("token", "create"),
        ("token", "create", "--provider", "HARBOUR", "--role", "reader"),
        ("token", "create", "--provider", "NOBODY"),
        ("token", "create", "--role", "reader", "--days", "-1"),
        ("token", "create", "--role", "reader", "--dataflow", "DF_NONE"),
        ("token", "rotate"),
        ("token", "revoke", "00000000"),
        ("account", "create"),
        ("account", "create", "maria"),
        ("account", "create", "Maria", "--role", "reader"),
        ("account", "disable", "nobody"),
    ],
)
def test_what_makes_no_sense_is_said(data: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    assert run(data, *words) == 2
    assert capsys.readouterr().err.startswith("sdmx-service: ")


def test_accounts(data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    capsys.readouterr()
    who = ("--provider", "HARBOUR", "--display", "Maria", "--address", "https://data.example/")
    assert run(data, "account", "create", "maria", *who) == 0
    link = capsys.readouterr().out.strip()
    assert link.startswith("https://data.example/account/invitation/maria.")
    store = open_store(Settings(data=data))
    accept_invitation(store, link.rpartition("/")[2], GOOD)
    store.close()
    monkeypatch.setattr(sys, "stdin", io.StringIO("another herring there\nmore\n"))
    assert run(data, "account", "password", "maria") == 0
    store = open_store(Settings(data=data))
    assert Doorkeeper(store).admit("maria", "another herring there", "a").provider == "SEA.HARBOUR"
    store.close()
    for step in ("disable", "enable", "sign-out", "invite", "forget-factor"):
        assert run(data, "account", step, "maria") == 0
    capsys.readouterr()
    assert run(data, "account", "list") == 0
    listed = capsys.readouterr().out
    assert listed.startswith("maria  active  provider  SEA.HARBOUR  ")
    assert "$argon2" not in listed
    assert run(data, "account", "remove", "maria") == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    assert run(data, "account", "password", "maria") == 2


def test_no_command_takes_a_password_as_an_argument(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["account", "--help"])
    assert "--password" not in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["account", "password", "maria", "--password", GOOD])


def test_lines_of_lists() -> None:
    old = {"id": "12ab34cd", "role": "reader", "provider": None, "created_at": "2026-01-01"}
    assert token_line(old) == "12ab34cd  reader  -  2026-01-01  system"
    account = {
        "name": "a",
        "state": "invited",
        "role": "reader",
        "provider": None,
        "created_at": "2026",
        "display": "A",
    }
    assert account_line(account) == "a  invited  reader  -  2026  A"


def test_over_http_the_same_is_done(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a service holds the store, the commands go to it."""
    store = open_store(Settings(data=data))
    token, _ = create_token(store, role="administrator")
    with served(Library(store)) as address:
        (data / "service.json").write_text(json.dumps({"url": address, "token": token}))

        def locked(settings: Settings, **more: bool) -> None:
            raise StorageFault("Somebody else holds it.")

        monkeypatch.setattr(stores, "open_store", locked)
        capsys.readouterr()
        assert run(data, "token", "create", "--provider", "HARBOUR", "--name", "nightly", "--dataflow", "DF_CATCH") == 0
        made = authenticate(store, f"Bearer {capsys.readouterr().out.strip()}")
        assert (made.provider, made.name, made.dataflows) == ("SEA.HARBOUR", "nightly", {"SEA:DF_CATCH"})
        assert run(data, "token", "rotate", made.id) == 0
        assert authenticate(store, f"Bearer {capsys.readouterr().out.strip()}") == made
        assert run(data, "token", "revoke", made.id) == 0
        assert run(data, "token", "list") == 0
        assert made.id + "  " not in capsys.readouterr().out
        assert run(data, "account", "create", "maria", "--role", "reader") == 0
        accept_invitation(store, capsys.readouterr().out.strip().rpartition("/")[2], GOOD)
        monkeypatch.setattr(sys, "stdin", io.StringIO("another herring there\n"))
        for step in ("password", "invite", "disable", "enable", "sign-out", "forget-factor"):
            assert run(data, "account", step, "maria") == 0
        assert Doorkeeper(store).admit("maria", "another herring there", "a").name == "maria"
        assert run(data, "account", "list") == 0
        assert "maria  active  reader" in capsys.readouterr().out
        assert run(data, "account", "remove", "nobody") == 2
    store.close()


@pytest.mark.parametrize("left", [None, "", "{}", "[]", '{"token": "00000000.x"}', "killed"])
def test_a_service_that_was_killed_leaves_no_token_behind(data: Path, left: str | None) -> None:
    """The next one on the folder ends it; whatever else may lie there does not keep it from starting."""
    settings, note = Settings(data=data), data / "service.json"
    store = open_store(settings)
    if left == "killed":
        token, _ = create_token(store, role="administrator")
        left = json.dumps({"url": "http://127.0.0.1:1", "token": token})
    if left is not None:
        note.write_text(left)
    with _holding(settings, store):
        (only,) = tokens(store)
        kept = json.loads(note.read_text())["token"]
        assert authenticate(store, f"Bearer {kept}").id == only["id"]
        assert note.stat().st_mode & 0o777 == 0o600
    assert tokens(store) == []
    assert not note.exists()
    store.close()
