"""Sign-in through an OpenID Connect provider, as far as no network is needed: what is asked, what is believed.

OpenID Connect Core 1.0 (authorization code flow), PKCE (RFC 7636), signed tokens by joserfc. The three secrets of one
sign-in (state, nonce, code verifier) are derived from one random seed that stays in the browser's cookie, so that
nothing is kept for people who never come back, and every process can take the answer.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet

from sdmx_service.auth.openid_settings import OpenIdSettings
from sdmx_service.auth.principal import Principal
from sdmx_service.errors import NotAuthenticated, SignInFault

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519")
"""Signatures that are believed: those of a key pair. ``none`` and those of a shared secret are not among them."""
_KEY_TYPES = ("RSA", "EC", "OKP")
_LEEWAY = 60
"""Seconds by which two clocks may differ."""
_MEMBERS = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """What a provider says of itself (OpenID Connect Discovery 1.0, *provider metadata*)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None = None
    token_auth_methods: tuple[str, ...] = ("client_secret_basic",)

    @classmethod
    def of(cls, document: Mapping[str, Any], settings: OpenIdSettings) -> Discovery:
        """The document of the provider that the settings name.

        Raises:
            SignInFault: it is another's, lacks something, or names an address that is not safe.
        """
        if any(not isinstance(document.get(name), str) for name in _MEMBERS):
            raise SignInFault(f"The sign-in provider {settings.issuer} does not say where to sign in.")
        if document["issuer"] != settings.issuer:
            raise SignInFault(f"The sign-in provider calls itself {document['issuer']!r}, not {settings.issuer!r}.")
        ends = document.get("end_session_endpoint")
        for address in (*(document[name] for name in _MEMBERS[1:]), *([ends] if ends else [])):
            check_address(str(address))
        methods = document.get("token_endpoint_auth_methods_supported")
        return cls(
            **{name: document[name] for name in _MEMBERS},
            end_session_endpoint=ends if isinstance(ends, str) else None,
            token_auth_methods=tuple(methods) if isinstance(methods, list) else ("client_secret_basic",),
        )


