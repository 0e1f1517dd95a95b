"""SDMX-JSON 1.0 as written: valid against the official schema, its positions followed back to the source rows."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdmx_service.errors import CannotWrite, UnreadableFile
from sdmx_service.formats.sdmx_json.data_writer_1_0 import write_data_1_0
from sdmx_service.model.artefact import Texts
from sdmx_service.model.columns import columns
from sdmx_service.model.items import Contact
from sdmx_service.model.message import Action, Dataset, Header, Message, Party, WriteOptions
from sdmx_service.model.structure import DataStructure
from tests.formats.data.invented import resolving
from tests.formats.data.invented_data import World, worlds
from tests.formats.data.specimen_data import read
from tests.formats.data.writing import BIRDS, FLOW, dataset, dimension, plain, rich, structure
from tests.rest.reading_back import json_validator


def written(*datasets: Dataset, header: Header | None = None, **options: Any) -> dict[str, Any]:
    """The message, which must be valid; digits are kept."""
    message = Message(header=header or Header(), datasets=datasets)
    text = b"".join(write_data_1_0(message, WriteOptions(**options)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        faults = [
            f"{list(one.path)}: {one.message}" for one in json_validator("data", "1.0").iter_errors(json.loads(text))
        ]
    assert faults == []
    made: dict[str, Any] = json.loads(
        text, parse_float=str, parse_int=lambda digits: digits if digits == "-0" else int(digits)
    )
    return made


def value_of(component: dict[str, Any], place: int) -> str:
    """A value as the source has it: a code by its id, a text or a period by its name."""
    value = component["values"][place]
    return str(value["name"] if "start" in value or "id" not in value else value["id"])


def rows_of(message: dict[str, Any], number: int = 0) -> Iterator[dict[str, Any]]:
    made, found = message["data"]["structure"], message["data"]["dataSets"][number]
    dimensions, attributes = made["dimensions"], made["attributes"]

    def key(where: str, text: str) -> dict[str, str]:
        parts = zip(dimensions[where], text.split(":"), strict=True)
        return {one["id"]: value_of(one, int(place)) for one, place in parts}

    def named(where: str, places: list[int | None]) -> dict[str, str]:
        pairs = zip(attributes[where], places, strict=True)
        return {one["id"]: value_of(one, place) for one, place in pairs if place is not None}

    def observed(values: list[Any]) -> dict[str, Any]:
        return {**({} if values[0] is None else {"": str(values[0])}), **named("observation", values[1:])}

    shared = {one["id"]: value_of(one, 0) for one in dimensions["dataSet"]}
    shared |= named("dataSet", found.get("attributes", []))
    for text, series in found.get("series", {}).items():
        of_series = {**shared, **key("series", text), **named("series", series.get("attributes", []))}
        for other, values in series["observations"].items():
            yield {**of_series, **key("observation", other), **observed(values)}
    for text, values in found.get("observations", {}).items():
        yield {**shared, **key("observation", text), **observed(values)}


def expected(made: DataStructure, rows: Any) -> list[dict[str, Any]]:
    """The source in what 1.0 carries; the measure has no name there."""
    ids = [one.id for one in made.measures]
    primary = "OBS_VALUE" if "OBS_VALUE" in ids else ids[0]
    found = []
    for row in rows:
        shown: dict[str, Any] = {}
        for column in columns(made):
            value = row.get(column.id)
            if value in (None, []):
                continue
            if column.kind == "multi":
                value = "; ".join(value)
            elif column.kind == "multilingual":
                value = value.get("en", next(iter(value.values())))
            shown["" if column.id == primary else column.id] = value
        found.append(shown)
    return sorted(found, key=repr)


@settings(max_examples=60)
@given(data=st.data(), size=st.integers(1, 4))
def test_valid_and_says_what_the_source_says(data: st.DataObject, size: int) -> None:
    world: World = data.draw(worlds())
    if any(column.kind == "multilingual" for column in columns(world.structure)):
        return  # which language is best is tested below
    view = data.draw(st.sampled_from([*world.structure.key_ids, "AllDimensions"]))
    message = written(dataset(world.structure, world.rows, size=size, dimension_at_observation=view))
    read = [dict(sorted(row.items())) for row in rows_of(message)]
    source = [dict(sorted(row.items())) for row in expected(world.structure, world.rows)]
    for row in (*source, *read):  # whole numbers of Python have no sign at zero, others have
        row.update({id: "0" for id, value in row.items() if value == "-0"})
    assert sorted(source, key=repr) == sorted(read, key=repr)


@pytest.mark.parametrize("size", [1, 2, 9])
def test_the_birds(size: int) -> None:
    message = written(dataset(structure(), BIRDS, size=size))
    assert sorted(map(sorted_items, expected(structure(), BIRDS))) == sorted(map(sorted_items, rows_of(message)))
    series = message["data"]["dataSets"][0]["series"]
    assert list(series) == ["0:1:1", "0:1:0", "0:0:0", "1:0:0"]
    assert series["0:1:0"] == {"attributes": [None, 1, None], "observations": {"1": [None, 2, 1]}}
    assert message["data"]["dataSets"][0]["attributes"] == [0]


def sorted_items(row: dict[str, Any]) -> list[tuple[str, Any]]:
    return sorted(row.items())


def test_a_dimension_of_one_value_stands_at_the_data_set() -> None:
    quarterly = [row for row in BIRDS if row["FREQ"] == "A"]
    message = written(dataset(structure(), quarterly))
    dimensions = message["data"]["structure"]["dimensions"]
    assert {level: [one["id"] for one in dimensions[level]] for level in dimensions} == {
        "dataSet": ["FREQ"], "series": ["AREA", "BIRD"], "observation": ["TIME_PERIOD"]}  # fmt: skip
    assert [one["keyPosition"] for level in dimensions.values() for one in level] == [0, 1, 2, 3]
    one_series = written(dataset(structure(), BIRDS[:1]))["data"]
    assert [one["id"] for one in one_series["structure"]["dimensions"]["series"]] == ["BIRD"]  # a key must be left
    assert list(one_series["dataSets"][0]["series"]) == ["0"]


def test_what_went_away_comes_first_in_the_same_structure() -> None:
    gone = dataset(structure(), [{"FREQ": "A", "AREA": "4", "BIRD": "KIWI", "TIME_PERIOD": "2018"}],
                   action=Action.DELETE, components=(), attachments={})  # fmt: skip
    message = written(gone, dataset(structure(), BIRDS, action=Action.MERGE))
    assert [one["action"] for one in message["data"]["dataSets"]] == ["Delete", "Append"]
    assert list(rows_of(message, 0)) == [{"FREQ": "A", "AREA": "4", "BIRD": "KIWI", "TIME_PERIOD": "2018"}]
    assert sorted(map(sorted_items, rows_of(message, 1))) == sorted(map(sorted_items, expected(structure(), BIRDS)))


def test_several_structures_cannot_be_written() -> None:
    other = structure(("FREQ", "SIZE"), attributes=(), groups=())
    with pytest.raises(CannotWrite, match="one structure"):
        b"".join(write_data_1_0(Message(datasets=[dataset(structure(), BIRDS), dataset(other, [])]), WriteOptions()))


def test_keys_only() -> None:
    found = written(dataset(structure(), BIRDS, keys_only=True))["data"]["dataSets"][0]
    assert {key: list(one) for key, one in found["series"].items()} == {
        key: ["attributes"] for key in ("0:1:1", "0:1:0", "0:0:0", "1:0:0")
    }


def test_names_in_the_language_wished_and_in_all() -> None:
    contact = Contact(names=Texts({"en": "Ann", "fr": "Anne"}), addresses=(("email", "ann@zoo.example"),))
    header = Header(id="X", sender=Party(id="ZOO", names=Texts({"en": "The zoo", "fr": "Le zoo"}), contacts=(contact,)))
    row = {**BIRDS[0], "REMARK": {"en": "fine", "fr": "beau"}, "FLAGS": ["A", "B"], "MOOD": "X"}
    row.pop("DECIMALS")
    french = written(dataset(rich(), [row]), header=header, languages=("fr",))
    made = french["data"]["structure"]
    assert (made["name"], french["meta"]["sender"]["contact"][0]["name"]) == ("Oiseaux", "Anne")
    attributes = {one["id"]: one for one in made["attributes"]["observation"]}
    assert attributes["REMARK"]["values"] == [{"name": "beau"}]
    assert attributes["FLAGS"]["values"] == [{"name": "A; B"}]
    assert attributes["MOOD"]["relationship"] == {"primaryMeasure": "OBS_VALUE"}
    every = written(dataset(rich(), [row]), header=header, all_languages=True)["data"]["structure"]
    attributes = {one["id"]: one for one in every["attributes"]["observation"]}
    assert attributes["REMARK"]["values"] == [{"name": "fine", "names": {"en": "fine", "fr": "beau"}}]
    assert every["dimensions"]["dataSet"][0]["values"][0]["names"]["fr"] == 'Nom, "A"'


def test_periods_that_no_id_can_hold() -> None:
    rows = [{**BIRDS[0], "TIME_PERIOD": text} for text in ("2015-07-01/P5Y", "2020-01-01T00:00:00")]
    listed = written(dataset(structure(), rows))["data"]["structure"]["dimensions"]["observation"][0]["values"]
    assert [(one["id"], one["name"]) for one in listed] == [
        ("2015-07-01_P5Y", "2015-07-01/P5Y"),
        ("2020-01-01T00_00_00", "2020-01-01T00:00:00"),
    ]
    assert listed[0]["end"] == "2020-06-30T23:59:59Z"


def test_values_that_are_not_known_cannot_be_written() -> None:
    found = dataset(structure(), BIRDS)
    found.domains = {**found.domains, "AREA": ["4", "5"]}
    with pytest.raises(CannotWrite, match="008"):
        b"".join(write_data_1_0(Message(datasets=[found]), WriteOptions()))
    found = dataset(structure(), BIRDS, ref=FLOW)
    found.domains = {}
    with pytest.raises(CannotWrite, match="FREQ"):
        b"".join(write_data_1_0(Message(datasets=[found]), WriteOptions()))


def test_nothing_to_write_is_valid() -> None:
    assert written()["data"]["dataSets"] == []


def test_texts_of_a_dimension_without_codes_come_back() -> None:
    texts = ("Million euro", "Million.euro", "Euro area – 20 (from 2023)", "plain", "In_USD")
    plain_text = dimension("UNIT_TEXT"), dimension("FREQ")
    made = replace(structure(), dimensions=(replace(plain_text[0], representation=plain("String")), plain_text[1]),
                   groups=(), attributes=())  # fmt: skip
    rows = [
        {"UNIT_TEXT": text, "FREQ": "A", "TIME_PERIOD": "2020", "OBS_VALUE": str(n)} for n, text in enumerate(texts)
    ]
    for some in (rows, rows[:1]):
        body = b"".join(write_data_1_0(Message(datasets=[dataset(made, some)]), WriteOptions()))
        (found,) = read(body, resolving(made))
        assert [dict(row) for row in found.rows] == some


def test_a_structure_without_measures_comes_back() -> None:
    made = replace(structure(), measures=())
    rows = [{name: value for name, value in row.items() if name != "OBS_VALUE" and value} for row in BIRDS]
    body = b"".join(write_data_1_0(Message(datasets=[dataset(made, rows)]), WriteOptions()))
    (found,) = read(body, resolving(made))
    assert found.by_key == {tuple(row[name] for name in made.key_ids): row for row in rows}
    with pytest.raises(UnreadableFile, match="has no measure"):
        read(re.sub(rb'("\d+":)\[null', rb"\1[7", body), resolving(made))
