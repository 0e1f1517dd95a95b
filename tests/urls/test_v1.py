"""SDMX-REST 1.5 addresses: the standard's own examples, what is refused and how, and the inverse."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.errors import NotBuilt, NotFound, SdmxError, SemanticFault, SyntaxFault, UnknownParameter
from sdmx_service.model.query import (
    DETAIL_CONTENT,
    AvailabilityQuery,
    Comparison,
    ComponentFilter,
    DataQuery,
    Key,
    MetadataQuery,
    ProviderRef,
    Query,
    RegistrationQuery,
    Representation,
    SchemaQuery,
    SortKey,
    StructureQuery,
)
from sdmx_service.urls import v1
from tests.urls.strategies import V1_QUERIES, in_metadata
from tests.urls.test_v2 import ADDRESSES, PIECES

KEY: Key = (("M",), None, ("EUR",), ("SP00",), ("A",))
BY_ECB = (ProviderRef(id="ECB"),)


def parse(address: str) -> Query:
    path, _, query_string = address.partition("?")
    return v1.parse(path, query_string)


def flow(id: str = "EXR", agency: str = "*", version: str = "~", **more: object) -> DataQuery:
    """A data query of version 1 with the flow given and the standard's defaults."""
    names = {"agencies": (agency,), "ids": (id,), "versions": (version,)}
    return DataQuery(api="v1", context="dataflow", **names, **more)  # type: ignore[arg-type]


def available(id: str, agency: str = "*", version: str = "~", **more: object) -> AvailabilityQuery:
    names = {"agencies": (agency,), "ids": (id,), "versions": (version,)}
    return AvailabilityQuery(api="v1", context="dataflow", **names, **more)  # type: ignore[arg-type]


def structure(kind: str, *parts: tuple[str, ...], **more: object) -> StructureQuery:
    names = dict(zip(("agencies", "ids", "versions", "items"), parts, strict=False))
    return StructureQuery(api="v1", types=(kind,), **names, **more)  # type: ignore[arg-type]


EXAMPLES = [
    # 4_4_data_queries.md
    ("data/ECB_EXR1_WEB/M..EUR.SP00.A/ECB", flow("ECB_EXR1_WEB", keys=(KEY,), providers=BY_ECB)),
    ("data/ECB,ECB_EXR1_WEB,latest/M..EUR.SP00.A/ECB", flow("ECB_EXR1_WEB", "ECB", keys=(KEY,), providers=BY_ECB)),
    ("data/ECB_EXR1_WEB/M.USD+GBP+JPY.EUR?", flow("ECB_EXR1_WEB", keys=((("M",), ("USD", "GBP", "JPY"), ("EUR",)),))),
    (
        "data/ECB,EXR,1.0/all/CH2+SDMX,NO2",
        flow("EXR", "ECB", "1.0", providers=(ProviderRef(id="CH2"), ProviderRef(agency="SDMX", id="NO2"))),
    ),
    ("data/EXR", flow()),
    ("data/EXR/all/all", flow()),
    ("data/EXR//ECB", flow(providers=BY_ECB)),
    ("data/all,EXR,latest/", flow()),
    ("data/ECB,EXR,all", flow("EXR", "ECB", "*")),
    ("data/EXR/..", flow(keys=((None, None, None),))),
    ("data/EXR/D.*.A", flow(keys=((("D",), None, ("A",)),))),
    ("data/EXR/D.USD%2BJPY", flow(keys=((("D",), ("USD", "JPY")),))),
    ("data/EXR?startPeriod=2009-05-01&endPeriod=2009-Q4", flow(start_period="2009-05-01", end_period="2009-Q4")),
    ("data/EXR?startPeriod=2009-05-01T00:00:00%2B01:00", flow(start_period="2009-05-01T00:00:00+01:00")),
    ("data/EXR?updatedAfter=2009-05-15T14%3A15%3A00Z", flow(updated_after=datetime(2009, 5, 15, 14, 15, tzinfo=UTC))),
    (
        "data/EXR?firstNObservations=1&lastNObservations=2&includeHistory=true",
        flow(first_n=1, last_n=2, include_history=True),
    ),
    ("data/EXR?dimensionAtObservation=CURRENCY", flow(dimension_at_observation="CURRENCY")),
    ("data/EXR?detail=dataonly", flow(detail="dataonly", attributes=("none",))),
    ("data/EXR?detail=nodata", flow(detail="nodata", measures=("none",))),
    ("data/EXR?detail=serieskeysonly", flow(detail="serieskeysonly", attributes=("none",), measures=("none",))),
    ("data/EXR?format=csvdata", flow(representation=Representation(format="csvdata"))),
    (
        "metadata/ECB,METHODOLOGY/D../ECB",
        in_metadata(flow("METHODOLOGY", "ECB", keys=((("D",), None, None),), providers=BY_ECB)),
    ),
    # 4_6_1_other_queries.md
    ("availableconstraint/ECB_EXR1_WEB/", available("ECB_EXR1_WEB")),
    (
        "availableconstraint/ECB,ECB_EXR1_WEB,1.0/M..EUR.SP00.A/ECB?mode=available",
        available("ECB_EXR1_WEB", "ECB", "1.0", keys=(KEY,), providers=BY_ECB, mode="available"),
    ),
    (
        "availableconstraint/EXR/all/all/FREQ+CURRENCY?references=codelist",
        available("EXR", component_ids=("FREQ", "CURRENCY"), references=("codelist",)),
    ),
    # 4_3_structural_queries.md
    ("codelist/all/CL_FREQ", structure("codelist", ("*",), ("CL_FREQ",))),
    (
        "datastructure/ECB/ECB_EXR1/1.0?references=children&detail=referencepartial",
        structure(
            "datastructure", ("ECB",), ("ECB_EXR1",), ("1.0",), references=("children",), detail="referencepartial"
        ),
    ),
    ("datastructure/ECB?references=dataflow", structure("datastructure", ("ECB",), references=("dataflow",))),
    ("codelist?detail=allstubs", structure("codelist", detail="allstubs")),
    ("structure/ECB?detail=allstubs", structure("*", ("ECB",), detail="allstubs")),
    ("structure", structure("*")),
    (
        "categoryscheme/ECB/DOMAINS/latest/PRICES?references=categorisation",
        structure("categoryscheme", ("ECB",), ("DOMAINS",), ("~",), ("PRICES",), references=("categorisation",)),
    ),
    (
        "codelist/BIS+ECB/CL_FREQ/1.0+2.0/A+M",
        structure("codelist", ("BIS", "ECB"), ("CL_FREQ",), ("1.0", "2.0"), ("A", "M")),
    ),
    ("hierarchicalcodelist/ECB/H/all/A.B", structure("hierarchicalcodelist", ("ECB",), ("H",), ("*",), ("A.B",))),
    # 4_5_schema_queries.md
    (
        "schema/provisionagreement/ECB/EXR_WEB/1.0/",
        SchemaQuery(api="v1", context="provisionagreement", agency="ECB", id="EXR_WEB", version="1.0"),
    ),
    (
        "schema/datastructure/ECB/EXR?explicitMeasure=true&dimensionAtObservation=AllDimensions",
        SchemaQuery(
            api="v1",
            context="datastructure",
            agency="ECB",
            id="EXR",
            explicit_measure=True,
            dimension_at_observation="AllDimensions",
        ),
    ),
]


