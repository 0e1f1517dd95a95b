"""The table of acts and roles against the real service: every act, with every role and without one."""

from __future__ import annotations

import io
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, NamedTuple

import pytest
from aiohttp.test_utils import TestClient, TestServer

from sdmx_service.app.application import build
from sdmx_service.auth import ACTS, OPERATOR, ROLES, create_token
from sdmx_service.auth.acts import ActId, table
from sdmx_service.auth.principal import Principal
from sdmx_service.settings import Settings
from sdmx_service.submission.reading import Wish, named_provider
from sdmx_service.submission.submit import SentFile, submit
from tests.harness import ROOT, House
from tests.rest.fishery import as_csv, open_fishery
from tests.rest.test_registrations import HARBOUR, message, request

NOT_YET = {"read_embargoed"}
"""Acts of the table that no address does yet; whoever builds one adds its probe below."""
SIGN_OFF = {
    "id": "PORTS",
    "names": {"en": "Ports"},
    "applies_to": ["SEA:DF_LICENCE"],
    "approval": "none",
    "approvers": ["reviewer"],
}
ROW = {"FREQ": "M", "PORT": "NOR", "FISH": "COD", "WEIGHT": "1", "STATUS": "A", "UNIT": "kg", "SOURCE": "x"}


class Who(NamedTuple):
    """Somebody with a token: of a role, bound to the provider whose things are acted on, or to another."""

    role: str
    is_owner: bool
    token: str | None

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


class Scene(NamedTuple):
    client: TestClient[Any, Any]
    house: House
    who: Who

    async def ask(self, method: str, path: str, **more: Any) -> int:
        async with self.client.request(
            method, path, headers=self.who.headers | more.pop("headers", {}), **more
        ) as answer:
            await answer.read()
            return answer.status

    def accepted(self) -> str:
        """A submission of the harbour's that waits for publication."""
        return submit(sent(), Wish(provider="SEA.HARBOUR"), self.house.library, OPERATOR).id


def figures() -> bytes:
    return as_csv("DF_CATCH", [ROW | {"TIME_PERIOD": f"19{secrets.randbelow(90) + 10}-01"}], [*ROW, "TIME_PERIOD"])


def sent() -> SentFile:
    return SentFile(file=io.BytesIO(figures()), name="sent.csv")


async def _read(scene: Scene) -> int:
    return await scene.ask("GET", "/sdmx/v2/data/dataflow/SEA/DF_CATCH/1.0.0")


async def _submit(scene: Scene) -> int:
    return await scene.ask("POST", "/api/submissions?provider=SEA.HARBOUR", data=figures())


async def _fill(scene: Scene) -> int:
    return await scene.ask("GET", "/api/templates/Catch?area=NOR")


async def _see(scene: Scene) -> int:
    return await scene.ask("GET", f"/api/submissions/{scene.accepted()}/findings")


async def _withdraw(scene: Scene) -> int:
    status = await scene.ask("POST", f"/api/submissions/{scene.accepted()}/withdraw")
    return 403 if status == 404 else status  # who may not even see it


async def _see_decisions(scene: Scene) -> int:
    return await scene.ask("GET", "/api/decisions")


async def _publish(scene: Scene) -> int:
    return await scene.ask("POST", f"/api/submissions/{scene.accepted()}/publish")


async def _comment(scene: Scene) -> int:
    return await scene.ask("POST", f"/api/submissions/{scene.accepted()}/comment", json={"text": "Why?"})


async def _review(scene: Scene) -> int:
    id, reason = scene.accepted(), {"reason": "The unit is another."}
    status = await scene.ask("POST", f"/api/submissions/{id}/refuse", json=reason)
    return 403 if status == 404 else status  # who may not even see it


async def _see_log(scene: Scene) -> int:
    statuses = {await scene.ask("GET", "/api/log"), await scene.ask("GET", "/api/log/verify")}
    assert len(statuses) == 1
    return statuses.pop()


async def _see_embargoes(scene: Scene) -> int:
    return await scene.ask("GET", "/api/embargoes")


