"""The queue of undecided values and the decisions over HTTP."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from sdmx_service.app.application import build
from sdmx_service.auth import create_token
from sdmx_service.settings import Settings
from sdmx_service.submission.reading import named_provider
from tests.harness import House, open_house

CONTENT = Path(__file__).parents[1] / "second_domain" / "content"
MAP = "SEA:RM_PORT(1.0.0)"
BOOK = b"Port;Month;cod;eel;nameless;all\nNorhtport;2024-02;6;0;0;6\n"
TOKENS = web.AppKey("tokens", dict[str, str])
DECISION = {"map": MAP, "value": "Norhtport", "code": "NOR"}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[TestClient[Any, Any]]:
    with open_house(f"duckdb:///{tmp_path / 'store.duckdb'}", CONTENT) as house:
        app = build(Settings(), house.library)
        app[TOKENS] = tokens(house)
        async with TestClient(TestServer(app)) as opened:
            yield opened


def tokens(house: House) -> dict[str, str]:
    provider = named_provider("SEA.HARBOUR", house.library.view().catalog)
    made = {"publisher": create_token(house.library.store, role="publisher")[0]}
    made["provider"] = create_token(house.library.store, role="provider", provider=provider)[0]
    return made


async def ask(
    client: TestClient[Any, Any], method: str, path: str, role: str = "publisher", **body: Any
) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {client.app[TOKENS][role]}"} if role else {}
    async with client.request(method, path, headers=headers, **body) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_from_the_refused_file_to_the_published_one(client: TestClient[Any, Any]) -> None:
    sent = "/api/submissions?name=book.csv&publish=true"
    assert (await ask(client, "POST", sent, data=BOOK))[0] == 422
    status, found = await ask(client, "GET", "/api/undecided")
    (entry,) = found["undecided"]
    assert (status, entry["map"], entry["value"], entry["count"]) == (200, MAP, "Norhtport", 1)
    assert {"value": "Northport", "code": "NOR", "decided": None} in entry["candidates"]
    assert entry["providers"] == ["SEA.HARBOUR"]
    status, made = await ask(client, "POST", "/api/decisions", json=DECISION | {"comment": "misprint"})
    assert (status, made["code"], made["comment"]) == (201, "NOR", "misprint")
    assert made["by"] == client.app[TOKENS]["publisher"].partition(".")[0]
    assert (await ask(client, "GET", "/api/undecided"))[1] == {"undecided": []}
    assert (await ask(client, "GET", "/api/decisions"))[1] == {"decisions": [made]}
    assert (await ask(client, "POST", sent, data=BOOK))[0] == 201
    status, gone = await ask(client, "POST", "/api/decisions", json=DECISION | {"code": None})
    (revoked,) = gone["forgotten"]
    assert (status, revoked["code"], revoked["revoked_by"]) == (200, "NOR", made["by"])
    assert (await ask(client, "GET", "/api/decisions"))[1] == {"decisions": []}
    assert len((await ask(client, "GET", "/api/decisions?all=true"))[1]["decisions"]) == 1


async def test_the_list_as_a_table_and_by_provider(client: TestClient[Any, Any]) -> None:
    wish = DECISION | {"provider": "HARBOUR", "comment": "=2+2"}
    assert (await ask(client, "POST", "/api/decisions", json=wish))[1]["provider"] == "SEA.HARBOUR"
    headers = {"Authorization": f"Bearer {client.app[TOKENS]['publisher']}"}
    async with client.get("/api/decisions.csv?provider=SEA.HARBOUR&map=RM_PORT", headers=headers) as answer:
        header, row = csv.reader(io.StringIO(await answer.text()))
    assert dict(zip(header, row, strict=True)) | {"value": "Norhtport", "comment": "'=2+2"} == dict(
        zip(header, row, strict=True)
    )
    assert (await ask(client, "GET", "/api/decisions?provider=SEA.COAST"))[1] == {"decisions": []}
    assert len((await ask(client, "GET", "/api/decisions", role="provider"))[1]["decisions"]) == 1
    await ask(client, "POST", "/api/decisions", json=wish | {"provider": "COAST", "code": "SOU"})
    assert len((await ask(client, "GET", "/api/decisions"))[1]["decisions"]) == 2
    assert len((await ask(client, "GET", "/api/decisions", role="provider"))[1]["decisions"]) == 1
    for query in ("colour=red", "all=perhaps"):
        assert (await ask(client, "GET", f"/api/decisions?{query}"))[0] == 400
    assert (await ask(client, "GET", "/api/decisions?map=RM_NONE"))[0] == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"data": b"{"}, 400),
        ({"json": {"map": MAP, "value": "x"}}, 400),
        ({"json": DECISION | {"colour": "red"}}, 400),
        ({"json": DECISION | {"code": 4}}, 400),
        ({"json": DECISION | {"code": "NRO"}}, 404),
        ({"json": DECISION | {"value": "Southport"}}, 409),
        ({"json": DECISION | {"value": "Pier 9", "code": None}}, 404),
    ],
)
async def test_what_is_no_decision(client: TestClient[Any, Any], body: dict[str, Any], status: int) -> None:
    found, problem = await ask(client, "POST", "/api/decisions", **body)
    assert (found, problem["status"]) == (status, status)


async def test_who_may(client: TestClient[Any, Any]) -> None:
    assert (await ask(client, "GET", "/api/undecided", role=""))[0] == 401
    assert (await ask(client, "POST", "/api/decisions", role="provider", json=DECISION))[0] == 403
    await ask(client, "POST", "/api/submissions?name=book.csv", data=BOOK)
    assert len((await ask(client, "GET", "/api/undecided", role="provider"))[1]["undecided"]) == 1
