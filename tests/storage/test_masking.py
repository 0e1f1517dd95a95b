"""Confidential figures are hidden whatever way they are read, on both backends and in read models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sdmx_service.model.confidentiality import CONFIDENTIALITY, Confidentiality, PublicView
from sdmx_service.model.query import SortKey
from sdmx_service.model.selection import Cube
from sdmx_service.storage.port import Counts, Purged, Ranking, Store
from sdmx_service.storage.sql_store import SqlStore
from tests.storage.cubes import ICE, NORTH, PARLOURS, SALES, SOUTH, observed, publish, read, row, select, stage, untyped
from tests.storage.test_contract import where

RULES = Confidentiality(
    id="ICE",
    structures=(Cube.of(ICE),),
    status="STATUS",
    confidential=("C", "S"),
    primary="C",
    secondary="S",
    hides=("REMARK", "ERROR"),
)
REMARK = {"en": "it was 77"}


def declare(store: Store, rules: Confidentiality = RULES, **views: PublicView) -> None:
    """Put a confidentiality document in force; ``views`` are public views of dataflows of ICE."""
    document = rules.to_json() | {
        "dataflows": {f"ICE:{name}(1)": {"threshold": v.threshold, "rounding": v.rounding, "when": v.when}
                      for name, v in views.items()}
    }  # fmt: skip
    store.save_artefacts({CONFIDENTIALITY + rules.id: json.dumps(document).encode()})


def lines(store: Store, *args: Any, **more: Any) -> list[str]:
    """``AREA.PERIOD=SCOOPS/STATUS`` of the rows of a selection, in its order if it has one."""
    rows = read(store, select(store, *args, **more))
    found = [f"{r['AREA']}.{r['TIME_PERIOD']}={r.get('SCOOPS', '-')}/{r.get('STATUS', '-')}" for r in rows]
    return found if "sort" in more else sorted(found)


def sold(
    area: str, scoops: str | None, status: str | None = "A", period: str = "2020", **more: Any
) -> Mapping[str, Any]:
    return row("A", area, "VAN", period, scoops, STATUS=status, **more)


def test_a_confidential_figure_is_a_row_with_its_status(store: Store) -> None:
    declare(store)
    publish(store, ("M", [sold("X", "77", "C", MOOD="GOOD", REMARK=REMARK, ERROR="77"), sold("Y", "5")]))
    assert lines(store) == ["X.2020=-/C", "Y.2020=5/A"]
    hidden = next(one for one in read(store, select(store)) if one["AREA"] == "X")
    assert not {"MOOD", "REMARK", "ERROR"} & hidden.keys()
    assert store.count(select(store)) == Counts(series=2, observations=2)
    assert store.domains(select(store))["MOOD"] == []
    assert store.available(select(store), ["STATUS", "MOOD"]).values == {"STATUS": ["A", "C"], "MOOD": []}


def test_without_a_document_nothing_is_hidden(store: Store) -> None:
    publish(store, ("M", [sold("X", "77", "C")]))
    assert lines(store) == ["X.2020=77/C"]
    assert store.mask_version(Cube.of(ICE)) == ""
    declare(store)
    assert lines(store) == ["X.2020=-/C"]
    assert store.mask_version(Cube.of(ICE)) != ""


def test_a_cube_without_confidential_figures_is_read_as_it_is(store: Store) -> None:
    declare(store)
    publish(store, ("M", [sold("X", "77")]))
    assert isinstance(store, SqlStore)
    reading = store._database_reading(select(store))
    assert reading is not None and reading.mask.rows == '"c1_observations"'


def test_the_status_of_today_hides_what_was_shown_before(store: Store) -> None:
    declare(store)
    first = publish(store, ("M", [sold("X", "77"), sold("Y", "5")]))
    assert lines(store) == ["X.2020=77/A", "Y.2020=5/A"]
    second = publish(store, ("M", [sold("X", None, "C")]))
    assert lines(store, release=first) == ["X.2020=-/C", "Y.2020=5/A"]
    assert lines(store, release=second, changed_since=first) == ["X.2020=-/C"]
    third = publish(store, ("D", [sold("X", None, None)]))
    assert lines(store, release=third) == ["Y.2020=5/A"]
    assert lines(store, release=first) == ["X.2020=-/C", "Y.2020=5/A"]
    publish(store, ("M", [sold("X", "78")]))
    assert lines(store) == ["X.2020=78/A", "Y.2020=5/A"]
    assert lines(store, release=first) == ["X.2020=77/A", "Y.2020=5/A"], "the last statement frees it"
    assert lines(store, release=second) == ["X.2020=-/C", "Y.2020=5/A"], "but not what was sent as confidential"


def test_a_restored_release_frees_nothing(store: Store) -> None:
    declare(store)
    first = publish(store, ("M", [sold("X", "77")]))
    publish(store, ("M", [sold("X", "77", "C")]))
    store.restore(first)
    assert lines(store) == ["X.2020=-/C"]
    declare(store)  # found anew from all that was stated
    assert lines(store) == ["X.2020=-/C"]


def test_what_the_dataflow_shows_hides_the_figures_of_others_for_the_key(store: Store) -> None:
    declare(store)
    ranking = Ranking(providers={SALES: [NORTH, SOUTH]})
    first = publish(store, ("M", [sold("X", "76")]), provider=SOUTH)
    publish(store, ("M", [sold("X", "77", "C")]), provider=NORTH)
    store.publish([], ranking=ranking)
    assert lines(store) == ["X.2020=-/C"]
    assert lines(store, release=first) == ["X.2020=-/C"]
    publish(store, ("D", [sold("X", None, None)]), provider=NORTH)
    assert lines(store) == ["X.2020=76/A"]
    assert lines(store, "provisionagreement", providers=(NORTH,), release=2) == ["X.2020=-/C"]


def test_who_is_hidden_by_nobody_shown_stays_shown(store: Store) -> None:
    declare(store)
    publish(store, ("M", [sold("X", "76")]), provider=NORTH)
    publish(store, ("M", [sold("X", "77", "C")]), provider=SOUTH)
    assert lines(store) == ["X.2020=76/A"]
    assert sorted(lines(store, "provisionagreement")) == ["X.2020=-/C", "X.2020=76/A"]


@pytest.mark.parametrize(
    ("component", "tests", "found"),
    [
        ("SCOOPS", [("gt", "6")], ["Y.2020=7/A"]),
        ("SCOOPS", [("ne", "6")], ["Y.2020=7/A"]),
        ("SCOOPS", [("eq", "77")], []),
        ("REMARK", [("co", "77")], []),
        ("STATUS", [("eq", "C")], ["X.2020=-/C"]),
        ("STATUS", [("ne", "C")], ["Y.2020=7/A"]),
    ],
)
def test_conditions_on_what_is_hidden_tell_nothing(
    store: Store, component: str, tests: list[tuple[str, str]], found: list[str]
) -> None:
    declare(store)
    publish(store, ("M", [sold("X", "77", REMARK=REMARK), sold("Y", "7")]))
    first = publish(store, ("M", [sold("X", None, "C")])) - 1
    filters = (where(component, tests),)
    assert lines(store, filters=filters) == found
    assert lines(store, filters=filters, release=first) == found
    assert store.count(select(store, filters=filters)).observations == len(found)
    assert len(store.domains(select(store, filters=filters))["AREA"]) == len(found)


def test_order_tells_nothing(store: Store) -> None:
    declare(store)
    rows = [sold("X", "1", "C"), sold("Y", "5"), sold("Z", "9", "C")]
    publish(store, ("M", rows))
    for descending in (False, True):
        found = lines(store, sort=(SortKey(component="SCOOPS", descending=descending),))
        assert (found[0], sorted(found[1:])) == ("Y.2020=5/A", ["X.2020=-/C", "Z.2020=-/C"])


def test_thresholds_and_rounding_are_what_the_public_sees(store: Store) -> None:
    publish(
        store,
        (
            "M",
            [
                sold(area, text)
                for area, text in zip("TUVWXYZ", ["0", "2", "-3", "7", "7.50", "NaN", "-8"], strict=True)
            ],
        ),
    )
    before = store.pointer().release
    publish(store, ("M", [sold("S", "4")]), dataflow=PARLOURS)
    declare(store, DF_SALES=PublicView(threshold=5, rounding=5))
    assert sorted(lines(store)) == ["T.2020=0/A", "U.2020=-/C", "V.2020=-/C", "W.2020=5/A", "X.2020=10/A",
                                    "Y.2020=NaN/A", "Z.2020=-10/A"]  # fmt: skip
    assert lines(store, dataflows=(PARLOURS,)) == ["S.2020=4/A"]
    publish(store, ("M", [sold("W", "1")]))
    assert "W.2020=-/C" in lines(store, release=before)
    stored = [one for _, batch in store.staged("S") for one in batch["SCOOPS"].to_pylist()]
    assert stored == [1.0], "what was sent stays as it was sent"


def test_conditions_of_a_public_view(store: Store) -> None:
    publish(store, ("M", [sold("X", "2", "E"), sold("Y", "2")]))
    declare(store, DF_SALES=PublicView(threshold=5, when={"STATUS": ("E",)}))
    assert lines(store) == ["X.2020=-/C", "Y.2020=2/A"]


def test_read_models_hold_what_is_shown_and_are_renewed(store: Store, tmp_path: Path) -> None:
    assert isinstance(store, SqlStore)
    models = store.use_models(tmp_path / "models")
    first = publish(store, ("M", [sold("X", "77123"), sold("Y", "5")]))
    old = select(store)
    models.prepare(old)
    assert models.reading(old) is not None
    declare(store)
    assert models.reading(select(store)) is not None, "nothing is hidden yet, and what was made is made of all"
    publish(store, ("M", [sold("X", None, "C")]))
    assert models.reading(old) is None
    assert lines(store, release=first) == ["X.2020=-/C", "Y.2020=5/A"]
    models.prepare(select(store))
    found = models.reading(select(store))
    assert found is not None and lines(store) == ["X.2020=-/C", "Y.2020=5/A"]


def test_another_document_renews_read_models(store: Store, tmp_path: Path) -> None:
    assert isinstance(store, SqlStore)
    models = store.use_models(tmp_path / "models")
    declare(store)
    publish(store, ("M", [sold("X", "77123", "N"), sold("Y", "5", "C")]))
    models.prepare(select(store))
    assert lines(store) == ["X.2020=77123/N", "Y.2020=-/C"]
    stricter = RULES.to_json() | {"confidential": ["C", "N"]}
    store.save_artefacts({CONFIDENTIALITY + "ICE": json.dumps(stricter).encode()})
    assert not any((tmp_path / "models").iterdir())
    assert models.reading(select(store)) is None
    assert lines(store) == ["X.2020=-/N", "Y.2020=-/C"]


def test_a_publication_cut_off_is_not_the_last_statement(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(store)
    publish(store, ("M", [sold("X", "77", "C")]))

    class Cut(Exception):
        pass

    def cut(*_: object) -> None:
        raise Cut

    with monkeypatch.context() as patched:
        patched.setattr(SqlStore, "_move_pointer", cut)
        with pytest.raises(Cut):
            publish(store, ("M", [sold("X", "78", "A")]), submission="CUT")
    assert lines(store) == ["X.2020=-/C"]
    publish(store, ("M", [sold("Y", "1")]), submission="NEXT")
    assert lines(store) == ["X.2020=-/C", "Y.2020=1/A"]


def test_masks_survive_opening_anew(reopen: Any) -> None:
    store = reopen()
    declare(store)
    publish(store, ("M", [sold("X", "77")]))
    publish(store, ("M", [sold("X", None, "C")]))
    store = reopen()
    assert lines(store, release=1) == ["X.2020=-/C"]
    assert observed(store) == ["X.VAN.2020="]


# --- purges ------------------------------------------------------------------------------------------------------------


def key(area: str) -> tuple[frozenset[str] | None, ...]:
    return (None, frozenset({area}), None)


def test_a_purge_removes_values_and_leaves_rows(store: Store, tmp_path: Path) -> None:
    assert isinstance(store, SqlStore)
    models = store.use_models(tmp_path / "models")
    declare(store)
    first = publish(store, ("M", [sold("X", "77", REMARK=REMARK), sold("Y", "5")]), submission="ONE")
    publish(store, ("M", [sold("X", "78", "A"), sold("X", "79", period="2021")]), submission="TWO")
    stage(store, "WAITING", ("M", [sold("X", "80"), sold("Z", "81")]))
    models.prepare(select(store))
    before, version = store.pointer(), store.mask_version(Cube.of(ICE))
    wanted = select(
        store,
        "provisionagreement",
        dataflows=(SALES,),
        providers=(NORTH,),
        keys=(key("X"),),
        periods=frozenset({"2020"}),
    )
    found = store.purge(wanted)
    assert found == Purged(versions=2, staged=3, submissions=found.submissions)
    assert sorted(found.submissions) == ["ONE", "TWO", "WAITING"]
    assert lines(store) == ["X.2020=-/A", "X.2021=79/A", "Y.2020=5/A"]
    assert lines(store, release=first) == ["X.2020=-/A", "Y.2020=5/A"]
    assert store.pointer().release == before.release
    assert store.pointer().generation > before.generation
    assert store.mask_version(Cube.of(ICE)) != version
    kept = [one for id in ("ONE", "TWO", "WAITING") for _, batch in store.staged(id) for one in untyped(ICE, batch)]
    assert sorted(one.get("SCOOPS", "") for one in kept) == ["", "", "", "5", "79", "81"]
    assert all("REMARK" not in one for one in kept)
    assert store.purge(wanted) == Purged(versions=0, staged=0, submissions=found.submissions)


def test_a_purge_of_a_cube_without_a_document_renews_what_was_made(store: Store) -> None:
    publish(store, ("M", [sold("X", "77")]))
    assert store.mask_version(Cube.of(ICE)) == ""
    store.purge(select(store, keys=(key("X"),)))
    assert lines(store) == ["X.2020=-/A"]
    assert store.mask_version(Cube.of(ICE)) != ""


def test_another_sender_keeps_its_figure(store: Store) -> None:
    publish(store, ("M", [sold("X", "77")]), provider=NORTH)
    publish(store, ("M", [sold("X", "78")]), provider=SOUTH)
    store.purge(select(store, "provisionagreement", providers=(NORTH,), keys=(key("X"),)))
    assert sorted(lines(store, "provisionagreement")) == ["X.2020=-/A", "X.2020=78/A"]


def test_a_publication_that_says_nothing_of_the_status(store: Store) -> None:
    """Work tables have no columns for what nobody sent."""
    publish(store, ("M", [row("A", "X", "VAN", "2020", "77")]))
    declare(store, DF_SALES=PublicView(threshold=5, when={"STATUS": ("E",)}))
    assert lines(store) == ["X.2020=77/-"]
    publish(store, ("M", [row("A", "Y", "VAN", "2020", "3"), row("A", "X", "VAN", "2021", None, MOOD="GOOD")]))
    assert lines(store) == ["X.2020=77/-", "X.2021=-/-", "Y.2020=3/-"]
    publish(store, ("M", [row("A", "X", "VAN", "2020", None, STATUS="C")]))
    publish(store, ("M", [row("A", "X", "VAN", "2020", None, MOOD="GOOD")]))
    assert lines(store, release=1) == ["X.2020=-/C"]
    publish(store, ("D", [row("A", "X", "VAN", "2020")]))
    assert lines(store, release=1) == ["X.2020=-/C"]


def test_the_first_publication_says_nothing_of_the_status(store: Store) -> None:
    declare(store)
    publish(store, ("M", [row("A", "X", "VAN", "2020", "77")]))
    publish(store, ("M", [row("A", "X", "VAN", "2020", None, STATUS="C")]))
    assert lines(store, release=1) == ["X.2020=-/C"]
