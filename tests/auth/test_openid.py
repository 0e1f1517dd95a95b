"""What is believed of a provider: discovery, keys, ID tokens with real signatures, and the rules from claims to roles."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey

from sdmx_service.auth.openid import (
    Attempt,
    Discovery,
    check_access_token,
    check_id_token,
    has_key_for,
    principal_of_claims,
    read_keys,
    sign_in_address,
)
from sdmx_service.auth.openid_settings import OpenIdSettings, RoleRule
from sdmx_service.errors import NotAuthenticated, SignInFault, SyntaxFault
from tests.auth.providers import CLIENT, Provider, key

ISSUER = "https://login.example"
SETTINGS = OpenIdSettings(issuer=ISSUER, client_id=CLIENT, audience="sdmx-api")
DOCUMENT = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize?tenant=1",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
}
NONCE = Attempt(seed="seed").nonce


@pytest.fixture(scope="module", params=["RS256", "ES256", "PS256"])
def provider(request: pytest.FixtureRequest) -> Provider:
    return Provider(algorithm=request.param, issuer=ISSUER)


def keys(provider: Provider) -> KeySet:
    return read_keys(KeySet(list(provider.published)).as_dict())


def check(provider: Provider, token: str) -> Any:
    return check_id_token(token, keys(provider), SETTINGS, NONCE)


class TestIdToken:
    def test_a_right_one(self, provider: Provider) -> None:
        assert check(provider, provider.token(nonce=NONCE))["sub"] == "u-1"
        assert check(provider, provider.token(nonce=NONCE, aud=[CLIENT, "other"], azp=CLIENT))["sub"] == "u-1"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"nonce": "another"},
            {"nonce": None},
            {"nonce": 7},
            {"aud": "another"},
            {"aud": ["another"]},
            {"aud": None},
            {"aud": [CLIENT, "other"]},  # several, and nobody says for whom
            {"aud": [CLIENT, "other"], "azp": "other"},
            {"azp": "other"},
            {"iss": "https://login.example/"},
            {"iss": None},
            {"exp": int(time.time()) - 120},
            {"exp": None},
            {"exp": "tomorrow"},
            {"iat": int(time.time()) + 600},
            {"nbf": int(time.time()) + 600},
            {"sub": None},
            {"sub": ""},
        ],
        ids="-".join,
    )
    def test_wrong_claims(self, provider: Provider, wrong: dict[str, Any]) -> None:
        with pytest.raises(NotAuthenticated):
            check(provider, provider.token(**{"nonce": NONCE} | wrong))

    def test_clocks_may_differ_a_little(self, provider: Provider) -> None:
        now = int(time.time())
        check(provider, provider.token(nonce=NONCE, exp=now - 30, iat=now + 30))

    def test_another_key(self, provider: Provider) -> None:
        other = Provider(algorithm=provider.algorithm, issuer=ISSUER)
        other.key = type(other.key).import_key({**other.key.as_dict(private=True), "kid": provider.key.kid})  # type: ignore[arg-type]
        with pytest.raises(NotAuthenticated):
            check(provider, other.token(nonce=NONCE))
        assert not has_key_for(Provider(issuer=ISSUER).token(), keys(provider))
        assert has_key_for(provider.token(), keys(provider))

    def test_an_altered_one(self, provider: Provider) -> None:
        head, body, signature = provider.token(nonce=NONCE).split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "=="))
        for altered in ({**claims, "sub": "boss"}, {**claims, "groups": ["administrators"]}):
            forged = base64.urlsafe_b64encode(json.dumps(altered).encode()).rstrip(b"=").decode()
            with pytest.raises(NotAuthenticated):
                check(provider, f"{head}.{forged}.{signature}")

    def test_no_signature_and_that_of_a_shared_secret(self, provider: Provider) -> None:
        right = provider.token(nonce=NONCE)
        claims = right.split(".")[1]
        for algorithm in ("none", "None", "nOnE"):
            head = base64.urlsafe_b64encode(json.dumps({"alg": algorithm}).encode()).rstrip(b"=").decode()
            for signature in ("", right.split(".")[2]):
                with pytest.raises(NotAuthenticated):
                    check(provider, f"{head}.{claims}.{signature}")
        public = provider.key.as_pem(private=False)
        told = json.loads(base64.urlsafe_b64decode(claims + "=="))
        shared = OctKey.import_key(base64.b64encode(public))  # what everybody knows, taken for a secret
        forged = jwt.encode({"alg": "HS256", "kid": provider.key.kid}, told, shared)
        with pytest.raises(NotAuthenticated):
            check(provider, forged)

    @pytest.mark.parametrize("token", ["", "a", "a.b.c", "....", "eyJ.eyJ.x", "é.é.é", "\ud800.b.c", "a" * 10_000])
    def test_what_is_no_token(self, provider: Provider, token: str) -> None:
        with pytest.raises(NotAuthenticated):
            check(provider, token)
        has_key_for(token, keys(provider))


def test_a_token_for_programs_has_another_audience(provider: Provider) -> None:
    known = keys(provider)
    assert check_access_token(provider.token(aud="sdmx-api"), known, SETTINGS)["sub"] == "u-1"
    for wrong in (provider.token(), provider.token(aud="sdmx-api", exp=1), provider.token(aud="other")):
        with pytest.raises(NotAuthenticated):
            check_access_token(wrong, known, SETTINGS)
    closed = OpenIdSettings(issuer=ISSUER, client_id=CLIENT)
    with pytest.raises(NotAuthenticated, match="not taken here"):
        check_access_token(provider.token(aud=CLIENT), known, closed)


def test_an_id_token_is_no_token_for_programs(provider: Provider) -> None:
    """It goes through a browser; where the audience is the client's own id, only the nonce tells it apart."""
    known, settings = keys(provider), OpenIdSettings(issuer=ISSUER, client_id=CLIENT, audience=CLIENT)
    assert check_access_token(provider.token(), known, settings)["sub"] == "u-1"
    with pytest.raises(NotAuthenticated, match="is an ID token"):
        check_access_token(provider.token(nonce="n"), known, settings)


