"""Write the data structures, dataflows, providers and provision agreements of this folder from ``sources/``.

Run it from the top of the project after a change of a table: ``python -m dsd.build``. What the service loads are the
JSON messages; ``docs/structures.md`` tells why they are as they are. The global SDG structure is in
``sdg/``, the structure of reference metadata in ``metadata/``.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from babel import Locale

from codelists.messages import AGENCY, LANGUAGES, maintained, message, named, write
from codelists.messages import table as codelist_table
from dsd.metadata import build as metadata
from dsd.sdg import build as sdg

HERE = Path(__file__).parent
LATE = "1.0+.0"
INFOMODEL = "urn:sdmx:org.sdmx.infomodel"
DESCRIPTORS = {
    "dimensionList": "DimensionDescriptor",
    "measureList": "MeasureDescriptor",
    "attributeList": "AttributeDescriptor",
}
LONGEST_TEXT = 4000
THEMES = "CS_MIG_THEMES"
BY_LINE = ("PROVISION_AGREEMENTS", "AREAS_OF_OFFICES", "METADATA_PROVIDERS")
"""Messages with one artefact on each line."""
NATIONAL = "NSO_"
"""How the ids of national statistical offices begin."""
FIRST = "1"
"""The place of national offices; ``sources/providers.csv`` has that of the others: 2 regional bodies, 3 agencies."""


def table(name: str) -> list[dict[str, str]]:
    """The rows of ``sources/<name>.csv``."""
    with (HERE / "sources" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def representation(text: str) -> dict[str, Any]:
    """A codelist or a data type as a local representation."""
    if text.startswith("CL_"):
        return {"enumeration": f"{INFOMODEL}.codelist.Codelist={AGENCY}:{text}({LATE})"}
    if text == "String":
        return {"format": {"dataType": "String", "maxLength": LONGEST_TEXT, "isMultiLingual": False}}
    return {"format": {"dataType": text}}


def component(row: dict[str, str]) -> dict[str, Any]:
    """What every component says: id, concept, representation."""
    concept = f"{INFOMODEL}.conceptscheme.Concept={AGENCY}:CS_MIG({LATE}).{row['component']}"
    local = representation(row["representation"])
    return {"id": row["component"], "conceptIdentity": concept, "localRepresentation": local}


def attribute(row: dict[str, str], key: list[str]) -> dict[str, Any]:
    """An attribute with its usage and attachment."""
    found = component(row)
    found["usage"] = "mandatory" if row["role"].startswith("mandatory") else "optional"
    found["attributeRelationship"] = {"dimensions": key} if row["role"].endswith("series") else {"observation": {}}
    return found


def structure(row: dict[str, str]) -> dict[str, Any]:
    """One data structure definition."""
    components = [found for found in table("components") if found["structure"] in ("*", row["structure"])]
    dimensions = [found for found in components if found["role"] == "dimension"]
    key = [found["component"] for found in dimensions]
    parts: dict[str, Any] = {
        "dimensionList": {
            "dimensions": [component(found) | {"position": n} for n, found in enumerate(dimensions)],
            "timeDimension": next(component(found) for found in components if found["role"] == "time"),
        },
        "measureList": {
            "measures": [component(found) | {"usage": "optional"} for found in components if found["role"] == "measure"]
        },
        "attributeList": {
            "attributes": [
                attribute(found, key)
                for found in components
                if "observation" in found["role"] or "series" in found["role"]
            ]
        },
    }
    lists = {name: {"id": DESCRIPTORS[name]} | content for name, content in parts.items()}
    about = {
        "en": "Proposed by this project: no official SDMX structure of the United Nations for these data was found",
        "fr": "Proposé par ce projet : aucune structure SDMX officielle des Nations Unies n'a été trouvée",
    }
    names = {"en": row["en"], "fr": row["fr"]}
    return maintained(row["structure"], names, about) | sdg.PROPOSAL | {"dataStructureComponents": lists}


def dataflows(structure_id: str) -> list[dict[str, Any]]:
    """The dataflows of a data structure."""
    urn = f"{INFOMODEL}.datastructure.DataStructure={AGENCY}:{structure_id}({LATE})"
    return [
        maintained(row["dataflow"], {"en": row["en"], "fr": row["fr"]}, {"en": row["description"]})
        | sdg.PROPOSAL
        | {"structure": urn}
        for row in table("dataflows")
        if row["structure"] == structure_id
    ]


def scheme(id_: str, agency: str, en: str, fr: str) -> dict[str, Any]:
    """An organisation scheme; its id and version are fixed by the standard."""
    names = {"en": en, "fr": fr}
    return named(id_, names) | {"agencyID": agency, "version": "1.0", "isExternalReference": False}


def providers() -> list[dict[str, Any]]:
    """International bodies, then one national statistical office per country or area, each with its place.

    Where several give a figure for the same key, the lowest place is shown unless somebody decides otherwise.
    """
    found = [
        named(row["provider"], {"en": row["en"], "fr": row["fr"]}) | {"annotations": [precedence(row["place"])]}
        for row in table("providers")
        if row["en"]
    ]
    fixed = {row["code"]: row for row in codelist_table("area_names")}

    territories = {tag: Locale(tag).territories for tag in LANGUAGES}
    for area in codelist_table("areas"):
        if area["kind"] != "area" or not area["iso3"]:
            continue
        english = area["en"]
        french = area["fr"] or fixed.get(area["code"], {}).get("fr") or territories["fr"][area["cldr"]]
        names = {"en": f"National statistical office: {english}", "fr": f"Office national de statistique : {french}"}
        note = {"type": "REF_AREA", "title": area["code"]}
        found.append(named(f"{NATIONAL}{area['iso3']}", names) | {"annotations": [note, precedence(FIRST)]})
    return found


def precedence(place: str) -> dict[str, str]:
    """The annotation that gives a provider its place."""
    return {"type": "PRECEDENCE", "title": place}


def unranked(provider: dict[str, Any]) -> dict[str, Any]:
    """A provider of metadata, of which there is no precedence."""
    notes = [note for note in provider["annotations"] if note["type"] != "PRECEDENCE"]
    rest = {name: value for name, value in provider.items() if name != "annotations"}
    return rest | ({"annotations": notes} if notes else {})


def agreements() -> list[dict[str, Any]]:
    """The provision agreements: international bodies for their own sets, national offices for every dataflow."""
    flows = {row["dataflow"]: row for row in (*table("dataflows"), sdg.DATAFLOW)}
    sets = {row["provider"]: row["dataflows"].split() for row in table("providers")}
    sets |= {provider["id"]: list(flows) for provider in providers() if provider["id"].startswith(NATIONAL)}
    return [
        maintained(f"PA_{provider}_{flow}", {tag: f"{provider}: {flows[flow][tag]}" for tag in ("en", "fr")})
        | {
            "dataflow": f"{INFOMODEL}.datastructure.Dataflow={AGENCY}:{flow}({LATE})",
            "dataProvider": f"{INFOMODEL}.base.DataProvider={AGENCY}:DATA_PROVIDERS(1.0).{provider}",
        }
        for provider, wanted in sets.items()
        for flow in wanted
    ]


def constraints() -> list[dict[str, Any]]:
    """Which codes a dataflow takes, where its structure allows more."""
    found = []
    for row in table("constraints"):
        flow = f"{INFOMODEL}.datastructure.Dataflow={AGENCY}:{row['dataflow']}({LATE})"
        values = [{"value": code} for code in row["codes"].split()]
        members = [{"id": component, "values": values} for component in row["components"].split()]
        region = {"include": True, "keyValues": members}
        content = {"role": "Allowed", "constraintAttachment": {"dataflows": [flow]}, "cubeRegions": [region]}
        found.append(maintained(row["constraint"], {"en": row["en"], "fr": row["fr"]}) | content)
    return found


def areas_of_offices() -> list[dict[str, Any]]:
    """What each national office may send: figures of its own country or area, under any of its agreements."""
    flows = [row["dataflow"] for row in (*table("dataflows"), sdg.DATAFLOW)]
    found = []
    for provider in providers():
        if not provider["id"].startswith(NATIONAL):
            continue
        area = provider["annotations"][0]["title"]
        agreed = f"{INFOMODEL}.registry.ProvisionAgreement={AGENCY}:PA_{provider['id']}"
        names = {
            "en": f"{provider['id']}: figures of area {area}",
            "fr": f"{provider['id']} : chiffres de la zone {area}",
        }
        region = {"include": True, "keyValues": [{"id": "REF_AREA", "values": [{"value": area}]}]}
        attachment = {"provisionAgreements": [f"{agreed}_{flow}({LATE})" for flow in flows]}
        content = {"role": "Allowed", "constraintAttachment": attachment, "cubeRegions": [region]}
        found.append(maintained(f"CON_{provider['id']}", names) | content)
    return found


def themes() -> dict[str, Any]:
    """The themes as a category scheme, and a categorisation per dataflow (always 1.0 from SDMX 3.1 on)."""
    rows = table("themes")
    flows = {row["dataflow"]: row for row in (*table("dataflows"), sdg.DATAFLOW)}
    names = {"en": "Themes of migration statistics", "fr": "Thèmes des statistiques de migration"}
    members = [named(row["theme"], {"en": row["en"], "fr": row["fr"]}) for row in rows]
    categorisations = [
        maintained(f"CAT_{flow}", {tag: f"{flows[flow][tag]}: {row[tag]}" for tag in ("en", "fr")})
        | {
            "version": "1.0",
            "source": f"{INFOMODEL}.datastructure.Dataflow={AGENCY}:{flow}({LATE})",
            "target": f"{INFOMODEL}.categoryscheme.Category={AGENCY}:{THEMES}({LATE}).{row['theme']}",
        }
        for row in rows
        for flow in row["dataflows"].split()
    ]
    scheme_of_themes = maintained(THEMES, names) | sdg.PROPOSAL | {"isPartial": False, "categories": members}
    return {"categorySchemes": [scheme_of_themes], "categorisations": categorisations}


def messages() -> dict[Path, dict[str, Any]]:
    """Every message of this folder by its path."""
    found: dict[str, dict[str, Any]] = {
        row["structure"]: {"dataStructures": [structure(row)], "dataflows": dataflows(row["structure"])}
        for row in table("structures")
    }
    agencies = scheme("AGENCIES", "SDMX", "Agencies", "Agences") | {
        "isPartial": True,
        "agencies": [named(row["agency"], {"en": row["en"], "fr": row["fr"]}) for row in table("agencies")],
    }
    partners = scheme("DATA_PROVIDERS", AGENCY, "Data providers", "Fournisseurs de données")
    found["AGENCIES"] = {"agencySchemes": [agencies]}
    found["DATA_PROVIDERS"] = {"dataProviderSchemes": [partners | {"isPartial": False, "dataProviders": providers()}]}
    found["THEMES"] = themes()
    found["CONSTRAINTS"] = {"dataConstraints": constraints()}
    found["PROVISION_AGREEMENTS"] = {"provisionAgreements": agreements()}
    found["AREAS_OF_OFFICES"] = {"dataConstraints": areas_of_offices()}
    return (
        {HERE / f"{name}.json": message(name, content) for name, content in found.items()}
        | sdg.messages()
        | metadata.messages([unranked(provider) for provider in providers()])
    )


def write_lines(path: Path, content: dict[str, Any]) -> None:
    """Write a message with many small artefacts, one on each line."""
    meta = json.dumps(content["meta"], ensure_ascii=False)
    parts = []
    for kind, members in content["data"].items():
        written = ",\n".join(json.dumps(member, ensure_ascii=False, separators=(",", ":")) for member in members)
        parts.append(f'"{kind}": [\n{written}\n]')
    path.write_text(f'{{"meta": {meta},\n"data": {{{", ".join(parts)}}}}}\n', encoding="utf-8")


if __name__ == "__main__":
    for path, content in messages().items():
        (write_lines if path.stem in BY_LINE else write)(path, content)
