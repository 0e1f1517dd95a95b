"""``/bulk``: one file per dataflow and release, at an address that stays, with digest, Range and resumption."""

from __future__ import annotations

import asyncio
import base64
import csv
import gzip
import hashlib
import io
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest

from sdmx_service.dissemination.bulk import KINDS, Shelf
from sdmx_service.model.message import Party
from tests.harness import House
from tests.rest.fishery import CATCH, open_fishery
from tests.rest.test_http import running

BASE = "/bulk/SEA/DF_CATCH/1.0.0"
Got = tuple[int, Mapping[str, str], bytes]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_fishery(tmp_path_factory.mktemp("bulk") / "house") as opened:
        yield opened


@pytest.fixture
def shelf(house: House, tmp_path: Path) -> Shelf:
    return Shelf(tmp_path, house.library, Party(id="TEST"))


def get(house: House, folder: Path, path: str, **headers: str) -> Got:
    async def run() -> Got:
        async with running(house.library, bulk=folder) as client:
            return await client.ask(path, **headers)

    return asyncio.run(run())


def follow(house: House, folder: Path, kind: str, **headers: str) -> Got:
    """The latest file; the client of the tests follows the redirect."""
    return get(house, folder, f"{BASE}/latest.{kind}", **headers)


def test_the_file_is_the_answer(house: House, tmp_path: Path) -> None:
    status, headers, body = follow(house, tmp_path, "csv.gz")
    assert (status, headers["Content-Type"]) == (200, "application/gzip")
    assert "Content-Encoding" not in headers
    rows = list(csv.DictReader(io.StringIO(gzip.decompress(body).decode())))
    assert len(rows) == len(CATCH)
    assert gzip.decompress(body) == house.body("v2/data/dataflow/SEA/DF_CATCH/1+.0.0")


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_has_its_digest_and_the_same_bytes_when_made_anew(house: House, tmp_path: Path, kind: str) -> None:
    status, headers, body = follow(house, tmp_path, kind)
    assert status == 200
    digest = hashlib.sha256(body).digest()
    assert headers["Repr-Digest"] == f"sha-256=:{base64.b64encode(digest).decode()}:"
    shutil.rmtree(tmp_path)
    again = follow(house, tmp_path, kind)
    assert again[2] == body
    assert [again[1][name] for name in ("ETag", "Last-Modified")] == [
        headers[name] for name in ("ETag", "Last-Modified")
    ]


def test_a_parquet_file_tells_its_release(house: House, tmp_path: Path) -> None:
    _, headers, body = follow(house, tmp_path, "parquet")
    table = pq.read_table(io.BytesIO(body))
    release = json.loads(table.schema.metadata[b"sdmx"])["release"]
    assert f"_{release}.parquet" in headers["Content-Disposition"]
    assert table.num_rows == len(CATCH)


def test_a_download_that_broke_goes_on(house: House, tmp_path: Path) -> None:
    _, headers, body = follow(house, tmp_path, "csv.gz")
    status, part, rest = follow(house, tmp_path, "csv.gz", Range="bytes=100-", If_Range=headers["ETag"])
    assert (status, rest) == (206, body[100:])
    assert part["Content-Range"] == f"bytes 100-{len(body) - 1}/{len(body)}"
    status, _, whole = follow(house, tmp_path, "csv.gz", Range="bytes=100-", If_Range='"another"')
    assert (status, whole) == (200, body)
    assert follow(house, tmp_path, "csv.gz", Range=f"bytes={len(body)}-")[0] == 416
    assert follow(house, tmp_path, "csv.gz", If_None_Match=headers["ETag"])[0] == 304


def test_a_release_that_changed_nothing_shares_the_file(house: House, shelf: Shelf) -> None:
    one, release = shelf.canonical("SEA", "DF_CATCH", "1.0.0", None)
    numbers = [each.number for each in one.releases]
    assert release.number == numbers[-1]
    assert shelf.canonical("SEA", "DF_CATCH", "1.0.0", house.library.view().release)[1] == release
    assert shelf.canonical("SEA", "DF_CATCH", "1.0.0", numbers[0])[1].number == numbers[0]