def test_keys_that_are_not_believed_are_left_out() -> None:
    good = key("ES256")
    document = {
        "keys": [
            good.as_dict(private=False), {"kty": "oct", "k": "c2VjcmV0"}, {"kty": "RSA"}, {"kty": "XYZ"}, "text",
            {**key("RS256").as_dict(private=False), "use": "enc"},
        ]
    }  # fmt: skip
    assert [one.kid for one in read_keys(document)] == [good.kid]
    assert list(read_keys({})) == []


class TestDiscovery:
    def test_a_right_one(self) -> None:
        found = Discovery.of(DOCUMENT, SETTINGS)
        address = sign_in_address(found, SETTINGS, Attempt(seed="seed"), "https://data.example/back")
        assert address.startswith(f"{ISSUER}/authorize?tenant=1&response_type=code&client_id=sdmx+%26+co&")
        for secret in ("seed", Attempt(seed="seed").verifier):
            assert secret not in address

    @pytest.mark.parametrize(
        "wrong",
        [
            {"issuer": "https://evil.example"},
            {"issuer": None},
            {"token_endpoint": "http://login.example/token"},
            {"jwks_uri": "file:///etc/passwd"},
            {"authorization_endpoint": "javascript:alert(1)"},
            {"end_session_endpoint": "http://login.example/out"},
            {"jwks_uri": 5},
        ],
    )
    def test_wrong_ones(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(SignInFault):
            Discovery.of(DOCUMENT | wrong, SETTINGS)


def test_the_secrets_of_an_attempt_are_its_own() -> None:
    one, two = Attempt(seed="a"), Attempt(seed="b")
    assert len({one.state, one.nonce, one.verifier, one.challenge, two.state, two.nonce, two.verifier}) == 7
    assert 43 <= len(one.verifier) <= 128
    assert one.fits(one.state)
    for state in ("", two.state, one.nonce, "\udcff"):
        assert not one.fits(state)
    assert not Attempt(seed="").fits(Attempt(seed="").state)


class TestRules:
    RULES = (
        RoleRule(claim="groups", test="is", value="admins", role="administrator"),
        RoleRule(claim="groups", test="matches", value="nso-([a-z]+)", role="provider", provider="SEA.{1}"),
        RoleRule(claim="realm.roles", test="is", value="review", role="reviewer"),
        RoleRule(claim="https://x.example/office", test="matches", value="[A-Z]+", role="provider", provider="SEA.{0}"),
    )

    @pytest.mark.parametrize(
        ("claims", "role", "provider"),
        [
            ({"groups": ["x", "admins"]}, "administrator", None),
            ({"groups": "admins"}, "administrator", None),
            ({"groups": ["nso-coast", "admins"]}, "administrator", None),  # the first rule counts
            ({"groups": ["nso-coast"]}, "provider", "SEA.coast"),
            ({"groups": ["nso-coast2"]}, None, None),  # the whole value must fit
            ({"groups": ["xnso-coast"]}, None, None),
            ({"realm": {"roles": ["review"]}}, "reviewer", None),
            ({"realm": ["roles"]}, None, None),
            ({"https://x.example/office": "HARBOUR"}, "provider", "SEA.HARBOUR"),
            ({"groups": [{"admins": 1}, None]}, None, None),
            ({}, None, None),
        ],
    )
    def test_the_first_that_fits_counts(self, claims: dict[str, Any], role: str | None, provider: str | None) -> None:
        settings = OpenIdSettings(issuer=ISSUER, client_id=CLIENT, rules=self.RULES)
        found = principal_of_claims({"sub": "u", "name": "Ines"} | claims, settings)
        assert (found and found.role, found and found.provider) == (role, provider)
        if found is not None:
            assert (found.kind, found.name) == ("person", "Ines")
            assert found.id.endswith("@openid")

    def test_what_looks_like_a_place_within_a_value_is_none(self) -> None:
        """Else who chooses one part of a claim would choose another part too."""
        rule = RoleRule(claim="office", test="matches", value="(.*)/(.*)", role="provider", provider="{1}.{2}.{3}")
        assert rule.fits("SEA/HARBOUR") == "SEA.HARBOUR.{3}"
        assert rule.fits("{2}/HARBOUR") == "{2}.HARBOUR.{3}"
        whole = RoleRule(claim="office", test="is", value="{1}", role="provider", provider="{0}-{1}")
        assert whole.fits("{1}") == "{1}-{1}"

    def test_a_subject_is_of_its_issuer(self) -> None:
        ids = set()
        for issuer in (ISSUER, "https://other.example"):
            settings = OpenIdSettings(issuer=issuer, client_id=CLIENT, rules=self.RULES)
            found = principal_of_claims({"sub": "u@local", "groups": "admins"}, settings)
            assert found is not None
            ids.add(found.id)
        assert len(ids) == 2


class TestSettings:
    RIGHT = {
        "issuer": ISSUER,
        "client_id": "x",
        "client_secret_file": "secret",
        "scopes": ["openid", "groups"],
        "label": "the agency",
        "rules": [{"claim": "groups", "is": "admins", "role": "administrator"}],
    }

    def read(self, folder: Path, **change: Any) -> OpenIdSettings:
        (folder / "secret").write_text("s3cret\n")
        document = {name: value for name, value in {**self.RIGHT, **change}.items() if value is not None}
        (folder / "openid.json").write_text(json.dumps(document))
        return OpenIdSettings.read(folder / "openid.json")

    def test_a_right_file(self, tmp_path: Path) -> None:
        found = self.read(tmp_path)
        assert (found.client_secret, found.scopes, found.label) == ("s3cret", ("openid", "groups"), "the agency")
        assert [rule.role for rule in found.rules] == ["administrator"]
        assert self.read(tmp_path, client_secret_file=None).client_secret is None

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"issuer": None}, "issuer is missing"),
            ({"colour": "red"}, "colour is not known"),
            ({"rules": {}}, "rules is no list"),
            ({"rules": [{"claim": "a", "role": "boss", "is": "x"}]}, "rule 1: 'boss' is no role"),
            ({"rules": [{"claim": "a", "role": "reader"}]}, "either is or matches"),
            ({"rules": [{"claim": "a", "role": "provider", "is": "x"}]}, "names a provider"),
            ({"rules": [{"claim": "a", "role": "reader", "matches": "("}]}, "no regular expression"),
            ({"rules": [{"claim": "a", "role": "reader", "is": 5}]}, "is is no text"),
            ({"rules": ["x"]}, "no JSON object"),
        ],
    )
    def test_wrong_files(self, tmp_path: Path, change: dict[str, Any], told: str) -> None:
        with pytest.raises(SyntaxFault, match=told):
            self.read(tmp_path, **change)

    def test_no_file_and_no_json(self, tmp_path: Path) -> None:
        with pytest.raises(SyntaxFault, match="cannot be read"):
            OpenIdSettings.read(tmp_path / "none.json")
        (tmp_path / "x.json").write_text("{")
        with pytest.raises(SyntaxFault, match="cannot be read"):
            OpenIdSettings.read(tmp_path / "x.json")
