"""The browser fixture, and what a run without a browser says."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHECKOUT = Path(__file__).resolve().parents[1]
PAGE = b"<!doctype html><html lang=fr><title>Donn\xc3\xa9es</title><table><td>158009795</table>"
BROWSER_SUITE = """
def test_page(page):
    page.goto("about:blank")

async def test_asynchronous():
    pass
"""


class OnePage(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), OnePage) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.browser
def test_a_page_is_read_in_a_real_browser(page: Page, address: str) -> None:
    page.goto(address)
    assert page.title() == "Données"
    assert page.locator("td").inner_text() == "158009795"


def run_without_browser(folder: Path, required: str) -> str:
    (folder / "test_pages.py").write_text(BROWSER_SUITE, encoding="utf-8")
    environment = {**os.environ, "PATH": str(folder), "REQUIRE_BROWSER": required}
    environment.pop("CHROMIUM", None)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", CHECKOUT / "pyproject.toml", "--rootdir", folder),
            *("-p", "tests.conftest", "-p", "no:cacheprovider", "-n", "0", folder / "test_pages.py"),
        ],
        cwd=CHECKOUT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def test_without_a_browser_the_run_says_so(tmp_path: Path) -> None:
    said = run_without_browser(tmp_path, required="")
    assert "1 passed, 1 skipped" in said
    assert "Chromium absent: 1 browser tests left out" in said


def test_without_a_required_browser_the_test_fails(tmp_path: Path) -> None:
    said = run_without_browser(tmp_path, required="1")
    assert "1 passed, 1 error" in said
    assert "Chromium absent" in said
