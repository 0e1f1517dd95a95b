"""A small OpenID provider on loopback, with real signatures, that can be told to do wrong."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, JWKRegistry, KeySet, RSAKey

Key = RSAKey | ECKey
CLIENT, SECRET = "sdmx & co", "s3cret/+:"


def key(algorithm: str) -> Key:
    """A new key pair for an algorithm, with an id of its own."""
    kind, size = ("RSA", 2048) if algorithm.startswith(("RS", "PS")) else ("EC", "P-256")
    made = JWKRegistry.generate_key(kind, size, {"kid": secrets.token_hex(4), "use": "sig", "alg": algorithm})  # type: ignore[arg-type]
    assert isinstance(made, RSAKey | ECKey)
    return made


@dataclass
class Provider:
    """What it knows and how it errs.

    Attributes:
        issuer: its address, once it runs.
        claims: of whoever signs in.
        bend: changes the claims of the next tokens; a value None takes a claim away.
        sign: makes a token of claims in another way than with the key.
        redeemed: the forms that came to the token endpoint.
    """

    algorithm: str = "RS256"
    issuer: str = ""
    claims: dict[str, Any] = field(
        default_factory=lambda: {"sub": "u-1", "name": "Ines Duarte", "groups": ["staff", "nso-harbour"]}
    )
    bend: dict[str, Any] = field(default_factory=dict)
    sign: Callable[[dict[str, Any]], str] | None = None
    key: Key = field(init=False)
    published: list[Key] = field(init=False)
    keys_asked: int = 0
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    redeemed: list[Mapping[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.key = key(self.algorithm)
        self.published = [self.key]

    def rotate(self) -> None:
        """Sign with a new key from now on, and publish only that."""
        self.key = key(self.algorithm)
        self.published = [self.key]

    def token(self, **claims: Any) -> str:
        """A token of the provider for whoever signs in."""
        now = int(time.time())
        told = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, **self.claims, **claims, **self.bend}
        told = {name: value for name, value in told.items() if value is not None}
        if self.sign is not None:
            return self.sign(told)
        return jwt.encode({"alg": self.algorithm, "kid": self.key.kid}, told, self.key, algorithms=[self.algorithm])

    # --- its addresses -----------------------------------------------------------------------------------------
    def application(self) -> web.Application:
        made = web.Application()
        made.add_routes(
            [
                web.get("/.well-known/openid-configuration", self._discovery),
                web.get("/keys", self._keys),
                web.get("/authorize", self._authorize),
                web.post("/token", self._token),
            ]
        )
        return made

    async def _discovery(self, request: web.Request) -> web.Response:
        names = {"authorization": "authorize", "token": "token"}
        return web.json_response(
            {
                "issuer": self.issuer,
                "jwks_uri": f"{self.issuer}/keys",
                **{f"{name}_endpoint": f"{self.issuer}/{path}" for name, path in names.items()},
            }
        )

    async def _keys(self, request: web.Request) -> web.Response:
        self.keys_asked += 1
        return web.json_response(KeySet(list(self.published)).as_dict())

    async def _authorize(self, request: web.Request) -> web.Response:
        """Somebody signs in without a word, and is sent back with a code."""
        asked = dict(request.query)
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        code = secrets.token_hex(8)
        self.codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.issuer}
        return web.Response(status=302, headers={"Location": f"{asked['redirect_uri']}?{urlencode(back)}"})

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: values[-1] for name, values in parse_qs((await request.read()).decode()).items()}
        self.redeemed.append(form)
        asked = self.codes.pop(form.get("code", ""), None)
        login = base64.b64decode(request.headers.get("Authorization", "").removeprefix("Basic ")).decode()
        who = tuple(unquote(one) for one in login.split(":"))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(
            b"="
        )
        right = asked is not None and who == (CLIENT, SECRET) and challenge.decode() == asked["code_challenge"]
        if not right or asked is None or form["redirect_uri"] != asked["redirect_uri"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        return web.json_response(
            {"access_token": "x", "token_type": "Bearer", "id_token": self.token(nonce=asked["nonce"])}
        )
