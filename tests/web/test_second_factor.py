"""The second factor on the pages: set up, signing in with it, and taking it away."""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import segno
from lxml import html

from sdmx_service.auth.accounts import accept_invitation, create_account, find_account, invite
from sdmx_service.auth.seal import Seal, is_sealed
from sdmx_service.auth.second_factor import STEP, code_at, has_second, new_secret, wanted_secret
from sdmx_service.auth.tokens import digest
from sdmx_service.catalog.library import Library
from tests.web.orchard import orchard
from tests.web.signing import GOOD, Visitor, visiting

ACCOUNT = "/account"


@pytest.fixture
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with orchard(tmp_path_factory.mktemp("orchard")) as opened:
        accept_invitation(opened.store, create_account(opened.store, "rita", role="reader", display="Rita"), GOOD)
        yield opened


@pytest.fixture
async def visitor(library: Library, tmp_path: Path) -> AsyncIterator[Visitor]:
    async with visiting(library, key_file=tmp_path / "key") as opened:
        await opened.sign_in("rita")
        yield opened


async def set_up(visitor: Visitor) -> str:
    assert (await visitor.send(ACCOUNT, f"{ACCOUNT}/second-factor/want")).location == ACCOUNT
    page = await visitor.get(ACCOUNT)
    (secret,) = page.page.xpath("//section[@aria-labelledby='second']//code/text()")
    (link,) = page.page.xpath("//a[starts-with(@href, 'otpauth://totp/')]/@href")
    assert f"secret={secret}" in link
    assert re.fullmatch("[A-Z2-7]{32}", secret)
    done = await visitor.send(ACCOUNT, f"{ACCOUNT}/second-factor/set", present=GOOD, first=code_at(secret, time.time()))
    assert done.location == ACCOUNT
    return str(secret)


def later(secret: str) -> str:
    """A code that was not used yet: that of the next step, which counts already."""
    return code_at(secret, time.time() + STEP)


async def test_it_is_set_up_asked_for_and_taken_away(visitor: Visitor, library: Library) -> None:
    secret = await set_up(visitor)
    page = await visitor.get(ACCOUNT)  # still signed in, with a new session
    assert page.status == 200
    assert secret not in page.words
    visitor.forget()
    refused = await visitor.sign_in("rita")
    assert (refused.status, refused.location) == (401, None)
    seen = await visitor.send("/account/sign-in", name="rita", password=GOOD, code=later(secret))
    assert (seen.status, seen.location) == (303, ACCOUNT)
    kept = await visitor.send(ACCOUNT, f"{ACCOUNT}/second-factor/remove", present=GOOD, code="000000")
    assert kept.status == 401
    assert has_second(find_account(library.store, "rita"))
    acts = [one.act for one in library.store.log() if one.object == "account rita"]
    assert "set up second factor" in acts


async def test_with_password_and_code_it_is_removed(visitor: Visitor, library: Library) -> None:
    secret = await set_up(visitor)
    done = await visitor.send(ACCOUNT, f"{ACCOUNT}/second-factor/remove", present=GOOD, code=later(secret))
    assert done.location == ACCOUNT
    assert not has_second(find_account(library.store, "rita"))
    assert "Set up a second factor" in (await visitor.get(ACCOUNT)).words


@pytest.mark.parametrize(("present", "is_right"), [("wrong", True), (GOOD, False)])
async def test_setting_it_up_needs_the_password_and_a_first_code(
    visitor: Visitor, library: Library, tmp_path: Path, present: str, is_right: bool
) -> None:
    await visitor.send(ACCOUNT, f"{ACCOUNT}/second-factor/want")
    session = digest(visitor.cookie())
    secret = wanted_secret("rita", find_account(library.store, "rita"), Seal(tmp_path / "key"), session)
    assert secret is not None
    first = code_at(secret, time.time()) if is_right else "000000"
    answer = await visitor.send(ACCOUNT, f"{ACCOUNT}/second-factor/set", present=present, first=first)
    assert answer.status == (401 if is_right else 400)
    assert answer.page.xpath("//*[@id='problem']")
    assert not has_second(find_account(library.store, "rita"))


async def test_a_secret_is_of_the_browser_that_wanted_it(visitor: Visitor, library: Library, tmp_path: Path) -> None:
    """Else who had somebody's browser for a minute would know the secret that the owner lets count later."""
    await visitor.send(ACCOUNT, f"{ACCOUNT}/second-factor/want")
    (theirs,) = (await visitor.get(ACCOUNT)).page.xpath("//section[@aria-labelledby='second']//code/text()")
    async with visiting(library, key_file=tmp_path / "key") as owner:
        await owner.sign_in("rita")
        assert "Set up a second factor" in (await owner.get(ACCOUNT)).words
        form = {"present": GOOD, "first": code_at(theirs, time.time())}
        assert (await owner.send(ACCOUNT, f"{ACCOUNT}/second-factor/set", **form)).status == 400
        assert not has_second(find_account(library.store, "rita"))
        own = await set_up(owner)
    assert own != theirs
    assert has_second(find_account(library.store, "rita"))