@pytest.mark.parametrize(("address", "expected"), EXAMPLES, ids=[address for address, _ in EXAMPLES])
def test_examples_of_the_standard(address: str, expected: Query) -> None:
    assert parse(address) == expected
    assert v1.parse(*v1.format(expected)) == expected


REFUSED = [
    ("data/EXR?c[FREQ]=A", UnknownParameter, "c\\[FREQ\\]"),
    ("data/EXR?limit=3", UnknownParameter, "limit.*version 2"),
    ("data/EXR?attributes=none", UnknownParameter, "attributes.*dataonly"),
    ("data/EXR?startPeriode=2010", UnknownParameter, "startPeriode.*startPeriod"),
    ("schema/dataflow/ECB/EXR?explicit=false", UnknownParameter, "explicit.*explicitMeasure"),
    ("codelist?asOf=2024-01-01T00:00:00Z", UnknownParameter, "asOf.*version 2"),
    ("data/EXR?startPeriod=2010-13", SyntaxFault, "2010-13"),
    ("data/EXR?startPeriod=2010/P1Y", SyntaxFault, "startPeriod.*range"),
    ("data/EXR?startPeriod=", SyntaxFault, "startPeriod has no value"),
    ("data/EXR?detail=full,nodata", SyntaxFault, "full,nodata"),
    ("data/EXR?firstNObservations=0", SyntaxFault, "firstNObservations"),
    ("data", SyntaxFault, "no flow"),
    ("data/", SyntaxFault, "no flow"),
    ("data//D.USD", SyntaxFault, "flow.*empty"),
    ("data/ECB,EXR,1.0,X", SyntaxFault, "ECB,EXR,1.0,X"),
    ("data/ECB,,1.0", SyntaxFault, "ECB,,1.0"),
    ("data/EXR+ICP", SyntaxFault, "EXR\\+ICP.*several"),
    ("data/ECB,EXR,1.0+2.0", SyntaxFault, "1.0\\+2.0"),
    ("data/ECB,EXR,~", SyntaxFault, "'~'"),
    ("data/*,EXR,1.0", SyntaxFault, "'\\*'.*all"),
    ("data/EXR/D.USD,M.CHF", SyntaxFault, "The key.*'\\+'"),
    ("data/EXR/D.USD++JPY", SyntaxFault, "USD\\+\\+JPY"),
    ("data/EXR/D.USD+*", SyntaxFault, "\\*"),
    ("data/EXR/all/A,B,C", SyntaxFault, "A,B,C"),
    ("data/EXR/all//", SyntaxFault, "provider.*empty"),
    ("data/EXR/all/all/X", SyntaxFault, "too many"),
    ("availableconstraint/EXR?references=parents", SyntaxFault, "parents"),
    ("availableconstraint/EXR?references=codelist,dataflow", SyntaxFault, "codelist,dataflow"),
    ("codelist/BIS,ECB", SyntaxFault, "'BIS,ECB'.*'\\+'"),
    ("codelist/*", SyntaxFault, "'\\*'.*all"),
    ("codelist/ECB/CL/1.0-draft", SyntaxFault, "1.0-draft"),
    ("codelist?detail=raw", SyntaxFault, "raw"),
    ("codelist?references=ancestors", SyntaxFault, "ancestors"),
    ("codelist?references=none,all", SyntaxFault, "none,all"),
    ("dataflow/ECB/EXR/1.0/ITEM", SyntaxFault, "dataflow has no items"),
    ("codelist//CL_FREQ", SyntaxFault, "agencyID.*empty"),
    ("schema/dataflow/ECB", SyntaxFault, "resourceID"),
    ("schema/dataflow/all/EXR", SyntaxFault, "one artefact"),
    ("schema/metadataprovisionagreement/ECB/X", SyntaxFault, "metadataprovisionagreement"),
    ("", NotFound, "names no resource.*codelist"),
    ("availability/dataflow/EXR", NotFound, "availableconstraint"),
    ("dataconstraint", NotFound, "contentconstraint"),
    ("codelists", NotFound, "codelist"),
    ("namealiasscheme", NotBuilt, "namealiasscheme"),
]


