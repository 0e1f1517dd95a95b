"""``/api/counts``: exact numbers before a download; what gives nothing leads to what gives something."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest

from sdmx_service.catalog.loading import Content, serialise
from sdmx_service.errors import NotFound, SdmxError, SemanticFault
from sdmx_service.model.message import Party
from sdmx_service.model.structure import ProvisionAgreement
from sdmx_service.rest.counts import counts
from sdmx_service.storage.duckdb_store import DuckDBEngine
from tests.harness import House, open_house
from tests.rest.fishery import CATCH, CONTENT
from tests.rest.test_http import DATA, asked

FLOW = "data/dataflow/SEA/DF_CATCH/1.0.0"
OLD = "data/SEA,DF_CATCH,1.0.0"


def count(house: House, path: str, query: str = "", api: str = "v2") -> dict[str, Any]:
    return counts(api, path, query, house.library, Party(id="TEST"))


@pytest.mark.parametrize("api", ["v1", "v2"])
def test_the_numbers_are_those_of_the_answer(fishery: House, api: str) -> None:
    found = count(fishery, FLOW if api == "v2" else OLD, api=api)
    assert found["observations"] == len(CATCH)
    assert found["series"] == len({(row["FREQ"], row["PORT"], row["FISH"]) for row in CATCH})
    assert (found["datasets"][0]["first_period"], found["datasets"][0]["last_period"]) == ("2023", "2024-05")
    assert found["nearest"] is None


def test_paging_does_not_count_but_filters_do(fishery: House) -> None:
    rows = [row for row in CATCH if row["FREQ"] == "Q"]
    assert count(fishery, f"{FLOW}/Q", "limit=1&offset=2&sort=PORT")["observations"] == len(rows)
    assert count(fishery, f"{FLOW}/Q", "lastNObservations=1")["observations"] == len({row["PORT"] for row in rows})


def test_the_size_is_that_of_the_answer_where_all_of_it_is_rendered(fishery: House) -> None:
    for media_type, size in count(fishery, FLOW)["estimated_bytes"].items():
        body = fishery.body(f"v2/{FLOW}", media_type)
        assert abs(size - len(body)) < 40, media_type  # the header's time may be a digit longer


def assert_nearest(house: House, path: str, query: str = "", api: str = "v2") -> dict[str, Any]:
    """Nothing matches, and the query that is offered gives as much as it says."""
    found = count(house, path, query, api)
    assert (found["series"], found["observations"]) == (0, 0)
    other = found["nearest"]
    rows = house.rows(other["query"].removeprefix("/sdmx/"))
    assert len(rows) == other["observations"] > 0
    return dict(other)


def test_an_unknown_code_leads_to_those_that_are_there(fishery: House) -> None:
    other = assert_nearest(fishery, f"{FLOW}/M.NOPE.COD")
    assert other["changes"] == [{"component": "PORT", "asked": "NOPE", "instead": "007", "others": ["NOR", "SOU"]}]


def test_a_year_without_figures_leads_to_the_nearest(fishery: House) -> None:
    other = assert_nearest(fishery, f"{FLOW}/A.NOR.COD", "c%5BTIME_PERIOD%5D=2031")
    assert other["changes"] == [{"component": "TIME_PERIOD", "asked": "2031", "instead": "2024", "others": ["2023"]}]
    old = assert_nearest(fishery, f"{OLD}/A.NOR.COD", "endPeriod=2001", api="v1")
    assert old["changes"][0]["instead"] == "2023"


def test_codes_that_have_figures_each_but_not_together(fishery: House) -> None:
    other = assert_nearest(fishery, f"{FLOW}/A.SOU.EEL")
    assert len(other["changes"]) == 1


def test_several_keys_are_tried_one_by_one(fishery: House) -> None:
    other = assert_nearest(fishery, f"{FLOW}/X.Y.Z,A.NOR.EEL")
    assert [change["component"] for change in other["changes"]] == ["FISH"]


def test_a_filter_of_a_measure_is_left_out(fishery: House) -> None:
    other = assert_nearest(fishery, f"{FLOW}/A.NOR.COD", "c%5BWEIGHT%5D=gt:1e300")
    assert other["changes"] == [{"component": "WEIGHT", "asked": "gt:1e300", "instead": None, "others": []}]


def test_everything_wrong_at_once(fishery: House) -> None:
    other = assert_nearest(fishery, f"{FLOW}/X.Y.Z", "c%5BTIME_PERIOD%5D=1800&c%5BSTATUS%5D=ZZ")
    assert {change["component"] for change in other["changes"]} == {"FREQ", "PORT", "FISH", "TIME_PERIOD", "STATUS"}


def test_nothing_new_is_no_fault_of_the_query(fishery: House) -> None:
    found = count(fishery, f"{FLOW}/A", "updatedAfter=2999-01-01T00:00:00Z")
    assert found["observations"] == 0
    assert found["nearest"]["changes"] == []


@pytest.mark.parametrize(
    ("path", "error"),
    [("structure/codelist", SemanticFault), ("data/dataflow/SEA/NOPE", NotFound), ("data/x", SdmxError)],
)
def test_what_is_no_data_query_is_refused(fishery: House, path: str, error: type[SdmxError]) -> None:
    with pytest.raises(error):
        count(fishery, path)


def test_over_http(fishery: House) -> None:
    status, headers, body = asked(fishery, DATA.replace("/sdmx/", "/api/counts/") + "/A.NOR")
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert orjson.loads(body)["observations"] == 2
    status, headers, _ = asked(fishery, "/api/counts/v2/structure/codelist")
    assert (status, headers["Content-Type"]) == (422, "application/problem+json")


def test_an_empty_answer_says_where_the_nearest_query_is_told(fishery: House) -> None:
    status, headers, body = asked(fishery, f"{DATA}/M.NOPE?c%5BTIME_PERIOD%5D=ge:2020+le:2021")
    assert (status, body) == (204, b"")
    address = headers["Link"].split(">")[0].removeprefix("<")
    assert orjson.loads(asked(fishery, address)[2])["nearest"]["observations"] > 0
    status, headers, body = asked(fishery, "/sdmx/v1/data/SEA,DF_CATCH,1.0.0/M.NOPE.COD")
    assert status == 404
    assert headers["Link"].split(">")[0].removeprefix("<").encode() in body


# --- over time -------------------------------------------------------------------------------------------------------
@pytest.fixture
def grown(tmp_path: Path) -> Iterator[House]:
    """Sixty figures, then one more, which is corrected and goes again, a release each."""
    header = "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,PORT,FISH,TIME_PERIOD,WEIGHT,STATUS,UNIT"
    many = [f"M,M,NOR,COD,20{year}-{month:02},{month},A,kg" for year in range(20, 25) for month in range(1, 13)]
    more = ["M,M,SOU,EEL,2031-01,5,A,kg"], ["M,M,SOU,EEL,2031-01,6,A,kg"], ["D,M,SOU,EEL,2031-01,,,"]
    with open_house(f"duckdb:///{tmp_path / 'store.duckdb'}", CONTENT) as house:
        for rows in (many, *more):
            body = "\n".join([header, *(f"dataflow,SEA:DF_CATCH(1.0.0),{row}" for row in rows), ""]).encode()
            assert house.send(body, provider="SEA.HARBOUR")[0].status == "published"
        yield house


def test_history_counts_what_every_release_brought(grown: House) -> None:
    found = count(grown, FLOW, "includeHistory=true")
    assert [one["observations"] for one in found["datasets"]] == [60, 1, 1]
    assert found["observations"] == 62


def test_the_size_of_a_history_is_about_that_of_its_answer(grown: House) -> None:
    for media_type, size in count(grown, FLOW, "includeHistory=true")["estimated_bytes"].items():
        body = grown.body(f"v2/{FLOW}?includeHistory=true", media_type)
        assert 0.5 < size / len(body) < 1.5, media_type


def test_the_size_of_keys_alone(fishery: House) -> None:
    for media_type, size in count(fishery, FLOW, "measures=none&attributes=none")["estimated_bytes"].items():
        body = fishery.body(f"v2/{FLOW}?measures=none&attributes=none", media_type)
        assert abs(size - len(body)) < 40, media_type


@pytest.mark.parametrize("query", ["", "includeHistory=true"])
def test_the_store_is_not_asked_for_what_nobody_ever_sent(
    grown: House, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    """There may be an agreement for every office and dataflow, and few that send."""
    catalog = grown.library.view().catalog
    known = catalog.named("PA_CATCH_HARBOUR", "ProvisionAgreement")
    assert isinstance(known, ProvisionAgreement)
    others = [replace(known, id=f"PA_{n}", provider=replace(known.provider, item=f"OFFICE_{n}")) for n in range(200)]
    grown.library.store.save_artefacts(serialise(Content(artefacts=others)))
    asked: list[str] = []
    read = DuckDBEngine.read

    def reading(self: DuckDBEngine, statement: str) -> pa.Table:
        asked.append(statement)
        return read(self, statement)

    monkeypatch.setattr(DuckDBEngine, "read", reading)
    found = count(grown, "data/provisionagreement/SEA/*", query)
    assert {one["urn"].rpartition("=")[2] for one in found["datasets"]} == {"SEA:PA_CATCH_HARBOUR(1.0.0)"}
    assert len(asked) < 150
