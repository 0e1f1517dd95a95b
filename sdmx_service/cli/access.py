"""The commands that give and take rights: ``token`` and ``account``. A secret is printed once, a password never."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from sdmx_service.cli.held import Held
from sdmx_service.cli.lines import line
from sdmx_service.cli.opening import Arguments, with_library
from sdmx_service.errors import SyntaxFault
from sdmx_service.roles import ROLES


def token_arguments(command: argparse.ArgumentParser) -> None:
    """The arguments of ``token``."""
    command.add_argument("action", choices=tuple(_TOKENS))
    command.add_argument("id", nargs="?", metavar="ID", help="the token to rotate or revoke")
    _who(command)
    command.add_argument("--name", metavar="TEXT", help="what it is for")
    command.add_argument("--kind", choices=("person", "system"), default="system", help="who will use it (system)")
    command.add_argument("--days", type=float, metavar="N", help="it ends by itself after so many days")
    command.add_argument(
        "--dataflow", action="append", metavar="REF", help="limit it to this dataflow; may be repeated"
    )


def account_arguments(command: argparse.ArgumentParser) -> None:
    """The arguments of ``account``."""
    command.add_argument("action", choices=("create", "list", *_STEPS))
    command.add_argument("name", nargs="?", metavar="NAME", help="the account")
    _who(command)
    command.add_argument("--display", metavar="TEXT", help="how the person is called")
    command.add_argument("--address", default="", metavar="URL", help="of the service, to print whole invitation links")


def _who(command: argparse.ArgumentParser) -> None:
    command.add_argument("--provider", metavar="REF", help="bind it to a provider")
    command.add_argument("--role", choices=ROLES[1:], help="give it a role")


# --- tokens ---------------------------------------------------------------------------------------------------------
def token_line(token: Mapping[str, Any]) -> str:
    """A token in the list of tokens."""
    head = f"{token['id']}  {token['role']}  {token['provider'] or '-'}  {token['created_at']}"
    flows, ends, used = token.get("dataflows"), token.get("expires_at"), token.get("used_on")
    more = [*([",".join(flows)] if flows else []), *([f"ends {ends}"] if ends else [])]
    more += [f"used {used}"] if used else []
    return line("  ".join([head, token.get("kind", "system"), *more, *([token["name"]] if token.get("name") else [])]))


def token(arguments: Arguments) -> int:
    """Create, list, rotate or revoke tokens."""
    if arguments.action in ("rotate", "revoke") and arguments.id is None:
        raise SyntaxFault(f"Say which token: token {arguments.action} ID.")
    on_store, over_http = _TOKENS[arguments.action]
    return with_library(
        arguments, lambda library: on_store(library, arguments), lambda held: over_http(held, arguments)
    )


def _wish(arguments: Arguments) -> dict[str, Any]:
    ends = None if arguments.days is None else datetime.now(UTC) + timedelta(days=arguments.days)
    return {
        "provider": arguments.provider, "role": arguments.role, "kind": arguments.kind, "name": arguments.name,
        "expires_at": None if ends is None else ends.isoformat(), "dataflows": arguments.dataflow,
    }  # fmt: skip


def _create_token(library: Any, arguments: Arguments) -> int:
    from sdmx_service.auth.tokens import grant_token
    from sdmx_service.rest.tokens import grant_of

    made, principal = grant_token(library.store, grant_of(_wish(arguments), library.view().catalog))
    return _print_token(made, f"provider {principal.provider}" if principal.provider else f"role {principal.role}")


def _print_token(made: str, bound: str) -> int:
    print(made)
    print(f"{bound}; it is shown only now.", file=sys.stderr)
    return 0


def _create_token_over_http(held: Held, arguments: Arguments) -> int:
    made = held.service.post("/api/tokens", json.dumps(_wish(arguments)).encode())["token"]
    return _print_token(made, f"provider {arguments.provider}" if arguments.provider else f"role {arguments.role}")


def _list_tokens(library: Any, arguments: Arguments) -> int:
    from sdmx_service.auth.tokens import tokens

    return _print_lines(map(token_line, tokens(library.store)))


def _print_lines(found: Iterable[str]) -> int:
    for one in found:
        print(one)
    return 0


def _list_tokens_over_http(held: Held, arguments: Arguments) -> int:
    return _print_lines(map(token_line, held.service.get("/api/tokens")["tokens"]))


def _rotate_token(library: Any, arguments: Arguments) -> int:
    from sdmx_service.auth.tokens import rotate_token

    return _print_token(rotate_token(library.store, arguments.id), f"token {arguments.id}")


def _rotate_token_over_http(held: Held, arguments: Arguments) -> int:
    made = held.service.post(f"/api/tokens/{quote(arguments.id, safe='')}/rotate")["token"]
    return _print_token(made, f"token {arguments.id}")


def _revoke_token(library: Any, arguments: Arguments) -> int:
    from sdmx_service.auth.tokens import revoke_token

    revoke_token(library.store, arguments.id)
    return _print_lines([f"{arguments.id} revoked"])


def _revoke_token_over_http(held: Held, arguments: Arguments) -> int:
    held.service.post(f"/api/tokens/{quote(arguments.id, safe='')}/revoke")
    return _print_lines([f"{arguments.id} revoked"])


_OnStore = Callable[[Any, Arguments], int]
_OverHttp = Callable[[Held, Arguments], int]
_TOKENS: dict[str, tuple[_OnStore, _OverHttp]] = {
    "create": (_create_token, _create_token_over_http),
    "list": (_list_tokens, _list_tokens_over_http),
    "rotate": (_rotate_token, _rotate_token_over_http),
    "revoke": (_revoke_token, _revoke_token_over_http),
}


# --- accounts -------------------------------------------------------------------------------------------------------
_STEPS = ("invite", "password", "disable", "enable", "sign-out", "forget-factor", "remove")


def account_line(account: Mapping[str, Any]) -> str:
    """An account in the list of accounts."""
    head = f"{account['name']}  {account['state']}  {account['role']}  {account['provider'] or '-'}"
    return line(f"{head}  {account['created_at']}  {account['display']}")


def account(arguments: Arguments) -> int:
    """Create, list or change accounts."""
    if arguments.action != "list" and arguments.name is None:
        raise SyntaxFault(f"Say which account: account {arguments.action} NAME.")
    password = _password() if arguments.action == "password" else None
    return with_library(
        arguments,
        lambda library: _account_on_store(library, arguments, password),
        lambda held: _account_over_http(held, arguments, password),
    )


def _password() -> str:
    """Asked for on the terminal, or the first line of what is piped in."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("New password: ")
    if getpass.getpass("The same once more: ") != password:
        raise SyntaxFault("The password was not typed twice alike.")
    return password


