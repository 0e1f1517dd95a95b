"""Data and availability of SDMX-REST 2: each request against the rows that the service gave for the whole."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.conformance.reading import Row, artefacts, datasets, rows
from tests.conformance.site import CSV, JSON, SDMX, Site
from tests.conformance.validity import check_valid
from tests.conformance.verdicts import check, expect, need

STRUCTURE_TYPES = ("structure+json;version=2.1.0", "structure+xml;version=3.1.0", "structure+json;version=2.0.0",
                   "structure+xml;version=3.0.0")  # fmt: skip


def everything(row: Row) -> bool:
    return True


def various(site: Site) -> tuple[str, list[str]]:
    """The dimension with the most values, and its values."""
    flow = site.flow
    found = max(flow.dimensions, key=lambda id: len({row.get(id) for row in flow.rows}))
    values = sorted({row[found] for row in flow.rows if found in row})
    need(len(values) > 1, "every dimension has one value only")
    return found, values


def check_types(site: Site, path: str, types: tuple[str, ...], default: str) -> None:
    """Each media type is answered as such, validly; without a wish the default is."""
    for media_type in types:
        reply = site.v2.get(path, Accept=SDMX + media_type)
        expect(reply.type == SDMX + media_type, f"asked for {media_type}, got {reply.type}")
        check_valid(reply)
    reply = site.v2.get(path)
    expect(reply.type == SDMX + default, f"the default is {default}, got {reply.type}")


@check("2.1-01")
def contexts(site: Site) -> None:
    flow = site.flow
    agency, id, version = flow.structure
    site.v2.get(f"/data/dataflow/{flow.agency}/{flow.id}/{flow.version}", Accept=CSV)
    site.v2.get(f"/data/*/{flow.agency}/{flow.id}/{flow.version}", Accept=CSV)
    site.v2.get(f"/data/datastructure/{agency}/{id}/{version.partition('+')[0]}", 200, 204, Accept=CSV)
    site.v2.get("/data/nonsense", 400)
    site.v2.get(f"/data/dataflow,datastructure/{flow.agency}", 400)


@check("2.1-02")
def agreements(site: Site) -> None:
    found = [one for one in site.structures("provisionagreement", 200, 204, 404) if not one.is_stub]
    need(found, "there is no provision agreement")
    for one in found[:6]:
        reply = site.v2.get(f"/data/provisionagreement/{one.agency}/{one.id}/{one.version}", 200, 204, 404, Accept=CSV)
        refs = {dataset.ref for dataset in datasets(reply)}
        expect(refs <= {one.name}, f"the data of {one.name} are told as of {refs}")
        if refs:
            return
    need(False, "no provision agreement has data")


@check("2.1-03")
def parts_of_the_path(site: Site) -> None:
    flow = site.flow
    whole = site.v2.get(f"/data/dataflow/{flow.agency}/{flow.id}/*", Accept=CSV)
    short = site.v2.get(f"/data/dataflow/{flow.agency}/{flow.id}", Accept=CSV)
    expect(len(rows(whole)) == len(rows(short)), "no version and * differ")
    others = [one for one in site.flows if (one.agency, one.id) != (flow.agency, flow.id)]
    if others:
        several = f"/data/dataflow/{flow.agency},{others[0].agency}/{flow.id},{others[0].id}/*"
        refs = {dataset.ref.partition("(")[0] for dataset in datasets(site.v2.get(several, Accept=CSV))}
        expect(f"{flow.agency}:{flow.id}" in refs, f"a list of two flows gives {refs}")


@check("2.1-04")
def short_paths(site: Site) -> None:
    flow = site.flow
    for path in (f"/data/dataflow/{flow.agency}/{flow.id}/{flow.version}", f"/data/dataflow/{flow.agency}/{flow.id}"):
        site.v2.get(path, Accept=CSV)
        site.v2.get(path + "/", Accept=CSV)
    for path in (f"/data/dataflow/{flow.agency}?limit=1", "/data/dataflow?limit=1", "/data?limit=1"):
        site.v2.get(path, 200, 204, 413, Accept=CSV)


@check("2.1-05")
def keys(site: Site) -> None:
    flow = site.flow
    first, *_ = flow.rows
    last = flow.rows[-1]
    exact = [tuple(row.get(id, "") for id in flow.dimensions) for row in (first, last)]
    site.expect_rows("", lambda row: tuple(row.get(id, "") for id in flow.dimensions) == exact[0], ".".join(exact[0]))
    both = ",".join(".".join(one) for one in exact)
    site.expect_rows("", lambda row: tuple(row.get(id, "") for id in flow.dimensions) in exact, both)
    id, value = flow.dimensions[0], exact[0][0]
    if flow.key == "*":
        site.expect_rows("", lambda row: row.get(id) == value, value)
        stars = ".".join([value, *("*" for _ in flow.dimensions[1:])])
        site.expect_rows("", lambda row: row.get(id) == value, stars)
    site.v2.get(f"/data/{flow.path}/{'.'.join(['*'] * (len(flow.dimensions) + 3))}", 422, 400, Accept=CSV)


@check("2.1-06")
def filters(site: Site) -> None:
    flow = site.flow
    id, values = various(site)
    site.expect_rows(f"c[{id}]={values[0]}", lambda row: row.get(id) == values[0])
    site.expect_rows(f"c%5B{id}%5D={values[-1]}", lambda row: row.get(id) == values[-1])
    for attribute in flow.attributes[:3]:
        value = next((row[attribute] for row in flow.rows if attribute in row), "")
        if value.isalnum():
            site.expect_rows(f"c[{attribute}]={value}", lambda row, a=attribute, v=value: row.get(a) == v)  # type: ignore[misc]
    if flow.time:
        period = max(
            (row[flow.time] for row in flow.rows), key=lambda text: (text.replace("-", "").isdigit(), len(text))
        )  # nothing else lies within the shortest one
        site.expect_rows(f"c[{flow.time}]={period}", lambda row: row.get(flow.time or "") == period)
    site.v2.get(f"/data/{flow.path}?c[{id}]=A&c[{id}]=B", 400, Accept=CSV)
    site.v2.get(f"/data/{flow.path}?c[NO_SUCH_COMPONENT]=A", 422, 400, 204, 404, Accept=CSV)


@check("2.1-07")
def operators(site: Site) -> None:
    id, values = various(site)
    value = values[len(values) // 2]
    for operator, test in (
        ("eq", lambda text: text == value),
        ("ne", lambda text: text != value),
        ("lt", lambda text: text < value),
        ("le", lambda text: text <= value),
        ("gt", lambda text: text > value),
        ("ge", lambda text: text >= value),
        ("co", lambda text: value[0] in text),
        ("nc", lambda text: value[0] not in text),
        ("sw", lambda text: text.startswith(value[0])),
        ("ew", lambda text: text.endswith(value[-1])),
    ):
        operand = {"co": value[0], "nc": value[0], "sw": value[0], "ew": value[-1]}.get(operator, value)
        site.expect_rows(f"c[{id}]={operator}:{operand}", lambda row, t=test: t(row.get(id, "")))  # type: ignore[misc]


@check("2.1-08")
def combinations(site: Site) -> None:
    id, values = various(site)
    a, b = values[0], values[-1]
    site.expect_rows(f"c[{id}]={a},{b}", lambda row: row.get(id) in (a, b))
    site.expect_rows(f"c[{id}]=ge:{a}+le:{a}", lambda row: row.get(id) == a)
    site.expect_rows(f"c[{id}]=ge:{a}%2Ble:{a}", lambda row: row.get(id) == a)
    site.expect_rows(f"c[{id}]={a},{b}+{b}", lambda row: row.get(id) in (a, b))
    site.expect_rows(f"c[{id}]=ne:{a},{a}", everything)
    site.expect_rows(f"c[{id}]=ne:{a},ne:{b}", everything)
    site.expect_rows(f"c[{id}]=ne:{a}+ne:{b}", lambda row: row.get(id) not in (a, b))


@check("2.1-09", "4.5-01")
def times(site: Site) -> None:
    flow = site.flow
    need(flow.time, "the dataflow has no time")
    time = flow.time or ""
    years = sorted({row[time][:4] for row in flow.rows})
    need(all(year.isdigit() for year in years) and not any("W" in row[time] for row in flow.rows), "periods by week")
    middle = years[len(years) // 2]
    site.expect_rows(f"c[{time}]=ge:{middle}", lambda row: row[time][:4] >= middle)
    site.expect_rows(f"c[{time}]=lt:{middle}", lambda row: row[time][:4] < middle)
    site.expect_rows(f"c[{time}]=gt:{middle}", lambda row: row[time][:4] > middle)
    site.expect_rows(f"c[{time}]=le:{middle}-Q4", lambda row: row[time][:4] <= middle)
    site.expect_rows(f"c[{time}]=ge:{middle}-01-01", lambda row: row[time][:4] >= middle)
    site.expect_rows(f"c[{time}]=ge:{middle}-Q1+le:{middle}-12", lambda row: row[time][:4] == middle)


@check("2.1-10")
def changes(site: Site) -> None:
    flow = site.flow
    past, future = "1990-01-01T00:00:00Z", f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}"
    found = datasets(site.v2.get(f"/data/{flow.path}/{flow.key}?updatedAfter={past}", Accept=CSV))
    told = {flow.identity(row) for dataset in found for row in dataset.rows if dataset.action[:1].upper() != "D"}
    expect(told >= {flow.identity(row) for row in flow.rows}, "since ever, not every observation is told")
    site.v2.get(f"/data/{flow.path}/{flow.key}?updatedAfter={past[:-1]}", Accept=CSV)
    site.v2.get(f"/data/{flow.path}/{flow.key}?updatedAfter=1990-01-01T00:00:00%2B01:00", Accept=CSV)
    later = site.v2.get(f"/data/{flow.path}/{flow.key}?updatedAfter={future}", 200, 204, 404, Accept=CSV)
    expect(not rows(later), "changes of the future are told")
    site.v2.get(f"/data/{flow.path}?updatedAfter=yesterday", 400, Accept=CSV)


@check("2.1-11")
def numbers(site: Site) -> None:
    flow = site.flow
    need(flow.time, "the dataflow has no time")
    by_series: dict[tuple[str, ...], list[Row]] = {}
    for row in flow.rows:
        by_series.setdefault(flow.identity(row)[:-1], []).append(row)
    for some in by_series.values():
        some.sort(key=lambda row: row[flow.time or ""])
    periods = {len(row[flow.time or ""]) for row in flow.rows}
    for query, slices in (
        ("firstNObservations=1", lambda some: some[:1]),
        ("lastNObservations=2", lambda some: some[-2:]),
        ("firstNObservations=1&lastNObservations=1", lambda some: [*some[:1], *some[1:][-1:]]),
    ):
        kept = {flow.identity(row) for some in by_series.values() for row in slices(some)}
        if len(periods) == 1 or "first" not in query:
            site.expect_rows(query, lambda row, kept=kept: flow.identity(row) in kept)  # type: ignore[misc]
    site.v2.get(f"/data/{flow.path}?firstNObservations=0", 400, Accept=CSV)
    site.v2.get(f"/data/{flow.path}?lastNObservations=-1", 400, Accept=CSV)


@check("2.1-12")
def at_observation(site: Site) -> None:
    flow = site.flow
    wished = f"{SDMX}data+json;version=2.1.0, {SDMX}data+json;version=2.0.0"
    plain = json.loads(site.v2.get(f"/data/{flow.path}/{flow.key}", Accept=wished).plain())
    default = flow.time or "AllDimensions"
    for dimension in (default, "AllDimensions", flow.dimensions[-1]):
        reply = site.v2.get(f"/data/{flow.path}/{flow.key}?dimensionAtObservation={dimension}", Accept=wished)
        message = json.loads(reply.plain())
        expect(_at(message) == (set(flow.dimensions) | {flow.time} - {None} if dimension == "AllDimensions" else {dimension}),
               f"dimensionAtObservation={dimension} puts {_at(message)} there")  # fmt: skip
        seen = {flow.identity(row) for row in rows(reply)}
        expect(seen == {flow.identity(row) for row in flow.rows}, f"{dimension}: other observations")
    expect(flow.time is None or _at(plain) == {flow.time}, f"by default {_at(plain)} is at the observation")
    site.v2.get(f"/data/{flow.path}?dimensionAtObservation=NO_SUCH", 422, 400, Accept=CSV)


def _at(message: dict[str, Any]) -> set[str]:
    data = message["data"]
    structure = (data.get("structures") or [data.get("structure")])[0]
    has_series = any(one.get("series") for one in data["dataSets"])
    listed = structure["dimensions"]
    if has_series:
        return {one["id"] for one in listed["observation"]}
    return {one["id"] for level in ("dataSet", "series", "observation") for one in listed.get(level, [])}


@check("2.1-13")
def attributes(site: Site) -> None:
    flow = site.flow
    need(flow.attributes, "no attribute has a value")
    by_level = {level: [id for id in ids if id in flow.attributes] for level, ids in flow.levels.items()}
    for word, shown in (("none", []), ("all", flow.attributes), ("dsd", flow.attributes), *by_level.items()):
        site.expect_rows(f"attributes={word}", everything, components=[*flow.measures, *shown])
        found = {name for row in site.data(f"attributes={word}") for name in row}
        hidden = found & (set(flow.attributes) - set(shown))
        expect(not hidden, f"attributes={word} gives {hidden}")
    one = flow.attributes[0]
    found = {name for row in site.data(f"attributes={one}") for name in row}
    expect(found & set(flow.attributes) == {one}, f"attributes={one} gives {found & set(flow.attributes)}")
    site.v2.get(f"/data/{flow.path}?attributes=NO_SUCH", 422, 400, Accept=CSV)
    site.v2.get(f"/data/{flow.path}?attributes=msd", 200, 204, 404, Accept=CSV)


@check("2.1-14")
def measures(site: Site) -> None:
    flow = site.flow
    need(flow.measures, "the structure has no measure")
    site.expect_rows("measures=all", everything)
    found = {name for row in site.data("measures=none") for name in row}
    expect(not found & set(flow.measures), f"measures=none gives {found & set(flow.measures)}")
    one = flow.measures[0]
    found = {name for row in site.data(f"measures={one}") for name in row}
    expect(one in found and not (found & set(flow.measures[1:])), f"measures={one} gives {found}")
    site.v2.get(f"/data/{flow.path}?measures=NO_SUCH", 422, 400, Accept=CSV)


@check("2.1-15")
def attributes_alone(site: Site) -> None:
    flow = site.flow
    need(flow.attributes, "no attribute has a value")
    found = site.data("attributes=all&measures=none")
    for level, ids in flow.levels.items():
        for id in ids:
            wanted = {row[id] for row in flow.rows if id in row}
            told = {row[id] for row in found if id in row}
            expect(wanted <= told, f"of {id} ({level}) {sorted(wanted - told)[:3]} are not told")


@check("2.1-16")
def history(site: Site) -> None:
    flow = site.flow
    wished = f"{SDMX}data+json;version=2.1.0, {SDMX}data+json;version=2.0.0"
    reply = site.v2.get(f"/data/{flow.path}/{flow.key}?includeHistory=true", Accept=wished)
    check_valid(reply)
    found = datasets(reply)
    expect(any(dataset.valid_from or dataset.valid_to for dataset in found), "no data set says when it is valid")
    told = {flow.identity(row) for dataset in found for row in dataset.rows}
    expect(told >= {flow.identity(row) for row in flow.rows}, "the history lacks observations of today")
    site.v2.get(f"/data/{flow.path}/{flow.key}?includeHistory=true&updatedAfter=1990-01-01T00:00:00Z", Accept=wished)
    site.expect_rows("includeHistory=false", everything)
    site.v2.get(f"/data/{flow.path}?includeHistory=perhaps", 400, Accept=CSV)


@check("2.1-17", "2.9-06")
def paging(site: Site) -> None:
    flow = site.flow
    total = len(flow.rows)
    expect(len(site.data("limit=1")) == 1, "limit=1 gives not one observation")
    half = max(total // 2, 1)
    first, rest = site.data(f"limit={half}"), site.data(f"offset={half}")
    expect(
        len(first) == half and len(rest) == total - half,
        f"{half} of {total} and the rest are {len(first)}, {len(rest)}",
    )
    seen = Counter(map(flow.identity, [*first, *rest]))
    expect(seen == Counter(map(flow.identity, flow.rows)), "pages overlap or leave a gap")
    beyond = site.v2.get(f"/data/{flow.path}/{flow.key}?offset={total + 5}", 200, 204, 404, Accept=CSV)
    expect(not rows(beyond), "beyond the end there is something")
    site.v2.get(f"/data/{flow.path}?limit=-1", 400, Accept=CSV)
    site.v2.get(f"/data/{flow.path}?offset=x", 400, Accept=CSV)


@check("2.1-18")
def order(site: Site) -> None:
    flow = site.flow
    id, _ = various(site)
    for suffix, reverse in (("", False), (":asc", False), (":desc", True)):
        found = [row.get(id, "") for row in site.data(f"sort={id}{suffix}")]
        expect(found == sorted(found, reverse=reverse), f"sort={id}{suffix} is not in order")
    other = next(one for one in (flow.time, *flow.dimensions) if one and one != id)
    pairs = [(row.get(id, ""), row.get(other, "")) for row in site.data(f"sort={id}+{other}")]
    if other != flow.time:
        expect(pairs == sorted(pairs), f"sort={id}+{other} is not in order")
    told = [tuple(row.get(one, "") for one in flow.dimensions) for row in site.data("sort=*")]
    expect(told == sorted(told), "sort=* is not in the order of dimensions")
    site.v2.get(f"/data/{flow.path}/{flow.key}?sort=series_key", Accept=CSV)
    site.v2.get(f"/data/{flow.path}?sort=NO_SUCH", 422, 400, Accept=CSV)


@check("2.1-19")
def as_of(site: Site) -> None:
    flow = site.flow
    now = f"{datetime.now(UTC) + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
    site.expect_rows(f"asOf={now}", everything)
    before = site.v2.get(f"/data/{flow.path}/{flow.key}?asOf=1950-01-01T00:00:00Z", 200, 204, 404, Accept=CSV)
    expect(not rows(before), "in 1950 there were figures already")
    site.v2.get(f"/data/{flow.path}?asOf=2000-01-01T00:00:00Z&updatedAfter=2001-01-01T00:00:00Z", 400, 422, Accept=CSV)


@check("2.1-20")
def year_start(site: Site) -> None:
    flow = site.flow
    need(flow.time, "the dataflow has no time")
    site.expect_rows("reportingYearStartDay=--01-01", everything)
    site.data("reportingYearStartDay=--07-01")
    site.v2.get(f"/data/{flow.path}?reportingYearStartDay=07-01", 400, Accept=CSV)


@check("2.1-21")
def actions(site: Site) -> None:
    flow = site.flow
    for query, allowed in (
        ("", {"R"}),
        ("attributes=none", {"M"}),
        ("updatedAfter=1990-01-01T00:00:00Z", {"R", "D", "M"}),
    ):
        reply = site.v2.get(f"/data/{flow.path}/{flow.key}" + (f"?{query}" if query else ""), Accept=CSV)
        found = {dataset.action[:1].upper() for dataset in datasets(reply)}
        expect(found <= allowed, f"{query or 'plain'}: actions {found}, {allowed} recommended")


@check("2.1-22")
def data_types(site: Site) -> None:
    types = ("data+json;version=2.1.0", "data+xml;version=3.1.0", "data+csv;version=2.1.0", "data+json;version=2.0.0",
             "data+xml;version=3.0.0", "data+csv;version=2.0.0")  # fmt: skip
    path = f"/data/{site.flow.path}/{site.flow.key}"
    check_types(site, path, types, types[0])
    wanted = {site.flow.identity(row) for row in site.flow.rows}
    for media_type in types:
        found = {site.flow.identity(row) for row in rows(site.v2.get(path, Accept=SDMX + media_type))}
        expect(found == wanted, f"{media_type}: {len(found)} observations, {len(wanted)} expected")


# --- availability ---------------------------------------------------------------------------------------------------


def available(site: Site, path: str = "", query: str = "") -> dict[str, Any]:
    """What an availability answer says: values by component, and counts."""
    where = f"/availability/{site.flow.path}{path}" + (f"?{query}" if query else "")
    reply = site.v2.get(where, Accept=JSON)
    check_valid(reply)
    data = json.loads(reply.plain())["data"]
    several = data.get("availabilityConstraints") or data.get("dataConstraints") or []
    expect(len(several) == 1, f"{where}: {len(several)} constraints")
    (one,) = several
    regions = one.get("cubeRegions") or ([one["cubeRegion"]] if "cubeRegion" in one else [])
    values: dict[str, set[str]] = {}
    for region in regions:
        for member in region.get("keyValues", []):
            values[member["id"]] = {
                str(value["value"]) if isinstance(value, dict) else str(value) for value in member.get("values", [])
            }
    notes = {note.get("id"): note.get("title") for note in one.get("annotations", [])}
    counts = [one.get("seriesCount", notes.get("series_count")), one.get("obsCount", notes.get("obs_count"))]
    return {"values": values, "counts": [None if count is None else int(count) for count in counts], "raw": one}


@check("2.2-01")
def availability_contexts(site: Site) -> None:
    flow = site.flow
    found = available(site)
    for id in flow.dimensions:
        seen = {row[id] for row in flow.rows if id in row}
        if id in found["values"] and flow.key == "*":
            expect(found["values"][id] == seen, f"{id}: {sorted(found['values'][id])[:5]}, not {sorted(seen)[:5]}")
    site.v2.get(f"/availability/*/{flow.agency}/{flow.id}", 400)
    site.v2.get("/availability", 400, 404)
    agency, id, version = flow.structure
    site.v2.get(f"/availability/datastructure/{agency}/{id}/{version.partition('+')[0]}", 200, 204)


@check("2.2-02")
def availability_filters(site: Site) -> None:
    id, values = various(site)
    some = [row for row in site.flow.rows if row.get(id) == values[0]]
    found = available(site, f"/{site.flow.key}", f"c[{id}]={values[0]}")
    expect(found["values"].get(id) == {values[0]}, f"c[{id}]={values[0]} leaves {found['values'].get(id)}")
    for other in site.flow.dimensions:
        if other in found["values"]:
            expect(found["values"][other] == {row[other] for row in some if other in row}, f"{other} under c[{id}]")
    site.v2.get(f"/availability/{site.flow.path}?updatedAfter=1990-01-01T00:00:00Z", 200, 204)
    site.v2.get(f"/availability/{site.flow.path}?reportingYearStartDay=--07-01", 200, 204)


@check("2.2-03")
def availability_references(site: Site) -> None:
    flow = site.flow
    found = available(site)["values"]
    for word in (
        "none",
        "codelist",
        "valuelist",
        "datastructure",
        "conceptscheme",
        "dataflow",
        "dataproviderscheme",
        "all",
        "codelist,dataflow",
    ):
        site.v2.get(f"/availability/{flow.path}?references={word}", Accept=JSON)
    reply = site.v2.get(f"/availability/{flow.path}?references=all", Accept=JSON)
    check_valid(reply)
    kinds = {one.kind for one in artefacts(reply)}
    expect({"DataStructure", "Dataflow", "ConceptScheme"} <= kinds, f"references=all gives {kinds}")
    for one in artefacts(reply):
        if one.kind == "Codelist" and one.is_partial:
            used = set().union(*found.values()) if found else set()
            parents = {code.get("parent") for code in one.raw.get("codes", [])}
            expect(set(one.items) <= used | parents, f"{one.name} has codes that do not occur")
            expect(parents - {None} <= set(one.items), f"{one.name} lacks parents")
    site.v2.get(f"/availability/{flow.path}?references=nonsense", 400)


@check("2.2-04")
def availability_modes(site: Site) -> None:
    id, values = various(site)
    exact = available(site, f"/{site.flow.key}", f"c[{id}]={values[0]}&mode=exact")["values"]
    more = available(site, f"/{site.flow.key}", f"c[{id}]={values[0]}&mode=available")["values"]
    expect(exact.get(id) == {values[0]}, f"mode=exact gives {exact.get(id)}")
    wanted = {row[id] for row in site.flow.rows if id in row}
    expect(more.get(id) == wanted, f"mode=available gives {more.get(id)}, {wanted} could be added")
    site.v2.get(f"/availability/{site.flow.path}?mode=perhaps", 400)


@check("2.2-05")
def availability_counts(site: Site) -> None:
    found = available(site, f"/{site.flow.key}")
    series, observations = found["counts"]
    expect(series == len(site.flow.keys), f"{series} series are told, {len(site.flow.keys)} are there")
    expect(
        observations == len(site.flow.rows), f"{observations} observations are told, {len(site.flow.rows)} are there"
    )
    if "seriesCount" in found["raw"]:
        expect("version" not in found["raw"], "a constraint of version 3.1 has no version")


@check("2.2-06")
def availability_components(site: Site) -> None:
    for id in (site.flow.dimensions[0], site.flow.dimensions[-1]):
        found = available(site, f"/{site.flow.key}/{id}")["values"]
        expect(set(found) == {id}, f"asked for {id}, got {set(found)}")
    both = f"{site.flow.dimensions[0]},{site.flow.dimensions[-1]}"
    expect(set(available(site, f"/{site.flow.key}/{both}")["values"]) == set(both.split(",")), f"asked for {both}")
    site.v2.get(f"/availability/{site.flow.path}/*/NO_SUCH", 422, 400)


@check("2.2-07")
def availability_types(site: Site) -> None:
    check_types(site, f"/availability/{site.flow.path}", STRUCTURE_TYPES, STRUCTURE_TYPES[0])
