"""What every backend does: one suite, run on a real DuckDB and a real PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from sdmx_service.errors import Conflict, NotFound, SdmxError, SemanticFault, StorageFault
from sdmx_service.model.message import Action
from sdmx_service.model.query import Comparison, ComponentFilter, SortKey
from sdmx_service.model.selection import Cube
from sdmx_service.storage.port import ChangeCounts, Counts, Ranking, StagedPart, Store
from tests.storage.cubes import (
    CODED,
    FULL,
    ICE,
    ICE_NOW,
    NORTH,
    PARLOURS,
    SALES,
    SOUTH,
    attribute,
    ice_cream,
    observed,
    publish,
    read,
    row,
    select,
    stage,
    typed,
    untyped,
)

CUBE = "ICE:DSD_ICE(1)"


def where(component: str, *alternatives: list[tuple[str, str]]) -> ComponentFilter:
    """A filter: an OR of ANDs of (operator, value)."""
    tests = tuple(tuple(Comparison(operator=o, value=v) for o, v in each) for each in alternatives)  # type: ignore[arg-type]
    return ComponentFilter(component=component, alternatives=tests)


def key(freq: str = "", area: str = "", flavour: str = "") -> tuple[frozenset[str] | None, ...]:
    return tuple(frozenset(text.split("+")) if text else None for text in (freq, area, flavour))


# --- empty -----------------------------------------------------------------------------------------------------------


def test_an_empty_store_says_so(store: Store) -> None:
    assert (store.pointer().release, store.pointer().generation) == (0, 0)
    assert (store.releases(), store.cubes(), store.release_at(datetime.now(UTC))) == ([], [], 0)
    selection = select(store)
    assert store.count(selection) == Counts(series=0, observations=0)
    assert list(store.scan(selection, store.domains(selection))) == []
    assert (dict(store.attachments(selection)), list(store.series(selection, {}))) == ({}, [])
    assert store.available(selection).counts == Counts(series=0, observations=0)
    assert store.periods(Cube.of(ICE)) == []
    assert list(store.senders(selection)) == []


def test_migrating_again_changes_nothing(store: Store) -> None:
    publish(store, ("M", [row("A", "X", "VAN", "2020", "1")]))
    store.migrate()
    assert observed(store) == ["X.VAN.2020=1"]


def test_a_store_of_a_newer_program_is_refused(store: Store) -> None:
    with store._engine.transaction() as session:  # type: ignore[attr-defined]
        session.execute("INSERT INTO migrations VALUES (99)")
    with pytest.raises(StorageFault, match="this program knows"):
        store.migrate()


# --- values come back as they were sent ------------------------------------------------------------------------------


def test_every_kind_of_value_comes_back(store: Store) -> None:
    publish(store, ("M", [FULL]))
    assert read(store, select(store)) == [FULL]


@pytest.mark.parametrize(
    "text",
    ["1", "1.0", "1.50", "-0.00", "0.1", "1e3", "+5", "123456789012345678901234567890.5", "NaN", "#N/A", "INF", "007"],
)
def test_a_number_keeps_its_digits(store: Store, text: str) -> None:
    publish(store, ("M", [row("A", "X", "VAN", "2020", text)]))
    assert observed(store) == [f"X.VAN.2020={text}"]


def test_awkward_texts_come_back(store: Store) -> None:
    shop = "'; DROP TABLE c1_series; --\\ %s $1 {0}\n\t\"é𝄞"
    publish(store, ("M", [row("A", shop, "VAN", "2020", "1", SHOP=shop, STATUS="")]))
    (line,) = read(store, select(store, keys=(key("A", "", "VAN"),), filters=(where("SHOP", [("eq", shop)]),)))
    assert (line["AREA"], line["SHOP"], line["STATUS"]) == (shop, shop, "")


def test_without_time(store: Store) -> None:
    rows = [row("A", "X", "VAN", None, "1"), row("A", "X", "LEM", None, "2")]
    publish(store, ("M", rows), structure=ICE_NOW)
    selection = select(store, structure=ICE_NOW)
    assert sorted(line["SCOOPS"] for line in read(store, selection)) == ["1", "2"]
    assert "TIME_PERIOD" not in store.domains(selection)
    assert store.available(selection).first_period is None
    publish(store, ("D", [{"FLAVOUR": "LEM"}]), structure=ICE_NOW)
    assert [line["FLAVOUR"] for line in read(store, select(store, structure=ICE_NOW))] == ["VAN"]


def test_a_minor_version_widens_the_cube(store: Store) -> None:
    publish(store, ("M", [row("A", "X", "VAN", "2020", "1")]))
    wider = ice_cream(
        version="1.1.0", more=[attribute("CONE", CODED, "observation"), attribute("HALL", CODED, "dataset")]
    )
    unknown = select(store, structure=wider)
    assert [line.get("CONE") for line in read(store, unknown)] == [None]
    assert store.available(unknown, ["CONE", "HALL"]).values == {"CONE": [], "HALL": []}
    assert store.open_cube(wider) == store.open_cube(ICE) == Cube.of(ICE)
    assert [line.get("CONE") for line in read(store, select(store, structure=wider))] == [None]
    (batch,) = store.scan(select(store, structure=wider), {})
    assert batch.schema.names == typed(wider, []).schema.names
    publish(store, ("M", [row("A", "X", "VAN", "2021", "2", CONE="BIG", HALL="H")]), structure=wider)
    (batch,) = store.scan(select(store), {})
    assert batch.schema.names == typed(ICE, []).schema.names
    assert [line.get("CONE") for line in read(store, select(store, structure=wider))] == [None, "BIG"]
    assert observed(store) == ["X.VAN.2020=1", "X.VAN.2021=2"]
    with pytest.raises(StorageFault, match="major"):
        store.open_cube(ice_cream(version="1.2.0", more=[attribute("CONE", CODED, "dataset")]))


# --- the action matrix (SDMX-CSV 2.1 field guide, section on actions) ------------------------------------------------


def test_merge_leaves_what_is_omitted(store: Store) -> None:
    publish(store, ("M", [FULL]))
    publish(store, ("M", [row("A", "X", "VAN", "2020", "2", STATUS="P")]))
    assert read(store, select(store)) == [FULL | {"SCOOPS": "2", "STATUS": "P"}]


def test_replace_empties_what_is_omitted_in_the_observation(store: Store) -> None:
    publish(store, ("M", [FULL]))
    publish(store, ("R", [row("A", "X", "VAN", "2020", "2")]))
    above = {id: FULL[id] for id in ("UNIT", "FACTOR", "SHOP", "TASTERS", "SOURCE")}
    assert read(store, select(store)) == [row("A", "X", "VAN", "2020", "2") | above]


def test_replace_of_a_level_empties_its_omitted_attributes(store: Store) -> None:
    publish(store, ("M", [FULL]))
    publish(store, ("R", [{"FREQ": "A", "AREA": "X", "FLAVOUR": "VAN", "FACTOR": "2"}]))
    assert read(store, select(store)) == [{id: v for id, v in FULL.items() if id != "UNIT"} | {"FACTOR": "2"}]


def test_attributes_without_observations_are_merged_at_their_level(store: Store) -> None:
    lines = [row("A", "X", "VAN", "2020", "1"), row("A", "Y", "VAN", "2020", "2")]
    publish(store, ("M", [*lines, {"AREA": "X", "SHOP": "Gino"}, {"SOURCE": {"en": "us"}}]))
    shops = {line["AREA"]: (line.get("SHOP"), line["SOURCE"]) for line in read(store, select(store))}
    assert shops == {"X": ("Gino", {"en": "us"}), "Y": (None, {"en": "us"})}


def test_within_a_message_the_last_word_holds(store: Store) -> None:
    publish(
        store, ("M", [row("A", "X", "VAN", "2020", "1", STATUS="A"), row("A", "X", "VAN", "2020", "2", MOOD="BAD")])
    )
    assert read(store, select(store)) == [row("A", "X", "VAN", "2020", "2", STATUS="A", MOOD="BAD")]
    publish(store, ("R", [row("A", "X", "VAN", "2020", "3", STATUS="A"), row("A", "X", "VAN", "2020", "4")]))
    assert read(store, select(store)) == [row("A", "X", "VAN", "2020", "4")]


def test_a_value_without_the_dimensions_it_needs_is_refused(store: Store) -> None:
    for line in ({"FREQ": "A", "AREA": "X", "UNIT": "EUR"}, row("A", "X", "VAN", None, "1"), {"SHOP": "Gino"}):
        with pytest.raises(SemanticFault, match="on which it depends"):
            stage(store, "S", ("M", [line]))


def test_a_period_that_is_none_is_refused_and_changes_nothing(store: Store) -> None:
    stage(store, "S", ("M", [row("A", "X", "VAN", "202O", "1")]))
    with pytest.raises(SdmxError, match="202O"):
        store.publish(["S"])
    assert (store.pointer().release, observed(store)) == (0, [])
    publish(store, ("M", [row("A", "X", "VAN", "2020", "1")]))
    assert observed(store) == ["X.VAN.2020=1"]


# --- counts, preview, releases ---------------------------------------------------------------------------------------


def test_counts_and_preview_agree(store: Store) -> None:
    publish(
        store,
        (
            "M",
            [row("A", "X", "VAN", "2020", "1"), row("A", "X", "VAN", "2021", "2"), row("A", "X", "VAN", "2022", "3")],
        ),
    )
    stage(
        store,
        "next",
        (
            "M",
            [row("A", "X", "VAN", "2020", "1"), row("A", "X", "VAN", "2021", "2.0"), row("A", "Y", "VAN", "2020", "4")],
        ),
        ("D", [row("A", "X", "VAN", "2022")]),
    )
    wanted = [ChangeCounts(dataflow=SALES, inserted=1, changed=1, unchanged=1, deleted=1)]
    assert store.preview("next") == wanted
    assert store.pointer().release == 1
    assert observed(store) == ["X.VAN.2020=1", "X.VAN.2021=2", "X.VAN.2022=3"]
    assert store.publish(["next"])[1] == wanted
    assert sorted(observed(store)) == ["X.VAN.2020=1", "X.VAN.2021=2.0", "Y.VAN.2020=4"]


def test_the_same_again_changes_nothing(store: Store) -> None:
    publish(store, ("M", [FULL]))
    stage(store, "again", ("M", [FULL]))
    assert store.publish(["again"])[1] == [ChangeCounts(dataflow=SALES, unchanged=1)]
    assert observed(store, changed_since=1) == []


def test_releases_are_numbered_and_timed(store: Store) -> None:
    publish(store, ("M", [row("A", "X", "VAN", "2020", "1")]), submission="one")
    stage(store, "two", ("M", [row("A", "X", "VAN", "2020", "2")]))
    release, _ = store.publish(["two"], base=1, comment="the second")
    first, second = store.releases()
    assert (second, second.number, second.comment, second.submissions) == (release, 2, "the second", ("two",))
    assert first.submissions == ("one",)
    assert first.published_at < second.published_at
    assert store.pointer().published_at == second.published_at
    early, late = first.published_at - timedelta(days=1), second.published_at + timedelta(days=1)
    assert [store.release_at(one) for one in (early, first.published_at, second.published_at, late)] == [0, 1, 2, 2]
    for number in range(3):
        assert observed(store, release=number) == [[], ["X.VAN.2020=1"], ["X.VAN.2020=2"]][number]


def test_a_stale_base_and_an_unknown_submission_are_conflicts(store: Store) -> None:
    publish(store, ("M", [row("A", "X", "VAN", "2020", "1")]))
    with pytest.raises(Conflict, match="current"):
        store.publish(["S"], base=0)
    with pytest.raises(Conflict, match="no kept rows"):
        store.publish(["nobody"])
    with pytest.raises(NotFound):
        store.restore(9)
    assert store.pointer().release == 1


def test_restoring_makes_a_new_release_like_an_old_one(store: Store) -> None:
    publish(store, ("M", [FULL, row("A", "Y", "VAN", "2020", "9")]))
    publish(store, ("D", [{}]), ("M", [row("A", "Z", "VAN", "2020", "1")]))
    release = store.restore(1, comment="back")
    assert (release.number, release.comment) == (3, "back")
    assert read(store, select(store)) == read(store, select(store, release=1))
    store.restore(0)
    assert observed(store) == []
    assert observed(store, release=2) == ["Z.VAN.2020=1"]


# --- kept rows -------------------------------------------------------------------------------------------------------


def test_kept_rows_come_back_as_typed(store: Store, reopen: Callable[[], Store]) -> None:
    part = StagedPart(structure=ICE, dataflow=SALES, provider=NORTH, action=Action.MERGE)
    other = StagedPart(structure=ICE, dataflow=SALES, provider=NORTH, action=Action.DELETE)
    batch, deletes = typed(ICE, [FULL]), typed(ICE, [{"AREA": "X"}])
    load = store.stage("S")
    load.append(part, batch)
    load.append(part, batch)
    load.append(other, deletes)
    assert_nothing_kept(store, "S")
    load.keep()
    store = reopen()
    found = list(store.staged("S"))
    assert [one.action for one, _ in found] == [Action.MERGE, Action.DELETE]
    assert all(one == (part if one.action is Action.MERGE else other) for one, _ in found)
    assert [line for _, rows in found for line in untyped(ICE, rows)] == [FULL, FULL, {"AREA": "X"}]
    assert found[0][1].schema == batch.schema
    with pytest.raises(Conflict):
        load.append(part, batch)


def assert_nothing_kept(store: Store, submission: str) -> None:
    with pytest.raises(Conflict):
        list(store.staged(submission))


def test_a_discarded_load_leaves_what_was_kept_before(store: Store) -> None:
    stage(store, "S", ("M", [row("A", "X", "VAN", "2020", "1")]))
    load = store.stage("S")
    load.append(StagedPart(structure=ICE, dataflow=SALES, provider=NORTH, action=Action.MERGE), typed(ICE, [FULL]))
    load.discard()
    assert [line["SCOOPS"] for _, rows in store.staged("S") for line in untyped(ICE, rows)] == ["1"]
    stage(store, "S", ("M", [row("A", "X", "VAN", "2020", "7")]))
    store.publish(["S"])
    assert observed(store) == ["X.VAN.2020=7"]


def test_omitted_columns_and_other_types_of_text_are_taken(store: Store) -> None:
    batch = pa.record_batch({"FREQ": ["A"], "AREA": ["X"], "FLAVOUR": ["VAN"], "TIME_PERIOD": ["2020"], "SCOOPS": [1.5],
                             "SCOOPS.decimals": pa.array([1], pa.int8()), "_row": [7]})  # fmt: skip
    load = store.stage("S")
    load.append(StagedPart(structure=ICE, dataflow=SALES, provider=NORTH, action=Action.MERGE), batch)
    load.keep()
    store.publish(["S"])
    assert read(store, select(store)) == [row("A", "X", "VAN", "2020", "1.5")]


# --- who is shown ----------------------------------------------------------------------------------------------------


def test_providers_and_dataflows_do_not_overwrite_each_other(store: Store) -> None:
    publish(store, ("M", [row("A", "X", "VAN", "2020", "1", UNIT="N")]), provider=NORTH)
    publish(
        store, ("M", [row("A", "X", "VAN", "2020", "2", UNIT="S"), row("A", "X", "VAN", "2021", "3")]), provider=SOUTH
    )
    publish(store, ("M", [row("A", "X", "VAN", "2020", "4")]), provider=SOUTH, dataflow=PARLOURS)
    assert observed(store) == ["X.VAN.2020=1", "X.VAN.2021=3"]
    assert observed(store, dataflows=(PARLOURS,)) == ["X.VAN.2020=4"]
    assert observed(store, "datastructure") == [
        "X.VAN.2020=4",
        "X.VAN.2021=3",
    ]  # DF_PARLOURS is before DF_SALES by name
    assert sorted(observed(store, "provisionagreement")) == [
        "X.VAN.2020=1",
        "X.VAN.2020=2",
        "X.VAN.2020=4",
        "X.VAN.2021=3",
    ]
    assert {line.get("UNIT") for line in read(store, select(store))} == {"N"}
    assert store.count(select(store)) == Counts(series=1, observations=2)
    assert store.count(select(store, "provisionagreement")) == Counts(series=3, observations=4)
    assert store.senders(select(store)) == {NORTH, SOUTH}
    assert store.senders(select(store, dataflows=(PARLOURS,))) == {SOUTH}
    assert store.senders(select(store, dataflows=None)) == {NORTH, SOUTH}


def test_a_ranking_is_a_release(store: Store) -> None:
    for provider, scoops in ((NORTH, "1"), (SOUTH, "2")):
        publish(store, ("M", [row("A", "X", "VAN", "2020", scoops, SHOP=provider)]), provider=provider)
    release, counts = store.publish([], ranking=Ranking(providers={SALES: [SOUTH]}), comment="south first")
    assert (release.number, counts) == (3, [])
    assert [(line["SCOOPS"], line["SHOP"]) for line in read(store, select(store))] == [("2", SOUTH)]
    assert observed(store, release=2) == ["X.VAN.2020=1"]
    assert observed(store, changed_since=2) == ["X.VAN.2020=2"]
    assert list(store.scan_deleted(select(store, changed_since=2))) == []
    publish(store, ("M", [row("A", "X", "VAN", "2020", "3")]), provider=NORTH)
    assert observed(store) == ["X.VAN.2020=2"]
    store.restore(2)
    assert observed(store) == ["X.VAN.2020=1"]


def test_of_what_a_provider_gave_only_what_is_shown(store: Store) -> None:
    publish(store, ("M", [row("A", "X", "VAN", "2020", "1", UNIT="N")]), provider=NORTH)
    publish(
        store,
        (
            "M",
            [
                row("A", "X", "VAN", "2020", "2", UNIT="S"),
                row("A", "X", "VAN", "2021", "3"),
                row("A", "Y", "LEM", "2020", "4"),
            ],
        ),
        provider=SOUTH,
    )
    wanted = {
        NORTH: [("X.VAN.2020=1", "N")],
        SOUTH: [("X.VAN.2021=3", "S"), ("Y.LEM.2020=4", None)],
    }
    ways: list[dict[str, Any]] = [
        {},
        {"sort": (SortKey(component="SCOOPS"),)},
        {"keys": ((frozenset("A"), None, None),)},
    ]
    for more in ways:
        for provider, expected in wanted.items():
            one = select(store, "provisionagreement", providers=(provider,), only_shown=True, **more)
            said = [
                (f"{r['AREA']}.{r['FLAVOUR']}.{r['TIME_PERIOD']}={r['SCOOPS']}", r.get("UNIT"))
                for r in read(store, one)
            ]
            assert sorted(said, key=str) == expected, (provider, more)
            assert store.count(one).observations == len(expected)
    exact = select(
        store, "provisionagreement", providers=(SOUTH,), only_shown=True,
        keys=((frozenset("A"), frozenset("X"), frozenset({"VAN"})),),
    )  # fmt: skip
    assert [(r["TIME_PERIOD"], r.get("UNIT")) for r in read(store, exact)] == [("2021", "S")]
    assert store.domains(exact)["TIME_PERIOD"] == ["2021"]


def test_rows_say_where_they_are_from_when_asked_together(store: Store) -> None:
    publish(store, ("M", [row("A", "X", "VAN", "2020", "1")]), provider=NORTH)
    publish(store, ("M", [row("A", "X", "VAN", "2020", "2")]), provider=SOUTH, dataflow=PARLOURS)
    origins = lambda **more: [(r.get("_dataflow"), r.get("_provider")) for r in read(store, select(store, **more))]  # noqa: E731
    assert sorted(origins(context="provisionagreement")) == [(PARLOURS, SOUTH), (SALES, NORTH)]
    assert sorted(origins(context="dataflow", dataflows=None)) == [(PARLOURS, SOUTH), (SALES, NORTH)]
    assert origins(context="dataflow") == [(None, None)]
    assert origins(context="datastructure") == [(None, None)]
    selection = select(store, "provisionagreement", providers=(SOUTH,))
    (batch,) = store.scan(selection, store.domains(selection))
    assert batch.schema.names[:3] == ["_dataflow", "_provider", "FREQ"]
    assert observed(store, "provisionagreement", providers=("ICE.NOBODY",)) == []
    assert observed(store, dataflows=("ICE:DF_NONE(1)",)) == []


# --- selections ------------------------------------------------------------------------------------------------------

MANY = [
    row(
        "A",
        "X",
        "VAN",
        "2020",
        "1",
        STATUS="A",
        MOOD="GOOD",
        TOPPINGS=["NUT", "FIG"],
        UNIT="EUR",
        SHOP="Gino",
        FACTOR="10",
    ),
    row("A", "X", "VAN", "2021", "2.5", STATUS="E", REMARK={"en": "cold"}),
    row("A", "X", "LEM", "2020", "-3", UNIT="USD", TASTERS=["K", "L"]),
    row("A", "Y", "VAN", "2020", "NaN", STATUS="a", UNIT="EUR", SHOP="Äpfel"),
    row("Q", "Y", "VAN", "2020-Q1", "10", TOPPINGS=["FIG"], FACTOR="9"),
    row("Q", "Y", "VAN", "2020-Q2", None, SOURCE={"en": "us"}),
]
V20, V21, LEM, Y20, Q1, Q2 = (
    "X.VAN.2020=1", "X.VAN.2021=2.5", "X.LEM.2020=-3", "Y.VAN.2020=NaN", "Y.VAN.2020-Q1=10", "Y.VAN.2020-Q2=",
)  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ((key(),), {V20, V21, LEM, Y20, Q1, Q2}),
        ((key("A", "X", "VAN"),), {V20, V21}),
        ((key("A", "X+Y", "VAN"),), {V20, V21, Y20}),
        ((key("", "X"),), {V20, V21, LEM}),
        ((key("A", "X"),), {V20, V21, LEM}),
        ((key("", "", "LEM"), key("Q")), {LEM, Q1, Q2}),
        ((key("A", "X", "LEM"), key("Q", "Y", "VAN")), {LEM, Q1, Q2}),
        ((key("A", "X", "LEM"), key("Q", "Y")), {LEM, Q1, Q2}),
        ((key("A", "Z", "VAN"),), set()),
        ((key("", "Z"),), set()),
    ],
)
def test_keys(store: Store, keys: Any, wanted: set[str]) -> None:
    publish(store, ("M", MANY))
    found = observed(store, keys=keys)
    assert (set(found), len(found)) == (wanted, len(wanted))
    series = {(*text.split(".")[:2], text[6:].count("Q")) for text in wanted}
    assert store.count(select(store, keys=keys)) == Counts(series=len(series), observations=len(wanted))


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ([where("AREA", [("eq", "X")])], {V20, V21, LEM}),
        ([where("AREA", [("ne", "X")])], {Y20, Q1, Q2}),
        ([where("AREA", [("ge", "X"), ("lt", "Y")])], {V20, V21, LEM}),
        ([where("FLAVOUR", [("sw", "V")], [("ew", "M")])], {V20, V21, LEM, Y20, Q1, Q2}),
        ([where("FLAVOUR", [("co", "A")]), where("FREQ", [("nc", "A")])], {Q1, Q2}),
        ([where("STATUS", [("eq", "A")])], {V20}),
        ([where("STATUS", [("ne", "A")])], {V21, Y20}),
        ([where("STATUS", [("gt", "E")])], {Y20}),
        ([where("MOOD", [("ne", "BAD")])], {V20}),
        ([where("SCOOPS", [("gt", "1")])], {V21, Q1}),
        ([where("SCOOPS", [("ge", "1"), ("lt", "2.50")])], {V20}),
        ([where("SCOOPS", [("eq", "1.0")])], {V20}),
        ([where("SCOOPS", [("lt", "0")], [("eq", "10")])], {LEM, Q1}),
        ([where("SCOOPS", [("ne", "1")])], {V21, LEM, Y20, Q1}),
        ([where("SCOOPS", [("eq", "NaN")])], {Y20}),
        ([where("SCOOPS", [("ne", "NaN")])], {V20, V21, LEM, Q1}),
        ([where("TOPPINGS", [("eq", "FIG")])], {V20, Q1}),
        ([where("TOPPINGS", [("eq", "F")])], set()),
        ([where("TOPPINGS", [("sw", "N")])], {V20}),
        ([where("REMARK", [("co", "ol")])], {V21}),
        ([where("UNIT", [("eq", "EUR")])], {V20, V21, Y20}),
        ([where("UNIT", [("ne", "EUR")])], {LEM}),
        ([where("FACTOR", [("gt", "9.5")])], {V20, V21}),
        ([where("SHOP", [("eq", "Äpfel")])], {Y20, Q1, Q2}),
        ([where("SHOP", [("eq", "nobody")])], set()),
        ([where("TASTERS", [("eq", "L")])], {LEM}),
        ([where("SOURCE", [("eq", "us")])], {V20, V21, LEM, Y20, Q1, Q2}),
        ([where("SOURCE", [("eq", "them")])], set()),
        ([where("TIME_PERIOD", [("eq", "2020")])], {V20, LEM, Y20, Q1, Q2}),
        ([where("TIME_PERIOD", [("gt", "2020-03")])], {V21, Q2}),
        ([where("NOTHING", [("eq", "1")])], set()),
    ],
)
def test_filters(store: Store, filters: Any, wanted: set[str]) -> None:
    publish(store, ("M", MANY))
    publish(store, ("M", [row("A", "X", "VAN", "2020", "5", UNIT="EUR", SHOP="Äpfel")]), dataflow=PARLOURS)
    found = observed(store, filters=tuple(filters))
    assert (set(found), len(found)) == (wanted, len(wanted))
    assert store.count(select(store, filters=tuple(filters))).observations == len(wanted)


def test_a_comparison_that_numbers_do_not_know_is_refused(store: Store) -> None:
    publish(store, ("M", MANY))
    for operator, value in (("co", "1"), ("gt", "many"), ("lt", "NaN")):
        with pytest.raises(SdmxError):
            observed(store, filters=(where("SCOOPS", [(operator, value)]),))


def test_periods(store: Store) -> None:
    publish(store, ("M", MANY))
    assert store.periods(Cube.of(ICE)) == ["2020-Q1", "2020", "2020-Q2", "2021"]
    found = select(store, periods=frozenset({"2021", "2020-Q2", "1999"}))
    assert [line["TIME_PERIOD"] for line in sorted(read(store, found), key=lambda line: line["AREA"])] == [
        "2021",
        "2020-Q2",
    ]
    assert store.count(found) == Counts(series=2, observations=2)
    assert store.domains(found)["AREA"] == ["X", "Y"]
    assert store.domains(select(store, periods=frozenset({"2021"})))["AREA"] == ["X"]
    assert observed(store, periods=frozenset()) == []


def test_periods_that_come_later_stand_in_their_place(store: Store) -> None:
    for period in ("2021", "2020", "2020-Q1", "2019"):
        publish(store, ("M", [row("A", "X", "VAN", period, "1")]))
    assert observed(store) == [f"X.VAN.{period}=1" for period in ("2019", "2020-Q1", "2020", "2021")]


@pytest.mark.parametrize(
    ("first", "last", "wanted"),
    [
        (1, None, ["2019"]),
        (None, 1, ["2022"]),
        (2, 1, ["2019", "2020", "2022"]),
        (3, 3, ["2019", "2020", "2021", "2022"]),
        (9, None, ["2019", "2020", "2021", "2022"]),
    ],
)
def test_first_and_last_observations_of_each_series(store: Store, first: Any, last: Any, wanted: list[str]) -> None:
    years = ("2021", "2019", "2022", "2020")
    publish(store, ("M", [row("A", area, "VAN", year, "1") for area in ("X", "Y") for year in years]))
    found = observed(store, first_n=first, last_n=last)
    assert sorted(found) == sorted(f"{area}.VAN.{year}=1" for area in ("X", "Y") for year in wanted)
    selection = select(store, first_n=first, last_n=last)
    assert store.count(selection) == Counts(series=2, observations=2 * len(wanted))
    assert store.domains(selection)["TIME_PERIOD"] == wanted
    only = select(store, first_n=1, periods=frozenset({"2021", "2022"}))
    assert {line["TIME_PERIOD"] for line in read(store, only)} == {"2021"}


def test_first_observations_of_what_is_shown_together(store: Store) -> None:
    publish(store, ("M", [row("A", "X", "VAN", "2021", "1")]), provider=NORTH)
    publish(store, ("M", [row("A", "X", "VAN", "2020", "2"), row("A", "X", "VAN", "2022", "3")]), provider=SOUTH)
    assert observed(store, first_n=2) == ["X.VAN.2020=2", "X.VAN.2021=1"]
    assert sorted(observed(store, "provisionagreement", first_n=1)) == ["X.VAN.2020=2", "X.VAN.2021=1"]


def test_paging(store: Store) -> None:
    publish(store, ("M", [row("A", area, "VAN", str(year), "1") for area in "PQRSTUV" for year in range(2010, 2015)]))
    everything = observed(store)
    for offset, limit in ((0, 3), (3, 4), (4, 1), (5, 5), (34, 10), (35, 1), (99, None), (0, 0), (7, None)):
        end = None if limit is None else offset + limit
        page = observed(store, offset=offset, limit=limit)
        assert page == everything[offset:end]
        counts = store.count(select(store, offset=offset, limit=limit))
        assert counts == Counts(series=len({text[:1] for text in page}), observations=len(page))


def test_components(store: Store) -> None:
    publish(store, ("M", [FULL]))
    found = select(store, components=("SCOOPS", "UNIT"))
    assert read(store, found) == [{id: FULL[id] for id in ("FREQ", "AREA", "FLAVOUR", "TIME_PERIOD", "SCOOPS", "UNIT")}]
    assert set(store.domains(found)) == {"FREQ", "AREA", "FLAVOUR", "TIME_PERIOD", "UNIT"}
    assert dict(store.attachments(found)) == {}
    keys_only = select(store, components=())
    assert read(store, keys_only) == [{id: FULL[id] for id in ("FREQ", "AREA", "FLAVOUR", "TIME_PERIOD")}]


def test_rows_are_typed_over_the_domains(store: Store) -> None:
    publish(store, ("M", MANY))
    selection = select(store)
    domains = store.domains(selection)
    (batch,) = store.scan(selection, domains)
    for id in ("FREQ", "AREA", "FLAVOUR", "TIME_PERIOD", "STATUS", "UNIT"):
        assert batch.column(id).dictionary.to_pylist() == list(domains[id])
    wider = dict(domains) | {"AREA": ["0", "X", "Y", "Z"]}
    (again,) = store.scan(selection, wider)
    assert again.column("AREA").dictionary.to_pylist() == ["0", "X", "Y", "Z"]
    assert untyped(ICE, again) == untyped(ICE, batch)
    with pytest.raises(StorageFault, match="not in the domain"):
        list(store.scan(selection, dict(domains) | {"AREA": ["Y"]}))


def test_domains_and_availability(store: Store) -> None:
    publish(store, ("M", MANY))
    domains = store.domains(select(store))
    assert domains == {
        "FREQ": ["A", "Q"], "AREA": ["X", "Y"], "FLAVOUR": ["LEM", "VAN"],
        "TIME_PERIOD": ["2020-Q1", "2020", "2020-Q2", "2021"], "MOOD": ["GOOD"], "STATUS": ["A", "E", "a"],
        "TOPPINGS": ["FIG", "NUT"], "UNIT": ["EUR", "USD"], "TASTERS": ["K", "L"], "REMARK": ["en"], "SOURCE": ["en"],
    }  # fmt: skip
    available = store.available(select(store, keys=(key("", "X"),)))
    assert available.values == {
        "FREQ": ["A"],
        "AREA": ["X"],
        "FLAVOUR": ["LEM", "VAN"],
        "TIME_PERIOD": ["2020", "2021"],
    }
    assert (available.counts, available.first_period, available.last_period) == (
        Counts(series=2, observations=3),
        "2020",
        "2021",
    )
    some = store.available(select(store), ["UNIT", "FLAVOUR", "SHOP"])
    assert some.values == {"FLAVOUR": ["LEM", "VAN"], "UNIT": ["EUR", "USD"], "SHOP": ["Gino", "Äpfel"]}
    assert (some.first_period, some.last_period) == ("2020-Q1", "2021")


# --- attachments and series ------------------------------------------------------------------------------------------


def test_attachments(store: Store) -> None:
    publish(store, ("M", MANY))
    publish(store, ("M", [row("A", "X", "VAN", "2020", "1", SHOP="Other")]), provider=SOUTH)
    tables = {id: table.to_pylist() for id, table in store.attachments(select(store)).items()}
    assert tables == {
        "SHOP": [{"AREA": "X", "SHOP": "Gino"}, {"AREA": "Y", "SHOP": "Äpfel"}],
        "TASTERS": [{"AREA": "X", "FLAVOUR": "LEM", "TASTERS": ["K", "L"]}],
        "SOURCE": [{"SOURCE": [("en", "us")]}],
    }
    only = store.attachments(select(store, keys=(key("", "Y"),)))
    assert {id: table.num_rows for id, table in only.items()} == {"SHOP": 1, "TASTERS": 0, "SOURCE": 1}
    both = store.attachments(select(store, "provisionagreement"))["SHOP"].to_pylist()
    assert {(line["_provider"], line["AREA"], line["SHOP"]) for line in both} == {
        (NORTH, "X", "Gino"),
        (NORTH, "Y", "Äpfel"),
        (SOUTH, "X", "Other"),
    }
    publish(store, ("M", [row("A", "Y", "VAN", "2020", "77")]))
    changed = store.attachments(select(store, changed_since=2))  # those of the rows told
    assert {id: table.num_rows for id, table in changed.items()} == {"SHOP": 1, "TASTERS": 0, "SOURCE": 1}
    assert changed["SHOP"].to_pylist() == [{"AREA": "Y", "SHOP": "Äpfel"}]


def test_rows_of_a_series_with_another_attribute_value_count_as_changed(store: Store) -> None:
    publish(store, ("M", MANY))
    publish(store, ("M", [{"FREQ": "A", "AREA": "X", "FLAVOUR": "VAN", "UNIT": "USD"}]))
    assert observed(store, changed_since=1) == [V20, V21]
    assert observed(store, changed_since=1, components=("SCOOPS",)) == []
    publish(store, ("D", [{"FREQ": "A", "AREA": "X", "FLAVOUR": "VAN", "UNIT": "-"}]))
    assert observed(store, changed_since=2) == [V20, V21]
    assert observed(store, changed_since=0, release=1) == observed(store, release=1)


def test_series_without_observations(store: Store) -> None:
    publish(store, ("M", MANY))
    selection = select(store)
    lines = [line for batch in store.series(selection, store.domains(selection)) for line in untyped(ICE, batch)]
    assert sorted(
        (line["FREQ"], line["AREA"], line["FLAVOUR"], line.get("UNIT"), line.get("SHOP")) for line in lines
    ) == [
        ("A", "X", "LEM", "USD", "Gino"),
        ("A", "X", "VAN", "EUR", "Gino"),
        ("A", "Y", "VAN", "EUR", "Äpfel"),
        ("Q", "Y", "VAN", None, "Äpfel"),
    ]
    assert all("TIME_PERIOD" not in line and "SCOOPS" not in line for line in lines)
    page = select(store, offset=1, limit=2)
    assert [line for batch in store.series(page, {}) for line in untyped(ICE, batch)] == lines[1:3]
    late = select(store, periods=frozenset({"2021"}))
    assert [line["FLAVOUR"] for batch in store.series(late, {}) for line in untyped(ICE, batch)] == ["VAN"]


def test_series_that_have_attributes_only(store: Store) -> None:
    publish(
        store, ("M", [*MANY, {"FREQ": "A", "AREA": "Z", "FLAVOUR": "FIG", "UNIT": "EUR"}, {"AREA": "Z", "SHOP": "Zoe"}])
    )
    selection = select(store)
    lines = [line for batch in store.series(selection, {}) for line in untyped(ICE, batch)]
    assert lines[-1] == {
        "FREQ": "A",
        "AREA": "Z",
        "FLAVOUR": "FIG",
        "UNIT": "EUR",
        "SHOP": "Zoe",
        "SOURCE": {"en": "us"},
    }
    assert len(lines) == 5
    only = select(store, keys=(key("A", "Z", "FIG"),))
    assert [line for batch in store.series(only, {}) for line in untyped(ICE, batch)] == lines[-1:]
    assert store.count(only) == Counts(series=0, observations=0)
    assert [line for batch in store.series(select(store, keys=(key("Q"),)), {}) for line in untyped(ICE, batch)] == [
        line for line in lines if line["FREQ"] == "Q"
    ]


# --- documents and artefacts -----------------------------------------------------------------------------------------


def test_documents(store: Store, reopen: Callable[[], Store]) -> None:
    store.save_document("receipt", "b", {"n": 1, "text": "é'\""})
    store.save_document("receipt", "a", {"n": 2})
    store.save_document("principal", "a", {"n": 3})
    store.save_document("receipt", "b", {"n": 4})
    store = reopen()
    assert store.document("receipt", "b") == {"n": 4}
    assert store.documents("receipt") == [("b", {"n": 4}), ("a", {"n": 2})]
    store.remove_document("receipt", "b")
    assert (store.document("receipt", "b"), store.document("receipt", "x")) == (None, None)
    assert store.documents("principal") == [("a", {"n": 3})]


def test_files_are_kept_as_they_came(store: Store, reopen: Callable[[], Store]) -> None:
    store.save_file("a", [b"old"])
    store.save_file("a", iter([b"\x00\xff'", b"more"]))
    store.save_file("b", [b"other"])
    store = reopen()
    assert list(store.file("a")) == [b"\x00\xff'", b"more"]
    assert list(store.file("none")) == []

    def broken() -> Iterator[bytes]:
        yield b"half"
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        store.save_file("b", broken())
    assert list(store.file("b")) == [b"other"]


def test_files_that_an_earlier_version_kept_are_read(store: Store) -> None:
    with store._engine.transaction() as session:  # type: ignore[attr-defined]
        session.keep(
            "files", [{"_id": "a", "_part": number, "_body": body} for number, body in enumerate((b"1", b"2"))]
        )
    assert list(store.file("a")) == [b"1", b"2"]


def test_artefacts_have_generations(store: Store) -> None:
    assert store.artefacts() == {}
    assert store.save_artefacts({"urn:b": b"\x00\xffb", "urn:a": b"a"}) == 1
    assert store.save_artefacts({"urn:b": None, "urn:c": b"c", "urn:a": b"A"}) == 2
    assert store.pointer().generation == 2
    assert dict(store.artefacts()) == {"urn:a": b"A", "urn:c": b"c"}
    assert list(store.artefacts(1).items()) == [("urn:a", b"a"), ("urn:b", b"\x00\xffb")]
    assert store.artefacts(0) == {}


def test_generations_have_times(store: Store, reopen: Callable[[], Store]) -> None:
    before = datetime.now(UTC)
    assert (store.generation_at(before), store.pointer().changed_at) == (0, store.pointer().published_at)
    store.save_artefacts({"urn:a": b"a"})
    first = store.pointer().changed_at
    assert abs(first - before) < timedelta(minutes=1)
    store.save_artefacts({"urn:a": b"A"})
    second = store.pointer().changed_at
    assert second > first
    step = timedelta(microseconds=1)
    moments = (first - step, first, second - step, second, second + timedelta(days=1))
    assert [store.generation_at(moment) for moment in moments] == [0, 1, 1, 2, 2]
    again = reopen()
    assert [again.generation_at(moment) for moment in moments] == [0, 1, 1, 2, 2]


def test_a_release_is_the_later_change(store: Store) -> None:
    store.save_artefacts({"urn:a": b"a"})
    publish(store, ("M", [row("A", "X", "VAN", "2020", "1")]))
    pointer = store.pointer()
    assert pointer.changed_at == pointer.published_at
    store.save_artefacts({"urn:b": b"b"})
    assert store.pointer().changed_at > store.pointer().published_at == pointer.published_at


def test_artefacts_of_a_stale_base_are_a_conflict(store: Store) -> None:
    assert store.save_artefacts({"urn:a": b"a"}, 0) == 1
    with pytest.raises(Conflict, match="Generation 1"):
        store.save_artefacts({"urn:a": b"b"}, 0)
    assert dict(store.artefacts()) == {"urn:a": b"a"}
    assert store.save_artefacts({"urn:a": b"b"}, 1) == 2


def test_of_several_on_one_base_one_is_first(store: Store) -> None:
    outcomes: list[str] = []

    def save(body: bytes) -> None:
        try:
            store.save_artefacts({"urn:a": body}, 0)
            outcomes.append("saved")
        except Conflict:
            outcomes.append("conflict")

    threads = [threading.Thread(target=save, args=(str(n).encode(),)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict"] * 4 + ["saved"]
    assert store.pointer().generation == 1


def test_a_store_from_before_times_were_kept(store: Store, reopen: Callable[[], Store]) -> None:
    """What the first version of the program left: generations without times, and releases."""
    store.save_artefacts({"urn:a": b"a"})
    store.save_artefacts({"urn:a": b"A"})
    publish(store, ("M", [row("A", "X", "VAN", "2020", "1")]))
    publish(store, ("M", [row("A", "X", "VAN", "2021", "1")]))
    with store._engine.transaction() as session:  # type: ignore[attr-defined]
        for table in ("generation_times", "files", "log", "log_head", "masking"):
            session.execute(f"DROP TABLE {table}")
        session.execute("ALTER TABLE releases DROP COLUMN _log")
        session.execute("DELETE FROM migrations WHERE _number > 1")
    opened = reopen()
    published = opened.releases()[0].published_at
    assert opened.generation_at(published) == 2
    assert opened.generation_at(published - timedelta(microseconds=1)) == 0
    assert opened.save_artefacts({"urn:a": b"b"}) == 3
    assert opened.generation_at(datetime.now(UTC) + timedelta(seconds=5)) == 3


def test_an_empty_cube_takes_other_dimensions(store: Store) -> None:
    other = replace(ICE, dimensions=ICE.dimensions[:2])
    cube = store.open_cube(ICE)
    store.check_cube(other)
    assert (store.open_cube(other), store.cubes()) == (cube, [cube])
    parts = {name: value for name, value in row("A", "X", "", "2020", "1").items() if name != "FLAVOUR"}
    publish(store, ("M", [parts]), structure=other)
    assert [line["SCOOPS"] for line in read(store, select(store, structure=other))] == ["1"]
    for attempt in (store.check_cube, store.open_cube):
        with pytest.raises(StorageFault, match="other dimensions"):
            attempt(ICE)


# --- several at a time -----------------------------------------------------------------------------------------------


def test_readers_see_whole_releases_while_others_publish(store: Store) -> None:
    rows = [(area, str(year)) for area in "PQRSTUVWXY" for year in range(2000, 2020)]
    publish(store, ("M", [row("A", area, "VAN", year, "0") for area, year in rows]), submission="0")
    torn: list[Any] = []
    stop = threading.Event()

    def look() -> None:
        try:
            while not stop.is_set():
                release = store.pointer().release
                values = {line["SCOOPS"] for line in read(store, select(store, release=release))}
                if values != {str(release - 1)}:
                    torn.append((release, values))
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            torn.append(error)

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(1, 6):
        publish(store, ("M", [row("A", area, "VAN", year, str(number)) for area, year in rows]), submission=str(number))
    stop.set()
    for reader in readers:
        reader.join()
    assert torn == []
    assert store.pointer().release == 6


def test_documents_are_kept_by_several_at_a_time(store: Store) -> None:
    failures: list[BaseException] = []

    def act(number: int) -> None:
        try:
            for turn in range(5):
                store.save_document("receipt", "shared", {"n": turn})
                store.save_document("receipt", f"own {number}", {"n": turn})
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)

    writers = [threading.Thread(target=act, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failures == []
    assert sorted(store.documents("receipt")) == [(f"own {number}", {"n": 4}) for number in range(4)] + [
        ("shared", {"n": 4})
    ]


def test_publications_wait_for_each_other(store: Store) -> None:
    for number in range(4):
        stage(store, str(number), ("M", [row("A", "X", "VAN", str(2000 + number), "1")]))
    failures: list[BaseException] = []

    def act(number: int) -> None:
        try:
            store.publish([str(number)])
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)

    writers = [threading.Thread(target=act, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failures == []
    assert (store.pointer().release, len(observed(store))) == (4, 4)


# --- which releases changed what -------------------------------------------------------------------------------------


def test_the_releases_that_changed_a_dataflow(store: Store) -> None:
    one = row("A", "X", "VAN", "2020", "1")
    for part in (
        ("M", [one]),  # release 1
        ("M", [one]),  # 2: the same again
        ("M", [row("A", "X", "VAN", "2020", "2")]),  # 3
        ("D", [row("A", "X", "VAN", "2020")]),  # 4
    ):
        publish(store, part)
    cube = store.cubes()[0]
    assert store.touched(cube, 4) == {SALES: [1, 3, 4]}
    assert store.touched(cube, 3) == {SALES: [1, 3]}
    assert store.touched(Cube(agency="ICE", id="NONE", major=1), 4) == {}