@pytest.mark.parametrize(("address", "error", "words"), REFUSED, ids=[address for address, _, _ in REFUSED])
def test_what_is_refused_says_where_and_what_to_do(address: str, error: type[SdmxError], words: str) -> None:
    with pytest.raises(error) as caught:
        parse(address)
    assert type(caught.value) is error
    assert re.search(words, f"{caught.value.detail} {caught.value.hint}")


def test_every_resource_of_structures_is_read() -> None:
    assert len(v1.STRUCTURE_RESOURCES) == 28
    for resource in v1.STRUCTURE_RESOURCES:
        assert parse(f"{resource}/all/all/all?references={resource}") == structure(
            resource, ("*",), ("*",), ("*",), references=(resource,)
        )


def test_detail_says_what_comes() -> None:
    for detail, content in DETAIL_CONTENT.items():
        query = parse(f"data/EXR?detail={detail}")
        assert isinstance(query, DataQuery)
        assert (query.attributes, query.measures) == content


def test_what_version_1_cannot_say_is_refused() -> None:
    unsayable: list[Query] = [
        DataQuery(),
        DataQuery(context="dataflow", ids=("A", "B")),
        flow(keys=((("A",),), (("B",),))),
        flow(filters=(ComponentFilter(component="FREQ", alternatives=((Comparison(value="A"),),)),)),
        flow(attributes=("OBS_STATUS",)),
        flow(version="1.0+.0"),
        flow(limit=3),
        flow(sort=(SortKey(component="*"),)),
        structure("dataconstraint"),
        structure("codelist", detail="raw"),
        structure("codelist", references=("codelist", "dataflow")),
        SchemaQuery(context="dataflow", agency="A", id="B", deletion=True),
        MetadataQuery(by="metadataset"),
        RegistrationQuery(by="context"),
    ]
    for query in unsayable:
        with pytest.raises(SemanticFault):
            v1.format(query)


@given(query=V1_QUERIES)
def test_parse_is_the_inverse_of_format(query: Query) -> None:
    path, query_string = v1.format(query)
    assert v1.parse(path, query_string) == query
    assert (path + query_string).isascii()
    assert not re.search(r"[\s\"<>\\^`{|}#]", path + query_string)


@given(query=V1_QUERIES)
def test_operators_may_be_encoded(query: Query) -> None:
    path, query_string = v1.format(query)
    encoded = query_string.replace(",", "%2C").replace(":", "%3A")
    assert v1.parse(path.replace("+", "%2B").replace(",", "%2C"), encoded) == query


V1_ADDRESSES = ADDRESSES | st.builds(
    str.__add__, st.sampled_from(("data/EXR/", "codelist/", "schema/dataflow/", "availableconstraint/A,B/")), ADDRESSES
)


@given(path=V1_ADDRESSES | st.text(), query_string=ADDRESSES | st.text())
def test_any_text_is_a_query_or_an_sdmx_error(path: str, query_string: str) -> None:
    try:
        query = v1.parse(path, query_string)
    except SdmxError as error:
        assert error.detail
    else:
        assert v1.parse(*v1.format(query)) == query


@given(query=V1_QUERIES, data=st.data())
def test_a_damaged_address_is_a_query_or_an_sdmx_error(query: Query, data: st.DataObject) -> None:
    address = "?".join(v1.format(query))
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
