"""Versions, negotiation, caching and status codes of SDMX-REST 2."""

from __future__ import annotations

import json
import re
from functools import cmp_to_key

from tests.conformance.checks_data import various
from tests.conformance.checks_structure import graph, one_flow
from tests.conformance.reading import rows
from tests.conformance.site import CSV, JSON, SDMX, Site
from tests.conformance.validity import check_valid
from tests.conformance.verdicts import check, expect, need

SEMANTIC = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?")


def parts(version: str) -> tuple[tuple[int, ...], list[str] | None]:
    """Numbers and extension of a version."""
    found = SEMANTIC.fullmatch(version)
    if found is None:
        return tuple(int(part) for part in version.split(".") if part.isdigit()), None
    return (int(found[1]), int(found[2]), int(found[3])), found[4].split(".") if found[4] else None


def compare(one: str, other: str) -> int:
    """The order of versions; an extension stands before what it extends."""
    (a, x), (b, y) = parts(one), parts(other)
    if a != b:
        return -1 if a < b else 1
    if x is None or y is None:
        return (x is None) - (y is None)
    left, right = ([(0, int(p), "") if p.isdigit() else (1, 0, p) for p in some] for some in (x, y))
    return (left > right) - (left < right)


def most_versions(site: Site) -> tuple[str, list[str]]:
    """The path of the artefact with most versions, and those in order."""
    found: dict[str, list[str]] = {}
    for word in ("codelist", "dataflow", "datastructure", "conceptscheme"):
        for one in site.structures(f"{word}/*/*/*?detail=allstubs", 200, 204, 404):
            found.setdefault(f"{word}/{one.agency}/{one.id}", []).append(one.version)
    need(found, "there are no structures")
    path = max(found, key=lambda name: (len(found[name]), name))
    return path, sorted(found[path], key=cmp_to_key(compare))


def versions(site: Site, path: str, expression: str) -> set[str]:
    """The versions that an expression finds."""
    return {one.version for one in site.structures(f"{path}/{expression}?detail=allstubs", 200, 204, 404)}


def stable(several: list[str]) -> list[str]:
    """The stable ones: semantic, without extension, from 1.0.0 on."""
    return [one for one in several if SEMANTIC.fullmatch(one) and "-" not in one and not one.startswith("0.")]


@check("2.8-01")
def latest_stable(site: Site) -> None:
    path, every = most_versions(site)
    found = stable(every)
    need(found, f"{path} has no stable version")
    last = found[-1]
    major, minor, _ = last.split(".")
    for expression in ("+", "+.0.0", "1+.0.0", f"{major}.+.0", f"{major}.{minor}.+", f"{major}.0+.0", f"{major}+.0.0"):
        expect(
            versions(site, path, expression) == {last},
            f"{path}/{expression}: {versions(site, path, expression)}, not {last}",
        )
    expect(versions(site, path, f"{int(major) + 1}+.0.0") == set(), "something is above the latest")


@check("2.8-02")
def latest_and_all(site: Site) -> None:
    path, every = most_versions(site)
    expect(versions(site, path, "*") == set(every), f"{path}/*: {versions(site, path, '*')}")
    expect(versions(site, path, "~") == {every[-1]}, f"{path}/~: {versions(site, path, '~')}, not {every[-1]}")
    semantic = [one for one in every if SEMANTIC.fullmatch(one)]
    if semantic:
        major = semantic[-1].split(".")[0]
        of_major = [one for one in semantic if one.split(".")[0] == major]
        expect(
            versions(site, path, f"{major}.~.0") == {of_major[-1]},
            f"{major}.~.0: {versions(site, path, f'{major}.~.0')}",
        )
        expect(
            versions(site, path, f"{major}.*.0") == set(of_major),
            f"{major}.*.0: {versions(site, path, f'{major}.*.0')}",
        )


@check("2.8-03")
def lists(site: Site) -> None:
    path, every = most_versions(site)
    need(len(every) > 1, "nothing has two versions")
    expect(
        versions(site, path, f"{every[0]},{every[-1]}") == {every[0], every[-1]},
        f"a list gives {versions(site, path, f'{every[0]},{every[-1]}')}",
    )
    expect(every[0] in versions(site, path, f"{every[0]},9+.0.0"), "a list with an expression loses a version")