async def _embargo(scene: Scene) -> int:
    wish = {"dataflow": "SEA:DF_LICENCE", "at": "2999-01-01T00:00:00Z"}
    return await scene.ask("POST", "/api/embargoes", json=wish)


async def _policies(scene: Scene) -> int:
    return await scene.ask("POST", "/api/policies/sign_off", json=SIGN_OFF)


async def _audit(scene: Scene) -> int:
    return await scene.ask("GET", "/api/confidentiality")


async def _purge(scene: Scene) -> int:
    return await scene.ask("GET", "/api/purges")


async def _restore(scene: Scene) -> int:
    return await scene.ask("POST", "/api/releases/1/restore")


async def _decide(scene: Scene) -> int:
    decision = {"map": "SEA:RM_PORT(1.0.0)", "value": secrets.token_hex(4), "code": "NOR"}
    return await scene.ask("POST", "/api/decisions", json=decision)


async def _rank(scene: Scene) -> int:
    wish = {"providers": ["SEA.HARBOUR", "SEA.COAST"]}
    return await scene.ask("PUT", "/api/sources?dataflow=SEA:DF_CATCH(1.0.0)", json=wish)


async def _see_mappings(scene: Scene) -> int:
    return await scene.ask("GET", "/api/mappings")


async def _maintain(scene: Scene) -> int:
    made = {"id": f"CL_{secrets.token_hex(4)}", "agencyID": "SEA", "version": "1.0.0", "name": "X", "codes": []}
    meta = {"id": "M", "test": False, "prepared": "2026-01-01T00:00:00Z", "sender": {"id": "SEA"}}
    body = {"meta": meta, "data": {"codelists": [made]}}
    kind = {"Content-Type": "application/vnd.sdmx.structure+json;version=2.1.0"}
    return await scene.ask("POST", "/sdmx/v2/structure/codelist", json=body, headers=kind)


async def _register(scene: Scene) -> int:
    kind = {"Content-Type": "application/vnd.sdmx.registry+xml;version=3.1.0"}
    return await scene.ask("POST", "/sdmx/v2/registration", data=message(request("Append", HARBOUR)), headers=kind)


async def _rights(scene: Scene) -> int:
    statuses = {await scene.ask("GET", "/api/tokens"), await scene.ask("GET", "/api/accounts")}
    assert len(statuses) == 1
    return statuses.pop()


