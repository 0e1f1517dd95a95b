"""Every setting can be set: `serve` has an option for it, and says what it is for."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from sdmx_service.cli import main
from sdmx_service.settings import Settings

SAID: dict[str, tuple[list[str], Any]] = {
    "data": (["--data", "x"], Path("x")),
    "store": (["--store", "duckdb:///x"], "duckdb:///x"),
    "content": (["--content", "x"], Path("x")),
    "models": (["--models", "x"], Path("x")),
    "bulk": (["--bulk", "x"], Path("x")),
    "openid": (["--openid", "x"], Path("x")),
    "key_file": (["--key-file", "x"], Path("x")),
    "read_models": (["--no-models"], False),
    "accounts": (["--no-accounts"], False),
    "port": (["--port", "1"], 1),
    "fetch_seconds": (["--fetch-seconds", "1.5"], 1.5),
    "memory_limit": (["--memory-limit", "64MB"], "64MB"),
    "workspace_memory": (["--workspace-memory", "2 GB"], "2 GB"),
}


def served(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Settings:
    found: list[Settings] = []
    monkeypatch.setattr("sdmx_service.app.application.serve", lambda settings, _: found.append(settings))
    assert main(["serve", *arguments]) == 0
    return found[0]


@pytest.mark.parametrize("field", fields(Settings), ids=lambda field: field.name)
def test_each_setting_has_an_option(monkeypatch: pytest.MonkeyPatch, field: Any) -> None:
    number = isinstance(getattr(Settings(), field.name), int)
    option = f"--{field.name.replace('_', '-')}"
    arguments, expected = SAID.get(field.name, ([option, "7"], 7 if number else "7"))
    assert getattr(served(monkeypatch, *arguments), field.name) == expected


def test_what_nobody_sets_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert served(monkeypatch) == Settings()


@pytest.mark.parametrize("size", ["foo", "", "12", "1.5.2GB", "-1GB"])
def test_an_amount_of_memory_that_is_none_is_told_at_once(size: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["serve", f"--workspace-memory={size}"])
    assert f"{size!r} is no size such as 150MB or 1GB" in capsys.readouterr().err
