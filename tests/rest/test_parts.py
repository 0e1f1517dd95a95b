"""Which part of the figures an answer holds: first and last observations, pages, series keys only; and its order."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.harness import JSON, XML, House
from tests.rest.fishery import ATTRIBUTES, CATCH, COAST, ESTIMATED, HARBOUR, KEY, Row, key_of, rows_where
from tests.rest.reading_back import datasets, faults

FLOW = "v2/data/dataflow/SEA/DF_CATCH/1.0.0"
BOTH = "v2/data/dataflow/SEA/DF_CATCH,DF_CATCH_EST/1.0.0"


def keys(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    return sorted(map(key_of, rows))


def per_series(rows: Sequence[Row], first: int = 0, last: int = 0) -> list[Row]:
    """The first and last rows of each series; periods of one series sort as text."""
    series: dict[tuple[str, ...], list[Row]] = {}
    for row in sorted(rows, key=lambda one: one["TIME_PERIOD"]):
        series.setdefault(key_of(row, KEY[:3]), []).append(row)
    return [
        row
        for found in series.values()
        for place, row in enumerate(found)
        if place < first or place >= len(found) - last
    ]


@pytest.mark.parametrize(("first", "last"), [(1, 0), (2, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 3), (9, 9)])
@pytest.mark.parametrize("api", ["v1", "v2"])
def test_first_and_last_of_each_series(fishery: House, api: str, first: int, last: int) -> None:
    flow = FLOW if api == "v2" else "v1/data/SEA,DF_CATCH,1.0.0"
    words = [f"firstNObservations={first}"] * bool(first) + [f"lastNObservations={last}"] * bool(last)
    body = fishery.body(f"{flow}?{'&'.join(words)}", JSON)
    assert keys(datasets(JSON, body, KEY)["SEA:DF_CATCH(1.0.0)"]) == keys(per_series(CATCH, first, last))


def test_last_within_the_periods_asked_for(fishery: House) -> None:
    rows = fishery.rows(f"{FLOW}?c[TIME_PERIOD]=le:2024-02&lastNObservations=1")
    until = rows_where(
        CATCH, lambda row: row["TIME_PERIOD"] not in ("2024-03", "2024-04", "2024-05", "2024-Q1", "2024")
    )
    assert keys(rows) == keys(per_series(until, last=1))
    body = fishery.body("v1/data/SEA,DF_CATCH,1.0.0/all?endPeriod=2024-02&lastNObservations=1", JSON)
    assert keys(datasets(JSON, body, KEY)["SEA:DF_CATCH(1.0.0)"]) == keys(per_series(until, last=1))


@pytest.mark.parametrize("request_", [FLOW, BOTH, f"{FLOW}?c[STATUS]=A", f"{BOTH}?lastNObservations=1"])
def test_pages_make_the_whole_answer(fishery: House, request_: str) -> None:
    whole = shown(fishery.rows(request_))
    join = "&" if "?" in request_ else "?"
    for size in (1, 4, 10, len(whole)):
        starts = range(0, len(whole), size)
        pages = [shown(fishery.rows(f"{request_}{join}offset={start}&limit={size}")) for start in starts]
        assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)
        assert [row for page in pages for row in page] == whole
    assert fishery.get(f"{request_}{join}offset={len(whole)}").status == 204
    assert shown(fishery.rows(f"{request_}{join}offset={len(whole) - 1}")) == whole[-1:]


def shown(rows: Sequence[Row]) -> list[Row]:
    """What tells a row of a page from others."""
    return [{id: row.get(id) for id in ("STRUCTURE_ID", *KEY, "WEIGHT")} for row in rows]


def test_a_page_counts_over_all_data_sets(fishery: House) -> None:
    found = datasets(XML, fishery.body(f"{BOTH}?offset={len(CATCH) - 2}&limit=3", XML), KEY)
    assert {name: len(rows) for name, rows in found.items()} == {"SEA:DF_CATCH(1.0.0)": 2, "SEA:DF_CATCH_EST(1.0.0)": 1}
    found = datasets(XML, fishery.body(f"{BOTH}?offset={len(CATCH)}", XML), KEY)
    assert {name: len(rows) for name, rows in found.items()} == {"SEA:DF_CATCH_EST(1.0.0)": len(ESTIMATED)}


def series_of(rows: Sequence[Row], shown: Sequence[str]) -> list[Row]:
    """One row per series: its key and what belongs to it."""
    found = {key_of(row, KEY[:3]): {id: row[id] for id in (*KEY[:3], *shown) if id in row} for row in rows}
    return sorted((dict(sorted(one.items())) for one in found.values()), key=repr)


@pytest.mark.parametrize(
    ("request_", "shown", "rows"),
    [
        (f"{FLOW}?attributes=none&measures=none", (), CATCH),
        (f"{FLOW}?attributes=dataset,series&measures=none", ("SOURCE", "PORT_NOTE", "UNIT"), CATCH),
        (f"{FLOW}?attributes=UNIT&measures=none&c[FISH]=EEL", ("UNIT",), rows_where(CATCH, lambda r: r["FISH"] == "EEL")),
        (f"{FLOW}?attributes=none&measures=none&c[WEIGHT]=gt:1000", (), rows_where(CATCH, lambda r: (r["FREQ"] == "Q" and r["PORT"] == "NOR") or r["TIME_PERIOD"] == "2023")),
        ("v1/data/SEA,DF_CATCH,1.0.0?detail=serieskeysonly", (), CATCH),
        ("v1/data/SEA,DF_CATCH,1.0.0?detail=nodata", ("SOURCE", "PORT_NOTE", "UNIT"), CATCH),
        ("v1/data/SEA,DF_CATCH,1.0.0/all/COAST?detail=nodata", ("SOURCE", "PORT_NOTE", "UNIT"), COAST),
        ("v2/data/provisionagreement/SEA/PA_CATCH_HARBOUR?measures=none&attributes=none", (), HARBOUR),
    ],
)  # fmt: skip
def test_series_without_observations(fishery: House, request_: str, shown: tuple[str, ...], rows: list[Row]) -> None:
    catalog = fishery.library.view().catalog
    structures = tuple(catalog.structure(one.ref) for one in catalog.of_type("DataStructure"))
    generic = "application/vnd.sdmx.genericdata+xml;version=2.1"
    csv = "application/vnd.sdmx.data+csv;version=2.1.0"
    for accept in (JSON, XML, csv, generic):
        body = fishery.body(request_, accept)
        assert faults(accept, body, structures) == [], accept
        (read,) = datasets(accept, body, KEY).values()
        assert sorted((dict(sorted(row.items())) for row in read), key=repr) == series_of(rows, shown), accept


def test_pages_of_series_keys_count_series(fishery: House) -> None:
    request = f"{BOTH}?attributes=none&measures=none"
    whole = fishery.rows(request)
    assert len(whole) == len(series_of(CATCH, ())) + len(series_of(ESTIMATED, ()))
    pages = [row for start in range(0, len(whole), 3) for row in fishery.rows(f"{request}&offset={start}&limit=3")]
    assert pages == whole


def test_the_action_says_whether_the_answer_is_cut(fishery: House) -> None:
    assert {row["ACTION"] for row in fishery.rows(FLOW)} == {"R"}
    assert {row["ACTION"] for row in fishery.rows(f"{FLOW}?c[PORT]=NOR&lastNObservations=1")} == {"R"}
    for cut in ("attributes=none", "attributes=UNIT", "measures=WEIGHT"):
        assert {row["ACTION"] for row in fishery.rows(f"{FLOW}?{cut}")} == {"M"}


def test_every_attribute_of_what_matches(fishery: House) -> None:
    """SDMX-REST 2.2, data.md: all attributes relevant for the matching data, whatever their level."""
    body = fishery.body(f"{FLOW}/M.SOU.EEL?attributes=all&measures=none", XML)
    (rows,) = datasets(XML, body, KEY).values()
    whole = rows_where(CATCH, lambda row: key_of(row)[:3] == ("M", "SOU", "EEL"))
    expected = {key_of(row): {id: row[id] for id in ATTRIBUTES if id in row} for row in whole}
    assert {key_of(row): {id: value for id, value in row.items() if id not in KEY} for row in rows} == expected


def test_each_series_is_whole_and_in_time(fishery: House) -> None:
    rows = fishery.rows(FLOW)
    runs = [key_of(row, KEY[:3]) for row in rows]
    assert len(set(runs)) == sum(1 for before, key in zip([None, *runs], runs, strict=False) if before != key)
    for key in set(runs):
        times = [row["TIME_PERIOD"] for row in rows if key_of(row, KEY[:3]) == key]
        assert times == sorted(times)
    assert rows == fishery.rows(FLOW)
