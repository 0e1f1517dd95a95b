"""Constraints: levels cascade and only narrow; excluded values, wildcards, descendants."""

from __future__ import annotations

from dataclasses import replace

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.constraints import allowed_codes, constraints_of
from sdmx_service.model.constraint import CubeRegion, DataConstraint, DataKey, DataKeySet, KeyValue, MemberValue
from sdmx_service.model.message import Target
from tests.submission.checking import ARTEFACTS, FLOW, PROVIDER, STRUCTURE, constraint

AGREEMENT = next(one.ref for one in ARTEFACTS if one.type == "ProvisionAgreement")
TARGET = Target(structure=STRUCTURE, dataflow=FLOW.ref, provider=PROVIDER)


def allowed(*constraints: DataConstraint, target: Target = TARGET) -> tuple[dict[str, set[str]], set[str]]:
    found = allowed_codes(target, Catalog.of([*ARTEFACTS, *constraints]))
    return {id: set(codes) for id, codes in found.codes.items()}, set(found.of_provider)


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


# --- of a provider ---------------------------------------------------------------------------------------------------
def of_provider(*members: KeyValue, include: bool = True, item: str = "P1") -> DataConstraint:
    region = CubeRegion(include=include, members=members)
    return replace(constraint(replace(PROVIDER, item=item), "AREA"), id="CON_P", regions=(region,))


def codes(component: str, *values: str) -> KeyValue:
    return KeyValue(component=component, values=tuple(MemberValue(value=one) for one in values))


def test_those_of_a_provider_narrow_what_it_may_send() -> None:
    flow = constraint(FLOW.ref, "AREA", "MT", "IT")
    provider = of_provider(codes("AREA", "MT", "FR"))
    assert allowed(flow, provider) == ({"AREA": {"MT"}}, {"AREA"})
    assert allowed(flow, provider, target=replace(TARGET, provider=replace(PROVIDER, item="P2")))[0] == {
        "AREA": {"MT", "IT"}
    }
    assert allowed(provider, target=replace(TARGET, provider=None)) == ({}, set())
    same = of_provider(codes("AREA", "MT", "IT", "FR"))
    assert allowed(flow, same) == ({"AREA": {"MT", "IT"}}, set())


def test_agreement_and_provider_both_hold() -> None:
    provider = of_provider(codes("AREA", "MT", "IT"))
    agreement = replace(constraint(AGREEMENT, "AREA", "IT", "FR"), id="CON_PA")
    assert allowed(provider, agreement) == ({"AREA": {"IT"}}, {"AREA"})
    sexes = replace(constraint(AGREEMENT, "SEX", "F"), id="CON_PA")
    assert allowed(provider, sexes) == ({"AREA": {"MT", "IT"}, "SEX": {"F"}}, {"AREA", "SEX"})
    found = allowed_codes(TARGET, Catalog.of([*ARTEFACTS, provider, sexes]))
    assert found.constraints == {"AREA": "TEST:CON_P(1.0.0)", "SEX": "TEST:CON_PA(1.0.0)"}


def test_what_a_structure_does_not_have_is_left_out() -> None:
    """SDMX 3.1 information model, *Constraints*: for the structures that contain the components being restricted."""
    assert allowed(of_provider(codes("AREA", "MT"), codes("SPECIES", "COD"))) == ({"AREA": {"MT"}}, {"AREA"})
    assert allowed(of_provider(codes("SPECIES", "COD"))) == ({}, set())
    assert allowed(of_provider(codes("AREA", "MT"), include=False)) == ({"AREA": {"IT", "FR"}}, {"AREA"})
    # an excluded combination with something that is not here says nothing of the rest
    assert allowed(of_provider(codes("AREA", "MT"), codes("SPECIES", "COD"), include=False)) == ({}, set())


def test_keys_of_a_provider_count_where_all_of_their_components_are() -> None:
    def keys(*every: dict[str, str]) -> DataConstraint:
        made = tuple(DataKey(members=tuple(codes(id, code) for id, code in one.items())) for one in every)
        return replace(of_provider(), regions=(), key_sets=(DataKeySet(keys=made),))

    elsewhere = {"AREA": "IT", "SPECIES": "COD"}
    assert allowed(keys({"AREA": "MT"}, elsewhere)) == ({"AREA": {"MT"}}, {"AREA"})
    assert allowed(keys(elsewhere)) == ({}, set())


def test_versions_and_roles_of_those_of_a_provider() -> None:
    one = of_provider(codes("AREA", "MT"))
    assert allowed(one, replace(of_provider(codes("AREA", "IT")), version="1.1.0"))[0] == {"AREA": {"IT"}}
    assert allowed(one, replace(of_provider(codes("AREA", "IT")), version="1.1.0-draft"))[0] == {"AREA": {"MT"}}
    assert allowed(replace(one, role="Actual")) == ({}, set())
    assert allowed(replace(one, role=None))[0] == {"AREA": {"MT"}}


def test_those_that_hold_for_a_target_are_named_whole() -> None:
    here = of_provider(codes("AREA", "MT"), codes("SPECIES", "COD"))
    elsewhere = replace(of_provider(codes("SPECIES", "COD")), id="CON_Q")
    flow, agreement = constraint(FLOW.ref, "SEX", "F"), replace(constraint(AGREEMENT, "AREA", "MT"), id="CON_PA")
    catalog = Catalog.of([*ARTEFACTS, agreement, elsewhere, here, flow])
    assert constraints_of(TARGET, catalog) == [flow, here, agreement]
    assert constraints_of(replace(TARGET, provider=None), catalog) == [flow]
