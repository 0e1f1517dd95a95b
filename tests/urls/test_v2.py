"""SDMX-REST 2.2 addresses: the standard's own examples, what is refused and how, and the inverse."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.errors import NotBuilt, NotFound, SdmxError, SemanticFault, SyntaxFault, UnknownParameter
from sdmx_service.model.query import (
    AvailabilityQuery,
    Comparison,
    ComponentFilter,
    DataQuery,
    MetadataQuery,
    ProviderRef,
    Query,
    RegistrationQuery,
    Representation,
    SchemaQuery,
    SortKey,
    StructureQuery,
)
from sdmx_service.urls import v2
from tests.urls.strategies import V2_QUERIES

KEY = (("M",), ("USD",), ("EUR",), ("SP00",), ("A",))
MAY_2009 = datetime(2009, 5, 15, 14, 15, tzinfo=timezone(timedelta(hours=1)))


def where(component: str, *alternatives: tuple[str, ...]) -> ComponentFilter:
    """A filter, written as its alternatives with ``op:value`` in each."""
    pairs = ((each.partition(":")[::2] for each in ands) for ands in alternatives)
    return ComponentFilter(
        component=component,
        alternatives=tuple(tuple(Comparison(operator=op, value=value) for op, value in ands) for ands in pairs),  # type: ignore[arg-type]
    )


def parse(address: str) -> Query:
    path, _, query_string = address.partition("?")
    return v2.parse(path, query_string)


def keys(position: str, *others: str) -> tuple[tuple[tuple[str, ...] | None, ...], ...]:
    return tuple(tuple(None if code == "*" else (code,) for code in key.split(".")) for key in (position, *others))


EXAMPLES = [
    # data.md
    (
        "data/dataflow/ECB/EXR/1.0.0/M.USD.EUR.SP00.A",
        DataQuery(context="dataflow", agencies=("ECB",), ids=("EXR",), versions=("1.0.0",), keys=(KEY,)),
    ),
    (
        "data/dataflow/ECB/EXR/1.0.0/M.USD.EUR.SP00.A?attributes=OBS_STATUS,UNIT_MEASURE",
        DataQuery(
            context="dataflow",
            agencies=("ECB",),
            ids=("EXR",),
            versions=("1.0.0",),
            keys=(KEY,),
            attributes=("OBS_STATUS", "UNIT_MEASURE"),
        ),
    ),
    (
        "data/datastructure/ECB/ECB_EXR1/1.0.0,2.0.0/M.*.EUR.SP00.A",
        DataQuery(
            context="datastructure",
            agencies=("ECB",),
            ids=("ECB_EXR1",),
            versions=("1.0.0", "2.0.0"),
            keys=keys("M.*.EUR.SP00.A"),
        ),
    ),
    (
        "data/dataflow/ECB/EXR/+/M.USD.EUR.SP00.A,A.CHF.EUR.SP00.A?updatedAfter=2009-05-15T14%3A15%3A00%2B01%3A00",
        DataQuery(
            context="dataflow",
            agencies=("ECB",),
            ids=("EXR",),
            versions=("+",),
            keys=keys("M.USD.EUR.SP00.A", "A.CHF.EUR.SP00.A"),
            updated_after=MAY_2009,
        ),
    ),
    (
        "data/dataflow/ECB/EXR/?c[TIME_PERIOD]=ge:2009-05-01+le:2009-05-31&c[CONF_STATUS]=F",
        DataQuery(
            context="dataflow",
            agencies=("ECB",),
            ids=("EXR",),
            filters=(where("TIME_PERIOD", ("ge:2009-05-01", "le:2009-05-31")), where("CONF_STATUS", ("eq:F",))),
        ),
    ),
    (
        "data/?c[REF_AREA]=CH&attributes=none&measures=none",
        DataQuery(filters=(where("REF_AREA", ("eq:CH",)),), attributes=("none",), measures=("none",)),
    ),
    (
        "data/dataflow/ECB/EXR/1.0.0/M.USD.EUR.SP00.A?c[OBS_VALUE]=ge:10.0&dimensionAtObservation=AllDimensions",
        DataQuery(
            context="dataflow",
            agencies=("ECB",),
            ids=("EXR",),
            versions=("1.0.0",),
            keys=(KEY,),
            filters=(where("OBS_VALUE", ("ge:10.0",)),),
            dimension_at_observation="AllDimensions",
        ),
    ),
    (
        "data/?c[TITLE]=co:euro&attributes=none&measures=none",
        DataQuery(filters=(where("TITLE", ("co:euro",)),), attributes=("none",), measures=("none",)),
    ),
    (
        "data/dataflow/ECB/EXR?lastNObservations=2",
        DataQuery(context="dataflow", agencies=("ECB",), ids=("EXR",), last_n=2),
    ),
    (
        "data/dataflow/ECB/EXR?includeHistory=true",
        DataQuery(context="dataflow", agencies=("ECB",), ids=("EXR",), include_history=True),
    ),
    (
        "data/dataflow/ECB/EXR?offset=0&limit=100&sort=series_key:asc+TIME_PERIOD:desc",
        DataQuery(
            context="dataflow",
            agencies=("ECB",),
            ids=("EXR",),
            limit=100,
            sort=(SortKey(component="series_key"), SortKey(component="TIME_PERIOD", descending=True)),
        ),
    ),
    (
        "data/dataflow/ECB/EXR?offset=2000&limit=1000",
        DataQuery(context="dataflow", agencies=("ECB",), ids=("EXR",), offset=2000, limit=1000),
    ),
    (
        "data/dataflow/ECB/EXR?sort=CURRENCY+TIME_PERIOD",
        DataQuery(
            context="dataflow",
            agencies=("ECB",),
            ids=("EXR",),
            sort=(SortKey(component="CURRENCY"), SortKey(component="TIME_PERIOD")),
        ),
    ),
    (
        "data/dataflow/ECB/EXR?sort=*:asc",
        DataQuery(context="dataflow", agencies=("ECB",), ids=("EXR",), sort=(SortKey(component="*"),)),
    ),
    (
        "data/dataflow/ECB/EXR/1.0.0/M.USD.*.*.*?attributes=all&measures=none",
        DataQuery(
            context="dataflow",
            agencies=("ECB",),
            ids=("EXR",),
            versions=("1.0.0",),
            keys=keys("M.USD.*.*.*"),
            attributes=("all",),
            measures=("none",),
        ),
    ),
    # defaults may be dropped from the end only; the version of data is all versions
    ("data", DataQuery()),
    ("data/*/*/*/*/*", DataQuery()),
    ("data/dataflow", DataQuery(context="dataflow")),
    (
        "data/dataflow/ECB/EXR/~/D.USD",
        DataQuery(context="dataflow", agencies=("ECB",), ids=("EXR",), versions=("~",), keys=keys("D.USD")),
    ),
    (
        "data?asOf=2024-01-01T00:00:00Z&reportingYearStartDay=--07-01",
        DataQuery(as_of=datetime(2024, 1, 1, tzinfo=UTC), reporting_year_start_day="--07-01"),
    ),
    # extend.md
    (
        "data/dataflow/ECB/EXR?format=jsondata&formatVersion=1.0.0&lang=fr-CH&compression=gzip",
        DataQuery(
            context="dataflow",
            agencies=("ECB",),
            ids=("EXR",),
            representation=Representation(
                format="jsondata", format_version="1.0.0", language="fr-CH", compression="gzip"
            ),
        ),
    ),
    # availability.md
    (
        "availability/dataflow/ECB/ECB_EXR1_WEB/?references=all",
        AvailabilityQuery(context="dataflow", agencies=("ECB",), ids=("ECB_EXR1_WEB",), references=("all",)),
    ),
    (
        "availability/dataflow/ECB/ECB_EXR1_WEB/1.0.0/M.*.EUR?mode=available",
        AvailabilityQuery(
            context="dataflow",
            agencies=("ECB",),
            ids=("ECB_EXR1_WEB",),
            versions=("1.0.0",),
            keys=keys("M.*.EUR"),
            mode="available",
        ),
    ),
    (
        "availability/dataflow/*/EMPLOYMENT/*/UK.*.M,FR.*.M/SEX,FREQ",
        AvailabilityQuery(
            context="dataflow", ids=("EMPLOYMENT",), keys=keys("UK.*.M", "FR.*.M"), component_ids=("SEX", "FREQ")
        ),
    ),
    # structures.md; the version of structures is the latest
    ("structure", StructureQuery()),
    ("structure/all/ECB?detail=allstubs", StructureQuery(agencies=("ECB",), detail="allstubs")),
    ("structure/structure/ECB", StructureQuery(agencies=("ECB",))),  # so asks the official test kit
    (
        "structure/datastructure/ECB/ECB_EXR1/1.0.0?references=children&detail=referencepartial",
        StructureQuery(
            types=("datastructure",),
            agencies=("ECB",),
            ids=("ECB_EXR1",),
            versions=("1.0.0",),
            references=("children",),
            detail="referencepartial",
        ),
    ),
    (
        "structure/datastructure/ECB/ECB_EXR1/+",
        StructureQuery(types=("datastructure",), agencies=("ECB",), ids=("ECB_EXR1",), versions=("+",)),
    ),
    (
        "structure/datastructure/ECB?references=dataflow,codelist",
        StructureQuery(types=("datastructure",), agencies=("ECB",), references=("dataflow", "codelist")),
    ),
    (
        "structure/categoryscheme/ECB/DOMAINS/+/PRICES.ENERGY?references=categorisation",
        StructureQuery(
            types=("categoryscheme",),
            agencies=("ECB",),
            ids=("DOMAINS",),
            versions=("+",),
            items=("PRICES.ENERGY",),
            references=("categorisation",),
        ),
    ),
    (
        "structure/codelist/BIS,ECB/CL_FREQ",
        StructureQuery(types=("codelist",), agencies=("BIS", "ECB"), ids=("CL_FREQ",)),
    ),
    (
        "structure/valuelist/ECB/VL/*/a%2Fb%20c%252Cd",
        StructureQuery(types=("valuelist",), agencies=("ECB",), ids=("VL",), versions=("*",), items=("a/b c,d",)),
    ),
    # schema.md
    (
        "schema/dataflow/ECB/EXR_WEB/+?deletion=true",
        SchemaQuery(context="dataflow", agency="ECB", id="EXR_WEB", version="+", deletion=True),
    ),
    (
        "schema/metadataprovisionagreement/ECB/MPA",
        SchemaQuery(context="metadataprovisionagreement", agency="ECB", id="MPA"),
    ),
    # metadata.md
    (
        "metadata/metadataset/ECB/QUALITY_REPORT/1.0.0",
        MetadataQuery(by="metadataset", agencies=("ECB",), ids=("QUALITY_REPORT",), versions=("1.0.0",)),
    ),
    (
        "metadata/metadataset/ECB/?detail=allstubs",
        MetadataQuery(by="metadataset", agencies=("ECB",), detail="allstubs"),
    ),
    (
        "metadata/metadataflow/ECB/METHODOLOGY/*/FR2",
        MetadataQuery(
            by="metadataflow",
            agencies=("ECB",),
            ids=("METHODOLOGY",),
            versions=("*",),
            providers=(ProviderRef(id="FR2"),),
        ),
    ),
    (
        "metadata/metadataflow/*/METHODOLOGY/+/SDMX.X.CH2,NO2",
        MetadataQuery(
            by="metadataflow",
            ids=("METHODOLOGY",),
            versions=("+",),
            providers=(ProviderRef(agency="SDMX.X", id="CH2"), ProviderRef(id="NO2")),
        ),
    ),
    (
        "metadata/structure/datastructure/ECB/ECB_EXR1",
        MetadataQuery(by="structure", artefact_type="datastructure", agencies=("ECB",), ids=("ECB_EXR1",)),
    ),
    # registration.md
    ("registration/id/abcd-efgh-ijkl", RegistrationQuery(by="id", registration_id="abcd-efgh-ijkl")),
    ("registration/provider/IMF/UK1,UK2", RegistrationQuery(by="provider", agencies=("IMF",), ids=("UK1", "UK2"))),
    ("registration/provider/IMF/*", RegistrationQuery(by="provider", agencies=("IMF",))),
    (
        "registration/dataflow/ECB/BSI,EXR/1.0.0",
        RegistrationQuery(by="context", context="dataflow", agencies=("ECB",), ids=("BSI", "EXR"), versions=("1.0.0",)),
    ),
    (
        "registration/datastructure/*/*/*?updatedAfter=2009-05-15T14%3A15%3A00%2B01%3A00",
        RegistrationQuery(by="context", context="datastructure", updated_after=MAY_2009),
    ),
]


@pytest.mark.parametrize(("address", "expected"), EXAMPLES, ids=[address for address, _ in EXAMPLES])
def test_examples_of_the_standard(address: str, expected: Query) -> None:
    assert parse(address) == expected
    assert v2.parse(*v2.format(expected)) == expected


FILTERS = [
    # the table of data.md
    ("A", where("X", ("eq:A",))),
    ("A,B", where("X", ("eq:A",), ("eq:B",))),
    ("ge:A", where("X", ("ge:A",))),
    ("ge:A+le:B", where("X", ("ge:A", "le:B"))),
    ("A,B+C", where("X", ("eq:A",), ("eq:B", "eq:C"))),
    ("ge:A+le:B,ge:C+le:D", where("X", ("ge:A", "le:B"), ("ge:C", "le:D"))),
    ("ne:A,B", where("X", ("ne:A",), ("eq:B",))),
    ("ne:A+B", where("X", ("ne:A", "eq:B"))),
    ("ne:A,ne:B", where("X", ("ne:A",), ("ne:B",))),
    ("ne:A+ne:B", where("X", ("ne:A", "ne:B"))),
    # encoded operators are operators
    ("ge%3AA%2Ble%3AB%2CC", where("X", ("ge:A", "le:B"), ("eq:C",))),
    # a value may hold operators: encoded twice
    ("co:a%252Cb%252Bc", where("X", ("co:a,b+c",))),
    ("eq:ge:A", where("X", ("eq:ge:A",))),
    ("50%25", where("X", ("eq:50%",))),
    # times keep their colons and their offset
    ("ge:2024-01-01T10:30:00", where("X", ("ge:2024-01-01T10:30:00",))),
    (
        "ge:2024-01-01T00:00:00+01:00+le:2024-06-01T00:00:00%2B01:00",
        where("X", ("ge:2024-01-01T00:00:00+01:00", "le:2024-06-01T00:00:00+01:00")),
    ),
    # no operator of the table, no operator
    ("xx:A", where("X", ("eq:xx:A",))),
    *(
        (f"{operator}:V", where("X", (f"{operator}:V",)))
        for operator in ("eq", "ne", "lt", "le", "gt", "ge", "co", "nc", "sw", "ew")
    ),
]


@pytest.mark.parametrize(("value", "expected"), FILTERS, ids=[value for value, _ in FILTERS])
@pytest.mark.parametrize("name", ["c[X]", "c%5BX%5D"])
def test_component_filters(name: str, value: str, expected: ComponentFilter) -> None:
    query = v2.parse("data", f"{name}={value}")
    assert query == DataQuery(filters=(expected,))
    assert v2.parse(*v2.format(query)) == query


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("*", ()),
        ("D", keys("D")),
        ("D.USD", keys("D.USD")),
        ("D.*.EUR", keys("D.*.EUR")),
        ("*.*", keys("*.*")),
        ("D..EUR", keys("D.*.EUR")),  # the official test kit asks so
        ("D.USD%2CM.CHF", keys("D.USD", "M.CHF")),
        ("D.USD,D.USD", keys("D.USD")),
        ("004.01", keys("004.01")),
        ("a%252Eb.c%252Cd", (((("a.b"),), (("c,d"),)),)),
    ],
)
def test_keys(key: str, expected: object) -> None:
    query = v2.parse(f"data/dataflow/A/B/*/{key}", "")
    assert isinstance(query, DataQuery)
    assert query.keys == expected
    assert v2.parse(*v2.format(query)) == query


REFUSED = [
    # (address, error, what the message must name)
    ("data?startPeriod=2010", UnknownParameter, "startPeriod.*c\\[TIME_PERIOD\\]"),
    ("data?updateAfter=2010-01-01T00:00:00Z", UnknownParameter, "updateAfter.*updatedAfter"),
    ("data?Limit=3", UnknownParameter, "Limit.*limit"),
    ("data?detail=dataonly", UnknownParameter, "detail.*attributes=none"),
    ("data?c=A", UnknownParameter, "'c'.*c\\[COMPONENT\\]"),
    ("structure?c[FREQ]=A", UnknownParameter, "c\\[FREQ\\]"),
    ("schema/dataflow/A/B?explicitMeasure=true", UnknownParameter, "explicitMeasure"),
    ("registration/id/X?updatedAfter=2024-01-01T00:00:00Z", UnknownParameter, "updatedAfter"),
    ("data?limit=3&limit=4", SyntaxFault, "limit.*more than once"),
    ("data?c[FREQ]=A&c%5BFREQ%5D=M", SyntaxFault, "c\\[FREQ\\].*more than once"),
    ("data?limit=", SyntaxFault, "limit has no value"),
    ("data?limit", SyntaxFault, "limit has no value"),
    ("data?limit=0", SyntaxFault, "limit.*'0'"),
    ("data?limit=-1", SyntaxFault, "limit.*'-1'"),
    ("data?offset=-1", SyntaxFault, "offset.*'-1'"),
    ("data?offset=1e3", SyntaxFault, "offset.*'1e3'"),
    ("data?offset=٣", SyntaxFault, "offset"),
    ("data?firstNObservations=0", SyntaxFault, "firstNObservations.*'0'"),
    ("data?lastNObservations=" + "9" * 5000, SyntaxFault, "lastNObservations"),
    ("data?includeHistory=yes", SyntaxFault, "includeHistory.*'yes'.*true"),
    ("data?updatedAfter=2009-05-15", SyntaxFault, "updatedAfter.*2009-05-15"),
    ("data?updatedAfter=2009-05-15T14:15:00%2001:00", SyntaxFault, "updatedAfter.*%2B"),
    ("data?updatedAfter=2009-02-30T14:15:00Z", SyntaxFault, "updatedAfter"),
    ("data?updatedAfter=2009-05-15T14:15:00%2B15:00", SyntaxFault, "updatedAfter"),
    ("data?updatedAfter=0001-01-01T00:00:00%2B14:00", SyntaxFault, "updatedAfter"),
    ("data?reportingYearStartDay=--13-01", SyntaxFault, "--13-01"),
    ("data?reportingYearStartDay=--02-30", SyntaxFault, "--02-30"),
    ("data?reportingYearStartDay=07-01", SyntaxFault, "07-01"),
    ("data?attributes=OBS_STATUS,", SyntaxFault, "attributes"),
    ("data?measures=A B", SyntaxFault, "measures"),
    ("data?sort=TIME_PERIOD:down", SyntaxFault, "down.*:desc"),
    ("data?sort=A++B", SyntaxFault, "sort"),
    ("data?dimensionAtObservation=1X", SyntaxFault, "dimensionAtObservation"),
    ("data?c[]=A", SyntaxFault, "c\\["),
    ("data?c[A B]=A", SyntaxFault, "'A B'"),
    ("data?c[FREQ]=", SyntaxFault, "c\\[FREQ\\] has no value"),
    ("data?c[FREQ]=A,", SyntaxFault, "c\\[FREQ\\].*'A,'"),
    ("data?c[FREQ]=A++B", SyntaxFault, "c\\[FREQ\\]"),
    ("data?c[FREQ]=ge:", SyntaxFault, "c\\[FREQ\\].*'ge:'"),
    ("data?limit=%zz", SyntaxFault, "limit.*%25"),
    ("data?lang=%FF", SyntaxFault, "lang.*UTF-8"),
    ("data?lang=%00", SyntaxFault, "control character"),
    ("data/dataflow/ECB/EXR/1.0.0/D.USD+JPY", SyntaxFault, "'USD\\+JPY'.*version 1"),
    ("data/dataflow/ECB/EXR/1.0.0/D.U*", SyntaxFault, "'U\\*'"),
    ("data/dataflow/ECB/EXR/1.0.0/D,,A", SyntaxFault, "The key"),
    ("data/dataflow/ECB/EXR/1.+.3", SyntaxFault, "1\\.\\+\\.3"),
    ("data/dataflow/ECB/EXR/latest", SyntaxFault, "latest"),
    ("data/dataflow//EXR", SyntaxFault, "agencyID.*empty"),
    ("data//", SyntaxFault, "context.*empty"),
    ("data/dataflow/E B/EXR", SyntaxFault, "agencyID.*'E B'"),
    ("data/dataflow/ECB/EXR/1.0/A/B", SyntaxFault, "1 part\\(s\\) too many"),
    ("data/EXR/D.USD", SyntaxFault, "context.*'EXR'.*dataflow"),
    ("availability", SyntaxFault, "no context"),
    ("availability/*", SyntaxFault, "context.*'\\*'"),
    ("availability/dataflow?references=parents", SyntaxFault, "parents"),
    ("availability/dataflow?mode=exakt", SyntaxFault, "exakt.*exact"),
    ("structure/codelists/ECB", SyntaxFault, "codelists.*codelist"),
    ("structure/contentconstraint", SyntaxFault, "contentconstraint.*dataconstraint"),
    ("structure/datastructure/ECB/X/1.0/ITEM", SyntaxFault, "datastructure has no items"),
    ("structure?detail=allStubs", SyntaxFault, "allStubs.*allstubs"),
    ("structure?references=none,codelist", SyntaxFault, "none"),
    ("schema/dataflow", SyntaxFault, "agencyID"),
    ("schema/dataflow/A,B/C", SyntaxFault, "agencyID.*'A,B'"),
    ("schema/dataflow/A/C/1.0,2.0", SyntaxFault, "version"),
    ("metadata", SyntaxFault, "metadataset"),
    ("metadata/codelist/ECB", SyntaxFault, "metadata/structure/codelist"),
    ("metadata/metadataflow/ECB/M/*/A.B.", SyntaxFault, "providerRef"),
    ("registration/id", SyntaxFault, "no id"),
    ("registration/flow", SyntaxFault, "flow"),
    ("data?attributes=none,OBS_STATUS", SemanticFault, "attributes"),
    ("data?updatedAfter=2024-01-02T00:00:00Z&asOf=2024-01-01T00:00:00Z", SemanticFault, "updatedAfter.*asOf"),
    ("", NotFound, "names no resource.*structure"),
    ("datas/dataflow", NotFound, "datas.*data"),
    ("codelist/ECB/CL_FREQ", NotFound, "structure/codelist"),
    ("availableconstraint/EXR", NotFound, "availability/dataflow"),
    ("subscription", NotBuilt, "subscription"),
]


@pytest.mark.parametrize(("address", "error", "words"), REFUSED, ids=[address[:70] for address, _, _ in REFUSED])
def test_what_is_refused_says_where_and_what_to_do(address: str, error: type[SdmxError], words: str) -> None:
    with pytest.raises(error) as caught:
        parse(address)
    assert type(caught.value) is error
    assert re.search(words, f"{caught.value.detail} {caught.value.hint}")
    assert caught.value.hint or error is NotBuilt


@pytest.mark.parametrize(
    "address",
    ["data/dataflow/ECB", "/data/dataflow/ECB", "data/dataflow/ECB/", "/data/dataflow/ECB/?", "data/dataflow/ECB?&&"],
)
def test_a_slash_at_either_end_and_empty_pieces_do_not_count(address: str) -> None:
    assert parse(address) == DataQuery(context="dataflow", agencies=("ECB",))


@pytest.mark.parametrize(
    ("written", "expected"),
    [("true", True), ("1", True), ("True", True), ("false", False), ("0", False), ("FALSE", False)],
)
def test_truth_values(written: str, expected: bool) -> None:
    assert parse(f"data?includeHistory={written}") == DataQuery(include_history=expected)


@pytest.mark.parametrize(
    "other",
    ["updatedAfter=2024-01-01T00:00:00Z", "includeHistory=true", "firstNObservations=1", "lastNObservations=1",
     "measures=none"],
)  # fmt: skip
def test_what_does_not_go_together_with_sources(other: str) -> None:
    assert parse("data?includeSources=true") == DataQuery(include_sources=True)
    with pytest.raises(SemanticFault, match=other.partition("=")[0]):
        parse(f"data?includeSources=true&{other}")


def test_every_structure_type_is_read() -> None:
    assert len(v2.STRUCTURE_TYPES) == 34
    for kind in v2.STRUCTURE_TYPES:
        query = parse(f"structure/{kind}/ECB/X/1.0?references={kind}")
        assert query == StructureQuery(
            types=(kind,), agencies=("ECB",), ids=("X",), versions=("1.0",), references=(kind,)
        )


def test_items_go_with_item_schemes_and_value_lists() -> None:
    # structures.md, *Notes about using itemID*: 15 item schemes, and the value list
    assert len(v2.ITEM_SCHEMES) == 16
    for kind in v2.STRUCTURE_TYPES:
        if kind in v2.ITEM_SCHEMES:
            assert parse(f"structure/{kind}/ECB/X/~/A,B") == StructureQuery(
                types=(kind,), agencies=("ECB",), ids=("X",), items=("A", "B")
            )
        else:
            with pytest.raises(SyntaxFault):
                parse(f"structure/{kind}/ECB/X/~/A,B")


def test_what_version_2_cannot_say_is_refused() -> None:
    unsayable: list[Query] = [
        DataQuery(api="v1", context="dataflow", providers=(ProviderRef(id="ECB"),)),
        DataQuery(api="v1", context="dataflow", start_period="2010"),
        DataQuery(keys=((("A", "M"),),)),
        SchemaQuery(context="dataflow", agency="A", id="B", explicit_measure=True),
        MetadataQuery(by="metadataflow", flow=DataQuery()),
    ]
    for query in unsayable:
        with pytest.raises(SemanticFault):
            v2.format(query)


@given(query=V2_QUERIES)
def test_parse_is_the_inverse_of_format(query: Query) -> None:
    path, query_string = v2.format(query)
    assert v2.parse(path, query_string) == query
    assert (path + query_string).isascii()
    assert not re.search(r"[\s\"<>\\^`{|}#]", path + query_string)


@given(query=V2_QUERIES)
def test_operators_may_be_encoded(query: Query) -> None:
    path, query_string = v2.format(query)
    encoded = (
        query_string.replace("+", "%2B").replace(",", "%2C").replace(":", "%3A").replace("[", "%5B").replace("]", "%5D")
    )
    assert v2.parse(path.replace("+", "%2B").replace(",", "%2C"), encoded) == query


PIECES = st.sampled_from(
    (
        *(
            "data",
            "availability",
            "structure",
            "schema",
            "metadata",
            "registration",
            "dataflow",
            "codelist",
            "*",
            "+",
            "~",
        ),
        *("1.0", "2.+.0", "D.USD", "..", ",", ".", "/", "//", "%", "%2C", "%252C", "%FF", "%00", "id", "provider", ""),
        *(
            "&",
            "=",
            "?",
            "c[",
            "]",
            "c[A]=",
            "ge:",
            "le:1+ge:",
            "limit=",
            "offset=",
            "sort=",
            "A:desc",
            "asOf=",
            "lang=",
        ),
        *(
            "updatedAfter=",
            "2024-01-01T00:00:00Z",
            "9999-12-31T24:00:00",
            "0001-01-01T00:00:00",
            "none",
            "all",
            "references=",
        ),
    )
)
ADDRESSES = st.lists(PIECES | st.text(max_size=4), max_size=12).map("".join) | st.lists(PIECES, max_size=8).map(
    "/".join
)


@given(path=ADDRESSES | st.text(), query_string=ADDRESSES | st.text())
def test_any_text_is_a_query_or_an_sdmx_error(path: str, query_string: str) -> None:
    try:
        query = v2.parse(path, query_string)
    except SdmxError as error:
        assert error.detail
    else:
        assert v2.parse(*v2.format(query)) == query


@given(query=V2_QUERIES, data=st.data())
def test_a_damaged_address_is_a_query_or_an_sdmx_error(query: Query, data: st.DataObject) -> None:
    address = "?".join(v2.format(query))
    place = data.draw(st.integers(0, len(address)))
    damaged = (
        address[:place]
        + data.draw(PIECES | st.characters(codec="utf-8"))
        + address[place + data.draw(st.integers(0, 3)) :]
    )
    try:
        parse(damaged)
    except SdmxError as error:
        assert error.detail


@pytest.mark.parametrize("text", ["\ud800", "a\udcffb"])
def test_broken_unicode_is_refused(text: str) -> None:
    for path, query_string in ((text, ""), (f"data/{text}", ""), ("data", f"lang={text}"), ("data", f"{text}=1")):
        with pytest.raises(SdmxError):
            v2.parse(path, query_string)


def test_spaces_and_letters_of_all_scripts_stay_in_values() -> None:
    query = v2.parse("data", f"c[TITLE]=co:{quote('zone euro – 漢字')}")
    assert query == DataQuery(filters=(where("TITLE", ("co:zone euro – 漢字",)),))
