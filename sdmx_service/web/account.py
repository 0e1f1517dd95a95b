"""Signing in and out, one's own account, and invitations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from sdmx_service.auth.accounts import LOCAL, accept_invitation, find_account, invited_account, set_password
from sdmx_service.auth.acts import ACTS
from sdmx_service.auth.passwords import SHORTEST
from sdmx_service.auth.second_factor import (
    address_of,
    has_second,
    remove_second,
    set_second,
    want_second,
    wanted_secret,
)
from sdmx_service.auth.sessions import end_session, end_sessions, open_session
from sdmx_service.auth.tokens import digest
from sdmx_service.errors import NotAuthenticated, NotFound, SdmxError, SemanticFault, TooManyAttempts
from sdmx_service.web.asking import Shown, status_of
from sdmx_service.web.desk import SIGN_IN, Case, at_desk
from sdmx_service.web.qr_code import qr_code


def routes() -> list[web.RouteDef]:
    """The routes of accounts."""
    return [
        web.get("/account", at_desk(_account)),
        web.post("/account/password", at_desk(_change_password)),
        web.post("/account/second-factor/want", at_desk(_want_second)),
        web.post("/account/second-factor/set", at_desk(_set_second)),
        web.post("/account/second-factor/remove", at_desk(_remove_second)),
        web.post("/account/sign-out", at_desk(_sign_out, open_to_all=True)),
        web.post("/account/sign-out-everywhere", at_desk(_sign_out_everywhere)),
        web.get("/account/signed-out", at_desk(_signed_out, open_to_all=True)),
        web.get(SIGN_IN, at_desk(_ask, open_to_all=True)),
        web.post(SIGN_IN, at_desk(_sign_in, open_to_all=True)),
        web.get("/account/invitation/{invitation}", at_desk(_invited, open_to_all=True)),
        web.post("/account/invitation/{invitation}", at_desk(_accept, open_to_all=True)),
    ]


# --- in and out -----------------------------------------------------------------------------------------------------
def _ask(case: Case) -> Shown:
    return case.go("/account") if case.principal is not None else _sign_in_page(case)


def _sign_in_page(case: Case, fault: SdmxError | None = None) -> Shown:
    openid = case.desk.openid
    label = None if openid is None else openid.settings.label
    name = case.fields.get("name", "")[:80]
    return case.page("sign_in.html", 200 if fault is None else status_of(fault), fault=fault, label=label, named=name)


def _sign_in(case: Case) -> Shown:
    """A new session, with a new id, for who gives name and password of an account."""
    name, password = case.fields.get("name", "").strip().lower(), case.fields.get("password", "")
    if not case.desk.accounts:
        return _sign_in_page(case)
    try:
        principal = case.desk.doorkeeper.admit(name, password, case.client, case.fields.get("code", ""))
    except (NotAuthenticated, TooManyAttempts) as fault:
        return _sign_in_page(case, fault)
    end_session(case.desk.store, case.secret)
    secret = open_session(case.desk.store, principal, case.desk.lifetimes)
    return case.go("/sending" if principal.may("submit") else "/account", secret)


def _sign_out(case: Case) -> Shown:
    end_session(case.desk.store, case.secret)
    return case.go("/account/signed-out", "")


def _sign_out_everywhere(case: Case) -> Shown:
    end_sessions(case.desk.store, case.signed_in.id, by=case.signed_in)
    return case.go("/account/signed-out", "")


def _signed_out(case: Case) -> Shown:
    openid = case.desk.openid
    return case.page("signed_out.html", label=None if openid is None else openid.settings.label)


# --- one's own account ----------------------------------------------------------------------------------------------
def _account(case: Case) -> Shown:
    return _account_page(case)


def _account_page(case: Case, fault: SdmxError | None = None) -> Shown:
    principal = case.signed_in
    name = _local_name(case)
    document = None if name is None else find_account(case.desk.store, name)
    wanted = None if document is None or name is None else _wanted(case, name, document)
    app_address = None if wanted is None else address_of(wanted, name or "", _service_name(case))
    acts = [(act.what, act.reaches[principal.role]) for id, act in ACTS.items() if principal.may(id)]
    return case.page(
        "account.html",
        200 if fault is None else status_of(fault),
        acts=acts,
        fault=fault,
        is_local=name is not None,
        has_second=document is not None and has_second(document),
        wanted=wanted,
        app_address=app_address,
        picture=None if app_address is None else qr_code(app_address),
        shortest=SHORTEST,
        is_changed="changed" in dict(case.asked.parameters),
    )


def _change_password(case: Case) -> Shown:
    """Another password, for who knows the present one; other browsers are signed out."""
    try:
        name = _shown_again(case)
        set_password(case.desk.store, name, _twice(case), by=case.signed_in)
    except (NotAuthenticated, TooManyAttempts, SemanticFault) as fault:
        return _account_page(case, fault)
    return _anew(case)


def _local_name(case: Case) -> str | None:
    """The name of the account of this service that has signed in; None: it is one of elsewhere."""
    id = case.signed_in.id
    return id.removesuffix(LOCAL) if id.endswith(LOCAL) else None


def _service_name(case: Case) -> str:
    return urlsplit(case.desk.address).hostname or "SDMX"


def _own_account(case: Case) -> str:
    """As ``_local_name``.

    Raises:
        SemanticFault: it is one of elsewhere, which has its password and second factor there.
    """
    name = _local_name(case)
    if name is None:
        raise SemanticFault("This account is not one of this service.", hint="Change it where you sign in.")
    return name


def _shown_again(case: Case) -> str:
    """The name of the account, whose owner shows the present password again, and a code where there is one.

    Raises:
        NotAuthenticated: they are not right.
        TooManyAttempts: too many failed.
        SemanticFault: the account is one of elsewhere.
    """
    name = _own_account(case)
    case.desk.doorkeeper.admit(name, case.fields.get("present", ""), case.client, case.fields.get("code", ""))
    return name


def _anew(case: Case) -> Shown:
    """The account's page with a new session, as all others have ended."""
    end_session(case.desk.store, case.secret)
    return case.go("/account", open_session(case.desk.store, case.signed_in, case.desk.lifetimes))


