"""The store on its own, and a file's whole way in through the command line."""

from __future__ import annotations

import contextlib
import io
import math
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks import flows, generator
from benchmarks.context import Context
from benchmarks.files import source
from benchmarks.measuring import Figure, figure, measure, peak_memory, percentile
from sdmx_service.app.stores import open_store
from sdmx_service.catalog.library import Library
from sdmx_service.cli import main
from sdmx_service.model.message import Action
from sdmx_service.model.selection import Cube, Selection, dataflow_name
from sdmx_service.settings import Settings
from sdmx_service.storage.port import StagedPart, Store
from sdmx_service.storage.sql_store import SqlStore


@contextmanager
def opened(context: Context) -> Iterator[Store]:
    """The store, closed afterwards."""
    store = open_store(Settings(data=context.data, store=context.store_url))
    try:
        yield store
    finally:
        store.close()


def load(context: Context) -> Figure:
    """Stage and publish typed batches into a new store, which the cases after it read; makes the store of the run."""
    if context.store is None:
        shutil.rmtree(context.data, ignore_errors=True)
    part = StagedPart(
        structure=flows.structure(),
        dataflow=dataflow_name(flows.dataflow()),
        provider=flows.PROVIDER,
        action=Action.MERGE,
    )
    with opened(context) as store:
        Library(store).fill(Settings().content)
        if store.pointer().release:
            raise AssertionError("The store is not empty: name one that is.")

        def stage() -> tuple[float, float]:
            loading = store.stage("BENCH")
            cpu = wall = 0.0
            for batch in flows.batches(context.observations):  # the seconds of the generator do not count
                _, one_cpu, one_wall = measure(partial(loading.append, part, batch))
                cpu, wall = cpu + one_cpu, wall + one_wall
            _, one_cpu, one_wall = measure(loading.keep)
            return cpu + one_cpu, wall + one_wall

        staged = stage()
        _, cpu, wall = measure(lambda: store.publish(["BENCH"]))
        cpu, wall = cpu + staged[0], wall + staged[1]
        size = sum(file.stat().st_size for file in context.data.glob("store*")) if context.store is None else 0
        note = f"CPU: staged in {staged[0]:.1f} s, published in {cpu - staged[0]:.1f} s"
        return Figure(
            observations=context.observations, cpu=cpu, wall=wall, peak=peak_memory(), size=size, note=note
        )  # fmt: skip


def selection(store: Store, key: tuple[str, ...] | None = None) -> Selection:
    """Everything, or one series, as it is now."""
    structure = flows.structure()
    return Selection(
        structure=structure,
        cube=Cube.of(structure),
        context="dataflow",
        dataflows=(dataflow_name(flows.dataflow()),),
        release=store.pointer().release,
        keys=() if key is None else (tuple(frozenset((code,)) for code in key),),
    )


def models_folder(context: Context) -> Path:
    """Where the read models of the run are."""
    return context.folder / f"models-{context.observations}"


def make_model(context: Context) -> Figure:
    """Make the read model of everything, as a service does after a release; it stays for the cases after it."""
    folder = models_folder(context)
    shutil.rmtree(folder, ignore_errors=True)
    with opened(context) as store:
        assert isinstance(store, SqlStore)
        models = store.use_models(folder)
        chosen = selection(store)
        _, cpu, wall = measure(lambda: models.prepare(chosen))
        if models.reading(chosen) is None:
            raise AssertionError("There is no read model.")
        context.require(flows.digest(store.scan(chosen, store.domains(chosen))), "read model")
        size = sum(file.stat().st_size for file in folder.glob("*/*"))
        return Figure(observations=context.observations, cpu=cpu, wall=wall, peak=peak_memory(), size=size)


def scan_model(context: Context) -> Figure:
    """Read every row from the read model, batch by batch."""
    with modelled(context) as store:
        kept: list[flows.Digest] = []

        def work() -> None:
            chosen = selection(store)
            kept.append(flows.digest(store.scan(chosen, store.domains(chosen))))

        found = figure(work, context.observations)
        context.require(kept[0], "scan")
        return found


@contextmanager
def modelled(context: Context) -> Iterator[Store]:
    """The store with its read model open."""
    with opened(context) as store:
        assert isinstance(store, SqlStore)
        models = store.use_models(models_folder(context))
        models.prepare(selection(store))
        yield store


def scan(context: Context) -> Figure:
    """Read every row, batch by batch, as an export does."""
    with opened(context) as store:
        kept: list[flows.Digest] = []

        def work() -> None:
            chosen = selection(store)
            kept.append(flows.digest(store.scan(chosen, store.domains(chosen))))

        found = figure(work, context.observations)
        context.require(kept[0], "scan")
        return found


