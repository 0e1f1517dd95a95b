"""Talking to the provider at which people sign in: what it says of itself, its keys, and codes redeemed there."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import quote

from aiohttp import ClientError, ClientSession, ClientTimeout, encode_basic_auth
from joserfc.jwk import KeySet

from sdmx_service.auth.openid import (
    Attempt,
    Discovery,
    check_access_token,
    check_address,
    check_id_token,
    has_key_for,
    principal_of_claims,
    read_keys,
)
from sdmx_service.auth.openid_settings import OpenIdSettings
from sdmx_service.auth.principal import Principal
from sdmx_service.errors import NotAuthenticated, SignInFault

_LARGEST = 1 << 20
_TIMEOUT = ClientTimeout(total=10)
_FRESH = 3600.0
"""Seconds for which discovery and keys are believed."""
_SPARED = 30.0
"""Seconds in which keys are not fetched again, however many tokens name a key that is not there."""

_SILENT = 5.0
"""Seconds in which a provider that did not answer is not asked again."""


class Clock(Protocol):
    """Seconds, never running back."""

    def __call__(self) -> float:
        """Now."""


class OpenIdClient:
    """One provider; safe to use from all requests of a process."""

    def __init__(self, settings: OpenIdSettings, clock: Clock = time.monotonic) -> None:
        check_address(settings.issuer)
        self.settings = settings
        self._clock = clock
        self._discovery: tuple[Discovery, float] | None = None
        self._keys: tuple[KeySet, float] | None = None
        self._silent: dict[str, tuple[SignInFault, float]] = {}
        self._lock = asyncio.Lock()

    async def _published(self, address: str) -> dict[str, Any]:
        """What the provider publishes at an address; one that did not answer is left alone for some seconds.

        Else whoever sends made-up tokens has each of them wait for it.

        Raises:
            SignInFault: it does not answer, or did not just now.
        """
        kept = self._silent.get(address)
        if kept is not None and self._clock() - kept[1] < _SILENT:
            raise SignInFault(kept[0].detail, hint=kept[0].hint)
        try:
            found = await self._fetch("GET", address)
        except SignInFault as fault:
            self._silent[address] = fault, self._clock()
            raise
        self._silent.pop(address, None)
        return found

    async def discovery(self) -> Discovery:
        """What the provider says of itself.

        Raises:
            SignInFault: it does not answer, or not as it should.
        """
        kept = self._discovery
        if kept is None or self._clock() - kept[1] > _FRESH:
            address = f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration"
            kept = Discovery.of(await self._published(address), self.settings), self._clock()
            self._discovery = kept
        return kept[0]

    async def keys(self, token: str) -> KeySet:
        """The provider's keys; fetched again if a token names one that is not among them.

        Raises:
            SignInFault: the provider does not answer.
        """
        async with self._lock:
            kept, now = self._keys, self._clock()
            is_old = kept is None or now - kept[1] > _FRESH
            is_lacking = kept is not None and not has_key_for(token, kept[0]) and now - kept[1] > _SPARED
            if kept is None or is_old or is_lacking:
                kept = read_keys(await self._published((await self.discovery()).jwks_uri)), now
                self._keys = kept
            return kept[0]

    async def redeem(self, code: str, attempt: Attempt, back: str) -> Principal | None:
        """Who signed in, by the code that the browser brought back; None: no rule gives them a role.

        Raises:
            NotAuthenticated: the provider does not take the code, or its ID token is not right.
            SignInFault: it does not answer.
        """
        discovery, settings = await self.discovery(), self.settings
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": attempt.verifier,
        }  # fmt: skip
        headers: dict[str, str] = {}
        if settings.client_secret is None or "client_secret_basic" not in discovery.token_auth_methods:
            form["client_id"] = settings.client_id
            if settings.client_secret is not None:
                form["client_secret"] = settings.client_secret
        else:  # RFC 6749, 2.3.1: both parts are encoded like a form
            both = (quote(settings.client_id, safe=""), quote(settings.client_secret, safe=""))
            headers["Authorization"] = encode_basic_auth(*both)
        answer = await self._fetch("POST", discovery.token_endpoint, form, headers)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise NotAuthenticated("The sign-in provider did not take the sign-in.", hint="Sign in again.")
        claims = check_id_token(token, await self.keys(token), settings, attempt.nonce)
        return principal_of_claims(claims, settings)

    async def recognise(self, token: str) -> Principal:
        """Who shows a signed access token of the provider.

        Raises:
            NotAuthenticated: it is not right, or no rule gives a role.
            SignInFault: the provider does not answer.
        """
        claims = check_access_token(token, await self.keys(token), self.settings)
        found = principal_of_claims(claims, self.settings)
        if found is None:
            raise NotAuthenticated("No rule of this service gives the token's owner a role.")
        return found

    async def _fetch(
        self, method: str, address: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """A JSON object of the provider; what it says against a form (4xx) is an object too."""
        try:
            async with (
                ClientSession(timeout=_TIMEOUT) as session,
                session.request(method, address, data=form, headers=headers, allow_redirects=False) as answer,
            ):
                body = await answer.content.read(_LARGEST)
                while len(body) < _LARGEST and (piece := await answer.content.read(_LARGEST - len(body))):
                    body += piece
                if answer.status != 200 and (form is None or answer.status >= 500):
                    raise SignInFault(f"The sign-in provider answered {answer.status} at {address}.")
                found = json.loads(body)
        except (ClientError, TimeoutError, OSError, ValueError) as error:
            raise SignInFault(
                f"The sign-in provider at {address} does not answer: {type(error).__name__}.", hint="Try again soon."
            ) from error
        if not isinstance(found, dict):
            raise SignInFault(f"The sign-in provider answered no object at {address}.")
        return found
