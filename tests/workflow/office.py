"""Somebody at a statistical office and somebody at the compiling agency, in the invented sea, over HTTP."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from sdmx_service.app.application import build
from sdmx_service.auth import Principal, create_token
from sdmx_service.catalog.library import Library
from sdmx_service.settings import Settings
from sdmx_service.submission.reading import named_provider

CONTENT = Path(__file__).parents[1] / "second_domain" / "content"
HEADER = "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,PORT,FISH,TIME_PERIOD,WEIGHT,STATUS,UNIT"
FLOW = "/sdmx/v2/data/dataflow/SEA/DF_CATCH/1.0.0"
CSV = "application/vnd.sdmx.data+csv;version=2.1.0"
OFFICE = Principal(id="office", role="provider", provider="SEA.HARBOUR")
REVIEWER = Principal(id="review", role="reviewer")
COMPILER = Principal(id="compiler", role="publisher")
SECOND = Principal(id="second", role="publisher")


def figures(action: str = "M", **weights: str) -> bytes:
    """A message: ``COD_2024_01="5"`` is the figure of cod in that month."""
    rows = []
    for name, weight in weights.items():
        fish, year, month = name.split("_")
        status = "" if action == "D" else "A"
        unit = "" if action == "D" else "kg"
        rows.append(f"dataflow,SEA:DF_CATCH(1.0.0),{action},M,SOU,{fish},{year}-{month},{weight},{status},{unit}")
    return "\n".join([HEADER, *rows, ""]).encode()


@dataclass
class Watch:
    """A clock that stands until it is set."""

    now: datetime = field(default_factory=lambda: datetime(2026, 11, 30, 12, 0, 30, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.now


class Agency:
    """A running service, and who has a token for it."""

    def __init__(self, client: TestClient[Any, Any], library: Library, watch: Watch) -> None:
        self.client, self.library, self.watch = client, library, watch
        store = library.store
        provider = named_provider("SEA.HARBOUR", library.view().catalog)
        other = named_provider("SEA.COAST", library.view().catalog)
        self.tokens = {
            "office": create_token(store, role="provider", provider=provider)[0],
            "coast": create_token(store, role="provider", provider=other)[0],
            **{
                role: create_token(store, role=role)[0] for role in ("reader", "reviewer", "publisher", "administrator")
            },
        }  # type: ignore[arg-type]

    def id(self, who: str) -> str:
        return self.tokens[who].partition(".")[0]

    async def raw(
        self, method: str, path: str, who: str | None = None, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if who is not None:
            sent["Authorization"] = f"Bearer {self.tokens[who]}"
        sent_body = json.dumps(body).encode() if isinstance(body, dict) else body
        data = None if sent_body is None else io.BytesIO(sent_body)
        async with self.client.request(method, path, data=data, headers=sent) as answer:
            return answer.status, dict(answer.headers), await answer.read()

    async def ask(self, method: str, path: str, who: str | None = None, body: Any = None) -> tuple[int, Any]:
        status, _, told = await self.raw(method, path, who, body)
        return status, json.loads(told) if told else None

    async def send(self, who: str, message: bytes, **wish: str) -> tuple[int, Any]:
        query = "&".join(f"{name}={value}" for name, value in {"name": "catch.csv", **wish}.items())
        return await self.ask("POST", f"/api/submissions?{query}", who, message)

    async def step(self, who: str, id: str, step: str, **said: str) -> tuple[int, Any]:
        return await self.ask("POST", f"/api/submissions/{id}/{step}", who, said or None)

    async def weights(self, path: str = FLOW) -> dict[str, str]:
        """What anybody sees: ``COD 2024-01`` -> weight."""
        status, _, told = await self.raw("GET", path, Accept=CSV)
        if status == 204:
            return {}
        head, *rows = [line.split(",") for line in told.decode().splitlines()]
        place = {name: number for number, name in enumerate(head)}
        return {f"{row[place['FISH']]} {row[place['TIME_PERIOD']]}": row[place["WEIGHT"]] for row in rows}


@asynccontextmanager
async def agency(library: Library, watch: Watch | None = None, looks: float = 0.02) -> AsyncIterator[Agency]:
    """The service over a library, with a clock of its own."""
    own = watch or Watch()
    async with TestClient(TestServer(build(Settings(), library, clock=own, looks=looks))) as client:
        yield Agency(client, library, own)
