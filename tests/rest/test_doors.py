"""Every address of the service without a token and without a session: what is not open to all does nothing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from sdmx_service.app.application import build
from sdmx_service.settings import Settings
from tests.harness import House
from tests.rest.fishery import open_fishery

OPEN = {
    # what is published, and what the service says of itself
    "GET /", "GET /dataflows", "GET /dataflows/{agency}/{id}", "GET /dataflows/{agency}/{id}/{version}",
    "GET /dataflows/{agency}/{id}/{version}/sources", "GET /structures", "GET /codelists/{agency}/{id}/{version}",
    "GET /{tail}", "GET /static", "GET /openapi.json", "GET /metrics", "GET /health/live", "GET /health/ready",
    "GET /api/limits", "GET /api/bulk", "GET /bulk/{agency}/{id}/{version}/{release}.{kind}", "GET /api/releases",
    "GET /api/releases/{a}/diff/{b}", "GET /api/dataflows/{name}", "GET /api/counts/{api}/{path}",
    "GET /api/sources", "GET /api/sources/{api}/{path}", "GET /api/coverage", "GET /api/coverage.csv",
    "* /sdmx/v1", "* /sdmx/v1/{tail}", "* /sdmx/v2", "* /sdmx/v2/{tail}", "* /sdmx{tail}",
    # signing in and out
    "GET /account/sign-in", "POST /account/sign-in", "POST /account/sign-out", "GET /account/signed-out",
    "GET /account/invitation/{invitation}", "POST /account/invitation/{invitation}", "GET /account/openid",
    "GET /account/openid/callback",
    # says that there is no such step
    "POST /api/submissions/{id}/{step}",
}  # fmt: skip
"""Whoever adds an address that is open to all says so here; below ``/sdmx`` the rows of ``test_roles`` hold."""
PLACES = {"suffix": "", "form": "xlsx", "number": "1", "policy": "sign_off", "act": "disable", "step": "approve"}
"""What stands in the variable parts of addresses; else ``X``."""
QUERY = {"PUT /api/sources": "dataflow=SEA:DF_CATCH(1.0.0)"}
BODY = {"POST /api/decisions": {"map": "SEA:RM_PORT(1.0.0)", "value": "x", "code": "NOR"},
        "PUT /api/sources": {"providers": ["SEA.HARBOUR"]}}  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_fishery(tmp_path_factory.mktemp("doors") / "house") as opened:
        yield opened


@pytest.fixture
async def client(house: House) -> AsyncIterator[TestClient[Any, Any]]:
    async with TestClient(TestServer(build(Settings(), house.library))) as opened:
        yield opened


def doors(application: web.Application) -> dict[str, str]:
    """Method and address with the names of its variable parts -> an address of that kind."""
    found = {}
    for route in application.router.routes():
        info = route.resource.get_info() if route.resource is not None else {}
        path = str(info.get("path") or info.get("formatter") or info.get("prefix"))
        if route.method != "HEAD":
            sample = re.sub(r"\{(\w+)\}", lambda place: PLACES.get(place[1], "X"), path)
            found[f"{route.method} {path}"] = f"{sample}.csv" if path.startswith("/sending/{id}/findings") else sample
    return found


async def test_what_is_open_is_there(client: TestClient[Any, Any]) -> None:
    assert OPEN - doors(client.app).keys() == set()


async def test_every_other_door_is_shut(client: TestClient[Any, Any], house: House) -> None:
    store = house.library.store
    before = sum(1 for _ in store.log()), store.pointer()
    statuses = {}
    for name, path in doors(client.app).items():
        if name in OPEN:
            continue
        method = name.partition(" ")[0]
        address = f"{path}?{QUERY[name]}" if name in QUERY else path
        body = BODY.get(name, {}) if method != "GET" and path.startswith("/api") else None
        async with client.request(method, address, json=body, allow_redirects=False) as answer:
            statuses[name] = answer.status, answer.headers.get("Location")
    shut = {name: (401, None) if " /api/" in name else (303, "/account/sign-in") for name in statuses}
    assert statuses == shut
    assert len(statuses) > 50
    assert (sum(1 for _ in store.log()), store.pointer()) == before
