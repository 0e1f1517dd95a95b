"""The structures of senders' files, derived from the layouts and structure maps that read them.

A structure map leads from one structure to another, and the table that a sender has is described by no registry. So
each source of a structure map is written out as a small data structure: the columns that the layouts name and the maps
read, all of them text. A column that feeds a dimension is one; the others are attributes, that with the figures too,
since SDMX 2.1 knows no measure but ``OBS_VALUE``, which every structure has. The annotation ``SENDER_STRUCTURE`` tells
them from structures for data; no dataflow uses them.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from codelists.build import AGENCY, VERSION, maintained, message, named

HERE = Path(__file__).parent
TOP = HERE.parent
INFOMODEL = "urn:sdmx:org.sdmx.infomodel"
SCHEME = "CS_SENDERS"
CONCEPTS = f"{INFOMODEL}.conceptscheme.Concept={AGENCY}:{SCHEME}({VERSION})"
TIME, MEASURE = "TIME_PERIOD", "OBS_VALUE"
NAMED_GROUP = re.compile(r"\(\?P<(\w+)>")
NAMING_FIELDS = ("columns", "from_sheet", "from_cell", "fixed")
"""The fields of a layout's table whose own fields are names of columns."""


@dataclass(slots=True, kw_only=True)
class Sender:
    """What is known of one source structure; columns by role, in the order in which they were met."""

    reference: str
    layouts: dict[str, Any] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)

    def add(self, columns: Iterable[str], role: str) -> None:
        """Columns in a role; a dimension stays one."""
        for column in columns:
            if role == "dimension" or column not in self.roles:
                self.roles[column] = role

    def add_components(self) -> None:
        """The components of messages in this structure, as layouts list them, in the sender's order."""
        for layout in self.layouts.values():
            for form in layout.get("messages", []):
                if any(said.partition("(")[0] == self.reference.partition("(")[0] for said in form["structures"]):
                    self.add(form["dimensions"], "dimension")
                    self.add([*form.get("measures", []), *form.get("attributes", [])], "attribute")

    def of(self, role: str) -> list[str]:
        """The columns in a role."""
        return [column for column, found in self.roles.items() if found == role]


def dimensions_of_dataflows() -> dict[str, set[str]]:
    """Dataflow id -> the ids of its dimensions, as ``dsd/sources`` has them."""
    folder = TOP / "dsd"
    components = rows(folder / "sources" / "components.csv")
    found = {
        flow["dataflow"]: {
            one["component"]
            for one in components
            if one["structure"] in ("*", flow["structure"]) and one["role"] in ("dimension", "time")
        }
        for flow in rows(folder / "sources" / "dataflows.csv")
    }
    reused = rows(folder / "sdg" / "sources" / "components.csv")
    return found | {"DF_SDG_MIG": {one["component"] for one in reused if one["role"] in ("dimension", "time")}}


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def columns_of(layout: dict[str, Any]) -> Iterator[str]:
    """The names that a layout gives to columns."""
    for table in layout["tables"]:
        for name in NAMING_FIELDS:
            yield from table.get(name) or {}
        unpivot = table.get("unpivot") or {}
        yield from (unpivot[name] for name in ("name", "value") if isinstance(unpivot.get(name), str))
        yield from NAMED_GROUP.findall(json.dumps(table))
        for one in (*table.get("symbols", []), *unpivot.get("columns", [])):
            yield from one.get("set") or {}


def senders(messages: dict[Path, dict[str, Any]]) -> dict[str, Sender]:
    """The source structures of the structure maps in some messages, by URN."""
    keys = dimensions_of_dataflows()
    found: dict[str, Sender] = {}
    for path, content in messages.items():
        for one in content["data"].get("structureMaps", []):
            sender = found.setdefault(one["source"], Sender(reference=one["source"].partition("=")[2]))
            described = path.parent / "layout.json"
            if described.exists():
                sender.layouts[path.parent.name] = json.loads(described.read_text(encoding="utf-8"))
            sender.add_components()
            key = keys[re.findall(r"=[^:]+:(\w+)\(", one["target"])[0]]
            for part in one["componentMaps"]:
                targets = set(part["target"])
                sender.add(part["source"], "dimension" if targets & key else "attribute")
    for sender in found.values():
        for layout in sender.layouts.values():
            if not layout.get("messages"):
                sender.add(columns_of(layout), "attribute")
    return found


def component(column: str) -> dict[str, Any]:
    """A column as a component: text, but for the time dimension."""
    kind = "ObservationalTimePeriod" if column == TIME else "String"
    form = {"format": {"dataType": kind}}
    return {"id": column, "conceptIdentity": f"{CONCEPTS}.{column}", "localRepresentation": form}


def structure(sender: Sender) -> dict[str, Any]:
    """The data structure of a sender's files."""
    agency, id_, version = re.findall(r"^([^:]+):([^(]+)\(([^)]+)\)$", sender.reference)[0]
    dimensions = [column for column in sender.of("dimension") if column != TIME]
    lists: dict[str, Any] = {
        "dimensionList": {
            "id": "DimensionDescriptor",
            "dimensions": [component(column) | {"position": place} for place, column in enumerate(dimensions)],
        }
        | ({"timeDimension": component(TIME)} if TIME in sender.roles else {})
    }
    lists["measureList"] = {"id": "MeasureDescriptor", "measures": [component(MEASURE) | {"usage": "optional"}]}
    if attributes := [column for column in sender.of("attribute") if column != MEASURE]:
        said = {"usage": "optional", "attributeRelationship": {"observation": {}}}
        members = [component(column) | said for column in attributes]
        lists["attributeList"] = {"id": "AttributeDescriptor", "attributes": members}
    names = {
        tag: f"{word}{', '.join(one['names'].get(tag) or one['names']['en'] for one in sender.layouts.values()) or id_}"
        for tag, word in (("en", "Sender's file: "), ("fr", "Fichier d'un fournisseur : "))
    }
    whose = "" if agency == AGENCY else f" {sender.reference} is maintained by {agency}; this is no copy of it."
    about = f"The columns that mappings read in files of this kind, all of them text; for no data query.{whose}"
    note = {"type": "SENDER_STRUCTURE", "title": " ".join(sender.layouts)}
    return (
        maintained(id_, names, {"en": about})
        | {"agencyID": agency, "version": version, "annotations": [note]}
        | {"dataStructureComponents": lists}
    )


def messages_of(messages: dict[Path, dict[str, Any]]) -> dict[Path, dict[str, Any]]:
    """The message with the source structures of the structure maps in some messages."""
    found = senders(messages)
    structures = [structure(found[urn]) for urn in sorted(found)]
    columns = sorted({MEASURE, *(column for sender in found.values() for column in sender.roles)})
    names = {"en": "Columns of senders' files", "fr": "Colonnes des fichiers des fournisseurs"}
    members = [named(column, {"en": column, "fr": column}) for column in columns]
    scheme = maintained(SCHEME, names) | {"isPartial": False, "concepts": members}
    content = {"conceptSchemes": [scheme], "dataStructures": structures}
    return {HERE / "shared" / "senders.json": message("SENDERS", content)}