# --- the second factor ----------------------------------------------------------------------------------------------
def _wanted(case: Case, name: str, document: Mapping[str, Any]) -> str | None:
    return wanted_secret(name, document, case.desk.doorkeeper.seal, digest(case.secret))


def _want_second(case: Case) -> Shown:
    """A secret for the app, shown until a first code makes it count."""
    try:
        name = _own_account(case)
        document = find_account(case.desk.store, name)
        if not has_second(document):
            want_second(case.desk.store, name, document, case.desk.doorkeeper.seal, digest(case.secret))
    except SemanticFault as fault:
        return _account_page(case, fault)
    return case.go("/account")


def _set_second(case: Case) -> Shown:
    """The first code, from who knows the password; other browsers are signed out."""
    try:
        name = _shown_again(case)
        document, first = find_account(case.desk.store, name), case.fields.get("first", "")
        seal, session = case.desk.doorkeeper.seal, digest(case.secret)
        set_second(case.desk.store, name, document, first, seal, by=case.signed_in, session=session)
    except (NotAuthenticated, TooManyAttempts, SemanticFault) as fault:
        return _account_page(case, fault)
    return _anew(case)


def _remove_second(case: Case) -> Shown:
    """No code any more, for who knows the password and has one; other browsers are signed out."""
    try:
        name = _shown_again(case)
        remove_second(case.desk.store, name, find_account(case.desk.store, name), by=case.signed_in)
    except (NotAuthenticated, TooManyAttempts, SemanticFault) as fault:
        return _account_page(case, fault)
    return _anew(case)


def _twice(case: Case) -> str:
    """The new password.

    Raises:
        SemanticFault: it was not typed twice alike.
    """
    password = case.fields.get("password", "")
    if password != case.fields.get("again", ""):
        raise SemanticFault("The new password was not typed twice alike.", hint="Type it again.")
    return password


# --- invitations ----------------------------------------------------------------------------------------------------
def _invited(case: Case) -> Shown:
    return _invitation_page(case)


def _invitation(case: Case) -> str:
    """What the address shows.

    Raises:
        NotFound: the service has no accounts of its own.
    """
    if not case.desk.accounts:
        raise NotFound("There are no accounts of this service.", hint="Sign in elsewhere.")
    return case.asked.parts["invitation"]


def _invitation_page(case: Case, fault: SdmxError | None = None) -> Shown:
    invitation = _invitation(case)
    name = invited_account(case.desk.store, invitation)
    status = 200 if fault is None else status_of(fault)
    return case.page("invitation.html", status, invitation=invitation, account=name, fault=fault, shortest=SHORTEST)


def _accept(case: Case) -> Shown:
    """The password that the invited chooses, and a session; with a second factor one still signs in with it."""
    try:
        principal = accept_invitation(case.desk.store, _invitation(case), _twice(case))
    except SemanticFault as fault:
        return _invitation_page(case, fault)
    if has_second(find_account(case.desk.store, principal.id.removesuffix(LOCAL))):
        return case.go(SIGN_IN)
    end_session(case.desk.store, case.secret)
    secret = open_session(case.desk.store, principal, case.desk.lifetimes)
    return case.go("/sending" if principal.may("submit") else "/account", secret)
