"""The rules beside the structures: every word they use exists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).parents[2]
RULE_FILES = sorted((TOP / "dsd" / "rules").glob("*.json"))


def load(path: Path) -> Any:
    """The content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def content() -> tuple[dict[str, Any], dict[str, str], dict[str, set[str]]]:
    """Codelists by dimension per structure, structures by dataflow, codes by codelist."""
    structures: dict[str, Any] = {}
    flows: dict[str, str] = {}
    for path in sorted((TOP / "dsd").glob("DSD_*.json")):
        data = load(path)["data"]
        for structure in data["dataStructures"]:
            parts = structure["dataStructureComponents"]
            structures[structure["id"]] = {
                part["id"]: part["localRepresentation"].get("enumeration", "").split(":")[-1].split("(")[0]
                for part in parts["dimensionList"]["dimensions"] + parts["attributeList"]["attributes"]
            }
        flows |= {flow["id"]: flow["structure"].split(":")[-1].split("(")[0] for flow in data["dataflows"]}
    lists = [load(path)["data"]["codelists"][0] for path in sorted((TOP / "codelists").glob("CL_*.json"))]
    return structures, flows, {one["id"]: {code["id"] for code in one["codes"]} for one in lists}


@pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: path.stem)
def test_rules_use_components_and_codes_that_exist(
    path: Path, content: tuple[dict[str, Any], dict[str, str], dict[str, set[str]]]
) -> None:
    structures, flows, codes = content

    def known(structure: str, component: str, values: list[str]) -> None:
        codelist = structures[structure][component]
        assert set(values) - {"leaves"} <= codes[codelist], (structure, component)

    rules = load(path)
    for reference in rules["applies_to"]:
        name = reference.split(":")[1]
        structure = name if name in structures else flows[name]
        for rule in rules["rules"]:
            for component, values in rule.get("when", {}).items():
                known(structure, component, values)
            if rule["kind"] == "sum":
                parts = rule.get("parts", [])
                values = [rule["total"], *([parts] if isinstance(parts, str) else parts)]
                values += rule.get("optional", []) + rule.get("except", [])
                values += [code for partition in rule.get("partitions", []) for code in partition]
                known(structure, rule["dimension"], values)
            terms = rule.get("terms", []) + [rule[side] for side in ("equals", "left", "right") if side in rule]
            for term in terms:
                of_term = flows[term["dataflow"].split(":")[1]]
                assert set(rule["by"]) <= set(structures[of_term])
                for component, value in term["where"].items():
                    known(of_term, component, [value])
            assert rule["message"]["en"] if rule["kind"] != "value" else rule["names"]["en"]
