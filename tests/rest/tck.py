"""The requests of the official test kit (``shared/tck``) as plain requests: filled, sent, and judged.

Templates are filled with artefacts of ``every_type``; a request is met by the status its row expects and a body that
the official schema holds valid. 404 and 501 do not count, whatever the kit itself counts.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from lxml import etree

from sdmx_service.model.structure import DataStructure
from tests.conformance.validity import faults_of
from tests.harness import House
from tests.rest.reading_back import faults

DATA = {
    "agency": "SEA", "id": "DF_CATCH", "version": "1.0.0", "d1": "M", "d2": "NOR", "d2b": "007", "d3": "COD", "dimId": "PORT",
    "n": "2", "start": "2023-12-01", "end": "2024-12-31", "provider1": "HARBOUR", "provider2": "COAST",
}  # fmt: skip

HOMES = {
    "datastructure": "DSD_HONEY", "metadatastructure": "MSD_QUALITY", "categoryscheme": "TOPICS", "conceptscheme": "CS_BEES",
    "codelist": "CL_FLOWER", "hierarchy": "H_WORLD", "hierarchyassociation": "HA_WORLD", "valuelist": "VL_COLOUR", "dataflow": "DF_HONEY",
    "metadataflow": "MDF_QUALITY", "reportingtaxonomy": "YEARBOOK", "provisionagreement": "PA_HONEY", "metadataprovisionagreement": "MPA_QUALITY",
    "structuremap": "SM_HONEY", "representationmap": "RM_REGION", "conceptschememap": "CSM_BEES", "categoryschememap": "CTM_TOPICS",
    "organisationschememap": "OSM", "reportingtaxonomymap": "RTM", "process": "P_HARVEST", "dataconstraint": "DC_HONEY",
    "metadataconstraint": "MC_QUALITY", "hierarchicalcodelist": "H_WORLD", "structureset": "CSM_BEES", "contentconstraint": "DC_HONEY",
    "allowedconstraint": "DC_HONEY", "actualconstraint": "CON_SEEN", "attachmentconstraint": "ATTACHED", "structure": "CL_FLOWER",
    "organisationunitscheme": "UNITS", "organisationscheme": "UNITS", "agencyscheme": "AGENCIES", "dataproviderscheme": "DATA_PROVIDERS",
    "dataconsumerscheme": "DATA_CONSUMERS", "metadataproviderscheme": "METADATA_PROVIDERS", "categorisation": "CAT_HONEY",
}  # fmt: skip
"""The artefact of ``every_type`` that stands for each resource."""
AGENCIES = {"agencyscheme": "SDMX", "actualconstraint": "SEA"}
"""Its agency, where that is not BEES."""
MUST = re.compile(":(PA|H)_")
"""Artefacts of which a schema wants some contents even in a stub: agreements in 2.1, hierarchies in 3.x."""
UNVERSIONED = ("agencyscheme", "dataproviderscheme", "dataconsumerscheme", "metadataproviderscheme", "organisationunitscheme",
               "organisationscheme", "categorisation")  # fmt: skip
ITEMS = {
    "categoryscheme": "HONEY.SUMMER", "conceptscheme": "REGION", "codelist": "LIME", "reportingtaxonomy": "PART_1.TABLE_1", "valuelist": "1%2C5",
    "agencyscheme": "SEA", "dataproviderscheme": "HIVES", "dataconsumerscheme": "BAKERS", "organisationunitscheme": "LAB",
    "hierarchicalcodelist": "H_WORLD", "metadataproviderscheme": "HIVES", "organisationscheme": "LAB",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table, filled; ``path`` begins with the interface."""

    api: str
    number: int
    index: str
    category: str
    resource: str
    path: str
    accept: str
    headers: dict[str, str]
    expectation: str
    note: str

    @property
    def name(self) -> str:
        """What identifies the row."""
        return f"{self.api} {self.number}"


def rows(shared: Path) -> Iterator[Row]:
    """All rows of both versions of the kit."""
    with (shared / "tck" / "tck_requests.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield Row(
                row["api"], int(row["no"]), row["index"], row["category"], row["resource"], f"{row['api'][:2]}{_filled(row)}" if row["path_template"] else "",
                row["accept"], json.loads(row["headers"] or "{}"), row["expectation"], row["note"],
            )  # fmt: skip


