"""Signing in at an OpenID provider: there and back, and everything that must not let anybody in."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from sdmx_service.catalog.library import Library
from sdmx_service.errors import NotAuthenticated, SignInFault
from sdmx_service.web.openid_client import OpenIdClient
from tests.auth.providers import Provider, key
from tests.web.orchard import orchard
from tests.web.signing import RIGHT, Seen, Visitor, openid_file, running, visiting


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with orchard(tmp_path_factory.mktemp("orchard")) as opened:
        yield opened


@pytest.fixture(params=["RS256", "ES256"])
async def provider(request: pytest.FixtureRequest) -> AsyncIterator[Provider]:
    async with running(Provider(algorithm=request.param)) as opened:
        yield opened


@pytest.fixture
async def visitor(library: Library, provider: Provider, tmp_path: Path) -> AsyncIterator[Visitor]:
    async with visiting(library, openid=openid_file(tmp_path, provider)) as opened:
        yield opened


async def there(visitor: Visitor) -> str:
    """To the provider, and the address that it sends the browser back to."""
    leaving = await visitor.get("/account/openid")
    assert leaving.status == 303, leaving.words
    assert leaving.location is not None
    async with visitor.client.session.get(leaving.location, allow_redirects=False) as answer:
        assert answer.status == 302
        back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


async def sign_in(visitor: Visitor) -> Seen:
    return await visitor.get(await there(visitor))


async def test_there_and_back(visitor: Visitor, provider: Provider) -> None:
    page = await visitor.get("/account/sign-in")
    assert page.page.xpath("//a[contains(@href, 'openid')]/text()") == ["Sign in with the ministry"]
    assert (await sign_in(visitor)).location == "/sending"
    account = await visitor.get("/account")
    assert "Ines Duarte" in account.words
    assert "ORCH.GUILD" in account.words
    assert account.page.xpath("//form[contains(@action, 'password')]") == []
    assert visitor.cookie("openid") == ""
    (form,) = provider.redeemed
    assert set(form) == {"grant_type", "code", "redirect_uri", "code_verifier"}
    sent = await visitor.upload(RIGHT)
    assert sent.status == 303
    assert "waits for publication" in (await visitor.get(str(sent.location))).words
    await visitor.send("/account", "/account/sign-out")
    assert "At the ministry you may still be signed in" in (await visitor.get("/account/signed-out")).words


async def test_what_goes_through_the_browser_tells_no_secret(visitor: Visitor) -> None:
    leaving = await visitor.get("/account/openid")
    asked = parse_qs(urlsplit(str(leaving.location)).query)
    seed = visitor.cookie("openid")
    assert seed
    assert seed not in str(leaving.location)
    assert {"state", "nonce", "code_challenge"} < set(asked)
    assert "client_secret" not in asked
    (made,) = leaving.cookies
    assert "HttpOnly" in made
    assert "Max-Age=600" in made
    assert asked["redirect_uri"][0].endswith("/account/openid/callback")


async def test_it_makes_a_new_session(visitor: Visitor) -> None:
    await visitor.get("/account/sign-in")
    before = visitor.cookie()
    await sign_in(visitor)
    assert visitor.cookie() not in ("", before)


async def test_an_answer_that_this_browser_did_not_ask_for(
    visitor: Visitor, library: Library, provider: Provider, tmp_path: Path
) -> None:
    """Somebody leads a browser to the end of a sign-in of their own (login CSRF)."""
    async with visiting(library, openid=openid_file(tmp_path, provider)) as attacker:
        back = await there(attacker)
    for path in (
        back,
        back.replace("state=", "state=x"),
        "/account/openid/callback?code=1",
        "/account/openid/callback",
    ):
        seen = await visitor.get(path)
        assert (seen.status, visitor.cookie("openid")) == (401, "")
    await visitor.get("/account/openid")  # an attempt of its own, and the answer of the other
    assert (await visitor.get(back)).status == 401
    assert (await visitor.get("/account")).location == "/account/sign-in"
    assert provider.redeemed == []


async def test_an_answer_is_good_once(visitor: Visitor) -> None:
    back = await there(visitor)
    seed = visitor.cookie("openid")
    assert (await visitor.get(back)).location == "/sending"
    again = await visitor.get(back, headers={"Cookie": f"openid={seed}"})
    assert again.status == 401
    assert "did not take" in again.words


async def test_another_provider_answers(visitor: Visitor, provider: Provider) -> None:
    back = await there(visitor)
    parts = back.partition("iss=")
    assert (await visitor.get(f"{parts[0]}iss=https%3A%2F%2Fevil.example")).status == 401
    assert provider.redeemed == []


async def test_it_was_broken_off_there(visitor: Visitor) -> None:
    back = await there(visitor)
    state = parse_qs(urlsplit(back).query)["state"][0]
    seen = await visitor.get(
        f"/account/openid/callback?error=access_denied&error_description=%3Cscript%3E&state={state}"
    )
    assert seen.status == 401
    assert "not finished" in seen.words
    assert "script" not in seen.words


@pytest.mark.parametrize(
    "bend",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"exp": int(time.time()) - 600},
        {"iss": "https://evil.example"},
        {"iat": None},
    ],
    ids="-".join,
)
async def test_an_id_token_that_is_not_right(visitor: Visitor, provider: Provider, bend: dict[str, Any]) -> None:
    provider.bend = bend
    seen = await sign_in(visitor)
    assert (seen.status, seen.location) == (401, None)
    assert (await visitor.get("/account")).location == "/account/sign-in"


def _unsigned(claims: dict[str, Any]) -> str:
    import base64

    parts = ({"alg": "none"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in parts) + "."


async def test_a_signature_that_is_not_right(visitor: Visitor, provider: Provider) -> None:
    other, own = key(provider.algorithm), provider.key
    named = type(other).import_key({**other.as_dict(private=True), "kid": own.kid})  # type: ignore[arg-type]
    secret = OctKey.generate_key(256)
    head = {"alg": provider.algorithm, "kid": own.kid}
    for sign in (
        _unsigned,
        lambda claims: jwt.encode(head, claims, named, algorithms=[provider.algorithm]),
        lambda claims: jwt.encode({"alg": "HS256", "kid": own.kid}, claims, secret),
        lambda claims: "nonsense",
    ):
        provider.sign = sign
        assert (await sign_in(visitor)).status == 401
    provider.sign = None
    assert (await sign_in(visitor)).location == "/sending"


async def test_the_provider_changes_its_keys(library: Library, provider: Provider, tmp_path: Path) -> None:
    from sdmx_service.auth.openid_settings import OpenIdSettings

    now = [0.0]
    client = OpenIdClient(OpenIdSettings.read(openid_file(tmp_path, provider, audience="api")), clock=lambda: now[0])
    token = provider.token(aud="api")
    assert (await client.recognise(token)).provider == "ORCH.GUILD"
    await client.recognise(token)
    assert provider.keys_asked == 1
    provider.rotate()
    with pytest.raises(NotAuthenticated):  # too soon: whoever makes up keys does not make us ask each time
        await client.recognise(provider.token(aud="api"))
    assert provider.keys_asked == 1
    now[0] = 31
    await client.recognise(provider.token(aud="api"))
    assert provider.keys_asked == 2
    with pytest.raises(NotAuthenticated):  # the old key is not believed any more
        await client.recognise(token)


async def test_no_rule_gives_a_role(visitor: Visitor, provider: Provider) -> None:
    provider.claims = {"sub": "u-2", "groups": ["strangers"]}
    seen = await sign_in(visitor)
    assert seen.status == 403
    assert "no role here" in seen.words
    assert (await visitor.get("/account")).location == "/account/sign-in"


async def test_a_rule_names_a_provider_that_is_not_here(visitor: Visitor, provider: Provider) -> None:
    provider.claims = {"sub": "u-3", "groups": ["nso-lost"]}
    assert (await sign_in(visitor)).status == 404
    assert (await visitor.get("/account")).location == "/account/sign-in"


async def test_a_reader_lands_on_the_account(visitor: Visitor, provider: Provider) -> None:
    provider.claims = {"sub": "u-4", "groups": ["press"]}
    assert (await sign_in(visitor)).location == "/account"


async def test_the_provider_does_not_answer(library: Library, tmp_path: Path) -> None:
    async with running(Provider()) as provider:
        path = openid_file(tmp_path, provider)
    async with visiting(library, openid=path) as visitor:
        seen = await visitor.get("/account/openid")
        assert seen.status == 502
        assert "does not answer" in seen.words
        assert (await visitor.get("/account/sign-in")).status == 200  # accounts still work


async def test_a_provider_that_does_not_answer_is_left_alone_for_a_while(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each made-up token would wait for it, one after the other."""
    from sdmx_service.auth.openid_settings import OpenIdSettings

    now = [0.0]
    async with running(Provider()) as provider:
        client = OpenIdClient(
            OpenIdSettings.read(openid_file(tmp_path, provider, audience="api")), clock=lambda: now[0]
        )
        fetch, asked = client._fetch, []
        is_there = False

        async def counting(method: str, address: str, *more: Any) -> dict[str, Any]:
            asked.append(address)
            if not is_there:
                raise SignInFault("It does not answer.", hint="Try again soon.")
            return await fetch(method, address, *more)

        monkeypatch.setattr(client, "_fetch", counting)
        token = provider.token(aud="api")
        for _ in range(50):
            with pytest.raises(SignInFault, match="does not answer"):
                await client.recognise(token)
        assert len(asked) == 1
        now[0], is_there = 4.9, True
        with pytest.raises(SignInFault):
            await client.recognise(token)
        now[0] = 5.0
        assert (await client.recognise(token)).provider == "ORCH.GUILD"
        assert len(asked) == 3


