"""Queries: values that compare, hash and cannot change, with the defaults of the standard."""

from __future__ import annotations

import dataclasses
from typing import get_args

import pytest

from sdmx_service.model import query
from sdmx_service.model.query import (
    AvailabilityQuery,
    Comparison,
    ComponentFilter,
    DataDetail,
    DataQuery,
    DataSlice,
    MetadataQuery,
    ProviderRef,
    Query,
    RegistrationQuery,
    SchemaQuery,
    SortKey,
    StructureQuery,
)

EXAMPLES: tuple[object, ...] = (
    DataQuery(),
    AvailabilityQuery(context="dataflow"),
    StructureQuery(),
    SchemaQuery(context="dataflow", agency="ECB", id="EXR"),
    MetadataQuery(by="metadataset"),
    RegistrationQuery(by="context"),
    ComponentFilter(component="FREQ", alternatives=((Comparison(value="A"),),)),
    SortKey(component="FREQ"),
    ProviderRef(id="CH2"),
    query.Representation(),
)


@pytest.mark.parametrize("value", EXAMPLES, ids=lambda value: type(value).__name__)
def test_values_are_frozen_slotted_hashable_and_keyword_only(value: object) -> None:
    first = dataclasses.fields(value)[0].name  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, first, "other")
    assert not hasattr(value, "__dict__")
    assert len({value, dataclasses.replace(value)}) == 1  # type: ignore[type-var]
    with pytest.raises(TypeError):
        type(value)("positional")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("value", "field", "default"),
    [
        # data.md, column *Default*
        (DataQuery(), "context", "*"),
        (DataQuery(), "agencies", ("*",)),
        (DataQuery(), "ids", ("*",)),
        (DataQuery(), "versions", ("*",)),
        (DataQuery(), "keys", ()),
        (DataQuery(), "attributes", ("dsd",)),
        (DataQuery(), "measures", ("all",)),
        (DataQuery(), "include_history", False),
        (DataQuery(), "offset", 0),
        (DataQuery(), "limit", None),
        (DataQuery(), "dimension_at_observation", None),
        # availability.md
        (AvailabilityQuery(), "component_ids", ("*",)),
        (AvailabilityQuery(), "references", ("none",)),
        (AvailabilityQuery(), "mode", "exact"),
        # structures.md: the version default is another than that of data
        (StructureQuery(), "types", ("*",)),
        (StructureQuery(), "versions", ("~",)),
        (StructureQuery(), "items", ("*",)),
        (StructureQuery(), "detail", "full"),
        (StructureQuery(), "references", ("none",)),
        # schema.md, metadata.md, registration.md
        (SchemaQuery(context="dataflow", agency="A", id="B"), "version", "~"),
        (SchemaQuery(context="dataflow", agency="A", id="B"), "deletion", False),
        (MetadataQuery(by="structure"), "versions", ("~",)),
        (MetadataQuery(by="structure"), "detail", "full"),
        (RegistrationQuery(by="context"), "versions", ("*",)),
        (RegistrationQuery(by="context"), "context", "*"),
    ],
)
def test_defaults_are_those_of_the_standard(value: object, field: str, default: object) -> None:
    assert getattr(value, field) == default


def test_data_and_availability_share_what_they_select_by() -> None:
    shared = {field.name for field in dataclasses.fields(DataSlice)}
    for kind in (DataQuery, AvailabilityQuery):
        assert issubclass(kind, DataSlice)
        assert shared < {field.name for field in dataclasses.fields(kind)}


def test_every_query_tells_its_interface_and_the_form_wanted() -> None:
    for kind in get_args(Query):
        assert {"api", "representation"} <= {field.name for field in dataclasses.fields(kind)}


def test_each_detail_of_version_1_has_its_content() -> None:
    assert set(query.DETAIL_CONTENT) == set(get_args(DataDetail))
    assert query.DETAIL_CONTENT["full"] == (DataQuery().attributes, DataQuery().measures)
