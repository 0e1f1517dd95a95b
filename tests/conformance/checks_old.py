"""SDMX-REST 1.5 against the rows that version 2 gave."""

from __future__ import annotations

from lxml import etree

from tests.conformance.checks_data import various
from tests.conformance.reading import Row, artefacts, datasets, rows
from tests.conformance.site import SDMX, Site
from tests.conformance.validity import check_valid
from tests.conformance.verdicts import check, expect, need

RESOURCES = [
    "datastructure",
    "metadatastructure",
    "categoryscheme",
    "conceptscheme",
    "codelist",
    "hierarchicalcodelist",
    "organisationscheme",
    "agencyscheme",
    "dataproviderscheme",
    "dataconsumerscheme",
    "organisationunitscheme",
    "dataflow",
    "metadataflow",
    "reportingtaxonomy",
    "provisionagreement",
    "structureset",
    "process",
    "categorisation",
    "contentconstraint",
    "actualconstraint",
    "allowedconstraint",
    "attachmentconstraint",
    "transformationscheme",
    "rulesetscheme",
    "userdefinedoperatorscheme",
    "customtypescheme",
    "namepersonalisationscheme",
    "vtlmappingscheme",
    "structure",
]
CSV_1 = f"{SDMX}data+csv;version=1.0.0"
ML = f"{SDMX}structure+xml;version=2.1"


def old_rows(site: Site, key: str = "", query: str = "", *statuses: int) -> list[Row]:
    """Rows of version 1."""
    path = f"/data/{site.old_flow}" + (f"/{key}" if key else "") + (f"?{query}" if query else "")
    reply = site.old(path, *(statuses or (200, 404)), Accept=CSV_1)
    return rows(reply) if reply.status == 200 else []


def expect_series(site: Site, found: list[Row], wanted: list[Row], what: str) -> None:
    """Not met unless the observations are those."""
    got, due = sorted(map(site.flow.identity, found)), sorted(map(site.flow.identity, wanted))
    more, less = sorted(set(got) - set(due))[:1], sorted(set(due) - set(got))[:1]
    expect(got == due, f"{what}: {len(got)} observations, {len(due)} expected; unexpected {more}, missing {less}")


def ready(site: Site) -> None:
    """Not testable without version 1."""
    need(site.has_old, "there is no version 1")
    need(site.flow.key == "*", "the dataflow is too large to take whole")


@check("3.1-01")
def flows(site: Site) -> None:
    ready(site)
    flow = site.flow
    expect_series(site, old_rows(site), flow.rows, "three parts")
    for ref in (f"{flow.agency},{flow.id}", flow.id, f"{flow.agency},{flow.id},latest", f"all,{flow.id},latest"):
        site.old(f"/data/{ref}", Accept=CSV_1)
    site.old("/data/NO_SUCH_FLOW", 404)


@check("3.1-02")
def keys(site: Site) -> None:
    ready(site)
    flow = site.flow
    id, values = various(site)
    place = flow.dimensions.index(id)
    dots = ["" for _ in flow.dimensions]
    expect_series(site, old_rows(site, ".".join(dots)), flow.rows, "dots alone")
    expect_series(site, old_rows(site, "all"), flow.rows, "all")
    dots[place] = values[0]
    expect_series(
        site, old_rows(site, ".".join(dots)), [row for row in flow.rows if row.get(id) == values[0]], "one value"
    )
    dots[place] = f"{values[0]}+{values[-1]}"
    some = [row for row in flow.rows if row.get(id) in (values[0], values[-1])]
    expect_series(site, old_rows(site, ".".join(dots)), some, "two values")


@check("3.1-03")
def providers(site: Site) -> None:
    ready(site)
    expect_series(site, old_rows(site, "all/all"), site.flow.rows, "all providers")
    for one in site.structures("dataproviderscheme", 200, 204, 404)[:1]:
        if one.items:
            old_rows(site, f"all/{one.agency},{one.items[0]}")
            old_rows(site, f"all/{one.items[0]}")
            old_rows(site, f"all/{'+'.join(one.items[:2])}")
            return
    need(False, "there is no data provider")


