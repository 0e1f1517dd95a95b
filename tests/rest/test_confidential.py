"""No confidential figure leaves: unique figures are sent as confidential, and every answer is searched for them.

The figures of ``SECRETS`` are confidential now: sent so, declared so later, gone since, hidden by the figure that is
shown, below a threshold. All of them begin with the same digits, which stand nowhere else.
"""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
import itertools
import json
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sdmx_service.auth import create_token
from sdmx_service.dissemination.bulk import KINDS, Shelf
from sdmx_service.dissemination.held import Holder
from sdmx_service.dissemination.template import TemplateWish, template
from sdmx_service.formats.registry import formats_for, write_form
from sdmx_service.model.message import Party
from sdmx_service.storage.sql_store import SqlStore
from sdmx_service.submission.reading import named_provider
from tests.harness import CSV, JSON, XML, House, open_house
from tests.rest.fishery import ATTRIBUTES, CONTENT, KEY, MEASURES, Row, open_fishery, send
from tests.rest.test_http import running

DOCUMENT: dict[str, Any] = {
    "id": "CATCH",
    "structures": ["SEA:DSD_CATCH(1.0.0)"],
    "status": "STATUS",
    "confidential": ["Q"],
    "primary": "Q",
    "hides": ["GEAR", "REMARK"],
    "dataflows": {"SEA:DF_CATCH_EST(1.0.0)": {"threshold": 7310999}},
}
SECRET = "7310"
"""How every confidential figure begins, and the figure in every remark that tells one."""
EVERY = (*KEY, *MEASURES, *ATTRIBUTES)


def figure(key: str, weight: str | None, status: str = "A", **more: Any) -> Row:
    freq, port, fish, time = key.split(".")
    row = {"FREQ": freq, "PORT": port, "FISH": fish, "TIME_PERIOD": time, "UNIT": "kg", "STATUS": status, **more}
    return row if weight is None else {**row, "WEIGHT": weight}


def remark(text: str) -> Mapping[str, str]:
    return {"en": f"it was {SECRET}{text}"}


def fill(house: House) -> None:
    """Six ways in which a figure is confidential, one release after the other."""
    first = [
        figure("A.NOR.COD.2010", "73100001.5", GRADE="G1", REMARK=remark("1")),
        figure("A.NOR.COD.2011", "73100002.5", GEAR=["POT"]),
        figure("A.SOU.EEL.2010", "73100003.5", "Q", GRADE="G2", REMARK=remark("3")),
        figure("A.SOU.EEL.2011", "73100004.5"),
    ]
    send(house, "DF_CATCH", first, EVERY, "HARBOUR")
    send(house, "DF_CATCH", [figure("A.SOU.EEL.2011", "73100005.5")], EVERY, "COAST")
    send(house, "DF_CATCH_EST", [figure("A.007.COD.2010", "7310006.5")], EVERY, "HARBOUR")
    later = [
        figure("A.NOR.COD.2010", None, "Q"),
        figure("A.NOR.COD.2011", "73100007.5", "Q", REMARK=remark("7")),
        figure("A.SOU.EEL.2011", None, "Q"),
    ]
    send(house, "DF_CATCH", later, EVERY, "HARBOUR")
    gone = "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,PORT,FISH,TIME_PERIOD\ndataflow,SEA:DF_CATCH(1.0.0),D,A,NOR,COD,2011\n"
    receipt, findings = house.send(gone.encode(), name="gone.csv", provider="SEA.HARBOUR")
    assert receipt.status == "published", findings


def lay_document(content: Path, dataflows: Any = DOCUMENT["dataflows"]) -> None:
    (content / "dsd" / "confidentiality").mkdir()
    (content / "dsd" / "confidentiality" / "CATCH.json").write_text(json.dumps(DOCUMENT | {"dataflows": dataflows}))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("confidential")
    with open_fishery(folder / "house", lay_document) as opened:
        store = opened.library.store
        assert isinstance(store, SqlStore)
        store.use_models(folder / "models")
        fill(opened)
        yield opened