def check_address(address: str) -> None:
    """Refuse an address over which secrets would travel in the open.

    Raises:
        SignInFault: it is neither HTTPS nor this machine's own.
    """
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")):
        return
    raise SignInFault(f"The address {address!r} of the sign-in provider is not encrypted.", hint="It must be https.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The secrets of one sign-in, all from the seed in the browser's cookie."""

    seed: str

    @property
    def state(self) -> str:
        """Comes back with the answer: it was asked for by this browser."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """Comes back inside the ID token: it was made for this attempt."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """Shown when the code is redeemed: by who asked for it."""
        return self._derived("verifier")

    @property
    def challenge(self) -> str:
        """The hash of the verifier, which goes through the browser (RFC 7636, ``S256``)."""
        return _base64(hashlib.sha256(self.verifier.encode()).digest())

    def fits(self, state: str) -> bool:
        """Whether an answer belongs to this attempt."""
        return bool(self.seed) and hmac.compare_digest(self.state.encode(), state.encode("utf-8", "replace"))

    def _derived(self, what: str) -> str:
        return _base64(hmac.new(self.seed.encode("utf-8", "replace"), what.encode(), "sha256").digest())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign_in_address(discovery: Discovery, settings: OpenIdSettings, attempt: Attempt, back: str) -> str:
    """Where the browser goes to sign in; ``back`` is the address that it is sent back to."""
    asked = {
        "response_type": "code", "client_id": settings.client_id, "redirect_uri": back,
        "scope": " ".join(settings.scopes), "state": attempt.state, "nonce": attempt.nonce,
        "code_challenge": attempt.challenge, "code_challenge_method": "S256",
    }  # fmt: skip
    joint = "&" if "?" in discovery.authorization_endpoint else "?"
    return discovery.authorization_endpoint + joint + urlencode(asked)


def read_keys(document: Mapping[str, Any]) -> KeySet:
    """The public keys of a provider; those of kinds that are not believed are left out."""
    found: list[Key] = []
    for one in document.get("keys", ()):
        if isinstance(one, dict) and one.get("kty") in _KEY_TYPES and one.get("use", "sig") == "sig":
            try:
                found.append(JWKRegistry.import_key(one))
            except (JoseError, ValueError, KeyError, TypeError):
                continue
    return KeySet(found)


# --- what is believed -----------------------------------------------------------------------------------------------
def check_id_token(token: str, keys: KeySet, settings: OpenIdSettings, nonce: str) -> Mapping[str, Any]:
    """The claims of an ID token (OpenID Connect Core 1.0, 3.1.3.7).

    Raises:
        NotAuthenticated: signature, issuer, audience, times or nonce are not right.
    """
    claims = _claims(token, keys, settings.issuer, settings.client_id)
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (several or "azp" in claims) and claims.get("azp") != settings.client_id:
        raise _refused("it was made for another client")
    said = claims.get("nonce")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode("utf-8", "replace"), nonce.encode()):
        raise _refused("it belongs to another sign-in")
    return claims


def check_access_token(token: str, keys: KeySet, settings: OpenIdSettings) -> Mapping[str, Any]:
    """The claims of a signed access token of the provider that was made for this service (RFC 9068).

    Raises:
        NotAuthenticated: signature, issuer, audience or times are not right.
    """
    if settings.audience is None:
        raise _refused("tokens of the provider are not taken here")
    claims = _claims(token, keys, settings.issuer, settings.audience)
    if settings.audience == settings.client_id and "nonce" in claims:  # such go through browsers
        raise _refused("it is an ID token")
    return claims


def _claims(token: str, keys: KeySet, issuer: str, audience: str) -> Mapping[str, Any]:
    registry = jwt.JWTClaimsRegistry(
        leeway=_LEEWAY,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        decoded = jwt.decode(token, keys, algorithms=list(ALGORITHMS))
        registry.validate(decoded.claims)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise _refused(str(error) or type(error).__name__) from error
    return decoded.claims


def _refused(reason: str) -> NotAuthenticated:
    return NotAuthenticated(f"The sign-in is not valid: {reason[:200]}.", hint="Sign in again.")


def has_key_for(token: str, keys: KeySet) -> bool:
    """Whether the key that a token names is among the keys; where not, the provider may have changed its keys."""
    try:
        named = _header(token).get("kid")
    except ValueError:
        return True
    return named is None or any(one.kid == named for one in keys)


def _header(token: str) -> Mapping[str, Any]:
    part = token.partition(".")[0]
    found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    if not isinstance(found, dict):
        raise ValueError("no header")
    return found


def principal_of_claims(claims: Mapping[str, Any], settings: OpenIdSettings) -> Principal | None:
    """Who somebody is by the first rule that fits; None: no rule gives them a role here."""
    for rule in settings.rules:
        for value in _values(claims, rule.claim):
            if (provider := rule.fits(value)) is not None:
                called = _values(claims, settings.name)
                return Principal(
                    id=_identity(settings.issuer, str(claims["sub"])),
                    role=rule.role,
                    provider=provider or None,
                    kind="person",
                    name=(called or (str(claims["sub"]),))[0][:100],
                )
    return None


def _identity(issuer: str, subject: str) -> str:
    """A stable id for one subject of one issuer, in characters that every message may carry."""
    return f"{hashlib.sha256(f'{issuer} {subject}'.encode()).hexdigest()[:20]}@openid"


def _values(claims: Mapping[str, Any], path: str) -> Sequence[str]:
    """The texts that a claim has, one or a list; ``a.b`` is the member b of the claim a unless a claim is called so."""
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for part in path.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    return [str(one) for one in (found if isinstance(found, list) else [found]) if isinstance(one, str | int)]