def _filled(row: dict[str, str]) -> str:
    values = dict(DATA)
    resource = row["path_template"].split("/")[2] if row["index"] == "Schema" else row["resource"]
    if row["index"] != "Data" and row["path_template"]:
        values |= {
            "agency": AGENCIES.get(resource, "BEES"),
            "id": HOMES[resource],
            "version": "1.0" if resource in UNVERSIONED else "1.0.0",
            "itemId": ITEMS.get(resource, ""),
            "dimId": "REGION",
        }
    return re.sub(r"\{(\w+)\}", lambda name: values[name[1]], row["path_template"])


def expected_status(row: Row) -> int:
    """The status that a row expects."""
    if row.accept == "invalid representation query":
        return 406
    return 304 if "If-Modified-Since" in row.headers else 200


@dataclass(slots=True)
class Kit:
    """Sends rows to a house; equal bodies are judged once."""

    house: House
    structures: tuple[DataStructure, ...]
    judged: dict[tuple[str, bytes], list[str]] = field(default_factory=dict)
    graphs: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    answered: dict[tuple[Any, ...], tuple[int, dict[str, str], bytes]] = field(default_factory=dict)

    def answer(self, row: Row) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body."""
        names = {name.lower().replace("-", "_"): _header(name, value) for name, value in row.headers.items()}
        asked = (row.path, row.accept, *sorted(names.items()))
        if asked not in self.answered:
            found = self.house.get(row.path, row.accept or None, **names)
            self.answered[asked] = (found.status, found.headers, b"".join(found.chunks))
        return self.answered[asked]

    def problem(self, row: Row) -> str | None:
        """Why a row is not met, None if it is."""
        if not row.path:
            return f"no request: {row.note}"
        status, headers, body = self.answer(row)
        if status != expected_status(row):
            return f"{status}: {body.decode(errors='replace')[:400]}"
        if status != 200:
            return None
        media_type = headers["Content-Type"]
        if "Content-Type equals" in row.expectation and media_type not in row.accept:
            return f"Content-Type {media_type}"
        if row.headers.get("Accept-Encoding") == "gzip":
            if headers.get("Content-Encoding") != "gzip":
                return "not compressed"
            body = gzip.decompress(body)
        place = (media_type, hashlib.sha256(body).digest())
        if place not in self.judged:
            self.judged[place] = self._faults(media_type, body)
        found = self.judged[place]
        return "; ".join(found)[:400] or self._misses(row, media_type, body)

    def _misses(self, row: Row, media_type: str, body: bytes) -> str | None:
        """What a valid answer lacks of what its row expects."""
        if row.index == "Schema":
            return None if "schema+" in media_type else f"a schema is expected, not {media_type}"
        if row.index != "Structure" or row.category == "Structure Query Representation":
            return None
        sent = _sent(body)
        if row.category == "Structure Reference Parameter Tests":
            return _wrong_references(row, set(sent), self.graph(row.path[:2], row.resource))
        if "detail=" in row.path:
            return _wrong_detail(row, sent)
        return None

    def graph(self, api: str, resource: str) -> dict[str, set[str]]:
        """What each artefact refers to, read from the service's whole content."""
        if api not in self.graphs:
            path = "v2/structure/*/*/*/*?detail=raw" if api == "v2" else "v1/structure/all/all/all"
            refs = _references(self.house.body(path, None))
            known = set(refs)
            if api == "v1":  # maps are in structure sets, which come only to whoever asks for them
                sets = _references(self.house.body("v1/structureset/all/all/all", None))
                self.graphs["structureset"] = {one: some & known for one, some in (refs | sets).items()}
            self.graphs[api] = {one: some & known - {one} for one, some in refs.items()}
        return self.graphs["structureset" if resource == "structureset" else api]

    def _faults(self, media_type: str, body: bytes) -> list[str]:
        if "schema+" in media_type:
            return faults_of(media_type, body)
        try:
            return faults(media_type.replace("version=1.0.0", "version=1.0"), body, self.structures)
        except Exception as error:  # noqa: BLE001 - whatever a body that cannot be read does
            return [f"{type(error).__name__}: {error}"]


