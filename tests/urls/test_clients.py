"""Addresses that other programs write: the official test kit, pysdmx and sdmx1 parse to what they meant."""

from __future__ import annotations

import csv
import re
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pysdmx.api.dc.query import (
    DateTimeFilter,
    LogicalOperator,
    MultiFilter,
    NumberFilter,
    Operator,
    SortBy,
    TextFilter,
)
from pysdmx.api.qb import (
    ApiVersion,
    AvailabilityMode,
    DataContext,
    RefMetaByMetadataflowQuery,
    RefMetaByMetadatasetQuery,
    RefMetaByStructureQuery,
    RefMetaDetail,
    RegistrationByContextQuery,
    RegistrationByIdQuery,
    RegistrationByProviderQuery,
    SchemaContext,
    StructureDetail,
    StructureReference,
    StructureType,
)
from pysdmx.api.qb import (
    AvailabilityQuery as PysdmxAvailability,
)
from pysdmx.api.qb import (
    DataQuery as PysdmxData,
)
from pysdmx.api.qb import (
    SchemaQuery as PysdmxSchema,
)
from pysdmx.api.qb import (
    StructureQuery as PysdmxStructure,
)
from sdmx.rest.common import Resource
from sdmx.rest.v21 import URL as SDMX1_V1
from sdmx.rest.v30 import URL as SDMX1_V2
from sdmx.source import Source

from sdmx_service.errors import UnknownParameter
from sdmx_service.model.query import (
    AvailabilityQuery,
    Comparison,
    ComponentFilter,
    DataQuery,
    MetadataQuery,
    ProviderRef,
    Query,
    RegistrationQuery,
    SchemaQuery,
    SortKey,
    StructureQuery,
)
from sdmx_service.urls import v1, v2

V2 = [version for version in ApiVersion if version >= ApiVersion.V2_0_0]
V2_2 = [version for version in ApiVersion if version >= ApiVersion.V2_2_0]
V1 = [version for version in ApiVersion if version < ApiVersion.V2_0_0]
MOMENT = datetime(2024, 5, 15, 14, 15, tzinfo=UTC)


def parse(api: Any, address: str) -> Query:
    path, _, query_string = address.partition("?")
    query: Query = api.parse(path, query_string)
    return query