def test_an_earlier_release_stays_at_its_address(house: House, shelf: Shelf) -> None:
    one, _ = shelf.canonical("SEA", "DF_CATCH", "1.0.0", None)
    first = one.releases[0]
    body = gzip.decompress(shelf.file(one.dataflow, first, "csv.gz").path.read_bytes())
    moment = first.published_at.isoformat().replace("+00:00", "Z")
    assert body == house.body(f"v2/data/dataflow/SEA/DF_CATCH/1+.0.0?asOf={moment}")


def test_the_list_says_when_each_dataflow_changed(house: House, tmp_path: Path) -> None:
    follow(house, tmp_path, "csv.gz")
    status, _, body = get(house, tmp_path, "/api/bulk")
    assert status == 200
    listed = {one["urn"].rpartition(":")[2]: one for one in orjson.loads(body)["dataflows"]}
    catch = listed["DF_CATCH(1.1.0)"]  # the latest of the versions that share their rows
    assert "DF_CATCH(1.0.0)" not in listed
    assert catch["last_changed"]["release"] == catch["releases"][-1]
    made = {file["url"].rpartition("/")[2].partition(".")[2]: file for file in catch["files"]}
    assert made["csv.gz"]["bytes"] > 0
    assert made["json.gz"]["sha256"] is None
    assert get(house, tmp_path, made["csv.gz"]["url"])[0] == 200


def test_prepared_in_advance_and_old_ones_removed(house: House, shelf: Shelf) -> None:
    one, _ = shelf.canonical("SEA", "DF_CATCH", "1.0.0", None)
    old = shelf.file(one.dataflow, one.releases[0], "csv.gz").path
    assert shelf.prepare(["csv.gz"], keep=1) == len(shelf.histories())
    assert shelf.prepare(["csv.gz"], keep=1) == 0
    assert old.exists() == (len(one.releases) == 1)
    assert not list(shelf.folder.rglob(".*"))


def test_a_damaged_file_is_made_anew(house: House, shelf: Shelf) -> None:
    one, last = shelf.canonical("SEA", "DF_CATCH", "1.0.0", None)
    file = shelf.file(one.dataflow, last, "csv.gz")
    body = file.path.read_bytes()
    file.path.write_bytes(body[:50])
    assert shelf.file(one.dataflow, last, "csv.gz").path.read_bytes() == body


def test_a_folder_that_cannot_be_written_is_no_fault_of_the_client(house: House, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file where the folder should be")
    status, headers, body = follow(house, taken, "csv.gz")
    assert (status, headers["Content-Type"]) == (503, "application/problem+json")
    assert b"The data query gives the same figures" in body


def test_a_dataflow_whose_figures_all_went_has_no_file(tmp_path: Path) -> None:
    with open_fishery(tmp_path / "house") as emptied:
        lines = "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,PORT,FISH,TIME_PERIOD\ndataflow,SEA:DF_CATCH_EST(1.0.0),D,,,,\n"
        receipt, _ = emptied.send(lines.encode(), name="gone.csv", provider="SEA.HARBOUR")
        assert receipt.status == "published"
        shelf = Shelf(tmp_path / "shelf", emptied.library, Party(id="TEST"))
        status, _, body = get(emptied, tmp_path / "bulk", "/bulk/SEA/DF_CATCH_EST/1.0.0/latest.csv.gz")
        assert (status, b"had no figures" in body) == (404, True)
        assert shelf.prepare(["csv.gz"], keep=1) == len(shelf.histories()) - 1


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (f"{BASE}/latest.doc", "csv.gz"),
        (f"{BASE}/999.csv.gz", "Releases that changed it"),
        ("/bulk/SEA/NOPE/1.0.0/latest.csv.gz", "/api/bulk"),
        ("/bulk/SEA/DF_CATCH/7.0.0/latest.csv.gz", "/api/bulk"),
        ("/bulk/..%2F../x/1.0.0/1.csv.gz", "/api/bulk"),
    ],
)
def test_what_is_not_there_is_said_so(house: House, tmp_path: Path, path: str, said: str) -> None:
    status, headers, body = get(house, tmp_path, path)
    assert (status, headers["Content-Type"]) == (404, "application/problem+json")
    assert said in body.decode()