def keys(context: Context) -> list[tuple[str, ...]]:
    """Random keys of whole series, the same in every run."""
    series = context.observations // len(generator.YEARS)  # whole ones
    begun = math.ceil(context.observations / len(generator.YEARS))
    variants = max(1, math.ceil(begun / generator.PAIRS))
    numbers = random.Random(1).choices(range(series), k=context.requests)
    return [_key(number, variants) for number in numbers]


def _key(number: int, variants: int) -> tuple[str, ...]:
    """The key of the series of that number, in order of the structure."""
    pair, variant = divmod(number, variants)
    sex, flow = generator.VARIANTS[variant]
    reference, counterpart = divmod(pair, len(generator.AREAS))
    known = {
        "FREQ": "A",
        "REF_AREA": flows.areas()[reference],
        "COUNTERPART_AREA": flows.areas()[counterpart],
        "SEX": {"_T": "_U"}.get(sex, sex),
        "MEASURE": flow,
    }
    return tuple(known.get(id, "_T") for id in flows.key_ids())


def one_series(context: Context) -> Figure:
    """Read one series after the other, random keys."""
    with opened(context) as store:
        waits: list[float] = []
        wanted = keys(context)

        def read(key: tuple[str, ...]) -> None:
            start = time.perf_counter()
            chosen = selection(store, key)
            count = sum(batch.num_rows for batch in store.scan(chosen, store.domains(chosen)))
            waits.append((time.perf_counter() - start) * 1000)
            if count != len(generator.YEARS):
                raise AssertionError(f"{key}: {count} observations")

        for key in wanted[:20]:
            read(key)
        waits.clear()

        def read_all() -> None:
            for key in wanted:
                read(key)

        _, cpu, wall = measure(read_all)
        return Figure(
            observations=len(wanted) * len(generator.YEARS),
            cpu=cpu,
            wall=wall,
            peak=peak_memory(),
            p50=percentile(waits, 0.5),
            p99=percentile(waits, 0.99),
            note=f"{len(wanted)} series, {cpu * 1000 / len(wanted):.1f} ms of CPU each",
        )


def availability(context: Context) -> Figure:
    """The values and exact counts of the whole cube; ``p50`` is the second question, with the directory in memory."""
    with opened(context) as store:
        first, cpu, wall = measure(lambda: store.available(selection(store)))
        if first.counts.observations != context.observations:
            raise AssertionError(f"{first.counts.observations} observations are available.")
        other = measure(lambda: store.available(selection(store, keys(context)[0])))[2]
        note = "p50: of one series, the second question"
        return Figure(
            observations=context.observations, cpu=cpu, wall=wall, peak=peak_memory(), p50=other * 1000, note=note
        )


# --- a file's way in ------------------------------------------------------------------------------------------------
def _command(command: str, context: Context, folder: Path, *words: str) -> Callable[[], None]:
    path = source(context, "sdmx-csv-2.0")
    arguments = [command, str(path), "--provider", flows.PROVIDER, "--format", "json", "--data", str(folder), *words]

    def run() -> None:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            status = main(arguments)
        if status:
            raise AssertionError(f"{command} ended with {status}: {said.getvalue()[:500]}")

    return run


def check(context: Context) -> Figure:
    """Check the SDMX-CSV 2.0 file: codes, types, mandatory attributes, duplicates, rules."""
    folder = context.folder / "checked"
    return figure(
        _command("check", context, folder), context.observations, source(context, "sdmx-csv-2.0"),
        "codes, types, duplicates, rules",
    )  # fmt: skip


def submit(context: Context) -> Figure:
    """Check, stage, publish the same file into a new embedded store."""
    folder = context.folder / "submitted"
    run = _command("submit", context, folder, "--publish")
    try:
        found = figure(run, context.observations, source(context, "sdmx-csv-2.0"), "checked, staged, published")
        store = open_store(Settings(data=folder))
        try:
            chosen = selection(store)
            context.require(flows.digest(store.scan(chosen, store.domains(chosen))), "submitted file")
        finally:
            store.close()
        return found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


LOAD = "stage and publish"
MODEL = "read model"
OURS: dict[str, Callable[[Context], Figure]] = {
    "scan": scan,
    "one series": one_series,
    "availability": availability,
    MODEL: make_model,
    "scan, read model": scan_model,
}
FILED: dict[str, Callable[[Context], Figure]] = {
    "check SDMX-CSV 2.0": check,
    "submit and publish SDMX-CSV 2.0": submit,
}
