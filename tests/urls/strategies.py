"""Whole queries of both interface versions, made up by hypothesis."""

from __future__ import annotations

import string
from datetime import datetime, timedelta, timezone
from typing import Any, Literal, get_args

from hypothesis import strategies as st

from sdmx_service.model.query import (
    DETAIL_CONTENT,
    AvailabilityQuery,
    Comparison,
    ComponentFilter,
    DataQuery,
    Key,
    MetadataQuery,
    Operator,
    ProviderRef,
    Query,
    RegistrationQuery,
    Representation,
    SchemaContext,
    SchemaQuery,
    SortKey,
    StructureQuery,
)
from sdmx_service.urls import v1, v2

LETTERS = string.ascii_letters
IDS = st.text(LETTERS + string.digits + "_@$-", min_size=1, max_size=6).filter(
    lambda each: each not in ("all", "latest")
)
NAMES = st.builds(str.__add__, st.sampled_from(LETTERS), st.text(LETTERS + string.digits + "_-", max_size=5)).filter(
    lambda each: each != "all"
)
AGENCIES = st.lists(NAMES, min_size=1, max_size=3).map(".".join)
NESTED_IDS = st.lists(IDS, min_size=1, max_size=2).map(".".join)
TEXTS = (
    st.text(
        st.one_of(st.sampled_from("%+,.*:~/?#&=[]'\" AT09é漢"), st.characters(exclude_categories=("Cc", "Cs"))),
        min_size=1,
        max_size=8,
    )
    | st.sampled_from(
        ("ge:1", "01:00", "2020-01-01T00:00:00+01:00", "T10:00", "%2C", "%252C", "a,b+c", "*", "~", "xx:y")
    )
    | IDS
)
"""Values of components: anything without control characters."""

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=ZONES)

V2_VERSIONS = (
    *("1", "1.2", "1.2.3", "0.1.0", "1.2.3-draft", "1.2.3-rc.1", "+", "2.+.0", "2.3.+", "2+.3.1", "2.3+.1", "2.3.1+"),
    *(form.replace("?", wildcard) for wildcard in "~*" for form in ("?.0", "?.0.0", "2.?", "2.?.0", "2.3.?", "2?.3")),
    *(form.replace("?", wildcard) for wildcard in "~*" for form in ("2?.3.1", "2.3?", "2.3?.1", "2.3.1?")),
    "~",
)
V1_VERSIONS = ("~", "1.0", "1", "2.1", "1.2.3", "10.20")


def several(values: st.SearchStrategy[str], most: int = 3) -> st.SearchStrategy[tuple[str, ...]]:
    """Different values, at least one; or all."""
    return st.just(("*",)) | st.lists(values, min_size=1, max_size=most, unique=True).map(tuple)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


REPRESENTATIONS = st.builds(
    Representation, format=maybe(TEXTS), format_version=maybe(TEXTS), compression=maybe(TEXTS), language=maybe(TEXTS)
)
COUNTS = maybe(st.integers(1, 10**18 - 1))

# ---------------------------------------------------------------------------------------------------------- version 2

