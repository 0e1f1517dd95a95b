"""Hierarchies over the lists of areas and of ages, and their associations with the codelists.

A hierarchy says what a codelist's one tree cannot: a code under several parents, and from when until when. Members are
rows of ``sources/hierarchy_members.csv``; those of the M49 regions come from ``areas.csv``, those of the ages from
``ages.py``. A node has the id of its code where the code is a group, else parent and code (``EU15-40``), because an
id may occur only once in a hierarchy.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from codelists.ages import sums
from codelists.messages import AGENCY, INFOMODEL, LANGUAGES, VERSION, maintained, table, titles, words

NOT_IN_M49 = {"XK"}
INSIDE = {"831": "830", "832": "830"}
"""Areas that M49 lists below another area."""


def code_urn(codelist: str, code: str) -> str:
    """The URN of a code of a list of this agency; client libraries look it up by the exact version."""
    return f"{INFOMODEL}.codelist.Code={AGENCY}:{codelist}({VERSION}).{code}"


def node(
    codelist: str, id_: str, code: str, *, valid_from: str = "", valid_to: str = "", membership: str = ""
) -> dict[str, Any]:
    """A hierarchical code; dates are days, the last of which belongs to the validity."""
    made: dict[str, Any] = {"id": id_, "code": code_urn(codelist, code)}
    if membership:
        made["annotations"] = titles([("MEMBERSHIP", membership)])
    if valid_from:
        made["validFrom"] = f"{valid_from}T00:00:00Z"
    if valid_to:
        made["validTo"] = f"{valid_to}T23:59:59Z"
    return made


def with_children(parent: dict[str, Any], children: list[dict[str, Any]]) -> dict[str, Any]:
    """The node with its children, if there are any."""
    return parent | ({"hierarchicalCodes": children} if children else {})


class Regions:
    """The M49 tree of the list of areas."""

    def __init__(self) -> None:
        """Read the areas once."""
        self.rows = {row["code"]: row for row in table("areas")}
        self.below: dict[str, list[str]] = defaultdict(list)
        for code, row in self.rows.items():
            if row["kind"] in ("region", "area", "former") and code not in NOT_IN_M49:
                self.below[INSIDE.get(code, row["parent"])].append(code)

    def subtree(self, code: str, above: str = "") -> dict[str, Any]:
        """The node of an area or region with everything below it."""
        row = self.rows[code]
        id_ = code if row["kind"] == "region" or not above else f"{above}-{code}"
        made = node("CL_AREA_MIG", id_, code, valid_from=row["valid_from"], valid_to=row["valid_to"])
        return with_children(made, [self.subtree(child, code) for child in self.below[code]])


def m49(regions: Regions) -> list[dict[str, Any]]:
    """The geographic regions of M49 down to the areas, former areas with their dates."""
    return [regions.subtree("1")]


def members(hierarchy: str, regions: Regions) -> list[dict[str, Any]]:
    """The nodes of a hierarchy that is written out in ``hierarchy_members.csv``."""
    rows = [row for row in table("hierarchy_members") if row["hierarchy"] == hierarchy]
    below: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        below[row["parent"]].append(row)
    expanded: set[str] = set()

    def build(row: dict[str, str]) -> dict[str, Any]:
        code, parent = row["code"], row["parent"]
        if row["expand"]:
            return regions.subtree(code)
        is_group = code in below and code not in expanded
        id_ = code if is_group or not parent else f"{parent}-{code}"
        dates = {name: row[name] for name in ("valid_from", "valid_to", "membership")}
        made = node("CL_AREA_MIG", id_, code, **dates)
        if not is_group:
            return made
        expanded.add(code)
        return with_children(made, [build(child) for child in below[code]])

    return [build(row) for row in below[""]]


def age_sums() -> list[dict[str, Any]]:
    """Every age group with the groups or years that add up to it."""
    return [
        with_children(node("CL_AGE", group, group), [node("CL_AGE", f"{group}-{part}", part) for part in parts])
        for group, parts in sums()
    ]


def hierarchies() -> dict[str, dict[str, Any]]:
    """The content of each hierarchy message: the hierarchy and its association with the codelist."""
    regions = Regions()
    found = {}
    for row in table("hierarchies"):
        id_, codelist = row["hierarchy"], row["codelist"]
        texts = {"en": row["description"], "fr": row["description_fr"]}
        names = {tag: row[tag] for tag in LANGUAGES}
        nodes = age_sums() if id_ == "H_AGE" else m49(regions) if id_ == "H_AREA_M49" else members(id_, regions)
        header = maintained(id_, names, texts)
        header["annotations"] = [
            *titles([("STATUS", row["status"])]),
            words("SOURCE", row["source"], row["source_fr"]),
        ]
        linked = {"en": f"{row['en']}: hierarchy of {codelist}", "fr": f"{row['fr']} : hiérarchie de {codelist}"}
        association = maintained(f"HA_{id_[2:]}", linked)
        association |= {
            "linkedHierarchy": f"{INFOMODEL}.codelist.Hierarchy={AGENCY}:{id_}({VERSION})",
            "linkedObject": f"{INFOMODEL}.codelist.Codelist={AGENCY}:{codelist}({VERSION})",
        }
        found[id_] = {
            "hierarchies": [header | {"hasFormalLevels": False, "hierarchicalCodes": nodes}],
            "hierarchyAssociations": [association],
        }
    return found
