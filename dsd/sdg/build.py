"""Write the global SDG structure ``IAEG-SDGs:SDG(1.4)`` with its lists and concepts, and the migration profile of it.

``dsd.build`` writes these messages together with its own. The tables in ``sources/`` hold facts of the structure
that the SDG registry published (prepared 2021-04-20): agencies, ids, versions, order, hierarchy, names and annotations,
all unchanged. Descriptions are not carried: those of the SDG lists repeat the names. ``migration_series.csv`` says
which series the profile keeps: those about migration, and those that the draft global content constraints of
2021-07-26 let be broken down by migratory status.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from codelists.messages import AGENCY, PREPARED, SCHEMA, VERSION, maintained, named

HERE = Path(__file__).parent
OWNER = "IAEG-SDGs"
INFOMODEL = "urn:sdmx:org.sdmx.infomodel"
LISTS = f"{INFOMODEL}.codelist.Codelist"
STRUCTURE = f"{INFOMODEL}.datastructure.DataStructure={OWNER}:SDG(1.4)"
CONCEPTS = f"{INFOMODEL}.conceptscheme.Concept={OWNER}:SDG_CONCEPTS(1.0)"
BREAKDOWNS = f"{LISTS}={OWNER}:CL_COMP_BREAKDOWN(1.4)"
FINER_BREAKDOWNS = "CL_COMP_BREAKDOWN_MIG"
CUSTOM_CODES = 999
DATAFLOW = {
    "dataflow": "DF_SDG_MIG",
    "en": "SDG indicators on migration and by migratory status",
    "fr": "Indicateurs ODD sur la migration et par statut migratoire",
}
MIGRATORY_STATUS = "MS_"


def table(name: str) -> list[dict[str, str]]:
    """The rows of ``sources/<name>.csv``."""
    with (HERE / "sources" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def note(type_: str, text: str, title: str = "") -> dict[str, Any]:
    """An annotation with an English text."""
    return {"type": type_, "text": text, "texts": {"en": text}} | ({"title": title} if title else {})


def carried(agency: str, id_: str, version: str, name: str) -> dict[str, Any]:
    """The properties of an artefact of another agency, with its source."""
    source = f"Facts of {agency}:{id_}({version}) as published with IAEG-SDGs:SDG(1.4) on 2021-04-20; no descriptions"
    owned = {"agencyID": agency, "version": version, "isExternalReference": False}
    return named(id_, {"en": name}) | owned | {"annotations": [note("SOURCE", source)]}


def series() -> list[dict[str, Any]]:
    """The codes of CL_SERIES with the indicators they belong to."""
    titles = {row["indicator_code"]: row["title"] for row in table("indicators")}
    codes = []
    for place, row in enumerate(table("series"), start=1):
        notes = [note("Indicator", indicator, "Indicator") for indicator in row["indicators"].split()]
        if row["indicator_code"]:
            title = row["title"] or titles[row["indicator_code"]]
            notes += [note("IndicatorCode", row["indicator_code"], "IndicatorCode")]
            notes += [note("IndicatorTitle", title, "IndicatorTitle")]
        if row["retired"]:
            notes += [note("RetiredSeries", row["retired"], "RetiredSeries")]
        codes.append(named(row["code"], {"en": row["en"]}) | {"annotations": [*notes, note("ORDER", str(10 * place))]})
    return codes


def custom_breakdowns() -> list[dict[str, Any]]:
    """The codes of CL_CUST_BREAKDOWN: no breakdown, then numbers for a sender's own labels."""
    numbered = [named(f"C{n:02}", {"en": f"Custom code {n:02}"}) for n in range(1, CUSTOM_CODES + 1)]
    return [named("_T", {"en": "No breakdown"}), *numbered]


def plain(list_id: str) -> list[dict[str, Any]]:
    """The codes of a list that is written out in ``sources/codes.csv``."""
    return [
        named(row["code"], {"en": row["en"]}) | ({"parent": row["parent"]} if row["parent"] else {})
        for row in table("codes")
        if row["list"] == list_id
    ]


def codelists() -> list[dict[str, Any]]:
    """The codelists of the structure."""
    made = {"CL_SERIES": series, "CL_CUST_BREAKDOWN": custom_breakdowns}
    return [
        carried(row["agency"], row["list"], row["version"], row["en"])
        | {"isPartial": False, "codes": made[row["list"]]() if row["list"] in made else plain(row["list"])}
        for row in table("lists")
    ]


def concepts() -> dict[str, Any]:
    """The concept scheme of the structure."""
    members = [
        named(row["concept"], {"en": row["en"]})
        | ({"coreRepresentation": {"format": {"dataType": row["representation"]}}} if row["representation"] else {})
        for row in table("concepts")
    ]
    return carried(OWNER, "SDG_CONCEPTS", "1.0", "SDG Concept Scheme") | {"isPartial": False, "concepts": members}


def component(row: dict[str, str]) -> dict[str, Any]:
    """What every component says: id, concept and, unless it has none of its own, representation."""
    found: dict[str, Any] = {"id": row["component"], "conceptIdentity": f"{CONCEPTS}.{row['component']}"}
    text = row["representation"]
    if ":" in text:
        return found | {"localRepresentation": {"enumeration": f"{LISTS}={text}"}}
    return found | ({"localRepresentation": {"format": {"dataType": text}}} if text else {})


