"""The formats: what is written, by the official schemas and against the rows that the service gave as CSV."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

from tests.conformance.checks_old import ML, expect_series, ready
from tests.conformance.reading import artefacts, rows
from tests.conformance.site import JSON, SDMX, Site
from tests.conformance.validity import check_valid
from tests.conformance.verdicts import CHECKS, check, expect, need, unseen


def data_path(site: Site) -> str:
    """The address of the part worked on."""
    return f"/data/{site.flow.path}/{site.flow.key}"


def figures(site: Site, media_type: str, query: str = "") -> Any:
    """A valid answer of a media type with every observation; the answer."""
    reply = site.v2.get(data_path(site) + (f"?{query}" if query else ""), Accept=SDMX + media_type)
    check_valid(reply)
    expect_series(site, rows(reply), site.flow.rows, f"{media_type} {query}")
    return reply


def numbers(site: Site, found: list[dict[str, str]]) -> None:
    """Not met unless the first measure has the same numbers."""
    if not site.flow.measures:
        return
    measure = site.flow.measures[0]
    wanted = {site.flow.identity(row): row.get(measure) for row in site.flow.rows}
    for row in found:
        value, due = row.get(measure, row.get("OBS_VALUE")), wanted.get(site.flow.identity(row))
        try:
            same = value == due or (value is not None and due is not None and float(value) == float(due))
        except ValueError:
            same = False
        expect(same, f"{site.flow.identity(row)}: {value!r}, {due!r} in CSV")


@check("4.1-01")
def ml_2_1_data(site: Site) -> None:
    ready(site)
    for kind in ("genericdata", "structurespecificdata"):
        for dimension in (None, "AllDimensions", site.flow.dimensions[-1]):
            query = f"?dimensionAtObservation={dimension}" if dimension else ""
            reply = site.old(f"/data/{site.old_flow}{query}", Accept=f"{SDMX}{kind}+xml;version=2.1")
            check_valid(reply)
            expect_series(site, rows(reply), site.flow.rows, f"{kind}{query}")
    need(site.flow.time, "the dataflow has no time")
    for kind in ("generictimeseriesdata", "structurespecifictimeseriesdata"):
        reply = site.old(f"/data/{site.old_flow}", Accept=f"{SDMX}{kind}+xml;version=2.1")
        check_valid(reply)
        expect_series(site, rows(reply), site.flow.rows, kind)
        numbers(site, rows(reply))


@check("4.1-02")
def ml_2_1_structures(site: Site) -> None:
    need(site.has_old, "there is no version 1")
    for word in ("datastructure", "codelist", "conceptscheme", "categoryscheme", "dataflow"):
        reply = site.old(f"/{word}/all/all/latest", 200, 404, Accept=ML)
        if reply.status == 200:
            check_valid(reply)


def ml_3(site: Site, version: str) -> None:
    """Data and structures of a version."""
    for query in ("", "dimensionAtObservation=AllDimensions", f"dimensionAtObservation={site.flow.dimensions[-1]}"):
        reply = figures(site, f"data+xml;version={version}.0", query)
        expect(f"v{version.replace('.', '_')}/" in reply.text[:2000], "another namespace")
        expect("<Ref" not in reply.text and ":Ref " not in reply.text, "references are URNs only")
        numbers(site, rows(reply))
    path = f"/structure/dataflow/{site.flow.agency}/{site.flow.id}/{site.flow.version}?references=all"
    reply = site.v2.get(path, Accept=f"{SDMX}structure+xml;version={version}.0")
    check_valid(reply)
    expect(artefacts(reply), "no structures")


@check("4.1-03")
def ml_3_0(site: Site) -> None:
    ml_3(site, "3.0")


@check("4.1-04")
def ml_3_1(site: Site) -> None:
    ml_3(site, "3.1")
    reply = site.v2.get(f"/availability/{site.flow.path}", Accept=f"{SDMX}structure+xml;version=3.1.0")
    check_valid(reply)
    expect("AvailabilityConstraint" in reply.text, "no AvailabilityConstraint")
    actions = set(re.findall(r'action="(\w+)"', figures(site, "data+xml;version=3.1.0").text))
    expect(not actions & {"Information", "Append"}, f"actions of the past: {actions}")


@check("4.1-05")
def marks(site: Site) -> None:
    measure = site.flow.measures[0] if site.flow.measures else ""
    marked = [row for row in site.flow.rows if row.get(measure) in ("NaN", "#N/A", "~")]
    need(marked, "no observation has a missing value")
    for media_type in ("data+json;version=2.1.0", "data+xml;version=3.1.0"):
        told = {
            site.flow.identity(row): row.get(measure)
            for row in rows(site.v2.get(data_path(site), Accept=SDMX + media_type))
        }
        for row in marked:
            expect(
                told.get(site.flow.identity(row)) == row[measure],
                f"{media_type}: {told.get(site.flow.identity(row))!r} for {row[measure]}",
            )


@check("4.2-01")
def json_1_0(site: Site) -> None:
    reply = site.v2.ask(data_path(site), Accept=f"{SDMX}data+json;version=1.0.0")
    if reply.status == 406 and site.has_old:
        reply = site.old(f"/data/{site.old_flow}", Accept=f"{SDMX}data+json;version=1.0.0")
    expect(reply.status == 200, reply.told())
    check_valid(reply)
    message = json.loads(reply.plain())
    expect("structure" in message["data"] and "structures" not in message["data"], "1.0 has one structure")
    expect_series(site, rows(reply), site.flow.rows, "JSON 1.0")


def json_2(site: Site, version: str) -> dict[str, Any]:
    """Data of a version as JSON."""
    reply = figures(site, f"data+json;version={version}.0")
    numbers(site, rows(reply))
    figures(site, f"data+json;version={version}.0", "dimensionAtObservation=AllDimensions")
    message: dict[str, Any] = json.loads(reply.plain())
    expect(all("structure" in one for one in message["data"]["dataSets"]), "a data set names no structure")
    return message


@check("4.2-02")
def json_2_0(site: Site) -> None:
    message = json_2(site, "2.0")
    expect(message.get("meta"), "no meta")


@check("4.2-03")
def json_2_1(site: Site) -> None:
    message = json_2(site, "2.1")
    expect("$schema" in message and "meta" in message, "no $schema or no meta")
    (structure,) = message["data"]["structures"]
    expect(
        any((link.get("urn") or "").startswith("urn:sdmx:") for link in structure.get("links", [])),
        "no link with the URN",
    )
    expect(structure.get("name"), "the structure has no name")
    for level in ("dataSet", "series", "observation"):
        for one in structure["dimensions"].get(level, []):
            if one["id"] == site.flow.time:
                expect(all("value" in value for value in one["values"]), "periods have ids and no values")


@check("4.2-04")
def json_numbers(site: Site) -> None:
    agency, id, version = site.flow.structure
    (structure,) = [
        one for one in site.structures(f"datastructure/{agency}/{id}/{version}") if one.kind == "DataStructure"
    ]
    measures = structure.raw["dataStructureComponents"]["measureList"]["measures"]
    types = {
        one["id"]: one.get("localRepresentation", {}).get("format", {}).get("dataType", "String") for one in measures
    }
    message = json.loads(figures(site, "data+json;version=2.1.0", "dimensionAtObservation=AllDimensions").plain())
    listed = message["data"]["structures"][0]["measures"]["observation"]
    number = {"Numeric", "Long", "Short", "Float", "Double", "Integer", "Count"}
    seen = 0
    for dataset in message["data"]["dataSets"]:
        for values in dataset.get("observations", {}).values():
            for one, value in zip(listed, values, strict=False):
                if value is None or "values" in one or value in ("NaN", "#N/A", "~"):
                    continue
                seen += 1
                is_number = isinstance(value, int | float)
                expect(is_number == (types[one["id"]] in number), f"{one['id']} ({types[one['id']]}) is {value!r}")
    need(seen, "no measure has plain values")


@check("4.2-05")
def json_structures(site: Site) -> None:
    path = f"/structure/dataflow/{site.flow.agency}/{site.flow.id}/{site.flow.version}?references=all"
    for version in ("2.1.0", "2.0.0", "1.0.0"):
        reply = site.v2.get(path, Accept=f"{SDMX}structure+json;version={version}")
        check_valid(reply)


def cells(reply: Any) -> list[list[str]]:
    """The cells of CSV."""
    return list(csv.reader(io.StringIO(reply.plain().decode(), newline=""), strict=True))


@check("4.3-01")
def csv_1_0(site: Site) -> None:
    ready(site)
    reply = site.old(f"/data/{site.old_flow}", Accept=f"{SDMX}data+csv;version=1.0.0")
    header, first, *_ = cells(reply)
    expect(
        header[0] == "DATAFLOW" and first[0] == f"{site.flow.agency}:{site.flow.id}({site.flow.version})",
        f"{header[0]}: {first[0]}",
    )
    expect(header[1 : len(site.flow.dimensions) + 1] == site.flow.dimensions, f"columns {header}")
    expect_series(site, rows(reply), site.flow.rows, "CSV 1.0")
    both = cells(site.old(f"/data/{site.old_flow}", Accept=f"{SDMX}data+csv;version=1.0.0;labels=both"))
    expect(": " in both[1][1] or ":" in both[0][1], "labels=both gives no names")


@check("4.3-02")
def csv_2_0(site: Site) -> None:
    reply = figures(site, "data+csv;version=2.0.0")
    header, first, *_ = cells(reply)
    expect(header[0].startswith("STRUCTURE") and header[1:3] == ["STRUCTURE_ID", "ACTION"], f"columns {header[:4]}")
    expect(first[0].lower() in ("dataflow", "datastructure", "dataprovision"), f"STRUCTURE is {first[0]}")
    expect(first[2] in ("I", "A", "R", "D"), f"ACTION is {first[2]}")
    expect(
        [one for one in header if one in site.flow.dimensions] == site.flow.dimensions, "dimensions are not in order"
    )
    for keys, column in (("obs", "OBS_KEY"), ("series", "SERIES_KEY"), ("both", "OBS_KEY")):
        told = cells(site.v2.get(data_path(site), Accept=f"{SDMX}data+csv;version=2.0.0;keys={keys}"))
        expect(column in told[0], f"keys={keys}: no {column}")
        place = told[0].index(column)
        expect(
            len({line[place] for line in told[1:]}) == len(site.flow.rows if column == "OBS_KEY" else site.flow.keys),
            f"{column} repeats",
        )


@check("4.3-03")
def separators(site: Site) -> None:
    reply = figures(site, "data+csv;version=2.1.0")
    header = cells(reply)[0]
    several = [one for one in header if one.endswith("]") and not one.startswith("STRUCTURE")]
    need(several, "no component has several values")
    expect(re.fullmatch(r"STRUCTURE\[.\]", header[0]), f"{several} and the first column is {header[0]}")


CHECKS["4.3-04"] = unseen("what is taken in; a service writes commas")


@check("4.3-05")
def labels(site: Site) -> None:
    plain = cells(site.v2.get(data_path(site), Accept=f"{SDMX}data+csv;version=2.1.0;labels=id"))
    named = cells(site.v2.get(data_path(site), Accept=f"{SDMX}data+csv;version=2.1.0;labels=name"))
    both = cells(site.v2.get(data_path(site), Accept=f"{SDMX}data+csv;version=2.1.0;labels=both"))
    expect(
        len(named[0]) > len(plain[0]) and "STRUCTURE_NAME" in named[0], f"labels=name has the columns {named[0][:6]}"
    )
    expect(len(both[0]) == len(plain[0]), f"labels=both has the columns {both[0][:6]}")
    expect(any(": " in one for one in both[0]), "labels=both has no names in its header")
    for time_format in ("original", "normalized"):
        site.v2.get(data_path(site), Accept=f"{SDMX}data+csv;version=2.1.0;timeFormat={time_format}")


@check("4.3-06")
def csv_2_1(site: Site) -> None:
    reply = figures(site, "data+csv;version=2.1.0")
    found = {line[2] for line in cells(reply)[1:]}
    expect(found <= {"M", "R", "D"}, f"actions {found}")
    numbers(site, rows(reply))


@check("4.6-01")
def leading_zeros(site: Site) -> None:
    flow = site.flow
    found = next(
        ((id, row[id]) for row in flow.rows for id in flow.dimensions if re.fullmatch(r"0\d+", row.get(id, ""))), None
    )
    need(found, "no code begins with a zero")
    assert found is not None
    id, code = found
    site.expect_rows(f"c[{id}]={code}", lambda row: row.get(id) == code)
    for media_type in ("data+json;version=2.1.0", "data+xml;version=3.1.0"):
        told = {row.get(id) for row in rows(site.v2.get(data_path(site), Accept=SDMX + media_type))}
        expect(code in told, f"{media_type} has no {code}")


CLASSES = re.compile(
    r"urn:sdmx:org\.sdmx\.infomodel\.(base|codelist|conceptscheme|datastructure|metadatastructure|categoryscheme|registry|structuremapping|"
    r"process|transformation)\.[A-Za-z]+=[A-Za-z][\w.-]*:[A-Za-z0-9_@$*-]+\([0-9A-Za-z.+*~-]+\)(\.[^\s\"]+)?"
)


@check("4.6-02")
def urns(site: Site) -> None:
    reply = site.v2.get(
        f"/structure/dataflow/{site.flow.agency}/{site.flow.id}/{site.flow.version}?references=all", Accept=JSON
    )
    found = set(_texts(json.loads(reply.plain())))
    told = [one for one in found if one.startswith("urn:sdmx:")]
    expect(told, "there are no URNs")
    wrong = [one for one in told if not CLASSES.fullmatch(one)]
    expect(not wrong, f"not in the standard's form: {wrong[:3]}")
    expect(not any("DataStructureDefinition=" in one for one in told), "the class is DataStructure")


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for one in node.values() if isinstance(node, dict) else node:
            yield from _texts(one)


@check("4.6-03")
def narrowing(site: Site) -> None:
    need(site.structures("dataconstraint", 200, 204, 404), "there is no data constraint")
    flow = site.flow
    whole = {
        one.name: set(one.items)
        for one in site.structures(f"dataflow/{flow.agency}/{flow.id}/{flow.version}?references=descendants")
    }
    below = site.structures("provisionagreement?references=descendants&detail=referencepartial", 200, 204, 404)
    for one in below:
        if one.name in whole and one.kind == "Codelist":
            expect(set(one.items) <= whole[one.name], f"{one.name} is wider under an agreement")


@check("4.6-04")
def extensions(site: Site) -> None:
    extended = [one for one in site.structures("codelist/*/*/*?detail=raw") if one.raw.get("codelistExtensions")]
    need(extended, "no codelist extends another")
    for one in extended[:5]:
        (full,) = site.structures(f"codelist/{one.agency}/{one.id}/{one.version}")
        expect("codelistExtensions" not in full.raw, f"{one.name}: an extension is not resolved")
        expect(len(full.items) >= len(one.items), f"{one.name} is smaller resolved")


for _id in ("4.7-01", "4.7-02", "4.7-03", "4.7-04", "4.7-05", "4.7-06"):
    CHECKS[_id] = unseen("what happens to what is taken in; no interface of the standard shows it")