@pytest.fixture(scope="module")
def open_sea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The same without a document: the searches do find what is there."""
    with open_fishery(tmp_path_factory.mktemp("open") / "house") as opened:
        fill(opened)
        yield opened


# --- looking ---------------------------------------------------------------------------------------------------------


def text_of(body: bytes) -> str:
    """Everything that is readable in a body."""
    if body[:2] == b"\x1f\x8b":
        body = gzip.decompress(body)
    if body[:4] == b"PAR1":
        return str(pq.read_table(io.BytesIO(body)).to_pydict())
    if b"ARROW1" in body[:8] or body[:4] == b"\xff\xff\xff\xff":
        opened = pa.ipc.open_file(body) if b"ARROW1" in body[:8] else pa.ipc.open_stream(body)
        return str(opened.read_all().to_pydict())
    if body[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
    return body.decode("utf-8", "replace")


def tells(body: bytes) -> list[str]:
    """The confidential figures in a body; addresses that repeat what was asked are none."""
    return re.findall(rf"(?<![\d.]){SECRET}\d*(?:\.\d+)?", text_of(body))


FLOWS = {
    "v2": [
        "data/dataflow/SEA/DF_CATCH/1.0.0", "data/dataflow/SEA/DF_CATCH_EST/1.0.0", "data/dataflow/*/*/*",
        "data/datastructure/SEA/DSD_CATCH/1.0.0", "data/provisionagreement/SEA/*/*",
    ],
    "v1": ["data/SEA,DF_CATCH,1.0.0", "data/SEA,DF_CATCH,1.0.0/all/SEA,COAST", "data/SEA,DF_CATCH_EST,1.0.0"],
}  # fmt: skip
PARAMETERS = {
    "v2": [
        "", "includeHistory=true", "updatedAfter=2000-01-01T00:00:00Z", "sort=WEIGHT", "sort=WEIGHT:desc&limit=5",
        "firstNObservations=1&lastNObservations=1", "dimensionAtObservation=AllDimensions", "attributes=all",
        "dimensionAtObservation=PORT", "measures=WEIGHT&attributes=none", "measures=none&attributes=obs",
        "c[STATUS]=Q", "c[TIME_PERIOD]=2011", "includeHistory=true&c[PORT]=NOR",
    ],
    "v1": ["", "includeHistory=true", "updatedAfter=2000-01-01T00:00:00Z", "detail=dataonly", "detail=nodata",
           "lastNObservations=1", "dimensionAtObservation=AllDimensions"],
}  # fmt: skip


WHOLE = {"v2": "sdmx-csv-2.1", "v1": "sdmx-csv-1.0"}
"""The formats of which everything is asked; of the others a part, as figures are hidden before they are written."""


def addresses(house: House, api: str, *, is_whole: bool = True) -> Iterator[str]:
    """Every flow with every parameter, and as it was at every release; or of each kind some."""
    moments = [one.published_at.isoformat().replace("+00:00", "Z") for one in house.library.store.releases()[-7::2]]
    for number, flow in enumerate(FLOWS[api]):
        for place, parameter in enumerate(PARAMETERS[api]):
            if is_whole or place in (number, number + 5, number + 7):
                yield f"{api}/{flow}" + (f"?{parameter}" if parameter else "")
        if api == "v2" and (is_whole or not number):
            yield from (f"{api}/{flow}?asOf={quote(moment)}" for moment in moments)


@pytest.mark.parametrize(("api", "name"), [(api, one.name) for api in ("v1", "v2") for one in formats_for("data", api)])
def test_no_answer_tells_a_confidential_figure(house: House, api: str, name: str) -> None:
    accept = next(one.media_types[0] for one in formats_for("data", api) if one.name == name)
    answered = 0
    for address in addresses(house, api, is_whole=name == WHOLE[api]):
        answer = house.get(address, accept)
        body = b"".join(answer.chunks)
        answered += answer.status == 200
        assert tells(body) == [], address
    assert answered >= len(FLOWS[api])


def test_the_search_finds_what_is_not_hidden(open_sea: House) -> None:
    found = set()
    for flow in (*FLOWS["v2"][:2], FLOWS["v2"][-1]):
        found |= set(tells(b"".join(open_sea.get(f"v2/{flow}?includeHistory=true").chunks)))
    assert {f"7310000{number}.5" for number in (1, 2, 3, 4, 5, 7)} | {"7310006.5"} <= found


@pytest.mark.parametrize("history", ["", "&includeHistory=true", "&updatedAfter=2000-01-01T00:00:00Z"])
def test_conditions_on_the_figure_tell_nothing(house: House, history: str) -> None:
    """Whoever asks for figures above a limit gets none of those that are hidden, in answers and in counts."""
    for condition in ("c[WEIGHT]=gt:7000000", "c[WEIGHT]=eq:73100003.5", "c[REMARK]=co:7310", "c[GEAR]=POT&c[FREQ]=A"):
        if not history or condition.startswith("c[WEIGHT]"):
            rows = [one for one in csv_rows(house, condition + history) if one["FREQ"] == "A" and one["PORT"] != "NOR"]
            assert rows == [], condition
    where = "v2/data/datastructure/SEA/DSD_CATCH/1.0.0?c[WEIGHT]=lt:73100009&c[FREQ]=A"
    assert {one["TIME_PERIOD"] for one in house.rows(where)} == {"2024"}


def csv_rows(house: House, condition: str) -> Sequence[Mapping[str, str]]:
    answer = house.get(f"v2/data/dataflow/SEA/DF_CATCH/1.0.0?{condition}")
    body = b"".join(answer.chunks).decode()
    if answer.status == 204:
        return []
    assert answer.status == 200, body
    return list(csv.DictReader(io.StringIO(body)))


def test_rows_are_there_with_their_status(house: House) -> None:
    rows = {one["TIME_PERIOD"]: one for one in house.rows("v2/data/dataflow/SEA/DF_CATCH/1.0.0/A.SOU.EEL")}
    assert {(one["STATUS"], one["WEIGHT"]) for one in rows.values()} == {("Q", "")}
    assert set(rows) == {"2010", "2011"}


def test_pages_counts_availability_files_and_templates(house: House, tmp_path: Path) -> None:
    paths = [
        "/", "/dataflows/SEA/DF_CATCH/1.0.0", "/dataflows/SEA/DF_CATCH_EST/1.0.0", "/dataflows/SEA/DF_CATCH/1.0.0?FREQ=A",
        "/api/releases", "/api/bulk", "/api/limits", "/openapi.json", "/api/dataflows/DF_CATCH",
        *(f"/api/counts/{api}/{flow}" for api in FLOWS for flow in FLOWS[api]),
        "/api/counts/v2/data/dataflow/SEA/DF_CATCH/1.0.0?c[WEIGHT]=gt:70000000",
        "/sdmx/v2/availability/dataflow/SEA/DF_CATCH/1.0.0?mode=available",
        "/sdmx/v2/availability/dataflow/SEA/DF_CATCH/1.0.0/*/WEIGHT", "/sdmx/v2/availability/dataflow/SEA/DF_CATCH/1.0.0/*/REMARK",
        "/sdmx/v1/availableconstraint/SEA,DF_CATCH,1.0.0",
        "/api/coverage", "/api/coverage.csv", "/api/sources", "/api/sources/v2/data/dataflow/SEA/DF_CATCH/1.0.0",
        "/dataflows/SEA/DF_CATCH/1.0.0/sources?key=A.SOU.EEL&period=2011", "/api/calendar", "/api/log",
    ]  # fmt: skip
    releases = [one.number for one in house.library.store.releases()]
    paths += [f"/bulk/SEA/{flow}/1.0.0/{release}.{kind}"
              for flow in ("DF_CATCH", "DF_CATCH_EST") for release in releases for kind in KINDS]  # fmt: skip

    async def run() -> None:
        async with running(house.library, bulk=tmp_path) as client:
            for path in paths:
                status, headers, body = await client.ask(path)
                assert status < 500, path
                assert [one for one in tells(body) if one != SECRET] == [], path
                assert "immutable" not in headers.get("Cache-Control", ""), path

    asyncio.run(run())


@pytest.mark.parametrize("hides", [True, False])
def test_a_template_is_not_filled_with_them(tmp_path: Path, hides: bool) -> None:
    content = tmp_path / "content"
    shutil.copytree(CONTENT, content)
    if hides:
        lay_document(content, {})
    with open_house(f"duckdb:///{tmp_path / 'store.duckdb'}", content) as house:
        rows = [figure("M.NOR.COD.2023-11", "73100001.5", REMARK=remark("1"), SOURCE="Log book")]
        send(house, "DF_CATCH", rows, EVERY, "HARBOUR")
        send(house, "DF_CATCH", [figure("M.NOR.COD.2023-11", None, "Q")], EVERY, "HARBOUR")
        view, store = house.library.view(), house.library.store
        wish = TemplateWish(tables=("catch",), area="NOR", periods=(), language="en")
        made = template(
            wish, view.catalog, lambda provider: Holder(store=store, release=view.release, provider=provider)
        )
        assert bool(tells(b"".join(write_form(made.form)))) is not hides


@pytest.mark.parametrize(("rounding", "printed"), [(0, "73100001.5"), (5, ":c")])
def test_a_rounded_figure_does_not_come_back_in_the_place_of_the_exact_one(
    tmp_path: Path, rounding: float, printed: str
) -> None:
    """A template that had what the public sees in it, sent back as it is, would round the figure for good."""

    def lay(content: Path) -> None:
        (content / "dsd" / "confidentiality").mkdir()
        view = {"dataflows": {"SEA:DF_CATCH(1.0.0)": {"rounding": rounding}}}
        (content / "dsd" / "confidentiality" / "CATCH.json").write_text(json.dumps(DOCUMENT | view))

    with open_fishery(tmp_path / "house", lay) as house:
        send(house, "DF_CATCH", [figure("M.NOR.COD.2023-11", "73100001.5", SOURCE="Log book")], EVERY, "HARBOUR")
        view, store = house.library.view(), house.library.store
        made = template(
            TemplateWish(tables=("catch",), area="NOR", periods=(), language="en"),
            view.catalog,
            lambda provider: Holder(store=store, release=view.release, provider=provider),
        )
        book = b"".join(write_form(made.form))
        assert printed in text_of(book)
        assert bool(tells(book)) is (rounding == 0)
        receipt, findings = house.send(book, name="back.xlsx", provider="SEA.HARBOUR")
        assert receipt.status == "published", findings
        assert sum(one.changed + one.inserted + one.deleted for one in receipt.dataflows) == 0


def test_findings_of_others_do_not_tell_them(house: House) -> None:
    """What another office sends is compared with what is shown, and the figures of the harbour are not."""
    body = "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,PORT,FISH,TIME_PERIOD,WEIGHT,STATUS,UNIT\n" + "".join(
        f"dataflow,SEA:DF_CATCH(1.0.0),M,A,SOU,{fish},2010,{weight},A,kg\n" for fish, weight in (("COD", 5), ("_T", 6))
    )
    receipt, findings = house.send(body.encode(), name="coast.csv", provider="SEA.COAST", publish=False)
    assert tells(orjson.dumps([one.to_json() for one in findings])) == []
    assert tells(orjson.dumps(receipt.to_json())) == []


# --- what was made before must go ------------------------------------------------------------------------------------


@pytest.mark.parametrize("accept", ["application/json", "text/csv", "text/html", CSV, XML, JSON])
def test_differences_of_releases_do_not_tell_them(house: House, tmp_path: Path, accept: str) -> None:
    numbers = [one.number for one in house.library.store.releases()][-7:]
    pairs = [(0, numbers[-1]), *itertools.pairwise(numbers), (numbers[-1], numbers[0])]

    async def run() -> list[int]:
        found = []
        async with running(house.library, bulk=tmp_path) as client:
            for before, after in pairs:
                status, _, body = await client.ask(f"/api/releases/{before}/diff/{after}", Accept=accept)
                assert tells(body) == [], (before, after, text_of(body)[:2000])
                found.append(status)
        return found

    assert asyncio.run(run()).count(200) > 3


async def test_other_senders_see_nothing_of_a_submission(house: House, tmp_path: Path) -> None:
    store = house.library.store
    token = create_token(store, role="provider", provider=named_provider("SEA.COAST", house.library.view().catalog))[0]
    mine = [one for release in store.releases() for one in release.submissions]
    async with running(house.library, bulk=tmp_path) as client:
        for path in (
            "",
            "/findings",
            "/findings.csv",
            "/findings.xlsx",
            "/data",
            "/difference",
            "/history",
            "/comments",
        ):
            for submission in mine:
                address = f"/api/submissions/{submission}{path}"
                _, _, body = await client.ask(address, Authorization=f"Bearer {token}")
                assert [one for one in tells(body) if one != "73100005.5"] == [], address  # its own


def test_files_made_before_are_made_anew(tmp_path: Path) -> None:
    with open_fishery(tmp_path / "house", lay_document) as house:
        shelf = Shelf(tmp_path / "bulk", house.library, Party(id="TEST"))
        send(house, "DF_CATCH", [figure("A.NOR.EEL.2010", "73100001.5")], EVERY, "HARBOUR")
        one, release = shelf.canonical("SEA", "DF_CATCH", "1.0.0", None)
        before = shelf.file(one.dataflow, release, "csv.gz")
        assert tells(before.path.read_bytes()) == ["73100001.5"]
        etag = house.get("v2/data/dataflow/SEA/DF_CATCH/1.0.0").headers["ETag"]
        send(house, "DF_CATCH", [figure("A.NOR.EEL.2010", None, "Q")], EVERY, "HARBOUR")
        again = shelf.file(one.dataflow, release, "csv.gz")
        assert tells(again.path.read_bytes()) == []
        assert again.sha256 != before.sha256
        assert house.get("v2/data/dataflow/SEA/DF_CATCH/1.0.0").headers["ETag"] != etag


# --- purges and documents over HTTP ----------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path) -> Iterator[House]:
    with open_fishery(tmp_path / "house") as opened:
        send(opened, "DF_CATCH", [figure("A.NOR.EEL.2010", "73100001.5")], EVERY, "HARBOUR")
        yield opened


async def call(house: House, folder: Path, *requests: tuple[str, str, str, Any]) -> list[tuple[int, Any]]:
    """Answers to (method, path, role, body)."""
    store, catalog = house.library.store, house.library.view().catalog
    tokens = {role: create_token(store, role=role)[0] for role in ("publisher", "administrator")}  # type: ignore[arg-type]
    tokens["provider"] = create_token(store, role="provider", provider=named_provider("SEA.HARBOUR", catalog))[0]
    found = []
    async with running(house.library, bulk=folder) as client:
        for method, path, role, body in requests:
            headers = {"Authorization": f"Bearer {tokens[role]}"} if role else {}
            address = f"http://127.0.0.1:{client.port}{path}"
            async with client._session.request(method, address, headers=headers, json=body) as answer:
                found.append((answer.status, await answer.json(content_type=None)))
    return found


WISH = {"dataflow": "SEA:DF_CATCH(1.0.0)", "keys": ["A.NOR.EEL"], "periods": ["2010"], "reason": "sent by mistake"}


async def test_a_purge_over_http(small: House, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "bulk", small.library, Party(id="TEST"))
    one, release = shelf.canonical("SEA", "DF_CATCH", "1.0.0", None)
    path = shelf.file(one.dataflow, release, "csv.gz").path
    answers = await call(
        small,
        tmp_path / "bulk",
        ("POST", "/api/purges", "", WISH),
        ("POST", "/api/purges", "provider", WISH),
        ("POST", "/api/purges", "publisher", WISH),
        ("POST", "/api/purges", "administrator", WISH | {"remove_files": True}),
        ("GET", "/api/purges", "administrator", None),
    )
    assert [status for status, _ in answers] == [401, 403, 403, 201, 200]
    record = answers[3][1]
    assert (record["versions"], record["kept_rows"], record["bulk_files_removed"]) == (1, 1, 1)
    assert answers[4][1] == {"purges": [record]}
    (submission,) = record["files"]["contain"]
    assert not path.exists()
    store = small.library.store
    assert list(store.file(submission)) == []
    assert tells(b"".join(small.get("v2/data/dataflow/SEA/DF_CATCH/1.0.0?includeHistory=true").chunks)) == []
    (row,) = small.rows("v2/data/dataflow/SEA/DF_CATCH/1.0.0/A.NOR.EEL")
    assert (row["WEIGHT"], row["STATUS"]) == ("", "A")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"keys": ["A.NOR"]}, 422),
        ({"keys": ["*.*.*"]}, 422),
        ({"keys": ["A.NOPE.EEL"]}, 422),
        ({"keys": "A.NOR.EEL"}, 400),
        ({"keys": []}, 400),
        ({"reason": ""}, 400),
        ({"periods": ["yesterday"]}, 400),
        ({"dataflow": "DF_NONE"}, 404),
        ({"dataflow": "DF_CATCH_EST"}, 404),
        ({"keys": ["A.SOU.EEL"]}, 404),
        ({"colour": "red"}, 400),
    ],
)
async def test_what_is_no_purge(small: House, tmp_path: Path, change: dict[str, Any], status: int) -> None:
    ((found, problem),) = await call(small, tmp_path, ("POST", "/api/purges", "administrator", WISH | change))
    assert found == status, problem
    assert tells(b"".join(small.get("v2/data/dataflow/SEA/DF_CATCH/1.0.0").chunks)) == ["73100001.5"]


async def test_a_document_over_http(small: House, tmp_path: Path) -> None:
    address = "v2/data/dataflow/SEA/DF_CATCH/1.0.0/A.NOR.EEL"
    etag = small.get(address).headers["ETag"]
    document = {name: value for name, value in DOCUMENT.items() if name != "dataflows"}
    answers = await call(
        small,
        tmp_path,
        ("PUT", "/api/confidentiality/CATCH", "publisher", document),
        ("PUT", "/api/confidentiality/OTHER", "administrator", document),
        ("PUT", "/api/confidentiality/CATCH", "administrator", document | {"status": "UNIT"}),
        ("PUT", "/api/confidentiality/CATCH", "administrator", document | {"confidential": ["X"], "primary": None}),
        ("PUT", "/api/confidentiality/CATCH", "administrator", document | {"colour": "red"}),
        ("PUT", "/api/confidentiality/CATCH", "administrator", document | {"confidential": ["A", "Q"]}),
        (
            "PUT",
            "/api/confidentiality/CATCH",
            "administrator",
            document | {"dataflows": {"SEA:DF_CATSH(1.0.0)": {"threshold": 3}}},
        ),
        ("GET", "/api/confidentiality", "publisher", None),
        ("GET", "/api/confidentiality", "provider", None),
    )
    assert [status for status, _ in answers] == [403, 400, 422, 422, 422, 200, 422, 200, 403]
    assert "attribute of the observation" in answers[2][1]["detail"]
    (row,) = small.rows(address)
    assert (row["WEIGHT"], row["STATUS"]) == ("", "A")
    assert small.get(address).headers["ETag"] != etag
    assert "SEA:DF_CATSH(1) is no dataflow" in answers[6][1]["detail"] and "SEA:DF_CATCH(1)" in answers[6][1]["hint"]
    assert answers[7][1]["documents"][0]["confidential"] == ["A", "Q"]


def test_the_document_of_the_store_survives_opening_anew(tmp_path: Path) -> None:
    with open_fishery(tmp_path / "house", lay_document) as house:
        send(house, "DF_CATCH", [figure("A.NOR.EEL.2010", "73100001.5", "Q")], EVERY, "HARBOUR")
    shutil.rmtree(tmp_path / "house" / "content" / "dsd" / "confidentiality")
    with open_house(f"duckdb:///{tmp_path / 'house' / 'store.duckdb'}", tmp_path / "house" / "content") as house:
        assert tells(house.body("v2/data/dataflow/SEA/DF_CATCH/1.0.0")) == []
