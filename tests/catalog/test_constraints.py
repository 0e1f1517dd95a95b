"""Constraints: levels cascade and only narrow; excluded values, wildcards, descendants."""

from __future__ import annotations

from dataclasses import replace

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.constraints import allowed_codes
from sdmx_service.model.constraint import CubeRegion, DataConstraint, DataKey, DataKeySet, KeyValue, MemberValue
from sdmx_service.model.message import Target
from tests.submission.checking import ARTEFACTS, FLOW, PROVIDER, STRUCTURE, constraint

AGREEMENT = next(one.ref for one in ARTEFACTS if one.type == "ProvisionAgreement")
TARGET = Target(structure=STRUCTURE, dataflow=FLOW.ref, provider=PROVIDER)


def allowed(*constraints: DataConstraint, target: Target = TARGET) -> tuple[dict[str, set[str]], set[str]]:
    found = allowed_codes(target, Catalog.of([*ARTEFACTS, *constraints]))
    return {id: set(codes) for id, codes in found.codes.items()}, set(found.by_agreement)


def test_without_constraints_everything_is_free() -> None:
    assert allowed() == ({}, set())


def test_a_lower_level_only_narrows() -> None:
    flow = constraint(FLOW.ref, "AREA", "MT", "IT")
    agreement = replace(constraint(AGREEMENT, "AREA", "MT", "FR"), id="CON_PA")
    assert allowed(flow, agreement) == ({"AREA": {"MT"}}, {"AREA"})
    assert allowed(flow, agreement, target=replace(TARGET, provider=replace(PROVIDER, item="P2"))) == (
        {"AREA": {"MT", "IT"}},
        set(),
    )


def test_an_agreement_that_narrows_nothing_is_not_to_blame() -> None:
    flow = constraint(FLOW.ref, "AREA", "MT", "IT")
    agreement = replace(constraint(AGREEMENT, "AREA", "MT", "IT", "FR"), id="CON_PA")
    assert allowed(flow, agreement) == ({"AREA": {"MT", "IT"}}, set())


def test_excluded_values_and_wildcards() -> None:
    member = KeyValue(component="AREA", include=False, values=(MemberValue(value="M%"),))
    one = replace(constraint(STRUCTURE.ref, "AREA"), regions=(CubeRegion(members=(member,)),))
    assert allowed(one) == ({"AREA": {"IT", "FR"}}, set())
    region = CubeRegion(include=False, members=(KeyValue(component="AREA", values=(MemberValue(value="FR"),)),))
    assert allowed(replace(one, regions=(region,))) == ({"AREA": {"MT", "IT"}}, set())


def test_what_there_is_forbids_nothing() -> None:
    assert allowed(replace(constraint(FLOW.ref, "AREA", "MT"), role="Actual")) == ({}, set())


def test_codes_of_the_keys_that_are_allowed() -> None:
    def key(**codes: str) -> DataKey:
        return DataKey(
            members=tuple(KeyValue(component=id, values=(MemberValue(value=code),)) for id, code in codes.items())
        )

    def keys(*members: DataKey, included: bool = True) -> DataConstraint:
        sets = (DataKeySet(included=included, keys=members),)
        return replace(constraint(FLOW.ref, "AREA"), regions=(), key_sets=sets)

    assert allowed(keys(key(AREA="MT"), key(AREA="IT"))) == ({"AREA": {"MT", "IT"}}, set())
    assert allowed(keys(key(AREA="MT"), key(SEX="F")))[0].get("AREA") is None  # the second key is of every area
    assert allowed(keys(key(AREA="MT"), included=False)) == ({}, set())