def _account_on_store(library: Any, arguments: Arguments, password: str | None) -> int:
    from sdmx_service.auth import accounts
    from sdmx_service.auth.sessions import sign_out
    from sdmx_service.rest.tokens import provider_or_role

    store, name = library.store, arguments.name
    if arguments.action == "list":
        return _print_lines(map(account_line, accounts.accounts(store)))
    if arguments.action == "create":
        said = {key: value for key in ("provider", "role") if (value := getattr(arguments, key)) is not None}
        provider, role = provider_or_role(said, library.view().catalog)
        display = arguments.display or ""
        return _print_invitation(
            accounts.create_account(store, name, role=role, provider=provider, display=display), arguments
        )
    if arguments.action == "invite":
        return _print_invitation(accounts.invite(store, name), arguments)
    steps: Mapping[str, Callable[[], object]] = {
        "password": lambda: accounts.set_password(store, name, password or ""),
        "disable": lambda: accounts.set_disabled(store, name, True),
        "enable": lambda: accounts.set_disabled(store, name, False),
        "forget-factor": lambda: accounts.forget_second_factor(store, name),
        "sign-out": lambda: sign_out(store, name),
        "remove": lambda: accounts.remove_account(store, name),
    }
    steps[arguments.action]()
    return _print_lines([f"{name}: {arguments.action} done"])


def _print_invitation(invitation: str, arguments: Arguments) -> int:
    from sdmx_service.auth.accounts import INVITED_DAYS

    print(f"{arguments.address.rstrip('/')}/account/invitation/{invitation}")
    print(f"An address at the service; good once, for {INVITED_DAYS} days; it is shown only now.", file=sys.stderr)
    return 0


def _account_over_http(held: Held, arguments: Arguments, password: str | None) -> int:
    name = quote(arguments.name or "", safe="")
    if arguments.action == "list":
        return _print_lines(map(account_line, held.service.get("/api/accounts")["accounts"]))
    if arguments.action == "create":
        wish = {key: getattr(arguments, key) for key in ("name", "provider", "role", "display")}
        found = held.service.post("/api/accounts", json.dumps(wish).encode())
    else:
        body = b"" if password is None else json.dumps({"password": password}).encode()
        found = held.service.post(f"/api/accounts/{name}/{arguments.action}", body)
    if "invitation" in found:
        return _print_invitation(found["invitation"].rpartition("/")[2], arguments)
    return _print_lines([f"{arguments.name}: {arguments.action} done"])