VALID = ("1", "1.2", "1.2.3", "1.2.3-draft", "+", "~", "*", "+.0.0", "2.+.0", "2.3.+", "2+.3.1", "2.3+.1", "2.3.1+", "~.0", "~.0.0",
         "2.~", "2.~.0", "2.3.~", "2~.3", "2~.3.1", "2.3~", "2.3~.1", "2.3.1~", "*.0", "*.0.0", "2.*", "2.*.0", "2.3.*", "2*.3", "2*.3.1",
         "2.3*", "2.3*.1", "2.3.1*", "1.0.0-rc.1", "0.1.0")  # fmt: skip


@check("2.8-04")
def valid_forms(site: Site) -> None:
    path = one_flow(site).rpartition("/")[0]
    for expression in VALID:
        site.v2.get(f"/structure/{path}/{expression}?detail=allstubs", 200, 204, 404)


@check("2.8-05")
def two_and_three_parts(site: Site) -> None:
    path, every = most_versions(site)
    old = [one for one in every if not SEMANTIC.fullmatch(one)]
    expect(versions(site, path, "~.0") <= set(old), f"~.0 finds {versions(site, path, '~.0')}")
    expect(not versions(site, path, "~.0.0") & set(old), f"~.0.0 finds {versions(site, path, '~.0.0')}")


@check("2.8-06")
def invalid_forms(site: Site) -> None:
    path = one_flow(site).rpartition("/")[0]
    for expression in ("+.2.3", "1.+.3", "~.2", "*.2.3", "+.0", "2.3+", "3.2+.1+", "junk", "01.0.0"):
        site.v2.get(f"/structure/{path}/{expression}", 400)


@check("2.8-07")
def order_of_versions(site: Site) -> None:
    path, every = most_versions(site)
    need(len(every) > 1, "nothing has two versions")
    expect(versions(site, path, "~") == {every[-1]}, f"the latest of {every} is {versions(site, path, '~')}")
    if found := stable(every):
        expect(versions(site, path, "+") == {found[-1]}, f"the latest stable of {every} is {versions(site, path, '+')}")


@check("2.8-08")
def open_references(site: Site) -> None:
    flow = site.flow
    found = site.structures(f"dataflow/{flow.agency}/{flow.id}/{flow.version}?references=descendants")
    kinds = {one.kind for one in found}
    expect({"Dataflow", "DataStructure", "ConceptScheme"} <= kinds, f"descendants are {kinds}")
    expect(graph(site), "there are no structures")


# --- negotiation ----------------------------------------------------------------------------------------------------


@check("2.9-01")
def weights(site: Site) -> None:
    path = f"/data/{site.flow.path}/{site.flow.key}"
    csv, json_type, xml = (
        f"{SDMX}data+csv;version=2.1.0",
        f"{SDMX}data+json;version=2.1.0",
        f"{SDMX}data+xml;version=3.1.0",
    )
    for accept, wanted in (
        (f"{csv};q=0.5, {json_type};q=0.9", json_type), (f"{csv}, {json_type};q=0.9", csv), (f"text/html;q=0.9, {xml};q=0.1", xml),
        (f"{SDMX}data+xml;version=3.0+.0", xml), (f"{SDMX}data+json;version=2.0+.0", json_type), (csv.upper().replace("VERSION", "version"), csv),
        (f"{csv};q=0, */*", json_type), (f"{SDMX}data+csv;version=2+.0.0", csv),
    ):  # fmt: skip
        reply = site.v2.get(path, Accept=accept)
        expect(reply.type.partition(";labels")[0] == wanted, f"Accept: {accept} gives {reply.type}")


@check("2.9-02")
def no_match(site: Site) -> None:
    path = f"/data/{site.flow.path}/{site.flow.key}"
    site.v2.get(path, 406, Accept="image/png")
    site.v2.get(path, 406, Accept=f"{SDMX}data+csv;version=9.9.9")
    for accept in ("*/*", "text/html,application/xhtml+xml,*/*;q=0.8"):
        reply = site.v2.get(path, Accept=accept)
        expect("data+json" in reply.type, f"Accept: {accept} gives {reply.type}")
    if site.has_old:
        reply = site.old(f"/data/{site.old_flow}", Accept="*/*")
        expect("genericdata+xml" in reply.type, f"version 1 gives {reply.type}")