async def test_it_calls_itself_otherwise(library: Library, provider: Provider, tmp_path: Path) -> None:
    path = openid_file(tmp_path, provider)
    provider.issuer = "https://evil.example"
    async with visiting(library, openid=path) as visitor:
        assert (await visitor.get("/account/openid")).status == 502


def test_a_provider_without_encryption_is_refused(tmp_path: Path) -> None:
    from sdmx_service.auth.openid_settings import OpenIdSettings

    path = openid_file(tmp_path, Provider(issuer="http://login.example"))
    with pytest.raises(SignInFault, match="not encrypted"):
        OpenIdClient(OpenIdSettings.read(path))


async def test_a_provider_that_is_not_connected_any_more_lets_nobody_in(
    library: Library, provider: Provider, tmp_path: Path
) -> None:
    async with visiting(library, openid=openid_file(tmp_path, provider)) as visitor:
        assert (await sign_in(visitor)).location == "/sending"
        kept = {"Cookie": f"session={visitor.cookie()}"}
        assert (await visitor.get("/account", headers=kept)).status == 200
    async with visiting(library) as visitor:
        assert (await visitor.get("/account", headers=kept)).location == "/account/sign-in"


async def test_without_a_provider_there_is_no_such_door(library: Library) -> None:
    async with visiting(library) as visitor:
        for path in ("/account/openid", "/account/openid/callback"):
            assert (await visitor.get(path)).status == 404