@check("3.1-04")
def periods(site: Site) -> None:
    ready(site)
    time = site.flow.time or ""
    need(time, "the dataflow has no time")
    years = sorted({row[time][:4] for row in site.flow.rows})
    middle = years[len(years) // 2]
    for query, test in (
        (f"startPeriod={middle}", lambda year: year >= middle),
        (f"endPeriod={middle}", lambda year: year <= middle),
        (f"startPeriod={middle}-01&endPeriod={middle}-Q4", lambda year: year == middle),
    ):
        expect_series(site, old_rows(site, "", query), [row for row in site.flow.rows if test(row[time][:4])], query)
    site.old(f"/data/{site.old_flow}?startPeriod=yesterday", 400, 403)


@check("3.1-05")
def numbers(site: Site) -> None:
    ready(site)
    need(site.flow.time, "the dataflow has no time")
    expect(len(old_rows(site, "", "lastNObservations=1")) == len(site.flow.keys), "not one observation of each series")
    expect(len(old_rows(site, "", "firstNObservations=1")) == len(site.flow.keys), "not one observation of each series")
    expect(len(old_rows(site, "", "updatedAfter=1990-01-01T00:00:00Z")) >= len(site.flow.rows), "changes are missing")
    expect_series(site, old_rows(site, "", "includeHistory=false"), site.flow.rows, "includeHistory=false")


@check("3.1-06")
def numbers_in_periods(site: Site) -> None:
    ready(site)
    time = site.flow.time or ""
    need(time, "the dataflow has no time")
    years = sorted({row[time][:4] for row in site.flow.rows})
    within = [row for row in site.flow.rows if row[time][:4] <= years[len(years) // 2]]
    found = old_rows(site, "", f"endPeriod={years[len(years) // 2]}&lastNObservations=1")
    expect(len(found) == len({site.flow.identity(row)[:-1] for row in within}), f"{len(found)} observations")


@check("3.1-07")
def views(site: Site) -> None:
    ready(site)
    for dimension in (site.flow.time or "AllDimensions", site.flow.dimensions[-1], "AllDimensions"):
        reply = site.old(f"/data/{site.old_flow}?dimensionAtObservation={dimension}")
        check_valid(reply)
        expect(f'dimensionAtObservation="{dimension}"' in reply.text, f"{dimension} is not said in the header")
        expect_series(site, rows(reply), site.flow.rows, f"dimensionAtObservation={dimension}")


@check("3.1-08")
def details(site: Site) -> None:
    ready(site)
    for word in ("full", "dataonly", "serieskeysonly", "nodata"):
        reply = site.old(f"/data/{site.old_flow}?detail={word}")
        check_valid(reply)
        root = etree.fromstring(reply.plain())
        values = list(root.iter("{*}ObsValue"))
        attributes = {one.get("id") for some in root.iter("{*}Attributes") for one in some} - set(site.flow.measures)
        expect(bool(values) == (word in ("full", "dataonly")), f"detail={word}: {len(values)} values")
        expect(word in ("full", "nodata") or not attributes, f"detail={word}: attributes")
    site.old(f"/data/{site.old_flow}?detail=nonsense", 400)


@check("3.1-09")
def history(site: Site) -> None:
    ready(site)
    reply = site.old(f"/data/{site.old_flow}?includeHistory=true", Accept=f"{SDMX}genericdata+xml;version=2.1")
    check_valid(reply)
    found = datasets(reply)
    expect(any(one.valid_from or one.valid_to for one in found), "no data set says when it is valid")
    expect({one.action for one in found} <= {"Replace", "Append", "Delete", "Information"}, "other actions")


@check("3.1-10")
def metadata(site: Site) -> None:
    need(site.has_old, "there is no version 1")
    found = (
        artefacts(site.old("/metadataflow", 200, 404, Accept=ML))
        if site.v1.ask("/metadataflow", Accept=ML).status == 200
        else []
    )
    need(found, "there is no metadataflow")
    reply = site.old(f"/metadata/{found[0].agency},{found[0].id},{found[0].version}", 200, 404)
    if reply.status == 200:
        check_valid(reply)


@check("3.2-01")
def available(site: Site) -> None:
    ready(site)
    reply = site.old(f"/availableconstraint/{site.old_flow}", Accept=ML)
    check_valid(reply)
    root = etree.fromstring(reply.plain())
    (one,) = root.iter("{*}ContentConstraint")
    expect(one.get("type") == "Actual", f"the type is {one.get('type')}")
    notes = {note.get("id"): note.findtext("{*}AnnotationTitle") for note in one.iter("{*}Annotation")}
    expect(notes.get("series_count") == str(len(site.flow.keys)), f"series: {notes.get('series_count')}")
    expect(notes.get("obs_count") == str(len(site.flow.rows)), f"observations: {notes.get('obs_count')}")
    for id in site.flow.dimensions:
        told = {value.text for key in one.iter("{*}KeyValue") if key.get("id") == id for value in key.iter("{*}Value")}
        expect(told == {row[id] for row in site.flow.rows}, f"{id}: {sorted(told)[:5]}")
    reply = site.old(f"/availableconstraint/{site.old_flow}/all/all/{site.flow.dimensions[0]}", Accept=ML)
    ids = {key.get("id") for key in etree.fromstring(reply.plain()).iter("{*}KeyValue")}
    expect(ids == {site.flow.dimensions[0]}, f"one component: {ids}")
    for query in ("mode=available", "references=codelist", "references=all", "startPeriod=1900"):
        check_valid(site.old(f"/availableconstraint/{site.old_flow}?{query}", Accept=ML))


@check("3.3-01")
def resources(site: Site) -> None:
    need(site.has_old, "there is no version 1")
    for word in RESOURCES:
        reply = site.old(f"/{word}/all/all/latest?detail=allstubs", 200, 404, Accept=ML)
        if reply.status == 200:
            check_valid(reply)
    site.old("/nonsense", 400, 404)


@check("3.3-02")
def lists(site: Site) -> None:
    need(site.has_old, "there is no version 1")
    short = {one.name for one in artefacts(site.old("/codelist", Accept=ML))}
    long = {one.name for one in artefacts(site.old("/codelist/all/all/latest", Accept=ML))}
    expect(short == long, "the defaults are not all/all/latest")
    need(len(short) > 1, "there are not two codelists")
    (one, other) = artefacts(site.old("/codelist", Accept=ML))[:2]
    both = {
        found.name
        for found in artefacts(site.old(f"/codelist/{one.agency}+{other.agency}/{one.id}+{other.id}", Accept=ML))
    }
    expect({one.name, other.name} <= both, f"a list gives {both}")
    if one.items:
        (part,) = artefacts(site.old(f"/codelist/{one.agency}/{one.id}/{one.version}/{one.items[0]}", Accept=ML))
        expect(
            part.items == one.items[:1] and part.is_partial, f"one item: {part.items[:3]}, partial {part.is_partial}"
        )


@check("3.3-03")
def structure_details(site: Site) -> None:
    need(site.has_old, "there is no version 1")
    path = f"/dataflow/{site.flow.agency}/{site.flow.id}/{site.flow.version}"
    for word in (
        "full",
        "allstubs",
        "referencestubs",
        "allcompletestubs",
        "referencecompletestubs",
        "referencepartial",
    ):
        reply = site.old(f"{path}?detail={word}&references=children", Accept=ML)
        check_valid(reply)
        for one in artefacts(reply):
            stub = word.startswith("all") or (
                word.startswith("reference") and "stubs" in word and one.kind != "Dataflow"
            )
            expect(one.is_stub == stub, f"detail={word}: {one.name} is {'' if one.is_stub else 'no '}stub")
    for word in ("none", "parents", "parentsandsiblings", "children", "descendants", "all", "datastructure"):
        check_valid(site.old(f"{path}?references={word}", Accept=ML))
    for query in ("detail=raw", "references=ancestors", "references=nonsense"):
        site.old(f"{path}?{query}", 400, Accept=ML)


@check("3.4-01")
def schemas(site: Site) -> None:
    need(site.has_old, "there is no version 1")
    path = f"/schema/dataflow/{site.flow.agency}/{site.flow.id}/{site.flow.version}"
    for query in ("", "?dimensionAtObservation=AllDimensions", "?explicitMeasure=true"):
        reply = site.old(path + query, Accept=f"{SDMX}schema+xml;version=2.1")
        check_valid(reply)


def old_types(site: Site, path: str, types: tuple[str, ...]) -> None:
    """Each media type is answered as such, validly; the first is the default."""
    need(site.has_old, "there is no version 1")
    for media_type in types:
        reply = site.old(path, Accept=SDMX + media_type)
        expect(reply.type.partition(";labels")[0] == SDMX + media_type, f"asked for {media_type}, got {reply.type}")
        check_valid(reply)
    expect(site.old(path).type == SDMX + types[0], f"the default is {types[0]}, got {site.old(path).type}")


@check("3.5-01")
def structure_types(site: Site) -> None:
    path = f"/dataflow/{site.flow.agency}/{site.flow.id}/{site.flow.version}?references=children"
    old_types(site, path, ("structure+xml;version=2.1", "structure+json;version=1.0.0"))


@check("3.5-02")
def data_types(site: Site) -> None:
    ready(site)
    types = ("genericdata+xml;version=2.1", "structurespecificdata+xml;version=2.1", "generictimeseriesdata+xml;version=2.1",
             "structurespecifictimeseriesdata+xml;version=2.1", "data+json;version=1.0.0", "data+csv;version=1.0.0")  # fmt: skip
    old_types(site, f"/data/{site.old_flow}", types)
    for media_type in types:
        expect_series(
            site, rows(site.old(f"/data/{site.old_flow}", Accept=SDMX + media_type)), site.flow.rows, media_type
        )


@check("3.5-03")
def schema_types(site: Site) -> None:
    path = f"/schema/dataflow/{site.flow.agency}/{site.flow.id}/{site.flow.version}"
    old_types(site, path, ("schema+xml;version=2.1", "structure+xml;version=2.1", "structure+json;version=1.0.0"))


@check("3.6-01")
def errors(site: Site) -> None:
    need(site.has_old, "there is no version 1")
    for path, status, code in (
        (f"/codelist/{site.flow.agency}/NO_SUCH_LIST", 404, "100"),
        (f"/data/{site.old_flow}?detail=nonsense", 400, "140"),
        (f"/data/{site.old_flow}?dimensionAtObservation=NO_SUCH", 403, "150"),
    ):
        reply = site.old(path, status)
        check_valid(reply)
        expect(f'code="{code}"' in reply.text, f"{path}: code {code} expected in {reply.text[:250]}")
    id, _ = various(site)
    key = ".".join("NO_SUCH" if one == id else "" for one in site.flow.dimensions)
    site.old(f"/data/{site.old_flow}/{key}", 404)
