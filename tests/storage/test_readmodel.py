"""A read model gives the same answers as the database, whatever is asked, after whatever has happened."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdmx_service.model.query import Comparison, ComponentFilter
from sdmx_service.model.selection import Selection
from sdmx_service.storage import reading
from sdmx_service.storage.readmodel import answers, building
from sdmx_service.storage.readmodel.answers import ModelReading
from sdmx_service.storage.sql_store import SqlStore
from tests.postgres_server import PostgresServer
from tests.storage.backends import open_duckdb, open_postgres
from tests.storage.cubes import ICE, NORTH, PARLOURS, SALES, SOUTH, publish, read, row, select, untyped
from tests.storage.programs import AREAS, FLAVOURS, PERIODS, Run, fresh_database, programs

# --- what is asked ---------------------------------------------------------------------------------------------------
OPERATORS = ("eq", "ne", "lt", "le", "gt", "ge", "co", "nc", "sw", "ew")


def _filter(id: str, operator: str, value: str) -> ComponentFilter:
    return ComponentFilter(component=id, alternatives=((Comparison(operator=operator, value=value),),))  # type: ignore[arg-type]


filters = st.one_of(
    st.builds(_filter, st.just("AREA"), st.sampled_from(OPERATORS), st.sampled_from([*AREAS, "Z", ""])),
    st.builds(_filter, st.just("FLAVOUR"), st.sampled_from(OPERATORS), st.sampled_from([*FLAVOURS, "A"])),
    st.builds(_filter, st.just("TIME_PERIOD"), st.sampled_from(OPERATORS[:6]), st.sampled_from(PERIODS)),
)
keys = st.tuples(
    st.none() | st.just(frozenset("A")),
    st.none() | st.frozensets(st.sampled_from([*AREAS, "?"]), min_size=1),
    st.none() | st.frozensets(st.sampled_from(FLAVOURS), min_size=1),
)
asked = st.fixed_dictionaries(
    {
        "keys": st.lists(keys, max_size=2).map(tuple),
        "filters": st.lists(filters, max_size=2).map(tuple),
        "periods": st.none() | st.none() | st.frozensets(st.sampled_from([*PERIODS, "1999"])),
        "first_n": st.none() | st.integers(0, 2),
        "last_n": st.none() | st.none() | st.integers(0, 2),
        "components": st.none()
        | st.lists(st.sampled_from([c.id for c in ICE.components[4:]]), unique=True).map(
            lambda ids: tuple(c.id for c in ICE.components if c.id in ids)
        ),
        "offset": st.sampled_from([0, 0, 1, 3]),
        "limit": st.none() | st.integers(1, 4),
    }
)


# --- the answers -----------------------------------------------------------------------------------------------------
def told(found: Any, *, with_series: bool) -> dict[str, Any]:
    """Everything a reading says."""
    domains = found.domains()
    rows = list(found.batches(domains))
    series = list(found.series(domains)) if with_series else []
    for batch in [*rows, *series]:
        for name, array in zip(batch.schema.names, batch.columns, strict=True):
            if pa.types.is_dictionary(array.type):
                assert array.type == pa.dictionary(pa.int32(), pa.string())
                assert array.dictionary.to_pylist() == list(domains[name])
    return {
        "domains": domains,
        "rows": [line for batch in rows for line in untyped(ICE, batch)],
        "series": [line for batch in series for line in untyped(ICE, batch)],
        "counts": found.counts(),
        "available": found.available(None),
        "some available": found.available(["AREA", "TIME_PERIOD"]),
        "attachments": {id: table.to_pylist() for id, table in found.attachments().items()},
        "schema": [batch.schema for batch in rows[:1]],
    }


def compare(store: SqlStore, selection: Selection) -> None:
    """The model's answers are the database's."""
    models = store._models
    assert models is not None
    models.prepare(selection)
    found = models.reading(selection)
    expected = store._database_reading(selection)
    if expected is None or not expected.engine.read("SELECT 1").num_rows:
        return
    if found is None:
        whole = replace(selection, keys=(), filters=(), periods=None, first_n=None, last_n=None, offset=0, limit=None)
        assert read(store, replace(whole, components=None)) == []
        return
    assert isinstance(store._reading(selection), ModelReading)
    with_series = not found.model.bare
    mine, theirs = told(found, with_series=with_series), told(expected, with_series=with_series)
    for what, value in theirs.items():
        assert mine[what] == value, what


def run(open_store: Callable[[], SqlStore], folder: Path, program: list[Any], wishes: list[Any]) -> None:
    def opened() -> SqlStore:
        store = open_store()
        store.use_models(folder / "models")
        return store

    going = Run(opened)  # type: ignore[arg-type]
    try:
        for step, (kind, what) in enumerate(program):
            going.step(kind, what)
            for context in ("dataflow", "datastructure"):
                for wish in wishes[step % 2 :: 2]:
                    compare(going.store, select(going.store, context, **wish))  # type: ignore[arg-type]
                compare(going.store, select(going.store, context))  # type: ignore[arg-type]
    finally:
        going.store.close()


CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


@settings(max_examples=12, suppress_health_check=CHECKS)
@given(program=programs, wishes=st.lists(asked, min_size=3, max_size=6))
@pytest.mark.timeout(600)
def test_equal_answers_in_duckdb(program: list[Any], wishes: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run(lambda: open_duckdb(Path(folder) / "store.duckdb"), Path(folder), program, wishes)  # type: ignore[arg-type, return-value]


@pytest.mark.postgres
@settings(max_examples=6, suppress_health_check=CHECKS)
@given(program=programs, wishes=st.lists(asked, min_size=3, max_size=6))
@pytest.mark.timeout(600)
def test_equal_answers_in_postgres(postgres_server: PostgresServer, program: list[Any], wishes: list[Any]) -> None:
    with fresh_database(postgres_server) as url, tempfile.TemporaryDirectory() as folder:
        run(lambda: open_postgres(url), Path(folder), program, wishes)  # type: ignore[arg-type, return-value]


# --- many rows, in pieces --------------------------------------------------------------------------------------------
MANY = [
    row("A", f"A{area}", f"F{flavour}", str(2000 + year), f"{area * year}.{flavour}", STATUS="AE"[year % 2])
    for area in range(9)
    for flavour in range(5)
    for year in range(area + 1)
]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    """A store whose models have many small batches, which begin and end within series."""
    path = tmp_path_factory.mktemp("many")
    with pytest.MonkeyPatch.context() as patch:
        for name, size in (("BATCH", 7), ("SMALL", 10), ("RANGE", 20)):
            patch.setattr(reading, name, size)
        patch.setattr(answers, "BATCH", 11)
        store: Any = open_duckdb(path / "store.duckdb")
        store.use_models(path / "models")
        publish(store, ("M", MANY))
        yield store
        store.close()


years = st.sampled_from([str(2000 + year) for year in range(9)])
many_keys = st.tuples(
    st.none(),
    st.none() | st.frozensets(st.sampled_from([f"A{n}" for n in range(9)]), min_size=1),
    st.none() | st.frozensets(st.sampled_from([f"F{n}" for n in range(5)]), min_size=1),
)


@settings(max_examples=60, suppress_health_check=CHECKS)
@given(
    wish=asked,
    keys=st.lists(many_keys, max_size=2).map(tuple),
    periods=st.none() | st.frozensets(years),
    offset=st.integers(0, 250),
)
def test_pieces(many: SqlStore, wish: dict[str, Any], keys: Any, periods: Any, offset: int) -> None:
    wish = wish | {"filters": (), "keys": keys, "periods": periods, "offset": offset}
    compare(many, select(many, **wish))


# --- the life of a model ---------------------------------------------------------------------------------------------
def waited(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + 20
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)
    return condition()


def from_model(store: Any, **more: Any) -> bool:
    return isinstance(store._reading(select(store, **more)), ModelReading)


def test_a_model_is_made_at_first_use_and_anew_after_a_release(tmp_path: Path) -> None:
    store: Any = open_duckdb(tmp_path / "store.duckdb")
    store.use_models(tmp_path / "models")
    publish(store, ("M", [row("A", "X", "VAN", "2020", "1")]))
    assert read(store, select(store))[0]["SCOOPS"] == "1"
    assert waited(lambda: from_model(store))
    old = select(store)
    pinned = store._reading(old)
    publish(store, ("M", [row("A", "X", "VAN", "2020", "2")]), submission="T")
    assert read(store, select(store))[0]["SCOOPS"] == "2"
    assert waited(lambda: from_model(store))  # without being asked again
    assert [line["SCOOPS"] for line in read(store, old)] == ["1"]
    assert waited(lambda: len(list((tmp_path / "models").iterdir())) == 1)
    assert sum(batch.num_rows for batch in pinned.batches(pinned.domains())) == 1, "open files outlive their removal"
    store.close()


def test_a_model_in_place_is_opened_and_a_damaged_one_is_made_anew(tmp_path: Path) -> None:
    def opened() -> Any:
        store: Any = open_duckdb(tmp_path / "store.duckdb")
        store.use_models(tmp_path / "models")
        return store

    store = opened()
    publish(store, ("M", [row("A", "X", "VAN", "2020", "1"), row("A", "Y", "LEM", "2021", "7")]))
    store._models.prepare(select(store))
    store.close()
    (place,) = (tmp_path / "models").iterdir()
    made = place.stat().st_mtime_ns
    store = opened()
    store._models.prepare(select(store))
    assert from_model(store)
    assert place.stat().st_mtime_ns == made
    store.close()
    path = place / building.OBSERVATIONS
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 255
    path.write_bytes(body)
    store = opened()
    store._models.prepare(select(store))
    assert from_model(store)
    assert [line["SCOOPS"] for line in read(store, select(store))] == ["1", "7"] or [
        line["SCOOPS"] for line in read(store, select(store))
    ] == ["7", "1"]
    store.close()


def test_another_store_in_the_same_place_gets_no_model_of_the_first(tmp_path: Path) -> None:
    for name, scoops in (("one", "1"), ("two", "2")):
        store: Any = open_duckdb(tmp_path / f"{name}.duckdb")
        store.use_models(tmp_path / "models")
        publish(store, ("M", [row("A", "X", "VAN", "2020", scoops)]))
        store._models.prepare(select(store))
        assert from_model(store)
        assert read(store, select(store))[0]["SCOOPS"] == scoops
        store.close()


def test_no_model_for_the_past_for_providers_and_for_the_empty_store(tmp_path: Path) -> None:
    store: Any = open_duckdb(tmp_path / "store.duckdb")
    models = store.use_models(tmp_path / "models")
    models.prepare(select(store))
    assert not from_model(store)
    publish(store, ("M", [row("A", "X", "VAN", "2020", "1")]))
    publish(store, ("M", [row("A", "X", "VAN", "2020", "2")]), submission="T")
    for more in ({"release": 1}, {"providers": (NORTH,)}, {"context": "provisionagreement"}):
        models.prepare(select(store, **more))
        assert not from_model(store, **more)
    models.prepare(select(store))
    assert from_model(store)
    assert not from_model(store, changed_since=1)
    assert not from_model(store, filters=(_filter("SCOOPS", "gt", "1"),))
    store.close()


def test_a_failure_leaves_the_answers_to_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OSError("no room")

    monkeypatch.setattr("sdmx_service.storage.readmodel.keeper.build", fail)
    store: Any = open_duckdb(tmp_path / "store.duckdb")
    models = store.use_models(tmp_path / "models")
    publish(store, ("M", [row("A", "X", "VAN", "2020", "1")]))
    models.prepare(select(store))
    assert not from_model(store)
    assert read(store, select(store))[0]["SCOOPS"] == "1"
    assert list((tmp_path / "models").iterdir()) == []
    store.close()


def test_dataflows_have_models_of_their_own(tmp_path: Path) -> None:
    store: Any = open_duckdb(tmp_path / "store.duckdb")
    models = store.use_models(tmp_path / "models")
    publish(store, ("M", [row("A", "X", "VAN", "2020", "1")]))
    publish(store, ("M", [row("A", "Y", "VAN", "2020", "2")]), submission="T", dataflow=PARLOURS, provider=SOUTH)
    for flow, scoops in ((SALES, ["1"]), (PARLOURS, ["2"])):
        models.prepare(select(store, dataflows=(flow,)))
        assert from_model(store, dataflows=(flow,))
        assert [line["SCOOPS"] for line in read(store, select(store, dataflows=(flow,)))] == scoops
    models.prepare(select(store, "datastructure"))
    assert len(list((tmp_path / "models").iterdir())) == 3
    store.close()
