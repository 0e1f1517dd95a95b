"""The rules that are published as VTL say the same in another engine: the same figures break the same rules."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import dsd.vtl.build
from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.loading import load_folder
from sdmx_service.catalog.rule_kinds import Subset
from sdmx_service.catalog.rules import Rule, RuleSet
from sdmx_service.catalog.vtl import DATASET, lines, why_not, written
from sdmx_service.model.structure import Dataflow, DataStructure
from sdmx_service.submission.report import Report
from sdmx_service.submission.rules import run_rules
from sdmx_service.submission.workspace import Workspace
from tests.harness import ROOT
from tests.submission.staging import part, typed

ENGINE = Path(__file__).with_name("engine.py")
CASES = {"RULES_FLOW": "DF_FLOW_CTZ", "RULES_STOCK": "DF_STOCK_CTZ", "RULES_CHANGE": "DF_BALANCE"}
Key = frozenset[tuple[str, str]]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_folder(ROOT).catalog()


@pytest.fixture(scope="module")
def engine() -> str:
    """The interpreter of an environment that has vtlengine: it wants other versions of what the service uses."""
    named = os.environ.get("VTL_PYTHON") or str(ROOT / ".venv-vtl" / "bin" / "python")
    if not Path(named).exists():
        pytest.skip("vtlengine absent: make vtl puts it into an environment of its own")
    return named


# --- the artefacts --------------------------------------------------------------------------------------------------
def test_the_content_has_what_the_rules_make() -> None:
    for path, content in dsd.vtl.build.messages().items():
        assert json.loads(path.read_text(encoding="utf-8")) == content, "run python -m dsd.vtl.build"


def test_every_rule_is_written_or_says_why_not(catalog: Catalog) -> None:
    for rules in catalog.rule_sets.values():
        made = written(rules)
        names = [f"{one.id}" for one in rules.rules]
        told = {name.rpartition("_")[0] for name in made.not_written}
        assert all(made.not_written.values())
        results = {one.result.rpartition("_")[0] for one in made.transformations if re.search(r"_R\d*$", one.result)}
        assert {name.rpartition("_")[0] for name in results} | told == set(names)
        assert len(results) + len(made.not_written) == len(rules.rules)


# --- the same violations --------------------------------------------------------------------------------------------
def invented(structure: DataStructure, seed: int) -> list[dict[str, Any]]:
    """Figures of one area, in which sums and parts hold or do not as chance wills."""
    chance = random.Random(seed)
    is_change = structure.id == "DSD_MIG_CHANGE"
    measures = {"MEASURE": ["IMM", "EMI", "NET"] if structure.id == "DSD_MIG_FLOW" else ["POP", "FB"]}
    axes = {"COMPONENT": ["JAN", "LBIRTH", "DEATH", "NATGROW", "GROW", "NETMIG_ADJ", "IMM"]} if is_change else measures
    axes |= {
        "SEX": ["_T", "M", "F", "_U"],
        "CITIZENSHIP": ["_T", "NAT", "FOR_STLS"],
        "AGE": ["_T", "Y0T14", "Y0T4", "Y5T9", "Y10T14"],
    }
    rows = []
    names = list(axes)
    every = [[]]
    for name in names:
        every = [[*one, code] for one in every for code in axes[name]]
    for codes in every:
        for period in ("2020", "2021"):
            if chance.random() < 0.35:
                continue
            key = dict.fromkeys(structure.key_ids, "_T") | dict(zip(names, codes, strict=True))
            key |= {"FREQ": "A", "REF_AREA": "470", "TIME_PERIOD": period}
            value: Any = chance.choice([2, 4, 6, 10, 20, -1, 2.5])
            if chance.random() < 0.05 and key["SEX"] in ("M", "F"):
                value = None
            status = chance.choice(["A", "D"])
            more = {"UNIT_MEASURE": "PS", "UNIT_MULT": "0", "OBS_STATUS": status, "DURATION_CRITERION": chance.choice(["INT", "R12", None]),
                    "RES_CRITERION": chance.choice(["R6", "R12", None])}  # fmt: skip
            known = {one.id for one in structure.components}
            rows.append({**key, "OBS_VALUE": value, **{id: text for id, text in more.items() if id in known}})
    return rows


def by_rule(
    rules: RuleSet, flow: Dataflow, structure: DataStructure, rows: list[dict[str, Any]], catalog: Catalog
) -> dict[str, set[Key]]:
    """Per written rule, the keys at which the rule engine finds it broken, without what the rule adds up or compares."""
    found: dict[str, set[Key]] = {}
    numbers: dict[str, int] = {}
    with Workspace("200MB") as workspace:
        workspace.add(part(flow, structure), typed(structure, rows))
        for rule in rules.rules:
            numbers[rule.id] = numbers.get(rule.id, 0) + 1
            if why_not(rule) is None:
                alone = replace(rule, detail=replace(rule.detail, by=())) if rule.kind == "attribute" else rule
                report = Report()
                run_rules(workspace, [replace(rules, rules=(alone,))], catalog, [flow], None, (), report)
                keys = {reduced(one.key, rule) for one in report.findings()}
                found[f"{rule.id}_{numbers[rule.id]}"] = keys
    return found


def reduced(key: Any, rule: Rule) -> Key:
    gone = {rule.dimension, rule.detail.dimension if isinstance(rule.detail, Subset) else ""}
    fixed = {id for term in (*rule.terms, *([rule.equals] if rule.equals else [])) for id in term.where}
    return frozenset((id, text) for id, text in key.items() if id not in gone | fixed)


def described(name: str, structure: DataStructure) -> dict[str, Any]:
    """A structure as vtlengine wants it told."""
    parts = [{"name": id, "role": "Identifier", "type": "Time_Period" if id == "TIME_PERIOD" else "String", "nullable": False}
             for id in structure.key_ids]  # fmt: skip
    parts += [{"name": "OBS_VALUE", "role": "Measure", "type": "Number", "nullable": True}]
    parts += [{"name": one.id, "role": "Attribute", "type": "String", "nullable": True}
              for one in structure.components if one.id not in structure.key_ids and one.id != "OBS_VALUE"]  # fmt: skip
    return {"name": name, "DataStructure": parts}


def by_engine(
    engine: str, rules: RuleSet, structure: DataStructure, rows: list[dict[str, Any]], catalog: Catalog
) -> dict[str, set[Key]]:
    """The same of the VTL of the rules, run by vtlengine."""
    made = written(rules)
    script = "\n".join(lines(made))
    names = {DATASET} | set(re.findall(r"\bDF_[A-Z_]+", script))
    flows = {one.id: catalog.structure_of(one) for one in catalog.of_type("Dataflow") if isinstance(one, Dataflow)}
    own = {DATASET, CASES[rules.id]}
    wish = {
        "script": script,
        "structures": {"datasets": [described(name, flows.get(name, structure)) for name in sorted(names)]},
        "data": {name: rows if name in own else [] for name in names},
    }
    run = subprocess.run([engine, str(ENGINE)], input=json.dumps(wish), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    ids = set(structure.key_ids)
    numbered = dict(_numbered(rules))
    found: dict[str, set[Key]] = {name: set() for name in numbered}
    for result, told in json.loads(run.stdout).items():
        name = re.sub(r"_R\d*$", "", result)
        for one in told:
            found[name].add(reduced({id: str(text) for id, text in one.items() if id in ids}, numbered[name]))
    return found


def _numbered(rules: RuleSet) -> Iterator[tuple[str, Rule]]:
    numbers: dict[str, int] = {}
    for rule in rules.rules:
        numbers[rule.id] = numbers.get(rule.id, 0) + 1
        if why_not(rule) is None:
            yield f"{rule.id}_{numbers[rule.id]}", rule


@pytest.mark.timeout(300)
@pytest.mark.parametrize("id", CASES)
def test_another_engine_finds_the_same(id: str, engine: str, catalog: Catalog) -> None:
    rules = catalog.rule_sets[id]
    flow = next(one for one in catalog.of_type("Dataflow") if one.id == CASES[id])
    assert isinstance(flow, Dataflow)
    structure = catalog.structure_of(flow)
    rows = invented(structure, seed=5)
    own, other = by_rule(rules, flow, structure, rows, catalog), by_engine(engine, rules, structure, rows, catalog)
    assert {name: len(keys) for name, keys in own.items()} == {name: len(keys) for name, keys in other.items()}
    assert own == other
    assert sum(bool(keys) for keys in own.values()) >= 5  # it is no agreement about nothing
