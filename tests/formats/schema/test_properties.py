"""Whatever the structure: what writers write is right by its schema, and what the schema excludes is not."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from lxml import etree

from sdmx_service.model.columns import Column, columns
from sdmx_service.model.structure import Attribute, DataStructure, Measure
from tests.formats.data.invented_data import CODES, LANGUAGES, TEXTS, World, structures
from tests.formats.data.writing import FLOW, dataset
from tests.formats.schema.judging import (
    JSON,
    XML,
    data,
    json_faults,
    json_schema,
    schema_of,
    second_opinion,
    written,
    xml_faults,
    xml_schema,
)

VALUES = {
    "Integer": ["0", "-7", "12", "2147483647", "NaN", "#N/A"],
    "Decimal": ["0", "-0.001", "12.50", "12345678901234567890.5", "NaN", "#N/A"],
    "Double": ["0", "-0.001", "12.50", "1e5", "-1.5E-3", "INF", "NaN", "#N/A", ".5", "+1.0"],
    "Boolean": ["true", "false", "#N/A"],
}
PERIODS = ("2019", "2019-Q1", "2020-01", "2020-W53", "2020-02-29", "2020-01-01T00:00:00", "2015-07-01/P5Y", "2020-A1")


def _element(column: Column) -> st.SearchStrategy[Any]:
    if column.component.form.is_coded:
        return st.sampled_from(CODES)
    kind = column.component.form.data_type
    return st.sampled_from(VALUES[kind]) if kind in VALUES else TEXTS


def _value(column: Column) -> st.SearchStrategy[Any]:
    found = _element(column)
    if column.kind == "multi":
        found = st.lists(found, min_size=1, max_size=3)
    if column.kind == "multilingual":
        found = st.dictionaries(st.sampled_from(LANGUAGES), TEXTS, min_size=1, max_size=3)
    component = column.component
    is_mandatory = isinstance(component, Measure | Attribute) and component.usage == "mandatory"
    return found if is_mandatory else st.none() | found


@st.composite
def worlds(draw: Callable[..., Any]) -> World:
    """A structure, some components mandatory, and rows that fit it."""
    made: DataStructure = draw(structures())
    usage = st.sampled_from(["mandatory", "optional"])
    made = dataclasses.replace(
        made,
        attributes=tuple(dataclasses.replace(one, usage=draw(usage)) for one in made.attributes),
        measures=tuple(dataclasses.replace(one, usage=draw(usage)) for one in made.measures),
    )
    keys = draw(
        st.lists(st.tuples(*(st.sampled_from(CODES) for _ in made.dimension_ids)), unique=True, min_size=1, max_size=3)
    )
    known: dict[tuple[str, tuple[str, ...]], Any] = {}
    rows = []
    for key in keys:
        periods = (
            draw(st.lists(st.sampled_from(PERIODS), unique=True, min_size=1, max_size=3))
            if made.time_dimension
            else [None]
        )
        for period in sorted(periods, key=str):
            row: dict[str, Any] = dict(zip(made.dimension_ids, key, strict=True))
            row |= {} if period is None else {"TIME_PERIOD": period}
            for column in columns(made):
                if column.role in ("measure", "attribute"):
                    level = made.key_ids if column.level is None else column.level
                    place = (column.id, tuple(row[name] for name in level))
                    if place not in known:
                        known[place] = draw(_value(column))
                    row[column.id] = known[place]
            rows.append(row)
    return World(made, tuple(rows))


def _view(draw: Callable[..., Any], made: DataStructure) -> str:
    return draw(st.sampled_from([*made.key_ids, "AllDimensions"]))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds(), st.data())
def test_what_is_written_is_right(world: World, more: st.DataObject) -> None:
    view = _view(more.draw, world.structure)
    schema = schema_of(world.structure, FLOW, CODES, at_observation=view)
    version = more.draw(st.sampled_from(sorted(XML)))
    body = data([dataset(world.structure, world.rows, dimension_at_observation=view)], XML[version])
    assert xml_faults(xml_schema(written(schema, f"schema-xml-{version}"), version), body) == []
    for version, name in JSON.items():
        document = json.loads(data([dataset(world.structure, world.rows, dimension_at_observation=view)], name))
        assert json_faults(json_schema(written(schema, f"schema-json-{version}")), document) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds(), st.data())
def test_a_code_that_is_not_allowed_is_wrong(world: World, more: st.DataObject) -> None:
    """One component may not have one of the values that it has."""
    coded = [(one, row[one.id]) for one in columns(world.structure) for row in world.rows
             if one.kind == "code" and one.role != "time" and row.get(one.id) is not None]  # fmt: skip
    assume(coded)
    column, code = more.draw(st.sampled_from(coded))
    codes = {one.id: [c for c in CODES if one is not column or c != code] for one in columns(world.structure)}
    view = _view(more.draw, world.structure)
    schema = schema_of(world.structure, FLOW, codes, at_observation=view)
    version = more.draw(st.sampled_from(sorted(XML)))
    made = dataset(world.structure, world.rows, dimension_at_observation=view)
    assert xml_faults(xml_schema(written(schema, f"schema-xml-{version}"), version), data([made], XML[version]))
    for version, name in JSON.items():
        document = json.loads(data([dataset(world.structure, world.rows, dimension_at_observation=view)], name))
        assert json_faults(json_schema(written(schema, f"schema-json-{version}")), document)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds(), st.data())
def test_what_is_mandatory_must_be_there(world: World, more: st.DataObject) -> None:
    """Without its mandatory value an observation is wrong, but right in a deletion."""
    needed = [one for one in columns(world.structure)
              if isinstance(one.component, Measure | Attribute) and one.component.usage == "mandatory" and one.level is None]  # fmt: skip
    assume(needed)
    column = more.draw(st.sampled_from(needed))
    rows = [row if number else {**row, column.id: None} for number, row in enumerate(world.rows)]
    view = _view(more.draw, world.structure)
    version = more.draw(st.sampled_from(sorted(XML)))
    for deletes in (False, True):
        schema = schema_of(world.structure, FLOW, CODES, at_observation=view, deletion=deletes)
        body = data([dataset(world.structure, rows, dimension_at_observation=view)], XML[version])
        found = xml_faults(xml_schema(written(schema, f"schema-xml-{version}"), version), body)
        assert bool(found) is not deletes
        for kind, name in JSON.items():
            document = json.loads(data([dataset(world.structure, rows, dimension_at_observation=view)], name))
            found = json_faults(json_schema(written(schema, f"schema-json-{kind}")), document)
            assert bool(found) is not deletes


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds(), st.data())
def test_a_foreign_dimension_is_wrong(world: World, more: st.DataObject) -> None:
    view = _view(more.draw, world.structure)
    schema = schema_of(world.structure, FLOW, CODES, at_observation=view)
    version = more.draw(st.sampled_from(sorted(XML)))
    root = etree.fromstring(data([dataset(world.structure, world.rows, dimension_at_observation=view)], XML[version]))
    row = next(root.iter("Series", "Obs"))
    row.set("FOREIGN", "A")
    judge = xml_schema(written(schema, f"schema-xml-{version}"), version)
    assert xml_faults(judge, etree.tostring(root))
    del row.attrib["FOREIGN"], row.attrib[next(one for one in world.structure.key_ids if one in row.attrib)]
    assert xml_faults(judge, etree.tostring(root))
    for version, name in JSON.items():
        document = json.loads(data([dataset(world.structure, world.rows, dimension_at_observation=view)], name))
        lists = document["data"]["structures"][0]["dimensions"]
        lists["dataSet"].append({**(lists["observation"])[0], "id": "FOREIGN"})
        judge_json = json_schema(written(schema, f"schema-json-{version}"))
        assert json_faults(judge_json, document)
        lists["dataSet"].pop()
        assert json_faults(judge_json, document) == []
        (lists["series"] or lists["observation"]).pop()
        assert json_faults(judge_json, document)


@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(structures(), st.data())
@pytest.mark.parametrize("version", sorted(XML))
def test_a_second_opinion(version: str, made: DataStructure, more: st.DataObject) -> None:
    """xmlschema, which judges restrictions more strictly, finds no fault in the schemas."""
    view = _view(more.draw, made)
    schema = schema_of(made, FLOW, CODES, at_observation=view)
    second_opinion(written(schema, f"schema-xml-{version}"), version)
    jsonschema.Draft202012Validator.check_schema(json_schema(written(schema, "schema-json-2.1")))