PROBES: dict[ActId, Callable[[Scene], Awaitable[int]]] = {
    "read": _read,
    "submit": _submit,
    "fill": _fill,
    "see": _see,
    "withdraw": _withdraw,
    "see_decisions": _see_decisions,
    "comment": _comment,
    "review": _review,
    "see_log": _see_log,
    "see_embargoes": _see_embargoes,
    "embargo": _embargo,
    "policies": _policies,
    "audit": _audit,
    "purge": _purge,
    "publish": _publish,
    "restore": _restore,
    "decide": _decide,
    "rank": _rank,
    "see_mappings": _see_mappings,
    "maintain": _maintain,
    "register": _register,
    "rights": _rights,
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_fishery(tmp_path_factory.mktemp("roles") / "house") as opened:
        yield opened


@pytest.fixture
async def client(house: House) -> AsyncIterator[TestClient[Any, Any]]:
    async with TestClient(TestServer(build(Settings(), house.library))) as opened:
        yield opened


def somebody(house: House, role: str, is_owner: bool = True) -> Who:
    if role == "nobody":
        return Who("nobody", False, None)
    if role != "provider":
        return Who(role, False, create_token(house.library.store, role=role)[0])  # type: ignore[arg-type]
    provider = named_provider("SEA.HARBOUR" if is_owner else "SEA.COAST", house.library.view().catalog)
    return Who(role, is_owner, create_token(house.library.store, role="provider", provider=provider)[0])


def expected(act: ActId, who: Who) -> int:
    row = ACTS[act]
    if who.role == "nobody":
        return row.done if row.is_open else 401
    reach = row.reaches[who.role]  # type: ignore[index]
    return row.done if reach == "all" or (reach == "own" and who.is_owner) else row.refused


def test_every_act_of_the_table_is_probed() -> None:
    assert set(PROBES) | NOT_YET == set(ACTS)
    assert {act for act, row in ACTS.items() if not row.where} == NOT_YET


@pytest.mark.parametrize("act", PROBES)
async def test_the_service_answers_what_the_table_says(client: TestClient[Any, Any], house: House, act: ActId) -> None:
    people = [somebody(house, "nobody"), *(somebody(house, role) for role in ROLES), somebody(house, "provider", False)]
    found = {(who.role, who.is_owner): await PROBES[act](Scene(client, house, who)) for who in people}
    assert found == {(who.role, who.is_owner): expected(act, who) for who in people}


def test_the_documents_print_the_table() -> None:
    assert table() in (ROOT / "docs" / "access.md").read_text(encoding="utf-8")


async def test_the_other_door_for_figures_has_the_same_lock(client: TestClient[Any, Any], house: House) -> None:
    for who, status in (
        (somebody(house, "nobody"), 401),
        (somebody(house, "reader"), 403),
        (somebody(house, "reviewer"), 403),
        (somebody(house, "provider", False), 403),
        (somebody(house, "provider"), 202),
        (somebody(house, "publisher"), 200),
    ):
        asked = Scene(client, house, who).ask("POST", "/sdmx/v2/data?provider=SEA.HARBOUR", data=figures())
        assert await asked == status, who.role


class TestLimitedToDataflows:
    """A token may be limited to some dataflows; then it does nothing that is not about dataflows."""

    @pytest.fixture
    def limited(self, house: House) -> Callable[..., Who]:
        def make(role: str, flow: str) -> Who:
            catalog = house.library.view().catalog
            provider = named_provider("SEA.HARBOUR", catalog) if role == "provider" else None
            flows = (catalog.named(flow, "Dataflow").ref,)
            token, _ = create_token(house.library.store, role=role, provider=provider, dataflows=flows)  # type: ignore[arg-type]
            return Who(role, True, token)

        return make

    @pytest.mark.parametrize(("flow", "status"), [("SEA:DF_CATCH(1.0.0)", 201), ("SEA:DF_LICENCE", 403)])
    async def test_sends_to_those_only(
        self, client: TestClient[Any, Any], house: House, limited: Callable[..., Who], flow: str, status: int
    ) -> None:
        for role in ("provider", "publisher"):
            scene = Scene(client, house, limited(role, flow))
            assert await _submit(scene) == status

    @pytest.mark.parametrize(("flow", "seen", "published"), [("SEA:DF_CATCH", 200, 200), ("SEA:DF_LICENCE", 404, 404)])
    async def test_sees_and_publishes_those_only(
        self,
        client: TestClient[Any, Any],
        house: House,
        limited: Callable[..., Who],
        flow: str,
        seen: int,
        published: int,
    ) -> None:
        scene = Scene(client, house, limited("publisher", flow))
        assert await _see(scene) == seen
        assert await _publish(scene) == published
        assert await scene.ask("POST", f"/api/submissions/{scene.accepted()}/withdraw") == published

    @pytest.mark.parametrize("act", [act for act, row in ACTS.items() if not row.by_dataflow])
    async def test_does_nothing_else(
        self, client: TestClient[Any, Any], house: House, limited: Callable[..., Who], act: ActId
    ) -> None:
        assert await PROBES[act](Scene(client, house, limited("administrator", "SEA:DF_CATCH"))) == ACTS[act].refused


async def test_who_has_no_provider_owns_nothing_that_names_none(client: TestClient[Any, Any], house: House) -> None:
    """A submission that is refused before its provider is known belongs to nobody but its sender."""
    unread = submit(SentFile(file=io.BytesIO(b"Port;Month;cod\n"), name="book.csv"), Wish(), house.library, OPERATOR)
    assert (unread.status, unread.provider) == ("refused", None)
    scene = Scene(client, house, somebody(house, "reader"))
    assert await scene.ask("GET", f"/api/submissions/{unread.id}") == 404
    assert not unread.is_seen_by(Principal(id="x", role="reader"))
