"""The kit covers the whole checklist, measures our own service, and tells faults from merits."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sdmx_service.auth import create_token
from tests.clients.serving import served
from tests.conformance.checklist import LINES, SECTIONS, section_of
from tests.conformance.report import Result, as_json, as_markdown, run
from tests.conformance.site import Site
from tests.conformance.verdicts import CHECKS, WORDS
from tests.rest.every_type import open_every_type

NAME = "this service, with the content of the tests (every type of artefact, figures of two providers)"
"""``CONFORMANCE_DOCUMENT=docs/conformance.md`` writes the document of this run."""
DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "conformance.md"
SHOWN = json.loads((Path(__file__).parent / "shown.json").read_text(encoding="utf-8"))
KIT = sorted(Path(__file__).parent.glob("*.py"))


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, list[Result]]]:
    with open_every_type(tmp_path_factory.mktemp("kit") / "house") as house, served(house.library) as base:
        token, _ = create_token(house.library.store, role="administrator")
        site = Site(f"{base}/sdmx/v2", f"{base}/sdmx/v1", token)
        results = run(site, SHOWN)
        site.close()
        yield site, results


def test_every_line_has_a_check_and_a_place() -> None:
    assert set(CHECKS) == set(LINES)
    assert {section_of(id) for id in LINES} == set(SECTIONS)
    assert all(re.fullmatch(r"\d\.\d{1,2}-\d\d", id) for id in LINES)


def test_the_kit_knows_nothing_of_the_program() -> None:
    for path in KIT:
        if not path.name.startswith("test_"):
            assert "sdmx_service" not in path.read_text(encoding="utf-8"), path.name


def test_our_service(measured: tuple[Site, list[Result]]) -> None:
    _, results = measured
    assert [one.id for one in results] == list(LINES)
    assert not [one for one in results if "cannot be understood" in one.why]
    wrong = {one.id: one.why for one in results if one.verdict == "not met"}
    assert wrong == {}
    assert {one.id for one in results if one.verdict == "not built"} == {"2.7-07"}  # subscriptions
    assert not [one for one in results if one.verdict == "not testable"]
    if path := os.environ.get("CONFORMANCE_DOCUMENT"):
        Path(path).write_text(as_markdown(results, NAME, measured[0]), encoding="utf-8")


def test_what_no_request_can_see_is_shown_by_tests_that_are_there() -> None:
    for names in SHOWN.values():
        for name in names:
            path, _, function = name.partition("::")
            text = (Path(__file__).parent.parent.parent / path).read_text(encoding="utf-8")
            assert re.search(rf"^ *def {function}\(", text, re.MULTILINE), name


def test_the_document_is_of_the_kit(measured: tuple[Site, list[Result]]) -> None:
    """The committed table has the lines of the checklist; its figures are those of the last run."""
    site, results = measured
    made = as_markdown(results, "a service", site)
    committed = DOCUMENT.read_text(encoding="utf-8")
    for text in (made, committed):
        told = re.findall(r"^\| (\d\.\d+-\d\d) \| (.+?) \| (\w[\w ]*?)(?::.*)? \|$", text, re.MULTILINE)
        assert [(id, line) for id, line, _ in told] == [(id, LINES[id]) for id in sorted(LINES, key=_place)]
        assert {verdict for _, _, verdict in told} <= set(WORDS)
    assert as_json(results, "a service", site).count('"id"') == len(LINES)


def _place(id: str) -> tuple[int, str]:
    return list(SECTIONS).index(section_of(id)), id


class Careless(BaseHTTPRequestHandler):
    """A server that answers everything with one page."""

    def do_GET(self) -> None:
        body = b"<html>hello</html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_GET  # noqa: N815 - names of the library

    def log_message(self, *arguments: object) -> None:
        """Silent."""


def test_a_careless_service_meets_nothing() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Careless)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        base = f"http://127.0.0.1:{server.server_port}"
        site = Site(f"{base}/v2", f"{base}/v1", "token", timeout=5)
        results = run(site, SHOWN)
        site.close()
        assert [one.id for one in results if one.verdict == "met"] == []
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
