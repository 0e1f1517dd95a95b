"""A structure with attributes of every level and kind, all optional, two dataflows and two providers, for synchronising."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.rest.fishery import URN, write_content

LEVELS: dict[str, tuple[str, ...] | None] = {
    "SOURCE": (), "MOTTO": (), "PORT_NOTE": ("PORT",), "BOATS": ("PORT",), "CARE": ("FISH",), "TOOLS": ("PORT", "FISH"),
    "UNIT": ("FREQ", "PORT", "FISH"), "FACTOR": ("FREQ", "PORT", "FISH"), "HINT": ("FREQ", "PORT", "FISH"),
    "STATUS": None, "REMARK": None, "GEAR": None,
}  # fmt: skip
_KINDS: dict[str, dict[str, Any]] = {
    "MOTTO": {"format": {"dataType": "String", "isMultiLingual": True}},
    "BOATS": {"format": {"dataType": "Integer"}},
    "CARE": {"enumeration": "CL_STATUS"},
    "TOOLS": {"enumeration": "CL_GEAR", "minOccurs": 0, "maxOccurs": "unbounded"},
    "UNIT": {"enumeration": "CL_GRADE"},
    "FACTOR": {"format": {"dataType": "Double"}},
    "HINT": {"format": {"dataType": "String", "isMultiLingual": True}},
    "STATUS": {"enumeration": "CL_STATUS"},
    "REMARK": {"format": {"dataType": "String", "isMultiLingual": True}},
    "GEAR": {"enumeration": "CL_GEAR", "minOccurs": 0, "maxOccurs": "unbounded"},
}
FLOWS, PROVIDERS = ("DF_REEF", "DF_REEF_EST"), ("COAST", "HARBOUR")


def _form(kind: dict[str, Any]) -> dict[str, Any]:
    made = dict(kind)
    if "enumeration" in made:
        made["enumeration"] = f"{URN}codelist.Codelist=SEA:{made['enumeration']}(1.0+.0)"
    return made


def _component(id: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "conceptIdentity": f"{URN}conceptscheme.Concept=SEA:CS_REEF(1.0+.0).{id}", **more}


def _relation(level: tuple[str, ...] | None) -> dict[str, Any]:
    if level == ("PORT",):
        return {"group": "PortGroup"}
    if level is None:
        return {"observation": {}}
    return {"dimensions": list(level)} if level else {"dataflow": {}}


def _artefact(id: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "name": id, "names": {"en": id}, "agencyID": "SEA", "version": "1.0.0", **more}


def structures() -> dict[str, Any]:
    dimensions = [
        _component(
            id,
            position=place,
            localRepresentation={"enumeration": f"{URN}codelist.Codelist=SEA:CL_{id}(1.0+.0)"},
        )
        for place, id in enumerate(("FREQ", "PORT", "FISH"))
    ]
    time = _component("TIME_PERIOD", localRepresentation={"format": {"dataType": "ObservationalTimePeriod"}})
    attributes = [
        _component(
            id,
            usage="optional",
            attributeRelationship=_relation(level),
            localRepresentation=_form(_KINDS.get(id, {"format": {"dataType": "String"}})),
        )
        for id, level in LEVELS.items()
    ]
    measures = [
        _component("WEIGHT", usage="optional", localRepresentation={"format": {"dataType": "Decimal"}}),
        _component(
            "GRADE",
            usage="optional",
            localRepresentation={"enumeration": f"{URN}codelist.Codelist=SEA:CL_GRADE(1.0+.0)"},
        ),
    ]
    components = {
        "dimensionList": {"id": "DimensionDescriptor", "dimensions": dimensions, "timeDimension": time},
        "groups": [{"id": "PortGroup", "groupDimensions": ["PORT"]}],
        "attributeList": {"id": "AttributeDescriptor", "attributes": attributes},
        "measureList": {"id": "MeasureDescriptor", "measures": measures},
    }
    names = ["FREQ", "PORT", "FISH", "TIME_PERIOD", "WEIGHT", "GRADE", *LEVELS]
    concepts = [{"id": id, "name": id, "names": {"en": id}} for id in names]
    flow = f"{URN}datastructure.DataStructure=SEA:DSD_REEF(1.0+.0)"
    return {
        "conceptSchemes": [_artefact("CS_REEF", concepts=concepts)],
        "dataStructures": [_artefact("DSD_REEF", dataStructureComponents=components)],
        "dataflows": [_artefact(id, structure=flow) for id in FLOWS],
        "provisionAgreements": [
            _artefact(
                f"PA_{id}_{provider}",
                dataflow=f"{URN}datastructure.Dataflow=SEA:{id}(1.0.0)",
                dataProvider=f"{URN}base.DataProvider=SEA:DATA_PROVIDERS(1.0).{provider}",
            )
            for id in FLOWS
            for provider in PROVIDERS
        ],
    }


def write_reef(folder: Path) -> Path:
    """The content folder of the house."""
    write_content(folder)
    meta = {"id": "REEF", "test": False, "prepared": "2026-01-01T00:00:00Z", "sender": {"id": "SEA"}}
    (folder / "dsd" / "reef.json").write_text(json.dumps({"meta": meta, "data": structures()}))
    return folder
