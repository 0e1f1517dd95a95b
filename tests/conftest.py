"""What all tests share: the reference folder, a real PostgreSQL, Chromium, and the closing words about what was left out."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from tests.postgres_server import PostgresServer, running_postgres
from tests.reference import ABSENT, Specimen, select_specimens, shared_folder, specimens

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NO_BROWSER = "Chromium absent"

hypothesis.settings.register_profile("dev", deadline=None, max_examples=50)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=100, derandomize=True, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


# --- the shared reference folder -----------------------------------------------------------------


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared reference folder; a test that asks for it is left out, and counted, where it is absent."""
    folder = shared_folder()
    if folder is None:
        pytest.skip(f"{ABSENT}: SDMX_SHARED does not name it and there is none beside the checkout")
    return folder


@pytest.fixture(scope="session", name="specimens")
def all_specimens(shared: Path) -> tuple[Specimen, ...]:
    """Every specimen of the manifest; tests.reference.select_specimens picks some of them."""
    return specimens()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with the argument ``specimen`` once per specimen that its marker ``specimens(...)`` asks for."""
    if "specimen" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("specimens")
    where: dict[str, Any] = dict(marker.kwargs) if marker else {}
    if shared_folder() is None:
        missing = pytest.mark.skip(reason=f"{ABSENT}: specimens {where}")
        metafunc.parametrize("specimen", [pytest.param(None, marks=missing, id="absent")])
        return
    found = select_specimens(**where)
    assert found, f"no specimen is {where}"
    metafunc.parametrize("specimen", found, ids=str)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the name of a golden case to the test's reports, where the closing summary finds it also under xdist."""
    for item in items:
        item.user_properties.extend(("golden", marker.args[0]) for marker in item.iter_markers("golden"))


def pytest_report_header() -> list[str]:
    """Say at the top what real things the run has at hand."""
    return [
        f"shared reference folder: {shared_folder() or 'absent'}",
        f"chromium: {chromium_path() or 'absent'}",
        f"hypothesis profile: {hypothesis.settings.get_current_profile_name()}",
    ]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end what was left out, and why: a skipped test must not look like a passed one."""
    skipped = [each for each in terminalreporter.stats.get("skipped", ()) if isinstance(each.longrepr, tuple)]
    without_folder = [each for each in skipped if ABSENT in each.longrepr[2]]
    without_browser = [each for each in skipped if NO_BROWSER in each.longrepr[2]]
    if not without_folder and not without_browser:
        return
    terminalreporter.section("left out")
    if without_folder:
        golden = sorted({case for each in without_folder for name, case in each.user_properties if name == "golden"})
        terminalreporter.line(f"{ABSENT}: {len(without_folder)} tests left out")
        terminalreporter.line(f"golden cases left out on the whole files: {', '.join(golden) or 'none'}")
    if without_browser:
        terminalreporter.line(f"{NO_BROWSER}: {len(without_browser)} browser tests left out")


# --- PostgreSQL ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL, one for each test process, started when the first test asks for it."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> str:
    """The address of the server's own database ``postgres``; whoever stores something takes ``postgres_database``."""
    return postgres_server.url()


@pytest.fixture
def postgres_database(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of a fresh, empty database, dropped after the test."""
    name = f"test_{uuid.uuid4().hex}"
    yield postgres_server.create_database(name)
    postgres_server.drop_database(name)


# --- Chromium ------------------------------------------------------------------------------------


def chromium_path() -> str | None:
    """Return the browser's executable, or None where there is none."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium. Where it is absent the test is left out with a word; with REQUIRE_BROWSER=1 it fails.

    One for each module, not for the whole run: while playwright runs, its event loop occupies the thread, and no
    asynchronous test could run there. So a module has browser tests or asynchronous ones, not both.
    """
    executable = chromium_path()
    if executable is None:
        stop = pytest.fail if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip
        stop(f"{NO_BROWSER}: install the package chromium, or name the executable in CHROMIUM")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page in a context of its own, with nothing cached and no cookie."""
    context = browser.new_context()
    yield context.new_page()
    context.close()