V2_KEYS: st.SearchStrategy[tuple[Key, ...]] = (
    st.lists(
        st.lists(maybe(TEXTS.map(lambda code: (code,))), min_size=1, max_size=4).map(tuple), max_size=3, unique=True
    )
    .map(tuple)
    .filter(lambda keys: keys != ((None,),))  # that is everything, and everything is written ()
)
COMPARISONS = st.builds(Comparison, operator=st.sampled_from(get_args(Operator)), value=TEXTS)
FILTERS = st.lists(
    st.builds(
        ComponentFilter,
        component=NESTED_IDS,
        alternatives=st.lists(st.lists(COMPARISONS, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3).map(
            tuple
        ),
    ),
    max_size=3,
    unique_by=lambda each: each.component,
).map(tuple)
START_DAYS = st.sampled_from(("--01-01", "--07-01", "--02-29", "--12-31"))
SORT_KEYS = st.builds(SortKey, component=st.sampled_from(("*", "series_key")) | NESTED_IDS, descending=st.booleans())
V2_SLICE: dict[str, st.SearchStrategy[Any]] = {
    "agencies": several(AGENCIES),
    "ids": several(IDS),
    "versions": several(st.sampled_from(V2_VERSIONS)),
    "keys": V2_KEYS,
    "filters": FILTERS,
    "updated_after": maybe(MOMENTS),
    "reporting_year_start_day": maybe(START_DAYS),
    "representation": REPRESENTATIONS,
}
WORDS = st.lists(NESTED_IDS.filter(lambda word: word != "none"), min_size=1, max_size=3, unique=True).map(tuple)


def _is_without_sources(query: DataQuery) -> bool:
    """Of changes, of parts of series and of keys alone it cannot be told whose they are."""
    return bool(
        query.updated_after or query.include_history or query.first_n or query.last_n or query.measures == ("none",)
    )


V2_DATA = st.builds(
    DataQuery,
    context=st.sampled_from(("datastructure", "dataflow", "provisionagreement", "*")),
    first_n=COUNTS,
    last_n=COUNTS,
    dimension_at_observation=maybe(NAMES),
    attributes=st.sampled_from((("dsd",), ("none",), ("all",), ("dataset", "series"))) | WORDS,
    measures=st.sampled_from((("all",), ("none",))) | WORDS,
    include_history=st.booleans(),
    offset=st.integers(0, 10**18 - 1),
    limit=COUNTS,
    sort=st.lists(SORT_KEYS, max_size=3, unique=True).map(tuple),
    as_of=maybe(MOMENTS),
    include_sources=st.booleans(),
    **V2_SLICE,
).filter(
    lambda query: (
        not (query.as_of and query.updated_after and query.updated_after > query.as_of)
        and not (query.include_sources and _is_without_sources(query))
    )
)


def references(words: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    others = [word for word in words if word != "none"]
    return st.just(("none",)) | st.lists(st.sampled_from(others), min_size=1, max_size=3, unique=True).map(tuple)


V2_AVAILABILITY = st.builds(
    AvailabilityQuery,
    context=st.sampled_from(("datastructure", "dataflow", "provisionagreement")),
    component_ids=several(IDS),
    references=references(v2.AVAILABILITY_REFERENCES),
    mode=st.sampled_from(("exact", "available")),
    **V2_SLICE,
)


@st.composite
def v2_structures(draw: st.DrawFn) -> StructureQuery:
    kind = draw(st.sampled_from(("*", *v2.STRUCTURE_TYPES)))
    items = several(TEXTS.filter(lambda text: text != "*"))
    return StructureQuery(
        types=(kind,),
        agencies=draw(several(AGENCIES)),
        ids=draw(several(IDS)),
        versions=draw(several(st.sampled_from(V2_VERSIONS))),
        items=draw(items) if kind in v2.ITEM_SCHEMES else ("*",),
        detail=draw(st.sampled_from(("full", "allstubs", "referencepartial", "raw"))),
        references=draw(references(v2.REFERENCES)),
        as_of=draw(maybe(MOMENTS)),
        representation=draw(REPRESENTATIONS),
    )


V2_SCHEMAS = st.builds(
    SchemaQuery,
    context=st.sampled_from(get_args(SchemaContext)),
    agency=AGENCIES,
    id=IDS,
    version=st.sampled_from(V2_VERSIONS),
    dimension_at_observation=maybe(NAMES),
    deletion=st.booleans(),
    as_of=maybe(MOMENTS),
    representation=REPRESENTATIONS,
)
PROVIDERS = st.lists(
    st.builds(ProviderRef, agency=st.just("*") | AGENCIES, id=st.just("*") | IDS), max_size=3, unique=True
).map(tuple)


METADATA_BY: tuple[Literal["metadataset", "metadataflow", "structure"], ...] = (
    "metadataset",
    "metadataflow",
    "structure",
)


@st.composite
def v2_metadata(draw: st.DrawFn) -> MetadataQuery:
    by = draw(st.sampled_from(METADATA_BY))
    return MetadataQuery(
        by=by,
        artefact_type=draw(st.sampled_from(("*", *v2.STRUCTURE_TYPES))) if by == "structure" else "*",
        agencies=draw(several(AGENCIES)),
        ids=draw(several(NESTED_IDS if by == "metadataset" else IDS)),
        versions=draw(several(st.sampled_from(V2_VERSIONS))),
        providers=draw(PROVIDERS) if by == "metadataflow" else (),
        detail=draw(st.sampled_from(("full", "allstubs"))),
        as_of=draw(maybe(MOMENTS)),
        representation=draw(REPRESENTATIONS),
    )


V2_REGISTRATIONS = (
    st.builds(RegistrationQuery, by=st.just("id"), registration_id=IDS, representation=REPRESENTATIONS)
    | st.builds(
        RegistrationQuery,
        by=st.just("provider"),
        agencies=several(AGENCIES),
        ids=several(IDS),
        updated_after=maybe(MOMENTS),
        updated_before=maybe(MOMENTS),
        representation=REPRESENTATIONS,
    )
    | st.builds(
        RegistrationQuery,
        by=st.just("context"),
        context=st.sampled_from(("datastructure", "dataflow", "provisionagreement", "*")),
        agencies=several(AGENCIES),
        ids=several(IDS),
        versions=several(st.sampled_from(V2_VERSIONS)),
        updated_after=maybe(MOMENTS),
        updated_before=maybe(MOMENTS),
        representation=REPRESENTATIONS,
    )
)

V2_QUERIES: st.SearchStrategy[Query] = st.one_of(
    V2_DATA, V2_AVAILABILITY, v2_structures(), V2_SCHEMAS, v2_metadata(), V2_REGISTRATIONS
)

# ---------------------------------------------------------------------------------------------------------- version 1

V1_KEYS: st.SearchStrategy[tuple[Key, ...]] = st.just(()) | (
    st.lists(maybe(st.lists(TEXTS, min_size=1, max_size=3, unique=True).map(tuple)), min_size=1, max_size=4)
    .map(lambda positions: (tuple(positions),))
    .filter(lambda keys: keys != ((None,),) and keys != ((("all",),),))  # both are everything
)
PERIODS = st.sampled_from(
    ("2010", "2010-07", "2010-07-01", "2010-A1", "2010-Q3", "2010-W53", "2010-07-01T00:00:00+01:00")
)
V1_SLICE: dict[str, st.SearchStrategy[Any]] = {
    "api": st.just("v1"),
    "context": st.just("dataflow"),
    "agencies": st.tuples(st.just("*") | AGENCIES),
    "ids": st.tuples(st.just("*") | IDS),
    "versions": st.tuples(st.sampled_from(("*", *V1_VERSIONS))),
    "providers": PROVIDERS,
    "keys": V1_KEYS,
    "start_period": maybe(PERIODS.filter(lambda period: "W53" not in period)),
    "end_period": maybe(PERIODS.filter(lambda period: "W53" not in period)),
    "updated_after": maybe(MOMENTS),
    "representation": REPRESENTATIONS,
}


@st.composite
def v1_data(draw: st.DrawFn) -> DataQuery:
    detail = draw(st.sampled_from(tuple(DETAIL_CONTENT)))
    return DataQuery(
        **{name: draw(values) for name, values in V1_SLICE.items()},
        first_n=draw(COUNTS),
        last_n=draw(COUNTS),
        dimension_at_observation=draw(maybe(NAMES)),
        include_history=draw(st.booleans()),
        detail=detail,
        attributes=DETAIL_CONTENT[detail][0],
        measures=DETAIL_CONTENT[detail][1],
    )


def in_metadata(flow: DataQuery) -> MetadataQuery:
    """The v1 metadata query that asks for the flow as the data query does."""
    return MetadataQuery(
        api="v1",
        by="metadataflow",
        agencies=flow.agencies,
        ids=flow.ids,
        versions=flow.versions,
        providers=flow.providers,
        flow=flow,
        representation=flow.representation,
    )


V1_AVAILABILITY = st.builds(
    AvailabilityQuery,
    component_ids=several(IDS),
    references=st.tuples(st.sampled_from(v1.AVAILABILITY_REFERENCES)),
    mode=st.sampled_from(("exact", "available")),
    **V1_SLICE,
)


@st.composite
def v1_structures(draw: st.DrawFn) -> StructureQuery:
    kind = draw(st.sampled_from(("*", *v1.STRUCTURE_RESOURCES)))
    return StructureQuery(
        api="v1",
        types=(kind,),
        agencies=draw(several(AGENCIES)),
        ids=draw(several(IDS)),
        versions=draw(several(st.sampled_from(V1_VERSIONS))),
        items=draw(several(NESTED_IDS)) if kind in v1.ITEM_SCHEMES else ("*",),
        detail=draw(st.sampled_from(("full", "allstubs", "referencepartial"))),
        references=(draw(st.sampled_from(v1.REFERENCES)),),
        representation=draw(REPRESENTATIONS),
    )


V1_SCHEMAS = st.builds(
    SchemaQuery,
    api=st.just("v1"),
    context=st.sampled_from(get_args(SchemaContext)).filter(lambda word: word != "metadataprovisionagreement"),
    agency=AGENCIES,
    id=IDS,
    version=st.sampled_from(V1_VERSIONS),
    dimension_at_observation=maybe(NAMES),
    explicit_measure=st.booleans(),
    representation=REPRESENTATIONS,
)

V1_QUERIES: st.SearchStrategy[Query] = st.one_of(
    v1_data(), v1_data().map(in_metadata), V1_AVAILABILITY, v1_structures(), V1_SCHEMAS
)
