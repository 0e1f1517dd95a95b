"""Write the structure of reference metadata ``MSD_MIG``: headings of ESMS and a part about migration.

``dsd.build`` writes these messages together with its own. Ids of the headings are those of the SDMX cross-domain
concepts that Eurostat's ESMS uses; names and definitions are in our own words. The part ``MIGRATION`` is a proposal of
this project after the metadata sheet of the United Nations population questionnaire.

``METADATA_SETS`` are reference metadata of the sources of the demonstration data, from their publications.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from codelists.messages import AGENCY, VERSION, maintained, message, named
from dsd.sdg.build import PROPOSAL

HERE = Path(__file__).parent
LATE = "1.0+.0"
INFOMODEL = "urn:sdmx:org.sdmx.infomodel"
SCHEME, STRUCTURE, FLOW = "CS_MIG_META", "MSD_MIG", "MDF_MIG"
SDG_FLOW = "MDF_SDG_MIG"
TARGETS = (
    f"{INFOMODEL}.datastructure.Dataflow={AGENCY}:*(*)",
    f"{INFOMODEL}.registry.ProvisionAgreement={AGENCY}:*(*)",
)
"""What a sheet may be about: a dataflow as a whole, or what one provider sends for it."""
METADATA_SCHEMA = (
    "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/v2.0.0/metadata-message/tools/schemas/2.0.0/"
    "sdmx-json-metadata-schema.json"
)
SDG_TARGETS = (f"{INFOMODEL}.datastructure.Dataflow={AGENCY}:DF_SDG_MIG(*)",)
LONGEST_TEXT = 20_000


def table(name: str) -> list[dict[str, str]]:
    """The rows of ``sources/<name>.csv``."""
    with (HERE / "sources" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def form(text: str) -> dict[str, Any]:
    """What an attribute holds: nothing of its own, text in several languages, a code, or another type."""
    if text == "heading":
        return {"isPresentational": True}
    if text == "text":
        facets = {"dataType": "String", "maxLength": LONGEST_TEXT, "isMultiLingual": True}
        return {"localRepresentation": {"format": facets}}
    if text.startswith("CL_"):
        return {"localRepresentation": {"enumeration": f"{INFOMODEL}.codelist.Codelist={AGENCY}:{text}({LATE})"}}
    return {"localRepresentation": {"format": {"dataType": text}}}


def attributes(rows: list[dict[str, str]], parent: str = "") -> list[dict[str, Any]]:
    """The attributes below a parent, with all below them."""
    found = []
    for row in rows:
        if row["parent"] != parent:
            continue
        concept = f"{INFOMODEL}.conceptscheme.Concept={AGENCY}:{SCHEME}({LATE}).{row['attribute']}"
        one: dict[str, Any] = {"id": row["attribute"], "conceptIdentity": concept, "minOccurs": 0}
        one |= {"maxOccurs": "unbounded" if row["repeats"] else 1}
        one |= {"isPresentational": False} | form(row["form"])  # some readers want it said
        below = attributes(rows, row["attribute"])
        found.append(one | ({"metadataAttributes": below} if below else {}))
    return found


def concept(row: dict[str, str]) -> dict[str, Any]:
    """The concept of an attribute."""
    names = {"en": row["en"], "fr": row["fr"]}
    definitions = {"en": row["definition_en"], "fr": row["definition_fr"]}
    return named(row["attribute"], names, definitions) | ({"parent": row["parent"]} if row["parent"] else {})


def metadataflow(id_: str, structure: str, en: str, fr: str, targets: tuple[str, ...]) -> dict[str, Any]:
    """A metadataflow about some artefacts."""
    urn = f"{INFOMODEL}.metadatastructure.MetadataStructure={structure}"
    return maintained(id_, {"en": en, "fr": fr}) | PROPOSAL | {"structure": urn, "targets": list(targets)}


def codelists() -> list[dict[str, Any]]:
    """The lists that only metadata use."""
    rows = table("codes")
    return [
        maintained(one["list"], {"en": one["en"], "fr": one["fr"]}, {"en": one["description"]})
        | PROPOSAL
        | {
            "isPartial": False,
            "codes": [
                named(row["code"], {"en": row["en"], "fr": row["fr"]}) for row in rows if row["list"] == one["list"]
            ],
        }
        for one in table("lists")
    ]


def agreement(provider: dict[str, Any]) -> dict[str, Any]:
    """That a provider sends metadata."""
    names = {tag: f"{provider['id']}: {text}" for tag, text in (("en", "reference metadata"), ("fr", "métadonnées"))}
    return maintained(f"MPA_{provider['id']}", names) | {
        "metadataflow": f"{INFOMODEL}.metadatastructure.Metadataflow={AGENCY}:{FLOW}({LATE})",
        "metadataProvider": f"{INFOMODEL}.base.MetadataProvider={AGENCY}:METADATA_PROVIDERS(1.0).{provider['id']}",
    }


def content(providers: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The messages of this folder by name; providers of data are providers of metadata."""
    rows = table("attributes")
    names = {"en": "Reference metadata of migration statistics", "fr": "Métadonnées de référence des migrations"}
    scheme_names = {"en": "Concepts of reference metadata", "fr": "Concepts des métadonnées de référence"}
    scheme = (
        maintained(SCHEME, scheme_names) | PROPOSAL | {"isPartial": False, "concepts": [concept(row) for row in rows]}
    )
    listed = {"id": "MetadataAttributeDescriptor", "metadataAttributes": attributes(rows)}
    about = {"en": "Headings of ESMS; the part MIGRATION is proposed"}
    structure = (
        maintained(STRUCTURE, names, about)
        | PROPOSAL
        | {"metadataStructureComponents": {"metadataAttributeList": listed}}
    )
    flows = [
        metadataflow(
            FLOW,
            f"{AGENCY}:{STRUCTURE}({LATE})",
            "Metadata of migration figures, by dataflow or by provider and dataflow",
            "Métadonnées des chiffres de migration, par flux ou par fournisseur et flux",
            TARGETS,
        ),
        metadataflow(
            SDG_FLOW,
            "IAEG-SDGs:SDG_MSD(1.0)",
            "SDG metadata of the migration profile",
            "Métadonnées ODD du profil migration",
            SDG_TARGETS,
        ),
    ]
    texts = {"en": "Metadata providers", "fr": "Fournisseurs de métadonnées"}
    partners = named("METADATA_PROVIDERS", texts) | {"agencyID": AGENCY, "version": "1.0", "isExternalReference": False}
    return {
        "MSD_MIG": {
            "codelists": codelists(),
            "conceptSchemes": [scheme],
            "metadataStructures": [structure],
            "metadataflows": flows,
        },
        "METADATA_PROVIDERS": {
            "metadataProviderSchemes": [partners | {"isPartial": False, "metadataProviders": providers}],
            "metadataProvisionAgreements": [agreement(provider) for provider in providers],
        },
    }


