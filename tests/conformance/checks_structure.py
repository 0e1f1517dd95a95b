"""Structures, schemas, metadata, registrations and maintenance of SDMX-REST 2."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

from lxml import etree

from tests.conformance.checks_data import STRUCTURE_TYPES, check_types
from tests.conformance.client import Reply
from tests.conformance.reading import Artefact, artefacts, references
from tests.conformance.site import JSON, SDMX, Site
from tests.conformance.validity import check_valid
from tests.conformance.verdicts import NotBuiltError, NotMetError, check, expect, need

TYPES = [
    "datastructure",
    "metadatastructure",
    "categoryscheme",
    "conceptscheme",
    "codelist",
    "hierarchy",
    "hierarchyassociation",
    "valuelist",
    "agencyscheme",
    "dataproviderscheme",
    "metadataproviderscheme",
    "dataconsumerscheme",
    "organisationunitscheme",
    "dataflow",
    "metadataflow",
    "reportingtaxonomy",
    "provisionagreement",
    "metadataprovisionagreement",
    "structuremap",
    "representationmap",
    "conceptschememap",
    "categoryschememap",
    "organisationschememap",
    "reportingtaxonomymap",
    "process",
    "categorisation",
    "dataconstraint",
    "metadataconstraint",
    "transformationscheme",
    "rulesetscheme",
    "userdefinedoperatorscheme",
    "customtypescheme",
    "namepersonalisationscheme",
    "vtlmappingscheme",
]
SCHEMES = ("codelist", "conceptscheme", "categoryscheme", "agencyscheme", "dataproviderscheme")
DETAILS = (
    "full",
    "allstubs",
    "referencestubs",
    "allcompletestubs",
    "referencecompletestubs",
    "referencepartial",
    "raw",
)
FIXED = {"agencyscheme": "AGENCIES", "dataproviderscheme": "DATA_PROVIDERS", "dataconsumerscheme": "DATA_CONSUMERS",
         "metadataproviderscheme": "METADATA_PROVIDERS"}  # fmt: skip


def one_flow(site: Site) -> str:
    """The path of the dataflow worked on, or else of any."""
    found = site.flows
    need(found, "there is no dataflow")
    return f"dataflow/{found[0].agency}/{found[0].id}/{found[0].version}"


@check("2.3-01")
def types(site: Site) -> None:
    for word in TYPES:
        reply = site.v2.get(f"/structure/{word}?detail=allstubs", 200, 204, 404, Accept=JSON)
        if reply.status == 200:
            check_valid(reply)
    site.v2.get("/structure/nonsense", 400)
    site.v2.get(f"/structure/*/{site.flows[0].agency}?detail=allstubs", 200, 413, Accept=JSON)


@check("2.3-02")
def defaults(site: Site) -> None:
    latest: dict[tuple[str, str], int] = {}
    for one in site.structures("codelist?detail=allstubs"):
        latest[one.agency, one.id] = latest.get((one.agency, one.id), 0) + 1
    expect(all(count == 1 for count in latest.values()), "without a version, several versions of one codelist come")
    every = site.structures("codelist/*/*/*?detail=allstubs")
    expect(len(every) >= len(latest), "all versions are fewer than the latest")
    need(len(latest) > 1, "there are not two codelists")
    (agency, first), (other, second) = list(latest)[:2]
    found = {
        (one.agency, one.id) for one in site.structures(f"codelist/{agency},{other}/{first},{second}?detail=allstubs")
    }
    expect({(agency, first), (other, second)} <= found, f"a list gives {found}")


@check("2.3-03")
def items(site: Site) -> None:
    scheme = next((one for one in site.structures("codelist") if len(one.items) > 2), None)
    need(scheme, "no codelist has three codes")
    assert scheme is not None
    path = f"codelist/{scheme.agency}/{scheme.id}/{scheme.version}"
    (one,) = site.structures(f"{path}/{scheme.items[1]}")
    expect(one.items == [scheme.items[1]] and one.is_partial, f"one code: {one.items}, partial {one.is_partial}")
    (two,) = site.structures(f"{path}/{scheme.items[0]},{scheme.items[2]}")
    expect(set(two.items) == {scheme.items[0], scheme.items[2]}, f"two codes: {two.items}")
    site.v2.get(f"/structure/{path}/NO_SUCH_CODE", 404, 204)
    for nested in site.structures("categoryscheme", 200, 204, 404):
        deep = next((item for item in nested.items if "." in item), None)
        if deep is not None:
            (found,) = site.structures(f"categoryscheme/{nested.agency}/{nested.id}/{nested.version}/{deep}")
            way = {deep.rpartition(".")[0], deep}
            expect(
                way <= set(found.items) and all(deep.startswith(item) for item in found.items), f"{deep}: {found.items}"
            )
            return


@check("2.3-04")
def details(site: Site) -> None:
    path = one_flow(site)
    for word in DETAILS:
        found = site.structures(f"{path}?detail={word}&references=children")
        check_valid(site.v2.get(f"/structure/{path}?detail={word}&references=children", Accept=JSON))
        own = next(one for one in found if one.kind == "Dataflow")
        others = [one for one in found if one is not own]
        expect(
            own.is_stub == word.startswith("all"), f"detail={word}: the dataflow is {'' if own.is_stub else 'no '}stub"
        )
        stubs = [one.is_stub for one in others]
        expect(all(stubs) if "stubs" in word else not any(stubs), f"detail={word}: stubs {stubs}")
    site.v2.get(f"/structure/{path}?detail=nonsense", 400)


@check("2.3-05")
def stubs(site: Site) -> None:
    need(site.flows, "there is no dataflow")
    for word in ("codelist", "datastructure", "conceptscheme"):
        for one in site.structures(f"{word}?detail=allstubs", 200, 204, 404):
            expect(one.is_stub and not one.has_contents and not one.items, f"{one.name} is no stub")
            expect(not one.has_description, f"{one.name}: a plain stub has no description")
        whole = [one.name for one in site.structures(word, 200, 204, 404) if one.has_description]
        complete = {
            one.name for one in site.structures(f"{word}?detail=allcompletestubs", 200, 204, 404) if one.has_description
        }
        expect(set(whole) <= complete, f"complete stubs of {word} lack descriptions")


def graph(site: Site) -> dict[str, set[str]]:
    """What each artefact refers to, of everything there; references that are open count as the latest they fit."""
    every = [one for one in site.structures("*/*/*/*?detail=raw") if not one.is_stub]
    known = {one.name for one in every}
    by_home: dict[str, list[str]] = {}
    for one in every:
        by_home.setdefault(f"{one.agency}:{one.id}", []).append(one.name)

    def closed(name: str) -> set[str]:
        home, _, version = name.rstrip(")").partition("(")
        if name in known or not re.search(r"[+~*]", version):
            return {name} & known
        return {max(by_home[home])} if len(by_home.get(home, [])) == 1 else {f"?{home}"}

    return {one.name: set().union(*map(closed, references(one))) if references(one) else set() for one in every}


@check("2.3-06", "2.3-07")
def what_refers(site: Site) -> None:
    around = graph(site)
    tried = 0
    for word in (
        "dataflow",
        "datastructure",
        "codelist",
        "conceptscheme",
        "categoryscheme",
        "provisionagreement",
        "categorisation",
    ):
        for one in site.structures(f"{word}/*/*/*?detail=allstubs", 200, 204, 404)[:3]:
            children = around.get(one.name, set())
            parents = {name for name, refs in around.items() if one.name in refs}
            near = {*children, *parents, *(child for name in parents for child in around[name])}
            if any(name.startswith("?") for name in near):
                continue
            tried += 1
            path = f"{word}/{one.agency}/{one.id}/{one.version}"
            siblings = {child for name in parents for child in around[name]}
            for reference, wanted in (("none", set()), ("children", children), ("parents", parents), ("parentsandsiblings", parents | siblings),
                                      ("children,parents", children | parents)):  # fmt: skip
                found = {other.name for other in site.structures(f"{path}?references={reference}&detail=raw")} - {
                    one.name
                }
                expect(
                    found == wanted - {one.name},
                    f"{path}?references={reference}: {_difference(found, wanted - {one.name})}",
                )
            below = {other.name for other in site.structures(f"{path}?references=descendants&detail=raw")}
            every = {other.name for other in site.structures(f"{path}?references=all&detail=raw")}
            expect(
                children <= below and below | parents | siblings <= every | {one.name},
                f"{path}: all is not siblings and descendants",
            )
    need(tried, "no artefact has closed references")
    path = one_flow(site)
    for word in ("ancestors", "codelist", "datastructure,codelist"):
        site.structures(f"{path}?references={word}")
    kinds = {one.kind for one in site.structures(f"{path}?references=codelist")}
    expect(kinds <= {"Dataflow", "Codelist"}, f"references=codelist gives {kinds}")
    site.v2.get(f"/structure/{path}?references=nonsense", 400)
    partial = site.structures(f"{path}?references=descendants&detail=referencepartial")
    whole = {one.name: set(one.items) for one in site.structures(f"{path}?references=descendants")}
    for one in partial:
        expect(set(one.items) <= whole.get(one.name, set()), f"{one.name}: items that the whole has not")
        expect(
            one.is_partial or set(one.items) == whole.get(one.name, set()),
            f"{one.name} is cut and not marked as partial",
        )


def _difference(found: set[str], wanted: set[str]) -> str:
    return f"missing {sorted(wanted - found)[:3]}, too many {sorted(found - wanted)[:3]}"


@check("2.3-08")
def as_of(site: Site) -> None:
    path = one_flow(site)
    found = site.structures(f"{path}?asOf=2999-01-01T00:00:00Z")
    expect(len(found) == 1, "as of the far future, the dataflow is not there")
    expect(not site.structures(f"{path}?asOf=1950-01-01T00:00:00Z", 200, 204, 404), "in 1950 the dataflow was there")


@check("2.3-09")
def fixed(site: Site) -> None:
    seen = 0
    for word, id in FIXED.items():
        for one in site.structures(f"{word}?detail=allstubs", 200, 204, 404):
            seen += 1
            expect((one.id, one.version) == (id, "1.0"), f"{one.name}: a {word} is called {id}(1.0)")
            site.structures(f"{word}/{one.agency}/{id}/1.0")
    for one in site.structures("categorisation?detail=allstubs", 200, 204, 404):
        expect(one.version == "1.0", f"{one.name}: a categorisation has the version 1.0")
    need(seen, "there is no organisation scheme")


@check("2.3-10")
def other_items(site: Site) -> None:
    seen = 0
    for word in ("valuelist", "transformationscheme", "rulesetscheme", "vtlmappingscheme", "customtypescheme",
                 "namepersonalisationscheme", "userdefinedoperatorscheme"):  # fmt: skip
        for one in site.structures(word, 200, 204, 404)[:2]:
            for item in one.items[:2]:
                seen += 1
                written = "".join(char if char.isalnum() else f"%{ord(char):02X}" for char in item)
                reply = site.v2.get(f"/structure/{word}/{one.agency}/{one.id}/{one.version}/{written}", Accept=JSON)
                (found,) = artefacts(reply)
                expect(found.items == [item], f"{word} {item!r}: {found.items}")
    need(seen, "there are neither value lists nor VTL schemes")


@check("2.3-11")
def structure_types(site: Site) -> None:
    check_types(site, f"/structure/{one_flow(site)}?references=children", STRUCTURE_TYPES, STRUCTURE_TYPES[0])


# --- schemas --------------------------------------------------------------------------------------------------------

XSD, JSON_SCHEMA = f"{SDMX}schema+xml;version=3.1.0", f"{SDMX}schema+json;version=2.1.0"


def schema_path(site: Site) -> str:
    """The path of the schema of the dataflow worked on."""
    return f"/schema/{site.flow.path}"


@check("2.4-01")
def schema_contexts(site: Site) -> None:
    seen = 0
    for word in (
        "datastructure",
        "dataflow",
        "provisionagreement",
        "metadatastructure",
        "metadataflow",
        "metadataprovisionagreement",
    ):
        found = site.structures(f"{word}?detail=allstubs", 200, 204, 404)
        for one in found[:1]:
            wished = (
                f"{JSON_SCHEMA}, {XSD};q=0.9" if "metadata" in word else XSD
            )  # of metadata 3.x has no XML of its own
            reply = site.v2.get(f"/schema/{word}/{one.agency}/{one.id}/{one.version}", Accept=wished)
            check_valid(reply)
            seen += 1
    need(seen, "there is nothing to have a schema of")
    site.v2.get("/schema/nonsense/A/B", 400)
    site.v2.get(f"/schema/dataflow/{site.flow.agency}/NO_SUCH", 404)
    site.v2.get(f"/schema/dataflow/{site.flow.agency}", 400)


@check("2.4-02")
def schema_parameters(site: Site) -> None:
    path = schema_path(site)
    for query in (
        f"dimensionAtObservation={site.flow.dimensions[-1]}",
        "dimensionAtObservation=AllDimensions",
        "deletion=true",
    ):
        for media_type in (XSD, JSON_SCHEMA):
            check_valid(site.v2.get(f"{path}?{query}", Accept=media_type))
    site.v2.get(f"{path}?asOf=2999-01-01T00:00:00Z", Accept=XSD)
    site.v2.get(f"{path}?deletion=perhaps", 400)


@check("2.4-03")
def schema_codes(site: Site) -> None:
    reply = site.v2.get(schema_path(site), Accept=XSD)
    root = etree.fromstring(reply.plain())
    listed = [{one.get("value") for one in each.iter("{*}enumeration")} for each in root.iter("{*}restriction")]
    for id in site.flow.dimensions:
        values = {row[id] for row in site.flow.rows if id in row}
        others = [some for some in listed if some and values <= some]
        if others:
            return
    need(listed and any(listed), "no dimension is coded")
    raise NotMetError("no list of codes in the schema holds the codes that occur")


@check("2.4-04")
def schema_as_structures(site: Site) -> None:
    reply = site.v2.get(schema_path(site), Accept=JSON)
    check_valid(reply)
    kinds = {one.kind for one in artefacts(reply)}
    allowed = {"DataStructure", "Codelist", "ValueList", "ConceptScheme", "AgencyScheme", "DataConstraint"}
    expect("DataStructure" in kinds and kinds <= allowed, f"it holds {kinds}")


@check("2.4-05")
def schema_types(site: Site) -> None:
    wanted = ("schema+json;version=2.1.0", "schema+xml;version=3.1.0", "structure+json;version=2.1.0", "structure+xml;version=3.1.0",
              "schema+json;version=2.0.0", "schema+xml;version=3.0.0", "structure+json;version=2.0.0", "structure+xml;version=3.0.0")  # fmt: skip
    check_types(site, schema_path(site), wanted, wanted[0])


# --- reference metadata ---------------------------------------------------------------------------------------------

METADATA = f"{SDMX}metadata+json;version=2.1.0, {SDMX}metadata+json;version=2.0.0;q=0.9"


def metadata_sets(reply: Reply) -> list[dict[str, Any]]:
    """The metadata sets of an answer."""
    return json.loads(reply.plain()).get("data", {}).get("metadataSets", []) if reply.status == 200 else []


@check("2.5-01")
def metadata_by_set(site: Site) -> None:
    reply = site.v2.get("/metadata/metadataset", 200, 204, 404, Accept=METADATA)
    found = metadata_sets(reply)
    if reply.status == 200:
        check_valid(reply)
    need(found, "there are no metadata sets")
    one = found[0]
    path = f"/metadata/metadataset/{one['agencyID']}/{one['id']}/{one.get('version', '~')}"
    expect(len(metadata_sets(site.v2.get(path, Accept=METADATA))) == 1, f"{path} is not one set")


@check("2.5-02")
def metadata_by_flow(site: Site) -> None:
    found = site.structures("metadataflow?detail=allstubs", 200, 204, 404)
    need(found, "there is no metadataflow")
    for one in found[:5]:
        path = f"/metadata/metadataflow/{one.agency}/{one.id}/{one.version}"
        reply = site.v2.get(path, 200, 204, 404, Accept=METADATA)
        site.v2.get(f"{path}/*.*", 200, 204, 404, Accept=METADATA)
        if reply.status == 200:
            check_valid(reply)
            return


@check("2.5-03")
def metadata_by_structure(site: Site) -> None:
    for path in ("", "/dataflow", f"/{site.flow.path}", "/*/*/*/*"):
        reply = site.v2.get(f"/metadata/structure{path}", 200, 204, 404, Accept=METADATA)
        if reply.status == 200:
            check_valid(reply)
    site.v2.get("/metadata/structure/nonsense", 400)


@check("2.5-04")
def metadata_detail(site: Site) -> None:
    for word in ("full", "allstubs"):
        reply = site.v2.get(f"/metadata/metadataset?detail={word}", 200, 204, 404, Accept=METADATA)
        if word == "allstubs":
            said = [one for made in metadata_sets(reply) for one in made.get("attributes", ())]  # the schema wants some
            expect(not any("value" in one or "attributes" in one for one in said), "stubs have values")
    site.v2.get("/metadata/metadataset?detail=nonsense", 400)
    site.v2.get("/metadata/metadataset?asOf=2999-01-01T00:00:00Z", 200, 204, 404)


@check("2.5-05")
def metadata_types(site: Site) -> None:
    path = "/metadata/metadataset"
    reply = site.v2.get(path, 200, 204, 404, Accept=METADATA)
    need(reply.status == 200, "there are no metadata sets")
    wanted = ("metadata+json;version=2.1.0", "metadata+xml;version=3.1.0", "metadata+csv;version=2.1.0",
              "metadata+json;version=2.0.0", "metadata+xml;version=3.0.0", "metadata+csv;version=2.0.0")  # fmt: skip
    check_types(site, path, wanted, wanted[0])


@check("4.4-01")
def metadata_as_csv(site: Site) -> None:
    wished = f"{SDMX}metadata+csv;version=2.1.0"
    reply = site.v2.get("/metadata/metadataset", 200, 204, 404, Accept=wished)
    need(reply.status == 200, "there are no metadata sets")
    expect(reply.type == wished, f"asked for {wished}, got {reply.type}")
    check_valid(reply)
    header, *lines = csv.reader(io.StringIO(reply.plain().decode(), newline=""), strict=True)
    expect(header[0].startswith("MDSTRUCTURE"), f"the first column is {header[0]}")
    wanted = ["MDSTRUCTURE_ID", "METADATASET_ID"]
    expect([one for one in header if one in wanted] == wanted, f"columns {header}")
    told = {(line[header.index("METADATASET_ID")]) for line in lines}
    known = metadata_sets(site.v2.get("/metadata/metadataset", Accept=METADATA))
    expect(all(any(one["id"] in text for text in told) for one in known), f"sets {told}")


# --- registrations --------------------------------------------------------------------------------------------------

REGISTRY = f"{SDMX}registry+xml;version=3.1.0"


@check("2.6-01")
def registrations(site: Site) -> None:
    for path in (
        "/registration/id/NO_SUCH",
        "/registration/provider",
        "/registration/dataflow",
        f"/registration/{site.flow.path}",
    ):
        reply = site.v2.get(path, 200, 204, 404)
        if reply.status == 200:
            check_valid(reply)
            expect("QueryRegistrationResponse" in reply.text, f"{path}: no answer to a registration query")


@check("2.6-02")
def registration_lists(site: Site) -> None:
    for path in (
        "/registration/provider/*/*",
        f"/registration/*/{site.flow.agency},OTHER/*/*",
        "/registration/datastructure/*/*/*",
    ):
        site.v2.get(path, 200, 204, 404)
        site.v2.get(f"{path}?updatedAfter=1990-01-01T00:00:00Z&updatedBefore=2999-01-01T00:00:00Z", 200, 204, 404)
    site.v2.get("/registration/provider?updatedBefore=yesterday", 400)


@check("2.6-03")
def registration_types(site: Site) -> None:
    for version in ("3.1.0", "3.0.0"):
        reply = site.v2.get("/registration/provider", 200, 204, 404, Accept=f"{SDMX}registry+xml;version={version}")
        expect(reply.status != 200 or reply.type == f"{SDMX}registry+xml;version={version}", f"{version}: {reply.type}")
    site.v2.get("/registration/provider", 406, Accept=f"{SDMX}structure+json;version=2.1.0")


# --- maintenance ----------------------------------------------------------------------------------------------------

AGENCY, ID = "KIT", "CL_CONFORMANCE_KIT"


def _message(version: str, codes: dict[str, str], partial: bool = False) -> bytes:
    made = [{"id": id, "name": name, "names": {"en": name}} for id, name in codes.items()]
    urn = f"urn:sdmx:org.sdmx.infomodel.codelist.Codelist={AGENCY}:{ID}({version})"
    one = {"id": ID, "agencyID": AGENCY, "version": version, "name": "Kit", "names": {"en": "Kit"}, "isPartial": partial,
           "links": [{"rel": "self", "urn": urn}], "codes": made}  # fmt: skip
    meta = {"id": "KIT", "prepared": "2026-01-01T00:00:00Z", "sender": {"id": AGENCY}, "test": False}
    return json.dumps({"meta": meta, "data": {"codelists": [one]}}).encode()


def change(site: Site, method: str, path: str, body: bytes | None = None, *statuses: int) -> Reply:
    """A change, authorised; its answer must have one of the statuses."""
    need(site.token, "a token is needed")
    reply = site.v2.ask(path, method, body, True, Content_Type=f"{SDMX}structure+json;version=2.1.0")
    if reply.status == 501:
        raise NotBuiltError(reply.told())
    expect(reply.status in statuses, f"{' or '.join(map(str, statuses))} expected; {reply.told()}")
    return reply


def built(site: Site) -> None:
    """Ends the check with *not built* where changes of structures answer 501."""
    need(site.token, "a token is needed")
    reply = site.v2.ask("/structure", "POST", _message("1.0.0-draft", {"A": "a"}), True,
                        Content_Type=f"{SDMX}structure+json;version=2.1.0")  # fmt: skip
    if reply.status in (405, 501):
        raise NotBuiltError(reply.told())


def _kept(site: Site, version: str = "1.0.0-draft") -> Artefact | None:
    site.v2.forget()
    found = site.structures(f"codelist/{AGENCY}/{ID}/{version}", 200, 204, 404)
    return found[0] if found else None


@check("2.7-01", "2.7-05", "2.7-06")
def creation(site: Site) -> None:
    built(site)
    change(site, "DELETE", f"/structure/codelist/{AGENCY}/{ID}/1.0.0-draft", None, 200, 404)
    reply = change(site, "POST", "/structure", _message("1.0.0-draft", {"A": "a", "B": "b"}), 201, 200, 207)
    expect(
        "SubmitStructureResponse" in reply.text and "Success" in reply.text, f"no outcome is told: {reply.text[:200]}"
    )
    found = _kept(site)
    expect(found is not None and found.items == ["A", "B"], "what was created is not there")
    change(site, "POST", "/structure/dataflow", _message("1.0.0-draft", {"A": "a"}), 422, 400, 409)
    change(site, "POST", "/structure", b"{", 400)


@check("2.7-02")
def replacement(site: Site) -> None:
    built(site)
    path = f"/structure/codelist/{AGENCY}/{ID}/1.0.0-draft"
    change(site, "POST", "/structure", _message("1.0.0-draft", {"A": "a", "B": "b"}), 200, 201, 207)
    change(site, "PUT", path, _message("1.0.0-draft", {"C": "c"}), 200, 207)
    found = _kept(site)
    expect(found is not None and found.items == ["C"], f"after a replacement: {found and found.items}")
    change(
        site, "PUT", f"/structure/codelist/{AGENCY}/NO_SUCH/1.0.0-draft", _message("1.0.0-draft", {"C": "c"}), 404, 422
    )
    change(site, "PUT", path, _message("2.0.0-draft", {"C": "c"}), 422)


@check("2.7-03")
def merging(site: Site) -> None:
    built(site)
    path = f"/structure/codelist/{AGENCY}/{ID}/1.0.0-draft"
    change(site, "PUT", path, _message("1.0.0-draft", {"A": "a", "B": "b"}), 200, 201, 207)
    change(site, "PUT", path, _message("1.0.0-draft", {"B": "new", "C": "c"}, partial=True), 200, 207)
    found = _kept(site)
    expect(found is not None and found.items == ["A", "B", "C"], f"after a merge: {found and found.items}")


@check("2.7-04")
def deletion(site: Site) -> None:
    built(site)
    change(site, "POST", "/structure", _message("1.0.0-draft", {"A": "a", "B": "b"}), 200, 201, 207)
    path = f"/structure/codelist/{AGENCY}/{ID}/1.0.0-draft"
    change(site, "DELETE", f"{path}/B", None, 200)
    found = _kept(site)
    expect(found is not None and found.items == ["A"], f"after an item's deletion: {found and found.items}")
    change(site, "DELETE", path, None, 200)
    expect(_kept(site) is None, "what was deleted is there")
    change(site, "DELETE", path, None, 404)
    agency, id, version = site.flow.structure
    change(site, "DELETE", f"/structure/datastructure/{agency}/{id}/{version}", None, 409, 403)


@check("2.7-07")
def registry(site: Site) -> None:
    need(site.token, "a token is needed")
    for path in ("/registration", "/subscription"):
        reply = site.v2.ask(path, "POST", b"<x/>", True, Content_Type=REGISTRY)
        if reply.status == 501:
            raise NotBuiltError(reply.told())
        expect(reply.status in (400, 415, 422), f"nonsense is answered {reply.status}")
