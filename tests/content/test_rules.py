"""The rules beside the structures: every word they use exists."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).parents[2]
TEXTS = ("COMMENT_OBS", "REF_DATE")
"""Attributes without a code list that rules ask for."""
RULE_FILES = sorted((TOP / "dsd" / "rules").glob("*.json"))


def load(path: Path) -> Any:
    """The content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def content() -> tuple[dict[str, Any], dict[str, str], dict[str, set[str]]]:
    """Codelists by dimension per structure, structures by dataflow, codes by codelist."""
    structures: dict[str, Any] = {}
    flows: dict[str, str] = {}
    sdg = TOP / "dsd" / "sdg"
    for path in [*sorted((TOP / "dsd").glob("DSD_*.json")), sdg / "SDG.json", sdg / "DF_SDG_MIG.json"]:
        data = load(path)["data"]
        for structure in data.get("dataStructures", []):
            parts = structure["dataStructureComponents"]
            structures[structure["id"]] = {
                part["id"]: part.get("localRepresentation", {}).get("enumeration", "").split("=")[-1].split("(")[0]
                for part in parts["dimensionList"]["dimensions"] + parts["attributeList"]["attributes"]
            }
        flows |= {flow["id"]: flow["structure"].split(":")[-1].split("(")[0] for flow in data.get("dataflows", [])}
    paths = sorted([*(TOP / "codelists").glob("CL_*.json"), *sdg.glob("CL_*.json")])
    lists = [load(path)["data"]["codelists"][0] for path in paths]
    return structures, flows, {f"{one['agencyID']}:{one['id']}": {code["id"] for code in one["codes"]} for one in lists}


@pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: path.stem)
def test_rules_use_components_and_codes_that_exist(
    path: Path, content: tuple[dict[str, Any], dict[str, str], dict[str, set[str]]]
) -> None:
    structures, flows, codes = content

    def known(structure: str, component: str, values: list[str]) -> None:
        codelist = structures[structure][component]
        assert set(values) - {"leaves"} <= codes.get(codelist, set()), (structure, component)

    rules = load(path)
    for reference in rules["applies_to"]:
        name = reference.split(":")[1]
        structure = name if name in structures else flows[name]
        for rule in rules["rules"]:
            for of, component, values in named(rule, structure, flows):
                known(of, component, values)
            assert {"en", "fr"} <= set(rule["message"]) & set(rule["names"]), rule["id"]


def named(rule: dict[str, Any], structure: str, flows: dict[str, str]) -> Iterator[tuple[str, str, list[str]]]:
    """Structure, component and codes of everything that a rule names."""
    alone = rule["kind"] not in ("compare", "balance", "agree")  # of the rule set's own structures
    for place in ("when", "then", "unless", "missing"):
        found = rule.get(place, {})
        for component, values in found.items() if isinstance(found, dict) and (alone or place != "when") else ():
            yield structure, component, listed(values)
    if alone:
        yield from (
            (structure, id, []) for id in rule.get("by", []) + rule.get("dimensions", []) if id != "TIME_PERIOD"
        )
        yield from ((structure, id, []) for id in rule.get("attributes", []) if id not in TEXTS)
    if "dimension" in rule:
        codes = [*listed(rule.get("total")), *listed(rule.get("parts")), *rule.get("optional", [])]
        codes += [*rule.get("except", []), *rule.get("codes", []), *rule.get("expected", []), *rule.get("months", {})]
        yield structure, rule["dimension"], codes + [code for part in rule.get("partitions", []) for code in part]
    terms = rule.get("terms", []) + [rule[side] for side in ("equals", "left", "right") if side in rule]
    for term in [*terms, *rule.get("figures", []), *([rule] if "dataflow" in rule else [])]:
        of = flows[term["dataflow"].split(":")[1]] if "dataflow" in term else structure
        for component, values in term.get("where", term if rule["kind"] == "mirror" else {}).items():
            yield of, component, listed(values)
        if "dimension" in term:
            yield of, term["dimension"], [term["total"]]
        yield from ((of, id, []) for id in rule.get("by", []) if "dataflow" in term or not alone)
        if not alone and (of == structure or "dataflow" in term):
            yield from ((of, id, listed(codes)) for id, codes in rule.get("when", {}).items())


def listed(values: Any) -> list[str]:
    """One code or several."""
    return [values] if isinstance(values, str) else list(values or [])


def test_every_rule_of_the_list_is_there() -> None:
    ids = {rule["id"] for path in RULE_FILES for rule in load(path)["rules"]}
    assert ids == {f"V{number:02}" for number in range(1, 28)}
