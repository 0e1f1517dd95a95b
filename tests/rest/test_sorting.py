"""``sort`` in every format, against the source rows sorted in plain Python (SDMX-REST 2.2, data.md, *sort*)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.harness import CSV, GENERIC, JSON, XML, House
from tests.rest.fishery import ALL_CATCH, CATCH, KEY, LICENCES, Row, key_of, rows_where
from tests.rest.reading_back import datasets, faults

FLOW = "v2/data/dataflow/SEA/DF_CATCH/1.0.0"
NAME = "SEA:DF_CATCH(1.0.0)"
SERIES = KEY[:3]


def moment(text: str) -> float:
    """Where a period stands in time: by its first month, the shorter of two that begin together first."""
    year, _, rest = text.partition("-")
    first = {"": 1, "Q1": 1, "Q4": 10}.get(rest) or int(rest)
    length = {"": 12, "Q1": 3, "Q4": 3}.get(rest, 1)
    return int(year) * 12 + first + length / 100


def value(row: Row, id: str) -> Any:
    """What a row is sorted by; None for nothing or a mark."""
    text = row.get(id)
    if id == "TIME_PERIOD" and text is not None:
        return moment(text)
    if id in ("WEIGHT", "LICENCES"):
        return None if text in (None, "#N/A") else float(text)
    return text


def in_order(rows: Sequence[Row], *keys: str) -> list[tuple[Any, ...]]:
    """The values sorted by in a right answer: rows that are equal in them may come in any order."""
    wanted = list(rows)
    for key in reversed(keys):
        id = key.removesuffix(":desc")
        there = [row for row in wanted if value(row, id) is not None]
        missing = [row for row in wanted if value(row, id) is None]
        wanted = sorted(there, key=lambda row: value(row, id), reverse=key.endswith(":desc")) + missing
    return told(wanted, keys)


def told(rows: Sequence[Row], keys: Sequence[str]) -> list[tuple[Any, ...]]:
    return [tuple(value(row, key.removesuffix(":desc")) for key in keys) for row in rows]


def answered(house: House, path: str, format: str, name: str = NAME) -> list[Row]:
    body = house.body(path, format)
    catalog = house.library.view().catalog
    structures = tuple(catalog.structure(one.ref) for one in catalog.of_type("DataStructure"))
    assert faults(format, body, structures) == []
    return datasets(format, body, KEY)[name]


@pytest.mark.parametrize(
    "keys",
    [
        ["PORT"], ["PORT:desc", "FISH"], ["TIME_PERIOD"], ["TIME_PERIOD:desc", "PORT"], ["WEIGHT"], ["WEIGHT:desc"],
        ["GRADE:desc", "WEIGHT"], ["STATUS", "TIME_PERIOD:desc", "FISH:desc"], ["UNIT", "PORT"], ["PORT_NOTE:desc", "FREQ"],
        ["PORT_NOTE", "WEIGHT:desc"], ["SOURCE", "FREQ:desc"], ["FREQ", "PORT", "FISH", "TIME_PERIOD:desc"],
    ],
    ids="+".join,
)  # fmt: skip
def test_every_format_is_in_the_order_wished(fishery: House, keys: list[str]) -> None:
    for format in (CSV, JSON, XML, GENERIC):
        rows = answered(fishery, f"{FLOW}?sort={'+'.join(keys)}", format)
        rows = [{"WEIGHT": row["OBS_VALUE"], **row} if "OBS_VALUE" in row else row for row in rows]  # 2.1 says so
        assert told(rows, keys) == in_order(CATCH, *keys), format
        assert sorted(map(key_of, rows)) == sorted(map(key_of, CATCH)), format


@pytest.mark.parametrize(
    ("wish", "keys"),
    [
        ("*", KEY), ("*:desc", [f"{id}:desc" for id in KEY]), ("series_key", SERIES), ("series_key:desc", [f"{id}:desc" for id in SERIES]),
        ("FISH%2BPORT:desc", ["FISH", "PORT:desc"]), ("FISH+*", ["FISH", "FREQ", "PORT", "TIME_PERIOD"]),
        ("FISH+FISH:desc", ["FISH"]), ("WEIGHT%3Adesc", ["WEIGHT:desc"]),
    ],
)  # fmt: skip
def test_words_and_spellings(fishery: House, wish: str, keys: Sequence[str]) -> None:
    assert told(answered(fishery, f"{FLOW}?sort={wish}", CSV), keys) == in_order(CATCH, *keys)


def runs(rows: Sequence[Row], ids: Sequence[str]) -> list[tuple[str, ...]]:
    """The keys of neighbouring rows that are equal in these dimensions, each run once."""
    keys = [key_of(row, ids) for row in rows]
    return [key for place, key in enumerate(keys) if place == 0 or keys[place - 1] != key]


@pytest.mark.parametrize("dimension", ["TIME_PERIOD", "FISH", "PORT"])
@pytest.mark.parametrize("keys", [["WEIGHT:desc"], ["TIME_PERIOD:desc", "PORT"], ["STATUS", "WEIGHT"]], ids="+".join)
def test_groups_stay_whole_where_the_client_names_a_view(fishery: House, dimension: str, keys: list[str]) -> None:
    series = [id for id in KEY if id != dimension]
    path = f"{FLOW}?sort={'+'.join(keys)}&dimensionAtObservation={dimension}"
    orders = []
    for format in (CSV, JSON, "application/vnd.sdmx.data+xml;version=3.1.0"):
        rows = answered(fishery, path, format)
        found = runs(rows, series)
        assert len(found) == len(set(found)), format
        orders.append([key_of(row) for row in rows])
        for key in found:  # inside in the order wished
            own = [row for row in rows if key_of(row, series) == key]
            assert told(own, keys) == in_order(own, *keys)
        firsts = [next(row for row in rows if key_of(row, series) == key) for key in found]
        assert told(firsts, keys) == in_order(firsts, *keys)  # and so are the first rows
    assert orders[0] == orders[1] == orders[2]


def test_an_order_across_series_is_answered_flat(fishery: House) -> None:
    body = fishery.body(f"{FLOW}?sort=WEIGHT", JSON)
    assert b'"observations":{"' in body
    assert b'"series":{' not in body
    assert b'"series":{' in fishery.body(f"{FLOW}?sort=PORT", JSON)


@pytest.mark.parametrize("keys", ["WEIGHT:desc", "*", "TIME_PERIOD:desc+FISH", "GRADE"])
@pytest.mark.parametrize("more", ["", "&firstNObservations=1&lastNObservations=1", "&c[STATUS]=A,Q"])
@pytest.mark.parametrize("format", [CSV, JSON])
def test_pages_are_parts_of_one_order(fishery: House, keys: str, more: str, format: str) -> None:
    path = f"{FLOW}?sort={keys}{more}"
    whole = [key_of(row) for row in answered(fishery, path, format)]
    pages = [
        key_of(row)
        for offset in range(0, len(whole), 7)
        for row in answered(fishery, f"{path}&offset={offset}&limit=7", format)
    ]
    assert pages == whole


@pytest.mark.parametrize(
    ("wish", "keys"),
    [("*:desc", [f"{id}:desc" for id in SERIES]), ("UNIT+PORT:desc", ["UNIT", "PORT:desc"]), ("FISH+PORT_NOTE:desc", ["FISH", "PORT_NOTE:desc"])],
)  # fmt: skip
def test_series_keys_are_sorted_and_counted(fishery: House, wish: str, keys: list[str]) -> None:
    series = list({key_of(row, SERIES): row for row in CATCH}.values())
    path = f"{FLOW}?measures=none&attributes=series&sort={wish}"
    assert told(answered(fishery, path, CSV), keys) == in_order(series, *keys)
    assert told(answered(fishery, f"{path}&offset=2&limit=3", JSON), keys) == in_order(series, *keys)[2:5]


def test_other_contexts(fishery: House) -> None:
    rows = answered(fishery, "v2/data/datastructure/SEA/DSD_CATCH/1.0.0?sort=WEIGHT:desc", CSV, "SEA:DSD_CATCH(1.0.0)")
    assert told(rows, ["WEIGHT:desc"]) == in_order(ALL_CATCH, "WEIGHT:desc")
    rows = answered(fishery, "v2/data/dataflow/SEA/DF_LICENCE?sort=LICENCES:desc", JSON, "SEA:DF_LICENCE(1.0.0)")
    assert told(rows, ["LICENCES:desc"]) == in_order(LICENCES, "LICENCES:desc")
    rows = answered(fishery, f"{FLOW}/M.NOR.COD,Q.007.COD?sort=TIME_PERIOD:desc", CSV)
    kept = rows_where(CATCH, lambda row: key_of(row, SERIES) in {("M", "NOR", "COD"), ("Q", "007", "COD")})
    assert told(rows, ["TIME_PERIOD:desc"]) == in_order(kept, "TIME_PERIOD:desc")


@pytest.mark.parametrize(
    ("wish", "status"),
    [("COLOUR", 422), ("PORT+COLOUR:desc", 422), ("PORT:up", 400), ("", 400), ("PORT++FISH", 400), ("PORT,FISH", 400), ("PORT:", 400)],
)  # fmt: skip
def test_refusals(fishery: House, wish: str, status: int) -> None:
    assert fishery.get(f"{FLOW}?sort={wish}").status == status


def test_a_variant_of_time_series_cannot_carry_an_order_across_them(fishery: House) -> None:
    kind = "application/vnd.sdmx.generictimeseriesdata+xml;version=2.1"
    assert fishery.get(f"{FLOW}?sort=WEIGHT", kind).status == 406
    assert fishery.get(f"{FLOW}?sort=PORT", kind).status == 200
