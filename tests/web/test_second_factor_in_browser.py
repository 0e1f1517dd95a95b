"""Setting up a second factor in a real browser: the picture that an app reads is there, and the policy holds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sdmx_service.auth.second_factor import code_at
from tests.web.orchard import orchard, serving
from tests.web.signing import GOOD, add_accounts
from tests.web.test_pages_in_browser import complaints

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
__all__ = ["complaints"]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with orchard(tmp_path) as library:
        add_accounts(library)
        with serving(library, key_file=tmp_path / "key") as opened:
            yield opened


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_the_picture_is_seen_and_the_first_code_counts(
    page: Page, complaints: list[str], address: str, tmp_path: Path, width: int, scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{address}/account/sign-in")
    page.get_by_label("Account name").fill("rita")
    page.get_by_label("Password").fill(GOOD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/account")
    page.get_by_role("button", name="Set up a second factor").click()
    picture = page.locator("svg.qr")
    box = picture.bounding_box()
    assert box is not None
    assert box["width"] == box["height"] >= 180
    assert box["x"] + box["width"] <= width
    fills = picture.evaluate(
        "(one) => [...one.querySelectorAll('path')].map((p) => getComputedStyle(p)).map((s) => [s.fill, s.stroke])"
    )
    assert fills[0][0] == "rgb(255, 255, 255)"  # white and black, also where the page is dark
    assert fills[1][1] == "rgb(0, 0, 0)"
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.screenshot(path=tmp_path / f"second-factor-{width}.png", full_page=True)
    secret = page.locator("section[aria-labelledby=second] code").inner_text()
    page.get_by_label("Present password").last.fill(GOOD)
    page.get_by_label("Code that the app shows").fill(code_at(secret, time.time()))
    page.get_by_role("button", name="Let it count").click()
    page.get_by_role("button", name="Remove the second factor").wait_for()
    assert complaints == []
