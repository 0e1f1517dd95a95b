"""The whole way in a real browser: an invitation, signing in, a file with errors, the findings, the corrected file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from sdmx_service.auth.accounts import create_account
from sdmx_service.catalog.library import Library
from tests.web.orchard import PROVIDER, orchard, serving
from tests.web.signing import GOOD, RIGHT, WRONG, add_accounts
from tests.web.test_pages_in_browser import complaints

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
__all__ = ["complaints"]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with orchard(tmp_path_factory.mktemp("orchard")) as opened:
        add_accounts(opened)
        yield opened


@pytest.fixture(scope="module")
def address(library: Library) -> Iterator[str]:
    with serving(library) as opened:
        yield opened


def sign_in(page: Page, address: str) -> None:
    page.goto(f"{address}/sending")
    page.get_by_label("Account name").fill("maria")
    page.get_by_label("Password").fill(GOOD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/sending")


def choose(page: Page, body: bytes, name: str = "harvest.csv") -> None:
    page.get_by_label("File: SDMX message").set_input_files({"name": name, "mimeType": "text/csv", "buffer": body})


@pytest.mark.parametrize("width", [1280, 360])
def test_from_the_invitation_to_the_accepted_file(
    page: Page, complaints: list[str], address: str, library: Library, tmp_path: Path, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    invitation = create_account(
        library.store, f"ines{width}", role="provider", provider=PROVIDER, display="Ines Duarte"
    )
    page.goto(f"{address}/account/invitation/{invitation}")
    page.get_by_label("New password").fill(GOOD)
    page.get_by_label("The same once more").fill(GOOD)
    page.get_by_role("button", name="Set password and sign in").click()
    page.wait_for_url("**/sending")
    assert "Signed in as Ines Duarte" in page.locator("main").inner_text()
    choose(page, WRONG)
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_url("**/sending/S*")
    assert "Nothing of the file was taken" in page.locator("main").inner_text()
    row = page.locator("section.cause", has_text="F401").locator("tbody tr").first
    assert row.locator("td").all_inner_texts()[:4] == ["3", "FRUIT", "PAER", "PEAR"]
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.screenshot(path=tmp_path / f"findings-{width}.png", full_page=True)
    with page.expect_download() as download:
        page.get_by_role("link", name="Your table, marked (Excel)").click()
    assert download.value.suggested_filename.endswith(".xlsx")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Send data").click()
    choose(page, RIGHT)
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_url("**/sending/S*")
    assert "waits for publication" in page.locator("main").inner_text()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Send data").click()
    assert page.locator("tbody tr").count() >= 2
    page.screenshot(path=tmp_path / f"sending-{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.get_by_role("link", name="Account").click()
    page.screenshot(path=tmp_path / f"account-{width}.png", full_page=True)
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url("**/account/signed-out")
    page.goto(f"{address}/sending")
    assert page.url.endswith("/account/sign-in")
    assert [one for one in complaints if not one.endswith("findings.xlsx")] == []  # a download ends its request


def test_by_keyboard_and_without_javascript(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/account/sign-in")
    page.get_by_label("Account name").focus()
    page.keyboard.type("maria")
    page.keyboard.press("Tab")
    page.keyboard.type(GOOD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/sending")
    choose(page, WRONG)
    page.get_by_role("button", name="Only check").focus()
    page.keyboard.press("Enter")
    page.locator("section.cause").first.wait_for()
    assert "it would be refused" in page.locator("main").inner_text()
    context.close()


def test_a_wrong_password_is_said_aloud_and_the_field_is_empty(page: Page, complaints: list[str], address: str) -> None:
    page.goto(f"{address}/account/sign-in")
    page.get_by_label("Account name").fill("maria")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    assert "do not fit together" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Account name").input_value() == "maria"
    assert page.get_by_label("Password").input_value() == ""


def test_another_site_cannot_send(page: Page, address: str) -> None:
    """A form on another origin, in the same browser: the session's cookie does not go with it, nor its token."""
    sign_in(page, address)
    form = f'<form method="post" action="{address}/account/sign-out"><input name="form_token" value="x"><button>Go</button></form>'
    page.goto(f"data:text/html,{quote(form)}")
    page.get_by_role("button", name="Go").click()
    page.wait_for_url(f"{address}/**")
    assert "This may not be done" in page.locator("h1").inner_text()
    page.goto(f"{address}/account")
    assert page.url.endswith("/account")


def test_every_field_has_a_label(page: Page, address: str) -> None:
    sign_in(page, address)
    for path in ("/account/sign-in", "/account", "/sending"):
        page.goto(address + path)
        bare = page.evaluate(
            """() => [...document.querySelectorAll("main input:not([type=hidden]):not([aria-hidden]), main select")]
                .filter((one) => !one.labels.length && !one.getAttribute("aria-label")).length"""
        )
        assert bare == 0, path
        assert page.locator("h1").count() == 1
