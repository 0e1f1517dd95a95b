"""What a writer writes, the reader of the same family reads as the source says."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdmx_service.formats.recognition import head_of, recognise_data
from sdmx_service.formats.registry import named
from sdmx_service.model.columns import columns
from sdmx_service.model.message import Action, Message, Resolve, Target, WriteOptions
from sdmx_service.model.structure import DataStructure
from sdmx_service.model.urn import Ref
from tests.formats.data.invented_data import World, worlds
from tests.formats.data.writing import FLOW, column_of, dataset

WHOLE = ("sdmx-csv-2.1", "sdmx-csv-2.0", "sdmx-ml-3.1", "sdmx-ml-3.0", "sdmx-json-2.1", "parquet")
ONE_VALUE = ("sdmx-csv-1.0", "sdmx-json-1.0", "sdmx-ml-2.1-generic", "sdmx-ml-2.1-structurespecific")


def resolving(made: DataStructure) -> Resolve:
    def resolve(ref: Ref) -> Target:
        return Target(structure=made, dataflow=FLOW)

    return resolve


def read_back(text: bytes, made: DataStructure) -> tuple[list[dict[str, Any]], list[Action]]:
    """Observations, each with what the rows of its series, groups and data set say; and the actions."""
    file = io.BytesIO(text)
    message = recognise_data(head_of(file)).read
    assert message is not None
    found = message(file, resolving(made))
    assert isinstance(found, Message)
    rows: list[dict[str, Any]] = []
    actions = []
    for one in found.datasets:
        actions.append(one.action)
        for batch in one.batches:
            for row in batch.to_pylist():
                shown = {
                    column.id: row[column.id] for column in columns(made) if row.get(column.id) not in (None, "", [""])
                }
                rows.append(
                    {
                        name: dict(value)
                        if value and isinstance(value, list) and isinstance(value[0], tuple)
                        else value
                        for name, value in shown.items()
                    }
                )
    whole = [row for row in rows if all(name in row for name in made.key_ids)]
    others = [row for row in rows if row not in whole]
    for row in whole:
        for other in others:
            if all(row.get(name) == other[name] for name in made.key_ids if name in other):
                for name, value in other.items():
                    row.setdefault(name, value)
    return sorted(whole, key=lambda row: [row[name] for name in made.key_ids]), actions


def expected(world: World) -> list[dict[str, Any]]:
    """The source; a text without a sign is read as none."""
    rows = [
        {name: value for name, value in row.items() if value is not None and value not in ("", [""])}
        for row in world.rows
    ]
    return sorted(rows, key=lambda row: [row[name] for name in world.structure.key_ids])


def without_minus_zero(rows: list[dict[str, Any]], world: World) -> list[dict[str, Any]]:
    """The rows with the zero that a parser of JSON makes of -0."""

    def shown(key: str, value: Any) -> Any:
        return "0" if value == "-0" and column_of(world.structure, key).kind == "number" else value

    return [{key: shown(key, value) for key, value in row.items()} for row in rows]


def is_plain(world: World) -> bool:
    """No sign that XML cannot carry."""
    return not any(
        (sign < " " and sign not in "\t\n\r") or sign in "\ufffe\uffff"
        for row in world.rows
        for value in row.values()
        for sign in str(value)
        + "".join(value if isinstance(value, list) else value.values() if isinstance(value, dict) else ())
    )


@pytest.mark.parametrize("name", WHOLE)
@settings(max_examples=30)
@given(world=worlds(), size=st.integers(1, 4))
def test_nothing_is_lost(name: str, world: World, size: int) -> None:
    if not is_plain(world):
        return
    write = named(name).write
    assert write is not None
    text = b"".join(write(Message(datasets=[dataset(world.structure, world.rows, size=size)]), WriteOptions()))
    rows, actions = read_back(text, world.structure)
    source = expected(world)
    if "json" in name:
        source, rows = without_minus_zero(source, world), without_minus_zero(rows, world)
    assert source == rows
    assert actions == ([Action.REPLACE] if world.rows or name[:8] not in ("sdmx-csv", "parquet") else [])


@pytest.mark.parametrize("name", ONE_VALUE)
@settings(max_examples=30)
@given(world=worlds(), size=st.integers(1, 4))
def test_figures_and_codes_are_kept_where_one_value_is_carried(name: str, world: World, size: int) -> None:
    if not is_plain(world) or len(world.structure.measures) > 1:
        return
    write = named(name).write
    assert write is not None
    text = b"".join(write(Message(datasets=[dataset(world.structure, world.rows, size=size)]), WriteOptions()))
    rows, _ = read_back(text, world.structure)
    single = [one.id for one in columns(world.structure) if one.kind not in ("multi", "multilingual")]
    source = expected(world)
    if "json" in name:
        source, rows = without_minus_zero(source, world), without_minus_zero(rows, world)
    for row, other in zip(source, rows, strict=True):
        assert {key: value for key, value in row.items() if key in single} == {
            key: value for key, value in other.items() if key in single
        }