def versions(some: list[ApiVersion]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("version", some, ids=lambda version: version.label)


both_lengths = pytest.mark.parametrize("omit_defaults", [True, False], ids=["short", "full"])

# ------------------------------------------------------------------------------------------------------- the test kit

FILLINGS = {
    "agency": "UNSD",
    "id": "DF_POP",
    "version": "1.0",
    "itemId": "A",
    "dimId": "FREQ",
    "n": "2",
    "d1": "A",
    "d2": "004",
    "d2b": "008",
    "d3": "_T",
    "start": "2010-01-01",
    "end": "2020-12-31",
    "provider1": "CH2",
    "provider2": "NO2",
}


def tck_addresses(shared: Path, api: str) -> list[str]:
    with (shared / "tck" / "tck_requests.csv").open(encoding="utf-8", newline="") as file:
        templates = {row["path_template"] for row in csv.DictReader(file) if row["api"] == api}
    assert templates
    return sorted(re.sub(r"\{(\w+)\}", lambda name: FILLINGS[name[1]], template) for template in templates if template)


@pytest.mark.parametrize(("api", "module", "count"), [("v1.4.0", v1, 700), ("v2.0.0", v2, 800)])
def test_every_request_of_the_official_test_kit_is_read(shared: Path, api: str, module: Any, count: int) -> None:
    addresses = tck_addresses(shared, api)
    assert len(addresses) > count
    for address in addresses:
        query = parse(module, address)
        assert module.parse(*module.format(query)) == query
        assert _resource(query) in address.split("?")[0].split("/")[1:3], address
        for name, value in re.findall(r"(detail|references)=(\w+)", address):
            told = getattr(query, name)
            assert value in (told if isinstance(told, tuple) else (told,)), address
        assert getattr(query, "ids", None) == ("DF_POP",) or "DF_POP" not in address or isinstance(query, SchemaQuery)


def _resource(query: Query) -> str:
    match query:
        case StructureQuery(types=("*",)):
            return "structure"
        case StructureQuery():
            return query.types[0]
        case DataQuery():
            return "data"
        case AvailabilityQuery():
            return "availableconstraint" if query.api == "v1" else "availability"
        case _:
            return "schema"


# ------------------------------------------------------------------------------------------------------------- pysdmx


@versions(V2)
@both_lengths
def test_pysdmx_data(version: ApiVersion, omit_defaults: bool) -> None:
    asked = PysdmxData(
        DataContext.DATAFLOW,
        ["BIS", "ECB"],
        "EXR",
        "1.0.0",
        ["D.USD.*", "A.CHF"],
        components=MultiFilter(
            [
                TextFilter("REF_AREA", Operator.IN, ["004", "008"]),
                NumberFilter("OBS_VALUE", Operator.GREATER_THAN_OR_EQUAL, 10),
                TextFilter("TITLE", Operator.LIKE, "%euro%"),
                DateTimeFilter("TIME_PERIOD", Operator.GREATER_THAN, datetime(2010, 1, 1, tzinfo=UTC)),
                DateTimeFilter("TIME_PERIOD", Operator.LESS_THAN, datetime(2020, 1, 1, tzinfo=UTC)),
            ],
            LogicalOperator.AND,
        ),
        updated_after=MOMENT,
        first_n_obs=1,
        last_n_obs=2,
        obs_dimension="AllDimensions",
        attributes=["OBS_STATUS", "series"],
        measures="none",
        include_history=True,
    )
    expected = DataQuery(
        context="dataflow",
        agencies=("BIS", "ECB"),
        ids=("EXR",),
        versions=("1.0.0",),
        keys=((("D",), ("USD",), None), (("A",), ("CHF",))),
        filters=(
            _where("REF_AREA", [("eq", "004")], [("eq", "008")]),
            _where("OBS_VALUE", [("ge", "10")]),
            _where("TITLE", [("co", "euro")]),
            _where("TIME_PERIOD", [("gt", "2010-01-01T00:00:00+00:00"), ("lt", "2020-01-01T00:00:00+00:00")]),
        ),
        updated_after=MOMENT,
        first_n=1,
        last_n=2,
        dimension_at_observation="AllDimensions",
        attributes=("OBS_STATUS", "series"),
        measures=("none",),
        include_history=True,
    )
    assert parse(v2, asked.get_url(version, omit_defaults)) == expected


def _where(component: str, *alternatives: list[tuple[Any, str]]) -> ComponentFilter:
    return ComponentFilter(
        component=component,
        alternatives=tuple(tuple(Comparison(operator=op, value=value) for op, value in ands) for ands in alternatives),
    )


@versions(V2_2)
@both_lengths
def test_pysdmx_data_of_2_2(version: ApiVersion, omit_defaults: bool) -> None:
    asked = PysdmxData(
        offset=20,
        limit=10,
        sort=[SortBy("series_key"), SortBy("TIME_PERIOD", "desc")],
        as_of=MOMENT,
        reporting_year_start_day="--07-01",
    )
    expected = DataQuery(
        offset=20,
        limit=10,
        sort=(SortKey(component="series_key"), SortKey(component="TIME_PERIOD", descending=True)),
        as_of=MOMENT,
        reporting_year_start_day="--07-01",
    )
    assert parse(v2, asked.get_url(version, omit_defaults)) == expected


@versions(V1)
@both_lengths
def test_pysdmx_data_of_version_1(version: ApiVersion, omit_defaults: bool) -> None:
    asked = PysdmxData(
        DataContext.DATAFLOW,
        "ECB",
        "EXR",
        "1.0",
        "D.USD+JPY..*",
        updated_after=MOMENT,
        last_n_obs=2,
        obs_dimension="CURRENCY",
        attributes="none",
    )
    expected = DataQuery(
        api="v1",
        context="dataflow",
        agencies=("ECB",),
        ids=("EXR",),
        versions=("1.0",),
        keys=((("D",), ("USD", "JPY"), None, None),),  # * is no wildcard of version 1, and pysdmx writes it
        updated_after=MOMENT,
        last_n=2,
        dimension_at_observation="CURRENCY",
        attributes=("none",),
        detail="dataonly",
    )
    assert parse(v1, asked.get_url(version, omit_defaults)) == expected


@versions(V2)
@both_lengths
def test_pysdmx_availability(version: ApiVersion, omit_defaults: bool) -> None:
    asked = PysdmxAvailability(
        DataContext.DATAFLOW,
        "ECB",
        "EXR",
        "1.0.0",
        "D.USD",
        ["FREQ", "CURRENCY"],
        components=TextFilter("FREQ", Operator.NOT_EQUALS, "A"),
        updated_after=MOMENT,
        references=[StructureReference.CODELIST, StructureReference.DATAFLOW],
        mode=AvailabilityMode.AVAILABLE,
    )
    expected = AvailabilityQuery(
        context="dataflow",
        agencies=("ECB",),
        ids=("EXR",),
        versions=("1.0.0",),
        keys=((("D",), ("USD",)),),
        component_ids=("FREQ", "CURRENCY"),
        filters=(_where("FREQ", [("ne", "A")]),),
        updated_after=MOMENT,
        references=("codelist", "dataflow"),
        mode="available",
    )
    assert parse(v2, asked.get_url(version, omit_defaults)) == expected


@versions([version for version in V1 if version >= ApiVersion.V1_3_0])
@both_lengths
def test_pysdmx_availability_of_version_1(version: ApiVersion, omit_defaults: bool) -> None:
    # without a component: pysdmx drops it from the short form and puts it where the provider stands in the full one
    asked = PysdmxAvailability(DataContext.DATAFLOW, "ECB", "EXR", "1.0", "D.USD", mode=AvailabilityMode.AVAILABLE)
    expected = AvailabilityQuery(
        api="v1",
        context="dataflow",
        agencies=("ECB",),
        ids=("EXR",),
        versions=("1.0",),
        keys=((("D",), ("USD",)),),
        mode="available",
    )
    assert parse(v1, asked.get_url(version, omit_defaults)) == expected


@versions(V2)
@both_lengths
@pytest.mark.parametrize("kind", v2.STRUCTURE_TYPES)
def test_pysdmx_structures(version: ApiVersion, omit_defaults: bool, kind: str) -> None:
    items = {"item_id": ["A", "M"]} if kind in v2.ITEM_SCHEMES else {}
    asked = PysdmxStructure(
        StructureType(kind),
        ["BIS", "ECB"],
        "X",
        "1.0+.0",
        detail=StructureDetail.REFERENCE_PARTIAL,
        references=StructureReference.ANCESTORS,
        **items,  # type: ignore[arg-type]
    )
    expected = StructureQuery(
        types=(kind,),
        agencies=("BIS", "ECB"),
        ids=("X",),
        versions=("1.0+.0",),
        items=("A", "M") if items else ("*",),
        detail="referencepartial",
        references=("ancestors",),
    )
    assert parse(v2, asked.get_url(version, omit_defaults)) == expected


SINCE_1_5 = {
    *("transformationscheme", "rulesetscheme", "userdefinedoperatorscheme", "customtypescheme"),
    "namepersonalisationscheme",
}
PYSDMX_V1_STRUCTURES = [
    (version, kind)
    for version in V1
    for kind in v1.STRUCTURE_RESOURCES
    if kind != "vtlmappingscheme" and version >= (ApiVersion.V1_5_0 if kind in SINCE_1_5 else ApiVersion.V1_3_0)
]


@both_lengths
@pytest.mark.parametrize(("version", "kind"), PYSDMX_V1_STRUCTURES, ids=lambda each: getattr(each, "label", each))
def test_pysdmx_structures_of_version_1(version: ApiVersion, omit_defaults: bool, kind: str) -> None:
    asked = PysdmxStructure(
        StructureType(kind), ["BIS", "ECB"], "X", ["1.0", "2.0"], references=StructureReference.CHILDREN
    )
    expected = StructureQuery(
        api="v1",
        types=(kind,),
        agencies=("BIS", "ECB"),
        ids=("X",),
        versions=("1.0", "2.0"),
        references=("children",),
    )
    assert parse(v1, asked.get_url(version, omit_defaults)) == expected


@versions(list(ApiVersion))
@both_lengths
def test_pysdmx_asks_for_everything(version: ApiVersion, omit_defaults: bool) -> None:
    api: Any = v1 if version in V1 else v2
    expected = StructureQuery(api="v1" if version in V1 else "v2")
    assert parse(api, PysdmxStructure().get_url(version, omit_defaults)) == expected


@versions(V2)
@both_lengths
@pytest.mark.parametrize("context", list(SchemaContext), ids=lambda context: context.value)
def test_pysdmx_schemas(version: ApiVersion, omit_defaults: bool, context: SchemaContext) -> None:
    is_new = version >= ApiVersion.V2_2_0
    asked = PysdmxSchema(context, "ECB", "EXR", "~", "TIME_PERIOD", deletion=is_new, as_of=MOMENT if is_new else None)
    expected = SchemaQuery(
        context=context.value,
        agency="ECB",
        id="EXR",
        dimension_at_observation="TIME_PERIOD",
        deletion=is_new,
        as_of=MOMENT if is_new else None,
    )
    assert parse(v2, asked.get_url(version, omit_defaults)) == expected


@versions(V1)
def test_pysdmx_schemas_of_version_1(version: ApiVersion) -> None:
    short = PysdmxSchema(SchemaContext.DATAFLOW, "ECB", "EXR", "1.0", "FREQ").get_url(version, omit_defaults=True)
    expected = SchemaQuery(
        api="v1", context="dataflow", agency="ECB", id="EXR", version="1.0", dimension_at_observation="FREQ"
    )
    assert parse(v1, short) == expected
    full = PysdmxSchema(SchemaContext.DATAFLOW, "ECB", "EXR", "1.0").get_url(version)
    with pytest.raises(UnknownParameter, match="explicitMeasure"):  # it writes ``explicit``, which the standard has not
        parse(v1, full)


@versions(V2)
@both_lengths
def test_pysdmx_metadata(version: ApiVersion, omit_defaults: bool) -> None:
    stubs = RefMetaDetail.ALL_STUBS
    pairs = [
        (
            RefMetaByMetadatasetQuery("BIS", "MS", "1.0", detail=stubs),
            MetadataQuery(by="metadataset", agencies=("BIS",), ids=("MS",), versions=("1.0",), detail="allstubs"),
        ),
        (
            RefMetaByMetadataflowQuery("BIS", "MF", "+", "UK1", detail=stubs),
            MetadataQuery(
                by="metadataflow",
                agencies=("BIS",),
                ids=("MF",),
                versions=("+",),
                providers=(ProviderRef(id="UK1"),),
                detail="allstubs",
            ),
        ),
        (
            RefMetaByStructureQuery(StructureType.DATAFLOW, "BIS", "EXR", "1.0.0", detail=stubs),
            MetadataQuery(
                by="structure",
                artefact_type="dataflow",
                agencies=("BIS",),
                ids=("EXR",),
                versions=("1.0.0",),
                detail="allstubs",
            ),
        ),
        (RefMetaByStructureQuery(), MetadataQuery(by="structure")),
    ]
    for asked, expected in pairs:
        assert parse(v2, asked.get_url(version, omit_defaults)) == expected


@versions(V2_2)
@both_lengths
def test_pysdmx_registrations(version: ApiVersion, omit_defaults: bool) -> None:
    pairs: list[tuple[Any, RegistrationQuery]] = [
        (RegistrationByIdQuery("abc-1"), RegistrationQuery(by="id", registration_id="abc-1")),
        (
            RegistrationByProviderQuery("IMF", ["UK1", "UK2"], updated_after=MOMENT),
            RegistrationQuery(by="provider", agencies=("IMF",), ids=("UK1", "UK2"), updated_after=MOMENT),
        ),
        (
            RegistrationByContextQuery(DataContext.DATAFLOW, "ECB", "EXR", "1.0.0", updated_before=MOMENT),
            RegistrationQuery(
                by="context",
                context="dataflow",
                agencies=("ECB",),
                ids=("EXR",),
                versions=("1.0.0",),
                updated_before=MOMENT,
            ),
        ),
        (RegistrationByContextQuery(), RegistrationQuery(by="context")),
    ]
    for asked, expected in pairs:
        assert parse(v2, asked.get_url(version, omit_defaults)) == expected


# -------------------------------------------------------------------------------------------------------------- sdmx1

ENTRY = "https://ws-entry-point"
SOURCE = Source(id="UNSD", name="a service", url=ENTRY)


def sdmx1(builder: type[SDMX1_V1] | type[SDMX1_V2], resource: Resource, **arguments: Any) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return str(builder(SOURCE, resource, **arguments).join()).removeprefix(ENTRY)


def test_sdmx1_data_of_version_1() -> None:
    address = sdmx1(
        SDMX1_V1,
        Resource.data,
        resource_id="UNSD,DF_POP,1.0",
        key="A.004+008.",
        start_period="2010",
        end_period="2020-Q4",
        last_n_observations=2,
        detail="nodata",
    )
    assert parse(v1, address) == DataQuery(
        api="v1",
        context="dataflow",
        agencies=("UNSD",),
        ids=("DF_POP",),
        versions=("1.0",),
        keys=((("A",), ("004", "008"), None),),
        start_period="2010",
        end_period="2020-Q4",
        last_n=2,
        measures=("none",),
        detail="nodata",
    )


def test_sdmx1_availability_of_version_1() -> None:
    address = sdmx1(SDMX1_V1, Resource.availableconstraint, resource_id="DF_POP", key="A..", mode="available")
    assert parse(v1, address) == AvailabilityQuery(
        api="v1",
        context="dataflow",
        ids=("DF_POP",),
        versions=("~",),
        keys=((("A",), None, None),),
        mode="available",
    )


@pytest.mark.parametrize("kind", sorted({each.value for each in Resource} & set(v1.STRUCTURE_RESOURCES)))
def test_sdmx1_structures_of_version_1(kind: str) -> None:
    everything = parse(v1, sdmx1(SDMX1_V1, Resource(kind), references="none"))
    assert everything == StructureQuery(api="v1", types=(kind,), agencies=("UNSD",))
    one = parse(v1, sdmx1(SDMX1_V1, Resource(kind), resource_id="X", version="1.0", references="children"))
    assert one == StructureQuery(
        api="v1", types=(kind,), agencies=("UNSD",), ids=("X",), versions=("1.0",), references=("children",)
    )


def test_sdmx1_schema_of_version_1() -> None:
    address = sdmx1(SDMX1_V1, Resource.schema, context="dataflow", resource_id="X", explicit_measure=True)
    assert "explicitMeasure=True" in address  # a truth value of Python, written as such
    expected = SchemaQuery(api="v1", context="dataflow", agency="UNSD", id="X", explicit_measure=True)
    assert parse(v1, address) == expected


def test_sdmx1_data_of_version_2() -> None:
    address = sdmx1(
        SDMX1_V2,
        Resource.data,
        context="dataflow",
        resource_id="DF_POP",
        version="1.0.0",
        key="A.004,A.008",
        first_n_observations=3,
        attributes="none",
        measures="all",
        dimension_at_observation="AllDimensions",
    )
    assert parse(v2, address) == DataQuery(
        context="dataflow",
        agencies=("UNSD",),
        ids=("DF_POP",),
        versions=("1.0.0",),
        keys=((("A",), ("004",)), (("A",), ("008",))),
        first_n=3,
        attributes=("none",),
        dimension_at_observation="AllDimensions",
    )


def test_sdmx1_says_updated_after_with_a_name_that_the_standard_has_not() -> None:
    address = sdmx1(SDMX1_V2, Resource.data, context="dataflow", resource_id="X", update_after="2024-05-15T14:15:00Z")
    assert "updateAfter=" in address
    with pytest.raises(UnknownParameter, match="Did you mean updatedAfter"):
        parse(v2, address)


@pytest.mark.parametrize("kind", sorted({each.value for each in Resource} & set(v2.STRUCTURE_TYPES)))
def test_sdmx1_structures_of_version_2(kind: str) -> None:
    address = sdmx1(SDMX1_V2, Resource(kind), resource_id="X", version="1.0+.0", references="ancestors", detail="raw")
    assert parse(v2, address) == StructureQuery(
        types=(kind,),
        agencies=("UNSD",),
        ids=("X",),
        versions=("1.0+.0",),
        references=("ancestors",),
        detail="raw",
    )
