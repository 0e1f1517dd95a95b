"""Mappings as files over HTTP: a publisher takes one out, edits it, puts it back."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from openpyxl import load_workbook

from sdmx_service.app.application import build
from sdmx_service.auth import create_token
from sdmx_service.settings import Settings
from tests.harness import open_house

CONTENT = Path(__file__).parents[1] / "second_domain" / "content"
ROLES = web.AppKey("roles", dict[str, str])
BOOK = "/api/mappings/HARBOUR_BOOK.xlsx"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[TestClient[Any, Any]]:
    with open_house(f"duckdb:///{tmp_path / 'store.duckdb'}", CONTENT) as house:
        app = build(Settings(), house.library)
        store = house.library.store
        app[ROLES] = {role: create_token(store, role=role)[0] for role in ("publisher", "reviewer")}  # type: ignore[arg-type]
        async with TestClient(TestServer(app)) as opened:
            yield opened


async def ask(
    client: TestClient[Any, Any], method: str, path: str, role: str = "publisher", data: bytes | None = None
) -> tuple[int, bytes]:
    headers = {"Authorization": f"Bearer {client.app[ROLES][role]}"} if role else {}
    async with client.request(method, path, headers=headers, data=data) as answer:
        return answer.status, await answer.read()


async def test_out_and_back(client: TestClient[Any, Any]) -> None:
    status, body = await ask(client, "GET", f"{BOOK}?language=fr")
    assert status == 200
    assert (await ask(client, "PUT", "/api/mappings/OTHER.xlsx", data=body))[0] == 422
    status, same = await ask(client, "PUT", BOOK, data=body)
    assert status == 200 and b'"done": "new version"' not in same
    book = load_workbook(io.BytesIO(body))
    book["RM_PORT"]["A5"], book["RM_PORT"]["C5"] = "Norhtport", "NRO"
    target = io.BytesIO()
    book.save(target)
    status, refused = await ask(client, "PUT", BOOK, data=target.getvalue())
    assert status == 422 and b'"sheet": "RM_PORT"' in refused and b'"suggestion": "NOR"' in refused
    book["RM_PORT"]["C5"] = "NOR"
    target = io.BytesIO()
    book.save(target)
    status, taken = await ask(client, "PUT", BOOK, data=target.getvalue())
    assert status == 200 and b"SEA:RM_PORT(1.1.0)" in taken
    assert b"SEA:SM_HARBOUR_BOOK(1.1.0)" in (await ask(client, "GET", "/api/mappings"))[1]


@pytest.mark.parametrize(
    ("method", "path", "role", "data", "expected"),
    [
        ("GET", "/api/mappings", "", None, 401),
        ("GET", "/api/mappings/NONE.xlsx", "publisher", None, 404),
        ("GET", "/api/mappings/SEA:RM_PORT(1.0.0).json", "reviewer", None, 200),
        ("GET", "/api/mappings/RM_PORT.xml", "reviewer", None, 200),
        ("GET", f"{BOOK}?decisions=some", "publisher", None, 400),
        ("GET", f"{BOOK}?colour=red", "publisher", None, 400),
        ("PUT", BOOK, "reviewer", b"x", 403),
        ("PUT", BOOK, "", b"x", 401),
        ("PUT", BOOK, "publisher", b"no workbook", 400),
        ("PUT", BOOK, "publisher", b"", 400),
        ("PUT", BOOK, "publisher", b"PK\x03\x04cut off", 400),
    ],
)
async def test_who_may_and_what_is_none(
    client: TestClient[Any, Any], method: str, path: str, role: str, data: bytes | None, expected: int
) -> None:
    status, body = await ask(client, method, path, role, data)
    assert status == expected, body
