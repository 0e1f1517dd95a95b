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
from tests.harness import House
from tests.rest.reading_back import faults

DATA = {
    "agency": "SEA", "id": "DF_CATCH", "version": "1.0.0", "d1": "M", "d2": "NOR", "d2b": "007", "d3": "COD", "dimId": "PORT",
    "n": "2", "start": "2023-12-01", "end": "2024-12-31", "provider1": "HARBOUR", "provider2": "COAST",
}  # fmt: skip

HOMES = {
    "datastructure": "DSD_CATCH", "metadatastructure": "MSD", "categoryscheme": "TOPICS", "conceptscheme": "CS_SEA", "codelist": "CL_FISH",
    "hierarchy": "H_FISH", "hierarchyassociation": "HA_FISH", "valuelist": "VL_PRICE", "dataflow": "DF_CATCH", "metadataflow": "MDF",
    "reportingtaxonomy": "BOOK", "provisionagreement": "PA_CATCH_HARBOUR", "metadataprovisionagreement": "MPA", "structuremap": "SM",
    "representationmap": "RM", "conceptschememap": "MAP_CONCEPTSCHEME", "categoryschememap": "MAP_CATEGORYSCHEME",
    "organisationschememap": "MAP_ORGANISATIONUNITSCHEME", "reportingtaxonomymap": "MAP_REPORTINGTAXONOMY", "process": "P_COUNT",
    "dataconstraint": "CON_CATCH", "metadataconstraint": "MCON", "hierarchicalcodelist": "H_FISH", "structureset": "MAP_CONCEPTSCHEME",
    "contentconstraint": "CON_CATCH", "allowedconstraint": "CON_CATCH", "actualconstraint": "CON_SEEN", "structure": "CL_FISH",
    "organisationunitscheme": "UNITS", "organisationscheme": "UNITS", "agencyscheme": "AGENCIES", "dataproviderscheme": "DATA_PROVIDERS",
    "dataconsumerscheme": "DATA_CONSUMERS", "metadataproviderscheme": "METADATA_PROVIDERS", "categorisation": "C_CATCH",
    "attachmentconstraint": "ATTACHED",
}  # fmt: skip
"""The artefact of ``every_type`` that stands for each resource."""

UNVERSIONED = ("agencyscheme", "dataproviderscheme", "dataconsumerscheme", "metadataproviderscheme", "organisationunitscheme",
               "organisationscheme", "categorisation")  # fmt: skip
ITEMS = {
    "categoryscheme": "WATER.CATCH", "conceptscheme": "PORT", "codelist": "COD", "reportingtaxonomy": "YEARS.PAGE", "valuelist": "%24%201",
    "agencyscheme": "DEEP", "dataproviderscheme": "HARBOUR", "dataconsumerscheme": "MARKET", "organisationunitscheme": "CREW",
    "hierarchicalcodelist": "H_FISH", "metadataproviderscheme": "HARBOUR", "organisationscheme": "CREW",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table, filled; ``path`` begins with the interface."""

    api: str
    number: int
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
                row["api"], int(row["no"]), row["resource"], f"{row['api'][:2]}{_filled(row)}" if row["path_template"] else "",
                row["accept"], json.loads(row["headers"] or "{}"), row["expectation"], row["note"],
            )  # fmt: skip


def _filled(row: dict[str, str]) -> str:
    values = dict(DATA)
    if row["index"] == "Structure":
        resource = row["resource"]
        values |= {
            "id": HOMES[resource],
            "version": "1.0" if resource in UNVERSIONED else "1.0.0",
            "itemId": ITEMS.get(resource, ""),
        }
        if resource == "agencyscheme":
            values["agency"] = "SEA"
    elif row["index"] == "Schema":
        context = row["path_template"].split("/")[2]
        values["id"] = HOMES[context]
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
        place = (type, hashlib.sha256(body).digest())
        if place not in self.judged:
            self.judged[place] = self._faults(type, body)
        found = self.judged[place]
        return "; ".join(found)[:400] or None

    def _faults(self, media_type: str, body: bytes) -> list[str]:
        if "schema+xml" in media_type:
            try:
                etree.XMLSchema(etree.fromstring(body))
            except etree.XMLSchemaParseError as error:
                return [str(error)]
            return []
        try:
            return faults(media_type.replace("version=1.0.0", "version=1.0"), body, self.structures)
        except Exception as error:  # noqa: BLE001 - whatever a body that cannot be read does
            return [f"{type(error).__name__}: {error}"]


def _header(name: str, value: str) -> str:
    if value == "<now>":
        return format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
    return value