def reported(rows: list[dict[str, str]], above: str = "") -> list[dict[str, Any]]:
    """The values below a heading, in the order of the table: codes and dates as they are, texts in both languages."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        rest = row["attribute"].removeprefix(above)
        if rest == row["attribute"] and above:
            continue
        id_, dot, _ = rest.partition(".")
        if dot and id_ not in found:
            found[id_] = {"id": id_, "attributes": reported(rows, f"{above}{id_}.")}
        elif not dot:
            found[id_] = {"id": id_, "value": row["value"] or {"en": row["en"], "fr": row["fr"]}}
    return list(found.values())


def metadata_sets() -> list[dict[str, Any]]:
    """What is known of the sources of the demonstration data, from their publications."""
    values = table("values")
    return [
        maintained(row["set"], {"en": row["en"], "fr": row["fr"]})
        | {
            "metadataflow": f"{INFOMODEL}.metadatastructure.Metadataflow={AGENCY}:{FLOW}({LATE})",
            "targets": [
                f"{INFOMODEL}.registry.ProvisionAgreement={AGENCY}:{agreement}({VERSION})"
                for agreement in row["agreements"].split(";")
            ],
            "attributes": reported([one for one in values if one["set"] == row["set"]]),
        }
        for row in table("sets")
    ]


def metadata_message() -> dict[str, Any]:
    """The metadata sets as an SDMX-JSON 2.0 metadata message."""
    made = message("METADATA_SETS", {"metadataSets": metadata_sets()})
    return made | {"meta": made["meta"] | {"schema": METADATA_SCHEMA}}


def messages(providers: list[dict[str, Any]]) -> dict[Path, dict[str, Any]]:
    """Every message of this folder by its path."""
    structures = {HERE / f"{name}.json": message(name, data) for name, data in content(providers).items()}
    return structures | {HERE / "METADATA_SETS.json": metadata_message()}
