"""Data sources registered, changed and deleted (SDMX-REST 2.2, maintenance.md, annex I)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

import orjson

from sdmx_service.auth import Principal
from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.library import Library
from sdmx_service.catalog.loading import registration_name
from sdmx_service.errors import Busy, Conflict, NotAllowed, NotFound, SdmxError, SemanticFault
from sdmx_service.model.registration import Registration, Result, SubmissionAction
from sdmx_service.model.selection import provider_name
from sdmx_service.model.structure import ProvisionAgreement

Request = tuple[SubmissionAction, Registration]
_ATTEMPTS = 20
_LONGEST = 2000
_SCHEMES = ("http", "https", "ftp", "ftps", "sftp")
_CODES: tuple[tuple[type[SdmxError], int], ...] = ((NotFound, 404), (Conflict, 409), (NotAllowed, 403))


def submit_registrations(requests: Sequence[Request], library: Library, principal: Principal) -> tuple[Result, ...]:
    """Do what is asked, in order; the result of each. All that succeed become visible together.

    *Choice*: a token of a provider may register sources of its own agreements; the other roles those of any.

    Raises:
        SemanticFault: nothing is asked.
    """
    if not requests:
        raise SemanticFault("The message holds no RegistrationRequest.")
    for _ in range(_ATTEMPTS):
        catalog = library.view().catalog
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        kept = dict(catalog.registrations)
        results = tuple(_carry_out(one, kept, catalog, principal, now) for one in requests)
        if kept == catalog.registrations:
            return results
        written = {
            registration_name(id): orjson.dumps(kept[id].to_json()) if id in kept else None
            for id in {*kept, *catalog.registrations}
            if kept.get(id) != catalog.registrations.get(id)
        }
        try:
            acts = [principal.does("register", name, is_ended=body is None) for name, body in written.items()]
            library.store.save_artefacts(written, catalog.generation, acts)
        except Conflict:
            continue
        return results
    raise Busy("Registrations are being changed by others all the time.", hint="Try again soon.")


def _carry_out(
    request: Request, kept: dict[str, Registration], catalog: Catalog, principal: Principal, now: str
) -> Result:
    action, sent = request
    try:
        if action == "Append":
            return _append(sent, kept, catalog, principal, now)
        stored = kept.get(sent.id)
        if stored is None:
            raise NotFound(
                f"There is no registration {sent.id!r} that could be changed.",
                hint="Those that the service makes for its own data follow the provision agreements.",
            )
        _agreement(stored, catalog, principal)
        if action == "Delete":
            return Result(subject=kept.pop(sent.id), action=action, code=200, text=f"{sent.id} deleted.")
        kept[sent.id] = _checked(sent, catalog, principal, now)
        return Result(subject=kept[sent.id], action=action, code=200, text=f"{sent.id} replaced.")
    except SdmxError as error:
        code = next((code for kind, code in _CODES if isinstance(error, kind)), 422)
        return Result(subject=sent, action=action, code=code, text=f"{error.detail} {error.hint}".strip())


def _append(
    sent: Registration, kept: dict[str, Registration], catalog: Catalog, principal: Principal, now: str
) -> Result:
    if sent.id in kept:
        raise Conflict(f"There is a registration {sent.id!r} already.", hint="Replace changes it.")
    registration = _checked(sent, catalog, principal, now).named(f"R{secrets.token_hex(8)}")
    kept[registration.id] = registration
    return Result(subject=registration, action="Append", code=201, text=f"{registration.id} registered.")


def _agreement(registration: Registration, catalog: Catalog, principal: Principal) -> ProvisionAgreement:
    found = catalog.lookup(registration.agreement)
    if not isinstance(found, ProvisionAgreement):
        raise Conflict(f"There is no provision agreement {registration.agreement.text}.")
    principal.must("register", provider=provider_name(found.provider))
    return found


def _checked(sent: Registration, catalog: Catalog, principal: Principal, now: str) -> Registration:
    """The registration as it is kept.

    Raises:
        Conflict: its provision agreement is not here.
        NotAllowed: it is another provider's.
        SemanticFault: it has no source, or a value makes no sense.
    """
    agreement = _agreement(sent, catalog, principal)
    if sent.queryable is None and sent.simple is None:
        raise SemanticFault("The registration has no data source.", hint="Name a simple or a queryable one, or both.")
    source = sent.queryable
    queryable = () if source is None else (source.url, source.wsdl, source.wadl)
    for url in (sent.simple, *queryable):
        if url is not None:
            _check_url(url)
    if sent.valid_from is not None and sent.valid_to is not None and _moment(sent.valid_from) > _moment(sent.valid_to):
        raise SemanticFault(f"The registration would end ({sent.valid_to}) before it begins ({sent.valid_from}).")
    return replace(sent, agreement=agreement.ref, updated_at=now)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in _SCHEMES or not parts.netloc or len(url) > _LONGEST:
        raise SemanticFault(
            f"{url[:200]!r} is not the address of a data source.", hint=f"Write {', '.join(_SCHEMES)} and a host."
        )


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
