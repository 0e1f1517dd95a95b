"""Signing in with an account: cookies, forms of other sites, fixation, throttling, invitations, one's own account."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sdmx_service.auth.accounts import accounts, create_account, set_disabled
from sdmx_service.auth.sessions import form_token
from sdmx_service.catalog.library import Library
from tests.web.orchard import orchard
from tests.web.signing import GOOD, Visitor, add_accounts, visiting


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with orchard(tmp_path_factory.mktemp("orchard")) as opened:
        add_accounts(opened)
        yield opened


@pytest.fixture
async def visitor(library: Library) -> AsyncIterator[Visitor]:
    async with visiting(library) as opened:
        yield opened


async def test_in_and_out(visitor: Visitor, library: Library) -> None:
    for path in ("/account", "/sending", "/sending/S1"):
        led = await visitor.get(path)
        assert (led.status, led.location) == (303, "/account/sign-in")
    seen = await visitor.sign_in()
    assert (seen.status, seen.location) == (303, "/sending")
    page = await visitor.get("/account")
    assert (page.status, page.headers["Cache-Control"]) == (200, "no-store")
    assert "Maria" in page.words
    assert "Sends for ORCH.GUILD" in page.words
    assert "send figures your own" in page.words
    assert "publish a submission" not in page.words
    assert (await visitor.get("/account/sign-in")).location == "/account"
    kept = visitor.cookie()
    out = await visitor.send("/account", "/account/sign-out")
    assert (out.location, visitor.cookie()) == ("/account/signed-out", "")
    assert "Signed out" in (await visitor.get("/account/signed-out")).words
    back = await visitor.get("/account", headers={"Cookie": f"session={kept}"})
    assert back.location == "/account/sign-in"


async def test_the_cookie_is_for_this_host_and_for_no_script(visitor: Visitor) -> None:
    (made,) = (await visitor.sign_in()).cookies
    assert re.fullmatch(r"session=[\w-]{43}; HttpOnly; Path=/; SameSite=Lax", made)


async def test_beyond_this_machine_the_cookie_is_secure(library: Library) -> None:
    async with visiting(library, address="https://data.example") as visitor:
        first = await visitor.get("/account/sign-in")
        (made,) = first.cookies
        assert re.fullmatch(r"__Host-session=[\w-]{43}; HttpOnly; Path=/; SameSite=Lax; Secure", made)
        secret = made.partition(";")[0].partition("=")[2]
        form = {"form_token": first.form_token, "name": "maria", "password": GOOD}
        headers = {"Cookie": f"__Host-session={secret}", "Origin": "https://data.example"}
        seen = await visitor.ask("POST", "/account/sign-in", data=form, headers=headers)
        assert seen.location == "/sending"
        (session,) = seen.cookies
        assert session.startswith("__Host-session=")
        assert secret not in session
        # A cookie of the other name, which a neighbour of the host may have set, is no session.
        bare = session.removeprefix("__Host-").partition(";")[0]
        assert (await visitor.get("/account", headers={"Cookie": bare})).location == "/account/sign-in"
        assert (await visitor.get("/account", headers={"Cookie": f"__Host-{bare}"})).status == 200


async def test_a_host_that_is_not_this_machine_gets_a_secure_cookie_without_being_told(library: Library) -> None:
    async with visiting(library) as visitor:
        (made,) = (await visitor.get("/account/sign-in", headers={"Host": "data.example"})).cookies
        assert made.startswith("__Host-session=")
        assert made.endswith("; Secure")


async def test_signing_in_always_makes_a_new_session(visitor: Visitor) -> None:
    await visitor.get("/account/sign-in")
    before = visitor.cookie()
    assert before
    await visitor.sign_in()
    first = visitor.cookie()
    assert first not in ("", before)
    planted = {"Cookie": f"session={before}"}
    visitor.forget()
    assert (await visitor.get("/account", headers=planted)).location == "/account/sign-in"


async def test_an_id_that_somebody_planted_is_not_taken_over(visitor: Visitor) -> None:
    chosen = "x" * 43
    form = {"form_token": form_token(chosen), "name": "maria", "password": GOOD}
    seen = await visitor.ask("POST", "/account/sign-in", data=form, headers={"Cookie": f"session={chosen}"})
    assert seen.location == "/sending"
    visitor.forget()
    assert (await visitor.get("/account", headers={"Cookie": f"session={chosen}"})).location == "/account/sign-in"


@pytest.mark.parametrize("token", ["", "x", None])
@pytest.mark.parametrize("path", ["/account/sign-in", "/account/sign-out", "/account/password", "/sending"])
async def test_a_form_without_its_token_does_nothing(visitor: Visitor, path: str, token: str | None) -> None:
    await visitor.sign_in()
    form = {"name": "maria", "password": GOOD} | ({} if token is None else {"form_token": token})
    seen = await visitor.ask("POST", path, data=form)
    assert seen.status == 403
    assert "out of date" in seen.words
    assert (await visitor.get("/account")).status == 200


async def test_a_form_of_another_session_does_nothing(visitor: Visitor, library: Library) -> None:
    async with visiting(library) as other:
        await other.sign_in()
        token = (await other.get("/account")).form_token
    await visitor.sign_in()
    assert (await visitor.ask("POST", "/account/sign-out", data={"form_token": token})).status == 403


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_a_form_that_another_site_sends_does_nothing(visitor: Visitor, headers: dict[str, str]) -> None:
    await visitor.sign_in()
    token = (await visitor.get("/account")).form_token
    seen = await visitor.ask("POST", "/account/sign-out", data={"form_token": token}, headers=headers)
    assert seen.status == 403
    assert (await visitor.get("/account")).status == 200


async def test_a_session_is_no_token_of_the_interface(visitor: Visitor) -> None:
    """Else another site could send there, where no form is asked for its token."""
    await visitor.sign_in()
    for method, path in (("GET", "/api/submissions"), ("POST", "/api/submissions"), ("POST", "/sdmx/v2/structure")):
        assert (await visitor.ask(method, path)).status == 401


async def test_every_failure_looks_alike(visitor: Visitor, library: Library) -> None:
    create_account(library.store, "shut", role="reader")
    set_disabled(library.store, "shut", True)
    told = set()
    for name, password in (("maria", "wrong"), ("nobody", GOOD), ("shut", GOOD), ("", ""), ("MARIA ", "wrong")):
        seen = await visitor.sign_in(name, password)
        assert (seen.status, seen.location) == (401, None)
        told.add(" ".join(seen.page.xpath("//div[@role='alert']")[0].text_content().split()))
    assert told == {"This did not work: Name and password do not fit together. Try again."}
    assert seen.page.xpath("//input[@name='password']/@value") == []


async def test_who_is_refused_is_in_the_log(library: Library) -> None:
    before = sum(1 for _ in library.store.log())
    async with visiting(library) as visitor:
        for name in ("rita", "nobody", "somebody"):
            assert (await visitor.sign_in(name, "wrong")).status == 401
        for token in ("00000000.made-up", "eyJ.made.up", "x"):
            answer = await visitor.get("/api/submissions", headers={"Authorization": f"Bearer {token}"})
            assert answer.status == 401
    told = [(one.act, one.object) for one in list(library.store.log())[before:]]  # all is written when it has stopped
    assert sorted(told) == [
        ("refuse sign-in", "account rita"), ("refuse sign-in", "unknown accounts"), ("refuse token", "unknown tokens"),
    ]  # fmt: skip


async def test_who_tries_too_often_is_held_back(visitor: Visitor) -> None:
    statuses = [(await visitor.sign_in("rita", "wrong")).status for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    held = await visitor.sign_in("rita")
    assert held.status == 429
    assert "too many" in held.words
    assert (await visitor.sign_in()).location == "/sending"  # another account from the same address


async def test_an_address_is_that_behind_the_proxy(library: Library) -> None:
    async with visiting(library, proxies=1) as visitor:
        for number in range(6):
            form = {
                "form_token": (await visitor.get("/account/sign-in")).form_token,
                "name": "rita",
                "password": "wrong",
            }
            from_there = {"X-Forwarded-For": f"6.6.6.{number}, 9.9.9.9"}
            status = (await visitor.ask("POST", "/account/sign-in", data=form, headers=from_there)).status
        assert status == 429
        assert (await visitor.sign_in("rita")).location == "/account"


async def test_an_invitation_is_good_once(visitor: Visitor, library: Library) -> None:
    invitation = create_account(library.store, "ines", role="reader", display="Ines <b>")
    path = f"/account/invitation/{invitation}"
    page = await visitor.get(path)
    assert "For the account ines" in page.words
    short = await visitor.send(path, password="short", again="short")
    assert short.status == 400
    assert "12 to 256 characters" in short.words
    unlike = await visitor.send(path, password=GOOD, again=GOOD + "x")
    assert "not typed twice alike" in unlike.words
    done = await visitor.send(path, password=GOOD, again=GOOD)
    assert done.location == "/account"
    assert "Ines <b>" in (await visitor.get("/account")).words
    used = await visitor.get(path)
    assert used.status == 404
    assert "not good any more" in used.words


async def test_changing_the_password_signs_others_out(visitor: Visitor, library: Library) -> None:
    path = f"/account/invitation/{create_account(library.store, 'otto', role='reader')}"
    await visitor.send(path, password=GOOD, again=GOOD)
    async with visiting(library) as other:
        await other.sign_in("otto")
        assert (await other.get("/account")).status == 200
        wrong = await visitor.send(
            "/account", "/account/password", present="no", password="apples " * 3, again="apples " * 3
        )
        assert wrong.status == 401
        new = "apples in the cellar"
        done = await visitor.send("/account", "/account/password", present=GOOD, password=new, again=new)
        assert done.location == "/account"
        assert (await visitor.get("/account")).status == 200
        assert (await other.get("/account")).location == "/account/sign-in"
        assert (await other.sign_in("otto")).status == 401
        assert (await other.sign_in("otto", new)).location == "/account"
        await visitor.send("/account", "/account/sign-out-everywhere")
        assert (await other.get("/account")).location == "/account/sign-in"


async def test_a_session_ends_by_itself(library: Library) -> None:
    async with visiting(library, session_idle=0) as visitor:
        await visitor.sign_in()
        assert (await visitor.get("/account")).location == "/account/sign-in"


async def test_without_accounts_nobody_signs_in_here(library: Library) -> None:
    async with visiting(library, accounts=False) as visitor:
        page = await visitor.get("/account/sign-in")
        assert page.page.xpath("//main//form") == []
        kept = visitor.cookie()
        form = {"form_token": form_token(kept), "name": "maria", "password": GOOD}
        assert (await visitor.ask("POST", "/account/sign-in", data=form)).location is None
        assert (await visitor.get("/account")).location == "/account/sign-in"


async def test_without_accounts_those_of_before_are_no_way_in(library: Library) -> None:
    """Neither a session that began when there were some, nor an invitation."""
    invitation = create_account(library.store, "zoe", role="administrator")
    async with visiting(library) as visitor:
        await visitor.sign_in()
        kept = visitor.cookie()
    async with visiting(library, accounts=False) as visitor:
        led = await visitor.get("/account", headers={"Cookie": f"session={kept}"})
        assert led.location == "/account/sign-in"
        path = f"/account/invitation/{invitation}"
        assert (await visitor.get(path)).status == 404
        await visitor.get("/account/sign-in")
        form = {"form_token": form_token(visitor.cookie()), "password": GOOD, "again": GOOD}
        assert (await visitor.ask("POST", path, data=form)).status == 404
        assert (await visitor.get("/account")).location == "/account/sign-in"
    assert not [one for one in accounts(library.store) if one["name"] == "zoe" and one["state"] == "active"]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"name=maria&form_token=" + b"x" * 100_000, "application/x-www-form-urlencoded", 413),
        (b"a=b&" * 200, "application/x-www-form-urlencoded", 400),
        (b"\xff\xfe", "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 400),
        (b"", "text/plain", 400),
        (b"--x\r\n\r\n", "multipart/form-data", 400),
        (b"nothing", "multipart/form-data; boundary=x", 400),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\nv\r\n--x--\r\n", "multipart/form-data; boundary=x", 400),
    ],
)
async def test_what_is_no_form(visitor: Visitor, body: bytes, kind: str, status: int) -> None:
    seen = await visitor.ask("POST", "/account/sign-in", data=body, headers={"Content-Type": kind})
    assert seen.status == status, seen.words


async def test_in_another_language(visitor: Visitor) -> None:
    page = await visitor.get("/account/sign-in?lang=fr")
    assert "Se connecter" in page.words
    assert page.page.xpath("//main//form/@action") == ["/account/sign-in?lang=fr"]


async def test_a_session_is_shared_by_processes_of_one_store(library: Library, tmp_path: Path) -> None:
    async with visiting(library) as one, visiting(library) as two:
        await one.sign_in()
        assert (await two.get("/account", headers={"Cookie": f"session={one.cookie()}"})).status == 200
