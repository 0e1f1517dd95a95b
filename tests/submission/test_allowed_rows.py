"""Rows against constraints as boxes, key sets, ranges of time and validity; each against a reading row by row."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.catalog.catalog import Catalog
from sdmx_service.catalog.constraints import allowed_codes
from sdmx_service.model.artefact import Maintainable
from sdmx_service.model.constraint import (
    CubeRegion,
    DataConstraint,
    DataKey,
    DataKeySet,
    KeyValue,
    MemberValue,
    TimeBound,
    TimeRange,
)
from sdmx_service.model.finding import Finding
from sdmx_service.model.message import Target
from sdmx_service.model.structure import ProvisionAgreement
from sdmx_service.submission.allowed_rows import AllowedRows
from tests.submission.checking import ARTEFACTS, FLOW, PROVIDER, STRUCTURE, findings, row

AGREEMENT = next(one for one in ARTEFACTS if isinstance(one, ProvisionAgreement))
AREAS, SEXES, YEARS = ("MT", "IT", "FR"), ("F", "M"), ("2018", "2019", "2020", "2021")


def codes(component: str, *values: str | MemberValue, **more: Any) -> KeyValue:
    made = tuple(one if isinstance(one, MemberValue) else MemberValue(value=one) for one in values)
    return KeyValue(component=component, values=made, **more)


def years(start: str | None = None, end: str | None = None, **more: Any) -> KeyValue:
    bounds = [None if one is None else TimeBound(period=one) for one in (start, end)]
    if None not in bounds:
        return KeyValue(component="TIME_PERIOD", time_range=TimeRange(start=bounds[0], end=bounds[1]), **more)
    return KeyValue(component="TIME_PERIOD", time_range=TimeRange(after=bounds[0], before=bounds[1]), **more)


def box(*members: KeyValue, include: bool = True) -> CubeRegion:
    return CubeRegion(include=include, members=members)


def key(**values: str) -> DataKey:
    return DataKey(members=tuple(codes(id, *said.split("|")) for id, said in values.items()))


def constraint(
    *regions: CubeRegion, keys: tuple[DataKeySet, ...] = (), on: Maintainable = FLOW, name: str = "CON"
) -> DataConstraint:
    return DataConstraint(
        id=name, agency="TEST", version="1.0.0", role="Allowed", attachments=(on.ref,), regions=regions, key_sets=keys
    )


def sent(area: str, sex: str, year: str) -> str:
    return row(AREA=area, SEX=sex, TIME_PERIOD=year)


def told(*more: Maintainable, rows: tuple[str, ...] | None = None) -> list[Finding]:
    """What is found of every row there can be, but for what is no matter here."""
    every = rows or tuple(sent(*one) for one in itertools.product(AREAS, SEXES, YEARS))
    header_and_kinds = findings(*every, more=more)
    return [one for one in header_and_kinds if one.code in ("F250", "F251", "F252", "F253", "F402", "F502")]


def refused(found: list[Finding]) -> set[tuple[str, str, str]]:
    return {(one.key["AREA"], one.key["SEX"], one.key["TIME_PERIOD"]) for one in found}


# --- one by one ------------------------------------------------------------------------------------------------------


def test_a_range_of_time_of_the_agreement() -> None:
    agreement = constraint(box(codes("AREA", "MT"), years("2019", "2020")), on=AGREEMENT)
    found = told(agreement, rows=(sent("MT", "F", "2018"), sent("MT", "F", "2019"), sent("IT", "F", "2018")))
    assert sorted((one.code, one.row, one.column, one.value, one.expected) for one in found) == [
        ("F252", 2, "TIME_PERIOD", "2018", "from 2019 to 2020"),
        (
            "F502",
            4,
            "AREA",
            "IT",
            "a code that TEST:CON(1.0.0) allows",
        ),  # that its period is wrong too needs no telling
    ]
    assert found[1].message == (
        "TIME_PERIOD: '2018' lies outside what TEST:CON(1.0.0) lets this provider send: from 2019 to 2020."
    )


@pytest.mark.parametrize(
    ("member", "allowed"),
    [
        (years("2019"), {"2019", "2020", "2021"}),
        (years(end="2019"), {"2018", "2019"}),
        (years("2019", "2020"), {"2019", "2020"}),
        (years("2019", "2020", include=False), {"2018", "2021"}),
        (
            replace(years("2019"), time_range=TimeRange(after=TimeBound(period="2019", inclusive=False))),
            {"2020", "2021"},
        ),
        (replace(years("2019"), time_range=TimeRange(before=TimeBound(period="2019", inclusive=False))), {"2018"}),
        (years("2019-06"), {"2020", "2021"}),
        (codes("TIME_PERIOD", "2018", "2021"), {"2018", "2021"}),
    ],
)
def test_ranges_of_time(member: KeyValue, allowed: set[str]) -> None:
    found = told(constraint(box(member)))
    assert {one.code for one in found} == {"F250"}
    assert refused(found) == {one for one in itertools.product(AREAS, SEXES, YEARS) if one[2] not in allowed}


def test_a_code_that_is_valid_for_some_periods() -> None:
    closed = MemberValue(value="IT", valid_to="2019")
    found = told(constraint(box(codes("AREA", "MT", closed))), rows=(sent("IT", "F", "2019"), sent("IT", "F", "2020")))
    assert [(one.code, one.row, one.value, one.expected) for one in found] == [("F250", 3, "2020", "AREA IT to 2019")]


def test_codes_that_are_allowed_alone_and_not_together() -> None:
    two = constraint(box(codes("AREA", "MT"), codes("SEX", "F")), box(codes("AREA", "IT", "FR")))
    found = told(two, rows=(sent("MT", "F", "2018"), sent("MT", "M", "2018"), sent("IT", "M", "2018")))
    assert [(one.code, one.row, one.column, one.value) for one in found] == [("F251", 3, "AREA", "AREA=MT, SEX=M")]
    assert found[0].expected == "AREA=MT, SEX=F; AREA=FR or IT"
    assert found[0].message == "AREA=MT, SEX=M are not allowed together by TEST:CON(1.0.0)."


def test_a_combination_that_is_excluded() -> None:
    found = told(constraint(box(codes("AREA", "MT"), codes("SEX", "F"), years("2020"), include=False)))
    assert {one.code for one in found} == {"F250"}
    assert refused(found) == {("MT", "F", "2020"), ("MT", "F", "2021")}
    assert found[0].expected == "not from 2020"


def test_key_sets_in_order() -> None:
    keys = (
        DataKeySet(keys=(key(AREA="MT", SEX="F|M"), key(AREA="IT"))),
        DataKeySet(included=False, keys=(key(AREA="IT", SEX="M"),)),
    )
    found = told(constraint(keys=keys, on=AGREEMENT))
    assert {one.code for one in found} == {"F502", "F253"}
    assert {(area, sex) for area, sex, _ in refused(found)} == {("FR", "F"), ("FR", "M"), ("IT", "M")}
    assert {one.value for one in found if one.code == "F253"} == {"AREA=IT, SEX=M"}


def test_what_a_provider_may_send_together_and_when() -> None:
    provider = replace(
        constraint(box(codes("AREA", "MT"), codes("SEX", "F"), years("2019")), box(codes("AREA", "IT"))),
        attachments=(PROVIDER,),
    )
    found = told(provider, rows=(sent("MT", "F", "2019"), sent("MT", "F", "2018"), sent("MT", "M", "2019")))
    assert [(one.code, one.row, one.column, one.value) for one in found] == [
        ("F252", 3, "TIME_PERIOD", "2018"),
        ("F253", 4, "AREA", "AREA=MT, SEX=M, TIME_PERIOD=2019"),
    ]
    other = replace(provider, attachments=(replace(PROVIDER, item="P2"),))
    assert refused(told(other)) == set()


def test_a_provider_s_constraint_holds_beside_each_agreement() -> None:
    """Of agreements one has to allow a row; what hangs on the provider is no alternative to them."""
    provider = replace(constraint(box(years("2020")), name="CON_P"), attachments=(PROVIDER,))
    pair = constraint(box(codes("AREA", "MT"), codes("SEX", "F")), box(codes("AREA", "IT", "FR")), on=AGREEMENT)
    assert refused(told(provider, pair)) == {
        one for one in itertools.product(AREAS, SEXES, YEARS) if one[2] < "2020" or one[:2] == ("MT", "M")
    }


def test_of_several_agreements_one_must_allow_a_row() -> None:
    other = replace(AGREEMENT, id="PA_P1_LATE")
    early = constraint(box(codes("AREA", "MT"), years(end="2019")), on=AGREEMENT)
    late = constraint(box(codes("AREA", "IT"), years("2020")), on=other, name="CON_LATE")
    found = told(other, early, late)
    assert refused(found) == {
        one for one in itertools.product(AREAS, SEXES, YEARS)
        if one[0] == "FR" or (one[0] == "MT") != (one[2] <= "2019")
    }  # fmt: skip
    assert refused(told(other, early)) == set()  # one that allows everything
    plain = constraint(box(codes("AREA", "MT")), on=AGREEMENT)
    pair = constraint(box(codes("AREA", "IT"), codes("SEX", "F")), on=other, name="CON_LATE")
    found = told(other, plain, pair)
    assert {one.value for one in found if one.code == "F253"} == {"AREA=IT, SEX=M"}
    assert {one[:2] for one in refused(found)} == {("IT", "M"), ("FR", "F"), ("FR", "M")}


def test_what_a_row_leaves_open_fits() -> None:
    one = constraint(box(codes("AREA", "MT"), codes("SEX", "F"), years("2020", "2021")))
    header = "AREA,SEX,TIME_PERIOD,VALUE"
    assert findings("MT,,,", "MT,F,,", action="D", header=header, more=(one,)) == []
    found = findings("MT,F,2019,", action="D", header=header, more=(one,))
    assert [one.code for one in found] == ["F250"]
    excluded = constraint(box(codes("AREA", "MT"), codes("SEX", "F"), include=False))
    assert findings("MT,,,", action="D", header=header, more=(excluded,)) == []


def test_an_attribute_in_a_box() -> None:
    one = constraint(box(codes("AREA", "MT"), codes("STATUS", "A", kind="component")), box(codes("AREA", "IT", "FR")))
    rows = (row(AREA="MT", STATUS="M", VALUE=""), row(AREA="IT", STATUS="M", VALUE=""), row(AREA="MT"))
    found = [one for one in findings(*rows, more=(one,)) if one.code == "F251"]
    assert [(one.row, one.value) for one in found] == [(2, "AREA=MT, STATUS=M")]


def test_plain_constraints_are_no_matter_of_rows() -> None:
    plain = constraint(
        box(codes("AREA", "MT", "IT"), codes("SEX", "F")), box(codes("AREA", "IT"), include=False), on=AGREEMENT
    )
    allowed = allowed_codes(
        Target(structure=STRUCTURE, dataflow=FLOW.ref, provider=PROVIDER), Catalog.of([*ARTEFACTS, plain])
    )
    assert (allowed.limits, allowed.agreed) == ((), ())
    assert refused(told(plain)) == {one for one in itertools.product(AREAS, SEXES, YEARS) if one[:2] != ("MT", "F")}


def test_many_keys_are_looked_up_together() -> None:
    keys = tuple(
        key(AREA=area, SEX=sex, TIME_PERIOD=year) for area, sex, year in itertools.product(AREAS, SEXES, YEARS)
    )
    many = constraint(keys=(DataKeySet(keys=keys[::2]),))
    assert refused(told(many)) == set(itertools.islice(itertools.product(AREAS, SEXES, YEARS), 1, None, 2))


# --- any -------------------------------------------------------------------------------------------------------------

validity = st.one_of(
    st.just((None, None)), st.tuples(st.none() | st.sampled_from(YEARS), st.none() | st.sampled_from(YEARS))
)


@st.composite
def members(draw: Any, component: str) -> KeyValue:
    values = {"AREA": (*AREAS, "M%"), "SEX": SEXES, "TIME_PERIOD": YEARS}[component]
    since, until = draw(validity)
    more = {"include": draw(st.booleans()), "valid_from": since, "valid_to": until}
    if component == "TIME_PERIOD" and draw(st.booleans()):
        bounds = st.builds(TimeBound, period=st.sampled_from(YEARS), inclusive=st.booleans())
        ranges = st.one_of(
            st.builds(TimeRange, before=bounds), st.builds(TimeRange, after=bounds),
            st.builds(TimeRange, start=bounds, end=bounds),
        )  # fmt: skip
        return KeyValue(component=component, time_range=draw(ranges), **more)
    chosen = draw(st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True))
    made = [MemberValue(value=one, valid_from=a, valid_to=b) for one in chosen for a, b in [draw(validity)]]
    return KeyValue(component=component, values=tuple(made), **more)


@st.composite
def areas(draw: Any) -> tuple[KeyValue, ...]:
    ids = draw(st.lists(st.sampled_from(("AREA", "SEX", "TIME_PERIOD")), min_size=1, max_size=3, unique=True))
    return tuple(draw(members(id)) for id in ids)


@st.composite
def keys_of_a_set(draw: Any) -> DataKey:
    since, until = draw(validity)
    ids = draw(st.lists(st.sampled_from(("AREA", "SEX", "TIME_PERIOD")), min_size=1, max_size=3, unique=True))
    values = {"AREA": AREAS, "SEX": SEXES, "TIME_PERIOD": YEARS}
    made = tuple(
        codes(id, *draw(st.lists(st.sampled_from(values[id]), min_size=1, max_size=2, unique=True))) for id in ids
    )
    return DataKey(members=made, valid_from=since, valid_to=until)


regions = st.lists(st.builds(CubeRegion, include=st.booleans(), members=areas()), max_size=3).map(tuple)
key_sets = st.lists(
    st.builds(DataKeySet, included=st.booleans(), keys=st.lists(keys_of_a_set(), min_size=1, max_size=3).map(tuple)),
    max_size=2,
).map(tuple)


def within(year: str, since: str | None, until: str | None) -> bool:
    return (since is None or year >= since) and (until is None or year <= until)


def fits(member: KeyValue, line: dict[str, str], own: tuple[str | None, str | None] = (None, None)) -> bool:
    text, year = line[member.component], line["TIME_PERIOD"]
    whole = (member.valid_from, member.valid_to) if (member.valid_from or member.valid_to) else own
    found = False
    for one in member.values:
        valid = (one.valid_from, one.valid_to) if (one.valid_from or one.valid_to) else whole
        same = text.startswith(one.value[:-1]) if one.value.endswith("%") else text == one.value
        found = found or (same and within(year, *valid))
    if (range_ := member.time_range) is not None:
        low, high = range_.start or range_.after, range_.end or range_.before
        found = within(year, *whole)
        found = found and (low is None or year > low.period or (low.inclusive and year == low.period))
        found = found and (high is None or year < high.period or (high.inclusive and year == high.period))
    return found if member.include else not found


def allows(one: DataConstraint, line: dict[str, str]) -> bool:
    included = [all(fits(m, line) for m in region.members) for region in one.regions if region.include]
    if included and not any(included):
        return False
    if any(all(fits(m, line) for m in region.members) for region in one.regions if not region.include):
        return False
    is_in = not any(one.included for one in one.key_sets)
    for keys in one.key_sets:
        if any(all(fits(m, line, (k.valid_from, k.valid_to)) for m in k.members) for k in keys.keys):
            is_in = keys.included
    return is_in


@given(
    st.lists(st.builds(lambda r, k: constraint(*r, keys=k), regions, key_sets), min_size=1, max_size=2),
    st.sampled_from(["dataflow", "agreement", "an agreement each", "provider"]),
)
def test_rows_are_refused_as_a_reading_row_by_row_says(ones: list[DataConstraint], on: str) -> None:
    agreements = [replace(AGREEMENT, id=f"PA_P1_{n}" if n else AGREEMENT.id) for n in range(len(ones))]
    apart = on == "an agreement each"
    single = {"dataflow": FLOW.ref, "agreement": AGREEMENT.ref, "provider": PROVIDER}
    places = [one.ref for one in agreements] if apart else [single[on]] * len(ones)
    hung = [
        replace(one, id=f"CON_{n}", attachments=(place,))
        for n, (one, place) in enumerate(zip(ones, places, strict=True))
    ]
    lines = [
        dict(zip(("AREA", "SEX", "TIME_PERIOD"), one, strict=True)) for one in itertools.product(AREAS, SEXES, YEARS)
    ]
    hold = any if apart else all
    wanted = {tuple(line.values()) for line in lines if not hold(allows(one, line) for one in hung)}
    target = Target(structure=STRUCTURE, dataflow=FLOW.ref, provider=PROVIDER)
    allowed = allowed_codes(target, Catalog.of([*ARTEFACTS, *(agreements[1:] if apart else ()), *hung]))
    arrays = {id: pa.array([line[id] for line in lines]).dictionary_encode() for id in lines[0]}
    by_code = np.array(
        [any(id in allowed.codes and line[id] not in allowed.codes[id] for id in line) for line in lines]
    )
    breaches = list(AllowedRows(STRUCTURE, allowed).breaches(arrays, len(lines), by_code.copy()))
    rows = {int(place) for one in breaches for place in one.rows}
    assert not rows & set(np.flatnonzero(by_code).tolist())
    found = {tuple(lines[place].values()) for place in {*rows, *np.flatnonzero(by_code).tolist()}}
    assert found == wanted
