"""The commands of a submission's later life, on a store and with a service that holds it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sdmx_service.app.stores import open_store
from sdmx_service.auth import create_token
from sdmx_service.catalog.library import Library
from sdmx_service.cli import main
from sdmx_service.errors import StorageFault
from sdmx_service.settings import Settings
from tests.clients.serving import served
from tests.workflow.office import CONTENT, figures


class Shell:
    """Runs commands on one folder; what they print."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def __call__(self, *words: str, status: int = 0) -> str:
        found = main([*words, "--data", str(self.folder / "data")])
        told = self.capsys.readouterr()
        assert found == status, (words, told.err)
        return told.out if status == 0 else told.out + told.err

    def submit(self, message: bytes, *words: str) -> str:
        path = self.folder / "catch.csv"
        path.write_bytes(message)
        told = self("submit", str(path), "--provider", "SEA.HARBOUR", "--format", "json", *words)
        return str(json.loads(told)["receipt"]["id"])


@pytest.fixture(params=["store", "service"])
def shell(request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    """Commands that open the store, and commands that find it held by a service."""
    shell = Shell(tmp_path, capsys)
    shell("init", "--content", str(CONTENT))
    if request.param == "store":
        yield shell
        return
    settings = Settings(data=tmp_path / "data")
    store = open_store(settings)
    try:
        with served(Library(store)) as address:
            note = {"url": address, "token": create_token(store, role="administrator")[0]}
            (tmp_path / "data" / "service.json").write_text(json.dumps(note))
            request.getfixturevalue("monkeypatch").setattr("sdmx_service.app.stores.open_store", _held)
            yield shell
    finally:
        store.close()


def _held(*_: Any, **__: Any) -> None:
    """What another process would meet; within one, DuckDB opens the file again."""
    raise StorageFault("in use")


EVIL = "old\n9  2026-01-01T00:00:00  boss (administrator)  publish  S9\x1b[2K"


def test_no_text_looks_like_an_entry_of_its_own(shell: Shell, tmp_path: Path) -> None:
    """Whoever withdraws or comments writes what an administrator reads on a terminal."""
    sent = shell.submit(figures(COD_2024_01="5"))
    shell("comment", sent, EVIL)
    shell("withdraw", sent, "--reason", EVIL)
    for told in (shell("log"), shell("comment", sent)):
        assert "\x1b" not in told
        assert "boss (administrator)" in told
        assert not [one for one in told.splitlines() if one.startswith("9  2026")]


def test_the_life_of_a_submission(shell: Shell, tmp_path: Path) -> None:
    first = shell.submit(figures(COD_2024_01="5", EEL_2024_01="6"))
    shell("comment", first, "Is it final?")
    assert "Is it final?" in shell("comment", first)
    assert "approved" in shell("approve", first, "--comment", "fine")
    made = shell("embargo", "create", "DF_CATCH", "--slice", "FISH=COD,EEL", "--at", "2099-01-01T08:00",
                 "--zone", "Europe/Malta", "--reason", "press")  # fmt: skip
    assert "2099-01-01T07:00:00+00:00" in made
    assert "scheduled" in json.loads(shell("receipt", first))["status"]
    assert "2099-01-01T08:00 Europe/Malta" in shell("publish", first, status=2)
    assert "accepted" not in shell("hold", first)
    assert "scheduled for 2099" in shell("schedule", first)
    embargo = shell("embargo", "list").split()[0]
    assert "lifted by" in shell("embargo", "lift", embargo, "--reason", "leaked")
    assert json.loads(shell("receipt", first))["release"] == 1
    shell("publish-due")

    second = shell.submit(figures(COD_2024_01="7", NA_2024_01="1"), "--corrects", first)
    assert "WEIGHT" in shell("difference", second)
    refused = shell.submit(figures(COD_2024_01="9"))
    assert "refused" in shell("refuse", refused, "--reason", "old figures")
    withdrawn = shell.submit(figures(COD_2024_01="9"))
    assert "withdrawn" in shell("withdraw", withdrawn)
    assert "published in release 2" in shell("publish", second, "--comment", "second edition")

    told = shell("releases", "diff", "1", "2")
    assert '"M.SOU.COD.2024-01","WEIGHT","changed","5","7"' in told
    target = tmp_path / "diff.xml"
    shell("releases", "diff", "1", "2", "-o", str(target))
    assert b"Merge" in target.read_bytes()
    shell("releases", "diff", "1", "2", "--dataflow", "DF_CATCH", "-o", str(tmp_path / "diff.html"))
    assert "<table>" in (tmp_path / "diff.html").read_text()
    assert shell("releases", "diff", "2", "2", "--accept", "application/vnd.sdmx.data+json;version=2.1.0") == ""
    assert "Release 3 has the state of release 1." in shell("restore", "1", "--reason", "a slip")
    assert "restores release 1: a slip" in shell("releases")

    log = shell("log")
    assert [line.split("  ")[3] for line in log.splitlines() if first in line] == [
        "submit", "accept", "comment", "approve", "schedule", "hold", "schedule", "schedule", "publish", "supersede"
    ]  # fmt: skip
    assert "a slip" in shell("log", "--object", "release 1")
    verdict = shell("log", "--verify")
    assert "The log is whole." in verdict
    mark = verdict.splitlines()[0].split()[-1]
    assert "The log is whole." in shell("log", "--verify", "--mark", mark)
    assert "another hash" in shell("log", "--verify", "--mark", f"1:{'0' * 64}", status=1)
    assert shell("calendar") == "" and json.loads(shell("calendar", "--format", "json"))["expected"] == []
    assert "VCALENDAR" in shell("calendar", "--format", "ics")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["publish", "S0"], "There is no submission"),
        (["approve", "S0"], "There is no submission"),
        (["embargo", "create", "DF_CATCH"], "until when"),
        (["embargo", "create", "DF_CATCH", "--at", "2099-01-01T08:00", "--slice", "FISH"], "names no slice"),
        (["embargo", "lift"], "Say which"),
        (["embargo", "lift", "E0", "--reason", "x"], "no embargo"),
        (["releases", "diff", "1"], "Write releases diff A B"),
        (["releases", "diff", "0", "9"], "no release 9"),
        (["restore", "9"], "no release 9"),
        (["log", "--verify", "--mark", "x"], "no mark"),
    ],
)
def test_what_cannot_be_done_says_why(shell: Shell, words: list[str], said: str) -> None:
    assert said in shell(*words, status=2)