def structure() -> dict[str, Any]:
    """The data structure definition."""
    rows = table("components")
    dimensions = [row for row in rows if row["role"] == "dimension"]
    key = [row["component"] for row in dimensions]
    attributes = []
    for row in rows:
        usage, _, level = row["role"].rpartition(" ")
        if level in ("series", "observation"):
            relation: dict[str, Any] = {"dimensions": key} if level == "series" else {"observation": {}}
            said = {"usage": usage or "optional", "attributeRelationship": relation}
            attributes.append(component(row) | said)
    lists = {
        "dimensionList": {
            "id": "DimensionDescriptor",
            "dimensions": [component(row) | {"position": place} for place, row in enumerate(dimensions)],
            "timeDimension": next(component(row) for row in rows if row["role"] == "time"),
        },
        "measureList": {
            "id": "MeasureDescriptor",
            "measures": [component(row) | {"usage": "optional"} for row in rows if row["role"] == "measure"],
        },
        "attributeList": {"id": "AttributeDescriptor", "attributes": attributes},
    }
    return carried(OWNER, "SDG", "1.4", "SDG DSD") | {"dataStructureComponents": lists}


def profile() -> dict[str, Any]:
    """The dataflow of the migration profile and its constraint."""
    flow = maintained(
        DATAFLOW["dataflow"],
        {tag: DATAFLOW[tag] for tag in ("en", "fr")},
        {
            "en": "Series of the global SDG structure that are about migration, or that may be broken down by "
            "migratory status (draft global content constraints of July 2021: where a breakdown is permitted, no "
            "list of priorities)"
        },
    ) | {"structure": STRUCTURE}
    rows = table("migration_series")
    breakdowns = {code for row in rows for code in row["breakdowns"].split()}
    ordered = [code["id"] for code in plain("CL_COMP_BREAKDOWN") if code["id"] in breakdowns]
    narrowed = {"SERIES": [row["series"] for row in rows], "COMPOSITE_BREAKDOWN": ordered}
    members = [{"id": id_, "values": [{"value": code} for code in codes]} for id_, codes in narrowed.items()]
    constraint = maintained(
        "CON_DF_SDG_MIG",
        {
            "en": "Series on migration or by migratory status, with the breakdowns these need",
            "fr": "Séries sur la migration ou par statut migratoire, avec les ventilations nécessaires",
        },
    ) | {
        "role": "Allowed",
        "constraintAttachment": {"dataflows": [f"{INFOMODEL}.datastructure.Dataflow={AGENCY}:DF_SDG_MIG(1.0+.0)"]},
        "cubeRegions": [{"include": True, "keyValues": members}],
    }
    return {"dataflows": [flow], "dataConstraints": [constraint]}


def finer_breakdowns() -> dict[str, Any]:
    """The list that adds finer migratory statuses to the global one, and the map back."""
    rows = table("finer_statuses")
    proposed = "proposed by this project; every code maps back to a global one by RM_MIGRATORY_STATUS_SDG"
    codes = [
        named(row["code"], {"en": row["en"], "fr": row["fr"]}) | ({"parent": row["parent"]} if row["parent"] else {})
        for row in rows
    ]
    names = {
        "en": "SDG composite breakdown with finer migratory status",
        "fr": "Ventilation composite des ODD avec statut migratoire plus fin",
    }
    extended = maintained(FINER_BREAKDOWNS, names, {"en": f"IAEG-SDGs:CL_COMP_BREAKDOWN(1.4) and codes {proposed}"}) | {
        "isPartial": False,
        "codes": codes,
        "codelistExtensions": [{"codelist": BREAKDOWNS}],
    }
    mapped = [
        {"sourceValues": [{"value": row["code"]}], "targetValues": [row["global"]]}
        | ({"annotations": [{"type": "NOTE", "title": row["note"]}]} if row["note"] else {})
        for row in rows
    ]
    same = [
        {"sourceValues": [{"value": code["id"]}], "targetValues": [code["id"]]}
        for code in plain("CL_COMP_BREAKDOWN")
        if code["id"] == "_T" or code["id"].startswith(MIGRATORY_STATUS)
    ]
    back = maintained(
        "RM_MIGRATORY_STATUS_SDG", {"en": "Finer migratory status to the codes of the global SDG list (proposed)"}
    ) | {
        "source": [{"codelist": f"{LISTS}={AGENCY}:{FINER_BREAKDOWNS}({VERSION})"}],
        "target": [{"codelist": BREAKDOWNS}],
        "representationMappings": same + mapped,
    }
    return {"codelists": [extended], "representationMaps": [back]}


def message(id_: str, data: dict[str, Any], languages: tuple[str, ...] = ("en",)) -> dict[str, Any]:
    """An SDMX-JSON 2.0 structure message around ``data``."""
    meta = {"schema": SCHEMA, "id": id_, "test": False, "prepared": PREPARED, "contentLanguages": list(languages)}
    return {"meta": meta | {"sender": {"id": AGENCY}}, "data": data}


def messages() -> dict[Path, dict[str, Any]]:
    """Every message of this folder by its path."""
    found = {one["id"]: message(one["id"], {"codelists": [one]}) for one in codelists()}
    found["SDG"] = message("SDG", {"conceptSchemes": [concepts()], "dataStructures": [structure()]})
    found["DF_SDG_MIG"] = message("DF_SDG_MIG", profile() | finer_breakdowns(), ("en", "fr"))
    return {HERE / f"{name}.json": content for name, content in found.items()}