def _header(name: str, value: str) -> str:
    if value == "<now>":
        return format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    return value


# --- what was sent, read with json and lxml alone; an artefact is ``AGENCY:ID(VERSION)`` -----------------------------

_URN = re.compile(r"urn:sdmx:[\w.]+=([^)]*\))")
_CONTENTS = ("codes", "concepts", "categories", "dataStructureComponents", "structure", "valueItems", "processSteps",
             "metadataStructureComponents", "transformations", "hierarchicalCodes")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sent:
    """An artefact of an answer: marked as a stub, and whether it has contents."""

    is_stub: bool
    has_contents: bool


def _artefacts(body: bytes) -> Iterator[tuple[str, Any]]:
    if body.startswith(b"{"):
        for several in json.loads(body)["data"].values():
            for one in several:
                if "links" in one:  # what is there (an availability constraint) has no identity
                    yield _identity_of(next(link["urn"] for link in one["links"] if link["rel"] == "self")), one
        return
    for container in etree.fromstring(body).iterfind("{*}Structures/*"):
        for one in container:
            yield _identity_of(one.get("urn")), one


def _identity_of(urn: str) -> str:
    return urn.partition("=")[2]


def _sent(body: bytes) -> dict[str, Sent]:
    found = {}
    for name, one in _artefacts(body):
        if isinstance(one, dict):
            found[name] = Sent(bool(one.get("isExternalReference")), any(key in one for key in _CONTENTS))
        else:
            plain = {"Annotations", "Name", "Description"}
            has_contents = any(etree.QName(child).localname not in plain for child in one)
            found[name] = Sent(one.get("isExternalReference") == "true", has_contents)
    return found


def _references(body: bytes) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, one in _artefacts(body):
        if isinstance(one, dict):
            found[name] = set(_URN.findall(json.dumps({key: value for key, value in one.items() if key != "links"})))
            continue
        refs = found.setdefault(name, set())
        for ref in one.iter("{*}Ref", "Ref"):
            if ref.get("agencyID"):
                id = ref.get("maintainableParentID") or ref.get("id")
                version = ref.get("maintainableParentVersion") or ref.get("version") or "1.0"
                refs.add(f"{ref.get('agencyID')}:{id}({version})")
    return found


def _closure(start: set[str], graph: dict[str, set[str]]) -> set[str]:
    found, frontier = set(), set(start)
    while frontier:
        frontier = {child for one in frontier for child in graph.get(one, ())} - found
        found |= frontier
    return found


def _own(row: Row) -> str:
    parts = row.path.partition("?")[0].split("/")
    return f"{parts[-3]}:{parts[-2]}({parts[-1]})"


def _wrong_references(row: Row, sent: set[str], graph: dict[str, set[str]]) -> str | None:
    asked = re.search(r"references=(\w+)", row.path)
    word = asked[1] if asked else "none"
    own = _own(row)
    children = graph.get(own, set())
    parents = {one for one, refs in graph.items() if own in refs}
    siblings = {child for one in parents for child in graph[one]}
    expected = {
        "none": set(), "parents": parents, "children": children, "parentsandsiblings": parents | siblings,
        "descendants": _closure({own}, graph), "all": parents | siblings | _closure({own}, graph),
    }.get(word)  # fmt: skip
    if expected is None:
        return None
    expected = expected | {own}
    if sent == expected:
        return None
    return f"missing {sorted(expected - sent)}, too many {sorted(sent - expected)}"


def _wrong_detail(row: Row, sent: dict[str, Sent]) -> str | None:
    if "detail=all" in row.path:
        wrong = [name for name, one in sent.items() if not one.is_stub or (one.has_contents and not MUST.search(name))]
        return f"no stubs: {wrong}" if wrong else None
    own = sent.get(_own(row))
    if own is None:
        return f"the artefact asked for is not there: {sent}"
    others = [one for one in sent.values() if one is not own]
    if own.is_stub or any(one.is_stub != ("detail=reference" in row.path and "stubs" in row.path) for one in others):
        return f"stubs where none should be, or the other way round: {sent}"
    return None