async def test_a_second_secret_is_not_made_over_one_that_counts(
    visitor: Visitor, library: Library, tmp_path: Path
) -> None:
    secret = await set_up(visitor)
    await visitor.send(ACCOUNT, f"{ACCOUNT}/second-factor/want")
    document = find_account(library.store, "rita")
    assert document["second_wanted"] is None
    assert is_sealed(document["second"]["secret"])
    assert Seal(tmp_path / "key").opened(document["second"]["secret"], "rita") == secret


async def test_another_password_needs_the_code_too(visitor: Visitor) -> None:
    secret = await set_up(visitor)
    words = {"password": "apples in the attic", "again": "apples in the attic", "present": GOOD}
    assert (await visitor.send(ACCOUNT, f"{ACCOUNT}/password", **words)).status == 401
    assert (await visitor.send(ACCOUNT, f"{ACCOUNT}/password", **words, code=later(secret))).location == ACCOUNT


async def test_an_invitation_is_no_way_around_it(visitor: Visitor, library: Library) -> None:
    await set_up(visitor)
    visitor.forget()
    page = f"/account/invitation/{invite(library.store, 'rita')}"
    words = {"password": "apples in the attic", "again": "apples in the attic"}
    assert (await visitor.send(page, **words)).location == "/account/sign-in"
    assert (await visitor.get(ACCOUNT)).location == "/account/sign-in"


async def test_without_a_place_for_the_key_nothing_is_set_up(library: Library, tmp_path: Path) -> None:
    async with visiting(library, key_file=tmp_path / "nowhere" / "key") as visitor:
        await visitor.sign_in("rita")
        refused = await visitor.send(ACCOUNT, f"{ACCOUNT}/second-factor/want")
    assert refused.status == 400
    assert "--key-file" in refused.words
    assert find_account(library.store, "rita").get("second_wanted") is None


async def test_secrets_of_earlier_versions_are_sealed_at_the_start(library: Library, tmp_path: Path) -> None:
    plain = new_secret()
    kept = {**find_account(library.store, "rita"), "second": {"secret": plain, "used": -1}}
    library.store.save_document("account", "rita", kept)
    async with visiting(library, key_file=tmp_path / "key") as visitor:
        now = find_account(library.store, "rita")
        assert plain not in json.dumps(now)
        assert Seal(tmp_path / "key").opened(now["second"]["secret"], "rita") == plain
        code = code_at(plain, time.time())
        assert (await visitor.send("/account/sign-in", name="rita", password=GOOD, code=code)).location == ACCOUNT


async def test_the_picture_says_what_the_link_says(visitor: Visitor) -> None:
    await visitor.send(ACCOUNT, f"{ACCOUNT}/second-factor/want")
    page = (await visitor.get(ACCOUNT)).page
    (link,) = page.xpath("//a[starts-with(@href, 'otpauth://totp/')]/@href")
    (picture,) = page.xpath("//section[@aria-labelledby='second']//*[local-name()='svg']")
    assert not [one for one in picture.iter() if {"style", "onload"} & set(one.attrib)]
    assert dark_squares(picture) == {
        (x + 4, y + 4)
        for y, row in enumerate(segno.make(link, error="m", micro=False).matrix)
        for x, is_dark in enumerate(row)
        if is_dark
    }


def dark_squares(picture: html.HtmlElement) -> set[tuple[int, int]]:
    """The squares of the picture that are dark: its path draws lines through their middles."""
    (path,) = picture.xpath("./*[local-name()='path'][@stroke='#000']/@d")
    found, x, y = set(), 0.0, 0.0
    for step, numbers in re.findall(r"([Mmh])([^Mmh]+)", path):
        first, *second = (float(one) for one in re.findall(r"-?[0-9.]+", numbers))
        if step == "h":
            found |= {(int(x) + number, int(y)) for number in range(int(first))}
            x += first
        else:
            x, y = (first, second[0]) if step == "M" else (x + first, y + second[0])
    return found


async def test_other_browsers_are_signed_out(visitor: Visitor) -> None:
    kept = visitor.cookie()
    await set_up(visitor)
    visitor.forget()
    assert (await visitor.get(ACCOUNT, headers={"Cookie": f"session={kept}"})).location == "/account/sign-in"
