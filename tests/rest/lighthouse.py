"""The invented sea with reference metadata: a metadata structure, two flows, an agreement, and sets about the catches."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.harness import House, open_house
from tests.rest.fishery import URN, write_content

FLOW = f"{URN}metadatastructure.Metadataflow=SEA:MDF_CATCH(1.0+.0)"
NOTES = f"{URN}metadatastructure.Metadataflow=SEA:MDF_NOTES(1.0.0)"
AGREEMENT = f"{URN}registry.MetadataProvisionAgreement=SEA:MPA_COAST(1.0.0)"
CATCH = f"{URN}datastructure.Dataflow=SEA:DF_CATCH(1.0.0)"
EVERY_CATCH = f"{URN}datastructure.Dataflow=SEA:DF_CATCH(*)"
PORT = f"{URN}codelist.Code=SEA:CL_PORT(1.0.0).NOR"
MARKUP = '<p xmlns="http://www.w3.org/1999/xhtml">Nets <em>and</em> rods</p>'


def named(id: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "name": f"The {id}", "names": {"en": f"The {id}", "fr": f"Le {id}"}, **more}


def artefact(id: str, version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    return {**named(id), "agencyID": "SEA", "version": version, **more}


def attribute(id: str, form: dict[str, Any] | None = None, *inner: dict[str, Any], **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"id": id, "conceptIdentity": f"{URN}conceptscheme.Concept=SEA:CS_META(1.0+.0).{id}"}
    made |= {"minOccurs": 0, "maxOccurs": 1, "isPresentational": False, **more}
    if form is not None:
        made["localRepresentation"] = form
    return made | ({"metadataAttributes": list(inner)} if inner else {})


def text(kind: str, **facets: Any) -> dict[str, Any]:
    return {"format": {"dataType": kind, **facets}}


ATTRIBUTES = [
    attribute("CONTACT", None, attribute("NAME", text("String"), minOccurs=1),
              attribute("MAIL", text("String", pattern=".+@.+"), maxOccurs="unbounded"), isPresentational=True),
    attribute("METHOD", text("XHTML", isMultiLingual=True)),
    attribute("SHIPS", text("Integer", minValue=0)),
    attribute("SAMPLED", text("Boolean")),
    attribute("FISHES", {"enumeration": f"{URN}codelist.Codelist=SEA:CL_FISH(1.0+.0)"}, maxOccurs="unbounded"),
    attribute("BREAK", None, attribute("YEAR", text("GregorianYear")), attribute("WHY", text("String", isMultiLingual=True)),
              maxOccurs="unbounded", isPresentational=True),
]  # fmt: skip
CONCEPTS = ("CONTACT", "NAME", "MAIL", "METHOD", "SHIPS", "SAMPLED", "FISHES", "BREAK", "YEAR", "WHY")
DEFINED = f"{URN}metadatastructure.MetadataStructure=SEA:MSD_CATCH(1.0+.0)"


def structures() -> dict[str, Any]:
    listed = {"id": "MetadataAttributeDescriptor", "metadataAttributes": ATTRIBUTES}
    provider = f"{URN}base.MetadataProvider=SEA:METADATA_PROVIDERS(1.0).COAST"
    flow_of_catch = f"{URN}datastructure.Dataflow=SEA:*(*)"
    return {
        "conceptSchemes": [artefact("CS_META", concepts=[named(id) for id in CONCEPTS])],
        "metadataStructures": [artefact("MSD_CATCH", metadataStructureComponents={"metadataAttributeList": listed})],
        "metadataflows": [
            artefact("MDF_CATCH", structure=DEFINED, targets=[flow_of_catch]),
            artefact("MDF_NOTES", structure=DEFINED, targets=[f"{URN}codelist.Code=SEA:*(*).*", flow_of_catch]),
        ],
        "metadataProviderSchemes": [
            {**named("METADATA_PROVIDERS"), "agencyID": "SEA", "metadataProviders": [named("COAST"), named("HARBOUR")]}
        ],
        "metadataProvisionAgreements": [
            artefact("MPA_COAST", metadataflow=FLOW, metadataProvider=provider),
        ],
    }


def value(id: str, said: Any = None, *inner: dict[str, Any]) -> dict[str, Any]:
    made = {"id": id} if said is None else {"id": id, "value": said}
    return made | ({"attributes": list(inner)} if inner else {})


FULL = [
    value("CONTACT", None, value("NAME", 'Ann "Fish" O\'Hara'), value("MAIL", "a@sea"), value("MAIL", "b@sea")),
    value("METHOD", {"en": MARKUP, "fr": MARKUP.replace("and", "et")}),
    value("SHIPS", "12"),
    value("SAMPLED", "true"),
    value("FISHES", "COD"),
    value("FISHES", "EEL"),
    value("BREAK", None, value("YEAR", "1999"), value("WHY", {"en": "Storm; fog", "fr": "Tempête"})),
    value("BREAK", None, value("YEAR", "2004")),
]


def metadata_set(id: str, version: str = "1.0.0", agency: str = "SEA.COAST", **more: Any) -> dict[str, Any]:
    return {**named(id), "agencyID": agency, "version": version, **more}


def sets() -> list[dict[str, Any]]:
    ships = [value("SHIPS", "3")]
    return [
        metadata_set("CATCHES", metadataProvisionAgreement=AGREEMENT, targets=[CATCH], attributes=ships),
        metadata_set("CATCHES", "1.1.0", metadataProvisionAgreement=AGREEMENT, targets=[CATCH], attributes=FULL,
                     annotations=[{"id": "N", "title": "noted"}]),
        metadata_set("CATCHES", "2.0.0-draft", agency="HARBOUR", metadataflow=FLOW, targets=[EVERY_CATCH], attributes=ships),
        metadata_set("ON_NOR", "1.0.0", "SEA", metadataflow=NOTES, targets=[PORT], attributes=ships),
        metadata_set("ON_JOBS", "1.0.0", "SEA", metadataflow=NOTES,
                     targets=[f"{URN}datastructure.Dataflow=SEA:DF_JOBS(1.0.0)", PORT], attributes=ships),
    ]  # fmt: skip


def message(**data: Any) -> str:
    meta = {"id": "EXTRA", "test": False, "prepared": "2026-01-01T00:00:00Z", "sender": {"id": "SEA"}}
    return json.dumps({"meta": meta, "data": data}, ensure_ascii=False)


@contextmanager
def open_lighthouse(folder: Path) -> Iterator[House]:
    """A house with the structures and sets, and no figures."""
    content = write_content(folder / "content")
    (content / "dsd" / "metadata.json").write_text(message(**structures()), "utf-8")
    (content / "dsd" / "sets.json").write_text(message(metadataSets=sets()), "utf-8")
    with open_house(f"duckdb:///{folder / 'store.duckdb'}", content) as house:
        yield house