@check("2.9-03")
def languages(site: Site) -> None:
    path = f"/structure/{one_flow(site)}"
    every = json.loads(site.v2.get(path, Accept=JSON, Accept_Language="*").plain())["data"]["dataflows"][0]
    expect("names" in every, "Accept-Language: * gives no names")
    for language in list(every["names"])[:3]:
        reply = site.v2.get(path, Accept=JSON, Accept_Language=f"xx, {language};q=0.8")
        one = json.loads(reply.plain())["data"]["dataflows"][0]
        expect(one["name"] == every["names"][language], f"Accept-Language: {language} gives {one['name']!r}")


@check("2.9-04")
def compressed(site: Site) -> None:
    path = f"/data/{site.flow.path}/{site.flow.key}"
    plain = site.v2.get(path, Accept=CSV)
    vary = plain.headers.get("vary", "").lower()
    expect("accept" in [one.strip() for one in vary.split(",")], f"Vary is {vary!r}")
    reply = site.v2.get(path, Accept=CSV, Accept_Encoding="gzip")
    expect(reply.headers.get("content-encoding") == "gzip", "Accept-Encoding: gzip is not followed")
    expect(reply.plain() == plain.plain() or len(rows(reply)) == len(rows(plain)), "compressed, the answer is another")
    expect("charset" not in plain.type, f"{plain.type}: a charset breaks clients")


@check("2.9-05")
def unchanged(site: Site) -> None:
    path = f"/data/{site.flow.path}/{site.flow.key}"
    reply = site.v2.get(path, Accept=CSV)
    tag, moment = reply.headers.get("etag"), reply.headers.get("last-modified")
    expect(tag or moment, "there is neither ETag nor Last-Modified")
    if tag:
        site.v2.get(path, 304, Accept=CSV, If_None_Match=tag)
        site.v2.get(path, Accept=CSV, If_None_Match='"other"')
    if moment:
        site.v2.get(path, 304, Accept=CSV, If_Modified_Since=moment)
    site.v2.get(path, Accept=CSV, If_Modified_Since="Sat, 01 Jan 2000 00:00:00 GMT")
    site.v2.get(path, 200, 304, Accept=CSV, If_Modified_Since="Sat Jan 01 2000 00:00:00 GMT+0100 (CET)")


@check("2.9-07")
def liberal(site: Site) -> None:
    flow = site.flow
    reply = site.v2.get(f"/data/{flow.path}/{flow.key}", Accept=CSV, Origin="https://example.org")
    expect(reply.headers.get("access-control-allow-origin"), "no CORS header on data")
    error = site.v2.get("/data/nonsense", 400, Origin="https://example.org")
    expect(error.headers.get("access-control-allow-origin"), "no CORS header on an error")
    id, _ = various(site)
    nothing = site.v2.get(f"/data/{flow.path}?c[{id}]=NO_SUCH_CODE", 200, 204, 404, Accept=CSV)
    expect(not rows(nothing), "an unknown code finds something")
    site.expect_rows(f"c[{id}]=NO_SUCH_CODE,{flow.rows[0][id]}", lambda row: row.get(id) == flow.rows[0][id])


@check("2.9-08")
def parameters(site: Site) -> None:
    path = f"/data/{site.flow.path}/{site.flow.key}"
    for query, wanted in (("format=csvdata", "data+csv"), ("format=jsondata", "data+json"), ("format=structurespecificdata", "+xml"),
                          ("format=csvdata&formatVersion=2.0.0", "version=2.0.0")):  # fmt: skip
        reply = site.v2.get(f"{path}?{query}", Accept="*/*")
        expect(wanted in reply.type, f"{query} gives {reply.type}")
    reply = site.v2.get(f"{path}?compression=gzip&format=csvdata")
    expect(reply.headers.get("content-encoding") == "gzip", "compression=gzip is not followed")
    site.v2.get(f"{path}?format=nonsense", 406)
    found = json.loads(site.v2.get(f"/structure/{one_flow(site)}?lang=all&format=jsonstructure").plain())
    expect("names" in found["data"]["dataflows"][0], "lang=all gives no names")


