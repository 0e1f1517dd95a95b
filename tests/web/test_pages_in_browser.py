"""The pages in a real browser: nothing the policy forbids, everything by keyboard, and without JavaScript too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.web.orchard import FARMS, FLOW, YEARS, orchard, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
TOTAL = 2 * FARMS * len(YEARS)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with orchard(tmp_path_factory.mktemp("orchard")) as library, serving(library) as opened:
        yield opened


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the browser says against a page: console messages (policy violations are among them), errors, lost requests."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("requestfailed", lambda request: said.append(request.url))
    return said


@pytest.mark.parametrize(
    "path", ["/", FLOW, "/structures", "/codelists/ORCH/CL_FRUIT/1.0.0", FLOW + "?c.FARM=F3&lang=fr"]
)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_nothing_is_said_against_a_page(
    page: Page, complaints: list[str], address: str, tmp_path: Path, path: str, width: int, scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(address + path)
    page.wait_for_load_state("networkidle")
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (scheme == "dark")
    assert len(page.screenshot(path=tmp_path / "page.png", full_page=True)) > 5_000


def test_the_filter_works_by_keyboard(page: Page, complaints: list[str], address: str) -> None:
    page.goto(address + FLOW)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")  # the crumb
    page.keyboard.press("Tab")  # the sources
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("2019")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # the first fruit
    page.keyboard.press("Enter")
    page.wait_for_url("**start=2019**")
    assert "c.FRUIT=PEAR" in page.url
    assert f"{FARMS * 2} observations" in page.locator("p.count").inner_text()
    assert page.locator("table.data tbody tr").count() == FARMS * 2
    assert complaints == []


def test_a_long_list_is_narrowed(page: Page, address: str) -> None:
    page.goto(address + FLOW)
    page.locator("details.filter > summary").click()
    page.get_by_label("Narrow the list: Farm").fill("farm 39")
    assert page.locator("select[name='c.FARM'] option:not([hidden])").count() == 1
    page.locator("select[name='c.FARM']").select_option("F39")
    page.get_by_role("button", name="Show these figures").click()
    page.wait_for_url("**c.FARM=F39**")
    assert page.locator("table.data tbody tr").count() == 2 * len(YEARS)
    assert page.locator("select[name='c.FARM']").evaluate("one => one.value") == "F39"


def test_figures_stand_right_in_equal_digits(page: Page, address: str) -> None:
    page.goto(address + FLOW)
    figure = page.locator("table.data td.figure").first
    style = figure.evaluate("one => [getComputedStyle(one).textAlign, getComputedStyle(one).fontVariantNumeric]")
    assert style[0] in ("right", "end")
    assert "tabular-nums" in style[1]


def test_everything_works_without_javascript(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + FLOW)
    page.locator("details.filter > summary").click()
    page.locator("select[name='c.FARM']").select_option(["F3", "F4"])
    page.get_by_role("button", name="Show these figures").click()
    assert "c.FARM=F3&c.FARM=F4" in page.url
    assert page.locator("table.data tbody tr").count() == 4 * len(YEARS)
    page.goto(address + FLOW)
    page.get_by_role("link", name="Next page").click()
    assert "offset=100" in page.url
    assert page.locator("table.data tbody tr").count() == 100
    page.get_by_role("link", name="Français").click()
    assert page.locator("html").get_attribute("lang") == "fr"
    assert "offset=100" in page.url
    context.close()