@asynccontextmanager
async def machine(library: Library, provider: Provider, folder: Path, **more: Any) -> AsyncIterator[Visitor]:
    async with visiting(library, openid=openid_file(folder, provider, **more)) as opened:
        yield opened


async def test_programs_show_access_tokens_of_the_provider(
    library: Library, provider: Provider, tmp_path: Path
) -> None:
    async with machine(library, provider, tmp_path, audience="sdmx-api") as visitor:

        async def status(token: str, method: str = "GET", **more: Any) -> int:
            headers = {"Authorization": f"Bearer {token}"}
            return (await visitor.ask(method, "/api/submissions", headers=headers, **more)).status

        assert await status(provider.token(aud="sdmx-api")) == 200
        assert await status(provider.token(aud="sdmx-api"), "POST", data=RIGHT) == 201
        provider.claims = {**provider.claims, "groups": ["press"]}
        assert await status(provider.token(aud="sdmx-api"), "POST", data=RIGHT) == 403
        for wrong in (
            provider.token(),
            provider.token(aud="sdmx-api", exp=1),
            provider.token(aud="sdmx-api", groups=[]),
        ):
            assert await status(wrong) == 401
        statuses = {await status(provider.token()) for _ in range(20)}
        assert 429 in statuses


async def test_where_none_are_taken_they_are_no_tokens(library: Library, provider: Provider, tmp_path: Path) -> None:
    async with machine(library, provider, tmp_path) as visitor:
        headers = {"Authorization": f"Bearer {provider.token(aud='sdmx-api')}"}
        assert (await visitor.get("/api/submissions", headers=headers)).status == 401
    assert provider.keys_asked == 0