# --- status ---------------------------------------------------------------------------------------------------------


@check("2.10-01")
def empty(site: Site) -> None:
    id, _ = various(site)
    site.v2.get(f"/data/{site.flow.path}?c[{id}]=NO_SUCH_CODE", 204, Accept=CSV)


@check("2.10-02")
def grammar(site: Site) -> None:
    for path in ("/data/nonsense", f"/data/{site.flow.path}?nonsense=1", f"/data/{site.flow.path}?limit=many", "/structure/nonsense",
                 f"/structure/{one_flow(site)}/X/Y/Z"):  # fmt: skip
        site.v2.get(path, 400)


@check("2.10-03")
def absent(site: Site) -> None:
    for path in (f"/data/dataflow/{site.flow.agency}/NO_SUCH_FLOW", f"/structure/codelist/{site.flow.agency}/NO_SUCH_LIST",
                 f"/availability/dataflow/{site.flow.agency}/NO_SUCH_FLOW"):  # fmt: skip
        site.v2.get(path, 404)


@check("2.10-04")
def meaningless(site: Site) -> None:
    path = f"/data/{site.flow.path}"
    for query in ("dimensionAtObservation=NO_SUCH", "attributes=NO_SUCH", "c[NO_SUCH]=A"):
        site.v2.get(f"{path}?{query}", 422)


@check("2.10-05")
def too_long(site: Site) -> None:
    long = "X" * 60_000
    reply = site.v2.ask(f"/data/{site.flow.path}?c[{site.flow.dimensions[0]}]={long}")
    expect(reply.status in (414, 400, 431, 200, 204), f"an address of 60,000 characters gives {reply.status}")
    expect(reply.status in (414, 200, 204), f"an address too long is 414, not {reply.status}")


@check("2.10-06")
def unauthorised(site: Site) -> None:
    reply = site.v2.ask("/structure", "POST", b"{}", Content_Type=f"{SDMX}structure+json;version=2.1.0")
    expect(reply.status in (401, 403, 405, 501), f"a change without a token gives {reply.status}")
    if reply.status in (405, 501):
        need(False, "structures cannot be changed there")


@check("2.10-07")
def error_bodies(site: Site) -> None:
    path = f"/structure/codelist/{site.flow.agency}/NO_SUCH_LIST"
    reply = site.v2.get(path, 404, Accept=f"{SDMX}structure+json;version=2.1.0")
    expect(json.loads(reply.plain()).get("errors"), f"no errors in {reply.text[:200]}")
    check_valid(reply)
    for version in ("3.1.0", "3.0.0"):
        reply = site.v2.get(path, 404, Accept=f"{SDMX}structure+xml;version={version}")
        expect("ErrorMessage" in reply.text, f"no ErrorMessage in {reply.text[:200]}")
        check_valid(reply)


@check("2.10-08")
def methods(site: Site) -> None:
    path = f"/data/{site.flow.path}/{site.flow.key}"
    plain = site.v2.get(path, Accept=CSV)
    head = site.v2.ask(path, "HEAD", Accept=CSV)
    expect((head.status, head.type, head.body) == (200, plain.type, b""), f"HEAD: {head.told()}")
    options = site.v2.ask(path, "OPTIONS", Origin="https://example.org", Access_Control_Request_Method="GET")
    expect(
        options.status in (200, 204) and options.headers.get("access-control-allow-methods"),
        f"OPTIONS: {options.told()}",
    )


@check("2.10-09")
def every_interface(site: Site) -> None:
    for path in (
        "/data",
        "/availability/dataflow",
        "/structure",
        "/schema/dataflow/A/B",
        "/metadata/metadataset",
        "/registration/id/X",
    ):
        reply = site.v2.ask(f"{path}?{'limit=1' if path == '/data' else ''}".rstrip("?"))
        expect(reply.status < 500 or reply.status == 501, reply.told())
        expect("html" not in reply.type, f"{path} answers a page")
