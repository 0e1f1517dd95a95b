"""Data over time: asOf, updatedAfter and includeHistory, after three releases that bring, change and take away."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest
from lxml import etree

from sdmx_service.formats.registry import formats_for
from tests.harness import CSV, House, open_house
from tests.rest.fishery import as_csv, write_content
from tests.rest.reading_back import faults

FLOW = "data/dataflow/SEA/DF_CATCH/1.0.0"
OLD = "data/SEA,DF_CATCH,1.0.0"
IDS = ("FREQ", "PORT", "FISH", "TIME_PERIOD", "WEIGHT", "STATUS", "UNIT", "SOURCE")
Told = list[tuple[str, str, str]]
FIRST = {"M.NOR.COD.2024-01": "1", "M.NOR.COD.2024-02": "2", "M.SOU.COD.2024-01": "3"}
SECOND = {"M.NOR.COD.2024-02": "22", "M.SOU.EEL.2024-01": "4"}
THIRD = {"M.NOR.COD.2024-01": "11"}
GONE = "M.SOU.COD.2024-01"


def rows(figures: dict[str, str]) -> bytes:
    made = []
    for key, weight in figures.items():
        frequency, port, fish, time = key.split(".")
        made.append({"FREQ": frequency, "PORT": port, "FISH": fish, "TIME_PERIOD": time, "WEIGHT": weight,
                     "STATUS": "A", "UNIT": "t", "SOURCE": "Book"})  # fmt: skip
    return as_csv("DF_CATCH", made, IDS)


def to_delete(key: str) -> bytes:
    cells = ["dataflow", "SEA:DF_CATCH(1.0.0)", "D", *key.split(".")]
    return f"STRUCTURE,STRUCTURE_ID,ACTION,FREQ,PORT,FISH,TIME_PERIOD\n{','.join(cells)}\n".encode()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("changes")
    with open_house(f"duckdb:///{folder / 'store.duckdb'}", write_content(folder / "content")) as opened:
        for body in (rows(FIRST), rows(SECOND)):
            receipt, findings = opened.send(body, provider="SEA.HARBOUR")
            assert receipt.status == "published", findings
        accepted = [
            opened.send(body, provider="SEA.HARBOUR", publish=False)[0].id for body in (rows(THIRD), to_delete(GONE))
        ]
        opened.library.store.publish(accepted)
        yield opened


def moment(house: House, release: int, *, before: bool = False) -> str:
    """When a release was published, or just before."""
    at = house.library.store.releases()[release - 1].published_at
    return quote((at - timedelta(microseconds=1) if before else at).isoformat())


def told(house: House, path: str) -> Told:
    """(action, key, weight) of every row, sorted within one action."""
    lines = csv.DictReader(io.StringIO(house.body(path, CSV).decode()))
    return [(line["ACTION"], ".".join(line[id] for id in IDS[:4]), line.get("WEIGHT", "")) for line in lines]


def replaced(figures: dict[str, str]) -> Told:
    return [("R", key, weight) for key, weight in sorted(figures.items())]


AFTER_SECOND = {**FIRST, **SECOND}
NOW = {key: weight for key, weight in {**AFTER_SECOND, **THIRD}.items() if key != GONE}


@pytest.mark.parametrize(
    ("release", "expected"), [(1, FIRST), (2, AFTER_SECOND), (3, NOW)], ids=["first", "second", "third"]
)
def test_as_of_is_the_state_at_that_moment(house: House, release: int, expected: dict[str, str]) -> None:
    assert sorted(told(house, f"v2/{FLOW}?asOf={moment(house, release)}")) == replaced(expected)
    if release < 3:
        later = moment(house, release + 1, before=True)
        assert sorted(told(house, f"v2/{FLOW}?asOf={later}")) == replaced(expected)


def test_as_of_before_the_first_release_finds_nothing(house: House) -> None:
    assert house.get(f"v2/{FLOW}?asOf={moment(house, 1, before=True)}").status == 204


@pytest.mark.parametrize("api", [f"v2/{FLOW}", f"v1/{OLD}"])
def test_updated_after_tells_inserts_updates_and_deletes(house: House, api: str) -> None:
    whole = sorted(told(house, f"{api}?updatedAfter={moment(house, 1, before=True)}"))
    assert whole == [("M", "M.SOU.COD.", ""), *replaced(NOW)]  # the unit of that series is still there
    assert sorted(told(house, f"{api}?updatedAfter={moment(house, 1)}")) == [
        ("D", GONE, ""), *replaced({key: NOW[key] for key in (*SECOND, *THIRD)})
    ]  # fmt: skip
    assert told(house, f"{api}?updatedAfter={moment(house, 2)}") == [("D", GONE, ""), *replaced(THIRD)]


def test_nothing_changed_after_the_last_release(house: House) -> None:
    later = moment(house, 3)
    assert house.get(f"v2/{FLOW}?updatedAfter={later}").status == 204
    assert house.get(f"v1/{OLD}?updatedAfter={later}").status == 404


def test_updated_after_together_with_as_of_and_a_filter(house: House) -> None:
    window = f"updatedAfter={moment(house, 1)}&asOf={moment(house, 2)}"
    assert sorted(told(house, f"v2/{FLOW}?{window}")) == replaced(SECOND)
    assert told(house, f"v2/{FLOW}?{window}&c[FISH]=EEL") == [("R", "M.SOU.EEL.2024-01", "4")]
    assert told(house, f"v2/{FLOW}/*.SOU?updatedAfter={moment(house, 2)}") == [("D", GONE, "")]


def test_pages_of_changes_tell_the_deletes_once(house: House) -> None:
    path = f"v2/{FLOW}?updatedAfter={moment(house, 1)}"
    pages = [told(house, f"{path}&offset={offset}&limit=2") for offset in (0, 2)]
    assert [row[0] for row in pages[0]] == ["D", "R", "R"]
    assert sorted(pages[0] + pages[1]) == sorted(told(house, path))


@pytest.mark.parametrize("api", [f"v2/{FLOW}", f"v1/{OLD}"])
def test_history_has_one_or_two_data_sets_per_release(house: House, api: str) -> None:
    body = house.body(f"{api}?includeHistory=true", "application/vnd.sdmx.data+json;version=2.0.0")
    at = [one.published_at.strftime("%Y-%m-%dT%H:%M:%SZ") for one in house.library.store.releases()]
    found = [
        (
            one["action"],
            one.get("validFrom"),
            one.get("validTo"),
            sum(len(s["observations"]) for s in one["series"].values()),
        )
        for one in json.loads(body)["data"]["dataSets"]
    ]
    assert found == [
        ("Replace", at[0], None, 3), ("Replace", at[1], None, 2), ("Delete", None, at[2], 1), ("Replace", at[2], None, 1)
    ]  # fmt: skip


@pytest.mark.parametrize("wish", ["updatedAfter", "includeHistory"])
@pytest.mark.parametrize("api", ["v1", "v2"])
def test_every_format_is_valid_and_names_its_actions(house: House, api: str, wish: str) -> None:
    base = f"{api}/{FLOW if api == 'v2' else OLD}"
    path = f"{base}?includeHistory=true" if wish == "includeHistory" else f"{base}?updatedAfter={moment(house, 2)}"
    catalog = house.library.view().catalog
    structures = tuple(catalog.structure(one.ref) for one in catalog.of_type("DataStructure"))
    for format in formats_for("data", api):
        answer = house.get(path, format.media_types[0])
        body = b"".join(answer.chunks)
        if ("timeseries" in format.name or format.name == "jsonstat") and answer.status == 406:
            continue  # one data set, or no deletes
        assert answer.status == 200, (format.name, body[:500])
        assert faults(format.media_types[0], body, structures) == [], format.name
        if "+xml" in format.media_types[0]:
            actions = [
                one.get(name)
                for one in etree.fromstring(body).iter("{*}DataSet")
                for name in one.attrib
                if "action" in name
            ]
            assert "Delete" in actions, format.name
            assert "Replace" in actions, format.name


def test_counts_of_what_changed(house: House) -> None:
    path = f"v2/availability/dataflow/SEA/DF_CATCH/1.0.0?updatedAfter={moment(house, 2)}"
    body = json.loads(house.body(path, "application/vnd.sdmx.structure+json;version=2.0.0"))
    [constraint] = body["data"]["dataConstraints"]
    counts = {note["id"]: note["title"] for note in constraint["annotations"]}
    assert counts["obs_count"] == "1"
