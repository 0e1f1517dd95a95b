"""More addresses of pysdmx's and sdmx1's builders: every filter, and every resource of version 2."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pysdmx.api.dc.query import BooleanFilter, DateTimeFilter, MultiFilter, NumberFilter, Operator, TextFilter
from pysdmx.api.qb import ApiVersion, DataQuery, StructureQuery, StructureType
from sdmx.rest.common import Resource
from sdmx.rest.v30 import URL

from sdmx_service.errors import SyntaxFault, UnknownParameter
from sdmx_service.model.query import (
    AvailabilityQuery,
    ComponentFilter,
    MetadataQuery,
    RegistrationQuery,
    SchemaQuery,
)
from sdmx_service.model.query import StructureQuery as OurStructures
from sdmx_service.urls import v1, v2
from tests.urls.test_clients import parse, sdmx1

V2 = [version for version in ApiVersion if version >= ApiVersion.V2_0_0]
EARLY, LATE = datetime(2010, 1, 1, tzinfo=UTC), datetime(2020, 12, 31, tzinfo=UTC)
Alternatives = tuple[tuple[tuple[str, str], ...], ...]

FILTERS: list[tuple[Any, Alternatives]] = [
    (TextFilter("X", Operator.EQUALS, "A"), ((("eq", "A"),),)),
    (TextFilter("X", Operator.NOT_EQUALS, "A"), ((("ne", "A"),),)),
    (TextFilter("X", Operator.IN, ["A", "B"]), ((("eq", "A"),), (("eq", "B"),))),
    (TextFilter("X", Operator.LIKE, "%a%"), ((("co", "a"),),)),
    (TextFilter("X", Operator.LIKE, "a%"), ((("sw", "a"),),)),
    (TextFilter("X", Operator.LIKE, "%a"), ((("ew", "a"),),)),
    (TextFilter("X", Operator.NOT_LIKE, "%a%"), ((("nc", "a"),),)),
    (NumberFilter("X", Operator.BETWEEN, [1, 2]), ((("ge", "1"), ("le", "2")),)),
    (NumberFilter("X", Operator.LESS_THAN, 1.5), ((("lt", "1.5"),),)),
    (NumberFilter("X", Operator.GREATER_THAN_OR_EQUAL, -3), ((("ge", "-3"),),)),
    (BooleanFilter("X", Operator.EQUALS, True), ((("eq", "True"),),)),
    (DateTimeFilter("X", Operator.BETWEEN, [EARLY, LATE]),
     ((("ge", "2010-01-01T00:00:00+00:00"), ("le", "2020-12-31T00:00:00+00:00")),)),
    (MultiFilter([NumberFilter("X", Operator.GREATER_THAN, 1), NumberFilter("X", Operator.LESS_THAN, 9)]),
     ((("gt", "1"), ("lt", "9")),)),
]  # fmt: skip


@pytest.mark.parametrize("version", V2, ids=lambda version: version.label)
def test_every_filter_of_pysdmx(version: ApiVersion) -> None:
    for asked, expected in FILTERS:
        query: Any = parse(v2, DataQuery(components=asked).get_url(version, True))
        (found,) = query.filters
        assert isinstance(found, ComponentFilter)
        assert found.component == "X"
        told = tuple(tuple((one.operator, one.value) for one in ands) for ands in found.alternatives)
        assert told == expected, asked


@pytest.mark.parametrize(
    "kind", sorted(v1.ITEM_SCHEMES & {each.value for each in StructureType} - {"vtlmappingscheme"})
)
@pytest.mark.parametrize("omit_defaults", [True, False], ids=["short", "full"])
def test_items_of_version_1_of_pysdmx(kind: str, omit_defaults: bool) -> None:
    asked = StructureQuery(StructureType(kind), "ECB", "X", "1.0", ["A", "B"])
    expected = OurStructures(
        api="v1", types=(kind,), agencies=("ECB",), ids=("X",), versions=("1.0",), items=("A", "B")
    )
    assert parse(v1, asked.get_url(ApiVersion.V1_5_0, omit_defaults)) == expected


SDMX1: list[tuple[Resource, dict[str, Any], Any]] = [
    (Resource.availableconstraint,
     {"context": "dataflow", "resource_id": "DF", "version": "1.0.0", "key": "A.B", "component_id": "FREQ", "mode": "available",
      "references": "codelist"},
     AvailabilityQuery(context="dataflow", agencies=("UNSD",), ids=("DF",), versions=("1.0.0",), keys=((("A",), ("B",)),),
                       component_ids=("FREQ",), mode="available", references=("codelist",))),
    (Resource.schema, {"context": "dataflow", "resource_id": "DF", "version": "1.0.0"},
     SchemaQuery(context="dataflow", agency="UNSD", id="DF", version="1.0.0")),
    (Resource.metadata, {"resource_id": "MS", "version": "1.0.0", "provider_id": "P"},
     MetadataQuery(by="metadataset", agencies=("P",), ids=("MS",), versions=("1.0.0",))),
    (Resource.registration, {"resource_id": "abc"}, RegistrationQuery(by="id", registration_id="abc")),
    (Resource.registration, {"agency_id": "A", "provider_id": "P"}, RegistrationQuery(by="provider", agencies=("A",), ids=("P",))),
    (Resource.registration, {"context": "dataflow", "agency_id": "A", "resource_id": "X", "version": "1.0.0"},
     RegistrationQuery(by="context", context="dataflow", agencies=("A",), ids=("X",), versions=("1.0.0",))),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "arguments", "expected"), SDMX1, ids=lambda each: getattr(each, "value", ""))
def test_sdmx1_of_version_2(resource: Resource, arguments: dict[str, Any], expected: Any) -> None:
    assert parse(v2, sdmx1(URL, resource, **arguments)) == expected


def test_what_sdmx1_writes_that_version_2_has_not() -> None:
    context = sdmx1(URL, Resource.availableconstraint, resource_id="DF", key="*", component_id="*")
    with pytest.raises(SyntaxFault, match="context"):  # its default is *, which availability has not
        parse(v2, context)
    with pytest.raises(UnknownParameter, match="COMPONENT"):  # c without the component in brackets
        parse(v2, sdmx1(URL, Resource.data, context="*", resource_id="DF", key="*", c="FREQ:A"))
